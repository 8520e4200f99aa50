"""Two plans side by side (政策对照), read off their fields: thresholds, units, scope, horizon, sanctions, physical targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from lyeval.indicators import FACTS, STATISTICS, Fact
from lyeval.policy.model import Condition, Policy, Target
from lyeval.told import unit_text


def compare_policies(*plans: Policy, lang: str = "zh") -> pd.DataFrame:
    """Set any number of plans side by side.

    Returns
    -------
    DataFrame
        One row an aspect: aspect, then one column per plan (its id) in words, then ``clauses_<id>`` with the clauses; "—"
        where a plan says nothing.
    """
    ids = [p.id for p in plans]
    names = [p if ids.index(p) == i else f"{p} ({ids[: i + 1].count(p)})" for i, p in enumerate(ids)]
    rows: list[tuple[Any, ...]] = []
    for name, say in ASPECTS.items():
        told = [say(policy, lang) for policy in plans]
        if any(text for text, _ in told):
            rows.append((name[lang == "en"], *(text or "—" for text, _ in told), *("；".join(c) for _, c in told)))
    return pd.DataFrame(rows, columns=["aspect", *names, *(f"clauses_{n}" for n in names)])


def say_aspect(policy: Policy, aspect: str, lang: str) -> tuple[str, str, tuple[str, ...]]:
    """Return an aspect's name, what a plan says of it, and the clauses; the aspect is given by its English name."""
    name, say = next((name, say) for name, say in ASPECTS.items() if name[1] == aspect)
    return name[lang == "en"], *say(policy, lang)


def describe_policy(policy: Policy, *, lang: str = "zh") -> pd.DataFrame:
    """Put a plan in words.

    Returns
    -------
    DataFrame
        One row an aspect that the plan speaks of: aspect, text, clauses.
    """
    rows = [(name[lang == "en"], *say(policy, lang)) for name, say in ASPECTS.items()]
    kept = [(name, text, "；".join(cites)) for name, text, cites in rows if text]
    return pd.DataFrame(kept, columns=["aspect", "text", "clauses"])


Said = tuple[str, tuple[str, ...]]


def _document(policy: Policy, lang: str) -> Said:
    return f"{policy.document.number} {policy.title}" if lang == "zh" else policy.title_en, policy.document.cite


def _horizon(policy: Policy, lang: str) -> Said:
    lists, targets = _years(policy.years.identification), _years(policy.years.targets)
    text = f"名单 {lists}；目标 {targets}" if lang == "zh" else f"lists {lists}; targets {targets}"
    return text, policy.years.cite


def _years(years: tuple[int, ...]) -> str:
    listed = sorted(years)
    whole = len(listed) > 1 and listed == list(range(listed[0], listed[-1] + 1))
    return f"{listed[0]}–{listed[-1]}" if whole else "、".join(map(str, listed))


def _scope(policy: Policy, lang: str) -> Said:
    when = policy.scope.when
    everyone = "台账全部企业" if lang == "zh" else "every firm in the ledger"
    return (everyone if when is None else describe(when, lang, policy.fact)), policy.scope.cite


def _exclusions(policy: Policy, lang: str) -> Said:
    names = [x.label if lang == "zh" else x.label_en for x in policy.exclusions]
    return _joined(names, lang), _cites(policy.exclusions)


def _criteria(policy: Policy, lang: str) -> Said:
    found = policy.identification.criteria
    return _joined([c.label if lang == "zh" else c.label_en for c in found], lang), _cites(found)


def _lines(name: str) -> Callable[[Policy, str], Said]:
    """Return the path of the line that a class is identified by."""

    def say(policy: Policy, lang: str) -> Said:
        lines = getattr(policy.identification.lines, name)
        return _line(dict(sorted(lines.items())), lang), policy.identification.cite

    return say


def _targets(name: str) -> Callable[[Policy, str], Said]:
    """Return the targets set on tax per mu for a class: line and goal by year."""

    def say(policy: Policy, lang: str) -> Said:
        found = [t for t in policy.targets if t.class_ == name and _on_line(t)]
        return "\n".join(_target(t, lang) for t in found), _cites(found)

    return say


def _on_line(target: Target) -> bool:
    return STATISTICS[target.statistic].kind in ("share", "count", "mean")


