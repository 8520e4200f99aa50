"""From the parts of all tables to one frame per sheet (汇总成册): tables without codes joined, parcels added, nothing counted twice."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported, and pyarrow ships no stubs)

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from lyeval.ledger.columns import (
    LAYOUTS,
    PLACE,
    SHEETS,
    Marks,
    dtype_of,
    marks,
    of_sheet,
    ordering,
    picked,
    ranked,
    sort_rows,
)
from lyeval.ledger.faults import LIMIT, Faults, shown
from lyeval.ledger.grids import Grid
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.rows import DATA, Part, row_kind
from lyeval.ledger.typed import cell_of, is_text, texts_of
from lyeval.ledger.vocabulary import CODE_SIZE, find_unit, is_missing, key, terms, tidy, well_formed
from lyeval.ledger.wide import apart

TABLE = ["source_file", "source_sheet"]
Codes = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Directory:
    """How the enterprises of some tables are known: organisation code (positions 9–17), name and former name → code → township.

    A key that leads to two enterprises stands for none.
    """

    codes: set[str] = field(default_factory=set[str])
    by_org: Codes = field(default_factory=Codes)
    by_name: Codes = field(default_factory=Codes)
    by_alias: Codes = field(default_factory=Codes)

    def find(self, org: Any, name: Any) -> tuple[str, str]:
        """Return the credit code, empty when no key leads to exactly one enterprise, and the key: org, name or alias."""
        if org is not None and len(found := self.by_org.get(tidy(org)[-9:], {})) == 1:
            return next(iter(found)), "org"
        for how, table in (("name", self.by_name), ("alias", self.by_alias)):
            if name is not None and (found := table.get(key(str(name)))) is not None:
                return next(iter(found)) if len(found) == 1 else "", how
        return "", ""


def directory(parts: Iterable[Part]) -> Directory:
    """Gather codes, names, former names and townships from the tables that have them."""
    made = Directory()
    for frame in (part.frame for part in parts if "credit_code" in part.frame):
        for code in frame["credit_code"].dropna().unique():
            made.codes.add(code)
            made.by_org.setdefault(code[8:17], {})[code] = ""
        towns = frame["township"] if "township" in frame else pd.Series(np.nan, index=frame.index)
        for column, table in (("name", made.by_name), ("aliases", made.by_alias)):
            if column not in frame:
                continue
            rows = pd.DataFrame({"code": frame["credit_code"], "words": frame[column], "town": towns})
            for code, words, town in rows.dropna(subset=["code", "words"]).drop_duplicates().itertuples(index=False):
                for name in re.split(ALIASES, words) if column == "aliases" else [words]:
                    if key(name):
                        known = table.setdefault(key(name), {})
                        known[code] = known.get(code) or ("" if pd.isna(town) else str(town))
    return made


def by_organisation(grid: Grid, layout: Layout) -> Layout:
    """Return a layout whose codes, if most are of 9 or 15 places, are taken as organisation codes or taxpayer numbers."""
    item = layout.named("credit_code")
    if item is None or item.column.kind != "code":
        return layout
    raw = grid.body(layout.body)[item.place]
    some = [cell_of(raw, p) for p in range(min(len(raw), 200))]
    sizes = [len(tidy(cell)) for cell in some if isinstance(cell, str) and re.search(r"\d{4}", cell)]
    if not sizes or sum(size in SHORT for size in sizes) * 5 < len(sizes) * 4:
        return layout
    org = replace(item, column=of_sheet("enterprises")["org_code"])
    return replace(layout, columns=tuple(org if i is item else i for i in layout.columns))


def with_missing_codes(grid: Grid, layout: Layout, names: Mapping[str, str], faults: Faults) -> Grid:
    """Return the grid with credit codes filled in: blank ones by an equal name elsewhere, organisation codes by theirs (told)."""
    code, name = layout.named("credit_code"), layout.named("name")
    if code is None or name is None:
        return grid
    columns = list(grid.columns)
    raw, called = list(texts_of(columns[code.place])), texts_of(columns[name.place])
    lines: list[tuple[int, Any, str, Any]] = []
    firms = {found[8:17]: found for found in names.values()}
    for position in range(layout.body - len(grid.head), len(raw)):
        if not _lacking(raw[position]):
            continue
        blank = _blank(raw[position])
        value = called[position] if blank else raw[position]
        found = None if _blank(value) else names.get(key(str(value))) if blank else firms.get(tidy(value)[-9:])
        if found:
            raw[position] = found
            lines.append((grid.first_row + len(grid.head) + position, value, found, HOW["name" if blank else "org"]))
    for row, value, found, (how, how_en) in lines:
        place = {"row": row, "heading": code.heading, "value": value}
        faults.add("code_filled", grid.file, grid.sheet, **place, code=found, how=how, how_en=how_en)
    columns[code.place] = raw
    return replace(grid, columns=columns) if lines else grid


def lacks_codes(grid: Grid, layout: Layout) -> bool:
    """Whether a table with a column of credit codes has blank ones, or organisation codes and taxpayer numbers."""
    item = layout.named("credit_code")
    if item is None or layout.named("name") is None:
        return False
    raw = grid.body(layout.body)[item.place]
    if isinstance(raw, list):
        return any(map(_lacking, raw))
    short = is_text(raw.type) and (pc.min(pc.binary_length(raw)).as_py() or 0) < CODE_SIZE
    return raw.null_count > 0 or (short and any(map(_lacking, raw.unique().to_pylist())))


def names_of(grid: Grid, layout: Layout) -> dict[str, str]:
    """Return the codes of a table by normalised name; a name of two codes has none."""
    code, name = layout.named("credit_code"), layout.named("name")
    if code is None or name is None:
        return {}
    body = grid.body(layout.body)
    found: dict[str, str] = {}
    for own, called in zip(texts_of(body[code.place]), texts_of(body[name.place]), strict=True):
        if isinstance(called, str) and isinstance(own, str) and well_formed(tidy(own)) and key(called):
            found[key(called)] = tidy(own) if found.get(key(called), tidy(own)) == tidy(own) else ""
    return found


def _blank(value: Any) -> bool:
    """Whether a cell says nothing."""
    return value is None or value != value or not str(value).strip() or (isinstance(value, str) and is_missing(value))


def _lacking(value: Any) -> bool:
    """Whether a credit code is blank, or an organisation code or taxpayer number."""
    if isinstance(value, str) and len(value) == CODE_SIZE:
        return False
    return _blank(value) or (isinstance(value, str) and len(tidy(value)) in SHORT)


def joinable(layout: Layout) -> bool:
    """Whether a table without credit codes has another key of enterprises."""
    return layout.named("org_code") is not None or layout.named("name") is not None


def with_codes(grid: Grid, layout: Layout, known: Directory, faults: Faults) -> tuple[Grid, Layout] | None:
    """Return the grid with a column of credit codes found by its own keys; None when no row is of a known enterprise.

    How it was joined is told; rows of nobody are told and stand outside: they count in totals alone.
    """
    body = [texts_of(raw) for raw in grid.body(layout.body)]
    keys = [layout.named(name) for name in ("org_code", "name")]
    headings = {key(item.heading) for item in layout.columns}
    codes: list[str | None] = []
    unmatched: list[tuple[int, Any]] = []
    ways: dict[str, int] = {}
    shared = False
    for position, row in enumerate(zip(*body, strict=True)):
        org, name = (None if item is None or _blank(row[item.place]) else row[item.place] for item in keys)
        code, how = known.find(org, name)
        codes.append(code or None)
        shared |= bool(how) and not code
        if code:
            ways[how] = ways.get(how, 0) + 1
        elif (org, name) != (None, None) and row_kind(list(row), headings, position) == DATA:
            unmatched.append((position, org if name is None else name))
    firms = sum(bool(FIRM.search(str(value))) for _, value in unmatched)
    item = keys[1] or keys[0]
    if item is None or (not ways and not shared and firms * 2 <= len(unmatched)):
        return None
    more = {"matched": sum(ways.values()), "unmatched": len(unmatched), "heading": item.heading}
    how = "、".join(f"按{HOW[how][0]}{n}行" for how, n in ways.items()) or "0行"
    how_en = ", ".join(f"{n} by {HOW[how][1]}" for how, n in ways.items()) or "0"
    faults.add("joined_by_name", *grid.where, how=how, how_en=how_en, **more)
    rows = [(grid.first_row + layout.body + position, value) for position, value in unmatched]
    faults.add_rows("unmatched", grid.where, rows, heading=item.heading)
    column = Mapped(of_sheet("enterprises")["credit_code"], item.heading, len(body))
    above: list[Any] = [None] * (layout.body - len(grid.head))
    outside = frozenset(layout.body + position for position, _ in unmatched)
    made = replace(grid, columns=[*grid.columns, above + codes], outside=outside)
    return made, replace(layout, columns=(*layout.columns, column))


def assemble(parts: Sequence[Part], faults: Faults) -> dict[str, pd.DataFrame]:
    """Return one frame per sheet that the tables hold, sorted by its keys.

    Annual tables that share enterprise-years are joined; identity columns of annual rows fill the enterprises, the
    latest year first.
    """
    frames: dict[str, pd.DataFrame] = {}
    for sheet in SHEETS:
        found = [part for part in parts if part.sheet == sheet and sheet != "enterprises"]
        frame = _combine(sheet, found, faults) if found else ()
        if isinstance(frame, pd.DataFrame) and len(frame):
            frames[sheet] = frame
    _year_of_months(frames, parts, faults)
    enterprises = _enterprises(parts, faults)
    if enterprises is not None:
        frames["enterprises"] = enterprises
    return frames


def _combine(sheet: str, parts: list[Part], faults: Faults) -> pd.DataFrame:
    """Put the parts of one sheet together and keep its keys unique."""
    pieces = [_with_keys(sheet, part, faults) for part in parts]
    keys = list(SHEETS[sheet][1])
    frame = pieces[0] if len(pieces) == 1 else pd.concat(pieces, ignore_index=True)
    if not LAYOUTS[sheet].unique:
        if not all(part.main for part in parts):  # what a table of another sheet repeats: a method beside every year
            kept = frame.dropna(subset=[n for n in frame if n not in (*PLACE, "credit_code")], how="all")
            frame = kept.drop_duplicates([name for name in kept if name not in PLACE])
        frame = sort_rows(frame, keys)
        if LAYOUTS[sheet].counted:
            _tell_repeats(frame, faults)
        return _ordered(sheet, frame)
    known = parts[0].marks.get("credit_code") if len(frame) == len(parts[0].frame) else None
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
    how: dict[str, Any] = {"n": ("n", "sum"), "tax_wan": ("tax_wan", "sum")} | {p: (p, "first") for p in PLACE}
    sums = rows.groupby(keys, as_index=False).agg(**how)
    sums = sums[(sums["n"] == 12).to_numpy()].drop(columns="n")
    if not len(sums):
        return
    first = sums.iloc[0]
    faults.add("year_from_months", first["source_file"], first["source_sheet"], n=len(sums))
    if annual is not None:
        joined = annual.merge(sums[[*keys, "tax_wan"]], on=keys, how="outer")
        sums = joined.dropna(subset=["source_row"])
    frames["annual"] = _ordered("annual", sort_rows(sums, keys))


def _with_keys(sheet: str, part: Part, faults: Faults) -> pd.DataFrame:
    """Return a part's frame with its integer keys checked and typed; rows without them are told and dropped."""
    frame = part.frame
    for name in ("year", "month"):
        if name not in SHEETS[sheet][1] or name not in frame:
            continue
        blank = frame[name].isna().to_numpy()
        if blank.any():
            column, lost = of_sheet("monthly")[name], frame.loc[blank, list(PLACE)]
            told = [fault for fault in faults.items if fault.rule.startswith(name)]
            faulty = {(fault.sheet, fault.row) for fault in told}
            places = zip(lost["source_sheet"], lost["source_row"], strict=True)
            rows = [(row, None) for sheet_name, row in places if (sheet_name, row) not in faulty]
            if not any(fault.count > 1 for fault in told):
                names = {"column": column.zh, "column_en": column.en, "heading": part.headings.get(name, column.zh)}
                where = (lost["source_file"].iloc[0], lost["source_sheet"].iloc[0])
                faults.add_rows("key_missing", where, rows, **names)
            frame = frame[~blank]
        frame = frame.assign(**{name: frame[name].astype("int64")})
    return frame


