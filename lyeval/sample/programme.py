"""A programme of yearly lists in a sample county: each listed enterprise gets a method, dates of procedure, an outcome or none.

Who is listed is decided by the plan itself, on the ledger as it stands at the end of the year before; a place that knows the path of
its low-efficiency land (``share_path``) is brought along it instead.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import assess
from lyeval.indicators import MU_M2
from lyeval.sample.sheets import ledger
from lyeval.sample.story import NEVER, Paid, Snapshot, Story, dated
from lyeval.sample.yearbook import penalty_rates


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
        share, left = (_on_path(self.known[name], year) for name in ("share_path", "above_left_path"))
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


def _on_path(path: dict[int, float], year: int) -> float:
    return path.get(year, path[max(path)])


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
