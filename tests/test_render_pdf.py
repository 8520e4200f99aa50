"""PDF: pages by GB/T 9704, text that is only text, equal bytes, and what readers and archives need."""

from __future__ import annotations

import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import paged
import pytest

from lyeval.render import Column, Document, Figure, Heading, KeyFigures, Note, Paragraph, Table, to_pdf
from lyeval.render import faces as fonts_of
from lyeval.render.fitting import ACROSS, UPRIGHT, fit
from lyeval.render.glyphs import clean, coverage, drawn, ems, lacking, one_line
from lyeval.render.paging import lay_out, runs, title_lines

ROOT = Path(__file__).resolve().parent.parent
DAY = date(2024, 1, 15)
needs_poppler = pytest.mark.skipif(not shutil.which("pdftotext"), reason="needs poppler's pdftotext")
A4 = (595.2756, 841.8898)


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return to_pdf(paged.report(), created=DAY)


def said(data: bytes, *options: str) -> str:
    """Return the text of a PDF without white space."""
    out = subprocess.run(["pdftotext", *options, "-", "-"], input=data, capture_output=True, check=True)
    return re.sub(r"\s|\u200b", "", out.stdout.decode())


def boxes(data: bytes) -> list[tuple[float, float]]:
    found = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", data)
    return [(float(width), float(height)) for width, height in found]


def titles(data: bytes) -> list[str]:
    """Return the bookmarks, which are the only titles with a parent."""
    found = re.findall(rb"/Title(\([^)]*\)|<[0-9A-F]+>)/Dest", data)
    return [bytes.fromhex(t[1:-1].decode()).decode("utf-16") if t[:1] == b"<" else t[1:-1].decode() for t in found]


def test_pages_are_a4_and_a_wide_list_turns_them(pdf: bytes) -> None:
    sizes = boxes(pdf)
    assert set(sizes) == {A4, A4[::-1]}
    assert sizes[0] == A4
    assert set(boxes(to_pdf(Document("短", blocks=(Paragraph("一"),))))) == {A4}


def test_tagged_titled_in_its_language_and_fit_for_archives(pdf: bytes) -> None:
    assert b"/MarkInfo" in pdf
    assert b"/Lang(zh-CN)" in pdf
    assert b"<pdfaid:part>2" in pdf
    assert b"<pdfuaid:part>1" in pdf
    assert b"/Scope/Column" in pdf
    assert paged.report().title in pdf.decode("utf-8", "ignore")
    english = to_pdf(replace(paged.report(3), lang="en"), created=DAY)
    assert b"/Lang(en-GB)" in english
    assert b"<pdfuaid:part>1" in english


def test_nothing_in_it_acts_or_asks(pdf: bytes) -> None:
    for sign in (b"/JavaScript", b"/JS ", b"/Launch", b"/URI", b"/EmbeddedFile", b"/OpenAction"):
        assert sign not in pdf


def test_only_shipped_fonts_are_used(pdf: bytes) -> None:
    used = {name.decode() for name in re.findall(rb"/BaseFont/\w{6}\+(\w+)", pdf)}
    assert used
    assert used <= {"LyevalSansSC", "LyevalSerifSC"}


def test_bookmarks_follow_the_headings(pdf: bytes) -> None:
    headings = [block.text for block in paged.report().blocks if isinstance(block, Heading)]
    assert sorted(titles(pdf)) == sorted(headings)


@needs_poppler
def test_every_text_can_be_read_back(pdf: bytes) -> None:
    text = said(pdf)
    for word in (*paged.HOSTILE, paged.TEXT, "规上低效企业清零", "目录", "—1—", "指纹sha256:0f97b293"):
        assert re.sub(r"\s", "", word) in text, word


@needs_poppler
def test_figures_can_be_searched() -> None:
    assert "规下低效用地占比" in said(to_pdf(Document("图", blocks=(paged.drawing(),))))
    plain = replace(paged.drawing(), svg_text="")
    assert "规下低效用地占比" not in said(to_pdf(Document("图", blocks=(plain,))))


