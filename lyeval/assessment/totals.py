"""Targets on totals: closures, demolished area, blocks; and the one function that decides any target."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from lyeval.assessment.frame import Frame
from lyeval.assessment.targets import (
    Inputs,
    Members,
    Outcome,
    class_of,
    cohort_of,
    over_line,
    ranked,
    told,
    unless_confirmed,
    verdict,
)
from lyeval.indicators import MU_M2, RELATIVE, STATISTICS, Bounded, Tri, closed_within, count
from lyeval.ledger.columns import of_sheet
from lyeval.policy import Target


def decide_target(target: Target, frame: Frame, inputs: Inputs) -> Outcome:
    """Decide one target of the frame's year."""
    kind = STATISTICS[target.statistic].kind
    if kind in ("share", "count", "mean"):
        return over_line(target, frame)
    if kind == "closed":
        return _closures(target, frame, inputs)
    return _sums(target, frame, inputs, kind)


def goal_of(target: Target, frame: Frame, inputs: Inputs) -> float | None:
    """Return the goal of a target that carries a city total: the document's at city level, else the county's quota."""
    total = target.years[frame.year].value
    if target.quota == "none" or inputs.level == "city":
        return total
    if target.id in inputs.quotas:
        return inputs.quotas[target.id]
    if target.split == "by_listed" and total is not None and inputs.facts.get("city_listed"):
        part = total * float(frame.identified.true.sum()) / inputs.facts["city_listed"]
        return float(math.ceil(part - RELATIVE)) if target.statistic == "count_closed" else float(part)
    return None


def _closures(target: Target, frame: Frame, inputs: Inputs) -> Outcome:
    member, hit, land = closing(target, frame)
    there, ones = frame.book.has("disposals"), np.ones(len(frame.book))
    bounded = count(member, hit)
    waits = (member & hit).unknown
    missing = {"finished": int((hit.unknown & waits).sum())} if there else {"disposals": 1}
    missing |= {"identified": int((member.unknown & waits).sum())}
    turns = ranked(waits | (member.true & hit.true), Members(member, hit, ones, ones, ones, frame.now.tax, land))
    outcome = _quota_outcome(target, frame, inputs, bounded if there else _nothing(bounded), missing, turns)
    members = Members(member, hit, ones, ones, ones, frame.now.tax, land)
    return unless_confirmed(outcome, frame, lambda some: count(some, hit), members, ~hit.true) if there else outcome


def closing(target: Target, frame: Frame) -> tuple[Tri, Tri, np.ndarray]:
    """Return whose closure would count, whose closure does, and their land as last known (亩); shape (n,)."""
    member = cohort_of(target, frame) & class_of(target, frame)
    if target.cohort == "all":
        member = Tri.all(len(frame.book), True)
    land = np.where(np.isnan(frame.now.land), frame.last_land, frame.now.land)
    there = frame.book.has("disposals")
    hit = closed_within(frame.book, frame.year, target.outcomes, land) if there else Tri.all(len(frame.book), None)
    return member, hit, land


def _nothing(b: Bounded) -> Bounded:
    return Bounded(None, b.low, b.high, 0.0, b.whole, b.n)


def _quota_outcome(
    target: Target, frame: Frame, inputs: Inputs, b: Bounded, missing: dict[str, int], turns: np.ndarray
) -> Outcome:
    goal = goal_of(target, frame, inputs)
    status, reason = verdict(target.op, goal, b, True)
    missing = {k: v for k, v in missing.items() if v} if status == "undetermined" and goal is not None else {}
    short = None if goal is None or b.value is None else max(0.0, goal - b.value)
    return Outcome(target, b, goal, status, goal, short, told(reason, missing), missing, turns)


def _sums(target: Target, frame: Frame, inputs: Inputs, kind: str) -> Outcome:
    if kind == "blocks":
        return _blocks(target, frame, inputs)
    if not frame.book.has("disposals"):
        nothing = Bounded(None, 0.0, math.inf, 0.0, 0.0, 0)
        return _quota_outcome(target, frame, inputs, nothing, {"disposals": 1}, np.array([], dtype=int))
    at, area, inside, undated = areas(target, frame)
    value, extra = float(area[inside].sum()), float(area[undated].sum())
    n = len(np.unique(at[inside & (area > 0)]))
    bounded = Bounded(value, value, value + extra, value, value, n)
    order = np.argsort(-area, kind="stable")
    turns = pd.unique(at[order[(undated | (inside & (area > 0)))[order]]])
    return _quota_outcome(target, frame, inputs, bounded, {"demolished_on": int(undated.sum())}, turns)


def areas(target: Target, frame: Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return, for each disposal, the enterprise's position, the area it counts (m²), whether it falls in the year, and whether undated."""
    rows = frame.book.ledger.disposals
    at = frame.book.positions(rows["credit_code"])
    column, *dates = (name.partition(".")[2] for name in STATISTICS[target.statistic].columns)
    area = _area(rows, column)
    if target.only_scattered:
        area = np.where(frame.book.flag("scattered").true[at], area, 0.0)
    day = _first_date(rows, dates)
    inside = (day >= np.datetime64(f"{frame.year}-01-01")) & (day <= np.datetime64(f"{frame.year}-12-31"))
    return at, area, inside, np.isnat(day) & (area > 0)


def block_rows(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows of the sheet of blocks are approved, and which of them are completed by the year's end."""
    rows = frame.book.ledger.blocks
    approved = ~np.isnat(_first_date(rows, ["approved"]))
    return approved, approved & (_first_date(rows, ["completed"]) <= np.datetime64(f"{frame.year}-12-31"))


def _area(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Return an area of each row, m²; 0 where it is blank."""
    factor = MU_M2 if of_sheet("disposals")[column].unit == "亩" else 1.0
    if column not in rows:
        return np.zeros(len(rows))
    return np.nan_to_num(rows[column].to_numpy(dtype=float, na_value=np.nan)) * factor


def _first_date(rows: pd.DataFrame, columns: list[str]) -> np.ndarray:
    out = np.full(len(rows), np.datetime64("NaT"), dtype="datetime64[D]")
    for column in columns:
        if column in rows:
            out = np.where(np.isnat(out), rows[column].to_numpy(dtype="datetime64[D]"), out)
    return out


def _blocks(target: Target, frame: Frame, inputs: Inputs) -> Outcome:
    none = np.array([], dtype=int)
    if not frame.book.has("blocks"):
        b = Bounded(None, 0.0, math.inf, 0.0, 0.0, 0)
        outcome = _quota_outcome(target, frame, inputs, b, {"blocks": 1}, none)
        missing = {"blocks": 1}
        return outcome if outcome.goal is not None or inputs.level == "county" else _replace_reason(outcome, missing)
    approved, completed = block_rows(frame)
    done, n = float(completed.sum()), int(approved.sum())
    goal = float(n) if inputs.level == "city" and n else goal_of(target, frame, inputs)
    b = Bounded(done, done, done, done, float(n), n)
    if inputs.level == "city" and not n:
        return Outcome(target, b, None, "undetermined", None, None, "empty_class", {}, none)
    status, reason = verdict(target.op, goal, b, False)
    return Outcome(target, b, goal, status, goal, None if goal is None else max(0.0, goal - done), reason, {}, none)


def _replace_reason(outcome: Outcome, missing: dict[str, int]) -> Outcome:
    return Outcome(
        outcome.target,
        outcome.bounded,
        None,
        "undetermined",
        None,
        None,
        told("missing_facts", missing),
        missing,
        outcome.turns_on,
    )
