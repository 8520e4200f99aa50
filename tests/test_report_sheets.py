"""Every sheet of the annex: laid out from one table of the run, under words of both languages, told in the index of lists."""

from __future__ import annotations

import re
from datetime import date

import pandas as pd
import pytest
import samples
from python_calamine import CalamineWorkbook
from test_report_words import text_of

from lyeval import report
from lyeval.ledger import read_ledger
from lyeval.render import to_xlsx
from lyeval.report.cells import Context
from lyeval.report.sheets import ROWS, _part, headings, sheet, sheets
from lyeval.report.tabulate import PLAIN, SHAPES, WRITERS

YEARS = {"linshu-2021": ("linshu", 2023), "zhoushan-2020": ("zhoushan", 2020)}


@pytest.fixture(scope="module", params=sorted(YEARS))
def tables(request) -> dict:
    """Return a sample year's tables."""
    name, year = YEARS[request.param]
    return report.ledger_tables(read_ledger(f"sample:{name}")) | samples.judged(name, year)


def test_every_list_with_anybody_is_a_sheet_and_stands_in_the_index(tables, tmp_path):
    made = {t.id: t for t in report.annex(tables | {"run": {"edition": "research"}})}
    listed = [name for name in tables if name.startswith("list_") and len(tables[name])]
    assert sorted(name for name in made if name.startswith("list_")) == sorted(listed)
    table = made["lists"]
    numbers = {row[1]: row[2] for row in table.rows}
    assert [numbers[made[name].title] for name in listed] == [len(tables[name]) for name in listed]
    assert all(row[0] != "—" for row in table.rows)
    path = tmp_path / "annex.xlsx"
    to_xlsx(
        report.annex(tables | {"run": {"edition": "research"}}), path, title="附表", created=date(2024, 1, 1), notes=[]
    )
    names = CalamineWorkbook.from_path(str(path)).sheet_names
    assert {made[name].title for name in listed} <= set(names)


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
    text = text_of(report.build_report(tables | {"run": {"edition": "research"}}))
    units = tables["ranking_counties"] if len(tables["ranking_counties"]) > 2 else tables["ranking_townships"]
    first = units[units["rank"] == 1].iloc[0]
    assert f"完成率居首的：{first['unit']}（列入{first['listed']}家，达到{first['reached']}家" in text
    rows = tables["pace"].query("`class` == 'all'").set_index("against")
    assert f"当月入库{rows.loc['last_month', 'now']:,.2f}万元" in text
    asked = rows.loc["schedule"]
    assert f"本年累计{asked['now']:,.2f}万元，按时序进度为达到标准线应入库{asked['before']:,.2f}万元" in text
    released = tables["disposals_summary"].set_index("method").loc["all", "released_mu"]
    assert (f"全年腾出土地{released:,.2f}亩" in text) == (released > 0)
    below = tables["enterprises"].query("`class` == 'above'")
    below = below[below["in_scope"].eq(True) & ~below["gone"].eq(True) & below["excluded_by"].isna()]
    assert f"其中低于{tables['meta']['lines']['above']:g}万元/亩的{below['below_line'].eq(True).sum()}家" in text


def test_the_distance_of_who_is_gone_is_not_told(tables):
    made = sheet(Context(tables, "zh"), "enterprises")
    told = {c.key: i for i, c in enumerate(made.columns)}
    gone = [row for row in made.rows if row[told["gone"]] == "是"]
    assert gone
    assert all(row[told["tax_needed_wan"]] is None for row in gone)


def test_a_projected_or_counted_figure_of_a_sheet_knows_its_cell(tables):
    made = sheet(Context(tables, "zh"), "bounds")
    assert made.fields[made.columns.index(next(c for c in made.columns if c.key == "low"))] == "low"
    assert made.rows[0][-1] == f"{made.refs[0]}/value"
    units = sheet(Context(tables, "zh"), "units")
    assert units.refs[0].startswith(("ranking_townships/", "ranking_counties/"))


def test_every_sheet_has_headings_and_every_heading_a_writer():
    for spec in sheets().values():
        heads = headings(spec.heads, spec.table, spec.columns)
        assert heads, spec.id
        assert spec.zh, spec.id
        assert spec.en, spec.id
        for head in heads:
            kind = head.kind.partition(":")[0]
            assert kind in WRITERS or kind in SHAPES or kind in PLAIN, (spec.id, head.key, kind)
    assert set(ROWS) <= set(sheets())


def test_firms_on_course_are_counted_and_compared_in_firms(tables):
    c = Context(tables, "zh")
    table = sheet(c, "pace")
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
    made = {t.id: t for t in report.annex(tables | {"run": {"edition": "research"}})}
    assert "督办规则" in made["list_pressed"].note
    assert "不足5家的不排名" in next(t for i, t in made.items() if i.startswith("ranking_")).note
    if "list_summoned" in made:
        assert "一半" in made["list_summoned"].note
    assert "不作为征收依据" in made["list_missed"].note


@pytest.mark.parametrize(("n", "part", "share", "rise"), [(9, "3/9", None, "—"), (10, "3/10（30.0%）", 0.1, "+25%")])
def test_a_unit_of_exactly_ten_firms_has_a_percentage(n, part, share, rise):
    land = {"listed_land_mu": 5.0, "land_mu": 50.0, "land_before": 1.0, "land_after": 1.0}
    unit = pd.DataFrame(
        [{"township": "甲镇", "group": "usual", "n": n, "tax_before": 1.0, "tax_after": 1.25, "rise": 0.25, **land}]
    )
    c = Context({"townships": unit, "changes": unit, "grades": pd.DataFrame({"grade": ["A"] * n}), "meta": {}}, "zh")
    assert _part({"part": 3, "whole": n, "n": n}, {"weight": "count", "goal": 0.5, "unit": ""}, "zh") == part
    assert [row["share"] for row in ROWS["townships"](c).rows] == [share]
    assert [row["share"] for row in ROWS["grades"](c).rows] == [None if share is None else 1.0]
    assert [row["rise"] for row in ROWS["changes"](c)] == [rise]
