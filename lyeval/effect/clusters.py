"""Variances by clusters, shared by every design: robust ones for many, randomisation, wild bootstrap or jackknife for few."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import fdtrc

from lyeval.effect.estimate import error

TINY = 1e-9
FEW, FEWEST = 30, 6
"""Clusters below which a wild bootstrap replaces Student's law; clusters wanted in each group (MacKinnon, Webb 2017)."""
DRAWS = 999
STEPS, SETTLED = 60, 1e-10
WEBB = np.sqrt([0.5, 1.0, 1.5])
Test = tuple[float, float, float]
"""p-value, low, high."""
Parts = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Fit:
    """Least squares: coefficients (k,), covariance (k, k), df of the t law; by cluster the fits without it (NaN where
    unidentified), x'x and x'y.
    """

    beta: np.ndarray
    covariance: np.ndarray
    df: int
    without: np.ndarray | None = None
    gram: np.ndarray | None = None
    cross: np.ndarray | None = None

    def se(self, i: int) -> float:
        """Return the standard error of a coefficient."""
        return float(np.sqrt(np.maximum(self.covariance[i, i], 0.0)))


@dataclass(frozen=True, eq=False)
class Arms:
    """Clusters by the share of each that is treated, shape (clusters,)."""

    share: np.ndarray

    @classmethod
    def of(cls, cluster: np.ndarray, treated: np.ndarray) -> Arms:
        """Count rows, or units, by their clusters' codes 0, 1, …."""
        return cls(np.bincount(cluster, weights=treated) / np.bincount(cluster))

    @property
    def least(self) -> int:
        """Clusters in the smaller of the two groups."""
        return int(min((self.share > 0).sum(), (self.share < 1).sum()))

    @property
    def few(self) -> bool:
        """Whether the law of many clusters does not hold."""
        return len(self.share) < FEW or self.least < FEWEST

    @property
    def wholly(self) -> bool:
        """Whether each cluster is treated as a whole or not at all."""
        return bool(np.isin(self.share, (0.0, 1.0)).all())

    def jackknife(self, estimate: float, without: np.ndarray) -> tuple[float, float]:
        """Return the CR3 standard error from estimates without each cluster, and its degrees of freedom.

        V = (G−1)/G · Σ(τ̂₋g − τ̂)²; df = G−1, or Welch's where few clusters are wholly treated or not (0: one in a group).
        """
        parts = (len(without) - 1) / len(without) * (without - estimate) ** 2
        df = len(without) - 1.0
        if self.few and self.wholly:
            groups = [parts[self.share > 0], parts[self.share == 0]]
            if min(len(group) for group in groups) < 2:
                return float(np.sqrt(parts.sum())), 0.0
            df = parts.sum() ** 2 / sum(group.sum() ** 2 / (len(group) - 1) for group in groups)
        return float(np.sqrt(parts.sum())), float(df)


