"""Where the header of a grid stands, which sheet it is, and what each of its columns names (版式识别)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from lyeval.ledger.columns import COLUMNS, FLAGS, NUMERIC, SHEETS, Column, of_sheet
from lyeval.ledger.faults import Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import Fit, Heading, Own, Period, find, heading_of, nearest, stack, take_apart, take_period
from lyeval.ledger.typed import DIGITS, Odd, cell_of, flag, number
from lyeval.ledger.vocabulary import (
    ABOVE,
    BELOW,
    DONE,
    FIRM_SIZES,
    MISSING,
    NO,
    OUTCOMES,
    STATES,
    YES,
    factor,
    find_method,
    find_unit,
    find_word,
    key,
    looks_like_unit,
    plain,
)
from lyeval.workbooks import base_of


@dataclass(frozen=True)
class Mapped:
    """One column of a grid with its meaning.

    ``place`` in the grid, heading as written, ratio of its unit to the canonical one, and the period it is about.
    """

    column: Column
    heading: str
    place: int
    ratio: Fraction = Fraction(1)
    period: Period | None = None


@dataclass(frozen=True)
class Layout:
    """How a grid is read: its sheet, the first row of its body (from 0), its columns and a year from its title."""

    sheet: str
    body: int
    columns: tuple[Mapped, ...]
    year: int | None = None


def find_layout(grid: Grid, faults: Faults, own: Own | None = None) -> Layout | None:
    """Find header, sheet, columns and units of ``grid``; None (told, unless the grid is blank) when it is no table.

    ``own`` is the office's own word on its headings, which goes before the table of columns.
    """
    top = grid.top(TOP)
    header = _find_header(top, grid)
    if header is None:
        if any(value is not None for row in top for value in row):
            faults.add("sheet_unknown", grid.file, grid.sheet)
        return None
    start, height, headings = header
    name = base_of(grid.sheet) or grid.file.rsplit(".", 1)[0]
    lost = _key_lost(name, headings)
    if lost is not None:
        faults.add("no_key", grid.file, grid.sheet, column=lost.zh, column_en=lost.en)
        return None
    sheet = _find_sheet(name, headings)
    row_units, body = _unit_row(top, start + height)
    title = " ".join(str(v) for row in top[:start] for v in row if v is not None)
    columns = _map(grid, sheet, headings, title, own or {}, faults)
    line_units, strange = line_units_of(title)
    for word in strange:
        faults.add("unit_unknown", grid.file, grid.sheet, heading=f"单位：{word}", unit=word)
    mapped = tuple(_with_unit(grid, item, headings, row_units, line_units, faults) for item in columns)
    _tell_unread(grid, top[start + height - 1], headings, body, faults)
    return Layout(sheet, body, mapped, title_year(grid, title))


def _tell_unread(grid: Grid, row: list[Any], headings: Sequence[Heading | None], body: int, faults: Faults) -> None:
    """Tell columns of figures whose heading is a number, or a text too long, that says nothing."""
    for place, (value, heading) in enumerate(zip(row, headings, strict=True)):
        if (
            heading is None
            and value is not None
            and place
            and any(r[place] is not None for r in grid.top(SAMPLE)[body:])
        ):
            faults.add("heading_unknown", grid.file, grid.sheet, heading=" ".join(str(value).split())[:60], nearest="—")


def _find_header(top: list[list[Any]], grid: Grid) -> tuple[int, int, list[Heading | None]] | None:
    """Return the row, height and headings of the best header among the top rows; one row is preferred to two."""
    best: tuple[int, int, list[Heading | None]] | None = None
    best_score = 1
    for height in (1, 2):
        for start in range(len(top) - height + 1):
            headings = _stack(top, start, height, grid)
            names = _named(headings)
            if len(names) > best_score or (
                len(names) == best_score == 1 and best is None and ("credit_code", None) in names
            ):
                best, best_score = (start, height, headings), len(names)
    return best


def _heading_words(value: Any) -> str:
    """Return what a cell may say as a heading: short text, or a year or month given as a number or a day."""
    if isinstance(value, str):
        return value if len(value) <= 60 else ""
    return heading_of(value)


def _month_numbers(row: list[Any]) -> list[Any]:
    """Return a header row whose cells 1, 2, 3 … are months as 1月, 2月, 3月 …; a row that numbers all columns is none."""
    places = [p for p, v in enumerate(row) if isinstance(v, int | float) and not isinstance(v, bool)]
    numbers = [row[p] for p in places]
    if len(places) < 3 or 0 in places or numbers != [float(i + 1) for i in range(len(numbers))] or len(numbers) > 12:
        return row
    return [f"{int(v)}月" if p in places else v for p, v in enumerate(row)]


def _named(headings: Sequence[Heading | None]) -> set[tuple[str, Period | None]]:
    """Return the columns that headings name beyond doubt."""
    fits = [find(heading) for heading in headings if heading]
    return {(fit.columns[0].name, fit.period) for fit in fits if fit.kind in KNOWN and len(fit.columns) == 1}


def _stack(top: list[list[Any]], start: int, height: int, grid: Grid) -> list[Heading | None]:
    """Return the headings of ``height`` rows from ``start``, parents joined to their children."""
    rows = [_month_numbers(list(row)) for row in top[start : start + height]]
    for (r0, c0), (r1, c1) in grid.merges or ():
        for row in range(max(r0, start), min(r1, start + height - 1) + 1):
            for place in range(c0, min(c1, len(rows[0]) - 1) + 1):
                rows[row - start][place] = top[r0][c0] if r0 < len(top) else None
    if height > 1 and not grid.merges:
        _spread_parents(rows)
    headings: list[Heading | None] = []
    for place in range(len(rows[0])):
        parts = dict.fromkeys(words for row in rows if (words := _heading_words(row[place])))
        headings.append(stack(tuple(parts)) if parts else None)
    return headings


def _spread_parents(rows: list[list[Any]]) -> None:
    """Repeat parents to the right over their children, where merged cells are not marked (in place)."""
    for place in range(1, len(rows[0])):
        if rows[0][place] is None and rows[1][place] is not None and rows[1][place - 1] is not None:
            rows[0][place] = rows[0][place - 1]


def _find_sheet(name: str, headings: Sequence[Heading | None]) -> str:
    """Decide which sheet a table is: by its name when its headings agree, else by its headings."""
    scores = {sheet: _names(headings, sheet) for sheet in SHEETS}
    for sheet in _named_after(name):
        of_firms = sheet in ("blocks", "counties") and "credit_code" in scores["enterprises"]
        telling = {"county"} if sheet == "counties" else DISTINCTIVE.get(sheet, scores[sheet])
        if scores[sheet] & telling and not of_firms:
            return sheet
    known = "credit_code" in scores["enterprises"] or "name" in scores["enterprises"]
    if not known and "county" in scores["counties"] and "block" not in scores["blocks"]:
        return "counties"
    found = [sheet for sheet in DISTINCTIVE if scores[sheet] & DISTINCTIVE[sheet]]
    best = max(found, key=lambda sheet: len(scores[sheet]), default="enterprises")
    figures = scores["annual"] & FIGURES
    if figures and ("year" in scores["annual"] or len(figures) > len(scores[best])) and best not in OWN_FIGURES:
        return "annual"
    return best


def _named_after(name: str) -> list[str]:
    """Return the sheets that a table may be by its name."""
    return [sheet for sheet, pattern in SHEET_NAMES.items() if re.search(pattern, key(name))]


def _key_lost(name: str, headings: Sequence[Heading | None]) -> Column | None:
    """Return the column without which the rows of a table named after a sheet cannot be told apart."""
    timed = any(heading.period for heading in headings if heading)
    for sheet, (column, telling) in (item for item in REQUIRED.items() if item[0] in _named_after(name)):
        names, figures = _names(headings, sheet), _names(headings, "annual") & FIGURES
        if (
            column not in names
            and telling in names
            and not (sheet == "monthly" and (timed or figures - {"tax_wan", "year"}))
        ):
            return of_sheet(sheet)[column]
    return None


def _names(headings: Sequence[Heading | None], sheet: str) -> set[str]:
    """Return the canonical columns of ``sheet`` that the headings name."""
    fits = (find(heading, sheet) for heading in headings if heading)
    return {column.name for fit in fits if fit.kind in KNOWN for column in fit.columns if column.sheet == sheet}


def _map(grid: Grid, sheet: str, headings: list[Heading | None], title: str, own: Own, faults: Faults) -> list[Mapped]:
    """Give each heading its column; unknown, refused, doubtful and doubled ones are told."""
    mapped: list[Mapped] = []
    months = title_months(grid, title) if sheet in ("annual", "enterprises") else None
    for place, heading in enumerate(headings):
        if heading is None or not heading.keys:
            continue
        settled = next((form for form in (key(heading.text), *heading.keys) if form in own), None)
        if settled is not None:
            column = own[settled]
            if column is not None:
                mapped.append(Mapped(column, heading.text, place))
            continue
        fit = _fit(grid, sheet, place, heading, title, mapped, faults)
        if months is not None and is_of_month(heading, fit):
            mapped.append(Mapped(TAX, heading.text, place, period=Period(back=0, first=months.last, last=months.last)))
            continue
        column = _settle(grid, place, heading, fit, faults)
        if column is not None:
            mapped.append(Mapped(column, heading.text, place, period=fit.period))
    if months is not None:
        mapped = _within(grid, mapped, months, faults)
    return _without_doubles(grid, _same_spans(mapped), faults)


def _fit(grid: Grid, sheet: str, place: int, heading: Heading, title: str, before: list[Mapped], faults: Faults) -> Fit:
    """Return what a heading names, by its words, its values, its left neighbour (同期 alone) or the title (a period alone)."""
    fit = find(heading, sheet)
    if fit.kind in ("unknown", "carried") and STATUS.search(heading.keys[-1]):
        return _of_status(grid, place, heading)
    if len(fit.columns) > 1:
        return _decide(grid, place, heading, fit, faults)
    scale = fit.columns and fit.columns[0].name == "above_scale" and re.search("规模(?!以上)", heading.keys[0])
    if scale and {plain(str(cell)) for cell in _sample(grid, place, heading)} & FIRM_SIZES:
        return Fit("refused", fit.columns)
    if heading.keys[0] in BY_VALUES and not _fits(_sample(grid, place, heading), fit.columns):
        return Fit("carried")
    if fit.columns and fit.columns[0].name == "outcome" and heading.keys[0] == "状态" and sheet != "disposals":
        return _of_status(grid, place, heading)
    if fit.kind == "unknown" and heading.period and heading.plain == len(heading.keys):
        if "同期" in heading.text and before and before[-1].column.kind in NUMERIC:
            return Fit("column", (before[-1].column,), "", heading.period)
        return titled(grid, title, heading.period, faults)
    return fit


def _of_status(grid: Grid, place: int, heading: Heading) -> Fit:
    """Return what a column of states (企业状态) is by its values: outcomes, 规上 or 规下, else how a firm is registered or runs."""
    words = {plain(str(cell)) for cell in _sample(grid, place, heading)} - MISSING
    if words and words <= (ABOVE | BELOW) - (YES | NO):
        return Fit("column", (of_sheet("annual")["above_scale"],))
    outcomes = bool(words) and all(find_word(word, OUTCOMES) or word in DONE for word in words)
    if outcomes and not words <= STATES:
        return Fit("column", (of_sheet("disposals")["outcome"],))
    return Fit("carried")


def _same_spans(mapped: list[Mapped]) -> list[Mapped]:
    """Give a column of 同期 without months of its own the span of the column that it is compared with."""
    out = list(mapped)
    for i, item in enumerate(out):
        period = item.period
        if period is None or "同期" not in item.heading or not period.whole:
            continue
        others = [*reversed(out[:i]), *out[i + 1 :]]
        other = next((o for o in others if o.column.name == item.column.name and "同期" not in o.heading), None)
        if other is not None and other.period is not None:
            beside = other.period
            year = None if period.year is None and beside.year is None else period.year or (beside.year or 0) - 1
            back = None if year is not None else (beside.back or 0) + 1
            out[i] = replace(item, period=Period(year, back, beside.first, beside.last))
    return out


def _within(grid: Grid, mapped: list[Mapped], months: Period, faults: Faults) -> list[Mapped]:
    """Give tax without months of its own those that the title names: running totals, and what stands in a table of tax alone."""
    names = {item.column.name for item in mapped}
    if {"year", "month"} & names:
        return mapped
    alone = not (names & FIGURES) - {"tax_wan"}
    taxes = [item for item in mapped if item.column.name == "tax_wan"]
    out = []
    for item in mapped:
        period, running = item.period or Period(back=0), runs(item.heading, item.period, months)
        plainly = item.period is None and not running
        if len(taxes) == 1 and "同期" in item.heading:
            running = True
        if item.column.name != "tax_wan" or not period.whole or not (running or plainly):
            out.append(item)
            continue
        where = {"file": grid.file, "sheet": grid.sheet, "heading": item.heading}
        if plainly and not alone:
            faults.add("whole_assumed", **where, month=months.last)
            out.append(item)
            continue
        first = 1 if running else months.first
        out.append(replace(item, period=replace(period, first=first, last=months.last)))
        one = (f"{months.last}月当月", f"month {months.last}")
        span = one if first == months.last > 1 else (f"{first}至{months.last}月", f"months {first} to {months.last}")
        faults.add("months_assumed", **where, span=span[0], span_en=span[1])
    return out


def _decide(grid: Grid, place: int, heading: Heading, fit: Fit, faults: Faults) -> Fit:
    """Decide a heading of several meanings by its values, when these fit only one of them (told)."""
    names = {"file": grid.file, "sheet": grid.sheet, "heading": heading.text}
    if all(c.kind in NUMERIC for c in fit.columns):
        own = [c for c in fit.columns if c.unit == heading.unit == "亩"]
        if len(own) != 1:
            return fit
        faults.add("decided_by_values", **names, column=own[0].zh, column_en=own[0].en)
        return Fit("column", (own[0],), "", fit.period)
    sample = _sample(grid, place, heading)
    fitting = [column for column in fit.columns if _fits(sample, (column,))]
    if len(fitting) != 1:
        return fit
    column = fitting[0]
    faults.add("decided_by_values", **names, column=column.zh, column_en=column.en)
    return Fit("column", (column,), "", fit.period)


def _sample(grid: Grid, place: int, heading: Heading) -> list[Any]:
    """Return the values of a column's first rows, its heading left out."""
    cells = [row[place] for row in grid.top(SAMPLE) if row[place] is not None]
    return [cell for cell in cells if cell != heading.text and key(str(cell)) not in heading.keys]


