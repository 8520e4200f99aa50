"""What a run was made from and what it made: hashes, seed, versions, one fingerprint; a crate that says the same (运行记录).

The fingerprint is over everything in ``record.json`` but ``origin``: it leaves out clock, host, user and folder, and is the same
whether the same code runs from a checkout or from a wheel. ``ro-crate-metadata.json`` is for archives: RO-Crate 1.1, Process Run
Crate 0.5 of the Workflow Run RO-Crate profiles.

What of a public edition stays in the office is ``<run-id>.private.json`` beside its folder (公示版的内部留存): a salted commitment to each
input, by which ``verify`` and ``rerun`` know them again, and whom each published sum counted with what, so that a later edition is held
against all earlier ones. The published folder names no input and holds no hash of one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import platform
import secrets
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lyeval
from lyeval import resources
from lyeval.run.folders import RECORD, RunError, held, read_object, sha256, stands
from lyeval.run.inputs import Input
from lyeval.run.outputs import PATIENCE, PRIVATE, placed
from lyeval.run.run_file import SAMPLE, RunSpec, is_file, with_names
from lyeval.textfiles import Unreadable, digest, json_text, read_json, write_json

if TYPE_CHECKING:
    from lyeval.tables.releasing import Release

# -- a public edition --------------------------------------------------------------------------------------------------


def private_of(folder: Path) -> Path:
    """Return where the office's part of a public edition stands: beside its folder."""
    return folder.with_name(f"{folder.name}{PRIVATE}")


def read_private(folder: Path) -> dict[str, Any] | None:
    """Return the office's part of a public edition; None where there is none of ours that can be read."""
    return _read(private_of(folder))


def committed(kept: Mapping[str, Any], sha256: str) -> str:
    """Return the salted commitment to a file's SHA-256."""
    return hmac.new(bytes.fromhex(kept["salt"]), sha256.encode("ascii"), hashlib.sha256).hexdigest()


def made_from_these(folder: Path, inputs: Iterable[Mapping[str, Any]], fingerprint: str) -> bool:
    """Tell whether a public edition was made from just these inputs, by the office's part of it."""
    kept = read_private(folder)
    if kept is None or kept["fingerprint"] != fingerprint:
        return False
    return kept["inputs"] == [{**item, "sha256": committed(kept, item["sha256"])} for item in inputs]


def admit(
    folder: Path,
    made_from: Mapping[str, Any],
    changes: Sequence[str],
    tables: Mapping[str, Any],
    releases: Sequence[Release],
    fingerprint: str,
) -> Path:
    """Hold an edition against those published before in the same place, and keep what the office needs of it.

    Parameters
    ----------
    folder
        Where the edition is going to stand.
    made_from
        All that it was made from, as `lyeval.run.records.basis` gives it.
    changes
        The changes to its run file.
    tables, releases
        What is published, and whom its sums count.

    Raises
    ------
    RunError
        Together with an earlier edition it would reveal an enterprise's figure, or a file of someone else's stands in the way.
    """
    path = private_of(folder)
    with held(folder.parent / PUBLISHING, patience=PATIENCE):
        hold_against_earlier(folder, tables, releases)
        kept = _read(path) or {"salt": secrets.token_hex(32), "editions": []}
        mine = {"year": int(tables["meta"]["year"]), "sums": {r.name: r.amounts for r in releases}}
        told = {
            "lyeval": MARK,
            "notice": NOTICE,
            "salt": kept["salt"],
            "fingerprint": fingerprint,
            "editions": [*(e for e in kept["editions"] if e != mine), mine],
            "parameters": made_from["parameters"],
            "inputs": [{**item, "sha256": committed(kept, item["sha256"])} for item in made_from["inputs"]],
            "set": list(changes),
        }
        _write(path, told)
    return path


