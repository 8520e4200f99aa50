from __future__ import annotations

import datetime as dt
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import ANNUAL, BOTH, ENTERPRISES, C, code, content, csv_file, xlsx
from opendocument import ods

from lyeval.ledger import COLUMNS, Ledger, read_ledger
from lyeval.ledger.headings import find, take_apart
from lyeval.ledger.typed import Odd, date, month, number, year
from lyeval.ledger.vocabulary import SIZES, check_digits, factor

FULL = str.maketrans("0123456789.,-()", "０１２３４５６７８９．，－（）")
NUMBERS = {
    "plain": "{:.2f}".format,
    "thousands": "{:,.2f}".format,
    "full width": lambda v: f"{v:.2f}".translate(FULL),
    "spaces": " {:.2f}\n".format,
    "brackets": lambda v: f"({-v:.2f})" if v < 0 else f"{v:.2f}",
    "exponent": "{:.2e}".format,
}
DATES = [
    "{0.year}-{0.month:02}-{0.day:02}",
    "{0.year}.{0.month}.{0.day}",
    "{0.year}/{0.month}/{0.day}",
    "{0.year}年{0.month}月{0.day}日",
    "{0.year}{0.month:02}{0.day:02}",
    "{0.year}-{0.month:02}-{0.day:02} 00:00:00",
]
MONEY = ["", "（万元）", "(元)", "【千元】", "，单位：亿元", "/百万元"]
LAND = ["", "（亩）", "(平方米)", "[㎡]", "（公顷）"]
YES = ["是", "√", "1", "规上", "在库"]
SEEDS = st.integers(0, 2**32)
NO = ["否", "×", "0", "规下", "未入统"]


@given(st.integers(-(10**9), 10**9), st.sampled_from(sorted(NUMBERS)))
def test_numbers_however_written(cents, form):
    value = cents / 100
    digits = float(NUMBERS["exponent"](value)) if form == "exponent" else value
    assert number(NUMBERS[form](value)) == digits


@given(st.dates(dt.date(1950, 1, 1), dt.date(2099, 12, 31)), st.sampled_from(DATES), st.booleans())
def test_dates_however_written(day, form, end):
    assert date(form.format(day), end) == day
    assert date(float((day - dt.date(1899, 12, 30)).days), end) == day
    assert year(f"{day.year}年") == (day.year if day.year >= 1990 else Odd("year_range"))
    assert month(f"{day.month}月") == day.month


@given(st.text(max_size=20) | st.floats() | st.integers() | st.booleans() | st.dates())
def test_any_cell_is_read_or_odd(value):
    for read in (number, year, month, lambda v: date(v, True), lambda v: date(v, False)):
        result = read(value)
        assert result is None or isinstance(result, float | int | dt.date | Odd)
        assert not (isinstance(result, float) and not np.isfinite(result))


@given(st.integers(0, 999_999_999), st.integers(0, 16), st.integers(1, 30))
def test_one_wrong_character_breaks_the_check_digit(serial, place, step):
    from lyeval.ledger.vocabulary import ALPHABET

    right = code(serial)
    letter = ALPHABET[(ALPHABET.index(right[place]) + step) % 31]
    assert check_digits([right, right[:place] + letter + right[place + 1 :]]).tolist() == [True, False]


def test_check_digits_of_well_known_codes():
    assert check_digits(["91330100799655058B", "914403001922038216", "9144030071526726XG"]).all()


@pytest.mark.parametrize("column", [c for c in COLUMNS if c.kind != "carried"], ids=lambda c: f"{c.sheet}.{c.name}")
def test_every_heading_of_the_table_finds_its_column(column):
    for text in (column.zh, column.en, column.name, *column.variants):
        fit = find(take_apart(text.removeprefix("!")), column.sheet)
        assert fit.kind in ("column", "near"), text
        assert column in fit.columns, text
        assert len(fit.columns) == 1 or text.strip("!") in ("分类", "类别", "面积", "总面积", "入库情况")
    for text in column.refuse:
        assert find(take_apart(text), column.sheet).kind == "refused", text


