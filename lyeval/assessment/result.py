"""A county's year, assessed: targets, enterprises, and everything else that is computed from them on demand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment.dossier import Dossier, dossier
from lyeval.assessment.enterprises import enterprises
from lyeval.assessment.flows import doors, flows
from lyeval.assessment.frame import Frame
from lyeval.assessment.gaps import could_turn, exempting, gaps, name_of
from lyeval.assessment.lookups import find_firm, open_cases
from lyeval.assessment.needs import office_of
from lyeval.assessment.standing import Standing
from lyeval.assessment.targets import Doubt, Inputs, Outcome, targets_of
from lyeval.assessment.totals import decide_target
from lyeval.indicators import STATISTICS, book, year_end
from lyeval.ledger import Ledger
from lyeval.policy import Policy, PolicyError, choose, load_policy, unknown
from lyeval.told import of_kind, whole

REASONS = {
    "empty_class": ("本类没有企业，不涉及", "no firm in this class"),
    "no_quota": (
        "文件只给全市数，缺本地应承担的任务数",
        "the plan gives a city total; the county's share is not known",
    ),
    "missing_facts": ("缺少事实", "facts are missing"),
}


@dataclass(frozen=True, eq=False)
class Assessment:
    """A county's or city's year under a plan.

    Attributes
    ----------
    ledger, policy
        What was assessed, and the plan with its readings applied.
    year, level, readings
        Evaluation year; county or city; every switch with the option in force.
    frame
        The year laid out (facts, classes, scope, criteria).
    outcomes
        Each target decided.
    """

    ledger: Ledger
    policy: Policy
    year: int
    level: str
    readings: dict[str, str]
    frame: Frame
    outcomes: tuple[Outcome, ...]
    inputs: Inputs

    @cached_property
    def targets(self) -> pd.DataFrame:
        """One row per target of the year: id, label, value, goal, op, gap, needed, short_by, low, high, status, n, unit, reason, clause …."""
        rows = [target_row(o, self.year) for o in self.outcomes]
        for row, outcome in zip(rows, self.outcomes, strict=True):
            row["turns_on"] = [str(self.frame.book.codes[i]) for i in outcome.turns_on]
        return pd.DataFrame(rows, columns=TARGET_COLUMNS)

    @cached_property
    def standing(self) -> Standing:
        """Where each enterprise stands at the end of the year, or as of the day that the assessment knows."""
        return Standing(self.frame, self.day)

    @property
    def day(self) -> np.datetime64:
        """31 December of the year, or the earlier day as of which the assessment was made."""
        return year_end(self.year) if self.frame.on is None else self.frame.on

    @lru_cache(maxsize=8)  # noqa: B019 - a standing per day asked for, as long as its assessment
    def standing_on(self, day: object = None) -> Standing:
        """Return the standing as of another day of the year, by default its own."""
        return self.standing if day is None else Standing(self.frame, np.datetime64(str(day)[:10], "D"))

    @cached_property
    def enterprises(self) -> pd.DataFrame:
        """One row per enterprise, sorted by credit code; columns as in `lyeval.assessment.enterprises`."""
        return enterprises(self.standing)

    @cached_property
    def plan(self) -> pd.DataFrame:
        """The disposals in progress at the year's end, to edit and hand to `simulate` (`lookups.open_cases`)."""
        return open_cases(self.frame.book, self.year)

    @cached_property
    def flows(self) -> pd.DataFrame:
        """Stock of low-efficiency enterprises by class: opening + newly identified − by outcome − left scope = closing."""
        return flows(self.standing)

    @cached_property
    def doors(self) -> pd.DataFrame:
        """By which door those who were below the line reached it: more tax, less land, class, 10 亩, exit, land-use tax."""
        return doors(self.standing)

    @cached_property
    def grades(self) -> pd.DataFrame:
        """Classes A–D by score where the plan has them: credit_code, score, grade."""
        return self.frame.grades

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """What is missing, from whom, and which verdicts it touches: fact, label, department, n, targets."""
        return gaps(self.frame, self.outcomes)

    def could_turn(self, turned_by: Mapping[str, list[str]] | None = None) -> pd.DataFrame:
        """Say what could turn each target: missing facts, absent columns, and the readings that are known to turn it."""
        return could_turn(self.frame, self.outcomes, turned_by)

    def dossier(self, credit_code: str, *, on: date | None = None) -> Dossier:
        """Return one enterprise's dossier (一企一档), its days counted from ``on`` (the year's end).

        Raises
        ------
        KeyError
            No such enterprise in the ledger.
        """
        return dossier(self.standing, self.enterprises, find_firm(self.ledger, credit_code), on=on)

    def tidy(self) -> pd.DataFrame:
        """Return the targets with units in the headings."""
        return self.targets.drop(columns=["turns_on"]).rename(columns={"value": "value (unit)", "goal": "goal (unit)"})

    def to_dict(self) -> dict[str, Any]:
        """Return targets and enterprises as plain data, ready for JSON; what is unknown is None."""
        keys = [
            "id",
            "value",
            "goal",
            "op",
            "gap",
            "needed",
            "short_by",
            "low",
            "high",
            "status",
            "n",
            "unit",
            "reason",
            "clause",
        ]
        targets = [{k: _plain(row[k]) for k in keys} for row in self.targets.to_dict("records")]
        return {
            "policy": self.policy.id,
            "year": self.year,
            "reading": dict(self.readings),
            "targets": targets,
            "enterprises": [_enterprise(row) for row in self.enterprises.to_dict("records")],
        }

    def __repr__(self) -> str:
        """Return policy, year, level and the targets' statuses."""
        told = ", ".join(f"{o.target.id}={o.status}" for o in self.outcomes) or "no targets this year"
        return f"Assessment({self.policy.id}, {self.year}, {self.level}: {told}; {len(self.frame.book)} firms)"

    def _repr_html_(self) -> str:
        shown = self.targets[["label", "value", "goal", "unit", "status", "reason", "clause"]]
        return str(shown.to_html(index=False, na_rep="—"))


