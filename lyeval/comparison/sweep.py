"""Rule design (规则设计): many plans over one population, on whom a line falls, how far each step of a target is, what missing it costs."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from lyeval.assessment import Frame
from lyeval.assessment.conditions import decide
from lyeval.assessment.frame import dated, under
from lyeval.assessment.standing import standing_of
from lyeval.comparison.compare import by_tax_alone, frame_as_if, ratio
from lyeval.effect.gap import reversion
from lyeval.indicators import MU_M2, RELATIVE, STATISTICS, Tri, book
from lyeval.ledger import Ledger
from lyeval.policy import Consequence, Policy, Target, load_policy

THRESHOLDS = tuple(np.round(np.arange(0.5, 6.01, 0.25), 2).tolist())
FLOORS = (0.0, 5.0, 10.0, 20.0, 30.0)
HORIZONS = (1, 2, 3, 5)
UNITS = ("count", "land")
NEAR = 0.10


@dataclass(frozen=True, eq=False)
class Population:
    """Enterprises at one year's end, arrays of shape (n,).

    Attributes
    ----------
    ratio, land
        Tax per mu (万元/亩) and land (亩), both known.
    above
        On the statistical list (规上): in scope whatever its land.
    township, industry
        Texts, "" unknown.
    rho, mean, spread
        Of log tax per mu: what is left of a distance from the mean after each of ``HORIZONS`` years, the mean, and the standard
        deviation over payers.
    """

    ratio: np.ndarray
    land: np.ndarray
    above: np.ndarray
    township: np.ndarray
    industry: np.ndarray
    rho: dict[int, float]
    mean: float
    spread: float

    def __repr__(self) -> str:
        """Return how many enterprises there are, on how much land."""
        return f"Population({len(self.land)} firms, {self.land.sum():,.0f} mu)"


def population(ledger: Ledger, policy: str | Policy, year: int) -> Population:
    """Read a population from a ledger: its figures of ``year``, and reversion from its own years up to it.

    Reversion of log tax per mu is fitted on all pairs of years up to ``year`` (1 where there is none, which says that nothing
    is known to revert).
    """
    plan = load_policy(policy)
    laid = book(ledger)
    frame = Frame(plan, laid, year, year)
    ratio, land = frame.reported.tax_per_mu, frame.reported.land
    known = ~np.isnan(ratio) & (land > 0) & ~frame.exits.gone.true
    history = [Frame(plan, laid, y, y).reported.tax_per_mu for y in laid.years if y <= year]
    logs = np.column_stack([np.log(np.where(h > 0, h, np.nan)) for h in history])
    rho = reversion(logs, HORIZONS) if logs.shape[1] > 1 else dict.fromkeys(HORIZONS, 1.0)
    last = logs[known, -1]
    industry = np.array([str(code)[:2] for code in laid.text("industry_code")], dtype=object)
    return Population(
        ratio[known],
        land[known],
        laid.annual_flag("above_scale", year).true[known],
        laid.text("township")[known],
        industry[known],
        {h: min(max(r, 0.0), 1.0) for h, r in rho.items()},
        float(np.nanmean(last)),
        float(np.nanstd(last)),
    )


def sweep(
    people: Population,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    units: Sequence[str] = UNITS,
    floors: Sequence[float] = FLOORS,
    horizons: Sequence[int] = HORIZONS,
) -> pd.DataFrame:
    """Try every threshold × share unit × floor × horizon on one population.

    Parameters
    ----------
    thresholds
        Lines, 万元/亩.
    units
        ``count`` or ``land``: what shares are of.
    floors
        Least land of a small (规下) enterprise to be in scope, 亩; large ones always are.
    horizons
        Years allowed; of ``HORIZONS``.

    Returns
    -------
    DataFrame
        One row per plan: threshold, unit, floor, horizon, scope and listed (enterprises), listed_share (in the unit), land_share
        (of the land in scope), near (within a tenth of the line on either side), passes (listed that reversion and noise alone are
        expected to put at the line within the horizon: at its end), pass_share (in the unit, of the listed).

    Notes
    -----
    Log tax per mu after h years ~ Normal(m + ρ_h (x − m), σ² (1 − ρ_h²)); who pays nothing stays where it is.

    Examples
    --------
    >>> import lyeval as ly
    >>> people = ly.comparison.population(ly.read_ledger("sample:linshu"), "linshu-2021", 2020)
    >>> found = ly.sweep(people, thresholds=[1.0, 2.0], units=["count"], floors=[10.0], horizons=[3])
    >>> bool(found["listed"].iloc[0] < found["listed"].iloc[1])
    True
    """
    line = np.asarray(thresholds, dtype=float)
    low = people.ratio[:, None] < line * (1 - RELATIVE)
    near = np.abs(people.ratio[:, None] / line - 1) <= NEAR
    weights = {"count": np.ones(len(people.land)), "land": people.land}
    scope = np.array([people.above | (people.land >= f) for f in floors], dtype=float)
    sums = {unit: _sums(scope * w, low) for unit, w in weights.items()}
    whole = {unit: scope @ w for unit, w in weights.items()}
    close = scope @ near
    rows = []
    for h in horizons:
        odds = low * _odds(people, line, h)
        passed = {unit: _sums(scope * w, odds) for unit, w in weights.items()}
        for unit in units:
            rows.append(_plans(line, floors, (unit, h), (sums, whole, passed, close)))
    out = pd.concat(rows, ignore_index=True)
    return out.sort_values(["threshold", "unit", "floor", "horizon"], kind="stable", ignore_index=True)


def _sums(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return Σ weight × value by floor and threshold."""
    return weights @ values.astype(float)


