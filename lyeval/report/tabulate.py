"""From rows of fields to tables: headings in both languages are data, and so is how each field is written.

The columns of a sheet stand in ``headings.csv`` beside this module; what is not there is laid out as ``registry.csv`` of the tables
describes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from lyeval.assessment.needs import office_of
from lyeval.ledger.columns import SHEETS, of_sheet
from lyeval.render import Cell, Column, Table, digits_beside
from lyeval.render.blocks import Kind, Lang
from lyeval.report.cells import Context
from lyeval.report.tracing import TRACED, columns_of, row_id
from lyeval.report.words import (
    OF_TARGET,
    amount,
    band,
    clauses,
    coded,
    day,
    fact_name,
    few,
    joined,
    kind_of,
    known,
    listed,
    named,
    number,
    percent,
    phrase,
    points,
    shown,
    statistic,
    status_cell,
    toned,
    unit_name,
    word,
)
from lyeval.resources import read_rows
from lyeval.tables.registry import schema, values
from lyeval.tables.verdict import industry_name

Row = Mapping[str, Any]
PLAIN = ("text", "number", "percent", "count", "date")


class Heading(NamedTuple):
    """One column: field, heading in both languages, unit, and kind.

    Kinds: text, number (``number:4``: four decimals), percent, count and date show a value as it is; the others are those of `WRITERS`,
    which put a field into words, some by what follows the colon.
    """

    key: str
    zh: str
    en: str
    unit: str
    kind: str


class Laid(NamedTuple):
    """Rows to lay out; headings in place of the usual, words for title and note, what makes the sheet one of several, and
    the run's table where the sheet's own row names none.

    A row may carry ``cells``: what stands in some of its columns in place of the field.
    """

    rows: list[dict[str, Any]]
    heads: tuple[Heading, ...] = ()
    words: Mapping[str, Any] = {}
    of: str = ""
    table: str = ""


@cache
def headings(name: str, table: str = "", columns: str = "") -> tuple[Heading, ...]:
    """Return the columns of a sheet.

    Parameters
    ----------
    name
        The sheet's name in ``headings.csv``.
    table, columns
        The run's table, and which columns in which order (separated by blanks); "" for those of ``headings.csv``.
    """
    own = {
        told["key"]: Heading(*[*told.values()][1:])
        for told in read_rows(__file__, "headings.csv")
        if told["table"] == name
    }
    if not columns:
        return tuple(own.values())
    described = {k: Heading(k, told.zh, told.en, told.unit, told.format) for k, told in schema()[table].items()}
    return tuple((described | own)[key] for key in columns.split())


def tabulate(c: Context, name: str, rows: Iterable[Row], title: str, **more: Any) -> Table:
    """Lay out rows under the headings of table ``name``.

    Parameters
    ----------
    more
        id (else ``name``), columns (in place of the headings), traced (the run's table whose rows these are, else the id), and source, note,
        cite, sortable of `Table`.
    """
    heads = more.pop("columns", None) or headings(name)
    rows, id = list(rows), more.pop("id", name)
    body = tuple(tuple(_cell(c, row, head) for head in heads) for row in rows)
    columns = tuple(_column(head, c.lang) for head in heads)
    traced = more.pop("traced", id)
    return Table(id, title, columns, body, **_origins(c, traced, rows, [head.key for head in heads]), **more)


def _origins(c: Context, traced: str, rows: list[Row], keys: list[str]) -> dict[str, Any]:
    """Return the ids of a table's rows and of its columns, where its figures can be traced."""
    if traced not in TRACED or any(key not in row for row in rows for key in TRACED[traced]):
        return {}
    there = columns_of(c.frame(traced), traced)
    refs = tuple(row_id(traced, row) for row in rows)
    return {"refs": refs, "fields": tuple(key if key in there else "" for key in keys)}


def _column(head: Heading, lang: Lang) -> Column:
    name, _, digits = head.kind.partition(":")
    shape, places, english = SHAPES.get(name, (name if name in PLAIN else "text", None, None))
    title, unit = (head.zh, head.unit) if lang == "zh" else (head.en, unit_name(head.unit, lang).strip())
    unit = unit if english is None or lang == "zh" else english
    return Column(head.key, title, unit, cast("Kind", shape), int(digits) if digits.isdigit() else places)


def _cell(c: Context, row: Row, head: Heading) -> Any:
    ready = row.get("cells") or {}
    if head.key in ready:
        return ready[head.key]
    name, _, more = head.kind.partition(":")
    value = row.get(head.key)
    if name in WRITERS:
        return WRITERS[name](c, value, row, more or head.key)
    if name == "text" and isinstance(value, int | float) and known(value):
        return f"{value:g}"
    return value


def between(lang: Lang) -> str:
    """Return what stands between the items of a list of clauses."""
    return "；" if lang == "zh" else "; "


def said(c: Context, value: Any, of: str) -> str | None:
    """Put one coded value, or each of a list, into words."""
    held = value if isinstance(value, list) else [value] if known(value) else []
    return between(c.lang).join(coded(of, one, c.lang) for one in held) or None


def _lines(c: Context, value: Any, row: Row, key: str) -> str | None:
    """Join a list of clauses, the English ones where the row has them."""
    chosen = row.get(f"{key}_en", value) if c.lang == "en" else value
    return between(c.lang).join(str(v).rstrip("?") for v in chosen or []) or None


def _list(c: Context, value: Any, row: Row, key: str) -> str | None:
    chosen = row.get(f"{key}_en", value) if c.lang == "en" else value
    return joined([str(v) for v in chosen or []], c.lang) or None


def _facts(c: Context, value: Any, row: Row, key: str) -> str | None:
    names = value.split("、") if isinstance(value, str) else value or []
    return joined([fact_name(str(v), c.lang) for v in names if v], c.lang) or None


def _look(c: Context, value: Any, row: Row, how: str) -> Any:
    """Return a field of the row of another table whose first key stands in this one: ``table.key.field``."""
    table, key, field = how.split(".")
    there = c.by(table).get(str(row[key]))
    if there is None:
        return None
    return clauses(there[field], c.lang) if field == "clause" else named(there, c.lang, field)


def _target(c: Context, value: Any, row: Row, key: str) -> str:
    """Name a row's target."""
    id = str(row["target"] if "target" in row else row["id"])
    return named(c.goals[id], c.lang) if id in c.goals else id


def _reading(c: Context, value: Any, row: Row, key: str) -> Any:
    """Write what becomes of a target under a reading: its value (none where fewer than ten are counted), status, or a field of its own."""
    target = c.by("targets")[str(row.get("target", row.get("id")))]
    if key == "status":
        return toned("status", value, c.lang)
    if key == "clause":
        return clauses(target["clause"], c.lang)
    if not known(value) or few(target):
        return "—"
    if key == "width":
        return _width(value, target, c.lang)
    return amount(shown(value, target["goal"], kind_of(target)), target["unit"], c.lang)


def _width(value: float, target: Row, lang: Lang) -> str:
    """Write the width of a target's range: points for a share."""
    if target["kind"] == "share":
        return number(value * 100, 2) + {"zh": "个百分点", "en": " points"}[lang]
    return amount(number(value, 2 if target["kind"] == "mean" else 0), target["unit"], lang)


def _band(c: Context, value: Any, row: Row, key: str) -> str:
    return band(row["probability"], row["certain"], c.lang) if known(row["probability"]) else "—"


def _tri(c: Context, value: Any, row: Row, key: str) -> str:
    open_ = key if key in values()["tri"] else "open"
    return coded("tri", bool(value) if known(value) else open_, c.lang)


def _overdue(c: Context, value: Any, row: Row, key: str) -> str | None:
    """Tell whether a term has passed; of a step without a term, that there is none."""
    if known(value):
        return coded("tri", bool(value), c.lang)
    return coded("reason", "no_term", c.lang) if "step" in row else None


def _disposal(c: Context, value: Any, row: Row, key: str) -> str | None:
    return listed([named(row, c.lang, "method"), word(row["progress"], c.lang)], c.lang) or None


def _beside(c: Context, value: Any, row: Row, key: str) -> Any:
    """Write a ratio with decimals enough to stand on its side of the line."""
    line = row.get("line")
    return Cell(value, digits=digits_beside(value, line, "number")) if known(value) and known(line) else value


def _option(c: Context, value: Any, row: Row, key: str) -> str:
    return named(row, c.lang) + (coded("cell", "default", c.lang) if row["default"] else "")


def _criteria(c: Context, value: Any, row: Row, key: str) -> str | None:
    """Name the criteria that hold."""
    labels = c.by("criteria")
    gap = between(c.lang)
    return gap.join(named(labels[k], c.lang) if k in labels else str(k) for k in value or []) or None


def _targets(c: Context, value: Any, row: Row, key: str) -> str:
    labels = c.by("targets")
    return joined([named(labels[t], c.lang) if t in labels else t for t in str(value).split("、")], c.lang)


def _unit(c: Context, value: Any, row: Row, key: str) -> str:
    """Name a township or county; the whole, or one that is not filled in, in words."""
    whole = coded("cell", key if key in values()["cell"] else "whole", c.lang)
    return whole if row.get("whole") is True else str(value or "") or coded("cell", "blank", c.lang)


def _office(c: Context, value: Any, row: Row, key: str) -> str:
    return office_of(str(row["fact"]))[c.lang == "en"]


def _needs(c: Context, value: Any, row: Row, key: str) -> str:
    """Name the sheets and columns that a reading asks for, as the ledger's form calls them."""
    out = []
    for need in str(value).replace("、", ",").split(","):
        sheet, _, column = need.strip().partition(".")
        columns = of_sheet(sheet) if sheet in SHEETS else {}
        if column in columns:
            out.append(columns[column].label(c.lang))
        else:
            name = SHEETS[sheet][0] if sheet in SHEETS and c.lang == "zh" else sheet
            out.append(phrase("form", c.lang, name=name) if sheet in SHEETS else need.strip())
    return joined(out, c.lang)


def _path(c: Context, value: Any, row: Row, key: str) -> str:
    """Name an assumption: the method in the plan's words where there is one, then the figure."""
    parts = [p for p in str(value).split(".") if p != "methods"]
    names = values()["figure"]
    return " · ".join(names[p].text(c.lang) if p in names else p.replace("_", " ") for p in parts)


def _numbers(c: Context, value: Any, row: Row, key: str) -> str:
    """Write an assumption's figures: ``mean 0.15, sd 0.3`` as 均值0.15，标准差0.3."""
    if c.lang == "en":
        return str(value)
    words = [part.partition(" ") for part in str(value).split(", ")]
    names = values()["figure"]
    return "，".join(names[a].zh + b if b and a in names else a + gap + b for a, gap, b in words)


def _changed(c: Context, value: Any, row: Row, key: str) -> str | None:
    """Write what a scenario changes (``path=value；…``) in words where there are words for it."""
    parts = []
    for part in str(value or "").split("；"):
        path, _, figure = part.partition("=")
        name = path.removesuffix(".value")
        there = name in values()["changed"]
        parts.append(coded("changed", name, c.lang, value=figure.replace("-", "−")) if there else part)
    return joined(parts, c.lang) or None


def _line(c: Context, value: Any, row: Row, key: str) -> str | None:
    """Write a line without idle zeros: 万元/亩, in English RMB per mu."""
    if not known(value):
        return None
    return f"{value * 1e4:,.0f}" if c.lang == "en" else f"{value:g}"


def _scaled(english: float) -> Callable[[Context, Any, Row, str], Any]:
    """Return how a sum of 万元 is written: in English in another unit."""

    def write(c: Context, value: Any, row: Row, key: str) -> Any:
        return None if not known(value) else value * english if c.lang == "en" else value

    return write


WRITERS: dict[str, Callable[[Context, Any, Row, str], Any]] = {
    "label": lambda c, value, row, key: named(row, c.lang, key) or None,
    "twin": lambda c, value, row, key: row[f"{key}_{c.lang}"],
    "class": lambda c, value, row, key: c.class_(value),
    "word": lambda c, value, row, key: word(value, c.lang) or None,
    "year": lambda c, value, row, key: str(int(value)) if known(value) else None,
    "industry": lambda c, value, row, key: industry_name(str(value), c.lang) if known(value) and value else None,
    "sheet": lambda c, value, row, key: SHEETS[value][0] if c.lang == "zh" else str(value),
    "said": lambda c, value, row, key: said(c, value, key),
    "id": lambda c, value, row, key: f"{row_id('targets', row)}/{key}",
    "filled": lambda c, value, row, key: percent(int(value * 1000) / 1000) if known(value) and row["there"] else None,
    "tri": _tri,
    "list": _list,
    "lines": _lines,
    "fact": lambda c, value, row, key: fact_name(f"{value}@{row['year']}" if key == "year" else str(value), c.lang),
    "facts": _facts,
    "look": _look,
    "target": _target,
    "of": lambda c, value, row, key: status_cell(row, c.lang) if key == "status" else OF_TARGET[key](row, c.lang),
    "statistic": lambda c, value, row, key: statistic(value, row, c.lang),
    "reading": _reading,
    "band": _band,
    "overdue": _overdue,
    "basis": lambda c, value, row, key: said(c, "same_year" if row.get("same_year") else value, "reason"),
    "disposal": _disposal,
    "beside": _beside,
    "unless": lambda c, value, row, key: None if str(row[key]) == "True" else value,
    "option": _option,
    "criteria": _criteria,
    "targets": _targets,
    "unit": _unit,
    "office": _office,
    "needs": _needs,
    "path": _path,
    "numbers": _numbers,
    "bounds": lambda c, value, row, key: f"{number(value, 3)} … {number(row['bound_high'], 3)}" if known(value) else "",
    "changed": _changed,
    "judged": lambda c, value, row, of: toned(of, value if known(value) else "none", c.lang),
    "side": lambda c, value, row, key: c.side(str(value)) if value in ("a", "b") else None,
    "clause": lambda c, value, row, key: clauses(value, c.lang) or None if known(value) else None,
    "day": lambda c, value, row, key: day(value, c.lang) if known(value) else None,
    "line": _line,
    "ratio": _scaled(1e4),
    "money": _scaled(1e-2),
    "points": lambda c, value, row, key: points(100 * value) if known(value) else None,
    "signed": lambda c, value, row, key: points(value) if known(value) else None,
}
SHAPES: dict[
    str, tuple[str, int | None, str | None]
] = {  # kind → shape, decimals, English unit where it is not the Chinese one's
    "beside": ("number", None, None),
    "unless": ("number", None, None),
    "area": ("number", 0, "mu"),
    "firms": ("count", None, ""),
    "line": ("text", None, "RMB/mu"),
    "ratio": ("number", 2, "RMB/mu"),
    "money": ("number", 1, "RMB million"),
    "signed": ("text", None, ""),
}
