"""Workbooks as clerks send them, each read rightly or told in words at its place: the smallest case of each kind of slip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from binary import ROW, record
from ledgers import code, csv_file, xlsx
from opendocument import ods

from lyeval.ledger import LedgerError, read_ledger
from lyeval.ledger.headings import find, take_apart
from lyeval.ledger.limits import peek
from lyeval.ledger.vocabulary import find_unit

KEYS = ["统一社会信用代码", "企业名称", "镇街", "规上", "年份"]
HEAD = [*KEYS, "实缴税金", "用地面积"]
CODES = [code(n) for n in range(1, 6)]
TOWNS = ["东镇", "东镇", "西镇", "西镇"]
FIRMS: list[list[Any]] = [[CODES[n], f"{n + 1}号机械有限公司", TOWNS[n], "否" if n else "是", 2023] for n in range(4)]
ROWS = [[*firm, 3.0 + n, 10.0 + n] for n, firm in enumerate(FIRMS)]


def read(tmp_path: Path, rows: list[list[Any]], **more: Any) -> Any:
    """Read one sheet of rows."""
    return read_ledger(xlsx(tmp_path / "a.xlsx", {"台账": rows, **more}))


def told(ledger: Any) -> set[str]:
    """Return the rules told."""
    return {fault.rule for fault in ledger.faults}


def test_a_parent_of_years_is_the_figure_and_its_children_are_the_periods(tmp_path):
    rows = [
        ["某县2023年度基础数据"],
        [*KEYS[:4], "税收情况", "", "", "土地情况"],
        ["", "", "", "", "2022年", "2023年", "2023年1-9月", "用地面积"],
        *([*firm[:4], 1.0, 2.0, 1.5, 10.0] for firm in FIRMS),
    ]
    merges = {"台账": [(1, 4, 1, 6), *((1, c, 2, c) for c in range(4))]}
    ledger = read_ledger(xlsx(tmp_path / "a.xlsx", {"台账": rows}, merges))
    assert ledger.annual.groupby("year")["tax_wan"].sum().tolist() == [4.0, 8.0]
    assert ledger.monthly["tax_wan"].tolist() == [1.5] * 4


@pytest.mark.parametrize("title", ["某县2023年1-10月", "截至2023年10月底"])
def test_a_plain_heading_takes_the_months_of_the_title(tmp_path, title):
    rows = [[title], [*KEYS[:4], "税收", "同期税收", "用地面积"], *([*firm[:4], 9.0, 8.0, 10.0] for firm in FIRMS)]
    ledger = read(tmp_path, rows)
    assert sorted(set(ledger.monthly[["year", "month"]].itertuples(index=False, name=None))) == [(2022, 10), (2023, 10)]
    assert "tax_wan" not in ledger.annual


def test_a_total_beside_months_is_the_year(tmp_path):
    heads = [*KEYS[:4], *(f"{month}月" for month in range(1, 13)), "合计"]
    rows = [["2023年税收明细"], heads, *([*firm[:4], *[1.0] * 12, 12.0] for firm in FIRMS)]
    assert read(tmp_path, rows).annual["tax_wan"].tolist() == [12.0] * 4


@pytest.mark.parametrize("words", ["二○二三年税收", "二0二三年税收", "税收（注1）", "税收（累计）", "税收（四舍五入）"])
def test_a_heading_that_is_the_tax_however_it_is_dressed(words):
    fit = find(take_apart(words), "annual")
    assert ([column.name for column in fit.columns], fit.kind) == (["tax_wan"], "column")


def test_a_heading_of_nothing_but_a_year_says_so(tmp_path):
    rows = [[*HEAD, "2022"], *([*row, 5] for row in ROWS)]
    assert {"heading_period"} == told(read(tmp_path, rows))


UNITS = {
    "萬圓": ("money", 10**4),
    "万元RMB": ("money", 10**4),
    "10000元": ("money", 10**4),
    "仟": ("money", 1000),
    "千㎡": ("area", 1000),
    "10^4kWh": ("energy", 10**4),
    "吉瓦时": ("energy", 10**6),
    "万元*": ("money", 10**4),
}


@pytest.mark.parametrize(("text", "unit"), UNITS.items())
def test_a_unit_is_its_parts(text, unit):
    assert find_unit(text) == unit


@pytest.mark.parametrize("unit", ["0.1亩", "m²/亩", "10k", "million", "亩/户"])
def test_a_bracket_of_no_known_unit_stops_at_its_heading(tmp_path, unit):
    rows = [[*KEYS, "实缴税金", f"用地面积（{unit}）"], *ROWS]
    with pytest.raises(LedgerError) as caught:
        read(tmp_path, rows)
    assert [(f.rule, f.params["unit"]) for f in caught.value.faults if f.severity == "error"] == [
        ("unit_unknown", unit.replace("²", "2"))
    ]


def test_a_line_of_two_units_is_both(tmp_path):
    ledger = read(tmp_path, [["计量单位：万元/平方米"], HEAD, *ROWS])
    assert ledger.annual["tax_wan"].tolist() == [3.0, 4.0, 5.0, 6.0]
    assert ledger.annual["land_mu"].iloc[0] == pytest.approx(10 * 3 / 2000)


def test_a_merged_figure_counts_once_in_a_total(tmp_path):
    rows = [HEAD, [*FIRMS[0], 7.0, 10.0], [*FIRMS[1], "", 11.0], ["合计", "", "", "", "", 7.0, 21.0]]
    ledger = read_ledger(xlsx(tmp_path / "a.xlsx", {"台账": rows}, {"台账": [(1, 5, 2, 5)]}))
    assert told(ledger) == {"merged_figure"}


def test_a_total_named_after_a_class_is_held_against_its_firms(tmp_path):
    totals = [["规上合计", "", "", "", "", 3.0, 10.0], ["规下小计", "", "", "", "", 16.0, 36.0]]
    ledger = read(tmp_path, [HEAD, *ROWS, *totals])
    assert [(f.rule, f.row, f.params["sum"]) for f in ledger.faults] == [("total_mismatch", 7, "15")]


def test_hidden_rows_of_a_web_page_are_counted(tmp_path):
    lines = [HEAD, *ROWS]
    style = {2: ' style="mso-height-source:userset; display : none"'}
    page = "".join(f"<tr{style.get(i, '')}>{''.join(f'<td>{c}</td>' for c in row)}</tr>" for i, row in enumerate(lines))
    (tmp_path / "a.xls").write_text(f"<html><table>{page}</table></html>", encoding="utf-8")
    ledger = read_ledger(tmp_path / "a.xls")
    assert [(f.rule, f.row, f.params["n"]) for f in ledger.faults] == [("rows_hidden", 3, 1)]


def test_hidden_rows_and_columns_of_an_old_workbook_are_counted():
    ledger = read_ledger(Path(__file__).parent / "fixtures" / "hidden.xls")
    assert {f.rule: f.params["n"] for f in ledger.faults if "hidden" in f.rule} == {
        "rows_hidden": 2,
        "columns_hidden": 2,
    }


def test_hidden_rows_of_an_open_document_are_counted(tmp_path):
    path = ods(tmp_path / "a.ods", {"台账": [HEAD, *ROWS]})
    ledger = read_ledger(
        _changed(path, "content.xml", b"<table:table-row>", b'<table:table-row table:visibility="filter">')
    )
    assert [(f.rule, f.params["n"]) for f in ledger.faults] == [("rows_hidden", 4)]


def test_a_file_that_does_not_show_what_is_hidden_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(peek.__globals__["PEEKS"], "ods", lambda path: {}["none"])
    assert told(read_ledger(ods(tmp_path / "a.ods", {"台账": [HEAD, *ROWS]}))) == {"hidden_unknown"}


def _changed(path: Path, part: str, before: bytes, after: bytes) -> Path:
    """Change a zipped workbook's part in place."""
    from zipfile import ZipFile

    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert before in parts[part]
    parts[part] = parts[part].replace(before, after)
    with ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def test_hidden_rows_of_a_binary_workbook_are_counted(tmp_path):
    import struct

    from binary import xlsb

    path = xlsb(tmp_path / "a.xlsb", {"台账": [HEAD, *ROWS]})
    seen = record(ROW, struct.pack("<IIHBBBI", 2, 0, 300, 0, 0, 0, 0))
    _changed(path, "xl/worksheets/sheet1.bin", seen, record(ROW, struct.pack("<IIHBBBI", 2, 0, 300, 0, 0x10, 0, 0)))
    assert [(f.rule, f.row, f.params["n"]) for f in read_ledger(path).faults] == [("rows_hidden", 3, 1)]


