"""What is overdue or owed on a day (逾期与欠缺): problems, papers, steps, whom to press (督办); what each body has done of its duties (履职)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.assessment.dossier import deadline
from lyeval.tables.casework import (
    case_rows,
    clause,
    day_of,
    days_of,
    latest,
    plan_method,
    register_of,
    responsible,
    texts_of,
    who_of,
)
from lyeval.tables.registry import framed

if TYPE_CHECKING:
    from lyeval.assessment.result import Assessment
    from lyeval.policy.model import Step
    from lyeval.policy.register import Register

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
    days = {name: days_of(sheet, name) for name in ("found", "due", "rectified", "accepted", "transferred")}
    known = (at >= 0) & ~(days["found"] > end)
    for name in ("rectified", "accepted", "transferred"):
        days[name] = np.where(days[name] <= end, days[name], np.datetime64("NaT"))
    mended = days["rectified"] <= end
    late = known & ~mended & (days["due"] < end)
    unaccepted = known & mended & ~(days["accepted"] <= end) & ("accepted" in sheet)
    since = np.where(late, days["due"], days["rectified"])
    rows = np.flatnonzero(late | unaccepted)
    matters = texts_of(sheet, "matter")[rows]
    table = who_of(assessment, at[rows]).assign(
        listed=assessment.standing.listed.objects()[at[rows]],
        department=texts_of(sheet, "department")[rows],
        matter=matters,
        **{name: days[name][rows] for name in ("found", "due", "rectified", "transferred")},
        state=np.where(late[rows], "not_rectified", "not_accepted"),
        days_late=(end - since[rows]).astype(int),
        clause=[_matter_clause(assessment, str(m)) for m in matters],
    )
    order = ["state", "days_late", "credit_code"]
    return framed("list_issues", table).sort_values(
        order, ascending=[False, False, True], kind="stable", ignore_index=True
    )


def papers_owed(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List the papers that open cases still owe for their method (欠缺材料), by enterprise."""
    rows, answer = case_rows(assessment, on), responsible(assessment, on)
    received = papers_received(assessment, on)
    out: list[dict[str, Any]] = []
    still: pd.DataFrame = rows[rows["open"].to_numpy(dtype=bool)]
    for row in still.to_dict("records"):
        method = plan_method(assessment, row["method"])
        there = received.get(row["credit_code"], set())
        owed = [p for p in method.papers if p not in there] if method is not None else []
        if method is not None and owed:
            told = {"label": method.label, "label_en": method.label_en, "owed": owed, "n": len(owed)}
            told |= {"received": len(method.papers) - len(owed), "clause": "；".join(method.cite)}
            out.append({**_one(assessment, int(row["at"])), **told, "responsible": answer[int(row["at"])]})
    made = framed("list_papers", out)
    return made.sort_values(["n", "credit_code"], ascending=[False, True], kind="stable", ignore_index=True)


def papers_received(assessment: Assessment, on: object = None) -> dict[str, set[str]]:
    """Return which papers each enterprise has handed in by a day."""
    sheet, end = assessment.ledger.papers, day_of(assessment, on)
    came = days_of(sheet, "received")
    mine = sheet[~(came > end) & (~np.isnat(came) | ("received" not in sheet))]
    by = mine.groupby("credit_code")["paper"] if "paper" in mine else ()
    return {str(code): set(papers) for code, papers in by}


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
    for i in np.flatnonzero(assessment.standing_on(on).listed_here).tolist() if dates else list[int]():
        found = _outstanding(assessment, {name: column[i] for name, column in dates.items()}, i)
        if found is None:
            continue
        step, since, due = found
        waiting = None if since is None or np.isnat(since) else int((end - since).astype(int))
        told = {"step": step.id, "label": step.label, "label_en": step.label_en, "clause": "；".join(step.cite)}
        told |= {"since": since, "due": due, "days": waiting, "overdue": None if due is None else bool(due < end)}
        out.append({**_one(assessment, i), **told, "responsible": answer[i]})
    made = framed("list_steps", out).astype({"days": "float64"})
    order = ["days", "credit_code"]
    return made.sort_values(order, ascending=[False, True], kind="stable", na_position="last", ignore_index=True)


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
    table = who_of(assessment, rows).assign(
        tax_needed_wan=assessment.enterprises["tax_needed_wan"].to_numpy()[rows],
        reasons=behind,
        responsible=responsible(assessment, on)[rows],
        clause=clause(assessment.policy, "pressed"),
    )
    order = ["tax_needed_wan", "credit_code"]
    return table.sort_values(order, ascending=[False, True], kind="stable", ignore_index=True)


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
    out: dict[str, Any] = {}
    at = book.positions(sheet["credit_code"])
    for step in assessment.policy.steps:
        column = COLUMN_OF.get(step.id, step.id)
        if column in sheet:
            days = days_of(sheet, column)
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


