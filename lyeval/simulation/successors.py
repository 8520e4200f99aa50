"""Who takes over (承接企业): what a merged site catches up with, and what becomes of land that leaves for another enterprise."""

from __future__ import annotations

import numpy as np

from lyeval.simulation.disposals import Plan, Practice
from lyeval.simulation.known import Panel


def lift(plan: Plan, panel: Panel, practices: dict[str, Practice]) -> np.ndarray:
    """Return what a full year under a better successor adds to each case's log tax, shape (cases,); 0 where none is known.

    catch_up × log(successor's tax per mu / own), from the latest known year, never below 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = panel.tax[:, -1] / panel.land[:, -1]
        gap = np.log(ratio[plan.successor] / ratio[plan.at])
    usable = known(plan) & (ratio[plan.successor] > 0) & (ratio[plan.at] > 0)
    share = np.array([practices[name].catch_up for name in plan.method])
    return np.where(usable, share * np.maximum(np.where(usable, gap, 0.0), 0.0), 0.0)


def known(plan: Plan) -> np.ndarray:
    """Tell which cases name another enterprise of the ledger as successor, shape (cases,)."""
    return (plan.successor >= 0) & (plan.successor != plan.at)


def takers(plan: Plan, panel: Panel, practices: dict[str, Practice]) -> np.ndarray:
    """Return the cases whose land goes to another enterprise of known land, shape (m,)."""
    parts = np.array([practices[name].leaves is not None for name in plan.method], dtype=bool)
    land = panel.land[:, -1]
    return np.flatnonzero(known(plan) & parts & (land[plan.successor] > 0) & (land[plan.at] > 0))


def ramped(age: np.ndarray, months: float) -> np.ndarray:
    """Mean over the last twelve months of how far a site has come, rising in a straight line over ``months``.

    Parameters
    ----------
    age
        Months since it was taken over, at the end of the twelve; below 0: not yet.
    """
    return (_area(age, months) - _area(age - 12, months)) / 12


def _area(age: np.ndarray, months: float) -> np.ndarray:
    """Integral from 0 to ``age`` of min(x / months, 1)."""
    age = np.maximum(age, 0.0)
    if months <= 0:
        return age
    return np.where(age < months, age**2 / (2 * months), age - months / 2)


def taken_over(
    plan: Plan, panel: Panel, practices: dict[str, Practice], share: np.ndarray, months: np.ndarray, end: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much land and tax of those who take over grow in a year, as multiples of their own: (draws, n) each.

    Parameters
    ----------
    share
        Share of its land that each case has given away by the year's end, shape (draws, cases).
    months, end
        Months from the date of knowledge to the end of each case, shape (draws, cases), and to the year's end.
    """
    land, tax = np.zeros((len(share), len(panel.codes))), np.zeros((len(share), len(panel.codes)))
    own = panel.land[:, -1]
    for i in takers(plan, panel, practices):
        to, grows = plan.successor[i], share[:, i] * own[plan.at[i]] / own[plan.successor[i]]
        land[:, to] += grows
        tax[:, to] += grows * ramped(end - months[:, i], practices[str(plan.method[i])].ramp_up)
    return land, tax
