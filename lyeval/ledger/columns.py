"""The columns of a ledger as data: one row of ``columns.csv`` per canonical column of a sheet.

Each row says all that is known of the column: the sheet, the canonical name, the kind of value, the canonical unit, the Chinese
and English label, the headings under which offices write it (a leading ``!`` marks one that is taken with a warning), the
look-alikes that are not the column, who owes it, whether it is expected to be filled, how the survey form calls it, which other
unit is mistaken for its own, and the words of a remark that speak of it.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

NUMERIC = ("amount", "quantity", "share")
DATES = ("date_from", "date_to")
FLAGS = ("flag", "reason", "scale", "below")


@dataclass(frozen=True)
class Slip:
    """A mistaken unit: its name, its ratio to the right one, how far a step may be off it, the largest median of any county."""

    unit: str
    ratio: float
    spread: float
    median: float | None = None


@dataclass(frozen=True)
class Column:
    """One canonical column (标准列) of one sheet.

    Attributes
    ----------
    sheet, name : str
        Canonical names, e.g. ``annual`` and ``tax_wan``.
    kind : str
        ``amount`` (a number of either sign), ``quantity`` (not negative), ``share`` (fraction of 1), ``year``,
        ``month``, ``date_from`` and ``date_to`` (a bare year means 1 January, 31 December), ``flag``, ``reason``,
        ``scale``, ``below``, ``code``, ``org``, ``text``, ``label`` (a name), ``grade``, ``method``, ``outcome``, ``flow`` or ``carried``.
    unit : str
        Canonical unit; empty when the values have none.
    zh, en : str
        Labels, both accepted as headings.
    variants, refuse : tuple of str
        Other headings accepted; headings that look like the column and are not.
    owner : str
        The department that answers for it, an id of `coverage.DEPARTMENTS`.
    expected : bool
        Whether a blank is a gap; elsewhere it says no, none or not yet.
    form : tuple of str
        Labels of its field on the survey form; ``("yes",)`` for its own headings; empty where the form has none.
    slip : Slip or None
        The unit that is mistaken for its own.
    remarks : tuple of str
        Words of a remark (备注) that speak of it.
    """

    sheet: str
    name: str
    kind: str
    unit: str
    zh: str
    en: str
    variants: tuple[str, ...]
    refuse: tuple[str, ...]
    owner: str = ""
    expected: bool = False
    form: tuple[str, ...] = ()
    slip: Slip | None = None
    remarks: tuple[str, ...] = ()

    def label(self, lang: str = "zh") -> str:
        """Return the label in ``lang``."""
        return self.zh if lang == "zh" else self.en


def _load() -> tuple[Column, ...]:
    """Read ``columns.csv``, which stands beside this module."""
    with Path(__file__).with_name("columns.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(_column(row) for row in rows)


def _column(row: dict[str, str]) -> Column:
    """Return the column of one row."""
    plain: dict[str, Any] = {name: row[name] for name in ("sheet", "kind", "unit", "zh", "en", "owner")}
    lists: dict[str, Any] = {name: tuple(row[name].split()) for name in ("variants", "refuse", "form", "remarks")}
    unit, *figures = row["slip"].split() or [""]
    slip = Slip(unit, *(float(Fraction(figure)) for figure in figures)) if unit else None
    return Column(name=row["column"], expected=row["expected"] == "yes", slip=slip, **plain, **lists)


@cache
def of_sheet(sheet: str) -> dict[str, Column]:
    """Return the columns of ``sheet`` by canonical name, in the table's order."""
    return {column.name: column for column in COLUMNS if column.sheet == sheet}


SHEETS = {
    "enterprises": ("企业", ("credit_code",)),
    "annual": ("年度", ("credit_code", "year")),
    "monthly": ("月度", ("credit_code", "year", "month")),
    "tax_items": ("税项", ("credit_code", "year")),
    "disposals": ("处置", ("credit_code",)),
    "process": ("流程", ("credit_code",)),
    "blocks": ("区块", ("block",)),
    "issues": ("问题清单", ("credit_code",)),
    "papers": ("材料", ("credit_code",)),
    "counties": ("县区", ("county", "year")),
}
COLUMNS = _load()
