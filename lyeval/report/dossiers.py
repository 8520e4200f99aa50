"""一企一档: one page for each listed enterprise, from the run's tables."""

from __future__ import annotations

from typing import Any

from lyeval.render import Document, Heading, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context
from lyeval.report.document import footer, notice
from lyeval.report.listing import firm_rows, listed_codes
from lyeval.report.tabulate import tabulate
from lyeval.report.words import amount, day, joined, known, named, number, say, sentence, shown, word

Row = dict[str, Any]


def dossiers(c: Context) -> Document:
    """Return the dossiers of the year's list as one document, a page each, by township and credit code.

    Source: ``enterprises``, ``file_years``, ``file_steps``, ``file_methods``, ``list_missed`` and ``list_reached`` of the run.
    """
    parts = {name: _grouped(c, f"file_{name}") for name in ("years", "steps", "methods")}
    cases = {r["credit_code"]: r for name in ("list_missed", "list_reached") for r in c.rows(name)}
    blocks: list[Block] = []
    for place, firm in enumerate(firm_rows(c, listed_codes(c))):
        code = firm["credit_code"]
        mine = {name: rows.get(code, []) for name, rows in parts.items()}
        blocks.append(Heading(1, str(firm["name"] or code), fresh=place > 0))
        blocks += page(c, firm, mine, cases.get(code, {}))
    title = say("dossier.title", c.lang, place=c.place, year=c.year)
    return Document(title, "", (), tuple(blocks), c.lang, notice(c), footer(c))


def page(c: Context, firm: Row, parts: dict[str, list[Row]], case: Row) -> list[Block]:
    """Write one enterprise's page: where it stands, on what ground, what may be done and what was; its facts; its years."""
    code, lines = firm["credit_code"], [standing_sentence(c, firm), ground_sentence(c, firm, parts["methods"])]
    lines += [case_sentence(c, firm, case), step_sentence(c, parts["steps"])]
    rows = [{**r, "year": str(int(r["year"])), "tax_per_mu": _per_mu(r, firm)} for r in parts["years"][-YEARS:]]
    return [
        *(Paragraph(line, close=True) for line in lines if line),
        facts_table(c, firm),
        tabulate(
            c, "dossier_years", rows, say("dossier.years", c.lang), id=f"years_{code}", source=c.source("tax", "land")
        ),
    ]


def _per_mu(row: Row, firm: Row) -> str:
    """Write a year's tax per mu, on its own side of the enterprise's line."""
    return shown(row["tax_per_mu"], firm["line"], "number")


def standing_sentence(c: Context, firm: Row) -> str:
    """Say where an enterprise stands: its stage, its tax per mu beside the line, what it lacks."""
    lang, value = c.lang, _value(firm["tax_per_mu"])
    stage = word(firm["stage"], lang) or "—"
    if str(firm["gone"]) == "True":
        return say("dossier.gone", lang, stage=stage, year=c.year)
    if not known(value) or not known(firm["line"]):
        return say("dossier.open", lang, stage=stage, year=c.year)
    values = {
        "stage": stage,
        "year": c.year,
        "value": shown(value, firm["line"], "number"),
        "line": f"{firm['line']:g}",
    }
    if str(firm["below_line"]) != "True":
        return say("dossier.reached", lang, **values)
    short = say("dossier.short", lang, short=number(firm["tax_needed_wan"])) if known(firm["tax_needed_wan"]) else ""
    return sentence([say("dossier.below", lang, **values), short], lang)


def _value(cell: Any) -> Any:
    return getattr(cell, "value", cell)


def facts_table(c: Context, firm: Row) -> Table:
    """Lay out what is known of an enterprise, two facts to a line; what is not known is a dash."""
    lang = c.lang
    values = {
        "code": firm["credit_code"], "township": firm["township"], "class": c.class_(firm["class"]), "industry": firm["industry_name"],
        "land": amount(number(firm["land_mu"]), "亩", lang), "tax": amount(number(firm["tax_wan"]), "万元", lang),
    }  # fmt: skip
    told = [(say(f"dossier.{k}", lang), v if known(v) and v else "—") for k, v in values.items()]
    rows = [
        {"item": a[0], "value": a[1], "other": b[0], "more": b[1]} for a, b in zip(told[::2], told[1::2], strict=True)
    ]
    return tabulate(c, "dossier_facts", rows, say("dossier.facts", lang), id=f"facts_{firm['credit_code']}")


def ground_sentence(c: Context, firm: Row, methods: list[Row]) -> str:
    """Name the criteria by which an enterprise is listed, each with its clause, and the ways of disposal that the plan allows it."""
    lang = c.lang
    held = [r for r in c.rows("criteria") if str(firm.get(f"criterion_{r['id']}")) == "True"]
    grounds = [say("dossier.cited", lang, label=named(r, lang), clause=r["clause"]) for r in held]
    lawful = [named(m, lang) for m in methods if m["lawful"] is True]
    waiting = [named(m, lang) for m in methods if m["lawful"] is None]
    parts = [say("dossier.ground", lang, grounds=joined(grounds, lang)) if grounds else ""]
    parts.append(say("dossier.ways", lang, names=joined(lawful, lang)) if lawful else "")
    parts.append(say("dossier.waiting", lang, names=joined(waiting, lang)) if waiting else "")
    return sentence(parts, lang)


def case_sentence(c: Context, firm: Row, case: Row) -> str:
    """Say how an enterprise is being disposed of, by when, by whom, and what comes next; what is not known is left out."""
    values = {
        "disposal": firm["disposal"], "due": day(case["due"], c.lang) if known(case.get("due")) else None,
        "responsible": case.get("responsible"), "next": case.get("next_step"),
    }  # fmt: skip
    told = [say(f"dossier.{k}", c.lang, value=v) for k, v in values.items() if known(v) and v]
    return ("；" if c.lang == "zh" else "; ").join(told) + ("。" if c.lang == "zh" else ".") if told else ""


def step_sentence(c: Context, steps: list[Row]) -> str:
    """Say which steps of the procedure were taken, and when; a period that runs is told by its last day."""
    parts = [
        say("dossier.step" if known(r["on"]) else "dossier.step_due", c.lang, label=named(r, c.lang),
            day=day(r["on"] if known(r["on"]) else r["due"], c.lang))
        for r in steps if known(r["on"]) or known(r["due"])
    ]  # fmt: skip
    return (
        say("dossier.steps", c.lang, parts=("；" if c.lang == "zh" else "; ").join(parts))
        if parts
        else say("dossier.no_steps", c.lang)
    )


def _grouped(c: Context, name: str) -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = {}
    for row in c.rows(name):
        out.setdefault(str(row["credit_code"]), []).append(row)
    return out


YEARS = 3
