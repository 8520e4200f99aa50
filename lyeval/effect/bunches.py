"""Bunching (聚集): how many more units stand at a line than a smooth distribution would put there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.frames import columns, flag, varies
from lyeval.effect.result import Check, Effect, EffectError, Words, holm, normal, number

DRAWS = 400
ROUNDS = 60
STEPS = 50
RIDGE = 1e-6
LEAST = 100


@dataclass(frozen=True)
class Bins:
    """How scores are counted around a line.

    Attributes
    ----------
    width
        Of a bin, in the score's unit; None: a twentieth of the line.
    reach
        Bins counted on each side of the line.
    below, above
        Bins next to the line that the smooth curve does not see: those that units leave, and those they move to.
    degree
        Of the polynomial.
    log
        Whether the polynomial is of the log count, fitted by Poisson's likelihood, so that no count is below zero and thin
        tails are followed; else of the count itself by least squares, as in the source (degree 7 there).
    """

    width: float | None = None
    reach: int = 15
    below: int = 4
    above: int = 2
    degree: int = 5
    log: bool = True


@dataclass(frozen=True, eq=False)
class Bunch:
    """Excess at one line: in units of one bin's smooth count, as a number of units, and what is missing below.

    Attributes
    ----------
    estimate, draws
        Excess over the mean smooth count of the bins above the line, and its bootstrap draws, shape (draws,).
    excess, missing
        Numbers of units.
    counts
        Frame: from_, observed, smooth, part (below, above, or empty where the curve was fitted).
    n
        Units counted.
    """

    estimate: float
    draws: np.ndarray
    excess: float
    missing: float
    balance: float
    balance_se: float
    counts: pd.DataFrame
    n: int

    @property
    def std_error(self) -> float:
        """Standard deviation of the draws."""
        return float(np.std(self.draws, ddof=1))


def bunching(
    frame: pd.DataFrame,
    *,
    score: str,
    threshold: float,
    before: str | None = None,
    lines: Sequence[float] = (),
    bins: Bins | None = None,
    seed: int = 0,
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
    bins
        Widths and windows.
    seed
        Of the bootstrap over units (400 draws).

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
    data = columns(frame, [score, *([before] if before else [])])
    varies(data[score], score)
    early = flag(data[before], before) if before else np.zeros(len(data), dtype=bool)
    plan = _plan(bins or Bins(), threshold)
    x = data[score][~early]
    late = bunch(x, threshold, plan, (), seed)
    first = bunch(data[score][early], threshold, plan, (), seed + 1) if early.any() else None
    estimate = late.estimate - (first.estimate if first else 0.0)
    se = math.hypot(late.std_error, first.std_error if first else 0.0)
    p_value, low, high = normal(estimate, se)
    placebo = _lines(x, plan, threshold, lines, seed)
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


def bunch(x: np.ndarray, line: float, plan: Bins, others: Sequence[float], seed: int | None) -> Bunch:
    """Measure the excess at one line; the windows of others are kept out of the fit. No draws if ``seed`` is None.

    Raises
    ------
    EffectError
        If too few units or bins are left.
    """
    width = plan.width or 1.0
    edge = np.arange(-plan.reach, plan.reach + 1)
    place = np.floor(np.round((x - line) / width, 9))
    inside = (place >= -plan.reach) & (place < plan.reach)
    if inside.sum() < LEAST:
        raise EffectError(
            f"{line:g} 上下 {plan.reach * width:g} 以内只有 {int(inside.sum())} 个，至少需 {LEAST} / "
            f"{int(inside.sum())} units within {plan.reach * width:g} of {line:g}; {LEAST} are needed"
        )
    counts = np.bincount((place[inside] + plan.reach).astype(int), minlength=2 * plan.reach).astype(float)
    centre = edge[:-1] + 0.5
    part = np.where((centre < 0) & (centre > -plan.below), -1, np.where((centre > 0) & (centre < plan.above), 1, 0))
    used = (part == 0) & ~_elsewhere(centre, [(other - line) / width for other in others], plan)
    if used.sum() < 2 * (plan.degree + 1):
        raise EffectError("可用于拟合的格数太少，请改 bins / too few bins are left to fit the curve: change bins")
    curve = Curve(np.polynomial.legendre.legvander(centre / plan.reach, plan.degree), used, plan.log)
    value, smooth, _ = _excess(counts[None, :], curve, part)
    n = counts.sum()
    draws, moved = np.empty(0), np.array([math.nan])
    plain = curve.fit(counts[None, :])[0]
    if seed is not None:
        again = np.random.default_rng(seed).multinomial(int(n), counts / n, size=DRAWS).astype(float)
        draws, _, moved = _excess(again, curve, part)
    table = pd.DataFrame(
        {
            "from_": line + edge[:-1] * width,
            "observed": counts,
            "smooth": smooth[0],
            "part": np.array(["below", "", "above"])[part + 1],
        }
    )
    return Bunch(
        estimate=float(value[0]),
        draws=draws,
        excess=float((counts - smooth[0])[part == 1].sum()),
        missing=float((smooth[0] - counts)[part == -1].sum()),
        balance=float(_net(counts[None, :], plain, part)[0]),
        balance_se=float(np.std(moved, ddof=1)) if len(moved) > 1 else math.nan,
        counts=table,
        n=int(n),
    )


def _plan(bins: Bins, threshold: float) -> Bins:
    width = bins.width if bins.width is not None else threshold / 20
    if not width > 0 or bins.above < 1 or bins.below < 0 or bins.reach <= bins.below + bins.above or bins.degree < 1:
        raise EffectError(
            "bins 不合理：宽度应为正，窗口应小于范围 / bins make no sense: a width above 0, a window within reach"
        )
    return replace(bins, width=float(width))


def _elsewhere(centre: np.ndarray, others: Sequence[float], plan: Bins) -> np.ndarray:
    """Return the bins in the windows of other lines, given in bins from this one."""
    out = np.zeros(len(centre), dtype=bool)
    for other in others:
        out |= (centre - other > -plan.below) & (centre - other < plan.above)
    return out


@dataclass(frozen=True, eq=False)
class Curve:
    """A smooth curve through the bins used: basis of shape (bins, k), which bins, and whether of log counts."""

    basis: np.ndarray
    used: np.ndarray
    log: bool

    def fit(self, counts: np.ndarray, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return smooth counts of all bins and coefficients, shapes (draws, bins) and (draws, k)."""
        x, y = self.basis[self.used], counts[:, self.used]
        if not self.log:
            beta = y @ np.linalg.pinv(x).T
            return beta @ self.basis.T, beta
        beta = np.log(y + 0.5) @ np.linalg.pinv(x).T if start is None else start
        k = x.shape[1]
        squares = (x[:, :, None] * x[:, None, :]).reshape(len(x), k * k)
        for _ in range(STEPS):
            mean = np.exp(np.clip(beta @ x.T, -20, 20))
            gram = (mean @ squares).reshape(-1, k, k) + RIDGE * np.eye(k)
            step = np.linalg.solve(gram, ((y - mean) @ x - RIDGE * beta)[:, :, None])[:, :, 0]
            beta = beta + np.clip(step, -2, 2)
            if np.abs(step).max() < 1e-9:
                break
        return np.exp(np.clip(beta @ self.basis.T, -20, 20)), beta


