"""Tables of disposals (处置): each case at the year's end, per method a stock that closes; years, methods and steps of the listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment
from lyeval.assessment.conditions import decide
from lyeval.assessment.dossier import deadline
from lyeval.assessment.enterprises import line_of_class
from lyeval.assessment.frame import land_of, tax_of, under
from lyeval.indicators import cases, year_end


def disposals(assessment: Assessment) -> pd.DataFrame:
    """Return one row per disposal on record by the year's end, with its state then.

    Returns
    -------
    DataFrame
        credit_code, name, township, class, listed, method (the plan's id, or the canonical one), label, label_en, clause, started, due,
        finished, outcome, state (open, finished, earlier, not_started), new (started in the year), overdue, undated (an outcome without its
        date), released_mu, demolished_m2 (both of the year), upgraded, responsible, difficulty, next_step. Dates after the year's end are
        left out: what happened later was not known.
    """
    frame, sheet = assessment.frame, assessment.ledger.disposals
    rows, end, start = cases(frame.book), year_end(assessment.year), year_end(assessment.year - 1)
    at = rows.at
    began, done = _day(sheet, "started"), rows.finished
    began = np.where(np.isnat(began) | ~(began > done), began, done)
    standing = assessment.standing
    finished, still, outcome = standing.case("finished"), standing.case("open"), rows.outcome_on(end)
    earlier = finished & (done <= start)
    idle = still & np.isnat(began) & (rows.outcome == "未启动")
    state = np.where(earlier, "earlier", np.where(finished, "finished", np.where(idle, "not_started", "open")))
    table = pd.DataFrame(
        {
            "credit_code": frame.book.codes[at],
            "name": frame.book.text("name")[at],
            "township": frame.book.text("township")[at],
            "class": assessment.enterprises["class"].to_numpy(dtype=object)[at],
            "listed": standing.listed.true[at],
            **_labels(assessment, rows.method, sheet),
            "started": _until(began, end),
            "due": _day(sheet, "due").astype("datetime64[us]"),
            "finished": _until(done, end),
            "outcome": np.where(finished | np.isin(outcome, ("未启动", "未完成")), outcome, "进行中"),
            "state": state,
            "new": (began > start) & (began <= end),
            "overdue": standing.case("overdue"),
            "undated": rows.undated,
            "released_mu": np.where(finished & ~earlier, rows.released, np.nan),
            "demolished_m2": np.where(_demolished_on(sheet, start, end), _number(sheet, "demolished_m2"), np.nan),
        }
    )
    for column in ("upgraded", "responsible", "difficulty", "next_step"):
        if column in sheet:
            table[column] = sheet[column].array
    return table[finished | still].reset_index(drop=True)


def _labels(assessment: Assessment, methods: np.ndarray, sheet: pd.DataFrame) -> dict[str, list[str]]:
    """Name each case's method in the plan's words; one that the plan does not know keeps the ledger's words."""
    known = {m.method: m for m in reversed(assessment.policy.methods)}
    written = sheet["method_text"].fillna("").tolist() if "method_text" in sheet else [""] * len(methods)
    out: dict[str, list[str]] = {"method": [], "label": [], "label_en": [], "clause": []}
    for name, text in zip(methods.tolist(), written, strict=True):
        method = known.get(name)
        said = text or (name if isinstance(name, str) else "")
        out["method"].append(method.id if method else "")
        out["label"].append(method.label if method else said)
        out["label_en"].append(method.label_en if method else said)
        out["clause"].append("；".join(method.cite) if method else "")
    return out


def _day(sheet: pd.DataFrame, column: str) -> np.ndarray:
    if column not in sheet:
        return np.full(len(sheet), np.datetime64("NaT"), dtype="datetime64[D]")
    return sheet[column].to_numpy(dtype="datetime64[D]")


def _number(sheet: pd.DataFrame, column: str) -> np.ndarray:
    return sheet[column].to_numpy(dtype=float, na_value=np.nan) if column in sheet else np.full(len(sheet), np.nan)


def _until(days: np.ndarray, end: np.datetime64) -> np.ndarray:
    """Blank the dates after ``end``."""
    return np.where(days <= end, days, np.datetime64("NaT")).astype("datetime64[us]")


def _demolished_on(sheet: pd.DataFrame, start: np.datetime64, end: np.datetime64) -> np.ndarray:
    """Tell which demolitions fall within the year: by their own date, else the disposal's."""
    own, done = _day(sheet, "demolished_on"), _day(sheet, "finished")
    day = np.where(np.isnat(own), done, own)
    return (day > start) & (day <= end)


def summary(assessment: Assessment, rows: pd.DataFrame) -> pd.DataFrame:
    """Sum disposals per method of the plan.

    Returns
    -------
    DataFrame
        method, label, label_en, clause, opening, started, finished, closing (opening + started − finished), overdue, undated, not_started,
        enterprises (with a case open in the year), released_mu, demolished_m2, outcomes (outcome → number, of those finished in the year); last
        the row ``all``.

    Raises
    ------
    ArithmeticError
        A method's stock does not close.
    """
    groups = [(m.id, m.label, m.label_en, "；".join(m.cite)) for m in assessment.policy.methods]
    other = rows[rows["method"] == ""]
    groups += [("", label, label, "") for label in sorted(other["label"].unique())]
    out: list[Any] = []
    for id, label, zh_en, clause in groups:
        mine = rows[(rows["method"] == id) & (rows["label"] == label)]
        out.append({"method": id, "label": label, "label_en": zh_en, "clause": clause, **_counts(mine)})
    out.append({"method": "all", "label": "合计", "label_en": "Total", "clause": "", **_counts(rows)})
    return pd.DataFrame(out)


def _counts(rows: pd.DataFrame) -> dict[str, object]:
    live = rows[rows["state"].isin(["open", "finished"])]
    done, still = live[live["state"] == "finished"], live[live["state"] == "open"]
    opening, started = int((~live["new"]).sum()), int(live["new"].sum())
    if opening + started - len(done) != len(still):
        raise ArithmeticError(
            f"处置存量不闭合 / disposals do not close: {opening} + {started} - {len(done)} != {len(still)}"
        )
    by = done["outcome"].value_counts()
    return {
        "opening": opening,
        "started": started,
        "finished": len(done),
        "closing": len(still),
        "overdue": int(rows["overdue"].sum()),
        "undated": int(rows["undated"].sum()),
        "not_started": int((rows["state"] == "not_started").sum()),
        "enterprises": live["credit_code"].nunique(),
        "released_mu": float(rows["released_mu"].sum()),
        "demolished_m2": float(rows["demolished_m2"].sum()),
        "outcomes": {str(k): int(n) for k, n in sorted(by.to_dict().items())},
    }


def progress(assessment: Assessment) -> list[list[str | None]]:
    """Return for each enterprise the method (label in both languages) and state of its latest disposal by the year's end."""
    rows = disposals(assessment)
    rows = rows[rows["state"] != "not_started"]
    rows = rows.assign(at=rows["started"].fillna(pd.Timestamp("1900-01-01"))).sort_values("at", kind="stable")
    last = rows.drop_duplicates("credit_code", keep="last").set_index("credit_code")
    known = [last[column].to_dict() for column in ("label", "label_en", "outcome")]
    return [[values.get(code) for code in assessment.frame.book.codes.tolist()] for values in known]


def changes(assessment: Assessment) -> pd.DataFrame:
    """Set the tax of the listed beside what enterprises of the same band do when nobody lists them.

    Returns
    -------
    DataFrame
        group (listed; unlisted: below the line in the year before, but excluded or out of scope; usual: below the line in an earlier year,
        before the first list), year (of the later figure), n, tax_before, tax_after (万元), land_before, land_after (亩), rise (share; None
        where the earlier sum is not positive). In each group only those still here with both years' tax and land known.
    """
    frame, policy = assessment.frame, assessment.policy
    listed = assessment.standing.listed
    rows = [_change("listed", assessment.year, assessment, listed.true)]
    rows.append(_change("unlisted", assessment.year, assessment, ~listed.possible))
    first = min(policy.years.identification)
    everyone = np.ones(len(frame.book), dtype=bool)
    rows += [
        _change("usual", y, assessment, everyone) for y in frame.book.years if y < first and y - 1 in frame.book.years
    ]
    return pd.DataFrame(rows)


def _change(group: str, year: int, assessment: Assessment, mask: np.ndarray) -> dict[str, object]:
    from lyeval.assessment import Frame

    policy, book, line = assessment.policy, assessment.frame.book, assessment.frame.before.line
    tax = [tax_of(policy, book, y) for y in (year - 1, year)]
    land = [land_of(policy, book, y) for y in (year - 1, year)]
    here = ~Frame(policy, book, year, year).exits.gone.true
    known = ~np.isnan(tax[0] + tax[1] + land[0] + land[1])
    band = mask & known & here & under(tax[0] / land[0], line).true
    before, after = float(tax[0][band].sum()), float(tax[1][band].sum())
    return {
        "group": group,
        "year": year,
        "n": int(band.sum()),
        "tax_before": before,
        "tax_after": after,
        "land_before": float(land[0][band].sum()),
        "land_after": float(land[1][band].sum()),
        "rise": after / before - 1 if before > 0 else None,
    }


YEARS = ["credit_code", "year", "above_scale", "land_mu", "tax_wan", "tax_per_mu", "line"]
METHODS = ["credit_code", "method", "label", "label_en", "clause", "lawful", "owed"]
STEPS = ["credit_code", "step", "label", "label_en", "on", "due", "clause"]
PROCEDURE = ["step", "label", "label_en", "days", "day_kind", "after", "clause"]


def case_files(assessment: Assessment) -> dict[str, pd.DataFrame]:
    """Return ``file_years``, ``file_methods``, ``file_steps`` of the listed, by credit code, and the plan's ``procedure``."""
    at = np.flatnonzero(assessment.standing.listed.true)
    steps = [
        (s.id, s.label, s.label_en, s.days, s.day_kind, s.after, "；".join(s.cite)) for s in assessment.policy.steps
    ]
    return {
        "file_years": _years(assessment, at),
        "file_methods": _methods(assessment, at),
        "file_steps": _steps(assessment, at),
        "procedure": pd.DataFrame(steps, columns=PROCEDURE, dtype=object),
    }


def _years(assessment: Assessment, at: np.ndarray) -> pd.DataFrame:
    """Return tax and land of each listed enterprise and year up to the facts' year, with the line of the year assessed."""
    frame, parts = assessment.frame, list[Any]()
    line = line_of_class(frame)[at]
    for year in (y for y in frame.book.years if y <= frame.facts_year):
        tax, land = tax_of(frame.policy, frame.book, year)[at], land_of(frame.policy, frame.book, year)[at]
        above = frame.book.annual_flag("above_scale", year).objects()[at]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(land > 0, tax / land, np.nan)
        parts.append(
            pd.DataFrame(dict(zip(YEARS, (frame.book.codes[at], year, above, land, tax, ratio, line), strict=True)))
        )
    return _by_code(pd.concat(parts) if parts else pd.DataFrame(columns=YEARS), "year")


def _methods(assessment: Assessment, at: np.ndarray) -> pd.DataFrame:
    """Return each way of disposal with whether it is lawful for the enterprise (None: not known) and how many papers it still owes."""
    frame, parts = assessment.frame, list[Any]()
    came = _papers(assessment)
    for place, m in enumerate(frame.policy.methods):
        facts = np.full(len(frame.book), True) if m.when is None else decide(m.when, frame.reported).objects()
        owed = [len(set(m.papers) - came.get(code, set())) for code in frame.book.codes[at]]
        values = (frame.book.codes[at], m.id, m.label, m.label_en, "；".join(m.cite), facts[at], owed)
        parts.append(pd.DataFrame(dict(zip(METHODS, values, strict=True))).assign(place=place))
    made = pd.concat(parts) if parts else pd.DataFrame(columns=[*METHODS, "place"])
    return _by_code(made.astype({"lawful": object}), "place").drop(columns="place")


def _papers(assessment: Assessment) -> dict[str, set[str]]:
    """Return the papers that have come, by credit code."""
    sheet, end = assessment.ledger.papers, year_end(assessment.year)
    if "paper" not in sheet or not len(sheet):
        return {}
    if "received" in sheet:
        sheet: pd.DataFrame = sheet[sheet["received"].to_numpy(dtype="datetime64[D]") <= end]
    return {str(code): set(rows["paper"].dropna()) for code, rows in sheet.groupby("credit_code", sort=True)}


def _steps(assessment: Assessment, at: np.ndarray) -> pd.DataFrame:
    """Return the procedure's steps with the day each was taken by the year's end, and the last day where the plan counts days."""
    end, rows = year_end(assessment.year), list[Any]()
    sheet = assessment.ledger.process.drop_duplicates("credit_code", keep="last").set_index("credit_code")
    columns = {s.id: "first_accept" if s.id == "accepted" else s.id for s in assessment.policy.steps}
    days = {k: sheet[v].to_dict() if v in sheet else {} for k, v in columns.items()}
    for code in assessment.frame.book.codes[at].tolist():
        done = {k: _until_end(values.get(code), end) for k, values in days.items()}
        for s in assessment.policy.steps:
            start = done.get(s.after) if s.after else None
            due = None if s.days is None or start is None else deadline(start, s.days, s.day_kind)
            rows.append((code, s.id, s.label, s.label_en, done[s.id], due, "；".join(s.cite)))
    table = pd.DataFrame(rows, columns=STEPS, dtype=object)
    for name in ("on", "due"):
        table[name] = pd.to_datetime(table[name]).astype("datetime64[us]")
    return table


def _until_end(value: Any, end: np.datetime64) -> pd.Timestamp | None:
    """Return a day no later than ``end``, else None."""
    return None if value is None or pd.isna(value) or pd.Timestamp(value) > pd.Timestamp(end) else pd.Timestamp(value)


def _by_code(table: pd.DataFrame, then: str) -> pd.DataFrame:
    return table.sort_values(["credit_code", then], kind="stable", ignore_index=True)
