"""Checks across the sheets: what belongs to no enterprise, what is missing, which codes and names are odd (核对)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import PLACE, Ledger, each, isin, of_sheet, ranks
from lyeval.ledger.faults import LIMIT, Fault, Faults
from lyeval.ledger.headings import find, take_apart
from lyeval.ledger.vocabulary import check_digits


def check(frames: Mapping[str, pd.DataFrame], names: Sequence[pd.DataFrame], file: str, faults: Faults) -> None:
    """Check the frames of one ledger against each other.

    Parameters
    ----------
    frames : Mapping
        Sheet → frame.
    names : sequence of DataFrame
        Rows of other sheets that give a name beside the credit code.
    file : str
        Name under which faults of the whole ledger are told.
    """
    enterprises = frames.get("enterprises")
    if enterprises is None:
        if not faults.errors():
            faults.add("no_enterprises", file)
        return
    known = enterprises["credit_code"]
    for sheet, frame in frames.items():
        if sheet != "enterprises" and "credit_code" in frame:
            _tell_orphans(frame, known, faults)
    _tell_check_digits(enterprises, file, faults)
    _tell_same_names(enterprises, faults)
    for frame in names:
        _tell_other_names(enterprises, frame, faults)
    annual = frames.get("annual")
    if annual is None:
        faults.add("missing_column", file, column="年度", column_en="annual")
        return
    _tell_missing(annual, file, faults)
    check_scale(annual, file, faults)
    without = ~isin(known, annual["credit_code"])
    _tell(enterprises[without], "no_annual", faults)


def _tell(rows: pd.DataFrame, rule: str, faults: Faults, column: str = "") -> None:
    """Tell one fault per row; beyond ``LIMIT`` the last one stands for the rest."""
    heading = of_sheet("annual")[column].zh if column else ""
    if column:
        told = {
            (f.sheet, row)
            for f in faults.items
            if f.rule in TOLD_ALREADY and _names(f.heading, column)
            for row in f.params.get("covers", (f.row,))
        }
        places = zip(rows["source_sheet"], rows["source_row"], strict=True)
        rows = rows[[place not in told for place in places]] if told else rows
    for count, row in enumerate(each(rows.head(LIMIT + 1))):
        more = {"code": row.credit_code} | ({"year": int(row.year)} if "year" in rows else {})
        if count == LIMIT:
            more["count"] = len(rows) - LIMIT
        faults.add(rule, row.source_file, row.source_sheet, row=row.source_row, heading=heading, **more)


def _names(heading: str, column: str) -> bool:
    """Whether a heading names an annual column."""
    return any(found.name == column for found in find(take_apart(heading), "annual").columns)


def _tell_orphans(frame: pd.DataFrame, known: pd.Series, faults: Faults) -> None:
    """Tell rows whose code is no enterprise's."""
    lost = ~isin(frame["credit_code"], known)
    if lost.any():
        _tell(frame[lost], "orphan", faults)


def _tell_check_digits(enterprises: pd.DataFrame, file: str, faults: Faults) -> None:
    """Tell in one line how many codes fail their check digit."""
    codes = enterprises["credit_code"].tolist()
    wrong = np.flatnonzero(~check_digits(codes))
    if len(wrong):
        first = enterprises.iloc[wrong[0]]
        more = {"count": len(wrong), "code": codes[wrong[0]]}
        faults.add("check_digit", first.source_file, first.source_sheet, heading="统一社会信用代码", **more)


def _tell_same_names(enterprises: pd.DataFrame, faults: Faults) -> None:
    """Tell names that two codes share."""
    if "name" not in enterprises:
        return
    again = enterprises["name"].duplicated(keep=False) & enterprises["name"].notna()
    rows = enterprises[again.to_numpy()].sort_values(["name", "credit_code"], kind="stable")
    for name, group in rows.groupby("name", sort=True):
        other = group["credit_code"].iloc[0]
        for row in each(group.iloc[1:]):
            faults.add("same_name", row.source_file, row.source_sheet, row=row.source_row, name=name, other=other)


