"""What happened against what would have happened anyway (与无政策预测之差): listed against unlisted of the same band.

A list drawn on one low year rises next year with no policy at all. How much is read from the county's own earlier years.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.frames import columns, flag, varies, whole_years
from lyeval.effect.result import Check, Effect, EffectError, Words, chance, normal, number
from lyeval.effect.reverting import FEWEST, Case, Gap, mean_by_row, measured, slope

Projection = str | Callable[[pd.DataFrame, pd.DataFrame], np.ndarray] | None


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
    """
    case, dropped = _case(frame, (outcome, unit, time, listed, first_year), base_year, projection, (score, band, would))
    found = measured(case)
    p_value, low, high = normal(found.estimate, found.std_error)
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
    checks = (_placebo(case), _same_band(case), _rows(found))
    n = found.n_listed + found.n_unlisted
    return Effect(
        "forecast_gap",
        _estimand(outcome, case),
        found.estimate,
        found.std_error,
        p_value,
        low,
        high,
        n,
        details,
        checks,
    )


def _case(
    frame: pd.DataFrame,
    names: tuple[str, str, str, str, int],
    base_year: int | None,
    projection: Projection,
    more: tuple[str | None, tuple[float, float] | None, str | None],
) -> tuple[Case, int]:
    outcome, unit, time, listed, first_year = names
    score, band, would = more
    extra = [name for name in (score, would) if name]
    data = columns(frame, [time, outcome, listed, *extra], [unit])
    varies(data[outcome], outcome)
    when = whole_years(data[time], time)
    periods, at = np.arange(when.min(), when.max() + 1), when - when.min()
    codes, who = np.unique(data[unit], return_inverse=True)
    shape = (len(codes), len(periods))
    y = np.full(shape, np.nan)
    y[who, at] = data[outcome]
    base, first = _positions(periods, base_year if base_year is not None else first_year - 1, first_year)
    of = partial(_per_unit, who=who, n=shape[0])
    inside = np.ones(shape[0], dtype=bool)
    if score and band:
        value = of(data[score])
        inside = (value >= band[0]) & (value <= band[1])
    case = Case(
        y,
        _given(frame, projection, (outcome, unit, time, first_year), (periods, shape)),
        of(flag(data[listed], listed).astype(float)) > 0,
        of(flag(data[would], would).astype(float)) > 0 if would else None,
        inside,
        periods,
        base,
        first,
    )
    return case, data.dropped


def _per_unit(values: np.ndarray, *, who: np.ndarray, n: int) -> np.ndarray:
    out = np.full(n, np.nan)
    out[who] = values
    return out


def _positions(periods: np.ndarray, base: int, first: int) -> tuple[int, int]:
    at = np.flatnonzero(periods == base)
    later = np.flatnonzero(periods >= first)
    if not len(at) or not len(later) or base >= first:
        raise EffectError(
            f"须有名单所据的 {base} 年和 {first} 年以后的数据 / "
            f"periods {base} (the list's own) and {first} or later are needed"
        )
    return int(at[0]), int(later[0])


def _given(
    frame: pd.DataFrame,
    projection: Projection,
    names: tuple[str, str, str, int],
    at: tuple[np.ndarray, tuple[int, int]],
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
    data = columns(whole, [time, column], [unit])
    every = columns(whole, [time, outcome], [unit])
    periods, shape = at
    out = np.full(shape, np.nan)
    codes = np.unique(every[unit])
    out[np.searchsorted(codes, data[unit]), np.searchsorted(periods, data[time])] = data[column]
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
        return Check("placebo_date", None, None, "没有更早的年份可作假日期检验", "no earlier period for a placebo date")
    early = replace(
        case,
        y=case.y[:, : case.first],
        listed=case.would,
        periods=case.periods[: case.first],
        base=case.base - 1,
        first=case.first - 1,
    )
    try:
        found = measured(early)
    except EffectError as error:
        zh, _, en = str(error).partition(" / ")
        return Check("placebo_date", None, None, f"假日期无法检验：{zh}", f"placebo date not tested: {en}")
    p = normal(found.estimate, found.std_error)[0]
    value = number(found.estimate)
    return Check(
        "placebo_date",
        p >= 0.05,
        p,
        f"按同一规则提前一年列名单，差为 {value}（{chance(p)}），应为零",
        f"the same rule one period earlier gives {value} ({chance(p)}); should be 0",
    )


def _same_band(case: Case) -> Check:
    """Own reversion carries a start one standard deviation apart at most; a projection must hold for the unlisted."""
    start = case.y[:, case.base]
    known = case.band & ~np.isnan(start)
    if case.projected is not None:
        return _as_forecast(case, known & ~case.listed)
    sides = [start[known & case.listed], start[known & ~case.listed]]
    spread = float(start[~np.isnan(start)].std())
    apart = abs(float(sides[0].mean() - sides[1].mean())) / spread if spread > 0 else 0.0
    return Check(
        "same_band",
        apart < 1.0,
        apart,
        f"两组起点相距 {number(apart)} 个标准差（应小于 1）",
        f"the two groups start {number(apart)} standard deviations apart (should be below 1)",
    )


def _as_forecast(case: Case, rest: np.ndarray) -> Check:
    """The unlisted should stand where the no-policy projection puts them."""
    later = list(case.later)
    gap = mean_by_row(case.y[:, later] - case.projected[:, later])[rest]  # type: ignore[index]
    gap = gap[~np.isnan(gap)]
    value = float(gap.mean())
    p = normal(value, float(gap.std(ddof=1)) / math.sqrt(len(gap)))[0]
    return Check(
        "unlisted_as_forecast",
        p >= 0.05,
        p,
        f"名单外与无政策预测之差应为零：{number(value)}（{chance(p)}）",
        f"the unlisted over their own no-policy projection should be 0: {number(value)} ({chance(p)})",
    )


def _rows(found: Gap) -> Check:
    least = min(found.n_listed, found.n_unlisted)
    return Check(
        "rows",
        least >= 3 * FEWEST,
        float(least),
        f"较少一侧有 {least} 家（应不少于 {3 * FEWEST}）",
        f"{least} unit(s) on the smaller side ({3 * FEWEST} wanted)",
    )


def _said(found: Gap) -> Words:
    """Say how much of what a listed-only before/after would show is reversion alone."""
    excess, share = found.rise - found.rise_unlisted, math.nan
    if abs(excess) > 1e-12:
        share = found.predicted / excess
    told_zh = f"（占 {share:.0%}）" if 0 <= share <= 9.99 else ""
    told_en = f" ({share:.0%} of it)" if 0 <= share <= 9.99 else ""
    zh = f"只看名单内前后：上升 {number(found.rise)}，比名单外多 {number(excess)}，其中均值回归本身即可带来 {number(found.predicted)}{told_zh}。"
    en = (
        f"Listed alone, before and after: {number(found.rise)}, which is {number(excess)} over the unlisted; "
        f"mean reversion alone predicts {number(found.predicted)}{told_en}."
    )
    return Words(zh, en)


def _estimand(outcome: str, case: Case) -> Words:
    first = int(case.periods[case.first])
    return Words(
        f"{first} 年起名单内 {outcome} 超出无政策预测的部分，减去同一区间名单外的同一差额",
        f"{outcome} of the listed over its no-policy forecast from {first} on, less the same of the unlisted in the band",
    )
