"""How a plan holds (稳健性): under every reading and over the assumptions' ranges; and what to find out first (先核实什么)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import qmc

from lyeval.assessment import TargetView, views
from lyeval.forecasting.nowcast import by_reading
from lyeval.forecasting.sensitivity import Factor, Point, factors
from lyeval.policy import choose
from lyeval.portfolios.choices import met, planned, tensor
from lyeval.portfolios.solving import Problem, Sought, strongest
from lyeval.simulation.casework import given_plan
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Setting, Year, years_to_come
from lyeval.simulation.projection import valued


def robustness(held: Sought, plan: pd.DataFrame) -> pd.DataFrame:
    """Tell what the odds of a plan (`Portfolio.plan`) are under every other reading, and at both ends of every assumption.

    Returns
    -------
    DataFrame
        kind (reading, assumption), id, label, label_en, low, high (what it is set to), p_low, p_high, central (the odds as assumed) and holds
        (whether both ends have the odds asked for), the largest swing first.
    """
    rows = [*_readings(held, plan), *_assumptions(held, plan)]
    for row in rows:
        row["holds"] = bool(min(row["p_low"], row["p_high"]) >= held.asked)
    return _ranked(rows, ROBUST)


def worth_knowing(held: Sought, plan: pd.DataFrame, robust: pd.DataFrame) -> pd.DataFrame:
    """Rank what is not known by how far knowing it moves the odds of the plan, and tell whether it changes the plan.

    Returns
    -------
    DataFrame
        kind (fact, reading, assumption), id, label, label_en, p_low, p_high, swing, changes (whether another plan is then the one to take). Of a
        fact, p_low is the odds if it does not hold and its methods are not open.
    """
    rows = [row | {"changes": True} for row in _facts(held)]
    for row in robust.to_dict("records"):
        kept = {str(name): value for name, value in row.items() if name in KNOWING}
        rows.append(kept | {"changes": row["swing"] > SMALL and _changes(held, plan, row)})
    return _ranked(rows, KNOWING)


def failing_box(held: Sought, plan: pd.DataFrame) -> pd.DataFrame:
    """Describe in which box of assumptions a plan fails (PRIM): all assumptions drawn together over their ranges, the box peeled edge by edge.

    A plan fails where its odds are below those asked for; one that does not have them as assumed, where they are below what they then are.

    Returns
    -------
    DataFrame
        id, label, label_en, low, high (the range), box_low, box_high (the box), one row an assumption that bounds it; inside (share of the points
        in the box that fail), covered (share of all failing points that it holds) and overall (share of all points that fail), alike in each row.
    """
    given, view = _few_draws(held, plan), held.view
    free, start = _factors(given), Point(given.assumed, given.pace)
    line = held.asked if held.reached else met(view, years_to_come(given, view.year)[-1])
    points = qmc.LatinHypercube(len(free), rng=held.seed).random(POINTS) if free else np.zeros((POINTS, 0))
    failing = np.zeros(POINTS, dtype=bool)
    for row, unit in enumerate(points):
        point = start
        for factor, share in zip(free, unit.tolist(), strict=True):
            point = factor.set(point, factor.low + share * (factor.high - factor.low))
        failing[row] = met(view, years_to_come(point.setting(given), view.year)[-1]) < line
    box = peeled(points, failing)
    held_in = ((points >= box[0]) & (points <= box[1])).all(axis=1)
    shares = {"inside": float(failing[held_in].mean()), "overall": float(failing.mean())}
    shares["covered"] = float(failing[held_in].sum() / max(failing.sum(), 1))
    rows = []
    for factor, low, high in zip(free, *box.tolist(), strict=True):
        if low > 0 or high < 1:
            width = factor.high - factor.low
            head = {
                "id": factor.id,
                "label": factor.label,
                "label_en": factor.label_en,
                "low": factor.low,
                "high": factor.high,
            }
            rows.append({**head, "box_low": factor.low + low * width, "box_high": factor.low + high * width, **shares})
    return pd.DataFrame(rows, columns=list(BOX))


def peeled(points: np.ndarray, failing: np.ndarray) -> np.ndarray:
    """Peel a box around the failing points of a unit cube: the tenth whose loss leaves the highest share of them goes, as long as it rises.

    Returns
    -------
    ndarray
        Lower and upper edges, shape (2, factors); 0 and 1 where nothing was peeled.
    """
    box = np.array([np.zeros(points.shape[1]), np.ones(points.shape[1])])
    inside = np.ones(len(points), dtype=bool)
    while inside.sum() > max(LEAST, TENTH * len(points)):
        now, best = failing[inside].mean(), None
        for factor in range(points.shape[1]):
            values = points[inside, factor]
            for side, edge in ((0, np.quantile(values, TENTH)), (1, np.quantile(values, 1 - TENTH))):
                left = inside & (points[:, factor] >= edge if side == 0 else points[:, factor] <= edge)
                share = failing[left].mean()
                if left.sum() < inside.sum() and (best is None or share > best[0]):
                    best = (share, factor, side, edge, left)
        if best is None or best[0] <= now:
            break
        box[best[2], best[1]], inside = best[3], best[4]
    return box


def _ranked(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    for row in rows:
        row["swing"] = abs(row["p_high"] - row["p_low"])
    rows.sort(key=lambda row: (-row["swing"], row["kind"], row["id"]))
    return pd.DataFrame(rows, columns=list(columns))


def _layout(held: Sought, readings: Mapping[str, str]) -> TargetView | None:
    """Lay the target out under some readings, None where they leave it out."""
    now, year = held.now, held.view.year
    policy, _ = valued(choose(now.policy, readings)[0], year)
    options = {"quotas": now.inputs.quotas, "level": now.level}
    laid = views(now.ledger, policy, year, now.year, **options)
    return next((view for view in laid if view.id == held.view.id), None)


def _readings(held: Sought, plan: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the plan's odds under each option of each switch that lays the target out otherwise: the lowest and the highest."""
    year = planned(held.made.given, held.now.ledger, plan, held.view.year)
    views_of = {"": held.view}

    def pairs(readings: Mapping[str, str]) -> list[tuple[TargetView, Year]]:
        view = views_of[""] if dict(readings) == held.readings else _layout(held, readings)
        return [] if view is None else [(view, year)]

    labels = {one.id: (one.question, one.question_en) for one in held.now.policy.readings}
    central, rows = met(held.view, year), []
    found = by_reading(held.now.ledger, held.now.policy, held.readings, pairs)
    for switch, some in found[found["probability"].notna()].groupby("switch", sort=False):
        told = [("", central), *zip(some["option"], some["probability"].astype(float), strict=True)]
        low, high = min(told, key=lambda one: one[1]), max(told, key=lambda one: one[1])
        zh, en = labels[str(switch)]
        head = {"kind": "reading", "id": str(switch), "label": zh, "label_en": en, "low": low[0], "high": high[0]}
        rows.append({**head, "p_low": low[1], "p_high": high[1], "central": central})
    return rows