def _tell_other_names(enterprises: pd.DataFrame, rows: pd.DataFrame, faults: Faults) -> None:
    """Tell rows whose name is not that of their code, up to width, spaces and brackets."""
    if "name" not in enterprises:
        return
    pairs = rows.dropna(subset=["name"]).drop_duplicates(["credit_code", "name"])
    both = pairs.merge(enterprises[["credit_code", "name"]], on="credit_code", suffixes=("", "_own"))
    both = both[(both["name"] != both["name_own"]).to_numpy(bool) & both["name_own"].notna().to_numpy()]
    former = {}
    if "aliases" in enterprises and len(both):
        former = dict(enterprises[["credit_code", "aliases"]].dropna().itertuples(index=False, name=None))
    for row in each(both):
        if _same(row.name, row.name_own) or row.name in re.split("[、；;，,/]", former.get(row.credit_code, "")):
            continue
        more = {"code": row.credit_code, "other": row.name_own}
        faults.add("two_names", row.source_file, row.source_sheet, row=row.source_row, value=row.name, **more)


def _same(first: str, second: str) -> bool:
    """Whether two names are one, up to width, spaces and brackets."""
    forms = [re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", name)).lower() for name in (first, second)]
    return forms[0] == forms[1]


def _tell_missing(annual: pd.DataFrame, file: str, faults: Faults) -> None:
    """Tell blank tax and land, and columns that are not there at all."""
    for name, rule in (("tax_wan", "missing_tax"), ("land_mu", "missing_land")):
        column = of_sheet("annual")[name]
        if name not in annual:
            if name == "tax_wan" or "approved_mu" not in annual:
                faults.add("missing_column", file, column=column.zh, column_en=column.en)
            continue
        blank = annual[name].isna()
        if name == "land_mu" and "approved_mu" in annual:
            approved = annual["approved_mu"].notna()
            _tell(annual[(blank & approved).to_numpy()], "land_blank", faults, name)
            blank &= ~approved
        _tell(annual[blank.to_numpy()], rule, faults, name)
    if "above_scale" not in annual:
        faults.add("missing_column", file, column="规上", column_en="above scale")


TOLD_ALREADY = ("number_unreadable", "cell_error", "formula_blank", "merged_figure")


def check_scale(annual: pd.DataFrame, file: str, faults: Faults) -> None:
    """Tell figures that look as if they were in another unit than their column.

    A row is told when it stands to the same firm's figure of the year before, or after, as one unit to the other; a
    column when its median is beyond what any county's firms have. Each is told with the other row and value.

    Parameters
    ----------
    annual : DataFrame
        Annual rows, sorted by ``credit_code`` and ``year``.
    """
    ids = ranks(annual["credit_code"])
    neighbours = ids[1:] == ids[:-1]
    for name, column in of_sheet("annual").items():
        slip = column.slip
        if slip is None or name not in annual:
            continue
        _tell_rows(annual, name, neighbours, slip.ratio, slip.spread, slip.unit, faults)
        if slip.median is not None and len(annual) >= 5:
            median = float(annual[name].median())
            if median > slip.median:
                more = {"median": f"{median:.6g}", "unit": column.unit, "slip": slip.unit}
                heading = {"heading": column.zh, "column": column.zh, "column_en": column.en}
                faults.add("scale_column", file, str(annual["source_sheet"].iloc[0]), **heading, **more)


def _tell_rows(
    annual: pd.DataFrame, name: str, neighbours: np.ndarray, ratio: float, spread: float, unit: str, faults: Faults
) -> None:
    """Tell the rows of one column that jump by a unit's ratio."""
    values = annual[name].to_numpy()
    with np.errstate(all="ignore"):
        step = values[1:] / values[:-1]
    near = neighbours & (values[1:] > 0) & (values[:-1] > 0)
    up = near & (step > ratio / spread) & (step < ratio * spread)
    down = near & (step < spread / ratio) & (step > 1 / ratio / spread)
    back = np.append(False, up[:-1])
    odd = np.flatnonzero(up) + 1
    before = np.flatnonzero(down & ~back)
    pairs = sorted([(int(i), int(i) - 1) for i in odd] + [(int(i), int(i) + 1) for i in before])
    column = of_sheet("annual")[name]
    told = annual[["credit_code", "year", name, *PLACE]].rename(columns={name: "figure"})
    rows, others = (each(told.take([pair[i] for pair in pairs[: LIMIT + 1]])) for i in (0, 1))
    for count, (row, beside) in enumerate(zip(rows, others, strict=True)):
        more = {"other": f"{beside.figure:.10g}", "other_row": int(beside.source_row), "other_year": int(beside.year)}
        more |= {"code": row.credit_code, "year": int(row.year), "unit": column.unit, "slip": unit}
        if count == LIMIT:
            more["count"] = len(pairs) - LIMIT
        place = {"row": row.source_row, "heading": column.zh, "value": row.figure}
        faults.add("scale_row", row.source_file, row.source_sheet, **place, **more)


CLOSED = ("关停", "清退", "注销")


Lines = Mapping[tuple[int, bool], float]


Term = tuple[int, str]


def audit(ledger: Ledger, lines: Lines | None = None, term: Term | None = (15, "calendar")) -> tuple[Fault, ...]:
    """Return the warnings of the auditor's cross-checks, each with its rows.

    Parameters
    ----------
    lines : Mapping, optional
        (year, whether 规上) → the line of tax per mu (万元/亩) that 达标 means (`lyeval.assessment.class_lines`); with it, 达标
        below the line is told.
    term : (int, str), optional
        The days of the statement (陈述期) and their kind, calendar or working, as the plan and its reading say; None: it has none.
    """
    faults = Faults()
    for check in CHECKS:
        check(ledger, faults)
    if term:
        _certified_early(ledger, term, faults)
    if lines:
        _below_the_line(ledger, lines, faults)
    return tuple(faults.items)


def _tell_params(rows: pd.DataFrame, rule: str, faults: Faults, **params: Callable[[Any], Any]) -> None:
    """Tell one fault per row, its params computed from the row; beyond ``LIMIT`` the last stands for the rest."""
    for count, row in enumerate(rows.head(LIMIT + 1).itertuples(index=False)):
        more = {name: value(row) for name, value in params.items()}
        if count == LIMIT:
            more["count"] = len(rows) - LIMIT
        place = {"row": row.source_row, "code": row.credit_code}
        faults.add(rule, str(row.source_file), str(row.source_sheet), **place, **more)


def _closed_but_active(ledger: Ledger, faults: Faults) -> None:
    """Tell firms closed in an earlier year whose later rows pay tax or use power."""
    if not {"outcome", "finished"} <= set(ledger.disposals):
        return
    rows = ledger.disposals
    closed = rows[(rows["outcome"].isin(CLOSED) & rows["finished"].notna()).to_numpy(dtype=bool)]
    first = closed.groupby("credit_code", as_index=False)["finished"].min()
    annual = ledger.annual.merge(first, on="credit_code")
    later = (annual["year"] > annual["finished"].dt.year).to_numpy()
    active = np.zeros(len(annual), dtype=bool)
    for name in ("tax_wan", "power_wankwh"):
        if name in annual:
            active |= (annual[name] > 0).to_numpy()
    _tell_params(annual[later & active], "closed_active", faults, year=_year, finished=_day("finished"))


def _method_against_outcome(ledger: Ledger, faults: Faults) -> None:
    """Tell upgrades that ended in closure and closures that ended in reaching the line."""
    if not {"outcome", "method"} <= set(ledger.disposals):
        return
    rows = ledger.disposals
    raised = rows["method"].isin(["upgrade", "rectify"]) & rows["outcome"].isin(CLOSED)
    shut = (rows["method"] == "shut_down") & (rows["outcome"] == "达标")
    odd = rows[(raised | shut).to_numpy(dtype=bool)]
    _tell_params(odd, "method_outcome", faults, method=lambda r: r.method_text, outcome=lambda r: r.outcome_text)


def _certified_early(ledger: Ledger, term: Term, faults: Faults) -> None:
    """Tell certifications before the days of the statement were over, where no statement was made."""
    rows = ledger.process
    if not {"notified", "certified"} <= set(rows):
        return
    days, kind = term
    both = rows["notified"].notna() & rows["certified"].notna()
    start = rows["notified"].where(both, pd.Timestamp("2000-01-03")).to_numpy(dtype="datetime64[D]")
    last = start + days if kind == "calendar" else np.busday_offset(start, days, roll="backward")
    early = both & (rows["certified"].to_numpy(dtype="datetime64[D]") < last)
    silent = rows["statement"].isna() if "statement" in rows else pd.Series(True, index=rows.index)
    _tell_params(
        rows[(early & silent).to_numpy()],
        "certified_early",
        faults,
        days=lambda row: f"{days}{'个工作日' if kind == 'working' else '日'}",
        days_en=lambda row: f"{days} {'working days' if kind == 'working' else 'days'}",
        notified=_day("notified"),
        certified=_day("certified"),
    )


def _written_off_unaccepted(ledger: Ledger, faults: Faults) -> None:
    """Tell firms written off without an acceptance in the process sheet."""
    accepted = [name for name in ("first_accept", "recognised") if name in ledger.process]
    if "written_off" not in ledger.disposals or not accepted:
        return
    known = ledger.process.loc[ledger.process[accepted].notna().any(axis=1), "credit_code"]
    rows = ledger.disposals
    odd = rows["written_off"].notna() & ~rows["credit_code"].isin(known)
    _tell_params(rows[odd.to_numpy()], "written_off_unaccepted", faults, date=_day("written_off"))


def _dates_in_order(ledger: Ledger, faults: Faults) -> None:
    """Tell disposals that finished before they started."""
    if not {"started", "finished"} <= set(ledger.disposals):
        return
    rows = ledger.disposals
    odd = rows[(rows["finished"] < rows["started"]).to_numpy()]
    _tell_params(odd, "date_order", faults, started=_day("started"), finished=_day("finished"))


def _reported_ratio(ledger: Ledger, faults: Faults) -> None:
    """Tell reported tax per mu (亩均税收) that is not tax over land, beyond rounding."""
    annual = ledger.annual
    if not {"tax_per_mu_reported", "tax_wan", "land_mu"} <= set(annual):
        return
    ratio = annual["tax_wan"] / annual["land_mu"].where(annual["land_mu"] > 0)
    gap = (annual["tax_per_mu_reported"] - ratio).abs()
    rows = annual.assign(ratio=ratio)[(gap > 0.006 + 0.01 * ratio.abs()).to_numpy()]
    told = {"reported": lambda r: f"{r.tax_per_mu_reported:.4g}", "ratio": lambda r: f"{r.ratio:.4g}"}
    _tell_params(rows, "ratio_differs", faults, year=_year, **told)


def _tripled(ledger: Ledger, faults: Faults) -> None:
    """Tell tax per mu that tripled within a year, by 1 万元/亩 or more."""
    annual = ledger.annual
    if not {"tax_wan", "land_mu"} <= set(annual):
        return
    ratio = annual["tax_wan"] / annual["land_mu"].where(annual["land_mu"] > 0)
    before = ratio.shift(1)
    next_year = (annual["credit_code"] == annual["credit_code"].shift(1)) & (
        annual["year"] == annual["year"].shift(1) + 1
    )
    odd = next_year & (before > 0) & (ratio >= 3 * before) & (ratio - before >= 1)
    rows = annual.assign(ratio=ratio, before=before)[odd.to_numpy(dtype=bool)]
    told = {"before": lambda r: f"{r.before:.4g}", "ratio": lambda r: f"{r.ratio:.4g}"}
    _tell_params(rows, "tripled", faults, year=_year, **told)


def _below_the_line(ledger: Ledger, lines: Lines, faults: Faults) -> None:
    """Tell firms recorded as 达标 whose tax per mu of that year is below their class's line; no class: the lower line."""
    if not {"outcome", "finished"} <= set(ledger.disposals) or not {"tax_wan", "land_mu"} <= set(ledger.annual):
        return
    rows = ledger.disposals
    reached = rows[((rows["outcome"] == "达标") & rows["finished"].notna()).to_numpy(dtype=bool)]
    reached = reached.assign(year=reached["finished"].dt.year.astype("int64"))
    names = [n for n in ("credit_code", "year", "tax_wan", "land_mu", "above_scale") if n in ledger.annual]
    both = reached.merge(ledger.annual[names], on=["credit_code", "year"])
    ratio = both["tax_wan"] / both["land_mu"].where(both["land_mu"] > 0)
    above, below = (both["year"].map({y: v for (y, a), v in lines.items() if a is c}) for c in (True, False))
    scale = both["above_scale"] if "above_scale" in both else pd.Series(pd.NA, index=both.index, dtype="boolean")
    lower = pd.Series(np.fmin(above, below))
    line = above.where(scale.fillna(False).to_numpy(), below).where(scale.notna().to_numpy(), lower)
    both = both.assign(ratio=ratio, line=line)[(ratio < line * (1 - 1e-9)).to_numpy()]
    told = {"ratio": lambda r: f"{r.ratio:.4g}", "line": lambda r: f"{r.line:g}"}
    _tell_params(both, "reached_below_line", faults, year=_year, **told)


def _year(row: Any) -> int:
    """Return a row's year."""
    return int(row.year)


def _day(name: str) -> Callable[[Any], str]:
    """Return how to show a row's date."""
    return lambda row: f"{getattr(row, name):%Y-%m-%d}"


CHECKS: tuple[Callable[[Ledger, Faults], None], ...] = (
    _closed_but_active,
    _method_against_outcome,
    _written_off_unaccepted,
    _dates_in_order,
    _reported_ratio,
    _tripled,
)
