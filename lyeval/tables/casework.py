"""Disposals as the lists need them (处置记录): every case by a day, the latest of each enterprise, who answers for it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lyeval.assessment.conditions import decide
from lyeval.indicators import cases, year_end

if TYPE_CHECKING:
    from lyeval.assessment.result import Assessment
    from lyeval.policy import Method

WORDS = ("difficulty", "next_step", "responsible")
COLUMNS = [
    "at",
    "credit_code",
    "method",
    "label",
    "label_en",
    "outcome",
    "started",
    "due",
    "finished",
    "written_off",
    "demolished_on",
    "demolished_m2",
    "released_mu",
    "cost_wan",
    "whole",
    "upgraded",
    *WORDS,
    "open",
    "overdue",
]


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
    book, sheet, end = assessment.frame.book, assessment.ledger.disposals, day_of(assessment, on)
    rows = cases(book)
    days = {name: _days(sheet, name) for name in ("started", "due", "finished", "written_off", "demolished_on")}
    outcome = rows.outcome_on(end)
    known = {m.method: m for m in reversed(assessment.policy.methods)}
    written = _texts(sheet, "method_text")
    table = pd.DataFrame(
        {
            "at": rows.at,
            "credit_code": sheet["credit_code"].to_numpy(dtype=object),
            "method": rows.method,
            "label": [known[m].label if m in known else w or m for m, w in zip(rows.method, written, strict=True)],
            "label_en": [
                known[m].label_en if m in known else m.replace("_", " ") or w
                for m, w in zip(rows.method, written, strict=True)
            ],
            "outcome": outcome,
            **{n: _until(d, end) if n != "due" else d.astype("datetime64[us]") for n, d in days.items()},
            **{name: _numbers(sheet, name) for name in ("demolished_m2", "released_mu", "cost_wan")},
            "whole": _texts(sheet, "whole"),
            "upgraded": _numbers(sheet, "upgraded") == 1,
            **{name: _texts(sheet, name) for name in WORDS},
            "open": rows.open(end),
            "overdue": rows.overdue(end),
        },
        columns=COLUMNS,
    )
    began = np.where(np.isnat(days["started"]), days["finished"], days["started"])
    keep = rows.begun(end)
    order = np.lexsort((np.arange(len(table)), np.nan_to_num(began.astype(float), nan=0.0)))
    return table.iloc[[i for i in order if keep[i]]].reset_index(drop=True)


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


def _days(sheet: pd.DataFrame, name: str) -> np.ndarray:
    if name not in sheet:
        return np.full(len(sheet), np.datetime64("NaT"), dtype="datetime64[D]")
    return sheet[name].to_numpy(dtype="datetime64[D]")


def _until(days: np.ndarray, end: np.datetime64) -> np.ndarray:
    return np.where(days <= end, days, np.datetime64("NaT")).astype("datetime64[us]")


def _numbers(sheet: pd.DataFrame, name: str) -> np.ndarray:
    return sheet[name].to_numpy(dtype=float, na_value=np.nan) if name in sheet else np.full(len(sheet), np.nan)


def _texts(sheet: pd.DataFrame, name: str) -> np.ndarray:
    return sheet[name].to_numpy(dtype=object, na_value="") if name in sheet else np.full(len(sheet), "", dtype=object)
