"""How large a workbook may be (容量上限): asked before a reader makes room for it, for what lacks room ends the process."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from lyeval.ledger.faults import Faults
from lyeval.workbooks import FILLED


def too_large(path: Path, faults: Faults, marked: list[str] | None = None) -> bool:
    """Whether a zipped workbook would unpack beyond its limits, or hold more cells than a reader has room for (told).

    ``marked`` is given the sheets whose XML has something to `peek` at: hidden rows, formulas, errors.
    """
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        size = sum(entry.file_size for entry in entries) // 10**6
        texts = sum(entry.file_size for entry in entries if TEXTS.search(entry.filename)) // 10**6
        if size > LIMIT_MB or texts > LIMIT_TEXTS_MB:
            faults.add("file_too_large", path.name, size=size, limit=LIMIT_MB if size > LIMIT_MB else LIMIT_TEXTS_MB)
            return True
        for entry in entries:
            sheet = SHEET.match(entry.filename)
            if sheet is None:
                continue
            with archive.open(entry) as file:
                binary = sheet[1] == "bin"
                found: list[bytes] = []
                height, width, filled = binary_extent(file) if binary else extent(file, found)
                if found and marked is not None:
                    marked.append(entry.filename)
            if height * width > LIMIT_CELLS or filled > (LIMIT_BINARY if binary else LIMIT_FILLED):
                faults.add("sheet_too_large", path.name, entry.filename, height=height, width=width, filled=filled)
                return True
    return False


def survives(path: Path) -> bool:
    """Whether reading a binary workbook (.xls, .xlsb) ends at all: tried in a process of its own.

    A damaged count in such a file makes the reading library ask for more memory than there is, which no exception tells.
    """
    words = [sys.executable, "-I", "-c", TRIAL, str(path)]
    try:
        done = subprocess.run(words, capture_output=True, timeout=LONGEST_TRIAL, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode in (0, 1) and b"panicked" not in done.stderr


def extent(file: IO[bytes], found: list[bytes] | None = None) -> tuple[int, int, int]:
    """Return the last row and column that a sheet's XML names, and how many cells it has.

    A single far cell makes readers reserve all between; cells need not say where they stand. ``found`` is given the marks of
    what a reader does not hand on.
    """
    height, width, rest, filled = 0, 26, b"", 0
    while block := file.read(1 << 20):
        text = rest + block
        places = set(FAR.findall(text))
        width = max(width, *(_column_number(letters) for letters in {letters for letters, _ in places}), 0)
        rows = [digits for _, digits in places]
        rows += (ALL if width > 702 else ROWS).findall(text if width > WIDE else text[text.rfind(b"row ") :])
        height = max(height, *map(int, rows), 0)
        filled += block.count(b"<c") or block.count(b":c")
        if found is not None and not found:
            found += [mark for mark in MARKS if mark in text]
        rest = text[-300:]
    return height, width, filled


def _column_number(letters: bytes) -> int:
    """Return the number of a column from its letters: A is 1."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def binary_extent(file: IO[bytes]) -> tuple[int, int, int]:
    """Return the last row and column that a binary sheet's records name, and how many cells it has."""
    height, width, filled = 0, 26, 0
    for kind, body in _records(file.read()):
        first = int.from_bytes(body[:4], "little")
        if kind == ROW:
            height = max(height, first + 1)
        elif kind in CELLS:
            width, filled = max(width, first + 1), filled + 1
            if filled > LIMIT_BINARY:
                break
    return height, width, filled


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give each record's kind and the first bytes of its data; the length is told in groups of seven bits."""
    place, end = 0, len(data)
    while place + 1 < end:
        kind = data[place]
        place += 1
        if kind & 0x80:
            kind |= data[place] << 8
            place += 1
        size = shift = 0
        while place < end and shift < 28:
            byte = data[place]
            place += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield kind, data[place : place + min(size, 400)]
        place += size


TRIAL = """
import sys
from python_calamine import CalamineWorkbook
with CalamineWorkbook.from_path(sys.argv[1]) as book:
    for name in book.sheet_names:
        book.get_sheet_by_name(name)
"""
LONGEST_TRIAL = 20  # seconds
LIMIT_MB = 600
LIMIT_TEXTS_MB = 200
LIMIT_CELLS = 28_000_000  # a reader reserves some 60 bytes for each
LIMIT_FILLED = FILLED
LIMIT_BINARY = 5_000_000
LONGEST_TEXT = 40_000  # a spreadsheet cell holds 32,767 characters
SHEET = re.compile(r"xl/worksheets/[^/]+\.(xml|bin)$")
TEXTS = re.compile(r"sharedStrings\.(xml|bin)$")
MARKS = (b"hidden=", b' ht="0"', b' width="0"', b' t="e"', b"</f>", b"<f t=", b"<f/>")
WIDE = 280  # columns up to which no row before the hundred thousandth is one too many
ROWS = re.compile(rb"""row [^>]*?\br\s*=\s*["'](\d{1,7})["']""")
FAR = re.compile(rb"""r\s*=\s*["']([A-Z]{2,3}|[A-Z]?(?=\d{6}))(\d{1,7})["']""")
ALL = re.compile(rb"""r\s*=\s*["'][A-Z]{0,3}(\d{1,7})["']""")
ROW = 0x00
CELLS = frozenset(range(0x01, 0x0C))


