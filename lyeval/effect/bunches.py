"""Bunching (聚集): how many more units stand at a line than a smooth distribution would put there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.excess import DRAWS, Again, Bins, Bunch, bunch, rows_again, units_again
from lyeval.effect.frames import columns, flag, varies
from lyeval.effect.result import Check, Effect, EffectError, Words, chance, holm, normal, number


def bunching(
    frame: pd.DataFrame,
    *,
    score: str,
    threshold: float,
    before: str | None = None,
    lines: Sequence[float] = (),
    unit: str | None = None,
    bins: Bins | None = None,
) -> Effect:
    """Measure bunching at an announced line (聚集分析).

    Bins are counted up to the line's edges; a polynomial is fitted to those outside a window around it; the excess is
    b = Σ_above (observed − smooth) / mean smooth count there. Those who moved up must be missing below: what the window does
    not show missing is given back to the bins below it in proportion, and the curve fitted again, until it is all accounted
    for (integration correction of Chetty, Friedman, Olsen, Pistaferri 2011, *Quarterly Journal of Economics* 126, 749–804,
    mirrored: here units come from below).

    Parameters
    ----------
    frame
        One row per unit (and year).
    score
        Numeric column, e.g. 万元/亩.
    threshold
        The line; a score exactly on it counts as above.
    before
        Column 0/1 of rows from before the line was announced. Then ``estimate`` is the difference in b, after less before.
    lines
        Lines that are nobody's target; the same is measured there.
    unit
        Column of enterprises that have several rows: the bootstrap (400 draws) takes each with all its rows. None: rows are
        drawn for themselves.
    bins
        Widths, windows and the bootstrap's seed.

    Returns
    -------
    Effect
        ``details``: after, before (b of either), excess, missing (units), share_moved (of those that the smooth curve puts
        in the window below), bin_width, counts (frame), lines (frame), specifications (frame), dropped.
        Checks: before, placebo_lines, specifications, mass_balance.

    Raises
    ------
    EffectError
        If fewer than 100 units stand within reach, or the bins do not fit the score.
    """
    data = columns(frame, [score, *([before] if before else [])], [unit] if unit else [])
    varies(data[score], score)
    early = flag(data[before], before) if before else np.zeros(len(data), dtype=bool)
    plan = _plan(bins or Bins(), threshold)
    again = _draws(data[unit] if unit else None, (~early, early), plan.seed)
    x = data[score][~early]
    late = bunch(x, threshold, plan, (), again[0])
    first = bunch(data[score][early], threshold, plan, (), again[1]) if early.any() else None
    estimate = late.estimate - (first.estimate if first else 0.0)
    se = float(np.std(late.draws - (first.draws if first else 0.0), ddof=1))
    p_value, low, high = normal(estimate, se)
    placebo = _lines(x, plan, threshold, lines, again[0])
    tried = _specifications(x, threshold, plan)
    below = late.counts.loc[late.counts["part"] == "below", "smooth"].sum()
    details: dict[str, Any] = {
        "after": late.estimate,
        "before": first.estimate if first else math.nan,
        "excess": late.excess,
        "missing": late.missing,
        "share_moved": late.excess / float(below) if below > 0 else math.nan,
        "bin_width": plan.width,
        "counts": late.counts,
        "lines": placebo,
        "specifications": tried,
        "dropped": data.dropped,
    }
    checks = (_before(first), _placebo(placebo), _stable(tried, late), _balance(late))
    n = late.n + (first.n if first else 0)
    return Effect("bunching", _estimand(score, threshold, before), estimate, se, p_value, low, high, n, details, checks)


def _plan(bins: Bins, threshold: float) -> Bins:
    width = bins.width if bins.width is not None else threshold / 20
    if not width > 0 or bins.above < 1 or bins.below < 0 or bins.reach <= bins.below + bins.above or bins.degree < 1:
        raise EffectError(
            "bins 不合理：宽度应为正，窗口应小于范围 / bins make no sense: a width above 0, a window within reach"
        )
    return replace(bins, width=float(width))


def _draws(codes: np.ndarray | None, rows: Sequence[np.ndarray], seed: int) -> list[Again]:
    """Return how each part's rows are drawn again: apart, or by units that keep their draws in both parts."""
    if codes is None:
        return [rows_again(seed + i) for i in range(len(rows))]
    codes = np.unique(codes, return_inverse=True)[1]
    units = int(codes.max()) + 1
    weights = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=DRAWS).astype(float)
    return [units_again(codes[part], weights) for part in rows]


