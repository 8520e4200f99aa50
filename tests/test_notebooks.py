"""Notebooks: thin, explained, outputs stored, the same under nbval, papermill and from a wheel."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lyeval.run.execution import in_english
from lyeval.textfiles import read_yaml

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MAX_LINES = 60
IMPORTS = {"import lyeval as ly", "import matplotlib.pyplot as plt"}
FORBIDDEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.While, ast.With, ast.Try, ast.Global)


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def code(path: Path) -> list[dict]:
    return [c for c in cells(path) if c["cell_type"] == "code"]


def source(cell: dict) -> str:
    return "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_thin(path: Path) -> None:
    text = "\n".join(source(c) for c in code(path))
    tree = ast.parse(text)
    assert not [type(n).__name__ for n in ast.walk(tree) if isinstance(n, FORBIDDEN)]
    assert sum(bool(line.strip()) for line in text.splitlines()) <= MAX_LINES
    imports = [ast.unparse(n) for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert set(imports) <= IMPORTS
    assert imports.count("import lyeval as ly") == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_parameters_are_literals_with_type_and_meaning(path: Path) -> None:
    tagged = [c for c in code(path) if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1
    for line in source(tagged[0]).splitlines():
        found = re.fullmatch(r"(\w+) = (.+?)  # type: (str|int|dict|list) (.*[\u4e00-\u9fff].*)", line)
        assert found, line
        assert type(ast.literal_eval(found[2])).__name__ == found[3]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_outputs_and_counts_are_stored_and_clean(path: Path) -> None:
    made = code(path)
    assert [c["execution_count"] for c in made] == list(range(1, len(made) + 1))
    assert any(c["outputs"] for c in made)
    for cell in made:
        for output in cell["outputs"]:
            assert output.get("name") != "stderr"
            assert output["output_type"] != "error"
        if "ly.figures." in source(cell):
            last = source(cell).rstrip().splitlines()[-1]
            assert last == "plt.show()" or last.startswith("ly.figures.")
            assert any("image/png" in output.get("data", {}) for output in cell["outputs"])
    last = made[-1]
    assert "print(" in source(last)
    assert last["outputs"]
    assert set(json.loads(path.read_text(encoding="utf-8"))["metadata"]) == {"kernelspec", "language_info"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_reader_is_told_in_chinese(path: Path) -> None:
    words = "".join(source(c) for c in cells(path) if c["cell_type"] == "markdown")
    assert source(cells(path)[0]).startswith("# ")
    assert len(re.findall(r"[\u4e00-\u9fff]", words)) >= 60
    assert "核对摘要" in words


def test_nbval_finds_the_stored_outputs(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-sanitize-with", str(ROOT / "tests/nbval.cfg"),
               "-q", "--color=no", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), *map(str, NOTEBOOKS)]  # fmt: skip
    env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "3"}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout and unpacked as an installer would."""
    home = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(home)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    site = home / "site"
    with zipfile.ZipFile(next(home.glob("*.whl"))) as packed:
        packed.extractall(site)
    return site


def test_wheel_works_away_from_the_repo(wheel: Path, tmp_path: Path) -> None:
    env = os.environ | {"PYTHONPATH": str(wheel)}
    base = [sys.executable, "-m", "lyeval.cli"]

    def lyeval(*words: str, cwd: Path = tmp_path) -> str:
        done = subprocess.run([*base, *words], cwd=cwd, env=env, capture_output=True, text=True, encoding="utf-8")
        assert done.returncode == 0, done.stderr
        return done.stdout

    lyeval("init", "ws")
    space = tmp_path / "ws"
    assert "linshu-2021" in lyeval("policy", "list", cwd=space)
    example = space / "parameters/runs/example.yaml"
    small = example.read_text(encoding="utf-8").replace("draws: 2000", "draws: 200")
    example.write_text(small, encoding="utf-8")
    lyeval("run", "example", cwd=space)
    assert (space / "reports/example/report.html").is_file()
    assert "jupyterlab" in lyeval("explore", "example", "--dry-run", cwd=space)
    copy = (space / "explore/example.ipynb").read_text(encoding="utf-8")
    assert "year = 2023" in copy


ENGLISH = read_yaml(ROOT / "lyeval/run/notebooks_en.yaml")[0]


@pytest.mark.parametrize("name", sorted(ENGLISH))
def test_english_readers_are_told_the_same(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.ipynb"
    path.write_text((ROOT / f"notebooks/{name}.ipynb").read_text(encoding="utf-8"), encoding="utf-8")
    in_english(path, name)
    own, made = (
        [c for c in cells(p) if c["cell_type"] == "markdown"] for p in (ROOT / f"notebooks/{name}.ipynb", path)
    )
    assert len(ENGLISH[name]) == len(own)
    assert not [source(c) for c in made if re.search(r"[\u4e00-\u9fff]", source(c))]
    assert [re.findall(r"^#+", source(c), re.M) for c in made] == [re.findall(r"^#+", source(c), re.M) for c in own]
