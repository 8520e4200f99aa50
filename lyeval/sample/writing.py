"""Write a sample: workbook, folder of CSV or of Parquet, and the sidecar that says how it was made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.ledger.columns import SHEETS, of_sheet
from lyeval.textfiles import yaml_text
from lyeval.workbooks import Book, csv_bytes, write_frame

CREATED = datetime(2026, 1, 1)
NOTE_ZH = (
    "本台账为程序生成的样例：县区、镇街为真实地名，企业、信用代码和全部数字均为虚构，不反映任何地方或企业的实际情况。"
)
NOTE_EN = (
    "Synthetic ledger made by a program: counties and townships exist, enterprises, credit codes and all figures are "
    "invented and describe no real place or firm."
)


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
    """Write the sheets of `making.make` and their sidecar ``<name>.yaml``.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Sheets with canonical columns.
    path : path
        ``….xlsx`` for a workbook, else a folder.
    kind : {"xlsx", "csv", "parquet"}, optional
        Default: ``xlsx`` by the ending, else ``csv``. CSV is UTF-8 with BOM and Chinese headings, Parquet has canonical
        names.
    about : mapping, optional
        What the sidecar says besides licence, notes and hash: command, seed, truth (`truth.about`).

    Returns
    -------
    Path
        The sidecar.
    """
    path = Path(path)
    kind = kind or ("xlsx" if path.suffix == ".xlsx" else "csv")
    if kind not in WRITERS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(WRITERS)} (格式只能是其中之一)")
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
        "synthetic_note_zh": NOTE_ZH,
        "synthetic_note_en": NOTE_EN,
    }
    target = path.with_name(f"{path.stem if path.is_file() else path.name}.yaml")
    target.write_text(yaml_text(content), encoding="utf-8", newline="\n")
    return target


def write_xlsx(frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Write a workbook with Chinese sheet names and headings; the same frames give the same bytes."""
    size = sum(frame.size for frame in frames.values())
    with Book(path, {"title": path.stem, "comments": NOTE_ZH, "created": CREATED}, cells=size) as book:
        head = book.add_format({"bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E8EEF4"})
        styles = {"head": head, "date": book.add_format({"num_format": "yyyy-mm-dd"})}
        for sheet, frame in frames.items():
            write_frame(book, SHEETS[sheet][0], headings(sheet, frame), frame, WIDTHS, styles)


def cells(column: pd.Series) -> list[Any]:
    """Return a column's values as an office writes them: 是, 否, text, number, date, None for blank."""
    blank = column.isna().tolist()
    if column.dtype.kind == "b":
        values = ["是" if value else "否" for value in column.fillna(False).tolist()]
    elif column.dtype.kind == "M":
        values = [value.to_pydatetime() if isinstance(value, pd.Timestamp) else None for value in column]
    else:
        values = column.tolist()
        values = [("是" if value else "否") if isinstance(value, bool) else value for value in values]
    return [None if gone else value for value, gone in zip(values, blank, strict=True)]


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


WRITERS = {"xlsx": write_xlsx, "csv": write_csv, "parquet": write_parquet}
WIDTHS = {
    "credit_code": 21,
    "name": 28,
    "successor_code": 21,
    "block": 24,
    "next_step": 30,
    "difficulty": 14,
}
