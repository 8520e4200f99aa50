"""Figures in the wrong unit (量级核对): 元 under 万元, 平方米 under 亩, 度 under 万千瓦时, in one row or a whole column."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lyeval.ledger.columns import of_sheet
from lyeval.ledger.faults import LIMIT, Faults
from lyeval.ledger.marks import ranks
from lyeval.ledger.model import PLACE, each


def check_scale(annual: pd.DataFrame, file: str, faults: Faults) -> None:
    """Tell figures that look as if they were in another unit than their column.

    A row is told when it stands to the same firm's figure of the year before, or after, as one unit to the other; a
    column when its median is beyond what any county's firms have. Each is told with the other row and value.

    Parameters
    ----------
    annual : DataFrame
        Annual rows, sorted by ``credit_code`` and ``year``.
    """
    ids = ranks(annual["credit_code"])
    neighbours = ids[1:] == ids[:-1]
    for name, column in of_sheet("annual").items():
        slip = column.slip
        if slip is None or name not in annual:
            continue
        _tell_rows(annual, name, neighbours, slip.ratio, slip.spread, slip.unit, faults)
        if slip.median is not None and len(annual) >= 5:
            median = float(annual[name].median())
            if median > slip.median:
                more = {"median": f"{median:.6g}", "unit": column.unit, "slip": slip.unit}
                heading = {"heading": column.zh, "column": column.zh, "column_en": column.en}
                faults.add("scale_column", file, str(annual["source_sheet"].iloc[0]), **heading, **more)


def _tell_rows(
    annual: pd.DataFrame, name: str, neighbours: np.ndarray, ratio: float, spread: float, unit: str, faults: Faults
) -> None:
    """Tell the rows of one column that jump by a unit's ratio."""
    values = annual[name].to_numpy()
    with np.errstate(all="ignore"):
        step = values[1:] / values[:-1]
    near = neighbours & (values[1:] > 0) & (values[:-1] > 0)
    up = near & (step > ratio / spread) & (step < ratio * spread)
    down = near & (step < spread / ratio) & (step > 1 / ratio / spread)
    back = np.append(False, up[:-1])
    odd = np.flatnonzero(up) + 1
    before = np.flatnonzero(down & ~back)
    pairs = sorted([(int(i), int(i) - 1) for i in odd] + [(int(i), int(i) + 1) for i in before])
    column = of_sheet("annual")[name]
    told = annual[["credit_code", "year", name, *PLACE]].rename(columns={name: "figure"})
    rows, others = (each(told.take([pair[i] for pair in pairs[: LIMIT + 1]])) for i in (0, 1))
    for count, (row, beside) in enumerate(zip(rows, others, strict=True)):
        more = {"other": f"{beside.figure:.10g}", "other_row": int(beside.source_row), "other_year": int(beside.year)}
        more |= {"code": row.credit_code, "year": int(row.year), "unit": column.unit, "slip": unit}
        if count == LIMIT:
            more["count"] = len(pairs) - LIMIT
        place = {"row": row.source_row, "heading": column.zh, "value": row.figure}
        faults.add("scale_row", row.source_file, row.source_sheet, **place, **more)
