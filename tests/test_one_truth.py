"""Who is here, listed, below its line, open, overdue, 重点 or 反弹 is decided in one place: no other module works it out again.

A heuristic over the syntax of every module: a ratio held against a line, a disposal's dates held against a day, the day of a step held
against a day. The modules that may are named in ARCHITECTURE.md, with why.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lyeval"
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
FILES = sorted(p for p in PACKAGE.rglob("*.py") if "shipped" not in p.parts)
RATIO = r"(tax_per_mu|\bratio\b|tax\w*(\[[^]]*\])? / (\w+\.)?land)"
LINE = r"(\blines?\b|threshold|_line\b|class_line)"
DATES = r"(\bfinished\b|\bdue\b|\bwritten_off\b|key_listed)"
KINDS = {
    "a ratio held against a line": (RATIO, LINE),
    "a disposal or a step held against a day": (
        DATES,
        r"(\bend\b|\bday\b|\bon\b|year_end|start\b|Timestamp|datetime64)",
    ),
}


def found(source: str) -> set[str]:
    """Return which kinds of second places a module has."""
    out = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and any(isinstance(o, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for o in node.ops):
            sides = [ast.unparse(node.left), *(ast.unparse(c) for c in node.comparators)]
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("compare", "against", "on_line"):
            sides = [ast.unparse(a) for a in node.args]
        else:
            continue
        for kind, (one, other) in KINDS.items():
            if any(re.search(one, a) and re.search(other, b) for a in sides for b in sides if a is not b):
                out.add(kind)
    return out


def allowed() -> dict[str, str]:
    """Return the modules that ARCHITECTURE.md lets decide it, with why."""
    part = PAGE.split("## One truth")[1].split("\n## ")[0]
    return {m[1]: m[2] for m in re.finditer(r"^\| `([a-z_/]+\.py)` \| (.+) \|$", part, flags=re.M)}


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_no_second_place(path):
    name = path.relative_to(PACKAGE).as_posix()
    kinds = found(path.read_text(encoding="utf-8"))
    assert not kinds or name in allowed(), f"{name}: {kinds}; select from assessment.standing"


def test_who_is_let_needs_it():
    for name in allowed():
        assert found((PACKAGE / name).read_text(encoding="utf-8")), f"{name} is let and needs it no longer"


@pytest.mark.parametrize(
    "source",
    ["low = ratio < line * (1 - 1e-9)", "x = compare(frame.now.tax_per_mu, 'lt', own_line)", "gone = rows.finished <= end",
     "off = sheet['written_off'] <= day", "late = (days['due'] < end) & open_", "named = process['key_listed'] <= Timestamp(d)"],
)  # fmt: skip
def test_a_second_place_is_found(source):
    assert found(source)


@pytest.mark.parametrize(
    "source", ["x = standing.below.true & listed", "n = len(rows) < 3", "under(ratio, line).true", "a = year < end"]
)
def test_a_selection_is_none(source):
    assert not found(source)
