"""Files to grids of raw cells: workbooks, CSV in the encodings offices use, Parquet. No meaning is read here."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from lyeval.ledger.convert import Raw, cell_of
from lyeval.ledger.faults import Faults
from lyeval.ledger.limits import LONGEST_TEXT, survives, too_large
from lyeval.ledger.model import Source
from lyeval.workbooks import base_of

Merge = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True)
class Grid:
    """The cells of one sheet.

    Attributes
    ----------
    file, sheet : str
        File name without folder; sheet name, empty for a flat file.
    head : list of list
        Rows that stand above ``columns``.
    columns : list of Raw
        The remaining rows, column by column, all of one length.
    first_row : int
        1-based number of the first row of ``head`` (or of ``columns`` when ``head`` is empty).
    merges : tuple
        Merged ranges ((row, column), (row, column)), from 0 at the grid's first cell; None: a format without.
    filled : dict
        Column → positions in ``columns`` that took their value from a merged cell above.
    """

    file: str
    sheet: str
    head: list[list[Any]]
    columns: list[Raw]
    first_row: int = 1
    merges: tuple[Merge, ...] | None = None
    filled: dict[int, list[int]] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """Number of rows, those of ``head`` included."""
        return len(self.head) + (len(self.columns[0]) if self.columns else 0)

    def top(self, count: int) -> list[list[Any]]:
        """Return the first ``count`` rows as Python values, None where blank."""
        width = len(self.columns)
        rows = [[*row, *[None] * (width - len(row))] for row in self.head[:count]]
        for position in range(min(count, self.height) - len(rows)):
            rows.append([cell_of(column, position) for column in self.columns])
        return [[None if value == "" else value for value in row] for row in rows]

    def body(self, start: int) -> list[Raw]:
        """Return the columns from row ``start`` (counted from 0) on."""
        skip = max(start - len(self.head), 0)
        return [column[skip:] for column in self.columns]


def read_grids(path: Path, faults: Faults) -> tuple[list[Grid], Source | None]:
    """Read the grids of one file; what cannot be opened becomes a fault."""
    name = path.name
    if not path.is_file():
        faults.add("file_missing", name, known="", known_en="")
        return [], None
    kind = path.suffix.lower().lstrip(".")
    if kind not in READERS:
        hint, hint_en = instead(kind)
        faults.add("file_kind", name, kind=kind or "?", hint=hint, hint_en=hint_en)
        return [], None
    if path.stat().st_size == 0:
        faults.add("file_empty", name)
        return [], None
    with path.open("rb") as file:
        source = Source(name, hashlib.file_digest(file, "sha256").hexdigest(), kind)
    try:
        return READERS[kind](path, faults), source
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a damaged file may even make the reading library panic
        rule = "file_password" if type(error).__name__ == "PasswordError" else "file_unreadable"
        faults.add(rule, name, cause=_cause(error))
        return [], source


def instead(kind: str) -> tuple[str, str]:
    """Return what to do with a file of a kind that is not read, in both languages."""
    return next((words for kinds, words in INSTEAD.items() if kind in kinds.split()), OTHERWISE)


def _cause(error: BaseException) -> str:
    """Return a library's complaint as one short line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else text[:119] + "…"


