"""The years to come: fit on what is known at a date, then draw tax, land and exits year by year.

What no disposal touches is drawn once and kept for the next what-if; only the enterprises with a case are drawn anew, on the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from lyeval.ledger import Ledger
from lyeval.simulation import casework
from lyeval.simulation.assumed import Assumed
from lyeval.simulation.draws import Sampling, by_model, chance, draw_tax, model_of, past, uniforms
from lyeval.simulation.dynamics import Dynamics, Priors, fit, rise
from lyeval.simulation.known import Date, Note, Panel, distinct, panel, remarks
from lyeval.simulation.planfile import Source


@dataclass(frozen=True)
class Learned:
    """What a county's own past teaches of a target."""

    top_up: tuple[float, float] | None = (
        None  # Beta (a, b) of a firm just below the line topping up; None: no past year
    )
    band: float = 0.3  # how far below, as a share of the line
    shift: float = 0.0  # of the statistic, in standard deviations of its draws, and scale about its mean
    scale: float = 1.0
    usual: float = 1.0  # of the scale: what a history of so few years brings by itself
    about: tuple[float, float] | None = None  # mean and sd that both are taken about; None: those of the draws at hand
    years: int = 0  # past forecasts that shift and scale rest on
    seed: int = 0  # of the draws of who tops up


@dataclass(frozen=True, eq=False)
class Setting:
    """All that the years to come are drawn from."""

    date: Date
    panel: Panel  # each enterprise's history up to the date
    assumed: Assumed
    plan: casework.Plan  # open cases
    left: casework.Left  # who had gone and what land had been released between the annual figures and the date
    pace: dict[str, casework.Pace]  # how fast each method's cases end, updated by the ledger's cases
    sampling: Sampling
    nowcast: Dynamics  # the projection that uses the year to date, and the one without
    annual: Dynamics
    notes: tuple[Note, ...]  # what was dropped or assumed
    finished: dict[str, casework.Practice] = field(default_factory=dict)  # methods, as the finished cases show them
    learned: dict[str, Learned] = field(default_factory=dict)  # by target: what the county's past forecasts teach


@dataclass(frozen=True, eq=False)
class Year:
    """Draws of one year, enterprises (n) in the order of ``codes``; arrays that do not vary over draws may be broadcast."""

    year: int
    codes: np.ndarray  # credit codes, sorted
    tax: np.ndarray  # 万元, shape (draws, n)
    kept: np.ndarray  # share of its land that an enterprise still holds at the year's end, shape (draws, n)
    reported: np.ndarray  # tax of the latest year that is known, 万元, shape (n,)
    gone: np.ndarray  # closed or otherwise gone by the year's end, shape (draws, n)
    closed: np.ndarray  # closed, or banked whole (整体收储), within the year, shape (draws, n)
    banked: np.ndarray
    demolished: np.ndarray  # floor area demolished in the rest of the year, m², shape (draws, n)
    released: np.ndarray  # land of a gone enterprise has been released, shape (draws, n)
    floor: (
        np.ndarray
    )  # least and most tax that the books leave possible, 万元, shape (n,); infinite where nothing is settled
    ceiling: np.ndarray
    in_progress: np.ndarray  # has a disposal in progress, shape (n,)
    final: bool  # the books of the year are complete
    learned: Mapping[str, Learned] = field(default_factory=dict)  # by target: what past Decembers and forecasts teach


def setting(
    ledger: Ledger, date: Date, plan: Source | casework.Asked | None, assumed: Assumed, sampling: Sampling
) -> Setting:
    """Fit the projection and lay out the disposals, on a ledger that `known.as_known` has cut off; a plan alone is one in place of the ledger's."""
    lasting = tuple(name for name, p in assumed.practices.items() if not p.gone and not p.closed)
    history, nowcast, annual = _fitted(ledger, date, assumed.tax, lasting)
    practices = casework.informed(assumed.practices, annual.effects, annual.spread)
    asked = plan if isinstance(plan, casework.Asked) else casework.Asked(plan)
    cases, told = casework.arranged(ledger, date, practices, asked, assumed.labels)
    return Setting(
        date=date,
        panel=history,
        assumed=replace(assumed, practices=practices),
        plan=cases,
        left=casework.left_since(ledger, date, history.land[:, -1]),
        pace=casework.paces(ledger, date, practices),
        sampling=sampling,
        nowcast=nowcast,
        annual=annual,
        notes=distinct((*nowcast.notes, *annual.notes, *told, *remarks(history, date, ledger))),
        finished=casework.informed(assumed.practices, annual.effects | nowcast.effects),
    )


