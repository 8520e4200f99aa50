"""What is overdue or owed on a day (逾期与欠缺): problems found, papers, steps of the procedure, and whom to press (督办)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.assessment.dossier import deadline
from lyeval.tables.authority import clause, register_of
from lyeval.tables.casework import case_rows, day_of, latest, plan_method, responsible
from lyeval.tables.lists import WHO

if TYPE_CHECKING:
    from lyeval.assessment.result import Assessment
    from lyeval.policy.model import Step

ISSUES = [
    *WHO,
    "listed",
    "department",
    "matter",
    "found",
    "due",
    "rectified",
    "transferred",
    "state",
    "days_late",
    "clause",
]
PAPERS = [*WHO, "label", "label_en", "owed", "received", "n", "responsible", "clause"]
STEPS = [*WHO, "step", "label", "label_en", "since", "due", "days", "overdue", "responsible", "clause"]
PRESSED = [*WHO, "tax_needed_wan", "reasons", "responsible", "clause"]
COLUMN_OF = {"accepted": "first_accept"}


def issues_overdue(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List the problems on record whose term has passed (问题清单逾期).

    Returns
    -------
    DataFrame
        Who, listed, department, matter, found, due, rectified, transferred, state (not_rectified: past its term; not_accepted: rectified,
        never accepted), days_late (since the term, or since rectification), clause (the units that inspect the matter); latest first.
    """
    sheet, end = assessment.ledger.issues, day_of(assessment, on)
    at = assessment.frame.book.positions(sheet["credit_code"])
    days = {name: _days(sheet, name) for name in ("found", "due", "rectified", "accepted", "transferred")}
    known = (at >= 0) & ~(days["found"] > end)
    for name in ("rectified", "accepted", "transferred"):
        days[name] = np.where(days[name] <= end, days[name], np.datetime64("NaT"))
    mended = days["rectified"] <= end
    late = known & ~mended & (days["due"] < end)
    unaccepted = known & mended & ~(days["accepted"] <= end) & ("accepted" in sheet)
    since = np.where(late, days["due"], days["rectified"])
    rows = np.flatnonzero(late | unaccepted)
    table = _who(assessment, at[rows]).assign(
        listed=assessment.standing.listed.objects()[at[rows]],
        **{name: _texts(sheet, name)[rows] for name in ("department", "matter")},
        **{name: _stamp(days[name][rows]) for name in ("found", "due", "rectified", "transferred")},
        state=np.where(late[rows], "not_rectified", "not_accepted"),
        days_late=(end - since[rows]).astype(int),
        clause=[_matter_clause(assessment, str(m)) for m in _texts(sheet, "matter")[rows]],
    )
    order = ["state", "days_late", "credit_code"]
    return table[ISSUES].sort_values(order, ascending=[False, False, True], kind="stable", ignore_index=True)


