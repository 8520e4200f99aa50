"""The compiled kernel with every disposal method tried on every enterprise, all from one set of shocks."""

# pyright: reportCallIssue=false
# (the stub of numba's njit lacks _nrt)

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import njit

from lyeval.simulation.field import KEEPS, PARTS, Field, Ways
from lyeval.simulation.lanes import FAST, LANES, log, round_keys, unit, words
from lyeval.simulation.rows import (
    HALF,
    MASK,
    MONTHS,
    NONE,
    NOTHING,
    ONE,
    OUT,
    ROW,
    ROWS,
    SHARE_BITS,
    TAX,
    TILE,
    TINY,
    TWELFTH,
    WORDS,
    lined_up,
    scratch,
    settle,
    year,
)  # fmt: skip


def every(field: Field, ways: Ways, need: np.ndarray, *, draws: int, seed: int, threads: int = 1) -> np.ndarray:
    """Count the draws in which each enterprise is still there and below its line, under each method begun at the date.

    Parameters
    ----------
    need
        Log of the tax (万元) from which an enterprise is not below its line, float32 (t, n).
    draws, threads
        As for `kernel.count`.

    Returns
    -------
    numpy.ndarray
        int32, shape (m + 1, n, t): the methods in their order, and no disposal at all.
    """
    hits = np.zeros((len(ways.kind) + 1, len(field.keys), len(field.tags)), np.int32)
    rows = lined_up(field), lined_up(ways), need, round_keys(seed)

    def work(worker: int) -> None:
        _tiles(*rows, (worker, threads, draws), scratch(len(ways.kind)), hits)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))
    return hits


@njit(nogil=True, cache=True, fastmath=FAST, _nrt=False)
def _tiles(f, w, need, k, part, rows, hits) -> None:
    """Go through every ``part[1]``-th tile from ``part[0]`` on, all draws of it."""
    s, u, _ = rows
    n, draws = len(f.keys), part[2]
    for tile in range(part[0] * TILE, n, part[1] * TILE):
        for group in range((draws + LANES - 1) // LANES):
            live = min(LANES, draws - group * LANES)
            for i in range(tile, min(tile + TILE, n)):
                low, high = np.uint32(f.keys[i] & MASK), np.uint32(f.keys[i] >> HALF)
                _waits(w, group, low, high, k, s, u)
                for t in range(len(f.tags)):
                    year(f, i, t, group, low, high, k, s, u)
                    settle(f, i, t, s)
                    floor = f.floor[i] if t == 0 else NOTHING
                    for j in range(live, LANES):  # draws beyond those asked for are never below
                        s[OUT + j] = s[TAX + j] = HUGE
                    for m in range(len(w.kind)):
                        hits[m, i, t] += _under(w, m, t, group, need[t, i], floor, s)
                    hits[len(w.kind), i, t] += _low(need[t, i], s)


@njit(inline="always")
def _waits(w, group, low, high, k, s, u) -> None:
    """Draw the wait to the end of a case (in means, as years), and the land that each parting method leaves."""
    words(u[WORDS : WORDS + LANES], group, w.tags[0], low, high, k)
    for j in range(LANES):
        s[MONTHS + j] = -TWELFTH * log(unit(u[WORDS + j]))
    words(u[WORDS : WORDS + LANES], group, w.tags[1], low, high, k)
    for m in range(len(w.kind)):
        if w.kind[m] == PARTS:
            at = LAND + m * ROW
            for j in range(LANES):
                s[at + j] = log(max(ONE - w.shares[m, np.int64(u[WORDS + j] >> SHARE_BITS)], TINY))


@njit(inline="always")
def _under(w, m, t, group, need, floor, s) -> np.int32:
    """Count the draws in which an enterprise is still there and below its line by the end of a year under a method."""
    end, total = w.ends[t] * TWELFTH, np.int32(0)
    mean, effect = w.months[group, 2 * m + 1], w.effect[group, m]
    if w.kind[m] == KEEPS:
        for j in range(LANES):
            force = min(max(end - s[MONTHS + j] * mean[j], NONE), ONE)
            total += np.int32(max(s[OUT + j] + effect[j] * force, floor) < need)
    elif w.kind[m] == PARTS:
        at = LAND + m * ROW
        for j in range(LANES):
            months = s[MONTHS + j] * mean[j]
            shift = effect[j] * min(max(end - months, NONE), ONE)
            line = need + (s[at + j] if months <= end else NONE)
            total += np.int32(max(s[OUT + j] + shift, floor) < line)
    else:
        for j in range(LANES):
            below = s[TAX + j] < need and s[MONTHS + j] * mean[j] > end
            total += np.int32(below)
    return total


@njit(inline="always")
def _low(need, s) -> np.int32:
    """Count the draws in which an enterprise is below its line without any disposal."""
    total = np.int32(0)
    for j in range(LANES):
        total += np.int32(s[TAX + j] < need)
    return total


LAND = ROWS * ROW
HUGE = np.float32(1e30)
