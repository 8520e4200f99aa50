"""Run files to reports: notebooks executed by papermill, put in place whole, recorded; batches of them (运行).

Heavy libraries load when a run starts, so that the command line stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    if name in PUBLIC:
        return getattr(import_module(f"lyeval.run.{PUBLIC[name]}"), name)
    raise AttributeError(f"module 'lyeval.run' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(PUBLIC)


HOME = {
    "batches": "Result produce_all",
    "execution": "NotebookError lab_command lay_out open_lab prepare refresh shipped_notebooks",
    "finished_runs": "Check Difference Finished difference open_run replaced rerun tables_of unchanged verify",
    "folders": "RunError kept_aside stands",
    "inputs": "open_ledger open_plan open_plans open_policy samples",
    "outputs": "apart free named placed write_new",
    "production": "NOTEBOOKS check_run produce",
    "records": "code_hash",
    "run_file": "RunFile RunSpec load_run run_id",
    "steps": "about alternatives before compare_sides complete compute effects folder keep outline own_words switches unfilled",
}
PUBLIC = {name: module for module, names in HOME.items() for name in names.split()}
__all__ = sorted(PUBLIC)  # pyright: ignore[reportUnsupportedDunderAll]
