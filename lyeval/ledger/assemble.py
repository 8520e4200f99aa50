"""From the parts of all tables to one frame per sheet: joined by key, nothing counted twice (汇总成册)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from lyeval.ledger.columns import SHEETS, of_sheet
from lyeval.ledger.faults import LIMIT, Faults
from lyeval.ledger.joining import place_words, unite
from lyeval.ledger.marks import Marks, marks, ordering, picked, ranked, sort_rows
from lyeval.ledger.model import PLACE, dtype_of, each
from lyeval.ledger.rows import Part
from lyeval.ledger.wide import apart


def assemble(parts: Sequence[Part], faults: Faults) -> dict[str, pd.DataFrame]:
    """Return one frame per sheet that the tables hold, sorted by its keys.

    Annual tables that share enterprise-years are joined; identity columns of annual rows fill the enterprises, the
    latest year first.
    """
    frames: dict[str, pd.DataFrame] = {}
    for sheet in SHEETS:
        found = [part for part in parts if part.sheet == sheet and sheet != "enterprises"]
        if found:
            frame = _combine(sheet, found, faults)
            if len(frame):
                frames[sheet] = frame
    _year_of_months(frames, parts, faults)
    enterprises = _enterprises(parts, faults)
    if enterprises is not None:
        frames["enterprises"] = enterprises
    return frames


def _combine(sheet: str, parts: list[Part], faults: Faults) -> pd.DataFrame:
    """Put the parts of one sheet together and keep its keys unique."""
    pieces = [_with_keys(sheet, part, faults) for part in parts]
    keys = KEYS.get(sheet)
    frame = pieces[0] if len(pieces) == 1 else pd.concat(pieces, ignore_index=True)
    known = parts[0].marks.get("credit_code") if len(frame) == len(parts[0].frame) else None
    if keys is None:
        frame = sort_rows(_drop_repeats(frame, parts), SHEETS[sheet][1])
        if sheet in COUNTED_BY_ROW:
            _tell_repeats(frame, faults)
        return _ordered(sheet, frame)
    if sheet == "monthly" and "first" in frame:
        frame = apart(frame)
    frame = frame[[name for name in frame if name in of_sheet(sheet) or name in (*keys, *PLACE)]]
    return _ordered(sheet, unite(sheet, sort_rows(frame, keys, known), keys, faults))


def _year_of_months(frames: dict[str, pd.DataFrame], parts: Sequence[Part], faults: Faults) -> None:
    """Give the year the sum of its months where these are complete and no table has the tax of a year (in place, told)."""
    monthly, annual = frames.get("monthly"), frames.get("annual")
    spans = [p.frame for p in parts if p.sheet == "monthly" and {"first", "month", "year"} <= set(p.frame)]
    if monthly is None or not spans or (annual is not None and "tax_wan" in annual):
        return
    keys = ["credit_code", "year"]
    rows = apart(pd.concat(spans, ignore_index=True).drop_duplicates([*keys, "month"]))
    rows = rows.assign(year=rows["year"].astype("int64"), n=rows["month"] - rows["first"] + 1)
    sums = rows.groupby(keys, as_index=False).agg(
        n=("n", "sum"), tax_wan=("tax_wan", "sum"), **{p: (p, "first") for p in PLACE}
    )
    sums = sums[(sums["n"] == 12).to_numpy()].drop(columns="n")
    if not len(sums):
        return
    first = sums.iloc[0]
    faults.add("year_from_months", first.source_file, first.source_sheet, n=len(sums))
    if annual is None:
        frames["annual"] = _ordered("annual", sort_rows(sums, keys))
        return
    joined = annual.merge(sums[[*keys, "tax_wan"]], on=keys, how="outer")
    frames["annual"] = _ordered("annual", sort_rows(joined.dropna(subset=["source_row"]), keys))


def _with_keys(sheet: str, part: Part, faults: Faults) -> pd.DataFrame:
    """Return a part's frame with its integer keys checked and typed; rows without them are told and dropped."""
    frame = part.frame
    for name in ("year", "month"):
        if name not in SHEETS[sheet][1] or name not in frame:
            continue
        blank = frame[name].isna().to_numpy()
        if blank.any():
            column = of_sheet("monthly")[name]
            faulty = {(fault.sheet, fault.row) for fault in faults.items if fault.rule.startswith(name)}
            lost = frame.loc[blank, list(PLACE)]
            places = zip(lost["source_sheet"], lost["source_row"], strict=True)
            rows = [(row, None) for sheet_name, row in places if (sheet_name, row) not in faulty]
            if any(fault.count > 1 and fault.rule.startswith(name) for fault in faults.items):
                rows = []
            names = {"column": column.zh, "column_en": column.en, "heading": part.headings.get(name, column.zh)}
            faults.add_rows("key_missing", (lost.iloc[0].source_file, lost.iloc[0].source_sheet), rows, **names)
            frame = frame[~blank]
        frame = frame.assign(**{name: frame[name].astype("int64")})
    return frame


