"""Checks of a whole ledger (核对): what belongs to no enterprise or is missing, odd codes, names and scales; an auditor's questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import PLACE, Ledger, Slip, isin, of_sheet, ranked
from lyeval.ledger.faults import Fault, Faults
from lyeval.ledger.headings import find, take_apart
from lyeval.ledger.vocabulary import check_digits, key

CLOSED = ("关停", "清退", "注销")
Lines = Mapping[tuple[int, bool], float]
Term = tuple[int, str]


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
            lost = ~isin(frame["credit_code"], known)
            if lost.any():
                faults.add_frame("orphan", frame[lost])
    codes = known.tolist()
    wrong = np.flatnonzero(~check_digits(codes))
    if len(wrong):
        first = enterprises.iloc[wrong[0]]
        more = {"heading": of_sheet("enterprises")["credit_code"].zh, "count": len(wrong), "code": codes[wrong[0]]}
        faults.add("check_digit", first["source_file"], first["source_sheet"], **more)
    if "name" in enterprises:
        _same_names(enterprises, faults)
        for frame in names:
            _other_names(enterprises, frame, faults)
    annual = frames.get("annual")
    if annual is None:
        faults.add("missing_column", file, column="年度", column_en="annual")
        return
    _missing(annual, file, faults)
    check_scale(annual, file, faults)
    faults.add_frame("no_annual", enterprises[~isin(known, annual["credit_code"])])


def _same_names(enterprises: pd.DataFrame, faults: Faults) -> None:
    """Tell names that two codes share."""
    again = enterprises["name"].duplicated(keep=False) & enterprises["name"].notna()
    rows = enterprises[again.to_numpy()].sort_values(["name", "credit_code"], kind="stable")
    rows = rows.assign(other=rows.groupby("name")["credit_code"].transform("first"))
    others = rows[(rows["other"] != rows["credit_code"]).to_numpy(dtype=bool)]
    faults.add_frame("same_name", others, name=lambda row: row.name, other=lambda row: row.other)


def _other_names(enterprises: pd.DataFrame, rows: pd.DataFrame, faults: Faults) -> None:
    """Tell rows whose name is not that of their code, up to width, spaces and brackets, nor a former one."""
    pairs = rows.dropna(subset=["name"]).drop_duplicates(["credit_code", "name"])
    both = pairs.merge(enterprises[["credit_code", "name"]], on="credit_code", suffixes=("", "_own"))
    both = both[(both["name"] != both["name_own"]).to_numpy(bool) & both["name_own"].notna().to_numpy()]
    former: dict[str, str] = {}
    if "aliases" in enterprises and len(both):
        former = dict(enterprises[["credit_code", "aliases"]].dropna().itertuples(index=False, name=None))
    names = list(zip(both["credit_code"], both["name"], both["name_own"], strict=True))
    odd = [key(n) != key(own) and n not in re.split("[、；;，,/]", former.get(c, "")) for c, n, own in names]
    faults.add_frame("two_names", both[odd], value=lambda row: row.name, other=lambda row: row.name_own)


def _missing(annual: pd.DataFrame, file: str, faults: Faults) -> None:
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
            _blank(annual[(blank & approved).to_numpy()], "land_blank", name, faults)
            blank &= ~approved
        _blank(annual[blank.to_numpy()], rule, name, faults)
    if "above_scale" not in annual:
        faults.add("missing_column", file, column="规上", column_en="above designated size")


def _blank(rows: pd.DataFrame, rule: str, name: str, faults: Faults) -> None:
    """Tell the rows in which a column is blank, but for those whose cell was told already."""
    told = {
        (f.sheet, row)
        for f in faults.items
        if f.rule in TOLD_ALREADY and any(c.name == name for c in find(take_apart(f.heading), "annual").columns)
        for row in f.params.get("covers", (f.row,))
    }
    if told:
        places = zip(rows["source_sheet"], rows["source_row"], strict=True)
        rows = rows[[place not in told for place in places]]
    faults.add_frame(rule, rows, heading=of_sheet("annual")[name].zh)


def check_scale(annual: pd.DataFrame, file: str, faults: Faults) -> None:
    """Tell figures that look as if they were in another unit than their column (量级核对): 元 under 万元, 平方米 under 亩.

    A row is told when it stands to the same firm's figure of the year before, or after, as one unit to the other; a
    column when its median is beyond what any county's firms have. Each is told with the other row and value.

    Parameters
    ----------
    annual : DataFrame
        Annual rows, sorted by ``credit_code`` and ``year``.
    """
    ids, _ = ranked(annual["credit_code"])
    neighbours = ids[1:] == ids[:-1]
    for name, column in of_sheet("annual").items():
        slip = column.slip
        if slip is None or name not in annual:
            continue
        _scale_rows(annual, name, neighbours, slip, faults)
        if slip.median is not None and len(annual) >= 5:
            median = float(annual[name].median())
            if median > slip.median:
                more = {"median": f"{median:.6g}", "unit": column.unit, "slip": slip.unit}
                heading = {"heading": column.zh, "column": column.zh, "column_en": column.en}
                faults.add("scale_column", file, str(annual["source_sheet"].iloc[0]), **heading, **more)


def _scale_rows(annual: pd.DataFrame, name: str, neighbours: np.ndarray, slip: Slip, faults: Faults) -> None:
    """Tell the rows of one column that jump by a unit's ratio."""
    values, ratio, spread = annual[name].to_numpy(), slip.ratio, slip.spread
    with np.errstate(all="ignore"):
        step = values[1:] / values[:-1]
    near = neighbours & (values[1:] > 0) & (values[:-1] > 0)
    up = near & (step > ratio / spread) & (step < ratio * spread)
    down = near & (step < spread / ratio) & (step > 1 / ratio / spread)
    back = np.append(False, up[:-1])
    pairs = [(int(i) + 1, int(i)) for i in np.flatnonzero(up)]
    pairs = sorted(pairs + [(int(i), int(i) + 1) for i in np.flatnonzero(down & ~back)])
    if not pairs:
        return
    column = of_sheet("annual")[name]
    told = annual[["credit_code", "year", name, *PLACE]].rename(columns={name: "figure"})
    rows, others = (told.take([pair[side] for pair in pairs]).reset_index(drop=True) for side in (0, 1))
    rows = rows.assign(other=others["figure"], other_row=others["source_row"], other_year=others["year"])
    more: dict[str, Callable[[Any], Any]] = {
        "value": lambda row: row.figure,
        "other": lambda row: f"{row.other:.10g}",
        "other_row": lambda row: int(row.other_row),
        "other_year": lambda row: int(row.other_year),
    }
    faults.add_frame("scale_row", rows, heading=column.zh, unit=column.unit, slip=slip.unit, **more)


