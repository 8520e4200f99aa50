"""Weights on a simplex, and the estimates made of them: synthetic control, synthetic differences, plain differences.

Sources: Abadie, Diamond, Hainmueller (2010), *Journal of the American Statistical Association* 105, 493–505; Arkhangelsky,
Athey, Hirshberg, Imbens, Wager (2021), *American Economic Review* 111, 4088–4118.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

METHODS = ("control", "did")


@dataclass(frozen=True, eq=False)
class Block:
    """Outcomes of treated and donor units, before and after.

    Attributes
    ----------
    treated
        Mean of the treated units, shape (periods,).
    donors
        Shape (donors, periods).
    before
        How many periods come before the start.
    n_treated
        Units behind ``treated``.
    """

    treated: np.ndarray
    donors: np.ndarray
    before: int
    n_treated: int = 1

    def without(self, donor: int) -> Block:
        """Return the block less one donor."""
        return Block(self.treated, np.delete(self.donors, donor, axis=0), self.before, self.n_treated)

    def as_if(self, donor: int) -> Block:
        """Return the block as if one donor were the treated, among the other donors."""
        return Block(self.donors[donor], np.delete(self.donors, donor, axis=0), self.before)


@dataclass(frozen=True, eq=False)
class Weighted:
    """An estimate and the weights it rests on.

    Attributes
    ----------
    estimate
        Mean effect over the later periods.
    units
        Weights of the donors, shape (donors,), sum 1.
    periods
        Weights of the earlier periods, shape (before,), sum 1 (0 for a synthetic control).
    path
        Treated less weighted donors in each period, shape (periods,); for differences, less its weighted earlier mean.
    """

    estimate: float
    units: np.ndarray
    periods: np.ndarray
    path: np.ndarray


def simplex(a: np.ndarray, b: np.ndarray, ridge: float = 0.0) -> np.ndarray:
    """Return w ≥ 0, Σw = 1 that minimises |a·w − b|² + ridge·|w|².

    On the simplex a·w − b = (a − b1')w, so the answer is the point of a hull nearest to the origin: in proportion to the
    non-negative u that minimises |(a − b1')u|² + ridge·|u|² + s²(Σu − 1)², whatever s (exact, by active sets).
    """
    rows = a - b[:, None]
    scale = float(np.sqrt((rows**2).sum(axis=0).mean() + ridge)) or 1.0
    parts = [rows / scale, np.ones((1, a.shape[1]))]
    if ridge > 0:
        parts.insert(1, np.sqrt(ridge) / scale * np.eye(a.shape[1]))
    stacked = np.vstack(parts)
    u, _ = nnls(stacked, np.append(np.zeros(len(stacked) - 1), 1.0))
    return u / u.sum()


def control(block: Block) -> Weighted:
    """Return the synthetic control: donors weighted to follow the treated before the start, all periods alike."""
    early = slice(None, block.before)
    w = simplex(block.donors[:, early].T, block.treated[early])
    path = block.treated - w @ block.donors
    return Weighted(float(path[block.before :].mean()), w, np.zeros(block.before), path)


def differences(block: Block) -> Weighted:
    """Return the synthetic difference in differences.

    Unit weights with an intercept and ridge ζ²·T₀, ζ = (N₁T₁)^¼ · sd of the donors' yearly changes; period weights with an
    intercept and a ridge of (10⁻⁶ sd)²·N₀.
    """
    t0 = block.before
    early, late = block.donors[:, :t0], block.donors[:, t0:]
    noise = float(np.std(np.diff(early, axis=1), ddof=1)) if t0 > 1 else 0.0
    zeta = (block.n_treated * late.shape[1]) ** 0.25 * noise
    mine = block.treated[:t0]
    units = simplex(_centred(early.T), mine - mine.mean(), zeta**2 * t0)
    target = late.mean(axis=1)
    periods = simplex(_centred(early), target - target.mean(), (1e-6 * noise) ** 2 * len(early))
    gap = block.treated - units @ block.donors
    path = gap - periods @ gap[:t0]
    return Weighted(float(path[t0:].mean()), units, periods, path)


def plain(block: Block) -> float:
    """Return the difference in differences with equal weights."""
    gap = block.treated - block.donors.mean(axis=0)
    return float(gap[block.before :].mean() - gap[: block.before].mean())


def fit(block: Block, method: str) -> Weighted:
    """Fit by name: ``control`` or ``did``."""
    return control(block) if method == "control" else differences(block)


def _centred(values: np.ndarray) -> np.ndarray:
    return values - values.mean(axis=0)
