"""The monthly bulletin: nothing later than its month is read, its sums are the ledger's, and what moved is laid to its cause."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from samples import linshu
from samples import tables as review
from test_report_tables import LINSHU
from test_report_words import table_of, text_of

import lyeval as ly
from lyeval import report
from lyeval.render import Heading, KeyFigures, Table, format_value
from lyeval.report.bulletin import bulletin_annex
from lyeval.report.tracing import find, printed, trace
from lyeval.tables.rankings import progress, revised, stands

RUN = {"run": {"report_date": "2023-11-10", "seed": 1, "draws": 200, "code": "a" * 64}}


@lru_cache(maxsize=4)
def tables(as_of: str = "2023-10") -> dict:
    """Return the sample's bulletin tables as of a month."""
    return report.bulletin_tables(linshu(), LINSHU, as_of) | RUN


def test_nothing_later_than_the_month_is_read() -> None:
    book = linshu()
    late = book.monthly["year"] * 12 + book.monthly["month"] > 2023 * 12 + 10
    spoiled = replace(
        book,
        monthly=book.monthly.assign(tax_wan=book.monthly["tax_wan"].mask(late, 1e6)),
        annual=book.annual.assign(tax_wan=book.annual["tax_wan"].mask(book.annual["year"] >= 2023, -5.0)),
    )
    again = report.bulletin_tables(spoiled, LINSHU, "2023-10")
    for name in ("units", "months", "moves", "warnings", "pace"):
        pd.testing.assert_frame_equal(again[name], tables()[name])
    assert again["stamp"] == tables()["stamp"]


def test_units_add_up_to_the_whole_and_to_the_ledger() -> None:
    units = tables()["units"]
    whole, parts = units.iloc[-1], units.iloc[:-1]
    assert bool(whole["whole"])
    for name in ("listed", "left", "n", "open", "overdue", "on_course"):
        assert parts[name].sum() == whole[name]
    for name in ("now", "date", "asked"):
        assert np.isclose(parts[name].sum(), whole[name])
    firms = tables()["enterprises"]
    assert whole["listed"] + whole["left"] == int(firms["listed"].sum())
    pace = tables()["pace"].set_index(["class", "against"])
    assert np.isclose(pace.loc[("all", "last_month"), "now"], whole["now"])
    assert np.isclose(pace.loc[("all", "schedule"), "now"], whole["date"])
    assert np.isclose(pace.loc[("all", "last_month"), "change"], whole["on_month"])


def test_months_are_the_above_scale_of_both_years() -> None:
    rows, book = tables()["months"], linshu()
    assert rows["month"].tolist() == list(range(1, 11))
    above = book.annual[(book.annual["year"] == 2022) & (book.annual["above_scale"] == True)]["credit_code"]  # noqa: E712
    month = book.monthly[book.monthly["credit_code"].isin(above) & (book.monthly["month"] == 10)]
    whole = month.groupby("year")["tax_wan"].sum()
    assert 0 < rows["now"].iloc[-1] <= whole[2023] * 1.001
    assert np.isclose(rows["date"].iloc[-1], rows["now"].sum())
    assert np.isclose(rows["change"].iloc[-1], rows["now"].iloc[-1] / rows["before"].iloc[-1] - 1)


def test_text_and_tables_say_the_same() -> None:
    document = report.build_bulletin(tables())
    text = text_of(document)
    assert document.title == "临沭县低效工业用地企业整治提升月度通报（2023年10月）"
    heads = [b.text for b in document.blocks if isinstance(b, Heading)]
    assert heads == ["一、总体进度", "二、各单位进度", "三、规上企业分月税收", "四、变动及原因", "五、预警"]
    whole = tables()["units"].iloc[-1]
    assert f"现有{whole['listed']}家，年内已退出{whole['left']}家" in text
    assert f"需要预警的企业{len(tables()['warnings'])}家" in text
    assert len(table_of(document, "bulletin_warnings").rows) == len(tables()["warnings"])
    units = table_of(document, "bulletin_units")
    keys = [c.key for c in units.columns]
    late = [r for r in units.rows[:-1] if r[keys.index("behind")].tone == "bad"]
    behind = tables()["units"].iloc[:-1]
    assert len(late) == int((behind["share"].astype(float) < behind["schedule"]).sum())


def test_a_share_never_crosses_its_schedule_where_it_is_shown() -> None:
    made = tables()
    units = made["units"].copy()
    units.loc[units.index[0], "share"] = 10 / 12 - 1e-5
    document = report.build_bulletin(made | {"units": units})
    table = table_of(document, "bulletin_units")
    keys = [c.key for c in table.columns]
    told = str(table.rows[0][keys.index("share")])
    assert float(told.rstrip("%")) < 100 * 10 / 12
    assert table.rows[0][keys.index("behind")].tone == "bad"


