from __future__ import annotations

import random

import pytest
from build import ledger, years

from lyeval.ledger.diff import changes, same_place

FIRMS = [{"credit_code": c, "name": f"{c}公司", "township": "甲镇"} for c in "ABC"]


def county(**more):
    """Return three firms over two years, with what is given in place."""
    base = {
        "enterprises": FIRMS,
        "annual": [row for c in "ABC" for row in years(c, {2022: 10.0, 2023: 20.0}, 15.0, above=False, grade="B")],
        "disposals": [{"credit_code": "A", "method": "upgrade", "outcome": "进行中"}],
    }
    return ledger(**(base | more))


def test_nothing_changed():
    made = changes(county(), county())
    assert not made.any
    assert made.figures.empty
    assert made.counts["before"].tolist() == made.counts["after"].tolist() == [3, 3, 3, 1]


def test_who_came_who_left_and_under_which_name():
    firms = [{"credit_code": "A", "name": "新甲公司"}, FIRMS[1], {"credit_code": "D", "name": "C公司"}]
    annual = [row for c in "ABD" for row in years(c, {2022: 10.0, 2023: 20.0}, 15.0, above=False, grade="B")]
    made = changes(county(), county(enterprises=firms, annual=annual))
    assert made.came["credit_code"].tolist() == ["D"]
    assert made.left.to_numpy().tolist() == [["C", "C公司", "甲镇"]]
    assert made.renamed.to_numpy().tolist() == [["A", "A公司", "新甲公司"]]
    assert made.recoded.to_numpy().tolist() == [["C公司", "C", "D"]]


def test_figures_changed_filled_and_cleared():
    annual = [
        *years("A", {2022: 10.0, 2023: 25.5}, 15.0, above=True, grade="B"),
        *years("B", {2022: 10.0 + 1e-12, 2023: None}, 15.0, above=False, grade=None),
        *years("C", {2022: 10.0, 2023: 12.0}, 15.0, above=False, grade="B"),
    ]
    made = changes(county(), county(annual=annual))
    rows = made.figures[["credit_code", "year", "column", "kind", "before", "after", "difference"]]
    told = [tuple(None if v != v else v for v in row) for row in rows.itertuples(index=False, name=None)]
    assert ("A", 2023, "tax_wan", "changed", 20.0, 25.5, 5.5) in told
    assert ("C", 2023, "tax_wan", "changed", 20.0, 12.0, -8.0) in told
    assert ("B", 2023, "tax_wan", "cleared", 20.0, None, None) in told
    assert ("A", 2022, "above_scale", "changed", False, True, None) in told
    assert len(told) == 7
    tax = made.summary[made.summary["column"] == "tax_wan"].iloc[0]
    assert tax[["year", "changed", "filled", "cleared", "before", "after", "difference"]].tolist() == [
        2023, 2, 0, 1, 40.0, 37.5, -2.5
    ]  # fmt: skip
    back = changes(county(annual=annual), county())
    assert set(back.figures["kind"]) == {"changed", "filled"}


def test_disposals_that_moved_on_are_new_or_gone():
    later = [
        {"credit_code": "A", "method": "upgrade", "outcome": "达标", "finished": "2023-05-01"},
        {"credit_code": "B", "method": "rectify", "outcome": "未启动"},
    ]
    made = changes(county(), county(disposals=later))
    rows = made.disposals[["credit_code", "kind", "before", "after", "finished"]].to_numpy().tolist()
    assert rows == [["A", "moved", "进行中", "达标", "2023-05-01"], ["B", "new", None, "未启动", None]]
    assert changes(county(disposals=later), county()).disposals["kind"].tolist() == ["moved", "dropped"]


@pytest.mark.parametrize("seed", range(3))
def test_order_of_rows_changes_nothing(seed):
    rng = random.Random(seed)
    annual = [row for c in "ABC" for row in years(c, {2022: 11.0, 2023: rng.random()}, 15.0, above=False, grade="B")]
    one = changes(county(), county(annual=annual))
    other = changes(county(), county(annual=rng.sample(annual, len(annual)), enterprises=FIRMS[::-1]))
    assert one.figures.equals(other.figures)
    assert one.summary.equals(other.summary)


def test_two_counties_are_not_one_place():
    other = ledger(
        enterprises=[{"credit_code": c} for c in "XYZ"],
        annual=[row for c in "XYZ" for row in years(c, {2022: 1.0}, 2.0, above=True)],
    )
    assert same_place(county(), county())
    assert not same_place(county(), other)
