"""Disposals as the lists need them (处置记录), who answers for each enterprise, and the clause that each list rests on (名单依据)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.assessment.conditions import decide
from lyeval.indicators import STATISTICS, cases, year_end
from lyeval.policy import Policy, PolicyError, find_policy
from lyeval.policy.register import load_register
from lyeval.tables.registry import layout

if TYPE_CHECKING:
    from lyeval.assessment.result import Assessment
    from lyeval.policy import Method
    from lyeval.policy.register import Register

WHO = layout()["who"]
WHERE: dict[str, tuple[str, ...]] = {
    # list: where its clause stands, the first that there is
    "closed": ("statistic.closed", "effect.removal", "method.shut_down"),
    "demolished": ("statistic.demolished", "method.shut_down"),
    "banked": ("method.land_bank", "method.shut_down"),
    "relapsed": ("calendar.write_off", "step.written_off"),
    "shock_hit": ("supports.shock_relief",),
    "pressed": ("calendar.pressing", "calendar.follow_up"),
    "summoned": ("trigger.behind", "calendar.supervision", "calendar.county_dispatch"),
    "ranked": ("calendar.attainment_bulletin", "calendar.county_dispatch"),
    "paced": ("calendar.tax_bulletin", "calendar.county_dispatch"),
    "inspected": ("calendar.acceptance", "calendar.joint_inspection"),
}


def clause(policy: Policy, name: str) -> str:
    """Return the clauses of one of the lists in ``WHERE``, joined; empty where the plan says nothing."""
    return next(("；".join(cites) for place in WHERE[name] if (cites := _at(policy, *place.split(".")))), "")


def target_clause(policy: Policy, side: str | None) -> str:
    """Return the clauses of the targets that hold a class to a line, else those of identification."""
    own = [t for t in policy.targets if t.class_ in (side, "any") and any(d.threshold for d in t.years.values())]
    cites = [c for t in own for c in t.cite] or list(policy.identification.cite)
    return "；".join(dict.fromkeys(cites))


@lru_cache(maxsize=16)
def register_of(policy_id: str) -> Register | None:
    """Return a plan's clause register, or None where there is none beside it."""
    try:
        path = find_policy(policy_id).with_suffix(".clauses.yaml")
        return load_register(path) if path.is_file() else None
    except PolicyError:
        return None


def _at(policy: Policy, kind: str, id: str) -> tuple[str, ...]:
    """Return the cites of one element of the plan or entry of its register."""
    if kind == "effect":
        return next(((e.cite or c.cite) for c in policy.consequences for e in c.effects if e.kind == id), ())
    own: dict[str, list[Any]] = {
        "statistic": [t for t in policy.targets if STATISTICS[t.statistic].kind == id],
        "method": [m for m in policy.methods if m.method == id],
        "step": [s for s in policy.steps if s.id == id],
        "trigger": [c for c in policy.consequences if c.trigger == id],
    }
    found = own[kind] if kind in own else [e for e in getattr(register_of(policy.id), kind, ()) if e.id == id]
    return found[0].cite if found else ()


def day_of(assessment: Assessment, on: object = None) -> np.datetime64:
    """Return the day that lists are taken on: 31 December of the year assessed unless another is given."""
    return year_end(assessment.year) if on is None else np.datetime64(str(on)[:10], "D")


