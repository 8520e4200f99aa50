"""Section 八、下年度措施: whom the plan's consequences meet and what is withheld, land-use tax, next year's opening list."""

from __future__ import annotations

from typing import Any

from lyeval.render import Bullets, Note, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context
from lyeval.report.overall import opening_sentence
from lyeval.report.rolls import index
from lyeval.report.tabulate import headings, tabulate
from lyeval.report.words import (
    STATUS,
    amount,
    fact_name,
    joined,
    kind_of,
    known,
    named,
    number,
    range_text,
    say,
    sentence,
    shown,
)


def measures(c: Context) -> list[Block]:
    """Write the section."""
    blocks: list[Block] = []
    for id, rules in _by_consequence(c).items():
        rows = [r for r in c.rows("consequences") if r["consequence"] == id]
        blocks.append(Paragraph(consequence_sentence(rules, rows, c)))
        if rows and rules[0]["trigger"] in ("missed", "priority"):
            blocks.append(consequence_table(c, id, rules, rows))
    blocks += land_use_tax_blocks(c)
    blocks.append(Paragraph(opening_sentence(c)))
    if len(c.frame("opening_list")):
        blocks.append(opening_table(c, MOST))
    listed = index(c)
    return [*blocks, listed] if listed is not None else blocks


def _by_consequence(c: Context) -> dict[str, list[dict[str, Any]]]:
    out: dict[str, list[dict[str, Any]]] = {}
    for r in c.rows("consequence_rules"):
        out.setdefault(str(r["consequence"]), []).append(r)
    return out


def consequence_sentence(rules: list[dict[str, Any]], rows: list[dict[str, Any]], c: Context) -> str:
    """Say whom a consequence meets by rule, from when, and what is withheld; that nobody is met, or that it hangs on conduct."""
    lang, rule = c.lang, rules[0]
    told = dict.fromkeys(str(r["effect_en" if lang == "en" else "effect"]) for r in rules)
    effects = ("；" if lang == "zh" else "; ").join(told)
    values = {
        "label": named(rule, lang), "clause": rule["clause"], "n": len(rows), "year": int(rule["year"]), "effects": effects,
        "above": sum(r["class"] == "above" for r in rows), "below": sum(r["class"] == "below" for r in rows),
        "above_name": c.class_("above"), "below_name": c.class_("below"),
    }  # fmt: skip
    if rule["trigger"] in ("refused", "behind"):
        return say(f"measures.{rule['trigger']}", lang, **values)
    if not rows:
        return say("measures.nobody", lang, **values)
    text = say(f"measures.c_{rule['trigger']}", lang, **values)
    return sentence(
        [text, _upgraded(c, rows) if rule["trigger"] == "reached" and not any(r["grounds"] for r in rows) else ""], lang
    )


def _upgraded(c: Context, rows: list[dict[str, Any]]) -> str:
    """Say how many of those that reached did so by technical upgrading, as the ledger has it."""
    cases = c.frame("disposals")
    if "upgraded" not in cases:
        return say("measures.upgraded_unknown", c.lang)
    done = cases[(cases["upgraded"].fillna(False).astype(bool)) & (cases["state"] != "open")]["credit_code"]
    return say("measures.upgraded", c.lang, n=len({r["credit_code"] for r in rows} & set(done)))