def test_units_are_exact():
    assert factor("㎡", "亩") * 2000 == 3
    assert factor("元/㎡", "万元/亩") * 15 == 1
    assert factor("万元/公顷", "万元/亩") * 15 == 1
    assert factor("度", "万千瓦时") * 10**4 == 1
    assert factor("万元", "亩") is None
    assert {dimension for dimension, _ in SIZES.values()} >= {"money", "area", "energy"}


def rendered(folder: Path, rng: random.Random) -> Path:
    """Write the canonical ledger in one of the forms that offices use."""
    tax_unit, land_unit = rng.choice(MONEY), rng.choice(LAND)
    size = next(
        s for u, s in (("亿", 1e-4), ("百万", 0.01), ("千", 10), ("万", 1), ("元", 1e4), ("", 1)) if u in tax_unit
    )
    area = 1 if "亩" in land_unit or not land_unit else 1 / 15 if "公顷" in land_unit else 2000 / 3
    heads = {
        "统一社会信用代码": ["统一社会信用代码", "纳税人识别号", "统一社会\n信用代码", "2.税号", "credit_code"],
        "年份": ["年份", "年度", "评价年度", "year"],
        "规上": ["规上", "是否规上", "规模类型", "规模以上工业企业（是/否）", "above_scale"],
        "实缴税金": ["实缴税金", "实际入库税收", "税收", "（一）实缴税金", "tax_wan"],
        "土地总面积": ["土地总面积", "其中：占地面积", "用地 面积", "land_mu"],
    }
    head = [rng.choice(heads[h]) for h in ANNUAL[0]]
    head[3] += tax_unit
    head[4] += land_unit
    annual: list[list[Any]] = [[*head, "备注"]]
    rows = ANNUAL[1:]
    for row in rng.sample(list(rows), len(rows)):
        flag = rng.choice(YES if row[2] == "是" else NO)
        when = rng.choice([row[1], f"{row[1]}年", f"{row[1]}".translate(FULL), f"{row[1]}年度"])
        annual.append([row[0], when, flag, _figure(rng, row[3] * size), _figure(rng, row[4] * area), ""])
    if rng.random() < 0.5:
        annual.insert(0, ["某县各年度税收用地情况表（内部资料）"])
    day = dt.date(2021, 1, 28)
    until = rng.choice([day, *[form.format(day) for form in DATES]])
    firms = [[v if v != "2021-01-28" else until for v in row] for row in rng.sample(list(ENTERPRISES[1:]), 3)]
    sheets = {"企业": [ENTERPRISES[0], *firms], "年度": annual}
    if rng.random() < 0.4:
        return xlsx(folder / "a.xlsx", sheets)
    encoding = rng.choice(["utf-8", "utf-8-sig", "gb18030"])
    for name, table in sheets.items():
        csv_file(folder / f"{name}.csv", table, encoding)
    return folder


def _figure(rng: random.Random, value: float) -> Any:
    """Write a figure as a number or as text."""
    return rng.choice([value, f"{value:,.10f}", f"{value:.10f}".translate(FULL), f" {value:.12g} "])


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_a_ledger_in_any_form_comes_back_equal(seed):
    with tempfile.TemporaryDirectory() as name:
        read = read_ledger(rendered(Path(name), random.Random(seed)))
        expected = reference()
    assert read.faults == ()
    for sheet in ("enterprises", "annual"):
        one, other = content(getattr(read, sheet)), content(getattr(expected, sheet))
        assert one.columns.tolist() == other.columns.tolist()
        for column in one:
            if one[column].dtype == "float64":
                np.testing.assert_allclose(one[column], other[column], rtol=1e-9)
            else:
                assert one[column].equals(other[column])


