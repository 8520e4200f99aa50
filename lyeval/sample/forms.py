"""Survey forms (附件2 调查表) of a sample: one workbook an enterprise and a blank one, with the three fields that reading needs.

The fields are those of the form in 附件2 of 沭政办字〔2021〕21号; 统一社会信用代码, 年份 and 规上 are added, so that a form says whose it
is and which year its figures are about.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.ledger.columns import of_sheet
from lyeval.sample import truth
from lyeval.sample.making import Frames, make
from lyeval.sample.places import places
from lyeval.sample.writing import CREATED, sidecar
from lyeval.workbooks import Book

Values = Mapping[str, Any]


def produce_forms(
    policy_id: str,
    folder: Path | str,
    *,
    years: tuple[int, int],
    seed: int,
    enterprises: int | None = None,
    county: str | None = None,
) -> Path:
    """Make a ledger and write its last year as survey forms to ``folder``, with a blank form; returns the sidecar.

    Parameters and errors are those of `making.make`.
    """
    made = make(policy_id, enterprises=enterprises, years=years, seed=seed, county=county)
    write_forms(made, folder, years[1])
    size = sum(place.enterprises for place in places(policy_id, county)) if enterprises is None else enterprises
    account = truth.about(policy_id, county=county, size=size, years=years, seed=seed)
    return sidecar(Path(folder), account | {"forms_year": years[1]})


def write_forms(frames: Frames, folder: Path | str, year: int) -> list[Path]:
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
    rows = rows.sort_values("credit_code", ignore_index=True)
    write_form(folder / "空白表.xlsx", {})
    made = []
    for row in rows.to_dict("records"):
        made.append(folder / f"{row['credit_code']}.xlsx")
        write_form(made[-1], {str(name): value for name, value in row.items()})
    return made


def write_form(path: Path, values: Values) -> None:
    """Write one form; fields that ``values`` (canonical name → value) does not have stay blank. Same values, same bytes."""
    with Book(path, {"title": "低效企业基本情况调查表", "created": CREATED}) as book:
        _form(book, values)


def _form(book: Book, values: Values) -> None:
    """Write the form's one sheet."""
    line = {"border": 1, "text_wrap": True, "valign": "vcenter", "align": "center"}
    label, fill = book.add_format(line | {"bg_color": "#E8EEF4"}), book.add_format(line | {"num_format": "@"})
    figure = book.add_format(line | {"num_format": "General"})
    sheet = book.sheet("调查表")
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 3, 22)
    title = book.add_format({"bold": True, "font_size": 16, "align": "center"})
    sheet.merge_range(0, 0, 0, 3, f"{_shown(values.get('county')) or ''}低效企业基本情况调查表", title)
    sheet.merge_range(1, 0, 1, 3, NOTE, book.add_format({"font_size": 9, "align": "center"}))
    for r, pair in enumerate(HEAD, start=2):
        for c, name in zip((0, 2), pair, strict=True):
            sheet.write_string(r, c, LABELS[name], label)
            _write(sheet, r, c + 1, _shown(values.get(name)), fill)
    _body(sheet, len(HEAD) + 2, values, label, figure, fill)


def _body(sheet: Any, top: int, values: Values, label: Any, figure: Any, fill: Any) -> None:
    """Write the fields with units, then the large ones."""
    sheet.write_row(top, 0, ("类别", "项目", "计量单位", "数量"), label)
    row = top
    for group, fields in GROUPS.items():
        for name, words in fields.items():
            row += 1
            column = COLUMNS[name]
            unit = "年月" if name == "land_acquired" else column.unit
            sheet.write_row(row, 0, (group, words, unit), label)
            _write(sheet, row, 3, _figure(name, values), figure)
        if len(fields) > 1:
            sheet.merge_range(row - len(fields) + 1, 0, row, 0, group, label)
    for words in AREAS:
        row += 1
        sheet.write_string(row, 0, words, label)
        sheet.merge_range(row, 1, row, 3, "", fill)
        sheet.set_row(row, 48)


def _figure(name: str, values: Values) -> Any:
    """Return a figure of the form; ratios are worked out from the others."""
    if name == "tax_per_mu_reported":
        return _ratio(values.get("tax_wan"), values.get("land_mu"))
    if name == "tax_per_kwh_reported":
        return _ratio(values.get("tax_wan"), values.get("power_wankwh"))
    return _shown(values.get(name))


def _ratio(above: Any, below: Any) -> float | None:
    """Return a ratio of two figures, None where one is missing."""
    known = [_shown(value) for value in (above, below)]
    return round(known[0] / known[1], 4) if None not in known and known[1] else None


def _shown(value: Any) -> Any:
    """Return a value as a form shows it: 是 and 否, a month for a day, None for what is missing."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, pd.Timestamp):
        return f"{value.year}年{value.month}月"
    return value


def _write(sheet: Any, row: int, place: int, value: Any, style: Any) -> None:
    """Write one value: text as text, figures as figures."""
    if value is None:
        sheet.write_blank(row, place, None, style)
    elif isinstance(value, str):
        sheet.write_string(row, place, value, style)
    else:
        sheet.write_number(row, place, float(value), style)


COLUMNS = of_sheet("enterprises") | of_sheet("annual")
LABELS = {
    "township": "镇街、开发区", "survey_filled_by": "填表人", "credit_code": "统一社会信用代码", "year": "年份", "name": "企业名称",
    "survey_legal_person": "法人代表", "survey_project": "项目名称", "survey_phone": "联系电话", "survey_site": "宗地坐落", "above_scale": "规上",
}  # fmt: skip
HEAD = (
    ("township", "survey_filled_by"),
    ("credit_code", "year"),
    ("name", "survey_legal_person"),
    ("survey_project", "survey_phone"),
    ("survey_site", "above_scale"),
)
GROUPS = {
    "企业基本情况": {
        "employees": "职工人数", "revenue_wan": "上一年销售收入", "output_wan": "上一年工业产值", "profit_wan": "上一年利润总额",
        "tax_wan": "上一年实缴税金",
    },
    "资源占用情况": {
        "land_mu": "土地总面积", "granted_mu": "其中：土地出让面积", "floor_m2": "建筑面积", "footprint_m2": "建筑占地面积",
        "land_acquired": "土地取得时间", "transformer_kva": "装变容量", "survey_power_account": "用电户号", "power_wankwh": "上一年用电总量",
        "wastewater_t": "上一年排污量（污水）", "waste_gas_m3": "上一年排污量（废气）",
    },
    "贡献情况": {"tax_per_mu_reported": "亩产税收", "tax_per_kwh_reported": "单位电量税收"},
}  # fmt: skip
AREAS = ("拟定处置方案", "处置结果", "审核意见")
NOTE = "“年份”填各项数据所属的年度，“上一年”各项即该年度的数；没有数据的留空，不填零。"
