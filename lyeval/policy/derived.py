"""What a plan's conditions say of facts: tests of them, and facts of the plan's own that are made of others (方案自定义的事实)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from pydantic import Field, model_validator

from lyeval.indicators import FACTS, Fact
from lyeval.policy.bounds import OWN_FACTS, FactName
from lyeval.policy.loading import Frozen

Op = Literal["lt", "le", "gt", "ge", "eq", "ne", "in"]
Cite = tuple[str, ...]
PAIRS = {"tax_per_mu": ("tax_wan", "land_mu")}  # facts that are one fact over another, besides a plan's own
FORMS: dict[str, tuple[tuple[str, ...], Callable[[object], bool], str]] = {
    "number": (("lt", "le", "gt", "ge", "eq", "ne"), lambda value: isinstance(value, float), "是数"),
    "flag": (("eq", "ne"), lambda value: isinstance(value, bool), "是是非项，填 true 或 false"),
    "text": (("eq", "ne", "in"), lambda value: isinstance(value, str | tuple), "是文字"),
}
TAKES = {  # what is taken over years or over a group, by the kind of the fact that it is taken of
    ("years", "number"): ("mean", "sum", "min", "max"),
    ("years", "flag"): ("all", "any", "count"),
    ("running", "flag"): ("running",),
    ("within", "number"): ("ratio", "mean", "median", "quantile"),
}


class Condition(Frozen):
    """A test of facts: ``fact / op / value | than (times)``, or several joined by ``all``, ``any``, ``not`` (three-valued)."""

    fact: FactName | None = None
    op: Op | None = None
    value: bool | float | str | tuple[str, ...] | None = None
    than: FactName | None = None
    times: float | None = Field(default=None, gt=0)
    all: tuple[Condition, ...] | None = Field(default=None, min_length=1)
    any: tuple[Condition, ...] | None = Field(default=None, min_length=1)
    not_: Condition | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _one_form(self) -> Condition:
        forms = [self.fact, self.all, self.any, self.not_]
        if sum(f is not None for f in forms) != 1:
            raise ValueError("needs exactly one of fact, all, any, not / 须且只须有 fact、all、any、not 之一")
        if self.fact is None:
            return self
        if self.op is None or (self.value is None) == (self.than is None):
            raise ValueError("a fact needs op and one of value, than / fact 须有 op，以及 value、than 之一")
        kind = kind_of(self.fact)
        ops, fits, needs = FORMS[kind]
        if self.op not in ops:
            raise ValueError(f"{self.fact} is a {kind}: op is one of {', '.join(ops)} / op 只能填 {'、'.join(ops)}")
        if self.than is not None and not kind == kind_of(self.than) == "number":
            raise ValueError(f"{self.fact}, than {self.than}: both must be numbers / 两者须都是数")
        if self.than is None and not fits(self.value):
            raise ValueError(
                f"{self.fact} is a {kind}, {self.value!r} does not fit / {self.fact} {needs}，不能填 {self.value!r}"
            )
        if self.times is not None and self.than is None:
            raise ValueError("times goes with than / times 只与 than 同用")
        return self


class Derived(Frozen):
    """A fact of the plan's own: one fact over another, or one fact over years, in a row, a year ago or within a group.

    Attributes
    ----------
    of, ratio
        The fact or condition that it is made of; or a numerator and a denominator.
    lag
        Years before the facts' year.
    years, take, least
        The window up to that year and what is taken over it; a hole makes the result unknown unless ``least`` years are known. ``running``
        counts the years in a row; a hole beyond ``least`` years does not matter.
    within, quantile
        The group over whose known members ``take`` is taken: ``ratio`` is Σ numerator / Σ denominator.
    """

    label: str
    label_en: str
    unit: str = ""
    of: FactName | Condition | None = None
    ratio: tuple[FactName, FactName] | None = None
    lag: int = Field(default=0, ge=0, le=20)
    years: int | None = Field(default=None, ge=1, le=20)
    take: (
        Literal["mean", "sum", "min", "max", "all", "any", "count", "running", "ratio", "median", "quantile"] | None
    ) = None
    least: int | None = Field(default=None, ge=1, le=20)
    within: Literal["county", "township", "park", "industry", "industry_2", "class"] | None = None
    quantile: float | None = Field(default=None, ge=0, le=1)
    cite: Cite = ()

    @model_validator(mode="after")
    def _one_form(self) -> Derived:
        if (self.of is None) == (self.ratio is None):
            raise ValueError("needs one of of, ratio / 须有 of、ratio 之一")
        over = "running" if self.take == "running" else "years" if self.years else "within" if self.within else ""
        if self.ratio is not None:
            if over or self.take or any(kind_of(name) != "number" for name in self.ratio):
                raise ValueError("ratio is of two numbers, without take / ratio 由两个数相除，不与 take 同用")
            return self
        kind = "flag" if isinstance(self.of, Condition) else kind_of(str(self.of))
        allowed = TAKES.get((over, kind), ()) if over else ()
        if (over and self.take not in allowed) or (not over and self.take):
            told = ", ".join(allowed) or "none", "、".join(allowed) or "不填"
            raise ValueError(f"take of a {kind} over {over or 'one year'}: {told[0]} / take 只能填：{told[1]}")
        if sum((self.years is not None, self.take == "running", self.within is not None)) > 1:
            raise ValueError("one of years, running, within at a time / years、running、within 一次只用一个")
        if (self.take == "quantile") != (self.quantile is not None):
            raise ValueError("quantile goes with take: quantile / quantile 与 take: quantile 同用")
        if self.least is not None and (not over or over == "within" or self.least > (self.years or self.least)):
            raise ValueError("least goes with years or running, and is no more than years / least 不大于 years")
        if self.take == "ratio" and self.of not in PAIRS and OWN_FACTS.get().get(str(self.of)) != "ratio":
            raise ValueError(f"{self.of} is no ratio of two facts / {self.of} 不是两个事实之比")
        return self

    def reads(self) -> list[str]:
        """Return the facts that it is made of, in its order."""
        if self.ratio is not None:
            return list(self.ratio)
        return facts_of(self.of) if isinstance(self.of, Condition) else [str(self.of)]


def facts_of(condition: Condition) -> list[str]:
    """Return the facts that a condition reads, in its order."""
    inner = [*(condition.all or ()), *(condition.any or ()), *([condition.not_] if condition.not_ else [])]
    own = [n for n in (condition.fact, condition.than) if n]
    return own + [n for c in inner for n in facts_of(c)]


def reads_of(conditions: Iterable[Condition]) -> list[str]:
    """Return the facts that several conditions read, in their order."""
    return [name for condition in conditions for name in facts_of(condition)]


def kind_of(name: str) -> str:
    """Return whether a fact, the ledger's or of the plan that is being read, is a number, a flag or a text."""
    kind = FACTS[name].kind if name in FACTS else OWN_FACTS.get()[name]
    return "number" if kind == "ratio" else kind


