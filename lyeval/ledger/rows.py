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

from lyeval.ledger.columns import NUMERIC, Marks, as_text
from lyeval.ledger.faults import LIMIT, Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import take_apart
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.summaries import TOTAL, Summed, compare_totals, remarks_of, summed
from lyeval.ledger.typed import Cells, Odd, Raw, cell_of, convert, to_texts
from lyeval.ledger.vocabulary import CODE_FORM, DONE_AS, key
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
    layout = _without_odd_periods(layout, where, faults)
    _tell_hidden(grid, layout, data, faults)
    ids = next((c.values for c in keys.values()), None)
    totals = np.flatnonzero(kinds == TOTALS)
    sums: list[Summed | None] = []
    for item in layout.columns:
        converted = keys.get(item.place) or convert(raws[item.place], item.column, item.ratio, methods)
        _tell(converted, item, kinds, first, where, raws, faults)
        if len(totals):
            sums.append(summed(item, converted.values.to_numpy()) if item.column.kind in NUMERIC else None)
        converted = _unshared(grid, layout, item, converted, kinds, ids, faults)
        found.add(item, converted, raws[item.place])
    counted = np.isin(kinds, (DATA, WRONG, OUT))
    compare_totals([s for s in sums if s], counted, totals, raws, first, where, faults)
    faults.keep(grid, layout, kinds, found.values)
    if ids is not None:
        faults.remarks += remarks_of(_unread_heads(grid, layout, len(raws)), raws, data.tolist(), ids, (*where, first))
    place = _places(where, first, len(kinds))
    if found.timed:
        return _unpivoted(layout, found.parts, found.timed, place, data, faults)
    marks = found.marks if len(data) == len(kinds) else {}
    made = [replace(part, marks=marks) for part in _split(layout, found.parts, place, data)]
    if any(item.column.name == "tax_wan" and "累计" in item.heading for item in layout.columns):
        return [_differenced(part, layout, where, faults) for part in made]
    return made


def _without_odd_periods(layout: Layout, where: tuple[str, str], faults: Faults) -> Layout:
    """Return the columns of a table, periods dropped of those that are no figures of a year; in a table by months they are set aside."""
    by_month = any(item.column.name == "month" for item in layout.columns)
    kept = []
    for item in layout.columns:
        if item.period is not None and by_month:
            faults.add("period_ignored", *where, heading=item.heading)
        elif item.period is not None and item.column.sheet not in ("annual", "monthly"):
            kept.append(replace(item, period=None))
        else:
            kept.append(item)
    return replace(layout, columns=tuple(kept))


def _unread_heads(grid: Grid, layout: Layout, width: int) -> list[tuple[int, str]]:
    """Return places and headings of the columns that are not read."""
    known = {item.place for item in layout.columns}
    row = grid.top(layout.body)[-1] if layout.body else []
    return [(p, " ".join(str(row[p]).split())) for p in range(min(width, len(row))) if p not in known and row[p]]


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
    _examples(grid, layout, raws, kinds, first, faults)
    for row in grid.outside:
        kinds[row - layout.body] = OUT
    key_place = _key_place(layout)
    if key_place is None:
        return kinds
    item = layout.columns[key_place]
    keys[item.place] = converted = convert(raws[item.place], item.column, item.ratio, {})
    if converted.clean:
        return kinds
    values = converted.values
    coded = item.column.kind == "code"
    right = values.str.fullmatch(CODE_FORM.pattern) if coded else values.notna()
    doubtful = np.flatnonzero(~right.fillna(False).to_numpy(dtype=bool) & (kinds == DATA))
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


def _tell_hidden(grid: Grid, layout: Layout, data: np.ndarray, faults: Faults) -> None:
    """Tell what of a table its reader does not see, and the cells that hold a formula without result or an error."""
    rows = [int(p) for p in data if int(p) + layout.body in grid.hidden_rows] if grid.hidden_rows else []
    if rows:
        faults.add("rows_hidden", grid.file, grid.sheet, row=grid.first_row + layout.body + rows[0], n=len(rows))
    names = [item.heading for item in layout.columns if item.place in grid.hidden_columns]
    if names:
        faults.add("columns_hidden", grid.file, grid.sheet, n=len(names), names="、".join(names))
    heads = {item.place: item.heading for item in layout.columns}
    taken = set(data.tolist()) if grid.odd else set()
    by_rule: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for (row, place), (rule, words) in sorted(grid.odd.items()):
        if place in heads and row - layout.body in taken:
            by_rule.setdefault((rule, heads[place]), []).append((grid.first_row + row, words))
    for (rule, heading), lines in by_rule.items():
        faults.add_rows(rule, (grid.file, grid.sheet), lines, heading=heading)


