"""The years to come: fit on what is known at a date, then draw tax, land and exits year by year."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lyeval.ledger import Ledger
from lyeval.simulation.assumed import Assumed
from lyeval.simulation.disposals import (
    Left,
    Pace,
    Plan,
    disposed,
    effects,
    given_plan,
    informed,
    land_leaving,
    left_since,
    months_to_finish,
    open_plan,
    paces,
)
from lyeval.simulation.draws import Past, Sampling, chance, past, taxed
from lyeval.simulation.dynamics import Dynamics, fit
from lyeval.simulation.known import Date, Panel, panel
from lyeval.simulation.notes import Note, distinct, note
from lyeval.simulation.outlook import Year
from lyeval.simulation.successors import lift, taken_over, takers
from lyeval.simulation.treated import treated


@dataclass(frozen=True, eq=False)
class Setting:
    """All that the years to come are drawn from.

    Attributes
    ----------
    date, panel
        The date of knowledge and each enterprise's history up to it.
    assumed
        What is assumed of tax and of disposal methods.
    plan
        Open cases.
    left
        Who had gone and what land had been released between the annual figures and the date.
    pace
        How fast each method's cases end, updated by the ledger's cases.
    sampling
        Number of draws and seed.
    nowcast, annual
        The projection that uses the year to date, and the one without.
    notes
        What was dropped or assumed.
    """

    date: Date
    panel: Panel
    assumed: Assumed
    plan: Plan
    left: Left
    pace: dict[str, Pace]
    sampling: Sampling
    nowcast: Dynamics
    annual: Dynamics
    notes: tuple[Note, ...]


def setting(ledger: Ledger, date: Date, plan: pd.DataFrame | None, assumed: Assumed, sampling: Sampling) -> Setting:
    """Fit the projection and lay out the disposals, on a ledger that `known.as_known` has cut off."""
    history = panel(ledger, date)
    ahead = np.append(history.years, date.facts_year + 1)
    spells = {month: treated(ledger, ahead, month, assumed.practices) for month in {0, history.month}}
    history = replace(history, treated=spells)
    annual = fit(history, 0, assumed.tax)
    nowcast = fit(history, history.month, assumed.tax) if history.month else annual
    assumed = replace(assumed, practices=informed(assumed.practices, annual.effects))
    cases, remarks = open_plan(ledger, assumed.practices)
    if plan is not None:
        cases, remarks = given_plan(plan, ledger, date, assumed.practices), ()
    notes = (*nowcast.notes, *annual.notes, *remarks, *_remarks(history, date), *_stopped(ledger))
    return Setting(
        date,
        history,
        assumed,
        cases,
        left_since(ledger, date, history.land[:, -1]),
        paces(ledger, date, assumed.practices),
        sampling,
        nowcast,
        annual,
        distinct(notes),
    )


def _remarks(history: Panel, date: Date) -> list[Note]:
    """Name what the panel could not offer."""
    notes = []
    if date.nowcast_month and not history.month:
        notes.append(note("no_months", month=date.nowcast_month))
    elif history.month < date.nowcast_month:
        notes.append(note("months_end", have=history.month, asked=date.nowcast_month))
    new = np.isnan(history.tax).all(axis=1)
    if new.any():
        notes.append(note("newcomers", n=int(new.sum())))
    stale = np.isnan(history.tax[:, -1]) & ~new
    if stale.any():
        notes.append(note("stale", n=int(stale.sum()), year=int(history.years[-1])))
    last = history.tax[:, -1]
    kinds = {"silent": last == 0, "negative": last < 0}
    return notes + [note(kind, n=int(mine.sum())) for kind, mine in kinds.items() if mine.any()]


def _stopped(ledger: Ledger) -> list[Note]:
    """Name those that the ledger has as stopped (停产)."""
    firms = ledger.enterprises
    n = int(firms["stopped_since"].notna().sum()) if "stopped_since" in firms else 0
    return [note("stopped", n=n)] if n else []


def years_to_come(given: Setting, last_year: int) -> list[Year]:
    """Draw each year from the one after the known annual figures to ``last_year``."""
    months = months_to_finish(given.plan, given.panel.codes, given.pace, given.sampling, given.date.year)
    before, out = past(given.panel), []
    for year in range(given.date.facts_year + 1, last_year + 1):
        drawn, undisposed = _year(given, before, months, year)
        out.append(drawn)
        before = before.then(undisposed)
    return out


def year_as_known(given: Setting) -> Year:
    """Give the latest known year the form of draws that are all alike: nothing of it is left to chance."""
    shape = (given.sampling.draws, len(given.panel.codes))
    tax = given.panel.tax[:, -1]
    no, unread = np.zeros(shape, dtype=bool), np.full(shape[1], np.nan)
    drawn = np.broadcast_to(tax, shape)
    year = given.date.facts_year
    bounds = np.where(np.isnan(tax), -np.inf, tax), np.where(np.isnan(tax), np.inf, tax)
    return Year(
        year, given.panel.codes, drawn, np.ones(shape), unread, no, no, no, np.zeros(shape), no, *bounds, no[0], True
    )


def _year(given: Setting, before: Past, months: np.ndarray, year: int) -> tuple[Year, np.ndarray]:
    """Draw one year: tax as projected with the methods' effects, then what has left and what the finished cases take.

    Returns
    -------
    year, undisposed
        The draws, and the tax without any disposal, from which the year after goes on: an effect is relative to it.
    """
    first = year == given.date.facts_year + 1
    plan, shape = given.plan, (given.sampling.draws, len(given.panel.codes))
    state = disposed(plan, months, given.date, year)
    practice = [given.assumed.practices[m] for m in plan.method]
    shuts, leaves = (np.array([getattr(p, name) for p in practice], dtype=bool) for name in ("closed", "gone"))
    tax, undisposed = _tax(given, before, year, effects_in(given, state.in_force, shape), first=first)
    tax[:, plan.at] *= 1 - state.in_force * (shuts | leaves)
    if first:
        ytd = given.panel.ytd[:, -1]
        tax = np.where(given.left.gone & ~np.isnan(ytd), ytd, tax)
    land_taken, tax_taken = _taken(given, state.done, months, year)
    tax = tax * (1 + tax_taken)
    ends = given.left.gone & (not first or not given.date.nowcast_month)
    made = Year(
        year=year,
        codes=given.panel.codes,
        tax=np.where(ends, 0.0, tax),
        kept=given.left.kept * _spread(shape, plan.at, 1 - state.done * _leaving(given), 1.0) + land_taken,
        reported=given.panel.tax[:, -1],
        gone=given.left.gone | _spread(shape, plan.at, state.done & (shuts | leaves), False),
        closed=_spread(shape, plan.at, state.fresh & shuts, False),
        banked=_spread(shape, plan.at, state.fresh & leaves, False),
        demolished=_spread(shape, plan.at, state.fresh * np.nan_to_num(plan.demolished), 0.0),
        released=given.left.released | _spread(shape, plan.at, state.done & leaves, False),
        floor=books(given, first=first)[0],
        ceiling=books(given, first=first)[1],
        in_progress=_spread((1, shape[1]), plan.at, True, False)[0],
        final=given.date.year == year and given.date.month == 12,
    )
    return made, undisposed


def _spread(shape: tuple[int, int], at: np.ndarray, values: np.ndarray | bool, rest: float | bool) -> np.ndarray:
    """Lay the cases' values, shape (draws, cases), out over all enterprises, shape (draws, n)."""
    out = np.full(shape, rest)
    out[:, at] = values
    return out


