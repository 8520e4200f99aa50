"""The lists an office owes of a year (附表): who reached, who did not, who left, who fell again, whom to help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.assessment.conditions import decide
from lyeval.assessment.dossier import consequence_masks
from lyeval.assessment.standing import under
from lyeval.indicators import FACTS, year_end
from lyeval.tables.casework import WHO, case_rows, clause, day_of, latest, responsible, target_clause
from lyeval.tables.registry import framed, layout

if TYPE_CHECKING:
    from lyeval.assessment.result import Assessment

FIGURES = ["land_mu", "tax_wan", "tax_per_mu", "line", "tax_needed_wan"]
CASE = layout()["case"]
CLOSED, BANKED = ("关停", "清退", "注销"), ("整体收储", "部分收储", "收储")


def reached(assessment: Assessment) -> pd.DataFrame:
    """List the listed enterprises that stand at their line or above it at the year's end (已达标).

    Returns
    -------
    DataFrame
        Who, land_mu, tax_wan, tax_per_mu, line, the latest case, cleared (no ground of identification holds any more; None unknown), clause.
    """
    standing, case = assessment.standing, _cases(assessment)
    more = {"cleared": standing.cleared.objects(), "clause": _held_to(assessment)}
    return _firms(assessment, standing.state["reached"], FIGURES[:-1], **case, **more)


def missed(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List the listed enterprises below their line (未达标): what is short, why, what is to be done, who answers for it.

    Returns
    -------
    DataFrame
        Who, land_mu, tax_wan, tax_per_mu, line, tax_needed_wan (an estimate, no ground for collection), the latest case, overdue,
        difficulty, next_step, responsible, clause; the largest shortfall first.
    """
    last = latest(assessment, on)
    more = {name: _known(last[name]) for name in (*CASE, "overdue", "difficulty", "next_step")}
    more |= {"responsible": responsible(assessment, on), "clause": _held_to(assessment)}
    table = _firms(assessment, assessment.standing.state["below"], FIGURES, **more)
    return table.sort_values(["tax_needed_wan", "credit_code"], ascending=[False, True], ignore_index=True)


def undecided(assessment: Assessment) -> pd.DataFrame:
    """List those that may be listed, or below their line, and cannot be told for want of facts (暂不能判定)."""
    standing = assessment.standing
    mask = standing.state["open"] | (standing.listed.unknown & ~standing.gone.true)
    missing = assessment.enterprises["missing"].to_numpy(dtype=object)
    return _firms(assessment, mask, FIGURES[:2], missing=missing, clause=_held_to(assessment))


