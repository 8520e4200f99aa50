"""A county told from year to year: who stands in it, tax without any policy (AR(1) in logs, shocks, refunds, zeros, movers), and what was filed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from lyeval.ledger.vocabulary import ALPHABET, with_check_digit
from lyeval.policy import Policy
from lyeval.textfiles import read_yaml

STEMS, BRANCHES, NUMERALS = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥", "一二三四五六七八九十"


class Level(NamedTuple):
    """Cross-section of one class: ln of tax per mu (万元/亩) and ln of land (亩); ``land_max`` in 亩."""

    tax_mean: float
    tax_sd: float
    land_mean: float
    land_sd: float
    land_max: float


class Industry(NamedTuple):
    """An industry: class of GB/T 4754-2017, word in a company name, relative frequency, mark (see ``places.yaml``)."""

    code: str
    word: str
    weight: float
    mark: str = ""


@dataclass(frozen=True, eq=False)
class Place:
    """One county: what its sample is drawn from, and its entry of ``programmes.yaml``.

    Attributes
    ----------
    townships : list of (name, relative frequency); drive : how a drive of one year ends here, empty if there is none.
    """

    id: str
    policy: str
    county: str
    short: str
    code: str
    enterprises: int
    above_share: float
    above: Level
    below: Level
    townships: list[tuple[str, float]]
    industries: list[Industry]
    tiny_share: float = 0.0
    drive: Mapping[str, Any] = field(default_factory=dict)
    programme: Mapping[str, Any] = field(default_factory=dict)

    def stream(self, seed: int, *key: int) -> np.random.Generator:
        """Return the generator of one purpose: the same for the same seed and key, whatever else was drawn."""
        return np.random.default_rng([seed, int(self.code), *key])


@cache
def data(name: str) -> dict[str, Any]:
    """Return a file of parameters that stands beside this module."""
    return read_yaml(Path(__file__).with_name(f"{name}.yaml"))[0]


def places(policy: Policy, county: str | None = None) -> tuple[Place, ...]:
    """Return the counties of a policy, or the one named (中文名 or id); a plan of no known place gets an invented one.

    Raises
    ------
    ValueError
        The policy has no such county.
    """
    rows = data("places")["places"]
    found = tuple(_place(row) for row in rows if row["policy"] == policy.id) or (_anywhere(policy, rows[-1]),)
    if county is None:
        return found
    one = tuple(place for place in found if county in (place.county, place.short, place.id))
    if not one:
        known = "、".join(place.county for place in found)
        raise ValueError(f"no sample for county {county!r}, there are {known} / 没有“{county}”的样例，现有 {known}")
    return one


def _place(row: Mapping[str, Any]) -> Place:
    industries = [*data("places")["industries"][row["industries"]], *row.get("more_industries", ())]
    made = {k: v for k, v in row.items() if k != "more_industries"}
    made |= {"industries": [Industry(*each) for each in industries]}
    made |= {side: Level(*row[side]) for side in ("above", "below")}
    return Place(**made, programme=data("programmes")["any"] | data("programmes").get(row["policy"], {}))


def _anywhere(policy: Policy, row: Mapping[str, Any]) -> Place:
    """Return an invented county under the plan's own name and code; a code that is no number becomes 999999."""
    code = policy.place.code if policy.place.code.isdecimal() and len(policy.place.code) == 6 else row["code"]
    name = policy.place.name
    return replace(_place(row), id=policy.id, policy=policy.id, county=name, short=name, code=code)


def credit_codes(place: Place, n: int, rng: np.random.Generator) -> list[str]:
    """Return ``n`` distinct codes of 18 places whose check character is wrong on purpose, so that none is real."""
    codes = []
    for number in rng.choice(31**5, size=n, replace=False).tolist():
        tail = ""
        for _ in range(5):
            number, digit = divmod(number, 31)
            tail += ALPHABET[digit]
        right = with_check_digit(f"91{place.code}MA9{tail}0")
        codes.append(right[:17] + ALPHABET[(ALPHABET.index(right[17]) + 1 + number % 29) % 31])
    return sorted(codes)


