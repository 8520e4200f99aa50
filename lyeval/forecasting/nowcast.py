"""Will a target be met? Odds at any month, from annual tax and the year to date (达标可能性), and how they hang on readings (口径)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import TargetView, views
from lyeval.forecasting.land_use_tax import COLUMNS as LAND_USE_TAX_COLUMNS
from lyeval.forecasting.land_use_tax import by_land_use_tax
from lyeval.indicators import book
from lyeval.ledger import Ledger
from lyeval.ledger.columns import records
from lyeval.policy import Option, Policy, PolicyError, choose, load_policy, method_words, patch
from lyeval.policy.assumptions import Assumptions
from lyeval.simulation.assumed import assumed
from lyeval.simulation.casework import Asked
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Setting, Year, setting, year_as_known, years_to_come
from lyeval.simulation.known import Date, as_known, date_of, note
from lyeval.simulation.learning import learned
from lyeval.simulation.odds import SWING_COLUMNS, members, odds, settled, table, values
from lyeval.simulation.planfile import Source
from lyeval.simulation.projection import Projection, check_draws, past_targets, projected
from lyeval.told import of_kind, whole

Pairs = list[tuple[TargetView, Year]]


@dataclass(frozen=True, eq=False)
class Basis:
    """What a forecast was made from, kept for the questions asked of it later."""

    ledger: Ledger  # as it stood at the date
    policy: Policy  # before readings
    readings: dict[str, str]
    date: Date
    year: int  # the target year
    years: dict[int, Year]  # the draws, by calendar year; the latest known year stands first, at its known figures
    quotas: dict[str, float]
    level: str
    given: Setting  # what the years were drawn from

    def pairs(self, readings: Mapping[str, str], policy: Policy | None = None) -> Pairs:
        """Lay the year's targets out under some readings (of another policy, if given), each with the draws it is judged on."""
        chosen, _ = choose(policy or self.policy, readings)
        lagged = chosen.tax.year == "previous_year"
        plain = patch(chosen, {"tax.year": "target_year"}) if lagged else chosen
        year = self.years[max(self.year - lagged, self.date.facts_year)]
        about = {"quotas": self.quotas, "level": self.level}
        laid = views(self.ledger, plain, self.year, self.date.facts_year, **about)
        if lagged and self.year <= self.date.facts_year:  # the verdict is by the tax of the year before
            told = views(self.ledger, chosen, self.year, self.date.facts_year, **about)
            laid = [replace(view, judged=own.judged) for view, own in zip(laid, told, strict=True)]
        taxed = ("share", "count", "mean")
        return [(view, year if view.kind in taxed else self.years[self.year]) for view in laid]


@dataclass(frozen=True, eq=False, repr=False)
class Forecast(Projection):
    """Odds of one year's targets at a month; fields as in `Projection`, and those below.

    Attributes
    ----------
    year
        The target year.
    by_enterprises
        The enterprises that a target hangs on, ranked: id, year, credit_code, probability of reaching the line, odds of the target if it
        does (met_if_reached) and if not (met_if_not), swing between them, mc_error of the swing.
    basis
        What it was made from.
    """

    year: int = 0
    by_enterprises: pd.DataFrame = field(repr=False, default_factory=lambda: table([], SWING_COLUMNS))
    basis: Basis | None = field(repr=False, default=None)

    @cached_property
    def by_reading(self) -> pd.DataFrame:
        """The readings that lay a target out otherwise, one at a time, on the same draws.

        Columns id, year, switch, option, probability, mc_error and central (the probability under the readings chosen). Readings that the
        ledger cannot test or that change nothing are left out.
        """
        b = self.basis
        if b is None:
            return table([], READING_COLUMNS)
        central = {row["id"]: row["probability"] for row in self.targets.to_dict("records")}
        found = by_reading(b.ledger, b.policy, b.readings, b.pairs)
        rows = [row | {"central": central[row["id"]]} for row in records(found)]
        return table(rows, READING_COLUMNS)

    @cached_property
    def by_levy(self) -> pd.DataFrame:
        """Odds with the land-use tax charged as a penalty left out, as booked, and at full rates (`by_land_use_tax`)."""
        b = self.basis
        if b is None:
            return table([], LAND_USE_TAX_COLUMNS)
        return by_land_use_tax(
            b.ledger, b.policy, (b.year, b.date.facts_year), lambda policy: b.pairs(b.readings, policy)
        )


