"""One enterprise's year over 256 draws, compiled: rows of log tax without disposals, and who is at or below zero."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float32, njit

from lyeval.simulation.field import BINS
from lyeval.simulation.lanes import LANES, exp2, normals, words


@njit(inline="always")
def year(f, i, t, group, low, high, k, s, u) -> None:
    """Draw a year's log tax without disposals into row TAX, and who is at or below zero into row ZERO."""
    book = f.book[i] if t == 0 else ANNUAL
    if f.lengths[book]:
        words(u[WORDS : WORDS + LANES], group, f.tags[t, 0], low, high, k)
        start, length = f.starts[book], np.uint64(f.lengths[book])
        for j in range(LANES):
            at = (np.uint64(2) * np.uint64(u[WORDS + j]) + np.uint64(1)) * length >> np.uint64(33)
            s[OWN + j] = f.tables[start + np.int64(at)]
    else:
        normals(s[OWN : OWN + LANES], group, f.tags[t, 0], low, high, k)
    if t == 0:
        _first(f, i, group, s)
    elif f.zero_first.shape[1]:
        _next(f, i, t, group, s)
    else:
        _next_paid(f, i, t, group, s)
    if f.zero_first.shape[1]:
        words(u[WORDS : WORDS + LANES], group, f.tags[t, 1], low, high, k)
        _zero(f, i, t, group, s, u)


@njit(inline="always")
def _first(f, i, group, s) -> None:
    """Lay out the first year: every regressor is known."""
    offset, size, total, number = f.offset[i], f.size[i], f.sums[i], f.counts[i]
    for j in range(LANES):
        s[TAX + j] = offset + size * s[OWN + j]
        s[SUM + j] = total
        s[NUMBER + j] = number
        s[ZERO + j] = NONE
    for c in range(f.first.shape[1]):
        x, coef = f.first[i, c], f.coef_first[group, c]
        if x != NONE:
            for j in range(LANES):
                s[TAX + j] += x * coef[j]


@njit(inline="always")
def _next(f, i, t, group, s) -> None:
    """Go on by a year from rows TAX and ZERO, with the mean log of the years before; the first fixed regressor is 1."""
    centre, m = f.centre[i], t - 1
    constant, on_level = f.coef_rest[group, m, 0], f.moving[group, m, 0]
    on_gap, on_silence = f.moving[group, m, 1], f.moving[group, m, 2]
    on_youth = f.moving[group, m, 3]
    for j in range(LANES):
        silent, young, zero = s[ZERO + j] > NONE, s[NUMBER + j] < HALVE, s[ZERO + j]
        mean, last = s[SUM + j] / max(s[NUMBER + j], ONE), s[TAX + j]
        level = (centre if young else mean) if silent else last
        gap = NONE if silent or young else mean - level
        size = exp2(min(max(f.scale[0] + f.scale[1] * level + f.scale[2] * zero, f.scale[3]), f.scale[4]))
        drawn = constant[j] + on_level[j] * level + on_gap[j] * gap + size * s[OWN + j]
        s[TAX + j] = drawn + on_silence[j] * zero + (on_youth[j] if young else NONE)
        s[SUM + j] += NONE if silent else last
        s[NUMBER + j] += ONE - zero
    _add(f, i, m, group, s)


@njit(inline="always")
def _next_paid(f, i, t, group, s) -> None:
    """Go on by a year as `_next` does, where no year ends at or below zero."""
    m, number = t - 1, f.counts[i] + float32(t - 1)
    constant, on_level = f.coef_rest[group, m, 0], f.moving[group, m, 0]
    on_gap, on_youth = f.moving[group, m, 1], f.moving[group, m, 3]
    each = NONE if number < HALVE else ONE / number
    if number < HALVE:
        for j in range(LANES):
            last = s[TAX + j]
            size = exp2(min(max(f.scale[0] + f.scale[1] * last, f.scale[3]), f.scale[4]))
            s[TAX + j] = constant[j] + on_level[j] * last + size * s[OWN + j] + on_youth[j]
            s[SUM + j] += last
    else:
        for j in range(LANES):
            last = s[TAX + j]
            size = exp2(min(max(f.scale[0] + f.scale[1] * last, f.scale[3]), f.scale[4]))
            s[TAX + j] = constant[j] + on_level[j] * last + on_gap[j] * (s[SUM + j] * each - last) + size * s[OWN + j]
            s[SUM + j] += last
    _add(f, i, m, group, s)


