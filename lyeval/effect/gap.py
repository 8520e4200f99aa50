"""What happened against what would have happened anyway (与无政策预测之差): listed against unlisted of the same band.

A list drawn on one low year rises next year with no policy at all. How much is read from the county's own earlier years.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.clusters import Fit, clustered, demeaned, recoded
from lyeval.effect.estimate import Check, Effect, EffectError, check, error, normal, told, tried
from lyeval.effect.frames import columns, flag, grid, varies
from lyeval.told import Words

FEWEST = 10
Projection = str | Callable[[pd.DataFrame, pd.DataFrame], np.ndarray] | None


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
        raise error("few_compared", listed=int(in_list.sum()), rest=int(rest.sum()), least=FEWEST)
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
        raise error("no_reversion")
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
    apart = demeaned(np.column_stack([y, x]), recoded(t))
    try:
        return clustered(apart[:, 1:], apart[:, 0], recoded(who), len(np.unique(t))), len(y)
    except EffectError:
        return None, 0


def reversion(early: np.ndarray, horizons: Sequence[int]) -> dict[int, float]:
    """Return ρ_h of outcomes of shape (units, earlier periods): how much of a distance from the mean is left after h
    periods.
    """
    n = early.shape[0]
    no = np.zeros(n, dtype=bool)
    case = Case(early, None, no, None, ~no, np.arange(early.shape[1]), 0, early.shape[1])
    return {h: slope(case, h)[0] for h in horizons}


def forecast_gap(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    listed: str,
    first_year: int,
    base_year: int | None = None,
    projection: Projection = None,
    score: str | None = None,
    band: tuple[float, float] | None = None,
    would: str | None = None,
    level: float = 0.95,
) -> Effect:
    """Hold what happened against a no-policy forecast (无政策预测之差).

    τ = mean(y − ŷ | listed) − mean(y − ŷ | unlisted), over the periods from ``first_year`` on, in one band of the score.
    Without a ``projection`` ŷ is the county's own reversion: y_t = a_t + ρ_h y_{t−h}, fitted by least squares over all units
    on pairs of periods before ``first_year`` (h from ``base_year``; where no pair is that far apart, ρ₁ʰ).

    Parameters
    ----------
    frame
        One row per unit and period.
    outcome
        Numeric column; for a 0/1 outcome the projection is a probability.
    listed
        Column 0/1, fixed for a unit.
    base_year
        The period that the list was drawn on; default: the one before ``first_year``.
    projection
        Column of no-policy projections of the later periods, or a function (earlier rows, later rows) → array of them.
    score, band
        Numeric column fixed for a unit, and the lowest and highest score compared; None: everyone.
    would
        Column 0/1: whom the same rule would have listed one period before ``base_year``, for the placebo.
    level
        Of the interval.

    Returns
    -------
    Effect
        ``details``: rise_listed, rise_unlisted (mean change since the base), predicted (what reversion alone adds to the
        listed over the unlisted), share_predicted (of the excess rise of the listed), rho, rho_se, n_listed, n_unlisted,
        slopes (frame: horizon, rho, std_error, n), path (frame), dropped. The error of ρ is part of the interval; that of a
        projection from outside is not. Checks: placebo_date, same_band, rows.

    Raises
    ------
    EffectError
        If a column is unfit, the base or the later periods are not there, or a side has fewer than 10 units.

    Examples
    --------
    >>> from lyeval import effect
    >>> asked = {"unit": "firm", "time": "year", "listed": "listed", "first_year": 2021, "score": "score"}
    >>> found = effect.forecast_gap(effect.example(), outcome="level", band=(1.0, 3.0), **asked)
    >>> round(found.estimate, 1), found.details["n_listed"]
    (0.4, 49)
    """
    case, dropped = _case(frame, (outcome, unit, time, listed, first_year), base_year, projection, (score, band, would))
    found = measured(case)
    p_value, low, high = normal(found.estimate, found.std_error, level)
    slopes = pd.DataFrame(found.slopes, columns=["horizon", "rho", "std_error", "n"])
    excess = found.rise - found.rise_unlisted
    details: dict[str, Any] = {
        "rise_listed": found.rise,
        "rise_unlisted": found.rise_unlisted,
        "predicted": found.predicted,
        "share_predicted": found.predicted / excess if abs(excess) > 1e-12 else math.nan,
        "rho": found.slopes[0][1] if found.slopes else math.nan,
        "rho_se": found.slopes[0][2] if found.slopes else math.nan,
        "n_listed": found.n_listed,
        "n_unlisted": found.n_unlisted,
        "slopes": slopes,
        "path": _path(case),
        "said": _said(found),
        "dropped": dropped,
    }
    least = min(found.n_listed, found.n_unlisted)
    rows = check("rows", least >= 3 * FEWEST, least, n=least, least=3 * FEWEST)
    checks = (_placebo(case), _same_band(case), rows)
    n = found.n_listed + found.n_unlisted
    estimand = told("forecast_gap", outcome=outcome, first=int(case.periods[case.first]))
    numbers = (found.estimate, found.std_error, p_value, low, high, n)
    return Effect("forecast_gap", estimand, *numbers, details, checks, level)


def _case(
    frame: pd.DataFrame, names: tuple[Any, ...], base_year: int | None, projection: Projection, more: tuple[Any, ...]
) -> tuple[Case, int]:
    outcome, unit, time, listed, first_year = names
    score, band, would = more
    data = columns(frame, [time, outcome, listed, *filter(None, (score, would))], [unit])
    varies(data[outcome], outcome)
    seen, who, known = grid(data, outcome, unit, time)
    periods = np.arange(known.min(), known.max() + 1)
    y = np.full((len(seen), len(periods)), np.nan)
    y[:, known - known.min()] = seen
    base = first_year - 1 if base_year is None else base_year
    at, later = np.flatnonzero(periods == base), np.flatnonzero(periods >= first_year)
    if not len(at) or not len(later) or base >= first_year:
        raise error("no_periods", base=base, first=first_year)

    def of(name: str) -> np.ndarray:
        out = np.full(len(y), np.nan)
        out[who] = data[name]
        return out

    for name in filter(None, (listed, would)):
        flag(data[name], name)
    inside = (of(score) >= band[0]) & (of(score) <= band[1]) if score and band else np.ones(len(y), dtype=bool)
    projected = _given(frame, projection, (outcome, unit, time, first_year), (periods, y.shape))
    asked = of(would) > 0 if would else None
    return Case(y, projected, of(listed) > 0, asked, inside, periods, int(at[0]), int(later[0])), data.dropped


def _given(
    frame: pd.DataFrame, projection: Projection, names: tuple[Any, ...], at: tuple[np.ndarray, tuple[int, ...]]
) -> np.ndarray | None:
    """Lay a projection out by unit and period."""
    if projection is None:
        return None
    outcome, unit, time, first_year = names
    column = projection if isinstance(projection, str) else "projected"
    if not isinstance(projection, str):
        early = frame[time] < first_year
        values = np.full(len(frame), np.nan)
        values[~early.to_numpy()] = projection(frame[early], frame[~early])
        frame = frame.assign(**{column: values})
    whole = frame[frame[outcome].notna()]
    data, every = columns(whole, [time, column], [unit]), np.unique(columns(whole, [time, outcome], [unit])[unit])
    out = np.full(at[1], np.nan)
    out[np.searchsorted(every, data[unit]), np.searchsorted(at[0], data[time])] = data[column]
    return out


def _path(case: Case) -> pd.DataFrame:
    """Return by period the means of listed and unlisted in the band, and what was projected for the listed."""
    rows: list[tuple[str, int, float, int]] = []
    groups = {"listed": case.band & case.listed, "unlisted": case.band & ~case.listed}
    for name, group in groups.items():
        for t, period in enumerate(case.periods):
            known = group & ~np.isnan(case.y[:, t])
            if known.any():
                rows.append((name, int(period), float(case.y[known, t].mean()), int(known.sum())))
    own = {name: dict((p, v) for g, p, v, _ in rows if g == name) for name in groups}
    start = case.y[:, case.base]
    for t in case.later:
        period = int(case.periods[t])
        if period not in own["unlisted"]:
            continue
        if case.projected is not None:
            known = groups["listed"] & ~np.isnan(case.projected[:, t])
            value = float(case.projected[known, t].mean()) if known.any() else math.nan
        else:
            rho = slope(case, t - case.base)[0]
            apart = np.nanmean(start[groups["listed"]]) - np.nanmean(start[groups["unlisted"]])
            value = own["unlisted"][period] + rho * float(apart)
        rows.append(("projected", period, value, 0))
    return pd.DataFrame(rows, columns=["group", "time", "mean", "n"])


def _placebo(case: Case) -> Check:
    """Do the same one period earlier, with those whom the same rule would have listed then."""
    if case.would is None or case.base < 1 or case.first < 3 or case.projected is not None:
        return check("placebo_date", None, None, "no_earlier")
    early, at = case.y[:, : case.first], {"base": case.base - 1, "first": case.first - 1}
    other = replace(case, y=early, listed=case.would, periods=case.periods[: case.first], **at)

    def test() -> Check:
        found = measured(other)
        p = normal(found.estimate, found.std_error)[0]
        return check("placebo_date", p >= 0.05, p, "placebo_rule", value=found.estimate, p=p)

    return tried("placebo_date", test)


def _same_band(case: Case) -> Check:
    """Own reversion carries a start one standard deviation apart at most; a projection must hold for the unlisted."""
    start = case.y[:, case.base]
    known = case.band & ~np.isnan(start)
    if case.projected is not None:
        return _as_forecast(case, known & ~case.listed)
    sides = [start[known & case.listed], start[known & ~case.listed]]
    spread = float(start[~np.isnan(start)].std())
    apart = abs(float(sides[0].mean() - sides[1].mean())) / spread if spread > 0 else 0.0
    return check("same_band", apart < 1.0, apart, apart=apart)


def _as_forecast(case: Case, rest: np.ndarray) -> Check:
    """The unlisted should stand where the no-policy projection puts them."""
    later = list(case.later)
    gap = mean_by_row(case.y[:, later] - case.projected[:, later])[rest]  # type: ignore[index]
    gap = gap[~np.isnan(gap)]
    value = float(gap.mean())
    p = normal(value, float(gap.std(ddof=1)) / math.sqrt(len(gap)))[0]
    return check("unlisted_as_forecast", p >= 0.05, p, value=value, p=p)


def _said(found: Gap) -> Words:
    """Say how much of what a listed-only before/after would show is reversion alone."""
    excess = found.rise - found.rise_unlisted
    share = found.predicted / excess if abs(excess) > 1e-12 else math.nan
    part = told("share_of_it", share=f"{share:.0%}") if 0 <= share <= 9.99 else Words("", "")
    return told("listed_alone", rise=found.rise, excess=excess, predicted=found.predicted, part=part)
