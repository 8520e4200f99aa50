"""Papers beside the report (文书、一企一档、调度表): their templates filled, and the tables that they lay out.

What the ledger does not say is a line to be filled in by hand, never a guess. A draft is no decision: each says so in its last line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from itertools import zip_longest
from typing import Any

from lyeval.render import Document, Table, format_value
from lyeval.render.blocks import Column, Lang
from lyeval.report.context import Context
from lyeval.report.document import footer, notice
from lyeval.report.filling import fill, titled
from lyeval.report.sheets import lay_out
from lyeval.report.tabulate import Laid, said
from lyeval.report.template import BLANK
from lyeval.report.words import amount, clauses, coded, day, joined, known, named, number, phrase, shown, word

Row = dict[str, Any]


def drafts(c: Context) -> dict[str, Document]:
    """Return the papers that the year asks for, by id; one that concerns nobody is left out."""
    held = set(c.frame("papers").get("paper", ()))
    return {
        name: _document(c, name, phrase("draft_footer", c.lang, document=c.document))
        for name, asks in DRAFTS.items()
        if held & set(asks) or (name == "letter" and c.rows("list_pressed"))
    }


def dossiers(c: Context) -> Document:
    """Return the dossiers of the year's list as one document, a page each, by township, most land first."""
    return _document(c, "dossier", footer(c))


def schedule(c: Context) -> Document:
    """Return the fortnightly table: what is known filled in, progress and signature left blank."""
    return _document(c, "schedule", footer(c))


def _document(c: Context, name: str, last: str) -> Document:
    things = {"table": lambda key, *args: TABLES[key](c, *(getattr(a, "raw", a) for a in args))}
    title, blocks = titled(fill(name, c, things))
    return Document(title, "", (), tuple(blocks), c.lang, notice(c), last)


def _papers(c: Context, *names: str) -> list[Row]:
    return [{**r, "number": k} for k, r in enumerate((r for r in c.rows("papers") if r["paper"] in names), start=1)]


@lru_cache(maxsize=16)
def _grouped(c: Context, name: str) -> dict[str, list[Row]]:
    """Return a table's rows by credit code."""
    out: dict[str, list[Row]] = {}
    for row in c.rows(name):
        out.setdefault(str(row["credit_code"]), []).append(row)
    return out


def _cited(ground: Row, lang: Lang) -> str:
    """Name a ground with its clause."""
    return phrase("cited", lang, label=named(ground, lang), clause=clauses(ground["clause"], lang))


def publication(c: Context) -> Table:
    """Lay out who is to be published: name, township and ground; no figure of any enterprise."""
    grounds: dict[str, list[str]] = {}
    for r in c.rows("evidence"):
        told = _cited(r, c.lang)
        mine = grounds.setdefault(str(r["credit_code"]), [])
        mine += [told] if told not in mine else []
    rows = [
        {**r, "grounds": joined(grounds.get(r["credit_code"], []), c.lang) or BLANK} for r in _papers(c, "publication")
    ]
    return lay_out(c, "publication", rows)


def priority(c: Context, paper: str) -> Table:
    """Lay out the priority firms that are named (``priority``), or that meet a trigger and are not (``candidate``)."""
    lists = {r["credit_code"]: r for r in c.rows("list_priority")}
    key, gap = ("effects_en", "; ") if c.lang == "en" else ("effects", "；")
    rows = [
        {
            **lists[r["credit_code"]],
            "number": r["number"],
            "measures": gap.join(lists[r["credit_code"]][key] or []) or BLANK,
            "on": r["named"],
        }
        for r in _papers(c, paper)
    ]
    return lay_out(c, paper, rows)


def letter(c: Context, unit: str) -> Table:
    """Lay out whom one unit is to be pressed for."""
    mine = [r for r in c.rows("list_pressed") if r["responsible"] == unit]
    rows = [{**r, "number": k, "reason": said(c, r["reasons"], "reason")} for k, r in enumerate(mine, start=1)]
    return lay_out(c, "letter", Laid(rows, of=f"_{unit}"))


