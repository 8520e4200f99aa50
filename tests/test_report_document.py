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
from lyeval.render import Document, Figure, Heading, Table, format_value, to_html
from lyeval.render.blocks import slots
from lyeval.report import tracing
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
    assert heads == ["领导参阅", "一、基本情况", "二、主要做法", "三、目标完成情况", "四、处置进展与反弹", "五、部门和镇街履职", "六、存在问题及原因",
                     "七、典型案例", "八、下步安排"]  # fmt: skip


def test_the_title_block_says_what_was_judged(county: dict) -> None:
    document = report.build_report(county)
    assert document.title == "临沭县2023年度低效工业用地企业整治提升年终评估报告"
    meta = dict(document.meta)
    assert meta["依据文件"] == "沭政办字〔2021〕21号"
    assert (meta["数据截至"], meta["数据状态"], meta["报告日期"]) == ("2023年12月31日", "台账未注明", "2024年3月1日")
    assert report.build_report(county | {"run": {"title": "另拟标题"}}).title == "另拟标题"


def test_every_figure_of_a_text_leads_to_a_cell_that_prints_so(county: dict, sample: dict) -> None:
    for tables in (county, sample):
        document = report.build_report(tables)
        told = tracing.printed(document)
        assert len(told) > 40
        for one in told:
            made = tracing.trace(tables, one.id)
            assert made.id == one.id
        for row in tables["targets"].to_dict("records"):
            if row["status"] != "undetermined":
                id = f"targets/{row['id']}/{row['year']}/value"
                assert {one.id for one in told if one.id == id} == {id}


def test_the_bridge_of_the_text_is_the_table_s(county: dict, sample: dict) -> None:
    for tables in (county, sample):
        text, whole = text_of(report.build_report(tables)), tables["bridge"].iloc[0]
        assert whole["listed"] == whole["reached"] + whole["left"] + whole["below"] + whole["undecided"]
        assert f"列入本年度名单{whole['listed']:,}家" in text
        assert f"退出{whole['left']}家，未达到{whole['below']}家，待判定{whole['undecided']}家" in text


def test_places_for_the_office_s_words_are_marked_in_word_alone(county: dict) -> None:
    document = report.build_report(county)
    assert [slot.name for slot in slots(document)] == ["组织推进", "分类处置", "政策支持", "其他问题及原因"]
    assert "此处由单位填写" not in to_html(document)
    own = report.build_report(county | {"run": {"texts": {"组织推进": "成立专班，**按月**调度。"}}})
    assert "成立专班，**按月**调度。" in text_of(own)
    assert len(slots(own)) == 3


def test_a_year_that_only_draws_up_the_list() -> None:
    book = ledger(annual=years("A", {2020: 1, 2021: 1}, 20, False))
    text = text_of(report.build_report(tables_of(book, LINSHU, 2021)))
    assert "2021年方案没有到期目标，只更新名单：列入1家" in text


def test_a_third_plan_is_reported_without_a_line_of_python() -> None:
    case = next(c for c in worked.cases().values() if c["policy"] == "huzhou-like")
    made = tables_of(worked.ledger_of(case), worked.policy("huzhou-like"), int(case["year"]))
    document = report.build_report(made)
    assert str(worked.policy("huzhou-like").document.number) in text_of(document)
    assert report.annex(made)


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


def test_the_annex_of_the_office_is_short_and_that_of_research_whole(county: dict) -> None:
    office, research = (
        {t.id: t for t in report.annex(county | {"run": {"edition": e}})} for e in ("office", "research")
    )
    assert len(office) <= 13
    assert len(research) > 20
    assert "mc_error" in [c.key for c in research["forecast_odds"].columns]
    for id, table in office.items():
        assert table.source, id
        assert not any("id" in c.key.split("_") for c in table.columns), id
        for column in table.columns:
            assert column.unit or not re.search(r"（(亩|万元|家)）", column.title)


def test_figures_say_what_they_show(county: dict) -> None:
    figures = {b.id: b for b in report.build_report(county).blocks if isinstance(b, Figure)}
    assert set(figures) == {"attainment_figure"}
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
    assert {row["status"] for row in cells(document, "leader_targets")} == {"达标", "不涉及"}


def test_city_level_shows_its_counties() -> None:
    firms = [{"credit_code": c, "name": c, "county": k} for c, k in (("A", "甲区"), ("B", "乙县"))]
    annual = [r for c in "AB" for r in years(c, {2019: 1, 2020: 1}, 10, True)]
    book = ledger(enterprises=firms, annual=annual)
    document = report.build_report(tables_of(book, ZHOUSHAN, 2020, level="city"))
    assert document.title.startswith("舟山市")
    assert {r["unit"] for r in cells(document, "units")} == {"甲区", "乙县", "全域"}
    single = replace(book, enterprises=book.enterprises.assign(county="甲区"))
    assert report.build_report(tables_of(single, ZHOUSHAN, 2020)).title.startswith("甲区")


def test_errors_seeds_and_records_stand_in_the_research_edition_alone(county: dict) -> None:
    office, research = (
        report.build_report(county | {"run": {**county["run"], "edition": e}}) for e in ("office", "research")
    )
    ids = [{b.id for b in d.blocks if isinstance(b, Table)} for d in (office, research)]
    assert ids[0] < ids[1]
    text, more = text_of(office), text_of(research)
    assert f"随机种子{int(county['forecast_meta']['seed'])}" in more
    for word in ("随机种子", "标准误", "Shapley", "置信区间", "p值"):
        assert word not in text


def test_the_office_edition_has_no_interval_on_what_is_counted(sample: dict) -> None:
    document = report.build_report(sample)
    assert not re.search(r"±|置信|\d+%?\s*CI|标准误", text_of(document))


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


def test_english_sentences_keep_their_cells(sample: dict) -> None:
    zh, en = ({one.id for one in tracing.printed(report.build_report(sample, lang=lang))} for lang in ("zh", "en"))
    assert {"bridge/all//listed", "bridge/all//reached"} <= en
    assert len(en) > 0.8 * len(zh)
