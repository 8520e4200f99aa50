"""Rows of the sheets that the office's review shows (办公版各表): targets, how its numbers come about, deciding firms, duties, units, steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lyeval.render import Cell
from lyeval.render.blocks import Lang
from lyeval.report.cells import Context
from lyeval.report.tabulate import Heading, Laid, headings
from lyeval.report.words import (
    amount,
    coded,
    count,
    day,
    joined,
    known,
    named,
    of_target,
    phrase,
    share,
    shown,
    toned,
    value_text,
)

Row = dict[str, Any]
FEW_NAMES = 3
MOST, SOME = 10, 5  # firms told of one target, and of each of several
DATED = 4  # steps with a date from which the plan is told by them alone


def leader(c: Context) -> Laid:
    """Lay out each target with its base year and the year before."""
    history = {(r["id"], int(r["year"])): r for r in c.rows("history")}
    rows = []
    for t in c.rows("targets"):
        past = [history.get((t["id"], y)) for y in (t["baseline_year"] if known(t["baseline_year"]) else 0, c.year - 1)]
        base, before = (of_target(t, r["value"], t["goal"], "value", c.lang, r) if r else "" for r in past)
        stated = (
            shown(t["baseline"], None, "percent" if t["kind"] == "share" else "number")
            if known(t["baseline"])
            else base
        )
        unsaid = known(t["threshold"]) and f"{t['threshold']:g}万元" not in str(t["label"])
        line = phrase("with_line", c.lang, line=f"{t['threshold']:g}") if unsaid else ""
        rows.append({**t, "label": named(t, c.lang) + line, "base": stated, "before": before})
    heads = tuple(h for h in headings("leader_targets") if h.key != "base" or any(r["base"] for r in rows))
    return Laid(rows, heads)


def bridge(c: Context) -> list[Row]:
    """Return the way from the ledger to the list and what became of it, by class and in all."""
    sides = {"above": "above", "below": "below", "": "all"}
    wanted = [r for by in ("class", "all") for r in c.rows("bridge") if r["by"] == by]
    return [{**r, "class": sides.get(r["group"], r["group"])} for r in wanted]


def deciding(c: Context) -> Laid:
    """Lay out the firms that the targets turn on: ten of one target, five of each where there are more."""
    several = len({r["target"] for r in c.rows("deciding")}) > 1
    most = SOME if several else MOST
    chosen = [r for r in c.rows("deciding") if r["rank"] <= most]
    rows = [{**r, "row": k, "label": named(c.goals[str(r["target"])], c.lang)} for k, r in enumerate(chosen, start=1)]
    heads = tuple(h for h in headings("deciding") if several or h.key != "label")
    whose = phrase("one_target", c.lang, label=rows[0]["label"]) if rows else ""
    whose = phrase("all_targets", c.lang) if several else whose
    cut = len(rows) < len(c.rows("deciding"))
    return Laid(rows, heads, {"whose": whose, "cut": phrase("cut", c.lang, most=most) if cut else ""})


def duties(c: Context) -> list[Row]:
    """Return the plan's steps of the year: those with a date where there are enough of them, else the recurring ones."""
    steps = [r for r in c.rows("calendar") if not str(r["id"]).startswith("targets")]
    dated = [r for r in steps if known(r["end"])]
    rows = []
    for k, r in enumerate(dated if len(dated) >= DATED else steps, start=1):
        units = named(r, c.lang, "owner").split("、" if c.lang == "zh" else ", ")
        state = toned("step", r["state"], c.lang, n=int(r["late"]))
        told = {
            "term": phrase("by_month", c.lang, month=r["end"].month)
            if known(r["end"])
            else coded("every", r["every"], c.lang),
            "owner": joined(units[:2], c.lang) + (coded("cell", "others", c.lang) if len(units) > 2 else ""),
            "told": int(r["n"]) or None,
            "state": state,
        }
        rows.append({**r, "row": k, **told})
    return rows


def units(c: Context) -> Laid:
    """Lay out the units in the order of what is settled: counties with their part of each target at city level, else townships."""
    own = {str(t["id"]): t for t in c.rows("targets")}
    parts = {(str(r["county"]), str(r["target"])): _quota(r, own[str(r["target"])], c.lang) for r in c.rows("quotas")}
    ids = [id for id in own if any(key[1] == id for key in parts)]
    table = "ranking_counties" if parts else "ranking_townships"
    rows = []
    for r in c.rows(table):
        late = any(q["county"] == r["unit"] and q["status"] == "missed" for q in c.rows("quotas"))
        summons = coded("cell", "summon", c.lang) if r["summoned"] or late else ""
        settled = f"{int(r['reached'] + r['left'])}/{int(r['listed'])}"
        own_parts = {id: parts.get((str(r["unit"]), id)) for id in ids}
        rows.append({**r, **own_parts, "settled": settled, "summons": summons})
    heads = [h for h in headings("units") if not parts or h.key in ("rank", "unit", "settled", "summons")]
    place = next(k for k, h in enumerate(heads) if h.key == "settled") + 1
    extra = [Heading(id, str(own[id]["label"]), str(own[id]["label_en"]), "", "text") for id in ids]
    more = phrase("quota_note" if parts else "distance_note", c.lang)
    return Laid(rows, (*heads[:place], *extra, *heads[place:]), {"more": more}, table=table)


def _quota(row: Row, target: Row, lang: Lang) -> Cell | str:
    """Write a county's part in a target: a/b, or a number beside its part of the city's total, with its verdict where there is one."""
    if target["kind"] == "share":
        text = share(row["part"], row["whole"], int(row["n"]), lang, "家" if target["weight"] == "count" else "亩")
    else:
        text = value_text({**target, **row, "kind": target["kind"]}, lang)
        if known(row["goal"]):
            text = phrase("by_listed", lang, value=text, goal=amount(count(row["goal"]), target["unit"], lang))
    return replace(toned("status", row["status"], lang), value=text) if row["status"] in ("met", "missed") else text


def next_steps(c: Context) -> list[Row]:
    """Return measures, who answers, by when, for which firms."""
    rows = []
    for k, r in enumerate(c.rows("next_steps"), start=1):
        first = joined([str(n) for n in r["names"][:FEW_NAMES]], c.lang)
        firms = first if int(r["n"]) <= FEW_NAMES else phrase("and_more", c.lang, names=first, n=int(r["n"]))
        due = day(r["due"], c.lang) if known(r["due"]) else phrase("no_term", c.lang)
        told = {
            "measure": named(r, c.lang, "measure"),
            "owner": named(r, c.lang, "owner") or phrase("no_term", c.lang),
            "due": due,
            "firms": firms,
        }
        rows.append({**r, "row": k, **told})
    return rows
