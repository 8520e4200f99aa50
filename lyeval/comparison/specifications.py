"""The list of specifications, fixed before any is run (设定清单), and how each is estimated on a county."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from lyeval.comparison.designs import Case
from lyeval.effect import (
    Check,
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
)  # fmt: skip
from lyeval.effect.result import normal, number

ON_LINE = 1e-9
UNIT = {"unit": "credit_code", "time": "year"}


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
    return replace(found, estimand=words, checks=(*found.checks, *_more(one, case, found)))


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
    year, name, line = _target(one, case)
    frame = case.frame[(case.frame["year"] == year) | (case.frame["year"] < case.first_year)]
    frame = frame[_of_class(frame, name)].assign(before=lambda t: (t["year"] < case.first_year).astype(float))
    others = [other for other in (4.0, 5.0) if other > line]
    if not frame["before"].any():
        raise EffectError("没有公布以前的年份 / no year from before the announcement")
    return bunching(frame, score="tax_per_mu", threshold=line, before="before", lines=others, unit="credit_code")


def _density(one: Specification, case: Case) -> Effect:
    if one.outcome == "score":
        return density(case.year(case.base_year, case.frame), score="shortfall", cutoff=ON_LINE * case.line)
    year, name, line = _target(one, case)
    frame = case.year(year)
    return density(frame[_of_class(frame, name)], score="tax_per_mu", cutoff=line)


def _of_class(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame["first_class"].eq(name) if name else pd.Series(True, index=frame.index)


def _target(one: Specification, case: Case) -> tuple[int, str, float]:
    """Return year, class and line of a target; class "" where both classes have one line."""
    year, name = int(one.id.split("@")[1][:4]), one.id.split("@")[1][5:]
    return year, name, dict(case.targets[year])[name or "above"]


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


def _more(one: Specification, case: Case, found: Effect) -> tuple[Check, ...]:
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
    from lyeval.effect.frames import columns
    from lyeval.effect.jumps import Design, jump

    data = columns(case.year(case.first_year), ["shortfall", outcome])
    design = Design(data["shortfall"], data[outcome][:, None], ON_LINE * case.line, None, False)
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


def estimand(one: Specification, case: Case) -> Words:
    """Say in words what a specification asks of this county."""
    zh, en = OUTCOMES.get(one.outcome, ("", ""))
    line, first, base = f"{case.line:g}", case.first_year, case.base_year
    values: dict[str, Any] = {"line": line, "first": first, "base": base, "list": case.list_year}
    if "@" in one.id:
        year, name, at = _target(one, case)
        group = CLASSES[name]
        values |= {"year": year, "at": f"{at:g}", "group": group[0], "group_en": group[1]}
    values |= {"outcome": zh.format(line=line), "outcome_en": en.format(line=line)}
    key = one.id.split("@")[0] if one.id.split("@")[0] in ESTIMANDS else one.design
    made = ESTIMANDS[key]
    return Words(made[0].format(**values), made[1].format(**values))


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
OUTCOMES = {
    "reach": ("达到 {line} 万元/亩的比例", "share at or above {line} (10k yuan/mu)"),
    "level": ("亩均税收（两端各缩尾1%，万元/亩）", "tax per mu (winsorised at 1 %, 10k yuan/mu)"),
    "log": ("亩均税收的对数", "log tax per mu"),
}
CLASSES = {"": ("", ""), "above": ("规上", "above-scale "), "below": ("规下", "below-scale ")}
ESTIMANDS = {
    "rdd": (
        "{base} 年亩均税收低于 {line} 万元/亩（列入 {list} 年首份名单，按意向处理）对 {first} 年{outcome}的影响，限于线附近，为一揽子措施",
        "effect of standing below {line} in {base} (the first list, {list}; intention to treat) on {outcome_en} in {first}, near the "
        "line; a bundle of measures",
    ),
    "did": (
        "列入首份名单者与线附近未列入者相比，{first} 年起{outcome}的变动（假定其余走势平行）",
        "change in {outcome_en} from {first} on, those on the first list against others near the line, had trends been parallel",
    ),
    "poisson": (
        "列入首份名单者与线附近未列入者相比，{first} 年起税收的比例变动（以用地为暴露量，对数点）",
        "proportional change of tax per land from {first} on, first list against others near the line, log points",
    ),
    "event_study": (
        "自列入名单起对{outcome}的平均影响，对照为从未列入者（其始终在线上，本身即有选择）",
        "average effect on {outcome_en} since listing, against those never listed (who stayed above, a selection in itself)",
    ),
    "forecast_gap": (
        "{first} 年起首份名单内{outcome}超出无政策预测的部分，减去线附近未列入者的同一差额",
        "{outcome_en} of the first list over its no-policy forecast from {first} on, less the same of others near the line",
    ),
    "timing": (
        "目标年起首份名单内十一、十二月税收占全年比重的变动，减去线附近未列入者的同一变动",
        "change since the first target year in the share of tax paid in November and December, first list less others near the line",
    ),
    "bunching": (
        "{year} 年{group}在公布的目标线 {at} 万元/亩处较公布以前多出的聚集（以一格的平滑户数为 1）",
        "excess of {group_en}firms at the announced line {at} in {year} over what it was before, in one bin's smooth count",
    ),
    "density_target": (
        "{year} 年{group}在公布的目标线 {at} 万元/亩处线上与线下密度之比的对数",
        "log ratio of the density of {group_en}firms just above the announced line {at} in {year} to that just below",
    ),
    "density_score": (
        "首份名单所据 {base} 年亩均税收在线 {line} 处密度之比的对数（线当时未公布，应连续）",
        "log ratio of densities of the {base} score at the first list's line {line} (not known then: should be continuous)",
    ),
    "synthetic": (
        "本县亩均税收 {first} 年起与其他县加权组合之差",
        "tax per mu of this county from {first} on, less a weighted mix of others",
    ),
    "rd_target": ("公布的目标线处的断点回归", "a regression discontinuity at an announced target"),
    "not_yet": ("以尚未列入者为对照的事件研究", "an event study with controls that are listed later"),
    "before_after": ("只看名单内企业的前后比较", "a before/after of the listed alone"),
}
GROUPS = {"township": ("镇街", "township"), "industry": ("行业大类", "industry")}
EXITS = ("退出者按税收为零计", "those who left counted at zero tax")
RATED = ("按名单所据用地计算", "on the land rated for the list")
FROZEN = ("去掉类别变动者", "without those who changed class")