def hold_against_earlier(folder: Path, tables: Mapping[str, Any], releases: Sequence[Release]) -> None:
    """Refuse an edition that is not to be published beside those that are.

    Raises
    ------
    RunError
        As `admit`.
    """
    path = private_of(folder)
    if stands(path) and _read(path) is None:
        raise RunError.of("private.foreign", name=path.name)
    _refuse_to_reveal(_editions(folder.parent, int(tables["meta"]["year"])), releases)
    _refuse_unaccounted(folder.parent, tables)


def _editions(root: Path, year: int) -> list[tuple[str, list[Release]]]:
    """Return every edition that was published in a folder, with the name of its run; of other years the land alone."""
    from lyeval.report import land_only
    from lyeval.tables.releasing import Release

    found = []
    for path in sorted(root.glob(f"*{PRIVATE}")):
        name = path.name.removesuffix(PRIVATE)
        for edition in (_read(path) or {"editions": []})["editions"]:
            sums = [Release(of, amounts) for of, amounts in edition["sums"].items()]
            found.append((name, sums if edition["year"] == year else land_only(name, sums)))
    return found


def _refuse_to_reveal(earlier: Sequence[tuple[str, list[Release]]], mine: Sequence[Release]) -> None:
    from lyeval.tables.releasing import reveals

    codes = _codes(mine)
    near = [(name, sums) for name, sums in earlier if _codes(sums) & codes]
    if not near or not reveals([*mine, *(release for _, sums in near for release in sums)]):
        return
    single = [name for name, sums in near if reveals([*mine, *sums])]
    raise _refused(single or [name for name, _ in near])


def _codes(releases: Iterable[Release]) -> set[str]:
    return {code for release in releases for amounts in release.amounts.values() for code in amounts}


def _refuse_unaccounted(root: Path, tables: Mapping[str, Any]) -> None:
    """Refuse where an edition of the same place and year, of which the office kept nothing, shows other figures."""
    from lyeval.report import load

    for record in sorted(root.glob(f"*/{RECORD}")):
        folder = record.parent
        if _read(private_of(folder)) is not None:
            continue
        try:
            before = load(folder / "tables")
        except (OSError, ValueError, KeyError):
            continue
        public = before.get("meta", {}).get("disclosure") == "public"
        if public and _same_place(before["meta"], tables["meta"]) and _figures(before) != _figures(tables):
            raise _refused([folder.name])


def _same_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    counties = [set(meta.get("counties") or ()) for meta in (one, other)]
    near = bool(counties[0] & counties[1]) if all(counties) else one.get("place") == other.get("place")
    return near and int(one["year"]) == int(other["year"])


def _figures(tables: Mapping[str, Any]) -> list[str]:
    """Return what a public edition shows of sums, written one way."""
    places = tables["townships"][["township", "n", "land_mu", "tax_wan"]].astype(object)
    values = tables["targets"][["id", "value"]].astype(object)
    return [str(row) for frame in (places, values) for row in frame.where(frame.notna(), None).to_numpy().tolist()]


def _refused(names: Iterable[str]) -> RunError:
    names = list(dict.fromkeys(names))
    files = "、".join(f"{name}{PRIVATE}" for name in names)
    return RunError.of("private.reveals", names=("、".join(names), ", ".join(names)), files=files)


def _read(path: Path) -> dict[str, Any] | None:
    found = read_object(path)
    return found if found is not None and found.get("lyeval") == MARK and set(found) >= KEYS else None


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the office's part whole or not at all, readable by its owner alone where the system knows owners."""
    with placed(path) as fresh:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(json_text(content))


PUBLISHING = "public editions"  # no run's id: what is held while an edition is held against the others
MARK = "private"
KEYS = {"salt", "fingerprint", "editions", "parameters", "inputs", "set"}
NOTICE = "内部留存：含企业数据，供核验和与以后的公示版对比，不得公开 / for the office alone: holds firms' figures, never to be published"