@dataclass(frozen=True)
class Beside:
    """What one sheet says beside its values; rows and columns count from 0 at A1.

    Attributes
    ----------
    rows, columns : set of int
        Hidden ones.
    cells : dict
        (row, column) → rule and what stands there: a formula without a stored result, an error value.
    """

    rows: set[int] = field(default_factory=set[int])
    columns: set[int] = field(default_factory=set[int])
    cells: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict[tuple[int, int], tuple[str, str]])


def peek(path: Path, kind: str, marked: bool) -> tuple[dict[str, Beside] | None, io.BytesIO | None]:
    """Return what each sheet of a workbook says beside its values, by the sheet's name; None where it cannot be known.

    Errors that the reading library does not know (#SPILL!, #CALC! …) make it refuse the whole file: then a copy is returned in
    which they are #N/A, else None. ``marked`` tells whether the XML of a sheet has something to look at.
    """
    if kind in PEEKS:
        try:
            return PEEKS[kind](path), None
        except Exception:  # a damaged file: its values are read, what is hidden is not known
            return None, None
    found: dict[str, Beside] = {}
    changed: dict[str, bytes] = {}
    if not marked or not zipfile.is_zipfile(path):
        return found, None
    with zipfile.ZipFile(path) as archive:
        for name, part in _sheets(archive).items():
            if part not in archive.namelist():
                continue
            data = archive.read(part)
            found[name] = _beside(data)
            if any(what not in KNOWN for rule, what in found[name].cells.values() if rule == "cell_error"):
                changed[part] = ERROR.sub(lambda m: m[0] if m[2].decode() in KNOWN else m[1] + b"#N/A" + m[3], data)
        if not changed:
            return found, None
        copy = io.BytesIO()
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_STORED) as made:
            for entry in archive.infolist():
                made.writestr(entry.filename, changed.get(entry.filename) or archive.read(entry))
    copy.seek(0)
    return found, copy


def _of_xls(path: Path) -> dict[str, Beside]:
    """Look through the records of an old workbook (BIFF): hidden rows and columns, error values."""
    import olefile

    with olefile.OleFileIO(str(path)) as file:
        new = file.exists("Workbook")
        data = file.openstream("Workbook" if new else "Book").read()
    starts: dict[int, str] = {}
    found: dict[str, Beside] = {}
    mine, place = Beside(set(), set()), 0
    while place + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, place)
        if place in starts:
            mine = found[starts[place]] = Beside(set(), set())  # filled below
        body = data[place + 4 : place + 4 + size]
        if kind == OLD_SHEET:
            wide, text = new and body[7] & 1, body[8 if new else 7 :]
            starts[int.from_bytes(body[:4], "little")] = text.decode("utf-16-le" if wide else "gb18030")
        elif kind == OLD_ROW and body[12] & 0x20:
            mine.rows.add(int.from_bytes(body[:2], "little"))
        elif kind == OLD_COLUMN and body[8] & 1:
            mine.columns.update(range(int.from_bytes(body[:2], "little"), int.from_bytes(body[2:4], "little") + 1))
        elif (kind == OLD_ERROR and body[7]) or (kind == OLD_FORMULA and body[6] == 2 and body[12:14] == b"\xff\xff"):
            words = OLD_ERRORS.get(body[6 if kind == OLD_ERROR else 8], "#N/A")
            row, column = struct.unpack_from("<HH", body)
            mine.cells[row, column] = ("cell_error", words)
        place += 4 + size
    return found


def _of_xlsb(path: Path) -> dict[str, Beside]:
    """Look through the records of a binary workbook: hidden rows and columns."""
    found: dict[str, Beside] = {}
    with zipfile.ZipFile(path) as archive:
        parts = _links(archive.read("xl/_rels/workbook.bin.rels").decode("utf-8", "replace"))
        for kind, sheet in _records(archive.read("xl/workbook.bin")):
            if kind != SHEET_NAMED:
                continue
            size = int.from_bytes(sheet[8:12], "little") * 2
            link, name = sheet[12 : 12 + size].decode("utf-16-le"), sheet[16 + size :].decode("utf-16-le")
            mine = found[name] = Beside(set(), set())
            for of, body in _records(archive.read(parts[link])):
                if of == ROW and len(body) > 11 and body[11] & 0x10:
                    mine.rows.add(int.from_bytes(body[:4], "little"))
                elif of == COLUMN_BINARY and body[16] & 1:
                    first, last = struct.unpack_from("<II", body)
                    mine.columns.update(range(first, min(last, WIDEST) + 1))
    return found


