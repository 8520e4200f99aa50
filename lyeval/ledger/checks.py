"""Checks across the sheets: what belongs to no enterprise, what is missing, which codes and names are odd (核对)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lyeval.ledger.codes import check_digits
from lyeval.ledger.columns import of_sheet
from lyeval.ledger.faults import LIMIT, Faults
from lyeval.ledger.headings import find, take_apart
from lyeval.ledger.marks import isin
from lyeval.ledger.model import each
from lyeval.ledger.scale import check_scale


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