def _drop_repeats(frame: pd.DataFrame, parts: list[Part]) -> pd.DataFrame:
    """Drop rows that a table of another sheet repeats (a method beside every year), and wholly blank ones."""
    if all(part.main for part in parts):
        return frame
    content = [name for name in frame if name not in (*PLACE, "credit_code")]
    kept = frame.dropna(subset=content, how="all")
    return kept.drop_duplicates([name for name in kept if name not in PLACE])


def _tell_repeats(frame: pd.DataFrame, faults: Faults) -> None:
    """Tell rows that are identical in everything, which would be counted twice."""
    content = [name for name in frame if name not in PLACE]
    again = frame.duplicated(content).to_numpy()
    if not again.any():
        return
    first = frame.groupby(content, dropna=False, sort=False)["source_row"].transform("idxmin")
    for row in frame[again].itertuples():
        other = place_words(frame.loc[first[row.Index]], row)
        faults.add("duplicate_row", row.source_file, row.source_sheet, row=row.source_row, **other)


def _enterprises(parts: Sequence[Part], faults: Faults) -> pd.DataFrame | None:
    """Return the enterprises: their own tables, then what other tables say of them, the latest year first."""
    own = [part for part in parts if part.sheet == "enterprises" and part.main]
    carried = [part for part in parts if part.sheet == "enterprises" and not part.main]
    frame: pd.DataFrame | None = None
    if own:
        frames = [part.frame.drop(columns=[n for n in ("year",) if n in part.frame]) for part in own]
        frame = sort_rows(pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0], ["credit_code"])
        frame = unite("enterprises", frame, ["credit_code"], faults)
    named = {_table(part) for part in carried}
    for sheet in ("annual", "monthly"):
        if frame is None:
            carried += [part for part in parts if part.sheet == sheet and part.main and _table(part) not in named]
    if carried and (frame is None or len(carried)):
        frame = _fill(frame, carried, faults)
    return None if frame is None or not len(frame) else _ordered("enterprises", frame)


def _table(part: Part) -> tuple[str, str]:
    """Return file and sheet of a part."""
    return str(part.frame["source_file"].iloc[0]), str(part.frame["source_sheet"].iloc[0])


def _fill(frame: pd.DataFrame | None, parts: list[Part], faults: Faults) -> pd.DataFrame:
    """Add to ``frame`` the identity columns that other tables carry; without a frame, make it from them."""
    known = set(of_sheet("enterprises"))
    pieces = []
    for part in parts:
        names = [n for n in part.frame if n in known or n in (*PLACE, "year")]
        pieces.append(part.frame[names])
    rows = pd.concat(pieces, ignore_index=True) if len(pieces) > 1 else pieces[0]
    wanted = [n for n in rows if n in known and n != "credit_code" and (frame is None or n not in frame)]
    if frame is not None and not wanted:
        return frame
    latest = _latest(rows, wanted, parts[0].marks if len(parts) == 1 else {}, faults)
    if frame is None:
        return latest
    return frame.merge(latest[["credit_code", *wanted]], on="credit_code", how="left")


