"""One planted fault of each kind in the table of rules: found where it was planted, and none in a clean ledger."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hostile import FIXTURE
from ledgers import ANNUAL, BOTH, ENTERPRISES, A, B, C, code, csv_file, rewritten, xlsx
from opendocument import ods
from test_ledger_forms import office_form
from test_ledger_hostile import bomb, far_binary

from lyeval.ledger import RULES, Fault, LedgerError, audit, check_place, read_ledger

LINES = {(2023, True): 0.6, (2023, False): 1.0}
OTHER = "海曙区"
CODE, YEAR = "统一社会信用代码", "年份"
DISPOSALS = [
    [CODE, "处置方式", "处置结果", "开始日期", "完成日期", "销号日期"],
    [A, "提升", "达标", "2023-02-01", "2023-10-20", ""],
]
PROCESS = [[CODE, "告知", "认定", "初验"], [A, "2022-05-01", "2022-05-20", "2023-10-30"]]
MONTHS = [[CODE, YEAR, "月份", "当月实缴税金"], [A, 2023, 1, 2], [A, 2023, 2, 3]]
ITEMS = [[CODE, YEAR, "税种", "入库类型", "金额"], [A, 2023, "增值税", "入库", 3]]
CLEAN = BOTH | {"处置": DISPOSALS, "流程": PROCESS, "月度": MONTHS, "税项": ITEMS}


def told(path: Any) -> tuple[Fault, ...]:
    """Return all that reading and the auditor's questions tell."""
    try:
        read = read_ledger(path, county=OTHER)
    except LedgerError as error:
        return error.faults
    return (*read.faults, *audit(read, LINES), *check_place(read, "临沭县", "371329", "county"))


def cell(sheet: str, row: int, heading: str, value: Any) -> Callable[[Path], Path]:
    """Plant a cell."""

    def make(folder: Path) -> Path:
        rows = [list(r) for r in CLEAN[sheet]]
        rows[row - 1][rows[0].index(heading)] = value
        return xlsx(folder / "f.xlsx", CLEAN | {sheet: rows})

    return make


def column(sheet: str, heading: str, *values: Any) -> Callable[[Path], Path]:
    """Plant a column; its last value stands in all further rows."""

    def make(folder: Path) -> Path:
        rows = CLEAN[sheet]
        more = [*values, *[values[-1]] * len(rows)] if values else [""] * len(rows)
        return xlsx(
            folder / "f.xlsx",
            CLEAN | {sheet: [[*rows[0], heading], *[[*r, v] for r, v in zip(rows[1:], more, strict=False)]]},
        )

    return make


def rows(sheet: str, *more: list[Any]) -> Callable[[Path], Path]:
    """Plant rows at the end of a sheet."""
    return lambda folder: xlsx(folder / "f.xlsx", CLEAN | {sheet: [*CLEAN[sheet], *more]})


def sheets(**tables: Any) -> Callable[[Path], Path]:
    """Plant whole sheets beside those of the clean ledger, or in their place."""
    return lambda folder: xlsx(folder / "f.xlsx", CLEAN | tables)


def alone(**tables: Any) -> Callable[[Path], Path]:
    """Write these sheets and no others."""
    return lambda folder: xlsx(folder / "f.xlsx", tables)


def file(name: str, data: bytes) -> Callable[[Path], Path]:
    """Write a file of these bytes."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


def beside(name: str, data: bytes) -> Callable[[Path], Path]:
    """Write a folder that holds a clean workbook and another file."""

    def make(folder: Path) -> Path:
        xlsx(folder / "f.xlsx", CLEAN)
        (folder / name).write_bytes(data)
        return folder

    return make


def hidden(folder: Path) -> Path:
    """Write the clean ledger with a hidden sheet."""
    book = xlsxwriter.Workbook(str(folder / "f.xlsx"))
    for name, table in CLEAN.items():
        sheet = book.add_worksheet(name)
        for r, row in enumerate(table):
            sheet.write_row(r, 0, row)
    sheet = book.add_worksheet("年度旧")
    sheet.write_row(0, 0, ANNUAL[0])
    sheet.hide()
    book.close()
    return folder / "f.xlsx"


def two(folder: Path) -> list[Path]:
    """Write two ledgers of one city that share an enterprise."""
    return [csv_file(folder / f"{name}.csv", ANNUAL[:2]) for name in "ab"]


def raw(old: str, new: str) -> Callable[[Path], Path]:
    """Change the XML of the sheet 年度: a cell by its name, or words of a tag."""

    def make(folder: Path) -> Path:
        path = xlsx(folder / "f.xlsx", {"年度": ANNUAL} | {n: t for n, t in CLEAN.items() if n != "年度"})
        pattern = rf'<c r="{old}"[^>]*>.*?</c>' if old[-1].isdigit() else re.escape(old)
        return rewritten(path, lambda xml: re.sub(pattern, new, xml, count=1))

    return make


def across(folder: Path) -> Path:
    """Merge one firm's tax with its land."""
    return xlsx(folder / "f.xlsx", CLEAN, {"年度": [(2, 3, 2, 4)]})


