"""Read a ledger (读取台账): a workbook, a folder of files, one flat sheet, or a list of these for a city."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval import resources
from lyeval.ledger.checks import check, with_county
from lyeval.ledger.columns import PLACE, SHEETS, Ledger, Source, empty
from lyeval.ledger.faults import Fault, Faults, LedgerError
from lyeval.ledger.forms import Form, is_about, read_form, survey_parts
from lyeval.ledger.grids import INSTEAD, READERS, WORKBOOKS, Grid, instead, read_grids
from lyeval.ledger.headings import Own, beside, load_columns, unreadable
from lyeval.ledger.join import (
    assemble,
    by_organisation,
    directory,
    joinable,
    lacks_codes,
    names_of,
    with_codes,
    with_missing_codes,
)
from lyeval.ledger.layout import Layout, find_layout, sections
from lyeval.ledger.rows import Part, read_rows
from lyeval.ledger.summaries import Passed, compare_summaries, taken_for, tell_remarks
from lyeval.ledger.typed import texts_of
from lyeval.ledger.vocabulary import key
from lyeval.textfiles import Unreadable, read_yaml

Paths = str | Path | Sequence[str | Path]
FIGURES = {"tax_wan", "land_mu", "approved_mu"}
ABOVE_NAME, BELOW_NAME = "规上|规模以上", "规下|规模以下"
KEYS = {"credit_code", "name", "year", "month", "first", *PLACE}
IDENTITY = KEYS | {"county", "township", "park", "industry_code", "aliases"}


def read_ledger(
    path: Paths,
    *,
    methods: Mapping[str, str] | None = None,
    columns: str | Path | Mapping[str, str | None] | None = None,
    year: int | None = None,
    county: str | Mapping[str, str] = "",
    tables: list[tuple[Any, ...]] | None = None,
) -> Ledger:
    """Read one county's ledger, or a city's from the ledgers of its counties and zones.

    Parameters
    ----------
    path : str, Path or list of these
        A workbook, a flat CSV or Parquet file, a folder of such files (one ledger), ``sample:<name>``. A list is a city, each
        element one ledger, but for what belongs together: survey forms and departments' tables without credit codes go to the
        ledgers whose enterprises they are about, and files of the same firms that complement each other are one ledger.
    methods : Mapping, optional
        A policy's own labels of disposal methods (处置方式) → canonical id.
    columns : path or Mapping, optional
        The office's own word on its headings: heading → column (`mapping.load_columns`); default: each ledger's own
        ``<name>.columns.yaml`` beside it, where there is one.
    year : int, optional
        What survey forms mean by 上一年 where they give neither a year nor a day.
    county : str or Mapping, optional
        The place of enterprises whose ledger names none, for all ledgers or by each as named (told).
    tables : list, optional
        Is given every table as it was read: grid, layout, kinds of rows, converted values by column (`cleaning`).

    Returns
    -------
    Ledger
        Mapped, converted and checked; what was told stands in ``faults``.

    Raises
    ------
    LedgerError
        With every fault found, if any of them is an error.

    Examples
    --------
    >>> ledger = ly.read_ledger("sample:zhoushan-shengsi")
    >>> len(ledger.enterprises), ledger.has("annual", "tax_wan")
    (60, True)
    """
    own = None if columns is None else load_columns(columns)
    opened = [_opened(one, own, tables) for one in _paths(path)]
    _read(opened, methods or {})
    places = {Path(name): place for name, place in county.items()} if isinstance(county, Mapping) else {}
    given = "" if isinstance(county, Mapping) else county
    return merge([_made(one, year, places.get(one.path, given)) for one in _joined(_shared_out(opened))])


def merge(ledgers: Sequence[Ledger]) -> Ledger:
    """Put the ledgers of several counties together; a credit code in two of them is an error that names both.

    Raises
    ------
    LedgerError
        If an enterprise stands in two ledgers, or one of them has an error.
    """
    faults = Faults()
    faults.items = [fault for ledger in ledgers for fault in ledger.faults]
    if len(ledgers) > 1:
        _tell_shared(ledgers, faults)
    if faults.errors():
        raise LedgerError(faults.items)
    if len(ledgers) == 1:
        return ledgers[0]
    frames: dict[str, pd.DataFrame] = {}
    for sheet, (_, keys) in SHEETS.items():
        pieces = [frame for ledger in ledgers if len(frame := getattr(ledger, sheet))]
        if pieces:
            joined = pd.concat(pieces, ignore_index=True)
            frames[sheet] = joined.sort_values(list(keys), kind="stable", ignore_index=True)
    notes = list(dict.fromkeys(ledger.synthetic for ledger in ledgers if ledger.synthetic))
    return Ledger(
        **{sheet: frames.get(sheet, empty(sheet)) for sheet in SHEETS},
        faults=tuple(faults.items),
        sources=tuple(source for ledger in ledgers for source in ledger.sources),
        synthetic="；".join(notes) or None,
        sheets=tuple(sheet for sheet in SHEETS if any(sheet in ledger.sheets for ledger in ledgers)),
    )


def _tell_shared(ledgers: Sequence[Ledger], faults: Faults) -> None:
    """Tell every code that stands in two ledgers."""
    columns = ["credit_code", "source_file", "source_sheet", "source_row"]
    rows = pd.concat([ledger.enterprises[columns] for ledger in ledgers], ignore_index=True)
    shared = rows.assign(first=rows.groupby("credit_code")["source_file"].transform("first"))
    shared = shared[rows["credit_code"].duplicated().to_numpy()].sort_values("credit_code", kind="stable")
    named = {
        "value": lambda row: row.credit_code,
        "file_a": lambda row: row.first,
        "file_b": lambda row: row.source_file,
    }
    faults.add_frame("code_in_two_files", shared, **named)


def _paths(path: Paths) -> list[Path]:
    """Return the ledgers named: a list as it is, a sample by its files."""
    found: list[Path] = []
    missing = {"known": "", "known_en": ""}
    for name in [path] if isinstance(path, str | Path) else path:
        if not isinstance(name, str) or not name.startswith("sample:"):
            found.append(Path(name))
            continue
        try:
            found += resources.sample(name.removeprefix("sample:"))
        except FileNotFoundError as error:
            missing = dict(zip(missing, str(error).split(" / "), strict=True))
            raise LedgerError([Fault("file_missing", "error", name, params=missing)]) from error
    if not found:
        raise LedgerError([Fault("file_missing", "error", "", params=missing)])
    return found


@dataclass(frozen=True, eq=False)
class _Table:
    """A grid with its layout, and what was told while finding it."""

    grid: Grid
    layout: Layout
    told: tuple[Fault, ...] = ()

    @property
    def coded(self) -> bool:
        """Whether the rows say themselves to whom they belong."""
        return self.layout.named("credit_code") is not None or self.layout.sheet in ("blocks", "counties")

    @property
    def sums(self) -> bool:
        """Whether it sums firms up: counties without a year."""
        dated = self.layout.year or self.layout.named("year") or any(item.period for item in self.layout.columns)
        return self.layout.sheet == "counties" and not dated

    def parts(self, tables: Sequence[_Table], methods: Mapping[str, str], faults: Faults) -> list[Part]:
        """Return what its rows say, by sheet; class and year are taken from names and title where it has none."""
        parts = [_classed(part, self.grid, faults) for part in read_rows(self.grid, self.layout, methods, faults)]
        return [part for part in (_dated(part, self, tables, faults) for part in parts) if part is not None]


@dataclass(eq=False)
class _Opened:
    """One element of a list while it is read: its tables and what they give, its survey forms, its sources and faults.

    ``others`` are the tables without codes, ``passed`` those that are no tables of firms.
    """

    path: Path
    faults: Faults
    tables: list[_Table] = field(default_factory=list["_Table"])
    forms: list[Form] = field(default_factory=list[Form])
    sources: list[Source] = field(default_factory=list[Source])
    parts: list[Part] = field(default_factory=list[Part])
    others: list[_Table] = field(default_factory=list["_Table"])
    passed: list[Passed] = field(default_factory=list[Passed])

    @property
    def codes(self) -> set[str]:
        """The credit codes of its rows."""
        frames = [part.frame for part in self.parts if "credit_code" in part.frame]
        return {code for frame in frames for code in frame["credit_code"].dropna()}

    @property
    def cells(self) -> set[tuple[str, str, int]]:
        """Which columns it fills, by sheet and year, what identifies firms left out."""
        found: set[tuple[str, str, int]] = set()
        for part in self.parts:
            frame, firms = part.frame, part.sheet == "enterprises"
            left = IDENTITY if firms and part.main else set(frame) if firms else KEYS
            names = [n for n in frame if n not in left]
            years = frame["year"].fillna(0) if "year" in frame and not firms else pd.Series(0, index=frame.index)
            filled = frame[names].notna().groupby(years).any()
            found |= {(part.sheet, str(n), int(y)) for n in names for y in filled.index[filled[n].to_numpy()]}
        return found

    def take(self, other: _Opened) -> None:
        """Take over what another element gives."""
        self.faults.items += other.faults.items
        self.faults.remarks += other.faults.remarks
        self.parts += other.parts
        self.forms += other.forms
        self.sources += other.sources
        self.passed += other.passed


def _opened(path: Path, own: Own | None, tables: list[tuple[Any, ...]] | None) -> _Opened:
    """Find the tables and forms of one element; ``own`` None: by its own word on its headings, where there is one."""
    one = _Opened(path, Faults(tables))
    if own is None:
        own = load_columns(beside(path)) if beside(path).is_file() else {}
    grids = _grids(one)
    for grid in grids:
        form = read_form(grid)
        if form is not None:
            one.forms.append(form)
            continue
        for part in sections(grid):
            told = Faults()
            layout = find_layout(part, told, own)
            if layout is None:
                _tell_no_table(part, told, one.faults)
            else:
                one.tables.append(_Table(part, by_organisation(part, layout), tuple(told.items)))
    if grids and not one.tables and not one.forms and not one.faults.errors():
        one.faults.add("no_table", path.name, hint="")
    return one


def _tell_no_table(grid: Grid, told: Faults, faults: Faults) -> None:
    """Tell why a sheet holds no table, and what its name says that it is."""
    named = taken_for(grid.sheet)
    if named and {fault.rule for fault in told.items} == {"sheet_unknown"}:
        faults.add("sheet_passed", *grid.where, what=named[0], what_en=named[1])
    else:
        faults.items += told.items


def _grids(one: _Opened) -> list[Grid]:
    """Read all grids of a file, or of the files of a folder in the order of their names."""
    files = [one.path]
    if one.path.is_dir():
        there = sorted(p for p in one.path.iterdir() if p.name[0] not in ".~")
        files = [p for p in there if _kind(p) in READERS]
        if not files:
            one.faults.add("no_table", one.path.name, hint="")
        for other in there:
            kind = _kind(other)
            if other.is_file() and other not in files and kind in INSTEAD:
                hint, hint_en = instead(kind)
                one.faults.add("file_passed_over", other.name, kind=kind, hint=hint, hint_en=hint_en)
    grids: list[Grid] = []
    for file in files:
        read, source = read_grids(file, one.faults)
        grids += read
        one.sources += [source] if source else []
    return grids


def _kind(path: Path) -> str:
    """Return a file's ending."""
    return path.suffix.lower().lstrip(".")


