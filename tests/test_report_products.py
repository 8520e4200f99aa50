"""Products beside the report: dossiers, the fortnightly table, drafts, plain text; all from the same tables."""

from __future__ import annotations

import io
import re
import time
from datetime import date
from functools import lru_cache
from pathlib import Path

import docx
import pytest
from python_calamine import CalamineWorkbook
from test_report_leader import tables
from test_report_words import text_of

from lyeval import report
from lyeval.render import Document, Heading, Table, to_docx, to_pdf
from lyeval.report.context import Context
from lyeval.report.dossiers import dossiers
from lyeval.report.drafts import BLANK, drafts
from lyeval.report.plaintext import _told, pages, plain_text
from lyeval.report.products import PRODUCTS, Fonts, Made, write_products
from lyeval.report.schedule import table as schedule_table

LANGS = ("zh", "en")
DAY = date(2024, 3, 31)


def context(lang="zh", name: str = "linshu", year: int = 2023) -> Context:
    """Return a sample's tables as the report is given them."""
    return Context(tables(name, year), lang)


@lru_cache(maxsize=4)
def whole(lang: str, name: str = "linshu", year: int = 2023) -> Document:
    """Return a sample's report."""
    return report.build_report(tables(name, year), lang=lang)  # type: ignore[arg-type]


def test_the_plain_text_is_three_to_five_pages_of_the_reports_sentences() -> None:
    for name, year in (("linshu", 2023), ("zhoushan-dinghai", 2020)):
        document = whole("zh", name, year)
        told = plain_text(document)
        assert 3 <= pages(told) <= 5
        said = text_of(document) + document.footer
        lost = [s for s in re.split("[。\n]", told) if len(s) > 12 and s.strip("　") not in said and "部分" not in s]
        assert [s for s in lost if not re.match("[一二三四五六七]、|（本台账", s)] == []
        assert not re.search("下表|<|图\\d", told)


def test_references_of_the_plain_text_follow_its_own_numbers() -> None:
    told = _told(whole("zh"), ["overall", "listing", "progress", "outlook", "quality", "measures"])
    heads = dict(re.findall("^([一二三四五六七])、(.+)$", told, re.MULTILINE))
    assert list(heads.values()) == [
        "总体情况",
        "低效企业名单与分布",
        "处置进展",
        "达标可能性",
        "数据质量与缺口",
        "下年度措施",
    ]
    assert "结论见第一部分" in told
    assert set(re.findall("第([一二三四五六七八])部分", told)) <= set(heads)
    short = _told(whole("zh"), ["overall", "measures"])
    assert "（见第" not in short
    assert "暂不能判定。" in short
    english = _told(whole("en"), ["overall", "quality"])
    assert "2. Data quality and gaps" in english
    assert "(section 2)" in english


def test_a_page_for_each_listed_enterprise_with_its_own_figures() -> None:
    c = context()
    document = dossiers(c)
    firms = c.frame("enterprises")
    listed = firms[firms["listed"]]
    heads = [b.text for b in document.blocks if isinstance(b, Heading)]
    assert sorted(heads) == sorted(listed["name"])
    assert [b.fresh for b in document.blocks if isinstance(b, Heading)][:3] == [False, True, True]
    row = c.frame("list_missed").iloc[0]
    at = heads.index(row["name"])
    text = text_of(Document("", blocks=_parts(document)[at]))
    for part in (
        row["credit_code"],
        f"{row['tax_needed_wan']:,.2f}",
        f"{row['land_mu']:,.2f}",
        "不作为征收依据",
        row["responsible"],
    ):
        assert str(part) in text
    years = next(b for b in _parts(document)[at] if isinstance(b, Table) and b.id.startswith("years_"))
    assert years.rows[-1][0] == "2023"
    assert years.rows[-1][2] == row["tax_wan"]


def _parts(document: Document) -> list[tuple]:
    """Return the blocks of each page."""
    places = [k for k, b in enumerate(document.blocks) if isinstance(b, Heading)]
    return [document.blocks[a + 1 : b] for a, b in zip(places, [*places[1:], None], strict=True)]


@pytest.mark.parametrize("lang", LANGS)
def test_each_dossier_stands_on_one_page(lang) -> None:
    document = dossiers(context(lang))
    n = sum(isinstance(b, Heading) for b in document.blocks)
    assert len(re.findall(rb"/Type\s*/Page\b", to_pdf(document))) == n


def test_four_hundred_dossiers_are_quick() -> None:
    document = dossiers(context("zh", "zhoushan-dinghai", 2020))
    n = sum(isinstance(b, Heading) for b in document.blocks)
    begun = time.process_time()
    to_pdf(document)
    assert (time.process_time() - begun) * 400 / n < 4  # two seconds on a quiet machine


