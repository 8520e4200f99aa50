from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ledgers import ANNUAL, BOTH, ENTERPRISES, A, B, C, code, csv_file, xlsx

from lyeval.ledger import RULES, Fault, LedgerError, grouped, read_ledger

DISPOSALS = [["统一社会信用代码", "处置方式", "处置结果", "完成日期"], [A, "提升", "达标", "2023-10-20"]]


def told(path: Any) -> tuple[Fault, ...]:
    """Return all that reading tells, whether it stops or not."""
    try:
        return read_ledger(path).faults
    except LedgerError as error:
        return error.faults


def changed(rows: list, row: int, heading: str, value: Any) -> list:
    """Return rows with one cell changed; ``row`` as a spreadsheet shows it."""
    rows = [list(r) for r in rows]
    rows[row - 1][rows[0].index(heading)] = value
    return rows


CELLS = [
    ("number_unreadable", "年度", 3, "实缴税金", "不少于12", "error"),
    ("number_unreadable", "年度", 4, "土地总面积", "12%", "error"),
    ("number_unreadable", "年度", 4, "实缴税金", "1,23", "error"),
    ("number_unreadable", "年度", 4, "实缴税金", "12.5亩", "error"),
    ("negative", "年度", 5, "土地总面积", -3, "error"),
    ("year_range", "年度", 2, "年份", 1989, "error"),
    ("year_range", "年度", 2, "年份", "2101年", "error"),
    ("year_unreadable", "年度", 2, "年份", "去年", "error"),
    ("key_missing", "年度", 2, "年份", "", "error"),
    ("flag_unreadable", "年度", 6, "规上", "大概是", "error"),
    ("scale_size", "年度", 6, "规上", "中型", "error"),
    ("flag_unreadable", "企业", 3, "公益类", "可能", "error"),
    ("date_unreadable", "企业", 2, "保护期至", "2021-02-30", "error"),
    ("date_wanted", "企业", 2, "保护期至", "是", "error"),
    ("date_completed", "企业", 2, "保护期至", "2021年", "warning"),
    ("code_missing", "年度", 4, "统一社会信用代码", "", "error"),
    ("code_wrong", "年度", 4, "统一社会信用代码", A[:17], "error"),
    ("code_wrong", "企业", 4, "统一社会信用代码", A[:17] + "I", "error"),
    ("code_number", "年度", 4, "统一社会信用代码", 913713290000000012, "error"),
    ("orphan", "年度", 5, "统一社会信用代码", code(77), "error"),
    ("missing_tax", "年度", 5, "实缴税金", "", "warning"),
    ("missing_tax", "年度", 5, "实缴税金", "暂无", "warning"),
    ("missing_land", "年度", 5, "土地总面积", "—", "warning"),
    ("outcome_unreadable", "处置", 2, "处置结果", "很好", "error"),
    ("method_unknown", "处置", 2, "处置方式", "绿色通道", "warning"),
    ("date_unreadable", "处置", 2, "完成日期", "十月底前", "error"),
]


@pytest.mark.parametrize(("rule", "sheet", "row", "heading", "value", "severity"), CELLS)
def test_a_planted_fault_is_found_at_its_cell(tmp_path, rule, sheet, row, heading, value, severity):
    sheets = BOTH | {"处置": DISPOSALS}
    path = xlsx(tmp_path / "f.xlsx", sheets | {sheet: changed(sheets[sheet], row, heading, value)})
    found = [fault for fault in told(path) if fault.rule == rule]
    assert [(f.file, f.sheet, f.row, f.severity) for f in found] == [("f.xlsx", sheet, row, severity)]
    assert found[0].heading in (heading, "")
    for lang in ("zh", "en"):
        assert str(row) in found[0].text(lang)
        assert "{" not in found[0].text(lang)
        assert "f.xlsx" in found[0].text(lang)


def test_a_clean_ledger_tells_nothing(tmp_path):
    assert told(xlsx(tmp_path / "c.xlsx", BOTH | {"处置": DISPOSALS})) == ()


