"""The report as a whole: sections, sentences that agree with their tables, years of every kind, both languages, the annex."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import worked
from build import ledger, years
from test_report_tables import LINSHU, ZHOUSHAN, small
from test_report_words import table_of, tables_of, text_of

from lyeval import report, resources
from lyeval.assessment import assess
from lyeval.forecasting import forecast
from lyeval.ledger import read_ledger
from lyeval.policy import method_words
from lyeval.render import Document, Figure, Heading, KeyFigures, Table, format_value, to_html
from lyeval.simulation import simulate


def cells(document: Document, id: str) -> list[dict[str, str]]:
    """Return a table's rows as written."""
    table = table_of(document, id)
    return [
        {c.key: format_value(c, v, document.lang) for c, v in zip(table.columns, row, strict=True)}
        for row in table.rows
    ]


@pytest.fixture(scope="module")
def county() -> dict:
    """Return the tables of the small county's 2023 with what lies ahead."""
    book = small()
    now = assess(book, LINSHU, 2023)
    made = (
        tables_of(book, LINSHU, 2023) | report.simulation_tables(simulate(now, draws=200)) | report.assumption_tables()
    )
    made |= report.forecast_tables(forecast(book, LINSHU, 2024, as_of="2023-12", draws=200))
    return made | {"run": {"report_date": "2024-03-01", "seed": 0, "draws": 200}}


@pytest.fixture(scope="module")
def sample() -> dict:
    """Return the tables of a shipped county."""
    book = read_ledger(resources.sample("zhoushan-shengsi")[0], methods=method_words([ZHOUSHAN]))
    return tables_of(book, ZHOUSHAN, 2020, quotas={"closures": 3.0})


def test_the_sections_stand_in_their_order(county: dict) -> None:
    heads = [b.text for b in report.build_report(county).blocks if isinstance(b, Heading) and b.level == 1]
    assert heads == ["领导参阅（一页）", "一、总体情况", "二、目标完成情况", "三、低效企业名单与分布", "四、处置进展", "五、达标可能性",
                     "六、读法稳健性", "七、数据质量与缺口", "八、下年度措施", "附：口径、假设、可复现信息"]  # fmt: skip
    assert [zh for name, (zh, _), _ in report.SECTIONS if name not in ("evidence", "effects")] == heads[1:]


def test_the_title_block_says_what_was_judged(county: dict) -> None:
    document = report.build_report(county)
    assert document.title == "临沭县2023年度低效工业用地企业整治提升年终评估报告"
    meta = dict(document.meta)
    assert meta["依据文件"] == "沭政办字〔2021〕21号"
    assert (meta["数据截至"], meta["数据状态"], meta["报告日期"]) == ("2023年12月31日", "台账未注明", "2024年3月1日")
    assert report.build_report(county | {"run": {"title": "另拟标题"}}).title == "另拟标题"


def test_every_number_of_a_target_sentence_stands_in_its_table(county: dict, sample: dict) -> None:
    for tables in (county, sample):
        document = report.build_report(tables)
        text = text_of(document)
        for row in cells(document, "targets"):
            if row["status"] in ("达标", "未达标"):
                told = f"{row['label']}：完成值{row['value']}，目标值{row['goal']}，{row['status']}"
                assert told in text
                if row["short"] != "—":
                    assert f"{told}，尚差{row['short']}" in text or f"{told}，超出{row['short']}" in text


def test_key_figures_are_the_targets_own(county: dict) -> None:
    document = report.build_report(county)
    cards = [b for b in document.blocks if isinstance(b, KeyFigures)][1].items
    for card, row in zip(cards, cells(document, "targets"), strict=False):
        assert (card.label, card.value) == (row["label"], row["value"])
        assert row["goal"] in card.note
        assert row["status"] in card.note


def test_the_stock_sentence_is_the_stock_table_and_closes(county: dict, sample: dict) -> None:
    for tables in (county, sample):
        document = report.build_report(tables)
        total = cells(document, "flows")[-1]
        count = {k: int(v.replace(",", "")) for k, v in total.items() if k != "class"}
        assert (
            count["opening"] + count["new"] - sum(v for k, v in count.items() if k not in ("opening", "new", "closing"))
            == count["closing"]
        )
        assert f"年初结转{count['opening']}家，本年新列入{count['new']}家" in text_of(document)
        assert f"年末结存{count['closing']}家" in text_of(document)


def test_the_disposal_sentence_is_the_disposal_table(county: dict) -> None:
    document = report.build_report(county)
    total = cells(document, "disposals")[-1]
    told = f"年初在办{total['opening']}件，本年启动{total['started']}件、办结{total['finished']}件"
    assert told in text_of(document)
    assert f"年末在办{total['closing']}件" in text_of(document)


