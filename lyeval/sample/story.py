"""A county told from year to year: tax without any policy (AR(1) in logs, shocks, refunds, zeros, movers), and what was filed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lyeval.policy import Policy
from lyeval.sample.county import Place, data, roster

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
