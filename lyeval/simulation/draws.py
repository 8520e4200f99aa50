"""Counter-based random numbers, and one year's tax drawn from them: a draw is a function of who, when, which and the seed.

Philox4x32-10 (Salmon et al., SC 2011) takes a counter of four 32-bit words and a key of two. The counter here is (draws, year and
stream, low and high half of a 64-bit hash of the credit code) and the key is the seed, so an enterprise keeps its draws when rows are
sorted otherwise, left out or computed in blocks, and plans compared are compared on the same draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri, stdtrit

from lyeval.simulation.dynamics import Dynamics, Frame, centres, earlier_logs, lags, linear, residual_size
from lyeval.simulation.known import Panel, code_keys

Keys = NDArray[np.uint64]
Words = NDArray[np.uint32]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Sampling:
    """How many Monte Carlo draws, from which seed (any integer; its low 64 bits count)."""

    draws: int
    seed: int


def philox(counter: tuple[Words, Words, Words, Words], key: tuple[int, int]) -> tuple[Words, Words, Words, Words]:
    """Ten rounds of Philox4x32 over four uint32 arrays that broadcast against each other, under a key of two words."""
    c0, c1, c2, c3 = np.broadcast_arrays(*counter)
    k0, k1 = key
    for _ in range(ROUNDS):
        wide0, wide1 = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            (wide1 >> HALF).astype(np.uint32) ^ c1 ^ np.uint32(k0),
            wide1.astype(np.uint32),
            (wide0 >> HALF).astype(np.uint32) ^ c3 ^ np.uint32(k1),
            wide0.astype(np.uint32),
        )
        k0, k1 = (k0 + WEYL[0]) & MASK, (k1 + WEYL[1]) & MASK
    return c0, c1, c2, c3


def words(keys: Keys, sampling: Sampling, year: int, stream: str) -> Words:
    """Draw 32 random bits for each draw and enterprise (`code_keys`), uint32 of shape (draws, n); ``stream`` is their purpose (`STREAMS`).

    A counter's four words serve four draws: word s of counter 64 g + j is that of draw 256 g + 64 s + j.
    """
    groups = -(-sampling.draws // GROUP)
    out = np.empty((groups, 4, GROUP // 4, keys.size), dtype=np.uint32)
    key = (sampling.seed & MASK, (sampling.seed >> 32) & MASK)
    counter = np.arange(groups * GROUP // 4, dtype=np.uint32)[:, None]
    tag = np.full_like(counter, ((year & 0xFFFF) << 16) | STREAMS[stream])
    low, high = (keys & np.uint64(MASK)).astype(np.uint32), (keys >> HALF).astype(np.uint32)
    step = max(1, BLOCK // len(counter) // 2)
    for start in range(0, keys.size, step):
        part = slice(start, start + step)
        for slot, word in enumerate(philox((counter, tag, low[None, part], high[None, part]), key)):
            out[:, slot, :, part] = word.reshape(groups, GROUP // 4, -1)
    return out.reshape(groups * GROUP, keys.size)[: sampling.draws]


def uniforms(keys: Keys, sampling: Sampling, year: int, stream: str) -> NDArray[np.float64]:
    """Draw uniform numbers (word + 1/2) / 2**32 in (0, 1), shape (draws, n); parameters as for `words`."""
    return (words(keys, sampling, year, stream) + np.float64(0.5)) * 2.0**-32


def normals(keys: Keys, sampling: Sampling, year: int, stream: str) -> NDArray[np.float64]:
    """Draw standard normals of Box and Muller (1958), shape (draws, n); parameters as for `words`.

    Draws j and j + 64, j + 128 and j + 192 of each group of 256 share their two words: the first gives the radius (in single
    precision), the second the angle.
    """
    whole = Sampling(-(-sampling.draws // GROUP) * GROUP, sampling.seed)
    drawn = words(keys, whole, year, stream).reshape(-1, 2, GROUP // 4, keys.size)
    unit = drawn[:, 0].astype(np.float32) * np.float32(2.0**-32) + np.float32(2.0**-33)
    radius, angle = np.sqrt(-2 * np.log(unit.astype(float))), drawn[:, 1] * (2 * np.pi * 2.0**-32)
    out = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return out.reshape(whole.draws, keys.size)[: sampling.draws]


@dataclass(frozen=True, eq=False)
class Past:
    """An enterprise's tax so far, as the projection needs it; arrays (n,) at first, (draws, n) after a projected year."""

    last: np.ndarray  # tax of the latest year, 万元, NaN unknown
    log_sum: np.ndarray  # sum and number of logs of the years above zero before it
    log_count: np.ndarray

    def then(self, tax: np.ndarray) -> Past:
        """Move on by a year that ended with ``tax``, 万元, shape (draws, n)."""
        positive = self.last > 0
        logs = np.log(np.where(positive, self.last, 1.0))
        return Past(tax, self.log_sum + logs, self.log_count + positive)


