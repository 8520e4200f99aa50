"""Which plan (处置方案的选择): the strongest and the cheapest lawful plan for a target, what it costs, frees and hangs on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment, TargetView
from lyeval.indicators import book
from lyeval.policy import PolicyError, unknown
from lyeval.policy.assumptions import Assumptions
from lyeval.portfolios.choices import leaving, met, options, planned, tensor
from lyeval.portfolios.solving import Found, Limits, Problem, Sought, bound, cheapest, every, few, strongest
from lyeval.simulation.casework import Asked
from lyeval.simulation.draws import Sampling
from lyeval.simulation.known import Note, note
from lyeval.simulation.projection import check_draws, prepared
from lyeval.told import Told, of_kind, shown, unit_text, whole

Funds = float | Mapping[int, float] | None


@dataclass(frozen=True, eq=False)
class Ceiling:
    """The most that any lawful plan was found to reach.

    Attributes
    ----------
    probability
        On the draws that plans were compared on, as `simulate` with these draws and this seed gives them.
    fresh
        On fresh draws: the figure to print.
    plan
        The plan, as `Portfolio.plan`.
    cost_wan
        Of what is added, 万元.
    most
        Odds that no plan at all can exceed, on the same draws.
    goal
        The target's value at which this plan would have the odds asked for.
    """

    probability: float
    fresh: float
    plan: pd.DataFrame = field(repr=False)
    cost_wan: float
    most: float
    goal: float


@dataclass(frozen=True, eq=False)
class Portfolio:
    """A plan sought for a target.

    Attributes
    ----------
    policy, target, year, goal, asked, draws, seed
        The plan's policy, the target and its year and goal, the odds asked for, draws and seed.
    ceiling
        The most that any lawful plan reaches.
    reached
        Whether a plan has the odds asked for.
    plan
        The cheapest plan that has them, else the ceiling's: all cases, the ledger's own (``new`` False) and what is added, ready for `simulate`:
        credit_code, name, township, method, started, due, successor, cost_wan (万元), new, label (of the method), payer,
        clause, condition (facts that must hold and are not known), why, each also in English.
    probability
        Of this plan, on fresh draws.
    on_draws
        Of this plan, on the draws that plans were compared on.
    cost_wan, bound_wan, gap
        Cost of what is added, a cost that no plan with the odds asked for can be below, and their distance as a share of the cost.
    curve
        Plans by cost: cost_wan, probability (on the draws compared on), enterprises.
    funds
        year, payer, enterprises, cost_wan: what is added, by year of start.
    townships
        township, enterprises, land_mu, cost_wan and released_mu (land expected to leave its enterprise by the year's end) of the plan's cases.
    prices
        constraint, step, effect, unit: what one step more of a limit, or of the odds, brings or costs.
    refused
        credit_code, method, clause, why: what the clauses do not allow.
    notes
        In words, what was found and what it rests on.
    """

    policy: str
    target: str
    year: int
    goal: float
    asked: float
    draws: int
    seed: int
    ceiling: Ceiling
    reached: bool
    plan: pd.DataFrame = field(repr=False)
    probability: float
    on_draws: float
    cost_wan: float
    bound_wan: float
    gap: float
    curve: pd.DataFrame = field(repr=False)
    funds: pd.DataFrame = field(repr=False)
    townships: pd.DataFrame = field(repr=False)
    prices: pd.DataFrame = field(repr=False)
    refused: pd.DataFrame = field(repr=False)
    notes: tuple[Note, ...] = field(repr=False)
    basis: Sought = field(repr=False)

    @cached_property
    def robust(self) -> pd.DataFrame:
        """The plan under every reading and over the assumptions' ranges (`robust.robustness`)."""
        from lyeval.portfolios.robust import robustness  # loads scipy.stats

        return robustness(self.basis, self.plan)

    @cached_property
    def box(self) -> pd.DataFrame:
        """In which box of assumptions the plan fails (`robust.failing_box`), no row where none is found."""
        from lyeval.portfolios.robust import failing_box

        return failing_box(self.basis, self.plan)

    @cached_property
    def find_out(self) -> pd.DataFrame:
        """What to find out first: facts, assumptions and readings by how far knowing them moves the odds (`robust.worth_knowing`)."""
        from lyeval.portfolios.robust import worth_knowing

        return worth_knowing(self.basis, self.plan, self.robust)

    def tidy(self) -> pd.DataFrame:
        """Return what is added, one row an enterprise, with units in the headings."""
        kept = [
            "credit_code",
            "name",
            "township",
            "method",
            "started",
            "payer",
            "cost_wan",
            "clause",
            "condition",
            "why",
        ]
        added = self.plan[self.plan["new"]][kept].reset_index(drop=True)
        return added.rename(columns={"cost_wan": "cost (万元)"})

    def __repr__(self) -> str:
        lines = [f"<Portfolio {self.policy} {self.target} {self.year}, odds asked {self.asked:g}, seed {self.seed}>"]
        return "\n".join(lines + [f"  {note.en}" for note in self.notes[:2]])

    def _repr_html_(self) -> str:
        told = "".join(f"<li>{note.zh}</li>" for note in self.notes)
        return f"<ul>{told}</ul>{self.tidy().to_html(index=False, na_rep='')}{self.townships.to_html(index=False, na_rep='')}"


def portfolio(
    now: Assessment,
    target: str,
    *,
    year: int | None = None,
    probability: float = 0.9,
    funds: Funds = None,
    at_most: int | None = None,
    methods: Iterable[str] | None = None,
    assumptions: str | PathLike[str] | Assumptions = "default",
    readings: Mapping[str, str] | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> Portfolio:
    """Seek the lawful plan that reaches a target with some odds at least cost, and the most that any plan reaches.

    Parameters
    ----------
    now
        The assessed year from which it is looked ahead; its cases in progress go on unless the plan puts another method in their place.
    target, year
        Id of a target of the plan, and the year, by default the first that it has a value for after the assessed one.
    probability
        The odds asked for, between 0 and 1.
    funds
        The government's money (收储 …), 万元, in all or by year of start; None without a limit.
    at_most
        How many enterprises may be given a new method.
    methods
        Methods to be used, by id or in the plan's words; by default all that the plan has.
    assumptions, readings, draws, seed
        As for `simulate`.

    Raises
    ------
    PolicyError
        The plan has no such target.
    Told
        An argument of another kind than asked for, or out of its range; a target that no enterprise's method moves.

    Examples
    --------
    >>> sought = ly.portfolio(now, "below_scale_reach", year=2021, draws=100)
    >>> 0 <= sought.probability <= 1, sought.curve["cost_wan"].is_monotonic_increasing
    (True, True)
    """
    ahead = _checked(now, target, year, probability, at_most, draws, seed)
    limits = Limits(_money(funds), at_most)
    made = prepared(now, Asked(), assumptions, readings, ahead, Sampling(draws, seed))
    view = next((one for one in made.laid[ahead] if one.id == target), None)
    if view is None or view.goal is None or view.kind in ("demolished", "blocks"):
        zh, en = (
            f"{target}：{ahead}年没有可由企业处置方式推动的目标值",
            f"{target}: no goal in {ahead} that methods move",
        )
        raise Told(zh, en)
    years = sorted({int(of) for of in limits.money if of} & set(range(ahead - 10, ahead + 1))) or [now.year + 1]
    starts = [np.datetime64(f"{of}-01-01", "D") for of in years if of > now.year]
    lawful, refused = options(now, made.given, starts, methods)
    problem = Problem(tensor(made.given, view, lawful), limits)
    top, best, tried = found_in(problem, probability)
    least = bound(problem, probability)
    if few(problem):
        least = best.cost if best else float("inf")
    held = Sought(
        now=now,
        made=made,
        view=view,
        problem=problem,
        best=best or top,
        reached=best is not None,
        options=lawful,
        refused=refused,
        asked=probability,
        assumptions=assumptions,
        readings=dict(readings or {}),
        draws=draws,
        seed=seed,
    )
    return _laid_out(held, top, tried, least)


def found_in(problem: Problem, probability: float) -> tuple[Found, Found | None, list[Found]]:
    """Return the strongest plan of a problem, the cheapest with some odds (None where there is none), and the plans tried."""
    if few(problem):
        front = every(problem)
        return front[-1], next((one for one in front if one.probability >= probability), None), front
    top = strongest(problem)
    return (top, *cheapest(problem, probability, top))


def _checked(
    now: object, target: object, year: int | None, probability: object, at_most: object, draws: int, seed: int
) -> int:
    """Refuse arguments that are none, and return the year that is looked ahead to."""
    of_kind("now", now, Assessment)
    assert isinstance(now, Assessment)
    of_kind("target", target, str)
    check_draws(draws, seed)
    known = [one.id for one in now.policy.targets]
    if target not in known:
        raise PolicyError(f"target / 目标: {unknown(str(target), 'target', known)}")
    number = isinstance(probability, int | float) and not isinstance(probability, bool) and 0 < probability < 1
    if not number:
        told = shown(probability)
        raise Told(
            f"probability 应在 0 与 1 之间（90% 写 0.9），现为 {told}",
            f"probability must be within 0 and 1, not {told}",
        )
    if at_most is not None:
        whole("at_most", at_most, 0, 1_000_000)
    dated = [of for of in now.policy.target(str(target)).years if of > now.year]
    return whole("year", min(dated, default=now.year + 1) if year is None else year, now.year + 1, now.year + 5)


def _money(funds: object) -> dict[int | str, float]:
    """Return the limits of money by year, "" for all years together."""
    if funds is None:
        return {}
    given: Mapping[Any, Any] = funds if isinstance(funds, Mapping) else {"": funds}
    for of, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            told = shown(value)
            raise Told(
                f"funds 应为不小于0的数（万元），现为 {told}",
                f"funds must be numbers of at least 0 (RMB 10,000), not {told}",
            )
        if of != "":
            whole("funds 的年份 / year of funds", of, 1990, 2100)
    return {of: float(value) for of, value in given.items()}


# -- what is told ------------------------------------------------------------------------------------------------------


def _laid_out(held: Sought, top: Found, tried: list[Found], least: float) -> Portfolio:
    """Put the result together, the odds of the plan and of the ceiling checked on fresh draws."""
    problem, view, chosen, asked = held.problem, held.view, held.best, held.asked
    plan, highest = _frame(held, chosen, tried), _frame(held, top, tried)
    fresh, at_most = _fresh(held, [plan, highest]) if held.reached else _fresh(held, [plan]) * 2
    found = problem.tensor.found(top.taken)
    goal = float(np.nanquantile(found, asked if view.op == "le" else 1 - asked))
    gap = (chosen.cost - least) / chosen.cost if held.reached and chosen.cost > 0 else 0.0
    made = Portfolio(
        policy=held.made.policy,
        target=view.id,
        year=view.year,
        goal=float(view.goal or 0.0),
        asked=asked,
        draws=held.draws,
        seed=held.seed,
        ceiling=Ceiling(top.probability, at_most, highest, top.cost, _most(problem, top), goal),
        reached=held.reached,
        plan=plan,
        probability=fresh,
        on_draws=chosen.probability,
        cost_wan=chosen.cost,
        bound_wan=least,
        gap=gap,
        curve=_curve([*tried, top]),
        funds=_spent(plan),
        townships=_townships(held, plan),
        prices=_prices(held, top, tried),
        refused=held.refused,
        notes=(),
        basis=held,
    )
    return replace(made, notes=_notes(made))


def _frame(held: Sought, found: Found, tried: list[Found]) -> pd.DataFrame:
    """Lay a plan out: the ledger's cases that stay, and what is added, each with why."""
    laid, options_, codes = book(held.now.ledger), held.problem.tensor.options, held.made.given.panel.codes
    added = options_[found.taken].copy()
    added.insert(0, "credit_code", codes[added["at"].to_numpy(dtype=int)])
    own = held.now.plan[~held.now.plan["credit_code"].isin(added["credit_code"])]
    why = [_why(held, i) for i in np.flatnonzero(found.taken).tolist()]
    good = [one for one in tried if one.probability >= GOOD * max(found.probability, 1e-9)] or [found]
    share = np.mean([one.taken for one in good], axis=0)[found.taken] if len(added) else np.zeros(0)
    added = added.assign(new=True, why=[zh for zh, _ in why], why_en=[en for _, en in why], in_good_plans=share)
    kept = [c for c in (*own, *OWN) if c not in ("name",)]
    both = pd.concat([own.assign(new=False), added], ignore_index=True).reindex(columns=kept)
    at = laid.positions(both["credit_code"])
    both.insert(1, "name", laid.text("name")[at])
    both.insert(2, "township", laid.text("township")[at])
    for column in TEXTS:
        both[column] = both[column].astype(object).where(both[column].notna(), "")
    both["new"] = both["new"].fillna(value=False).astype(bool)
    both["started"] = pd.to_datetime(both["started"])
    return both.sort_values("credit_code", kind="stable", ignore_index=True)


def _why(held: Sought, option: int) -> tuple[str, str]:
    """Say why an enterprise is given this method: what it does for the target, at what cost, beside its other lawful methods."""
    problem, view = held.problem, held.view
    mine = np.flatnonzero(problem.firm == problem.firm[option])
    base = float(problem.arranged[1].mean()) or 1.0
    sign = 1.0 if view.op == "le" else -1.0
    told = []
    for i in [option, *(j for j in mine.tolist() if j != option)]:
        moved, row = sign * problem.pull[i] / base, problem.tensor.options.iloc[i]
        by = (f"{moved * 100:+.3f}%",) * 2 if view.kind == "share" else _value(view, moved)
        cost = f"{row['cost_wan']:,.0f}"
        zh = f"{row['label']}（{row['clause']}）使目标值平均变动{by[0]}，费用{cost}万元"
        told.append(
            (zh, f"{row['label_en']} ({row['clause']}) moves the target by {by[1]} and costs {cost} (RMB 10,000)")
        )
    if len(told) == 1:
        return told[0][0] + "；没有其他合法方式", told[0][1] + "; no other lawful method is open"
    rest = [joint.join(one[at] for one in told[1:]) for at, joint in enumerate(("；", "; "))]
    return f"{told[0][0]}；其他合法方式：{rest[0]}", f"{told[0][1]}; other lawful methods: {rest[1]}"


def _fresh(held: Sought, plans: list[pd.DataFrame]) -> list[float]:
    """Return the odds of plans on fresh draws, as `simulate` gives them with this seed + `FRESH`."""
    sampling = Sampling(held.draws, held.seed + FRESH)
    given = prepared(held.now, Asked(), held.assumptions, held.readings, held.view.year, sampling).given
    return [met(held.view, planned(given, held.now.ledger, plan, held.view.year)) for plan in plans]


def _most(problem: Problem, top: Found) -> float:
    """Return odds that no plan can exceed: where the bound on the cost has no solution, to a hundredth."""
    low, high = top.probability, 1.0
    if few(problem):
        return low
    while high - low > PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if np.isinf(bound(problem, middle)) else (middle, high)
    return high


def _curve(tried: list[Found]) -> pd.DataFrame:
    """Return the plans tried that no cheaper one matches."""
    rows: list[tuple[float, float, int]] = []
    for one in sorted(tried, key=lambda one: (one.cost, -one.probability)):
        if not rows or one.probability > rows[-1][1]:
            rows.append((one.cost, one.probability, int(one.taken.sum())))
    return pd.DataFrame(rows, columns=["cost_wan", "probability", "enterprises"])


def _spent(plan: pd.DataFrame) -> pd.DataFrame:
    added = plan[plan["new"]]
    rows = added.assign(year=added["started"].dt.year, enterprises=1)
    return rows.groupby(["year", "payer"], as_index=False)[["enterprises", "cost_wan"]].sum()


def _townships(held: Sought, plan: pd.DataFrame) -> pd.DataFrame:
    """Lay the plan's cases out by township, with the land expected to leave them by the year's end."""
    given = held.made.given
    at = book(held.now.ledger).positions(plan["credit_code"])
    land = given.panel.land[at, -1]
    year = planned(given, held.now.ledger, plan, held.view.year)
    rows = plan.assign(enterprises=1, land_mu=land, released_mu=land * leaving(year, at))
    rows["cost_wan"] = rows["cost_wan"].where(rows["new"], 0.0).astype(float)
    sums = ["enterprises", "land_mu", "released_mu", "cost_wan"]
    return (
        rows.groupby("township", as_index=False)[sums]
        .sum()
        .sort_values("released_mu", ascending=False, ignore_index=True)
    )


def _prices(held: Sought, top: Found, tried: list[Found]) -> pd.DataFrame:
    """Say what one step more of each limit adds to the ceiling, and what a hundredth of odds costs at the plan."""
    problem, chosen, rows = held.problem, held.best, []
    money, at_most = problem.limits.money, problem.limits.at_most
    wider = [(f"funds {of}".strip(), STEP, Limits({**money, of: most + STEP}, at_most)) for of, most in money.items()]
    wider += [("at_most", 1.0, Limits(money, at_most + 1))] if at_most is not None else []
    for name, step, limits in wider:
        more = strongest(Problem(problem.tensor, limits)).probability - top.probability
        rows.append((name, step, more, "probability"))
    below = [one for one in tried if one.probability < chosen.probability and one.cost < chosen.cost]
    if below:
        last = max(below, key=lambda one: one.probability)
        step = (chosen.cost - last.cost) / (chosen.probability - last.probability) / 100
        rows.append(("probability", 0.01, step, "cost_wan"))
    return pd.DataFrame(rows, columns=["constraint", "step", "effect", "unit"])


def _often(rows: pd.DataFrame, column: str) -> tuple[str, str]:
    """Name what stands most often in a column of texts and in its English one, each with its count, and how many others there are."""
    told = rows.loc[rows[column] != ""].groupby([column, f"{column}_en"], as_index=False).size()
    told = told.sort_values("size", ascending=False, kind="stable")
    some = told.head(COMMON).to_numpy().tolist()
    rest = int(told["size"].iloc[COMMON:].sum())
    zh = "；".join(f"{one}（{n}项）" for one, _, n in some) + (f"；其他{rest}项" if rest else "")
    return zh, "; ".join(f"{en} ({n})" for _, en, n in some) + (f"; {rest} others" if rest else "")


def _value(view: TargetView, value: float) -> tuple[str, str]:
    """Write a value of a target in Chinese and English."""
    if view.kind == "share":
        return f"{value:.1%}", f"{value:.1%}"
    return f"{value:.4g}{view.unit}", f"{value:.4g} {unit_text(view.unit, 'en')}"


def _notes(made: Portfolio) -> tuple[Note, ...]:
    """Say what was found, what would have to change where nothing is, and what it rests on."""
    view, top, problem = made.basis.view, made.ceiling, made.basis.problem
    arranged, asked = problem.plan(problem.nothing()).probability, f"{made.asked:.0%}"
    numbers = {"year": made.year, "label": (view.label, view.label_en), "goal": _value(view, made.goal)}
    numbers |= {"n": int(top.plan["new"].sum()), "cost": f"{top.cost_wan:,.0f}"}
    shares = {"chance": f"{top.fresh:.1%}", "arranged": f"{arranged:.1%}", "most": f"{top.most:.1%}"}
    out, n = [note("portfolio_ceiling", **numbers, **shares)], int(made.plan["new"].sum())
    if not made.reached:
        out.append(note("portfolio_unreachable", asked=asked, chance=f"{top.fresh:.1%}", eased=_value(view, top.goal)))
    elif not n:
        out.append(note("portfolio_arranged", asked=asked))
    else:
        money = {"cost": f"{made.cost_wan:,.0f}", "bound": f"{made.bound_wan:,.0f}", "gap": f"{made.gap:.0%}"}
        kind = "portfolio_cheapest" if made.gap <= LOOSE else "portfolio_loose"
        out.append(note(kind, asked=asked, n=n, chance=f"{made.probability:.1%}", **money))
    if problem.limits.money:
        told = ", ".join(f"{of} {most:,.0f}".strip() for of, most in problem.limits.money.items())
        out.append(note("portfolio_money", money=told))
    open_ = int((made.plan["condition"] != "").sum())
    if problem.limits.at_most is not None:
        out.append(note("portfolio_at_most", n=problem.limits.at_most))
    if open_:
        out.append(note("portfolio_conditions", n=open_, facts=_often(made.plan, "condition")))
    if len(made.refused):
        out.append(note("portfolio_refused", n=len(made.refused), why=_often(made.refused, "why")))
    return (*out, note("portfolio_costs"), note("portfolio_options"))


GOOD, PRECISION, STEP, FRESH = 0.95, 0.01, 1000.0, 1_000_003
LOOSE, COMMON = 0.5, 4
TEXTS = ("label", "label_en", "payer", "clause", "condition", "condition_en", "why", "why_en")
OWN = ("new", *TEXTS, "in_good_plans")
