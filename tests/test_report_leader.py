"""The leader's page: short enough for every sample and plan, on one page, and no figure of its own making."""

from __future__ import annotations

import re
from functools import lru_cache

import pytest
from build import ledger, years
from test_report_tables import LINSHU, ZHOUSHAN, small
from test_report_words import text_of

from lyeval import report, resources
from lyeval.assessment import assess
from lyeval.forecasting import forecast
from lyeval.ledger import read_ledger
from lyeval.policy import method_words
from lyeval.render import Document, Heading, KeyFigures, Paragraph, to_pdf
from lyeval.report.context import Context
from lyeval.report.document import notice, subtitle, title, title_block
from lyeval.report.leader import LIMIT, leader, length, one_suggestion, places, two_problems

COUNTIES = ("dinghai", "putuo", "daishan", "shengsi")
CASES = [("linshu", y) for y in (2022, 2023, 2024)] + [(f"zhoushan-{name}", 2020) for name in COUNTIES]
CASES += [("zhoushan", 2020)]
LANGS = ("zh", "en")


@lru_cache(maxsize=1)
def _linshu():
    return read_ledger(resources.sample("linshu")[0], methods=method_words([LINSHU]))


@lru_cache(maxsize=8)
def tables(name: str, year: int) -> dict:
    """Return the tables of a sample's year; a county's page knows the odds of the year to come."""
    if name == "linshu":
        made = report.assessment_tables(assess(_linshu(), LINSHU, year))
        ahead = forecast(_linshu(), LINSHU, 2024, as_of="2023-12", draws=100) if year == 2023 else None
        return made | report.forecast_tables(ahead)
    paths = [resources.sample(f"zhoushan-{n}")[0] for n in COUNTIES if name in ("zhoushan", f"zhoushan-{n}")]
    book = read_ledger(paths, methods=method_words([ZHOUSHAN]))
    level = "city" if name == "zhoushan" else "county"
    return report.assessment_tables(assess(book, ZHOUSHAN, 2020, level=level, quotas={"closures": 99.0}))


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(("name", "year"), CASES)
def test_the_page_is_short_and_stands_on_one_page(name: str, year: int, lang) -> None:
    made = tables(name, year)
    blocks = leader(Context(made, lang))
    assert 60 < length(blocks) <= LIMIT
    c = Context(made | {"run": {"report_date": "2025-03-31"}}, lang)
    first = Document(title(c), subtitle(c), tuple(title_block(c)), (Heading(1, "一页"), *blocks), lang, notice(c))
    assert len(re.findall(rb"/Type\s*/Page\b", to_pdf(first))) == 1
    assert len(blocks[0].items) == 3  # type: ignore[union-attr]
    assert 2 <= sum(isinstance(b, Paragraph) for b in blocks) <= 3


@pytest.mark.parametrize(("name", "year"), [("linshu", 2023), ("zhoushan-shengsi", 2020)])
def test_every_number_of_the_page_stands_in_the_report(name: str, year: int) -> None:
    made = tables(name, year)
    told = "\n".join(b.text for b in leader(Context(made, "zh")) if isinstance(b, Paragraph))
    blocks = report.build_report(made).blocks
    body = text_of(Document("", blocks=blocks[[isinstance(b, Heading) for b in blocks].index(True, 1) :]))
    rolls = {str(len(made[k])) for k in ("list_pressed", "list_relapsed", "opening_list")}
    numbers = set(re.findall(r"\d[\d,.]*", re.sub(r"“.*?”", "", told)))
    assert {n for n in numbers if n not in body and n not in rolls} <= _counted(made)


def _counted(made: dict) -> set[str]:
    """Return what the page counts itself: targets by status, firms by reason, land of the firms to begin with."""
    rows = made["targets"]
    reasons = [r for names in made["list_pressed"]["reasons"] for r in names]
    land = made["enterprises"].set_index("credit_code")["land_mu"]
    tops = [(float(land.reindex(list(k)[:5]).sum()), float(land.reindex(list(k)).sum())) for k in rows["turns_on"] if k]
    sums = [told for top, whole in tops for told in (f"{top:,.0f}", f"{whole:,.0f}")]
    return {str(k) for k in range(len(rows) + 1)} | {str(reasons.count(r)) for r in reasons} | set(sums)


def test_the_cards_close() -> None:
    made = tables("linshu", 2023)
    cards = next(b for b in leader(Context(made, "zh")) if isinstance(b, KeyFigures)).items
    assert cards[0].value == f"{sum(made['targets']['status'] == 'met')}/{len(made['targets'])}"
    assert cards[1].value == str(int(made["enterprises"]["listed"].sum()))
    assert sum(map(int, re.findall(r"(\d+)家", cards[1].note))) == int(cards[1].value)


def test_what_is_missed_comes_first_then_what_cannot_be_decided() -> None:
    made = tables("linshu", 2023)
    told = two_problems(Context(made, "zh"))
    assert told[0].startswith("2项目标未达标：低于标准线的规上企业全部出清完成值5家、目标值0家，超出5家")
    assert "5家企业逐户" in one_suggestion(Context(made, "zh"))
    bare = ledger(enterprises=[{"credit_code": "A"}], annual=years("A", {2022: 1.0, 2023: 1.0}, 100.0, None))  # type: ignore[arg-type]
    open_ = report.assessment_tables(assess(bare, LINSHU, 2023))
    assert any("暂不能判定" in text for text in two_problems(Context(open_, "zh")))


def test_where_a_target_falls_short_is_told_only_of_more_than_half() -> None:
    c = Context(tables("linshu", 2023), "zh")
    parts = c.frame("contributions").groupby("target")["part"].apply(lambda p: p.nlargest(2).sum())
    missed = [r for r in c.rows("targets") if r["status"] == "missed"]
    assert [places(c, r) for r in missed] == [[] for r in missed]
    assert (parts < 0.5).all()
    assert "差额主要在" not in two_problems(c)[0]
    moved = tables("linshu", 2023) | {"contributions": c.frame("contributions").copy()}
    at = moved["contributions"]["target"] == missed[1]["id"]
    moved["contributions"].loc[at, "part"] = [0.3, 0.25, *[0.05] * (at.sum() - 2)]
    units = list(moved["contributions"].loc[at, "unit"][:2])
    assert f"“{missed[1]['label']}”的差额主要在{units[0]}、{units[1]}。" in two_problems(Context(moved, "zh"))[0]


def test_no_firm_is_named_and_none_is_called_low() -> None:
    for made in (tables("linshu", 2023), report.assessment_tables(assess(small(), LINSHU, 2023))):
        told = "\n".join(b.text for b in leader(Context(made, "zh")) if isinstance(b, Paragraph))
        plain = re.sub(r"低效用地|低效企业(?=完成)|“.*?”|依法关停出清低效企业", "", told)
        assert "低效企业" not in plain
        assert not [n for n in made["enterprises"]["name"] if n and len(str(n)) > 4 and str(n) in told]
