"""The columns of a ledger as data: one row of ``columns.csv`` per canonical column of a sheet.

Each row gives the sheet, the canonical name, the kind of value, the canonical unit, the Chinese and English label,
the headings under which offices write it (a leading ``!`` marks one that is taken with a warning) and the look-alikes
that are not the column.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

NUMERIC = ("amount", "quantity", "share")
DATES = ("date_from", "date_to")
FLAGS = ("flag", "reason", "scale", "below")


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
    """

    sheet: str
    name: str
    kind: str
    unit: str
    zh: str
    en: str
    variants: tuple[str, ...]
    refuse: tuple[str, ...]

    def label(self, lang: str = "zh") -> str:
        """Return the label in ``lang``."""
        return self.zh if lang == "zh" else self.en


def _load() -> tuple[Column, ...]:
    """Read ``columns.csv``, which stands beside this module."""
    with Path(__file__).with_name("columns.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    return tuple(Column(*row[:6], variants=tuple(row[6].split()), refuse=tuple(row[7].split())) for row in rows)


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