def past(panel: Panel, at: Rows | slice = slice(None)) -> Past:
    """Start from the panel: each enterprise's latest known figure, and the years above zero before it."""
    tax = panel.tax[at]
    known = ~np.isnan(tax)
    latest = np.where(known.any(axis=1), tax.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1), 0)
    last = tax[np.arange(len(tax)), latest]
    before = np.where(np.arange(tax.shape[1])[None, :] < latest[:, None], tax, np.nan)
    total, number = earlier_logs(np.nan_to_num(before, nan=0.0))
    return Past(last, total, number)


@dataclass(frozen=True, eq=False)
class Chance:
    """What chance brings some enterprises in a year, before any disposal: shape (draws, k) each."""

    log: np.ndarray  # log of tax if it is above zero
    zero: np.ndarray  # the year ends at or below zero
    amount: np.ndarray | float  # tax of such a year, 万元: 0, or a net refund

    def taxed(self, model: Dynamics, panel: Panel, at: Rows, effect: np.ndarray | float = 0.0) -> np.ndarray:
        """Return the year's tax, 万元, shape (draws, k), with effects of disposals on its log, held to the year to date."""
        tax = np.where(self.zero, self.amount, np.exp(np.clip(self.log + effect, -40.0, 40.0)))
        if not model.month:
            return tax
        paid = panel.ytd[at, -1]
        known = ~np.isnan(paid)
        if model.month == 12:
            return np.where(known, paid, tax)
        return np.where(known & ~panel.refunds[at], np.maximum(tax, paid), tax)


def chance(model: Dynamics, panel: Panel, before: Past, at: Rows, year: int, sampling: Sampling) -> Chance:
    """Draw what chance brings the enterprises ``at`` in ``year``, given their tax up to the year before."""
    keys = panel.keys[at]
    word = uniforms(keys, sampling, year, "tax")
    frame = projected(model, panel, before, at)
    known = len(model.residuals)
    residual = model.residuals[(word * known).astype(np.intp)] if known else normals(keys, sampling, year, "tax")
    coef, shock = county_draws(model, year, sampling)
    shift = model.shift if year == panel.years[-1] + 1 else 0.0  # later years carry it in their level
    log = linear(frame, model.names, coef, model.centre) + (shock + shift) + residual_size(model, frame) * residual
    new = np.isnan(before.last) & frame["young"] & (frame["quiet"] | (model.month == 0)) & (len(model.payers) > 0)
    land = panel.land[at, -1]
    if new.any():  # without any figure: the tax per mu of another payer of the county, on its own land
        log = np.where(new, model.payers[(word * len(model.payers)).astype(np.intp)] + centres(land, 0.0), log)
    coin = uniforms(keys, sampling, year, "zero")
    return Chance(log, *_zeros(model, land, frame, (coin, word), cell_odds(model, year, sampling)))


def projected(model: Dynamics, panel: Panel, before: Past, at: Rows) -> Frame:
    """Make the regressors of a year to be projected."""
    paid = panel.ytd[at, -1] / model.paid_share if model.month else None
    typical = centres(panel.land[at, -1], model.centre)
    made = lags(before.last, (before.log_sum, before.log_count), paid, typical)
    return made | {name: column[at] for name, column in model.static.items()}


