"""How large a workbook may be (容量上限): asked before a reader makes room for it, for what lacks room ends the process."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

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
    for kind, first in _records(file.read()):
        if kind == ROW:
            height = max(height, first + 1)
        elif kind in CELLS:
            width, filled = max(width, first + 1), filled + 1
            if filled > LIMIT_BINARY:
                break
    return height, width, filled


def _records(data: bytes) -> Iterator[tuple[int, int]]:
    """Give each record's kind and the first number of its data; the length is told in groups of seven bits."""
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
        yield kind, int.from_bytes(data[place : place + 4], "little")
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
    rows, columns : frozenset of int
        Hidden ones.
    cells : dict
        (row, column) → rule and what stands there: a formula without a stored result, an error value.
    """

    rows: frozenset[int] = frozenset()
    columns: frozenset[int] = frozenset()
    cells: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict[tuple[int, int], tuple[str, str]])


def peek(path: Path) -> tuple[dict[str, Beside], io.BytesIO | None]:
    """Return what each sheet of a zipped workbook says beside its values, by the sheet's name.

    Errors that the reading library does not know (#SPILL!, #CALC! …) make it refuse the whole file: then a copy is returned in
    which they are #N/A, else None.
    """
    found: dict[str, Beside] = {}
    changed: dict[str, bytes] = {}
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


def _sheets(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of each sheet by its name."""
    names = archive.namelist()
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return {}
    book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
    links = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
    parts: dict[str | None, str] = {}
    for link in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", links):
        at = dict(re.findall(r'\b(Id|Target)\s*=\s*"([^"]*)"', link))
        target = at.get("Target", "")
        parts[at.get("Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    out: dict[str, str] = {}
    for sheet in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", book):
        at = dict(re.findall(r'\b([\w:]+)\s*=\s*"([^"]*)"', sheet))
        part = next((parts[v] for k, v in at.items() if k.endswith(":id") and v in parts), None)
        if part:
            out[_plain(at.get("name", ""))] = part
    return out


def _beside(data: bytes) -> Beside:
    """Look through one sheet's XML; what is not there costs a search for a few bytes."""
    rows: frozenset[int] = frozenset()
    columns: frozenset[int] = frozenset()
    if any(mark in data for mark in UNSEEN):
        rows = frozenset(int(m[1]) - 1 for row in HIDDEN.findall(data) if (m := NUMBER.search(row)))
        spans = [dict(re.findall(rb'\b(min|max)\s*=\s*"(\d+)"', tag)) for tag in COLUMN.findall(data)]
        columns = frozenset(i for s in spans for i in range(int(s[b"min"]) - 1, min(int(s[b"max"]), WIDEST)))
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


WIDEST = 1000
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
