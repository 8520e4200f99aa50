"""A clean ledger back (规范台账): the canonical workbook of what was read, with every change listed.

Reading the workbook again gives the same tables: methods keep their words, because each plan reads them its own way, and
so does 完成, which the method decides. What was changed is found from the tables that `read_ledger` hands on: each column is
compared with what was read of it, once per distinct cell.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import COLUMNS, DATES, FLAGS, NUMERIC, PLACE, SHEETS, Column, Ledger, of_sheet
from lyeval.ledger.faults import RULES
from lyeval.ledger.forms import Entry, Form
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import take_apart
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.rows import DATA, TOTALS
from lyeval.ledger.typed import text, texts_of
from lyeval.ledger.vocabulary import DONE, METHOD_LABELS, key, plain, terms
from lyeval.textfiles import yaml_text

Tables = Iterable[tuple[Any, ...]]


@dataclass(frozen=True)
class Change:
    """One change and every cell it was made to.

    Attributes
    ----------
    file, sheet, heading
        Where: file name without folder, sheet, heading as written (empty for rows).
    rows
        1-based row numbers; empty for a whole column or table.
    before, after
        As written, as read; ``after`` empty for what was left out.
    rule
        A change of ``terms.csv``, or the rule of the fault that tells it.
    count
        Cells, or rows where rows are left out.
    """

    file: str
    sheet: str
    heading: str
    rows: tuple[int, ...]
    before: str
    after: str
    rule: str
    count: int


def clean(ledger: Ledger, tables: Tables = ()) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the canonical sheets of a ledger, and what reading changed to get there.

    Parameters
    ----------
    ledger : Ledger
    tables : iterable, optional
        The tables as read, which `read_ledger` gives to its ``tables``; without them only what the faults tell is listed.

    Returns
    -------
    frames : dict of DataFrame
        Sheet → rows in canonical columns and units, the place of the rows left out; absent sheets are absent.
    changes : DataFrame
        file, sheet, row (text: ``4–7、9``; empty for a whole column), heading, before, after, rule, count.
    """
    frames = {sheet: _written(getattr(ledger, sheet)) for sheet in SHEETS if ledger.has(sheet)}
    found = [change for one in tables for change in (_of_table if len(one) == GRIDDED else _of_forms)(*one)]
    found += [
        Change(f.file, f.sheet, f.heading, (f.row,) if f.row else (), f.value, f.message("zh"), f.rule, f.count)
        for f in ledger.faults
        if f.rule in TOLD
    ]
    rows = [(c.file, c.sheet, spans(c.rows), c.heading, c.before, c.after, c.rule, c.count) for c in found]
    return frames, pd.DataFrame(rows, columns=[*HEADS.values()], dtype=object)


