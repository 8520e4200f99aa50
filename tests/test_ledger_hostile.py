"""Files that mean no good, or no longer do: damaged, locked, bloated, of another kind. Words, soon, within two gigabytes."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from binary import xlsb
from hostile import FIXTURE, FORMS, INNER, damaged, damaged_within, scrambled
from ledgers import ANNUAL, BOTH, content, csv_file, xlsx
from opendocument import ods
from pandas.testing import assert_frame_equal

from lyeval.ledger import Fault, LedgerError, limits, read_ledger

FUZZ = int(os.environ.get("LYEVAL_FUZZ", "0"))
LOCKED = FIXTURE.with_name("locked.xlsx")
SECONDS, GIB = 20, 2.0
SHEET = "xl/worksheets/sheet1.xml"
OPEN = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
CLOSE = b"</sheetData>%s</worksheet>"
MEASURED = """
import resource, sys, time
from lyeval.ledger import LedgerError, read_ledger
begun = time.perf_counter()
try:
    told = [len(read_ledger(sys.argv[1]).annual)]
except LedgerError as error:
    told = sorted({fault.rule for fault in error.faults if fault.severity == "error"})
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, *told)
"""


def told(path: Path) -> list[str]:
    """Return the rules of the errors that reading tells."""
    with pytest.raises(LedgerError) as caught:
        read_ledger(path)
    return sorted({fault.rule for fault in caught.value.faults if fault.severity == "error"})


# -- damage ------------------------------------------------------------------------------------------------------------


def reads_or_tells(path: Path) -> None:
    """Read a file: a ledger with unique keys, or a ``LedgerError`` with words."""
    told: tuple[Fault, ...] = ()
    try:
        read = read_ledger(path)
    except LedgerError as error:
        told = error.faults
    if told:
        assert any(fault.severity == "error" for fault in told)
        assert all(fault.text("zh") and fault.text("en") for fault in told)
    else:
        assert not read.annual.duplicated(["credit_code", "year"]).any()
        assert read.enterprises["credit_code"].is_unique


@pytest.mark.parametrize("form", FORMS)
def test_damaged_bytes_are_told_in_words(tmp_path, form):
    for seed in range(FUZZ or 8):
        reads_or_tells(damaged(tmp_path, seed, form))


@pytest.mark.parametrize("form", INNER)
def test_damaged_parts_are_told_in_words(tmp_path, form):
    for seed in range(FUZZ or 8):
        reads_or_tells(damaged_within(tmp_path, seed, form))


def test_damaged_cells_are_told_in_words(tmp_path):
    for seed in range(FUZZ or 40):
        reads_or_tells(scrambled(tmp_path, seed))


# -- kinds -------------------------------------------------------------------------------------------------------------


def test_binary_workbooks_are_read(tmp_path):
    expected = read_ledger(xlsx(tmp_path / "a.xlsx", BOTH))
    for path in (xlsb(tmp_path / "a.xlsb", BOTH), FIXTURE):
        read = read_ledger(path)
        assert read.faults == ()
        for sheet in ("enterprises", "annual"):
            assert_frame_equal(content(getattr(read, sheet)), content(getattr(expected, sheet)))


def test_a_locked_workbook_asks_to_be_unlocked():
    assert told(LOCKED) == ["file_password"]


KINDS = [
    *(("et", "另存为xlsx"), ("doc", "复制到表格软件"), ("pdf", "复制到表格软件")),
    *(("jpg", "录入表格"), ("rar", "先解压"), ("abc", "xlsx或csv")),
]


@pytest.mark.parametrize(("kind", "words"), KINDS)
def test_other_kinds_are_refused_with_what_to_do(tmp_path, kind, words):
    path = tmp_path / f"税务.{kind}"
    path.write_bytes(b"x")
    with pytest.raises(LedgerError) as caught:
        read_ledger(path)
    (fault,) = caught.value.faults
    assert fault.rule == "file_kind"
    assert words in fault.text("zh")
    assert kind in fault.text("en")


def test_other_kinds_in_a_folder_are_told(tmp_path):
    for name in ("税务.et", "照片.jpg", "说明.md", ".隐藏.et"):
        (tmp_path / name).write_bytes(b"x")
    csv_file(tmp_path / "年度.csv", ANNUAL)
    read = read_ledger(tmp_path)
    assert [(f.rule, f.file) for f in read.faults] == [
        ("file_passed_over", "照片.jpg"),
        ("file_passed_over", "税务.et"),
    ]


# -- size --------------------------------------------------------------------------------------------------------------


def swollen(path: Path, part: str, chunks: Iterator[bytes]) -> Path:
    """Write the ledger with one part replaced."""
    base = xlsx(path.with_name("base.xlsx"), {"年度": ANNUAL})
    with zipfile.ZipFile(base) as whole, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for entry in whole.infolist():
            if entry.filename != part:
                out.writestr(entry.filename, whole.read(entry))
        with out.open(part, "w", force_zip64=True) as file:
            for chunk in chunks:
                file.write(chunk)
    return path


def rows_of(path: Path) -> bytes:
    """Return the rows of the ledger as the workbook holds them."""
    with zipfile.ZipFile(xlsx(path.with_name("base.xlsx"), {"年度": ANNUAL})) as whole:
        return whole.read(SHEET).split(b"<sheetData>")[1].split(b"</sheetData>")[0]


def empty_rows(path: Path) -> Path:
    """Write a ledger with formatted blank rows down to the last one of a spreadsheet."""

    def chunks() -> Iterator[bytes]:
        yield OPEN + rows_of(path)
        for first in range(7, 1048577, 10000):
            last = min(first + 10000, 1048577)
            yield b"".join(b'<row r="%d"><c r="A%d" s="0"/></row>' % (row, row) for row in range(first, last))
        yield CLOSE % b""

    return swollen(path, SHEET, chunks())


def million_merge(path: Path) -> Path:
    """Write a ledger with a million cells merged into one."""
    merge = b'<mergeCells count="1"><mergeCell ref="G1:AF40000"/></mergeCells>'
    return swollen(path, SHEET, iter([OPEN + rows_of(path) + CLOSE % merge]))


def unplaced(path: Path) -> Path:
    """Write thirteen million cells that do not say where they stand."""
    row = b"<row>" + b"<c><v>1</v></c>" * 1000 + b"</row>"
    return swollen(path, SHEET, iter([OPEN, *[row * 100] * 130, CLOSE % b""]))


def many_texts(path: Path) -> Path:
    """Write thirteen million shared texts."""
    start = b'<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return swollen(path, "xl/sharedStrings.xml", iter([start, *[b"<si><t>a</t></si>" * 10**5] * 130, b"</sst>"]))


def long_text(path: Path) -> Path:
    """Write one cell of a million characters."""
    cell = b'<row r="9"><c r="A9" t="inlineStr"><is><t>' + "好".encode() * 10**6 + b"</t></is></c></row>"
    return swollen(path, SHEET, iter([OPEN + rows_of(path) + cell + CLOSE % b""]))


def bomb(path: Path) -> Path:
    """Write a workbook that unpacks to more than it may."""
    return swollen(path, "xl/media/x", iter([bytes(10**6)] * (limits.LIMIT_MB + 1)))


def far_binary(path: Path) -> Path:
    """Write a binary workbook with one stray cell in the last corner."""
    return xlsb(path.with_suffix(".xlsb"), {"年度": ANNUAL}, stray=(1048575, 16383))


def far_open(path: Path) -> Path:
    """Write an OpenDocument workbook with one stray cell in the last corner."""
    blank = '<table:table-cell table:number-columns-repeated="16383"/>'
    more = f'<table:table-row table:number-rows-repeated="1048570">{blank}</table:table-row>'
    cell = '<table:table-cell office:value-type="float" office:value="3"/>'
    return ods(path.with_suffix(".ods"), {"年度": ANNUAL}, f"{more}<table:table-row>{blank}{cell}</table:table-row>")


SIZES: list[tuple[Callable[[Path], Path], str]] = [
    (empty_rows, "5"),
    (million_merge, "5"),
    (unplaced, "sheet_too_large"),
    (many_texts, "file_too_large"),
    (long_text, "file_unreadable"),
    (bomb, "file_too_large"),
    (far_binary, "sheet_too_large"),
    (far_open, "file_unreadable"),
]


@pytest.mark.skipif(sys.platform == "win32", reason="measures with resource")
@pytest.mark.parametrize(("make", "outcome"), SIZES, ids=lambda value: getattr(value, "__name__", value))
def test_bloated_files_end_soon_and_small(tmp_path, make, outcome):
    path = make(tmp_path / "a.xlsx")
    done = subprocess.run([sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, check=True)
    seconds, gib, *words = done.stdout.split()
    assert words == [outcome]
    assert float(seconds) <= SECONDS
    assert float(gib) <= GIB * (1 if sys.platform != "darwin" else 1024)


def test_cells_in_single_quotes_and_out_of_order_are_seen(tmp_path):
    cell = b"<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>"
    path = swollen(tmp_path / "a.xlsx", SHEET, iter([OPEN + cell + rows_of(tmp_path / "a.xlsx") + CLOSE % b""]))
    assert told(path) == ["sheet_too_large"]
    within = b'<row r="9"><c r="XFD99999"><v>1</v></c></row>'
    path = swollen(tmp_path / "a.xlsx", SHEET, iter([OPEN + rows_of(tmp_path / "a.xlsx") + within + CLOSE % b""]))
    assert told(path) == ["sheet_too_large"]