def _read(opened: list[_Opened], methods: Mapping[str, str]) -> None:
    """Read the tables of all elements, those without codes last: by the keys of their own element, else of the others (in place)."""
    books = [(one, [table for table in one.tables if table.coded]) for one in opened]
    for one, coded in books:
        real = [table for table in coded if taken_for(table.grid.sheet) is None]
        firms = any(table.layout.named("credit_code") for table in real)
        for table in one.tables:
            if firms and table.sums:
                one.passed.append((table.grid, table.layout))
            elif table in coded and (not real or table in real):
                one.faults.items += table.told
                whole = replace(table, grid=_with_codes_of_names(table, one, books))
                one.parts += whole.parts(one.tables, methods, one.faults)
            elif table in coded or (real and not joinable(table.layout)):
                one.passed.append((table.grid, table.layout))
            else:
                one.others.append(table)
    for one, _ in books:
        if one.parts and one.others:
            _join_others(one, one.others, one.tables, methods)
            one.others = []
    for one in [o for o in opened if o.others]:
        near = [o for o in opened if o.parts]
        if near and all(joinable(table.layout) for table in one.others):
            best = max(near, key=lambda o: _matches(one, o.parts))
            _join_others(best, one.others, one.others, methods)
            best.sources += one.sources
            opened.remove(one) if not one.forms else None
        else:
            for table in one.others:
                one.faults.items += table.told
                one.faults.add("no_code", *table.grid.where)
        one.others = []


