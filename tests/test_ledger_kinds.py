"""The kinds of things that offices put into a ledger: read rightly, or told at their place; each in many variants."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ledgers import code, rewritten, xlsx

from lyeval.ledger import Ledger, LedgerError, check_place, read_ledger
from lyeval.ledger.headings import Period, find, take_apart, take_period
from lyeval.ledger.typed import Odd, date, label, number
from lyeval.ledger.vocabulary import factor, find_unit, looks_like_unit, tidy

FIRMS = [(code(n), f"{'甲乙丙丁'[n - 1]}县机械厂", "东街" if n % 2 else "西街") for n in range(1, 5)]
TAX, LAND = [102.0, 11.0, 32.0, 62.0], [20.0, 12.0, 30.0, 15.0]
SCALE = ["是", "否", "是", "否"]
KEYS = ["统一社会信用代码", "企业名称", "镇街", "规上"]


def table(*columns: tuple[Any, list[Any]], title: str = "") -> list[list[Any]]:
    """Return a table of the four firms with more columns, a title above it if there is one."""
    rows = [[*KEYS, *(head for head, _ in columns)]]
    rows += [[*firm, SCALE[i], *(values[i] for _, values in columns)] for i, firm in enumerate(FIRMS)]
    return [[title], *rows] if title else rows


def tax(ledger: Ledger, year: int = 2023, column: str = "tax_wan") -> list[float]:
    """Return a column of a year, firm by firm."""
    rows = ledger.annual[(ledger.annual["year"] == year).to_numpy()]
    return rows.set_index("credit_code")[column].reindex([firm[0] for firm in FIRMS]).tolist()


def rules(ledger: Ledger | LedgerError) -> set[str]:
    """Return the rules that were told."""
    return {fault.rule for fault in ledger.faults} - {"missing_land", "missing_tax", "no_annual"}


def refused(path: Path | list[Path]) -> LedgerError:
    """Return why a ledger is refused."""
    with pytest.raises(LedgerError) as caught:
        read_ledger(path)
    return caught.value


YEAR = Period(2023)
PERIODS = {
    "2023年税收": YEAR,
    "二〇二三年税收": YEAR,
    "23年度税收": YEAR,
    "上年税收": Period(back=1),
    "去年税收": Period(back=1),
    "前年税收": Period(back=2),
    "本年税收": Period(back=0),
    "11月税收": Period(first=11, last=11),
    "十一月税收": Period(first=11, last=11),
    "1-10月税收": Period(first=1, last=10),
    "一月至十月税收": Period(first=1, last=10),
    "截至10月底税收": Period(first=1, last=10),
    "4—6月税收": Period(first=4, last=6),
    "一季度税收": Period(first=1, last=3),
    "第2季度税收": Period(first=4, last=6),
    "三季度税收": Period(first=7, last=9),
    "3季度税收": Period(first=7, last=9),
    "第四季度税收": Period(first=10, last=12),
    "前三季度税收": Period(first=1, last=9),
    "一至三季度税收": Period(first=1, last=9),
    "2023年Q3税收": Period(2023, None, 7, 9),
    "上半年税收": Period(first=1, last=6),
    "下半年税收": Period(first=7, last=12),
    "2023-10税收": Period(2023, None, 10, 10),
    "202310税收": Period(2023, None, 10, 10),
    "税收上年同期": Period(back=1),
    "税收": None,
    "月税收": None,
}


@pytest.mark.parametrize(("text", "period"), PERIODS.items())
def test_periods_of_headings(text: str, period: Period | None) -> None:
    assert take_period(text)[1] == period
    assert "税收" in take_period(text)[0]


LAST = {
    "上年税收（万元）": ("tax_wan", 2022),
    "2022年税收（万元）": ("tax_wan", 2022),
    "上年度亩均税收": ("tax_per_mu_reported", 2022),
    "2022年综合评价等级": ("grade", 2022),
    "上年用电量（万千瓦时）": ("power_wankwh", 2022),
    "去年销售收入": ("revenue_wan", 2022),
    "2021年工业产值": ("output_wan", 2021),
    "前年利润总额": ("profit_wan", 2021),
}


@pytest.mark.parametrize("source", ["column", "title", "sheet"])
@pytest.mark.parametrize("heading", LAST)
def test_a_heading_keeps_its_own_year_and_others_take_the_tables(tmp_path: Path, heading: str, source: str) -> None:
    name, year = LAST[heading]
    values = ["A", "B", "C", "D"] if name == "grade" else [1.0, 2.0, 3.0, 4.0]
    columns = [("实缴税金（万元）", TAX), (heading, values), ("用地面积（亩）", LAND)]
    columns += [("年份", [2023] * 4)] if source == "column" else []
    rows = table(*columns, title="某县2023年企业台账" if source == "title" else "")
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"2023年" if source == "sheet" else "Sheet1": rows}))
    assert tax(read) == TAX
    assert tax(read, column="land_mu") == LAND
    assert tax(read, year, name) == values


@pytest.mark.parametrize(
    "heading", ["11月税收", "12月税收", "1月税收", "一季度税收", "1-3月累计税收", "2023年5月税收", "十月税收", "Q2税收"]
)
def test_a_month_beside_the_year_leaves_the_year(tmp_path: Path, heading: str) -> None:
    rows = table(("实缴税金（万元）", TAX), (heading, [1.0] * 4), ("用地面积（亩）", LAND), title="2023年企业台账")
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"Sheet1": rows}))
    assert tax(read) == TAX
    assert tax(read, column="land_mu") == LAND
    assert read.monthly["tax_wan"].tolist() == [1.0] * 4


def test_figures_of_no_known_year_are_not_the_neighbours(tmp_path: Path) -> None:
    rows = table(("实缴税金（万元）", TAX), ("2022年综合评价等级", list("ABCD")))
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"Sheet1": rows}))
    assert "year_wanted" in rules(read)
    assert "tax_wan" not in read.annual


@pytest.mark.parametrize(
    ("title", "one", "other"),
    [
        ("2023年10月税收表", "税收", "税收上年同期"),
        ("2023年1-10月税收表", "税收", "上年同期税收"),
        ("2023年10月", "税收", "去年同期税收"),
        ("", "2023年1-10月税收", "上年同期税收"),
        ("", "2023年1—10月累计税收", "同期税收"),
        ("2023年", "1-10月税收", "上年同期"),
        ("2023年10月", "本年累计税收", "上年同期累计税收"),
        ("", "2023年三季度税收", "同期税收"),
    ],
)
def test_both_sides_of_a_comparison_share_the_span(tmp_path: Path, title: str, one: str, other: str) -> None:
    rows = [["统一社会信用代码", "企业名称", one, other]]
    rows += [[*firm[:2], 10.0 + i, 5.0 + i] for i, firm in enumerate(FIRMS)]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"Sheet1": [[title], *rows] if title else rows}))
    spans = read.monthly.groupby("year")["month"].unique()
    assert sorted(spans.index) == [2022, 2023]
    assert list(spans[2022]) == list(spans[2023])


@pytest.mark.parametrize(
    "day",
    [
        dt.date(2023, 1, 1),
        dt.date(2023, 1, 31),
        dt.datetime(2023, 1, 1),
        202301,
        "2023-01",
        "2023.1月",
        "23年1月",
        "2023年一月",
    ],
)
def test_headings_may_be_days_and_numbers(tmp_path: Path, day: Any) -> None:
    heads = [day]
    for month in range(2, 13):
        heads.append({str: f"2023年{month}月", int: 202300 + month}.get(type(day)) or dt.date(2023, month, 1))
    rows = table(("2023年税收（万元）", [78.0] * 4), *((head, [float(m + 1)] * 4) for m, head in enumerate(heads)))
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"入库税收": rows}))
    assert tax(read) == [78.0] * 4
    mine = read.monthly[(read.monthly["credit_code"] == FIRMS[0][0]).to_numpy()]
    assert mine["month"].tolist() == list(range(1, 13)) == mine["tax_wan"].tolist()


def test_quarters_make_the_year(tmp_path: Path) -> None:
    heads = ["2023年一季度税收", "2023年二季度税收", "2023年三季度税收", "2023年四季度税收"]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"Sheet1": table(*((head, [x / 4 for x in TAX]) for head in heads))}))
    assert tax(read) == TAX
    assert "year_from_months" in rules(read)
    spring = read.monthly[read.monthly["month"].isin([6, 9]).to_numpy()]
    assert spring.groupby("credit_code")["tax_wan"].sum().tolist() == [x / 2 for x in TAX]


UNREAD = ["目标", "预计", "国税", "含社保", "不含土地使用税", "测算数", "上报省", "户均"]
REFUSED = ["增值税", "县级留成", "企业所得税", "社保费"]
OWN = {
    "税收（土地使用税）": "land_use_tax_wan",
    "面积（批准）": "approved_mu",
    "面积（出让）": "granted_mu",
    "税收（亩均）": "tax_per_mu_reported",
}
SAME = [
    "税收（入库）",
    "税收（全口径）",
    "税收（万元，保留两位小数）",
    "税收（税务部门提供）",
    "税收（实缴）",
    "税收（合计）",
    "税收（全年）",
    "税收（实际）",
]


@pytest.mark.parametrize("year", ["", "2023年", "上年"])
@pytest.mark.parametrize("words", [*UNREAD, *REFUSED])
def test_a_qualifier_makes_another_measure(words: str, year: str) -> None:
    kind = find(take_apart(f"{year}税收（{words}）"), "annual").kind
    assert kind == ("refused" if words in REFUSED else "qualified")
    assert find(take_apart(f"{year}{words}税收"), "annual").kind in ("unknown", "refused", "carried")


@pytest.mark.parametrize("year", ["", "2023年"])
@pytest.mark.parametrize(("text", "column"), [*OWN.items(), *((text, "tax_wan") for text in SAME)])
def test_a_known_qualifier_is_its_own_column(text: str, column: str, year: str) -> None:
    fit = find(take_apart(year + text), "annual")
    assert [c.name for c in fit.columns] == [column]
    assert fit.kind == "column"
    assert (fit.period is not None) == bool(year)


def test_a_qualified_column_is_told_and_left(tmp_path: Path) -> None:
    rows = table(("2023年税收（万元）", TAX), ("2024年税收（目标）", [x * 3 for x in TAX]))
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"Sheet1": rows}))
    assert read.years == (2023,)
    assert tax(read) == TAX
    assert [f.heading for f in read.faults if f.rule == "heading_qualified"] == ["2024年税收（目标）"]


UNITS = {
    "仟元": ("万元", 0.1),
    "RMB元": ("万元", 1e-4),
    "万": ("万元", 1),
    "人民币万元": ("万元", 1),
    "佰万元": ("万元", 100),
    "米2": ("亩", 3 / 2000),
    "m²": ("亩", 3 / 2000),
    "平方公尺": ("亩", 3 / 2000),
    "公顷": ("亩", 15),
    "KM2": ("亩", 1500),
    "千瓦小时": ("万千瓦时", 1e-4),
    "kw·h": ("万千瓦时", 1e-4),
    "kw/h": ("万千瓦时", 1e-4),
    "KWH": ("万千瓦时", 1e-4),
    "万元": ("万元/亩", 1),
    "元": ("万元/亩", 1e-4),
    "元/㎡": ("万元/亩", 1 / 15),
    "千元/亩": ("万元/亩", 0.1),
}


@pytest.mark.parametrize(("unit", "wanted"), UNITS.items())
def test_units_in_every_spelling(unit: str, wanted: tuple[str, float]) -> None:
    assert float(factor(unit, wanted[0]) or 0) == pytest.approx(wanted[1], rel=1e-12)


@pytest.mark.parametrize("unit", ["美元", "万美元", "港币", "平方丈", "英亩", "kgce", "桶", "平方尺"])
@pytest.mark.parametrize("form", ["用地面积（{}）", "用地面积，单位：{}"])
def test_an_unknown_unit_stops_at_its_heading(tmp_path: Path, unit: str, form: str) -> None:
    assert find_unit(unit) is None
    assert looks_like_unit(unit)
    rows = table(("2023年税收（万元）", TAX), (form.format(unit), LAND))
    why = refused(xlsx(tmp_path / "a.xlsx", {"Sheet1": rows}))
    assert [(f.rule, f.heading) for f in why.faults if f.severity == "error"] == [("unit_unknown", form.format(unit))]


@pytest.mark.parametrize("place", ["heading", "row", "line"])
@pytest.mark.parametrize(("unit", "size"), [("仟元", 10), ("元", 10**4), ("万", 1), ("百万元", 0.01)])
def test_units_of_heading_row_and_line(tmp_path: Path, unit: str, size: float, place: str) -> None:
    head = f"2023年税收（{unit}）" if place == "heading" else "2023年税收"
    rows = table(
        (head, [x * size for x in TAX]), ("用地面积", LAND), title=f"单位：{unit}、亩" if place == "line" else ""
    )
    if place == "row":
        rows.insert(1, ["", "", "", "", unit, "亩"])
    assert tax(read_ledger(xlsx(tmp_path / "a.xlsx", {"Sheet1": rows}))) == pytest.approx(TAX)


@pytest.mark.parametrize("column", ["实缴税金（万元）", "土地总面积（亩）"])
@pytest.mark.parametrize("rows_merged", [(1, 2), (2, 3), (3, 4), (1, 4)])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_figure_merged_over_firms_belongs_to_none(
    tmp_path: Path, column: str, rows_merged: tuple[int, int], hidden: bool
) -> None:
    rows = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND))
    place = rows[0].index(column)
    first, last = rows_merged
    path = xlsx(tmp_path / "a.xlsx", {"年度": rows}, {"年度": [(first, place, last, place)]})
    if hidden:
        _under(path, first + 1, place, 777)
    read = read_ledger(path)
    name = "tax_wan" if "税" in column else "land_mu"
    whole = TAX if name == "tax_wan" else LAND
    expected = [np.nan if first <= i + 1 <= last else value for i, value in enumerate(whole)]
    assert tax(read, column=name) == pytest.approx(expected, nan_ok=True)
    told = next(f for f in read.faults if f.rule == "merged_figure")
    assert told.row == first + 1
    assert f"{whole[first - 1]:g}" in told.message()


def _under(path: Path, row: int, place: int, value: float) -> None:
    """Put a figure under a merged cell, where nobody sees it."""
    name = f"{chr(65 + place)}{row + 1}"
    before = rf'(<c r="{chr(64 + place)}{row + 1}"[^>]*>.*?</c>)(<c r="{name}"[^>]*/>)?'
    rewritten(path, lambda xml: re.sub(before, rf'\1<c r="{name}"><v>{value}</v></c>', xml))


def test_merged_text_and_years_fill_down(tmp_path: Path) -> None:
    rows = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND))
    rows[1][2] = rows[2][2] = "东街"
    merges = [(1, 2, 2, 2), (1, 4, 4, 4), (3, 3, 4, 3)]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows}, {"年度": merges}))
    assert tax(read) == TAX
    assert read.enterprises["township"].tolist() == ["东街", "东街", "东街", "西街"]
    assert tax(read, column="above_scale") == [True, False, True, True]
    assert "merged_figure" not in rules(read)


@pytest.mark.parametrize("rows_hidden", [[2], [3, 4], [1, 2, 3, 4]])
@pytest.mark.parametrize("columns_hidden", [[], [5]])
def test_what_is_hidden_is_counted_and_told(tmp_path: Path, rows_hidden: list[int], columns_hidden: list[int]) -> None:
    import xlsxwriter

    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("年度")
        for i, row in enumerate(table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND))):
            sheet.write_row(i, 0, row)
        for i in rows_hidden:
            sheet.set_row(i, None, None, {"hidden": True})
        for i in columns_hidden:
            sheet.set_column(i, i, None, None, {"hidden": True})
    read = read_ledger(path)
    assert tax(read) == TAX
    told = next(f for f in read.faults if f.rule == "rows_hidden")
    assert told.params["n"] == len(rows_hidden)
    assert ("columns_hidden" in rules(read)) == bool(columns_hidden)


EXAMPLES = [
    ("示例", "某某机械有限公司"),
    ("例", "XX公司"),
    ("例：", "示例企业"),
    ("样例", "××有限公司"),
    ("填报示例", "测试企业"),
    ("举例", "某公司"),
    ("示例1", "示例企业（请替换）"),
    (0, "示例公司"),
    (0, "某某有限公司（示例）"),
]


@pytest.mark.parametrize(("serial", "name"), EXAMPLES)
def test_example_rows_are_no_firms(tmp_path: Path, serial: Any, name: str) -> None:
    rows = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND))
    rows = [
        ["序号", *rows[0]],
        [serial, code(99), name, "某街道", "是", 2023, 1000, 100],
        *([i + 1, *r] for i, r in enumerate(rows[1:])),
    ]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows}))
    assert len(read.enterprises) == 4
    assert [f.row for f in read.faults if f.rule == "example_row"] == [2]


OTHERS: dict[str, list[list[Any]]] = {
    "分镇街": [
        ["镇街", "规上企业数", "规下企业数", "税收合计", "用地面积"],
        ["东街", 2, 0, 134, 50],
        ["西街", 0, 2, 73, 27],
        ["合计", 2, 2, 207, 77],
    ],
    "汇总": [["序号", "单位", "户数", "税收（万元）"], [1, "东街", 2, 134], [2, "西街", 2, 73]],
    "字典": [["镇街", "规上", "处置方式"], ["东街", "是", "提升"], ["西街", "否", "整治"]],
    "下拉选项": [["规上", "镇街"], ["是", "东街"], ["否", "西街"]],
    "填报示例": [[*KEYS, "年份", "实缴税金（万元）"], [code(98), "示范厂", "东街", "是", 2023, 5]],
    "样表": [[*KEYS, "年份", "实缴税金（万元）"], [code(97), "样子厂", "东街", "是", 2023, 5]],
    "填报说明": [["一、本表由各镇街填报"], ["二、税收为实缴数"]],
    "Sheet2": [["行业", "产值"], ["纺织", 12], ["机械", 13]],
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_sheets_never_refuse_the_rest(tmp_path: Path, name: str) -> None:
    rows = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND))
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows, name: OTHERS[name]}))
    assert len(read.enterprises) == 4
    assert tax(read) == TAX
    assert [f.sheet for f in read.faults] == [name]
    assert rules(read) <= {"sheet_passed", "sheet_unknown"}


@pytest.mark.parametrize(("row", "place"), [(1, 3), (2, 3), (1, 4), (3, 3), (2, 1), (1, 2), (3, 4), (2, 4)])
def test_a_summary_is_compared_with_the_firms(tmp_path: Path, row: int, place: int) -> None:
    summary = [list(line) for line in OTHERS["分镇街"]]
    summary[row][place] += 5
    rows = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND))
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows, "分镇街": summary}))
    assert [(f.row, f.heading) for f in read.faults if f.rule == "summary_differs"] == [(row + 1, summary[0][place])]


@pytest.mark.parametrize("above", [True, False])
@pytest.mark.parametrize("wrong", [None, "first", "second", "all"])
def test_totals_are_of_their_own_group(tmp_path: Path, above: bool, wrong: str | None) -> None:
    data = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX))
    head, body = data[0], data[1:]
    sums = {"first": TAX[0] + TAX[1], "second": TAX[2] + TAX[3], "all": sum(TAX)}
    rows = {k: ["", "合计" if k == "all" else "小计", "", "", "", v + 7 * (k == wrong)] for k, v in sums.items()}
    groups = [[*body[:2], rows["first"]], [*body[2:], rows["second"]]]
    if not above:
        groups = [[rows["first"], *body[:2]], [rows["second"], *body[2:]]]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": [head, *groups[0], *groups[1], rows["all"]]}))
    assert tax(read) == TAX
    lines = [f.row for f in read.faults if f.rule == "total_mismatch"]
    places = {"first": 4 if above else 2, "second": 7 if above else 5, "all": 8}
    assert lines == ([] if wrong is None else [places[wrong]])


STATES = ["正常", "停产", "注销", "在业", "存续", "吊销", "歇业", "关停"]


@pytest.mark.parametrize(
    "heading", ["企业状态", "经营状态", "登记状态", "状态", "企业经营状态", "生产状态", "目前状态", "经营状况"]
)
def test_states_are_no_outcomes(tmp_path: Path, heading: str) -> None:
    for start in (0, 4):
        rows = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), (heading, STATES[start : start + 4]))
        read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows}))
        assert tax(read) == TAX
        assert not len(read.disposals)


@pytest.mark.parametrize("heading", ["规模", "企业规模", "规模类型", "企业规模类型"])
def test_size_is_what_its_values_say(tmp_path: Path, heading: str) -> None:
    rows = [["统一社会信用代码", "企业名称", "年份", heading, "实缴税金（万元）"]]
    body = [[*firm[:2], 2023, "规上" if SCALE[i] == "是" else "规下", TAX[i]] for i, firm in enumerate(FIRMS)]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": [*rows, *body]}))
    assert tax(read, column="above_scale") == [True, False, True, False]
    sizes = [[*row[:3], size, row[4]] for row, size in zip(body, ["大型", "小型", "微型", "中型"], strict=True)]
    read = read_ledger(xlsx(tmp_path / "b.xlsx", {"年度": [*rows, *sizes]}))
    assert "above_scale" not in read.annual
    assert "heading_refused" in rules(read)


@pytest.mark.parametrize(
    "heading", ["单位面积", "单位税收", "企业数", "企业状态", "单位产值", "园区企业", "企业结果", "人均税收"]
)
def test_dropping_a_word_never_makes_another_column(heading: str) -> None:
    assert find(take_apart(heading), "annual").kind in ("unknown", "carried")


@pytest.mark.parametrize(
    "error", ["#SPILL!", "#CALC!", "#FIELD!", "#BLOCKED!", "#CONNECT!", "#BUSY!", "#PYTHON!", "#N/A"]
)
@pytest.mark.parametrize("place", [4, 5])
def test_an_error_value_is_told_at_its_cell(tmp_path: Path, error: str, place: int) -> None:
    path = xlsx(
        tmp_path / "a.xlsx",
        {"年度": table(("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND), ("年份", [2023] * 4))},
    )
    _cell(path, f"{chr(65 + place)}3", f'<c r="{{}}" t="e"><v>{error}</v></c>')
    read = read_ledger(path)
    assert tax(read, column="tax_wan" if place == 5 else "land_mu") == (TAX if place == 5 else LAND)
    assert [(f.row, f.value) for f in read.faults if f.rule == "cell_error"] == [(3, error)]


@pytest.mark.parametrize(
    "form",
    [
        '<c r="{}"><f>1+1</f></c>',
        '<c r="{}"><f>1+1</f><v></v></c>',
        '<c r="{}"><f>1+1</f><v/></c>',
        '<c r="{}" s="0"><f ca="1">SUM(A1)</f></c>',
    ],
)
@pytest.mark.parametrize("place", [4, 3])
def test_a_formula_without_a_result_is_told_at_its_cell(tmp_path: Path, form: str, place: int) -> None:
    path = xlsx(
        tmp_path / "a.xlsx",
        {"年度": table(("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND), ("年份", [2023] * 4))},
    )
    _cell(path, f"{chr(65 + place)}3", form)
    read = read_ledger(path)
    assert [(f.row, f.heading) for f in read.faults if f.rule == "formula_blank"] == [
        (3, "实缴税金（万元）" if place == 4 else "规上")
    ]
    assert tax(read)[0] == TAX[0]


def _cell(path: Path, name: str, xml: str) -> None:
    """Write a cell's XML into a workbook."""
    rewritten(path, lambda old: re.sub(rf'<c r="{name}"[^>]*>.*?</c>', xml.format(name), old, count=1))


