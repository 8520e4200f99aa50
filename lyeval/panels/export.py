"""Enterprises and years in one frame (企业年度面板), with what a plan says of each; CSV, Parquet, Stata, a codebook of why values are missing."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from lyeval.assessment import Frame
from lyeval.indicators import Book, Tri, book
from lyeval.ledger import Ledger
from lyeval.panels.privacy import AMOUNTS, Deidentified
from lyeval.policy import Policy, choose, load_policy
from lyeval.resources import read_rows
from lyeval.told import unit_text
from lyeval.workbooks import csv_bytes

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
    plan = load_policy(policy)
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
    rows = cases.reindex(columns=["credit_code", "method", "outcome", "started", "finished"])
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


STAMP = datetime(2000, 1, 1)


def codebook(frame: pd.DataFrame) -> pd.DataFrame:
    """Describe each column of a panel, and count why values are missing.

    Returns
    -------
    DataFrame
        column, label, label_en, unit, type, about, about_en, n (rows), missing, and reasons, reasons_en: each reason with its
        count; the counts add to ``missing``.
    """
    return pd.DataFrame([_described(frame, column) for column in columns() if column.name in frame])


def _described(frame: pd.DataFrame, column: PanelColumn) -> dict[str, object]:
    values, counts = frame[column.name], reasons(frame, column.name)
    return {
        "column": column.name,
        "label": column.zh,
        "label_en": column.en,
        "unit": column.unit,
        "type": _type(values),
        "about": column.about,
        "about_en": column.about_en,
        "n": len(values),
        "missing": int(values.isna().sum()),
        "reasons": "；".join(f"{REASONS[r]['zh']} {n}" for r, n in counts.items()),
        "reasons_en": "; ".join(f"{REASONS[r]['en']} {n}" for r, n in counts.items()),
    }


def _type(values: pd.Series) -> str:
    kind = values.dtype.kind
    return {"b": "flag", "i": "whole", "f": "number"}.get(kind, "text")


def reasons(frame: pd.DataFrame, name: str) -> dict[str, int]:
    """Count why a column is missing: reason → rows; every missing row has one."""
    kind = next(c.kind for c in columns() if c.name == name)
    missing = frame[name].isna().to_numpy()
    absent = ~frame["present"].to_numpy(dtype=bool) if "present" in frame else np.zeros(len(frame), dtype=bool)
    ungoverned = (
        frame["line"].isna() & frame["plan_class"].isna() & frame["in_scope"].isna() if "line" in frame else absent
    )
    whole = bool(missing[~absent].all()) if (~absent).any() else True
    tests = {
        "annual": [("no_row", absent), ("no_column", np.full(len(frame), whole)), ("blank", ~absent)],
        "ratio": [("no_row", absent), ("no_tax", _blank(frame, "tax_wan")), ("no_land", _blank(frame, "land_mu"))],
        "monthly": [("no_months", np.full(len(frame), whole)), ("months", ~absent | absent)],
        "plan": [
            ("not_governed", ungoverned),
            ("not_planned", np.full(len(frame), whole)),
            ("unknown", ~absent | absent),
        ],
    }.get(kind, [(ALONE.get(kind, "blank"), np.ones(len(frame), dtype=bool))])
    out: dict[str, int] = {}
    for reason, mask in [*tests, ("blank", np.ones(len(frame), dtype=bool))]:
        hit = missing & np.asarray(mask, dtype=bool)
        if hit.any():
            out[reason] = out.get(reason, 0) + int(hit.sum())
        missing = missing & ~hit
    return out


def write_panel(made: pd.DataFrame | Deidentified, folder: str | Path) -> list[Path]:
    """Write ``panel.csv``, ``panel.parquet``, ``panel.dta`` and ``codebook.csv`` into ``folder``; the same panel gives the same bytes.

    The Stata file has a numeric id ``firm`` for ``xtset firm year``, labels in English, and value labels on flags, classes and outcomes.
    In the CSV a text that a spreadsheet would run as a formula has a single quote before it.
    """
    frame = made.frame if isinstance(made, Deidentified) else made
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("panel.csv", "panel.parquet", "panel.dta", "codebook.csv")]
    paths[0].write_bytes(csv_bytes(frame))
    frame.to_parquet(paths[1], index=False)
    _write_stata(frame, paths[2])
    paths[3].write_bytes(csv_bytes(_told(made) if isinstance(made, Deidentified) else codebook(frame)))
    return paths


def _write_stata(frame: pd.DataFrame, path: Path) -> None:
    """Write the Stata file: ``firm``, a numeric id in the order of the codes, first; labels in English; codes as numbers with value labels."""
    plain = _plain(frame)
    told: dict[Hashable, dict[float, str]] = {str(name): YES_NO for name in frame if frame[name].dtype.kind == "b"}
    for name, words in _coded(frame).items():
        plain[name] = frame[name].map({value: i for i, value in enumerate(words, start=1)}).astype(float)
        told[name] = dict(enumerate(words.values(), start=1))
    plain.insert(0, "firm", pd.factorize(frame["credit_code"], sort=True)[0] + 1.0)
    named = {c.name: c.en + (f" ({unit_text(c.unit, 'en')})" if c.unit else "") for c in columns() if c.name in frame}
    labels = {"firm": "numeric id of the firm", **named}
    plain.to_stata(
        path,
        write_index=False,
        version=118,
        time_stamp=STAMP,
        variable_labels={name: text[:80] for name, text in labels.items()},
        value_labels=told,
    )


def _coded(frame: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return the columns that hold nothing but codes of ``coded.csv``: code → English, in its order."""
    told: dict[str, dict[str, str]] = {}
    for row in read_rows(__file__, "coded.csv"):
        told.setdefault(row["column"], {})[row["value"]] = row["en"]
    return {
        name: words for name, words in told.items() if name in frame and frame[name].dropna().isin(list(words)).all()
    }


