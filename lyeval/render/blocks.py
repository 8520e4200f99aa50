"""The parts of a document: frozen, plain data, the same for every output format.

All text is plain text: a renderer escapes it, so nothing in a name can become markup. Tables carry values, not words
for values; `lyeval.render.numbers` writes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, NamedTuple


class Mark(NamedTuple):
    """A figure within a text: where it stands, and the id of the cell that it is."""

    start: int
    end: int
    id: str


class Text(str):
    """A text that knows the cells which its figures are; everywhere else it is a plain string.

    Attributes
    ----------
    marks : tuple of Mark
        In order, without overlap.
    """

    marks: tuple[Mark, ...]

    def __new__(cls, text: str = "", marks: Sequence[Mark] = ()) -> Text:
        """Make the text with its marks."""
        made = super().__new__(cls, text)
        made.marks = tuple(marks)
        return made

    def pieces(self) -> Iterator[tuple[str, str]]:
        """Yield the text in pieces: each with the id of its cell, "" where it is no figure."""
        at = 0
        for mark in self.marks:
            if mark.start > at:
                yield self[at : mark.start], ""
            yield self[mark.start : mark.end], mark.id
            at = mark.end
        if at < len(self):
            yield self[at:], ""


Kind = Literal["text", "number", "percent", "count", "date", "flag"]
Tone = Literal["plain", "good", "bad", "open"]
Lang = Literal["zh", "en"]
Scalar = str | float | int | bool | date | None


@dataclass(frozen=True)
class Cell:
    """One value that differs from its column: a status with a tone, or a number with more decimals.

    Parameters
    ----------
    value : str, float, int, bool, date or None
        What the cell says. A share is a fraction (0.347), written as 34.7 % in a ``percent`` column.
    digits : int, optional
        Decimals of this cell alone, e.g. from `digits_beside`.
    tone : {"plain", "good", "bad", "open"}
        ``good``, ``bad`` and ``open`` (not decided) get a colour and a sign, so that colour is never the only mark.
    """

    value: Scalar
    digits: int | None = None
    tone: Tone = "plain"


@dataclass(frozen=True)
class Column:
    """One column of a table: key, heading, unit (shown in the header), kind and decimals of its values.

    ``digits`` None means the kind's usual: number 2, percent 1, count 0.
    """

    key: str
    title: str
    unit: str = ""
    kind: Kind = "text"
    digits: int | None = None


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 3 below the document's title; ``fresh`` begins a new page where there are pages.

    ``titled`` sets it as the document's title is set: the next of several papers in one file.
    """

    level: int
    text: str
    fresh: bool = False
    titled: bool = False


@dataclass(frozen=True)
class Paragraph:
    """Running text.

    ``close`` sets it a size smaller (四号) where one page is to hold it; ``align`` sets it flush left (主送) or at the right (落款).
    """

    text: str
    close: bool = False
    align: Literal["", "left", "right"] = ""


