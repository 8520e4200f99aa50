"""Checks of a discontinuity: density, donut, placebo cutoffs, covariate balance, bandwidth curve, first stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd

from lyeval.effect.jumps import Design, Jump, jump
from lyeval.effect.manipulation import binomial_windows, log_ratio
from lyeval.effect.result import Check, EffectError, chance, holm, normal, number

SHARES = (0.5, 0.75, 1.0, 1.5, 2.0)
HOLE = 0.1
STRONG = 10.0
MANY = 60


def curve(design: Design, found: Jump) -> pd.DataFrame:
    """Return the estimate at half to twice the bandwidth: bandwidth, estimate, corrected, std_error, low, high, n_left, n_right."""
    rows = []
    for share in SHARES:
        try:
            at = jump(design, share * found.h, share * found.b)
        except EffectError:
            continue
        _, low, high = normal(at.corrected, at.se_robust)
        rows.append((share * found.h, at.estimate, at.corrected, at.se_robust, low, high, at.n_left, at.n_right))
    names = ["bandwidth", "estimate", "corrected", "std_error", "low", "high", "n_left", "n_right"]
    return pd.DataFrame(rows, columns=names)


def checks(design: Design, found: Jump, table: pd.DataFrame, covariates: Mapping[str, np.ndarray]) -> tuple[Check, ...]:
    """Make every check; one that the data cannot carry has ``passed`` None and says why."""
    made = [
        _tried("density", lambda: _density(design)),
        _tried("donut", lambda: _donut(design, found)),
        _tried("placebo_cutoffs", lambda: _placebos(design)),
        _tried("covariate_balance", lambda: _balance(design, covariates)),
        _tried("bandwidth_curve", lambda: _curve(found, table)),
    ]
    if design.cluster is not None:
        made.append(_tried("leave_one_group_out", partial(_groups, design, found, design.cluster)))
    return (*made, _first_stage(found)) if design.fuzzy else tuple(made)


def _tried(name: str, test: Callable[[], Check]) -> Check:
    try:
        return test()
    except EffectError as error:
        zh, _, en = str(error).partition(" / ")
        return Check(name, None, None, f"{NAMES[name]}无法检验：{zh}", f"{name} not tested: {en}")


def _density(design: Design) -> Check:
    """Test the density at the cutoff and, for a hole too narrow for its bandwidth, the nearest rows; Holm over the two."""
    x = design.score - design.cutoff
    found, windows = log_ratio(x), binomial_windows(x)
    near = [float(windows["p_value"].to_numpy()[0])] if len(windows) else []
    least = float(holm([found.p_value, *near]).min())
    p = chance(least)
    return Check(
        "density",
        least >= 0.05,
        least,
        f"线两侧密度应相接（密度检验与线旁二项检验），校正后最小 {p}",
        f"density continuous at the cutoff (density test; binomial test of the nearest rows): smallest adjusted {p}",
    )


def _donut(design: Design, found: Jump) -> Check:
    """Leave out the tenth of the bandwidth nearest to the cutoff; the first estimate must lie in the new interval."""
    at = jump(design.keep(np.abs(design.score - design.cutoff) >= HOLE * found.h))
    _, low, high = normal(at.corrected, at.se_robust)
    span = f"{number(at.estimate)} [{number(low)}, {number(high)}]"
    hole = number(HOLE * found.h)
    return Check(
        "donut",
        low <= found.estimate <= high,
        at.estimate,
        f"去掉线旁 {hole} 以内者，估计为 {span}",
        f"without those within {hole} of the cutoff the estimate is {span}",
    )


def _placebos(design: Design) -> Check:
    """Look for a jump at the median score of either side, among that side alone; Holm over the two."""
    right = design.score >= design.cutoff
    found, at = [], []
    sharp = design.with_outcome(design.d[:, 0])
    for rows in (~right, right):
        middle = float(np.median(design.score[rows]))
        made = jump(sharp.keep(rows, middle))
        found.append(normal(made.corrected, made.se_robust)[0])
        at.append(middle)
    least = float(holm(found).min())
    where, p = "、".join(map(number, at)), chance(least)
    return Check(
        "placebo_cutoffs",
        least >= 0.05,
        least,
        f"在并非线的 {where} 处不应有跳跃：校正后最小 {p}",
        f"no jump where there is no cutoff ({where}): smallest adjusted {p}",
    )


def _balance(design: Design, covariates: Mapping[str, np.ndarray]) -> Check:
    tested = {name: values for name, values in covariates.items() if np.ptp(values) > 0}
    if not tested:
        raise EffectError("没有给出事前变量 / no covariates were given")
    fits = [jump(design.with_outcome(values)) for values in tested.values()]
    p_values = holm([normal(fit.corrected, fit.se_robust)[0] for fit in fits])
    worst = int(np.argmin(p_values))
    name, p = list(tested)[worst], chance(float(p_values[worst]))
    return Check(
        "covariate_balance",
        bool(p_values[worst] >= 0.05),
        float(p_values[worst]),
        f"事前变量在线两侧应相接（{len(tested)} 个，校正后最小 {p}，{name}）",
        f"{len(tested)} covariate(s) continuous at the cutoff: smallest adjusted {p} ({name})",
    )


def _curve(found: Jump, table: pd.DataFrame) -> Check:
    """Half to twice the bandwidth: every estimate must lie in the interval at the chosen one."""
    _, low, high = normal(found.corrected, found.se_robust)
    if len(table) < 3:
        raise EffectError("可用带宽过少 / too few bandwidths can be fitted")
    estimates = table["estimate"].to_numpy(dtype=float)
    least, most = float(estimates.min()), float(estimates.max())
    far = max(abs(least - found.estimate), abs(most - found.estimate)) / found.se_robust
    return Check(
        "bandwidth_curve",
        low <= least and most <= high,
        far,
        f"带宽取一半至两倍，估计为 {number(least)} 至 {number(most)}",
        f"at half to twice the bandwidth the estimate is {number(least)} to {number(most)}",
    )


def _groups(design: Design, found: Jump, cluster: np.ndarray) -> Check:
    """Leave out each group that the variance is clustered by: every estimate must lie in the interval."""
    groups = np.unique(cluster)
    if len(groups) > MANY:
        raise EffectError(f"组数多于 {MANY} / more than {MANY} groups")
    left = [jump(design.keep(cluster != group), found.h, found.b).estimate for group in groups]
    _, low, high = normal(found.corrected, found.se_robust)
    least, most = min(left), max(left)
    return Check(
        "leave_one_group_out",
        low <= least and most <= high,
        max(abs(least - found.estimate), abs(most - found.estimate)),
        f"逐一去掉 {len(left)} 组中的一组，估计为 {number(least)} 至 {number(most)}",
        f"leaving out each of {len(left)} groups: {number(least)} to {number(most)}",
    )


def _first_stage(found: Jump) -> Check:
    f = (found.first_stage / found.first_stage_se) ** 2 if found.first_stage_se > 0 else np.inf
    return Check(
        "first_stage",
        bool(f >= STRONG),
        float(f),
        f"越线使处置率变动 {number(found.first_stage)}（F = {number(float(f))}，应不小于 {STRONG:g}）",
        f"passing the cutoff moves the treatment by {number(found.first_stage)} (F = {number(float(f))}, at least {STRONG:g})",
    )


NAMES = {
    "density": "密度连续",
    "donut": "去掉线旁者",
    "placebo_cutoffs": "假线",
    "covariate_balance": "事前变量平衡",
    "bandwidth_curve": "带宽变化",
    "leave_one_group_out": "逐组去掉",
}
