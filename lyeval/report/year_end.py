"""The year-end review of the office (年终评估报告, 办公版): the template ``year_end`` filled from a run's tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from lyeval.render import Cell, Figure, Paragraph, Table
from lyeval.render.blocks import Block, Lang
from lyeval.render.glyphs import ems
from lyeval.report.attainment import attainment_figure, gap_text, needed_text, short_text
from lyeval.report.context import Context
from lyeval.report.filling import fill, of_target
from lyeval.report.tabulate import headings, tabulate
from lyeval.report.words import (
    band,
    chance,
    day,
    few,
    goal_text,
    joined,
    kind_of,
    known,
    named,
    range_text,
    say,
    shown,
    status_text,
    tone_of,
    value_text,
)

MARKS = "①②③④⑤⑥⑦⑧⑨"
FEW_NAMES = 5
COVERED = 0.6  # of the county's own 80 % intervals that must have held before odds are told


def year_end_blocks(c: Context) -> list[Block]:
    """Fill the template of the year-end review; ``template`` and ``texts`` of the run are the office's own.

    Raises
    ------
    TemplateError
        The template is wrong: told with file and line.
    """
    more = Context({**c.tables, **odds_tables(c)}, c.lang)
    words: dict[str, Any] = {
        "place": c.place, "above": c.class_("above"), "below": c.class_("below"), "marks": list(MARKS),
        "next_goals": bool(len(c.frame("next_targets"))), "next_governed": bool(c.meta["next_governed"]),
        "odds_withheld": odds_withheld(c),
    }  # fmt: skip
    things = {"table": lambda name, *args: TABLES[name](more, *args), "figure": lambda name: _figure(more, name)}
    words["most_actions"] = _most_actions(more, things, words)
    return fill("year_end", more, things, words, may_be_own=True)


def _most_actions(c: Context, things: Mapping[str, Any], words: Mapping[str, Any]) -> int:
    """Return how many actions, five to three, the leader's page has room for."""
    for most in (5, 4):
        blocks = fill("leader", c, things, {**words, "most_actions": most})
        rows = sum(len(b.rows) + 2 for b in blocks if isinstance(b, Table))
        lines = sum(math.ceil((ems(b.text) + 2) / PAGE_WIDTH) for b in blocks if isinstance(b, Paragraph))
        if rows * PER_ROW + lines <= PAGE_LINES:
            return most
    return 3


PAGE_LINES, PAGE_WIDTH, PER_ROW = (
    27,
    31,
    1.2,
)  # of the leader's page: lines of close text, ems a line, lines a row of the table


def _figure(c: Context, name: str) -> Figure | None:
    return attainment_figure(c, c.rows("targets")) if name == "attainment" else None


def odds_tables(c: Context) -> dict[str, Any]:
    """Return what is told of the odds: only for target years that the plan has, and only where the county's record bears them."""
    told: list[dict[str, Any]] = []
    if not odds_withheld(c):
        for r in c.rows("forecast"):
            if int(r["year"]) in c.meta["target_years"] and known(r["probability"]):
                told.append({
                    "id": r["id"], "year": int(r["year"]), "label": named(r, c.lang),
                    "as_of": day(c.value("forecast_meta").get("as_of"), c.lang),
                    "band": band(r["probability"], r["certain"], c.lang), "chance": chance(r["probability"], r["certain"], c.lang),
                })  # fmt: skip
    return {"odds_told": pd.DataFrame(told, columns=["id", "year", "label", "as_of", "band", "chance"])}


def odds_withheld(c: Context) -> str:
    """Return why no odds are told; "" where they are, or where there is no target year to come."""
    ahead = [r for r in c.rows("forecast") if int(r["year"]) in c.meta["target_years"]]
    if not ahead:
        return ""
    rows = [r for r in c.rows("backtest_coverage")
            if r["level"] == "county" and abs(r["nominal"] - 0.8) < 1e-9 and known(r["share"])]  # fmt: skip
    n = sum(int(r["n"]) for r in rows)
    if not n:
        return say("year_end.no_record", c.lang)
    held = round(sum(r["share"] * r["n"] for r in rows))
    return "" if held / n >= COVERED else say("year_end.weak_record", c.lang, held=held, n=n)


def leader_targets(c: Context) -> Table | None:
    """Lay out each target: base year, the year before, this year, goal, what is short, verdict."""
    history = {(r["id"], int(r["year"])): r for r in c.rows("history")}
    rows = []
    for t in c.rows("targets"):
        before = history.get((t["id"], c.year - 1))
        first = history.get((t["id"], int(t["baseline_year"]))) if known(t["baseline_year"]) else None
        stated = shown(t["baseline"], None, kind_of(t)) if known(t["baseline"]) else ""
        line = say("year_end.line", c.lang, line=f"{t['threshold']:g}") if _unsaid(t) else ""
        rows.append({
            "label": named(t, c.lang) + line, "base": stated or (of_target(t, first["value"], t["goal"], "value", c.lang, first) if first else ""),
            "before": of_target(t, before["value"], t["goal"], "value", c.lang, before) if before else "", "value": _value(t, c.lang),
            "goal": goal_text(t, c.lang), "short": short_text(t, c.lang), "status": Cell(status_text(t, c.lang), tone=tone_of(t)),
            **{k: t[k] for k in ("id", "year")},
        })  # fmt: skip
    if not rows:
        return None
    heads = [h for h in headings("leader_targets") if h.key != "base" or any(r["base"] for r in rows)]
    return tabulate(c, "leader_targets", rows, say("year_end.leader_targets", c.lang, year=c.year), columns=heads,
                    source=c.source("tax", "land", "statistics"))  # fmt: skip


