"""Two ledgers of one place, an earlier and a later one (两次台账比较): who came and left, what was changed, what moved on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import NUMERIC, PLACE, SHEETS, Column, Ledger, of_sheet

SAME = 1e-9


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
        return any(len(t) for t in (self.came, self.left, self.renamed, self.figures, self.disposals)) or bool(
            (self.counts["before"] != self.counts["after"]).any()
        )

    def __repr__(self) -> str:
        n = {name: len(getattr(self, name)) for name in ("came", "left", "renamed", "figures", "disposals")}
        return f"<Changes {', '.join(f'{name}={count}' for name, count in n.items())}>"


def same_place(one: Ledger, other: Ledger) -> bool:
    """Whether two ledgers are of one place: half of the smaller one's enterprises, or more, stand in both."""
    shared = len(_codes(one) & _codes(other))
    return shared > 0 and 2 * shared >= min(len(one.enterprises), len(other.enterprises))


def changes(before: Ledger, after: Ledger) -> Changes:
    """Compare two ledgers of one place (同一地方两次台账), matching rows by credit code, year and month."""
    old, new = _codes(before), _codes(after)
    pairs = _pairs(before, after)
    came, left = (_firms(ledger, codes) for ledger, codes in ((after, new - old), (before, old - new)))
    figures = _figures(before, after, pairs)
    return Changes(
        _counts(before, after),
        came,
        left,
        _renamed(pairs),
        _recoded(left, came),
        figures,
        _summary(figures),
        _disposals(before, after),
    )


def _codes(ledger: Ledger) -> set[str]:
    return set(ledger.enterprises["credit_code"])


def _counts(before: Ledger, after: Ledger) -> pd.DataFrame:
    """Count rows by sheet and year on both sides."""
    rows = []
    for sheet, (label, _) in SHEETS.items():
        frames = [getattr(ledger, sheet) for ledger in (before, after)]
        if not any(len(frame) for frame in frames):
            continue
        if "year" not in SHEETS[sheet][1]:
            rows.append((sheet, label, None, len(frames[0]), len(frames[1])))
            continue
        numbers = [frame["year"].value_counts() for frame in frames]
        for year in sorted(set(numbers[0].index) | set(numbers[1].index)):
            rows.append((sheet, label, int(year), int(numbers[0].get(year, 0)), int(numbers[1].get(year, 0))))
    return pd.DataFrame(rows, columns=["sheet", "label", "year", "before", "after"], dtype=object)


def _firms(ledger: Ledger, codes: Iterable[str]) -> pd.DataFrame:
    """Return code, name and township of some enterprises."""
    frame = ledger.enterprises
    mine = frame[frame["credit_code"].isin(sorted(codes)).to_numpy()]
    return pd.DataFrame({name: _text(mine, name) for name in ("credit_code", "name", "township")}).reset_index(
        drop=True
    )


def _text(frame: pd.DataFrame, name: str) -> pd.Series:
    """Return a text column, empty where blank or absent."""
    if name not in frame:
        return pd.Series([""] * len(frame), index=frame.index, dtype=object)
    return frame[name].astype(object).where(frame[name].notna(), "")


def _pairs(before: Ledger, after: Ledger) -> pd.DataFrame:
    """Return the names, on both sides, of the enterprises that both ledgers have."""
    sides = [
        pd.DataFrame({"credit_code": x.enterprises["credit_code"], "name": _text(x.enterprises, "name")})
        for x in (before, after)
    ]
    return sides[0].merge(sides[1], on="credit_code", suffixes=("_before", "_after"))