def _told(made: Deidentified) -> pd.DataFrame:
    """Return the codebook of a de-identified panel: what was coarsened, what taken out, and on its last row the k reached."""
    book = codebook(made.frame)
    gone = [c for c in columns() if c.name not in made.frame]
    rest = pd.DataFrame({"column": c.name, "label": c.zh, "label_en": c.en, "n": 0, "missing": 0} for c in gone)
    book = pd.concat([book, rest], ignore_index=True)
    for column, words in (("coarsened", 0), ("coarsened_en", 1)):
        book[column] = [_how(name, made.kept, words) for name in book["column"]]
    zh = f"k = {made.k}：{made.firms}户中，任何一户各年已知情况的全部记录至少与另外{made.k - 1}户相同；另有{made.left_out}户因相同者太少未列入"
    en = (
        f"k = {made.k}: of {made.firms} firms each has at least {made.k - 1} others with the same record of all that is known "
        f"of it in all years; {made.left_out} firms with too few like them are left out"
    )
    last = {
        "column": "(k)",
        "label": "k-匿名",
        "label_en": "k-anonymity",
        "n": made.firms,
        "missing": 0,
        "about": zh,
        "about_en": en,
    }
    return pd.concat([book, pd.DataFrame([last])], ignore_index=True)


def _how(name: str, kept: Mapping[str, int | None], words: int) -> str:
    """Say how a column was made harder to recognise."""
    if name in ("credit_code", "county", "township") and kept.get(name, 0) is not None:
        return ("换成密钥算出的编号", "an id by a secret key")[words]
    if name in AMOUNTS:
        return ("取三位有效数字", "three significant figures")[words]
    level = kept.get(name, 0)
    if level is None:
        return ("已删去", "taken out")[words]
    return "" if name == "year" else (f"每户一个值，第{level + 1}级", f"one value a firm, level {level + 1}")[words]


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a panel in types that Stata has: flags and years as numbers, texts without blanks."""
    out = {}
    for name in frame:
        values = frame[name]
        text = values.dtype.kind not in "biuf"
        out[name] = (
            values.fillna("").astype(str) if text else values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        )
    return pd.DataFrame(out)


def _blank(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return where a column is blank; nowhere, where the panel lacks it."""
    return frame[name].isna().to_numpy() if name in frame else np.zeros(len(frame), dtype=bool)


YES_NO: dict[float, str] = {0: "no", 1: "yes"}
REASONS = {row["reason"]: row for row in read_rows(__file__, "reasons.csv")}
ALONE = {kind: name for name, row in REASONS.items() for kind in row["kinds"].split()}
