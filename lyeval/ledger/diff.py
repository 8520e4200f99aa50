"""Two ledgers of one place, an earlier and a later one (两次台账比较): who came and left, what was changed, what moved on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import LAYOUTS, NUMERIC, PLACE, SHEETS, Column, Ledger, of_sheet

SAME = 1e-9
SIDES = ("before", "after", "difference")
FIGURES = ["sheet", "credit_code", "name", "year", "month", "column", "label", "unit", "kind", *SIDES]
SUMMARY = ["sheet", "column", "label", "unit", "year", "changed", "filled", "cleared", *SIDES]


@dataclass(frozen=True, eq=False)
class Changes:
    """What a later ledger says otherwise than an earlier one.

    Attributes
    ----------
    counts : DataFrame
        sheet, label, year (None where the sheet has none), before, after: number of rows.
    came, left : DataFrame
        credit_code, name, township: in the later ledger alone, in the earlier alone.
    renamed : DataFrame
        credit_code, before, after: one code, another name.
    recoded : DataFrame
        name, before, after: one name, gone under one code and come under another.
    figures : DataFrame
        sheet, credit_code, name, year, month, column, label, unit, kind (changed, filled, cleared), before, after,
        difference: cells of rows that both ledgers have; largest differences of a column first.
    summary : DataFrame
        sheet, column, label, unit, year, changed, filled, cleared, before, after, difference: per column and year, sums of
        numeric columns over the rows whose cell was changed.
    disposals : DataFrame
        credit_code, name, method, kind (new, dropped, moved), before, after, finished, written_off: cases by outcome.
    """

    counts: pd.DataFrame
    came: pd.DataFrame
    left: pd.DataFrame
    renamed: pd.DataFrame
    recoded: pd.DataFrame
    figures: pd.DataFrame
    summary: pd.DataFrame
    disposals: pd.DataFrame

    @property
    def any(self) -> bool:
        """Whether anything differs."""
        tables = (self.came, self.left, self.renamed, self.figures, self.disposals)
        return any(map(len, tables)) or bool((self.counts["before"] != self.counts["after"]).any())

    def __repr__(self) -> str:
        n = {name: len(getattr(self, name)) for name in ("came", "left", "renamed", "figures", "disposals")}
        return f"<Changes {', '.join(f'{name}={count}' for name, count in n.items())}>"


def same_place(one: Ledger, other: Ledger) -> bool:
    """Whether two ledgers are of one place: half of the smaller one's enterprises, or more, stand in both."""
    codes = [set(ledger.enterprises["credit_code"]) for ledger in (one, other)]
    shared = len(codes[0] & codes[1])
    return shared > 0 and 2 * shared >= min(len(one.enterprises), len(other.enterprises))


def changes(before: Ledger, after: Ledger) -> Changes:
    """Compare two ledgers of one place (同一地方两次台账), matching rows by credit code, year and month."""
    old, new = (_firms(ledger) for ledger in (before, after))
    came = new[~new["credit_code"].isin(old["credit_code"])].reset_index(drop=True)
    left = old[~old["credit_code"].isin(new["credit_code"])].reset_index(drop=True)
    pairs = old[["credit_code", "name"]].merge(
        new[["credit_code", "name"]], on="credit_code", suffixes=("_before", "_after")
    )
    differs = (pairs["name_before"] != pairs["name_after"]) & (pairs["name_before"] != "") & (pairs["name_after"] != "")
    renamed = pairs[differs.to_numpy()].rename(columns={"name_before": "before", "name_after": "after"})
    both = left[left["name"] != ""].merge(came, on="name", suffixes=("_before", "_after"))
    recoded = both.rename(columns={"credit_code_before": "before", "credit_code_after": "after"})
    figures = _figures(before, after, dict(zip(new["credit_code"], new["name"], strict=True)))
    return Changes(
        counts=_counts(before, after),
        came=came,
        left=left,
        renamed=renamed.reset_index(drop=True),
        recoded=recoded[["name", "before", "after"]],
        figures=figures,
        summary=_summary(figures),
        disposals=_disposals(before, after),
    )


def _counts(before: Ledger, after: Ledger) -> pd.DataFrame:
    """Count rows by sheet and year on both sides."""
    rows: list[tuple[Any, ...]] = []
    for sheet, (label, keys) in SHEETS.items():
        frames = [getattr(ledger, sheet) for ledger in (before, after)]
        if "year" in keys:
            numbers = [frame["year"].value_counts() for frame in frames]
            for year in sorted(set(numbers[0].index) | set(numbers[1].index)):
                rows.append((sheet, label, int(year), *(int(number.get(year, 0)) for number in numbers)))
        elif any(map(len, frames)):
            rows.append((sheet, label, None, *map(len, frames)))
    return pd.DataFrame(rows, columns=["sheet", "label", "year", "before", "after"], dtype=object)


