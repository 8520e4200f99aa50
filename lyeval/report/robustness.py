"""Section 六、读法稳健性: under how many readings of the doubtful clauses each target is met, and which switches turn it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lyeval.render import Bullets, Cell, Figure, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context
from lyeval.report.tabulate import tabulate
from lyeval.report.words import (
    STATUS,
    amount,
    count,
    few,
    joined,
    kind_of,
    known,
    named,
    percent,
    range_text,
    say,
    sentence,
    shown,
    tone_of,
)


def robustness(c: Context) -> list[Block]:
    """Write the section."""
    rows = reading_rows(c)
    if not rows:
        return [Paragraph(say("robustness.none", c.lang, year=c.year))]
    blocks: list[Block] = [Paragraph(say("robustness.intro", c.lang, n=count(rows[0]["n"])))]
    blocks += [Bullets(tuple(reading_sentence(r, c) for r in rows)), reading_figure(c, rows), single_table(c)]
    if len(c.frame("readings_untestable")):
        blocks += [Paragraph(untestable_sentence(c)), untestable_table(c)]
    base = baseline_blocks(c)
    return blocks + base


def reading_rows(c: Context) -> list[dict[str, Any]]:
    """Return the readings per target, with kind, goal and number counted from the table of targets."""
    own = {r["id"]: r for r in c.rows("targets")}
    kept = ("kind", "weight", "goal", "op", "part", "whole", "value", "status", "reason", "clause")
    return [
        {**r, **{k: own[r["id"]][k] for k in kept}, "counted": own[r["id"]]["n"]}
        for r in c.rows("readings")
        if r["id"] in own
    ]


def reading_sentence(row: dict[str, Any], c: Context) -> str:
    """Say under how many readings a target is met, between what values, and which clauses alone turn it."""
    lang, label = c.lang, named(row, c.lang)
    if row["reason"] == "empty_class":
        return say("robustness.empty", lang, label=label)
    counts = {s: int(row[s]) for s in ("met", "missed", "undetermined")}
    alike = next((s for s, n in counts.items() if n == int(row["n"])), None)
    if alike:
        key = "robustness.alike_open" if alike == "undetermined" else "robustness.alike"
        text = say(key, lang, label=label, n=count(row["n"]), status=STATUS[alike][lang == "en"])
    else:
        parts = [
            say("robustness.part", lang, n=count(n), status=STATUS[s][lang == "en"]) for s, n in counts.items() if n
        ]
        text = say("robustness.split", lang, label=label, n=count(row["n"]), parts=joined(parts, lang))
    span = ""
    if known(row["lowest"]) and not few({"kind": row["kind"], "n": row["counted"]}):
        key = "span_one" if row["lowest"] == row["highest"] else "span"
        span = say(f"robustness.{key}", lang, range=range_text(row["lowest"], row["highest"], row, lang))
    turned = list(row["turned_by_questions_en" if lang == "en" else "turned_by_questions"] or [])
    turn = (
        say(
            "robustness.turned",
            lang,
            n=len(turned),
            names=("；" if lang == "zh" else "; ").join(q.rstrip("?") for q in turned),
        )
        if turned
        else ""
    )
    return sentence([text, span, turn], lang)


def reading_figure(c: Context, rows: list[dict[str, Any]]) -> Figure:
    """Draw under how many readings each target is met and the range of its value."""
    from lyeval import figures

    blank = {"lowest": None, "highest": None, "value": None}
    drawn = [{**r, **(blank if few({"kind": r["kind"], "n": r["counted"]}) else {})} for r in rows]
    frame = pd.DataFrame(drawn).drop(columns=["counted"]).astype(object)
    picture = figures.readings(frame, lang=c.lang)
    alt = " ".join(reading_sentence(r, c) for r in rows)
    source = c.source("tax", "land", "statistics")
    return figures.picture(picture, "readings_figure", say("robustness.figure", c.lang), alt, source=source)


def single_table(c: Context) -> Table:
    """Lay out each option alone, all else by default, where it moves a value or a verdict."""
    own = {r["id"]: r for r in reading_rows(c)}
    rows = [r for r in c.rows("readings_switches") if r["target"] in own]
    base = {r["target"]: r for r in rows if r["default"]}
    moved = [r for r in rows if not r["default"] and _differs(r, base[r["target"]])]
    still = len(
        {(r["switch"], r["option"]) for r in rows if not r["default"]} - {(r["switch"], r["option"]) for r in moved}
    )
    notes = [say("robustness.single_note", c.lang), say("robustness.still", c.lang, n=still) if still else ""]
    body = [_single(r, own[r["target"]], c) for r in moved]
    return tabulate(c, "switches", body, say("robustness.single_table", c.lang), source=c.source("tax", "land", "statistics"),
                    note=sentence(notes, c.lang), cite=c.document)  # fmt: skip


def _differs(row: dict[str, Any], base: dict[str, Any]) -> bool:
    if row["status"] != base["status"] or known(row["value"]) != known(base["value"]):
        return True
    return known(row["value"]) and abs(row["value"] - base["value"]) > 1e-9 * max(abs(base["value"]), 1)


def _single(row: dict[str, Any], target: dict[str, Any], c: Context) -> dict[str, Any]:
    status = STATUS[str(row["status"])][c.lang == "en"]
    tone = tone_of({"status": row["status"], "reason": None})
    turned = Cell(status, tone=tone) if row["status"] != target["status"] else status
    return {**row, "target": named(target, c.lang), "value": reading_value(row["value"], target, c), "status": turned}


def reading_value(value: Any, target: dict[str, Any], c: Context) -> str:
    """Write a target's value under some reading; none where fewer than ten are counted."""
    if not known(value) or few({"kind": target["kind"], "n": target["counted"]}):
        return "—"
    return amount(shown(value, target["goal"], kind_of(target)), target["unit"], c.lang)