def _target(target: Target, lang: str) -> str:
    """Write a target with its line and goal, year by year: ``低于标准线家数 ≤ 0（2023 线1 → 2024 线2）``."""
    stat = STATISTICS[target.statistic]
    unit = target.unit or stat.unit
    goals = {y: d.value for y, d in sorted(target.years.items()) if d.value is not None}
    lines = {y: d.threshold for y, d in sorted(target.years.items()) if d.threshold is not None}
    plain = {y: _goal(v, stat.kind, unit_text(unit, lang) if lang == "zh" else "") for y, v in goals.items()}
    said = _line(goals, lang) if stat.kind == "mean" else _path(plain, "", lang)
    if lang == "zh":
        text = f"{stat.label} {SIGNS[target.op]} {said}" + (f"；线 {_line(lines, lang)}" if lines else "")
        return text + ("（力争）" if target.force == "aspirational" else "")
    bound = "" if goals and set(goals.values()) == {0} else {"ge": "at least ", "le": "at most "}[target.op]
    text = f"{stat.label_en}: {bound}{said}" + (f", line {_line(lines, lang)}" if lines else "")
    return text + (" (aspiration)" if target.force == "aspirational" else "")


def _goal(value: float, kind: str, unit: str) -> str:
    return f"{value:.0%}" if kind == "share" else f"{value:,g} {unit}".strip()


def _line(values: dict[int, float], lang: str) -> str:
    """Write a line of tax per mu by year: 万元/亩, in English RMB per mu."""
    if lang == "zh":
        return _path({y: f"{v:g}" for y, v in values.items()}, "万元/亩", lang)
    told = _path({y: f"{v * 1e4:,.0f}" for y, v in values.items()}, "", lang)
    return f"RMB {told} per mu" if told else ""


def _path(values: dict[int, str], unit: str, lang: str) -> str:
    """Write dated values: one alone where they are equal, else year by year."""
    distinct = list(dict.fromkeys(values.values()))
    if len(distinct) < 2:
        return f"{''.join(distinct)} {unit}".strip()
    dated = "{year}: {value}" if lang == "zh" else "{value} ({year})"
    steps = [dated.format(year=year, value=value) for year, value in values.items()]
    return " → ".join(steps) + (f" {unit}" if unit else "")


def _unit(policy: Policy, lang: str) -> Said:
    """Tell in what the target below designated size is counted: firms or land."""
    found = [t for t in policy.targets if t.class_ == "below" and _on_line(t)]
    words = {"count": ("按企业家数", "number of firms"), "land": ("按用地面积", "land")}
    sides = {
        "below": ("低于线的一侧", "counting those below the line"),
        "at_or_above": ("达到线的一侧", "counting those at or above the line"),
    }
    said = [
        (", " if lang == "en" else "，").join(
            (words[STATISTICS[t.statistic].weight][lang == "en"], sides[STATISTICS[t.statistic].side][lang == "en"])
        )
        for t in found
    ]
    return "\n".join(said), _cites(found)


def _physical(policy: Policy, lang: str) -> Said:
    """Return the targets in things: closures, demolition, blocks."""
    found = [t for t in policy.targets if not _on_line(t)]
    said: list[str] = []
    for target in found:
        label = target.label if lang == "zh" else target.label_en
        unit = target.unit or STATISTICS[target.statistic].unit
        goals = {y: d.value for y, d in sorted(target.years.items()) if d.value is not None}
        told = _path(
            {y: f"{v:,g} {unit}" if lang == "zh" or unit == "m²" else f"{v:,g}" for y, v in goals.items()}, "", lang
        )
        joint = ": " if lang == "en" and told else " "
        said.append(f"{label}{joint}{told}".strip() + (_city(lang) if target.quota == "city_total" else ""))
    return "\n".join(said), _cites(found)


def _city(lang: str) -> str:
    return "（全市数）" if lang == "zh" else " (city total)"


def _methods(policy: Policy, lang: str) -> Said:
    return _joined([m.label if lang == "zh" else m.label_en for m in policy.methods], lang), _cites(policy.methods)


def _sanctions(policy: Policy, lang: str) -> Said:
    """Return what follows for those who miss, with the effects."""
    found = [c for c in policy.consequences if c.trigger in ("missed", "priority", "refused")]
    said: list[str] = []
    for item in found:
        effects = [e.label if lang == "zh" else e.label_en for e in item.effects]
        said.append(f"{item.label}：{'；'.join(effects)}" if lang == "zh" else f"{item.label_en}: {'; '.join(effects)}")
    return "\n".join(said), _cites(found)


def _supervision(policy: Policy, lang: str) -> Said:
    found = [c for c in policy.consequences if c.trigger in ("behind", "reached")]
    return "\n".join(c.label if lang == "zh" else c.label_en for c in found), _cites(found)


