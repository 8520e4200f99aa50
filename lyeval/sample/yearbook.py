"""The figures that go with tax and land: land papers, buildings, turnover, staff, power, grade; months and tax items."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lyeval.indicators import MU_M2
from lyeval.policy.model import Coefficient
from lyeval.sample.county import data
from lyeval.sample.profile import asked, made_up
from lyeval.sample.story import NEVER, Snapshot, Story

GRADES = np.array(["A", "B", "C", "D"], dtype=object)
PAID = "入库"
CUTS = [0.2, 0.6, 0.95, 1.0]
Fixed = dict[str, np.ndarray]


def annual(story: Story, first: int) -> pd.DataFrame:
    """Return the 年度 sheet from year ``first`` on: one row per enterprise-year, canonical columns."""
    fixed = _fixed(story)
    frames = [_year(story, snap, fixed, story.stream(7, snap.year)) for snap in story.years if snap.year >= first]
    frame = pd.concat(frames, ignore_index=True)
    key = pd.MultiIndex.from_arrays([frame["i"], frame["year"]])
    frame.loc[key.isin(story.unknown_tax), ["tax_wan", "land_use_tax_wan"]] = np.nan
    if story.plan.land.rule == "walled_else_approved":
        _walls(frame, fixed["no_wall"][frame["i"]], fixed["unsaid"][frame["i"]])
    frame["land_mu"] = frame["land_mu"].mask(key.isin(story.unknown_land))
    for name in asked(story, "annual"):
        if name not in frame:
            frame[name] = made_up("annual", name, len(frame), story.stream(13))
    return frame.sort_values(["i", "year"], ignore_index=True)


def _walls(frame: pd.DataFrame, no_wall: np.ndarray, unsaid: np.ndarray) -> None:
    """Leave 土地总面积 blank where there is no wall, or none is told; the approved area then is the area."""
    bare = no_wall | unsaid
    frame["walled"] = pd.Series(~no_wall, dtype="boolean").mask(unsaid)
    frame["approved_mu"] = np.where(bare, frame["land_mu"], frame["approved_mu"])
    frame["land_mu"] = frame["land_mu"].mask(bare)


def _fixed(story: Story) -> Fixed:
    """Draw the ratios that stay with an enterprise, each of shape (n,)."""
    n, rng = len(story.firms), story.stream(8)
    walls = rng.permutation(n)
    return {
        "approved": np.where(rng.random(n) < 0.8, 1.0, rng.uniform(0.85, 1.1, n)),
        "granted": np.where(rng.random(n) < 0.7, rng.uniform(0.85, 1.0, n), 0.0),
        "let": np.where(rng.random(n) < 0.08, rng.uniform(0.05, 0.3, n), 0.0),
        "rented": np.where(rng.random(n) < 0.1, rng.uniform(0.05, 0.4, n), 0.0),
        "ratio": rng.uniform(0.45, 1.3, n),
        "density": rng.uniform(0.28, 0.55, n),
        "tax_rate": np.exp(rng.normal(np.log(0.038), 0.45, n)),
        "turnover": np.exp(rng.normal(np.log(14.0), 0.8, n)),
        "heads": np.exp(rng.normal(np.log(60.0), 0.5, n)),
        "power": np.exp(rng.normal(np.log(0.035), 0.8, n)),
        "margin": rng.normal(0.045, 0.04, n),
        "no_wall": walls < round(0.02 * n),
        "unsaid": (walls >= round(0.02 * n)) & (walls < round(0.03 * n)),
    }


def _year(story: Story, snap: Snapshot, fixed: Fixed, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows of one year; money in 万元, land in 亩, buildings in m², power in 万千瓦时."""
    i = np.flatnonzero(snap.present)
    n, land, tax, works = len(i), snap.land[i], snap.tax[i], snap.works[i]
    at = {name: values[i] for name, values in fixed.items()}
    turnover = np.maximum(tax, 0) / at["tax_rate"] + at["turnover"] * land * rng.uniform(0.6, 1.1, n)
    revenue = np.where(works, turnover, 0.0)
    heads = np.where(works, np.maximum(np.round(revenue / at["heads"] * rng.uniform(0.9, 1.1, n)), 2), 0)
    power = revenue * at["power"] * rng.uniform(0.85, 1.15, n)
    frame = pd.DataFrame({"i": i, "year": snap.year, "above_scale": snap.above[i], "tax_wan": tax})
    frame["land_use_tax_wan"] = np.round(0.13 * land * works, 2)
    if penalty_rates(story):
        frame["land_use_tax_extra_wan"] = [story.extra.get((k, snap.year), 0.0) for k in i.tolist()]
        frame["land_use_tax_wan"] = np.round(frame["land_use_tax_wan"] + frame["land_use_tax_extra_wan"], 2)
    frame["land_mu"] = land
    frame["approved_mu"] = np.round(land * at["approved"], 2)
    frame["granted_mu"] = np.round(frame["approved_mu"] * at["granted"], 2)
    frame["rented_in_mu"] = np.round(land * at["rented"], 2)
    frame["rented_out_mu"] = np.round(land * at["let"], 2)
    frame["floor_m2"] = np.round(land * MU_M2 * at["ratio"])
    frame["footprint_m2"] = np.round(land * MU_M2 * np.minimum(at["density"], at["ratio"]))
    frame["employees"] = heads
    frame["revenue_wan"] = np.round(revenue, 1)
    frame["output_wan"] = np.round(revenue * rng.uniform(0.95, 1.08, n), 1)
    frame["profit_wan"] = np.round(revenue * (at["margin"] + rng.normal(0, 0.025, n)), 1)
    frame["power_wankwh"] = np.round(power, 2)
    frame["transformer_kva"] = np.round(np.maximum(power * 10000 / 2600, 50), -1)
    frame["wastewater_t"] = np.round(revenue * rng.uniform(0.2, 1.8, n))
    frame["waste_gas_m3"] = np.round(revenue * rng.uniform(20, 400, n), -1)
    frame["operating_normally"] = works
    frame["final"] = "定稿" if snap.year < story.place.programme.get("provisional_from", NEVER) else "快报"
    frame["grade"] = _grades(tax / land, snap.above[i])
    return frame