@pytest.mark.parametrize(
    "text", ["约24.98", "大约24.98", "≈24.98", "24.98左右", "约 24.98 万元", "~24.98", "近24.98", "暂估24.98"]
)
def test_about_so_much_is_read_and_told(text: str) -> None:
    read = number(text, "万元")
    assert isinstance(read, Odd)
    assert read.rule == "number_about"
    assert read.value in (24.98, (24.98,))


DAYS = [
    "2023年1月5日",
    "2023年1月5日（星期四）",
    "2023、1、5",
    "2023，1，5",
    "2023-1-5 00:00:00",
    "'2023-01-05",
    "5-Jan-2023",
    "2023\\1\\5",
    "二〇二三年一月五日",
    "20230105",
    "2023.1.5 ",
    '="2023-01-05"',
    "2023年01月05日 上午",
    "44931",
    "2023年1月5日12时",
    "2023年1月5日星期四上午",
    "January 5, 2023",
    "2023年1月5日 10时30分",
    "2023-1-5T00:00:00Z",
    "２０２３年１月５日",
    "2023。1。5",
    "5-Jan-23",
    "2023年1月5号",
]


@pytest.mark.parametrize("text", DAYS)
def test_days_in_any_way(text: str) -> None:
    assert date(text, True) == dt.date(2023, 1, 5)


