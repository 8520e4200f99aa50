"""One figure's origin: its id, value, formula in words, clause, reading in force, the ledger's rows behind it, and where it is printed (追溯).

An id is table, keys and column, joined by ``/``: ``targets/above_scale_clear/2023/value``, ``enterprises/<code>/tax_per_mu``,
``townships/菜园镇/listed``. A slash within a key is written ``%2F``. What a reader types is looked up in the page's cells, not guessed by digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import records
from lyeval.render import Bullets, Document, Heading, KeyFigures, Note, Paragraph, Table, Text, format_value
from lyeval.render.blocks import Cell, Lang
from lyeval.report.words import coded, known, named, number, phrase
from lyeval.resources import read_rows
from lyeval.tables.comparative import behind
from lyeval.tables.registry import schema
from lyeval.tables.research import derived

Row = Mapping[str, Any]


TABLES = {row["table"]: row for row in read_rows(__file__, "keys.csv")}
"""What names a row of a table, and how its figures come about, by table."""
TRACED = {name: tuple(row["keys"].split()) for name, row in TABLES.items()} | {
    name: keys
    for name, columns in schema().items()
    if name not in TABLES and (keys := tuple(c.name for c in columns.values() if c.key))
}


@dataclass(frozen=True, eq=False)
class Trace:
    """A figure and where it comes from.

    Attributes
    ----------
    id, label, value
        What it is; ``value`` None where it is not known.
    formula, clause
        How it is made, in words; the clause that asks for it, "" where none does.
    readings
        Doubtful clauses that it hangs on: question, why the option in force was taken, clause.
    members
        Who is counted: target, credit_code, part, whole, counted (as `lyeval.tables.origins.members`), name.
    rows
        The ledger's rows: credit_code, name, table, year, file, sheet, row.
    """

    id: str
    label: str
    value: Any
    formula: str
    clause: str
    readings: tuple[tuple[str, str, str], ...]
    members: pd.DataFrame
    rows: pd.DataFrame


def ids(tables: Mapping[str, Any]) -> list[str]:
    """Return the id of every figure of a run's tables."""
    out: list[str] = []
    for name in [name for name in TRACED if _is_traced(tables, name)]:
        columns = columns_of(tables[name], name)
        for row in zip(*(tables[name][key].tolist() for key in TRACED[name]), strict=True):
            head = "/".join([name, *map(_key, row)])
            out += [f"{head}/{column}" for column in columns]
    return out


def row_id(name: str, row: Row) -> str:
    """Return the id of a table's row."""
    return "/".join([name, *(_key(row[key]) for key in TRACED[name])])


def columns_of(frame: pd.DataFrame, name: str) -> list[str]:
    """Return which columns of a table hold figures: numbers, yes and no, verdicts."""
    return [str(c) for c in frame.columns if c not in TRACED[name] and (c in SAID or _figures(frame[c]))]


def trace(tables: Mapping[str, Any], id: str, *, lang: Lang = "zh") -> Trace:
    """Return one figure's origin.

    Raises
    ------
    KeyError
        No figure has this id.
    """
    if not {name for name in DERIVED if name in tables} and id.partition("/")[0].partition("[")[0] in DERIVED:
        tables = {**tables, **derived(tables)}
    if (chosen := SELECTION.fullmatch(id)) is not None:
        return _selected(tables, id, chosen, lang)
    name, _, key = id.partition("/")
    if isinstance(tables.get(name), Mapping) and key in tables[name]:
        return _plain(tables, name, key, lang)
    name, row, column = _found(tables, id)
    codes, members = _behind(tables, name, row)
    rows = tables.get("ledger_rows", pd.DataFrame(columns=["credit_code"]))
    names = _names(tables)
    mine = rows[rows["credit_code"].isin(codes)].copy()
    for frame in (mine, members):
        frame.insert(1, "name", frame["credit_code"].map(names))
    value = row[column] if known(row[column]) else None
    return Trace(
        id,
        _label(name, row, column, lang),
        value,
        _formula(name, row, column, lang),
        _clause(tables, name, row),
        _readings(tables, name, row, lang),
        members.reset_index(drop=True),
        mine.reset_index(drop=True),
    )


def _plain(tables: Mapping[str, Any], name: str, key: str, lang: Lang) -> Trace:
    """Return the origin of a single value that a run keeps by name; of a list, how many it holds."""
    held = tables[name][key]
    nobody = pd.DataFrame(columns=["credit_code"])
    value = len(held) if isinstance(held, list) else held
    return Trace(f"{name}/{key}", f"{name} · {key}", value, phrase("made_of", lang, table=name), "", (), nobody, nobody)


