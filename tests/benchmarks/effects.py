"""Size and recovery of each estimator over many made counties, and how long each takes: larger counts than the tests'.

Run by ``make bench``. A true null should be rejected about 5 times in 100; the mean estimate should be the effect put in.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import test_effect_counties as counties
import test_effect_differences as differences
import test_effect_discontinuity as discontinuity
import test_effect_gap as gap

from lyeval.comparison import sweep
from lyeval.effect import Effect, bunching, did, event_study, forecast_gap, poisson, rdd, timing


def _started(seed: int, effect: float) -> pd.DataFrame:
    """A panel whose units rise from their own start on."""
    frame = differences.panel(120, seed)
    frame["y"] += effect * ((frame["first"] > 0) & (frame["year"] >= frame["first"]))
    return frame


def _listed(seed: int) -> pd.DataFrame:
    """15 towns with shocks of their own, 5 listed from 2021 on, no effect."""
    return differences.towns(seed).assign(first=lambda f: np.where(f["listed"], 2021, 0))


COUNTIES, BAND = 400, (0.025, 0.085)
Case = Callable[[int, float], Effect]
TOWN = {"cluster": "town"}
CASES: dict[str, tuple[Case, float]] = {
    "did by town": (lambda s, _: did(differences.towns(s, n=300), **differences.PANEL, **TOWN), 0.0),
    "staggered by town": (lambda s, _: event_study(_listed(s), **differences.STARTS, **TOWN), 0.0),
    "rdd": (lambda s, e: rdd(discontinuity.county(600, s, e), outcome="y", score="score", cutoff=2.0), 1.0),
    "did": (lambda s, e: did(differences.panel(60, s, e), **differences.PANEL), 1.0),
    "event_study": (lambda s, e: event_study(_started(s, e), **differences.STARTS), 1.0),
    "poisson": (lambda s, e: poisson(gap.taxed(120, s, e), **gap.POISSON), 0.4),
    "forecast_gap": (lambda s, e: forecast_gap(gap.county(300, s, e), **gap.GAP), 0.5),
    "timing": (lambda s, _: timing(gap.monthly(60, s, years=4), **gap.MONTHS), 0.0),
    "bunching": (lambda s, _: bunching(counties.firms(1500, s)[0], score="score", threshold=counties.LINE), 0.0),
}


def main() -> None:
    """Print one line an estimator; exit 1 where a size is out of its band."""
    out = 0
    for name, (case, effect) in CASES.items():
        start = time.process_time()
        null = [case(seed, 0.0).p_value for seed in range(COUNTIES)]
        each = (time.process_time() - start) / COUNTIES
        size = float(np.mean(np.array(null) < 0.05))
        mean = (
            float(np.mean([case(10_000 + seed, effect).estimate for seed in range(COUNTIES // 4)])) if effect else 0.0
        )
        sound = BAND[0] <= size <= BAND[1]
        out |= not sound
        told = f"effect {effect:g} found as {mean:.3f}" if effect else "no effect put in"
        print(f"{name:17} size {size:.3f}{'' if sound else ' OUT OF BAND'}  {told}  {1000 * each:.0f} ms each")
    start = time.process_time()
    from test_comparison_sides import people

    plans = sweep(people(5000), thresholds=np.linspace(0.5, 6.5, 25).tolist())
    print(
        f"sweep of {len(plans)} plans over 5,000 enterprises: {1000 * (time.process_time() - start):.0f} ms (goal 5 s)"
    )
    sys.exit(out)


if __name__ == "__main__":
    main()
