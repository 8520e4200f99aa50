"""The columns of a ledger as data: one row of ``columns.csv`` per canonical column of a sheet.

Each row says all that is known of the column: the sheet, the canonical name, the kind of value, the canonical unit, the Chinese
and English label, the headings under which offices write it (a leading ``!`` marks one that is taken with a warning), the
look-alikes that are not the column, who owes it, whether it is expected to be filled, how the survey form calls it, which other
unit is mistaken for its own, and the words of a remark that speak of it.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported, and pyarrow ships no stubs)

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lyeval.ledger.faults import Fault
from lyeval.resources import read_rows

NUMERIC = ("amount", "quantity", "share")
DATES = ("date_from", "date_to")
FLAGS = ("flag", "reason", "scale", "below")


@dataclass(frozen=True)
class Slip:
    """A mistaken unit: its name, its ratio to the right one, how far a step may be off it, the largest median of any county."""

    unit: str
    ratio: float
    spread: float
    median: float | None = None


@dataclass(frozen=True)
class Column:
    """One canonical column (标准列) of one sheet.

    Attributes
    ----------
    sheet, name : str
        Canonical names, e.g. ``annual`` and ``tax_wan``.
    kind : str
        ``amount`` (a number of either sign), ``quantity`` (not negative), ``share`` (fraction of 1), ``year``,
        ``month``, ``date_from`` and ``date_to`` (a bare year means 1 January, 31 December), ``flag``, ``reason``,
        ``scale``, ``below``, ``code``, ``org``, ``text``, ``label`` (a name), ``grade``, ``method``, ``outcome``, ``flow`` or ``carried``.
    unit : str
        Canonical unit; empty when the values have none.
    zh, en : str
        Labels, both accepted as headings.
    variants, refuse : tuple of str
        Other headings accepted; headings that look like the column and are not.
    owner : str
        The department that answers for it, an id of `coverage.DEPARTMENTS`.
    expected : bool
        Whether a blank is a gap; elsewhere it says no, none or not yet.
    form : tuple of str
        Labels of its field on the survey form; ``("yes",)`` for its own headings; empty where the form has none.
    slip : Slip or None
        The unit that is mistaken for its own.
    remarks : tuple of str
        Words of a remark (备注) that speak of it.
    """

    sheet: str
    name: str
    kind: str
    unit: str
    zh: str
    en: str
    variants: tuple[str, ...]
    refuse: tuple[str, ...]
    owner: str = ""
    expected: bool = False
    form: tuple[str, ...] = ()
    slip: Slip | None = None
    remarks: tuple[str, ...] = ()

    @property
    def adds(self) -> bool:
        """Whether figures of several rows may be added up: no shares, no ratios."""
        return self.kind in NUMERIC and self.kind != "share" and "/" not in self.unit

    def label(self, lang: str = "zh") -> str:
        """Return the label in ``lang``."""
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True)
class Sheet:
    """One sheet of the ledger, a row of ``sheets.csv``.

    Attributes
    ----------
    zh : str
        Its label.
    keys : tuple of str
        The columns that its rows are sorted by.
    unique : bool
        Whether no two rows may share their keys; ``again`` is the rule of two rows of one table that do.
    named : str
        Pattern of the names that offices give it.
    telling : frozenset of str
        Columns by which a table is known to be it.
    required : tuple of str
        A column without which its rows cannot be told apart, and the one that shows it to be wanted.
    of_firms, by_row : bool
        Whether a table of it is one of firms, to which the sheets by row lend no column: 类型, 税额, 户数.
    counted, compared : bool
        Whether two equal rows would be counted twice; whether two ledgers are compared cell by cell.
    """

    zh: str
    keys: tuple[str, ...]
    unique: bool
    again: str
    named: str
    telling: frozenset[str]
    required: tuple[str, ...]
    of_firms: bool
    by_row: bool
    counted: bool
    compared: bool


def _column(row: dict[str, str]) -> Column:
    """Return the column of one row of ``columns.csv``."""
    plain: dict[str, Any] = {name: row[name] for name in ("sheet", "kind", "unit", "zh", "en", "owner")}
    lists: dict[str, Any] = {name: tuple(row[name].split()) for name in ("variants", "refuse", "form", "remarks")}
    unit, *figures = row["slip"].split() or [""]
    slip = Slip(unit, *(float(Fraction(figure)) for figure in figures)) if unit else None
    return Column(name=row["column"], expected=row["expected"] == "yes", slip=slip, **plain, **lists)


def _sheet(row: dict[str, str]) -> Sheet:
    """Return the sheet of one row of ``sheets.csv``."""
    own = [c.name for c in COLUMNS if c.sheet == row["sheet"] and c.name != "credit_code"]
    made: dict[str, Any] = {name: row[name] for name in ("zh", "again", "named")}
    made |= {name: tuple(row[name].split()) for name in ("keys", "required")}
    made |= {name: row[name] == "yes" for name in ("unique", "of_firms", "by_row", "counted", "compared")}
    return Sheet(telling=frozenset(own if row["telling"] == "*" else row["telling"].split()), **made)


@cache
def of_sheet(sheet: str) -> dict[str, Column]:
    """Return the columns of ``sheet`` by canonical name, in the table's order."""
    return {column.name: column for column in COLUMNS if column.sheet == sheet}