def writeoff(c: Context, code: str) -> Table:
    """Lay out one application to be written off: what is known filled in, opinions and signatures left blank."""
    firm, lang = next(r for r in _grouped(c, "papers")[code] if r["paper"] == "writeoff"), c.lang
    held = {e["criterion"] for e in _grouped(c, "evidence").get(code, [])}
    grounds = [r for r in c.rows("criteria") if r["id"] in held]
    values = {
        "code": code,
        "township": firm["township"],
        "method": named(firm, lang, "method"),
        "outcome": word(firm["outcome"], lang),
        "grounds": joined([_cited(r, lang) for r in grounds], lang),
        **{name: day(firm[name], lang) if known(firm[name]) else "" for name in ("certified", "finished", "accepted")},
        "land": amount(number(firm["land_mu"]), "亩", lang),
        "tax": amount(number(firm["tax_wan"]), "万元", lang),
        "mean": amount(shown(firm["tax_per_mu"], firm["line"], "number"), "万元/亩", lang),
        **dict.fromkeys(("person", "opinion_firm", "opinion_town", "opinion_office"), ""),
    }
    rows = [{"item": coded("form", k, lang), "value": v or BLANK} for k, v in values.items()]
    return lay_out(c, "writeoff", Laid(rows, of=f"_{code}"))


def survey_form(c: Context, code: str) -> Table:
    """Lay out one firm's survey form, two fields to a line; without a form in the plan, who it is and its figures."""
    filled = [(named(r, c.lang), _written(r, c)) for r in _grouped(c, "survey_form").get(code, [])]
    if not filled:
        firm = _grouped(c, "files")[code][0]
        values = {
            "code": code,
            "township": firm["township"],
            "class": c.class_(firm["class"]),
            "industry": firm["industry"],
            "land": amount(number(firm["land_mu"]), "亩", c.lang),
            "tax": amount(number(firm["tax_wan"]), "万元", c.lang),
        }
        filled = [(coded("dossier", k, c.lang), str(v) if known(v) and v else "—") for k, v in values.items()]
    pairs = zip_longest(filled[::2], filled[1::2], fillvalue=("", ""))
    rows = [{"item": a[0], "value": a[1], "other": b[0], "more": b[1]} for a, b in pairs]
    return lay_out(c, "survey_form", Laid(rows, of=f"_{code}"))


def _written(row: Row, c: Context) -> str:
    value = row["value_en"] if c.lang == "en" and known(row["value_en"]) else row["value"]
    if not known(value):
        return ""
    if isinstance(value, int | float):
        digits = None if float(value) % 1 else 0
        return amount(format_value(Column("", "", kind="number", digits=digits), value), row["unit"], c.lang)
    text = str(value)
    return day(text[:10], c.lang) if text[4:5] == "-" and text[7:8] == "-" else word(text, c.lang)


def schedule_table(c: Context) -> Table:
    """Lay out the firms that are not settled: by the unit that answers, those behind first."""
    english = c.lang == "en"
    behind = {r["credit_code"]: said(c, r["reasons"], "reason") for r in c.rows("list_pressed")}
    firms = c.frame("enterprises").set_index("credit_code")
    rows = []
    for r in [*c.rows("list_missed"), *c.rows("list_undecided")]:
        code, unit = r["credit_code"], r.get("responsible")
        rows.append(
            {
                **r,
                "unit": unit if known(unit) and unit else r["township"],
                "behind": behind.get(code, ""),
                "disposal": firms["method_en" if english else "method"].get(code) or BLANK,
                "state": word(r.get("outcome"), c.lang) or BLANK,
                "done": BLANK,
            }
        )
    rows.sort(key=lambda r: (str(r["unit"]), not r["behind"], str(r["credit_code"])))
    return lay_out(c, "schedule", rows)


TABLES: Mapping[str, Callable[..., Table]] = {
    "publication": publication,
    "priority": priority,
    "letter": letter,
    "writeoff": writeoff,
    "survey_form": survey_form,
    "schedule": schedule_table,
}
DRAFTS: dict[str, tuple[str, ...]] = {  # a template, and the papers of the table that it writes
    "notice": ("notice",),
    "certificate": ("certificate",),
    "publication": ("publication",),
    "priority": ("priority", "candidate"),
    "letter": (),
    "agreement": ("agreement",),
    "intent": ("intent",),
    "writeoff": ("writeoff",),
}
