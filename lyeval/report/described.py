"""How the tables of a comparison are laid out and its cells written: by their description, in the reader's language and units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

from lyeval.policy.documents import articles
from lyeval.render import Cell, Column, Table
from lyeval.render.blocks import Kind, Lang
from lyeval.report.context import Context
from lyeval.report.tracing import TRACED, row_id
from lyeval.report.words import class_text, day, known, named, number, percent
from lyeval.tables.comparative import described
from lyeval.textfiles import read_yaml

FIGURES = {
    "count": ("count", None),
    "year": ("text", None),
    "percent": ("percent", 1),
    "percent0": ("percent", 0),
    "number0": ("number", 0),
    "number1": ("number", 1),
    "number3": ("number", 3),
    "area": ("number", 0),
    "line": ("number", None),
    "line2": ("number", 2),
    "money": ("number", 1),
    "points": ("number", 1),
    "signed": ("number", 1),
}
ENGLISH = {"line": 1e4, "line2": 1e4, "money": 1e-2}  # RMB per mu, RMB million
UNITS = {"万元/亩": "RMB/mu", "万元": "RMB million", "亩": "mu", "家": ""}
ENDS = {
    **dict.fromkeys(("value_a", "value_b", "uncovered_a", "uncovered_b"), "percent"),
    **dict.fromkeys(("gap", "estimate", "low", "high"), "points"),
    **dict.fromkeys(("n_a", "n_b"), "count"),
}


def raw_of(value: Any) -> Any:
    """Return what a template hands over as a plain value."""
    return getattr(value, "raw", value)


def place_of(c: Context, side: str) -> str:
    """Return the place of a side."""
    row = next(r for r in c.rows("side_about") if r["side"] == side)
    return named(row, c.lang, "place")


def brief(c: Context, side: str) -> str:
    """Return a place's name without the larger place that it is in."""
    return place_of(c, side).split(" (")[0]


def printed_as(c: Context) -> Callable[..., Any]:
    """Return how each cell is printed in a sentence: by its format, with its unit."""

    def schema(table: str, column: str, _: Mapping[str, Any]) -> tuple[Column, Callable[[Any], str] | None]:
        told = described(table).get(column)
        kind = told.format if told is not None else ENDS.get(column, "")
        if kind in FIGURES or kind in ("clause", "date", "class"):
            return Column(column, ""), lambda raw: spoken(c, kind, raw)
        return Column(column, "", kind="count" if column in ("count", "n") else "text"), None

    return schema


def spoken(c: Context, kind: str, raw: Any) -> str:
    """Write a cell within a sentence."""
    if not known(raw):
        return "—"
    english = c.lang == "en"
    if kind in ("class", "date", "clause"):
        return str(_worded(c, kind, raw))
    if kind == "area":
        return f"{number(raw, 0)} mu ({number(raw / 15, 0)} ha)" if english else f"{number(raw, 0)}亩"
    if kind == "money":
        return f"RMB {number(raw / 100, 1)} million" if english else f"{number(raw, 1)}万元"
    if kind in ("line", "line2"):
        return f"RMB {raw * 1e4:,.0f} per mu" if english else f"{raw:g}万元/亩"
    if kind == "points":
        return signed(100 * raw)
    if kind == "signed":
        return signed(raw)
    if kind == "year":
        return str(int(raw))
    if kind.startswith("percent"):
        return percent(raw, FIGURES[kind][1] or 0)
    return number(raw, FIGURES[kind][1] or 0)


def signed(value: float) -> str:
    """Write a difference with its sign."""
    text = number(abs(value), 1)
    return text if text == number(0, 1) else f"{'+' if value > 0 else '−'}{text}"


def laid(
    c: Context, table: str, columns: Iterable[str], rows: Iterable[Mapping[str, Any]], title: str, **more: Any
) -> Table:
    """Lay out rows of a described table; each figure keeps the id of its cell.

    Parameters
    ----------
    more
        id (else the table's name), and note, cite, sortable of `Table`.
    """
    known_columns, rows = described(table), list(rows)
    shapes = [_column(c.lang, known_columns[name]) for name in columns]
    body = tuple(tuple(_cell(c, known_columns[x.key], row) for x in shapes) for row in rows)
    fields = tuple(
        x.key if known_columns[x.key].format in FIGURES and not known_columns[x.key].key else "" for x in shapes
    )
    traced = table in TRACED and all(set(TRACED[table]) <= set(row) for row in rows)
    refs = tuple(row_id(table, row) for row in rows) if traced else ()
    return Table(more.pop("id", table), title, tuple(shapes), body, refs=refs, fields=fields if traced else (), **more)