@needs_poppler
def test_notice_heading_row_and_page_number_stand_on_every_page(pdf: bytes) -> None:
    pages = len(boxes(pdf))
    notice = re.sub(r"\s", "", paged.report().watermark)
    lists = [number for number in range(1, pages + 1) if boxes(pdf)[number - 1] != A4]
    assert len(lists) > 2
    for number in range(1, pages + 1):
        text = said(pdf, "-f", str(number), "-l", str(number))
        assert notice in text
        assert f"—{number}—" in text
        assert number not in lists or "统一社会信用代码" in text


@needs_poppler
def test_page_numbers_stand_outside() -> None:
    data = to_pdf(paged.dossiers(2))
    found = {}
    for page in (1, 2):
        command = ["pdftotext", "-bbox", "-f", str(page), "-l", str(page), "-", "-"]
        words = subprocess.run(command, input=data, capture_output=True, check=True).stdout.decode()
        places = re.findall(r'xMin="([\d.]+)" yMin="([\d.]+)"[^>]*>([^<]*)', words)
        found[page] = max((float(y), float(x)) for x, y, word in places if word == str(page))
    assert found[1][1] > A4[0] / 2 > found[2][1]
    assert all(y > A4[1] - 35 * 72 / 25.4 for y, _ in found.values())


