"""The disclosure rule: from all that is published together nobody may bound another's figure within 15 % (披露规则).

Whoever looks is taken to know who stands in every published set of enterprises, every published sum to its last digit, that what is not
negative is not, every refund, and all of his own. Sums are rounded before they are printed, so nobody knows as much.

Source: the p-percent rule and the audit of suppressed tables by linear programming, as in the Handbook on Statistical Disclosure Control
(Hundepool et al.), chapters on tables of magnitudes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST = 3
WITHIN = 0.15
LEAST = 1.0  # 万元, 亩 or m²: a figure near nought is not to be known more closely either
SLACK = 1e-6
Figures = NDArray[np.float64]
Flags = NDArray[np.bool_]
Amounts = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Release:
    """One published set of enterprises, whose sums are taken as known.

    Attributes
    ----------
    name
        What it is published as.
    amounts
        By quantity (tax in 万元, land in 亩, floor in m²) and credit code: what each enterprise adds to the sum.
    """

    name: str
    amounts: Amounts


def releasable(candidates: Iterable[Sequence[Release]], beside: Iterable[Release] = ()) -> list[Release]:
    """Take what may be published, one after the other: whatever would reveal a figure beside what is taken already is left out.

    Parameters
    ----------
    candidates
        What to publish, the most wanted first; each with all the sets that it tells of.
    beside
        What is published besides.
    """
    known, kept = list(beside), list[Release]()
    for sets in candidates:
        if not reveals([*known, *kept, *sets]):
            kept += sets
    return kept


def reveals(releases: Iterable[Release]) -> bool:
    """Tell whether these sets, published together, let anyone bound another's figure within 15 % from above or below.

    A set of fewer than three enterprises always does.
    """
    releases = list(releases)
    if any(len(amounts) < FEWEST for release in releases for amounts in release.amounts.values()):
        return True
    quantities = sorted({quantity for release in releases for quantity in release.amounts})
    return any(_Audit([r.amounts[q] for r in releases if q in r.amounts]).fails() for q in quantities)


class _Audit:
    """What can be worked out about one quantity from its published sums.

    Enterprises that stand in the same sets form a cell; sums tell of cells only. A figure that changed between two editions is two figures.
    """

    def __init__(self, sums: Sequence[Mapping[str, float]]) -> None:
        self.sums = list(sums)
        keys = sorted({item for amounts in self.sums for item in amounts.items()})
        place = {key: i for i, key in enumerate(keys)}
        inside = np.zeros((len(self.sums), len(keys)), dtype=bool)
        for row, amounts in zip(inside, self.sums, strict=True):
            row[[place[item] for item in amounts.items()]] = True
        self.owner = np.array([code for code, _ in keys], dtype=object)
        self.value = np.array([value for _, value in keys], dtype=float)
        self.mass = np.maximum(self.value, 0.0)
        cells, self.cell = np.unique(inside, axis=1, return_inverse=True)
        self.sets = np.unique(cells, axis=0).astype(float)
        self.size = np.bincount(self.cell[self.value >= 0], minlength=cells.shape[1])
        self.total: Figures = np.bincount(self.cell, self.mass, minlength=cells.shape[1]).astype(float)

    def fails(self) -> bool:
        """Tell whether somebody's figure can be bounded."""
        return any(self._exposed(cell) for cell in range(len(self.size)))

    def _exposed(self, cell: int) -> bool:
        """Tell whether a figure of a cell can be bounded: by the cell's own sum first, then by all sums together."""
        mine = np.flatnonzero(self.cell == cell)
        mass = self.mass[mine]
        if self.size[cell] >= FEWEST and np.all(self.total[cell] - mass - _largest_other(mass) >= self._need(mine)):
            return False
        return not self._hidden_from(None, cell) and any(not self._hidden_from(one, cell) for one in self._lookers)

    def _need(self, at: np.ndarray) -> np.ndarray:
        """Return how wide the bounds of figures are to be on either side."""
        return np.maximum(WITHIN * np.abs(self.value[at]), LEAST) * (1 + SLACK)

    def _hidden_from(self, owner: str | None, cell: int) -> bool:
        """Tell whether all figures of a cell stay wide for one who looks; None: for one of every cell, all in league."""
        mine = np.flatnonzero((self.cell == cell) & (self.owner != owner))
        if not len(mine):
            return True
        mass, need = self.mass[mine], self._need(mine)
        own = float(self.mass[(self.cell == cell) & (self.owner == owner)].sum())
        beside = _largest_other(mass) if owner is None else np.full(len(mine), own)
        alone = np.count_nonzero(self.value[mine] >= 0) <= (2 if owner is None else 1)
        if not self._can_be(owner, cell, float(np.max(beside + mass + need)), most=True):
            return False
        return not alone or self._can_be(owner, cell, float(np.min(beside + mass - np.minimum(need, mass))), most=False)

    def _can_be(self, owner: str | None, cell: int, end: float, *, most: bool) -> bool:
        """Tell whether a cell's sum can be as much, or as little, as ``end`` for one who knows the sums of all sets and his own figures.

        What moves it for one who looks is tried for the next, as far as that one's own figures let it: a point that all sums allow is proof.
        """
        known, settled = self._knows(owner, cell)
        sign, ways = 1.0 if most else -1.0, self._ways.setdefault((cell, most), [])
        for way in ways:
            moved = self.total[cell] + self._how_far(way, known, settled) * way[cell]
            if sign * moved >= sign * end:
                return True
        ways.append(self._furthest(known, settled, cell, most=most) - self.total)
        return bool(sign * (self.total[cell] + ways[-1][cell]) >= sign * end)

    def _knows(self, owner: str | None, cell: int) -> tuple[Figures, Flags]:
        """Return how much of each cell's sum one who looks knows to be there, and where that is all of it."""
        known, settled = np.zeros(len(self.size)), self.size == 0
        if owner is None:
            np.maximum.at(known, self.cell, self.mass)
            settled = self.size <= 1
            known[cell], settled[cell] = 0.0, self.size[cell] == 0
        else:
            own = np.flatnonzero((self.owner == owner) & (self.value >= 0))
            np.add.at(known, self.cell[own], self.mass[own])
            settled[self.cell[own]] |= self.size[self.cell[own]] == 1
        return known, settled

    def _how_far(self, way: Figures, known: Figures, settled: Flags) -> float:
        """Return which part of a way, at most all of it, leaves every cell's sum no less than what is known of it."""
        moves = np.abs(way) > SLACK * (1 + self.total)
        if np.any(moves & settled):
            return 0.0
        down = moves & (way < 0)
        return float(np.min((self.total - known)[down] / -way[down], initial=1.0))

    def _furthest(self, known: Figures, settled: Flags, cell: int, *, most: bool) -> Figures:
        """Return the cells' sums at which that of a cell is the most or the least that it can be."""
        from scipy.optimize import linprog  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

        bounds = np.column_stack([known, np.where(settled, known, np.inf)])
        cost = np.where(np.arange(len(self.size)) == cell, -1.0 if most else 1.0, 0.0)
        end: Any = linprog(cost, A_eq=self.sets, b_eq=self.sets @ self.total, bounds=bounds)
        return np.asarray(end.x, dtype=float) if end.status == 0 else self.total

    @cached_property
    def _ways(self) -> dict[tuple[int, bool], list[Figures]]:
        return {}

    @cached_property
    def _lookers(self) -> list[str]:
        """Return who learns most: the two largest of each cell, and who stands in several cells."""
        order = np.lexsort((self.owner.astype(str), -self.mass, self.cell))
        rank = np.arange(len(order)) - np.searchsorted(self.cell[order], self.cell[order])
        owners, times = np.unique(self.owner.astype(str), return_counts=True)
        return sorted({*self.owner[order[rank < 2]], *owners[times > 1]})


def _largest_other(mass: np.ndarray) -> np.ndarray:
    """Return, for each of a cell, the largest of the others; 0 where there is none."""
    if len(mass) < 2:
        return np.zeros(len(mass))
    first = int(np.argmax(mass))
    second = float(np.max(np.delete(mass, first)))
    return np.where(np.arange(len(mass)) == first, second, mass[first])
