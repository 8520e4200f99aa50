"""Tables on disk, and the arithmetic of the report's own tables, on small ledgers counted by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from build import ledger, years

from lyeval import report
from lyeval.assessment import assess, readings
from lyeval.ledger import Ledger
from lyeval.policy import load_policy
from lyeval.tables.proceedings import disposals, summary

LINSHU, ZHOUSHAN = load_policy("linshu-2021"), load_policy("zhoushan-2020")


def small() -> Ledger:
    """Twelve below-scale firms of 10 亩 (two below 1 万元/亩 in 2023), one above-scale firm below the line, one that is gone."""
    annual = []
    for i in range(12):
        low = {2019: 4, 2020: 5, 2021: 5, 2022: 6, 2023: 9 if i < 2 else 40}
        annual += years(f"B{i:02d}", low if i < 6 else dict.fromkeys(range(2019, 2024), 30), 10, False)
    annual += years("A00", {2019: 50, 2020: 20, 2021: 20, 2022: 20, 2023: 25}, 30, True)
    annual += years("G00", {2019: 1, 2020: 1, 2021: 1, 2022: 1, 2023: None}, 12, False)
    firms = [{"credit_code": r["credit_code"], "name": f"=企业{r['credit_code']}", "township": "甲镇", "industry_code": "3311"}
             for r in annual if r["year"] == 2023]  # fmt: skip
    cases = [
        {"credit_code": "B00", "method": "upgrade", "outcome": "进行中", "started": "2022-03-01", "due": "2023-03-01"},
        {"credit_code": "B02", "method": "upgrade", "outcome": "达标", "started": "2022-03-01", "finished": "2023-06-30"},
        {"credit_code": "B03", "method": "upgrade", "outcome": "达标", "started": "2023-03-01", "finished": "2024-06-30"},
        {"credit_code": "G00", "method": "land_bank", "outcome": "整体收储", "started": "2023-01-05", "finished": "2023-09-01",
         "released_mu": 12.0, "demolished_m2": 300.0},
        {"credit_code": "B04", "method": "rectify", "outcome": "达标", "started": "2021-03-01", "finished": "2022-01-30"},
        {"credit_code": "B05", "method": "rectify", "outcome": "达标", "started": "2024-03-01", "finished": None},
    ]  # fmt: skip
    process = [{"credit_code": "B00", "notified": "2022-02-01", "certified": "2022-03-01"},
               {"credit_code": "B01", "notified": "2022-02-01", "certified": "2024-03-01"}]  # fmt: skip
    return ledger(enterprises=firms, annual=annual, disposals=cases, process=process)


@pytest.fixture(scope="module")
def tables() -> dict:
    """Return the tables of the small county's 2023."""
    book = small()
    now = assess(book, LINSHU, 2023)
    made = report.ledger_tables(book) | report.assessment_tables(now, readings(book, LINSHU, 2023))
    return made | report.assumption_tables()


def same(a: dict, b: dict) -> None:
    """Assert that two sets of tables are equal in values, dtypes and order."""
    assert list(a) == list(b) or sorted(a) == sorted(b)
    for name, table in a.items():
        if isinstance(table, dict):
            assert b[name] == table
        else:
            pd.testing.assert_frame_equal(table.reset_index(drop=True), b[name])


def test_saved_tables_come_back_as_they_were(tables: dict, tmp_path: Path) -> None:
    report.save(tmp_path, tables)
    same(tables, report.load(tmp_path))


def test_saving_is_repeatable_and_adds_to_what_is_there(tables: dict, tmp_path: Path) -> None:
    report.save(tmp_path / "a", tables)
    half = dict(list(tables.items())[:9])
    report.save(tmp_path / "b", half)
    report.save(tmp_path / "b", {k: v for k, v in tables.items() if k not in half})
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == sorted(p.name for p in (tmp_path / "b").iterdir())
    assert all((tmp_path / "a" / n).read_bytes() == (tmp_path / "b" / n).read_bytes() for n in names)


