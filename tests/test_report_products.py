"""Products beside the report: dossiers, the fortnightly table, drafts, plain text; all from the same tables."""

from __future__ import annotations

import io
import re
from datetime import date
from functools import lru_cache
from pathlib import Path

import docx
import pytest
from python_calamine import CalamineWorkbook
from samples import tables
from test_report_words import text_of

from lyeval import report
from lyeval.render import Document, Heading, Look, to_docx, to_pdf
from lyeval.report.cells import Context
from lyeval.report.template import BLANK
from lyeval.report.writing import PRODUCTS, Made, drafts, look_of, plain_text, schedule, schedule_table, write_products

LANGS = ("zh", "en")
OWN = b"LyevalSerifSC-Regular"  # the shipped font's name in its outlines
DAY = date(2024, 3, 31)


def context(lang="zh", name: str = "linshu", year: int = 2023) -> Context:
    """Return a sample's tables as the report is given them."""
    return Context(tables(name, year), lang)


@lru_cache(maxsize=4)
def whole(lang: str, name: str = "linshu", year: int = 2023) -> Document:
    """Return a sample's report."""
    return report.build_report(tables(name, year), lang=lang)  # type: ignore[arg-type]


def test_the_plain_text_is_the_reports_sentences() -> None:
    for name, year in (("linshu", 2023), ("zhoushan-dinghai", 2020)):
        document = whole("zh", name, year)
        told = plain_text(document)
        said = text_of(document) + document.footer
        lost = [s for s in re.split("[。\n]", told) if len(s) > 12 and s.strip("　") not in said]
        assert [s for s in lost if not s.startswith("（本台账")] == []
        assert "【" not in told


def test_the_schedule_holds_who_is_not_settled_and_is_read_back(tmp_path: Path) -> None:
    c = context()
    rows = schedule_table(c).rows
    assert len(rows) == len(c.frame("list_missed")) + len(c.frame("list_undecided"))
    keys = [col.key for col in schedule_table(c).columns]
    behind = {r[keys.index("name")] for r in rows if r[keys.index("behind")]}
    assert behind == set(c.frame("list_pressed")["name"])
    assert {r[-1] for r in rows} == {BLANK}
    pressed = len(c.frame("list_pressed"))
    assert f"按督办规则滞后{pressed}家" in text_of(schedule(c))
    made = write_products(Made(c, whole("zh"), Look(DAY)), tmp_path, ["schedule"])
    assert [p.name for p in made] == ["schedule.docx", "schedule.xlsx"]
    sheet = CalamineWorkbook.from_path(str(made[1])).get_sheet_by_index(0).to_python()
    assert sheet[1][0] == "责任单位"
    assert len([r for r in sheet[2:] if r[0] and r[1]]) == len(rows)


@pytest.mark.parametrize("lang", LANGS)
def test_every_draft_opens_in_word(lang) -> None:
    for name, document in drafts(context(lang)).items():
        word = docx.Document(io.BytesIO(to_docx(document)))
        text = "\n".join(p.text for p in word.paragraphs)
        text += "\n".join(cell.text for t in word.tables for cell in t._cells)
        assert re.sub(r"\s", "", document.title) in re.sub(r"\s", "", text), name
        assert '<w:u w:val="single"/>' in word.element.xml, name  # blanks to be filled in by hand


def test_products_are_named_and_the_same_twice(tmp_path: Path) -> None:
    made = Made(context(), whole("zh"), Look(DAY))
    with pytest.raises(ValueError, match="text, schedule, dossiers, drafts"):
        write_products(made, tmp_path, ["poem"])
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        write_products(made, tmp_path / folder, [k for k in PRODUCTS if k != "dossiers"])
    first = sorted(p for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert {p.name for p in first} >= {"report.txt", "schedule.docx", "draft_notice.docx"}
    assert all(p.read_bytes() == (tmp_path / "b" / p.relative_to(tmp_path / "a")).read_bytes() for p in first)


def test_an_office_names_its_own_fonts_for_every_paper(tmp_path: Path) -> None:
    from fontTools.ttLib import TTFont
    from fontTools.ttLib.tables.DefaultTable import DefaultTable

    from lyeval.render.faces import SHIPPED

    (tmp_path / "fonts").mkdir()
    for name, family in (("a.otf", "Office Big"), ("b.otf", "Office Text")):
        font = TTFont(SHIPPED / "LyevalSerif-Regular.otf", recalcBBoxes=False)
        for number, text in ((1, family), (4, family), (6, family.replace(" ", ""))):
            font["name"].setName(text, number, 3, 1, 0x409)
        font["CFF "] = DefaultTable(
            "CFF "
        )  # as it is but for its name, which keeps its length: to pack it anew takes seconds
        font["CFF "].data = font.reader["CFF "].replace(OWN, family.replace(" ", "").encode().ljust(len(OWN), b"x"))
        font.save(tmp_path / "fonts" / name)
    fonts = {"folder": str(tmp_path / "fonts"), "title": "Office Big", "body": "Office Text"}
    look = look_of(context(), fonts)
    short = Document("标题", blocks=(Heading(1, "一、一"),))
    pdf, plain = (to_pdf(short, created=s.created, fonts=s.fonts, names=s.names) for s in (look, look_of(context())))
    word = to_docx(short, created=look.created, names=look.names)
    assert b"OfficeBig" in pdf
    assert pdf != plain
    styles = docx.Document(io.BytesIO(word)).styles.element.xml
    assert 'w:eastAsia="Office Text"' in styles
    assert 'w:eastAsia="Office Big"' in styles
    assert "仿宋_GB2312" not in styles
    assert "黑体" in styles
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="没有字体文件"):
        look_of(context(), {"folder": str(tmp_path / "none")})
