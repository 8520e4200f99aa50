"""How each question is answered on a county (各项设定的估计): which design, on which rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

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
from lyeval.studies.questions import ON_LINE, UNIT, Case, Specification, estimand, target_of
from lyeval.told import Words


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
