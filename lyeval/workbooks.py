"""Workbooks and CSV for spreadsheets (工作簿): what would not fit goes on on a second sheet or is refused; no text runs as a formula."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import xlsxwriter
from xlsxwriter.exceptions import FileSizeError
from xlsxwriter.worksheet import Worksheet

from lyeval.told import Told

ROWS, COLUMNS, TEXT, LINKS, NAME = 1_048_576, 16_384, 32_767, 65_530, 31  # what Excel holds; texts in UTF-16 units
FILLED = 12_000_000  # cells of a sheet that our own reader takes
LARGE = 1_000_000  # cells from which on a workbook is written row by row, so that memory does not grow with it
CONTINUED = re.compile(r"^(.+) \(\d+\)$", re.S)
RISKY = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")


class WorkbookError(Told):
    """Something that no workbook can hold; nothing was written."""


class _Sheet(Worksheet):
    """A sheet that refuses what it would drop or shorten."""

    def __init__(self) -> None:
        super().__init__()
        self.xls_rowmax, self.xls_colmax = ROWS, COLUMNS

    def _check_dimensions(self, row: int, col: int, ignore_row: bool = False, ignore_col: bool = False) -> int:
        code = super()._check_dimensions(row, col, ignore_row, ignore_col)
        if code:
            raise WorkbookError.of(
                "book.size", sheet=self.name, row=row + 1, column=col + 1, rows=ROWS, columns=COLUMNS
            )
        return code

    def _write_string(self, row: int, col: int, string: str, cell_format: Any = None) -> Literal[0, -1, -2]:
        if len(string) > TEXT // 2 and units(string) > TEXT:
            place = {"sheet": self.name, "row": row + 1, "column": col + 1}
            raise WorkbookError.of("book.text", **place, text=string[:12], size=units(string), most=TEXT)
        return super()._write_string(row, col, string, cell_format)

    def _write_url(self, *args: Any, **options: Any) -> int:
        code = super()._write_url(*args, **options)
        if code:
            raise WorkbookError.of("book.links", sheet=self.name, most=LINKS)
        return code


class Book(xlsxwriter.Workbook):
    """A workbook to be used in ``with``: text stays text, equal input gives equal bytes, an error leaves no file.

    Parameters
    ----------
    path : path
    properties : mapping
        Title, comments and the moment of creation to store.
    cells : int
        About how many cells will be written: from `LARGE` on they must come row by row.
    options
        Further options of XlsxWriter.

    Raises
    ------
    WorkbookError
        Whatever does not fit.
    """

    worksheet_class = _Sheet

    def __init__(self, path: str | Path, properties: Mapping[str, Any], *, cells: int = 0, **options: Any) -> None:
        self.large = cells >= LARGE
        self.rest = tempfile.TemporaryDirectory(prefix="lyeval-") if self.large else None
        room = {"constant_memory": True, "tmpdir": self.rest.name} if self.rest else {"in_memory": True}
        plain = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
        super().__init__(str(path), {**plain, **room, **options})
        self.set_properties(dict(properties))
        self.taken: set[str] = {"history"}

    def sheet(self, title: str) -> Any:
        """Add a sheet named after ``title``: signs that Excel does not take as blanks, a long name ended by …, none twice."""
        base = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", title).strip().strip("'") or "Sheet"
        name, place = _short(base, NAME), 1
        while name.lower() in self.taken:
            place += 1
            name = f"{_short(base, NAME - 3 - len(str(place)))} ({place})"
        self.taken.add(name.lower())
        return self.add_worksheet(name)

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        """Write the file, unless an error came; rows kept aside are removed either way."""
        try:
            if kind is None:
                self.close()
        except FileSizeError as told:
            raise WorkbookError.of("book.bytes") from told
        finally:
            for sheet in self.worksheets() if self.rest else ():
                sheet._opt_close()
            if self.rest:
                self.rest.cleanup()


def escape(text: str) -> str:
    """Return a text as a CSV's cell: a single quote before what a spreadsheet would run, as spreadsheets mark text, or before a quote."""
    return f"'{text}" if text.startswith(RISKY) else text


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Return a frame as CSV in UTF-8 with BOM, texts and headings escaped, figures as they are."""
    texts = {
        name: frame[name].map(lambda v: escape(v) if isinstance(v, str) else v)
        for name in frame
        if _holds_text(frame[name])
    }
    out = pd.DataFrame({name: texts.get(name, frame[name]) for name in frame}).rename(
        columns=lambda name: escape(str(name))
    )
    return ("\ufeff" + out.to_csv(index=False, lineterminator="\n")).encode("utf-8")


def _holds_text(values: pd.Series) -> bool:
    return values.dtype.kind not in "biufM" and values.dtype != "boolean"


def units(text: str) -> int:
    """Return how many characters Excel counts in a text: those beyond the first plane are two."""
    return len(text) + sum(c > "\uffff" for c in text)


def base_of(name: str) -> str:
    """Return the name of the sheet that one named ``月度 (2)`` continues, else the name itself."""
    found = CONTINUED.match(name)
    return found[1] if found else name


def pages(count: int, width: int, around: int = 1) -> Iterator[slice]:
    """Give the rows of each sheet that a table of ``count`` rows takes, ``around`` rows of each being headings and notes."""
    most = max(min(ROWS, FILLED // max(width, 1)) - around, 1)
    for start in range(0, max(count, 1), most):
        yield slice(start, min(start + most, count))


def write_frame(
    book: Book,
    name: str,
    heads: Sequence[str],
    frame: pd.DataFrame,
    widths: Mapping[str, float],
    styles: Mapping[str, Any],
) -> None:
    """Write a frame under its headings, on as many sheets as it takes: ``月度``, ``月度 (2)`` …, each with the headings.

    Text is text, dates are dates, flags 是 and 否, figures have all their digits; what is missing is a blank cell.

    Parameters
    ----------
    heads : sequence of str
        One for each column.
    widths : mapping
        Column → width in characters; others 12.
    styles : mapping
        ``head`` and ``date``: formats of the book.
    """
    for part in pages(len(frame), len(heads)):
        sheet = book.sheet(name)
        sheet.freeze_panes(1, 1)
        sheet.write_row(0, 0, heads, styles["head"])
        columns = [frame.iloc[part, place].tolist() for place in range(len(heads))]
        for place, column in enumerate(frame):
            dated = frame.dtypes.iloc[place].kind == "M"
            sheet.set_column(place, place, widths.get(str(column), 12), styles["date"] if dated else None)
            for row, value in enumerate(() if book.large else columns[place], start=1):
                _cell(sheet, row, place, value, styles["date"])
        for row, values in enumerate(zip(*columns, strict=True) if book.large else (), start=1):
            for place, value in enumerate(values):
                _cell(sheet, row, place, value, styles["date"])
        if len(frame):
            sheet.autofilter(0, 0, part.stop - part.start, len(heads) - 1)


def _cell(sheet: Any, row: int, place: int, value: Any, dates: Any) -> None:
    """Write one value by what it is."""
    if value.__class__ is str:
        if value:
            sheet.write_string(row, place, _safe(value))
    elif value is None or value is pd.NA or value is pd.NaT or value != value:
        return
    elif isinstance(value, bool):
        sheet.write_string(row, place, "是" if value else "否")
    elif isinstance(value, datetime):
        sheet.write_datetime(row, place, value.replace(tzinfo=None), dates)
    elif isinstance(value, str):
        sheet.write_string(row, place, _safe(str(value)))
    else:
        sheet.write_number(row, place, _Exact(value))


class _Exact(float):
    """A figure written with all its digits: a workbook's usual sixteen lose the last bit of some."""

    def __format__(self, spec: str) -> str:
        return repr(float(self)).removesuffix(".0")


def _safe(text: str) -> str:
    """Drop the control signs and half pairs that XML cannot hold."""
    if text.isprintable():
        return text
    clean = "".join(c for c in text if c >= " " and c not in "\ufffe\uffff")
    return clean.encode("utf-8", "replace").decode()


def _short(text: str, most: int) -> str:
    """Return ``text`` in at most ``most`` of Excel's characters, … where it is cut."""
    if units(text) <= most:
        return text
    while units(text) > most - 1:
        text = text[:-1]
    return text.rstrip() + "…"