def _excess(counts: np.ndarray, curve: Curve, part: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return b and the smooth counts after the integration correction, and the net excess before it.

    Shapes (draws,), (draws, bins), (draws,).
    """
    donors = curve.used & (np.arange(len(part)) < int(np.argmax(part != 0)))
    total = np.maximum(counts[:, donors].sum(axis=1), 1.0)
    smooth, beta = curve.fit(counts)
    plain = _net(counts, smooth, part)
    given = np.zeros(len(counts))
    for _ in range(ROUNDS):
        owed = np.clip(_net(counts, smooth, part), 0.0, total)
        if np.abs(owed - given).max() < 1e-7 * total.max():
            break
        given = owed
        smooth, beta = curve.fit(counts * (1 + np.outer(given / total, donors)), beta)
    above = part == 1
    height = np.maximum(smooth[:, above].mean(axis=1), 1e-9)
    return (counts - smooth)[:, above].sum(axis=1) / height, smooth, plain


def _net(counts: np.ndarray, smooth: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return excess above less missing below, shape (draws,)."""
    return (counts - smooth)[:, part != 0].sum(axis=1)


def _lines(x: np.ndarray, plan: Bins, threshold: float, lines: Sequence[float], seed: int) -> pd.DataFrame:
    """Measure the same at lines that are no target, the target's window kept out of the fit."""
    rows = []
    for i, line in enumerate(lines):
        try:
            at = bunch(x, line, plan, (threshold,), seed + 2 + i)
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
            rows.append((other.degree, other.below, other.above, other.log, bunch(x, line, other, (), None).estimate))
        except EffectError:
            continue
    return pd.DataFrame(rows, columns=["degree", "below", "above", "log", "estimate"])


def _before(first: Bunch | None) -> Check:
    if first is None:
        return Check("before", None, None, "没有公布以前的数据可比", "no rows from before the announcement")
    p = normal(first.estimate, first.std_error)[0]
    zh = f"公布以前该线处的聚集为 {number(first.estimate)}（p = {number(p)}），应为零"
    return Check(
        "before",
        p >= 0.05,
        p,
        zh,
        f"bunching there before the announcement: {number(first.estimate)} (p = {number(p)}); should be 0",
    )


def _placebo(table: pd.DataFrame) -> Check:
    if table.empty:
        return Check(
            "placebo_lines", None, None, "没有可比的非目标线", "no line that is not a target could be compared"
        )
    p = float(holm(table["p_value"].to_list()).min())
    at = "、".join(f"{line:g}" for line in table["line"])
    zh = f"在非目标线 {at} 处不应聚集：校正后最小 p = {number(p)}"
    return Check(
        "placebo_lines",
        p >= 0.05,
        p,
        zh,
        f"no bunching at lines that are no target ({at}): smallest adjusted p = {number(p)}",
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