def _fits(sample: list[Any], columns: Sequence[Column]) -> bool:
    """Whether all values of a sample are of a column's kind."""
    return bool(sample) and all(_reads(cell, columns[0]) for cell in sample) if columns else False


def _reads(cell: Any, column: Column) -> bool:
    """Whether a cell is a value of a column's kind."""
    if column.kind == "grade":
        return bool(re.fullmatch(r"[A-Fa-f][+-]?[类级档等]?", str(cell).strip()))
    if column.kind == "method":
        return find_method(str(cell), {}) is not None
    if column.kind in ("scale", "below"):
        return plain(str(cell)) in (ABOVE | BELOW) - (YES | NO)
    if column.kind in FLAGS:
        return not isinstance(flag(cell, column.kind), Odd)
    return isinstance(number(cell, column.unit), float)


def _settle(grid: Grid, place: int, heading: Heading, fit: Fit, faults: Faults) -> Column | None:
    """Return the one column that a heading names, telling why when there is none."""
    where = {"file": grid.file, "sheet": grid.sheet, "heading": heading.text}
    if fit.kind == "carried":
        return None
    if fit.kind == "unknown":
        told = sum(f.rule == "heading_unknown" for f in faults.items) < 30
        faults.add("heading_unknown", **where, nearest="、".join(nearest(heading)) if told else "—")
        return None
    column = fit.columns[0]
    names = {"column": column.zh, "column_en": column.en}
    if heading.odd and column.kind in NUMERIC:
        faults.add("unit_unknown", **where, unit=heading.odd, **names, wanted=column.unit or "—")
        return None
    if fit.kind == "qualified":
        faults.add("heading_qualified", **where, **names, words=heading.qualifier)
        return None
    if column.sheet == "annual" and fit.period is None and re.match("[当本]月", heading.keys[0]):
        faults.add("period_ignored", **where)
        return None
    if fit.kind == "refused":
        faults.add("heading_refused", **where, **names)
        return None
    if len(fit.columns) > 1:
        zh, en = "、".join(f"“{c.zh}”" for c in fit.columns), ", ".join(f"{c.name!r}" for c in fit.columns)
        faults.add("heading_ambiguous", **where, columns=zh, columns_en=en)
        return None
    if fit.kind == "near":
        faults.add("heading_near", **where, **names)
    elif fit.note:
        faults.add("heading_note", **where, **names)
    return column


