"""What a run reads: plan, ledgers, assumptions and disposal plan, opened by name and kept as they stood (输入)."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lyeval import resources
from lyeval.ledger import Ledger, beside, check_place, read_ledger
from lyeval.policy import Policy, PolicyError, find_policy, load_policy, load_yaml, method_words, policy_ids
from lyeval.policy import patch as patched
from lyeval.run.folders import RunError, error_words, sha256, together
from lyeval.run.run_file import SAMPLE, RunFile, RunSpec, is_file, names_of, with_names
from lyeval.told import message

FOLDER = "inputs"
METHODS = "methods.yaml"


def open_policy(policy: str | Path, patch: Mapping[str, Any] | None = None) -> Policy:
    """Load a plan by id or path, and change values of it by path.

    Raises
    ------
    PolicyError
        An unknown plan, a fault of its file, or a change that does not fit.
    """
    return patched(load_policy(policy), patch or {})


def open_ledger(
    ledger: str | Path | Sequence[str | Path] | Mapping[str, str],
    policy: Policy | None = None,
    *,
    columns: Path | None = None,
    year: int | None = None,
    tables: list[Any] | None = None,
) -> Ledger:
    """Read a ledger, or a city's from a list, knowing a plan's own words for disposal methods.

    Parameters
    ----------
    ledger
        File, folder, ``sample:<name>``, or a list of these; or each with the county that is meant where it names none.
    policy
        The plan whose words count; None: those of every shipped plan.
    columns
        The office's own word on its headings (表头对照); default: each ledger's own, beside it.
    year
        What survey forms mean by 上一年 where they give neither a year nor a day.
    tables
        Is given every table as it was read (`lyeval.ledger.clean`).

    Raises
    ------
    LedgerError
        With every fault found, if any of them is an error.
    """
    plans = [policy] if policy is not None else [load_policy(name) for name in policy_ids()]
    several = not isinstance(ledger, str | Path) and len(ledger) > 1
    named = ledger if isinstance(ledger, str | Path) else list(ledger) if several else next(iter(ledger))
    places = ledger if isinstance(ledger, Mapping) else {}
    read = read_ledger(named, methods=method_words(plans), columns=columns, year=year, county=places, tables=tables)
    if policy is None:
        return read
    place = policy.place
    return replace(read, faults=(*read.faults, *check_place(read, place.name, place.code, place.level)))


def columns_of(run: RunFile) -> Path | None:
    """Return a run's own mapping of headings, ``<id>.columns.yaml`` beside the run file; None where there is none."""
    path = beside(run.path)
    return path if path.is_file() else None


def open_plan(path: str | Path | None) -> Path | None:
    """Return where a disposal plan (处置方案) is, as `lyeval.simulate` takes it; None for none.

    Raises
    ------
    RunError
        Not there, or no file.
    """
    if not path:
        return None
    if not Path(path).is_file():
        raise RunError.of("plan.unreadable", name=Path(path).name)
    return Path(path)


def open_plans(plans: Mapping[str, str | Path], plan: str | Path | None = None) -> dict[str, Path]:
    """Return where the plans are that are to be held side by side: those named, and a run's own by its file's name.

    Raises
    ------
    RunError
        One is not there, or no file.
    """
    own = {} if not plan else {Path(plan).stem: plan}
    return {name: found for name, path in {**own, **plans}.items() if (found := open_plan(path)) is not None}


@dataclass(frozen=True)
class Input:
    """One file read by a run: what for (ledger, policy …), its name, the SHA-256 of its bytes."""

    use: str
    name: str
    sha256: str


def given(spec: RunSpec) -> dict[str, Any]:
    """Return a run's choices as the notebooks' parameters name them, keys in an order of their own."""
    said = spec.model_dump(mode="json", exclude={"kind"})
    for held in (said, *said.get("sides", ())):
        held["ledger"] = held["ledger"][0] if len(held["ledger"]) == 1 else held["ledger"]
        held["readings"] = dict(sorted(held["readings"].items()))
    county = said.pop("county", "")
    if county:
        places = county if isinstance(county, dict) else dict.fromkeys(spec.ledgers, county)
        said["ledger"] = {name: places.get(name, "") for name in spec.ledgers}
    plain = {k: dict(sorted(v.items())) if isinstance(v, dict) and k not in ORDERED else v for k, v in said.items()}
    if not plain["plans"]:
        del plain["plans"]
    empty = {name: plain[name] or "" for name in ("as_of", "report_date", "title", "plan", "previous", "template")}
    return plain | empty | {"fonts": {role: name for role, name in plain["fonts"].items() if name}}


def stage(run: RunFile, folder: Path) -> tuple[dict[str, Any], tuple[Input, ...]]:
    """Copy a run's own files below ``folder/inputs``, so that what is hashed is what is read.

    Shipped samples, plans and assumptions are named by id and not copied.

    Returns
    -------
    parameters, inputs
        The run's choices as notebooks name them, files by their place below ``folder``; every file, with its hash.

    Raises
    ------
    RunError
        A file is not there, or cannot be read.
    """
    keep = _Keeper(run, folder)
    places = {name: keep.kept(*name) for name in names_of(run.spec)}
    parameters = with_names(given(run.spec), lambda use, name: places[use, name])
    return parameters, keep.found()