def _selected(tables: Mapping[str, Any], id: str, chosen: re.Match[str], lang: Lang) -> Trace:
    """Return the origin of a figure counted or summed over chosen rows of a table."""
    name, asked, cut, column = chosen.group("table", "asked", "cut", "column")
    frame = tables.get(name)
    if not isinstance(frame, pd.DataFrame):
        raise KeyError(id)
    for part in (asked or "").split(",") if asked else ():
        key, _, value = part.partition("=")
        if key not in frame:
            raise KeyError(id)
        frame = frame[[str(v) == value for v in frame[key]]]
    if cut:
        first, _, last = cut.partition(":")
        frame = frame.iloc[int(first or 0) : int(last) if last else None]
    value = len(frame) if column is None else float(frame[column].sum())
    codes = list(dict.fromkeys(frame["credit_code"])) if "credit_code" in frame else []
    clause = str(frame["clause"].iloc[0]) if len(frame) and "clause" in frame else ""
    rows = tables.get("ledger_rows", pd.DataFrame(columns=["credit_code"]))
    mine = rows[rows["credit_code"].isin(codes)].copy()
    names = _names(tables)
    mine.insert(1, "name", mine["credit_code"].map(names))
    label = name + (f" · {asked}" if asked else "")
    formula = phrase("chosen", lang, table=name, column=column or "")
    return Trace(id, label, value, formula, clause, (), frame.iloc[:0], mine)


