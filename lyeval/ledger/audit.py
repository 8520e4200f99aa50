"""What an auditor would ask (审计核对): rows that do not go together, though each can be read. All warnings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.faults import LIMIT, Fault, Faults
from lyeval.ledger.model import Ledger

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


def _tell(rows: pd.DataFrame, rule: str, faults: Faults, **params: Callable[[Any], Any]) -> None:
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
    _tell(annual[later & active], "closed_active", faults, year=_year, finished=_day("finished"))


def _method_against_outcome(ledger: Ledger, faults: Faults) -> None:
    """Tell upgrades that ended in closure and closures that ended in reaching the line."""
    if not {"outcome", "method"} <= set(ledger.disposals):
        return
    rows = ledger.disposals
    raised = rows["method"].isin(["upgrade", "rectify"]) & rows["outcome"].isin(CLOSED)
    shut = (rows["method"] == "shut_down") & (rows["outcome"] == "达标")
    odd = rows[(raised | shut).to_numpy(dtype=bool)]
    _tell(odd, "method_outcome", faults, method=lambda r: r.method_text, outcome=lambda r: r.outcome_text)


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
    _tell(
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
    _tell(rows[odd.to_numpy()], "written_off_unaccepted", faults, date=_day("written_off"))


def _dates_in_order(ledger: Ledger, faults: Faults) -> None:
    """Tell disposals that finished before they started."""
    if not {"started", "finished"} <= set(ledger.disposals):
        return
    rows = ledger.disposals
    odd = rows[(rows["finished"] < rows["started"]).to_numpy()]
    _tell(odd, "date_order", faults, started=_day("started"), finished=_day("finished"))


def _reported_ratio(ledger: Ledger, faults: Faults) -> None:
    """Tell reported tax per mu (亩均税收) that is not tax over land, beyond rounding."""
    annual = ledger.annual
    if not {"tax_per_mu_reported", "tax_wan", "land_mu"} <= set(annual):
        return
    ratio = annual["tax_wan"] / annual["land_mu"].where(annual["land_mu"] > 0)
    gap = (annual["tax_per_mu_reported"] - ratio).abs()
    rows = annual.assign(ratio=ratio)[(gap > 0.006 + 0.01 * ratio.abs()).to_numpy()]
    told = {"reported": lambda r: f"{r.tax_per_mu_reported:.4g}", "ratio": lambda r: f"{r.ratio:.4g}"}
    _tell(rows, "ratio_differs", faults, year=_year, **told)


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
    _tell(rows, "tripled", faults, year=_year, **told)


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
    _tell(both, "reached_below_line", faults, year=_year, **told)


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
