"""What is drawn of an effect (图形数据): one long frame for every design, so that a figure needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd

from lyeval.effect.result import Effect

COLUMNS = ["kind", "series", "x", "y", "low", "high"]
"""kind (path, dynamic, bins, counts); series; x; y with low and high (NaN: no interval)."""


def drawn(effect: Effect) -> pd.DataFrame:
    """Return what one figure of an effect shows: `COLUMNS`, and no row where the design has nothing to draw.

    ``path``: means by period of listed, unlisted and projected. ``dynamic``: effects by distance from the start. ``bins``:
    means of the outcome by score. ``counts``: units by score, observed and smooth.
    """
    made = next((make(effect.details[key]) for key, make in SHOWN if key in effect.details), [])
    return pd.DataFrame([(*row, *(math.nan,) * (len(COLUMNS) - len(row))) for row in made], columns=COLUMNS)


def _path(frame: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    if "treated" in frame:
        rows = frame.to_dict("records")
        return [("path", name, float(r["time"]), r[key]) for name, key in SYNTHETIC for r in rows]
    return [("path", r["group"], float(r["time"]), r["mean"]) for r in frame.to_dict("records")]


def _dynamic(frame: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    return [
        ("dynamic", "effect", float(r["event"]), r["estimate"], r["low"], r["high"]) for r in frame.to_dict("records")
    ]


def _bins(frame: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    return [("bins", r["side"], r["score"], r["mean"]) for r in frame.to_dict("records")]


def _counts(frame: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    rows = frame.to_dict("records")
    return [
        ("counts", name, float(r["from_"]), r[name]) for name in ("observed", "smooth") if name in frame for r in rows
    ]


SYNTHETIC = (("listed", "treated"), ("synthetic", "synthetic"))
SHOWN = (("dynamic", _dynamic), ("counts", _counts), ("bins", _bins), ("path", _path))