UNSEEN = ["\u200b{}", "\ufeff{}", "{}\u00ad", "'{}", '="{}"', "{}\u2060", "\u00a0{} ", "‘{}", "{}\u200f", "\u3000{}"]


@pytest.mark.parametrize("form", UNSEEN)
def test_unseen_signs_change_nothing(form: str) -> None:
    assert tidy(form.format(FIRMS[0][0])) == FIRMS[0][0]
    assert label(form.format("东街")) == "东街"
    assert label(form.format("东 街")) == "东街"
    assert number(form.format("24.98"), "万元") == 24.98


FLAT = [[*KEYS, "年份", "实缴税金（万元）"], *([*firm, SCALE[i], 2023, TAX[i]] for i, firm in enumerate(FIRMS))]
TEXT = "\n".join(",".join(map(str, row)) for row in FLAT)
PAGE = "<html><body><table>{}</table></body></html>".format(
    "".join("<tr>" + "".join(f"<td>{v}</td>" for v in row) + "</tr>" for row in FLAT)
)
GUARDED = re.sub(r"(91371329\w{10})", r'="\1"', TEXT)
FILES = {
    "cr.csv": TEXT.replace("\n", "\r").encode("gb18030"),
    "crlf.csv": TEXT.replace("\n", "\r\n").encode(),
    "crcrlf.csv": TEXT.replace("\n", "\r\r\n").encode(),
    "le.csv": TEXT.encode("utf-16-le"),
    "be.csv": TEXT.encode("utf-16-be"),
    "bom.csv": TEXT.encode("utf-16"),
    "guard.csv": GUARDED.encode("utf-8-sig"),
    "guard2.csv": re.sub(r"(91371329\w{10})", r'"=""\1"""', TEXT).encode(),
    "page.xls": PAGE.encode(),
    "page.xlsx": PAGE.replace("<html>", '<html><meta charset="gb2312">').encode("gb18030"),
    "page.csv": PAGE.encode(),
    "tabs.xls": TEXT.replace(",", "\t").encode("gb18030"),
    "tabs.xlsx": TEXT.replace(",", "\t").encode("utf-16"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_its_bytes_say(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    read = read_ledger(tmp_path / name)
    assert tax(read) == TAX
    assert read.enterprises["township"].tolist() == ["东街", "西街", "东街", "西街"]


@pytest.mark.parametrize("name", ["a.xls", "a.csv", "a.xlsb", "a.ods", "a.txt", "a.xlsm"])
def test_a_workbook_under_another_name(tmp_path: Path, name: str) -> None:
    xlsx(tmp_path / "b.xlsx", {"年度": FLAT}).rename(tmp_path / name)
    assert tax(read_ledger(tmp_path / name)) == TAX


DISGUISED = {
    b"MIME-Version: 1.0\nContent-Type: multipart/related": "a.xls",
    b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">': "a.xls",
    b"%PDF-1.7": "a.xlsx",
}


@pytest.mark.parametrize(("data", "name"), DISGUISED.items())
def test_what_cannot_be_read_is_told_what_it_is(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert rules(refused(tmp_path / name)) == {"file_disguised"}


NAMES = [["统一社会信用代码", "企业名称", "曾用名", "镇街"], *([*firm[:2], f"老{firm[1]}", firm[2]] for firm in FIRMS)]
BOOK = {
    "企业": NAMES,
    "年度": [
        ["统一社会信用代码", "年份", "规上", "土地总面积（亩）"],
        *([FIRMS[i][0], 2023, SCALE[i], LAND[i]] for i in range(4)),
    ],
}


@pytest.mark.parametrize("key", ["纳税人识别号", "组织机构代码", "十五位", "纳税人名称", "曾用名"])
@pytest.mark.parametrize("folder", [False, True])
def test_departments_files_are_one_ledger(tmp_path: Path, key: str, folder: bool) -> None:
    values = {
        "纳税人识别号": [f[0] for f in FIRMS],
        "组织机构代码": [f[0][8:17] for f in FIRMS],
        "十五位": ["371329" + f[0][8:17] for f in FIRMS],
        "纳税人名称": [f[1] for f in FIRMS],
        "曾用名": [f"老{f[1]}" for f in FIRMS],
    }[key]
    head = {"十五位": "纳税人识别号", "曾用名": "企业名称"}.get(key, key)
    place = tmp_path / "folder"
    place.mkdir()
    taxes = [[head, "2023年税收（万元）"], *([v, t] for v, t in zip(values, TAX, strict=True))]
    paths = [xlsx(place / "甲.xlsx", BOOK), xlsx(place / "税务.xlsx", {"税": taxes})]
    read = read_ledger(place if folder else paths)
    assert tax(read) == TAX
    assert tax(read, column="land_mu") == LAND
    assert rules(read) <= {"files_joined", "joined_by_name"}
    assert rules(read) or folder


def test_a_missing_code_comes_from_the_one_firm_of_that_name(tmp_path: Path) -> None:
    rows = [
        ["统一社会信用代码", "企业名称", "年份", "实缴税金（万元）"],
        *([*FIRMS[i][:2], 2022, TAX[i]] for i in range(4)),
    ]
    rows += [["" if i == 1 else FIRMS[i][0], FIRMS[i][1], 2023, TAX[i]] for i in range(4)]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows}))
    assert tax(read) == TAX
    assert [(f.row, f.params["code"]) for f in read.faults if f.rule == "code_filled"] == [(7, FIRMS[1][0])]
    rows.append([code(9), FIRMS[1][1], 2023, 5])
    assert "code_missing" in rules(refused(xlsx(tmp_path / "b.xlsx", {"年度": rows})))


@pytest.mark.parametrize("blank", ["", "—", "无", "暂无", "/", "待核", "未提供", " \u3000"])
@pytest.mark.parametrize("name", ["乙县机械厂", " 乙县机械厂", "乙县机械厂\u200b", "乙县　机械厂"])
@pytest.mark.parametrize("elsewhere", ["sheet", "file"])
def test_a_code_written_as_none_is_filled_in_from_elsewhere(
    tmp_path: Path, blank: str, name: str, elsewhere: str
) -> None:
    rows = [["统一社会信用代码", "企业名称", "年份", "实缴税金（万元）"]]
    rows += [[blank if i == 1 else FIRMS[i][0], name if i == 1 else FIRMS[i][1], 2023, TAX[i]] for i in range(4)]
    book = {"企业": NAMES, "年度": rows}
    paths = [xlsx(tmp_path / f"{sheet}.xlsx", {sheet: book[sheet]}) for sheet in book]
    read = read_ledger(paths if elsewhere == "file" else xlsx(tmp_path / "a.xlsx", book))
    assert tax(read) == TAX
    assert [(f.row, f.params["code"]) for f in read.faults if f.rule == "code_filled"] == [(3, FIRMS[1][0])]


SIGNED = [
    "填表人：张三",
    "制表：李四",
    "审核人：",
    "单位负责人（签字）",
    "经办人：王五",
    "联系人：赵六",
    "盖章：",
    "分管领导：",
]


@pytest.mark.parametrize("words", SIGNED)
@pytest.mark.parametrize("other", ["", "联系电话：0539-6212345"])
def test_signatures_are_told_and_no_firms(tmp_path: Path, words: str, other: str) -> None:
    rows = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND))
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": [*rows, [words, other]]}))
    assert tax(read) == TAX
    assert [(f.row, f.value) for f in read.faults if f.rule == "signature_row"] == [(6, words)]


