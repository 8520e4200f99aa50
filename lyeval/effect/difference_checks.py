"""Checks of a difference in differences: earlier trends, a placebo date, one unit left out, number of clusters."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lyeval.effect.panels import Fit, clustered, demeaned, dummies, student, two_way, wald
from lyeval.effect.result import Check, EffectError, chance, number

FEWEST = 6
"""Clusters wanted in each group: with fewer the clustered variance is known to be too small (MacKinnon, Webb 2017)."""
TRENDS = ["time", "estimate", "std_error", "p_value", "low", "high"]


def panel_checks(
    y: np.ndarray, t: np.ndarray, unit: np.ndarray, d: np.ndarray, after: np.ndarray, fit: Fit
) -> tuple[tuple[Check, ...], pd.DataFrame]:
    """Return the checks of a panel, and the differences between the groups in the earlier periods."""
    early = (~after).nonzero()[0]
    codes = np.unique(unit[early], return_inverse=True)[1]
    before = (y[early], t[early], codes, d[early])
    trend, table = _pre_trend(*before)
    return (trend, _placebo_date(*before), _leave_one_out(fit), _clusters(unit, d)), table


def _pre_trend(y: np.ndarray, t: np.ndarray, unit: np.ndarray, d: np.ndarray) -> tuple[Check, pd.DataFrame]:
    """Test the groups' differences in every earlier period against that in the last one."""
    periods = np.unique(t)
    if len(periods) < 2:
        return _open("pre_trend", "此前只有一期", "only one earlier period"), pd.DataFrame(columns=TRENDS)
    leads = (t[:, None] == periods[:-1]) & d[:, None]
    x = np.column_stack([leads, dummies(t)]).astype(float)
    q = len(periods) - 1
    try:
        fit = clustered(demeaned(x, unit), demeaned(y[:, None], unit)[:, 0], unit, 1)
    except EffectError:
        return _open("pre_trend", "此前各期数据不齐", "earlier periods have gaps"), pd.DataFrame(columns=TRENDS)
    rows = [
        (float(p), float(fit.beta[i]), fit.se(i), *student(float(fit.beta[i]), fit.se(i), fit.df))
        for i, p in enumerate(periods[:-1])
    ]
    table = pd.DataFrame([*rows, (float(periods[-1]), 0.0, 0.0, np.nan, 0.0, 0.0)], columns=TRENDS)
    if _least(unit, d) <= q:
        return _open(
            "pre_trend", "单位太少，此前各期之差无法联合检验", "too few units for a joint test of earlier periods"
        ), table
    f, p = wald(fit, slice(0, q))
    zh = f"此前 {q} 期两组之差联合检验 F = {number(f)}，{chance(p)}"
    return Check(
        "pre_trend", p >= 0.05, p, zh, f"joint test of {q} earlier difference(s): F = {number(f)}, {chance(p)}"
    ), table


def _placebo_date(y: np.ndarray, t: np.ndarray, unit: np.ndarray, d: np.ndarray) -> Check:
    """Pretend that the policy began half-way through the earlier periods."""
    periods = np.unique(t)
    if len(periods) < 2:
        return _open("placebo_date", "此前只有一期", "only one earlier period")
    middle = periods[len(periods) // 2]
    try:
        fit = two_way(y, t, unit, d & (t >= middle))
    except EffectError:
        return _open("placebo_date", "此前各期数据不齐", "earlier periods have gaps")
    p = student(float(fit.beta[0]), fit.se(0), fit.df)[0]
    if _least(unit, d) < 2 or np.isnan(p):
        return _open("placebo_date", "单位太少", "too few units")
    value = number(float(fit.beta[0]))
    zh = f"假设政策始于 {middle:g}，只用此前数据，估计为 {value}（{chance(p)}）"
    return Check(
        "placebo_date", p >= 0.05, p, zh, f"as if it began in {middle:g}, earlier rows alone: {value} ({chance(p)})"
    )


def _leave_one_out(fit: Fit) -> Check:
    """Leave out each unit in turn: the estimate must keep its sign and stay in the interval."""
    left = np.empty(0) if fit.without is None else fit.without[:, 0]
    if not len(left) or np.isnan(left).any():
        return _open("leave_one_out", "有单位去掉后即无法估计", "without some unit there is no estimate")
    _, low, high = student(float(fit.beta[0]), fit.se(0), fit.df)
    least, most = float(left.min()), float(left.max())
    zh = f"逐一去掉一个单位，估计为 {number(least)} 至 {number(most)}"
    kept = low <= least and most <= high and least * most > 0
    far = max(abs(least - fit.beta[0]), abs(most - fit.beta[0]))
    return Check(
        "leave_one_out",
        bool(kept),
        float(far),
        zh,
        f"leaving out one unit at a time: {number(least)} to {number(most)}",
    )


def leave_groups_out(
    y: np.ndarray, t: np.ndarray, unit: np.ndarray, treated: np.ndarray, groups: np.ndarray, fit: Fit
) -> Check:
    """Leave out each township or industry in turn: the estimate must keep its sign and stay in the interval."""
    left = []
    for group in np.unique(groups):
        rows = groups != group
        try:
            codes = np.unique(unit[rows], return_inverse=True)[1]
            left.append(float(two_way(y[rows], t[rows], codes, treated[rows]).beta[0]))
        except (EffectError, ValueError):
            return _open("leave_one_group_out", "有一组去掉后即无法估计", "without some group there is no estimate")
    _, low, high = student(float(fit.beta[0]), fit.se(0), fit.df)
    least, most = min(left), max(left)
    kept = low <= least and most <= high and least * most > 0
    far = max(abs(least - fit.beta[0]), abs(most - fit.beta[0]))
    zh = f"逐一去掉 {len(left)} 组中的一组，估计为 {number(least)} 至 {number(most)}"
    en = f"leaving out each of {len(left)} groups: {number(least)} to {number(most)}"
    return Check("leave_one_group_out", bool(kept), float(far), zh, en)


def _clusters(unit: np.ndarray, d: np.ndarray) -> Check:
    least = _least(unit, d)
    zh = f"较少一组有 {least} 个单位，聚类标准误至少需 {FEWEST} 个"
    return Check(
        "clusters",
        least >= FEWEST,
        float(least),
        zh,
        f"{least} unit(s) in the smaller group; clustered errors need {FEWEST}",
    )


def _least(unit: np.ndarray, d: np.ndarray) -> int:
    return min(len(np.unique(unit[d])), len(np.unique(unit[~d])))


def _open(name: str, zh: str, en: str) -> Check:
    return Check(name, None, None, f"{NAMES[name]}无法检验：{zh}", f"{name} not tested: {en}")


NAMES = {
    "pre_trend": "此前走势",
    "placebo_date": "假日期",
    "leave_one_out": "逐一去掉",
    "leave_one_group_out": "逐组去掉",
}
