"""The record of past odds in the report: its sentences are its table, in all formats, and it says when it cannot judge."""

from __future__ import annotations

import re
from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest
from outlook_county import county
from test_report_document import cells
from test_report_tables import LINSHU
from test_report_words import tables_of, text_of

import lyeval as ly
from lyeval import report
from lyeval.render import Document, Figure, Heading, to_docx, to_html
from lyeval.report.context import Context
from lyeval.report.record import record

MONTHS = {"上年末": 0, "6月末": 6}


def tables(years: list[int], months: tuple[int, ...] = (0, 6), **more) -> dict:
    """Return the tables of a made county with its odds of 2024 and the record of some years."""
    made = county(60, **more)
    numbered = {
        name: getattr(made, name).assign(source_row=0, source_file="县", source_sheet="年度")
        for name in ("enterprises", "annual", "monthly")
    }
    book = replace(made, **numbered)
    told = ly.forecast(book, LINSHU, 2024, as_of="2023-12", draws=200)
    past = ly.backtest(book, LINSHU, years, months, draws=200)
    return tables_of(book, LINSHU, 2023) | report.forecast_tables(told, past)


@pytest.fixture(scope="module")
def judged() -> dict:
    return tables([2020, 2021, 2022, 2023])


@pytest.fixture(scope="module")
def document(judged: dict) -> Document:
    return report.build_report(judged | {"run": {"edition": "research"}})


def test_sentences_are_made_of_the_tables_fields(document: Document) -> None:
    text, rows = text_of(document), cells(document, "record")
    assert "2020、2021、2022、2023各年（共4年）" in text
    hits = [tuple(map(int, row["hits"].split("/"))) for row in rows]
    assert f"全域指标落在其中{sum(a for a, _ in hits)}次（共{sum(b for _, b in hits)}次）" in text
    shares = [float(row["firms_share"].removesuffix("%")) for row in rows]
    assert f"占{min(shares):.1f}%至{max(shares):.1f}%" in text
    words = {"好于": "好于“照上年不变”", "不能说好于": "不能说好于“照上年不变”", "不如": "不如“照上年不变”"}
    for label in dict.fromkeys(row["label"] for row in rows):
        own = [row for row in rows if row["label"] == label]
        told = re.search(f"“{label}”：逐家判断能否达到标准，(.*?)；全域完成值，(.*?)。", text)
        assert told is not None
        for part, key in zip(told.groups(), ("enterprise_verdict", "county_verdict"), strict=True):
            for verdict, word in words.items():
                months = "、".join(row["month"] for row in own if row[key] == verdict)
                assert not months or f"{months}的测算{word}" in part


def test_the_table_is_what_the_backtest_found(judged: dict, document: Document) -> None:
    verdicts = judged["backtest_skill"].set_index(["level", "id", "month", "measure", "baseline"])["verdict"]
    words = {"better": "好于", "no_difference": "不能说好于", "worse": "不如", "cannot_judge": "年份不足"}
    rows = cells(document, "record")
    ids = {row["label"]: row["id"] for row in judged["forecast"].to_dict("records")}
    assert len(rows) == 2 * len(ids)
    for row in rows:
        key = (ids[row["label"]], MONTHS[row["month"]])
        assert row["enterprise_verdict"] == words[verdicts["enterprise", *key, "brier", "no_change"]]
        assert row["county_verdict"] == words[verdicts["county", *key, "crps", "no_change"]]


def test_with_two_years_it_says_that_it_cannot_judge() -> None:
    document = report.build_report(tables([2022, 2023], (0,)) | {"run": {"edition": "research"}})
    text = text_of(document)
    assert "可检验的年份只有2个，不足3个，不能据以判断预测是否可靠" in text
    assert "照上年不变”，" not in text
    assert {row["enterprise_verdict"] for row in cells(document, "record")} == {"年份不足"}


def test_without_any_past_year_it_says_so() -> None:
    document = report.build_report(tables([2031], (0,)) | {"run": {"edition": "research"}})
    assert "台账没有可供检验的往年数据，不能据以判断预测是否可靠" in text_of(document)


def test_it_stands_in_every_format_and_in_both_languages(judged: dict, document: Document) -> None:
    heads = [b.text for b in document.blocks if isinstance(b, Heading)]
    assert heads.index("研究版：可能性") < heads.index("以往预测的检验") < heads.index("研究版：读法")
    assert any(isinstance(b, Figure) and b.id == "record_figure" and "2020" in b.alt for b in document.blocks)
    page = to_html(document)
    assert "以往预测的检验" in page
    assert "以往预测与实际的对照" in page
    with ZipFile(BytesIO(to_docx(document))) as file:
        assert "以往预测的检验" in file.read("word/document.xml").decode()
    english = Context(judged, "en")
    assert [b.text for b in record(english) if isinstance(b, Heading)] == ["The record of past odds"]
    sheets = {t.id for t in report.annex(judged | {"run": {"edition": "research"}})}
    assert {"backtest_scores", "backtest_coverage", "backtest_skill", "backtest_reliability", "backtest_pit"} <= sheets


def test_beside_the_odds_it_says_that_late_topping_up_is_left_out(document: Document) -> None:
    assert "不计企业在年底前为达到标准的集中补缴" in text_of(document)
