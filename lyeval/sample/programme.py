"""What a county does about its enterprises: a drive of one year (Zhoushan's of 2020), or a programme of yearly lists.

Who is on a yearly list is decided by the plan itself, on the ledger as it stands at the end of the year before; a place that knows the
path of its low-efficiency land (``share_path``) is brought along it instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import assess
from lyeval.indicators import MU_M2
from lyeval.sample.story import NEVER, Paid, Snapshot, Story, dated
from lyeval.sample.yearbook import VIOLATIONS, ledger, penalty_rates


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


class Programme:
    """Open cases of one county; files rows into the story when they end."""

    def __init__(self, story: Story) -> None:
        self.story, self.state, self.known = story, story.state, story.place.programme
        self.first = self.known.get("first_action", story.plan.years.identification[0])
        self.open: dict[int, dict[str, Any]] = {}
        self.heirs: list[tuple[int, int, float]] = []
        self.process: dict[int, dict[str, Any]] = {}
        own = {method.method: [method.label] for method in story.plan.methods}
        self.words: dict[str, list[str]] = self.known.get("words") or own or {"upgrade": ["帮扶提升"]}
        self.rates = penalty_rates(story)

    def open_year(self, year: int) -> None:
        """Give land that left a firm last year to its successor."""
        for when, heir, land in self.heirs:
            if when == year - 1:
                self.state.land[heir] = np.round(self.state.land[heir] + land, 2)

    def act(self, year: int, paid: Paid) -> None:
        """Carry out one year; changes tax and late top-ups (``paid``, 万元) and the state in place."""
        if year < self.first:
            return
        rng, tax = self.story.stream(5, year), paid[0]
        self._charge(year, tax)
        if year >= min(self.story.plan.years.targets):
            self._near(year, paid, rng)
        own_line = self.story.own_line(year, self.state.above)
        prior = self.story.years[-1]
        self._take(np.flatnonzero(self._listed(year, prior, paid)), year, prior, rng)
        for i in np.flatnonzero(tax / self.state.land >= own_line).tolist():
            if i in self.open and self.open[i]["kind"] in ("upgrade", "rectify") and rng.random() < 0.85:
                self._end(i, year, "达标", rng)
        self._work(year, paid, rng)
        self._press(year, rng)

    def _work(self, year: int, paid: Paid, rng: np.random.Generator) -> None:
        """Settle cases: a share of those open, or as many as the paths of the place ask for."""
        story, tax = self.story, paid[0]
        if "share_path" not in self.known:
            queue = self._queue(tax, rng)
            for i in queue[: round(self.known["settled"] * len(queue))]:
                self._resolve(i, year, paid, float(story.own_line(year, self.state.above)[i]), rng)
            return
        paths = (self.known[name] for name in ("share_path", "above_left_path"))
        share, left = (path.get(year, path[max(path)]) for path in paths)
        floor, line = share - self.known["too_far"], {c: story.own_line(year, np.array(c)) for c in (True, False)}
        for i in self._queue(tax, rng):
            now, members, land = low_share(story, year, tax), pool(story, year), self.state.land
            helps = bool(members[i]) and tax[i] / land[i] < line[False] and now > share
            if helps and now - land[i] / land[members].sum() > floor:
                self._resolve(i, year, paid, float(line[False]), rng)
        for i in self._queue(tax, rng):
            low = below_line(story, year, tax)
            if low[i] and low.sum() > left:
                self._resolve(i, year, paid, float(line[True]), rng)

    def _listed(self, year: int, prior: Snapshot, paid: Paid) -> np.ndarray:
        """Return who is on the list of ``year``, (n,): for certain, by the plan's own criteria, or by tax levels alone."""
        story = self.story
        if self.known.get("listing") == "levels":
            low = prior.present & (prior.tax / prior.land < story.own_line(year, prior.above))
            scope = (self.state.status == 0) & (self.state.above | (self.state.land >= self.known["usual_land"]))
            return low & scope & ~story.flag("exempt_industry") & ~building(story, year - 1)
        if year not in {*story.plan.years.identification, *story.plan.years.targets}:
            return np.zeros(len(story.firms), bool)
        now = replace(story, years=list(story.years))
        now.close_year(year, paid, self.state.status)
        table = assess(ledger(now), story.plan, year).enterprises.set_index("credit_code")["identified"]
        return story.firms["credit_code"].map(table).eq(True).to_numpy(bool) & (self.state.status == 0)

    def _near(self, year: int, paid: Paid, rng: np.random.Generator) -> None:
        """Let a part of the firms little below their line top up late in the year, whether listed or not."""
        (tax, topped), land, near = paid, self.state.land, self.known["near"]
        own_line = self.story.own_line(year, self.state.above)
        ratio, willing = tax / land / own_line, rng.random(len(tax)) < near["share_topping_up"]
        for i in np.flatnonzero((ratio >= near["from"]) & (ratio < 1) & willing & (self.state.status == 0)).tolist():
            above = 0.0 if rng.random() < self.known["on_line"] else 0.002 + rng.exponential(0.04)
            full = np.round(own_line[i] * (1 + above) * land[i] + (0.01 if above else 0.0), 2)
            topped[i] += full - tax[i]
            tax[i] = full

    def _charge(self, year: int, tax: np.ndarray) -> None:
        """Add the land-use tax increment of priority enterprises (half of the full rate) to ``tax`` in place, 万元."""
        for i, row in self.process.items() if self.rates else ():
            listed = row.get("key_listed")
            if i in self.open and listed is not None and listed.year <= year:
                rate = self.rates[self.story.facts["location"].iloc[i]] * MU_M2 / 10000
                extra = float(np.round(rate / 2 * self.state.land[i], 2))
                self.story.extra[i, year] = extra
                tax[i] = np.round(tax[i] + extra, 2)

    def _take(self, listed: np.ndarray, year: int, prior: Snapshot, rng: np.random.Generator) -> None:
        """Open a case for each enterprise newly on the list of ``year``."""
        for i in listed.tolist():
            if i in self.open:
                continue
            method = self._method(i, prior, rng)
            row = self._procedure(i, year, rng)
            if row is None:
                continue
            words = self.words[method]
            started = row["plan_approved"] + pd.Timedelta(days=int(rng.integers(1, 15)))
            case = {"i": i, "kind": method, "listed": year, "method": words[int(rng.integers(0, len(words)))]}
            due = started + pd.DateOffset(months=int(rng.choice([6, 12, 18])))
            case |= {"started": started, "due": due, "responsible": self.story.firms["township"].iloc[i]}
            self.open[i] = case
            for name, value in self.known["preconditions"][method].items():
                sure = rng.random() < 0.95 or name in self.known["certain"]
                self.story.mark(i, name, value if sure else pd.NA)
            if method == "merge":
                self.story.mark(i, "partner_grade", "A" if rng.random() < 0.4 else "B")

    def _method(self, i: int, prior: Snapshot, rng: np.random.Generator) -> str:
        idle = self.state.tax_until[i] < prior.year or self.state.tax_from[i] == NEVER
        odds = dict(self.known["idle_odds" if idle else "odds"])
        if not idle and (prior.above[i] or prior.tax[i] / prior.land[i] > 0.5):
            odds |= {"shut_down": 0.0, "land_bank": 0.01, "judicial": 0.01}
        odds["partition"] = 0.0 if idle or prior.land[i] < 25 else 0.2
        odds = {method: share for method, share in odds.items() if method in self.words}
        if not sum(odds.values()):
            return next(iter(self.words))
        weights = np.array(list(odds.values()))
        return str(rng.choice(list(odds), p=weights / weights.sum()))

    def _procedure(self, i: int, year: int, rng: np.random.Generator) -> dict[str, Any] | None:
        """File notice, statement, certificate, public notice and plan; None where the listing was withdrawn."""
        span = ("01-05", "02-20") if year == self.known.get("first_action") else ("03-01", "04-20")
        row: dict[str, Any] = {"i": i, "notified": dated(rng, *(f"{year}-{day}" for day in span))}

        def later(than: str, low: int, high: int) -> pd.Timestamp:
            return row[than] + pd.Timedelta(days=int(rng.integers(low, high)))

        if rng.random() < 0.3:
            row["statement"] = later("notified", 2, 15)
            row["statement_result"] = "撤销" if rng.random() < 0.06 else "维持"
        row["certified"] = later("notified", 17, 40)
        row["published"] = later("certified", 3, 20)
        row["plan_submitted"] = later("certified", 10, 40)
        row["plan_approved"] = later("plan_submitted", 5, 30)
        if row.get("statement_result") == "撤销":
            self.process.setdefault(i, {name: row[name] for name in ("i", "notified", "statement", "statement_result")})
            return None
        if "certified" not in self.process.get(i, {}):
            self.process[i] = row
        return row

    def _queue(self, tax: np.ndarray, rng: np.random.Generator) -> list[int]:
        """Return open cases in the order in which the county gets to them: near the line, old and lucky first."""
        land = self.state.land
        score = {
            i: 0.35 * np.log(max(tax[i] / land[i], 0.05)) + 0.3 * case["listed"] + rng.normal(0, 0.8)
            for i, case in sorted(self.open.items())
            if case["kind"] != "contract"
        }
        return sorted(score, key=lambda i: -score[i])

    def _resolve(self, i: int, year: int, paid: Paid, line: float, rng: np.random.Generator) -> None:
        """Carry a case through by its method: raises tax (万元), or takes land or the enterprise out."""
        kind, land = self.open[i]["kind"], float(self.state.land[i])
        if kind == "shut_down":
            released = land if rng.random() < 0.65 else 0.0
            self._leave(i, paid[0], 2 if released else 1, rng)
            return self._end(i, year, "清退", rng, released_mu=released)
        if kind in ("land_bank", "judicial") and rng.random() < 0.6:
            self._leave(i, paid[0], 2, rng)
            if kind == "land_bank":
                cost = float(np.round(land * rng.uniform(14, 24), 1))
                return self._end(i, year, "整体收储", rng, released_mu=land, whole="整体", cost_wan=cost)
            return self._end(i, year, "破产", rng, released_mu=land, successor_code=self._heir(i, year, land))
        more: dict[str, Any] = {}
        if kind in ("partition", "land_bank"):
            part = float(np.round(land * rng.uniform(0.25, 0.6), 2))
            self.state.land[i] = np.round(land - part, 2)
            more = {"released_mu": part, "whole": "部分"}
            if kind == "partition":
                more["successor_code"] = self._heir(i, year, part)
        self._raise(i, year, paid, line * (1.002 + rng.exponential(self.known["uplift"][kind])))
        more |= {"upgraded": True} if kind == "upgrade" and rng.random() < 0.4 else {}
        return self._end(i, year, self.known["outcomes"][kind], rng, **more)

    def _raise(self, i: int, year: int, paid: Paid, per_mu: float) -> None:
        (tax, topped), state = paid, self.state
        per_mu = max(per_mu, float(tax[i] / state.land[i]))
        state.tax_from[i], state.tax_until[i] = min(state.tax_from[i], year), NEVER
        state.settle(i, per_mu, year)
        full = np.round(per_mu * state.land[i] + 0.01, 2)
        topped[i] += 0.5 * max(full - max(tax[i], 0.0), 0.0)
        tax[i] = full

    def _leave(self, i: int, tax: np.ndarray, status: int, rng: np.random.Generator) -> None:
        self.state.status[i] = status
        tax[i] = np.round(max(tax[i], 0.0) * rng.uniform(0, 0.3), 2)

    def _heir(self, i: int, year: int, land: float) -> str:
        """Choose the successor of land: the working 规上 nearest in the roster that is no case itself."""
        free = (self.state.status == 0) & self.state.above & (self.state.first < year)
        free[list(self.open)] = False
        others = np.flatnonzero(free)
        heir = int(others[np.argmin(np.abs(others - i))]) if len(others) else i
        if heir != i:
            self.heirs.append((year, heir, land))
        return self.story.firms["credit_code"].iloc[heir]

    def _end(self, i: int, year: int, outcome: str, rng: np.random.Generator, **more: Any) -> None:
        case = self.open.pop(i)
        earliest = max(case["started"] + pd.Timedelta(days=30), pd.Timestamp(year, 3, 1))
        finished = dated(rng, str(earliest.date()), f"{year}-12-26")
        case |= {"outcome": outcome, "finished": finished, **more}
        if outcome in self.known["written_off"]:
            case["written_off"] = finished + pd.Timedelta(days=int(rng.integers(15, 70)))
            steps = {"applied": finished + pd.Timedelta(days=3), "first_accept": finished + pd.Timedelta(days=8)}
            self.process[i] |= steps | {"recognised": case["written_off"] - pd.Timedelta(days=2)}
        if case["kind"] == "shut_down" and more.get("released_mu") and rng.random() < 0.5:
            case["demolished_m2"] = float(np.round(more["released_mu"] * 666.7 * 0.4 * rng.uniform(0.3, 0.8)))
            case["demolished_on"] = finished + pd.Timedelta(days=20)
        self.story.disposals.append(case)

    def _press(self, year: int, rng: np.random.Generator) -> None:
        """List as priority what is overdue at the end of ``year``: dated next spring."""
        for i, case in sorted(self.open.items()):
            if case["due"] < pd.Timestamp(year, 12, 31) and case["kind"] != "contract":
                self.process[i].setdefault("key_listed", dated(rng, f"{year + 1}-01-10", f"{year + 1}-03-20"))
                case["late"] = True
                name = "agreement_breached" if case["kind"] == "rectify" else "no_feasible_method"
                self.story.mark(i, name, case["kind"] == "rectify" or rng.random() < 0.3)

    def finish(self, last: int) -> None:
        """File what is still open, and the procedure rows; dates after ``last`` are not known yet and drop out."""
        end = pd.Timestamp(last, 12, 31)
        for _, case in sorted(self.open.items()):
            outcome = "未完成" if case.get("late") else "进行中" if case["started"] <= end else "未启动"
            self.story.disposals.append(case | {"outcome": outcome, "next_step": self.known["next_step"][outcome]})
        for _, row in sorted(self.process.items()):
            self.story.process.append({k: v for k, v in row.items() if not (isinstance(v, pd.Timestamp) and v > end)})


