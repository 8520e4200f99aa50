"""Write a sample: workbook, folder of CSV or of Parquet, survey forms, the sidecar that says how it was made, the ledger with planted faults."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.ledger.columns import SHEETS, of_sheet
from lyeval.sample.story import data
from lyeval.textfiles import yaml_text
from lyeval.workbooks import Book, csv_bytes, write_frame

CREATED = datetime(2026, 1, 1)
NOTES: dict[str, str] = data("sheets")["notes"]
FULL_WIDTH = str.maketrans("0123456789.-", "０１２３４５６７８９．－")
Grid = list[list[Any]]


def headings(sheet: str, frame: pd.DataFrame) -> list[str]:
    """Return the Chinese headings of a sheet's columns, with the unit in brackets where there is one."""
    known = of_sheet("enterprises") | of_sheet(sheet)
    return [f"{known[name].zh}（{known[name].unit}）" if known[name].unit else known[name].zh for name in frame.columns]


def write(
    frames: Mapping[str, pd.DataFrame],
    path: Path | str,
    *,
    kind: str | None = None,
    about: Mapping[str, Any] | None = None,
) -> Path:
    """Write the sheets of `make` and their sidecar ``<name>.yaml``; returns the sidecar.

    Parameters
    ----------
    path : path
        ``….xlsx`` for a workbook, else a folder.
    kind : {"xlsx", "csv", "parquet"}, optional
        Default: ``xlsx`` by the ending, else ``csv``. CSV is UTF-8 with BOM and Chinese headings, Parquet has canonical names.
    about : mapping, optional
        What the sidecar says besides licence, notes and hash: command, seed, truth.
    """
    path = Path(path)
    kind = kind or ("xlsx" if path.suffix == ".xlsx" else "csv")
    if kind not in WRITERS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(WRITERS)} (格式只能是其中之一)")
    _beside(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    WRITERS[kind](frames, path)
    return sidecar(path, about or {})


def sidecar(path: Path, about: Mapping[str, Any]) -> Path:
    """Write ``<name>.yaml`` beside a made file or folder: notes, licence, hash, and ``about``."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    content = {
        "file": path.name,
        "producer": "lyeval.sample",
        **about,
        "licence": "CC0-1.0",
        "sha256": hashes[path.name] if path.is_file() else hashes,
        "synthetic": True,
        **{f"synthetic_note_{lang}": note for lang, note in NOTES.items()},
    }
    _beside(path).write_text(yaml_text(content), encoding="utf-8", newline="\n")
    return _beside(path)


def _beside(path: Path) -> Path:
    """Return where the sidecar of a file or folder stands; what is there and no sidecar of ours, such as a plan, is kept."""
    target = path.with_name(f"{path.stem if path.suffix == '.xlsx' else path.name}.yaml")
    if target.exists() and b"producer: lyeval.sample" not in target.read_bytes():
        raise ValueError(f"{target.name}: a file that is no sample's stands there / 已有别的文件，不覆盖，请另取文件名")
    return target


def write_xlsx(frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write a workbook with Chinese sheet names and headings; the same frames give the same bytes."""
    size = sum(frame.size for frame in frames.values())
    with Book(path, {"title": path.stem, "comments": NOTES["zh"], "created": CREATED}, cells=size) as book:
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E8EEF4"})
        styles = {"head": head, "date": book.add_format({"num_format": "yyyy-mm-dd"})}
        for sheet, frame in frames.items():
            write_frame(book, SHEETS[sheet][0], headings(sheet, frame), frame, data("sheets")["widths"], styles)


def cells(column: pd.Series) -> list[Any]:
    """Return a column's values as an office writes them: 是, 否, text, number, date, None for blank."""
    values = column.astype(object).where(column.notna(), None).tolist()
    if column.dtype.kind == "M":
        return [None if value is None else value.to_pydatetime() for value in values]
    return [("是" if value else "否") if isinstance(value, bool) else value for value in values]


def write_csv(frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write a folder with one CSV per sheet, UTF-8 with BOM, Chinese headings."""
    path.mkdir(parents=True, exist_ok=True)
    for sheet, frame in frames.items():
        text = pd.DataFrame({name: pd.Series(cells(frame[name]), dtype=object) for name in frame.columns})
        for name in frame.columns:
            if frame[name].dtype.kind == "M":
                text[name] = frame[name].dt.strftime("%Y-%m-%d")
        text.columns = headings(sheet, frame)
        (path / f"{SHEETS[sheet][0]}.csv").write_bytes(csv_bytes(text))


def write_parquet(frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write a folder with one Parquet file per sheet, canonical names and types."""
    path.mkdir(parents=True, exist_ok=True)
    for sheet, frame in frames.items():
        frame.to_parquet(path / f"{sheet}.parquet", index=False)


def write_messy(folder: Path | str, frames: Mapping[str, pd.DataFrame], how: str, seed: int) -> Path:
    """Plant the faults of ``sheets.yaml`` in sheets and write ``messy.xlsx`` with its sidecar; returns the sidecar."""
    told, path = data("sheets")["messy"], Path(folder) / "messy.xlsx"
    grids = {sheet: _grid(sheet, frames[sheet], layout) for sheet, layout in told["sheets"].items()}
    planted = _plant(grids, told["faults"])
    with Book(path, {"title": "messy", "comments": NOTES["zh"], "created": CREATED}) as book:
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        for sheet, grid in grids.items():
            table = book.sheet(SHEETS[sheet][0])
            for row, values in enumerate(grid):
                for column, value in enumerate(values):
                    if isinstance(value, str):
                        table.write_string(row, column, value)
                    elif value is not None:
                        table.write(row, column, value, date if isinstance(value, datetime) else None)
    about = {
        "command": f"lyeval.sample.messy(folder, {how})",
        "policy": "zhoushan-2020",
        "seed": seed,
        **{name: told[name] for name in ("purpose_zh", "purpose_en")},
        "planted": planted,
    }
    return sidecar(path, about)


def _grid(sheet: str, frame: pd.DataFrame, layout: Mapping[str, Any]) -> Grid:
    """Return a sheet as rows of cells: title, unit line, headings, data."""
    frame = frame[layout["columns"]]
    columns = [cells(frame[name]) for name in frame.columns]
    grid: Grid = [[layout["title"]], [layout["unit"]], headings(sheet, frame)]
    return grid + [list(row) for row in zip(*columns, strict=True)]


def _plant(grids: dict[str, Grid], faults: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the faults in; returns for each: sheet, Excel row (1-based), rule, and what was done."""
    _plain_mess(grids["annual"])
    for row, values in enumerate(grids["enterprises"][2:], start=2):
        values.append(f"{row % 5 + 1}级" if row > 2 else "税收贡献指数")
    planted: list[dict[str, Any]] = []
    for fault in faults:
        grid = grids[fault["sheet"]]
        if "add" in fault or "again" in fault:
            grid.append(list(fault["add"] if "add" in fault else grid[fault["again"]]))
        elif "cell" in fault:
            row, cell = grid[fault["row"]], fault["cell"]
            row[cell] = row[cell][: fault["cut"]] + fault["put"] if "cut" in fault else fault["put"]
        if "rule" in fault:
            where = {"sheet": SHEETS[fault["sheet"]][0], "row": fault.get("row", len(grid) - 1) + 1}
            planted.append(where | {"rule": fault["rule"], "what": fault["what"]})
    return planted


def _plain_mess(years: Grid) -> None:
    """Write figures as offices do, which is no fault: full-width digits, thousands separators, marks for yes."""
    for row, values in enumerate(years[3:], start=3):
        if row % 9 == 0 and isinstance(values[3], float):
            values[3] = f"{values[3]:.2f}".translate(FULL_WIDTH)
        if row % 7 == 0 and isinstance(values[5], float):
            values[5] = f"{values[5]:,.1f}"
        values[2] = {"是": "√", "否": "×"}[values[2]] if row % 2 else values[2]


WRITERS = {"xlsx": write_xlsx, "csv": write_csv, "parquet": write_parquet}


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