def open_document(folder: Path) -> Path:
    """Write an OpenDocument workbook whose columns cannot be counted."""
    return ods(folder / "f.ods", CLEAN, '<table:table-column table:number-columns-repeated="x"/>')


def merged(folder: Path) -> Path:
    """Write the clean ledger with one figure for two firms."""
    return xlsx(folder / "f.xlsx", CLEAN, {"年度": [(4, 3, 5, 3)]})


def joined(folder: Path) -> list[Path]:
    """Write the clean ledger and a file with another figure of its firms."""
    power = [[CODE, "2023年用电量"], [A, 3], [B, 4], [C, 5]]
    return [xlsx(folder / "f.xlsx", CLEAN), xlsx(folder / "g.xlsx", {"供电": power})]


def form(*, twins: bool = False, **more: Any) -> Callable[[Path], Path]:
    """Write the clean ledger and a survey form of its first enterprise, or of its namesake."""

    def make(folder: Path) -> Path:
        names = [*ENTERPRISES[:3], [C, "甲公司" if twins else "丙公司", *ENTERPRISES[3][2:]]]
        xlsx(folder / "f.xlsx", CLEAN | {"企业": names})
        office_form(folder / "调查表.xlsx", **({"day": "2023年3月5日"} | more))
        return folder

    return make


def mapped(text: str) -> Callable[[Path], Path]:
    """Write the clean ledger and its own word on headings."""

    def make(folder: Path) -> Path:
        (folder / "f.columns.yaml").write_text(text, encoding="utf-8")
        return xlsx(folder / "f.xlsx", CLEAN)

    return make


def wrong_digits(folder: Path) -> Path:
    """Write the clean ledger with one check digit wrong throughout."""
    wrong = A[:17] + ("1" if A[17] != "1" else "2")
    made = {name: [[wrong if v == A else v for v in row] for row in table] for name, table in CLEAN.items()}
    return xlsx(folder / "f.xlsx", made)


