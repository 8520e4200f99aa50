"""Two places on one ruler, and many plans over one place: counted by hand, swapped, bounded, quick."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from build import ledger, years

import lyeval as ly
from lyeval.comparison import Population, burden, newcombe, population, sweep, two_sides, wilson

ROOMY = 5.0


@pytest.fixture(scope="module")
def sides():
    dinghai, linshu = ly.read_ledger("sample:zhoushan-dinghai"), ly.read_ledger("sample:linshu")
    return two_sides((dinghai, "zhoushan-2020", 2020), (linshu, "linshu-2021", 2023), draws=200)


def test_newcombe_as_published() -> None:
    """Newcombe 1998, table II: 56/70 − 48/80."""
    got = newcombe((56, 70), (48, 80))
    assert got == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert math.isnan(wilson(0, 0)[0])


def test_own_rules_are_the_assessment(sides) -> None:
    own = ly.assess(ly.read_ledger("sample:linshu"), ly.load_policy("linshu-2021"), 2023)
    row = sides.rules[(sides.rules["side"] == "b") & (sides.rules["rules"] == "b")].iloc[0]
    assert row["listed"] == own.frame.identified.true.sum()
    assert row["missed"] == (own.targets["status"] == "missed").sum()
    assert list(sides.rules["as_if"]) == [False, True, True, False]
    assert (sides.rules["listed_share"] == sides.rules["listed"] / sides.rules["scope"]).all()


def test_horizons_bound_exits(sides) -> None:
    table = sides.horizons
    assert (table["failed"] <= table["dropped"]).all()
    assert (table["dropped"] <= table["passed"]).all()
    assert (table["low"] < table["dropped"]).all()
    first = table[(table["side"] == "b") & (table["horizon"] == "next")].iloc[0]
    assert (first["year"], first["line"]) == (2021, 1.0)
    both = table[table["side"] == "a"]
    assert both.iloc[0]["dropped"] == both.iloc[1]["dropped"], "a one-year plan ends at its next year"


def test_transitions_count_everyone_once(sides) -> None:
    counts = sides.transitions.groupby("side")["n"].sum()
    assert counts.to_dict() == {"a": 400, "b": 400}
    listed = sides.transitions[sides.transitions["group"] == "listed"].groupby("side")["n"].sum()
    assert listed.to_dict() == dict(zip(sides.about["side"], sides.about["first_list"], strict=True))


def test_demand_and_odds(sides) -> None:
    demand = sides.demand.set_index(["side", "class"])
    assert ((demand["quantile"] > 0) & (demand["quantile"] < 1)).all()
    assert ((demand["lifted"] >= 0) & (demand["lifted"] < 0.6)).all()
    assert (demand.loc["a", "years"] == 1).all()
    assert (demand.loc["b", "years"] == 3).all()
    assert set(zip(sides.odds["side"], sides.odds["rules"], strict=True)) == {
        ("a", "a"),
        ("a", "b"),
        ("b", "a"),
        ("b", "b"),
    }
    known = sides.odds["probability"].dropna().astype(float)
    assert known.between(0, 1).all()


def test_one_basis_claims_and_no_p_value(sides) -> None:
    assert set(sides.basis["line"]) == {1.0, 2.0, 3.0}
    assert set(sides.claims["may"]) == {"yes", "no"}
    assert sides.refused.design == "refused"
    assert "不给 p 值" in sides.refused.sentence()
    assert not [c for c in sides.difference if c.startswith("p_")]
    parts = sides.decomposition
    assert parts.parts["value"].sum() == pytest.approx(parts.value_b - parts.value_a)


def test_doors_name_the_group_door_only_where_groups_are_told(sides) -> None:
    assert sides.doors.loc[sides.doors["door"] == "group_tax", "n"].isna().all()
    rows = [
        *years("A1", {2019: 10, 2020: 40}, 10.0, True),
        *years("A2", {2019: 50, 2020: 20}, 10.0, True),
        *years("A3", {2019: 10, 2020: 40}, 10.0, True),
    ]
    firms = [{"credit_code": c, "name": c, "group": g} for c, g in (("A1", "集团"), ("A2", "集团"), ("A3", ""))]
    made = ledger(enterprises=firms, annual=rows)
    got = two_sides((made, "zhoushan-2020", 2020), (made, "zhoushan-2020", 2020), draws=100)
    doors = got.doors[got.doors["side"] == "a"].set_index("door")["n"]
    assert (doors["more_tax"], doors["group_tax"]) == (2, 1)
    assert got.difference["estimate"].iloc[0] == 0
    assert (got.rules["listed"] == 2).all()


def people(n: int, seed: int = 0) -> Population:
    rng = np.random.default_rng(seed)
    return Population(
        rng.lognormal(0, 1.5, n), rng.lognormal(2.5, 1, n), rng.random(n) < 0.3, np.array(["镇一", "镇二"])[rng.integers(0, 2, n)],
        np.array(["20"] * n), {1: 0.9, 2: 0.8, 3: 0.7, 5: 0.6}, 0.0, 1.5,
    )  # fmt: skip


def test_sweep_by_hand() -> None:
    few = Population(
        np.array([0.5, 1.05, 3.0, 0.0]), np.array([10.0, 20.0, 30.0, 4.0]), np.array([True, False, False, False]),
        np.array(["甲"] * 4), np.array(["20"] * 4), {1: 0.5}, 0.0, 1.0,
    )  # fmt: skip
    got = sweep(few, thresholds=[1.0], floors=[0.0, 5.0], horizons=[1])
    by = got.set_index(["unit", "floor"])
    assert by.loc[("count", 0.0), ["scope", "listed", "near"]].to_list() == [4, 2, 1]
    assert by.loc[("count", 5.0), ["scope", "listed"]].to_list() == [3, 1]
    assert by.loc[("land", 0.0), "listed_share"] == pytest.approx(14 / 64)
    from scipy.stats import norm

    want = norm.cdf((0.5 * math.log(0.5) - 0.0) / math.sqrt(0.75))
    assert by.loc[("count", 0.0), "passes"] == pytest.approx(want)
    assert by.loc[("land", 0.0), "pass_share"] == pytest.approx(want * 10 / 14)


def test_sweep_is_monotone_and_quick() -> None:
    start = time.process_time()
    got = sweep(people(5000), thresholds=np.linspace(0.5, 6.5, 25).tolist())
    assert time.process_time() - start < ROOMY
    assert len(got) == 1000
    alone = got[(got["unit"] == "count") & (got["floor"] == 10) & (got["horizon"] == 2)]
    assert (np.diff(alone["listed"]) >= 0).all()
    line = got[(got["unit"] == "count") & (got["floor"] == 10) & (got["threshold"] == 0.5)].sort_values("horizon")
    assert (np.diff(line["passes"]) > 0).all(), "the longer the wait, the more pass by themselves"


def test_population_and_burden_of_a_ledger() -> None:
    crowd = population(ly.read_ledger("sample:linshu"), "linshu-2021", 2020)
    assert 0.85 < crowd.rho[1] < 1.0
    table = burden(crowd, 1.0, floor=10.0)
    totals = table.groupby("by")["listed"].sum()
    assert totals.nunique() == 1
    listed = crowd.above | (crowd.land >= 10)
    assert totals.iloc[0] == (listed & (crowd.ratio < 1.0)).sum()
    assert table[table["by"] == "size"]["group"].iloc[0] == "0–10"