def _tell_repeats(frame: pd.DataFrame, faults: Faults) -> None:
    """Tell rows that are identical in everything, which would be counted twice."""
    content = [name for name in frame if name not in PLACE]
    again = frame.duplicated(content).to_numpy()
    if not again.any():
        return
    first = frame.groupby(content, dropna=False, sort=False)["source_row"].transform("idxmin")
    for row in frame[again].itertuples():
        other = _place_words(frame.loc[first[row.Index]], row)
        faults.add("duplicate_row", str(row.source_file), str(row.source_sheet), row=row.source_row, **other)


def _place_words(row: Any, seen_from: Any) -> dict[str, str]:
    """Return in both languages where ``row`` stands, as much as is needed from another row."""
    zh, en = f"第{row.source_row}行", f"row {row.source_row}"
    if row.source_sheet != seen_from.source_sheet and row.source_sheet:
        zh, en = f"“{row.source_sheet}”表{zh}", f"{en} of sheet {row.source_sheet!r}"
    if row.source_file != seen_from.source_file:
        zh, en = f"{row.source_file}{zh}", f"{en} in {row.source_file}"
    return {"other": zh, "other_en": en}


def _enterprises(parts: Sequence[Part], faults: Faults) -> pd.DataFrame | None:
    """Return the enterprises: their own tables, then what other tables say of them, the latest year first."""
    own = [part for part in parts if part.sheet == "enterprises" and part.main]
    carried = [part for part in parts if part.sheet == "enterprises" and not part.main]
    frame: pd.DataFrame | None = None
    if own:
        frames = [part.frame.drop(columns="year", errors="ignore") for part in own]
        frame = sort_rows(pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0], ["credit_code"])
        frame = unite("enterprises", frame, ["credit_code"], faults)
    else:
        named = {tuple(part.frame[TABLE].iloc[0]) for part in carried}
        for sheet in ("annual", "monthly"):
            mine = [part for part in parts if part.sheet == sheet and part.main]
            carried += [part for part in mine if tuple(part.frame[TABLE].iloc[0]) not in named]
    if carried:
        frame = _fill(frame, carried, faults)
    return None if frame is None or not len(frame) else _ordered("enterprises", frame)


