"""The arithmetic of a target: value, goal, gap, what is needed, status, bounds, and the enterprises that it turns on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from lyeval.assessment.frame import Frame, class_line, land_of, threshold, under
from lyeval.indicators import (
    RELATIVE,
    STATISTICS,
    Book,
    Bounded,
    Tri,
    count,
    eliminated,
    mean,
    share,
)
from lyeval.policy import Policy, Target


@dataclass(frozen=True, eq=False)
class Members:
    """Who a target counts, and on which side of the line each stands.

    Attributes
    ----------
    member, hit
        Who belongs; who is on the counted side. Shape (n,).
    weight, lowest, highest
        Enterprises (1) or land (亩), with bounds where unknown, shape (n,).
    tax, land
        The target year's tax and land as counted, shape (n,).
    """

    member: Tri
    hit: Tri
    weight: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    tax: np.ndarray
    land: np.ndarray


@dataclass(frozen=True, eq=False)
class Outcome:
    """A target of one year, decided.

    Attributes
    ----------
    bounded
        Value and bounds.
    goal, status
        The value to reach (None unknown) and met, missed or undetermined.
    needed, short_by
        In the target's own things (firms, 亩, 万元, m²): where its numerator must stand, and what it lacks (or has too much).
    reason
        Why it is undetermined: ``empty_class``, ``no_quota`` or ``missing_facts: tax_wan×3, …``; else None.
    missing
        Number of enterprises by fact that the verdict waits for.
    turns_on
        Positions of the enterprises that it turns on, the weightiest first.
    doubt
        What an exemption whose column is there and wholly blank could turn; None where it could turn nothing.
    """

    target: Target
    bounded: Bounded
    goal: float | None
    status: str
    needed: float | None
    short_by: float | None
    reason: str | None
    missing: dict[str, int]
    turns_on: np.ndarray
    members: Members | None = field(default=None, repr=False)
    doubt: Doubt | None = field(default=None, repr=False)


@dataclass(frozen=True, eq=False)
class Doubt:
    """What exemptions that the ledger tells nothing of could make of a target.

    Attributes
    ----------
    bounded
        Its value, with bounds for any of the enterprises in or out.
    turns
        Whether that could turn the verdict.
    missing, turns_on
        Number of enterprises to confirm by column; their positions, the weightiest first.
    """

    bounded: Bounded
    turns: bool
    missing: dict[str, int]
    turns_on: np.ndarray


@dataclass(frozen=True)
class Inputs:
    """What the county adds: its share of city totals, facts, and the level it is judged at."""

    level: str = "county"
    quotas: dict[str, float] = field(default_factory=dict[str, float])
    facts: dict[str, float] = field(default_factory=dict[str, float])


def targets_of(policy: Policy, year: int) -> list[Target]:
    """Return the targets due in ``year``."""
    return [t for t in policy.targets if year in t.years]


def members_of(target: Target, frame: Frame) -> Members:
    """Tell who a share, count or mean is taken over, and who is on its counted side."""
    tax, land, leaves = _as_counted(target, frame)
    ratio = (
        frame.now.tax_per_mu
        if target.exited != "land_stays"
        else np.where(frame.ended, tax / land, frame.now.tax_per_mu)
    )
    stat, line = STATISTICS[target.statistic], threshold(target, frame.year)
    ratio = frame.before.tax_per_mu if stat.basis == "year_before" else ratio
    below = under(ratio, np.float64(np.nan if line is None else line), target.edge == "below")
    hit = below if stat.side == "below" else ~below
    member = cohort_of(target, frame) & class_of(target, frame)
    if target.exited == "drop":
        passed_on = stat.kind == "share" and stat.weight == "land"
        member = member & ~(frame.exits.gone | frame.exits.transferred if passed_on else frame.exits.gone)
    elif target.exited == "land_stays":
        member = member & ~leaves
    else:
        lost = target.exited == "fail"
        hit = hit | frame.exits.gone if lost == (stat.side == "below") else hit & ~frame.exits.gone
    if "disposals.written_off" in stat.columns:
        hit = hit & Tri.of(np.isnat(frame.exits.written_off))
    weight = land if stat.weight == "land" else np.ones(len(land))
    lowest, highest = _weight_bounds(weight, frame, member)
    return Members(member, hit, weight, lowest, highest, tax, land)


def _as_counted(target: Target, frame: Frame) -> tuple[np.ndarray, np.ndarray, Tri]:
    """Tax and land of the year, and who leaves; where land stays, that of the closed is theirs at the tax they report."""
    tax, land, stand = frame.now.tax, frame.now.land, frame.exits
    if target.exited != "land_stays":
        return tax, land, stand.gone
    tax = np.where(frame.ended & np.isnan(tax), 0.0, tax)
    land = np.where(frame.ended & np.isnan(land), frame.last_land, land)
    left = np.where(frame.ended, frame.unreleased, land)
    free = frame.ended & ((left <= RELATIVE * land) | stand.successor)
    return tax, np.where(free, land, left), stand.banked | stand.transferred | Tri.of(free)


def class_of(target: Target, frame: Frame) -> Tri:
    """Return who stands in the target's class, shape (n,)."""
    if target.class_ == "any":
        return Tri.all(len(frame.book), True)
    return frame.above if target.class_ == "above" else ~frame.above


