"""The ledger as it is handed on: canonical tables, what was told while reading, and where it came from (台账)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lyeval.ledger.columns import DATES, FLAGS, NUMERIC, SHEETS, of_sheet
from lyeval.ledger.faults import Fault

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
        return f"<Ledger {names}: {len(self.enterprises)} enterprises, {len(self.annual)} annual rows, {years}>"


def sort_rows(frame: pd.DataFrame, keys: Iterable[str]) -> pd.DataFrame:
    """Return ``frame`` sorted by ``keys`` (file order among equals), renumbered; untouched when already in order."""
    keys = list(keys)
    if not keys or len(frame) < 2:
        return frame.reset_index(drop=True)
    place, first = ranked(frame[keys[0]])
    whole = place
    for name in keys[1:]:
        more = ranks(frame[name])
        whole = whole * (more.max() + 2) + more
    order = ordering(whole)
    if order is None:
        return frame.reset_index(drop=True)
    known = {} if first is None else {keys[0]: picked(first, place[order])}
    made = {name: known[name] if name in known else reordered(frame[name], order) for name in frame}
    return pd.DataFrame(made, copy=False)


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


def marks(values: pd.Series) -> tuple[np.ndarray, Any]:
    """Return each row's place among the distinct values (int64, −1 where missing), and these for `picked`."""
    if values.dtype == "str":
        encoded = whole(arrow(values)).dictionary_encode()
        return encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary
    places, distinct = pd.factorize(values)
    return places.astype(np.int64), getattr(distinct, "array", distinct)


def picked(distinct: Any, places: np.ndarray) -> pd.Series:
    """Return the distinct values at ``places``, missing where −1."""
    if isinstance(distinct, pa.Array):
        at = pa.array(places, mask=places < 0)
        return pd.Series(TEXT.__from_arrow__(pa.chunked_array([distinct.take(at).cast(pa.large_string())])))
    return pd.Series(pd.api.extensions.take(distinct, places, allow_fill=True))


def ranked(values: pd.Series) -> tuple[np.ndarray, pa.Array | None]:
    """Return the rank of each value among the distinct ones, −1 where missing, and these in order if they are text."""
    if values.dtype != "str" or _in_order(values):
        return ranks(values), None
    places, distinct = marks(values)
    order = pc.array_sort_indices(distinct).to_numpy()
    rank = np.full(len(order) + 1, -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[places], distinct.take(pa.array(order))


def ranks(values: pd.Series) -> np.ndarray:
    """Return the rank of each value among the distinct ones, −1 where missing (int64, one per row)."""
    if values.dtype == "int64":
        return values.to_numpy() - values.min()
    if values.dtype != "str":
        return pd.factorize(values, sort=True)[0].astype(np.int64)
    if not _in_order(values):
        return ranked(values)[0]
    cells = arrow(values)
    return np.append(0, np.cumsum(pc.not_equal(cells[1:], cells[:-1]).to_numpy(), dtype=np.int64))


def _in_order(values: pd.Series) -> bool:
    """Whether text stands in order, none of it missing."""
    if len(values) < 2 or values.hasnans:
        return False
    cells = arrow(values)
    few = cells[:1000]
    if not pc.all(pc.less_equal(few[:-1], few[1:])).as_py():
        return False
    return bool(pc.all(pc.less_equal(cells[:-1], cells[1:])).as_py())


def isin(values: pd.Series, among: pd.Series) -> np.ndarray:
    """Return which text values stand among others."""
    return pc.is_in(arrow(values), value_set=arrow(among)).to_numpy()


def arrow(values: pd.Series) -> pa.ChunkedArray:
    """Return a text series as Arrow, without copying where it is one already."""
    made = pa.array(values, type=pa.large_string(), from_pandas=True)
    return made if isinstance(made, pa.ChunkedArray) else pa.chunked_array([made])


def whole(cells: pa.ChunkedArray) -> pa.Array:
    """Return a column as one piece."""
    made = cells.chunk(0) if cells.num_chunks == 1 else cells.combine_chunks()
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


TEXT = pd.StringDtype(na_value=np.nan)
