"""Survey forms (企业基本情况调查表): one sheet per enterprise, labels with their values beside them, not a table."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from lyeval.ledger.columns import COLUMNS, NUMERIC, Column, of_sheet
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import Heading, find, key, take_apart
from lyeval.ledger.units import factor, find_unit
from lyeval.ledger.vocabulary import is_missing, words


@dataclass(frozen=True)
class Entry:
    """One filled field: its column, its label and value as written, its row, and the ratio of its unit (None: unfit)."""

    column: Column
    label: str
    value: Any
    row: int
    ratio: Fraction | None = Fraction(1)
    unit: str = ""


@dataclass(frozen=True)
class Form:
    """A form as it was filled in.

    Attributes
    ----------
    file, sheet : str
        Where it stands.
    entries : Mapping
        Canonical column → field; blank fields are absent.
    row : int
        Row of the enterprise's name.
    dated : int or None
        Year of the day on which it was filled in.
    """

    file: str
    sheet: str
    entries: Mapping[str, Entry]
    row: int = 1
    dated: int | None = None

    def text(self, name: str) -> str:
        """Return a field as text, empty where blank."""
        entry = self.entries.get(name)
        return "" if entry is None else " ".join(str(entry.value).split())


def read_form(grid: Grid) -> Form | None:
    """Return the form on a sheet, None when the sheet is none: a form has its labels below each other."""
    if not 0 < grid.height <= TALLEST or not 0 < len(grid.columns) <= WIDEST:
        return None
    rows = grid.top(TALLEST)
    labels = [(r, c, *found) for r, row in enumerate(rows) for c, cell in enumerate(row) if (found := _label(cell))]
    firsts: dict[str, int] = {}
    for r, _, column, *_ in labels:
        firsts.setdefault(column.name, r)
    if len(set(firsts.values())) < LEAST:
        return None
    entries: dict[str, Entry] = {}
    taken: set[tuple[int, int]] = set()
    for r, c, column, heading, rest in labels:
        value, unit, place = _value(rows, r, c, column, rest)
        taken.add(place)
        if value is not None and column.name not in entries:
            ratio = _ratio(heading.unit or unit, column)
            row = grid.first_row + r
            entries[column.name] = Entry(column, heading.text, value, row, ratio, heading.unit or unit)
    county = next((found[1] for cell in rows[0] if isinstance(cell, str) and (found := TITLE.match(cell))), "")
    if county:
        entries.setdefault("county", Entry(of_sheet("enterprises")["county"], "县区", county, grid.first_row))
    named = next((r for r, _, column, _, _ in labels if column.name == "name"), 0)
    return Form(grid.file, grid.sheet, entries, grid.first_row + named, _dated(rows, taken))


def _label(cell: Any) -> tuple[Column, Heading, str] | None:
    """Return the column that a cell is the label of, the label, and what follows its colon; None for other cells."""
    if not isinstance(cell, str) or len(cell) > 400:
        return None
    words, _, rest = cell.strip().partition("：") if "：" in cell else cell.strip().partition(":")
    if not words or len(words) > 40:
        return None
    heading = take_apart(words)
    own = next((name for ending, name in OWN.items() if heading.keys and heading.keys[0].endswith(ending)), None)
    if own is not None:
        return of_sheet("enterprises")[own], heading, rest.strip()
    fit = find(heading, "annual")
    if fit.kind != "column" or len(fit.columns) != 1 or fit.columns[0].name not in FIELDS:
        return None
    return fit.columns[0], heading, rest.strip()


def _value(rows: list[list[Any]], r: int, c: int, column: Column, rest: str) -> tuple[Any, str, tuple[int, int]]:
    """Return the value of the label at (r, c), the unit that stands between, and the value's place."""
    if rest and not is_missing(rest):
        return rest, "", (r, c)
    unit = ""
    for place in range(c + 1, len(rows[r])):
        cell = rows[r][place]
        if cell is None or (isinstance(cell, str) and (key(cell) in PRINTED or is_missing(cell))):
            continue
        if isinstance(cell, str) and find_unit(cell):
            unit = cell
            continue
        other = _label(cell)
        if other is not None and other[0].name != column.name:
            break
        return cell, unit, (r, place)
    if column.name in AREAS and r + 1 < len(rows):
        below = rows[r + 1][c]
        if isinstance(below, str) and _label(below) is None and key(below) not in PRINTED and not SIGNED.match(below):
            return below, "", (r + 1, c)
    return None, unit, (r, c)


def _ratio(unit: str, column: Column) -> Fraction | None:
    """Return what a figure in ``unit`` is multiplied by; None when the unit does not fit."""
    if not unit or column.kind not in NUMERIC or not column.unit:
        return Fraction(1)
    return factor(unit, column.unit)


def _dated(rows: list[list[Any]], taken: set[tuple[int, int]]) -> int | None:
    """Return the year of the day on which a form was filled in: the latest day that is no field's value."""
    return max((year for r, row in enumerate(rows) for year in _days(row, r, taken)), default=None)


def _days(row: list[Any], r: int, taken: set[tuple[int, int]]) -> Iterator[int]:
    """Give the years of the days on a row."""
    for c, cell in enumerate(row):
        if (r, c) in taken:
            continue
        if isinstance(cell, dt.date):
            yield cell.year
        elif isinstance(cell, str) and (found := DAY.search(cell)):
            yield int(found[1])


TALLEST, WIDEST, LEAST = 80, 40, 6
TITLE = re.compile(r"\s*(\S{1,10}?[县区市])(?=\S*调查表)")
DAY = re.compile(r"((?:19|20)\d\d)\s*[年./-]\s*\d{1,2}\s*[月./-]\s*\d{1,2}")
SIGNED = re.compile(DAY.pattern + r"\s*日?\s*[（(]?.{0,6}$")
OWN = {label: c.name for c in COLUMNS for label in c.form if label != "yes"}
AREAS = ("survey_plan", "survey_result", "survey_opinion")
FIELDS = {c.name for c in COLUMNS if c.form == ("yes",)}
PRINTED = words(
    "年月 年月日 上一年 上年 上年度 上一年度 计量单位 单位 数量 数值 企业基本情况 资源占用情况 贡献情况 年月日盖章 盖章"
)
