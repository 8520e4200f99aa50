"""How a plan holds (稳健性): under every reading and over the assumptions' ranges; and what to find out first (先核实什么)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from lyeval.assessment import TargetView, views
from lyeval.forecasting.nowcast import by_reading
from lyeval.forecasting.sensitivity import Factor, Point, factors
from lyeval.policy import choose
from lyeval.portfolios.solving import Found, Problem, cheapest, strongest
from lyeval.portfolios.tensor import tensor
from lyeval.simulation import odds
from lyeval.simulation.casework import given_plan
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Setting, Year, years_to_come
from lyeval.simulation.projection import valued

if TYPE_CHECKING:
    from lyeval.portfolios.desk import Portfolio


def robustness(made: Portfolio) -> pd.DataFrame:
    """Tell what the odds of a portfolio's plan are under every other reading, and at both ends of every assumption.

    Returns
    -------
    DataFrame
        kind (reading, assumption), id, label, label_en, low, high (what it is set to), p_low, p_high, central (the odds as assumed) and holds
        (whether both ends have the odds asked for), the largest swing first.
    """
    rows = [*_readings(made), *_assumptions(made)]
    for row in rows:
        row["holds"] = bool(min(row["p_low"], row["p_high"]) >= made.asked)
    return _ranked(rows, ROBUST)


def worth_knowing(made: Portfolio) -> pd.DataFrame:
    """Rank what is not known by how far knowing it moves the odds of the plan, and tell whether it changes the plan.

    Returns
    -------
    DataFrame
        kind (fact, reading, assumption), id, label, label_en, p_low, p_high, swing, changes (whether another plan is then the one to take). Of a
        fact, p_low is the odds if it does not hold and its methods are not open.
    """
    rows = [row | {"changes": True} for row in _facts(made)]
    small = _few_draws(made)
    now = _best(made, small)
    for row in robustness(made).to_dict("records"):
        kept = {str(name): value for name, value in row.items() if name not in ("low", "high", "central", "holds")}
        rows.append(kept | {"changes": _changes(made, small, row, now)})
    return _ranked(rows, KNOWING)


def _ranked(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    for row in rows:
        row["swing"] = abs(row["p_high"] - row["p_low"])
    rows.sort(key=lambda row: (-row["swing"], row["kind"], row["id"]))
    return pd.DataFrame(rows, columns=list(columns))


def _planned(made: Portfolio) -> Setting:
    """Return what a portfolio was sought in, with its plan for cases."""
    held, given = made.basis, made.basis.made.given
    cases, _ = given_plan(made.plan, held.now.ledger, given.date, given.assumed.practices)
    return replace(given, plan=cases)


def _odds(view: TargetView, year: Year) -> float:
    found = odds.odds(view, odds.values(odds.members(view, year)), odds.settled(view, year))["probability"]
    return 0.0 if found is None else float(found)


def _layout(made: Portfolio, readings: Mapping[str, str]) -> TargetView | None:
    """Lay the portfolio's target out under some readings, None where they leave it out."""
    now = made.basis.now
    policy, _ = valued(choose(now.policy, readings)[0], made.year)
    options = {"quotas": now.inputs.quotas, "level": now.level}
    laid = views(now.ledger, policy, made.year, now.year, **options)
    return next((view for view in laid if view.id == made.target), None)


def _readings(made: Portfolio) -> list[dict[str, Any]]:
    """Give the plan's odds under each option of each switch that lays the target out otherwise: the lowest and the highest."""
    held = made.basis
    year = years_to_come(_planned(made), made.year)[-1]
    views_of = {"": held.view}

    def pairs(readings: Mapping[str, str]) -> list[tuple[TargetView, Year]]:
        view = views_of[""] if dict(readings) == held.readings else _layout(made, readings)
        return [] if view is None else [(view, year)]

    labels = {one.id: (one.question, one.question_en) for one in held.now.policy.readings}
    central, rows = _odds(held.view, year), []
    found = by_reading(held.now.ledger, held.now.policy, held.readings, pairs)
    for switch, some in found[found["probability"].notna()].groupby("switch", sort=False):
        told = [("", central), *zip(some["option"], some["probability"].astype(float), strict=True)]
        low, high = min(told, key=lambda one: one[1]), max(told, key=lambda one: one[1])
        zh, en = labels[str(switch)]
        head = {"kind": "reading", "id": str(switch), "label": zh, "label_en": en, "low": low[0], "high": high[0]}
        rows.append({**head, "p_low": low[1], "p_high": high[1], "central": central})
    return rows


