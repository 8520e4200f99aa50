"""Draws of one year's tax from a fitted projection."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

from lyeval.simulation.dynamics import Dynamics, scale_design
from lyeval.simulation.features import Lags, centres, earlier_logs, lags, linear, mean_log, static_columns
from lyeval.simulation.known import Panel
from lyeval.simulation.philox import STREAMS, code_keys, uniforms


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


def draw_tax(
    model: Dynamics, panel: Panel, before: Past, *, year: int, sampling: Sampling, effect: np.ndarray | float = 0.0
) -> np.ndarray:
    """Draw the tax of ``year``, 万元, shape (draws, n).

    Parameters
    ----------
    model
        Fitted for the months known of ``year``; its ``month`` is 0 for later years.
    before
        Tax up to the year before.
    effect
        Effects of disposal methods on log tax, shape (draws, n) or 0.
    """
    keys = code_keys(panel.codes)
    words = uniforms(keys, sampling.draws, year=year, stream=STREAMS["tax"], seed=sampling.seed)
    ytd = panel.ytd[:, -1] if model.month else None
    frame = _frame(model, panel, before, ytd)
    drawn = _log_tax(model, frame, _county(model, year, sampling), words[1]) + effect
    drawn = _newcomers(model, panel, before, frame, drawn, words[1])
    tax = _signed(model, panel, frame, np.exp(np.clip(drawn, -40.0, 40.0)), words, year=year, sampling=sampling)
    return tax if ytd is None else _settle(model, panel, tax, ytd)


def _frame(model: Dynamics, panel: Panel, before: Past, ytd: np.ndarray | None) -> Lags:
    paid = None if ytd is None else ytd / model.paid_share
    made = lags(before.last, mean_log(before.log_sum, before.log_count), paid, centres(panel, model.centre))
    return replace(made, static=static_columns(panel, model.covariates, -1), centre=model.centre)


def _county(model: Dynamics, year: int, sampling: Sampling) -> tuple[np.ndarray, np.ndarray]:
    """Draw the coefficients, shape (draws, p), and the common shock, shape (draws, 1)."""
    names = code_keys(["shock", *model.names])
    drawn = uniforms(names, sampling.draws, year=year, stream=STREAMS["county"], seed=sampling.seed, words=1)[0]
    shock = stdtrit(model.shock_df, drawn[:, :1]) * model.shock_sd
    return model.coef + ndtri(drawn[:, 1:]) @ model.root.T, shock


def _log_tax(model: Dynamics, frame: Lags, county: tuple[np.ndarray, np.ndarray], word: np.ndarray) -> np.ndarray:
    """Projected log tax, common shock and a resampled residual, shape (draws, n)."""
    coef, shock = county
    size = np.exp(np.clip(scale_design(frame) @ model.scale_coef, *model.scale_range))
    residual = model.residuals[(word * len(model.residuals)).astype(np.intp)]
    return linear(frame, model.names, coef) + shock + size * residual


def _newcomers(
    model: Dynamics, panel: Panel, before: Past, frame: Lags, drawn: np.ndarray, word: np.ndarray
) -> np.ndarray:
    """Give an enterprise without any figure the tax per mu of another payer of the county, on its own land."""
    new = np.isnan(before.last) & np.asarray(frame.young) & (np.asarray(frame.quiet) | (model.month == 0))
    if not new.any() or not len(model.payers):
        return drawn
    pick = (word * len(model.payers)).astype(np.intp)
    stock = model.payers[pick] + centres(panel, 0.0)
    return np.where(new, stock, drawn)


def _signed(
    model: Dynamics, panel: Panel, frame: Lags, tax: np.ndarray, words: np.ndarray, *, year: int, sampling: Sampling
) -> np.ndarray:
    """Put enterprises at zero, or below it, with the odds of their cell, drawn once for the county in each draw."""
    odds = _cell_odds(model, year, sampling)
    silent, quiet = np.asarray(frame.silent).astype(np.intp), np.asarray(frame.quiet).astype(np.intp)
    cell = np.broadcast_to(2 * silent + quiet, tax.shape)
    chance = np.take_along_axis(odds, cell, axis=1)
    out = np.where(words[0] < chance, 0.0, tax)
    if not len(model.refunds):
        return out
    land = np.where(panel.land[:, -1] > 0, panel.land[:, -1], 0.0)
    share = len(model.refunds) / max(model.cells[..., 1].sum(), 1.0)
    refund = model.refunds[(words[2] * len(model.refunds)).astype(np.intp)] * land
    return np.where((words[0] < chance) & (words[3] < share), refund, out)


def _cell_odds(model: Dynamics, year: int, sampling: Sampling) -> np.ndarray:
    """Beta-binomial odds of a year at or below zero in each cell (2 × silent + quiet), shape (draws, 4)."""
    cells, prior = model.cells.reshape(4, 2), ZERO_PRIOR.reshape(4)
    names = code_keys([f"zero{i}" for i in range(4)])
    drawn = uniforms(names, sampling.draws, year=year, stream=STREAMS["county"], seed=sampling.seed, words=1)[0]
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
