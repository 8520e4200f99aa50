"""Section 一、总体情况: how many, how much, who is listed, what is met, what moved; and the key figures above it."""

from __future__ import annotations

from typing import Any

from lyeval.render import Bullets, KeyFigure, KeyFigures, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.attainment import target_sentence, verdict_sentence
from lyeval.report.context import Context
from lyeval.report.listing import spread_table
from lyeval.report.outlook import lead_sentences
from lyeval.report.progress import flow_sentence
from lyeval.report.spread import here
from lyeval.report.tabulate import tabulate
from lyeval.report.words import (
    count,
    few,
    goal_text,
    known,
    listed,
    named,
    number,
    range_text,
    say,
    sentence,
    share,
    status_text,
    tone_of,
    value_text,
    word,
)


def overall(c: Context) -> list[Block]:
    """Write the section."""
    rows = c.rows("targets")
    blocks: list[Block] = [Paragraph(base_sentence(c)), Paragraph(listed_sentence(c))]
    if rows:
        blocks += [
            Paragraph(verdict_sentence(rows, c.year, c.lang)),
            Bullets(tuple(target_sentence(r, c.lang) for r in rows)),
        ]
    blocks.append(Paragraph(sentence([flow_sentence(c), opening_sentence(c)], c.lang)))
    ahead = lead_sentences(c)
    if ahead:
        blocks.append(Bullets(tuple(ahead)))
    blocks += [table for table in (county_table(c), trend_table(c)) if table is not None]
    return blocks


def key_figures(c: Context) -> KeyFigures:
    """Return what a leader reads first: each target, and the list."""
    items = []
    for row in c.rows("targets")[:5]:
        note = listed([GOAL[c.lang] + goal_text(row, c.lang), status_text(row, c.lang)], c.lang)
        open_ = row["status"] == "undetermined" and known(row["low"]) and row["low"] != row["high"] and not few(row)
        value = range_text(row["low"], row["high"], row, c.lang) if open_ else value_text(row, c.lang)
        value = status_text(row, c.lang) if row["reason"] == "empty_class" else value
        items.append(KeyFigure(named(row, c.lang), value, "", tone_of(row), note))
    stock = stock_of(c)
    note = say("overall.by_class", c.lang, above_name=c.class_("above"), below_name=c.class_("below"), above=stock["above"],
               below=stock["below"])  # fmt: skip
    unit = {"zh": "家", "en": "firms"}[c.lang]
    items.append(KeyFigure(say("overall.key_listed", c.lang, year=c.year), count(stock["listed"]), unit, "plain", note))
    return KeyFigures(tuple(items))


def stock_of(c: Context) -> dict[str, Any]:
    """Sum up the enterprises: in the ledger, in scope and here, listed, by class, land and tax; one source for all sentences."""
    firms = c.frame("enterprises")
    stay = here(firms)
    both = stay[stay["tax_wan"].notna() & stay["land_mu"].notna()]
    tax, land = float(both["tax_wan"].sum()), float(both["land_mu"].sum())
    mine = firms[firms["listed"]]
    return {
        "ledger": len(firms), "scope": len(stay), "scope_above": int((stay["class"] == "above").sum()),
        "scope_below": int((stay["class"] == "below").sum()), "without": len(stay) - len(both), "tax": tax, "land": land,
        "mean": tax / land if land > 0 else None, "listed": len(mine), "above": int((mine["class"] == "above").sum()),
        "below": int((mine["class"] == "below").sum()), "listed_land": float(mine["land_mu"].sum()),
        "open": int(sum(v is None for v in firms["identified"])), "scope_land": float(stay["land_mu"].sum()),
        "listed_here_land": float(stay.loc[stay["listed"], "land_mu"].sum()),
        "listed_here": int(stay["listed"].sum()),
    }  # fmt: skip


def base_sentence(c: Context) -> str:
    """Say how many enterprises there are, in scope, by class, with land, tax and tax per mu."""
    s, lang = stock_of(c), c.lang
    unclear = s["scope"] - s["scope_above"] - s["scope_below"]
    parts = [say("overall.base", lang, year=c.year, place=c.place, ledger=count(s["ledger"]), scope=count(s["scope"]),
                 above_name=c.class_("above"), below_name=c.class_("below"), above=count(s["scope_above"]),
                 below=count(s["scope_below"]),
                 unclear=say("overall.unclear", lang, n=unclear) if unclear else "")]  # fmt: skip
    if known(s["mean"]):
        without = say("overall.without", lang, n=s["without"]) if s["without"] else ""
        parts.append(say("overall.mean", lang, land=number(s["land"], 0), tax=number(s["tax"], 0), mean=number(s["mean"]),
                         without=without))  # fmt: skip
    return sentence(parts, lang)


def listed_sentence(c: Context) -> str:
    """Say how many meet the criteria, by class and by legal stage, their land, and how many cannot be told yet."""
    s, lang = stock_of(c), c.lang
    parts = [say("overall.listed", lang, before=c.year - 1, n=count(s["listed"]), above_name=c.class_("above"),
                 below_name=c.class_("below"), above=count(s["above"]), below=count(s["below"]),
                 land=number(s["listed_land"], 0))]  # fmt: skip
    if s["scope_land"]:
        part = share(s["listed_here_land"], s["scope_land"], s["scope"], lang)
        parts.append(say("overall.listed_share", lang, n=count(s["listed_here"]), share=part))
    stages = [r for r in c.rows("stages") if r["n"]]
    if any(r["stage"] != "符合认定条件" for r in stages):
        words = [say("overall.stage", lang, stage=word(r["stage"], lang), n=r["n"]) for r in stages]
        parts.append(say("overall.stages", lang, parts=listed(words, lang)))
    if s["open"]:
        parts.append(say("overall.open", lang, n=s["open"]))
    return sentence(parts, lang)


def opening_sentence(c: Context) -> str:
    """Say how long next year's list is and how many come anew; by the same rule where the plan does not reach."""
    rows = c.rows("opening_list")
    sure = [r for r in rows if r["identified"] is True]
    firms = c.frame("enterprises")
    reached = set(firms.loc[firms["reached"], "credit_code"])
    old, line = [r["credit_code"] for r in sure if r["before"]], sum(bool(r["by_line"]) for r in sure)
    again = len(reached & set(old))
    text = say("overall.opening" if c.meta["next_governed"] else "overall.opening_as_if", c.lang, year=c.year, next=c.year + 1,
               n=len(sure), old=len(old), new=len(sure) - len(old),
               again=say("overall.opening_again", c.lang, n=again) if again else "")  # fmt: skip
    more = say("overall.opening_line", c.lang, n=line) if line else ""
    waiting = say("overall.opening_open", c.lang, n=len(rows) - len(sure)) if len(rows) > len(sure) else ""
    return sentence([text + more + STOP[c.lang], waiting], c.lang)


def county_table(c: Context) -> Table | None:
    """Lay out the counties side by side where the ledger names more than one."""
    return spread_table(c, "county") if len([r for r in c.rows("counties") if r["county"]]) > 1 else None


def trend_table(c: Context) -> Table | None:
    """Lay out tax, land and tax per mu of the whole ledger over the years."""
    rows = [{**r, "year": str(r["year"])} for r in c.rows("totals") if r["year"] <= c.year]
    if not rows:
        return None
    return tabulate(c, "trend", rows, say("overall.trend_table", c.lang), source=c.source("tax", "land"),
                    note=say("overall.trend_note", c.lang))  # fmt: skip


GOAL = {"zh": "目标", "en": "goal "}
STOP = {"zh": "。", "en": "."}
