"""What rules ask of whom (负担): on whom a line falls, how far a target is at each of its steps, what missing it costs in yuan."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Frame
from lyeval.assessment.conditions import decide
from lyeval.assessment.frame import under
from lyeval.assessment.standing import standing_of
from lyeval.comparison.compare import by_tax_alone, frame_as_if, ratio
from lyeval.comparison.sweep import Population
from lyeval.indicators import MU_M2, RELATIVE, STATISTICS, Tri
from lyeval.ledger import Ledger
from lyeval.policy import Consequence, Policy, Target

SIZES = (0.0, 10.0, 20.0, 50.0, 100.0, math.inf)
GRADE_YUAN_KWH = 0.1  # no document held says what grade D costs: each 0.1 yuan on a kWh, as an illustration


def burden(people: Population, threshold: float, *, floor: float = 0.0) -> pd.DataFrame:
    """Say whom one plan falls on.

    Returns
    -------
    DataFrame
        by (industry, size, township), group, scope, listed, listed_share, listed_land_mu, tax_needed_wan (what the listed lack to
        reach the line, 万元); sizes by land, 亩.
    """
    scope = people.above | (people.land >= floor)
    listed = scope & (people.ratio < threshold * (1 - RELATIVE))
    needed = np.where(listed, (threshold - people.ratio) * people.land, 0.0)
    edges = np.digitize(people.land, SIZES[1:-1])
    size = np.array([f"{a:g}–{b:g}" if math.isfinite(b) else f"{a:g}+" for a, b in itertools.pairwise(SIZES)])[edges]
    groups = {"industry": people.industry, "size": size, "township": people.township}
    values = {"scope": scope, "listed": listed, "listed_land_mu": people.land * listed, "tax_needed_wan": needed}
    parts = [pd.DataFrame({"group": group, **values}).assign(by=by) for by, group in groups.items()]
    table = pd.concat(parts).groupby(["by", "group"], sort=True).sum().reset_index()
    first = pd.to_numeric(table["group"].str.extract(r"^(\d+)")[0].where(table["by"] == "size")).fillna(0.0)
    table = table.assign(order=first).sort_values(["by", "order", "group"], kind="stable", ignore_index=True)
    table.insert(4, "listed_share", (table["listed"] / table["scope"]).where(table["scope"] > 0))
    return table.drop(columns="order")


def demand(ledger: Ledger, policy: Policy, base: int, readings: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Say how far each step of a plan's targets is from where enterprises stood in a base year.

    Parameters
    ----------
    base
        Year of the figures: classes, scope and exclusions are those of the year after it.

    Returns
    -------
    DataFrame
        One row a target, class and target year: id, label, label_en, year, class, line (万元/亩), goal, unit, n (enterprises that the target
        would count), unknown (in scope without tax or land), below, below_share (where the line stands in their distribution),
        below_low, below_high (that share, all unknown at the line or all below it), below_land_share,
        value (the target's figure in the base year), short (what it lacks: enterprises, 亩, or 万元/亩), median_growth
        (growth of tax per mu that the median payer below the line needs), not_above_zero (who has nothing to grow from), tax_needed_wan
        (what all below lack to reach the line, 万元), clause.
    """
    frame = frame_as_if(ledger, policy, base + 1, readings)
    steps = [(t, y) for t in policy.targets for y in sorted(t.years) if t.years[y].value is not None]
    rows = [_step(frame, policy, t, y) for t, y in steps if STATISTICS[t.statistic].kind in ("share", "count", "mean")]
    return pd.DataFrame(rows)


def _step(frame: Frame, policy: Policy, target: Target, year: int) -> dict[str, Any]:
    """Return one step of one target, on the figures of the year before the frame's."""
    stat, dated = STATISTICS[target.statistic], target.years[year]
    before, goal = frame.before, float(dated.value or 0.0)
    line = dated.threshold if dated.threshold is not None else goal
    side = {"above": frame.above.true, "below": frame.above.false}.get(
        target.class_, np.ones(len(frame.book), dtype=bool)
    )
    pool = side & (frame.pool("targets") & Tri.of(~frame.gone_before)).true
    known = pool & ~np.isnan(before.tax_per_mu)
    low = known & under(before.tax_per_mu, line).true
    if target.cohort not in ("all", "whole_class"):
        listed = by_tax_alone(frame).true
        known, low = known & listed, low & listed
    paying = low & (before.tax_per_mu > 0)
    growth = line / before.tax_per_mu[paying] - 1
    land = np.nan_to_num(before.land)
    value, short = _distance(stat.kind, stat.weight, stat.side, goal, (known, low, land, before.tax))
    unknown = int((pool & np.isnan(before.tax_per_mu)).sum())
    asked = int(known.sum()) + unknown
    return {
        **{"id": target.id, "label": target.label, "label_en": target.label_en, "year": year, "class": target.class_},
        **{"line": line, "goal": goal, "kind": stat.kind, "n": int(known.sum())},
        **{"unknown": unknown, "below": int(low.sum()), "below_share": ratio(low.sum(), known.sum())},
        **{
            "below_low": ratio(low.sum(), asked),
            "below_high": ratio(low.sum() + unknown, asked),
            "below_land_share": ratio(land[low].sum(), land[known].sum()),
        },
        **{"value": value, "short": short, "unit": SHORT_UNITS[stat.kind, stat.weight]},
        **{
            "median_growth": float(np.median(growth)) if len(growth) else None,
            "not_above_zero": int((low & ~paying).sum()),
        },
        **{"tax_needed_wan": float(((line - before.tax_per_mu) * land)[low].sum()), "clause": "；".join(target.cite)},
    }


