"""Workbooks as a clerk may have them: several things odd at once, each read as it is meant or told."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ledgers import ANNUAL, BOTH, A, B, C, code, csv_file, xlsx

from lyeval.ledger import Ledger, LedgerError, read_ledger
from lyeval.ledger import typed as one
from lyeval.ledger.typed import Odd

D = code(4)
FIRMS = [["统一社会信用代码", "企业名称"], [A, "甲公司"], [B, "乙公司"], [C, "丙公司"], [D, "丁公司"]]


def rules(ledger: Ledger) -> set[str]:
    return {fault.rule for fault in ledger.faults}


def annual(ledger: Ledger, *columns: str) -> list[list[Any]]:
    """Return the annual rows: the last two digits of the code's serial, the year, and some columns."""
    frame = ledger.annual
    rows = frame.assign(code=frame["credit_code"].map({A: "A", B: "B", C: "C", D: "D"}))[["code", "year", *columns]]
    return rows.astype(object).where(rows.notna(), None).to_numpy().tolist()


def test_a_bulletin_with_subtotals_above_their_rows_notes_and_two_header_rows(tmp_path):
    rows = [
        ["临沭县2023年低效工业企业税收及用地情况统计表"],
        ["填报单位：临沭县工信局", "", "", "", "", "", "单位：万元、亩、%"],
        ["序号", "镇街", "企业基本情况", "", "用地（亩）", "", "入库税收（万元）", "", "亩均税收", "增幅"],
        ["", "", "企业名称", "统一社会信用代码", "占地面积", "其中：出让面积", "2022年", "2023年", "（万元/亩）", "%"],
        ["大兴镇小计", "", "", "", 35, 20, 20.5, 15.25, "", ""],
        [1, "大兴镇", "甲公司", A, 20, 20, 10.5, 12.25, 0.61, 16.7],
        [2, "", "丙公司", C, 15, 0, 10, 3, 0.2, -70],
        ["青云镇小计", "", "", "", 12, 0, 0.5, -0.75, "", ""],
        [1, "青云镇", "乙公司", B, 12, 0, 0.5, -0.75, -0.06, ""],
        ["合计", "", "", "", 47, 20, 21, 14.5, "", ""],
        ["注：1.税收为入库数；2.用地面积为围墙内面积。"],
        ["填表人：张三", "", "", "审核人：李四", "", "", "联系电话：0539-6212345"],
    ]
    merges = [(0, 0, 0, 9), (2, 0, 3, 0), (2, 1, 3, 1), (2, 2, 2, 3), (2, 4, 2, 5), (2, 6, 2, 7), (5, 1, 6, 1)]
    read = read_ledger(xlsx(tmp_path / "1.xlsx", {"Sheet1": rows}, {"Sheet1": merges}))
    assert annual(read, "tax_wan", "land_mu", "tax_per_mu_reported") == [
        ["A", 2022, 10.5, 20, None], ["A", 2023, 12.25, 20, 0.61], ["B", 2022, 0.5, 12, None],
        ["B", 2023, -0.75, 12, -0.06], ["C", 2022, 10, 15, None], ["C", 2023, 3, 15, 0.2],
    ]  # fmt: skip
    assert read.enterprises["township"].tolist() == ["大兴镇", "青云镇", "大兴镇"]
    assert rules(read) == {"period_spread", "period_latest", "missing_column", "signature_row"}
    rows[4][6] = 99
    assert "total_mismatch" in rules(read_ledger(xlsx(tmp_path / "1.xlsx", {"Sheet1": rows}, {"Sheet1": merges})))


def test_a_sheet_for_each_class(tmp_path):
    head = ["企业名称", "社会信用代码", "所属镇街", "占地面积（平方米）", "2023年度实缴税金（元）"]
    sheets = {
        "规下企业": [head, ["乙公司", B, "青云镇", 8000, "-7,500"], ["丙公司", C, "大兴镇", "10000", "30,000.00"]],
        "规上企业": [head, ["甲公司", A, "大兴镇", 40000 / 3, 122500]],
    }
    read = read_ledger(xlsx(tmp_path / "亩均台账.xlsx", sheets))
    assert annual(read, "above_scale", "tax_wan") == [
        ["A", 2023, True, 12.25],
        ["B", 2023, False, -0.75],
        ["C", 2023, False, 3],
    ]
    assert read.annual["land_mu"].round(9).tolist() == [20, 12, 15]
    assert rules(read) == {"class_assumed"}


