"""Read parameter files: YAML 1.2, loaded safely, every fault told with file, line and path."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from lyeval.textfiles import Unreadable, display, read_yaml, shown
from lyeval.told import Told

JOINT = re.compile(r"(; |: )")
CHINESE = re.compile("[\u4e00-\u9fff]")
KINDS = {
    "reading": "读法", "option": "选项", "id": "标识", "fact": "事实", "statistic": "统计量", "quota": "任务", "level": "层级",
    "method": "处置方式", "policy": "方案", "target": "目标", "target year": "目标年度", "list year": "名单年度", "grade": "等级",
}  # fmt: skip
RULES: tuple[tuple[str, str], ...] = (
    ("greater_than_equal", "须不小于{ge}"), ("greater_than", "须大于{gt}"), ("less_than_equal", "须不大于{le}"),
    ("less_than", "须小于{lt}"), ("int", "须为整数"), ("float", "须为数"), ("finite_number", "须为有限的数"), ("string_type", "须为文字"),
    ("tuple_type", "须为列表"), ("list_type", "须为列表"), ("dict_type", "须逐项写成 键: 值"), ("model_type", "须逐项写成 键: 值"),
    ("model_attributes_type", "须逐项写成 键: 值"), ("bool", "须为 true 或 false"), ("date", "须为日期，如 2024-03-31"),
    ("string_pattern_mismatch", "格式不符"), ("too_short", "至少要有{min_length}项"), ("too_long", "至多{max_length}项"),
    ("string_too_short", "不能为空"), ("string_too_long", "过长"),
)  # fmt: skip


class PolicyError(Told):
    """A parameter file that cannot be used; the text tells every fault, one a line, with file, line and path.

    ``misuse`` tells whether what the command or a file says is at fault (exit code 2), or the file cannot be read (1).

    Examples
    --------
    >>> try:
    ...     ly.load_policy("linshu")
    ... except ly.PolicyError as error:
    ...     print(error.en)
    policy: 'linshu' is not a policy; did you mean 'linshu-2021'?
    """

    def __init__(self, text: str, *, misuse: bool = True) -> None:
        super().__init__(in_language(text, "zh"), in_language(text, "en"), misuse=misuse)
        self.args = (text,)

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (str(self), self.misuse)


def _again(text: str, misuse: bool) -> PolicyError:
    return PolicyError(text, misuse=misuse)


class Frozen(BaseModel):
    """A record of a parameter file: no unknown keys, not to be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, strict=False, allow_inf_nan=False)


class Problem(NamedTuple):
    """One fault of a parameter file.

    ``where`` is a path such as ``targets[1].statistic``; ``line`` is 1-based, 0 if unknown.
    """

    file: str
    line: int
    where: str
    text: str

    def __str__(self) -> str:
        """Return ``file:line: where: text``."""
        return ": ".join(part for part in (f"{self.file}:{self.line}", shown(self.where, 120), self.text) if part)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `` did you mean …?`` in both languages, or the list of what there is."""
    names = sorted({str(k) for k in known})
    close = difflib.get_close_matches(str(word), names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}? / 是否想写 {close[0]}？"
    there = ", ".join(names[:40])
    return f"; there are {there} / 可用：{there}" if names else ""


def unknown(word: str, kind: str, known: Iterable[str]) -> str:
    """Say that ``word`` is not one of ``known``, and what was probably meant."""
    of = kind.removeprefix("value of ")
    chinese = f"没有“{word}”这个{KINDS.get(kind, '取值')}" if of == kind else f"{of} 不能填“{word}”"
    return f"{word!r} is not {'an' if kind[0] in 'aeiou' else 'a'} {kind} / {chinese}{nearest(word, known)}"


def in_language(text: str, lang: str = "zh") -> str:
    """Return what a ``PolicyError`` says in one language: of each ``English / 中文`` the part that is wanted."""
    told = "\n".join("".join(_spoken(part, lang) for part in JOINT.split(line)) for line in text.splitlines())
    return told.replace("; ", "；") if lang == "zh" else told


def _spoken(part: str, lang: str) -> str:
    """Return one side of a phrase in two languages: the one with the larger share of Chinese is the Chinese one."""
    left, mark, right = part.partition(" / ")
    if not mark or not CHINESE.search(part):
        return part
    sides = sorted((left, right), key=lambda side: len(CHINESE.findall(side)) / max(len(side), 1))
    return sides[lang == "zh"]


def load_yaml(path: Path) -> tuple[Any, dict[str, int]]:
    """Load a YAML file as plain data and the line of each path.

    Returns
    -------
    data, lines
        Plain dicts, lists and scalars; 1-based line by path (``targets[1].years.2024``).

    Raises
    ------
    PolicyError
        What `lyeval.textfiles.read_yaml` refuses.
    """
    try:
        return read_yaml(path, private=False)
    except Unreadable as error:
        raise PolicyError(str(error), misuse=not path.exists()) from None


MEANT = ": "
TYPE = re.compile(r"str|int|float|bool|date|constrained-.*|(tuple|list|dict|set)\[.*|function-.*|literal\[.*")
Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], data: Any, lines: Mapping[str, int], path: Path) -> Model:
    """Make a record of plain data.

    Raises
    ------
    PolicyError
        All faults at once: unknown keys with the nearest right one, wrong values with the rule.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        name = display(path)
        told = error.errors(include_url=False)
        inner = [e for e in told if e["type"] != "too_short" or not any(_below(e, other) for other in told)]
        problems = _joined([_problem(e, model, data, lines, name) for e in inner])
        raise PolicyError("\n".join(dict.fromkeys(str(p) for p in problems))) from None


