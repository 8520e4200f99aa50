"""The year-end review of the office: whose sentences could stand nowhere else, what its pages hold, and why a firm stands below its line."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import samples
from build import ledger, years
from test_report_tables import LINSHU, ZHOUSHAN
from test_report_words import words_of

from lyeval import report
from lyeval.assessment import assess
from lyeval.ledger import read_ledger
from lyeval.policy import method_words
from lyeval.render import Bullets, Document, Figure, Heading, Paragraph, Table, to_pdf
from lyeval.report.words import of_target
from lyeval.tables.review import CAUSES

PLACES = [("linshu", 2023), ("linshu", 2024), *((f"zhoushan-{n}", 2020) for n in samples.COUNTIES), ("zhoushan", 2020)]
FIELD = Path(__file__).resolve().parents[2] / "shared" / "data"
FIELDS = (("dinghai-2020-ledger.xlsx", ZHOUSHAN, 2020), ("linshu-2023-flat-gb18030.csv", LINSHU, 2023))
FORBIDDEN = [
    "线下",
    "置信",
    "区间",
    "蒙特卡洛",
    "p值",
    "显著",
    "回归",
    "标准误",
    "中位数",
    "分位",
    "随机种子",
    "指纹",
    "None",
    "nan",
    "True",
]


@pytest.fixture(scope="module")
def told() -> dict[tuple[str, int], dict]:
    """Return the tables of the shipped samples, and of the two field ledgers where they are."""
    made = {place: samples.tables(*place) for place in PLACES}
    for name, plan, year in FIELDS if FIELD.is_dir() else ():
        book = read_ledger(FIELD / name, methods=method_words([plan]))
        made[name, year] = report.assessment_tables(assess(book, plan, year))
    return made


@pytest.fixture(scope="module")
def reviews(told) -> dict[tuple[str, int], Document]:
    return {place: report.build_report(tables) for place, tables in told.items()}


def part(document: Document, first: str, last: str | None) -> list:
    """Return the blocks from one chapter to the next."""
    heads = {b.text: k for k, b in enumerate(document.blocks) if isinstance(b, Heading)}
    return list(document.blocks[heads[first] : heads[last] if last else None])


def sentences(blocks: list) -> set[str]:
    """Return the sentences of running text and lists."""
    said = [b.text for b in blocks if isinstance(b, Paragraph)] + [
        i for b in blocks if isinstance(b, Bullets) for i in b.items
    ]
    return {s.strip() for text in said for s in str(text).split("。") if s.strip()}


def places_of(tables: dict) -> set[str]:
    """Return the names by which a report speaks of its place, and of its counties."""
    return {str(tables["meta"]["place"]), *map(str, tables["meta"]["counties"])}


def test_no_sentence_would_stand_in_another_countys_report(told, reviews) -> None:
    assert len(reviews) >= 7
    places = sorted({name for tables in told.values() for name in places_of(tables)}, key=len, reverse=True)
    firms = {str(name) for tables in told.values() for name in tables["enterprises"]["name"]}
    seen: dict[str, set[str]] = {}
    for place, document in reviews.items():
        for sentence in sentences(part(document, "领导参阅", None)):
            if any(name in sentence for name in firms):
                continue  # the city's report and a county's may name the same firm
            masked = re.sub(
                "|".join(map(re.escape, places)), "某地", sentence
            )  # a place's name alone makes no sentence its own
            seen.setdefault(masked, set()).add(str(place[0]))
    seen = {
        s: where - {"zhoushan"} for s, where in seen.items()
    }  # what one county's firms alone lack, the city's report says of them too
    assert not [s for s, where in seen.items() if len(where) > 1]


def test_the_verdict_of_a_county_names_whom_to_summon_once_and_not_otherwise(told, reviews) -> None:
    text = "\n".join(words_of(reviews["zhoushan", 2020]))
    late = told["zhoushan", 2020]["quotas"].query("status == 'missed'")
    assert len(late)
    for county in late["county"].unique():
        assert f"{county}（" in text.split("按方案督查约谈的：")[1].split("。")[0]
    assert "按规则不列约谈" not in text
    units = next(b for b in reviews["zhoushan", 2020].blocks if isinstance(b, Table) and b.id == "units")
    keys = [c.key for c in units.columns]
    summoned = {r[keys.index("unit")] for r in units.rows if r[keys.index("summons")]}
    assert summoned == set(late["county"])


def test_the_stock_of_the_text_closes(told, reviews) -> None:
    for place, document in reviews.items():
        sentence = next(s for s in sentences(list(document.blocks)) if s.startswith("名单企业年初结转"))
        opening, new, *gone, closing = map(int, re.findall(r"(\d+)家", sentence.replace(",", "")))
        assert opening + new - sum(gone) == closing, (place, sentence)


def test_a_body_holds_six_tables_and_four_pictures(reviews) -> None:
    for place, document in reviews.items():
        leader, body = part(document, "领导参阅", "一、基本情况"), part(document, "一、基本情况", None)
        assert sum(isinstance(b, Table) for b in leader) == 1, place
        assert sum(isinstance(b, Table) for b in body) <= 6, place
        assert sum(isinstance(b, Figure) for b in document.blocks) <= 4, place


def test_the_office_edition_speaks_an_offices_words(told, reviews) -> None:
    for place, document in reviews.items():
        names = sorted(map(str, told[place]["enterprises"]["name"]), key=len, reverse=True)
        for text in words_of(document):
            assert not [w for w in FORBIDDEN if w in text], (place, text)
            left = re.sub("|".join(map(re.escape, names)), "", text)
            assert not re.search(r"[A-Za-z]{3,}|_", left), (place, text)


def test_the_annex_of_the_office_has_no_english_and_few_sheets(told) -> None:
    for place, tables in told.items():
        made = report.annex(tables)
        assert len(made) + 2 <= 15, place  # with the index and the notes
        for table in made:
            cells = [str(getattr(v, "value", v)) for row in table.rows for v in row if v is not None]
            for text in (table.title, table.note, *(c.title for c in table.columns), *cells):
                bare = re.sub(r"[0-9A-Z]{15,}|True|False|nan|NaT|None|<NA>", "", text)
                assert not re.search(r"[a-z]{3,}|_", bare), (place, table.id, text)
                assert "线下" not in text, (place, table.id, text)


def pages(pdf: bytes, folder: Path) -> list[list[tuple[str, float]]]:
    """Return each page's words with the place of their lower edge, points from the top."""
    path = folder / "made.pdf"
    path.write_bytes(pdf)
    told = subprocess.run(["pdftotext", "-bbox", str(path), "-"], capture_output=True, text=True, check=True).stdout
    word = re.compile(r'yMax="([0-9.]+)">([^<]*)<')
    return [[(said, float(low)) for low, said in word.findall(page)] for page in told.split("<page ")[1:]]


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext here (Debian: poppler-utils)")
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_of_the_office(told, lang, tmp_path) -> None:
    for place, tables in told.items():
        document = report.build_report(tables, lang=lang)
        made = pages(to_pdf(replace(document, watermark="")), tmp_path)
        heads = [b.text for b in document.blocks if isinstance(b, Heading)][:2]
        leader, basis = (
            max(k for k, page in enumerate(made) if "".join(said for said, _ in page).find(head.replace(" ", "")) == 0)
            for head in heads
        )
        assert basis == leader + 1, place  # the leader's page is one page
        assert len(made) - basis <= 12, place
        for number, page in enumerate(made, start=1):
            inside = [low for _, low in page if 105 < low < 745]  # above the page's number
            assert max(inside) >= 105 + 638 / 3, f"{place}: page {number} is under one third full"


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext here (Debian: poppler-utils)")
def test_a_note_stands_on_the_page_of_its_tables_last_row(reviews, tmp_path) -> None:
    for place, document in reviews.items():
        for page in pages(to_pdf(replace(document, watermark="")), tmp_path):
            words = [said for said, _ in page]
            notes = [k for k, said in enumerate(words) if said.startswith("注：")]
            for k in notes:
                assert any(re.fullmatch(r"[\d,.]+%?|\d+/\d+|未报送|已办|逾期", said) for said in words[:k]), (
                    place,
                    words[:k],
                )


