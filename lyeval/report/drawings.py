"""The figures of the review: each drawn from the run's tables, with an alternative text made of a sheet's cells (图)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from lyeval.render import Figure, Table, format_value
from lyeval.render.numbers import MISSING
from lyeval.report.context import Context
from lyeval.report.sheets import sheet
from lyeval.report.words import coded, few, kind_by_unit, known, named, phrase

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PICTURED = ("rd_reach", "event_level", "gap_reach", "timing", "bunching@2020")
CELLS = 6  # of a sheet's row that an alternative text tells


def drawing(c: Context, name: str, *asked: Any) -> Figure | list[Figure] | None:
    """Draw a figure that a template names; None where the run has nothing to draw."""
    from lyeval import figures

    if name == "effects":
        return effects(c, *(str(getattr(a, "raw", a)) for a in asked))
    make, of, source = FIGURES[name]
    drawn, told = make(c), sheet(c, of) if of else None
    if drawn is None:
        return None
    title = coded("drawing", name, c.lang, year=c.year)
    alt = alternative(told, c) if told else title
    under = told.source if told and not source else c.source(*source.split())
    return figures.picture(drawn, f"{name}_figure", title, alt, source=under)


def alternative(table: Table, c: Context) -> str:
    """Tell a table's first cells, row by row, each after its heading."""
    gap, end, sign = ("，", "；", "") if c.lang == "zh" else (", ", "; ", " ")
    rows = []
    for row in table.rows:
        told = [(k, format_value(k, v, c.lang)) for k, v in list(zip(table.columns, row, strict=True))[:CELLS]]
        rows.append(
            gap.join(
                text if place == 0 else f"{k.title}{sign}{text}"
                for place, (k, text) in enumerate(told)
                if text != MISSING
            )
        )
    return end.join(rows)


def effects(c: Context, side: str, place: str) -> list[Figure]:
    """Draw the main estimates of one place."""
    from lyeval import figures

    drawn, out = c.frame("effect_figures"), []
    for row in (r for r in c.rows("effects") if r["side"] == side and r["id"] in PICTURED):
        part = drawn[(drawn["side"] == side) & (drawn["id"] == row["id"])]
        if len(part):
            title = phrase("picture_of", c.lang, place=place, what=named(row, c.lang, "estimand"))
            id = f"effect{side}_{row['id'].replace('@', '_')}"
            out.append(figures.picture(figures.effect(part, lang=c.lang), id, title, named(row, c.lang, "sentence")))
    return out


def drawable(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the targets for drawing: a share of land over fewer than ten enterprises is drawn in 亩, not in percent."""
    out = []
    for row in rows:
        if few(row) and row["weight"] == "land" and known(row["value"]):
            ends = {k: None if not known(row[k]) else row[k] * row["whole"] for k in ("low", "high")}
            row = {**row, "value": row["part"], "goal": row["goal"] * row["whole"], "unit": "亩", **ends}
        out.append(row)
    return pd.DataFrame(out).astype(object)


def _attainment(c: Context) -> Axes | None:
    from lyeval import figures

    return figures.attainment(drawable(c.rows("targets")), lang=c.lang) if len(c.frame("targets")) else None


def _tax(c: Context) -> Axes:
    """Draw the tax per mu of those in scope, still here and not left out by the plan."""
    from lyeval import figures

    firms = c.frame("enterprises")
    judged = firms[firms["in_scope"].eq(True) & ~firms["gone"].eq(True) & firms["excluded_by"].isna()]
    return figures.tax_per_mu(judged, c.meta["lines"], lang=c.lang)


def _townships(c: Context) -> Axes:
    from lyeval import figures

    return figures.townships(c.frame("enterprises"), lang=c.lang)


def _odds(c: Context) -> Axes | None:
    """Draw the odds and the range of each target; a share of fewer than ten enterprises in firms, not in percent."""
    from lyeval import figures

    weights = {r["id"]: r["weight"] for r in c.rows("targets")}
    rows = []
    for r in c.rows("forecast") or c.rows("simulation"):
        if known(r["probability"]) and known(r["goal"]):
            row = {**r, "kind": kind_by_unit(r), "n": r["members"], "certain": r["certain"] in ("met", "missed")}
            if few(row) and weights.get(r["id"], "count") == "count":
                row |= {k: row[k] * int(row["n"]) for k in ("p05", "p50", "p95", "goal") if known(row[k])} | {
                    "unit": "家"
                }
            rows.append(row)
    return figures.odds(pd.DataFrame(rows).astype(object), lang=c.lang) if rows else None


def _readings(c: Context) -> Axes | None:
    """Draw under how many readings each target is met and the range of its value; no value of fewer than ten."""
    from lyeval import figures

    kept = ("kind", "weight", "goal", "op", "part", "whole", "value", "status", "reason", "clause")
    rows = []
    for r in c.rows("readings"):
        target = c.by("targets").get(str(r["id"]))
        if target is not None:
            blank = dict.fromkeys(("lowest", "highest", "value")) if few(target) else {}
            rows.append({**r, **{k: target[k] for k in kept}, **blank})
    return figures.readings(pd.DataFrame(rows).astype(object), lang=c.lang) if rows else None


def _record(c: Context) -> Axes | None:
    from lyeval import figures

    frame = c.frame("backtest_reliability")
    return figures.reliability(frame, lang=c.lang) if len(frame) else None


def _curve(c: Context) -> Axes | None:
    from lyeval import figures

    frame = c.frame("plans_curve")
    return figures.curve(frame, lang=c.lang) if len(frame) else None


FIGURES: dict[str, tuple[Callable[[Context], Axes | None], str, str]] = {
    "attainment": (_attainment, "targets", "tax land"),
    "tax": (_tax, "", "tax land"),
    "townships": (_townships, "townships", "towns land"),
    "odds": (_odds, "forecast_odds", ""),
    "readings": (_readings, "readings", "tax land statistics"),
    "record": (_record, "record", "tax"),
    "curve": (_curve, "plans_curve", ""),
}