def test_two_tables_on_a_sheet(tmp_path):
    rows = [
        ["表一 企业名单"],
        ["统一社会信用代码", "企业名称", "镇街"],
        [A, "甲公司", "大兴镇"],
        [B, "乙公司", "青云镇"],
        [],
        ["表二 税收（单位：元）"],
        ["企业名称", "统一社会信用代码", "年份", "实缴税金", "占地面积", "规上"],
        ["甲公司", A, 2023, 122500, 20, "是"],
        ["乙公司", B, 2023, "不少于3万", 12, "否"],
    ]
    path = xlsx(tmp_path / "2.xlsx", {"Sheet1": rows})
    with pytest.raises(LedgerError) as caught:
        read_ledger(path)
    assert [(f.rule, f.row) for f in caught.value.faults] == [("number_unreadable", 9)]
    rows[8][3] = 30000
    read = read_ledger(xlsx(tmp_path / "2.xlsx", {"Sheet1": rows}))
    assert read.faults == ()
    assert annual(read, "tax_wan", "above_scale") == [["A", 2023, 12.25, True], ["B", 2023, 3, False]]
    assert read.enterprises["township"].tolist() == ["大兴镇", "青云镇"]


def test_a_header_repeated_on_each_page_cuts_nothing(tmp_path):
    rows = [*ANNUAL[:3], ANNUAL[0], *ANNUAL[3:]]
    read = read_ledger(xlsx(tmp_path / "p.xlsx", BOTH | {"年度": rows}))
    assert len(read.annual) == 5
    assert read.faults == ()


def test_headings_broken_over_lines_with_a_unit_row_and_a_row_of_column_numbers(tmp_path):
    rows = [
        ["序\n号", "企业\n名称", "统一社会\n信用代码", "年\n度", "实缴\n税金", "土地总面积\n（围墙内）", "是否\n规上", "亩均税收"],
        ["", "", "", "", "元", "亩", "", "万元/亩"],
        ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)", "(8)=(5)/(6)"],
        [1, "甲公司", A, 2023, 122500, 20, "是", 0.6125],
        [2, "乙公司", B, 2023, 30000, 12, "否（小微）", 0.25],
    ]  # fmt: skip
    read = read_ledger(xlsx(tmp_path / "3.xlsx", {"Sheet1": rows}))
    assert read.faults == ()
    assert annual(read, "tax_wan", "above_scale") == [["A", 2023, 12.25, True], ["B", 2023, 3, False]]


def test_groups_of_years_in_a_flat_file(tmp_path):
    rows = [
        ["单位：万元"],
        ["企业名称", "统一社会信用代码", "税收", "", "", "用地", "", ""],
        ["", "", 2021, 2022, 2023, 2021, 2022, 2023],
        ["甲公司", A, 5, 10.5, 12.25, 20, 20, 20],
        ["乙公司", B, "/", 0.5, -0.75, "/", 12, 12],
    ]
    read = read_ledger(csv_file(tmp_path / "4.csv", rows, "gb18030"))
    assert annual(read, "tax_wan", "land_mu")[-2:] == [["B", 2022, 0.5, 12], ["B", 2023, -0.75, 12]]
    assert rules(read) == {"missing_column"}


def test_progress_told_in_sentences(tmp_path):
    rows = [
        ["企业名称", "统一社会信用代码", "处置方式", "处置进展", "完成时间", "腾出土地（平方米）"],
        ["甲公司", A, "提升一批（技改）", "已达标", "2023年10月", ""],
        ["乙公司", B, "关停出清", "已关停，正在办理注销", "2023.6", 4000],
        ["丙公司", C, "收储", "已签订收储协议", "2024年3月底前", "6,000"],
        ["丁公司", D, "帮扶提升", "整改中（预计12月完成）", "未完成", ""],
    ]
    figures = [ANNUAL[0], *[[c, 2023, "否", 1, 2] for c in (A, B, C, D)]]
    read = read_ledger(xlsx(tmp_path / "5.xlsx", {"企业": FIRMS, "年度": figures, "处置进展": rows}))
    assert read.disposals["outcome"].tolist() == ["达标", "关停", "进行中", "进行中"]
    assert read.disposals["released_mu"].tolist()[1:3] == [6, 9]
    assert read.disposals["finished"].dt.strftime("%m-%d").tolist()[:3] == ["10-31", "06-30", "03-31"]
    assert read.disposals["finished"].isna().tolist() == [False, False, False, True]
    assert rules(read) == {"outcome_words", "date_completed"}


