"""A run's tables, read only: by row and value for who lays them out, by cell for a template, each figure with the id of its cell (表中的格)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import pandas as pd

from lyeval.ledger.columns import records
from lyeval.render import Column, format_value
from lyeval.render.blocks import Lang
from lyeval.render.numbers import plain
from lyeval.report.words import class_text, coded, day, joined, kind_by_unit, known, named, phrase, word, yuan
from lyeval.told import Told

Schema = Callable[[str, str, Mapping[str, Any]], tuple[Column, Callable[[Any], str] | None]]


class NoSuchCell(Told):
    """A template asks for a table, row or column that is not there."""


@dataclass(frozen=True, eq=False)
class Value:
    """One cell: printed by its column's format, compared by its value, never added up.

    Attributes
    ----------
    id
        Table, keys and column joined by ``/``; "" for a text.
    raw
        The value itself, None where it is not known.
    text
        How it is printed.
    """

    id: str
    raw: Any
    text: str
    hold: Callable[[Any], str]

    def __str__(self) -> str:
        """Return the token that stands for the cell until Markdown is parsed."""
        return self.hold(self)

    def __html__(self) -> str:
        return str(self)

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.raw is not None

    def as_(self, kind: str, digits: int | None = None) -> Value:
        """Return the same cell printed otherwise: ``number``, ``percent``, ``count`` with some decimals."""
        return replace(self, text=format_value(Column("", "", kind=kind, digits=digits), self.raw))  # type: ignore[arg-type]

    @property
    def rmb(self) -> Value:
        """The same cell, an amount in 万元, printed in yuan or millions of yuan for an English sentence."""
        return replace(self, text=yuan(self.text))

    @property
    def rmb_per_mu(self) -> Value:
        """The same cell, in 万元/亩, printed in yuan per mu with no digit more or less."""
        return replace(self, text=f"{yuan(self.text, whole=True)} per mu")

    def of(self, thing: str) -> str:
        """Return the count with what is counted, for an English sentence: 1 firm, 2 firms."""
        return f"{self} {thing}{'' if self.raw == 1 else 's'}"

    def names(self, most: int, *, more: str = "等{}家") -> str:
        """Return the items of a list within a sentence: the first ``most``, then how many there are in all."""
        items = [str(Value("", item, str(item), self.hold)) for item in (self.raw or [])]
        sign = "、" if "{}" in more and not more.isascii() else ", "
        told = sign.join(items[:most])
        if len(items) <= most:
            return told
        return told + more.format(Value(self.id, len(items), f"{len(items):,}", self.hold))

    def __iter__(self) -> Iterator[Value]:
        """Yield the items of a cell that holds a list, each as text."""
        for item in self.raw or []:
            yield Value("", item, str(item), self.hold)

    def __bool__(self) -> bool:
        return bool(self.raw)

    def __len__(self) -> int:
        return len(self.raw or ())

    def __hash__(self) -> int:
        return hash(self.raw) if isinstance(self.raw, str | int | float | bool) else id(self)

    def __eq__(self, other: object) -> bool:
        return self.raw == _raw(other)

    def __lt__(self, other: Any) -> bool:
        return self.known and _raw(other) is not None and self.raw < _raw(other)

    def __le__(self, other: Any) -> bool:
        return self.known and _raw(other) is not None and self.raw <= _raw(other)

    def __gt__(self, other: Any) -> bool:
        return self.known and _raw(other) is not None and self.raw > _raw(other)

    def __ge__(self, other: Any) -> bool:
        return self.known and _raw(other) is not None and self.raw >= _raw(other)


def _raw(value: Any) -> Any:
    return value.raw if isinstance(value, Value) else value


class Row:
    """One row of a table: its cells by name, ``row.tax_per_mu`` or ``row["class"]``."""

    def __init__(self, select: Selector, table: str, values: Mapping[str, Any]) -> None:
        self._select, self._table, self._values = select, table, values

    def __getattr__(self, name: str) -> Value:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._select.value(self._table, self._values, name)

    def __getitem__(self, name: str) -> Value:
        return self._select.value(self._table, self._values, name)


class Rows:
    """Some rows of a table, in its order; how many, and what they add up to, are cells too."""

    def __init__(self, select: Selector, table: str, values: Sequence[Mapping[str, Any]], asked: str) -> None:
        self._select, self._table, self._values, self._asked = select, table, values, asked

    def __iter__(self) -> Iterator[Row]:
        return (Row(self._select, self._table, values) for values in self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __bool__(self) -> bool:
        return bool(self._values)

    def head(self, n: int) -> Rows:
        """Return the first ``n`` rows."""
        return Rows(self._select, self._table, self._values[:n], f"{self._asked}[:{n}]")

    def after(self, n: int) -> Rows:
        """Return all rows but the first ``n``."""
        return Rows(self._select, self._table, self._values[n:], f"{self._asked}[{n}:]")

    @property
    def count(self) -> Value:
        """How many rows."""
        return self._select.plain(f"{self._asked}/count", len(self._values), Column("count", "", kind="count"))

    def sum(self, column: str) -> Value:
        """What a column adds up to over the rows that know it."""
        total = sum(v for row in self._values if (v := _known(row.get(column))) is not None)
        shape, _ = self._select.schema(self._table, column, {})
        return self._select.plain(f"{self._asked}/sum:{column}", total, shape)


@dataclass(frozen=True, eq=False)
class Selector:
    """A run's tables, read by cell.

    Attributes
    ----------
    tables
        By name: a frame, or a dict of plain values.
    keys
        By table: the columns that name a row.
    schema
        (table, column, row) → how it is printed: a `lyeval.render.Column`, or a function of the row where one column is not enough.
    """

    tables: Mapping[str, Any]
    keys: Mapping[str, tuple[str, ...]]
    schema: Schema
    lang: Lang = "zh"
    hold: Callable[[Any], str] = operator.attrgetter("text")
    cache: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)

    def onto(self, hold: Callable[[Any], str]) -> Selector:
        """Return the same with a place to hold what is printed."""
        return replace(self, hold=hold)

    def has(self, table: str) -> bool:
        """Tell whether a table is there and has a row."""
        there = self.tables.get(table)
        return there is not None and len(there) > 0

    def figure(self, table: str, *where: Any) -> Value:
        """Return one cell: of a frame by keys and column, of a dict by its key."""
        *keys, column = (_raw(part) for part in where)
        return self.row(table, *keys)[column]

    def row(self, table: str, *keys: Any) -> Row:
        """Return the row of a table whose keys these are (a leading part of them, where that is enough).

        Raises
        ------
        NoSuchCell
            There is no such table or row.
        """
        there = self._there(table)
        if not isinstance(there, pd.DataFrame):
            return Row(self, table, there)
        names = self.keys.get(table, ())[: len(keys)]
        asked = dict(zip(names, (_raw(k) for k in keys), strict=False))
        found = self.rows(table, **asked)
        if not len(found):
            said = "/".join(str(_raw(k)) for k in keys)
            raise NoSuchCell(f"表 {table} 没有 {said} 这一行", f"table {table} has no row {said}")
        return next(iter(found))

    def rows(self, table: str, **asked: Any) -> Rows:
        """Return the rows of a table that hold these values, in its order; none where the run has no such table."""
        there = self.tables.get(table)
        if not isinstance(there, pd.DataFrame):
            return Rows(self, table, [], table)
        wanted = {k.removesuffix("_") if k.removesuffix("_") in there else k: _raw(v) for k, v in asked.items()}
        missing = [k for k in wanted if k not in there and len(there.columns)]
        if missing:
            raise NoSuchCell(f"表 {table} 没有 {missing[0]} 这一列", f"table {table} has no column {missing[0]}")
        rows = [r for r in self._records(table) if all(_known(r[k]) == v for k, v in wanted.items())]
        said = ",".join(f"{k}={v}" for k, v in wanted.items())
        return Rows(self, table, rows, f"{table}[{said}]" if said else table)

    def value(self, table: str, row: Mapping[str, Any], column: str) -> Value:
        """Return one cell of a row; in English the column's English twin where there is one."""
        name = f"{column}_en" if self.lang == "en" and f"{column}_en" in row else column
        if name not in row:
            raise NoSuchCell(f"表 {table} 没有 {column} 这一列", f"table {table} has no column {column}")
        raw = _known(row[name])
        shape, own = self.schema(table, column, row)
        text = own(raw) if own is not None else format_value(shape, raw, self.lang)
        told = isinstance(raw, int | float | list) and column not in self.keys.get(table, ())
        return Value(self._id(table, row, column) if told else "", raw, text, self.hold)

    def plain(self, id: str, raw: Any, shape: Column) -> Value:
        """Return a figure made of several cells."""
        return Value(id, raw, format_value(shape, raw, self.lang), self.hold)

    def _id(self, table: str, row: Mapping[str, Any], column: str) -> str:
        keys = [str(row[k]).replace("/", "%2F") for k in self.keys.get(table, ()) if k in row]
        return "/".join([table, *keys, column])

    def _records(self, table: str) -> list[dict[str, Any]]:
        if table not in self.cache:
            frame = self.tables[table]
            self.cache[table] = records(frame)
        return self.cache[table]

    def _there(self, table: str) -> Any:
        if table not in self.tables:
            raise NoSuchCell(f"没有名为 {table} 的表", f"there is no table {table}")
        return self.tables[table]


