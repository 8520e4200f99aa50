"""Odds without counting draws: given what the county's enterprises share, they are independent, and odds are products.

For each draw of what is shared (coefficients, common shock, odds of silence, methods' hazards and effects) every enterprise's chance
of ending below its line is a number, the distribution of the target's sum is a convolution, and the odds are the mean over the draws.
A few hundred draws of what is shared tell odds of one in a million that no count of draws would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from lyeval.simulation.engine import Setting
from lyeval.simulation.field import KEEPS, LEAVES, PARTS, Field, Ways

if TYPE_CHECKING:
    from lyeval.simulation.fused import Asked

__all__ = ["conditional_odds"]


def conditional_odds(given: Setting, one: Asked, laid: Field, by: Ways) -> tuple[float, float] | None:
    """Return the odds that a share or count meets its goal in the first projected year, and their standard error.

    Parameters
    ----------
    one
        The target as `fused.ask` puts it.
    laid, by
        The setting as `layout.field` and `layout.ways` lay it out, of as many draws as are to be averaged.

    Returns
    -------
    tuple or None
        None for a mean, a target without a goal, or one that counts nobody.
    """
    view = one.views[0]
    if view is None or one.money or view.goal is None or not one.total[0]:
        return None
    mine = np.flatnonzero(one.weight[0])
    by_land = view.weight == "land" and view.kind == "share"
    if by_land and np.any(by.kind[by.method[mine]][by.method[mine] >= 0] == PARTS):
        return None
    below, away = chances(laid, by, mine, one.need[0, mine].astype(float), view.exited, by_land=by_land)
    met = meeting(one, one.weight[0, mine], below, away)
    return float(met.mean()), float(met.std(ddof=1) / np.sqrt(len(met)))


def chances(
    laid: Field, by: Ways, mine: np.ndarray, need: np.ndarray, exited: str, *, by_land: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Chance of counting as below, and of no longer being counted, at the end of the first year: shape (m, d) each.

    Parameters
    ----------
    mine, need
        Positions of the members, and the log of the tax that each needs, shape (m,).
    exited, by_land
        The target's rule for those who have gone; whether members count by land.
    """
    middle = laid.offset[mine, None] + (laid.first[mine].astype(float) @ laid.coef_first)
    after = by.after[mine]
    middle += np.where(after[:, None] >= 0, by.effect[after] * by.rise[mine, None], 0.0)
    zero = laid.zero_first[laid.cell[mine]] / 2.0**32 if len(laid.zero_first) else np.zeros(len(mine))
    below, away = np.empty(middle.shape), np.zeros(middle.shape)
    for i, at in enumerate(mine):
        method = by.method[at]
        lines = _lines(laid, by, at, need[i] - middle[i]) if method >= 0 else (need[i] - middle[i])[None, :]
        under = _under(laid, at, lines).mean(axis=0)
        below[i] = zero[i] + (1 - zero[i]) * under if len(laid.zero_first) else under
    below *= (laid.floor[mine] < need)[:, None]
    for i in np.flatnonzero(by.method[mine] >= 0):
        kind = by.kind[by.method[mine[i]]]
        if kind not in (KEEPS, PARTS):
            gone = _gone(by, mine[i])
            frees = exited == "drop" or (kind == LEAVES and (exited == "land_stays" or by_land))
            away[i] = gone if frees else 0.0
            below[i] = (1 - gone) * below[i] + (0.0 if frees or exited == "pass" else gone)
    return below, away


def _under(laid: Field, at: int, gap: np.ndarray) -> np.ndarray:
    """Chance that an enterprise's own residual is below a gap of log tax, shape of ``gap``."""
    book, z = laid.book[at], gap / max(float(laid.size[at]), 1e-12)
    start, length = laid.starts[book], laid.lengths[book]
    return np.searchsorted(laid.tables[start : start + length], z, side="left") / length if length else ndtr(z)


def _lines(laid: Field, by: Ways, at: int, gap: np.ndarray) -> np.ndarray:
    """Gaps of log tax over the middles of `POINTS` equal odds of a case's months (and the land it leaves), (points, d)."""
    method = by.method[at]
    wait = -np.log((np.arange(POINTS) + 0.5) / POINTS)[:, None] * by.months[2 * method + by.dated[at]]
    months = by.begin[at] + wait
    force = np.clip((by.ends[0] - months) / 12, 0.0, 1.0)
    effect = by.effect[method] + by.lift[at]
    if by.kind[method] == KEEPS:
        return gap - effect * force
    if by.kind[method] != PARTS:
        return gap[None, :]
    shares = by.shares[method, 16::32] if by.leave[at] < 0 else by.leave[at, None]
    kept = np.log(np.maximum(1 - shares, 1e-6))[:, None, None] * (months <= by.ends[0])
    return (gap - effect * force + kept).reshape(-1, gap.size)


def _gone(by: Ways, at: int) -> np.ndarray:
    """Chance that a case has ended the enterprise by the end of the first year, shape (d,)."""
    time = max(float(by.ends[0] - by.begin[at]), 0.0)
    return -np.expm1(-time / by.months[2 * by.method[at] + by.dated[at]])


