"""What a simulation or forecast hands back: tables of targets, enterprises and scenarios, with notes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.simulation.assumed import Assumed
from lyeval.simulation.notes import Note, distinct, note
from lyeval.simulation.outlook import (
    ENTERPRISE_COLUMNS,
    TARGET_COLUMNS,
    Members,
    Year,
    enterprise_rows,
    members,
    table,
    target_row,
    values,
)
from lyeval.simulation.response import topped_up
from lyeval.simulation.swings import SCENARIO_COLUMNS, scenario_rows

if TYPE_CHECKING:
    from lyeval.assessment import TargetView
    from lyeval.policy import Policy


@dataclass(frozen=True, eq=False)
class Outlook:
    """Odds of a plan's targets in years to come.

    Attributes
    ----------
    policy, assumptions
        Ids of the plan and of the set of assumptions.
    as_of
        Month of knowledge, "YYYY-MM"; nothing later was read.
    facts_year
        Year of the latest annual figures.
    draws, seed
        Number of Monte Carlo draws and their seed.
    targets
        One row per target and year: id, label, label_en, year, unit, op, goal, probability, mc_error, p05, p50, p95 (of
        the statistic, in ``unit``), certain (met, missed or None), members, unknown (who may belong),
        sure_below, sure_reach, open, open_cases (members by where they will end; with a disposal in progress), clause,
        note, note_en.
    enterprises
        One row per enterprise that a target counts, and year: credit_code, year, line (万元/亩), probability of reaching
        it, mc_error, p05, p50, p95 of tax per mu (万元/亩).
    scenarios
        The targets again if a share ``response`` of the enterprises just below the line top up to it; ``basis`` tells
        whether the share is assumed, or estimated from the heap above the line in the plan's past target years.
    left
        Of targets that count enterprises below a line (全部出清): id, year, number left and its probability, in ascending order.
    notes
        What was dropped or assumed.
    """

    policy: str
    assumptions: str
    as_of: str
    facts_year: int
    draws: int
    seed: int
    targets: pd.DataFrame = field(repr=False)
    enterprises: pd.DataFrame = field(repr=False)
    scenarios: pd.DataFrame = field(repr=False)
    left: pd.DataFrame = field(repr=False)
    notes: tuple[Note, ...] = field(repr=False, default=())

    def tidy(self) -> pd.DataFrame:
        """Return one row per target, year and quantity: id, label, year, quantity, value, unit."""
        kept = ["id", "label", "year", "unit"]
        long = self.targets.melt(id_vars=kept, value_vars=list(QUANTITIES), var_name="quantity", value_name="value")
        long["unit"] = long["unit"].where(long["quantity"].isin(["p05", "p50", "p95"]), "")
        order = long["quantity"].map({name: i for i, name in enumerate(QUANTITIES)})
        return (
            long.assign(order=order)
            .sort_values(["year", "id", "order"], kind="stable", ignore_index=True)
            .drop(columns="order")
        )

    def __repr__(self) -> str:
        lines = [f"<{type(self).__name__} {self.policy} as of {self.as_of}, {self.draws} draws, seed {self.seed}>"]
        return "\n".join(lines + [f"  {_line(row)}" for row in self.targets.to_dict("records")])

    def _repr_html_(self) -> str:
        shown = self.targets[
            ["label", "year", "unit", "goal", "probability", "mc_error", "p05", "p50", "p95", "certain"]
        ]
        notes = "".join(f"<li>{item.zh}</li>" for item in self.notes)
        return f"{shown.to_html(index=False, na_rep='')}<ul>{notes}</ul>"


def _line(row: dict[Any, Any]) -> str:
    if row["probability"] is None:
        return f"{row['id']} {row['year']}: {row['note_en']}"
    spread = f"{row['p50']:.4g} ({row['p05']:.4g} to {row['p95']:.4g}){row['unit']}"
    return f"{row['id']} {row['year']}: {_odds(row)}; {spread}"


def _odds(row: dict[Any, Any]) -> str:
    if row["certain"]:
        return f"certainly {row['certain']}"
    low, high = row["probability"] < ODDS_EDGE, row["probability"] > 1 - ODDS_EDGE
    if low or high:
        return f"P < {ODDS_EDGE}" if low else f"P > {1 - ODDS_EDGE}"
    return f"P = {row['probability']:.3f} ± {row['mc_error']:.3f}"


@dataclass(frozen=True, eq=False)
class Tables:
    """The tables of an outlook, and the draws of each target's statistic behind them."""

    targets: pd.DataFrame
    enterprises: pd.DataFrame
    scenarios: pd.DataFrame
    left: pd.DataFrame
    members: tuple[Members, ...]
    values: tuple[Any, ...]
    notes: tuple[Note, ...]