# -- the record --------------------------------------------------------------------------------------------------------


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
    """Return what may be told of a public run's making: nothing of its inputs, neither name nor hash (`lyeval.run.records`)."""
    told = made_from["parameters"]
    hidden = [key for key in FILES if key not in BY_ID or is_file(key, str(told[key]))]
    told = {key: value for key, value in told.items() if key not in hidden}
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
        (`origin`), which is not in the fingerprint.
    """
    outputs = hashed(folder)
    outputs[CRATE] = sha256(write_crate(folder, run, made_from, outputs))
    told = {"run": run, **made_from, "outputs": outputs}
    told["fingerprint"] = digest(told)
    told["origin"] = origin(changes)
    fresh = folder / f"{RECORD}.new"
    write_json(fresh, told)
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
    own = {"lyeval": lyeval.__version__, "python": platform.python_version()}
    return own | {name: metadata.version(name) for name in sorted(LIBRARIES)}


def parameters_of(spec: RunSpec) -> dict[str, Any]:
    """Return a run's parameters, files named without their folders."""
    told = spec.model_dump(mode="json")
    county = told.pop("county", "")
    if not told["plans"]:
        del told["plans"]
    if county:
        told["county"] = county if isinstance(county, str) else {_bare(name): place for name, place in county.items()}
    for part in (told, *told.get("sides", ())):
        part["ledger"] = [part["ledger"]] if isinstance(part["ledger"], str) else part["ledger"]
    return with_names(told, lambda _, name: _bare(name))


def _bare(name: str) -> str:
    return name if name.startswith(SAMPLE) else Path(name.replace("\\", "/")).name


FILES = ("ledger", "policy", "assumptions", "plan", "plans", "previous", "fonts")
BY_ID = ("policy", "assumptions")
LIBRARIES = (
    *("numpy", "pandas", "pyarrow", "scipy", "statsmodels", "pydantic", "pyyaml", "python-calamine"),
    *("ipykernel", "nbclient", "papermill", "jinja2", "matplotlib", "python-docx", "typst", "xlsxwriter", "rocrate"),
)


# -- where the code came from ------------------------------------------------------------------------------------------


SECONDS = 20


def origin(changes: Iterable[str] = ()) -> dict[str, Any]:
    """Return what is told beside a run's fingerprint and not within it.

    Returns
    -------
    dict
        ``commit`` and ``dirty`` (whether code, notebooks, parameters or samples differ from it), None where lyeval does not
        stand in a checkout; ``lock``, SHA-256 of ``requirements.lock``, None in a wheel; ``set``, the changes to the run file.
        One code has one hash in a checkout and in a wheel, so the fingerprint of a run is the same in both.
    """
    home = resources.root()
    lock = home / "requirements.lock"
    changed = _git(home, "status", "--porcelain", "--", *WATCHED)
    return {
        "commit": _git(home, "rev-parse", "HEAD"),
        "dirty": None if changed is None else bool(changed),
        "lock": sha256(lock) if lock.is_file() else None,
        "set": list(changes),
    }


def _git(home: Path, *words: str) -> str | None:
    """Ask git about a checkout; None where there is none, or no git."""
    if not (home / ".git").exists():
        return None
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        told: dict[str, Any] = {"env": environment, "timeout": SECONDS, "capture_output": True, "text": True}
        done = subprocess.run(["git", "-C", str(home), *words], check=False, **told)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


WATCHED = ("lyeval", "notebooks", "parameters", "data/sample", "requirements.lock")


# -- the crate ---------------------------------------------------------------------------------------------------------


CRATE = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
VERSION = "1.1"