def test_titles_and_words_are_the_plans_own(reviews) -> None:
    assert "低效工业用地企业整治" in reviews["linshu", 2023].title
    assert "工业低效企业整治" in reviews["zhoushan", 2020].title
    assert "《舟山市工业低效企业" in reviews["zhoushan", 2020].subtitle


def test_few_firms_are_told_with_the_counts_of_their_own_year() -> None:
    target = {"kind": "share", "weight": "count", "n": 3, "unit": "", "goal": 0.8, "op": "ge"}
    row = {"year": 2019, "n": 7, "value": 2 / 7, "part": 2.0, "whole": 7.0}
    assert of_target(target, row["value"], 0.8, "value", "zh", row) == "2/7家"
    assert of_target(target, 2 / 7, 0.8, "low", "zh", {}) == "—"  # no whole number of three firms
    many = {"year": 2019, "n": 10, "value": 0.2, "part": 2.0, "whole": 10.0}
    assert of_target(target, 0.2, 0.8, "value", "zh", many) == "20.0%"
    assert of_target(target | {"n": 10}, 0.2, 0.8, "value", "zh", many | {"n": 9, "whole": 9.0}) == "2/9家"


def causes(taxes: dict[str, dict[int, float]], **sheets) -> dict[str, str]:
    """Return why each above-scale firm of 10 亩 stands below its line in 2024 (2 万元/亩; 1 in 2023)."""
    rows = [row for code, tax in taxes.items() for row in years(code, tax, 10, True)]
    blank = dict.fromkeys(
        ("exempt_industry", "public_good", "protected_until", "contract_completion", "completed", "statutory_excuse")
    )
    firms = [{"credit_code": code, "name": f"{code}厂", "township": "甲镇", **blank} for code in taxes]
    made = report.assessment_tables(assess(ledger(enterprises=firms, annual=rows, **sheets), LINSHU, 2024))
    found = made["deciding"].set_index("credit_code")["cause"].to_dict()
    told = made["causes"]
    assert told.loc[told["target"] == "", "n"].sum() >= len(found)
    return found


