"""Small ledgers for tests, made straight from rows of canonical columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from lyeval.ledger import Ledger
from lyeval.ledger.columns import dtype_of

KEYS = {"enterprises": ["credit_code"], "annual": ["credit_code", "year"]}


def frame(sheet: str, rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Lay out rows as a sheet's frame, sorted by its keys, with canonical types."""
    made = pd.DataFrame(list(rows))
    for column in made:
        kind = dtype_of(sheet, str(column))
        if kind.startswith("datetime"):
            made[column] = pd.to_datetime(made[column])
        else:
            made[column] = made[column].astype(kind)
    made = made.sort_values(
        KEYS.get(sheet, ["credit_code"] if "credit_code" in made else list(made)[:1]), kind="stable"
    )
    made["source_file"], made["source_sheet"], made["source_row"] = "test", sheet, range(2, len(made) + 2)
    return made.reset_index(drop=True)


def ledger(**sheets: Iterable[Mapping[str, Any]]) -> Ledger:
    """Make a ledger of rows by sheet; enterprises named only in ``annual`` are added."""
    rows = {name: list(values) for name, values in sheets.items()}
    known = {r["credit_code"] for r in rows.setdefault("enterprises", [])}
    codes = [r["credit_code"] for r in rows.get("annual", []) if r["credit_code"] not in known]
    rows["enterprises"] += [{"credit_code": c, "name": c} for c in dict.fromkeys(codes)]
    frames = {name: frame(name, values) for name, values in rows.items()}
    return Ledger(**frames, sheets=tuple(frames))


def years(
    code: str, tax: Mapping[int, float | None], land: float | None, above: bool, **more: Any
) -> list[dict[str, Any]]:
    """Return annual rows of one enterprise: tax (万元) by year, one land (亩) and class."""
    return [
        {"credit_code": code, "year": y, "tax_wan": t, "land_mu": land, "above_scale": above, **more}
        for y, t in tax.items()
    ]
