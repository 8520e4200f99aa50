"""Tables of departments that have no credit code (部门表): joined by organisation code, name or former name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lyeval.ledger.codes import tidy, well_formed
from lyeval.ledger.columns import of_sheet
from lyeval.ledger.convert import cell_of, texts_of
from lyeval.ledger.faults import Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import key
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.rows import DATA, Part, row_kind
from lyeval.ledger.vocabulary import is_missing


@dataclass(frozen=True)
class Directory:
    """How the enterprises are known: credit code by organisation code (positions 9–17), by name and by former name.

    A name that two enterprises share stands for none: its value is empty.
    """

    by_org: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, str] = field(default_factory=dict)
    by_alias: Mapping[str, str] = field(default_factory=dict)

    def find(self, org: Any, name: Any) -> tuple[str, str]:
        """Return the credit code, empty when no key leads to exactly one enterprise, and the key: org, name or alias."""
        if org is not None and (found := self.by_org.get(tidy(org)[-9:], "")):
            return found, "org"
        for how, table in (("name", self.by_name), ("alias", self.by_alias)):
            if name is not None and (found := table.get(key(str(name)))) is not None:
                return found, how
        return "", ""


def directory(parts: Iterable[Part]) -> Directory:
    """Gather codes, names and former names from the tables that have them."""
    made = Directory({}, {}, {})
    for part in parts:
        frame = part.frame
        if "credit_code" not in frame:
            continue
        for code in frame["credit_code"].dropna().unique():
            _enter(made.by_org, code[8:17], code)
        for column, table in (("name", made.by_name), ("aliases", made.by_alias)):
            if column in frame:
                pairs = frame[["credit_code", column]].dropna().drop_duplicates()
                for code, words in pairs.itertuples(index=False):
                    for name in _names(words) if column == "aliases" else [words]:
                        _enter(table, key(name), code)
    return made


def _enter(table: Any, word: str, code: str) -> None:
    """Enter a key; one that leads to two enterprises leads to none."""
    if word:
        table[word] = code if table.get(word, code) == code else ""


def _names(words: str) -> list[str]:
    """Split former names."""
    for mark in "；;，,/":
        words = words.replace(mark, "、")
    return [name for name in words.split("、") if name]


def by_organisation(grid: Grid, layout: Layout) -> Layout:
    """Return a layout whose codes, if most are of 9 or 15 places, are taken as organisation codes or taxpayer numbers."""
    item = next((i for i in layout.columns if i.column.name == "credit_code" and i.column.kind == "code"), None)
    if item is None:
        return layout
    raw = grid.body(layout.body)[item.place]
    some = [cell_of(raw, p) for p in range(min(len(raw), 200))]
    sizes = [len(tidy(cell)) for cell in some if isinstance(cell, str) and re.search(r"\d{4}", cell)]
    if not sizes or sum(size in (9, 15) for size in sizes) * 5 < len(sizes) * 4:
        return layout
    org = replace(item, column=of_sheet("enterprises")["org_code"])
    return replace(layout, columns=tuple(org if i is item else i for i in layout.columns))


def with_missing_codes(grid: Grid, layout: Layout, names: Mapping[str, str], faults: Faults) -> Grid:
    """Return the grid with blank credit codes filled in from an equal name elsewhere that has one code (told)."""
    places = {item.column.name: item for item in layout.columns}
    code, name = places.get("credit_code"), places.get("name")
    if code is None or name is None:
        return grid
    columns = list(grid.columns)
    raw = list(texts_of(columns[code.place]))
    skip = layout.body - len(grid.head)
    called = texts_of(columns[name.place])
    lines = []
    for position in range(skip, len(raw)):
        found = (
            names.get(key(str(called[position]))) if _blank(raw[position]) and not _blank(called[position]) else None
        )
        if found:
            raw[position] = found
            lines.append((grid.first_row + len(grid.head) + position, called[position], found))
    for row, value, found in lines:
        faults.add("code_filled", grid.file, grid.sheet, row=row, heading=code.heading, value=value, code=found)
    columns[code.place] = raw
    return replace(grid, columns=columns) if lines else grid


def lacks_codes(grid: Grid, layout: Layout) -> bool:
    """Whether a table with a column of credit codes has blank ones."""
    item = next((i for i in layout.columns if i.column.name == "credit_code"), None)
    if item is None or not any(i.column.name == "name" for i in layout.columns):
        return False
    raw = grid.body(layout.body)[item.place]
    return any(map(_blank, raw)) if isinstance(raw, list) else raw.null_count > 0


def names_of(grid: Grid, layout: Layout) -> dict[str, str]:
    """Return the codes of a table by normalised name; a name of two codes has none."""
    places = {item.column.name: item.place for item in layout.columns}
    if not {"credit_code", "name"} <= set(places):
        return {}
    body = grid.body(layout.body)
    found: dict[str, str] = {}
    for code, name in zip(texts_of(body[places["credit_code"]]), texts_of(body[places["name"]]), strict=True):
        if isinstance(name, str) and isinstance(code, str) and well_formed(tidy(code)):
            _enter(found, key(name), tidy(code))
    return found


def _blank(value: Any) -> bool:
    """Whether a cell says nothing."""
    return value is None or value != value or not str(value).strip() or (isinstance(value, str) and is_missing(value))


def joinable(layout: Layout) -> bool:
    """Whether a table without credit codes has another key of enterprises."""
    return bool({"org_code", "name"} & {item.column.name for item in layout.columns})


def with_codes(grid: Grid, layout: Layout, known: Directory, faults: Faults) -> tuple[Grid, Layout] | None:
    """Return the grid with a column of credit codes found by its own keys; None when no row is of a known enterprise.

    Rows of nobody are told and stand outside: they count in totals alone.
    """
    places = {item.column.name: item for item in layout.columns}
    body = [texts_of(raw) for raw in grid.body(layout.body)]
    skip = layout.body - len(grid.head)
    org, name = (body[places[n].place] if n in places else None for n in ("org_code", "name"))
    headings = {key(item.heading) for item in layout.columns}
    codes: list[Any] = []
    unmatched: list[tuple[int, Any]] = []
    ways: dict[str, int] = {}
    shared = False
    for position, row in enumerate(zip(*body, strict=True)):
        ids = [None if column is None or _blank(column[position]) else column[position] for column in (org, name)]
        code, how = known.find(*ids)
        codes.append(code or None)
        shared |= bool(how) and not code
        if code:
            ways[how] = ways.get(how, 0) + 1
        elif any(v is not None for v in ids) and row_kind(list(row), headings, position) == DATA:
            unmatched.append((position, next(v for v in reversed(ids) if v is not None)))
    firms = sum(bool(FIRM.search(str(value))) for _, value in unmatched)
    if not ways and not shared and firms * 2 <= len(unmatched):
        return None
    item = places.get("name") or places["org_code"]
    _tell(grid, layout, item, ways, unmatched, faults)
    column = Mapped(of_sheet("enterprises")["credit_code"], item.heading, len(body))
    columns = [*[[None] * skip + list(column) for column in body], [None] * skip + codes]
    outside = frozenset(layout.body + position for position, _ in unmatched)
    grid = replace(grid, columns=columns, outside=outside)
    return grid, replace(layout, columns=(*layout.columns, column))


def _tell(
    grid: Grid, layout: Layout, item: Mapped, ways: dict[str, int], unmatched: list[tuple[int, Any]], faults: Faults
) -> None:
    """Tell how a department's table was joined, and the rows that belong to nobody."""
    where = (grid.file, grid.sheet)
    more: dict[str, Any] = {"matched": sum(ways.values()), "unmatched": len(unmatched)}
    more["how"] = "、".join(f"按{HOW[how][0]}{n}行" for how, n in ways.items()) or "0行"
    more["how_en"] = ", ".join(f"{n} by {HOW[how][1]}" for how, n in ways.items()) or "0"
    faults.add("joined_by_name", *where, heading=item.heading, **more)
    rows = [(grid.first_row + layout.body + position, value) for position, value in unmatched]
    faults.add_rows("unmatched", where, rows, heading=item.heading)


FIRM = re.compile("公司|厂|企业|合作社|集团|中心|工场|作坊|部$|社$|店$|所$")
HOW = {"org": ("组织机构代码", "organisation code"), "name": ("企业名称", "name"), "alias": ("曾用名", "former name")}
