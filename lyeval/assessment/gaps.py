"""Data gaps: what is missing, from whom, and which verdicts wait for it or were reached without it (数据缺口)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from lyeval.assessment.frame import Frame, exclusion_columns
from lyeval.assessment.needs import office_of
from lyeval.assessment.targets import Doubt, Outcome
from lyeval.indicators import CONTROLS, FACTS, LOCATIONS, STATISTICS, text_fact
from lyeval.ledger.columns import of_sheet
from lyeval.policy import facts_of

FACT_NAMES = {
    "tax_wan": ("税收", "tax"),
    "land_mu": ("用地面积", "land"),
    "above_scale": ("规上标识", "size class"),
    "finished": ("处置完成日期", "date of completion"),
    "demolished_on": ("拆除日期", "date of demolition"),
    "disposals": ("处置台账", "disposals sheet"),
    "blocks": ("区块台账", "blocks sheet"),
    "identified": ("认定所需事实", "facts needed for listing"),
    "city_listed": ("全市名单家数", "number listed in the city"),
    "quota": ("本地应承担的任务数", "the county's share of the city total"),
    "industry_minimum": (
        "行业最低约定标准（合同未约定控制指标）",
        "minimum standards by industry (no figure in the contract)",
    ),
    "location": (
        "区位（认不出，土地使用税税率未定）",
        "location (not recognised, so the land-use tax rate is unknown)",
    ),
    "walled": ("围墙内面积（暂用批准面积）", "area inside the wall (approved area used instead)"),
}
Gap = tuple[str, int, str]
TURNS = [
    "target",
    "kind",
    "what",
    "label",
    "label_en",
    "department",
    "department_en",
    "n",
    "credit_codes",
    "low",
    "high",
]


def could_turn(
    frame: Frame, outcomes: Iterable[Outcome], turned_by: Mapping[str, list[str]] | None = None
) -> pd.DataFrame:
    """Say what could turn each target: the one answer to whether a verdict hangs on what is not known.

    Parameters
    ----------
    turned_by
        The switches that alone can change a target's verdict, by target (``Readings.targets``).

    Returns
    -------
    DataFrame
        target, kind (missing_fact; absent_column: an exemption that the ledger has no column of; blank_column: one whose column is wholly blank
        and taken as no; reading), what (fact, column or switch), label, label_en, department, department_en, n (enterprises), credit_codes
        (to ask or to confirm), low, high (what the value may be; NaN for a reading). A target without a row cannot be turned by what is missing.
    """
    rows: list[tuple[object, ...]] = []
    for outcome in outcomes:
        id, open_ = outcome.target.id, outcome.status == "undetermined"
        hangs: list[tuple[Outcome | Doubt, str]] = [(outcome, "missing_fact")]
        hangs += [(outcome.doubt, "blank_column")] if outcome.doubt is not None else []
        for one, kind in hangs:
            codes = [str(c) for c in frame.book.codes[one.turns_on]] if open_ or kind == "blank_column" else []
            for what, n in one.missing.items():
                own = "absent_column" if kind == "missing_fact" and exempting(what) else kind
                names = (*name_of(what), *office_of(what))
                rows.append((id, own, what, *names, n, codes, one.bounded.low, one.bounded.high))
        for switch in (turned_by or {}).get(id, []):
            asked = frame.policy.reading(switch)
            rows.append((id, "reading", switch, asked.question, asked.question_en, "", "", 0, [], np.nan, np.nan))
    return pd.DataFrame(rows, columns=TURNS)


def gaps(frame: Frame, outcomes: Iterable[Outcome]) -> pd.DataFrame:
    """List what is missing.

    Returns
    -------
    DataFrame
        fact, label, department, n (enterprises), targets (ids joined by 、): facts that a verdict waits for; columns of exclusions that the
        ledger has not or has wholly blank (taken as no); land taken as approved because the wall is unknown and the area inside it blank.
    """
    outcomes = list(outcomes)
    found = [*_waiting(outcomes), *_assumed(frame, outcomes)]
    rows = [(fact, name_of(fact)[0], office_of(fact)[0], n, target) for fact, n, target in found]
    table = pd.DataFrame(rows, columns=["fact", "label", "department", "n", "target"])
    grouped = table.groupby(["fact", "label", "department"], sort=True)
    return (
        grouped.agg(n=("n", "max"), targets=("target", "、".join))
        .reset_index()
        .sort_values(["n", "fact"], ascending=[False, True], ignore_index=True)
    )


def name_of(fact: str) -> tuple[str, str]:
    """Return the Chinese and English name of a fact or ledger column."""
    column = of_sheet("enterprises").get(fact)
    named = column or FACTS.get(fact)
    return FACT_NAMES.get(fact) or ((named.zh, named.en) if named else (fact, fact.replace("_", " ")))


def exempting(name: str) -> bool:
    """Tell whether what a verdict waits for is an exemption: a column of the enterprises that the ledger lacks."""
    return name in of_sheet("enterprises")


def _waiting(outcomes: list[Outcome]) -> Iterator[Gap]:
    for outcome in outcomes:
        missing = outcome.missing | ({"quota": 1} if outcome.reason == "no_quota" else {})
        yield from ((name, n, outcome.target.id) for name, n in missing.items())


def _assumed(frame: Frame, outcomes: list[Outcome]) -> Iterator[Gap]:
    """Yield what was taken for granted, for each target over enterprises (for none in a year without targets)."""
    kinds = ("share", "count", "mean", "closed")
    ids = [o.target.id for o in outcomes if STATISTICS[o.target.statistic].kind in kinds] or [""]
    columns = (c for exclusion in frame.policy.exclusions for c in exclusion_columns(exclusion, frame.policy.fact))
    lacking = {c: len(frame.book) for c in columns if not frame.book.filled(c)}
    approved = int(_approved_instead(frame).sum())
    minimum, strange = int(_without_standard(frame).sum()), int(_unknown_places(frame).sum())
    lacking |= {"location": strange} if strange else {}
    lacking |= ({"walled": approved} if approved else {}) | ({"industry_minimum": minimum} if minimum else {})
    for fact, n in lacking.items():
        yield from ((fact, n, id) for id in ids)


def _without_standard(frame: Frame) -> np.ndarray:
    """Tell whose contract has no figure of a control that a criterion asks for, and no minimum of the industry is given, shape (n,)."""
    asked = any("below_contract_controls" in facts_of(c.when) for c in frame.policy.identification.criteria)
    if not asked or frame.policy.minimums or not frame.book.has("enterprises", "contract_plot_ratio"):
        return np.zeros(len(frame.book), dtype=bool)
    blank = [np.isnan(frame.book.number(f"contract_{name}")) for name in CONTROLS]
    return frame.in_scope.true & ~frame.exits.gone.true & np.logical_and.reduce(blank)


def _unknown_places(frame: Frame) -> np.ndarray:
    """Tell which of the listed have a location that is no word for 县城, 建制镇 or 工矿区, where a rate hangs on it, shape (n,)."""
    effects = [e for c in frame.policy.consequences for e in c.effects]
    if not any(e.when and "location" in facts_of(e.when) for e in effects):
        return np.zeros(len(frame.book), dtype=bool)
    places = text_fact(frame.reported, "location")
    return frame.identified.true & (places != "") & ~np.isin(places, list(LOCATIONS))


def _approved_instead(frame: Frame) -> np.ndarray:
    """Tell whose land of the year is the approved area only because nothing is known of the wall, shape (n,)."""
    if frame.policy.land.rule == "as_reported":
        return np.zeros(len(frame.book), dtype=bool)
    year = frame.facts_year
    blank, approved = np.isnan(frame.book.annual("land_mu", year)), frame.book.annual("approved_mu", year) > 0
    return blank & approved & frame.book.annual_flag("walled", year).unknown