def names(place: Place, words: list[str], above: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Return one invented name per enterprise: county, calendar signs, trade; no two alike."""
    seen: dict[str, int] = {}
    made = []
    for position, (word, large) in enumerate(zip(words, above, strict=True)):
        mixed = (position * 487 + 13) % 1200
        sign = STEMS[mixed % 10] + BRANCHES[mixed // 10 % 12] + NUMERALS[mixed // 120]
        count = seen.get(sign, 0)
        seen[sign] = count + 1
        more = "".join(NUMERALS[int(digit)] for digit in str(count)) if count else ""
        kind = "有限公司" if large or rng.random() < 0.8 else "厂"
        made.append(f"{place.short}{sign}{more}{word}{kind}")
    return made


def roster(place: Place, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return the fixed facts of ``n`` enterprises, sorted by credit code.

    Returns
    -------
    DataFrame, n rows
        credit_code, name, county, township, industry_code, mark (see `Industry`), above (bool), tiny (bool: 规下 under
        10 亩), land_mu (亩).
    """
    towns, town_weights = zip(*place.townships, strict=True)
    weights = np.array([industry.weight for industry in place.industries])
    picked = rng.choice(len(weights), size=n, p=weights / weights.sum())
    industries = [place.industries[i] for i in picked]
    order = rng.permutation(n)
    above = order < round(place.above_share * n)
    tiny = order >= n - round(place.tiny_share * n)
    town = np.array(towns)[rng.choice(len(towns), size=n, p=np.array(town_weights) / sum(town_weights))]
    made = {"credit_code": credit_codes(place, n, rng)}
    made |= {"name": names(place, [each.word for each in industries], above, rng), "county": place.county}
    made |= {"township": town, "industry_code": [each.code for each in industries]}
    made |= {"mark": [each.mark for each in industries], "above": above, "tiny": tiny}
    return pd.DataFrame(made | {"land_mu": _land(place, above, tiny, rng)})


def _land(place: Place, above: np.ndarray, tiny: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw land in 亩: log-normal, or from 10 亩 up with a gamma tail where the place has tiny firms apart."""
    n = len(above)
    mean = np.where(above, place.above.land_mean, place.below.land_mean)
    sd = np.where(above, place.above.land_sd, place.below.land_sd)
    if place.tiny_share:
        excess = mean - np.log(10.0)
        log_land = np.log(10.2) + rng.gamma((excess / sd) ** 2) * sd**2 / excess
        log_land = np.where(tiny, np.log(rng.uniform(2.0, 9.6, n)), log_land)
    else:
        log_land = np.maximum(mean + sd * rng.standard_normal(n), np.log(0.4))
    top = np.where(above, place.above.land_max, place.below.land_max)
    land = np.exp(log_land)
    return np.round(np.where(land > top, top * rng.uniform(0.6, 1.0, n), land), 2)


TRUTH: dict[str, Any] = data("programmes")["truth"]
CALM, NEVER = 0.45, 9999
Paid = tuple[np.ndarray, np.ndarray]


@dataclass(eq=False)
class State:
    """What is true of ``n`` enterprises at one moment; every array has shape (n,).

    Attributes
    ----------
    land : 亩; above : 规上; mean, dev : ln(万元/亩), the firm's own level and its deviation; sd : of the cross-section;
    calm : factor on the yearly innovation (below 1 once treated); refunding, zero : tax is negative, nil;
    first : first year with a row; tax_from, tax_until : years between which it pays;
    status : 0 works, 1 closed with its land unreleased, 2 gone with its land.
    """

    land: np.ndarray
    above: np.ndarray
    mean: np.ndarray
    dev: np.ndarray
    sd: np.ndarray
    calm: np.ndarray
    refunding: np.ndarray
    first: np.ndarray
    tax_from: np.ndarray
    tax_until: np.ndarray
    status: np.ndarray
    zero: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    def level(self, year: int) -> np.ndarray:
        """Return ln(万元/亩) of the year before saturation, shape (n,)."""
        return self.mean + self.dev + TRUTH["common_shock"].get(year, 0.0)

    def settle(self, i: int, per_mu: float, year: int) -> None:
        """Move firm ``i`` for good to ``per_mu`` 万元/亩 in ``year``; its later years vary less than before."""
        self.mean[i] = np.log(per_mu) - self.dev[i] - TRUTH["common_shock"].get(year, 0.0)
        self.calm[i] = CALM
        self.refunding[i] = self.zero[i] = False

    def evolve(self, year: int, rng: np.random.Generator) -> np.ndarray:
        """Go one year on and return the year's tax, 万元, before any response to a policy, shape (n,).

        ln(tax / land) = mean + dev + shock(year), dev(t) = rho · dev(t−1) + sd · √(1 − rho²) · e(t), e Student t of 5
        degrees scaled to variance one, flattened above e³·⁴ ≈ 30 万元/亩; refunds are a two-state chain that turns the
        sign; refunds and zeros come more often to firms below 2.5 万元/亩 (``often``: factors below, above).
        """
        n, rho, df = len(self.land), TRUTH["rho"], TRUTH["innovation_df"]
        shock = rng.standard_t(df, n) * np.sqrt((df - 2) / df)
        self.dev = rho * self.dev + self.calm * self.sd * np.sqrt(1 - rho**2) * shock
        enter = TRUTH["refund_enter"]["2022" if year == 2022 else "usual"]
        often = np.where(self.level(year) < np.log(TRUTH["often_below"]), *TRUTH["often"]) * self.calm
        self.refunding = rng.random(n) < np.where(self.refunding, TRUTH["refund_stay"], enter * often)
        moved = (rng.random(n) < TRUTH["scale_move_each_year"]) & (self.land >= 10) & (self.tax_from <= year)
        self.above = np.where(moved, ~self.above, self.above)
        self.zero = rng.random(n) < TRUTH["zero_each_year"] * often
        refund, level = rng.uniform(0.05, 0.6, n), self.level(year)
        per_mu = np.exp(np.where(level > 3.4, 3.4 + 0.5 * (level - 3.4), level))
        per_mu = np.where(self.refunding, -refund * np.minimum(per_mu, 3.0), per_mu)
        idle = self.zero | (year < self.tax_from) | (year > self.tax_until) | (self.status > 0)
        return np.round(np.where(idle, 0.0, per_mu * self.land), 2)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One year as it enters the ledger: arrays of shape (n,).

    Attributes
    ----------
    tax, land : 万元, 亩; above : 规上; present : has a row; works : produces; topped : paid late in the year to reach a
    line, 万元.
    """

    year: int
    tax: np.ndarray
    land: np.ndarray
    above: np.ndarray
    present: np.ndarray
    works: np.ndarray
    topped: np.ndarray


@dataclass(eq=False)
class Story:
    """One county told through: rows are dicts with canonical column names and the firm's position ``i``.

    Attributes
    ----------
    firms : `county.roster`; facts : enterprises' sheet, n rows in the same order; years : snapshots in order;
    disposals, process, blocks : rows; unknown_tax, unknown_land : (i, year) pairs left blank in the ledger;
    extra : land-use tax increments, 万元, by (i, year); notes : what was built on purpose.
    """

    place: Place
    plan: Policy
    seed: int
    firms: pd.DataFrame
    state: State
    facts: pd.DataFrame = field(default_factory=pd.DataFrame)
    years: list[Snapshot] = field(default_factory=list)
    disposals: list[dict[str, Any]] = field(default_factory=list)
    process: list[dict[str, Any]] = field(default_factory=list)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    unknown_tax: list[tuple[int, int]] = field(default_factory=list)
    unknown_land: list[tuple[int, int]] = field(default_factory=list)
    extra: dict[tuple[int, int], float] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def base_year(self) -> int:
        """The year on whose facts the plan's first list is drawn up."""
        return self.plan.years.identification[0] - 1

    def stream(self, *key: int) -> np.random.Generator:
        """Return the generator of one purpose (`Place.stream`)."""
        return self.place.stream(self.seed, *key)

    def own_line(self, year: int, above: np.ndarray) -> np.ndarray:
        """Return each firm's line of ``year``, 万元/亩, shape (n,)."""
        return np.where(above, line(self.plan, "above", year), line(self.plan, "below", year))

    def flag(self, *names: str) -> np.ndarray:
        """Return who has any of these facts, (n,) of bool; a fact that the ledger does not have is nobody's."""
        known = [self.facts[name].fillna(False).to_numpy(bool) for name in names if name in self.facts]
        return np.logical_or.reduce(known) if known else np.zeros(len(self.firms), bool)

    def has(self, i: int, *names: str) -> bool:
        """Tell whether firm ``i`` has any of these facts."""
        told = [self.facts.at[i, name] for name in names if name in self.facts]
        return any(value is not pd.NA and bool(value) for value in told)

    def mark(self, i: int, name: str, value: Any) -> None:
        """Set a fact of firm ``i`` where the ledger has it."""
        if name in self.facts:
            self.facts.loc[i, name] = value

    def close_year(self, year: int, paid: Paid, before: np.ndarray) -> None:
        """File the year for the ledger; ``paid``: tax and late top-ups, 万元; ``before``: status at its start."""
        state, (tax, topped) = self.state, paid
        present = (state.first <= year) & (before < 2)
        works = present & (before == 0) & (state.tax_from <= year) & (year <= state.tax_until)
        land, above = state.land.copy(), state.above.copy()
        self.years.append(Snapshot(year, tax.copy(), land, above, present, works, topped.copy()))


def begin(place: Place, plan: Policy, n: int, seed: int) -> Story:
    """Draw a county of ``n`` enterprises before its first year."""
    firms, rng = roster(place, n, place.stream(seed, 1)), place.stream(seed, 2)
    above, land = firms["above"].to_numpy(bool), firms["land_mu"].to_numpy(float)
    sd = np.where(above, place.above.tax_sd, place.below.tax_sd)
    size = np.log(land) - np.where(above, place.above.land_mean, place.below.land_mean)
    slope = TRUTH["land_slope"] if place.tiny_share else 0.0
    mean = np.where(above, place.above.tax_mean, place.below.tax_mean) + slope * size
    dev, refunding = sd * rng.standard_normal(n), rng.random(n) < 0.04
    zeros, never = np.zeros((3, n), int), np.full(n, NEVER)
    state = State(land.copy(), above.copy(), mean, dev, sd, np.ones(n), refunding, zeros[0], zeros[1], never, zeros[2])
    return Story(place, plan, seed, firms, state)


def line(plan: Policy, side: str, year: int) -> float:
    """Return the line of a class in a year, 万元/亩: what its targets say, else the line of identification."""
    aims = [aim for target in plan.targets if target.class_ in (side, "any") for aim in target.years.items()]
    told = {due: aim.threshold for due, aim in aims if aim.threshold is not None}
    lines = told or getattr(plan.identification.lines, side)
    return lines[max((due for due in lines if due <= year), default=min(lines))]


def dated(rng: np.random.Generator, start: str, end: str) -> pd.Timestamp:
    """Return one date from ``start`` to ``end``, both inclusive."""
    low = pd.Timestamp(start)
    return low + pd.Timedelta(days=int(rng.integers(0, (pd.Timestamp(end) - low).days + 1)))
