"""Several rows of one key (同一企业同一年份): parcels added up, departments' tables joined, repeats and contradictions told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import (
    NUMERIC,
    PLACE,
    SHEETS,
    Marks,
    dtype_of,
    each,
    marks,
    of_sheet,
    ordering,
    picked,
    ranked,
    ranks,
    sort_rows,
)
from lyeval.ledger.faults import LIMIT, Faults, shown
from lyeval.ledger.grids import Grid
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.rows import DATA, Part, row_kind
from lyeval.ledger.typed import cell_of, texts_of
from lyeval.ledger.vocabulary import find_unit, is_missing, key, tidy, well_formed
from lyeval.ledger.wide import apart

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
    _tell_years(made, "parcels_joined", faults)
    return pd.concat([rows[~several], made[list(rows.columns)]], ignore_index=True)


def _blanks(names: pd.Series) -> int:
    """Return 1 when just one name is blank: a site without a number beside numbered ones."""
    return int(names.isna().sum() == 1)


def _tell_repeated_tax(made: pd.DataFrame, low: pd.Series, high: pd.Series, sums: pd.Series, faults: Faults) -> None:
    """Tell enterprises whose whole tax stands on each of their parcels."""
    same = _close(low, high) & (sums != low)
    _tell_years(made[same.to_numpy()].reset_index(), "tax_repeated", faults)


def _close(one: pd.Series, other: pd.Series) -> pd.Series:
    """Whether figures agree up to 1e-9, or both are missing."""
    near = (one - other).abs() <= 1e-9 * one.abs().clip(lower=other.abs())
    return near | (one.isna() & other.isna())


def _tell_years(rows: pd.DataFrame, rule: str, faults: Faults) -> None:
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
        same = _agree(rows[name], first)
        differs = (known & ~same.fillna(True)).to_numpy(dtype=bool)
        for row in rows[differs].head(LIMIT).itertuples(index=False):
            _tell_contradiction(sheet, name, row, rows, keys, faults)
    return groups.first().reset_index()


def _agree(one: pd.Series, other: pd.Series) -> pd.Series:
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


@dataclass(frozen=True)
class Directory:
    """How the enterprises are known: credit code by organisation code (positions 9–17), by name and by former name.

    A name that two enterprises share stands for none: its value is empty.
    """

    by_org: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, str] = field(default_factory=dict)
    by_alias: Mapping[str, str] = field(default_factory=dict)

    def find(self, org: Any, name: Any) -> tuple[str, str]:
        """Return the credit code, empty when no key leads to exactly one enterprise, and the key: org, name or alias."""
        if org is not None and (found := self.by_org.get(tidy(org)[-9:], "")):
            return found, "org"
        for how, table in (("name", self.by_name), ("alias", self.by_alias)):
            if name is not None and (found := table.get(key(str(name)))) is not None:
                return found, how
        return "", ""


def directory(parts: Iterable[Part]) -> Directory:
    """Gather codes, names and former names from the tables that have them."""
    made = Directory({}, {}, {})
    for part in parts:
        frame = part.frame
        if "credit_code" not in frame:
            continue
        for code in frame["credit_code"].dropna().unique():
            _enter(made.by_org, code[8:17], code)
        for column, table in (("name", made.by_name), ("aliases", made.by_alias)):
            if column in frame:
                pairs = frame[["credit_code", column]].dropna().drop_duplicates()
                for code, words in pairs.itertuples(index=False):
                    for name in _former(words) if column == "aliases" else [words]:
                        _enter(table, key(name), code)
    return made


def _enter(table: Any, word: str, code: str) -> None:
    """Enter a key; one that leads to two enterprises leads to none."""
    if word:
        table[word] = code if table.get(word, code) == code else ""


def _former(words: str) -> list[str]:
    """Split former names."""
    for mark in "；;，,/":
        words = words.replace(mark, "、")
    return [name for name in words.split("、") if name]


def by_organisation(grid: Grid, layout: Layout) -> Layout:
    """Return a layout whose codes, if most are of 9 or 15 places, are taken as organisation codes or taxpayer numbers."""
    item = next((i for i in layout.columns if i.column.name == "credit_code" and i.column.kind == "code"), None)
    if item is None:
        return layout
    raw = grid.body(layout.body)[item.place]
    some = [cell_of(raw, p) for p in range(min(len(raw), 200))]
    sizes = [len(tidy(cell)) for cell in some if isinstance(cell, str) and re.search(r"\d{4}", cell)]
    if not sizes or sum(size in (9, 15) for size in sizes) * 5 < len(sizes) * 4:
        return layout
    org = replace(item, column=of_sheet("enterprises")["org_code"])
    return replace(layout, columns=tuple(org if i is item else i for i in layout.columns))


def with_missing_codes(grid: Grid, layout: Layout, names: Mapping[str, str], faults: Faults) -> Grid:
    """Return the grid with blank credit codes filled in from an equal name elsewhere that has one code (told)."""
    places = {item.column.name: item for item in layout.columns}
    code, name = places.get("credit_code"), places.get("name")
    if code is None or name is None:
        return grid
    columns = list(grid.columns)
    raw = list(texts_of(columns[code.place]))
    skip = layout.body - len(grid.head)
    called = texts_of(columns[name.place])
    lines = []
    for position in range(skip, len(raw)):
        found = (
            names.get(key(str(called[position])))
            if blank_cell(raw[position]) and not blank_cell(called[position])
            else None
        )
        if found:
            raw[position] = found
            lines.append((grid.first_row + len(grid.head) + position, called[position], found))
    for row, value, found in lines:
        faults.add("code_filled", grid.file, grid.sheet, row=row, heading=code.heading, value=value, code=found)
    columns[code.place] = raw
    return replace(grid, columns=columns) if lines else grid


def lacks_codes(grid: Grid, layout: Layout) -> bool:
    """Whether a table with a column of credit codes has blank ones."""
    item = next((i for i in layout.columns if i.column.name == "credit_code"), None)
    if item is None or not any(i.column.name == "name" for i in layout.columns):
        return False
    raw = grid.body(layout.body)[item.place]
    return any(map(blank_cell, raw)) if isinstance(raw, list) else raw.null_count > 0


def names_of(grid: Grid, layout: Layout) -> dict[str, str]:
    """Return the codes of a table by normalised name; a name of two codes has none."""
    places = {item.column.name: item.place for item in layout.columns}
    if not {"credit_code", "name"} <= set(places):
        return {}
    body = grid.body(layout.body)
    found: dict[str, str] = {}
    for code, name in zip(texts_of(body[places["credit_code"]]), texts_of(body[places["name"]]), strict=True):
        if isinstance(name, str) and isinstance(code, str) and well_formed(tidy(code)):
            _enter(found, key(name), tidy(code))
    return found


def blank_cell(value: Any) -> bool:
    """Whether a cell says nothing."""
    return value is None or value != value or not str(value).strip() or (isinstance(value, str) and is_missing(value))


def joinable(layout: Layout) -> bool:
    """Whether a table without credit codes has another key of enterprises."""
    return bool({"org_code", "name"} & {item.column.name for item in layout.columns})


def with_codes(grid: Grid, layout: Layout, known: Directory, faults: Faults) -> tuple[Grid, Layout] | None:
    """Return the grid with a column of credit codes found by its own keys; None when no row is of a known enterprise.

    Rows of nobody are told and stand outside: they count in totals alone.
    """
    places = {item.column.name: item for item in layout.columns}
    body = [texts_of(raw) for raw in grid.body(layout.body)]
    skip = layout.body - len(grid.head)
    org, name = (body[places[n].place] if n in places else None for n in ("org_code", "name"))
    headings = {key(item.heading) for item in layout.columns}
    codes: list[Any] = []
    unmatched: list[tuple[int, Any]] = []
    ways: dict[str, int] = {}
    shared = False
    for position, row in enumerate(zip(*body, strict=True)):
        ids = [None if column is None or blank_cell(column[position]) else column[position] for column in (org, name)]
        code, how = known.find(*ids)
        codes.append(code or None)
        shared |= bool(how) and not code
        if code:
            ways[how] = ways.get(how, 0) + 1
        elif any(v is not None for v in ids) and row_kind(list(row), headings, position) == DATA:
            unmatched.append((position, next(v for v in reversed(ids) if v is not None)))
    firms = sum(bool(FIRM.search(str(value))) for _, value in unmatched)
    if not ways and not shared and firms * 2 <= len(unmatched):
        return None
    item = places.get("name") or places["org_code"]
    _tell_joined(grid, layout, item, ways, unmatched, faults)
    column = Mapped(of_sheet("enterprises")["credit_code"], item.heading, len(body))
    columns = [*[[None] * skip + list(column) for column in body], [None] * skip + codes]
    outside = frozenset(layout.body + position for position, _ in unmatched)
    grid = replace(grid, columns=columns, outside=outside)
    return grid, replace(layout, columns=(*layout.columns, column))


def _tell_joined(
    grid: Grid, layout: Layout, item: Mapped, ways: dict[str, int], unmatched: list[tuple[int, Any]], faults: Faults
) -> None:
    """Tell how a department's table was joined, and the rows that belong to nobody."""
    where = (grid.file, grid.sheet)
    more: dict[str, Any] = {"matched": sum(ways.values()), "unmatched": len(unmatched)}
    more["how"] = "、".join(f"按{HOW[how][0]}{n}行" for how, n in ways.items()) or "0行"
    more["how_en"] = ", ".join(f"{n} by {HOW[how][1]}" for how, n in ways.items()) or "0"
    faults.add("joined_by_name", *where, heading=item.heading, **more)
    rows = [(grid.first_row + layout.body + position, value) for position, value in unmatched]
    faults.add_rows("unmatched", where, rows, heading=item.heading)


FIRM = re.compile("公司|厂|企业|合作社|集团|中心|工场|作坊|部$|社$|店$|所$")
HOW = {"org": ("组织机构代码", "organisation code"), "name": ("企业名称", "name"), "alias": ("曾用名", "former name")}
