"""Facts of an enterprise that no year changes: land and building dates, contract figures, flags, exclusions.

Which facts a ledger has is said by ``programmes.yaml`` and by the plan: whatever column of the enterprises its rules read is made,
in the way that ``needed`` names or as its kind allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment.needs import needs
from lyeval.ledger.columns import DATES, FLAGS, NUMERIC, of_sheet
from lyeval.sample.county import data
from lyeval.sample.story import NEVER, Story

VIOLATIONS: dict[str, list[str]] = data("sheets")["violations"]
DAY = np.timedelta64(1, "D")
BUILT = ["land_acquired", "contract_completion", "completed", "production_start"]
KINDS = {"building": 0.010, "building_later": 0.010, "overdue": 0.008, "stopped": 0.015, "unopened": 0.006}
CONTROLS = {"investment_intensity": (120.0, 240.0), "building_density": (0.35, 0.5), "plot_ratio": (0.8, 1.2)}


def profile(story: Story) -> pd.DataFrame:
    """Return the enterprises' sheet, n rows; plants that are being built, stopped or new are placed in ``story.state``."""
    rng, programme = story.stream(3), story.place.programme
    frame = story.facts = _common(story, rng)
    recipe = dict(programme["facts"])
    for name, kinds in asked(story, "enterprises").items():
        usual = None if kinds == {"method"} else ...
        recipe.setdefault(name, programme["needed"].get(name, usual))
    for name, rule in recipe.items():
        if isinstance(rule, str):
            SPECIAL[rule](story, frame, rng)
        elif name not in frame:
            frame[name] = _drawn(story, name, rule, rng)
    for name in frame.columns:
        if of_sheet("enterprises")[name].kind in FLAGS:
            frame[name] = frame[name].astype("boolean")
    return frame


def asked(story: Story, sheet: str) -> dict[str, set[str]]:
    """Return the columns of a sheet that the plan's rules read, each with the kinds of rules (target, method …).

    A programme that names all its facts itself (``asks: false``) is asked for none.
    """
    if not story.place.programme["asks"]:
        return {}
    wanted = needs(story.plan)
    wanted = wanted[(wanted["sheet"] == sheet) & (wanted["column"] != "")]
    return {str(name): set(rows["kind"]) for name, rows in wanted.groupby("column", sort=False)}


def made_up(sheet: str, name: str, n: int, rng: np.random.Generator) -> pd.Series:
    """Draw a column by its kind alone: few flags, round figures, dates of twenty years, no text."""
    kind = of_sheet(sheet)[name].kind
    if kind in FLAGS:
        return pd.Series(rng.random(n) < 0.06)
    if kind in NUMERIC:
        return pd.Series(np.round(rng.uniform(0, 1, n) if kind == "share" else np.exp(rng.normal(3.0, 1.0, n)), 2))
    if kind in DATES:
        return pd.Series(pd.to_datetime(_days("2001-01-01", "2020-12-31", rng, n)))
    return pd.Series(None, index=range(n), dtype="str")


def _drawn(story: Story, name: str, rule: Any, rng: np.random.Generator) -> Any:
    """Return a column by its rule: a flag for all, a share of firms, by the industry's mark, blank, or (…) by its kind."""
    n, firms = len(story.firms), story.firms
    if rule is ...:
        return made_up("enterprises", name, n, rng)
    if rule is None:
        return pd.Series(pd.NA, index=firms.index, dtype=object)
    if isinstance(rule, bool):
        return rule
    if not isinstance(rule, Mapping):
        return rng.random(n) < rule
    if "under_mu" in rule:
        return (rng.random(n) < rule["share"]) & (firms["land_mu"].to_numpy() < rule["under_mu"])
    marked = firms["mark"].isin(rule["mark"]).to_numpy()
    return (
        marked | ((firms["mark"].to_numpy() == "half") & (rng.random(n) < rule["half"])) if "half" in rule else marked
    )


