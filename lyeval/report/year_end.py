"""The year-end review of the office (年终评估报告, 办公版): the template ``year_end`` filled from a run's tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from lyeval.render import Cell, Figure, Paragraph, Table
from lyeval.render.blocks import Block, Lang, Tone
from lyeval.render.glyphs import ems
from lyeval.report.attainment import attainment_figure, gap_text, needed_text, short_text
from lyeval.report.context import Context
from lyeval.report.filling import fill, of_target
from lyeval.report.tabulate import Heading, headings, tabulate
from lyeval.report.words import (
    amount,
    band,
    chance,
    count,
    day,
    few,
    goal_text,
    joined,
    kind_of,
    known,
    named,
    range_text,
    say,
    share,
    shown,
    status_text,
    tone_of,
    value_text,
)

MARKS = "①②③④⑤⑥⑦⑧⑨"
FEW_NAMES = 3
MOST, SOME = 10, 5  # firms told of one target, and of each of several
DATED = 4  # steps with a date from which the plan is told by them alone
STEP_TONES: dict[str, Tone] = {"done": "good", "late": "bad", "not_reported": "open"}
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
        "above": c.class_("above"),
        "below": c.class_("below"),
        "marks": list(MARKS),
        "next_goals": bool(len(c.frame("next_targets"))),
        "next_governed": bool(c.meta["next_governed"]),
        "odds_withheld": odds_withheld(c),
        "unsummoned": not len(c.frame("list_summoned")),
    }
    things = {"table": lambda name: TABLES[name](more), "figure": lambda name: _figure(more, name)}
    words |= dict(zip(SHORTER, _room(more, things, words), strict=True))
    return fill("year_end", more, things, words, may_be_own=True)


ROOM = (
    # actions, what could turn a verdict, firms of a target all named, else so many of them
    (5, 2, 10, 3),
    (4, 2, 10, 3),
    (4, 1, 10, 3),
    (3, 1, 10, 3),
    (3, 1, 5, 2),
    (3, 1, 3, 1),
    (3, 1, 1, 1),
)
PAGE_LINES, PAGE_WIDTH, PER_ROW, LABEL = (
    26,
    31,
    1.2,
    14,
)  # of the leader's page: lines of close text, ems a line, lines a row, ems a label


SHORTER = ("most_actions", "most_turns", "most_names", "most_first")


def _room(c: Context, things: Mapping[str, Any], words: Mapping[str, Any]) -> tuple[int, ...]:
    """Return what the leader's page has room for: the first of `ROOM` that it holds, else the last."""
    for most in ROOM:
        blocks = fill("leader", c, things, {**words, **dict(zip(SHORTER, most, strict=True))})
        tables = [b for b in blocks if isinstance(b, Table)]
        rows = sum(2 + sum(0.5 + 0.5 * math.ceil(ems(str(row[0])) / LABEL) for row in b.rows) for b in tables)
        lines = sum(math.ceil((ems(b.text) + 2) / PAGE_WIDTH) for b in blocks if isinstance(b, Paragraph))
        if rows * PER_ROW + lines <= PAGE_LINES:
            return most
    return ROOM[-1]


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
        return say("year_end.no_record", c.lang, place=c.place)
    held = round(sum(r["share"] * r["n"] for r in rows))
    return "" if held / n >= COVERED else say("year_end.weak_record", c.lang, place=c.place, held=held, n=n)


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
    return tabulate(c, "leader_targets", rows, say("year_end.leader_targets", c.lang, year=c.year), id="targets", columns=heads,
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


def deciding(c: Context) -> Table | None:
    """Lay out the firms that the targets turn on: ten of one target, five of each where there are more."""
    targets = {str(t["id"]): t for t in c.rows("targets")}
    several = len({r["target"] for r in c.rows("deciding")}) > 1
    most = SOME if several else MOST
    told: list[dict[str, Any]] = []
    for r in (r for r in c.rows("deciding") if r["rank"] <= most):
        label = named(targets[str(r["target"])], c.lang)
        told.append(
            {**r, "row": len(told) + 1, "label": label, "cause": r["cause_en" if c.lang == "en" else "cause_zh"]}
        )
    if not told:
        return None
    heads = [h for h in headings("deciding") if several or h.key != "label"]
    title = (
        say("year_end.deciding_all", c.lang) if several else say("year_end.deciding", c.lang, label=told[0]["label"])
    )
    cited = "；".join(dict.fromkeys(str(r["clause"]) for r in told))
    return tabulate(c, "deciding", told, title, columns=heads, note=say("listing.distance_note", c.lang), cite=cited,
                    source=c.source("tax", "land"))  # fmt: skip


def duties(c: Context) -> Table | None:
    """Lay out the plan's steps of the year: those with a date where there are enough of them, else the recurring ones."""
    steps = [r for r in c.rows("calendar") if not str(r["id"]).startswith("targets")]
    dated = [r for r in steps if known(r["end"])]
    rows = []
    for k, r in enumerate(dated if len(dated) >= DATED else steps, start=1):
        units = named(r, c.lang, "owner").split("、" if c.lang == "zh" else ", ")
        owner = joined(units[:2], c.lang) + (say("year_end.others", c.lang) if len(units) > 2 else "")
        term = (
            say("year_end.by_month", c.lang, month=r["end"].month)
            if known(r["end"])
            else say(f"year_end.every_{r['every']}", c.lang)
        )
        state = say(f"year_end.step_{r['state']}", c.lang, n=int(r["late"]))
        shown_ = Cell(state, tone=STEP_TONES[r["state"]])
        rows.append(
            {
                **r,
                "row": k,
                "label": named(r, c.lang),
                "term": term,
                "owner": owner,
                "told": int(r["n"]) or None,
                "state": shown_,
            }
        )
    if not rows:
        return None
    return tabulate(c, "duties", rows, say("year_end.duties", c.lang, year=c.year), id="calendar", cite=c.document,
                    note=say("year_end.duties_note", c.lang), source=c.source("lead", "towns"))  # fmt: skip


def units(c: Context) -> Table:
    """Lay out the units in the order of what is settled: counties with their part of each target at city level, else townships."""
    own = {str(t["id"]): t for t in c.rows("targets")}
    parts = {(str(r["county"]), str(r["target"])): _part(r, own[str(r["target"])], c.lang) for r in c.rows("quotas")}
    ids = [id for id in own if any(key[1] == id for key in parts)]
    rows = []
    for r in c.rows("ranking_counties" if parts else "ranking_townships"):
        unit = say("year_end.whole", c.lang) if r["whole"] else str(r["unit"]) or say("year_end.unnamed", c.lang)
        more = {id: parts.get((str(r["unit"]), id)) for id in ids}
        rows.append({**r, **more, "place": unit, "settled": f"{int(r['reached'] + r['left'])}/{int(r['listed'])}",
                     "summons": say("year_end.summon", c.lang) if r["summoned"] else ""})  # fmt: skip
    heads = [h for h in headings("units") if not parts or h.key in ("rank", "place", "settled", "summons")]
    extra = [Heading(id, str(own[id]["label"]), str(own[id]["label_en"]), "", "text") for id in ids]
    place = next(k for k, h in enumerate(heads) if h.key == "settled") + 1
    note = say("year_end.units_note", c.lang) + (
        say("year_end.quota_note", c.lang) if parts else say("listing.distance_note", c.lang)
    )
    return tabulate(c, "units", rows, say("year_end.units", c.lang, year=c.year), columns=[*heads[:place], *extra, *heads[place:]],
                    note=note, cite=str(rows[0]["clause"]) if rows else "", source=c.source("tax", "towns"))  # fmt: skip


def _part(row: Mapping[str, Any], target: Mapping[str, Any], lang: Lang) -> Cell | str:
    """Write a county's part in a target: a/b, or a number beside its part of the city's total, with its verdict where there is one."""
    told = {**target, **row, "kind": target["kind"]}
    if target["kind"] == "share":
        text = share(row["part"], row["whole"], int(row["n"]), lang, "家" if target["weight"] == "count" else "亩")
    else:
        text = value_text(told, lang)
        if known(row["goal"]):
            text = say("year_end.by_listed", lang, value=text, goal=amount(count(row["goal"]), target["unit"], lang))
    return Cell(text, tone=tone_of({"status": row["status"]})) if row["status"] in ("met", "missed") else text


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


TABLES: dict[str, Callable[[Context], Table | None]] = {
    "leader_targets": leader_targets,
    "bridge": bridge,
    "years": years,
    "deciding": deciding,
    "units": units,
    "duties": duties,
    "next_steps": next_steps,
}