def _without_doubles(grid: Grid, mapped: list[Mapped], faults: Faults) -> list[Mapped]:
    """Keep one grid column per canonical column: the one under its own label; else it is a fault."""
    kept: dict[tuple[str, str, Period | None], Mapped] = {}
    for item in mapped:
        name = "above_scale" if item.column.name == "below_scale" else item.column.name
        target = (item.column.sheet, name, item.period)
        first = kept.setdefault(target, item)
        if first is item:
            continue
        labels = [take_apart(i.heading).keys[0] == key(item.column.zh) for i in (first, item)]
        chosen, other = (first, item) if labels[0] or not labels[1] else (item, first)
        kept[target] = chosen
        rule = "heading_second" if labels[0] != labels[1] else "heading_twice"
        names = {"column": item.column.zh, "column_en": item.column.en}
        faults.add(rule, grid.file, grid.sheet, heading=other.heading, other=chosen.heading, **names)
    return sorted(kept.values(), key=lambda item: item.place)


def _unit_row(top: list[list[Any]], row: int) -> tuple[list[str], int]:
    """Return the units of a unit row below the header, and the first body row."""
    if row < len(top):
        words = [re.sub(r"[()（）\[\]]", "", str(value)) if value is not None else "" for value in top[row]]
        given = [word for word in words if word and word not in ("单位", "计量单位", "—", "-", "/")]
        if given and all(map(looks_like_unit, given)) and sum(find_unit(w) is not None for w in given) * 2 > len(given):
            return [word if word in given else "" for word in words], row + 1
    return [], row


