"""A clean ledger back (规范台账): the canonical workbook of what was read, with every change listed.

Reading the workbook again gives the same tables: methods keep their words, because each plan reads them its own way, and
so does 完成, which the method decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.ledger.cells import plain
from lyeval.ledger.columns import COLUMNS, SHEETS, of_sheet
from lyeval.ledger.conversions import canonical_heading, left_out, of_faults, of_forms, of_table, table, title
from lyeval.ledger.model import PLACE, Ledger
from lyeval.ledger.vocabulary import DONE, METHOD_NAMES
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
            out[name] = words.where(words.notna(), out[name].map(METHOD_NAMES).astype(object))
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
