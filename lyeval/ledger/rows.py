"""The rows of a table: which are data, which are totals, notes and repeated headers; then typed frames per sheet."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported, and pyarrow ships no stubs)

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lyeval.ledger.columns import NUMERIC, Marks, as_text
from lyeval.ledger.faults import LIMIT, Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import take_apart
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.summaries import TOTAL, compare_totals, remarks_of
from lyeval.ledger.typed import Cells, Odd, cell_of, convert, flag, is_text, texts_of, to_texts
from lyeval.ledger.vocabulary import CODE_FORM, DONE_AS, PATTERNS, key
from lyeval.ledger.wide import difference_rows, unpivot

Series = dict[str, pd.Series]


@dataclass(frozen=True)
class Part:
    """The rows that one table gives to one sheet, in canonical columns and units.

    ``main`` tells whether the table is that sheet's own or only carries some of its columns; ``marks`` are those of the
    frame's text columns, as far as reading found them.
    """

    sheet: str
    frame: pd.DataFrame
    main: bool
    headings: Mapping[str, str] = field(default_factory=dict[str, str])
    marks: Mapping[str, Marks] = field(default_factory=dict[str, Marks])


def read_rows(grid: Grid, layout: Layout, methods: Mapping[str, str], faults: Faults) -> list[Part]:
    """Convert the body of a table and split it by sheet.

    Parameters
    ----------
    methods : Mapping
        A policy's own labels of disposal methods → canonical id.
    """
    raws = grid.body(layout.body)
    if not raws or not len(raws[0]):
        return []
    reader = _Reader(grid, layout, faults)
    reader.sort_out()
    return reader.parts(methods) if len(reader.data) else []


class _Reader:
    """The body of one table on its way to typed frames.

    Attributes
    ----------
    kinds : ndarray of int8
        What each row is: ``DATA``, ``TOTALS`` …
    keys : dict
        Place → converted column of what a row must have: the credit code, else the block or county.
    made : dict
        Sheet → canonical name → values; ``timed`` are the columns of a period, ``values`` all as they come.
    """

    def __init__(self, grid: Grid, layout: Layout, faults: Faults) -> None:
        self.grid, self.layout, self.faults = grid, layout, faults
        self.raws = grid.body(layout.body)
        self.first = grid.first_row + layout.body
        self.kinds = np.full(len(self.raws[0]), DATA, dtype=np.int8)
        self.keys: dict[int, Cells] = {}
        self.made: dict[str, Series] = {}
        self.timed: list[tuple[Mapped, pd.Series]] = []
        self.values: list[pd.Series] = []
        self.marks: dict[str, Marks] = {}

    @property
    def data(self) -> np.ndarray:
        """Positions of the data rows."""
        return np.flatnonzero(self.kinds == DATA)

    def cells(self, position: int) -> list[Any]:
        """Return the cells of a row."""
        return [cell_of(raw, position) for raw in self.raws]

    def sort_out(self) -> None:
        """Tell data rows from blank, total, note and repeated header rows; data rows without a right code are faults."""
        self._examples()
        for row in self.grid.outside:
            self.kinds[row - self.layout.body] = OUT
        item = next(filter(None, map(self.layout.named, ("credit_code", "block", "county"))), None)
        if item is None:
            return
        self.keys[item.place] = converted = convert(self.raws[item.place], item.column, item.ratio, {})
        if converted.clean:
            return
        values = converted.values
        coded = item.column.kind == "code"
        right = values.str.fullmatch(CODE_FORM.pattern) if coded else values.notna()
        doubtful = np.flatnonzero(~right.fillna(False).to_numpy(dtype=bool) & (self.kinds == DATA))
        headings = {key(t) for i in self.layout.columns for t in (i.heading, *take_apart(i.heading).keys)}
        groups = self._groups() if len(doubtful) else frozenset[str]()
        if len(doubtful) > MANY:
            blank = self._blank_rows(doubtful)
            self.kinds[doubtful[blank]] = BLANK
            doubtful = doubtful[~blank]
            self.kinds[doubtful[MANY:]] = WRONG
        for turn, position in enumerate(doubtful[:MANY].tolist()):
            cells = self.cells(position)
            self.kinds[position] = row_kind(cells, headings, position, groups)
            if self.kinds[position] == DATA and self._says_nothing(cells):
                self.kinds[position] = SIGNED
            if self.kinds[position] in TOLD:
                value = next(cell for cell in cells if cell is not None and str(cell).strip())
                rule = TOLD[int(self.kinds[position])]
                self.faults.add(rule, *self.grid.where, row=self.first + position, value=value)
            elif self.kinds[position] == DATA:
                self.kinds[position] = WRONG
                more = {"count": len(doubtful) - turn} if turn == MANY - 1 else {}
                self._tell_key(item, cells[item.place], values.iloc[position], position, more)
        if not coded:
            for position in self.data.tolist():
                if TOTAL.fullmatch(key(str(cell_of(self.raws[item.place], position)))):
                    self.kinds[position] = TOTALS

    def _says_nothing(self, cells: list[Any]) -> bool:
        """Whether a row without code has no name and no figure either: a signature, a date, a note."""
        named = self.layout.named("name")
        said = [str(cell) for cell in cells if cell is not None and str(cell).strip()]
        bare = named is not None and not str(cells[named.place] or "").strip()
        return bare and len(said) <= 3 and not any(re.fullmatch(r"[\d.,\s%-]+", cell) for cell in said)

    def _groups(self) -> frozenset[str]:
        """Return the words by which a row without code may be a group's total: the townships, parks and industries of the others."""
        named = [item for item in self.layout.columns if item.column.name in GROUPED]
        words = {word for item in named for word in self._words(item)}
        return frozenset(words - {""} | (set(CLASSES) if self.layout.named("above_scale") else set()))

    def _words(self, item: Mapped) -> np.ndarray:
        """Return what a column that groups firms says of each row, 规上 and 规下 for its yes and no."""
        cells = texts_of(self.raws[item.place])
        known = {cell: key(str(cell)) for cell in set(cells) if cell is not None}
        if item.column.kind == "scale":
            said = {cell: flag(cell, "scale") for cell in known}
            known |= {cell: "规上" if yes else "规下" for cell, yes in said.items() if isinstance(yes, bool)}
        return np.array([known.get(cell, "") for cell in cells], dtype=object)

    def _examples(self) -> None:
        """Mark the rows, at the head of a table, that show how it is filled in (told)."""
        named = [item.place for item in self.layout.columns if item.column.name in ("name", "block")]
        for position in range(min(len(self.kinds), HEADMOST)):
            cells = self.cells(position)
            words = [re.sub(r"\s+", "", c) for c in cells[:6] if isinstance(c, str)]
            names = [re.sub(r"\s+", "", cells[p]) for p in named if isinstance(cells[p], str)]
            if any(EXAMPLE.fullmatch(word) for word in words) or any(SHOWN.fullmatch(name) for name in names):
                self.kinds[position] = SHOW
                value = next(iter([*names, *words]), "")
                self.faults.add("example_row", *self.grid.where, row=self.first + position, value=value)

    def _blank_rows(self, positions: np.ndarray) -> np.ndarray:
        """Return which of many rows are blank in every column."""
        blank = np.ones(len(positions), dtype=bool)
        for raw in self.raws:
            if isinstance(raw, list):
                blank &= np.array([raw[i] is None or str(raw[i]).strip() == "" for i in positions])
                continue
            part = raw.take(pa.array(positions))
            empty = pc.is_null(part)
            if is_text(part.type):
                empty = pc.or_(empty, pc.fill_null(pc.equal(pc.utf8_trim_whitespace(part), ""), True))
            blank &= empty.to_numpy()
        return blank

    def _tell_key(self, item: Mapped, cell: Any, value: Any, position: int, more: dict[str, Any]) -> None:
        """Tell why a data row's key is not one."""
        if item.column.kind != "code":
            rule, more = "key_missing", more | {"column": item.column.zh, "column_en": item.column.en}
        elif isinstance(cell, int | float) and cell == cell:
            rule, more = "code_number", more | {"value": cell}
        elif not isinstance(value, str):
            rule = "code_missing"
        else:
            rule, more = "code_wrong", more | {"value": cell, "length": len(value)}
        self.faults.add(rule, *self.grid.where, row=self.first + position, heading=item.heading, **more)

    def parts(self, methods: Mapping[str, str]) -> list[Part]:
        """Convert the columns, compare the totals, and give the rows by sheet."""
        self._set_periods_right()
        self._tell_hidden()
        ids = next((c.values for c in self.keys.values()), None)
        totals = np.flatnonzero(self.kinds == TOTALS)
        sums: list[tuple[Mapped, np.ndarray]] = []
        for item in self.layout.columns:
            raw = self.raws[item.place]
            converted = self.keys.get(item.place) or convert(raw, item.column, item.ratio, methods)
            self._tell_odd(converted, item)
            if len(totals) and item.column.adds:
                once = converted.values.to_numpy() / (float(item.ratio) or 1.0)
                once[[p - self.layout.body for p in self.grid.filled.get(item.place, ()) if p >= self.layout.body]] = (
                    np.nan
                )
                sums.append((item, once))
            converted = self._unshared(item, converted, ids)
            self.values.append(converted.values)
            if item.period is not None:
                self.timed.append((item, converted.values))
                continue
            name = "above_scale" if item.column.name == "below_scale" else item.column.name
            columns = self.made.setdefault(item.column.sheet, {})
            columns[name] = converted.values
            if name in ("outcome", "method"):
                columns[f"{name}_text"] = to_texts(raw).values
            if converted.marks is not None and item.column.sheet == "enterprises":
                self.marks[name] = converted.marks
        counted = np.isin(self.kinds, (DATA, WRONG, OUT))
        groups = [self._words(i) for i in self.layout.columns if i.column.name in GROUPED] if len(totals) else []
        compare_totals(sums, counted, totals, groups, self.raws, self.first, self.grid.where, self.faults)
        self.faults.keep(self.grid, self.layout, self.kinds, self.values)
        if ids is not None:
            self.faults.remarks += remarks_of(self.grid, self.layout, self.data.tolist(), ids)
        return self._unpivoted() if self.timed else self._as_they_stand()

    def _set_periods_right(self) -> None:
        """Drop the period of columns that are no figures of a year; in a table by months set them aside (told)."""
        kept: list[Mapped] = []
        for item in self.layout.columns:
            if item.period is not None and self.layout.named("month") is not None:
                self.faults.add("period_ignored", *self.grid.where, heading=item.heading)
            elif item.period is not None and item.column.sheet not in ("annual", "monthly"):
                kept.append(replace(item, period=None))
            else:
                kept.append(item)
        self.layout = replace(self.layout, columns=tuple(kept))

    def _tell_hidden(self) -> None:
        """Tell what of a table its reader does not see, and the cells that hold a formula without result or an error."""
        grid, body, columns = self.grid, self.layout.body, self.layout.columns
        taken = set(self.data.tolist()) if grid.odd or grid.hidden_rows else set[int]()
        rows = sorted(row for row in grid.hidden_rows if row - body in taken)
        if rows:
            self.faults.add("rows_hidden", *grid.where, row=grid.first_row + rows[0], n=len(rows))
        names = [item.heading for item in columns if item.place in grid.hidden_columns]
        if names:
            self.faults.add("columns_hidden", *grid.where, n=len(names), names="、".join(names))
        heads = {item.place: item.heading for item in columns}
        by_rule: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for (row, place), (rule, words) in sorted(grid.odd.items()):
            if place in heads and row - body in taken:
                by_rule.setdefault((rule, heads[place]), []).append((grid.first_row + row, words))
        for (rule, heading), lines in by_rule.items():
            self.faults.add_rows(rule, grid.where, lines, heading=heading)

    def _tell_odd(self, converted: Cells, item: Mapped) -> None:
        """Tell the odd cells of data rows."""
        by_rule: dict[str, list[tuple[int, Odd]]] = {}
        for position, odd in converted.odd if item.column.name != "credit_code" else ():
            if self.kinds[position] in (DATA, WRONG):
                by_rule.setdefault(odd.rule, []).append((position, odd))
        for rule, found in by_rule.items():
            for count, (position, odd) in enumerate(found[: LIMIT + 1]):
                more = dict(odd.params) | ({"count": len(found) - LIMIT} if count == LIMIT else {})
                more |= {"value": cell_of(self.raws[item.place], position), "heading": item.heading}
                self.faults.add(rule, *self.grid.where, row=self.first + position, **more)

    def _unshared(self, item: Mapped, converted: Cells, ids: pd.Series | None) -> Cells:
        """Return a column of figures without those that one merged cell gives for several firms, or several columns (told)."""
        if not self.grid.merges or item.column.kind not in NUMERIC:
            return converted
        figures = {i.place for i in self.layout.columns if i.column.kind in NUMERIC}
        values, body = converted.values, self.layout.body
        for (r0, c0), (r1, c1) in self.grid.merges:
            if r0 < body or not c0 <= item.place <= c1:
                continue
            within = range(r0 - body, min(r1 - body + 1, len(self.kinds)))
            rows = [p for p in within if self.kinds[p] == DATA]
            several = len(rows) > 1 and (ids is None or len(set(ids.iloc[rows])) > 1)
            across = figures & set(range(c0, c1 + 1))
            if not rows or not (several or len(across) > 1):
                continue
            values = values.copy() if values is converted.values else values
            if item.place == c0:
                numbers = [self.first + p for p in rows]
                more = {"rows": f"{numbers[0]}–{numbers[-1]}" if len(numbers) > 1 else str(numbers[0])}
                more["total"] = f"{values.iloc[rows[0]] / (float(item.ratio) or 1.0):.10g}"
                more["names"] = "、".join(i.heading for i in self.layout.columns if i.place in across)
                place = {"row": numbers[0], "heading": item.heading, "covers": tuple(numbers)}
                self.faults.add("merged_figure" if several else "merged_columns", *self.grid.where, **place, **more)
            values.iloc[rows] = np.nan
        return converted if values is converted.values else replace(converted, values=values)

    @property
    def _place(self) -> Series:
        """File, sheet and row number of the rows."""
        count = len(self.kinds)
        words = [as_text(pa.repeat(pa.scalar(word, pa.large_string()), count)) for word in self.grid.where]
        numbers = pd.Series(np.arange(self.first, self.first + count, dtype=np.int64))
        return {"source_file": words[0], "source_sheet": words[1], "source_row": numbers}

    def _taken(self, series: Series) -> pd.DataFrame:
        """Return the data rows of some columns as a frame."""
        frame, data = pd.DataFrame(series, copy=False), self.data
        return frame if len(data) == len(frame) else frame.take(data).reset_index(drop=True)

    def _unpivoted(self) -> list[Part]:
        """Return the parts of a wide table: its periods as rows, the rest as it is."""
        keys = {n: s for own in self.made.values() for n, s in own.items() if n in ("credit_code", "name", "year")}
        rows = self._taken(keys | self.made.get("annual", {}) | self._place)
        short = [(item, values.take(self.data).reset_index(drop=True)) for item, values in self.timed]
        headings = {item.column.name: item.heading for item in self.layout.columns}
        frames = unpivot(self.layout, short, dict(rows.items()), self.faults)  # type: ignore[arg-type]
        made = [Part(sheet, frame, True, headings) for sheet, frame in frames.items()]
        others = {sheet: own for sheet, own in self.made.items() if sheet not in ("annual", "monthly")}
        if self.layout.sheet in others:
            return made + self._split(others)
        code = {n: s for own in others.values() for n, s in own.items() if n == "credit_code"}
        return made + [Part(s, self._taken(code | own | self._place), False) for s, own in others.items()]

    def _as_they_stand(self) -> list[Part]:
        """Return the parts of a table by sheet; monthly figures that ran from January are those of the month alone."""
        marks = self.marks if len(self.data) == len(self.kinds) else {}
        made = [replace(part, marks=marks) for part in self._split(self.made)]
        taxes = [item for item in self.layout.columns if item.column.name == "tax_wan" and "累计" in item.heading]
        if not any(item.column.sheet == "monthly" for item in taxes):
            return made
        for i, part in enumerate(made):
            if part.sheet == "monthly":
                made[i] = replace(part, frame=difference_rows(part.frame, self.grid.where, self.faults), marks={})
        return made

    def _split(self, parts: Mapping[str, Series]) -> list[Part]:
        """Make one frame per sheet, each with the keys that it needs and the place of its rows."""
        mine, main = self.layout.sheet, self.layout.sheet != "enterprises" or self.layout.listed
        shared = {n: s for sheet in (mine, "enterprises", "annual") for n, s in parts.get(sheet, {}).items()}
        code, place = shared.get("credit_code"), self._place
        headings = {item.column.name: item.heading for item in self.layout.columns}
        made: list[Part] = []
        for sheet in dict.fromkeys([mine, *parts]):
            series = ({"credit_code": code} if code is not None else {}) | parts.get(sheet, {})
            if sheet in ("annual", "enterprises") and "year" in shared:
                series["year"] = shared["year"]
            if sheet == mine and sheet != "enterprises" and "name" in shared and code is not None:
                series["name"] = shared["name"]
            if sheet == "disposals" and "outcome" in series and (series["outcome"] == "完成").any():
                outcome = series["outcome"]  # 完成 is read by the method of its row
                method = series.get("method", pd.Series(np.nan, index=outcome.index))
                done = method.map(DONE_AS).fillna("达标")
                series["outcome"] = outcome.mask(outcome == "完成", done).astype(outcome.dtype)
            made.append(Part(sheet, self._taken(series | place), main and sheet == mine, headings))
        return made


