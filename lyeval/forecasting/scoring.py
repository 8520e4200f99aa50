"""Scores of odds against what came, the guesses that odds have to beat, and whether they do by calendar years."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from lyeval.simulation.engine import Setting


def crps(draws: np.ndarray, actual: float) -> float:
    """Continuous ranked probability score of an ensemble, E|X − y| − E|X − X'| / 2 (Gneiting and Raftery 2007).

    Parameters
    ----------
    draws
        Shape (n,); without NaN.
    actual
        What came, in the same unit; the score is in that unit too, smaller is better.
    """
    x = np.sort(draws)
    n = len(x)
    spread = 2 * float(np.sum((2 * np.arange(1, n + 1) - n - 1) * x)) / n**2
    return float(np.abs(x - actual).mean()) - spread / 2


def brier(probability: np.ndarray | float, came: np.ndarray | bool) -> np.ndarray:
    """Squared distance of a probability from what came (0 or 1), shape of the inputs."""
    return (np.asarray(probability, dtype=float) - np.asarray(came, dtype=float)) ** 2


def covered(draws: np.ndarray, actual: np.ndarray, nominal: float | Sequence[float]) -> np.ndarray:
    """Tell whether the central interval of the draws, shape (draws, n), holds what came, shape (n,); (m, n) for m intervals."""
    width = np.asarray(nominal, dtype=float)
    low, high = np.quantile(draws, ((1 - width) / 2, (1 + width) / 2), axis=0)
    slack = 1e-9 * np.maximum(np.abs(actual), 1.0)
    return (actual >= low - slack) & (actual <= high + slack)


def pit(draws: np.ndarray, actual: np.ndarray, *, seed: int) -> np.ndarray:
    """Randomised probability integral transform: where in its draws, shape (draws, n), each outcome fell, shape (n,).

    Uniform on (0, 1) where the spread is right; ties (a year at zero) are placed at random among themselves.
    """
    below, level = (draws < actual).sum(axis=0), (draws == actual).sum(axis=0)
    coin = np.random.default_rng(seed).random(len(actual))
    return (below + coin * (level + 1)) / (len(draws) + 1)


def baselines(given: Setting) -> dict[str, np.ndarray]:
    """Guess the first projected year's tax, 万元, shape (n,) each, NaN where a rule has nothing to go on.

    Returns
    -------
    dict
        ``no_change``: last year's tax; with months known also ``run_rate``: the year to date × 12 / k, and ``seasonal``: the year to date
        over its usual share of the year.
    """
    panel = given.panel
    out = {"no_change": panel.tax[:, -1]}
    if panel.month:
        ytd = panel.ytd[:, -1]
        out |= {"run_rate": ytd * 12 / panel.month, "seasonal": ytd / given.nowcast.paid_share}
    return out


def pooled_logit(given: Setting, need: np.ndarray) -> np.ndarray:
    """Odds that each enterprise reaches its line, by a logit on last year's and the year to date's distance from it, shape (n,).

    Fitted on all past enterprise-years together, with a slight ridge.

    Parameters
    ----------
    need
        Tax that each enterprise needs, 万元, shape (n,), NaN where it has no line.

    Returns
    -------
    numpy.ndarray
        NaN where there is nothing to go on, or no past year to fit on.
    """
    panel, month = given.panel, given.panel.month
    rows, hits = [], []
    for t in range(1, panel.tax.shape[1]):
        seen = ~np.isnan(panel.tax[:, t] + panel.tax[:, t - 1] + need) & (~np.isnan(panel.ytd[:, t]) if month else True)
        rows.append(_distances(panel.tax[seen, t - 1], panel.ytd[seen, t], need[seen], month))
        hits.append(panel.tax[seen, t] >= need[seen])
    out, now = np.full(len(need), np.nan), ~np.isnan(panel.tax[:, -1] + need)
    now &= ~np.isnan(panel.ytd[:, -1]) if month else True
    if not rows or sum(map(len, hits)) < MIN_LOGIT:
        return out
    beta = _logit(np.concatenate(rows), np.concatenate(hits).astype(float))
    score = _distances(panel.tax[now, -1], panel.ytd[now, -1], need[now], month) @ beta
    out[now] = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
    return out


def _distances(last: np.ndarray, ytd: np.ndarray, need: np.ndarray, month: int) -> np.ndarray:
    """Logs of last year's tax and of the year to date × 12 / k over what is needed, held at 1 %, after a constant."""
    columns = [np.ones(len(last)), np.log(np.maximum(last / need, 0.01))]
    if month:
        columns.append(np.log(np.maximum(ytd * 12 / month / need, 0.01)))
    return np.column_stack(columns)


