"""What happened to a sample county: yearly snapshots and the cases of its programme."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lyeval.sample.panel import Snapshot, State
from lyeval.sample.places import Place


@dataclass(eq=False)
class Story:
    """One county told through: rows are dicts with canonical column names and the firm's position ``i``.

    Attributes
    ----------
    firms : `identity.roster`; facts : enterprises' sheet, n rows in the same order; years : snapshots in order;
    disposals, process, blocks : rows; unknown_tax, unknown_land : (i, year) pairs left blank in the ledger;
    extra : land-use tax increments, 万元, by (i, year); notes : what was built on purpose.
    """

    place: Place
    firms: pd.DataFrame
    facts: pd.DataFrame
    state: State
    years: list[Snapshot] = field(default_factory=list)
    disposals: list[dict[str, Any]] = field(default_factory=list)
    process: list[dict[str, Any]] = field(default_factory=list)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    unknown_tax: list[tuple[int, int]] = field(default_factory=list)
    unknown_land: list[tuple[int, int]] = field(default_factory=list)
    extra: dict[tuple[int, int], float] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def close_year(self, year: int, tax: np.ndarray, topped: np.ndarray, gone_before: np.ndarray) -> None:
        """File the year as it enters the ledger; ``gone_before``: had left with its land in an earlier year."""
        state = self.state
        present = (state.first <= year) & ~gone_before
        self.years.append(Snapshot(year, tax.copy(), state.land.copy(), state.above.copy(), present, topped.copy()))


def dated(rng: np.random.Generator, start: str, end: str) -> pd.Timestamp:
    """Return one date from ``start`` to ``end``, both inclusive."""
    low = pd.Timestamp(start)
    return low + pd.Timedelta(days=int(rng.integers(0, (pd.Timestamp(end) - low).days + 1)))
