"""Section 二、目标完成情况: each target's value against its goal, what it lacks, and whom it turns on."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lyeval.render import Cell, Figure, Note, Paragraph, Table
from lyeval.render.blocks import Block, Lang
from lyeval.report.context import Context
from lyeval.report.tabulate import Heading, tabulate
from lyeval.report.words import (
    FEW,
    amount,
    count,
    few,
    goal_text,
    joined,
    kind_of,
    known,
    named,
    number,
    range_text,
    say,
    sentence,
    shown,
    status_text,
    tone_of,
    value_text,
)

MOST = 10


def attainment(c: Context) -> list[Block]:
    """Write the section."""
    rows = c.rows("targets")
    if not rows:
        return [Paragraph(say("attainment.no_targets", c.lang, year=c.year, years=_years(c)))]
    blocks: list[Block] = [Paragraph(verdict_sentence(rows, c.year, c.lang))]
    blocks.append(attainment_figure(c, rows))
    blocks.append(target_table(c, rows))
    by_county = county_table(c)
    blocks += [by_county] if by_county else []
    blocks += [Note(text, "open") for text in open_sentences(rows, c)]
    for row in rows:
        text = turns_sentence(row, c)
        if text:
            blocks += [Paragraph(text), turning_table(c, row)]
    return blocks


def _years(c: Context) -> str:
    return joined([str(y) for y in c.meta["target_years"]], c.lang)


def verdict_sentence(rows: list[dict[str, Any]], year: int, lang: Lang) -> str:
    """Say how many targets are met, missed and undetermined; 不涉及 is not counted."""
    empty = sum(r["reason"] == "empty_class" for r in rows)
    counts = {
        s: sum(r["status"] == s and r["reason"] != "empty_class" for r in rows)
        for s in ("met", "missed", "undetermined")
    }
    parts = [say(f"attainment.n_{s}", lang, n=n) for s, n in counts.items() if n]
    if empty:
        parts.append(say("attainment.n_empty", lang, n=empty))
    return say("attainment.verdict", lang, year=year, n=len(rows), parts=("，" if lang == "zh" else ", ").join(parts))


def target_sentence(row: dict[str, Any], lang: Lang) -> str:
    """Say one target: value, goal, status, and what it lacks."""
    label = named(row, lang)
    if row["reason"] == "empty_class":
        return say("attainment.target_empty", lang, label=label)
    if not known(row["goal"]):
        return say("attainment.target_no_goal", lang, label=label, value=value_text(row, lang))
    if row["status"] == "undetermined":
        return say("attainment.target_open", lang, label=label, goal=goal_text(row, lang), reason=named(row, lang, "reason_zh")
                   if lang == "zh" else str(row["reason_en"]))  # fmt: skip
    short = short_text(row, lang)
    key = "target_met" if row["status"] == "met" else "target_missed"
    tail = say("attainment.short" if row["op"] == "ge" else "attainment.over", lang, short=short) if short else ""
    return say(
        f"attainment.{key}", lang, label=label, value=value_text(row, lang), goal=goal_text(row, lang), short=tail
    )


def short_text(row: dict[str, Any], lang: Lang) -> str:
    """Write what a missed target lacks, in its own things: 2家, 47.24亩 too much; empty where nothing is."""
    if row["status"] != "missed" or not known(row["short_by"]) or not row["short_by"]:
        return ""
    thing = str(row["thing"])
    text = count(row["short_by"]) if thing in ("家", "个", "m²") else number(row["short_by"], 2)
    return amount(text, thing, lang)


def needed_text(row: dict[str, Any], lang: Lang) -> str:
    """Write where the target's numerator must stand, in its own things."""
    if not known(row["needed"]):
        return "—"
    thing = str(row["thing"])
    text = count(row["needed"]) if thing in ("家", "个", "m²") else number(row["needed"], 2)
    sign = "≥" if row["op"] == "ge" else "≤"
    return f"{'' if row['needed'] == 0 and row['op'] == 'le' else sign}{amount(text, thing, lang)}"


def gap_text(row: dict[str, Any], lang: Lang) -> str:
    """Write value − goal, in points for a share; nothing under ten enterprises, where no percentage stands."""
    if not known(row["gap"]) or few(row):
        return "—"
    sign = "+" if row["gap"] > 0 else "−" if row["gap"] < 0 else ""
    if row["kind"] == "share":
        places = next((d for d in range(1, 8) if round(abs(row["gap"]) * 100, d) > 0), 1) if row["gap"] else 1
        return f"{sign}{number(abs(row['gap']) * 100, places)}{({'zh': '个百分点', 'en': ' points'})[lang]}"
    digits = 2 if kind_of(row) == "number" else 0
    return amount(f"{sign}{number(abs(row['gap']), digits)}", row["unit"], lang)