def write_crate(folder: Path, run: str, made_from: Mapping[str, Any], outputs: Mapping[str, str]) -> Path:
    """Write the crate's metadata into a run's folder.

    Parameters
    ----------
    made_from
        What the run was made from, as `lyeval.run.records.basis` gives it.
    outputs
        SHA-256 by place below the folder.

    Returns
    -------
    Path
        The file written; no clock, host, user or folder is in it.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=VERSION)
    crate.name = f"lyeval {run}"
    crate.description = f"{made_from['parameters'].get('kind', 'review')}; basis {made_from['basis']}"
    crate.datePublished = day_of(made_from).isoformat()
    crate.root_dataset["conformsTo"] = _entity(crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    libraries = [f"{name} {version}" for name, version in made_from["versions"].items() if name != "lyeval"]
    program = {"name": "lyeval", "version": made_from["versions"]["lyeval"], "sha256": made_from["code"]}
    tool = _entity(crate, "#lyeval", "SoftwareApplication", **program, softwareRequirements=libraries)
    made = [_file(crate, folder, name, told) for name, told in sorted(outputs.items())]
    used = [*_inputs(crate, made_from), *_parameters(crate, made_from)]
    crate.add_file(folder / RECORD, RECORD, properties={"name": RECORD, "encodingFormat": "application/json"})
    action = {"@type": "CreateAction", "name": f"lyeval run {run}"}
    crate.root_dataset["mentions"] = crate.add_action(tool, "#run", object=used, result=made, properties=action)
    told = crate.metadata.generate()
    graph = sorted(told["@graph"], key=lambda entity: str(entity["@id"]))
    path = folder / CRATE
    write_json(path, {**told, "@graph": graph})
    return path


def day_of(made_from: Mapping[str, Any]) -> date:
    """Return the day that a run stands for: its report's, else SOURCE_DATE_EPOCH's, else the end of the year evaluated."""
    parameters = made_from["parameters"]
    if parameters.get("report_date"):
        return date.fromisoformat(str(parameters["report_date"]))
    epoch = source_date()
    return epoch if epoch is not None else date(int(parameters["year"]), 12, 31)


def source_date() -> date | None:
    """Return the day that SOURCE_DATE_EPOCH names (UTC), None where it is not set or no number."""
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(told), UTC).date() if told.isdigit() and int(told) < LAST_SECOND else None


def _entity(crate: Any, at: str, kind: str, **properties: Any) -> Any:
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, at, properties={"@type": kind, **properties}))


def _file(crate: Any, folder: Path, name: str, sha256: str) -> Any:
    told = {"name": name, "sha256": sha256, "encodingFormat": MEDIA.get(Path(name).suffix, "application/octet-stream")}
    return crate.add_file(folder / name, name, properties=told)


def _inputs(crate: Any, made_from: Mapping[str, Any]) -> list[Any]:
    """Add what was read: named by hash, since it stands outside the crate."""
    used = [*made_from["inputs"]]
    used += [{"use": "notebook", "name": k, "sha256": v} for k, v in made_from["notebooks"].items()]
    out = {}
    for item in used:
        id = f"urn:sha256:{item['sha256']}"
        told = {"name": item["name"], "sha256": item["sha256"], "additionalType": item["use"]}
        out[id] = _entity(crate, id, "CreativeWork", **told)
    return list(out.values())


def _parameters(crate: Any, made_from: Mapping[str, Any]) -> list[Any]:
    """Add the run's parameters, patches among them."""
    said = {k: v for k, v in sorted(made_from["parameters"].items()) if v not in (None, {}, [])}
    return [
        _entity(crate, f"#parameter-{key}", "PropertyValue", name=key, value=_plain(value))
        for key, value in said.items()
    ]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


LAST_SECOND = 253_402_300_800  # the year 10000
OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA = {
    **{".html": "text/html", ".csv": "text/csv", ".txt": "text/plain", ".svg": "image/svg+xml", ".png": "image/png"},
    **{".pdf": "application/pdf", ".json": "application/json", ".ipynb": "application/x-ipynb+json"},
    ".docx": f"{OFFICE}wordprocessingml.document",
    ".xlsx": f"{OFFICE}spreadsheetml.sheet",
}
