"""A drive of one year in a sample county: who is listed, closed, banked, lifted over the line or not (Zhoushan's of 2020)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lyeval.sample.profile import VIOLATIONS
from lyeval.sample.story import Paid, Snapshot, Story, dated


class Drive:
    """The drive of one county; files its rows into the story in the first year of identification.

    ``place.drive`` says how it ends: closures (share of the county's enterprises), above_failed (share of the listed 规上 that stay
    below the line), below_rate (share of listed 规下, not gone, that reach it), and at the county's usual size demolished_m2 (m²)
    and tax_missing (listed 规下 whose tax is blank); blocks: township and whether the block was completed.
    """

    def __init__(self, story: Story) -> None:
        self.story, self.state, self.firms = story, story.state, story.firms
        self.known, self.ends = story.place.programme, story.place.drive
        self.drive_year = story.base_year + 1
        self.line = float(story.own_line(self.drive_year, np.array(True)))
        self.scale = len(story.firms) / story.place.enterprises
        self.demolished: dict[int, float] = {}
        self.illegal = len(story.firms) >= self.known["sizable"]

    @property
    def base(self) -> Snapshot:
        """The year before the drive."""
        return next(snap for snap in self.story.years if snap.year == self.story.base_year)

    def open_year(self, year: int) -> None:
        """Do nothing: no land is handed on."""

    def act(self, year: int, paid: Paid) -> None:
        """Carry out the drive: changes tax and late top-ups (``paid``, 万元) and land in place, files the cases."""
        if year != self.drive_year:
            return
        tax, n, rng = paid[0], len(self.firms), self.story.stream(5)
        on_list = self._listed()
        score = np.log(np.maximum(self.base.tax / self.base.land, 0.02)) + rng.normal(0, 0.6, n) + 2.5 * self.base.above
        order = [i for i in np.argsort(score, kind="stable").tolist() if on_list[i]]
        closed_n, banked_n = round(self.ends["closures"] * n), max(1, round(0.008 * n)) if n >= 100 else 0
        closed, banked, rest = np.split(np.array(order, int), [closed_n, closed_n + banked_n])
        closed, banked, rest = closed.tolist(), banked.tolist(), rest.tolist()
        blank = self._unknown(rest, rng)
        for above in (True, False):
            self._lift(paid, [i for i in rest if self.base.above[i] == above and i not in blank], rng)
        for i in closed + banked:
            tax[i] = np.round(max(tax[i], 0.0) * rng.uniform(0, 0.4), 2)
        kinds = dict.fromkeys(closed, "closed") | dict.fromkeys(banked, "banked") | dict.fromkeys(blank, "blank")
        if n >= self.known["sizable"]:
            kinds[banked[-1]] = "bankrupt"
            kinds |= self._unlisted_closure(tax, on_list, rng)
        self._demolish(closed, rng)
        for i in dict.fromkeys([*order, *kinds]):
            self._case(i, kinds.get(i, "kept"), bool(tax[i] / self.state.land[i] >= self.line), rng)
        self.state.status[[i for i, kind in kinds.items() if kind != "blank"]] = 2
        self._blocks(rng)

    def finish(self, last: int) -> None:
        """File the July check-ups of the listed 规上."""
        rng = self.story.stream(12)
        for case in self.story.disposals:
            if self.base.above[case["i"]]:
                days = (f"{self.drive_year}-07-05", f"{self.drive_year}-07-31")
                self.story.process.append({"i": case["i"], "checked": dated(rng, *days)})

    def _listed(self) -> np.ndarray:
        """Return who is on the list: below the line in the base year, not public good, not protected at its end, (n,)."""
        protected = self.story.facts["protected_until"] >= pd.Timestamp(self.story.base_year, 12, 31)
        free = ~self.story.flag("public_good") & ~protected.to_numpy(bool)
        return self.base.present & free & (self.base.tax / self.base.land < self.line)

    def _unlisted_closure(self, tax: np.ndarray, on_list: np.ndarray, rng: np.random.Generator) -> dict[int, str]:
        """Close one 规下 that is not on the list: it counts only where closures of any enterprise do."""
        free = self.base.present & ~on_list & ~self.base.above & ~self.story.flag("public_good")
        i = int(rng.choice(np.flatnonzero(free)))
        tax[i] = np.round(max(tax[i], 0.0) * 0.3, 2)
        return {i: "closed"}

    def _unknown(self, rest: list[int], rng: np.random.Generator) -> list[int]:
        """Choose listed 规下 whose tax of the year stays blank."""
        below, count = [i for i in rest if not self.base.above[i]], round(self.ends["tax_missing"] * self.scale)
        chosen = rng.choice(below, size=min(count, len(below)), replace=False).tolist() if below else []
        self.story.unknown_tax.extend((i, self.drive_year) for i in chosen)
        return chosen

    def _lift(self, paid: Paid, group: list[int], rng: np.random.Generator) -> None:
        """Bring as many of one class over the line as the county's rate says, those nearest to it first."""
        (tax, topped), land = paid, self.state.land
        if not group:
            return
        above = bool(self.base.above[group[0]])
        failed = int(np.ceil(self.ends["above_failed"] * len(group)))
        goal = len(group) - failed if above else round(self.ends["below_rate"] * len(group))
        near = {i: np.log(max(tax[i] / land[i], 0.05)) + rng.normal(0, 0.7) for i in group}
        reached = {i for i in group if tax[i] / land[i] >= self.line}
        others = sorted((i for i in group if i not in reached), key=lambda i: -near[i])
        for i in others[: max(0, goal - len(reached))]:
            if not above and rng.random() < 0.12:
                land[i] = np.round(land[i] * rng.uniform(0.6, 0.92), 2)
            over = 0.0 if rng.random() < self.known["on_line"] else 0.002 + rng.exponential(self.known["top_up"])
            self.state.settle(i, self.line * (1 + over), self.drive_year)
            full = np.round(self.line * (1 + over) * land[i] + (0.01 if over else 0.0), 2)
            topped[i] = full - max(tax[i], 0.0)
            tax[i] = full

    def _demolish(self, closed: list[int], rng: np.random.Generator) -> None:
        """Note the floor area (m²) taken down at closed plants: adds up to the county's figure."""
        towns = [town for town, _ in self.ends["blocks"]]
        ranked = sorted(closed, key=lambda i: (self.firms["township"].iloc[i] not in towns, i))
        chosen = ranked[: max(1, round(0.5 * len(ranked)))] if ranked else []
        if not chosen:
            return
        total = round(self.ends["demolished_m2"] * self.scale)
        weight = np.array([self.state.land[i] ** 0.6 * np.exp(rng.normal(0, 0.4)) for i in chosen])
        area = np.floor(total * weight / weight.sum())
        area[-1] += total - area.sum()
        self.demolished = dict(zip(chosen, area.tolist(), strict=True))
        for i in chosen:
            self.story.mark(i, "scattered", self.story.has(i, "scattered") or rng.random() < 0.8)

    def _case(self, i: int, kind: str, reaches: bool, rng: np.random.Generator) -> None:
        """File one enterprise's case in the words of the plan, and its facts for the method's preconditions."""
        row: dict[str, Any] = {"i": i, "started": self._on("06-22", "07-31", rng)}
        row["due"] = pd.Timestamp(self.drive_year, 12, 31)
        if kind == "closed":
            self.story.mark(i, "zombie", rng.random() < 0.6)
            hurt = list(VIOLATIONS)[int(rng.integers(0, 4))]
            self.story.facts.loc[i, [hurt, "rectified_without_effect"]] = True
            row |= {"method": "淘汰", "outcome": "注销" if rng.random() < 0.15 else "关停"}
            row |= {"finished": self._on("08-10", "12-20", rng), "demolished_m2": self.demolished.get(i, 0.0)}
            if row["demolished_m2"]:
                taken_down = row["finished"] + pd.Timedelta(days=int(rng.integers(3, 60)))
                row["demolished_on"] = min(taken_down, pd.Timestamp(self.drive_year, 12, 30))
        elif kind in ("banked", "bankrupt"):
            self.story.mark(i, "zombie", True)
            row |= {"method": "淘汰", "outcome": "整体收储" if kind == "banked" else "破产"}
            row["finished"] = self._on("09-01", "12-15", rng)
            if kind == "banked":
                land = self.state.land[i]
                row |= {"whole": "整体", "released_mu": land, "cost_wan": np.round(land * rng.uniform(22, 38), 1)}
        else:
            row |= self._kept(i, kind, reaches, rng)
        row["responsible"] = self.firms["township"].iloc[i]
        self.story.disposals.append(row)

    def _kept(self, i: int, kind: str, reaches: bool, rng: np.random.Generator) -> dict[str, Any]:
        """Return method and outcome of a case that stays in business."""
        hurt = self.story.has(i, *VIOLATIONS)
        row: dict[str, Any] = {"method": "整治" if hurt or rng.random() < 0.12 else "提升"}
        if row["method"] == "整治" and not hurt:
            self.story.mark(i, list(VIOLATIONS)[int(rng.integers(0, 7))], True)
        self.story.mark(i, "viable", True)
        if kind == "blank":
            return row | {"outcome": "进行中"}
        if reaches:
            row |= {"outcome": "达标", "finished": self._on("10-08", "12-28", rng)}
            return row | {"upgraded": row["method"] == "提升" and rng.random() < 0.35}
        if row["method"] == "整治" and self.illegal:
            self.illegal = False
            return row | {"outcome": "进行中", "demolished_m2": 320.0, "demolished_on": self._on("09-10", "11-10", rng)}
        outcome = "进行中" if rng.random() < 0.7 else "未完成"
        return row | {"outcome": outcome, "difficulty": self.known["difficulties"][int(rng.integers(0, 4))]}

    def _blocks(self, rng: np.random.Generator) -> None:
        """File the approved blocks."""
        town = self.firms["township"].to_numpy()
        for where, done in self.ends["blocks"]:
            area = sum(size for i, size in self.demolished.items() if town[i] == where)
            area = area or float(rng.integers(40, 90) * 10)
            row = {"block": f"{where}集中连片区块", "county": self.story.place.county, "township": where}
            row["approved"] = self._on("06-24", "06-30", rng)
            row |= {"planned_m2": np.round(area * (1.0 if done else 1.4), -1 if done else -2), "demolished_m2": area}
            row["land_mu"] = float(rng.integers(40, 160))
            row["completed"] = self._on("10-20", "12-18", rng) if done else pd.NaT
            self.story.blocks.append(row | {"released_mu": np.round(row["land_mu"] * (0.5 if done else 0.2), 1)})

    def _on(self, first: str, last: str, rng: np.random.Generator) -> pd.Timestamp:
        return dated(rng, f"{self.drive_year}-{first}", f"{self.drive_year}-{last}")
