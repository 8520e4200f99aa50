"""The record of past odds (以往预测的检验): each past year forecast on what was known then, against what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike

import numpy as np
import pandas as pd

from lyeval.assessment import views
from lyeval.forecasting.baselines import baselines
from lyeval.forecasting.records import Origin, Records, as_it_was
from lyeval.forecasting.skill import MIN_YEARS, skill
from lyeval.indicators import book
from lyeval.ledger import Ledger
from lyeval.policy import Policy, choose, load_policy
from lyeval.policy.assumptions import Assumptions
from lyeval.simulation import check
from lyeval.simulation.assumed import Assumed, assumed
from lyeval.simulation.carried import as_if
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Setting, setting, years_to_come
from lyeval.simulation.known import as_known, date_of
from lyeval.simulation.notes import Note, distinct, note


@dataclass(frozen=True, eq=False)
class Backtest:
    """Past years forecast on what was known then.

    Attributes
    ----------
    policy, years, months
        The plan, and the years and months that could be tested.
    scores
        level (county, group, enterprise), id, month, model, measure (brier, crps, error), value, n, years. ``n`` counts
        cases, ``years`` calendar years: firms of one year share its shock, so years are what counts.
    coverage
        level, id, month, nominal (0.5, 0.8, 0.95), share of cases inside the interval, n, years.
    skill
        The forecast against each baseline on the same cases, with intervals by calendar years (`skill.skill`): level (county or
        enterprise), id, month,
        measure, baseline, forecast, guess, difference, low, high, years, verdict.
    reliability
        month, odds (mean of the odds given, in tenths), came (share that reached the line), n, years: enterprises.
    pit
        month, tenth (1 to 10), share of enterprises whose outcome fell in that tenth of their draws, n, years; 0.1 each
        where the spread is right.
    notes
        What could not be tested.
    """

    policy: str
    years: tuple[int, ...]
    months: tuple[int, ...]
    scores: pd.DataFrame = field(repr=False)
    coverage: pd.DataFrame = field(repr=False)
    reliability: pd.DataFrame = field(repr=False)
    pit: pd.DataFrame = field(repr=False)
    skill: pd.DataFrame = field(repr=False)
    notes: tuple[Note, ...] = field(repr=False, default=())

    @property
    def enough(self) -> bool:
        """Whether there are years enough (3) to judge by."""
        return len(self.years) >= MIN_YEARS

    def tidy(self) -> pd.DataFrame:
        """Return scores and coverage as one long table: level, id, month, model, measure, value, n, years."""
        inside = self.coverage.rename(columns={"share": "value"}).assign(model="forecast")
        inside["measure"] = "coverage_" + (inside["nominal"] * 100).round().astype(int).astype(str)
        return pd.concat([self.scores, inside[self.scores.columns]], ignore_index=True)

    def __repr__(self) -> str:
        judged = "" if self.enough else "; too few years to judge"
        return f"<Backtest {self.policy}, years {list(self.years)}, months {list(self.months)}{judged}>"

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{item.zh}</li>" for item in self.notes)
        return f"{self.scores.to_html(index=False)}{self.coverage.to_html(index=False)}<ul>{notes}</ul>"


def backtest(
    ledger: Ledger,
    policy: Policy | str,
    years: Sequence[int],
    months: Sequence[int],
    *,
    assumptions: str | PathLike[str] | Assumptions = "default",
    readings: Mapping[str, str] | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Backtest:
    """Forecast past years on what was known at each month, and score the odds.

    Parameters
    ----------
    years
        Years with annual figures; a year that the plan sets no target for takes the nearest dated values.
    months
        Months of the year that are known, 0 to 12 (0: December of the year before).
    assumptions, readings, draws, seed
        As for `forecast`.

    Raises
    ------
    ValueError
        If a month is not 0 to 12, or draws are out of range.
    """
    check(draws)
    wrong = [m for m in months if not 0 <= m <= 12]
    if wrong:
        raise ValueError(f"months 应在 0 至 12 之间 / must be 0 to 12, not {wrong}")
    rules = load_policy(policy) if isinstance(policy, str | PathLike) else policy
    chosen, _ = choose(rules, readings)
    taken, records, notes = assumed(assumptions), Records([], [], []), []
    for year in sorted(set(years)):
        absent = []
        for month in sorted(set(months)):
            made = _origin(ledger, chosen, year, month, taken, Sampling(draws, seed))
            if isinstance(made, Origin):
                records.add(made)
            elif made is None:
                absent.append(str(month))
            else:
                notes.append(made)
        if absent:
            notes.append(note("no_month", year=year, months="、".join(absent), months_en=", ".join(absent)))
    return _result(rules.id, records, notes)


def _origin(
    ledger: Ledger, policy: Policy, year: int, month: int, taken: Assumed, sampling: Sampling
) -> Origin | Note | None:
    """Forecast one past year at one month; a note where the year cannot be, None where the month has no figures."""
    if year not in book(ledger).years:
        return note("no_year", year=year)
    try:
        date = date_of(f"{year}-{month:02d}" if month else f"{year - 1}-12", year, ledger)
    except ValueError:
        return note("no_history", year=year)
    if date.facts_year < year - 1:
        return note("no_history", year=year)
    known = as_known(ledger, date)
    given = setting(known, date, None, taken, sampling)
    if given.panel.month < month:
        return None
    rules, before_rules = as_if(policy, year)[0], as_if(policy, year - 1)[0]
    taxed = ("share", "count", "mean")
    pick = [v for v in views(known, rules, year, year - 1) if v.kind in taxed]
    ids = [v.id for v in pick]
    came = {v.id: v for v in views(ledger, rules, year, year)}
    last = {v.id: as_it_was(v) for v in views(known, before_rules, year - 1, year - 1)}
    return Origin(
        year=year,
        month=month,
        before=pick,
        after=[came[id] for id in ids],
        drawn=years_to_come(given, year)[0],
        guesses=baselines(given),
        groups=_groups(given),
        last=[last.get(id, np.nan) for id in ids],
        given=given,
    )


def _groups(given: Setting) -> list[np.ndarray]:
    panel = given.panel
    return [np.asarray(panel.township, dtype=object), np.asarray(panel.sector, dtype=object)]


def _result(policy: str, records: Records, notes: list[Note]) -> Backtest:
    scores = pd.DataFrame(records.scores, columns=["level", "id", "year", "month", "case", "model", "brier", "crps"])
    inside = pd.DataFrame(records.inside, columns=["level", "id", "year", "month", "nominal", "inside"])
    long = scores.melt(id_vars=list(scores.columns[:6]), value_vars=["brier", "crps"], var_name="measure")
    years = tuple(int(y) for y in np.unique(scores["year"]))
    if len(years) < MIN_YEARS:
        notes = [*notes, note("few_years", n=len(years), need=MIN_YEARS)]
    return Backtest(
        policy=policy,
        years=years,
        months=tuple(int(m) for m in np.unique(scores["month"])),
        scores=_mean(long.dropna(subset="value"), ["level", "id", "month", "model", "measure"], "value", "value"),
        coverage=_mean(inside, ["level", "id", "month", "nominal"], "inside", "share"),
        reliability=_reliability(records.odds),
        pit=_tenths(records.odds),
        skill=skill(scores[scores["level"] != "group"]),
        notes=distinct(tuple(notes)),
    )


def _reliability(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Set the odds given beside how often it came, by month and tenth of the odds."""
    columns = ["month", "odds", "came", "n", "years"]
    if not parts:
        return pd.DataFrame(columns=columns)
    frame = pd.concat(parts, ignore_index=True)
    tenth = np.minimum((frame["odds"].to_numpy() * 10).astype(int), 9)
    grouped = frame.assign(tenth=tenth, came=frame["came"].astype(float)).groupby(["month", "tenth"], sort=True)
    out = grouped.agg(odds=("odds", "mean"), came=("came", "mean"), n=("odds", "size"), years=("year", "nunique"))
    return out.reset_index()[columns]


def _tenths(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Count in which tenth of its draws each outcome fell, by month."""
    columns = ["month", "tenth", "share", "n", "years"]
    if not parts:
        return pd.DataFrame(columns=columns)
    frame = pd.concat(parts, ignore_index=True)
    rows = []
    for month, part in frame.groupby("month", sort=True):
        tenth = np.minimum((part["place"].to_numpy() * 10).astype(int), 9)
        shares = np.bincount(tenth, minlength=10) / len(part)
        rows += [(month, i + 1, float(share), len(part), part["year"].nunique()) for i, share in enumerate(shares)]
    return pd.DataFrame(rows, columns=columns)


def _mean(frame: pd.DataFrame, keys: list[str], column: str, name: str) -> pd.DataFrame:
    """Average a column by keys, with the number of cases and of calendar years."""
    if frame.empty:
        return pd.DataFrame(columns=[*keys, name, "n", "years"])
    grouped = frame.astype({column: float}).groupby(keys, sort=True)
    out = grouped.agg(**{name: (column, "mean"), "n": (column, "size"), "years": ("year", "nunique")})
    return out.reset_index()
