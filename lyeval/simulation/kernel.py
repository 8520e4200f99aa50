"""The compiled kernel: years of tax, disposals and targets drawn and counted in one pass; nothing of size cells is stored.

A tile of 128 enterprises goes through 256 draws at a time. Each step is a short loop over rows of one scratch array, branches
stand outside these loops, and what comes out are sums of whole numbers: the result is the same to the last bit for any number of
threads, any order or choice of enterprises, and the first draws of a longer run are those of a shorter one.
"""

# pyright: reportCallIssue=false
# (the stub of numba's njit lacks _nrt)

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numba import float32, njit

from lyeval.simulation.field import BINS, DROP, KEEPS, LEAVES, PARTS, PASS, SHUTS, STAYS, Counts, Field, Questions, Ways
from lyeval.simulation.lanes import FAST, LANES, LOG2E, exp2, log, round_keys, unit, words
from lyeval.simulation.rows import (
    COINS,
    HALF,
    HALVE,
    MASK,
    MONTHS,
    NONE,
    NOTHING,
    ONE,
    OUT,
    SHARE_BITS,
    STAYING,
    TAX,
    TILE,
    TINY,
    TWELFTH,
    WORDS,
    empty,
    lined_up,
    scratch,
    settle,
    year,
)  # fmt: skip


