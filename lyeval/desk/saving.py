"""A county's question as a run gives it, and a plan kept (存为方案): a table of cases, and the run file that computes it again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.assessment import Assessment, assess
from lyeval.desk.trial import PLANNED, Question, Trial
from lyeval.ledger import Ledger
from lyeval.ledger.clean import canonical_heading
from lyeval.ledger.columns import of_sheet
from lyeval.policy import Policy
from lyeval.run import open_ledger, open_policy, run_id, write_new
from lyeval.textfiles import yaml_text
from lyeval.told import Told, shown


@dataclass(frozen=True)
class County:
    """What a run names: its ledger, plan, year and all that the odds are drawn from; the files as `lyeval.run` takes them.

    ``folder`` is the workspace, below which plans and run files are kept.
    """

    ledger: Any = "sample:linshu"
    policy: str = "linshu-2021"
    year: int = 2023
    level: str = "county"
    quotas: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    readings: Mapping[str, str] = field(default_factory=dict)
    patch: Mapping[str, Any] = field(default_factory=dict)
    assumptions: str = "default"
    plan: str = ""
    draws: int = 2000
    seed: int = 0
    folder: Path = field(default_factory=Path.cwd)

    def opened(self) -> tuple[Policy, Ledger]:
        """Open the plan and the ledger, with the run's own changes.

        Raises
        ------
        PolicyError, LedgerError
            Every fault of either.
        """
        policy = open_policy(self.policy, self.patch)
        return policy, open_ledger(self.ledger, policy)

    def assessed(self, policy: Policy, ledger: Ledger, asked: Question) -> Assessment:
        """Assess the year under a question's readings and changes."""
        changed = open_policy(self.policy, {**self.patch, **asked.patch}) if asked.patch else policy
        told = {"level": self.level, "quotas": self.quotas, "facts": self.facts}
        return assess(ledger, changed, self.year, readings={**self.readings, **asked.readings}, **told)

    def trial(self, policy: Policy, ledger: Ledger, asked: Question) -> Trial:
        """Lay a question out."""
        drawn = {"assumptions": self.assumptions, "draws": self.draws, "seed": self.seed}
        return Trial(self.assessed(policy, ledger, asked), asked, **drawn)

    def first(self, policy: Policy) -> Question:
        """Return what is asked to begin with: the first target that can be moved, in the first year ahead, with the run's own plan."""
        years = self.years(policy)
        moved = [one.id for one in policy.targets if years[0] in one.years] or [one.id for one in policy.targets]
        return Question(moved[-1], years[0], start=f"{self.year + 1}-01", plan=Path(self.plan) if self.plan else None)

    def years(self, policy: Policy) -> list[int]:
        """Return the years that may be asked about: the plan's target years ahead, or the next where there are none."""
        ahead = {year for target in policy.targets for year in target.years if self.year < year <= self.year + AHEAD}
        return sorted(ahead) or [self.year + 1]


def save(county: County, trial: Trial, name: str) -> tuple[Path, Path]:
    """Write a plan as ``data/<name>.csv`` and the run that computes it as ``parameters/runs/<name>.yaml``; nothing is replaced.

    Returns
    -------
    plan, run
        The files.

    Raises
    ------
    Told
        The name is none that files can have, or taken.
    """
    run = county.folder / "parameters" / "runs" / f"{name}.yaml"
    plan = county.folder / "data" / f"{name}.csv"
    if run_id(run) != name:
        raise Told.of("desk.name", name=shown(name))
    taken = [path for path in (plan, run) if path.exists() or path.is_symlink()]
    if taken:
        raise Told.of("desk.taken", name=name, file=taken[0].name)
    for path in (plan, run):
        path.parent.mkdir(parents=True, exist_ok=True)
    rows = trial.plan()
    text = _headed(rows, trial).to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d")
    try:
        write_new(plan, "\ufeff" + text)
        write_new(run, HEAD.format(name=name) + yaml_text(_spec(county, trial, run, plan)))
    except FileExistsError as error:
        raise Told.of("desk.taken", name=name, file=Path(str(error)).name) from None
    return plan, run


def _headed(rows: pd.DataFrame, trial: Trial) -> pd.DataFrame:
    """Put a plan's columns and methods in a ledger's words."""
    labels = trial.made.given.assumed.labels
    told = rows.assign(method=[labels[name][0] for name in rows["method"]])
    for column in ("started", "due"):
        if column in told:
            told[column] = pd.to_datetime(told[column])
    kept = [name for name in HEADINGS if name in told and (name in REQUIRED or told[name].notna().any())]
    return told[kept].rename(columns=HEADINGS)


def _spec(county: County, trial: Trial, run: Path, plan: Path) -> dict[str, Any]:
    """Lay the run out, files named from where it stands."""
    ledger, place = county.ledger, None
    if isinstance(ledger, Mapping):
        place = {_named(one, county, run): of for one, of in ledger.items() if of}
        ledger = list(ledger)
    several = [ledger] if isinstance(ledger, str | Path) else list(ledger)
    named = [_named(one, county, run) for one in several]
    spec: dict[str, Any] = {"kind": "review", "policy": _named(county.policy, county, run)}
    spec |= {"ledger": named[0] if len(named) == 1 else named, "year": county.year, "level": county.level}
    asked = trial.asked
    given = {"county": place, "quotas": county.quotas, "facts": county.facts}
    given |= {"readings": {**county.readings, **asked.readings}, "patch": {**county.patch, **asked.patch}}
    spec |= {key: dict(value) for key, value in given.items() if value}
    if county.assumptions != "default":
        spec["assumptions"] = _named(county.assumptions, county, run)
    return spec | {"plan": _named(plan, county, run), "draws": county.draws, "seed": county.seed}


def _named(name: str | Path, county: County, run: Path) -> str:
    """Return how a run file names a file: from its own place within the workspace, whole elsewhere; ids and samples as they are."""
    path = Path(name)
    if not path.is_absolute():
        return str(name)
    inside = path.is_relative_to(county.folder)
    return Path(os.path.relpath(path, run.parent)).as_posix() if inside else path.as_posix()


def again(county: County, asked: Question, plan: Path | None) -> Question:
    """Return a question asked of another plan to begin with, a file of the workspace; None: the ledger's own cases.

    Raises
    ------
    Told
        There is no such file.
    """
    if plan is None:
        return replace(asked, plan=None)
    found = plan if plan.is_absolute() else county.folder / plan
    if not found.is_file():
        raise Told.of("desk.no_plan", name=plan.name)
    return replace(asked, plan=found)


AHEAD = 3
REQUIRED = ("credit_code", "name", "method", "started")
HEADINGS = {
    **{name: of_sheet("enterprises")[name].zh for name in ("credit_code", "name")},
    **{name: canonical_heading(of_sheet("disposals")[name]) for name in PLANNED if name in of_sheet("disposals")},
    "successor": canonical_heading(of_sheet("disposals")["successor_code"]),
}
HEAD = "# 方案台存下的方案：lyeval run {name} / a plan kept at the desk\n"
