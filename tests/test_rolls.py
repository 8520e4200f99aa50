from __future__ import annotations

import re
from datetime import date

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from lyeval import report
from lyeval.assessment import assess
from lyeval.ledger import read_ledger
from lyeval.policy import load_policy
from lyeval.render import Paragraph, Table, to_xlsx
from lyeval.report import rolls
from lyeval.report.context import Context
from lyeval.report.words import percent

YEARS = {"linshu-2021": ("sample:linshu", 2023, "county"), "zhoushan-2020": ("sample:zhoushan", 2020, "city")}


@pytest.fixture(scope="module", params=sorted(YEARS))
def tables(request) -> dict:
    """Return a sample year's tables."""
    name, year, level = YEARS[request.param]
    held = read_ledger(name)
    return report.ledger_tables(held) | report.assessment_tables(
        assess(held, load_policy(request.param), year, level=level)
    )


def test_every_list_with_anybody_is_a_sheet_and_stands_in_the_index(tables, tmp_path):
    c = Context(tables, "zh")
    sheets = {t.id: t for t in report.annex(tables | {"run": {"edition": "research"}})}
    listed = [name for name in rolls.LISTS if len(tables[name])]
    assert [name for name in sheets if name.startswith("list_")] == listed
    table = rolls.index(c)
    assert table is not None
    numbers = {row[1]: row[2] for row in table.rows}
    assert [numbers[sheets[name].title] for name in listed] == [len(tables[name]) for name in listed]
    assert all(row[0] != "—" for row in table.rows)
    path = tmp_path / "annex.xlsx"
    to_xlsx(
        report.annex(tables | {"run": {"edition": "research"}}), path, title="附表", created=date(2024, 1, 1), notes=[]
    )
    names = CalamineWorkbook.from_path(str(path)).sheet_names
    assert {sheets[name].title for name in listed} <= set(names)


def test_lists_come_back_from_disk_as_they_were(tables, tmp_path):
    own = {
        name: t
        for name, t in tables.items()
        if name.startswith(("list_", "ranking_", "contributions", "pace", "departments"))
    }
    report.save(tmp_path, own)
    for name, table in report.load(tmp_path).items():
        pd.testing.assert_frame_equal(table, own[name])


def test_english_sheets_have_english_words(tables):
    names = {str(v) for name in ("enterprises",) for k in ("name", "township", "county") for v in tables[name][k]}
    allowed = names | set(tables["meta"]["sources"])
    columns = {"clause", "responsible", "department", "matter", "owed", "difficulty", "next_step", "place", "whole"}
    for table in (
        t
        for t in report.annex(tables | {"run": {"edition": "research"}}, lang="en")
        if t.id.startswith(("list_", "rank", "contr", "pace", "depart"))
    ):
        assert not re.search(r"[一-鿿]", table.title + table.note)
        for row in table.rows:
            for head, cell in zip(table.columns, row, strict=True):
                if isinstance(cell, str) and cell not in allowed and head.key not in columns:
                    assert not re.search(r"[一-鿿]", cell), (table.id, head.key, cell)


def test_sentences_say_what_the_tables_hold(tables):
    c = Context(tables, "zh")
    blocks = rolls.standing_blocks(c)
    texts = [b.text for b in blocks if isinstance(b, Paragraph)]
    by = {b.id: b for b in blocks if isinstance(b, Table)}
    ranked = next(t for name, t in by.items() if name.startswith("ranking_"))
    first = ranked.rows[0][0]
    assert f"居前的是{first}" in texts[0]
    rows = {r["against"]: r for r in c.rows("pace") if r["class"] == "all"}
    assert f"{rows['last_month']['now']:,.2f}万元" in texts[1]
    assert percent(rows["last_year"]["change"]) in texts[1]
    assert (
        percent(rows["schedule"]["now"] / rows["schedule"]["before"] * 12 / rows["schedule"]["month"] * 1.0) in texts[1]
    )


def test_firms_on_course_are_counted_and_compared_in_firms(tables):
    c = Context(tables, "zh")
    table = rolls.pace(c)
    keys = [column.key for column in table.columns]
    rows = [r for r in c.rows("pace") if r["n"]]
    assert len(rows) == len(table.rows)
    for r, cells in zip(rows, table.rows, strict=True):
        if r["against"].startswith("on_course"):
            told = dict(zip(keys, cells, strict=True))
            assert told["now"].digits == told["before"].digits == 0
            assert int(told["change"].replace("−", "-")) == r["now"] - r["before"]


def test_a_case_that_failed_is_told_as_failed_beside_every_firm(tables):
    state = tables["enterprises"].set_index("credit_code")["progress"]
    pressed = tables["list_pressed"]
    failed = pressed[[("failed" in reasons) for reasons in pressed["reasons"]]]
    assert len(failed)
    assert set(state[failed["credit_code"]]) == {"未完成"}


def test_priority_firms_have_a_trigger_or_were_named(tables):
    table = tables["list_priority"]
    assert all(g or n is not pd.NaT for g, n in zip(table["grounds"], table["listed_on"], strict=True))
    assert (table["clause"] != "").all() if len(table) else True
    assert table["credit_code"].is_unique


def test_note_of_every_rule_is_told_where_it_is_used(tables):
    sheets = {t.id: t for t in report.annex(tables | {"run": {"edition": "research"}})}
    assert "督办规则" in sheets["list_pressed"].note
    assert "不足5家的不排名" in next(t for i, t in sheets.items() if i.startswith("ranking_")).note
    if "list_summoned" in sheets:
        assert "一半" in sheets["list_summoned"].note
    assert "不作为征收依据" in sheets["list_missed"].note