def _lines(x: np.ndarray, plan: Bins, threshold: float, lines: Sequence[float], again: Again) -> pd.DataFrame:
    """Measure the same at lines that are no target, the target's window kept out of the fit."""
    rows = []
    for line in lines:
        try:
            at = bunch(x, line, plan, (threshold,), again)
        except EffectError:
            continue
        rows.append((line, at.estimate, at.std_error, *normal(at.estimate, at.std_error), at.n))
    return pd.DataFrame(rows, columns=["line", "estimate", "std_error", "p_value", "low", "high", "n"])


def _specifications(x: np.ndarray, line: float, plan: Bins) -> pd.DataFrame:
    """Return b with one degree less or more, one bin less or more below, and least squares of degree 7."""
    changes: list[dict[str, Any]] = [{"degree": plan.degree - 1}, {"degree": plan.degree + 1}]
    changes += [{"below": plan.below - 1}, {"below": plan.below + 1}, {"degree": 7, "log": not plan.log}]
    rows = []
    for change in changes:
        other = replace(plan, **change)
        if other.degree < 1 or other.below < 0:
            continue
        try:
            rows.append((other.degree, other.below, other.above, other.log, bunch(x, line, other).estimate))
        except EffectError:
            continue
    return pd.DataFrame(rows, columns=["degree", "below", "above", "log", "estimate"])


def _before(first: Bunch | None) -> Check:
    if first is None:
        return Check("before", None, None, "没有公布以前的数据可比", "no rows from before the announcement")
    p = normal(first.estimate, first.std_error)[0]
    zh = f"公布以前该线处的聚集为 {number(first.estimate)}（{chance(p)}），应为零"
    return Check(
        "before",
        p >= 0.05,
        p,
        zh,
        f"bunching there before the announcement: {number(first.estimate)} ({chance(p)}); should be 0",
    )


def _placebo(table: pd.DataFrame) -> Check:
    if table.empty:
        return Check(
            "placebo_lines", None, None, "没有可比的非目标线", "no line that is not a target could be compared"
        )
    p = float(holm(table["p_value"].to_list()).min())
    at = "、".join(f"{line:g}" for line in table["line"])
    zh = f"在非目标线 {at} 处不应聚集：校正后最小 {chance(p)}"
    return Check(
        "placebo_lines",
        p >= 0.05,
        p,
        zh,
        f"no bunching at lines that are no target ({at}): smallest adjusted {chance(p)}",
    )


def _stable(table: pd.DataFrame, late: Bunch) -> Check:
    if table.empty:
        return Check("specifications", None, None, "无法更换次数与窗口", "no other degree or window fits")
    _, low, high = normal(late.estimate, late.std_error)
    estimates = table["estimate"].to_numpy(dtype=float)
    least, most = float(estimates.min()), float(estimates.max())
    zh = f"更换多项式次数与窗口，估计为 {number(least)} 至 {number(most)}"
    en = f"other degrees and windows give {number(least)} to {number(most)}"
    far = max(abs(least - late.estimate), abs(most - late.estimate))
    return Check("specifications", low <= least and most <= high, far, zh, en)


def _balance(late: Bunch) -> Check:
    """Before any correction the excess should equal what is missing just below; open, not failed, where it does not."""
    z = late.balance / late.balance_se if late.balance_se > 0 else math.nan
    zh = f"线上多出与线下窗口缺少之差为 {number(late.balance)} 户（{number(z)} 个标准误）"
    en = f"excess above less missing in the window below: {number(late.balance)} units ({number(z)} standard errors)"
    return Check("mass_balance", True if abs(z) < 1.96 else None, late.balance, zh, en)


def _estimand(score: str, threshold: float, before: str | None) -> Words:
    zh, en = ("较公布以前" if before else ""), (" over what it was before the announcement" if before else "")
    return Words(
        f"{score} 在 {threshold:g} 处{zh}多出的聚集（以一格的平滑户数为 1）",
        f"excess of {score} at {threshold:g}{en}, in units of one bin's smooth count",
    )
