"""Rule design (规则设计): many plans over one population."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from lyeval.assessment import Frame
from lyeval.assessment.frame import dated
from lyeval.effect.gap import reversion
from lyeval.indicators import RELATIVE, book
from lyeval.ledger import Ledger
from lyeval.policy import Policy, load_policy

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
    plan = policy if isinstance(policy, Policy) else load_policy(policy)
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
