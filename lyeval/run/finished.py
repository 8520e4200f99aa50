"""A finished run, opened again: its record, and the files that it was made from, found by name and hash (已完成的运行)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lyeval import resources
from lyeval.policy import PolicyError, in_language, nearest
from lyeval.run.errors import RunError
from lyeval.run.folders import RECORD
from lyeval.run.inputs import SAMPLE, sha256
from lyeval.run.private import committed, private_of, read_private
from lyeval.run.record import read_record
from lyeval.run.spec import RunFile, load_run
from lyeval.textfiles import DAY, name_fault

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
        zh, en = (in_language(nearest(Path(name).name, known), lang) for lang in ("zh", "en"))
        raise RunError(
            f"没有运行 {name}{zh}；请给报告文件夹，或 {root}/ 下的标识",
            f"no run {name}{en}: name a report's folder, or an id below {root}/",
            misuse=True,
        )
    if not (folder / RECORD).is_file():
        raise RunError(
            f"{folder.name} 里没有 {RECORD}：不是报告文件夹，或运行未完成；请先执行 lyeval run",
            f"{folder.name} holds no {RECORD}: not a report's folder, or the run was not finished; use lyeval run first",
        )
    found = read_record(folder)
    if found is None or not _shaped(found):
        raise RunError(
            f"{folder.name}/{RECORD} 已损坏，无法读取；请重新执行 lyeval run",
            f"{folder.name}/{RECORD} is damaged and cannot be read: run it again with lyeval run",
        )
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
    from lyeval.run.kinds import spec_of

    if run.public and run.private is None:
        name = private_of(run.folder).name
        raise RunError(
            f"{run.id} 是公示版，不载输入；内部留存 {name} 不在它旁边，不能找回输入",
            f"{run.id} is public and names no input; the office's {name} is not beside it, so its inputs cannot be found",
        )
    folders = list(_folders(run, also))
    hashes = {item["sha256"] for item in run.inputs}

    def known(path: Path) -> bool:
        return run.seal(sha256(path)) in hashes

    try:
        said = _placed(run.parameters, folders, known)
        spec = spec_of(said).model_validate(said)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RunError(
            f"{run.id}/{RECORD} 里的参数不成一次运行", f"the parameters in {run.id}/{RECORD} are no run's"
        ) from None
    return RunFile(run.id, _own_path(run, folders, known), spec)


def _placed(parameters: Mapping[str, Any], folders: Sequence[Path], known: Known) -> dict[str, Any]:
    """Return a record's parameters as a run file would give them, files by where they are now."""
    from lyeval.run.kinds import TAKEN

    def place(name: Any, *, file: bool) -> Any:
        outside = bool(name) and (file or Path(name).suffix in YAML) and not name.startswith(SAMPLE)
        return _located(name, folders, known) if outside else name

    said = dict(parameters)
    said |= {key: place(said[key], file=key in ("plan", "previous", "template")) for key in NAMED if key in said}
    said["ledger"] = [place(name, file=True) for name in said["ledger"]]
    if said.get("fonts", {}).get("folder"):
        said["fonts"] = said["fonts"] | {"folder": place(said["fonts"]["folder"], file=True)}
    if isinstance(said.get("texts"), str):
        said["texts"] = place(said["texts"], file=True)
    if "sides" not in said:
        return said
    said["sides"] = [
        {
            **side,
            "policy": place(side["policy"], file=False),
            "ledger": [place(name, file=True) for name in side["ledger"]],
        }
        for side in said["sides"]
    ]
    return {key: value for key, value in said.items() if key in TAKEN}


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
            loaded = load_run(path, run.changes)
            spec = loaded.spec
            named = [*spec.ledgers, spec.policy, spec.assumptions, spec.plan or "", spec.previous or ""]
            yield from (loaded.find(name).parent for name in named if name and not name.startswith(SAMPLE))
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
NAMED = ("policy", "assumptions", "plan", "previous", "template")
YAML = (".yaml", ".yml")
INPUT = ("use", "name", "sha256")
SHAPE = {
    "run": str, "parameters": dict, "inputs": list, "notebooks": dict, "code": str, "versions": dict, "outputs": dict,
    "basis": str, "fingerprint": str,
}  # fmt: skip