def consequence_rows(c: Context, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return whom consequences meet, by township, with grounds and measures in words."""
    key, gap = ("effects_en", "; ") if c.lang == "en" else ("effects", "；")
    ordered = sorted(
        rows, key=lambda r: (str(r["consequence"]), str(r["township"]), -(r["land_mu"] or 0), r["credit_code"])
    )
    return [
        {
            **r, "grounds": joined([fact_name(g, c.lang) for g in r["grounds"] or []], c.lang) or None,
            "effects": gap.join(r[key] or []),
        }
        for r in ordered
    ]  # fmt: skip


def consequence_table(c: Context, id: str, rules: list[dict[str, Any]], rows: list[dict[str, Any]]) -> Table:
    """List whom a consequence meets, with grounds; what is withheld stands in the sentence above it, and per firm in the annex."""
    body = consequence_rows(c, rows)
    heads = [h for h in headings("consequence") if h.key != "grounds" or any(r["grounds"] for r in body)]
    title = say("measures.table", c.lang, label=named(rules[0], c.lang), year=int(rules[0]["year"]))
    cite = say("measures.cite", c.lang, document=c.document, clause=rules[0]["clause"])
    return tabulate(c, "consequence", body, title, id=f"consequence_{id}", columns=heads, source=c.source("tax", "towns"),
                    note=say("measures.distance", c.lang), cite=cite, sortable=len(body) > 12)  # fmt: skip


def land_use_tax_blocks(c: Context) -> list[Block]:
    """Explain the land-use tax of the plan: full rates per 亩, that only the increment counts, verdicts with and without it."""
    rates = [r for r in c.rows("consequence_rules") if r["kind"] == "land_use_tax" and known(r["rate_yuan_m2"])]
    if not rates:
        return []
    told = [
        say(
            "measures.rate",
            c.lang,
            effect=r["effect_en" if c.lang == "en" else "effect"],
            mu=number(r["rate_yuan_m2"] * MU_M2 / 1e4, 3),
        )
        for r in rates
    ]
    source = say("measures.increment_given" if c.meta["land_use_tax_input"] else "measures.increment_unknown", c.lang)
    blocks: list[Block] = [
        Note(sentence([say("measures.land_use_tax", c.lang, rates=joined(told, c.lang)), source], c.lang))
    ]
    lines = land_use_tax_sentences(c)
    return blocks + ([Bullets(tuple(lines))] if lines else [])


def land_use_tax_sentences(c: Context) -> list[str]:
    """Say each target with and without the land-use tax charged as a penalty."""
    own = {r["id"]: r for r in c.rows("targets")}
    out = []
    for id, target in own.items():
        rows = {r["counted"]: r for r in c.rows("land_use_tax") if r["id"] == id}
        if len(rows) == 2 and target["kind"] in ("share", "count", "mean"):
            cells = {k: _with(rows[k], target, c) for k in ("with", "without")}
            out.append(
                say("measures.with_without", c.lang, label=named(target, c.lang), a=cells["with"], b=cells["without"])
            )
    return out


def _with(row: dict[str, Any], target: dict[str, Any], c: Context) -> str:
    lang, told = c.lang, STATUS[str(row["status"])][c.lang == "en"]
    value = (
        amount(shown(row["value"], target["goal"], kind_of(target)), target["unit"], lang)
        if known(row["value"])
        else "—"
    )
    if known(row["low"]) and known(row["high"]) and row["low"] != row["high"] and row["status"] == "undetermined":
        value = range_text(row["low"], row["high"], target, lang)
    return f"{value}（{told}）" if lang == "zh" else f"{value} ({told})"


def opening_table(c: Context, most: int | None = None) -> Table:
    """List who opens next year's list: new ones first, then those that remain, then those that wait for data."""
    labels = {r["id"]: named(r, c.lang) for r in c.rows("criteria")}
    rows = sorted(c.rows("opening_list"), key=_opening_order)
    rows = rows if most is None else [r for r in rows if r["identified"] is True]
    body = [{**r, "state": _state(r, c), "criteria": joined([labels.get(k, str(k)) for k in r["criteria"] or []], c.lang) or None}
            for r in rows[:most]]  # fmt: skip
    key = "measures.opening_table" if c.meta["next_governed"] else "measures.opening_table_as_if"
    notes = [say("measures.distance", c.lang)]
    every = c.rows("opening_list")
    if len(every) > len(body):
        open_ = sum(r["identified"] is not True for r in every)
        waiting = say("measures.opening_waiting", c.lang, n=open_) if open_ else ""
        notes.append(say("measures.opening_rest", c.lang, shown=len(body), n=len(every), waiting=waiting))
    return tabulate(c, "opening_list", body, say(key, c.lang, year=c.year + 1), source=c.source("tax", "land", "statistics"),
                    note=sentence(notes, c.lang), cite=c.document, sortable=len(body) > 12)  # fmt: skip


def _opening_order(row: dict[str, Any]) -> tuple[bool, bool, str, str]:
    return (row["identified"] is not True, bool(row["before"]), str(row["township"]), str(row["credit_code"]))


def _state(row: dict[str, Any], c: Context) -> str:
    if row["identified"] is not True:
        return say("measures.state_open", c.lang)
    name = "old" if row["before"] else "line" if row["by_line"] else "new"
    return say(f"measures.state_{name}", c.lang)


MU_M2 = 2000 / 3
MOST = 40
