"""A clean ledger back (规范台账): the canonical workbook of what was read, with every change listed.

Reading the workbook again gives the same tables: methods keep their words, because each plan reads them its own way, and
so does 完成, which the method decides.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import COLUMNS, DATES, FLAGS, NUMERIC, PLACE, SHEETS, Column, Ledger, of_sheet
from lyeval.ledger.faults import RULES, Fault
from lyeval.ledger.forms import Entry, Form
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import take_apart
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.rows import DATA, TOTALS
from lyeval.ledger.typed import text as tidy_text
from lyeval.ledger.typed import texts_of
from lyeval.ledger.vocabulary import DONE, key, plain
from lyeval.textfiles import yaml_text

Tables = Iterable[tuple[Any, ...]]


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
    found = [change for one in tables for change in (of_table if len(one) == GRIDDED else of_forms)(*one)]
    return frames, table([*found, *of_faults(ledger.faults)])


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
        write_frame(book, LIST, HEADS, listed, WIDTHS, styles)
        if len(rest):
            write_frame(book, REST, [str(head) for head in rest], rest, {}, styles)
    if ledger.synthetic:
        _sidecar(path, ledger.synthetic)
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
    places = zip(rest["文件"], rest["工作表"], rest["行号"], strict=True)
    return rest.assign(**{DRAFT: ["；".join(said.get((f, s, int(r)), [])) for f, s, r in places]})


def kept_columns(tables: Tables) -> pd.DataFrame:
    """Return the columns that no sheet of the ledger holds (备注, 联系人 …) as they were written, so that none is lost."""
    parts = [left_out(*one) for one in tables if len(one) == GRIDDED]
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _written(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a sheet as it is written down: its words where they must be read again, canonical values elsewhere."""
    out = frame.copy()
    for name, text in (("method", "method_text"), ("outcome", "outcome_text")):
        if name not in out or text not in out:
            continue
        words = out[text].astype(object)
        if name == "method":
            out[name] = words.where(words.notna(), out[name].map(LABELS).astype(object))
        else:
            done = words.notna() & words.map(lambda w: isinstance(w, str) and plain(w) in DONE)
            out[name] = out[name].astype(object).mask(done, words)
    return out[[name for name in out if name in KNOWN and name not in PLACE]].reset_index(drop=True)


def _sidecar(path: Path, note: str) -> None:
    """Write the note of a made ledger beside the workbook, where reading it looks."""
    content = {
        "file": path.name,
        "producer": "lyeval clean",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "synthetic": True,
        "synthetic_note_zh": note,
    }
    path.with_suffix(".yaml").write_text(yaml_text(content), encoding="utf-8", newline="\n")


CREATED = datetime(2000, 1, 1)
GRIDDED = 4  # a table is kept as grid, layout, kinds of rows, values; a field of survey forms as entries, forms, values
DRAFT = "备注所示（待确认）"
LIST, REST = "更改清单", "未读取的列"
HEADS = ("文件", "工作表", "行号", "原列名", "原为", "改为", "事由", "处数")
KNOWN = {column.name for column in COLUMNS}
LABELS = {
    "upgrade": "提升",
    "rectify": "整治",
    "merge": "并购重组",
    "partition": "分割转让",
    "land_bank": "收购储备",
    "judicial": "司法解决",
    "shut_down": "关停",
    "contract": "其他",
}
WIDTHS = {
    "credit_code": 21,
    "name": 28,
    "successor_code": 21,
    "block": 24,
    "before": 28,
    "after": 40,
    "file": 24,
    "rule": 20,
}


CHANGE_COLUMNS = ["file", "sheet", "row", "heading", "before", "after", "rule", "count"]


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
        A key of ``CHANGES``, or the rule of the fault that tells it.
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

    def row(self) -> tuple[Any, ...]:
        """Return the change as a row of `table`."""
        place = (self.file, self.sheet, spans(self.rows), self.heading)
        return (*place, self.before, self.after, self.rule, self.count)


def table(changes: Iterable[Change]) -> pd.DataFrame:
    """Return changes as a frame with the columns of ``CHANGE_COLUMNS``; ``row`` is text such as ``4–7、9``."""
    return pd.DataFrame([c.row() for c in changes], columns=CHANGE_COLUMNS, dtype=object)


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


def of_table(grid: Grid, layout: Layout, kinds: np.ndarray, values: Sequence[pd.Series]) -> list[Change]:
    """List what was changed in one table, column by column, then what was left out of it."""
    raws = [texts_of(raw) for raw in grid.body(layout.body)]
    first = grid.first_row + layout.body
    found: list[Change] = []
    for item, read in zip(layout.columns, values, strict=True):
        if not _made_up(item, layout):
            found += _of_column(grid, item, raws[item.place], read, kinds, first)
    return found + _merged(grid, layout, first) + _rows_out(grid, raws, kinds, first) + _columns_out(grid, layout, raws)