def _one(assessment: Assessment, i: int) -> dict[str, Any]:
    return {str(k): v for k, v in who_of(assessment, [i]).iloc[0].items()}


EVIDENCE: dict[str, tuple[str, str]] = {
    # step of the calendar: the sheet and the column that show it
    "notice": ("process", "notified"),
    "certification": ("process", "certified"),
    "public_notice": ("process", "published"),
    "plan": ("process", "plan_approved"),
    "one_plan_each": ("process", "plan_approved"),
    "write_off": ("disposals", "written_off"),
    "priority_list": ("process", "key_listed"),
    "check_up": ("issues", "found"),
    "joint_inspection": ("issues", "found"),
    "acceptance": ("issues", "accepted"),
    "demolition": ("disposals", "demolished_on"),
}


def calendar(assessment: Assessment, register: Register | None) -> pd.DataFrame:
    """Set the plan's dated and recurring steps against the ledger: how many firms it shows as done, and how many too late.

    Returns
    -------
    DataFrame
        id, label, label_en, start, end, every, owner, owner_en, clause, n (firms with a date in the year), late (of them after ``end``), state
        (done, late, not_reported: the ledger has no column or no date for it).
    """
    rows: list[Any] = []
    english = {"企业": "the firm"}
    english |= {} if register is None else {duty.unit: duty.unit_en for duty in register.duties}
    for event in register.calendar if register is not None else ():
        if event.end is not None and event.end.year != assessment.year:
            continue
        sheet, column = EVIDENCE.get(event.id, ("", ""))
        mine = _dated(getattr(assessment.ledger, sheet), column, assessment.year) if sheet else {}
        late = sum(day > pd.Timestamp(event.end) for day in mine.values()) if event.end is not None else 0
        told = {"id": event.id, "label": event.zh, "label_en": event.en, "owner": "、".join(event.units)}
        told |= {"owner_en": ", ".join(english.get(unit, unit) for unit in event.units)}
        told |= {"start": event.start, "end": event.end, "every": event.every, "clause": "；".join(event.cite)}
        rows.append(
            told | {"n": len(mine), "late": late, "state": "late" if late else "done" if mine else "not_reported"}
        )
    text = ["id", "label", "label_en", "every", "owner", "owner_en", "clause", "state"]
    return framed("calendar", rows).astype(dict.fromkeys(text, object) | {"n": "int64", "late": "int64"})


def _dated(sheet: pd.DataFrame, column: str, year: int) -> dict[str, Any]:
    """Return each firm's last day of the year in a column."""
    if column not in sheet:
        return {}
    days = sheet.set_index("credit_code")[column].dropna()
    last = days[[day.year == year for day in days]].sort_values().groupby(level=0).last()
    return {str(code): day for code, day in last.items()}


def departments(assessment: Assessment, register: Register | None) -> pd.DataFrame:
    """Say of each body that the plan names what the ledger shows of its duties: steps done, late, not reported, problems past their term.

    Returns
    -------
    DataFrame
        unit, unit_en, duty, duty_en, done, late, missing and their ``_en`` (names of the steps of the plan's calendar that it takes part in),
        issues (problems on record in the matters that it inspects), overdue (of them not put right in time), silent (nothing done, late or
        found is on record), clause. In the plan's order.
    """
    if register is None:
        return framed("duties", [])
    steps = calendar(assessment, register).to_dict("records")
    late = issues_overdue(assessment)
    late = late[late["state"] == "not_rectified"]
    sheet = assessment.ledger.issues
    found = texts_of(sheet, "matter")[~(days_of(sheet, "found") > day_of(assessment))]
    rows: list[Any] = []
    for duty in register.duties:
        mine = [s for s in steps if duty.unit in s["owner"].split("、")]
        matters = [i.matter for i in register.inspections if duty.unit in i.units]
        row: dict[str, Any] = {"unit": duty.unit, "unit_en": duty.unit_en, "duty": duty.zh, "duty_en": duty.en}
        for name, state in (("done", "done"), ("late", "late"), ("missing", "not_reported")):
            for tail, label in (("", "label"), ("_en", "label_en")):
                row[name + tail] = [s[label] for s in mine if s["state"] == state]
        row |= {"issues": int(np.isin(found, matters).sum()), "overdue": int(late["matter"].isin(matters).sum())}
        row["silent"] = not (row["done"] or row["late"] or row["issues"])
        rows.append(row | {"clause": "；".join(duty.cite)})
    return framed("duties", rows)
