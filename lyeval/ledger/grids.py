"""Files to grids of raw cells: workbooks, CSV in the encodings offices use, Parquet. No meaning is read here."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported, and pyarrow ships no stubs)

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from lyeval.ledger.columns import Source
from lyeval.ledger.faults import Faults
from lyeval.ledger.limits import LONGEST_TEXT, Beside, peek, survives, too_large
from lyeval.ledger.typed import Raw, cell_of, in_text
from lyeval.ledger.vocabulary import terms
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
    odd : dict
        (row, column) → rule and words: formulas without a stored result, error values.
    hidden_rows, hidden_columns, outside : frozenset of int
        What a reader of the sheet does not see; rows that belong to no known enterprise.
    """

    file: str
    sheet: str
    head: list[list[Any]]
    columns: list[Raw]
    first_row: int = 1
    merges: tuple[Merge, ...] | None = None
    filled: dict[int, list[int]] = field(default_factory=dict)
    odd: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    outside: frozenset[int] = frozenset()

    @property
    def where(self) -> tuple[str, str]:
        """File and sheet."""
        return self.file, self.sheet

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

    def part(self, start: int, end: int) -> Grid:
        """Return some rows of a sheet without ``head`` as a sheet of their own."""
        merges = [((a - start, b), (c - start, d)) for (a, b), (c, d) in self.merges or () if start <= a and c < end]
        filled = {place: [p - start for p in rows if start <= p < end] for place, rows in self.filled.items()}
        return replace(
            self,
            columns=[column[start:end] for column in self.columns],
            first_row=self.first_row + start,
            merges=None if self.merges is None else tuple(merges),
            filled={place: rows for place, rows in filled.items() if rows},
            odd={(r - start, c): what for (r, c), what in self.odd.items() if start <= r < end},
            hidden_rows=frozenset(r - start for r in self.hidden_rows if start <= r < end),
        )

    def body(self, start: int) -> list[Raw]:
        """Return the columns from row ``start`` (counted from 0) on."""
        skip = max(start - len(self.head), 0)
        return [column[skip:] for column in self.columns]


def read_grids(path: Path, faults: Faults) -> tuple[list[Grid], Source | None]:
    """Read the grids of one file; what cannot be opened becomes a fault. What a file is, its bytes say, not its name."""
    name = path.name
    if not path.is_file():
        faults.add("file_missing", name, known="", known_en="")
        return [], None
    named = path.suffix.lower().lstrip(".")
    if named not in READERS:
        hint, hint_en = instead(named)
        faults.add("file_kind", name, kind=named or "?", hint=hint, hint_en=hint_en)
        return [], None
    if path.stat().st_size == 0:
        faults.add("file_empty", name)
        return [], None
    with path.open("rb") as file:
        source = Source(name, hashlib.file_digest(file, "sha256").hexdigest(), named)
    kind = kind_of(path, named)
    if kind in DISGUISED or kind not in READERS:
        hint, hint_en = DISGUISED.get(kind) or [
            f"这是{kind}文件，{INSTEAD[kind][0]}",
            f"it is a {kind}: {INSTEAD[kind][1]}",
        ]
        faults.add("file_disguised", name, hint=hint, hint_en=hint_en)
        return [], source
    try:
        return READERS[kind](path, faults), source
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a damaged file may even make the reading library panic
        rule = "file_password" if type(error).__name__ == "PasswordError" else "file_unreadable"
        cause = " ".join(str(error).split()) or type(error).__name__
        faults.add(rule, name, cause=cause if len(cause) <= 120 else cause[:119] + "…")
        return [], source


