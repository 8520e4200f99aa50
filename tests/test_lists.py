from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest
from build import ledger, years
from county import county

from lyeval.assessment import assess
from lyeval.assessment.needs import office_of
from lyeval.indicators import FACTS
from lyeval.ledger import read_ledger
from lyeval.policy import load_policy, patch
from lyeval.tables import duties, rankings, rosters
from lyeval.tables.casework import WHERE, clause, register_of
from lyeval.tables.consequences import consequences
from lyeval.tables.verdict import enterprises

LINSHU, ZHOUSHAN = load_policy("linshu-2021"), load_policy("zhoushan-2020")
BLANK = ["contract_completion", "completed", "production_start", "stopped_since", "statutory_excuse", "contract_tax_per_mu",
         "contract_investment_intensity", "contract_building_density", "contract_plot_ratio", "listed_by_task_force",
         "exempt_industry", "public_good", "protected_until"]  # fmt: skip


def firms(towns: dict[str, str]) -> list[dict]:
    """Return enterprises by code and township, with every column that a criterion asks for."""
    return [
        {"credit_code": c, "name": f"{c}厂", "township": t, "park": "否", **dict.fromkeys(BLANK)}
        for c, t in towns.items()
    ]


def small():
    """Return seven firms of 2021–2023 with 10 亩 each: reached, missed, closed, fallen again, never listed …"""
    tax = {
        "A": (5, 5, 12), "B": (5, 5, 6), "C": (5, 5, None), "D": (5, 20, 4), "E": (50, 50, 50), "F": (5, 6, 7), "G": (5, 15, 8),
    }  # fmt: skip
    return ledger(
        enterprises=firms({"A": "甲镇", "B": "甲镇", "C": "甲镇", "D": "乙镇", "E": "乙镇", "F": "乙镇", "G": "乙镇"}),
        annual=[
            row
            for c, t in tax.items()
            for row in years(c, dict(zip((2021, 2022, 2023), t, strict=True)), 10.0, above=c == "E", operating_normally=c == "F")
        ],
        disposals=[
            {"credit_code": "A", "method": "upgrade", "outcome": "达标", "started": "2023-02-01", "finished": "2023-11-01",
             "upgraded": True},
            {"credit_code": "B", "method": "rectify", "outcome": "进行中", "started": "2023-02-01", "due": "2023-08-31",
             "difficulty": "资金紧张", "next_step": "签订协议", "responsible": "甲镇政府"},
            {"credit_code": "C", "method": "shut_down", "outcome": "关停", "started": "2023-01-05", "finished": "2023-06-30",
             "demolished_m2": 120.0},
            {"credit_code": "D", "method": "upgrade", "outcome": "达标", "started": "2022-02-01", "finished": "2022-12-01",
             "written_off": "2022-12-20"},
        ],
        process=[
            {"credit_code": "A", "notified": "2023-01-05", "statement": None, "certified": "2023-01-25", "published": "2023-02-01",
             "plan_submitted": "2023-02-10", "plan_approved": "2023-02-20", "first_accept": None},
            {"credit_code": "B", "notified": "2023-03-01", "statement": None},
        ],
        issues=[
            {"credit_code": "B", "department": "县应急管理局", "matter": "安全生产", "found": "2023-05-01", "due": "2023-06-30",
             "rectified": None, "accepted": None},
            {"credit_code": "F", "department": "县消防大队", "matter": "消防", "found": "2023-05-01", "due": "2023-06-30",
             "rectified": "2023-06-01", "accepted": None},
            {"credit_code": "A", "department": "县消防大队", "matter": "消防", "found": "2024-05-01", "due": "2024-06-30"},
        ],
        papers=[{"credit_code": "B", "paper": "限期整改计划报告书", "received": "2023-03-05"},
                {"credit_code": "B", "paper": "工业用地基本情况", "received": "2024-03-05"}],
    )  # fmt: skip


@pytest.fixture(scope="module")
def made():
    return assess(small(), LINSHU, 2023)