def reference() -> Ledger:
    """Return the canonical ledger."""
    with tempfile.TemporaryDirectory() as name:
        return read_ledger(xlsx(Path(name) / "r.xlsx", BOTH))


# -- layouts -----------------------------------------------------------------------------------------------------------

FIGURES = {(row[0], row[1]): (row[2], row[3], row[4]) for row in ANNUAL[1:]}
NAMES = {row[0]: row[1] for row in ENTERPRISES[1:]}
OF_LAYOUT = {"period_spread", "joined_by_name", "parcels_joined", "tax_repeated", "months_lumped"}


def heads(rng: random.Random, name: str, sheet: str = "annual") -> str:
    """Return a heading of a column: its label, its name or any of its variants that no other column shares."""
    (column,) = [c for c in COLUMNS if (c.sheet, c.name) == (sheet, name)]
    words = [
        v
        for v in column.variants
        if v[0] != "!" and v not in ("分类", "类别", "面积", "总面积", "入库情况", "企业类型", "企业性质")
    ]
    plain = [v for v in words if not set(v) & set("（年累")]
    return rng.choice([column.zh, *plain])


def units(rng: random.Random) -> tuple[str, float, str, float]:
    """Return a unit of money and one of land, as headings write them, with how many of each make the canonical one."""
    money = rng.choice([("（万元）", 1.0), ("(元)", 1e4), ("【千元】", 10.0), ("/百万元", 0.01), ("", 1.0)])
    land = rng.choice([("（亩）", 1.0), ("(平方米)", 2000 / 3), ("（公顷）", 1 / 15), ("", 1.0)])
    return (*money, *land)


def wide(rng: random.Random) -> tuple[dict, dict]:
    """Lay the ledger out with a column per year, in one header row or two with merged parents."""
    money, size, area_unit, area = units(rng)
    tax, land, years, firms = heads(rng, "tax_wan"), heads(rng, "land_mu"), (2022, 2023), rng.sample(sorted(NAMES), 3)
    flags = {firm: next(f for (c, _), (f, *_) in FIGURES.items() if c == firm) for firm in firms}
    body = []
    for firm in firms:
        taxes = [_figure(rng, FIGURES[firm, y][1] * size) if (firm, y) in FIGURES else "" for y in years]
        body.append([firm, *taxes, _figure(rng, FIGURES[firm, 2023][2] * area), flags[firm]])
    code, scale = heads(rng, "credit_code", "enterprises"), heads(rng, "above_scale")
    if rng.random() < 0.5:
        top = [[code, *(f"{y}年{tax}{money}" for y in years), land + area_unit, scale]]
        return {"年度": [*top, *body]}, {}
    top = [[code, tax + money, "", land + area_unit, scale], ["", *(f"{y}年" for y in years), "", ""]]
    merges = [(0, 0, 1, 0), (0, 1, 0, 2), (0, 3, 1, 3), (0, 4, 1, 4)]
    return {"年度": [*top, *body]}, {"年度": merges}


def by_department(rng: random.Random) -> tuple[dict, dict]:
    """Lay the ledger out as the tables of three departments, each with a key of its own."""
    money, size, area_unit, area = units(rng)
    keyed = {
        "税务": (heads(rng, "credit_code", "enterprises"), lambda code: code),
        "自规": ("用地单位", lambda code: NAMES[code]),
        "统计": ("组织机构代码", lambda code: f"{code[8:16]}-{code[16]}"),
    }
    columns = {"税务": (heads(rng, "tax_wan") + money, 1, size), "自规": (heads(rng, "land_mu") + area_unit, 2, area)}
    tables = {}
    for name, (key, of) in keyed.items():
        head, place, ratio = columns.get(name, ("是否规上", 0, 0))
        rows = [[of(c), y, v[0] if not place else _figure(rng, v[place] * ratio)] for (c, y), v in FIGURES.items()]
        tables[name] = [[key, heads(rng, "year"), head], *rng.sample(rows, len(rows))]
    return tables, {}