def _with_unit(
    grid: Grid,
    item: Mapped,
    headings: list[Heading | None],
    row_units: list[str],
    line_units: list[str],
    faults: Faults,
) -> Mapped:
    """Add the ratio of the column's unit: from its heading, the unit row, or the line above."""
    column, heading = item.column, headings[item.place]
    if column.kind not in NUMERIC or not column.unit or heading is None:
        return item
    given = heading.unit or (row_units[item.place] if row_units else "")
    if given:
        ratio = factor(given, column.unit)
        if ratio is None:
            where = {"sheet": grid.sheet, "heading": heading.text, "unit": given, "wanted": column.unit}
            rule = "unit_wrong" if find_unit(given) else "unit_unknown"
            faults.add(rule, grid.file, **where, column=column.zh, column_en=column.en)
        return replace(item, ratio=ratio or Fraction(1))
    for word in line_units:
        ratio = factor(word, column.unit)
        if ratio is not None and not (column.unit == "㎡" and word.endswith("亩")):
            return replace(item, ratio=ratio)
    return item


TOP = 40
TAX = of_sheet("annual")["tax_wan"]
SAMPLE = 200
STATUS = re.compile(r"(状态|状况)$")
BY_VALUES = ("企业类型", "企业性质")  # 规上 or 规下, or a legal form that is not read
KNOWN = ("column", "near")
OWN_FIGURES = ("monthly", "tax_items")
FIGURES = {c.name for c in COLUMNS if c.sheet == "annual"} - {"parcel"}
DISTINCTIVE = {
    "monthly": {"month"},
    "tax_items": {"item"},
    "disposals": {"method", "outcome", "finished", "started"},
    "process": set(of_sheet("process")) - {"credit_code"},
    "blocks": {"block"},
    "issues": {"matter"},
    "papers": {"paper"},
}
REQUIRED = {
    "monthly": ("month", "tax_wan"),
    "tax_items": ("item", "amount_wan"),
    "blocks": ("block", "planned_m2"),
    "counties": ("county", "enterprises"),
    "papers": ("paper", "received"),
}
SHEET_NAMES = {
    "enterprises": r"^enterprises$|^企业$|企业(基本)?信息|基本信息|基本情况|企业名录|企业名单|企业清单|企业台账",
    "annual": r"^annual$|^年度$|年度(数据|情况|税收|表|信息|指标)|各年度",
    "monthly": r"^monthly$|^月度$|月度|分月|按月",
    "tax_items": r"^taxitems$|税项|分税种|税种",
    "disposals": r"^disposals$|处置|整治进展|提升进展",
    "process": r"^process$|流程|认定程序",
    "blocks": r"^blocks$|区块",
    "issues": r"^issues$|问题清单|问题",
    "papers": r"^papers$|材料",
    "counties": r"^counties$|^县区$|分县区|各县区",
}


