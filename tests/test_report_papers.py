"""Papers: who gets which, on what evidence, in how many days; filled from the tables, with lines for what nobody knows."""

from __future__ import annotations

import io
import re
from functools import lru_cache

import docx
import pandas as pd
import pytest
from build import ledger, years
from samples import tables
from test_report_tables import LINSHU
from test_report_words import text_of

from lyeval import report
from lyeval.assessment import assess
from lyeval.render import Document, Heading, Paragraph, Table, captions, to_docx, to_html, to_pdf
from lyeval.render.glyphs import ems, one_line
from lyeval.render.paging import runs, signed
from lyeval.report.cells import Context
from lyeval.report.tracing import printed, trace
from lyeval.report.writing import dossiers, drafts, schedule

LANGS = ("zh", "en")
ORDER = ("notice", "certificate", "publication", "priority", "writeoff")
TAX = {2021: 0.5, 2022: 0.5, 2023: 0.6}
DONE = {"first_accept": "2023-11-01", "plan_submitted": "2023-03-01", "plan_approved": "2023-04-01"}
TOLD = {"notified": "2023-01-10"}
SURE = TOLD | {"certified": "2023-02-01"}
PUBLISHED = SURE | {"published": "2023-02-10"}
PROCESS = {  # firm: what the ledger's process says of it
    "N1": {}, "N2": {}, "T1": TOLD, "T2": {"notified": "2023-12-20"}, "T3": TOLD | {"statement": "2023-01-20", "statement_result": "撤销"},
    "T4": TOLD | {"statement": "2023-01-20", "statement_result": "维持"}, "P1": SURE, "K1": PUBLISHED | {"key_listed": "2023-09-01"},
    "K2": SURE | {"key_listed": "2023-09-01"}, "K3": PUBLISHED | DONE | {"key_listed": "2023-09-01"}, "W1": PUBLISHED | DONE,
    "W2": PUBLISHED | {"plan_approved": "2023-04-01"}, "W3": PUBLISHED | DONE, "W4": PUBLISHED | DONE, "R1": PUBLISHED, "C1": PUBLISHED,
}  # fmt: skip
GOT = {
    "notice": {"N1", "N2"}, "certificate": {"T1", "T4"}, "publication": {"P1"}, "priority": {"K1", "K2", "K3"}, "writeoff": {"W1"},
    "candidate": {"C1", "W3"}, "agreement": {"R1"}, "intent": {"R1"},
}  # fmt: skip


@lru_cache(maxsize=2)
def county(days: str = "calendar") -> dict:
    """Return the tables of a small county with a firm for every paper and every reason to get none."""
    healed = {"W1", "W2", "W4", "K3"}
    annual, firms, cases = [], [], []
    for code in PROCESS:
        tax = {y: (2.0 if code in healed and y == 2023 else v) * 20 for y, v in TAX.items()}
        annual += years(code, tax, 20, False)
        firms.append({"credit_code": code, "name": f"{code}厂", "township": "甲镇" if code < "P" else "乙镇", "completed": "2015-01-01",
                      "production_start": "2015-06-01", "contract_plot_ratio": 0.43 if code == "N1" else None,
                      "actual_plot_ratio": 0.34 if code == "N1" else None, "contract_tax_per_mu": 0.8 if code == "N2" else None,
                      "stopped_since": "2020-03-01" if code == "T1" else None, "no_feasible_method": code == "C1",
                      "supplementary_agreement_signed": code == "R1"})  # fmt: skip
    for code in ("W1", "W2", "W3", "W4", "K3"):
        cases.append({"credit_code": code, "method": "upgrade", "outcome": "达标", "started": "2023-03-01", "finished": "2023-10-01",
                      "written_off": "2023-12-01" if code == "W4" else None})  # fmt: skip
    cases.append(
        {
            "credit_code": "R1",
            "method": "rectify",
            "outcome": "进行中",
            "started": "2023-05-01",
            "due": "2024-05-01",
            "written_off": None,
        }
    )
    blank = dict.fromkeys({k for row in PROCESS.values() for k in row})
    process = [{"credit_code": code, **blank, **row} for code, row in PROCESS.items() if row]
    book = ledger(enterprises=firms, annual=annual, disposals=cases, process=process)
    return report.assessment_tables(assess(book, LINSHU, 2023, readings={"days": days}))


def got(made: dict) -> dict[str, set[str]]:
    """Return who gets each paper."""
    return {str(name): set(rows["credit_code"]) for name, rows in made["papers"].groupby("paper")}


def test_each_firm_gets_the_paper_that_is_due_and_no_other() -> None:
    assert got(county()) == GOT
    every = [code for name in ORDER for code in GOT[name]]
    assert len(every) == len(set(every))