def test_odd_values_survive_the_disk(tmp_path: Path) -> None:
    odd = pd.DataFrame({
        "text": pd.Series(["=1+1", "'quoted", "a,\"b\"\nc\r", ""], dtype="str"),
        "gaps": pd.Series(["", None, "-5", "＝x"], dtype=object),
        "missing": pd.Series([np.nan, "x", "", "@y"], dtype="str"),
        "flag": pd.Series([True, False, None, True], dtype=object),
        "nullable": pd.array([True, None, False, True], dtype="boolean"),
        "list": pd.Series([["=a", "b"], [], None, [1, None]], dtype=object),
        "real": [0.1 + 0.2, np.nan, np.inf, -1e-300],
        "mixed": pd.Series([1, 1.0, "1", None], dtype=object),
        "day": pd.to_datetime(["2023-01-31", None, "1999-12-31", "2024-02-29"]).astype("datetime64[us]"),
        "whole": np.array([1, -2, 3, 4], dtype="int64"),
    })  # fmt: skip
    empty = pd.DataFrame({"a": pd.Series(dtype="str"), "b": pd.Series(dtype="float64"), "c": pd.Series(dtype=object)})
    told = {"a": None, "b": [1, "x"], "c": {"k": 0.5}, "=d": "=e"}
    report.save(tmp_path, {"odd": odd, "empty": empty, "told": told})
    same({"odd": odd, "empty": empty, "told": told}, report.load(tmp_path))


def test_no_cell_on_disk_is_a_formula(tables: dict, tmp_path: Path) -> None:
    import csv

    report.save(tmp_path, tables)
    for path in tmp_path.glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                for cell in row:
                    assert not cell.startswith(("=", "+", "@", "\t", "\r"))
                    assert not cell.startswith("-") or float(cell) < 0


def test_nothing_to_load_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="没有已保存的表"):
        report.load(tmp_path)


def test_disposals_stand_as_at_the_years_end_and_close() -> None:
    now = assess(small(), LINSHU, 2023)
    rows = disposals(now).set_index("credit_code")
    assert rows["state"].to_dict() == {
        "B00": "open", "B02": "finished", "B03": "open", "G00": "finished", "B04": "earlier",
    }  # fmt: skip
    assert rows.loc["B03", "outcome"] == "进行中"
    assert pd.isna(rows.loc["B03", "finished"])
    by = summary(now, disposals(now)).set_index("method")
    assert by.loc["all", ["opening", "started", "finished", "closing", "overdue"]].tolist() == [2, 2, 2, 2, 1]
    assert by.loc["reserve", ["released_mu", "demolished_m2"]].tolist() == [12.0, 300.0]
    assert by.loc["all", "outcomes"] == {"整体收储": 1, "达标": 1}


def test_tax_of_the_listed_stands_beside_the_usual_rise(tables: dict) -> None:
    rows = {(r.group, r.year): r for r in tables["changes"].itertuples()}
    own = rows["listed", 2023]
    assert (own.n, own.tax_before, own.tax_after) == (7, 6 * 6 + 20, 2 * 9 + 4 * 40 + 25)
    usual = rows["usual", 2020]
    assert (usual.n, usual.tax_before, usual.tax_after) == (7, 6 * 4 + 1, 6 * 5 + 1)


def test_opening_list_is_the_next_list_on_this_years_facts(tables: dict) -> None:
    rows = tables["opening_list"]
    rows = rows[rows["identified"].eq(True)].set_index("credit_code")
    assert rows.index.tolist() == ["A00", "B00", "B01"]
    assert rows["before"].tolist() == [True, True, True]
    assert rows.loc["A00", "line"] == 2.0
    assert rows.loc["A00", "tax_needed_wan"] == pytest.approx(2 * 30 - 25)


def test_firms_that_are_new_because_the_line_rises_are_marked() -> None:
    annual = years("A00", {2022: 45, 2023: 45}, 30, True) + years("B00", {2022: 45, 2023: 45}, 30, False)
    rows = report.assessment_tables(assess(ledger(annual=annual), LINSHU, 2023))["opening_list"]
    rows = rows[rows["identified"].eq(True)]
    assert rows[["credit_code", "before", "by_line"]].to_numpy().tolist() == [["A00", False, True]]


def test_next_year_outside_the_plan_is_by_the_same_rule() -> None:
    annual = years("A00", {2019: 10, 2020: 10}, 10, True)
    made = report.assessment_tables(assess(ledger(annual=annual), ZHOUSHAN, 2020))
    assert made["meta"]["next_governed"] is False
    assert made["opening_list"]["credit_code"].tolist() == ["A00"]


def test_base_year_is_scored_under_every_reading_of_the_share() -> None:
    annual = (
        years("L", {2020: 10}, 34.7, False) + years("H", {2020: 900}, 65.3, False) + years("S", {2020: 0}, 5, False)
    )
    rows = report.assessment_tables(assess(ledger(annual=annual), LINSHU, 2023))["baseline"]
    default = rows[rows["default"].astype(bool)].iloc[0]
    assert default["value"] == pytest.approx(0.347)
    assert default["reproduces"]
    by = {r["reading"]["share"]: r for r in rows.to_dict("records") if r["reading"]["baseline"] == "y2020"}
    assert by["area_all_small"]["value"] == pytest.approx(39.7 / 105)
    assert not by["area_all_small"]["reproduces"]
    assert by["count"]["value"] == pytest.approx(1 / 2)


