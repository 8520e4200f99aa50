"""Render a document of frozen blocks: PDF to hand over, DOCX to edit, HTML to read, XLSX to check; no domain.

A document is a list of blocks (`blocks`), every number is written by `numbers`, each output format is one function.
A new format is one more function; a new block is one class and one branch in each format.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from lyeval.render.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Document,
    Figure,
    Heading,
    KeyFigure,
    KeyFigures,
    Mark,
    Note,
    Paragraph,
    Slot,
    Table,
    Text,
    captions,
)
from lyeval.render.docx import to_docx
from lyeval.render.html import to_html
from lyeval.render.numbers import digits_beside, format_value
from lyeval.render.pdf import to_pdf
from lyeval.render.xlsx import to_xlsx


class Look(NamedTuple):
    """How a document is set: the date to store in files, an office's font files (PDF) and font families by role (PDF, DOCX)."""

    created: date
    fonts: tuple[Path, ...] = ()
    names: Mapping[str, str] = {}


FORMATS: dict[str, Callable[[Document, Look], bytes]] = {
    "html": lambda document, look: to_html(document).encode("utf-8", "replace"),
    "pdf": lambda document, look: to_pdf(document, created=look.created, fonts=look.fonts, names=look.names),
    "docx": lambda document, look: to_docx(document, created=look.created, names=look.names),
}  # of a document; its tables go into a workbook by `to_xlsx`

__all__ = [
    "FORMATS",
    "Block",
    "Bullets",
    "Cell",
    "Column",
    "Document",
    "Figure",
    "Heading",
    "KeyFigure",
    "KeyFigures",
    "Look",
    "Mark",
    "Note",
    "Paragraph",
    "Slot",
    "Table",
    "Text",
    "captions",
    "digits_beside",
    "format_value",
    "to_docx",
    "to_html",
    "to_pdf",
    "to_xlsx",
]