def cohort_of(target: Target, frame: Frame) -> Tri:
    """Return whom the target is taken over, whatever their class, shape (n,)."""
    if target.cohort == "all":
        return frame.pool("targets")
    if target.cohort == "whole_class":
        out = Tri.all(len(frame.book), True)
        for mask in frame.excluded("targets").values():
            out = out & Tri.of(~mask)
        return out
    if target.cohort == "identified_not_eliminated":
        return frame.identified & Tri.of(~eliminated(frame.book, frame.day))
    if target.cohort in ("ever_identified", "first_list"):
        return _ever(target, frame)
    return frame.identified


def _ever(target: Target, frame: Frame) -> Tri:
    """Identified in any year since the first list (or in the first)."""
    years = [y for y in frame.policy.years.identification if y <= frame.year]
    out = Tri.all(len(frame.book), False)
    for year in years[:1] if target.cohort == "first_list" else years:
        out = out | Frame(frame.policy, frame.book, year, min(year, frame.facts_year)).identified
    return out


def _weight_bounds(weight: np.ndarray, frame: Frame, member: Tri) -> tuple[np.ndarray, np.ndarray]:
    """Bound unknown land by the enterprise's own smallest and largest of any year, else by 0 and the class's largest."""
    unknown = np.isnan(weight)
    if not unknown.any():
        return weight, weight
    own = _of_any_year(land_of, frame)
    seen = ~np.isnan(own).all(axis=0)
    top = float(np.nanmax(np.where(member.possible, weight, np.nan), initial=0.0))
    low = np.where(seen, np.nan_to_num(own, nan=np.inf).min(axis=0), 0.0)
    high = np.where(seen, np.nan_to_num(own, nan=-np.inf).max(axis=0), top)
    return np.where(unknown, low, weight), np.where(unknown, high, weight)


def _of_any_year(figure: Callable[[Policy, Book, int], np.ndarray], frame: Frame) -> np.ndarray:
    """Return a figure of every year that may bound what is unknown, shape (years, n): for a year still to come, of those before it."""
    years = [y for y in frame.book.years if frame.facts_year >= frame.year or y <= frame.facts_year]
    nothing = np.full((1, len(frame.book)), np.nan)
    return np.vstack([nothing, *(figure(frame.policy, frame.book, y) for y in years)])


