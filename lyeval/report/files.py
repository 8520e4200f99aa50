"""Tables for the dossiers (一企一档) and drafts of the listed: their years, lawful methods, steps taken; the plan's procedure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment
from lyeval.assessment.conditions import decide
from lyeval.assessment.dossier import deadline
from lyeval.assessment.enterprises import line_of_class
from lyeval.assessment.frame import land_of, tax_of
from lyeval.indicators import year_end

YEARS = ["credit_code", "year", "above_scale", "land_mu", "tax_wan", "tax_per_mu", "line"]
METHODS = ["credit_code", "method", "label", "label_en", "clause", "lawful", "owed"]
STEPS = ["credit_code", "step", "label", "label_en", "on", "due", "clause"]
PROCEDURE = ["step", "label", "label_en", "days", "day_kind", "after", "clause"]


def tables(assessment: Assessment) -> dict[str, pd.DataFrame]:
    """Return ``file_years``, ``file_methods``, ``file_steps`` of the listed, by credit code, and the plan's ``procedure``."""
    at = np.flatnonzero(assessment.standing.listed.true)
    steps = [
        (s.id, s.label, s.label_en, s.days, s.day_kind, s.after, "；".join(s.cite)) for s in assessment.policy.steps
    ]
    return {
        "file_years": _years(assessment, at),
        "file_methods": _methods(assessment, at),
        "file_steps": _steps(assessment, at),
        "procedure": pd.DataFrame(steps, columns=PROCEDURE, dtype=object),
    }


def _years(assessment: Assessment, at: np.ndarray) -> pd.DataFrame:
    """Return tax and land of each listed enterprise and year up to the facts' year, with the line of the year assessed."""
    frame, parts = assessment.frame, []
    line = line_of_class(frame)[at]
    for year in (y for y in frame.book.years if y <= frame.facts_year):
        tax, land = tax_of(frame.policy, frame.book, year)[at], land_of(frame.policy, frame.book, year)[at]
        above = frame.book.annual_flag("above_scale", year).objects()[at]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(land > 0, tax / land, np.nan)
        parts.append(
            pd.DataFrame(dict(zip(YEARS, (frame.book.codes[at], year, above, land, tax, ratio, line), strict=True)))
        )
    return _by_code(pd.concat(parts) if parts else pd.DataFrame(columns=YEARS), "year")


def _methods(assessment: Assessment, at: np.ndarray) -> pd.DataFrame:
    """Return each way of disposal with whether it is lawful for the enterprise (None: not known) and how many papers it still owes."""
    frame, parts = assessment.frame, []
    came = _papers(assessment)
    for place, m in enumerate(frame.policy.methods):
        facts = np.full(len(frame.book), True) if m.when is None else decide(m.when, frame.reported).objects()
        owed = [len(set(m.papers) - came.get(code, set())) for code in frame.book.codes[at]]
        values = (frame.book.codes[at], m.id, m.label, m.label_en, "；".join(m.cite), facts[at], owed)
        parts.append(pd.DataFrame(dict(zip(METHODS, values, strict=True))).assign(place=place))
    made = pd.concat(parts) if parts else pd.DataFrame(columns=[*METHODS, "place"])
    return _by_code(made.astype({"lawful": object}), "place").drop(columns="place")


def _papers(assessment: Assessment) -> dict[str, set[str]]:
    """Return the papers that have come, by credit code."""
    sheet, end = assessment.ledger.papers, year_end(assessment.year)
    if "paper" not in sheet or not len(sheet):
        return {}
    if "received" in sheet:
        sheet = sheet[sheet["received"].to_numpy(dtype="datetime64[D]") <= end]
    return {str(code): set(rows["paper"].dropna()) for code, rows in sheet.groupby("credit_code", sort=True)}


def _steps(assessment: Assessment, at: np.ndarray) -> pd.DataFrame:
    """Return the procedure's steps with the day each was taken by the year's end, and the last day where the plan counts days."""
    end, rows = year_end(assessment.year), []
    sheet = assessment.ledger.process.drop_duplicates("credit_code", keep="last").set_index("credit_code")
    columns = {s.id: "first_accept" if s.id == "accepted" else s.id for s in assessment.policy.steps}
    days = {k: sheet[v].to_dict() if v in sheet else {} for k, v in columns.items()}
    for code in assessment.frame.book.codes[at].tolist():
        done = {k: _day(values.get(code), end) for k, values in days.items()}
        for s in assessment.policy.steps:
            start = done.get(s.after) if s.after else None
            due = None if s.days is None or start is None else deadline(start, s.days, s.day_kind)
            rows.append((code, s.id, s.label, s.label_en, done[s.id], due, "；".join(s.cite)))
    table = pd.DataFrame(rows, columns=STEPS, dtype=object)
    for name in ("on", "due"):
        table[name] = pd.to_datetime(table[name]).astype("datetime64[us]")
    return table


def _day(value: Any, end: np.datetime64) -> pd.Timestamp | None:
    """Return a day no later than ``end``, else None."""
    return None if value is None or pd.isna(value) or pd.Timestamp(value) > pd.Timestamp(end) else pd.Timestamp(value)


def _by_code(table: pd.DataFrame, then: str) -> pd.DataFrame:
    return table.sort_values(["credit_code", then], kind="stable", ignore_index=True)
