"""Fill a shipped template, or an office's own, from a run's tables: which text, and how each cell is printed (模板的填写)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.render import Column, Heading, digits_beside
from lyeval.render.blocks import Block, Lang
from lyeval.report.cells import Context, Selector
from lyeval.report.template import Template, fault
from lyeval.report.tracing import TRACED
from lyeval.report.words import (
    TEMPLATES,
    band,
    chance,
    clauses,
    day,
    fact_name,
    goal_text,
    kind_by_unit,
    known,
    needed_text,
    number,
    of_target,
    percent,
    points,
    short_text,
    shown,
    signed,
    statistic,
    value_text,
    word,
)
from lyeval.resources import read_rows
from lyeval.tables.registry import schema
from lyeval.textfiles import Unreadable, read_text


def names() -> list[str]:
    """Return the names of the shipped templates, ``zh/year_end`` …"""
    return sorted(path.relative_to(TEMPLATES).with_suffix("").as_posix() for path in TEMPLATES.glob("*/*.md"))


def shipped(name: str) -> str:
    """Return the text of a shipped template, ``zh/year_end``.

    Raises
    ------
    TemplateError
        There is no such template.
    """
    path = TEMPLATES / f"{name}.md"
    if not re.fullmatch(r"(zh|en)/[a-z_]+", name) or not path.is_file():
        there = "、".join(names())
        raise fault(name, 0, f"没有这个模板；可用：{there}", f"no such template; there are: {there}")
    return path.read_text(encoding="utf-8")


def template_of(name: str, lang: Lang, own: tuple[str, str] | None = None) -> Template:
    """Return a template by name in one language, or an office's own (file name, text) in its place; either may include the shipped ones."""
    others = {f"{p.parent.name}/{p.name}": p.read_text(encoding="utf-8") for p in sorted(TEMPLATES.glob("*/*.md"))}
    return Template(*own, others) if own else Template(f"{lang}/{name}.md", shipped(f"{lang}/{name}"), others)


def read_template(path: str | Path) -> tuple[str, str]:
    """Read an office's own template: its file name and text, compiled once so that what is wrong with it is told at once.

    Raises
    ------
    TemplateError
        It cannot be read, or is no template: told with file and line.
    """
    own = Path(path).name, _read(Path(path))
    template_of("", "zh", own).check()
    return own


def read_texts(path: str | Path) -> dict[str, str]:
    """Read an office's words from Markdown: under each heading ``# 名称`` the text of the slot of that name.

    Raises
    ------
    TemplateError
        It cannot be read, a name stands twice, or text stands before the first heading: told with file and line.
    """
    path, out, name = Path(path), {}, ""
    for place, line in enumerate(_read(path).splitlines(), start=1):
        if line.startswith("# "):
            name = line[2:].strip()
            if not name or name in out:
                raise fault(path.name, place, f"名称为空或重复：{name}", f"the name is empty or stands twice: {name}")
            out[name] = ""
        elif name:
            out[name] += line + "\n"
        elif line.strip():
            raise fault(path.name, place, "第一个“# 名称”之前有文字", "text before the first “# name”")
    return {name: text.strip() for name, text in out.items()}


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except Unreadable as error:
        raise fault(path.name, 0, f"读不了：{error.zh}", f"cannot be read: {error.en}") from None
    except OSError as error:
        raise fault(path.name, 0, f"读不了：{error.strerror}", f"cannot be read: {error.strerror}") from None