def titled(grid: Grid, title: str, period: Period, faults: Faults) -> Fit:
    """Return what a heading of nothing but a period is about, by the sheet's name and the title (told once)."""
    named = {name for words, name in MEASURES for text in (grid.sheet, title, grid.file) if re.search(words, text)}
    if not period.whole:
        named &= {"tax_wan"}
    if len(named) != 1:
        return Fit("unknown")
    column = of_sheet("annual")[named.pop()]
    if not any(f.rule == "measure_assumed" and f.sheet == grid.sheet and f.file == grid.file for f in faults.items):
        faults.add("measure_assumed", grid.file, grid.sheet, column=column.zh, column_en=column.en)
    return Fit("column", (column,), "", period)


def line_units_of(title: str) -> tuple[list[str], list[str]]:
    """Return the units that a line above the header (单位：万元、亩) gives, and its words that are no unit we know."""
    matched = re.search(r"(?<![报送制任填写编属])单位\s*[:：]\s*([^()（）]+)", title)
    words = re.split(r"[、,，;；\s]+", matched[1]) if matched else []
    known = [word for word in words if find_unit(word)]
    return known, [word for word in words if word not in known and looks_like_unit(word)]


def title_year(grid: Grid, title: str) -> int | None:
    """Return the one year that the title, else the sheet's name, else its file's name gives."""
    for words in (title, grid.sheet, grid.file):
        years = set(re.findall(r"(?<!\d)((?:19|20)\d\d)(?!\d)", WHOLE_DAYS.sub("", words.translate(DIGITS))))
        if len(years) == 1:
            return int(years.pop())
        if years:
            return None
    return None


