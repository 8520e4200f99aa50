"""When tax is paid (入库时点): the share of November and December, the dip after; years in which the nation's rules changed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from lyeval import resources
from lyeval.effect.differences import did
from lyeval.effect.estimate import Check, Effect, EffectError, check, error, told
from lyeval.effect.frames import columns, whole_years

MONTHS = 12
LATE, NEXT = (11, 12), (1, 2)


def timing(
    frame: pd.DataFrame,
    *,
    unit: str,
    time: str,
    month: str,
    tax: str,
    treated: str,
    first_year: int,
    cluster: str | None = None,
    level: float = 0.95,
) -> Effect:
    """Measure whether tax moved to the end of the year (年末集中入库).

    The outcome is (November + December) / the year's tax, of unit-years with twelve months and a total above zero, held to
    0–1; the estimate is a difference in differences with unit and year effects. The dip is the same for January + February
    of the *next* year over that year's tax: what was only brought forward is missing there.

    Parameters
    ----------
    frame
        One row per unit, year and month.
    treated
        Column 0/1, fixed for a unit.
    first_year
        First year with the target in force.
    cluster, level
        As in `did`.

    Returns
    -------
    Effect
        ``details`` as in `did`, and dip, dip_se, dip_p (NaN where the next year is not known), left_out (unit-years
        without twelve months or with a total of zero or below), held (shares moved to 0 or 1). Checks as in `did`, and dip.

    Raises
    ------
    EffectError
        If a column is unfit, or no unit-year is whole before or after.

    Examples
    --------
    >>> from lyeval import effect
    >>> asked = {"unit": "firm", "time": "year", "month": "month", "tax": "tax", "treated": "listed", "first_year": 2021}
    >>> found = effect.timing(effect.example("months"), **asked)
    >>> found.low < 0 < found.high, found.checks[-1].name
    (True, 'dip')
    """
    years, left_out, held = late_shares(frame, (unit, time, month, tax, treated), cluster)
    years["post"] = (years["year"] >= first_year).astype(float)
    asked: dict[str, Any] = {"cluster": cluster and "cluster", "level": level}
    found = did(years, outcome="late", unit="unit", time="year", treated="treated", post="post", **asked)
    try:
        late = years.dropna(subset=["next"])
        dip = did(late, outcome="next", unit="unit", time="year", treated="treated", post="post", **asked)
    except EffectError:
        dip = None
    kept = {name: value for name, value in found.details.items() if name != "said"}
    details: dict[str, Any] = kept | {
        "dip": math.nan if dip is None else dip.estimate,
        "dip_se": math.nan if dip is None else dip.std_error,
        "dip_p": math.nan if dip is None else dip.p_value,
        "left_out": left_out,
        "held": held,
    }
    checks = (*found.checks, _told(found, dip))
    return replace(
        found,
        design="timing",
        estimand=told("timing", treated=treated, first=first_year),
        details=details,
        checks=checks,
    )


def late_shares(
    frame: pd.DataFrame, names: tuple[str, str, str, str, str], cluster: str | None = None
) -> tuple[pd.DataFrame, int, int]:
    """Return one row per whole unit-year: unit, year, treated, late and next (shares); how many were left out and
    held.
    """
    unit, time, month, tax, treated = names
    data = columns(frame, [time, month, tax, treated], [unit, *([cluster] if cluster else [])])
    months = whole_years(data[month], month)
    if not np.isin(months, np.arange(1, MONTHS + 1)).all():
        raise error("not_months", month=month)
    rows = pd.DataFrame(
        {"unit": data[unit], "year": whole_years(data[time], time), "treated": data[treated], "tax": data[tax]}
    )
    rows["cluster"] = data[cluster] if cluster else data[unit]
    if rows.assign(month=months).duplicated(["unit", "year", "month"]).any():
        raise error("repeated", unit=unit, time=month)
    rows["late"] = rows["tax"].where(np.isin(months, LATE), 0.0)
    rows["next"] = rows["tax"].where(np.isin(months, NEXT), 0.0)
    sums = {name: (name, "sum") for name in ("tax", "late", "next")}
    first = {name: (name, "first") for name in ("treated", "cluster")}
    years = rows.groupby(["unit", "year"], sort=True).agg(n=("tax", "size"), **first, **sums).reset_index()
    whole = years[(years["n"] == MONTHS) & (years["tax"] > 0)].copy()
    raw = whole["late"] / whole["tax"]
    whole["late"] = raw.clip(0.0, 1.0)
    after = whole.assign(year=whole["year"] - 1, next=(whole["next"] / whole["tax"]).clip(0.0, 1.0))
    whole = whole.drop(columns="next").merge(after[["unit", "year", "next"]], on=["unit", "year"], how="left")
    return whole, len(years) - len(whole), int((raw != raw.clip(0.0, 1.0)).sum())


def _told(found: Effect, dip: Effect | None) -> Check:
    """Tax that came late and is missing afterwards was moved, not raised; open where the next year is not known."""
    if dip is None:
        return check("dip", None, None, "no_dip")
    moved = found.estimate > 0 and dip.estimate < 0 and dip.p_value < 0.05
    return check("dip", not moved, dip.estimate, "dip_moved" if moved else "dip", value=dip.estimate, p=dip.p_value)


def tax_rule_years(years: Iterable[int]) -> pd.DataFrame:
    """Return the changes of tax rules in force in any of ``years``.

    Returns
    -------
    DataFrame
        from, until (days, NaT open), rule, direction, source, note (each with ``_en``), mark, and ``years``: those of the years
        asked for that fall within. From ``parameters/assumptions/tax_rules.csv``.

    Examples
    --------
    >>> from lyeval import effect
    >>> effect.tax_rule_years([2019])["rule_en"].to_list()
    ['VAT rates cut from 16 to 13 % and from 10 to 9 %']
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