def _renamed(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return who has another name."""
    differs = (pairs["name_before"] != pairs["name_after"]) & (pairs["name_before"] != "") & (pairs["name_after"] != "")
    rows = pairs[differs.to_numpy()].rename(columns={"name_before": "before", "name_after": "after"})
    return rows.reset_index(drop=True)


def _recoded(left: pd.DataFrame, came: pd.DataFrame) -> pd.DataFrame:
    """Return names that left under one code and came under another."""
    both = left[left["name"] != ""].merge(came, on="name", suffixes=("_before", "_after"))
    columns = {"credit_code_before": "before", "credit_code_after": "after"}
    return both.rename(columns=columns)[["name", "before", "after"]]


def _figures(before: Ledger, after: Ledger, pairs: pd.DataFrame) -> pd.DataFrame:
    """Return every cell that differs in rows that both ledgers have."""
    pieces = []
    for sheet in COMPARED:
        keys = [*SHEETS[sheet][1]]
        frames = [getattr(ledger, sheet) for ledger in (before, after)]
        if not len(frames[0]) or not len(frames[1]):
            continue
        both = frames[0].merge(frames[1], on=keys, suffixes=("_before", "_after"))
        for column in of_sheet(sheet).values():
            if column.name in (*keys, "name", *PLACE) or not all(column.name in frame for frame in frames):
                continue
            pieces.append(_cells(sheet, column, both, keys))
    table = pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=FIGURES[:-1])
    names = dict(zip(pairs["credit_code"], pairs["name_after"], strict=True))
    table.insert(2, "name", table["credit_code"].map(names).astype(object))
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
    values = [_plain(one[differs]), _plain(other[differs])]
    gap = [y - x if k == "changed" and column.kind in NUMERIC else None for x, y, k in zip(*values, kind, strict=True)]
    code = rows["credit_code"] if "credit_code" in keys else rows[keys[0]]
    made = {"sheet": sheet, "credit_code": code.astype(object)}
    made |= {name: rows[name].astype(object) if name in keys else None for name in ("year", "month")}
    made |= {"column": column.name, "label": column.zh, "unit": column.unit, "kind": kind}
    made |= {n: _objects(v, rows.index) for n, v in zip(("before", "after", "difference"), (*values, gap), strict=True)}
    return pd.DataFrame(made, columns=FIGURES_RAW, index=rows.index)


def _plain(values: pd.Series) -> list[object]:
    """Return cells as plain values, None for blank ones."""
    return [None if gone else v for v, gone in zip(values.astype(object).tolist(), values.isna(), strict=True)]


def _objects(values: list[Any], index: pd.Index) -> pd.Series:
    return pd.Series(values, index=index, dtype=object)


def _summary(figures: pd.DataFrame) -> pd.DataFrame:
    """Count and sum the changed cells by column and year."""
    rows = []
    wide = figures.assign(year=figures["year"].astype(float).fillna(-1).astype(int))
    order = list(dict.fromkeys((s, c) for s in SHEETS for c in of_sheet(s)))
    for _, part in wide.groupby(["sheet", "column", "year"], sort=True):
        sheet, column, year = (part[name].iloc[0] for name in ("sheet", "column", "year"))
        kinds = part["kind"].value_counts()
        changed = part[part["kind"] == "changed"]
        sums = [None, None, None]
        if len(changed) and bool(changed["difference"].notna().all()):
            sums = [float(sum(changed[name])) for name in ("before", "after", "difference")]
        counts = [int(kinds.get(k, 0)) for k in ("changed", "filled", "cleared")]
        first = part.iloc[0]
        rows.append((sheet, column, first["label"], first["unit"], year if year > 0 else None, *counts, *sums))
    rows.sort(key=lambda r: (order.index((r[0], r[1])), r[4] or 0))
    return pd.DataFrame(rows, columns=SUMMARY, dtype=object)


def _disposals(before: Ledger, after: Ledger) -> pd.DataFrame:
    """Return the cases that are new, gone, or whose outcome or dates differ, the n-th of a method with the n-th."""
    sides = [_cases(ledger) for ledger in (before, after)]
    keys = ["credit_code", "method", "place"]
    both = sides[0].merge(sides[1], on=keys, how="outer", suffixes=("_before", "_after"), indicator=True, sort=True)
    fields = ("outcome", "finished", "written_off")
    same = np.ones(len(both), dtype=bool)
    for name in fields:
        same &= (both[f"{name}_before"].fillna("") == both[f"{name}_after"].fillna("")).to_numpy(dtype=bool)
    rows = both[(both["_merge"] != "both").to_numpy() | ~same]
    names = {
        c: n
        for x in (before, after)
        for c, n in zip(x.enterprises["credit_code"], _text(x.enterprises, "name"), strict=True)
    }
    kind = rows["_merge"].astype(str).map({"both": "moved", "left_only": "dropped", "right_only": "new"})
    made = {
        "credit_code": rows["credit_code"],
        "name": rows["credit_code"].map(names),
        "method": rows["method"],
        "kind": kind,
        "before": rows["outcome_before"],
        "after": rows["outcome_after"],
        "finished": rows["finished_after"],
        "written_off": rows["written_off_after"],
    }
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


COMPARED = ("enterprises", "annual", "monthly", "counties", "blocks")
FIGURES = [
    "sheet",
    "credit_code",
    "name",
    "year",
    "month",
    "column",
    "label",
    "unit",
    "kind",
    "before",
    "after",
    "difference",
]
FIGURES_RAW = [name for name in FIGURES if name != "name"]
SUMMARY = ["sheet", "column", "label", "unit", "year", "changed", "filled", "cleared", "before", "after", "difference"]
