"""Whether past odds beat what anyone could have guessed, by calendar years: the difference of scores and how sure it is."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd


def skill(scores: pd.DataFrame, *, seed: int = 7) -> pd.DataFrame:
    """Compare the forecast's scores with each baseline's on the same cases, year by year.

    Parameters
    ----------
    scores
        One row a case and model: level, id, year, month, model, case, brier, crps.

    Returns
    -------
    DataFrame
        level, id, month, measure, baseline, forecast, guess (mean scores, smaller is better), difference, low, high (95 % interval
        by drawing calendar years with replacement, `RESAMPLES` times), years, verdict: better, worse, no_difference, or
        cannot_judge with fewer than `MIN_YEARS` years (low and high are then None). A difference of Brier scores within
        `NOTHING` is none: odds are held off 0 and 1 by half a draw, a guess is not.
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
                    rows.append({**row, **_compared(both, baseline, NOTHING if measure == "brier" else 0.0, seed)})
    return pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in COLUMNS})


def _compared(both: pd.DataFrame, baseline: str, nothing: float, seed: int) -> dict[str, Any]:
    """Compare two models on the same cases; a year weighs as many cases as it has, a difference within ``nothing`` is none."""
    gap = (both["forecast"] - both[baseline]).groupby(level="year")
    total, number = gap.sum().to_numpy(), gap.size().to_numpy()
    years = len(total)
    found: dict[str, Any] = {
        "forecast": float(both["forecast"].mean()),
        "guess": float(both[baseline].mean()),
        "difference": float(total.sum() / number.sum()),
        "low": None,
        "high": None,
        "years": years,
        "verdict": "cannot_judge",
    }
    if years < MIN_YEARS:
        return found
    picks = np.random.default_rng(seed).integers(0, years, (RESAMPLES, years))
    means = total[picks].sum(axis=1) / number[picks].sum(axis=1)
    low, high = (float(x) for x in np.quantile(means, (0.025, 0.975)))
    verdict = "better" if high < -nothing else "worse" if low > nothing else "no_difference"
    return {**found, "low": low, "high": high, "verdict": verdict}


MIN_YEARS, RESAMPLES, NOTHING = 3, 2000, 1e-3
BASELINES = ("no_change", "last_value", "run_rate", "seasonal", "logit")
COLUMNS = (
    "level", "id", "month", "measure", "baseline", "forecast", "guess", "difference", "low", "high", "years", "verdict",
)  # fmt: skip
