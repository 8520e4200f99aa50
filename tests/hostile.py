"""Damaged ledgers for the tests: bytes of a file, bytes of one part inside it, and cells, each changed by a seed."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path
from typing import Any

from binary import xlsb
from ledgers import ANNUAL, BOTH, Rows, code, csv_file, xlsx
from opendocument import ods

FORMS = ("xlsx", "xlsb", "ods", "xls", "csv", "parquet")
INNER = ("xlsx", "xlsb", "ods")
FIXTURE = Path(__file__).with_name("fixtures") / "ledger.xls"
JUNK: list[Any] = [
    *("", "?", "合计", "2023", "=1+1", "#N/A", "  ", "税收", "\x01", "99999999999", "元", "是", "－", "1e400", "２０", "1,2,3", "2023年13月"),
    *(-1, 1e308, 13, True, 0.1, 45000, 10**17, code(8)),
]  # fmt: skip


def whole(path: Path, form: str) -> Path:
    """Write the canonical ledger in one form."""
    if form == "xls":
        path.write_bytes(FIXTURE.read_bytes())
    elif form == "csv":
        csv_file(path, ANNUAL)
    elif form == "parquet":
        import pandas as pd

        pd.DataFrame(ANNUAL[1:], columns=ANNUAL[0]).to_parquet(path)
    else:
        {"xlsx": xlsx, "xlsb": xlsb, "ods": ods}[form](path, BOTH)
    return path


def damaged(folder: Path, seed: int, form: str) -> Path:
    """Write a ledger and change some of its bytes, or cut it short."""
    rng = random.Random(seed)
    path = whole(folder / f"a.{form}", form)
    path.write_bytes(_mutated(path.read_bytes(), rng, 0.3))
    return path


def damaged_within(folder: Path, seed: int, form: str) -> Path:
    """Write a workbook and change some bytes of one of its parts; the container stays whole."""
    rng = random.Random(seed)
    path = whole(folder / f"a.{form}", form)
    with zipfile.ZipFile(path) as archive:
        parts = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    names = sorted(name for name in parts if parts[name])
    for name in rng.sample(names, rng.choice((1, 1, 2))):
        parts[name] = _mutated(parts[name], rng, 0.1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def scrambled(folder: Path, seed: int) -> Path:
    """Write a workbook some of whose cells are junk, rows doubled, dropped or moved."""
    rng = random.Random(seed)
    sheets: dict[str, Rows] = {}
    for name, rows in BOTH.items():
        made = [list(row) for row in rows]
        for _ in range(rng.randint(0, 4)):
            row = rng.choice(made)
            row[rng.randrange(len(row))] = rng.choice(JUNK)
        if rng.random() < 0.3:
            made.insert(rng.randrange(len(made)), list(rng.choice(made)))
        if rng.random() < 0.2:
            del made[rng.randrange(len(made))]
        sheets[name] = made
    return xlsx(folder / "a.xlsx", sheets)


def _mutated(data: bytes, rng: random.Random, cut: float) -> bytes:
    """Change one to twelve bytes; with chance ``cut`` end early."""
    out = bytearray(data)
    for _ in range(rng.randint(1, 12)):
        out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out[: rng.randint(1, len(out))] if rng.random() < cut else out)
