"""Random numbers against published vectors, and one year's tax drawn on processes that are known."""

from __future__ import annotations

import numpy as np
import pytest
from outlook_county import autoregressive, drawn_tax, panel_of

from lyeval.simulation.draws import BLOCK, Sampling, draw_tax, normals, philox, uniforms
from lyeval.simulation.dynamics import Priors, fit
from lyeval.simulation.known import code_keys


class TestRandomNumbers:
    @pytest.mark.parametrize(
        ("counter", "key", "expected"),
        [
            ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
            ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
            (
                (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
                (0xA4093822, 0x299F31D0),
                (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
            ),
        ],
    )
    def test_philox_gives_the_published_vectors(self, counter, key, expected):
        words = philox(tuple(np.array([c], dtype=np.uint32) for c in counter), key)
        assert tuple(int(w[0]) for w in words) == expected

    def test_an_enterprise_keeps_its_draws_in_any_order_and_subset(self):
        codes = [f"91371329MA{i:08d}" for i in range(50)]
        whole = uniforms(code_keys(codes), Sampling(300, 7), 2023, "tax")
        order = np.random.default_rng(1).permutation(50)
        mixed = uniforms(code_keys([codes[i] for i in order]), Sampling(300, 7), 2023, "tax")
        assert np.array_equal(mixed, whole[:, order])
        alone = uniforms(code_keys(codes[13:14]), Sampling(120, 7), 2023, "tax")
        assert np.array_equal(alone[:, 0], whole[:120, 13])

    def test_uniform_numbers_are_uniform_and_streams_differ(self):
        keys = code_keys(["a", "b"])
        first, second = (uniforms(keys, Sampling(20_000, 1), 2023, stream) for stream in ("tax", "zero"))
        assert abs(first.mean() - 0.5) < 0.004
        assert abs(first.var() - 1 / 12) < 0.002
        assert abs(np.corrcoef(first[:, 0], second[:, 0])[0, 1]) < 0.03
        assert first.min() > 0
        assert first.max() < 1

    def test_normals_are_normal(self):
        drawn = normals(code_keys(["a", "b"]), Sampling(200_000, 1), 2024, "tax")
        assert np.abs(drawn.mean(axis=0)).max() < 0.01
        assert np.abs(drawn.std(axis=0) - 1).max() < 0.01
        assert abs(np.mean(drawn > 1.959964) - 0.025) < 0.001

    def test_a_longer_run_begins_with_the_shorter_one_and_another_seed_is_another_run(self):
        keys = code_keys(["a", "b", "c"])
        for draw in (uniforms, normals):
            long = draw(keys, Sampling(700, 5), 2024, "tax")
            assert np.array_equal(long[:300], draw(keys, Sampling(300, 5), 2024, "tax"))
            assert not np.array_equal(long, draw(keys, Sampling(700, 6), 2024, "tax"))


class TestProjection:
    @pytest.mark.parametrize("month", [0, 6])
    def test_intervals_cover_what_they_say_on_a_known_process(self, month):
        inside, total = np.zeros(2), 0
        for seed in range(12):
            land, tax, ytd = autoregressive(np.random.default_rng(seed), 150, 6, month=month)
            history = panel_of(tax[:, :-1], land, ytd=ytd if month else None, month=month)
            drawn = drawn_tax(fit(history, month, Priors()), history, 2023, Sampling(400, seed))
            for i, nominal in enumerate((0.5, 0.8)):
                low, high = np.quantile(drawn, ((1 - nominal) / 2, (1 + nominal) / 2), axis=0)
                inside[i] += np.sum((tax[:, -1] >= low) & (tax[:, -1] <= high))
            total += 150
        half, eighty = inside / total
        assert 0.44 <= half <= 0.58
        assert 0.74 <= eighty <= 0.87

    def test_last_year_and_earlier_years_share_the_weight_that_the_process_gives_them(self):
        land, tax, _ = autoregressive(np.random.default_rng(3), 800, 6, shock=0.0)
        model = fit(panel_of(tax, land), 0, Priors())
        found = dict(zip(model.names, model.coef, strict=True))
        assert 0.85 < found["level"] < 1.02
        assert 0.2 < found["gap"] < 0.6

    def test_the_year_to_date_is_a_floor_and_december_is_the_year(self):
        for month in (9, 12):
            land, tax, ytd = autoregressive(np.random.default_rng(5), 80, 5, month=month)
            history = panel_of(tax[:, :-1], land, ytd=ytd, month=month)
            drawn = drawn_tax(fit(history, month, Priors()), history, 2022, Sampling(200, 1))
            assert np.all(drawn >= ytd[:, -1] - 1e-12)
            if month == 12:
                assert np.array_equal(drawn, np.broadcast_to(ytd[:, -1], drawn.shape))

    def test_silent_enterprises_stay_silent_as_often_as_they_did(self):
        rng = np.random.default_rng(2)
        land, tax, _ = autoregressive(rng, 400, 6)
        silent = rng.random(400) < 0.2
        for t in range(6):
            silent = np.where(silent, rng.random(400) < 0.7, rng.random(400) < 0.05)
            tax[silent, t] = 0.0
        history = panel_of(tax, land)
        drawn = drawn_tax(fit(history, 0, Priors()), history, 2024, Sampling(2000, 1))
        assert abs((drawn[:, tax[:, -1] == 0] == 0).mean() - 0.7) < 0.1
        assert abs((drawn[:, tax[:, -1] > 0] == 0).mean() - 0.05) < 0.02

    def test_negative_tax_keeps_its_sign(self):
        land, tax, _ = autoregressive(np.random.default_rng(2), 200, 5)
        tax[:20, 2:] = -land[:20, None] * 0.3
        history = panel_of(tax, land)
        drawn = drawn_tax(fit(history, 0, Priors()), history, 2023, Sampling(1000, 1))
        assert (drawn[:, :20] < 0).mean() > 0.4
        assert np.isfinite(drawn).all()

    @pytest.mark.parametrize(
        "tax",
        [
            np.zeros((40, 4)),
            np.full((40, 4), np.nan),
            np.full((1, 4), 5.0),
            np.full((1, 1), 5.0),
            np.array([[3.0, np.nan, 4.0], [np.nan, np.nan, np.nan]]),
        ],
    )
    def test_poor_data_give_finite_draws_and_a_note(self, tax):
        history = panel_of(tax, np.full(len(tax), 10.0))
        model = fit(history, 0, Priors())
        drawn = drawn_tax(model, history, 2025, Sampling(300, 1))
        assert np.isfinite(drawn).all()
        assert "persistence" in {n.id for n in model.notes}
        assert model.rows == 0

    def test_blocks_order_and_choice_of_enterprises_change_no_bit(self, monkeypatch):
        land, tax, ytd = autoregressive(np.random.default_rng(4), 60, 6, month=4)
        tax[np.random.default_rng(5).random(tax.shape) < 0.05] = 0.0
        ytd[:20, -1] = np.nan
        history = panel_of(tax[:, :-1], land, ytd=ytd, month=4)
        models = fit(history, 4, Priors()), fit(history, 0, Priors())
        years, sampling = range(2023, 2026), Sampling(300, 1)
        whole = draw_tax(models, history, years, sampling)
        for block in (1, 7 * 300):
            monkeypatch.setattr("lyeval.simulation.draws.BLOCK", block)
            assert all(map(np.array_equal, whole, draw_tax(models, history, years, sampling)))
        monkeypatch.setattr("lyeval.simulation.draws.BLOCK", BLOCK)
        head = draw_tax(models, history, years, Sampling(100, 1))
        assert all(np.array_equal(a[:100], b) for a, b in zip(whole, head, strict=True))
