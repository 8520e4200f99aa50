"""A small made-up county for tests of whole ledgers: closed, exempt, small, on the line, moving between classes, with blanks."""

from __future__ import annotations

import random

from build import ledger as make_ledger

from lyeval.ledger import Ledger

BLANK = ["contract_completion", "completed", "production_start", "stopped_since", "statutory_excuse", "contract_tax_per_mu",
         "contract_investment_intensity", "contract_building_density", "contract_plot_ratio", "listed_by_task_force"]  # fmt: skip


def county(n: int = 12, *more: str, years: tuple[int, ...] = (2020, 2021, 2022, 2023)) -> Ledger:
    """Make a ledger of ``n`` enterprises; ``more``: items, parcels, extra (land-use tax), asked (no criterion unknown)."""
    draw = random.Random(3)
    sheets: dict[str, list] = {"enterprises": [], "annual": [], "disposals": []}
    for i in range(n):
        code, land = f"E{i:03d}", draw.choice([8.0, 10.0, 20.0, 40.0])
        firm = {"credit_code": code, "name": code, "township": f"T{i % 3}", "exempt_industry": i % 7 == 3}
        firm |= {"public_good": False, "protected_until": None}
        sheets["enterprises"].append(firm | (dict.fromkeys(BLANK) if "asked" in more else {}))
        for year in years:
            tax = None if (i, year) == (5, years[-1]) else draw.choice([0.3, 0.9, 1.0, 1.6, 3.0]) * land
            above = i % 3 == 0 and (i, year) != (6, years[-1])
            row = {"credit_code": code, "year": year, "tax_wan": tax, "land_mu": land, "above_scale": above}
            if "parcels" in more:
                row["parcel"] = f"P{i // 2}" if i < 4 else None
            if "extra" in more:
                row["land_use_tax_extra_wan"] = 0.2 * land if year == years[-1] and i % 5 == 1 else None
            sheets["annual"].append(row)
        sheets["disposals"] += _disposals(i, code, land, years[-1])
    if "items" in more:
        flow = {"year": years[-1], "item": "增值税", "flow": "留抵退税"}
        sheets["tax_items"] = [{"credit_code": f"E{i:03d}", **flow, "amount_wan": 4.0} for i in range(0, n, 4)]
    return make_ledger(**sheets)


def _disposals(i: int, code: str, land: float, year: int) -> list[dict]:
    rows = []
    if i % 4 == 1:
        day, released = f"{year - (i % 8 == 5)}-0{1 + i % 9}-15", land if i % 8 == 1 else None
        row = {"method": "shut_down", "outcome": "关停", "finished": day}
        rows.append(row | {"released_mu": released, "demolished_m2": 100.0 * (i % 3)})
    if i % 6 == 0:
        rows.append(
            {"method": "upgrade", "outcome": "达标", "finished": f"{year}-06-30", "written_off": f"{year}-09-30"}
        )
    return [{"credit_code": code, **row} for row in rows]
