"""A finished run: opened again, held against what is here now, run again, set beside another to tell what moved (已完成的运行、两次运行对照)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from lyeval import resources
from lyeval.policy import PolicyError, in_language, nearest
from lyeval.render.numbers import known
from lyeval.run.folders import RECORD, RunError, sha256
from lyeval.run.inputs import present_inputs
from lyeval.run.kernel import variables
from lyeval.run.production import Told, notebooks, produce
from lyeval.run.records import (
    code_hash,
    committed,
    fingerprint,
    hashed,
    named_inputs,
    parameters_of,
    private_of,
    published,
    read_private,
    read_record,
    versions,
)
from lyeval.run.run_file import OF_COMPARISON, RunFile, is_file, load_run, spec_of, with_names
from lyeval.scratch import scratch
from lyeval.textfiles import DAY, digest, name_fault

State = Literal["unchanged", "changed", "missing", "added"]
Known = Callable[[Path], bool]


@dataclass(frozen=True, eq=False)
class Finished:
    """A finished run: its folder and what its ``record.json`` says."""

    folder: Path
    record: Mapping[str, Any]
    private: Mapping[str, Any] | None = None

    @property
    def public(self) -> bool:
        """Whether it is a public edition, whose inputs only the office's part of it tells."""
        return self.record["parameters"].get("disclosure") == "public"

    @property
    def parameters(self) -> Mapping[str, Any]:
        """All parameters, files by name."""
        return self.record["parameters"] if self.private is None else self.private["parameters"]

    @property
    def inputs(self) -> list[Mapping[str, Any]]:
        """What it was made from: use, name and SHA-256, of a public edition the commitment in its place (`seal`)."""
        return self.record["inputs"] if self.private is None else self.private["inputs"]

    @property
    def changes(self) -> Sequence[str]:
        """The changes to its run file."""
        return self.record.get("origin", {}).get("set", ()) if self.private is None else self.private["set"]

    def seal(self, sha256: str) -> str:
        """Return a file's hash as `inputs` tells it."""
        return sha256 if self.private is None else committed(self.private, sha256)

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.record["run"])


def open_run(name: str | Path, root: Path = Path("reports")) -> Finished:
    """Open a finished run.

    Parameters
    ----------
    name
        The run's folder, or its id below ``root``.

    Raises
    ------
    RunError
        No such folder; no record in it, so the run was not finished; a record that cannot be read.
    """
    folder = next((place for place in (Path(name), root / name) if place.is_dir()), None)
    if folder is None:
        known = sorted(p.parent.name for p in root.glob(f"*/{RECORD}"))
        close = tuple(in_language(nearest(Path(name).name, known), lang) for lang in ("zh", "en"))
        raise RunError.of("run.unknown", name=name, nearest=close, root=root)
    if not (folder / RECORD).is_file():
        raise RunError.of("run.unfinished", folder=folder.name, record=RECORD)
    found = read_record(folder)
    if found is None or not _shaped(found):
        raise RunError.of("run.damaged", folder=folder.name, record=RECORD)
    folder = folder.resolve()
    public = found["parameters"].get("disclosure") == "public"
    return Finished(folder, found, read_private(folder) if public else None)


def _shaped(found: Mapping[str, Any]) -> bool:
    """Whether a record has the form of one; names in it are a run's and its files', and lead nowhere else."""
    if not all(isinstance(found.get(key), kind) for key, kind in SHAPE.items()):
        return False
    items = found["inputs"]
    named = all(isinstance(item, dict) and all(isinstance(item.get(k), str) for k in INPUT) for item in items)
    if not named or not isinstance(found.get("origin", {}), dict):
        return False
    changes = found.get("origin", {}).get("set", [])
    hashes = [*found["outputs"].items(), *found["notebooks"].items()]
    names = [found["run"], *(name for name, _ in hashes), *(item["name"] for item in items)]
    plain = isinstance(changes, list) and all(isinstance(text, str) for _, text in [*hashes, *enumerate(changes)])
    if not isinstance(day := found.get("source_date", ""), str) or (day and not DAY.fullmatch(day)):
        return False
    return plain and not any(name_fault(n) or Path(n).is_absolute() or ".." in Path(n).parts for n in names)


