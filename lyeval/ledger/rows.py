"""The rows of a table: which are data, which are totals, notes and repeated headers; then typed frames per sheet."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported, and pyarrow ships no stubs)

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lyeval.ledger import codes
from lyeval.ledger.cells import Odd
from lyeval.ledger.columns import NUMERIC
from lyeval.ledger.convert import Cells, Raw, cell_of, convert, to_texts
from lyeval.ledger.faults import LIMIT, Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import key, take_apart
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.marks import Marks, as_text
from lyeval.ledger.vocabulary import DONE_AS
from lyeval.ledger.wide import difference_rows, unpivot


@dataclass(frozen=True)
class Part:
    """The rows that one table gives to one sheet, in canonical columns and units.

    ``main`` tells whether the table is that sheet's own or only carries some of its columns; ``marks`` are those of the
    frame's text columns, as far as reading found them.
    """

    sheet: str
    frame: pd.DataFrame
    main: bool
    headings: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, Marks] = field(default_factory=dict)


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
    where = (grid.file, grid.sheet)
    first = grid.first_row + layout.body
    keys: dict[int, Cells] = {}
    kinds = _row_kinds(grid, layout, raws, first, keys, faults)
    data = np.flatnonzero(kinds == DATA)
    if not len(data):
        return []
    found = _Columns()
    for item in layout.columns:
        converted = keys.get(item.place) or convert(raws[item.place], item.column, item.ratio, methods)
        _tell(converted, item, kinds, first, where, raws, faults)
        _compare_totals(converted, item, kinds, first, where, raws, faults)
        found.add(item, converted, raws[item.place])
    faults.keep(grid, layout, kinds, found.values)
    place = _places(where, first, len(kinds))
    if found.timed:
        return _unpivoted(layout, found.parts, found.timed, place, data, faults)
    marks = found.marks if len(data) == len(kinds) else {}
    made = [replace(part, marks=marks) for part in _split(layout, found.parts, place, data)]
    if any(item.column.name == "tax_wan" and "累计" in item.heading for item in layout.columns):
        return [_differenced(part, layout, where, faults) for part in made]
    return made


@dataclass
class _Columns:
    """The converted columns of a table: by sheet and name, those of a period apart, and all as they come."""

    parts: dict[str, dict[str, pd.Series]] = field(default_factory=dict)
    timed: list[tuple[Mapped, pd.Series]] = field(default_factory=list)
    values: list[pd.Series] = field(default_factory=list)
    marks: dict[str, Marks] = field(default_factory=dict)

    def add(self, item: Mapped, converted: Cells, raw: Raw) -> None:
        """Add one column; methods and outcomes keep their words beside them."""
        self.values.append(converted.values)
        if item.period is not None:
            self.timed.append((item, converted.values))
            return
        name = "above_scale" if item.column.name == "below_scale" else item.column.name
        columns = self.parts.setdefault(item.column.sheet, {})
        columns[name] = converted.values
        if name in ("outcome", "method"):
            columns[f"{name}_text"] = to_texts(raw).values
        if converted.marks is not None and item.column.sheet == "enterprises":
            self.marks[name] = converted.marks


def _differenced(part: Part, layout: Layout, where: tuple[str, str], faults: Faults) -> Part:
    """Return monthly rows as figures of the month alone where their tax runs from January."""
    running = {item.column.sheet for item in layout.columns if item.column.name == "tax_wan" and "累计" in item.heading}
    if part.sheet != "monthly" or "monthly" not in running:
        return part
    return replace(part, frame=difference_rows(part.frame, where, faults), marks={})


def _unpivoted(
    layout: Layout,
    parts: dict[str, dict[str, pd.Series]],
    timed: list[tuple[Mapped, pd.Series]],
    place: dict[str, pd.Series],
    data: np.ndarray,
    faults: Faults,
) -> list[Part]:
    """Return the parts of a wide table: its periods as rows, the rest as it is."""
    others = {sheet: columns for sheet, columns in parts.items() if sheet not in ("annual", "monthly")}
    keys = {n: s for sheet in parts for n, s in parts[sheet].items() if n in ("credit_code", "name", "year")}
    rows = keys | parts.get("annual", {}) | place
    taken = {name: values.take(data).reset_index(drop=True) for name, values in rows.items()}
    short = [(item, values.take(data).reset_index(drop=True)) for item, values in timed]
    headings = {item.column.name: item.heading for item in layout.columns}
    made = [Part(sheet, frame, True, headings) for sheet, frame in unpivot(layout, short, taken, faults).items()]
    if others:
        own = layout.sheet if layout.sheet in others else "annual"
        made += (
            _split(replace(layout, sheet=own), others, place, data) if own in others else _carried(others, place, data)
        )
    return made


def _carried(others: dict[str, dict[str, pd.Series]], place: dict[str, pd.Series], data: np.ndarray) -> list[Part]:
    """Return what a wide table says of its enterprises beside the figures."""
    made = []
    code = next((columns["credit_code"] for columns in others.values() if "credit_code" in columns), None)
    for sheet, columns in others.items():
        series = ({"credit_code": code} if code is not None else {}) | columns | place
        made.append(Part(sheet, pd.DataFrame(series, copy=False).take(data).reset_index(drop=True), False))
    return made


def _split(
    layout: Layout, parts: dict[str, dict[str, pd.Series]], place: dict[str, pd.Series], data: np.ndarray
) -> list[Part]:
    """Make one frame per sheet, each with the keys that it needs and the place of its rows."""
    own = parts.get(layout.sheet, {})
    shared = {n: s for sheet in (layout.sheet, "enterprises", "annual") for n, s in parts.get(sheet, {}).items()}
    code = shared.get("credit_code")
    whole = len(data) == len(place["source_row"])
    headings = {item.column.name: item.heading for item in layout.columns}
    made = []
    for sheet in dict.fromkeys([layout.sheet, *parts]):
        series = dict(own if sheet == layout.sheet else parts[sheet])
        if code is not None:
            series = {"credit_code": code} | series
        if sheet in ("annual", "enterprises") and "year" in shared:
            series["year"] = shared["year"]
        if sheet == layout.sheet and sheet != "enterprises" and "name" in shared and code is not None:
            series["name"] = shared["name"]
        if sheet == "disposals":
            _settle_outcomes(series)
        frame = pd.DataFrame(series | place, copy=False)
        frame = frame if whole else frame.take(data).reset_index(drop=True)
        made.append(Part(sheet, frame, sheet == layout.sheet, headings))
    return made


def _places(where: tuple[str, str], first: int, count: int) -> dict[str, pd.Series]:
    """Return file, sheet and row number of ``count`` rows from row ``first``."""
    return {
        "source_file": as_text(pa.repeat(pa.scalar(where[0], pa.large_string()), count)),
        "source_sheet": as_text(pa.repeat(pa.scalar(where[1], pa.large_string()), count)),
        "source_row": pd.Series(np.arange(first, first + count, dtype=np.int64)),
    }


def _settle_outcomes(series: dict[str, pd.Series]) -> None:
    """Read 完成 by the method of its row (in place)."""
    if "outcome" not in series or not (series["outcome"] == "完成").any():
        return
    method = series.get("method", pd.Series(np.nan, index=series["outcome"].index))
    done = method.map(DONE_AS).fillna("达标")
    series["outcome"] = series["outcome"].mask(series["outcome"] == "完成", done).astype(series["outcome"].dtype)


def _tell(
    converted: Cells,
    item: Mapped,
    kinds: np.ndarray,
    first: int,
    where: tuple[str, str],
    raws: list[Raw],
    faults: Faults,
) -> None:
    """Tell the odd cells of data rows."""
    if item.column.name == "credit_code":
        return
    by_rule: dict[str, list[tuple[int, Odd]]] = {}
    for position, odd in converted.odd:
        if kinds[position] in (DATA, WRONG):
            by_rule.setdefault(odd.rule, []).append((position, odd))
    for rule, found in by_rule.items():
        for count, (position, odd) in enumerate(found[: LIMIT + 1]):
            more = dict(odd.params) | ({"count": len(found) - LIMIT} if count == LIMIT else {})
            place = {"row": first + position, "value": cell_of(raws[item.place], position), "heading": item.heading}
            faults.add(rule, *where, **place, **more)


def _row_kinds(
    grid: Grid, layout: Layout, raws: list[Raw], first: int, keys: dict[int, Cells], faults: Faults
) -> np.ndarray:
    """Tell data rows from blank, total, note and repeated header rows; data rows without a right code are faults.

    The converted key column is left in ``keys`` under its place.
    """
    count = len(raws[0])
    kinds = np.full(count, DATA, dtype=np.int8)
    key_place = _key_place(layout)
    if key_place is None:
        return kinds
    item = layout.columns[key_place]
    keys[item.place] = converted = convert(raws[item.place], item.column, item.ratio, {})
    if converted.clean:
        return kinds
    values = converted.values
    coded = item.column.kind == "code"
    right = values.str.fullmatch(codes.FORM.pattern) if coded else values.notna()
    doubtful = np.flatnonzero(~right.fillna(False).to_numpy(dtype=bool))
    headings = {key(text) for i in layout.columns for text in (i.heading, *take_apart(i.heading).keys)}
    where = (grid.file, grid.sheet)
    if len(doubtful) > MANY:
        blank = _blank_rows(raws, doubtful)
        kinds[doubtful[blank]] = BLANK
        doubtful = doubtful[~blank]
        kinds[doubtful[MANY:]] = WRONG
    for turn, position in enumerate(doubtful[:MANY]):
        cells = [cell_of(raw, int(position)) for raw in raws]
        kinds[position] = row_kind(cells, headings, int(position))
        if kinds[position] == DATA:
            kinds[position] = WRONG
            more = {"count": len(doubtful) - turn} if turn == MANY - 1 else {}
            _tell_key(item, cells[item.place], values.iloc[position], first + int(position), where, faults, more)
    if not coded:
        for position in np.flatnonzero(kinds == DATA):
            if TOTAL.fullmatch(key(str(cell_of(raws[item.place], int(position))))):
                kinds[position] = TOTALS
    return kinds


def _blank_rows(raws: list[Raw], positions: np.ndarray) -> np.ndarray:
    """Return which of many rows are blank in every column."""
    blank = np.ones(len(positions), dtype=bool)
    for raw in raws:
        if isinstance(raw, list):
            blank &= np.array([raw[i] is None or str(raw[i]).strip() == "" for i in positions])
            continue
        part = raw.take(pa.array(positions))
        empty = pc.is_null(part)
        if pa.types.is_string(part.type) or pa.types.is_large_string(part.type):
            empty = pc.or_(empty, pc.fill_null(pc.equal(pc.utf8_trim_whitespace(part), ""), True))
        blank &= empty.to_numpy()
    return blank


def _key_place(layout: Layout) -> int | None:
    """Return the place among the columns of what a row must have: the credit code, else the block or county."""
    names = [item.column.name for item in layout.columns]
    for name in ("credit_code", "block", "county"):
        if name in names:
            return names.index(name)
    return None


def _tell_key(
    item: Mapped, cell: Any, value: Any, row: int, where: tuple[str, str], faults: Faults, more: dict[str, int]
) -> None:
    """Tell why a data row's key is not one."""
    place = {"row": row, "heading": item.heading, **more}
    if item.column.kind != "code":
        faults.add("key_missing", *where, **place, column=item.column.zh, column_en=item.column.en)
    elif isinstance(cell, int | float) and cell == cell:
        faults.add("code_number", *where, **place, value=cell)
    elif not isinstance(value, str):
        faults.add("code_missing", *where, **place)
    else:
        faults.add("code_wrong", *where, **place, value=cell, length=len(value))


