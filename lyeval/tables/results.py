"""From results to the tables that the report is built of, one function per notebook; nothing else is read later on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from lyeval.tables import bridge, consequences, counts, origins, proceedings, quality, verdict
from lyeval.tables.casework import register_of
from lyeval.tables.paperwork import papers
from lyeval.tables.review import year_end

if TYPE_CHECKING:
    from lyeval.assessment import Assessment, Readings
    from lyeval.forecasting import Backtest, Forecast, Sensitivity
    from lyeval.policy.assumptions import Assumptions
    from lyeval.simulation import Simulation
    from lyeval.studies import Study

Tables = dict[str, Any]


def office_tables(assessment: Assessment) -> Tables:
    """Return what a public edition is drawn from: meta, targets, enterprises, criteria, members and notices; of `assessment_tables` alike."""
    return {
        "meta": verdict.meta(assessment),
        "targets": verdict.targets(assessment),
        "enterprises": verdict.enterprises(assessment),
        "criteria": verdict.criteria(assessment),
        "members": origins.members(assessment),
        "notices": origins.notices(assessment),
    }


def assessment_tables(assessment: Assessment, readings: Readings | None = None) -> Tables:
    """Return the verdict (notebook 02): meta, counts, bridge, targets, enterprises, flows, disposals, lists, readings and the rest.

    ``meta`` is a dict, the others are frames; each is described where it is made (`verdict`, `disposals`, `lists`, `gaps`,
    `spread`). Without ``readings`` the three tables of readings are left out.
    """
    drawn, cases, told = office_tables(assessment), proceedings.disposals(assessment), counts(assessment)
    firms = drawn["enterprises"]
    tables: dict[str, Any] = {
        **drawn,
        "counts": told,
        "bridge": bridge(told),
        "exclusions": verdict.exclusions(assessment),
        "stages": verdict.stages(assessment),
        "switches": verdict.switches(assessment),
        "flows": assessment.flows,
        "doors": assessment.doors,
        "gaps": assessment.gaps,
        "could_turn": assessment.could_turn(_turning(readings)),
        "narrowing": quality.narrowing(assessment),
        "missing": quality.missing_facts(assessment),
        "undetermined": quality.undetermined(assessment),
        "disposals": cases,
        "disposals_summary": proceedings.summary(assessment, cases),
        "changes": proceedings.changes(assessment),
        "townships": verdict.spread(firms, "township"),
        "industries": verdict.spread(firms, "industry"),
        "counties": verdict.spread(firms, "county"),
        "county_targets": verdict.county_targets(assessment, cases),
        "consequences": consequences.consequences(assessment),
        "consequence_rules": consequences.rules(assessment),
        "opening_list": consequences.opening_list(assessment),
        "land_use_tax": consequences.land_use_tax(assessment),
        "baseline": consequences.baseline(assessment),
        "grades": assessment.grades,
        **consequences.owed(assessment),
        "ledger_rows": origins.ledger_rows(assessment),
        **proceedings.case_files(assessment),
    }
    if readings is not None:
        tables |= verdict.reading_tables(assessment, readings)
    register = register_of(assessment.policy.id)
    return tables | year_end(assessment, tables, register) | papers(assessment, tables, register)


def _turning(readings: Readings | None) -> dict[str, list[str]]:
    """Return the switches that alone turn each target."""
    table = None if readings is None else readings.targets
    return {} if table is None else dict(zip(table["id"], table["turned_by"], strict=True))


def simulation_tables(simulation: Simulation | None, alternatives: pd.DataFrame | None = None) -> Tables:
    """Return the years to come (notebook 03): simulation, simulation_enterprises, simulation_scenarios, simulation_left, simulation_meta.

    ``alternatives``: the targets under other assumptions, as `compare_scenarios` gives them.
    """
    tables = {} if simulation is None else _outlook("simulation", simulation)
    return tables if alternatives is None else tables | {"alternatives": alternatives}


def forecast_tables(
    forecast: Forecast | None, backtest: Backtest | None = None, sensitivity: Sensitivity | None = None
) -> Tables:
    """Return the odds (notebook 04): forecast, forecast_enterprises, _scenarios, _left, _readings, _swings, _levies, _meta; record, sensitivity."""
    tables: Tables = {}
    if forecast is not None:
        tables |= _outlook("forecast", forecast)
        tables["forecast_meta"]["year"] = forecast.year
        tables["forecast_readings"] = forecast.by_reading
        tables["forecast_swings"] = forecast.by_enterprises
        tables["forecast_levies"] = forecast.by_levy
    if backtest is not None:
        tables["backtest_meta"] = {
            "years": list(backtest.years),
            "months": list(backtest.months),
            "enough": backtest.enough,
            "notes": [n.zh for n in backtest.notes],
            "notes_en": [n.en for n in backtest.notes],
        }
        tables |= {f"backtest_{name}": getattr(backtest, name) for name in RECORD}
    if sensitivity is not None:
        tables |= {"sensitivity": sensitivity.factors, "sensitivity_groups": sensitivity.groups}
        tables["sensitivity_meta"] = {name: getattr(sensitivity, name) for name in ("draws", "samples", "seed")}
    return tables


RECORD = ("scores", "coverage", "skill", "reliability", "pit")


def _outlook(name: str, outlook: Any) -> Tables:
    moved = [n.zh for n in outlook.notes if n.id == "own_record"]
    return {
        name: outlook.targets,
        f"{name}_enterprises": outlook.enterprises,
        f"{name}_scenarios": outlook.scenarios,
        f"{name}_left": outlook.left,
        f"{name}_meta": {
            "policy": outlook.policy,
            "assumptions": outlook.assumptions,
            "as_of": outlook.as_of,
            "facts_year": outlook.facts_year,
            "draws": outlook.draws,
            "seed": outlook.seed,
            "notes": [n.zh for n in outlook.notes],
            "notes_en": [n.en for n in outlook.notes],
            "own_record": [
                str(r.id) for r in outlook.targets.itertuples() if any(t.startswith(f"{r.label}：") for t in moved)
            ],
            **({"plan": outlook.plan} if outlook.plan else {}),
        },
    }


def assumption_tables(assumptions: Assumptions | str | Sequence[Any] = "default") -> Tables:
    """Return every assumed figure with unit, source and mark: assumptions (path, numbers, unit, unit_en, source, source_en, mark)."""
    from lyeval.policy.assumptions import Assumptions, load_assumptions

    taken = assumptions if isinstance(assumptions, Assumptions) else load_assumptions(str(assumptions))
    return {"assumptions": pd.DataFrame(taken.rows())}


def effect_tables(studies: Mapping[str, Study]) -> Tables:
    """Return studies as tables (notebook 05).

    Parameters
    ----------
    studies
        By side: ``""`` for one county, ``a`` and ``b`` for a comparison.

    Returns
    -------
    dict
        ``effects``, ``effect_checks``, ``effect_figures`` (each with ``side`` first), ``effect_plan`` (side, policy, first_year,
        base_year, sha256 of the list of specifications), ``tax_rules``.
    """

    def together(name: str) -> pd.DataFrame:
        frames = [getattr(one, name).assign(side=side) for side, one in studies.items()]
        joined = pd.concat(frames, ignore_index=True)
        return joined[["side", *(c for c in joined if c != "side")]]

    rules = pd.concat([one.rules for one in studies.values()]).drop_duplicates(["from", "rule"])
    return {
        "effects": together("table"),
        "effect_checks": together("checks"),
        "effect_figures": together("drawn"),
        "effect_plan": pd.DataFrame(
            [(side, s.policy, s.first_year, s.base_year, s.sha256) for side, s in studies.items()],
            columns=["side", "policy", "first_year", "base_year", "sha256"],
        ),
        "tax_rules": rules.sort_values("from", kind="stable", ignore_index=True).drop(columns="years"),
    }