def regained(run: Finished, also: Iterable[Path] = ()) -> RunFile:
    """Return the run file that a record amounts to, its files found again.

    Parameters
    ----------
    also
        Folders to look for its files in, before those of the run file, the working folder and its ``data/`` and ``parameters/``.

    Raises
    ------
    RunError
        The record's parameters are no run's.
    """
    if run.public and run.private is None:
        raise RunError.of("run.public_alone", id=run.id, name=private_of(run.folder).name)
    folders = list(_folders(run, also))
    hashes = {item["sha256"] for item in run.inputs}

    def known(path: Path) -> bool:
        return run.seal(sha256(path)) in hashes

    try:
        said = _placed(run.parameters, folders, known)
        spec = spec_of(said).model_validate(said)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RunError.of("run.no_parameters", id=run.id, record=RECORD) from None
    return RunFile(run.id, _own_path(run, folders, known), spec)


def _placed(parameters: Mapping[str, Any], folders: Sequence[Path], known: Known) -> dict[str, Any]:
    """Return a record's parameters as a run file would give them, files by where they are now."""

    def place(use: str, name: str) -> str:
        return _located(name, folders, known) if is_file(use, name) else name

    said = with_names(parameters, place)
    return {key: value for key, value in said.items() if key in OF_COMPARISON} if "sides" in said else said


def run_file(run: Finished, also: Iterable[Path] = ()) -> RunFile | None:
    """Return the run file that a run was made from as it stands now, with the same changes; None where it is not here.

    Raises
    ------
    PolicyError
        It has faults now.
    """
    path = _run_path(run, list(also))
    return None if path is None else load_run(path, run.changes)


def _run_path(run: Finished, also: Sequence[Path]) -> Path | None:
    places = (*also, Path(), Path("parameters/runs"), *_beside(run), resources.path("parameters/runs"))
    return next((place / f"{run.id}.yaml" for place in places if (place / f"{run.id}.yaml").is_file()), None)


def _beside(run: Finished) -> tuple[Path, ...]:
    """Return where a run file stands usually, seen from its report."""
    return run.folder.parent, run.folder.parent.parent, run.folder.parent.parent / "parameters" / "runs"


def _folders(run: Finished, also: Iterable[Path]) -> Iterator[Path]:
    """Yield the folders to look for a run's files in, the likeliest first."""
    also = list(also)
    yield from also
    path = _run_path(run, also)
    if path is not None:
        with suppress(PolicyError, RunError):
            yield from (place.parent for _, place in load_run(path, run.changes).files())
        yield path.parent
    for home in (Path(), *_beside(run)):
        yield from (home / below for below in USUAL)


def _located(name: str, folders: Iterable[Path], known: Known) -> str:
    """Return the place of a file: one of the recorded content before another of that name; the bare name if there is none."""
    there = [folder / name for folder in folders if (folder / name).exists()]
    same = [path for path in there if path.is_dir() or known(path)]
    return str((same or there)[0].resolve()) if there else name


def _own_path(run: Finished, folders: Iterable[Path], known: Known) -> Path:
    """Return where the run file stood as far as its mapping of headings is concerned, which stands beside it."""
    name = f"{run.id}.columns.yaml"
    if name not in {item["name"] for item in run.inputs if item["use"] == "columns"}:
        return run.folder / f"{run.id}.yaml"
    return Path(_located(name, folders, known)).with_name(f"{run.id}.yaml")


USUAL = ("", "data", "policies", "assumptions", "parameters/policies", "parameters/assumptions")
INPUT = ("use", "name", "sha256")
SHAPE = {
    **dict.fromkeys(("run", "code", "basis", "fingerprint"), str),
    **dict.fromkeys(("parameters", "notebooks", "versions", "outputs"), dict),
    "inputs": list,
}


