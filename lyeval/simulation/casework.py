"""Disposals in progress (处置): when each ends, what it does to tax and land, and who takes over (承接企业), over the years to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.special import betaincinv, gammainc, gammaincc, gammaincinv, gammaln, ndtri

from lyeval.indicators import book, cases, exits, year_end
from lyeval.ledger import Ledger
from lyeval.simulation.draws import Sampling, uniforms
from lyeval.simulation.known import EVEN, Date, Note, Panel, code_keys, note
from lyeval.simulation.planfile import Source, read_plan
from lyeval.told import Pair


@dataclass(frozen=True)
class Practice:
    """What is assumed of a disposal method (parameters/assumptions/methods.yaml)."""

    id: str
    success: tuple[float, float]  # Beta (a, b) of a case being done within twelve months; a + b is its weight in cases
    duration: tuple[float, float]  # mean and spread of the months from start to end
    effect: tuple[float, float]  # mean and sd on log tax over a full year, relative to what it would have paid anyway
    own: float  # sd of a firm's effect about the method's
    leaves: tuple[float, float] | None  # Beta (a, b) of the share of the land that leaves; None: none does
    gone: bool  # the whole site leaves (收储)
    closed: bool  # the plant is closed (关停) and its land stays until released
    speed: float = 1.0  # pace from the date of knowledge on, as a multiple of what the prior and past cases give
    catch_up: float = 0.0  # share of the gap to a better successor's log tax per mu that a full year closes
    ramp_up: float = 0.0  # months until who takes over land pays as much on it as on its own


@dataclass(frozen=True, eq=False)
class Plan:
    """Open cases, one element each."""

    at: np.ndarray  # position of the enterprise among the ledger's codes
    method: np.ndarray
    start: np.ndarray  # months from the date of knowledge to the start, 0 for those begun
    age: np.ndarray  # months from the start to the date of knowledge, NaN where the start is not known
    released: np.ndarray  # land to be released as planned, 亩, NaN unknown
    demolished: np.ndarray  # floor area to be demolished as planned, m², NaN unknown
    successor: np.ndarray  # position of who takes over, -1 unknown or not in the ledger
    cost: np.ndarray = field(default_factory=lambda: np.zeros(0))  # 万元 as planned, NaN unknown
    begun: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype="datetime64[D]"))  # NaT where not known


@dataclass(frozen=True, eq=False)
class Asked:
    """Which cases are asked for: the ledger's own, or a plan in their place, and what is added to either."""

    plan: Source | None = None
    add: Source | None = None
    words: Mapping[str, str] | None = None  # a policy's own labels of methods → canonical id

    @property
    def name(self) -> str:
        """The files that are asked for, "DataFrame" where it is none; "" for the ledger's own cases."""
        given = [one for one in (self.plan, self.add) if one is not None]
        return "、".join("DataFrame" if isinstance(one, pd.DataFrame) else Path(one).name for one in given)


@dataclass(frozen=True, eq=False)
class Left:
    """What disposals came to between the latest annual figures and the date of knowledge, shape (n,) each."""

    gone: np.ndarray  # closed, bankrupt or wholly banked by the date
    released: np.ndarray  # its land released or taken over
    kept: np.ndarray  # share of the annual figures' land still held, 0 to 1


@dataclass(frozen=True)
class Pace:
    """How fast a method's cases end, and how, prior and the ledger's cases together."""

    hazard: tuple[float, ...]  # cumulative hazard of an end by months since the start (`AGES`)
    cases: float  # how many ended cases it rests on
    done: tuple[float, float]  # Beta (a, b) of a case that ends being done, and not given up
    speed: float = 1.0  # multiple of the hazard from the date of knowledge on

    @property
    def yearly(self) -> tuple[float, float]:
        """Beta (a, b) of a case being done within twelve months of its start."""
        a, b = self.done
        chance, weight = a / (a + b) * -np.expm1(-self.hazard[12]), min(a + b, self.cases)
        return chance * weight, (1 - chance) * weight


class Disposed(NamedTuple):
    """What disposals have done by the end of a year, shape (draws, cases) each: finished by then, within it, share of it in force."""

    done: np.ndarray
    fresh: np.ndarray
    in_force: np.ndarray


