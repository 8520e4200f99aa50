"""How the report writes: every line of what would embarrass an office, with a test; and both languages in step."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest
from build import ledger, years
from hypothesis import given
from hypothesis import strategies as st

from lyeval import report
from lyeval.assessment import assess, readings
from lyeval.ledger import Ledger
from lyeval.policy import load_policy
from lyeval.render import Bullets, Document, Heading, KeyFigures, Note, Paragraph, Slot, Table, format_value
from lyeval.report.filling import names, shipped
from lyeval.report.sheets import sheets
from lyeval.report.tabulate import Heading as Heading_
from lyeval.report.words import BANDS, TEMPLATES, band, chance, few, percent, share, shown, value_text
from lyeval.tables.registry import schema, values

LINSHU, ZHOUSHAN = load_policy("linshu-2021"), load_policy("zhoushan-2020")
PACKAGE = Path(report.__file__).parent


def tables_of(book: Ledger, policy, year: int, **more) -> dict:
    """Return the tables of a ledger's year."""
    now = assess(book, policy, year, **more)
    read = readings(book, policy, year, **more) if now.outcomes else None
    return report.ledger_tables(book) | report.assessment_tables(now, read)


def words_of(document: Document) -> list[str]:
    """Return every text of a document that a reader sees: sentences, headings, cells, notes."""
    out = [document.title, document.subtitle, *(v for pair in document.meta for v in pair)]
    for block in document.blocks:
        if isinstance(block, Paragraph | Note | Heading):
            out.append(block.text)
        elif isinstance(block, Bullets):
            out += block.items
        elif isinstance(block, KeyFigures):
            out += [str(part) for item in block.items for part in item]
        elif isinstance(block, Table):
            out += [block.title, block.note, block.cite, block.source, *(c.title for c in block.columns)]
            out += [
                format_value(c, v, document.lang) for row in block.rows for c, v in zip(block.columns, row, strict=True)
            ]
        elif not isinstance(block, Slot):
            out += [block.title, block.alt, block.source]
    return out


def text_of(document: Document) -> str:
    """Return a document as one text."""
    return "\n".join(words_of(document))


def table_of(document: Document, id: str) -> Table:
    """Return a table of a document by its id."""
    return next(b for b in document.blocks if isinstance(b, Table) and b.id == id)


@given(st.floats(0, 1), st.sampled_from([0.1, 0.15, 0.2, 0.8, 1.0]))
def test_a_shown_share_never_crosses_its_goal(value: float, goal: float) -> None:
    told = float(shown(value, goal, "percent").rstrip("%")) / 100
    if abs(value - goal) > 1e-9:
        assert (told > goal - 1e-12) == (value > goal) or abs(told - goal) < 1e-9 > abs(value - goal) * 1e-3


@pytest.mark.parametrize(
    ("value", "goal", "kind", "told"),
    [
        (0.2004, 0.2, "percent", "20.04%"),
        (0.20, 0.2, "percent", "20.0%"),
        (1.996, 2.0, "number", "1.996"),
        (0.7999, 0.8, "percent", "79.99%"),
        (2.0000000001, 2.0, "number", "2.00"),
        (29999.6, 30000, "count", "29,999.6"),
    ],
)
def test_decimals_are_added_until_the_number_stands_on_its_side(
    value: float, goal: float, kind: str, told: str
) -> None:
    assert shown(value, goal, kind) == told


def test_under_ten_firms_are_told_as_a_of_b() -> None:
    book = ledger(annual=years("A", {2019: 1, 2020: 30}, 10, True) + years("B", {2019: 1, 2020: 1}, 10, True))
    made = tables_of(book, ZHOUSHAN, 2020)
    document = report.build_report(made)
    row = dict(
        zip(
            [c.key for c in table_of(document, "leader_targets").columns],
            table_of(document, "leader_targets").rows[0],
            strict=True,
        )
    )
    assert (row["value"], row["short_by"]) == ("1/2家", "—")
    assert "1/2家" in text_of(document)
    bare = re.sub(r"80%|100%|20%", "", text_of(document))
    assert not re.findall(r"\d%", re.sub(r".*补足.*|.*同比.*|.*sha256.*", "", bare))


def test_a_share_of_few_firms_land_is_told_in_mu() -> None:
    assert share(12.5, 100, 9, "zh") == "12.5/100.0亩"
    assert share(12.5, 100, 10, "zh") == percent(0.125)


