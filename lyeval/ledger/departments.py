"""Tables of departments that have no credit code (部门表): joined by organisation code, name or former name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from lyeval.ledger.codes import tidy
from lyeval.ledger.columns import of_sheet
from lyeval.ledger.convert import texts_of
from lyeval.ledger.faults import Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import key
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.rows import DATA, Part, row_kind


@dataclass(frozen=True)
class Directory:
    """How the enterprises are known: credit code by organisation code (positions 9–17) and by name.

    A name that two enterprises share stands for none: its value is empty.
    """

    by_org: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, str] = field(default_factory=dict)

    def find(self, org: Any, name: Any) -> str:
        """Return the credit code, empty when neither key leads to exactly one enterprise."""
        found = self.by_org.get(tidy(org)[-9:], "") if org is not None else ""
        return found or (self.by_name.get(key(str(name)), "") if name is not None else "")


def directory(parts: Iterable[Part]) -> Directory:
    """Gather codes, names and former names from the tables that have them."""
    by_org: dict[str, str] = {}
    by_name: dict[str, str] = {}
    for part in parts:
        frame = part.frame
        if "credit_code" not in frame:
            continue
        for code in frame["credit_code"].dropna().unique():
            _enter(by_org, code[8:17], code)
        for column in ("name", "aliases"):
            if column in frame:
                pairs = frame[["credit_code", column]].dropna().drop_duplicates()
                for code, words in pairs.itertuples(index=False):
                    for name in _names(words) if column == "aliases" else [words]:
                        _enter(by_name, key(name), code)
    return Directory(by_org, by_name)


def _enter(table: dict[str, str], word: str, code: str) -> None:
    """Enter a key; one that leads to two enterprises leads to none."""
    if word:
        table[word] = code if table.get(word, code) == code else ""


def _names(words: str) -> list[str]:
    """Split former names."""
    for mark in "；;，,/":
        words = words.replace(mark, "、")
    return [name for name in words.split("、") if name]


def joinable(layout: Layout) -> bool:
    """Whether a table without credit codes has another key of enterprises."""
    return bool({"org_code", "name"} & {item.column.name for item in layout.columns})


def with_codes(grid: Grid, layout: Layout, known: Directory, faults: Faults) -> tuple[Grid, Layout]:
    """Return the grid with a column of credit codes found by its own keys; rows of nobody are told and blanked."""
    places = {item.column.name: item for item in layout.columns}
    body = [texts_of(raw) for raw in grid.body(layout.body)]
    skip = layout.body - len(grid.head)
    org, name = (body[places[n].place] if n in places else None for n in ("org_code", "name"))
    headings = {key(item.heading) for item in layout.columns}
    codes: list[Any] = []
    unmatched: list[tuple[int, Any]] = []
    for position, row in enumerate(zip(*body, strict=True)):
        ids = [_cell(column, position) for column in (org, name)]
        code = known.find(*ids)
        codes.append(code or None)
        if not code and any(v is not None for v in ids) and row_kind(list(row), headings, position) == DATA:
            unmatched.append((position, next(v for v in reversed(ids) if v is not None)))
    for position, _ in unmatched:
        for column in body:
            column[position] = None
    item = places.get("name") or places["org_code"]
    _tell(grid, layout, item, len([c for c in codes if c]), unmatched, faults)
    column = Mapped(of_sheet("enterprises")["credit_code"], item.heading, len(body))
    columns = [*[[None] * skip + column for column in body], [None] * skip + codes]
    return replace(grid, columns=columns), replace(layout, columns=(*layout.columns, column))


def _cell(column: list[Any] | None, position: int) -> Any:
    """Return a key cell, None where blank."""
    value = None if column is None else column[position]
    return None if value is None or value is pd.NA or str(value).strip() == "" else value


def _tell(
    grid: Grid, layout: Layout, item: Mapped, matched: int, unmatched: list[tuple[int, Any]], faults: Faults
) -> None:
    """Tell how a department's table was joined, and the rows that belong to nobody."""
    where = (grid.file, grid.sheet)
    more = {"matched": matched, "unmatched": len(unmatched)}
    faults.add("joined_by_name", *where, heading=item.heading, **more)
    rows = [(grid.first_row + layout.body + position, value) for position, value in unmatched]
    faults.add_rows("unmatched", where, rows, heading=item.heading)
