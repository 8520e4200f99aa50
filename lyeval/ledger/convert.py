"""A whole column at a time: raw cells to typed values in the canonical unit, with what was odd and where.

Typed Arrow columns are converted as they are; text is read once per distinct value.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported, and pyarrow ships no stubs)

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lyeval.ledger import cells, codes
from lyeval.ledger.cells import Odd
from lyeval.ledger.columns import DATES, FLAGS, NUMERIC, Column
from lyeval.ledger.marks import Marks, as_text, text_marks
from lyeval.ledger.vocabulary import (
    DONE,
    FLOWS,
    METHOD_ROWS,
    MISSING,
    OUTCOMES,
    WRITTEN_OFF,
    find_method,
    find_word,
    is_missing,
)

Raw = list[Any] | pa.ChunkedArray


@dataclass(frozen=True)
class Cells:
    """A converted column: ``values`` (n rows), the odd cells as (position, Odd); ``clean`` codes are all well formed.

    ``marks`` are those of `model.marks`, where reading the column found them.
    """

    values: pd.Series
    odd: list[tuple[int, Odd]]
    clean: bool = False
    marks: Marks | None = None


def convert(raw: Raw, column: Column, ratio: Fraction, methods: Mapping[str, str]) -> Cells:
    """Convert the cells of one column.

    Parameters
    ----------
    raw : list or ChunkedArray
        Cells as read.
    ratio : Fraction
        What a figure is multiplied by to be in the column's canonical unit.
    methods : Mapping
        A policy's own labels of disposal methods → canonical id.
    """
    kind = column.kind
    raw = _typed(raw)
    if kind in NUMERIC:
        return _numbers(raw, column, ratio)
    if kind in ("year", "month"):
        return _integers(raw, cells.year if kind == "year" else cells.month)
    if kind in DATES:
        return _dates(raw, kind == "date_to")
    if kind in FLAGS:
        return _flags(raw, kind)
    if kind in ("code", "org"):
        return _codes(raw)
    if kind in ("text", "grade"):
        return to_texts(raw)
    if kind == "label":
        return to_texts(raw, cells.label)
    return _mapped(raw, READERS[kind], methods)


def texts_of(raw: Raw) -> list[Any]:
    """Return cells as Python values, None where null."""
    return raw.to_pylist() if isinstance(raw, pa.ChunkedArray) else raw


def cell_of(raw: Raw, position: int) -> Any:
    """Return one cell as a Python value."""
    return raw[position].as_py() if isinstance(raw, pa.ChunkedArray) else raw[position]


def _typed(raw: Raw) -> Raw:
    """Return a list of nothing but text as an Arrow column, blank cells as nulls; other cells as they are."""
    if isinstance(raw, list) and raw and {*map(type, raw)} <= {str, type(None)}:
        try:
            return pa.chunked_array([pa.array([value or None for value in raw], type=pa.large_string())])
        except UnicodeEncodeError:
            return raw
    return raw


def _each(raw: Raw, read: Callable[[Any], Any]) -> tuple[np.ndarray, np.ndarray, list[tuple[int, Odd]]]:
    """Read every distinct cell once.

    Returns the results per distinct cell (object), the place of each cell among them (int, −1 null) and the odd cells.
    """
    if isinstance(raw, pa.ChunkedArray):
        encoded = raw.dictionary_encode().combine_chunks()
        encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
        distinct = encoded.dictionary.to_pylist()
        places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    else:
        seen: dict[tuple[type, Any], int] = {}
        places = np.fromiter(
            (seen.setdefault((v.__class__, v), len(seen)) for v in raw), dtype=np.int64, count=len(raw)
        )
        distinct = [value for _, value in seen]
    results = np.empty(len(distinct) + 1, dtype=object)
    odd: dict[int, Odd] = {}
    for place, value in enumerate(distinct):
        result = None if value is None or value == "" or value != value else read(value)
        if isinstance(result, Odd):
            if result.rule:
                odd[place] = result
            result = result.value
        results[place] = result
    where = np.flatnonzero(np.isin(places, list(odd))) if odd else []
    return results, places, [(int(i), odd[int(places[i])]) for i in where]


def _numbers(raw: Raw, column: Column, ratio: Fraction) -> Cells:
    """Convert figures; a negative quantity is odd."""
    figures, odd, done = _figures(raw, column)
    if ratio != 1:
        figures = np.where(done, figures, figures * ratio.numerator / ratio.denominator)
    if column.kind != "amount":
        below = np.flatnonzero(figures < 0)
        odd += [(int(i), Odd("negative", None, {"column": column.zh, "column_en": column.en})) for i in below]
    return Cells(pd.Series(figures), odd)


def _figures(raw: Raw, column: Column) -> tuple[np.ndarray, list[tuple[int, Odd]], np.ndarray]:
    """Return figures, odd cells, and which figures are in the canonical unit already."""
    if column.kind != "share":
        if not isinstance(raw, pa.ChunkedArray):
            return _listed_figures(raw, column)
        fast = _fast_figures(raw)
        if fast is not None:
            return fast, [], np.zeros(len(fast), dtype=bool)
    read = cells.share if column.kind == "share" else lambda value: cells.number(value, column.unit)
    results, places, odd = _each(raw, lambda value: _marked(read(value)))
    known = np.array([isinstance(r, tuple) for r in results])
    figures = np.array([np.nan if r is None else r[0] if isinstance(r, tuple) else r for r in results], dtype=float)
    return figures[places], odd, known[places]


def _marked(result: Any) -> Any:
    """Keep apart a figure that its cell already gives in the canonical unit."""
    return (result.value,) if isinstance(result, Odd) and not result.rule else result


def _listed_figures(raw: list[Any], column: Column) -> tuple[np.ndarray, list[tuple[int, Odd]], np.ndarray]:
    """Read figures from a list of Python cells, of which most are numbers."""
    figures = np.array([value if value.__class__ is float else np.nan for value in raw])
    done = np.zeros(len(raw), dtype=bool)
    odd: list[tuple[int, Odd]] = []
    for place in np.flatnonzero(~(np.abs(figures) < cells.LARGEST)).tolist():
        value = raw[place]
        if value is None or value == "" or value != value:
            continue
        result = cells.number(value, column.unit)
        figures[place] = np.nan
        if isinstance(result, Odd):
            if result.rule:
                odd.append((place, result))
            done[place] = not result.rule or isinstance(result.value, tuple)
            result = result.value[0] if isinstance(result.value, tuple) else result.value
        if result is not None:
            figures[place] = result
    return figures, odd, done


def _fast_figures(raw: pa.ChunkedArray) -> np.ndarray | None:
    """Return the figures of a numeric or plainly written column; None when cells must be read one by one."""
    kind = raw.type
    if not (_is_numeric(kind) or _is_text(kind) or pa.types.is_null(kind)):
        return None
    try:
        figures = pc.cast(raw, pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(raw) if _is_text(kind) else raw
        if not _is_text(kind) or pc.all(pc.equal(trimmed, raw)).as_py():
            return None
        return _fast_figures(pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, raw.type), trimmed))
    if _is_text(kind) and len(figures) - raw.null_count != np.isfinite(figures).sum():
        return None
    return None if np.isinf(figures).any() else np.asarray(figures, dtype=float)


def _is_numeric(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds numbers."""
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _integers(raw: Raw, read: Callable[[Any], Any]) -> Cells:
    """Convert years or months; missing ones are NaN."""
    results, places, odd = _each(raw, read)
    figures = np.array([np.nan if r is None else r for r in results], dtype=float)
    return Cells(pd.Series(figures[places]), odd)


