"""Tables that are no tables of firms (汇总表、字典、样表): told what they are; a summary is compared with our own sums."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.cells import Odd, number
from lyeval.ledger.columns import NUMERIC, of_sheet
from lyeval.ledger.convert import cell_of
from lyeval.ledger.faults import Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import key
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.totals import TOTAL
from lyeval.workbooks import base_of

Passed = tuple[Grid, Layout]


def taken_for(name: str, firms: bool = True) -> tuple[str, str] | None:
    """Return what a sheet of this name is, in both languages, if it is no table of firms.

    ``firms`` tells that the sheet names firms: then it is none only as an example, a dictionary or notes, not as a summary.
    """
    word = key(base_of(name) or "")
    return next(((zh, en) for pattern, zh, en in NAMES[: 4 if firms else None] if re.search(pattern, word)), None)


def compare_summaries(passed: Sequence[Passed], frames: Mapping[str, pd.DataFrame], faults: Faults) -> None:
    """Tell the tables that were not read, and where a summary by township, county or industry is not what our firms add to."""
    for grid, layout in passed:
        groups = None if taken_for(grid.sheet) else _groups(grid, layout, frames)
        if groups is None:
            what = taken_for(grid.sheet, firms=False) or (
                "没有信用代码和企业名称的表",
                "a table without codes and names",
            )
            faults.add("sheet_passed", grid.file, grid.sheet, what=what[0], what_en=what[1])
            continue
        faults.add(
            "sheet_passed", grid.file, grid.sheet, what="汇总表（已与企业表核对）", what_en="a summary (compared)"
        )
        _compare(grid, layout, *groups, frames, faults)


def _groups(grid: Grid, layout: Layout, frames: Mapping[str, pd.DataFrame]) -> tuple[str, list[str]] | None:
    """Return by which column of the enterprises a table is grouped, and each row's group; None for other tables."""
    firms = frames.get("enterprises")
    if firms is None:
        return None
    body = grid.body(layout.body)
    for place in range(min(len(body), 4)):
        labels = [key(str(cell_of(body[place], p) or "")) for p in range(grid.height - layout.body)]
        for name in ("township", "county", "park", "industry_code"):
            own = {key(str(v)) for v in firms[name].dropna().unique()} if name in firms else set()
            if sum(label in own for label in labels) * 2 >= max(
                sum(bool(x) and not TOTAL.fullmatch(x) for x in labels), 1
            ):
                return name, labels
    return None


def _compare(
    grid: Grid, layout: Layout, group: str, labels: list[str], frames: Mapping[str, pd.DataFrame], faults: Faults
) -> None:
    """Compare each figure of a summary with the sum over the firms of its group."""
    annual = frames.get("annual")
    if annual is None or not len(annual):
        return
    firms = frames["enterprises"][["credit_code", group]]
    rows = annual.merge(firms, on="credit_code", how="left")
    rows["group"] = [key(str(v)) if pd.notna(v) else "" for v in rows[group]]
    body = grid.body(layout.body)
    heads = [*layout.columns, *_counts(grid, layout)]
    for item in heads:
        period = item.period.in_year(layout.year) if item.period else None
        year = (period.year if period else layout.year) or int(annual["year"].max())
        mine = rows[(rows["year"] == year).to_numpy()]
        figures = _figures(item, mine)
        if figures is None or (item.period is not None and not item.period.whole):
            continue
        for position, label in enumerate(labels):
            told = number(cell_of(body[item.place], position), item.column.unit) if label else None
            stated = told.value if isinstance(told, Odd) else told
            part = figures if TOTAL.fullmatch(label) else figures[(mine["group"] == label).to_numpy()]
            if not isinstance(stated, float) or not (len(part) or TOTAL.fullmatch(label)):
                continue
            own = float(np.nansum(part)) / float(item.ratio)
            decimals = min(len(f"{stated:.6f}".rstrip("0").partition(".")[2]), 6)
            if abs(stated - own) > max(1e-9 * abs(stated), 10.0**-decimals * (0.5 + 0.9 * len(part) ** 0.5)):
                place = {"row": grid.first_row + layout.body + position, "heading": item.heading, "value": stated}
                shown = {"stated": f"{stated:.10g}", "own": f"{own:.10g}", "year": year, "column": item.heading}
                name = str(next(c for c in (cell_of(b, position) for b in body) if key(str(c or "")) == label))
                faults.add("summary_differs", grid.file, grid.sheet, **place, **shown, group=name)


def _figures(item: Mapped, rows: pd.DataFrame) -> np.ndarray | None:
    """Return what a column of a summary adds up, per firm; None when the firms do not say it."""
    name = item.column.name
    if name in ("all", "above", "below"):
        if name == "all":
            return np.ones(len(rows))
        if "above_scale" not in rows:
            return None
        return (rows["above_scale"] == (name == "above")).fillna(False).to_numpy(dtype=float)
    if item.column.kind not in NUMERIC or "/" in item.column.unit or item.column.kind == "share" or name not in rows:
        return None
    return rows[name].to_numpy(dtype=float)


def _counts(grid: Grid, layout: Layout) -> list[Mapped]:
    """Return the columns that count firms."""
    found = []
    for place, cell in enumerate(grid.top(layout.body)[-1]):
        name = next((n for pattern, n in COUNTS if re.fullmatch(pattern, key(str(cell or "")))), None)
        if name:
            column: Any = of_sheet("counties")["enterprises"]
            found.append(Mapped(column.__class__(**{**vars(column), "name": name}), str(cell), place))
    return found


NAMES = (
    (r"^(填报|填写|填表|参考)?(示例|样表|样例|范例|范本|举例)|(示例|样表|样例|范例)$", "填报示例", "an example"),
    (r"说明$|须知|填报要求|填表要求", "填报说明", "notes on filling in"),
    (
        r"字典|下拉|选项|代码表|码表|枚举|参数表?$|数据源|数据有效性|^(list|dict|options?)\d*$",
        "下拉选项、字典",
        "a dictionary",
    ),
    (r"^封面|^目录|^索引|^首页", "封面、目录", "a cover or contents"),
    (r"图表|统计图|chart", "图表", "charts"),
    (r"汇总|分镇街|分乡镇|分行业|分县区|统计表|小计|合计", "汇总表", "a summary"),
)
COUNTS = (
    (r"(规上|规模以上)(工业)?(企业)?(数量?|户数|家数|个数)(家|户)?", "above"),
    (r"(规下|规模以下)(工业)?(企业)?(数量?|户数|家数|个数)(家|户)?", "below"),
    (r"(参评|低效|工业)?(企业)?(总?数量?|总?户数|家数|个数)(家|户)?|企业", "all"),
)
