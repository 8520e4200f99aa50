"""The engine of templates: names stay text, every figure has its cell, errors name file and line, sections number themselves."""

from __future__ import annotations

import pandas as pd
import pytest

from lyeval.render import Bullets, Column, Heading, Note, Paragraph, to_html
from lyeval.render.blocks import Document, slots
from lyeval.report.cells import Selector
from lyeval.report.filling import names, read_template, read_texts, shipped, template_of
from lyeval.report.template import Template, TemplateError
from lyeval.report.tracing import find

NAMES = [
    "# 甲",
    "- 乙",
    "> 丙",
    "{{ 7*7 }}",
    "{% raw %}",
    "<script>x</script>",
    "**丁**",
    "\ue0000\ue001",
    "→ 戊",
    "1. 己",
    "a\n\n# b",
]
TABLES = {
    "firms": pd.DataFrame(
        {"code": [f"E{k}" for k in range(len(NAMES))], "name": NAMES, "tax_wan": [float(k) for k in range(len(NAMES))]}
    ),
    "none": pd.DataFrame({"code": [], "name": []}),
}


def blocks(source: str, lang="zh", texts: dict | None = None, words: dict | None = None, **things) -> list:
    """Fill a template from two small tables."""
    shape = lambda table, column, row: (Column(column, "", kind="number" if column == "tax_wan" else "text"), None)  # noqa: E731
    select = Selector(TABLES, {"firms": ("code",)}, shape, lang)
    return Template("t.md", source).blocks(select, lang=lang, things=things, texts=texts, words=words)


def test_names_are_text_whatever_they_hold() -> None:
    made = blocks('{% for f in rows("firms") %}\n{{ f.name }}\n\n{% endfor %}')
    assert [b.text for b in made] == NAMES
    assert all(isinstance(b, Paragraph) and not b.align for b in made)
    page = to_html(Document("t", blocks=tuple(made)))
    assert "<script>x" not in page
    listed = blocks('{% for f in rows("firms") %}\n- {{ f.name }}\n{% endfor %}')
    assert [b.items for b in listed if isinstance(b, Bullets)] == [tuple(NAMES)]
    assert [b.text for b in blocks("# {{ who }}\n\n{{ who }}", words={"who": "# *x*\n\n# y"})] == [
        "一、# *x*\n\n# y",
        "# *x*\n\n# y",
    ]


def test_a_figure_carries_its_cell_and_nothing_else_is_a_figure() -> None:
    made = blocks(
        '共{{ rows("firms").count }}家，{{ fig("firms", "E3", "tax_wan") }}万元，前二{{ rows("firms").head(2).sum("tax_wan") }}。'
    )
    (text,) = [b.text for b in made]
    assert text == f"共{len(NAMES)}家，3.00万元，前二1.00。"
    assert [text[m.start : m.end] for m in text.marks] == [str(len(NAMES)), "3.00", "1.00"]
    assert [m.id for m in text.marks] == ["firms/count", "firms/E3/tax_wan", "firms[:2]/sum:tax_wan"]
    assert find(Document("t", blocks=tuple(made)), f"{len(NAMES)}家")[0].id == "firms/count"