TARGET_COLUMNS = [
    "id",
    "label",
    "label_en",
    "year",
    "class",
    "value",
    "goal",
    "op",
    "gap",
    "needed",
    "short_by",
    "low",
    "high",
    "status",
    "n",
    "unit",
    "thing",
    "reason",
    "reason_zh",
    "reason_en",
    "clause",
    "force",
    "turns_on",
]
ENTERPRISE_KEYS = ["in_scope", "excluded_by", "identified"]
TAIL_KEYS = ["tax_per_mu", "land_mu", "closed", "gone", "tax_needed_wan"]


def _enterprise(row: dict[Any, Any]) -> dict[str, Any]:
    criteria = {str(k).removeprefix("criterion_"): _plain(v) for k, v in row.items() if str(k).startswith("criterion_")}
    head = {k: _plain(row[k]) for k in ["credit_code", "class", *ENTERPRISE_KEYS]}
    return head | {"criteria": criteria} | {k: _plain(row[k]) for k in TAIL_KEYS}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.item() if hasattr(value, "item") else value


THINGS = {"share": {"count": "家", "land": "亩"}, "count": {"count": "家"}, "mean": {"land": "万元"}}


def target_row(outcome: Outcome, year: int) -> dict[str, Any]:
    """Lay out a decided target as a row of the table of targets."""
    t, b = outcome.target, outcome.bounded
    stat = STATISTICS[t.statistic]
    gap = None if b.value is None or outcome.goal is None else b.value - outcome.goal
    zh, en = reason_words(outcome.reason, year) if outcome.doubt is None else _doubt_words(outcome.doubt)
    return {
        "id": t.id,
        "label": t.label,
        "label_en": t.label_en,
        "year": year,
        "class": t.class_,
        "value": b.value,
        "goal": outcome.goal,
        "op": t.op,
        "gap": gap,
        "needed": outcome.needed,
        "short_by": outcome.short_by,
        "low": b.low,
        "high": b.high if b.high is None or math.isfinite(b.high) else None,
        "status": outcome.status,
        "n": b.n,
        "unit": t.unit or stat.unit,
        "thing": THINGS.get(stat.kind, {}).get(stat.weight, t.unit or stat.unit),
        "reason": outcome.reason,
        "reason_zh": zh,
        "reason_en": en,
        "clause": "；".join(t.cite),
        "force": t.force,
    }


def reason_words(reason: str | None, year: int) -> tuple[str, str]:
    """Say a reason in Chinese and English, naming facts, numbers and department: 缺3户2023年税收（税务部门），补齐即可判定."""
    if reason is None:
        return "", ""
    code, _, rest = reason.partition(": ")
    if not rest:
        return REASONS[code]
    zh: list[str] = []
    en: list[str] = []
    for part in rest.split(", "):
        name, _, n = part.partition("×")
        label, office = name_of(name), office_of(name)
        sheet = name in ("disposals", "blocks")
        if exempting(name):
            zh.append(f"台账没有“{label[0]}”一列，若有企业属此情形判定可能不同，须确认{n}户（{office[0]}）")
            en.append(
                f"no column '{label[1]}': firms that fall under it could turn the verdict, {n} to confirm ({office[1]})"
            )
            continue
        zh.append(f"缺{label[0]}（{office[0]}）" if sheet else f"缺{n}户{year}年{label[0]}（{office[0]}）")
        en.append(f"{label[1]} missing ({office[1]})" if sheet else f"{year} {label[1]} of {n} missing ({office[1]})")
    return "、".join(zh) + "，补齐即可判定", "; ".join(en)


