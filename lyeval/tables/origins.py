"""Where a run's figures come from: whom each target counts with what, and the ledger's rows by file, sheet and number (出处)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment
from lyeval.assessment.targets import Members
from lyeval.assessment.totals import areas, block_rows, closing
from lyeval.indicators import STATISTICS

MEMBERS = ["target", "credit_code", "part", "whole", "counted"]
ROWS = ["credit_code", "table", "year", "file", "sheet", "row"]


def notices(assessment: Assessment) -> pd.DataFrame:
    """Return when each enterprise was certified and announced, the latest by the year's end: credit_code, certified, published."""
    process = assessment.ledger.process.reindex(columns=["credit_code", "certified", "published"])
    end = np.datetime64(f"{assessment.year}-12-31")
    dates = {c: pd.to_datetime(process[c]).where(pd.to_datetime(process[c]) <= end) for c in ("certified", "published")}
    return process.assign(**dates).groupby("credit_code", as_index=False, sort=True).max()


def members(assessment: Assessment) -> pd.DataFrame:
    """List whom each target counts and with what; the parts add up to its numerator, the wholes to its denominator.

    Returns
    -------
    DataFrame
        target, credit_code, part and whole (firms, 亩, 万元 or m²: what an enterprise, or block, adds to numerator and denominator; whole NaN where
        there is none), counted (False: it waits for facts).
    """
    frames = [_of_target(assessment, outcome) for outcome in assessment.outcomes]
    made = [frame for frame in frames if len(frame)]
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=MEMBERS)


def _of_target(assessment: Assessment, outcome: Any) -> pd.DataFrame:
    frame, stat = assessment.frame, STATISTICS[outcome.target.statistic]
    codes = np.asarray(frame.book.codes, dtype=object)
    if outcome.members is not None:
        at, part, whole, counted = _weighed(outcome.members, stat.kind)
        return _frame(outcome, codes[at], part, whole, counted)
    if stat.kind == "blocks":
        return _blocks(assessment, outcome)
    if not frame.book.has("disposals"):
        return pd.DataFrame(columns=MEMBERS)
    if stat.kind == "closed":
        member, hit, _ = closing(outcome.target, frame)
        at = np.flatnonzero((member & hit).possible)
        return _frame(outcome, codes[at], np.ones(len(at)), None, (member & hit).true[at])
    at, area, inside, undated = areas(outcome.target, frame)
    rows = np.flatnonzero((inside | undated) & (area > 0))
    rows = rows[np.lexsort((rows, at[rows]))]
    return _frame(outcome, codes[at[rows]], area[rows], None, inside[rows])


def _weighed(m: Members, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """Return positions, parts, wholes and who is counted, of a target over a line."""
    possible = np.flatnonzero(m.member.possible)
    if kind == "mean":
        counted = m.member.true & ~np.isnan(m.tax) & ~np.isnan(m.land)
        return possible, m.tax[possible], m.land[possible], counted[possible]
    counted = m.member.true & ~m.hit.unknown & ~np.isnan(m.weight)
    if kind == "count":
        possible = np.flatnonzero((m.member & m.hit).possible)
        return possible, np.ones(len(possible)), None, (m.member & m.hit).true[possible]
    return possible, np.where(m.hit.true, m.weight, 0.0)[possible], m.weight[possible], counted[possible]


def _frame(
    outcome: Any, codes: np.ndarray, part: np.ndarray, whole: np.ndarray | None, counted: np.ndarray
) -> pd.DataFrame:
    wholes = np.full(len(codes), np.nan) if whole is None else whole
    columns = [[outcome.target.id] * len(codes), codes, part, wholes, counted]
    return pd.DataFrame(dict(zip(MEMBERS, columns, strict=True)))


def _blocks(assessment: Assessment, outcome: Any) -> pd.DataFrame:
    """List the approved blocks; a block is named by its row in the ledger."""
    if not assessment.frame.book.has("blocks"):
        return pd.DataFrame(columns=MEMBERS)
    approved, completed = block_rows(assessment.frame)
    names = np.array([f"block-{row}" for row in assessment.ledger.blocks["source_row"]], dtype=object)
    return _frame(
        outcome, names[approved], completed[approved].astype(float), None, np.ones(int(approved.sum()), dtype=bool)
    )


def ledger_rows(assessment: Assessment) -> pd.DataFrame:
    """List the rows read of each enterprise in the years judged, its disposals and steps of all years, sorted by credit code.

    Returns
    -------
    DataFrame
        credit_code, table, year, file, sheet, row.
    """
    years, parts = (assessment.year - 1, assessment.year), list[Any]()
    monthly = ("monthly",) if assessment.policy.tax.year == "year_to_date" else ()
    for order, table in enumerate((*TABLES, *monthly)):
        frame: pd.DataFrame = getattr(assessment.ledger, table)
        if not assessment.ledger.has(table):
            continue
        if "year" in frame:
            frame = frame[frame["year"].isin(years)]
        codes = frame["credit_code"] if "credit_code" in frame else [f"block-{row}" for row in frame["source_row"]]
        columns = [
            codes,
            table,
            frame.get("year"),
            frame["source_file"],
            frame["source_sheet"],
            frame["source_row"],
        ]
        part = pd.DataFrame(dict(zip(ROWS, columns, strict=True)), index=frame.index, dtype=object)
        parts.append(part.assign(order=order))
    made = pd.concat(parts, ignore_index=True).sort_values(["credit_code", "order", "row"], kind="stable")
    return made[ROWS].drop_duplicates().reset_index(drop=True)


TABLES = ("enterprises", "annual", "tax_items", "disposals", "process", "blocks")
