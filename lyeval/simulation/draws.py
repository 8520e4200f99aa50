"""Draws of one year's tax from a fitted projection."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

from lyeval.simulation.dynamics import Dynamics, scale_design
from lyeval.simulation.features import Lags, centres, earlier_logs, lags, linear, mean_log, static_columns
from lyeval.simulation.known import Panel
from lyeval.simulation.philox import STREAMS, code_keys, normals, uniforms


@dataclass(frozen=True)
class Sampling:
    """How many draws, from which seed.

    Attributes
    ----------
    draws
        Number of Monte Carlo draws.
    seed
        Any integer; the same seed gives an enterprise the same draws whatever else is drawn.
    """

    draws: int
    seed: int


@dataclass(frozen=True, eq=False)
class Past:
    """An enterprise's tax so far, as the projection needs it; arrays (n,) at first, (draws, n) after a projected year.

    Attributes
    ----------
    last
        Tax of the latest year, 万元, NaN unknown.
    log_sum, log_count
        Sum and number of logs of the years above zero before ``last``.
    """

    last: np.ndarray
    log_sum: np.ndarray
    log_count: np.ndarray

    def then(self, tax: np.ndarray) -> Past:
        """Move on by a year that ended with ``tax``, shape (draws, n)."""
        positive = self.last > 0
        logs = np.log(np.where(positive, self.last, 1.0))
        return Past(tax, self.log_sum + logs, self.log_count + positive)


def past(panel: Panel) -> Past:
    """Start from the panel: each enterprise's latest known figure, and the years above zero before it."""
    tax = panel.tax
    known = ~np.isnan(tax)
    latest = np.where(known.any(axis=1), tax.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1), 0)
    last = tax[np.arange(len(tax)), latest]
    before = np.where(np.arange(tax.shape[1])[None, :] < latest[:, None], tax, np.nan)
    total, number = earlier_logs(np.nan_to_num(before, nan=0.0))
    return Past(last, total, number)


@dataclass(frozen=True, eq=False)
class Chance:
    """What chance brings each enterprise in a year, before any disposal: shape (draws, n) each.

    Attributes
    ----------
    log
        Log of tax if it is above zero.
    zero
        The year ends at or below zero.
    amount
        Tax of a year at or below zero, 万元: 0, or a net refund.
    """

    log: np.ndarray
    zero: np.ndarray
    amount: np.ndarray | float


def draw_tax(model: Dynamics, panel: Panel, before: Past, *, year: int, sampling: Sampling) -> np.ndarray:
    """Draw the tax of ``year`` without any disposal, 万元, shape (draws, n); parameters as for `chance`."""
    return taxed(model, panel, chance(model, panel, before, year=year, sampling=sampling))


def chance(model: Dynamics, panel: Panel, before: Past, *, year: int, sampling: Sampling) -> Chance:
    """Draw what chance brings in ``year``.

    Parameters
    ----------
    model
        Fitted for the months known of ``year``; its ``month`` is 0 for later years.
    before
        Tax up to the year before.
    """
    keys = code_keys(panel.codes)
    drawn = {"year": year, "seed": sampling.seed}
    word = uniforms(keys, sampling.draws, stream=STREAMS["tax"], **drawn)
    frame = projected(model, panel, before)
    if len(model.residuals):
        residual = model.residuals[(word * len(model.residuals)).astype(np.intp)]
    else:
        residual = normals(keys, sampling.draws, stream=STREAMS["tax"], **drawn)
    coef, shock = county_draws(model, year, sampling)
    log = _log_tax(model, frame, (coef, shock + shift_of(model, panel, year)), residual)
    log = _newcomers(model, panel, before, frame, log, word)
    coin = uniforms(keys, sampling.draws, stream=STREAMS["zero"], **drawn)
    return Chance(log, *_zeros(model, panel, frame, (coin, word), cell_odds(model, year, sampling)))


def taxed(model: Dynamics, panel: Panel, drawn: Chance, effect: np.ndarray | float = 0.0) -> np.ndarray:
    """Return the year's tax, 万元, shape (draws, n), with effects of disposals on its log, held to the year to date."""
    tax = np.where(drawn.zero, drawn.amount, np.exp(np.clip(drawn.log + effect, -40.0, 40.0)))
    return _settle(model, panel, tax, panel.ytd[:, -1]) if model.month else tax


def projected(model: Dynamics, panel: Panel, before: Past) -> Lags:
    """Make the regressors of the year to be projected."""
    paid = panel.ytd[:, -1] / model.paid_share if model.month else None
    made = lags(before.last, mean_log(before.log_sum, before.log_count), paid, centres(panel, model.centre))
    return replace(made, static=static_columns(panel, model.covariates, -1), centre=model.centre)


