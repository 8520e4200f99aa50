"""One year of a plan laid out over a ledger: facts, classes, scope, exclusions, criteria."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, reduce

import numpy as np
import pandas as pd

from lyeval.assessment.conditions import columns_of, decide
from lyeval.assessment.grades import rate
from lyeval.indicators import (
    CONTROLS,
    Book,
    Exits,
    Fact,
    Facts,
    Tri,
    compare,
    exits,
    pays_nothing,
    released_since,
    step,
    year_end,
)
from lyeval.policy import Policy
from lyeval.policy.model import Exclusion, Target, Tax


@dataclass(frozen=True, eq=False)
class Frame:
    """A year of a plan over a ledger.

    Attributes
    ----------
    policy, book
        The plan with its readings applied; the ledger laid out.
    year
        The evaluation year.
    facts_year
        The latest year whose facts are read; below ``year`` when the year is still to come (class and land are carried).
    plan_days
        Days that the county gives for handing in a disposal plan, None where it has said none.
    on
        The day as of which disposals are read; 31 December of the facts' year by default.
    """

    policy: Policy
    book: Book
    year: int
    facts_year: int
    plan_days: float | None = None
    on: np.datetime64 | None = None

    @property
    def day(self) -> np.datetime64:
        """The day as of which disposals are read: nothing dated later is known."""
        return year_end(self.facts_year) if self.on is None else self.on

    @cached_property
    def exits(self) -> Exits:
        """What has become of each enterprise by the day."""
        return exits(self.book, self.day, self._site)

    @cached_property
    def gone_before(self) -> np.ndarray:
        """Gone for certain before 1 January of the year: neither in scope nor listed in it. Shape (n,)."""
        return exits(self.book, min(year_end(self.year - 1), self.day), self._site).gone.true

    @cached_property
    def _site(self) -> np.ndarray:
        land = land_of(self.policy, self.book, self.facts_year)
        return np.where(np.isnan(land), self.last_land, land)

    @cached_property
    def unreleased(self) -> np.ndarray:
        """Each enterprise's last known land less what has been released since, 亩, shape (n,)."""
        last, year = self._site, np.full(len(self.book), self.facts_year)
        for y in (y for y in self.book.years if y <= self.facts_year):
            year = np.where(~np.isnan(land_of(self.policy, self.book, y)), y, year)
        return last - released_since(self.book, self.day, last, year)

    @cached_property
    def last_land(self) -> np.ndarray:
        """Each enterprise's latest known land, 亩, shape (n,)."""
        own = self.book.last_known("land_mu", self.facts_year)
        return np.where(np.isnan(own), self.book.last_known("approved_mu", self.facts_year), own)

    @cached_property
    def ended(self) -> np.ndarray:
        """Closed or bankrupt for certain: what is blank of these is carried from their last year. Shape (n,)."""
        return self.exits.closed.true | self.exits.bankrupt.true

    @cached_property
    def now(self) -> Facts:
        """The facts that targets of the year are judged by."""
        year = self.facts_year - (self.policy.tax.year == "previous_year")
        return self._facts(year, to_date=self.policy.tax.year == "year_to_date")

    @property
    def before(self) -> Facts:
        """The facts of the year before, on which the list of the year is drawn up."""
        return self._at(self.year - 1)

    @property
    def reported(self) -> Facts:
        """The facts of the facts' year as they stand, whatever year a reading judges by."""
        return self._at(self.facts_year)

    def _facts(self, year: int, *, to_date: bool = False) -> Facts:
        tax, land = tax_of(self.policy, self.book, year, to_date=to_date), land_of(self.policy, self.book, year)
        ratio = tax / land if self.policy.tax.attribution == "enterprise" else parcel_ratio(self.book, year, tax, land)
        above, line = self.book.annual_flag("above_scale", year), self.line(self.year)
        facts = Facts(self.book, year, tax, land, ratio, above, line, self.plan_days, self._at, self._minimums)
        if self.policy.tax.idle_blank != "unknown" and np.isnan(tax).any():
            blank = np.isnan(tax) & pays_nothing(facts, grace=self.policy.tax.idle_blank == "zero")
            tax, ratio = np.where(blank, 0.0, tax), np.where(blank, 0.0 / land, ratio)
        return replace(
            facts,
            tax=tax,
            tax_per_mu=ratio,
            below=self.below(ratio),
            own=self.policy.facts,
            graded=self._graded if self.policy.scores else None,
        )

    @cached_property
    def _minimums(self) -> dict[str, dict[str, float]]:
        """The county's minimum standards: control → its figure by industry."""
        rows = self.policy.minimums
        return {c: {m.industry: getattr(m, c) for m in rows if getattr(m, c) is not None} for c in CONTROLS}

    def below(self, ratio: np.ndarray) -> Tri:
        """Tell which tax per mu, 万元/亩, shape (n,), is below the line of the enterprise's class in the year."""
        return under(ratio, *self.lines)

    @cached_property
    def lines(self) -> tuple[np.ndarray, np.ndarray]:
        """The line that each enterprise's class is held to, 万元/亩 (NaN without a class), and whether on it is below. Shape (n,)."""
        above, below = (held_to(self.policy, self.year, name) for name in ("above", "below"))
        both = above if above == below else (np.nan, False)
        out = [np.where(self.above.true, above[k], np.where(self.above.false, below[k], both[k])) for k in (0, 1)]
        return out[0], out[1].astype(bool)

    @cached_property
    def grades(self) -> pd.DataFrame:
        """What the plan's scores give on the facts' year: credit_code, score, grade, in order of codes; no row without scores."""
        codes, rules = self.book.codes, self.policy.scores
        here = self.pool("targets").true & ~self.exits.gone.true
        score, grade = rate(rules, self.reported, here, self.above)
        return pd.DataFrame({"credit_code": codes, "score": score, "grade": grade})[: len(codes) if rules else 0]

    @lru_cache(maxsize=32)  # noqa: B019 - once for each year, as long as its frame
    def _graded(self, year: int) -> np.ndarray:
        """Return the grades of a year, object array of shape (n,), "" without one."""
        frame = self if year == self.facts_year else replace(self, year=year, facts_year=year, on=None)
        found = frame.grades["grade"].to_numpy(dtype=object)
        return np.array(["" if grade is None else grade for grade in found], dtype=object)

    def _at(self, year: int) -> Facts:
        """Return the facts of a year under the plan, laid out once."""
        if year not in self._laid_out:
            self._laid_out[year] = self._facts(year)
        return self._laid_out[year]

    @cached_property
    def _laid_out(self) -> dict[int, Facts]:
        return {}

    @cached_property
    def class_year(self) -> int:
        """The year whose list of 规上 gives the classes."""
        at = self.year if self.policy.classes.at == "evaluation" else self.year - 1
        return min(at, self.facts_year)

    @cached_property
    def above(self) -> Tri:
        """规上 for true, 规下 for false, shape (n,); of a closed or bankrupt enterprise without a row, as last known."""
        flag = self.book.annual_flag("above_scale", self.class_year)
        last = self.book.last_known("above_scale", self.class_year)
        return Tri(last == 1, last == 0).where(flag.unknown & self.ended, flag)

    def line(self, year: int) -> np.ndarray:
        """Return the line of identification of each enterprise's class, 万元/亩, shape (n,); NaN where it hangs on the class."""
        lines = self.policy.identification.lines
        above, below = dated(lines.above, year), dated(lines.below, year)
        if above == below:
            return np.full(len(self.book), above)
        return np.where(self.above.true, above, np.where(self.above.false, below, np.nan))

    @cached_property
    def in_scope(self) -> Tri:
        """Who falls under the plan in the year, shape (n,)."""
        when = self.policy.scope.when
        if when is None:
            return Tri.all(len(self.book), True)
        now = replace(self.reported, graded=None)
        land = np.where(np.isnan(now.land) & self.ended, self.last_land, now.land)
        flag = self.book.annual_flag("above_scale", self.facts_year)
        above = self.above.where(flag.unknown & self.ended, flag)
        return decide(when, replace(now, land=land, above_scale=above))

    @lru_cache(maxsize=2)  # noqa: B019 - once for each purpose, as long as its frame
    def excluded(self, purpose: str) -> dict[str, np.ndarray]:
        """Return who each exclusion leaves out of ``identification`` or ``targets``: id → mask, shape (n,)."""
        return {x.id: self._excluded(x, purpose) for x in self.policy.exclusions if purpose in x.applies_to}

    def _excluded(self, exclusion: Exclusion, purpose: str) -> np.ndarray:
        if exclusion.protected:
            return self.book.date("protected_until") >= self._protection_day(exclusion.at)
        if exclusion.when is None:
            return np.zeros(len(self.book), dtype=bool)
        facts = self.before if purpose == "identification" else replace(self.reported, whole_year=True)
        return decide(exclusion.when, replace(facts, graded=None)).true  # scores rate whom exclusions leave

    @lru_cache(maxsize=4)  # noqa: B019
    def unconfirmed(self, purpose: str, *, blank: bool = False) -> dict[str, np.ndarray]:
        """Return whom an exclusion may leave out that the ledger tells nothing of: column → mask, shape (n,).

        Parameters
        ----------
        blank
            Exclusions whose columns are there and wholly blank, instead of those of which the ledger has no column.
        """
        out: dict[str, np.ndarray] = {}
        for exclusion in (x for x in self.policy.exclusions if purpose in x.applies_to):
            columns = exclusion_columns(exclusion, self.policy.fact)
            there = any(self.book.has("enterprises", c) or self.book.has("annual", c) for c in columns)
            if there == blank and not any(self.book.filled(c) for c in columns):
                may = ~self._excluded(exclusion, purpose)
                out |= dict.fromkeys(columns, may & ~self._produced if set(columns) <= BUILDING else may)
        return {name: mask for name, mask in out.items() if mask.any()}

    @property
    def _produced(self) -> np.ndarray:
        """Paid tax, used power or operated normally in the year before: not under construction. Shape (n,)."""
        power = self.book.annual("power_wankwh", self.before.year)
        return (self.before.tax > 0) | (power > 0) | self.book.annual_flag("operating_normally", self.before.year).true

    def _protection_day(self, at: str) -> np.datetime64:
        if at == "facts":
            return year_end(self.year - 1)
        return np.datetime64(f"{self.year}-{'01-01' if at == 'any' else at}")

    @lru_cache(maxsize=2)  # noqa: B019
    def pool(self, purpose: str) -> Tri:
        """Return who is in scope and not excluded for a purpose, shape (n,)."""
        out = self.in_scope
        for mask in self.excluded(purpose).values():
            out = out & Tri.of(~mask)
        return out

    @cached_property
    def criteria(self) -> dict[str, Tri]:
        """Each criterion of identification on the facts of the year before: id → column, shape (n,)."""
        new = self._new
        out: dict[str, Tri] = {}
        for criterion in self.policy.identification.criteria:
            column = decide(criterion.when, self.before)
            out[criterion.id] = Tri.all(len(new), False).where(new & column.unknown, column)
        return out

    @cached_property
    def criteria_low_tax(self) -> np.ndarray:
        """Below the line of identification of its class in the year before, for certain, shape (n,)."""
        return under(self.before.tax_per_mu, self.before.line).true

    @cached_property
    def left(self) -> dict[str, Tri]:
        """Each criterion on the year's own facts, for those that it did not stand open for: id → column, shape (n,)."""
        out: dict[str, Tri] = {}
        for criterion in self.policy.identification.criteria:
            column, was = decide(criterion.when, self.reported), self.criteria[criterion.id]
            out[criterion.id] = column & Tri.of(~was.unknown | column.true)
        return out

    @cached_property
    def _new(self) -> np.ndarray:
        """Enterprises that demonstrably did not exist in the year before: no row up to it, and land or production later."""
        absent = np.isnan(self.book.last_known("year", self.year - 1)) if "year" in self.book.ledger.annual else False
        start = np.datetime64(f"{self.year}-01-01")
        later = (self.book.date("land_acquired") >= start) | (self.book.date("production_start") >= start)
        return absent & later

    @cached_property
    def identified(self) -> Tri:
        """Listed in the year: any criterion true (false only if all are), in the pool, and here on 1 January. Shape (n,)."""
        return any_of(self.criteria, len(self.book)) & self.pool("identification") & Tri.of(~self.gone_before)


