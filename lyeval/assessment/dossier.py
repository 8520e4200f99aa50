"""One enterprise's dossier (一企一档): its years, criteria, lawful methods, papers, days, stage, consequence, distance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.assessment.conditions import decide
from lyeval.assessment.enterprises import line_of_class
from lyeval.assessment.frame import Frame, land_of, tax_of
from lyeval.indicators import ENTERPRISE_FLAGS, FLAGS, NUMBERS, TEXTS, Facts
from lyeval.policy import Condition, Method

if TYPE_CHECKING:
    from lyeval.assessment.result import Assessment


@dataclass(frozen=True, eq=False)
class Dossier:
    """What is known of one enterprise under a plan.

    Attributes
    ----------
    enterprise
        Its row of the ``enterprises`` sheet, as far as filled in.
    verdict
        Its row of the assessment.
    years
        year, above_scale, land_mu, tax_wan, tax_per_mu of each year up to the evaluation year.
    criteria
        id, label, clause, holds (True, False, None).
    methods
        id, label, clause, lawful (True, False, None), blocked_by (words), papers_owed, approvals, lead, agreement (its terms), actions
        (ways that are not ruled out), on_failure (the consequence).
    disposals
        Its rows of the disposals sheet.
    steps
        step, label, date, due, days_left (on ``on``), clause.
    stage
        符合认定条件, 已告知, 已认定, 重点 or "".
    consequences
        id, label, clause, effects: what follows if nothing changes.
    tax_short_wan, land_over_mu
        Distance to the standard: tax that is lacking, 万元; land too much at today's tax, 亩. None if unknown.
    """

    enterprise: dict[str, Any]
    verdict: dict[str, Any]
    years: pd.DataFrame
    criteria: pd.DataFrame
    methods: pd.DataFrame
    disposals: pd.DataFrame
    steps: pd.DataFrame
    stage: str
    consequences: pd.DataFrame
    tax_short_wan: float | None
    land_over_mu: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return the dossier as plain data."""
        out = {k: v.to_dict("records") if isinstance(v, pd.DataFrame) else v for k, v in vars(self).items()}
        return out

    def __repr__(self) -> str:
        """Return code, class, stage and distance."""
        v, short = self.verdict, self.tax_short_wan
        told = "unknown" if short is None else f"{short:.2f} wan"
        return f"Dossier({v['credit_code']}, {v['class']}, stage={self.stage or '-'}, tax short by {told})"

    def _repr_html_(self) -> str:
        tables = [self.years, self.criteria, self.methods, self.steps, self.consequences]
        return "".join(str(t.to_html(index=False, na_rep="—")) for t in tables)


def dossier(assessment: Assessment, credit_code: str, *, on: date | None = None) -> Dossier:
    """Put together one enterprise's dossier.

    Parameters
    ----------
    on
        The day that days are counted from; 31 December of the evaluation year by default.

    Raises
    ------
    KeyError
        No such enterprise in the ledger.
    """
    frame = assessment.frame
    at = np.flatnonzero(frame.book.codes == credit_code)
    if not len(at):
        raise KeyError(f"台账中没有 {credit_code} / no such enterprise in the ledger")
    i, table = int(at[0]), assessment.enterprises
    verdict = {str(k): v for k, v in table.iloc[i].to_dict().items()}
    short, over = _distance(frame, i)
    own = assessment.ledger.enterprises
    row = own[own["credit_code"] == credit_code].iloc[0].dropna().to_dict()
    return Dossier(
        {str(k): v for k, v in row.items() if not str(k).startswith("source_")},
        verdict,
        _years(frame, i),
        _criteria(frame, i),
        pd.DataFrame([_method(m, frame, i, assessment) for m in frame.policy.methods]),
        _rows(assessment, "disposals", credit_code),
        _steps(assessment, credit_code, on or date(assessment.year, 12, 31)),
        verdict["stage"],
        _consequences(frame, i),
        short,
        over,
    )


def _distance(frame: Frame, i: int) -> tuple[float | None, float | None]:
    tax, land, line = frame.reported.tax[i], frame.reported.land[i], line_of_class(frame)[i]
    if np.isnan(tax + land + line):
        return None, None
    return float(max(0.0, line * land - tax)), float(min(land, max(0.0, land - tax / line)))


def _years(frame: Frame, i: int) -> pd.DataFrame:
    rows = []
    for year in (y for y in frame.book.years if y <= frame.facts_year):
        tax, land = tax_of(frame.policy, frame.book, year)[i], land_of(frame.policy, frame.book, year)[i]
        above = frame.book.annual_flag("above_scale", year).objects()[i]
        rows.append((year, above, land, tax, tax / land))
    return pd.DataFrame(rows, columns=["year", "above_scale", "land_mu", "tax_wan", "tax_per_mu"])


def _criteria(frame: Frame, i: int) -> pd.DataFrame:
    rows = [
        (c.id, c.label, c.label_en, "；".join(c.cite), frame.criteria[c.id].objects()[i])
        for c in frame.policy.identification.criteria
    ]
    return pd.DataFrame(rows, columns=["id", "label", "label_en", "clause", "holds"])