def test_all_errors_are_told_at_once(tmp_path):
    rows = changed(changed(ANNUAL, 2, "实缴税金", "不少于12"), 5, "土地总面积", -3)
    with pytest.raises(LedgerError) as caught:
        read_ledger(xlsx(tmp_path / "f.xlsx", BOTH | {"年度": rows}))
    assert [f.rule for f in caught.value.faults] == ["number_unreadable", "negative"]
    assert len(str(caught.value).splitlines()) == 2
    assert isinstance(caught.value, ValueError)


def test_what_would_be_counted_twice(tmp_path):
    sheets = {
        "企业": [*ENTERPRISES, ENTERPRISES[1]],
        "年度": [*ANNUAL, ANNUAL[2]],
        "处置": [*DISPOSALS, DISPOSALS[1]],
        "月度": [["统一社会信用代码", "年份", "月份", "当月实缴税金"], [A, 2023, 1, 2], [A, 2023, 1, 2]],
    }
    found = {fault.rule: fault for fault in told(xlsx(tmp_path / "t.xlsx", sheets))}
    assert {rule: fault.row for rule, fault in found.items()} == {
        "duplicate_enterprise": 5,
        "duplicate_year": 7,
        "duplicate_row": 3,
        "duplicate_month": 3,
    }
    assert "第3行" in found["duplicate_year"].text()


def test_tables_that_contradict(tmp_path):
    tax = [row[:4] for row in ANNUAL]
    other = changed(tax, 3, "实缴税金", 99)
    (fault,) = told(xlsx(tmp_path / "t.xlsx", {"企业": ENTERPRISES, "年度": ANNUAL, "税务": other}))
    assert (fault.rule, fault.sheet, fault.row, fault.value) == ("contradiction", "税务", 3, "99")
    assert "12.25" in fault.text()


def test_months_run_to_twelve(tmp_path):
    rows = [["统一社会信用代码", "年份", "月份", "当月实缴税金"], [A, 2023, 13, 2]]
    (fault,) = told(xlsx(tmp_path / "t.xlsx", BOTH | {"月度": rows}))
    assert (fault.rule, fault.row, fault.value) == ("month_unreadable", 2, "13")


def test_shares_over_a_hundred(tmp_path):
    rows = [[*ENTERPRISES[0], "建筑密度"], [*ENTERPRISES[1], 350], *[[*r, ""] for r in ENTERPRISES[2:]]]
    (fault,) = told(xlsx(tmp_path / "t.xlsx", BOTH | {"企业": rows}))
    assert (fault.rule, fault.row) == ("share_range", 2)


def test_check_digits_are_one_line(tmp_path):
    wrong = {A: A[:17] + ("1" if A[17] != "1" else "2"), B: B[:17] + ("1" if B[17] != "1" else "2")}
    firms = [[wrong.get(v, v) for v in row] for row in ENTERPRISES]
    annual = [[wrong.get(v, v) for v in row] for row in ANNUAL]
    (fault,) = told(xlsx(tmp_path / "t.xlsx", {"企业": firms, "年度": annual}))
    assert (fault.rule, fault.severity, fault.count) == ("check_digit", "warning", 2)
    assert "2" in grouped([fault])[0].text()


@pytest.mark.parametrize(
    ("heading", "rule", "words"),
    [
        ("应缴税额", "heading_refused", "实缴税金"),
        ("其他指标甲", "heading_unknown", "相近"),
        ("净利润", "heading_near", "利润总额"),
        ("实缴税金（不含土地使用税）", "heading_qualified", "实缴税金"),
        ("税收", "heading_second", "实缴税金"),
        ("用电量（亩）", "unit_wrong", "万千瓦时"),
        ("面积", "heading_ambiguous", "建筑面积"),
        ("分类", "heading_ambiguous", "综合评价等级"),
    ],
)
def test_headings_that_do_not_fit(tmp_path, heading, rule, words):
    rows = [[*ANNUAL[0], heading], *[[*row, 1] for row in ANNUAL[1:]]]
    found = [
        f for f in told(xlsx(tmp_path / "t.xlsx", BOTH | {"年度": rows})) if f.rule.startswith(("heading", "unit"))
    ]
    assert rule in [fault.rule for fault in found]
    fault = next(f for f in found if f.rule == rule)
    assert fault.heading == heading
    assert words in fault.text()