def _with_codes_of_names(table: _Table, one: _Opened, books: list[tuple[_Opened, list[_Table]]]) -> Grid:
    """Return a table's grid, blank credit codes filled in from equal names of its own element, or of one with the same firms."""
    if not lacks_codes(table.grid, table.layout):
        return table.grid
    own: dict[str, str] = {}
    mine, name = names_of(table.grid, table.layout), table.layout.named("name")
    cells = texts_of(table.grid.body(table.layout.body)[name.place]) if name else []
    called = {key(str(cell)) for cell in cells if cell is not None} - {""}
    for other, coded in books:
        found: dict[str, str] = {}
        for beside_it in coded:
            for name, code in names_of(beside_it.grid, beside_it.layout).items():
                found[name] = code if found.get(name, code) == code else ""
        if other is one:
            own = {**found, **{n: c for n, c in own.items() if n not in found}}
        elif set(found.values()) & set(mine.values()) or (not mine and 2 * len(called & set(found)) > len(called)):
            own = {**found, **own}
    return with_missing_codes(table.grid, table.layout, own, one.faults)


def _matches(one: _Opened, parts: Sequence[Part]) -> int:
    """Count the rows of an element's tables whose enterprises other parts know."""
    known = directory(parts)
    count = 0
    for table in one.others:
        body = table.grid.body(table.layout.body)
        for name in ("org_code", "name"):
            item = table.layout.named(name)
            cells = texts_of(body[item.place]) if item else []
            keys = [(c, None) if name == "org_code" else (None, c) for c in cells if c]
            count += sum(bool(known.find(*pair)[0]) for pair in keys)
    return count