def fill(
    name: str,
    c: Context,
    things: Mapping[str, Callable[..., Any]],
    words: Mapping[str, Any] | None = None,
    *,
    may_be_own: bool = False,
) -> list[Block]:
    """Fill a template from the tables of a run.

    Parameters
    ----------
    name
        The template, ``year_end``, in the context's language.
    things, words
        Makers of blocks and more names that the template may use, as `Template.blocks` takes them.
    may_be_own
        Whether the run's own template (``template`` and ``template_name`` of the table ``run``) takes its place.

    Raises
    ------
    TemplateError
        The template is wrong: told with file and line.
    """
    select = Selector(c.tables, TRACED, _described(c) if c.meta.get("kind") == "comparison" else _schema(c), c.lang)
    plan = c.meta.get("policy_title_en" if c.lang == "en" else "policy_title", "")
    known_ = {"place": c.place, "plan": plan, "document": c.document, "thing": thing(c), **(words or {})}
    run = c.value("run")
    texts, text = run.get("texts") or {}, run.get("template")
    own = (str(run.get("template_name") or "template.md"), str(text)) if may_be_own and known(text) and text else None
    return template_of(name, c.lang, own).blocks(select, lang=c.lang, things=things, words=known_, texts=texts)


def thing(c: Context) -> str:
    """Return what the plan calls those whom it is about: the words of its own title."""
    title = str(c.meta.get("policy_title", ""))
    return next((said[c.lang == "en"] for said in THINGS if said[0] in title), THINGS[0][c.lang == "en"])


THINGS = (("低效工业用地企业", "low-efficiency industrial land"), ("工业低效企业", "low-efficiency industrial firms"))


def titled(blocks: list[Block]) -> tuple[str, list[Block]]:
    """Return a document's title and its blocks: a template that begins with a titled heading names its document."""
    first = blocks[0] if blocks else None
    if isinstance(first, Heading) and first.titled:
        return str(first.text), blocks[1:]
    return "", blocks


def _schema(c: Context) -> Callable[[str, str, Mapping[str, Any]], tuple[Column, Callable[[Any], str] | None]]:
    """Return how each cell is printed: a figure on its side of its goal or line, dates as dates, the rest by the column's unit."""
    targets, kinds = {str(r["id"]): r for r in c.rows("targets")}, _kinds()

    def schema_of(table: str, column: str, row: Mapping[str, Any]) -> tuple[Column, Callable[[Any], str] | None]:
        plain, kind = Column(column, ""), kinds.get((table, column), "")
        target = row if table == "next_targets" else targets.get(str(row.get("id", row.get("target"))))
        if table == "targets" and column in OWN:
            return plain, lambda _: OWN[column](row, c.lang)
        if kind == "figure" and target is not None:
            goal = row["goal"] if column == "goal" else target["goal"]
            return plain, lambda raw: of_target(target, raw, goal, column, c.lang, row)
        if kind and kind != "figure":
            return plain, lambda raw: spoken(c, kind, raw, row)
        shared = kinds.get(("", column)) or ("day" if isinstance(row.get(column), pd.Timestamp) else "")
        if shared:
            return plain, lambda raw: spoken(c, shared, raw, row) if known(raw) else ""
        return Column(column, "", kind=_kind(column, row.get(column))), None

    return schema_of


def _described(c: Context) -> Callable[[str, str, Mapping[str, Any]], tuple[Column, Callable[[Any], str] | None]]:
    """Return how each cell of a comparison is printed in a sentence: as its table is described, with its unit."""

    def schema_of(table: str, column: str, row: Mapping[str, Any]) -> tuple[Column, Callable[[Any], str] | None]:
        told = schema().get(table, {}).get(column)
        kind = told.format if told is not None else _kinds().get((table, column), "")
        if kind.partition(":")[0] in KINDS:
            return Column(column, ""), lambda raw: spoken(c, kind, raw, row)
        return Column(column, "", kind="count" if column in ("count", "n") else "text"), None

    return schema_of


@cache
def _kinds() -> dict[tuple[str, str], str]:
    """Return how a cell is printed within a sentence by table and column, "" for any table, as ``printed.csv`` gives it: a kind."""
    return {
        (table, column): row["kind"]
        for row in read_rows(__file__, "printed.csv")
        for table in row["tables"].split() or [""]
        for column in row["columns"].split()
    }


def spoken(c: Context, kind: str, raw: Any, row: Mapping[str, Any] | None = None) -> str:
    """Write a value of a kind within a sentence, beside what else its row holds; a dash where it is not known."""
    name, _, digits = kind.partition(":")
    return KINDS[name](c, raw, row or {}, int(digits or 0)) if known(raw) else "—"