def _workbook(path: Path, faults: Faults) -> list[Grid]:
    """Read every visible sheet of a workbook."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    if too_large(path, faults):
        return []
    if path.suffix.lower() in (".xls", ".xlsb") and not survives(path):
        raise ValueError("damaged workbook / 文件已损坏")
    grids = []
    with CalamineWorkbook.from_path(str(path)) as book:
        for sheet in book.sheets_metadata:
            if sheet.typ not in (SheetTypeEnum.WorkSheet,) or base_of(sheet.name) in OWN_NOTES:
                continue
            cells = book.get_sheet_by_name(sheet.name)
            if cells.start is None:
                continue
            if sheet.visible != SheetVisibleEnum.Visible:
                faults.add("sheet_hidden", path.name, sheet.name)
                continue
            grids.append(_sheet(path.name, sheet.name, cells))
    return grids


def _sheet(file: str, name: str, cells: Any) -> Grid:
    """Turn a sheet into columns, values of cells merged downwards repeated."""
    top, left = cells.start
    columns: list[Raw] = [list(column) for column in zip(*cells.to_python(skip_empty_area=True), strict=True)]
    for column in columns:
        longest = max((len(value) for value in column if value.__class__ is str), default=0)
        if longest > LONGEST_TEXT:
            raise ValueError(f"a cell of {longest} characters / 有单元格长达{longest}字")
    shifted = [((a - top, b - left), (c - top, d - left)) for (a, b), (c, d) in cells.merged_cell_ranges or ()]
    merges = tuple(m for m in shifted if m[0][0] >= 0 and m[0][1] >= 0)
    filled: dict[int, list[int]] = {}
    for (r0, c0), (r1, _) in merges:
        if 0 < r1 - r0 < LONGEST_MERGE and c0 < len(columns):
            column = columns[c0]
            for row in range(r0 + 1, min(r1, len(column) - 1) + 1):
                if column[row] == "" and any(other[row] != "" for other in columns):
                    column[row] = column[r0]
                    filled.setdefault(c0, []).append(row)
    return Grid(file, name, [], columns, top + 1, merges, filled)


def _csv(path: Path, faults: Faults) -> list[Grid]:
    """Read a CSV file: UTF-8 with or without BOM, UTF-16 with BOM, GB18030; comma, tab or semicolon."""
    data = path.read_bytes()
    if not data.removeprefix(b"\xef\xbb\xbf").strip():
        faults.add("file_empty", path.name)
        return []
    for encoding in ["utf-16"] if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8", "gb18030"]:
        try:
            return [_csv_grid(path.name, data, encoding)]
        except UnicodeError:
            continue
    faults.add("encoding", path.name)
    return []


def _csv_grid(name: str, data: bytes, encoding: str) -> Grid:
    """Read CSV in one encoding; ``UnicodeError`` when it is in another."""
    data = data.decode(encoding).encode() if encoding != "utf-8" else data.removeprefix(b"\xef\xbb\xbf")
    head = data if len(data) <= HEAD else data[: data.rfind(b"\n", 0, HEAD) + 1 or HEAD]
    top = head.decode()
    if "\0" in top:
        raise UnicodeError("no text")
    start = [line for line in top.splitlines()[:40] if line.strip()]
    mark = max(",\t;|", key=lambda sign: sum(line.count(sign) for line in start))
    rows = list(csv.reader(io.StringIO(top), delimiter=mark))[:40]
    width = max(len(row) for row in rows)
    ragged = next((i for i, row in enumerate(rows) if len(row) == width), 0)
    try:
        return Grid(name, "", rows[:ragged], _arrow_csv(data, mark, width, ragged))
    except (pa.ArrowInvalid, pa.ArrowCapacityError):
        return Grid(name, "", [], _plain_csv(data.decode(), mark))


def _arrow_csv(data: bytes, mark: str, width: int, skip: int) -> list[Raw]:
    """Read regular CSV as text columns, blank cells as nulls; irregular rows raise ``ArrowInvalid``."""
    if skip and b'"' in data[:20000]:
        raise pa.ArrowInvalid("quoted cells above the table")
    table = pyarrow.csv.read_csv(
        pa.BufferReader(data),
        read_options=pyarrow.csv.ReadOptions(column_names=[str(i) for i in range(width)], skip_rows=skip),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=mark, newlines_in_values=b'"' in data, ignore_empty_lines=False
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types={str(i): pa.string() for i in range(width)}, null_values=[""], strings_can_be_null=True
        ),
    )
    return list(table.columns)


def _plain_csv(text: str, mark: str) -> list[Raw]:
    """Read irregular CSV row by row, short rows filled up."""
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    width = max(len(row) for row in rows)
    return [list(column) for column in zip(*(row + [""] * (width - len(row)) for row in rows), strict=True)]


def _parquet(path: Path, faults: Faults) -> list[Grid]:
    """Read a Parquet file; its column names are the headings, as on a first row."""
    table = pyarrow.parquet.read_table(path).combine_chunks()
    names = [name for name in table.column_names if not name.startswith("__")]
    return [Grid(path.name, "", [names], [_plain_type(table.column(name)) for name in names])]


def _plain_type(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with dictionaries decoded and nested or binary values shown as text."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.chunked_array([pa.array([None if v is None else str(v) for v in column.to_pylist()], pa.string())])
    return column


HEAD = 1 << 16
LONGEST_MERGE = 5000
OWN_NOTES = ("更改清单", "更改说明", "未读取的列")  # what `lyeval clean` adds to a workbook
WORKBOOKS = ("xlsx", "xlsm", "xls", "xlsb", "ods")
READERS: dict[str, Callable[[Path, Faults], list[Grid]]] = {
    **dict.fromkeys(WORKBOOKS, _workbook),
    **dict.fromkeys(("csv", "txt", "tsv"), _csv),
    "parquet": _parquet,
}
OTHERWISE = ("请另存为xlsx或csv", "save it as xlsx or csv")
INSTEAD = {
    "et ett numbers gsheet": ("请用制表软件打开，另存为xlsx", "open it in its own program and save it as xlsx"),
    "doc docx wps wpt rtf pdf ofd ppt pptx": (
        "请把其中的表格复制到表格软件，另存为xlsx",
        "copy its tables to a spreadsheet and save that as xlsx",
    ),
    "jpg jpeg png gif bmp tif tiff heic webp": (
        "请向报送单位索取电子表，或录入表格",
        "ask the sender for the spreadsheet, or type it in",
    ),
    "zip rar 7z": ("请先解压", "unpack it first"),
}
