"""Local polynomial fits at a cutoff: weights, variances from nearest neighbours or clusters, MSE-optimal bandwidths.

Every estimate here is a weighted sum ``Σ cᵢ zᵢ`` of one combination z of outcome, treatment and covariates, so that sharp,
fuzzy and covariate-adjusted designs share one arithmetic and one variance.

Sources: Calonico, Cattaneo, Titiunik (2014), *Econometrica* 82, 2295–2326; Calonico, Cattaneo, Farrell, Titiunik (2019),
*Review of Economics and Statistics* 101, 442–451.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lyeval.effect.result import error

MATCHES = 3
TIE = 1e-9
ROUNDED = 0.2
FLOOR = 10
PILOT = 2.576


@dataclass(frozen=True, eq=False)
class Side:
    """Rows on one side, sorted: score less cutoff (n,); outcome, treatment if fuzzy, covariates (n, k); cluster codes
    or None.
    """

    x: np.ndarray
    d: np.ndarray
    cluster: np.ndarray | None = None
    fuzzy: bool = False

    def within(self, h: float) -> Side:
        """Return the observations nearer to the cutoff than ``h``."""
        near = np.abs(self.x) < h
        return Side(self.x[near], self.d[near], None if self.cluster is None else self.cluster[near], self.fuzzy)

    def sharp(self) -> Side:
        """Return the side without its treatment column."""
        return Side(self.x, np.delete(self.d, 1, axis=1), self.cluster) if self.fuzzy else self


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


def variance(side: Side, z: np.ndarray, c: np.ndarray, fit: tuple[float, int], k: int) -> float:
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


def partial(sides: Sequence[Side], h: float, order: int) -> np.ndarray:
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
    sides: Sequence[Side], h: float, order: int, jump: Sequence[np.ndarray]
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


@dataclass(frozen=True)
class _Pilot:
    variance: float
    bias: float
    penalty: float


def _pilot(side: Side, order: int, nu: int, h_v: float, h_b: float, *, penalise: bool) -> _Pilot:
    """Return variance, bias and its penalty of the nu-th coefficient of an order-``order`` fit on one side."""
    near, far = side.within(h_v), side.within(h_b)
    c = weights(near.x, h_v, order, nu)
    s, _, _ = combination([near], h_v, order, [math.factorial(nu) * c])
    constant = h_v**nu * float(c @ (near.x / h_v) ** (order + 1))
    c_b = weights(far.x, h_b, order + 1, order + 1)
    power = 2 * (order + 1 - nu)
    spread = 3 * constant**2 * variance(far, far.d @ s, c_b, (h_b, order + 1), order + 2) if penalise else 0.0
    return _Pilot(
        variance=(2 * nu + 1) * h_v ** (2 * nu + 1) * variance(near, near.d @ s, c, (h_v, order), order + 1),
        bias=math.sqrt(power) * constant * float(c_b @ (far.d @ s)),
        penalty=power * spread,
    )


def _stage(left: _Pilot, right: _Pilot, order: int, most: float) -> float:
    below = (right.bias - left.bias) ** 2 + left.penalty + right.penalty
    above = left.variance + right.variance
    if not (below > 0 and above > 0):
        raise error("no_bandwidth")
    return min((above / below) ** (1 / (2 * order + 3)), most)


def first_bandwidth(left: Side, right: Side) -> tuple[float, float]:
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


def bandwidths(left: Side, right: Side) -> tuple[float, float]:
    """Return the common MSE-optimal bandwidth of a local linear jump and that of its bias (mserd, three stages).

    Each stage is {(V_l + V_r) / ((B_r − B_l)² + R_l + R_r)}^{1/(2p+3)}; the first, for the cubic, has R = 0.
    """
    compliers = any(side.fuzzy and np.ptp(side.d[:, 1]) == 0 for side in (left, right))
    sides = [side.sharp() if compliers else side for side in (left, right)]
    h_v, least = first_bandwidth(sides[0], sides[1])
    most = max(float(np.abs(side.x).max()) for side in sides)
    reach = [float(np.abs(side.x).max()) for side in sides]
    third = [_pilot(side, 3, 3, h_v, far, penalise=False) for side, far in zip(sides, reach, strict=True)]
    d = max(_stage(third[0], third[1], 3, most), least)
    second = [_pilot(side, 2, 2, h_v, d, penalise=True) for side in sides]
    b = _stage(second[0], second[1], 2, most)
    first = [_pilot(side, 1, 0, h_v, b, penalise=True) for side in sides]
    h = _stage(first[0], first[1], 1, most)
    return h, b
