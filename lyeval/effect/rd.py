"""Regression discontinuity (断点回归): the jump of an outcome where a score passes a cutoff, and its checks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.densities import binomial_windows, log_ratio
from lyeval.effect.fits import FEW, jackknife, student
from lyeval.effect.frames import columns, of_cluster, varies
from lyeval.effect.local import Side, bandwidths, combination, variance, weights
from lyeval.effect.result import Check, Effect, EffectError, check, error, holm, normal, refuse, told, tried, within

LEAST, DISTINCT = 10, 6
SHARES = (0.5, 0.75, 1.0, 1.5, 2.0)
HOLE, STRONG, MANY = 0.1, 10.0, 60


@dataclass(frozen=True, eq=False)
class Design:
    """Rows of a discontinuity design, sorted; columns of ``d`` as in `Side`."""

    score: np.ndarray
    d: np.ndarray
    cutoff: float
    cluster: np.ndarray | None
    fuzzy: bool

    def sides(self) -> tuple[Side, Side]:
        """Return the rows below the cutoff and those at or above it."""
        right = self.score >= self.cutoff
        return self._side(~right), self._side(right)

    def keep(self, rows: np.ndarray, cutoff: float | None = None) -> Design:
        """Return some of the rows, perhaps with another cutoff."""
        cluster = None if self.cluster is None else self.cluster[rows]
        return Design(self.score[rows], self.d[rows], self.cutoff if cutoff is None else cutoff, cluster, self.fuzzy)

    def reduced(self) -> Design:
        """Return the design without its treatment: the outcome with its covariates."""
        return (
            Design(self.score, np.delete(self.d, 1, axis=1), self.cutoff, self.cluster, False) if self.fuzzy else self
        )

    def with_outcome(self, values: np.ndarray) -> Design:
        """Return the sharp design of another outcome, without covariates."""
        return Design(self.score, values[:, None], self.cutoff, self.cluster, False)

    def _side(self, rows: np.ndarray) -> Side:
        cluster = None if self.cluster is None else self.cluster[rows]
        return Side(self.score[rows] - self.cutoff, self.d[rows], cluster, self.fuzzy)


@dataclass(frozen=True)
class Jump:
    """A fitted jump: local linear and bias-corrected, each with its error; bandwidths of jump and bias; rows within h;
    first stage (1, 0 if sharp).
    """

    estimate: float
    se_conventional: float
    corrected: float
    se_robust: float
    h: float
    b: float
    n_left: int
    n_right: int
    first_stage: float
    first_stage_se: float


def jump(design: Design, h: float | None = None, b: float | None = None) -> Jump:
    """Fit a design at its own bandwidths or at given ones."""
    left, right = design.sides()
    for side, where in ((left, "below"), (right, "above")):
        distinct = len(np.unique(side.x))
        if len(side.x) < LEAST or distinct < DISTINCT:
            raise error(f"thin_{where}", n=len(side.x), distinct=distinct, least=LEAST, values=DISTINCT)
    if all(np.ptp(side.d[:, 0]) == 0 for side in (left, right)):
        raise error("flat_sides")
    if h is None or b is None:
        h, b = bandwidths(left, right)
    return _fit((left.within(max(h, b)), right.within(max(h, b))), h, b)


def _fit(sides: tuple[Side, Side], h: float, b: float) -> Jump:
    """Return the jump with conventional and bias-corrected variance at bandwidths h and b."""
    plain, corrected = [], []
    for side, sign in zip(sides, (-1.0, 1.0), strict=True):
        linear = weights(side.x, h, 1, 0)
        curvature = weights(side.x, b, 2, 2)
        plain.append(sign * linear)
        corrected.append(sign * (linear - float(linear @ side.x**2) * curvature))
    s, tau_y, tau_t = combination(sides, h, 1, plain)
    z = [side.d @ s for side in sides]
    ahead = [sum(c @ v for c, v in zip(ls, z, strict=True)) for ls in (plain, corrected)]
    spread = [_spread(sides, z, ls, fit) for ls, fit in ((plain, (h, 1)), (corrected, (b, 2)))]
    first = _spread(sides, [side.d[:, 1] for side in sides], corrected, (b, 2)) if sides[0].fuzzy else 0.0
    estimate = float(tau_y / tau_t)
    n_left, n_right = (int((np.abs(side.x) < h).sum()) for side in sides)
    return Jump(
        estimate,
        spread[0],
        float(estimate + ahead[1] - ahead[0]),
        spread[1],
        h,
        b,
        n_left,
        n_right,
        float(tau_t),
        first,
    )


def _spread(sides: Sequence[Side], z: Sequence[np.ndarray], ls: Sequence[np.ndarray], fit: tuple[float, int]) -> float:
    return math.sqrt(sum(variance(side, v, c, fit, fit[1] + 1) for side, v, c in zip(sides, z, ls, strict=True)))


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
    bandwidth: float | None = None,
    level: float = 0.95,
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
        Column of groups (townships, industries) for the variance, each left out in turn as a check; with fewer than 30 of
        them the error is a jackknife over groups, Student's law. None: independent rows, or by ``credit_code`` where it
        repeats.
    announced
        Whether the cutoff was known before the score was fixed. Firms may then sort themselves around it, and the design is
        refused.
    bandwidth
        In the score's unit, for the jump and its bias alike; None: MSE-optimal.
    level
        Of the interval.

    Returns
    -------
    Effect
        ``estimate`` is the conventional local linear jump; ``std_error``, ``p_value``, ``low``, ``high`` are robust
        bias-corrected. ``details``: bandwidth, bias_bandwidth, n_left, n_right (within the bandwidth), n_left_all,
        n_right_all, corrected, std_error_conventional, first_stage (fuzzy), dropped, curve (frame of bandwidths), bins
        (frame: score, mean, n, side; equal numbers of rows within twice the bandwidth).
        Checks: density, donut, placebo_cutoffs, covariate_balance, bandwidth_curve, leave_one_group_out (clustered), first_stage (fuzzy).

    Notes
    -----
    Calonico, Cattaneo, Titiunik (2014), *Econometrica* 82; Calonico, Cattaneo, Farrell, Titiunik (2019), *Review of
    Economics and Statistics* 101. A cutoff that was announced beforehand is no natural experiment.
    """
    at = {"outcome": outcome, "score": score, "cutoff": f"{cutoff:g}"}
    estimand = told("rdd", **at) if treatment is None else told("rdd_fuzzy", treatment=treatment, **at)
    if announced:
        return refuse("rdd", estimand, told("rdd_announced"))
    names, by = list(dict.fromkeys(covariates or ())), of_cluster(frame, cluster)
    lead = [outcome] if treatment is None else [outcome, treatment]
    data = columns(frame, [score, *lead, *names], [] if by is None else [by])
    for name in (score, *lead):
        varies(data[name], name)
    scaled = [data[name] / data[name].std() for name in names if np.ptp(data[name]) > 0]
    d = np.column_stack([*(data[name] for name in lead), *scaled])
    design = Design(data[score], d, float(cutoff), None if by is None else data[by], treatment is not None)
    found = jump(design, bandwidth, bandwidth)
    se, (p_value, low, high) = _inferred(design, found, level)
    table = _curve(design, found)
    tested = _checks(design, found, table, {name: data[name] for name in names}, (low, high))
    details = _details(design, found) | {"dropped": data.dropped, "curve": table, "bins": _bins(design, found)}
    return Effect("rdd", estimand, found.estimate, se, p_value, low, high, len(data), details, tested, level)


