"""From rows of fields to tables: headings in both languages are data (``headings.csv``), and so is how each field is written."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from lyeval.render import Column, Table
from lyeval.render.blocks import Kind, Lang
from lyeval.report.context import Context
from lyeval.report.tracing import ALIASES, TRACED, columns_of, row_id
from lyeval.report.words import fact_name, joined, known, named, unit_name, word


class Heading(NamedTuple):
    """One column: field, heading in both languages, unit, and kind.

    Kinds: text, number (``number:4``: four decimals), percent, count and date show a value as it is; label (the field in the reader's language),
    class, word (a fixed word), list and facts (joined), tri (是, 否, 待判定) are put into words.
    """

    key: str
    zh: str
    en: str
    unit: str
    kind: str


@cache
def headings(table: str) -> tuple[Heading, ...]:
    """Return the columns of a table as ``headings.csv`` beside this module gives them."""
    with Path(__file__).with_name("headings.csv").open(encoding="utf-8", newline="") as file:
        return tuple(Heading(*row[1:]) for row in list(csv.reader(file))[1:] if row[0] == table)


def tabulate(c: Context, name: str, rows: Iterable[Mapping[str, Any]], title: str, **more: Any) -> Table:
    """Lay out rows under the headings of table ``name``.

    Parameters
    ----------
    more
        id (else ``name``), columns (in place of the headings), and source, note, cite, sortable of `Table`.
    """
    heads = more.pop("columns", None) or headings(name)
    rows, id = list(rows), more.pop("id", name)
    body = tuple(tuple(_cell(c, row, head) for head in heads) for row in rows)
    columns = tuple(_column(head, c.lang) for head in heads)
    return Table(id, title, columns, body, **_origins(c, id, name, rows, [head.key for head in heads]), **more)


def _origins(c: Context, id: str, name: str, rows: list[Mapping[str, Any]], keys: list[str]) -> dict[str, Any]:
    """Return the ids of a table's rows and of its columns, where its figures can be traced."""
    source = SOURCES.get(name, id)
    if source not in TRACED or any(key not in row for row in rows for key in TRACED[source]):
        return {}
    there = columns_of(c.frame(source), source)
    fields = tuple(ALIASES.get((source, key), key) for key in keys)
    refs = tuple(row_id(source, row) for row in rows)
    return {"refs": refs, "fields": tuple(f if f in there else "" for f in fields)}


def _column(head: Heading, lang: Lang) -> Column:
    name, _, digits = head.kind.partition(":")
    kind = cast("Kind", name if name in ("number", "percent", "count", "date") else "text")
    title, unit = (head.zh, head.unit) if lang == "zh" else (head.en, unit_name(head.unit, lang).strip())
    return Column(head.key, title, unit, kind, int(digits) if digits else None)


def _cell(c: Context, row: Mapping[str, Any], head: Heading) -> Any:
    value = row.get(head.key)
    if head.kind == "label":
        return named(row, c.lang, head.key) or None
    if head.kind == "class":
        return c.class_(value)
    if head.kind == "word":
        return word(value, c.lang) or None
    if head.kind == "tri":
        return TRI[c.lang][2 if not known(value) else 0 if str(value) == "True" else 1]
    if head.kind == "list":
        return joined([str(v) for v in value or []], c.lang) or None
    if head.kind == "facts":
        return joined([fact_name(str(v), c.lang) for v in value or []], c.lang) or None
    if head.kind == "text" and isinstance(value, int | float) and known(value):
        return f"{value:g}"
    return value


SOURCES = {
    "firms": "enterprises",
    "trend": "totals",
    **{f"bulletin_{name}": name for name in ("units", "months", "moves", "warnings")},
}
TRI = {"zh": ("是", "否", "待判定"), "en": ("yes", "no", "open")}
