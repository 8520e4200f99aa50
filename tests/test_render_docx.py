"""DOCX: a Word file that an office can edit, whose text is only text and whose bytes are equal."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import time
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import docx
import paged
import pytest
from docx.shared import Mm, Pt
from lxml import etree

from lyeval.render import Bullets, Column, Document, Heading, KeyFigures, Note, Paragraph, Slot, Table, to_docx, to_pdf

DAY = date(2024, 1, 15)
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
ORDER = {  # of ECMA-376, as far as these elements are used
    "pPr": "pStyle keepNext keepLines pageBreakBefore widowControl numPr pBdr shd tabs snapToGrid spacing ind jc outlineLvl sectPr",
    "rPr": "rStyle rFonts b bCs i color sz szCs u lang",
    "tblPr": "tblStyle tblW jc tblInd tblBorders tblLayout tblCellMar tblLook tblCaption",
    "tcPr": "tcW gridSpan tcBorders shd vAlign",
    "tcBorders": "top left bottom right insideH insideV",
    "tblBorders": "top left bottom right insideH insideV",
    "sectPr": "headerReference footerReference type pgSz pgMar cols docGrid",
    "style": "name basedOn next qFormat pPr rPr tblPr tblStylePr",
    "tbl": "tblPr tblGrid tr",
    "tc": "tcPr p",
    "tr": "trPr tc",
    "p": "pPr *",
    "r": "rPr *",
    "settings": "zoom evenAndOddHeaders defaultTabStop characterSpacingControl compat themeFontLang decimalSymbol listSeparator",
    "numbering": "abstractNum num",
    "styles": "docDefaults latentStyles style",
    "lvl": "start numFmt lvlText lvlJc pPr rPr",
    "docDefaults": "rPrDefault pPrDefault",
}


@pytest.fixture(scope="module")
def made() -> bytes:
    return to_docx(paged.report(), created=DAY)


@pytest.fixture(scope="module")
def word(made: bytes) -> Any:
    return docx.Document(io.BytesIO(made))


def parts(data: bytes) -> Iterator[tuple[str, Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        for name in file.namelist():
            if name.endswith((".xml", ".rels")):
                yield name, etree.fromstring(file.read(name))


def plain(text: str) -> str:
    """Return a text without white space; a stand-in font may write a character as its radical."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", text))


def shown(element: Any) -> str:
    """Return the text of an element."""
    return "".join(node.text or "" for node in element.iter(f"{W}t"))


def listed(word: Any) -> list[Any]:
    """Return the tables that are data, not layout."""
    return [table for table in word.tables if table.style.name == "Review Table"]


def test_headings_are_headings(word: Any) -> None:
    blocks = [block for block in paged.report().blocks if isinstance(block, Heading)]
    seen = [(p.style.name, p.text) for p in word.paragraphs if p.style.name.startswith("Heading")]
    assert seen == [(f"Heading {block.level}", block.text) for block in blocks]
    for style, said in (("Title", paged.report().title), ("Subtitle", paged.report().subtitle)):
        assert [p.text.replace("\n", "") for p in word.paragraphs if p.style.name == style] == [said]


@pytest.mark.parametrize(
    ("style", "font", "size"),
    [
        ("Normal", "仿宋_GB2312", 16),
        ("Title", "方正小标宋简体", 22),
        ("Heading 1", "黑体", 16),
        ("Heading 2", "楷体_GB2312", 16),
        ("Heading 3", "仿宋_GB2312", 16),
        ("Caption", "黑体", 12),
    ],
)
def test_styles_name_the_fonts_of_offices(word: Any, style: str, font: str, size: int) -> None:
    found = word.styles[style].element.rPr
    assert found.find(f"{W}rFonts").get(f"{W}eastAsia") == font
    assert word.styles[style].font.size == Pt(size)


def test_body_has_lines_of_28_points_and_two_characters_of_indent(word: Any) -> None:
    form = word.styles["Normal"].element.pPr
    assert form.find(f"{W}spacing").get(f"{W}line") == "560"
    assert form.find(f"{W}spacing").get(f"{W}lineRule") == "exact"
    assert form.find(f"{W}ind").get(f"{W}firstLineChars") == "200"
    default = word.styles.element.find(f"{W}docDefaults//{W}lang")
    assert default.get(f"{W}eastAsia") == "zh-CN"


def test_pages(word: Any) -> None:
    upright, turned = word.sections[0], word.sections[1]
    assert abs(upright.page_width - Mm(210)) < Mm(0.1)
    margins = (upright.top_margin, upright.bottom_margin, upright.left_margin, upright.right_margin)
    assert [round(margin / 36000) for margin in margins] == [37, 35, 28, 26]
    assert turned.page_width > turned.page_height
    assert word.settings.odd_and_even_pages_header_footer
    for section in word.sections:
        assert section.header.paragraphs[0].text == paged.report().watermark
        assert section.even_page_header.paragraphs[0].text == paged.report().watermark
        assert " PAGE " in section.footer._element.xml
        assert section.footer.paragraphs[0].alignment != section.even_page_footer.paragraphs[0].alignment


