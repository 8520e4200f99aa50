"""The tables of a run as data: columns, units and words (``registry.csv``, ``counts.csv``, ``values.csv``), columns of the rest (``layout.csv``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from lyeval.resources import read_rows
from lyeval.told import Words, units


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    name, key
        Its name, and whether it is part of the key of a row.
    unit, format
        家, 亩, 万元 …, "" where none; how it is printed: a kind of `lyeval.report.tabulate`, or as the row's unit says.
    zh, en
        Its heading.
    source
        How it is made, ``中文 / English``; else the sheet and column, table or document that it is made from.
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
    rows
        ``cases`` where disposals are counted, "" where enterprises are.
    """

    id: str
    part_of: str
    selection: str
    rows: str
    zh: str
    en: str
    definition_zh: str
    definition_en: str


@dataclass(frozen=True)
class Value(Words):
    """What a coded value of a column is called, and its tone: good, bad, open, plain, "" for none."""

    tone: str = ""


@cache
def schema() -> dict[str, dict[str, Column]]:
    """Return the tables that are described: name → column → description, in the order of ``registry.csv``."""
    out: dict[str, dict[str, Column]] = {}
    for row in read_rows(__file__, "registry.csv"):
        told = (row[k] for k in ("unit", "format", "zh", "en", "source"))
        out.setdefault(row["table"], {})[row["name"]] = Column(row["name"], row["key"] == "1", *told)
    return out


@cache
def values() -> dict[str, dict[str, Value]]:
    """Return the names of coded values: of what (``reason`` …) → value → words, as ``values.csv`` gives them; ``unit``: `lyeval.told.units`."""
    out = {"unit": {zh: Value(zh, en) for zh, en in units().items()}}
    for row in read_rows(__file__, "values.csv"):
        out.setdefault(row["of"], {})[row["value"]] = Value(row["zh"], row["en"], row["tone"])
    return out


@cache
def words() -> dict[str, Count]:
    """Return every word that is counted, by its id, in the order of the file."""
    return {row["id"]: Count(**row) for row in read_rows(__file__, "counts.csv")}


@cache
def layout() -> dict[str, list[str]]:
    """Return the columns of each table that is laid out row by row, by the table's name."""
    return {row["table"]: row["columns"].split() for row in read_rows(__file__, "layout.csv")}


def framed(table: str, rows: pd.DataFrame | Iterable[Any]) -> pd.DataFrame:
    """Lay rows out under the columns of a table: what a row lacks is blank, what it has besides is left out, days are days."""
    made = (
        rows[layout()[table]] if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows), columns=layout()[table])
    )
    return made.assign(**{name: _days(made[name]) for name in layout()["days"] if name in made})


def _days(values: pd.Series) -> pd.Series:
    return pd.to_datetime(values).astype("datetime64[us]")
