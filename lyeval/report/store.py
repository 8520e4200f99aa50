"""Tables of a run on disk: one CSV each, with ``types.json`` beside them so that reading gives back what was written.

A text that a spreadsheet would run as a formula (it begins with ``=``, ``+``, ``-``, ``@``, their full-width forms, a
tab or a line break) is written with a single quote before it, as spreadsheets mark text; so is a text that begins with a
quote itself. `load` takes the quote off again.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lyeval.tables import check

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
        The files written, ``types.json`` last. The same tables give the same bytes.

    Raises
    ------
    ConsistencyError
        The tables contradict one another: nothing is written.
    """
    check(tables)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    types = _types(folder)
    paths = []
    for name, table in tables.items():
        columns, types[name] = _plan(table)
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([_escape(column) for column in columns])
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
    """
    folder = Path(folder)
    if not (folder / TYPES).is_file():
        raise FileNotFoundError(f"{folder.name}: 没有已保存的表 / no saved tables here")
    return {name: _read(folder / f"{name}.csv", plan) for name, plan in _types(folder).items()}


def _types(folder: Path) -> dict[str, Any]:
    path = folder / TYPES
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def _plan(table: pd.DataFrame | Mapping[str, Any]) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Return the cells of each column, and how to read them back."""
    if not isinstance(table, pd.DataFrame):
        cells = [_json(value) for value in table.values()]
        return {"key": [_escape(str(k)) for k in table], "value": [_escape(c) for c in cells]}, {"kind": "dict"}
    columns, kinds = {}, {}
    for name in table.columns:
        columns[str(name)], kinds[str(name)] = _column(table[name])
    return columns, {"kind": "table", "rows": len(table), "columns": kinds}


def _column(values: pd.Series) -> tuple[list[str], dict[str, str]]:
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
        return ["" if v != v else repr(v) for v in values.tolist()], plan
    items = [_plain(v) for v in values.tolist()]
    if all(isinstance(v, str) or _blank(v) for v in items):
        blanks = {"none" if v is None else "nan" for v in items if not isinstance(v, str)}
        if len(blanks) < 2:
            blank = blanks.pop() if blanks else "text"
            return [_text(v, blank) for v in items], {**plan, "cells": "text", "blank": blank}
    return [_escape("" if v is None else _json(v)) for v in items], {**plan, "cells": "json"}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _blank(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value != value)


def _text(value: Any, blank: str) -> str:
    """Write a text; where an empty cell stands for a missing one, the empty text is a lone quote."""
    if not isinstance(value, str):
        return ""
    return _escape(value) if value or blank == "text" else "'"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=_default)


def _default(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | tuple | set | frozenset):
        return sorted(value) if isinstance(value, set | frozenset) else list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _escape(text: str) -> str:
    return f"'{text}" if text.startswith(RISKY) else text


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
        return pd.Series(pd.to_datetime(stamps, format="ISO8601")).astype(dtype)
    if dtype in ("boolean", "Int64"):
        read = (lambda c: c == "True") if dtype == "boolean" else int
        return pd.Series([pd.NA if c == "" else read(c) for c in cells], dtype=dtype)
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
RISKY = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")
