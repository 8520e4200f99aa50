"""The facts of one year on which conditions are decided: numbers and flags of each enterprise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from lyeval.indicators.book import Book
from lyeval.indicators.exits import cases, year_end
from lyeval.indicators.tri import Tri, compare
from lyeval.ledger.columns import of_sheet
from lyeval.resources import read_rows


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of each enterprise at 31 December of a year.

    Attributes
    ----------
    book
        The ledger laid out.
    year
        The facts' year; dates are taken at its 31 December, anniversaries inclusive.
    tax, land, tax_per_mu
        The policy's numerator (万元), denominator (亩) and ratio (万元/亩) of the year, shape (n,), NaN unknown.
    above_scale
        On the statistical list (规上) of the year.
    line
        The line that an enterprise's class is identified by, 万元/亩, shape (n,), NaN where the class is unknown.
    plan_days
        Days that the county gives for handing in a disposal plan; None where it has said none.
    at
        Year → the facts of that year under the same plan; None: tax over land as reported.
    own
        The rules of the plan's own facts, by name.
    graded
        Year → the grades that the plan's scores give, for years of which the ledger holds none; object array of shape (n,).
    minimums
        The county's minimum standards: control → its figure by the first digits of the industry's code.
    below
        Below the line that its class is held to; None: the line of identification.
    whole_year
        The year as a whole is judged (targets), not the state of its last day (lists).
    """

    book: Book
    year: int
    tax: np.ndarray
    land: np.ndarray
    tax_per_mu: np.ndarray
    above_scale: Tri
    line: np.ndarray
    plan_days: float | None = None
    at: Callable[[int], Facts] | None = None
    minimums: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    below: Tri | None = None
    whole_year: bool = False
    own: Mapping[str, Any] = field(default_factory=dict[str, Any])
    graded: Callable[[int], np.ndarray] | None = None

    @property
    def since(self) -> np.datetime64:
        """The day from which lawful construction spares: the year's first where the whole year is judged, else its last."""
        return np.datetime64(f"{self.year}-01-01") if self.whole_year else self.end

    @property
    def end(self) -> np.datetime64:
        """31 December of the facts' year."""
        return year_end(self.year)

    def day_passed(self, column: str, years: int = 0) -> Tri:
        """Tell whether a date of ``enterprises``, plus whole years, has come by 31 December; a blank is no."""
        if not self.book.has("enterprises", column):
            return Tri.all(len(self.book), None)
        return Tri.of(add_years(self.book.date(column), years) <= self.end)

    def label(self, name: str, lang: str = "zh") -> str:
        """Return a fact's name, the ledger's or the plan's own."""
        if name in FACTS:
            return FACTS[name].label(lang)
        return self.own[name].label if lang == "zh" else self.own[name].label_en

    def given(self, column: str) -> Tri:
        """Tell whether a date or number of ``enterprises`` is filled in; an absent column is unknown."""
        if not self.book.has("enterprises", column):
            return Tri.all(len(self.book), None)
        values = self.book.ledger.enterprises[column]
        if values.dtype.kind == "M":
            return Tri.of(~np.isnat(self.book.date(column)))
        return Tri.of(~np.isnan(self.book.number(column)))


MEASURES: dict[str, Callable[[Facts], Any]] = {}
Measure = TypeVar("Measure", bound=Callable[[Facts], Any])


def fact(measure: Measure) -> Measure:
    """Make a function the measure of the fact of its name."""
    MEASURES[measure.__name__] = measure
    return measure


def add_years(days: np.ndarray, years: int) -> np.ndarray:
    """Add whole years to dates, shape (n,); 29 February becomes 28 February (so an anniversary always comes)."""
    if years == 0:
        return days
    months = days.astype("datetime64[M]")
    offset = (days - months.astype("datetime64[D]")).astype("timedelta64[D]")
    target = months + np.timedelta64(12 * years, "M")
    last = (target + np.timedelta64(1, "M")).astype("datetime64[D]") - np.timedelta64(1, "D")
    return np.minimum(target.astype("datetime64[D]") + offset, last)


@fact
def late_build(facts: Facts) -> Tri:
    """One year and more past the contract's completion date, not completed, without a statutory excuse (逾期未竣工)."""
    overdue = facts.day_passed("contract_completion", 1)
    return overdue & ~_completed(facts) & ~facts.book.flag("statutory_excuse")


@fact
def idle(facts: Facts) -> Tri:
    """Completed for a year and more without production, or stopped for a year and more (竣工未投产或停产)."""
    return unused(facts) | facts.day_passed("stopped_since", 1)