def test_two_headings_for_one_column(tmp_path):
    rows = [["统一社会信用代码", "年份", "税收", "纳税额"], [A, 2023, 1, 2]]
    (fault,) = [f for f in told(xlsx(tmp_path / "t.xlsx", {"年度": rows})) if f.severity == "error"]
    assert (fault.rule, fault.heading) == ("heading_twice", "纳税额")
    assert "税收" in fault.text()


def test_names_are_compared(tmp_path):
    rows = [
        [*ANNUAL[0], "企业名称"],
        *[[*row, "甲公司"] for row in ANNUAL[1:3]],
        *[[*row, "乙 公司"] for row in ANNUAL[3:5]],
    ]
    firms = [*ENTERPRISES[:3], [C, "甲公司", "", "", "", ""]]
    rows.append([*ANNUAL[5], "丙公司"])
    found = told(xlsx(tmp_path / "t.xlsx", {"企业": firms, "年度": rows}))
    assert sorted(f.rule for f in found) == ["same_name", "two_names"]


def test_firms_without_years_and_sheets_without_headings(tmp_path):
    path = xlsx(tmp_path / "t.xlsx", BOTH | {"年度": ANNUAL[:5], "附注": [["本表由各单位报送"], ["请勿外传"]]})
    assert sorted((f.rule, f.severity) for f in told(path)) == [("no_annual", "warning"), ("sheet_unknown", "warning")]


def test_hidden_and_empty_sheets(tmp_path):
    import xlsxwriter

    path = tmp_path / "h.xlsx"
    book = xlsxwriter.Workbook(str(path))
    for name, rows in BOTH.items():
        sheet = book.add_worksheet(name)
        for r, row in enumerate(rows):
            sheet.write_row(r, 0, row)
    hidden = book.add_worksheet("年度旧")
    hidden.write_row(0, 0, ANNUAL[0])
    hidden.write_row(1, 0, [A, 2023, "是", 999, 1])
    hidden.hide()
    book.add_worksheet("空")
    book.close()
    assert [(f.rule, f.sheet) for f in told(path)] == [("sheet_hidden", "年度旧")]


def test_formulas_errors_and_booleans(tmp_path):
    import xlsxwriter

    path = tmp_path / "f.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("年度")
    sheet.write_row(0, 0, ANNUAL[0])
    for r, (flag, tax) in enumerate([(True, 7), (False, "#N/A")], start=1):
        sheet.write_row(r, 0, [A, 2021 + r])
        sheet.write_boolean(r, 2, flag)
        sheet.write_formula(r, 3, "=3+4" if tax == 7 else "=NA()", None, tax)
        sheet.write_formula(r, 4, "=10", None, 10)
    book.close()
    read = read_ledger(path)
    assert read.annual["above_scale"].tolist() == [True, False]
    assert read.annual["tax_wan"].tolist()[0] == 7
    assert [fault.rule for fault in read.faults] == ["cell_error"]


@pytest.mark.parametrize(
    ("name", "data", "rule"),
    [
        ("a.xlsx", b"", "file_empty"),
        ("a.csv", b"", "file_empty"),
        ("a.csv", b"\n\n \n", "file_empty"),
        ("a.parquet", b"", "file_empty"),
        ("a.xlsx", b"not a workbook", "file_unreadable"),
        ("a.xls", b"not a workbook", "file_unreadable"),
        ("a.parquet", b"PAR1 not a table", "file_unreadable"),
        ("a.csv", b"\xff\xff\x00\x01\x81", "encoding"),
        ("a.et", b"x", "file_kind"),
        ("a.doc", b"x", "file_kind"),
        ("a.jpg", b"x", "file_kind"),
        ("a.csv", "一,二\n三,四\n".encode(), "no_table"),
    ],
)
def test_files_that_are_no_ledger(tmp_path, name, data, rule):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(LedgerError) as caught:
        read_ledger(path)
    assert rule in [fault.rule for fault in caught.value.faults]
    assert name in str(caught.value)


