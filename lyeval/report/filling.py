"""Fill a shipped template, or an office's own, from a run's tables: which text, and how each cell is printed (模板的填写)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
    targets = {str(r["id"]): r for r in c.rows("targets")}
    lang = c.lang

    def schema_of(table: str, column: str, row: Mapping[str, Any]) -> tuple[Column, Callable[[Any], str] | None]:
        printed = PRINTED.get((table, column))
        if printed is not None:
            return Column(column, ""), lambda raw: printed(raw, row, lang) if known(raw) else "—"
        target = row if table == "next_targets" else targets.get(str(row.get("id", row.get("target"))))
        if table == "targets" and column in OWN:
            return Column(column, ""), lambda _: OWN[column](row, lang)
        if target is not None and ((table, column) in OF_TARGET or (table == "targets" and column in ("low", "high"))):
            goal = row["goal"] if column == "goal" else target["goal"]
            return Column(column, ""), lambda raw: of_target(target, raw, goal, column, lang, row)
        own = COLUMNS.get(column)
        if own is not None:
            return Column(column, ""), lambda raw: own(raw, row, lang) if known(raw) else ""
        if isinstance(row.get(column), pd.Timestamp):
            return Column(column, ""), lambda raw: day(raw, lang) if known(raw) else ""
        return Column(column, "", kind=_kind(column, row.get(column))), None

    return schema_of


def _described(c: Context) -> Callable[[str, str, Mapping[str, Any]], tuple[Column, Callable[[Any], str] | None]]:
    """Return how each cell of a comparison is printed in a sentence: as its table is described, with its unit."""

    def schema_of(table: str, column: str, _: Mapping[str, Any]) -> tuple[Column, Callable[[Any], str] | None]:
        told = schema().get(table, {}).get(column)
        kind = told.format if told is not None else ENDS.get(column, "")
        if kind.partition(":")[0] in SPOKEN:
            return Column(column, ""), lambda raw: spoken(c, kind, raw)
        return Column(column, "", kind="count" if column in ("count", "n") else "text"), None

    return schema_of


def spoken(c: Context, kind: str, raw: Any) -> str:
    """Write a value of a kind within a sentence; a dash where it is not known."""
    name, _, digits = kind.partition(":")
    return SPOKEN[name](c, raw, int(digits or 0)) if known(raw) else "—"


def _spoken_area(c: Context, raw: Any, _: int) -> str:
    return f"{number(raw, 0)} mu ({number(raw / 15, 0)} ha)" if c.lang == "en" else f"{number(raw, 0)}亩"


def _spoken_money(c: Context, raw: Any, _: int) -> str:
    return f"RMB {number(raw / 100, 1)} million" if c.lang == "en" else f"{number(raw, 1)}万元"


def _spoken_line(c: Context, raw: Any, _: int) -> str:
    return f"RMB {raw * 1e4:,.0f} per mu" if c.lang == "en" else f"{raw:g}万元/亩"


def _kind(column: str, value: Any) -> Any:
    """Return how a column is printed: by its unit, whole numbers as counts, years as they are."""
    if column == "year" or isinstance(value, str | list):
        return "text"
    if column.endswith(("_wan", "_mu", "mean")) or column in ("width", "now", "date", "asked", "before"):
        return "number"
    if column in ("rate", "part", "schedule", "usual", "by"):
        return "percent"
    return "count"


def _day(raw: Any, _: Mapping[str, Any], lang: Lang) -> str:
    return day(raw, lang)


def _beside_line(raw: Any, row: Mapping[str, Any], lang: Lang) -> str:
    return shown(raw, row["line"], "number") if known(row.get("line")) else number(raw)


def _beside_schedule(raw: Any, row: Mapping[str, Any], lang: Lang) -> str:
    beside = row.get("schedule")
    return percent(raw, digits_beside(raw, beside, "percent") or 1 if known(beside) else 1)


def _odds(raw: Any, row: Mapping[str, Any], lang: Lang) -> str:
    """Write odds as the office's band, to the nearest five points in brackets; alone where they are settled on the books."""
    words, near = (f(raw, row.get("certain"), lang) for f in (band, chance))
    return words if not near else f"{words}（{near}）" if lang == "zh" else f"{words} ({near})"


def _near(raw: Any, _: Mapping[str, Any], lang: Lang) -> str:
    return chance(raw, None, lang)


def _share(raw: Any, _: Mapping[str, Any], lang: Lang) -> str:
    return percent(raw)


def _plain(raw: Any, _: Mapping[str, Any], lang: Lang) -> str:
    return str(raw)


