"""Zhoushan's drive of 2020 in a sample county: who is listed, closed, banked, lifted over the line or not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lyeval.sample import standing
from lyeval.sample.identity import roster
from lyeval.sample.panel import begin, evolve, settle, stream
from lyeval.sample.places import Drive, Place
from lyeval.sample.story import Story, dated

LINE = 2.0
DRIVE_YEAR = 2020
TOP_UP, ON_LINE = 0.12, 0.03


def tell(place: Place, n: int, seed: int, years: tuple[int, int]) -> Story:
    """Return the story of one of Zhoushan's counties through ``years[1]``; starts in 2017 or earlier."""
    firms = roster(place, n, stream(seed, place, 1))
    state = begin(place, firms, stream(seed, place, 2))
    story = Story(place, firms, standing.zhoushan(place, firms, state, stream(seed, place, 3)), state)
    for year in range(min(years[0], 2017), years[1] + 1):
        before = state.status.copy()
        tax, topped = evolve(state, year, stream(seed, place, 4, year)), np.zeros(n)
        if year == DRIVE_YEAR:
            topped = _drive(story, tax, stream(seed, place, 5))
        story.close_year(year, (tax, topped), before)
    _check_ups(story, stream(seed, place, 12))
    _blanks(story, stream(seed, place, 6))
    return story


def listed(story: Story) -> np.ndarray:
    """Return who is on the list: 2019 tax per mu below 2, not public good, not protected at 31 December 2019, (n,)."""
    base = next(snap for snap in story.years if snap.year == DRIVE_YEAR - 1)
    protected = story.facts["protected_until"] >= pd.Timestamp(DRIVE_YEAR - 1, 12, 31)
    free = ~story.facts["public_good"].to_numpy(bool) & ~protected.to_numpy(bool)
    return base.present & free & (base.tax / base.land < LINE)