COLUMNS = tuple(map(_column, read_rows(__file__, "columns.csv")))
LAYOUTS = {row["sheet"]: _sheet(row) for row in read_rows(__file__, "sheets.csv")}
SHEETS = {name: (sheet.zh, sheet.keys) for name, sheet in LAYOUTS.items()}


PLACE = ("source_file", "source_sheet", "source_row")


@dataclass(frozen=True)
class Source:
    """One file read: its name without folder, the SHA-256 of its bytes, and its kind (``xlsx``, ``csv`` …)."""

    name: str
    sha256: str
    kind: str


def empty(sheet: str) -> pd.DataFrame:
    """Return the frame of an absent sheet: no rows, its key columns and the place of each row."""
    keys = {name: pd.Series(dtype=dtype_of(sheet, name)) for name in SHEETS[sheet][1]}
    place = {"source_file": "str", "source_sheet": "str", "source_row": "int64"}
    return pd.DataFrame(keys | {name: pd.Series(dtype=kind) for name, kind in place.items()})


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as dicts by the columns' names."""
    names = [str(name) for name in rows]
    columns = [[v.item() if isinstance(v, np.generic) else v for v in rows[name].tolist()] for name in rows]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def dtype_of(sheet: str, name: str) -> str:
    """Return the pandas dtype of a canonical column."""
    kind = of_sheet("enterprises" if name == "credit_code" else sheet)[name].kind
    if kind in NUMERIC:
        return "float64"
    if kind in ("year", "month"):
        return "int64"
    return "boolean" if kind in FLAGS else "datetime64[us]" if kind in DATES else "str"