def inputs_of(run: RunFile) -> tuple[Input, ...]:
    """Return every file that a run would read, with its hash, copying nothing.

    Raises
    ------
    RunError, PolicyError
        Every file that is not there.
    """
    keep, lost = _Keeper(run, None), []
    for use, name in names_of(run.spec):
        try:
            keep.kept(use, name)
        except (RunError, PolicyError) as error:
            lost.append(RunError.of("check.at", place=run.at(use), why=error_words(error)))
    if lost:
        raise together(lost)
    return keep.found()


def present_inputs(run: RunFile) -> tuple[Input, ...]:
    """Return those files of a run that are there, with their hashes: what cannot be found is left out."""
    keep = _Keeper(run, None)
    for use, name in names_of(run.spec):
        with suppress(RunError, PolicyError, OSError):
            keep.kept(use, name)
    return keep.found()


class _Keeper:
    """Copies what a run names below a folder and notes the hashes; ``folder`` None only notes them."""

    def __init__(self, run: RunFile, folder: Path | None) -> None:
        self.run, self.folder = run, folder
        self.inputs: list[Input] = []

    def found(self) -> tuple[Input, ...]:
        """Return what was noted, in a fixed order."""
        return tuple(sorted(self.inputs, key=lambda i: (i.use, i.name, i.sha256)))

    def kept(self, use: str, name: str) -> str:
        """Keep what a key names with all that belongs to it, and return how the notebooks name it."""
        if not is_file(use, name):
            for path, of in _shipped(use, name):
                self._note(path, of)
            return name
        path, ledgers = self._found(name, use), self.run.spec.ledgers
        if use == "plans":  # files of one name from several folders stand apart
            return self._keep(path, use, f"{use}/{list(self.run.spec.plans.values()).index(name) + 1}")
        below = use if use != "ledger" else str(ledgers.index(name) + 1) if len(ledgers) > 1 else ""
        place = self._keep(path, use, below)
        for other, of, named in self._beside(path, use):
            self._keep(other, of, below, named)
        if use == "assumptions":
            self._note(resources.path("parameters/assumptions") / METHODS, use)
        return place

    def _beside(self, path: Path, use: str) -> list[tuple[Path, str, str]]:
        """Return what belongs to a file, with what it is and its name as kept.

        A ledger's mapping of headings and the sidecar of a made one; a plan's register; the methods of assumptions.
        """
        if use == "ledger":
            sidecar = path.parent / f"{path.stem if path.suffix else path.name}.yaml"
            found = [(columns_of(self.run) or beside(path), "columns", beside(path).name), (sidecar, "sidecar", "")]
        elif use == "policy":
            found = [(path.with_suffix(".clauses.yaml"), "policy", "")]
        elif use == "assumptions":
            found = [(one, use, "") for one in sorted(path.parent.glob("*.yaml")) if one != path and _names(path, one)]
        else:
            found = []
        return [one for one in found if one[0].is_file()]

    def _found(self, name: str, use: str) -> Path:
        path, said = self.run.find(name), message(f"use.{use}")
        if not path.exists():
            raise RunError.of("input.gone", use=said, name=name, run=self.run.path.name)
        if not (path.is_dir() if use in FOLDERS else path.is_file() or (use == "ledger" and path.is_dir())):
            fault = "not_folder" if use in FOLDERS else "neither" if use == "ledger" else "not_file"
            raise RunError.of(f"input.{fault}", use=said, name=name)
        return path

    def _keep(self, path: Path, use: str, below: str, name: str = "") -> str:
        place = "/".join(part for part in (FOLDER, below, name or path.name) if part)
        kept = path if self.folder is None else self.folder / place
        if self.folder is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, kept, ignore=_not_files)
            else:
                shutil.copyfile(path, kept)
        for file in [kept] if kept.is_file() else sorted(p for p in kept.rglob("*") if p.is_file()):
            self._note(file, use, path.name if path.is_file() else file.name)
        return place

    def _note(self, path: Path, use: str, name: str = "") -> None:
        if path.is_file():
            self.inputs.append(Input(use, name or path.name, sha256(path)))


def _shipped(use: str, name: str) -> list[tuple[Path, str]]:
    """Return the files of what goes by an id, with what each is."""
    if use == "ledger":
        return [
            (file, of) for path in samples(name) for file, of in ((path, use), (path.with_suffix(".yaml"), "sidecar"))
        ]
    if use == "policy":
        path = find_policy(name)
        return [(path, use), (path.with_suffix(".clauses.yaml"), use)]
    shipped = resources.path("parameters/assumptions")
    return [(shipped / f"{name}.yaml", use), (shipped / METHODS, use)]


def _not_files(folder: str, names: list[str]) -> list[str]:
    """Return what of a folder is not copied: pipes and devices, broken links, links to folders, which may lead in a circle."""
    paths = {name: Path(folder, name) for name in names}
    return [n for n, p in paths.items() if not p.is_file() and (p.is_symlink() or not p.is_dir())]


def _names(path: Path, other: Path) -> bool:
    """Tell whether a file of assumptions names another as its methods."""
    data, _ = load_yaml(path)
    return isinstance(data, dict) and str(data.get("methods", "")).removesuffix(".yaml") == other.stem


def samples(name: str) -> list[Path]:
    """Return the files of ``sample:<name>``.

    Raises
    ------
    RunError
        No such sample; those there are are listed.
    """
    try:
        return resources.sample(name.removeprefix(SAMPLE))
    except FileNotFoundError as error:
        zh, _, en = str(error).partition(" / ")
        raise RunError.of("input.no_sample", why=(zh, en or zh)) from None


ORDERED = ("texts", "plans")
FOLDERS = ("previous", "fonts")