def unused(facts: Facts) -> Tri:
    """Completed for a year and more and never in production (竣工未投产).

    A blank date of production beside a sign of producing (tax, power, 生产经营正常) is unknown, unless the plant is said not to operate.
    """
    book, year = facts.book, facts.year
    began, normal = book.date("production_start"), operating_normally(facts)
    later = Tri.of(began > facts.end)
    paid, power = facts.book.annual("tax_wan", year), book.annual("power_wankwh", year)
    signs = ((paid > 0) | (power > 0) | normal.true) & ~normal.false
    blank = Tri.of(np.isnat(began), ~(np.isnat(began) & signs))
    if not book.has("enterprises", "production_start"):
        blank = Tri.all(len(book), None)
    return facts.day_passed("completed", 1) & (later | blank)


@fact
def below_contract_controls(facts: Facts) -> Tri:
    """Completed, and investment intensity, building density or plot ratio below the contract's (控制指标未达约定)."""
    controls = [_below_contract(facts, name) for name in CONTROLS]
    return (_completed(facts) | facts.day_passed("production_start")) & (controls[0] | controls[1] | controls[2])


@fact
def contract_building(facts: Facts) -> Tri:
    """Inside the contract's building time, or in the first year after completion: no grace, no excuse (约定建设期)."""
    book, end = facts.book, facts.end
    completed = book.date("completed")
    building = (book.date("contract_completion") >= end) & ~(completed <= end)
    return Tri.of(building | ((completed <= end) & (add_years(completed, 1) > end)))


@fact
def lawful_building(facts: Facts) -> Tri:
    """Under lawful construction: building time, its year of grace, a statutory excuse, or the first year after completion (合法建设期).

    Targets are not held against the year in which the grace runs out (``facts.since``).
    """
    book, unfinished = facts.book, ~(facts.book.date("completed") <= facts.end)
    due = book.date("contract_completion")
    spared = (add_years(due, 1) > facts.since) | (book.flag("statutory_excuse").true & ~np.isnat(due))
    return contract_building(facts) | Tri.of(spared & unfinished)


def pays_nothing(facts: Facts, *, grace: bool) -> np.ndarray:
    """Tell whose blank tax of the year is none, shape (n,) of bool.

    Stopped through the whole year, completed and never in production, or past the contract's completion and not completed: with ``grace``
    only a year after it and without a statutory excuse.
    """
    book, end = facts.book, facts.end
    stopped = book.date("stopped_since") <= np.datetime64(f"{facts.year}-01-01")
    due, unfinished = book.date("contract_completion"), ~(book.date("completed") <= end)
    late = (add_years(due, 1) <= end) & ~book.flag("statutory_excuse").true if grace else due < end
    return stopped | unused(facts).true | (late & unfinished)


@fact
def has_contract_tax(facts: Facts) -> Tri:
    """The contract promises a tax per mu (合同有约定亩均税收)."""
    return facts.given("contract_tax_per_mu")


@fact
def years_below_one(facts: Facts) -> np.ndarray:
    """Number of years in a row, up to the facts' year, with tax per mu below 1 万元/亩, shape (n,).

    NaN where a year that the ledger does not hold ends the run before there are three: then three in a row cannot be told.
    """

    def low(year: int) -> Tri:
        ratio = facts.at(year).tax_per_mu if facts.at else _reported_ratio(facts.book, year)
        return compare(ratio, "lt", np.float64(1.0))

    return in_a_row(facts, low, RUN)


RUN = 3


def in_a_row(facts: Facts, holds: Callable[[int], Tri], least: float = np.inf) -> np.ndarray:
    """Count the years in a row up to the facts' year in which something holds, shape (n,).

    Parameters
    ----------
    holds
        Year → of whom it holds, shape (n,).
    least
        NaN where an unknown year ends the run before so many; a longer run is certain to be as long.
    """
    count, open_ = np.zeros(len(facts.book)), np.ones(len(facts.book), dtype=bool)
    hole = np.zeros(len(facts.book), dtype=bool)
    for year in range(facts.year, min(facts.book.years, default=facts.year) - 2, -1):
        flag = holds(year)
        hole |= open_ & flag.unknown & (count < least)
        open_ &= flag.true
        count += open_
    return np.where(hole, np.nan, count)


def _reported_ratio(book: Book, year: int) -> np.ndarray:
    """Return tax over land as reported, the approved area where that is blank, shape (n,)."""
    land = book.annual("land_mu", year)
    land = np.where(np.isnan(land), book.annual("approved_mu", year), land)
    return book.annual("tax_wan", year) / np.where(land > 0, land, np.nan)


@fact
def in_park(facts: Facts) -> Tri:
    """The site lies in a park of the county (一区三园)."""
    if not facts.book.has("enterprises", "park"):
        return Tri.all(len(facts.book), None)
    return Tri.of(~np.isin(facts.book.text("park"), ("", "否", "园区外", "无")))