FOOT = [
    ["", "主要负责人：", "", "", "", "", ""],
    ["", "", "", "分管领导签字：", "", "", ""],
    ["", "2024年1月", "", "", "", "", ""],
]


def test_what_stands_below_the_firms_without_name_or_figure_is_told(tmp_path):
    ledger = read(tmp_path, [HEAD, *ROWS, *FOOT])
    assert len(ledger.enterprises) == 4
    assert [(f.rule, f.row) for f in ledger.faults] == [
        ("signature_row", 6),
        ("signature_row", 7),
        ("signature_row", 8),
    ]


def test_sheets_that_are_no_tables_are_told_for_what_they_are(tmp_path):
    sheets = {
        "填报说明": [["一、填实缴数"]],
        "示范": [HEAD, [CODES[4], "样厂", "东镇", "是", 2023, 999, 9]],
        "封面": [["台账"]],
    }
    ledger = read(tmp_path, [HEAD, *ROWS], **sheets)
    assert {f.sheet: f.params["what"] for f in ledger.faults if f.rule == "sheet_passed"} == {
        "填报说明": "填报说明",
        "示范": "填报示例",
        "封面": "封面、目录",
    }
    assert len(ledger.enterprises) == 4


@pytest.mark.parametrize("heading", ["用电情况", "税收情况", "用地情况"])
def test_words_under_a_heading_of_figures_are_no_figures(tmp_path, heading):
    rows = [[*HEAD, heading], *([*row, words] for row, words in zip(ROWS, ["正常", "停用", "正常", "—"], strict=True))]
    ledger = read(tmp_path, rows)
    assert ledger.annual["tax_wan"].tolist() == [3.0, 4.0, 5.0, 6.0]
    assert "heading_unknown" in told(ledger)