def codes(table: pd.DataFrame) -> list[str]:
    return table["credit_code"].tolist()


def test_reached_and_missed(made):
    assert codes(rosters.reached(made)) == ["A"]
    row = rosters.reached(made).iloc[0]
    assert (row["label"], row["outcome"], bool(row["cleared"]), row["clause"]) == ("帮扶提升", "达标", True, "一(三)")
    table = rosters.missed(made).set_index("credit_code")
    assert table.index.tolist() == ["B", "F"]
    assert table.loc["B", ["tax_needed_wan", "difficulty", "next_step", "responsible", "overdue"]].tolist() == [
        4.0, "资金紧张", "签订协议", "甲镇政府", True
    ]  # fmt: skip
    assert table.loc["F", "responsible"] == "乙镇"
    assert rosters.undecided(made).empty


def test_who_left_in_the_year(made):
    assert rosters.closed(made)[["credit_code", "outcome", "demolished_m2"]].to_numpy().tolist() == [
        ["C", "关停", 120.0]
    ]
    table = rosters.demolished(made)
    assert table["demolished_on"].tolist() == [pd.Timestamp("2023-06-30")]
    assert rosters.banked(made).empty
    assert rosters.closed(made, "2023-05-31").empty


def test_relapses_name_their_ground(made):
    table = rosters.relapsed(made).set_index("credit_code")
    assert table.index.tolist() == ["D", "G"]
    assert table["basis"].tolist() == ["passed", "above"]
    assert not table["same_year"].any()
    assert not table["by_line"].any()
    assert "五(二)b" in table.loc["D", "clause"]


@pytest.mark.parametrize(("off", "same"), [("2022-12-31", False), ("2023-01-01", True), ("2023-12-31", True)])
def test_a_relapse_within_the_year_of_writing_off_is_told(off, same):
    case = {"credit_code": "A", "method": "upgrade", "outcome": "重组", "finished": "2022-06-30", "written_off": off}
    made = ledger(
        enterprises=firms({"A": "甲"}),
        annual=years("A", {2021: 5.0, 2022: 5.0, 2023: 5.0}, 10.0, above=False),
        disposals=[case],
    )
    assert rosters.relapsed(assess(made, LINSHU, 2023))["same_year"].tolist() == [same]


def test_a_line_that_rises_makes_no_relapse_of_its_own():
    rows = [row for c, t in {"A": (5, 15, 15, 15), "B": (9, 9, 9, 9)}.items()
            for row in years(c, dict(zip(range(2021, 2025), t, strict=True)), 10.0, above=True)]  # fmt: skip
    got = rosters.relapsed(assess(ledger(enterprises=firms({"A": "甲", "B": "甲"}), annual=rows), LINSHU, 2024))
    assert got[["credit_code", "by_line"]].to_numpy().tolist() == [["A", True]]


def test_guided_are_three_years_below_one_and_operating_normally(made):
    table = rosters.guided(made)
    assert table[["credit_code", "years_below", "method", "clause"]].to_numpy().tolist() == [
        ["F", 3.0, "帮扶提升", "三.1"]
    ]


def test_subsidies_and_help_of_the_city_plan():
    rows = [row for c, t in {"A": (1, 3), "B": (1, 3), "C": (1, 1)}.items()
            for row in years(c, dict(zip((2019, 2020), t, strict=True)), 1.0, above=True)]  # fmt: skip
    held = ledger(
        enterprises=[
            {"credit_code": c, "name": c, "township": "镇", "shock_hit": c == "C", "public_good": False} for c in "ABC"
        ],
        annual=rows,
        disposals=[
            {"credit_code": c, "method": "upgrade", "outcome": "达标", "finished": "2020-10-01", "upgraded": c == "A"}
            for c in "AB"
        ],
    )
    got = assess(held, ZHOUSHAN, 2020)
    assert codes(rosters.subsidised(got)) == ["A"]
    assert rosters.subsidised(got)["clause"].tolist() == ["四(二)二"]
    assert rosters.shock_hit(got)[["credit_code", "clause"]].to_numpy().tolist() == [["C", "四(二)五"]]