def test_moves_without_a_bulletin_before_are_the_months_own() -> None:
    text = text_of(report.build_bulletin(tables()))
    assert "以上变动均来自本月新增数据" in text
    assert not any(b.id == "bulletin_causes" for b in report.build_bulletin(tables()).blocks if isinstance(b, Table))


@pytest.mark.parametrize(
    ("change", "cause", "said"),
    [
        ({}, None, "变动均来自本月新增数据"),
        ({"before_run": {**RUN["run"], "seed": 2}}, "seed", "随机种子有变化"),
        ({"before_run": {**RUN["run"], "code": "b" * 64}}, "code", "计算程序有变化"),
        ({"rule": "0"}, "rule", "规则口径有变化"),
        ({"months": {"2023-09": 0.0}}, "data", "往月数据有变化"),
    ],
)
def test_each_cause_is_told_apart(change: dict, cause: str | None, said: str) -> None:
    before = dict(tables("2023-09")["stamp"])
    before |= {k: v if k == "rule" else {**before["months"], **v} for k, v in change.items() if k in ("rule", "months")}
    made = tables() | {"before_stamp": before, "before_run": change.get("before_run", RUN["run"])}
    found = stands(made)
    assert [k for k, v in found.items() if v] == ([cause] if cause else [])
    document = report.build_bulletin(made)
    assert said in text_of(document)
    rows = table_of(document, "bulletin_causes").rows
    assert sum(
        format_value(c, v) == "有变化"
        for r in rows
        for c, v in zip(table_of(document, "bulletin_causes").columns, r, strict=True)
    ) == bool(cause)


def test_a_revised_month_is_named_with_its_amount() -> None:
    now = tables()["stamp"]
    before = {**tables("2023-09")["stamp"]}
    before["months"] = {**before["months"], "2023-08": now["months"]["2023-08"] - 12.5}
    made = tables() | {"before_stamp": before, "before_run": RUN["run"]}
    assert {k: round(v, 6) for k, v in revised(made).items()} == {"2023-08": 12.5}
    assert "2023-08税收修订+12.50万元" in text_of(report.build_bulletin(made))
    both = made | {"before_run": {**RUN["run"], "seed": 9}}
    assert "数字的变动不能单独归于其中一项" in text_of(report.build_bulletin(both))


def test_january_and_english() -> None:
    made = tables("2023-01")
    assert made["months"]["month"].tolist() == [1]
    english = report.build_bulletin(made, lang="en")
    assert english.title.endswith("month 1 of 2023")
    assert "bulletin." not in text_of(english)


def test_all_formats_are_written_and_read_back(tmp_path: Path) -> None:
    report.save(tmp_path / "tables", tables())
    kept = report.load(tmp_path / "tables")
    names = [p.name for p in report.write(kept, tmp_path)]
    assert names == ["report.html", "report.pdf", "report.docx", "annex.xlsx"]
    assert [t.id for t in bulletin_annex(kept)][:4] == ["pace", "bulletin_units", "bulletin_months", "bulletin_moves"]
    assert text_of(report.build_bulletin(kept)) == text_of(report.build_bulletin(tables()))


def test_the_whole_is_not_good_where_most_units_lag() -> None:
    made = tables()
    assert made["progress"]["whole_ahead"]
    assert made["progress"]["behind"] * 2 > made["progress"]["n"]
    for lang in ("zh", "en"):
        document = report.build_bulletin(made, lang=lang)
        tones = {i.tone for b in document.blocks if isinstance(b, KeyFigures) for i in b.items}
        assert "good" not in tones
        units = table_of(document, "bulletin_units")
        assert getattr(units.rows[-1][[c.key for c in units.columns].index("behind")], "tone", "") == "open"
    assert "总体虽达到时序进度，但多数单位滞后" in text_of(report.build_bulletin(made))


@pytest.mark.parametrize(
    ("shares", "state"),
    [((0.9, 0.9, 0.9), "good"), ((0.5, 0.5, 2.0), "open"), ((0.5, 0.5, 0.5), "bad"), ((0.9, 0.9, 0.5), "good")],
)
def test_states_of_the_whole(shares: tuple[float, ...], state: str) -> None:
    rows = [{"unit": f"U{k}", "whole": False, "listed": 5, "share": s, "schedule": 0.75} for k, s in enumerate(shares)]
    rows.append({"unit": "", "whole": True, "listed": 15, "share": sum(shares) / 3, "schedule": 0.75})
    assert progress(pd.DataFrame(rows))["state"] == state


