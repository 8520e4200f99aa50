"""What the notebooks share besides the library: names to results, keeping tables, what a report says of itself, all tables without notebooks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from lyeval.assessment import Assessment, assess, readings
from lyeval.policy import Policy
from lyeval.render import Document, Heading
from lyeval.render.blocks import slots
from lyeval.run.folders import RunError
from lyeval.run.inputs import open_ledger, open_plan, open_policy
from lyeval.run.records import source_date, versions
from lyeval.scratch import lasting, locked

if TYPE_CHECKING:
    import pandas as pd

    from lyeval.comparison import TwoPlaces
    from lyeval.policy import Policy
    from lyeval.policy.register import Register
    from lyeval.studies import Study


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


Named = Mapping[str, Any]
"""One side as a run file names it: policy, ledger, year and, if any, readings."""


@dataclass(frozen=True, eq=False)
class Studies:
    """The effects of one county (side ``""``) or of either side of a comparison (``a``, ``b``)."""

    by_side: Mapping[str, Study]

    def _joined(self, name: str) -> pd.DataFrame:
        import pandas as pd

        parts = [getattr(one, name).assign(side=side) for side, one in self.by_side.items()]
        return pd.concat(parts, ignore_index=True)

    @property
    def table(self) -> pd.DataFrame:
        """One row a specification, with its side."""
        return self._joined("table")

    @property
    def checks(self) -> pd.DataFrame:
        """One row a check, with its side."""
        return self._joined("checks")

    @property
    def rules(self) -> pd.DataFrame:
        """The tax-rule years of all sides."""
        return (
            self._joined("rules")
            .drop(columns=["side", "years"])
            .drop_duplicates(["from", "rule"])
            .reset_index(drop=True)
        )

    def drawn(self, name: str, side: str | None = None) -> pd.DataFrame:
        """Return what the figure of one specification shows; of the first side unless one is named."""
        first = next(iter(self.by_side)) if side is None else side
        frame = self.by_side[first].drawn
        return frame[frame["id"] == name]

    def __repr__(self) -> str:
        return "\n".join(f"{side or '—'} {one!r}" for side, one in self.by_side.items())


def effects(
    ledger: str | Sequence[str] = "",
    policy: str = "",
    *,
    readings: Mapping[str, str] | None = None,
    patch: Mapping[str, Any] | None = None,
    sides: Sequence[Named] = (),
    draws: int = 500,
    seed: int = 0,
    known_by: str = "",
) -> Studies:
    """Ask every question of cause of one county, or of both sides of a comparison if ``sides`` are named.

    ``known_by`` is the report's date, "YYYY-MM-DD": of two sides nothing later is read, by default nothing after the later of their years.
    """
    from lyeval.comparison.two_places import cut
    from lyeval.studies import study

    named: dict[str, Named] = (
        dict(zip(("a", "b"), sides, strict=True))
        if sides
        else {"": {"ledger": ledger, "policy": policy, "readings": readings or {}, "patch": patch or {}}}
    )
    found = {}
    for side, one in named.items():
        plan = open_policy(one["policy"], one.get("patch") or {})
        book = open_ledger(one["ledger"], plan)
        if sides:
            book = cut(book, int(one["year"]), _day(sides, known_by))
        found[side] = study(book, plan, readings=one.get("readings") or {}, draws=draws, seed=seed)
    return Studies(found)


def _day(sides: Sequence[Named], known_by: str) -> date:
    """Return the day after which nothing is read: the report's, else the end of the later year."""
    return date.fromisoformat(known_by) if known_by else date(max(int(one["year"]) for one in sides), 12, 31)


@dataclass(frozen=True, eq=False)
class Compared:
    """Two places compared: the comparison and its documents, many plans over either population, the documents as points, the burden."""

    places: TwoPlaces
    policies: tuple[Policy, Policy]
    registers: tuple[Register | None, ...]
    ledger_rows: pd.DataFrame
    plans: pd.DataFrame
    points: pd.DataFrame
    burdens: pd.DataFrame

    def tables(self) -> dict[str, Any]:
        """Return everything as tables of a report."""
        from lyeval.tables.comparative import side_tables

        rules = {"plans": self.plans, "plan_points": self.points, "plan_burden": self.burdens}
        return {**side_tables(self.places, self.policies, self.registers), **rules, "ledger_rows": self.ledger_rows}

    def __repr__(self) -> str:
        return f"{self.places!r}\n{len(self.plans)} plans"


def compare_sides(sides: Sequence[Named], *, draws: int = 500, seed: int = 0, known_by: str = "") -> Compared:
    """Hold the two places that a run file names against one ruler.

    Parameters
    ----------
    sides
        Two: policy, ledger, year, readings.
    known_by
        The report's date, "YYYY-MM-DD": nothing later is read.
    """
    import pandas as pd

    from lyeval.comparison import burden, population, rule_of, sweep, two_places
    from lyeval.policy.documents import register_of

    opened = [open_policy(one["policy"]) for one in sides]
    places = [(open_ledger(s["ledger"], plan), plan, int(s["year"])) for plan, s in zip(opened, sides, strict=True)]
    readings = [dict(one.get("readings") or {}) for one in sides]
    day = _day(sides, known_by)
    done = two_places(places[0], places[1], readings=(readings[0], readings[1]), draws=draws, seed=seed, known_by=day)
    rules = [rule_of(plan, year) for _, plan, year in places]
    lines = sorted({float(rule["threshold"]) for rule in rules})
    plans, points, burdens = [], [], []
    for side, (book, plan, _) in zip(("a", "b"), places, strict=True):
        people = population(book, plan, min(plan.years.identification) - 1)
        plans.append(sweep(people).assign(side=side))
        points.append(pd.DataFrame(rules).assign(side=side))
        burdens += [burden(people, line).assign(side=side, line=line) for line in lines]
    registers = tuple(register_of(one["policy"]) for one in sides)
    joined = [pd.concat(parts, ignore_index=True) for parts in (plans, points, burdens)]
    return Compared(done, (opened[0], opened[1]), registers, _rows(places, readings), *joined)


def _rows(places: Sequence[Any], readings: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """Return the ledgers' rows that the first list and the year of evaluation of either place rest on."""
    import pandas as pd

    from lyeval.comparison import as_if
    from lyeval.tables.origins import ledger_rows

    parts = [
        ledger_rows(as_if(book, plan, at, readings=chosen)).assign(side=side)
        for side, (book, plan, year), chosen in zip(("a", "b"), places, readings, strict=True)
        for at in dict.fromkeys((min(plan.years.identification), year))
    ]
    return pd.concat(parts, ignore_index=True).drop_duplicates().reset_index(drop=True)


def complete(
    done: Compared,
    sides: Sequence[Named],
    *,
    draws: int = 500,
    seed: int = 0,
    known_by: str = "",
    into: str | Path = "",
) -> Path:
    """Save a comparison's tables beside those of its effects, which are estimated where notebook 05 has not; return their folder."""
    from lyeval import report
    from lyeval.tables.comparative import summed_effects

    where = folder(str(into))
    keep(done.tables(), where)
    saved = report.load(where)
    if "effects" not in saved:
        studied = effects(sides=sides, draws=draws, seed=seed, known_by=known_by)
        keep(report.effect_tables(studied.by_side), where)
        saved = report.load(where)
    keep(summed_effects(saved["effects"], done.policies), where)
    return where
