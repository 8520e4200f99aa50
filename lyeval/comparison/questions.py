"""The list of questions, fixed before any is answered (设定清单), and what each means in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lyeval.comparison.designs import Case
from lyeval.effect import Words


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
    zh, en = OUTCOMES.get(one.outcome, ("", ""))
    line, first, base = f"{case.line:g}", case.first_year, case.base_year
    values: dict[str, Any] = {"line": line, "first": first, "base": base, "list": case.list_year}
    if "@" in one.id:
        year, name, at = target_of(one, case)
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
