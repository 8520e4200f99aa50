"""A new workspace, and the planner's desk with a run's parameters, opened in JupyterLab (工作区、方案台)."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from platformdirs import user_data_path

from lyeval import resources
from lyeval.run import kernel
from lyeval.run.errors import RunError, unwritable
from lyeval.run.execution import declared, describe
from lyeval.run.folders import linked, stands
from lyeval.run.inputs import given
from lyeval.run.outputs import named, write_new
from lyeval.run.run_file import load_run, with_names
from lyeval.scratch import scratch
from lyeval.textfiles import read_yaml


def lay_out(folder: Path) -> list[Path]:
    """Make a workspace in which ``lyeval run example`` works.

    Returns
    -------
    list of Path
        The files written; one that stands there already as it would be written is left as it is.

    Raises
    ------
    RunError
        Something else has the name of one of the files or folders, all files are there, or the folder cannot be written.
    """
    named(folder)
    if stands(folder) and ((linked(folder) and not folder.exists()) or not folder.is_dir()):
        raise RunError.of("workspace.is_file", folder=folder)
    there = [name for name in FILES if _taken(folder, name)]
    done = [name for name in FILES if name not in there and stands(folder / name)]
    if there or len(done) == len(FILES):
        raise RunError.of("workspace.taken", folder=folder, names="、".join(there or done))
    try:
        for name in FILES:
            if name not in done:
                write_new(folder / name, FILES[name])
    except OSError as error:
        raise unwritable(folder, error) from None
    return [folder / name for name in FILES]


def _taken(folder: Path, name: str) -> bool:
    """Tell whether a file, or a folder above it, cannot be made because something else has its name."""
    path = folder / name
    above = [parent for parent in path.parents if parent.is_relative_to(folder) and parent != folder]
    if any(stands(parent) and (linked(parent) or not parent.is_dir()) for parent in above):
        return True
    same = stands(path) and path.is_file() and not linked(path) and path.read_bytes() == FILES[name].encode("utf-8")
    return stands(path) and not same


def prepare(run: str | None, folder: Path, lang: str | None = None) -> Path:
    """Copy the desk's notebook into ``folder``, with the parameters of a run; plans are kept below the working folder.

    Parameters
    ----------
    run
        A run file, its id, or the folder of its report; None: the notebook's own defaults.
    lang
        zh or en; None: as the run says.

    Returns
    -------
    Path
        The copy. One that stands there already is kept; where it is another, the new one gets a number.

    Raises
    ------
    RunError, PolicyError
        No such run file, or faults in it; the folder cannot be written.
    """
    named(folder)
    notebook = json.loads(DESK.joinpath("desk.ipynb").read_text(encoding="utf-8"))
    name, values = "explore", {}
    if run is not None:
        loaded = load_run(Path(run).name if Path(run).is_dir() else run)
        name = loaded.id
        values = with_names(given(loaded.spec), lambda use, name: str(loaded.located(use, name)))
    values |= {"folder": str(Path.cwd())} | ({"lang": lang} if lang else {})
    _put(notebook, {k: v for k, v in values.items() if k in declared(DESK / "desk.ipynb")})
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return _fresh(folder.resolve() / f"{name}.ipynb", text)


def lab_command(notebook: Path, *, browser: bool = True) -> list[str]:
    """Return the command that opens a notebook in JupyterLab, with the working folder that it stands in as root; `open_lab` says how."""
    here = Path.cwd()
    root = here if notebook.is_relative_to(here) else notebook.parent
    quiet = [] if browser else ["--no-browser"]
    admin = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    where = [
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url=/lab/tree/{quote(notebook.relative_to(root).as_posix())}",
    ]
    return [sys.executable, "-P", "-m", "jupyterlab", *quiet, *admin, *where]


def open_lab(notebook: Path, *, browser: bool = True, lang: str = "zh") -> int:
    """Open a notebook in JupyterLab until it is closed, and return its exit code.

    Neither the server nor a kernel takes code or a setting from the notebook's folder, the working folder or the user's
    profile; the kernel is that of the runs. How the page looks (theme, language, layout: data alone) is kept for the next
    time in a place of lyeval's. It speaks ``lang`` (zh or en) unless the user chose otherwise, asks for no news, and runs the desk.
    """
    with scratch() as away:
        describe(away, "python3")
        shutil.copytree(DESK / "labextension", away / "labextensions" / "lyeval-desk")
        settings = away / "settings"
        settings.mkdir()
        told = {**SETTINGS, LANGUAGE: {"locale": "en" if lang == "en" else "zh_CN"}}
        (settings / "overrides.json").write_text(json.dumps(told), encoding="utf-8")
        kept = user_data_path("lyeval", appauthor=False) / "jupyterlab"
        looks = {f"JUPYTERLAB_{name.upper()}_DIR": str(kept / name) for name in ("settings", "workspaces")}
        env = os.environ | kernel.quiet(os.environ, away) | looks
        command = [*lab_command(notebook, browser=browser), f"--LabApp.app_settings_dir={settings}"]
        return subprocess.call(command, cwd=away, env=env)


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
    """Write a notebook under a name that none has yet; one with these very cells is taken as it is, whatever they gave."""
    number, place = 1, path
    while True:
        if place.is_file() and not linked(place) and _sources(place.read_bytes()) == _sources(text.encode("utf-8")):
            return place
        with suppress(FileExistsError):
            write_new(place, text)
            return place
        number += 1
        place = path.with_name(f"{path.stem}-{number}.ipynb")


def _sources(text: bytes) -> list[str] | None:
    """Return what the cells of a notebook say; None of what is no notebook."""
    with suppress(ValueError, KeyError, TypeError):
        return ["".join(cell["source"]) for cell in json.loads(text)["cells"]]
    return None


DESK = resources.PACKAGE / "desk"
LANGUAGE = "@jupyterlab/translation-extension:plugin"
SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}
EXAMPLE = Path(__file__).with_name("starter.yaml").read_text(encoding="utf-8")
FILES: dict[str, str] = {
    "parameters/runs/example.yaml": EXAMPLE,
    **read_yaml(Path(__file__).with_suffix(".yaml"))[0],
}
