"""双周调度表: the listed who are not settled, one line each, with room for what the fortnight brought."""

from __future__ import annotations

from typing import Any

from lyeval.render import Document, Paragraph, Table
from lyeval.report.context import Context
from lyeval.report.document import footer, notice
from lyeval.report.rolls import WORDS as REASONS
from lyeval.report.tabulate import tabulate
from lyeval.report.words import day, known, say, word

BLANK = "________"


def schedule(c: Context) -> Document:
    """Return the fortnightly table as a document: what is known filled in, progress and signature left blank."""
    blocks = (Paragraph(opening(c)), table(c), Paragraph(say("schedule.closing", c.lang, blank=BLANK)))
    return Document(say("schedule.title", c.lang, place=c.place), "", (), blocks, c.lang, notice(c), footer(c))


def opening(c: Context) -> str:
    """Say how many stand on the table and how many of them are behind."""
    rows = _rows(c)
    late = sum(bool(r["behind"]) for r in rows)
    return say("schedule.opening", c.lang, cutoff=day(c.meta["cutoff"], c.lang), n=len(rows), late=late, blank="____")


def table(c: Context) -> Table:
    """Lay out the table: by unit that answers, those behind first."""
    return tabulate(c, "schedule", _rows(c), say("schedule.table", c.lang), source=c.source("tax", "towns"),
                    note=say("schedule.note", c.lang), cite=c.document)  # fmt: skip


def _rows(c: Context) -> list[dict[str, Any]]:
    gap, english = ("；", False) if c.lang == "zh" else ("; ", True)
    behind = {r["credit_code"]: gap.join(REASONS[k][english] for k in r["reasons"]) for r in c.rows("list_pressed")}
    firms = c.frame("enterprises").set_index("credit_code")
    rows = []
    for r in [*c.rows("list_missed"), *c.rows("list_undecided")]:
        code = r["credit_code"]
        unit = r.get("responsible")
        rows.append({
            **r, "unit": unit if known(unit) and unit else r["township"], "behind": behind.get(code, ""),
            "disposal": firms["method_en" if english else "method"].get(code) or BLANK,
            "state": word(r.get("outcome"), c.lang) or BLANK, "done": BLANK,
        })  # fmt: skip
    return sorted(rows, key=lambda r: (str(r["unit"]), not r["behind"], str(r["credit_code"])))