def kind_of(path: Path, named: str) -> str:
    """Return what a file is by its first bytes: a key of ``READERS`` or ``DISGUISED``; its name where they leave it open."""
    with path.open("rb") as file:
        start = file.read(1 << 14)
    if start[:4] == b"PK\x03\x04":
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, OSError, ValueError):
            names = []
        unknown = named if named in PARTS.values() or named == "xlsm" else "xlsx"
        packed = "zip" if any(name.lower().endswith((".xlsx", ".xls", ".csv")) for name in names) else unknown
        return next((kind for part, kind in PARTS.items() if part in names), packed)
    if start[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        locked = "EncryptedPackage".encode("utf-16-le") in path.read_bytes()  # a newer workbook behind a password
        return named if named in WORKBOOKS and locked else "xls"
    sign = next((kind for sign, kind in SIGNS.items() if start.startswith(sign)), "")
    if sign:
        return sign
    if named == "parquet" or (named in WORKBOOKS and start[:1] in (b"\x09", b"\x00")):
        return named
    words = start.decode(_wide(start) or "utf-8", "ignore").lstrip("\ufeff \r\n\t").lower()
    if words.startswith("mime-version") or "multipart/related" in words:
        return "mht"
    if "urn:schemas-microsoft-com:office:spreadsheet" in words and "<html" not in words:
        return "xml"
    if re.search(r"<(html|table|!doctype html|meta|body)\b", words):
        return "html"
    textual = named in WORKBOOKS and "\0" not in words and not re.search(r"[\x01-\x08\x0e-\x1f]", words)
    return "csv" if textual and re.search("[,\t;|]", words) else named


def _wide(data: bytes) -> str:
    """Return the kind of UTF-16 that bytes are, with a mark or by where their zeros stand; empty for other text."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    some = data[:4096]
    even, odd = some[::2].count(0), some[1::2].count(0)
    if max(even, odd) * 50 < len(some) or min(even, odd) * 4 > max(even, odd):
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def instead(kind: str) -> tuple[str, str]:
    """Return what to do with a file of a kind that is not read, in both languages."""
    zh, en = INSTEAD.get(kind, INSTEAD["*"])
    return zh, en


def _workbook(path: Path, faults: Faults) -> list[Grid]:
    """Read every visible sheet of a workbook."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    marked: list[str] = []
    if too_large(path, faults, marked):
        return []
    zipped = zipfile.is_zipfile(path)
    if (path.suffix.lower() in (".xls", ".xlsb") or not zipped) and not survives(path):
        raise ValueError("damaged workbook / 文件已损坏")
    suffix = path.suffix.lower().lstrip(".")
    kind = kind_of(path, suffix)
    beside, mended = peek(path, kind, bool(marked))
    renamed = kind != suffix and {kind, suffix} != {"xlsx", "xlsm"}
    opened = mended or (io.BytesIO(path.read_bytes()) if renamed else None)
    grids = []
    with CalamineWorkbook.from_filelike(opened) if opened else CalamineWorkbook.from_path(str(path)) as book:
        for sheet in book.sheets_metadata:
            if base_of(sheet.name) in OWN_NOTES:
                continue
            if sheet.typ not in (SheetTypeEnum.WorkSheet,):
                faults.add("sheet_passed", path.name, sheet.name, what="图表", what_en="a chart")
                continue
            cells = book.get_sheet_by_name(sheet.name)
            if cells.start is None:
                continue
            if sheet.visible != SheetVisibleEnum.Visible:
                faults.add("sheet_hidden", path.name, sheet.name)
                continue
            grids.append(_sheet(path.name, sheet.name, cells, (beside or {}).get(sheet.name, Beside())))
    if beside is None:
        faults.add("hidden_unknown", path.name)
    return grids


def _sheet(file: str, name: str, cells: Any, beside: Beside) -> Grid:
    """Turn a sheet into columns; a merged cell's value stands on each of its rows, what lies hidden under it nowhere."""
    top, left = cells.start
    columns = [list(column) for column in zip(*cells.to_python(skip_empty_area=True), strict=True)]
    shifted = [((a - top, b - left), (c - top, d - left)) for (a, b), (c, d) in cells.merged_cell_ranges or ()]
    merges = tuple(m for m in shifted if m[0][0] >= 0 and m[0][1] >= 0)
    odd = {(r - top, c - left): what for (r, c), what in beside.cells.items()}
    hidden = (frozenset(r - top for r in beside.rows), frozenset(c - left for c in beside.columns))
    filled = fill_down(columns, merges)
    texts = [in_text(column) for column in columns]
    longest = max((_longest(column) for column in texts), default=0)
    if longest > LONGEST_TEXT:
        raise ValueError(f"a cell of {longest} characters / 有单元格长达{longest}字")
    return Grid(file, name, [], texts, top + 1, merges, filled, odd, *hidden)


def _longest(column: Raw) -> int:
    """Return how many characters the longest text of a column has."""
    if isinstance(column, list):
        return max((len(value) for value in column if value.__class__ is str), default=0)
    return pc.max(pc.utf8_length(column)).as_py() or 0


def fill_down(columns: Sequence[list[Any]], merges: Sequence[Merge]) -> dict[int, list[int]]:
    """Repeat merged cells' values on their rows (in place), and return column → rows that took theirs from above."""
    filled: dict[int, list[int]] = {}
    for (r0, c0), (r1, c1) in merges:
        if c0 >= len(columns) or r1 - r0 >= LONGEST_MERGE:
            continue
        value = columns[c0][r0] if r0 < len(columns[c0]) else ""
        for place in range(c0, min(c1, len(columns) - 1) + 1):
            column = columns[place]
            for row in range(r0, min(r1, len(column) - 1) + 1):
                if (row, place) == (r0, c0):
                    continue
                column[row] = ""
                if place == c0 and any(other[row] != "" for other in columns):
                    column[row] = value
                    filled.setdefault(c0, []).append(row)
    return filled


def _page(path: Path, faults: Faults) -> list[Grid]:
    """Read the tables of a web page."""
    data = path.read_bytes()
    for encoding in _encodings(data):
        try:
            made = tables_of(data.decode(encoding).lstrip("\ufeff"))
        except UnicodeError:
            continue
        grids: list[Grid] = []
        for number, (rows, merges, unseen) in enumerate(made):
            columns: list[list[Any]] = [list(column) for column in zip(*rows, strict=True)]
            name = "" if len(made) == 1 else f"第{number + 1}个表"
            filled = fill_down(columns, merges)
            grids.append(Grid(path.name, name, [], [*columns], 1, tuple(merges), filled, hidden_rows=unseen))
        if not grids:
            faults.add("no_table", path.name, hint="")
        return grids
    faults.add("encoding", path.name)
    return []


def _encodings(data: bytes) -> list[str]:
    """Return the encodings that a text may be in, the likeliest first."""
    wide = _wide(data)
    return [wide] if wide else ["utf-8", "gb18030"]


def _csv(path: Path, faults: Faults) -> list[Grid]:
    """Read a CSV file: UTF-8 with or without BOM, UTF-16 likewise, GB18030; comma, tab or semicolon; any end of line."""
    data = path.read_bytes()
    if not data[:4096].removeprefix(b"\xef\xbb\xbf").strip() and not data.removeprefix(b"\xef\xbb\xbf").strip():
        faults.add("file_empty", path.name)
        return []
    for encoding in _encodings(data):
        try:
            return [_csv_grid(path.name, data, encoding)]
        except UnicodeError:
            continue
    faults.add("encoding", path.name)
    return []


def _plain_lines(data: bytes) -> bytes:
    """Return CSV with line ends that its readers know, and without the guard of equals sign and quotes that keeps figures from being shortened."""
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        data = re.sub(rb"\r+\n|\r", b"\n", data)
    elif b"\n" not in data:
        data = re.sub("\x0b|\x85|\u2028|\u2029".encode(), b"\n", data)
    for guard, plain in GUARDS:
        if b"=" in data and guard[1] in data:
            data = guard[0].sub(plain, data)
    return data


def _csv_grid(name: str, data: bytes, encoding: str) -> Grid:
    """Read CSV in one encoding; ``UnicodeError`` when it is in another."""
    data = (
        data.decode(encoding).lstrip("\ufeff").encode() if encoding != "utf-8" else data.removeprefix(b"\xef\xbb\xbf")
    )
    data = _plain_lines(data.rstrip(b"\x1a\x00"))
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
    "html": _page,
    "htm": _page,
}
PARTS = {"xl/workbook.xml": "xlsx", "xl/workbook.bin": "xlsb", "content.xml": "ods", "word/document.xml": "docx"}
SIGNS = {
    b"PAR1": "parquet",
    b"%PDF-": "pdf",
    b"\x89PNG": "png",
    b"\xff\xd8\xff": "jpg",
    b"GIF8": "gif",
    b"Rar!": "rar",
    b"7z\xbc\xaf": "7z",
    b"{\\rtf": "rtf",
}
GUARDS = (
    ((re.compile(rb'(?m)(^|,|\t|;)"=""([^"\n]*)"""(?=,|\t|;|\r?$)'), b'"=""'), rb'\1"\2"'),
    ((re.compile(rb'(?m)(^|,|\t|;)="([^"\n]*)"(?=,|\t|;|\r?$)'), b'="'), rb'\1"\2"'),
)
DISGUISED = {kind: words for kind, *words in terms("disguised")}
INSTEAD = {kind: words for kinds, *words in terms("instead") for kind in kinds.split()}


