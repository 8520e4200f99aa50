"""How a table stands on paper: type size, column widths, upright or across; the same for every paged format."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from lyeval.render.blocks import Column
from lyeval.render.glyphs import ems

MM = 72 / 25.4
UPRIGHT, ACROSS = 156 * MM, 225 * MM  # text widths of an A4 page by GB/T 9704, upright and turned, in points
PADDING, TIGHT = 7.0, 4.5  # points, both sides of a cell together: usually, and in the smallest types
SIZES = (
    (10.5, False, 2.2),
    (9.0, False, 3.0),
    (8.0, False, 3.0),
    (10.5, True, 2.2),
    (9.0, True, 3.0),
    (8.0, True, 4.0),
)
SMALLEST = 6.5
SMALLER = ((7.0, False, 4.0), (SMALLEST, False, 4.0))  # before a page is turned for few rows
MANY = 7  # columns from which a page may be turned
FEW = 14  # rows for which no page is turned where they fit upright
TOKEN = 20  # characters in a row without a break, from which a word may be broken anywhere
SHORT = 4.5  # ems of a heading that stays on one line
WIDEST = 36.0  # ems: more than this does not ask for more room
FIXED = ("number", "percent", "count", "date", "flag")


class Fit(NamedTuple):
    """Type size, column widths, and padding of a cell (both sides together) in points; whether the page is turned.

    ``height`` is about the height of the rows in points.
    """

    size: float
    widths: tuple[float, ...]
    across: bool
    padding: float = PADDING
    height: float = 0.0


def fit(columns: Sequence[Column], heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Fit:
    """Choose the largest type at which a table reads well.

    Parameters
    ----------
    columns : sequence of Column
    heads : sequence of str
        Headings with their units on a second line.
    rows : sequence of sequence of str
        The written values.

    Returns
    -------
    Fit
        Upright where the columns fit and rows stay low; tables of seven columns and more may be turned. What fits
        nowhere is set in the smallest type, its longest words broken.
    """
    needs = [
        _needs(column, head, [row[k] for row in rows])
        for k, (column, head) in enumerate(zip(columns, heads, strict=True))
    ]
    feasible: Fit | None = None
    few = sorted(SIZES + SMALLER, key=lambda each: each[1])
    for size, across, limit in few if len(rows) <= FEW else SIZES:
        if across and (len(columns) < MANY or (feasible is not None and len(rows) <= FEW)):
            continue
        padding = TIGHT if size < 8 else PADDING
        widths = _widths(needs, size, ACROSS if across else UPRIGHT, padding)
        if widths is None:
            continue
        found = Fit(size, tuple(widths), across, padding)
        lines = _lines(needs, found)
        found = found._replace(height=len(rows) * size * (1.35 * lines + 0.76))
        if lines <= (limit if len(columns) >= MANY else 2 * limit):
            return found
        feasible = found if feasible is None or across else feasible
    return feasible or _squeezed(needs, len(columns) >= MANY)


class _Need(NamedTuple):
    """Room of a column in ems: without it words break, with it nothing wraps, and the widths of its cells."""

    least: float
    natural: float
    cells: tuple[float, ...]


def _needs(column: Column, head: str, texts: Sequence[str]) -> _Need:
    """Measure a column: numbers never wrap, words wrap between signs, headings in up to three lines."""
    cells = tuple(ems(text) for text in texts)
    widest = max(cells, default=0.0)
    lines = [ems(line) for line in head.split("\n")]
    parts = 1 if lines[0] <= SHORT else 2 if lines[0] <= 2 * SHORT else 3
    title = max(math.ceil(lines[0] / parts), 0.85 * max(lines[1:], default=0.0), *map(_longest, head.split("\n"))) + 0.2
    words = 0.0 if column.kind in FIXED else max((_longest(text) for text in texts), default=0.0)
    least = widest if column.kind in FIXED else max(min(4.5, widest), words)
    return _Need(max(least, title), min(max(widest, title), max(WIDEST, least, title)), cells)


def _longest(text: str) -> float:
    """Return the width of the longest run that no line break may part."""
    runs = re.findall(r"[!-~\u00a1-\u024f\u2013\u2212]+", text)
    return max((ems(run[:TOKEN]) if len(run) > TOKEN else ems(run) for run in runs), default=0.0)


def _widths(needs: Sequence[_Need], size: float, room: float, padding: float) -> list[float] | None:
    """Share the room out at a type size, in points; None where the columns do not fit."""
    free = room - padding * len(needs)
    least, natural = [need.least * size for need in needs], [need.natural * size for need in needs]
    if sum(natural) <= free:
        spare = (free - sum(natural)) / max(sum(natural), 1e-9)
        inner = [width * (1 + spare) for width in natural] if sum(natural) else [free / len(needs)] * len(needs)
    elif sum(least) <= free:
        wishes = [more - less for less, more in zip(least, natural, strict=True)]
        inner = _poured(least, natural, wishes, free - sum(least))
    else:
        return None
    return [round(width + padding, 2) for width in inner]


def _poured(least: list[float], most: list[float], wishes: list[float], rest: float) -> list[float]:
    """Pour the rest of the room into the columns by their wishes, none above its natural width."""
    widths, open_ = list(least), [k for k, wish in enumerate(wishes) if wish]
    while rest > 0.01 and open_:
        total = sum(wishes[k] for k in open_)
        given = {k: min(rest * wishes[k] / total, most[k] - widths[k]) for k in open_}
        for k, more in given.items():
            widths[k] += more
        rest -= sum(given.values())
        open_ = [k for k in open_ if most[k] - widths[k] > 0.01]
    return widths


def _lines(needs: Sequence[_Need], found: Fit) -> float:
    """Return the mean number of lines of a row."""
    rooms = [(width - found.padding) / found.size + 1e-6 for width in found.widths]
    rows = list(zip(*(need.cells for need in needs), strict=True))
    lines = [max(math.ceil(cell / room) for cell, room in zip(row, rooms, strict=True)) for row in rows]
    return sum(lines) / len(lines) if lines else 1.0


def _squeezed(needs: Sequence[_Need], across: bool) -> Fit:
    """Set a table that fits nowhere: the smallest type, widths by what each column would need."""
    room = ACROSS if across else UPRIGHT
    padding = min(PADDING, 0.3 * room / len(needs))
    free, total = room - padding * len(needs), sum(need.least for need in needs)
    widths = tuple(round(free * need.least / total + padding, 2) for need in needs)
    return Fit(max(min(free / total, 8.0), SMALLEST), widths, across, padding, math.inf)
