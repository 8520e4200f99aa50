"""The record of past odds (以往预测的检验): each past year forecast on what was known then, against what came, case by case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import TargetView, meets, target_values, views
from lyeval.forecasting.scoring import MIN_YEARS, NOMINAL, baselines, brier, covered, crps, pit, pooled_logit, skill
from lyeval.indicators import book
from lyeval.ledger import Ledger
from lyeval.policy import Policy, choose, load_policy
from lyeval.policy.assumptions import Assumptions
from lyeval.simulation.assumed import Assumed, assumed
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Setting, Year, setting, years_to_come
from lyeval.simulation.known import Note, as_known, date_of, distinct, note
from lyeval.simulation.learning import learned
from lyeval.simulation.odds import OPEN_EDGE, members, probability, reaches, tax_basis, values
from lyeval.simulation.projection import check_draws, past_targets, valued


@dataclass(frozen=True, eq=False)
class Backtest:
    """Past years forecast on what was known then.

    Attributes
    ----------
    policy, years, months
        The plan, and the years and months that could be tested.
    scores
        level (county, group, enterprise), id, month, model, measure (brier, crps, sure_below, sure_reach), value, n, years. ``n`` counts
        cases, ``years`` calendar years: firms of one year share its shock, so years are what counts. sure_below and sure_reach: how often
        an enterprise told as surely below the line, or as surely reaching it (in 95 % of the draws), did end so.
    coverage
        level, id, month, nominal (0.5, 0.8, 0.95), share of cases inside the interval, n, years.
    skill
        The forecast against each baseline on the same cases, with intervals by calendar years (`scoring.skill`): level (county or
        enterprise), id, month, measure, baseline, forecast, guess, difference, low, high, years, verdict.
    reliability
        month, odds (mean of the odds given, in tenths), came (share that reached the line), n, years: enterprises.
    pit
        month, tenth (1 to 10), share of enterprises whose outcome fell in that tenth of their draws, n, years; 0.1 each where the spread
        is right.
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

    Examples
    --------
    >>> past = ly.backtest(ledger, policy, years=[2020], months=[6], draws=100, seed=1)
    >>> past.years, past.months
    ((2020,), (6,))
    """
    check_draws(draws)
    wrong = [m for m in months if not 0 <= m <= 12]
    if wrong:
        raise ValueError(f"months 应在 0 至 12 之间 / must be 0 to 12, not {wrong}")
    rules = load_policy(policy) if isinstance(policy, str | PathLike) else policy
    chosen, _ = choose(rules, readings)
    taken, records, notes = assumed(assumptions), Records(), []
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
    return records.summed(rules.id, notes)


@dataclass(frozen=True, eq=False)
class Origin:
    """One past year forecast at one month: what was expected of each target, and what came."""

    year: int
    month: int  # months of the year that were known
    before: list[TargetView]  # each target laid out on what was known, and on what came, by position
    after: list[TargetView]
    last: list[float]  # last year's value of each target
    drawn: Year
    given: Setting  # what the forecast was made from

    def places(self, view: TargetView) -> tuple[np.ndarray, np.ndarray]:
        """Positions of a target's members among the drawn enterprises, and their ratio of counted to reported tax."""
        at = np.searchsorted(self.drawn.codes, view.codes)
        return at, tax_basis(view, self.drawn.reported[at])

    def guesses(self, view: TargetView) -> dict[str, np.ndarray]:
        """Tax of a target's members by baseline, as the target counts it, 万元, shape (members,) each."""
        at, basis = self.places(view)
        return {name: tax[at] * basis for name, tax in baselines(self.given).items()}

    def logit(self, view: TargetView) -> np.ndarray:
        """Odds by the pooled logit that each member of a target reaches the line, shape (members,), NaN unknown."""
        line = view.line if view.line is not None else view.goal
        at, basis = self.places(view)
        need = np.full(len(self.drawn.codes), np.nan)
        if line is not None and line > 0:
            need[at] = np.where(view.land > 0, line * view.land / basis, np.nan)
        return pooled_logit(self.given, need)[at]


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
    rules, rules_before = valued(policy, year)[0], valued(policy, year - 1)[0]
    before = [v for v in views(known, rules, year, year - 1) if v.kind in ("share", "count", "mean")]
    given = learned(given, before, past_targets(known, policy, year - 1, quotas=None, level="county"))
    came = {v.id: v for v in views(ledger, rules, year, year)}
    last = {v.id: _as_it_was(v) for v in views(known, rules_before, year - 1, year - 1)}
    return Origin(
        year=year,
        month=month,
        before=before,
        after=[came[v.id] for v in before],
        last=[last.get(v.id, np.nan) for v in before],
        drawn=years_to_come(given, year)[0],
        given=given,
    )


