"""One tidy frame of enterprises and years (企业年度面板), with what a plan says of each: for analysis by other hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from lyeval.assessment import Frame
from lyeval.indicators import Book, Tri, book
from lyeval.ledger import Ledger
from lyeval.policy import Policy, choose, load_policy
from lyeval.resources import read_rows

STEPS = (
    "checked",
    "notified",
    "statement",
    "certified",
    "published",
    "plan_submitted",
    "reviewed",
    "plan_approved",
    "signed",
    "agreement",
    "filed",
    "key_listed",
    "applied",
    "first_accept",
    "recognised",
)
PLAIN = ("employees", "revenue_wan", "output_wan", "profit_wan", "power_wankwh", "land_use_tax_wan")
LATE = (11, 12)


def panel(ledger: Ledger, policy: str | Policy, *, readings: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Lay a ledger out as one row per enterprise and year of the ledger (企业年度面板).

    Parameters
    ----------
    policy
        The plan whose list, classes and lines are added; a year that it does not govern has them blank.
    readings
        Options of its doubtful clauses.

    Returns
    -------
    DataFrame
        The columns of ``panel_columns.csv`` beside this module, in its order, sorted by credit_code and year. Flags are
        ``boolean``, years ``Int64``, texts ``str`` or None. `codebook` tells why a value is missing.

    Examples
    --------
    >>> import lyeval as ly
    >>> frame = ly.panel(ly.read_ledger("sample:linshu"), "linshu-2021")
    >>> bool(frame[["credit_code", "year"]].duplicated().any())
    False
    """
    plan = policy if isinstance(policy, Policy) else load_policy(policy)
    chosen, _ = choose(plan, readings)
    laid = book(ledger)
    first = _first(chosen, laid)
    cases = _disposals(laid)
    parts = [_year(Frame(chosen, laid, year, year), first, cases) for year in laid.years]
    out = pd.concat(parts, ignore_index=True).sort_values(["credit_code", "year"], kind="stable", ignore_index=True)
    out["first_listed"] = _earliest(out, out["listed"].eq(True).fillna(False))
    out["exit_year"] = _earliest(out, out["gone"].eq(True).fillna(False))
    return out[[c.name for c in columns()]]


