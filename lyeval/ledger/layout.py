"""Where the header of a grid stands, which sheet it is, and what each of its columns names (版式识别)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from lyeval.ledger.columns import COLUMNS, FLAGS, LAYOUTS, NUMERIC, SHEETS, Column, of_sheet
from lyeval.ledger.faults import Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import Fit, Heading, Own, Period, find, heading_of, nearest, stack, take_apart, take_period
from lyeval.ledger.typed import Odd, cell_of, flag, number, texts_of
from lyeval.ledger.vocabulary import (
    ABOVE,
    BELOW,
    DIGITS,
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
    terms,
    well_formed,
)
from lyeval.workbooks import base_of

Headings = Sequence[Heading | None]


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
    """How a grid is read: its sheet, the first row of its body (from 0), its columns and a year from its title.

    ``listed`` tells whether it is a list of firms; a department's figures beside code and name are none.
    """

    sheet: str
    body: int
    columns: tuple[Mapped, ...]
    year: int | None = None
    listed: bool = True

    def named(self, name: str) -> Mapped | None:
        """Return the column of a canonical name, None where the table has none."""
        return next((item for item in self.columns if item.column.name == name), None)


def find_layout(grid: Grid, faults: Faults, own: Own | None = None) -> Layout | None:
    """Find header, sheet, columns and units of ``grid``; None (told, unless the grid is blank) when it is no table.

    ``own`` is the office's own word on its headings, which goes before the table of columns.
    """
    top = grid.top(TOP)
    header = _find_header(top, grid)
    if header is None:
        if any(value is not None for row in top for value in row):
            faults.add("sheet_unknown", *grid.where)
        return None
    start, height, headings = header
    name = base_of(grid.sheet) or grid.file.rsplit(".", 1)[0]
    named = [sheet for sheet, layout in LAYOUTS.items() if re.search(layout.named, key(name))]
    lost = _key_lost(named, headings)
    if lost is not None:
        faults.add("no_key", *grid.where, column=lost.zh, column_en=lost.en)
        return None
    sheet = _find_sheet(named, headings)
    row_units, body = _unit_row(top, start + height)
    title = " ".join(str(v) for row in top[:start] for v in row if v is not None)
    columns = _Reader(grid, sheet, title, headings, faults).columns(own or {})
    stated = re.search(r"(?<![报送制任填写编属])单位\s*[:：]\s*([^()（）]+)", title)
    words = re.split(r"[、,，;；\s]+", stated[1]) if stated else []
    for word in words:
        if find_unit(word) is None and looks_like_unit(word):
            faults.add("unit_unknown", *grid.where, heading=f"单位：{word}", unit=word)
    units = [part for word in words for part in dict.fromkeys([word, *word.split("/")]) if find_unit(part)]
    mapped = tuple(_with_unit(grid, item, headings, row_units, units, faults) for item in columns)
    for place, value in enumerate(top[start + height - 1]):
        filled = place and value is not None and headings[place] is None  # a number, or a text too long to be a heading
        if filled and any(row[place] is not None for row in grid.top(SAMPLE)[body:]):
            faults.add("heading_unknown", *grid.where, heading=" ".join(str(value).split())[:60], nearest="—")
    names = {item.column.name for item in mapped if item.column.sheet != "annual"}
    listed = "enterprises" in named or not names <= BESIDE or len(names) == len(mapped)
    return Layout(sheet, body, mapped, _title_year(grid, title), listed)


def _find_header(top: list[list[Any]], grid: Grid) -> tuple[int, int, Headings] | None:
    """Return the row, height and headings of the best header among the top rows; one row is preferred to two."""
    best: tuple[int, int, Headings] | None = None
    best_score = 1
    firms = [row for row, cells in enumerate(top) if any(isinstance(c, str) and well_formed(c) for c in cells)]
    for height in (1, 2):
        for start in range(len(top) - height + 1):
            if best_score > 1 and start + height > min(firms, default=TOP):
                break  # headings stand above the firms
            headings = _stack(top, start, height, grid)
            fits = [find(heading) for heading in headings if heading]
            names = {(fit.columns[0].name, fit.period) for fit in fits if fit.sure}
            alone = len(names) == best_score == 1 and best is None and ("credit_code", None) in names
            if len(names) > best_score or alone:
                best, best_score = (start, height, headings), len(names)
    return best


def _stack(top: list[list[Any]], start: int, height: int, grid: Grid) -> Headings:
    """Return the headings of ``height`` rows from ``start``, parents joined to their children."""
    rows = [_month_numbers(list(row)) for row in top[start : start + height]]
    for (r0, c0), (r1, c1) in grid.merges or ():
        for row in range(max(r0, start), min(r1, start + height - 1) + 1):
            for place in range(c0, min(c1, len(rows[0]) - 1) + 1):
                rows[row - start][place] = top[r0][c0] if r0 < len(top) else None
    if height > 1 and not grid.merges:  # a parent stands over all its children where merged cells are not marked
        for place in range(1, len(rows[0])):
            if rows[0][place] is None and rows[1][place] is not None and rows[1][place - 1] is not None:
                rows[0][place] = rows[0][place - 1]
    headings: list[Heading | None] = []
    for place in range(len(rows[0])):
        parts = dict.fromkeys(words for row in rows if (words := heading_of(row[place])))
        headings.append(stack(tuple(parts)) if parts else None)
    return headings


def _month_numbers(row: list[Any]) -> list[Any]:
    """Return a header row whose cells 1, 2, 3 … are months as 1月, 2月, 3月 …; a row that numbers all columns is none."""
    places = [p for p, v in enumerate(row) if isinstance(v, int | float) and not isinstance(v, bool)]
    numbers = [row[p] for p in places]
    if len(places) < 3 or 0 in places or numbers != [float(i + 1) for i in range(len(numbers))] or len(numbers) > 12:
        return row
    return [f"{int(v)}月" if p in places else v for p, v in enumerate(row)]


def _names(headings: Headings, sheet: str) -> set[str]:
    """Return the canonical columns of ``sheet`` that the headings name."""
    fits = (find(heading, sheet) for heading in headings if heading)
    return {column.name for fit in fits if fit.known for column in fit.columns if column.sheet == sheet}


def _find_sheet(named: Sequence[str], headings: Headings) -> str:
    """Decide which sheet a table is: by its name when its headings agree, else by its headings."""
    scores = {sheet: _names(headings, sheet) for sheet in SHEETS}
    for sheet in named:
        of_firms = sheet in ("blocks", "counties") and "credit_code" in scores["enterprises"]
        telling = {"county"} if sheet == "counties" else LAYOUTS[sheet].telling or scores[sheet]
        if scores[sheet] & telling and not of_firms:
            return sheet
    known = "credit_code" in scores["enterprises"] or "name" in scores["enterprises"]
    if not known and "county" in scores["counties"] and "block" not in scores["blocks"]:
        return "counties"
    found = [sheet for sheet, layout in LAYOUTS.items() if scores[sheet] & layout.telling]
    best = max(found, key=lambda sheet: len(scores[sheet]), default="enterprises")
    figures = scores["annual"] & FIGURES
    more = "year" in scores["annual"] or len(figures) > len(scores[best])
    return "annual" if figures and more and best not in ("monthly", "tax_items") else best


def _key_lost(named: Sequence[str], headings: Headings) -> Column | None:
    """Return the column without which the rows of a table named after a sheet cannot be told apart."""
    timed = any(heading.period for heading in headings if heading)
    figures = _names(headings, "annual") & FIGURES
    for sheet in named:
        names = _names(headings, sheet)
        wide = sheet == "monthly" and (timed or figures - {"tax_wan", "year"})
        column, beside = LAYOUTS[sheet].required or ("", "")
        if column and column not in names and beside in names and not wide:
            return of_sheet(sheet)[column]
    return None


@dataclass
class _Reader:
    """What a table's headings name, one after the other; unknown, refused, doubtful and doubled ones are told."""

    grid: Grid
    sheet: str
    title: str
    headings: Headings
    faults: Faults

    def columns(self, own: Own) -> list[Mapped]:
        """Give each heading its column."""
        mapped: list[Mapped] = []
        months = self._title_months() if self.sheet in ("annual", "enterprises") else None
        for place, heading in enumerate(self.headings):
            if heading is None or not heading.keys:
                continue
            settled = next((form for form in (key(heading.text), *heading.keys) if form in own), None)
            if settled is not None:
                column = own[settled]
                mapped += [Mapped(column, heading.text, place)] if column is not None else []
                continue
            fit = self._fit(place, heading, mapped)
            of_month = re.match("[当本]月", heading.keys[0]) is not None and fit.period is None
            if months is not None and of_month and fit.known and fit.columns[0].name == "tax_wan":
                month = Period(back=0, first=months.last, last=months.last)
                mapped.append(Mapped(of_sheet("annual")["tax_wan"], heading.text, place, period=month))
                continue
            column = self._settle(heading, fit)
            if column is not None:
                mapped.append(Mapped(column, heading.text, place, period=fit.period))
        if months is not None:
            mapped = self._within(mapped, months)
        return self._without_doubles(_same_spans(mapped))

    def _fit(self, place: int, heading: Heading, before: list[Mapped]) -> Fit:
        """Return what a heading names, by its words, its values, its left neighbour (同期 alone) or the title (a period alone)."""
        fit = find(heading, self.sheet)
        if fit.known and OF_STATE.search(heading.keys[-1]) and all(c.kind in NUMERIC for c in fit.columns):
            sample = [cell for cell in self._sample(place, heading) if plain(str(cell)) not in MISSING]
            if sample and not any(_fits([cell], fit.columns) for cell in sample):  # 用电情况: words, no figures
                return Fit("unknown")
        first = fit.columns[0].name if fit.columns else ""
        status = fit.kind in ("unknown", "carried") and re.search(r"(状态|状况)$", heading.keys[-1])
        state = first == "outcome" and heading.keys[0] == "状态" and self.sheet != "disposals"
        if status or (state and len(fit.columns) == 1):
            return self._of_status(place, heading)
        if len(fit.columns) > 1:
            return self._decide(place, heading, fit)
        if first == "above_scale" and (scaled := self._of_scale(place, heading, fit)) is not fit:
            return scaled
        if heading.keys[0] in BY_VALUES and not _fits(self._sample(place, heading), fit.columns):
            return Fit("carried")
        if fit.kind == "unknown" and heading.period and heading.plain == len(heading.keys):
            if "同期" in heading.text and before and before[-1].column.kind in NUMERIC:
                return Fit("column", (before[-1].column,), "", heading.period)
            return self._titled(heading.period)
        months = [h.period.last for h in self.headings if h and h.period and not h.period.whole]
        if fit.kind == "unknown" and len(months) > 1 and SUMS.fullmatch(heading.keys[0]):
            return self._titled(Period(back=0, last=max(months)))
        return fit

    def _titled(self, period: Period) -> Fit:
        """Return what a heading of nothing but a period is about, by the sheet's name and the title (told once)."""
        texts = (self.grid.sheet, self.title, self.grid.file)
        named = {name for words, name, _ in terms("measure") if any(re.search(words, text) for text in texts)}
        if not period.whole:
            named &= {"tax_wan"}
        if len(named) != 1:
            return Fit("unknown")
        column = of_sheet("annual")[named.pop()]
        if not any(f.rule == "measure_assumed" and (f.file, f.sheet) == self.grid.where for f in self.faults.items):
            self.faults.add("measure_assumed", *self.grid.where, column=column.zh, column_en=column.en)
        return Fit("column", (column,), "", period)

    def _title_months(self) -> Period | None:
        """Return the months, less than a year, that the sheet's name, else its title, else its file's name gives."""
        for words in (self.title, self.grid.sheet, self.grid.file.rsplit(".", 1)[0]):
            text = DAY_SPAN.sub(r"\1-\2月", "".join(unicodedata.normalize("NFKC", words).split()))
            period = take_period(text if "截" in text else WHOLE_DAYS.sub("", text))[1]
            if period is not None and not period.whole:
                return period
        return None

    def _of_status(self, place: int, heading: Heading) -> Fit:
        """Return what a column of states (企业状态) is by its values: outcomes, 规上 or 规下, else how a firm is registered or runs."""
        words = {plain(str(cell)) for cell in self._sample(place, heading)} - MISSING
        if words and words <= SCALES:
            return Fit("column", (of_sheet("annual")["above_scale"],))
        outcomes = bool(words) and all(find_word(word, OUTCOMES) or word in DONE for word in words)
        if outcomes and not words <= STATES | YES | NO:
            return Fit("column", (of_sheet("disposals")["outcome"],))
        return Fit("carried")

    def _of_scale(self, place: int, heading: Heading, fit: Fit) -> Fit:
        """Return what a heading of 规上 is by its values: not sizes, and not figures or grades under 规模 or 类别."""
        sample = [cell for cell in self._sample(place, heading) if plain(str(cell)) not in MISSING]
        if re.search("规模(?!以上)", heading.keys[0]):
            words = {plain(str(cell)) for cell in sample}
            figures = bool(sample) and all(isinstance(cell, int | float) and cell not in (0, 1) for cell in sample)
            return Fit("refused", fit.columns) if figures or words & FIRM_SIZES else fit
        grade = of_sheet("annual")["grade"]
        if not re.search("类", heading.keys[0]) or not _fits(sample, (grade,)):
            return fit
        self.faults.add(
            "decided_by_values", *self.grid.where, heading=heading.text, column=grade.zh, column_en=grade.en
        )
        return Fit("column", (grade,), "", fit.period)

    def _decide(self, place: int, heading: Heading, fit: Fit) -> Fit:
        """Decide a heading of several meanings by its unit or its values, when these fit only one of them (told)."""
        if all(c.kind in NUMERIC for c in fit.columns):
            fitting = [c for c in fit.columns if c.unit == heading.unit == "亩"]
        else:
            sample = self._sample(place, heading)
            method = of_sheet("disposals")["method"]
            fitting = [column for column in fit.columns if _fits(sample, (column,))]
            fitting = fitting or [column for column in [method] if _fits(sample, (column,))]
        if len(fitting) != 1:
            return fit
        names = {"heading": heading.text, "column": fitting[0].zh, "column_en": fitting[0].en}
        self.faults.add("decided_by_values", *self.grid.where, **names)
        return Fit("column", (fitting[0],), "", fit.period)

    def _sample(self, place: int, heading: Heading) -> list[Any]:
        """Return the values of a column's first rows, its heading left out."""
        cells = [row[place] for row in self.grid.top(SAMPLE) if row[place] is not None]
        return [cell for cell in cells if cell != heading.text and key(str(cell)) not in heading.keys]

    def _settle(self, heading: Heading, fit: Fit) -> Column | None:
        """Return the one column that a heading names, telling why when there is none."""
        column = fit.columns[0] if fit.columns else None
        more: dict[str, Any] = {"heading": heading.text}
        rule = ""
        if fit.kind == "unknown":
            told = sum(f.rule == "heading_unknown" for f in self.faults.items) < 30
            rule, more["nearest"] = "heading_unknown", "、".join(nearest(heading)) if told else ""
            more["nearest"] = more["nearest"] or "—"
            if heading.period and heading.plain == len(heading.keys):
                rule = "heading_period"
        if column is None or fit.kind == "carried":
            if rule:
                self.faults.add(rule, *self.grid.where, **more)
            return None
        named = {"column": column.zh, "column_en": column.en}
        if heading.odd and column.kind in NUMERIC:
            rule, more = "unit_unknown", more | named | {"unit": heading.odd, "wanted": column.unit or "—"}
        elif fit.kind == "qualified":
            rule, more = "heading_qualified", more | named | {"words": heading.qualifier}
        elif column.sheet == "annual" and fit.period is None and re.match("[当本]月", heading.keys[0]):
            rule = "period_ignored"
        elif fit.kind == "refused":
            rule, more = "heading_refused", more | named
        elif len(fit.columns) > 1:
            rule, more["columns"] = "heading_ambiguous", "、".join(f"“{c.zh}”" for c in fit.columns)
            more["columns_en"] = ", ".join(f"{c.name!r}" for c in fit.columns)
        unread = bool(rule)
        if not unread and (fit.kind == "near" or fit.note):
            rule, more = "heading_near" if fit.kind == "near" else "heading_note", more | named
        if rule:
            self.faults.add(rule, *self.grid.where, **more)
        return None if unread else column

    def _within(self, mapped: list[Mapped], months: Period) -> list[Mapped]:
        """Give tax without months of its own those that the title names: running totals, and what stands in a table of tax alone."""
        names = [item.column.name for item in mapped]
        if {"year", "month"} & set(names):
            return mapped
        alone = not (set(names) & FIGURES) - {"tax_wan"}
        whole = [i.period for i in mapped if i.column.name == "tax_wan" and i.period and i.period.whole]
        own = any(period.back == 0 or (period.year is not None and period.year == months.year) for period in whole)
        out: list[Mapped] = []
        for item in mapped:
            period, running = item.period or Period(back=0), _runs(item.heading, item.period, months)
            plainly = item.period is None and not running
            running |= names.count("tax_wan") == 1 and "同期" in item.heading
            if item.column.name != "tax_wan" or not period.whole or "全年" in item.heading:
                out.append(item)
                continue
            if not running and not plainly and not own:
                out.append(item)
                continue
            if not running and not (plainly and (alone or months.first < months.last)):
                self.faults.add("whole_assumed", *self.grid.where, heading=item.heading, month=months.last)
                out.append(item)
                continue
            first = 1 if running else months.first
            out.append(replace(item, period=replace(period, first=first, last=months.last)))
            span = (f"{first}至{months.last}月", f"months {first} to {months.last}")
            if first == months.last > 1:
                span = (f"{months.last}月当月", f"month {months.last}")
            names_of = {"heading": item.heading, "span": span[0], "span_en": span[1]}
            self.faults.add("months_assumed", *self.grid.where, **names_of)
        return out

    def _without_doubles(self, mapped: list[Mapped]) -> list[Mapped]:
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
            self.faults.add(rule, *self.grid.where, heading=other.heading, other=chosen.heading, **names)
        return sorted(kept.values(), key=lambda item: item.place)


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