def _firms(ledger: Ledger) -> pd.DataFrame:
    """Return code, name and township of the enterprises."""
    frame = ledger.enterprises
    return pd.DataFrame({name: _text(frame, name) for name in ("credit_code", "name", "township")})


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a text column, empty where blank or absent."""
    if name not in frame:
        return pd.Series([""] * len(frame), index=frame.index, dtype=object)
    return frame[name].astype(object).where(frame[name].notna(), "")


def _figures(before: Ledger, after: Ledger, names: dict[str, str]) -> pd.DataFrame:
    """Return every cell that differs in rows that both ledgers have."""
    pieces = []
    for sheet in (sheet for sheet, layout in LAYOUTS.items() if layout.compared):
        keys = [*SHEETS[sheet][1]]
        frames = [getattr(ledger, sheet) for ledger in (before, after)]
        if not len(frames[0]) or not len(frames[1]):
            continue
        both = frames[0].merge(frames[1], on=keys, suffixes=("_before", "_after"))
        for column in of_sheet(sheet).values():
            if column.name not in (*keys, "name", *PLACE) and all(column.name in frame for frame in frames):
                pieces.append(_cells(sheet, column, both, keys))
    table = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=FIGURES)
    table["name"] = table["credit_code"].map(names).astype(object)
    size = np.abs(np.array([0.0 if d is None else float(d) for d in table["difference"]]))
    order = np.lexsort((table["credit_code"], -size, table["column"], table["sheet"]))
    return table.iloc[order].reset_index(drop=True)[FIGURES]


def _cells(sheet: str, column: Column, both: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the cells of one column that differ."""
    one, other = both[f"{column.name}_before"], both[f"{column.name}_after"]
    blank = one.isna().to_numpy(), other.isna().to_numpy()
    if column.kind in NUMERIC:
        a, b = one.to_numpy(dtype=float), other.to_numpy(dtype=float)
        with np.errstate(invalid="ignore"):
            differs = np.abs(a - b) > SAME * np.maximum(np.abs(a), np.abs(b))
    else:
        differs = (one.astype(object) != other.astype(object)).to_numpy(dtype=bool, na_value=True)
    differs = np.where(blank[0] | blank[1], blank[0] != blank[1], differs)
    rows = both[differs]
    kind = np.where(blank[0][differs], "filled", np.where(blank[1][differs], "cleared", "changed"))
    values = [[None if v != v or v is pd.NA else v for v in side[differs].astype(object)] for side in (one, other)]
    gap = [y - x if k == "changed" and column.kind in NUMERIC else None for x, y, k in zip(*values, kind, strict=True)]
    code = rows["credit_code"] if "credit_code" in keys else rows[keys[0]]
    made: dict[str, Any] = {"sheet": sheet, "credit_code": code.astype(object), "name": None}
    made |= {name: rows[name].astype(object) if name in keys else None for name in ("year", "month")}
    made |= {"column": column.name, "label": column.zh, "unit": column.unit, "kind": kind}
    for name, cells in zip(SIDES, (*values, gap), strict=True):
        made[name] = pd.Series(cells, index=rows.index, dtype=object)
    return pd.DataFrame(made, columns=FIGURES, index=rows.index)


def _summary(figures: pd.DataFrame) -> pd.DataFrame:
    """Count and sum the changed cells by column and year."""
    rows: list[tuple[Any, ...]] = []
    wide = figures.assign(year=figures["year"].astype(float).fillna(-1).astype(int))
    order = list(dict.fromkeys((s, c) for s in SHEETS for c in of_sheet(s)))
    for _, part in wide.groupby(["sheet", "column", "year"], sort=True):
        first, kinds = part.iloc[0], part["kind"].value_counts()
        changed = part[part["kind"] == "changed"]
        sums: list[float | None] = [None, None, None]
        if len(changed) and bool(changed["difference"].notna().all()):
            sums = [float(sum(changed[name])) for name in SIDES]
        counts = [int(kinds.get(k, 0)) for k in ("changed", "filled", "cleared")]
        names = [first[name] for name in ("sheet", "column", "label", "unit")]
        rows.append((*names, first["year"] if first["year"] > 0 else None, *counts, *sums))
    rows.sort(key=lambda r: (order.index((r[0], r[1])), r[4] or 0))
    return pd.DataFrame(rows, columns=SUMMARY, dtype=object)


def _disposals(before: Ledger, after: Ledger) -> pd.DataFrame:
    """Return the cases that are new, gone, or whose outcome or dates differ, the n-th of a method with the n-th."""
    sides = [_cases(ledger) for ledger in (before, after)]
    keys = ["credit_code", "method", "place"]
    both = sides[0].merge(sides[1], on=keys, how="outer", suffixes=("_before", "_after"), indicator=True, sort=True)
    same = np.ones(len(both), dtype=bool)
    for name in ("outcome", "finished", "written_off"):
        same &= (both[f"{name}_before"].fillna("") == both[f"{name}_after"].fillna("")).to_numpy(dtype=bool)
    rows = both[(both["_merge"] != "both").to_numpy() | ~same]
    firms: Iterable[pd.DataFrame] = (_firms(ledger) for ledger in (before, after))
    names = {code: name for frame in firms for code, name in zip(frame["credit_code"], frame["name"], strict=True)}
    made: dict[str, Any] = {"credit_code": rows["credit_code"], "name": rows["credit_code"].map(names)}
    made["method"] = rows["method"]
    made["kind"] = rows["_merge"].astype(str).map({"both": "moved", "left_only": "dropped", "right_only": "new"})
    made |= {"before": rows["outcome_before"], "after": rows["outcome_after"]}
    made |= {name: rows[f"{name}_after"] for name in ("finished", "written_off")}
    table = pd.DataFrame(made).astype(object)
    return table.where(table.notna(), None).reset_index(drop=True)


def _cases(ledger: Ledger) -> pd.DataFrame:
    """Lay out disposals: code, method in its own words, place among those of that method, outcome, dates as text."""
    frame = ledger.disposals
    method = _text(frame, "method_text").where(_text(frame, "method_text") != "", _text(frame, "method"))
    made = pd.DataFrame({"credit_code": frame["credit_code"].astype(object), "method": method})
    made["place"] = made.groupby(["credit_code", "method"], sort=False).cumcount()
    made["outcome"] = _text(frame, "outcome")
    for name in ("finished", "written_off"):
        made[name] = frame[name].dt.strftime("%Y-%m-%d").astype(object) if name in frame else None
    return made
