"""Odds of a plan's targets in years to come (情景模拟): what a simulation or forecast hands back, and `simulate` itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import pandas as pd

from lyeval.assessment import Assessment, TargetView, views
from lyeval.ledger import Ledger
from lyeval.policy import Policy, choose, method_words, patch
from lyeval.policy.assumptions import Assumptions, load_assumptions
from lyeval.policy.patches import adjust
from lyeval.simulation import odds
from lyeval.simulation.assumed import assumed
from lyeval.simulation.casework import Asked
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Learned, Setting, Year, setting, years_to_come
from lyeval.simulation.known import Date, Note, as_known, distinct, note
from lyeval.simulation.learning import learned, notes
from lyeval.simulation.money import funds
from lyeval.simulation.planfile import Source
from lyeval.told import of_kind, whole


@dataclass(frozen=True, eq=False)
class Projection:
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
        One row per target and year: id, label, label_en, year, unit, op, goal, probability, mc_error, p05, p50, p95 (of the statistic,
        in ``unit``), certain (met, missed or None), members, unknown (who may belong), sure_below, sure_reach, open, open_cases (members
        by where they will end; with a disposal in progress), clause, note, note_en.
    enterprises
        One row per enterprise that a target counts, and year: credit_code, year, line (万元/亩), probability of reaching it, mc_error,
        p05, p50, p95 of tax per mu (万元/亩).
    scenarios
        The targets again if a share ``response`` of the enterprises just below the line top up to it; ``basis`` tells whether the share
        is assumed, or estimated from Decembers of the plan's past target years (`learning.topping_up`).
    left
        Of targets that count enterprises below a line (全部出清): id, year, number left and its probability, in ascending order.
    notes
        What was dropped or assumed.
    funds
        What the cases cost by year of start, method and payer (`money.funds`), 万元.
    plan
        File of the plan that was asked for (假设方案), "DataFrame" of a frame; "" for the ledger's own cases.
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
    funds: pd.DataFrame = field(repr=False, default_factory=pd.DataFrame)
    plan: str = field(repr=False, default="")

    def tidy(self) -> pd.DataFrame:
        """Return one row per target, year and quantity: id, label, year, quantity, value, unit."""
        kept = ["id", "label", "year", "unit"]
        long = self.targets.melt(id_vars=kept, value_vars=list(QUANTITIES), var_name="quantity", value_name="value")
        long["unit"] = long["unit"].where(long["quantity"].isin(odds.POINTS), "")
        long["order"] = long["quantity"].map({name: i for i, name in enumerate(QUANTITIES)})
        return long.sort_values(["year", "id", "order"], kind="stable", ignore_index=True).drop(columns="order")

    def __repr__(self) -> str:
        lines = [f"<{type(self).__name__} {self.policy} as of {self.as_of}, {self.draws} draws, seed {self.seed}>"]
        return "\n".join(
            lines + [f"  {row['id']} {row['year']}: {_told(row)}" for row in self.targets.to_dict("records")]
        )

    def _repr_html_(self) -> str:
        shown = self.targets[["label", "year", "unit", "goal", "probability", "mc_error", *odds.POINTS, "certain"]]
        notes = "".join(f"<li>{item.zh}</li>" for item in self.notes)
        return f"{shown.to_html(index=False, na_rep='')}<ul>{notes}</ul>"


def _told(row: dict[Any, Any]) -> str:
    p = row["probability"]
    if p is None:
        return row["note_en"]
    if row["certain"]:
        chance = f"certainly {row['certain']}"
    elif min(p, 1 - p) < ODDS_EDGE:
        chance = f"P < {ODDS_EDGE}" if p < ODDS_EDGE else f"P > {1 - ODDS_EDGE}"
    else:
        chance = f"P = {p:.3f} ± {row['mc_error']:.3f}"
    return f"{chance}; {row['p50']:.4g} ({row['p05']:.4g} to {row['p95']:.4g}){row['unit']}"


@dataclass(frozen=True, eq=False, repr=False)
class Simulation(Projection):
    """Years to come under a disposal plan; fields as in `Projection`."""


def simulate(
    assessment: Assessment,
    plan: Source | None = None,
    *,
    add: Source | None = None,
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
        A frame or file with credit_code, method and, if known, started, due, successor_code, cost_wan (万元), released_mu (亩),
        demolished_m2 (m²), headings and words as in a ledger, in place of the ledger's own disposals in progress (``now.plan``).
    add
        Likewise, in addition to these; an enterprise named here loses its former case. `notes` tells what stands in place of what.
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
    PlanError
        Every fault of a plan, with row, column, value and rule.
    Told
        An argument of another kind than asked for, or out of its range.

    Examples
    --------
    >>> ahead = ly.simulate(now, draws=100, seed=1)
    >>> ahead.targets["year"].unique().tolist()
    [2021]
    """
    of_kind("now", assessment, Assessment)
    check_draws(draws, seed)
    whole("years", years, 1, MAX_YEARS)
    asked = Asked(plan, add, method_words([assessment.policy]))
    made = prepared(assessment, asked, assumptions, readings, assessment.year + years, Sampling(draws, seed))
    pairs = [(view, drawn) for drawn in years_to_come(made.given, made.last) for view in made.laid[drawn.year]]
    return Simulation(policy=made.policy, plan=asked.name, **projected(made.given, pairs, made.notes))


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that the years after an assessed one are drawn from, with their targets laid out."""

    policy: str
    given: Setting
    laid: dict[int, list[TargetView]]
    last: int
    notes: tuple[Note, ...]


def prepared(
    assessment: Assessment,
    asked: Asked,
    assumptions: str | PathLike[str] | Assumptions,
    readings: Mapping[str, str] | None,
    last: int,
    sampling: Sampling,
) -> Prepared:
    """Fit what is known at an assessed year's end and lay out the targets of the years to ``last``; arguments as for `simulate`."""
    year = assessment.year
    date = Date(year, year, 12)
    ledger = as_known(assessment.ledger, date)
    policy, _ = choose(assessment.policy, readings)
    given = setting(ledger, date, asked, assumed(assumptions), sampling)
    options = {"quotas": assessment.inputs.quotas, "level": assessment.level}
    rules = {ahead: valued(policy, ahead) for ahead in range(year + 1, last + 1)}
    laid = {ahead: views(ledger, rule, ahead, year, **options) for ahead, (rule, _) in rules.items()}
    given = learned(given, laid[year + 1], past_targets(ledger, policy, year, **options))
    carried = [str(ahead) for ahead, (_, over) in rules.items() if over]
    also = (note("as_if", years="、".join(carried)),) if carried else ()
    return Prepared(policy.id, given, laid, last, also)