def _logit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Fit a logit by Newton steps."""
    beta = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        hessian = x.T @ (x * (p * (1 - p) + 1e-6)[:, None]) + 1e-3 * np.eye(x.shape[1])
        beta = beta + np.linalg.solve(hessian, x.T @ (y - p))
    return beta


def skill(scores: pd.DataFrame, *, seed: int = 7) -> pd.DataFrame:
    """Compare the forecast's scores with each baseline's on the same cases, year by year.

    Parameters
    ----------
    scores
        One row a case and model: level, id, year, month, model, case, brier, crps.

    Returns
    -------
    DataFrame
        level, id, month, measure, baseline, forecast, guess (mean scores, smaller is better), difference, low, high (95 % interval by
        drawing calendar years with replacement, `RESAMPLES` times), years, verdict: better, worse, no_difference, or cannot_judge with
        fewer than `MIN_YEARS` years (low and high are then None). A difference of Brier scores within `NOTHING` is none: odds are held
        off 0 and 1 by half a draw, a guess is not.
    """
    rows: list[dict[str, Any]] = []
    for key, part in scores.groupby(["level", "id", "month"], sort=True):
        level, id, month = cast("tuple[str, str, int]", key)
        for measure in ("brier", "crps"):
            wide = part.pivot_table(index=["year", "case"], columns="model", values=measure, aggfunc="first")
            for baseline in (name for name in BASELINES if name in wide and "forecast" in wide):
                both = wide[["forecast", baseline]].dropna()
                if len(both):
                    row = {"level": level, "id": id, "month": int(month), "measure": measure, "baseline": baseline}
                    rows.append(row | _compared(both, baseline, NOTHING if measure == "brier" else 0.0, seed))
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in SKILL_COLUMNS})


def _compared(both: pd.DataFrame, baseline: str, nothing: float, seed: int) -> dict[str, Any]:
    """Compare two models on the same cases; a year weighs as many cases as it has, a difference within ``nothing`` is none."""
    gap = (both["forecast"] - both[baseline]).groupby(level="year")
    total, number = gap.sum().to_numpy(), gap.size().to_numpy()
    years, low, high, verdict = len(total), None, None, "cannot_judge"
    if years >= MIN_YEARS:
        picks = np.random.default_rng(seed).integers(0, years, (RESAMPLES, years))
        low, high = np.quantile(total[picks].sum(axis=1) / number[picks].sum(axis=1), (0.025, 0.975)).tolist()
        verdict = "better" if high < -nothing else "worse" if low > nothing else "no_difference"
    return {
        "forecast": float(both["forecast"].mean()),
        "guess": float(both[baseline].mean()),
        "difference": float(total.sum() / number.sum()),
        "low": low,
        "high": high,
        "years": years,
        "verdict": verdict,
    }


NOMINAL = (0.5, 0.8, 0.95)
MIN_YEARS, MIN_LOGIT, RESAMPLES, NOTHING = 3, 30, 2000, 1e-3
BASELINES = ("no_change", "last_value", "run_rate", "seasonal", "logit")
SKILL_COLUMNS = (
    *("level", "id", "month", "measure", "baseline", "forecast", "guess"),
    *("difference", "low", "high", "years", "verdict"),
)