def _projected(raw: Any, row: Mapping[str, Any], lang: Lang) -> str:
    return statistic(raw, {**row, "kind": kind_by_unit(row)}, lang)


def _goal(raw: Any, row: Mapping[str, Any], lang: Lang) -> str:
    return goal_text({**row, "kind": kind_by_unit(row)}, lang)


Printer = Callable[[Any, Mapping[str, Any], Lang], str]
SPOKEN: dict[str, Callable[[Context, Any, int], str]] = {  # by kind
    "area": _spoken_area,
    "money": _spoken_money,
    "line": _spoken_line,
    "ratio": _spoken_line,
    "points": lambda c, raw, _: points(100 * raw),
    "signed": lambda c, raw, _: points(raw),
    "year": lambda c, raw, _: str(int(raw)),
    "percent": lambda c, raw, digits: percent(raw, digits),
    "number": lambda c, raw, digits: number(raw, digits),
    **dict.fromkeys(("count", "firms"), lambda c, raw, _: number(raw, 0)),
    "class": lambda c, raw, _: c.class_(raw),
    "day": lambda c, raw, _: day(raw, c.lang),
    "clause": lambda c, raw, _: clauses(raw, c.lang),
}
ENDS = {  # of tables that are no frames
    **dict.fromkeys(("value_a", "value_b", "uncovered_a", "uncovered_b"), "percent:1"),
    **dict.fromkeys(("gap", "estimate", "low", "high"), "points"),
    **dict.fromkeys(("n_a", "n_b"), "count"),
}
OWN: dict[str, Callable[[Mapping[str, Any], Lang], str]] = {
    "value": value_text,
    "goal": goal_text,
    "needed": lambda r, lang: needed_text(dict(r), lang).lstrip("≥≤"),
    "short_by": lambda r, lang: short_text(dict(r), lang),
    "status": lambda r, _: str(r["status"]),
}
OF_TARGET = {
    *((table, column) for table in ("history", "enough", "next_targets", "turns") for column in ("value",)),
    *(("turns", column) for column in ("low", "high")),
    *(("readings", column) for column in ("lowest", "highest")),
    ("actions", "value_after"),
    ("next_targets", "goal"),
}
ODDS = ("forecast", "simulation")
PRINTED: dict[tuple[str, str], Printer] = {
    **{(table, column): _projected for table in ODDS for column in ("p05", "p50", "p95")},
    **{(table, "goal"): _goal for table in ODDS},
    **{(table, "probability"): _odds for table in ODDS},
    **{(table, "mc_error"): lambda raw, row, lang: number(100 * raw, 2) for table in ODDS},
    **{(f"{table}_meta", "as_of"): _day for table in ODDS},
    **{(f"{table}_meta", "seed"): _plain for table in ODDS},
    ("forecast_levies", "probability"): _near,
    **{("odds_bearing", column): _near for column in ("low", "high", "set_low", "set_high")},
    **{("record_sum", column): _share for column in ("low", "high")},
    **{("baseline", column): _share for column in ("stated", "value")},
    ("beside_usual", "size_wan"): lambda raw, row, lang: number(raw, 0),
    ("beside_usual", "rise"): lambda raw, row, lang: signed(raw, 0),
    ("beside_usual", "usual_size"): lambda raw, row, lang: percent(raw, 0),
    **{("beside_usual", column): _plain for column in ("first", "last")},
    **{("effect_plan", column): _plain for column in ("first_year", "base_year")},
    ("effect_plan", "sha256"): lambda raw, row, lang: raw[:12],
    **{("coverage", column): lambda raw, row, lang: number(raw, 0) for column in ("tax_wan", "land_mu", "above_scale")},
}
COLUMNS: dict[str, Printer] = {
    "fact": lambda raw, row, lang: fact_name(str(raw), lang) if raw else "",
    **dict.fromkeys(("end", "due", "written_off", "cutoff", "on", "term"), _day),
    **dict.fromkeys(("tax_per_mu", "tax_per_mu_before"), _beside_line),
    **dict.fromkeys(("on_month", "on_year", "change", "so_far"), lambda raw, row, lang: signed(raw)),
    **dict.fromkeys(("line", "agreed"), lambda raw, row, lang: f"{raw:g}"),
    "actual": lambda raw, row, lang: shown(raw, row["agreed"], "number"),
    "clause": lambda raw, row, lang: clauses(raw, lang),
    "share": _beside_schedule,
    **dict.fromkeys(("unit", "item"), _plain),
    **dict.fromkeys(("stage", "outcome"), lambda raw, row, lang: word(raw, lang)),
}
