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


PUBLIC = {
    "Check": "verifying",
    "Difference": "differing",
    "Finished": "finished",
    "NOTEBOOKS": "review",
    "NotebookError": "executing",
    "Odds": "steps",
    "RunError": "errors",
    "RunFile": "spec",
    "RunSpec": "spec",
    "WhatIf": "trying",
    "about": "steps",
    "apart": "placing",
    "before": "steps",
    "alternatives": "steps",
    "check_run": "checking",
    "compare_sides": "comparing",
    "code_hash": "record",
    "compute": "steps",
    "complete": "comparing",
    "compute_sides": "comparing",
    "difference": "differing",
    "effects": "comparing",
    "free": "placing",
    "folder": "steps",
    "lab_command": "exploring",
    "kept_aside": "folders",
    "lay_out": "workspace",
    "keep": "steps",
    "load_run": "spec",
    "named": "placing",
    "odds_after": "steps",
    "open_lab": "exploring",
    "open_ledger": "inputs",
    "open_plan": "inputs",
    "open_policy": "inputs",
    "open_run": "finished",
    "outline": "steps",
    "own_words": "steps",
    "placed": "placing",
    "prepare": "exploring",
    "produce": "review",
    "produce_all": "batching",
    "refresh": "executing",
    "replaced": "verifying",
    "rerun": "verifying",
    "shipped_notebooks": "executing",
    "stands": "folders",
    "switches": "steps",
    "tables_of": "differing",
    "unchanged": "verifying",
    "unfilled": "steps",
    "verify": "verifying",
    "what_if": "trying",
    "write_new": "placing",
}
__all__ = sorted(PUBLIC)  # pyright: ignore[reportUnsupportedDunderAll]