@needs_poppler
def test_nothing_runs_over_the_margins(pdf: bytes) -> None:
    words = subprocess.run(["pdftotext", "-bbox", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    for page in words.split("<page ")[1:]:
        width = float(re.search(r'width="([\d.]+)"', page)[1])  # type: ignore[index]
        left = 28 if width < 700 else 35
        ends = [(float(a), float(b)) for a, b in re.findall(r'xMin="([\d.]+)" yMin="[\d.]+" xMax="([\d.]+)"', page)]
        edge = left * 72 / 25.4 + (UPRIGHT if width < 700 else ACROSS)
        rows = [end for start, end in ends if start > left * 72 / 25.4 - 1]
        assert max(rows) <= edge + 8.5  # closing punctuation may hang by half its width


@pytest.mark.parametrize("text", paged.HOSTILE)
def test_no_text_is_markup_wherever_it_stands(text: str) -> None:
    column = Column(text, text, text)
    blocks = (
        Heading(1, text),
        Paragraph(text),
        Note(text, "bad"),
        KeyFigures(((text, text, text, "good"),)),
        Table(text, text, (column,), ((text,),), source=text, note=text, cite=text),
    )
    data = to_pdf(Document(text, text, ((text, text),), blocks, watermark=text, footer=text), created=DAY)
    if shutil.which("pdftotext"):
        assert said(data).count(re.sub(r"\s", "", text)) >= 12


@needs_poppler
def test_a_character_no_font_has_is_named() -> None:
    data = to_pdf(Document("缺字", blocks=(Paragraph("𠮷野家"),)), created=DAY)
    text = said(data)
    assert "〓野家" in text
    assert "U+20BB7" in text
    assert "U+20BB7" in said(to_pdf(Document("x", blocks=(Paragraph("𠮷"),), lang="en"), created=DAY))


@needs_poppler
def test_long_names_break_and_long_lists_of_columns_shrink() -> None:
    names = ("名" * 300, "A" * 300)
    many = Table("m", "宽", tuple(Column(f"c{k}", f"指标{k}", "万元", "number") for k in range(40)), ((1.0,) * 40,))
    two = Table("n", "长", (Column("a", "名称"), Column("b", "说明")), (names,))
    text = said(to_pdf(Document(names[0], names[1], (names,), (Paragraph(names[1]), two, many)), created=DAY))
    assert all(text.count(name) >= 2 for name in names)
    assert "指标39" in text


def test_empty_parts() -> None:
    nothing = Table("t", "空", (Column("a", "名称"),), ())
    data = to_pdf(Document("", blocks=(nothing, KeyFigures(()), Paragraph(""))), created=DAY)
    assert boxes(data) == [A4]
    if shutil.which("pdftotext"):
        assert "无" in said(data)


def test_a_drawing_must_be_plain() -> None:
    bad = replace(paged.drawing(), svg_text="<svg><script>1</script></svg>")
    with pytest.raises(ValueError, match="plain SVG"):
        to_pdf(Document("t", blocks=(bad,)))
    with pytest.raises(ValueError, match="'attain'"):
        to_pdf(Document("t", blocks=(paged.drawing(), paged.drawing())))


def test_a_figure_without_size_still_stands_on_the_page() -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><rect width="10" height="10"/></svg>'
    assert boxes(to_pdf(Document("t", blocks=(Figure("f", "t", svg, b"", "x"),)))) == [A4]


def test_bytes_do_not_depend_on_clock_zone_folder_or_hash_seed(tmp_path: Path) -> None:
    code = (
        "import sys, hashlib, datetime; sys.path[:0] = [sys.argv[1], sys.argv[2]]; import paged\n"
        "from lyeval.render import to_pdf, to_docx\n"
        "for make in (to_pdf, to_docx): print(hashlib.sha256(make(paged.report(5))).hexdigest())"
    )
    seen = set()
    for zone, seed, folder, locale in (("UTC", "1", ROOT, "C"), ("Asia/Shanghai", "2", tmp_path, "C.UTF-8")):
        env = {**os.environ, "TZ": zone, "PYTHONHASHSEED": seed, "LC_ALL": locale, "PYTHONUTF8": "1"}
        env |= {"SOURCE_DATE_EPOCH": "1705276800", "MPLBACKEND": "agg"}
        command = [sys.executable, "-c", code, str(ROOT), str(ROOT / "tests")]
        seen.add(subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=env).stdout)
    assert len(seen) == 1
    assert seen.pop().split()[0] == hashlib.sha256(to_pdf(paged.report(5), created=DAY)).hexdigest()


def test_source_date_epoch_gives_the_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1705276800")
    assert b"D:20240115" in to_pdf(Document("x"))
    assert b"D:20230501" in to_pdf(Document("x"), created=date(2023, 5, 1))
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert b"/CreationDate" not in to_pdf(Document("x"))


def test_one_page_for_each_dossier() -> None:
    begun = time.process_time()
    data = to_pdf(paged.dossiers(60))
    assert time.process_time() - begun < 3
    assert boxes(data) == [A4] * 60
    assert len(titles(data)) == 60


def test_four_hundred_rows_are_fast() -> None:
    begun = time.process_time()
    data = to_pdf(paged.report(400), created=DAY)
    assert time.process_time() - begun < 5
    assert len(data) < 2_000_000


def test_an_office_brings_its_own_faces(tmp_path: Path) -> None:
    from fontTools.ttLib import TTFont

    paths = []
    for name, family in (("a.otf", "FZXiaoBiaoSong-B05S"), ("b.otf", "仿宋_GB2312"), ("c.otf", "Times")):
        font = TTFont(fonts_of.SHIPPED / "LyevalSerif-Regular.otf")
        for number, text in ((1, family), (4, family), (6, family.encode("ascii", "ignore").decode() or "x")):
            font["name"].setName(text, number, 3, 1, 0x409)
        font.save(tmp_path / name)
        paths.append(tmp_path / name)
    with fonts_of.loaded(paths[:2]) as faces:
        assert faces.roles["title"] == {
            "family": ["FZXiaoBiaoSong-B05S", "Lyeval Serif SC", "仿宋_GB2312"],
            "weight": 400,
        }
        assert faces.roles["body"][0] == "仿宋_GB2312"
    document = Document("标题", blocks=(Paragraph("正文"),))
    assert to_pdf(document, fonts=paths[:2]) != to_pdf(document)
    assert to_pdf(document, fonts=paths[:2]) == to_pdf(document, fonts=paths[:2])
    with pytest.raises(ValueError, match=r"c\.otf"):
        to_pdf(document, fonts=paths)
    (tmp_path / "d.ttf").write_bytes(b"no font")
    with pytest.raises(ValueError, match=r"d\.ttf"):
        to_pdf(document, fonts=[tmp_path / "d.ttf"])


def test_texts_are_cleaned_and_nothing_else() -> None:
    assert clean("a\u202eb\x01\t\nc\ud800\uffff𠮷\u00ad\u200f") == "ab \nc𠮷"
    assert one_line(" 甲\r\n 乙\u2028丙 ") == "甲 乙 丙"
    assert drawn("𠮷\u0301a", frozenset({ord("a")})) == "〓a"
    assert lacking(["𠮷", "甲"], frozenset({ord("甲")})) == ["𠮷"]
    assert ems("甲乙12") == pytest.approx(3.12)


def test_coverage_is_the_fonts_own() -> None:
    from fontTools.ttLib import TTFont

    path = fonts_of.SHIPPED / "LyevalSans-Bold.otf"
    assert coverage(path) == set(TTFont(path).getBestCmap())
    with pytest.raises(ValueError, match=r"page\.typ"):
        coverage(ROOT / "lyeval/render/page.typ")


def test_tables_fit() -> None:
    small = lay_out(paged.targets(), "zh", one_line).fit
    assert (small.size, small.across) == (10.5, False)
    wide = lay_out(paged.enterprises(60), "zh", one_line).fit
    assert wide.across
    assert wide.size >= 8
    short = lay_out(paged.enterprises(4), "zh", one_line).fit
    for found in (small, wide, short):
        assert sum(found.widths) == pytest.approx(ACROSS if found.across else UPRIGHT, abs=0.5)
    columns = [Column(str(k), "名") for k in range(90)]
    crowded = fit(columns, ["名"] * 90, [["某某"] * 90])
    assert min(crowded.widths) > 0
    assert sum(crowded.widths) == pytest.approx(ACROSS, abs=0.5)


def test_titles_break_between_words() -> None:
    document = paged.report()
    assert title_lines(document.title, 22, document) == ["临沭县2023年度低效工业用地", "企业整治提升年终评估报告"]
    assert title_lines("短题", 22, document) == ["短题"]
    months = "临沭县低效工业用地企业整治提升月度通报（2023年10月）"
    assert title_lines(months, 22, document) == ["临沭县低效工业用地企业整治提升", "月度通报（2023年10月）"]
    for line in (lines := title_lines("舟山市" + document.title + "（征求意见稿）", 22, document)):
        assert ems(line) * 22 <= UPRIGHT
    assert len(lines) == 2
    english = Document("Linshu: year-end evaluation of low-yield industrial land, 2023", lang="en")
    assert all(not line.endswith("-") for line in title_lines(english.title, 22, english))
    assert " ".join(title_lines(english.title, 22, english)) == english.title
    assert "".join(title_lines("A" * 300, 22, english)) == "A" * 300


def test_headings_go_with_a_turned_table_and_text_between_two_stays() -> None:
    lists = [paged.enterprises(60, id=name) for name in "ab"]
    blocks = (Paragraph("前"), Heading(1, "名单"), lists[0], Paragraph("间"), lists[1], Paragraph("后"))
    made = runs(Document("t", blocks=blocks), one_line)
    assert [(run.across, len(run.parts)) for run in made] == [(False, 1), (True, 4), (False, 1)]


@needs_poppler
def test_contents_stand_behind_the_first_section(pdf: bytes) -> None:
    text = said(pdf)
    assert text.index("目录") < text.index("一、总体情况") < text.index("（一）总体")
    assert re.search(r"附录\.{5,}\d+", text)
    assert "目录" not in said(to_pdf(Document("短", blocks=(Heading(1, "一、一"), Paragraph("一")))))


@needs_poppler
@pytest.mark.parametrize(("close", "size", "pitch"), [(False, 16, 28), (True, 14, 22)])
def test_the_type_area_is_the_standards(close: bool, size: float, pitch: float, tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(
        to_pdf(Document("题", blocks=(Paragraph("全县低效工业用地企业整治提升工作情况如下" * 40, close=close),)))
    )
    page = subprocess.run(
        ["pdftotext", "-bbox-layout", "-l", "1", str(path), "-"], capture_output=True, check=True
    ).stdout.decode()
    lines = re.findall(r'<line xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)" yMax="([\d.]+)"', page)
    body = sorted(
        ({k: float(v) for k, v in zip("abcd", line, strict=True)} for line in lines), key=lambda line: line["b"]
    )
    body = [line for line in body if line["c"] - line["a"] > 300]
    mm = 72 / 25.4
    assert body[0]["a"] == pytest.approx(28 * mm + 2 * size, abs=1)  # two characters in
    assert all(line["a"] == pytest.approx(28 * mm, abs=1) for line in body[1:])
    assert max(line["c"] for line in body) == pytest.approx((210 - 26) * mm, abs=size)
    assert [b["b"] - a["b"] for a, b in itertools.pairwise(body)] == pytest.approx([pitch] * (len(body) - 1), abs=0.6)
    assert body[0]["b"] > 37 * mm - 1
    assert body[-1]["d"] < (297 - 35) * mm + 6
    if not close:
        assert len(body) + 2 >= 19  # with the title, 22 lines to the page
