"""Density test (密度检验): do more units stand just above a cutoff than just below, as if scores were chosen?

The density is the slope of a local polynomial fit to the distribution function, so no binning is chosen.
Source: Cattaneo, Jansson, Ma (2020), *Journal of the American Statistical Association* 115, 1449–1455.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import bdtr

from lyeval.effect.estimate import Check, Effect, check, error, holm, normal, told
from lyeval.effect.frames import columns, of_cluster, varies

ORDER = 2
NEAREST = 20 + ORDER + 1
"""A bandwidth takes in at least so many rows, and distinct scores, on either side."""
WINDOWS, STEP = 10, 20


@dataclass(frozen=True)
class LogRatio:
    """Densities at the cutoff, their log ratio with its delta-method error (NaN if one is not positive), the test that
    they are equal; bandwidths; rows.
    """

    density_left: float
    density_right: float
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    bandwidth_left: float
    bandwidth_right: float
    n_left: int
    n_right: int


def density(
    frame: pd.DataFrame, *, score: str, cutoff: float, bandwidth: float | None = None, level: float = 0.95
) -> Effect:
    """Test whether a score's density is continuous at a cutoff (密度检验).

    Parameters
    ----------
    frame
        One row per unit.
    score
        Numeric column.
    cutoff, bandwidth
        In the score's unit; rows at the cutoff count as above; a bandwidth is that of both sides, None: MSE-optimal.
    level
        Of the interval.

    Returns
    -------
    Effect
        ``estimate`` is log(density above / density below) at the cutoff, cubic fits; ``std_error``, ``low``, ``high`` by the
        delta method; ``p_value`` is that of the difference of densities (jackknife). ``details``: density_left,
        density_right, statistic, bandwidth_left, bandwidth_right, n_left, n_right, windows (frame: half_width, n_left,
        n_right, p_value; exact binomial tests on the nearest 20, 40, … rows), counts (frame: from_, observed), dropped.
        Check: windows.

    Raises
    ------
    EffectError
        If a side holds fewer than 10 distinct scores, or ``credit_code`` repeats.

    Notes
    -----
    Bandwidths minimise the mean squared error of the quadratic fit: on each side the median of the best for that density,
    for the difference and for the sum. Scores with repeats count at the end of their run.

    Examples
    --------
    >>> from lyeval import effect
    >>> found = effect.density(effect.example().query("year == 2021"), score="score", cutoff=2.0)
    >>> found.p_value > 0.05
    True
    """
    if of_cluster(frame, None):
        raise error("repeated_codes")
    data = columns(frame, [score])
    varies(data[score], score)
    x = data[score] - cutoff
    found, windows = log_ratio(x, bandwidth), binomial_windows(x)
    _, low, high = normal(found.estimate, found.std_error, level)
    sides = ("density_left", "density_right", "statistic", "bandwidth_left", "bandwidth_right", "n_left", "n_right")
    details: dict[str, Any] = {
        **{name: getattr(found, name) for name in sides},
        "windows": windows,
        "counts": _counted(data[score], cutoff, max(found.bandwidth_left, found.bandwidth_right)),
        "dropped": data.dropped,
    }
    estimand, tested = told("density_of", score=score, cutoff=f"{cutoff:g}"), (_agreement(found, windows),)
    numbers = (found.estimate, found.std_error, found.p_value, low, high, len(data))
    return Effect("density", estimand, *numbers, details, tested, level)


def _counted(x: np.ndarray, cutoff: float, reach: float) -> pd.DataFrame:
    """Return numbers of units by score, ten bins on either side within the wider bandwidth."""
    edges = cutoff + np.arange(-10, 11) * (reach / 10)
    place = np.searchsorted(edges, x, side="right") - 1
    counts = np.bincount(place[(place >= 0) & (place < 20)], minlength=20)
    return pd.DataFrame({"from_": edges[:-1], "observed": counts.astype(float)})


def log_ratio(x: np.ndarray, bandwidth: float | None = None) -> LogRatio:
    """Fit both densities at zero, within a bandwidth or their own, and test that they are equal."""
    x = np.sort(x)
    for sign, where in ((x < 0, "below"), (x >= 0, "above")):
        if len(np.unique(x[sign])) < 10:
            raise error(f"few_scores_{where}")
    height = _heights(x)
    h_left, h_right = (bandwidth, bandwidth) if bandwidth else _bandwidths(x, height)
    f, v = _slopes(x, height, h_left, h_right, ORDER + 1, 1)
    spread = v[0, 0] + v[1, 1] - 2 * v[0, 1]
    if not spread > 0:
        raise error("density_variance")
    statistic = (f[1] - f[0]) / math.sqrt(spread)
    positive = bool((f > 0).all())
    g = np.array([-1 / f[0], 1 / f[1]]) if positive else np.full(2, np.nan)
    estimate = float(np.log(f[1] / f[0])) if positive else math.nan
    law = (estimate, float(np.sqrt(g @ v @ g)), float(statistic), math.erfc(abs(statistic) / math.sqrt(2)))
    n_left, n_right = int(((x < 0) & (x >= -h_left)).sum()), int(((x >= 0) & (x <= h_right)).sum())
    return LogRatio(float(f[0]), float(f[1]), *law, h_left, h_right, n_left, n_right)


def binomial_windows(x: np.ndarray) -> pd.DataFrame:
    """Return exact binomial tests (p = ½) on about the 20, 40, … 200 rows nearest to zero.

    Columns half_width, n_left, n_right, p_value; rows −half_width ≤ x < half_width count, so that rounded scores have as
    many values on either side.
    """
    x = np.sort(x)
    halves = np.unique(np.abs(x))
    below = np.searchsorted(x, 0.0) - np.searchsorted(x, -halves)
    above = np.searchsorted(x, halves) - np.searchsorted(x, 0.0)
    wanted = np.arange(STEP, STEP * WINDOWS + 1, STEP)
    at = np.unique(np.searchsorted(below + above, wanted))
    rows = [(float(halves[i]), int(below[i]), int(above[i])) for i in at[at < len(halves)]]
    table = pd.DataFrame(rows, columns=["half_width", "n_left", "n_right"])
    left, right = (table[name].to_numpy(dtype=int) for name in ("n_left", "n_right"))
    return table.assign(p_value=np.minimum(2 * bdtr(np.minimum(left, right).astype(float), left + right, 0.5), 1.0))


def _agreement(found: LogRatio, windows: pd.DataFrame) -> Check:
    """Fail where a binomial test (Holm) sees a break that the density test does not; open where it is the other way."""
    if windows.empty:
        return check("windows", None, None, "windows_few")
    least = float(holm(windows["p_value"].to_list()).min())
    seen, smooth = least < 0.05, found.p_value >= 0.05
    return check("windows", (None if not smooth else False) if seen == smooth else True, least, n=len(windows), p=least)


def _heights(x: np.ndarray) -> np.ndarray:
    """Return the distribution function i/(n−1) of sorted scores, repeats taking the height of their last."""
    last = np.searchsorted(x, x, side="right") - 1
    return last / (len(x) - 1)


def _slopes(x: np.ndarray, y: np.ndarray, h_l: float, h_r: float, order: int, nu: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients of x^nu of both sides' fits to the distribution function, and their jackknife covariance.

    Shapes (2,) and (2, 2). The part of row i in the variance is the sum of the weighted regressors of the rows above it.
    """
    near = (x >= -h_l) & (x <= h_r)
    n, x, y = len(x), x[near], y[near]
    parts = []
    for side, h in ((x < 0, h_l), (x >= 0, h_r)):
        u = np.where(side, x / h, 0.0)
        w = np.where(side, np.maximum(1 - np.abs(u), 0) / h, 0.0)
        powers = u[:, None] ** np.arange(order + 1)
        gram = powers.T @ (powers * w[:, None])
        if not np.linalg.cond(gram) < 1e14:
            raise error("thin_density")
        parts.append(w * (powers @ np.linalg.inv(gram)[:, nu]) / h**nu)
    c = np.column_stack(parts)
    ahead = c.sum(axis=0) - np.cumsum(c, axis=0)
    first = np.searchsorted(x, x, side="left")
    influence = ahead[first] / (n - 1)
    return c.T @ y, influence.T @ influence


