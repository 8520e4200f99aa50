"""What a run reads: plan, ledgers, assumptions and disposal plan, opened by name and kept as they stood (输入)."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyeval import resources
from lyeval.run.errors import RunError, error_words, together
from lyeval.run.folders import sha256
from lyeval.run.spec import SAMPLE, RunFile, RunSpec
from lyeval.textfiles import Unreadable, read_text, shown

if TYPE_CHECKING:
    import pandas as pd

    from lyeval.ledger import Ledger
    from lyeval.policy import Policy

FOLDER = "inputs"


def open_policy(policy: str | Path, patch: Mapping[str, Any] | None = None) -> Policy:
    """Load a plan by id or path, and change values of it by path.

    Raises
    ------
    PolicyError
        An unknown plan, a fault of its file, or a change that does not fit.
    """
    from lyeval.policy import load_policy
    from lyeval.policy import patch as patched

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
    from lyeval.ledger import check_place, read_ledger
    from lyeval.policy import load_policy, method_words, policy_ids

    plans = [policy] if policy is not None else [load_policy(name) for name in policy_ids()]
    named = ledger if isinstance(ledger, str | Path) else list(ledger)
    places = ledger if isinstance(ledger, Mapping) else {}
    read = read_ledger(named, methods=method_words(plans), columns=columns, year=year, county=places, tables=tables)
    if policy is None:
        return read
    place = policy.place
    return replace(read, faults=(*read.faults, *check_place(read, place.name, place.code, place.level)))


def columns_of(run: RunFile) -> Path | None:
    """Return a run's own mapping of headings, ``<id>.columns.yaml`` beside the run file; None where there is none."""
    from lyeval.ledger import beside

    path = beside(run.path)
    return path if path.is_file() else None


def open_plan(path: str | Path | None) -> pd.DataFrame | None:
    """Read a disposal plan (处置计划): CSV with credit_code, method and, if known, started; None for none.

    Raises
    ------
    RunError
        Not there, not a CSV in UTF-8, or without these columns.
    """
    if not path:
        return None
    import pandas as pd

    name = Path(path).name
    try:
        frame = pd.read_csv(io.StringIO(read_text(Path(path))), dtype=str)
    except ValueError as error:
        zh, en = (error.zh, error.en) if isinstance(error, Unreadable) else (shown(error), shown(error))
        raise RunError(
            f"处置计划 {name} 无法读取，须为 UTF-8 的 CSV：{zh}",
            f"the disposal plan {name} cannot be read; it must be CSV in UTF-8: {en}",
        ) from None
    missing = [column for column in ("credit_code", "method") if column not in frame]
    if missing:
        listed = "、".join(missing)
        raise RunError(f"处置计划 {name} 缺少列 {listed}", f"the disposal plan {name} lacks the columns {listed}")
    if "started" in frame:
        frame["started"] = pd.to_datetime(frame["started"], errors="coerce")
    return frame


@dataclass(frozen=True)
class Input:
    """One file read by a run: what for (ledger, policy …), its name, the SHA-256 of its bytes."""

    use: str
    name: str
    sha256: str


@dataclass(frozen=True)
class Staged:
    """A run's inputs as kept for its notebooks.

    Attributes
    ----------
    parameters
        ``ledger``, ``policy``, ``assumptions`` and ``plan`` as notebooks name them: by id, or below ``inputs/``.
    inputs
        Every file, with its hash.
    """

    parameters: dict[str, Any]
    inputs: tuple[Input, ...]