def audit(ledger: Ledger, lines: Lines | None = None, term: Term | None = (15, "calendar")) -> tuple[Fault, ...]:
    """Return the warnings of the auditor's cross-checks (审计核对): rows that do not go together, though each can be read.

    Parameters
    ----------
    lines : Mapping, optional
        (year, whether 规上) → the line of tax per mu (万元/亩) that 达标 means (`lyeval.assessment.class_lines`); with it, 达标
        below the line is told.
    term : (int, str), optional
        The days of the statement (陈述期) and their kind, calendar or working, as the plan and its reading say; None: it has none.
    """
    faults = Faults()
    _of_disposals(ledger, faults)
    _of_ratios(ledger.annual, faults)
    if term and {"notified", "certified"} <= set(ledger.process):
        _certified_early(ledger.process, term, faults)
    dated = {"outcome", "finished"} <= set(ledger.disposals) and {"tax_wan", "land_mu"} <= set(ledger.annual)
    if lines and dated:
        _below_the_line(ledger, lines, faults)
    return tuple(faults.items)


def _of_disposals(ledger: Ledger, faults: Faults) -> None:
    """Tell closed firms that pay tax or use power later, methods against outcomes, 销号 without acceptance, dates out of order."""
    rows, annual, process = ledger.disposals, ledger.annual, ledger.process
    if {"outcome", "finished"} <= set(rows):
        closed = rows[(rows["outcome"].isin(CLOSED) & rows["finished"].notna()).to_numpy(dtype=bool)]
        both = annual.merge(closed.groupby("credit_code", as_index=False)["finished"].min(), on="credit_code")
        active = np.zeros(len(both), dtype=bool)
        for name in {"tax_wan", "power_wankwh"} & set(both):
            active |= (both[name] > 0).to_numpy()
        later = (both["year"] > both["finished"].dt.year).to_numpy()
        faults.add_frame("closed_active", both[later & active], finished=_day("finished"))
    if {"outcome", "method"} <= set(rows):
        raised = rows["method"].isin(["upgrade", "rectify"]) & rows["outcome"].isin(CLOSED)
        shut = (rows["method"] == "shut_down") & (rows["outcome"] == "达标")
        odd = rows[(raised | shut).to_numpy(dtype=bool)]
        faults.add_frame("method_outcome", odd, method=lambda r: r.method_text, outcome=lambda r: r.outcome_text)
    accepted = [name for name in ("first_accept", "recognised") if name in process]
    if "written_off" in rows and accepted:
        known = process.loc[process[accepted].notna().any(axis=1), "credit_code"]
        odd = rows["written_off"].notna() & ~rows["credit_code"].isin(known)
        faults.add_frame("written_off_unaccepted", rows[odd.to_numpy()], date=_day("written_off"))
    if {"started", "finished"} <= set(rows):
        odd = (rows["finished"] < rows["started"]).to_numpy()
        faults.add_frame("date_order", rows[odd], started=_day("started"), finished=_day("finished"))