def _latest(rows: pd.DataFrame, wanted: list[str], known: Mapping[str, Marks], faults: Faults) -> pd.DataFrame:
    """Return one row per credit code with the latest known value of each column; changes over the years are told."""
    ids, codes = ranked(rows["credit_code"], known.get("credit_code"))
    year = rows["year"].fillna(0).to_numpy(dtype=np.int64) if "year" in rows else np.zeros(len(rows), dtype=np.int64)
    order = ordering(ids * (int(year.max()) - int(year.min()) + 1) + year - int(year.min()))
    order = np.arange(len(rows)) if order is None else order
    ids = ids[order]
    last = np.flatnonzero(np.append(ids[1:] != ids[:-1], True))
    at = order[last]
    firms = picked(codes, ids[last]) if codes is not None else rows["credit_code"].take(at).reset_index(drop=True)
    made = {"credit_code": firms}
    for name in wanted:
        found, distinct = known.get(name) or marks(rows[name])
        found = found[order]
        latest = _last_known(found, ids, last)
        made[name] = picked(distinct, latest).astype(rows[name].dtype)
        _tell_changes(name, rows, order, (found, ids, latest[ids]), made[name], faults)
    return pd.DataFrame(made | {name: rows[name].take(at).reset_index(drop=True) for name in PLACE}, copy=False)


def _last_known(found: np.ndarray, ids: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Return each group's last mark that is not missing (−1 if none); ``last`` are the groups' last rows."""
    latest = found[last].copy()
    known = np.flatnonzero(found >= 0)
    if len(known) == len(found) or not len(known):
        return latest
    latest[ids[known]] = found[known]
    return latest


def _tell_changes(
    name: str,
    rows: pd.DataFrame,
    order: np.ndarray,
    known: tuple[np.ndarray, np.ndarray, np.ndarray],
    latest: pd.Series,
    faults: Faults,
) -> None:
    """Tell the enterprises whose ``name`` differs over the years, one fault each.

    ``known`` holds each ordered row's mark, its enterprise, and the mark of the enterprise's latest value.
    """
    now, ids, then = known
    differs = np.flatnonzero((now != then) & (now >= 0))
    if not len(differs):
        return
    column = of_sheet("enterprises")[name]
    firsts = differs[np.append(True, ids[differs][1:] != ids[differs][:-1])]
    rule = "two_names" if name == "name" else "identity_changes"
    told = rows[[name, "credit_code", *PLACE]].take(order[firsts[: LIMIT + 1]])
    for count, row in enumerate(each(told)):
        newest = latest.iloc[ids[firsts[count]]]
        more = {"latest": newest, "other": newest, "code": row.credit_code, "column": column.zh, "column_en": column.en}
        if count == LIMIT:
            more["count"] = len(firsts) - LIMIT
        faults.add(rule, row.source_file, row.source_sheet, row=row.source_row, value=row[0], **more)


def _ordered(sheet: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with keys first, then the table's order, then the place; typed."""
    known = dict.fromkeys([*SHEETS[sheet][1], *of_sheet(sheet)])
    names = [n for n in known if n in frame]
    names += [n for n in ("method_text", "outcome_text") if n in frame]
    frame = frame[[*names, *PLACE]]
    wrong = {n: dtype_of(sheet, n) for n in names if n in of_sheet(sheet) and str(frame[n].dtype) != dtype_of(sheet, n)}
    return frame.astype(wrong) if wrong else frame


KEYS = {
    "annual": ["credit_code", "year"],
    "monthly": ["credit_code", "year", "month"],
    "counties": ["county", "year"],
}
COUNTED_BY_ROW = ("disposals", "tax_items", "blocks")