def _of_ods(path: Path) -> dict[str, Beside]:
    """Look through an OpenDocument workbook: rows and columns collapsed or filtered."""
    etree: Any = import_module("lxml.etree")

    with zipfile.ZipFile(path) as archive:
        root = etree.fromstring(archive.read("content.xml"), etree.XMLParser(resolve_entities=False, huge_tree=True))
    space = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
    found: dict[str, Beside] = {}
    for table in root.iter(f"{space}table"):
        mine = found[table.get(f"{space}name")] = Beside(set(), set())
        for of, places in (("row", mine.rows), ("column", mine.columns)):
            at = 0
            for line in table.iter(f"{space}table-{of}"):
                times = int(line.get(f"{space}number-{of}s-repeated") or 1)
                if line.get(f"{space}visibility") in ("collapse", "filter"):
                    places.update(range(at, at + min(times, LONGEST_RUN)))
                at += times
    return found


def _sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of each sheet by its name."""
    names = archive.namelist()
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return {}
    book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    parts = _links(archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace"))
    out: dict[str, str] = {}
    for sheet in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", book):
        at = dict(re.findall(r'\b([\w:]+)\s*=\s*"([^"]*)"', sheet))
        part = next((parts[v] for k, v in at.items() if k.endswith(":id") and v in parts), None)
        if part:
            out[_plain(at.get("name", ""))] = part
    return out


def _links(text: str) -> dict[str, str]:
    """Return the part that each relation of a workbook leads to."""
    parts: dict[str, str] = {}
    for link in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", text):
        at = dict(re.findall(r'\b(Id|Target)\s*=\s*"([^"]*)"', link))
        target = at.get("Target", "")
        parts[at.get("Id", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return parts


def _beside(data: bytes) -> Beside:
    """Look through one sheet's XML; what is not there costs a search for a few bytes."""
    rows, columns = set[int](), set[int]()
    if any(mark in data for mark in UNSEEN):
        rows = {int(m[1]) - 1 for row in HIDDEN.findall(data) if (m := NUMBER.search(row))}
        spans = [dict(re.findall(rb'\b(min|max)\s*=\s*"(\d+)"', tag)) for tag in COLUMN.findall(data)]
        columns = {i for s in spans for i in range(int(s[b"min"]) - 1, min(int(s[b"max"]), WIDEST))}
    cells: dict[tuple[int, int], tuple[str, str]] = {}
    if b'"e"' in data:
        for match in ERRORS.finditer(data):
            cells[_cell_place(match[1])] = ("cell_error", match[2].decode("utf-8", "replace"))
    if b"<f" in data:
        for match in FORMULA.finditer(data):
            if b't="str"' not in match[1] and (at := REF.search(match[1])):
                cells[_cell_place(at[1])] = (
                    "formula_blank",
                    "=" + _plain((match[3] or b"").decode("utf-8", "replace")),
                )
    return Beside(rows, columns, cells)


def _cell_place(name: bytes) -> tuple[int, int]:
    """Return row and column, from 0, of a cell such as F2."""
    letters = name.rstrip(b"0123456789")
    return int(name[len(letters) :]) - 1, _column_number(letters) - 1


def _plain(text: str) -> str:
    """Return XML text with its entities as signs."""
    for sign, entity in (("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;"), ("&", "&amp;")):
        text = text.replace(entity, sign)
    return text


WIDEST, LONGEST_RUN = 1000, 100_000
PEEKS: dict[str, Callable[[Path], dict[str, Beside]]] = {"xls": _of_xls, "xlsb": _of_xlsb, "ods": _of_ods}
OLD_SHEET, OLD_ROW, OLD_COLUMN, OLD_ERROR, OLD_FORMULA = 0x85, 0x208, 0x7D, 0x205, 0x06
SHEET_NAMED, COLUMN_BINARY = 0x19C, 0x3C
OLD_ERRORS = {0: "#NULL!", 7: "#DIV/0!", 15: "#VALUE!", 23: "#REF!", 29: "#NAME?", 36: "#NUM!", 42: "#N/A"}
KNOWN = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA")
UNSEEN = (b"hidden=", b'ht="0"', b'width="0"')
HIDDEN = re.compile(rb'<(?:\w+:)?row\b[^>]*\b(?:hidden="(?:1|true)"|ht="0")[^>]*>')
COLUMN = re.compile(rb'<(?:\w+:)?col\b[^>]*\b(?:hidden="(?:1|true)"|width="0")[^>]*>')
NUMBER = re.compile(rb'\br="(\d+)"')
REF = re.compile(rb'\br="([A-Z]+\d+)"')
ERRORS = re.compile(
    rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+\d+)"[^>]*>(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?<v>([^<]*)</v>', re.S
)
ERROR = re.compile(rb'(<c\b[^>]*\bt="e"[^>]*>(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?<v>)([^<]*)(</v>)', re.S)
FORMULA = re.compile(rb"<c\b([^>]*)>(<f\b[^>]*(?:/>|>([^<]*)</f>))(?:<v\s*/>|<v></v>|(?=</c>))")
