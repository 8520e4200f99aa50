"""Blocks, numbers, HTML and XLSX."""

from __future__ import annotations

import html
import re
import zipfile
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import paged
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from lyeval.render import (
    Bullets,
    Cell,
    Column,
    Document,
    Figure,
    Heading,
    KeyFigures,
    Note,
    Paragraph,
    Table,
    captions,
    digits_beside,
    format_value,
    to_html,
    to_xlsx,
)
from lyeval.render.glyphs import clean

STYLE = Path(__file__).parents[1] / "lyeval/render/style.css"
HOSTILE = ["<script>alert(1)</script>", "{{ 7*7 }}", '"onload="x', "a\u202eb", "𠮷野家", "=1+1", "../x", "</style><b>"]
SVG = (
    '<?xml version="1.0"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">\n'
    '<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="72pt" height="36pt" viewBox="0 0 72 36" '
    'xmlns="http://www.w3.org/2000/svg"><defs><path id="p1" d="M 0 0"/></defs>'
    '<g clip-path="url(#p1)"><use xlink:href="#p1"/><!-- note --></g></svg>'
)
COLUMNS = (
    Column("name", "企业名称"),
    Column("land", "占地", "亩", "number", 1),
    Column("share", "占比", "", "percent"),
    Column("n", "户数", "家", "count"),
    Column("on", "告知日期", "", "date"),
    Column("flag", "列入", "", "flag"),
    Column("status", "结论"),
)


def table(names: list[str], **more: object) -> Table:
    rows = tuple(
        (name, 1234.56 + k, 0.1996, 7 * k, date(2023, 1, 9), k % 2 == 0, Cell("未达标", tone="bad"))
        for k, name in enumerate(names)
    )
    return Table("list", "低效企业名单", COLUMNS, rows, source="县税务局", cite="临沭 二(三)", **more)  # type: ignore[arg-type]


def document(**more: object) -> Document:
    blocks = (
        Heading(1, "一、总体情况"),
        KeyFigures((("规上未达标", "4", "家", "bad"), ("占比", "19.96", "%", "good"))),
        Paragraph(HOSTILE[0]),
        Note("暂不能判定", "open"),
        Bullets(tuple(HOSTILE)),
        Heading(3, "（一）跳级"),
        Figure("attain", "目标完成", SVG, b"png", 'alt "text" <b>', "县税务局"),
        table(HOSTILE, sortable=True),
    )
    settings = {
        "subtitle": "定稿",
        "meta": (("年度", "2023"),),
        "watermark": "合成数据，企业均为虚构\\",
        "footer": "sha256:1",
    }
    return Document(**({"title": "评估<报告>", "blocks": blocks} | settings | more))  # type: ignore[arg-type]


