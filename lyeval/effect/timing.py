"""When tax is paid (入库时点): the share of November and December, and the dip at the start of the next year."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.differences import did
from lyeval.effect.frames import columns, whole_years
from lyeval.effect.result import Check, Effect, EffectError, Words, chance, number

MONTHS = 12
LATE, NEXT = (11, 12), (1, 2)


def timing(frame: pd.DataFrame, *, unit: str, time: str, month: str, tax: str, treated: str, first_year: int) -> Effect:
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

    Returns
    -------
    Effect
        ``details`` as in `did`, and dip, dip_se, dip_p (NaN where the next year is not known), left_out (unit-years
        without twelve months or with a total of zero or below), held (shares moved to 0 or 1). Checks as in `did`, and dip.

    Raises
    ------
    EffectError
        If a column is unfit, or no unit-year is whole before or after.
    """
    years, left_out, held = late_shares(frame, (unit, time, month, tax, treated))
    years["post"] = (years["year"] >= first_year).astype(float)
    found = did(years, outcome="late", unit="unit", time="year", treated="treated", post="post")
    dip = _dip(years.dropna(subset=["next"]))
    kept = {name: value for name, value in found.details.items() if name != "said"}
    details: dict[str, Any] = kept | {
        "dip": math.nan if dip is None else dip.estimate,
        "dip_se": math.nan if dip is None else dip.std_error,
        "dip_p": math.nan if dip is None else dip.p_value,
        "left_out": left_out,
        "held": held,
    }
    checks = (*found.checks, _told(found, dip))
    return replace(found, design="timing", estimand=_estimand(treated, first_year), details=details, checks=checks)


def late_shares(frame: pd.DataFrame, names: tuple[str, str, str, str, str]) -> tuple[pd.DataFrame, int, int]:
    """Return one row per whole unit-year: unit, year, treated, late and next (shares); how many were left out and held."""
    unit, time, month, tax, treated = names
    data = columns(frame, [time, month, tax, treated], [unit])
    months = whole_years(data[month], month)
    if not np.isin(months, np.arange(1, MONTHS + 1)).all():
        raise EffectError(f"{month} 应为 1 至 12 / {month} must run from 1 to 12")
    rows = pd.DataFrame(
        {"unit": data[unit], "year": whole_years(data[time], time), "treated": data[treated], "tax": data[tax]}
    )
    rows["late"] = rows["tax"].where(np.isin(months, LATE), 0.0)
    rows["next"] = rows["tax"].where(np.isin(months, NEXT), 0.0)
    years = rows.groupby(["unit", "year"], sort=True).agg(
        treated=("treated", "first"), tax=("tax", "sum"), late=("late", "sum"), next=("next", "sum"), n=("tax", "size")
    )
    years = years.reset_index()
    whole = years[(years["n"] == MONTHS) & (years["tax"] > 0)].copy()
    raw = whole["late"] / whole["tax"]
    whole["late"] = raw.clip(0.0, 1.0)
    after = whole.assign(year=whole["year"] - 1, next=(whole["next"] / whole["tax"]).clip(0.0, 1.0))
    whole = whole.drop(columns="next").merge(after[["unit", "year", "next"]], on=["unit", "year"], how="left")
    return whole, len(years) - len(whole), int((raw != raw.clip(0.0, 1.0)).sum())


def _dip(years: pd.DataFrame) -> Effect | None:
    try:
        return did(years, outcome="next", unit="unit", time="year", treated="treated", post="post")
    except EffectError:
        return None


def _told(found: Effect, dip: Effect | None) -> Check:
    """Tax that came late and is missing afterwards was moved, not raised; open where the next year is not known."""
    if dip is None:
        return Check(
            "dip", None, None, "次年一、二月尚无数据，回落无法检验", "the next January and February are not known"
        )
    moved = found.estimate > 0 and dip.estimate < 0 and dip.p_value < 0.05
    value = f"{number(dip.estimate)}"
    return Check(
        "dip",
        not moved,
        dip.estimate,
        f"次年一、二月占比变动 {value}（{chance(dip.p_value)}）" + ("：年末多缴的在次年初少缴" if moved else ""),
        f"share of the next January and February: {value} ({chance(dip.p_value)})"
        + (": what came late is missing afterwards" if moved else ""),
    )


def _estimand(treated: str, first_year: int) -> Words:
    return Words(
        f"{first_year} 年起 {treated} 者十一、十二月税收占全年比重的变动，减去其余企业的同一变动",
        f"change from {first_year} on in the share of the year's tax paid in November and December, {treated} less others",
    )
