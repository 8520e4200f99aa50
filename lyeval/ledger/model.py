"""The ledger as it is handed on: canonical tables, what was told while reading, and where it came from (台账)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import DATES, FLAGS, NUMERIC, SHEETS, of_sheet
from lyeval.ledger.faults import Fault

PLACE = ("source_file", "source_sheet", "source_row")


@dataclass(frozen=True)
class Source:
    """One file read: its name without folder, the SHA-256 of its bytes, and its kind (``xlsx``, ``csv`` …)."""

    name: str
    sha256: str
    kind: str


def empty(sheet: str) -> pd.DataFrame:
    """Return the frame of an absent sheet: no rows, its key columns and the place of each row."""
    keys = {name: pd.Series(dtype=dtype_of(sheet, name)) for name in SHEETS[sheet][1]}
    place = {"source_file": "str", "source_sheet": "str", "source_row": "int64"}
    return pd.DataFrame(keys | {name: pd.Series(dtype=kind) for name, kind in place.items()})


def each(rows: pd.DataFrame) -> Iterator[Any]:
    """Go through rows: tuples with a field named after each column, of whatever type that holds."""
    return iter(rows.itertuples(index=False))


def dtype_of(sheet: str, name: str) -> str:
    """Return the pandas dtype of a canonical column."""
    kind = of_sheet("enterprises" if name == "credit_code" else sheet)[name].kind
    if kind in NUMERIC:
        return "float64"
    if kind in ("year", "month"):
        return "int64"
    return "boolean" if kind in FLAGS else "datetime64[us]" if kind in DATES else "str"


@dataclass(frozen=True, eq=False)
class Ledger:
    """A county's or city's ledger, mapped, converted and checked.

    Each frame holds the columns that the file had, under canonical names and in canonical units, sorted by its keys;
    an absent sheet is an empty frame. Text is missing as NaN, figures as NaN, flags as ``pd.NA``, dates as NaT.

    Attributes
    ----------
    enterprises : DataFrame
        One row per ``credit_code`` (企业).
    annual : DataFrame
        One row per ``credit_code`` and ``year`` (年度).
    monthly, tax_items, disposals, process, blocks, issues, papers, counties : DataFrame
        The optional sheets.
    faults : tuple of Fault
        What was told while reading; errors never get here, they raise ``LedgerError``.
    sources : tuple of Source
        The files read.
    synthetic : str or None
        The note of a made ledger (样例), to be shown wherever its figures are.

    Examples
    --------
    >>> ledger
    <Ledger zhoushan-shengsi.xlsx: 60 enterprises, ... annual rows, 2017–2020>
    >>> ledger.annual["year"].unique().tolist()
    [2017, 2018, 2019, 2020]
    """

    enterprises: pd.DataFrame
    annual: pd.DataFrame
    monthly: pd.DataFrame = field(default_factory=lambda: empty("monthly"))
    tax_items: pd.DataFrame = field(default_factory=lambda: empty("tax_items"))
    disposals: pd.DataFrame = field(default_factory=lambda: empty("disposals"))
    process: pd.DataFrame = field(default_factory=lambda: empty("process"))
    blocks: pd.DataFrame = field(default_factory=lambda: empty("blocks"))
    issues: pd.DataFrame = field(default_factory=lambda: empty("issues"))
    papers: pd.DataFrame = field(default_factory=lambda: empty("papers"))
    counties: pd.DataFrame = field(default_factory=lambda: empty("counties"))
    faults: tuple[Fault, ...] = ()
    sources: tuple[Source, ...] = ()
    synthetic: str | None = None
    sheets: tuple[str, ...] = ("enterprises", "annual")

    def has(self, sheet: str, column: str | None = None) -> bool:
        """Return whether the file had ``sheet``, and in it ``column``."""
        if sheet not in self.sheets:
            return False
        return column is None or column in getattr(self, sheet).columns

    @property
    def years(self) -> tuple[int, ...]:
        """The years of the annual rows, ascending."""
        return tuple(int(y) for y in np.unique(self.annual["year"].to_numpy()))

    def __repr__(self) -> str:
        years = f"{self.years[0]}–{self.years[-1]}" if self.years else "—"
        names = "、".join(source.name for source in self.sources)
        return f"<Ledger {names}: {len(self.enterprises)} enterprises, {len(self.annual)} annual rows, {years}>"
