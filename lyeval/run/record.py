"""What a run was made from and what it made: hashes, seed, versions, and one fingerprint (运行记录).

The fingerprint is over everything in ``record.json`` but ``origin``: it leaves out clock, host, user and folder, and is the same
whether the same code runs from a checkout or from a wheel.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from lyeval import resources
from lyeval.run.checkout import origin
from lyeval.run.crate import CRATE, source_date, write_crate
from lyeval.run.folders import RECORD
from lyeval.run.inputs import Input, sha256
from lyeval.run.private import made_from_these
from lyeval.run.spec import RunSpec
from lyeval.textfiles import Unreadable, read_json


def basis(spec: RunSpec, inputs: Iterable[Input], notebooks: Iterable[Path]) -> dict[str, Any]:
    """Return all that a run's result depends on.

    Returns
    -------
    dict
        ``parameters`` (files by name without folder), ``seed``, ``inputs``, ``notebooks``, ``code`` (one hash over the
        package's files), ``versions``, ``source_date`` where SOURCE_DATE_EPOCH names one; and ``basis``, the SHA-256 over
        these. No clock, host, user or folder is in it.
    """
    found: dict[str, Any] = {
        "parameters": parameters_of(spec),
        "seed": spec.seed,
        "inputs": [vars(item) for item in inputs],
        "notebooks": {path.name: sha256(path) for path in notebooks},
        "code": code_hash(),
        "versions": versions(),
    }
    if (day := source_date()) is not None:
        found["source_date"] = day.isoformat()
    return {**found, "basis": digest(found)}


def published(made_from: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be told of a public run's making: nothing of its inputs, neither name nor hash (`lyeval.run.private`)."""
    told = dict(made_from["parameters"])
    files = [key for key in ("policy", "assumptions") if Path(str(told[key])).suffix in (".yaml", ".yml")]
    for key in ("ledger", "plan", "previous", "fonts", *files):
        told.pop(key, None)
    kept = {key: value for key, value in made_from.items() if key != "basis"} | {"parameters": told, "inputs": []}
    return {**kept, "basis": digest(kept)}


def told_changes(changes: Iterable[str]) -> list[str]:
    """Return those changes to a run file that name no file."""
    return [change for change in changes if not change.strip().startswith(FILES)]


def record(folder: Path, run: str, made_from: Mapping[str, Any], changes: Iterable[str] = ()) -> dict[str, Any]:
    """Write ``ro-crate-metadata.json`` and, last of all, ``record.json`` beside a run's outputs.

    Returns
    -------
    dict
        The record: ``run``, what it was made from, ``outputs`` (SHA-256 by place), ``fingerprint``, and ``origin``
        (`lyeval.run.checkout.origin`), which is not in the fingerprint.
    """
    outputs = hashed(folder)
    outputs[CRATE] = sha256(write_crate(folder, run, made_from, outputs))
    told = {"run": run, **made_from, "outputs": outputs}
    told["fingerprint"] = digest(told)
    told["origin"] = origin(changes)
    text = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)
    fresh = folder / f"{RECORD}.new"
    fresh.write_text(text + "\n", encoding="utf-8", newline="\n")
    fresh.replace(folder / RECORD)
    return told


def hashed(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a run's folder but the record, by place below it."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != RECORD
    }


def fingerprint(found: Mapping[str, Any]) -> str:
    """Return the fingerprint that a record should have, by what it says."""
    return digest({key: value for key, value in found.items() if key not in ("fingerprint", "origin")})


def named_inputs(items: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the SHA-256 of a record's inputs by use and name; of several of one name, the hash is part of the name."""
    items = sorted(items, key=lambda item: (item["use"], item["name"], item["sha256"]))
    names = [f"{item['use']} {item['name']}" for item in items]
    return {
        name if names.count(name) == 1 else f"{name} {item['sha256'][:12]}": item["sha256"]
        for name, item in zip(names, items, strict=True)
    }


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return a run's record, None where there is none that can be read."""
    try:
        found = read_json(folder / RECORD)
    except Unreadable:
        return None
    return found if isinstance(found, dict) else None


def whole(folder: Path, made_from: Mapping[str, Any]) -> bool:
    """Tell whether a finished run was made from just this and stands unchanged."""
    found = read_record(folder)
    public = made_from["parameters"].get("disclosure") == "public"
    if found is None or found.get("basis") != (published(made_from) if public else made_from)["basis"]:
        return False
    if public and not made_from_these(folder, made_from["inputs"], str(found.get("fingerprint"))):
        return False
    outputs = found.get("outputs")
    if not isinstance(outputs, dict):
        return False
    return all((folder / name).is_file() and sha256(folder / name) == told for name, told in outputs.items())


def digest(content: Any) -> str:
    """Return the SHA-256 of plain data, written one way only."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@lru_cache(maxsize=1)
def code_hash() -> str:
    """Return one SHA-256 over the package's files, by name and content."""
    shipped = resources.PACKAGE / "shipped"
    files = {
        path.relative_to(resources.PACKAGE).as_posix(): sha256(path)
        for path in sorted(resources.PACKAGE.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and shipped not in path.parents
    }
    return digest(files)


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries that figures, tables and pages come from."""
    import platform

    import lyeval

    own = {"lyeval": lyeval.__version__, "python": platform.python_version()}
    return own | {name: metadata.version(name) for name in LIBRARIES}


def parameters_of(spec: RunSpec) -> dict[str, Any]:
    """Return a run's parameters, files named without their folders."""
    told = spec.model_dump(mode="json")
    told["ledger"] = [_bare(name) for name in spec.ledgers]
    county = told.pop("county")
    if county:
        told["county"] = county if isinstance(county, str) else {_bare(name): place for name, place in county.items()}
    for key in ("policy", "assumptions", "plan", "previous", "template"):
        told[key] = _bare(told[key]) if told[key] else None
    if isinstance(told["texts"], str):
        told["texts"] = _bare(told["texts"])
    if told["fonts"]["folder"]:
        told["fonts"]["folder"] = _bare(told["fonts"]["folder"])
    for side in told.get("sides", ()):
        named = [side["ledger"]] if isinstance(side["ledger"], str) else side["ledger"]
        side |= {"policy": _bare(side["policy"]), "ledger": [_bare(name) for name in named]}
    return told


def _bare(name: str) -> str:
    return name if name.startswith("sample:") else Path(name.replace("\\", "/")).name


FILES = ("ledger", "policy", "assumptions", "plan", "previous", "fonts")
LIBRARIES = (
    "ipykernel", "jinja2", "matplotlib", "nbclient", "numpy", "pandas", "papermill", "pyarrow", "pydantic", "python-calamine",
    "python-docx", "pyyaml", "rocrate", "scipy", "statsmodels", "typst", "xlsxwriter",
)  # fmt: skip
