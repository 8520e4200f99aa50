"""Intervals of shares, for readers who take a census as drawn from something larger (超总体读法)."""

from __future__ import annotations

import math

Z_95 = 1.959963984540054


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of part / whole; NaN for nobody.

    Notes
    -----
    Wilson (1927), *Journal of the American Statistical Association* 22, 209–212.
    """
    if whole <= 0:
        return math.nan, math.nan
    p, square = part / whole, Z_95**2
    centre = (p + square / (2 * whole)) / (1 + square / whole)
    reach = Z_95 / (1 + square / whole) * math.sqrt(p * (1 - p) / whole + square / (4 * whole**2))
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def newcombe(a: tuple[int, int], b: tuple[int, int]) -> tuple[float, float, float]:
    """Return a − b of two shares (part, whole) and its 95 % interval from the two Wilson intervals.

    Notes
    -----
    Newcombe (1998), *Statistics in Medicine* 17, 873–890, method 10. An interval of two shares as they are; no test of one
    place's policy against another's.
    """
    if min(a[1], b[1]) <= 0:
        return math.nan, math.nan, math.nan
    p, q = a[0] / a[1], b[0] / b[1]
    (low_p, high_p), (low_q, high_q) = wilson(*a), wilson(*b)
    low = p - q - math.hypot(p - low_p, high_q - q)
    high = p - q + math.hypot(high_p - p, q - low_q)
    return p - q, low, high
