"""What a county's ledger and plan let one ask (可检验的问题): dates, outcomes, who is compared with whom; which design answers each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment.targets import class_line
from lyeval.effect import (
    Check,
    Effect,
    EffectError,
    bunching,
    density,
    did,
    event_study,
    forecast_gap,
    poisson,
    rdd,
    refuse,
    synthetic,
    timing,
)
from lyeval.effect.estimate import check, error, normal, told, within
from lyeval.effect.frames import columns
from lyeval.effect.rd import Design, jump
from lyeval.indicators import RELATIVE
from lyeval.ledger import Ledger
from lyeval.panels import panel
from lyeval.policy import Policy, choose, load_policy
from lyeval.simulation.assumed import assumed
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import setting, years_to_come
from lyeval.simulation.known import as_known, date_of
from lyeval.told import Words

LATEST_MONTH = 9
TAILS = (0.01, 0.99)
BAND = 2.0
ON_LINE = 1e-9
UNIT: dict[str, Any] = {"unit": "credit_code", "time": "year"}


@dataclass(frozen=True, eq=False)
class Case:
    """A county under a plan, laid out for questions of cause.

    Attributes
    ----------
    frame
        Panel rows of enterprises that could be listed at the first list, with outcomes: reach (0/1: at or above the first list's
        line), level (万元/亩, the lowest and highest 1 % of the years before cut), log, and treated (on the first list), post,
        shortfall (line less score of the first list), would (whom the line would have listed a year earlier), reach_rated and
        level_rated (on the land rated for the list).
    list_year, base_year, first_year, last_year
        First list; the year of its figures; first year with at least a quarter of it after the document's date; last of the ledger.
    line
        Line of the first list, 万元/亩.
    targets
        Announced line of each target year in the ledger: year → (class, line).
    months, counties
        Monthly tax, and the counties sheet.
    """

    frame: pd.DataFrame
    policy: Policy
    list_year: int
    base_year: int
    first_year: int
    last_year: int
    line: float
    targets: Mapping[int, tuple[tuple[str, float], ...]]
    months: pd.DataFrame
    counties: pd.DataFrame

    @property
    def announced(self) -> bool:
        """Whether lines of later years were announced with the first."""
        return len(self.policy.years.targets) > 1

    @property
    def here(self) -> pd.DataFrame:
        """The rows of enterprises that have not left."""
        return self.frame[self.frame["gone"].ne(True).fillna(True).to_numpy(dtype=bool)]

    def year(self, year: int, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the rows of one year."""
        frame = self.here if rows is None else rows
        return frame[frame["year"] == year]

    @property
    def near(self) -> pd.DataFrame:
        """The rows of those whose score on the first list stood between 0 and twice the line."""
        score = self.here["first_score"]
        return self.here[(score >= 0) & (score <= BAND * self.line)]

    def without(self, column: str, value: object) -> Case:
        """Return the case less one township or industry."""
        return replace(self, frame=self.frame[self.frame[column] != value])


def first_year(policy: Policy) -> int:
    """Return a plan's first year: the first with at least a quarter of it after the document's date, not before its first list."""
    issued = policy.document.issued
    return max(issued.year + (issued.month > LATEST_MONTH), min(policy.years.identification))


def lay_out(
    ledger: Ledger, policy: str | Policy, *, readings: Mapping[str, str] | None = None, draws: int = 500, seed: int = 0
) -> Case:
    """Lay a county out for `study`.

    Parameters
    ----------
    draws, seed
        Of the no-policy projection, whose odds of reaching the line stand in column ``projected``.
    """
    plan = load_policy(policy)
    chosen, _ = choose(plan, readings)
    frame = panel(ledger, plan, readings=readings)
    list_year = min(chosen.years.identification)
    targets = {
        year: tuple((name, class_line(chosen, year, name)) for name in ("above", "below"))
        for year in chosen.years.targets
        if year in ledger.years
    }
    line = float(frame["first_line"].median())
    dates = (list_year, list_year - 1, first_year(chosen))
    made = _outcomes(frame, line, dates)
    made = made.merge(no_policy_odds(ledger, line, dates, (draws, seed)), on=["credit_code", "year"], how="left")
    return Case(made, chosen, *dates, max(ledger.years), line, targets, ledger.monthly, ledger.counties)


