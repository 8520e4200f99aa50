"""The run file (运行文件): what we chose to run, validated before anything is done; every file that it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from lyeval import resources
from lyeval.policy import PolicyError, in_language, load_yaml, nearest, validate
from lyeval.policy.bounds import OneOf
from lyeval.policy.loading import Frozen, display
from lyeval.render import FORMATS
from lyeval.run.folders import RunError
from lyeval.textfiles import CONTROL, Unreadable, name_fault, reserved, shown, yaml_value


def _products() -> dict[str, str]:
    """Return the products that there are, with what says so loaded only to check one."""
    from lyeval.report.writing import PRODUCTS

    return dict.fromkeys(PRODUCTS, "")


Format = Annotated[str, OneOf("value of formats", lambda: dict.fromkeys(FORMATS, ""))]
Product = Annotated[str, OneOf("value of products", _products)]


def _name(name: str) -> str:
    """Refuse what can name no file, and a sample's name that leads out of the samples."""
    fault = name_fault(name, written=False)
    if not name.strip():
        fault = "the name is empty", "名称为空"
    elif name.startswith(SAMPLE) and not re.fullmatch(r"\w[\w.-]*", name.removeprefix(SAMPLE)):
        fault = "a sample's name has letters, digits and hyphens only", "样例名只有字母、数字和短横线"
    if fault is not None:
        raise ValueError(f"{shown(name)}: {fault[0]} / {fault[1]}")
    return name


def _measured(value: Any) -> Any:
    """Refuse yes and no where a number is due."""
    if isinstance(value, bool):
        raise ValueError(f"{value}: must be a number, not yes or no / 须为数，不能是 true 或 false")
    return value


def _is_empty(names: tuple[str, ...]) -> bool:
    return not names or any(not name.strip() for name in names)


SAMPLE = "sample:"
Name = Annotated[str, AfterValidator(_name)]
Place = Annotated[str, Field(max_length=40)]
PlanName = Annotated[str, Field(min_length=1, max_length=20)]
Number = Annotated[float, BeforeValidator(_measured), Field(ge=-1e12, le=1e12)]
Quota = Annotated[float, BeforeValidator(_measured), Field(ge=0, le=1e12)]
Year = Annotated[int, BeforeValidator(_measured), Field(ge=1990, le=2100)]
Draws = Annotated[int, BeforeValidator(_measured), Field(ge=100, le=1_000_000)]
Seed = Annotated[int, BeforeValidator(_measured), Field(ge=0, lt=2**63)]


class Fonts(Frozen):
    """An office's own fonts (字体): a folder of files for PDF, and families by role, in DOCX too."""

    folder: Name | None = None
    title: str | None = Field(default=None, min_length=1, max_length=60)
    body: str | None = Field(default=None, min_length=1, max_length=60)
    heading1: str | None = Field(default=None, min_length=1, max_length=60)
    heading2: str | None = Field(default=None, min_length=1, max_length=60)


