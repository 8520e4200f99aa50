"""One cell at a time: numbers, dates, years and flags as people write them.

Every reader returns the value, None for a missing one, or an ``Odd`` that says which rule it breaks.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported, and pyarrow ships no stubs)

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from lyeval.ledger.columns import DATES, FLAGS, NUMERIC, Column, Marks, as_text, text_marks
from lyeval.ledger.vocabulary import (
    ABOVE,
    ALPHABET,
    BELOW,
    DIGITS,
    DONE,
    FIRM_SIZES,
    FLOWS,
    METHOD_ROWS,
    MISSING,
    NO,
    OUTCOMES,
    PATTERNS,
    WRITTEN_OFF,
    YES,
    bare,
    factor,
    find_method,
    find_word,
    is_missing,
    plain,
    tidy,
)
from lyeval.textfiles import visible


class Odd(NamedTuple):
    """A cell that breaks ``rule``; ``value`` is how it was read all the same, None if it could not be."""

    rule: str
    value: Any = None
    params: Mapping[str, Any] = MappingProxyType({})


def number(value: Any, canonical: str = "") -> float | Odd | None:
    """Return a number: full width, thousands signs, brackets for minus; a unit in the cell must be of its kind.

    A number with its unit in the cell comes back as ``Odd("", number in the canonical unit)``: already converted.
    """
    if isinstance(value, bool | dt.date | dt.time | dt.timedelta):
        return Odd("number_unreadable")
    if isinstance(value, int | float):
        return float(value) if abs(value) < LARGEST else Odd("number_unreadable")
    value = bare(value)
    if is_missing(value):
        return None
    if ERROR.fullmatch(value.strip()):
        return Odd("cell_error")
    if MARKED.search(value):  # 24.98① is no 24.981
        return Odd("number_unreadable")
    if re.search(r"\d\s+\d", value) and not re.fullmatch(r"\s*[+-]?\d{1,3}(\s\d{3})+([.]\d+)?\s*", value):
        return Odd("number_unreadable")
    text = plain(value).replace("−", "-").replace("¥", "").replace("￥", "")
    if text.startswith("(") and text.endswith(")"):
        text = "-" + text[1:-1]
    near = ABOUT.fullmatch(text)
    if near:
        result = number(near["a"] or near["b"] or near["c"], canonical)
        if isinstance(result, Odd):
            return Odd("number_unreadable") if result.rule else Odd("number_about", (result.value,))
        return Odd("number_unreadable") if result is None else Odd("number_about", result)
    matched = NUMBER.fullmatch(text)
    if not matched:
        return Odd("number_unreadable")
    figure = float(matched[1].replace(",", ""))
    if not abs(figure) < LARGEST:
        return Odd("number_unreadable")
    if not matched[2]:
        return figure
    ratio = factor(matched[2], canonical) if canonical else None
    return Odd("", figure * ratio.numerator / ratio.denominator) if ratio else Odd("number_unreadable")


def share(value: Any) -> float | Odd | None:
    """Return a share as a fraction of 1: 35, 35% and 0.35 are the same, told apart by the sign or the size."""
    percent = isinstance(value, str) and "%" in plain(value)
    figure = number(value.replace("%", "").replace("％", "") if percent else value)
    if not isinstance(figure, float):
        return figure
    fraction = figure / 100 if percent or figure > 1 else figure
    return fraction if 0 <= fraction <= 1 else Odd("share_range")


def year(value: Any) -> int | Odd | None:
    """Return a year between 1990 and 2100: 2019, ２０１９年, 2019年度, a date, or a period within one year."""
    if isinstance(value, dt.date):
        return _within(value.year)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _within(int(value)) if math.isfinite(value) and value == int(value) else Odd("year_unreadable")
    if not isinstance(value, str):
        return Odd("year_unreadable")
    if is_missing(value):
        return None
    text = _in_digits(plain(value))
    matched = YEAR.fullmatch(text)
    if matched:
        return _within(_full_year(matched[1]))
    found = set(re.findall(r"(?<!\d)((?:19|20)\d\d)(?!\d(?:\d{2}|\d{4})?(?!\d))", text))
    return _within(int(found.pop())) if len(found) == 1 and PERIOD.fullmatch(text) else Odd("year_unreadable")


def month(value: Any) -> int | Odd | None:
    """Return a month: 3, 3月, 2023-03, 202303 or a date."""
    if isinstance(value, dt.date):
        return value.month
    if isinstance(value, str):
        if is_missing(value):
            return None
        matched = MONTH.fullmatch(_in_digits(plain(value)))
        figure = float(matched[1] or matched[2]) if matched else math.nan
    else:
        figure = (
            math.nan
            if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > LARGEST
            else float(value)
        )
        figure = figure % 100 if 190000 < figure < 210013 else figure
    return int(figure) if figure in range(1, 13) else Odd("month_unreadable")


def date(value: Any, end: bool) -> dt.date | Odd | None:
    """Return a date: a cell date, a serial, 2020.10.20, 20201020, 2021年1月28日, or a bare year or month (told).

    Parameters
    ----------
    end : bool
        A bare year means its 31 December, a bare month its last day; otherwise the first day.
    """
    if isinstance(value, dt.datetime):
        return _dated(value.date())
    if isinstance(value, dt.date):
        return _dated(value)
    if isinstance(value, bool):
        return Odd("date_wanted")
    if isinstance(value, int | float):
        return _of_figure(float(value), end) if abs(value) < LARGEST else Odd("date_unreadable")
    if not isinstance(value, str):
        return Odd("date_unreadable")
    if is_missing(value) or NOT_YET.fullmatch(plain(value)):
        return None
    if ERROR.fullmatch(value.strip()):
        return Odd("cell_error")
    return _of_text(plain(CLOCK.sub("", value)), end)


def flag(value: Any, kind: str) -> bool | Odd | None:
    """Return yes or no; kinds ``scale`` and ``below`` also know 规上 and 规下, ``reason`` takes any words as yes."""
    text = plain(str(int(value)) if isinstance(value, float) and value.is_integer() else str(value))
    if not text:
        return None
    if ERROR.fullmatch(text.upper()):
        return Odd("cell_error")
    noted = NOTED.search(text)
    if noted and TURNED.search(noted[0]):
        return Odd("flag_unreadable")
    text = NOTED.sub("", text) or text
    yes, no = (ABOVE, BELOW) if kind in ("scale", "below") else (YES, NO)
    if kind == "below" and text in YES | NO:
        return text in NO
    if text in yes or text in no:
        return text in yes
    if is_missing(text):
        return None
    if kind in ("scale", "below"):
        return Odd("scale_size" if text in FIRM_SIZES else "flag_unreadable")
    return Odd("reason_words", True) if kind == "reason" else Odd("flag_unreadable")


def text(value: Any) -> str | Odd | None:
    """Return a text without outer and repeated spaces and unseen control characters; whole numbers without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool):
        value = "是" if value else "否"
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()
    words = " ".join(visible(" ".join(bare(str(value)).split())).split())
    if TOLD_TEXT.fullmatch(words):
        return Odd("cell_error" if words[0] == "#" else "ditto_mark")
    return None if is_missing(words) else words