def closed(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List the cases closed within the year (关停出清): 关停, 清退 or 注销, with land and buildings freed."""
    return _of_cases(assessment, _ended(assessment, on, CLOSED), ["released_mu", "demolished_m2"], "closed")


def demolished(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List what was demolished within the year (拆除), by the day of demolition, else of the case's end."""
    rows = case_rows(assessment, on)
    day = rows["demolished_on"].where(rows["demolished_on"].notna(), rows["finished"])
    rows = rows.assign(demolished_on=day)[_in_year(assessment, day, on) & (rows["demolished_m2"] > 0).to_numpy()]
    return _of_cases(assessment, rows, ["demolished_on", "demolished_m2"], "demolished")


def banked(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List the sites banked within the year, whole or in part (收储), with land and cost."""
    return _of_cases(assessment, _ended(assessment, on, BANKED), ["whole", "released_mu", "cost_wan"], "banked")


def relapsed(assessment: Assessment) -> pd.DataFrame:
    """List who passed or was written off and is below the line now (反弹).

    Returns
    -------
    DataFrame
        Who, land_mu, tax_wan, tax_per_mu, line, tax_needed_wan, passed_on, written_off, basis (passed: a case ended as 达标 or was written off
        by the year's end; above: listed before and at its line in an earlier year), same_year (written off within the year itself), by_line
        (the year's line alone is higher: it stands at the line of the year before), clause.
    """
    standing, start = assessment.standing, year_end(assessment.year - 1)
    rows = case_rows(assessment)
    passed = rows[(rows["outcome"] == "达标").to_numpy() | rows["written_off"].notna().to_numpy()]
    at = passed.groupby("at")[["finished", "written_off"]].max().reindex(range(len(assessment.frame.book)))
    has_passed = np.isin(np.arange(len(at)), passed["at"])
    off = standing.written_off
    same = (off > start) & ~standing.reached_earlier
    then = standing.earlier.get(assessment.year - 1)
    ratio = assessment.frame.now.tax_per_mu
    by_line = ~under(ratio, *(standing if then is None else then).frame.lines).possible
    more = {name: _known(at[column]) for name, column in (("passed_on", "finished"), ("written_off", "written_off"))}
    more |= {"basis": np.where(has_passed, "passed", "above"), "same_year": same, "by_line": by_line}
    return _firms(assessment, standing.relapsed, FIGURES, **more, clause=clause(assessment.policy, "relapsed"))


def guided(assessment: Assessment) -> pd.DataFrame:
    """List whom a method is for above all (重点辅导对象): its ``focus`` is true of a listed enterprise still here."""
    frame, parts = assessment.frame, list[Any]()
    years = FACTS["years_below_one"].number(frame.reported)
    for method in assessment.policy.methods:
        if method.focus is None:
            continue
        mask = assessment.standing.listed_here & decide(method.focus, frame.reported).true
        more = {"method": method.label, "method_en": method.label_en, "clause": "；".join(method.cite)}
        parts.append(_firms(assessment, mask, FIGURES, years_below=years, **more))
    return pd.concat(parts, ignore_index=True) if parts else framed("list_guided", [])


def subsidised(assessment: Assessment) -> pd.DataFrame:
    """List who reached the line by technical upgrading and may have the subsidy on easier terms (技改补助)."""
    masks, rows, parts = consequence_masks(assessment.standing), case_rows(assessment), list[Any]()
    passed: np.ndarray = rows["outcome"].eq("达标").to_numpy(dtype=bool) & rows["upgraded"].to_numpy(dtype=bool)
    done = rows[passed]
    by_upgrading = np.isin(np.arange(len(assessment.frame.book)), done["at"])
    for c in assessment.policy.consequences:
        if any(e.kind == "easier_subsidy" for e in c.effects):
            more = _cases(assessment) | {"clause": "；".join(c.cite)}
            parts.append(_firms(assessment, masks[c.id] & by_upgrading, FIGURES[:-1], **more))
    return pd.concat(parts, ignore_index=True) if parts else framed("list_subsidised", [])


def shock_hit(assessment: Assessment) -> pd.DataFrame:
    """List the listed enterprises that an epidemic or a trade dispute hit hard (帮扶): to be helped."""
    mask = assessment.standing.listed_here & assessment.frame.book.flag("shock_hit").true
    return _firms(assessment, mask, FIGURES, **_cases(assessment), clause=clause(assessment.policy, "shock_hit"))


def _held_to(assessment: Assessment) -> list[str]:
    """Return for each enterprise the clauses that hold its class to a line."""
    known = {side: target_clause(assessment.policy, side) for side in ("above", "below", None)}
    return [known[side] for side in assessment.enterprises["class"]]


def _firms(assessment: Assessment, mask: np.ndarray, figures: list[str], **more: Any) -> pd.DataFrame:
    """Return the enterprises of a mask with who they are, some of their figures, and more columns of shape (n,)."""
    table = assessment.enterprises[[*WHO, *figures]].assign(**more)
    return table[mask].reset_index(drop=True)


def _cases(assessment: Assessment, on: object = None) -> dict[str, Any]:
    """Return each enterprise's latest case as columns of shape (n,)."""
    last = latest(assessment, on)
    return {name: _known(last[name]) for name in CASE}


def _known(values: pd.Series) -> np.ndarray:
    """Return values as objects, None where blank; days stay days."""
    if values.dtype.kind == "M":
        return values.to_numpy()
    made = np.empty(len(values), dtype=object)
    made[:] = [None if blank or v == "" else v for v, blank in zip(values.tolist(), values.isna(), strict=True)]
    return made


def _in_year(assessment: Assessment, days: pd.Series, on: object = None) -> np.ndarray:
    """Tell which days fall within the year assessed, up to the day that lists are taken on."""
    start, end = year_end(assessment.year - 1), min(day_of(assessment, on), year_end(assessment.year))
    values = days.to_numpy(dtype="datetime64[D]")
    return (values > start) & (values <= end)


def _ended(assessment: Assessment, on: object, outcomes: tuple[str, ...]) -> pd.DataFrame:
    """Return the cases that ended within the year in one of some outcomes."""
    rows = case_rows(assessment, on)
    return rows[_in_year(assessment, rows["finished"], on) & rows["outcome"].isin(outcomes).to_numpy()]


def _of_cases(assessment: Assessment, rows: pd.DataFrame, more: list[str], name: str) -> pd.DataFrame:
    """Return cases with who they are of, whether listed, and some of their columns, by credit code and day."""
    at = rows["at"].to_numpy(dtype=int)
    who = assessment.enterprises[[*WHO, "land_mu"]].take(at).reset_index(drop=True)
    own = pd.DataFrame({c: _known(rows[c]) for c in dict.fromkeys([*CASE[:3], "finished", *more])})
    listed = pd.DataFrame({"listed": assessment.standing.listed.objects()[at]})
    table = pd.concat([who, listed, own], axis=1).assign(clause=clause(assessment.policy, name))
    return table.sort_values(["credit_code", "finished"], kind="stable", ignore_index=True)
