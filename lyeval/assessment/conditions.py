"""Decide a condition of a policy on the facts of a year: true, false or unknown for each enterprise."""

from __future__ import annotations

import numpy as np

from lyeval.indicators import FACTS, LOCATIONS, Facts, Tri, compare, location, text_fact
from lyeval.policy import Condition


def decide(condition: Condition, facts: Facts) -> Tri:
    """Decide a condition for every enterprise, shape (n,), by Kleene's three-valued logic."""
    if condition.all is not None:
        return _join([decide(c, facts) for c in condition.all], every=True)
    if condition.any is not None:
        return _join([decide(c, facts) for c in condition.any], every=False)
    if condition.not_ is not None:
        return ~decide(condition.not_, facts)
    return _fact(condition, facts)


def _join(parts: list[Tri], *, every: bool) -> Tri:
    out = parts[0]
    for part in parts[1:]:
        out = out & part if every else out | part
    return out


def _fact(condition: Condition, facts: Facts) -> Tri:
    name, op = str(condition.fact), str(condition.op)
    fact = FACTS[name]
    if fact.kind == "number":
        line = FACTS[condition.than].number(facts) if condition.than else np.float64(str(condition.value))
        return compare(fact.number(facts), op, line)
    if fact.kind == "flag":
        flag = fact.flag(facts)
        return flag if (condition.value is True) == (op == "eq") else ~flag
    values = text_fact(facts, name)
    wanted = [str(w) for w in (condition.value if isinstance(condition.value, tuple) else (condition.value,))]
    hit = np.isin(values, [location(w) or w for w in wanted] if name == "location" else wanted)
    known = hit | np.isin(values, list(LOCATIONS)) if name == "location" else values != ""
    return Tri.of(hit if op in ("eq", "in") else ~hit, known)


def missing_columns(condition: Condition, facts: Facts) -> dict[str, np.ndarray]:
    """Return which ledger columns an undecided condition lacks: column → mask of the enterprises, shape (n,)."""
    undecided = decide(condition, facts).unknown
    out: dict[str, np.ndarray] = {}
    for column in columns_of(condition):
        lacking = undecided & _blank(facts, column)
        if lacking.any():
            out[column] = out.get(column, np.zeros(len(lacking), dtype=bool)) | lacking
    return out


def columns_of(condition: Condition) -> list[str]:
    """Return the ledger columns that a condition reads, in its order."""
    return list(dict.fromkeys(column for name in facts_of(condition) for column in FACTS[name].columns))


def facts_of(condition: Condition) -> list[str]:
    """Return the facts that a condition reads, in its order."""
    inner = [*(condition.all or ()), *(condition.any or ()), *([condition.not_] if condition.not_ else [])]
    own = [n for n in (condition.fact, condition.than) if n]
    return own + [n for c in inner for n in facts_of(c)]


def _blank(facts: Facts, column: str) -> np.ndarray:
    """Tell where a ledger column says nothing: a blank number or yearly flag, or a column that is not there."""
    n, book = len(facts.book), facts.book
    if column == "land_mu":
        return np.isnan(facts.land)
    if column == "tax_wan":
        return np.isnan(facts.tax)
    if column == "above_scale":
        return facts.above_scale.unknown
    if column in FACTS and FACTS[column].kind == "text":
        values = text_fact(facts, column)
        return ~np.isin(values, list(LOCATIONS)) if column == "location" else values == ""
    if column in ("operating_normally",):
        return book.annual_flag(column, facts.year).unknown
    if column.startswith("contract_") and book.has("enterprises", column) and column != "contract_completion":
        actual = column.replace("contract_", "actual_", 1)
        return np.isnan(book.number(actual)) if column != "contract_tax_per_mu" else np.zeros(n, dtype=bool)
    return np.full(n, not (book.has("enterprises", column) or book.has(column)))
