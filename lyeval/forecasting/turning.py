"""How far a target's odds hang on the reading of a doubtful clause (口径)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import TargetView
from lyeval.ledger import Ledger
from lyeval.policy import Option, Policy, PolicyError
from lyeval.simulation.outlook import Year, members, odds, table, values

Pairs = list[tuple[TargetView, Year]]


def by_reading(
    ledger: Ledger, policy: Policy, readings: Mapping[str, str], pairs: Callable[[Mapping[str, str]], Pairs]
) -> pd.DataFrame:
    """Give each target's odds under every other option of every switch, one at a time, on the same draws.

    Parameters
    ----------
    pairs
        Lays the targets out under some readings, each with its draws.

    Returns
    -------
    DataFrame
        `READING_COLUMNS`; options that change neither who is counted nor how are left out.
    """
    central = {view.id: (view, year, _odds(view, year)) for view, year in pairs(readings)}
    rows: list[dict[str, Any]] = []
    for reading in policy.readings:
        now = readings.get(reading.id, reading.default)
        for option in (o for o in reading.options if o.id != now and testable(ledger, o)):
            try:
                other = pairs({**readings, reading.id: option.id})
            except PolicyError:
                continue
            rows += _moved(central, other, reading.id, option.id)
    order = {id: i for i, id in enumerate(central)}
    rows.sort(key=lambda row: order[row["id"]])
    return table(rows, READING_COLUMNS)


def testable(ledger: Ledger, option: Option) -> bool:
    """Tell whether the ledger holds what an option asks for."""
    needs = [need.partition(".") for need in option.needs]
    return all(sheet != "facts" and ledger.has(sheet, column or None) for sheet, _, column in needs)


def _moved(central: Mapping[str, Any], other: Pairs, switch: str, option: str) -> list[dict[str, Any]]:
    """Give the targets that an option lays out otherwise."""
    rows = []
    for view, year in other:
        if view.id not in central:
            continue
        before, before_year, was = central[view.id]
        if year is before_year and same(view, before):
            continue
        now = _odds(view, year)
        row = {"id": view.id, "year": view.year, "switch": switch, "option": option, "central": was["probability"]}
        rows.append({**row, **now})
    return rows


def same(a: TargetView, b: TargetView) -> bool:
    """Tell whether two layouts of a target count the same things in the same way."""
    return all(_equal(getattr(a, name), getattr(b, name)) for name in vars(a))


def _equal(x: Any, y: Any) -> bool:
    if not isinstance(x, np.ndarray):
        return x == y
    return x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")


def _odds(view: TargetView, year: Year) -> dict[str, Any]:
    drawn = values(members(view, year))
    found = {"probability": None, "mc_error": None, **odds(view, year, drawn[~np.isnan(drawn)])}
    return {name: found[name] for name in ("probability", "mc_error")}


READING_COLUMNS = ("id", "year", "switch", "option", "probability", "mc_error", "central")
