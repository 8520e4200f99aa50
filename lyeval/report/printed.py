"""The figures that a document prints, each with the id of its cell: what a reader types is looked up here, not guessed by digits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lyeval.render import Bullets, Document, Heading, KeyFigures, Note, Paragraph, Table, Text, format_value
from lyeval.render.blocks import Cell

AFTER = 8  # characters behind a figure within which its unit stands
PLAIN = str.maketrans({" ": "", ",": "", "，": "", "％": "%", "−": "-", "\u00a0": ""})


@dataclass(frozen=True)
class Printed:
    """A figure on a page.

    Attributes
    ----------
    id
        The id of its cell.
    text, after
        How it is written, and the characters that follow it, its unit among them.
    where
        The sentence that it stands in, or the table's caption.
    """

    id: str
    text: str
    after: str
    where: str


def printed(document: Document) -> list[Printed]:
    """Return every figure of a document that knows its cell, in order."""
    found: list[Printed] = []
    for block in document.blocks:
        if isinstance(block, Table):
            found += _of_table(block, document)
            continue
        for text in _texts(block):
            found += [
                Printed(mark.id, text[mark.start : mark.end], text[mark.end : mark.end + AFTER], str(text))
                for mark in getattr(text, "marks", ())
            ]
    return found


def _texts(block: object) -> Iterator[str]:
    if isinstance(block, Paragraph | Note | Heading):
        yield block.text
    elif isinstance(block, Bullets):
        yield from block.items
    elif isinstance(block, KeyFigures):
        for item in block.items:
            yield from (part for part in (item.value, item.note) if isinstance(part, Text))


def _of_table(table: Table, document: Document) -> Iterator[Printed]:
    for ref, row in zip(table.refs, table.rows, strict=False):
        for column, field, value in zip(table.columns, table.fields, row, strict=True):
            if ref and field:
                bare = value.value if isinstance(value, Cell) else value
                text = str(bare) if isinstance(bare, str) else format_value(column, value, document.lang)
                yield Printed(f"{ref}/{field}", text, column.unit, table.title)


def find(document: Document, typed: str) -> list[Printed]:
    """Return the figures that a reader may mean: written so, with or without separators, sign and unit."""
    asked = typed.translate(PLAIN).removeprefix("+")
    if not asked:
        return []
    out: dict[str, Printed] = {}
    for one in printed(document):
        bare = one.text.translate(PLAIN).removeprefix("+")
        after = one.after.translate(PLAIN)
        if bare == asked or (asked.startswith(bare) and bare and after.startswith(asked[len(bare) :])):
            out.setdefault(one.id, one)
    return list(out.values())