def forecast(
    ledger: Ledger,
    policy: Policy | str,
    year: int,
    *,
    as_of: str | None = None,
    plan: Source | None = None,
    add: Source | None = None,
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
        "YYYY-MM": monthly tax and disposals through that month, annual figures of finished years. Default: the last month of ``year`` in
        the monthly sheet, else December of the year before.
    plan, add, assumptions, draws, seed
        As for `simulate`.
    readings, quotas, level
        As for `assess`.

    Raises
    ------
    PolicyError
        If the plan has no target in ``year``.
    ValueError
        If there is nothing to project from by then, or ``as_of``, ``draws`` or the plan is unusable.

    Examples
    --------
    >>> ahead = ly.forecast(ledger, policy, 2020, as_of="2020-06", draws=100, seed=1)
    >>> ahead.targets["id"].tolist()[:2]
    ['above_scale_reach', 'below_scale_reach']
    """
    of_kind("ledger", ledger, Ledger)
    check_draws(draws, seed)
    whole("year", year)
    rules = load_policy(policy) if isinstance(policy, str | PathLike) else policy
    governed = sorted({y for target in rules.targets for y in target.years})
    if year not in governed:
        years = "、".join(map(str, governed))
        text = f"{rules.id}: {year} 年没有目标，可用 {years} / the plan sets no target for {year}; it does for {years}"
        raise PolicyError(text)
    date = date_of(as_of, year, ledger)
    if (date.year, date.month) == (year, 12) and year in book(ledger).years:
        date = Date(year, year, 12)  # the year is over
    ahead = year - date.facts_year
    if ahead > MAX_AHEAD:
        last = date.facts_year
        raise ValueError(f"{year} 距最近数据 {last} 超过 {MAX_AHEAD} 年 / is more than {MAX_AHEAD} years past the data")
    known = as_known(ledger, date)
    asked = Asked(plan, add, method_words([rules]))
    given = setting(known, date, asked, assumed(assumptions), Sampling(draws, seed))
    chosen = choose(rules, readings)[0]
    past = past_targets(known, chosen, date.facts_year, quotas=quotas, level=level)
    given = learned(given, views(known, chosen, year, date.facts_year, quotas=quotas, level=level), past)
    drawn = {item.year: item for item in (year_as_known(given), *years_to_come(given, year))}
    basis = Basis(known, rules, dict(readings or {}), date, year, drawn, dict(quotas or {}), level, given)
    pairs = basis.pairs(basis.readings)
    iterated = [note("iterated", n=ahead, year=date.facts_year)] if ahead > 1 else []
    made = projected(given, pairs, iterated, swings=True)
    return Forecast(policy=rules.id, plan=asked.name, **made, year=year, basis=basis)


def by_reading(
    ledger: Ledger, policy: Policy, readings: Mapping[str, str], pairs: Callable[[Mapping[str, str]], Pairs]
) -> pd.DataFrame:
    """Give each target's odds under every other option of every switch, one at a time, on the same draws.

    Parameters
    ----------
    pairs
        Lays the targets out under some readings, each with its draws.

    Returns
    -------
    DataFrame
        `READING_COLUMNS`; options that change neither who is counted nor how are left out.
    """
    central = {view.id: (view, year, _odds(view, year)["probability"]) for view, year in pairs(readings)}
    rows: list[dict[str, Any]] = []
    for reading in policy.readings:
        now = readings.get(reading.id, reading.default)
        for option in (o for o in reading.options if o.id != now and _testable(ledger, o)):
            try:
                other = pairs({**readings, reading.id: option.id})
            except PolicyError:
                continue
            for view, year in other:
                if view.id not in central:
                    continue
                before, drawn, p = central[view.id]
                if year is not drawn or not _same(view, before):
                    head = {"id": view.id, "year": view.year, "switch": reading.id, "option": option.id, "central": p}
                    rows.append(head | _odds(view, year))
    order = {id: i for i, id in enumerate(central)}
    return table(sorted(rows, key=lambda row: order[row["id"]]), READING_COLUMNS)


def _testable(ledger: Ledger, option: Option) -> bool:
    """Tell whether the ledger holds what an option asks for."""
    needs = [need.partition(".") for need in option.needs]
    return all(sheet != "facts" and ledger.has(sheet, column or None) for sheet, _, column in needs)


def _same(a: TargetView, b: TargetView) -> bool:
    """Tell whether two layouts of a target count the same things in the same way."""
    return all(_equal(getattr(a, name), getattr(b, name)) for name in vars(a))


def _equal(x: Any, y: Any) -> bool:
    if not isinstance(x, np.ndarray):
        return x == y
    return x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")


def _odds(view: TargetView, year: Year) -> dict[str, Any]:
    found = odds(view, values(members(view, year)), settled(view, year))
    return {name: found[name] for name in ("probability", "mc_error")}


READING_COLUMNS = ("id", "year", "switch", "option", "probability", "mc_error", "central")
MAX_AHEAD = 5