def papers_owed(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List the papers that open cases still owe for their method (欠缺材料), by enterprise."""
    sheet, end = assessment.ledger.papers, day_of(assessment, on)
    rows, answer = case_rows(assessment, on), responsible(assessment, on)
    mine = rows[rows["open"].to_numpy(dtype=bool)]
    came = sheet[~(_days(sheet, "received") > end) & (~np.isnat(_days(sheet, "received")) | ("received" not in sheet))]
    received = came.groupby("credit_code")["paper"].agg(set).to_dict() if "paper" in came else {}
    out: list[dict[str, Any]] = []
    for row in mine.itertuples(index=False):
        method = plan_method(assessment, row.method)
        if method is None or not method.papers:
            continue
        owed = [p for p in method.papers if p not in received.get(row.credit_code, set())]
        if owed:
            out.append(
                {
                    **_one(assessment, int(row.at)),
                    "label": method.label,
                    "label_en": method.label_en,
                    "owed": owed,
                    "received": len(method.papers) - len(owed),
                    "n": len(owed),
                    "responsible": answer[int(row.at)],
                    "clause": "；".join(method.cite),
                }
            )
    table = pd.DataFrame(out, columns=PAPERS)
    return table.sort_values(["n", "credit_code"], ascending=[False, True], kind="stable", ignore_index=True)


def steps_waiting(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List for each listed enterprise the first step of the plan's procedure that has not been taken (待办与逾期).

    A step waits from the day of the step before it; where the plan gives that one days (陈述期), from their end. Acceptance waits from the
    end of the case, and nothing waits for it while the case is open. A step that no column of ``process`` stands for is passed over.

    Returns
    -------
    DataFrame
        Who, step, label, label_en, since, due (None where the plan gives no days), days (since then), overdue (None without a term),
        responsible, clause; longest waiting first.
    """
    dates, end, answer = _dates(assessment, on), day_of(assessment, on), responsible(assessment, on)
    out: list[dict[str, Any]] = []
    for i in np.flatnonzero(assessment.standing_on(on).listed_here) if len(dates) else []:
        found = _outstanding(assessment, {name: column[i] for name, column in dates.items()}, int(i))
        if found is None:
            continue
        step, since, due = found
        since = np.datetime64("NaT") if since is None else since
        known = not np.isnat(since)
        out.append(
            {
                **_one(assessment, int(i)),
                "step": step.id,
                "label": step.label,
                "label_en": step.label_en,
                "since": since,
                "due": due,
                "days": int((end - since).astype(int)) if known else None,
                "overdue": None if due is None else bool(due < end),
                "responsible": answer[i],
                "clause": "；".join(step.cite),
            }
        )
    table = pd.DataFrame(out, columns=STEPS)
    table["since"], table["due"] = (pd.to_datetime(table[name]).astype("datetime64[us]") for name in ("since", "due"))
    table["days"] = table["days"].astype("float64")
    order = ["days", "credit_code"]
    return table.sort_values(order, ascending=[False, True], kind="stable", na_position="last", ignore_index=True)


def pressed(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List whom to press (督办): listed, still here, not known to be at the line, and behind by a stated rule.

    Behind is: no case begun (no_case), a case open past its term (case_overdue), a case that failed (failed), a problem past its term
    (issue_overdue), or a step past the days that the plan gives it (step_overdue).

    Returns
    -------
    DataFrame
        Who, tax_needed_wan, reasons (list of the words above), responsible, clause; the largest shortfall first.
    """
    standing, last = assessment.standing_on(on), latest(assessment, on)
    mask = standing.state["below"] | standing.state["open"]
    steps, issues = steps_waiting(assessment, on), issues_overdue(assessment, on)
    codes = assessment.frame.book.codes
    reasons = {
        "no_case": last["credit_code"].isna().to_numpy() & assessment.ledger.has("disposals"),
        "case_overdue": (last["overdue"] == True).to_numpy(dtype=bool),  # noqa: E712
        "failed": (last["outcome"] == "未完成").to_numpy(dtype=bool),
        "issue_overdue": np.isin(codes, issues.loc[issues["state"] == "not_rectified", "credit_code"]),
        "step_overdue": np.isin(codes, steps.loc[steps["overdue"] == True, "credit_code"]),  # noqa: E712
    }
    rows = np.flatnonzero(mask & np.logical_or.reduce(list(reasons.values())))
    behind: list[Any] = [[name for name, hit in reasons.items() if hit[i]] for i in rows]
    table = _who(assessment, rows).assign(
        tax_needed_wan=assessment.enterprises["tax_needed_wan"].to_numpy()[rows],
        reasons=behind,
        responsible=responsible(assessment, on)[rows],
        clause=clause(assessment.policy, "pressed"),
    )
    order = ["tax_needed_wan", "credit_code"]
    return table[PRESSED].sort_values(order, ascending=[False, True], kind="stable", ignore_index=True)


def _outstanding(assessment: Assessment, dates: Mapping[str, Any], i: int) -> tuple[Step, Any, Any] | None:
    """Return the first step not taken, the day from which it waits, and its term; None where nothing is to be done now."""
    since: Any = np.datetime64("NaT")
    begun = False
    for step in assessment.policy.steps:
        done = dates.get(step.id)
        if done is None or (assessment.policy.classes.above in step.label and not assessment.frame.above.true[i]):
            continue
        if not np.isnat(done):
            since, begun = done, True
            continue
        if step.days is not None:
            since = np.datetime64(deadline(since, step.days, step.day_kind)) if not np.isnat(since) else since
            continue
        if step.id == "accepted":
            if np.isnat(dates["finished"]):
                return None
            since = dates["finished"]
        if since > dates["today"]:
            return None
        return step, since if begun or step.id == "accepted" else None, _term(assessment, step, since, dates)
    return None


def _term(assessment: Assessment, step: Step, since: Any, dates: Mapping[str, Any]) -> Any:
    """Return the day by which a step must be taken, None where neither the plan nor the county gives one.

    After a period with days (陈述期) the step falls due as that ends; the time for the disposal plan is the county's (``plan_days``).
    """
    days = assessment.inputs.facts.get("plan_days")
    if np.isnat(since):
        return None
    if step.id == "plan_submitted" and days is not None:
        return since + np.timedelta64(int(days), "D")
    before = next((s for s in assessment.policy.steps if s.id == step.after), None)
    return since if before is not None and before.days is not None and np.isnat(dates.get(before.id, since)) else None


def _dates(assessment: Assessment, on: object) -> dict[str, np.ndarray]:
    """Return for each step the day it was taken, by position, shape (n,); ``finished`` and ``today`` beside them."""
    sheet, book, end = assessment.ledger.process, assessment.frame.book, day_of(assessment, on)
    if not len(sheet):
        return {}
    out, at = {}, book.positions(sheet["credit_code"])
    for step in assessment.policy.steps:
        column = COLUMN_OF.get(step.id, step.id)
        if column in sheet:
            days = _days(sheet, column)
            out[step.id] = np.full(len(book), np.datetime64("NaT"), dtype="datetime64[D]")
            keep = (at >= 0) & (days <= end)
            out[step.id][at[keep]] = days[keep]
    last = latest(assessment, on)
    out |= {name: last[name].to_numpy(dtype="datetime64[D]") for name in ("finished", "written_off")}
    return out | {"today": np.full(len(book), end)}


def _matter_clause(assessment: Assessment, matter: str) -> str:
    """Return the clauses by which units inspect a matter, else those of inspection at large."""
    register = register_of(assessment.policy.id)
    for entry in register.inspections if register else ():
        if entry.matter == matter:
            return "；".join(entry.cite)
    return clause(assessment.policy, "inspected")


def _who(assessment: Assessment, at: np.ndarray) -> pd.DataFrame:
    return assessment.enterprises[WHO].iloc[at].reset_index(drop=True)


def _one(assessment: Assessment, i: int) -> dict[str, Any]:
    return {str(k): v for k, v in assessment.enterprises[WHO].iloc[i].items()}


def _days(sheet: pd.DataFrame, name: str) -> np.ndarray:
    if name not in sheet:
        return np.full(len(sheet), np.datetime64("NaT"), dtype="datetime64[D]")
    return sheet[name].to_numpy(dtype="datetime64[D]")


def _texts(sheet: pd.DataFrame, name: str) -> np.ndarray:
    return sheet[name].to_numpy(dtype=object, na_value="") if name in sheet else np.full(len(sheet), "", dtype=object)


def _stamp(days: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[us]")
