"""What paged formats decide alike: runs of upright and turned pages, contents, tables as written text, the stored date."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import NamedTuple

from lyeval.render.blocks import Block, Bullets, Cell, Document, Heading, KeyFigures, Lang, Note, Paragraph, Table
from lyeval.render.fitting import UPRIGHT, Fit, fit
from lyeval.render.glyphs import ems
from lyeval.render.numbers import format_value, told

LONG, MOST = 8, 80  # headings from which a document has a table of contents, and up to which
SHEETS = 3  # a document of more sheets that each begin a page has no contents
WHOLE = 190.0  # points: a lower table stays on one page
SCALE = 0.95  # of a figure drawn for the page
TALLEST = 560.0  # points: a figure with its caption stays on one page
BETWEEN = 5  # parts of text between turned tables that do not turn the page back
CLOSING, OPENING = "，。、；：！？）》〕】”’％%—", "（《〔【“‘"
WORDS_OF_TIME = ("月度", "季度", "年度")  # never parted, though their characters often stand apart
TOGETHER = 12.0  # ems: cost of parting two characters that never stand apart
HALF = 16.5  # ems: an entry of the title block that takes half a line
SIGNS = {"good": "✓", "bad": "×", "open": "?"}


class Laid(NamedTuple):
    """A table as text: headings with units, cells, tone of each cell, the stand of each column, and how it fits."""

    heads: list[tuple[str, str]]
    rows: list[list[str]]
    tones: list[list[str]]
    aligns: list[str]
    fit: Fit


class Part(NamedTuple):
    """One block with its heading level (0 for others) and its table as text; a block of None is the contents.

    ``room`` is how far a line at the right stands from the margin, in ems; ``opens``: it is the first of a signature.
    """

    block: Block | None
    level: int = 0
    laid: Laid | None = None
    room: float = 0.0
    opens: bool = False


@dataclass
class Run:
    """Parts that stand on pages of one kind."""

    across: bool
    parts: list[Part] = field(default_factory=list)


def runs(document: Document, text: Callable[[object], str]) -> list[Run]:
    """Part a document into runs of upright and of turned pages; headings go with the turned table below them.

    Parameters
    ----------
    document : Document
    text : function
        Makes any text one that the format can hold, on one line.
    """
    made, waiting = [Run(False)], []
    for part in _parts(document, text):
        if part.block is None or isinstance(part.block, Heading):
            waiting.append(part)
            continue
        across = part.laid is not None and part.laid.fit.across
        if across != made[-1].across:
            made.append(Run(across))
        made[-1].parts += [*waiting, part]
        waiting = []
    made[-1].parts += waiting
    return _joined(made)


def _joined(made: list[Run]) -> list[Run]:
    """Let a few lines of text between two runs of turned pages stand on the turned pages; a form of one turned table is turned whole."""
    parts = [part for run in made for part in run.parts]
    tables = [part.laid for part in parts if part.laid is not None]
    if len(parts) <= BETWEEN and [laid.fit.across for laid in tables] == [True] and not any(p.level for p in parts):
        return [Run(True, parts)]
    kept: list[Run] = []
    for place, run in enumerate(made):
        between = 0 < place < len(made) - 1 and not run.across and len(run.parts) <= BETWEEN
        text = all(isinstance(part.block, Paragraph | Note | Bullets | Heading) for part in run.parts)
        if kept and kept[-1].across and (run.across or (between and text)):
            kept[-1].parts += run.parts
        else:
            kept.append(run)
    return kept


def signed(blocks: Sequence[Block]) -> dict[int, tuple[float, bool]]:
    """Return for the place of each line at the right its distance from the margin in ems, and whether it opens a signature.

    A line alone stands at the margin (文号). Of several the last is the date (成文日期): four characters in, the others (署名) centred
    over it, none closer to the margin than two.
    """
    made: dict[int, tuple[float, bool]] = {}
    places = [k for k, block in enumerate(blocks) if isinstance(block, Paragraph) and block.align == "right"]
    for own in _grouped(places):
        widths = [ems(blocks[k].text) for k in own]  # type: ignore[union-attr]
        room = max(4.0, 2.0 + (max(widths) - widths[-1]) / 2)
        for k, width in zip(own, widths, strict=True):
            made[k] = (room + (widths[-1] - width) / 2, k == own[0]) if len(own) > 1 else (0.0, False)
    return made


def _grouped(places: Sequence[int]) -> Iterator[list[int]]:
    """Yield the runs of places that follow each other."""
    for _, group in itertools.groupby(enumerate(places), key=lambda pair: pair[1] - pair[0]):
        yield [place for _, place in group]


def _parts(document: Document, text: Callable[[object], str]) -> Iterator[Part]:
    """Lay out each block; the contents of a long document stand on its first page, under the title block."""
    place = 0 if contents_depth(document.blocks) else -1
    at_right = signed(document.blocks)
    for k, (block, level) in enumerate(_levelled(document.blocks)):
        if k == place:
            yield Part(None)
        laid = lay_out(block, document.lang, text) if isinstance(block, Table) else None
        room, opens = at_right.get(k, (0.0, False))
        yield Part(block, level, laid, room, opens)


def _levelled(blocks: Sequence[Block]) -> Iterator[tuple[Block, int]]:
    """Return each block with its heading level, none skipped on the way down (0 for other blocks)."""
    level = 0
    for block in blocks:
        if isinstance(block, Heading):
            level = min(max(block.level, 1), level + 1, 3)
        yield block, level if isinstance(block, Heading) else 0


def contents_depth(blocks: Sequence[Block]) -> int:
    """Return how many levels of headings the contents show: 0 for a short document, or for one of many sheets."""
    if sheets(blocks) > SHEETS:
        return 0
    levels = [level for block, level in _levelled(blocks) if isinstance(block, Heading)]
    two, one = sum(level <= 2 for level in levels), sum(level == 1 for level in levels)
    return 2 if LONG <= two <= MOST else 1 if LONG <= one <= MOST else 0


def sheets(blocks: Sequence[Block]) -> int:
    """Return how many headings begin a page."""
    return sum(isinstance(block, Heading) and block.fresh for block in blocks)


def listed(blocks: Sequence[Block]) -> int:
    """Return how many headings the contents list."""
    depth = contents_depth(blocks)
    return sum(isinstance(block, Heading) and level <= depth for block, level in _levelled(blocks))


def lay_out(table: Table, lang: Lang, text: Callable[[object], str]) -> Laid:
    """Write a table's values and fit them to the page."""
    unit = told(lang)["unit"].strip()
    heads = [(text(c.title), unit.format(text(c.unit)) if c.unit else "") for c in table.columns]
    rows = [[text(format_value(c, v, lang)) for c, v in zip(table.columns, row, strict=True)] for row in table.rows]
    tones = [[v.tone if isinstance(v, Cell) and v.tone in SIGNS else "" for v in row] for row in table.rows]
    seen = [
        [f"×　{said}" if t else said for said, t in zip(*pair, strict=True)] for pair in zip(rows, tones, strict=True)
    ]
    fitted = fit(table.columns, [f"{title}\n{unit}" for title, unit in heads], seen)
    return Laid(heads, rows, tones, _aligns(table, rows), fitted)


