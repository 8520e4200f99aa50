"""The strongest and the cheapest plan (最有把握与最省的组合): HiGHS on the mean of common draws, judged on all of them, with a bound on the gap.

A target is met in a draw where its margin, linear in the options taken, is not above 0. The mean margin that a plan must reach is bisected;
each plan is judged by its odds on every draw, then trimmed and improved option by option. Where there are few options, all plans are tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array, vstack

from lyeval.assessment import Assessment, TargetView
from lyeval.policy.assumptions import Assumptions
from lyeval.portfolios.choices import Choice, Tensor, ratio
from lyeval.simulation.projection import Prepared


@dataclass(frozen=True, eq=False)
class Limits:
    """What a plan may not exceed.

    Attributes
    ----------
    money
        The government's money by year of start, 万元; "" for all years together.
    at_most
        Number of enterprises; None without a limit.
    """

    money: Mapping[int | str, float] = field(default_factory=dict)
    at_most: int | None = None


@dataclass(frozen=True)
class Found:
    """A plan tried: the options taken, what they cost (万元), and the odds on the tensor's draws."""

    taken: Choice
    cost: float
    probability: float


@dataclass(frozen=True, eq=False)
class Problem:
    """A tensor with limits: plans are sought in it."""

    tensor: Tensor
    limits: Limits

    @cached_property
    def cost(self) -> np.ndarray:
        """Cost of each option, 万元."""
        return self.tensor.options["cost_wan"].to_numpy(dtype=float)

    @cached_property
    def firm(self) -> np.ndarray:
        """Number of each option's enterprise, 0 to the number of enterprises with options."""
        return np.unique(self.tensor.column, return_inverse=True)[1]

    @property
    def firms(self) -> int:
        """How many enterprises have options."""
        return int(self.firm.max(initial=-1)) + 1

    @cached_property
    def moved(self) -> tuple[np.ndarray, np.ndarray]:
        """By how much each option moves numerator and denominator, (draws, options) each."""
        t = self.tensor
        part = t.own_part - t.part[:, t.column].astype(float)
        whole = np.zeros((1, part.shape[1]))
        if t.whole is not None and t.own_whole is not None:
            whole = t.own_whole - t.whole[:, t.column]
        return part, whole

    @cached_property
    def arranged(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums of numerator and denominator as arranged, shape (draws,) each."""
        t = self.tensor
        part = t.part.sum(axis=1).astype(float)
        return part, np.ones(len(part)) if t.whole is None else t.whole.sum(axis=1)

    def margin(self, goal: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the margin to a goal as arranged, shape (draws,), and what each option adds to it, (draws, options)."""
        t, (part, whole), (d_part, d_whole) = self.tensor, self.arranged, self.moved
        sign, base = (1.0 if t.view.op == "le" else -1.0), (t.view.base if t.view.kind == "closed" else 0.0)
        return sign * (part + base - goal * whole), sign * (d_part - goal * d_whole)

    @cached_property
    def pull(self) -> np.ndarray:
        """Mean of what each option adds to the margin, shape (options,)."""
        return self.margin(float(self.tensor.view.goal or 0.0))[1].mean(axis=0)

    @cached_property
    def rows(self) -> list[tuple[np.ndarray, float]]:
        """What the limits allow, as rows over the options and the most of each."""
        state = (self.tensor.options["payer"] == "government").to_numpy()
        year = pd.DatetimeIndex(self.tensor.options["started"]).year.to_numpy()
        out = [
            (np.where(state & ((year == of) if of else True), self.cost, 0.0), float(most))
            for of, most in self.limits.money.items()
        ]
        if self.limits.at_most is not None:
            out.append((np.ones(len(self.cost)), float(self.limits.at_most)))
        return out

    def allows(self, taken: Choice) -> bool:
        """Whether a plan keeps to the limits."""
        return all(row[taken].sum() <= most * (1 + 1e-9) + 1e-9 for row, most in self.rows)

    def plan(self, taken: Choice) -> Found:
        """Judge a plan on all draws."""
        return Found(taken, float(self.cost[taken].sum()), self.tensor.probability(taken))

    def nothing(self) -> Choice:
        """Return the plan that takes no option."""
        return np.zeros(len(self.cost), dtype=bool)

    def optimum(
        self, price: np.ndarray, more: list[tuple[np.ndarray, float]], *, whole: bool = True
    ) -> np.ndarray | None:
        """Return the options that minimise a price within the limits and further rows (≤), None where there are none."""
        n = len(price)
        one: Any = coo_array((np.ones(n), (self.firm, np.arange(n))), shape=(self.firms, n))
        rows = [*self.rows, *more]
        dense = coo_array(np.array([row for row, _ in rows]).reshape(len(rows), n))
        most = np.concatenate([np.ones(one.shape[0]), [most for _, most in rows]])
        both: Any = vstack([one, dense]).tocsc()
        limits = LinearConstraint(both, np.full(len(most), -np.inf), most)  # pyright: ignore[reportArgumentType]
        options = {"mip_rel_gap": GAP, "time_limit": SECONDS}
        made = milp(price, constraints=limits, bounds=Bounds(0, 1), integrality=np.full(n, int(whole)), options=options)
        return None if made.x is None else made.x


# -- plans -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Sought:
    """What a plan was sought in, and what was asked, kept for questions asked of it later.

    ``best`` is the cheapest plan with the odds asked for, where there is none (``reached`` False) the ceiling's.
    """

    now: Assessment
    made: Prepared
    view: TargetView
    problem: Problem
    best: Found
    reached: bool
    options: pd.DataFrame
    refused: pd.DataFrame
    asked: float
    assumptions: str | PathLike[str] | Assumptions
    readings: dict[str, str]
    draws: int
    seed: int


def strongest(problem: Problem) -> Found:
    """Return the most probable plan found within the limits: the least mean margin, then improved option by option."""
    if not len(problem.cost):
        return problem.plan(problem.nothing())
    best = problem.optimum(problem.pull, [])
    taken = problem.nothing() if best is None else best > HALF
    return problem.plan(_improved(problem, taken))


def cheapest(problem: Problem, probability: float, ceiling: Found) -> tuple[Found | None, list[Found]]:
    """Return the cheapest plan found that reaches some odds, None where the ceiling does not, and every plan tried on the way."""
    nothing, tried = problem.plan(problem.nothing()), []
    if nothing.probability >= probability:
        return nothing, [nothing]
    tried = [nothing, ceiling]
    if not len(problem.cost):
        return None, tried
    gain = float(-problem.pull[ceiling.taken].sum())
    for share in np.linspace(0, 1, STEPS + 1)[1:-1]:
        tried += [found for found in [_for_mean(problem, gain * share)] if found is not None]
    if ceiling.probability < probability:
        return None, tried
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        found = _for_mean(problem, gain * middle)
        tried += [] if found is None else [found]
        enough = found is not None and found.probability >= probability
        low, high = (low, middle) if enough else (middle, high)
    good = sorted((one for one in tried if one.probability >= probability), key=lambda one: one.cost)
    trimmed = [problem.plan(_trimmed(problem, one.taken, probability)) for one in good[:TRIMMED]]
    return min(trimmed, key=lambda one: (one.cost, -one.probability)), [*tried, *trimmed]


def _for_mean(problem: Problem, gain: float) -> Found | None:
    """Return the cheapest plan that moves the mean margin by so much."""
    best = problem.optimum(problem.cost + TOKEN, [(problem.pull, -gain)])
    return None if best is None else problem.plan(best > HALF)


class _Sums:
    """A plan's summed parts, changed option by option."""

    def __init__(self, problem: Problem, taken: Choice) -> None:
        self.problem, self.taken = problem, taken.copy()
        part, whole = problem.arranged
        moved_part, moved_whole = problem.moved
        self.flat = moved_whole.shape[0] == 1
        self.part = part + moved_part[:, taken].sum(axis=1)
        self.whole = whole if self.flat else whole + moved_whole[:, taken].sum(axis=1)

    def tried(self, out: np.ndarray, into: int | None) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the odds and sums with some options left out and one taken."""
        moved_part, moved_whole = self.problem.moved
        part = self.part - moved_part[:, out].sum(axis=1)
        whole = self.whole if self.flat else self.whole - moved_whole[:, out].sum(axis=1)
        if into is not None:
            part = part + moved_part[:, into]
            whole = whole if self.flat else whole + moved_whole[:, into]
        return self.problem.tensor.quick(part, whole), part, whole

    def change(self, out: np.ndarray, into: int | None, sums: tuple[np.ndarray, np.ndarray]) -> None:
        """Leave some options out and take one."""
        self.taken[out] = False
        if into is not None:
            self.taken[into] = True
        self.part, self.whole = sums


def _improved(problem: Problem, taken: Choice) -> Choice:
    """Exchange an enterprise's option for another, or for none, as long as the odds rise (of equal odds, as the mean margin falls)."""
    sums, pull = _Sums(problem, taken), problem.pull
    now = sums.tried(np.zeros(0, dtype=int), None)[0]
    for _ in range(SWEEPS):
        before = now
        for firm in range(problem.firms):
            mine = np.flatnonzero(problem.firm == firm)
            held = mine[sums.taken[mine]]
            for into in [*(i for i in mine.tolist() if i not in held), None]:
                other = sums.taken.copy()
                other[held] = False
                if into is not None:
                    other[into] = True
                if not problem.allows(other):
                    continue
                odds, *made = sums.tried(held, into)
                falls = (pull[into] if into is not None else 0.0) - pull[held].sum()
                if odds > now or (odds == now and falls < 0):
                    now = odds
                    sums.change(held, into, (made[0], made[1]))
                    held = np.array([] if into is None else [into], dtype=int)
        if now <= before:
            break
    return sums.taken


def _trimmed(problem: Problem, taken: Choice, probability: float) -> Choice:
    """Leave out options, or exchange them for cheaper ones, the dearest first, as long as the odds stay."""
    sums = _Sums(problem, taken)
    for held in np.flatnonzero(taken)[np.argsort(-problem.cost[taken], kind="stable")].tolist():
        mine = np.flatnonzero(problem.firm == problem.firm[held])
        cheaper = sorted(
            (i for i in mine.tolist() if problem.cost[i] < problem.cost[held]), key=lambda i: problem.cost[i]
        )
        for into in [None, *cheaper]:
            odds, part, whole = sums.tried(np.array([held]), into)
            other = sums.taken.copy()
            other[held] = False
            if into is not None:
                other[into] = True
            if odds >= probability and problem.allows(other):
                sums.change(np.array([held]), into, (part, whole))
                break
    return sums.taken


# -- all plans ---------------------------------------------------------------------------------------------------------


def few(problem: Problem) -> bool:
    """Whether there are so few options that every plan can be tried."""
    count = np.prod([1.0 + n for n in np.bincount(problem.firm)]) if len(problem.firm) else 1.0
    return bool(count * len(problem.tensor.part) <= CELLS)


def every(problem: Problem) -> list[Found]:
    """Judge every plan within the limits, and return those that no cheaper one matches, by cost."""
    firms = [np.flatnonzero(problem.firm == firm) for firm in range(problem.firms)]
    (one, parts, wholes), other = _plans(problem, firms[::2]), _plans(problem, firms[1::2])
    part, whole = problem.arranged
    made: list[tuple[float, float, Choice]] = []
    for taken, more, below in zip(*other, strict=True):
        for mine, own, under in zip(one, parts, wholes, strict=True):
            both = taken | mine
            if problem.allows(both):
                odds = problem.tensor.quick(part + more + own, whole + below + under)
                made.append((float(problem.cost[both].sum()), -odds, both))
    best: list[Found] = []
    for cost, odds, taken in sorted(made, key=lambda plan: plan[:2]):
        if not best or -odds > best[-1].probability:
            best.append(Found(taken, cost, -odds))
    return [problem.plan(plan.taken) for plan in best]


def _plans(problem: Problem, firms: list[np.ndarray]) -> tuple[list[Choice], np.ndarray, np.ndarray]:
    """Return every plan of some enterprises, and what each adds to numerator and denominator, (plans, draws) each."""
    taken, (moved_part, moved_whole) = [problem.nothing()], problem.moved
    part, whole = np.zeros((1, len(moved_part))), np.zeros((1, len(moved_whole)))
    for mine in firms:
        with_it = [[one | (np.arange(len(one)) == into) for one in taken] for into in mine.tolist()]
        part = np.concatenate([part, *(part + moved_part[:, into] for into in mine)])
        no_whole = len(moved_whole) == 1
        whole = np.concatenate([whole, *(whole if no_whole else whole + moved_whole[:, into] for into in mine)])
        taken = [*taken, *(one for some in with_it for one in some)]
    return taken, part, whole


# -- the bound ---------------------------------------------------------------------------------------------------------


def bound(problem: Problem, probability: float) -> float:
    """Return a cost, 万元, that no plan of some odds on these draws can be below.

    A plan that meets the goal in n draws costs at least what the n-th cheapest draw costs alone (`_alone`). And in as many draws as the odds
    ask, the margin is not above 0; in the others it is no more than any plan can make it: weighted sums of margins over draws are bounded,
    and the linear programme with these rows, options taken in parts, is a relaxation. The higher of the two bounds holds. The correction
    by past forecasts moves the goal by no more than `_loosest` says.
    """
    if not len(problem.cost) or problem.plan(problem.nothing()).probability >= probability:
        return 0.0
    base, added = problem.margin(_loosest(problem, probability))
    draws = len(base)
    failing = draws - int(np.ceil(probability * (draws + 1) - 0.5 - 1e-9))
    alone = float(np.sort(_alone(problem.cost, base, added))[draws - failing - 1])
    worst = np.maximum(base + _by_firm(problem, np.maximum(added, 0.0)), 0.0)
    reach = base + _by_firm(problem, np.minimum(added, 0.0), least=True)
    hardest, rows = np.argsort(-reach, kind="stable"), []
    for share in SHARES:
        some = hardest[: max(failing + 1, int(share * draws))]
        allowed = np.sort(worst[some])[::-1][:failing].sum() - base[some].sum()
        rows.append((added[some].sum(axis=0) / len(some), float(allowed) / len(some)))
    best = problem.optimum(problem.cost, rows, whole=False)
    return float("inf") if best is None else max(float(problem.cost @ best), alone)


def _alone(cost: np.ndarray, base: np.ndarray, added: np.ndarray) -> np.ndarray:
    """Return the least cost of meeting the goal in each draw alone, options taken in parts by cost for what they bring; shape (draws,)."""
    gain = np.maximum(-added, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.where(gain > 0, cost / gain, np.inf)
    order = np.argsort(price, axis=1, kind="stable")
    gain, price = (np.take_along_axis(one, order, axis=1) for one in (gain, price))
    spent = np.where(np.isfinite(price), cost[order], 0.0)
    reached, paid = np.cumsum(gain, axis=1), np.cumsum(spent, axis=1)
    wanted = base - 1e-9 * np.maximum(np.abs(base), 1.0)
    at = (reached < wanted[:, None]).sum(axis=1)
    rows, last = np.arange(len(base)), np.minimum(at, len(cost) - 1)
    before = np.where(last > 0, reached[rows, last - 1], 0.0)
    part = np.where(wanted > before, (wanted - before) * price[rows, last], 0.0)
    total = np.where(last > 0, paid[rows, last - 1], 0.0) + np.nan_to_num(part, posinf=np.inf)
    return np.where(wanted <= 0, 0.0, np.where(at >= len(cost), np.inf, total))


def _by_firm(problem: Problem, added: np.ndarray, *, least: bool = False) -> np.ndarray:
    """Sum over enterprises the most (or least) that any one option of each adds in each draw."""
    total, pick = np.zeros(len(added)), np.min if least else np.max
    for firm in range(problem.firms):
        total += pick(added[:, problem.firm == firm], axis=1)
    return total


def _loosest(problem: Problem, probability: float) -> float:
    """Return the goal, or one that is easier by as much as the correction by past forecasts can make it under any plan.

    A corrected value is μ + shift σ + scale (v − μ), with scale ≥ 1. It is within the goal g where v is within μ + (g − μ − shift σ) /
    scale: no further than g + |shift| σ / scale where μ is within g; where it is not, μ itself is held by the share of draws that are.
    """
    view, t = problem.tensor.view, problem.tensor
    goal, sign = float(view.goal or 0.0), 1.0 if view.op == "le" else -1.0
    taught = t.year.learned.get(view.id)
    slack = 0.5 if view.kind == "count" else 0.0
    if taught is None or view.kind == "closed" or (taught.shift == 0 and taught.scale == 1):
        return goal + sign * (slack if taught is not None and view.kind != "closed" else 0.0)
    best, worst = _range(problem)
    low, high = np.minimum(sign * best, sign * worst), np.maximum(sign * best, sign * worst)
    centre = float((low + high).mean() / 2)
    spread = float(np.sqrt(np.maximum((low - centre) ** 2, (high - centre) ** 2).mean()))
    rest = 1 - 1 / taught.scale
    free = max(-taught.shift * sign, 0.0) * spread / taught.scale
    inside = sign * goal + slack + free
    top = float(np.sort(high)[::-1][: max(1, int(np.ceil((1 - probability) * len(high))))].mean())
    own = (sign * goal + slack) / taught.scale + free
    mean = (probability * own + (1 - probability) * top) / max(1 - probability * rest, 1e-9)
    return sign * max(inside, own + rest * min(mean, float(high.mean())))


def _range(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Return values between which a statistic lies in each draw whatever the plan, shape (draws,) twice."""
    (part, whole), (d_part, d_whole) = problem.arranged, problem.moved
    ends = []
    for least in (True, False):
        pick, other = (np.minimum, np.maximum) if least else (np.maximum, np.minimum)
        top = part + _by_firm(problem, pick(d_part, 0.0), least=least)
        under = whole if d_whole.shape[0] == 1 else whole + _by_firm(problem, other(d_whole, 0.0), least=not least)
        ends.append(np.nan_to_num(ratio(top, under), nan=0.0 if least else 1.0))
    if problem.tensor.view.kind == "share":
        ends = [np.clip(end, 0.0, 1.0) for end in ends]
    return ends[0], ends[1]


GAP, SECONDS, TOKEN, HALF = 1e-3, 5.0, 1e-3, 0.5
STEPS, HALVINGS, SWEEPS, TRIMMED = 6, 6, 2, 3
CELLS = 3e7
SHARES = (1.0, 0.75, 0.5, 0.35, 0.25, 0.15)