def _completed(facts: Facts) -> Tri:
    return facts.day_passed("completed")


def _below_contract(facts: Facts, name: str) -> Tri:
    """Actual below contract, else below the industry's minimum; neither is no, one of them without the actual is unknown."""
    goal, actual = asked_of(facts, name), facts.book.number(f"actual_{name}")
    promised = Tri.of(~np.isnan(goal)) if facts.minimums.get(name) else facts.given(f"contract_{name}")
    if not promised.true.any():
        return promised
    if np.isnan(actual).all():
        actual = facts.book.annual(f"actual_{name}", facts.year)
    short = Tri.of(actual < goal * (1 - 1e-9), ~np.isnan(actual))
    return promised & short


def asked_of(facts: Facts, name: str) -> np.ndarray:
    """Return what the contract asks of a control, else the industry's minimum, shape (n,); NaN where neither says."""
    goal = facts.book.number(f"contract_{name}")
    for industry, least in facts.minimums.get(name, {}).items():
        mine = np.char.startswith(facts.book.text("industry_code").astype(str), industry)
        goal = np.where(np.isnan(goal) & mine, least, goal)
    return goal


CONTROLS = ("investment_intensity", "building_density", "plot_ratio")


def text_fact(facts: Facts, name: str) -> np.ndarray:
    """Return a text fact as the plan's words know it, object array of shape (n,), "" where blank or not there.

    The grade (综合评价等级) is the year's; a synonym of 县城, 建制镇 or 工矿区 is taken as such; an unrated partner is unknown.
    """
    book = facts.book
    if name == "grade":
        given = np.array([grade_letter(str(v)) for v in book.annual_text(name, facts.year)], dtype=object)
        return given if facts.graded is None or (given != "").any() else facts.graded(facts.year)
    if name == "industry_2":
        return np.array([str(code)[:2] for code in book.text("industry_code")], dtype=object)
    values = book.text(name)
    if name == "location":
        return np.array([location(str(v)) or v for v in values], dtype=object)
    if name == "partner_grade":
        return np.array(["" if v in UNRATED else grade_letter(str(v)) for v in values], dtype=object)
    return values


def grade_letter(word: str) -> str:
    """Return the letter that a grade's word stands for (A类, b级 → A, B); any other word as it is."""
    found = GRADE.fullmatch(word.strip())
    return found[1].upper() if found else word


GRADE = re.compile(r"([A-FTa-ft][0-9]?[+-]?)[类级档等]?")


def location(word: str) -> str:
    """Return the kind of place that a word for a location stands for; "" where it is none that is known."""
    return next((kind for kind, words in LOCATIONS.items() if word == kind or word in words.split()), "")


LOCATIONS = {
    "县城": "county_seat 城区 县城区 城关 城关镇 县城驻地 驻地 县驻地 街道 街道办 街道办事处",
    "建制镇": "town 镇 镇区 镇驻地 乡镇 乡镇驻地",
    "工矿区": "mining 工矿 独立工矿区",
}
UNRATED = ("", "未评", "未评级", "未评价", "未参评", "不参评", "未定级", "无", "待评")


@fact
def operating_normally(facts: Facts) -> Tri:
    """Producing and trading normally in the year (生产经营正常)."""
    return facts.book.annual_flag("operating_normally", facts.year)


@fact
def still_below_after_treatment(facts: Facts) -> Tri:
    """A disposal is finished, the enterprise is still there, and its tax per mu is below its class's line (整治后仍不达标)."""
    rows, book = cases(facts.book), facts.book
    treated = np.zeros(len(book), dtype=bool)
    treated[rows.at[rows.ended(facts.end) & np.isin(rows.outcome, ("达标", "未完成"))]] = True
    return Tri.of(treated) & (Tri.all(len(book), None) if facts.below is None else facts.below)


@fact
def lifted_by_retrofit(facts: Facts) -> Tri:
    """A disposal of the enterprise was technical upgrading (技改); without the column it is unknown, a blank is no."""
    frame, book = facts.book.ledger.disposals, facts.book
    if "upgraded" not in frame:
        return Tri.all(len(book), None)
    out = np.zeros(len(book), dtype=bool)
    out[book.positions(frame.loc[frame["upgraded"].fillna(False).astype(bool), "credit_code"])] = True
    return Tri.of(out)


@fact
def agreement_breached(facts: Facts) -> Tri:
    """The agreement's time is up and the work not done (未按协议完成), by flag or by a disposal that ended 未完成."""
    rows = cases(facts.book)
    failed = np.zeros(len(facts.book), dtype=bool)
    failed[
        rows.at[(rows.outcome == "未完成") & (rows.method == "rectify") & (rows.outcome_on(facts.end) == "未完成")]
    ] = True
    flag = facts.book.flag("agreement_breached")
    return Tri.of(failed) | (flag if facts.book.has("enterprises", "agreement_breached") else Tri.of(failed))