@dataclass(frozen=True)
class Note:
    """A remark set apart; the tone ``open`` marks a caution."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True)
class Bullets:
    """A list of short texts, numbered if ``ordered``."""

    items: tuple[str, ...]
    ordered: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(self.items))


@dataclass(frozen=True)
class Table:
    """A table of values with caption, units, source line and clause.

    Parameters
    ----------
    id : str
        Stable name, used for the anchor and for tracing.
    title : str
        Caption without a number; the renderer counts the tables.
    columns : tuple of Column
    rows : tuple of tuple
        One value (or `Cell`) for each column. Numpy scalars and pandas' missing values are understood.
    source, note, cite : str
        Lines under the table: where the figures come from and how final they are, a remark, the clause.
    sortable : bool
        Whether a reader may sort and filter the rows on screen.
    refs, fields : tuple of str
        For tracing, if at all: the id of each row, and the field of each column ("" for one that is no figure); a cell's id is
        both with a slash between.

    Raises
    ------
    ValueError
        A row has not one value for each column.
    """

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    source: str = ""
    note: str = ""
    cite: str = ""
    sortable: bool = False
    refs: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "rows", tuple(tuple(row) for row in self.rows))
        for place, row in enumerate(self.rows, start=1):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.id!r}: row {place} has {len(row)} values for {len(self.columns)} columns"
                )


@dataclass(frozen=True)
class Figure:
    """A picture as SVG (text drawn as paths) and PNG, with the text that stands in for it (``alt``).

    ``svg_text`` is the same drawing with its text as text in the shipped fonts, so that a PDF can be searched.
    """

    id: str
    title: str
    svg: str
    png: bytes
    alt: str
    source: str = ""
    cite: str = ""
    svg_text: str = ""

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError(f"figure {self.id!r}: alt text is empty")


class KeyFigure(NamedTuple):
    """One number that a leader reads first: label, value as text, unit, tone, and a line below."""

    label: str
    value: str
    unit: str = ""
    tone: Tone = "plain"
    note: str = ""


@dataclass(frozen=True)
class KeyFigures:
    """A row of key figures; plain tuples ``(label, value, unit, tone)`` are taken too."""

    items: tuple[KeyFigure, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "items", tuple(KeyFigure(*item) for item in self.items))


@dataclass(frozen=True)
class Slot:
    """A place for the office's own words that nobody has filled: marked in a Word file, left out of page and PDF."""

    name: str
    text: str


Block = Heading | Paragraph | Note | Bullets | Table | Figure | KeyFigures | Slot


@dataclass(frozen=True)
class Document:
    """A whole report.

    Parameters
    ----------
    title, subtitle : str
    meta : tuple of (str, str)
        Label and value of the title block: county, plan, data as of, edition …
    blocks : tuple of Block
    lang : {"zh", "en"}
    watermark : str
        A notice that stands at the top and on every printed page, e.g. that the data are synthetic; empty for none.
    footer : str
        Last line of the document, e.g. its fingerprint.
    """

    title: str
    subtitle: str = ""
    meta: tuple[tuple[str, str], ...] = ()
    blocks: tuple[Block, ...] = ()
    lang: Lang = "zh"
    watermark: str = ""
    footer: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "meta", tuple((str(label), str(value)) for label, value in self.meta))
        object.__setattr__(self, "blocks", tuple(self.blocks))
        object.__setattr__(self, "watermark", self.watermark or "")


def captions(blocks: Sequence[Block], lang: Lang = "zh") -> dict[str, str]:
    """Return the number of each table and figure by id: 表1, 图1 … / Table 1, Figure 1 …, for references in text.

    It is "" where there is nothing to count: a table alone, and those of papers that begin a page each.

    Raises
    ------
    ValueError
        Two blocks share one id.
    """
    words = {"zh": ("表{}", "图{}"), "en": ("Table {}", "Figure {}")}[lang]
    numbers: dict[str, str] = {}
    counts = [0, 0]
    fresh = [block.fresh for block in blocks if isinstance(block, Heading)]
    alone = sum(isinstance(block, Table | Figure) for block in blocks) < 2 or 2 * sum(fresh) > len(fresh)
    for block in blocks:
        if isinstance(block, Table | Figure):
            place = isinstance(block, Figure)
            counts[place] += 1
            if block.id in numbers:
                raise ValueError(f"two tables or figures have the id {block.id!r}")
            numbers[block.id] = "" if alone else words[place].format(counts[place])
    return numbers


def filled(document: Document) -> Document:
    """Return the document without the places that nobody has filled, and without headings under which nothing else stands."""
    if not slots(document):
        return document
    kept: list[Block] = []
    for block in reversed([block for block in document.blocks if not isinstance(block, Slot)]):
        below = kept[-1] if kept else None
        empty = below is None or (
            isinstance(below, Heading) and isinstance(block, Heading) and below.level <= block.level
        )
        if not (isinstance(block, Heading) and empty):
            kept.append(block)
    return replace(document, blocks=tuple(kept[::-1]))


def slots(document: Document) -> list[Slot]:
    """Return the places for the office's own words that nobody has filled."""
    return [block for block in document.blocks if isinstance(block, Slot)]
