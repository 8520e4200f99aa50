"""Section 三、低效企业名单与分布: who is listed and on what ground, where they are, and the list itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from lyeval.render import Cell, Figure, Paragraph, Table, digits_beside
from lyeval.render.blocks import Block
from lyeval.report.context import Context, records
from lyeval.report.tabulate import headings, tabulate
from lyeval.report.words import FEW, joined, known, listed, named, say, sentence, share, word
from lyeval.tables.verdict import here, industry_name, pick


def listing(c: Context) -> list[Block]:
    """Write the section."""
    blocks: list[Block] = [Paragraph(sentence([wording_sentence(c), criteria_sentence(c)], c.lang)), criteria_table(c)]
    if any(r["identification"] or r["targets"] for r in c.rows("exclusions")):
        blocks += [Paragraph(exclusion_sentence(c))]
    blocks += [
        tax_figure(c),
        Paragraph(tax_sentence(c)),
        Paragraph(township_sentence(c)),
        township_figure(c),
        spread_table(c, "township"),
        spread_table(c, "industry"),
    ]
    graded = grade_table(c)
    blocks += [graded] if graded else []
    codes = listed_codes(c)
    if codes:
        title = say("listing.list_table", c.lang, year=c.year)
        blocks += [
            Paragraph(say("listing.list_intro", c.lang, n=len(codes))),
            firm_table(c, codes, title, id="list", cite=c.document, sortable=True),
        ]
    return blocks


def listed_codes(c: Context) -> list[str]:
    """Return the listed enterprises, by township, most land first."""
    firms = c.frame("enterprises")
    mine = firms[firms["listed"]].assign(town=lambda f: f["township"].fillna("~"))
    return mine.sort_values(["town", "land_mu", "credit_code"], ascending=[True, False, True], kind="stable")[
        "credit_code"
    ].tolist()


def wording_sentence(c: Context) -> str:
    """Say what the enterprises are called: by their stage, or plainly where the ledger keeps no procedure."""
    others = any(r["n"] for r in c.rows("stages") if r["stage"] != "符合认定条件")
    return say("listing.wording" if others else "listing.wording_plain", c.lang)


def criteria_sentence(c: Context) -> str:
    """Say by which criteria enterprises are listed; one may meet several."""
    rows = [r for r in c.rows("criteria") if r["holds"]]
    parts = [say("listing.criterion", c.lang, label=named(r, c.lang), n=r["holds"], clause=r["clause"]) for r in rows]
    return say("listing.criteria", c.lang, parts=("；" if c.lang == "zh" else "; ").join(parts)) if parts else ""


def criteria_table(c: Context) -> Table:
    """Lay out the criteria: for how many each holds, does not, or cannot be told."""
    return tabulate(c, "criteria", c.rows("criteria"), say("listing.criteria_table", c.lang, before=c.year - 1),
                    source=c.source("tax", "land", "lead"), note=say("listing.criteria_note", c.lang), cite=c.document)  # fmt: skip


def exclusion_sentence(c: Context) -> str:
    """Say whom the plan leaves out, and by which clause."""
    parts = []
    for r in c.rows("exclusions"):
        n = (
            max(int(r[k]) for k in ("identification", "targets") if known(r[k]))
            if any(known(r[k]) for k in ("identification", "targets"))
            else 0
        )
        if n:
            parts.append(say("listing.exclusion", c.lang, label=named(r, c.lang), n=n, clause=r["clause"]))
    return say("listing.exclusions", c.lang, parts=("；" if c.lang == "zh" else "; ").join(parts))


def tax_figure(c: Context) -> Figure:
    """Draw the distribution of tax per mu with the classes' lines."""
    from lyeval import figures

    drawn = figures.tax_per_mu(judged(c), c.meta["lines"], lang=c.lang)
    title = say("listing.tax_figure", c.lang, year=c.year)
    return figures.picture(drawn, "tax_figure", title, tax_sentence(c), source=c.source("tax", "land"))


def judged(c: Context) -> pd.DataFrame:
    """Return the enterprises in scope, still here and not left out by the plan."""
    firms = here(c.frame("enterprises"))
    return pick(firms, (not known(x) for x in firms["excluded_by"]))


def tax_sentence(c: Context) -> str:
    """Say how many of each class are below its line in the year."""
    firms, parts = judged(c), []
    for name in ("above", "below"):
        mine = firms[(firms["class"] == name) & firms["tax_per_mu"].notna()]
        low, line = sum(v is True for v in mine["below_line"]), f"{c.meta['lines'][name]:g}"
        parts.append(say("listing.tax_class", c.lang, name=c.class_(name), n=len(mine), low=low, line=line))
    return say("listing.tax_text", c.lang, year=c.year, parts=("；" if c.lang == "zh" else "; ").join(parts))