def label(value: Any) -> str | Odd | None:
    """Return the text of a name of something (firm, township), without spaces between Chinese characters."""
    words = text(value)
    return CHINESE_GAP.sub("", words) if isinstance(words, str) else words


def _within(figure: int) -> int | Odd:
    """Return a year that lies in range."""
    return figure if 1990 <= figure <= 2100 else Odd("year_range")


def _full_year(digits: str) -> int:
    """Return a year of two or four digits in full."""
    return int(digits) if len(digits) == 4 else 2000 + int(digits) if int(digits) < 70 else 1900 + int(digits)


def _dated(day: dt.date) -> dt.date | Odd:
    """Return a date that lies in range."""
    return day if 1949 <= day.year <= 2100 else Odd("date_unreadable")


def _of_figure(figure: float, end: bool) -> dt.date | Odd:
    """Read a date from a number: yyyymmdd, yyyymm, a year, or a spreadsheet's day count (from 1899-12-30)."""
    whole = int(figure) if math.isfinite(figure) else 0
    if 18000 <= whole <= 73415:
        return _dated(dt.date(1899, 12, 30) + dt.timedelta(days=whole))
    if 10_000 <= whole < 100_000:
        return Odd("date_unreadable")
    if figure == whole:
        return _of_text(str(whole), end)
    return _of_text(f"{figure:g}", end) if YEAR_MONTH.fullmatch(f"{figure:g}") else Odd("date_unreadable")