def _fill(frame: pd.DataFrame | None, parts: list[Part], faults: Faults) -> pd.DataFrame:
    """Add to ``frame`` the identity columns that other tables carry; without a frame, make it from them."""
    known = set(of_sheet("enterprises"))
    pieces = [part.frame[[n for n in part.frame if n in known or n in (*PLACE, "year")]] for part in parts]
    rows = pd.concat(pieces, ignore_index=True) if len(pieces) > 1 else pieces[0]
    wanted = [str(n) for n in rows if n in known and n != "credit_code" and (frame is None or n not in frame)]
    if frame is not None and not wanted:
        return frame
    latest = _latest(rows, wanted, parts[0].marks if len(parts) == 1 else {}, faults)
    return latest if frame is None else frame.merge(latest[["credit_code", *wanted]], on="credit_code", how="left")


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
        latest = found[last].copy()
        there = np.flatnonzero(found >= 0)
        if 0 < len(there) < len(found):
            latest[ids[there]] = found[there]  # each firm's last value that is not missing
        made[name] = picked(distinct, latest).astype(rows[name].dtype)
        differs = np.flatnonzero((found != latest[ids]) & (found >= 0))
        if len(differs):
            firsts = differs[np.append(True, ids[differs][1:] != ids[differs][:-1])]
            told = rows[[name, "credit_code", *PLACE]].take(order[firsts]).reset_index(drop=True)
            if name == "name" and "aliases" in rows:
                former = dict(rows[["credit_code", "aliases"]].dropna().itertuples(index=False, name=None))
                pairs = zip(told["credit_code"], told["name"], strict=True)
                former_ones = [n in re.split(ALIASES, former.get(code, "")) for code, n in pairs]
                told, firsts = told[~np.array(former_ones)], firsts[~np.array(former_ones)]
            _tell_changes(name, told.assign(latest=made[name].take(ids[firsts]).to_numpy()), faults)
    return pd.DataFrame(made | {name: rows[name].take(at).reset_index(drop=True) for name in PLACE}, copy=False)


