"""The same enterprises under two plans: hand-counted lists, carried plans, one basis."""

from __future__ import annotations

import numpy as np
import pytest
from build import ledger, years

import lyeval as ly
from lyeval.comparison import Place, borrow, by_year_and_reading, carry, compare, counted, decompose
from lyeval.indicators import Tri
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
        "a": "linshu-2021", "b": "zhoushan-2020", "both": 2, "a_only": 0, "b_only": 3, "neither": 1, "undecided": 0,
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


def two_classes(taxes: dict[str, tuple[float, float]]) -> ly.Ledger:
    """A Zhoushan ledger of 10 mu firms: tax per mu in 2019 and 2020 by code; codes with A are above scale."""
    rows = []
    for code, (before, now) in taxes.items():
        rows += years(code, {2019: 10 * before, 2020: 10 * now}, 10.0, code.startswith("A"))
    return ledger(annual=rows)


def test_the_same_place_has_no_gap_and_every_part_is_zero() -> None:
    place = two_classes({"A1": (1.2, 2.5), "A2": (1.2, 1.0), "B1": (0.7, 2.1), "B2": (0.7, 0.6)})
    got = decompose(place, "zhoushan-2020", 2020, place, "zhoushan-2020", 2020, draws=20)
    assert got.value_a == got.value_b == 0.5
    assert list(got.parts["value"]) == [0.0, 0.0, 0.0, 0.0]
    assert got.uncovered == (0.0, 0.0)


def test_parts_by_hand_where_only_the_distribution_differs() -> None:
    # cell 1.0–1.5 reaches in full, cell 0.5–1.0 not at all, in both places; a has 1 + 3, b has 3 + 1
    a = two_classes({"A1": (1.2, 3.0), "A2": (0.7, 0.7), "A3": (0.7, 0.7), "A4": (0.7, 0.7)})
    b = two_classes({"A1": (1.2, 3.0), "A2": (1.2, 3.0), "A3": (1.2, 3.0), "A4": (0.7, 0.7)})
    got = decompose(a, "zhoushan-2020", 2020, b, "zhoushan-2020", 2020, draws=50)
    assert (got.value_a, got.value_b) == (0.25, 0.75)
    assert dict(zip(got.parts["part"], got.parts["value"], strict=True)) == pytest.approx(
        {"rules": 0.0, "readings": 0.0, "enterprises": 0.5, "remainder": 0.0}
    )


def test_parts_by_hand_where_only_conduct_differs() -> None:
    a = two_classes({"A1": (1.2, 1.0), "A2": (1.2, 1.0), "A3": (1.2, 1.0), "A4": (1.2, 3.0)})
    b = two_classes({"A1": (1.2, 3.0), "A2": (1.2, 3.0), "A3": (1.2, 1.0), "A4": (1.2, 3.0)})
    got = decompose(a, "zhoushan-2020", 2020, b, "zhoushan-2020", 2020, draws=50)
    assert got.parts.set_index("part")["value"].to_dict() == pytest.approx(
        {"rules": 0.0, "readings": 0.0, "enterprises": 0.0, "remainder": 0.5}
    )
    assert got.parts["low"].isna().tolist() == [False, False, False, True]


def test_parts_add_up_and_row_order_does_not_matter() -> None:
    a, b = ly.read_ledger("sample:zhoushan-dinghai"), ly.read_ledger("sample:linshu")
    got = decompose(a, "zhoushan-2020", 2020, b, "linshu-2021", 2023, draws=20, seed=3)
    assert got.parts["value"].sum() == pytest.approx(got.value_b - got.value_a, abs=1e-12)
    again = decompose(a, "zhoushan-2020", 2020, b, "linshu-2021", 2023, draws=20, seed=3)
    assert repr(got) == repr(again)


def test_a_place_where_nobody_is_listed_is_refused() -> None:
    rich = two_classes({"A1": (9.0, 9.0)})
    poor = two_classes({"A1": (1.0, 1.0)})
    with pytest.raises(PolicyError, match="nobody is listed"):
        decompose(rich, "zhoushan-2020", 2020, poor, "zhoushan-2020", 2020)


def test_several_readings_and_years_by_hand(county: ly.Ledger) -> None:
    got = compare(county, ["zhoushan-2020"], [2023, 2024], readings={"zhoushan-2020": [{}, {"class": "evaluation"}]})
    names = [
        "zhoushan-2020@2023",
        "zhoushan-2020@2024",
        "zhoushan-2020/class=evaluation@2023",
        "zhoushan-2020/class=evaluation@2024",
    ]
    assert list(got.lists["policy"]) == names
    assert list(got.lists["listed"]) == [5, 5, 5, 5]
    assert len(got.transitions) == 6
    alone = compare(county, ["zhoushan-2020"], 2023)
    assert list(alone.lists["policy"]) == ["zhoushan-2020"]


PLANS = ("zhoushan-2020", "linshu-2021")
READINGS = [
    (name, reading.id, option.id)
    for name in PLANS
    for reading in ly.load_policy(name).readings
    for option in reading.options
]


