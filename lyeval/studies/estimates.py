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
from lyeval.effect.estimate import normal, number
from lyeval.effect.frames import columns
from lyeval.effect.rd import Design, jump
from lyeval.studies.questions import ON_LINE, UNIT, Case, Specification, estimand, target_of
from lyeval.told import Words


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
        raise EffectError("只有一份名单，没有后列者可作对照 / a single list: nobody is listed later")
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
    made.append(_kept("frozen_class", found, again(stay), FROZEN, len(movers)))
    made.append(_kept("exits_failed", found, again(failed), EXITS, int(case.frame["gone"].eq(True).sum())))
    if one.design == "did":
        made.append(_bounded(found))
    if one.design != "poisson":
        made.append(_kept("land_as_rated", found, again(case, outcome=f"{one.outcome}_rated"), RATED))
    return tuple(made)


def _bounded(found: Effect) -> Check:
    """Listing followed a low year: an effect must show in the estimate given the year before too, with its sign."""
    value, se = found.details["lag_conditional"], found.details["lag_conditional_se"]
    if value != value:
        return Check("lag_conditional", None, None, "无法以此前水平为条件估计", "no estimate given the year before")
    p, low, high = normal(value, se)
    return Check(
        "lag_conditional",
        bool(p < 0.05 and value * found.estimate > 0) if not found.low <= 0 <= found.high else None,
        value,
        f"以此前水平为条件也应同向且区间不含零：{number(value)} [{number(low)}, {number(high)}]",
        f"given the year before it should have the same sign and exclude zero: {number(value)} [{number(low)}, {number(high)}]",
    )


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
    name, (zh, en) = f"leave_one_{column}_out", GROUPS[column]
    values = [v for v in left if v is not None]
    if len(values) < len(left) or not values:
        return Check(name, None, None, f"有一个{zh}去掉后即无法估计", f"without some {en} there is no estimate")
    least, most = min(values), max(values)
    far = max(abs(least - found.estimate), abs(most - found.estimate))
    return Check(
        name,
        bool(found.low <= least and most <= found.high),
        far,
        f"逐一去掉 {len(values)} 个{zh}中的一个，估计为 {number(least)} 至 {number(most)}",
        f"leaving out each {en} of {len(values)}: {number(least)} to {number(most)}",
    )


def _before(one: Specification, case: Case) -> Check:
    """The same jump in the outcome of the year before the list's own: nothing had happened yet."""
    frame = case.year(case.base_year - 1, case.frame)
    if one.outcome not in frame or len(frame) < 40:
        return Check("placebo_date", None, None, "名单以前没有更早的年份", "no year before the list's own")
    try:
        earlier, balance = _with_pasts(case, frame, (2,))
        early = rdd(earlier, outcome=one.outcome, score="shortfall", cutoff=ON_LINE * case.line, covariates=balance)
    except EffectError as error:
        zh, _, en = str(error).partition(" / ")
        return Check("placebo_date", None, None, f"假日期无法检验：{zh}", f"placebo date not tested: {en}")
    text = f"{number(early.estimate)} [{number(early.low)}, {number(early.high)}]"
    return Check(
        "placebo_date",
        bool(early.p_value >= 0.05),
        early.p_value,
        f"{case.base_year - 1} 年（名单所据年份以前）的同一跳跃应为零：{text}",
        f"the same jump in {case.base_year - 1}, before the list's own year, should be 0: {text}",
    )


def _kept(name: str, found: Effect, other: float | None, words: tuple[str, str], n: int | None = None) -> Check:
    zh, en = words
    if other is None:
        return Check(name, None, None, f"{zh}后无法估计", f"{en}: no estimate")
    count_zh, count_en = (f"（{n} 户）", f" ({n})") if n is not None else ("", "")
    return Check(
        name,
        bool(found.low <= other <= found.high),
        other,
        f"{zh}{count_zh}，估计为 {number(other)}",
        f"{en}{count_en}: {number(other)}",
    )


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
GROUPS = {"township": ("镇街", "township"), "industry": ("行业大类", "industry")}
EXITS = ("退出者按税收为零计", "those who left counted at zero tax")
RATED = ("按名单所据用地计算", "on the land rated for the list")
FROZEN = ("去掉类别变动者", "without those who changed class")