@contextmanager
def naming(facts: object) -> Iterator[None]:
    """Make the plan's own facts known, with their kinds, while its file is read."""
    raw: Mapping[str, Any] = facts if isinstance(facts, Mapping) else {}
    own = {
        str(name): _kind(rule, raw, frozenset({str(name)}))
        for name, rule in raw.items()
        if isinstance(rule, Mapping | Derived)
    }
    token = OWN_FACTS.set(own)
    try:
        yield
    finally:
        OWN_FACTS.reset(token)


def _kind(rule: Any, raw: Mapping[str, Any], seen: frozenset[str]) -> str:
    said: Mapping[str, Any] = rule.model_dump() if isinstance(rule, Derived) else rule
    of, take = said.get("of"), said.get("take")
    if said.get("ratio"):
        return "ratio"
    if take in ("all", "any"):
        return "flag"
    if take:
        return "number"
    if isinstance(of, Mapping):
        return "flag"
    if of in FACTS:
        return FACTS[str(of)].kind
    inner = str(of)
    return _kind(raw[inner], raw, seen | {inner}) if inner not in seen and raw.get(inner) else "number"


def told(rules: Mapping[str, Derived]) -> dict[str, Fact]:
    """Return what is known of the plan's own facts, by name.

    Raises
    ------
    ValueError
        One is made of itself, or stands in the place of a fact of the ledger.
    """
    taken = sorted(set(rules) & set(FACTS))
    if taken:
        raise ValueError(f"facts.{taken[0]}: is a fact of the ledger already / 是台账已有的事实，请另取名")
    with naming(rules):
        return {
            name: Fact(
                name, kind_of(name), rule.unit, rule.label, rule.label_en, _columns(name, rules, (name,)), "years"
            )
            for name, rule in rules.items()
        }


def _columns(name: str, rules: Mapping[str, Derived], path: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ledger columns that a fact is read from in the end."""
    found: list[str] = []
    for inner in rules[name].reads():
        if inner in path:
            raise ValueError(f"facts.{inner}: made of itself: {' → '.join((*path, inner))} / 由自身得出")
        found += FACTS[inner].columns if inner in FACTS else _columns(inner, rules, (*path, inner))
    group = rules[name].within
    found += {"industry": ["industry_code"], "industry_2": ["industry_code"], "class": ["above_scale"]}.get(
        group or "", [group] if group and group != "county" else []
    )
    return tuple(dict.fromkeys(found))