def _distance(
    kind: str, weight: str, side: str, goal: float, at: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
) -> tuple[float | None, float | None]:
    """Return a target's figure in the base year, and what it lacks to its goal."""
    known, low, land, tax = at
    if kind == "mean":
        value = ratio(float(tax[known].sum()), float(land[known].sum()))
        return value, None if value is None else max(goal - value, 0.0)
    if kind == "count":
        return float(low.sum()), max(float(low.sum()) - goal, 0.0)
    weights = land if weight == "land" else np.ones(len(land))
    whole, hit = float(weights[known].sum()), float(weights[low if side == "below" else known & ~low].sum())
    lacking = max((hit - goal * whole) if side == "below" else (goal * whole - hit), 0.0)
    return ratio(hit, whole), lacking if weight == "land" else math.ceil(lacking - RELATIVE)


SHORT_UNITS = {
    ("share", "count"): "家",
    ("share", "land"): "亩",
    ("count", "count"): "家",
    ("mean", "land"): "万元/亩",
}


def sanctions(ledger: Ledger, policy: Policy, year: int, readings: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Say what a plan's sanctions would cost those who are listed and still below their line at a year's end.

    Returns
    -------
    DataFrame
        One row a consequence and kind: consequence, kind (land_use_tax, grade), label, label_en, exposed (enterprises for certain),
        undecided (who may be exposed, for want of facts), land_mu (of the exposed), wan, wan_high (万元 a year: the least,
        of the exposed; the most, with all undecided), without_figure (who may be exposed and lacks the figure: counted with nothing), clause.

    Notes
    -----
    Land-use tax: rate (元/m²) × land (亩) × 2000/3 / 10,000, the whole charge at the rate, whatever is paid already; the rate hangs on
    where the plant is, and one whose place is not known pays nothing in ``wan`` and the least, the highest rate in the most. Grade D: no
    document held says what it costs; `GRADE_YUAN_KWH` on each kWh that the enterprise used in the year.
    """
    frame = frame_as_if(ledger, policy, year, readings)
    standing = standing_of(frame)
    below = standing.below & ~standing.gone & standing.listed & standing.in_scope
    rows = [
        {"consequence": c.id, **made, "clause": "；".join(c.cite)}
        for c in frame.policy.consequences
        if c.trigger in ("missed", "priority")
        for made in _costs(frame, c, below & _side(frame, c))
    ]
    return pd.DataFrame(rows, columns=list(COST_COLUMNS))


def _side(frame: Frame, c: Consequence) -> Tri:
    return {"above": frame.above, "below": ~frame.above}.get(c.class_, Tri.all(len(frame.book), True))


def _costs(frame: Frame, c: Consequence, exposed: Tri) -> Iterator[dict[str, Any]]:
    """Yield what a consequence costs by the kinds of its effects that come in yuan."""
    taxing = [e for e in c.effects if e.rate_yuan_m2]
    none = np.zeros(len(exposed))
    if taxing:
        sure, most = none, none
        for effect in taxing:
            where = Tri.all(len(exposed), True) if effect.when is None else decide(effect.when, frame.reported)
            rate = float(effect.rate_yuan_m2 or 0.0)
            sure = np.where(where.true, np.maximum(sure, rate), sure)
            most = np.where(where.possible, np.maximum(most, rate), most)
        area = frame.reported.land * MU_M2 / 1e4
        words = ("土地使用税（按所定税额全额计）", "land-use tax (full charge at the plan's rates)")
        yield _cost("land_use_tax", words, exposed, (sure * area, most * area), frame.reported.land)
    graded = next((e for e in c.effects if e.kind == "grade"), None)
    if graded is not None:
        power = frame.book.annual("power_wankwh", frame.facts_year) * GRADE_YUAN_KWH
        words = (
            f"{graded.label}：每度电加价{GRADE_YUAN_KWH:g}元",
            f"{graded.label_en}: each RMB {GRADE_YUAN_KWH:g} per kWh",
        )
        yield _cost("grade", words, exposed, (power, power), frame.reported.land)


def _cost(
    kind: str, words: tuple[str, str], exposed: Tri, wan: tuple[np.ndarray, np.ndarray], land: np.ndarray
) -> dict[str, Any]:
    sure, most = (np.nan_to_num(part) for part in wan)
    return {
        **{"kind": kind, "label": words[0], "label_en": words[1], "exposed": int(exposed.true.sum())},
        **{"undecided": int(exposed.unknown.sum()), "land_mu": float(np.nan_to_num(land)[exposed.true].sum())},
        **{"wan": float(sure[exposed.true].sum()), "wan_high": float(most[exposed.possible].sum())},
        "without_figure": int((exposed.possible & np.isnan(wan[1])).sum()),
    }


COST_COLUMNS = (
    "consequence",
    "kind",
    "label",
    "label_en",
    "exposed",
    "undecided",
    "land_mu",
    "wan",
    "wan_high",
    "without_figure",
    "clause",
)