def pool(story: Story, year: int) -> np.ndarray:
    """Return who counts as 规下 of the usual land and more in the share of ``year``, (n,): not exempt, not lawfully building."""
    state, free = story.state, ~story.flag("exempt_industry") & ~building(story, year)
    large = state.land >= story.place.programme["usual_land"]
    return (state.first <= year) & (state.status < 2) & ~state.above & large & free


def building(story: Story, year: int) -> np.ndarray:
    """Return who is within the agreed building time or the first year after completion at the end of ``year``, (n,)."""
    end = np.datetime64(f"{year}-12-31")
    agreed, done = (story.facts[name].to_numpy() for name in ("contract_completion", "completed"))
    unfinished = np.isnat(done) | (done > end)
    return (unfinished & (agreed >= end)) | (~unfinished & (done > end - np.timedelta64(365, "D")))


def low_share(story: Story, year: int, tax: np.ndarray) -> float:
    """Return the share of 规下 land in the programme below its line; closed plants stay at zero tax."""
    land, members = story.state.land, pool(story, year)
    low = members & (tax / land < story.own_line(year, np.array(False)))
    return float(land[low].sum() / land[members].sum()) if members.any() else 0.0


def below_line(story: Story, year: int, tax: np.ndarray) -> np.ndarray:
    """Return the 规上 that work, are not exempt or building, and stay below the line of ``year``, (n,)."""
    state, free = story.state, ~story.flag("exempt_industry") & ~building(story, year)
    low = tax / state.land < story.own_line(year, np.array(True))
    return (state.first <= year) & (state.status == 0) & state.above & free & low
