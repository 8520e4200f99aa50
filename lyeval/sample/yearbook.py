"""The sheets of a county told through: facts of an enterprise that no year changes, the figures of its years, cases, findings, papers.

Which facts a ledger has is said by ``programmes.yaml`` and by the plan: whatever column of the enterprises its rules read is made,
in the way that ``needed`` names or as its kind allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment.needs import needs
from lyeval.indicators import MU_M2
from lyeval.ledger import Ledger
from lyeval.ledger.columns import DATES, FLAGS, NUMERIC, dtype_of, of_sheet
from lyeval.policy.model import Coefficient
from lyeval.sample.story import NEVER, Snapshot, Story, data, dated

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


Frames = dict[str, pd.DataFrame]
Rows = list[dict[str, Any]]


def sheets(story: Story, first: int) -> Frames:
    """Return the sheets of one county from year ``first`` on; ``tax_items``, ``papers``, ``blocks`` where the plan knows them."""
    years, codes, rules = annual(story, first), story.firms["credit_code"], story.plan.tax
    kept = set(years["i"].tolist())
    made = {"enterprises": story.facts[story.facts.index.isin(kept)].reset_index(drop=True)}
    made["annual"] = _coded(years, codes)
    made["monthly"] = _coded(monthly(story, years), codes)
    if rules.source == "items" or rules.coefficients:
        made["tax_items"] = _coded(tax_items(story, years), codes)
    filed = {"disposals": story.disposals, "process": story.process, "issues": issues(story)}
    if story.place.drive:
        made |= {name: _rows(name, rows, codes, kept) for name, rows in filed.items()}
        made["blocks"] = pd.DataFrame(story.blocks, columns=data("sheets")["columns"]["blocks"])
    else:
        made |= {name: _rows(name, rows, codes, kept) for name, rows in (filed | {"papers": papers(story)}).items()}
    return {sheet: typed(sheet, frame) for sheet, frame in made.items()}


def ledger(story: Story) -> Ledger:
    """Return what the county knows so far."""
    made: Any = sheets(story, story.years[0].year)
    return Ledger(**made, sheets=tuple(made))


def typed(sheet: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Give each column the type that reading it back gives."""
    return frame.astype({name: dtype_of(sheet, name) for name in frame.columns})


def _coded(frame: pd.DataFrame, codes: pd.Series) -> pd.DataFrame:
    frame = frame.copy()
    frame.insert(0, "credit_code", codes.to_numpy()[frame["i"]])
    return frame.drop(columns="i")


def _rows(sheet: str, rows: Iterable[dict[str, Any]], codes: pd.Series, kept: set[int]) -> pd.DataFrame:
    """Return rows as a frame with all columns of the sheet that any row fills, sorted by credit code and start."""
    coded = [{"credit_code": codes.iloc[row["i"]], **row} for row in rows if row["i"] in kept]
    frame = pd.DataFrame(coded, columns=["credit_code", *data("sheets")["columns"][sheet]])
    frame = frame.dropna(axis=1, how="all") if len(frame) else frame
    return frame.sort_values([name for name in ("credit_code", "started") if name in frame], ignore_index=True)


def issues(story: Story) -> Rows:
    """Return the 问题清单: one finding per violation flag of an enterprise with a case, most of them rectified."""
    rng, rows, end = story.stream(10), [], pd.Timestamp(story.years[-1].year, 12, 31)
    level = "市" if story.plan.place.level == "city" else "县"
    inspected = story.place.programme["inspected"]
    first = {case["i"]: case for case in reversed(story.disposals)}
    for i, case in sorted(first.items()):
        for name in [name for name in VIOLATIONS if story.has(i, name)]:
            matter, department = VIOLATIONS[name]
            start = dated(rng, *inspected) if inspected else case["started"]
            row = {"i": i, "department": f"{level}{department}", "matter": matter, "found": start}
            row["due"] = start + pd.Timedelta(days=60)
            if not story.has(i, "rectified_without_effect") and rng.random() < 0.8:
                row["rectified"] = start + pd.Timedelta(days=int(rng.integers(15, 75)))
                row["accepted"] = row["rectified"] + pd.Timedelta(days=int(rng.integers(5, 25)))
            rows.append({k: v for k, v in row.items() if not (isinstance(v, pd.Timestamp) and v > end)})
    return [row for row in rows if "found" in row]


def papers(story: Story) -> Rows:
    """Return the 材料: what enterprises with a case handed in of the papers that the plan asks for, a few still owed."""
    rng, rows, end = story.stream(11), [], pd.Timestamp(story.years[-1].year, 12, 31)
    wanted = {method.method: method.papers for method in story.plan.methods}
    for case in story.disposals:
        for paper in wanted.get(case["kind"], ()):
            received = case["started"] - pd.Timedelta(days=int(rng.integers(5, 25)))
            if rng.random() < 0.93 and received <= end:
                rows.append({"i": case["i"], "paper": paper, "received": received})
    return list({(row["i"], row["paper"]): row for row in reversed(rows)}.values())
