"""Survey forms (附件2 调查表) of a sample: one workbook an enterprise and a blank one, laid out as ``sheets.yaml`` says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.ledger.columns import of_sheet
from lyeval.sample.county import data
from lyeval.sample.output import CREATED
from lyeval.workbooks import Book

Values = Mapping[str, Any]
FORM: dict[str, Any] = data("sheets")["form"]
RATIOS = {"tax_per_mu_reported": ("tax_wan", "land_mu"), "tax_per_kwh_reported": ("tax_wan", "power_wankwh")}
COLUMNS = of_sheet("enterprises") | of_sheet("annual")


def write_forms(frames: Mapping[str, pd.DataFrame], folder: Path | str, year: int) -> list[Path]:
    """Write one form per enterprise that has figures of ``year``, named by its credit code, and ``空白表.xlsx``.

    Returns
    -------
    list of Path
        The filled forms, by credit code.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    annual = frames["annual"]
    rows = annual[annual["year"] == year].merge(frames["enterprises"], on="credit_code", suffixes=("", "_own"))
    write_form(folder / "空白表.xlsx", {})
    made = []
    for row in rows.sort_values("credit_code").to_dict("records"):
        made.append(folder / f"{row['credit_code']}.xlsx")
        write_form(made[-1], {str(name): value for name, value in row.items()})
    return made


def write_form(path: Path, values: Values) -> None:
    """Write one form; fields that ``values`` (canonical name → value) does not have stay blank. Same values, same bytes."""
    with Book(path, {"title": FORM["title"], "created": CREATED}) as book:
        line = {"border": 1, "text_wrap": True, "valign": "vcenter", "align": "center"}
        label, fill = book.add_format(line | {"bg_color": "#E8EEF4"}), book.add_format(line | {"num_format": "@"})
        figure = book.add_format(line | {"num_format": "General"})
        sheet = book.sheet("调查表")
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, 3, 22)
        title = book.add_format({"bold": True, "font_size": 16, "align": "center"})
        sheet.merge_range(0, 0, 0, 3, f"{_shown(values.get('county')) or ''}{FORM['title']}", title)
        sheet.merge_range(1, 0, 1, 3, FORM["note"], book.add_format({"font_size": 9, "align": "center"}))
        for r, pair in enumerate(FORM["head"], start=2):
            for c, (name, words) in zip((0, 2), pair.items(), strict=True):
                sheet.write_string(r, c, words, label)
                _write(sheet, r, c + 1, _shown(values.get(name)), fill)
        _body(sheet, len(FORM["head"]) + 2, values, label, figure, fill)


def _body(sheet: Any, row: int, values: Values, label: Any, figure: Any, fill: Any) -> None:
    """Write the fields with units from ``row`` on, then the large ones."""
    sheet.write_row(row, 0, ("类别", "项目", "计量单位", "数量"), label)
    for group, fields in FORM["groups"].items():
        for name, words in fields.items():
            row += 1
            unit = "年月" if name == "land_acquired" else COLUMNS[name].unit
            sheet.write_row(row, 0, (group, words, unit), label)
            _write(sheet, row, 3, _figure(name, values), figure)
        if len(fields) > 1:
            sheet.merge_range(row - len(fields) + 1, 0, row, 0, group, label)
    for words in FORM["areas"]:
        row += 1
        sheet.write_string(row, 0, words, label)
        sheet.merge_range(row, 1, row, 3, "", fill)
        sheet.set_row(row, 48)


def _figure(name: str, values: Values) -> Any:
    """Return a figure of the form; ratios are worked out from the others, None where one is missing."""
    if name not in RATIOS:
        return _shown(values.get(name))
    above, below = (_shown(values.get(part)) for part in RATIOS[name])
    return None if above is None or not below else round(above / below, 4)


def _shown(value: Any) -> Any:
    """Return a value as a form shows it: 是 and 否, a month for a day, None for what is missing."""
    if pd.isna(value):
        return None
    if isinstance(value, bool):
        return "是" if value else "否"
    return f"{value.year}年{value.month}月" if isinstance(value, pd.Timestamp) else value


def _write(sheet: Any, row: int, place: int, value: Any, style: Any) -> None:
    """Write one value: text as text, figures as figures."""
    if value is None:
        sheet.write_blank(row, place, None, style)
    elif isinstance(value, str):
        sheet.write_string(row, place, value, style)
    else:
        sheet.write_number(row, place, float(value), style)
