"""Kinds of assumed figures: each with its unit, source in both languages, mark, and the values that it may take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from lyeval.policy.loading import Frozen

Mark = Literal["assumed", "estimated", "measured"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Weight = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Months = Annotated[float, Field(gt=0, le=240, allow_inf_nan=False)]
LogPoints = Annotated[float, Field(ge=-3, le=3, allow_inf_nan=False)]
Spread = Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)]


class Figure(Frozen):
    """A figure's provenance: unit (each kind takes its own alone), source in both languages, mark, and how far it may be off."""

    unit: str
    source: str = Field(min_length=1)
    source_en: str = Field(min_length=1)
    mark: Mark
    range: tuple[float, float] | None = None

    @property
    def unit_en(self) -> str:
        """Return the unit in English."""
        return UNITS_EN[self.unit]

    def numbers(self) -> dict[str, float | tuple[float, ...]]:
        """Return the figure's own numbers by name (``a``, ``b``; ``mean``, ``sd``; ``value`` …)."""
        return {name: value for name, value in self if name not in Figure.model_fields}


class Proportion(Figure):
    """A share in [0, 1]."""

    unit: Literal["占标准", "占原水平"]
    value: Share


class Shares(Figure):
    """Several shares in [0, 1], ascending."""

    unit: Literal["占带内企业"]
    values: tuple[Share, ...] = Field(min_length=1)

    @field_validator("values")
    @classmethod
    def _ascending(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if list(values) != sorted(set(values)):
            raise ValueError(f"{list(values)} is not ascending / 须由小到大且不重复")
        return values


class Beta(Figure):
    """A share known as Beta(a, b): mean a / (a + b), worth a + b cases."""

    unit: Literal["概率", "占该企业用地"]
    a: Weight
    b: Weight

    @property
    def mean(self) -> float:
        """Return a / (a + b)."""
        return self.a / (self.a + self.b)


class Normal(Figure):
    """A change in log points known as Normal(mean, sd)."""

    unit: Literal["对数"]
    mean: LogPoints
    sd: Spread


class Duration(Figure):
    """Months from start to finish: mean and standard deviation."""

    unit: Literal["月"]
    mean: Months
    spread: Annotated[float, Field(ge=0, le=120, allow_inf_nan=False)]


class Amount(Figure):
    """A figure of money per land, not negative."""

    unit: Literal["万元/亩"]
    value: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]


class Days(Figure):
    """A whole number of days."""

    unit: Literal["天"]
    value: int = Field(ge=1, le=365)


class Scale(Figure):
    """A standard deviation in log points."""

    unit: Literal["对数"]
    value: Annotated[float, Field(gt=0, le=3, allow_inf_nan=False)]


class Level(Figure):
    """A shift in log points."""

    unit: Literal["对数"]
    value: LogPoints


class Factor(Figure):
    """A multiple of what is arranged, not negative."""

    unit: Literal["倍"]
    value: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class Degrees(Figure):
    """Degrees of freedom of a Student t; above 2, so that its variance is finite."""

    unit: Literal["自由度"]
    value: Annotated[float, Field(gt=2, le=1_000, allow_inf_nan=False)]


class Catch(Figure):
    """A share of a gap, in [0, 1]."""

    unit: Literal["占差距"]
    value: Share


class Span(Figure):
    """A number of months, above 0."""

    unit: Literal["月"]
    value: Months


UNITS_EN = {
    "占标准": "of the line",
    "占原水平": "of the former level",
    "占带内企业": "of the firms in the band",
    "占该企业用地": "of the firm's land",
    "占差距": "of the gap",
    "概率": "probability",
    "倍": "times",
    "对数": "log points",
    "月": "months",
    "万元/亩": "10,000 yuan per mu",
    "天": "days",
    "自由度": "degrees of freedom",
}
