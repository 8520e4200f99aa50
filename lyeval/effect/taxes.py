"""Years in which the nation's tax rules changed (税制变动年份): the table that stands beside every effect."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pandas as pd

from lyeval import resources


def tax_rule_years(years: Iterable[int]) -> pd.DataFrame:
    """Return the changes of tax rules in force in any of ``years``.

    Returns
    -------
    DataFrame
        from, until (days, NaT open), rule, direction, source, note (each with ``_en``), mark, and ``years``: those of the years
        asked for that fall within. From ``parameters/assumptions/tax_rules.csv``.
    """
    asked = sorted(set(years))
    table = _table().copy()
    first, last = table["from"].dt.year, table["until"].dt.year.fillna(9999)
    table["years"] = [[y for y in asked if a <= y <= b] for a, b in zip(first, last, strict=True)]
    return table[table["years"].map(len) > 0].reset_index(drop=True)


@cache
def _table() -> pd.DataFrame:
    path = resources.path("parameters/assumptions") / "tax_rules.csv"
    return pd.read_csv(path, encoding="utf-8", parse_dates=["from", "until"])
