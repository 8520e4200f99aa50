"""Poisson differences (泊松双重差分): proportional effects on tax itself, zeros kept, land as the offset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.differences import means_by_period
from lyeval.effect.frames import columns, flag, varies
from lyeval.effect.panels import Fit, dummies, student, wald
from lyeval.effect.result import Check, Effect, EffectError, Words, chance, number

STEPS, TINY = 60, 1e-10
FEWEST = 6


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
) -> Effect:
    """Estimate a proportional difference in differences (泊松双重差分) with unit and period effects.

    E[y_it] = land_it · exp(αᵢ + λ_t + τ · treatedᵢ · post_t); τ in log points. Unit effects are concentrated out of the
    likelihood, so no bias of many effects arises; the variance is a jackknife over units (one Newton step without each), since a
    few large payers carry most of the sum and the usual clustered variance is then too small. Zeros stay in; rows below zero
    cannot and are counted.

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

    Returns
    -------
    Effect
        ``details``: percent (100 (e^τ − 1)), n_treated, n_control, negative and silent (rows below zero, units never above
        it: left out), path (frame), dropped. Checks: pre_trend, leave_one_out (one step), leave_one_group_out, clusters.

    Raises
    ------
    EffectError
        If a column is unfit, or the periods and groups do not tell the effect apart.

    Notes
    -----
    Santos Silva, Tenreyro (2006), *Review of Economics and Statistics* 88, 641–658; Wooldridge (1999), *Journal of
    Econometrics* 90, 77–97, for consistency whatever the distribution.
    """
    used, counted = _used(frame, (outcome, unit, time, treated, post), offset, groups)
    y, t, codes, d, after, off = (used[k] for k in ("y", "t", "unit", "d", "after", "offset"))
    x = np.column_stack([d & after, dummies(t)]).astype(float)
    fit = _fit(y, x, codes, off)
    estimate, se = float(fit.beta[0]), fit.se(0)
    p_value, low, high = student(estimate, se, fit.df)
    ever = np.bincount(codes, weights=d) > 0
    sides = (int(ever.sum()), int((~ever).sum()))
    checks = [_pre_trend(used), _leave_one_out(fit), _clusters(min(sides))]
    if groups:
        checks.insert(2, _leave_groups(used, fit))
    per = y / np.exp(off)
    details: dict[str, Any] = {
        "percent": 100 * float(np.expm1(estimate)),
        "n_treated": sides[0],
        "n_control": sides[1],
        "variance": "CR3",
        "df": fit.df,
        **counted,
        "path": means_by_period(per, t, ever[codes]),
    }
    return Effect(
        "poisson", _estimand(outcome, offset), estimate, se, p_value, low, high, len(y), details, tuple(checks)
    )


def _used(
    frame: pd.DataFrame, names: tuple[str, str, str, str, str], offset: str | None, groups: str | None
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    outcome, unit, time, treated, post = names
    more = [offset] if offset else []
    data = columns(frame, [time, outcome, treated, post, *more], [unit, *([groups] if groups else [])])
    y = data[outcome]
    varies(y, outcome)
    kept = y >= 0
    if offset:
        kept &= data[offset] > 0
    codes = np.unique(data[unit], return_inverse=True)[1]
    total = np.bincount(codes, weights=np.where(kept, y, 0.0))
    loud = kept & (total > 0)[codes]
    if not loud.any():
        raise EffectError(f"{outcome} 没有大于零的行 / {outcome} is nowhere above zero")
    off = np.log(data[offset][loud]) if offset else np.zeros(int(loud.sum()))
    used = {
        "y": y[loud],
        "t": data[time][loud],
        "unit": np.unique(codes[loud], return_inverse=True)[1],
        "d": flag(data[treated], treated)[loud],
        "after": flag(data[post], post)[loud],
        "offset": off,
    } | ({"group": data[groups][loud]} if groups else {})
    silent = int((total[np.unique(codes)] <= 0).sum())
    return used, {"negative": int((~kept).sum()), "silent": silent, "dropped": data.dropped + int((~kept).sum())}


def _fit(y: np.ndarray, x: np.ndarray, unit: np.ndarray, offset: np.ndarray) -> Fit:
    """Fit by Newton's method with αᵢ = log(Σy / Σ exp(offset + xβ)) put in; variance by the jackknife over units."""
    beta = np.zeros(x.shape[1])
    total = np.bincount(unit, weights=y)
    for _ in range(STEPS):
        score, bread = _score(y, x, unit, offset, beta, total)
        if not np.linalg.cond(bread) < 1e12:
            raise EffectError("各期或各组不足以分辨影响 / periods and groups are too few to tell the effect apart")
        step = np.linalg.solve(bread, score.sum(axis=0))
        beta = beta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < TINY:
            break
    score, bread = _score(y, x, unit, offset, beta, total)
    left = beta - np.linalg.solve(bread - _own(y, x, unit, offset, beta, total), score[:, :, None])[:, :, 0]
    away, g = left - beta, len(total)
    return Fit(beta, (g - 1) / g * away.T @ away, g - 1, left)


