"""The table of enterprises: scope, exclusion, class, criteria, tax per mu, what has become of each, distance to the line."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lyeval.assessment.conditions import missing_columns
from lyeval.assessment.frame import Frame, land_of, tax_of
from lyeval.assessment.standing import Standing


def enterprises(standing: Standing) -> pd.DataFrame:
    """Return one row per enterprise, sorted by credit code.

    Returns
    -------
    DataFrame
        credit_code, name, county, township, industry_code, class (above, below or None), in_scope (True, False or None), excluded_by,
        excluded_clause, identified and criterion_<id> (True, False or None), missing (list of ledger columns), stage, land_mu,
        tax_wan, tax_per_mu, tax_per_mu_before (万元/亩), line, below_line, closed, gone, tax_needed_wan (万元), state (of the listed:
        reached, left, below or open; "" of the others).
    """
    frame = standing.frame
    book, now = frame.book, frame.now
    state = np.full(len(book), "", dtype=object)
    for name, mask in standing.state.items():
        state[mask] = name
    excluded, clause = _exclusion(frame)
    columns = {
        "credit_code": book.codes,
        **{c: _blank_to_none(book.text(c)) for c in ("name", "county", "township", "industry_code")},
        "class": frame.above.words("above", "below"),
        "in_scope": standing.in_scope.objects(),
        "excluded_by": excluded,
        "excluded_clause": clause,
        "identified": standing.listed.objects(),
        **{f"criterion_{name}": column.objects() for name, column in frame.criteria.items()},
        "missing": _missing(frame),
        "stage": standing.stage,
        "land_mu": now.land,
        "tax_wan": now.tax,
        "tax_per_mu": now.tax_per_mu,
        "tax_per_mu_before": frame.before.tax_per_mu,
        "line": standing.line,
        "below_line": standing.below.objects(),
        "closed": standing.exits.closed.objects(),
        "gone": standing.gone.objects(),
        "tax_needed_wan": standing.tax_needed,
        "state": state,
    }
    return pd.DataFrame({k: pd.Series(v, dtype=object) if v.dtype == object else v for k, v in columns.items()})


def line_of_class(frame: Frame) -> np.ndarray:
    """Return the line that each enterprise's class is held to in the year, 万元/亩, shape (n,); NaN without a class."""
    return frame.lines[0]


def _blank_to_none(values: np.ndarray) -> np.ndarray:
    out = values.astype(object)
    out[values == ""] = None
    return out


def _exclusion(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Return the first exclusion that holds for each enterprise, and its clause."""
    n = len(frame.book)
    name, clause = np.full(n, None, dtype=object), np.full(n, None, dtype=object)
    masks = frame.excluded("identification") | frame.excluded("targets")
    for exclusion in reversed(frame.policy.exclusions):
        if exclusion.id in masks:
            name[masks[exclusion.id]] = exclusion.id
            clause[masks[exclusion.id]] = "；".join(exclusion.cite)
    return name, clause


def _missing(frame: Frame) -> np.ndarray:
    """List for each enterprise the ledger columns that an undecided criterion or the year's ratio lacks."""
    out: list[list[str]] = [[] for _ in range(len(frame.book))]
    lacking: dict[str, np.ndarray] = {}
    for criterion in frame.policy.identification.criteria:
        if frame.criteria[criterion.id].unknown.any():
            for column, mask in missing_columns(criterion.when, frame.before, frame.policy.fact).items():
                label = f"{column}@{frame.before.year}" if column in ("tax_wan", "land_mu", "above_scale") else column
                lacking[label] = lacking.get(label, np.zeros(len(out), dtype=bool)) | mask
    year, now = frame.facts_year, frame.reported
    lacking[f"tax_wan@{year}"] = (
        np.isnan(tax_of(frame.policy, frame.book, year)) & np.isnan(now.tax) & ~frame.exits.gone.true
    )
    lacking[f"land_mu@{year}"] = np.isnan(land_of(frame.policy, frame.book, year)) & ~frame.exits.gone.true
    lacking[f"above_scale@{year}"] = frame.above.unknown & ~frame.exits.gone.true
    for label in sorted(lacking):
        for i in np.flatnonzero(lacking[label]):
            out[i].append(label)
    result = np.empty(len(out), dtype=object)
    result[:] = out
    return result
