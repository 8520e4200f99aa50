"""What disposals cost (处置费用), 万元: as a plan or ledger says, else as assumed per 亩; by year of start and by who pays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from lyeval.simulation.assumed import Assumed

if TYPE_CHECKING:
    from lyeval.simulation.engine import Setting


def assumed_cost(method: str, land: np.ndarray, taken: Assumed, released: np.ndarray | None = None) -> np.ndarray:
    """Return what a method is assumed to cost, 万元, shape of ``land`` (亩).

    Parameters
    ----------
    released
        Land to be released as planned, 亩, NaN unknown: of a method that frees a part of the land, that part alone is paid for.
    """
    leaves = taken.practices[method].leaves
    concerned = land
    if leaves is not None:
        concerned = land * leaves[0] / sum(leaves)
        concerned = concerned if released is None else np.where(np.isnan(released), concerned, released)
    return taken.costs[method][0] * concerned


def funds(given: Setting) -> pd.DataFrame:
    """Lay out what the cases of a setting cost, by year of start, method and payer.

    Returns
    -------
    DataFrame
        year (of the start; of the date where it began before or is not known), method, payer (government or enterprise), cases, cost_wan
        (万元), assumed_wan (of it as assumed, where no cost is named), land_bank_wan (of it for 收储).
    """
    plan, taken, land = given.plan, given.assumed, given.panel.land[:, -1]
    if not len(plan.at) or len(plan.cost) != len(plan.at):
        return pd.DataFrame(columns=list(COLUMNS))
    assumed = np.full(len(plan.at), np.nan)
    for name in set(plan.method.tolist()):
        mine = plan.method == name
        assumed[mine] = assumed_cost(name, land[plan.at[mine]], taken, plan.released[mine])
    named = ~np.isnan(plan.cost)
    cost = np.where(named, plan.cost, np.nan_to_num(assumed))
    year = np.maximum(pd.DatetimeIndex(plan.begun).year.to_numpy(), given.date.year)
    rows = pd.DataFrame({"year": np.where(np.isnat(plan.begun), given.date.year, year).astype(int)})
    rows["method"] = plan.method
    rows["payer"] = [taken.costs[name][1] for name in plan.method]
    rows["cases"], rows["cost_wan"], rows["assumed_wan"] = 1, cost, np.where(named, 0.0, cost)
    rows["land_bank_wan"] = np.where([taken.practices[name].gone for name in plan.method], cost, 0.0)
    return rows.groupby(["year", "method", "payer"], as_index=False)[list(COLUMNS[3:])].sum()


COLUMNS = ("year", "method", "payer", "cases", "cost_wan", "assumed_wan", "land_bank_wan")
