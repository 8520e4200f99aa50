"""The one reader of YAML and JSON: what is not plain data is refused with its line, and nobody else reads either."""

from __future__ import annotations

import ast
import os
import pickle
from datetime import date
from pathlib import Path

import pytest

from lyeval import textfiles
from lyeval.textfiles import (
    Unreadable,
    json_value,
    name_fault,
    read_json,
    read_text,
    read_yaml,
    visible,
    yaml_text,
    yaml_value,
)

PACKAGE = Path(textfiles.__file__).parent
LEVELS = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}' if i else 'x'] * 10)}]" for i in range(9))
REFUSED = [
    # (text, line, English, Chinese)
    (LEVELS, 1, "anchors and aliases", "锚点和别名"),
    ("a: 1\nb: *x\n", 2, "anchors and aliases", "锚点和别名"),
    ("a: 1\n&k b: 2\n", 2, "anchors and aliases", "锚点和别名"),
    ("a: !!python/object:os.system x\n", 1, "tags", "标签"),
    ("a: ! x\n", 1, "tags", "标签"),
    ("a:\n  <<: {b: 1}\n", 2, "merge keys", "合并键"),
    ("a: 1\nb: 2\na: 3\n", 3, 'duplicate key "a"', "键“a”重复"),
    ("a: {b: 1, b: 2}\n", 1, 'duplicate key "b"', "键“b”重复"),
    ("? [a]\n: 1\n", 1, "a key must be one word", "键须为一个词"),
    ("a: 1\n---\nb: 2\n", 2, "more than one document", "一个 YAML 文档"),
    ("a: 1\nb: 0x" + "f" * 6000, 2, "6002 characters", "数过长"),
    ("a: 0o" + "7" * 6000, 1, "6002 characters", "数过长"),
    ("a: 0b" + "1" * 6000, 1, "6002 characters", "数过长"),
    ("a: " + "9_" * 3000 + "9", 1, "6001 characters", "数过长"),
    ("a: 1e" + "9" * 6000, 1, "6002 characters", "数过长"),
    ("a: 1\nb: 1e999999\n", 2, "not a finite number", "不是有限的数"),
    ("a: -.inf\n", 1, "not a finite number", "不是有限的数"),
    ("a: [1, .nan]\n", 1, "not a finite number", "不是有限的数"),
    ("a: 1\nb: x\x00y\n", 2, "U+0000", "控制字符"),
    ('a: 1\nb: "x\\0y"\n', 2, "U+0000", "控制字符"),
    ('a: "\\e[31m"\n', 1, "U+001B", "控制字符"),
    ('a: "\\ud800"\n', 1, "", ""),
    ("a: [1, 2\n", 2, "not YAML", "YAML 格式有误"),
    ("a: b: c\n", 1, "not YAML", "YAML 格式有误"),
    ("[" * 41 + "]" * 41, 1, "nested deeper", "嵌套过深"),
    ("\n".join(" " * i + "a:" for i in range(60)), 41, "nested deeper", "嵌套过深"),
    ("[" * 200_000, 1, "nested deeper", "嵌套过深"),
    ("[" + "1," * 100_001 + "1]", 1, "values", "个值"),
]  # fmt: skip