def _outcomes(frame: pd.DataFrame, line: float, dates: tuple[int, int, int]) -> pd.DataFrame:
    _, base, first = dates
    could = frame["first_ratable"].eq(True).fillna(False).to_numpy(dtype=bool)
    known = could & frame["tax_per_mu"].notna().to_numpy() & frame["first_score"].notna().to_numpy()
    out = frame[known].copy()
    out["listed_word"] = out["first_list"]
    out["treated"] = out["first_list"].eq(True).fillna(False).astype(float)
    out["post"] = (out["year"] >= first).astype(float)
    out["shortfall"] = out["first_line"] - out["first_score"]
    ratio, rated = out["tax_per_mu"], out["tax_wan"] / out["rated_land_mu"]
    early = ratio[out["year"] < first]
    low, high = early.quantile(list(TAILS)) if len(early) else (ratio.min(), ratio.max())
    for name, values in (("", ratio), ("_rated", rated)):
        out[f"reach{name}"] = (values >= line * (1 - RELATIVE)).astype(float).where(values.notna())
        out[f"level{name}"] = values.clip(low, high)
        out[f"log{name}"] = np.log(values.where(values > 0))
    before = out[out["year"] == base - 1].set_index("credit_code")["tax_per_mu"]
    out["would"] = (out["credit_code"].map(before) < line * (1 - RELATIVE)).astype(float)
    start = out["first_listed"].astype("Float64").astype(float)
    out["start"] = start.where(start.isna() | (start != dates[0]), float(first))
    return out.drop(columns="listed_word")


def no_policy_odds(
    ledger: Ledger, line: float | np.ndarray, dates: tuple[int, int, int], drawn: tuple[int, int]
) -> pd.DataFrame:
    """Return the no-policy odds of standing at or above a line in the years from the first on, known at the base year's end.

    Parameters
    ----------
    line
        万元/亩, for all or for each enterprise in order of credit code.
    dates
        Year of the first list, year of its figures, first year asked for.
    drawn
        Number of draws and their seed.

    Returns
    -------
    DataFrame
        credit_code, year, projected; no row where the ledger has nothing to project from.
    """
    _, base, first = dates
    empty = pd.DataFrame({"credit_code": [], "year": [], "projected": []}).astype({"credit_code": str, "year": int})
    years = [y for y in ledger.years if first <= y <= base + 5]
    if base not in ledger.years or not years:
        return empty
    date = date_of(f"{base}-12", first, ledger)
    known = as_known(ledger, date)
    nothing = pd.DataFrame({"credit_code": [], "method": []})
    given = setting(known, date, nothing, assumed("default"), Sampling(*drawn))
    land = given.panel.land[:, -1]
    parts = []
    for year in years_to_come(given, max(years)):
        if year.year in years:
            reach = (year.tax / np.where(land > 0, land, np.nan) >= line * (1 - RELATIVE)).mean(axis=0)
            odds = np.where(land > 0, reach, np.nan)
            parts.append(pd.DataFrame({"credit_code": year.codes, "year": year.year, "projected": odds}))
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class Specification:
    """One question fixed beforehand.

    Attributes
    ----------
    id, design, outcome
        Its name; the design; reach, level, log, tax, share or count.
    family
        Those tested together, for Holm's correction.
    """

    id: str
    design: str
    outcome: str
    family: str


def target_of(one: Specification, case: Case) -> tuple[int, str, float]:
    """Return year, class and line of a target; class "" where both classes have one line."""
    year, name = int(one.id.split("@")[1][:4]), one.id.split("@")[1][5:]
    return year, name, dict(case.targets[year])[name or "above"]


