"""The same enterprises under two plans: hand-counted lists, carried plans, one basis."""

from __future__ import annotations

import pytest
from build import ledger, years

import lyeval as ly
from lyeval.comparison import carry, compare
from lyeval.policy import PolicyError, patch


@pytest.fixture
def county() -> ly.Ledger:
    # tax per mu 0.5, 1.5, 2.5 (above), 0.8, 1.8 (below, 20 mu), 0.4 (below, 5 mu); the same in both years
    rows = []
    for code, tax, land, above in [
        ("A1", 5, 10, True), ("A2", 15, 10, True), ("A3", 25, 10, True),
        ("B1", 16, 20, False), ("B2", 36, 20, False), ("B3", 2, 5, False),
    ]:  # fmt: skip
        rows += years(code, {2022: tax, 2023: tax}, land, above)
    blank = {"contract_completion": None, "completed": None, "production_start": None, "stopped_since": None}
    facts = blank | {"contract_tax_per_mu": None, "listed_by_task_force": None, "statutory_excuse": None}
    facts |= {f"contract_{x}": None for x in ("investment_intensity", "building_density", "plot_ratio")}
    return ledger(
        annual=rows, enterprises=[{"credit_code": c, "name": c, **facts} for c in ("A1", "A2", "A3", "B1", "B2", "B3")]
    )


def test_lists_and_movers_by_hand(county: ly.Ledger) -> None:
    got = compare(county, ["linshu-2021", "zhoushan-2020"], 2023)
    assert list(got.lists["listed"]) == [2, 5]  # Linshu: A1, B1 (B3 below 10 mu); Zhoushan: all below 2
    assert list(got.lists["scope"]) == [5, 6]
    assert list(got.lists["as_if"]) == [False, True]
    assert list(got.movers["credit_code"]) == ["A2", "B2", "B3"]
    assert got.transitions.iloc[0].to_dict() == {
        "a": "linshu-2021", "b": "zhoushan-2020", "both": 2, "a_only": 0, "b_only": 3, "neither": 1,
    }  # fmt: skip


def test_basis_is_the_same_whatever_the_plan(county: ly.Ledger) -> None:
    first = compare(county, ["linshu-2021"], 2023).basis
    assert first.equals(compare(county, ["zhoushan-2020"], 2023).basis)
    row = first[(first["class"] == "all") & (first["line"] == 2.0)].iloc[0]
    assert (row["n"], row["below"], row["land_mu"]) == (6, 5, 75.0)
    assert row["land_share"] == pytest.approx(65 / 75)


def test_a_carried_plan_takes_the_nearest_dated_value() -> None:
    plan = ly.load_policy("linshu-2021")
    assert carry(plan, 2023) is plan
    assert carry(plan, 2020).target("above_scale_clear").years[2020].threshold == 1.0
    assert carry(plan, 2030).target("below_scale_low_land_share").years[2030].value == 0.10


def test_a_patched_plan_stands_beside_its_own(county: ly.Ledger) -> None:
    plan = ly.load_policy("linshu-2021")
    strict = patch(plan, {"identification.lines.above": {2021: 2.0}})
    got = compare(county, [plan, strict], 2023)
    assert list(got.lists["policy"]) == ["linshu-2021#1", "linshu-2021#2"]
    assert list(got.lists["listed"]) == [2, 3]


def test_unknown_names_are_refused(county: ly.Ledger) -> None:
    with pytest.raises(PolicyError, match="did you mean"):
        compare(county, ["linshu-2021"], 2023, readings={"linshu-2020": {}})
    with pytest.raises(PolicyError, match="at least one"):
        compare(county, [], 2023)