def meeting(one: Asked, weight: np.ndarray, below: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Odds of meeting the goal given what is shared, shape (d,); chances as from `chances`.

    What each member adds to (part − goal × whole) is one number if below, another if not, none if no longer counted.
    """
    view = one.views[0]
    if view is None or view.goal is None:
        raise ValueError("no goal")
    goal, share = float(view.goal), view.kind == "share"
    rest, gone = float(one.total[0] - weight.sum()), float(one.below[0])
    part = gone if view.side == "below" else rest - gone
    start = part - goal * (rest if share else 1.0)
    low = 1.0 if view.side == "below" else 0.0
    hit, miss = weight * (low - goal * share), weight * (1 - low - goal * share)
    slack = 1e-9 * max(float(weight.sum()) * abs(goal), 1.0)
    if np.all(weight == weight[0]):
        return _by_number(start, hit[0], miss[0], below, away, view.op, slack)
    if len(weight) > SADDLE:
        under = _saddle(hit, miss, below, away, slack * (1 if view.op == "le" else -1) - start)
        return under if view.op == "le" else 1 - under
    odds, value = _lattice(hit, miss, below, away)
    meets = value + start <= slack if view.op == "le" else value + start >= -slack
    return np.clip(odds[:, meets].sum(axis=1), 0.0, 1.0)


def _by_number(
    start: float, hit: float, miss: float, below: np.ndarray, away: np.ndarray, op: str, slack: float
) -> np.ndarray:
    """Odds of meeting the goal where members weigh alike: from the number below and the number away."""
    under, left = np.arange(len(below) + 1)[:, None], np.arange(int(away.any(axis=1).sum()) + 1)[None, :]
    value = start + hit * under + miss * (len(below) - under - left)
    meets = (value <= slack if op == "le" else value >= -slack) & (under + left <= len(below))
    if not meets.any():
        return np.zeros(below.shape[1])
    most = int(np.flatnonzero(meets.any(axis=1))[-1])
    odds = _tally(below, away, most)
    return np.clip(odds[:, meets[: most + 1]].sum(axis=1), 0.0, 1.0)


def _tally(below: np.ndarray, away: np.ndarray, most: int) -> np.ndarray:
    """Odds of each number below (up to ``most``) and away, (d, most + 1, a + 1), by adding one member after the other."""
    leavers = np.asarray(away.any(axis=1))
    odds = np.zeros((below.shape[1], most + 1, int(leavers.sum()) + 1))
    odds[:, 0, 0] = 1.0
    for b, a, leaves in zip(below[:, :, None, None], away[:, :, None, None], leavers, strict=True):
        more = odds * (1 - b - a)
        more[:, 1:] += odds[:, :-1] * b
        if leaves:
            more[:, :, 1:] += odds[:, :, :-1] * a
        odds = more
    return odds


def _saddle(hit: np.ndarray, miss: np.ndarray, below: np.ndarray, away: np.ndarray, limit: float) -> np.ndarray:
    """Odds that the members' sum is at most ``limit``, shape (d,), by the saddle point (Lugannani and Rice 1980)."""
    scale = float(np.abs(np.concatenate([hit, miss])).max()) or 1.0
    up, down, limit = hit[:, None] / scale, miss[:, None] / scale, limit / scale
    low, high = np.full(below.shape[1], -STEEP), np.full(below.shape[1], STEEP)
    for _ in range(60):
        t = (low + high) / 2
        over = _cumulants(t, up, down, below, away)[1] > limit
        low, high = np.where(over, low, t), np.where(over, t, high)
    t = np.where(np.abs(t) < 1e-5, 1e-5, t)
    value, _, curve = _cumulants(t, up, down, below, away)
    w = np.sign(t) * np.sqrt(np.maximum(2 * (t * limit - value), 1e-14))
    odds = ndtr(w) + np.exp(-(w**2) / 2) / np.sqrt(2 * np.pi) * (1 / w - 1 / (t * np.sqrt(np.maximum(curve, 1e-14))))
    least = float(np.minimum(np.minimum(up, down), 0.0).sum())
    most = float(np.maximum(np.maximum(up, down), 0.0).sum())
    return np.clip(np.where(limit < least, 0.0, np.where(limit >= most, 1.0, odds)), 0.0, 1.0)


def _cumulants(
    t: np.ndarray, up: np.ndarray, down: np.ndarray, below: np.ndarray, away: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cumulant generating function of the members' sum at t, and its first two derivatives, shape (d,) each."""
    high, low = below * np.exp(t * up), (1 - below - away) * np.exp(t * down)
    whole = high + low + away
    mean = (high * up + low * down) / whole
    square = (high * up**2 + low * down**2) / whole
    return np.log(whole).sum(axis=0), mean.sum(axis=0), (square - mean**2).sum(axis=0)


def _lattice(hit: np.ndarray, miss: np.ndarray, below: np.ndarray, away: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Odds of each value of the members' sum on a lattice, shape (d, LATTICE), and the values, from characteristic functions."""
    least = float(np.minimum(np.minimum(hit, miss), 0.0).sum())
    most = float(np.maximum(np.maximum(hit, miss), 0.0).sum())
    step = max((most - least) / (LATTICE - len(hit) - 2), 1e-12)
    turns = -2j * np.pi * np.arange(LATTICE // 2 + 1)[None, :] / LATTICE
    up, down = (np.exp(turns * np.rint(x / step)[:, None]) for x in (hit, miss))
    odds = np.empty((below.shape[1], LATTICE))
    for d in range(below.shape[1]):
        b, a = below[:, d, None], away[:, d, None]
        odds[d] = np.fft.irfft(np.prod(b * up + (1 - b - a) * down + a, axis=0), LATTICE)
    places = np.arange(LATTICE)
    first = int(np.floor(least / step)) - len(hit) // 2 - 1
    return np.maximum(odds, 0.0), step * (first + (places - first) % LATTICE)


POINTS, LATTICE, SADDLE, STEEP = 64, 4096, 80, 60.0
