"""Execute a notebook by papermill: readable parameters, the running interpreter, the same bytes every time (执行笔记本)."""

from __future__ import annotations

import ast
import json
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from pprint import pformat
from typing import Any

from lyeval import resources
from lyeval.run.errors import RunError

KERNEL = "lyeval"
START_SECONDS = 180
QUIET = "--log-level=ERROR"


class NotebookError(RunError):
    """A notebook that failed: which one, which cell, what went wrong.

    Attributes
    ----------
    notebook, cell, cause
        File name; number of the code cell, counted from 1; last line of the error.
    """

    def __init__(self, notebook: str, cell: int, cause: str) -> None:
        place = f"{notebook} 第 {cell} 个代码单元" if cell else notebook
        place_en = f"code cell {cell} of {notebook}" if cell else notebook
        super().__init__(f"{place}出错：{cause}", f"{place_en} failed: {cause}")
        self.notebook, self.cell, self.cause = notebook, cell, cause

    def __reduce__(self) -> tuple[object, ...]:
        return NotebookError, (self.notebook, self.cell, self.cause)


def declared(notebook: Path) -> dict[str, Any]:
    """Return the parameters of a notebook, with their defaults, from its cell tagged ``parameters``."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = next("".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", []))
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def execute(notebook: Path, output: Path, parameters: Mapping[str, Any], *, folder: Path) -> None:
    """Execute a notebook with some parameters and save it, outputs and all, without times, ids or paths.

    Parameters
    ----------
    parameters
        Values by name; those that the notebook does not declare are left out.
    folder
        Working folder of the notebook.

    Raises
    ------
    NotebookError
        A cell failed; the notebook is saved up to there.
    """
    papermill = _papermill()
    names = declared(notebook)
    given = {name: value for name, value in parameters.items() if name in names}
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        papermill.execute_notebook(
            str(notebook), str(output), given, kernel_name=KERNEL, progress_bar=False, start_timeout=START_SECONDS,
            shutdown_kernel="immediate", request_save_on_cell_execute=False, resources={"metadata": {"path": str(folder)}},
        )  # fmt: skip
    except papermill.PapermillExecutionError as error:
        raise NotebookError(notebook.name, _code_cell(output, error.cell_index), _cause(error)) from None
    except RuntimeError as error:
        raise NotebookError(notebook.name, 0, str(error).splitlines()[0]) from None
    finally:
        with suppress(ValueError):  # a notebook cut short, as by a full disk, is told by the error that cut it
            if output.is_file():
                tidy(output)


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
    with tempfile.TemporaryDirectory(prefix="lyeval-") as away, kernels(Path(away)):
        for path in paths:
            made = Path(away) / path.name
            execute(path, made, {}, folder=Path(away))
            shutil.copyfile(made, path)


@contextmanager
def kernels(folder: Path) -> Iterator[None]:
    """Make the running interpreter known as a kernel, with a surrounding that does not depend on the machine.

    Parameters
    ----------
    folder
        Where the kernel's description and its own files stand meanwhile.
    """
    home = folder / "kernels" / KERNEL
    home.mkdir(parents=True)
    spec = {
        "argv": [sys.executable, "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}", QUIET],
        "display_name": "lyeval",
        "language": "python",
        "env": _environment(folder),
    }
    (home / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    before = {name: os.environ.get(name) for name in ("JUPYTER_PATH", "JUPYTER_RUNTIME_DIR")}
    os.environ["JUPYTER_PATH"] = str(folder)
    os.environ["JUPYTER_RUNTIME_DIR"] = str(folder / "runtime")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _environment(folder: Path) -> dict[str, str]:
    """Return the variables that a kernel runs under, over those of this process."""
    search = [str(resources.PACKAGE.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    home = Path.home()
    own = {} if os.access(home, os.W_OK) else {"MPLCONFIGDIR": str(folder / "matplotlib")}
    return own | {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(str(Path(p).resolve()) for p in search if p)),
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "PYTHONWARNINGS": "ignore",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "TZ": "UTC",
        "LC_ALL": "C.UTF-8",
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }


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
        for output in cell.get("outputs", []):
            output.pop("metadata", None)
            if output["output_type"] in ("display_data", "execute_result"):
                output["metadata"] = {}
            if "traceback" in output:
                output["traceback"] = [_bare(line) for line in output["traceback"]]
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


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


def _papermill() -> Any:
    """Import papermill (without the IRI parsers that cost most of its import), and teach it to write Chinese."""
    slow = "rfc3987_syntax"
    absent = slow not in sys.modules
    if absent:
        sys.modules[slow] = None  # type: ignore[assignment]
    try:
        import papermill
        from papermill.translators import PythonTranslator, papermill_translators
    finally:
        if absent:
            del sys.modules[slow]
    logging.getLogger("papermill").setLevel(logging.ERROR)

    class Readable(PythonTranslator):
        """Write parameters as a person would: Chinese as Chinese, one a line."""

        @classmethod
        def codify(cls, parameters: Mapping[str, Any], comment: str = "") -> str:
            lines = [f"{name} = {pformat(value, width=100, sort_dicts=False)}" for name, value in parameters.items()]
            return "\n".join(["# 本次运行的参数", *lines, ""])

    papermill_translators.register(KERNEL, Readable)
    return papermill
