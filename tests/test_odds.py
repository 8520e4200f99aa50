"""Odds that can be checked by hand: products of independent firms, certainty from the books, who decides a target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from outlook_county import autoregressive, county, drawn_tax, panel_of
from scipy.special import betaincinv, stdtrit
from scipy.stats import binom

import lyeval as ly
from lyeval.assessment import TargetView
from lyeval.simulation.draws import ZERO_PRIOR, ZERO_WEIGHT, Sampling, past
from lyeval.simulation.dynamics import Dynamics, Priors, centres, fit, lags, linear, residual_size
from lyeval.simulation.engine import Year
from lyeval.simulation.known import Panel
from lyeval.simulation.odds import (
    left,
    members,
    probability,
    scenario_rows,
    settled,
    swing_rows,
    target_row,
    values,
)

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
        assert row["note_en"].startswith("no firm belongs")

    def test_response_moves_those_near_the_line_and_no_others(self):
        tax = np.tile([8.0, 6.9, 12.0], (4000, 1))
        target, year = view(3, goal=1.0), year_of(tax)
        drawn = members(target, year)
        rows = scenario_rows(drawn, values(drawn), [(0.0, "assumed"), (0.35, "assumed")], seed=1, band=0.3)
        assert rows[0]["probability"] == probability(0, 4000)
        assert abs(rows[1]["probability"] - 0.35) < 4 * rows[1]["mc_error"]

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
        drawn = drawn_tax(model, history, 2024, Sampling(n, seed))
        cleared = (drawn >= land).all(axis=1).mean()
        expected = self.product(model, history, land)
        assert abs(cleared - expected) < 3.5 * np.sqrt(max(expected * (1 - expected), 1e-4) / n) + 0.002

    def product(self, model: Dynamics, history: Panel, land: np.ndarray) -> float:
        """Mean over the shock's quantiles of Π P(log tax + size × residual ≥ log land) × (1 − odds of silence)."""
        before = past(history)
        frame = (
            lags(before.last, (before.log_sum, before.log_count), None, centres(history.land[:, -1], model.centre))
            | model.static
        )
        middle = linear(frame, model.names, model.coef[None, :], model.centre)[0]
        size = residual_size(model, frame)
        shocks = stdtrit(model.shock_df, (np.arange(400) + 0.5) / 400) * model.shock_sd
        need = (np.log(land) - middle - shocks[:, None]) / size
        alive = 1 - np.searchsorted(model.residuals, need, side="left") / len(model.residuals)
        a, b = (
            ZERO_WEIGHT * ZERO_PRIOR[0, 0] + model.cells[0, 0, 1],
            ZERO_WEIGHT * (1 - ZERO_PRIOR[0, 0]) + model.cells[0, 0, 0],
        )
        silent = betaincinv(a, b, (np.arange(400) + 0.5) / 400)
        return float(alive.prod(axis=1).mean() * ((1 - silent) ** len(land)).mean())


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
