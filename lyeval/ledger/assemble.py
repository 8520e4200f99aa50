"""From the parts of all tables to one frame per sheet: joined by key, nothing counted twice (汇总成册)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from lyeval.ledger.columns import SHEETS, of_sheet
from lyeval.ledger.faults import Faults
from lyeval.ledger.joining import place_words, unite
from lyeval.ledger.model import PLACE, arrow, dtype_of, ranks, sort_rows
from lyeval.ledger.rows import Part


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
    enterprises = _enterprises(parts, faults)
    if enterprises is not None:
        frames["enterprises"] = enterprises
    return frames


def _combine(sheet: str, parts: list[Part], faults: Faults) -> pd.DataFrame:
    """Put the parts of one sheet together and keep its keys unique."""
    pieces = [_with_keys(sheet, part, faults) for part in parts]
    keys = KEYS.get(sheet)
    frame = pieces[0] if len(pieces) == 1 else pd.concat(pieces, ignore_index=True)
    if keys is None:
        frame = sort_rows(_drop_repeats(frame, parts), SHEETS[sheet][1])
        if sheet in COUNTED_BY_ROW:
            _tell_repeats(frame, faults)
        return _ordered(sheet, frame)
    return _ordered(sheet, unite(sheet, sort_rows(frame, keys), keys, faults))


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
    for sheet in ("annual", "monthly"):
        if frame is None and any(part.sheet == sheet and part.main for part in parts):
            carried += [part for part in parts if part.sheet == sheet and part.main]
    if carried and (frame is None or len(carried)):
        frame = _fill(frame, carried, faults)
    return None if frame is None or not len(frame) else _ordered("enterprises", frame)


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
    latest = _latest(rows, wanted, faults)
    if frame is None:
        return latest
    return frame.merge(latest[["credit_code", *wanted]], on="credit_code", how="left")


def _latest(rows: pd.DataFrame, wanted: list[str], faults: Faults) -> pd.DataFrame:
    """Return one row per credit code with the latest known value of each column; changes over the years are told."""
    ids = ranks(rows["credit_code"])
    year = rows["year"].fillna(0).to_numpy(dtype=np.int64) if "year" in rows else np.zeros(len(rows), dtype=np.int64)
    order_key = ids * 10_000 + year
    if not (order_key[1:] >= order_key[:-1]).all():
        order = np.argsort(order_key, kind="stable")
        rows, ids = rows.take(order).reset_index(drop=True), ids[order]
    last = np.flatnonzero(np.append(ids[1:] != ids[:-1], True))
    made = {"credit_code": rows["credit_code"].take(last).reset_index(drop=True)}
    for name in wanted:
        made[name] = _last_known(rows[name], ids, last)
        _tell_changes(name, rows, ids, made[name], faults)
    return pd.concat([pd.DataFrame(made), rows[list(PLACE)].take(last).reset_index(drop=True)], axis=1)


def _last_known(values: pd.Series, ids: np.ndarray, last: np.ndarray) -> pd.Series:
    """Return each group's last value that is not missing; ``last`` are the groups' last rows."""
    taken = values.take(last).reset_index(drop=True)
    blank = taken.isna().to_numpy()
    if not blank.any():
        return taken
    known = np.flatnonzero(values.notna().to_numpy())
    if not len(known):
        return taken
    place = np.full(len(last), -1)
    np.maximum.at(place, ids[known], known)
    found = np.flatnonzero(blank & (place >= 0))
    if len(found):
        taken = taken.copy()
        taken.iloc[found] = values.iloc[place[found]].array
    return taken


def _changes(values: pd.Series, ids: np.ndarray) -> bool:
    """Whether any group of neighbours has two different values that are not missing."""
    known = values.notna().to_numpy()
    if not known.all():
        values, ids = values[known], ids[known]
    if values.dtype == "str":
        cells = arrow(values)
        differs = pc.not_equal(cells[1:], cells[:-1]).to_numpy()
    else:
        plain = values.to_numpy()
        differs = plain[1:] != plain[:-1]
    return bool((differs & (ids[1:] == ids[:-1])).any())


def _tell_changes(name: str, rows: pd.DataFrame, ids: np.ndarray, latest: pd.Series, faults: Faults) -> None:
    """Tell the enterprises whose ``name`` differs over the years, one fault each."""
    if not _changes(rows[name], ids):
        return
    marks = pd.factorize(pd.concat([rows[name], latest], ignore_index=True))[0]
    now, then = marks[: len(ids)], marks[len(ids) :][ids]
    differs = np.flatnonzero((now != then) & (now >= 0))
    column = of_sheet("enterprises")[name]
    firsts = differs[np.append(True, ids[differs][1:] != ids[differs][:-1])] if len(differs) else differs
    rule = "two_names" if name == "name" else "identity_changes"
    for count, position in enumerate(firsts):
        row = rows.iloc[position]
        more = {"latest": latest.iloc[ids[position]], "other": latest.iloc[ids[position]], "code": row.credit_code}
        more |= {"column": column.zh, "column_en": column.en}
        if count == 1000:
            more["count"] = len(firsts) - 1000
        faults.add(rule, row.source_file, row.source_sheet, row=row.source_row, value=row[name], **more)
        if count == 1000:
            break


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