def _runs(heading: str, period: Period | None, months: Period) -> bool:
    """Whether a heading (本年累计) is a running total up to the title's month: of the title's year, or the year before it."""
    if period is not None and None not in (period.year, months.year) and period.year != months.year:
        return False
    back = period.back if period is not None else 0
    return "累计" in heading and (not back or "同期" in heading)


def _fits(sample: list[Any], columns: Sequence[Column]) -> bool:
    """Whether all values of a sample are of a column's kind."""
    return bool(sample) and bool(columns) and all(_reads(cell, columns[0]) for cell in sample)


def _reads(cell: Any, column: Column) -> bool:
    """Whether a cell is a value of a column's kind."""
    if column.kind == "grade":
        return bool(re.fullmatch(r"[A-Fa-f][+-]?[类级档等]?", str(cell).strip()))
    if column.kind == "method":
        return find_method(str(cell), {}) is not None
    if column.kind in ("scale", "below"):
        return plain(str(cell)) in SCALES
    if column.kind in FLAGS:
        return not isinstance(flag(cell, column.kind), Odd)
    return isinstance(number(cell, column.unit), float)


def _unit_row(top: list[list[Any]], row: int) -> tuple[list[str], int]:
    """Return the units of a unit row below the header, and the first body row."""
    if row < len(top):
        words = [re.sub(r"[()（）\[\]]", "", str(value)) if value is not None else "" for value in top[row]]
        given = [word for word in words if word and word not in ("单位", "计量单位", "—", "-", "/")]
        if given and all(map(looks_like_unit, given)) and sum(find_unit(w) is not None for w in given) * 2 > len(given):
            return [word if word in given else "" for word in words], row + 1
    return [], row


