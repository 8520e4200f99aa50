"""Poisson differences (泊松双重差分): proportional effects on tax itself, zeros kept, land as the offset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.differences import TOWN, Rows, by_group, clusters, leave_one_out, means_by_period, panel_rows
from lyeval.effect.fits import FEW, FEWEST, Fit, dummies, jackknife, student, wald, without
from lyeval.effect.frames import columns, varies
from lyeval.effect.result import Check, Effect, EffectError, check, error, told, tried, within

STEPS, TINY = 60, 1e-10


def poisson(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: str,
    post: str,
    offset: str | None = None,
    groups: str | None = None,
    cluster: str | None = None,
    level: float = 0.95,
) -> Effect:
    """Estimate a proportional difference in differences (泊松双重差分).

    E[y_it] = land_it · exp(αᵢ + λ_t + τ · treatedᵢ · post_t); τ in log points. Unit effects are concentrated out of the
    likelihood, so no bias of many effects arises; the variance is a jackknife over clusters (one Newton step without each),
    since a few large payers carry most of the sum and the usual clustered variance is then too small. Zeros stay in; rows
    below zero cannot and are counted.

    Parameters
    ----------
    frame
        One row per unit and period.
    outcome
        Column of amounts (tax, 万元).
    offset
        Column that the amount is in proportion to (land, 亩).
    groups
        Column of townships or industries, each left out in turn as a check.
    cluster
        Column of groups that share shocks, each unit in one; None: units.
    level
        Of the interval.

    Returns
    -------
    Effect
        ``details``: percent (100 (e^τ − 1)), n_treated, n_control, negative and silent (rows below zero, units never above
        it: left out), variance (CR3; none: one cluster in a group, no p nor interval), df (G−1; Welch's where clusters are few and wholly treated or
        not), path (frame), dropped. Checks: pre_trend, leave_one_out (one step), leave_one_group_out, clusters, by_group as in `did`.

    Raises
    ------
    EffectError
        If a column is unfit, or the periods and groups do not tell the effect apart.

    Notes
    -----
    Santos Silva, Tenreyro (2006), *Review of Economics and Statistics* 88, 641–658; Wooldridge (1999), *Journal of
    Econometrics* 90, 77–97, for consistency whatever the distribution.
    """
    rows, off, counted = _used(frame, (outcome, unit, time, treated, post), offset, groups, cluster)
    fit = _fit(rows, off, (rows.d & rows.after)[:, None])
    estimate, least = float(fit.beta[0]), rows.least()
    se, df = _error(rows, fit, least)
    p_value, low, high = student(estimate, se, df, level) if least > 1 else (np.nan,) * 3
    whole = (estimate, low, high)
    tested = [_pre_trend(rows, off), leave_one_out(whole, fit.without, cluster)]
    tested += [tried("leave_one_group_out", lambda: _leave_groups(rows, off, whole))] if groups else []
    town = groups or (TOWN if TOWN in frame.columns and unit != TOWN else None)
    tested += [clusters(least), *by_group(frame, unit, treated, town, cluster)]
    ever = np.bincount(rows.unit, weights=rows.d) > 0
    details: dict[str, Any] = {
        "percent": 100 * float(np.expm1(estimate)),
        "n_treated": int(ever.sum()),
        "n_control": int((~ever).sum()),
        "variance": "CR3" if least > 1 else "none",
        "df": df,
        **counted,
        "path": means_by_period(rows.y / np.exp(off), rows.t, ever[rows.unit]),
        **({} if least > 1 else {"said": told("one_treated")}),
    }
    estimand = told("poisson_per", outcome=outcome, offset=offset) if offset else told("poisson", outcome=outcome)
    return Effect("poisson", estimand, estimate, se, p_value, low, high, len(rows.y), details, tuple(tested), level)


def _error(rows: Rows, fit: Fit, least: int) -> tuple[float, float]:
    """Return the jackknife's error and degrees of freedom: Welch's where few clusters are wholly treated or not."""
    assert fit.without is not None
    share = np.bincount(rows.cluster, weights=rows.d) / np.bincount(rows.cluster)
    few = (len(share) < FEW or least < FEWEST) and bool(np.isin(share, (0.0, 1.0)).all())
    se, df = jackknife(float(fit.beta[0]), fit.without[:, 0], share > 0 if few else None)
    return (se, df) if se > TINY else (np.nan, df)


def _used(
    frame: pd.DataFrame,
    names: tuple[str, str, str, str, str],
    offset: str | None,
    groups: str | None,
    cluster: str | None,
) -> tuple[Rows, np.ndarray, dict[str, int]]:
    outcome, unit, time, treated, post = names
    keys = list(dict.fromkeys(filter(None, (unit, cluster, groups))))
    data = columns(frame, [time, outcome, treated, post, *([offset] if offset else [])], keys)
    varies(data[outcome], outcome)
    rows = panel_rows(data, names, cluster, groups)
    kept = rows.y >= 0
    if offset:
        kept &= data[offset] > 0
    total = np.bincount(rows.unit, weights=np.where(kept, rows.y, 0.0))
    loud = kept & (total > 0)[rows.unit]
    if not loud.any():
        raise error("nowhere_above_zero", outcome=outcome)
    off = np.log(data[offset][loud]) if offset else np.zeros(int(loud.sum()))
    negative = int((~kept).sum())
    counted = {"negative": negative, "silent": int((total <= 0).sum()), "dropped": data.dropped + negative}
    used = rows.keep(loud)
    if len(np.unique(used.d)) < 2:
        raise error("not_told_apart")
    return used, off, counted


def _fit(rows: Rows, off: np.ndarray, lead: np.ndarray) -> Fit:
    """Fit by Newton's method with αᵢ = log(Σy / Σ exp(offset + xβ)) put in; variance by the jackknife over clusters."""
    x = np.column_stack([lead, dummies(rows.t)]).astype(float)
    beta = np.zeros(x.shape[1])
    for _ in range(STEPS):
        score, own = _parts(rows, off, x, beta)
        if not np.linalg.cond(own.sum(axis=0)) < 1e12:
            raise error("not_told_apart")
        step = np.linalg.solve(own.sum(axis=0), score.sum(axis=0))
        beta = beta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < TINY:
            break
    score, own = _parts(rows, off, x, beta)
    away, g = without(own.sum(axis=0), own, score), len(own)
    return Fit(beta, (g - 1) / g * away.T @ away, g - 1, beta + away)


