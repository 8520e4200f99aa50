"""More ways in which offices say the same, each kind a table of variants: read rightly, or told at the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ledgers import code, rewritten, xlsx
from test_ledger_kinds import FIRMS, FLAT, KEYS, LAND, PAGE, SCALE, TAX, TEXT, refused, rules, table, tax

from lyeval.ledger import read_ledger
from lyeval.ledger.headings import Period, find, take_apart
from lyeval.ledger.vocabulary import find_unit, looks_like_unit

BASE = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND))

# -- periods -----------------------------------------------------------------------------------------------------------

SPANS = {
    "10月累计税收": Period(first=1, last=10),
    "2023年10月累计税收": Period(2023, first=1, last=10),
    "三季度累计税收": Period(first=1, last=9),
    "2023年10月当月税收": Period(2023, first=10, last=10),
    "2023.1-10税收": Period(2023, first=1, last=10),
    "2023年1-10税收": Period(2023, first=1, last=10),
    "2023年1月至2023年10月税收": Period(2023, first=1, last=10),
    "2023.01-2023.06税收": Period(2023, first=1, last=6),
    "2023年（1-10月）税收": Period(2023, first=1, last=10),
    "1-10月税收（2023年）": Period(2023, first=1, last=10),
    "2023年税收（上半年）": Period(2023, first=1, last=6),
    "税收（2023年）（10月）": Period(2023, first=10, last=10),
    "税收（万元，2023年）": Period(2023),
    "税收(2022年，万元)": Period(2022),
    "本年累计税收（1-10月）": Period(back=0, first=1, last=10),
    "截至2023年10月31日税收": Period(2023, first=1, last=10),
    "2023H1税收": Period(2023, first=1, last=6),
    "23Q3税收": Period(2023, first=7, last=9),
    "2023年Q1-Q3税收": Period(2023, first=1, last=9),
    "2023年1-3季度税收": Period(2023, first=1, last=9),
    "前半年税收": Period(first=1, last=6),
    "元月税收": Period(first=1, last=1),
    "2023年底税收": Period(2023),
    "2023年12月31日税收": Period(2023),
    "上年末税收": Period(back=1),
}
NO_SPANS = [
    "1月-本月税收",
    "2023-1-10税收",
    "近三年平均税收",
    "2021-2023年税收",
    "2022年税收（2023年）",
    "一季度末税收",
    "截至目前税收",
    "上期税收",
    "上月税收",
    "2022年1月-2023年10月税收",
    "税收较上年同期增长",
    "2023年比2022年税收增减",
    "2020年以来税收",
    "9月末税收",
]


@pytest.mark.parametrize(("heading", "period"), SPANS.items())
def test_a_heading_says_its_months(heading: str, period: Period) -> None:
    fit = find(take_apart(heading), "annual")
    assert ([c.name for c in fit.columns], fit.kind) == (["tax_wan"], "column")
    assert fit.period == period


@pytest.mark.parametrize("heading", NO_SPANS)
def test_a_span_that_is_not_plain_is_not_read(tmp_path: Path, heading: str) -> None:
    rows = [[*row, extra] for row, extra in zip(BASE, [heading, 1, 2, 3, 4], strict=True)]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows}))
    assert tax(read) == TAX
    assert [f.heading for f in read.faults if f.rule == "heading_unknown"] == [heading]
    assert not len(read.monthly)


@pytest.mark.parametrize(
    "title", ["2023年1-10月", "2023年10月", "截至2023年10月31日", "2023年1月1日至10月31日", "2023年前三季度"]
)
@pytest.mark.parametrize("headings", [("2023年税收", "2022年税收"), ("本年税收", "上年税收")])
def test_a_year_under_a_title_of_months_is_told(tmp_path: Path, title: str, headings: tuple[str, str]) -> None:
    rows = [[title], ["统一社会信用代码", "企业名称", *headings], *([*f[:2], 9.0, 8.0] for f in FIRMS)]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"Sheet1": rows}))
    assert [f.heading for f in read.faults if f.rule == "whole_assumed"] == list(headings)


@pytest.mark.parametrize("title", ["2023年11月5日报送", "填报日期：2023-11-05", "2023.11.5", "统计时间2023年11月5日"])
def test_a_day_in_the_title_is_no_month(tmp_path: Path, title: str) -> None:
    rows = [[title], ["统一社会信用代码", "企业名称", "税收"], *([*f[:2], 9.0] for f in FIRMS)]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"Sheet1": rows}))
    assert tax(read) == [9.0] * 4
    assert "year_assumed" in rules(read)


# -- qualifiers and units ----------------------------------------------------------------------------------------------

QUALIFIED = {
    "税收（留成口径）": None,
    "税收（财政口径）": None,
    "税收（应缴口径）": None,
    "税收（地税）": None,
    "税收（含免抵）": None,
    "规上（2024年拟入库）": None,
    "评价等级（拟）": None,
    "处置结果（预计）": None,
    "停产时间（预计）": None,
    "企业名称（前身）": None,
    "企业名称（曾用名）": "aliases",
    "统一社会信用代码（承接企业）": "successor_code",
    "完成时间（计划）": "due",
    "竣工时间（约定）": "contract_completion",
    "用地面积（租入）": "rented_in_mu",
    "税收（税务口径）": "tax_wan",
}


@pytest.mark.parametrize(("heading", "column"), QUALIFIED.items())
def test_a_qualifier_is_weighed_for_words_too(heading: str, column: str | None) -> None:
    fit = find(take_apart(heading), "annual")
    assert (fit.kind == "qualified") if column is None else [c.name for c in fit.columns] == [column]


SPELT = {
    "人民币：万元": ("money", 10**4),
    "(人民币)元": ("money", 1),
    "千万": ("money", 10**7),
    "百万": ("money", 10**6),
    "¥": ("money", 1),
    "RMB": ("money", 1),
    "CNY万元": ("money", 10**4),
    "w元": ("money", 10**4),
    "计量单位：元": ("money", 1),
    "万平": ("area", 10**4),
    "万方": ("area", 10**4),
    "千瓦·小时": ("energy", 1),
    "万KW.H": ("energy", 10**4),
    "MWh": ("energy", 1000),
}


@pytest.mark.parametrize(("unit", "size"), SPELT.items())
def test_more_spellings_of_units(unit: str, size: tuple[str, int]) -> None:
    assert find_unit(unit) == size


@pytest.mark.parametrize(
    "unit", ["倍", "千克标煤", "小时", "个百分点", "韩元", "元/吨", "万元/户", "坪", "焦耳", "亩/户"]
)
def test_words_that_are_units_and_none_of_ours(tmp_path: Path, unit: str) -> None:
    assert looks_like_unit(unit)
    rows = table(("年份", [2023] * 4), (f"实缴税金（{unit}）", TAX))
    why = refused(xlsx(tmp_path / "a.xlsx", {"年度": rows}))
    assert {f.rule for f in why.faults if f.severity == "error"} == {"unit_unknown"}


# -- merged and hidden cells -------------------------------------------------------------------------------------------

MERGES: dict[str, tuple[list[tuple[int, int, int, int]], dict[str, list[Any]]]] = {
    "two taxes": ([(1, 5, 2, 5)], {"tax_wan": [None, None, 32, 62]}),
    "all land": ([(1, 6, 4, 6)], {"land_mu": [None] * 4}),
    "a block of both": ([(1, 5, 2, 6)], {"tax_wan": [None, None, 32, 62], "land_mu": [None, None, 30, 15]}),
    "tax and land of one": ([(1, 5, 1, 6)], {"tax_wan": [None, 11, 32, 62], "land_mu": [None, 12, 30, 15]}),
    "two merges": ([(1, 5, 2, 5), (3, 5, 4, 5)], {"tax_wan": [None] * 4}),
    "years": ([(1, 4, 4, 4)], {"tax_wan": TAX, "land_mu": LAND}),
    "towns": ([(1, 2, 2, 2)], {"tax_wan": TAX, "land_mu": LAND}),
    "classes": ([(3, 3, 4, 3)], {"above_scale": [True, False, True, True]}),
}


@pytest.mark.parametrize("name", MERGES)
@pytest.mark.parametrize("form", ["xlsx", "html"])
def test_merges_in_any_place(tmp_path: Path, name: str, form: str) -> None:
    merges, expected = MERGES[name]
    if form == "xlsx":
        path = xlsx(tmp_path / "a.xlsx", {"年度": BASE}, {"年度": merges})
    else:
        (tmp_path / "a.xls").write_text(page(BASE, merges), encoding="utf-8")
        path = tmp_path / "a.xls"
    read = read_ledger(path)
    for column, values in expected.items():
        assert tax(read, column=column) == pytest.approx(
            [float("nan") if v is None else v for v in values], nan_ok=True
        )
    told = [
        f.row for f in read.faults if f.rule == ("merged_columns" if name == "tax and land of one" else "merged_figure")
    ]
    figures = [r0 + 1 for r0, c0, *_ in merges if c0 > 4]
    assert told == figures


def page(rows: list[list[Any]], merges: list[tuple[int, int, int, int]]) -> str:
    """Return a table as a web page, merged cells with their spans."""
    firsts = {(a, b): f" rowspan={c - a + 1} colspan={d - b + 1}" for a, b, c, d in merges}
    under = {(r, i) for a, b, c, d in merges for r in range(a, c + 1) for i in range(b, d + 1)} - set(firsts)
    lines = []
    for r, row in enumerate(rows):
        cells = [f"<td{firsts.get((r, i), '')}>{v}</td>" for i, v in enumerate(row) if (r, i) not in under]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table>{''.join(lines)}</table>"


@pytest.mark.parametrize("mark", ['hidden="1"', 'hidden="true"', 'ht="0" customHeight="1"', 'ht="0"'])
@pytest.mark.parametrize("row", [2, 5])
def test_a_row_that_is_not_seen_is_told(tmp_path: Path, mark: str, row: int) -> None:
    path = xlsx(tmp_path / "f.xlsx", {"年度": BASE})
    read = read_ledger(rewritten(path, lambda xml: xml.replace(f'row r="{row}"', f'row r="{row}" {mark}')))
    assert [(f.row, f.params["n"]) for f in read.faults if f.rule == "rows_hidden"] == [(row, 1)]
    assert tax(read) == TAX


# -- rows and sheets that are no firms ---------------------------------------------------------------------------------

SHOWN = [
    ("示例行", "甲公司"),
    ("样表", "甲公司"),
    ("如：", "甲公司"),
    ("注：示例", "甲公司"),
    ("模板", "甲公司"),
    ("参考", "甲公司"),
    ("示范", "甲公司"),
    ("example", "甲公司"),
    ("E.g.", "甲公司"),
    ("(例)", "甲公司"),
    ("填写示例：", "甲公司"),
    ("", "***"),
    ("", "填写企业全称"),
    ("", "企业A（样例）"),
]


@pytest.mark.parametrize(("serial", "name"), SHOWN)
@pytest.mark.parametrize("place", [1, 5])
def test_more_examples_are_no_firms(tmp_path: Path, serial: str, name: str, place: int) -> None:
    rows = [["序号", *BASE[0]], *([i + 1, *row] for i, row in enumerate(BASE[1:]))]
    rows.insert(place, [serial, code(99), name, "某街道", "是", 2023, 1000, 100])
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows}))
    assert tax(read) == TAX
    assert [f.row for f in read.faults if f.rule == "example_row"] == [place + 1]


HINTS = [
    ["必填", "必填", "必填", "选填", "必填", "必填", "必填"],
    ["18位", "企业全称", "下拉选择", "是/否", "四位年份", "万元，保留两位小数", "亩"],
    ["必填，18位", "必填", "选填", "下拉", "", "数字", "数字"],
    ["文本", "文本", "从下拉列表中选", "选择是或否", "4位数字", "数值", "数值"],
    ["请填写18位代码", "请填写全称", "请选择", "请选择", "格式2023", "自动计算", "公式"],
    ["填写说明", "必填", "必填", "必填", "必填", "必填", "必填"],
    ["", "如：某公司", "如：某镇", "如：是", "如：2023", "如：100", "例如：20"],
    ["18位字符", "单位全称", "", "是/否", "YYYY", "万元保留两位小数", "亩保留两位小数"],
]


@pytest.mark.parametrize("hints", HINTS)
def test_a_row_of_hints_is_no_firm(tmp_path: Path, hints: list[str]) -> None:
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": [BASE[0], hints, *BASE[1:]]}))
    assert tax(read) == TAX
    assert rules(read) <= {"example_row"}


A, B, C, D = BASE[1:]


def sums(label: str, paid: Any = "", land: Any = "", place: int = 1) -> list[Any]:
    """Return a row of sums with its label."""
    row: list[Any] = ["", "", "", "", "", paid, land]
    row[place] = label
    return row


NAMELESS = ["", "无码厂", "东街", "是", 2023, 8, 4]
TOTALLED: dict[str, tuple[list[list[Any]], list[int]]] = {
    "by township": ([A, C, sums("东街小计", 134, 50), B, D, sums("西街小计", 73, 27), sums("合计", 207, 77)], []),
    "one wrong": ([A, C, sums("东街小计", 135, 50), B, D, sums("西街小计", 73, 27), sums("合计", 207, 77)], [4]),
    "wrong in both": ([A, C, sums("东街小计", 144, 50), B, D, sums("西街小计", 73, 27), sums("合计", 217, 77)], [4]),
    "the name alone": ([A, C, sums("东街", 134, 50), B, D, sums("西街", 73, 27)], []),
    "the name alone, wrong": ([A, C, sums("东街", 134, 50), B, D, sums("西街", 83, 27)], [7]),
    "heads with sums": ([sums("一、东街", 134, 50), A, C, sums("二、西街", 73, 27), B, D], []),
    "heads, wrong": ([sums("一、东街", 150, 50), A, C, sums("二、西街", 73, 27), B, D], [2]),
    "label in the township": ([A, C, sums("东街 小计", 134, 50, 2), B, D, sums("西街 小计", 70, 27, 2)], [7]),
    "label in the code": (
        [A, C, sums("小 计：", 134, 50, 0), B, D, sums("小计", 73, 27, 0), sums("总  计", 208, 77, 0)],
        [8],
    ),
    "by class": ([A, C, sums("规上小计", 134, 50), B, D, sums("规下小计", 73, 27), sums("合计", 207, 77)], []),
    "three levels": (
        [
            A,
            sums("小计", 102, 20),
            C,
            sums("小计", 33, 30),
            sums("东街合计", 135, 50),
            B,
            D,
            sums("西街合计", 73, 27),
            sums("总计", 208, 77),
        ],
        [5],
    ),
    "counted": ([A, B, C, D, sums("共4家", 207, 77)], []),
    "above all": ([sums("全县合计", 200, 77), A, B, C, D], [2]),
    "with 其中": ([A, B, C, D, sums("合计", 207, 77), sums("其中：规上", 134, 50)], []),
    "with a mean": ([A, B, C, D, sums("合计", 207, 77), sums("平均", 51.75, 19.25), sums("占比", "50%", "")], []),
}


@pytest.mark.parametrize("name", TOTALLED)
def test_totals_in_every_form(tmp_path: Path, name: str) -> None:
    rows, wrong = TOTALLED[name]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": [BASE[0], *rows]}))
    assert tax(read) == TAX
    assert [f.row for f in read.faults if f.rule == "total_mismatch"] == wrong
    assert rules(read) <= {"total_mismatch", "summary_row"}


@pytest.mark.parametrize("blank", ["", "无", "—"])
@pytest.mark.parametrize("total", [142, 134, 150])
def test_a_row_without_code_counts_in_its_subtotal(tmp_path: Path, blank: str, total: int) -> None:
    rows = [A, C, [blank, *NAMELESS[1:]], sums("东街小计", total, 54), B, D, sums("西街小计", 73, 27)]
    why = refused(xlsx(tmp_path / "a.xlsx", {"年度": [BASE[0], *rows]}))
    assert [(f.rule, f.row) for f in why.faults if f.severity == "error"] == [("code_missing", 4)]
    assert [f.row for f in why.faults if f.rule == "total_mismatch"] == ([] if total == 142 else [5])


SUMMARIES: dict[str, list[list[Any]]] = {
    "分镇街": [
        ["序号", "镇街", "户数", "其中：规上", "规下", "税收（万元）"],
        [1, "东街", 2, 2, 0, 134],
        [2, "西街", 2, 0, 2, 73],
    ],
    "汇总表": [
        ["2023年分镇街汇总表（单位：万元、亩）"],
        ["镇街", "企业数", "实缴税金"],
        ["东街", 2, 134],
        ["西街", 2, 73],
        ["全县合计", 4, 207],
    ],
    "各镇街情况": [
        ["属地", "参评企业（家）", "实缴税金（元）"],
        ["东街", 2, 1340000],
        ["西街", 2, 730000],
        ["小计", 4, 2070000],
    ],
    "分类汇总": [["规上/规下", "户数", "税收"], ["规上", 2, 134], ["规下", 2, 73], ["合计", 4, 207]],
    "规模汇总": [["规模", "企业数", "税收"], ["规上企业", 2, 134], ["规下企业", 2, 73]],
    "东街汇总": [["镇街", "税收"], ["东街", 134]],
    "两年汇总": [["镇街", "2022年税收", "2023年税收"], ["东街", 9, 134], ["西街", 9, 73]],
    "统计表": [["镇街", "企业名称", "税收"], ["东街", "2家", 134], ["西街", "2家", 73]],
    "分县区": [["县区", "企业数", "税收"], ["甲县", 4, 207]],
}


@pytest.mark.parametrize("name", SUMMARIES)
@pytest.mark.parametrize("wrong", [False, True])
def test_summaries_in_every_form(tmp_path: Path, name: str, wrong: bool) -> None:
    rows = [[*row, "甲县"] for row in BASE]
    rows[0][-1] = "县区"
    summary = [[v * 1.5 if wrong and v in (134, 1340000, 207) else v for v in row] for row in SUMMARIES[name]]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows, name: summary}))
    assert tax(read) == TAX
    assert len(read.enterprises) == 4
    told = [(f.row, f.heading) for f in read.faults if f.rule == "summary_differs"]
    places = [r + 1 for r, row in enumerate(SUMMARIES[name]) if {134, 1340000, 207} & set(row)]
    assert [row for row, _ in told] == (places if wrong else [])


@pytest.mark.parametrize(
    "name", ["模板", "填报模板", "样表（参考）", "参考示例", "数据字典", "下拉列表", "填报要求", "封面", "码表"]
)
def test_sheets_of_firms_that_are_none(tmp_path: Path, name: str) -> None:
    rows = [[*KEYS, "年份", "实缴税金（万元）"], [code(97), "样子厂", "东街", "是", 2023, 5]]
    if name == "封面":
        rows = [["甲县2023年台账"], ["目录"]]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": BASE, name: rows}))
    assert tax(read) == TAX
    assert len(read.enterprises) == 4
    assert rules(read) <= {"sheet_passed", "sheet_unknown"}


# -- words and cells ---------------------------------------------------------------------------------------------------

VALUES: dict[str, tuple[str, list[Any], str, list[Any] | None]] = {
    "classes": ("规模", ["规上", "规下", "规上", "规下"], "above_scale", [True, False, True, False]),
    "sizes": ("规模", ["大型", "中型", "小型", "微型"], "above_scale", None),
    "figures": ("规模", [1200, 300, 500, 20], "above_scale", None),
    "grades": ("企业类别", ["A", "B", "C", "D"], "grade", ["A", "B", "C", "D"]),
    "classes of firms": ("企业类别", ["规上", "规下", "规上", "规下"], "above_scale", [True, False, True, False]),
    "legal forms": ("企业类型", ["有限公司", "股份", "个体", "合伙"], "above_scale", None),
    "types of class": ("企业类型", ["规上", "规下", "规上", "规下"], "above_scale", [True, False, True, False]),
    "yes and no of a state": ("规上企业状态", ["是", "否", "是", "否"], "above_scale", None),
    "states": ("纳税人状态", ["正常", "注销", "停业", "正常"], "above_scale", None),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_column_is_what_its_values_say(tmp_path: Path, name: str) -> None:
    heading, values, column, expected = VALUES[name]
    rows = [[*KEYS[:3], "年份", "实缴税金（万元）", heading]]
    rows += [[*FIRMS[i], 2023, TAX[i], values[i]] for i in range(4)]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows}))
    assert (tax(read, column=column) if column in read.annual else None) == expected
    assert not len(read.disposals)


@pytest.mark.parametrize(
    "cell", ["24.98①", "24.98²", "24½", "24.98⑴", "≥24.98", "20-30", "24,98", "见备注", "24.98（含税）", "二十五"]
)
def test_what_is_no_plain_figure_is_told_at_its_cell(tmp_path: Path, cell: str) -> None:
    rows = [list(row) for row in BASE]
    rows[2][5] = cell
    why = refused(xlsx(tmp_path / "a.xlsx", {"年度": rows}))
    assert [(f.rule, f.row, f.value) for f in why.faults if f.severity == "error"] == [("number_unreadable", 3, cell)]


@pytest.mark.parametrize(
    "error", ["#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#BUSY!", "#UNKNOWN!", "#NAME?"]
)
@pytest.mark.parametrize("place", [3, 5])
def test_an_error_written_as_text_is_missing(tmp_path: Path, error: str, place: int) -> None:
    rows = [list(row) for row in BASE]
    rows[2][place] = error
    text = "\n".join(",".join(map(str, row)) for row in rows)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    read = read_ledger(tmp_path / "a.csv")
    assert tax(read)[0] == TAX[0]
    told = [(f.row, f.rule) for f in read.faults]
    assert (3, "cell_error") in told


# -- files -------------------------------------------------------------------------------------------------------------

LINES = TEXT.split("\n")
FILES = {
    "sep.csv": f"sep=,\r\n{TEXT}".encode(),
    "semicolons.csv": TEXT.replace(",", ";").encode("gb18030"),
    "pipes.txt": TEXT.replace(",", "|").encode("utf-16-le"),
    "end.csv": TEXT.encode() + b"\x1a",
    "zeros.csv": TEXT.encode() + b"\x00\x00",
    "vertical.csv": "\x0b".join(LINES).encode(),
    "separators.csv": "\u2028".join(LINES).encode(),
    "next.csv": "\u0085".join(LINES).encode(),
    "apostrophes.csv": "\n".join(",".join(f"'{v}" for v in row) for row in FLAT).encode(),
    "guards.csv": "\n".join("\t".join(f'="{v}"' for v in row) for row in FLAT).encode("gb18030"),
    "blank.csv": f"\n\n\n{TEXT}\n\n\n".encode(),
    "trailing.csv": "\n".join(f"{line},,," for line in LINES).encode(),
    "mark.xlsx": f"\ufeff{PAGE}".encode(),
    "script.xls": f"<script>var x='<table>';</script>{PAGE}".encode(),
    "open.xls": PAGE.replace("</td>", "").replace("</tr>", "").encode(),
    "upper.xls": PAGE.replace("<table>", "<TABLE BORDER=1>").replace("<td>", "<TD x:str>").encode("utf-16"),
}


@pytest.mark.parametrize("name", FILES)
def test_more_files_are_what_their_bytes_say(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    read = read_ledger(tmp_path / name)
    assert tax(read) == TAX
    assert read.enterprises["name"].tolist() == [firm[1] for firm in FIRMS]


OTHERS = {
    "png": b"\x89PNG\r\n\x1a\n",
    "jpg": b"\xff\xd8\xff\xe0\x00",
    "gif": b"GIF89a",
    "rar": b"Rar!\x1a\x07\x00",
    "7z": b"7z\xbc\xaf\x27\x1c",
    "rtf": b"{\\rtf1 hello}",
    "pdf": b"%PDF-1.7",
    "mht": b"MIME-Version: 1.0",
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("named", ["a.xlsx", "a.xls"])
def test_what_a_file_is_instead_is_told(tmp_path: Path, kind: str, named: str) -> None:
    (tmp_path / named).write_bytes(OTHERS[kind])
    (fault,) = refused(tmp_path / named).faults
    assert fault.rule == "file_disguised"
    assert {"pdf": "PDF", "mht": "网页存档"}.get(kind, kind) in fault.message()


# -- codes and remarks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("elsewhere", ["sheet", "file", "year"])
@pytest.mark.parametrize("name", ["乙县机械厂", " 乙县机械厂", "乙县机械厂\u200b"])
def test_two_firms_of_one_name_are_not_joined(tmp_path: Path, elsewhere: str, name: str) -> None:
    known = [["统一社会信用代码", "企业名称", "镇街"], *FIRMS, (code(9), "乙县机械厂", "南街")]
    rows = [["统一社会信用代码", "企业名称", "年份", "规上", "实缴税金（万元）"]]
    rows += [["" if i == 1 else FIRMS[i][0], name if i == 1 else FIRMS[i][1], 2023, SCALE[i], TAX[i]] for i in range(4)]
    if elsewhere == "year":
        rows += [[c, n, 2022, "否", 1] for c, n, _ in known[1:]]
        paths: Any = xlsx(tmp_path / "a.xlsx", {"年度": rows})
    elif elsewhere == "file":
        paths = [xlsx(tmp_path / "a.xlsx", {"企业": known}), xlsx(tmp_path / "b.xlsx", {"年度": rows})]
    else:
        paths = xlsx(tmp_path / "a.xlsx", {"企业": known, "年度": rows})
    assert "code_missing" in rules(refused(paths))


DENIED = [
    "未停产",
    "无停产情况",
    "未发生停产",
    "不属于公益类",
    "非行业除外",
    "没有租赁",
    "未被注销",
    "不搬迁",
    "没有破产",
    "不存在关停",
]
SAID = {
    "2023年5月停产，拟收储": "停产起始时间",
    "半停产": "停产起始时间",
    "无税收，已停产": "停产起始时间",
    "法院已受理破产": "处置结果",
    "拟关停": "处置结果",
    "污水处理（公益）": "公益类",
    "未达标，搬迁中": "处置结果",
    "项目在建中": "竣工时间",
    "对外出租": "租出",
    "属行业除外": "行业例外",
}


@pytest.mark.parametrize("heading", ["备注", "情况说明", "企业现状", "备注（必填）"])
@pytest.mark.parametrize("text", [*DENIED, *SAID])
def test_remarks_say_or_deny(tmp_path: Path, text: str, heading: str) -> None:
    rows = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), (heading, ["", text, "", ""]))
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows}))
    told = [(f.row, f.params["column"]) for f in read.faults if f.rule == "remark_says"]
    assert told == ([(3, SAID[text])] if text in SAID else [])
    assert not len(read.disposals)
