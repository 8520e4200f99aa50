"""Classes A–D by the rank of a weighted score (综合评价分类), for plans that have one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lyeval.assessment.frame import Frame

MEASURES = {
    # measure: (numerator, denominator) among the annual columns; an empty denominator is 1
    "tax_per_mu": ("tax_wan", "land_mu"),
    "revenue_per_mu": ("revenue_wan", "land_mu"),
    "output_per_mu": ("output_wan", "land_mu"),
    "output_per_employee": ("output_wan", "employees"),
    "profit_per_mu": ("profit_wan", "land_mu"),
    "tax_per_kwh": ("tax_wan", "power_wankwh"),
    "output_per_kwh": ("output_wan", "power_wankwh"),
    "revenue_per_employee": ("revenue_wan", "employees"),
}


def grades(frame: Frame) -> pd.DataFrame:
    """Grade the enterprises in scope by Σ value / base × weight.

    Returns
    -------
    DataFrame
        credit_code, score, grade, sorted by credit code; score NaN and grade None where a value is unknown. Shares are of the number rated;
        cumulative shares are rounded, so the classes add to it. Ties stand in order of credit code.
    """
    rule, n = frame.policy.grades, len(frame.book)
    if rule is None:
        return pd.DataFrame({"credit_code": [], "score": [], "grade": []})
    score = np.zeros(n)
    for item in rule.items:
        score += _measure(frame, item.measure) / item.base * item.weight
    rated = frame.pool("targets").true & ~frame.exits.gone.true & ~np.isnan(score)
    order = np.flatnonzero(rated)[np.argsort(-score[rated], kind="stable")]
    grade = np.full(n, None, dtype=object)
    ends = np.rint(np.cumsum(list(rule.shares.values())) * len(order)).astype(int)
    for name, start, end in zip(rule.shares, [0, *ends[:-1]], ends, strict=True):
        grade[order[start:end]] = name
    return pd.DataFrame({"credit_code": frame.book.codes, "score": np.where(rated, score, np.nan), "grade": grade})


def _measure(frame: Frame, name: str) -> np.ndarray:
    top, bottom = MEASURES[name]
    counted = {"tax_wan": frame.reported.tax, "land_mu": frame.reported.land}
    values = [counted[c] if c in counted else frame.book.annual(c, frame.facts_year) for c in (top, bottom)]
    return values[0] / np.where(values[1] > 0, values[1], np.nan)
