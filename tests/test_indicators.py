"""Facts of an enterprise and statistics of a county, on their own: bounds, three values, what a disposal has come to by a day."""

from __future__ import annotations

import numpy as np
import pytest
from build import ledger, years

from lyeval.assessment import assess
from lyeval.assessment.frame import parcel_ratio
from lyeval.assessment.gaps import gaps
from lyeval.indicators import (
    FACTS,
    Facts,
    Tri,
    book,
    cases,
    count,
    exits,
    mean,
    released_since,
    share,
    year_end,
)
from lyeval.policy import load_policy, patch
from lyeval.tables.rankings import FEWEST, ranking

YES, NO, MAYBE = True, False, None


def tri(*values):
    return Tri(np.array([v is True for v in values]), np.array([v is False for v in values]))


def array(*values):
    return np.array(values, dtype=float)


def test_kleene():
    a, b = tri(YES, YES, YES, NO, NO, MAYBE), tri(YES, NO, MAYBE, NO, MAYBE, MAYBE)
    assert (a & b).objects().tolist() == [True, False, None, False, False, None]
    assert (a | b).objects().tolist() == [True, True, True, False, None, None]
    assert (~b).objects().tolist() == [False, True, None, True, None, None]


def test_the_bounds_of_a_mean_take_each_unknown_at_its_worst_and_add_who_may_belong():
    """Sure: 10/10 and 4/2 to 4; may belong: 30/10 (raises), 1/10 (lowers). By hand: lowest 15/24, highest 44/22."""
    member = tri(YES, YES, MAYBE, MAYBE, NO)
    tax = array(10, 4, 30, 1, 99)
    land = (array(10, np.nan, 10, 10, 1), array(10, 2, 10, 10, 1), array(10, 4, 10, 10, 1))
    got = mean(member, (tax, tax, tax), land)
    assert got.value == pytest.approx(1.0)
    assert (got.low, got.high) == pytest.approx((15 / 24, 44 / 22))
    assert (got.part, got.whole, got.n) == (10, 10, 2)


def test_the_bounds_of_a_mean_take_an_unknown_tax_at_its_lowest_and_highest():
    """Sure: 10/10 and 2 to 8 on 10; may belong: 30 to 40 on 10. By hand: lowest (10 + 2) / 20, highest (10 + 8 + 40) / 30."""
    tax = (array(10, np.nan, np.nan), array(10, 2, 30), array(10, 8, 40))
    land = array(10, 10, 10)
    got = mean(tri(YES, YES, MAYBE), tax, (land, land, land))
    assert (got.value, got.low, got.high) == pytest.approx((1.0, 12 / 20, 58 / 30))


def test_who_may_belong_without_land_moves_no_mean():
    tax, land = array(10, 30), array(10, 0)
    got = mean(tri(YES, MAYBE), (tax, tax, tax), (land, land, land))
    assert (got.value, got.low, got.high) == (1.0, 1.0, 1.0)


def test_an_unknown_weight_of_a_share_is_taken_at_its_lowest_and_highest():
    """A hit of 2 to 8 and a miss of 4 to 10. By hand: lowest 2 / 12, highest 8 / 12."""
    weight, lowest, highest = array(np.nan, np.nan), array(2, 4), array(8, 10)
    got = share(tri(YES, YES), tri(YES, NO), weight, lowest, highest)
    assert (got.value, got.low, got.high) == (None, pytest.approx(2 / 12), pytest.approx(8 / 12))


def test_a_share_over_nobody_for_certain_may_be_anything():
    one = array(1)
    got = share(tri(MAYBE), tri(YES), one, one, one)
    assert (got.value, got.low, got.high) == (None, 0.0, 1.0)


def test_a_mean_that_nothing_bounds_has_no_bounds():
    tax, land = array(10, np.nan), array(10, 10)
    got = mean(tri(YES, MAYBE), (tax, tax, tax), (land, land, land))
    assert (got.value, got.low, got.high) == (1.0, None, None)
    out = mean(tri(YES, NO), (tax, tax, tax), (land, land, land))
    assert (out.low, out.high) == (1.0, 1.0)


def test_the_bounds_of_a_mean_with_none_for_certain():
    tax, land = array(10, 30), array(10, 10)
    got = mean(tri(MAYBE, MAYBE), (tax, tax, tax), (land, land, land))
    assert (got.value, got.low, got.high) == (None, 1.0, 3.0)


def test_the_bounds_of_a_share_and_a_count():
    member, hit = tri(YES, YES, YES, MAYBE), tri(YES, NO, MAYBE, YES)
    weight = array(10, 20, 5, 8)
    got = share(member, hit, weight, weight, weight)
    assert (got.value, got.low, got.high) == pytest.approx((10 / 30, 10 / 35, 23 / 43))
    told = count(member, hit)
    assert (told.value, told.low, told.high, told.n) == (1, 1, 3, 3)