def test_issues_past_their_term(made):
    table = duties.issues_overdue(made)
    rows = table[["credit_code", "state", "days_late", "clause"]].to_numpy().tolist()
    assert rows == [["B", "not_rectified", 184, rows[0][3]], ["F", "not_accepted", 213, rows[1][3]]]
    assert "附件1.7" in rows[0][3]
    assert codes(duties.issues_overdue(made, "2023-06-15")) == ["F"]


def test_papers_owed_of_open_cases(made):
    table = duties.papers_owed(made)
    assert codes(table) == ["B"]
    assert table["owed"].iloc[0] == ["工业用地基本情况", "近三年实缴税收报表", "限期整改申请意向书"]
    assert table["received"].iloc[0] == 1
    assert "附件3一" in table["clause"].iloc[0]


def test_the_first_step_not_taken_waits_from_the_one_before(made):
    table = duties.steps_waiting(made).set_index("credit_code")
    assert table.loc["A", ["step", "days"]].tolist() == ["accepted", 60.0]
    assert table.loc["B", ["step", "days", "overdue"]].tolist() == ["certified", 290.0, True]
    assert table.loc["B", "due"] == pd.Timestamp("2023-03-16")
    assert table.loc["F", "step"] == "notified"
    assert np.isnan(table.loc["F", "days"])
    early = duties.steps_waiting(made, "2023-03-10").set_index("credit_code")
    assert "B" not in early.index
    assert "A" not in early.index


def test_a_countys_own_days_for_the_plan():
    held = ledger(
        enterprises=firms({"A": "甲镇"}),
        annual=years("A", {2022: 5.0, 2023: 5.0}, 10.0, above=True),
        process=[
            {
                "credit_code": "A",
                "notified": "2023-01-05",
                "certified": "2023-02-01",
                "published": "2023-02-10",
                "plan_submitted": None,
            }
        ],
    )
    got = duties.steps_waiting(assess(held, LINSHU, 2023, facts={"plan_days": 30}))
    assert got[["step", "due", "overdue"]].to_numpy().tolist() == [["plan_submitted", pd.Timestamp("2023-03-12"), True]]
    assert duties.steps_waiting(assess(held, LINSHU, 2023))["overdue"].tolist() == [None]


def late_plans(on: str | None, flag: bool | None = None):
    """Return a ledger of one firm published on 10 February 2023 whose plan came on ``on``."""
    day = {"notified": "2023-01-05", "certified": "2023-02-01", "published": "2023-02-10", "plan_submitted": on}
    return ledger(
        enterprises=[firms({"A": "甲镇"})[0] | ({} if flag is None else {"plan_overdue": flag})],
        annual=years("A", {2022: 5.0, 2023: 5.0}, 10.0, above=True),
        process=[{"credit_code": "A", **day}],
    )


@pytest.mark.parametrize(
    ("on", "flag", "days", "grounds"),
    [
        (None, None, 30, ["plan_overdue"]),
        ("2023-03-12", None, 30, []),
        ("2023-03-13", None, 30, ["plan_overdue"]),
        (None, None, None, []),
        ("2023-03-01", True, 30, ["plan_overdue"]),
        (None, False, 400, []),
    ],
)
def test_a_plan_past_the_countys_days_makes_a_priority_firm(on, flag, days, grounds):
    got = assess(late_plans(on, flag), LINSHU, 2023, facts=None if days is None else {"plan_days": days})
    rows = consequences(got)
    assert [g for gs in rows.loc[rows["trigger"] == "priority", "grounds"] for g in gs] == grounds


