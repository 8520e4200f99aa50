"""Simulation: random numbers, the projection's calibration, disposals, and odds that can be checked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from outlook_county import autoregressive, county, panel_of, with_disposals
from scipy.special import betaincinv, stdtrit
from scipy.stats import binom

import lyeval as ly
from lyeval.assessment import TargetView
from lyeval.simulation.assumed import assumed
from lyeval.simulation.disposals import disposed, given_plan, months_to_finish, open_plan, paces
from lyeval.simulation.draws import ZERO_PRIOR, ZERO_WEIGHT, Sampling, draw_tax, past
from lyeval.simulation.dynamics import Dynamics, Priors, fit, scale_design
from lyeval.simulation.engine import setting
from lyeval.simulation.features import centres, lags, linear, mean_log, static_columns
from lyeval.simulation.known import Date, Panel, as_known
from lyeval.simulation.outlook import Year, members, probability, settled, target_row, values
from lyeval.simulation.philox import code_keys, philox, uniforms
from lyeval.simulation.response import topped_up
from lyeval.simulation.result import left
from lyeval.simulation.swings import scenario_rows, swing_rows

LINSHU = ly.load_policy("linshu-2021")


def view(
    n: int, *, goal: float | None, kind: str = "count", side: str = "below", op: str = "le", **changes
) -> TargetView:
    """Return a target over n firms of 10 亩 on a line of 1 万元/亩."""
    fields = {
        "id": "made", "label": "目标", "label_en": "target", "year": 2024, "clause": "一", "unit": "家", "kind": kind, "side": side,
        "weight": "count", "line": 1.0, "op": op, "goal": goal, "edge_low": False, "exited": "drop",
        "codes": np.array([f"C{i:06d}" for i in range(n)], dtype=object), "member": np.ones(n, dtype=bool),
        "tax": np.full(n, 8.0), "land": np.full(n, 10.0), "gone": np.zeros(n, dtype=bool), "base": 0.0, "n_unknown": 0,
    }  # fmt: skip
    return TargetView(**{**fields, **changes})


def year_of(tax: np.ndarray, **changes) -> Year:
    """Wrap drawn tax, shape (draws, n), as a year in which nothing else happens."""
    shape, n = tax.shape, tax.shape[1]
    no = np.zeros(shape, dtype=bool)
    fields = {
        "year": 2024, "codes": np.array([f"C{i:06d}" for i in range(n)], dtype=object), "tax": tax, "kept": np.ones(shape),
        "reported": np.full(n, 8.0), "gone": no, "closed": no, "banked": no, "demolished": np.zeros(shape), "released": no,
        "floor": np.full(n, -np.inf), "ceiling": np.full(n, np.inf), "in_progress": np.zeros(n, dtype=bool), "final": False,
    }  # fmt: skip
    return Year(**{**fields, **changes})


def row_of(target: TargetView, year: Year) -> dict:
    """Summarise a target on a year's draws."""
    picked = members(target, year)
    return target_row(picked, values(picked))


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
        whole = uniforms(code_keys(codes), 300, year=2023, stream=0, seed=7)
        order = np.random.default_rng(1).permutation(50)
        mixed = uniforms(code_keys([codes[i] for i in order]), 300, year=2023, stream=0, seed=7)
        assert np.array_equal(mixed, whole[:, order])
        alone = uniforms(code_keys(codes[13:14]), 120, year=2023, stream=0, seed=7)
        assert np.array_equal(alone[:, 0], whole[:120, 13])

    def test_uniform_numbers_are_uniform_and_streams_differ(self):
        keys = code_keys(["a", "b"])
        first, second = (uniforms(keys, 20_000, year=2023, stream=s, seed=1) for s in (0, 1))
        assert abs(first.mean() - 0.5) < 0.004
        assert abs(first.var() - 1 / 12) < 0.002
        assert abs(np.corrcoef(first[:, 0], second[:, 0])[0, 1]) < 0.03
        assert first.min() > 0
        assert first.max() < 1