def test_tables_repeat_their_headings_and_say_what_they_are(word: Any) -> None:
    targets, names = listed(word)
    assert [cell.text for cell in targets.rows[0].cells] == ["目标", "完成值", "目标值", "差额", "结论", "依据条款"]
    assert [cell.text for cell in names.rows[0].cells][4] == "占地\n（亩）"
    assert len(names.rows) == 61
    for table in (targets, names):
        assert table.rows[0]._tr.find(f"{W}trPr/{W}tblHeader") is not None
        assert all(row._tr.find(f"{W}trPr/{W}cantSplit") is not None for row in table.rows)
        assert sum(column.width for column in table.columns) > Mm(150)
    assert targets._tbl.tblPr.find(f"{W}tblCaption").get(f"{W}val") == "2023年度目标完成情况"
    assert targets.rows[1].cells[4].text == "× 未达标"


def test_captions_count_themselves(word: Any) -> None:
    captions = [p for p in word.paragraphs if p.style.name in ("Caption", "Figure Caption")]
    fields = [p._p.find(f"{W}fldSimple") for p in captions]
    assert [field.get(f"{W}instr").split()[:2] for field in fields] == [["SEQ", "表"], ["SEQ", "图"], ["SEQ", "表"]]
    assert [shown(field) for field in fields] == ["1", "1", "2"]
    english = docx.Document(io.BytesIO(to_docx(replace(paged.report(3), lang="en"))))
    first = next(p for p in english.paragraphs if p.style.name == "Caption")
    assert shown(first._p).startswith("Table 1")


def test_pictures_have_alt_text_and_numbers_of_their_own() -> None:
    blocks = tuple(replace(paged.drawing(), id=f"f{k}") for k in range(3))
    word = docx.Document(io.BytesIO(to_docx(Document("图", blocks=blocks))))
    found = [shape._inline.docPr for shape in word.inline_shapes]
    assert [each.get("descr") for each in found] == [paged.drawing().alt] * 3
    assert len({each.get("id") for each in found}) == 3
    assert all(shape.width <= Mm(156) for shape in word.inline_shapes)


def test_contents_are_a_field_of_links(word: Any) -> None:
    body = word.element.body
    code = "".join(node.text for node in body.iter(f"{W}instrText"))
    assert 'TOC \\o "1-2"' in code
    marks = {node.get(f"{W}name") for node in body.iter(f"{W}bookmarkStart")}
    links = [node.get(f"{W}anchor") for node in body.iter(f"{W}hyperlink")]
    assert links
    assert set(links) <= marks
    kinds = [node.get(f"{W}fldCharType") for node in body.iter(f"{W}fldChar")]
    assert kinds.count("begin") == kinds.count("separate") == kinds.count("end") == 1 + len(links)


@pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs poppler")
def test_contents_tell_the_pages_that_headings_have_in_print(word: Any, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_bytes(to_pdf(paged.report()))
    out = subprocess.run(["pdftotext", str(tmp_path / "a.pdf"), "-"], capture_output=True, check=True)
    pages = [plain(page) for page in out.stdout.decode().split("\f")]
    told = [shown(link) for link in word.element.body.iter(f"{W}hyperlink")]
    assert len(told) > 8
    for line in told:
        name, number = re.fullmatch(r"(.*?)(\d+)", line).groups()  # type: ignore[union-attr]
        assert plain(name) in pages[int(number) - 1], line
    assert len({line[-1] for line in told}) > 2


def test_contents_count_the_places_that_wait_for_words() -> None:
    slots = tuple(Slot(f"做法{k}", "由单位填写" * 20) for k in range(30))
    heads = tuple(Heading(1, f"第{k}部分") for k in range(8))
    word = docx.Document(io.BytesIO(to_docx(Document("题", blocks=(heads[0], *slots, *heads[1:])))))
    told = [shown(link) for link in word.element.body.iter(f"{W}hyperlink")]
    assert told[0] == "第0部分2"
    assert int(told[1].removeprefix("第1部分")) > 3


def test_lists_begin_anew() -> None:
    blocks = (Bullets(("甲",), ordered=True), Bullets(("乙",)), Bullets(("丙",), ordered=True))
    word = docx.Document(io.BytesIO(to_docx(Document("t", blocks=blocks))))
    numbers = [node.get(f"{W}val") for node in word.element.body.iter(f"{W}numId")]
    assert len(set(numbers)) == 3
    defined = {node.get(f"{W}numId") for node in word.part.numbering_part.element.iter(f"{W}num")}
    assert set(numbers) <= defined


@pytest.mark.parametrize("text", [*paged.HOSTILE, "a\x00\x1f\u202eb𠮷\ufffe", "名" * 300])
def test_text_is_text(text: str) -> None:
    column = Column("c", text, text)
    blocks = (
        Heading(1, text),
        Paragraph(text),
        Note(text, "open"),
        Bullets((text,)),
        KeyFigures(((text, text, text, "bad", text),)),
        Table("t", text, (column, column), ((text, text),), source=text, note=text, cite=text),
    )
    data = to_docx(Document(text, text, ((text, text),), blocks, watermark=text, footer=text), created=DAY)
    kept = re.sub(r"[\x00\x1f\u202e\ufffe]", "", text)
    word = docx.Document(io.BytesIO(data))
    assert word.core_properties.title == kept[:255]
    assert shown(word.element.body).count(kept) >= 15
    tags = {node.tag for node in word.element.iter() if isinstance(node.tag, str)}
    assert not [tag for tag in tags if tag.endswith(("}script", "}object"))]
    codes = {node.text.split()[0] for node in word.element.iter(f"{W}instrText")}
    assert codes <= {"TOC", "PAGE"}


def test_elements_stand_in_the_schemas_order(made: bytes) -> None:
    checked = 0
    for name, root in parts(made):
        for node in root.iter():
            local = str(node.tag).removeprefix(W)
            if local not in ORDER or not str(node.tag).startswith(W):
                continue
            order = ORDER[local].split()
            children = [str(child.tag).removeprefix(W) for child in node]
            places = [order.index(child) if child in order else order.index("*") for child in children]
            assert places == sorted(places), (name, local, children)
            checked += 1
    assert checked > 1000


def test_every_style_list_and_part_that_is_named_exists(made: bytes) -> None:
    files = dict(parts(made))
    styles = {node.get(f"{W}styleId") for node in files["word/styles.xml"].iter(f"{W}style")}
    for root in files.values():
        for tag in ("pStyle", "rStyle", "tblStyle", "basedOn", "next"):
            assert {node.get(f"{W}val") for node in root.iter(f"{W}{tag}")} <= styles
    with zipfile.ZipFile(io.BytesIO(made)) as file:
        names = set(file.namelist())
    assert not [name for name in names if "thumbnail" in name or "customXml" in name]
    for name, root in files.items():
        if name.endswith(".rels"):
            base = Path(name).parent.parent
            targets = [node.get("Target") for node in root if node.get("TargetMode") != "External"]
            assert {str(base / t) if not t.startswith("/") else t[1:] for t in targets} <= names


def test_properties_and_bytes(made: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    properties = docx.Document(io.BytesIO(made)).core_properties
    assert properties.title == paged.report().title
    assert properties.language == "zh-CN"
    assert properties.author == ""
    assert properties.created == datetime(2024, 1, 15, tzinfo=UTC)
    assert to_docx(paged.report(), created=DAY) == made
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1705276800")
    assert to_docx(paged.report()) == made
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert docx.Document(io.BytesIO(to_docx(paged.report(3)))).core_properties.created is None
    with zipfile.ZipFile(io.BytesIO(made)) as file:
        assert file.namelist()[0] == "[Content_Types].xml"
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_picture_must_be_one() -> None:
    with pytest.raises(ValueError, match="'attain'"):
        to_docx(Document("t", blocks=(replace(paged.drawing(), png=b"no"),)))


def test_empty_parts() -> None:
    nothing = Table("t", "空", (Column("a", "名称"), Column("b", "数")), ())
    word = docx.Document(io.BytesIO(to_docx(Document("", blocks=(nothing, KeyFigures(()), Paragraph(""))))))
    assert [cell.text for cell in listed(word)[0].rows[1].cells] == ["无", "无"]


def test_a_page_for_each_dossier_and_speed() -> None:
    word = docx.Document(io.BytesIO(to_docx(paged.dossiers(3))))
    turns = [p.paragraph_format.page_break_before for p in word.paragraphs if p.style.name == "Heading 1"]
    assert turns == [None, True, True]
    begun = time.process_time()
    to_docx(paged.report(400))
    assert time.process_time() - begun < 2


@pytest.mark.skipif(not shutil.which("soffice") or not shutil.which("pdftotext"), reason="needs LibreOffice")
def test_libreoffice_opens_it_without_loss(made: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.docx").write_bytes(made)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), "report.docx"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=180)
    out = subprocess.run(["pdftotext", str(tmp_path / "report.pdf"), "-"], capture_output=True, check=True)
    text = plain(out.stdout.decode())
    for word in (*paged.HOSTILE, paged.TEXT, "七、第7部分", "表1", "图1", "—2—", "指纹sha256:0f97b293"):
        assert plain(word) in text, word
    assert text.count("统一社会信用代码") > 3
