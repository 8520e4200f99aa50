"""A copy of the explore notebook with a run's parameters, and the command that opens it (试算)."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from lyeval import resources
from lyeval.run import starting
from lyeval.run.executing import declared, describe
from lyeval.run.folders import linked
from lyeval.run.inputs import SAMPLE
from lyeval.run.placing import named, write_new
from lyeval.run.review import given
from lyeval.run.spec import RunFile, load_run


def prepare(run: str | None, folder: Path) -> Path:
    """Copy the explore notebook into ``folder``, with the parameters of a run.

    Parameters
    ----------
    run
        A run file, its id, or the folder of its report; None: the notebook's own defaults.

    Returns
    -------
    Path
        The copy. One that stands there already is kept, and the new one gets a number.

    Raises
    ------
    RunError, PolicyError
        No such run file, or faults in it; the folder cannot be written.
    """
    named(folder)
    shipped = resources.path("notebooks") / "explore.ipynb"
    notebook = json.loads(shipped.read_text(encoding="utf-8"))
    name = "explore"
    if run is not None:
        loaded = load_run(Path(run).name if Path(run).is_dir() else run)
        name = loaded.id
        _put(notebook, {k: v for k, v in _values(loaded).items() if k in declared(shipped)})
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return _fresh(folder.resolve() / f"{name}.ipynb", text)


def lab_command(notebook: Path, *, browser: bool = True) -> list[str]:
    """Return the command that opens a notebook in JupyterLab; `open_lab` says under which variables."""
    quiet = [] if browser else ["--no-browser"]
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [sys.executable, "-P", "-m", "jupyterlab", *quiet, *root, str(notebook)]


def open_lab(notebook: Path, *, browser: bool = True) -> int:
    """Open a notebook in JupyterLab until it is closed, and return its exit code.

    Neither the server nor a kernel takes code or a setting from the notebook's folder, the working folder or the user's
    profile; the kernel is that of the runs.
    """
    with tempfile.TemporaryDirectory(prefix="lyeval-") as away:
        describe(Path(away), "python3")
        env = os.environ | starting.quiet(os.environ, Path(away))
        return subprocess.call(lab_command(notebook, browser=browser), cwd=away, env=env)


def _values(run: RunFile) -> dict[str, Any]:
    """Return a run's choices, files by absolute path."""
    spec = run.spec
    ledgers = [n if n.startswith(SAMPLE) else str(run.find(n)) for n in spec.ledgers]
    file = Path(spec.policy).suffix in (".yaml", ".yml")
    places = {
        "ledger": ledgers if len(ledgers) > 1 else ledgers[0],
        "policy": str(run.find(spec.policy)) if file else spec.policy,
    }
    return given(spec) | places


def _put(notebook: dict[str, Any], values: dict[str, Any]) -> None:
    """Write values into the cell of parameters, keeping its remarks."""
    cell = next(c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", []))
    lines = []
    for line in "".join(cell["source"]).splitlines():
        found = re.match(r"(\w+) = (.*?)(\s+# .*)?$", line)
        if found and found.group(1) in values:
            value = values[found.group(1)]
            same = value == ast.literal_eval(found.group(2))
            line = line if same else f"{found.group(1)} = {value!r}{found.group(3) or ''}"
        lines.append(line)
    cell["source"] = "\n".join(lines)


def _fresh(path: Path, text: str) -> Path:
    """Write a file under a name that none has yet; one with this very text is taken as it is."""
    number, place = 1, path
    while True:
        if place.is_file() and not linked(place) and place.read_bytes() == text.encode("utf-8"):
            return place
        with suppress(FileExistsError):
            write_new(place, text)
            return place
        number += 1
        place = path.with_name(f"{path.stem}-{number}.ipynb")
