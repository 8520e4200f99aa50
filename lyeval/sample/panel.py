"""Tax from year to year without any policy: AR(1) in logs, common shocks, refunds, zeros, movers.

The truth that every sample is made with stands in `TRUTH`; the sidecar repeats it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lyeval.sample.places import Place

TRUTH: dict[str, Any] = {
    "rho": 0.95,
    "innovation_df": 5,
    "common_shock": {
        2017: 0.02,
        2018: 0.04,
        2019: -0.03,
        2020: -0.12,
        2021: 0.06,
        2022: -0.16,
        2023: 0.05,
        2024: 0.02,
        2025: 0.03,
    },
    "refund_stay": 0.55,
    "refund_enter": {"usual": 0.018, "2022": 0.035},
    "zero_each_year": 0.01,
    "often_below": 2.5,
    "often": [1.7, 0.2],
    "scale_move_each_year": 0.012,
    "land_slope": 0.25,
}
NEVER = 9999


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


def stream(seed: int, place: Place, *key: int) -> np.random.Generator:
    """Return the generator of one purpose: the same for the same seed, county and key, whatever else was drawn."""
    return np.random.default_rng([seed, int(place.code), *key])


def begin(place: Place, firms: pd.DataFrame, rng: np.random.Generator) -> State:
    """Draw the state before the first year; ``firms`` is `identity.roster`."""
    n = len(firms)
    above, land = firms["above"].to_numpy(bool), firms["land_mu"].to_numpy(float)
    sd = np.where(above, place.above.tax_sd, place.below.tax_sd)
    size = np.log(land) - np.where(above, place.above.land_mean, place.below.land_mean)
    slope = TRUTH["land_slope"] if place.tiny_share else 0.0
    mean = np.where(above, place.above.tax_mean, place.below.tax_mean) + slope * size
    return State(
        land=land.copy(),
        above=above.copy(),
        mean=mean,
        dev=sd * rng.standard_normal(n),
        sd=sd,
        calm=np.ones(n),
        refunding=rng.random(n) < 0.04,
        first=np.zeros(n, int),
        tax_from=np.zeros(n, int),
        tax_until=np.full(n, NEVER),
        status=np.zeros(n, int),
    )


def evolve(state: State, year: int, rng: np.random.Generator) -> np.ndarray:
    """Take the state one year on and return the year's tax, 万元, before any response to a policy, shape (n,).

    ln(tax / land) = mean + dev + shock(year), dev(t) = rho · dev(t−1) + sd · √(1 − rho²) · e(t), e Student t of 5
    degrees scaled to variance one; refunds are a two-state chain that turns the sign; refunds and zeros come more
    often to firms below 2.5 万元/亩 (``often``: factors below, above).
    """
    n, rho, df = len(state.land), TRUTH["rho"], TRUTH["innovation_df"]
    shock = rng.standard_t(df, n) * np.sqrt((df - 2) / df)
    state.dev = rho * state.dev + state.calm * state.sd * np.sqrt(1 - rho**2) * shock
    enter = TRUTH["refund_enter"]["2022" if year == 2022 else "usual"]
    often = np.where(log_level(state, year) < np.log(TRUTH["often_below"]), *TRUTH["often"]) * state.calm
    state.refunding = rng.random(n) < np.where(state.refunding, TRUTH["refund_stay"], enter * often)
    moved = (rng.random(n) < TRUTH["scale_move_each_year"]) & (state.land >= 10) & (state.tax_from <= year)
    state.above = np.where(moved, ~state.above, state.above)
    state.zero = rng.random(n) < TRUTH["zero_each_year"] * often
    refund = rng.uniform(0.05, 0.6, n)
    per_mu = np.exp(soften(log_level(state, year)))
    per_mu = np.where(state.refunding, -refund * np.minimum(per_mu, 3.0), per_mu)
    idle = state.zero | (year < state.tax_from) | (year > state.tax_until) | (state.status > 0)
    return np.round(np.where(idle, 0.0, per_mu * state.land), 2)


def log_level(state: State, year: int) -> np.ndarray:
    """Return ln(万元/亩) of the year before saturation, shape (n,)."""
    return state.mean + state.dev + TRUTH["common_shock"].get(year, 0.0)


def soften(level: np.ndarray) -> np.ndarray:
    """Flatten levels above e³·⁴ ≈ 30 万元/亩, where a log-normal would run away."""
    return np.where(level > 3.4, 3.4 + 0.5 * (level - 3.4), level)


def settle(state: State, i: int, per_mu: float, year: int) -> None:
    """Move firm ``i`` for good to ``per_mu`` 万元/亩 in ``year``; its later years vary less than before."""
    state.mean[i] = np.log(per_mu) - state.dev[i] - TRUTH["common_shock"].get(year, 0.0)
    state.calm[i] = 0.45
    state.refunding[i] = False
    state.zero[i] = False