def left_since(ledger: Ledger, date: Date, land: np.ndarray) -> Left:
    """Read off the ledger who has gone and what has been released by the date of the ``land`` of the annual figures, 亩, shape (n,).

    No more than all of it can leave, whatever the disposals add up to.
    """
    laid = book(ledger)
    now, before = (exits(laid, year_end(year), land) for year in (date.year, date.facts_year))
    gone = now.gone.true
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num((now.released - before.released) / land, posinf=0.0, neginf=0.0)
        whole = now.released >= land * (1 - 1e-9)
    released = gone & (now.banked.true | now.successor | whole)
    return Left(gone, released, np.where(gone, 1.0, np.clip(1 - share, 0.0, 1.0)))


def open_plan(ledger: Ledger, date: Date, practices: dict[str, Practice]) -> tuple[Plan, tuple[Note, ...]]:
    """Take the ledger's own disposals in progress (进行中, 未启动 or blank, and not finished), the first of each enterprise."""
    rows, frame = cases(book(ledger)), ledger.disposals
    live = rows.in_progress(np.datetime64(date.end, "D"))
    use = live & np.isin(rows.method, list(practices))
    order = rows.firsts(use)
    done_m2 = ~np.isnat(_day(frame, "demolished_on"))
    plan = Plan(
        at=rows.at[order],
        method=rows.method[order],
        start=np.zeros(len(order)),
        age=_months(rows.started[order], np.datetime64(date.end, "D")),
        released=rows.released[order],
        demolished=np.where(done_m2, 0.0, _number(frame, "demolished_m2"))[order],
        successor=_successor(frame, ledger)[order],
        cost=_number(frame, "cost_wan")[order],
        begun=rows.started[order],
    )
    left_out = {"no_method": int(np.sum(live & ~use)), "several_cases": int(np.sum(use)) - len(order)}
    return plan, tuple(note(kind, n=n) for kind, n in left_out.items() if n)


def given_plan(
    plan: Source,
    ledger: Ledger,
    date: Date,
    known: dict[str, Practice],
    labels: Mapping[str, Pair] | None = None,
    words: Mapping[str, str] | None = None,
) -> tuple[Plan, tuple[Note, ...]]:
    """Read a plan (`planfile.read_plan`) on the clock of the ledger's own cases.

    A case is as old as its start says; one without a start begins the day after the date, but for a case of the ledger's own that has
    none on record, which stays what it is.

    Parameters
    ----------
    known
        The methods that can be simulated.
    labels, words
        The methods' names in Chinese and English, for what is told; a policy's own words for methods.

    Raises
    ------
    PlanError
        Every fault of the plan.
    """
    names = {name: (labels or {}).get(name, (name, name)) for name in known}
    given = read_plan(plan, ledger, names, words)
    rows, end = given.rows, np.datetime64(date.end, "D")
    at = book(ledger).positions(rows["credit_code"])
    started = pd.to_datetime(rows["started"] if "started" in rows else pd.Series(pd.NaT, index=rows.index))
    begun = started.to_numpy(dtype="datetime64[D]")
    own, _ = open_plan(ledger, date, known)
    ages = {(i, m): np.isnan(age) for i, m, age in zip(own.at, own.method, own.age, strict=True)}
    method = rows["method"].astype(str).to_numpy(dtype=object)
    kept = np.array([ages.get(pair, False) for pair in zip(at, method, strict=True)], dtype=bool) & np.isnat(begun)
    begun = np.where(np.isnat(begun), end + np.timedelta64(1, "D"), begun)
    ahead, age = clock(begun, date)
    cases = Plan(
        at=at,
        method=method,
        start=np.where(kept, 0.0, ahead),
        age=np.where(kept, np.nan, age),
        released=_number(rows, "released_mu"),
        demolished=_number(rows, "demolished_m2"),
        successor=_successor(rows, ledger),
        cost=_number(rows, "cost_wan"),
        begun=np.where(kept, np.datetime64("NaT"), begun),
    )
    return cases, given.notes


