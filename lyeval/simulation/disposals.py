"""Disposals in progress (处置): when each ends, what it does to tax and land, and who takes over (承接企业), over the years to come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import betaincinv, gammaincinv, ndtri

from lyeval.indicators import book, cases, exits, year_end
from lyeval.ledger import Ledger
from lyeval.simulation.draws import Sampling, uniforms
from lyeval.simulation.known import Date, Note, Panel, code_keys, note


@dataclass(frozen=True)
class Practice:
    """What is assumed of a disposal method (parameters/assumptions/methods.yaml)."""

    id: str
    success: tuple[float, float]  # Beta (a, b) of a case being finished within twelve months
    hazard: float  # chance that an open case with a start date is finished in a month
    effect: tuple[float, float]  # mean and sd on log tax over a full year, relative to what it would have paid anyway
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
    dated: np.ndarray  # the start is known
    released: np.ndarray  # land to be released as planned, 亩, NaN unknown
    demolished: np.ndarray  # floor area to be demolished as planned, m², NaN unknown
    successor: np.ndarray  # position of who takes over, -1 unknown or not in the ledger


@dataclass(frozen=True, eq=False)
class Left:
    """What disposals came to between the latest annual figures and the date of knowledge, shape (n,) each."""

    gone: np.ndarray  # closed, bankrupt or wholly banked by the date
    released: np.ndarray  # its land released or taken over
    kept: np.ndarray  # share of the annual figures' land still held, 0 to 1


@dataclass(frozen=True)
class Pace:
    """How fast a method's cases end, prior and the ledger's cases together."""

    yearly: tuple[float, float]  # Beta (a, b) of a case being finished within twelve months
    monthly: tuple[float, float]  # Gamma (events, months) of the hazard of dated cases
    speed: float = 1.0  # multiple of both from the date of knowledge on


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


def open_plan(ledger: Ledger, practices: dict[str, Practice]) -> tuple[Plan, tuple[Note, ...]]:
    """Take the ledger's own disposals in progress (进行中, 未启动 or blank, and not finished), the first of each enterprise."""
    rows, frame = cases(book(ledger)), ledger.disposals
    live = np.isnat(rows.finished) & np.isin(rows.outcome, LIVE) & (rows.at >= 0)
    use = live & np.isin(rows.method, list(practices))
    where = np.flatnonzero(use)
    order = where[np.unique(rows.at[where], return_index=True)[1]]
    done_m2 = ~np.isnat(_day(frame, "demolished_on"))
    plan = Plan(
        at=rows.at[order],
        method=rows.method[order],
        start=np.zeros(len(order)),
        dated=~np.isnat(_day(frame, "started"))[order],
        released=rows.released[order],
        demolished=np.where(done_m2, 0.0, _number(frame, "demolished_m2"))[order],
        successor=_successor(frame, ledger)[order],
    )
    left_out = {"no_method": int(np.sum(live & ~use)), "several_cases": len(where) - len(order)}
    return plan, tuple(note(kind, n=n) for kind, n in left_out.items() if n)


def given_plan(frame: pd.DataFrame, ledger: Ledger, date: Date, practices: dict[str, Practice]) -> Plan:
    """Read a plan with columns credit_code, method and (if it has) started, released_mu, demolished_m2, successor_code.

    Raises
    ------
    ValueError
        If a column is missing, a code is not in the ledger, a method is unknown, or an enterprise stands twice.
    """
    missing = [c for c in ("credit_code", "method") if c not in frame]
    if missing:
        raise ValueError(f"plan 缺列 {missing} / lacks the columns {missing}")
    ordered = frame.sort_values("credit_code", kind="stable")
    codes, method = ordered["credit_code"].astype(str), ordered["method"].astype(str).to_numpy(dtype=object)
    at = book(ledger).positions(codes)
    _refuse("统一社会信用代码不在台账 / credit codes not in the ledger", codes[at < 0])
    _refuse(f"处置方式应为 / methods must be among {sorted(practices)}", method[~np.isin(method, list(practices))])
    _refuse("企业重复 / enterprises stand twice", codes[codes.duplicated()])
    started = pd.to_datetime(ordered["started"]) if "started" in ordered else pd.Series(pd.NaT, index=ordered.index)
    months = (started.dt.year - date.year) * 12 + started.dt.month - date.month
    return Plan(
        at=at,
        method=method,
        start=np.maximum(months.fillna(0).to_numpy(dtype=float), 0.0),
        dated=started.notna().to_numpy(),
        released=_number(ordered, "released_mu"),
        demolished=_number(ordered, "demolished_m2"),
        successor=_successor(ordered, ledger),
    )


def _refuse(rule: str, wrong: object) -> None:
    names = sorted({str(name) for name in np.asarray(wrong)})
    if names:
        raise ValueError(f"plan: {rule}: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}")


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


