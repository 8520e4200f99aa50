"""The lists an office owes of a year (附表): who reached, who did not, who left, who fell again, whom to help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.assessment.conditions import decide
from lyeval.assessment.dossier import consequence_masks
from lyeval.assessment.standing import under
from lyeval.indicators import FACTS, year_end
from lyeval.tables.authority import clause, target_clause
from lyeval.tables.casework import case_rows, day_of, latest, responsible

if TYPE_CHECKING:
    from lyeval.assessment.result import Assessment

WHO = ["credit_code", "name", "county", "township", "class"]
FIGURES = ["land_mu", "tax_wan", "tax_per_mu", "line", "tax_needed_wan"]
CASE = ["label", "label_en", "outcome", "started", "due", "finished", "written_off"]
CLOSED, BANKED = ("关停", "清退", "注销"), ("整体收储", "部分收储", "收储")


def reached(assessment: Assessment) -> pd.DataFrame:
    """List the listed enterprises that stand at their line or above it at the year's end (已达标).

    Returns
    -------
    DataFrame
        Who, land_mu, tax_wan, tax_per_mu, line, the latest case, cleared (no ground of identification holds any more; None unknown), clause.
    """
    standing = assessment.standing
    more = {"cleared": standing.cleared.objects()}
    return _firms(
        assessment, standing.state["reached"], FIGURES[:-1], **_cases(assessment), **more, clause=_held_to(assessment)
    )


def missed(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List the listed enterprises below their line (未达标): what is short, why, what is to be done, who answers for it.

    Returns
    -------
    DataFrame
        Who, land_mu, tax_wan, tax_per_mu, line, tax_needed_wan (an estimate, no ground for collection), the latest case, overdue,
        difficulty, next_step, responsible, clause; the largest shortfall first.
    """
    mask = assessment.standing.state["below"]
    last = latest(assessment, on)
    more = {name: _known(last[name]) for name in ("overdue", "difficulty", "next_step")}
    table = _firms(
        assessment,
        mask,
        FIGURES,
        **_cases(assessment, on),
        **more,
        responsible=responsible(assessment, on),
        clause=_held_to(assessment),
    )
    return table.sort_values(["tax_needed_wan", "credit_code"], ascending=[False, True], ignore_index=True)


def undecided(assessment: Assessment) -> pd.DataFrame:
    """List those that may be listed, or below their line, and cannot be told for want of facts (暂不能判定)."""
    standing = assessment.standing
    mask = standing.state["open"] | (standing.listed.unknown & ~standing.gone.true)
    return _firms(
        assessment,
        mask,
        ["land_mu", "tax_wan"],
        missing=assessment.enterprises["missing"].to_numpy(dtype=object),
        clause=_held_to(assessment),
    )


def closed(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List the cases closed within the year (关停出清): 关停, 清退 or 注销, with land and buildings freed."""
    rows = _within_year(assessment, on, "finished")
    mine = rows[rows["outcome"].isin(CLOSED).to_numpy()]
    return _of_cases(assessment, mine, ["released_mu", "demolished_m2"], "closed")


def demolished(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List what was demolished within the year (拆除), by the day of demolition, else of the case's end."""
    rows = case_rows(assessment, on)
    day = rows["demolished_on"].where(rows["demolished_on"].notna(), rows["finished"])
    rows = rows.assign(demolished_on=day)
    return _of_cases(
        assessment,
        rows[_in_year(assessment, day, on) & (rows["demolished_m2"] > 0).to_numpy()],
        ["demolished_on", "demolished_m2"],
        "demolished",
    )


def banked(assessment: Assessment, on: object = None) -> pd.DataFrame:
    """List the sites banked within the year, whole or in part (收储), with land and cost."""
    rows = _within_year(assessment, on, "finished")
    mine = rows[rows["outcome"].isin(BANKED).to_numpy()]
    return _of_cases(assessment, mine, ["whole", "released_mu", "cost_wan"], "banked")


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
    basis = np.where(has_passed, "passed", "above")
    return _firms(
        assessment,
        standing.relapsed,
        FIGURES,
        passed_on=_known(at["finished"]),
        written_off=_known(at["written_off"]),
        basis=basis,
        same_year=same,
        by_line=by_line,
        clause=clause(assessment.policy, "relapsed"),
    )


def guided(assessment: Assessment) -> pd.DataFrame:
    """List whom a method is for above all (重点辅导对象): its ``focus`` is true of a listed enterprise still here."""
    frame, parts = assessment.frame, []
    years = FACTS["years_below_one"].number(frame.reported)
    for method in assessment.policy.methods:
        if method.focus is not None:
            mask = assessment.standing.listed_here & decide(method.focus, frame.reported).true
            parts.append(
                _firms(
                    assessment,
                    mask,
                    FIGURES,
                    years_below=years,
                    method=method.label,
                    method_en=method.label_en,
                    clause="；".join(method.cite),
                )
            )
    return _joined(parts, [*WHO, *FIGURES, "years_below", "method", "method_en", "clause"])


def subsidised(assessment: Assessment) -> pd.DataFrame:
    """List who reached the line by technical upgrading and may have the subsidy on easier terms (技改补助)."""
    masks, parts = consequence_masks(assessment.standing), []
    rows = case_rows(assessment)
    done = rows[(rows["outcome"] == "达标").to_numpy() & rows["upgraded"].to_numpy(dtype=bool)]
    by_upgrading = np.isin(np.arange(len(assessment.frame.book)), done["at"])
    for c in assessment.policy.consequences:
        if any(e.kind == "easier_subsidy" for e in c.effects):
            parts.append(
                _firms(
                    assessment, masks[c.id] & by_upgrading, FIGURES[:-1], **_cases(assessment), clause="；".join(c.cite)
                )
            )
    return _joined(parts, [*WHO, *FIGURES[:-1], *CASE, "clause"])


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


def _within_year(assessment: Assessment, on: object, column: str) -> pd.DataFrame:
    rows = case_rows(assessment, on)
    return rows[_in_year(assessment, rows[column], on)]


def _of_cases(assessment: Assessment, rows: pd.DataFrame, more: list[str], name: str) -> pd.DataFrame:
    """Return cases with who they are of, whether listed, and some of their columns, by credit code and day."""
    at = rows["at"].to_numpy(dtype=int)
    who = assessment.enterprises[[*WHO, "land_mu"]].iloc[at].reset_index(drop=True)
    own = pd.DataFrame({c: _known(rows[c]) for c in dict.fromkeys([*CASE[:3], "finished", *more])})
    listed = pd.DataFrame({"listed": assessment.standing.listed.objects()[at]})
    table = pd.concat([who, listed, own], axis=1).assign(clause=clause(assessment.policy, name))
    return table.sort_values(["credit_code", "finished"], kind="stable", ignore_index=True)


def _joined(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Join the parts of a list; without any, an empty one."""
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
