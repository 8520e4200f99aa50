"""Decide a condition of a policy on the facts of a year: true, false or unknown for each enterprise."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from lyeval.indicators import FACTS, LOCATIONS, Fact, Facts, Tri, compare, grade_letter, in_a_row, location, text_fact
from lyeval.policy import Condition, Derived, facts_of
from lyeval.policy.derived import PAIRS


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
    kind, value = value_of(name, facts)
    if kind == "number":
        if condition.than is None:
            return compare(value, op, np.float64(str(condition.value)))
        return compare(value, op, value_of(condition.than, facts)[1] * (condition.times or 1.0))
    if kind == "flag":
        return value if (condition.value is True) == (op == "eq") else ~value
    wanted = [str(w) for w in (condition.value if isinstance(condition.value, tuple) else (condition.value,))]
    hit = np.isin(value, [SPELT.get(name, str)(w) or w for w in wanted])
    known = hit | np.isin(value, list(LOCATIONS)) if name == "location" else value != ""
    return Tri.of(hit if op in ("eq", "in") else ~hit, known)


SPELT = {"location": location, "grade": grade_letter, "partner_grade": grade_letter}


def value_of(name: str, facts: Facts) -> tuple[str, Any]:
    """Return a fact's kind and its value for every enterprise, shape (n,): a float array, a `Tri`, or an object array of words."""
    if name in facts.own:
        return _derived(facts.own[name], facts)
    fact = FACTS[name]
    if fact.kind == "text":
        return "text", text_fact(facts, name)
    return fact.kind, fact.number(facts) if fact.kind == "number" else fact.flag(facts)


def _derived(rule: Derived, facts: Facts) -> tuple[str, Any]:
    """Work out a fact of the plan's own, by kind and value as `value_of`."""
    start = _year(facts, facts.year - rule.lag) if rule.lag else facts
    if rule.ratio is not None:
        top, bottom = (value_of(name, start)[1] for name in rule.ratio)
        return "number", top / np.where(bottom > 0, bottom, np.nan)
    if rule.take == "running":
        return "number", in_a_row(start, lambda year: _base(rule, _year(start, year))[1], rule.least or np.inf)
    if rule.within is not None:
        return "number", _within(rule, start)
    if rule.years is None:
        return _base(rule, start)
    series = [_base(rule, _year(facts, start.year - k)) for k in range(rule.years)]
    return _over_years(rule, series)


def _year(facts: Facts, year: int) -> Facts:
    if facts.at is None:
        raise ValueError("facts of one year alone / 只有一年的事实")
    return facts if year == facts.year else facts.at(year)


def _base(rule: Derived, facts: Facts) -> tuple[str, Any]:
    """Return what a rule is taken of, in one year."""
    if isinstance(rule.of, Condition):
        return "flag", decide(rule.of, facts)
    return value_of(str(rule.of), facts)


def _over_years(rule: Derived, series: list[tuple[str, Any]]) -> tuple[str, Any]:
    """Take a number's mean, sum, least or most, or a flag's all, any or count over years; NaN or unknown where too few are known."""
    values = [value for _, value in series]
    if rule.take in ("all", "any"):
        return "flag", _join(values, every=rule.take == "all")
    if rule.take == "count":
        values = [np.where(value.unknown, np.nan, value.true.astype(float)) for value in values]
    known = np.sum([~np.isnan(value) for value in values], axis=0)
    filled = np.array(values)
    total = np.nansum(filled, axis=0)
    ends = {
        "mean": lambda: total / np.maximum(known, 1),
        "min": lambda: np.fmin.reduce(filled),
        "max": lambda: np.fmax.reduce(filled),
    }
    taken = ends[str(rule.take)]() if rule.take in ends else total
    return "number", np.where(known >= (rule.least or len(values)), taken, np.nan)


def _within(rule: Derived, facts: Facts) -> np.ndarray:
    """Return what is taken over the known members of each enterprise's group, shape (n,); NaN where it has no group, or nobody is known."""
    keys = groups_of(str(rule.within), facts)
    pair = _pair(str(rule.of), facts) if rule.take == "ratio" else ()
    values = [value_of(name, facts)[1] for name in pair] or [_base(rule, facts)[1]]
    known = reduce(np.logical_and, [~np.isnan(value) for value in values])
    out = np.full(len(facts.book), np.nan)
    for key in np.unique(keys[keys != ""]):
        mine = known & (keys == key)
        if mine.any():
            out[keys == key] = _taken(rule, [value[mine] for value in values])
    return out


def _pair(name: str, facts: Facts) -> tuple[str, str]:
    rule = facts.own.get(name)
    return PAIRS[name] if rule is None else rule.ratio


def _taken(rule: Derived, values: list[np.ndarray]) -> float:
    """Return a statistic of a group's known values."""
    if rule.take == "ratio":
        whole = values[1].sum()
        return float(values[0].sum() / whole) if whole > 0 else np.nan
    if rule.take == "quantile":
        return float(np.quantile(values[0], float(rule.quantile or 0.0)))
    return float(np.mean(values[0]) if rule.take == "mean" else np.median(values[0]))


def groups_of(within: str, facts: Facts) -> np.ndarray:
    """Return the name of each enterprise's group, object array of shape (n,), "" where it is unknown."""
    if within == "class":
        above = facts.above_scale
        return np.where(above.true, "above", np.where(above.false, "below", "")).astype(object)
    if within == "county":
        names = facts.book.text("county")
        return np.where(names == "", "all", names).astype(object)
    return text_fact(facts, within)


def missing_columns(condition: Condition, facts: Facts, fact: Callable[[str], Fact]) -> dict[str, np.ndarray]:
    """Return which ledger columns an undecided condition lacks: column → mask of the enterprises, shape (n,)."""
    undecided = decide(condition, facts).unknown
    out: dict[str, np.ndarray] = {}
    for column in columns_of(condition, fact):
        lacking = undecided & _blank(facts, column)
        if lacking.any():
            out[column] = out.get(column, np.zeros(len(lacking), dtype=bool)) | lacking
    return out


def columns_of(condition: Condition, fact: Callable[[str], Fact] = FACTS.__getitem__) -> list[str]:
    """Return the ledger columns that a condition reads, in its order; ``fact`` knows a plan's own facts (`Policy.fact`)."""
    return list(dict.fromkeys(column for name in facts_of(condition) for column in fact(name).columns))


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
