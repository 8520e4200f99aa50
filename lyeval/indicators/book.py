"""A ledger laid out for arithmetic: one position per enterprise, columns as aligned arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from lyeval.indicators.tri import Tri
from lyeval.ledger import Ledger


@dataclass(frozen=True, eq=False)
class Book:
    """A ledger with every enterprise at a fixed position.

    Attributes
    ----------
    ledger
        The ledger as read.
    codes
        Credit codes, shape (n,), sorted.
    """

    ledger: Ledger
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def _index(self) -> pd.Index:
        return pd.Index(self.codes)

    @cached_property
    def _enterprise_order(self) -> np.ndarray:
        codes = self.ledger.enterprises["credit_code"].to_numpy(dtype=object)
        return np.arange(len(codes)) if np.array_equal(codes, self.codes) else pd.Index(codes).get_indexer(self._index)

    def positions(self, codes: pd.Series) -> np.ndarray:
        """Return the position of each credit code, shape of ``codes``; -1 where the ledger has no such enterprise."""
        numbers, distinct = pd.factorize(codes)
        return self._index.get_indexer(pd.Index(distinct.to_numpy(dtype=object)))[numbers]

    @cached_property
    def _annual_positions(self) -> np.ndarray:
        return self.positions(self.ledger.annual["credit_code"])

    @cached_property
    def years(self) -> tuple[int, ...]:
        """The years that the ledger has annual rows for, ascending."""
        return tuple(sorted(int(y) for y in pd.unique(self.ledger.annual["year"])))

    def has(self, sheet: str, column: str | None = None) -> bool:
        """Tell whether the ledger's files had that sheet, or that column of it."""
        return self.ledger.has(sheet, column)

    @lru_cache(maxsize=128)  # noqa: B019 - a book lives as long as its ledger
    def filled(self, column: str) -> bool:
        """Tell whether any enterprise, in any year, has something in a column of ``enterprises`` or ``annual``."""
        sheets = [getattr(self.ledger, sheet) for sheet in ("enterprises", "annual") if self.has(sheet, column)]
        return any(bool(sheet[column].notna().any()) for sheet in sheets)

    @lru_cache(maxsize=64)  # noqa: B019
    def rows(self, year: int) -> np.ndarray:
        """Return for each enterprise the row of ``annual`` that holds ``year``, shape (n,); -1 where there is none."""
        out = np.full(len(self), -1)
        at = np.flatnonzero(self.ledger.annual["year"].to_numpy() == year)
        out[self._annual_positions[at]] = at
        return out

    @lru_cache(maxsize=1024)  # noqa: B019
    def annual(self, column: str, year: int) -> np.ndarray:
        """Return a number column of one year, shape (n,), NaN where unknown or absent."""
        return _take(self._annual_column(column), self.rows(year))

    @lru_cache(maxsize=256)  # noqa: B019
    def _annual_column(self, column: str) -> np.ndarray:
        frame = self.ledger.annual
        if column not in frame:
            return np.full(len(frame), np.nan)
        return frame[column].to_numpy(dtype=float, na_value=np.nan)

    @lru_cache(maxsize=1024)  # noqa: B019
    def annual_flag(self, column: str, year: int) -> Tri:
        """Return a yearly flag, shape (n,); a blank, an absent row and an absent column are unknown."""
        values = self.annual(column, year)
        return Tri(values == 1, values == 0)

    def annual_text(self, column: str, year: int) -> np.ndarray:
        """Return a text column of one year, shape (n,), "" where blank or absent."""
        rows, frame = self.rows(year), self.ledger.annual
        if column not in frame or not len(frame):
            return np.full(len(self), "", dtype=object)
        return np.where(rows >= 0, frame[column].to_numpy(dtype=object, na_value="")[rows], "")

    @lru_cache(maxsize=256)  # noqa: B019
    def last_known(self, column: str, year: int) -> np.ndarray:
        """Return each enterprise's latest known figure of any year up to ``year``, shape (n,)."""
        out = np.full(len(self), np.nan)
        for y in (y for y in self.years if y <= year):
            now = self.annual(column, y)
            out = np.where(np.isnan(now), out, now)
        return out

    def number(self, column: str) -> np.ndarray:
        """Return a number column of ``enterprises``, shape (n,), NaN where blank or absent."""
        return self._enterprise(column, float, np.nan)

    @lru_cache(maxsize=128)  # noqa: B019
    def _enterprise(self, column: str, dtype: Any, missing: str | float) -> np.ndarray:
        frame = self.ledger.enterprises
        if column not in frame:
            return np.full(len(self), missing, dtype=dtype)
        return frame[column].to_numpy(dtype=dtype, na_value=missing)[self._enterprise_order]

    def text(self, column: str) -> np.ndarray:
        """Return a text column of ``enterprises``, shape (n,), "" where blank or absent."""
        return self._enterprise(column, object, "")

    @lru_cache(maxsize=128)  # noqa: B019
    def date(self, column: str) -> np.ndarray:
        """Return a date column of ``enterprises`` as days, shape (n,), NaT where blank or absent."""
        frame = self.ledger.enterprises
        if column not in frame:
            return np.full(len(self), np.datetime64("NaT"), dtype="datetime64[D]")
        return frame[column].to_numpy(dtype="datetime64[D]")[self._enterprise_order]

    def flag(self, column: str) -> Tri:
        """Return a flag of ``enterprises``: a blank is no; a column that is not there is unknown."""
        if not self.has("enterprises", column):
            return Tri.all(len(self), None)
        return Tri.of(self._enterprise(column, float, np.nan) == 1)

    @lru_cache(maxsize=64)  # noqa: B019
    def monthly_sum(self, year: int, through: int) -> np.ndarray:
        """Return the tax paid in months 1 to ``through`` of ``year``, 万元, shape (n,); NaN without any month."""
        frame = self.ledger.monthly
        if "tax_wan" not in frame:
            return np.full(len(self), np.nan)
        at = (frame["year"] == year) & (frame["month"] <= through)
        part = frame[at]
        sums, seen = np.zeros(len(self)), np.zeros(len(self), dtype=int)
        where = self.positions(part["credit_code"])
        values = part["tax_wan"].to_numpy(dtype=float, na_value=np.nan)
        np.add.at(sums, where, values)
        np.add.at(seen, where, 1)
        return np.where(seen > 0, sums, np.nan)

    def items_sum(self, year: int, weights: pd.Series) -> np.ndarray:
        """Return Σ weight × amount of the year's ``tax_items``, 万元, shape (n,).

        Parameters
        ----------
        weights
            One coefficient for each row of ``tax_items``.
        """
        frame = self.ledger.tax_items
        at = (frame["year"] == year).to_numpy()
        out = np.zeros(len(self))
        part = frame.loc[at]
        amounts = part["amount_wan"].to_numpy(dtype=float, na_value=np.nan) * weights.to_numpy()[at]
        np.add.at(out, self.positions(part["credit_code"]), amounts)
        return out


def _take(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Take ``values`` at ``rows``; NaN where the row is -1."""
    if len(values) == 0:
        return np.full(len(rows), np.nan)
    return np.where(rows >= 0, values[rows], np.nan)


@lru_cache(maxsize=8)
def book(ledger: Ledger) -> Book:
    """Lay out a ledger for arithmetic (once per ledger)."""
    return Book(ledger, np.sort(ledger.enterprises["credit_code"].to_numpy(dtype=object)))
