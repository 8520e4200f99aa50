"""Several tables on one sheet, one below the other (一张表里上下几个表): each read as a table of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lyeval.ledger.convert import cell_of
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import find, take_apart


def sections(grid: Grid) -> list[Grid]:
    """Return the tables of a sheet: it is cut above every header row with credit codes that names other columns than the first.

    A header row repeated on each page of one table is left where it is. Titles right above a header row go with it.
    """
    if grid.head or not grid.columns or not isinstance(grid.columns[0], list):
        return [grid]
    cuts: list[int] = []
    known: list[frozenset[str]] = []
    last = -2
    for row in _candidates(grid.columns):
        names = _names(grid, row)
        if row > last + 1 and "credit_code" in names and len(names) > 1:
            if known and names not in known:
                cuts.append(_with_titles(grid, row))
            known.append(names)
        last = row
    if not cuts:
        return [grid]
    return [_part(grid, a, b) for a, b in zip([0, *cuts], [*cuts, grid.height], strict=True)]


def _candidates(columns: Sequence[Any]) -> list[int]:
    """Return the rows that hold a short text with a word for codes."""
    rows = {
        i
        for column in columns
        for i, v in enumerate(column)
        if v.__class__ is str and len(v) <= LONGEST and ("代码" in v or "识别号" in v or "税号" in v)
    }
    return sorted(rows)


def _names(grid: Grid, row: int) -> frozenset[str]:
    """Return the columns that a row names beyond doubt."""
    cells = [cell_of(column, row) for column in grid.columns]
    fits = [find(take_apart(cell)) for cell in cells if isinstance(cell, str) and cell and len(cell) <= LONGEST]
    return frozenset(fit.columns[0].name for fit in fits if fit.kind in ("column", "near") and len(fit.columns) == 1)


def _with_titles(grid: Grid, row: int) -> int:
    """Return the first of the titles, rows of one cell, that stand right above a header row."""
    while row > 0 and sum(cell_of(column, row - 1) not in (None, "") for column in grid.columns) == 1:
        row -= 1
    return row


def _part(grid: Grid, start: int, end: int) -> Grid:
    """Return some rows of a sheet as a sheet of their own."""
    merges = [((a - start, b), (c - start, d)) for (a, b), (c, d) in grid.merges or () if start <= a and c < end]
    filled = {place: [p - start for p in rows if start <= p < end] for place, rows in grid.filled.items()}
    return replace(
        grid,
        columns=[column[start:end] for column in grid.columns],
        first_row=grid.first_row + start,
        merges=None if grid.merges is None else tuple(merges),
        filled={place: rows for place, rows in filled.items() if rows},
        odd={(r - start, c): what for (r, c), what in grid.odd.items() if start <= r < end},
        hidden_rows=frozenset(r - start for r in grid.hidden_rows if start <= r < end),
    )


LONGEST = 30