def test_the_list_table_holds_as_many_as_the_sentences_say(county: dict) -> None:
    document = report.build_report(county)
    n = len(table_of(document, "list").rows)
    assert f"列入本年度名单的企业{n}家" in text_of(document)
    assert f"本年度名单共{n}家" in text_of(document)
    assert sum(int(r["listed"]) for r in cells(document, "townships")) == n - 1  # one is gone


def test_the_odds_sentence_is_the_odds_table(county: dict) -> None:
    document = report.build_report(county)
    text = text_of(document)
    for row in cells(document, "odds"):
        assert row["odds"] in text
        assert row["middle"] in text
    assert "2023年度已经结束" in text
    assert "以现有处置安排照常推进为前提，不代表考核结论" in text
    body = text[text.index("五、达标可能性\n", text.index("四、处置进展\n")) : text.index("六、读法稳健性\n")]
    assert not re.search(r"误差 ?\d|种子\d", body)


def test_readings_sentence_counts_as_its_table(county: dict) -> None:
    text = text_of(report.build_report(county))
    row = county["readings"].iloc[0]
    assert f"共{row['n']:,}种" in text


def test_a_final_year_without_later_targets_has_no_odds(county: dict) -> None:
    bare = {k: v for k, v in county.items() if not k.startswith(("forecast", "simulation"))}
    text = text_of(report.build_report(bare))
    assert "不作达标可能性测算" in text


def test_a_year_that_only_draws_up_the_list() -> None:
    book = ledger(annual=years("A", {2020: 1, 2021: 1}, 20, False))
    text = text_of(report.build_report(tables_of(book, LINSHU, 2021)))
    assert "文件未对2021年设定目标（设有目标的年度：2023、2024、2025）" in text
    assert "2021年度名单" in text


def test_a_third_plan_is_reported_without_a_line_of_python() -> None:
    case = next(c for c in worked.cases().values() if c["policy"] == "huzhou-like")
    made = tables_of(worked.ledger_of(case), worked.policy("huzhou-like"), int(case["year"]))
    document = report.build_report(made)
    assert str(worked.policy("huzhou-like").document.number) in text_of(document)
    assert report.annex(made)


def test_a_plan_with_classes_shows_them() -> None:
    more = {"revenue_wan": 900.0, "output_wan": 900.0, "employees": 10.0, "profit_wan": 9.0, "power_wankwh": 9.0}
    annual = [r for i in range(20) for r in years(f"G{i:02d}", {2022: 50 + i, 2023: 50 + i}, 10, True, **more)]
    made = tables_of(ledger(annual=annual), worked.policy("huzhou-like"), 2023)
    if made["grades"]["grade"].notna().any():
        assert [r["grade"] for r in cells(report.build_report(made), "grades")] == ["A", "B", "C", "D"]


def test_made_data_are_marked_on_every_page(sample: dict, county: dict) -> None:
    zh, en = report.build_report(sample), report.build_report(sample, lang="en")
    assert "虚构" in zh.watermark
    assert "invented" in en.watermark
    assert report.build_report(county).watermark == ""


def test_english_is_complete(sample: dict, county: dict) -> None:
    for tables in (sample, county):
        document = report.build_report(tables, lang="en")
        names = set(tables["enterprises"]["name"]) | set(tables["enterprises"]["township"].dropna())
        names |= {str(tables["meta"]["document"]), *tables["meta"]["counties"]}
        text = text_of(document)
        for name in sorted((str(n) for n in names), key=len, reverse=True):
            text = text.replace(name, "")
        clauses = re.compile(
            r"(附件\d?|引言|字号|正文|[一二三四五六七八九十]+([(（][一二三四五六七八九十]+[)）])?[一二三四五六七八九十0-9ab.；]*)"
        )
        lines = [line for line in text.split("\n") if ".xlsx" not in line]
        left = [line for line in lines if re.search(r"[\u4e00-\u9fff]", clauses.sub("", line))]
        assert not left, left[:5]


def test_the_annex_holds_every_list_with_units_and_source(county: dict) -> None:
    sheets = {t.id: t for t in report.annex(county)}
    wanted = {
        "targets", "enterprises", "list", "flows", "doors", "disposals", "cases", "readings_full", "annex_switches", "untestable",
        "narrowing", "measures", "opening_list", "annex_forecast", "annex_simulation", "assumptions", "basis", "rerun",
    }  # fmt: skip
    assert wanted - {"narrowing", "measures"} <= set(sheets)
    for id, table in sheets.items():
        assert table.source or id == "rerun", id
        assert "截至" in table.source or id in ("rerun", "assumptions"), id
        for column in table.columns:
            assert column.unit or not re.search(r"（(亩|万元|家)）", column.title)
    assert table_of(Document("x", blocks=tuple(sheets.values())), "enterprises").rows[0][0] == "A00"
    assert all(
        t.cite
        for id, t in sheets.items()
        if id in ("targets", "enterprises", "readings_full", "annex_switches", "opening_list")
    )