def _bandwidths(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the bandwidths left and right: medians of those best for the side, the difference and the sum."""
    n = len(x)
    wide, narrow = _reference(x, 3), _reference(x, 1)
    curvature, _ = _slopes(x, y, wide, wide, ORDER + 2, ORDER + 1)
    _, v = _slopes(x, y, narrow, narrow, ORDER, 1)
    spread = n * narrow * np.array([v[0, 0], v[1, 1], v[0, 0] + v[1, 1] - 2 * v[0, 1], v[0, 0] + v[1, 1] + 2 * v[0, 1]])
    i = np.arange(ORDER + 1)
    moments = 1 / (i[:, None] + i + 1) - 1 / (i[:, None] + i + 2)
    constant = np.linalg.solve(moments, 1 / (i + ORDER + 2) - 1 / (i + ORDER + 3))[1]
    left, right = curvature[0] * constant * (-1) ** ORDER, curvature[1] * constant
    bias = np.array([left, right, right - left, right + left]) ** 2
    best = (spread / np.maximum(bias, 1e-300) / (2 * ORDER) / n) ** (1 / (2 * ORDER + 1))
    reach = np.array([-x[0], x[-1], max(-x[0], x[-1]), max(-x[0], x[-1])])
    least = _nearest(x, NEAREST)
    floor = np.array([*least, max(least), max(least)])
    best = np.maximum(np.minimum(best, reach), floor)
    return float(np.median(best[[0, 2, 3]])), float(np.median(best[[1, 2, 3]]))


def _reference(x: np.ndarray, rows: int) -> float:
    """Return the bandwidth that would be best were scores normal: of the third derivative (rows 3) or the density (1)."""
    n, sd = len(x), float(np.std(x, ddof=1))
    z = float(np.mean(x)) / sd
    phi = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    if rows == 3:
        hermite = z**4 - 6 * z**2 + 3
        best = ((2 * ORDER + 1) / 4 * CURVATURE / (hermite**2 * phi) / n) ** (1 / (2 * ORDER + 5))
    else:
        hermite = z**2 - 1
        best = (1 / (2 * ORDER) * DENSITY / (hermite**2 * phi) / n) ** (1 / (2 * ORDER + 1))
    return max(min(best * sd, float(np.abs(x).max())), *_nearest(x, NEAREST + rows - 1))


def _nearest(x: np.ndarray, count: int) -> tuple[float, float]:
    """Return how far the ``count``-th nearest row, and distinct score, lies on each side."""
    out = []
    for side in (-x[x < 0][::-1], x[x >= 0]):
        distinct = np.unique(side)
        out.append(float(max(side[min(count, len(side)) - 1], distinct[min(count, len(distinct)) - 1])))
    return out[0], out[1]


CURVATURE, DENSITY = 3430865.4551236177795, 548.57142857155463389
"""Constants of the triangular kernel in the normal-reference bandwidths of a quadratic fit (Cattaneo, Jansson, Ma 2020)."""
