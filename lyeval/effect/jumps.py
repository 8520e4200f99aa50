"""The jump of an outcome at a cutoff: design, fit, and its robust bias-corrected variance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lyeval.effect.local import Side, bandwidths, combination, variance, weights
from lyeval.effect.result import EffectError

LEAST = 10
DISTINCT = 6


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

    def with_outcome(self, values: np.ndarray) -> Design:
        """Return the sharp design of another outcome, without covariates."""
        return Design(self.score, values[:, None], self.cutoff, self.cluster, False)

    def _side(self, rows: np.ndarray) -> Side:
        cluster = None if self.cluster is None else self.cluster[rows]
        return Side(self.score[rows] - self.cutoff, self.d[rows], cluster, self.fuzzy)


@dataclass(frozen=True)
class Jump:
    """A fitted jump.

    Attributes
    ----------
    estimate, se_conventional
        Local linear jump and its standard error.
    corrected, se_robust
        The jump less its estimated bias, and the standard error that counts the bias estimate's own noise.
    h, b
        Bandwidths of the jump and of the bias.
    n_left, n_right
        Rows within ``h`` on each side.
    first_stage, first_stage_se
        Fuzzy: jump of the treatment, with its robust standard error; else 1 and 0.
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
    """Fit a design at its own bandwidths or at given ones.

    Raises
    ------
    EffectError
        If a side is too thin, or nothing varies on either side.
    """
    left, right = design.sides()
    for side, zh, en in ((left, "断点以下", "below"), (right, "断点以上", "above")):
        if len(side.x) < LEAST or len(np.unique(side.x)) < DISTINCT:
            raise EffectError(
                f"{zh}只有 {len(side.x)} 行、{len(np.unique(side.x))} 个取值，至少需 {LEAST} 行、{DISTINCT} 个取值 / "
                f"{len(side.x)} rows with {len(np.unique(side.x))} distinct scores {en} the cutoff; at least {LEAST} with "
                f"{DISTINCT} are needed"
            )
    if all(np.ptp(side.d[:, 0]) == 0 for side in (left, right)):
        raise EffectError(
            "断点两侧结果变量都不变 / the outcome is constant on either side of the cutoff: nothing to estimate"
        )
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
    estimate = tau_y / tau_t
    return Jump(
        estimate=float(estimate),
        se_conventional=spread[0],
        corrected=float(estimate + ahead[1] - ahead[0]),
        se_robust=spread[1],
        h=h,
        b=b,
        n_left=int((np.abs(sides[0].x) < h).sum()),
        n_right=int((np.abs(sides[1].x) < h).sum()),
        first_stage=float(tau_t),
        first_stage_se=_spread(sides, [side.d[:, 1] for side in sides], corrected, (b, 2)) if sides[0].fuzzy else 0.0,
    )


def _spread(sides: Sequence[Side], z: Sequence[np.ndarray], ls: Sequence[np.ndarray], fit: tuple[float, int]) -> float:
    return math.sqrt(sum(variance(side, v, c, fit, fit[1] + 1) for side, v, c in zip(sides, z, ls, strict=True)))
