"""The house as ARCHITECTURE.md describes it is the house as it stands."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "lyeval"
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
FILES = sorted(p for p in PACKAGE.rglob("*.py") if "shipped" not in p.parts)
MAX_LINES, MAX_BODY = 600, 40


def order() -> list[str]:
    """Return the modules of the table, in its order."""
    table = TEXT.split("## Modules, in import order")[1].split("\n## ")[0]
    return [m[1] for m in re.finditer(r"^\| ([a-z]+) \|", table, flags=re.M) if m[1] != "module"]


def rank_of(path: Path) -> str:
    """Return the module that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def test_table_names_every_module_and_no_other() -> None:
    standing = {rank_of(p) for p in FILES} - {"__init__", "fonts"}
    assert set(order()) == standing


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_only_from_the_left(path: Path) -> None:
    here = rank_of(path)
    if here in ("__init__", "fonts"):
        return
    left = order()[: order().index(here) + 1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lyeval"):
            names = [node.module] if node.module != "lyeval" else [f"lyeval.{a.name}" for a in node.names]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names if a.name.startswith("lyeval.")]
        for name in names:
            part = str(name).split(".")[1]
            assert part in left or part == "__version__", f"{path.name} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_caps(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MAX_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert length <= MAX_BODY, f"{node.name}: {length} lines"
            assert node.returns is not None, f"{node.name} has no return type"


def test_every_dependency_is_named_with_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    table = TEXT.split("## Libraries, and why")[1]
    for requirement in chain(project["project"]["dependencies"], *project["dependency-groups"].values()):
        name = re.split(r"[\[>=<~! ]", requirement)[0]
        assert name in table, name


def test_import_is_light() -> None:
    code = "import sys, lyeval; print(sorted({'matplotlib', 'jupyterlab', 'papermill', 'pandas'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


def test_no_cycles_between_files() -> None:
    graph = {p: _imports(p) for p in FILES}
    done: set[Path] = set()

    def visit(path: Path, trail: tuple[Path, ...]) -> None:
        assert path not in trail, " → ".join(t.name for t in (*trail, path))
        if path not in done:
            for after in graph[path]:
                visit(after, (*trail, path))
            done.add(path)

    for path in FILES:
        visit(path, ())


def _imports(path: Path) -> list[Path]:
    """Return the files of the project that a file imports at module level (type-checking blocks aside)."""
    found = []
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lyeval."):
            target = ROOT / str(node.module).replace(".", "/")
            names = [target / f"{a.name}.py" for a in node.names]
            found += [n for n in names if n.exists()] or [target.with_suffix(".py"), target / "__init__.py"]
    return [f for f in found if f.exists() and f != path]
