"""The one reader of the YAML and JSON that people write: limits before anything is made of it, a line for every refusal (读入文本).

A YAML file is plain data here: no anchors, aliases, tags, merge keys or second document, numbers as YAML 1.2 writes them.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from lyeval.told import Told

MAX_BYTES = 5_000_000
MAX_DEPTH = 40
MAX_VALUES = 100_000
MAX_DIGITS = 40
MAX_NAME_BYTES = 255


class Unreadable(Told):
    """A text that is not read: the file, the line (1-based, 0 where there is none to tell), the path to the value, and why.

    Attributes
    ----------
    en, zh
        Why, in each language.
    place
        File, line and path, joined by colons.
    """

    def __init__(self, name: str, why: tuple[str, str], line: int = 0, where: str = "") -> None:
        en, zh = why
        parts = [name, str(line) if line else "", shown(where)]
        self.place = ": ".join(part for part in (":".join(part for part in parts[:2] if part), parts[2]) if part)
        self.name, self.line, self.where = name, line, where
        super().__init__(f"{self.place}：{zh}", f"{self.place}: {en}")
        self.zh, self.en, self.args = zh, en, (f"{self.place}: {en} / {zh}",)

    def text(self, lang: str = "zh") -> str:
        """Return place and reason in one language."""
        return f"{self.place}: {self.en}" if lang == "en" else f"{self.place}：{self.zh}"

    def __reduce__(self) -> tuple[object, ...]:
        return Unreadable, (self.name, (self.en, self.zh), self.line, self.where)


def display(path: Path) -> str:
    """Return a path as errors show it: from the working folder where it lies below it, else its last three parts."""
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError, RuntimeError):
        return "/".join(path.parts[-3:])


def shown(text: object, most: int = 80) -> str:
    """Return a text as a message quotes it: on one line, without control characters, cut to ``most`` characters."""
    line = " ".join(CONTROL.sub("", str(text)).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def read_text(path: Path, *, private: bool = True) -> str:
    """Read a text file in UTF-8, with or without a byte order mark.

    Parameters
    ----------
    private
        Whether characters of private use are taken, which look otherwise on every machine.

    Raises
    ------
    Unreadable
        Not there, not a regular file, above 5 MB, not UTF-8, or with control characters.
    """
    name = display(path)
    text = _decoded(_bytes(path, name, MAX_BYTES), name)
    check_characters(text, name, private=private)
    return text


def _bytes(path: Path, name: str, most: int) -> bytes:
    """Return the bytes of a regular file; nothing is waited for, as a pipe's writer would be."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Unreadable(name, ("cannot be read: not a file", "无法读取：不是文件"))
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise Unreadable(name, (f"cannot be read: {why}", f"无法读取：{why}")) from None
    except ValueError as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(shown(name), ("cannot be read: no such name", "无法读取：名称含有不能用的字符")) from None
    if len(raw) > most:
        raise Unreadable(name, (f"larger than {most} bytes", f"文件过大，超过{most}字节"))
    return raw


def _decoded(raw: bytes, name: str) -> str:
    """Return the text of bytes in UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Unreadable(name, ("not UTF-8 text", "不是 UTF-8 文本"), line) from None


def check_characters(text: str, name: str, line: int = 1, where: str = "", *, private: bool = True) -> None:
    """Refuse control characters, halves of characters and, if told so, characters of private use.

    Raises
    ------
    Unreadable
        The first of them, with its line counted from ``line``.
    """
    found = CONTROL.search(text) or (None if private else PRIVATE.search(text))
    if found is None:
        return
    code = f"U+{ord(found[0]):04X}"
    kinds = ("control character", "控制字符") if CONTROL.match(found[0]) else ("private-use character", "私用区字符")
    why = (f"{kinds[0]} {code} is not allowed", f"不允许使用{kinds[1]} {code}")
    raise Unreadable(name, why, line + text.count("\n", 0, found.start()), where)


def read_yaml(path: Path, *, private: bool = True) -> tuple[Any, dict[str, int]]:
    """Read a YAML file as plain data, and the line of each path.

    Returns
    -------
    data, lines
        Plain dicts, lists and scalars; 1-based line by path (``targets[1].years.2024``).

    Raises
    ------
    Unreadable
        What `read_text` refuses; not YAML, a repeated key, an anchor, alias, tag or merge key, a number too long or not
        finite, nested deeper than 40, more than 100,000 values.
    """
    return _parsed(read_text(path, private=private), display(path), private)


def yaml_value(text: str) -> Any:
    """Read one value as YAML, under the limits of a file.

    Raises
    ------
    Unreadable
        As `read_yaml`.
    """
    check_characters(text, "YAML", private=False)
    return _parsed(text, "YAML", False)[0]


def yaml_text(content: Mapping[str, Any]) -> str:
    """Return plain data as YAML, keys in their order."""
    return yaml.dump(content, Dumper=yaml.SafeDumper, allow_unicode=True, sort_keys=False, width=120)


def json_text(content: Any) -> str:
    """Return plain data as JSON, keys in order of the alphabet: the same data, the same text."""
    return json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def write_json(path: Path, content: Any) -> None:
    """Write plain data as JSON into a file, in UTF-8."""
    path.write_text(json_text(content), encoding="utf-8", newline="\n")


def digest(content: Any) -> str:
    """Return the SHA-256 of plain data, written one way only."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _parsed(text: str, name: str, private: bool) -> tuple[Any, dict[str, int]]:
    """Make data of YAML text."""
    made = _Data(name, private)
    try:
        return made.whole(yaml.parse(text, Loader=LOADER)), made.lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join((error.problem or "not YAML").split())
        raise Unreadable(name, (f"not YAML: {problem}", "YAML 格式有误"), mark.line + 1 if mark else 0) from None
    except yaml.YAMLError as error:
        problem = shown(error)
        raise Unreadable(name, (f"not YAML: {problem}", "YAML 格式有误")) from None