def _year(frame: Frame, first: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    laid, year, now = frame.book, frame.year, frame.reported
    out = pd.DataFrame({"credit_code": laid.codes, "year": year})
    for name in ("name", "county", "township"):
        out[name] = _text(laid.text(name))
    out["industry"] = _text(np.array([code[:2] for code in laid.text("industry_code")], dtype=object))
    out["present"] = laid.rows(year) >= 0
    out["tax_wan"], out["land_mu"], out["tax_per_mu"] = now.tax, now.land, now.tax_per_mu
    out["above_scale"] = _flag(laid.annual_flag("above_scale", year))
    for name in PLAIN:
        out[name] = laid.annual(name, year)
    out["grade"] = _grade(laid, year)
    out["late_share"] = _late(laid, year)
    out["closed"], out["gone"] = _flag(frame.exits.closed), _flag(frame.exits.gone)
    out = pd.concat([out, _planned(frame), first, cases], axis=1)
    out["treated"] = (out["treated_year"] <= year).fillna(False).astype(bool)
    out["steps"] = _steps(laid, year)
    return out


def _planned(frame: Frame) -> pd.DataFrame:
    """Return what the plan says in a year; blank where it does not govern it."""
    n, plan, year = len(frame.book), frame.policy, frame.year
    blank = pd.array([pd.NA] * n, dtype="boolean")
    out = pd.DataFrame({name: blank for name in ("in_scope", "listed", "below_line")})
    out["plan_class"], out["excluded_by"] = _text(np.full(n, "")), _text(np.full(n, ""))
    out["line"], out["score"] = np.nan, np.nan
    if year not in {*plan.years.identification, *plan.years.targets}:
        return out
    out["plan_class"] = _text(np.where(frame.above.true, "above", np.where(frame.above.false, "below", "")))
    out["in_scope"] = _flag(frame.in_scope)
    if year in plan.years.identification:
        out["listed"] = _flag(frame.identified)
    out["line"], out["below_line"] = frame.lines[0], _flag(frame.below(frame.reported.tax_per_mu))
    reason = np.full(n, "", dtype=object)
    for name, mask in reversed(list((frame.excluded("identification") | frame.excluded("targets")).items())):
        reason[mask] = name
    out["excluded_by"] = _text(reason)
    scored = frame.grades
    if len(scored):
        out["score"] = scored["score"].to_numpy()
    return out


def _first(plan: Policy, laid: Book) -> pd.DataFrame:
    """Return what the first list rested on, the same in every year."""
    frame = Frame(plan, laid, min(plan.years.identification), min(plan.years.identification))
    before = frame.before
    return pd.DataFrame(
        {
            "first_list": _flag(frame.identified),
            "first_class": _text(np.where(frame.above.true, "above", np.where(frame.above.false, "below", ""))),
            "rated_land_mu": before.land,
            "first_score": before.tax_per_mu,
            "first_line": before.line,
            "first_ratable": _flag(frame.pool("identification")),
        }
    )


def _disposals(laid: Book) -> pd.DataFrame:
    """Return each enterprise's case that began first."""
    cases = laid.ledger.disposals
    have = [c for c in ("method", "outcome", "started", "finished") if c in cases]
    rows = cases[["credit_code", *have]].reindex(columns=["credit_code", "method", "outcome", "started", "finished"])
    rows = rows.sort_values(["credit_code", "started", "method"], kind="stable").drop_duplicates("credit_code")
    at = rows.set_index("credit_code").reindex(laid.codes)
    return pd.DataFrame(
        {
            "method": _text(at["method"].to_numpy(dtype=object)),
            "treated_year": _years(at["started"]),
            "outcome": _text(at["outcome"].to_numpy(dtype=object)),
            "finished_year": _years(at["finished"]),
        }
    )


def _years(days: pd.Series) -> pd.Series:
    return pd.Series(pd.to_datetime(days).dt.year.to_numpy(dtype=float)).astype("Int64")


def _steps(laid: Book, year: int) -> pd.Series:
    """Return the last step of each enterprise's case by the year's end."""
    process = laid.ledger.process
    out = np.full(len(laid), "", dtype=object)
    if len(process):
        at, end = laid.positions(process["credit_code"]), np.datetime64(f"{year}-12-31")
        for step in (s for s in STEPS if s in process):
            done = process[step].to_numpy(dtype="datetime64[D]") <= end
            out[at[done]] = step
    return _text(out)


def _grade(laid: Book, year: int) -> pd.Series:
    rows, frame = laid.rows(year), laid.ledger.annual
    if "grade" not in frame:
        return _text(np.full(len(rows), ""))
    values = frame["grade"].to_numpy(dtype=object, na_value="")
    return _text(np.where(rows >= 0, values[np.maximum(rows, 0)], ""))


def _late(laid: Book, year: int) -> np.ndarray:
    """Return the share of the year's tax paid in November and December, NaN without twelve months or a total above zero."""
    months = laid.ledger.monthly
    part = months[months["year"] == year]
    at, n = laid.positions(part["credit_code"]), len(laid)
    tax = part["tax_wan"].to_numpy(dtype=float, na_value=np.nan) if len(part) else np.empty(0)
    total, count = np.bincount(at, tax, n), np.bincount(at, minlength=n)
    late = np.bincount(at, tax * np.isin(part["month"].to_numpy(), LATE), n) if len(part) else np.zeros(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((count == 12) & (total > 0), late / total, np.nan)


def _earliest(frame: pd.DataFrame, which: pd.Series) -> pd.Series:
    """Return for each row its enterprise's first year for which ``which`` holds."""
    first = frame[which.to_numpy(dtype=bool)].groupby("credit_code")["year"].min()
    return frame["credit_code"].map(first).astype("Int64")


def _flag(column: Tri) -> pd.arrays.BooleanArray:
    return pd.arrays.BooleanArray(np.asarray(column.true, dtype=bool), np.asarray(column.unknown, dtype=bool))


def _text(values: np.ndarray) -> pd.Series:
    values = np.asarray(values, dtype=object)
    return pd.Series([v if isinstance(v, str) and v else None for v in values], dtype=object)


@dataclass(frozen=True)
class PanelColumn:
    """One column of the panel: its kind says why it can be missing."""

    name: str
    kind: str
    unit: str
    zh: str
    en: str
    about: str
    about_en: str


@cache
def columns() -> tuple[PanelColumn, ...]:
    """Return the columns of the panel in their order."""
    return tuple(PanelColumn(*row.values()) for row in read_rows(__file__, "panel_columns.csv"))
