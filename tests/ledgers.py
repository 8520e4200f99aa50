"""Small ledgers for the tests: written to files in any form, with what reading them must give."""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from lyeval.ledger.vocabulary import with_check_digit

Rows = Sequence[Sequence[Any]]


def code(number: int) -> str:
    """Return a right credit code."""
    return with_check_digit(f"91371329{number:09d}")


def xlsx(
    path: Path, sheets: Mapping[str, Rows], merges: Mapping[str, Sequence[tuple[int, int, int, int]]] | None = None
) -> Path:
    """Write sheets of rows to a workbook; ``merges`` gives ranges (row, column, row, column) from 0."""
    book = xlsxwriter.Workbook(str(path))
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for r, row in enumerate(rows):
            for c, value in enumerate(row):
                if value is not None and value != "":
                    if isinstance(value, str):
                        sheet.write_string(r, c, value)
                    elif isinstance(value, bool | int | float):
                        sheet.write(r, c, value)
                    else:
                        sheet.write_datetime(r, c, value, book.add_format({"num_format": "yyyy-mm-dd"}))
        for r0, c0, r1, c1 in (merges or {}).get(name, ()):
            value = rows[r0][c0]
            sheet.merge_range(r0, c0, r1, c1, value)
    book.close()
    return path


def rewritten(path: Path, change: Callable[[str], str], part: str = "xl/worksheets/sheet1.xml") -> Path:
    """Change the XML of a workbook's sheet in place."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    made = change(parts[part].decode())
    assert made != parts[part].decode()
    parts[part] = made.encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def csv_file(path: Path, rows: Rows, encoding: str = "utf-8") -> Path:
    """Write rows to a CSV file."""
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows([["" if v is None else v for v in row] for row in rows])
    return path


def content(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame without the place of its rows."""
    return frame.drop(columns=["source_file", "source_sheet", "source_row"])


A, B, C = code(1), code(2), code(3)
ENTERPRISES: Rows = [
    ["统一社会信用代码", "企业名称", "县区", "镇街", "公益类", "保护期至"],
    [A, "甲公司", "临沭县", "大兴镇", "否", "2021-01-28"],
    [B, "乙公司", "临沭县", "青云镇", "是", ""],
    [C, "丙公司", "临沭县", "大兴镇", "", ""],
]
ANNUAL: Rows = [
    ["统一社会信用代码", "年份", "规上", "实缴税金", "土地总面积"],
    [A, 2022, "是", 10.5, 20],
    [A, 2023, "是", 12.25, 20],
    [B, 2022, "否", 0.5, 12],
    [B, 2023, "否", -0.75, 12],
    [C, 2023, "否", 3, 15],
]
BOTH = {"企业": ENTERPRISES, "年度": ANNUAL}
