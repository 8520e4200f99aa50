"""Columns of a frame as plain arrays, what is missing counted, what cannot be used refused with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lyeval.effect.result import EffectError


@dataclass(frozen=True, eq=False)
class Columns:
    """Complete rows of the columns asked for, in an order that does not depend on the frame's.

    Attributes
    ----------
    values
        Column name → array of shape (n,).
    dropped
        Rows left out because a value was missing.
    """

    values: dict[str, np.ndarray]
    dropped: int

    def __getitem__(self, name: str) -> np.ndarray:
        return self.values[name]

    def __len__(self) -> int:
        return len(next(iter(self.values.values())))


def columns(frame: pd.DataFrame, numeric: Sequence[str], keys: Sequence[str] = ()) -> Columns:
    """Take complete rows, sorted by the columns in the order given (keys last).

    Parameters
    ----------
    frame
        Any table; columns not asked for are not looked at.
    numeric
        Columns read as float; flags count 0 and 1.
    keys
        Columns of names or numbers (units, clusters), read as codes 0, 1, … in sorted order.

    Raises
    ------
    EffectError
        If a column is absent, doubled with different content, not numeric or infinite, or no complete row is left.
    """
    read = {name: _numeric(frame, name) for name in dict.fromkeys(numeric)}
    read |= {name: _codes(frame, name) for name in dict.fromkeys(keys) if name not in read}
    whole = np.all([~np.isnan(v) for v in read.values()], axis=0)
    if not whole.any():
        raise EffectError(f"{'、'.join(read)} 没有一行齐全 / no row has all of {', '.join(read)}")
    kept = {name: v[whole] for name, v in read.items()}
    order = np.lexsort(list(kept.values())[::-1])
    return Columns({name: v[order] for name, v in kept.items()}, int((~whole).sum()))


def varies(values: np.ndarray, name: str) -> None:
    """Refuse a column that is the same in every row.

    Raises
    ------
    EffectError
        If it is.
    """
    if np.ptp(values) == 0:
        raise EffectError(f"{name} 各行相同，无从比较 / {name} does not vary: there is nothing to compare")


def flag(values: np.ndarray, name: str) -> np.ndarray:
    """Return a 0/1 column as booleans.

    Raises
    ------
    EffectError
        If it holds anything else.
    """
    if not np.isin(values, (0.0, 1.0)).all():
        raise EffectError(f"{name} 应只有 0 与 1（或是与否） / {name} must hold 0 and 1 (or true and false) alone")
    return values == 1.0


def whole_years(values: np.ndarray, name: str) -> np.ndarray:
    """Return periods as integers.

    Raises
    ------
    EffectError
        If one is not whole.
    """
    if not np.array_equal(values, np.round(values)):
        raise EffectError(f"{name} 应为整数时期（如年份） / {name} must hold whole periods such as years")
    return values.astype(np.int64)


def labels(frame: pd.DataFrame, name: str) -> pd.Index:
    """Return the distinct values of a column in sorted order: what the codes of `columns` stand for."""
    return pd.Index(pd.factorize(_column(frame, name), sort=True)[1])


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        near = "、".join(map(str, dict.fromkeys(frame.columns)))
        raise EffectError(f"缺列 {name}（有：{near}） / no column {name!r}; the frame has {near}")
    found = frame[name]
    if isinstance(found, pd.Series):
        return found
    first = found.iloc[:, 0]
    if not all(first.equals(found.iloc[:, i]) for i in range(1, found.shape[1])):
        raise EffectError(
            f"有多列名为 {name} 且内容不同，请删去多余的 / several columns are named {name!r} and differ: keep one"
        )
    return first


def _numeric(frame: pd.DataFrame, name: str) -> np.ndarray:
    column = _column(frame, name)
    try:
        values = column.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise EffectError(f"{name} 应为数字 / {name} must hold numbers: {error}") from None
    if np.isinf(values).any():
        raise EffectError(f"{name} 有无穷大，请先改为缺值 / {name} holds infinite values: mark them missing first")
    return values


def _codes(frame: pd.DataFrame, name: str) -> np.ndarray:
    codes, _ = pd.factorize(_column(frame, name), sort=True)
    return np.where(codes < 0, np.nan, codes.astype(float))
