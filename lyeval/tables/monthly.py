"""Tables of the monthly bulletin (月度通报): a year as of a month, nothing later read; units, months of tax, moves, warnings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment
from lyeval.assessment.result import assess_frame, choose
from lyeval.assessment.targets import Inputs
from lyeval.ledger import Ledger
from lyeval.policy import Policy
from lyeval.simulation.known import Date, as_known, date_of
from lyeval.tables import bridge, counts, duties, rankings, verdict
from lyeval.tables.casework import case_rows, responsible
from lyeval.tables.rankings import Months

UNITS = [
    "unit",
    "whole",
    "listed",
    "left",
    "n",
    "now",
    "on_month",
    "on_year",
    "date",
    "asked",
    "share",
    "schedule",
    "usual",
    "on_course",
    "on_course_before",
    "open",
    "overdue",
    "owners",
]
MONTHS = ["month", "n", "now", "before", "change", "date", "date_before", "so_far"]
MOVES = ["move", "label", "label_en", "n", "names"]
WARNINGS = ["credit_code", "name", "township", "class", "reasons", "date", "asked", "responsible"]
NAMED = 5
MOVE = {
    "started": ("启动处置", "cases opened"),
    "finished": ("办结处置", "cases completed"),
    "written_off": ("销号", "written off"),
    "on_course": ("转为可达标进度", "now on course"),
    "off_course": ("由可达标转为滞后", "now off course"),
    "notified": ("告知", "notified"),
    "certified": ("认定", "certified"),
    "published": ("公示", "published"),
    "plan_approved": ("方案审定", "plans approved"),
}


@dataclass(frozen=True, eq=False)
class View:
    """A plan's year as it stood at the end of a month.

    Attributes
    ----------
    assessment
        The year's list on the facts of the year before; what came later than the month is cut off.
    date
        The month, and the last year with annual facts.
    months
        Monthly tax by year, shape (n, 12).
    here
        The listed who are not gone by the month's end, shape (n,).
    """

    assessment: Assessment
    date: Date
    months: Months
    here: np.ndarray

    @property
    def end(self) -> str:
        """Last day of the month."""
        return self.date.end.strftime("%Y-%m-%d")


def view(ledger: Ledger, policy: Policy, date: Date, *, readings: Mapping[str, str] | None, inputs: Inputs) -> View:
    """Lay out a plan's year as of a month."""
    known = as_known(ledger, date)
    chosen, in_force = choose(policy, readings)
    made = assess_frame(
        known, chosen, date.year, date.facts_year, in_force, inputs, np.datetime64(date.end.strftime("%Y-%m-%d"))
    )
    return View(made, date, Months(made), made.standing.listed_here)