def _days(start: str, end: str, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return ``n`` dates drawn evenly from ``start`` to ``end``, both inclusive, datetime64[D]."""
    low, high = np.datetime64(start, "D"), np.datetime64(end, "D")
    return low + rng.integers(0, (high - low) // DAY + 1, n) * DAY


def _common(story: Story, rng: np.random.Generator) -> pd.DataFrame:
    """Return the enterprises with dates of land and building, parks, location and violation flags."""
    firms, programme, n = story.firms, story.place.programme, len(story.firms)
    acquired = _days("2001-03-01", "2015-11-30", rng, n)
    agreed = acquired + rng.integers(420, 760, n) * DAY
    completed = agreed - rng.integers(-60, 200, n) * DAY
    frame = firms[["credit_code", "name", "county", "township"]].copy()
    in_park = rng.random(n) < 0.45
    park = np.array(programme["parks"], dtype=object)[rng.integers(0, len(programme["parks"]), n)]
    park[~in_park] = None
    frame["park"] = park
    seat = story.place.townships[programme["seat"]][0]
    frame["location"] = np.where(firms["township"] == seat, "县城", np.where(in_park, "工矿区", "建制镇"))
    frame["industry_code"] = firms["industry_code"].to_numpy()
    started = completed + rng.integers(30, 300, n) * DAY
    for name, days in zip(BUILT, (acquired, agreed, completed, started), strict=True):
        frame[name] = pd.to_datetime(pd.Series(days))
    frame["stopped_since"] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    for name in VIOLATIONS:
        frame[name] = rng.random(n) < 0.025
    frame["zombie"] = False
    return frame


def _protected(story: Story, frame: pd.DataFrame, rng: np.random.Generator) -> None:
    """Place new land under protection (保护期) with plants that have just started."""
    state, ends = story.state, story.place.programme["protected_ends"]
    frame["protected_until"] = pd.Series(pd.NaT, index=frame.index, dtype="datetime64[ns]")
    fresh = np.flatnonzero((rng.random(len(frame)) < 0.05) & ~story.flag("public_good"))
    for order, i in enumerate(fresh):
        after, month, day = ends[order % len(ends)]
        until = pd.Timestamp(story.base_year + after, month, day)
        start = until - pd.DateOffset(years=3)
        state.first[i] = min(start.year, story.base_year)
        frame.loc[i, BUILT] = [start, *(start + pd.DateOffset(months=months) for months in (10, 9, 12))]
        frame.loc[i, "protected_until"] = until
        state.mean[i] -= 1.0


def _plants(story: Story, frame: pd.DataFrame, rng: np.random.Generator) -> None:
    """Place plants under construction, overdue, stopped or never opened among the 规下."""
    free = np.flatnonzero(~story.firms["above"] & ~story.firms["tiny"] & ~story.flag("exempt_industry"))
    chosen, start = rng.permutation(free), 0
    for kind, share in KINDS.items():
        count = round(share * len(frame))
        for order, i in enumerate(chosen[start : start + count].tolist()):
            _place(story, frame, i, kind, order)
        start += count


def _place(story: Story, frame: pd.DataFrame, i: int, kind: str, order: int) -> None:
    """Make firm ``i`` a plant of a kind, dated from the base year on."""
    state, month, base = story.state, 3 + order % 8, story.base_year

    def day(after: int, month: int, dom: int) -> pd.Timestamp:
        return pd.Timestamp(base + after, month, dom)

    if kind in ("building", "building_later"):
        t = 0 if kind == "building" else 2
        frame.loc[i, BUILT] = [day(t, month, 12), day(t + 2, 6, 30), day(t + 2, 4, 2 + month), day(t + 2, 9, 5)]
        state.first[i], state.tax_from[i] = base + t, base + t + 2
        state.mean[i] += 1.2
    elif kind == "overdue":
        frame.loc[i, BUILT] = [day(-3, month, 20), day(-1, 6, 30), pd.NaT, pd.NaT]
        story.mark(i, "statutory_excuse", order == 0)
        state.first[i], state.tax_from[i] = base - 3, NEVER
    elif kind == "stopped":
        frame.loc[i, "stopped_since"] = day(order % 2 - 2, month, 15)
        frame.loc[i, "zombie"] = order % 2 == 0
        state.tax_until[i] = base - 3 + order % 2
    else:
        frame.loc[i, BUILT] = [day(-4, month, 8), day(-2, 6, 30), day(-2, 5, 20), pd.NaT]
        state.first[i], state.tax_from[i] = base - 4, NEVER


def _contracts(story: Story, frame: pd.DataFrame, rng: np.random.Generator) -> None:
    """Add agreed and actual controls (万元/亩, shares, ratio) and, for some, an agreed tax per mu (万元/亩).

    Only enterprises that start below 3 万元/亩 may fall short of an agreed figure.
    """
    if "contract_tax_per_mu" in frame:
        return
    n, level = len(frame), np.exp(story.state.mean + story.state.dev)
    short, written = (rng.random((n, 3)) < 0.04) & (level < 3.0)[:, None], rng.random(n) < 0.6
    for column, (name, (low, high)) in enumerate(CONTROLS.items()):
        agreed = np.round(rng.uniform(low, high, n), 2)
        factor = np.where(short[:, column], rng.uniform(0.7, 0.95, n), rng.uniform(1.0, 1.5, n))
        frame[f"contract_{name}"] = np.where(written, agreed, np.nan)
        frame[f"actual_{name}"] = np.round(agreed * factor, 2)
    has_tax = rng.random(n) < 0.10
    promised = np.clip(level * rng.uniform(0.35, 1.15, n) * np.where(level < 3.0, 1.0, 0.4), 0.5, 15.0)
    frame["contract_tax_per_mu"] = np.where(has_tax, np.round(promised, 1), np.nan)


SPECIAL: dict[str, Callable[[Story, pd.DataFrame, np.random.Generator], None]] = {
    "protected": _protected,
    "plants": _plants,
    "contracts": _contracts,
}
