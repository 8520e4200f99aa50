"""One enterprise's dossier (一企一档): its years, criteria, lawful methods, papers, days, stage, consequence, distance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment.conditions import decide
from lyeval.assessment.frame import Frame, land_of, tax_of
from lyeval.assessment.standing import Standing
from lyeval.indicators import Facts, cases
from lyeval.policy import Condition, Method, facts_of
from lyeval.policy.model import Consequence


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
        id, label, clause, lawful (True, False, None), blocked_by (words), obligations (owed after approval), papers_owed, approvals, lead,
        agreement (its terms), actions
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


def dossier(standing: Standing, table: pd.DataFrame, credit_code: str, *, on: date | None = None) -> Dossier:
    """Put together one enterprise's dossier; nothing dated after the standing's day is in it.

    Parameters
    ----------
    table
        The assessment's table of enterprises.
    on
        The day that days are counted from; 31 December of the evaluation year by default.

    Raises
    ------
    KeyError
        No such enterprise in the ledger.
    """
    frame = standing.frame
    at = np.flatnonzero(frame.book.codes == credit_code)
    if not len(at):
        raise KeyError(f"台账中没有 {credit_code} / no such firm in the ledger")
    i = int(at[0])
    verdict = {str(k): v for k, v in table.iloc[i].to_dict().items()}
    received = _received(standing, credit_code)
    own = _known(_rows(standing, "enterprises", credit_code), standing, ("contract_completion", "protected_until"))
    methods = [_method(m, frame, i, received) for m in frame.policy.methods]
    return Dossier(
        enterprise={str(k): v for k, v in own.iloc[0].dropna().to_dict().items() if not str(k).startswith("source_")},
        verdict=verdict,
        years=_years(frame, i),
        criteria=_criteria(frame, i),
        methods=pd.DataFrame(methods),
        disposals=_disposals(standing, credit_code),
        steps=_steps(standing, credit_code, on or date(frame.year, 12, 31)),
        stage=verdict["stage"],
        consequences=_consequences(standing, i),
        tax_short_wan=None if np.isnan(standing.tax_needed[i]) else float(standing.tax_needed[i]),
        land_over_mu=_land_over(standing, i),
    )


def _land_over(standing: Standing, i: int) -> float | None:
    """Return the land that is too much at today's tax, 亩; None if unknown."""
    tax, land, line = standing.frame.now.tax[i], standing.frame.now.land[i], standing.line[i]
    return None if np.isnan(tax + land + line) else float(min(land, max(0.0, land - tax / line)))


def _years(frame: Frame, i: int) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
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


def _method(method: Method, frame: Frame, i: int, received: set[str]) -> dict[str, Any]:
    holds = True if method.when is None else decide(method.when, frame.reported).objects()[i]
    words = [] if holds is True or method.when is None else blockers(method.when, frame.reported, i)
    leads = [lead.label for lead in method.leads if lead.when is None or decide(lead.when, frame.reported).true[i]]
    actions = [a.label for a in method.actions if a.when is None or not decide(a.when, frame.reported).false[i]]
    return {
        "id": method.id,
        "label": method.label,
        "label_en": method.label_en,
        "clause": "；".join(method.cite),
        "lawful": holds,
        "blocked_by": "；".join(words),
        "obligations": [] if method.owes is None else blockers(method.owes, frame.reported, i),
        "papers_owed": [p for p in method.papers if p not in received],
        "approvals": list(method.approvals),
        "lead": "、".join(leads),
        "agreement": list(method.agreement),
        "actions": actions,
        "on_failure": next((c.label for c in frame.policy.consequences if c.id == method.on_failure), ""),
    }


def blockers(condition: Condition, facts: Facts, i: int) -> list[str]:
    """Say which facts keep a condition from being true for enterprise ``i``: 否 (it is not so) or 待核 (not known)."""
    if decide(condition, facts).true[i]:
        return []
    inner = condition.all or condition.any
    if inner is not None:
        return list(dict.fromkeys(w for c in inner for w in blockers(c, facts, i)))
    state = decide(condition, facts).objects()[i]
    leaf = condition.not_ or condition
    names = "、".join(facts.label(name) for name in ([leaf.fact] if leaf.fact else facts_of(leaf)))
    return [f"{names}：{'待核' if state is None else '不符'}"]


def _rows(standing: Standing, sheet: str, code: str) -> pd.DataFrame:
    rows = getattr(standing.frame.book.ledger, sheet)
    return rows[rows["credit_code"] == code].reset_index(drop=True)


def _known(rows: pd.DataFrame, standing: Standing, terms: tuple[str, ...] = ("due",)) -> pd.DataFrame:
    """Blank every date after the standing's day, but for terms that were set before it."""
    days = [str(c) for c in rows if rows[c].dtype.kind == "M" and c not in terms]
    late = {c: rows[c].mask(rows[c] > standing.day) for c in days}
    return rows.assign(**late)