def test_the_schedule_holds_who_is_not_settled_and_is_read_back(tmp_path: Path) -> None:
    c = context()
    rows = schedule_table(c).rows
    assert len(rows) == len(c.frame("list_missed")) + len(c.frame("list_undecided"))
    keys = [col.key for col in schedule_table(c).columns]
    behind = {r[keys.index("name")] for r in rows if r[keys.index("behind")]}
    assert behind == set(c.frame("list_pressed")["name"])
    assert {r[-1] for r in rows} == {BLANK}
    made = write_products(Made(c, whole("zh"), DAY), tmp_path, ["schedule"])
    assert [p.name for p in made] == ["schedule.docx", "schedule.xlsx"]
    sheet = CalamineWorkbook.from_path(str(made[1])).get_sheet_by_index(0).to_python()
    assert sheet[1][0] == "责任单位"
    assert len([r for r in sheet[2:] if r[0] and r[1]]) == len(rows)


def test_drafts_are_filled_from_the_ledger_and_leave_blank_what_it_does_not_say() -> None:
    c = context()
    made = drafts(c)
    assert set(made) == {"notice", "publication", "priority", "letter", "writeoff"}
    firms = c.frame("enterprises").set_index("credit_code")
    untold = firms[firms["listed"] & (firms["stage"] == "符合认定条件") & (firms["gone"].astype(str) != "True")]
    notice = text_of(made["notice"])
    for code, row in untold.iterrows():
        assert f"{row['name']}：" in notice
        assert str(code) in notice
    assert "15日内" in notice  # the plan's days
    assert notice.count(f"联系人及电话：{BLANK}") == len(untold)
    pressed = c.frame("list_pressed")
    letter = text_of(made["letter"])
    assert all(f"{unit}：" in letter for unit in pressed["responsible"])
    assert f"{len(pressed[pressed['responsible'] == '石门镇'])}家企业处置进度滞后" in letter
    sure = c.frame("list_priority")["listed_on"].notna()
    told = f"已登记列为重点的企业{sure.sum()}家；另有{(~sure).sum()}家按数据符合重点低效情形"
    assert told in text_of(made["priority"])


def test_the_public_notice_shows_no_figure_of_an_enterprise() -> None:
    c = context()
    made = drafts(c)["publication"]
    table = next(b for b in made.blocks if isinstance(b, Table))
    assert [col.key for col in table.columns] == ["name", "township", "grounds"]
    firms = c.frame("enterprises")
    certified = firms[firms["listed"] & firms["stage"].isin(["已认定", "重点"]) & (firms["gone"].astype(str) != "True")]
    assert sorted(r[0] for r in table.rows) == sorted(certified["name"])
    told = text_of(made)
    for name in ("tax_wan", "tax_per_mu", "land_mu", "tax_needed_wan"):
        assert not [v for v in certified[name].dropna() if len(f"{v:.2f}") > 4 and f"{v:,.2f}" in told]


def test_only_the_ready_apply_to_be_written_off() -> None:
    c = context()
    ready = c.frame("list_reached")
    ready = ready[(ready["cleared"] == True) & ready["written_off"].isna()]  # noqa: E712
    assert {b.text for b in drafts(c)["writeoff"].blocks if isinstance(b, Heading)} == set(ready["name"])


def test_a_plan_without_the_step_has_no_draft_of_it() -> None:
    assert set(drafts(context("zh", "zhoushan-dinghai", 2020))) == {"letter", "writeoff"}


@pytest.mark.parametrize("lang", LANGS)
def test_every_draft_opens_in_word(lang) -> None:
    for name, document in drafts(context(lang)).items():
        word = docx.Document(io.BytesIO(to_docx(document)))
        text = "\n".join(p.text for p in word.paragraphs)
        text += "\n".join(cell.text for t in word.tables for cell in t._cells)
        assert re.sub(r"\s", "", document.title) in re.sub(r"\s", "", text), name
        assert "____" in text, name


def test_products_are_named_and_the_same_twice(tmp_path: Path) -> None:
    made = Made(context(), whole("zh"), DAY)
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

    from lyeval.render.faces import SHIPPED

    (tmp_path / "fonts").mkdir()
    for name, family in (("a.otf", "Office Big"), ("b.otf", "Office Text")):
        font = TTFont(SHIPPED / "LyevalSerif-Regular.otf")
        for number, text in ((1, family), (4, family), (6, family.replace(" ", ""))):
            font["name"].setName(text, number, 3, 1, 0x409)
        font["CFF "].cff.fontNames = [family.replace(" ", "")]
        font.save(tmp_path / "fonts" / name)
    fonts = {"folder": str(tmp_path / "fonts"), "title": "Office Big", "body": "Office Text"}
    made = Made(context(), whole("zh"), DAY, Fonts.of(fonts))
    short = Document("标题", blocks=(Heading(1, "一、一"),))
    pdf, word = made.pdf(short), made.docx(short)
    assert b"OfficeBig" in pdf
    assert pdf != Made(context(), whole("zh"), DAY).pdf(short)
    styles = docx.Document(io.BytesIO(word)).styles.element.xml
    assert 'w:eastAsia="Office Text"' in styles
    assert 'w:eastAsia="Office Big"' in styles
    assert "仿宋_GB2312" not in styles
    assert "黑体" in styles
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="没有字体文件"):
        Fonts.of({"folder": str(tmp_path / "none")})