def test_codes_with_marks_spaces_and_wide_digits(tmp_path):
    wide = D.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    rows = [["企业名称", "统一社会信用代码", "年份", "规上", "税收", "面积（亩）"]]
    rows += [
        [f"{i}厂", v, 2023, "否", 1, 2] for i, v in enumerate(("'" + A, f"{B[:8]} {B[8:]}", C.lower(), wide + "\t"))
    ]
    read = read_ledger(xlsx(tmp_path / "6.xlsx", {"年度": rows}))
    assert read.enterprises["credit_code"].tolist() == [A, B, C, D]
    assert rules(read) == {"decided_by_values"}


def test_one_table_a_township(tmp_path):
    head = ["序号", "企业名称", "统一社会信用代码", "2023年税收（万元）", "占地（亩）", "是否规上"]
    first = [["大兴镇低效企业台账"], head, [1, "甲公司", A, 12.25, 20, "是"], ["合计", "", "", 12.25, 20, ""]]
    xlsx(tmp_path / "大兴镇.xlsx", {"Sheet1": first})
    xlsx(tmp_path / "青云镇.xlsx", {"Sheet1": [["青云镇低效企业台账"], head, [1, "乙公司", B, -0.75, 12, "否"]]})
    read = read_ledger(tmp_path)
    assert read.faults == ()
    assert annual(read, "tax_wan", "above_scale") == [["A", 2023, 12.25, True], ["B", 2023, -0.75, False]]


@pytest.mark.parametrize(
    ("written", "end", "read"),
    [
        (2023.5, False, date(2023, 5, 1)),
        (2023.12, True, date(2023, 12, 31)),
        (2023.1, True, "date_unreadable"),
        ("2020年12月底前", True, date(2020, 12, 31)),
        ("2020年3月中旬", True, date(2020, 3, 31)),
        ("2021.6.30—2024.6.29", True, date(2024, 6, 29)),
        ("2021.6.30至2024.6.29", False, date(2021, 6, 30)),
        ("2024.6.29至2021.6.30", True, "date_unreadable"),
        ("未停产", False, None),
        ("尚未竣工", True, None),
        ("未到期", True, "date_unreadable"),
        ("未恢复生产", False, "date_unreadable"),
        ("三年", True, "date_unreadable"),
    ],
)
def test_days_as_people_write_them(written, end, read):
    got = one.date(written, end)
    if isinstance(read, str):
        assert got == Odd(read)
    else:
        assert (got.value if isinstance(got, Odd) else got) == read
        assert not isinstance(got, Odd) or got.rule == "date_completed"


@pytest.mark.parametrize(
    ("written", "read"), [("是（供电）", True), ("否（小微）", False), ("规上（2022年入库）", True)]
)
def test_flags_with_a_note_in_brackets(written, read):
    assert one.flag(written, "scale") is read


def test_months_beside_the_year_that_ends_them(tmp_path):
    head = ["统一社会信用代码", "企业名称", "2023年1-11月累计税收", "2023年税收"]
    read = read_ledger(xlsx(tmp_path / "7.xlsx", {"s": [head, [A, "甲公司", 11, 12.25]]}))
    assert read.monthly[["month", "tax_wan"]].to_numpy().tolist() == [[11, 11], [12, 1.25]]
    assert isinstance(read.annual, pd.DataFrame)
    assert annual(read, "tax_wan") == [["A", 2023, 12.25]]


# -- bulletins of the tax office by month --------------------------------------------------------------------------------


def bulletin(folder: Path, month: int, paid: float, total: float, before: float) -> Path:
    """Write what the tax office sends each month: the month, the total since January, last year's."""
    rows = [
        [f"2023年{month}月重点企业入库税收（万元）"],
        ["序号", "纳税人识别号", "纳税人名称", "本月入库", "本年累计", "上年同期累计"],
        [1, A, "甲公司", paid, total, before],
    ]
    return xlsx(folder / f"2023年{month}月税收.xlsx", {"Sheet1": rows})


def months(ledger: Ledger) -> list[list[float]]:
    return ledger.monthly[["year", "month", "tax_wan"]].to_numpy().tolist()


def test_a_bulletin_of_one_month(tmp_path):
    xlsx(tmp_path / "台账.xlsx", BOTH)
    bulletin(tmp_path, 10, 1.5, 12.5, 8)
    read = read_ledger(tmp_path)
    assert months(read) == [[2022, 10, 8], [2023, 9, 11], [2023, 10, 1.5]]
    assert annual(read, "tax_wan")[:2] == [["A", 2022, 10.5], ["A", 2023, 12.25]]
    assert rules(read) == {"measure_assumed", "months_assumed", "months_lumped"}