def write_clean(ledger: Ledger, path: str | Path, tables: Tables = ()) -> pd.DataFrame:
    """Write the canonical workbook (规范台账) with its sheets 更改清单 and 未读取的列, and return the changes.

    Headings are the Chinese labels with canonical units; text is written as text; the same ledger gives the same bytes. A
    made ledger (样例) keeps its note in ``<name>.yaml`` beside the workbook. Rows beyond a sheet's last go on on a second
    one (月度, 月度 (2) …), which reading puts together again.

    Raises
    ------
    WorkbookError
        Before anything is written: a text, or more columns, than a workbook holds.
    """
    from lyeval.workbooks import Book, write_frame

    tables = list(tables)
    frames, changes = clean(ledger, tables)
    path = Path(path)
    listed = changes.assign(rule=[title(rule) for rule in changes["rule"]])
    rest = _with_remarks(kept_columns(tables), ledger)
    size = sum(frame.size for frame in (*frames.values(), listed, rest))
    with Book(path, {"title": "规范台账", "comments": "lyeval clean", "created": CREATED}, cells=size) as book:
        styles = {
            "head": book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E8EEF4"}),
            "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        for sheet, frame in frames.items():
            known = of_sheet("enterprises") | of_sheet(sheet)
            heads = [canonical_heading(known[name]) for name in frame.columns]
            write_frame(book, SHEETS[sheet][0], heads, frame, WIDTHS, styles)
        write_frame(book, LIST, tuple(HEADS), listed, WIDTHS, styles)
        if len(rest):
            write_frame(book, REST, [str(head) for head in rest], rest, {}, styles)
    if ledger.synthetic:
        note = {
            "file": path.name,
            "producer": "lyeval clean",
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "synthetic": True,
            "synthetic_note_zh": ledger.synthetic,
        }
        path.with_suffix(".yaml").write_text(yaml_text(note), encoding="utf-8", newline="\n")
    return changes


def _with_remarks(rest: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """Add to the columns kept as written a draft of what remarks say and no column holds, to be confirmed."""
    said: dict[tuple[Any, ...], list[str]] = {}
    for fault in ledger.faults:
        if fault.rule == "remark_says":
            words = f"{fault.params['column']}：{fault.params['word']}"
            said.setdefault((fault.file, fault.sheet, fault.row), []).append(words)
    if not said or not len(rest):
        return rest
    places = zip(*(rest[name] for name in LEFT[1:]), strict=True)
    return rest.assign(**{DRAFT: ["；".join(said.get((f, s, int(r)), [])) for f, s, r in places]})


def kept_columns(tables: Tables) -> pd.DataFrame:
    """Return the columns that no sheet of the ledger holds (备注, 联系人 …) as they were written, so that none is lost.

    Returns
    -------
    DataFrame
        Credit code (None where the table has none), file, sheet, row, then the columns under their own headings, serial
        numbers apart; one row per row with any of them.
    """
    parts: list[pd.DataFrame] = []
    for grid, layout, kinds, values in (one for one in tables if len(one) == GRIDDED):
        raws = [texts_of(raw) for raw in grid.body(layout.body)]
        heads = {place: head or f"第{place + 1}列" for place, head in _unread(grid, layout, raws)}
        heads = {place: head for place, head in heads.items() if key(head) not in SERIALS}
        at = next((i for i, item in enumerate(layout.columns) if item.column.name == "credit_code"), None)
        rows: list[dict[str, Any]] = []
        for position in np.flatnonzero(kinds == DATA).tolist():
            cells = {head: shown(raws[place][position]) for place, head in heads.items()}
            if any(cells.values()):
                code = None if at is None else values[at].iloc[position]
                place = (code, grid.file, grid.sheet, grid.first_row + layout.body + position)
                rows.append(dict(zip(LEFT, place, strict=True)) | cells)
        if rows:
            parts.append(pd.DataFrame(rows, columns=[*LEFT, *dict.fromkeys(heads.values())], dtype=object))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _written(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a sheet as it is written down: its words where they must be read again, canonical values elsewhere."""
    out = frame.copy()
    for name in ("method", "outcome"):
        if name not in out or f"{name}_text" not in out:
            continue
        words = out[f"{name}_text"].astype(object)
        if name == "method":
            out[name] = words.where(words.notna(), out[name].map(METHOD_LABELS).astype(object))
        else:
            done = words.notna() & words.map(lambda w: isinstance(w, str) and plain(w) in DONE)
            out[name] = out[name].astype(object).mask(done, words)
    return out[[name for name in out if name in KNOWN and name not in PLACE]].reset_index(drop=True)


def title(rule: str, lang: str = "zh") -> str:
    """Return the name of a change's rule."""
    return CHANGES[rule][lang == "en"] if rule in CHANGES else RULES[rule].title(lang)


def spans(rows: Sequence[int]) -> str:
    """Write row numbers with runs drawn together, the first twenty runs of them."""
    runs: list[list[int]] = []
    for row in sorted(set(rows)):
        if runs and row == runs[-1][1] + 1:
            runs[-1][1] = row
        else:
            runs.append([row, row])
    shown = "、".join(str(a) if a == b else f"{a}–{b}" for a, b in runs[:MOST])
    return f"{shown} 等" if len(runs) > MOST else shown


def canonical_heading(column: Column) -> str:
    """Return the Chinese label of a column with its canonical unit in brackets."""
    return f"{column.zh}（{column.unit}）" if column.unit else column.zh


def _of_table(grid: Grid, layout: Layout, kinds: np.ndarray, values: Sequence[pd.Series]) -> list[Change]:
    """List what was changed in one table, column by column, then what was left out of it."""
    raws = [texts_of(raw) for raw in grid.body(layout.body)]
    first = grid.first_row + layout.body
    found: list[Change] = []
    for item, read in zip(layout.columns, values, strict=True):
        made_up = any(other is not item and other.heading == item.heading for other in layout.columns)
        if not made_up:  # codes found by a department's own keys
            found += _of_column(grid, item, raws[item.place], read, kinds, first)
    heads = {item.place: item.heading for item in layout.columns}
    for place, positions in sorted(grid.filled.items()):
        rows = tuple(grid.first_row + p for p in positions if grid.first_row + p >= first)
        if rows and place in heads:
            found.append(Change(*grid.where, heads[place], rows, "", "同上格", "merged", len(rows)))
    for position in np.flatnonzero(kinds != DATA).tolist():
        cells = [raw[position] for raw in raws if raw[position] is not None and str(raw[position]).strip()]
        if cells:
            rule = "total_row" if kinds[position] == TOTALS else "note_row"
            words = "，".join(shown(cell) for cell in cells)
            found.append(Change(*grid.where, "", (first + position,), words, "", rule, 1))
    for place, heading in _unread(grid, layout, raws):
        count = sum(1 for cell in raws[place] if cell is not None and str(cell).strip())
        found.append(Change(*grid.where, heading, (), heading, "", "column_out", count))
    return found


def _of_forms(entries: Sequence[Entry | None], forms: Sequence[Form], values: pd.Series) -> list[Change]:
    """List what was changed in one field of survey forms: its label, once for all forms, its unit, its value."""
    found: list[Change] = []
    labels: dict[str, Change] = {}
    for entry, form, value in zip(entries, forms, values.tolist(), strict=True):
        if entry is None or entry.ratio is None:
            continue
        column, where = entry.column, (form.file, form.sheet, entry.label)
        if key(column.zh) not in take_apart(entry.label).keys[:1]:
            known = labels.get(entry.label)
            count = 1 if known is None else known.count + 1
            first = where if known is None else (known.file, known.sheet, known.heading)
            labels[entry.label] = Change(*first, (), entry.label, canonical_heading(column), "heading", count)
        if entry.ratio != 1:
            found.append(Change(*where, (entry.row,), entry.unit, _in_unit(column, entry.ratio), "unit", 1))
        rule = _rule(entry.value, value, column)
        if rule:
            found.append(Change(*where, (entry.row,), shown(entry.value), shown(value), rule, 1))
    return [*labels.values(), *found]


def _of_column(
    grid: Grid, item: Mapped, raw: list[Any], read: pd.Series, kinds: np.ndarray, first: int
) -> Iterator[Change]:
    """List the changes of one column: its heading, its unit, then each distinct cell that is not what it was."""
    where, column, period = (*grid.where, item.heading), item.column, item.period
    filled = [p for p in np.flatnonzero(kinds == DATA).tolist() if raw[p] is not None and raw[p] != ""]
    count = len(filled)
    if key(column.zh) not in take_apart(item.heading).keys[:1]:
        yield Change(*where, (), item.heading, canonical_heading(column), "heading", count)
    if item.ratio != 1:
        yield Change(*where, (), take_apart(item.heading).unit or "—", _in_unit(column, item.ratio), "unit", count)
    if period is not None:
        year = f"{period.year}年" if period.year is not None else {0: "本年", 1: "上年"}.get(period.back or 0, "")
        months = "" if period.whole else f"{period.last}月{'' if period.first == period.last else '（当月）'}"
        running = not period.whole and period.first == 1 < period.last
        rule = "running" if running else "period"
        yield Change(*where, (), item.heading, f"{column.zh}，{year}{months}", rule, count)
    groups: dict[tuple[type, Any], list[int]] = {}
    for place in filled:
        groups.setdefault((raw[place].__class__, raw[place]), []).append(place)
    for (_, cell), places in groups.items():
        value = read.iloc[places[0]]
        rule = _rule(cell, value, column)
        if rule:
            yield Change(*where, tuple(first + p for p in places), shown(cell), shown(value), rule, len(places))


def _in_unit(column: Column, ratio: Fraction) -> str:
    """Say into which unit figures were converted, and by what they were multiplied."""
    return f"{column.unit}（×{float(ratio):.10g}）"


def _rule(cell: Any, value: Any, column: Column) -> str:
    """Return by which rule a cell became what was read; empty where it says the same."""
    kind = column.kind
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        blank = not isinstance(cell, str) or not cell.strip()
        return "" if blank else "outcome_none" if kind == "outcome" else "missing_mark"
    if kind in NUMERIC:
        number = _plain_number(cell)
        if kind == "share":
            return "" if number == float(value) else "share"
        return "number" if number is None else ""
    if kind in ("year", "month"):
        return "" if _plain_number(cell) == float(value) else "year"
    if kind in DATES:
        same = isinstance(cell, dt.date) or str(cell).strip() == f"{value:%Y-%m-%d}"
        return "" if same else "date"
    if kind in FLAGS:
        same = cell in (("是", True) if value else ("否", False))
        return "below" if kind == "below" else "" if same else "flag"
    if str(text(cell)) == str(value) and (not isinstance(cell, str) or cell == value):
        return ""
    return {"code": "code", "org": "code", "outcome": "outcome", "flow": "flow", "method": ""}.get(kind, "text")


def _plain_number(cell: Any) -> float | None:
    """Return the number that a cell plainly is, or None."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell)
    try:
        return float(cell) if isinstance(cell, str) and cell.isascii() else None
    except ValueError:
        return None


def _unread(grid: Grid, layout: Layout, raws: list[list[Any]]) -> list[tuple[int, str]]:
    """Return place and heading of the columns with content that are not read."""
    known = {item.place for item in layout.columns}
    top = grid.top(layout.body)
    out: list[tuple[int, str]] = []
    for place, raw in enumerate(raws):
        if place not in known and any(cell is not None and str(cell).strip() for cell in raw):
            heads = [str(row[place]) for row in top if place < len(row) and row[place] is not None]
            out.append((place, " ".join(heads[-1].split()) if heads else ""))
    return out


def shown(value: Any) -> str:
    """Write a cell or a value as a reader sees it, whole."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    if isinstance(value, bool | np.bool_):
        return "是" if value else "否"
    if isinstance(value, float | np.floating):
        return f"{value:.15g}"
    if isinstance(value, dt.datetime | pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return " ".join(str(value).split())


CREATED = dt.datetime(2000, 1, 1)
GRIDDED = 4  # a table is kept as grid, layout, kinds of rows, values; a field of survey forms as entries, forms, values
MOST = 20
DRAFT, LIST, REST = "备注所示（待确认）", "更改清单", "未读取的列"
LEFT = ("统一社会信用代码", "文件", "工作表", "行号")
HEADS = {label: name for name, label, _ in terms("change_head")}
SERIALS = frozenset(key(word) for word in terms("serial")[0][1].split())
KNOWN = {column.name for column in COLUMNS}
CHANGES = {rule: words for rule, *words in terms("change")}
TOLD = frozenset(terms("change_told")[0][1].split())
WIDTHS = {name: int(width) for name, width, _ in terms("width")}
