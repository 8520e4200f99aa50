"""The run file (运行文件): what we chose to run, validated before anything is done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from lyeval.policy import PolicyError, in_language, load_yaml, nearest, validate
from lyeval.policy.bounds import OneOf
from lyeval.policy.loading import Frozen, display
from lyeval.render import FORMATS
from lyeval.run.errors import RunError
from lyeval.run.placing import reserved
from lyeval.textfiles import CONTROL, Unreadable, name_fault, shown, yaml_value


def _products() -> dict[str, str]:
    """Return the products that there are, with what says so loaded only to check one."""
    from lyeval.report.products import PRODUCTS

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


SAMPLE = "sample:"
Name = Annotated[str, AfterValidator(_name)]
Place = Annotated[str, Field(max_length=40)]
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
    def _named_once(self) -> RunSpec:
        if not self.ledger or any(not name.strip() for name in self.ledgers):
            raise ValueError("ledger is empty / 未写明台账")
        if len(set(self.ledgers)) < len(self.ledgers):
            raise ValueError("ledger: the same ledger stands twice / 同一台账写了两次")
        if isinstance(self.county, dict) and set(self.county) - set(self.ledgers):
            raise ValueError("county: names a ledger that is not read / county 所列台账不在 ledger 中")
        return self

    @model_validator(mode="after")
    def _public_review(self) -> RunSpec:
        if self.disclosure == "public" and self.kind != "review":
            raise ValueError("disclosure public: only for kind review / 公开版只用于 review")
        return self

    @model_validator(mode="after")
    def _own_words(self) -> RunSpec:
        if self.disclosure == "public" and (self.template or self.texts):
            raise ValueError("disclosure public: takes no template and no texts / 公开版不用 template、texts")
        return self

    @model_validator(mode="after")
    def _bulletin_of_a_month(self) -> RunSpec:
        if self.kind == "bulletin" and (self.as_of is None or self.as_of[:4] != str(self.year)):
            raise ValueError("bulletin: as_of must be a month of year / 月度通报须写明 as_of，且为 year 当年的月份")
        return self

    @model_validator(mode="after")
    def _bulletin_before(self) -> RunSpec:
        if self.previous and self.kind != "bulletin":
            raise ValueError("previous: only for kind bulletin / previous 只用于月度通报")
        return self

    @property
    def ledgers(self) -> tuple[str, ...]:
        """Return the ledgers as named."""
        return (self.ledger,) if isinstance(self.ledger, str) else self.ledger

    @property
    def policies(self) -> tuple[str, ...]:
        """Return the plans as named."""
        return (self.policy,)

    def kept(self, policies: Mapping[str, str], ledgers: Mapping[str, str]) -> dict[str, Any]:
        """Return what else the notebooks are told, files by where they are kept."""
        return {}


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
            raise RunError(
                f"{name}：符号链接绕成圈，打不开", f"{name}: links that lead in a circle", misuse=True
            ) from None

    def at(self, key: str) -> str:
        """Return where a key stands, as ``file:line: key``; one that was changed, as the change."""
        if any(change.partition("=")[0].strip() == key for change in self.changes):
            return f"--set {key}"
        _, lines = load_yaml(self.path)
        line = lines.get(key) or next((n for path, n in lines.items() if path.startswith((f"{key}[", "sides"))), 1)
        return f"{display(self.path)}:{line}: {key}"


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
    return RunFile(_id(found), found, spec, changes)


def find_run(path: str | Path) -> Path:
    """Return the run file named by path, or by id among those here and those shipped.

    Raises
    ------
    RunError
        No such file; the nearest id is named.
    """
    from lyeval import resources

    direct, fault = Path(path), name_fault(str(path), written=False)
    if fault is not None:
        raise RunError(f"{shown(path)}：{fault[1]}", f"{shown(path)}: {fault[0]}", misuse=True)
    if direct.is_file():
        return direct.resolve()
    if direct.suffix in (".yaml", ".yml") and direct.exists():
        raise RunError(f"运行文件 {path} 不是文件", f"the run file {path} is not a file", misuse=True)
    folders = [Path("parameters/runs"), resources.path("parameters/runs")]
    found = [folder / f"{path}.yaml" for folder in folders if (folder / f"{path}.yaml").is_file()]
    if found:
        return found[0].resolve()
    known = sorted({p.stem for folder in folders for p in folder.glob("*.yaml") if not p.stem.endswith(".columns")})
    hint = nearest(direct.stem, known)
    raise RunError(
        *(in_language(f"no run file {path} / 没有运行文件 {path}{hint}", lang) for lang in ("zh", "en")), misuse=True
    )


def _id(path: Path) -> str:
    taken = re.search(r"\.(failed|earlier)(-\d+)?$|\.(part|old|columns)$|^index\.html$", path.stem, re.IGNORECASE)
    if name_fault(path.stem) or not re.fullmatch(r"[\w][\w.-]{0,80}", path.stem) or taken or reserved(path.stem):
        raise RunError(
            f"运行文件名 {shown(path.name)} 不能用作文件夹名，请只用字母、汉字、数字、短横线，不用 con、nul、aux 等 Windows 保留的名字",
            f"the run file's name {shown(path.name)} cannot name a folder: use letters, digits and hyphens, and none of the names "
            "that Windows keeps for itself, as con, nul, aux",
            misuse=True,
        )
    return path.stem


def _validated(data: Any, changed: Any, lines: Mapping[str, int], path: Path) -> RunSpec:
    """Validate the file as it stands first, so that a fault of a change is told as the change's."""
    from lyeval.run.kinds import spec_of

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