def test_bulletins_of_several_months_count_no_month_twice(tmp_path):
    xlsx(tmp_path / "台账.xlsx", BOTH)
    for month, paid, total, before in ((8, 2, 10, 6), (9, 1, 11, 6.5), (10, 1.5, 12.5, 8)):
        bulletin(tmp_path, month, paid, total, before)
    read = read_ledger(tmp_path)
    assert months(read) == [
        [2022, 8, 6], [2022, 9, 0.5], [2022, 10, 1.5], [2023, 7, 8], [2023, 8, 2], [2023, 9, 1], [2023, 10, 1.5],
    ]  # fmt: skip
    bulletin(tmp_path, 9, 1, 12, 6.5)
    with pytest.raises(LedgerError) as caught:
        read_ledger(tmp_path)
    assert {fault.rule for fault in caught.value.faults if fault.severity == "error"} == {"contradiction"}


def test_a_sheet_for_each_month_and_totals_from_a_title(tmp_path):
    head = ["统一社会信用代码", "企业名称", "税收（万元）"]
    sheets = {f"2023年{m}月": [head, [A, "甲公司", m], [B, "乙公司", 0.1]] for m in (1, 2, 3)}
    read = read_ledger(xlsx(tmp_path / "a.xlsx", BOTH | sheets))
    assert months(read) == [[2023, m, m] for m in (1, 2, 3)] + [[2023, m, 0.1] for m in (1, 2, 3)]
    total = [["2023年1-10月税收情况"], head, [A, "甲公司", 9]]
    read = read_ledger(xlsx(tmp_path / "b.xlsx", BOTH | {"Sheet3": total}))
    assert months(read) == [[2023, 10, 9]]


@pytest.mark.parametrize(
    ("title", "heading", "year"), [("2021年3月报送", "2020年累计税收", 2020), ("2021年3月报送", "上年累计税收", 2020)]
)
def test_a_day_of_issue_makes_no_months(tmp_path, title, heading, year):
    rows = [[title], ["统一社会信用代码", "企业名称", heading, "占地面积"], [A, "甲公司", 9, 20]]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"s": rows}))
    assert annual(read, "tax_wan") == [["A", year, 9]]
    assert not read.has("monthly")


def test_classes_in_one_word(tmp_path):
    rows = [["单位名称", "统一社会信用代码", "纳税人识别号", "年度", "规上/规下", "实缴税金", "占地面积"]]
    rows += [["甲公司", A, A, 2023, "上", "12.25万元", 20], ["乙公司", B, B, 2023, "下", 1, 12]]
    read = read_ledger(xlsx(tmp_path / "k.xlsx", {"s": rows}))
    assert annual(read, "above_scale", "tax_wan") == [["A", 2023, True, 12.25], ["B", 2023, False, 1]]
    assert rules(read) == {"heading_second"}


def test_a_table_that_starts_in_the_middle_of_a_sheet_under_a_year_in_chinese(tmp_path):
    rows = [
        ["", "", ""],
        ["", "", "二〇二三年度低效企业台账"],
        [],
        ["", "", "企业名称", "信用代码", "规上", "税收", "占地"],
    ]
    rows += [["", "", "甲公司", A, "是", 12.25, 20], [], ["", "", "乙公司", B, "否", 1, 12]]
    read = read_ledger(xlsx(tmp_path / "y.xlsx", {"Sheet1": rows, "目录": [["序号", "表名"], [1, "台账"]]}))
    assert annual(read, "tax_wan") == [["A", 2023, 12.25], ["B", 2023, 1]]
    assert rules(read) == {"year_assumed", "sheet_passed"}


@pytest.mark.parametrize(
    ("heading", "value", "above", "told"),
    [
        ("企业类型", "规上工业", True, set()),
        ("企业性质", "规下", False, set()),
        ("企业类型", "有限责任公司", None, {"missing_column"}),
        ("类型", "民营", None, {"heading_unknown", "missing_column"}),
        ("税额", 12.25, None, {"heading_unknown", "missing_column"}),
        ("户数", 3, None, {"heading_unknown", "missing_column"}),
    ],
)
def test_a_table_of_firms_takes_no_column_of_tables_by_row(tmp_path, heading, value, above, told):
    rows = [
        ["企业名称", "统一社会信用代码", "年份", "实缴税金", "占地面积", heading],
        ["甲公司", A, 2023, 12.25, 20, value],
    ]
    read = read_ledger(xlsx(tmp_path / "q.xlsx", {"s": rows}))
    assert annual(read, "tax_wan") == [["A", 2023, 12.25]]
    assert rules(read) == told
    assert read.sheets == ("enterprises", "annual")
    if above is not None:
        assert read.annual["above_scale"].tolist() == [above]