def _procedure(policy: Policy, lang: str) -> Said:
    days = {"calendar": ("天", "days"), "working": ("个工作日", "working days")}
    said: list[str] = []
    for step in policy.steps:
        label = step.label if lang == "zh" else step.label_en
        within = (
            f"（{step.days}{days[step.day_kind][0]}）" if lang == "zh" else f" ({step.days} {days[step.day_kind][1]})"
        )
        said.append(label + (within if step.days else ""))
    return " → ".join(said), _cites(policy.steps)


def _land(policy: Policy, lang: str) -> Said:
    words = {
        "as_reported": ("台账填报的土地总面积", "as reported"),
        "walled_else_approved": (
            "围墙内面积，无围墙的按批准面积",
            "within the wall, or as approved where there is none",
        ),
    }
    return words[policy.land.rule][lang == "en"], policy.land.cite


def _doubts(policy: Policy, lang: str) -> Said:
    n = len(policy.readings)
    return (f"{n} 处" if lang == "zh" else f"{n} clauses"), ()


def _joined(names: list[str], lang: str) -> str:
    return ("、" if lang == "zh" else ", ").join(names)


def _cites(items: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(cite for item in items for cite in item.cite))


def describe(condition: Condition, lang: str = "zh", fact: Callable[[str], Fact] = FACTS.__getitem__) -> str:
    """Write a condition in words: 规上，或 土地总面积 ≥ 10 亩; ``fact`` knows a plan's own facts (`Policy.fact`)."""
    inner = condition.all or condition.any
    if inner is not None:
        joint = {"zh": ("，且 ", "，或 "), "en": (" and ", " or ")}[lang][condition.all is None]
        return joint.join(_part(condition, c, lang, fact) for c in inner)
    if condition.not_ is not None:
        inside = describe(condition.not_, lang, fact)
        return f"非（{inside}）" if lang == "zh" else f"not ({inside})"
    known = fact(str(condition.fact))
    name = known.label(lang)
    if isinstance(condition.value, bool):
        yes = condition.value == (condition.op == "eq")
        return name if yes else ("非" if lang == "zh" else "not ") + name
    other = fact(condition.than).label(lang) if condition.than else _value(condition.value, known.unit, lang)
    if condition.times is not None:
        other = {"zh": f"{other}的{condition.times:g}倍", "en": f"{condition.times:g} × {other}"}[lang]
    return f"{name} {SIGNS[str(condition.op)]} {other}"


def _part(whole: Condition, part: Condition, lang: str, fact: Callable[[str], Fact]) -> str:
    """Write one of several joined tests; another joint inside is bracketed, so that two rules never read alike."""
    said = describe(part, lang, fact)
    mixed = (part.all or part.any) is not None and (part.all is None) != (whole.all is None)
    return (f"（{said}）" if lang == "zh" else f"({said})") if mixed else said


def _value(value: object, unit: str, lang: str) -> str:
    """Write a condition's value with the unit of its fact; in English 万元 as RMB."""
    if isinstance(value, tuple):
        return ("、" if lang == "zh" else ", ").join(map(str, value)) + (f" {unit_text(unit, lang)}" if unit else "")
    if lang == "en" and unit.startswith("万元") and isinstance(value, int | float):
        return f"RMB {value * 1e4:,.0f}" + (" per mu" if unit == "万元/亩" else "")
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text} {unit_text(unit, lang)}" if unit else text


SIGNS = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥", "eq": "=", "ne": "≠", "in": "∈"}
ASPECTS: dict[tuple[str, str], Callable[[Policy, str], Said]] = {
    ("文件", "document"): _document,
    ("年限", "horizon"): _horizon,
    ("适用范围下限", "scope"): _scope,
    ("除外", "exclusions"): _exclusions,
    ("认定标准", "criteria"): _criteria,
    ("用地口径", "land"): _land,
    ("规上认定线", "line, firms above designated size"): _lines("above"),
    ("规下认定线", "line, firms below designated size"): _lines("below"),
    ("规上目标", "target, firms above designated size"): _targets("above"),
    ("规下目标", "target, firms below designated size"): _targets("below"),
    ("规下目标的计量", "unit of the target, firms below designated size"): _unit,
    ("总体目标", "overall target"): _targets("any"),
    ("实物目标", "physical targets"): _physical,
    ("处置方式", "methods"): _methods,
    ("程序", "procedure"): _procedure,
    ("惩戒", "sanctions"): _sanctions,
    ("激励与督促", "incentives and supervision"): _supervision,
    ("存疑条款", "doubtful clauses"): _doubts,
}