class RunSpec(Frozen):
    """A run: one county's or city's year under a plan.

    Attributes
    ----------
    policy, assumptions
        Id of a shipped plan or set of assumptions, or a file relative to the run file.
    ledger
        File or folder relative to the run file, ``sample:<name>``, or a list of these for a city.
    county
        The place of enterprises whose ledger names none; of several ledgers by each as named.
    year, level, as_of
        Evaluation year; county or city; month of knowledge of the forecast, "YYYY-MM".
    quotas, facts, readings, patch
        The county's share of city totals by target; facts that the plan asks for; options of doubtful clauses; values of
        the plan changed, by path.
    scenarios
        Changes of assumptions by path, by the scenario's name: the years to come are simulated again under each.
    plan
        CSV with credit_code, method, started: disposals to simulate in place of the ledger's own.
    plans
        Such files by name (甲, 乙 …), to be held against one another and the ledger's own cases.
    previous
        Of a bulletin: the folder of the run that it follows, to tell what moved since and why.
    draws, seed
        Monte Carlo draws and their seed.
    lang, formats, report_date, title
        Of the report.
    products
        What is written besides: text (report.txt), schedule, dossiers, drafts (below ``products/``).
    disclosure, objections, period
        internal, or public (媒体公示): no figure of any enterprise, then where to object and in which days.
    edition
        office; or research: with errors, seeds, records of past odds and every reading in the body too.
    cell_limit
        Seconds that a cell of a notebook may take before it is ended; no part of the record, for nothing depends on it.
    fonts
        An office's own 小标宋, 仿宋, 黑体, 楷体: a folder of files relative to the run file, and families by role.
    template
        An office's own Markdown in place of the shipped template of the review or bulletin.
    texts
        An office's words by the name of their slot, or a Markdown file with a section ``# 名称`` for each.
    """

    kind: Literal["review", "bulletin", "comparison"] = "review"
    title: str | None = Field(default=None, min_length=1, max_length=200)
    policy: Name
    ledger: Name | tuple[Name, ...]
    year: Year
    level: Literal["county", "city"] = "county"
    county: Place | dict[Name, Place] = ""
    as_of: str | None = Field(default=None, pattern=r"^\d{4}-(0[1-9]|1[0-2])$")
    quotas: dict[str, Quota] = {}
    facts: dict[str, Number] = {}
    readings: dict[str, str] = {}
    patch: dict[str, Any] = {}
    assumptions: Name = "default"
    scenarios: dict[str, dict[str, Any]] = {}
    plan: Name | None = None
    plans: dict[PlanName, Name] = {}
    previous: Name | None = None
    draws: Draws = 2000
    seed: Seed = 0
    lang: Literal["zh", "en"] = "zh"
    formats: tuple[Format, ...] = Field(default=tuple(FORMATS), min_length=1)
    products: tuple[Product, ...] = ("text",)
    edition: Literal["office", "research"] = "office"
    fonts: Fonts = Fonts()
    template: Name | None = None
    texts: Name | dict[str, str] = {}
    report_date: date | None = None
    disclosure: Literal["internal", "public"] = "internal"
    objections: str = Field(default="", max_length=200)
    period: str = Field(default="", max_length=100)
    cell_limit: int = Field(default=1800, ge=1, le=604_800, exclude=True)

    @model_validator(mode="after")
    def _fits_together(self) -> RunSpec:
        public, bulletin, own = self.disclosure == "public", self.kind == "bulletin", bool(self.template or self.texts)
        month = self.as_of is not None and self.as_of[:4] == str(self.year)
        faults = {
            "ledger is empty / 未写明台账": _is_empty(self.ledgers),
            "ledger: the same ledger stands twice / 同一台账写了两次": len(set(self.ledgers)) < len(self.ledgers),
            "county: names a ledger that is not read / county 所列台账不在 ledger 中": isinstance(self.county, dict)
            and bool(set(self.county) - set(self.ledgers)),
            "plans: only for kind review, not public / plans 只用于 review，公开版不用": bool(self.plans)
            and (public or self.kind != "review"),
            "disclosure public: only for kind review / 公开版只用于 review": public and self.kind != "review",
            "disclosure public: takes no template and no texts / 公开版不用 template、texts": public and own,
            "bulletin: as_of must be a month of year / 月度通报须写明 as_of，且为 year 当年的月份": bulletin
            and not month,
            "previous: only for kind bulletin / previous 只用于月度通报": bool(self.previous) and not bulletin,
        }
        for fault, found in faults.items():
            if found:
                raise ValueError(fault)
        return self

    @property
    def ledgers(self) -> tuple[str, ...]:
        """Return the ledgers as named."""
        return (self.ledger,) if isinstance(self.ledger, str) else self.ledger


class Side(Frozen):
    """One side of a comparison: plan, ledger (or a city's ledgers), evaluation year, readings not by default."""

    policy: Name
    ledger: Name | tuple[Name, ...]
    year: Year
    readings: dict[str, str] = {}

    @model_validator(mode="after")
    def _names_a_ledger(self) -> Side:
        if _is_empty(self.ledgers):
            raise ValueError("ledger is empty / 未写明台账")
        return self

    @property
    def ledgers(self) -> tuple[str, ...]:
        """Return the ledgers as named."""
        return (self.ledger,) if isinstance(self.ledger, str) else self.ledger


