"""What the forecast is measured against: last year, run rates, logits, a mixed model, boosted stumps.

Each gives the odds of reaching the line, shape (n,), and the county's share below it, shape (draws,) (one number repeated where it has no
spread).
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from counties import County
from scipy.special import expit, ndtr

Told = tuple[np.ndarray, np.ndarray]


def rivals(county: County, month: int, seed: int, *, mixed: bool) -> dict[str, Told]:
    """Return every rival's odds and shares; the slow mixed model only if asked for."""
    panel, need, weight = county.panels[month], county.line * county.land, county.land / county.land.sum()
    last, ytd = panel.tax[:, -1], panel.ytd[:, -1]
    guesses = {"no change": last >= need}
    if month:
        guesses |= {"run rate": ytd * 12 / month >= need, "seasonal": ytd / panel.calendar[month] >= need}
    x, y, year, now = _rows(county, month)
    plain, _ = _logit(x, y)
    told = {name: odds.astype(float) for name, odds in guesses.items()}
    told |= {"logit": expit(now @ plain), "boosting": _boosted(x, y, now)}
    out = {name: (odds, np.array([weight @ (1 - odds)])) for name, odds in told.items()}
    out["logit with year shift"] = _shifted(x, y, year, now, weight, np.random.default_rng([seed, month]))
    if mixed:
        odds = _mixed(county, month)
        out["mixed model"] = odds, np.array([weight @ (1 - odds)])
    return out


def _rows(county: County, month: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Past enterprise-years: regressors, whether the line was reached, position of the year; and the year to come."""
    panel, need = county.panels[month], county.line * county.land
    parts = []
    for t in range(1, panel.tax.shape[1] + 1):
        rest = panel.tax[:, t - 1] - panel.ytd[:, t - 1]
        parts.append(_distances(panel.tax[:, t - 1], panel.ytd[:, t], rest, need, month))
    hits = (panel.tax[:, 1:] >= need[:, None]).T.ravel().astype(float)
    years = np.repeat(np.arange(len(parts) - 1), len(need))
    return np.concatenate(parts[:-1]), hits, years, parts[-1]


def _distances(last: np.ndarray, ytd: np.ndarray, rest: np.ndarray, need: np.ndarray, month: int) -> np.ndarray:
    """Logs of last year's tax, of the run rate, and of the year to date with last year's remainder over the need, after a constant."""
    known = [ytd * 12 / month, ytd + rest] if month else []
    logs = [np.log(np.maximum(value / need, 0.01)) for value in (last, *known)]
    return np.column_stack([np.ones(len(last)), *logs])


def _logit(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit a logit with a slight ridge by Newton steps: coefficients and covariance."""
    beta = np.zeros(x.shape[1])
    for _ in range(30):
        p = expit(np.clip(x @ beta, -30, 30))
        hessian = x.T @ (x * (p * (1 - p) + 1e-6)[:, None]) + 1e-3 * np.eye(x.shape[1])
        beta = beta + np.linalg.solve(hessian, x.T @ (y - p) - 1e-3 * beta)
    return beta, np.linalg.inv(hessian)


def _shifted(
    x: np.ndarray, y: np.ndarray, year: np.ndarray, now: np.ndarray, weight: np.ndarray, rng: np.random.Generator
) -> Told:
    """Logit with year effects that sum to zero, the coming year's drawn with the spread of the past ones."""
    last, p = year.max(), x.shape[1]
    dummies = (year[:, None] == np.arange(last)).astype(float) - (year == last)[:, None]
    beta, _ = _logit(np.column_stack([x, dummies]), y)
    effects = np.append(beta[p:], -beta[p:].sum())
    shift = rng.normal(0.0, effects.std(ddof=1) * np.sqrt(1 + 1 / len(effects)), (500, 1))
    odds = expit(now @ beta[:p] + shift)
    return odds.mean(axis=0), (rng.random(odds.shape) >= odds) @ weight


def _boosted(x: np.ndarray, y: np.ndarray, now: np.ndarray, rounds: int = 60, rate: float = 0.15) -> np.ndarray:
    """Gradient boosting of trees of depth one on the log-loss (Friedman 2001), cut at each regressor's thirtieths."""
    cuts = [(j, c) for j in range(1, x.shape[1]) for c in np.unique(np.quantile(x[:, j], np.arange(1, 30) / 30))]
    above = np.column_stack([x[:, j] > c for j, c in cuts]).astype(float)
    above_now = np.column_stack([now[:, j] > c for j, c in cuts])
    score, score_now = (np.full(len(rows), np.log((y.mean() + 1e-3) / (1 - y.mean() + 1e-3))) for rows in (x, now))
    for _ in range(rounds):
        p = expit(score)
        gradient, curve = y - p, p * (1 - p)
        high = gradient @ above, curve @ above + 1.0
        low = gradient.sum() - high[0], curve.sum() - high[1] + 2.0
        best = int(np.argmax(high[0] ** 2 / high[1] + low[0] ** 2 / low[1]))
        up, down = high[0][best] / high[1][best], low[0][best] / low[1][best]
        score += rate * np.where(above[:, best] > 0, up, down)
        score_now += rate * np.where(above_now[:, best], up, down)
    return expit(score_now)


def _mixed(county: County, month: int) -> np.ndarray:
    """Random-intercept MixedLM of log tax on the same regressors, a normal about its prediction; NaN where it does not converge."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    panel, need = county.panels[month], county.line * county.land
    x, _, year, now = _rows(county, month)
    tax, who = panel.tax[:, 1:].T.ravel(), np.tile(np.arange(len(need)), year.max() + 1)
    distance, use = np.log(np.maximum(tax, 1e-9) / need[who]), tax > 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            fitted = MixedLM(distance[use], x[use], groups=who[use]).fit(reml=False, method="lbfgs", maxiter=30)
        except np.linalg.LinAlgError:  # a variance of nil
            return np.full(len(need), np.nan)
    own = pd.Series({who: effect.iloc[0] for who, effect in fitted.random_effects.items()}).reindex(range(len(need)))
    spread = np.sqrt(fitted.scale + float(np.asarray(fitted.cov_re)[0, 0]) / (year.max() + 2))
    return ndtr((now @ fitted.fe_params + own.fillna(0.0).to_numpy()) / spread)
