"""What the notebooks share besides the library: keeping tables, what a report says of itself, all tables without notebooks."""

from __future__ import annotations

import time
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.assessment import Assessment, assess, readings
from lyeval.policy import Policy
from lyeval.render import Document, Heading
from lyeval.render.blocks import slots
from lyeval.run.errors import RunError
from lyeval.run.inputs import open_ledger, open_plan, open_policy
from lyeval.run.records import source_date, versions
from lyeval.scratch import lasting, locked


def keep(tables: Mapping[str, Any], out: str | Path) -> None:
    """Save result tables in a folder, one process at a time; nowhere if ``out`` is empty, as when a notebook is read on its own."""
    if not out:
        return
    from lyeval.report import save

    Path(out).mkdir(parents=True, exist_ok=True)
    with (Path(out) / LOCK).open("a+b") as file:
        while not locked(file):
            time.sleep(0.02)
        save(out, tables)


def about(**run: Any) -> dict[str, Any]:
    """Return what the report says of its own making: the tables ``run`` (title, date, seed …) and ``versions``."""
    if (day := source_date()) is not None:
        run["source_date"] = day.isoformat()
    return {"run": run, "versions": pd.DataFrame(list(versions().items()), columns=["component", "version"])}


def own_words(template: str = "", texts: Any = None) -> dict[str, Any]:
    """Return an office's own template and words as the table ``run`` keeps them: text, file name, words by slot.

    Parameters
    ----------
    template
        Its file; "" for the shipped one.
    texts
        Words by slot, or a Markdown file of them.

    Raises
    ------
    TemplateError
        Either is wrong: told with file and line.
    """
    from lyeval.report.filling import read_template, read_texts

    told: dict[str, Any] = {}
    if template:
        told["template_name"], told["template"] = read_template(template)
    if texts:
        told["texts"] = read_texts(texts) if isinstance(texts, str) else dict(texts)
    return told


def unfilled(document: Document) -> dict[str, pd.DataFrame]:
    """Return the places of a document for the office's own words that nobody has filled: the table ``slots`` (name, hint)."""
    return {"slots": pd.DataFrame([(s.name, s.text) for s in slots(document)], columns=["name", "hint"])}


def before(previous: str | Path) -> dict[str, Any]:
    """Return what a bulletin's run before says of itself (its stamp and choices); nothing where there is none.

    Raises
    ------
    RunError
        The folder holds no bulletin.
    """
    if not previous:
        return {}
    from lyeval.report import load

    try:
        tables = load(Path(previous) / "tables")
        return {"before_stamp": tables["stamp"], "before_run": tables["run"]}
    except (OSError, KeyError, ValueError):
        raise RunError.of("check.previous", name=Path(previous).name) from None


def folder(name: str | Path) -> Path:
    """Return a folder to write a report into: the one named, else a new one that stands as long as this process."""
    return Path(name) if name else lasting()


def outline(document: Document) -> list[str]:
    """Return a document's headings, indented by level."""
    return ["　" * (block.level - 1) + block.text for block in document.blocks if isinstance(block, Heading)]


def switches(policy: Policy) -> pd.DataFrame:
    """Return a plan's doubtful clauses, one row an option: switch, question, option, default, why, clause."""
    rows = [
        (r.id, r.question, o.id, "默认" if o.id == r.default else "", o.why, "；".join(r.cite))
        for r in policy.readings
        for o in r.options
    ]
    return pd.DataFrame(rows, columns=["switch", "question", "option", "default", "why", "clause"])


def alternatives(
    assessment: Assessment,
    scenarios: Mapping[str, Mapping[str, Any]],
    plan: Path | pd.DataFrame | None = None,
    **options: Any,
) -> pd.DataFrame | None:
    """Give the odds of the years to come under each scenario's assumptions, as they stand first; None without scenarios.

    Parameters
    ----------
    plan, options
        As for `lyeval.simulation.scenarios.compare_scenarios`: assumptions, draws, seed.
    """
    from lyeval.simulation import compare_scenarios

    return compare_scenarios(assessment, scenarios, plan, **options) if scenarios else None


def compute(into: str | PathLike[str] = "", **parameters: Any) -> Path:
    """Compute every table of a run without its notebooks, and save them.

    Parameters
    ----------
    into
        Folder of the tables; empty: a new temporary one.
    parameters
        As in the notebooks: policy, ledger, year and, where they are not by default, as_of, level, quotas, facts, readings,
        patch, assumptions, scenarios, plan, draws, seed.
    """
    from lyeval import report
    from lyeval.forecasting import odds_after
    from lyeval.simulation import simulate

    p = DEFAULTS | parameters
    policy, plan = open_policy(p["policy"], p["patch"]), open_plan(p["plan"])
    ledger = open_ledger(p["ledger"], policy)
    told = {"level": p["level"], "quotas": p["quotas"], "facts": p["facts"]}
    drawn = {"assumptions": p["assumptions"], "draws": p["draws"], "seed": p["seed"]}
    verdict = assess(ledger, policy, p["year"], readings=p["readings"], **told)
    given = {"plan": plan, "readings": p["readings"], "quotas": p["quotas"], "level": p["level"], **drawn}
    odds = odds_after(ledger, policy, p["year"], as_of=p["as_of"], **given)
    where = folder(str(into))
    report.save(where, report.ledger_tables(ledger, policy))
    report.save(where, report.assessment_tables(verdict, readings(ledger, policy, p["year"], **told)))
    others = alternatives(verdict, p["scenarios"], plan, **drawn)
    report.save(where, report.simulation_tables(simulate(verdict, plan, **drawn), others))
    report.save(where, report.assumption_tables(p["assumptions"]))
    report.save(where, report.forecast_tables(odds.forecast, odds.backtest, odds.sensitivity))
    return where


LOCK = ".lock"
DEFAULTS: dict[str, Any] = {
    **{"as_of": "", "plan": "", "level": "county", "assumptions": "default", "draws": 2000, "seed": 0},
    **{name: {} for name in ("quotas", "facts", "readings", "patch", "scenarios")},
}