class ComparisonSpec(RunSpec):
    """Two places on one ruler (两地比较).

    Attributes
    ----------
    sides
        The two places. ``policy`` and ``year`` of the run are the first side's, ``ledger`` all that either side reads.
    draws, seed, lang, formats, report_date, title
        As in `RunSpec`; no other key of it is taken.
    """

    kind: Literal["comparison"] = "comparison"  # pyright: ignore[reportIncompatibleVariableOverride]
    sides: tuple[Side, Side]
    draws: Draws = 500
    products: tuple[Product, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_sides(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        idle = [str(key) for key in data if key in cls.model_fields and key not in OF_COMPARISON]
        if idle:
            raise ValueError(f"{idle[0]}: not for kind comparison, name it under sides / 两地比较请写在 sides 之下")
        said = data.get("sides")
        sides = [s for s in said if isinstance(s, dict)] if isinstance(said, list | tuple) else []
        first = sides[0] if sides else {}
        books = [s.get("ledger") for s in sides]
        named = [n for book in books for n in (book if isinstance(book, list | tuple) else [book]) if n]
        ledger = tuple(dict.fromkeys(map(str, named))) or "-"
        return {**data, "policy": first.get("policy") or "-", "year": first.get("year") or 2000, "ledger": ledger}


def spec_of(data: Any) -> type[RunSpec]:
    """Return what a run file is to be validated as, by its ``kind``."""
    return ComparisonSpec if isinstance(data, dict) and data.get("kind") == "comparison" else RunSpec


# -- the files that it names -------------------------------------------------------------------------------------------


def is_file(use: str, name: str) -> bool:
    """Tell whether what a key names is a file, not a sample or what goes by an id."""
    by_id = use in ("policy", "assumptions") and Path(name).suffix not in YAML
    return bool(name) and not by_id and not name.startswith(SAMPLE)


def with_names(parameters: Mapping[str, Any], change: Callable[[str, str], Any]) -> dict[str, Any]:
    """Return parameters with all that they name changed: files, samples and ids, of both sides of a comparison too.

    Parameters
    ----------
    change
        Is given what a name is for (a key of `USES`) and the name, and returns what is to stand in its place.
    """
    out = dict(parameters)
    for use in USES:
        name = out.get(use)
        if isinstance(name, str) and name:
            out[use] = change(use, name)
        elif isinstance(name, list | tuple):
            out[use] = [change(use, one) for one in name]
        elif use == "ledger" and isinstance(name, dict):
            out[use] = {change(use, one): place for one, place in name.items()}
        elif use == "plans" and isinstance(name, dict):
            out[use] = {of: change(use, one) for of, one in name.items()}
        elif use == "fonts" and isinstance(name, dict) and name.get("folder"):
            out[use] = name | {"folder": change(use, name["folder"])}
    if "sides" in out:
        out["sides"] = [with_names(side, change) for side in out["sides"]]
    return out


def names_of(spec: RunSpec) -> list[tuple[str, str]]:
    """Return all that a run names, each once, with what it is for: ledgers, plans, assumptions, then other files."""
    found: list[tuple[str, str]] = []

    def told(use: str, name: str) -> str:
        found.append((use, name))
        return name

    with_names(spec.model_dump(mode="json"), told)
    return sorted(dict.fromkeys(found), key=lambda one: USES.index(one[0]))


USES = ("ledger", "policy", "assumptions", "plan", "plans", "previous", "fonts", "template", "texts")


@dataclass(frozen=True)
class RunFile:
    """A run file as loaded: its id (the file's name), its path, what it says with ``--set`` applied, and these changes."""

    id: str
    path: Path
    spec: RunSpec
    changes: tuple[str, ...] = ()

    def find(self, name: str) -> Path:
        """Return a file that the run file names relative to itself.

        Raises
        ------
        RunError
            The name leads in a circle of links.
        """
        try:
            return (self.path.parent / name).resolve()
        except (OSError, RuntimeError, ValueError):
            raise RunError.of("input.loop", name=name) from None

    def located(self, use: str, name: str) -> str | Path:
        """Return where a file is that the run file names; what goes by an id, and a sample, as it is."""
        return self.find(name) if is_file(use, name) else name

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield every file that the run file names, with what it is for."""
        for use, name in names_of(self.spec):
            if is_file(use, name):
                yield use, self.find(name)

    def at(self, key: str) -> str:
        """Return where a key stands, as ``file:line: key``; one that was changed, as the change."""
        if any(change.partition("=")[0].strip() == key for change in self.changes):
            return f"--set {key}"
        _, lines = load_yaml(self.path)
        line = lines.get(key) or next((n for path, n in lines.items() if path.startswith((f"{key}[", "sides"))), 1)
        return f"{display(self.path)}:{line}: {key}"


# -- loading -----------------------------------------------------------------------------------------------------------


def load_run(path: str | Path, changes: Iterable[str] = (), *, lang: str | None = None) -> RunFile:
    """Load a run file and apply changes to it.

    Parameters
    ----------
    path
        ``parameters/runs/<id>.yaml``, or the id of a run file there: in the working folder first, else a shipped one.
    changes
        ``key=value`` as after ``--set``; keys as in the file, joined by dots, values YAML.
    lang
        Language of the report, over the file's.

    Raises
    ------
    PolicyError
        Every fault of the file and of the changes, with line, key, value and the nearest right one.
    RunError
        No such file.
    """
    found = find_run(path)
    data, lines = load_yaml(found)
    if not isinstance(data, dict):
        raise PolicyError(f"{display(found)}:1: not a run file / 不是运行文件")
    changes, told = (*changes, *([f"lang={lang}"] if lang else [])), []
    changed = _changed(data, changes, told)
    try:
        spec = _validated(data, changed, lines, found)
    except PolicyError as error:
        raise PolicyError("\n".join([*told, str(error)])) from None
    if told:
        raise PolicyError("\n".join(told))
    return RunFile(run_id(found), found, spec, changes)


def find_run(path: str | Path) -> Path:
    """Return the run file named by path, or by id among those here and those shipped.

    Raises
    ------
    RunError
        No such file; the nearest id is named.
    """
    direct, fault = Path(path), name_fault(str(path), written=False)
    if fault is not None:
        raise RunError.of("file.name", path=shown(path), why=fault[::-1])
    if direct.is_file():
        return direct.resolve()
    if direct.suffix in (".yaml", ".yml") and direct.exists():
        raise RunError.of("file.not_file", path=path)
    folders = [Path("parameters/runs"), resources.path("parameters/runs")]
    found = [folder / f"{path}.yaml" for folder in folders if (folder / f"{path}.yaml").is_file()]
    if found:
        return found[0].resolve()
    known = sorted({p.stem for folder in folders for p in folder.glob("*.yaml") if not p.stem.endswith(".columns")})
    hint = nearest(direct.stem, known)
    raise RunError.of("file.unknown", path=path, nearest=(in_language(hint, "zh"), in_language(hint, "en")))


def run_id(path: Path) -> str:
    """Return the id of a run file, its name.

    Raises
    ------
    RunError
        It is none that a run and its folder can have.
    """
    taken = re.search(r"\.(failed|earlier)(-\d+)?$|\.(part|old|columns)$|^index\.html$", path.stem, re.IGNORECASE)
    if name_fault(path.stem) or not re.fullmatch(r"[\w][\w.-]{0,80}", path.stem) or taken or reserved(path.stem):
        raise RunError.of("file.id", name=shown(path.name))
    return path.stem


def _validated(data: Any, changed: Any, lines: Mapping[str, int], path: Path) -> RunSpec:
    """Validate the file as it stands first, so that a fault of a change is told as the change's."""
    try:
        return validate(spec_of(changed), changed, lines, path)
    except PolicyError as error:
        own: list[str] = []
        try:
            validate(spec_of(data), data, lines, path)
        except PolicyError as before:
            own = str(before).splitlines()
        place = re.compile(rf"^{re.escape(display(path))}:\d+: ")
        told = [line if line in own else place.sub("--set ", line) for line in str(error).splitlines()]
        raise PolicyError("\n".join(told)) from None


def _changed(data: dict[str, Any], changes: Iterable[str], told: list[str]) -> dict[str, Any]:
    """Return the file's content with changes made to it; those that cannot be made are told."""
    out = {key: dict(value) if isinstance(value, dict) else value for key, value in data.items()}
    for change in changes:
        key, mark, text = change.partition("=")
        head, _, rest = key.strip().partition(".")
        value = _value(head, text.strip())
        if not mark or not key.strip():
            told.append(f"--set {shown(change)}: write key=value / 应写成 键=值")
        elif value is NO_VALUE:
            told.append(f"--set {shown(key)}: {shown(text)} is not a YAML value / {shown(text)} 不是 YAML 值")
        elif not rest:
            out[head] = value
        elif head in MAPPINGS and isinstance(out.setdefault(head, {}), dict):
            out[head][rest] = value
        else:
            told.append(f"--set {shown(key)}: unknown key / 未知的键{nearest(head, MAPPINGS)}")
    return out


def _value(head: str, text: str) -> Any:
    """Read a value as YAML 1.2; what is text by its key, and digits after a leading zero, stay text."""
    if head in TEXTS or re.fullmatch(r"0\d+", text):
        return NO_VALUE if CONTROL.search(text) else text if text not in ("", "null", "~") else None
    try:
        return yaml_value(text)
    except Unreadable:
        return NO_VALUE


NO_VALUE = object()
TEXTS = ("kind", "title", "policy", "level", "as_of", "assumptions", "plan", "lang", "readings", "template", "texts")
MAPPINGS = ("quotas", "facts", "readings", "patch", "fonts", "texts")
OF_COMPARISON = {
    *("kind", "title", "sides", "assumptions", "draws", "seed"),
    *("lang", "formats", "report_date", "fonts", "cell_limit"),
}  # the keys of RunSpec that it takes
YAML = (".yaml", ".yml")
