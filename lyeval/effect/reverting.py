"""Reversion to the mean (均值回归), read from a county's own earlier years, and the gap left once it is taken out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lyeval.effect.panels import Fit, clustered
from lyeval.effect.result import EffectError

FEWEST = 10


@dataclass(frozen=True, eq=False)
class Case:
    """Outcomes by unit and period, NaN where unknown: ``y`` of shape (units, periods); the rest of shape (units,).

    Attributes
    ----------
    projected
        Projection given from outside, shape (units, periods), NaN where there is none; None: the county's own reversion.
    listed, would, band
        Listed; whom the same rule would have listed a period earlier (None: not told); in the band compared.
    base, first
        Position of the period that the list was drawn on, and of the first one with the policy.
    """

    y: np.ndarray
    projected: np.ndarray | None
    listed: np.ndarray
    would: np.ndarray | None
    band: np.ndarray
    periods: np.ndarray
    base: int
    first: int

    @property
    def later(self) -> range:
        """Positions of the periods with the policy."""
        return range(self.first, len(self.periods))


@dataclass(frozen=True, eq=False)
class Gap:
    """Mean of (what happened − projection) of the listed less that of the unlisted, and its parts."""

    estimate: float
    std_error: float
    rise: float
    rise_unlisted: float
    predicted: float
    n_listed: int
    n_unlisted: int
    slopes: tuple[tuple[int, float, float, int], ...]


def measured(case: Case) -> Gap:
    """Average over the later periods of each unit, then over units."""
    gaps, leads, slopes = [], [], []
    start = case.y[:, case.base]
    for t in case.later:
        if case.projected is not None:
            gaps.append(case.y[:, t] - case.projected[:, t])
            continue
        rho, se, n = slope(case, t - case.base)
        slopes.append((t - case.base, rho, se, n))
        gaps.append(case.y[:, t] - rho * start)
        leads.append(se)
    with np.errstate(invalid="ignore"):
        gap = mean_by_row(np.column_stack(gaps))
        rise = mean_by_row(case.y[:, list(case.later)]) - start
    known = ~np.isnan(gap) & ~np.isnan(start) & case.band
    in_list, rest = known & case.listed, known & ~case.listed
    if min(in_list.sum(), rest.sum()) < FEWEST:
        raise EffectError(
            f"名单内 {int(in_list.sum())} 家、名单外 {int(rest.sum())} 家可比，各至少需 {FEWEST} 家 / "
            f"{int(in_list.sum())} listed and {int(rest.sum())} unlisted to compare; {FEWEST} of each are needed"
        )
    estimate = float(gap[in_list].mean() - gap[rest].mean())
    apart = float(start[in_list].mean() - start[rest].mean())
    sampling = gap[in_list].var(ddof=1) / in_list.sum() + gap[rest].var(ddof=1) / rest.sum()
    se = math.sqrt(float(sampling) + (apart * (float(np.mean(leads)) if leads else 0.0)) ** 2)
    up, other = float(rise[in_list].mean()), float(rise[rest].mean())
    return Gap(estimate, se, up, other, up - other - estimate, int(in_list.sum()), int(rest.sum()), tuple(slopes))


def mean_by_row(values: np.ndarray) -> np.ndarray:
    """Return each row's mean over what is known, NaN where nothing is."""
    count = (~np.isnan(values)).sum(axis=1)
    total = np.nansum(values, axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def slope(case: Case, horizon: int) -> tuple[float, float, int]:
    """Return ρ_h, its standard error (clustered by unit) and the pairs it was read from."""
    fit, n = _pairs(case.y[:, : case.first], horizon)
    if fit is not None:
        return float(fit.beta[0]), fit.se(0), n
    one, n = _pairs(case.y[:, : case.first], 1)
    if one is None:
        raise EffectError("施行前不足两期，无从估计均值回归 / fewer than two earlier periods: reversion cannot be read")
    rho = float(one.beta[0])
    return rho**horizon, abs(horizon * rho ** (horizon - 1)) * one.se(0), n


def _pairs(early: np.ndarray, horizon: int) -> tuple[Fit | None, int]:
    """Regress y on y ``horizon`` periods earlier, with a mean for each period, over all pairs of earlier periods."""
    ends = range(horizon, early.shape[1])
    if not len(ends):
        return None, 0
    rows = [(early[:, t], early[:, t - horizon], np.full(len(early), t), np.arange(len(early))) for t in ends]
    y, x, t, who = (np.concatenate(part) for part in zip(*rows, strict=True))
    whole = ~np.isnan(y) & ~np.isnan(x)
    y, x, t, who = y[whole], x[whole], t[whole], who[whole]
    if len(np.unique(who)) < FEWEST:
        return None, 0
    y, x = _less_means(y, t), _less_means(x, t)
    codes = np.unique(who, return_inverse=True)[1]
    try:
        return clustered(x[:, None], y, codes, len(np.unique(t))), len(y)
    except EffectError:
        return None, 0


def _less_means(values: np.ndarray, by: np.ndarray) -> np.ndarray:
    codes = np.unique(by, return_inverse=True)[1]
    return values - (np.bincount(codes, values) / np.bincount(codes))[codes]


def reversion(early: np.ndarray, horizons: Sequence[int]) -> dict[int, float]:
    """Return ρ_h of outcomes of shape (units, earlier periods): how much of a distance from the mean is left after h periods."""
    n = early.shape[0]
    no = np.zeros(n, dtype=bool)
    case = Case(early, None, no, None, ~no, np.arange(early.shape[1]), 0, early.shape[1])
    return {h: slope(case, h)[0] for h in horizons}