def _with_unit(
    grid: Grid, item: Mapped, headings: Headings, row_units: list[str], line_units: list[str], faults: Faults
) -> Mapped:
    """Add the ratio of the column's unit: from its heading, the unit row, or the line above."""
    column, heading = item.column, headings[item.place]
    if column.kind not in NUMERIC or not column.unit or heading is None:
        return item
    given = heading.unit or (row_units[item.place] if row_units else "")
    if given:
        ratio = factor(given, column.unit)
        if ratio is None:
            rule = "unit_wrong" if find_unit(given) else "unit_unknown"
            more = {"unit": given, "wanted": column.unit, "column": column.zh, "column_en": column.en}
            faults.add(rule, *grid.where, heading=heading.text, **more)
        return replace(item, ratio=ratio or Fraction(1))
    for word in line_units:
        ratio = factor(word, column.unit)
        if ratio is not None and not (column.unit == "㎡" and word.endswith("亩")):
            return replace(item, ratio=ratio)
    return item


def _title_year(grid: Grid, title: str) -> int | None:
    """Return the one year that the title, else the sheet's name, else its file's name gives."""
    for words in (title, grid.sheet, grid.file):
        years = set(re.findall(r"(?<!\d)((?:19|20)\d\d)(?!\d)", WHOLE_DAYS.sub("", words.translate(DIGITS))))
        if years:
            return int(years.pop()) if len(years) == 1 else None
    return None