# -- held against what is here now, and run again ----------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """One thing of a run, then and now.

    Attributes
    ----------
    part
        record, output, input, private (the office's part of a public edition), parameter, notebook, code or version.
    name
        Which one.
    state
        unchanged, changed, missing (then, not now) or added (now, not then).
    """

    part: str
    name: str
    state: State


def verify(run: Finished, also: Iterable[Path] = ()) -> tuple[Check, ...]:
    """Rehash a run's outputs and all that it was made from.

    Parameters
    ----------
    also
        Folders to look for its inputs in.

    Returns
    -------
    tuple of Check
        Everything looked at, in the order record, outputs, inputs, parameters, notebooks, code, versions. A run file that is not
        here is not looked at: the parameters stand in the record, under its fingerprint.
    """
    outputs = _compared("output", run.record["outputs"], hashed(run.folder))
    return (*_record(run), *outputs, *_sources(run, list(also)))


def rerun(run: Finished, also: Iterable[Path] = (), *, told: Told | None = None) -> tuple[Check, ...]:
    """Run again, in a temporary folder, what a record says, and compare output by output.

    Returns
    -------
    tuple of Check
        As in `verify`; an output is held against the record's hash, whatever stands in the run's folder.

    Raises
    ------
    RunError
        An input is not here; name its folder in ``also``.
    """
    also = list(also)
    again = regained(run, also)
    sources = _sources(run, also)
    missing = [check.name for check in sources if (check.part, check.state) == ("input", "missing")]
    if missing:
        raise RunError.of("run.inputs_gone", names="、".join(missing))
    day = run.record.get("source_date")
    epoch = str(int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())) if day else None
    with scratch() as away, variables({"SOURCE_DATE_EPOCH": epoch}):
        made = read_record(produce(again, away, told=told))
    outputs = made["outputs"] if made else {}
    return (*_record(run), *_compared("output", run.record["outputs"], outputs), *sources)


def replaced(run: RunFile, root: Path) -> str:
    """Say which parameters an earlier report of a run file was made with otherwise, as ``seed 5 → 6``; "" where there is none."""
    found = read_record(root / run.id)
    then, now = (found or {}).get("parameters"), parameters_of(run.spec)
    if found is not None and run.spec.disclosure == "public":
        now = published({"parameters": now})["parameters"]
    if not isinstance(then, dict):
        return ""
    moved = [key for key in now if then.get(key) != now[key]]
    return "；".join(f"{key} {then.get(key)} → {now[key]}" for key in moved)


def unchanged(checks: Iterable[Check]) -> bool:
    """Tell whether everything looked at stands as it was."""
    return all(check.state == "unchanged" for check in checks)


def _record(run: Finished) -> list[Check]:
    """Hold a record against its own fingerprint, and what it was made from against its basis."""
    told = run.record
    kept = {key: told[key] for key in BASIS if key in told}
    sound = told["fingerprint"] == fingerprint(told) and told["basis"] == digest(kept)
    return [Check("record", "record.json", "unchanged" if sound else "changed")]


def _sources(run: Finished, also: list[Path]) -> list[Check]:
    """Compare inputs, parameters, notebooks, code and versions with those of now."""
    told = run.record
    kind, edition = (
        str(told["parameters"].get(key, default)) for key, default in (("kind", "review"), ("edition", "office"))
    )
    plans = any(told["parameters"].get(key) for key in ("plan", "plans"))
    papers = {path.name: sha256(path) for path in notebooks(kind, edition, plans=plans)}
    return [
        *_inputs(run, also),
        *_compared("notebook", told["notebooks"], papers),
        Check("code", "lyeval", "unchanged" if told["code"] == code_hash() else "changed"),
        *_compared("version", told["versions"], versions()),
    ]


def _inputs(run: Finished, also: list[Path]) -> list[Check]:
    """Compare inputs and parameters; of a public edition without the office's part, say that this is missing."""
    if run.public and run.private is None:
        return [Check("private", private_of(run.folder).name, "missing")]
    here = [vars(item) | {"sha256": run.seal(item.sha256)} for item in present_inputs(regained(run, also))]
    return [*_compared("input", named_inputs(run.inputs), named_inputs(here)), *_parameters(run, also)]


def _parameters(run: Finished, also: list[Path]) -> list[Check]:
    """Compare the record's parameters with the run file's, where it is here."""
    try:
        own = run_file(run, also)
    except (PolicyError, RunError):
        return [Check("parameter", f"{run.id}.yaml", "changed")]
    return [] if own is None else _compared("parameter", run.parameters, parameters_of(own.spec))


def _compared(part: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Check]:
    """Compare two sets of named things."""
    states: dict[str, State] = {name: "added" for name in now if name not in then}
    for name, value in then.items():
        states[name] = "missing" if name not in now else "unchanged" if now[name] == value else "changed"
    return [Check(part, name, states[name]) for name in sorted(states)]


BASIS = ("parameters", "seed", "inputs", "notebooks", "code", "versions", "source_date")


CAUSES = ("data", "rule", "question", "assumptions", "seed", "code", "form")
VERDICT = ("data", "rule", "question", "code")
ODDS = (*VERDICT, "assumptions", "seed")


@dataclass(frozen=True, eq=False)
class Difference:
    """What moved between two runs, and what could have moved it.

    Attributes
    ----------
    inputs
        What the runs were made from and do not share: cause (data, rule, question: year and level, assumptions, seed, code, form: language
        and layout, which moves no figure), item, before, after.
    targets
        One row a target of either run: id, label, label_en, value, goal and status before and after, moved.
    odds
        One row a target and year with odds in either: id, label, label_en, year, probability before and after, moved.
    enterprises
        One row a field that moved: credit_code, name, field, before, after; field ``ledger`` where the enterprise is in one only.
    turned
        Enterprises that a target turns on in one run only: target, credit_code, name, turns (before or after).
    plans
        Enterprises whose method the runs' disposal plans do not share: plan, credit_code, name, before, after ("" where none), both in English too.
    """

    inputs: pd.DataFrame
    targets: pd.DataFrame
    odds: pd.DataFrame
    enterprises: pd.DataFrame
    turned: pd.DataFrame
    plans: pd.DataFrame

    def causes(self, kinds: Iterable[str] = CAUSES) -> tuple[str, ...]:
        """Return which of some causes differ between the runs, in a fixed order."""
        there = set(self.inputs["cause"])
        return tuple(cause for cause in CAUSES if cause in there and cause in kinds)

    def __repr__(self) -> str:
        moved = self.targets.loc[self.targets["moved"], "id"].tolist()
        return f"Difference(by {', '.join(self.causes()) or 'nothing'}; targets moved: {', '.join(moved) or 'none'})"


def difference(before: Finished, after: Finished) -> Difference:
    """Compare two finished runs by their tables and records.

    Raises
    ------
    RunError
        A run's tables are not there; a comparison of two places against a run of one; a public edition.
    """
    _one_kind(before, after)
    old, new = tables_of(before), tables_of(after)
    firms = [_keyed(tables, "enterprises", ["credit_code"]) for tables in (old, new)]
    names = dict(firms[0]["name"]) | dict(firms[1]["name"]) if all("name" in f for f in firms) else {}
    return Difference(
        inputs=pd.DataFrame(_unshared(before.record, after.record), columns=["cause", "item", "before", "after"]),
        targets=_side_by_side(old, new, "targets", ["id"], ["value", "goal", "status"]),
        odds=_side_by_side(old, new, "forecast", ["id", "year"], ["probability"]),
        enterprises=_moved(firms[0], firms[1], names),
        turned=_turned(old, new, names),
        plans=_plans(old, new),
    )


def _one_kind(before: Finished, after: Finished) -> None:
    """Refuse a comparison of two places against a run of one, and a public edition: they share no target or no enterprise."""
    public = "、".join(dict.fromkeys(run.id for run in (before, after) if run.public))
    if public:
        raise RunError.of("run.public_pair", public=public)
    two = [run.record["parameters"].get("kind") == "comparison" for run in (before, after)]
    if two[0] != two[1]:
        pair, single = (before.id, after.id) if two[0] else (after.id, before.id)
        raise RunError.of("run.kinds_pair", pair=pair, single=single)


def tables_of(run: Finished) -> dict[str, Any]:
    """Return a finished run's tables.

    Raises
    ------
    RunError
        They are not there, or damaged.
    """
    from lyeval.report import load

    try:
        return load(run.folder / "tables")
    except (OSError, ValueError, KeyError):
        raise RunError.of("run.tables_gone", id=run.id) from None


def _unshared(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, Any, Any]]:
    """List what two records do not share, by cause: an input by what it is for, a parameter by its name, all else the code's."""
    both, causes = (before, after), {"inputs": OF_INPUTS, "parameters": OF_PARAMETERS}
    named = {place: [record[place] for record in both] for place in ("parameters", "notebooks", "versions")}
    named = {"inputs": [named_inputs(record["inputs"]) for record in both], **named}
    named["code"] = [{"lyeval/": record["code"]} for record in both]
    rows = [
        (
            causes.get(place, {}).get(name.split()[0], REST.get(place, "code")),
            name,
            *(_short(one.get(name)) for one in pair),
        )
        for place, pair in named.items()
        for name in sorted({*pair[0], *pair[1]})
        if pair[0].get(name) != pair[1].get(name)
    ]
    return sorted(rows, key=lambda row: CAUSES.index(row[0]))