def demeaned(values: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Take each unit's mean out of the columns of ``values``, shape (n, k); ``unit`` holds codes 0, 1, …."""
    sums = np.column_stack([np.bincount(unit, weights=column) for column in values.T])
    return values - (sums / np.bincount(unit)[:, None])[unit]


def dummies(codes: np.ndarray) -> np.ndarray:
    """Return an indicator for every code but the first, shape (n, codes − 1)."""
    return (codes[:, None] == np.unique(codes)[1:]).astype(float)


def recoded(codes: np.ndarray) -> np.ndarray:
    """Return codes 0, 1, … without gaps."""
    return np.unique(codes, return_inverse=True)[1]


def parts(x: np.ndarray, y: np.ndarray, cluster: np.ndarray, weight: np.ndarray | None = None) -> Parts:
    """Return each cluster's x'wx and x'y, shapes (clusters, k, k) and (clusters, k)."""
    order = np.argsort(cluster, kind="stable")
    x, y = x[order], y[order]
    starts = np.searchsorted(cluster[order], np.arange(int(cluster.max()) + 1))
    weighted = x if weight is None else x * weight[order][:, None]
    gram = np.add.reduceat(weighted[:, :, None] * x[:, None, :], starts, axis=0)
    return gram, np.add.reduceat(x * y[:, None], starts, axis=0)


def clustered(x: np.ndarray, y: np.ndarray, cluster: np.ndarray, absorbed: int) -> Fit:
    """Fit y on x (unit means already taken out) with CR1 variance and every leave-one-cluster-out fit.

    V = G/(G−1) · (n−1)/(n−k−absorbed) · A⁻¹ (Σ_g x_g'e_g e_g'x_g) A⁻¹, t with G−1 degrees of freedom; unit means are
    nested in the clusters and not counted (Cameron, Miller 2015, *Journal of Human Resources* 50).
    """
    g, (n, k) = int(cluster.max()) + 1, x.shape
    if g < 2:
        raise error("one_cluster")
    gram, cross = parts(x, y, cluster)
    total = gram.sum(axis=0)
    if not np.linalg.cond(total) < 1 / TINY**1.5 or n <= k + absorbed:
        raise error("not_told_apart")
    beta = np.linalg.solve(total, cross.sum(axis=0))
    score, bread = cross - gram @ beta, np.linalg.inv(total)
    factor = g / (g - 1) * (n - 1) / (n - k - absorbed)
    covariance = factor * bread @ (score.T @ score) @ bread
    return Fit(beta, covariance, g - 1, without(total, gram, cross), gram, cross)


def counted(x: np.ndarray, y: np.ndarray, offset: np.ndarray, unit: np.ndarray, cluster: np.ndarray) -> Fit:
    """Fit E[y] = exp(α_unit + offset + xβ) by Newton's method, αᵢ = log(Σy / Σ exp(offset + xβ)) put in.

    The variance is a jackknife over clusters, each left out by one step. Every unit's total must be above zero.
    """
    beta, total = np.zeros(x.shape[1]), np.bincount(unit, weights=y)
    step = np.full(len(beta), np.inf)
    gram, score = np.empty((0, 0, 0)), np.empty((0, 0))
    for _ in range(STEPS):
        rate = np.exp(offset + x @ beta)
        rate = rate * (total / np.bincount(unit, weights=rate))[unit]
        mean = np.column_stack([np.bincount(unit, weights=rate * column) for column in x.T]) / total[:, None]
        gram, score = parts(x - mean[unit], y - rate, cluster, rate)
        if np.abs(step).max() < SETTLED:
            break
        if not np.linalg.cond(gram.sum(axis=0)) < 1e12:
            raise error("not_told_apart")
        step = np.linalg.solve(gram.sum(axis=0), score.sum(axis=0))
        beta = beta + np.clip(step, -2.0, 2.0)
    away, g = without(gram.sum(axis=0), gram, score), len(gram)
    return Fit(beta, (g - 1) / g * away.T @ away, g - 1, beta + away)


def without(total: np.ndarray, gram: np.ndarray, cross: np.ndarray) -> np.ndarray:
    """Solve the normal equations with each cluster's part taken away, shape (clusters, k); NaN where it cannot be."""
    rest, sums = total - gram, cross.sum(axis=0) - cross
    scale = np.sqrt(np.diag(total))
    scaled = rest / np.outer(scale, scale)
    sound = np.linalg.eigvalsh(scaled)[:, 0] > TINY
    out = np.full(cross.shape, np.nan)
    if sound.any():
        out[sound] = np.linalg.solve(scaled[sound], (sums / scale)[sound][:, :, None])[:, :, 0] / scale
    return out


def shuffled(gram: np.ndarray, cross: np.ndarray, treated: np.ndarray, start: float, step: float, level: float) -> Test:
    """Return p-value, low and high of an effect of clusters wholly treated or not, by randomisation.

    The treatment is dealt anew to as many clusters, 999 times; t statistics over clustered errors are compared (exact where
    clusters are alike; MacKinnon, Webb 2020). ``gram`` and ``cross`` are `parts` of the later periods' indicator and of the
    other regressors, all less unit means; the interval as in `wild`, from the estimate ``start`` in steps of its error.
    """
    rng = np.random.default_rng(0)
    deals = np.array([treated, *(rng.permutation(treated) for _ in range(DRAWS))]).astype(float)
    a, b, inner = gram[:, 0, 0], gram[:, 0, 1:], gram[:, 1:, 1:]
    bread, own = np.linalg.inv(inner.sum(axis=0)), treated.astype(float)
    sums = deals @ b
    slope = sums @ bread
    room = deals @ a - (slope * sums).sum(axis=1)
    turned, along = np.tensordot(slope, inner, axes=([1], [1])), deals * (slope @ b.T)

    def p_value(null: float) -> float:
        c, t = cross[:, 0] - null * own * a, cross[:, 1:] - null * own[:, None] * b
        tau = (deals @ c - slope @ t.sum(axis=0)) / room
        delta = (t.sum(axis=0) - tau[:, None] * sums) @ bread
        score = deals * (c - tau[:, None] * a - delta @ b.T)
        score -= slope @ t.T - tau[:, None] * along - np.einsum("ngj,nj->ng", turned, delta)
        size = np.abs(tau) * room / np.sqrt((score**2).sum(axis=1))
        return float((size >= size[0] * (1 - 1e-9)).mean())

    return _test(p_value, start, step, level)


def _test(p_value: Callable[[float], float], start: float, step: float, level: float) -> Test:
    """Return a test's p-value of zero and the interval of what it does not reject (level 0: none); NaN where nothing
    varies.
    """
    if not step > TINY * max(1.0, abs(start)):
        return np.nan, np.nan, np.nan
    low, high = (_edge(p_value, start, sign * step, 1 - level) if level else np.nan for sign in (-1, 1))
    return p_value(0.0), low, high


def wild(fit: Fit, level: float = 0.95) -> Test:
    """Return p-value, low and high of the first coefficient by the restricted wild cluster bootstrap.

    Webb's six-point weights, 999 draws, t statistics over jackknife errors (WCR-31 of MacKinnon, Nielsen, Webb 2023); the
    interval holds every value that the same test does not reject, NaN where it rejects none. Residuals are those
    under the null, so that one equation a cluster is all that is needed.
    """
    gram, cross = np.asarray(fit.gram), np.asarray(fit.cross)
    total, draws = gram.sum(axis=0), _webb(len(gram))
    bread = np.linalg.inv(total)
    lead = np.linalg.pinv(total - gram, hermitian=True)[:, 0]

    def moved(score: np.ndarray, weights: np.ndarray) -> np.ndarray:
        ahead = weights @ score
        left = ahead @ lead.T - weights * (score * lead).sum(axis=1)
        value = ahead @ bread[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            return value / np.sqrt(((left - value[:, None]) ** 2).sum(axis=1))

    def p_value(null: float) -> float:
        rest = np.linalg.solve(total[1:, 1:], (cross.sum(axis=0) - null * total[0])[1:])
        score = cross - gram @ np.append(null, rest)
        seen = abs(moved(score, np.ones((1, len(gram))))[0])
        return float((1 + (np.abs(moved(score, draws)) >= seen * (1 - 1e-9)).sum()) / (DRAWS + 1))

    return _test(p_value, float(fit.beta[0]), fit.se(0), level)


def _edge(p_value: Callable[[float], float], start: float, step: float, least: float) -> float:
    """Return where a test that holds ``start`` begins to reject; NaN if it does not within 64 steps."""
    inside, reach = start, step
    while p_value(start + reach) >= least:
        inside, reach = start + reach, 2 * reach
        if abs(reach) > 64 * abs(step):
            return float("nan")
    outside = start + reach
    for _ in range(16):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_value(middle) >= least else (inside, middle)
    return inside


@lru_cache(maxsize=4)
def _webb(clusters: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.choice(np.concatenate([-WEBB, WEBB]), size=(DRAWS, clusters))


def robust(x: np.ndarray, y: np.ndarray, *, equal: bool = False) -> Fit:
    """Fit y on x with HC1 variance, or with one variance for all rows (``equal``); NaN where nothing is left to estimate it.

    By statsmodels.
    """
    from statsmodels.regression.linear_model import OLS

    n, k = x.shape
    if n < k or not np.linalg.cond(x.T @ x) < 1 / TINY**1.5:
        raise error("empty_group")
    if n == k:
        return Fit(np.linalg.solve(x, y), np.full((k, k), np.nan), 0)
    found = OLS(y, x).fit(cov_type="nonrobust" if equal else "HC1")
    return Fit(np.asarray(found.params), np.asarray(found.cov_params()), n - k)


def wald(fit: Fit, q: int) -> tuple[float, float]:
    """Return the F statistic that the first ``q`` coefficients are all zero, and its p-value."""
    beta, covariance = fit.beta[:q], fit.covariance[:q, :q]
    f = float(beta @ np.linalg.pinv(covariance, hermitian=True) @ beta) / q
    return f, float(fdtrc(q, fit.df, f))
