"""Write a sample: workbook, folder of CSV or of Parquet, the sidecar that says how it was made, and the ledger with planted faults."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.ledger.columns import SHEETS, of_sheet
from lyeval.sample.county import data
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