def _assumptions(made: Portfolio) -> list[dict[str, Any]]:
    """Give the plan's odds with each assumption at either end of its range, all else alike."""
    given = replace(_planned(made), sampling=Sampling(min(made.draws, DRAWS), made.seed))
    point, view = Point(given.assumed, given.pace), made.basis.view
    central, rows = _odds(view, years_to_come(given, made.year)[-1]), []
    for factor in _factors(given):
        ends = [factor.set(point, value).setting(given) for value in (factor.low, factor.high)]
        p_low, p_high = (_odds(view, years_to_come(end, made.year)[-1]) for end in ends)
        head = {"kind": "assumption", "id": factor.id, "label": factor.label, "label_en": factor.label_en}
        head |= {"low": f"{factor.low:.3g}", "high": f"{factor.high:.3g}"}
        rows.append({**head, "p_low": p_low, "p_high": p_high, "central": central})
    return rows


def _factors(given: Setting) -> list[Factor]:
    return [factor for factor in factors(given) if factor.group != "response"]


def _facts(made: Portfolio) -> list[dict[str, Any]]:
    """Give the plan's odds where a fact that it rests on does not hold, so that its methods are not open."""
    held, rows = made.basis, []
    t, taken = held.problem.tensor, held.best.taken
    condition = t.options["condition"].astype(str).to_numpy()
    for told in sorted(set(condition[taken]) - {""}):
        mine = taken & (condition == told)
        en = str(t.options.loc[mine, "condition_en"].iloc[0])
        without = t.probability(taken & ~mine)
        head = {
            "kind": "fact",
            "id": told,
            "label": f"{told}（{int(mine.sum())}户）",
            "label_en": f"{en} ({int(mine.sum())})",
        }
        rows.append({**head, "p_low": without, "p_high": held.best.probability})
    return rows


def _few_draws(made: Portfolio) -> Setting:
    return replace(made.basis.made.given, sampling=Sampling(min(made.draws, DRAWS), made.seed))


def _best(made: Portfolio, given: Setting, view: TargetView | None = None) -> frozenset[tuple[int, str]]:
    """Return whom the best plan gives which method, under a setting and layout."""
    held = made.basis
    problem = Problem(tensor(given, view or held.view, held.options), held.problem.limits)
    top = strongest(problem)
    found: Found | None = cheapest(problem, made.asked, top)[0] if made.reached else None
    rows = problem.tensor.options[(found or top).taken]
    return frozenset(zip(rows["at"].astype(int), rows["method"].astype(str), strict=True))


def _changes(made: Portfolio, given: Setting, row: Mapping[Any, Any], now: frozenset[tuple[int, str]]) -> bool:
    """Whether the plan to take at either end of an assumption, or under a reading, is another: over a tenth of it differs."""
    if row["kind"] == "reading":
        options = [option for option in (row["low"], row["high"]) if option]
        layouts = [_layout(made, {**made.basis.readings, row["id"]: option}) for option in options]
        plans = [_best(made, given, view) for view in layouts if view is not None and view.goal is not None]
    else:
        factor = next(one for one in _factors(_planned(made)) if one.id == row["id"])
        point = Point(given.assumed, given.pace)
        plans = [_best(made, factor.set(point, value).setting(given)) for value in (factor.low, factor.high)]
    return any(len(now ^ plan) > TENTH * max(len(now | plan), 1) for plan in plans)


DRAWS, TENTH = 500, 0.1
ROBUST = ("kind", "id", "label", "label_en", "low", "high", "p_low", "p_high", "central", "swing", "holds")
KNOWING = ("kind", "id", "label", "label_en", "p_low", "p_high", "swing", "changes")
