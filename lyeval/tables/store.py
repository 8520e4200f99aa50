"""Tables of a run on disk: one CSV each, with ``types.json`` beside them so that reading gives back what was written.

A text that a spreadsheet would run as a formula (it begins with ``=``, ``+``, ``-``, ``@``, their full-width forms, a
tab or a line break) is written with a single quote before it, as spreadsheets mark text; so is a text that begins with a
quote itself. `load` takes the quote off again.

A number is written to `EXACT` digits, one that comes of draws or regressions to `DRAWN`: at least three more than any page
prints, and too few for the last bits to show, which differ from processor to processor.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from lyeval.tables.tally import check
from lyeval.textfiles import Unreadable, read_json
from lyeval.workbooks import escape

Tables = Mapping[str, "pd.DataFrame | dict[str, Any]"]


def save(folder: str | Path, tables: Tables) -> list[Path]:
    """Write tables into ``folder``, adding to those that stand there.

    Parameters
    ----------
    folder
        The folder of tables itself (``reports/<run>/tables``); made if absent.
    tables
        By name: a frame (its index is not kept), or a dict of plain values, written as two columns key and value.

    Returns
    -------
    list of Path
        The files written, ``types.json`` last. The same tables give the same bytes, and so do tables that differ in last bits.

    Raises
    ------
    ConsistencyError
        The tables contradict one another: nothing is written.
    """
    check(tables)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    types = _types(folder)
    paths: list[Path] = []
    for name, table in tables.items():
        columns, types[name] = _plan(table, DRAWN if name.startswith(OF_DRAWS) else EXACT)
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([escape(column) for column in columns])
        writer.writerows(zip(*columns.values(), strict=True))
        paths.append(folder / f"{name}.csv")
        _write(paths[-1], "\ufeff" + text.getvalue())
    paths.append(folder / TYPES)
    _write(paths[-1], json.dumps(dict(sorted(types.items())), ensure_ascii=False, indent=1) + "\n")
    return paths


def load(folder: str | Path) -> dict[str, Any]:
    """Read back every table of a folder: frames as frames, dicts as dicts, values and dtypes as they were saved.

    Raises
    ------
    FileNotFoundError
        The folder holds no saved tables.
    Unreadable
        They are damaged.
    """
    folder = Path(folder)
    if not (folder / TYPES).is_file():
        raise FileNotFoundError(f"{folder.name}: 没有已保存的表 / no saved tables here")
    try:
        return {name: _read(folder / f"{name}.csv", plan) for name, plan in _types(folder).items()}
    except (csv.Error, LookupError, TypeError, AttributeError, ValueError, OverflowError, RecursionError):
        raise Unreadable(folder.name, ("the saved tables are damaged", "保存的表已损坏")) from None


def _types(folder: Path) -> dict[str, Any]:
    path = folder / TYPES
    return read_json(path) if path.is_file() else {}


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def _plan(
    table: pd.DataFrame | Mapping[str, Any], digits: tuple[int, int]
) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Return the cells of each column, and how to read them back."""
    if not isinstance(table, pd.DataFrame):
        cells = [_json(value, digits) for value in table.values()]
        return {"key": [escape(str(k)) for k in table], "value": [escape(c) for c in cells]}, {"kind": "dict"}
    columns: dict[str, list[str]] = {}
    kinds: dict[str, Any] = {}
    for name in table.columns:
        columns[str(name)], kinds[str(name)] = _column(table[name], digits)
    return columns, {"kind": "table", "rows": len(table), "columns": kinds}