class Outline(HTMLParser):
    """Collect tags, attributes and text of a page, as a browser reads it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.mark.parametrize(
    ("column", "value", "zh", "en"),
    [
        (COLUMNS[1], 12345.67, "12,345.7", "12,345.7"),
        (COLUMNS[1], -0.04, "0.0", "0.0"),
        (COLUMNS[1], -3.25, "−3.2", "−3.2"),
        (COLUMNS[1], Cell(1.99601, digits=3), "1.996", "1.996"),
        (COLUMNS[1], float("nan"), "—", "—"),
        (COLUMNS[1], np.float64(2), "2.0", "2.0"),
        (COLUMNS[2], 0.347, "34.7%", "34.7%"),
        (COLUMNS[2], Cell(0.2004, digits=2), "20.04%", "20.04%"),
        (COLUMNS[3], np.int64(12345), "12,345", "12,345"),
        (COLUMNS[3], pd.NA, "—", "—"),
        (COLUMNS[4], pd.Timestamp("2023-05-06"), "2023-05-06", "2023-05-06"),
        (COLUMNS[4], pd.NaT, "—", "—"),
        (COLUMNS[5], np.bool_(True), "是", "yes"),
        (COLUMNS[5], False, "否", "no"),
        (COLUMNS[0], None, "—", "—"),
        (COLUMNS[0], "001", "001", "001"),
        (COLUMNS[0], 2023, "2023", "2023"),
    ],
)
def test_format_value(column: Column, value: object, zh: str, en: str) -> None:
    assert format_value(column, value) == zh
    assert format_value(column, value, "en") == en


@pytest.mark.parametrize(
    ("value", "goal", "kind", "digits"),
    [
        (0.2004, 0.20, "percent", 2),
        (0.19996, 0.20, "percent", 3),
        (0.31, 0.20, "percent", 1),
        (0.2, 0.2, "percent", 1),
        (1.996, 2.0, "number", 3),
        (2.0, 2.0 * (1 + 1e-12), "number", 2),
        (None, 2.0, "number", 2),
        (3, 0, "count", 0),
    ],
)
def test_a_shown_number_stands_on_its_side_of_the_goal(value: float, goal: float, kind: str, digits: int) -> None:
    assert digits_beside(value, goal, kind) == digits


def test_rows_must_fit_columns() -> None:
    with pytest.raises(ValueError, match="row 1 has 1 values for 2 columns"):
        Table("t", "t", COLUMNS[:2], (("a",),))


def test_figures_need_alt_text_and_plain_drawings() -> None:
    with pytest.raises(ValueError, match="alt text"):
        Figure("f", "t", SVG, b"", " ")
    bad = Figure("f", "t", "<svg><script>1</script></svg>", b"", "x")
    with pytest.raises(ValueError, match="plain SVG"):
        to_html(Document("t", blocks=(bad,)))


def test_captions_count_tables_and_figures_apart() -> None:
    blocks = document().blocks
    assert captions(blocks) == {"attain": "图1", "list": "表1"}
    assert captions(blocks, "en") == {"attain": "Figure 1", "list": "Table 1"}
    with pytest.raises(ValueError, match="'list'"):
        captions((*blocks, table(["a"])))


def test_html_is_the_same_twice_and_escapes_everything() -> None:
    page = to_html(document())
    assert page == to_html(document())
    outline = Outline(page)
    assert len(outline.find("script")) == 1
    assert not outline.find("b") or all(attrs == {} for attrs in outline.find("b"))
    seen = "".join(outline.text)
    assert all(clean(name) in seen for name in HOSTILE)
    assert not any(key.startswith("on") for _, attrs in outline.tags for key in attrs)


def test_html_asks_nothing_of_the_network() -> None:
    page = to_html(document())
    assert not re.findall(r"(?:https?:)?//[\w.]+", re.sub(r'xmlns(:\w+)?="[^"]*"', "", page).replace("/* ", ""))
    assert not re.search(r"@import|url\(\s*['\"]?(?!#|data:)", page)
    policy = Outline(page).find("meta")[3]["content"] or ""
    assert policy.startswith("default-src 'none'")
    assert "script-src 'sha256-" in policy
    assert "script-src" not in to_html(document(blocks=()))


def test_html_structure_for_readers_of_every_kind() -> None:
    outline = Outline(to_html(document()))
    assert outline.find("html") == [{"lang": "zh-CN"}]
    assert outline.find("a")[0]["href"] == "#content"
    assert [attrs["aria-label"] for attrs in outline.find("nav")] == ["目录"]
    levels = [int(tag[1]) for tag, _ in outline.tags if re.fullmatch(r"h\d", tag)]
    assert levels == [1, 2, 3]
    pictures = [attrs for attrs in outline.find("div") if attrs.get("role") == "img"]
    assert [attrs["aria-label"] for attrs in pictures] == ['alt "text" <b>']
    assert len(outline.find("caption")) == 1
    heads = outline.find("th")
    assert [attrs["scope"] for attrs in heads] == ["col"] * len(COLUMNS) + ["row"] * len(HOSTILE)
    ids = [attrs["id"] for _, attrs in outline.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert "f6-p1" in ids


def test_html_shows_units_source_basis_and_signs() -> None:
    page = to_html(document())
    assert "<small>（亩）</small>" in page
    assert "来源：</b>县税务局" in page
    assert "依据：</b>临沭 二(三)" in page
    assert re.search(r'class="pill bad"><span class="sign" aria-hidden="true">×</span>未达标', page)
    english = to_html(document(lang="en"))
    assert "<small> (亩)</small>" in english
    assert "Source: </b>" in english
    assert '<html lang="en">' in english


def test_the_first_chapter_stands_before_the_contents() -> None:
    blocks = (Heading(1, "领导参阅"), Paragraph("首页"), Heading(1, "一、情况"), Paragraph("后文"))
    page = to_html(document(blocks=blocks))
    places = [page.index(text) for text in ("首页", '<nav class="contents"', "后文")]
    assert places == sorted(places)
    assert len(Outline(page).find("main")) == len(Outline(page).find("nav")) == 1
    alone = to_html(document(blocks=blocks[:2]))
    assert alone.index('<nav class="contents"') < alone.index("首页")


def test_figures_are_dark_on_a_dark_page() -> None:
    page = to_html(document(blocks=(paged.drawing(),)))
    drawn = page[page.index('<div class="pic"') : page.index("<figcaption")]
    assert not re.search(r"(?<!,)#[0-9a-f]{6}\b", re.sub(r'(href|url\()="?#[^")]+', "", drawn))
    names = set(re.findall(r"var\(--(c[0-9a-f]{6}),", drawn))
    dark = re.search(r"@media screen and \(prefers-color-scheme: dark\) \{ \.pic \{ (.*?) \}", page)
    assert dark
    turned = dict(re.findall(r"--(c[0-9a-f]{6}):(#[0-9a-f]{6});", dark[1]))
    assert set(turned) == names
    assert _luminance(turned["cffffff"]) < 0.02
    ground = _luminance(turned["cffffff"])
    for ink in ("c0a5a9c", "ca83208"):  # what is met, and missed
        assert (_luminance(turned[ink]) + 0.05) / (ground + 0.05) >= 3, ink
    assert len(page) < 2 * len(paged.drawing().svg) + 20_000


def test_the_notice_stands_on_top_and_in_every_printed_margin() -> None:
    page = to_html(document())
    assert '<aside class="watermark">合成数据，企业均为虚构\\</aside>' in page
    rule = re.search(r'@top-center \{ content: "([^"]*)"', page)
    assert rule is not None
    assert "".join(chr(int(code, 16)) for code in rule.group(1).replace("\\", "").split()) == "合成数据，企业均为虚构\\"
    assert '<aside class="watermark">' not in to_html(document(watermark=""))
    assert "@top-center" not in to_html(document(watermark=""))


def test_a_heading_may_begin_a_printed_page() -> None:
    page = to_html(document(blocks=(Heading(1, "甲", fresh=True), Heading(1, "乙"))))
    assert '<h2 id="heading-0" class="fresh">甲</h2>' in page
    assert '<h2 id="heading-1">乙</h2>' in page


def test_a_table_without_rows_says_so() -> None:
    page = to_html(document(blocks=(table([], sortable=True),)))
    assert f'<td colspan="{len(COLUMNS)}" class="none">无</td>' in page


def test_four_hundred_rows_stay_small() -> None:
    wide = table([f"某某精密铸造（临沂）股份有限公司第{k}分公司" for k in range(400)], sortable=True)
    assert len(to_html(document(blocks=(wide,))).encode()) < 250_000


def _luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_colours_contrast_enough(theme: int) -> None:
    root = re.findall(r":root \{(.*?)\}", STYLE.read_text(encoding="utf-8"), re.DOTALL)[theme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6})", root))
    full = {k: "#" + "".join(c * 2 for c in v[1:]) if len(v) == 4 else v for k, v in colours.items()}
    pairs = [("good", "good-bg"), ("bad", "bad-bg"), ("open", "open-bg")]
    pairs += [
        (ink, paper) for ink in ("ink", "soft", "accent", "link", "good", "bad", "open") for paper in ("paper", "wash")
    ]
    for ink, paper in pairs:
        light, dark = sorted((_luminance(full[ink]), _luminance(full[paper])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, paper)


def read(path: Path, sheet: str) -> list[list[object]]:
    return CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def test_xlsx_keeps_text_as_text_and_numbers_as_numbers(tmp_path: Path) -> None:
    path = tmp_path / "annex.xlsx"
    names = ["=1+1", "+86", "-x", "@a", "http://example.org", "0012", "<b>&", "a\x01b"]
    to_xlsx([table(names)], path, title="附表", created=date(2024, 2, 5), notes=["一行", ("口径", "=A1")])
    rows = read(path, "低效企业名单")
    assert rows[0][0] == "低效企业名单"
    assert rows[1] == ["企业名称", "占地（亩）", "占比", "户数（家）", "告知日期", "列入", "结论"]
    assert [row[0] for row in rows[2:10]] == [*names[:7], "ab"]
    assert rows[3][1:] == [1235.56, 0.1996, 7, date(2023, 1, 9), "否", "未达标"]
    assert [row[0] for row in rows[11:]] == ["依据：临沭 二(三)", "来源：县税务局"]
    assert read(path, "口径") == [["附表", ""], ["", ""], ["", "一行"], ["口径", "=A1"]]


def test_xlsx_leaves_missing_values_empty(tmp_path: Path) -> None:
    path = tmp_path / "annex.xlsx"
    gaps = Table("t", "缺", COLUMNS[:3], ((None, float("nan"), pd.NA), ("甲", np.float64(2.5), Cell(None))))
    to_xlsx([gaps], path, title="t", created=datetime(2024, 2, 5, 8), notes=[])
    assert read(path, "缺")[2:4] == [["", "", ""], ["甲", 2.5, ""]]


def test_xlsx_bytes_and_sheet_names(tmp_path: Path) -> None:
    long = "名" * 40
    tables = [
        Table(str(k), title, COLUMNS[:1], (("甲",),)) for k, title in enumerate([long, long, "a/b:c?", "口径", "''"])
    ]
    for name in ("a.xlsx", "b.xlsx"):
        to_xlsx(tables, tmp_path / name, title="附表", created=date(2024, 2, 5), notes=["x"])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    names = CalamineWorkbook.from_path(tmp_path / "a.xlsx").sheet_names
    assert names == ["名" * 30 + "…", "名" * 26 + "… (2)", "a b c", "口径", "Sheet", "口径 (2)"]


def test_rendering_leaves_the_document_as_it_was(tmp_path: Path) -> None:
    one = document()
    to_html(one)
    to_xlsx(
        [b for b in one.blocks if isinstance(b, Table)],
        tmp_path / "x.xlsx",
        title="t",
        created=date(2024, 1, 1),
        notes=[],
    )
    assert one == document()
    assert html.escape(one.title) in to_html(one)


def test_direction_and_control_marks_are_left_out_of_page_and_workbook(tmp_path: Path) -> None:
    name = "甲\u202e乙\u2066丙\x07丁"
    table = Table("t", name, (Column("name", "名称"),), ((name,),))
    page = to_html(Document("标题", blocks=(table,)))
    to_xlsx([table], tmp_path / "a.xlsx", title="标题", created=date(2024, 1, 1), notes=[])
    told = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx")).get_sheet_by_index(0).to_python()
    assert "甲乙丙丁" in page
    assert not {"\u202e", "\u2066", "\x07"} & set(page)
    assert told[2][0] == "甲乙丙丁"


def test_xlsx_is_ready_to_filter_and_colours_by_rule(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    columns = (
        Column("n", "企业"),
        Column("v", "占比", "", "percent"),
        Column("s", "判定"),
        Column("t", "用地", "亩", "number"),
    )
    rows = (
        ("甲", 0.2004, Cell("未达标", tone="bad"), 1234.5),
        ("乙", Cell(0.19961, digits=3), Cell("达标", tone="good"), None),
        ("丙", None, Cell("暂不能判定", tone="open"), 0.1),
    )
    made = Table("t", "目标", columns, rows, source="台账")
    to_xlsx([made], path, title="附表", created=date(2024, 2, 5), notes=[("口径", "说明")])
    with zipfile.ZipFile(path) as book:
        sheet, styles = (book.read(f"xl/{n}.xml").decode() for n in ("worksheets/sheet1", "styles"))
    assert '<pane xSplit="1" ySplit="2" topLeftCell="B3"' in sheet
    assert 'state="frozen"' in sheet
    assert '<autoFilter ref="A2:D5"/>' in sheet
    rules = re.findall(r'<conditionalFormatting sqref="C3:C5">.*?</conditionalFormatting>', sheet)
    assert sorted(re.findall(r"<formula>\"(.+?)\"</formula>", "".join(rules))) == ["暂不能判定", "未达标", "达标"]
    assert len(re.findall("<dxf>", styles)) == 3
    for form in ("0.0%", "0.000%", "#,##0.00"):
        assert f'formatCode="{form}"' in styles
    read = CalamineWorkbook.from_path(str(path))
    assert read.sheet_names == ["目标", "口径"]
    told = read.get_sheet_by_name("目标").to_python()
    assert told[1] == ["企业", "占比", "判定", "用地（亩）"]
    assert told[2] == ["甲", 0.2004, "未达标", 1234.5]
    assert read.get_sheet_by_name("口径").to_python()[2] == ["口径", "说明"]
