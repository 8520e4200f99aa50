"""Bounds on an effect when trends may have differed, but smoothly (平滑性界限).

Differences in trend δ may follow any line, bent by at most M from one period to the next: |δ_{t+1} − 2δ_t + δ_{t−1}| ≤ M.
The interval is the shortest of fixed length centred on an affine estimator (Rambachan, Roth 2023, *Review of Economic
Studies* 90, 2555–2591, section 4.1): half-length = σ · cv(b/σ) with b the worst bias and cv the 95 % point of |N(b/σ, 1)|.
Its weights are the answer of a convex programme, found by sequential quadratic programming with exact derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize, root_scalar
from scipy.special import ndtr, ndtri

REACH = 64.0


@dataclass(frozen=True, eq=False)
class Path:
    """Event-study coefficients at ``events`` around a base (0, left out), shape (k,); their covariance; weights of the
    later ones (None: alike).
    """

    events: np.ndarray
    beta: np.ndarray
    covariance: np.ndarray
    weights: np.ndarray | None = None

    def late(self) -> np.ndarray:
        """Return the weights of all coefficients, 0 for the earlier ones."""
        out, later = np.zeros(len(self.events)), self.events > 0
        out[later] = 1 / later.sum() if self.weights is None else self.weights
        return out


def bounds(path: Path, m: float, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of the effect after the base, if trends bend by at most ``m`` a period.

    The weights of the earlier coefficients make it shortest among those that no straight line can bias.
    """
    early, late, line = path.events < 0, path.late(), path.events.astype(float)
    bends = _bends(path.events)
    space = np.zeros((len(line), early.sum() - 1))
    space[early] = np.linalg.svd(line[early][None, :])[2][1:].T
    start = late - np.where(early, line, 0.0) * (late @ line) / (line[early] @ line[early])
    k, scale = space.shape[1], float(np.sqrt(start @ path.covariance @ start))

    def half(z: np.ndarray) -> tuple[float, np.ndarray]:
        v = start + space @ z[:k]
        sd = max(float(np.sqrt(v @ path.covariance @ v)), 1e-12 * scale)
        bias = m * float(z[k:].sum())
        point, slope = _point(bias / sd, level)
        by_sd = (point - bias / sd * slope) * (space.T @ path.covariance @ v) / sd
        return sd * point / scale, np.append(by_sd, np.full(len(z) - k, m * slope)) / scale

    v = start
    if k:
        sign = [np.hstack([s * bends.T @ space, np.eye(bends.shape[1])]) for s in (-1, 1)]
        rows, floor = np.vstack(sign), np.concatenate([s * bends.T @ start for s in (1, -1)])
        within = {"type": "ineq", "fun": lambda z: rows @ z - floor, "jac": lambda _: rows}
        first = np.append(np.zeros(k), np.abs(bends.T @ start))
        found = minimize(half, first, jac=True, constraints=within, options={"ftol": 1e-13, "maxiter": 500})
        v = start + space @ found.x[:k]
    sd = float(np.sqrt(v @ path.covariance @ v))
    reach = sd * _point(m * float(np.abs(bends.T @ v).sum()) / sd, level)[0]
    return float(v @ path.beta) - reach, float(v @ path.beta) + reach


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
    seen = np.concatenate([path.beta[path.events < 0], [0.0]])
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


def _point(t: float, level: float) -> tuple[float, float]:
    """Return cv(t), the ``level`` point of |N(t, 1)|, and its derivative, by Newton's method."""
    if t > 8:
        return t + float(ndtri(level)), 1.0
    c = t + float(ndtri(level)) + 0.3 * np.exp(-t)
    for _ in range(12):
        ahead, behind = np.exp(-((c - t) ** 2) / 2), np.exp(-((c + t) ** 2) / 2)
        c = c - (ndtr(c - t) - ndtr(-c - t) - level) * np.sqrt(2 * np.pi) / (ahead + behind)
    ahead, behind = np.exp(-((c - t) ** 2) / 2), np.exp(-((c + t) ** 2) / 2)
    return float(c), float((ahead - behind) / (ahead + behind))