def _own(
    y: np.ndarray, x: np.ndarray, unit: np.ndarray, offset: np.ndarray, beta: np.ndarray, total: np.ndarray
) -> np.ndarray:
    """Return each unit's part of the information, shape (units, k, k)."""
    rate = np.exp(offset + x @ beta)
    rate = rate * (total / np.bincount(unit, weights=rate))[unit]
    middle = x - (np.column_stack([np.bincount(unit, weights=rate * c) for c in x.T]) / total[:, None])[unit]
    order = np.argsort(unit, kind="stable")
    products = (middle[:, :, None] * middle[:, None, :] * rate[:, None, None])[order]
    return np.add.reduceat(products, np.searchsorted(unit[order], np.arange(len(total))), axis=0)


def _score(
    y: np.ndarray, x: np.ndarray, unit: np.ndarray, offset: np.ndarray, beta: np.ndarray, total: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each unit's score, shape (units, k), and the information, shape (k, k)."""
    rate = np.exp(offset + x @ beta)
    rate = rate * (total / np.bincount(unit, weights=rate))[unit]
    weighted = np.column_stack([np.bincount(unit, weights=rate * column) for column in x.T])
    middle = x - (weighted / total[:, None])[unit]
    score = np.column_stack([np.bincount(unit, weights=(y - rate) * column) for column in x.T])
    return score, (middle * rate[:, None]).T @ middle


def _pre_trend(used: dict[str, np.ndarray]) -> Check:
    early = ~used["after"]
    y, t, d, off = (used[k][early] for k in ("y", "t", "d", "offset"))
    codes = np.unique(used["unit"][early], return_inverse=True)[1]
    total = np.bincount(codes, weights=y)
    loud = (total > 0)[codes]
    y, t, d, off, codes = y[loud], t[loud], d[loud], off[loud], np.unique(codes[loud], return_inverse=True)[1]
    periods = np.unique(t)
    if len(periods) < 2:
        return Check("pre_trend", None, None, "此前只有一期，无法检验走势", "one earlier period: no trend to test")
    leads = (t[:, None] == periods[:-1]) & d[:, None]
    try:
        fit = _fit(y, np.column_stack([leads, dummies(t)]).astype(float), codes, off)
    except EffectError:
        return Check("pre_trend", None, None, "此前各期数据不齐", "earlier periods have gaps")
    f, p = wald(fit, slice(0, len(periods) - 1))
    zh = f"此前 {len(periods) - 1} 期两组之差联合检验 F = {number(f)}，{chance(p)}"
    en = f"joint test of {len(periods) - 1} earlier difference(s): F = {number(f)}, {chance(p)}"
    return Check("pre_trend", p >= 0.05, p, zh, en)


def _leave_one_out(fit: Fit) -> Check:
    """One Newton step without each unit: the estimate must stay in the interval."""
    left = np.empty((0, 1)) if fit.without is None else fit.without
    least, most = float(left[:, 0].min()), float(left[:, 0].max())
    return _within("leave_one_out", fit, least, most, ("逐一去掉一个单位", "leaving out one unit at a time"))


def _leave_groups(used: dict[str, np.ndarray], fit: Fit) -> Check:
    found = []
    for group in np.unique(used["group"]):
        rows = used["group"] != group
        y, t, d, after, off = (used[k][rows] for k in ("y", "t", "d", "after", "offset"))
        codes = np.unique(used["unit"][rows], return_inverse=True)[1]
        try:
            found.append(float(_fit(y, np.column_stack([d & after, dummies(t)]).astype(float), codes, off).beta[0]))
        except EffectError:
            return Check(
                "leave_one_group_out", None, None, "有一组去掉后即无法估计", "without some group there is no estimate"
            )
    words = (f"逐一去掉 {len(found)} 组中的一组", f"leaving out each of {len(found)} groups")
    return _within("leave_one_group_out", fit, min(found), max(found), words)


def _within(name: str, fit: Fit, least: float, most: float, words: tuple[str, str]) -> Check:
    estimate = float(fit.beta[0])
    _, low, high = student(estimate, fit.se(0), fit.df)
    far = max(abs(least - estimate), abs(most - estimate))
    span = (number(least), number(most))
    zh, en = f"{words[0]}，估计为 {span[0]} 至 {span[1]}", f"{words[1]}: {span[0]} to {span[1]}"
    return Check(name, bool(low <= least and most <= high), far, zh, en)


def _clusters(least: int) -> Check:
    return Check(
        "clusters",
        least >= FEWEST,
        float(least),
        f"较少一组有 {least} 个单位，聚类标准误至少需 {FEWEST} 个",
        f"{least} unit(s) in the smaller group; clustered errors need {FEWEST}",
    )


def _estimand(outcome: str, offset: str | None) -> Words:
    zh, en = (f"（以 {offset} 为暴露量）", f" per {offset}") if offset else ("", "")
    return Words(
        f"{outcome}{zh}所受比例影响（对数点，假定其余走势成比例）",
        f"proportional effect on {outcome}{en}, in log points, had trends been proportional otherwise",
    )