def bulletin_tables(
    ledger: Ledger,
    policy: Policy,
    as_of: str,
    *,
    level: str = "county",
    quotas: Mapping[str, float] | None = None,
    facts: Mapping[str, float] | None = None,
    readings: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the tables of a bulletin as of a month "YYYY-MM": meta, targets, enterprises, units, months, moves, warnings, pace, stamp.

    Raises
    ------
    ValueError
        ``as_of`` is no month, or the ledger has no annual figures before it.
    """
    year = int(as_of[:4])
    date = date_of(as_of, year, ledger)
    inputs = Inputs(level, dict(quotas or {}), dict(facts or {}))
    now = view(ledger, policy, date, readings=readings, inputs=inputs)
    before = view(ledger, policy, _before(date), readings=readings, inputs=inputs)
    by = "county" if level == "city" else "township"
    made, year, month = now.assessment, date.year, date.month
    firms, table = verdict.enterprises(made), units(now, by)
    pace = rankings.pace(made, month, now.here)
    moved = rankings.drivers(
        made.enterprises, now.months.alone(year, month), now.months.alone(year - 1, month), now.here
    )
    told = counts(made)
    about = {"kind": "bulletin", "cutoff": now.end, "month": month, "by": by, "final": None}
    return {
        "counts": told,
        "bridge": bridge(told),
        "could_turn": made.could_turn(),
        "meta": verdict.meta(made) | about,
        "targets": verdict.targets(made),
        "enterprises": firms,
        "criteria": verdict.criteria(made),
        "switches": verdict.switches(made),
        "units": table,
        "progress": rankings.progress(table),
        "drivers": moved,
        "months": months(now),
        "moves": moves(now, before),
        "warnings": warnings(now),
        "pace": pace.assign(by=pace["change"].abs()),
        "stamp": stamp(now, ledger, policy),
    }


def _before(date: Date) -> Date:
    """Return the month before; January's is December of the year before, still on the facts that the list is drawn on."""
    return Date(date.facts_year, date.year, date.month - 1) if date.month > 1 else date


def units(v: View, by: str) -> pd.DataFrame:
    """Set each unit's tax of the listed against the month before, the same month last year and schedule, on the same firms.

    Returns
    -------
    DataFrame
        unit ("" blank), whole, listed (still here), left (gone since the year began), n (with every month so far), now (tax of the month, 万元),
        on_month, on_year (its change on the month before and on last year's, each over firms with both), date (since January), asked (that
        the line asks of the year), share (date / asked), schedule (k/12), usual (part of a year that has come in by the month, earlier
        years), on_course,
        on_course_before (firms whose tax to date is at the usual part of their line), open and overdue
        cases, owners (who answers for its firms that are not on course, most first). Units by
        share, the least first; the whole last.
    """
    text = v.assessment.frame.book.text(by)
    listed = v.assessment.standing.listed.true
    rows = [_unit(v, unit, (text == unit), listed) for unit in sorted(set(text[listed].tolist()))]
    rows.sort(key=lambda r: (r["share"] is None, r["share"] or 0.0, r["unit"]))
    everyone = np.ones(len(text), dtype=bool)
    return pd.DataFrame([*rows, {**_unit(v, "", everyone, listed), "whole": True}], columns=UNITS).astype(
        {"share": object}
    )


def _unit(v: View, unit: str, mask: np.ndarray, listed: np.ndarray) -> dict[str, Any]:
    year, month, tax = v.date.year, v.date.month, v.months
    here = v.here & mask
    date, line = tax.to_date(year, month), tax.line
    full = here & ~np.isnan(date) & ~np.isnan(line)
    now, last_month, last_year = tax.alone(year, month), tax.alone(year, month - 1), tax.alone(year - 1, month)
    cases = case_rows(v.assessment, v.end)
    mine = cases[np.isin(cases["at"].to_numpy(), np.flatnonzero(here))]
    late = here & (tax.on_course(year, month, year) != 1)
    course = {k: tax.on_course(year, m, year) for k, m in (("on_course", month), ("on_course_before", month - 1))}
    asked, done = float(line[full].sum()), float(date[full].sum())
    return {
        "unit": unit,
        "whole": False,
        "listed": int(here.sum()),
        "left": int((listed & mask & ~v.here).sum()),
        "n": int(full.sum()),
        "now": float(now[here & ~np.isnan(now + last_month)].sum()),
        "on_month": _rise(now, last_month, here),
        "on_year": _rise(now, last_year, here),
        "date": done,
        "asked": asked,
        "share": done / asked if asked > 0 else None,
        "schedule": month / 12,
        "usual": tax.usual(year, month),
        **{k: int(np.nansum(c[full])) for k, c in course.items()},
        "open": int(mine["open"].sum()),
        "overdue": int(mine["overdue"].sum()),
        "owners": rankings.owners(responsible(v.assessment, v.end), late),
    }


def _rise(now: np.ndarray, before: np.ndarray, mask: np.ndarray) -> float | None:
    """Return the change of a sum over the firms with both figures, None where the base is not positive."""
    both = mask & ~np.isnan(now) & ~np.isnan(before)
    base = float(before[both].sum())
    return float(now[both].sum()) / base - 1 if base > 0 else None


def months(v: View) -> pd.DataFrame:
    """Return the tax of the 规上 in scope month by month, this year's beside last year's, over firms with both: MONTHS, 万元."""
    frame, tax, year = v.assessment.frame, v.months, v.date.year
    standing = v.assessment.standing
    mask = frame.above.true & standing.in_scope.possible & ~standing.gone.true
    rows, so_far = list[Any](), np.zeros(2)
    for month in range(1, v.date.month + 1):
        a, b = tax.alone(year, month), tax.alone(year - 1, month)
        both = mask & ~np.isnan(a) & ~np.isnan(b)
        now, old = float(a[both].sum()), float(b[both].sum())
        so_far += (now, old)
        rows.append(
            (
                month,
                int(both.sum()),
                now,
                old,
                now / old - 1 if old > 0 else None,
                *so_far.tolist(),
                so_far[0] / so_far[1] - 1 if so_far[1] > 0 else None,
            )
        )
    return pd.DataFrame(rows, columns=MONTHS).astype({"change": object, "so_far": object})


def moves(now: View, before: View) -> pd.DataFrame:
    """Count what happened since the month before, with names: cases begun and ended, firms on and off course, steps taken."""
    start, end = before.date.end, now.date.end
    if start == end:
        start = start - pd.offsets.MonthEnd(1)
    cases = case_rows(now.assessment, now.end)
    within = {
        k: cases[(cases[k] > start) & (cases[k] <= end)]["credit_code"].tolist()
        for k in ("started", "finished", "written_off")
    }
    year, month = now.date.year, now.date.month
    a, b = now.months.on_course(year, month, year), now.months.on_course(year, month - 1, year)
    codes = now.assessment.frame.book.codes
    found = {
        **within,
        "on_course": codes[now.here & (a == 1) & (b == 0)].tolist(),
        "off_course": codes[now.here & (a == 0) & (b == 1)].tolist(),
    }
    process = now.assessment.ledger.process
    for step in ("notified", "certified", "published", "plan_approved"):
        if step in process:
            found[step] = process.loc[
                ((process[step] > start) & (process[step] <= end)).to_numpy(dtype=bool), "credit_code"
            ].tolist()
    names = dict(zip(codes.tolist(), now.assessment.enterprises["name"].tolist(), strict=True))
    rows = [
        (k, *MOVE[k], len(v), [str(names.get(code) or code) for code in sorted(set(v))[:NAMED]])
        for k, v in found.items()
    ]
    return pd.DataFrame(rows, columns=MOVES)


def warnings(v: View) -> pd.DataFrame:
    """List whom to warn: off course this month, no tax in the month, and those to be pressed by the stated rule.

    Returns
    -------
    DataFrame
        Who, reasons (off_course, no_tax, and those of `duties.pressed`), date and asked (万元), responsible; most reasons first.
    """
    made, year, month, tax = v.assessment, v.date.year, v.date.month, v.months
    late = duties.pressed(made, v.end).set_index("credit_code")
    a, b = tax.on_course(year, month, year), tax.on_course(year, month - 1, year)
    now, last = tax.alone(year, month), tax.alone(year, month - 1)
    date = tax.to_date(year, month)
    marks = {"off_course": (a == 0) & (b == 1), "no_tax": (now <= 0) & (last > 0)}
    firms = made.enterprises
    rows: list[Any] = []
    for i in np.flatnonzero(v.here):
        code = str(made.frame.book.codes[i])
        pressed = late["reasons"].get(code) if code in late.index and a[i] != 1 else None
        reasons = [k for k, mask in marks.items() if mask[i]] + list(pressed or [])
        if reasons:
            who = [firms[k].iloc[i] for k in WARNINGS[:4]]
            rows.append((*who, reasons, _known(date[i]), _known(tax.line[i]), late["responsible"].get(code) or who[2]))
    table = pd.DataFrame(rows, columns=WARNINGS)
    order = (
        table.assign(k=[-len(r) for r in table["reasons"]])
        .sort_values(["k", "township", "credit_code"], kind="stable")
        .index
    )
    return table.loc[order].reset_index(drop=True)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def stamp(v: View, ledger: Ledger, policy: Policy) -> dict[str, Any]:
    """Return by what the next bulletin tells what moved its figures: the rule and each month's tax by year, as hashes and sums."""
    rule = hashlib.sha256(
        json.dumps(policy.model_dump(mode="json"), sort_keys=True, ensure_ascii=False).encode()
    ).hexdigest()
    taxes = {
        f"{year}-{month:02d}": round(float(np.nansum(v.months.alone(year, month))), 6)
        for year in (v.date.year - 1, v.date.year)
        for month in range(1, 13)
        if (year, month) <= (v.date.year, v.date.month)
    }
    facts = ledger.annual[ledger.annual["year"] <= v.date.facts_year]
    return {
        "as_of": str(v.date),
        "rule": rule,
        "readings": dict(sorted(v.assessment.readings.items())),
        "months": taxes,
        "annual": round(float(facts["tax_wan"].sum()), 6) if "tax_wan" in facts else None,
        "annual_rows": len(facts),
        "listed": int(v.here.sum()),
    }