def arranged(
    ledger: Ledger, date: Date, known: dict[str, Practice], asked: Asked, labels: Mapping[str, Pair] | None = None
) -> tuple[Plan, tuple[Note, ...]]:
    """Return the cases to be drawn: the ledger's own, a plan in their place, and what is added to either, with what is to be told."""
    cases, told = open_plan(ledger, date, known)
    if asked.plan is not None:
        given, remarks = given_plan(asked.plan, ledger, date, known, labels, asked.words)
        told = (*_replaced(given, cases), *remarks)
        cases = given
    if asked.add is not None:
        more, remarks = given_plan(asked.add, ledger, date, known, labels, asked.words)
        over = np.isin(cases.at, more.at)
        told = (*told, note("plan_added", n=len(more.at), over=int(over.sum())), *remarks)
        cases = joined(chosen(cases, ~over), more)
    return cases, told


def clock(begun: np.ndarray, date: Date) -> tuple[np.ndarray, np.ndarray]:
    """Return how many months from the date each case starts, and how many it has been open by then, never below 0."""
    end = np.datetime64(date.end, "D")
    return _months(np.full(len(begun), end), begun), _months(begun, end)


def proposed(at: np.ndarray, method: str, begun: np.datetime64, date: Date) -> Plan:
    """Return cases of one method that begin on one day, at the positions ``at``, nothing else being known of them."""
    n, blank = len(at), np.full(len(at), np.nan)
    start, age = clock(np.full(n, begun), date)
    methods = np.full(n, method, dtype=object)
    return Plan(at, methods, start, age, blank, blank, np.full(n, -1), blank, np.full(n, begun))


def _replaced(given: Plan, own: Plan) -> tuple[Note, ...]:
    dropped = int((~np.isin(own.at, given.at)).sum())
    return (note("plan_given", n=len(given.at), own=len(own.at), dropped=dropped),)


def chosen(plan: Plan, which: np.ndarray) -> Plan:
    """Return some cases of a plan."""
    return Plan(**{name: column[which] for name, column in vars(plan).items()})


def joined(one: Plan, other: Plan) -> Plan:
    """Put two plans of different enterprises together, by position."""
    order = np.argsort(np.concatenate([one.at, other.at]), kind="stable")
    return Plan(**{name: np.concatenate([column, vars(other)[name]])[order] for name, column in vars(one).items()})


def _number(frame: pd.DataFrame, column: str) -> np.ndarray:
    return frame[column].to_numpy(dtype=float, na_value=np.nan) if column in frame else np.full(len(frame), np.nan)


def _day(frame: pd.DataFrame, column: str) -> np.ndarray:
    none = np.full(len(frame), np.datetime64("NaT"), dtype="datetime64[D]")
    return frame[column].to_numpy(dtype="datetime64[D]") if column in frame else none


def _successor(frame: pd.DataFrame, ledger: Ledger) -> np.ndarray:
    """Return the position of each row's successor (承接企业) among the ledger's codes, -1 where it names none of them."""
    if "successor_code" not in frame:
        return np.full(len(frame), -1)
    return book(ledger).positions(frame["successor_code"].fillna("").astype(str))