@pytest.mark.parametrize(
    ("kind", "n", "told"),
    [("share", 9, True), ("share", 10, False), ("share", 0, False), ("share", None, False), ("count", 9, False)],
)
def test_a_share_of_fewer_than_ten_is_one_of_few(kind: str, n: int | None, told: bool) -> None:
    assert few({"kind": kind, "n": n}) is told


def test_an_empty_class_is_not_counted() -> None:
    document = report.build_report(tables_of(ledger(annual=years("A", {2019: 1, 2020: 30}, 10, True)), ZHOUSHAN, 2020))
    table = table_of(document, "leader_targets")
    rows = {row[0]: dict(zip([c.key for c in table.columns], row, strict=True)) for row in table.rows}
    assert rows["规下企业80%达到2万元/亩"]["value"] == "不涉及"
    assert rows["规下企业80%达到2万元/亩"]["status"].value == "不涉及"
    assert [row["value"] for row in rows.values()].count("不涉及") == 1


def test_undetermined_names_what_is_missing_and_from_whom() -> None:
    annual = [r for i in range(12) for r in years(f"A{i:02d}", {2019: 1, 2020: 30 if i < 9 else None}, 10, False)]
    text = text_of(report.build_report(tables_of(ledger(annual=annual), ZHOUSHAN, 2020)))
    assert "暂不能判定，缺3户2020年税收（税务部门），补齐即可判定" in text
    assert "无法判定" not in text


def phrases(lang: str) -> dict[str, str]:
    """Return every text of one language: the names of values, the words of sheets, the shipped templates, the shared sentences."""
    at = lang == "en"
    told = {f"values.csv {of}.{name}": v.text(lang) for of, held in values().items() for name, v in held.items()}
    told |= {f"{lang} {name}": text for name, (_, text) in macros(lang).items()}
    told |= {f"sheets.csv {s.id}": (s.en + s.note_en) if at else s.zh + s.note_zh for s in sheets().values()}
    return told | {name: shipped(name) for name in names() if name.startswith(lang)}


def test_forbidden_words_stand_nowhere() -> None:
    forbidden = ("失败", "僵尸", "补税", "置信区间", "无法判定", "响应情景", "夏普利", "聚束", "Shapley", "bunching")
    works = re.compile(r"^- Shorrocks.*$", re.MULTILINE)  # a work cited keeps its own title
    for lang in ("zh", "en"):
        for key, text in phrases(lang).items():
            assert not [w for w in forbidden if w in works.sub("", text)], key


def test_low_efficiency_is_a_word_for_the_certified_alone() -> None:
    allowed = "低效工业用地企业整治提升年终评估报告|不称低效企业|重点低效企业|本地低效企业的认定范围"
    for key, text in phrases("zh").items():
        if key.startswith("zh/") and key not in (
            "zh/year_end",
            "zh/leader",
            "zh/research",
            "zh/effects",
            "zh/bulletin",
        ):
            continue  # papers use the plan's own names for the certified
        assert "低效企业" not in re.sub(allowed, "", text), key


def test_stages_are_named_by_the_procedure() -> None:
    annual = [r for c in "ABCD" for r in years(c, {2022: 1, 2023: 1}, 10, False)]
    process = [{"credit_code": "A", "notified": "2023-01-01"}, {"credit_code": "B", "notified": "2023-01-01", "certified": "2023-02-01"},
               {"credit_code": "C", "key_listed": "2023-03-01"}]  # fmt: skip
    document = report.build_report(
        tables_of(ledger(annual=annual, process=process), LINSHU, 2023) | {"run": {"edition": "research"}}
    )
    stages = {row[0]: row[3] for row in table_of(document, "list").rows}
    assert stages == {"A": "已告知", "B": "已认定", "C": "重点", "D": "符合认定条件"}


def test_what_the_office_edition_leaves_out() -> None:
    firms = [r for c in "ABCDEFGHIJKL" for r in years(c, {2022: 1, 2023: 3}, 10, False)]
    made = tables_of(ledger(annual=firms), LINSHU, 2023)
    sheets = "".join(text_of(Document("", blocks=(t,))) for t in report.annex(made))
    told = text_of(report.build_report(made)) + sheets
    for word in ("Shapley", "夏普利", "聚束", "最优处置", "其他县规则", "响应情景", "最小补税", "整治使税收增加"):
        assert word not in told
    assert "失败" not in told


def test_a_failed_case_is_not_completed() -> None:
    annual = years("A", {2022: 1, 2023: 1}, 10, False)
    case = [
        {
            "credit_code": "A",
            "method": "rectify",
            "outcome": "未完成",
            "started": "2023-02-01",
            "due": "2023-06-01",
            "finished": "2023-06-01",
        }
    ]
    text = text_of(
        report.build_report(
            tables_of(ledger(annual=annual, disposals=case), LINSHU, 2023) | {"run": {"edition": "research"}}
        )
    )
    assert "未完成" in text
    assert "失败" not in text