class TestProjection:
    @pytest.mark.parametrize("month", [0, 6])
    def test_intervals_cover_what_they_say_on_a_known_process(self, month):
        inside, total = np.zeros(2), 0
        for seed in range(12):
            land, tax, ytd = autoregressive(np.random.default_rng(seed), 150, 6, month=month)
            history = panel_of(tax[:, :-1], land, ytd=ytd if month else None, month=month)
            drawn = draw_tax(
                fit(history, month, Priors()), history, past(history), year=2023, sampling=Sampling(400, seed)
            )
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
            drawn = draw_tax(
                fit(history, month, Priors()), history, past(history), year=2022, sampling=Sampling(200, 1)
            )
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
        drawn = draw_tax(fit(history, 0, Priors()), history, past(history), year=2024, sampling=Sampling(2000, 1))
        assert abs((drawn[:, tax[:, -1] == 0] == 0).mean() - 0.7) < 0.1
        assert abs((drawn[:, tax[:, -1] > 0] == 0).mean() - 0.05) < 0.02

    def test_negative_tax_keeps_its_sign(self):
        land, tax, _ = autoregressive(np.random.default_rng(2), 200, 5)
        tax[:20, 2:] = -land[:20, None] * 0.3
        history = panel_of(tax, land)
        drawn = draw_tax(fit(history, 0, Priors()), history, past(history), year=2023, sampling=Sampling(1000, 1))
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
        drawn = draw_tax(model, history, past(history), year=2025, sampling=Sampling(300, 1))
        assert np.isfinite(drawn).all()
        assert "persistence" in {n.id for n in model.notes}
        assert model.rows == 0


class TestOdds:
    def test_all_cleared_is_the_product_of_the_firms_odds(self):
        rng = np.random.default_rng(0)
        tax = np.where(rng.random((20_000, 50)) < 0.98, 12.0, 8.0)
        target, year = view(50, goal=0.0), year_of(tax)
        row = row_of(target, year)
        assert abs(row["probability"] - 0.98**50) < 4 * row["mc_error"]
        assert row["mc_error"] == pytest.approx(np.sqrt(row["probability"] * (1 - row["probability"]) / 20_000))
        assert row["p50"] == 1.0
        assert row["certain"] is None

    def test_a_share_is_met_as_often_as_the_binomial_says(self):
        rng = np.random.default_rng(1)
        tax = np.where(rng.random((20_000, 30)) < 0.8, 12.0, 8.0)
        target, year = view(30, goal=0.8, kind="share", side="at_or_above", op="ge"), year_of(tax)
        row = row_of(target, year)
        assert abs(row["probability"] - binom.sf(23, 30, 0.8)) < 4 * row["mc_error"]

    def test_certainty_comes_from_the_books_alone(self):
        tax, target = np.full((200, 4), 12.0), view(4, goal=1.0)
        lucky = row_of(target, year_of(tax))
        assert lucky["certain"] is None
        assert lucky["probability"] == probability(200, 200)
        booked = year_of(tax, floor=np.full(4, 10.0))
        row = row_of(target, booked)
        assert (row["probability"], row["mc_error"], row["certain"]) == (1.0, 0.0, "met")
        low = np.array([9.0, 9.0, 9.0, np.inf])
        assert settled(target, year_of(tax, ceiling=low)) == "missed"
        assert settled(view(4, goal=1.0, n_unknown=1), booked) is None

    def test_a_verdict_that_one_firm_could_turn_is_not_certain(self):
        tax = np.full((200, 4), 12.0)
        assert settled(view(4, goal=0.0), year_of(tax, floor=np.full(4, 10.0))) is None
        one_low = np.array([9.0, np.inf, np.inf, np.inf])
        assert settled(view(4, goal=0.0), year_of(tax, ceiling=one_low)) is None

    def test_no_goal_and_no_member_give_a_note_and_no_nan(self):
        year = year_of(np.full((150, 3), 12.0))
        without = view(3, goal=None)
        row = row_of(without, year)
        assert row["probability"] is None
        assert row["note"].startswith("目标值未知")
        nobody = view(3, goal=0.8, kind="share", member=np.zeros(3, dtype=bool))
        row = row_of(nobody, year)
        assert (row["probability"], row["p50"]) == (None, None)
        assert row["note_en"].startswith("nobody")

    def test_response_moves_those_near_the_line_and_no_others(self):
        tax = np.tile([8.0, 6.9, 12.0], (4000, 1))
        target, year = view(3, goal=1.0), year_of(tax)
        rows = scenario_rows(members(target, year), [(0.0, "assumed"), (0.35, "assumed")], seed=1, band=0.3)
        assert rows[0]["probability"] == probability(0, 4000)
        assert abs(rows[1]["probability"] - 0.35) < 4 * rows[1]["mc_error"]

    def test_a_heap_above_the_line_tells_who_topped_up(self):
        rng = np.random.default_rng(3)
        ratio = np.exp(rng.normal(0.0, 1.5, 6000))
        moved = (ratio < 1) & (ratio >= 0.7) & (rng.random(6000) < 0.3)
        plain, heaped = (
            view(6000, goal=0.0, tax=np.where(moved & heap, 1.02, ratio) * 10, land=np.full(6000, 10.0))
            for heap in (False, True)
        )
        assert topped_up([heaped], 0.3) == pytest.approx(0.3, abs=0.06)
        assert topped_up([plain], 0.3) < 0.06
        assert topped_up([view(10, goal=0.0)], 0.3) is None

    def test_members_are_split_into_sure_and_open(self):
        rng = np.random.default_rng(4)
        tax = np.column_stack(
            [np.where(rng.random((2000, 2)) < 0.5, 12.0, 8.0), np.full((2000, 3), 12.0), np.full(2000, 5.0)]
        )
        case = np.array([True, False, True, False, False, False])
        row = row_of(view(6, goal=0.0), year_of(tax, in_progress=case))
        assert [row[name] for name in ("sure_below", "sure_reach", "open", "open_cases")] == [1, 3, 2, 1]

    def test_swing_finds_the_firm_that_decides(self):
        rng = np.random.default_rng(4)
        tax = np.column_stack(
            [np.where(rng.random(4000) < 0.5, 12.0, 8.0), np.full(4000, 12.0), rng.uniform(10.5, 20, 4000)]
        )
        target, year = view(3, goal=0.0), year_of(tax)
        rows = swing_rows(members(target, year), values(members(target, year)))
        assert [r["credit_code"] for r in rows] == ["C000000"]
        assert rows[0]["swing"] == 1.0

    def test_an_exactly_reached_line_counts_by_the_reading(self):
        year = year_of(np.full((150, 2), 10.0))
        for low, number in ((False, 0.0), (True, 2.0)):
            target = view(2, goal=0.0, edge_low=low)
            assert np.all(values(members(target, year)) == number)