def title_months(grid: Grid, title: str) -> Period | None:
    """Return the months, less than a year, that the sheet's name, else its title, else its file's name gives."""
    for words in (title, grid.sheet, grid.file.rsplit(".", 1)[0]):
        period = take_period("".join(unicodedata.normalize("NFKC", words).split()))[1]
        if period is not None and not period.whole:
            return period
    return None


def runs(heading: str, period: Period | None, months: Period) -> bool:
    """Whether a heading (本年累计) is a running total up to the title's month: of the title's year, or the year before it."""
    if period is not None and None not in (period.year, months.year) and period.year != months.year:
        return False
    back = period.back if period is not None else 0
    return "累计" in heading and (not back or "同期" in heading)


def is_of_month(heading: Heading, fit: Fit) -> bool:
    """Whether a heading is the tax of the month (本月入库) that the table is about."""
    named = bool(fit.columns) and fit.columns[0].name == "tax_wan" and fit.kind in ("column", "near")
    return named and fit.period is None and re.match("[当本]月", heading.keys[0]) is not None


WHOLE_DAYS = re.compile(r"(?<=\d{4})\s*[-./年]\s*\d{1,2}\s*[-./月]\s*\d{1,2}日?")
MEASURES = (
    (r"(?<!使用)税(?!务)", "tax_wan"),
    (r"土地使用税", "land_use_tax_wan"),
    (r"用地|土地(?!使用税)|占地", "land_mu"),
    (r"用电|电量", "power_wankwh"),
    (r"产值", "output_wan"),
    (r"销售|营业收入|营收", "revenue_wan"),
    (r"规上|规模以上", "above_scale"),
)