def _disposals(standing: Standing, code: str) -> pd.DataFrame:
    """Return an enterprise's disposals as they stood on the day."""
    sheet, rows = standing.frame.book.ledger.disposals, cases(standing.frame.book)
    told = sheet.assign(outcome=rows.outcome_on(standing.day)) if "outcome" in sheet else sheet
    mine = told[(sheet["credit_code"] == code).to_numpy() & rows.begun(standing.day)]
    return _known(mine.reset_index(drop=True), standing)


def _received(standing: Standing, code: str) -> set[str]:
    rows = _rows(standing, "papers", code)
    if "paper" not in rows:
        return set()
    return set(rows["paper"] if "received" not in rows else rows.loc[rows["received"] <= standing.day, "paper"])


def _steps(standing: Standing, code: str, on: date) -> pd.DataFrame:
    """Hold the steps' dates against the days that the plan allows."""
    process = _known(_rows(standing, "process", code), standing, ())
    dates = {c: process[c].iloc[0] for c in process.columns if len(process) and not c.startswith("source_")}
    if "first_accept" in dates:
        dates["accepted"] = dates["first_accept"]
    rows: list[tuple[Any, ...]] = []
    for step in standing.frame.policy.steps:
        done, start = dates.get(step.id), dates.get(step.after) if step.after else None
        known = step.days is not None and start is not None and not pd.isna(start)
        due = deadline(start, step.days, step.day_kind) if known and step.days is not None else None
        left = None if due is None else (due - on).days
        taken = done if isinstance(done, date) and done is not pd.NaT else None
        rows.append((step.id, step.label, step.label_en, taken, due, left, "；".join(step.cite)))
    return pd.DataFrame(rows, columns=["step", "label", "label_en", "date", "due", "days_left", "clause"], dtype=object)


def deadline(start: Any, days: int, kind: str) -> date:
    """Return the last day of a period that begins the day after ``start``; working days are Monday to Friday."""
    first = np.datetime64(start, "D")
    last = first + np.timedelta64(days, "D") if kind == "calendar" else np.busday_offset(first, days, roll="backward")
    return last.astype(date)


def _consequences(standing: Standing, i: int) -> pd.DataFrame:
    rows = [
        (c.id, c.label, c.label_en, "；".join(c.cite), [label for label, _ in effects_on(c, standing.frame, i)])
        for c in standing.frame.policy.consequences
        if consequence_masks(standing)[c.id][i]
    ]
    return pd.DataFrame(rows, columns=["id", "label", "label_en", "clause", "effects"])


def effects_on(consequence: Consequence, frame: Frame, i: int) -> list[tuple[str, str]]:
    """Say what a consequence does to enterprise ``i``, in Chinese and English; a charge whose rate hangs on what is unknown is told as such."""
    states = [(e, True if e.when is None else decide(e.when, frame.reported).objects()[i]) for e in consequence.effects]
    told = [(e.label, e.label_en) for e, state in states if state is True]
    rates = [e for e, state in states if state is None and e.rate_yuan_m2]
    if rates:
        kinds = "、".join(dict.fromkeys(frame.policy.fact(n).zh for e in rates if e.when for n in facts_of(e.when)))
        either = "或".join(f"{e.rate_yuan_m2:.2f}" for e in rates)
        told.append(
            (f"土地使用税{either}元/m²（{kinds}待核，税率未定）", f"land-use tax RMB {either} per m² (rate unknown)")
        )
    return told + [(e.label, e.label_en) for e, state in states if state is None and not e.rate_yuan_m2]


def consequence_masks(standing: Standing) -> dict[str, np.ndarray]:
    """Tell whom each consequence of the plan meets if nothing changes: id → mask, shape (n,).

    ``missed``: listed, still here, below its line; ``reached``: listed, still here, at or above; ``priority``: its condition is
    true of a listed enterprise; ``condition``: of one in scope and still here. Those that hang on conduct (``refused``) or on
    authorities (``behind``) meet nobody by rule.
    """
    frame = standing.frame
    everyone = np.ones(len(frame.book), dtype=bool)
    out: dict[str, np.ndarray] = {}
    for c in frame.policy.consequences:
        side = {"any": everyone, "above": frame.above.true, "below": frame.above.false}[c.class_]
        when = everyone if c.when is None else decide(c.when, frame.reported).true
        hit = {
            "missed": standing.state["below"],
            "reached": standing.state["reached"],
            "priority": standing.listed_here,
            "condition": frame.in_scope.true & standing.gone.false,
        }
        out[c.id] = hit.get(c.trigger, ~everyone) & when & side
    return out