class TestOracle:
    """Given the common shock, enterprises are independent: odds by products, against odds by draws."""

    @pytest.mark.parametrize("seed", range(6))
    def test_odds_that_all_reach_agree_with_the_conditional_product(self, seed):
        rng = np.random.default_rng(seed)
        land, tax, _ = autoregressive(rng, 25, 6)
        tax *= np.exp(rng.uniform(1.2, 2.2))
        history = panel_of(tax, land)
        model = fit(history, 0, Priors())
        model = replace(model, root=np.zeros_like(model.root))
        n = 40_000
        drawn = draw_tax(model, history, past(history), year=2024, sampling=Sampling(n, seed))
        cleared = (drawn >= land).all(axis=1).mean()
        expected = self.product(model, history, land)
        assert abs(cleared - expected) < 3.5 * np.sqrt(max(expected * (1 - expected), 1e-4) / n) + 0.002

    def product(self, model: Dynamics, history: Panel, land: np.ndarray) -> float:
        """Mean over the shock's quantiles of Π P(log tax + size × residual ≥ log land) × (1 − odds of silence)."""
        before = past(history)
        frame = lags(before.last, mean_log(before.log_sum, before.log_count), None, centres(history, model.centre))
        frame = replace(frame, static=static_columns(history, model.covariates, -1), centre=model.centre)
        middle = linear(frame, model.names, model.coef[None, :])[0]
        size = np.exp(np.clip(scale_design(frame) @ model.scale_coef, *model.scale_range))
        shocks = stdtrit(model.shock_df, (np.arange(400) + 0.5) / 400) * model.shock_sd
        need = (np.log(land) - middle - shocks[:, None]) / size
        alive = 1 - np.searchsorted(model.residuals, need, side="left") / len(model.residuals)
        a, b = (
            ZERO_WEIGHT * ZERO_PRIOR[0, 0] + model.cells[0, 0, 1],
            ZERO_WEIGHT * (1 - ZERO_PRIOR[0, 0]) + model.cells[0, 0, 0],
        )
        silent = betaincinv(a, b, (np.arange(400) + 0.5) / 400)
        return float(alive.prod(axis=1).mean() * ((1 - silent) ** len(land)).mean())