def estimand(one: Specification, case: Case) -> Words:
    """Say in words what a specification asks of this county."""
    key = one.id.split("@")[0]
    given: dict[str, Any] = {
        "line": f"{case.line:g}",
        "first": case.first_year,
        "base": case.base_year,
        "list": case.list_year,
    }
    if one.outcome in OUTCOMES:
        given["outcome"] = told(f"outcome_{one.outcome}", line=given["line"])
    if "@" in one.id:
        year, name, at = target_of(one, case)
        given |= {"year": year, "at": f"{at:g}", "group": told(f"class_{name}") if name else Words("", "")}
    return told(f"asks_{key if key in OWN_WORDS else one.design}", **given)


def listing(case: Case) -> list[Specification]:
    """Return every specification of a plan, in a fixed order, whatever the data hold."""
    out = [Specification(*row) for row in FIXED]
    for year in sorted(case.policy.years.targets):
        lines = dict(case.targets.get(year, ()))
        names = ("",) if len(set(lines.values())) < 2 else ("above", "below")
        for name in names if lines else ():
            at = f"{year}-{name}" if name else f"{year}"
            out.append(Specification(f"bunching@{at}", "bunching", "count", "bunching"))
            out.append(Specification(f"density_target@{at}", "density", "count", "density"))
    return out


FIXED = (
    ("rd_reach", "rdd", "reach", "rd"),
    ("rd_level", "rdd", "level", "rd"),
    ("rd_log", "rdd", "log", "rd"),
    ("density_score", "density", "score", "density"),
    ("did_reach", "did", "reach", "did"),
    ("did_level", "did", "level", "did"),
    ("did_log", "did", "log", "did"),
    ("poisson_tax", "poisson", "tax", "did"),
    ("event_reach", "event_study", "reach", "event"),
    ("event_level", "event_study", "level", "event"),
    ("gap_reach", "forecast_gap", "reach", "gap"),
    ("gap_level", "forecast_gap", "level", "gap"),
    ("timing", "timing", "share", "timing"),
    ("synthetic", "synthetic", "level", "synthetic"),
    ("rd_target", "rd_target", "reach", ""),
    ("not_yet", "not_yet", "reach", ""),
    ("before_after", "before_after", "reach", ""),
)
OUTCOMES = ("reach", "level", "log")
OWN_WORDS = ("density_target", "density_score", "rd_target", "not_yet", "before_after")


def run(one: Specification, case: Case) -> Effect:
    """Estimate one specification; what cannot be estimated comes back as a refusal with its reason."""
    words = estimand(one, case)
    try:
        found = RUN[one.design](one, case)
    except EffectError as fault:
        zh, _, en = str(fault).partition(" / ")
        return refuse(one.design, words, Words(zh, en or zh))
    if found.design == "refused":
        return replace(found, estimand=words)
    return replace(found, estimand=words, checks=(*found.checks, *county_checks(one, case, found)))


def _rdd(one: Specification, case: Case) -> Effect:
    frame, balance = _rd_rows(case)
    return rdd(frame, outcome=one.outcome, score="shortfall", cutoff=ON_LINE * case.line, covariates=balance)


def _rd_rows(case: Case) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of the first year, and as covariates the level of the two years before the list's own."""
    return _with_pasts(case, case.year(case.first_year), (1, 2))


def _with_pasts(case: Case, frame: pd.DataFrame, backs: tuple[int, ...]) -> tuple[pd.DataFrame, list[str]]:
    """Return rows with the level of some years before the base year; only those that most rows know."""
    pasts = {}
    for back in backs:
        past = case.year(case.base_year - back, case.frame)
        if len(past):
            pasts[f"level_{case.base_year - back}"] = frame["credit_code"].map(past.set_index("credit_code")["level"])
    frame = frame.assign(**pasts)
    balance = [name for name in pasts if frame[name].notna().mean() > 0.9]
    return (frame.dropna(subset=balance) if balance else frame), balance


def _did(one: Specification, case: Case, *, outcome: str = "", groups: str | None = "township") -> Effect:
    return did(case.near, outcome=outcome or one.outcome, treated="treated", post="post", groups=groups, **UNIT)


def _poisson(_: Specification, case: Case, *, outcome: str = "tax_wan", groups: str | None = "township") -> Effect:
    return poisson(case.near, outcome=outcome, treated="treated", post="post", offset="land_mu", groups=groups, **UNIT)