def stage(run: RunFile, folder: Path) -> Staged:
    """Copy a run's own files below ``folder/inputs``, so that what is hashed is what is read.

    Shipped samples, plans and assumptions are named by id and not copied.

    Raises
    ------
    RunError
        A file is not there, or cannot be read.
    """
    spec, keep = run.spec, _Keeper(run, folder)
    several = len(spec.ledgers) > 1
    ledgers = [keep.ledger(name, str(i) if several else "") for i, name in enumerate(spec.ledgers, start=1)]
    policies = {name: keep.policy(name) for name in spec.policies}
    counties = spec.county if isinstance(spec.county, dict) else dict.fromkeys(spec.ledgers, spec.county)
    places = {kept: counties.get(name, "") for name, kept in zip(spec.ledgers, ledgers, strict=True)}
    parameters = {
        "ledger": places if any(places.values()) else ledgers if several else ledgers[0],
        "policy": policies[spec.policy],
        "assumptions": keep.assumptions(spec.assumptions),
        "plan": keep.file(spec.plan, "plan") if spec.plan else "",
        "previous": keep.file(spec.previous, "previous") if spec.previous else "",
        "fonts": _fonts(spec, keep),
        "template": keep.file(spec.template, "template") if spec.template else "",
        "texts": keep.file(spec.texts, "texts") if isinstance(spec.texts, str) else dict(spec.texts),
        **spec.kept(policies, dict(zip(spec.ledgers, ledgers, strict=True))),
    }
    return Staged(parameters, tuple(sorted(keep.inputs, key=lambda i: (i.use, i.name, i.sha256))))


def _fonts(spec: RunSpec, keep: _Keeper) -> dict[str, str]:
    """Keep an office's fonts, and return the setting with their folder as kept."""
    said = {role: name for role, name in spec.fonts.model_dump().items() if name}
    return said | ({"folder": keep.file(spec.fonts.folder, "fonts")} if spec.fonts.folder else {})


class _Keeper:
    """Copies files below a folder and notes their hashes; ``folder`` None only notes them."""

    def __init__(self, run: RunFile, folder: Path | None) -> None:
        self.run, self.folder = run, folder
        self.inputs: list[Input] = []

    def ledger(self, name: str, below: str) -> str:
        """Keep a ledger with the mapping of its headings and the sidecar that tells of a made one."""
        if name.startswith(SAMPLE):
            for path in samples(name):
                self._note(path, "ledger")
                self._note(path.with_suffix(".yaml"), "sidecar")
            return name
        from lyeval.ledger import beside

        path = self._found(name, "ledger")
        kept = self._keep(path, "ledger", below)
        columns = columns_of(self.run) or beside(path)
        if columns.is_file():
            self._keep(columns, "columns", below, beside(path).name)
        sidecar = path.parent / f"{path.stem if path.suffix else path.name}.yaml"
        if sidecar.is_file():
            self._keep(sidecar, "sidecar", below)
        return kept

    def policy(self, name: str) -> str:
        """Keep a plan that is a file, with its clause register; note a shipped one."""
        from lyeval.policy import find_policy

        if Path(name).suffix not in (".yaml", ".yml"):
            path = find_policy(name)
            self._note(path, "policy")
            self._note(path.with_suffix(".clauses.yaml"), "policy")
            return name
        path = self._found(name, "policy")
        kept = self._keep(path, "policy", "policy")
        register = path.with_suffix(".clauses.yaml")
        if register.is_file():
            self._keep(register, "policy", "policy")
        return kept

    def assumptions(self, name: str) -> str:
        """Keep assumptions that are a file, with the file of methods beside it; note shipped ones."""
        shipped = resources.path("parameters/assumptions")
        if Path(name).suffix not in (".yaml", ".yml"):
            self._note(shipped / f"{name}.yaml", "assumptions")
            self._note(shipped / "methods.yaml", "assumptions")
            return name
        path = self._found(name, "assumptions")
        for other in sorted(path.parent.glob("*.yaml")):
            if other == path or _names(path, other):
                self._keep(other, "assumptions", "assumptions")
        self._note(shipped / "methods.yaml", "assumptions")
        return f"{FOLDER}/assumptions/{path.name}"

    def file(self, name: str, use: str) -> str:
        """Keep one file."""
        return self._keep(self._found(name, use), use, use)

    def _found(self, name: str, use: str) -> Path:
        path = self.run.find(name)
        if not path.exists():
            zh, en = USES[use]
            raise RunError(
                f"找不到{zh} {name}（相对于运行文件 {self.run.path.name} 所在文件夹），请核对路径",
                f"no {en} {name} (relative to the folder of {self.run.path.name}); check the path",
                misuse=True,
            )
        fits = {"file": path.is_file(), "folder": path.is_dir()}
        if not any(fits[kind] for kind in KINDS.get(use, ("file",))):
            (zh, en), (kind, *more) = USES[use], KINDS.get(use, ("file",))
            folder = kind == "folder"
            raise RunError(
                f"{zh} {name} 不是{'文件夹' if folder else '文件'}" + ("，也不是文件夹" if more else ""),
                f"the {en} {name} is no {kind}" + (" and no folder" if more else ""),
                misuse=True,
            )
        return path

    def _keep(self, path: Path, use: str, below: str, name: str = "") -> str:
        place = f"{FOLDER}/{below}/{name or path.name}" if below else f"{FOLDER}/{name or path.name}"
        if self.folder is None:
            files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        else:
            kept = self.folder / place
            kept.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, kept, ignore=_not_files)
            else:
                shutil.copyfile(path, kept)
            files = [kept] if kept.is_file() else sorted(p for p in kept.rglob("*") if p.is_file())
        for file in files:
            self._note(file, use, path.name if path.is_file() else file.name)
        return place

    def _note(self, path: Path, use: str, name: str = "") -> None:
        if path.is_file():
            self.inputs.append(Input(use, name or path.name, sha256(path)))


