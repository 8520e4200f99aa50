"""The ledger on one page (台账一览): rows by sheet and year, and how far each department's columns are filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lyeval.ledger.columns import FLAGS, SHEETS, Ledger, of_sheet
from lyeval.ledger.vocabulary import terms

Needs = Mapping[tuple[str, str], Sequence[str]]
DEPARTMENTS = {id: (zh, en) for id, zh, en in terms("department")}
JOINED = ("credit_code", "org_code", "below_scale")
MOST = 5000


def rows_by_year(ledger: Ledger) -> pd.DataFrame:
    """Count rows and enterprises by sheet, and by year where the sheet has years.

    Returns
    -------
    DataFrame
        sheet, label, year (None where the sheet has none), rows, enterprises (None where it has no credit codes).
    """
    rows: list[dict[str, Any]] = []
    for sheet, (label, _) in SHEETS.items():
        for year, part in _by_year(ledger, sheet) if ledger.has(sheet) else ():
            firms = part["credit_code"].nunique() if "credit_code" in part else None
            rows.append({"sheet": sheet, "label": label, "year": year, "rows": len(part), "enterprises": firms})
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
    wanted = {place: list(dict.fromkeys(verdicts)) for place, verdicts in (needs or {}).items()}
    rows: list[dict[str, Any]] = []
    for sheet, (label, keys) in SHEETS.items():
        for column in of_sheet(sheet).values():
            mine = wanted.get((sheet, column.name), [])
            if column.name in keys or column.name in JOINED:
                continue
            there = ledger.has(sheet, column.name)
            for year, part in _by_year(ledger, sheet) if there else [(None, None)] if mine else ():
                values = None if part is None else part[column.name]
                rows.append(_row(sheet, column.name, column.zh, column.en, mine) | _filled(sheet, column.name, values))
                rows[-1]["year"] = year
        if wanted.get((sheet, "")) and not ledger.has(sheet):
            rows.append(_row(sheet, "", f"{label}表", f"sheet {sheet}", wanted[(sheet, "")]))
    rows.sort(key=lambda row: list(DEPARTMENTS).index(row["id"]))
    names = [*_row("annual", "", "", "", [])][1:]
    return pd.DataFrame(rows, columns=names, dtype=object)


def lacking(ledger: Ledger, needs: Needs | None = None, lang: str = "zh") -> dict[str, pd.DataFrame]:
    """Return what each department owes, to be forwarded: one row a firm and year that lacks a figure, or a column that is not there.

    Returns
    -------
    dict of DataFrame
        Department → what, year, credit_code, name, township, blocks; departments that owe nothing are absent. At most
        ``MOST`` firms a column.
    """
    firms = ledger.enterprises.set_index("credit_code")
    out: dict[str, list[tuple[Any, ...]]] = {}
    for row in coverage_by_department(ledger, needs).to_dict("records"):
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


def _by_year(ledger: Ledger, sheet: str) -> list[tuple[int | None, pd.DataFrame]]:
    """Return a sheet's rows year by year, or whole."""
    frame: pd.DataFrame = getattr(ledger, sheet)
    if "year" not in SHEETS[sheet][1]:
        return [(None, frame)]
    return [(int(str(year)), part) for year, part in frame.groupby("year", sort=True)]


def _row(sheet: str, column: str, zh: str, en: str, verdicts: list[str]) -> dict[str, Any]:
    """Lay out a column, or (column "") a sheet, that is not there."""
    id = department_of(sheet, column)
    row = {"id": id, "department": DEPARTMENTS[id][0], "department_en": DEPARTMENTS[id][1], "sheet": sheet}
    row |= {"column": column, "label": zh, "label_en": en, "year": None, "there": False}
    return row | dict.fromkeys(("rows", "filled", "share", "yes")) | {"verdicts": verdicts}


def _filled(sheet: str, name: str, values: pd.Series | None) -> dict[str, Any]:
    """Say how far a column that is there is filled."""
    if values is None:
        return {}
    column, filled = of_sheet(sheet)[name], int(values.notna().sum())
    flag = column.kind in FLAGS and column.kind != "scale"
    share = filled / len(values) if column.expected and len(values) else None
    yes = int(values.fillna(False).sum()) if flag else None
    return {"there": True, "rows": len(values), "filled": filled, "share": share, "yes": yes}