def _as_it_was(view: TargetView) -> float:
    """Return the target's value on the figures that it was laid out on."""
    if view.kind not in ("share", "count", "mean"):
        return np.nan
    return float(target_values(view, view.tax, view.land, view.gone)[0])


@dataclass
class Records:
    """Scores and interval hits of single cases, as they come in."""

    scores: list[dict[str, Any]] = field(default_factory=list)
    inside: list[dict[str, Any]] = field(default_factory=list)
    odds: list[pd.DataFrame] = field(default_factory=list)
    sure: list[dict[str, Any]] = field(default_factory=list)  # statements of certainty, and whether they were right

    def add(self, origin: Origin) -> None:
        """Score one origin: enterprises, the county, and its townships and industries."""
        panel = origin.given.panel
        for before, after, last in zip(origin.before, origin.after, origin.last, strict=True):
            logit = origin.logit(before)
            self._enterprises(origin, before, after, logit)
            self._statistic(origin, (before, after), ("county", ""), last, logit)
            for kind, groups in enumerate((panel.township, panel.sector)):
                for name in sorted({str(g) for g in groups if g}):
                    mine = [np.isin(v.codes, panel.codes[groups == name]) for v in (before, after)]
                    here = (_part(before, mine[0]), _part(after, mine[1]))
                    if min(int(v.member.sum()) for v in here) >= MIN_GROUP:
                        self._statistic(origin, here, ("group", f"{kind} {name}"), np.nan, logit[mine[0]])

    def _statistic(
        self,
        origin: Origin,
        pair: tuple[TargetView, TargetView],
        what: tuple[str, str],
        last: float,
        logit: np.ndarray,
    ) -> None:
        """Score a county's or group's statistic."""
        before, after = pair
        actual, drawn = _as_it_was(after), values(members(before, origin.drawn))
        drawn = drawn[~np.isnan(drawn)]
        if np.isnan(actual) or not len(drawn):
            return
        met = bool(meets(after, np.array([actual]))[0])
        key = {"level": what[0], "id": before.id, "year": origin.year, "month": origin.month, "case": what[1]}
        p = probability(int(meets(before, drawn).sum()), len(drawn))
        self.scores.append({**key, "model": "forecast", "brier": float(brier(p, met)), "crps": crps(drawn, actual)})
        taxes = origin.guesses(before).items()
        guesses = {name: float(target_values(before, tax, before.land, before.gone)[0]) for name, tax in taxes}
        for name, guess in (guesses | {"last_value": last, "logit": _expected(before, logit)}).items():
            if not np.isnan(guess):
                told = float(brier(bool(meets(before, np.array([guess]))[0]), met))
                self.scores.append({**key, "model": name, "brier": told, "crps": abs(guess - actual)})
        hits = covered(drawn[:, None], np.array([actual]), NOMINAL)[:, 0]
        self.inside += [{**key, "nominal": n, "inside": bool(hit)} for n, hit in zip(NOMINAL, hits, strict=True)]

    def _enterprises(self, origin: Origin, before: TargetView, after: TargetView, logit: np.ndarray) -> None:
        """Score each enterprise's odds of reaching the line, and its interval of tax per mu."""
        line = before.line if before.line is not None else before.goal
        common = np.intersect1d(before.codes[before.member & ~before.gone], after.codes[~after.gone])
        i, j = np.searchsorted(before.codes, common), np.searchsorted(after.codes, common)
        actual = after.tax[j] / np.where(after.land[j] > 0, after.land[j], np.nan)
        known = ~np.isnan(actual) & (before.land[i] > 0)
        if line is None or not known.any():
            return
        i, actual = i[known], actual[known]
        ratio = members(before, origin.drawn).tax[:, i] / before.land[i]
        came = reaches(before, actual, line)
        key = {"level": "enterprise", "id": before.id, "year": origin.year, "month": origin.month}
        p = (reaches(before, ratio, line).sum(axis=0) + 0.5) / (len(ratio) + 1)
        odds = {"forecast": p, "logit": logit[i]}
        for name, tax in origin.guesses(before).items():
            guess = tax[i] / before.land[i]
            odds[name] = np.where(np.isnan(guess), np.nan, reaches(before, guess, line))
        for name, told, right in (("sure_below", 1 - p, ~came), ("sure_reach", p, came)):
            at = np.flatnonzero(told >= 1 - OPEN_EDGE)
            self.sure += [{**key, "model": "forecast", "measure": name, "value": float(right[j])} for j in at]
        for name, told in odds.items():
            rows = zip(before.codes[i], brier(told, came), strict=True)
            self.scores += [{**key, "case": c, "model": name, "brier": float(b)} for c, b in rows if not np.isnan(b)]
        place = pit(ratio, actual, seed=origin.year * 100 + origin.month)
        columns = {"year": origin.year, "month": origin.month, "odds": p, "came": came, "place": place}
        self.odds.append(pd.DataFrame(columns))
        for nominal, hits in zip(NOMINAL, covered(ratio, actual, NOMINAL), strict=True):
            self.inside += [{**key, "nominal": nominal, "inside": bool(hit)} for hit in hits]

    def summed(self, policy: str, notes: list[Note]) -> Backtest:
        """Average the cases."""
        keys = ["level", "id", "year", "month", "case", "model"]
        scores = pd.DataFrame(self.scores, columns=[*keys, "brier", "crps"])
        inside = pd.DataFrame(self.inside, columns=["level", "id", "year", "month", "nominal", "inside"])
        long = scores.melt(id_vars=keys, value_vars=["brier", "crps"], var_name="measure").dropna(subset="value")
        long = (
            pd.concat([long, pd.DataFrame(self.sure, columns=long.columns)], ignore_index=True) if self.sure else long
        )
        years = tuple(int(y) for y in np.unique(scores["year"]))
        few = [note("few_years", n=len(years), need=MIN_YEARS)] if len(years) < MIN_YEARS else []
        empty = pd.DataFrame(columns=["year", "month", "odds", "came", "place"])
        firms = pd.concat(self.odds, ignore_index=True) if self.odds else empty
        return Backtest(
            policy=policy,
            years=years,
            months=tuple(int(m) for m in np.unique(scores["month"])),
            scores=_mean(long, ["level", "id", "month", "model", "measure"], "value", "value"),
            coverage=_mean(inside, ["level", "id", "month", "nominal"], "inside", "share"),
            reliability=_reliability(firms),
            pit=_tenths(firms),
            skill=skill(scores[scores["level"] != "group"]),
            notes=distinct((*notes, *few)),
        )


