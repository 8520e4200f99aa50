"""How a plan rates enterprises: scores of weighted facts, points, and grades cut from them (综合评价)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from lyeval.policy.bounds import FactName, Id
from lyeval.policy.derived import Cite, Condition, kind_of, reads_of
from lyeval.policy.loading import Frozen

Missing = Literal["unrated", "zero", "group_mean"]
Grade = str


class Item(Frozen):
    """A fact in a score.

    Attributes
    ----------
    weight
        Its part of the score; the weights of a score add to 1 or to 100.
    base, times
        What it is held against in a score of ratios: a number or a fact, times a number.
    cap, floor
        The most and the least that value / base counts.
    missing
        What a firm without it is, where the score's own rule does not hold.
    """

    fact: FactName
    weight: float = Field(gt=0)
    base: float | FactName | None = None
    times: float = Field(default=1.0, gt=0)
    cap: float | None = None
    floor: float | None = None
    missing: Missing | None = None

    @model_validator(mode="after")
    def _numbers(self) -> Item:
        for name in (self.fact, *([self.base] if isinstance(self.base, str) else [])):
            if kind_of(name) != "number":
                raise ValueError(f"{name} is a {kind_of(name)}, no number / {name} 不是数，不能计分")
        if isinstance(self.base, float) and self.base <= 0:
            raise ValueError("base must be above 0 / base 须大于 0")
        if self.cap is not None and self.floor is not None and self.cap < self.floor:
            raise ValueError("cap is below floor / cap 小于 floor")
        return self


class Points(Frozen):
    """What is added to a score, or taken from it, for whom (加减分)."""

    label: str
    label_en: str
    when: Condition
    add: float


class Aside(Frozen):
    """A grade apart: whoever meets the condition is not ranked."""

    label: str = ""
    label_en: str = ""
    when: Condition


class Override(Frozen):
    """A grade that a firm is held to: no better than, no worse than, whatever its score."""

    when: Condition
    at_best: Grade | None = None
    at_worst: Grade | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Override:
        if (self.at_best is None) == (self.at_worst is None):
            raise ValueError("needs one of at_best, at_worst / 须有 at_best、at_worst 之一")
        return self


class GradeRule(Frozen):
    """How grades are cut from a score.

    Attributes
    ----------
    by, cuts
        ``share``: each grade's share of the firms rated, best first, together 1; ``score``: the least score of each grade, best first.
    within
        The group that is ranked by itself.
    """

    by: Literal["share", "score"]
    cuts: dict[Grade, float] = Field(min_length=2)
    within: Literal["class", "industry", "industry_2", "township", "park"] | None = None
    aside: dict[Grade, Aside] = {}
    overrides: tuple[Override, ...] = ()

    @model_validator(mode="after")
    def _closes(self) -> GradeRule:
        cuts = list(self.cuts.values())
        if self.by == "share" and abs(sum(cuts) - 1) > 1e-9:
            raise ValueError(f"cuts: they add to {sum(cuts):g}, not 1 / 各等级占比合计 {sum(cuts):g}，应为 1")
        if self.by == "score" and cuts != sorted(cuts, reverse=True):
            raise ValueError("cuts: scores fall from the best grade on / 各等级起分须由高到低")
        for override in self.overrides:
            grade = override.at_best or override.at_worst
            if grade not in self.cuts:
                raise ValueError(f"overrides: no grade {grade!r} / 没有“{grade}”这个等级，有 {'、'.join(self.cuts)}")
        both = sorted(set(self.aside) & set(self.cuts))
        if both:
            raise ValueError(f"aside: {both[0]} is cut by score too / {both[0]} 已按得分划分")
        return self


class Score(Frozen):
    """One formula, for one class of enterprises or a group that a condition names.

    Attributes
    ----------
    form
        ``ratio``: Σ weight × value / base; ``minmax``: each value between the lowest and the highest of the firms rated, from ``low`` to
        ``high``; ``rank``: each value's place among them, 0 to 100.
    """

    id: Id
    label: str
    label_en: str
    class_: Literal["above", "below", "any"] = Field(default="any", alias="class")
    when: Condition | None = None
    form: Literal["ratio", "minmax", "rank"] = "ratio"
    low: float = 0.0
    high: float = 100.0
    items: tuple[Item, ...] = Field(min_length=1)
    missing: Missing = "unrated"
    points: tuple[Points, ...] = ()
    grades: GradeRule
    cite: Cite = ()

    @model_validator(mode="after")
    def _adds_up(self) -> Score:
        total = sum(item.weight for item in self.items)
        if min(abs(total - 1), abs(total - 100)) > 1e-6:
            raise ValueError(f"weights add to {total:g}, not 1 or 100 / 权重合计 {total:g}，应为 1 或 100")
        if self.form == "ratio":
            bare = [item.fact for item in self.items if item.base is None]
            if bare:
                raise ValueError(f"{bare[0]}: a score of ratios needs a base / 按比值计分须有 base")
        elif any(item.base is not None for item in self.items):
            raise ValueError(f"base goes with form: ratio / base 只用于 form: ratio，不用于 {self.form}")
        if self.high <= self.low:
            raise ValueError("high is not above low / high 须大于 low")
        if "grade" in self.reads():
            raise ValueError("a score is not made of the grade / 得分不能由等级得出")
        return self

    def reads(self) -> list[str]:
        """Return the facts that the score and its grades are made of, in their order."""
        conditions = [p.when for p in self.points] + [o.when for o in self.grades.overrides]
        conditions += [a.when for a in self.grades.aside.values()] + ([self.when] if self.when else [])
        return [f for i in self.items for f in (i.fact, i.base) if isinstance(f, str)] + reads_of(conditions)
