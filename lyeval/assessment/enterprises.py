"""The table of enterprises: scope, exclusion, class, criteria, tax per mu, what has become of each, distance to the line."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lyeval.assessment.conditions import missing_columns
from lyeval.assessment.frame import Frame, land_of, tax_of
from lyeval.assessment.targets import class_line
from lyeval.indicators import compare, year_end

STAGES = (("key_listed", "重点"), ("certified", "已认定"), ("notified", "已告知"))


def enterprises(frame: Frame) -> pd.DataFrame:
    """Return one row per enterprise, sorted by credit code.

    Returns
    -------
    DataFrame
        credit_code, name, county, township, industry_code, class (above, below or None), in_scope (True, False or None), excluded_by,
        excluded_clause, identified and criterion_<id> (True, False or None), missing (list of ledger columns), stage, land_mu,
        tax_wan, tax_per_mu, tax_per_mu_before (万元/亩), line, below_line, closed, gone, tax_needed_wan (万元).
    """
    book, now = frame.book, frame.reported
    tax, land, ratio = now.tax, now.land, now.tax_per_mu
    line = line_of_class(frame)
    needed = needed_tax(tax, land, line)
    excluded, clause = _exclusion(frame)
    columns = {
        "credit_code": book.codes,
        **{c: _blank_to_none(book.text(c)) for c in ("name", "county", "township", "industry_code")},
        "class": frame.above.words("above", "below"),
        "in_scope": frame.in_scope.objects(),
        "excluded_by": excluded,
        "excluded_clause": clause,
        "identified": frame.identified.objects(),
        **{f"criterion_{name}": column.objects() for name, column in frame.criteria.items()},
        "missing": _missing(frame),
        "stage": stages(frame),
        "land_mu": land,
        "tax_wan": tax,
        "tax_per_mu": ratio,
        "tax_per_mu_before": frame.before.tax_per_mu,
        "line": line,
        "below_line": compare(ratio, "lt", line).objects(),
        "closed": frame.standing.closed.objects(),
        "gone": frame.standing.gone.objects(),
        "tax_needed_wan": needed,
    }
    return pd.DataFrame({k: pd.Series(v, dtype=object) if v.dtype == object else v for k, v in columns.items()})


def line_of_class(frame: Frame) -> np.ndarray:
    """Return the line that each enterprise's class is held to in the year, 万元/亩, shape (n,); NaN without a class."""
    above, below = (class_line(frame.policy, frame.year, name) for name in ("above", "below"))
    return np.where(frame.above.true, above, np.where(frame.above.false, below, above if above == below else np.nan))


def needed_tax(tax: np.ndarray, land: np.ndarray, line: np.ndarray) -> np.ndarray:
    """Return what each enterprise's tax lacks to reach its line, 万元, shape (n,): 0 if it reaches, NaN if unknown."""
    lacking = line * land - tax
    reached = compare(tax / land, "ge", line).true
    return np.where(reached, 0.0, lacking)


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


def stages(frame: Frame) -> np.ndarray:
    """Return the legal word for each enterprise's stage: 符合认定条件, 已告知, 已认定, 重点; "" where no criterion is true."""
    out = np.where(frame.identified.true, "符合认定条件", "").astype(object)
    process = frame.book.ledger.process
    if not len(process):
        return out
    at, end = frame.book.positions(process["credit_code"]), year_end(frame.facts_year)
    for column, word in reversed(STAGES):
        if column in process:
            out[at[process[column].to_numpy(dtype="datetime64[D]") <= end]] = word
    return out


def _missing(frame: Frame) -> np.ndarray:
    """List for each enterprise the ledger columns that an undecided criterion or the year's ratio lacks."""
    out = [[] for _ in range(len(frame.book))]
    lacking: dict[str, np.ndarray] = {}
    for criterion in frame.policy.identification.criteria:
        if frame.criteria[criterion.id].unknown.any():
            for column, mask in missing_columns(criterion.when, frame.before).items():
                label = f"{column}@{frame.before.year}" if column in ("tax_wan", "land_mu", "above_scale") else column
                lacking[label] = lacking.get(label, np.zeros(len(out), dtype=bool)) | mask
    year, now = frame.facts_year, frame.reported
    lacking[f"tax_wan@{year}"] = (
        np.isnan(tax_of(frame.policy, frame.book, year)) & np.isnan(now.tax) & ~frame.standing.gone.true
    )
    lacking[f"land_mu@{year}"] = np.isnan(land_of(frame.policy, frame.book, year)) & ~frame.standing.gone.true
    lacking[f"above_scale@{year}"] = frame.above.unknown & ~frame.standing.gone.true
    for label in sorted(lacking):
        for i in np.flatnonzero(lacking[label]):
            out[i].append(label)
    result = np.empty(len(out), dtype=object)
    result[:] = out
    return result