def target_table(c: Context, rows: list[dict[str, Any]]) -> Table:
    """Lay out the targets: goal, value, gap, what is needed and lacking, bounds, status, clause."""
    lang = c.lang
    body = [
        {
            **r, "goal": goal_text(r, lang), "value": value_text(r, lang), "gap": gap_text(r, lang), "needed": needed_text(r, lang),
            "short": short_text(r, lang) or "—", "bounds": _bounds(r, lang), "status": Cell(status_text(r, lang), tone=tone_of(r)),
        }
        for r in rows
    ]  # fmt: skip
    return tabulate(c, "targets", body, say("attainment.table", lang, year=c.year), source=c.source("tax", "land", "statistics"),
                    note=_table_note(rows, lang), cite=c.document)  # fmt: skip


def county_table(c: Context) -> Table | None:
    """Lay out each county's part in the targets; None for a single county."""
    rows, own = c.rows("county_targets"), {r["id"]: r for r in c.rows("targets")}
    counties = sorted({str(r["county"]) for r in rows})
    if len(counties) < 2:
        return None
    told = {(str(r["county"]), str(r["target"])): _county_cell(r, own[r["target"]], c.lang) for r in rows}
    ids = [id for id in own if any(key[1] == id for key in told)]
    heads = [Heading("county", "县区", "County", "", "text")]
    heads += [Heading(id, str(own[id]["label"]), str(own[id]["label_en"]), "", "text") for id in ids]
    body = [{"county": name} | {id: told.get((name, id)) for id in ids} for name in counties]
    return tabulate(c, "county_targets", body, say("attainment.county_table", c.lang, year=c.year), columns=heads,
                    source=c.source("tax", "towns"), note=say("attainment.county_note", c.lang), cite=c.document)  # fmt: skip


def _county_cell(row: dict[str, Any], target: dict[str, Any], lang: Lang) -> str:
    """Write a county's part: a/b with its percentage where ten firms or more are counted, else a/b; a number where there is no whole."""
    if not known(row["whole"]):
        return amount(count(row["part"]), target["unit"], lang)
    digits = 0 if target["weight"] == "count" else 1
    text = f"{number(row['part'], digits)}/{number(row['whole'], digits)}"
    if int(row["n"]) < FEW or not row["whole"]:
        return text
    near = shown(row["part"] / row["whole"], target["goal"], "percent")
    return f"{text}（{near}）" if lang == "zh" else f"{text} ({near})"


def _bounds(row: dict[str, Any], lang: Lang) -> str:
    low, high = row["low"], row["high"]
    if not known(low) or not known(high) or row["low"] == row["high"] or few(row):
        return "—"
    return range_text(low, high, row, lang)


def _table_note(rows: list[dict[str, Any]], lang: Lang) -> str:
    notes = [say("attainment.note_bounds", lang)] if any(_bounds(r, lang) != "—" for r in rows) else []
    if any(few(r) for r in rows):
        notes.append(say("attainment.note_few", lang))
    if any(r["force"] == "aspirational" for r in rows):
        notes.append(say("attainment.note_force", lang))
    return sentence(notes, lang)


def attainment_figure(c: Context, rows: list[dict[str, Any]]) -> Figure:
    """Draw the targets against their goals."""
    from lyeval import figures

    drawn = figures.attainment(drawable(rows), lang=c.lang)
    alt = (" ").join(target_sentence(r, c.lang) for r in rows)
    title = say("attainment.figure", c.lang, year=c.year)
    return figures.picture(drawn, "attainment_figure", title, alt, source=c.source("tax", "land"))


def drawable(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the targets for drawing: a share of land over fewer than ten enterprises is drawn in 亩, not in percent."""
    out = []
    for row in rows:
        if few(row) and row["weight"] == "land" and known(row["value"]):
            ends = {k: None if not known(row[k]) else row[k] * row["whole"] for k in ("low", "high")}
            row = {**row, "value": row["part"], "goal": row["goal"] * row["whole"], "unit": "亩", **ends}
        out.append(row)
    return pd.DataFrame(out).astype(object)


def open_sentences(rows: list[dict[str, Any]], c: Context) -> list[str]:
    """Say of each undetermined target why, and what would settle it."""
    return [target_sentence(r, c.lang) for r in rows if r["status"] == "undetermined" and r["reason"] != "empty_class"]


def turns_sentence(row: dict[str, Any], c: Context) -> str:
    """Introduce the enterprises that a target turns on; empty where the list would say nothing."""
    n = len(row["turns_on"] or [])
    if not n or row["kind"] not in ("share", "count") or row["reason"] == "empty_class":
        return ""
    key = {"missed": "turns_missed", "undetermined": "turns_open"}.get(str(row["status"]))
    if key is None:
        return ""
    text = say(f"attainment.{key}", c.lang, label=named(row, c.lang), n=n)
    return sentence([text, say("attainment.turns_most", c.lang, most=MOST) if n > MOST else ""], c.lang)


def turning_table(c: Context, row: dict[str, Any]) -> Table:
    """List the enterprises that a target turns on, the weightiest first."""
    from lyeval.report.listing import firm_table

    codes = list(row["turns_on"])[:MOST]
    title = say("attainment.turns_table", c.lang, label=named(row, c.lang))
    return firm_table(c, codes, title, id=f"turns_{row['id']}", cite=f"{c.document} {row['clause']}")