def tax_interval(tax: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return tax as value, lowest and highest, 万元: nothing bounds a tax that is not known (NaN)."""
    return tax, tax, tax


def over_line(target: Target, frame: Frame) -> Outcome:
    """Decide a share, a count below or a mean, with bounds for what is unknown."""
    stat, m = STATISTICS[target.statistic], members_of(target, frame)
    goal = target.years[frame.year].value
    bounded = _bounded(stat.kind, m, m.member)
    if stat.kind == "mean":
        waits = m.member.possible & (np.isnan(m.tax) | np.isnan(m.land) | ~m.member.true)
        wrong = under(m.tax / m.land, np.float64(goal if goal is not None else np.nan)).true
    else:
        open_ = m.hit.unknown if stat.kind == "count" else m.hit.unknown | np.isnan(m.weight)
        waits = (m.member & m.hit).unknown if stat.kind == "count" else m.member.possible & (~m.member.true | open_)
        wrong = m.hit.true if stat.side == "below" else m.hit.false
    status, reason = verdict(target.op, goal, bounded, bool(waits.any()))
    missing = _missing(target, frame, m, waits) if status == "undetermined" and waits.any() else {}
    turns = ranked(waits if status == "undetermined" else m.member.true & wrong, m)
    needed, short = _distance(target, stat.kind, goal, bounded)
    outcome = Outcome(target, bounded, goal, status, needed, short, told(reason, missing), missing, turns, m)
    return unless_confirmed(outcome, frame, lambda member: _bounded(stat.kind, m, member), m, wrong)


def _bounded(kind: str, m: Members, member: Tri) -> Bounded:
    """Take a statistic over some of the members."""
    if kind == "mean":
        return mean(member, tax_interval(m.tax), (m.land, m.lowest, m.highest))
    if kind == "count":
        return count(member, m.hit)
    out = share(member, m.hit, m.weight, m.lowest, m.highest)
    if out.n or out.low is None:
        return out
    low = 0.0 if (member.possible & ~m.hit.true).any() else 1.0
    return replace(out, low=low, high=1.0 if (member.possible & m.hit.possible).any() else 0.0)


def unless_confirmed(
    outcome: Outcome, frame: Frame, over: Callable[[Tri], Bounded], m: Members, wrong: np.ndarray
) -> Outcome:
    """Hold a target against the exclusions that the ledger tells nothing of.

    Those of which it has no column widen the bounds, and the verdict is undetermined where they could turn it; the value stays that of the
    ledger as it is. Those whose column is there and wholly blank are taken as no: what they could turn is told as ``doubt``.
    """
    absent = _doubt(outcome, unconfirmed(outcome.target, frame), over, m, wrong)
    if absent is not None:
        outcome = replace(outcome, bounded=absent.bounded)
        if absent.turns:
            missing = outcome.missing | absent.missing
            turns = outcome.turns_on if outcome.status == "undetermined" else absent.turns_on
            reason = told("missing_facts", missing)
            outcome = replace(outcome, status="undetermined", reason=reason, missing=missing, turns_on=turns)
    blank = _doubt(outcome, unconfirmed(outcome.target, frame, blank=True), over, m, wrong)
    return replace(outcome, doubt=blank) if blank is not None and blank.turns else outcome


def _doubt(
    outcome: Outcome, columns: dict[str, np.ndarray], over: Callable[[Tri], Bounded], m: Members, wrong: np.ndarray
) -> Doubt | None:
    """Take a target with and without the enterprises that may be excluded; whom to confirm are those on the side that the verdict hangs on."""
    b, goal = outcome.bounded, outcome.goal
    if not columns or b.low is None or b.high is None:
        return None
    unsure = np.logical_or.reduce(list(columns.values()))
    wide = over(Tri(m.member.true & ~unsure, m.member.false))
    if wide.low is None or wide.high is None:
        return None
    b = replace(b, low=min(b.low, wide.low), high=max(b.high, wide.high))
    turns = goal is not None and verdict(outcome.target.op, goal, b, False)[0] != outcome.status
    side = m.member.possible & (~wrong if outcome.status == "met" else wrong)
    numbers = {name: int((mask & side).sum()) for name, mask in columns.items()}
    return Doubt(b, turns, {name: n for name, n in numbers.items() if n}, ranked(unsure & side, m))


def unconfirmed(target: Target, frame: Frame, *, blank: bool = False) -> dict[str, np.ndarray]:
    """Return who may be excluded from a target by a column that the ledger lacks, or has wholly blank: column → mask, shape (n,)."""
    listed = target.cohort not in ("all", "whole_class")
    return frame.unconfirmed("identification" if listed else "targets", blank=blank)


def verdict(op: str, goal: float | None, bounded: Bounded, waits: bool) -> tuple[str, str | None]:
    """Return status and reason: met or missed only where both bounds say so."""
    if goal is None:
        return "undetermined", "no_quota"
    if bounded.low is None or bounded.high is None:
        return "undetermined", "missing_facts" if waits else "empty_class"
    ends = {reaches(op, goal, bounded.low), reaches(op, goal, bounded.high)}
    if len(ends) == 2:
        return "undetermined", "missing_facts"
    return ("met" if ends.pop() else "missed"), None


def reaches(op: str, goal: float, value: float) -> bool:
    """Tell whether a value meets a goal; within 1e-9 (relative) of the goal is on it, and on it meets."""
    near = abs(value - goal) <= RELATIVE * max(abs(goal), RELATIVE)
    return near or (value > goal if op == "ge" else value < goal)


def _distance(target: Target, kind: str, goal: float | None, b: Bounded) -> tuple[float | None, float | None]:
    if goal is None or b.value is None:
        return None, None
    whole = 1.0 if kind == "count" else float(b.n) if STATISTICS[target.statistic].weight == "count" else b.whole
    needed = goal * whole
    if target.op == "ge" and STATISTICS[target.statistic].weight == "count":
        needed = math.ceil(needed - RELATIVE * max(needed, 1))
    elif STATISTICS[target.statistic].weight == "count":
        needed = math.floor(needed + RELATIVE * max(needed, 1))
    lacking = needed - b.part if target.op == "ge" else b.part - needed
    return float(needed), max(0.0, float(lacking)) if abs(lacking) > RELATIVE * max(abs(needed), 1) else 0.0


def _missing(target: Target, frame: Frame, m: Members, waits: np.ndarray) -> dict[str, int]:
    by_list = target.cohort not in ("all", "whole_class")
    facts = {
        "above_scale": frame.above.unknown,
        "finished": frame.exits.gone.unknown,
        "tax_wan": np.isnan(m.tax),
        "land_mu": np.isnan(m.land),
        "identified": frame.identified.unknown & ~m.member.true & by_list,
    }
    out = {name: int((mask & waits).sum()) for name, mask in facts.items()}
    return {name: n for name, n in out.items() if n}


def told(reason: str | None, missing: dict[str, int]) -> str | None:
    """Add the missing facts and their numbers to a reason: ``missing_facts: tax_wan×3``."""
    if reason == "missing_facts" and missing:
        return "missing_facts: " + ", ".join(f"{name}×{n}" for name, n in missing.items())
    return reason


def ranked(mask: np.ndarray, m: Members) -> np.ndarray:
    """Return the positions of a mask, the largest land first, ties by credit code."""
    at = np.flatnonzero(mask)
    return at[np.lexsort((at, -np.nan_to_num(m.land[at], nan=np.inf)))]


def statement_term(policy: Policy) -> tuple[int, str] | None:
    """Return the days of the statement period (陈述期) and their kind, as plan and reading say; None where it has none."""
    return next(((s.days, s.day_kind) for s in policy.steps if s.id == "statement" and s.days is not None), None)


def class_lines(policy: Policy, years: Iterable[int]) -> dict[tuple[int, bool], float]:
    """Return (year, whether 规上) → the line that the class is held to, 万元/亩, for those years that the plan governs."""
    governed = {*policy.years.identification, *policy.years.targets}
    return {
        (year, name == "above"): class_line(policy, year, name)
        for year in years
        if year in governed
        for name in ("above", "below")
    }
