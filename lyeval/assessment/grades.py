"""Grades of enterprises by a plan's scores (综合评价分类)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lyeval.assessment.conditions import decide, groups_of, value_of
from lyeval.indicators import Facts, Tri, compare
from lyeval.policy.scores import GradeRule, Item, Score


def rate(rules: Sequence[Score], facts: Facts, here: np.ndarray, above: Tri) -> tuple[np.ndarray, np.ndarray]:
    """Rate the enterprises that are ``here`` by a plan's scores.

    Parameters
    ----------
    here, above
        Who is in scope and not gone; 规上 for true, 规下 for false. Shape (n,).

    Returns
    -------
    score, grade
        Shape (n,): NaN and None of whom nothing rates or whose score is unknown. Grades by share take the largest remainder of the number
        rated; equal scores get the same grade, the better one.
    """
    n = len(facts.book)
    score, grade = np.full(n, np.nan), np.full(n, None, dtype=object)
    for rule in rules:
        mine = here & _group(rule, facts, above)
        apart = _aside(rule.grades, facts, mine)
        rated = mine & _none(apart)
        value = _score(rule, facts, rated)
        cut = _graded(rule.grades, facts, np.where(rated, value, np.nan))
        score, grade = np.where(rated, value, score), np.where(mine, np.where(rated, cut, apart), grade)
    return score, grade


def _none(values: np.ndarray) -> np.ndarray:
    return np.array([value is None for value in values], dtype=bool)


def _group(rule: Score, facts: Facts, above: Tri) -> np.ndarray:
    """Tell whom a formula rates, shape (n,)."""
    mine = {"above": above.true, "below": above.false}.get(rule.class_, np.ones(len(above), bool))
    return mine if rule.when is None else mine & decide(rule.when, facts).true


def _aside(rule: GradeRule, facts: Facts, mine: np.ndarray) -> np.ndarray:
    """Return the grade of those who are not ranked, object array of shape (n,), None of the others."""
    out = np.full(len(mine), None, dtype=object)
    for grade, aside in reversed(rule.aside.items()):
        out[mine & decide(aside.when, facts).true] = grade
    return out


def _score(rule: Score, facts: Facts, rated: np.ndarray) -> np.ndarray:
    """Return Σ weight × measure + points, shape (n,); NaN where a value is unknown and nothing stands for it."""
    total = sum((item.weight * _measured(rule, item, facts, rated) for item in rule.items), np.zeros(len(rated)))
    if rule.form != "ratio":
        total = total / sum(item.weight for item in rule.items)
    for points in rule.points:
        total = total + points.add * decide(points.when, facts).true
    return total


def _measured(rule: Score, item: Item, facts: Facts, rated: np.ndarray) -> np.ndarray:
    """Return what an item counts, shape (n,): over its base, between the extremes, or by place."""
    value, missing = value_of(item.fact, facts)[1], item.missing or rule.missing
    if rule.form == "ratio":
        base = value_of(item.base, facts)[1] if isinstance(item.base, str) else item.base
        out = value / np.where(np.asarray(base) > 0, np.asarray(base, dtype=float) * item.times, np.nan)
    else:
        out = _between(value, rule, rated) if rule.form == "minmax" else _placed(value, rated)
    out = np.clip(out, item.floor, item.cap) if item.floor is not None or item.cap is not None else out
    known = rated & ~np.isnan(out)
    instead = {"zero": 0.0, "group_mean": float(out[known].mean()) if known.any() else np.nan}.get(missing, np.nan)
    return np.where(np.isnan(out), instead, out)


def _between(value: np.ndarray, rule: Score, rated: np.ndarray) -> np.ndarray:
    known = value[rated & ~np.isnan(value)]
    least, most = (known.min(), known.max()) if len(known) else (np.nan, np.nan)
    part = (value - least) / (most - least) if most > least else np.where(np.isnan(value), np.nan, 1.0)
    return rule.low + part * (rule.high - rule.low)


def _placed(value: np.ndarray, rated: np.ndarray) -> np.ndarray:
    """Return each value's place among those rated, 100 for the best, equal ones alike, shape (n,)."""
    known = np.sort(value[rated & ~np.isnan(value)])
    if not len(known):
        return np.full(len(value), np.nan)
    return np.where(np.isnan(value), np.nan, 100.0 * np.searchsorted(known, value, side="right") / len(known))


def _graded(rule: GradeRule, facts: Facts, score: np.ndarray) -> np.ndarray:
    """Return the grade of each score, object array of shape (n,), None where it is unknown."""
    out = np.full(len(score), None, dtype=object)
    keys = np.full(len(score), "all", dtype=object) if rule.within is None else groups_of(rule.within, facts)
    names = list(rule.cuts)
    for key in np.unique(keys[keys != ""]):
        at = np.flatnonzero((keys == key) & ~np.isnan(score))
        place = _by_share(rule, score[at]) if rule.by == "share" else _by_score(rule, score[at])
        out[at] = np.array(names, dtype=object)[place]
    for override in rule.overrides:
        held = decide(override.when, facts).true & ~_none(out)
        limit = names.index(str(override.at_best or override.at_worst))
        for i in np.flatnonzero(held):
            place = names.index(out[i])
            out[i] = names[max(place, limit) if override.at_best else min(place, limit)]
    return out


def _by_share(rule: GradeRule, score: np.ndarray) -> np.ndarray:
    """Return each score's place among the grades, shape of ``score``: equal scores go with the best of them."""
    exact = np.array(list(rule.cuts.values())) * len(score)
    sizes = np.floor(exact + 1e-9).astype(int)
    rest = np.argsort(-(exact - sizes), kind="stable")[: len(score) - sizes.sum()]
    sizes[rest] += 1
    better = np.searchsorted(np.sort(-score), -score, side="left")
    return np.searchsorted(np.cumsum(sizes), better, side="right")


def _by_score(rule: GradeRule, score: np.ndarray) -> np.ndarray:
    """Return each score's place among the grades by the least score of each; below all of them, the last."""
    least = np.array(list(rule.cuts.values()))
    reached = compare(score[:, None], "ge", least[None, :]).true
    return np.where(reached.any(axis=1), reached.argmax(axis=1), len(least) - 1)