def of_forms(entries: Sequence[Entry | None], forms: Sequence[Form], values: pd.Series) -> list[Change]:
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
            after = f"{column.unit}（×{float(entry.ratio):.10g}）"
            found.append(Change(*where, (entry.row,), entry.unit, after, "unit", 1))
        rule = _rule(entry.value, value, Mapped(column, entry.label, 0, entry.ratio))
        if rule:
            found.append(Change(*where, (entry.row,), shown(entry.value), shown(value), rule, 1))
    return [*labels.values(), *found]


def left_out(grid: Grid, layout: Layout, kinds: np.ndarray, values: Sequence[pd.Series]) -> pd.DataFrame:
    """Return the columns of a table that are not read (备注, 联系人 …), serial numbers apart, one row per row with any of them.

    Returns
    -------
    DataFrame
        Credit code (None where the table has none), file, sheet, row, then the columns under their own headings.
    """
    raws = [texts_of(raw) for raw in grid.body(layout.body)]
    heads = {place: head or f"第{place + 1}列" for place, head in _unread(grid, layout, raws)}
    heads = {place: head for place, head in heads.items() if key(head) not in SERIALS}
    at = next((i for i, item in enumerate(layout.columns) if item.column.name == "credit_code"), None)
    rows = []
    for position in np.flatnonzero(kinds == DATA).tolist():
        cells = {head: shown(raws[place][position]) for place, head in heads.items()}
        if any(cells.values()):
            code = None if at is None else values[at].iloc[position]
            place = (code, grid.file, grid.sheet, grid.first_row + layout.body + position)
            rows.append(dict(zip(LEFT, place, strict=True)) | cells)
    return pd.DataFrame(rows, columns=[*LEFT, *dict.fromkeys(heads.values())], dtype=object)


def of_faults(faults: Iterable[Fault]) -> list[Change]:
    """List the changes that reading told as it made them: years taken from titles, parcels added up, sheets left out."""
    told = [f for f in faults if f.rule in TOLD]
    return [
        Change(f.file, f.sheet, f.heading, (f.row,) if f.row else (), f.value, f.message("zh"), f.rule, f.count)
        for f in told
    ]


def canonical_heading(column: Column) -> str:
    """Return the Chinese label of a column with its canonical unit in brackets."""
    return f"{column.zh}（{column.unit}）" if column.unit else column.zh


def _made_up(item: Mapped, layout: Layout) -> bool:
    """Whether a column was added by joining on another key: the codes of a department's table."""
    return any(other is not item and other.heading == item.heading for other in layout.columns)


def _of_column(
    grid: Grid, item: Mapped, raw: list[Any], read: pd.Series, kinds: np.ndarray, first: int
) -> list[Change]:
    """List the changes of one column: its heading, its unit, then each distinct cell that is not what it was."""
    where, column = (grid.file, grid.sheet, item.heading), item.column
    filled = [p for p in np.flatnonzero(kinds == DATA).tolist() if raw[p] is not None and raw[p] != ""]
    made = []
    if key(column.zh) not in take_apart(item.heading).keys[:1]:
        made.append(Change(*where, (), item.heading, canonical_heading(column), "heading", len(filled)))
    if item.ratio != 1:
        after = f"{column.unit}（×{float(item.ratio):.10g}）"
        made.append(Change(*where, (), _unit(item.heading), after, "unit", len(filled)))
    if item.period is not None:
        running = not item.period.whole and item.period.first == 1 < item.period.last
        made.append(
            Change(*where, (), item.heading, _period_words(item), "running" if running else "period", len(filled))
        )
    groups: dict[tuple[type, Any], list[int]] = {}
    for place in filled:
        groups.setdefault((raw[place].__class__, raw[place]), []).append(place)
    for (_, cell), places in groups.items():
        rule = _rule(cell, read.iloc[places[0]], item)
        if rule:
            rows = tuple(first + p for p in places)
            after = shown(read.iloc[places[0]])
            made.append(Change(*where, rows, shown(cell), after, rule, len(rows)))
    return made


def _rule(cell: Any, value: Any, item: Mapped) -> str:
    """Return by which rule a cell became what was read; empty where it says the same."""
    kind = item.column.kind
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        blank = not isinstance(cell, str) or not cell.strip()
        return "" if blank else "outcome_none" if kind == "outcome" else "missing_mark"
    if kind in NUMERIC:
        return _number_rule(cell, float(value), item)
    if kind in ("year", "month"):
        return "" if _plain_number(cell) == float(value) else "year"
    if kind in DATES:
        same = isinstance(cell, dt.date) or str(cell).strip() == f"{value:%Y-%m-%d}"
        return "" if same else "date"
    if kind in FLAGS:
        if kind == "below":
            return "below"
        return "" if cell in (("是", True) if value else ("否", False)) else "flag"
    if str(tidy_text(cell)) == str(value) and (not isinstance(cell, str) or cell == value):
        return ""
    return {"code": "code", "org": "code", "outcome": "outcome", "flow": "flow", "method": ""}.get(kind, "text")