def _parts(rows: Rows, off: np.ndarray, x: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each cluster's score and part of the information, shapes (clusters, k) and (clusters, k, k)."""
    total = np.bincount(rows.unit, weights=rows.y)
    rate = np.exp(off + x @ beta)
    rate = rate * (total / np.bincount(rows.unit, weights=rate))[rows.unit]
    middle = x - (np.column_stack([np.bincount(rows.unit, weights=rate * c) for c in x.T]) / total[:, None])[rows.unit]
    clusters, k = int(rows.cluster.max()) + 1, x.shape[1]
    score, own = np.zeros((clusters, k)), np.zeros((clusters, k, k))
    np.add.at(score, rows.cluster, (rows.y - rate)[:, None] * x)
    np.add.at(own, rows.cluster, middle[:, :, None] * middle[:, None, :] * rate[:, None, None])
    return score, own


def _pre_trend(rows: Rows, off: np.ndarray) -> Check:
    early, before = rows.keep(~rows.after), off[~rows.after]
    loud = (np.bincount(early.unit, weights=early.y) > 0)[early.unit]
    early, before = early.keep(loud), before[loud]
    periods = np.unique(early.t)
    q, what = len(periods) - 1, told("name_pre_trend")
    if q < 1:
        return check("pre_trend", None, None, "one_earlier", what=what)
    try:
        fit = _fit(early, before, (early.t[:, None] == periods[:-1]) & early.d[:, None])
    except EffectError:
        return check("pre_trend", None, None, "earlier_gaps", what=what)
    if early.least() <= q or np.isnan(fit.covariance).any():
        return check("pre_trend", None, None, "few_units_joint")
    f, p = wald(fit, q)
    return check("pre_trend", p >= 0.05, p, q=q, f=f, p=p)


def _leave_groups(rows: Rows, off: np.ndarray, whole: tuple[float, float, float]) -> Check:
    left = []
    for group in np.unique(np.asarray(rows.group)):
        kept = rows.group != group
        rest = rows.keep(kept)
        if len(np.unique(rest.d)) < 2:
            raise error("without_group")
        left.append(float(_fit(rest, off[kept], (rest.d & rest.after)[:, None]).beta[0]))
    return within(whole, left, "leave_one_group_out")