@lru_cache(maxsize=16)
def county_draws(model: Dynamics, year: int, sampling: Sampling) -> tuple[np.ndarray, np.ndarray]:
    """Draw what the county shares: the coefficients, shape (draws, p), and the common shock, shape (draws, 1)."""
    drawn = uniforms(code_keys(["shock", *model.names]), sampling, year, "county")
    shock = stdtrit(model.shock_df, drawn[:, :1]) * model.shock_sd
    return model.coef + ndtri(drawn[:, 1:]) @ model.root.T, shock


@lru_cache(maxsize=16)
def cell_odds(model: Dynamics, year: int, sampling: Sampling) -> np.ndarray:
    """Beta-binomial odds of a year at or below zero in each cell (2 × silent + quiet), shape (draws, 4)."""
    cells, prior = model.cells.reshape(4, 2), ZERO_PRIOR.reshape(4)
    drawn = uniforms(code_keys(f"zero{i}" for i in range(4)), sampling, year, "county")
    return betaincinv(ZERO_WEIGHT * prior + cells[:, 1], ZERO_WEIGHT * (1 - prior) + cells[:, 0], drawn)


def _zeros(
    model: Dynamics, land: np.ndarray, frame: Frame, drawn: tuple[np.ndarray, np.ndarray], odds: np.ndarray
) -> tuple[np.ndarray, np.ndarray | float]:
    """Tell who ends at or below zero, with the odds of their cell, and with how much: 0 or a past year's refund per mu."""
    coin, word = drawn
    cell = np.broadcast_to(2 * frame["silent"].astype(np.intp) + frame["quiet"], coin.shape)
    zero = coin < np.take_along_axis(odds, cell, axis=1)
    if not len(model.refunds):
        return zero, 0.0
    share = min(len(model.refunds) / max(float(model.cells[..., 1].sum()), 1.0), 1.0)
    refund = model.refunds[(word * len(model.refunds)).astype(np.intp)] * np.where(land > 0, land, 0.0)
    return zero, np.where(coin < np.take_along_axis(odds, cell, axis=1) * share, refund, 0.0)


def draw_tax(
    models: tuple[Dynamics, Dynamics], panel: Panel, years: range, sampling: Sampling
) -> tuple[np.ndarray, ...]:
    """Draw each enterprise's tax of consecutive years without any disposal, 万元, one array (draws, n) a year.

    The models are for the first year of enterprises with a year to date, and for all else; the first year is the one after the panel's.
    """
    out = tuple(np.empty((sampling.draws, len(panel.codes))) for _ in years)
    step = max(1, BLOCK // sampling.draws)
    for at in by_model(models, panel, np.arange(len(panel.codes))):
        for start in range(0, len(at), step):
            some = at[start : start + step]
            before = past(panel, some)
            for tax, year in zip(out, years, strict=True):
                model = model_of(models, panel, some, year)
                drawn = chance(model, panel, before, some, year, sampling).taxed(model, panel, some)
                tax[:, some] = drawn
                before = before.then(drawn)
    for tax in out:
        tax.setflags(write=False)
    return out


def by_model(models: tuple[Dynamics, Dynamics], panel: Panel, at: Rows) -> tuple[Rows, Rows]:
    """Part enterprises by whether they have a year to date that the first model uses, and those that go by the second."""
    known = ~np.isnan(panel.ytd[at, -1]) & (models[0].month > 0)
    return at[known], at[~known]


def model_of(models: tuple[Dynamics, Dynamics], panel: Panel, at: Rows, year: int) -> Dynamics:
    """Return the model that projects some enterprises of one part (`by_model`) in a year."""
    known = bool(len(at)) and models[0].month > 0 and not np.isnan(panel.ytd[at[0], -1])
    return models[0] if known and year == panel.years[-1] + 1 else models[1]


MASK, HALF, ROUNDS, GROUP, BLOCK = 0xFFFFFFFF, np.uint64(32), 10, 256, 1 << 17
MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
WEYL = (0x9E3779B9, 0xBB67AE85)
STREAMS = {"tax": 0, "zero": 1, "finish": 2, "response": 3, "county": 4, "leave": 5, "done": 6, "age": 7, "effect": 8}
ZERO_WEIGHT, ZERO_PRIOR = 2.0, np.array([[0.02, 0.10], [0.60, 0.80]])
