"""A target laid out for projection: who it counts, on what line, from what is known in an earlier year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lyeval.assessment.frame import Frame, under
from lyeval.assessment.result import target_row
from lyeval.assessment.targets import Inputs, Outcome, targets_of, threshold, unconfirmed
from lyeval.assessment.totals import decide_target, goal_of
from lyeval.indicators import RELATIVE, STATISTICS, book
from lyeval.ledger import Ledger
from lyeval.policy import Policy, Target, choose


@dataclass(frozen=True)
class Judged:
    """The verdict on a target of a year that is over.

    Attributes
    ----------
    status
        met, missed or undetermined.
    value, low, high
        As in the table of targets; None where nobody is counted or nothing bounds it.
    reason, reason_en
        Why it is undetermined, in words; "" where it is not.
    """

    status: str
    value: float | None
    low: float | None
    high: float | None
    reason: str
    reason_en: str


@dataclass(frozen=True, eq=False)
class TargetView:
    """A target of ``year`` on what was known in an earlier year.

    Attributes
    ----------
    id, label, label_en, year, clause, unit
        The target and its words.
    kind, side, weight
        share, count, mean, closed, demolished or blocks; below or at_or_above; count or land.
    line, op, goal
        万元/亩; le or ge; None where no goal is known.
    edge_low
        A value exactly on the line counts as below.
    exited
        drop, fail, pass or land_stays (closed firms stay at zero tax until their land is released).
    codes, member, tax, land, gone
        Possible members sorted by code; which are counted for certain; 万元 and 亩 of the facts' year (NaN unknown); gone already.
    base
        What is already done within ``year`` (closed, demolished, blocks).
    n_unknown
        Number of possible members that are not certain.
    outcomes
        closed: the outcomes of a disposal that count (关停, 整体收储 …).
    unsure
        Which of ``codes`` may be excluded by a column that the ledger lacks.
    judged
        The verdict, of a year that is over; None of one still to come.
    """

    id: str
    label: str
    label_en: str
    year: int
    clause: str
    unit: str
    kind: str
    side: str
    weight: str
    line: float | None
    op: str
    goal: float | None
    edge_low: bool
    exited: str
    codes: np.ndarray
    member: np.ndarray
    tax: np.ndarray
    land: np.ndarray
    gone: np.ndarray
    base: float
    n_unknown: int
    outcomes: tuple[str, ...] = ()
    unsure: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    judged: Judged | None = None


def views(
    ledger: Ledger,
    policy: Policy,
    year: int,
    facts_year: int,
    *,
    readings: Mapping[str, str] | None = None,
    quotas: Mapping[str, float] | None = None,
    level: str = "county",
) -> list[TargetView]:
    """Lay out the targets of ``year`` on facts up to ``facts_year``: class, scope, land and tax are carried from it.

    Parameters
    ----------
    readings, quotas, level
        As for `assess`.
    """
    chosen, _ = choose(policy, readings)
    frame = Frame(chosen, book(ledger), year, min(year, facts_year))
    inputs = Inputs(level, dict(quotas or {}))
    return [_view(target, frame, inputs) for target in targets_of(chosen, year)]


def _view(target: Target, frame: Frame, inputs: Inputs) -> TargetView:
    stat, line = STATISTICS[target.statistic], threshold(target, frame.year)
    outcome = decide_target(target, frame, inputs)
    if (m := outcome.members) is not None:
        at, sure, tax, land, base = m.member.possible, m.member.true, m.tax, m.land, 0.0
        goal = target.years[frame.year].value
    else:
        goal, base = (
            goal_of(target, frame, inputs) if stat.kind != "blocks" else outcome.goal,
            outcome.bounded.value or 0.0,
        )
        sure = frame.identified.true if target.cohort != "all" else frame.in_scope.true
        at, tax, land = sure, frame.now.tax, frame.now.land
    return TargetView(
        target.id,
        target.label,
        target.label_en,
        frame.year,
        "；".join(target.cite),
        target.unit or stat.unit,
        stat.kind,
        stat.side,
        stat.weight,
        line,
        target.op,
        goal,
        target.edge == "below",
        target.exited,
        frame.book.codes[at],
        sure[at],
        tax[at],
        land[at],
        frame.exits.gone.true[at],
        base,
        int((at & ~sure).sum()),
        tuple(target.outcomes or ()),
        np.logical_or.reduce([*unconfirmed(target, frame).values(), np.zeros(len(at), dtype=bool)])[at],
        _judged(outcome, frame.year) if frame.facts_year >= frame.year else None,
    )


def _judged(outcome: Outcome, year: int) -> Judged:
    row = target_row(outcome, year)
    return Judged(row["status"], row["value"], row["low"], row["high"], row["reason_zh"], row["reason_en"])


def target_values(
    view: TargetView, tax: np.ndarray, land: np.ndarray, gone: np.ndarray, released: np.ndarray | None = None
) -> np.ndarray:
    """Return the statistic of a view for each draw, shape (draws,); NaN where nobody is counted.

    Parameters
    ----------
    tax, land, gone
        万元, 亩 and a mask, of shape (draws, n) or (n,), aligned with ``view.codes``.
    released
        Which gone enterprises' land has been released, same shapes; none by default (matters to ``land_stays`` alone).
    """
    part, whole = target_parts(view, tax, land, gone, released)
    return part.sum(axis=1).astype(float) if whole is None else _divide(part.sum(axis=1), whole.sum(axis=1))


def target_parts(
    view: TargetView, tax: np.ndarray, land: np.ndarray, gone: np.ndarray, released: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return what each enterprise adds to the numerator and the denominator of a view's statistic, (draws, n) each; None: a count.

    Parameters
    ----------
    tax, land, gone, released
        As for `target_values`.
    """
    tax, land, gone = np.atleast_2d(tax), np.atleast_2d(land), np.atleast_2d(gone).astype(bool)
    shape = np.broadcast_shapes(tax.shape, land.shape, gone.shape)
    present = np.broadcast_to(view.member, shape) & ~np.isnan(land)
    if view.exited == "land_stays":
        free = gone & (np.zeros(shape, dtype=bool) if released is None else np.atleast_2d(released).astype(bool))
        tax, present = np.where(gone, 0.0, tax), present & ~free
    elif view.exited == "drop":
        present = present & ~gone
    present = present & ~np.isnan(tax)
    if view.kind == "mean":
        return np.where(present, tax, 0.0), np.where(present, land, 0.0)
    hit = _hit(view, tax, land, gone)
    if view.kind == "count":
        return hit & present, None
    weight = np.where(present, np.nan_to_num(land) if view.weight == "land" else 1.0, 0.0)
    return weight * hit, weight


def _hit(view: TargetView, tax: np.ndarray, land: np.ndarray, gone: np.ndarray) -> np.ndarray:
    line = view.line if view.line is not None else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        below = under(tax / land, line, view.edge_low).true
    if view.exited in ("fail", "pass"):
        below = np.where(gone, view.exited == "fail", below)
    return below if view.side == "below" else ~below


def _divide(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, np.nan)


def meets(view: TargetView, values: np.ndarray) -> np.ndarray:
    """Tell which values meet the view's goal, shape of ``values``; within 1e-9 (relative) of it is on it, NaN never meets."""
    if view.goal is None:
        return np.zeros(np.shape(values), dtype=bool)
    values = np.asarray(values, dtype=float)
    near = np.abs(values - view.goal) <= RELATIVE * max(abs(view.goal), RELATIVE)
    with np.errstate(invalid="ignore"):
        return near | (values > view.goal if view.op == "ge" else values < view.goal)