BUILDING = {"contract_completion", "completed"}


def exclusion_columns(exclusion: Exclusion, fact: Callable[[str], Fact]) -> list[str]:
    """Return the ledger columns that say whom an exclusion leaves out."""
    asked = columns_of(exclusion.when, fact) if exclusion.when else []
    return (["protected_until"] if exclusion.protected else []) + asked


def any_of(columns: dict[str, Tri], n: int) -> Tri:
    """Tell for whom of ``n`` enterprises any of several columns is true."""
    return reduce(Tri.__or__, columns.values(), Tri.all(n, False))


def under(ratio: np.ndarray, line: float | np.ndarray, on_it: bool | np.ndarray = False) -> Tri:
    """Hold tax per mu against a line: the one place that does.

    Parameters
    ----------
    ratio, line
        万元/亩, of shapes that fit; NaN is unknown.
    on_it
        Whether a value on the line is below it.
    """
    if np.all(on_it):
        return compare(ratio, "le", line)
    lower = compare(ratio, "lt", line)
    return compare(ratio, "le", line).where(np.broadcast_to(on_it, np.shape(ratio)), lower) if np.any(on_it) else lower


def class_line(policy: Policy, year: int, name: str) -> float:
    """Return the line that a class is held to in ``year``, 万元/亩."""
    return held_to(policy, year, name)[0]