def _column(values: pd.Series, digits: tuple[int, int]) -> tuple[list[str], dict[str, str]]:
    """Return a column's cells and its kind: dtype, how cells are written, and what an empty cell means."""
    dtype = str(values.dtype)
    plan = {"dtype": dtype}
    if dtype.startswith("datetime64"):
        return ["" if pd.isna(v) else v.isoformat() for v in values], plan
    if dtype == "boolean" or dtype == "Int64":
        return ["" if v is pd.NA else str(v) for v in values], plan
    if values.dtype.kind in "biu":
        return [str(v) for v in values.tolist()], plan
    if values.dtype.kind == "f":
        return ["" if v != v else repr(rounded(v, *digits)) for v in values.tolist()], plan
    items = [_plain(v) for v in values.tolist()]
    if all(isinstance(v, str) or _blank(v) for v in items):
        blanks = {"none" if v is None else "nan" for v in items if not isinstance(v, str)}
        if len(blanks) < 2:
            blank = blanks.pop() if blanks else "text"
            return [_text(v, blank) for v in items], {**plan, "cells": "text", "blank": blank}
    return [escape("" if v is None else _json(v, digits)) for v in items], {**plan, "cells": "json"}


def _plain(value: Any) -> Any:
    return cast("Any", value).item() if isinstance(value, np.generic) else value


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _text(value: Any, blank: str) -> str:
    """Write a text; where an empty cell stands for a missing one, the empty text is a lone quote."""
    if not isinstance(value, str):
        return ""
    return escape(value) if value or blank == "text" else "'"


def _json(value: Any, digits: tuple[int, int]) -> str:
    return json.dumps(_round_all(value, digits), ensure_ascii=False)


def _round_all(value: Any, digits: tuple[int, int]) -> Any:
    """Return a value as JSON has it, every float in it rounded."""
    value = _plain(value)
    if isinstance(value, float):
        return rounded(value, *digits)
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {key: _round_all(item, digits) for key, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, set | frozenset | list | tuple | np.ndarray):
        held = cast("Iterable[Any]", value)
        items = sorted(held) if isinstance(value, set | frozenset) else list(held)
        return [_round_all(item, digits) for item in items]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def rounded(value: float, digits: int, places: int) -> float:
    """Round to so many significant digits, never to more than so many decimals and never a whole number; zero has no sign."""
    if not math.isfinite(value) or value == 0:
        return value + 0.0
    fitting = digits - 1 - math.floor(math.log10(abs(value)))
    return round(value, max(0, min(fitting, places))) + 0.0


def _unescape(text: str) -> str:
    return text[1:] if text.startswith("'") else text


def _read(path: Path, plan: Mapping[str, Any]) -> Any:
    text = path.read_bytes().decode("utf-8", "surrogatepass").removeprefix("\ufeff")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if plan["kind"] == "dict":
        return {_unescape(key): json.loads(_unescape(value)) for key, value in rows[1:]}
    body = rows[1:]
    columns = {name: _restore([row[i] for row in body], kind) for i, (name, kind) in enumerate(plan["columns"].items())}
    return pd.DataFrame(columns, index=pd.RangeIndex(plan["rows"]))


def _restore(cells: list[str], plan: Mapping[str, str]) -> pd.Series:
    dtype: Any = plan["dtype"]
    if dtype.startswith("datetime64"):
        stamps: list[Any] = [c or None for c in cells]
        return cast("pd.Series", pd.Series(pd.to_datetime(stamps, format="ISO8601")).astype(dtype))
    if dtype in ("boolean", "Int64"):
        flag = dtype == "boolean"
        read: list[Any] = [pd.NA if c == "" else c == "True" if flag else int(c) for c in cells]
        return pd.Series(read, dtype=dtype)
    if dtype == "bool":
        return pd.Series([c == "True" for c in cells], dtype=dtype)
    if plan.get("cells") == "json":
        return pd.Series([None if c == "" else json.loads(_unescape(c)) for c in cells], dtype=dtype)
    if plan.get("cells") == "text":
        missing = {"none": None, "nan": float("nan"), "text": ""}[plan["blank"]]
        return pd.Series([missing if c == "" else _unescape(c) for c in cells], dtype=dtype)
    return pd.Series(
        [float("nan") if c == "" else float(c) if "float" in dtype else int(c) for c in cells], dtype=dtype
    )


TYPES = "types.json"
EXACT, DRAWN = (12, 12), (9, 8)  # significant digits, and most decimals
OF_DRAWS = (
    "alternatives",
    "backtest",
    "effect",
    "forecast",
    "plan_burden",
    "plans",
    "sensitivity",
    "side_",
    "simulation",
)
