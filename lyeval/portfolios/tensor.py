"""One tensor of common draws: what every enterprise adds to a target under every option, so that any plan is a lookup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from lyeval.assessment import TargetView, meets
from lyeval.ledger import Ledger
from lyeval.portfolios.lawful import plan_of
from lyeval.simulation import odds
from lyeval.simulation.casework import chosen, given_plan, joined
from lyeval.simulation.engine import Setting, Year, years_to_come

Choice = np.ndarray
"""For each option whether it is taken, boolean, shape (options,); no more than one an enterprise."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """Draws of a target's numerator and denominator, by enterprise as arranged, and by option in place of that.

    Attributes
    ----------
    view, year
        The target, and the year's draws as arranged.
    options
        As of `lawful.options`, of the target's possible members alone.
    part, whole
        As arranged, shape (draws, members); ``whole`` None of a count.
    own_part, own_whole
        Of each option's enterprise if it is taken, shape (draws, options).
    column
        Position of each option's enterprise among the members, shape (options,).
    """

    view: TargetView
    year: Year
    options: pd.DataFrame
    part: np.ndarray
    whole: np.ndarray | None
    own_part: np.ndarray
    own_whole: np.ndarray | None
    column: np.ndarray

    def found(self, taken: Choice) -> np.ndarray:
        """Return the target's statistic in each draw under a plan, shape (draws,), to the digit as `simulate` has it."""
        part = _looked_up(self.part, self.own_part, self.column, taken)
        if self.whole is None or self.own_whole is None:
            return self._told(part.sum(axis=1).astype(float))
        whole = _looked_up(self.whole, self.own_whole, self.column, taken).sum(axis=1)
        return self._told(ratio(part.sum(axis=1), whole))

    def _told(self, found: np.ndarray) -> np.ndarray:
        if self.view.kind == "closed":
            return self.view.base + found
        taught = self.year.learned.get(self.view.id)
        return found if taught is None else odds.corrected(self.view, found, taught)

    def probability(self, taken: Choice) -> float:
        """Return the odds that a plan meets the target, on the draws at hand."""
        return self.odds(self.found(taken))

    def odds(self, found: np.ndarray) -> float:
        """Return the odds of a statistic's draws, shape (draws,); 0 where there is nothing to count."""
        if self.certain in ("met", "missed"):
            return float(self.certain == "met")
        known = found[~np.isnan(found)]
        return odds.probability(int(meets(self.view, known).sum()), len(known)) if len(known) else 0.0

    @cached_property
    def certain(self) -> str | None:
        """What the books already decide (`odds.settled`)."""
        return odds.settled(self.view, self.year)

    def quick(self, part: np.ndarray, whole: np.ndarray | float) -> float:
        """Return the odds of summed parts, shape (draws,); to nine digits, so that what is left of no land is none."""
        part, whole = np.round(part, 9), np.round(whole, 9)
        return self.odds(self._told(part if self.whole is None else ratio(part, whole)))


def ratio(part: np.ndarray, whole: np.ndarray | float) -> np.ndarray:
    """Divide sums; NaN where nobody is left to count."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.asarray(whole) > 0, part / whole, np.nan)


def _looked_up(base: np.ndarray, own: np.ndarray, column: np.ndarray, taken: Choice) -> np.ndarray:
    if not taken.any():
        return base
    out = base.copy()
    out[:, column[taken]] = own[:, taken]
    return out


def tensor(given: Setting, view: TargetView, options: pd.DataFrame) -> Tensor:
    """Draw a target's year as arranged, and once for each method and start of the options.

    Every enterprise keeps its random numbers, and the ledger's cases that hand land to others are in every run.
    """
    member = np.isin(given.panel.codes[options["at"].to_numpy(dtype=int)], view.codes)
    mine = options[member].reset_index(drop=True)
    year = years_to_come(given, view.year)[-1]
    part, whole = odds.parts(odds.members(view, year))
    column = np.searchsorted(view.codes, given.panel.codes[mine["at"].to_numpy(dtype=int)])
    own_part = np.empty((len(part), len(mine)), dtype=part.dtype)
    own_whole = None if whole is None else np.empty((len(part), len(mine)), dtype=whole.dtype)
    for at, drawn in _runs(given, view.year, mine):
        seen = odds.parts(odds.members(_some(view, column[at]), drawn))
        own_part[:, at] = seen[0]
        if own_whole is not None:
            own_whole[:, at] = seen[1]
    return Tensor(view, year, mine, part, whole, own_part, own_whole, column)


def _runs(given: Setting, year: int, options: pd.DataFrame) -> Iterator[tuple[np.ndarray, Year]]:
    """Draw the year once for each method and start: the rows of the options that it is of, sorted by enterprise."""
    fixed = chosen(given.plan, given.plan.successor >= 0)
    for _, some in options.groupby(["method", "started"], sort=True):
        some = some.sort_values("at", kind="stable")
        plan = joined(fixed, plan_of(some, given))
        yield some.index.to_numpy(), years_to_come(replace(given, plan=plan), year)[-1]


def _some(view: TargetView, at: np.ndarray) -> TargetView:
    """Restrict a target to some of its possible members."""
    arrays = ("codes", "member", "tax", "land", "gone", "unsure")
    return replace(view, **{name: getattr(view, name)[at] for name in arrays})


def planned(given: Setting, ledger: Ledger, plan: pd.DataFrame, year: int) -> Year:
    """Draw a year under a plan as `simulate` reads it."""
    cases, _ = given_plan(plan, ledger, given.date, given.assumed.practices)
    return years_to_come(replace(given, plan=cases), year)[-1]


def met(view: TargetView, year: Year) -> float:
    """Return the odds of a target on a year's draws, 0 where there are none to give."""
    found = odds.odds(view, odds.values(odds.members(view, year)), odds.settled(view, year))["probability"]
    return 0.0 if found is None else float(found)