def test_zombie_is_never_beside_a_name() -> None:
    firms = [{"credit_code": "A", "name": "甲厂", "zombie": True, "location": "县城"}]
    text = text_of(
        report.build_report(
            tables_of(ledger(enterprises=firms, annual=years("A", {2022: 1, 2023: 1}, 10, False)), LINSHU, 2023)
        )
    )
    assert "甲厂" in text
    assert "僵尸" not in text


def test_distance_is_an_estimate_and_no_ground_for_collection() -> None:
    made = tables_of(ledger(annual=years("A", {2022: 1, 2023: 1}, 10, False)), LINSHU, 2023)
    for tables in (report.build_report(made | {"run": {"edition": "research"}}).blocks, report.annex(made)):
        for table in (t for t in tables if isinstance(t, Table)):
            if any(c.key == "tax_needed_wan" for c in table.columns):
                heads = "".join(c.title for c in table.columns)
                assert "测算值，不作为征收依据" in table.note + heads, table.id


def test_no_before_and_after_without_the_usual_rise() -> None:
    book = ledger(annual=years("A", {2022: 1, 2023: 500}, 10, False))
    document = report.build_report(tables_of(book, LINSHU, 2023) | {"run": {"edition": "research"}})
    assert "因此不列示名单企业税收的前后变化" in text_of(document)
    assert "同比" not in text_of(document)
    assert "changes" not in [b.id for b in document.blocks if isinstance(b, Table)]
    assert "列入企业与同等水平企业的税收变动" not in [t.title for t in report.annex(tables_of(book, LINSHU, 2023))]


def test_before_and_after_stands_beside_the_usual_rise() -> None:
    book = ledger(
        annual=[r for i in range(12) for r in years(f"A{i:02d}", {2019: 2, 2020: 3, 2022: 4, 2023: 8}, 10, False)]
    )
    text = text_of(report.build_report(tables_of(book, LINSHU, 2023) | {"run": {"edition": "research"}}))
    assert (
        "税收同比增加48万元（+100%）；同等水平企业不列入时常年也回升约50%（2020年实际），二者之差不能全部归于整治。"
        in text
    )


@pytest.mark.parametrize(
    ("p", "words", "near"),
    [
        (0.97, "基本可以完成", "约九成五"), (0.999, "基本可以完成", "九成五以上"), (0.85, "完成的把握较大", "约八成五"),
        (0.7, "有望完成、仍有不确定性", "约七成"), (0.5, "完成与否约各半", "约五成"), (0.3, "完成的把握不大", "约三成"),
        (0.07, "完成的难度较大", "约百分之五"), (0.04, "基本难以完成", "约百分之五"), (0.001, "基本难以完成", "不到百分之五"),
    ],
)  # fmt: skip
def test_odds_are_told_in_words(p: float, words: str, near: str) -> None:
    assert band(p, None, "zh") == words
    assert chance(p, None, "zh") == near


@pytest.mark.parametrize(
    ("floor", "at", "below"),
    [
        (0.95, "基本可以完成", "完成的把握较大"), (0.80, "完成的把握较大", "有望完成、仍有不确定性"),
        (0.60, "有望完成、仍有不确定性", "完成与否约各半"), (0.40, "完成与否约各半", "完成的把握不大"),
        (0.20, "完成的把握不大", "完成的难度较大"), (0.05, "完成的难度较大", "基本难以完成"),
    ],
)  # fmt: skip
def test_each_band_begins_at_its_floor(floor: float, at: str, below: str) -> None:
    assert band(floor, None, "zh") == at
    assert band(floor - 1e-6, None, "zh") == below
    assert band(floor, None, "en") != band(floor - 1e-6, None, "en")


def test_odds_are_rounded_to_the_nearest_five_points() -> None:
    told = [chance(k / 100, None, "en") for k in range(3, 98)]
    assert [int(re.sub(r"\D", "", t)) for t in told] == [round(k / 5 + 1e-9) * 5 for k in range(3, 98)]


@given(st.floats(0, 1))
def test_odds_are_never_none_or_all(p: float) -> None:
    told = chance(p, None, "zh") + band(p, None, "zh")
    assert not re.search(r"(^|约)(零|十成|一百)|\b0%|100%", told)
    assert not re.search(r"\b0%|100%", chance(p, None, "en"))
    floors = [floor for floor, *_ in BANDS]
    assert floors == sorted(floors, reverse=True)
    assert band(p, "met", "zh") == "完成已成定局"