@fact
def plan_overdue(facts: Facts) -> Tri:
    """The disposal plan was not handed in within the county's days (未按期提交方案), by flag or by the days of ``process``.

    The days run from publication, where there is none from certification, to 31 December of the facts' year.
    """
    book, sheet = facts.book, facts.book.ledger.process
    there = book.has("enterprises", "plan_overdue")
    flag = book.flag("plan_overdue")
    if facts.plan_days is None or not {"certified", "plan_submitted"} <= set(sheet):
        return flag
    day = {name: step(book, name, facts.end) for name in ("certified", "published", "plan_submitted")}
    since = np.where(np.isnat(day["published"]), day["certified"], day["published"])
    term = since + np.timedelta64(int(facts.plan_days), "D")
    late = Tri.of((term < facts.end) & ~(day["plan_submitted"] <= term))
    return late | flag if there else late


def step(book: Book, name: str, day: np.datetime64) -> np.ndarray:
    """Return when a step of ``process`` was taken, shape (n,), NaT where it was not by a day."""
    sheet, days = book.ledger.process, np.full(len(book), np.datetime64("NaT"), dtype="datetime64[D]")
    if name in sheet:
        at, taken = book.positions(sheet["credit_code"]), sheet[name].to_numpy(dtype="datetime64[D]")
        keep = (at >= 0) & (taken <= day)
        days[at[keep]] = taken[keep]
    return days


@fact
def tax_per_mu(facts: Facts) -> np.ndarray:
    """Tax per mu as the plan counts it, 万元/亩, shape (n,) (亩均税收)."""
    return facts.tax_per_mu


@fact
def tax_wan(facts: Facts) -> np.ndarray:
    """Tax as the plan counts it, 万元, shape (n,) (实缴税金)."""
    return facts.tax


@fact
def land_mu(facts: Facts) -> np.ndarray:
    """Land as the plan counts it, 亩, shape (n,) (土地总面积)."""
    return facts.land


@fact
def class_line(facts: Facts) -> np.ndarray:
    """The line that the enterprise's class is identified by, 万元/亩, shape (n,) (本类认定线)."""
    return facts.line


@fact
def above_scale(facts: Facts) -> Tri:
    """On the statistical list of the year (规上)."""
    return facts.above_scale


@dataclass(frozen=True)
class Fact:
    """One row of ``facts.csv``, or a flag of the enterprises sheet that needs no row: all that is known of a fact.

    Attributes
    ----------
    name, kind, unit
        As a plan writes it; number, flag or text; the unit of a number.
    zh, en
        Its names.
    columns
        The ledger columns (or sheet) that it is read from.
    basis
        year (of the facts' year), day (as on its 31 December), years (of several up to it) or entry (as the ledger says, whatever the year).
    """

    name: str
    kind: str
    unit: str
    zh: str
    en: str
    columns: tuple[str, ...]
    basis: str

    def number(self, facts: Facts) -> np.ndarray:
        """Return a number of each enterprise, shape (n,), NaN unknown: by the function of its name, else its column."""
        if self.name in MEASURES:
            return MEASURES[self.name](facts)
        yearly = self.basis == "year"
        return facts.book.annual(self.name, facts.year) if yearly else facts.book.number(self.name)

    def flag(self, facts: Facts) -> Tri:
        """Return a flag of each enterprise, shape (n,): by the function of its name, else its column."""
        return MEASURES[self.name](facts) if self.name in MEASURES else facts.book.flag(self.name)

    def label(self, lang: str = "zh") -> str:
        """Return its name in ``lang``."""
        return self.zh if lang == "zh" else self.en


def _load() -> dict[str, Fact]:
    """Read ``facts.csv``, which stands beside this module, and add the ledger's own flags and yearly figures."""
    told: dict[str, Fact] = {}
    for row in read_rows(__file__, "facts.csv"):
        columns = tuple(row.pop("columns").split())
        told[row["name"]] = Fact(**row, columns=columns)
    plain = [c for c in of_sheet("enterprises").values() if c.kind in ("flag", "reason") and c.name not in told]
    flags = {c.name: Fact(c.name, "flag", "", c.zh, c.en, (c.name,), "entry") for c in plain}
    yearly = [c for c in of_sheet("annual").values() if c.kind in ("amount", "quantity") and c.name not in told]
    return told | flags | {c.name: Fact(c.name, "number", c.unit, c.zh, c.en, (c.name,), "year") for c in yearly}


FACTS = _load()