def _dates(raw: Raw, end: bool) -> Cells:
    """Convert dates to datetime64."""
    results, places, odd = _each(raw, lambda value: cells.date(value, end))
    days = np.array([np.datetime64(r if isinstance(r, dt.date) else "NaT", "us") for r in results])
    return Cells(pd.Series(days[places]), odd)


def _flags(raw: Raw, kind: str) -> Cells:
    """Convert flags to nullable booleans."""
    if isinstance(raw, pa.ChunkedArray) and pa.types.is_boolean(raw.type):
        values, missing = pc.fill_null(raw, False).to_numpy(), pc.is_null(raw).to_numpy()
        yes = ~values & ~missing if kind == "below" else values
        return Cells(pd.Series(pd.arrays.BooleanArray(yes.astype(bool), missing.astype(bool))), [])
    results, places, odd = _each(raw, lambda value: cells.flag(value, kind))
    missing = np.array([r is None for r in results])[places]
    yes = np.array([r is True for r in results])[places]
    return Cells(pd.Series(pd.arrays.BooleanArray(yes, missing)), odd)


def _codes(raw: Raw) -> Cells:
    """Convert codes to tidy text; form is judged by the rows they stand in."""
    if isinstance(raw, pa.ChunkedArray) and _is_text(raw.type):
        places, distinct = text_marks(raw)
        right = pc.match_substring_regex(distinct, f"^[{codes.ALPHABET}]{{18}}$")
        if raw.null_count == 0 and pc.all(right).as_py():
            return Cells(as_text(raw), [], clean=True, marks=(places, distinct))

    def read(value: Any) -> Any:
        if isinstance(value, float | int):
            return Odd("code_number")
        return None if is_missing(str(value)) else codes.tidy(value)

    results, places, odd = _each(raw, read)
    return Cells(as_text(list(results[places])), odd)


