"""What anyone could have guessed: the forecasts that odds have to beat."""

from __future__ import annotations

import numpy as np

from lyeval.simulation.engine import Setting


def baselines(given: Setting) -> dict[str, np.ndarray]:
    """Guess the first projected year's tax, 万元, shape (n,) each, NaN where a rule has nothing to go on.

    Returns
    -------
    dict
        ``no_change``: last year's tax; with months known also ``run_rate``: the year to date × 12 / k, and
        ``seasonal``: the year to date over its usual share of the year.
    """
    panel = given.panel
    out = {"no_change": panel.tax[:, -1]}
    if panel.month:
        ytd = panel.ytd[:, -1]
        out["run_rate"] = ytd * 12 / panel.month
        out["seasonal"] = ytd / given.nowcast.paid_share
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


MIN_LOGIT = 30