def _kind(column: str, value: Any) -> Any:
    """Return how a column is printed: by its unit, whole numbers as counts, years as they are."""
    if column == "year" or isinstance(value, str | list):
        return "text"
    if column.endswith(("_wan", "_mu", "mean")) or column in ("width", "now", "date", "asked", "before"):
        return "number"
    if column in ("rate", "part", "schedule", "usual", "by"):
        return "percent"
    return "count"


def _beside(name: str) -> Printer:
    """Return how a figure is written on its own side of another of its row."""
    return lambda c, raw, row, _: shown(raw, row.get(name), "number")


def _beside_schedule(c: Context, raw: Any, row: Mapping[str, Any], _: int) -> str:
    beside = row.get("schedule")
    return percent(raw, digits_beside(raw, beside, "percent") or 1 if known(beside) else 1)


def _odds(c: Context, raw: Any, row: Mapping[str, Any], _: int) -> str:
    """Write odds as the office's band, to the nearest five points in brackets; alone where they are settled on the books."""
    words, near = (f(raw, row.get("certain"), c.lang) for f in (band, chance))
    return words if not near else f"{words}（{near}）" if c.lang == "zh" else f"{words} ({near})"


def _area(c: Context, raw: Any, row: Mapping[str, Any], _: int) -> str:
    return f"{number(raw, 0)} mu ({number(raw / 15, 0)} ha)" if c.lang == "en" else f"{number(raw, 0)}亩"


def _money(c: Context, raw: Any, row: Mapping[str, Any], _: int) -> str:
    return f"RMB {number(raw / 100, 1)} million" if c.lang == "en" else f"{number(raw, 1)}万元"


def _line(c: Context, raw: Any, row: Mapping[str, Any], _: int) -> str:
    return f"RMB {raw * 1e4:,.0f} per mu" if c.lang == "en" else f"{raw:g}万元/亩"


Printer = Callable[[Context, Any, Mapping[str, Any], int], str]
KINDS: dict[str, Printer] = {
    "area": _area,
    "money": _money,
    "line": _line,
    "ratio": _line,
    "beside_line": _beside("line"),
    "beside_agreed": _beside("agreed"),
    "beside_schedule": _beside_schedule,
    "odds": _odds,
    "near": lambda c, raw, row, _: chance(raw, None, c.lang),
    "projected": lambda c, raw, row, _: statistic(raw, {**row, "kind": kind_by_unit(row)}, c.lang),
    "aim": lambda c, raw, row, _: goal_text({**row, "kind": kind_by_unit(row)}, c.lang),
    "points": lambda c, raw, row, _: points(100 * raw),
    "signed": lambda c, raw, row, _: points(raw),
    "change": lambda c, raw, row, digits: signed(raw, digits),
    "year": lambda c, raw, row, _: str(int(raw)),
    "percent": lambda c, raw, row, digits: percent(raw, digits),
    "number": lambda c, raw, row, digits: number(raw, digits),
    "hundred": lambda c, raw, row, digits: number(100 * raw, digits),
    **dict.fromkeys(("count", "firms"), lambda c, raw, row, _: number(raw, 0)),
    "class": lambda c, raw, row, _: c.class_(raw),
    "day": lambda c, raw, row, _: day(raw, c.lang),
    "clause": lambda c, raw, row, _: clauses(raw, c.lang),
    "word": lambda c, raw, row, _: word(raw, c.lang),
    "fact": lambda c, raw, row, _: fact_name(str(raw), c.lang) if raw else "",
    "bare": lambda c, raw, row, _: f"{raw:g}",
    "plain": lambda c, raw, row, _: str(raw),
    "short": lambda c, raw, row, _: raw[:12],
}
OWN: dict[str, Callable[[Mapping[str, Any], Lang], str]] = {
    "value": value_text,
    "goal": goal_text,
    "needed": lambda r, lang: needed_text(dict(r), lang).lstrip("≥≤"),
    "short_by": lambda r, lang: short_text(dict(r), lang),
    "status": lambda r, _: str(r["status"]),
}