class _Data:
    """Makes plain data of the events of a YAML text, refusing what is not plain where it stands."""

    def __init__(self, name: str, private: bool) -> None:
        self.name, self.private, self.count = name, private, 0
        self.lines: dict[str, int] = {}

    def whole(self, events: Iterator[Any]) -> Any:
        """Return the one document of a text; None of an empty one."""
        data, documents = None, 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self.refuse("more than one document", "只能有一个 YAML 文档", event)
            elif not isinstance(event, BETWEEN):
                data = self.node(event, events, "", 1, 0)
        return data

    def node(self, event: Any, events: Iterator[Any], where: str, line: int, depth: int) -> Any:
        """Return the value that begins with an event; ``line`` is where its key stands."""
        self.lines[where] = line
        self.plain(event, where)
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(event, where)
        if depth >= MAX_DEPTH:
            self.refuse(f"nested deeper than {MAX_DEPTH}", f"嵌套过深，超过{MAX_DEPTH}层", event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(events, where, depth)
        return self.mapping(events, where, depth)

    def sequence(self, events: Iterator[Any], where: str, depth: int) -> list[Any]:
        """Return a list."""
        out: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            out.append(self.node(event, events, f"{where}[{len(out)}]", self.line(event), depth + 1))
        return out

    def mapping(self, events: Iterator[Any], where: str, depth: int) -> dict[Any, Any]:
        """Return a dict."""
        out: dict[Any, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self.key(event, where)
            inner = f"{where}.{key}" if where else str(key)
            if key == "<<" and not event.style:
                self.refuse("merge keys are not allowed", "不允许使用合并键", event, inner)
            if key in out:
                told = shown(key)
                self.refuse(f'duplicate key "{told}"', f"键“{told}”重复", event, where)
            out[key] = self.node(next(events), events, inner, self.line(event), depth + 1)
        return out

    def key(self, event: Any, where: str) -> Any:
        """Return a key of a mapping."""
        self.plain(event, where)
        if not isinstance(event, yaml.ScalarEvent):
            self.refuse("a key must be one word", "键须为一个词，不能是列表或映射", event, where)
        return self.scalar(event, where)

    def plain(self, event: Any, where: str) -> None:
        """Refuse anchors, aliases, tags, and more values than a file may have."""
        self.count += 1
        if self.count > MAX_VALUES:
            self.refuse(f"more than {MAX_VALUES} values", f"超过{MAX_VALUES}个值", event)
        if getattr(event, "anchor", None):
            self.refuse("anchors and aliases are not allowed", "不允许使用锚点和别名", event, where)
        if getattr(event, "tag", None):
            told = shown(event.tag)
            self.refuse(f"tags are not allowed: {told}", f"不允许使用标签：{told}", event, where)

    def scalar(self, event: Any, where: str) -> Any:
        """Return a scalar: quoted ones are text, plain ones what YAML 1.2 takes them for."""
        text, line = event.value, self.line(event)
        check_characters(text, self.name, line, where, private=self.private)
        if event.style:
            return text
        if text in WORDS:
            return WORDS[text]
        if DAY.fullmatch(text):
            return _day(text)
        if not NUMBER.fullmatch(text):
            return text
        if len(text) > MAX_DIGITS:
            why = f"a number of {len(text)} characters, more than {MAX_DIGITS}"
            self.refuse(why, f"数过长：{len(text)}个字符，至多{MAX_DIGITS}个", event, where)
        value = _number(text)
        if isinstance(value, float) and not abs(value) < float("inf"):
            self.refuse(f"{text} is not a finite number", f"{text} 不是有限的数", event, where)
        return value

    def line(self, event: Any) -> int:
        """Return the line on which an event begins."""
        return event.start_mark.line + 1

    def refuse(self, en: str, zh: str, event: Any, where: str = "") -> None:
        """Refuse what begins with an event."""
        raise Unreadable(self.name, (en, zh), self.line(event), where)


def _day(text: str) -> date | str:
    """Return a date; a day that the calendar does not have stays text, to be told like any other value."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def _number(text: str) -> int | float:
    """Return a number as YAML 1.2 writes it: decimal, hexadecimal, octal, binary; underscores between digits."""
    plain = text.replace("_", "").lower()
    bare = plain.lstrip("+-")
    sign = -1 if plain.startswith("-") else 1
    for mark, base in (("0x", 16), ("0o", 8), ("0b", 2)):
        if bare.startswith(mark):
            return sign * int(bare[2:], base)
    if bare in (".inf", ".nan"):
        return sign * float(bare[1:])
    return int(plain) if bare.isdigit() else float(plain)


def read_json(path: Path) -> Any:
    """Read a JSON file that may have been made elsewhere.

    Raises
    ------
    Unreadable
        Not there, not a regular file, above 100 MB, not UTF-8, not JSON, nested deeper than 40, a key twice in one place, a
        number too long or not finite.
    """
    name = display(path)
    return json_value(_decoded(_bytes(path, name, MAX_JSON_BYTES), name), name)


def json_value(text: str, name: str = "JSON") -> Any:
    """Read JSON text under the limits of `read_json`.

    Raises
    ------
    Unreadable
        As `read_json`.
    """

    def number(digits: str) -> int | float:
        value = float("inf") if len(digits) > MAX_DIGITS else float(digits)
        if not abs(value) < float("inf"):
            raise Unreadable(name, ("a number too long or not finite", "数过长或不是有限的数"))
        return value if re.search(r"[.eE]", digits) else int(digits)

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        if len(made) < len(found):
            raise Unreadable(name, ("a key stands twice", "有重复的键"))
        return made

    try:
        data = json.loads(text, parse_int=number, parse_float=number, parse_constant=number, object_pairs_hook=pairs)
        json.dumps(data, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise Unreadable(name, ("half of a character", "有残缺的字符")) from None
    except json.JSONDecodeError as error:
        raise Unreadable(name, ("not JSON", "JSON 格式有误"), error.lineno) from None
    except RecursionError:
        data = None
        deep = True
    else:
        deep = _depth(data) > MAX_DEPTH
    if deep:
        raise Unreadable(name, (f"nested deeper than {MAX_DEPTH}", f"嵌套过深，超过{MAX_DEPTH}层"))
    return data


def _depth(data: Any) -> int:
    """Return how deep lists and dicts stand within each other, no further than one beyond the limit."""
    depth, level = 0, [data]
    while depth <= MAX_DEPTH:
        nodes = [list(n.values()) if isinstance(n, dict) else n for n in level if isinstance(n, dict | list)]
        if not nodes:
            break
        depth, level = depth + 1, [inner for node in nodes for inner in node]
    return depth


def name_fault(name: str, *, written: bool = True) -> tuple[str, str] | None:
    """Say in English and Chinese why a file cannot have a name on every system; None where it can.

    Parts are split at either slash; what is refused: control characters, halves of characters, more than 255 bytes, and the
    names that Windows keeps to itself (con, nul, com1), these only where the file is to be ``written``.
    """
    if CONTROL.search(name) or "\n" in name or "\t" in name:
        return "the name holds control characters", "名称含有控制字符"
    parts = re.split(r"[/\\]", name)
    if len(name.encode("utf-8", "replace")) > MAX_PATH_BYTES or any(
        len(part.encode("utf-8", "replace")) > MAX_NAME_BYTES for part in parts
    ):
        return f"the name is longer than {MAX_NAME_BYTES} bytes", f"名称过长，每段至多{MAX_NAME_BYTES}字节"
    kept = next((part for part in parts if _of_windows(part)), None)
    if written and kept is not None:
        return f"{kept} is a name that Windows keeps to itself", f"{kept} 是 Windows 保留的名称，请换一个"
    return None


def reserved(name: str) -> bool:
    """Tell whether Windows can have no file of a name, so that a folder of results could not be taken there."""
    return _of_windows(name) or name != name.rstrip(". ")


def _of_windows(name: str) -> bool:
    return RESERVED.fullmatch(name.strip().split(".")[0].strip()) is not None


def visible(text: str) -> str:
    """Return a text without what a terminal would take for commands or turn round: control characters, marks of direction."""
    return UNSEEN.sub("", text)


CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
PRIVATE = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
RESERVED = re.compile(r"(?i)con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]")
WORDS: dict[str, Any] = dict.fromkeys(("", "~", "null", "Null", "NULL")) | {
    form: value for word, value in (("true", True), ("false", False)) for form in (word, word.title(), word.upper())
}
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
NUMBER = re.compile(
    r"""[-+]?(?: 0x[0-9a-fA-F_]*[0-9a-fA-F] | 0o[0-7_]*[0-7] | 0b[01_]*[01] | [0-9][0-9_]* | \.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?
    | [0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)? | \.(?:inf|Inf|INF) ) | \.(?:nan|NaN|NAN)""",
    re.VERBOSE,
)
MAX_JSON_BYTES = 100_000_000
MAX_PATH_BYTES = 1000
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BETWEEN = (yaml.StreamStartEvent, yaml.StreamEndEvent, yaml.DocumentStartEvent, yaml.DocumentEndEvent)