def test_monte_carlo_error_stands_in_the_annex_alone(county: dict) -> None:
    sheets = {t.id: t for t in report.annex(county)}
    assert "mc_error" in [c.key for c in sheets["annex_forecast"].columns]
    for block in report.build_report(county).blocks:
        if isinstance(block, Table):
            assert not {c.key for c in block.columns} & {"mc_error", "probability"}


def test_figures_say_what_they_show(county: dict) -> None:
    figures = {b.id: b for b in report.build_report(county).blocks if isinstance(b, Figure)}
    assert set(figures) == {"attainment_figure", "tax_figure", "townships_figure", "odds_figure", "readings_figure"}
    assert "低于标准线的规上企业全部出清" in figures["attainment_figure"].alt


def test_a_run_writes_page_annex_and_figures(county: dict, tmp_path: Path) -> None:
    paths = report.write(county, tmp_path, formats=["xlsx", "html"])
    assert [p.name for p in paths] == ["report.html", "annex.xlsx"]
    page = paths[0].read_text(encoding="utf-8")
    assert "http://" not in page.replace("http://www.w3.org", "")
    with pytest.raises(ValueError, match="可用"):
        report.write(county, tmp_path, formats=["odt"])


def test_the_report_is_the_same_from_saved_tables(county: dict, tmp_path: Path) -> None:
    report.save(tmp_path, county)
    assert to_html(report.build_report(report.load(tmp_path))) == to_html(report.build_report(county))


def test_an_empty_county_still_gets_a_page() -> None:
    book = ledger(annual=years("A", {2022: 900, 2023: 900}, 5, False))
    document = report.build_report(tables_of(book, LINSHU, 2023))
    assert "本地没有此类企业，不涉及" in text_of(document)


def test_city_level_shows_its_counties() -> None:
    firms = [{"credit_code": c, "name": c, "county": k} for c, k in (("A", "甲区"), ("B", "乙县"))]
    annual = [r for c in "AB" for r in years(c, {2019: 1, 2020: 1}, 10, True)]
    book = ledger(enterprises=firms, annual=annual)
    document = report.build_report(tables_of(book, ZHOUSHAN, 2020, level="city"))
    assert document.title.startswith("舟山市")
    assert {r["place"] for r in cells(document, "counties")} == {"甲区", "乙县"}
    single = replace(book, enterprises=book.enterprises.assign(county="甲区"))
    assert report.build_report(tables_of(single, ZHOUSHAN, 2020)).title.startswith("甲区")


def test_errors_seeds_and_records_stand_in_the_research_edition_alone(county: dict) -> None:
    office, research = (
        report.build_report(county | {"run": {**county["run"], "edition": e}}) for e in ("office", "research")
    )
    ids = [{b.id for b in d.blocks if isinstance(b, Table)} for d in (office, research)]
    assert ids[0] < ids[1]
    assert {"annex_forecast", "odds_readings", "annex_switches", "swings"} <= ids[1] - ids[0]
    text, more = text_of(office), text_of(research)
    assert "抽样误差（标准误）" in more
    assert f"随机种子{int(county['forecast_meta']['seed'])}" in more
    for word in ("随机种子0", "标准误", "Shapley", "置信区间", "p值"):
        assert word not in text
    heads = [b.text for b in research.blocks if isinstance(b, Heading) and b.level == 1]
    assert heads[-2:] == ["九、测算与检验", "附：口径、假设、可复现信息"]
    assert len(report.annex(county)) == len(report.annex(county | {"run": {"edition": "research"}}))


def test_the_office_edition_has_no_interval_on_what_is_counted(sample: dict) -> None:
    document = report.build_report(sample)
    assert not re.search(r"±|置信|\d+%?\s*CI|标准误", text_of(document))
    for row in cells(document, "targets"):
        assert "至" not in row["value"]


def test_source_and_date_stand_under_every_figure_and_table(county: dict, sample: dict) -> None:
    for tables, lang, words in (
        (county, "zh", r"数据截至|截至\d{4}年|参数文件"),
        (sample, "en", r"as of|parameter files"),
    ):
        for block in report.build_report(tables, lang=lang).blocks:  # type: ignore[arg-type]
            if isinstance(block, Figure):
                assert re.search(words, block.source), block.id
                assert block.alt
            if isinstance(block, Table) and block.id != "rerun":
                assert re.search(words, block.source), block.id
