"""Panels of staggered starts (多期面板): what diff-diff (MIT) makes of them, and effects by cohort and period."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.result import error

CONTROLS = {"never": "never_treated", "not_yet": "not_yet_treated"}


@dataclass(frozen=True, eq=False)
class Panel:
    """Rows of a panel (unit and cluster codes, period, y, first: 0 if never; covariates) and how they are to be
    estimated.
    """

    rows: pd.DataFrame
    covariates: tuple[str, ...] = ()
    controls: str = "never"
    method: str = "group_time"
    unbalanced: bool = False

    def without(self, column: str, value: int) -> Panel:
        """Return the panel less one cohort or cluster."""
        return replace(self, rows=self.rows[self.rows[column] != value])

    def units(self) -> pd.DataFrame:
        """Return one row per unit, in order: unit, first, cluster."""
        return self.rows.drop_duplicates("unit").sort_values("unit")

    def cohorts(self) -> list[int]:
        """Return the first treated periods that occur."""
        return sorted(set(self.rows["first"]) - {0})


@dataclass(frozen=True, eq=False)
class Cells:
    """Effects by cohort and period, shape (cells,), each unit's part in them, shape (units, cells), and its cohort
    (units,).
    """

    cohort: np.ndarray
    period: np.ndarray
    estimate: np.ndarray
    influence: np.ndarray
    first: np.ndarray

    @property
    def event(self) -> np.ndarray:
        """Periods since the first treated one; negative before."""
        return self.period - self.cohort

    def mean(self, chosen: np.ndarray) -> tuple[float, np.ndarray]:
        """Average cells with weights in proportion to their cohorts' sizes, which are estimated too: mean and influence."""
        member = (self.first[:, None] == self.cohort[chosen]).astype(float)
        share, n = member.mean(axis=0), len(member)
        total, estimates = share.sum(), self.estimate[chosen]
        moved = (member - share) / total - np.outer((member - share).sum(axis=1), share / total**2)
        return float(share @ estimates / total), self.influence[:, chosen] @ (share / total) + moved @ estimates / n

    def by_event(self) -> dict[int, tuple[float, np.ndarray]]:
        """Return the mean effect at each distance from the first treated period."""
        return {int(event): self.mean(self.event == event) for event in np.unique(self.event)}

    def by_cohort(self) -> dict[int, tuple[float, np.ndarray]]:
        """Return each cohort's mean effect, its periods alike."""
        out = {}
        for cohort in np.unique(self.cohort[self.event >= 0]):
            own = (self.cohort == cohort) & (self.event >= 0)
            out[int(cohort)] = (float(self.estimate[own].mean()), self.influence[:, own].mean(axis=1))
        return out

    def over_cohorts(self) -> tuple[float, np.ndarray]:
        """Return the mean over treated units of their cohort's mean effect."""
        own = self.by_cohort()
        estimates, parts = np.array([e for e, _ in own.values()]), np.column_stack([i for _, i in own.values()])
        cohorts = np.array(list(own))
        return Cells(cohorts, cohorts, estimates, parts, self.first).mean(np.ones(len(own), dtype=bool))


def library(panel: Panel, name: str, **options: Any) -> Any:
    """Fit one of diff-diff's estimators; what it refuses is an `EffectError`."""
    import diff_diff

    covariates = list(panel.covariates) or None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return getattr(diff_diff, name)(**options).fit(panel.rows, "y", "unit", "t", "first", covariates=covariates)
        except (ValueError, np.linalg.LinAlgError) as fault:
            raise error("library", fault=str(fault)) from None


def cells(panel: Panel, base: str = "varying") -> Cells:
    """Return ATT(g, t) = E[y_t − y_b | G = g] − E[y_t − y_b | C] of every cohort and period, with influence functions.

    From g on, b is the last period before g; before g it is the period before t, or with ``base`` universal again the last
    before g (which is then left out). With covariates doubly robust.
    """
    found = library(
        panel, "CallawaySantAnna", control_group=CONTROLS[panel.controls],
        estimation_method="dr" if panel.covariates else "reg", base_period=base,
    )  # fmt: skip
    parts, units = found._aggregation_kit.influence, panel.units()
    keys = [key for key in found.group_time_effects if len(parts.get(key, {}).get("treated_idx", ()))]
    influence = np.zeros((len(units), len(keys)))
    for i, key in enumerate(keys):
        for side in ("treated", "control"):
            influence[parts[key][f"{side}_idx"], i] += parts[key][f"{side}_inf"]
    cohort, period = (np.array([key[i] for key in keys], dtype=np.int64) for i in (0, 1))
    if not (period >= cohort).any():
        raise error("no_cells")
    estimate = np.array([found.group_time_effects[key]["effect"] for key in keys])
    return Cells(cohort, period, estimate, influence, units["first"].to_numpy())
