"""Differences in differences (双重差分): two by two, and two-way fixed effects clustered by unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.difference_checks import leave_groups_out, panel_checks
from lyeval.effect.frames import columns, flag, varies
from lyeval.effect.panels import Fit, robust, student, two_way
from lyeval.effect.result import Check, Effect, EffectError, Words, number


def did(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str | None = None,
    time: str | None = None,
    treated: str,
    post: str | None = None,
    groups: str | None = None,
) -> Effect:
    """Estimate a difference in differences (双重差分).

    Panel: y_it = αᵢ + λ_t + τ · treatedᵢ · post_t + ε_it, clustered by unit. Repeated cross-sections (``unit`` and ``time``
    None): (ȳ₁,post − ȳ₁,pre) − (ȳ₀,post − ȳ₀,pre), robust. Without ``post`` too: ȳ₁ − ȳ₀ of an experiment, one variance.

    Parameters
    ----------
    frame
        One row per unit and period, or per person observed once.
    outcome
        Numeric column.
    unit, time
        Columns of a panel; give both or neither.
    treated
        Column 0/1, fixed for a unit: whether it is ever treated.
    post
        Column 0/1, fixed for a period: whether the treatment is in force.
    groups
        Column of townships or industries in a panel, each left out in turn as a check.

    Returns
    -------
    Effect
        ``details``: cells (frame of the four means and counts), n_treated and n_control (units in a panel, else rows),
        variance, dropped; panels also std_error_jackknife, lag_conditional and lag_conditional_se (the treated's later
        outcome given the last earlier one: with the estimate a pair of bounds where listing followed a low year; Angrist
        and Pischke 2009, 5.3–5.4), pre_trends and path (frames).
        Checks: pre_trend, placebo_date, leave_one_out, leave_one_group_out (with ``groups``), clusters.

    Raises
    ------
    EffectError
        If a column is unfit, a cell of the four is empty, ``treated`` changes within a unit or ``post`` within a period.

    Notes
    -----
    Cameron, Miller (2015), *Journal of Human Resources* 50, for the clustered variance. Where units start in different
    years use `event_study`.
    """
    if (unit is None) != (time is None):
        raise EffectError("unit 与 time 应同时给出或同时省略 / give both unit and time, or neither")
    if unit is not None and time is not None:
        return _panel(frame, (outcome, unit, time, treated, post), groups)
    return _cross(frame, outcome, treated, post)


def _cross(frame: pd.DataFrame, outcome: str, treated: str, post: str | None) -> Effect:
    data = columns(frame, [outcome, treated, *([post] if post else [])])
    varies(data[outcome], outcome)
    d = flag(data[treated], treated)
    after = flag(data[post], post) if post else np.ones(len(d), dtype=bool)
    cells = _cells(data[outcome], d, after, post is not None)
    one, d1, p1 = np.ones(len(d)), d.astype(float), after.astype(float)
    x = np.column_stack([d1 * p1, one, d1, p1] if post else [d1, one])
    fit = robust(x, data[outcome], equal=post is None)
    details = {
        "cells": cells,
        "n_treated": int(d.sum()),
        "n_control": int((~d).sum()),
        "variance": "HC1" if post else "equal",
        "std_error_robust": robust(x, data[outcome]).se(0),
        "dropped": data.dropped,
    }
    checks = (_no_past(),) if post else ()
    return _effect(_estimand(outcome, treated, post), fit, len(data), details, checks)


def _panel(frame: pd.DataFrame, names: tuple[str, str, str, str, str | None], groups: str | None) -> Effect:
    outcome, unit, time, treated, post = names
    if post is None:
        raise EffectError("面板数据须给出 post（政策施行后的时期） / a panel needs post: which periods are after")
    data = columns(frame, [time, outcome, treated, post], [unit, *([groups] if groups else [])])
    y, t, codes = data[outcome], data[time], _renumbered(data[unit])
    varies(y, outcome)
    d, after = flag(data[treated], treated), flag(data[post], post)
    _constant(d, codes, treated, unit, "用 event_study / use event_study")
    _constant(
        after, np.unique(t, return_inverse=True)[1], post, time, "post 只随时期变 / post depends on the period alone"
    )
    cells = _cells(y, d, after, True)
    fit = two_way(y, t, codes, d & after)
    ever = np.bincount(codes, weights=d) > 0
    tested, pre_trends = panel_checks(y, t, codes, d, after, fit)
    if groups:
        tested = (*tested, leave_groups_out(y, t, codes, d & after, data[groups], fit))
    details = {
        "cells": cells,
        "path": means_by_period(y, t, ever[codes]),
        "n_units": len(ever),
        "n_treated": int(ever.sum()),
        "n_control": int((~ever).sum()),
        "variance": "CR1",
        "std_error_jackknife": _jackknife(fit),
        **(bound := _lag_conditional(y, t, codes, d, after)),
        "said": _bounds(float(fit.beta[0]), bound["lag_conditional"]),
        "pre_trends": pre_trends,
        "dropped": data.dropped,
    }
    return _effect(_estimand(outcome, treated, post), fit, len(data), details, tested)


def _effect(estimand: Words, fit: Fit, n: int, details: dict[str, Any], checks: tuple[Check, ...]) -> Effect:
    estimate, se = float(fit.beta[0]), fit.se(0)
    p_value, low, high = student(estimate, se, fit.df)
    return Effect("did", estimand, estimate, se, p_value, low, high, n, details | {"df": fit.df}, checks)


def _cells(y: np.ndarray, d: np.ndarray, after: np.ndarray, two: bool) -> pd.DataFrame:
    rows = []
    for in_group in (True, False):
        for late in (False, True) if two else (True,):
            cell = (d == in_group) & (after == late)
            if not cell.any():
                zh = f"{'处置组' if in_group else '对照组'}{'后' if late else '前'}期没有观测"
                en = f"no row of the {'treated' if in_group else 'controls'} {'after' if late else 'before'}"
                raise EffectError(f"{zh} / {en}")
            rows.append((in_group, late, float(y[cell].mean()), int(cell.sum())))
    return pd.DataFrame(rows, columns=["treated", "post", "mean", "n"])


def means_by_period(y: np.ndarray, t: np.ndarray, treated: np.ndarray) -> pd.DataFrame:
    """Return by period the mean of the treated and of the controls: group (listed, unlisted), time, mean, n."""
    rows = []
    for name, group in (("listed", treated), ("unlisted", ~treated)):
        for period in np.unique(t[group]):
            at = group & (t == period)
            rows.append((name, int(period), float(y[at].mean()), int(at.sum())))
    return pd.DataFrame(rows, columns=["group", "time", "mean", "n"])


def _constant(values: np.ndarray, codes: np.ndarray, name: str, within: str, advice: str) -> None:
    share = np.bincount(codes, weights=values) / np.bincount(codes)
    if not np.isin(share, (0.0, 1.0)).all():
        zh, en = advice.split(" / ")
        raise EffectError(f"{name} 在同一 {within} 内有变化；{zh} / {name} changes within a {within}: {en}")


def _renumbered(codes: np.ndarray) -> np.ndarray:
    return np.unique(codes, return_inverse=True)[1]


def _jackknife(fit: Fit) -> float:
    """Return √((G−1)/G · Σ(τ̂₋g − τ̄)²); NaN if some unit cannot be left out."""
    if fit.without is None:
        return float("nan")
    left = fit.without[:, 0]
    return float(np.sqrt((len(left) - 1) / len(left) * np.sum((left - left.mean()) ** 2)))


def _lag_conditional(
    y: np.ndarray, t: np.ndarray, codes: np.ndarray, d: np.ndarray, after: np.ndarray
) -> dict[str, float]:
    """Regress each unit's mean later outcome on treatment and its outcome in the last earlier period."""
    last = (~after) & (t == t[~after].max())
    units = int(codes.max()) + 1
    with np.errstate(invalid="ignore", divide="ignore"):
        later, before = (
            np.bincount(codes[r], weights=y[r], minlength=units) / np.bincount(codes[r], minlength=units)
            for r in (after, last)
        )
    ever = np.bincount(codes, weights=d, minlength=units) > 0
    both = np.isfinite(later) & np.isfinite(before)
    try:
        fit = robust(np.column_stack([ever, np.ones(units), before])[both].astype(float), later[both])
    except EffectError:
        return {"lag_conditional": float("nan"), "lag_conditional_se": float("nan")}
    return {"lag_conditional": float(fit.beta[0]), "lag_conditional_se": fit.se(0)}


