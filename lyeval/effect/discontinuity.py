"""Regression discontinuity (断点回归): the jump of an outcome where a score passes a cutoff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.discontinuity_checks import checks, curve
from lyeval.effect.frames import columns, varies
from lyeval.effect.jumps import Design, Jump, jump
from lyeval.effect.result import Effect, Words, normal, refuse


def rdd(
    frame: pd.DataFrame,
    *,
    outcome: str,
    score: str,
    cutoff: float,
    treatment: str | None = None,
    covariates: Sequence[str] | None = None,
    cluster: str | None = None,
    announced: bool = False,
) -> Effect:
    """Estimate the effect at a cutoff (断点回归), sharp or fuzzy.

    τ = lim_{x↓c} E[y|x] − lim_{x↑c} E[y|x], fuzzy: over the jump of the treatment. Local linear fits with triangular
    weights on each side within the MSE-optimal common bandwidth; the interval is robust and bias-corrected: τ̂ less the bias
    of a local quadratic fit, with the variance of both. Rows at the cutoff count as above it.

    Parameters
    ----------
    frame
        One row per enterprise (or other unit).
    outcome, score
        Numeric columns; the score must have been fixed before anyone knew the cutoff.
    cutoff
        In the score's unit.
    treatment
        Column 0/1 of treatment received, for a fuzzy design; None: sharp.
    covariates
        Columns fixed before the treatment; they sharpen the estimate and are tested for balance.
    cluster
        Column of groups (townships, industries) for the variance, each left out in turn as a check; None: independent rows.
    announced
        Whether the cutoff was known before the score was fixed. Firms may then sort themselves around it, and the design is
        refused.

    Returns
    -------
    Effect
        ``estimate`` is the conventional local linear jump; ``std_error``, ``p_value``, ``low``, ``high`` are robust
        bias-corrected. ``details``: bandwidth, bias_bandwidth, n_left, n_right (within the bandwidth), n_left_all,
        n_right_all, corrected, std_error_conventional, first_stage (fuzzy), dropped, curve (frame of bandwidths), bins
        (frame: score, mean, n, side; equal numbers of rows within twice the bandwidth).
        Checks: density, donut, placebo_cutoffs, covariate_balance, bandwidth_curve, leave_one_group_out (clustered), first_stage (fuzzy).

    Raises
    ------
    EffectError
        If a column is missing or unfit, a side holds fewer than 10 rows or 6 distinct scores, or nothing varies.

    Notes
    -----
    Calonico, Cattaneo, Titiunik (2014), *Econometrica* 82; Calonico, Cattaneo, Farrell, Titiunik (2019), *Review of
    Economics and Statistics* 101. A cutoff that was announced beforehand is no natural experiment.
    """
    if announced:
        return refuse("rdd", _estimand(outcome, score, cutoff, treatment), ANNOUNCED)
    names = list(dict.fromkeys(covariates or ()))
    lead = [outcome] if treatment is None else [outcome, treatment]
    data = columns(frame, [score, *lead, *names], [] if cluster is None else [cluster])
    for name in (score, *lead):
        varies(data[name], name)
    scaled = [_scaled(data[name]) for name in names if np.ptp(data[name]) > 0]
    d = np.column_stack([*(data[name] for name in lead), *scaled])
    design = Design(data[score], d, float(cutoff), None if cluster is None else data[cluster], treatment is not None)
    found = jump(design)
    table = curve(design, found)
    tested = checks(design, found, table, {name: data[name] for name in names})
    p_value, low, high = normal(found.corrected, found.se_robust)
    return Effect(
        design="rdd",
        estimand=_estimand(outcome, score, cutoff, treatment),
        estimate=found.estimate,
        std_error=found.se_robust,
        p_value=p_value,
        low=low,
        high=high,
        n=len(data),
        details=_details(design, found) | {"dropped": data.dropped, "curve": table, "bins": _bins(design, found)},
        checks=tested,
    )


def _scaled(values: np.ndarray) -> np.ndarray:
    return values / values.std()


def _details(design: Design, found: Jump) -> dict[str, Any]:
    left, right = design.sides()
    first = {"first_stage": found.first_stage, "first_stage_se": found.first_stage_se} if design.fuzzy else {}
    return {
        "bandwidth": found.h,
        "bias_bandwidth": found.b,
        "n_left": found.n_left,
        "n_right": found.n_right,
        "n_left_all": len(left.x),
        "n_right_all": len(right.x),
        "corrected": found.corrected,
        "std_error_conventional": found.se_conventional,
        **first,
    }


def _bins(design: Design, found: Jump) -> pd.DataFrame:
    """Return mean outcomes by score, at most ten bins a side within twice the bandwidth."""
    x, y, rows = design.score - design.cutoff, design.d[:, 0], []
    for side, part in (("below", x < 0), ("above", x >= 0)):
        at = np.flatnonzero(part & (np.abs(x) <= 2 * found.h))
        for group in np.array_split(at[np.argsort(x[at], kind="stable")], min(10, len(at))):
            rows.append((float(design.score[group].mean()), float(y[group].mean()), len(group), side))
    return pd.DataFrame(rows, columns=["score", "mean", "n", "side"])


def _estimand(outcome: str, score: str, cutoff: float, treatment: str | None) -> Words:
    at_zh, at_en = f"{score} 在 {cutoff:g} 处", f"at {score} = {cutoff:g}"
    if treatment is None:
        return Words(
            f"{at_zh}越线对 {outcome} 的影响（限于线附近）", f"effect on {outcome} of passing the cutoff {at_en}"
        )
    return Words(
        f"{at_zh}因越线而改变 {treatment} 者，{treatment} 对 {outcome} 的影响",
        f"effect of {treatment} on {outcome} among those whom the cutoff moves {at_en}",
    )


ANNOUNCED = Words(
    "标准线事先公布，企业可以向线上调整，线两侧不可比；请用聚集（bunching）与密度（density）分析。",
    "the line was announced: firms may have moved across it, and its two sides are not alike; use bunching and density.",
)