def written(folder: Path, text: str | bytes, name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(("text", "line", "en", "zh"), REFUSED, ids=[f"{i}-{r[2]}" for i, r in enumerate(REFUSED)])
def test_what_is_not_plain_is_refused_with_its_line(tmp_path: Path, text: str, line: int, en: str, zh: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_yaml(written(tmp_path, text))
    error = refused.value
    assert error.line == line
    assert en in error.en
    assert zh in error.zh
    assert str(error).startswith(f"{'/'.join((tmp_path / 'a.yaml').parts[-3:])}:{line}: ")
    assert len(str(error)) < 400


def test_plain_data_is_read_as_yaml_1_2_with_its_lines(tmp_path: Path) -> None:
    text = (
        "\ufeffa: no\nb: [1, 0x1f, 0o17, 0b11, 017, 1_000, -2.5, .5, 1e3]\nc:\n  2024: ~\n  d: true\n"
        "e: 2024-02-29\nf: 2023-02-29\ng: '1'\nh: 2023-10\ni: 1:30\nj: 文\ue000字\nk: \"a\\nb\"\n"
    )
    data, lines = read_yaml(written(tmp_path, text))
    assert data["b"] == [1, 31, 15, 3, 17, 1000, -2.5, 0.5, 1000.0]
    assert [data[k] for k in "acef"] == ["no", {2024: None, "d": True}, date(2024, 2, 29), "2023-02-29"]
    assert [data[k] for k in "ghijk"] == ["1", "2023-10", "1:30", "文\ue000字", "a\nb"]
    assert (lines["b[3]"], lines["c.2024"], lines["k"]) == (2, 4, 12)
    with pytest.raises(Unreadable, match=r"a.yaml:11: private-use character U\+E000"):
        read_yaml(tmp_path / "a.yaml", private=False)
    assert read_yaml(written(tmp_path, "# nothing\n"))[0] is None
    assert yaml_value("{a: [1, 甲]}") == {"a": [1, "甲"]}
    content = {"z": "否", "a": [1, {"b": "=1"}], "n": None, "t": "no", "d": "2024-01-01"}
    assert yaml_value(yaml_text(content)) == content


def test_what_is_no_file_of_text_is_told_and_never_waited_for(tmp_path: Path) -> None:
    loop, pipe = tmp_path / "loop.yaml", tmp_path / "pipe.yaml"
    loop.symlink_to(loop)
    os.mkfifo(pipe)
    for path in (
        tmp_path,
        tmp_path / "none.yaml",
        loop,
        pipe,
        Path("/dev/zero"),
        tmp_path / ("长" * 300),
        Path("a\0b.yaml"),
    ):
        for read in (read_text, read_yaml, read_json):
            with pytest.raises(Unreadable, match="cannot be read"):
                read(path)
    with pytest.raises(Unreadable, match="larger than 5000000 bytes"):
        read_text(written(tmp_path, b"#" * 5_000_001))
    with pytest.raises(Unreadable, match=":2: not UTF-8"):
        read_text(written(tmp_path, "a: 1\nb: 甲\n".encode("gb18030")))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 100_000, "nested deeper"),
        ('{"a":' * 60 + "1" + "}" * 60, "nested deeper"),
        ("9" * 6000, "too long or not finite"),
        ("NaN", "too long or not finite"),
        ("[-Infinity, 1]", "too long or not finite"),
        ("1e999", "too long or not finite"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ('["\\ud800"]', "half of a character"),
        ("{", "not JSON"),
        ("", "not JSON"),
    ],
)
def test_json_from_elsewhere_has_the_same_limits(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        json_value(text)
    with pytest.raises(Unreadable, match=told):
        read_json(written(tmp_path, text, "record.json"))
    assert json_value('{"a": [1, -2.5, null, "甲"]}') == {"a": [1, -2.5, None, "甲"]}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a\0b", "control"), ("a\nb", "control"), ("\udcff.xlsx", "control"), ("长" * 86, "255"), ("a/" * 600, "255"), ("con", "Windows"),
        ("x/NUL.txt", "Windows"), ("Com1", "Windows"), ("a\\lpt9.csv", "Windows"), ("aux .xlsx", "Windows"),
    ],
)  # fmt: skip
def test_names_that_no_system_or_not_every_system_takes(name: str, told: str) -> None:
    fault = name_fault(name)
    assert fault is not None
    assert told in fault[0]
    assert (name_fault(name, written=False) is None) == (told == "Windows")


def test_usual_names_are_taken() -> None:
    for name in ("台账 2023.xlsx", "../../data/a.csv", "console", "nullable.yaml", "长" * 85, "C:\\数据\\a.xlsx"):
        assert name_fault(name) is None


def test_nothing_unseen_is_left_for_a_terminal() -> None:
    assert visible("\x1b]0;T\x07\x1b[2J\x1b[31m红\x9b1m\u202e反\r\n厂\t[red]") == "]0;T[2J[31m红1m反\n厂\t[red]"


def test_a_refusal_survives_another_process() -> None:
    error = Unreadable("a.yaml", ("en", "zh"), 3, "b.c")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.line, again.zh) == ("a.yaml:3: b.c: en / zh", 3, "zh")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_no_other_module_reads_yaml_or_json_of_users(path: Path) -> None:
    if path == PACKAGE / "textfiles.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not {name.split(".")[0] for name in names} & {"yaml", "ruamel", "tomllib", "pickle", "marshal"}
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in ("loads", "load")]
    reading = {n.value.id for n in calls if isinstance(n.value, ast.Name)} & {"json"}
    assert not reading or path.relative_to(PACKAGE).as_posix() in OWN_JSON


OWN_JSON = (
    "render/pdf.py",
    "run/execution.py",
    "run/execution.py",
    "tables/store.py",
)  # what the typesetter answers, notebooks and records just written, cells of tables