def finished_cases(ledger: Ledger, history: Panel, methods: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Lay out by method in which part of each year, and of the year to come, a finished case was in force (`in_force`)."""
    laid = book(ledger)
    rows = cases(laid)
    done = ~np.isnat(rows.finished) & ~np.isin(rows.outcome, FAILED) & (rows.at >= 0)
    first = np.datetime64(f"{history.years[0]}-01-01")
    out = {}
    for name in methods:
        mine = np.flatnonzero(done & (rows.method == name))
        if len(mine):
            ends = np.full(len(laid), np.inf)
            np.minimum.at(ends, rows.at[mine], _months(np.full(len(mine), first), rows.finished[mine]))
            out[name] = in_force(ends, len(history.years) + 1, history.calendar, history.month)
    return out


def in_force(ends: np.ndarray, years: int, calendar: np.ndarray, month: int) -> np.ndarray:
    """Weigh by the calendar in which part of each year a case was in force, shape (3, n, years).

    Parameters
    ----------
    ends
        Months from the first January to the day that each case was finished, infinite without one, shape (n,).
    calendar
        Share of a year's tax paid by the end of 0 to 12 months.
    month
        Months of each year that are known.

    Returns
    -------
    numpy.ndarray
        Share of the whole year, of its first ``month`` months (0 without), and of the year before.
    """
    starts, months = ends[:, None] - 12.0 * np.arange(years), np.arange(13.0)
    paid = np.interp(starts, months, calendar)
    known = np.maximum(1 - paid / calendar[month], 0.0) if calendar[month] > 0 else np.zeros_like(paid)
    return np.stack([1 - paid, known, 1 - np.interp(starts + 12, months, calendar)])


def _months(start: np.ndarray, until: np.ndarray | np.datetime64) -> np.ndarray:
    """Months between days, not below 0, NaN where either is not known."""
    days = until - start
    return np.where(np.isnat(days), np.nan, np.maximum(days.astype(float), 0.0)) / 30.4375


def informed(
    practices: dict[str, Practice], found: dict[str, tuple[float, float]], spread: float | None = None
) -> dict[str, Practice]:
    """Update each method's effect by what the county's finished cases show: Normal prior; ``found`` is estimate and standard error.

    With ``spread`` (log points), that of a firm's yearly change, the estimate is taken for one of cases picked by how they went: had all
    of them been the luckiest share p of those begun, it would be too high by b = spread × φ(Φ⁻¹(1 − p)) / p, p being the chance of being
    done; it is lowered by b / 2 and b is added to its error.
    """
    out = dict(practices)
    for name, (estimate, error) in found.items():
        mean, sd = practices[name].effect
        if sd > 0 and error > 0:
            bias = 0.0 if spread is None else spread * _picked(practices[name])
            weight = sd**2 / (sd**2 + error**2 + bias**2)
            effect = (mean + weight * (estimate - bias / 2 - mean), float(sd * np.sqrt(1 - weight)))
            out[name] = replace(practices[name], effect=effect)
    return out


def _picked(practice: Practice) -> float:
    """Mean of a standard normal's highest share, that of a method's cases that are done within a year."""
    a, b = practice.success
    share = a / (a + b)
    return float(np.exp(-(ndtri(1 - share) ** 2) / 2) / np.sqrt(2 * np.pi) / share)


def paces(ledger: Ledger, date: Date, practices: dict[str, Practice]) -> dict[str, Pace]:
    """Update each method's durations and chance of being done by the ledger's cases.

    Durations are a generalised gamma (which gamma, Weibull and nearly the lognormal are), the likeliest of a grid for the cases with a
    start date, open ones as censored, and as many assumed ones as ``success`` weighs. What that says of twelve months and the assumed
    chance of being done in them give the chance of being done at all.
    """
    rows, end = cases(book(ledger)), np.datetime64(date.end, "D")
    ended = ~np.isnat(rows.finished)
    age = _months(rows.started, np.where(ended, rows.finished, end))
    failed = np.isin(rows.outcome, FAILED)
    out = {}
    for name, practice in practices.items():
        mine = (rows.method == name) & (rows.at >= 0)
        use = mine & ~np.isnan(age)
        a, b = practice.success
        prior = gammainc(*_gamma(practice.duration, 12.0))
        share = min(a / (a + b) / prior, MOST_DONE)
        done, given_up = np.sum(mine & ended & ~failed), np.sum(mine & failed)
        out[name] = Pace(
            hazard=_hazard(practice.duration, a + b, tuple(age[use & ended]), tuple(age[use & ~ended & ~failed])),
            cases=float(a + b + np.sum(use & ended)),
            done=(share * (a + b) + float(done), (1 - share) * (a + b) + float(given_up)),
            speed=practice.speed,
        )
    return out


def _gamma(duration: tuple[float, float], months: np.ndarray | float) -> tuple[float, Any]:
    """Shape of a gamma of a mean and spread, and months in its scale."""
    mean, spread = duration
    return (mean / spread) ** 2, np.asarray(months) * mean / spread**2


@lru_cache(maxsize=256)
def _hazard(
    duration: tuple[float, float], weight: float, ended: tuple[float, ...], still: tuple[float, ...]
) -> tuple[float, ...]:
    """Cumulative hazard at `AGES` of the likeliest generalised gamma, the prior counting as ``weight`` ended cases."""
    shape, power, times = (g.ravel()[:, None] for g in np.meshgrid(SHAPES, POWERS, TIMES, indexing="ij"))
    scale = times * duration[0] * np.exp(gammaln(shape) - gammaln(shape + 1 / power))

    def density(months: np.ndarray) -> np.ndarray:
        x = (months / scale) ** power
        return np.log(power / months) + shape * np.log(x) - x - gammaln(shape)

    own, _ = _gamma(duration, 1.0)
    typical = gammaincinv(own, (np.arange(40) + 0.5) / 40) * duration[0] / own
    likelihood = weight * density(typical).mean(axis=1)
    for ages, log in (
        (ended, density),
        (still, lambda x: np.log(np.maximum(gammaincc(shape, (x / scale) ** power), 1e-300))),
    ):
        months, times_seen = np.unique(np.maximum(np.round(np.array(ages) * 2) / 2, 0.25), return_counts=True)
        likelihood += log(months) @ times_seen if len(months) else 0.0
    best = np.argmax(likelihood)
    survival = gammaincc(shape[best], (AGES / scale[best]) ** power[best])
    return tuple(-np.log(np.maximum(survival, 1e-12)))


def finishing(names: list[str], pace: dict[str, Pace], sampling: Sampling, year: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw what the county shares of each method: a multiple of its hazard, and its chance that an end is done; (draws, methods) each."""
    hurry, luck = (
        uniforms(code_keys(f"{word} {name}" for name in names), sampling, year, "county")
        for word in ("finishing", "done")
    )
    events = np.array([pace[n].cases for n in names])
    speed = np.array([pace[n].speed for n in names])
    a, b = np.array([pace[n].done for n in names]).T
    return np.maximum(gammaincinv(events, hurry) / events * speed, 1e-12), betaincinv(a, b, luck)


def months_to_finish(plan: Plan, panel: Panel, pace: dict[str, Pace], sampling: Sampling, year: int) -> np.ndarray:
    """Draw how many months from the date of knowledge each case takes to be done, infinite where it is given up; (draws, cases).

    Given the time that it has been open; where no start is known, that of a case met open at any moment (density ∝ survival).
    """
    names = sorted(set(plan.method.astype(str)))
    if not names:
        return np.zeros((sampling.draws, 0))
    hurry, done = finishing(names, pace, sampling, year)
    wait, coin, since = (uniforms(panel.keys[plan.at], sampling, year, word) for word in ("finish", "done", "age"))
    out = np.full(wait.shape, np.inf)
    for j, name in enumerate(names):
        mine, hazard = np.flatnonzero(plan.method == name), np.array(pace[name].hazard)
        survived = np.append(0.0, np.cumsum((np.exp(-hazard[1:]) + np.exp(-hazard[:-1])) / 2))
        met = np.interp(since[:, mine] * survived[-1], survived, AGES)
        age = np.minimum(np.where(np.isnan(plan.age[mine]), met, plan.age[mine]), OLDEST)
        due = np.interp(age, AGES, hazard) - np.log(wait[:, mine]) / hurry[:, [j]]
        months = plan.start[mine] + np.interp(due, hazard, AGES) - age
        out[:, mine] = np.where(coin[:, mine] < done[:, [j]], months, np.inf)
    return out


def disposed(months: np.ndarray, end: int, calendar: np.ndarray = EVEN) -> Disposed:
    """Tell what has been finished by the end of a year that is ``end`` months from the date, for months to finish (draws, cases).

    ``calendar`` (share of a year's tax paid by the end of 0 to 12 months) weighs what is in force.
    """
    done = months <= end
    return Disposed(done, done & (months > end - 12), 1 - np.interp(12 - end + months, np.arange(13.0), calendar))


def effects(names: list[str], practices: dict[str, Practice], sampling: Sampling, year: int) -> np.ndarray:
    """Draw each method's effect on log tax, one for the county in each draw, shape (draws, methods)."""
    mean, sd = np.array([practices[n].effect for n in names]).reshape(-1, 2).T
    return mean + sd * ndtri(uniforms(code_keys(f"effect {name}" for name in names), sampling, year, "county"))


def own_effects(plan: Plan, panel: Panel, practices: dict[str, Practice], sampling: Sampling, year: int) -> np.ndarray:
    """Draw each case's effect on log tax, its method's and the firm's own part, shape (draws, cases)."""
    names = sorted(practices)
    shared = effects(names, practices, sampling, year)[:, np.searchsorted(names, plan.method.astype(str))]
    own = np.array([practices[name].own for name in plan.method])
    return shared + own * ndtri(uniforms(panel.keys[plan.at], sampling, year, "effect"))


def land_leaving(plan: Plan, panel: Panel, practices: dict[str, Practice], sampling: Sampling, year: int) -> np.ndarray:
    """Draw the share of its land that each case takes away: as planned (no more than all), else as assumed; (draws, cases)."""
    words = uniforms(panel.keys[plan.at], sampling, year, "leave")
    with np.errstate(divide="ignore", invalid="ignore"):
        planned = np.clip(plan.released / panel.land[plan.at, -1], 0.0, 1.0)
    out = np.zeros(words.shape)
    for name, practice in practices.items():
        mine = plan.method == name
        if practice.gone:
            out[:, mine] = 1.0
        elif practice.leaves is not None and mine.any():
            drawn = _shares(*practice.leaves)[(words[:, mine] * SHARES).astype(np.intp)]
            out[:, mine] = np.where(np.isnan(planned[mine]), drawn, planned[mine])
    return out


@lru_cache(maxsize=64)
def _shares(a: float, b: float) -> np.ndarray:
    """Points of a Beta at the middles of `SHARES` equal odds."""
    return betaincinv(a, b, (np.arange(SHARES) + 0.5) / SHARES)


def lift(plan: Plan, panel: Panel, practices: dict[str, Practice]) -> np.ndarray:
    """Return what a full year under a better successor adds to each case's log tax, shape (cases,); 0 where none is known.

    catch_up × log(successor's tax per mu / own), from the latest known year, never below 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = panel.tax[:, -1] / panel.land[:, -1]
        gap = np.log(ratio[plan.successor] / ratio[plan.at])
    usable = _succeeded(plan) & (ratio[plan.successor] > 0) & (ratio[plan.at] > 0)
    share = np.array([practices[name].catch_up for name in plan.method])
    return np.where(usable, share * np.maximum(np.where(usable, gap, 0.0), 0.0), 0.0)


def _succeeded(plan: Plan) -> np.ndarray:
    """Tell which cases name another enterprise of the ledger as successor, shape (cases,)."""
    return (plan.successor >= 0) & (plan.successor != plan.at)


def takers(plan: Plan, panel: Panel, practices: dict[str, Practice]) -> np.ndarray:
    """Return the cases whose land goes to another enterprise of known land, shape (m,)."""
    parts = np.array([practices[name].leaves is not None for name in plan.method], dtype=bool)
    land = panel.land[:, -1]
    return np.flatnonzero(_succeeded(plan) & parts & (land[plan.successor] > 0) & (land[plan.at] > 0))


def taken_over(
    plan: Plan, panel: Panel, practices: dict[str, Practice], share: np.ndarray, months: np.ndarray, end: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return who takes land over, and by how much their land and tax grow, as multiples of their own: (k,), (draws, k) twice.

    ``share`` is what each case has given away by the year's end of its land, ``months`` how many from the date of knowledge it takes to
    its end, shape (draws, cases) each; ``end`` is the months to the year's end.
    """
    some = takers(plan, panel, practices)
    to, column = np.unique(plan.successor[some], return_inverse=True)
    land, tax = np.zeros((len(share), len(to))), np.zeros((len(share), len(to)))
    own = panel.land[:, -1]
    for i, j in zip(some, column, strict=True):
        grows = share[:, i] * own[plan.at[i]] / own[plan.successor[i]]
        land[:, j] += grows
        tax[:, j] += grows * ramped(end - months[:, i], practices[str(plan.method[i])].ramp_up)
    return to, land, tax


def ramped(age: np.ndarray, months: float) -> np.ndarray:
    """Mean over the last twelve months of how far a site taken over ``age`` months ago has come, in a straight line over ``months``."""

    def area(age: np.ndarray) -> np.ndarray:
        age = np.maximum(age, 0.0)
        return age if months <= 0 else np.where(age < months, age**2 / (2 * months), age - months / 2)

    return (area(age) - area(age - 12)) / 12


FAILED = ("未完成",)
SHARES, MOST_DONE, OLDEST = 1024, 0.98, 120.0
AGES = np.arange(241.0)
SHAPES, POWERS = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0), (0.5, 0.75, 1.0, 1.5, 2.0)
TIMES = np.exp(np.linspace(-1.6, 1.6, 65))  # the mean duration, as a multiple of what is assumed
