"""What is assumed (假设), apart from what a document says: how methods work out, how tax moves, figures left open.

Every figure carries its unit, its source in both languages and a mark: assumed, estimated or measured. The files are in
``parameters/assumptions``: ``methods.yaml`` holds the disposal methods, and ``default.yaml`` the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, Field, field_validator, model_validator

from lyeval import resources
from lyeval.policy.loading import Frozen, PolicyError, display, load_yaml, unknown, validate
from lyeval.told import units

Mark = Literal["assumed", "estimated", "measured"]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Weight = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
Months = Annotated[float, Field(gt=0, le=240, allow_inf_nan=False)]
LogPoints = Annotated[float, Field(ge=-3, le=3, allow_inf_nan=False)]
Unit = TypeVar("Unit", bound=str)
Number = TypeVar("Number")


class Figure(Frozen, Generic[Unit]):
    """A figure's provenance: unit (each kind takes its own alone), source in both languages, mark, and how far it may be off."""

    unit: Unit
    source: str = Field(min_length=1)
    source_en: str = Field(min_length=1)
    mark: Mark
    range: tuple[float, float] | None = None

    @property
    def unit_en(self) -> str:
        """Return the unit in English."""
        return units()[self.unit]

    def numbers(self) -> dict[str, float | tuple[float, ...]]:
        """Return the figure's own numbers by name (``a``, ``b``; ``mean``, ``sd``; ``value`` …)."""
        return {name: value for name, value in self if name not in Figure.model_fields}


class Value(Figure[Unit], Generic[Unit, Number]):
    """A figure that is one number."""

    value: Number


class Shares(Figure[Literal["占带内企业"]]):
    """Several shares in [0, 1], ascending."""

    values: tuple[Share, ...] = Field(min_length=1)

    @field_validator("values")
    @classmethod
    def _ascending(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if list(values) != sorted(set(values)):
            raise ValueError(f"{list(values)} is not ascending / 须由小到大且不重复")
        return values


class Beta(Figure[Literal["概率", "占该企业用地"]]):
    """A share known as Beta(a, b): mean a / (a + b), worth a + b cases."""

    a: Weight
    b: Weight

    @property
    def mean(self) -> float:
        """Return a / (a + b)."""
        return self.a / (self.a + self.b)


class Normal(Figure[Literal["对数"]]):
    """A change in log points known as Normal(mean, sd)."""

    mean: LogPoints
    sd: Annotated[float, Field(ge=0, le=3, allow_inf_nan=False)]


class Duration(Figure[Literal["月"]]):
    """Months from start to finish: mean and standard deviation."""

    mean: Months
    spread: Annotated[float, Field(ge=0, le=120, allow_inf_nan=False)]


Proportion = Value[Literal["占标准", "占原水平"], Share]
Catch = Value[Literal["占差距"], Share]
Span = Value[Literal["月"], Months]
Level = Value[Literal["对数"], LogPoints]
Scale = Value[Literal["对数"], Annotated[float, Field(gt=0, le=3, allow_inf_nan=False)]]
Amount = Value[Literal["万元/亩"], Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]]
Days = Value[Literal["天"], Annotated[int, Field(ge=1, le=365)]]
Factor = Value[Literal["倍"], Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]]
Degrees = Value[Literal["自由度"], Annotated[float, Field(gt=2, le=1_000, allow_inf_nan=False)]]
"""Degrees of freedom of a Student t: above 2, so that its variance is finite."""


