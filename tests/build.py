"""Small ledgers for tests, made straight from rows of canonical columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lyeval.cli.worked import frame, ledger

__all__ = ["frame", "ledger", "years"]


def years(
    code: str, tax: Mapping[int, float | None], land: float | None, above: bool, **more: Any
) -> list[dict[str, Any]]:
    """Return annual rows of one enterprise: tax (万元) by year, one land (亩) and class."""
    return [
        {"credit_code": code, "year": y, "tax_wan": t, "land_mu": land, "above_scale": above, **more}
        for y, t in tax.items()
    ]