def _of_text(words: str, end: bool) -> dt.date | Odd:
    """Read a date from normalised text."""
    if words in ("长期", "永久", "无固定期限"):
        return Odd("date_completed", dt.date(2100, 12, 31), {"date": "2100-12-31"})
    if words in YES | NO:
        return Odd("date_wanted")
    words = _of_months(
        re.sub(r"[(\[]?(?:星期|周)[一二三四五六日天][)\]]?|(?<=[日号一二三四五六天)])[上下]午.*", "", words)
    )
    words = re.sub(r"(?<=\d)[、,，。·\\](?=\d)", "-", _in_digits(words))
    if re.fullmatch(r"\d{5}(\.\d+)?", words):
        return _of_figure(float(words), end)
    for pattern in FULL:
        matched = pattern.fullmatch(words)
        if matched:
            return _made(_full_year(matched[1]), int(matched[2]), int(matched[3]))
    return _span(words, end) if SPAN.search(words) else _partial(words, end)


def _of_months(words: str) -> str:
    """Write English month names (15-mar-2019, mar-19) in digits."""
    named = ENGLISH.fullmatch(words)
    if not named:
        return words
    year = named["year"] if len(named["year"]) == 4 else f"20{named['year']}"
    day = named["day"] or named["us"]
    return f"{year}-{MONTHS.index(named['month'][:3]) + 1}" + (f"-{day}" if day else "")


def _span(words: str, end: bool) -> dt.date | Odd:
    """Read a period from a first to a last day: the last where the column means an end, told."""
    days = [_of_text(part, end) for part in SPAN.split(words)]
    whole = [day for day in days if not isinstance(day, Odd)]
    if len(days) != 2 or len(whole) != 2 or whole[0] > whole[1]:
        return Odd("date_unreadable")
    day = whole[1 if end else 0]
    return Odd("date_completed", day, {"date": day.isoformat()})


def _in_digits(words: str) -> str:
    """Write Chinese numerals (二〇二〇年八月二十日) in digits."""
    tens = re.sub(r"([二三]?)十([一二三四五六七八九]?)", lambda m: f"{m[1] or '一'}{m[2] or '〇'}", words)
    return tens.translate(DIGITS)


