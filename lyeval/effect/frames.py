"""Columns of a frame as plain arrays, what is missing counted, what cannot be used refused with what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lyeval.effect.estimate import error
from lyeval.told import Words

CODE = "credit_code"


@dataclass(frozen=True, eq=False)
class Columns:
    """Complete rows of the columns asked for (name → array of shape (n,)), in an order that is not the frame's; rows
    dropped.
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
    """
    read = {name: _numeric(frame, name) for name in dict.fromkeys(numeric)}
    read |= {name: _codes(frame, name) for name in dict.fromkeys(keys) if name not in read}
    whole = np.all([~np.isnan(v) for v in read.values()], axis=0)
    if not whole.any():
        raise error("no_row", names=Words("、".join(read), ", ".join(read)))
    kept = {name: v[whole] for name, v in read.items()}
    order = np.lexsort(list(kept.values())[::-1])
    return Columns({name: v[order] for name, v in kept.items()}, int((~whole).sum()))


def example(kind: str = "years") -> pd.DataFrame:
    """Return a small made panel to try a design on: 120 firms of 24 towns, 2018–2023, the same every time.

    Firms that used to stand below 2 万元/亩 are listed from 2021 on, which raises them by 0.4.

    Parameters
    ----------
    kind
        ``years``: firm, town, year, land (亩), tax (万元), level (万元/亩), score (万元/亩, before), listed, after, first (2021, or
        0 if never). ``months``: the same with month and a month's tax. ``towns``: town, year, level.

    Examples
    --------
    >>> from lyeval.effect import example
    >>> example().shape, example("months").shape, example("towns").shape
    ((720, 10), (8640, 11), (144, 3))
    """
    rng, (firm, t) = np.random.default_rng(3), np.divmod(np.arange(720), 6)
    land, score = rng.lognormal(3, 0.5, 120)[firm], rng.lognormal(0.7, 0.6, 120)[firm]
    listed, after = score < 2, t >= 3
    level = score + 0.1 * t + 0.4 * (listed & after) + rng.normal(0, 0.2, 720)
    known = {"firm": firm, "town": firm % 24, "year": 2018 + t, "land": land, "tax": level * land, "level": level}
    frame = pd.DataFrame(
        {**known, "score": score, "listed": listed, "after": after, "first": np.where(listed, 2021, 0)}
    )
    if kind == "towns":
        return frame.groupby(["town", "year"], as_index=False)[["level"]].mean()
    if kind == "years":
        return frame
    months = frame.loc[frame.index.repeat(12)].reset_index(drop=True).assign(month=np.tile(np.arange(1, 13), 720))
    return months.assign(tax=months["tax"] * rng.dirichlet(np.full(12, 20.0), 720).ravel())


def grid(data: Columns, outcome: str, unit: str, time: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lay an outcome out by unit and period: values of shape (units, periods), NaN where there is no row; each row's
    unit; periods.
    """
    periods, at = np.unique(whole_years(data[time], time), return_inverse=True)
    units, who = np.unique(data[unit], return_inverse=True)
    if len(np.unique(who * len(periods) + at)) < len(who):
        raise error("repeated", unit=unit, time=time)
    y = np.full((len(units), len(periods)), np.nan)
    y[who, at] = data[outcome]
    return y, who, periods


def of_cluster(frame: pd.DataFrame, cluster: str | None) -> str | None:
    """Return the column to cluster by: the one asked for; else the enterprise's code where it is repeated; else None."""
    repeated = cluster is None and CODE in frame.columns and isinstance(frame[CODE], pd.Series)
    return CODE if repeated and frame[CODE].dropna().duplicated().any() else cluster


def varies(values: np.ndarray, name: str) -> None:
    """Refuse a column that is the same in every row."""
    if np.ptp(values) == 0:
        raise error("constant", name=name)


def flag(values: np.ndarray, name: str) -> np.ndarray:
    """Return a 0/1 column as booleans."""
    if not np.isin(values, (0.0, 1.0)).all():
        raise error("not_flag", name=name)
    return values == 1.0


def whole_years(values: np.ndarray, name: str) -> np.ndarray:
    """Return periods as integers."""
    if not np.array_equal(values, np.round(values)):
        raise error("not_whole", name=name)
    return values.astype(np.int64)


def labels(frame: pd.DataFrame, name: str) -> pd.Index:
    """Return the distinct values of a column in sorted order: what the codes of `columns` stand for."""
    return pd.Index(pd.factorize(_column(frame, name), sort=True)[1])


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        raise error("no_column", name=name, near="、".join(map(str, dict.fromkeys(frame.columns))))
    found = frame[name]
    if isinstance(found, pd.Series):
        return found
    first = found.iloc[:, 0]
    if not all(first.equals(found.iloc[:, i]) for i in range(1, found.shape[1])):
        raise error("doubled", name=name)
    return first


def _numeric(frame: pd.DataFrame, name: str) -> np.ndarray:
    column = _column(frame, name)
    try:
        values = column.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as fault:
        raise error("not_number", name=name, fault=str(fault)) from None
    if np.isinf(values).any():
        raise error("infinite", name=name)
    return values


def _codes(frame: pd.DataFrame, name: str) -> np.ndarray:
    codes, _ = pd.factorize(_column(frame, name), sort=True)
    return np.where(codes < 0, np.nan, codes.astype(float))