def _join_others(book: _Opened, others: list[_Table], tables: list[_Table], methods: Mapping[str, str]) -> None:
    """Read tables without credit codes by the enterprises that a book knows; those of none of them are passed over (told)."""
    known = directory(book.parts)
    for table in others:
        told = Faults()
        named = taken_for(table.grid.sheet) if len(tables) > 1 else None
        joined = None if named else with_codes(table.grid, table.layout, known, told)
        if joined is None:
            book.passed.append((table.grid, table.layout))
            continue
        book.faults.items += [*table.told, *told.items]
        book.parts += _Table(*joined).parts(tables, methods, book.faults)


def _joined(opened: list[_Opened]) -> list[_Opened]:
    """Put elements of the same firms that give none of the same figures of a year together as one ledger (told)."""
    out: list[_Opened] = []
    for one in opened:
        for other in out:
            shared = len(other.codes & one.codes)
            few = min(len(other.codes), len(one.codes))
            figures = one.cells, other.cells
            if shared and 2 * shared >= few and any(figures) and not figures[0] & figures[1]:
                other.take(one)
                other.faults.add("files_joined", one.path.name, other=other.path.name, n=shared)
                break
        else:
            out.append(one)
    return out


def _shared_out(opened: list[_Opened]) -> list[_Opened]:
    """Give survey forms that stand alone to the ledgers that know their enterprises, else to the first."""
    loose = [o for o in opened if (o.forms or o.others) and not o.parts and not o.faults.errors()]
    books = [o for o in opened if o not in loose]
    if not books or not loose:
        return opened
    known = [directory(book.parts) for book in books]
    for one in loose:
        for form in one.forms:
            at = next((i for i, those in enumerate(known) if is_about(form, those)), 0)
            books[at].forms.append(form)
        books[0].sources += one.sources
        books[0].faults.items += one.faults.items
    return books