@lru_cache(maxsize=8)
def _fitted(ledger: Ledger, date: Date, priors: Priors, methods: tuple[str, ...]) -> tuple[Panel, Dynamics, Dynamics]:
    """Lay the history out and fit it, with the year to date and without; ``methods`` have an effect on tax to estimate."""
    history = panel(ledger, date)
    history = replace(history, in_force=casework.finished_cases(ledger, history, methods))
    annual = fit(history, 0, priors)
    return history, fit(history, history.month, priors) if history.month else annual, annual


def years_to_come(given: Setting, last_year: int) -> list[Year]:
    """Draw each year from the one after the known annual figures to ``last_year``."""
    years = range(given.date.facts_year + 1, last_year + 1)
    months = casework.months_to_finish(given.plan, given.panel, given.pace, given.sampling, given.date.year)
    without = undisposed(given, last_year)
    with_cases = _disposed_tax(given, months, without, years)
    leaving = casework.land_leaving(given.plan, given.panel, given.assumed.practices, given.sampling, given.date.year)
    return [
        _year(given, months, leaving, year, tax, own) for year, tax, own in zip(years, without, with_cases, strict=True)
    ]


def undisposed(given: Setting, last_year: int) -> tuple[np.ndarray, ...]:
    """Return the tax of each year without any disposal, 万元, one read-only array (draws, n) a year.

    Up to `KEPT_CELLS` they are kept: every plan tried on the same figures and seed goes on from the same draws.
    """
    first = given.date.facts_year + 1
    cells = given.sampling.draws * len(given.panel.codes) * (last_year + 1 - first)
    draw = _kept if cells <= KEPT_CELLS else _kept.__wrapped__
    return draw(given.nowcast, given.annual, given.panel, given.sampling, range(first, last_year + 1))


@lru_cache(maxsize=2)
def _kept(
    nowcast: Dynamics, annual: Dynamics, history: Panel, sampling: Sampling, years: range
) -> tuple[np.ndarray, ...]:
    return draw_tax((nowcast, annual), history, years, sampling)