def tables(
    pairs: Sequence[tuple[TargetView, Year]],
    policy: Policy,
    assumed: Assumed,
    *,
    seed: int,
    facts_year: int,
    past: Sequence[TargetView] = (),
) -> Tables:
    """Summarise targets, each with the draws of its year.

    Parameters
    ----------
    pairs
        Targets laid out on what was known, each with the draws that it is judged on.
    seed, facts_year
        Seed of the draws, and year of the latest annual figures.
    past
        The plan's targets of past years, each on its own year's facts, from which the response to a line is read.
    """
    names = {target.id: target.label_en for target in policy.targets}
    picked = tuple(members(view, year) for view, year in pairs)
    drawn = tuple(values(one) for one in picked)
    rows = [
        {**target_row(one, value), "label_en": names.get(one.view.id, one.view.label)}
        for one, value in zip(picked, drawn, strict=True)
    ]
    told = responses(assumed, past)
    scenarios = [row for one in picked for row in scenario_rows(one, told[one.view.id], seed=seed, band=assumed.band)]
    firms = [enterprise_rows([v for v, y in pairs if y is year], year) for year in _distinct_years(pairs)]
    return Tables(
        targets=table(rows, TARGET_COLUMNS),
        enterprises=pd.concat(firms, ignore_index=True) if firms else pd.DataFrame(columns=list(ENTERPRISE_COLUMNS)),
        scenarios=table(scenarios, SCENARIO_COLUMNS),
        left=left([view for view, _ in pairs], drawn),
        members=picked,
        values=drawn,
        notes=remarks(pairs, facts_year),
    )


def left(views: Sequence[TargetView], drawn: Sequence[np.ndarray]) -> pd.DataFrame:
    """Count in which share of the draws each number of enterprises is left below the line, for targets that count them.

    Parameters
    ----------
    drawn
        Each target's statistic in each draw, shape (draws,).
    """
    rows = []
    for view, found in zip(views, drawn, strict=True):
        known = found[~np.isnan(found)]
        if view.kind == "count" and view.op == "le" and len(known):
            numbers, times = np.unique(np.rint(known).astype(int), return_counts=True)
            told = zip(numbers.tolist(), (times / len(known)).tolist(), strict=True)
            rows += [{"id": view.id, "year": view.year, "left": number, "probability": share} for number, share in told]
    return table(rows, LEFT_COLUMNS)


def responses(assumed: Assumed, past: Sequence[TargetView]) -> defaultdict[str, list[tuple[float, str]]]:
    """Return by target the shares of those just below the line that may top up to it, each with its basis.

    The assumed scenarios, and the share that the heap above the line in the target's own past years shows, if there is one.
    """
    plain = [(float(share), "assumed") for share in assumed.responses]
    out = defaultdict(lambda: plain)
    for id in sorted({view.id for view in past}):
        found = topped_up([view for view in past if view.id == id], assumed.band)
        out[id] = plain if found is None else [*plain, (found, "estimated")]
    return out


def _distinct_years(pairs: Sequence[tuple[TargetView, Year]]) -> list[Year]:
    return list({id(year): year for _, year in pairs}.values())


def remarks(pairs: Sequence[tuple[TargetView, Year]], facts_year: int) -> tuple[Note, ...]:
    """Say what the draws do not carry."""
    out = [note("carried_class", year=facts_year)] if pairs else [note("no_targets")]
    unknown = max((view.n_unknown for view, _ in pairs), default=0)
    if unknown:
        out.append(note("unknown_members", n=unknown))
    landless = max((int((~(view.land > 0) & view.member).sum()) for view, _ in pairs), default=0)
    if landless:
        out.append(note("no_land", n=landless))
    return distinct(tuple(out))


LEFT_COLUMNS = ("id", "year", "left", "probability")
ODDS_EDGE = 0.001
QUANTITIES = ("probability", "mc_error", "goal", "p05", "p50", "p95")
