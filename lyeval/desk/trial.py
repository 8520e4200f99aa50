"""One question of a planner, laid out so that every answer is a lookup (试算): a target of a year, its readings, its line, a plan to begin with."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment, TargetView
from lyeval.indicators import book
from lyeval.policy import method_words
from lyeval.policy.assumptions import Assumptions
from lyeval.portfolios.choices import Choice, Tensor, leaving, options, tensor
from lyeval.portfolios.seeking import found_in
from lyeval.portfolios.solving import Found, Limits, Problem, strongest
from lyeval.simulation.casework import Asked
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Year, years_to_come
from lyeval.simulation.odds import QUANTILES, members, odds, parts, settled, values
from lyeval.simulation.planfile import read_plan
from lyeval.simulation.projection import Prepared, prepared
from lyeval.told import Told

PLANNED = ("credit_code", "name", "method", "started", "due", "successor", "cost_wan", "released_mu", "demolished_m2")
MOVED = ("share", "count", "mean", "closed")


@dataclass(frozen=True)
class Question:
    """What is asked: which target of which year, what differs from the run, and the plan that is begun with.

    Attributes
    ----------
    target, year
        Id of the target, and its year.
    readings
        Options of doubtful clauses.
    line, goal
        The target's line (万元/亩) and value in that year; None as in the plan.
    start
        Month in which new cases begin, "YYYY-MM".
    plan
        File of a plan in place of the ledger's cases; None for these.
    """

    target: str
    year: int
    readings: dict[str, str] = field(default_factory=dict)
    line: float | None = None
    goal: float | None = None
    start: str = ""
    plan: Path | None = None

    @property
    def patch(self) -> dict[str, float]:
        """The changes of the plan by path, as a run file takes them."""
        at = f"targets.{self.target}.years.{self.year}"
        told = {f"{at}.threshold": self.line, f"{at}.value": self.goal}
        return {path: value for path, value in told.items() if value is not None}


class Trial:
    """A question laid out: who may be given which method, and the odds of any choice of these.

    Parameters
    ----------
    now
        The assessed year, under the question's readings and changes.
    asked
        The question.
    assumptions, draws, seed
        As for `lyeval.simulate`, which gives the same odds for `plan` to the digit.

    Raises
    ------
    Told
        No method of an enterprise moves this target; every fault of the plan that is begun with.
    """

    def __init__(
        self,
        now: Assessment,
        asked: Question,
        *,
        assumptions: str | Path | Assumptions = "default",
        draws: int = 2000,
        seed: int = 0,
    ) -> None:
        self.now, self.asked = now, asked
        cases = Asked(asked.plan, None, method_words([now.policy]))
        made = prepared(now, cases, assumptions, None, asked.year, Sampling(draws, seed))
        found = [one for one in made.laid[asked.year] if one.id == asked.target and one.goal is not None]
        if not found or found[0].kind not in MOVED:
            raise Told.of("desk.no_target", target=asked.target, year=asked.year)
        self.made: Prepared = made
        self.view: TargetView = found[0]
        start = np.datetime64(asked.start or f"{now.year + 1}-01", "D")
        self.options, self.refused = options(now, made.given, [start])
        self.options = self.options[np.isin(made.given.panel.codes[self.options["at"].astype(int)], self.view.codes)]
        self.options = self.options.reset_index(drop=True)
        self.year: Year = years_to_come(made.given, asked.year)[-1]
        self.parts = parts(members(self.view, self.year))
        self.before = values(members(self.view, self.year))
        self.kept: dict[str, Any] = {}
        self.taken: Choice = np.zeros(len(self.options), dtype=bool)

    @cached_property
    def tensor(self) -> Tensor:
        """The draws of all options, a second's work: until somebody chooses, nothing needs them."""
        return tensor(self.made.given, self.view, self.options, self.year)

    @cached_property
    def ceiling(self) -> Found:
        """The most probable lawful plan found, without any limit of money or number."""
        return strongest(Problem(self.tensor, Limits()))

    @cached_property
    def base(self) -> pd.DataFrame:
        """The cases that are begun with: the ledger's own, or those of the plan that was opened, as `now.plan` lays them out."""
        return self.now.plan if self.asked.plan is None else self.cases(self.asked.plan)

    def cases(self, plan: Path) -> pd.DataFrame:
        """Return the cases of a plan's file, in the columns of ``now.plan``.

        Raises
        ------
        PlanError
            Every fault of the plan.
        """
        taken, laid = self.made.given.assumed, book(self.now.ledger)
        known = {name: taken.labels[name] for name in taken.practices}
        rows = read_plan(plan, self.now.ledger, known, method_words([self.now.policy])).rows
        rows = rows.rename(columns={"successor_code": "successor"})
        names = laid.text("name")[laid.positions(rows["credit_code"])]
        wanted = dict.fromkeys((*self.now.plan, *rows))
        return rows.assign(name=names).reindex(columns=[name for name in wanted if name in PLANNED])

    def choose(self, code: str, method: str) -> None:
        """Give an enterprise a method; "" what the plan that was begun with gives it.

        Raises
        ------
        Told
            The clauses do not allow it, or it is no member of the target.
        """
        mine = self.codes == code
        wanted = mine & (self.options["method"] == method).to_numpy()
        if method and not wanted.any():
            why = self.refused[(self.refused["credit_code"] == code) & (self.refused["method"] == method)]
            told = ("", "") if why.empty else (str(why.iloc[0]["why"]), str(why.iloc[0]["why_en"]))
            raise Told.of("desk.unlawful", firm=code, method=method, why=told)
        self.taken = (self.taken & ~mine) | wanted

    def solve(self, probability: float, funds: float | None = None, at_most: int | None = None) -> list[Found]:
        """Take the cheapest plan that reaches the target with some odds, else the strongest; return the plans tried.

        Parameters
        ----------
        probability
            The odds asked for, between 0 and 1.
        funds, at_most
            The government's money, 万元, and how many enterprises may be given a new method.
        """
        problem = Problem(self.tensor, Limits({} if funds is None else {"": funds}, at_most))
        top, best, tried = found_in(problem, probability)
        self.taken = (best or top).taken.copy()
        return [*tried, top]

    @property
    def codes(self) -> np.ndarray:
        """Credit code of each option's enterprise, shape (options,)."""
        return self.made.given.panel.codes[self.options["at"].to_numpy(dtype=int)]

    @property
    def chosen(self) -> pd.DataFrame:
        """What is added: one row an enterprise, as the options lay it out, with its credit code."""
        return self.options[self.taken].assign(credit_code=self.codes[self.taken])

    def plan(self) -> pd.DataFrame:
        """Return all cases, those begun with and what is added in their place or besides, in the columns of ``now.plan``."""
        base, added = self.base, self.chosen
        laid = book(self.now.ledger)
        new = pd.DataFrame({"credit_code": added["credit_code"], "method": added["method"]})
        new["name"] = laid.text("name")[added["at"].to_numpy(dtype=int)]
        new["started"], new["cost_wan"] = pd.to_datetime(added["started"]), added["cost_wan"]
        own = base[~base["credit_code"].isin(new["credit_code"])]
        both = [frame.astype(object) for frame in (own, new.reindex(columns=base.columns))]
        return pd.concat(both, ignore_index=True).sort_values("credit_code", kind="stable", ignore_index=True)

    def found(self) -> np.ndarray:
        """Return the target's value in each draw under what is chosen, shape (draws,); NaN where nobody is left to count."""
        return self.tensor.found(self.taken) if self.taken.any() else self.before

    def probability(self, found: np.ndarray | None = None) -> float:
        """Return the odds of the target under what is chosen (or of some draws), as `lyeval.simulate` gives them for `plan`."""
        told = odds(self.view, self.found() if found is None else found, settled(self.view, self.year))["probability"]
        return 0.0 if told is None else float(told)

    def points(self) -> np.ndarray:
        """Return the 5, 50 and 95 % quantiles of the value under what is chosen; NaN where nobody is left to count."""
        found = self.found()
        known = found[~np.isnan(found)]
        return np.quantile(known, QUANTILES) if len(known) else np.full(3, np.nan)

    def land(self) -> pd.DataFrame:
        """Return the land expected to leave its enterprises by the year's end, 亩, by township: township, released_mu, the most first."""
        given, laid = self.made.given, book(self.now.ledger)
        own = given.panel.land[:, -1] * leaving(self.year)
        at = self.options["at"].to_numpy(dtype=int)[self.taken]
        if len(at):
            own[at] = given.panel.land[at, -1] * self.tensor.leaving[self.taken]
        cases = np.union1d(given.plan.at, at)
        rows = pd.DataFrame({"township": laid.text("township")[cases], "released_mu": own[cases]})
        sums = rows.groupby("township", as_index=False)[["released_mu"]].sum()
        return sums.sort_values("released_mu", ascending=False, kind="stable", ignore_index=True)

    def weights(self) -> np.ndarray:
        """Return each member's mean share of what the target counts against it, as begun with, shape (members,)."""
        part, whole = self.parts
        under = float(part.sum(axis=1).mean() if whole is None else whole.sum(axis=1).mean())
        return np.abs(part.mean(axis=0).astype(float)) / under if under else np.zeros(part.shape[1])

    def rows(self) -> list[dict[str, Any]]:
        """Lay the target's possible members out by weight: code, name, township, land_mu, tax_per_mu, weight, own, options, refused."""
        given, laid = self.made.given, book(self.now.ledger)
        at = laid.positions(pd.Series(self.view.codes))
        own = dict(zip(given.plan.at.tolist(), given.plan.method.tolist(), strict=True))
        open_to = {i: some for i, some in self.options.groupby("at", sort=False)}
        closed_to = {code: some for code, some in self.refused.groupby("credit_code", sort=False)}
        weights, names, towns, out = self.weights(), laid.text("name"), laid.text("township"), []
        for place in np.lexsort((self.view.codes, -weights)).tolist():
            i, code = int(at[place]), str(self.view.codes[place])
            land, tax = float(self.view.land[place]), float(self.view.tax[place])
            row = {
                "code": code,
                "name": str(names[i] or code),
                "township": str(towns[i] or ""),
            }
            row |= {"land_mu": land, "tax_per_mu": tax / land if land > 0 else float("nan"), "weight": weights[place]}
            row |= {"own": own.get(i, ""), "options": open_to.get(i), "refused": closed_to.get(code)}
            out.append(row)
        return out
