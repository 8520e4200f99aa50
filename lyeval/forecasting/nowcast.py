"""Will a target be met? Odds at any month, from annual tax and the year to date (达标可能性)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from typing import Any

import pandas as pd

from lyeval.assessment import TargetView, views
from lyeval.forecasting.levies import COLUMNS as LEVY_COLUMNS
from lyeval.forecasting.levies import by_levy
from lyeval.forecasting.turning import READING_COLUMNS, by_reading
from lyeval.ledger import Ledger
from lyeval.policy import Policy, PolicyError, choose, load_policy, patch
from lyeval.policy.assumptions import Assumptions
from lyeval.simulation import check
from lyeval.simulation.assumed import assumed
from lyeval.simulation.carried import past_targets
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Setting, setting, year_as_known, years_to_come
from lyeval.simulation.known import Date, as_known, date_of
from lyeval.simulation.notes import distinct, note
from lyeval.simulation.outlook import Year, table
from lyeval.simulation.result import Outlook, tables
from lyeval.simulation.swings import SWING_COLUMNS, swing_rows


@dataclass(frozen=True, eq=False)
class Basis:
    """What a forecast was made from, kept for the questions asked of it later.

    Attributes
    ----------
    ledger
        The ledger as it stood at the date.
    policy, readings
        The plan before readings, and the readings chosen.
    date, year
        Date of knowledge and target year.
    years
        The draws, by calendar year; the latest known year stands first, at its known figures.
    quotas, level
        As for `assess`.
    given
        What the years were drawn from.
    """

    ledger: Ledger
    policy: Policy
    readings: dict[str, str]
    date: Date
    year: int
    years: dict[int, Year]
    quotas: dict[str, float]
    level: str
    given: Setting

    def pairs(self, readings: Mapping[str, str], policy: Policy | None = None) -> list[tuple[TargetView, Year]]:
        """Lay the year's targets out under some readings (of another policy, if given), each with the draws it is judged on."""
        chosen, _ = choose(policy or self.policy, readings)
        lagged = chosen.tax.year == "previous_year"
        if lagged:
            chosen = patch(chosen, {"tax.year": "target_year"})
        year = self.years[max(self.year - lagged, self.date.facts_year)]
        laid = views(self.ledger, chosen, self.year, self.date.facts_year, quotas=self.quotas, level=self.level)
        taxed = ("share", "count", "mean")
        return [(view, year if view.kind in taxed else self.years[self.year]) for view in laid]


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Outlook):
    """Odds of one year's targets at a month; fields as in `Outlook`, and those below.

    Attributes
    ----------
    year
        The target year.
    by_enterprises
        The enterprises that a target hangs on, ranked: id, year, credit_code, probability of reaching the line, odds
        of the target if it does (met_if_reached) and if not (met_if_not), swing between them, mc_error of the swing.
    basis
        What it was made from.
    """

    year: int = 0
    by_enterprises: pd.DataFrame = field(repr=False, default_factory=lambda: table([], SWING_COLUMNS))
    basis: Basis | None = field(repr=False, default=None)

    @cached_property
    def by_reading(self) -> pd.DataFrame:
        """The readings that lay a target out otherwise, one at a time, on the same draws.

        Columns id, year, switch, option, probability, mc_error and central (the probability under the readings chosen).
        Readings that the ledger cannot test or that change nothing are left out.
        """
        if self.basis is None:
            return table([], READING_COLUMNS)
        return by_reading(self.basis.ledger, self.basis.policy, self.basis.readings, self.basis.pairs)

    @cached_property
    def by_levy(self) -> pd.DataFrame:
        """Odds with the land-use tax charged as a penalty left out, as booked, and at full rates (`levies.by_levy`)."""
        b = self.basis
        if b is None:
            return table([], LEVY_COLUMNS)
        years = (b.year, b.date.facts_year)
        return by_levy(b.ledger, b.policy, years, b.readings, lambda policy, readings: b.pairs(readings, policy))


def forecast(
    ledger: Ledger,
    policy: Policy | str,
    year: int,
    *,
    as_of: str | None = None,
    plan: pd.DataFrame | None = None,
    assumptions: str | PathLike[str] | Assumptions = "default",
    readings: Mapping[str, str] | None = None,
    quotas: Mapping[str, float] | None = None,
    level: str = "county",
    draws: int = 2000,
    seed: int = 0,
) -> Forecast:
    """Give the odds of each target of a year, on what was known at a month.

    Parameters
    ----------
    ledger, policy, year
        The county's ledger, its plan (or the plan's id), and a target year of it.
    as_of
        "YYYY-MM": monthly tax and disposals through that month, annual figures of finished years. Default: the last
        month of ``year`` in the monthly sheet, else December of the year before.
    plan, assumptions, draws, seed
        As for `simulate`.
    readings, quotas, level
        As for `assess`.

    Raises
    ------
    PolicyError
        If the plan has no target in ``year``.
    ValueError
        If there is nothing to project from by then, or ``as_of``, ``draws`` or the plan is unusable.
    """
    check(draws)
    rules = load_policy(policy) if isinstance(policy, str | PathLike) else policy
    governed = sorted({y for target in rules.targets for y in target.years})
    if year not in governed:
        years = "、".join(map(str, governed))
        text = f"{rules.id}: {year} 年没有目标，可用 {years} / the plan sets no target for {year}; it does for {years}"
        raise PolicyError(text)
    date = date_of(as_of, year, ledger)
    if year - date.facts_year > MAX_AHEAD:
        raise ValueError(
            f"{year} 距最近数据 {date.facts_year} 超过 {MAX_AHEAD} 年 / is more than {MAX_AHEAD} years past the data"
        )
    known, taken = as_known(ledger, date), assumed(assumptions)
    given = setting(known, date, plan, taken, Sampling(draws, seed))
    basis = Basis(known, rules, dict(readings or {}), date, year, _years(given, year), dict(quotas or {}), level, given)
    return _result(given, basis)


def _years(given: Setting, year: int) -> dict[int, Year]:
    drawn = [year_as_known(given), *years_to_come(given, year)]
    return {item.year: item for item in drawn}


def _result(given: Setting, basis: Basis) -> Forecast:
    """Summarise the draws."""
    sampling = given.sampling
    pairs = basis.pairs(basis.readings)
    facts_year, rules = basis.date.facts_year, choose(basis.policy, basis.readings)[0]
    past = past_targets(basis.ledger, rules, facts_year, quotas=basis.quotas, level=basis.level)
    made = tables(pairs, rules, given.assumed, seed=sampling.seed, facts_year=facts_year, past=past)
    swings: list[dict[str, Any]] = []
    for drawn, values in zip(made.members, made.values, strict=True):
        swings += swing_rows(drawn, values)
    return Forecast(
        policy=basis.policy.id,
        assumptions=given.assumed.id,
        as_of=str(basis.date),
        facts_year=facts_year,
        draws=sampling.draws,
        seed=sampling.seed,
        targets=made.targets,
        enterprises=made.enterprises,
        scenarios=made.scenarios,
        left=made.left,
        notes=distinct((*given.notes, *made.notes, *_iterated(basis))),
        year=basis.year,
        by_enterprises=table(swings, SWING_COLUMNS),
        basis=basis,
    )


def _iterated(basis: Basis) -> tuple[Any, ...]:
    ahead = basis.year - basis.date.facts_year
    return (note("iterated", n=ahead, year=basis.date.facts_year),) if ahead > 1 else ()


MAX_AHEAD = 5