@pytest.mark.parametrize(("name", "year"), [("linshu", 2023), ("zhoushan-dinghai", 2020)])
def test_papers_of_a_sample_are_exclusive_and_agree_with_the_lists(name: str, year: int) -> None:
    made = tables(name, year)
    rows = made["papers"]
    mine = rows[rows["paper"].isin(ORDER)]
    assert not mine["credit_code"].duplicated().any()
    named = made["list_priority"][made["list_priority"]["listed_on"].notna()]
    assert got(made).get("priority", set()) == set(named["credit_code"])
    assert not got(made).get("candidate", set()) & set(named["credit_code"])
    firms = made["enterprises"].set_index("credit_code")
    for paper in ("notice", "writeoff"):
        assert {bool(firms.loc[c, "reached"]) for c in got(made).get(paper, ())} <= {paper == "writeoff"}


def test_a_ground_is_shown_by_its_own_figures() -> None:
    text = text_of(drafts(Context(county(), "zh"))["notice"])
    assert "控制指标未达约定（二(二)）：约定容积率0.43，实际0.34" in text
    assert "亩均税收低于合同约定（二(三)1）：约定亩均税收0.8万元/亩，实际0.50万元/亩" in text
    assert "亩均税收低于认定线（二(三)2）：2022年亩均税收0.50万元/亩，低于1万元/亩" in text
    assert "停产起始2020年3月1日" in text_of(drafts(Context(county(), "zh"))["certificate"])
    english = text_of(drafts(Context(county(), "en"))["notice"])
    assert "plot ratio agreed 0.43, actual 0.34" in english


def test_days_and_their_kind_follow_the_reading() -> None:
    assert "之日起15日内" in text_of(drafts(Context(county(), "zh"))["notice"])
    assert "之日起15个工作日内" in text_of(drafts(Context(county("working"), "zh"))["notice"])
    told = {days: county(days)["papers"].set_index("credit_code").loc["T1", "term"] for days in ("calendar", "working")}
    assert told == {"calendar": pd.Timestamp("2023-01-25"), "working": pd.Timestamp("2023-01-31")}


def test_a_certificate_says_whether_a_statement_was_made() -> None:
    text = text_of(drafts(Context(county(), "zh"))["certificate"])
    assert "于2023年1月10日收到告知，至2023年1月25日陈述期满未提出陈述" in text
    assert "2023年1月20日提出陈述，经核实情形仍然成立" in text


@pytest.mark.parametrize("lang", LANGS)
def test_every_paper_has_its_name_number_addressee_and_signature(lang) -> None:
    made = drafts(Context(county(), lang))
    assert list(made) == [
        "notice",
        "certificate",
        "publication",
        "priority",
        "letter",
        "agreement",
        "intent",
        "writeoff",
    ]
    names = [
        "低效企业告知通知书",
        "低效企业认定通知书",
        "低效工业用地企业认定情况公示",
        "关于重点低效企业的通报",
        "督办函",
        "限期整改协议书",
        "限期整改申请意向书",
        "销号申请表",
    ]
    if lang == "zh":
        assert [d.title for d in made.values()] == names
    for name, document in made.items():
        sides = [b.align for b in document.blocks if isinstance(b, Paragraph)]
        if name not in ("writeoff", "publication"):
            assert "left" in sides
        if name != "writeoff":
            assert "right" in sides
        opened = docx.Document(io.BytesIO(to_docx(document)))
        right = [p.text for p in opened.paragraphs if p.style.style_id == "Signed"]
        assert bool(right) == ("right" in sides)
        assert ('class="text right"' in to_html(document)) == ("right" in sides)
        assert to_pdf(document)


def test_a_signature_stands_over_its_date_and_a_number_at_the_margin() -> None:
    blocks = [Paragraph(text, align="right") for text in ("沭低效〔2024〕1号", "临沭县低效办", "2024年1月5日")]
    told = signed([blocks[0], Paragraph("正文"), *blocks[1:]])
    assert told[0] == (0.0, False)
    (name, opens), (day, second) = told[2], told[3]
    assert (day, opens, second) == (4.0, True, False)
    widths = [ems(block.text) for block in blocks[1:]]
    assert name + widths[0] / 2 == pytest.approx(day + widths[1] / 2)  # centred over the date
    long = signed([Paragraph("临沭县低效工业用地企业整治提升工作领导小组办公室", align="right"), blocks[2]])
    assert long[0][0] == 2.0
    assert long[1][0] > 4.0


def test_papers_do_not_number_their_tables_and_a_wide_form_is_turned_whole() -> None:
    letters, form = (
        drafts(Context(tables("linshu", 2023), "zh"))["letter"],
        schedule(Context(tables("linshu", 2023), "zh")),
    )
    assert set(captions(letters.blocks).values()) == set(captions(form.blocks).values()) == {""}
    assert len(captions(letters.blocks)) > 1
    assert [run.across for run in runs(form, one_line)] == [True]
    sheet = docx.Document(io.BytesIO(to_docx(form))).sections
    assert [s.page_width > s.page_height for s in sheet] == [True]