def test_a_unit_on_its_schedule_is_not_behind_and_half_of_them_are_not_most() -> None:
    """Four units: two behind, one exactly on 9/12, one ahead; one of four firms is not among them."""
    shares = {"A": (0.5, 5), "B": (0.6, 5), "C": (0.75, 5), "D": (0.9, 6), "E": (0.1, 4)}
    rows = [
        {"unit": u, "whole": False, "listed": n, "share": s, "schedule": 0.75} for u, (s, n) in sorted(shares.items())
    ]
    rows.append({"unit": "", "whole": True, "listed": 25, "share": 0.75, "schedule": 0.75})
    made = progress(pd.DataFrame(rows))
    assert (made["n"], made["behind"], made["ahead"], made["carried"]) == (4, 2, 2, ["D", "C"])
    assert (made["most_behind"], made["whole_ahead"], made["state"]) == (False, True, "good")


def test_each_unit_has_its_own_owner_and_no_certainty_is_claimed() -> None:
    made = tables()
    units = made["units"].iloc[:-1]
    assert all(row["owners"] == [row["unit"]] or row["unit"] not in row["owners"][1:] for _, row in units.iterrows())
    warned = table_of(report.build_bulletin(made), "bulletin_warnings")
    keys = [c.key for c in warned.columns]
    assert all(row[keys.index("responsible")] for row in warned.rows)
    assert "可以确定" not in text_of(report.build_bulletin(made))


def test_odds_are_told_only_where_the_countys_record_bears_them() -> None:
    row = {"id": "above_scale_clear", "label": "线下规上企业全部出清", "label_en": "none", "year": 2023, "probability": 0.3, "certain": None,
           "unit": "家", "op": "le", "goal": 0.0}  # fmt: skip
    made = tables() | {"forecast": pd.DataFrame([row]), "forecast_meta": {"as_of": "2023-10"}}
    assert "没有往年预判可供检验" in text_of(report.build_bulletin(made))
    cover = pd.DataFrame([{"level": "county", "nominal": 0.8, "share": 0.5, "n": 10}])
    assert "10次中只有5次" in text_of(report.build_bulletin(made | {"backtest_coverage": cover}))
    document = report.build_bulletin(made | {"backtest_coverage": cover.assign(share=0.9)})
    text = text_of(document).split("年底目标可能性")[1]
    assert "完成的把握不大（约三成）" in text
    assert text.count("。") == 2


def test_the_bulletin_counts_as_the_review_does() -> None:
    own, year = (made["bridge"].set_index("by").loc["all"] for made in (tables("2023-12"), review("linshu", 2023)))
    for name in ("ledger", "in_scope", "listed", "left"):
        assert own[name] == year[name]
    for month in ("2023-12", "2023-10"):
        whole = tables(month)["units"].iloc[-1]
        assert whole["listed"] + whole["left"] == year["listed"]
    assert tables("2023-12")["units"].iloc[-1]["left"] == year["left"]


def test_every_printed_figure_leads_to_its_cell() -> None:
    document = report.build_bulletin(tables())
    seen = printed(document)
    whole = tables()["units"].iloc[-1]
    assert "units//True/listed" in {one.id for one in find(document, f"{whole['listed']}家")}
    assert trace(tables(), "units//True/listed").value == whole["listed"]
    unit = tables()["units"].iloc[1]
    rise = f"+{unit['on_year']:.1%}"
    assert f"units/{unit['unit']}/False/on_year" in {one.id for one in find(document, rise)}
    for one in seen:
        trace(tables(), one.id)


def test_that_the_own_record_moved_the_odds_is_one_sentence() -> None:
    ahead = report.forecast_tables(ly.forecast(linshu(), LINSHU, 2023, as_of="2023-09", draws=200))
    moved = ahead["forecast_meta"]["own_record"]
    assert moved
    kept = pd.DataFrame(
        [{"level": "county", "id": moved[0], "month": 9, "nominal": 0.8, "share": 1.0, "n": 4, "years": 4}]
    )
    for lang, said in (("zh", "按本县往年同期测算与实际的差距"), ("en", "past projections at this month")):
        given = tables() | ahead | {"backtest_coverage": kept}
        assert text_of(report.build_bulletin(given, lang=lang)).count(said) == 1
        given["forecast_meta"] = ahead["forecast_meta"] | {"own_record": []}
        assert said not in text_of(report.build_bulletin(given, lang=lang))
