"""Several rows of one key (同一企业同一年份): parcels added up, departments' tables joined, repeats and contradictions told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import NUMERIC, of_sheet
from lyeval.ledger.faults import LIMIT, Faults, shown
from lyeval.ledger.marks import ranks, sort_rows
from lyeval.ledger.model import PLACE, each
from lyeval.ledger.units import find_unit

TABLE = ["source_file", "source_sheet"]


def unite(sheet: str, frame: pd.DataFrame, keys: list[str], faults: Faults) -> pd.DataFrame:
    """Return ``frame``, sorted by ``keys``, with one row per key.

    Rows of one table that name different parcels (宗地) are added up; other rows of one table with the same key would
    be counted twice and are errors; rows of different tables are joined, and figures that differ contradict.
    """
    repeated = repeats(frame, keys)
    if not repeated.any():
        return frame
    rows = frame[repeated]
    if sheet == "annual" and "parcel" in rows:
        rows = _add_parcels(rows, keys, faults)
    rows = _without_repeats(sheet, rows, keys, faults)
    rows = _join_tables(sheet, rows, keys, faults)
    joined = pd.concat([frame[~repeated], rows[list(frame.columns)]], ignore_index=True)
    return sort_rows(joined.astype(frame.dtypes.to_dict()), keys)


def repeats(frame: pd.DataFrame, keys: Sequence[str]) -> np.ndarray:
    """Return which rows of a sorted frame share their key with a neighbour."""
    same = np.ones(max(len(frame) - 1, 0), dtype=bool)
    for name in keys:
        place = ranks(frame[name])
        same &= place[1:] == place[:-1]
    return np.concatenate([same, [False]]) | np.concatenate([[False], same])


def place_words(row: Any, seen_from: Any) -> dict[str, str]:
    """Return in both languages where ``row`` stands, as much as is needed from another row."""
    zh, en = f"第{row.source_row}行", f"row {row.source_row}"
    if row.source_sheet != seen_from.source_sheet and row.source_sheet:
        zh, en = f"“{row.source_sheet}”表{zh}", f"{en} of sheet {row.source_sheet!r}"
    if row.source_file != seen_from.source_file:
        zh, en = f"{row.source_file}{zh}", f"{en} in {row.source_file}"
    return {"other": zh, "other_en": en}


def _add_parcels(rows: pd.DataFrame, keys: list[str], faults: Faults) -> pd.DataFrame:
    """Add up the rows of one table whose parcels differ: land adds, other figures once if equal on all."""
    groups = rows.groupby([*keys, *TABLE], sort=False, dropna=False)
    size = groups["parcel"].transform("size")
    named = groups["parcel"].transform("nunique") + groups["parcel"].transform(_blanks)
    several = ((size > 1) & (named == size)).to_numpy(dtype=bool)
    if not several.any():
        return rows
    parcels = rows[several]
    groups = parcels.groupby([*keys, *TABLE], sort=False, dropna=False)
    made = groups.first()
    for name in parcels.columns.difference([*keys, *TABLE]):
        column = of_sheet("annual").get(name)
        if column is None or column.kind not in NUMERIC or column.kind == "share" or "/" in column.unit:
            continue
        sums, low, high = groups[name].sum(min_count=1), groups[name].min(), groups[name].max()
        area = (find_unit(column.unit) or ("",))[0] == "area"
        made[name] = sums if area else low.where(_close(low, high), sums)
        if name == "tax_wan":
            _tell_repeated_tax(made, low, high, sums, faults)
    made["parcel"] = groups["parcel"].agg(lambda names: "、".join(dict.fromkeys(names.dropna())))
    made = made.reset_index()
    _tell(made, "parcels_joined", faults)
    return pd.concat([rows[~several], made[list(rows.columns)]], ignore_index=True)


def _blanks(names: pd.Series) -> int:
    """Return 1 when just one name is blank: a site without a number beside numbered ones."""
    return int(names.isna().sum() == 1)


def _tell_repeated_tax(made: pd.DataFrame, low: pd.Series, high: pd.Series, sums: pd.Series, faults: Faults) -> None:
    """Tell enterprises whose whole tax stands on each of their parcels."""
    same = _close(low, high) & (sums != low)
    _tell(made[same.to_numpy()].reset_index(), "tax_repeated", faults)


def _close(one: pd.Series, other: pd.Series) -> pd.Series:
    """Whether figures agree up to 1e-9, or both are missing."""
    near = (one - other).abs() <= 1e-9 * one.abs().clip(lower=other.abs())
    return near | (one.isna() & other.isna())


def _tell(rows: pd.DataFrame, rule: str, faults: Faults) -> None:
    """Tell one fault per enterprise-year."""
    for row in each(rows.head(LIMIT)):
        more = {"code": row.credit_code, "year": int(row.year)}
        faults.add(rule, row.source_file, row.source_sheet, row=row.source_row, **more)
    if len(rows) > LIMIT:
        row = rows.iloc[LIMIT]
        more = {"code": row.credit_code, "year": int(row.year), "count": len(rows) - LIMIT}
        faults.add(rule, row.source_file, row.source_sheet, row=row.source_row, **more)


def _without_repeats(sheet: str, rows: pd.DataFrame, keys: list[str], faults: Faults) -> pd.DataFrame:
    """Keep the first row of each key in each table and tell the others."""
    again = rows.duplicated([*keys, *TABLE]).to_numpy()
    if not again.any():
        return rows
    firsts = rows[~again].set_index([*keys, *TABLE])["source_row"]
    for count, row in enumerate(rows[again].itertuples(index=False)):
        if count > LIMIT:
            break
        place = [getattr(row, name) for name in (*keys, *TABLE)]
        other = int(firsts.loc[tuple(place)])
        more = {"code": place[0], "other": f"第{other}行", "other_en": f"row {other}"}
        more |= {name: int(getattr(row, name)) for name in ("year", "month") if name in keys}
        if count == LIMIT:
            more["count"] = int(again.sum()) - LIMIT
        faults.add(SAME_KEY[sheet], row.source_file, row.source_sheet, row=row.source_row, **more)
    return rows[~again]


def _join_tables(sheet: str, rows: pd.DataFrame, keys: list[str], faults: Faults) -> pd.DataFrame:
    """Join the rows of one key from different tables; the first table's value stands, others must agree."""
    groups = rows.groupby(keys, sort=False, dropna=False)
    for name in rows.columns.difference([*keys, *PLACE, "name", "parcel", "method_text", "outcome_text"]):
        first = groups[name].transform("first")
        known = rows[name].notna() & first.notna()
        same = _same(rows[name], first)
        differs = (known & ~same.fillna(True)).to_numpy(dtype=bool)
        for row in rows[differs].head(LIMIT).itertuples(index=False):
            _tell_contradiction(sheet, name, row, rows, keys, faults)
    return groups.first().reset_index()