def county_draws(model: Dynamics, year: int, sampling: Sampling) -> tuple[np.ndarray, np.ndarray]:
    """Draw the coefficients, shape (draws, p), and the common shock, shape (draws, 1)."""
    names = code_keys(["shock", *model.names])
    drawn = uniforms(names, sampling.draws, year=year, stream=STREAMS["county"], seed=sampling.seed)
    shock = stdtrit(model.shock_df, drawn[:, :1]) * model.shock_sd
    return model.coef + ndtri(drawn[:, 1:]) @ model.root.T, shock


def shift_of(model: Dynamics, panel: Panel, year: int) -> float:
    """Return the known shift of log tax in a year: only the first projected one has it, later ones carry it in their level."""
    return model.shift if year == panel.years[-1] + 1 else 0.0


def _log_tax(model: Dynamics, frame: Lags, county: tuple[np.ndarray, np.ndarray], residual: np.ndarray) -> np.ndarray:
    """Projected log tax, common shock and the enterprise's own residual, shape (draws, n)."""
    coef, shock = county
    size = np.exp(np.clip(scale_design(frame) @ model.scale_coef, *model.scale_range))
    return linear(frame, model.names, coef) + shock + size * residual


def newcomers(model: Dynamics, panel: Panel, before: Past, frame: Lags) -> np.ndarray:
    """Tell who has no figure at all, and there are payers to take one from."""
    new = np.isnan(before.last) & np.asarray(frame.young) & (np.asarray(frame.quiet) | (model.month == 0))
    return new & (len(model.payers) > 0)


def _newcomers(
    model: Dynamics, panel: Panel, before: Past, frame: Lags, drawn: np.ndarray, word: np.ndarray
) -> np.ndarray:
    """Give an enterprise without any figure the tax per mu of another payer of the county, on its own land."""
    new = newcomers(model, panel, before, frame)
    if not new.any():
        return drawn
    pick = (word * len(model.payers)).astype(np.intp)
    stock = model.payers[pick] + centres(panel, 0.0)
    return np.where(new, stock, drawn)


def _zeros(
    model: Dynamics, panel: Panel, frame: Lags, words: tuple[np.ndarray, np.ndarray], odds: np.ndarray
) -> tuple[np.ndarray, np.ndarray | float]:
    """Tell who ends at or below zero, with the odds of their cell, and with how much: 0 or a past year's refund per mu."""
    coin, word = words
    silent, quiet = np.asarray(frame.silent).astype(np.intp), np.asarray(frame.quiet).astype(np.intp)
    cell = np.broadcast_to(2 * silent + quiet, coin.shape)
    limit = np.take_along_axis(odds, cell, axis=1)
    if not len(model.refunds):
        return coin < limit, 0.0
    land = np.where(panel.land[:, -1] > 0, panel.land[:, -1], 0.0)
    refund = model.refunds[(word * len(model.refunds)).astype(np.intp)] * land
    return coin < limit, np.where(coin < limit * refund_share(model), refund, 0.0)


def refund_share(model: Dynamics) -> float:
    """Return the share of the past years at or below zero that were below it."""
    return min(len(model.refunds) / max(float(model.cells[..., 1].sum()), 1.0), 1.0)


def cell_odds(model: Dynamics, year: int, sampling: Sampling) -> np.ndarray:
    """Beta-binomial odds of a year at or below zero in each cell (2 × silent + quiet), shape (draws, 4)."""
    cells, prior = model.cells.reshape(4, 2), ZERO_PRIOR.reshape(4)
    names = code_keys([f"zero{i}" for i in range(4)])
    drawn = uniforms(names, sampling.draws, year=year, stream=STREAMS["county"], seed=sampling.seed)
    a, b = ZERO_WEIGHT * prior + cells[:, 1], ZERO_WEIGHT * (1 - prior) + cells[:, 0]
    return betaincinv(a, b, drawn)


def _settle(model: Dynamics, panel: Panel, tax: np.ndarray, ytd: np.ndarray) -> np.ndarray:
    """Hold a year's tax to the year to date: no less where there are no refunds, and it itself after December."""
    known = ~np.isnan(ytd)
    if model.month == 12:
        return np.where(known, ytd, tax)
    return np.where(known & ~panel.refunds, np.maximum(tax, ytd), tax)


ZERO_WEIGHT = 2.0
ZERO_PRIOR = np.array([[0.02, 0.10], [0.60, 0.80]])