def _bounds(estimate: float, conditional: float) -> Words:
    """Say the pair of bounds: the difference in differences, and the estimate given the last earlier outcome."""
    if np.isnan(conditional):
        return Words("以此前水平为条件的估计无法给出。", "No estimate given the last earlier outcome can be made.")
    low, high = sorted((estimate, conditional))
    return Words(
        f"以此前水平为条件的估计为 {number(conditional)}；名单据低年列定时两者为界：{number(low)} 至 {number(high)}。",
        f"Given the last earlier outcome the estimate is {number(conditional)}; where a low year led to listing the two are "
        f"bounds: {number(low)} to {number(high)}.",
    )


def _no_past() -> Check:
    return Check(
        "pre_trend",
        None,
        None,
        "前后各一期的截面数据，无法检验此前走势是否平行",
        "one period before and one after: whether trends were parallel before cannot be seen",
    )


def _estimand(outcome: str, treated: str, post: str | None) -> Words:
    if post is None:
        return Words(
            f"{treated} 两组 {outcome} 均值之差（随机分组下即平均影响）",
            f"difference in mean {outcome} by {treated} (the average effect if random)",
        )
    return Words(
        f"{treated} 者在 {post} 期间 {outcome} 所受平均影响（假定其余走势平行）",
        f"average effect on {outcome} of the {treated} during {post}, had trends been parallel otherwise",
    )
