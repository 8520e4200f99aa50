"""Arrays for the compiled kernel: enterprises, methods and questions as plain numbers, without anything of size cells."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Field(NamedTuple):
    """Enterprises (n), years (t) and draws (d, padded to a multiple of 256) as the kernel takes them.

    Attributes
    ----------
    keys
        64-bit hash of each credit code, uint64 (n,).
    tags
        Year and stream of the words of tax, zero and response, uint32 (t, 3).
    offset, size, book, cell, floor
        First year: log tax that is not drawn, size of the residual, table of residuals, row of the odds of zero (-1: never
        zero), least log tax by the books (-inf: none); float32 or int32 (n,).
    first, coef_first
        First year's regressors, float32 (n, q), and their coefficients with the common shock, float32 (q, d).
    centre, sums, counts
        Log tax where nothing else is known; sum and number of logs of the years known; float32 (n,).
    rest, coef_rest, moving
        Later years' fixed regressors, float32 (n, p); their coefficients, float32 (t - 1, p, d); those of level, gap, silent and
        young, float32 (t - 1, 4, d).
    scale
        Log size of the residual in later years, to base 2: constant, on level, on silence, least, most; float32 (5,).
    zero_first, zero_rest
        Words below these end the year at or below zero: uint32 (rows, d) and (t - 1, 2, d), by silence last year.
    tables, starts, lengths
        Standardised residuals of each table one after the other, float32; place and length of each, int64. Length 0: Normal.
    grid
        Where an enterprise-year's steps of log tax begin, and steps per log point, float32 (n, t, 2).
    """

    keys: np.ndarray
    tags: np.ndarray
    offset: np.ndarray
    size: np.ndarray
    book: np.ndarray
    cell: np.ndarray
    floor: np.ndarray
    first: np.ndarray
    coef_first: np.ndarray
    centre: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    rest: np.ndarray
    coef_rest: np.ndarray
    moving: np.ndarray
    scale: np.ndarray
    zero_first: np.ndarray
    zero_rest: np.ndarray
    tables: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    grid: np.ndarray


class Ways(NamedTuple):
    """Disposal methods (m) and who is under which, for the kernel.

    Attributes
    ----------
    tags
        Year and stream of the words of finishing and of leaving land, uint32 (2,).
    method, dated, begin
        Method of each enterprise's open case (-1: none), whether its start is known, months to the start; (n,).
    leave
        Share of its land that the case takes as planned, float32 (n,); below 0: drawn.
    months
        Mean months to finish, by 2 × method + dated, float32 (2 m, d).
    effect, lift
        Effect on log tax, float32 (m, d); what a better successor adds to an enterprise's case, float32 (n,).
    after, rise
        Method finished in the last known year (-1: none) and the share of its effect still to come, (n,).
    ends
        Months from the date of knowledge to each year's end, float32 (t,).
    kind
        `KEEPS`, `PARTS`, `SHUTS` or `LEAVES`, int32 (m,).
    shares
        Shares of land that leave at equal odds, float32 (m, `SHARES`).
    """

    tags: np.ndarray
    method: np.ndarray
    dated: np.ndarray
    begin: np.ndarray
    leave: np.ndarray
    months: np.ndarray
    effect: np.ndarray
    lift: np.ndarray
    after: np.ndarray
    rise: np.ndarray
    ends: np.ndarray
    kind: np.ndarray
    shares: np.ndarray


class Questions(NamedTuple):
    """What is counted in each year and draw, k questions at once.

    Attributes
    ----------
    need
        Log of the tax (万元) from which an enterprise is not below its line, float32 (k, t, n).
    weight
        What it counts: 1, or its land in `QUANTUM` 亩; int64 (k, t, n), 0 for who is no member.
    land
        Whether weights are land, which a case may take away, boolean (k,).
    rule
        What becomes of who has gone: `DROP`, `FAIL`, `PASS` or `STAYS`, int32 (k,).
    mean
        Count tax in `MONEY` 万元 instead of the weight of those below; ``need`` is then added to log tax. Boolean (k,).
    band, coin
        Those within ``band`` log points (below 0) under the line reach it if their word is below ``coin``; (k,), coin 0: none.
    among
        Draws in which enterprises are counted one by one, uint8 (k, d).
    """

    need: np.ndarray
    weight: np.ndarray
    land: np.ndarray
    rule: np.ndarray
    mean: np.ndarray
    band: np.ndarray
    coin: np.ndarray
    among: np.ndarray


class Counts(NamedTuple):
    """The kernel's answers, whole numbers.

    Attributes
    ----------
    below
        Weight of those below the line, or tax, int64 (k, t, d).
    dropped
        Weight of those no longer counted, int64 (k, t, d).
    hits
        Draws, of those asked for, in which each enterprise pays less than its line on the land it holds; and in which it counts
        as below by the question's rule: int32 (2, k, n, t).
    bins
        Draws in each of `BINS` steps of log tax, the first with all at or below zero, uint32 (n, t, BINS); empty if not asked.
    """

    below: np.ndarray
    dropped: np.ndarray
    hits: np.ndarray
    bins: np.ndarray


KEEPS, PARTS, SHUTS, LEAVES = 0, 1, 2, 3
DROP, FAIL, PASS, STAYS = 0, 1, 2, 3
RULES = {"drop": DROP, "fail": FAIL, "pass": PASS, "land_stays": STAYS}
QUANTUM, MONEY = 1e-4, 1e-4
BINS = 64
