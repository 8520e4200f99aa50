"""Group-time effects: every cohort's change against controls, period by period, with influence functions.

Source: Callaway, Sant'Anna (2021), *Journal of Econometrics* 225, 200–230; unconditional parallel trends, balanced panel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lyeval.effect.result import EffectError, normal

NEVER = np.iinfo(np.int64).max
"""First treated period of a unit that is never treated."""


@dataclass(frozen=True, eq=False)
class Panel:
    """A balanced panel.

    Attributes
    ----------
    y
        Outcomes, shape (units, periods).
    first
        First treated period of each unit, `NEVER` if none; shape (units,).
    periods
        In order, shape (periods,).
    not_yet
        Whether units treated later serve as controls until then.
    """

    y: np.ndarray
    first: np.ndarray
    periods: np.ndarray
    not_yet: bool

    def cohorts(self) -> np.ndarray:
        """Return the first treated periods that occur."""
        return np.unique(self.first[self.first != NEVER])

    def without(self, cohort: int) -> Panel:
        """Return the panel less one cohort."""
        kept = self.first != cohort
        return Panel(self.y[kept], self.first[kept], self.periods, self.not_yet)


@dataclass(frozen=True, eq=False)
class Cell:
    """Effect on one cohort in one period, with the influence of each unit on it, shape (units,)."""

    cohort: int
    period: int
    estimate: float
    influence: np.ndarray

    @property
    def event(self) -> int:
        """Periods since the first treated one; negative before."""
        return self.period - self.cohort


@dataclass(frozen=True, eq=False)
class Aggregate:
    """A weighted mean of cells, with each unit's influence on it."""

    estimate: float
    influence: np.ndarray

    @property
    def std_error(self) -> float:
        """√(Σ ψᵢ²) / n."""
        return float(np.sqrt(np.sum(self.influence**2))) / len(self.influence)

    def row(self) -> dict[str, float]:
        """Return estimate, std_error, p_value, low, high."""
        p_value, low, high = normal(self.estimate, self.std_error)
        return {"estimate": self.estimate, "std_error": self.std_error, "p_value": p_value, "low": low, "high": high}


def cells(panel: Panel, *, universal: bool = False) -> list[Cell]:
    """Return ATT(g, t) of every cohort and period that has a base period and controls.

    ATT(g, t) = E[y_t − y_b | G = g] − E[y_t − y_b | C]. From g on, b is the last period before g; before g it is the period
    before t, or with ``universal`` again the last before g (which is then left out).

    Raises
    ------
    EffectError
        If no cell can be formed.
    """
    found = []
    for cohort in panel.cohorts():
        before = int(np.searchsorted(panel.periods, cohort)) - 1
        for t, period in enumerate(panel.periods):
            base = before if period >= cohort or universal else t - 1
            if base < 0 or base == t:
                continue
            if (made := _cell(panel, int(cohort), t, base)) is not None:
                found.append(made)
    if not any(cell.event >= 0 for cell in found):
        raise EffectError("没有可用的处置组与对照组 / no treated cohort has both an earlier period and controls")
    return found


def _cell(panel: Panel, cohort: int, t: int, base: int) -> Cell | None:
    treated = panel.first == cohort
    latest = panel.periods[max(t, base)]
    control = (panel.first > latest) & ~treated if panel.not_yet else panel.first == NEVER
    if not control.any():
        return None
    change = panel.y[:, t] - panel.y[:, base]
    n, influence = len(change), np.zeros(len(change))
    mine, theirs = change[treated].mean(), change[control].mean()
    influence[treated] = n / treated.sum() * (change[treated] - mine)
    influence[control] = -n / control.sum() * (change[control] - theirs)
    return Cell(cohort, int(panel.periods[t]), float(mine - theirs), influence)


def weighted(panel: Panel, chosen: Sequence[Cell]) -> Aggregate:
    """Average cells with weights in proportion to their cohorts' sizes, which are estimated too."""
    member = np.column_stack([panel.first == cell.cohort for cell in chosen]).astype(float)
    share = member.mean(axis=0)
    total = share.sum()
    estimates = np.array([cell.estimate for cell in chosen])
    influence = np.column_stack([cell.influence for cell in chosen])
    moved = (member - share) / total - np.outer((member - share).sum(axis=1), share / total**2)
    return Aggregate(float(share @ estimates / total), influence @ (share / total) + moved @ estimates)


def even(parts: Sequence[Aggregate]) -> Aggregate:
    """Average aggregates with equal weights."""
    return Aggregate(
        float(np.mean([part.estimate for part in parts])), np.mean([part.influence for part in parts], axis=0)
    )


def simple(panel: Panel, found: Sequence[Cell]) -> Aggregate:
    """Return the mean over every treated unit and period."""
    return weighted(panel, [cell for cell in found if cell.event >= 0])


def by_event(panel: Panel, found: Sequence[Cell]) -> dict[int, Aggregate]:
    """Return the mean effect at each distance from the first treated period."""
    events = sorted({cell.event for cell in found})
    return {event: weighted(panel, [cell for cell in found if cell.event == event]) for event in events}


def by_cohort(panel: Panel, found: Sequence[Cell]) -> tuple[dict[int, Aggregate], Aggregate]:
    """Return each cohort's mean effect, and the mean over treated units."""
    post = [cell for cell in found if cell.event >= 0]
    own = {}
    for cohort in sorted({cell.cohort for cell in post}):
        parts = [Aggregate(cell.estimate, cell.influence) for cell in post if cell.cohort == cohort]
        own[cohort] = even(parts)
    whole = [Cell(cohort, cohort, part.estimate, part.influence) for cohort, part in own.items()]
    return own, weighted(panel, whole)