def test_causes_follow_the_standing_of_the_year_before() -> None:
    taxes = {
        "FELL": {2022: 50, 2023: 50, 2024: 5},
        "ROSE": {2022: 25, 2023: 25, 2024: 15},
        "LONG": {2022: 5, 2023: 5, 2024: 5},
    }
    case = {
        "credit_code": "LONG",
        "method": "upgrade",
        "outcome": "进行中",
        "started": "2024-02-01",
        "due": "2025-02-01",
    }
    found = causes(taxes, disposals=[case])
    assert found == {"FELL": "fell", "ROSE": "line_rose", "LONG": "open"}
    assert causes(taxes)["LONG"] == "no_record"  # without a sheet of disposals nobody is said not to have begun
    assert set(found.values()) <= set(CAUSES)


def test_closures_that_count_are_not_those_that_decide() -> None:
    made = samples.tables("zhoushan", 2020)
    kinds = made["targets"].set_index("id")["kind"]
    assert {kinds[t] for t in made["deciding"]["target"]} <= {"share", "count"}


def test_a_firm_that_was_closed_is_no_case_of_failure(told) -> None:
    for place, made in told.items():
        gone = made["enterprises"].set_index("credit_code")["gone"]
        bad = made["examples"].loc[made["examples"]["side"].eq("below"), "credit_code"]
        assert not gone[list(bad)].eq(True).any(), place


def test_departments_are_told_by_what_the_ledger_shows() -> None:
    made = samples.tables("zhoushan", 2020)
    steps, bodies = made["calendar"].set_index("id"), made["duties"].set_index("unit")
    assert steps.loc["check_up", "state"] == "late"
    assert steps.loc["check_up", "label"] in bodies.loc["市统计局", "late"]
    assert steps.loc["plan", "label"] in bodies.loc["市经信局", "missing"]
    late = made["list_issues"].query("state == 'not_rectified'")
    assert made["overdue_issues"]["n"].sum() == len(late)
    assert bodies.loc["市领导小组", "silent"] == (not bodies.loc["市领导小组", "done"])


def test_each_county_is_held_against_its_own_part() -> None:
    made = samples.tables("zhoushan", 2020)
    parts = made["quotas"].set_index(["county", "target"])
    rate = parts.xs("below_scale_reach", level="target")
    goal = made["targets"].set_index("id").loc["below_scale_reach", "goal"]
    assert ((rate["part"] / rate["whole"] >= goal) == (rate["status"] == "met")).all()
    assert rate["part"].sum() == made["targets"].set_index("id").loc["below_scale_reach", "part"]
    closed = parts.xs("closures", level="target")
    assert closed["goal"].sum() >= made["targets"].set_index("id").loc["closures", "goal"]
    assert pd.isna(closed["status"]).all()  # the total is not shared out by the reading in force