@pytest.mark.parametrize(("name", "switch", "option"), READINGS)
def test_every_reading_of_both_plans_runs_through(county: ly.Ledger, name: str, switch: str, option: str) -> None:
    """A reading is its plan's: swapped in, the other plan stands under its own or its defaults."""
    got = compare(county, PLANS, [2023, 2024], readings={name: {switch: option}})
    assert len(got.lists) == 4
    place = two_classes({"A1": (1.2, 2.5), "A2": (1.2, 1.0), "B1": (0.7, 2.1), "B2": (0.7, 0.6)})
    other = PLANS[1 - PLANS.index(name)]
    split = decompose(place, name, 2020, place, other, 2020, readings=({switch: option}, {}), draws=2)
    assert split.parts["value"].sum() == pytest.approx(split.value_b - split.value_a)
    default = ly.load_policy(name).reading(switch).default
    assert bool(split.parts.set_index("part").loc["readings", "constructed"]) == (option == default)


def test_readings_of_one_name_in_two_plans_are_two() -> None:
    place = two_classes({"A1": (1.2, 2.0), "A2": (1.2, 1.0), "B1": (0.7, 2.1), "B2": (0.7, 1.0)})
    low = decompose(place, "zhoushan-2020", 2020, place, "linshu-2021", 2020, readings=({}, {"edge": "low"}), draws=2)
    strict = decompose(
        place, "zhoushan-2020", 2020, place, "linshu-2021", 2020, readings=({"edge": "fails"}, {}), draws=2
    )
    assert low.value_a != strict.value_a  # A1 stands on Zhoushan's line: its own reading moves it, Linshu's does not
    with pytest.raises(PolicyError, match="edge"):
        ly.as_if(place, "zhoushan-2020", 2020, readings={"edge": "low"})


def test_the_edge_reading_decides_who_is_on_the_line() -> None:
    place = two_classes({"A1": (0.5, 1.0)})
    assert ly.as_if(place, "linshu-2021", 2020).frame.below(np.array([1.0])).false.all()
    assert ly.as_if(place, "linshu-2021", 2020, readings={"edge": "low"}).frame.below(np.array([1.0])).true.all()


def test_undecided_give_bounds_and_the_tax_criterion_alone_has_none() -> None:
    place = two_classes({"A1": (0.5, 2.5), "A2": (1.2, 1.0), "B1": (0.7, 2.1), "B2": (3.0, 3.0)})
    row = compare(place, ["linshu-2021"], 2020).lists.iloc[0]
    assert (row["scope"], row["listed"], row["listed_undecided"]) == (4, 2, 2)
    assert (row["listed_low"], row["listed_share"], row["listed_high"]) == (0.5, 0.5, 1.0)
    assert (row["tax_listed"], row["tax_undecided"], row["tax_low"], row["tax_high"]) == (2, 0, 0.5, 0.5)


def test_bounds_by_hand_where_scope_is_open_too() -> None:
    scope = Tri(np.array([1, 1, 1, 0, 0], dtype=bool), np.array([0, 0, 0, 0, 1], dtype=bool))  # the fourth is open
    chosen = Tri(
        np.array([1, 0, 0, 0, 0], dtype=bool), np.array([0, 1, 0, 0, 1], dtype=bool)
    )  # third and fourth are open
    got = counted(chosen, scope)
    assert (got.n, got.open) == (1, 2)
    assert (got.low, got.share, got.high) == pytest.approx((1 / 4, 1 / 3, 3 / 4))


def test_a_hybrid_borrows_an_element(county: ly.Ledger) -> None:
    linshu, zhoushan = (ly.load_policy(name) for name in reversed(PLANS))
    hybrid = borrow(linshu, zhoushan, "line")
    assert hybrid.identification.lines.above == {2020: 2.0}
    assert hybrid.identification.criteria == linshu.identification.criteria
    assert compare(county, [hybrid], 2023).lists["listed"].tolist() == [4]  # A1, A2, B1 and B2; B3 is below 10 mu
    with pytest.raises(PolicyError, match="did you mean"):
        borrow(linshu, zhoushan, "lines")


def test_years_readings_and_tax_alone_of_a_decomposition() -> None:
    place = two_classes({"A1": (1.2, 2.5), "A2": (1.2, 1.0), "B1": (0.7, 2.1), "B2": (0.7, 0.6)})
    a, b = (Place(place, ly.load_policy(name), 2020) for name in PLANS)
    got = by_year_and_reading(a, b)
    assert set(got["case"]) == {"year", "tax_alone", "reading"}
    options = [o for p in (a, b) for r in p.policy.readings for o in r.options if o.id != r.default and o.set]
    assert (got["case"] == "reading").sum() == len(options)
    parts = got[["rules", "readings", "enterprises", "remainder"]].sum(axis=1)
    assert parts.tolist() == pytest.approx((got["value_b"] - got["value_a"]).tolist())