class TestDisposals:
    taken = assumed("default")
    date = Date(2023, 2023, 12)

    def test_cases_end_as_fast_as_their_hazard(self):
        ledger = with_disposals(county(40), [(i, "upgrade", "2023-12-31", None, "进行中") for i in range(40)])
        plan, notes = open_plan(ledger, self.taken.practices)
        assert notes == ()
        pace = paces(ledger, self.date, self.taken.practices)
        months = months_to_finish(plan, np.array(ledger.enterprises["credit_code"]), pace, Sampling(4000, 1), 2023)
        done = disposed(plan, months, self.date, 2024).done.mean()
        events, exposure = pace["upgrade"].monthly
        expected = 1 - (exposure / (exposure + 12)) ** events
        assert abs(done - expected) < 0.01
        assert disposed(plan, months, self.date, 2028).done.mean() > done

    def test_the_ledgers_own_cases_move_the_pace(self):
        rows = [(i, "upgrade", "2022-01-01", "2022-03-01", "达标") for i in range(20)]
        quick = paces(with_disposals(county(40), rows), self.date, self.taken.practices)["upgrade"].monthly
        rows = [(i, "upgrade", "2021-01-01", None, "进行中") for i in range(20)]
        slow = paces(with_disposals(county(40), rows), self.date, self.taken.practices)["upgrade"].monthly
        assert quick[0] / quick[1] > 2 * slow[0] / slow[1]

    def test_a_known_effect_is_recovered_against_the_projection(self):
        found = []
        for seed in range(12):
            ledger = county(150, range(2017, 2024), seed=seed, noise=0.25)
            lifted = ledger.enterprises["credit_code"].iloc[:40]
            after = ledger.annual["credit_code"].isin(lifted) & (ledger.annual["year"] >= 2021)
            annual = ledger.annual.assign(
                tax_wan=ledger.annual["tax_wan"].where(~after, ledger.annual["tax_wan"] * np.exp(0.5))
            )
            cases = [(i, "upgrade", "2020-06-01", "2021-01-01", "达标") for i in range(40)]
            given = setting(
                with_disposals(replace(ledger, annual=annual), cases), self.date, None, self.taken, Sampling(100, 1)
            )
            found.append((*given.annual.effects["upgrade"], *given.assumed.practices["upgrade"].effect))
        estimate, error, mean, sd = np.array(found).T
        assert abs(estimate.mean() - 0.5) < 0.06
        assert np.mean(np.abs(estimate - 0.5) < 1.645 * error) >= 0.75
        assert np.all(sd < 0.35)
        assert np.all((mean - 0.25) * (estimate - mean) >= 0)

    def test_a_plan_that_names_what_is_not_there_is_refused(self):
        ledger, practices = county(5), self.taken.practices
        code = ledger.enterprises["credit_code"].iloc[0]
        with pytest.raises(ValueError, match="not in the ledger"):
            given_plan(pd.DataFrame({"credit_code": ["X"], "method": ["upgrade"]}), ledger, self.date, practices)
        with pytest.raises(ValueError, match="methods must be among"):
            given_plan(pd.DataFrame({"credit_code": [code], "method": ["magic"]}), ledger, self.date, practices)
        with pytest.raises(ValueError, match="stand twice"):
            given_plan(
                pd.DataFrame({"credit_code": [code] * 2, "method": ["upgrade"] * 2}), ledger, self.date, practices
            )
        with pytest.raises(ValueError, match="lacks the columns"):
            given_plan(pd.DataFrame({"credit_code": [code]}), ledger, self.date, practices)

    def test_closing_empties_a_class_and_upgrading_lifts_tax(self):
        ledger = county(60, seed=1)
        assessed = ly.assess(ledger, LINSHU, 2023)
        low = assessed.enterprises.query("`class` == 'above' and tax_per_mu < 2")["credit_code"]
        plans = {
            m: pd.DataFrame({"credit_code": low, "method": m, "started": "2023-12-01"})
            for m in ("shut_down", "upgrade")
        }
        nothing = ly.simulate(assessed, draws=500).targets.set_index("id").loc["above_scale_clear"]
        closing, lifting = (
            ly.simulate(assessed, plans[m], draws=500).targets.set_index("id").loc["above_scale_clear"] for m in plans
        )
        assert closing["p50"] < nothing["p50"]
        assert lifting["p50"] <= nothing["p50"]
        assert closing["p50"] < lifting["p50"]


