"""Checks of a county's own kind (县情检验): groups left out, class frozen, land as rated, exits counted, the year before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pandas as pd

from lyeval.comparison.designs import ON_LINE, UNIT, Case
from lyeval.comparison.questions import Specification
from lyeval.effect import Check, Effect, EffectError, did, poisson, rdd
from lyeval.effect.estimate import normal, number
from lyeval.effect.frames import columns
from lyeval.effect.rd import Design, jump


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
    """Return the estimate on other rows or another outcome; None where there is none."""
    try:
        if one.design == "rdd":
            return _jump(one, found, case, outcome or one.outcome)
        more = {"groups": None} if one.design == "poisson" else {}
        if one.design == "poisson":
            return poisson(
                case.near, outcome="tax_wan", treated="treated", post="post", offset="land_mu", **more, **UNIT
            ).estimate
        return did(case.near, outcome=outcome or one.outcome, treated="treated", post="post", **UNIT).estimate
    except EffectError:
        return None


def _jump(one: Specification, found: Effect, case: Case, outcome: str) -> float:
    """Return the jump at the bandwidths chosen before."""
    data = columns(case.year(case.first_year), ["shortfall", outcome])
    design = Design(data["shortfall"] - ON_LINE * case.line, data[outcome][:, None])
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
        early = rdd(frame, outcome=one.outcome, score="shortfall", cutoff=ON_LINE * case.line)
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


GROUPS = {"township": ("镇街", "township"), "industry": ("行业大类", "industry")}
EXITS = ("退出者按税收为零计", "those who left counted at zero tax")
RATED = ("按名单所据用地计算", "on the land rated for the list")
FROZEN = ("去掉类别变动者", "without those who changed class")
