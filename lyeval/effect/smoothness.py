"""Bounds on an effect when trends may have differed, but smoothly (平滑性界限).

Differences in trend δ may follow any line, bent by at most M from one period to the next: |δ_{t+1} − 2δ_t + δ_{t−1}| ≤ M.
The interval is the shortest of fixed length centred on an affine estimator (Rambachan, Roth 2023, *Review of Economic
Studies* 90, 2555–2591, section 4.1): half-length = σ · cv(b/σ) with b the worst bias and cv the 95 % point of |N(b/σ, 1)|.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import minimize, root_scalar
from scipy.special import ndtr

REACH = 64.0
ONE_SIDED = 1.6448536269514722


@dataclass(frozen=True, eq=False)
class Path:
    """Event-study coefficients around a base period whose coefficient is 0.

    Attributes
    ----------
    events
        Periods relative to the base, without it: …, −2, −1, 1, 2, …; shape (k,).
    beta, covariance
        Coefficients and their covariance, shapes (k,) and (k, k).
    """

    events: np.ndarray
    beta: np.ndarray
    covariance: np.ndarray


def bounds(path: Path, m: float) -> tuple[float, float]:
    """Return the 95 % interval of the mean effect after the base, if trends bend by at most ``m`` a period.

    The estimator is v'β with v = 1/(number of later periods) on those; the weights of the earlier ones are chosen to make
    the interval shortest among those that no straight line can bias.
    """
    early = path.events < 0
    late = np.where(early, 0.0, 1 / (~early).sum())
    bends = _bends(path.events)
    line = path.events.astype(float)
    space = _null(line[early])
    start = -line[early] * (late @ line) / (line[early] @ line[early])

    def weights(free: np.ndarray) -> np.ndarray:
        v = late.copy()
        v[early] = start + space @ free
        return v

    def half(free: np.ndarray) -> float:
        v = weights(free)
        return _half(float(np.sqrt(v @ path.covariance @ v)), m * float(np.abs(bends.T @ v).sum()))

    v = weights(_least(half, space.shape[1]))
    centre, reach = float(v @ path.beta), half(space.T @ (v[early] - start))
    return centre - reach, centre + reach


def breakdown(path: Path) -> float:
    """Return the largest M whose interval still excludes zero; 0 if none does, infinite if every tried one does."""
    scale = float(np.abs(path.beta).max()) or 1.0

    def margin(m: float) -> float:
        low, high = bounds(path, m)
        return max(low, -high)

    if margin(0.0) <= 0:
        return 0.0
    top = scale
    while margin(top) > 0:
        top *= 2
        if top > REACH * scale:
            return float("inf")
    return float(root_scalar(margin, bracket=(0.0, top), xtol=1e-4 * scale).root)


def bend(path: Path) -> float:
    """Return the largest second difference seen before the base, NaN if earlier periods are fewer than two."""
    early = path.events < 0
    seen = np.concatenate([path.beta[early], [0.0]])
    return float(np.abs(np.diff(seen, 2)).max()) if len(seen) >= 3 else float("nan")


def consecutive(events: np.ndarray) -> bool:
    """Whether the events with the base are whole numbers in a row, on both sides of it."""
    whole = np.sort(np.append(events, 0))
    return len(events) > 1 and bool((np.diff(whole) == 1).all()) and whole[0] < 0 < whole[-1]


def _bends(events: np.ndarray) -> np.ndarray:
    """Return how each second difference moves each coefficient, for paths that are 0 and flat at the base.

    Shape (k, bends). The bend at s > 0 (between s−1, s, s+1) lifts t by max(t − s, 0); the mirror for s < 0; the bend at the
    base is split off as the later side's.
    """
    columns = [np.maximum(events - s, 0) for s in range(int(events.max()))]
    columns += [np.maximum(-events + s, 0) for s in range(-1, int(events.min()), -1)]
    return np.column_stack(columns).astype(float)


def _null(row: np.ndarray) -> np.ndarray:
    """Return a basis of the vectors orthogonal to ``row``, shape (k, k − 1)."""
    _, _, vt = np.linalg.svd(row[None, :])
    return vt[1:].T


def _half(sd: float, bias: float) -> float:
    """Return σ · cv(b/σ)."""
    ratios, points = _points()
    ratio = bias / sd
    return bias + sd * (float(np.interp(ratio, ratios, points)) if ratio < ratios[-1] else ONE_SIDED)


@lru_cache(maxsize=1)
def _points() -> tuple[np.ndarray, np.ndarray]:
    """Return cv(t) − t on a grid of t by Newton's method on Φ(c − t) − Φ(−c − t) = 0.95."""
    t = np.linspace(0, 8, 16001)
    c = t + ONE_SIDED + 0.3 * np.exp(-t)
    for _ in range(20):
        slope = (np.exp(-((c - t) ** 2) / 2) + np.exp(-((c + t) ** 2) / 2)) / np.sqrt(2 * np.pi)
        c = c - (ndtr(c - t) - ndtr(-c - t) - 0.95) / slope
    return t, c - t


def _least(half: Callable[[np.ndarray], float], dimension: int) -> np.ndarray:
    """Minimise a convex function with kinks: a smooth start, then a simplex search from it."""
    if dimension == 0:
        return np.zeros(0)
    near = minimize(half, np.zeros(dimension), method="Powell", options={"xtol": 1e-8, "ftol": 1e-10}).x
    return minimize(
        half, near, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10, "maxiter": 400 * dimension}
    ).x
