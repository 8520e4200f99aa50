"""From results to the tables that the report is built of, one function per notebook; nothing else is read later on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from lyeval.report import disposals, files, gaps, glyphless, lists, origins, rolls, verdict
from lyeval.report.spread import spread
from lyeval.tables import bridge, counts
from lyeval.tables.casework import register_of
from lyeval.tables.paperwork import papers
from lyeval.tables.review import year_end

if TYPE_CHECKING:
    from lyeval.assessment import Assessment, Readings
    from lyeval.forecasting import Backtest, Forecast, Sensitivity
    from lyeval.ledger import Ledger
    from lyeval.policy import Policy
    from lyeval.policy.assumptions import Assumptions
    from lyeval.simulation import Simulation

Tables = dict[str, Any]


def ledger_tables(ledger: Ledger, policy: Policy | None = None) -> Tables:
    """Return what was read (notebook 01): sources, coverage, totals, faults, fault_groups.

    What an auditor would ask (`lyeval.ledger.checks`) is told with the faults; 达标 is held against the lines of ``policy``.

    Returns
    -------
    dict
        ``sources`` (name, sha256, kind), ``coverage`` (sheet, year, rows, enterprises, and how many have tax, land, class), ``totals``
        (per year: enterprises, tax_wan, land_mu, tax_per_mu over those with both), ``faults`` (one row a fault, with its text),
        ``fault_groups`` (one row a rule).
    """
    from lyeval.assessment import class_lines, statement_term
    from lyeval.ledger import RULES, audit, grouped

    unfit = glyphless.undrawable(ledger)
    asked = audit(ledger, class_lines(policy, ledger.years), statement_term(policy)) if policy else audit(ledger)
    told = (*ledger.faults, *asked)
    faults = [
        {
            "severity": f.severity, "rule": f.rule, "title": RULES[f.rule].title("zh"), "title_en": RULES[f.rule].title("en"),
            "file": f.file, "sheet": f.sheet, "row": f.row, "heading": f.heading, "value": f.value, "count": f.count,
            "text": f.message("zh"), "text_en": f.message("en"),
        }
        for f in told
    ] + unfit  # fmt: skip
    groups = [
        {
            "severity": g.severity, "rule": g.rule, "count": g.count, "title": RULES[g.rule].title("zh"),
            "title_en": RULES[g.rule].title("en"), "text": g.text("zh"), "text_en": g.text("en"),
        }
        for g in grouped(told)
    ] + glyphless.group(unfit)  # fmt: skip
    return {
        "sources": pd.DataFrame(
            [vars(s) for s in ledger.sources] or None, columns=["name", "sha256", "kind"], dtype=object
        ),
        "coverage": _coverage(ledger),
        "totals": _totals(ledger),
        "faults": pd.DataFrame(faults, columns=FAULT_COLUMNS, dtype=object),
        "fault_groups": pd.DataFrame(
            groups, columns=["severity", "rule", "count", "title", "title_en", "text", "text_en"]
        ),
    }


FAULT_COLUMNS = [
    "severity", "rule", "title", "title_en", "file", "sheet", "row", "heading", "value", "count", "text", "text_en",
]  # fmt: skip


def _coverage(ledger: Ledger) -> pd.DataFrame:
    """Count rows by sheet, and by year where the sheet has years."""
    from lyeval.ledger.columns import SHEETS

    rows = []
    for sheet, (label, _) in SHEETS.items():
        frame: pd.DataFrame = getattr(ledger, sheet)
        parts = [(int(g["year"].iloc[0]), g) for _, g in frame.groupby("year")] if "year" in frame else [(None, frame)]
        for year, part in parts if ledger.has(sheet) else []:
            firms = part["credit_code"].nunique() if "credit_code" in part else None
            known = {
                c: int(part[c].notna().sum()) if c in part else None for c in ("tax_wan", "land_mu", "above_scale")
            }
            rows.append(
                {"sheet": sheet, "label": label, "year": year, "rows": len(part), "enterprises": firms, **known}
            )
    columns = ["sheet", "label", "year", "rows", "enterprises", "tax_wan", "land_mu", "above_scale"]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def _totals(ledger: Ledger) -> pd.DataFrame:
    """Sum tax and land by year over the enterprises that have both."""
    annual = ledger.annual
    if "tax_wan" not in annual or "land_mu" not in annual:
        return pd.DataFrame(columns=["year", "enterprises", "both", "tax_wan", "land_mu", "tax_per_mu"], dtype=object)
    rows = []
    for year, part in annual.groupby("year", sort=True):
        both = part[part["tax_wan"].notna() & (part["land_mu"] > 0)]
        tax, land = float(both["tax_wan"].sum()), float(both["land_mu"].sum())
        rows.append((int(str(year)), part["credit_code"].nunique(), len(both), tax, land, tax / land if land else None))
    return pd.DataFrame(rows, columns=["year", "enterprises", "both", "tax_wan", "land_mu", "tax_per_mu"])


def assessment_tables(assessment: Assessment, readings: Readings | None = None) -> Tables:
    """Return the verdict (notebook 02): meta, counts, bridge, targets, enterprises, flows, disposals, lists, readings and the rest.

    ``meta`` is a dict, the others are frames; each is described where it is made (`verdict`, `disposals`, `lists`, `gaps`,
    `spread`). Without ``readings`` the three tables of readings are left out.
    """
    firms, cases, told = verdict.enterprises(assessment), disposals.disposals(assessment), counts(assessment)
    tables: dict[str, Any] = {
        "meta": verdict.meta(assessment),
        "counts": told,
        "bridge": bridge(told),
        "targets": verdict.targets(assessment),
        "enterprises": firms,
        "criteria": verdict.criteria(assessment),
        "exclusions": verdict.exclusions(assessment),
        "stages": verdict.stages(assessment),
        "switches": verdict.switches(assessment),
        "flows": assessment.flows,
        "doors": assessment.doors,
        "gaps": assessment.gaps,
        "could_turn": assessment.could_turn(_turning(readings)),
        "narrowing": gaps.narrowing(assessment),
        "missing": gaps.missing_facts(assessment),
        "undetermined": gaps.undetermined(assessment),
        "disposals": cases,
        "disposals_summary": disposals.summary(assessment, cases),
        "changes": disposals.changes(assessment),
        "townships": spread(firms, "township"),
        "industries": spread(firms, "industry"),
        "counties": spread(firms, "county"),
        "county_targets": verdict.county_targets(assessment, cases),
        "consequences": lists.consequences(assessment),
        "consequence_rules": lists.rules(assessment),
        "opening_list": lists.opening_list(assessment),
        "land_use_tax": lists.land_use_tax(assessment),
        "baseline": lists.baseline(assessment),
        "grades": assessment.grades,
        **rolls.tables(assessment),
        **origins.tables(assessment),
        **files.tables(assessment),
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
            "years": list(backtest.years), "months": list(backtest.months), "enough": backtest.enough,
            "notes": [n.zh for n in backtest.notes], "notes_en": [n.en for n in backtest.notes],
        }  # fmt: skip
        tables |= {f"backtest_{name}": getattr(backtest, name) for name in RECORD}
    if sensitivity is not None:
        tables |= {"sensitivity": sensitivity.factors, "sensitivity_groups": sensitivity.groups}
        tables["sensitivity_meta"] = {name: getattr(sensitivity, name) for name in ("draws", "samples", "seed")}
    return tables


RECORD = ("scores", "coverage", "skill", "reliability", "pit")


def _outlook(name: str, outlook: Any) -> Tables:
    return {
        name: outlook.targets,
        f"{name}_enterprises": outlook.enterprises,
        f"{name}_scenarios": outlook.scenarios,
        f"{name}_left": outlook.left,
        f"{name}_meta": {
            "policy": outlook.policy, "assumptions": outlook.assumptions, "as_of": outlook.as_of,
            "facts_year": outlook.facts_year, "draws": outlook.draws, "seed": outlook.seed,
            "notes": [n.zh for n in outlook.notes], "notes_en": [n.en for n in outlook.notes],
        },
    }  # fmt: skip


def assumption_tables(assumptions: Assumptions | str | Sequence[Any] = "default") -> Tables:
    """Return every assumed figure with unit, source and mark: assumptions (path, numbers, unit, unit_en, source, source_en, mark)."""
    from lyeval.policy.assumptions import Assumptions, load_assumptions

    taken = assumptions if isinstance(assumptions, Assumptions) else load_assumptions(str(assumptions))
    return {"assumptions": pd.DataFrame(taken.rows())}