def _drive(story: Story, tax: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Carry out the drive: changes ``tax`` (万元) and land in place, files the cases, returns late top-ups in 万元."""
    drive, state, n = story.place.drive or Drive(0.05, 0.0, 0.8, 10000.0, 0, ()), story.state, len(tax)
    base = story.years[-1]
    on_list = listed(story)
    score = np.log(np.maximum(base.tax / base.land, 0.02)) + rng.normal(0, 0.6, n) + 2.5 * base.above
    order = [i for i in np.argsort(score, kind="stable").tolist() if on_list[i]]
    closed_n = round(drive.closures * n)
    banked_n = max(1, round(0.008 * n)) if n >= 100 else 0
    closed, banked = order[:closed_n], order[closed_n : closed_n + banked_n]
    rest = order[closed_n + banked_n :]
    blank = _unknown(story, rest, round(drive.tax_missing * n / story.place.enterprises), rng)
    topped = np.zeros(n)
    for above in (True, False):
        group = [i for i in rest if base.above[i] == above and i not in blank]
        _lift(story, tax, topped, group, drive, rng)
    for i in closed + banked:
        tax[i] = np.round(max(tax[i], 0.0) * rng.uniform(0, 0.4), 2)
    kinds = dict.fromkeys(closed, "closed") | dict.fromkeys(banked, "banked") | dict.fromkeys(blank, "blank")
    if n >= SIZABLE:
        kinds[banked[-1]] = "bankrupt"
        kinds |= _unlisted_closure(story, tax, on_list, rng)
    _demolish(story, closed, drive, rng)
    for i in dict.fromkeys([*order, *kinds]):
        _case(story, i, kinds.get(i, "kept"), bool(tax[i] / state.land[i] >= LINE), rng)
    state.status[[i for i, kind in kinds.items() if kind != "blank"]] = 2
    _blocks(story, drive, rng)
    return topped


def _unlisted_closure(story: Story, tax: np.ndarray, on_list: np.ndarray, rng: np.random.Generator) -> dict[int, str]:
    """Close one 规下 that is not on the list: it counts only where closures of any enterprise do."""
    base = story.years[-1]
    free = base.present & ~on_list & ~base.above & ~story.facts["public_good"].to_numpy(bool)
    i = int(rng.choice(np.flatnonzero(free)))
    tax[i] = np.round(max(tax[i], 0.0) * 0.3, 2)
    return {i: "closed"}


def _unknown(story: Story, rest: list[int], count: int, rng: np.random.Generator) -> list[int]:
    """Choose listed 规下 whose tax of the year stays blank."""
    base = story.years[-1]
    below = [i for i in rest if not base.above[i]]
    chosen = rng.choice(below, size=min(count, len(below)), replace=False).tolist() if below else []
    story.unknown_tax.extend((i, DRIVE_YEAR) for i in chosen)
    return chosen


def _lift(
    story: Story, tax: np.ndarray, topped: np.ndarray, group: list[int], drive: Drive, rng: np.random.Generator
) -> None:
    """Bring as many of one class over the line as the county's rate says, those nearest to it first."""
    state, base = story.state, story.years[-1]
    if not group:
        return
    above = bool(base.above[group[0]])
    failed = int(np.ceil(drive.above_failed * len(group))) if above else None
    goal = len(group) - failed if failed is not None else round(drive.below_rate * len(group))
    near = {i: np.log(max(tax[i] / state.land[i], 0.05)) + rng.normal(0, 0.7) for i in group}
    reached = [i for i in group if tax[i] / state.land[i] >= LINE]
    others = sorted((i for i in group if i not in reached), key=lambda i: -near[i])
    for i in others[: max(0, goal - len(reached))]:
        if not above and rng.random() < 0.12:
            state.land[i] = np.round(state.land[i] * rng.uniform(0.6, 0.92), 2)
        over = 0.0 if rng.random() < ON_LINE else 0.002 + rng.exponential(TOP_UP)
        settle(state, i, LINE * (1 + over), DRIVE_YEAR)
        paid = np.round(LINE * (1 + over) * state.land[i] + (0.01 if over else 0.0), 2)
        topped[i] = paid - max(tax[i], 0.0)
        tax[i] = paid


def _demolish(story: Story, closed: list[int], drive: Drive, rng: np.random.Generator) -> None:
    """Note the floor area (m²) taken down at closed plants of 2020: adds up to the county's figure."""
    towns = [town for town, _ in drive.blocks]
    ranked = sorted(closed, key=lambda i: (story.firms["township"].iloc[i] not in towns, i))
    chosen = ranked[: max(1, round(0.5 * len(ranked)))] if ranked else []
    total = round(drive.demolished_m2 * len(story.firms) / story.place.enterprises)
    weight = np.array([story.state.land[i] ** 0.6 * np.exp(rng.normal(0, 0.4)) for i in chosen])
    area = np.floor(total * weight / weight.sum()) if chosen else np.zeros(0)
    if chosen:
        area[-1] += total - area.sum()
    story.notes["demolished"] = dict(zip(chosen, area.tolist(), strict=True))
    for i in chosen:
        story.facts.loc[i, "scattered"] = bool(story.facts.loc[i, "scattered"]) or rng.random() < 0.8


def _case(story: Story, i: int, kind: str, reaches: bool, rng: np.random.Generator) -> None:
    """File one enterprise's case in the words of Zhoushan's plan, and its facts for the method's preconditions."""
    row: dict[str, Any] = {"i": i, "started": dated(rng, "2020-06-22", "2020-07-31"), "due": pd.Timestamp(2020, 12, 31)}
    facts = story.facts
    if kind == "closed":
        facts.loc[i, "zombie"] = rng.random() < 0.6
        hurt = standing.VIOLATIONS[int(rng.integers(0, 4))]
        facts.loc[i, [hurt, "rectified_without_effect"]] = True
        row |= {
            "method": "淘汰",
            "outcome": "注销" if rng.random() < 0.15 else "关停",
            "finished": dated(rng, "2020-08-10", "2020-12-20"),
        }
        row["demolished_m2"] = story.notes["demolished"].get(i, 0.0)
        if row["demolished_m2"]:
            row["demolished_on"] = min(
                row["finished"] + pd.Timedelta(days=int(rng.integers(3, 60))), pd.Timestamp(2020, 12, 30)
            )
    elif kind == "banked":
        facts.loc[i, "zombie"] = True
        row |= {"method": "淘汰", "outcome": "整体收储", "finished": dated(rng, "2020-09-01", "2020-12-15")}
        row |= {
            "whole": "整体",
            "released_mu": story.state.land[i],
            "cost_wan": np.round(story.state.land[i] * rng.uniform(22, 38), 1),
        }
    elif kind == "bankrupt":
        facts.loc[i, "zombie"] = True
        row |= {"method": "淘汰", "outcome": "破产", "finished": dated(rng, "2020-09-01", "2020-12-15")}
    else:
        row |= _kept(story, i, kind, reaches, rng)
    row["responsible"] = story.firms["township"].iloc[i]
    story.disposals.append(row)


def _kept(story: Story, i: int, kind: str, reaches: bool, rng: np.random.Generator) -> dict[str, Any]:
    """Return method and outcome of a case that stays in business."""
    hurt = bool(story.facts.loc[i, list(standing.VIOLATIONS)].any())
    row: dict[str, Any] = {"method": "整治" if hurt or rng.random() < 0.12 else "提升"}
    if row["method"] == "整治" and not hurt:
        story.facts.loc[i, standing.VIOLATIONS[int(rng.integers(0, 7))]] = True
    story.facts.loc[i, "viable"] = True
    if kind == "blank":
        return row | {"outcome": "进行中"}
    if reaches:
        row |= {"outcome": "达标", "finished": dated(rng, "2020-10-08", "2020-12-28")}
        return row | {"upgraded": row["method"] == "提升" and rng.random() < 0.35}
    if row["method"] == "整治" and "illegal" not in story.notes and len(story.firms) >= SIZABLE:
        story.notes["illegal"] = i
        return row | {
            "outcome": "进行中",
            "demolished_m2": 320.0,
            "demolished_on": dated(rng, "2020-09-10", "2020-11-10"),
        }
    return row | {
        "outcome": "进行中" if rng.random() < 0.7 else "未完成",
        "difficulty": DIFFICULTIES[int(rng.integers(0, 4))],
    }


def _blocks(story: Story, drive: Drive, rng: np.random.Generator) -> None:
    """File the approved blocks and one that was never approved."""
    area = story.notes.pop("demolished")
    town = story.firms["township"].to_numpy()
    for number, (where, done) in enumerate(drive.blocks):
        taken = sum(size for i, size in area.items() if town[i] == where) or float(rng.integers(40, 90) * 10)
        row = {
            "block": f"{where}集中连片区块",
            "county": story.place.county,
            "township": where,
            "approved": dated(rng, "2020-06-24", "2020-06-30"),
            "planned_m2": np.round(taken * (1.0 if done else 1.4), -1 if done else -2),
            "demolished_m2": taken,
            "land_mu": float(rng.integers(40, 160)),
            "completed": dated(rng, "2020-10-20", "2020-12-18") if done else pd.NaT,
        }
        row["released_mu"] = np.round(row["land_mu"] * (0.5 if done else 0.2), 1)
        story.blocks.append(row | {"order": number})


def _check_ups(story: Story, rng: np.random.Generator) -> None:
    """File the July check-ups of the listed 规上."""
    above = {snap.year: snap.above for snap in story.years}.get(DRIVE_YEAR - 1, np.zeros(len(story.firms), bool))
    for case in story.disposals:
        if above[case["i"]]:
            story.process.append({"i": case["i"], "checked": dated(rng, "2020-07-05", "2020-07-31")})


def _blanks(story: Story, rng: np.random.Generator) -> None:
    """Leave a few tax and land cells of earlier years blank (land only where an approved area stands)."""
    n, years = len(story.firms), [snap.year for snap in story.years if snap.year < DRIVE_YEAR - 1]
    for year in years:
        for i in rng.choice(n, size=round(0.006 * n), replace=False).tolist():
            (story.unknown_tax if rng.random() < 0.5 else story.unknown_land).append((i, year))


SIZABLE = 200
DIFFICULTIES = ("订单不足", "土地手续不全", "资金紧张", "厂房闲置待租")
