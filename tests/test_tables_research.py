"""What only the research edition tells: the record of past odds (its sentences are its table), and what the odds hang on."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pandas as pd
import pytest
from outlook_county import county
from test_report_document import cells
from test_report_tables import LINSHU
from test_report_words import tables_of, text_of

import lyeval as ly
from lyeval import report
from lyeval.render import Document, Figure, Heading, to_docx, to_html
from lyeval.report import tracing
from lyeval.tables.research import below_line, beside_usual, derived

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


def test_the_table_is_what_the_backtest_found(judged: dict, document: Document) -> None:
    verdicts = judged["backtest_skill"].set_index(["level", "id", "month", "measure", "baseline"])["verdict"]
    words = {"better": "好于", "no_difference": "不能说好于", "worse": "不如", "cannot_judge": "年份不足"}
    rows = cells(document, "record")
    ids = {row["label"]: row["id"] for row in judged["forecast"].to_dict("records")}
    assert len(rows) == 2 * len(ids)
    for row in rows:
        key = (ids[row["label"]], MONTHS[row["when"]])
        assert row["enterprise_verdict"] == words[verdicts["enterprise", *key, "brier", "no_change"]]
        assert row["county_verdict"] == words[verdicts["county", *key, "crps", "no_change"]]


def test_with_two_years_it_says_that_it_cannot_judge() -> None:
    document = report.build_report(tables([2022, 2023], (0,)) | {"run": {"edition": "research"}})
    text = text_of(document)
    assert "可检验的年份只有2个，不足3个，不能据以判断预测是否可靠" in text
    assert {row["enterprise_verdict"] for row in cells(document, "record")} == {"年份不足"}


def test_without_any_past_year_it_says_so() -> None:
    document = report.build_report(tables([2031], (0,)) | {"run": {"edition": "research"}})
    assert "台账没有可供检验的往年数据，不能据以判断预测是否可靠" in text_of(document)


def test_it_stands_in_every_format_and_in_both_languages(judged: dict, document: Document) -> None:
    heads = [b.text for b in document.blocks if isinstance(b, Heading)]
    assert heads.index("研究版：可能性") < heads.index("以往预测的检验") < heads.index("研究版：读法")
    assert any(isinstance(b, Figure) and b.id == "record_figure" and "上年末" in b.alt for b in document.blocks)
    page = to_html(document)
    assert "以往预测的检验" in page
    assert "以往预测与实际的对照" in page
    with ZipFile(BytesIO(to_docx(document))) as file:
        assert "以往预测的检验" in file.read("word/document.xml").decode()
    english = report.build_report(judged | {"run": {"edition": "research"}}, lang="en")
    assert "How past projections turned out" in [b.text for b in english.blocks if isinstance(b, Heading)]
    sheets = {t.id for t in report.annex(judged | {"run": {"edition": "research"}})}
    assert {"backtest_scores", "backtest_coverage", "backtest_skill", "backtest_reliability", "backtest_pit"} <= sheets


def test_beside_the_odds_it_says_that_late_topping_up_is_left_out(document: Document) -> None:
    assert "不计企业在年底前为达到标准的集中补缴" in text_of(document)


def test_every_figure_of_the_research_edition_leads_to_its_cell(judged: dict, document: Document) -> None:
    told = tracing.printed(document)
    tables = {one.id.partition("/")[0].partition("[")[0] for one in told}
    assert {
        "record",
        "record_sum",
        "odds_bearing",
        "below_line",
        "beside_usual",
        "forecast",
        "readings",
        "coverage",
    } <= tables
    for one in told:
        assert tracing.trace(judged, one.id).id == one.id


def test_what_the_odds_hang_on_is_counted_from_the_firms(judged: dict) -> None:
    rows = derived(judged)["odds_bearing"].to_dict("records")
    classes = judged["targets"].set_index("id")["class"]
    own = judged["forecast_enterprises"].merge(judged["enterprises"][["credit_code", "class"]], on="credit_code")
    assert rows
    for row in rows:
        mine = own[(own["year"] == row["year"]) & (own["class"] == classes[row["id"]])]["probability"]
        assert row["settled"] == sum(p < 0.2 for p in mine)
        assert row["open"] == sum(0.2 <= p <= 0.8 for p in mine)
        others = judged["forecast_readings"].query("id == @row['id']")["probability"].tolist()
        central = judged["forecast"].set_index("id").loc[row["id"], "probability"]
        told = [p for p in [*others, central] if pd.notna(p)]  # a target without a goal has no odds
        assert (row["low"], row["high"]) == (min(told, default=None), max(told, default=None))


def test_who_is_below_is_counted_by_class_and_line() -> None:
    firms = pd.DataFrame({
        "class": ["above", "above", "above", "below", "above"], "in_scope": [True, True, None, True, True], "gone": [False, True, False, None, False],
        "excluded_by": [None] * 4 + ["rule"], "tax_per_mu": [0.5, 0.5, 0.5, None, 0.5], "below_line": [True, True, True, None, True],
    })  # fmt: skip
    made = below_line({"enterprises": firms, "meta": {"lines": {"above": 1.0, "below": 2.0}}})
    assert made.to_numpy().tolist() == [["above", 1, 1, 1.0], ["below", 0, 0, 2.0]]


def test_the_usual_rise_is_sum_over_sum_of_the_earlier_years() -> None:
    rows = [
        ("listed", 2023, 12, 48.0, 96.0, 1.0),
        ("usual", 2019, 5, 10.0, 14.0, 0.4),
        ("usual", 2020, 5, 30.0, 38.0, None),
    ]
    changes = pd.DataFrame(rows, columns=["group", "year", "n", "tax_before", "tax_after", "rise"])
    told = beside_usual({"changes": changes}).iloc[0]
    assert (told["n"], told["change_wan"], told["first"], told["last"]) == (12, 48.0, 2019, 2020)
    assert told["usual"] == pytest.approx(52 / 40 - 1)
    assert beside_usual({"changes": changes[1:]}).empty
    assert beside_usual({"changes": changes[:1]}).iloc[0]["usual"] is None