def by_parcel(rng: random.Random) -> tuple[dict, dict]:
    """Lay the ledger out with rows of parcels: land in parts, the whole tax on each or in parts."""
    rows, whole = [], rng.random() < 0.5
    for (firm, when), (flag, tax, land) in FIGURES.items():
        part = rng.choice([0.25, 0.3]) if firm != C else 1.0
        for name, share in (("东", part), ("西", 1 - part)):
            if share:
                rows.append([firm, when, flag, tax if whole else tax * share, land * share, f"{firm[-3:]}{name}"])
    return {"年度": [[*ANNUAL[0], heads(rng, "parcel")], *rng.sample(rows, len(rows))]}, {}


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([wide, by_department, by_parcel]))
def test_a_ledger_in_any_layout_comes_back_equal(seed, lay_out):
    rng = random.Random(seed)
    tables, merges = lay_out(rng)
    with tempfile.TemporaryDirectory() as name:
        folder, tables = Path(name), {"企业": ENTERPRISES, **tables}
        kind = rng.choice(["xlsx", "ods", "csv"])
        if kind == "csv":
            for sheet, rows in tables.items():
                csv_file(folder / f"{sheet}.csv", rows, rng.choice(["utf-8", "utf-8-sig", "gb18030"]))
        else:
            xlsx(folder / "a.xlsx", tables, merges) if kind == "xlsx" else ods(folder / "a.ods", tables)
        read, expected = read_ledger(folder), reference()
    assert {fault.rule for fault in read.faults} <= OF_LAYOUT
    firms = read.enterprises.drop(columns="org_code", errors="ignore")
    assert content(firms).equals(content(expected.enterprises))
    one, other = read.annual.drop(columns="parcel", errors="ignore"), expected.annual
    assert one[["credit_code", "year", "above_scale"]].equals(other[["credit_code", "year", "above_scale"]])
    np.testing.assert_allclose(one[["tax_wan", "land_mu"]], other[["tax_wan", "land_mu"]], rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(2, 12), st.booleans())
def test_running_totals_in_any_layout_come_back_as_months(seed, last, in_rows):
    rng = random.Random(seed)
    money, size, *_ = units(rng)
    paid = {code: [round(rng.uniform(0, 9), 2) for _ in range(last)] for code in NAMES}
    until = {code: np.cumsum(months).round(2).tolist() for code, months in paid.items()}
    if in_rows:
        table = [["统一社会信用代码", "年份", "月份", f"累计入库税收{money}"]]
        table += [[c, 2023, m + 1, _figure(rng, t * size)] for c, totals in until.items() for m, t in enumerate(totals)]
        table = [table[0], *rng.sample(table[1:], len(table) - 1)]
    else:
        dash = rng.choice(["-", "—", "至"])
        periods = ["2023年1月", *(f"2023年1{dash}{m}月" for m in range(2, last + 1))]
        table = [["统一社会信用代码", *(f"{p}{rng.choice(['累计', ''])}税收{money}" for p in periods)]]
        table += [[c, *(_figure(rng, t * size) for t in totals)] for c, totals in until.items()]
    before = [ANNUAL[0], *([c, 2022, "否", 1, 1] for c in NAMES)]
    with tempfile.TemporaryDirectory() as name:
        read = read_ledger(xlsx(Path(name) / "m.xlsx", {"企业": ENTERPRISES, "年度": before, "Sheet3": table}))
    assert {fault.rule for fault in read.faults} == ({"missing_land"} if last == 12 and not in_rows else set())
    got = read.monthly.set_index(["credit_code", "year", "month"])["tax_wan"]
    expected = {(c, 2023, m + 1): v for c, months in paid.items() for m, v in enumerate(months)}
    assert got.index.tolist() == sorted(expected)
    np.testing.assert_allclose(got, [expected[k] for k in got.index], atol=1e-6)