@lru_cache(maxsize=8)
def case_rows(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """Return every disposal begun by a day, in the order it was begun.

    Returns
    -------
    DataFrame
        at (position of the enterprise), credit_code, method (canonical), label, label_en (the plan's words, else the ledger's), outcome (as of
        the day: 进行中 where it ended later), started, due, finished, written_off, demolished_on, demolished_m2, released_mu, cost_wan,
        whole, upgraded, difficulty, next_step, responsible, open, overdue (open past its term). Dates after the day are blank.
    """
    sheet, end = assessment.ledger.disposals, day_of(assessment, on)
    rows = cases(assessment.frame.book)
    days = {name: days_of(sheet, name) for name in ("started", "due", "finished", "written_off", "demolished_on")}
    by_day = {n: np.where((n == "due") | (d <= end), d, np.datetime64("NaT")) for n, d in days.items()}
    known = {m.method: m for m in reversed(assessment.policy.methods)}
    written = zip(rows.method, texts_of(sheet, "method_text"), strict=True)
    names = [
        (m, known[m].label, known[m].label_en) if m in known else (m, w or m, m.replace("_", " ") or w)
        for m, w in written
    ]
    columns = dict(zip(("method", "label", "label_en"), zip(*names, strict=True), strict=True)) if names else {}
    table = pd.DataFrame(
        {
            "at": rows.at,
            "credit_code": sheet["credit_code"].to_numpy(dtype=object),
            **{name: np.array(columns.get(name, ()), dtype=object) for name in ("method", "label", "label_en")},
            "outcome": rows.outcome_on(end),
            **{name: values.astype("datetime64[us]") for name, values in by_day.items()},
            **{name: numbers_of(sheet, name) for name in ("demolished_m2", "released_mu", "cost_wan")},
            **{name: texts_of(sheet, name) for name in ("whole", "difficulty", "next_step", "responsible")},
            "upgraded": numbers_of(sheet, "upgraded") == 1,
            "open": rows.open(end),
            "overdue": rows.overdue(end),
        },
        columns=layout()["cases"],
    )
    began = np.where(np.isnat(days["started"]), days["finished"], days["started"])
    order = np.lexsort((np.arange(len(table)), np.nan_to_num(began.astype(float), nan=0.0)))
    return table.iloc[order[rows.begun(end)[order]]].reset_index(drop=True)


@lru_cache(maxsize=8)
def latest(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """Return each enterprise's last case, one row per position (blank where there is none)."""
    last = case_rows(assessment, on).drop_duplicates("at", keep="last").set_index("at")
    return last.reindex(range(len(assessment.frame.book)))


@lru_cache(maxsize=8)
def responsible(assessment: Assessment, on: object = None) -> np.ndarray:
    """Return who answers for each enterprise (责任单位), shape (n,): as the case says, else who leads its method, else its township."""
    last, book = latest(assessment, on), assessment.frame.book
    said = last["responsible"].fillna("").to_numpy(dtype=object)
    leads = _leads(assessment, last["method"].to_numpy(dtype=object))
    town = np.where(book.text("township") == "", book.text("county"), book.text("township"))
    return np.where(said != "", said, np.where(leads != "", leads, town))


def _leads(assessment: Assessment, methods: np.ndarray) -> np.ndarray:
    """Return who leads each enterprise's method by the plan, "" where it does not say or it cannot be told."""
    out = np.full(len(methods), "", dtype=object)
    for method in assessment.policy.methods:
        mine = methods == method.method
        for lead in reversed(method.leads):
            holds = mine if lead.when is None else mine & decide(lead.when, assessment.frame.reported).true
            out[holds] = lead.label
    return out


def plan_method(assessment: Assessment, canonical: object) -> Method | None:
    """Return the plan's method of that canonical id."""
    return next((m for m in assessment.policy.methods if m.method == canonical), None)


def days_of(sheet: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column of days, NaT all through where the sheet has none."""
    return (
        sheet[name].to_numpy(dtype="datetime64[D]")
        if name in sheet
        else np.full(len(sheet), "NaT", dtype="datetime64[D]")
    )


def numbers_of(sheet: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column of numbers, NaN all through where the sheet has none."""
    return sheet[name].to_numpy(dtype=float, na_value=np.nan) if name in sheet else np.full(len(sheet), np.nan)


def texts_of(sheet: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column of texts, "" all through where the sheet has none."""
    return sheet[name].to_numpy(dtype=object, na_value="") if name in sheet else np.full(len(sheet), "", dtype=object)


def who_of(assessment: Assessment, at: np.ndarray | list[int]) -> pd.DataFrame:
    """Return who the enterprises at some positions are: `WHO`."""
    return assessment.enterprises[WHO].iloc[at].reset_index(drop=True)