def test_years_below_one_follow_the_plans_ratio():
    """A firm stopped all year has no tax on record: where a reading counts that as none, the year is below 1 too."""
    rows = years("A", {2021: 5.0, 2022: None, 2023: 5.0}, 10.0, above=True)
    held = ledger(enterprises=[firms({"A": "甲镇"})[0] | {"stopped_since": "2020-01-01"}], annual=rows)
    for option, expected in (("unknown", float("nan")), ("zero", 3.0)):
        got = assess(held, patch(LINSHU, {"tax.idle_blank": option}), 2023)
        np.testing.assert_array_equal(FACTS["years_below_one"].number(got.frame.reported), [expected])


def test_facts_and_columns_have_one_department():
    for fact, office in (("tax_wan", "税务部门"), ("finished", "属地镇街"), ("walled", "自然资源和规划部门"), ("identified", "牵头部门"),
                         ("quota", "市领导小组办公室"), ("violation_environment", "生态环境部门"), ("disposals", "属地镇街")):  # fmt: skip
        assert office_of(fact)[0] == office


def test_whom_to_press_and_why(made):
    table = duties.pressed(made).set_index("credit_code")
    assert table["reasons"].to_dict() == {"B": ["case_overdue", "issue_overdue", "step_overdue"], "F": ["no_case"]}


def test_ranking_by_rate_with_ties_and_small_units():
    rows, towns = [], {}
    share = {"甲镇": (4, 6), "乙镇": (4, 6), "丙镇": (1, 5), "丁镇": (0, 2)}
    for town, (good, n) in share.items():
        for i in range(n):
            towns[f"{town}{i}"] = town
            rows += years(f"{town}{i}", {2022: 5.0, 2023: 20.0 if i < good else 5.0}, 10.0, above=False)
    got = assess(ledger(enterprises=firms(towns), annual=rows), LINSHU, 2023)
    table = rankings.ranking(got).set_index("unit")
    assert table.loc[["甲镇", "乙镇", "丙镇"], "rank"].tolist() == [1, 1, 3]
    assert np.isnan(table.loc["丁镇", "rank"])
    assert table["summoned"].to_dict() == {"乙镇": False, "甲镇": False, "丙镇": True, "丁镇": False, "": False}
    assert table.loc["丙镇", ["part", "part_rank"]].tolist() == [0.4, 1]
    assert table.loc[["甲镇", "丁镇"], "part_rank"].tolist() == [2, 2]
    assert table.loc["", ["listed", "reached", "below"]].tolist() == [19, 9, 10]
    assert rankings.ranking(got, month=6).set_index("unit").loc["甲镇", "behind"] is np.False_
    assert rankings.month_reached(got) == 12
    months = [
        {"credit_code": c, "year": y, "month": m, "tax_wan": 1.0}
        for c in towns
        for y, m in ((2022, 12), (2023, 1), (2023, 7))
    ]
    got = assess(ledger(enterprises=firms(towns), annual=rows, monthly=months), LINSHU, 2023)
    assert rankings.month_reached(got) == 7
    assert set(rankings.ranking(got)["schedule"]) == {7 / 12}
    assert rankings.ranking(got).set_index("unit")["behind"].to_dict()["甲镇"] is False


def test_contributions_add_to_one(made):
    table = rankings.contributions(made)
    assert table.groupby("target")["part"].sum().to_numpy() == pytest.approx(1)
    assert set(table["target"]) == {"below_scale_low_land_share"}


def test_pace_on_the_same_firms():
    rows = [row for c in "AB" for row in years(c, {2022: 6.0, 2023: 12.0}, 20.0, above=True)]
    months = [{"credit_code": c, "year": y, "month": m, "tax_wan": 0.5 if y == 2022 else 1.0 + (m == 10)}
              for c in "AB" for y in (2022, 2023) for m in range(1, 13 if y == 2022 else 11) if (c, y, m) != ("B", 2022, 10)]  # fmt: skip
    held = ledger(enterprises=firms({"A": "甲", "B": "甲"}), annual=rows, monthly=months)
    got = rankings.pace(assess(held, LINSHU, 2023))
    table = got[got["class"] == "all"].set_index("against")
    assert table.loc["last_month", ["month", "n", "before", "now", "change"]].tolist() == [10, 2, 2.0, 4.0, 1.0]
    assert table.loc["last_year", ["n", "before", "now"]].tolist() == [1, 0.5, 2.0]
    assert table.loc["schedule", ["n", "before", "now"]].tolist() == pytest.approx([2, 2 * 20 * 10 / 12, 22.0])
    assert table.loc["last_year_to_date", "n"] == 1
    assert rankings.pace(assess(small(), LINSHU, 2023)).empty