def test_a_bare_category_of_methods_is_the_method(tmp_path):
    rows = [
        [*HEAD, "类别"],
        *([*row, words] for row, words in zip(ROWS, ["提升", "关停", "整治", "提升"], strict=True)),
    ]
    ledger = read(tmp_path, rows)
    assert ledger.disposals["method"].tolist() == ["upgrade", "shut_down", "rectify", "upgrade"]
    assert told(ledger) == {"decided_by_values"}


CELLS = {
    (2, "同上"): "ditto_mark",
    (2, "〃"): "ditto_mark",
    (2, "#REF!"): "cell_error",
    (5, "#VALUE!"): "cell_error",
    (5, "####"): "cell_error",
    (5, "12（约）"): "number_about",
    (5, "12（暂估）"): "number_about",
}


@pytest.mark.parametrize(("place", "rule"), CELLS.items())
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_cell_is_read_or_told(tmp_path, place, rule, form):
    rows = [HEAD, *([*row] for row in ROWS)]
    rows[2][place[0]] = place[1]
    path = xlsx(tmp_path / "a.xlsx", {"台账": rows}) if form == "xlsx" else csv_file(tmp_path / "a.csv", rows)
    ledger = read_ledger(path)
    assert [(f.rule, f.row, f.value) for f in ledger.faults if f.rule != "missing_tax"] == [(rule, 3, place[1])]
    assert len(ledger.enterprises) == 4


@pytest.mark.parametrize(
    ("place", "cell", "rule"), [(4, "2023/2022", "year_unreadable"), (3, "规上（2023年退库）", "flag_unreadable")]
)
def test_a_cell_that_says_two_things_is_asked_about(tmp_path, place, cell, rule):
    rows = [HEAD, *([*row] for row in ROWS)]
    rows[2][place] = cell
    with pytest.raises(LedgerError) as caught:
        read(tmp_path, rows)
    assert [(f.rule, f.row) for f in caught.value.faults if f.severity == "error"] == [(rule, 3)]