def row_kind(cells: list[Any], headings: set[str], position: int) -> int:
    """Classify a row without a right key."""
    filled = [cell for cell in cells if cell is not None and cell == cell and str(cell).strip()]
    if not filled:
        return BLANK
    words = [key(cell) for cell in filled if isinstance(cell, str)]
    if any(TOTAL.fullmatch(word) for word in words[:4]):
        return TOTALS
    figures = [cell for cell in filled if not isinstance(cell, str) or re.fullmatch(r"[\d.,]+", cell)]
    if NOTE.match(str(filled[0]).strip()) and len(filled) <= 4 and len(figures) <= 1:
        return BLANK
    if sum(word in headings for word in words) >= 2:
        return BLANK
    numbering = [str(int(c)) if isinstance(c, float) and c.is_integer() else str(c) for c in filled]
    numbering = [matched[1] if (matched := NUMBERED.fullmatch(n)) else n for n in numbering]
    plain = [n for n in numbering if n not in ("甲", "乙", "丙", "丁", "栏次")]
    if position == 0 and len(filled) > 2 and plain == [str(i) for i in range(1, len(plain) + 1)]:
        return BLANK
    return DATA


def _compare_totals(
    converted: Cells,
    item: Mapped,
    kinds: np.ndarray,
    first: int,
    where: tuple[str, str],
    raws: list[Raw],
    faults: Faults,
) -> None:
    """Compare the figures of total rows with the sum of all data rows, of those since the last total, or up to the next."""
    if item.column.kind not in NUMERIC or item.column.kind == "share" or "/" in item.column.unit:
        return
    totals = np.flatnonzero(kinds == TOTALS)
    ends = np.append(totals[1:], len(kinds))[: len(totals)]
    figures = converted.values.to_numpy(dtype=float)
    ratio = float(item.ratio) or 1.0
    start = 0
    for position, end in zip(totals, ends, strict=True):
        total = figures[position] / ratio
        data = np.where(kinds == DATA, figures, np.nan)
        sums = [float(np.nansum(part)) / ratio for part in (data, data[start:position], data[position:end])]
        count = int(np.isfinite(data).sum())
        start = position
        if not np.isfinite(total) or not count:
            continue
        decimals = min(len(f"{total:.6f}".rstrip("0").partition(".")[2]), 6)
        slack = max(1e-9 * abs(total), 10.0**-decimals * (0.5 + 0.9 * count**0.5))
        if min(abs(total - s) for s in sums) > slack:
            shown = {"total": f"{total:.10g}", "sum": f"{sums[0]:.10g}"}
            cell = cell_of(raws[item.place], int(position))
            faults.add("total_mismatch", *where, row=first + int(position), heading=item.heading, value=cell, **shown)


MANY = 2000
NUMBERED = re.compile(r"[(（]?(\d{1,2})[)）]?\s*(?:[=＝].*)?")
DATA, TOTALS, BLANK, WRONG = 0, 1, 2, 3
TOTAL = re.compile(
    r"(总?合计|总计|小计|累计|共计|合计数|全[县区市]合计|.{0,12}(小计|合计|总计)|total|subtotal|sum)[0-9家户企业个]*"
)
NOTE = re.compile(
    r"(注|备注|说明|附注|填表|制表|审核|单位负责人|负责人|填报|联系人|数据来源|资料来源|★|\*|※|[一二三四五1-9][、.]).*"
)
