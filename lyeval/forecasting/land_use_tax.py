"""A plan's land-use tax (土地使用税): odds without what is charged as a penalty, as booked, and with the full rates of those listed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Frame, TargetView
from lyeval.assessment.conditions import decide
from lyeval.assessment.dossier import consequence_masks
from lyeval.assessment.standing import standing_of
from lyeval.indicators import MU_M2, book
from lyeval.ledger import Ledger
from lyeval.policy import Policy, patch
from lyeval.policy.model import Effect
from lyeval.simulation.engine import Year
from lyeval.simulation.odds import Members, held_about, members, odds, settled, table, values

Pairs = list[tuple[TargetView, Year]]


@dataclass(frozen=True, eq=False)
class Charge:
    """What the full rates would add in a year to come, by enterprise, shape (n,), sorted by code."""

    codes: np.ndarray
    extra_wan: np.ndarray  # the charge beyond what is paid already, 万元; 0 for whom the plan does not charge
    listed: np.ndarray  # whom it charges


def full_charge(ledger: Ledger, policy: Policy, year: int, facts_year: int) -> Charge:
    """Work out the full rates of those listed as priority (重点), less the land-use tax that they pay already.

    A firm whose location is unknown takes the highest rate, and one whose land-use tax is unknown is taken to have paid none: the most
    that the rates can add.

    Notes
    -----
    rate (元/m²) × land (亩) × 2000/3 m² / 10,000 − land-use tax paid, not below 0.
    """
    frame = Frame(policy, book(ledger), year, min(year, facts_year))
    masks, n = consequence_masks(standing_of(frame)), len(frame.book)
    rate, listed = np.zeros(n), np.zeros(n, dtype=bool)
    for id, effect in _taxing(policy):
        may = np.ones(n, dtype=bool) if effect.when is None else decide(effect.when, frame.reported).possible
        mine = masks[id] & may
        listed |= mine
        rate = np.where(mine, np.maximum(rate, effect.rate_yuan_m2 or 0.0), rate)
    paid = np.nan_to_num(frame.book.annual("land_use_tax_wan", frame.facts_year))
    full = rate * np.nan_to_num(frame.now.land) * MU_M2 / 1e4
    return Charge(frame.book.codes, np.where(listed, np.maximum(full - paid, 0.0), 0.0), listed)


def _taxing(policy: Policy) -> list[tuple[str, Effect]]:
    """Return the plan's consequences that charge land-use tax, each with its consequence's id."""
    every = [(c.id, e) for c in policy.consequences for e in c.effects]
    return [(id, e) for id, e in every if e.kind == "land_use_tax" and e.rate_yuan_m2]


def by_land_use_tax(
    ledger: Ledger, policy: Policy, years: tuple[int, int], pairs: Callable[[Policy], Pairs]
) -> pd.DataFrame:
    """Give each target's odds with the land-use tax charged as a penalty left out, as booked, and charged in full.

    Parameters
    ----------
    years
        Target year and year of the latest annual figures.
    pairs
        Lays the targets out under a policy, each with its draws.

    Returns
    -------
    DataFrame
        id, year, counted (left_out, booked, full), firms charged (of full), extra_wan (万元, of full), probability, mc_error, p50; empty
        for a plan that charges none.
    """
    if not _taxing(policy):
        return table([], COLUMNS)
    without = patch(policy, {"tax.extra_land_use_tax": "left_out"})
    charge = full_charge(ledger, policy, *years)
    central = {view.id: (view, year) for view, year in pairs(policy)}
    rows = [
        {**_odds(view, held_about(view, year, central[view.id]), extra), "counted": counted}
        for counted, rules, extra in (("left_out", without, None), ("booked", policy, None), ("full", policy, charge))
        for view, year in pairs(rules)
        if view.kind in ("share", "count", "mean")
    ]
    order = {id: i for i, id in enumerate(dict.fromkeys(row["id"] for row in rows))}
    return table(sorted(rows, key=lambda row: order[row["id"]]), COLUMNS)


def _odds(view: TargetView, year: Year, charge: Charge | None) -> dict[str, Any]:
    drawn, own = members(view, year), np.zeros(len(view.codes))
    if charge is not None:
        own = np.where(view.member & ~view.gone, charge.extra_wan[np.searchsorted(charge.codes, view.codes)], 0.0)
        drawn, view = _charged(drawn, own), replace(view, judged=None)  # no verdict knows of this charge
    found = values(drawn)
    known = found[~np.isnan(found)]
    told = odds(view, found, settled(view, drawn.year))
    return {
        "id": view.id,
        "year": view.year,
        "firms": int(np.sum(own > 0)),
        "extra_wan": float(own.sum()),
        "probability": told["probability"],
        "mc_error": told["mc_error"],
        "p50": float(np.median(known)) if len(known) else None,
    }


def _charged(drawn: Members, own: np.ndarray) -> Members:
    """Add a charge to the members' tax of every draw; who has closed pays none, and what the books settle moves with it."""
    year, at = drawn.year, np.searchsorted(drawn.year.codes, drawn.view.codes)
    floor, ceiling = year.floor.copy(), year.ceiling.copy()
    floor[at], ceiling[at] = floor[at] + own, ceiling[at] + own
    tax = drawn.tax + np.where(drawn.gone, 0.0, own)
    return replace(drawn, tax=tax, year=replace(year, floor=floor, ceiling=ceiling))


COLUMNS = ("id", "year", "counted", "firms", "extra_wan", "probability", "mc_error", "p50")
