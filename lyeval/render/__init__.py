"""Render a document of frozen blocks: PDF to hand over, DOCX to edit, HTML to read, XLSX to check; no domain.

A document is a list of blocks (`blocks`), every number is written by `numbers`, each output format is one row of `formats.FORMATS`.
A new format is one more function and its row; a new block is one class and one branch in each format.
"""

from __future__ import annotations

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
from lyeval.render.formats import FORMATS, Job, Look, write_formats
from lyeval.render.html import to_html
from lyeval.render.numbers import digits_beside, format_value
from lyeval.render.pdf import to_pdf
from lyeval.render.xlsx import to_xlsx

__all__ = [
    "FORMATS",
    "Block",
    "Bullets",
    "Cell",
    "Column",
    "Document",
    "Figure",
    "Heading",
    "Job",
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
    "write_formats",
]