def test_every_list_stands_for_both_plans_with_its_clause():
    silent = {"linshu-2021": {"demolished", "inspected", "shock_hit"}, "zhoushan-2020": {"relapsed"}}
    for plan in (LINSHU, ZHOUSHAN):
        assert {name for name in WHERE if not clause(plan, name)} == silent[plan.id]
    assert clause(ZHOUSHAN, "shock_hit") == "四(二)五"
    assert clause(ZHOUSHAN, "summoned") == "四(三)"
    assert register_of("no-such-plan") is None


EVERY = (
    rosters.reached, rosters.missed, rosters.undecided, rosters.closed, rosters.demolished, rosters.banked, rosters.relapsed, rosters.guided,
    rosters.subsidised, rosters.shock_hit, duties.issues_overdue, duties.papers_owed, duties.steps_waiting, duties.pressed,
    rankings.ranking, rankings.contributions, rankings.pace,
)  # fmt: skip


def test_listed_are_reached_missed_open_or_gone_and_none_twice():
    for held, plan, year, level in (
        (read_ledger("sample:linshu"), LINSHU, 2023, "county"),
        (read_ledger("sample:zhoushan-daishan"), ZHOUSHAN, 2020, "county"),
        (county(24), LINSHU, 2023, "county"),
    ):
        got = assess(held, plan, year, level=level)
        good, bad, open_ = (set(codes(f(got))) for f in (rosters.reached, rosters.missed, rosters.undecided))
        assert not (good & bad | good & {c for c in open_ if c in good} | bad & open_)
        listed, gone = got.frame.identified.true, got.standing.gone.true
        assert good | bad <= set(got.frame.book.codes[listed & ~gone])
        assert set(got.frame.book.codes[listed & ~gone]) <= good | bad | open_
        whole = rankings.ranking(got).iloc[-1]
        assert (whole["reached"], whole["below"], whole["listed"]) == (len(good), len(bad), int(listed.sum()))


@pytest.mark.parametrize("make", EVERY, ids=lambda f: f.__name__)
def test_row_order_changes_no_list(make):
    held = small()
    rng = random.Random(1)
    mixed = {
        s: getattr(held, s).sample(frac=1, random_state=rng.randint(0, 9))
        for s in ("annual", "process", "issues", "papers")
    }
    from dataclasses import replace

    one, other = make(assess(held, LINSHU, 2023)), make(assess(replace(held, **mixed), LINSHU, 2023))
    pd.testing.assert_frame_equal(one, other)


def test_the_method_of_an_enterprise_is_that_of_its_latest_disposal():
    """Rectified in 2022, banked in part in 2023; a case not begun by then is none."""
    cases = [
        {"method": "land_bank", "outcome": "部分收储", "started": "2023-02-01", "finished": "2023-06-30"},
        {"method": "rectify", "outcome": "达标", "started": "2022-02-01", "finished": "2022-11-30"},
        {"method": "shut_down", "outcome": "未启动", "started": None, "finished": None},
    ]
    made = ledger(
        enterprises=firms({"A": "甲镇", "B": "甲镇"}),
        annual=[r for c in "AB" for r in years(c, {2022: 5.0, 2023: 6.0}, 10.0, above=False)],
        disposals=[{"credit_code": "A", **case} for case in cases],
    )
    got = enterprises(assess(made, LINSHU, 2023)).set_index("credit_code")
    label = next(m.label for m in LINSHU.methods if m.method == "land_bank")
    assert got.loc["A", ["method", "progress"]].tolist() == [label, "部分收储"]
    assert got.loc["B", ["method", "progress"]].isna().all()