def _same(one: pd.Series, other: pd.Series) -> pd.Series:
    """Whether values agree; a month, which stands for its first or last day, agrees with any day of it."""
    if one.dtype == "float64":
        return _close(one, other)
    if one.dtype.kind != "M":
        return one == other
    bare = one.dt.is_month_start | other.dt.is_month_start | one.dt.is_month_end | other.dt.is_month_end
    return (one == other) | (bare & (one.dt.year == other.dt.year) & (one.dt.month == other.dt.month))


def _tell_contradiction(sheet: str, name: str, row: Any, rows: pd.DataFrame, keys: list[str], faults: Faults) -> None:
    """Tell a value that differs from the one of the same key in an earlier table."""
    same = rows[np.logical_and.reduce([(rows[k] == getattr(row, k)).to_numpy() for k in keys])]
    first = same[same[name].notna()].iloc[0]
    column = of_sheet(sheet).get(name)
    names = {"column": column.zh if column else name, "column_en": column.en if column else name}
    place = {"row": row.source_row, "value": getattr(row, name), "code": getattr(row, keys[0])}
    more = names | place | place_words(first, row)
    faults.add("contradiction", row.source_file, row.source_sheet, **more, value_other=shown(first[name]))


SAME_KEY = {
    "enterprises": "duplicate_enterprise",
    "annual": "duplicate_year",
    "counties": "duplicate_year",
    "monthly": "duplicate_month",
}