def _names(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the enterprises' names by credit code; of a comparison, those of both places."""
    firms = tables["side_firms" if "side_firms" in tables else "enterprises"]
    return dict(zip(reversed(firms["credit_code"].tolist()), reversed(firms["name"].tolist()), strict=True))


def _found(tables: Mapping[str, Any], id: str) -> tuple[str, Row, str]:
    name, *keys = id.split("/")
    if not _is_traced(tables, name) or len(keys) != len(TRACED[name]) + 1:
        raise KeyError(id)
    *keys, column = keys
    frame = tables[name]
    mine = frame
    for key, wanted in zip(TRACED[name], keys, strict=True):
        mine = mine[[_key(value) == wanted for value in mine[key].tolist()]]
    for row in records(mine):
        figures = column in frame and (column in SAID or _figures(frame[column]))
        if figures or column in TRACED[name] or isinstance(row.get(column), list):
            return name, row, column
    raise KeyError(id)


def _is_traced(tables: Mapping[str, Any], name: str) -> bool:
    table = tables.get(name) if name in TRACED else None
    return isinstance(table, pd.DataFrame) and all(key in table for key in TRACED[name])


def _key(value: Any) -> str:
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return text.replace("/", "%2F")


def _figures(values: pd.Series) -> bool:
    """Tell whether a column holds numbers or yes and no, whatever is missing."""
    there = [v for v in values.tolist() if known(v)]
    return bool(there) and all(isinstance(v, int | float) for v in there)


def _behind(tables: Mapping[str, Any], name: str, row: Row) -> tuple[list[str], pd.DataFrame]:
    """Return whose rows a figure rests on, and who is counted with what."""
    members = tables.get("members", pd.DataFrame(columns=["target", "credit_code", "part", "whole", "counted"]))
    if "side_firms" in tables:
        return behind(tables["side_firms"], row)
    if name in ("targets", "county_targets"):
        own = members[members["target"] == row["id" if name == "targets" else "target"]]
        if name == "county_targets":
            firms = tables["enterprises"]
            own = own[own["credit_code"].isin(firms.loc[firms["county"] == row["county"], "credit_code"])]
        return own["credit_code"].tolist(), own.copy()
    firms = tables["enterprises"]
    return firms.loc[_among(firms, name, row), "credit_code"].tolist(), members.iloc[:0].copy()


def _among(firms: pd.DataFrame, name: str, row: Row) -> pd.Series:
    """Tell which enterprises a row of a table is about; none where it is about sums and odds."""
    if name == "enterprises":
        return firms["credit_code"] == row["credit_code"]
    if name in ("townships", "industries", "counties"):
        column = TRACED[name][0]
        return (firms[column] == row[column]) & firms["in_scope"].eq(True)
    if name == "criteria":
        return firms[f"criterion_{row['id']}"].eq(True)
    if name == "stages":
        return firms["listed"] & (firms["stage"] == row["stage"])
    if name == "exclusions":
        return firms["excluded_by"] == row["id"]
    return pd.Series(False, index=firms.index)


def _label(name: str, row: Row, column: str, lang: Lang) -> str:
    """Name a figure: its row, then its column."""
    head = named(row, lang) if "label" in row else "/".join(_key(row[k]) for k in TRACED[name])
    return f"{head} · {coded('field', column, lang)}"


def _formula(name: str, row: Row, column: str, lang: Lang) -> str:
    """Say how a figure is made."""
    if name == "targets" and column in ("value", "part", "whole", "n"):
        by_count = row["weight"] == "count" and row["kind"] == "share"
        part, whole = (number(row[k], 0 if by_count else 2) for k in ("part", "whole"))
        return phrase("made_by", lang, kind=row["kind"], weight=row["weight"], part=part, whole=whole)
    column_ = schema().get(name, {}).get(column)
    for told in (column_.source if column_ else "", TABLES[name]["source"] if name in TABLES else ""):
        if " / " in told:
            return told.split(" / ")[lang == "en"]
    return phrase("made_of", lang, table=name)


def _clause(tables: Mapping[str, Any], name: str, row: Row) -> str:
    if name == "county_targets":
        targets = tables["targets"]
        return str(targets.loc[targets["id"] == row["target"], "clause"].iloc[0])
    if name == "enterprises":
        asked = tables["criteria"]
        return "；".join(asked.loc[asked["id"].isin(row["criteria"] or []), "clause"].astype(str))
    return str(row["clause"]) if known(row.get("clause")) else ""


def _readings(tables: Mapping[str, Any], name: str, row: Row, lang: Lang) -> tuple[tuple[str, str, str], ...]:
    """Return the doubtful clauses in force that move a target's value, or that share a clause with the figure."""
    target = {"targets": row.get("id"), "forecast": row.get("id"), "county_targets": row.get("target")}.get(name)
    single = tables.get("readings_switches")
    cites = set(_clause(tables, name, row).split("；")) - {""}
    moving: set[str] = set()
    if isinstance(single, pd.DataFrame) and target is not None:
        mine = single[single["target"] == target]
        moving = {str(s) for s, part in mine.groupby("switch") if len(set(part["value"].map(str))) > 1}
    asked = tables.get("switches")
    if asked is None or not len(asked):
        return ()
    bears = [
        id in moving or bool(cites & set(str(clause).split("；")))
        for id, clause in zip(asked["id"].tolist(), asked["clause"].tolist(), strict=True)
    ]
    return tuple(
        (named(r, lang, "question"), named(r, lang, "why"), str(r["clause"]))
        for r in records(asked[np.array(bears, dtype=bool)])
    )


SELECTION = re.compile(
    r"(?P<table>\w+)(?:\[(?P<asked>[^\]:]*=[^\]]*)\])?(?:\[(?P<cut>\d*:\d*)\])?/(?:count|sum:(?P<column>\w+))"
)
SAID = ("status",)
DERIVED = ("below_line", "beside_usual", "odds_bearing", "record", "record_sum")


AFTER = 8  # characters behind a figure within which its unit stands
PLAIN = str.maketrans({" ": "", ",": "", "，": "", "％": "%", "−": "-", "\u00a0": ""})


@dataclass(frozen=True)
class Printed:
    """A figure on a page.

    Attributes
    ----------
    id
        The id of its cell.
    text, after
        How it is written, and the characters that follow it, its unit among them.
    where
        The sentence that it stands in, or the table's caption.
    """

    id: str
    text: str
    after: str
    where: str


def printed(document: Document) -> list[Printed]:
    """Return every figure of a document that knows its cell, in order."""
    found: list[Printed] = []
    for block in document.blocks:
        if isinstance(block, Table):
            found += _of_table(block, document)
            continue
        for text in _texts(block):
            found += [
                Printed(mark.id, text[mark.start : mark.end], text[mark.end : mark.end + AFTER], str(text))
                for mark in getattr(text, "marks", ())
            ]
    return found


def _texts(block: object) -> Iterator[str]:
    if isinstance(block, Paragraph | Note | Heading):
        yield block.text
    elif isinstance(block, Bullets):
        yield from block.items
    elif isinstance(block, KeyFigures):
        for item in block.items:
            yield from (part for part in (item.value, item.note) if isinstance(part, Text))


def _of_table(table: Table, document: Document) -> Iterator[Printed]:
    for ref, row in zip(table.refs, table.rows, strict=False):
        for column, field, value in zip(table.columns, table.fields, row, strict=True):
            if ref and field:
                bare = value.value if isinstance(value, Cell) else value
                text = str(bare) if isinstance(bare, str) else format_value(column, value, document.lang)
                yield Printed(f"{ref}/{field}", text, column.unit, table.title)


def find(document: Document, typed: str) -> list[Printed]:
    """Return the figures that a reader may mean: written so, with or without separators, sign and unit."""
    asked = typed.translate(PLAIN).removeprefix("+")
    if not asked:
        return []
    out: dict[str, Printed] = {}
    for one in printed(document):
        bare = one.text.translate(PLAIN).removeprefix("+")
        after = one.after.translate(PLAIN)
        if bare == asked or (asked.startswith(bare) and bare and after.startswith(asked[len(bare) :])):
            out.setdefault(one.id, one)
    return list(out.values())
