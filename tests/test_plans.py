"""Plans as things: the cases in progress to edit and hand back, read as a ledger is, with every fault told; one clock; money."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from samples import linshu

import lyeval as ly
from lyeval import report
from lyeval.assessment import Assessment, NoSuchFirm
from lyeval.indicators import book
from lyeval.ledger import LedgerError
from lyeval.report.writing import plain_text
from lyeval.simulation import Simulation
from lyeval.told import Told

SHARE = "below_scale_low_land_share"


@pytest.fixture(scope="module")
def now() -> Assessment:
    return ly.assess(linshu(), "linshu-2021", 2023)


def run(now: Assessment, **plans: object) -> Simulation:
    return ly.simulate(now, draws=256, seed=3, **plans)  # pyright: ignore[reportArgumentType]


def odds(made: Simulation) -> float:
    return made.targets.set_index("id").loc[SHARE, "p50"]  # pyright: ignore[reportReturnType]


def low(now: Assessment, n: int) -> list[str]:
    """Return the largest below-scale enterprises below their line that have no case."""
    firms = now.enterprises.query("`class` == 'below' and below_line == True and gone == False")
    free = firms[~firms["credit_code"].isin(now.plan["credit_code"])]
    return free.nlargest(n, "land_mu")["credit_code"].tolist()


def refused(now: Assessment, plan: object, **more: object) -> tuple[str, str]:
    with pytest.raises(Told) as error:
        run(now, plan=plan, **more)
    assert "\n" not in error.value.zh + error.value.en
    return error.value.zh, error.value.en


def test_the_cases_in_progress_are_a_frame_that_gives_the_same_odds_back(now: Assessment) -> None:
    plan = now.plan
    assert list(plan)[:7] == ["credit_code", "name", "method", "started", "due", "successor", "cost_wan"]
    assert len(plan) > 20
    assert plan["credit_code"].is_unique
    pd.testing.assert_frame_equal(run(now).targets, run(now, plan=plan).targets)
    shuffled = plan.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(run(now).targets, run(now, plan=shuffled).targets)


def test_nothing_dated_after_the_year_is_in_the_frame(now: Assessment) -> None:
    end = pd.Timestamp(2023, 12, 31)
    assert (now.plan["started"] <= end).all()
    later = now.ledger.disposals.query("finished > @end")["credit_code"]
    assert now.plan["credit_code"].isin(later).any()


def test_a_plan_stands_in_place_of_the_ledgers_own_and_says_so(now: Assessment) -> None:
    code, n = low(now, 1), len(now.plan)
    told = [note for note in run(now, plan=pd.DataFrame({"credit_code": code, "method": "收储"})).notes]
    said = {note.id: note for note in told}["plan_given"]
    assert f"共1件；台账在办的{n}件由它取代，其中{n}户不在方案内" in said.zh
    assert f"in progress, of which {n} firms are not in it" in said.en


def test_what_is_added_leaves_the_rest_as_it_is(now: Assessment) -> None:
    more = pd.DataFrame({"credit_code": [*low(now, 2), now.plan["credit_code"].iloc[0]], "method": "收储"})
    both = pd.concat([now.plan.iloc[1:], more], ignore_index=True)
    added = run(now, add=more)
    pd.testing.assert_frame_equal(added.targets, run(now, plan=both).targets)
    assert [n.zh for n in added.notes if n.id == "plan_added"] == [
        "在此之外按方案新增3件，其中1件取代同一企业原有的安排"
    ]
    assert odds(added) < odds(run(now))


def test_a_case_without_a_date_is_no_better_than_one_that_starts_today(now: Assessment) -> None:
    for codes in (low(now, 12), now.plan["credit_code"].tolist()):
        plan = pd.DataFrame({"credit_code": codes, "method": "收储"})
        undated, today = run(now, plan=plan), run(now, plan=plan.assign(started="2024-01-01"))
        pd.testing.assert_frame_equal(undated.targets, today.targets)
        assert odds(undated) <= odds(run(now, plan=plan.assign(started="2024-06-01")))
        assert odds(undated) >= odds(run(now, plan=plan.assign(started="2023-06-01")))


def test_headings_methods_and_dates_are_read_as_a_ledgers(now: Assessment, tmp_path: Path) -> None:
    codes = low(now, 3)
    plain = pd.DataFrame({"credit_code": codes, "method": "land_bank", "started": "2024-03-01", "cost_wan": [10.0] * 3})
    chinese = pd.DataFrame(
        {
            "统一社会信用代码": codes,
            "处置方式": ["收储", "收购储备", "land_bank"],
            "开始日期": ["2024.3.1", "2024年3月1日", 45352],
        }
    )
    chinese["费用（元）"] = ["100,000", 100000, "10万元"]
    expected = run(now, plan=plain)
    files = {"a.csv": "utf-8-sig", "b.csv": "gb18030"}
    for name, encoding in files.items():
        chinese.to_csv(tmp_path / name, index=False, encoding=encoding)
    chinese.to_excel(tmp_path / "c.xlsx", index=False, engine="xlsxwriter")
    for plan in (chinese, *(tmp_path / name for name in (*files, "c.xlsx"))):
        made = run(now, plan=plan)
        pd.testing.assert_frame_equal(made.targets, expected.targets)
        pd.testing.assert_frame_equal(made.funds, expected.funds)
    assert expected.funds["cost_wan"].sum() == 30


FAULTS = {
    "a name": ({0: {"credit_code": "NAME"}}, "第2行，“credit_code”列", "应填统一社会信用代码", "credit code is due"),
    "nobody": ({1: {"credit_code": "X9"}}, "第3行，“credit_code”列，填“X9”", "不在台账", "not in the ledger: X9"),
    "no method": ({2: {"method": None}}, "第4行，“method”列", "处置方式应为", "methods must be among"),
    "a method": ({0: {"method": "魔法"}}, "第2行，“method”列，填“魔法”", "处置方式应为", "methods must be among"),
    "a date": ({1: {"started": "明年"}}, "第3行，“started”列，填“明年”", "不是日期", "not a date"),
    "a figure": ({1: {"cost_wan": "很多"}}, "第3行，“cost_wan”列，填“很多”", "不是数字", "not a number"),
    "a cost": ({1: {"cost_wan": -3}}, "第3行，“cost_wan”列，填“-3”", "不能为负", "cannot be negative"),
    "land": ({2: {"released_mu": -5}}, "第4行，“released_mu”列，填“-5”", "不能为负", "cannot be negative"),
    "a term": ({0: {"due": "2020-01-01"}}, "第2行，“due”列", "早于开始日期", "before the start"),
    "twice": ({1: {"credit_code": "FIRST"}}, "第3行，“credit_code”列", "只能写一次", "stand twice"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_told_with_row_column_and_value(now: Assessment, kind: str) -> None:
    changes, place, zh, en = FAULTS[kind]
    codes = low(now, 3)
    plan = pd.DataFrame({"credit_code": codes, "method": "收储", "started": "2024-01-01", "due": "2024-12-31"}).astype(
        object
    )
    plan["cost_wan"], plan["released_mu"] = None, None
    names = dict(zip(now.ledger.enterprises["credit_code"], now.ledger.enterprises["name"], strict=True))
    for row, cells in changes.items():
        for name, value in cells.items():
            plan.loc[row, name] = {"NAME": names[codes[0]], "FIRST": codes[0]}.get(value, value)
    for given in ({"plan": plan}, {"plan": None, "add": plan}):
        told = refused(now, **given)
        assert place in told[0]
        assert zh in told[0]
        assert en in told[1]
        assert "1 处错误" in told[0]
    if kind == "a name":
        assert codes[0] in told[0]


def test_all_faults_are_told_at_once(now: Assessment) -> None:
    plan = pd.DataFrame(
        {"credit_code": [*low(now, 2), "X9"], "method": ["收储", "魔法", "收储"], "started": ["那天", None, None]}
    )
    with pytest.raises(LedgerError) as error:
        run(now, plan=plan)
    assert {(fault.rule, fault.row) for fault in error.value.faults} == {
        ("date_unreadable", 2),
        ("method_unknown", 3),
        ("orphan", 4),
    }
    assert "lacks the columns" in refused(now, plan[["credit_code"]])[1]
    assert "方案缺列：统一社会信用代码、处置方式" in refused(now, pd.DataFrame({"a": [1]}))[0]


def test_what_bears_on_nothing_is_named(now: Assessment) -> None:
    plan = pd.DataFrame({"credit_code": low(now, 1), "method": "收储", "责任单位": "甲", "心情": "好"})
    told = {note.id: note.zh for note in run(now, plan=plan).notes}
    assert "责任单位" in told["plan_unused"]
    assert "心情" in told["plan_told"]


def test_arguments_of_another_kind_are_told_in_one_line(now: Assessment) -> None:
    code, name = now.ledger.enterprises[["credit_code", "name"]].iloc[0]
    wrong = [
        lambda: ly.assess(now.ledger, "linshu-2021", year="2023"),  # pyright: ignore[reportArgumentType]
        lambda: ly.readings(now.ledger, "linshu-2021", "2023"),  # pyright: ignore[reportArgumentType]
        lambda: ly.forecast(now.ledger, "linshu-2021", "2024"),  # pyright: ignore[reportArgumentType]
        lambda: ly.simulate(now.ledger),  # pyright: ignore[reportArgumentType]
        lambda: ly.simulate(now, {code: "收储"}),  # pyright: ignore[reportArgumentType]
        lambda: ly.simulate(now, years="1"),  # pyright: ignore[reportArgumentType]
        lambda: ly.simulate(now, draws=0.5),  # pyright: ignore[reportArgumentType]
        lambda: ly.simulate(now, years=9),
        lambda: ly.what_if(now, land={code: -5}),
        lambda: ly.what_if(now, tax={code: "3"}),  # pyright: ignore[reportArgumentType]
        lambda: ly.what_if(now, tax=[3]),  # pyright: ignore[reportArgumentType]
        lambda: ly.what_if(now, tax={name: 3}),
        lambda: now.dossier(name),
        lambda: now.dossier("无此企业"),
    ]
    for call in wrong:
        with pytest.raises(Told) as error:
            call()
        assert "\n" not in str(error.value)
        assert not str(error.value).startswith("'")
        assert error.value.zh != error.value.en
    with pytest.raises(NoSuchFirm, match=code):
        now.dossier(name)


def test_a_reading_names_the_firms_that_it_moves(now: Assessment) -> None:
    tried = ly.what_if(now, readings={"share": "area_all_small"})
    moved = tried.enterprises
    assert len(moved) > 0
    assert (moved["counted_before"] != moved["counted_after"]).all()
    assert moved["counted_after"].str.contains(SHARE).all()


def test_another_countys_ledger_is_undetermined() -> None:
    other = ly.assess(ly.read_ledger("sample:zhoushan-daishan"), "linshu-2021", 2023)
    assert set(other.targets["status"]) == {"undetermined"}
    with pytest.raises(LedgerError, match="not in the ledger"):
        ly.simulate(other, pd.DataFrame({"credit_code": linshu().enterprises["credit_code"][:3], "method": "收储"}))


def test_a_forecast_of_a_year_that_is_over_is_the_verdict(now: Assessment) -> None:
    told = ly.forecast(now.ledger, "linshu-2021", 2023, as_of="2023-12", draws=100).targets.set_index("id")
    for row in now.targets.to_dict("records"):
        assert told.loc[row["id"], "p50"] == row["value"]
        assert told.loc[row["id"], "certain"] == row["status"]


def test_a_report_on_a_plan_says_so_and_names_the_file(now: Assessment, tmp_path: Path) -> None:
    pd.DataFrame({"credit_code": low(now, 2), "method": "收储"}).to_csv(tmp_path / "收储五千万.csv", index=False)
    more = {"as_of": "2023-12", "draws": 100}
    ahead = {
        plan: report.forecast_tables(ly.forecast(now.ledger, "linshu-2021", 2024, plan=plan, **more))
        for plan in (None, tmp_path / "收储五千万.csv")
    }
    judged = report.assessment_tables(now)
    for edition in ("office", "research"):
        for lang, said, never in (
            ("zh", "假设方案", "以现有处置安排照常推进为前提"),
            ("en", "plan", "that cases proceed as arranged"),
        ):
            for plan, made in ahead.items():
                tables = judged | made | {"run": {"edition": edition}}
                text = plain_text(report.build_report(tables, lang=lang))  # pyright: ignore[reportArgumentType]
                assert (never in text) == (plan is None and edition == "research")
                if plan is not None:
                    assert said in text
                    assert "收储五千万.csv" in text


def test_money_is_read_and_laid_out_by_year_and_payer(now: Assessment) -> None:
    codes = low(now, 3)
    land = book(now.ledger).annual("land_mu", 2023)[book(now.ledger).positions(pd.Series(codes))]
    plan = pd.DataFrame({"credit_code": codes, "method": ["收储", "收储", "帮扶提升"]})
    plan["started"], plan["cost_wan"] = ["2024-02-01", "2025-02-01", None], [800.0, None, None]
    funds = ly.simulate(now, plan, years=2, draws=100).funds.set_index(["year", "payer"])
    assert funds.loc[(2024, "government"), "cost_wan"] == 800
    assert funds.loc[(2024, "government"), "assumed_wan"] == 0
    assert funds.loc[(2025, "government"), "land_bank_wan"] == pytest.approx(25 * land[1])
    assert funds.loc[(2024, "enterprise"), "assumed_wan"] == pytest.approx(20 * land[2])