def test_an_unknown_tax_on_a_shared_parcel_is_unknown_for_all_on_it():
    rows = [
        {"credit_code": c, "year": 2023, "tax_wan": t, "land_mu": land, "above_scale": False, "parcel": p}
        for c, t, land, p in (
            ("A", 5.0, 10.0, "P"),
            ("B", None, 10.0, "P"),
            ("C", 5.0, 10.0, "Q"),
            ("D", 15.0, 10.0, "Q"),
            ("E", 7.0, 10.0, None),
            ("F", 7.0, None, "R"),
        )
    ]
    laid = book(ledger(annual=rows))
    tax, land = laid.annual("tax_wan", 2023), laid.annual("land_mu", 2023)
    np.testing.assert_allclose(parcel_ratio(laid, 2023, tax, land), [np.nan, np.nan, 1.0, 1.0, 0.7, np.nan])


@pytest.mark.parametrize(("n", "ranked"), [(FEWEST - 1, False), (FEWEST, True), (10, True)])
def test_a_unit_is_ranked_from_five_listed_firms(n, ranked):
    codes = [f"E{i:02d}" for i in range(n)]
    made = ledger(
        enterprises=[
            {"credit_code": c, "name": c, "township": "甲镇", "public_good": False, "protected_until": None}
            for c in codes
        ],
        annual=[r for c in codes for r in years(c, {2019: 5.0, 2020: 25.0}, 10.0, above=False)],
    )
    row = ranking(assess(made, "zhoushan-2020", 2020)).iloc[0]
    assert (row["listed"], row["reached"]) == (n, n)
    assert np.isnan(row["rank"]) != ranked


def disposed(*rows, land=None):
    made = ledger(
        annual=[r for c in "AB" for r in years(c, {y: 5.0 for y in (2020, 2021, 2022, 2023)}, 30.0, above=False)],
        disposals=[{"credit_code": "A", **row} for row in rows],
    )
    return book(made)


def test_what_a_disposal_has_come_to_by_a_day():
    laid = disposed(
        {
            "outcome": "关停",
            "started": "2022-05-01",
            "due": "2022-12-31",
            "finished": "2023-06-30",
            "written_off": "2023-09-01",
        }
    )
    land = laid.annual("land_mu", 2023)
    before, after = (exits(laid, np.datetime64(d), land) for d in ("2023-06-29", "2023-06-30"))
    assert (before.gone.true.tolist(), after.gone.true.tolist()) == ([False, False], [True, False])
    assert np.isnat(after.written_off).all()
    rows = cases(laid)
    assert rows.open(np.datetime64("2022-04-30")).tolist() == [False]
    assert rows.open(np.datetime64("2022-05-01")).tolist() == [True]
    assert rows.overdue(np.datetime64("2022-12-31")).tolist() == [False]
    assert rows.overdue(np.datetime64("2023-01-01")).tolist() == [True]
    assert rows.done(np.datetime64("2023-06-30")).tolist() == [True]


@pytest.mark.parametrize(
    ("finished", "released", "land", "row_year", "left"),
    [
        ("2021-06-30", 18.0, 12.0, 2023, 12.0),  # a later row is net of it
        ("2023-06-30", 18.0, 12.0, 2023, 12.0),  # the year's own row has fallen by as much
        ("2023-06-30", 18.0, 30.0, 2023, 12.0),  # it has not
        ("2023-06-30", 18.0, 30.0, 2022, 12.0),  # a row from before
        ("2021-06-30", 30.0, 30.0, 2023, 0.0),  # all there was, whatever a row says
        ("2021-06-30", 30.0, 33.0, 2023, 0.0),
        ("2024-06-30", 18.0, 30.0, 2023, 30.0),  # not yet
    ],
)
def test_released_land_is_taken_off_once(finished, released, land, row_year, left):
    laid = disposed({"outcome": "部分收储", "finished": finished, "released_mu": released, "whole": "部分"})
    off = released_since(laid, year_end(2023), array(land, 30.0), np.array([row_year, 2023]))
    assert (array(land, 30.0) - off).tolist() == [left, 30.0]


def facts_of_years(ratios):
    """Return facts of 2023 with the tax per mu of given years; a year that is not named is a hole."""
    made = ledger(annual=[r for y, t in ratios.items() for r in years("A", {y: t * 10}, 10.0, above=False)])
    laid = book(made)
    tax, land = laid.annual("tax_wan", 2023), laid.annual("land_mu", 2023)
    return Facts(laid, 2023, tax, land, tax / land, laid.annual_flag("above_scale", 2023), np.array([1.0]))


