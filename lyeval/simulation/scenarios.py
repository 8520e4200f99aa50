"""Scenarios (情景): the years to come again under other assumptions, on the same draws."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

import pandas as pd

from lyeval.policy.adjusting import adjust
from lyeval.policy.assumptions import Assumptions, load_assumptions
from lyeval.simulation import simulate

if TYPE_CHECKING:
    from lyeval.assessment import Assessment

BASE = ""
COLUMNS = (
    "scenario", "changes", "id", "label", "label_en", "year", "unit", "op", "goal", "probability", "mc_error", "p05", "p50", "p95",
    "certain", "members",
)  # fmt: skip


def compare_scenarios(
    assessment: Assessment,
    scenarios: Mapping[str, Mapping[str, Any]],
    plan: pd.DataFrame | None = None,
    *,
    assumptions: str | PathLike[str] | Assumptions = "default",
    years: int = 1,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate each scenario and, first, the assumptions as they stand; enterprises keep their draws, so only the change differs.

    Parameters
    ----------
    assessment, plan, assumptions, years, draws, seed
        As for `simulate`.
    scenarios
        Changes of assumptions (`adjust`) by the scenario's name: ``{"加大力度": {"effort": 1.5}}``.

    Returns
    -------
    DataFrame
        The targets of `simulate` by scenario (`COLUMNS`); ``scenario`` is empty for the assumptions as they stand, ``changes`` names
        what was set to what.

    Raises
    ------
    PolicyError
        A path that is not there, or a value out of its range.
    """
    taken = assumptions if isinstance(assumptions, Assumptions) else load_assumptions(assumptions)
    sets = {BASE: taken, **{name: adjust(taken, changes) for name, changes in scenarios.items()}}
    frames = []
    for name, changed in sets.items():
        told = "；".join(f"{path}={value}" for path, value in scenarios.get(name, {}).items())
        targets = simulate(assessment, plan, assumptions=changed, years=years, draws=draws, seed=seed).targets
        frames.append(targets.astype(object).assign(scenario=name, changes=told))
    joined = pd.concat(frames, ignore_index=True)[list(COLUMNS)]
    return joined.astype(object).where(joined.notna(), None)
