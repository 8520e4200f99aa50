"""A ledger with planted faults, for showing what checking finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lyeval.ledger.columns import SHEETS
from lyeval.sample.making import Frames, make
from lyeval.sample.writing import CREATED, NOTE_ZH, cells, headings, sidecar
from lyeval.workbooks import Book

Grid = list[list[Any]]
COLUMNS = {
    "enterprises": ("credit_code", "name", "county", "township", "industry_code", "public_good", "protected_until"),
    "annual": ("credit_code", "year", "above_scale", "tax_wan", "land_mu", "revenue_wan", "power_wankwh"),
    "disposals": ("credit_code", "method", "started", "finished", "outcome", "demolished_m2"),
}
TITLES = {
    "enterprises": "嵊泗县工业企业基本情况表",
    "annual": "工业企业亩均效益基础数据",
    "disposals": "低效企业处置进展",
}


def messy(folder: Path | str, *, enterprises: int = 40, seed: int = 2020) -> Path:
    """Write ``messy.xlsx`` and its sidecar, which lists every planted fault; returns the sidecar."""
    frames = make("zhoushan-2020", enterprises=enterprises, years=(2019, 2020), seed=seed, county="嵊泗县")
    grids = {sheet: _grid(frames, sheet) for sheet in COLUMNS}
    planted = _plant(grids)
    path = Path(folder) / "messy.xlsx"
    with Book(path, {"title": "messy", "comments": NOTE_ZH, "created": CREATED}) as book:
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        for sheet, grid in grids.items():
            table = book.sheet(SHEETS[sheet][0])
            for row, values in enumerate(grid):
                for column, value in enumerate(values):
                    if isinstance(value, str):
                        table.write_string(row, column, value)
                    elif value is not None:
                        table.write(row, column, value, date if hasattr(value, "year") else None)
    about = {
        "command": f"lyeval.sample.messy(folder, enterprises={enterprises}, seed={seed})",
        "policy": "zhoushan-2020",
        "seed": seed,
        "purpose_zh": "演示用：故意写错的台账，供 lyeval check 逐条报告。",
        "purpose_en": "For demonstration: a ledger with faults on purpose, for lyeval check to report.",
        "planted": planted,
    }
    return sidecar(path, about)


def _grid(frames: Frames, sheet: str) -> Grid:
    """Return a sheet as rows of cells: title, unit line, headings, data, and for figures a total row."""
    frame = frames[sheet][list(COLUMNS[sheet])]
    columns = [cells(frame[name]) for name in frame.columns]
    grid: Grid = [[TITLES[sheet]], ["单位：万元、亩"] if sheet == "annual" else [None], headings(sheet, frame)]
    return grid + [list(row) for row in zip(*columns, strict=True)]


def _plant(grids: dict[str, Grid]) -> list[dict[str, Any]]:
    """Put the faults in; returns for each: sheet, Excel row (1-based), rule, and what was done."""
    firms, years, cases = grids["enterprises"], grids["annual"], grids["disposals"]
    planted: list[dict[str, Any]] = []

    def tell(sheet: str, row: int, rule: str, what: str) -> None:
        planted.append({"sheet": SHEETS[sheet][0], "row": row + 1, "rule": rule, "what": what})

    _plain_mess(years)
    for row, values in enumerate(firms[2:], start=2):
        values.append(f"{row % 5 + 1}级" if row > 2 else "税收贡献指数")
    tell("enterprises", 2, "heading_unknown", "未识别的表头“税收贡献指数”")
    firms[6][0] = None
    tell("enterprises", 6, "code_missing", "缺信用代码")
    firms[8][0] = firms[8][0][:15] + "O1"
    tell("enterprises", 8, "code_wrong", "信用代码少一位且含字母O")
    firms[10][6] = "2020年13月45日"
    tell("enterprises", 10, "date_unreadable", "保护期日期写错")
    firms.append(list(firms[12]))
    tell("enterprises", len(firms) - 1, "duplicate_enterprise", "企业重复")
    years[7][3] = "约30"
    tell("annual", 7, "number_about", "税收填“约30”")
    years[9][4] = -12.5
    tell("annual", 9, "negative", "土地面积为负")
    years[11][2] = "小型"
    tell("annual", 11, "scale_size", "规上栏填“小型”")
    years[13][4] = "待核"
    cases[4][1] = "观望"
    tell("disposals", 4, "method_unknown", "处置方式写“观望”")
    cases[5][4] = "差不多"
    tell("disposals", 5, "outcome_unreadable", "处置结果写“差不多”")
    _append_rows(years, tell)
    return planted


def _plain_mess(years: Grid) -> None:
    """Write figures as offices do, which is no fault: full-width digits, thousands separators, marks for yes."""
    for row, values in enumerate(years[3:], start=3):
        if row % 9 == 0 and isinstance(values[3], float):
            values[3] = f"{values[3]:.2f}".translate(str.maketrans("0123456789.-", "０１２３４５６７８９．－"))
        if row % 7 == 0 and isinstance(values[5], float):
            values[5] = f"{values[5]:,.1f}"
        values[2] = {"是": "√", "否": "×"}[values[2]] if row % 2 else values[2]


def _append_rows(years: Grid, tell: Any) -> None:
    """Append a row of an unknown enterprise, a repeated enterprise-year and a wrong total."""
    years.append(["91330922MA90000000", 2020, "否", 12.0, 3.0, 200.0, 5.0])
    tell("annual", len(years) - 1, "orphan", "企业表中没有的代码")
    years.append(list(years[15]))
    tell("annual", len(years) - 1, "duplicate_year", "同一企业同一年份重复")
    years.append(["合计", None, None, 99999.0, 8888.0, None, None])
    tell("annual", len(years) - 1, "total_mismatch", "合计与明细不符")