class MethodAssumption(Frozen):
    """What a disposal method (处置方式) is assumed to bring about.

    Attributes
    ----------
    words, finished
        How ledgers write it, the first as lyeval writes it; the outcome that a bare 完成 of it means.
    land, occupant, owner
        What becomes of the land, of who uses it and of who holds it, once the method is done.
    payer
        Who bears ``cost``.
    success
        Chance of being done within the year of its term.
    duration
        Months from start to end, done or given up.
    log_tax
        Change of log tax against the projection; None: nobody is left to pay.
    land_share
        Share of the enterprise's land that leaves; only with ``land: share_leaves``.
    cost
        万元 per 亩 of the land concerned.
    catch_up
        Where a successor (承接企业) is known and pays more per 亩: share of the gap that the site closes in a full year.
    ramp_up
        Months until who takes over land that leaves pays as much on it as on its own.
    """

    id: str = Field(pattern=r"^[a-z][a-z_]*$")
    label: str = Field(min_length=1)
    label_en: str = Field(min_length=1)
    words: tuple[str, ...] = Field(default=(), description="台账里的写法，首个是规范写法 / how ledgers write it")
    finished: str = "达标"
    land: Literal["keeps", "share_leaves", "whole_leaves"]
    occupant: Literal["same", "successor", "none"]
    owner: Literal["same", "changes", "state"]
    payer: Literal["enterprise", "government"]
    success: Beta
    duration: Duration
    log_tax: Normal | None = None
    land_share: Beta | None = None
    cost: Amount
    catch_up: Catch | None = None
    ramp_up: Span | None = None

    @model_validator(mode="after")
    def _consistent(self) -> MethodAssumption:
        if (self.land == "share_leaves") != (self.land_share is not None):
            raise ValueError("land_share belongs to land: share_leaves / land_share 与 share_leaves 须同有同无")
        if (self.occupant == "none") != (self.log_tax is None):
            raise ValueError("log_tax is absent only where occupant is none / 仅在无使用人时不填 log_tax")
        if self.catch_up and self.occupant != "successor":
            raise ValueError("catch_up belongs to occupant: successor / catch_up 只用于有承接企业的方式")
        if self.ramp_up and self.land_share is None:
            raise ValueError("ramp_up belongs to land: share_leaves / ramp_up 只用于部分土地退出的方式")
        if self.land == "whole_leaves" and self.occupant != "none":
            raise ValueError("whole_leaves leaves no occupant / 土地整体退出则无使用人")
        return self


class CommonShock(Frozen):
    """The county's common shock of a year: Student t with scale ``sd`` (log points) and ``df``.

    With a share r of the year to come the scale is ``sd`` × r², but no less than ``late`` × √r. ``mean``: a known shift of demand,
    in full over the first projected year.
    """

    sd: Scale
    df: Degrees
    late: Scale
    mean: Level | None = None


class Response(Frozen):
    """Firms just below a line may top up: those within ``band`` of it, at each of the ``scenarios``' shares."""

    band: Proportion
    scenarios: Shares


class _Methods(Frozen):
    methods: tuple[MethodAssumption, ...] = Field(min_length=1)

    @field_validator("methods")
    @classmethod
    def _once(cls, methods: tuple[MethodAssumption, ...]) -> tuple[MethodAssumption, ...]:
        ids = [m.id for m in methods]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)}: more than once / 重复")
        return methods


class _Outlook(Frozen):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    title: str = Field(min_length=1)
    title_en: str = Field(min_length=1)
    methods: str = Field(min_length=1)
    common_shock: CommonShock
    own_spread: Scale
    response: Response
    near_line: Proportion
    plan_deadline: Days
    clearly_higher: Proportion
    effort: Factor | None = None
    funds: Factor | None = None


class Row(NamedTuple):
    """One assumed figure as a table shows it; ``path`` is its place in the file."""

    path: str
    numbers: str
    unit: str
    unit_en: str
    source: str
    source_en: str
    mark: str