def penalty_rates(story: Story) -> dict[str, float]:
    """Return the land-use tax, 元/m², that the plan charges as a penalty, by location."""
    effects = [effect for rule in story.plan.consequences for effect in rule.effects if effect.rate_yuan_m2]
    return {
        str(place): effect.rate_yuan_m2 or 0.0
        for effect in effects
        if effect.when and effect.when.fact == "location" and isinstance(effect.when.value, tuple)
        for place in effect.when.value
    }


def _grades(per_mu: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Return A 20 %, B 40 %, C 35 %, D 5 % by rank of tax per mu within each class."""
    grade = np.empty(len(per_mu), dtype=object)
    for side in (True, False):
        members = np.flatnonzero(above == side)
        order = members[np.argsort(-per_mu[members], kind="stable")]
        share = (np.arange(len(order)) + 1) / max(len(order), 1)
        grade[order] = GRADES[np.searchsorted(CUTS, share - 1e-9)]
    return grade


def monthly(story: Story, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the 月度 sheet for `annual`'s rows with known tax: twelve amounts (万元) that add up to the year exactly.

    Months follow a season with noise; late top-ups fall in October to December; some enterprise-years have one negative
    month (a refund), more of them in 2022.
    """
    rows, rng = frame[frame["tax_wan"].notna()], story.stream(9)
    m, year = len(rows), rows["year"].to_numpy()
    cents = np.round(rows["tax_wan"].to_numpy() * 100).astype(np.int64)
    topped = np.array([snap.topped for snap in story.years])[year - story.years[0].year, rows["i"].to_numpy()]
    late = np.minimum(np.round(np.maximum(topped, 0) * 100).astype(np.int64), np.maximum(cents, 0))
    share = np.array(data("sheets")["season"]) * rng.gamma(12.0, 1 / 12.0, (m, 12))
    parts = np.floor((cents - late)[:, None] * share / share.sum(axis=1, keepdims=True)).astype(np.int64)
    parts[:, 9:11] += (late // 4)[:, None]
    refund = rng.random(m) < np.where(year == 2022, 0.12, 0.025)
    month = rng.integers(3, 9, m)
    sum_back = np.where(refund, np.round(np.abs(cents) * rng.uniform(0.1, 0.4, m)).astype(np.int64), 0)
    parts[np.arange(m), month] -= sum_back
    parts[:, 11] += cents - parts.sum(axis=1)
    made = {"i": np.repeat(rows["i"].to_numpy(), 12), "year": np.repeat(year, 12)}
    return pd.DataFrame(made | {"month": np.tile(np.arange(1, 13), m), "tax_wan": (parts / 100).ravel()})


def tax_items(story: Story, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the 税项 sheet for `annual`'s rows with known tax.

    Where the plan sums its tax from items, they add up to the tax by the plan's coefficients (a negative one is a refund of a
    flow that counts against). Besides, every fifth row has the items and flows that the plan names and the sum does not rest on.
    """
    rows = frame.loc[frame["tax_wan"].notna(), ["i", "year", "tax_wan"]]
    told, parts = story.plan.tax.coefficients, []
    minus = next((c for c in told if c.coefficient < 0), None)
    tax = rows["tax_wan"]
    paid = tax.clip(lower=0) if minus else tax
    if story.plan.tax.source == "items":
        usual = data("sheets")["tax_items"]
        shares = {item: share for item, share in usual.items() if _weight(told, item) > 0}
        shares = shares or {c.item: 1.0 for c in told if c.coefficient > 0 and _weight(told, c.item) > 0}
        for item, share in shares.items():
            amount = paid * share / sum(shares.values()) / _weight(told, item)
            parts.append(rows.assign(item=item, flow=PAID, amount_wan=amount.round(2)))
        if minus:
            back = (tax.clip(upper=0) / minus.coefficient).round(2)
            item = minus.item.replace("*", "增值税")
            parts.append(rows.assign(item=item, flow=minus.flow.replace("*", PAID), amount_wan=back)[tax < 0])
    for c in told if story.plan.tax.source == "reported" else [c for c in told if c.coefficient == 0]:
        more = {"item": c.item.replace("*", "增值税"), "flow": c.flow.replace("*", PAID)}
        parts.append(rows.assign(**more, amount_wan=(paid * 0.03).round(2)).iloc[::5])
    made = pd.concat(parts) if parts else rows.assign(item="", flow="", amount_wan=0.0).head(0)
    return made.sort_values(["i", "year"], kind="stable", ignore_index=True).drop(columns="tax_wan")


def _weight(told: tuple[Coefficient, ...], item: str) -> float:
    """Return how much of an item paid in counts: the most particular coefficient that names it, none where none does."""
    fit = [c for c in told if c.item in ("*", item) and c.flow in ("*", PAID)]
    return max(fit, key=lambda c: (c.item != "*") + (c.flow != "*")).coefficient if fit else 0.0