def untestable_sentence(c: Context) -> str:
    """Say how many readings the ledger cannot test."""
    return say("robustness.untestable", c.lang, n=len(c.frame("readings_untestable")))


def untestable_table(c: Context) -> Table:
    """List the readings that the ledger cannot test, and what it lacks."""
    rows = [{**r, "needs": need_text(r["needs"], c.lang)} for r in c.rows("readings_untestable")]
    return tabulate(
        c, "untestable", rows, say("robustness.untestable_table", c.lang), source=c.source(), cite=c.document
    )


def need_text(needs: Any, lang: Any) -> str:
    """Name the sheet or column that a reading asks for, as the ledger's form calls it."""
    from lyeval.ledger.columns import SHEETS, of_sheet

    out = []
    for need in str(needs).replace("、", ",").split(","):
        sheet, _, column = need.strip().partition(".")
        known_columns = of_sheet(sheet) if sheet in SHEETS else {}
        if column in known_columns:
            out.append(known_columns[column].label(lang))
        else:
            told = (f"“{SHEETS[sheet][0]}”表", f"sheet “{sheet}”") if sheet in SHEETS else (need.strip(),) * 2
            out.append(told[lang == "en"])
    return joined(out, lang)


def baseline_blocks(c: Context) -> list[Block]:
    """Show which readings of the statistic give the value that the document states for its base year."""
    rows = c.rows("baseline")
    if not rows:
        return []
    return [Paragraph(baseline_sentence(rows, c)), baseline_table(c, rows)]


def baseline_sentence(rows: list[dict[str, Any]], c: Context) -> str:
    """Say how many readings reproduce the stated value, whether the default does; on made data, that it proves nothing."""
    lang, hits = c.lang, sum(bool(r["reproduces"]) for r in rows)
    default = next((r for r in rows if r["default"]), None)
    stated = percent(rows[0]["stated"])
    parts = [say("robustness.baseline", lang, label=named(rows[0], lang), stated=stated, n=len(rows), hits=hits)]
    if default is not None and known(default["value"]):
        key = "robustness.baseline_yes" if default["reproduces"] else "robustness.baseline_no"
        parts.append(say(key, lang, year=int(default["year"]), value=percent(default["value"])))
    if known(c.meta["synthetic"]) and c.meta["synthetic"]:
        parts.append(say("robustness.baseline_made", lang))
    return sentence(parts, lang)


def baseline_table(c: Context, rows: list[dict[str, Any]], *, every: bool = False) -> Table:
    """Lay out readings of the statistic with their value for the base year: those that differ in value, or every one."""
    yes, no = {"zh": ("是", "否"), "en": ("yes", "no")}[c.lang]
    gap, key = ("；", "words") if c.lang == "zh" else ("; ", "words_en")
    body, seen = [], set()
    for r in rows:
        mark = (r["id"], r["year"], r["n"], round(r["value"], 9) if known(r["value"]) else None)
        if mark in seen and not every:
            continue
        seen.add(mark)
        value = percent(r["value"]) if known(r["value"]) else None
        hit = Cell(yes, tone="good") if r["reproduces"] else no
        body.append({**r, "reading": gap.join(r[key]), "year": str(int(r["year"])), "value": value, "hit": hit})
    title = say("robustness.baseline_table", c.lang, stated=percent(rows[0]["stated"]))
    note = "" if every else say("robustness.baseline_alike", c.lang, n=len(rows))
    return tabulate(c, "baseline", body, title, source=c.source("tax", "land"), note=note, cite=c.document)