def _inferred(design: Design, found: Jump, level: float) -> tuple[float, tuple[float, float, float]]:
    """Return the standard error and p, low, high: normal, or for fewer than 30 clusters a jackknife over them."""
    near = np.abs(design.score - design.cutoff) < max(found.h, found.b)
    groups, codes = np.unique(np.zeros(0) if design.cluster is None else design.cluster[near], return_inverse=True)
    if not 0 < len(groups) < FEW:
        return found.se_robust, normal(found.corrected, found.se_robust, level)
    share = np.bincount(codes, weights=design.score[near] >= design.cutoff) / np.bincount(codes)
    left = np.array([jump(design.keep(design.cluster != g), found.h, found.b).corrected for g in groups])
    se, df = jackknife(found.corrected, left, share > 0 if np.isin(share, (0.0, 1.0)).all() else None)
    return se, student(found.corrected, se, df, level)


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


def _curve(design: Design, found: Jump) -> pd.DataFrame:
    """Return the estimate at half to twice the bandwidth."""
    rows = []
    for share in SHARES:
        try:
            at = jump(design, share * found.h, share * found.b)
        except EffectError:
            continue
        _, low, high = normal(at.corrected, at.se_robust)
        rows.append((at.h, at.estimate, at.corrected, at.se_robust, low, high, at.n_left, at.n_right))
    names = ["bandwidth", "estimate", "corrected", "std_error", "low", "high", "n_left", "n_right"]
    return pd.DataFrame(rows, columns=names)


