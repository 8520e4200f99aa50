"""Regression discontinuity (断点回归): the jump of an outcome where a score passes a cutoff, and its checks.

Every estimate here is a weighted sum ``Σ cᵢ zᵢ`` of one combination z of outcome, treatment and covariates, so that sharp,
fuzzy and covariate-adjusted designs share one arithmetic and one variance.

Sources: Calonico, Cattaneo, Titiunik (2014), *Econometrica* 82, 2295–2326; Calonico, Cattaneo, Farrell, Titiunik (2019),
*Review of Economics and Statistics* 101, 442–451.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.clusters import FEW, Arms
from lyeval.effect.density import binomial_windows, log_ratio
from lyeval.effect.estimate import (
    Check,
    Effect,
    EffectError,
    check,
    error,
    holm,
    normal,
    refuse,
    student,
    told,
    tried,
    within,
)
from lyeval.effect.frames import columns, of_cluster, varies

MATCHES, TIE, ROUNDED, FLOOR, PILOT = 3, 1e-9, 0.2, 10, 2.576
LEAST, DISTINCT = 10, 6
SHARES = (0.5, 0.75, 1.0, 1.5, 2.0)
HOLE, STRONG, MANY = 0.1, 10.0, 60


@dataclass(frozen=True, eq=False)
class Design:
    """Rows of a discontinuity design, sorted: score less cutoff (n,); outcome, treatment if fuzzy, covariates (n, k);
    cluster codes.
    """

    x: np.ndarray
    d: np.ndarray
    cluster: np.ndarray | None = None
    fuzzy: bool = False

    def keep(self, rows: np.ndarray, cutoff: float = 0.0) -> Design:
        """Return some of the rows, perhaps with a cutoff elsewhere."""
        cluster = None if self.cluster is None else self.cluster[rows]
        return replace(self, x=self.x[rows] - cutoff, d=self.d[rows], cluster=cluster)

    def within(self, h: float) -> Design:
        """Return the rows nearer to the cutoff than ``h``."""
        return self.keep(np.abs(self.x) < h)

    def sides(self) -> tuple[Design, Design]:
        """Return the rows below the cutoff and those at or above it."""
        return self.keep(self.x < 0), self.keep(self.x >= 0)

    def sharp(self) -> Design:
        """Return the design without its treatment: the outcome with its covariates."""
        return replace(self, d=np.delete(self.d, 1, axis=1), fuzzy=False) if self.fuzzy else self


def kernel(x: np.ndarray, h: float) -> np.ndarray:
    """Return triangular weights 1 − |x|/h within ``h``, else 0."""
    return np.maximum(1 - np.abs(x) / h, 0.0)


def weights(x: np.ndarray, h: float, order: int, nu: int) -> np.ndarray:
    """Return c with ``Σ cᵢ zᵢ`` = coefficient of x^nu in a triangular-weighted polynomial fit of z on x."""
    u = x / h
    w = kernel(x, h)
    powers = u[:, None] ** np.arange(order + 1)
    gram = powers.T @ (powers * w[:, None])
    if not np.linalg.cond(gram) < 1e14:
        raise error("thin_side", h=h)
    return w * (powers @ np.linalg.inv(gram)[:, nu]) / h**nu


def neighbour_residuals(x: np.ndarray, z: np.ndarray, matches: int = MATCHES) -> np.ndarray:
    """Return √(J/(J+1)) · (zᵢ − mean of z over its J nearest neighbours in x).

    Neighbours equally far are all taken, so J may exceed ``matches``; ``x`` must be sorted.
    """
    values, group, counts = np.unique(x, return_inverse=True, return_counts=True)
    upto = np.concatenate([[0], np.cumsum(counts)])
    left = np.arange(len(values))
    right = left.copy()
    last = len(values) - 1
    slack = TIE * (values[-1] - values[0])
    wanted = min(matches, len(x) - 1)
    while (short := upto[right + 1] - upto[left] - 1 < wanted).any():
        below = np.where(left == 0, np.inf, values - values[np.maximum(left - 1, 0)])
        above = np.where(right == last, np.inf, values[np.minimum(right + 1, last)] - values)
        left, right = left - (short & (below <= above + slack)), right + (short & (above <= below + slack))
    centred = z - z.mean()
    total = np.concatenate([[0.0], np.cumsum(centred)])
    number = (upto[right + 1] - upto[left] - 1)[group]
    others = (total[upto[right + 1]] - total[upto[left]])[group] - centred
    return np.sqrt(number / (number + 1)) * (centred - others / number)


def fitted(x: np.ndarray, z: np.ndarray, h: float, order: int) -> np.ndarray:
    """Return the triangular-weighted polynomial fit of z on x within ``h``, continued beyond."""
    root = np.sqrt(kernel(x, h))
    powers = (x[:, None] / h) ** np.arange(order + 1)
    return powers @ np.linalg.lstsq(powers * root[:, None], z * root, rcond=None)[0]


def variance(side: Design, z: np.ndarray, c: np.ndarray, fit: tuple[float, int], k: int) -> float:
    """Return the variance of ``Σ cᵢ zᵢ``.

    Independent rows: Σ cᵢ² eᵢ² with nearest-neighbour e. Clusters: (n−1)/(n−k) · G/(G−1) · Σ_g (Σ_{i∈g} cᵢ eᵢ)², k the
    number of coefficients and e what the polynomial ``fit`` (bandwidth, order) leaves.
    """
    if side.cluster is None:
        return float(np.sum((c * neighbour_residuals(side.x, z)) ** 2))
    _, group = np.unique(side.cluster, return_inverse=True)
    sums = np.bincount(group, weights=c * (z - fitted(side.x, z, *fit)))
    n, g = len(z), len(sums)
    if g < 2 or n <= k:
        raise error("thin_clusters")
    return float((n - 1) / (n - k) * g / (g - 1) * np.sum(sums**2))


def partial(sides: Sequence[Design], h: float, order: int) -> np.ndarray:
    """Return the coefficients of the covariates, common to the sides, in a fit with its own polynomial on each side.

    Shape (covariates, 1 or 2): for the outcome and, if fuzzy, the treatment.
    """
    lead = 1 + sides[0].fuzzy
    parts = []
    for side in sides:
        root = np.sqrt(kernel(side.x, h))[:, None]
        basis, _ = np.linalg.qr(root * (side.x[:, None] / h) ** np.arange(order + 1))
        weighted = root * side.d
        parts.append(weighted - basis @ (basis.T @ weighted))
    stacked = np.vstack(parts)
    return np.linalg.lstsq(stacked[:, lead:], stacked[:, :lead], rcond=1e-9)[0]


def combination(
    sides: Sequence[Design], h: float, order: int, jump: Sequence[np.ndarray]
) -> tuple[np.ndarray, float, float]:
    """Return s with z = d·s, the covariate-adjusted jump of the outcome, and that of the treatment (1 if sharp).

    Sharp: s = (1, −γ). Fuzzy, by the delta method: s = s_Y/τ_T − τ_Y/τ_T² · s_T.
    """
    k, fuzzy = sides[0].d.shape[1], sides[0].fuzzy
    gamma = partial(sides, h, order) if k > 1 + fuzzy else np.zeros((0, 1 + fuzzy))
    s_y = np.concatenate([[1.0], np.zeros(int(fuzzy)), -gamma[:, 0]])
    tau_y = float(sum(c @ (side.d @ s_y) for side, c in zip(sides, jump, strict=True)))
    if not fuzzy:
        return s_y, tau_y, 1.0
    s_t = np.concatenate([[0.0, 1.0], -gamma[:, 1]])
    tau_t = float(sum(c @ (side.d @ s_t) for side, c in zip(sides, jump, strict=True)))
    if abs(tau_t) < 1e-12:
        raise error("no_first_stage")
    return s_y / tau_t - tau_y / tau_t**2 * s_t, tau_y, tau_t


def _pilot(side: Design, order: int, nu: int, reach: tuple[float, float], *, penalise: bool) -> np.ndarray:
    """Return variance, bias and its penalty of the nu-th coefficient of an order-``order`` fit on one side.

    ``reach`` holds the bandwidths of the variance and of the bias.
    """
    h_v, h_b = reach
    near, far = side.within(h_v), side.within(h_b)
    c = weights(near.x, h_v, order, nu)
    s, _, _ = combination([near], h_v, order, [math.factorial(nu) * c])
    constant = h_v**nu * float(c @ (near.x / h_v) ** (order + 1))
    c_b = weights(far.x, h_b, order + 1, order + 1)
    power = 2 * (order + 1 - nu)
    spread = 3 * constant**2 * variance(far, far.d @ s, c_b, (h_b, order + 1), order + 2) if penalise else 0.0
    own = (2 * nu + 1) * h_v ** (2 * nu + 1) * variance(near, near.d @ s, c, (h_v, order), order + 1)
    return np.array([own, math.sqrt(power) * constant * float(c_b @ (far.d @ s)), power * spread])


def _stage(sides: Sequence[np.ndarray], order: int, most: float) -> float:
    left, right = sides
    below = (right[1] - left[1]) ** 2 + left[2] + right[2]
    above = left[0] + right[0]
    if not (below > 0 and above > 0):
        raise error("no_bandwidth")
    return min(float(above / below) ** (1 / (2 * order + 3)), most)


def first_bandwidth(left: Design, right: Design) -> tuple[float, float]:
    """Return the rule-of-thumb bandwidth of the variances and the least allowed one (0 unless scores are rounded)."""
    x = np.concatenate([left.x, right.x])
    quarter = np.quantile(x, [0.25, 0.75], method="averaged_inverted_cdf")
    distinct = [np.unique(np.abs(side.x)) for side in (left, right)]
    shares = [1 - len(v) / len(side.x) for v, side in zip(distinct, (left, right), strict=True)]
    least = max(v[min(FLOOR, len(v)) - 1] for v in distinct) + 1e-8 if max(shares) >= ROUNDED else 0.0
    spread = min(float(np.std(x, ddof=1)), (quarter[1] - quarter[0]) / 1.349)
    spread = spread if spread > 0 else float(np.std(x, ddof=1))
    rule = PILOT * spread * sum(len(v) for v in distinct) ** -0.2
    return max(min(rule, float(np.abs(x).max())), least), least


def bandwidths(left: Design, right: Design) -> tuple[float, float]:
    """Return the common MSE-optimal bandwidth of a local linear jump and that of its bias (mserd, three stages).

    Each stage is {(V_l + V_r) / ((B_r − B_l)² + R_l + R_r)}^{1/(2p+3)}; the first, for the cubic, has R = 0.
    """
    compliers = any(side.fuzzy and np.ptp(side.d[:, 1]) == 0 for side in (left, right))
    sides = [side.sharp() if compliers else side for side in (left, right)]
    h_v, least = first_bandwidth(sides[0], sides[1])
    most = max(float(np.abs(side.x).max()) for side in sides)
    reach = [float(np.abs(side.x).max()) for side in sides]
    third = [_pilot(side, 3, 3, (h_v, far), penalise=False) for side, far in zip(sides, reach, strict=True)]
    d = max(_stage(third, 3, most), least)
    b = _stage([_pilot(side, 2, 2, (h_v, d), penalise=True) for side in sides], 2, most)
    return _stage([_pilot(side, 1, 0, (h_v, b), penalise=True) for side in sides], 1, most), b


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


def _fit(sides: tuple[Design, Design], h: float, b: float) -> Jump:
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
    robust = (float(estimate + ahead[1] - ahead[0]), spread[1])
    return Jump(estimate, spread[0], *robust, h, b, n_left, n_right, float(tau_t), first)


def _spread(
    sides: Sequence[Design], z: Sequence[np.ndarray], ls: Sequence[np.ndarray], fit: tuple[float, int]
) -> float:
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

    Examples
    --------
    >>> from lyeval import effect
    >>> year = effect.example().query("year == 2021")
    >>> found = effect.rdd(year, outcome="level", score="score", cutoff=2.0, bandwidth=1.0, level=0.9)
    >>> round(found.estimate, 1), found.details["n_left"], found.details["n_right"]
    (-0.4, 49, 29)
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
    design = Design(data[score] - float(cutoff), d, None if by is None else data[by], treatment is not None)
    found = jump(design, bandwidth, bandwidth)
    law = _inferred(design, found, level)
    table = _curve(design, found)
    tested = _checks(design, found, table, {name: data[name] for name in names}, (cutoff, law[2:]))
    details = _details(design, found) | {"dropped": data.dropped, "curve": table}
    details["bins"] = _bins(design, found).assign(score=lambda t: t["score"] + cutoff)
    return Effect("rdd", estimand, found.estimate, *law, len(data), details, tested, level)


def _inferred(design: Design, found: Jump, level: float) -> tuple[float, float, float, float]:
    """Return the standard error and p, low, high: normal, or for fewer than 30 clusters a jackknife over them."""
    near = design.within(max(found.h, found.b))
    groups, codes = np.unique(np.zeros(0) if near.cluster is None else near.cluster, return_inverse=True)
    if not 0 < len(groups) < FEW:
        return found.se_robust, *normal(found.corrected, found.se_robust, level)
    left = [jump(design.keep(design.cluster != g), found.h, found.b).corrected for g in groups]
    se, df = Arms.of(codes, near.x >= 0).jackknife(found.corrected, np.array(left))
    return se, *student(found.corrected, se, df, level)


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
    x, y, rows = design.x, design.d[:, 0], []
    for side, part in (("below", x < 0), ("above", x >= 0)):
        at = np.flatnonzero(part & (np.abs(x) <= 2 * found.h))
        for group in np.array_split(at[np.argsort(x[at], kind="stable")], min(10, len(at))):
            rows.append((float(x[group].mean()), float(y[group].mean()), len(group), side))
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
    asked: tuple[float, tuple[float, float]],
) -> tuple[Check, ...]:
    """Make every check; one that the data cannot carry has ``passed`` None and says why."""
    cutoff, interval = asked
    made = [
        tried("density", lambda: _density(design)),
        tried("donut", lambda: _donut(design, found)),
        tried("placebo_cutoffs", lambda: _placebos(design.sharp(), cutoff)),
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
    found, windows = log_ratio(design.x), binomial_windows(design.x)
    near = [float(windows["p_value"].to_numpy()[0])] if len(windows) else []
    least = float(holm([found.p_value, *near]).min())
    return check("density", least >= 0.05, least, p=least)


def _donut(design: Design, found: Jump) -> Check:
    """Leave out the tenth of the bandwidth nearest to the cutoff; the first estimate must lie in the new interval."""
    at = jump(design.keep(np.abs(design.x) >= HOLE * found.h))
    _, low, high = normal(at.corrected, at.se_robust)
    hole = HOLE * found.h
    return check("donut", low <= found.estimate <= high, at.estimate, hole=hole, value=at.estimate, low=low, high=high)


def _placebos(design: Design, cutoff: float) -> Check:
    """Look for jumps at the medians of either side, where there is no cutoff."""
    found, at = [], []
    for side in design.sides():
        middle = float(np.median(side.x))
        made = jump(side.keep(side.x == side.x, middle))
        found.append(normal(made.corrected, made.se_robust)[0])
        at.append(middle + cutoff)
    least = float(holm(found).min())
    return check("placebo_cutoffs", least >= 0.05, least, where="、".join(f"{one:.4g}" for one in at), p=least)


def _balance(design: Design, covariates: Mapping[str, np.ndarray]) -> Check:
    tested = {name: values for name, values in covariates.items() if np.ptp(values) > 0}
    if not tested:
        raise error("no_covariates")
    fits = [jump(replace(design, d=values[:, None], fuzzy=False)) for values in tested.values()]
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
