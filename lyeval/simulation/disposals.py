"""Disposals in progress (处置): when each ends, and what it does to tax and land, drawn over the years to come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import betaincinv, gammaincinv, ndtri

from lyeval.indicators import book, cases, exits, year_end
from lyeval.ledger import Ledger
from lyeval.simulation.draws import Sampling
from lyeval.simulation.known import Date
from lyeval.simulation.notes import Note, note
from lyeval.simulation.philox import STREAMS, code_keys, uniforms


@dataclass(frozen=True)
class Practice:
    """What is assumed of a disposal method (parameters/assumptions/methods.yaml).

    Attributes
    ----------
    id
        The method: upgrade, rectify, merge, partition, land_bank, judicial, shut_down, contract.
    success
        Beta (a, b) of a case being finished within twelve months.
    hazard
        Chance that an open case with a start date is finished in a month.
    effect
        Mean and sd of the effect on log tax over a full year, relative to what the enterprise would have paid anyway.
    leaves
        Beta (a, b) of the share of the land that leaves; None: none does.
    gone, closed
        The whole site leaves (收储); the plant is closed (关停) and its land stays until released.
    speed
        Pace from the date of knowledge on, as a multiple of the one that the prior and past cases give.
    catch_up
        Share of the gap to a better successor's log tax per mu that a full year closes; 0: none.
    ramp_up
        Months until who takes over land that leaves pays as much on it as on its own.
    """

    id: str
    success: tuple[float, float]
    hazard: float
    effect: tuple[float, float]
    leaves: tuple[float, float] | None
    gone: bool
    closed: bool
    speed: float = 1.0
    catch_up: float = 0.0
    ramp_up: float = 0.0


@dataclass(frozen=True, eq=False)
class Plan:
    """Open cases, one row each.

    Attributes
    ----------
    at
        Position of the enterprise among the ledger's codes, shape (cases,).
    method
        Id of the method, shape (cases,).
    start, dated
        Months from the date of knowledge to the start, 0 for those begun; whether the start is known. Shape (cases,).
    released, demolished
        Land to be released (亩) and floor area to be demolished (m²) as planned, NaN unknown, shape (cases,).
    successor
        Position of who takes over, -1 unknown or not in the ledger, shape (cases,).
    """

    at: np.ndarray
    method: np.ndarray
    start: np.ndarray
    dated: np.ndarray
    released: np.ndarray
    demolished: np.ndarray
    successor: np.ndarray


@dataclass(frozen=True, eq=False)
class Left:
    """What disposals came to between the latest annual figures and the date of knowledge, shape (n,) each.

    Attributes
    ----------
    gone, released
        Closed, bankrupt or wholly banked by the date; its land released or taken over.
    kept
        Share of the annual figures' land that an enterprise still holds, 0 to 1.
    """

    gone: np.ndarray
    released: np.ndarray
    kept: np.ndarray


def left_since(ledger: Ledger, date: Date, land: np.ndarray) -> Left:
    """Read off the ledger who has gone and what land has been released by the date of knowledge.

    Parameters
    ----------
    land
        Land of the annual figures' year, 亩, shape (n,).
    """
    laid = book(ledger)
    now, before = (exits(laid, year_end(year), land) for year in (date.year, date.facts_year))
    gone = now.gone.true
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num((now.released - before.released) / land, posinf=0.0, neginf=0.0)
        whole = now.released >= land * (1 - 1e-9)
    released = gone & (now.banked.true | now.successor | whole)
    return Left(gone, released, np.where(gone, 1.0, np.clip(1 - share, 0.0, 1.0)))


@dataclass(frozen=True, eq=False)
class Disposed:
    """What disposals have done by the end of a year, for the enterprises with a case: shape (draws, cases) each.

    Attributes
    ----------
    at
        Position of each case's enterprise, shape (cases,).
    done, fresh
        Finished by the year's end; finished within the year.
    in_force
        Share of the year for which a finished case was in force, 0 to 1.
    """

    at: np.ndarray
    done: np.ndarray
    fresh: np.ndarray
    in_force: np.ndarray


def open_plan(ledger: Ledger, practices: dict[str, Practice]) -> tuple[Plan, tuple[Note, ...]]:
    """Take the ledger's own disposals in progress: 进行中, 未启动 or blank, and not finished."""
    rows = cases(book(ledger))
    live = np.isnat(rows.finished) & np.isin(rows.outcome, LIVE) & (rows.at >= 0)
    known = np.isin(rows.method, list(practices))
    frame = ledger.disposals
    demolished = _number(frame, "demolished_m2")
    use = live & known
    first = _first_of_each(rows.at, use)
    notes = [note("no_method", n=int(np.sum(live & ~known)))] if (live & ~known).any() else []
    if use.sum() > first.sum():
        notes.append(note("several_cases", n=int(use.sum() - first.sum())))
    done_m2 = ~np.isnat(_day(frame, "demolished_on"))
    left = np.where(done_m2, 0.0, demolished)
    order = np.flatnonzero(first)[np.argsort(rows.at[first], kind="stable")]
    dated = ~np.isnat(_day(frame, "started"))[order]
    start = np.zeros(len(order))
    after = _successor(frame, ledger)[order]
    return Plan(rows.at[order], rows.method[order], start, dated, rows.released[order], left[order], after), tuple(
        notes
    )


