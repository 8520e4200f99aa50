"""Facts of an enterprise that no year changes: land and building dates, contract figures, flags, exclusions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lyeval.sample.panel import NEVER, State
from lyeval.sample.places import Place

VIOLATIONS = (
    "violation_safety",
    "violation_environment",
    "violation_energy",
    "violation_quality",
    "violation_land",
    "violation_building",
    "violation_fire",
)
DAY = np.timedelta64(1, "D")


def day(year: int, month: int, dom: int) -> pd.Timestamp:
    """Return a date."""
    return pd.Timestamp(year=year, month=month, day=dom)


def days(start: str, end: str, rng: np.random.Generator, n: int) -> NDArray[np.datetime64]:
    """Return ``n`` dates drawn evenly from ``start`` to ``end``, both inclusive, datetime64[D]."""
    low, high = np.datetime64(start, "D"), np.datetime64(end, "D")
    return low + rng.integers(0, (high - low) // DAY + 1, n) * DAY


def common(place: Place, firms: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the enterprises' frame with dates of land and building, parks, location and violation flags, n rows."""
    n = len(firms)
    acquired = days("2001-03-01", "2015-11-30", rng, n)
    agreed = acquired + rng.integers(420, 760, n) * DAY
    completed = agreed - rng.integers(-60, 200, n) * DAY
    frame = firms[["credit_code", "name", "county", "township"]].copy()
    in_park = rng.random(n) < 0.45
    park = np.array(PARKS[place.policy], dtype=object)[rng.integers(0, len(PARKS[place.policy]), n)]
    park[~in_park] = None
    frame["park"] = park
    seat = place.townships[0][0] if place.policy == "linshu-2021" else place.townships[-1][0]
    frame["location"] = np.where(firms["township"] == seat, "县城", np.where(in_park, "工矿区", "建制镇"))
    frame["industry_code"] = firms["industry_code"].to_numpy()
    frame["land_acquired"] = pd.to_datetime(acquired)
    frame["contract_completion"] = pd.to_datetime(agreed)
    frame["completed"] = pd.to_datetime(completed)
    frame["production_start"] = pd.to_datetime(completed + rng.integers(30, 300, n) * DAY)
    frame["stopped_since"] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    for name in VIOLATIONS:
        frame[name] = rng.random(n) < 0.025
    frame["zombie"] = False
    return frame


def zhoushan(place: Place, firms: pd.DataFrame, state: State, rng: np.random.Generator) -> pd.DataFrame:
    """Return the facts that Zhoushan's plan asks for: public good, protected new land, 低散乱, shocks."""
    frame, n = common(place, firms, rng), len(firms)
    frame["public_good"] = firms["mark"].to_numpy() == "public"
    fresh = np.flatnonzero((rng.random(n) < 0.05) & ~frame["public_good"].to_numpy(bool))
    frame["protected_until"] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    for order, i in enumerate(fresh):
        until = day(*PROTECTED[order % len(PROTECTED)])
        start = until - pd.DateOffset(years=3)
        state.first[i] = min(start.year, 2019)
        dates = [
            start,
            start + pd.DateOffset(months=10),
            start + pd.DateOffset(months=9),
            start + pd.DateOffset(months=12),
        ]
        frame.loc[i, ["land_acquired", "contract_completion", "completed", "production_start"]] = dates
        frame.loc[i, "protected_until"] = until
        state.mean[i] -= 1.0
    frame["shock_hit"] = rng.random(n) < 0.09
    frame["scattered"] = (rng.random(n) < 0.12) & (firms["land_mu"].to_numpy() < 15)
    frame["rectified_without_effect"] = False
    frame["viable"] = pd.Series(pd.NA, index=frame.index, dtype="boolean")
    return frame


def linshu(place: Place, firms: pd.DataFrame, state: State, rng: np.random.Generator) -> pd.DataFrame:
    """Return the facts that Linshu's plan asks for; plants being built, overdue, stopped or never opened are placed."""
    frame, n = common(place, firms, rng), len(firms)
    mark = firms["mark"].to_numpy()
    frame["exempt_industry"] = (mark == "exempt") | ((mark == "half") & (rng.random(n) < 0.45))
    frame["statutory_excuse"] = False
    free = np.flatnonzero(~firms["above"] & ~firms["tiny"] & ~frame["exempt_industry"])
    chosen = rng.permutation(free)
    start = 0
    for kind, share in KINDS:
        count = round(share * n)
        for order, i in enumerate(chosen[start : start + count].tolist()):
            _place_kind(frame, state, i, kind, order)
        start += count
    _contracts(frame, state, rng)
    for name in PRECONDITIONS:
        frame[name] = pd.Series(pd.NA, index=frame.index, dtype="boolean")
    frame["partner_grade"] = pd.Series(None, index=frame.index, dtype="str")
    for name in (
        "rectified_without_effect",
        "agreement_breached",
        "no_feasible_method",
        "listed_by_task_force",
        "contract_overrides",
    ):
        frame[name] = False
    return frame


