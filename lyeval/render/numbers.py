"""How every value is written: the one place that turns numbers, shares, dates and flags into text."""

from __future__ import annotations

import math
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from lyeval.render.blocks import Cell, Column, Lang
from lyeval.textfiles import read_yaml

MISSING = "—"
MINUS = "\N{MINUS SIGN}"
DIGITS = {"number": 2, "percent": 1, "count": 0}
FLAGS = {"zh": ("是", "否"), "en": ("yes", "no")}


@cache
def told(lang: Lang) -> dict[str, str]:
    """Return what a document says of its own in every format (``said.yaml``), by name."""
    pairs = read_yaml(Path(__file__).with_name("said.yaml"))[0]
    return {name: pair[lang == "en"] for name, pair in pairs.items()}


def plain(value: Any) -> Any:
    """Return a Python scalar: numpy scalars unpacked, NaN, NaT and pandas' NA as None, a timestamp as a date."""
    if isinstance(value, Cell):
        value = value.value
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "item"):
        value = value.item()
    if not known(value):
        return None
    return value.date() if isinstance(value, datetime) else value


def known(value: Any) -> bool:
    """Tell whether a table's cell holds a value: not None, NaN, NaT or pandas' NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return False
    return not (isinstance(value, float) and math.isnan(value))


def digits_of(column: Column, value: Any = None) -> int:
    """Return the decimals of a value in its column: the cell's own, else the column's, else the kind's."""
    own = value.digits if isinstance(value, Cell) else None
    chosen = own if own is not None else column.digits
    return DIGITS.get(column.kind, 2) if chosen is None else chosen


def format_value(column: Column, value: Any, lang: Lang = "zh") -> str:
    """Write one value of a column as text.

    Numbers get thousands separators and the column's decimals, shares (fractions) a percent sign, flags 是/否, dates
    ISO 8601; a missing value is ``—``. A number that rounds to zero carries no minus sign.

    Examples
    --------
    >>> format_value(Column("tax", "税收", "万元", "number"), 12345.678)
    '12,345.68'
    >>> format_value(Column("share", "占比", "", "percent"), 0.347)
    '34.7%'
    """
    bare = plain(value)
    if bare is None or bare == "":
        return MISSING
    if isinstance(bare, bool):
        return FLAGS[lang][not bare]
    if isinstance(bare, date):
        return bare.isoformat()
    if isinstance(bare, int | float) and column.kind != "text":
        return _number(bare, column.kind, digits_of(column, value))
    if isinstance(bare, float):
        return _number(bare, "number", 0 if bare.is_integer() else digits_of(column, value))
    return str(bare)


def _number(value: float, kind: str, digits: int) -> str:
    """Write a number with separators; infinity as a sign."""
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    scale, sign = (100, "%") if kind == "percent" else (1, "")
    text = f"{value * scale:,.{digits}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", MINUS) + sign


def digits_beside(value: Any, goal: Any, kind: str = "number", *, digits: int | None = None, most: int = 8) -> int:
    """Return the fewest decimals at which the written value stands on its own side of the written goal.

    20.04 % against a goal of 20 % is written with two decimals, because 20.0 % would read as met.

    Parameters
    ----------
    value, goal : float or None
        In the same unit; fractions for ``percent``. With either missing the usual decimals are returned.
    kind : {"number", "percent", "count"}
    digits : int, optional
        Decimals to begin with; None: the kind's usual.
    most : int
        Decimals to end with: values closer than that (or within 1e-9, relative) count as equal.
    """
    first = DIGITS[kind] if digits is None else digits
    a, b = plain(value), plain(goal)
    if a is None or b is None or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12):
        return first
    for places in range(first, most):
        if (_number(a, kind, places) != _number(b, kind, places)) and _shown_side(a, b, kind, places):
            return places
    return most


def _shown_side(value: float, goal: float, kind: str, places: int) -> bool:
    """Tell whether the rounded value stands on the same side of the exact goal as the value itself."""
    scale = 100 if kind == "percent" else 1
    shown = float(f"{value * scale:.{places}f}")
    return (shown > goal * scale) == (value > goal)
