"""Drafts of official papers (告知书、认定书、公示稿、通报稿、督办函、销号申请表), their blanks filled from the ledger.

What the ledger does not say is a visible blank to be filled by hand, never a guess. A draft is no decision: each says so in its last line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lyeval.render import Document, Heading, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context
from lyeval.report.document import notice
from lyeval.report.listing import firm_rows, listed_codes
from lyeval.report.rolls import WORDS as REASONS
from lyeval.report.tabulate import tabulate
from lyeval.report.words import amount, day, joined, known, named, number, say, shown, word

BLANK = "________"
Row = dict[str, Any]


def drafts(c: Context) -> dict[str, Document]:
    """Return the drafts that the year asks for, by id; one that concerns nobody is left out."""
    steps = {str(r["step"]) for r in c.rows("procedure")}
    made = {name: make(c) for name, needs, make in DRAFTS if not needs or needs in steps}
    return {name: _document(c, name, blocks) for name, blocks in made.items() if blocks}


def _document(c: Context, name: str, blocks: list[Block]) -> Document:
    footer = say("draft.footer", c.lang, document=c.document)
    return Document(say(f"draft.{name}", c.lang), "", (), tuple(blocks), c.lang, notice(c), footer)


def filled(value: Any) -> str:
    """Return a value as text, or a blank to be filled in where it is not known."""
    return str(value) if known(value) and value != "" else BLANK


def _firms(c: Context) -> list[Row]:
    """Return the listed who are still here, with their criteria and steps by id."""
    steps: dict[str, dict[str, Row]] = {}
    for row in c.rows("file_steps"):
        steps.setdefault(str(row["credit_code"]), {})[str(row["step"])] = row
    cases = {r["credit_code"]: r for name in ("list_missed", "list_reached") for r in c.rows(name)}
    return [
        {**r, "steps": steps.get(r["credit_code"], {}), "case": cases.get(r["credit_code"], {})}
        for r in firm_rows(c, listed_codes(c))
        if str(r["gone"]) != "True"
    ]


def _pages(c: Context, key: str, firms: list[Row], write: Callable[[Context, Row], list[Block]]) -> list[Block]:
    """Write one page for each enterprise."""
    blocks: list[Block] = []
    for place, firm in enumerate(firms):
        blocks.append(Heading(1, say(key, c.lang, name=filled(firm["name"])), fresh=place > 0))
        blocks += write(c, firm)
    return blocks


def _signed(c: Context) -> list[Block]:
    """Leave room for the unit that issues the paper, and its date."""
    return [Paragraph(say("draft.signed", c.lang, blank=BLANK)), Paragraph(say("draft.dated", c.lang, blank="____"))]


def _grounds(c: Context, firm: Row) -> str:
    held = [r for r in c.rows("criteria") if str(firm.get(f"criterion_{r['id']}")) == "True"]
    told = [say("dossier.cited", c.lang, label=named(r, c.lang), clause=r["clause"]) for r in held]
    return joined(told, c.lang) or BLANK


def _before(c: Context, firm: Row) -> str:
    """Write the tax per mu that the enterprise was listed by, on its own side of the line."""
    value = firm["tax_per_mu_before"]
    return shown(value, firm["line"], "number") if known(value) else BLANK


def _about(c: Context, firm: Row) -> dict[str, str]:
    """Return what every paper says of an enterprise."""
    return {
        "name": filled(firm["name"]), "code": filled(firm["credit_code"]), "township": filled(firm["township"]),
        "grounds": _grounds(c, firm), "value": _before(c, firm), "before": str(c.year - 1), "document": c.document,
        "plan": str(c.meta["policy_title_en" if c.lang == "en" else "policy_title"]), "land": filled(_number(firm["land_mu"])), "blank": BLANK,
    }  # fmt: skip


def _number(value: Any) -> str | None:
    return number(value) if known(value) else None


def _step(firm: Row, name: str, c: Context) -> str:
    row = firm["steps"].get(name, {})
    return day(row["on"], c.lang) if known(row.get("on")) else BLANK


def _days(c: Context, step: str) -> str:
    """Return the days that the plan allows for a step, a blank where it does not say."""
    row = next((r for r in c.rows("procedure") if r["step"] == step), {})
    return str(int(row["days"])) if known(row.get("days")) else BLANK


def notices(c: Context) -> list[Block]:
    """告知书: to each listed enterprise that has not been told yet."""
    firms = [f for f in _firms(c) if f["stage"] == "符合认定条件"]

    def write(c: Context, firm: Row) -> list[Block]:
        about = _about(c, firm)
        lines = [say(f"draft.notice_{k}", c.lang, days=_days(c, "statement"), **about) for k in (1, 2, 3)]
        return [*(Paragraph(line) for line in lines), *_signed(c)]

    return _pages(c, "draft.to", firms, write)


def certificates(c: Context) -> list[Block]:
    """认定书: to each enterprise that has been told and not certified yet."""
    firms = [f for f in _firms(c) if f["stage"] == "已告知"]

    def write(c: Context, firm: Row) -> list[Block]:
        dates = {"notified": _step(firm, "notified", c), "statement": _step(firm, "statement", c)}
        lines = [say(f"draft.certificate_{k}", c.lang, **dates, **_about(c, firm)) for k in (1, 2)]
        return [*(Paragraph(line) for line in lines), *_signed(c)]

    return _pages(c, "draft.to", firms, write)


def publication(c: Context) -> list[Block]:
    """公示稿: the certified by name, township and clause, the period, and where to object; no figure of any enterprise."""
    firms = [f for f in _firms(c) if f["stage"] in ("已认定", "重点")]
    if not firms:
        return []
    rows = [{**f, "grounds": _grounds(c, f)} for f in firms]
    place = {"plan": _about(c, firms[0])["plan"], "document": c.document, "n": len(firms), "blank": BLANK}
    table = tabulate(c, "draft_publication", rows, say("draft.publication_table", c.lang, year=c.year), cite=c.document)
    return [
        Paragraph(say("draft.publication_1", c.lang, **place)), table, Paragraph(say("draft.publication_2", c.lang, **place)), *_signed(c)
    ]  # fmt: skip


def priority(c: Context) -> list[Block]:
    """重点低效通报稿: who is named a priority, on what ground, and what is withheld."""
    rows = c.rows("list_priority")
    if not rows:
        return []
    key, gap = ("effects_en", "; ") if c.lang == "en" else ("effects", "；")
    body = [{**r, "measures": gap.join(r[key] or []) or BLANK, "on": r["listed_on"]} for r in rows]
    sure = sum(known(r["listed_on"]) for r in rows)
    text = say(
        "draft.priority_1", c.lang, n=len(rows), sure=sure, rest=len(rows) - sure, document=c.document, year=c.year
    )
    table = tabulate(
        c,
        "draft_priority",
        body,
        say("draft.priority_table", c.lang, year=c.year),
        source=c.source("lead", "towns"),
        cite=c.document,
    )
    return [Paragraph(text), table, Paragraph(say("draft.priority_2", c.lang, blank=BLANK)), *_signed(c)]


def letters(c: Context) -> list[Block]:
    """督办函: to each unit that answers for firms behind by the stated rule."""
    units: dict[str, list[Row]] = {}
    for row in c.rows("list_pressed"):
        units.setdefault(filled(row["responsible"]), []).append(row)
    blocks: list[Block] = []
    gap = "；" if c.lang == "zh" else "; "
    for place, unit in enumerate(sorted(units)):
        rows = [{**r, "reason": gap.join(REASONS[k][c.lang == "en"] for k in r["reasons"])} for r in units[unit]]
        blocks.append(Heading(1, say("draft.to", c.lang, name=unit), fresh=place > 0))
        blocks.append(
            Paragraph(
                say("draft.letter_1", c.lang, n=len(rows), cutoff=day(c.meta["cutoff"], c.lang), document=c.document)
            )
        )
        blocks.append(
            tabulate(
                c,
                "draft_letter",
                rows,
                say("draft.letter_table", c.lang),
                id=f"letter_{place}",
                source=c.source("tax", "towns"),
            )
        )
        blocks += [Paragraph(say("draft.letter_2", c.lang, blank=BLANK)), *_signed(c)]
    return blocks


def applications(c: Context) -> list[Block]:
    """销号申请表: for each enterprise that reached its line on every ground and is not written off yet."""
    ready = {r["credit_code"] for r in c.rows("list_reached") if r["cleared"] is True and not known(r["written_off"])}
    return _pages(c, "draft.for", [f for f in _firms(c) if f["credit_code"] in ready], _form)


def _form(c: Context, firm: Row) -> list[Block]:
    """Write one form: what is known filled in, opinions and signatures left blank."""
    lang, case = c.lang, firm["case"]
    value = getattr(firm["tax_per_mu"], "value", firm["tax_per_mu"])
    values = {
        "code": filled(firm["credit_code"]), "township": filled(firm["township"]), "grounds": _grounds(c, firm),
        "certified": _step(firm, "certified", c), "method": filled(named(case, lang) if "label" in case else None),
        "outcome": filled(word(case.get("outcome"), lang)), "finished": day(case["finished"], lang) if known(case.get("finished")) else BLANK,
        "land": amount(number(firm["land_mu"]), "亩", lang) if known(firm["land_mu"]) else BLANK,
        "tax": amount(number(firm["tax_wan"]), "万元", lang) if known(firm["tax_wan"]) else BLANK,
        "mean": amount(shown(value, firm["line"], "number"), "万元/亩", lang) if known(value) else BLANK,
        "person": BLANK, "opinion_firm": BLANK, "opinion_town": BLANK, "opinion_office": BLANK,
    }  # fmt: skip
    rows = [{"item": say(f"draft.form_{k}", lang), "value": v} for k, v in values.items()]
    table: Table = tabulate(
        c,
        "draft_form",
        rows,
        say("draft.form", lang, year=c.year),
        id=f"form_{firm['credit_code']}",
        source=c.source("tax"),
    )
    return [table]


DRAFTS: tuple[
    tuple[str, str, Callable[[Context], list[Block]]], ...
] = (  # name, step of the procedure that it belongs to
    ("notice", "notified", notices),
    ("certificate", "certified", certificates),
    ("publication", "published", publication),
    ("priority", "", priority),
    ("letter", "", letters),
    ("writeoff", "accepted", applications),
)