def _made(one: _Opened, year: int | None, county: str) -> Ledger:
    """Return the ledger of one element with all its faults, errors among them; ``county`` where it names none."""
    parts = [*one.parts, *survey_parts(one.forms, one.parts, year, one.faults)]
    frames = assemble(parts, one.faults)
    if county and "enterprises" in frames:
        frames["enterprises"] = with_county(frames["enterprises"], county, one.path.name, one.faults)
    listed = any(part.main and part.sheet == "enterprises" for part in parts)
    others = [part.frame for part in parts if listed and part.main and part.sheet != "enterprises"]
    check(frames, [frame for frame in others if "name" in frame], one.path.name, one.faults)
    compare_summaries(one.passed, frames, one.faults)
    tell_remarks(one.faults.remarks, frames, one.faults)
    synthetic = _synthetic(one.path, one.faults)
    return Ledger(
        **{sheet: frames.get(sheet, empty(sheet)) for sheet in SHEETS},
        faults=tuple(one.faults.items),
        sources=tuple(one.sources),
        synthetic=synthetic,
        sheets=tuple(sheet for sheet in SHEETS if sheet in frames),
    )


def is_survey(path: str | Path) -> bool:
    """Whether a folder or workbook holds survey forms and no tables, told from its first file."""
    grids: list[Grid] = []
    path = Path(path)
    for file in sorted(p for p in path.iterdir() if p.name[0] not in ".~") if path.is_dir() else [path]:
        if _kind(file) in WORKBOOKS and not grids:
            grids = read_grids(file, Faults())[0]
    return bool(grids) and all(read_form(grid) is not None for grid in grids)


def _classed(part: Part, grid: Grid, faults: Faults) -> Part:
    """Give annual rows without 规上 the class that their sheet or file is named after (told)."""
    if part.sheet != "annual" or "above_scale" in part.frame or not FIGURES & set(part.frame):
        return part
    for name in (grid.sheet, grid.file.rsplit(".", 1)[0]):
        above, below = (re.search(words, name) is not None for words in (ABOVE_NAME, BELOW_NAME))
        if above != below:
            words = ("规上", "above designated size") if above else ("规下", "below designated size")
            faults.add("class_assumed", grid.file, grid.sheet, side=words[0], side_en=words[1])
            flag = pd.Series(above, index=part.frame.index, dtype="boolean")
            return replace(part, frame=part.frame.assign(above_scale=flag))
        if above:
            break
    return part


def _dated(part: Part, table: _Table, tables: Sequence[_Table], faults: Faults) -> Part | None:
    """Give annual and monthly rows their year; without one the part is told and dropped."""
    if "year" not in SHEETS[part.sheet][1] or "year" in part.frame:
        return part
    grid, layout = table.grid, table.layout
    if layout.year is not None:
        faults.add("year_assumed", grid.file, grid.sheet, year=layout.year)
        return replace(part, frame=part.frame.assign(year=float(layout.year)))
    elsewhere = any(other.grid.where != grid.where and other.layout.sheet == part.sheet for other in tables)
    if part.main or not elsewhere:
        faults.add("no_year", grid.file, grid.sheet)
    else:
        faults.add("annual_ignored", grid.file, grid.sheet)
    return None


def _synthetic(path: Path, faults: Faults) -> str | None:
    """Return the note of a made ledger from the sidecar beside it; one that is not read is an error."""
    sidecar = path.parent / f"{path.stem if path.suffix else path.name}.yaml"
    if not sidecar.is_file() or not path.exists():
        return None
    try:
        content, _ = read_yaml(sidecar)
    except Unreadable as error:
        faults.items.append(unreadable(sidecar, error))
        return None
    note = content.get("synthetic_note_zh") if isinstance(content, dict) else None
    return str(note) if note else None