def _partial(words: str, end: bool) -> dt.date | Odd:
    """Read a year, half-year or month, completed and told."""
    matched = PARTIAL.fullmatch(words)
    if not matched:
        return Odd("date_unreadable")
    first, last = 1, 12
    if matched[2]:
        first = last = int(matched[2])
    elif matched[3]:
        first, last = {"上半年": (1, 6), "下半年": (7, 12), "底": (12, 12), "末": (12, 12), "初": (1, 1)}[matched[3]]
    full = _full_year(matched[1])
    if not 1 <= last <= 12 or not 1949 <= full <= 2100:
        return Odd("date_unreadable")
    closing = dt.date(full + last // 12, last % 12 + 1, 1) - dt.timedelta(days=1)
    day = closing if end or matched[3] in ("底", "末") else dt.date(full, first, 1)
    return Odd("date_completed", day, {"date": day.isoformat()})


def _made(full: int, of_month: int, of_day: int) -> dt.date | Odd:
    """Return the date of three numbers, if there is one."""
    try:
        return _dated(dt.date(full, of_month, of_day))
    except ValueError:
        return Odd("date_unreadable")


LARGEST = 1e15
TOLD_TEXT = re.compile(r"#[A-Z/0]+[!?]|同上|同前|[〃″]|\"")
ERROR = re.compile(r"#[A-Z][A-Z/_0-9]*[!?]|#GETTING_DATA|#{3,}")
MARKED = re.compile("(?<=[\\d.])[\u00b2\u00b3\u00b9\u2070-\u209c\u00bc-\u00be\u2150-\u2189\u2460-\u24ff\u2776-\u2793]")
CLOCK = PATTERNS["clock"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
ENGLISH = PATTERNS["english"]
ABOUT = PATTERNS["about"]
NOTED = re.compile(r"(?<=.)[(\[【][^)\]】]*[)\]】]$")
TURNED = re.compile("退|拟|原|曾|预|申报|下库|待|[?]")
NOT_YET = PATTERNS["not_yet"]
CHINESE_GAP = re.compile(r"(?<=[\u3400-\u9fff（）()]) (?=[\u3400-\u9fff（）()])")
YEAR_MONTH = re.compile(r"(19|20)\d\d\.([2-9]|1[12])")  # 2023.1 may be October with its last digit lost
SPAN = re.compile(r"[—–~～至到]+")
NUMBER = re.compile(r"([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?(?<=[\d.])(?:e[+-]?\d{1,3})?)(?<!^\.)([^\d.,+-].*)?")
YEAR = re.compile(r"((?:19|20|21)\d\d|\d\d(?=年)|\d{4})(?:\.0)?(?:年度?)?")
PERIOD = re.compile(r"[底末\d年月日./至到~—–-]+(?:00:00:00)?")
MONTH = re.compile(r"(?:(?:\d{4}|\d\d)[-./年])?0?(\d{1,2})(?:\.0)?(?:月份?|月度)?|\d{4}(\d\d)")
FULL = (
    re.compile(r"(\d{4}|\d\d)[-./年](\d{1,2})[-./月](\d{1,2})[日号]?(?:t?\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)?"),
    re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:\.0)?"),
)
PARTIAL = PATTERNS["partial"]


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
    raw = in_text(raw)
    if kind in NUMERIC:
        return _numbers(raw, column, ratio)
    if kind in ("year", "month"):
        results, places, odd = _each(raw, year if kind == "year" else month)
        figures = np.array([np.nan if r is None else r for r in results], dtype=float)
        return Cells(pd.Series(figures[places]), odd)
    if kind in DATES:
        results, places, odd = _each(raw, lambda value: date(value, kind == "date_to"))
        days = np.array([np.datetime64(r if isinstance(r, dt.date) else "NaT", "us") for r in results])
        return Cells(pd.Series(days[places]), odd)
    if kind in FLAGS:
        return _flags(raw, kind)
    if kind in ("code", "org"):
        return _code_cells(raw)
    if kind in ("text", "grade"):
        return to_texts(raw)
    if kind == "label":
        return to_texts(raw, label)
    results, places, odd = _each(raw, lambda cell: None if is_missing(str(cell)) else _word(str(cell), kind, methods))
    return Cells(as_text(list(results[places])), odd)


def texts_of(raw: Raw) -> list[Any]:
    """Return cells as Python values, None where null."""
    return raw.to_pylist() if isinstance(raw, pa.ChunkedArray) else raw


def cell_of(raw: Raw, position: int) -> Any:
    """Return one cell as a Python value."""
    return raw[position].as_py() if isinstance(raw, pa.ChunkedArray) else raw[position]


def in_text(raw: Raw) -> Raw:
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
    share_of_one = column.kind == "share"
    if isinstance(raw, list) and not share_of_one:  # most cells of a workbook are numbers
        figures = np.array([value if value.__class__ is float else np.nan for value in raw])
        rest = np.flatnonzero(~(np.abs(figures) < LARGEST))
        cells: Raw = [raw[place] for place in rest]
    else:
        fast = _fast_figures(raw) if isinstance(raw, pa.ChunkedArray) and not share_of_one else None
        if fast is not None:
            return fast, [], np.zeros(len(fast), dtype=bool)
        figures, rest, cells = np.full(len(raw), np.nan), np.arange(len(raw)), raw

    def read(value: Any) -> Any:
        result = share(value) if share_of_one else number(value, column.unit)
        return (result.value,) if isinstance(result, Odd) and not result.rule else result

    results, places, odd = _each(cells, read)
    known = np.array([isinstance(r, tuple) for r in results])
    done = np.zeros(len(raw), dtype=bool)
    read_as = [np.nan if r is None else r[0] if isinstance(r, tuple) else r for r in results]
    figures[rest], done[rest] = np.array(read_as, dtype=float)[places], known[places]
    return figures, [(int(rest[place]), what) for place, what in odd], done


def _fast_figures(raw: pa.ChunkedArray) -> np.ndarray | None:
    """Return the figures of a numeric or plainly written column; None when cells must be read one by one."""
    kind = raw.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (numeric or is_text(kind) or pa.types.is_null(kind)):
        return None
    try:
        figures = pc.cast(raw, pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(raw) if is_text(kind) else raw
        if not is_text(kind) or pc.all(pc.equal(trimmed, raw)).as_py():
            return None
        return _fast_figures(pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, raw.type), trimmed))
    if is_text(kind) and len(figures) - raw.null_count != np.isfinite(figures).sum():
        return None
    return None if np.isinf(figures).any() else np.asarray(figures, dtype=float)


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds text."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _flags(raw: Raw, kind: str) -> Cells:
    """Convert flags to nullable booleans."""
    if isinstance(raw, pa.ChunkedArray) and pa.types.is_boolean(raw.type):
        values, missing = pc.fill_null(raw, False).to_numpy(), pc.is_null(raw).to_numpy()
        yes = ~values & ~missing if kind == "below" else values
        return Cells(pd.Series(pd.arrays.BooleanArray(yes.astype(bool), missing.astype(bool))), [])
    results, places, odd = _each(raw, lambda value: flag(value, kind))
    missing = np.array([r is None for r in results])[places]
    yes = np.array([r is True for r in results])[places]
    return Cells(pd.Series(pd.arrays.BooleanArray(yes, missing)), odd)