def to_texts(raw: Raw, read: Callable[[Any], str | None] = cells.text) -> Cells:
    """Convert text; a column that is tidy already is handed on as it is."""
    raw = _typed(raw)
    if isinstance(raw, pa.ChunkedArray) and _is_text(raw.type):
        places, distinct = text_marks(raw)
        missing = pc.is_in(pc.ascii_lower(distinct), pa.array(sorted(MISSING), type=distinct.type))
        untidy = pc.match_substring_regex(
            distinct,
            r"^\s|\s$|\s\s|^[='’‘`＇]|\p{Han}[ ]\p{Han}|[\x{ad}\x{34f}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200d}"
            r"\x{2060}-\x{2065}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}]|[\x00-\x1f\x7f-\x{9f}\x{61c}\x{200e}\x{200f}\x{202a}-\x{202e}\x{2066}-\x{2069}\x{3000}]|[Ａ-Ｚａ-ｚ０-９／－＃]",
        )
        if not pc.any(pc.or_(missing, untidy)).as_py():
            return Cells(as_text(raw), [], marks=(places, distinct))
    results, places, _ = _each(raw, read)
    return Cells(as_text(list(results[places])), [])


def _mapped(raw: Raw, read: Callable[[str, Mapping[str, str]], Any], methods: Mapping[str, str]) -> Cells:
    """Convert words of a vocabulary."""
    results, places, odd = _each(raw, lambda value: None if is_missing(str(value)) else read(str(value), methods))
    return Cells(as_text(list(results[places])), odd)


def _method(words: str, methods: Mapping[str, str]) -> Any:
    """Read a disposal method."""
    return find_method(words, methods) or Odd("method_unknown", None, {"known": "、".join(METHOD_LABELS)})


def _outcome(words: str, methods: Mapping[str, str]) -> Any:
    """Read an outcome; 完成 is left to the method, 销号 is none."""
    form = cells.plain(words)
    if form in DONE:
        return Odd("outcome_done", "完成")
    if form in WRITTEN_OFF:
        return Odd("outcome_none")
    exact = find_word(words, OUTCOMES)
    if exact:
        return exact
    near = find_word(re.split("[,;。、:]", form)[0], OUTCOMES)
    if near:
        return Odd("outcome_words", near, {"outcome": near})
    return Odd("outcome_unreadable", None, {"known": "、".join(dict.fromkeys(OUTCOMES.values()))})


def _flow(words: str, methods: Mapping[str, str]) -> Any:
    """Read the flow of a tax item."""
    known = "、".join(dict.fromkeys(FLOWS.values()))
    return find_word(words, FLOWS) or Odd("flow_unreadable", None, {"known": known})


METHOD_LABELS = tuple(dict.fromkeys(word for row in METHOD_ROWS for word in (row["words"][0], row["label"])))
READERS = {"method": _method, "outcome": _outcome, "flow": _flow}