def _unshared(
    grid: Grid, layout: Layout, item: Mapped, converted: Cells, kinds: np.ndarray, ids: pd.Series | None, faults: Faults
) -> Cells:
    """Return a column of figures without those that one merged cell gives for several firms, or several columns (told)."""
    if not grid.merges or item.column.kind not in NUMERIC:
        return converted
    figures = {i.place for i in layout.columns if i.column.kind in NUMERIC}
    values = converted.values
    for (r0, c0), (r1, c1) in grid.merges:
        if r0 < layout.body or not c0 <= item.place <= c1:
            continue
        rows = [p for p in range(r0 - layout.body, r1 - layout.body + 1) if p < len(kinds) and kinds[p] == DATA]
        several = ids is None or len(set(ids.iloc[rows])) > 1
        if not rows or not ((len(rows) > 1 and several) or len(figures & set(range(c0, c1 + 1))) > 1):
            continue
        if values is converted.values:
            values = values.copy()
        if item.place == c0:
            total = values.iloc[rows[0]] / (float(item.ratio) or 1.0)
            numbers = [grid.first_row + layout.body + p for p in rows]
            shown = f"{numbers[0]}–{numbers[-1]}" if len(numbers) > 1 else str(numbers[0])
            place = {"row": numbers[0], "heading": item.heading}
            more = {"rows": shown, "total": f"{total:.10g}", "covers": tuple(numbers)}
            faults.add("merged_figure", grid.file, grid.sheet, **place, **more)
        values.iloc[rows] = np.nan
    return converted if values is converted.values else replace(converted, values=values)


def _examples(grid: Grid, layout: Layout, raws: list[Raw], kinds: np.ndarray, first: int, faults: Faults) -> None:
    """Mark the rows, at the head of a table, that show how it is filled in (in place, told)."""
    named = [item.place for item in layout.columns if item.column.name in ("name", "block")]
    for position in range(min(len(kinds), HEADMOST)):
        cells = [cell_of(raw, position) for raw in raws]
        words = [re.sub(r"\s+", "", c) for c in cells[:6] if isinstance(c, str)]
        names = [re.sub(r"\s+", "", cells[p]) for p in named if isinstance(cells[p], str)]
        if any(EXAMPLE.fullmatch(word) for word in words) or any(SHOWN.fullmatch(name) for name in names):
            kinds[position] = SHOW
            value = next(iter([*names, *words]), "")
            faults.add("example_row", grid.file, grid.sheet, row=first + position, value=value)


MANY = 2000
NUMBERED = re.compile(r"[(（]?(\d{1,2})[)）]?\s*(?:[=＝].*)?")
DATA, TOTALS, BLANK, WRONG, SHOW, OUT = range(6)
HEADMOST = 20
EXAMPLE = re.compile(r"[(（【]?(填报|填写|填表)?(示例|样例|范例|样本|举例|例如|例子|例)[一二三\d]*[)）】]?[:：]?")
SHOWN = re.compile(
    r"例[:：].*|[(（【](示例|样例|范例|例)[)）】].*|(填报|填写)?(示例|样例|范例|示范|测试)(企业|公司|单位|工厂)[一二三A-Ca-c\d]{0,2}([(（].*[)）])?|"
    r".*[(（](请替换|示例|样例|范例|例|举例|请删除|填报示例|填写示例|仅供参考|供参考).*[)）]|.{0,6}(某某|某(?=公司|企业|厂)|[XxＸｘ]{2,}|[×*＊○]{2,}).{0,6}(公司|企业|厂)"
)
NOTE = re.compile(
    r"(注|备注|说明|附注|填表|制表|审核|单位负责人|负责人|填报|联系人|数据来源|资料来源|经办|复核|签字|签名|签章|盖章|分管领导|主要领导|统计人|报送人|制单|★|\*|※|[一二三四五1-9][、.]).*"
)
