"""How large a workbook may be (容量上限): asked before a reader makes room for it, for what lacks room ends the process."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
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
    height, letters, rest, filled = 0, b"A", b"", 0
    while block := file.read(1 << 20):
        text = rest + block
        wide = max(WIDE.findall(text), key=_place, default=b"A")
        letters = max(letters, wide, key=_place)
        rows = (ALL if len(letters) > 2 else FAR).findall(text)
        height = max(height, *map(int, ROWS.findall(text)), *map(int, rows), 0)
        filled += sum(block.count(mark) for mark in CELL_MARKS)
        if found is not None and not found:
            found += [mark for mark in MARKS if mark in text]
        rest = text[-300:]
    width = 0
    for letter in letters:
        width = width * 26 + letter - 64
    return height, max(width, 26), filled


def _place(letters: bytes) -> tuple[int, bytes]:
    """Return where a column's letters stand among the columns."""
    return len(letters), letters


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
MARKS = (b"hidden=", b't="e"', b"<f>", b"<f ", b"<f/")
CELL_MARKS = (b"<c ", b"<c>", b":c ", b":c>")
WIDE = re.compile(rb"""r\s*=\s*["']([A-Z]{2,3})\d""")
ROWS = re.compile(rb"""row [^>]*?\br\s*=\s*["'](\d{1,7})["']""")
FAR = re.compile(rb"""r\s*=\s*["'][A-Z]{0,3}(\d{6,7})["']""")
ALL = re.compile(rb"""r\s*=\s*["'][A-Z]{0,3}(\d{1,7})["']""")
ROW = 0x00
CELLS = frozenset(range(0x01, 0x0C))