def check_draws(draws: int, seed: int = 0) -> None:
    """Refuse a number of draws that gives no odds, and a seed that is none.

    Raises
    ------
    Told
        Unless draws are 100 to 1,000,000, and the seed is a whole number.
    """
    whole("draws", draws, 100, 1_000_000)
    whole("seed", seed)


def valued(policy: Policy, year: int) -> tuple[Policy, bool]:
    """Give each target of a plan a value in ``year``: its own, else that of the nearest dated year (the earlier of two alike).

    Returns
    -------
    policy, carried
        The plan, and whether any value had to be carried over; none is where the plan sets any target for the year.
    """
    changes = {}
    for target in policy.targets:
        if year in target.years:
            return policy, False
        changes[f"targets.{target.id}.years.{year}"] = target.nearest(year)
    return (patch(policy, changes), True) if changes else (policy, False)


def past_targets(
    ledger: Ledger, policy: Policy, facts_year: int, *, quotas: Mapping[str, float] | None, level: str
) -> list[TargetView]:
    """Lay out the plan's targets of each year up to ``facts_year`` on that year's own facts."""
    years = sorted({year for target in policy.targets for year in target.years if year <= facts_year})
    return [view for year in years for view in views(ledger, policy, year, year, quotas=quotas, level=level)]