def _unsaid(t: Mapping[str, Any]) -> bool:
    """Tell whether a target has a line that its label does not name."""
    return known(t["threshold"]) and f"{t['threshold']:g}万元" not in str(t["label"])


def _value(t: Mapping[str, Any], lang: Lang) -> str:
    """Write a target's value, or its range where the verdict is open."""
    if t["reason"] == "empty_class":
        return status_text(t, lang)
    if t["status"] == "undetermined" and not few(t) and known(t["low"]) and t["low"] != t["high"]:
        return range_text(t["low"], t["high"], t, lang)
    return value_text(t, lang)


def target_lines(c: Context) -> Table:
    """Lay out each target with what it needs, its range, its clause."""
    rows = [
        {
            "label": named(t, c.lang), "value": _value(t, c.lang), "goal": goal_text(t, c.lang), "gap": gap_text(t, c.lang),
            "needed": needed_text(t, c.lang), "status": Cell(status_text(t, c.lang), tone=tone_of(t)), "clause": t["clause"],
            "id": t["id"], "year": t["year"],
        }
        for t in c.rows("targets")
    ]  # fmt: skip
    return tabulate(c, "target_lines", rows, say("year_end.targets", c.lang, year=c.year), id="targets",
                    source=c.source("tax", "land", "statistics"), cite=c.document)  # fmt: skip


def bridge(c: Context) -> Table:
    """Lay out the way from the ledger to the list and what became of it, by class."""
    sides = {"above": "above", "below": "below", "": "all"}
    wanted = [r for r in c.rows("bridge") if r["by"] == "class"] + [r for r in c.rows("bridge") if r["by"] == "all"]
    rows = [{**r, "class": c.class_(sides.get(r["group"], r["group"]))} for r in wanted]
    return tabulate(c, "bridge", rows, say("year_end.bridge", c.lang, year=c.year), note=say("year_end.bridge_note", c.lang),
                    source=c.source("tax", "land", "statistics"))  # fmt: skip


def years(c: Context) -> Table:
    """Lay out tax and land of those in scope, by year."""
    rows = [{**r, "year": str(int(r["year"]))} for r in c.rows("years")]
    return tabulate(c, "years", rows, say("year_end.years", c.lang), source=c.source("tax", "land"))


def deciding(c: Context, target: Any) -> Table:
    """Lay out the firms that a target turns on, ten at most."""
    id = str(getattr(target, "raw", target))
    rows = [{**r, "row": k} for k, r in enumerate((r for r in c.rows("deciding") if r["target"] == id), start=1)][:10]
    label = next(named(t, c.lang) for t in c.rows("targets") if t["id"] == id)
    told = [{**r, "cause": r["cause_en" if c.lang == "en" else "cause_zh"]} for r in rows]
    return tabulate(c, "deciding", told, say("year_end.deciding", c.lang, label=label), id=f"deciding-{id}",
                    note=say("listing.distance_note", c.lang), cite=rows[0]["clause"] if rows else "",
                    source=c.source("tax", "land"))  # fmt: skip


def methods(c: Context) -> Table | None:
    """Lay out the year's disposals by method."""
    rows = [r for r in c.rows("disposals_summary") if any(r[k] for k in ("opening", "started", "finished", "closing"))]
    return (
        tabulate(c, "methods", rows, say("year_end.methods", c.lang, year=c.year), source=c.source("lead", "towns"))
        if rows
        else None
    )


def units(c: Context) -> Table:
    """Lay out the units in the order of what is settled: counties at city level, else townships."""
    counties = [r for r in c.rows("ranking_counties") if not r["whole"]]
    table = "ranking_counties" if len(counties) > 1 else "ranking_townships"
    rows = []
    for r in c.rows(table):
        unit = say("year_end.whole", c.lang) if r["whole"] else str(r["unit"]) or say("year_end.unnamed", c.lang)
        rows.append({**r, "place": unit, "settled": f"{int(r['reached'] + r['left'])}/{int(r['listed'])}",
                     "summons": say("year_end.summon", c.lang) if r["summoned"] else ""})  # fmt: skip
    note = say("year_end.units_note", c.lang) + say("listing.distance_note", c.lang)
    return tabulate(c, "units", rows, say("year_end.units", c.lang, year=c.year), note=note,
                    cite=str(rows[0]["clause"]) if rows else "", source=c.source("tax", "towns"))  # fmt: skip


def next_steps(c: Context) -> Table | None:
    """Lay out measures, who answers, by when, for which firms."""
    rows = []
    for k, r in enumerate(c.rows("next_steps"), start=1):
        first = joined([str(n) for n in r["names"][:FEW_NAMES]], c.lang)
        firms = first if int(r["n"]) <= FEW_NAMES else say("year_end.and_more", c.lang, names=first, n=int(r["n"]))
        due = day(r["due"], c.lang) if known(r["due"]) else say("year_end.no_term", c.lang)
        rows.append({"row": k, "measure": named(r, c.lang, "measure"), "owner": named(r, c.lang, "owner") or "—", "due": due,
                     "firms": firms, "clause": r["clause"]})  # fmt: skip
    return (
        tabulate(c, "next_steps", rows, say("year_end.next_steps", c.lang), cite=c.document, source=c.source("lead"))
        if rows
        else None
    )


TABLES: dict[str, Callable[..., Table | None]] = {
    "leader_targets": leader_targets, "targets": target_lines, "bridge": bridge, "years": years, "deciding": deciding,
    "methods": methods, "units": units, "next_steps": next_steps,
}  # fmt: skip
