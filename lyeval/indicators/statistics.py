"""The statistics that a target may be set on, each over a class of enterprises, with bounds for what is unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lyeval.indicators.tri import Tri
from lyeval.resources import read_rows


@dataclass(frozen=True)
class Statistic:
    """How a county figure is made from its enterprises.

    Attributes
    ----------
    name, kind
        As a plan writes it; share, count, mean, closed, demolished or blocks.
    side
        Which side of the line is counted: below or at_or_above; "" where there is no line.
    weight
        count (enterprises) or land (亩).
    unit, label, label_en
        Unit of its value and its names.
    columns
        The ledger columns (``sheet.column``) that it is read from besides class and land, which the plan decides.
    basis
        The year whose facts count: year, or year_before.
    """

    name: str
    kind: str
    side: str
    weight: str
    unit: str
    label: str
    label_en: str
    columns: tuple[str, ...]
    basis: str


Interval = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Bounded:
    """A value over what is known, and its lowest and highest over what is not.

    Attributes
    ----------
    value, low, high
        None where there is nobody to count.
    part, whole
        Numerator and denominator over the known, in enterprises, 亩 or 万元.
    n
        Number of enterprises that certainly belong to the class.
    """

    value: float | None
    low: float | None
    high: float | None
    part: float
    whole: float
    n: int


def share(member: Tri, hit: Tri, weight: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> Bounded:
    """Weighted share of a class that is ``hit``.

    Parameters
    ----------
    member, hit
        Who belongs to the class; who is on the counted side of the line. Shape (n,).
    weight, lowest, highest
        Weight (NaN unknown) and its bounds, shape (n,).

    Notes
    -----
    The share A / (A + B) rises with every weight in A and falls with every weight in B, so each unknown is put
    wholly on one side: the highest takes possible hits at their largest and certain misses at their smallest.
    """
    known = member.true & ~hit.unknown & ~np.isnan(weight)
    part, whole = float(weight[known & hit.true].sum()), float(weight[known].sum())
    top = _ratio(highest[member.possible & hit.possible].sum(), lowest[member.true & hit.false].sum())
    bottom_hits = lowest[member.true & hit.true].sum()
    bottom_rest = highest[member.possible & ~hit.true].sum()
    low = _ratio(bottom_hits, bottom_rest)
    value = part / whole if whole > 0 else None
    if (top is None) != (low is None):  # nobody belongs for certain: the class may be empty, and nothing is settled
        low, top = 0.0, 1.0
    return Bounded(value, low, top, part, whole, int(member.true.sum()))


def _ratio(hits: float, rest: float) -> float | None:
    return float(hits / (hits + rest)) if hits + rest > 0 else None


def count(member: Tri, hit: Tri) -> Bounded:
    """Count the members that are ``hit``, shape (n,) each."""
    both = member & hit
    value = float((member.true & hit.true).sum())
    n = int(member.true.sum())
    return Bounded(value, float(both.true.sum()), float(both.possible.sum()), value, float(n), n)


def mean(member: Tri, tax: Interval, land: Interval) -> Bounded:
    """Σ tax / Σ land of a class, 万元/亩.

    Parameters
    ----------
    member
        Who belongs to the class, shape (n,).
    tax, land
        Value (NaN unknown), lowest and highest of each enterprise, shape (n,); the lowest and highest are NaN where nothing bounds them.

    Notes
    -----
    The lowest mean takes each unknown tax at its lowest and land at its highest, and adds those who may belong, the smallest ratio
    first, while they lower it; the highest the other way round. Without bounds (None) where nothing bounds a possible member.
    """
    known = ~np.isnan(tax[0]) & ~np.isnan(land[0])
    sure = member.true & known
    part, whole, n = float(tax[0][sure].sum()), float(land[0][sure].sum()), int(member.true.sum())
    value = part / whole if whole > 0 else None
    possible = member.possible
    if np.isnan(np.concatenate([x[possible] for x in (*tax[1:], *land[1:])])).any():
        return Bounded(value, None, None, part, whole, n)
    ends = [_extreme_mean(member, tax[1], land[2], 1), _extreme_mean(member, tax[2], land[1], -1)]
    return Bounded(value, ends[0], ends[1], part, whole, n)


def _extreme_mean(member: Tri, taxes: np.ndarray, lands: np.ndarray, sign: int) -> float | None:
    """Return the lowest (sign 1) or highest (-1) mean reachable by adding any who may belong to those who do."""
    sure, maybe = member.true, member.unknown & (lands > 0)
    tax, land = float(taxes[sure].sum()), float(lands[sure].sum())
    ratio = taxes[maybe] / lands[maybe]
    for i in np.argsort(sign * ratio, kind="stable"):
        if land > 0 and sign * ratio[i] >= sign * tax / land:
            break
        tax, land = tax + float(taxes[maybe][i]), land + float(lands[maybe][i])
    return tax / land if land > 0 else None


def _load() -> dict[str, Statistic]:
    """Read ``statistics.csv``, which stands beside this module."""
    out: dict[str, Statistic] = {}
    for row in read_rows(__file__, "statistics.csv"):
        columns = tuple(row.pop("columns").split())
        out[row["name"]] = Statistic(**row, columns=columns)
    return out


STATISTICS = _load()