def test_half_a_workbook_and_a_bomb(tmp_path):
    whole = xlsx(tmp_path / "w.xlsx", BOTH).read_bytes()
    half = tmp_path / "half.xlsx"
    half.write_bytes(whole[: len(whole) // 2])
    assert [f.rule for f in told(half)] == ["file_unreadable"]
    bomb = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x", "w", force_zip64=True) as entry:
        for _ in range(1100):
            entry.write(bytes(10**6))
    assert [f.rule for f in told(bomb)] == ["file_too_large"]


def test_missing_files_folders_and_samples(tmp_path):
    assert [f.rule for f in told(tmp_path / "none.xlsx")] == ["file_missing"]
    (tmp_path / "empty").mkdir()
    assert [f.rule for f in told(tmp_path / "empty")] == ["no_table"]
    with pytest.raises(LedgerError, match="no sample ledger") as missing:
        read_ledger("sample:nowhere")
    assert [f.rule for f in told([])] == ["file_missing"]
    again = pickle.loads(pickle.dumps(missing.value))
    assert (again.faults, str(again)) == (missing.value.faults, str(missing.value))


def test_tables_without_codes(tmp_path):
    rows = [row[1:] for row in ANNUAL]
    path = csv_file(tmp_path / "n.csv", [["企业名称", *rows[0]], *[["甲", *row] for row in rows[1:]]])
    assert "no_code" in [fault.rule for fault in told(path)]


def test_thousands_of_one_fault_stay_counted(tmp_path):
    rows = [["统一社会信用代码", "年份", "实缴税金", "土地总面积"]]
    rows += [[code(i), 2023, "", 10] for i in range(2500)]
    found = [f for f in told(csv_file(tmp_path / "m.csv", rows)) if f.rule == "missing_tax"]
    assert len(found) == 1001
    assert sum(fault.count for fault in found) == 2500


def test_every_rule_is_told_in_both_languages():
    for name, rule in RULES.items():
        assert rule.severity in ("error", "warning", "gap")
        fault = Fault(name, rule.severity, "a.xlsx", "年度", 3, "表头", "值")
        assert fault.text("zh").startswith("a.xlsx，“年度”表，第3行，“表头”列，填“值”：")
        assert fault.text("en").startswith("a.xlsx, sheet '年度', row 3, column '表头', value '值': ")
        for words in (rule.zh, rule.en, rule.zh_title, rule.en_title):
            assert words
    assert Path(__file__)


def test_a_far_cell_and_trailing_blank_rows(tmp_path):
    import xlsxwriter

    far = tmp_path / "far.xlsx"
    book = xlsxwriter.Workbook(str(far))
    sheet = book.add_worksheet("年度")
    for r, row in enumerate(ANNUAL):
        sheet.write_row(r, 0, row)
    sheet.write(1048575, 16383, "x")
    book.close()
    assert [f.rule for f in told(far)] == ["sheet_too_large"]
    rows = [*ANNUAL, *[["", "", "", "", " "]] * 5000]
    assert len(read_ledger(csv_file(tmp_path / "blank.csv", rows)).annual) == 5


def test_thousands_of_rows_without_codes_stay_counted(tmp_path):
    rows = [ANNUAL[0], *[["", 2023, "是", 1, 2]] * 5000]
    found = [f for f in told(csv_file(tmp_path / "lost.csv", rows)) if f.rule == "code_missing"]
    assert sum(fault.count for fault in found) == 5000
    assert len(found) == 2000
