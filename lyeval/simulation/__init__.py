"""Monte Carlo draws of the years to come (情景模拟): tax as projected, disposals as planned, odds of each target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING

import pandas as pd

from lyeval.policy import choose
from lyeval.simulation.assumed import assumed
from lyeval.simulation.carried import as_if, past_targets
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import setting, years_to_come
from lyeval.simulation.fused import fused_tables, pays
from lyeval.simulation.known import Date, as_known
from lyeval.simulation.notes import Note, distinct, note
from lyeval.simulation.result import Outlook, tables

if TYPE_CHECKING:
    from lyeval.assessment import Assessment
    from lyeval.policy.assumptions import Assumptions

__all__ = ["Simulation", "simulate"]


@dataclass(frozen=True, eq=False, repr=False)
class Simulation(Outlook):
    """Years to come under a disposal plan; fields as in `Outlook`."""


def simulate(
    assessment: Assessment,
    plan: pd.DataFrame | None = None,
    *,
    assumptions: str | PathLike[str] | Assumptions = "default",
    readings: Mapping[str, str] | None = None,
    years: int = 1,
    draws: int = 2000,
    seed: int = 0,
) -> Simulation:
    """Simulate the years after an assessed one under a disposal plan.

    Parameters
    ----------
    assessment
        The assessed year; its figures are the last that are read.
    plan
        Columns credit_code, method (a method of the assumptions) and, if known, started; default: the ledger's own
        disposals in progress.
    assumptions
        Id, path or content of a set of assumptions.
    readings
        Further options of the plan's doubtful clauses.
    years
        How many years to go on, 1 to 5.
    draws, seed
        Number of Monte Carlo draws and their seed; an enterprise keeps its draws whatever the order or choice of rows.

    Raises
    ------
    ValueError
        If ``years`` or ``draws`` is out of range, or the plan names what is not there.
    """
    from lyeval.assessment import views

    check(draws, years)
    year = assessment.year
    date = Date(year, year, 12)
    ledger = as_known(assessment.ledger, date)
    policy, _ = choose(assessment.policy, readings)
    taken = assumed(assumptions)
    given = setting(ledger, date, plan, taken, Sampling(draws, seed))
    options = {"quotas": assessment.inputs.quotas, "level": assessment.level}
    rules = [as_if(policy, ahead) for ahead in range(year + 1, year + years + 1)]
    targets = [views(ledger, plan, ahead, year, **options) for ahead, (plan, _) in enumerate(rules, start=year + 1)]
    carried = [year + 1 + t for t, (_, over) in enumerate(rules) if over]
    past = past_targets(ledger, policy, year, **options)
    if pays(given, years):
        made = fused_tables(given, targets, policy, past=past)
    else:
        drawn = years_to_come(given, year + years)
        pairs = [(view, one) for some, one in zip(targets, drawn, strict=True) for view in some]
        made = tables(pairs, policy, taken, seed=seed, facts_year=year, past=past)
    return Simulation(
        policy=policy.id,
        assumptions=taken.id,
        as_of=str(date),
        facts_year=year,
        draws=draws,
        seed=seed,
        targets=made.targets,
        enterprises=made.enterprises,
        scenarios=made.scenarios,
        left=made.left,
        notes=distinct((*given.notes, *made.notes, *_carried(carried))),
    )


def _carried(years: list[int]) -> tuple[Note, ...]:
    return (note("as_if", years="、".join(map(str, years))),) if years else ()


def check(draws: int, years: int = 1) -> None:
    """Refuse a number of draws or years that gives no odds.

    Raises
    ------
    ValueError
        Unless draws are 100 to 1,000,000 and years 1 to 5.
    """
    if not 100 <= draws <= 1_000_000:
        raise ValueError(f"draws 应在 100 至 1000000 之间 / must be 100 to 1,000,000, not {draws}")
    if not 1 <= years <= 5:
        raise ValueError(f"years 应在 1 至 5 之间 / must be 1 to 5, not {years}")
