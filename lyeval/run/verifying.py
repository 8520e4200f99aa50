"""A finished run held against what is here now, and run again (核验与重跑)."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from lyeval.policy import PolicyError
from lyeval.run.errors import RunError
from lyeval.run.finished import Finished, regained, run_file
from lyeval.run.inputs import present_inputs, sha256
from lyeval.run.private import private_of
from lyeval.run.record import (
    code_hash,
    digest,
    fingerprint,
    hashed,
    named_inputs,
    parameters_of,
    published,
    read_record,
    versions,
)
from lyeval.run.review import Told, notebooks, produce
from lyeval.run.spec import RunFile
from lyeval.scratch import scratch

State = Literal["unchanged", "changed", "missing", "added"]


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
        names = "、".join(missing)
        raise RunError(
            f"找不到输入 {names}，不能重跑；请用 --inputs 指明所在文件夹",
            f"inputs not found: {names}; name their folder with --inputs",
            misuse=True,
        )
    with scratch() as away, _dated(run.record.get("source_date")):
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
    papers = {path.name: sha256(path) for path in notebooks(kind, edition)}
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


@contextmanager
def _dated(day: str | None) -> Iterator[None]:
    """Let SOURCE_DATE_EPOCH name the day that a run was made under, meanwhile."""
    before = os.environ.pop("SOURCE_DATE_EPOCH", None)
    if day:
        os.environ["SOURCE_DATE_EPOCH"] = str(int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()))
    try:
        yield
    finally:
        os.environ.pop("SOURCE_DATE_EPOCH", None)
        if before is not None:
            os.environ["SOURCE_DATE_EPOCH"] = before


BASIS = ("parameters", "seed", "inputs", "notebooks", "code", "versions", "source_date")