def test_persons_and_phones_appear_nowhere(tmp_path: Path) -> None:
    book = ledger(annual=years("A", {2022: 1, 2023: 1}, 10, False))
    book.enterprises["carried"] = "张三 13800001234"
    book.enterprises["legal_person"] = "张三"
    made = tables_of(book, LINSHU, 2023)
    report.save(tmp_path, made)
    report.write(made, tmp_path)
    for path in tmp_path.rglob("*.*"):
        assert "张三".encode() not in path.read_bytes()
    assert "张三" not in text_of(report.build_report(made | {"run": {"edition": "research"}}))


def test_names_are_text_only(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>{x}=1+1"
    firms = [{"credit_code": "A", "name": name, "township": "{y}<b>"}]
    made = tables_of(ledger(enterprises=firms, annual=years("A", {2022: 1, 2023: 1}, 10, False)), LINSHU, 2023)
    page = report.write(made, tmp_path, formats=["html"])[0].read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def macros(lang: str) -> dict[str, tuple[set[str], str]]:
    """Return the shared sentences: by name what each is given, and its text."""
    text = (TEMPLATES / lang / "shared.md").read_text(encoding="utf-8")
    found = re.findall(r"{% macro (\w+)\((.*?)\) %}(.*?){% endmacro %}", text, re.DOTALL)
    return {name: ({g for g in given.split(", ") if g}, body) for name, given, body in found}


def test_both_languages_say_the_same_things() -> None:
    zh, en = macros("zh"), macros("en")
    assert list(zh) == list(en)
    for name in zh:
        assert zh[name][0] == en[name][0], name
        for names_, body in (zh[name], en[name]):
            assert {n for n in names_ if re.search(rf"\b{n}\b", body)} == names_, name
        assert not re.search(r"[\u4e00-\u9fff]", en[name][1]), name
    for of, held in values().items():
        for name, told in held.items():
            holes = [set(re.findall(r"{(\w+)(?::[^}]*)?}", t)) for t in (told.zh, told.en)]
            assert holes[0] == holes[1], (of, name)
            assert not re.search(r"[\u4e00-\u9fff]", told.en), (of, name)


def constants() -> tuple[set[str], set[str]]:
    """Return every text in the code of tables and report, and how each text that is put together there begins."""
    whole, starts = set(), set()
    for path in [*PACKAGE.glob("*.py"), *(PACKAGE.parent / "tables").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                starts.add(str(node.values[0].value))
    return whole, starts


def test_every_shared_sentence_is_used() -> None:
    whole, starts = constants()
    begun = tuple(s for s in starts if s.endswith("_"))
    assert [name for name in macros("zh") if name not in whole and not name.startswith(begun)] == []


def test_every_list_of_values_is_used() -> None:
    kinds = {head.kind for head in every_heading()} | {c.format for t in schema().values() for c in t.values()}
    used = constants()[0] | {kind.partition(":")[2] for kind in kinds if kind.startswith(("said:", "judged:"))}
    assert set(values()) <= used
    cells = constants()[0] | {kind.partition(":")[2] for kind in kinds if kind.startswith(("unit:", "tri:"))}
    assert set(values()["cell"]) <= cells
    assert set(values()["tri"]) <= cells | {"True", "False"}


def every_heading() -> list[Heading_]:
    """Return every heading of every table."""
    with (PACKAGE / "headings.csv").open(encoding="utf-8", newline="") as file:
        return [Heading_(*row[1:]) for row in list(csv.reader(file))[1:]]


def test_value_and_figure_agree_on_few_firms() -> None:
    from lyeval.report.year_end import drawable

    row = {"kind": "share", "weight": "land", "n": 3, "value": 0.25, "part": 10.0, "whole": 40.0, "goal": 0.2, "low": 0.25,
           "high": 0.5, "unit": "", "op": "le"}  # fmt: skip
    assert value_text(row, "zh") == "10/40亩"
    drawn = drawable([row]).iloc[0]
    assert (drawn["value"], drawn["goal"], drawn["high"], drawn["unit"]) == (10.0, 8.0, 20.0, "亩")


def test_every_assumption_is_named_in_both_languages() -> None:
    parts = {part for path in report.assumption_tables()["assumptions"]["path"] for part in path.split(".")} - {
        "methods"
    }
    assert {"catch_up", "ramp_up"} < parts
    assert parts <= set(values()["figure"])