def _column(lang: Lang, told: Any) -> Column:
    kind, digits = FIGURES.get(told.format, ("text", None))
    unit = told.unit if lang == "zh" else str(UNITS.get(told.unit, told.unit))
    shown = "text" if told.format in ("line", "signed", "points", "year") else kind
    return Column(told.name, told.zh if lang == "zh" else told.en, unit, cast("Kind", shown), digits)


def _cell(c: Context, told: Any, row: Mapping[str, Any]) -> Any:
    kind: str = told.format
    value: Any = row.get(told.name)
    if isinstance(value, Cell):
        return value
    if kind not in FIGURES or isinstance(value, str):
        return _worded(c, kind, named(row, c.lang, told.name) if kind == "text" else value) or None
    if not known(value):
        return None
    if kind in ("points", "signed"):
        return signed(value * (100 if kind == "points" else 1))
    if kind == "year":
        return str(int(value))
    if kind == "line":
        return f"{value * 1e4:,.0f}" if c.lang == "en" else f"{value:g}"
    return value * ENGLISH[kind] if c.lang == "en" and kind in ENGLISH else value


def _worded(c: Context, kind: str, value: Any) -> Any:
    """Put a value that is no figure into words."""
    if kind == "class":
        return class_text(value, c.meta, c.lang)
    if kind == "date":
        return day(value, c.lang) if known(value) else ""
    if kind == "flag":
        return fixed_words()["tri"][c.lang][2 if not known(value) else 0 if str(value) == "True" else 1]
    if kind == "clause" and c.lang == "en":
        return articles(str(value or ""))
    return value


def rows_of(c: Context, table: str, **asked: Any) -> list[dict[str, Any]]:
    """Return a table's rows that hold these values, with places and words in the reader's language."""
    out = []
    for row in c.rows(table):
        if all(row.get(k) == v for k, v in asked.items()):
            fixed = fixed_words()["words"]
            words = {k: fixed[k].get(str(row[k]), (row[k], row[k]))[c.lang == "en"] for k in fixed if k in row}
            sides = {f"{k}_of": brief(c, str(row[k])) for k in ("side", "rules") if row.get(k) in ("a", "b")}
            out.append({**row, "words": {**words, **sides}})
    return out


def side_table(
    c: Context, table: str, columns: tuple[str, ...], title: str, rows: list[dict[str, Any]] | None = None, **more: Any
) -> Table:
    """Lay out a table of either side: what a reader sees of a side is its place."""
    rows = rows_of(c, table) if rows is None else rows
    made = laid(c, table, columns, rows, title, **more)
    names = [column.key for column in made.columns]
    body = []
    for row, cells in zip(rows, made.rows, strict=True):
        said = {**row["words"], "side": row["words"].get("side_of"), "rules": row["words"].get("rules_of")}
        body.append(
            tuple(
                said[k] if said.get(k) is not None and made.columns[i].kind == "text" else cells[i]
                for i, k in enumerate(names)
            )
        )
    return replace(made, columns=tuple(_titled(c, column) for column in made.columns), rows=tuple(body))


def _titled(c: Context, column: Column) -> Column:
    """Name the places in headings that say first and second."""
    title = column.title
    for key, zh, en in (("a", "甲地", "First"), ("b", "乙地", "Second")):
        if c.lang == "zh" and zh in title:
            title = title.replace(zh, brief(c, key))
        elif c.lang == "en" and title.startswith(en):
            title = title.replace(en, brief(c, key), 1)
    return replace(column, title=title)


@cache
def fixed_words() -> dict[str, Any]:
    """Return captions, notes and fixed words, as ``comparison.yaml`` beside this module has them."""
    return read_yaml(Path(__file__).with_name("comparison.yaml"))[0]


def said(name: str, lang: Lang) -> str:
    """Return a caption, note or word of ``comparison.yaml``."""
    return fixed_words()["said"][name][lang == "en"]


def say_of(c: Context, name: str, **values: Any) -> str:
    """Fill a caption, note or word in the reader's language."""
    return said(name, c.lang).format(**values)


def toned(c: Context, kind: str, name: str) -> Cell:
    """Return a fixed word with its tone."""
    zh, en, tone = fixed_words()[kind][name]
    return Cell(en if c.lang == "en" else zh, tone=tone)


def range_of(low: Any, high: Any) -> Cell:
    """Write the two bounds of a share as one text, a single share where they are one."""
    ends = list(dict.fromkeys(percent(v) for v in (low, high) if known(v)))
    return Cell("–".join(ends) or "—")


def headed(c: Context, table: Table, **heads: str) -> Table:
    """Give some columns other headings."""
    columns = tuple(replace(x, title=say_of(c, heads[x.key])) if x.key in heads else x for x in table.columns)
    return replace(table, columns=columns)