def _first_of_each(at: np.ndarray, use: np.ndarray) -> np.ndarray:
    """Keep one used row of each enterprise, the first as read."""
    where = np.flatnonzero(use)
    _, first = np.unique(at[where], return_index=True)
    out = np.zeros(len(use), dtype=bool)
    out[where[first]] = True
    return out


def _number(frame: pd.DataFrame, column: str) -> np.ndarray:
    return frame[column].to_numpy(dtype=float, na_value=np.nan) if column in frame else np.full(len(frame), np.nan)


def _day(frame: pd.DataFrame, column: str) -> np.ndarray:
    none = np.full(len(frame), np.datetime64("NaT"), dtype="datetime64[D]")
    return frame[column].to_numpy(dtype="datetime64[D]") if column in frame else none


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
    start = np.maximum(months.fillna(0).to_numpy(dtype=float), 0.0)
    released, demolished = _number(ordered, "released_mu"), _number(ordered, "demolished_m2")
    return Plan(at, method, start, started.notna().to_numpy(), released, demolished, _successor(ordered, ledger))


def _successor(frame: pd.DataFrame, ledger: Ledger) -> np.ndarray:
    """Return the position of each row's successor (承接企业) among the ledger's codes, -1 where it names none of them."""
    if "successor_code" not in frame:
        return np.full(len(frame), -1)
    return book(ledger).positions(frame["successor_code"].fillna("").astype(str))


def _refuse(rule: str, wrong: object) -> None:
    names = sorted({str(name) for name in np.asarray(wrong)})
    if names:
        raise ValueError(f"plan: {rule}: {', '.join(names[:5])}{' …' if len(names) > 5 else ''}")


@dataclass(frozen=True)
class Pace:
    """How fast a method's cases end, prior and the ledger's cases together.

    Attributes
    ----------
    yearly
        Beta (a, b) of a case being finished within twelve months.
    monthly
        Gamma (events, months) of the hazard of dated cases.
    speed
        Multiple of both from the date of knowledge on.
    """

    yearly: tuple[float, float]
    monthly: tuple[float, float]
    speed: float = 1.0


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


def _county_words(stem: str, names: list[str], sampling: Sampling, year: int) -> np.ndarray:
    """One uniform number for each method and draw, the same for all its cases: shape (draws, methods)."""
    keys = code_keys(f"{stem} {name}" for name in names)
    return uniforms(keys, sampling.draws, year=year, stream=STREAMS["county"], seed=sampling.seed)


def _case_words(plan: Plan, codes: np.ndarray, sampling: Sampling, year: int, stream: str) -> np.ndarray:
    """One uniform number for each case and draw: shape (draws, cases)."""
    return uniforms(code_keys(codes[plan.at]), sampling.draws, year=year, stream=STREAMS[stream], seed=sampling.seed)