def _event(one: Specification, case: Case) -> Effect:
    return event_study(case.here, outcome=one.outcome, first_treated="start", announced=case.announced, **UNIT)


def _later(one: Specification, case: Case) -> Effect:
    if not case.announced:
        raise error("single_list")
    return event_study(
        case.here, outcome=one.outcome, first_treated="start", controls="not_yet", announced=True, **UNIT
    )


def _gap(one: Specification, case: Case) -> Effect:
    """For reaching the line: against the odds of the no-policy projection; else against the county's own reversion."""
    reached = one.outcome == "reach"
    years = {"first_year": case.first_year, "base_year": case.base_year}
    against = {"projection": "projected" if reached else None, "would": None if reached else "would"}
    band = (0.0, 2 * case.line)
    return forecast_gap(
        case.here, outcome=one.outcome, listed="treated", score="first_score", band=band, **years, **against, **UNIT
    )


def _timing(_: Specification, case: Case) -> Effect:
    months = case.months
    if months.empty:
        raise error("no_monthly")
    firms = case.near.drop_duplicates("credit_code").set_index("credit_code")["treated"]
    rows = months[months["credit_code"].isin(firms.index)]
    rows = rows.assign(treated=rows["credit_code"].map(firms))
    first = min(case.targets, default=case.first_year)
    return timing(rows, month="month", tax="tax_wan", treated="treated", first_year=first, **UNIT)


def _bunching(one: Specification, case: Case) -> Effect:
    year, name, line = target_of(one, case)
    frame = case.frame[(case.frame["year"] == year) | (case.frame["year"] < case.first_year)]
    frame = frame[_of_class(frame, name)].assign(before=lambda t: (t["year"] < case.first_year).astype(float))
    others = [other for other in (4.0, 5.0) if other > line]
    if not frame["before"].any():
        raise error("nothing_before")
    return bunching(frame, score="tax_per_mu", threshold=line, before="before", lines=others, unit="credit_code")


def _density(one: Specification, case: Case) -> Effect:
    if one.outcome == "score":
        return density(case.year(case.base_year, case.frame), score="shortfall", cutoff=ON_LINE * case.line)
    year, name, line = target_of(one, case)
    frame = case.year(year)
    return density(frame[_of_class(frame, name)], score="tax_per_mu", cutoff=line)


