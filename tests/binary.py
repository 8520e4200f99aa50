"""Binary workbooks for the tests (.xlsb), written record by record: text, numbers, no styles."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROW, REAL, TEXT = 0x00, 0x05, 0x06
BEGIN_SHEET, END_SHEET, BEGIN_DATA, END_DATA, EXTENT = 0x81, 0x82, 0x91, 0x92, 0x94
BEGIN_BOOK, END_BOOK, BEGIN_SHEETS, END_SHEETS, SHEET = 0x83, 0x84, 0x8F, 0x90, 0x9C


def record(kind: int, data: bytes = b"") -> bytes:
    """Return one record: its kind, the length of its data in groups of seven bits, the data."""
    size, length = b"", len(data)
    while True:
        more = length >> 7
        size += bytes([(length & 0x7F) | (0x80 if more else 0)])
        length = more
        if not more:
            break
    return (bytes([kind]) if kind < 0x80 else bytes([kind, 0x01])) + size + data


def wide(text: str) -> bytes:
    """Return text with its length before it."""
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def cells(rows: Sequence[Sequence[Any]], stray: tuple[int, int] | None = None) -> bytes:
    """Return the part of one sheet; ``stray`` is the row and column of one more cell."""
    last = stray or (len(rows) - 1, max(len(row) for row in rows) - 1)
    out = record(BEGIN_SHEET) + record(EXTENT, struct.pack("<IIII", 0, last[0], 0, last[1])) + record(BEGIN_DATA)
    for r, row in enumerate(rows):
        out += record(ROW, struct.pack("<IIHBBBI", r, 0, 300, 0, 0, 0, 0))
        for c, value in enumerate(row):
            place = struct.pack("<II", c, 0)
            if isinstance(value, int | float):
                out += record(REAL, place + struct.pack("<d", value))
            elif value not in (None, ""):
                out += record(TEXT, place + wide(value))
    if stray:
        out += record(ROW, struct.pack("<IIHBBBI", stray[0], 0, 300, 0, 0, 0, 0))
        out += record(REAL, struct.pack("<IId", stray[1], 0, 3.0))
    return out + record(END_DATA) + record(END_SHEET)


def xlsb(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], stray: tuple[int, int] | None = None) -> Path:
    """Write a binary workbook."""
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    book, links = record(BEGIN_BOOK) + record(BEGIN_SHEETS), ""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, (name, rows) in enumerate(sheets.items(), start=1):
            book += record(SHEET, struct.pack("<II", 0, number) + wide(f"rId{number}") + wide(name))
            target = f"worksheets/sheet{number}.bin"
            links += f'<Relationship Id="rId{number}" Type="{relation}/worksheet" Target="{target}"/>'
            archive.writestr(f"xl/{target}", cells(rows, stray))
        archive.writestr("xl/workbook.bin", book + record(END_SHEETS) + record(END_BOOK))
        archive.writestr("xl/_rels/workbook.bin.rels", f'<Relationships xmlns="{package}">{links}</Relationships>')
        archive.writestr("[Content_Types].xml", "<Types/>")
    return path
