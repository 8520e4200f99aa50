"""The excess of counts at a line over a smooth curve: binning, the curve, the integration correction, draws."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lyeval.effect.result import EffectError

DRAWS = 400
ROUNDS = 60
STEPS = 50
RIDGE = 1e-6
LEAST = 100


@dataclass(frozen=True)
class Bins:
    """How scores are counted around a line.

    Attributes
    ----------
    width
        Of a bin, in the score's unit; None: a twentieth of the line.
    reach
        Bins counted on each side of the line.
    below, above
        Bins next to the line that the smooth curve does not see: those that units leave, and those they move to.
    degree
        Of the polynomial.
    seed
        Of the bootstrap.
    log
        Whether the polynomial is of the log count, fitted by Poisson's likelihood, so that no count is below zero and thin
        tails are followed; else of the count itself by least squares, as in the source (degree 7 there).
    """

    width: float | None = None
    reach: int = 15
    below: int = 4
    above: int = 2
    degree: int = 5
    seed: int = 0
    log: bool = True


@dataclass(frozen=True, eq=False)
class Bunch:
    """Excess at one line: in units of one bin's smooth count, as a number of units, and what is missing below.

    Attributes
    ----------
    estimate, draws
        Excess over the mean smooth count of the bins above the line, and its bootstrap draws, shape (draws,).
    excess, missing
        Numbers of units.
    counts
        Frame: from_, observed, smooth, part (below, above, or empty where the curve was fitted).
    n
        Units counted.
    """

    estimate: float
    draws: np.ndarray
    excess: float
    missing: float
    balance: float
    balance_se: float
    counts: pd.DataFrame
    n: int

    @property
    def std_error(self) -> float:
        """Standard deviation of the draws."""
        return float(np.std(self.draws, ddof=1))


Again = Callable[[np.ndarray, int], np.ndarray]
"""How counts are drawn again: from the bin of every row (−1 outside) and the number of bins to shape (draws, bins)."""


def rows_again(seed: int) -> Again:
    """Draw rows anew, each for itself."""

    def draw(place: np.ndarray, bins: int) -> np.ndarray:
        counts = np.bincount(place[place >= 0], minlength=bins)
        n = int(counts.sum())
        return np.random.default_rng(seed).multinomial(n, counts / n, size=DRAWS).astype(float)

    return draw


def units_again(codes: np.ndarray, weights: np.ndarray) -> Again:
    """Take units with all their rows as often as drawn: codes of shape (rows,), weights of shape (draws, units)."""

    def draw(place: np.ndarray, bins: int) -> np.ndarray:
        inside = place >= 0
        return np.array([np.bincount(place[inside], weights=w[codes[inside]], minlength=bins) for w in weights])

    return draw


def bunch(x: np.ndarray, line: float, plan: Bins, others: Sequence[float] = (), again: Again | None = None) -> Bunch:
    """Measure the excess at one line; the windows of others are kept out of the fit. Without ``again`` nothing is drawn.

    Raises
    ------
    EffectError
        If too few units or bins are left.
    """
    place = _placed(x, line, plan)
    counts = np.bincount(place[place >= 0], minlength=2 * plan.reach).astype(float)
    centre = np.arange(-plan.reach, plan.reach) + 0.5
    part = np.where((centre < 0) & (centre > -plan.below), -1, np.where((centre > 0) & (centre < plan.above), 1, 0))
    used = (part == 0) & ~_elsewhere(centre, [(other - line) / (plan.width or 1.0) for other in others], plan)
    if used.sum() < 2 * (plan.degree + 1):
        raise EffectError("可用于拟合的格数太少，请改 bins / too few bins are left to fit the curve: change bins")
    curve = Curve(np.polynomial.legendre.legvander(centre / plan.reach, plan.degree), used, plan.log)
    value, smooth, plain = _excess(counts[None, :], curve, part)
    n = counts.sum()
    draws, moved = np.empty(0), np.array([math.nan])
    if again is not None:
        draws, _, moved = _excess(again(place, len(counts)), curve, part)
    table = pd.DataFrame(
        {
            "from_": line + (centre - 0.5) * (plan.width or 1.0),
            "observed": counts,
            "smooth": smooth[0],
            "part": np.array(["below", "", "above"])[part + 1],
        }
    )
    return Bunch(
        estimate=float(value[0]),
        draws=draws,
        excess=float((counts - smooth[0])[part == 1].sum()),
        missing=float((smooth[0] - counts)[part == -1].sum()),
        balance=float(plain[0]),
        balance_se=float(np.std(moved, ddof=1)) if len(moved) > 1 else math.nan,
        counts=table,
        n=int(n),
    )


def _placed(x: np.ndarray, line: float, plan: Bins) -> np.ndarray:
    """Return each row's bin, −1 outside; a score on an edge to nine digits of a bin counts above it."""
    width = plan.width or 1.0
    place = np.floor(np.round((x - line) / width, 9)) + plan.reach
    inside = (place >= 0) & (place < 2 * plan.reach)
    if inside.sum() < LEAST:
        raise EffectError(
            f"{line:g} 上下 {plan.reach * width:g} 以内只有 {int(inside.sum())} 个，至少需 {LEAST} / "
            f"{int(inside.sum())} units within {plan.reach * width:g} of {line:g}; {LEAST} are needed"
        )
    return np.where(inside, place, -1).astype(int)