def _joined(problems: list[Problem]) -> list[Problem]:
    """Make one problem of those that tell what else might stand at a place that takes several kinds of value."""
    out: dict[tuple[str, int, str, str], Problem] = {}
    for one in (p for p in problems if not any(q.where.startswith((f"{p.where}[", f"{p.where}.")) for q in problems)):
        given, mark, _ = one.text.partition(MEANT)
        known = out.setdefault((*one[:3], given if mark else one.text), one)
        if mark and known is not one:
            both = [tuple(p.text.partition(MEANT)[2].split(" / ")) for p in (known, one)]
            words = f"{' or '.join(p[0] for p in both)} / {'，或'.join(p[-1] for p in both)}"
            out[(*one[:3], given)] = one._replace(text=f"{given}{MEANT}{words}")
    return sorted(out.values(), key=lambda one: one.line)


def _below(error: Any, other: Any) -> bool:
    """Tell whether ``other`` lies inside the list that ``error`` finds too short: its elements' faults say why."""
    loc = tuple(error["loc"])
    return other is not error and tuple(other["loc"])[: len(loc)] == loc


def _problem(error: Any, model: type[BaseModel], data: Any, lines: Mapping[str, int], name: str) -> Problem:
    loc = _there(tuple(error["loc"]), data)
    where = path_of(loc)
    kind, given = error["type"], error.get("input")
    line = next((lines[w] for w in _ups(loc) if w in lines), 0)
    if kind == "extra_forbidden":
        keys = _keys(model, loc[:-1], data)
        return Problem(name, line, where, f"unknown key / 未知的键{nearest(str(loc[-1]), keys)}")
    if kind == "missing":
        return Problem(name, line, where, "missing / 缺少此项")
    if kind in ("literal_error", "enum"):
        options = re.findall(r"'([^']*)'", str(error.get("ctx", {}).get("expected", "")))
        return Problem(name, line, where, unknown(shown(given), _value_of(loc), options))
    text = str(error["msg"]).removeprefix("Value error, ")
    return Problem(
        name, line, where, text if kind == "value_error" else f"{shown(repr(given))}{MEANT}{text} / {rule_words(error)}"
    )


def _value_of(loc: tuple[Any, ...]) -> str:
    """Name what a value is of: the last key of its location."""
    return next((f"value of {part}" for part in reversed(loc) if isinstance(part, str)), "value")


def rule_words(error: Any) -> str:
    """Say in Chinese which rule a value breaks."""
    words = next((words for kind, words in RULES if str(error["type"]).startswith(kind)), "取值不合要求")
    return words.format_map({k: f"{v:g}" if isinstance(v, float) else v for k, v in error.get("ctx", {}).items()})


def _there(loc: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    """Return a location without the names of types that were tried for a value: ``ledger.str`` is ``ledger``."""
    out: list[Any] = []
    node = data
    for part in loc:
        if isinstance(part, str) and not isinstance(node, Mapping) and part != "[key]":
            continue
        if isinstance(node, Mapping) and part not in node and (TYPE.fullmatch(str(part)) or str(part)[:1].isupper()):
            continue
        out.append(part)
        if isinstance(node, Mapping):
            node = node.get(part)
        else:
            node = node[part] if isinstance(node, list | tuple) and isinstance(part, int) and part < len(node) else None
    return tuple(out)


def path_of(loc: Iterable[Any]) -> str:
    """Write a location as a path: ``('targets', 1, 'op')`` → ``targets[1].op``."""
    out = ""
    for part in loc:
        if part == "[key]":
            continue
        out += f"[{part}]" if isinstance(part, int) and not 1900 < part < 2200 else f".{part}" if out else str(part)
    return out


def _ups(loc: tuple[Any, ...]) -> list[str]:
    return [path_of(loc[:i]) for i in range(len(loc), -1, -1)]


def _keys(model: type[BaseModel], loc: tuple[Any, ...], data: Any) -> list[str]:
    """Return the keys that the record at ``loc`` takes, by walking the fields' annotations."""
    current: Any = model
    for part in loc:
        if isinstance(current, type) and issubclass(current, BaseModel):
            fields = {(f.alias or n): f for n, f in current.model_fields.items()}
            if part not in fields:
                continue
            current = fields[part].annotation
        current = _record_in(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [f.alias or n for n, f in current.model_fields.items()]
    return []


def _record_in(annotation: Any) -> Any:
    """Return the record type inside ``list[X]``, ``dict[str, X]`` or ``X | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _record_in(inner)
        if found is not None:
            return found
    return None
