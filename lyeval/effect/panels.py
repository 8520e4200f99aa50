"""Least squares with unit means taken out and variances clustered by unit; what panels of units share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc, stdtr, stdtrit

from lyeval.effect.result import EffectError

TINY = 1e-9


@dataclass(frozen=True, eq=False)
class Fit:
    """A least-squares fit.

    Attributes
    ----------
    beta
        Coefficients, shape (k,).
    covariance
        Shape (k, k).
    df
        Degrees of freedom of the t law.
    without
        Coefficients with one cluster left out, shape (clusters, k); NaN where they are not identified. None if not
        clustered.
    """

    beta: np.ndarray
    covariance: np.ndarray
    df: int
    without: np.ndarray | None = None

    def se(self, i: int) -> float:
        """Return the standard error of a coefficient."""
        return float(np.sqrt(np.maximum(self.covariance[i, i], 0.0)))


def student(estimate: float, std_error: float, df: int) -> tuple[float, float, float]:
    """Return p-value, low and high of a 95 % interval under Student's law."""
    if not std_error > 0:
        return np.nan, np.nan, np.nan
    reach = float(stdtrit(df, 0.975)) * std_error
    return float(2 * stdtr(df, -abs(estimate / std_error))), estimate - reach, estimate + reach


def demeaned(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Take each unit's mean out of the columns of ``values``, shape (n, k); ``unit`` holds codes 0, 1, …."""
    count = np.bincount(unit)[:, None]
    sums = np.column_stack([np.bincount(unit, weights=column) for column in values.T])
    return values - (sums / count)[unit]


def dummies(codes: np.ndarray) -> np.ndarray:
    """Return an indicator for every code but the first, shape (n, codes − 1)."""
    return (codes[:, None] == np.unique(codes)[1:]).astype(float)


def clustered(x: np.ndarray, y: np.ndarray, unit: np.ndarray, absorbed: int) -> Fit:
    """Fit y on x (unit means already taken out) with CR1 variance and every leave-one-unit-out fit.

    V = G/(G−1) · (n−1)/(n−k−absorbed) · A⁻¹ (Σ_g x_g'e_g e_g'x_g) A⁻¹, t with G−1 degrees of freedom; unit means are
    nested in the clusters and not counted (Cameron, Miller 2015).

    Raises
    ------
    EffectError
        If there are fewer than two units or x is not of full rank.
    """
    g, (n, k) = int(unit.max()) + 1, x.shape
    if g < 2:
        raise EffectError("只有一个单位，无法聚类 / a single unit: there is nothing to cluster")
    order = np.argsort(unit, kind="stable")
    x, y, unit = x[order], y[order], unit[order]
    starts = np.searchsorted(unit, np.arange(g))
    gram = np.add.reduceat(x[:, :, None] * x[:, None, :], starts, axis=0)
    cross = np.add.reduceat(x * y[:, None], starts, axis=0)
    total = gram.sum(axis=0)
    if not np.linalg.cond(total) < 1 / TINY**1.5 or n <= k + absorbed:
        raise EffectError("各期或各组不足以分辨影响 / periods and groups are too few to tell the effect apart")
    beta = np.linalg.solve(total, cross.sum(axis=0))
    score = np.add.reduceat(x * (y - x @ beta)[:, None], starts, axis=0)
    bread = np.linalg.inv(total)
    factor = g / (g - 1) * (n - 1) / (n - k - absorbed)
    return Fit(beta, factor * bread @ (score.T @ score) @ bread, g - 1, _without(total, gram, cross))


def two_way(y: np.ndarray, t: np.ndarray, unit: np.ndarray, treated: np.ndarray) -> Fit:
    """Fit y on a treatment with unit and period effects, clustered by unit; the treatment's coefficient comes first."""
    x = np.column_stack([treated, dummies(t)]).astype(float)
    return clustered(demeaned(x, unit), demeaned(y[:, None], unit)[:, 0], unit, 1)


def _without(total: np.ndarray, gram: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Solve the normal equations with each unit's part taken away."""
    rest, sums = total - gram, cross.sum(axis=0) - cross
    scale = np.sqrt(np.diag(total))
    scaled = rest / np.outer(scale, scale)
    sound = np.linalg.eigvalsh(scaled)[:, 0] > TINY
    out = np.full(cross.shape, np.nan)
    if sound.any():
        out[sound] = np.linalg.solve(scaled[sound], (sums / scale)[sound][:, :, None])[:, :, 0] / scale
    return out


def robust(x: np.ndarray, y: np.ndarray, *, equal: bool = False) -> Fit:
    """Fit y on x with HC1 variance, or with one variance for all rows (``equal``); NaN where nothing is left to estimate it."""
    n, k = x.shape
    gram = x.T @ x
    if n < k or not np.linalg.cond(gram) < 1 / TINY**1.5:
        raise EffectError("行数不足或各组有空格 / too few rows, or an empty group")
    bread = np.linalg.inv(gram)
    beta = bread @ (x.T @ y)
    if n == k:
        return Fit(beta, np.full((k, k), np.nan), 0)
    e = y - x @ beta
    meat = gram * float(e @ e) / (n - k) if equal else n / (n - k) * (x * (e**2)[:, None]).T @ x
    return Fit(beta, bread @ meat @ bread, n - k)


def wald(fit: Fit, which: slice) -> tuple[float, float]:
    """Return the F statistic that several coefficients are all zero, and its p-value."""
    beta, covariance = fit.beta[which], fit.covariance[which, which]
    q = len(beta)
    f = float(beta @ np.linalg.pinv(covariance, hermitian=True) @ beta) / q
    return f, float(fdtrc(q, fit.df, f))