def held_to(policy: Policy, year: int, name: str) -> tuple[float, bool]:
    """Return the line that a class is held to in ``year``, 万元/亩, and whether on it is below.

    It is that of a target of the class, else of a target of any class; where none has a line, that of identification.
    """
    own = sorted((t for t in policy.targets if t.class_ in (name, "any")), key=lambda t: t.class_ == "any")
    lined = [t for t in own if any(d.threshold is not None for d in t.years.values())]
    for target in lined:
        line = threshold(target, year)
        if line is not None:
            return line, target.edge == "below"
    edge = lined[0].edge == "below" if lined else False
    return dated(getattr(policy.identification.lines, name), year), edge


def threshold(target: Target, year: int) -> float | None:
    """Return the target's line in ``year``, 万元/亩, or None where it has none."""
    return target.years[year].threshold if year in target.years else None


def dated(values: dict[int, float], year: int) -> float:
    """Return the value in force in ``year``: the latest named year up to it, else the first; NaN where none is named."""
    if not values:
        return np.nan
    past = [y for y in values if y <= year]
    return values[max(past)] if past else values[min(values)]


def tax_of(policy: Policy, book: Book, year: int, *, to_date: bool = False) -> np.ndarray:
    """Return each enterprise's tax of a year as the plan counts it, 万元, shape (n,), NaN unknown.

    Parameters
    ----------
    to_date
        Sum the months up to the plan's ``through_month`` instead of the year's figure.
    """
    rule = policy.tax
    if to_date:
        return book.monthly_sum(year, rule.through_month)
    if rule.source == "items":
        if not book.has("tax_items"):
            return np.full(len(book), np.nan)
        return np.where(_seen(book, year), _items(rule, book, year), np.nan)
    tax = book.annual("tax_wan", year)
    if rule.coefficients and book.has("tax_items"):
        tax = tax + _items(rule, book, year)
    if rule.extra_land_use_tax == "left_out":
        tax = tax - _extra_land_use_tax(book, year)
    return tax


