"""A county's plan as data: the one description of the form of ``parameters/policies/<id>.yaml``."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, Literal, cast

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from lyeval import resources
from lyeval.indicators import FACTS, STATISTICS, Fact
from lyeval.policy.bounds import DAY_OF_YEAR, Days, Id, MethodName, StatisticName, Year, once
from lyeval.policy.derived import Cite, Condition, Derived, naming, told
from lyeval.policy.loading import Frozen, unknown
from lyeval.policy.scores import Score

Class = Literal["above", "below", "any"]


class Place(Frozen):
    """Where the plan holds."""

    code: str
    name: str
    name_en: str
    level: Literal["county", "city"]


class Document(Frozen):
    """The paper that says it."""

    number: str
    issuer: str
    issued: date
    cite: Cite = ()


class Years(Frozen):
    """The years that the plan governs: lists are drawn up in ``identification``, targets are due in ``targets``."""

    identification: tuple[Year, ...]
    targets: tuple[Year, ...]
    cite: Cite = ()

    @property
    def governed(self) -> list[int]:
        """All of them, in order."""
        return sorted({*self.identification, *self.targets})


class Coefficient(Frozen):
    """How much of a tax item and flow counts (−1, 0, 0.5, 1); ``*`` is every item or flow not named."""

    item: str = "*"
    flow: str = "*"
    coefficient: float


class Tax(Frozen):
    """The numerator of tax per mu, 万元.

    Attributes
    ----------
    source
        ``reported`` takes ``annual.tax_wan``; ``items`` sums ``tax_items`` by the coefficients.
    coefficients
        With ``items``, what counts; with ``reported``, what is added to the reported figure.
    year
        Which year's tax a target year is judged by.
    extra_land_use_tax
        Whether a land-use tax charged as a penalty counts as tax paid.
    idle_blank
        What a blank tax of a plant stopped through the year, never in production or late in completion is: unknown, or zero (late:
        a year after the contract's date and without an excuse, or from that date: zero_from_contract).
    """

    source: Literal["reported", "items"] = "reported"
    coefficients: tuple[Coefficient, ...] = ()
    year: Literal["target_year", "previous_year", "year_to_date"] = "target_year"
    through_month: int = Field(default=11, ge=1, le=12)
    attribution: Literal["enterprise", "parcel"] = "enterprise"
    extra_land_use_tax: Literal["counted", "left_out"] = "counted"
    idle_blank: Literal["zero", "zero_from_contract", "unknown"] = "unknown"
    cite: Cite = ()


class Land(Frozen):
    """The denominator of tax per mu, 亩: as reported, or inside the wall and else as approved."""

    rule: Literal["as_reported", "walled_else_approved"] = "as_reported"
    cite: Cite = ()


class Classes(Frozen):
    """规上 and 规下: in which year's list the class is looked up, and the classes' names."""

    at: Literal["evaluation", "identification"]
    above: str
    above_en: str
    below: str
    below_en: str
    cite: Cite = ()


class Scope(Frozen):
    """Who falls under the plan; without ``when``, every enterprise of the ledger."""

    when: Condition | None = None
    cite: Cite = ()


class Exclusion(Frozen):
    """Who is left out although in scope.

    ``at`` tells the day that a protection must reach: ``facts`` (31 December of the facts' year), ``any`` (any day of the
    evaluation year) or a month and day of the evaluation year, ``06-30``.
    """

    id: str
    label: str
    label_en: str
    when: Condition | None = None
    protected: bool = False
    at: str = Field(default="facts", pattern=DAY_OF_YEAR)
    applies_to: tuple[Literal["identification", "targets"], ...]
    cite: Cite


class Criterion(Frozen):
    """One ground on which an enterprise is low-efficiency (认定标准)."""

    id: str
    label: str
    label_en: str
    angle: Literal["land", "contract", "tax", "other"]
    when: Condition
    cite: Cite


class Lines(Frozen):
    """The line by which a class is identified, 万元/亩, by the year of identification (the latest named year holds on)."""

    above: dict[Year, float] = {}
    below: dict[Year, float] = {}


class Identification(Frozen):
    """How a list is drawn up: on the facts of the year before; any criterion makes an enterprise low-efficiency."""

    lines: Lines = Lines()
    criteria: tuple[Criterion, ...] = ()
    cite: Cite = ()


class Dated(Frozen):
    """A target in one year: the line (万元/亩) and the value to reach."""

    threshold: float | None = None
    value: float | None = None


class Baseline(Frozen):
    """What the document says of the start."""

    value: float
    year: Year


class Target(Frozen):
    """What is to be reached: a statistic over a class, by an operator, in dated values."""

    id: str
    label: str
    label_en: str
    class_: Class = Field(alias="class")
    cohort: Literal[
        "all", "identified", "identified_not_eliminated", "ever_identified", "first_list", "current_list", "whole_class"
    ] = "all"
    exited: Literal["drop", "fail", "pass", "land_stays"] = "drop"
    edge: Literal["reaches", "below"] = "reaches"
    statistic: StatisticName
    op: Literal["ge", "le"]
    unit: str = ""
    force: Literal["binding", "aspirational"] = "binding"
    quota: Literal["none", "city_total"] = "none"
    split: Literal["input", "by_listed"] = "input"
    outcomes: tuple[str, ...] = ()
    only_scattered: bool = False
    baseline: Baseline | None = None
    years: dict[Year, Dated]
    cite: Cite

    @model_validator(mode="after")
    def _a_share_is_within_one(self) -> Target:
        if STATISTICS[self.statistic].kind == "share":
            for year, dated in self.years.items():
                if dated.value is not None and not 0 <= dated.value <= 1:
                    told = f"years.{year}: a share of {dated.value:g} is not within 0 and 1 (20 % is 0.2)"
                    raise ValueError(f"{told} / 占比应在 0 与 1 之间（20% 写 0.2），不能填 {dated.value:g}")
        return self

    def nearest(self, year: int) -> dict[str, Any]:
        """Return the values of the dated year nearest to ``year``, of two as near the earlier's, as a patch takes them."""
        return self.years[min(self.years, key=lambda dated: (abs(dated - year), dated))].model_dump()


class Action(Frozen):
    """One way of carrying out a method."""

    id: str
    label: str
    when: Condition | None = None
    cite: Cite


class Lead(Frozen):
    """Who leads, and when (where it hangs on a fact)."""

    when: Condition | None = None
    label: str


class Method(Frozen):
    """A disposal method (处置方式): its words in the ledger, preconditions, what it obliges to after approval, papers, lead office."""

    id: str
    method: MethodName
    label: str
    label_en: str
    words: tuple[str, ...] = ()
    when: Condition | None = None
    owes: Condition | None = None
    focus: Condition | None = None
    actions: tuple[Action, ...] = ()
    papers: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    leads: tuple[Lead, ...] = ()
    agreement: tuple[str, ...] = ()
    on_failure: str | None = None
    cite: Cite


class Effect(Frozen):
    """What a consequence does."""

    kind: Literal[
        "grade", "withdraw_support", "pressure", "published", "differential_supply", "land_use_tax", "inspection",
        "removal", "easier_subsidy", "summons",
    ]  # fmt: skip
    label: str
    label_en: str
    rate_yuan_m2: float | None = None
    when: Condition | None = None
    cite: Cite = ()


class Consequence(Frozen):
    """What follows for whom: ``missed`` (below the line of a target year), ``reached``, ``priority`` (重点), ``refused``; or
    ``condition``: of all who are in scope and here, those for whom ``when`` holds.
    """

    id: str
    label: str
    label_en: str
    trigger: Literal["missed", "reached", "priority", "refused", "behind", "condition"]
    class_: Class = Field(default="any", alias="class")
    when: Condition | None = None
    year_offset: int = Field(default=0, ge=-20, le=20)
    effects: tuple[Effect, ...] = ()
    cite: Cite


class Step(Frozen):
    """A step of the procedure that the ledger's dates are held against."""

    id: str
    label: str
    label_en: str
    after: str | None = None
    days: Days | None = None
    day_kind: Literal["calendar", "working"] = "calendar"
    cite: Cite


class Option(Frozen):
    """One way to read a clause: its name, the patch it makes and why; ``needs`` names what the ledger must hold to test it."""

    id: str
    label: str = ""
    label_en: str = ""
    why: str
    why_en: str
    set: dict[str, Any] = {}
    needs: tuple[str, ...] = ()


class Reading(Frozen):
    """A doubtful clause as a named switch."""

    id: str
    kind: Literal["vague", "silent", "contradiction", "open_norm", "missing_document", "boundary"]
    question: str
    question_en: str
    default: str
    options: tuple[Option, ...] = Field(min_length=1)
    cite: Cite

    @model_validator(mode="after")
    def _default_is_an_option(self) -> Reading:
        ids = [o.id for o in self.options]
        if self.default not in ids:
            raise ValueError(unknown(self.default, "option", ids))
        return self


class Minimum(Frozen):
    """The county's minimum standards of an industry (行业最低约定标准): intensity, building density, plot ratio; of the code's first digits."""

    industry: str
    investment_intensity: float | None = None
    building_density: float | None = None
    plot_ratio: float | None = None
    cite: Cite = ()


class Policy(Frozen):
    """A county's plan: what the document says, and the doubtful clauses as switches."""

    lyeval: Literal[1]
    id: Id
    title: str
    title_en: str
    place: Place
    document: Document
    years: Years
    tax: Tax = Tax()
    land: Land = Land()
    classes: Classes
    scope: Scope = Scope()
    exclusions: tuple[Exclusion, ...] = ()
    identification: Identification = Identification()
    targets: tuple[Target, ...] = ()
    methods: tuple[Method, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    steps: tuple[Step, ...] = ()
    scores: tuple[Score, ...] = ()
    inputs: dict[str, str] = {}
    facts: dict[str, Derived] = {}
    minimums: tuple[Minimum, ...] = ()
    readings: tuple[Reading, ...] = ()
    _data: dict[str, Any] = PrivateAttr(default_factory=dict)
    _plan: Any = PrivateAttr(default=None)
    _own: dict[str, Fact] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _with_its_own_facts(cls, data: Any, handler: ModelWrapValidatorHandler[Policy]) -> Policy:
        said: Any = _as_now(cast("dict[str, Any]", data)) if isinstance(data, dict) else data
        with naming(said.get("facts") if isinstance(data, dict) else None):
            plan = handler(said)
        plan._own = told(plan.facts)
        return plan

    @model_validator(mode="after")
    def _ids_once(self) -> Policy:
        for name in ("exclusions", "targets", "methods", "consequences", "steps", "scores", "readings"):
            once([x.id for x in getattr(self, name)], name)
        once([c.id for c in self.identification.criteria], "identification.criteria")
        if not (self.identification.criteria or self.targets or self.scores):
            raise ValueError(
                "neither criteria, targets nor scores / identification.criteria、targets、scores 至少要有一项"
            )
        for reading in self.readings:
            once([o.id for o in reading.options], f"readings.{reading.id}")
        for method in self.methods:
            once([a.id for a in method.actions], f"methods.{method.id}")
        return self

    def fact(self, name: str) -> Fact:
        """Return what is known of a fact by its name, the ledger's or the plan's own (KeyError if there is none)."""
        return FACTS[name] if name in FACTS else self._own[name]

    def target(self, id: str) -> Target:
        """Return a target by its id (KeyError if there is none)."""
        return next(t for t in self.targets if t.id == id)

    def reading(self, id: str) -> Reading:
        """Return a switch by its id."""
        return next(r for r in self.readings if r.id == id)

    def class_label(self, name: str, lang: str = "zh") -> str:
        """Return the name of a class in words."""
        return getattr(self.classes, name if lang == "zh" else f"{name}_en", "") or {"zh": "全部", "en": "all"}[lang]


def _as_now(data: dict[str, Any]) -> dict[str, Any]:
    """Return a plan's data in today's keys: texts among ``facts`` are ``inputs``, ``grades`` by fixed measures is a score."""
    facts, rule = _mapping(data.get("facts")), _mapping(data.get("grades"))
    told = {name: value for name, value in facts.items() if isinstance(value, str)}
    if told:
        rest = {name: value for name, value in facts.items() if name not in told}
        data = {**data, "inputs": told | _mapping(data.get("inputs")), "facts": rest}
    items = [_mapping(item) for item in rule.get("items") or ()] if rule and "scores" not in data else []
    if items:
        named = {str(item.get("measure")) for item in items} & set(MEASURES)
        pairs = {name: MEASURES[name] for name in sorted(named)}
        own = {name: {"label": m[0], "label_en": m[1], "ratio": list(m[2:])} for name, m in pairs.items()}
        kept = [{("fact" if key == "measure" else key): value for key, value in item.items()} for item in items]
        score = {"id": "grades", "label": "综合评价", "label_en": "composite score", "items": kept}
        score |= {"grades": {"by": "share", "cuts": rule.get("shares")}, "cite": rule.get("cite", ())}
        data = {key: value for key, value in data.items() if key != "grades"}
        data |= {"facts": own | _mapping(data.get("facts")), "scores": [score]}
    return data


def _mapping(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


MEASURES = {
    "revenue_per_mu": ("亩均销售收入", "revenue per mu", "revenue_wan", "land_mu"),
    "output_per_mu": ("亩均产值", "output per mu", "output_wan", "land_mu"),
    "output_per_employee": ("人均产值", "output per employee", "output_wan", "employees"),
    "profit_per_mu": ("亩均利润", "profit per mu", "profit_wan", "land_mu"),
    "tax_per_kwh": ("单位电耗税收", "tax per power used", "tax_wan", "power_wankwh"),
    "output_per_kwh": ("单位电耗产值", "output per power used", "output_wan", "power_wankwh"),
    "revenue_per_employee": ("人均销售收入", "revenue per employee", "revenue_wan", "employees"),
}


def schema_text() -> str:
    """Return the schema of ``parameters/policies/<id>.yaml`` as JSON text, made from the one model."""
    schema = Policy.model_json_schema(by_alias=True)
    return (
        json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, ensure_ascii=False, indent=1)
        + "\n"
    )


def write_schema() -> None:
    """Write the schema where the policy files name it."""
    path = resources.path(SCHEMA)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(schema_text(), encoding="utf-8", newline="\n")


SCHEMA = "parameters/schema/policy.schema.json"