def _assumptions(held: Sought, plan: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the plan's odds with each assumption at either end of its range, all else alike."""
    given, view = _few_draws(held, plan), held.view
    point, rows = Point(given.assumed, given.pace), []
    central = met(view, years_to_come(given, view.year)[-1])
    for factor in _factors(given):
        ends = [factor.set(point, value).setting(given) for value in (factor.low, factor.high)]
        p_low, p_high = (met(view, years_to_come(end, view.year)[-1]) for end in ends)
        head = {"kind": "assumption", "id": factor.id, "label": factor.label, "label_en": factor.label_en}
        head |= {"low": f"{factor.low:.3g}", "high": f"{factor.high:.3g}"}
        rows.append({**head, "p_low": p_low, "p_high": p_high, "central": central})
    return rows


def _factors(given: Setting) -> list[Factor]:
    return [factor for factor in factors(given) if factor.group != "response"]


def _facts(held: Sought) -> list[dict[str, Any]]:
    """Give the plan's odds where a fact that it rests on does not hold, so that its methods are not open."""
    rows: list[dict[str, Any]] = []
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


def _few_draws(held: Sought, plan: pd.DataFrame) -> Setting:
    """Return what a plan was sought in, with it for cases and no more draws than it takes to compare."""
    given = held.made.given
    cases, _ = given_plan(plan, held.now.ledger, given.date, given.assumed.practices)
    return replace(given, plan=cases, sampling=Sampling(min(held.draws, DRAWS), held.seed))


def _changes(held: Sought, plan: pd.DataFrame, row: Mapping[Any, Any]) -> bool:
    """Whether at either end of an assumption, or under a reading, another plan is clearly better than the one found.

    Better is more probable by twice its error, or of the odds asked for where the one found has them no more.
    """
    given = replace(held.made.given, sampling=Sampling(min(held.draws, DRAWS), held.seed))
    if row["kind"] == "reading":
        layouts = [
            _layout(held, {**held.readings, row["id"]: option}) for option in (row["low"], row["high"]) if option
        ]
        cases = [(given, view) for view in layouts if view is not None and view.goal is not None]
    else:
        factor = next(one for one in _factors(_few_draws(held, plan)) if one.id == row["id"])
        point = Point(given.assumed, given.pace)
        cases = [(factor.set(point, value).setting(given), held.view) for value in (factor.low, factor.high)]
    added = plan[plan["new"]]
    mine = set(zip(added["credit_code"], added["method"], strict=True))
    return any(
        _beaten(held, Problem(tensor(setting, view, held.options), held.problem.limits), mine)
        for setting, view in cases
    )


def _beaten(held: Sought, problem: Problem, mine: set[tuple[str, str]]) -> bool:
    """Whether in a problem with other figures a clearly better plan is found than the one that stands."""
    rows = problem.tensor.options
    codes = held.made.given.panel.codes[rows["at"].to_numpy(dtype=int)]
    stands = np.array([pair in mine for pair in zip(codes, rows["method"], strict=True)], dtype=bool)
    now, top = problem.tensor.probability(stands), strongest(problem).probability
    if held.reached:
        return now < held.asked <= top
    return top - now > 2 * float(np.sqrt(max(top * (1 - top), 1e-9) / len(problem.tensor.part)))


DRAWS, SMALL = 500, 0.01
POINTS, LEAST, TENTH = 64, 10, 0.1
ROBUST = ("kind", "id", "label", "label_en", "low", "high", "p_low", "p_high", "central", "swing", "holds")
BOX = ("id", "label", "label_en", "low", "high", "box_low", "box_high", "inside", "covered", "overall")
KNOWING = ("kind", "id", "label", "label_en", "p_low", "p_high", "swing", "changes")