@dataclass(frozen=True, eq=False)
class Ledger:
    """A county's or city's ledger, mapped, converted and checked.

    Each frame holds the columns that the file had, under canonical names and in canonical units, sorted by its keys;
    an absent sheet is an empty frame. Text is missing as NaN, figures as NaN, flags as ``pd.NA``, dates as NaT.

    Attributes
    ----------
    enterprises : DataFrame
        One row per ``credit_code`` (企业).
    annual : DataFrame
        One row per ``credit_code`` and ``year`` (年度).
    monthly, tax_items, disposals, process, blocks, issues, papers, counties : DataFrame
        The optional sheets.
    faults : tuple of Fault
        What was told while reading; errors never get here, they raise ``LedgerError``.
    sources : tuple of Source
        The files read.
    synthetic : str or None
        The note of a made ledger (样例), to be shown wherever its figures are.

    Examples
    --------
    >>> ledger
    <Ledger zhoushan-shengsi.xlsx: 60 firms, ... annual rows, 2017–2020>
    >>> ledger.annual["year"].unique().tolist()
    [2017, 2018, 2019, 2020]
    """

    enterprises: pd.DataFrame
    annual: pd.DataFrame
    monthly: pd.DataFrame = field(default_factory=lambda: empty("monthly"))
    tax_items: pd.DataFrame = field(default_factory=lambda: empty("tax_items"))
    disposals: pd.DataFrame = field(default_factory=lambda: empty("disposals"))
    process: pd.DataFrame = field(default_factory=lambda: empty("process"))
    blocks: pd.DataFrame = field(default_factory=lambda: empty("blocks"))
    issues: pd.DataFrame = field(default_factory=lambda: empty("issues"))
    papers: pd.DataFrame = field(default_factory=lambda: empty("papers"))
    counties: pd.DataFrame = field(default_factory=lambda: empty("counties"))
    faults: tuple[Fault, ...] = ()
    sources: tuple[Source, ...] = ()
    synthetic: str | None = None
    sheets: tuple[str, ...] = ("enterprises", "annual")

    def has(self, sheet: str, column: str | None = None) -> bool:
        """Return whether the file had ``sheet``, and in it ``column``."""
        if sheet not in self.sheets:
            return False
        return column is None or column in getattr(self, sheet).columns

    @property
    def years(self) -> tuple[int, ...]:
        """The years of the annual rows, ascending."""
        return tuple(int(y) for y in np.unique(self.annual["year"].to_numpy()))

    def __repr__(self) -> str:
        years = f"{self.years[0]}–{self.years[-1]}" if self.years else "—"
        names = "、".join(source.name for source in self.sources)
        return f"<Ledger {names}: {len(self.enterprises)} firms, {len(self.annual)} annual rows, {years}>"


Marks = tuple[np.ndarray, Any]


def marks(values: pd.Series) -> Marks:
    """Return each row's place among the distinct values (int32, −1 where missing), and these for `picked`."""
    if values.dtype == "str":
        return text_marks(arrow(values))
    places, distinct = pd.factorize(values)
    return places.astype(np.int32), getattr(distinct, "array", distinct)


def text_marks(cells: pa.ChunkedArray) -> Marks:
    """Return the marks of a text column."""
    encoded = whole(cells.dictionary_encode())
    return encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), encoded.dictionary


def picked(distinct: Any, places: np.ndarray) -> pd.Series:
    """Return the distinct values at ``places``, missing where −1."""
    if isinstance(distinct, pa.Array):
        at = pa.array(places, mask=places < 0)
        return as_text(distinct.take(at))
    return pd.Series(pd.api.extensions.take(distinct, places, allow_fill=True))