def projected(
    given: Setting,
    pairs: Sequence[tuple[TargetView, Year]],
    also: Sequence[Note],
    *,
    swings: bool = False,
) -> dict[str, Any]:
    """Summarise targets as the fields of a `Projection` (with ``swings`` also ``by_enterprises``, those that a target hangs on).

    ``pairs`` are the targets laid out on what was known, each with the draws that it is judged on; ``also`` are further notes.
    """
    taken, sampling = given.assumed, given.sampling
    rows, scenarios, hangs, drawn = [], [], [], []
    for view, year in pairs:
        picked = odds.members(view, year)
        found = odds.values(picked)
        drawn.append(found)
        row = odds.target_row(picked, found)
        rows.append(row)
        how = {"seed": sampling.seed, "band": taken.band, "certain": row["certain"]}
        bare = odds.members(view, year, topped=False)
        scenarios += odds.scenario_rows(bare, odds.values(bare), _responses(given, view.id), **how)
        hangs += odds.swing_rows(picked, found) if swings else []
    laid = [view for view, _ in pairs]
    told = notes(given.learned, laid) if any(not year.final for _, year in pairs) else ()
    return {
        "assumptions": taken.id,
        "as_of": str(given.date),
        "facts_year": given.date.facts_year,
        "draws": sampling.draws,
        "seed": sampling.seed,
        "targets": odds.table(rows, odds.TARGET_COLUMNS),
        "enterprises": odds.enterprise_rows(pairs),
        "scenarios": odds.table(scenarios, odds.SCENARIO_COLUMNS),
        "left": odds.left(laid, drawn),
        "notes": distinct((*given.notes, *_remarks(laid, given.date.facts_year), *told, *also)),
        "funds": funds(given),
        **({"by_enterprises": odds.table(hangs, odds.SWING_COLUMNS)} if swings else {}),
    }


def _responses(given: Setting, id: str) -> list[tuple[float, str]]:
    """Return the shares of those just below the line that may top up to it, each with its basis: assumed, or as past Decembers say."""
    found = given.learned.get(id, Learned()).top_up
    plain = [(float(share), "assumed") for share in given.assumed.responses]
    return plain if found is None else [*plain, (found[0] / sum(found), "estimated")]


def _remarks(laid: list[TargetView], facts_year: int) -> tuple[Note, ...]:
    """Say what the draws do not carry."""
    unknown = max((view.n_unknown for view in laid), default=0)
    landless = max((int((~(view.land > 0) & view.member).sum()) for view in laid), default=0)
    out = [note("carried_class", year=facts_year) if laid else note("no_targets")]
    return (*out, *(note(kind, n=n) for kind, n in (("unknown_members", unknown), ("no_land", landless)) if n))


def compare_scenarios(
    assessment: Assessment,
    scenarios: Mapping[str, Mapping[str, Any]],
    plan: Source | None = None,
    *,
    assumptions: str | PathLike[str] | Assumptions = "default",
    years: int = 1,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate each scenario (情景) and, first, the assumptions as they stand; enterprises keep their draws, so only the change differs.

    Returns
    -------
    DataFrame
        The targets of `simulate` by scenario (`COMPARED`); ``scenario`` is empty for the assumptions as they stand, ``changes`` names
        what was set to what: ``{"加大力度": {"effort": 1.5}}`` are changes (`adjust`) by the scenario's name.

    Raises
    ------
    PolicyError
        A path that is not there, or a value out of its range.
    """
    taken = assumptions if isinstance(assumptions, Assumptions) else load_assumptions(assumptions)
    sets = {"": taken, **{name: adjust(taken, changes) for name, changes in scenarios.items()}}
    frames = []
    for name, changed in sets.items():
        told = "；".join(f"{path}={value}" for path, value in scenarios.get(name, {}).items())
        targets = simulate(assessment, plan, assumptions=changed, years=years, draws=draws, seed=seed).targets
        frames.append(targets.astype(object).assign(scenario=name, changes=told))
    joined = pd.concat(frames, ignore_index=True)[list(COMPARED)]
    return joined.astype(object).where(joined.notna(), None)


QUANTITIES = ("probability", "mc_error", "goal", *odds.POINTS)
ODDS_EDGE, MAX_YEARS = 0.001, 5
COMPARED = ("scenario", "changes", *odds.TARGET_COLUMNS[:13], "members")
