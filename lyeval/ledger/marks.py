"""Long columns by the marks of their distinct values: sorting, ranks and look-ups on integers instead of text."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported, and pyarrow ships no stubs)

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Marks = tuple[np.ndarray, Any]


def marks(values: pd.Series) -> Marks:
    """Return each row's place among the distinct values (int32, −1 where missing), and these for `picked`."""
    if values.dtype == "str":
        return text_marks(arrow(values))
    places, distinct = pd.factorize(values)
    return places.astype(np.int32), getattr(distinct, "array", distinct)


def text_marks(cells: pa.ChunkedArray) -> Marks:
    """Return the marks of a text column."""
    encoded = whole(cells).dictionary_encode()
    return encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), encoded.dictionary


def picked(distinct: Any, places: np.ndarray) -> pd.Series:
    """Return the distinct values at ``places``, missing where −1."""
    if isinstance(distinct, pa.Array):
        at = pa.array(places, mask=places < 0)
        return as_text(distinct.take(at))
    return pd.Series(pd.api.extensions.take(distinct, places, allow_fill=True))


def ranked(values: pd.Series, known: Marks | None = None) -> tuple[np.ndarray, pa.Array | None]:
    """Return the rank of each value among the distinct ones, −1 where missing, and these in order if they are text.

    ``known`` are the column's marks where they have been found already.
    """
    if values.dtype != "str" or (known is None and _in_order(values)):
        return ranks(values), None
    places, distinct = known or marks(values)
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
        more = ranks(frame[name])
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