def finishing(names: list[str], pace: dict[str, Pace], sampling: Sampling, year: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw each method's monthly hazard for undated and for dated cases, one for the county in a draw: (draws, methods) each.

    Gamma for dated cases; for undated ones that of the Beta of being finished within twelve months.
    """
    words = _county_words("finishing", names, sampling, year)
    speed = np.array([pace[n].speed for n in names])
    yearly = np.column_stack([betaincinv(*pace[n].yearly, words[:, j]) for j, n in enumerate(names)])
    events, exposure = np.array([pace[n].monthly for n in names]).T
    dated = np.maximum(gammaincinv(events, words) / exposure * speed, 1e-12)
    return np.maximum(-np.log1p(-np.clip(yearly, 1e-9, 1 - 1e-9)) / 12 * speed, 1e-12), dated


def months_to_finish(plan: Plan, codes: np.ndarray, pace: dict[str, Pace], sampling: Sampling, year: int) -> np.ndarray:
    """Draw how many months from the date of knowledge each case takes, at its method's hazard, shape (draws, cases)."""
    names = sorted(set(plan.method.astype(str)))
    if not names:
        return np.zeros((sampling.draws, 0))
    undated, dated = finishing(names, pace, sampling, year)
    mine = np.searchsorted(names, plan.method.astype(str))
    hazard = np.where(plan.dated, dated[:, mine], undated[:, mine])
    return plan.start - np.log(_case_words(plan, codes, sampling, year, "finish")) / hazard


def planned_share(plan: Plan, land: np.ndarray) -> np.ndarray:
    """Return the share of its land that each case is planned to release, shape (cases,), NaN unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip(plan.released / land[plan.at], 0.0, 1.0)


def land_leaving(
    plan: Plan, codes: np.ndarray, land: np.ndarray, practices: dict[str, Practice], sampling: Sampling, year: int
) -> np.ndarray:
    """Draw the share of its land that each case takes away: as planned, else as assumed; shape (draws, cases)."""
    words = _case_words(plan, codes, sampling, year, "leave")
    out, planned = np.zeros(words.shape), planned_share(plan, land)
    for name, practice in practices.items():
        mine = plan.method == name
        if practice.gone:
            out[:, mine] = 1.0
        elif practice.leaves is not None and mine.any():
            drawn = shares_leaving(practice)[(words[:, mine] * SHARES).astype(np.intp)]
            out[:, mine] = np.where(np.isnan(planned[mine]), drawn, planned[mine])
    return out


def shares_leaving(practice: Practice) -> np.ndarray:
    """Return the share of land that leaves at the middles of `SHARES` equal odds, shape (SHARES,)."""
    return _shares(*(practice.leaves or (1.0, 1.0)))


@lru_cache(maxsize=64)
def _shares(a: float, b: float) -> np.ndarray:
    out = betaincinv(a, b, (np.arange(SHARES) + 0.5) / SHARES)
    out.setflags(write=False)
    return out


def disposed(plan: Plan, months: np.ndarray, date: Date, year: int) -> Disposed:
    """Tell what has been finished by the end of ``year``, shape (draws, cases)."""
    end = (year - date.year) * 12 + 12 - date.month
    begin = end - 12
    done = months <= end
    return Disposed(plan.at, done, done & (months > begin), np.clip((end - months) / 12, 0.0, 1.0))


def effects(names: list[str], practices: dict[str, Practice], sampling: Sampling, year: int) -> np.ndarray:
    """Draw each method's effect on log tax, one for the county in each draw, shape (draws, methods)."""
    mean, sd = np.array([practices[n].effect for n in names]).reshape(-1, 2).T
    return mean + sd * ndtri(_county_words("effect", names, sampling, year))


def informed(practices: dict[str, Practice], found: dict[str, tuple[float, float]]) -> dict[str, Practice]:
    """Update each method's effect by what the county's past cases show (Normal prior, Normal evidence).

    Parameters
    ----------
    found
        Estimate and standard error by method.
    """
    out = dict(practices)
    for name, (estimate, error) in found.items():
        mean, sd = practices[name].effect
        if sd > 0 and error > 0:
            weight = sd**2 / (sd**2 + error**2)
            effect = (mean + weight * (estimate - mean), sd * np.sqrt(1 - weight))
            out[name] = replace(practices[name], effect=effect)
    return out


LIVE = ("", "进行中", "未启动")
FAILED = ("未完成",)
SHARES = 1024
