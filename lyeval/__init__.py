"""lyeval: evaluate a county's programme for low-efficiency industrial land (亩均税收、低效企业整治提升), from ledger to review.

The public names load their modules on first use, so that ``import lyeval`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    if name in PUBLIC:
        value = getattr(import_module(f"lyeval.{PUBLIC[name]}"), name)
        globals()[name] = value
        return value
    if name in MODULES:
        return import_module(f"lyeval.{name}")
    raise AttributeError(f"module 'lyeval' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, for completion in notebooks."""
    return sorted([*PUBLIC, *MODULES, "__version__"])


PUBLIC = {
    "Ledger": "ledger",
    "LedgerError": "ledger",
    "PolicyError": "policy",
    "as_if": "comparison",
    "assess": "assessment",
    "backtest": "forecasting",
    "compare": "comparison",
    "decompose": "comparison",
    "forecast": "forecasting",
    "load_policy": "policy",
    "odds_after": "forecasting",
    "panel": "panels",
    "portfolio": "portfolios",
    "read_ledger": "ledger",
    "readings": "assessment",
    "side_by_side": "portfolios",
    "simulate": "simulation",
    "study": "studies",
    "sweep": "comparison",
    "two_places": "comparison",
    "what_if": "comparison.before_after",
}
MODULES = ("comparison", "desk", "effect", "figures", "render", "report", "resources", "run")
__all__ = sorted([*PUBLIC, *MODULES])  # pyright: ignore[reportUnsupportedDunderAll]