LAND = [[*KEYS, "用地面积"], *([*row[:5], row[6]] for row in ROWS)]


def test_a_department_that_knows_fewer_firms_loses_none(tmp_path):
    xlsx(tmp_path / "企业.xlsx", {"Sheet1": LAND})
    xlsx(
        tmp_path / "税务.xlsx",
        {"Sheet1": [["纳税人识别号", "纳税人名称", "2023年税收"], *([*row[:2], row[5]] for row in ROWS[:2])]},
    )
    ledger = read_ledger(tmp_path)
    assert len(ledger.enterprises) == 4
    assert ledger.annual["tax_wan"].tolist()[:2] == [3.0, 4.0]


@pytest.mark.parametrize("together", [True, False])
def test_a_department_that_mixes_its_keys_is_joined_by_each(tmp_path, together):
    keys = [CODES[0], "", f"371329{CODES[2][8:17]}", CODES[3][8:17]]
    tax = [
        ["纳税人识别号", "纳税人名称", "2023年税收"],
        *([key, row[1], row[5]] for key, row in zip(keys, ROWS, strict=True)),
    ]
    files = [xlsx(tmp_path / "企业.xlsx", {"Sheet1": LAND}), xlsx(tmp_path / "税务.xlsx", {"Sheet1": tax})]
    ledger = read_ledger(tmp_path if together else files)
    assert ledger.annual["tax_wan"].tolist() == [3.0, 4.0, 5.0, 6.0]
    filled = [(f.row, f.params["how"]) for f in ledger.faults if f.rule == "code_filled"]
    assert filled == [(3, "企业名称"), (4, "组织机构代码"), (5, "组织机构代码")]


def test_a_year_without_any_code_takes_them_from_the_file_of_the_year_before(tmp_path):
    later = [HEAD, *(["", *row[1:4], 2024, *row[5:]] for row in ROWS)]
    files = [xlsx(tmp_path / "2023.xlsx", {"S": [HEAD, *ROWS]}), xlsx(tmp_path / "2024.xlsx", {"S": later})]
    ledger = read_ledger(files)
    assert ledger.annual["year"].tolist() == [2023, 2024] * 4
    assert told(ledger) == {"code_filled", "files_joined"}


def test_parcels_of_the_land_office_are_no_firms_twice(tmp_path):
    xlsx(tmp_path / "企业.xlsx", {"Sheet1": [HEAD, *ROWS]})
    parcels = [["权利人", "证载面积（㎡）", "坐落"], [ROWS[0][1], 100.0, "甲路"], [ROWS[0][1], 200.0, "乙路"]]
    xlsx(tmp_path / "自规.xlsx", {"Sheet1": parcels})
    assert told(read_ledger(tmp_path)) == {"joined_by_name", "annual_ignored"}


def test_a_former_name_in_a_departments_table_is_no_contradiction(tmp_path):
    xlsx(
        tmp_path / "企业.xlsx",
        {"Sheet1": [[*LAND[0], "曾用名"], *([*row, f"旧{n}厂"] for n, row in enumerate(LAND[1:]))]},
    )
    xlsx(tmp_path / "税务.xlsx", {"Sheet1": [["纳税人名称", "2023年税收"], *([f"旧{n}厂", 5.0] for n in range(4))]})
    ledger = read_ledger(tmp_path)
    assert told(ledger) == {"joined_by_name"}
    assert ledger.annual["tax_wan"].tolist() == [5.0] * 4


@pytest.mark.parametrize(
    ("heading", "words", "column"),
    [("低效原因", "已停产", "停产起始时间"), ("注", "承租丙厂厂房", "租入"), ("remarks", "已迁出", "处置结果")],
)
def test_remarks_under_any_name_are_searched(tmp_path, heading, words, column):
    rows = [[*HEAD, heading], [*ROWS[0], words], *([*row, ""] for row in ROWS[1:])]
    said = [f for f in read(tmp_path, rows).faults if f.rule == "remark_says"]
    assert [(f.row, f.params["column"]) for f in said] == [(2, column)]