def _number_rule(cell: Any, value: float, item: Mapped) -> str:
    """Return how a figure was read that is not written as a plain one."""
    plain = _plain_number(cell)
    if plain is None:
        return "share" if item.column.kind == "share" else "number"
    if item.column.kind == "share" and plain != value:
        return "share"
    return ""


def _plain_number(cell: Any) -> float | None:
    """Return the number that a cell plainly is, or None."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell)
    try:
        return float(cell) if isinstance(cell, str) and cell.isascii() else None
    except ValueError:
        return None


def _unit(heading: str) -> str:
    """Return the unit that a heading gives; a dash where a line above the table gives it."""
    return take_apart(heading).unit or "—"


def _period_words(item: Mapped) -> str:
    """Say which rows a column of a wide table became."""
    period = item.period
    if period is None:
        return ""
    year = f"{period.year}年" if period.year is not None else {0: "本年", 1: "上年"}.get(period.back or 0, "")
    months = "" if period.whole else f"{period.first}月" if period.first == period.last else f"{period.last}月（当月）"
    return f"{item.column.zh}，{year}{months}"


def _merged(grid: Grid, layout: Layout, first: int) -> list[Change]:
    """List the cells that took their value from a merged cell above."""
    heads = {item.place: item.heading for item in layout.columns}
    out = []
    for place, positions in sorted(grid.filled.items()):
        rows = tuple(grid.first_row + p for p in positions if grid.first_row + p >= first)
        if rows and place in heads:
            out.append(Change(grid.file, grid.sheet, heads[place], rows, "", "同上格", "merged", len(rows)))
    return out


def _rows_out(grid: Grid, raws: list[list[Any]], kinds: np.ndarray, first: int) -> list[Change]:
    """List total rows, and rows of notes or repeated headings, that are no data."""
    out = []
    for position in np.flatnonzero(kinds != DATA).tolist():
        cells = [raw[position] for raw in raws if raw[position] is not None and str(raw[position]).strip()]
        if cells:
            words = "，".join(shown(cell) for cell in cells)
            rule = "total_row" if kinds[position] == TOTALS else "note_row"
            out.append(Change(grid.file, grid.sheet, "", (first + position,), words, "", rule, 1))
    return out


def _columns_out(grid: Grid, layout: Layout, raws: list[list[Any]]) -> list[Change]:
    """List the columns with content that are not read."""
    out = []
    for place, heading in _unread(grid, layout, raws):
        count = sum(1 for cell in raws[place] if cell is not None and str(cell).strip())
        out.append(Change(grid.file, grid.sheet, heading, (), heading, "", "column_out", count))
    return out


def _unread(grid: Grid, layout: Layout, raws: list[list[Any]]) -> list[tuple[int, str]]:
    """Return place and heading of the columns with content that are not read."""
    known = {item.place for item in layout.columns}
    top = grid.top(layout.body)
    out = []
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


MOST = 20
LEFT = ("统一社会信用代码", "文件", "工作表", "行号")
SERIALS = frozenset(key(word) for word in ("序号", "编号", "序", "No", "行次", "栏次", "编码序号"))
CHANGES: dict[str, tuple[str, str]] = {
    "heading": ("表头改为标准名称", "heading renamed"),
    "unit": ("单位换算", "unit converted"),
    "number": ("文字读作数字", "text read as a number"),
    "share": ("百分数读作小数", "percent read as a fraction"),
    "year": ("年月写法统一", "year or month read"),
    "date": ("日期写法统一", "date read"),
    "flag": ("是否项统一", "flag word read"),
    "below": ("规下改记为规上", "below-scale turned into above-scale"),
    "code": ("代码整理", "code tidied"),
    "text": ("文字整理", "text tidied"),
    "outcome": ("处置结果统一", "outcome word read"),
    "flow": ("入库类型统一", "tax flow word read"),
    "missing_mark": ("缺失标记改为空白", "mark of a missing value made blank"),
    "merged": ("合并单元格逐行填写", "merged cell filled down"),
    "period": ("宽表转为逐年逐月", "wide column turned into rows"),
    "running": ("累计数还原为当月数", "running total differenced"),
    "total_row": ("合计行不采用", "total row left out"),
    "note_row": ("说明行不采用", "note row left out"),
    "column_out": ("不读的列", "column left out"),
}
TOLD = (
    "year_assumed",
    "annual_ignored",
    "parcels_joined",
    "tax_repeated",
    "joined_by_name",
    "unmatched",
    "period_ignored",
    "period_spread",
    "months_lumped",
    "measure_assumed",
    "identity_changes",
    "sheet_unknown",
    "sheet_hidden",
    "outcome_none",
)
