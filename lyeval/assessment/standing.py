"""Where each enterprise stands in a year (企业状态): class, scope, line, list, ways out, stage; every count is a selection of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lyeval.assessment.conditions import decide
from lyeval.assessment.frame import Frame, any_of, under
from lyeval.indicators import Exits, Tri, cases, exit_of, step, year_end
from lyeval.indicators import exits as exits_on

YUAN_WAN = 1e-4
STAGES = (("certified", "已认定"), ("notified", "已告知"))
WORDS = {"reached": "达到", "left": "退出", "below": "未达到", "open": "待判定"}


@dataclass(frozen=True, eq=False)
class Standing:
    """The one standing of each enterprise: of a ledger, a plan with its readings, and a year, as of a day.

    Attributes
    ----------
    frame
        The year laid out: facts, classes, scope, exclusions, criteria.
    day
        The day as of which it stands; nothing dated later is read.
    """

    frame: Frame
    day: np.datetime64

    @cached_property
    def exits(self) -> Exits:
        """What has become of each enterprise by the day."""
        same = self.day == self.frame.day
        return self.frame.exits if same else exits_on(self.frame.book, self.day, self.frame.last_land)

    @cached_property
    def on_ledger(self) -> np.ndarray:
        """With any row of the year, or still standing from before (台账企业), shape (n,)."""
        book, frame = self.frame.book, self.frame
        years = [y for y in book.years if y <= frame.facts_year]
        seen = np.logical_or.reduce([book.rows(y) >= 0 for y in years] or [np.zeros(len(book), dtype=bool)])
        future = np.logical_or.reduce([book.rows(y) >= 0 for y in book.years] or [np.zeros(len(book), dtype=bool)])
        return (book.rows(frame.facts_year) >= 0) | ((seen | ~future) & ~frame.gone_before)

    @cached_property
    def gone_before(self) -> np.ndarray:
        """Gone before 1 January of the year (退出（以前年度）), shape (n,)."""
        return self.frame.gone_before & self.on_ledger

    @property
    def gone(self) -> Tri:
        """Gone by the day, shape (n,); an outcome without a date is unknown."""
        return self.exits.gone

    @cached_property
    def in_scope(self) -> Tri:
        """Who falls under the plan in the year: by its rule, and not gone before. Shape (n,)."""
        return self.frame.in_scope & Tri.of(~self.frame.gone_before & self.on_ledger)

    @cached_property
    def here_in_scope(self) -> np.ndarray:
        """In scope and here on the day (适用范围内): the base of land, tax and tax per mu. Shape (n,)."""
        return self.in_scope.true & ~self.gone.true

    @cached_property
    def excluded(self) -> np.ndarray:
        """In scope and here, excluded by a ground, and not on the list (除外), shape (n,)."""
        masks = list((self.frame.excluded("identification") | self.frame.excluded("targets")).values())
        any_ground = np.logical_or.reduce(masks) if masks else np.zeros(len(self.frame.book), dtype=bool)
        return self.here_in_scope & any_ground & ~self.listed.true

    @cached_property
    def line(self) -> np.ndarray:
        """The line of the enterprise's class: its target's, else that of identification, 万元/亩, shape (n,); NaN without a class."""
        return self.frame.lines[0]

    @cached_property
    def below(self) -> Tri:
        """Below its line on the tax that the year is judged by, shape (n,)."""
        return self.frame.below(self.frame.now.tax_per_mu)

    @cached_property
    def tax_needed(self) -> np.ndarray:
        """What the tax lacks to reach the line, 万元, shape (n,): 0 where it reaches, NaN unknown.

        At least one yuan where it does not: on the line itself, where a reading has it that this is below.
        """
        lacking = self.line * self.frame.now.land - self.frame.now.tax
        return np.where(self.below.false, 0.0, np.where(lacking < YUAN_WAN, np.maximum(lacking, YUAN_WAN), lacking))

    @property
    def grounds(self) -> dict[str, Tri]:
        """Each criterion on the facts of the year before: id → column, shape (n,)."""
        return self.frame.criteria

    @property
    def grounds_left(self) -> dict[str, Tri]:
        """Each criterion on the year's own facts: id → column, shape (n,)."""
        return self.frame.left

    @property
    def listed(self) -> Tri:
        """On the list of the year (列入): grounds on the facts of the year before, and here on 1 January. Shape (n,)."""
        return self.frame.identified

    @property
    def judged(self) -> bool:
        """Whether the year's own facts are known: before that nobody has reached its line or is below it."""
        return self.frame.facts_year >= self.frame.year

    @cached_property
    def state(self) -> dict[str, np.ndarray]:
        """What has become of the listed: reached, left, below, open → mask, shape (n,); every listed enterprise is in exactly one."""
        listed, here = self.listed.true, self.gone.false & self.judged
        left = listed & self.gone.true
        reached, below = listed & here & self.below.false, listed & here & self.below.true
        return {"reached": reached, "left": left, "below": below, "open": listed & ~left & ~reached & ~below}

    @cached_property
    def cleared(self) -> Tri:
        """No ground of identification is left on the year's own facts, shape (n,)."""
        return ~any_of(self.grounds_left, len(self.frame.book))

    @cached_property
    def freed(self) -> np.ndarray:
        """Reached its line, and no ground left (情形消除), shape (n,)."""
        return self.state["reached"] & self.cleared.true

    @property
    def listed_here(self) -> np.ndarray:
        """Listed, and not known to have left by the day, shape (n,)."""
        return self.listed.true & ~self.gone.true

    @cached_property
    def way_out(self) -> tuple[np.ndarray, np.ndarray]:
        """The outcome by which each left, and the day; "" and NaT for those here. Shape (n,)."""
        return exit_of(self.frame.book, self.day, self.gone.true)

    @cached_property
    def written_off(self) -> np.ndarray:
        """The day of writing off (销号), NaT where none was by the day, shape (n,)."""
        return self.exits.written_off

    def step(self, name: str) -> np.ndarray:
        """Return the day of a step of the procedure, NaT where it was not taken by the day, shape (n,)."""
        return step(self.frame.book, name, self.day)

    @cached_property
    def priority(self) -> np.ndarray:
        """Named by the task force by the day (重点), shape (n,)."""
        return ~np.isnat(self.step("key_listed"))

    @cached_property
    def eligible(self) -> np.ndarray:
        """Listed, here, a trigger of priority true, and not named (符合重点条件), shape (n,)."""
        rules = [c for c in self.frame.policy.consequences if c.trigger == "priority" and c.when is not None]
        hit = np.zeros(len(self.frame.book), dtype=bool)
        for rule in rules:
            hit |= decide(rule.when, self.frame.reported).true if rule.when is not None else False
        return self.listed_here & hit & ~self.priority

    @cached_property
    def stage(self) -> np.ndarray:
        """The legal word for the stage: 符合认定条件, 已告知, 已认定, 重点; "" where it is not listed. Shape (n,)."""
        out = np.where(self.listed.true, "符合认定条件", "").astype(object)
        for column, word in reversed(STAGES):
            out[~np.isnat(self.step(column))] = word
        out[self.priority] = "重点"
        return out

    @cached_property
    def earlier(self) -> dict[int, Standing]:
        """The standings of the earlier years with a list: year → standing at its 31 December."""
        out: dict[int, Standing] = {}
        for year in (y for y in self.frame.policy.years.identification if y < self.frame.year):
            frame = Frame(self.frame.policy, self.frame.book, year, min(year, self.frame.facts_year))
            out[year] = Standing(frame, min(year_end(year), self.day))
        return out

    @cached_property
    def reached_earlier(self) -> np.ndarray:
        """Reached its line in an earlier year, by that year's standing or by a case that ended 达标 in one, shape (n,)."""
        out = np.zeros(len(self.frame.book), dtype=bool)
        for then in self.earlier.values():
            out |= then.state["reached"]
        rows = cases(self.frame.book)
        done = (rows.outcome == "达标") & rows.ended(min(year_end(self.frame.year - 1), self.day))
        out[rows.at[done & (rows.at >= 0)]] = True
        return out

    @cached_property
    def relapsed(self) -> np.ndarray:
        """Written off, or reached in an earlier year, here, and below its line in the year (反弹), shape (n,)."""
        passed = ~np.isnat(self.written_off) | self.reached_earlier
        return passed & self.below.true & ~self.gone.true & self.judged

    def case(self, what: str) -> np.ndarray:
        """Tell which rows of the disposals sheet are ``open``, ``finished`` or ``overdue`` on the day (在办, 办结, 逾期)."""
        rows = cases(self.frame.book)
        if what == "finished":
            return rows.begun(self.day) & rows.done(self.day)
        return {"open": rows.open, "overdue": rows.overdue}[what](self.day)


def standing_of(frame: Frame, day: np.datetime64 | None = None) -> Standing:
    """Return the standing of a year as of a day, by default the last that the frame knows."""
    return Standing(frame, frame.day if day is None else day)


__all__ = ["STAGES", "Standing", "standing_of", "under"]