def _short(value: Any) -> Any:
    """Shorten a hash to what tells it from another."""
    text = "" if value is None else str(value)
    return text[:12] if len(text) == 64 and " " not in text else text


def _keyed(tables: Mapping[str, Any], name: str, keys: list[str]) -> pd.DataFrame:
    frame = tables.get(name)
    return frame.set_index(keys) if isinstance(frame, pd.DataFrame) and set(keys) <= set(frame) else pd.DataFrame()


def _side_by_side(
    old: Mapping[str, Any], new: Mapping[str, Any], name: str, keys: list[str], shown: list[str]
) -> pd.DataFrame:
    """Set a table of either run side by side, by its keys in the order of the first."""
    both = [_keyed(tables, name, keys) for tables in (old, new)]
    index = list(dict.fromkeys([*both[0].index, *both[1].index]))
    rows = []
    for key in index:
        was, now = ({} if key not in one.index else one.loc[key].to_dict() for one in both)
        row = dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True))
        row |= {k: now.get(k, was.get(k)) for k in ("label", "label_en")}
        for field in shown:
            row |= {f"{field}_before": was.get(field), f"{field}_after": now.get(field)}
        moved = any(not _same(was.get(field), now.get(field)) for field in shown)
        rows.append(row | {"moved": moved})
    pairs = [f"{field}_{side}" for field in shown for side in ("before", "after")]
    return pd.DataFrame(rows, columns=[*keys, "label", "label_en", *pairs, "moved"]).astype({"moved": bool})