def _known(value: Any) -> Any:
    """Return a plain value, None where it is not known."""
    return value if isinstance(value, list | tuple | dict) else plain(value)


@dataclass(frozen=True, eq=False)
class Context:
    """The tables of a run, read only.

    Attributes
    ----------
    tables
        By name, as `lyeval.report.load` gives them.
    lang
        zh or en.
    """

    tables: Mapping[str, Any]
    lang: Lang

    @property
    def meta(self) -> Mapping[str, Any]:
        """What is judged: place, plan, year, readings."""
        return self.tables["meta"]

    @property
    def year(self) -> int:
        """The year judged."""
        return int(self.meta["year"])

    @property
    def research(self) -> bool:
        """Whether the report is the research edition: errors, seeds and records stand in its body too."""
        return self.value("run").get("edition") == "research"

    @property
    def document(self) -> str:
        """The number of the plan's document."""
        return str(self.meta["document"])

    @property
    def place(self) -> str:
        """The county or counties judged: the plan's own place at city level, or where the ledger names many."""
        counties = list(self.meta["counties"])
        own = str(self.meta["place_en" if self.lang == "en" else "place"])
        whole = (
            self.meta["level"] == "city" or self.meta["place_level"] == "county" or not counties or len(counties) > 3
        )
        if whole:
            return own
        names = joined(counties, self.lang)
        return names if self.lang == "zh" else f"{names} ({own})"

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table, empty where the run has none."""
        table = self.tables.get(name)
        return table if isinstance(table, pd.DataFrame) else pd.DataFrame()

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return a table's rows as dictionaries."""
        return records(self.frame(name))

    def value(self, name: str) -> dict[str, Any]:
        """Return a table that is a dict of values, empty where the run has none."""
        table = self.tables.get(name)
        return dict(table) if isinstance(table, Mapping) and not isinstance(table, pd.DataFrame) else {}

    def by(self, name: str) -> dict[str, dict[str, Any]]:
        """Return a table's rows by the first column that names them: id, credit_code."""
        if name not in self._indexed:
            key = "credit_code" if "credit_code" in self.frame(name) else "id"
            self._indexed[name] = {str(r[key]): r for r in self.rows(name)}
        return self._indexed[name]

    @cached_property
    def _indexed(self) -> dict[str, dict[str, dict[str, Any]]]:
        return {}

    @cached_property
    def goals(self) -> dict[str, dict[str, Any]]:
        """The targets by id: those of the year, and those that only the years to come have."""
        return {str(r["id"]): r for name in ("simulation", "forecast", "targets") for r in self.rows(name)}

    def class_(self, value: Any) -> str:
        """Return a class in the plan's words."""
        return class_text(value, self.meta, self.lang)

    def source(self, *departments: str) -> str:
        """Return the line under a table: ledger, departments, cut-off, how final."""
        offices = joined([coded("department", d, self.lang) for d in departments], self.lang)
        final = self.meta["final"]
        state = word(final, self.lang) if known(final) else coded("cell", "final_unsaid", self.lang)
        return phrase("source", self.lang, departments=offices, day=day(self.meta["cutoff"], self.lang), state=state)

    def place_of(self, side: str) -> str:
        """Return the place of a side of a comparison."""
        return self._places[side]

    @cached_property
    def _places(self) -> dict[str, str]:
        return {str(r["side"]): named(r, self.lang, "place") for r in self.rows("side_about")}

    def side(self, side: str) -> str:
        """Return the place of a side without the larger place that it is in."""
        return self.place_of(side).split(" (")[0]


def plan_targets(c: Context) -> list[dict[str, Any]]:
    """Return the plans' targets, the ledger's cases by that name."""
    own = coded("cell", "as_arranged", c.lang)
    return [{**r, "kind": kind_by_unit(r), "scenario": r["scenario"] or own} for r in c.rows("plans")]


def plans_differ(c: Context) -> list[dict[str, Any]]:
    """Return the firms that plans do not treat alike, with each plan's method."""
    own, by = coded("cell", "as_arranged", c.lang), {}
    names = list(dict.fromkeys(r["scenario"] or "" for r in c.rows("plans")))
    for r in c.rows("plans_cases"):
        by.setdefault(r["credit_code"], {**r, "by": {}})["by"][r["scenario"] or ""] = named(r, c.lang)
    told = [(r, [r["by"].get(name, "—") for name in names]) for r in by.values()]
    joint, colon = ("；", "：") if c.lang == "zh" else ("; ", ": ")
    pairs = [
        (r, joint.join(f"{name or own}{colon}{one}" for name, one in zip(names, some, strict=True)))
        for r, some in told
        if len(set(some)) > 1
    ]
    return [{**r, "methods": text} for r, text in pairs]