PARCELS = [
    [*ANNUAL[0], "宗地"],
    [A, 2023, "是", 12, 10, "一"],
    [A, 2023, "是", 12, 10, "二"],
    *[[*r, ""] for r in ANNUAL[3:]],
]
WIDE = [CODE, "企业名称"]
Plant = tuple[Callable[[Path], Any], str, int | None]
PLANTS: dict[str, Plant] = {
    "file_missing": (lambda folder: folder / "none.xlsx", "", None),
    "file_empty": (file("a.xlsx", b""), "", None),
    "file_unreadable": (file("a.xlsx", b"not a workbook"), "", None),
    "file_password": (lambda _: FIXTURE.with_name("locked.xlsx"), "", None),
    "file_kind": (file("a.et", b"x"), "", None),
    "file_too_large": (lambda folder: bomb(folder / "a.xlsx"), "", None),
    "file_passed_over": (beside("照片.jpg", b"x"), "", None),
    "encoding": (file("a.csv", b"\xff\xff\x00\x01\x81"), "", None),
    "no_table": (file("a.csv", "一,二\n三,四\n".encode()), "", None),
    "sheet_unknown": (sheets(附注=[["请勿外传"]]), "附注", None),
    "sheet_hidden": (hidden, "年度旧", None),
    "sheet_too_large": (lambda folder: far_binary(folder / "a.xlsx"), "xl/worksheets/sheet1.bin", None),
    "heading_ambiguous": (column("年度", "面积", 1), "年度", None),
    "heading_twice": (alone(年度=[[CODE, YEAR, "税收", "纳税额"], [A, 2023, 1, 2]]), "年度", None),
    "heading_second": (column("年度", "税收", 1), "年度", None),
    "heading_unknown": (column("年度", "其他指标甲", 1), "年度", None),
    "heading_refused": (column("年度", "应缴税额", 1), "年度", None),
    "heading_near": (column("年度", "净利润", 1), "年度", None),
    "heading_note": (column("企业", "所在园区（含小微园）", "甲园"), "企业", None),
    "decided_by_values": (column("年度", "分类", "A", "B", "C", "A", "B"), "年度", None),
    "unit_wrong": (column("年度", "用电量（亩）", 1), "年度", None),
    "no_code": (lambda folder: csv_file(folder / "n.csv", [["企业名称", "年份", "税收"], ["甲", 2023, 1]]), "", None),
    "no_key": (sheets(月度=[[CODE, YEAR, "税收"], [A, 2023, 2]]), "月度", None),
    "no_year": (alone(年度=[[CODE, "规上", "税收"], [A, "是", 2]]), "年度", None),
    "class_assumed": (alone(规上企业=[r[:2] + r[3:] for r in ANNUAL[:3]]), "规上企业", None),
    "year_assumed": (alone(年度=[["2023年度台账"], [CODE, "规上", "税收", "占地面积"], [A, "是", 2, 3]]), "年度", None),
    "annual_ignored": (column("企业", "税收", 1), "企业", None),
    "number_unreadable": (cell("年度", 3, "实缴税金", "不少于12"), "年度", 3),
    "date_unreadable": (cell("企业", 2, "保护期至", "2021-02-30"), "企业", 2),
    "date_wanted": (cell("企业", 2, "保护期至", "是"), "企业", 2),
    "date_completed": (cell("企业", 2, "保护期至", "2021年"), "企业", 2),
    "flag_unreadable": (cell("企业", 3, "公益类", "可能"), "企业", 3),
    "scale_size": (cell("年度", 6, "规上", "中型"), "年度", 6),
    "outcome_unreadable": (cell("处置", 2, "处置结果", "很好"), "处置", 2),
    "outcome_done": (cell("处置", 2, "处置结果", "已完成"), "处置", 2),
    "outcome_words": (cell("处置", 2, "处置结果", "已关停，正在注销"), "处置", 2),
    "outcome_none": (cell("处置", 2, "处置结果", "已销号"), "处置", 2),
    "method_unknown": (cell("处置", 2, "处置方式", "绿色通道"), "处置", 2),
    "flow_unreadable": (cell("税项", 2, "入库类型", "其他款"), "税项", 2),
    "year_unreadable": (cell("年度", 2, "年份", "去年"), "年度", 2),
    "year_range": (cell("年度", 2, "年份", 1989), "年度", 2),
    "month_unreadable": (cell("月度", 3, "月份", 13), "月度", 3),
    "negative": (cell("年度", 5, "土地总面积", -3), "年度", 5),
    "share_range": (column("企业", "建筑密度", "", 350, ""), "企业", 3),
    "reason_words": (column("企业", "例外行业", "", "冷链仓储", ""), "企业", 3),
    "total_mismatch": (rows("年度", ["合计", "", "", 99, ""]), "年度", 7),
    "code_missing": (cell("年度", 4, CODE, ""), "年度", 4),
    "code_wrong": (cell("年度", 4, CODE, A[:17]), "年度", 4),
    "code_number": (cell("年度", 4, CODE, 913713290000000012), "年度", 4),
    "key_missing": (cell("年度", 2, "年份", ""), "年度", 2),
    "duplicate_enterprise": (rows("企业", ENTERPRISES[1]), "企业", 5),
    "duplicate_year": (rows("年度", ANNUAL[2]), "年度", 7),
    "duplicate_month": (rows("月度", MONTHS[1]), "月度", 4),
    "duplicate_row": (rows("处置", DISPOSALS[1]), "处置", 3),
    "code_in_two_files": (two, "", 2),
    "contradiction": (sheets(税务=[ANNUAL[0][:4], [A, 2023, "是", 99]]), "税务", 2),
    "orphan": (cell("年度", 5, CODE, code(77)), "年度", 5),
    "no_enterprises": (alone(年度=[ANNUAL[0]]), "", None),
    "check_digit": (wrong_digits, "企业", None),
    "two_names": (column("年度", "企业名称", "甲公司", "甲公司", "乙公司", "己公司", "丙公司"), "年度", 5),
    "same_name": (cell("企业", 4, "企业名称", "甲公司"), "企业", 4),
    "identity_changes": (
        alone(年度=[[*ANNUAL[0], "镇街"], *[[*r, "甲镇" if r[1] == 2022 else "乙镇"] for r in ANNUAL[1:3]]]), "年度", 2,
    ),
    "missing_tax": (cell("年度", 5, "实缴税金", ""), "年度", 5),
    "missing_land": (cell("年度", 5, "土地总面积", ""), "年度", 5),
    "land_blank": (alone(年度=[[*ANNUAL[0], "批准面积"], [A, 2023, "是", 1, "", 20]]), "年度", 2),
    "missing_column": (alone(年度=[r[:4] for r in ANNUAL]), "", None),
    "no_annual": (rows("企业", [code(9), "戊公司", "临沭县", "大兴镇", "", ""]), "企业", 5),
    "period_ignored": (column("年度", "10月产值", 1), "年度", None),
    "period_spread": (alone(s=[[*WIDE, "2022年税收", "2023年税收", "占地面积"], [A, "甲", 1, 2, 3]]), "s", None),
    "period_latest": (
        alone(s=[[*WIDE, "2022年税收", "2023年税收", "亩均税收"], [A, "甲", 1, 2, 0.3]]), "s", None,
    ),
    "months_assumed": (sheets(s=[["2021年10月入库税收"], [CODE, "本年累计税收"], [A, 3]]), "s", None),
    "whole_assumed": (
        alone(s=[["2021年10月台账"], [*WIDE, "规上", "税收", "占地面积"], [A, "甲", "是", 3, 20]]), "s", None,
    ),
    "months_lumped": (alone(s=[[*WIDE, "2022年税收", "2023年1-10月累计税收"], [A, "甲", 9, 8]]), "s", None),
    "total_falls": (sheets(s=[[CODE, "2023年1月税收", "2023年1-2月累计税收"], [C, 3, 2]]), "s", 2),
    "measure_assumed": (alone(税收=[["历年税收（万元）"], [*WIDE, "2022年", "2023年"], [A, "甲", 1, 2]]), "税收", None),
    "joined_by_name": (sheets(自规=[["用地单位", YEAR, "占地面积"], ["甲公司", 2023, 20]]), "自规", None),
    "unmatched": (sheets(自规=[["用地单位", YEAR, "占地面积"], ["甲公司", 2023, 20], ["丁公司", 2023, 9]]), "自规", 3),
    "parcels_joined": (alone(年度=PARCELS), "年度", 2),
    "tax_repeated": (alone(年度=PARCELS), "年度", 2),
    "scale_row": (cell("年度", 3, "实缴税金", 122500), "年度", 3),
    "scale_column": (alone(年度=[ANNUAL[0], *[[*r[:3], 10**6, r[4]] for r in ANNUAL[1:]]]), "年度", None),
    "closed_active": (sheets(处置=[DISPOSALS[0], [A, "淘汰", "关停", "2022-02-01", "2022-10-20", ""]]), "年度", 3),
    "method_outcome": (sheets(处置=[DISPOSALS[0], [A, "提升", "关停", "2023-02-01", "2023-10-20", ""]]), "处置", 2),
    "certified_early": (cell("流程", 2, "认定", "2022-05-03"), "流程", 2),
    "written_off_unaccepted": (rows("处置", [C, "提升", "达标", "2023-02-01", "", "2023-12-01"]), "处置", 3),
    "date_order": (cell("处置", 2, "完成日期", "2023-01-20"), "处置", 2),
    "ratio_differs": (column("年度", "亩均税收", 0.525, 0.6125, 1 / 24, 2, 0.2), "年度", 5),
    "tripled": (cell("年度", 3, "实缴税金", 99), "年度", 3),
    "reached_below_line": (sheets(处置=[DISPOSALS[0], [B, "提升", "达标", "2023-02-01", "2023-10-20", ""]]), "处置", 2),
    "form_matched": (form(), "Sheet1", 3),
    "form_dated": (form(), "Sheet1", 3),
    "form_unmatched": (form(name="丁公司"), "Sheet1", 3),
    "form_township": (form(town="玉山镇"), "Sheet1", 3),
    "form_same_name": (form(twins=True), "Sheet1", 3),
    "form_year": (form(day="年 月 日"), "Sheet1", 3),
    "text_unreadable": (mapped("甲: &a\n乙: *a\n"), "", 1),
    "mapping_form": (mapped("- 甲\n- 乙\n"), "", None),
    "mapping_column": (mapped("税收数: annual.tax_man\n"), "", None),
    "mapping_open": (mapped("税收数: '?'\n"), "", None),
    "unit_unknown": (column("年度", "产值（美元）", 1), "年度", None),
    "heading_qualified": (column("年度", "销售收入（含出口）", 1), "年度", None),
    "file_disguised": (file("f.xls", b"MIME-Version: 1.0"), "", None),
    "sheet_passed": (sheets(字典=[["镇街", "规上"], ["大兴镇", "是"]]), "字典", None),
    "cell_error": (raw("D3", '<c r="D3" t="e"><v>#SPILL!</v></c>'), "年度", 3),
    "formula_blank": (raw("D3", '<c r="D3"><f>1+1</f></c>'), "年度", 3),
    "rows_hidden": (raw(r'row r="3"', 'row r="3" hidden="1"'), "年度", 3),
    "columns_hidden": (raw("<sheetData>", '<cols><col min="4" max="4" hidden="1"/></cols><sheetData>'), "年度", None),
    "merged_figure": (merged, "年度", 5),
    "merged_columns": (across, "年度", 3),
    "hidden_unknown": (open_document, "", None),
    "heading_period": (column("年度", "2022年", 1), "年度", None),
    "ditto_mark": (cell("企业", 3, "镇街", "同上"), "企业", 3),
    "example_row": (cell("企业", 2, "企业名称", "示例企业（请替换）"), "企业", 2),
    "year_wanted": (alone(a=[[CODE, "2022年等级", "实缴税金"], [A, "A", 3]]), "a", None),
    "last_year_differs": (column("年度", "上年税收", "", 9, ""), "年度", 3),
    "year_from_months": (alone(a=[[CODE, "2023年上半年税收", "2023年下半年税收"], [A, 3, 4]]), "a", None),
    "number_about": (cell("年度", 3, "实缴税金", "约12"), "年度", 3),
    "code_filled": (alone(a=[[CODE, "企业名称", YEAR, "实缴税金"], [A, "甲公司", 2022, 3], ["", "甲公司", 2023, 4]]), "a", 3),
    "files_joined": (joined, "", None),
    "summary_differs": (sheets(汇总=[["镇街", "2023年税收"], ["大兴镇", 15.25], ["青云镇", 7]]), "汇总", 3),
    "county_given": (alone(年度=[[CODE, "企业名称", YEAR, "实缴税金"], [A, "甲公司", 2023, 3]]), "", None),
    "place_unfit": (alone(年度=[[CODE, "企业名称", YEAR, "实缴税金"], [A, "甲公司", 2023, 3]]), "", None),
    "summary_row": (rows("企业", ["其中：规上", "", "", "", "", ""]), "企业", 5),
    "signature_row": (rows("企业", ["填表人：张三", "审核人：李四", "", "", "", ""]), "企业", 5),
    "remark_says": (column("企业", "备注", "已停产", ""), "企业", 2),
}  # fmt: skip


def test_every_rule_has_its_plant():
    assert sorted(PLANTS) == sorted(RULES)


def test_none_is_found_in_a_clean_ledger(tmp_path):
    assert told(xlsx(tmp_path / "f.xlsx", CLEAN)) == ()


@pytest.mark.parametrize("rule", RULES)
def test_a_planted_fault_is_found_at_its_row(tmp_path, rule):
    make, sheet, row = PLANTS[rule]
    found = [fault for fault in told(make(tmp_path)) if fault.rule == rule]
    assert [(fault.sheet, fault.row) for fault in found] == [(sheet, row)]
    for lang in ("zh", "en"):
        assert "{" not in found[0].text(lang)
        assert "—" not in found[0].message(lang)