def treated(ledger: Ledger, years: np.ndarray, month: int, methods: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Lay out by method how much more of each year a finished case was in force than of the year before, 0 to 1, shape (n, years).

    The methods' effect on tax is estimated from it. What came into force in the first ``month`` months shows in the year to date already,
    so only cases finished later count; 0: all cases count, with what last year's have left to give.
    """
    laid = book(ledger)
    rows = cases(laid)
    done = ~np.isnat(rows.finished) & ~np.isin(rows.outcome, FAILED) & (rows.at >= 0)
    out = {}
    for name in methods:
        mine = np.flatnonzero(done & (rows.method == name))
        if len(mine):
            out[name] = np.zeros((len(laid), len(years)))
            share = np.column_stack([_rise(rows.finished[mine], int(year), month) for year in years])
            np.maximum.at(out[name], rows.at[mine], share)
    return out


def _rise(finished: np.ndarray, year: int, month: int) -> np.ndarray:
    """Share of the year in force less that of the year before, shape (cases,)."""
    ends = (np.datetime64(f"{end}-01-01") for end in (year + 1, year))
    now, before = (np.clip((end - finished).astype(float) / 365.25, 0.0, 1.0) for end in ends)
    known = np.datetime64(f"{year}-{month:02d}", "M") + 1 if month else None
    return now - before if known is None else np.where(finished >= known.astype("datetime64[D]"), now, 0.0)


def informed(practices: dict[str, Practice], found: dict[str, tuple[float, float]]) -> dict[str, Practice]:
    """Update each method's effect by what the county's past cases show: Normal prior; ``found`` is estimate and standard error."""
    out = dict(practices)
    for name, (estimate, error) in found.items():
        mean, sd = practices[name].effect
        if sd > 0 and error > 0:
            weight = sd**2 / (sd**2 + error**2)
            effect = (mean + weight * (estimate - mean), sd * np.sqrt(1 - weight))
            out[name] = replace(practices[name], effect=effect)
    return out


def paces(ledger: Ledger, date: Date, practices: dict[str, Practice]) -> dict[str, Pace]:
    """Update each method's pace by the ledger's cases: ended ones as events, all cases' time as exposure.

    The prior hazard weighs as many events as the Beta's ``a``. A case without a start date counts as one year.
    """
    rows = cases(book(ledger))
    started, end = _day(ledger.disposals, "started"), np.datetime64(date.end, "D")
    until = np.where(np.isnat(rows.finished), end, rows.finished)
    months = np.where(np.isnat(started), 12.0, np.maximum((until - started).astype(float), 0.0) / 30.4375)
    ended = ~np.isnat(rows.finished) & ~np.isin(rows.outcome, FAILED)
    out = {}
    for name, practice in practices.items():
        (a, b), mine = practice.success, rows.method == name
        done, exposure = float(np.sum(ended & mine)), float(months[mine].sum())
        rate = max(practice.hazard, 1e-6)
        yearly, monthly = (a + done, b + max(exposure / 12 - done, 0.0)), (a + done, a / rate + exposure)
        out[name] = Pace(yearly, monthly, practice.speed)
    return out


def finishing(names: list[str], pace: dict[str, Pace], sampling: Sampling, year: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw each method's monthly hazard for undated and for dated cases, one for the county in a draw: (draws, methods) each.

    Gamma for dated cases; for undated ones that of the Beta of being finished within twelve months.
    """
    words = uniforms(code_keys(f"finishing {name}" for name in names), sampling, year, "county")
    speed = np.array([pace[n].speed for n in names])
    yearly = np.column_stack([betaincinv(*pace[n].yearly, words[:, j]) for j, n in enumerate(names)])
    events, exposure = np.array([pace[n].monthly for n in names]).T
    dated = np.maximum(gammaincinv(events, words) / exposure * speed, 1e-12)
    return np.maximum(-np.log1p(-np.clip(yearly, 1e-9, 1 - 1e-9)) / 12 * speed, 1e-12), dated


def months_to_finish(plan: Plan, panel: Panel, pace: dict[str, Pace], sampling: Sampling, year: int) -> np.ndarray:
    """Draw how many months from the date of knowledge each case takes, at its method's hazard, shape (draws, cases)."""
    names = sorted(set(plan.method.astype(str)))
    if not names:
        return np.zeros((sampling.draws, 0))
    undated, dated = finishing(names, pace, sampling, year)
    mine = np.searchsorted(names, plan.method.astype(str))
    hazard = np.where(plan.dated, dated[:, mine], undated[:, mine])
    return plan.start - np.log(uniforms(panel.keys[plan.at], sampling, year, "finish")) / hazard


def disposed(months: np.ndarray, end: int) -> Disposed:
    """Tell what has been finished by the end of a year that is ``end`` months from the date, for months to finish (draws, cases)."""
    done = months <= end
    return Disposed(done, done & (months > end - 12), np.clip((end - months) / 12, 0.0, 1.0))


def effects(names: list[str], practices: dict[str, Practice], sampling: Sampling, year: int) -> np.ndarray:
    """Draw each method's effect on log tax, one for the county in each draw, shape (draws, methods)."""
    mean, sd = np.array([practices[n].effect for n in names]).reshape(-1, 2).T
    return mean + sd * ndtri(uniforms(code_keys(f"effect {name}" for name in names), sampling, year, "county"))


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


LIVE = ("", "进行中", "未启动")
FAILED = ("未完成",)
SHARES = 1024