def ranked(values: pd.Series, known: Marks | None = None) -> tuple[np.ndarray, pa.Array | None]:
    """Return the rank of each value among the distinct ones (int64, −1 where missing), and these in order if they are text and were not.

    ``known`` are the column's marks where they have been found already.
    """
    if values.dtype == "int64":
        return values.to_numpy() - values.min(), None
    if values.dtype != "str":
        return pd.factorize(values, sort=True)[0].astype(np.int64), None
    if known is None and _in_order(values):
        cells = arrow(values)
        return np.append(0, np.cumsum(pc.not_equal(cells[1:], cells[:-1]).to_numpy(), dtype=np.int64)), None
    places, distinct = known or marks(values)
    order = pc.array_sort_indices(distinct).to_numpy()
    rank = np.full(len(order) + 1, -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[places], distinct.take(pa.array(order))


def ordering(place: np.ndarray) -> np.ndarray | None:
    """Return the positions that put ``place`` (int64) in order, equals as they stand; None when it is in order."""
    if bool((place[1:] >= place[:-1]).all()):
        return None
    low, high = int(place.min()), int(place.max())
    if high - low <= 4 * len(place) + 1000:
        slots = np.full(high - low + 1, -1, dtype=np.int64)
        slots[place - low] = np.arange(len(place), dtype=np.int64)
        found = slots[slots >= 0]
        if len(found) == len(place):
            return found
    return np.argsort(place, kind="stable")


def reordered(values: pd.Series, order: np.ndarray) -> pd.Series:
    """Return ``values`` at the positions ``order``, renumbered; text that is the same on every row is not moved."""
    if values.dtype == "str" and len(values) == len(order) > 1:
        cells = arrow(values)
        if cells.null_count == 0 and pc.all(pc.equal(cells, cells[0])).as_py():
            return values.reset_index(drop=True)
    return values.take(order).reset_index(drop=True)


def sort_rows(frame: pd.DataFrame, keys: Iterable[str], known: Marks | None = None) -> pd.DataFrame:
    """Return ``frame`` sorted by ``keys`` (file order among equals), renumbered; untouched when already in order.

    ``known`` are the marks of the first key's column where they have been found already.
    """
    keys = list(keys)
    if not keys or len(frame) < 2:
        return frame.reset_index(drop=True)
    place, first = ranked(frame[keys[0]], known)
    whole_key = place
    for name in keys[1:]:
        more, _ = ranked(frame[name])
        whole_key = whole_key * (more.max() + 2) + more
    order = ordering(whole_key)
    if order is None:
        return frame.reset_index(drop=True)
    found = {} if first is None else {keys[0]: picked(first, place[order])}
    made = {name: found[name] if name in found else reordered(frame[name], order) for name in frame.columns}
    return pd.DataFrame(made, copy=False)


def isin(values: pd.Series, among: pd.Series) -> np.ndarray:
    """Return which text values stand among others; runs of equal neighbours are looked up once."""
    (rows, cells), (_, others) = _runs(values), _runs(among)
    if len(cells) == len(others) and pc.all(pc.equal(cells, others), skip_nulls=False).as_py():
        return np.ones(len(rows), dtype=bool)
    return pc.is_in(cells, value_set=others).to_numpy()[rows]


def _runs(values: pd.Series) -> tuple[np.ndarray, pa.ChunkedArray]:
    """Return each row's run of equal neighbours, and the value of each run."""
    cells = arrow(values)
    if len(values) < 2 or values.hasnans:
        return np.arange(len(values)), cells
    new = np.append(True, pc.not_equal(cells[1:], cells[:-1]).to_numpy())
    return np.cumsum(new) - 1, cells.filter(pa.array(new))


def _in_order(values: pd.Series) -> bool:
    """Whether text stands in order, none of it missing."""
    if len(values) < 2 or values.hasnans:
        return False
    cells = arrow(values)
    few = cells[:1000]
    if not pc.all(pc.less_equal(few[:-1], few[1:])).as_py():
        return False
    return bool(pc.all(pc.less_equal(cells[:-1], cells[1:])).as_py())


def arrow(values: pd.Series) -> pa.ChunkedArray:
    """Return a text series as Arrow, without copying where it is one already."""
    made = pa.array(values, type=pa.large_string(), from_pandas=True)
    return made if isinstance(made, pa.ChunkedArray) else pa.chunked_array([made])


def whole(cells: pa.ChunkedArray) -> pa.Array:
    """Return a column as one piece."""
    made = cells.chunk(0) if cells.num_chunks == 1 else cells.combine_chunks()
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def as_text(values: pa.ChunkedArray | pa.Array | list[Any]) -> pd.Series:
    """Return a pandas text series, missing where null."""
    if not isinstance(values, pa.ChunkedArray | pa.Array):
        values = pa.array(values, type=pa.large_string())
    if isinstance(values, pa.Array):
        values = pa.chunked_array([values])
    return pd.Series(TEXT.__from_arrow__(values.cast(pa.large_string())))


TEXT = pd.StringDtype(na_value=np.nan)
