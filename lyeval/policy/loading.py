"""Read parameter files: YAML 1.2, loaded safely, every fault told with file, line and path."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarint import ScalarInt

MAX_BYTES = 2_000_000


class PolicyError(ValueError):
    """A parameter file that cannot be used; the text tells every fault, one a line, with file, line and path."""


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
        return (
            f"{self.file}:{self.line}: {self.where}: {self.text}"
            if self.where
            else f"{self.file}:{self.line}: {self.text}"
        )


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `` did you mean …?`` in both languages, or the list of what there is."""
    names = sorted({str(k) for k in known})
    close = difflib.get_close_matches(str(word), names, n=1, cutoff=0.5)
    if close:
        return f"; did you mean {close[0]!r}? / 是否想写 {close[0]}？"
    return f"; there are / 可用：{', '.join(names[:40])}" if names else ""


def unknown(word: str, kind: str, known: Iterable[str]) -> str:
    """Say that ``word`` is not one of ``known``, and what was probably meant."""
    return f"{word!r} is not a {kind}{nearest(word, known)}"


def display(path: Path) -> str:
    """Return a path as errors show it: from the working folder where it lies below it, else its last three parts."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return "/".join(path.parts[-3:])


def load_yaml(path: Path) -> tuple[Any, dict[str, int]]:
    """Load a YAML file as plain data and the line of each path.

    Returns
    -------
    data, lines
        Plain dicts, lists and scalars; 1-based line by path (``targets[1].years.2024``).

    Raises
    ------
    PolicyError
        Not there, not UTF-8, not YAML, a repeated key, an anchor, a tag, or too large.
    """
    name = display(path)
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PolicyError(f"{name}:1: not UTF-8 text / 不是 UTF-8 文本 (byte {error.start})") from None
    except OSError as error:
        raise PolicyError(f"{name}: cannot be read / 无法读取: {error.strerror}") from None
    if len(raw) > MAX_BYTES:
        raise PolicyError(f"{name}: larger than {MAX_BYTES} bytes / 文件过大")
    try:
        data = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        problem = " ".join((error.problem or "not YAML").split())
        raise PolicyError(f"{name}:{line}: {problem} / YAML 格式有误") from None
    except RecursionError:
        raise PolicyError(f"{name}: nested too deeply / 嵌套过深") from None
    except (YAMLError, ValueError) as error:
        raise PolicyError(f"{name}: not YAML / YAML 格式有误: {str(error).splitlines()[0][:120]}") from None
    lines: dict[str, int] = {}
    return _plain(data, "", lines, 1, set(), name), lines


def _plain(node: Any, where: str, lines: dict[str, int], line: int, seen: set[int], name: str) -> Any:
    lines[where] = line
    again = isinstance(node, Mapping | list) and id(node) in seen
    if again or getattr(getattr(node, "anchor", None), "value", None):
        raise PolicyError(f"{name}:{line}: {where}: anchors and aliases are not allowed / 不允许使用锚点和别名")
    seen.add(id(node))
    if getattr(node, "tag", None) is not None and getattr(node.tag, "value", None):
        raise PolicyError(f"{name}:{line}: {where}: tags are not allowed / 不允许使用标签: {node.tag.value}")
    if isinstance(node, Mapping):
        out = {}
        for key, value in node.items():
            inner = f"{where}.{key}" if where else str(key)
            out[_scalar(key)] = _plain(value, inner, lines, _line(node, key, line), seen, name)
        return out
    if isinstance(node, list):
        return [_plain(v, f"{where}[{i}]", lines, _line(node, i, line), seen, name) for i, v in enumerate(node)]
    return _scalar(node)


def _line(node: Any, key: Any, default: int) -> int:
    try:
        return node.lc.item(key)[0] + 1 if isinstance(node, list) else node.lc.key(key)[0] + 1
    except (AttributeError, KeyError, TypeError, IndexError):
        return default


def _scalar(value: Any) -> Any:
    for kind, plain in ((ScalarBoolean, bool), (ScalarInt, int), (ScalarFloat, float)):
        if isinstance(value, kind):
            return plain(value)
    return value if value is None or isinstance(value, bool | int | float | date) else str(value)


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
        problems = [_problem(e, model, data, lines, name) for e in inner]
        raise PolicyError("\n".join(dict.fromkeys(str(p) for p in problems))) from None


def _below(error: Any, other: Any) -> bool:
    """Tell whether ``other`` lies inside the list that ``error`` finds too short: its elements' faults say why."""
    loc = tuple(error["loc"])
    return other is not error and tuple(other["loc"])[: len(loc)] == loc


def _problem(error: Any, model: type[BaseModel], data: Any, lines: Mapping[str, int], name: str) -> Problem:
    loc = tuple(error["loc"])
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
        return Problem(name, line, where, unknown(str(given), f"value of {loc[-1]}" if loc else "value", options))
    text = str(error["msg"]).removeprefix("Value error, ")
    return Problem(name, line, where, text if kind == "value_error" else f"{given!r}: {text} / 取值不合要求")


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
