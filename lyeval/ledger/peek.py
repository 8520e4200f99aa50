"""What a workbook's XML says beside its values: hidden rows and columns, formulas without a stored result, errors of new Excels."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path


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
    cells: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)


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
    parts = {}
    for link in re.findall(r"<(?:\w+:)?Relationship\b[^>]*>", links):
        at = dict(re.findall(r'\b(Id|Target)\s*=\s*"([^"]*)"', link))
        target = at.get("Target", "")
        parts[at.get("Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    out = {}
    for sheet in re.findall(r"<(?:\w+:)?sheet\b[^>]*>", book):
        at = dict(re.findall(r'\b([\w:]+)\s*=\s*"([^"]*)"', sheet))
        part = next((parts[v] for k, v in at.items() if k.endswith(":id") and v in parts), None)
        if part:
            out[_plain(at.get("name", ""))] = part
    return out


def _beside(data: bytes) -> Beside:
    """Look through one sheet's XML; what is not there costs a search for a few bytes."""
    rows = columns = frozenset()
    if b"hidden=" in data:
        rows = frozenset(int(m[1]) - 1 for row in HIDDEN.findall(data) if (m := NUMBER.search(row)))
        spans = [dict(re.findall(rb'\b(min|max)\s*=\s*"(\d+)"', tag)) for tag in COLUMN.findall(data)]
        columns = frozenset(i for s in spans for i in range(int(s[b"min"]) - 1, min(int(s[b"max"]), WIDEST)))
    cells: dict[tuple[int, int], tuple[str, str]] = {}
    if b'"e"' in data:
        for match in ERRORS.finditer(data):
            cells[_place(match[1])] = ("cell_error", match[2].decode("utf-8", "replace"))
    if b"<f" in data:
        for match in FORMULA.finditer(data):
            if b't="str"' not in match[1] and (at := REF.search(match[1])):
                cells[_place(at[1])] = ("formula_blank", "=" + _plain((match[3] or b"").decode("utf-8", "replace")))
    return Beside(rows, columns, cells)


def _place(name: bytes) -> tuple[int, int]:
    """Return row and column, from 0, of a cell such as F2."""
    letters = name.rstrip(b"0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + letter - 64
    return int(name[len(letters) :]) - 1, column - 1


def _plain(text: str) -> str:
    """Return XML text with its entities as signs."""
    for sign, entity in (("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;"), ("&", "&amp;")):
        text = text.replace(entity, sign)
    return text


WIDEST = 1000
KNOWN = ("#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA")
HIDDEN = re.compile(rb'<(?:\w+:)?row\b[^>]*\bhidden="(?:1|true)"[^>]*>')
COLUMN = re.compile(rb'<(?:\w+:)?col\b[^>]*\bhidden="(?:1|true)"[^>]*>')
NUMBER = re.compile(rb'\br="(\d+)"')
REF = re.compile(rb'\br="([A-Z]+\d+)"')
ERRORS = re.compile(
    rb'<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]+\d+)"[^>]*>(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?<v>([^<]*)</v>', re.S
)
ERROR = re.compile(rb'(<c\b[^>]*\bt="e"[^>]*>(?:<f[^>]*/>|<f[^>]*>[^<]*</f>)?<v>)([^<]*)(</v>)', re.S)
FORMULA = re.compile(rb"<c\b([^>]*)>(<f\b[^>]*(?:/>|>([^<]*)</f>))(?:<v\s*/>|<v></v>|(?=</c>))")