def _doubt_words(doubt: Doubt) -> tuple[str, str]:
    """Say that a verdict stands on exemptions of which a column is there and wholly blank, and whom to confirm."""
    told = [(*name_of(name), n, *office_of(name)) for name, n in doubt.missing.items()]
    zh = [
        f"“{label}”一列全空，按均不属此情形判定；若有企业属此情形判定可能不同，须确认{n}户（{office}）"
        for label, _, n, office, _ in told
    ]
    en = [
        f"column '{label}' is wholly blank and taken as no: firms that fall under it could turn the verdict, {n} to confirm ({office})"
        for _, label, n, _, office in told
    ]
    return "；".join(zh), "; ".join(en)


def assess(
    ledger: Ledger,
    policy: Policy | str | PathLike[str],
    year: int,
    *,
    level: str = "county",
    quotas: Mapping[str, float] | None = None,
    facts: Mapping[str, float] | None = None,
    readings: Mapping[str, str] | None = None,
) -> Assessment:
    """Assess a county's year (年度评估) under a plan.

    Parameters
    ----------
    ledger
        The county's ledger, or a city's merged from any number of counties.
    policy
        A plan, its id or its file.
    year
        An identification or target year of the plan; in a year without targets the list alone is drawn up.
    level
        ``county`` takes shares of city totals from ``quotas``; ``city`` takes the document's totals.
    quotas, facts
        The county's share of a city total by target id; other facts that the plan asks the county for.
    readings
        Options of the doubtful clauses that are not to be read by default.

    Raises
    ------
    PolicyError
        A year that the plan does not govern, or an unknown level, quota, fact or reading.

    Examples
    --------
    >>> now = ly.assess(ledger, "zhoushan-2020", year=2020)
    >>> now.targets.set_index("id")["status"].to_dict()["below_scale_reach"]
    'missed'
    >>> ly.assess(ledger, policy, year=2020, quotas={"closures": 4}).targets["status"].tolist()[2]
    'met'
    """
    of_kind("ledger", ledger, Ledger)
    whole("year", year)
    policy = load_policy(policy) if isinstance(policy, str | PathLike) else policy
    quotable = [t.id for t in policy.targets if t.quota == "city_total"]
    faults = [*_faults(quotas, "quota", quotable), *_faults(facts, "fact", list(policy.inputs))]
    governed = policy.years.governed
    if year not in governed:
        listed = "、".join(map(str, governed))
        faults.append(
            f"{policy.id}: {year} 年不在文件适用年度内，可用 {listed} / the plan governs {listed}, not {year}"
        )
    if level not in ("county", "city"):
        faults.append(f"level / 层级: {unknown(level, 'level', ['county', 'city'])}")
    try:
        chosen, in_force = choose(policy, readings)
    except PolicyError as error:
        raise PolicyError("\n".join([str(error), *faults])) from None
    if faults:
        raise PolicyError("\n".join(faults))
    inputs = Inputs(level, _numbers(quotas), _numbers(facts))
    return assess_frame(ledger, chosen, year, year, in_force, inputs)


def assess_frame(
    ledger: Ledger,
    policy: Policy,
    year: int,
    facts_year: int,
    readings: dict[str, str],
    inputs: Inputs,
    on: np.datetime64 | None = None,
) -> Assessment:
    """Assess a year of a plan already read, on facts up to ``facts_year``, as of a day (31 December by default)."""
    frame = Frame(policy, book(ledger), year, facts_year, inputs.facts.get("plan_days"), on)
    due = targets_of(policy, year) if year in policy.years.targets else []
    outcomes = tuple(decide_target(t, frame, inputs) for t in due)
    return Assessment(ledger, policy, year, inputs.level, readings, frame, outcomes, inputs)


def _faults(values: Mapping[str, Any] | None, kind: str, known: list[str]) -> list[str]:
    """Tell every unknown name and every value that is no number of at least 0."""
    told: list[str] = []
    for key, value in (values or {}).items():
        if key not in known:
            told.append(f"{kind}: {unknown(key, kind, known)}")
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
            told.append(f"{kind} {key}: {value!r} 须为不小于0的数 / must be a number of at least 0")
    return told


def _numbers(values: Mapping[str, float] | None) -> dict[str, float]:
    return {key: float(value) for key, value in (values or {}).items()}