@pytest.mark.parametrize(
    "figure", ["{{ 1 + 1 }}", "{{ 3.5 }}", '{{ rows("firms") | length }}', "{{ true }}", "{{ none }}"]
)
def test_a_number_without_a_cell_is_refused_with_its_line(figure: str) -> None:
    with pytest.raises(TemplateError, match=r"t\.md:3: .*须取自表中的格"):
        blocks(f"甲\n\n{figure}")


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("a\n\n{% if x %}\n", 3, "endif"), ("a\n{{ nothing }}\n", 2, "nothing"), ('a\n\n{{ fig("nope", "x") }}', 3, "没有名为 nope 的表"),
        ('{{ fig("firms", "E1", "land") }}', 1, "没有 land 这一列"), ('a\n{{ fig("firms", "E99", "name") }}', 2, "没有 E99 这一行"),
        ('{{ rows("firms", land=1).count }}', 1, "没有 land 这一列"), ("a\ue000b", 1, "私用区字符"), ("{{ 1 / 0 }}", 1, "模板写法有误"),
        ('{% include "zh/nope.md" %}', 1, "nope"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_line(source: str, line: int, said: str) -> None:
    with pytest.raises(TemplateError) as error:
        blocks(source)
    assert error.value.zh.startswith(f"t.md:{line}: ")
    assert said in error.value.zh


@pytest.mark.parametrize(
    "source",
    ['{{ "".__class__.__mro__ }}', '{{ rows.__globals__ }}', '{% include "../../pyproject.toml" %}', '{{ rows("firms")._select }}',
     '{% for f in rows("firms") %}{{ f._values }}{% endfor %}'],
)  # fmt: skip
def test_a_template_stays_in_its_sandbox(source: str) -> None:
    with pytest.raises(TemplateError):
        blocks(source)


def test_sections_number_themselves_and_are_referred_to_by_name() -> None:
    source = (
        '# 总述{{ id("first") }}\n\n见{{ ref("third") }}和{{ ref("sub") }}。\n\n# 空{{ id("empty") }}\n\n'
        '# 其后{{ id("third") }}\n\n## 分项{{ id("sub") }}\n\n甲\n\n## 另项\n\n乙\n'
    )
    made = blocks(source)
    assert [b.text for b in made if isinstance(b, Heading)] == ["一、总述", "二、其后", "（一）分项", "（二）另项"]
    assert made[1].text == "见第二部分和“分项”。"
    english = blocks(source, lang="en")
    assert [b.text for b in english if isinstance(b, Heading)] == ["1. 总述", "2. 其后", "2.1 分项", "2.2 另项"]
    with pytest.raises(TemplateError, match="没有名为 empty 的部分"):
        blocks('# 空{{ id("empty") }}\n\n# 乙\n\n见{{ ref("empty") }}')


def test_a_name_that_looks_like_a_reference_refers_to_nothing() -> None:
    made = blocks('# 甲{{ id("a") }}\n\n{{ fig("firms", "E7", "name") }}，见{{ ref("a") }}')
    assert made[1].text == "\ue0000\ue001，见第一部分"


def test_titles_sides_notes_slots_and_blanks() -> None:
    source = (
        '# 告知书{{ id("", fresh=true, titled=true) }}\n\n→ {{ blank("文号", "__号") }}\n\n← {{ fig("firms", "E0", "name") }}：\n\n'
        '> ！小心\n\n{{ slot("做法", "写什么") }}\n\n{{ slot("其他") }}\n'
    )
    made = blocks(source, texts={"其他": "第一段\n第二段 # x"})
    assert made[0] == Heading(1, "告知书", True, True)
    assert [(b.text, b.align) for b in made[1:3]] == [("__号", "right"), ("# 甲：", "left")]
    assert made[3] == Note("小心", "open")
    assert [s.name for s in slots(Document("t", blocks=tuple(made)))] == ["做法"]
    assert [b.text for b in made[5:]] == ["第一段", "第二段 # x"]
    assert blocks(source, texts={"文号": "沭低效〔2024〕1号"})[1].text == "沭低效〔2024〕1号"


def test_a_table_stands_alone() -> None:
    with pytest.raises(TemplateError, match="须单独成段"):
        blocks("见{{ table() }}表", table=lambda: Note("t"))
    assert blocks("{{ table() }}", table=lambda: None) == []


def test_shipped_templates_compile_and_come_in_both_languages() -> None:
    there = names()
    for name in there:
        lang, _, bare = name.partition("/")
        template_of(bare, lang).check()
        assert f"{'en' if lang == 'zh' else 'zh'}/{bare}" in there
    with pytest.raises(TemplateError, match="没有这个模板"):
        shipped("zh/../../texts")


def test_an_offices_own_template_and_words(tmp_path) -> None:
    (tmp_path / "我县.md").write_text("好\n\n{% for %}", encoding="utf-8")
    with pytest.raises(TemplateError, match=r"^我县\.md:3: "):
        read_template(tmp_path / "我县.md")
    with pytest.raises(TemplateError, match=r"没有\.md"):
        read_template(tmp_path / "没有.md")
    (tmp_path / "话.md").write_text("# 做法\n\n一\n二\n\n# 其他\n三\n", encoding="utf-8")
    assert read_texts(tmp_path / "话.md") == {"做法": "一\n二", "其他": "三"}
    for text, line in (("前言\n# 做法\n", 1), ("# 做法\n一\n# 做法\n", 3)):
        (tmp_path / "话.md").write_text(text, encoding="utf-8")
        with pytest.raises(TemplateError, match=f"话.md:{line}: "):
            read_texts(tmp_path / "话.md")
