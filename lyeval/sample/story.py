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

    def close_year(self, year: int, paid: tuple[np.ndarray, np.ndarray], before: np.ndarray) -> None:
        """File the year for the ledger; ``paid``: tax and late top-ups, 万元; ``before``: status at its start."""
        state, (tax, topped) = self.state, paid
        present = (state.first <= year) & (before < 2)
        works = present & (before == 0) & (state.tax_from <= year) & (year <= state.tax_until)
        land, above = state.land.copy(), state.above.copy()
        self.years.append(Snapshot(year, tax.copy(), land, above, present, works, topped.copy()))


def dated(rng: np.random.Generator, start: str, end: str) -> pd.Timestamp:
    """Return one date from ``start`` to ``end``, both inclusive."""
    low = pd.Timestamp(start)
    return low + pd.Timedelta(days=int(rng.integers(0, (pd.Timestamp(end) - low).days + 1)))