def sections(grid: Grid) -> list[Grid]:
    """Return the tables of a sheet: it is cut above every header row with credit codes that names other columns than the first.

    A header row repeated on each page of one table is left where it is. Titles right above a header row go with it.
    """
    if grid.head or not grid.columns or not isinstance(grid.columns[0], list):
        return [grid]
    cuts: list[int] = []
    known: list[frozenset[str]] = []
    last = -2
    for row in _candidates(grid.columns):
        names = _named_columns(grid, row)
        if row > last + 1 and "credit_code" in names and len(names) > 1:
            if known and names not in known:
                cuts.append(_with_titles(grid, row))
            known.append(names)
        last = row
    if not cuts:
        return [grid]
    return [_part(grid, a, b) for a, b in zip([0, *cuts], [*cuts, grid.height], strict=True)]


def _candidates(columns: Sequence[Any]) -> list[int]:
    """Return the rows that hold a short text with a word for codes."""
    rows = {
        i
        for column in columns
        for i, v in enumerate(column)
        if v.__class__ is str and len(v) <= LONGEST and ("代码" in v or "识别号" in v or "税号" in v)
    }
    return sorted(rows)


def _named_columns(grid: Grid, row: int) -> frozenset[str]:
    """Return the columns that a row names beyond doubt."""
    cells = [cell_of(column, row) for column in grid.columns]
    fits = [find(take_apart(cell)) for cell in cells if isinstance(cell, str) and cell and len(cell) <= LONGEST]
    return frozenset(fit.columns[0].name for fit in fits if fit.kind in ("column", "near") and len(fit.columns) == 1)


def _with_titles(grid: Grid, row: int) -> int:
    """Return the first of the titles, rows of one cell, that stand right above a header row."""
    while row > 0 and sum(cell_of(column, row - 1) not in (None, "") for column in grid.columns) == 1:
        row -= 1
    return row


def _part(grid: Grid, start: int, end: int) -> Grid:
    """Return some rows of a sheet as a sheet of their own."""
    merges = [((a - start, b), (c - start, d)) for (a, b), (c, d) in grid.merges or () if start <= a and c < end]
    filled = {place: [p - start for p in rows if start <= p < end] for place, rows in grid.filled.items()}
    return replace(
        grid,
        columns=[column[start:end] for column in grid.columns],
        first_row=grid.first_row + start,
        merges=None if grid.merges is None else tuple(merges),
        filled={place: rows for place, rows in filled.items() if rows},
        odd={(r - start, c): what for (r, c), what in grid.odd.items() if start <= r < end},
        hidden_rows=frozenset(r - start for r in grid.hidden_rows if start <= r < end),
    )


LONGEST = 30
