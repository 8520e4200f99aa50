"""Who is here, listed, below its line, open, overdue, 重点 or 反弹 is decided in one place: no other module works it out again.

A heuristic over the syntax of every module: a ratio held against a line, a disposal's dates held against a day, the day of a step held
against a day. A plain name counts as what it was set to in its function. The modules that may are named in ARCHITECTURE.md, with why.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
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


ORDER = ("lt", "le", "gt", "ge", "less", "less_equal", "greater", "greater_equal", "searchsorted")


def found(source: str) -> set[str]:
    """Return which kinds of second places a module has."""
    tree = ast.parse(source)
    scopes = [tree, *(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.Lambda))]
    return {kind for scope in scopes for kind in _within(scope)}


def _within(scope: ast.AST) -> Iterator[str]:
    """Yield the kinds of second places of one function, its names put back to what they were set to."""
    nodes = list(_own(scope))
    meant: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = (
                    zip(target.elts, node.value.elts, strict=True)
                    if _pairs(target, node.value)
                    else [(target, node.value)]
                )
                meant |= {t.id: ast.unparse(v) for t, v in pairs if isinstance(t, ast.Name)}
        elif isinstance(node, ast.NamedExpr):
            meant[node.target.id] = ast.unparse(node.value)
    for node in nodes:
        sides = [side + " " + meant.get(side, "") for side in _sides(node)]
        for kind, (one, other) in KINDS.items():
            if any(re.search(one, a) and re.search(other, b) for a in sides for b in sides if a is not b):
                yield kind


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of the functions within it."""
    for node in ast.iter_child_nodes(scope):
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            yield from _own(node)


def _pairs(target: ast.AST, value: ast.AST) -> bool:
    both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
    return both and len(target.elts) == len(value.elts)


def _sides(node: ast.AST) -> list[str]:
    """Return what is held against what: the sides of a comparison, or of a call that compares."""
    if isinstance(node, ast.Compare) and any(isinstance(o, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for o in node.ops):
        return [ast.unparse(node.left), *(ast.unparse(c) for c in node.comparators)]
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("compare", "against", "on_line"):
        return [ast.unparse(a) for a in node.args]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ORDER:
        return [ast.unparse(node.func.value), *(ast.unparse(a) for a in node.args)]
    return []


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
     "def f(firm):\n    before = firm['tax_per_mu_before']\n    return before >= firm['line']",
     "def f(t):\n    a, b = t.ratio, t.line\n    return a < b", "x = t['tax_per_mu'].lt(t['line'])", "x = np.less(ratio, line)",
     "off = sheet['written_off'] <= day", "late = (days['due'] < end) & open_", "named = process['key_listed'] <= Timestamp(d)"],
)  # fmt: skip
def test_a_second_place_is_found(source):
    assert found(source)


@pytest.mark.parametrize(
    "source",
    [
        "x = standing.below.true & listed",
        "n = len(rows) < 3",
        "under(ratio, line).true",
        "a = year < end",
        "def f(r):\n    before = r.line\n    return before\ndef g(before, line):\n    return before < line",
    ],
)
def test_a_selection_is_none(source):
    assert not found(source)