def _checks(
    design: Design,
    found: Jump,
    table: pd.DataFrame,
    covariates: Mapping[str, np.ndarray],
    interval: tuple[float, float],
) -> tuple[Check, ...]:
    """Make every check; one that the data cannot carry has ``passed`` None and says why."""
    made = [
        tried("density", lambda: _density(design)),
        tried("donut", lambda: _donut(design, found)),
        tried("placebo_cutoffs", lambda: _placebos(design.reduced())),
        tried("covariate_balance", lambda: _balance(design, covariates)),
        tried("bandwidth_curve", lambda: _steady(found, table, interval)),
    ]
    if design.cluster is not None:
        made.append(tried("leave_one_group_out", lambda: _groups(design, found, interval)))
    return (*made, _first_stage(found)) if design.fuzzy else tuple(made)


def _density(design: Design) -> Check:
    """Test the density at the cutoff and, for a hole too narrow for its bandwidth, the nearest rows; Holm over the
    two.
    """
    x = design.score - design.cutoff
    found, windows = log_ratio(x), binomial_windows(x)
    near = [float(windows["p_value"].to_numpy()[0])] if len(windows) else []
    least = float(holm([found.p_value, *near]).min())
    return check("density", least >= 0.05, least, p=least)


def _donut(design: Design, found: Jump) -> Check:
    """Leave out the tenth of the bandwidth nearest to the cutoff; the first estimate must lie in the new interval."""
    at = jump(design.keep(np.abs(design.score - design.cutoff) >= HOLE * found.h))
    _, low, high = normal(at.corrected, at.se_robust)
    hole = HOLE * found.h
    return check("donut", low <= found.estimate <= high, at.estimate, hole=hole, value=at.estimate, low=low, high=high)


def _placebos(design: Design) -> Check:
    """Look for jumps at the medians of either side, where there is no cutoff."""
    right, found, at = design.score >= design.cutoff, [], []
    for rows in (~right, right):
        middle = float(np.median(design.score[rows]))
        made = jump(design.keep(rows, middle))
        found.append(normal(made.corrected, made.se_robust)[0])
        at.append(middle)
    least = float(holm(found).min())
    return check("placebo_cutoffs", least >= 0.05, least, where="、".join(f"{one:.4g}" for one in at), p=least)


def _balance(design: Design, covariates: Mapping[str, np.ndarray]) -> Check:
    tested = {name: values for name, values in covariates.items() if np.ptp(values) > 0}
    if not tested:
        raise error("no_covariates")
    fits = [jump(design.with_outcome(values)) for values in tested.values()]
    p_values = holm([normal(fit.corrected, fit.se_robust)[0] for fit in fits])
    worst = int(np.argmin(p_values))
    least = float(p_values[worst])
    return check("covariate_balance", least >= 0.05, least, n=len(tested), p=least, name=list(tested)[worst])


def _steady(found: Jump, table: pd.DataFrame, interval: tuple[float, float]) -> Check:
    """Half to twice the bandwidth: every estimate must lie in the interval at the chosen one."""
    if len(table) < 3:
        raise error("few_bandwidths")
    made = within((found.estimate, *interval), table["estimate"].to_list(), "bandwidth_curve")
    return Check(made.name, made.passed, (made.value or 0.0) / found.se_robust, made.note_zh, made.note_en)


def _groups(design: Design, found: Jump, interval: tuple[float, float]) -> Check:
    """Leave out each group that the variance is clustered by: every estimate must lie in the interval."""
    groups = np.unique(np.asarray(design.cluster))
    if len(groups) > MANY:
        raise error("many_groups", most=MANY)
    left = [jump(design.keep(design.cluster != group), found.h, found.b).estimate for group in groups]
    return within((found.estimate, *interval), left, "leave_one_group_out")


def _first_stage(found: Jump) -> Check:
    f = float((found.first_stage / found.first_stage_se) ** 2) if found.first_stage_se > 0 else math.inf
    return check("first_stage", f >= STRONG, f, value=found.first_stage, f=f, least=f"{STRONG:g}")
