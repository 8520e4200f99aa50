"""The table of messages: every row is used, every use has its row, and what stands in it is given."""

from __future__ import annotations

import ast
import csv
import pickle
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from lyeval.told import Told, message

PACKAGE = Path(__file__).resolve().parent.parent / "lyeval"
PATHS = [
    PACKAGE / "told.py",
    PACKAGE / "workbooks.py",
    *(PACKAGE / "run").glob("*.py"),
    *(PACKAGE / "cli").glob("*.py"),
    *(PACKAGE / "desk" / name for name in ("trial.py", "saving.py")),
]
USING = {"of", "message", "say", "refuse", "tell_done", "busy", "_say"}
with (PACKAGE / "messages.csv").open(encoding="utf-8", newline="") as file:
    ROWS = {row["key"]: row for row in csv.DictReader(file)}


def uses() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call that names a message in a literal, with the name of its function."""
    for path in PATHS:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                if function in USING and isinstance(node.args[0], ast.Constant):
                    yield function, node


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_every_use_has_its_row_and_gives_what_stands_in_it() -> None:
    seen = 0
    for function, call in uses():
        key = str(call.args[0].value)  # type: ignore[attr-defined]
        assert key in ROWS, key
        given = {word.arg for word in call.keywords} - {"code"}
        if None not in given and function != "_say":
            assert given == fields(ROWS[key]["zh"]) | fields(ROWS[key]["en"]), key
        seen += 1
    assert seen > 100


def test_every_row_is_used_and_says_something_in_either_language() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (*PATHS, PACKAGE / "ledger" / "diff.py"))
    for key, row in ROWS.items():
        last = key.rpartition(".")[2]
        assert f'"{key}"' in text or f'"{last}' in text, key
        assert row["zh"]
        assert row["en"]
        assert row["misuse"] in ("", "x")


def test_a_pair_is_taken_by_language_and_an_error_survives_a_process() -> None:
    assert message("check.at", place="a.yaml:1", why=("缺", "lost")) == ("a.yaml:1: 缺", "a.yaml:1: lost")
    error = pickle.loads(pickle.dumps(Told.of("file.not_file", path="{x}")))
    assert (error.text("en"), error.misuse) == ("the run file {x} is not a file", True)
    with pytest.raises(KeyError):
        message("nothing")
