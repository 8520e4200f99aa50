"""The ledger on one page (台账一览): rows by sheet and year, and how far each department's columns are filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lyeval.ledger.columns import FLAGS, SHEETS, Column, Ledger, of_sheet

Needs = Mapping[tuple[str, str], Sequence[str]]


def rows_by_year(ledger: Ledger) -> pd.DataFrame:
    """Count rows and enterprises by sheet, and by year where the sheet has years.

    Returns
    -------
    DataFrame
        sheet, label, year (None where the sheet has none), rows, enterprises (None where it has no credit codes).
    """
    rows = []
    for sheet, (label, keys) in SHEETS.items():
        if not ledger.has(sheet):
            continue
        frame: pd.DataFrame = getattr(ledger, sheet)
        parts = [(None, frame)]
        if "year" in keys:
            parts = [(int(str(year)), part) for year, part in frame.groupby("year", sort=True)]
        for year, part in parts:
            firms = part["credit_code"].nunique() if "credit_code" in part else None
            rows.append((sheet, label, year, len(part), firms))
    return pd.DataFrame(rows, columns=["sheet", "label", "year", "rows", "enterprises"], dtype=object)


def coverage_by_department(ledger: Ledger, needs: Needs | None = None) -> pd.DataFrame:
    """Tell how far each column is filled, by the department that answers for it (分部门填报率).

    Parameters
    ----------
    ledger : Ledger
    needs : Mapping, optional
        (sheet, column) → the verdicts that read it, as `lyeval.assessment.needs` lists them; column "" is the whole sheet. A needed
        column or sheet that is not there is listed with ``there`` False.

    Returns
    -------
    DataFrame
        department, department_en, sheet, column, label, label_en, year (None where the sheet has none), there, rows, filled,
        share (fraction of 1; None where a blank says something: no, none, not yet), yes (number of yes, of flags), verdicts
        (list). Departments in the order of ``DEPARTMENTS``, columns in that of the ledger's table, years ascending.
    """
    needs = dict(needs or {})
    rows = []
    for sheet in SHEETS:
        for column in of_sheet(sheet).values():
            wanted = list(dict.fromkeys([*needs.get((sheet, column.name), ())]))
            if column.name in SHEETS[sheet][1] or column.name in JOINED:
                continue
            if ledger.has(sheet, column.name):
                rows += [_row(sheet, column, wanted, *part) for part in _parts(ledger, sheet, column)]
            elif wanted:
                rows.append(_row(sheet, column, wanted, None, None))
        if needs.get((sheet, "")) and not ledger.has(sheet):
            rows.append(_sheet_row(sheet, list(needs[(sheet, "")])))
    order = list(DEPARTMENTS)
    rows.sort(key=lambda row: order.index(row["id"]))
    return pd.DataFrame(rows, columns=["id", *COVERAGE], dtype=object)[COVERAGE]


def lacking(ledger: Ledger, needs: Needs | None = None, lang: str = "zh") -> dict[str, pd.DataFrame]:
    """Return what each department owes, to be forwarded: one row a firm and year that lacks a figure, or a column that is not there.

    Returns
    -------
    dict of DataFrame
        Department → what, year, credit_code, name, township, blocks; departments that owe nothing are absent. At most
        ``MOST`` firms a column.
    """
    covered = coverage_by_department(ledger, needs)
    firms = ledger.enterprises.set_index("credit_code")
    out: dict[str, list[tuple[Any, ...]]] = {}
    for row in covered.to_dict("records"):
        column = of_sheet(row["sheet"]).get(row["column"])
        what = row["label" if lang == "zh" else "label_en"]
        blocks = "、".join(row["verdicts"])
        rows = out.setdefault(department_of(row["sheet"], row["column"]), [])
        if not row["there"]:
            rows.append((what, None, None, "整列没有" if lang == "zh" else "no such column", None, blocks))
        elif column is not None and row["share"] is not None and row["share"] < 1:
            frame: pd.DataFrame = getattr(ledger, row["sheet"])
            blank = frame[column.name].isna()
            blank &= (frame["year"] == row["year"]) if row["year"] is not None else True
            for code in frame.loc[blank, "credit_code"].head(MOST) if "credit_code" in frame else ():
                said = [firms[n].get(code) if n in firms else None for n in ("name", "township")]
                rows.append((what, row["year"], code, *said, blocks))
    names = ["what", "year", "credit_code", "name", "township", "blocks"]
    return {id: pd.DataFrame(out[id], columns=names, dtype=object) for id in DEPARTMENTS if out.get(id)}


def department_of(sheet: str, column: str) -> str:
    """Return the id in ``DEPARTMENTS`` of the department that answers for a column, or (column "") for a whole sheet."""
    if column:
        known = of_sheet(sheet).get(column)
        return known.owner if known is not None else "towns"
    owners = [c.owner for c in of_sheet(sheet).values() if c.kind not in ("code", "year", "month")]
    return max(dict.fromkeys(owners), key=owners.count, default="towns")


def _parts(ledger: Ledger, sheet: str, column: Column) -> list[tuple[int | None, pd.Series]]:
    """Return a column's values by year, or whole."""
    frame: pd.DataFrame = getattr(ledger, sheet)
    if "year" not in SHEETS[sheet][1]:
        return [(None, frame[column.name])]
    return [(int(str(year)), part) for year, part in frame.groupby("year", sort=True)[column.name]]


def _row(sheet: str, column: Column, wanted: list[str], year: int | None, values: pd.Series | None) -> dict[str, Any]:
    """Lay out one column of one year."""
    id = department_of(sheet, column.name)
    flag = column.kind in FLAGS and column.kind != "scale"
    filled = None if values is None else int(values.notna().sum())
    rows = None if values is None else len(values)
    expected = column.expected
    return {
        "id": id,
        "department": DEPARTMENTS[id][0],
        "department_en": DEPARTMENTS[id][1],
        "sheet": sheet,
        "column": column.name,
        "label": column.zh,
        "label_en": column.en,
        "year": year,
        "there": values is not None,
        "rows": rows,
        "filled": filled,
        "share": None if not expected or not rows or filled is None else filled / rows,
        "yes": int(values.fillna(False).sum()) if flag and values is not None else None,
        "verdicts": wanted,
    }


def _sheet_row(sheet: str, wanted: list[str]) -> dict[str, Any]:
    """Lay out a sheet that is needed and not there."""
    id = department_of(sheet, "")
    label = f"{SHEETS[sheet][0]}表"
    return dict.fromkeys(COVERAGE) | {
        "id": id,
        "department": DEPARTMENTS[id][0],
        "department_en": DEPARTMENTS[id][1],
        "sheet": sheet,
        "column": "",
        "label": label,
        "label_en": f"sheet {sheet}",
        "there": False,
        "verdicts": wanted,
    }


MOST = 5000
JOINED = ("credit_code", "org_code", "below_scale")
COVERAGE = [
    "department",
    "department_en",
    "sheet",
    "column",
    "label",
    "label_en",
    "year",
    "there",
    "rows",
    "filled",
    "share",
    "yes",
    "verdicts",
]
DEPARTMENTS = {
    "tax": ("税务部门", "tax office"),
    "land": ("自然资源和规划部门", "land office"),
    "statistics": ("统计部门", "statistics office"),
    "power": ("供电部门", "power supplier"),
    "environment": ("生态环境部门", "environment office"),
    "others": ("其他执法部门", "other departments"),
    "investment": ("投资促进部门", "investment office"),
    "lead": ("牵头部门", "lead office"),
    "towns": ("属地镇街", "township"),
}