def _method(method: Method, frame: Frame, i: int, assessment: Assessment) -> dict[str, Any]:
    holds = True if method.when is None else decide(method.when, frame.reported).objects()[i]
    words = [] if holds is True or method.when is None else blockers(method.when, frame.reported, i)
    received = _received(assessment, str(frame.book.codes[i]))
    leads = [lead.label for lead in method.leads if lead.when is None or decide(lead.when, frame.reported).true[i]]
    return {
        "id": method.id, "label": method.label, "label_en": method.label_en, "clause": "；".join(method.cite), "lawful": holds,
        "blocked_by": "；".join(words), "papers_owed": [p for p in method.papers if p not in received],
        "approvals": list(method.approvals), "lead": "、".join(leads), "agreement": list(method.agreement),
        "actions": [a.label for a in method.actions if a.when is None or not decide(a.when, frame.reported).false[i]],
        "on_failure": next((c.label for c in frame.policy.consequences if c.id == method.on_failure), ""),
    }  # fmt: skip


def blockers(condition: Condition, facts: Facts, i: int) -> list[str]:
    """Say which facts keep a condition from being true for enterprise ``i``: 否 (it is not so) or 待核 (not known)."""
    if decide(condition, facts).true[i]:
        return []
    inner = condition.all or condition.any
    if inner is not None:
        return list(dict.fromkeys(w for c in inner for w in blockers(c, facts, i)))
    state = decide(condition, facts).objects()[i]
    name = fact_label(str(condition.fact or (condition.not_.fact if condition.not_ else "")))
    return [f"{name}：{'待核' if state is None else '不符'}"]


def fact_label(name: str) -> str:
    """Return the Chinese name of a fact."""
    for table in (NUMBERS, FLAGS):
        if name in table:
            return str(table[name][1])
    return ENTERPRISE_FLAGS.get(name) or TEXTS.get(name, name)


def _rows(assessment: Assessment, sheet: str, code: str) -> pd.DataFrame:
    rows = getattr(assessment.ledger, sheet)
    return rows[rows["credit_code"] == code].reset_index(drop=True)


def _received(assessment: Assessment, code: str) -> set[str]:
    rows = _rows(assessment, "papers", code)
    if "paper" not in rows:
        return set()
    return set(rows["paper"] if "received" not in rows else rows.loc[rows["received"].notna(), "paper"])


def _steps(assessment: Assessment, code: str, on: date) -> pd.DataFrame:
    """Hold the steps' dates against the days that the plan allows."""
    process = _rows(assessment, "process", code)
    dates = {c: process[c].iloc[0] for c in process.columns if len(process) and not c.startswith("source_")}
    if "first_accept" in dates:
        dates["accepted"] = dates["first_accept"]
    rows = []
    for step in assessment.policy.steps:
        done = dates.get(step.id)
        start = dates.get(step.after) if step.after else None
        due = (
            None if step.days is None or start is None or pd.isna(start) else deadline(start, step.days, step.day_kind)
        )
        left = None if due is None else (due - on).days
        rows.append(
            (
                step.id,
                step.label,
                step.label_en,
                done if isinstance(done, date) and done is not pd.NaT else None,
                due,
                left,
                "；".join(step.cite),
            )
        )
    return pd.DataFrame(rows, columns=["step", "label", "label_en", "date", "due", "days_left", "clause"], dtype=object)


def deadline(start: Any, days: int, kind: str) -> date:
    """Return the last day of a period that begins the day after ``start``; working days are Monday to Friday."""
    first = np.datetime64(start, "D")
    last = first + np.timedelta64(days, "D") if kind == "calendar" else np.busday_offset(first, days, roll="backward")
    return last.astype(date)


def _consequences(frame: Frame, i: int) -> pd.DataFrame:
    rows = []
    for name in consequence_masks(frame):
        if consequence_masks(frame)[name][i]:
            c = next(c for c in frame.policy.consequences if c.id == name)
            effects = [e.label for e in c.effects if e.when is None or decide(e.when, frame.reported).true[i]]
            rows.append((c.id, c.label, c.label_en, "；".join(c.cite), effects))
    return pd.DataFrame(rows, columns=["id", "label", "label_en", "clause", "effects"])


def consequence_masks(frame: Frame) -> dict[str, np.ndarray]:
    """Tell whom each consequence of the plan meets if nothing changes: id → mask, shape (n,).

    ``missed``: listed, still here, below its line; ``reached``: listed, still here, at or above; ``priority``: its condition is
    true of a listed enterprise. Those that hang on conduct (``refused``) or on authorities (``behind``) meet nobody by rule.
    """
    listed, here = frame.identified.true, ~frame.standing.gone.true
    line, ratio = line_of_class(frame), frame.reported.tax_per_mu
    out = {}
    for c in frame.policy.consequences:
        side = {"any": True, "above": frame.above.true, "below": frame.above.false}[c.class_]
        when = np.ones(len(frame.book), dtype=bool) if c.when is None else decide(c.when, frame.reported).true
        with np.errstate(invalid="ignore"):
            low, high = ratio < line * (1 - 1e-9), ratio >= line * (1 - 1e-9)
        hit = {"missed": low, "reached": high, "priority": when}.get(c.trigger, np.zeros(len(frame.book), dtype=bool))
        out[c.id] = listed & here & hit & when & side
    return out
