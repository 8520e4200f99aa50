"""Workbooks lose nothing: what does not fit stands on the next sheet, or nothing is written and the reason told."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from commands import runner
from ledgers import ANNUAL, ENTERPRISES
from python_calamine import CalamineWorkbook

from lyeval import workbooks
from lyeval.ledger import read_ledger
from lyeval.ledger.columns import PLACE
from lyeval.render import Column, Table, to_xlsx
from lyeval.sample import produce
from lyeval.workbooks import Book, WorkbookError, base_of, pages, units, write_frame


def contents(path: Path) -> dict[str, list[list]]:
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python(skip_empty_area=False) for name in book.sheet_names}


def write(path: Path, frame: pd.DataFrame, name: str = "表", cells: int = 0) -> None:
    with Book(path, {"title": "x"}, cells=cells) as book:
        styles = {"head": book.add_format(), "date": book.add_format({"num_format": "yyyy-mm-dd"})}
        write_frame(book, name, [str(column) for column in frame], frame, {}, styles)


@pytest.mark.parametrize("cells", [0, workbooks.LARGE])
def test_rows_go_on_on_the_next_sheet(tmp_path, monkeypatch, cells):
    monkeypatch.setattr(workbooks, "ROWS", 4)
    write(tmp_path / "a.xlsx", pd.DataFrame({"n": range(7), "t": list("abcdefg")}), cells=cells)
    got = contents(tmp_path / "a.xlsx")
    assert list(got) == ["表", "表 (2)", "表 (3)"]
    assert all(rows[0] == ["n", "t"] for rows in got.values())
    assert [row for rows in got.values() for row in rows[1:]] == [[float(i), "abcdefg"[i]] for i in range(7)]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 1_048_575, 1_048_576, 3_000_000])
def test_pages_hold_every_row_once_and_no_more_than_a_sheet(count):
    parts = list(pages(count, 30))
    assert parts[0].start == 0
    assert parts[-1].stop == count
    assert all(a.stop == b.start for a, b in pairwise(parts))
    assert all((part.stop - part.start + 1) * 30 <= workbooks.FILLED for part in parts)
    assert all(part.stop - part.start < workbooks.ROWS for part in parts)


TOO_MUCH = {
    "text": (pd.DataFrame({"t": ["字" * 32_768]}), "32768"),
    "two units a sign": (pd.DataFrame({"t": ["𠮷" * 16_384]}), "32768"),
    "columns": (pd.DataFrame([range(16_385)]), "16385"),
}


@pytest.mark.parametrize("case", TOO_MUCH)
@pytest.mark.parametrize("cells", [0, workbooks.LARGE])
def test_what_no_sheet_holds_is_refused_and_nothing_written(tmp_path, case, cells):
    frame, told = TOO_MUCH[case]
    (tmp_path / "a.xlsx").write_bytes(b"kept")
    with pytest.raises(WorkbookError, match=told) as caught:
        write(tmp_path / "a.xlsx", frame, cells=cells)
    assert (tmp_path / "a.xlsx").read_bytes() == b"kept"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.xlsx"]
    assert caught.value.text("zh") != caught.value.text("en")


def test_the_longest_text_and_the_widest_table_are_whole(tmp_path):
    frame = pd.DataFrame([["字" * 32_767, *range(16_383)]])
    write(tmp_path / "a.xlsx", frame)
    row = contents(tmp_path / "a.xlsx")["表"][1]
    assert (len(row), len(row[0]), row[-1]) == (16_384, 32_767, 16_382)


def test_a_row_out_of_reach_and_a_link_too_many_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbooks, "ROWS", 9)
    with pytest.raises(WorkbookError, match="第10行"), Book(tmp_path / "a.xlsx", {}) as book:
        book.sheet("表").write_string(9, 0, "x")
    with (
        pytest.warns(UserWarning, match="URL"),
        pytest.raises(WorkbookError, match="链接"),
        Book(tmp_path / "a.xlsx", {}) as book,
    ):
        book.sheet("表").write_url(0, 0, "https://" + "a" * 3000)
    assert not (tmp_path / "a.xlsx").exists()


def test_names_of_sheets_differ_for_excel_too(tmp_path):
    with Book(tmp_path / "a.xlsx", {}) as book:
        names = [
            book.sheet(title).name for title in ("Ab", "aB", "甲" * 40, "甲" * 40, "History", "a/b", "", "月度 (2)")
        ]
    assert len({name.lower() for name in names}) == len(names)
    assert all(units(name) <= 31 for name in names)
    assert [name for name in names if name.endswith("…")] == ["甲" * 30 + "…"]
    assert base_of(names[1]) == "aB"
    assert base_of("月度（2）") == "月度（2）"


def test_annexes_and_problems_go_on_too(tmp_path, monkeypatch):
    monkeypatch.setattr(workbooks, "ROWS", 20)
    columns = (Column("n", "序号", "", "count"), Column("t", "说明", "", "text"))
    table = Table("t", "问题", columns, tuple((i, f"行{i}") for i in range(50)), note="注")
    to_xlsx([table], tmp_path / "a.xlsx", title="附表", created=date(2024, 2, 5), notes=["x"])
    got = contents(tmp_path / "a.xlsx")
    assert list(got) == ["问题", "问题 (2)", "问题 (3)", "问题 (4)", "问题 (5)", "口径"]
    rows = [row for name in list(got)[:-1] for row in got[name][2:] if row[1]]
    assert rows == [[float(i), f"行{i}"] for i in range(50)]
    long = Table("t", "问题", columns, ((1, "长" * 40_000),))
    to_xlsx([long], tmp_path / "b.xlsx", title="附表", created=date(2024, 2, 5), notes=["x"])
    assert "共40000字" in contents(tmp_path / "b.xlsx")["问题"][2][1]


def test_a_sample_on_several_sheets_is_the_same_ledger(tmp_path, monkeypatch):
    made = {"enterprises": 30, "years": (2018, 2020), "seed": 3}
    produce("zhoushan-2020", tmp_path / "one.xlsx", **made)
    monkeypatch.setattr(workbooks, "ROWS", 25)
    produce("zhoushan-2020", tmp_path / "many.xlsx", **made)
    one, many = read_ledger(tmp_path / "one.xlsx"), read_ledger(tmp_path / "many.xlsx")
    assert "企业 (2)" in contents(tmp_path / "many.xlsx")
    for sheet in one.sheets:
        frames = [getattr(x, sheet).drop(columns=list(PLACE)) for x in (one, many)]
        pd.testing.assert_frame_equal(*frames, check_exact=True)


def test_clean_keeps_remarks_whole_or_refuses_in_words(tmp_path, capsys, monkeypatch):
    lyeval, folder = runner(capsys, monkeypatch), tmp_path / "台账"
    folder.mkdir()
    pd.DataFrame(ENTERPRISES[1:], columns=ENTERPRISES[0]).to_csv(folder / "企业.csv", index=False)
    annual = pd.DataFrame(ANNUAL[1:], columns=ANNUAL[0])
    annual.assign(备注="长" * 32_000).to_csv(folder / "年度.csv", index=False)
    assert lyeval("clean", folder, "--out", tmp_path / "whole.xlsx").code == 0
    assert contents(tmp_path / "whole.xlsx")["未读取的列"][1][-1] == "长" * 32_000
    annual.assign(备注="长" * 33_000).to_csv(folder / "年度.csv", index=False)
    done = lyeval("clean", folder, "--out", tmp_path / "o.xlsx")
    assert done.code == 1
    assert "33000字" in done.err
    assert not (tmp_path / "o.xlsx").exists()