def _tell_changes(name: str, rows: pd.DataFrame, faults: Faults) -> None:
    """Tell the enterprises whose ``name`` was once another than the ``latest``."""
    column = of_sheet("enterprises")[name]
    rule = "two_names" if name == "name" else "identity_changes"
    more: dict[str, Any] = {"latest": lambda row: row.latest, "other": lambda row: row.latest}
    more |= {"value": lambda row: getattr(row, name), "column": column.zh, "column_en": column.en}
    faults.add_frame(rule, rows, **more)


def _ordered(sheet: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with keys first, then the table's order, then the place; typed."""
    known = dict.fromkeys([*SHEETS[sheet][1], *of_sheet(sheet)])
    names = [n for n in (*known, "method_text", "outcome_text") if n in frame]
    frame = frame[[*names, *PLACE]]
    wrong = {n: dtype_of(sheet, n) for n in names if n in of_sheet(sheet) and str(frame[n].dtype) != dtype_of(sheet, n)}
    return frame.astype(wrong) if wrong else frame


def unite(sheet: str, frame: pd.DataFrame, keys: list[str], faults: Faults) -> pd.DataFrame:
    """Return ``frame``, sorted by ``keys``, with one row per key.

    Rows of one table that name different parcels (宗地) are added up; other rows of one table with the same key would
    be counted twice and are errors; rows of different tables are joined, and figures that differ contradict.
    """
    same = np.ones(max(len(frame) - 1, 0), dtype=bool)
    for name in keys:
        place, _ = ranked(frame[name])
        same &= place[1:] == place[:-1]
    repeated = np.concatenate([same, [False]]) | np.concatenate([[False], same])
    if not repeated.any():
        return frame
    rows = frame[repeated]
    if sheet == "annual" and "parcel" in rows:
        rows = _add_parcels(rows, keys, faults)
    again = rows.duplicated([*keys, *TABLE]).to_numpy()
    if again.any():
        firsts = rows.loc[~again, [*keys, *TABLE, "source_row"]].rename(columns={"source_row": "first_row"})
        told = rows[again].merge(firsts, on=[*keys, *TABLE], how="left")
        more: dict[str, Any] = {"code": lambda row: getattr(row, keys[0])}
        more |= {"other": lambda row: f"第{row.first_row}行", "other_en": lambda row: f"row {row.first_row}"}
        faults.add_frame(LAYOUTS[sheet].again, told, **more)
    rows = _join_tables(sheet, rows[~again], keys, faults)
    joined = pd.concat([frame[~repeated], rows[list(frame.columns)]], ignore_index=True)
    return sort_rows(joined.astype(frame.dtypes.to_dict()), keys)


def _add_parcels(rows: pd.DataFrame, keys: list[str], faults: Faults) -> pd.DataFrame:
    """Add up the rows of one table whose parcels differ: land adds, other figures once if equal on all."""
    groups = rows.groupby([*keys, *TABLE], sort=False, dropna=False)
    size = groups["parcel"].transform("size")
    alone = groups["parcel"].transform(lambda names: int(names.isna().sum() == 1))  # a site without a number
    several = ((size > 1) & (groups["parcel"].transform("nunique") + alone == size)).to_numpy(dtype=bool)
    if not several.any():
        return rows
    parcels = rows[several]
    groups = parcels.groupby([*keys, *TABLE], sort=False, dropna=False)
    made = groups.first()
    for name in parcels.columns.difference([*keys, *TABLE]):
        column = of_sheet("annual").get(name)
        if column is None or not column.adds:
            continue
        sums, low, high = groups[name].sum(min_count=1), groups[name].min(), groups[name].max()
        area = (find_unit(column.unit) or ("",))[0] == "area"
        made[name] = sums if area else low.where(_close(low, high), sums)
        if name == "tax_wan":
            whole = _close(low, high) & (sums != low)
            faults.add_frame("tax_repeated", made[whole.to_numpy()].reset_index())
    made["parcel"] = groups["parcel"].agg(lambda names: "、".join(dict.fromkeys(names.dropna())))
    made = made.reset_index()
    faults.add_frame("parcels_joined", made)
    return pd.concat([rows[~several], made[list(rows.columns)]], ignore_index=True)


def _close(one: pd.Series, other: pd.Series) -> pd.Series:
    """Whether figures agree up to 1e-9, or both are missing."""
    near = (one - other).abs() <= 1e-9 * one.abs().clip(lower=other.abs())
    return near | (one.isna() & other.isna())


def _join_tables(sheet: str, rows: pd.DataFrame, keys: list[str], faults: Faults) -> pd.DataFrame:
    """Join the rows of one key from different tables; the first table's value stands, others must agree."""
    groups = rows.groupby(keys, sort=False, dropna=False)
    for name in rows.columns.difference([*keys, *PLACE, "name", "parcel", "method_text", "outcome_text"]):
        first = groups[name].transform("first")
        known = rows[name].notna() & first.notna()
        differs = (known & ~_same(rows[name], first).fillna(True)).to_numpy(dtype=bool)
        column = of_sheet(sheet).get(name)
        names = {"column": column.zh if column else name, "column_en": column.en if column else name}
        for row in rows[differs].head(LIMIT).itertuples(index=False):
            same = rows[np.logical_and.reduce([(rows[k] == getattr(row, k)).to_numpy() for k in keys])]
            other = same[same[name].notna()].iloc[0]
            place = {"row": row.source_row, "value": getattr(row, str(name)), "code": getattr(row, keys[0])}
            more = names | place | _place_words(other, row) | {"value_other": shown(other[name])}
            faults.add("contradiction", str(row.source_file), str(row.source_sheet), **more)
    return groups.first().reset_index()


def _same(one: pd.Series, other: pd.Series) -> pd.Series:
    """Whether values agree; a month, which stands for its first or last day, agrees with any day of it."""
    if one.dtype == "float64":
        return _close(one, other)
    if one.dtype.kind != "M":
        return one == other
    bare = one.dt.is_month_start | other.dt.is_month_start | one.dt.is_month_end | other.dt.is_month_end
    return (one == other) | (bare & (one.dt.year == other.dt.year) & (one.dt.month == other.dt.month))


FIRM = re.compile("公司|厂|企业|合作社|集团|中心|工场|作坊|部$|社$|店$|所$")
SHORT, ALIASES = (9, 15), "[、；;，,/]"
HOW = {way: words for way, *words in terms("way")}