def sections(grid: Grid) -> list[Grid]:
    """Return the tables of a sheet: it is cut above every header row with credit codes that names other columns than the first.

    A header row repeated on each page of one table is left where it is. Titles right above a header row go with it.
    """
    if grid.head or not grid.columns or (grid.merges is None and not isinstance(grid.columns[0], list)):
        return [grid]
    cuts: list[int] = []
    known: list[frozenset[str]] = []
    last = -2
    for row in _candidates(grid.columns):
        cells = [cell_of(column, row) for column in grid.columns]
        fits = [find(take_apart(cell)) for cell in cells if isinstance(cell, str) and cell and len(cell) <= LONGEST]
        names = frozenset(fit.columns[0].name for fit in fits if fit.sure)
        if row > last + 1 and "credit_code" in names and len(names) > 1:
            if known and names not in known:
                start = row
                while start > 0 and sum(cell_of(column, start - 1) not in (None, "") for column in grid.columns) == 1:
                    start -= 1
                cuts.append(start)
            known.append(names)
        last = row
    if not cuts:
        return [grid]
    return [grid.part(a, b) for a, b in zip([0, *cuts], [*cuts, grid.height], strict=True)]


def _candidates(columns: Sequence[Any]) -> list[int]:
    """Return the rows that hold a short text with a word for codes."""
    rows: set[int] = set()
    for column in columns:
        distinct = set(column) if isinstance(column, list) else column.unique().to_pylist()
        texts = {v for v in distinct if v.__class__ is str and len(v) <= LONGEST and OF_CODES.search(v)}
        rows |= {i for i, v in enumerate(texts_of(column)) if v in texts} if texts else set()
    return sorted(rows)


TOP, SAMPLE, LONGEST = 40, 200, 30
SUMS = re.compile("(全年|本年)?(合计|总计|累计|合计数|总额|共计)|全年")
OF_STATE = re.compile("(情况|状况|数据)$")
OF_CODES = re.compile("代码|识别号|税号")
SCALES = (ABOVE | BELOW) - (YES | NO)
BY_VALUES = ("企业类型", "企业性质")  # 规上 or 规下, or a legal form that is not read
FIGURES = {c.name for c in COLUMNS if c.sheet == "annual"} - {"parcel"}
BESIDE = {"credit_code", "org_code", "name"}
WHOLE_DAYS = re.compile(r"(?<=\d{4})\s*(?:年\s*\d{1,2}\s*月\s*\d{1,2}\s*[日号]?|([-./])\s*\d{1,2}\s*\1\s*\d{1,2}日?)")
DAY_SPAN = re.compile(r"(\d{1,2})月1日[-—–~～至到]+(?:\d{4}年)?(\d{1,2})月(?:2[89]|3[01])日")