def township_sentence(c: Context) -> str:
    """Name the townships that hold most of the listed firms' land."""
    rows = [r for r in c.rows("townships") if r["listed"]]
    whole = sum(r["listed_land_mu"] for r in rows)
    n = sum(int(r["listed"]) for r in rows)
    if not whole:
        return say("listing.no_towns", c.lang)
    top = rows[:3]
    names = [r["township"] or say("listing.blank", c.lang) for r in top]
    part = share(sum(r["listed_land_mu"] for r in top), whole, n, c.lang)
    return say("listing.towns", c.lang, n=len(rows), names=joined(names, c.lang), share=part)


def township_figure(c: Context) -> Figure:
    """Draw the townships' land and how much of it the listed hold."""
    from lyeval import figures

    drawn = figures.townships(c.frame("enterprises"), lang=c.lang)
    title = say("listing.town_figure", c.lang, year=c.year)
    return figures.picture(drawn, "townships_figure", title, township_sentence(c), source=c.source("towns", "land"))


def spread_table(c: Context, column: str) -> Table:
    """Lay out townships, two-digit industries or counties; a share only where there are ten firms or more."""
    name, head = SPREADS[column]
    rows = []
    for r in c.rows(name):
        label = industry_name(str(r[column]), c.lang) if column == "industry" else r[column]
        ratio = r["listed_land_mu"] / r["land_mu"] if r["land_mu"] and r["n"] >= FEW else None
        rows.append({**r, "place": label or say("listing.blank", c.lang), "share": ratio})
    columns = (headings("spread")[0]._replace(zh=head[0], en=head[1]), *headings("spread")[1:])
    return tabulate(c, "spread", rows, say(f"listing.{name}", c.lang, year=c.year), id=name, columns=columns,
                    source=c.source("towns", "tax", "land"), note=say("listing.spread_note", c.lang), sortable=len(rows) > 12)  # fmt: skip


def grade_table(c: Context) -> Table | None:
    """Count the classes by the rank of the plan's score (综合评价分类); None for a plan without."""
    grades = c.frame("grades")
    rated = grades[grades["grade"].notna()] if len(grades) else grades
    if not len(rated):
        return None
    rows = []
    for name in sorted(rated["grade"].unique()):
        n = int((rated["grade"] == name).sum())
        rows.append({"grade": name, "n": n, "share": n / len(rated) if len(rated) >= FEW else None})
    return tabulate(
        c,
        "grades",
        rows,
        say("listing.grade_table", c.lang, n=len(rated)),
        source=c.source("tax", "land"),
        cite=c.document,
    )


def firm_rows(c: Context, codes: Sequence[str]) -> list[dict[str, Any]]:
    """Return enterprises in the order given, with criteria, exclusion, industry and disposal in words."""
    frame = c.frame("enterprises").set_index("credit_code", drop=False)
    labels = {r["id"]: named(r, c.lang) for r in c.rows("criteria")}
    left_out = {r["id"]: named(r, c.lang) for r in c.rows("exclusions")}
    gap = "；" if c.lang == "zh" else "; "
    return [
        {
            **r, "criteria": gap.join(labels.get(k, str(k)) for k in r["criteria"] or []) or None,
            "exclusion": left_out.get(str(r["excluded_by"])) if known(r["excluded_by"]) else None,
            "industry_name": industry_name(str(r["industry"]), c.lang) if known(r["industry"]) else None,
            "disposal": listed([named(r, c.lang, "method"), word(r["progress"], c.lang)], c.lang) or None,
            "tax_needed_wan": None if str(r["gone"]) == "True" else r["tax_needed_wan"],
            "tax_per_mu": Cell(r["tax_per_mu"], digits=digits_beside(r["tax_per_mu"], r["line"], "number")),
        }
        for r in records(frame.loc[list(codes)])
    ]  # fmt: skip


def firm_table(c: Context, codes: Sequence[str], title: str, **more: Any) -> Table:
    """List enterprises in the order given: township, class, stage, criterion, tax per mu, distance, disposal.

    Stage and criterion have a column only where the year's listed enterprises differ in them.
    """
    mine = c.frame("enterprises")
    mine = mine[mine["listed"]]
    alike = {"stage": len(set(mine["stage"])) < 2, "criteria": len({tuple(names) for names in mine["criteria"]}) < 2}
    heads = [h for h in headings("firms") if not alike.get(h.key, False)]
    return tabulate(c, "firms", firm_rows(c, codes), title, columns=heads, source=c.source("tax", "land", "statistics"),
                    note=say("listing.distance_note", c.lang), **more)  # fmt: skip


SPREADS = {
    "township": ("townships", ("镇街", "Township")),
    "industry": ("industries", ("行业（大类）", "Industry")),
    "county": ("counties", ("县区", "County")),
}