@njit(inline="always")
def _add(f, i, m, group, s) -> None:
    """Add the fixed regressors but the first."""
    for c in range(1, f.rest.shape[1]):
        x, coef = f.rest[i, c], f.coef_rest[group, m, c]
        if x != NONE:
            for j in range(LANES):
                s[TAX + j] += x * coef[j]


@njit(inline="always")
def _zero(f, i, t, group, s, u) -> None:
    """Tell from the words who ends the year at or below zero."""
    if t == 0:
        if f.cell[i] >= 0:
            limits = f.zero_first[group, f.cell[i]]
            for j in range(LANES):
                s[ZERO + j] = ONE if u[WORDS + j] < limits[j] else NONE
    else:
        paid, silent = f.zero_rest[group, t - 1, 0], f.zero_rest[group, t - 1, 1]
        for j in range(LANES):
            limit = silent[j] if s[ZERO + j] > NONE else paid[j]
            s[ZERO + j] = ONE if u[WORDS + j] < limit else NONE


@njit(inline="always")
def settle(f, i, t, s) -> None:
    """Hold the year to the books: row OUT is log tax, `NOTHING` at or below zero; row TAX is no less than the books'."""
    floor = f.floor[i] if t == 0 else NOTHING
    if f.zero_first.shape[1] or floor > NOTHING:
        for j in range(LANES):
            drawn = NOTHING if s[ZERO + j] > NONE else s[TAX + j]
            s[OUT + j] = drawn
            s[TAX + j] = max(drawn, floor)
            s[ZERO + j] = ONE if max(drawn, floor) <= NOTHING else NONE
    else:
        for j in range(LANES):
            s[OUT + j] = s[TAX + j]


def empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return zeros that begin on a cache line: rows that straddle two are read at half the speed."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + LINE, np.uint8)
    start = -raw.ctypes.data % LINE
    return raw[start : start + size].view(dtype).reshape(shape)


def lined_up(arrays: Any) -> Any:
    """Return the arrays in C order, those of draws by groups of 256: (..., d) becomes (d / 256, ..., 256).

    Rows a whole number of pages apart would push one another out of the cache; a group's rows stand together, each on a line.
    """
    lined = {}
    for name in arrays._fields:
        array = np.ascontiguousarray(getattr(arrays, name))
        if name in DRAWN:
            groups = array.shape[-1] // LANES
            lined[name] = empty((groups, *array.shape[:-1], LANES), array.dtype)
            lined[name][...] = np.moveaxis(array.reshape(*array.shape[:-1], groups, LANES), -2, 0)
        else:
            lined[name] = array
    return arrays._replace(**lined)


def scratch(more: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows that a worker draws in: floats (with ``more`` rows for methods), words and tallies."""
    return empty(((ROWS + more) * ROW,), np.float32), empty((2 * LANES,), np.uint32), empty((4 * BINS,), np.int32)


TILE, ANNUAL = 128, 0
LINE, ROWS, ROW = 64, 8, LANES + 16
DRAWN = ("coef_first", "coef_rest", "moving", "zero_first", "zero_rest", "months", "effect", "among")
TAX, OWN, SUM, NUMBER, ZERO, MONTHS, STAYING, OUT = (row * ROW for row in range(ROWS))
WORDS, COINS = 0, LANES
NONE, ONE, HALVE, TWELFTH, TINY, NOTHING = (float32(v) for v in (0.0, 1.0, 0.5, 1 / 12, 1e-6, -1e30))
MASK, HALF, SHARE_BITS = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint32(22)