def _disposed_tax(
    given: Setting, months: np.ndarray, without: tuple[np.ndarray, ...], years: range
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw the tax of those whom a disposal's effect reaches, year by year: their positions (k,), and tax (draws, k).

    The open cases' effects grow with the share of the year they are in force, finished ones' with what the figures that the projection
    starts from do not show yet (`rise`). An effect is relative to the tax without disposals.
    """
    plan, models, shape = given.plan, (given.nowcast, given.annual), without[0].shape if without else (0, 0)
    history, practices, now = given.panel, given.assumed.practices, given.date.year
    own = casework.own_effects(plan, history, practices, given.sampling, now)
    own += casework.lift(plan, history, practices)
    forces = {name: force[:, :, -1] for name, force in sorted(history.in_force.items())}
    rest = casework.effects(list(forces), given.finished, given.sampling, now)
    per_firm = [given.finished[name].own for name in forces]
    late = [np.flatnonzero(force[0] > np.minimum(force[1], force[2])) for force in forces.values()]
    moved = np.unique(np.concatenate([plan.at, *late]).astype(np.intp))
    out = []
    for t, year in enumerate(years):
        effect = np.zeros((shape[0], len(moved)))
        force = casework.disposed(months, given.date.months_to(year), history.calendar).in_force
        effect[:, np.searchsorted(moved, plan.at)] = own * force
        tax = np.empty_like(effect)
        for at in by_model(models, history, moved):
            if len(at):
                before = past(history, at)
                for earlier in without[:t]:
                    before = before.then(earlier[:, at])
                model, here = model_of(models, history, at, year), np.searchsorted(moved, at)
                weight = model_of(models, history, at, years[0]).weight
                luck_of = ndtri(uniforms(history.keys[at], given.sampling, now, "effect")) if forces else 0.0
                for drawn, own_sd, force in zip(rest.T, per_firm, forces.values(), strict=True):
                    grown = rise(force[:, at], weight) + (1 - force[0, at]) * (force[0, at] > 0) * (t > 0)
                    effect[:, here] += (drawn[:, None] + own_sd * luck_of) * grown
                luck = chance(model, history, before, at, year, given.sampling)
                tax[:, here] = luck.taxed(model, history, at, effect[:, here])
        out.append((moved, tax))
    return out


def _year(
    given: Setting,
    months: np.ndarray,
    leaving: np.ndarray,
    year: int,
    without: np.ndarray,
    moved: tuple[np.ndarray, np.ndarray],
) -> Year:
    """Put one year together: tax with the methods' effects, then what has left and what the finished cases take."""
    first, shape = year == given.date.facts_year + 1, without.shape
    plan, left, end = given.plan, given.left, given.date.months_to(year)
    state = casework.disposed(months, end, given.panel.calendar)
    practice = [given.assumed.practices[m] for m in plan.method]
    shuts, leaves = (np.array([getattr(p, name) for p in practice], dtype=bool) for name in ("closed", "gone"))
    tax, ytd = without.copy(), given.panel.ytd[:, -1]
    tax[:, moved[0]] = moved[1]
    tax[:, plan.at] *= 1 - state.in_force * (shuts | leaves)
    kept = _spread(left.kept, shape, plan.at, left.kept[plan.at] * (1 - state.done * leaving))
    settled = left.gone & ~np.isnan(ytd) & first
    tax[:, settled] = ytd[settled]
    takers, land_taken, tax_taken = casework.taken_over(
        plan, given.panel, given.assumed.practices, state.done * leaving, months, end
    )
    if len(takers):
        kept = np.array(kept)
        kept[:, takers] += land_taken
        tax[:, takers] *= 1 + tax_taken
    tax[:, left.gone & (not first or not given.date.nowcast_month)] = 0.0
    floor, ceiling = _books(given, first=first)
    no, open_case = np.zeros(shape[1], dtype=bool), np.zeros(shape[1], dtype=bool)
    open_case[plan.at] = True
    return Year(
        year=year,
        codes=given.panel.codes,
        tax=tax,
        kept=kept,
        reported=given.panel.tax[:, -1],
        gone=_spread(left.gone, shape, plan.at, left.gone[plan.at] | (state.done & (shuts | leaves))),
        closed=_spread(no, shape, plan.at, state.fresh & shuts),
        banked=_spread(no, shape, plan.at, state.fresh & leaves),
        demolished=_spread(np.zeros(shape[1]), shape, plan.at, state.fresh * np.nan_to_num(plan.demolished)),
        released=_spread(left.released, shape, plan.at, left.released[plan.at] | (state.done & leaves)),
        floor=floor,
        ceiling=ceiling,
        in_progress=open_case,
        final=given.date.year == year and given.date.month == 12,
        learned=given.learned if first else {id: replace(x, shift=0.0, scale=1.0) for id, x in given.learned.items()},
    )


def _spread(base: np.ndarray, shape: tuple[int, ...], at: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Lay the cases' values, shape (draws, cases), over those of all enterprises, shape (n,): (draws, n)."""
    if (values == base[at]).all():
        return np.broadcast_to(base, shape)
    out = np.empty(shape, dtype=base.dtype)
    out[:] = base
    out[:, at] = values
    return out


def _books(given: Setting, *, first: bool) -> tuple[np.ndarray, np.ndarray]:
    """Least and most tax that the books leave possible, shape (n,)."""
    n = len(given.panel.codes)
    floor, ceiling = np.full(n, -np.inf), np.full(n, np.inf)
    if not first or not given.panel.month:
        return floor, ceiling
    ytd = given.panel.ytd[:, -1]
    known = ~np.isnan(ytd)
    open_case = np.zeros(n, dtype=bool)
    open_case[given.plan.at] = True
    over = known & (given.left.gone | (given.panel.month == 12))
    least = over | (known & ~given.panel.refunds & ~open_case)
    return np.where(least, ytd, floor), np.where(over, ytd, ceiling)


def year_as_known(given: Setting) -> Year:
    """Give the latest known year the form of draws that are all alike: nothing of it is left to chance."""
    shape = (given.sampling.draws, len(given.panel.codes))
    tax = given.panel.tax[:, -1]
    no, drawn = np.broadcast_to(False, shape), np.broadcast_to(tax, shape)
    return Year(
        year=given.date.facts_year,
        codes=given.panel.codes,
        tax=drawn,
        kept=np.broadcast_to(1.0, shape),
        reported=np.full(shape[1], np.nan),
        gone=no,
        closed=no,
        banked=no,
        demolished=np.broadcast_to(0.0, shape),
        released=no,
        floor=np.where(np.isnan(tax), -np.inf, tax),
        ceiling=np.where(np.isnan(tax), np.inf, tax),
        in_progress=no[0],
        final=True,
    )


KEPT_CELLS = 1 << 24