@pytest.mark.parametrize(
    ("ratios", "n"),
    [
        ({2021: 0.5, 2022: 0.5, 2023: 0.5}, 3),
        ({2020: 0.5, 2022: 0.5, 2023: 0.5}, None),  # a hole
        ({2022: 0.5, 2023: 0.5}, None),  # the ledger begins too late
        ({2020: 0.5, 2021: 1.5, 2022: 0.5, 2023: 0.5}, 2),
        ({2018: 0.5, 2020: 0.5, 2021: 0.5, 2022: 0.5, 2023: 0.5}, 4),
        ({2022: 0.5, 2023: 1.0}, 0),
    ],
)
def test_three_years_in_a_row_are_held_by_the_ledger(ratios, n):
    got = FACTS["years_below_one"].number(facts_of_years(ratios))
    np.testing.assert_array_equal(got, [np.nan if n is None else n])


@pytest.mark.parametrize(("days", "late"), [(29, True), (30, False), (31, False)])
def test_a_plan_is_late_from_the_day_after_its_term(days, late):
    """Certified on 1 December 2023: thirty days end on 31 December, the last day that the facts know."""
    made = ledger(
        annual=years("A", {2023: 5.0}, 10.0, above=False),
        process=[{"credit_code": "A", "certified": "2023-12-01", "plan_submitted": None}],
    )
    laid, one = book(made), np.array([1.0])
    facts = Facts(laid, 2023, one, one, one, laid.annual_flag("above_scale", 2023), one, plan_days=days)
    assert FACTS["plan_overdue"].flag(facts).objects().tolist() == [late]


def test_minimum_standards_of_the_industry_stand_where_the_contract_is_silent():
    plan = load_policy("linshu-2021")
    with_table = patch(plan, {"minimums": [{"industry": "26", "plot_ratio": 1.0}]})
    held = [("A", "2631", None, 0.8), ("B", "2631", 0.7, 0.8), ("C", "1310", None, 0.2), ("D", "2640", None, None)]
    made = ledger(
        enterprises=[
            {"credit_code": c, "name": c, "industry_code": code, "completed": "2015-01-01", "production_start": "2015-01-01",
             "contract_plot_ratio": asked, "actual_plot_ratio": actual, "contract_investment_intensity": None,
             "contract_building_density": None}
            for c, code, asked, actual in held
        ],
        annual=[r for c, *_ in held for r in years(c, {2022: 50.0, 2023: 50.0}, 10.0, above=False)],
    )  # fmt: skip
    flag = FACTS["below_contract_controls"].flag
    assert flag(assess(made, with_table, 2023).frame.before).objects().tolist() == [True, False, False, None]
    bare = assess(made, plan, 2023)
    assert flag(bare.frame.before).objects().tolist() == [False] * 4
    told = gaps(bare.frame, bare.outcomes).set_index("fact")["n"]
    assert told["industry_minimum"] == 3
    assert "industry_minimum" not in set(assess(made, with_table, 2023).gaps["fact"])


def test_a_location_that_is_not_understood_is_told():
    plan = load_policy("linshu-2021")
    made = ledger(
        enterprises=[
            {"credit_code": c, "name": c, "location": w, "listed_by_task_force": False}
            for c, w in zip("ABC", ("城区", "河东片区", None), strict=True)
        ],
        annual=[r for c in "ABC" for r in years(c, {2022: 5.0, 2023: 5.0}, 10.0, above=False)],
    )
    assert assess(made, plan, 2023).gaps.set_index("fact").loc["location", "n"] == 1


@pytest.mark.parametrize(("n", "told"), [(9, "9/9"), (10, "100.0%")])
def test_a_rate_is_printed_from_ten_listed_firms(n, told):
    from lyeval.report import assessment_tables
    from lyeval.report.cells import Context
    from lyeval.report.sheets import sheet

    towns = {"甲镇": n, "乙镇": 6, "丙镇": 6}
    codes = [(f"{t}{i:02d}", t) for t, k in towns.items() for i in range(k)]
    made = ledger(
        enterprises=[
            {"credit_code": c, "name": c, "township": t, "public_good": False, "protected_until": None}
            for c, t in codes
        ],
        annual=[r for c, _ in codes for r in years(c, {2019: 5.0, 2020: 25.0}, 10.0, above=False)],
    )
    table = sheet(Context(assessment_tables(assess(made, "zhoushan-2020", 2020)), "zh"), "ranking_townships")
    assert table is not None
    assert [row for row in table.rows if "甲镇" in str(row[0]) + str(row[1])]
    assert told in str(next(row for row in table.rows if "甲镇" in str(row)))


def test_an_exclusion_by_a_yearly_column_waits_for_nothing_where_the_ledger_has_it():
    plan = load_policy("linshu-2021")
    graded = patch(plan, {f"exclusions.{plan.exclusions[0].id}.when": {"fact": "grade", "op": "eq", "value": "A"}})
    rows = [
        {**r, "grade": "A" if c == "A" else "B"}
        for c in "AB"
        for r in years(c, {2022: 5.0, 2023: 5.0}, 20.0, above=False)
    ]
    frame = assess(ledger(annual=rows), graded, 2023).frame
    assert "grade" not in frame.unconfirmed("targets")
    assert frame.excluded("targets")[plan.exclusions[0].id].tolist() == [True, False]