PLACES = {"临沭县": False, "临沭": False, "临沭区": False, "海曙区": True, "舟山市": True, "郯城县": True}


@pytest.mark.parametrize(("place", "unfit"), PLACES.items())
def test_a_place_is_held_against_the_plans(tmp_path: Path, place: str, unfit: bool) -> None:
    rows = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), ("土地总面积（亩）", LAND))
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows}), county=place)
    assert set(read.enterprises["county"]) == {place}
    assert bool(check_place(read, "临沭县", "371329", "county")) == unfit
    assert not check_place(read, "舟山市", "330900", "city")  # four firms say nothing of a city


REMARKS = {
    "已停产": "停产起始时间",
    "2022年关停": "处置结果",
    "破产清算中": "处置结果",
    "属公益类": "公益类",
    "在建项目": "竣工时间",
    "厂房租赁给他人": "租出",
    "拟搬迁": "处置结果",
    "已注销": "处置结果",
    "行业除外": "行业例外",
}


@pytest.mark.parametrize(("text", "column"), REMARKS.items())
def test_remarks_are_listed_and_not_used(tmp_path: Path, text: str, column: str) -> None:
    rows = table(("年份", [2023] * 4), ("实缴税金（万元）", TAX), ("备注", ["", text, "未停产", "无"]))
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"年度": rows}))
    told = [(f.row, f.params["column"]) for f in read.faults if f.rule == "remark_says"]
    assert told == [(3, column)]
    assert not len(read.disposals)
    assert not {"public_good", "stopped_since", "exempt_industry"} & set(read.enterprises)