class Assumptions(Frozen):
    """All that is assumed in a run.

    Attributes
    ----------
    methods
        By disposal method, in the file's order.
    common_shock, own_spread
        Prior of a year's common shock, and of one firm's yearly change of log tax.
    response, near_line
        Firms near a line: how far below they may top up, and who is told as near, both as a share of the line.
    plan_deadline
        Days to hand in a disposal plan where the document gives none.
    clearly_higher
        Rise that counts as 明显高于 where the document gives no figure, as a share of the former level.
    effort, funds
        Pace of all disposals, and of those that need money for 收储, as multiples of what is arranged; None: 1.
    """

    id: str
    title: str
    title_en: str
    methods: tuple[MethodAssumption, ...]
    common_shock: CommonShock
    own_spread: Scale
    response: Response
    near_line: Proportion
    plan_deadline: Days
    clearly_higher: Proportion
    effort: Factor | None = None
    funds: Factor | None = None

    def method(self, name: str) -> MethodAssumption:
        """Return what is assumed of a method.

        Raises
        ------
        PolicyError
            No such method; the nearest is named.
        """
        found = next((m for m in self.methods if m.id == name), None)
        if found is None:
            raise PolicyError(f"assumptions {self.id} / 假设: {unknown(name, 'method', [m.id for m in self.methods])}")
        return found

    def rows(self) -> list[Row]:
        """Return every figure with unit, source and mark, in the files' order."""
        return list(_rows("", self))


def assumption_ids() -> list[str]:
    """Return the ids of the shipped assumptions, sorted."""
    return sorted(p.stem for p in _folder().glob("*.yaml") if p.stem != METHODS)


def load_assumptions(name: str | PathLike[str] = "default") -> Assumptions:
    """Load assumptions by id or path.

    Parameters
    ----------
    name
        ``default``, or the path of a YAML file in the same form. Its ``methods`` names the file of the methods: one
        beside it, or a shipped one.

    Raises
    ------
    PolicyError
        Every fault with file, line, path, value and rule.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        if str(name) not in assumption_ids():
            raise PolicyError(f"assumptions / 假设: {unknown(str(name), 'set of assumptions', assumption_ids())}")
        path = _folder() / f"{name}.yaml"
    outlook = _load(_Outlook, path)
    beside = path.parent / f"{outlook.methods.removesuffix('.yaml')}.yaml"
    shipped = _folder() / beside.name
    if not beside.is_file() and not shipped.is_file():
        known = sorted(p.stem for p in path.parent.glob("*.yaml") if p != path)
        raise PolicyError(f"{display(path)}: methods: {unknown(outlook.methods, 'file of methods', known)}")
    methods = load_methods(beside if beside.is_file() else shipped)
    fields = {f: getattr(outlook, f) for f in _Outlook.model_fields}
    return Assumptions(**{**fields, "methods": methods})


def load_methods(path: str | PathLike[str] | None = None) -> tuple[MethodAssumption, ...]:
    """Load the disposal methods, by default those of ``parameters/assumptions/methods.yaml``.

    Raises
    ------
    PolicyError
        Every fault with file, line, path, value and rule.
    """
    return _load(_Methods, Path(path)).methods if path else _shipped_methods()


@cache
def _shipped_methods() -> tuple[MethodAssumption, ...]:
    return _load(_Methods, _folder() / f"{METHODS}.yaml").methods


def _folder() -> Path:
    return resources.path("parameters/assumptions")


def _load(model: type[Any], path: Path) -> Any:
    data, lines = load_yaml(path)
    if not isinstance(data, dict):
        raise PolicyError(f"{display(path)}:1: not a file of assumptions / 不是假设文件")
    return validate(model, data, lines, path)


def _rows(where: str, node: Any) -> Iterator[Row]:
    if isinstance(node, Figure):
        numbers = ", ".join(
            f"{k} {_short(v)}" if len(node.numbers()) > 1 else _short(v) for k, v in node.numbers().items()
        )
        numbers += f"（{node.range[0]:g}–{node.range[1]:g}）" if node.range else ""
        yield Row(where, numbers, node.unit, node.unit_en, node.source, node.source_en, node.mark)
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _rows(f"{where}.{name}" if where else name, getattr(node, name))
    elif isinstance(node, tuple):
        for item in node:
            yield from _rows(f"{where}.{item.id}", item) if isinstance(item, MethodAssumption) else ()


def _short(value: float | tuple[float, ...]) -> str:
    return " · ".join(f"{v:g}" for v in value) if isinstance(value, tuple) else f"{value:g}"


METHODS = "methods"