def _not_files(folder: str, names: list[str]) -> list[str]:
    """Return what of a folder is not copied: pipes and devices, broken links, links to folders, which may lead in a circle."""
    paths = {name: Path(folder, name) for name in names}
    return [n for n, p in paths.items() if not p.is_file() and (p.is_symlink() or not p.is_dir())]


def _names(path: Path, other: Path) -> bool:
    """Tell whether a file of assumptions names another as its methods."""
    from lyeval.policy import load_yaml

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
        raise RunError(zh, en or zh, misuse=True) from None


def inputs_of(run: RunFile) -> tuple[Input, ...]:
    """Return every file that a run would read, with its hash, copying nothing.

    Raises
    ------
    RunError, PolicyError
        Every file that is not there.
    """
    from lyeval.policy import PolicyError

    keep, lost = _Keeper(run, None), []
    for key, step, named in _steps(keep):
        try:
            step(*named)
        except (RunError, PolicyError) as error:
            zh, en = error_words(error)
            place = run.at(key)
            lost.append(RunError(f"{place}: {zh}", f"{place}: {en}", misuse=True))
    if lost:
        raise together(lost)
    return tuple(sorted(keep.inputs, key=lambda i: (i.use, i.name, i.sha256)))


def present_inputs(run: RunFile) -> tuple[Input, ...]:
    """Return those files of a run that are there, with their hashes: what cannot be found is left out."""
    from lyeval.policy import PolicyError

    keep = _Keeper(run, None)
    for _, step, named in _steps(keep):
        with suppress(RunError, PolicyError, OSError):
            step(*named)
    return tuple(keep.inputs)


def _steps(keep: _Keeper) -> list[tuple[str, Callable[..., str], tuple[str, ...]]]:
    """Return what is to be kept of a run: by which key it is named, how to keep it, and its name."""
    spec = keep.run.spec
    return [
        *(("ledger", keep.ledger, (name, "")) for name in spec.ledgers),
        *(("policy", keep.policy, (name,)) for name in spec.policies),
        ("assumptions", keep.assumptions, (spec.assumptions,)),
        *((("plan", keep.file, (spec.plan, "plan")),) if spec.plan else ()),
        *((("previous", keep.file, (spec.previous, "previous")),) if spec.previous else ()),
        *((("fonts", keep.file, (spec.fonts.folder, "fonts")),) if spec.fonts.folder else ()),
        *((("template", keep.file, (spec.template, "template")),) if spec.template else ()),
        *((("texts", keep.file, (spec.texts, "texts")),) if isinstance(spec.texts, str) else ()),
    ]


KINDS = {"ledger": ("file", "folder"), "previous": ("folder",), "fonts": ("folder",)}
USES = {
    "ledger": ("台账", "ledger"),
    "policy": ("政策文件", "policy"),
    "assumptions": ("假设文件", "assumptions"),
    "plan": ("处置计划", "disposal plan"),
    "previous": ("上一期通报", "bulletin before"),
    "fonts": ("字体文件夹", "folder of fonts"),
    "template": ("模板", "template"),
    "texts": ("文字", "texts"),
}
