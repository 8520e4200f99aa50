"""Section 三、低效企业名单与分布: who is listed and on what ground, where they are, and the list itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lyeval.render import Cell, Column, Figure, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context, Spec, columns, records
from lyeval.report.spread import industry_name
from lyeval.report.words import FEW, joined, known, named, say, sentence, share, unit_name, word


def listing(c: Context) -> list[Block]:
    """Write the section."""
    blocks: list[Block] = [Paragraph(sentence([wording_sentence(c), criteria_sentence(c)], c.lang)), criteria_table(c)]
    if any(r["identification"] or r["targets"] for r in c.rows("exclusions")):
        blocks += [Paragraph(exclusion_sentence(c))]
    blocks += [
        tax_figure(c),
        Paragraph(township_sentence(c)),
        township_figure(c),
        spread_table(c, "township"),
        spread_table(c, "industry"),
    ]
    codes = listed_codes(c)
    if codes:
        title = say("listing.list_table", c.lang, year=c.year)
        blocks += [
            Paragraph(say("listing.list_intro", c.lang, n=len(codes))),
            firm_table(c, codes, "list", title, str(c.meta["document"]), sortable=True),
        ]
    return blocks


def listed_codes(c: Context) -> list[str]:
    """Return the listed enterprises, by township, most land first."""
    firms = c.frame("enterprises")
    mine = firms[firms["listed"]].assign(town=firms["township"].fillna("~"))
    return mine.sort_values(["town", "land_mu", "credit_code"], ascending=[True, False, True], kind="stable")[
        "credit_code"
    ].tolist()


def wording_sentence(c: Context) -> str:
    """Say what the enterprises are called at each stage of the procedure."""
    return say("listing.wording", c.lang)


def criteria_sentence(c: Context) -> str:
    """Say by which criteria enterprises are listed; one may meet several."""
    rows = [r for r in c.rows("criteria") if r["holds"]]
    parts = [say("listing.criterion", c.lang, label=named(r, c.lang), n=r["holds"], clause=r["clause"]) for r in rows]
    return say("listing.criteria", c.lang, parts=("；" if c.lang == "zh" else "; ").join(parts)) if parts else ""


def criteria_table(c: Context) -> Table:
    """Lay out the criteria: for how many each holds, does not, or cannot be told."""
    body = [(named(r, c.lang), r["holds"], r["not"], r["unknown"], r["clause"]) for r in c.rows("criteria")]
    return Table("criteria", say("listing.criteria_table", c.lang, before=c.year - 1), columns(CRITERIA, c.lang), tuple(body),
                 source=c.source("tax", "land", "lead"), note=say("listing.criteria_note", c.lang), cite=str(c.meta["document"]))  # fmt: skip


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

    svg, png = figures.save(figures.tax_per_mu(c.frame("enterprises"), c.meta["lines"], lang=c.lang))
    return Figure(
        "tax_figure", say("listing.tax_figure", c.lang, year=c.year), svg, png, tax_sentence(c), c.source("tax", "land")
    )


def tax_sentence(c: Context) -> str:
    """Say how many of each class are below its line in the year."""
    firms = c.frame("enterprises")
    here = firms[[str(a) == "True" and str(b) != "True" for a, b in zip(firms["in_scope"], firms["gone"], strict=True)]]
    parts = []
    for name in ("above", "below"):
        mine = here[here["class"] == name]
        low = sum(v is True for v in mine["below_line"])
        parts.append(
            say(
                "listing.tax_class",
                c.lang,
                name=c.class_(name),
                n=len(mine),
                low=low,
                line=f"{c.meta['lines'][name]:g}",
            )
        )
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

    svg, png = figures.save(figures.townships(c.frame("enterprises"), lang=c.lang))
    return Figure(
        "townships_figure",
        say("listing.town_figure", c.lang, year=c.year),
        svg,
        png,
        township_sentence(c),
        c.source("towns", "land"),
    )


def spread_table(c: Context, column: str) -> Table:
    """Lay out townships or two-digit industries; a share only where there are ten firms or more."""
    name, key = ("townships", "town_table") if column == "township" else ("industries", "industry_table")
    body = []
    for r in c.rows(name):
        label = r[column] if column == "township" else industry_name(str(r[column]), c.lang)
        ratio = r["listed_land_mu"] / r["land_mu"] if r["land_mu"] and r["n"] >= FEW else None
        body.append((label or say("listing.blank", c.lang), r["n"], r["listed"], r["listed_above"], r["listed_below"], r["undetermined"],
                     r["land_mu"], r["listed_land_mu"], ratio, r["tax_per_mu"]))  # fmt: skip
    head = (
        ("place", "镇街", "Township", "", "text")
        if column == "township"
        else ("place", "行业（大类）", "Industry", "", "text")
    )
    return Table(name, say(f"listing.{key}", c.lang, year=c.year), columns((head, *_spread_spec(c)), c.lang), tuple(body),
                 source=c.source("towns", "tax", "land"), note=say("listing.spread_note", c.lang), sortable=len(body) > 12)  # fmt: skip


def _spread_spec(c: Context) -> tuple[Spec, ...]:
    above, below = c.class_("above"), c.class_("below")
    return (
        ("n", "范围内企业", "Firms in scope", "家", "count"), ("listed", "列入名单", "Listed", "家", "count"),
        ("above", f"其中{above}", above, "家", "count"), ("below", f"其中{below}", below, "家", "count"),
        ("open", "待判定", "Open", "家", "count"), ("land", "用地", "Land", "亩", "number:0"),
        ("low", "名单用地", "Listed land", "亩", "number:0"), ("share", "占比", "Share", "", "percent"),
        ("mean", "亩均税收", "Tax per mu", "万元/亩", "number"),
    )  # fmt: skip


def firm_table(c: Context, codes: Sequence[str], id: str, title: str, cite: str, *, sortable: bool = False) -> Table:
    """List enterprises in the order given: township, class, stage, criterion, tax per mu, distance, disposal."""
    frame = c.frame("enterprises").set_index("credit_code", drop=False)
    rows = records(frame.loc[list(codes)])
    labels = {r["id"]: named(r, c.lang) for r in c.rows("criteria")}
    body = [_firm(c, r, labels) for r in rows]
    return Table(id, title, firm_columns(c), tuple(body), source=c.source("tax", "land", "statistics"),
                 note=say("listing.distance_note", c.lang), cite=cite, sortable=sortable)  # fmt: skip


def firm_columns(c: Context) -> tuple[Column, ...]:
    """Return the columns of a list of enterprises."""
    unit = {u: unit_name(u, c.lang).strip() for u in ("亩", "万元", "万元/亩")}
    units = {"land_mu": ("亩", "number"), "tax_per_mu": ("万元/亩", "number"), "tax_needed_wan": ("万元", "number")}
    out = []
    for key, heads in HEADS.items():
        name, kind = units.get(key, ("", "text"))
        out.append(Column(key, heads[c.lang == "en"], unit.get(name, ""), kind))  # pyright: ignore[reportArgumentType]
    return tuple(out)


def _firm(c: Context, row: dict[str, Any], labels: dict[str, str]) -> tuple[Any, ...]:
    from lyeval.render import digits_beside

    digits = digits_beside(row["tax_per_mu"], row["line"], "number")
    grounds = ("；" if c.lang == "zh" else "; ").join(labels.get(k, k) for k in row["criteria"] or [])
    industry = industry_name(str(row["industry"]), c.lang) if known(row["industry"]) else None
    state = (" · ").join(word(v, c.lang) for v in (row["method"], row["progress"]) if known(v))
    return (
        row["name"], row["township"], industry, c.class_(row["class"]), word(row["stage"], c.lang) or None, grounds or None,
        row["land_mu"], Cell(row["tax_per_mu"], digits=digits), row["tax_needed_wan"], state or None,
    )  # fmt: skip


HEADS = {
    "name": ("企业名称", "Firm"), "township": ("镇街", "Township"), "industry": ("行业", "Industry"), "class": ("类别", "Class"),
    "stage": ("所处阶段", "Stage"), "criteria": ("认定情形", "Ground"), "land_mu": ("用地", "Land"),
    "tax_per_mu": ("亩均税收", "Tax per mu"), "tax_needed_wan": ("距标准尚差", "Short of the line"), "progress": ("处置进展", "Disposal"),
}  # fmt: skip
CRITERIA: tuple[Spec, ...] = (
    ("label", "认定情形", "Criterion", "", "text"), ("holds", "符合", "Holds", "家", "count"), ("not", "不符合", "Does not", "家", "count"),
    ("unknown", "待补数据", "Unknown", "家", "count"), ("clause", "条款", "Clause", "", "text"),
)  # fmt: skip