def _odds(people: Population, line: np.ndarray, horizon: int) -> np.ndarray:
    """Return the odds of standing at each line after the horizon, shape (n, thresholds)."""
    pays = people.ratio > 0
    level = np.log(np.where(pays, people.ratio, 1.0))
    rho = people.rho[horizon]
    centre = people.mean + rho * (level - people.mean)
    noise = people.spread * math.sqrt(max(1 - rho**2, 1e-12))
    return np.where(pays[:, None], ndtr((centre[:, None] - np.log(line)) / noise), 0.0)


def _plans(
    line: np.ndarray, floors: Sequence[float], at: tuple[str, int], parts: tuple[dict, dict, dict, np.ndarray]
) -> pd.DataFrame:
    unit, horizon = at
    sums, whole, passed, close = parts
    floor, threshold = np.meshgrid(np.asarray(floors, dtype=float), line, indexing="ij")
    listed = sums["count"]
    with np.errstate(invalid="ignore", divide="ignore"):
        columns = {
            "threshold": threshold,
            "unit": unit,
            "floor": floor,
            "horizon": horizon,
            "scope": np.broadcast_to(whole["count"][:, None], listed.shape),
            "listed": listed,
            "listed_share": sums[unit] / whole[unit][:, None],
            "land_share": sums["land"] / whole["land"][:, None],
            "near": close,
            "passes": passed["count"],
            "pass_share": passed[unit] / sums[unit],
        }
    return pd.DataFrame({k: v.ravel() if isinstance(v, np.ndarray) else v for k, v in columns.items()})


def rule_of(policy: Policy, year: int) -> dict[str, float | str]:
    """Return a plan as a point of a sweep: threshold (of small firms, 万元/亩), floor (亩) and horizon (years to ``year``)."""
    first = min(policy.years.identification)
    floor = _floor(policy.scope.when.model_dump() if policy.scope.when is not None else {})
    line = dated(policy.identification.lines.below, first)
    return {"label": policy.id, "threshold": line, "floor": floor, "horizon": float(max(year - first + 1, 1))}


def _floor(condition: Any) -> float:
    """Return the least land that a condition of scope asks for, 0 where it asks for none."""
    if isinstance(condition, dict):
        if condition.get("fact") == "land_mu" and condition.get("op") in ("ge", "gt"):
            return float(condition["value"])
        return max((_floor(part) for part in condition.values()), default=0.0)
    if isinstance(condition, list | tuple):
        return max((_floor(part) for part in condition), default=0.0)
    return 0.0


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
