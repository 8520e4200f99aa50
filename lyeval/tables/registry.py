"""The tables of a run as data: each column's name, key, unit, format, words and where it comes from (``registry.csv``)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name, key
        Its name, and whether it is part of the key of a row.
    unit, format
        家, 亩, 万元 …, "" where none; how it is printed: text, flag, year, count, area, money, ratio, or as the row's unit says.
    zh, en
        Its heading.
    source
        The sheet and column, table or document that it is made from.
    """

    name: str
    key: bool
    unit: str
    format: str
    zh: str
    en: str
    source: str


@dataclass(frozen=True)
class Count:
    """A word that is counted, with its one definition.

    Attributes
    ----------
    id, zh, en, definition_zh, definition_en
        The word and what it means.
    part_of
        The count that it cannot exceed, "" where there is none.
    selection
        The mask of the standing that it counts.
    cases
        Whether disposals are counted, not enterprises.
    """

    id: str
    part_of: str
    selection: str
    cases: bool
    zh: str
    en: str
    definition_zh: str
    definition_en: str


def _rows(name: str) -> list[dict[str, str]]:
    text = files("lyeval.tables").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def schema(file: str = "registry.csv") -> dict[str, dict[str, Column]]:
    """Return the tables that a file here describes: name → column → description, in its order."""
    out: dict[str, dict[str, Column]] = {}
    for row in _rows(file):
        told = (row[k] for k in ("unit", "format", "zh", "en", "source"))
        out.setdefault(row["table"], {})[row["name"]] = Column(row["name"], row["key"] == "1", *told)
    return out


@cache
def words() -> dict[str, Count]:
    """Return every word that is counted, by its id, in the order of the file."""
    return {
        row["id"]: Count(
            row["id"],
            row["part_of"],
            row["selection"],
            row["rows"] == "cases",
            row["zh"],
            row["en"],
            row["definition_zh"],
            row["definition_en"],
        )
        for row in _rows("counts.csv")
    }
