"""One enterprise's year over 256 draws, compiled: rows of log tax without disposals, and who is at or below zero."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import float32, njit

from lyeval.simulation.field import BINS
from lyeval.simulation.lanes import LANES, exp, normals, words


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
    elif len(f.zero_first):
        _next(f, i, t, group, s)
    else:
        _next_paid(f, i, t, group, s)
    if len(f.zero_first):
        words(u[WORDS : WORDS + LANES], group, f.tags[t, 1], low, high, k)
        _zero(f, i, t, group, s, u)


@njit(inline="always")
def _first(f, i, group, s) -> None:
    """Lay out the first year: every regressor is known."""
    base, offset, size, total, number = group * LANES, f.offset[i], f.size[i], f.sums[i], f.counts[i]
    for j in range(LANES):
        s[TAX + j] = offset + size * s[OWN + j]
        s[SUM + j] = total
        s[NUMBER + j] = number
        s[ZERO + j] = NONE
    for c in range(f.first.shape[1]):
        x, coef = f.first[i, c], f.coef_first[c, base : base + LANES]
        if x != NONE:
            for j in range(LANES):
                s[TAX + j] += x * coef[j]


@njit(inline="always")
def _next(f, i, t, group, s) -> None:
    """Go on by a year from rows TAX and ZERO, with the mean log of the years before; the first fixed regressor is 1."""
    base, centre, m = group * LANES, f.centre[i], t - 1
    constant, on_level = f.coef_rest[m, 0, base : base + LANES], f.moving[m, 0, base : base + LANES]
    on_gap, on_silence = f.moving[m, 1, base : base + LANES], f.moving[m, 2, base : base + LANES]
    on_youth = f.moving[m, 3, base : base + LANES]
    for j in range(LANES):
        silent, young, zero = s[ZERO + j] > NONE, s[NUMBER + j] < HALVE, s[ZERO + j]
        mean, last = s[SUM + j] / max(s[NUMBER + j], ONE), s[TAX + j]
        level = (centre if young else mean) if silent else last
        gap = NONE if silent or young else mean - level
        size = exp(min(max(f.scale[0] + f.scale[1] * level + f.scale[2] * zero, f.scale[3]), f.scale[4]))
        drawn = constant[j] + on_level[j] * level + on_gap[j] * gap + size * s[OWN + j]
        s[TAX + j] = drawn + on_silence[j] * zero + (on_youth[j] if young else NONE)
        s[SUM + j] += NONE if silent else last
        s[NUMBER + j] += ONE - zero
    _add(f, i, m, base, s)


@njit(inline="always")
def _next_paid(f, i, t, group, s) -> None:
    """Go on by a year as `_next` does, where no year ends at or below zero."""
    base, m, number = group * LANES, t - 1, f.counts[i] + float32(t - 1)
    constant, on_level = f.coef_rest[m, 0, base : base + LANES], f.moving[m, 0, base : base + LANES]
    on_gap, on_youth = f.moving[m, 1, base : base + LANES], f.moving[m, 3, base : base + LANES]
    young, each = (ONE, NONE) if number < HALVE else (NONE, ONE / number)
    for j in range(LANES):
        last = s[TAX + j]
        gap = (s[SUM + j] * each - last) * (ONE - young)
        size = exp(min(max(f.scale[0] + f.scale[1] * last, f.scale[3]), f.scale[4]))
        s[TAX + j] = constant[j] + on_level[j] * last + on_gap[j] * gap + size * s[OWN + j] + on_youth[j] * young
        s[SUM + j] += last
    _add(f, i, m, base, s)


@njit(inline="always")
def _add(f, i, m, base, s) -> None:
    """Add the fixed regressors but the first."""
    for c in range(1, f.rest.shape[1]):
        x, coef = f.rest[i, c], f.coef_rest[m, c, base : base + LANES]
        if x != NONE:
            for j in range(LANES):
                s[TAX + j] += x * coef[j]


@njit(inline="always")
def _zero(f, i, t, group, s, u) -> None:
    """Tell from the words who ends the year at or below zero."""
    base = group * LANES
    if t == 0:
        if f.cell[i] >= 0:
            limits = f.zero_first[f.cell[i], base : base + LANES]
            for j in range(LANES):
                s[ZERO + j] = ONE if u[WORDS + j] < limits[j] else NONE
    else:
        paid, silent = f.zero_rest[t - 1, 0, base : base + LANES], f.zero_rest[t - 1, 1, base : base + LANES]
        for j in range(LANES):
            limit = silent[j] if s[ZERO + j] > NONE else paid[j]
            s[ZERO + j] = ONE if u[WORDS + j] < limit else NONE


@njit(inline="always")
def settle(f, i, t, s) -> None:
    """Hold the year to the books: row OUT is log tax, `NOTHING` at or below zero; row TAX is no less than the books'."""
    floor = f.floor[i] if t == 0 else NOTHING
    if len(f.zero_first) or floor > NOTHING:
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
    """Return the arrays with every row of draws beginning on a cache line, all of them in C order."""
    lined = {}
    for name in arrays._fields:
        array = np.ascontiguousarray(getattr(arrays, name))
        if array.ndim > 1 and array.shape[-1] % LANES == 0 and array.ctypes.data % LINE:
            rows = empty(array.shape, array.dtype)
            rows[...] = array
            array = rows
        lined[name] = array
    return arrays._replace(**lined)


def scratch(more: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows that a worker draws in: floats (with ``more`` rows for methods), words and tallies."""
    return empty(((ROWS + more) * ROW,), np.float32), empty((2 * LANES,), np.uint32), empty((4 * BINS,), np.int32)


TILE, ANNUAL = 128, 0
LINE, ROWS, ROW = 64, 8, LANES + 16  # rows a whole number of pages apart would wait for each other
TAX, OWN, SUM, NUMBER, ZERO, MONTHS, STAYING, OUT = (row * ROW for row in range(ROWS))
WORDS, COINS = 0, LANES
NONE, ONE, HALVE, TWELFTH, TINY, NOTHING = (float32(v) for v in (0.0, 1.0, 0.5, 1 / 12, 1e-6, -1e30))
MASK, HALF, SHARE_BITS = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint32(22)