def _aligns(table: Table, rows: Sequence[Sequence[str]]) -> list[str]:
    """Return how each column stands: numbers right, dates, flags and short words in the middle, text left."""
    aligns = []
    for k, column in enumerate(table.columns):
        short = column.kind == "text" and k and all(ems(row[k]) <= 5 for row in rows)
        numeric = column.kind in ("number", "percent", "count")
        aligns.append("right" if numeric else "center" if short or column.kind in ("date", "flag") else "left")
    return aligns


def meta_rows(document: Document, text: Callable[[object], str]) -> list[list[tuple[str, str]]]:
    """Return the entries of the title block in rows: two short ones side by side, a long one alone."""
    made: list[list[tuple[str, str]]] = []
    for label, value in document.meta:
        entry = (text(label), text(value))
        short = ems("".join(entry)) <= HALF
        if short and made and len(made[-1]) == 1 and ems("".join(made[-1][0])) <= HALF:
            made[-1].append(entry)
        else:
            made.append([entry])
    return made


def title_lines(said: str, size: float, document: Document) -> list[str]:
    """Break a centred title into lines of about one length without parting a word.

    Chinese has no spaces between words: two characters that mostly stand together in the document are not parted.

    Parameters
    ----------
    said : str
        One line of text.
    size : float
        Type size in points.
    document : Document
        What the neighbours of characters are counted in.
    """
    lines = math.ceil(ems(said) * size * 1.02 / UPRIGHT)
    if lines < 2:
        return [said]
    text, room, made, rest = _prose(document), UPRIGHT / size / 1.02, [], said
    for left in range(lines, 1, -1):
        share = ems(rest) / left
        places = [k for k in range(1, len(rest)) if ems(rest[:k]) <= room and ems(rest[k:]) <= room * (left - 1)]
        costs = {k: abs(ems(rest[:k]) - share) + _parting(rest[k - 1], rest[k], text) for k in places}
        if not costs:
            break
        place = min(costs, key=lambda k: costs[k])
        made.append(rest[:place].strip())
        rest = rest[place:].strip()
    return [*made, rest]


def _parting(first: str, second: str, text: str) -> float:
    """Return how bad it is, in ems, to begin a new line between two characters."""
    if " " in (first, second):
        return 0.0
    if second in OPENING:
        return 0.0
    if second in CLOSING or first in OPENING or (ems(first) < 1 and ems(second) < 1):
        return 100.0
    if first + second in WORDS_OF_TIME:
        return 100.0
    rarer = min(text.count(first), text.count(second))
    return TOGETHER * text.count(first + second) / rarer if rarer else 0.0


def _prose(document: Document) -> str:
    """Return the running text of a document."""
    lines = [block.text for block in document.blocks if isinstance(block, Heading | Paragraph | Note)]
    return "\n".join([document.title, document.subtitle, *lines])


def cards_across(block: KeyFigures) -> int:
    """Return how many key figures stand side by side."""
    wide = [
        max(10.5 * max(min(ems(i.label), 9), ems(i.label) / 2), 22 * ems(i.value) + 10.5 * ems(i.unit) + 20) + 20
        for i in block.items
    ]
    most = max(1, min(4, int((UPRIGHT + 6) // (max(wide, default=1.0) + 6))))
    return next((k for k in range(most, 1, -1) if len(wide) % k == 0), min(most, max(len(wide), 1)))


def stored_date(created: date | None) -> date | None:
    """Return the date that a file says it was made on: the one given, else that of ``SOURCE_DATE_EPOCH``, else none."""
    if created is not None:
        return created
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC).date() if epoch.isdigit() else None
