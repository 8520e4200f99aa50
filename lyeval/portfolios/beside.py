"""Plans side by side (方案比选): the odds, cost and land of each on common draws, whose case differs, and what money can buy at best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment
from lyeval.indicators import book
from lyeval.policy import method_words
from lyeval.policy.assumptions import Assumptions
from lyeval.portfolios.choices import leaving
from lyeval.portfolios.seeking import portfolio
from lyeval.simulation.casework import Asked
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import years_to_come
from lyeval.simulation.known import Note
from lyeval.simulation.money import funds
from lyeval.simulation.planfile import Source
from lyeval.simulation.projection import prepared, projected
from lyeval.told import Told


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Plans held against the ledger's own cases, on the same draws.

    Attributes
    ----------
    plans
        One row a plan and target: scenario (the plan's name, "" the ledger's cases), id, label, label_en, year, unit, op, goal, probability,
        mc_error, p05, p50, p95, certain, cases, cost_wan (万元, as planned or else as assumed), state_wan (of it the government's),
        released_mu (land expected to leave its enterprises by the year's end, 亩).
    cases
        One row a plan and case: scenario, credit_code, name, township, method, label, label_en.
    curve
        Of each target that methods move, the plans that no cheaper one matches: id, label, label_en, cost_wan (added, 万元), probability,
        enterprises.
    notes
        What each plan leaves out or takes for granted.
    """

    plans: pd.DataFrame
    cases: pd.DataFrame = field(repr=False)
    curve: pd.DataFrame = field(repr=False)
    notes: tuple[Note, ...] = field(repr=False, default=())

    @property
    def differs(self) -> pd.DataFrame:
        """Cases of enterprises that the plans do not all treat alike: credit_code, name, township, and the method by plan, "" where none."""
        return differing(self.cases, list(dict.fromkeys(self.plans["scenario"])))

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables that a run keeps."""
        return {"plans": self.plans, "plans_cases": self.cases, "plans_curve": self.curve}

    def _repr_html_(self) -> str:
        return "".join(frame.to_html(index=False, na_rep="") for frame in (self.plans, self.differs))


def side_by_side(
    now: Assessment,
    plans: Mapping[str, Source],
    *,
    assumptions: str | PathLike[str] | Assumptions = "default",
    draws: int = 2000,
    seed: int = 0,
    curve: bool = True,
) -> SideBySide:
    """Hold plans against one another and the ledger's own cases, in the year after an assessed one.

    Parameters
    ----------
    now
        The assessed year.
    plans
        Frames or files by their names, as `lyeval.simulate` takes them.
    assumptions, draws, seed
        As for `lyeval.simulate`, whose odds these are to the digit.
    curve
        Whether to seek what money can buy at best (`lyeval.portfolio`), some seconds a target.

    Raises
    ------
    PlanError
        Every fault of a plan.

    Examples
    --------
    >>> both = ly.side_by_side(now, {"甲": now.plan.head(3)}, draws=100, curve=False)
    >>> both.plans["scenario"].unique().tolist(), both.differs.columns.tolist()[-2:]
    (['', '甲'], ['', '甲'])
    """
    given: dict[str, Source | None] = {"": None, **plans}
    rows, cases, notes = [], [], []
    for name, plan in given.items():
        laid = _one(now, plan, assumptions, Sampling(draws, seed))
        rows.append(laid[0].assign(scenario=name))
        cases.append(laid[1].assign(scenario=name))
        notes += [one for one in laid[2] if one.id.startswith("plan_")]
    kept = [pd.concat(frames, ignore_index=True) for frames in (rows, cases)]
    made = _curves(now, assumptions=assumptions, draws=draws, seed=seed) if curve else []
    return SideBySide(kept[0][list(PLANS)], kept[1][list(CASES)], pd.DataFrame(made, columns=list(CURVE)), tuple(notes))


def _one(
    now: Assessment, plan: Source | None, assumptions: Any, sampling: Sampling
) -> tuple[pd.DataFrame, pd.DataFrame, tuple[Note, ...]]:
    """Lay out one plan's targets, its cases, and what is told of it."""
    made = prepared(now, Asked(plan, None, method_words([now.policy])), assumptions, None, now.year + 1, sampling)
    year = years_to_come(made.given, made.last)[-1]
    told = projected(made.given, [(view, year) for view in made.laid[year.year]], made.notes)
    money, at = funds(made.given), made.given.plan.at
    land = made.given.panel.land[:, -1]
    facts = {
        "cases": len(at),
        "cost_wan": float(money["cost_wan"].sum()),
        "state_wan": float(money.loc[money["payer"] == "government", "cost_wan"].sum()),
        "released_mu": float(np.nansum((land * leaving(year))[np.unique(at)])),
    }
    laid, labels = book(now.ledger), made.given.assumed.labels
    rows = pd.DataFrame({"credit_code": laid.codes[at], "name": laid.text("name")[at]})
    rows["township"], rows["method"] = laid.text("township")[at], made.given.plan.method
    rows["label"], rows["label_en"] = ([labels[name][lang] for name in rows["method"]] for lang in (0, 1))
    rows = rows.sort_values("credit_code", kind="stable", ignore_index=True)
    return told["targets"].assign(**facts), rows, told["notes"]


def _curves(now: Assessment, **drawn: Any) -> list[dict[str, Any]]:
    """Seek the curve of cost and odds of each target that is to come and that methods move."""
    rows = []
    for target in now.policy.targets:
        if now.year + 1 not in target.years:
            continue
        try:
            made = portfolio(now, target.id, year=now.year + 1, **drawn)
        except Told:  # no enterprise's method moves it
            continue
        head = {"id": target.id, "label": target.label, "label_en": target.label_en}
        rows += [head | point for point in made.curve.to_dict("records")]
    return rows


def differing(cases: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Return whom plans do not all treat alike: credit_code, name, township, and each plan's method, "" where it has none."""
    by = {name: cases[cases["scenario"] == name].set_index("credit_code") for name in names}
    who = cases.drop_duplicates("credit_code").set_index("credit_code").sort_index()
    out = who[["name", "township"]].reset_index()
    for name, rows in by.items():
        out[name] = out["credit_code"].map(rows["label"]).fillna("")
    alike = out[names].eq(out[names[0]], axis=0).all(axis=1)
    return out[~alike].reset_index(drop=True)


PLANS = (
    *("scenario", "id", "label", "label_en", "year", "unit", "op", "goal", "probability", "mc_error"),
    *("p05", "p50", "p95", "certain", "cases", "cost_wan", "state_wan", "released_mu"),
)
CASES = ("scenario", "credit_code", "name", "township", "method", "label", "label_en")
CURVE = ("id", "label", "label_en", "cost_wan", "probability", "enterprises")