def count(
    field: Field, ways: Ways, questions: Questions, *, draws: int, seed: int, threads: int = 1, spread: bool = False
) -> Counts:
    """Draw every enterprise's years and count what is asked.

    Parameters
    ----------
    draws
        Number of draws; at most those that ``field`` is laid out for.
    threads
        Workers that share the enterprises; the result does not depend on it.
    spread
        Also count draws by steps of log tax (``bins``).
    """
    (n, t), k = (len(field.keys), len(field.tags)), len(questions.rule)
    shape = (-(-draws // LANES), 2, k, t, LANES)
    hits, bins = np.zeros((2, k, n, t), np.int32), np.zeros((n if spread else 0, t, BINS), np.uint32)
    rows = lined_up(field), lined_up(ways), lined_up(questions), round_keys(seed)

    def work(worker: int) -> np.ndarray:
        sums = empty(shape, np.int64)
        _tiles(*rows, (worker, threads, draws), scratch(), sums, hits, bins)
        return sums

    if threads == 1:
        total = work(0)
    else:
        with ThreadPoolExecutor(threads) as pool:
            total = np.asarray(sum(pool.map(work, range(threads))))
    below, dropped = np.moveaxis(total, 0, 3).reshape(2, k, t, -1)[..., :draws]
    return Counts(below, dropped, hits, bins)


@njit(nogil=True, cache=True, fastmath=FAST, _nrt=False)
def _tiles(f, w, q, k, part, own, sums, hits, bins) -> None:
    """Go through every ``part[1]``-th tile from ``part[0]`` on, all draws of it."""
    s, u, sub = own
    n, draws = len(f.keys), part[2]
    for tile in range(part[0] * TILE, n, part[1] * TILE):
        for group in range((draws + LANES - 1) // LANES):
            live = min(LANES, draws - group * LANES)
            for i in range(tile, min(tile + TILE, n)):
                low, high = np.uint32(f.keys[i] & MASK), np.uint32(f.keys[i] >> HALF)
                if w.method[i] >= 0:
                    _months(w, i, group, low, high, k, s, u)
                for t in range(len(f.tags)):
                    year(f, i, t, group, low, high, k, s, u)
                    out = _outcome(f, w, i, t, group, s)
                    _answers(f, w, q, i, t, group, low, high, k, out, s, u, sums, hits)
                    if len(bins):
                        _steps(f, w, i, t, live, out, s, u, sub, bins)


@njit(inline="always")
def _months(w, i, group, low, high, k, s, u) -> None:
    """Draw the months to the end of an enterprise's case, and the share of its land that stays."""
    method = w.method[i]
    words(u[WORDS : WORDS + LANES], group, w.tags[0], low, high, k)
    mean, begin = w.months[group, 2 * method + w.dated[i]], w.begin[i]
    for j in range(LANES):
        s[MONTHS + j] = begin - log(unit(u[WORDS + j])) * mean[j]
        s[STAYING + j] = ONE if w.kind[method] != LEAVES else NONE
    if w.kind[method] != PARTS:
        return
    words(u[WORDS : WORDS + LANES], group, w.tags[1], low, high, k)
    for j in range(LANES):
        drawn = w.shares[method, np.int64(u[WORDS + j] >> SHARE_BITS)]
        s[STAYING + j] = ONE - (w.leave[i] if w.leave[i] >= 0 else drawn)


@njit(inline="always")
def _outcome(f, w, i, t, group, s) -> Any:
    """Put the books and disposals on top of the year.

    Returns the row of log tax as it comes out, `NOTHING` at or below zero; row TAX stays without disposals.
    """
    floor = f.floor[i] if t == 0 else NOTHING
    method, after = w.method[i], w.after[i]
    if method < 0 and after < 0 and floor <= NOTHING and not f.zero_first.shape[1]:
        return s[TAX : TAX + LANES]
    settle(f, i, t, s)
    if after >= 0:
        rise, effect = w.rise[i], w.effect[group, after]
        for j in range(LANES):
            s[OUT + j] += effect[j] * rise
    if method >= 0 and w.kind[method] < SHUTS:
        _effect(w, i, t, group, s)
    if floor > NOTHING:
        for j in range(LANES):
            s[OUT + j] = max(s[OUT + j], floor)
    if method >= 0 and w.kind[method] >= SHUTS:
        _end(w, i, t, s)
    return s[OUT : OUT + LANES]


@njit(inline="always")
def _effect(w, i, t, group, s) -> None:
    """Add the effect of a case that keeps the enterprise, for the part of the year that it is in force."""
    method, end = w.method[i], w.ends[t]
    effect, raised = w.effect[group, method], w.lift[i]
    for j in range(LANES):
        s[OUT + j] += (effect[j] + raised) * min(max((end - s[MONTHS + j]) * TWELFTH, NONE), ONE)


@njit(inline="always")
def _end(w, i, t, s) -> None:
    """Take off the tax of the part of the year after a case has ended the enterprise."""
    end = w.ends[t]
    for j in range(LANES):
        left = ONE - min(max((end - s[MONTHS + j]) * TWELFTH, NONE), ONE)
        s[OUT + j] = s[OUT + j] + log(max(left, TINY)) if left > NONE else NOTHING


@njit(inline="always")
def _answers(f, w, q, i, t, group, low, high, k, x, s, u, sums, hits) -> None:
    """Answer every question about one enterprise's year, of which row ``x`` is the log tax."""
    asked = False
    for a in range(len(q.rule)):
        if q.coin[a] and q.weight[a, t, i]:
            asked = True
    if asked:
        words(u[COINS : COINS + LANES], group, f.tags[t, 2], low, high, k)
    moves = w.method[i] >= 0 and w.kind[w.method[i]] != KEEPS
    for a in range(len(q.rule)):
        if not q.weight[a, t, i]:
            continue
        if q.mean[a]:
            _money(w, q, a, i, t, group, moves, x, s, sums)
        elif moves:
            _moved(w, q, a, i, t, group, x, s, u, sums, hits)
        else:
            _plain(q, a, i, t, group, x, u, sums, hits)


@njit(inline="always")
def _plain(q, a, i, t, group, x, u, sums, hits) -> None:
    """Count an enterprise that neither leaves nor gives up land."""
    need, weight, total = q.need[a, t, i], q.weight[a, t, i], np.int32(0)
    into, among = sums[group, 0, a, t], q.among[group, a]
    if q.coin[a]:
        edge, coin = need + q.band[a], q.coin[a]
        for j in range(LANES):
            below = x[j] < need and not (x[j] >= edge and u[COINS + j] < coin)
            into[j] += weight if below else 0
            total += np.int32(among[j] if below else 0)
    else:
        for j in range(LANES):
            below = x[j] < need
            into[j] += weight if below else 0
            total += np.int32(among[j] if below else 0)
    hits[0, a, i, t] += total
    hits[1, a, i, t] += total


@njit(inline="always")
def _moved(w, q, a, i, t, group, x, s, u, sums, hits) -> None:
    """Count an enterprise whose case closes it or takes land away, by the question's rule for those who have gone."""
    need, weight = q.need[a, t, i], q.weight[a, t, i]
    kind, rule, end, among = w.kind[w.method[i]], q.rule[a], w.ends[t], q.among[group, a]
    frees = kind != PARTS and (rule == DROP or (rule == STAYS and kind == LEAVES))
    into, out = sums[group, 0, a, t], sums[group, 1, a, t]
    poor, counted = np.int32(0), np.int32(0)
    for j in range(LANES):
        done = s[MONTHS + j] <= end
        kept = s[STAYING + j] if done else ONE
        line = need + (log(max(kept, TINY)) if kind == PARTS else NONE)
        below = x[j] < line and not (x[j] >= line + q.band[a] and u[COINS + j] < q.coin[a])
        held = np.int64(np.float64(weight) * kept + 0.5) if q.land[a] else weight
        held = 0 if done and frees else held
        poor += np.int32(among[j] if below or (done and kind == LEAVES) else 0)
        below = rule != PASS if done and kind != PARTS else below
        into[j] += held if below else 0
        out[j] += weight - held
        counted += np.int32(among[j] if below and not (done and frees) else 0)
    hits[0, a, i, t] += poor
    hits[1, a, i, t] += counted


@njit(inline="always")
def _money(w, q, a, i, t, group, moves, x, s, sums) -> None:
    """Add an enterprise's tax and, where land leaves or it is no longer counted, the land."""
    weight, need, rule = q.weight[a, t, i], q.need[a, t, i], q.rule[a]
    kind, end = w.kind[w.method[i]] if moves else KEEPS, w.ends[t]
    frees = kind >= SHUTS and (rule == DROP or (rule == STAYS and kind == LEAVES))
    ends = frees or (kind >= SHUTS and rule == STAYS)
    into, out = sums[group, 0, a, t], sums[group, 1, a, t]
    for j in range(LANES):
        tax = MONEYS * exp2(max((x[j] + need) * LOG2E, LOWEST)) if x[j] > NOTHING else NONE
        done = moves and s[MONTHS + j] <= end
        kept = (NONE if frees else s[STAYING + j]) if done else ONE
        into[j] += np.int64((NONE if done and ends else tax) + HALVE)
        out[j] += weight - np.int64(np.float64(weight) * kept + 0.5)


@njit(inline="always")
def _steps(f, w, i, t, live, x, s, u, sub, bins) -> None:
    """Count the draws of an enterprise's year by steps of log tax on the land it held, four tallies in turn."""
    start, per = f.grid[i, t, 0], f.grid[i, t, 1]
    kind, end = w.kind[w.method[i]] if w.method[i] >= 0 else KEEPS, w.ends[t]
    for j in range(LANES):
        u[COINS + j] = np.uint32(np.int32(min(max((x[j] - start) * per + ONE, NONE), TOP)))
    if kind in (PARTS, LEAVES):
        for j in range(LANES):
            kept = s[STAYING + j] if s[MONTHS + j] <= end else ONE
            step = min(max((x[j] - log(max(kept, TINY)) - start) * per + ONE, NONE), TOP)
            u[COINS + j] = np.uint32(np.int32(step if kept > NONE else NONE))
    for b in range(4 * BINS):
        sub[b] = 0
    for j in range(live // 4):
        sub[u[COINS + 4 * j]] += 1
        sub[BINS + u[COINS + 4 * j + 1]] += 1
        sub[2 * BINS + u[COINS + 4 * j + 2]] += 1
        sub[3 * BINS + u[COINS + 4 * j + 3]] += 1
    for j in range(live - live % 4, live):
        sub[u[COINS + j]] += 1
    for b in range(BINS):
        bins[i, t, b] += np.uint32(sub[b] + sub[BINS + b] + sub[2 * BINS + b] + sub[3 * BINS + b])


LOWEST, TOP, MONEYS = (float32(v) for v in (-60.0, BINS - 1, 1e4))
