"""Where the listed are: by county, township, two-digit industry and class; and what their land comes to."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = [
    "n", "listed", "listed_above", "listed_below", "undetermined", "land_mu", "listed_land_mu", "tax_wan", "taxed_land_mu",
    "tax_per_mu",
]  # fmt: skip


def pick(frame: pd.DataFrame, keep: Iterable[bool]) -> pd.DataFrame:
    """Return the rows to keep, one truth value a row."""
    return frame.loc[np.fromiter(keep, dtype=bool, count=len(frame))]


def here(enterprises: pd.DataFrame) -> pd.DataFrame:
    """Return the enterprises that are in scope for certain and not known to be gone by the year's end."""
    scope, gone = enterprises["in_scope"], enterprises["gone"]
    return pick(enterprises, (str(a) == "True" and str(b) != "True" for a, b in zip(scope, gone, strict=True)))


def spread(enterprises: pd.DataFrame, column: str) -> pd.DataFrame:
    """Sum the enterprises in scope and still here by a column (township, industry, county, class).

    Returns
    -------
    DataFrame
        The column, n, listed (and of them by class), undetermined, land_mu, listed_land_mu, tax_wan, taxed_land_mu and tax_per_mu
        (Σ tax / Σ land over those with both known, 万元/亩), most listed land first; blank names stand as "".
    """
    rows = here(enterprises)
    keys = [v if isinstance(v, str) else "" for v in rows[column]]
    out = [{column: key, **_sums(pick(rows, [k == key for k in keys]))} for key in sorted(set(keys))]
    table = pd.DataFrame(out, columns=[column, *COLUMNS])
    return table.sort_values(
        ["listed_land_mu", "land_mu", column], ascending=[False, False, True], kind="stable", ignore_index=True
    )


def _sums(rows: pd.DataFrame) -> dict[str, object]:
    listed = rows[rows["listed"]]
    both = rows[rows["tax_wan"].notna() & rows["land_mu"].notna()]
    tax, land = float(both["tax_wan"].sum()), float(both["land_mu"].sum())
    return {
        "n": len(rows), "listed": len(listed), "listed_above": int((listed["class"] == "above").sum()),
        "listed_below": int((listed["class"] == "below").sum()),
        "undetermined": int(rows["identified"].isna().sum()),
        "land_mu": float(rows["land_mu"].sum()), "listed_land_mu": float(listed["land_mu"].sum()), "tax_wan": tax,
        "taxed_land_mu": land, "tax_per_mu": tax / land if land > 0 else None,
    }  # fmt: skip


@cache
def industries() -> dict[str, tuple[str, str]]:
    """Return the names (zh, en) of the industrial divisions of GB/T 4754 by their two digits."""
    with Path(__file__).with_name("industries.csv").open(encoding="utf-8", newline="") as file:
        return {row[0]: (row[1], row[2]) for row in list(csv.reader(file))[1:]}


def industry_name(code: str, lang: str = "zh") -> str:
    """Return a division's name; the code itself where it is not one."""
    names = industries().get(code)
    return code if names is None else names[lang == "en"]