def _place_kind(frame: pd.DataFrame, state: State, i: int, kind: str, order: int) -> None:
    """Make firm ``i`` a plant under construction, overdue, stopped or completed without production."""
    columns = ["land_acquired", "contract_completion", "completed", "production_start"]
    month = 3 + order % 8
    if kind in ("building_2020", "building_2022"):
        year = int(kind[-4:])
        frame.loc[i, columns] = [
            day(year, month, 12),
            day(year + 2, 6, 30),
            day(year + 2, 4, 2 + month),
            day(year + 2, 9, 5),
        ]
        state.first[i], state.tax_from[i] = year, year + 2
        state.mean[i] += 1.2
    elif kind == "overdue":
        frame.loc[i, columns] = [day(2017, month, 20), day(2019, 6, 30), pd.NaT, pd.NaT]
        frame.loc[i, "statutory_excuse"] = order == 0
        state.first[i], state.tax_from[i] = 2017, NEVER
    elif kind == "stopped":
        frame.loc[i, "stopped_since"] = day(2018 + order % 2, month, 15)
        frame.loc[i, "zombie"] = order % 2 == 0
        state.tax_until[i] = 2017 + order % 2
    else:
        frame.loc[i, columns] = [day(2016, month, 8), day(2018, 6, 30), day(2018, 5, 20), pd.NaT]
        state.first[i], state.tax_from[i] = 2016, NEVER


def _contracts(frame: pd.DataFrame, state: State, rng: np.random.Generator) -> None:
    """Add agreed and actual controls (万元/亩, shares, ratio) and, for some, an agreed tax per mu (万元/亩).

    Only enterprises that start below 3 万元/亩 may fall short of an agreed figure.
    """
    n, level = len(frame), np.exp(state.mean + state.dev)
    short, written = (rng.random((n, 3)) < 0.04) & (level < 3.0)[:, None], rng.random(n) < 0.6
    for column, (name, low, high) in enumerate(CONTROLS):
        agreed = np.round(rng.uniform(low, high, n), 2)
        factor = np.where(short[:, column], rng.uniform(0.7, 0.95, n), rng.uniform(1.0, 1.5, n))
        frame[f"contract_{name}"] = np.where(written, agreed, np.nan)
        frame[f"actual_{name}"] = np.round(agreed * factor, 2)
    has_tax = rng.random(n) < 0.10
    promised = np.clip(level * rng.uniform(0.35, 1.15, n) * np.where(level < 3.0, 1.0, 0.4), 0.5, 15.0)
    frame["contract_tax_per_mu"] = np.where(has_tax, np.round(promised, 1), np.nan)


PARKS = {
    "zhoushan-2020": ("城郊小微企业园", "临港工业园", "海洋产业园"),
    "linshu-2021": ("经济开发区", "第一园区", "第二园区", "第三园区"),
}
PROTECTED = (
    (2021, 5, 31),
    (2020, 9, 30),
    (2020, 3, 15),
    (2022, 3, 31),
    (2019, 10, 31),
    (2021, 11, 30),
    (2020, 12, 31),
)
KINDS = (
    ("building_2020", 0.010),
    ("building_2022", 0.010),
    ("overdue", 0.008),
    ("stopped", 0.015),
    ("unopened", 0.006),
)
PRECONDITIONS = (
    "supplementary_agreement_signed",
    "has_long_idle_land",
    "existing_land_meets_production",
    "mortgagee_consents",
    "split_feasible",
    "transferee_meets_plan_and_access",
    "partner_energy_intensive",
    "partner_meets_industry_access",
    "partner_output_clearly_higher",
    "cannot_develop_soon",
    "cannot_meet_benefit_soon",
)
CONTROLS = (("investment_intensity", 120.0, 240.0), ("building_density", 0.35, 0.5), ("plot_ratio", 0.8, 1.2))
