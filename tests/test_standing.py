"""One standing per enterprise and year: what a word counts, and that a reading reaches all that select from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from build import ledger, years

from lyeval.assessment import assess
from lyeval.ledger import read_ledger
from lyeval.policy import load_policy, patch
from lyeval.tables import rosters
from lyeval.tables.consequences import consequences

LINSHU, ZHOUSHAN = load_policy("linshu-2021"), load_policy("zhoushan-2020")
BLANK = ["contract_completion", "completed", "production_start", "stopped_since", "statutory_excuse", "contract_tax_per_mu",
         "contract_investment_intensity", "contract_building_density", "contract_plot_ratio", "listed_by_task_force",
         "exempt_industry", "public_good", "protected_until"]  # fmt: skip


def held(taxes, land=10.0, above=(), disposals=(), process=(), **columns):
    """Return a ledger of firms by code: tax of the years up to 2023, land, and more columns of each."""
    return ledger(
        enterprises=[{"credit_code": c, "name": c, **dict.fromkeys(BLANK), **columns.get(c, {})} for c in taxes],
        annual=[
            row
            for c, t in taxes.items()
            for row in years(c, dict(zip(range(2024 - len(t), 2024), t, strict=True)), land, above=c in above)
        ],
        **({"disposals": list(disposals)} if disposals else {}),
        **({"process": list(process)} if process else {}),
    )


def who(got, mask):
    return "".join(got.frame.book.codes[mask])


@pytest.mark.parametrize(("reading", "low", "needed"), [("meets", "", 0.0), ("fails", "E", 0.0001)])
def test_the_reading_of_the_edge_reaches_rows_shortfalls_lists_and_consequences(reading, low, needed):
    made = ledger(
        enterprises=[{"credit_code": c, "name": c, **dict.fromkeys(BLANK)} for c in "EF"],
        annual=[r for c, t in (("E", 20.0), ("F", 30.0)) for r in years(c, {2019: 10.0, 2020: t}, 10.0, above=True)],
    )
    got = assess(made, ZHOUSHAN, 2020, readings={"edge": reading})
    assert got.targets.set_index("id").loc["above_scale_reach", "value"] == (0.5 if low else 1.0)
    firms = got.enterprises.set_index("credit_code")
    assert firms.loc["E", "below_line"] is bool(low)
    assert firms.loc["E", "tax_needed_wan"] == pytest.approx(needed)
    assert who(got, got.standing.state["below"]) == low == "".join(rosters.missed(got)["credit_code"])
    assert "".join(consequences(got).query("trigger == 'missed'")["credit_code"]) == low
    assert got.dossier("E").tax_short_wan == pytest.approx(needed)


def test_a_class_is_held_to_its_own_target_then_to_one_of_any_class_then_to_the_line_of_identification():
    target = {"id": "any", "label": "x", "label_en": "x", "class": "any", "statistic": "share_below", "op": "le",
              "edge": "below", "years": {2023: {"threshold": 4.0, "value": 0.2}}, "cite": ["一(三)"]}  # fmt: skip
    plan = patch(LINSHU, {"readings": []})
    own = plan.model_dump(by_alias=True, mode="json", exclude_none=True)["targets"][:1]
    made = held({"A": (45, 45), "B": (45, 45)}, above="A")
    got = assess(made, patch(plan, {"targets": [*own, target]}), 2023)
    assert got.standing.line.tolist() == [1.0, 4.0]
    assert got.frame.lines[1].tolist() == [False, True]
    bare = assess(made, patch(plan, {"targets": own}), 2023)
    assert bare.standing.line.tolist() == [1.0, 1.0]


def test_the_listed_are_reached_left_below_or_open_and_nothing_else():
    got = assess(
        held(
            {"A": (5, 5, 20), "B": (5, 5, 5), "C": (5, 5, None), "D": (5, 5, 5), "E": (5, 5, 5), "F": (5, 5, 20)},
            disposals=[
                {"credit_code": "D", "outcome": "关停", "started": "2023-01-01", "finished": "2023-06-30"},
                {"credit_code": "E", "outcome": "关停", "started": "2022-01-01", "finished": "2022-12-31"},
                {"credit_code": "F", "outcome": "破产", "started": "2023-01-01"},
            ],
        ),
        LINSHU,
        2023,
    )
    standing = got.standing
    assert {k: who(got, v) for k, v in standing.state.items()} == {
        "reached": "A",
        "left": "D",
        "below": "B",
        "open": "CF",
    }
    assert who(got, standing.gone_before) == "E"
    firms = got.enterprises.set_index("credit_code")
    assert not firms.loc["E", "in_scope"]
    assert not firms.loc["E", "identified"]
    assert standing.way_out[0].tolist() == ["", "", "", "关停", "关停", ""]


def test_relapsed_are_written_off_or_reached_in_an_earlier_year_and_below_now():
    rows = [
        {
            "credit_code": "B",
            "outcome": "达标",
            "started": "2023-01-01",
            "finished": "2023-03-01",
            "written_off": "2023-04-01",
        },
        {"credit_code": "C", "outcome": "达标", "started": "2023-01-01", "finished": "2023-03-01"},
        {
            "credit_code": "D",
            "outcome": "达标",
            "started": "2023-01-01",
            "finished": "2023-03-01",
            "written_off": "2024-04-01",
        },
    ]
    taxes = {"A": (5, 20, 5, 5), "B": (5, 5, 5, 5), "C": (5, 5, 5, 5), "D": (5, 5, 5, 5), "E": (50, 50, 50, 5)}
    got = assess(held(taxes, disposals=rows), LINSHU, 2023)
    assert who(got, got.standing.relapsed) == "AB"
    assert rosters.relapsed(got)["same_year"].tolist() == [False, True]


def test_open_finished_and_overdue_have_one_definition():
    rows = [
        {"credit_code": "A", "outcome": "达标", "started": "2023-01-01", "due": "2023-05-01", "finished": "2023-06-01"},
        {
            "credit_code": "B",
            "outcome": "未完成",
            "started": "2023-01-01",
            "due": "2023-05-01",
            "finished": "2023-06-01",
        },
        {"credit_code": "C", "outcome": "关停", "started": "2023-01-01", "due": "2024-05-01", "finished": "2024-02-01"},
        {"credit_code": "D", "outcome": "进行中", "started": "2023-01-01", "due": "2023-12-31"},
        {"credit_code": "E", "outcome": "进行中", "started": "2024-01-01", "due": "2023-05-01"},
    ]
    got = assess(held({c: (5, 5) for c in "ABCDE"}, disposals=rows), LINSHU, 2023)
    at = {what: np.flatnonzero(got.standing.case(what)).tolist() for what in ("open", "finished", "overdue")}
    codes = got.ledger.disposals["credit_code"].tolist()
    assert {k: "".join(codes[i] for i in v) for k, v in at.items()} == {"open": "BCD", "finished": "A", "overdue": "B"}


def test_named_priority_and_eligible_are_apart():
    process = [{"credit_code": "A", "key_listed": "2023-06-01", "notified": "2023-01-01", "certified": "2024-01-01"},
               {"credit_code": "B", "key_listed": "2024-06-01", "notified": "2023-01-01", "certified": "2023-02-01"}]  # fmt: skip
    breached = {c: {"agreement_breached": True} for c in "ABC"}
    got = assess(held({c: (5, 5) for c in "ABC"}, process=process, **breached), LINSHU, 2023)
    assert who(got, got.standing.priority) == "A"
    assert who(got, got.standing.eligible) == "BC"
    assert got.standing.stage.tolist() == ["重点", "已认定", "符合认定条件"]


def test_nothing_dated_after_the_day_is_read():
    """What stands in a ledger of years after the day moves nothing of the year, and is shown nowhere."""
    whole = read_ledger("sample:linshu")
    got = assess(whole, LINSHU, 2023)
    late = np.datetime64("2023-12-31")
    for code in rosters.reached(got)["credit_code"].head(6).tolist() + rosters.relapsed(got)["credit_code"].tolist():
        one = got.dossier(code)
        for table in (one.disposals.drop(columns="due"), one.steps[["date"]].astype("datetime64[us]")):
            days = table.select_dtypes("datetime")
            assert not (days > late).any().any()
    for table in (rosters.reached(got), rosters.missed(got), rosters.relapsed(got)):
        assert not (table[["finished", "written_off"] if "finished" in table else ["written_off"]] > late).any().any()


def test_a_grade_is_read_of_the_year_that_it_was_given_in():
    plan = patch(LINSHU, {"identification.criteria": [
        {"id": "d", "label": "d", "label_en": "d", "angle": "other", "when": {"fact": "grade", "op": "eq", "value": "D"}, "cite": ["二"]}
    ]})  # fmt: skip
    made = ledger(
        enterprises=[{"credit_code": c, "name": c, **dict.fromkeys(BLANK)} for c in "ABC"],
        annual=[
            {
                "credit_code": c,
                "year": y,
                "above_scale": False,
                "tax_wan": 20.0,
                "land_mu": 10.0,
                "walled": True,
                "grade": g,
            }
            for c, grades in (("A", "DA"), ("B", "AD"), ("C", (None, "D")))
            for y, g in zip((2022, 2023), grades, strict=True)
        ],
    )
    assert assess(made, plan, 2023).enterprises["identified"].tolist() == [True, False, None]


def without(*columns, blank=()):
    """Return two listed firms, one short of its line, in a ledger that lacks some columns and has others wholly blank."""
    said = {"exempt_industry": None if "exempt_industry" in blank else False}
    firm = {name: value for name, value in {**dict.fromkeys(BLANK), **said}.items() if name not in columns}
    return ledger(
        enterprises=[{"credit_code": c, "name": c, **firm} for c in "AB"],
        annual=[r for c, t in (("A", 5.0), ("B", 20.0)) for r in years(c, {2022: 5.0, 2023: t}, 10.0, above=True)],
    )


def test_an_absent_exemption_gives_a_range_and_names_whom_to_confirm():
    there = assess(without(), LINSHU, 2023).targets.iloc[0]
    assert (there["value"], there["low"], there["high"], there["status"]) == (1, 1, 1, "missed")
    got = assess(without("exempt_industry"), LINSHU, 2023)
    row = got.targets.iloc[0]
    assert (row["value"], row["low"], row["high"], row["status"]) == (1, 0, 1, "undetermined")
    assert row["turns_on"] == ["A"]
    assert "行业例外" in row["reason_zh"]
    assert "1户" in row["reason_zh"]
    turn = got.could_turn().iloc[0]
    assert (turn["kind"], turn["what"], turn["n"], turn["credit_codes"]) == (
        "absent_column",
        "exempt_industry",
        1,
        ["A"],
    )
    assert (turn["low"], turn["high"]) == (0, 1)
    assert assess(without(), LINSHU, 2023).could_turn().empty


def test_a_blank_exemption_is_taken_as_no_and_what_it_could_turn_is_told_with_its_range():
    """A column that is there and wholly blank: the one firm below its line may be exempt, then nobody is below."""
    got = assess(without(blank=["exempt_industry"]), LINSHU, 2023)
    row = got.targets.iloc[0]
    assert (row["value"], row["low"], row["high"], row["status"]) == (1, 1, 1, "missed")
    assert "全空" in row["reason_zh"]
    turn = got.could_turn().iloc[0]
    assert (turn["kind"], turn["what"], turn["n"], turn["credit_codes"]) == (
        "blank_column",
        "exempt_industry",
        1,
        ["A"],
    )
    assert (turn["low"], turn["high"]) == (0, 1)
    gap = got.gaps.set_index("fact").loc["exempt_industry"]
    assert (gap["n"], "above_scale_clear" in gap["targets"]) == (2, True)


def test_a_blank_date_of_protection_may_turn_a_share():
    """Two of three reach; by hand: without those who do 0, without the one that does not 1."""
    firm = {"public_good": False, "protected_until": None}
    made = ledger(
        enterprises=[{"credit_code": c, "name": c, **firm} for c in "ABC"],
        annual=[
            r
            for c, t in zip("ABC", (25.0, 30.0, 5.0), strict=True)
            for r in years(c, {2019: 10.0, 2020: t}, 10.0, False)
        ],
    )
    got = assess(made, ZHOUSHAN, 2020)
    row = got.targets.set_index("id").loc["below_scale_reach"]
    assert (row["low"], row["high"], row["status"]) == (row["value"], row["value"], "missed")
    turn = got.could_turn().set_index("target").loc["below_scale_reach"]
    assert (turn["what"], turn["low"], turn["high"], turn["credit_codes"]) == ("protected_until", 0, 1, ["C"])
    assert "above_scale_reach" not in set(got.could_turn()["target"])


def test_a_blank_exemption_that_one_firm_answers_is_known():
    made = without(blank=["exempt_industry"])
    firms = made.enterprises.assign(exempt_industry=pd.array([None, False], dtype="boolean"))
    assert assess(replace(made, enterprises=firms), LINSHU, 2023).could_turn().empty


def test_blank_dates_of_building_spare_whoever_showed_no_production():
    """A paid no tax and used no power the year before: it may have been under construction, B, which paid, was not."""
    rows = [
        *years("A", {2022: 0.0, 2023: 5.0}, 10.0, above=True),
        *years("B", {2022: 5.0, 2023: 5.0}, 10.0, above=True),
    ]
    firm = {**dict.fromkeys(BLANK), "exempt_industry": False}
    turn = assess(
        ledger(enterprises=[{"credit_code": c, **firm} for c in "AB"], annual=rows), LINSHU, 2023
    ).could_turn()
    assert turn.empty  # B alone misses the target: A in or out turns nothing
    only = assess(ledger(enterprises=[{"credit_code": "A", **firm}], annual=rows[:2]), LINSHU, 2023).could_turn()
    assert only[["what", "kind", "n"]].to_numpy().tolist() == [
        ["contract_completion", "blank_column", 1],
        ["completed", "blank_column", 1],
    ]


def test_an_absent_exemption_that_cannot_turn_a_verdict_leaves_it():
    """Nobody is below the line: whoever is exempt, none is left below it."""
    made = ledger(
        enterprises=[{"credit_code": "B", "name": "B", **dict.fromkeys(c for c in BLANK if c != "exempt_industry")}],
        annual=years("B", {2022: 5.0, 2023: 20.0}, 10.0, above=True),
    )
    row = assess(made, LINSHU, 2023).targets.iloc[0]
    assert (row["value"], row["low"], row["high"], row["status"]) == (0, 0, 0, "met")


def test_a_share_keeps_its_value_and_widens_where_the_protected_are_not_known():
    made = ledger(
        enterprises=[{"credit_code": c, "name": c, "public_good": False} for c in "ABC"],
        annual=[
            r
            for c, t in (("A", 25.0), ("B", 30.0), ("C", 5.0))
            for r in years(c, {2019: 10.0, 2020: t}, 10.0, above=False)
        ],
    )
    row = assess(made, ZHOUSHAN, 2020).targets.set_index("id").loc["below_scale_reach"]
    assert row["value"] == pytest.approx(2 / 3)
    assert (row["low"], row["high"], row["status"], row["turns_on"]) == (0, 1, "undetermined", ["C"])


def test_a_plant_that_paid_tax_the_year_before_is_under_no_construction():
    columns = "contract_completion", "completed"
    row = assess(without(*columns), LINSHU, 2023).targets.iloc[0]
    assert (row["low"], row["high"], row["status"]) == (1, 1, "missed")
