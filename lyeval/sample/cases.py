"""Linshu's cases: each listed enterprise gets a method, dates of procedure, an outcome or none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lyeval.sample.panel import NEVER, Snapshot, settle
from lyeval.sample.story import Story, dated

UPLIFT = {"upgrade": 0.30, "rectify": 0.25, "merge": 0.70, "partition": 0.20, "land_bank": 0.20, "judicial": 0.40}
LABELS = {
    "upgrade": ("帮扶提升", "帮扶提升", "技术改造", "税负辅导"),
    "rectify": ("限期整改", "限期整改", "签订补充协议"),
    "merge": ("并购重组",),
    "partition": ("分割转让",),
    "land_bank": ("收购储备",),
    "judicial": ("司法解决",),
    "shut_down": ("有序清退",),
    "contract": ("其他",),
}
USUAL = {
    "upgrade": 0.36,
    "rectify": 0.30,
    "merge": 0.08,
    "land_bank": 0.06,
    "judicial": 0.03,
    "shut_down": 0.06,
    "contract": 0.02,
}
IDLE = {"land_bank": 0.45, "judicial": 0.30, "shut_down": 0.25}
FACTS = {
    "upgrade": {},
    "rectify": {"supplementary_agreement_signed": True},
    "merge": {
        "partner_energy_intensive": False,
        "partner_meets_industry_access": True,
        "partner_output_clearly_higher": True,
    },
    "partition": {
        "has_long_idle_land": True,
        "existing_land_meets_production": True,
        "mortgagee_consents": True,
        "split_feasible": True,
        "transferee_meets_plan_and_access": True,
    },
    "land_bank": {"cannot_meet_benefit_soon": True},
    "judicial": {"zombie": True},
    "shut_down": {"rectified_without_effect": True},
    "contract": {"contract_overrides": True},
}
LAND_TAX = {"县城": 6.40, "建制镇": 4.00, "工矿区": 4.00}
M2_PER_MU = 2000 / 3


class Book:
    """Open cases of one county; files rows into the story when they end."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.open: dict[int, dict[str, Any]] = {}
        self.heirs: list[tuple[int, int, float]] = []
        self.process: dict[int, dict[str, Any]] = {}

    def hand_over(self, year: int) -> None:
        """Give land that left a firm last year to its successor."""
        for when, heir, land in self.heirs:
            if when == year - 1:
                self.story.state.land[heir] = np.round(self.story.state.land[heir] + land, 2)

    def charge(self, year: int, tax: np.ndarray) -> None:
        """Add the land-use tax increment of priority enterprises (half of the full rate) to ``tax`` in place, 万元."""
        for i, row in self.process.items():
            listed = row.get("key_listed")
            if i in self.open and listed is not None and listed.year <= year:
                rate = LAND_TAX[self.story.facts["location"].iloc[i]] * M2_PER_MU / 10000
                extra = float(np.round(rate / 2 * self.story.state.land[i], 2))
                self.story.extra[i, year] = extra
                tax[i] = np.round(tax[i] + extra, 2)

    def take(self, listed: np.ndarray, year: int, prior: Snapshot, rng: np.random.Generator) -> None:
        """Open a case for each enterprise newly on the list of ``year``."""
        for i in listed.tolist():
            if i in self.open:
                continue
            method = self._method(i, prior, rng)
            row = self._procedure(i, year, rng)
            if row is None:
                continue
            labels = LABELS[method]
            started = row["plan_approved"] + pd.Timedelta(days=int(rng.integers(1, 15)))
            self.open[i] = {
                "i": i,
                "kind": method,
                "listed": year,
                "method": labels[int(rng.integers(0, len(labels)))],
                "started": started,
                "due": started + pd.DateOffset(months=int(rng.choice([6, 12, 18]))),
                "responsible": self.story.firms["township"].iloc[i],
            }
            self._facts(i, method, rng)

    def _method(self, i: int, prior: Snapshot, rng: np.random.Generator) -> str:
        state = self.story.state
        idle = state.tax_until[i] < prior.year or state.tax_from[i] == NEVER
        odds = dict(IDLE if idle else USUAL)
        if not idle and (prior.above[i] or prior.tax[i] / prior.land[i] > 0.5):
            odds |= {"shut_down": 0.0, "land_bank": 0.01, "judicial": 0.01}
        odds["partition"] = 0.0 if idle or prior.land[i] < 25 else 0.2
        weights = np.array(list(odds.values()))
        return str(rng.choice(list(odds), p=weights / weights.sum()))

    def _facts(self, i: int, method: str, rng: np.random.Generator) -> None:
        facts = self.story.facts
        for name, value in FACTS[method].items():
            sure = rng.random() < 0.95 or name in ALWAYS
            facts.loc[i, name] = value if sure else pd.NA
        if method == "merge":
            facts.loc[i, "partner_grade"] = "A" if rng.random() < 0.4 else "B"

    def _procedure(self, i: int, year: int, rng: np.random.Generator) -> dict[str, Any] | None:
        """File notice, statement, certificate, public notice and plan; None where the listing was withdrawn."""
        notified = (
            dated(rng, "2022-01-05", "2022-02-20") if year == 2022 else dated(rng, f"{year}-03-01", f"{year}-04-20")
        )
        row: dict[str, Any] = {"i": i, "notified": notified}
        if rng.random() < 0.3:
            row["statement"] = notified + pd.Timedelta(days=int(rng.integers(2, 15)))
            row["statement_result"] = "撤销" if rng.random() < 0.06 else "维持"
        row["certified"] = notified + pd.Timedelta(days=int(rng.integers(17, 40)))
        row["published"] = row["certified"] + pd.Timedelta(days=int(rng.integers(3, 20)))
        row["plan_submitted"] = row["certified"] + pd.Timedelta(days=int(rng.integers(10, 40)))
        row["plan_approved"] = row["plan_submitted"] + pd.Timedelta(days=int(rng.integers(5, 30)))
        if row.get("statement_result") == "撤销":
            self.process.setdefault(i, {name: row[name] for name in ("i", "notified", "statement", "statement_result")})
            return None
        if "certified" not in self.process.get(i, {}):
            self.process[i] = row
        return row

    def queue(self, tax: np.ndarray, rng: np.random.Generator) -> list[int]:
        """Return open cases in the order in which the county gets to them: near the line, old and lucky first."""
        land = self.story.state.land
        score = {
            i: 0.35 * np.log(max(tax[i] / land[i], 0.05)) + 0.3 * case["listed"] + rng.normal(0, 0.8)
            for i, case in sorted(self.open.items())
            if case["kind"] != "contract"
        }
        return sorted(score, key=lambda i: -score[i])

    def credit(self, reached: np.ndarray, year: int, rng: np.random.Generator) -> None:
        """Close cases whose enterprise has come over its line by itself."""
        for i in reached.tolist():
            if i in self.open and self.open[i]["kind"] in ("upgrade", "rectify") and rng.random() < 0.85:
                self._end(i, year, "达标", rng)

    def resolve(
        self, i: int, year: int, paid: tuple[np.ndarray, np.ndarray], line: float, rng: np.random.Generator
    ) -> None:
        """Carry a case through by its method: raises tax (万元), or takes land or the enterprise out."""
        kind, state = self.open[i]["kind"], self.story.state
        land = float(state.land[i])
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
            state.land[i] = np.round(land - part, 2)
            more = {"released_mu": part, "whole": "部分"}
            if kind == "partition":
                more["successor_code"] = self._heir(i, year, part)
        self._raise(i, year, paid, line * (1.002 + rng.exponential(UPLIFT[kind])))
        more |= {"upgraded": True} if kind == "upgrade" and rng.random() < 0.4 else {}
        return self._end(i, year, OUTCOMES[kind], rng, **more)

    def _raise(self, i: int, year: int, paid: tuple[np.ndarray, np.ndarray], per_mu: float) -> None:
        tax, topped = paid
        state = self.story.state
        per_mu = max(per_mu, float(tax[i] / state.land[i]))
        state.tax_from[i], state.tax_until[i] = min(state.tax_from[i], year), NEVER
        settle(state, i, per_mu, year)
        full = np.round(per_mu * state.land[i] + 0.01, 2)
        topped[i] += 0.5 * max(full - max(tax[i], 0.0), 0.0)
        tax[i] = full

    def _leave(self, i: int, tax: np.ndarray, status: int, rng: np.random.Generator) -> None:
        self.story.state.status[i] = status
        tax[i] = np.round(max(tax[i], 0.0) * rng.uniform(0, 0.3), 2)

    def _heir(self, i: int, year: int, land: float) -> str:
        """Choose the successor of land: the best-paying working 规上 nearby in the list that is no case itself."""
        state = self.story.state
        free = (state.status == 0) & state.above & (state.first < year)
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
        if outcome in CHECKED:
            case["written_off"] = finished + pd.Timedelta(days=int(rng.integers(15, 70)))
            steps = self.process[i]
            steps["applied"] = finished + pd.Timedelta(days=3)
            steps["first_accept"] = finished + pd.Timedelta(days=8)
            steps["recognised"] = case["written_off"] - pd.Timedelta(days=2)
        if case["kind"] == "shut_down" and more.get("released_mu") and rng.random() < 0.5:
            case["demolished_m2"] = float(np.round(more["released_mu"] * 666.7 * 0.4 * rng.uniform(0.3, 0.8)))
            case["demolished_on"] = finished + pd.Timedelta(days=20)
        self.story.disposals.append(case)

    def press(self, year: int, rng: np.random.Generator) -> None:
        """List as priority what is overdue at the end of ``year``: dated next spring."""
        for i, case in sorted(self.open.items()):
            if case["due"] < pd.Timestamp(year, 12, 31) and case["kind"] != "contract":
                steps = self.process[i]
                steps.setdefault("key_listed", dated(rng, f"{year + 1}-01-10", f"{year + 1}-03-20"))
                case["late"] = True
                name = "agreement_breached" if case["kind"] == "rectify" else "no_feasible_method"
                self.story.facts.loc[i, name] = case["kind"] == "rectify" or rng.random() < 0.3

    def finish(self, last: int) -> None:
        """File what is still open, and the procedure rows; dates after ``last`` are not known yet and drop out."""
        end = pd.Timestamp(last, 12, 31)
        for _, case in sorted(self.open.items()):
            state = "逾期未完成" if case.get("late") else "进行中" if case["started"] <= end else "未启动"
            self.story.disposals.append(case | {"outcome": OPEN[state], "next_step": NEXT[state]})
        for _, row in sorted(self.process.items()):
            self.story.process.append({k: v for k, v in row.items() if not (isinstance(v, pd.Timestamp) and v > end)})


ALWAYS = ("zombie", "rectified_without_effect", "contract_overrides")
OUTCOMES = {
    "upgrade": "达标",
    "rectify": "达标",
    "merge": "重组",
    "partition": "转让",
    "land_bank": "部分收储",
    "judicial": "重组",
}
CHECKED = ("达标", "重组", "转让", "部分收储", "整体收储")
OPEN = {"逾期未完成": "未完成", "进行中": "进行中", "未启动": "未启动"}
NEXT = {"逾期未完成": "列为重点低效企业，实施差别化政策", "进行中": "按方案推进，按月调度", "未启动": "协商签订协议"}
