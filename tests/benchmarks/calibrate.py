"""Is the projection's spread right, and does it beat what anyone could guess? Run on counties that are not the model.

``make calibrate`` forecasts the last year of 240 counties at months 0, 3, 6 and 9 and writes coverage, Brier score and CRPS beside the
baselines, with block-bootstrap intervals of the differences (a block: a county), and the recovery of a known effect of a disposal, to
docs/validation.md.

Fixed before the run: the counties' seeds (`JUDGED`; the settings were chosen on `TUNING` alone), the loss (Brier of enterprises reaching
the line, CRPS of the county's share of land below it), and the bounds (`BOUNDS`).
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from counties import PROCESSES, County, make

from lyeval.forecasting.scoring import crps
from lyeval.simulation.assumed import assumed
from lyeval.simulation.draws import Sampling, draw_tax
from lyeval.simulation.dynamics import fit
from lyeval.simulation.engine import setting
from lyeval.simulation.known import Date

ROOT = Path(__file__).resolve().parents[2]
MONTHS, DRAWS, BOOTSTRAP = (0, 3, 6, 9), 500, 2000
TUNING, JUDGED, EFFECTS = range(10_000, 10_160), range(20_000, 20_240), range(1_000, 1_400)
BOUNDS = {"enterprise_0.8": (0.77, 0.83), "county_0.8": (0.72, 0.88), "effect": (0.86, 0.94)}
PRIORS = assumed("default").tax


def score(county: County, month: int, seed: int) -> dict[str, float]:
    """Score one county at one month: enterprises, and the share of land below the line."""
    panel = county.panels[month]
    model = fit(panel, month, PRIORS)
    drawn = draw_tax((model, model), panel, range(2023, 2024), Sampling(DRAWS, seed))[0]
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
    last = panel.tax[:, -1]
    had, low = county.land[~np.isnan(last)], (last < county.line * county.land)[~np.isnan(last)]
    out["last_share_crps"] = abs(float(had @ low / had.sum()) - came)
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


def run(seeds: range = JUDGED) -> pd.DataFrame:
    """Score one county a seed, the processes in turn, at every month: one row each."""
    names = list(PROCESSES)
    rows = []
    for i in seeds:
        name = names[i % len(names)]
        county = make(PROCESSES[name], i)
        rows += [{"process": name, "county": i, "month": k, **score(county, k, i)} for k in MONTHS]
    return pd.DataFrame(rows)


def effects(seeds: range = EFFECTS, size: float = 0.5) -> np.ndarray:
    """Estimate a known effect of a method on log tax in one county a seed: estimates and their errors, shape (seeds, 2)."""
    sys.path.insert(0, str(ROOT / "tests"))
    from outlook_county import county, with_disposals

    found, taken = [], assumed("default")
    for seed in seeds:
        ledger = county(150, range(2017, 2024), seed=seed, noise=0.25)
        lifted = ledger.annual["credit_code"].isin(ledger.enterprises["credit_code"].iloc[:40])
        after = lifted & (ledger.annual["year"] >= 2021)
        tax = ledger.annual["tax_wan"].where(~after, ledger.annual["tax_wan"] * np.exp(size))
        cases = [(i, "upgrade", "2020-06-01", "2021-01-01", "达标") for i in range(40)]
        told = with_disposals(replace(ledger, annual=ledger.annual.assign(tax_wan=tax)), cases)
        found.append(setting(told, Date(2023, 2023, 12), None, taken, Sampling(100, 1)).annual.effects["upgrade"])
    return np.array(found)


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


def judged(scores: pd.DataFrame, found: np.ndarray) -> list[str]:
    """Say of each bound fixed before the run whether it is kept."""
    out = []
    for month, part in scores.groupby("month"):
        for name in ("enterprise_0.8", "county_0.8"):
            out.append(_within(f"{name} at month {month}", float(part[name].mean()), BOUNDS[name]))
    inside = float(np.mean(np.abs(found[:, 0] - 0.5) < 1.645 * found[:, 1]))
    out.append(_within("90 % intervals of a known effect", inside, BOUNDS["effect"]))
    for d in differences(scores).itertuples():
        word = "better than" if d.high < 0 else "no worse than" if d.low <= 0 else "WORSE than"
        missed = " (better was asked for)" if d.month in (3, 6) and d.high >= 0 else ""
        out.append(f"{d.measure} at month {d.month}: {word} {d.baseline}{missed}")
    return out


def _within(name: str, value: float, bounds: tuple[float, float]) -> str:
    low, high = bounds
    return f"{name}: {value:.3f}, {'within' if low <= value <= high else 'OUTSIDE'} {low} to {high}"


def tables(scores: pd.DataFrame) -> list[str]:
    """Lay out coverage, differences and processes in Markdown."""
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
    return lines


def page(scores: pd.DataFrame, found: np.ndarray) -> str:
    """Write the page: what was run, what was changed after looking, what came out."""
    estimates, errors = found.T
    recovered = (
        f"An effect of 0.5 log points on 40 of 150 enterprises, {len(found)} counties: mean estimate {estimates.mean():.3f}, its spread "
        f"{estimates.std():.3f}, mean stated error {errors.mean():.3f}."
    )
    verdicts = [f"- {line}" for line in judged(scores, found)]
    n = scores["county"].nunique()
    head = [HEAD.format(n=n, first=JUDGED.start, last=JUDGED.stop - 1, tuned=TUNING.start, until=TUNING.stop - 1)]
    return (
        "\n".join(
            [
                *head,
                "## Bounds fixed before the run",
                "",
                *verdicts,
                "",
                "## Figures",
                "",
                *tables(scores),
                "",
                recovered,
            ]
        )
        + "\n"
    )


HEAD = """# How far the odds have been checked / 预测可靠性的检验

Written by `make calibrate`. None of this is the record of any county: these are synthetic counties, made by processes that are not the
model that forecasts them (`tests/benchmarks/counties.py`). A county's own record is `backtest` on its own ledger, and counts in years.

{n} counties of seeds {first} to {last}, eight processes in turn (heavy tails, persistent effects, own levels, a distorted calendar, entry
and exit, shocks of industries, a response to the line, all of it), 120 to 400 enterprises, six past years, the seventh forecast at months
0, 3, 6 and 9. Loss: Brier score of enterprises reaching the line, CRPS of the county's share of land below it.

## What was changed after looking

- The settings of three of the eight processes were changed after the first runs of the first version; what they were is not kept.
- The common shock's least size for the last months of a year (`common_shock.late`) was added because the county's 80 % interval at month
  9 held only 0.70 of the outcomes on the first counties. Four rates of shrinking and this least size were tried on counties {tuned} to
  {until}; the counties of this page were run after it was fixed, and nothing was changed after that.
- The first 60 of the counties with a known effect were looked at while that check was written; nothing was changed after it.
- The intervals are still too narrow where enterprises below the line top up in December (process "policy response"): the months known
  cannot show it. The response scenarios stand beside the central figure for that reason.
"""


if __name__ == "__main__":
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs" / "validation.md").write_text(page(run(), effects()), encoding="utf-8")