def effects_in(given: Setting, in_force: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Lay out the effects on log tax, relative to the tax without disposals, shape (draws, n).

    The open cases' effects grow with the share of the year they are in force; cases finished in the latest known year give
    what that year's figure does not show yet, unless months of the next are known.
    """
    effect = _spread(shape, given.plan.at, _effect(given) * in_force, 0.0)
    return effect if given.date.nowcast_month else effect + _left_to_give(given)


def _effect(given: Setting) -> np.ndarray:
    """Effect of each case's method and successor on log tax, the same in every year of a draw, shape (draws, cases)."""
    names, practices = sorted(given.assumed.practices), given.assumed.practices
    drawn = effects(names, practices, given.sampling, given.date.year)
    own = drawn[:, np.searchsorted(names, given.plan.method.astype(str))]
    return own + lift(given.plan, given.panel, practices)


def _left_to_give(given: Setting) -> np.ndarray | float:
    """Effect on log tax of last year's finished cases in the rest of their first year, shape (draws, n)."""
    spells = given.panel.treated.get(0, {})
    names = sorted(spells)
    if not names:
        return 0.0
    rise = np.array([spells[name][:, -1] for name in names])
    return effects(names, given.assumed.practices, given.sampling, given.date.year) @ rise


def _tax(given: Setting, before: Past, year: int, effect: np.ndarray, *, first: bool) -> tuple[np.ndarray, np.ndarray]:
    """Tax with and without disposals; by the year to date where there is one, without it for the others."""
    history, known = given.panel, ~np.isnan(given.panel.ytd[:, -1])
    use = first and given.nowcast.month > 0
    if not use or not known.all():
        plain = _with_and_without(given.annual, history, before, year, given.sampling, effect)
        if not use:
            return plain
    filled = replace(history, ytd=np.nan_to_num(history.ytd))
    nowcast = _with_and_without(given.nowcast, filled, before, year, given.sampling, effect)
    if known.all():
        return nowcast
    return np.where(known, nowcast[0], plain[0]), np.where(known, nowcast[1], plain[1])


def _with_and_without(
    model: Dynamics, history: Panel, before: Past, year: int, sampling: Sampling, effect: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    drawn = chance(model, history, before, year=year, sampling=sampling)
    without = taxed(model, history, drawn)
    moved = np.flatnonzero(effect.any(axis=0))
    if not len(moved):
        return without.copy(), without
    return taxed(model, history, drawn, effect), without


def _taken(
    given: Setting, done: np.ndarray, months: np.ndarray, year: int
) -> tuple[np.ndarray | float, np.ndarray | float]:
    """Return by how much land and tax of those who take land over grow, as multiples of their own: (draws, n) each, or 0."""
    plan, history, practices = given.plan, given.panel, given.assumed.practices
    if not len(takers(plan, history, practices)):
        return 0.0, 0.0
    end = (year - given.date.year) * 12 + 12 - given.date.month
    return taken_over(plan, history, practices, done * _leaving(given), months, end)


def _leaving(given: Setting) -> np.ndarray:
    """Share of the land that each case takes away once done, the same in every year of a draw, shape (draws, cases)."""
    history = given.panel
    args = (given.plan, history.codes, history.land[:, -1], given.assumed.practices, given.sampling)
    return land_leaving(*args, given.date.year)


def books(given: Setting, *, first: bool) -> tuple[np.ndarray, np.ndarray]:
    """Least and most tax that the books leave possible, shape (n,)."""
    n = len(given.panel.codes)
    floor, ceiling = np.full(n, -np.inf), np.full(n, np.inf)
    ytd = given.panel.ytd[:, -1]
    if not first or not given.panel.month:
        return floor, ceiling
    known = ~np.isnan(ytd)
    if given.panel.month == 12:
        return np.where(known, ytd, floor), np.where(known, ytd, ceiling)
    open_case = np.zeros(n, dtype=bool)
    open_case[given.plan.at] = True
    over = known & given.left.gone
    return np.where(over | (known & ~given.panel.refunds & ~open_case), ytd, floor), np.where(over, ytd, ceiling)