def _items(rule: Tax, book: Book, year: int) -> np.ndarray:
    frame = book.ledger.tax_items
    weights = frame["year"] * 0.0
    ordered = sorted(rule.coefficients, key=lambda c: (c.item != "*") + (c.flow != "*"))
    for c in ordered:
        hit = ((frame["item"] == c.item) | (c.item == "*")) & ((frame["flow"] == c.flow) | (c.flow == "*"))
        weights = weights.mask(hit, c.coefficient)
    return book.items_sum(year, weights)


def _seen(book: Book, year: int) -> np.ndarray:
    frame = book.ledger.tax_items
    out = np.zeros(len(book), dtype=bool)
    out[book.positions(frame.loc[frame["year"] == year, "credit_code"])] = True
    return out


@lru_cache(maxsize=64)
def _extra_land_use_tax(book: Book, year: int) -> np.ndarray:
    """Land-use tax charged as a penalty, 万元; unknown only of those listed as priority (重点) without a figure."""
    extra, listed = book.annual("land_use_tax_extra_wan", year), ~np.isnat(step(book, "key_listed", year_end(year)))
    return np.where(np.isnan(extra) & ~listed, 0.0, extra)


def land_of(policy: Policy, book: Book, year: int) -> np.ndarray:
    """Return each enterprise's land of a year as the plan counts it, 亩, shape (n,), NaN unknown (never 0)."""
    land = book.annual("land_mu", year)
    if policy.land.rule == "walled_else_approved":
        approved, walled = book.annual("approved_mu", year), book.annual_flag("walled", year)
        land = np.where(walled.false, approved, np.where(np.isnan(land) & walled.unknown, approved, land))
    return np.where(land > 0, land, np.nan)


def parcel_ratio(book: Book, year: int, tax: np.ndarray, land: np.ndarray) -> np.ndarray:
    """Return the tax per mu of each enterprise's parcel, 万元/亩: all tax paid on it over all its land, shape (n,)."""
    frame, rows = book.ledger.annual, book.rows(year)
    if "parcel" not in frame or not len(frame):
        return tax / land
    names = np.where(rows >= 0, frame["parcel"].to_numpy(dtype=object, na_value="")[rows], "")
    keys = np.where(names == "", book.codes, names)
    _, group = np.unique(keys.astype(str), return_inverse=True)
    taxes, lands = np.bincount(group, np.nan_to_num(tax)), np.bincount(group, np.nan_to_num(land))
    unknown = np.bincount(group, np.isnan(tax)) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(unknown, np.nan, taxes / lands)
    return np.where(lands[group] > 0, ratio[group], np.nan)