class TestSimulate:
    def test_tables_hold_the_promised_columns_and_no_nan(self):
        made = ly.simulate(ly.assess(county(), LINSHU, 2023), years=2, draws=300)
        head = ["id", "year", "probability", "mc_error", "p05", "p50", "p95"]
        assert set(head) <= set(made.targets)
        assert sorted(set(made.targets["year"])) == [2024, 2025]
        assert {"credit_code", "year", "probability", "p05", "p50", "p95"} <= set(made.enterprises)
        assert not made.enterprises.isna().any().any()
        assert not made.targets[["probability", "p50"]].isna().any().any()
        assert set(made.scenarios.query("basis == 'assumed'")["response"]) == {0.0, 0.15, 0.35}
        assert repr(made).startswith("<Simulation linshu-2021 as of 2023-12, 300 draws, seed 0>")
        assert set(made.tidy()["quantity"]) == {"probability", "mc_error", "goal", "p05", "p50", "p95"}

    def test_same_seed_same_result_other_seed_near(self):
        assessed = ly.assess(county(), LINSHU, 2023)
        first, again = (ly.simulate(assessed, draws=400, seed=5) for _ in range(2))
        pd.testing.assert_frame_equal(first.targets, again.targets)
        pd.testing.assert_frame_equal(first.enterprises, again.enterprises)
        other = ly.simulate(assessed, draws=400, seed=6)
        assert not np.array_equal(first.enterprises["probability"], other.enterprises["probability"])
        assert np.abs(first.enterprises["probability"] - other.enterprises["probability"]).max() < 0.15

    def test_a_year_without_a_target_is_carried_over_and_says_so(self):
        made = ly.simulate(ly.assess(county(), ly.load_policy("zhoushan-2020"), 2020), draws=200)
        assert set(made.targets["year"]) == {2021}
        assert "as_if" in {n.id for n in made.notes}

    @pytest.mark.parametrize(("draws", "years"), [(10, 1), (500, 0), (500, 9)])
    def test_useless_numbers_are_refused(self, draws, years):
        with pytest.raises(ValueError, match="must be"):
            ly.simulate(ly.assess(county(5), LINSHU, 2023), draws=draws, years=years)

    def test_knowledge_is_cut_off_at_the_date(self):
        ledger = with_disposals(
            county(20),
            [(0, "upgrade", "2023-02-01", "2023-11-01", "达标"), (1, "shut_down", "2023-12-01", None, "进行中")],
        )
        known = as_known(ledger, Date(2022, 2023, 10))
        assert known.annual["year"].max() == 2022
        assert (known.monthly["year"] * 100 + known.monthly["month"]).max() == 202310
        assert list(known.disposals["outcome"]) == ["进行中"]
        assert known.disposals["finished"].isna().all()


class TestLeft:
    def test_the_numbers_left_are_those_of_independent_firms(self):
        rng = np.random.default_rng(0)
        tax = np.where(rng.random((20_000, 50)) < 0.98, 12.0, 8.0)
        target = view(50, goal=0.0)
        found = left([target], [values(members(target, year_of(tax)))]).set_index("left")["probability"]
        assert found.sum() == pytest.approx(1.0)
        assert list(found.index) == sorted(found.index)
        for number in range(4):
            assert found[number] == pytest.approx(binom.pmf(number, 50, 0.02), abs=0.012)

    def test_all_at_the_line_is_the_odds_of_clearing_all(self):
        told = ly.forecast(county(60, level=1.5), LINSHU, 2023, as_of="2023-06", draws=400)
        row = told.targets.set_index("id").loc["above_scale_clear"]
        mine = told.left.query("id == 'above_scale_clear'").set_index("left")["probability"]
        assert (mine.get(0, 0.0) * 400 + 0.5) / 401 == pytest.approx(row["probability"])
        assert mine.sum() == pytest.approx(1.0)

    def test_shares_have_no_number_left(self):
        target = view(5, goal=0.2, kind="share")
        assert left([target], [values(members(target, year_of(np.full((10, 5), 8.0))))]).empty