def _part(view: TargetView, mine: np.ndarray) -> TargetView:
    """Return a target of some of its possible members alone."""
    return replace(view, **{name: getattr(view, name)[mine] for name in ("codes", "member", "tax", "land", "gone")})


def _expected(view: TargetView, odds: np.ndarray) -> float:
    """Return a share's or count's mean under odds of reaching the line; NaN for a mean."""
    here = view.member & ~view.gone & ~np.isnan(odds)
    if view.kind not in ("share", "count") or not here.any():
        return np.nan
    by_land = view.weight == "land" and view.kind == "share"
    weight = np.nan_to_num(view.land[here]) if by_land else np.ones(int(here.sum()))
    part = (1 - odds[here] if view.side == "below" else odds[here]) @ weight
    return float(part if view.kind == "count" else part / weight.sum())


def _reliability(firms: pd.DataFrame) -> pd.DataFrame:
    """Set the odds given beside how often it came, by month and tenth of the odds."""
    tenth = np.minimum((firms["odds"].to_numpy(dtype=float) * 10).astype(int), 9)
    grouped = firms.assign(tenth=tenth, came=firms["came"].astype(float)).groupby(["month", "tenth"], sort=True)
    out = grouped.agg(odds=("odds", "mean"), came=("came", "mean"), n=("odds", "size"), years=("year", "nunique"))
    return out.reset_index()[["month", "odds", "came", "n", "years"]]


def _tenths(firms: pd.DataFrame) -> pd.DataFrame:
    """Count in which tenth of its draws each outcome fell, by month."""
    rows = []
    for month, part in firms.groupby("month", sort=True):
        tenth = np.minimum((part["place"].to_numpy() * 10).astype(int), 9)
        shares = np.bincount(tenth, minlength=10) / len(part)
        rows += [(month, i + 1, float(share), len(part), part["year"].nunique()) for i, share in enumerate(shares)]
    return pd.DataFrame(rows, columns=["month", "tenth", "share", "n", "years"])


def _mean(frame: pd.DataFrame, keys: list[str], column: str, name: str) -> pd.DataFrame:
    """Average a column by keys, with the number of cases and of calendar years."""
    if frame.empty:
        return pd.DataFrame(columns=[*keys, name, "n", "years"])
    grouped = frame.astype({column: float}).groupby(keys, sort=True)
    return grouped.agg(**{name: (column, "mean"), "n": (column, "size"), "years": ("year", "nunique")}).reset_index()


MIN_GROUP = 10