def test_a_blank_is_a_line_that_never_breaks() -> None:
    made = to_docx(Document("函", blocks=(Paragraph("请于________前回复。"),)))
    runs_ = docx.Document(io.BytesIO(made)).paragraphs[-1].runs
    assert [(r.text.replace("\u00a0", "·"), bool(r.underline)) for r in runs_] == [
        ("请于", False),
        ("·" * 16, True),
        ("前回复。", False),
    ]


def test_each_firm_has_a_paper_of_its_own_page() -> None:
    document = drafts(Context(county(), "zh"))["notice"]
    heads = [b for b in document.blocks if isinstance(b, Heading)]
    assert [(h.text, h.fresh, h.titled) for h in heads] == [("低效企业告知通知书", True, True)]
    assert len(re.findall(rb"/Type\s*/Page\b", to_pdf(document))) == 2


def test_an_office_fills_its_own_lines() -> None:
    made = county() | {"run": {"texts": {"文号": "沭低效办〔2024〕1号", "落款单位": "临沭县低效办"}}}
    text = text_of(drafts(Context(made, "zh"))["notice"])
    assert "沭低效办〔2024〕1号" in text
    assert "临沭县低效办" in text
    assert "联系人及电话：________" in text


def test_candidates_stand_on_a_page_of_their_own() -> None:
    document = drafts(Context(county(), "zh"))["priority"]
    lists = {b.id: {row[1] for row in b.rows} for b in document.blocks if isinstance(b, Table)}
    assert lists == {"priority": {"K1厂", "K2厂", "K3厂"}, "candidate": {"C1厂", "W3厂"}}
    assert [b.titled for b in document.blocks if isinstance(b, Heading)] == [True]
    assert "列为重点低效企业3家" in text_of(document)
    assert "尚未列为重点的企业2家" in text_of(document)


def test_the_public_notice_shows_no_figure_of_an_enterprise() -> None:
    document = drafts(Context(county(), "zh"))["publication"]
    table = next(b for b in document.blocks if isinstance(b, Table))
    assert [col.key for col in table.columns] == ["number", "name", "township", "grounds"]
    assert [row[1] for row in table.rows] == ["P1厂"]
    assert not re.search(r"0\.50|亩均税收\d", text_of(document))


def test_a_figure_of_a_paper_leads_to_its_cell() -> None:
    made = county()
    document = drafts(Context(made, "zh"))["notice"]
    figures = {one.id: one.text for one in printed(document)}
    assert figures["evidence/N1/contract_controls/容积率/actual"] == "0.34"
    for id, text in figures.items():
        value = trace(made, id).value
        assert text == (f"{value:g}" if id.endswith("/agreed") or id.endswith(("/days", "/year")) else f"{value:,.2f}")


def test_the_dossiers_page_is_the_survey_form() -> None:
    made = tables("linshu", 2023)
    document = dossiers(Context(made, "zh"))
    heads = [b.text for b in document.blocks if isinstance(b, Heading)]
    firms = made["enterprises"][made["enterprises"]["listed"]]
    assert sorted(heads) == sorted(firms["name"])
    row = made["list_missed"].iloc[0]
    form = next(b for b in document.blocks if isinstance(b, Table) and b.id == f"survey_form_{row['credit_code']}")
    told = {r[k]: r[k + 1] for r in form.rows for k in (0, 2)}
    assert told["企业名称"] == row["name"]
    assert told["土地总面积"].startswith(f"{row['land_mu']:,.2f}".removesuffix(".00"))
    assert told["拟定处置方案"] == row["label"]
    assert {"法人代表", "联系电话", "审核意见", "单位电量税收"} <= set(told)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("name", "year"), [("linshu", 2023), ("zhoushan-dinghai", 2020)])
def test_each_dossier_stands_on_one_page(name: str, year: int, lang) -> None:
    document = dossiers(Context(tables(name, year), lang))
    n = sum(isinstance(b, Heading) for b in document.blocks)
    assert len(re.findall(rb"/Type\s*/Page\b", to_pdf(document))) == n


def test_a_plan_without_steps_has_no_papers_of_them() -> None:
    assert not {"notice", "certificate", "publication"} & set(drafts(Context(tables("zhoushan-dinghai", 2020), "zh")))


def test_nothing_of_a_template_is_left_over() -> None:
    for lang in LANGS:
        c = Context(tables("linshu", 2023), lang)
        for document in (*drafts(c).values(), dossiers(c)):
            assert not re.search(r"[{}]|\bNone\b|\bnan\b|NaT", text_of(Document("", blocks=document.blocks)))