def _of_ratios(annual: pd.DataFrame, faults: Faults) -> None:
    """Tell reported tax per mu that is not tax over land, beyond rounding, and tax per mu that tripled by 1 万元/亩 or more."""
    if not {"tax_wan", "land_mu"} <= set(annual):
        return
    ratio = annual["tax_wan"] / annual["land_mu"].where(annual["land_mu"] > 0)
    rows = annual.assign(ratio=ratio, before=ratio.shift(1))
    told = {"ratio": lambda r: f"{r.ratio:.4g}"}
    if "tax_per_mu_reported" in annual:
        gap = (annual["tax_per_mu_reported"] - ratio).abs()
        odd = rows[(gap > 0.006 + 0.01 * ratio.abs()).to_numpy()]
        faults.add_frame("ratio_differs", odd, reported=lambda r: f"{r.tax_per_mu_reported:.4g}", **told)
    before = rows["before"]
    next_year = annual["credit_code"] == annual["credit_code"].shift(1)
    next_year &= annual["year"] == annual["year"].shift(1) + 1
    odd = next_year & (before > 0) & (ratio >= 3 * before) & (ratio - before >= 1)
    faults.add_frame("tripled", rows[odd.to_numpy(dtype=bool)], before=lambda r: f"{r.before:.4g}", **told)


def _certified_early(rows: pd.DataFrame, term: Term, faults: Faults) -> None:
    """Tell certifications before the days of the statement were over, where no statement was made."""
    days, kind = term
    both = rows["notified"].notna() & rows["certified"].notna()
    start = rows["notified"].where(both, pd.Timestamp("2000-01-03")).to_numpy(dtype="datetime64[D]")
    last = start + days if kind == "calendar" else np.busday_offset(start, days, roll="backward")
    early = both & (rows["certified"].to_numpy(dtype="datetime64[D]") < last)
    silent = rows["statement"].isna() if "statement" in rows else pd.Series(True, index=rows.index)
    working = kind == "working"
    told = {
        "days": f"{days}{'个工作日' if working else '日'}",
        "days_en": f"{days} {'working days' if working else 'days'}",
    }
    dates = {"notified": _day("notified"), "certified": _day("certified")}
    faults.add_frame("certified_early", rows[(early & silent).to_numpy()], **told, **dates)


def _below_the_line(ledger: Ledger, lines: Lines, faults: Faults) -> None:
    """Tell firms recorded as 达标 whose tax per mu of that year is below their class's line; no class: the lower line."""
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
    faults.add_frame("reached_below_line", both, ratio=lambda r: f"{r.ratio:.4g}", line=lambda r: f"{r.line:g}")


def with_county(enterprises: pd.DataFrame, county: str, file: str, faults: Faults) -> pd.DataFrame:
    """Return the enterprises, ``county`` standing where the ledger names no place (told)."""
    column = of_sheet("enterprises")["county"]
    named = enterprises.get(column.name, pd.Series(np.nan, index=enterprises.index, dtype="str"))
    if named.notna().all():
        return enterprises
    faults.add("county_given", file, heading=column.zh, county=county, n=int(named.isna().sum()))
    order = [name for name in of_sheet("enterprises") if name in enterprises or name == column.name]
    made = enterprises.assign(**{column.name: named.fillna(county)})
    return made[[*order, *(name for name in made if name not in order)]]


def check_place(ledger: Ledger, name: str, code: str, level: str) -> tuple[Fault, ...]:
    """Tell a ledger that does not fit the place of a plan.

    Of a county's plan the places named say it; of a city's, or where none is named, the division (two digits each of province and
    city) in the credit codes of 20 firms or more.

    Parameters
    ----------
    name, code, level : str
        The plan's place, its division code of six digits, and ``county`` or ``city``.
    """
    firms, faults = ledger.enterprises, Faults()
    named = sorted(firms["county"].dropna().unique()) if "county" in firms else []
    if named and level == "county":
        fits = any(re.sub("[县区市]$", "", place) == re.sub("[县区市]$", "", name) for place in named)
    else:
        fits = len(firms) < 20 or bool(firms["credit_code"].str.slice(2, 6).eq(code[:4]).any())
    if not fits:
        first = str(firms["credit_code"].iloc[0])
        shown = "、".join(named[:5]) or f"{first[2:8]}…"
        file = ledger.sources[0].name if ledger.sources else ""
        faults.add("place_unfit", file, place=name, named=shown)
    return tuple(faults.items)


def _day(name: str) -> Callable[[Any], str]:
    """Return how to show a row's date."""
    return lambda row: f"{getattr(row, name):%Y-%m-%d}"


TOLD_ALREADY = ("number_unreadable", "cell_error", "formula_blank", "merged_figure", "merged_columns")