def tables_of(text: str) -> list[tuple[list[list[str]], list[Merge], frozenset[int]]]:
    """Return the tables of a page: rows of one width, merged ranges, rows not shown; of tables within tables the longer."""
    from lxml import html

    root = html.fromstring(text.encode() or b" ", parser=html.HTMLParser(encoding="utf-8"))
    rows_of = {table: table.xpath("./tr | ./*/tr") for table in root.iter("table")}
    for table in [*rows_of]:
        for outer in table.iterancestors("table"):
            less = table if len(rows_of.get(table, ())) <= len(rows_of.get(outer, ())) else outer
            rows_of.pop(less, None)
    styles = {table: [re.sub(r"\s", "", row.get("style") or "") for row in rows] for table, rows in rows_of.items()}
    unseen = {t: frozenset(i for i, style in enumerate(own) if "display:none" in style) for t, own in styles.items()}
    return [(*made, unseen[table]) for table, rows in rows_of.items() if (made := _laid_out(rows))[0]]


def _laid_out(lines: list[Any]) -> tuple[list[list[str]], list[Merge]]:
    """Return the cells of a table's rows, each at its place beside and below those that span several, and the merged ranges."""
    cells: dict[tuple[int, int], str] = {}
    merges: list[Merge] = []
    for r, line in enumerate(lines):
        c = 0
        for cell in line.iterchildren("td", "th"):
            while (r, c) in cells:
                c += 1
            for mark in cell.iter("br", "p", "div"):
                mark.text = f" {mark.text or ''}"
            down, right = (_size(cell.get(name)) for name in ("rowspan", "colspan"))
            cells |= {(r + i, c + j): "" for i in range(down) for j in range(right)}
            cells[r, c] = " ".join(cell.text_content().split())
            if down * right > 1:
                merges.append(((r, c), (r + down - 1, c + right - 1)))
    width = max((c for _, c in cells), default=-1) + 1
    return [[cells.get((r, c), "") for c in range(width)] for r in range(len(lines) if width else 0)], merges


def _size(text: str | None) -> int:
    """Return a span, one where it is none or out of reason."""
    return int(text) if text and text.strip().isdigit() and 0 < int(text) <= 1000 else 1