def _moved(old: pd.DataFrame, new: pd.DataFrame, names: Mapping[Any, Any]) -> pd.DataFrame:
    """List the fields of enterprises that differ; who is in one ledger only is told once."""
    rows = []
    for code in sorted({*old.index, *new.index}):
        if code not in old.index or code not in new.index:
            rows.append((code, names.get(code), "ledger", code in old.index, code in new.index))
            continue
        was, now = old.loc[code], new.loc[code]
        there = [field for field in FIELDS if field in was and field in now]
        rows += [(code, names.get(code), f, was[f], now[f]) for f in there if not _same(was[f], now[f])]
    return pd.DataFrame(rows, columns=["credit_code", "name", "field", "before", "after"], dtype=object)


def _turned(old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[Any, Any]) -> pd.DataFrame:
    both = [_keyed(tables, "targets", ["id"]) for tables in (old, new)]
    rows = []
    for id in dict.fromkeys([*both[0].index, *both[1].index]):
        sets = [set(one.loc[id, "turns_on"] or []) if id in one.index else set() for one in both]  # type: ignore[arg-type]
        for side, codes in (("before", sets[0] - sets[1]), ("after", sets[1] - sets[0])):
            rows += [(id, code, names.get(code), side) for code in sorted(codes)]
    return pd.DataFrame(rows, columns=["target", "credit_code", "name", "turns"])


def _plans(old: Mapping[str, Any], new: Mapping[str, Any]) -> pd.DataFrame:
    """List whose method differs: between plans of one name, or, of two runs with one plan each, between these; else against the ledger's cases."""
    given = [one.get("plans_cases", pd.DataFrame(columns=[*CASES])) for one in (old, new)]
    given = [frame.assign(scenario=frame["scenario"].fillna("")) for frame in given]
    named = [[name for name in frame["scenario"].unique() if name] for frame in given]
    pairs = [(name, name) for name in named[0] if name in named[1]]
    if not pairs and max(map(len, named)) == 1:
        pairs = [(next(iter(named[0]), ""), next(iter(named[1]), ""))]
    own = next((frame[frame["scenario"] == ""] for frame in given if len(frame)), given[0])
    rows = []
    for was, now in pairs:
        sides = [
            frame[frame["scenario"] == name] if name else own for frame, name in zip(given, (was, now), strict=True)
        ]
        one, other = (side.set_index("credit_code") for side in sides)
        for code in sorted({*one.index, *other.index}):
            ends = [str(side.loc[code, key]) if code in side.index else "" for key in LABELS for side in (one, other)]
            if ends[0] != ends[1]:
                name = (one if code in one.index else other).loc[code, "name"]
                rows.append((was if was == now else f"{was} → {now}", code, name, *ends))
    return pd.DataFrame(rows, columns=["plan", "credit_code", "name", "before", "after", "before_en", "after_en"])


def _same(was: Any, now: Any) -> bool:
    """Tell whether two values are one: both missing, or equal."""
    gone = [not known(value) for value in (was, now)]
    return all(gone) if any(gone) else bool(was == now)


LABELS = ("label", "label_en")
CASES = ("scenario", "credit_code", "name", *LABELS)
FIELDS = (
    *("name", "township", "class", "in_scope", "excluded_by", "identified", "below_line"),
    *("tax_wan", "land_mu", "tax_per_mu", "stage", "progress"),
)
OF_INPUTS = {"policy": "rule", "assumptions": "assumptions", "fonts": "form", "template": "form", "texts": "form"}
REST = {"inputs": "data", "parameters": "form"}
OF_PARAMETERS = {
    **dict.fromkeys(("ledger", "plan", "plans", "previous"), "data"),
    **dict.fromkeys(("policy", "patch", "readings", "quotas", "facts"), "rule"),
    **dict.fromkeys(("year", "level", "as_of", "kind", "sides"), "question"),
    **dict.fromkeys(("assumptions", "scenarios"), "assumptions"),
    **dict.fromkeys(("draws", "seed"), "seed"),
}
