"""The compiled kernel: against the plain path draw by draw, against odds by products, and the same bits however it is run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from outlook_county import autoregressive, county, panel_of, setting_of, with_disposals

import lyeval as ly
from lyeval.simulation import fused
from lyeval.simulation.assumed import assumed
from lyeval.simulation.conditional import _lattice, _saddle, conditional_odds
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Setting, setting, years_to_come
from lyeval.simulation.fused import ask, questions, run, statistic
from lyeval.simulation.known import Date, as_known
from lyeval.simulation.layout import field, ways
from lyeval.simulation.outlook import members, values
from lyeval.simulation.philox import code_keys, normals, words

numba = pytest.importorskip("numba")
LINSHU, ZHOUSHAN = ly.load_policy("linshu-2021"), ly.load_policy("zhoushan-2020")
METHODS = ("upgrade", "rectify", "merge", "partition", "land_bank", "judicial", "shut_down", "contract")


def troubled(seed: int = 3) -> ly.Ledger:  # pyright: ignore[reportAttributeAccessIssue]
    """Return a county with silent years and cases of every method, open and finished."""
    ledger = county(120, seed=seed)
    silent = np.random.default_rng(seed).random(len(ledger.annual)) < 0.06
    annual = ledger.annual.assign(tax_wan=ledger.annual["tax_wan"].where(~silent, 0.0))
    monthly = ledger.monthly.assign(tax_wan=ledger.monthly["tax_wan"].where(~np.repeat(silent, 12), 0.0))
    rows = [(i, method, "2022-06-01", None, "进行中") for i, method in enumerate(METHODS * 3)]
    rows += [(40, "upgrade", "2021-01-01", "2022-07-01", "达标"), (41, "shut_down", "2021-01-01", "2022-05-01", "关停")]
    rows += [(42, "land_bank", "2021-01-01", "2022-05-01", "整体收储")]
    return with_disposals(replace(ledger, annual=annual, monthly=monthly), rows)


def given_at(date: Date, draws: int = 700, seed: int = 4) -> Setting:
    """Return the setting of the troubled county at a date."""
    return setting(as_known(troubled(), date), date, None, assumed("default"), Sampling(draws, seed))


class TestNumbers:
    def test_words_are_those_of_the_plain_path_and_normals_within_two_millionths(self):
        from lyeval.simulation import lanes

        codes = code_keys([f"91371329MA{i:08d}" for i in range(40)])
        plain = words(codes, 1024, year=2024, stream=3, seed=-5)
        exact = normals(codes, 1024, year=2024, stream=3, seed=-5)
        keys, tag = lanes.round_keys(-5), np.uint32(2024 << 16 | 3)
        row, floats = np.empty(256, np.uint32), np.empty(256, np.float32)
        for i, code in enumerate(codes):
            low, high = np.uint32(code & np.uint64(0xFFFFFFFF)), np.uint32(code >> np.uint64(32))
            for group in range(4):
                part = slice(256 * group, 256 * group + 256)
                lanes.words(row, group, tag, low, high, keys)
                assert np.array_equal(row, plain[part, i])
                lanes.normals(floats, group, tag, low, high, keys)
                assert np.abs(floats - exact[part, i]).max() < 2e-6

    def test_normals_keep_their_digits_in_the_tails(self):
        from lyeval.simulation import lanes

        @numba.njit
        def both(first, second):
            return lanes.pair(first, second)

        edges = [0, 1, 2, 255, 2**20, 2**31 - 1, 2**31, 2**32 - 256, 2**32 - 2, 2**32 - 1]
        for w in edges:
            unit = float(np.float32(w) * np.float32(2.0**-32) + np.float32(2.0**-33))
            radius = np.sqrt(-2 * np.log(unit))
            for angle in [*edges, 2**29, 2**30, 3 * 2**30, 3 * 2**29 + 7]:
                a, b = both(np.uint32(w), np.uint32(angle))
                turn = 2 * np.pi * angle * 2.0**-32
                assert abs(a - radius * np.cos(turn)) < 2e-6
                assert abs(b - radius * np.sin(turn)) < 2e-6

    def test_normals_are_normal(self):
        drawn = normals(code_keys(["a", "b"]), 200_000, year=2024, stream=0, seed=1)
        assert np.abs(drawn.mean(axis=0)).max() < 0.01
        assert np.abs(drawn.std(axis=0) - 1).max() < 0.01
        assert abs(np.mean(drawn > 1.959964) - 0.025) < 0.001


class TestTwin:
    """The plain path in double precision draws from the same counters: counts agree but for draws within rounding of a line."""

    @pytest.mark.parametrize("date", [Date(2022, 2022, 12), Date(2022, 2023, 8)], ids=str)
    @pytest.mark.parametrize("policy", [LINSHU, ZHOUSHAN], ids=lambda p: p.id)
    def test_counts_are_those_of_the_plain_path(self, date, policy):
        from lyeval.assessment import views
        from lyeval.simulation.carried import as_if

        given = given_at(date)
        ledger = as_known(troubled(), date)
        by_year = [views(ledger, as_if(policy, year)[0], year, 2022) for year in (2023, 2024, 2025)]
        ids = [v.id for v in by_year[-1] if v.kind in ("share", "count", "mean")]
        laid_out = [[next((v for v in some if v.id == id), None) for some in by_year] for id in ids]
        asked = [ask(given, over, line=over[-1].kind != "mean") for over in laid_out]
        _, counts = run(given, asked, range(2023, 2026))
        for k, one in enumerate(asked):
            for t, drawn in enumerate(years_to_come(given, 2025)):
                if one.views[t] is not None:
                    plain = values(members(one.views[t], drawn))
                    fast = statistic(one, counts, k, t)
                    tolerance = 1e-5 if one.money else 2e-6  # land counts in steps of 0.0001 亩
                    assert np.mean(np.abs(fast - plain) > tolerance * np.maximum(np.abs(plain), 1)) <= 0.003

    def test_tables_are_those_of_the_plain_path(self, monkeypatch):
        assessed = ly.assess(troubled(), LINSHU, 2023)
        plain = ly.simulate(assessed, years=2, draws=600, seed=2)
        monkeypatch.setattr(fused, "MIN_CELLS", 0)
        fast = ly.simulate(assessed, years=2, draws=600, seed=2)
        exact = ["id", "year", "goal", "certain", "members", "sure_below", "sure_reach", "open", "open_cases"]
        pd.testing.assert_frame_equal(plain.targets[exact], fast.targets[exact])
        drawn = ["probability", "p05", "p50", "p95"]
        pd.testing.assert_frame_equal(plain.targets[drawn], fast.targets[drawn], atol=0.004, rtol=1e-4)
        pd.testing.assert_frame_equal(plain.scenarios, fast.scenarios, atol=0.004, rtol=1e-4)
        assert list(plain.enterprises["credit_code"]) == list(fast.enterprises["credit_code"])
        assert np.abs(plain.enterprises["probability"] - fast.enterprises["probability"]).max() < 0.004
        paid, told = plain.enterprises["p50"] > 0, fast.enterprises["p50"] > 0
        both = paid & told
        wrong = np.abs(fast.enterprises["p50"] / plain.enterprises["p50"] - 1)[both]
        assert (paid == told).mean() > 0.99
        assert wrong.median() < 0.01
        assert wrong.max() < 0.12
        assert plain.notes == fast.notes


class TestBits:
    given = given_at(Date(2022, 2022, 12))
    years = range(2023, 2026)

    def counted(self, order: np.ndarray | None = None, **how):
        """Count with the enterprises in some order or choice."""
        from lyeval.simulation.kernel import count

        one = self.view()
        laid, by = field(self.given, self.years), ways(self.given, self.years)
        put = questions([one], 0.3, 700)
        if order is not None:
            n = len(laid.keys)
            laid = laid._replace(
                **{f: v[order] for f, v in laid._asdict().items() if len(v) == n and f != "first"},
                first=laid.first[order],
            )
            by = by._replace(**{f: v[order] for f, v in by._asdict().items() if len(v) == n})
            put = put._replace(need=put.need[:, :, order], weight=put.weight[:, :, order])
        return count(laid, by, put, **{"draws": 700, "seed": 4, "spread": True, **how})

    def view(self):
        """Ask how many 亩 of all enterprises are below 1 万元/亩, and who tops up."""
        from lyeval.assessment import views

        ledger = as_known(troubled(), self.given.date)
        view = views(ledger, LINSHU, 2024, 2022)[1]
        return ask(self.given, [view] * 3, coin=0.2)

    def test_threads_order_and_subset_change_no_bit(self):
        whole = self.counted()
        for threads in (2, 3):
            for a, b in zip(whole, self.counted(threads=threads), strict=True):
                assert np.array_equal(a, b)
        order = np.random.default_rng(0).permutation(len(self.given.panel.codes))
        mixed = self.counted(order)
        assert np.array_equal(mixed.below, whole.below)
        assert np.array_equal(mixed.hits, whole.hits[:, :, order])
        assert np.array_equal(mixed.bins, whole.bins[order])
        some = self.counted(order[:17])
        assert np.array_equal(some.hits, whole.hits[:, :, order[:17]])
        rest = self.counted(order[17:])
        assert np.array_equal(some.below + rest.below, whole.below)

    def test_a_longer_run_begins_with_the_shorter_one(self):
        whole, head = self.counted(), self.counted(draws=300)
        assert np.array_equal(head.below, whole.below[:, :, :300])
        assert not np.array_equal(self.counted(seed=5).below, whole.below)


class TestOracle:
    def test_odds_agree_with_products_over_200_counties(self):
        apart = []
        for seed in range(200):
            given, one, laid, by = self.case(seed)
            exact, error = conditional_odds(given, one, laid, by)
            wide = replace(given, sampling=Sampling(2048, seed + 1000))
            _, counts = run(wide, [one], range(2024, 2025))
            from lyeval.assessment import meets

            p = meets(one.views[0], statistic(one, counts, 0, 0)).mean()
            both = (p + exact) / 2
            apart.append(abs(p - exact) / np.sqrt(error**2 + max(both * (1 - both), 1e-3) / 2048))
        assert np.mean(np.array(apart) > 3) <= 0.015
        assert np.sqrt(np.mean(np.square(apart))) < 1.25

    def case(self, seed: int):
        """Make a random county with open cases and a random goal."""
        rng = np.random.default_rng(seed)
        n = int(rng.integers(12, 60))
        land, tax, _ = autoregressive(rng, n, 6)
        tax[rng.random(tax.shape) < rng.choice([0.0, 0.05])] = 0.0
        given = setting_of(panel_of(tax, land), Sampling(512, seed), cases=self.cases(rng, n))
        return given, *self.asked(rng, given, land)

    def cases(self, rng: np.random.Generator, n: int) -> list[tuple[int, str, float]]:
        """Put some enterprises under a method, beginning now or later."""
        who = rng.choice(n, int(rng.integers(0, n // 3)), replace=False)
        return [(int(i), str(rng.choice(METHODS)), float(rng.choice([0.0, 5.0]))) for i in sorted(who)]

    def asked(self, rng: np.random.Generator, given: Setting, land: np.ndarray):
        from test_simulation import view

        n, by_land = len(land), bool(rng.random() < 0.5) and "partition" not in given.plan.method
        kind = "share" if by_land or rng.random() < 0.5 else "count"
        side, op = ("below", "le") if rng.random() < 0.5 else ("at_or_above", "ge")
        middle = float(rng.uniform(0.1, 0.9))
        goal = middle if kind == "share" else float(round(middle * n))
        exited = str(rng.choice(["drop", "fail", "pass", "land_stays"]))
        target = view(
            n, goal=goal, kind=kind, side=side, op=op, land=land, line=float(np.exp(rng.normal(0.3, 0.4))), exited=exited,
            weight="land" if by_land else "count", tax=given.panel.tax[:, -1],
        )  # fmt: skip
        one = ask(given, [target])
        shared = replace(given, sampling=Sampling(256, given.sampling.seed)) if by_land else given
        return one, field(shared, range(2024, 2025)), ways(shared, range(2024, 2025))

    def test_many_unequal_members_by_their_saddle_point(self):
        rng = np.random.default_rng(5)
        weight, below = np.exp(rng.normal(0, 0.8, 60)), rng.uniform(0.02, 0.5, (60, 8))
        away = np.where(rng.random((60, 8)) < 0.2, 0.1, 0.0)
        hit, miss = weight * 0.7, -weight * 0.3
        odds, value = _lattice(hit, miss, below, away)
        for limit in (-0.2 * weight.sum(), -0.12 * weight.sum(), 0.0, 0.15 * weight.sum()):
            exact = odds[:, value <= limit].sum(axis=1)
            assert _saddle(hit, miss, below, away, limit) == pytest.approx(exact, rel=0.06, abs=1e-9)

    def test_rare_odds_are_told_where_no_draw_shows_them(self):
        land, tax, _ = autoregressive(np.random.default_rng(1), 40, 6)
        given = setting_of(panel_of(tax, land), Sampling(256, 1))
        from test_simulation import view

        one = ask(given, [view(40, goal=0.0, land=land, tax=tax[:, -1])])
        odds, error = conditional_odds(given, one, field(given, range(2024, 2025)), ways(given, range(2024, 2025)))
        assert 0 < odds < 1e-3
        assert error < odds * 2
