"""How each question is answered on a county (各项设定的估计): which design, on which rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pandas as pd

from lyeval.comparison.county_checks import county_checks
from lyeval.comparison.designs import ON_LINE, UNIT, Case
from lyeval.comparison.questions import Specification, estimand, target_of
from lyeval.effect import (
    Effect,
    EffectError,
    Words,
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


def run(one: Specification, case: Case) -> Effect:
    """Estimate one specification; what cannot be estimated comes back as a refusal with its reason."""
    words = estimand(one, case)
    try:
        found = RUN[one.design](one, case)
    except EffectError as error:
        zh, _, en = str(error).partition(" / ")
        return refuse(one.design, words, Words(zh, en or zh))
    if found.design == "refused":
        return replace(found, estimand=words)
    return replace(found, estimand=words, checks=(*found.checks, *county_checks(one, case, found)))


def _rdd(one: Specification, case: Case, *, outcome: str = "") -> Effect:
    frame = case.year(case.first_year)
    pasts = {}
    for back in (1, 2):
        past = case.year(case.base_year - back, case.frame)
        if len(past):
            pasts[f"level_{case.base_year - back}"] = frame["credit_code"].map(past.set_index("credit_code")["level"])
    frame = frame.assign(**pasts)
    balance = [name for name in pasts if frame[name].notna().mean() > 0.9]
    frame = frame.dropna(subset=balance) if balance else frame
    return rdd(frame, outcome=outcome or one.outcome, score="shortfall", cutoff=ON_LINE * case.line, covariates=balance)


def _did(one: Specification, case: Case, *, outcome: str = "") -> Effect:
    return did(case.near, outcome=outcome or one.outcome, treated="treated", post="post", groups="township", **UNIT)


def _poisson(_: Specification, case: Case, *, outcome: str = "tax_wan") -> Effect:
    return poisson(
        case.near, outcome=outcome, treated="treated", post="post", offset="land_mu", groups="township", **UNIT
    )


def _event(one: Specification, case: Case) -> Effect:
    return event_study(case.here, outcome=one.outcome, first_treated="start", announced=case.announced, **UNIT)


def _later(one: Specification, case: Case) -> Effect:
    if not case.announced:
        raise EffectError("只有一份名单，没有后列者可作对照 / a single list: nobody is listed later")
    return event_study(
        case.here, outcome=one.outcome, first_treated="start", controls="not_yet", announced=True, **UNIT
    )


def _gap(one: Specification, case: Case) -> Effect:
    """For reaching the line: against the odds of the no-policy projection; else against the county's own reversion."""
    return forecast_gap(
        case.here, outcome=one.outcome, listed="treated", first_year=case.first_year, base_year=case.base_year,
        score="first_score", band=(0.0, 2 * case.line), projection="projected" if one.outcome == "reach" else None,
        would="would" if one.outcome != "reach" else None, **UNIT,
    )  # fmt: skip


def _timing(_: Specification, case: Case) -> Effect:
    months = case.months
    if months.empty:
        raise EffectError("台账没有月度表 / the ledger has no monthly sheet")
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
        raise EffectError("没有公布以前的年份 / no year from before the announcement")
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
        raise EffectError("台账没有县区表，无他县可比 / the ledger has no counties sheet: no other place to compare")
    frame = table.assign(tax_per_mu=table["tax_wan"] / table["land_mu"])
    own = str(case.frame["county"].mode().iloc[0])
    return synthetic(
        frame, outcome="tax_per_mu", unit="county", time="year", treated=own, first_year=case.first_year, method="did"
    )


def _never(reason: Words, one: Specification, case: Case) -> Effect:
    return refuse(one.design, estimand(one, case), reason)


ANNOUNCED_TARGET = Words(
    "目标线事先公布，企业可以向线上调整，线两侧不可比；改用聚集与密度分析。",
    "the target's line was announced: firms can move to it, and the two sides are not alike; see bunching and density.",
)
LISTED_ONLY = Words(
    "名单按低年划定，名单内企业次年回升本是必然，前后之差必然偏高；改看与无政策预测之差（gap）。",
    "a list drawn on a low year rises by itself: a listed-only before/after is biased upward; see the gap to the forecast.",
)
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
    "rd_target": partial(_never, ANNOUNCED_TARGET),
    "not_yet": _later,
    "before_after": partial(_never, LISTED_ONLY),
}