def row_kind(cells: Sequence[Any], headings: set[str], position: int, groups: frozenset[str] = frozenset()) -> int:
    """Classify a row without a right key; ``groups`` are the words that name a group of firms."""
    filled = [cell for cell in cells if cell is not None and cell == cell and str(cell).strip()]
    if not filled:
        return BLANK
    words = [key(cell) for cell in filled if isinstance(cell, str)]
    if any(TOTAL.fullmatch(word) for word in words[:4]):
        return TOTALS
    if any(PART.fullmatch(word) for word in words[:3]):
        return SUMMED
    if sum(HINT.fullmatch(word) is not None for word in words) * 2 > len(filled) > 1:
        return HINTS
    named = [word for word in words if not SERIAL.fullmatch(word)]
    if len(filled) > len(words) and named and all({word, SERIAL.sub("", word)} & groups for word in named):
        return TOTALS
    figures = [cell for cell in filled if not isinstance(cell, str) or re.fullmatch(r"[\d.,]+", cell)]
    if NOTE.match(str(filled[0]).strip()) and len(filled) <= 4 and len(figures) <= 1:
        return SIGNED if SIGNATURE.match(str(filled[0]).strip()) else BLANK
    if sum(word in headings for word in words) >= 2:
        return BLANK
    numbering = [str(int(c)) if isinstance(c, float) and c.is_integer() else str(c) for c in filled]
    numbering = [matched[1] if (matched := NUMBERED.fullmatch(n)) else n for n in numbering]
    plain = [n for n in numbering if n not in ("甲", "乙", "丙", "丁", "栏次")]
    if position == 0 and len(filled) > 2 and plain == [str(i) for i in range(1, len(plain) + 1)]:
        return BLANK
    return DATA


MANY = 2000
NUMBERED = re.compile(r"[(（]?(\d{1,2})[)）]?\s*(?:[=＝].*)?")
DATA, TOTALS, BLANK, WRONG, SHOW, OUT, SIGNED, SUMMED, HINTS = range(9)
TOLD = {SIGNED: "signature_row", SUMMED: "summary_row", HINTS: "example_row"}
GROUPED = ("township", "park", "county", "industry_code", "location", "above_scale")
CLASSES = ("规上", "规下", "规上企业", "规下企业", "规模以上", "规模以下", "规上工业", "规下工业")
SERIAL = re.compile(r"^([一二三四五六七八九十]{1,3}|\d{1,2}|[a-z])(?=.|$)")
PART = PATTERNS["part"]
HINT = PATTERNS["hint"]
HEADMOST = 20
EXAMPLE = PATTERNS["example"]
SHOWN = PATTERNS["shown"]
SIGNATURE = PATTERNS["signature"]
NOTE = re.compile(f"注|备注|说明|附注|数据来源|资料来源|★|\\*|※|[一二三四五1-9][、.]|{SIGNATURE.pattern}")