def _code_cells(raw: Raw) -> Cells:
    """Convert codes to tidy text; form is judged by the rows they stand in."""
    if isinstance(raw, pa.ChunkedArray) and is_text(raw.type):
        places, distinct = text_marks(raw)
        right = pc.match_substring_regex(distinct, f"^[{ALPHABET}]{{18}}$")
        if raw.null_count == 0 and pc.all(right).as_py():
            return Cells(as_text(raw), [], clean=True, marks=(places, distinct))

    def read(value: Any) -> Any:
        if isinstance(value, float | int):
            return Odd("code_number")
        return None if is_missing(str(value)) else tidy(value)

    results, places, odd = _each(raw, read)
    return Cells(as_text(list(results[places])), odd)


def to_texts(raw: Raw, read: Callable[[Any], str | Odd | None] = text) -> Cells:
    """Convert text; a column that is tidy already is handed on as it is."""
    raw = in_text(raw)
    if isinstance(raw, pa.ChunkedArray) and is_text(raw.type):
        places, distinct = text_marks(raw)
        missing = pc.is_in(pc.ascii_lower(distinct), pa.array(sorted(MISSING), type=distinct.type))
        untidy = pc.match_substring_regex(distinct, UNTIDY)
        if not pc.any(pc.or_(missing, untidy)).as_py():
            return Cells(as_text(raw), [], marks=(places, distinct))
    results, places, odd = _each(raw, read)
    return Cells(as_text(list(results[places])), odd)


def _word(words: str, kind: str, methods: Mapping[str, str]) -> str | Odd:
    """Read a word of a vocabulary: a disposal method, the flow of a tax item, or an outcome."""
    if kind == "method":
        return find_method(words, methods) or Odd("method_unknown", None, {"known": "、".join(KNOWN_METHODS)})
    if kind == "flow":
        known = "、".join(dict.fromkeys(FLOWS.values()))
        return find_word(words, FLOWS) or Odd("flow_unreadable", None, {"known": known})
    return _outcome(words)


def _outcome(words: str) -> str | Odd:
    """Read an outcome; 完成 is left to the method, 销号 is none."""
    form = plain(words)
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


UNTIDY = "|".join(
    (
        r"^\s|\s$|\s\s|\p{Han} \p{Han}|^[='’‘`＇#\x22〃″]|^同[上前]$|[Ａ-Ｚａ-ｚ０-９／－＃]",
        r"[\x00-\x1f\x7f-\x{a0}\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{1680}\x{17b4}\x{17b5}\x{180b}-\x{180f}]",
        r"[\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{2800}\x{3000}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}]",
    )
)
KNOWN_METHODS = tuple(dict.fromkeys(word for row in METHOD_ROWS for word in (row["words"][0], row["label"])))
