"""Section 三、低效企业名单与分布: who is listed and on what ground, where they are, and the list itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lyeval.render import Cell, Column, Table
from lyeval.report.context import Context, records
from lyeval.report.spread import industry_name
from lyeval.report.words import known, named, say, unit_name, word


def firm_table(c: Context, codes: Sequence[str], id: str, title: str, cite: str, *, sortable: bool = False) -> Table:
    """List enterprises in the order given: township, class, stage, criterion, tax per mu, distance, disposal."""
    frame = c.frame("enterprises").set_index("credit_code", drop=False)
    rows = records(frame.loc[list(codes)])
    labels = {r["id"]: named(r, c.lang) for r in c.rows("criteria")}
    body = [_firm(c, r, labels) for r in rows]
    return Table(id, title, firm_columns(c), tuple(body), source=c.source("tax", "land", "statistics"),
                 note=say(TEXTS, "distance_note", c.lang), cite=cite, sortable=sortable)  # fmt: skip


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
TEXTS = {
    "distance_note": (
        "“距标准尚差”为测算值，不作为征收依据。",
        "“Short of the line” is an estimate and no ground for collection.",
    ),
}