def test_no_base_year_no_score(tables: dict) -> None:
    book = ledger(annual=years("B", {2022: 1, 2023: 1}, 20, False))
    assert not len(report.assessment_tables(assess(book, LINSHU, 2023))["baseline"])
    assert len(tables["baseline"])


def test_missing_tax_narrows_by_what_it_would_settle() -> None:
    annual = [r for i in range(4) for r in years(f"B{i}", {2022: 40, 2023: 40}, 20, False)]
    annual += years("B9", {2022: 40, 2023: None}, 20, False)
    row = report.assessment_tables(assess(ledger(annual=annual), LINSHU, 2023))["narrowing"].iloc[0]
    assert (row["fact"], row["n"], row["department"]) == ("tax_wan", 1, "税务部门")
    assert row["narrower"] == pytest.approx(0.2)


def test_consequences_name_whom_they_meet_by_clause() -> None:
    annual = years("A", {2019: 10, 2020: 10}, 10, True) + years("B", {2019: 10, 2020: 30}, 10, False)
    cases = [{"credit_code": "B", "method": "upgrade", "outcome": "达标", "finished": "2020-11-01", "upgraded": True}]
    rows = report.assessment_tables(assess(ledger(annual=annual, disposals=cases), ZHOUSHAN, 2020))["consequences"]
    met = {r["credit_code"]: r for r in rows.to_dict("records")}
    assert (met["A"]["consequence"], met["A"]["year"], met["A"]["clause"]) == ("grade_D", 2021, "四(二)四")
    assert "不享受市、县（区）、功能区扶持政策" in met["A"]["effects"]
    assert met["B"]["consequence"] == "retrofit_subsidy"


def test_land_use_tax_is_shown_with_and_without() -> None:
    annual = years("B", {2022: 5, 2023: 11}, 10, False, land_use_tax_extra_wan=2.0)
    book = ledger(annual=annual, process=[{"credit_code": "B", "key_listed": "2022-06-01"}])
    rows = report.assessment_tables(assess(book, LINSHU, 2023))["land_use_tax"]
    told = {r["counted"]: r["value"] for r in rows.to_dict("records") if r["id"] == "below_scale_low_land_share"}
    assert told == {"with": 0.0, "without": 1.0}


def test_spread_adds_up(tables: dict) -> None:
    towns, own = tables["townships"], tables["enterprises"]
    here = own[own["in_scope"].eq(True) & ~own["gone"].eq(True)]
    assert towns["n"].sum() == len(here) == 13
    assert towns["land_mu"].sum() == pytest.approx(here["land_mu"].sum())
    assert towns["tax_per_mu"].iloc[0] == pytest.approx(here["tax_wan"].sum() / here["land_mu"].sum())


def test_row_order_changes_no_table() -> None:
    from dataclasses import replace

    book = small()
    turned = replace(book, disposals=book.disposals.iloc[::-1].reset_index(drop=True))
    a, b = (report.assessment_tables(assess(x, LINSHU, 2023)) for x in (book, turned))
    same({k: v for k, v in a.items() if k != "disposals"}, {k: v for k, v in b.items() if k != "disposals"})


def test_a_report_date_is_never_the_clock(tables: dict, tmp_path: Path) -> None:
    assert str(date.today().year) not in report.build_report(tables).title or date.today().year == 2023
    report.write(tables, tmp_path / "a")
    report.write(tables, tmp_path / "b")
    for name in ("report.html", "annex.xlsx"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_counties_add_up_to_the_citys_targets() -> None:
    firms = [{"credit_code": c, "county": "甲区" if c < "C" else "乙县"} for c in "ABCD"]
    annual = [r for c, t in zip("ABCD", (30, 1, 30, None), strict=True) for r in years(c, {2019: 1, 2020: t}, 10, True)]
    cases = [
        {"credit_code": "B", "method": "shut_down", "outcome": "关停", "finished": "2020-05-01", "demolished_m2": 70.0}
    ]
    now = assess(ledger(enterprises=firms, annual=annual, disposals=cases), ZHOUSHAN, 2020, level="city")
    rows = report.assessment_tables(now)["county_targets"].to_dict("records")
    told = {(r["county"], r["target"]): (r["part"], r["whole"]) for r in rows}
    assert told["甲区", "above_scale_reach"] == (1.0, 1.0)
    assert told["乙县", "above_scale_reach"] == (1.0, 1.0)
    assert told["甲区", "closures"] == (1.0, None)
    assert (told["甲区", "demolition"], told["乙县", "demolition"]) == ((70.0, None), (0.0, None))