def _of_class(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame["first_class"].eq(name) if name else pd.Series(True, index=frame.index)


def _synthetic(_: Specification, case: Case) -> Effect:
    table = case.counties
    if table.empty or "tax_wan" not in table:
        raise error("no_counties")
    frame = table.assign(tax_per_mu=table["tax_wan"] / table["land_mu"])
    own = str(case.frame["county"].mode().iloc[0])
    return synthetic(
        frame, outcome="tax_per_mu", unit="county", time="year", treated=own, first_year=case.first_year, method="did"
    )


def _never(reason: str, one: Specification, case: Case) -> Effect:
    return refuse(one.design, estimand(one, case), told(reason))


def county_checks(one: Specification, case: Case, found: Effect) -> tuple[Check, ...]:
    """Return the checks of a county's own kind: groups left out, class frozen, land as rated, exits counted."""
    if one.design not in ("rdd", "did", "poisson"):
        return ()
    again = partial(_estimate, one, found)
    same = case.frame["first_class"].eq(case.frame["plan_class"]) | case.frame["plan_class"].isna()
    movers = case.frame.loc[~same, "credit_code"].unique()
    stay = replace(case, frame=case.frame[~case.frame["credit_code"].isin(movers)])
    failed = replace(case, frame=_failed(case.frame))
    made = [_left_out(again, found, case, "industry")]
    if one.design == "rdd":
        made.insert(0, _left_out(again, found, case, "township"))
        made.append(_before(one, case))
    made.append(_kept("frozen_class", found, again(stay), n=len(movers)))
    made.append(_kept("exits_failed", found, again(failed), n=int(case.frame["gone"].eq(True).sum())))
    if one.design == "did":
        made.append(_bounded(found))
    if one.design != "poisson":
        made.append(_kept("land_as_rated", found, again(case, outcome=f"{one.outcome}_rated")))
    return tuple(made)


def _bounded(found: Effect) -> Check:
    """Listing followed a low year: an effect must show in the estimate given the year before too, with its sign."""
    value, se = found.details["lag_conditional"], found.details["lag_conditional_se"]
    if value != value:
        return check("lag_conditional", None, None, "no_lag")
    p, low, high = normal(value, se)
    passed = bool(p < 0.05 and value * found.estimate > 0) if not found.low <= 0 <= found.high else None
    return check("lag_conditional", passed, value, value=value, low=low, high=high)


def _failed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame in which those who left stand at zero."""
    gone = frame["gone"].eq(True).fillna(False).to_numpy(dtype=bool)
    out = frame.copy()
    for name in ("tax_wan", "reach", "level"):
        out.loc[gone, name] = 0.0
    out["gone"] = False
    return out


def _estimate(one: Specification, found: Effect, case: Case, *, outcome: str = "") -> float | None:
    """Return what the printed estimator gives on other rows or for another outcome; None where there is none.

    A discontinuity keeps its covariates and the bandwidths chosen before, so that on the same rows it is the printed estimate.
    """
    try:
        if one.design == "rdd":
            return _jump(one, found, case, outcome or one.outcome)
        if one.design == "poisson":
            return _poisson(one, case, outcome=outcome or "tax_wan", groups=None).estimate
        return _did(one, case, outcome=outcome, groups=None).estimate
    except EffectError:
        return None


def _jump(one: Specification, found: Effect, case: Case, outcome: str) -> float:
    """Return the jump at the bandwidths chosen before, given the same covariates."""
    frame, balance = _rd_rows(case)
    data = columns(frame, ["shortfall", outcome, *balance])
    given = [data[name] / data[name].std() for name in balance if np.ptp(data[name]) > 0]
    design = Design(data["shortfall"] - ON_LINE * case.line, np.column_stack([data[outcome], *given]))
    return jump(design, found.details["bandwidth"], found.details["bias_bandwidth"]).estimate


def _left_out(again: Callable[..., float | None], found: Effect, case: Case, column: str) -> Check:
    groups = sorted(str(g) for g in case.frame[column].dropna().unique())
    left = [again(case.without(column, group)) for group in groups]
    values = [v for v in left if v is not None]
    if len(values) < len(left) or not values:
        return check(f"leave_one_{column}_out", None, None, f"no_{column}_out")
    return within((found.estimate, found.low, found.high), values, f"leave_one_{column}_out")


def _before(one: Specification, case: Case) -> Check:
    """The same jump in the outcome of the year before the list's own: nothing had happened yet."""
    frame = case.year(case.base_year - 1, case.frame)
    if one.outcome not in frame or len(frame) < 40:
        return check("placebo_date", None, None, "no_year_before")
    try:
        earlier, balance = _with_pasts(case, frame, (2,))
        early = rdd(earlier, outcome=one.outcome, score="shortfall", cutoff=ON_LINE * case.line, covariates=balance)
    except EffectError as fault:
        zh, _, en = str(fault).partition(" / ")
        return check("placebo_date", None, None, "placebo_untested", why=Words(zh, en))
    shown = {"value": early.estimate, "low": early.low, "high": early.high}
    return check("placebo_date", early.p_value >= 0.05, early.p_value, "placebo_jump", year=case.base_year - 1, **shown)


def _kept(name: str, found: Effect, other: float | None, **more: int) -> Check:
    """Check that the printed estimator stays in its interval on other rows or for another outcome."""
    if other is None:
        return check(name, None, None, f"no_{name}")
    return check(name, found.low <= other <= found.high, other, value=other, **more)


RUN: dict[str, Callable[[Specification, Case], Effect]] = {
    "rdd": _rdd,
    "did": _did,
    "poisson": _poisson,
    "event_study": _event,
    "forecast_gap": _gap,
    "timing": _timing,
    "bunching": _bunching,
    "density": _density,
    "synthetic": _synthetic,
    "rd_target": partial(_never, "announced_target"),
    "not_yet": _later,
    "before_after": partial(_never, "listed_only"),
}
