"""How far finished disposals were in force in each past year: what their effect on tax is estimated from."""

from __future__ import annotations

import numpy as np

from lyeval.indicators import book, cases
from lyeval.ledger import Ledger
from lyeval.simulation.disposals import FAILED, Practice


def treated(ledger: Ledger, years: np.ndarray, month: int, practices: dict[str, Practice]) -> dict[str, np.ndarray]:
    """Lay out by method how much more of each year a finished case was in force than of the year before.

    Parameters
    ----------
    years
        Years to lay out, shape (m,).
    month
        Months of a year that are known when it is projected: what came into force in them shows in the year to date
        already, so only cases finished later count. 0: all cases count, with what last year's have left to give.
    practices
        The methods; those that close or bank a site have no effect on tax to estimate.

    Returns
    -------
    dict
        Method → array (n, m) of shares of a year, 0 to 1.
    """
    laid = book(ledger)
    rows = cases(laid)
    done = ~np.isnat(rows.finished) & ~np.isin(rows.outcome, FAILED) & (rows.at >= 0)
    out = {}
    for name, practice in practices.items():
        mine = np.flatnonzero(done & (rows.method == name))
        if len(mine) and not practice.gone and not practice.closed:
            share = np.column_stack([_rise(rows.finished[mine], int(year), month) for year in years])
            laid_out = np.zeros((len(laid), len(years)))
            np.maximum.at(laid_out, rows.at[mine], share)
            out[name] = laid_out
    return out


def _rise(finished: np.ndarray, year: int, month: int) -> np.ndarray:
    """Share of the year in force less that of the year before, shape (cases,)."""
    now = _in_force(finished, year)
    if not month:
        return now - _in_force(finished, year - 1)
    known = np.datetime64(f"{year}-{month:02d}", "M") + 1
    return np.where(finished >= known.astype("datetime64[D]"), now, 0.0)


def _in_force(finished: np.ndarray, year: int) -> np.ndarray:
    end = np.datetime64(f"{year + 1}-01-01")
    return np.clip((end - finished).astype(float) / 365.25, 0.0, 1.0)
