"""Is the projection's spread right, and does it beat what anyone could guess? Run on counties that are not the model.

``python tests/benchmarks/calibrate.py OUT.md [COUNTIES]`` forecasts the last year of each county at months 0, 3, 6 and 9 and writes
coverage, Brier score and CRPS beside five baselines, with block-bootstrap intervals of the differences (a block: a county).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from counties import PROCESSES, County, make

from lyeval.forecasting.scores import crps
from lyeval.simulation.draws import Sampling, draw_tax, past
from lyeval.simulation.dynamics import Priors, fit

MONTHS, DRAWS, BOOTSTRAP = (0, 3, 6, 9), 500, 2000
PRIORS = Priors(shock_sd=0.18, shock_df=5.0, spread=0.6)


def score(county: County, month: int, seed: int) -> dict[str, float]:
    """Score one county at one month: enterprises, and the share of land below the line."""
    panel = county.panels[month]
    model = fit(panel, month, PRIORS)
    drawn = draw_tax(model, panel, past(panel), year=2023, sampling=Sampling(DRAWS, seed))
    there = ~np.isnan(county.actual) & ~np.isnan(panel.tax[:, -1])
    drawn, actual, land = drawn[:, there], county.actual[there], county.land[there]
    need, weight, reached = county.line * land, land / land.sum(), county.actual[there] >= county.line * land
    odds, share, came = (drawn >= need).mean(axis=0), (drawn < need) @ weight, float(weight @ ~reached)
    out = {"forecast_brier": _mean(odds, reached), "forecast_crps": crps(share, came)}
    for nominal in (0.5, 0.8, 0.95):
        tails = ((1 - nominal) / 2, (1 + nominal) / 2)
        low, high = np.quantile(drawn, tails, axis=0)
        out[f"enterprise_{nominal:g}"] = float(np.mean((actual >= low - 1e-9) & (actual <= high + 1e-9)))
        low, high = np.quantile(share, tails)
        out[f"county_{nominal:g}"] = float(low <= came <= high)
    for name, guess in _guesses(county, month, model.paid_share, there).items():
        out[f"{name}_brier"] = _mean(guess, reached)
        out[f"{name}_crps"] = abs(float(weight @ (1 - guess)) - came)
    return out


def _mean(odds: np.ndarray, reached: np.ndarray) -> float:
    return float(np.mean((odds - reached) ** 2))


def _guesses(county: County, month: int, paid: float, there: np.ndarray) -> dict[str, np.ndarray]:
    """Odds of reaching the line by each baseline, shape (n,)."""
    panel, need = county.panels[month], (county.line * county.land)[there]
    last, ytd = panel.tax[there, -1], panel.ytd[there, -1]
    out = {"no_change": last >= need, "logit": _logit(county, month, there)}
    if month:
        out |= {"run_rate": ytd * 12 / month >= need, "seasonal": ytd / paid >= need}
    return {name: np.asarray(odds, dtype=float) for name, odds in out.items()}


def _logit(county: County, month: int, there: np.ndarray) -> np.ndarray:
    """Pooled logit of reaching the line on last year's and the year to date's distance from it."""
    panel, need = county.panels[month], county.line * county.land
    rows, hits = [], []
    for t in range(1, panel.tax.shape[1]):
        seen = ~np.isnan(panel.tax[:, t]) & ~np.isnan(panel.tax[:, t - 1])
        rows.append(_distances(panel.tax[seen, t - 1], panel.ytd[seen, t], need[seen], month))
        hits.append(panel.tax[seen, t] >= need[seen])
    x, y = np.concatenate(rows), np.concatenate(hits).astype(float)
    beta = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        hessian = x.T @ (x * (p * (1 - p) + 1e-6)[:, None]) + 1e-3 * np.eye(x.shape[1])
        beta = beta + np.linalg.solve(hessian, x.T @ (y - p))
    now = _distances(panel.tax[there, -1], panel.ytd[there, -1], need[there], month)
    return 1 / (1 + np.exp(-np.clip(now @ beta, -30, 30)))


def _distances(last: np.ndarray, ytd: np.ndarray, need: np.ndarray, month: int) -> np.ndarray:
    columns = [np.ones(len(last)), np.log(np.maximum(last / need, 0.01))]
    if month:
        columns.append(np.log(np.maximum(ytd * 12 / month / need, 0.01)))
    return np.column_stack(columns)


def run(counties: int) -> pd.DataFrame:
    """Score as many counties, the processes in turn, at every month: one row each."""
    names = list(PROCESSES)
    rows = []
    for i in range(counties):
        name = names[i % len(names)]
        county = make(PROCESSES[name], i)
        rows += [{"process": name, "county": i, "month": k, **score(county, k, i)} for k in MONTHS]
    return pd.DataFrame(rows)


def differences(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean of forecast less baseline for each score and month, with a 95 % block-bootstrap interval over counties."""
    rng, rows = np.random.default_rng(7), []
    for month, part in scores.groupby("month"):
        for column in (c for c in part if c.endswith(("_brier", "_crps")) and not c.startswith("forecast")):
            base, measure = column.rsplit("_", 1)
            gap = (part[f"forecast_{measure}"] - part[column]).dropna().to_numpy()
            if len(gap):
                means = gap[rng.integers(0, len(gap), (BOOTSTRAP, len(gap)))].mean(axis=1)
                low, high = np.quantile(means, (0.025, 0.975))
                rows.append((month, measure, base, part[f"forecast_{measure}"].mean(), part[column].mean(), low, high))
    return pd.DataFrame(rows, columns=["month", "measure", "baseline", "forecast", "guess", "low", "high"])


def report(scores: pd.DataFrame) -> str:
    """Write the tables in Markdown."""
    cover = [c for c in scores if c.startswith(("enterprise_", "county_"))]
    lines = ["| month | " + " | ".join(cover) + " |", "|" + "---|" * (len(cover) + 1)]
    for month, part in scores.groupby("month"):
        lines.append(f"| {month} | " + " | ".join(f"{part[c].mean():.3f}" for c in cover) + " |")
    lines += ["", "| month | score | against | forecast | baseline | difference, 95 % |", "|---|---|---|---|---|---|"]
    for d in differences(scores).itertuples():
        ends = f"{d.low:+.4f} to {d.high:+.4f}"
        lines.append(f"| {d.month} | {d.measure} | {d.baseline} | {d.forecast:.4f} | {d.guess:.4f} | {ends} |")
    lines += ["", "| process | month | enterprise_0.8 | county_0.8 | Brier | CRPS |", "|---|---|---|---|---|---|"]
    for (name, month), part in scores.groupby(["process", "month"], sort=False):
        values = (part[c].mean() for c in ("enterprise_0.8", "county_0.8", "forecast_brier", "forecast_crps"))
        lines.append(f"| {name} | {month} | " + " | ".join(f"{v:.3f}" for v in values) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    found = run(int(sys.argv[2]) if len(sys.argv) > 2 else 240)
    Path(sys.argv[1]).write_text(report(found), encoding="utf-8")
    sys.stdout.write(report(found))