def _elsewhere(centre: np.ndarray, others: Sequence[float], plan: Bins) -> np.ndarray:
    """Return the bins in the windows of other lines, given in bins from this one."""
    out = np.zeros(len(centre), dtype=bool)
    for other in others:
        out |= (centre - other > -plan.below) & (centre - other < plan.above)
    return out


@dataclass(frozen=True, eq=False)
class Curve:
    """A smooth curve through the bins used: basis of shape (bins, k), which bins, and whether of log counts."""

    basis: np.ndarray
    used: np.ndarray
    log: bool

    def fit(self, counts: np.ndarray, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return smooth counts of all bins and coefficients, shapes (draws, bins) and (draws, k)."""
        x, y = self.basis[self.used], counts[:, self.used]
        if not self.log:
            beta = y @ np.linalg.pinv(x).T
            return beta @ self.basis.T, beta
        beta = np.log(y + 0.5) @ np.linalg.pinv(x).T if start is None else start
        k = x.shape[1]
        squares = (x[:, :, None] * x[:, None, :]).reshape(len(x), k * k)
        for _ in range(STEPS):
            mean = np.exp(np.clip(beta @ x.T, -20, 20))
            gram = (mean @ squares).reshape(-1, k, k) + RIDGE * np.eye(k)
            step = np.linalg.solve(gram, ((y - mean) @ x - RIDGE * beta)[:, :, None])[:, :, 0]
            beta = beta + np.clip(step, -2, 2)
            if np.abs(step).max() < 1e-9:
                break
        return np.exp(np.clip(beta @ self.basis.T, -20, 20)), beta


def _excess(counts: np.ndarray, curve: Curve, part: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return b and the smooth counts after the integration correction, and the net excess before it.

    Shapes (draws,), (draws, bins), (draws,).
    """
    donors = curve.used & (np.arange(len(part)) < int(np.argmax(part != 0)))
    total = np.maximum(counts[:, donors].sum(axis=1), 1.0)
    smooth, beta = curve.fit(counts)
    plain = _net(counts, smooth, part)
    given = np.zeros(len(counts))
    for _ in range(ROUNDS):
        owed = np.clip(_net(counts, smooth, part), 0.0, total)
        if np.abs(owed - given).max() < 1e-7 * total.max():
            break
        given = owed
        smooth, beta = curve.fit(counts * (1 + np.outer(given / total, donors)), beta)
    above = part == 1
    height = np.maximum(smooth[:, above].mean(axis=1), 1e-9)
    return (counts - smooth)[:, above].sum(axis=1) / height, smooth, plain


def _net(counts: np.ndarray, smooth: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Return excess above less missing below, shape (draws,)."""
    return (counts - smooth)[:, part != 0].sum(axis=1)
