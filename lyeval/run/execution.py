"""Notebooks: executed by papermill, the same bytes every time; a workspace, and the planner's desk opened in JupyterLab (笔记本、工作区、方案台)."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from platformdirs import user_data_path

from lyeval import resources
from lyeval.run import kernel
from lyeval.run.folders import RunError, linked, stands, unwritable
from lyeval.run.inputs import given
from lyeval.run.outputs import named, write_new
from lyeval.run.run_file import load_run, with_names
from lyeval.scratch import scratch
from lyeval.textfiles import json_text, read_yaml, write_json
from lyeval.told import message

KERNEL = "lyeval"


class NotebookError(RunError):
    """A notebook that failed: which one, which cell, what went wrong.

    Attributes
    ----------
    notebook, cell, cause
        File name; number of the code cell, counted from 1; last line of the error, which may be told in English too.
    """

    def __init__(self, notebook: str, cell: int, cause: str, cause_en: str = "") -> None:
        place = "notebook.cell" if cell else "notebook.whole"
        super().__init__(*message(place, notebook=notebook, cell=cell, cause=(cause, cause_en or cause)))
        self.notebook, self.cell, self.cause, self.cause_en = notebook, cell, cause, cause_en

    def __reduce__(self) -> tuple[object, ...]:
        return NotebookError, (self.notebook, self.cell, self.cause, self.cause_en)


def declared(notebook: Path) -> dict[str, Any]:
    """Return the parameters of a notebook, with their defaults, from its cell tagged ``parameters``."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = next("".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", []))
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def execute(
    notebook: Path, output: Path, parameters: Mapping[str, Any], *, folder: Path, limit: float | None = None
) -> None:
    """Execute a notebook with some parameters and save it, outputs and all, without times, ids or paths.

    Parameters
    ----------
    parameters
        Values by name; those that the notebook does not declare are left out.
    folder
        Working folder of the notebook.
    limit
        Seconds that a cell may take; None: as long as it takes.

    Raises
    ------
    NotebookError
        A cell failed, took too long or lost its kernel; the notebook is saved up to there.
    """
    from lyeval.run import papermill_engine

    names = declared(notebook)
    given = {name: value for name, value in parameters.items() if name in names}
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill_engine.execute(notebook, output, given, kernel=KERNEL, folder=folder, limit=limit)
    except papermill_engine.PapermillExecutionError as error:
        raise NotebookError(notebook.name, _code_cell(output, error.cell_index), _cause(error)) from None
    except TimeoutError:
        told = message("notebook.too_long", limit=limit or papermill_engine.OUTPUT_SECONDS)
        raise NotebookError(notebook.name, _code_cell(output, 0), *told) from None
    except RuntimeError as error:
        died = isinstance(error, papermill_engine.DeadKernelError)
        told = message("notebook.died") if died else (str(error).splitlines()[0], "")
        raise NotebookError(notebook.name, _code_cell(output, 0), *told) from None
    finally:
        with suppress(ValueError):  # a notebook cut short, as by a full disk, is told by the error that cut it
            if output.is_file():
                tidy(output)
                if parameters.get("lang") == "en":
                    in_english(output, notebook.stem)


def shipped_notebooks() -> list[Path]:
    """Return every notebook that comes with lyeval, by name."""
    return sorted(resources.path("notebooks").glob("*.ipynb"))


def refresh(paths: Iterable[Path]) -> None:
    """Execute notebooks on their defaults and store the outputs in them.

    Raises
    ------
    NotebookError
        A cell failed; that notebook is left as it was.
    """
    with scratch() as away, kernels(away):
        for path in paths:
            made = away / path.name
            execute(path, made, {}, folder=away)
            shutil.copyfile(made, path)


@contextmanager
def kernels(folder: Path) -> Iterator[None]:
    """Make the running interpreter known as a kernel, with a surrounding that does not depend on the machine.

    Parameters
    ----------
    folder
        Where the kernel's description and its own files stand meanwhile.
    """
    describe(folder, KERNEL)
    with kernel.variables({"JUPYTER_PATH": str(folder), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}):
        yield


def describe(folder: Path, name: str) -> None:
    """Write a kernel's description, for those who look for kernels in ``folder``."""
    home = folder / "kernels" / name
    home.mkdir(parents=True)
    spec = {
        "argv": kernel.command(),
        "display_name": "lyeval",
        "language": "python",
        "env": kernel.environment(folder),
    }
    (home / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def tidy(path: Path) -> None:
    """Strip from an executed notebook what differs between equal runs: times, ids, durations, paths, versions."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"] = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook["cells"], start=1):
        cell["id"] = f"cell-{number:02d}"
        tags = cell["metadata"].get("tags")
        cell["metadata"] = {"tags": tags} if tags else {}
        if "outputs" in cell:
            cell["outputs"] = joined(cell["outputs"])
        for output in cell.get("outputs", []):
            output.pop("metadata", None)
            if output["output_type"] in ("display_data", "execute_result"):
                output["metadata"] = {}
            if "traceback" in output:
                output["traceback"] = [_bare(line) for line in output["traceback"]]
    write_json(path, notebook)


def in_english(path: Path, name: str) -> None:
    """Put the English text of ``notebooks_en.yaml`` in place of a notebook's own, cell by cell; nothing where it has none."""
    told = read_yaml(Path(__file__).with_name("notebooks_en.yaml"))[0].get(name)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    spoken = [cell for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
    for cell, text in zip(spoken, told or [], strict=False):
        cell["source"] = str(text).strip().splitlines(keepends=True)
    write_json(path, notebook)


def joined(outputs: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join the streams that follow one another, one output a name, as flushes by the clock cut and mix them; ``stdout`` first."""
    told: list[dict[str, Any]] = []
    for is_stream, part in groupby(outputs, key=lambda o: o["output_type"] == "stream"):
        if not is_stream:
            told += part
            continue
        texts: dict[str, str] = {}
        for output in part:
            texts[output["name"]] = texts.get(output["name"], "") + "".join(output["text"])
        told += [
            {"name": name, "output_type": "stream", "text": texts[name].splitlines(keepends=True)}
            for name in sorted(texts, reverse=True)
        ]
    return told


def _bare(text: str) -> str:
    """Drop terminal colours and this machine's paths from a traceback."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    return plain.replace(str(resources.PACKAGE.parent) + os.sep, "").replace(sys.prefix + os.sep, "")


def _code_cell(output: Path, index: int | None) -> int:
    """Return the number of the code cell that failed, as the saved notebook counts."""
    if not output.is_file():
        return 0
    cells = json.loads(output.read_text(encoding="utf-8"))["cells"]
    kinds = [c for c in cells if c["cell_type"] == "code"]
    failed = [i for i, c in enumerate(kinds, start=1) if any(o["output_type"] == "error" for o in c["outputs"])]
    return failed[0] if failed else (index or 0)


def _cause(error: Any) -> str:
    """Return what went wrong, in one line: an error of ours in its own words, another with its type."""
    value = next((line for line in str(error.evalue).splitlines() if line.strip()), "")
    ours = error.ename in ("LedgerError", "PolicyError", "RunError", "NotebookError", "ConsistencyError")
    return value if ours and value else f"{error.ename}: {value}"


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
    return _fresh(folder.resolve() / f"{name}.ipynb", json_text(notebook))


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
    **read_yaml(Path(__file__).with_name("workspace.yaml"))[0],
}
