from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

import lyeval as ly
from lyeval import resources, textfiles
from lyeval.assessment.frame import tax_of
from lyeval.indicators import book
from lyeval.ledger.vocabulary import check_digits
from lyeval.sample import SHIPPED, make, messy, produce, write

FOLDER = resources.path("data/sample")
ITEMS = {item.name: item for item in SHIPPED}
KEYS = {
    "enterprises": ["credit_code"],
    "annual": ["credit_code", "year"],
    "monthly": ["credit_code", "year", "month"],
    "process": ["credit_code"],
    "blocks": ["block"],
}


def frames(item):
    return make(item.policy, years=item.years, seed=item.seed, county=item.county)


@pytest.fixture(scope="module")
def linshu():
    return frames(ITEMS["linshu"])


@pytest.fixture(scope="module")
def city():
    return {name: frames(item) for name, item in ITEMS.items() if item.policy == "zhoushan-2020"}


@pytest.fixture(scope="module")
def everything(linshu, city):
    return {"linshu": linshu, **city}


def per_mu(ledger, year):
    rows = ledger["annual"][ledger["annual"]["year"] == year].merge(ledger["enterprises"], on="credit_code")
    area = rows["land_mu"].fillna(rows["approved_mu"]) if "walled" in rows else rows["land_mu"]
    return rows.assign(area=area, t=rows["tax_wan"] / area)


def linshu_below(ledger, year, excuse):
    """规下 of 10 亩 and more, not exempt, not lawfully building, not gone with their land.

    Lawful building: the contract's time, or the first year after completion; where the ``excuse`` spares, also a year of grace that runs
    into the year, and a statutory reason.
    """
    rows, end = per_mu(ledger, year), pd.Timestamp(year, 12, 31)
    done = rows["completed"]
    building = (~(done <= end) & (rows["contract_completion"] >= end)) | (
        (done <= end) & (done + pd.DateOffset(years=1) > end)
    )
    if excuse == "spares":
        due = rows["contract_completion"]
        grace = due + pd.DateOffset(years=1) >= pd.Timestamp(year, 1, 1)
        building |= ~(done <= end) & (grace | (rows["statutory_excuse"].eq(True) & due.notna()))
    cases = ledger["disposals"]
    left = cases["outcome"].isin(["整体收储", "破产", "清退"]) & cases["released_mu"].gt(0) & (cases["finished"] <= end)
    gone = rows["credit_code"].isin(cases.loc[left, "credit_code"])
    return rows[~rows["above_scale"] & (rows["area"] >= 10) & ~rows["exempt_industry"] & ~building & ~gone]


def low_share(ledger, year, excuse="none"):
    rows = linshu_below(ledger, year, excuse).dropna(subset=["t"])
    return rows.loc[rows["t"] < 1, "area"].sum() / rows["area"].sum()


def cohort(ledger):
    """Zhoushan's list with class of 2019, tax per mu of 2020 and whether the enterprise is gone."""
    old, new = per_mu(ledger, 2019), per_mu(ledger, 2020).set_index("credit_code")["t"]
    protected = old["protected_until"] >= pd.Timestamp(2019, 12, 31)
    listed = old[(old["t"] < 2) & ~old["public_good"] & ~protected].set_index("credit_code")
    gone = set(ledger["disposals"].loc[ledger["disposals"]["outcome"].isin(GONE), "credit_code"])
    return pd.DataFrame(
        {
            "above": listed["above_scale"],
            "t": new.reindex(listed.index),
            "gone": [code in gone for code in listed.index],
        }
    )


GONE = ["关停", "注销", "整体收储", "破产"]


def test_same_call_same_bytes_other_seed_other_figures(tmp_path):
    ask = {"enterprises": 60, "years": (2019, 2022), "seed": 5}
    first = write(make("linshu-2021", **ask), tmp_path / "a" / "x.xlsx")
    second = write(make("linshu-2021", **ask), tmp_path / "b" / "x.xlsx")
    assert (tmp_path / "a" / "x.xlsx").read_bytes() == (tmp_path / "b" / "x.xlsx").read_bytes()
    assert first.read_bytes() == second.read_bytes()
    other = make("linshu-2021", **{**ask, "seed": 6})
    assert not other["annual"]["tax_wan"].equals(make("linshu-2021", **ask)["annual"]["tax_wan"])


def test_a_longer_span_repeats_the_shorter_one():
    short = make("zhoushan-2020", enterprises=80, years=(2017, 2019), seed=3, county="定海区")["annual"]
    long = make("zhoushan-2020", enterprises=80, years=(2017, 2020), seed=3, county="定海区")["annual"]
    both = short.merge(long, on=["credit_code", "year"], suffixes=("", "_long"))
    assert len(both) == len(short)
    assert (both["tax_wan"] == both["tax_wan_long"]).all()


@pytest.mark.parametrize("name", ITEMS)
def test_shipped_file_holds_a_fresh_generation(name, tmp_path):
    item = ITEMS[name]
    sidecar = produce(item.policy, tmp_path / f"{name}.xlsx", years=item.years, seed=item.seed, county=item.county)
    assert read_yaml(sidecar, "sha256") == read_yaml(FOLDER / f"{name}.yaml", "sha256")
    assert sheets(tmp_path / f"{name}.xlsx") == sheets(FOLDER / f"{name}.xlsx")


def test_shipped_messy_is_a_fresh_generation(tmp_path):
    messy(tmp_path)
    assert sheets(tmp_path / "messy.xlsx") == sheets(FOLDER / "messy.xlsx")


def read_yaml(path, without):
    told = textfiles.read_yaml(path)[0]
    told.pop(without)
    return told


def sheets(path):
    """Return the cells of a workbook; packed bytes depend on the zlib in use, cells do not."""
    book = CalamineWorkbook.from_path(str(path))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_every_sidecar_has_the_hash_licence_and_notes_of_its_file():
    sidecars = sorted(FOLDER.glob("*.yaml"))
    assert [path.stem for path in sidecars] == sorted([*ITEMS, "messy"])
    for path in sidecars:
        told = textfiles.read_yaml(path)[0]
        data = (FOLDER / told["file"]).read_bytes()
        assert told["sha256"] == hashlib.sha256(data).hexdigest()
        assert told["licence"] == "CC0-1.0"
        assert told["synthetic_note_zh"]
        assert told["synthetic_note_en"]
        assert isinstance(told["seed"], int)


def test_workbooks_carry_no_clock():
    for path in FOLDER.glob("*.xlsx"):
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as book:
            assert {info.date_time[0] for info in book.infolist()} == {1980}
            assert b"2026-01-01T00:00:00Z" in book.read("docProps/core.xml")


def test_credit_codes_are_18_places_unique_and_fail_their_check_digit(everything):
    codes = pd.concat([ledger["enterprises"]["credit_code"] for ledger in everything.values()])
    assert codes.is_unique
    assert codes.str.len().eq(18).all()
    assert not check_digits(codes.tolist()).any()
    assert check_digits(["91350100M000100Y43"]).all(), "the worked example of GB 32100-2015"


def test_names_are_distinct_and_no_person_is_invented(everything):
    names = pd.concat([ledger["enterprises"]["name"] for ledger in everything.values()])
    assert names.is_unique
    for ledger in everything.values():
        assert not [name for name in ledger["enterprises"] if "person" in name or "phone" in name]


def test_no_duplicate_keys_and_no_orphans(everything):
    for ledger in everything.values():
        codes = set(ledger["enterprises"]["credit_code"])
        for sheet, frame in ledger.items():
            assert not frame.duplicated().any(), sheet
            assert not frame.duplicated(KEYS.get(sheet)).any(), sheet
            assert "credit_code" not in frame or set(frame["credit_code"]) <= codes, sheet


def test_months_add_up_to_the_year_exactly(everything):
    for ledger in everything.values():
        monthly = ledger["monthly"]
        sums = monthly.groupby(["credit_code", "year"])["tax_wan"].agg(lambda x: round(x.sum() * 100))
        annual = ledger["annual"].dropna(subset=["tax_wan"]).set_index(["credit_code", "year"])["tax_wan"]
        assert sums.eq((annual * 100).round()).all()
        assert len(sums) == len(annual)
        assert 0.001 < (monthly["tax_wan"] < 0).mean() < 0.05


def test_linshu_base_year_prints_34_7_and_the_sidecar_says_it_was_built(linshu):
    assert low_share(linshu, 2020) == pytest.approx(0.347, abs=0.0005)
    told = textfiles.read_yaml(FOLDER / "linshu.yaml")[0]["truth"]
    assert told["built_base_share"] == 0.347
    assert "凑成34.7%" in told["built_note_zh"]


def test_linshu_path_is_near_the_goals_and_not_all_met(linshu):
    share = {year: low_share(linshu, year) for year in range(2020, 2026)}
    assert 0.30 < share[2021] < 0.37
    assert share[2021] > share[2022] > share[2023] > share[2024] > share[2025]
    assert 0.20 < share[2023] < 0.22
    assert share[2024] <= 0.15
    assert 0.10 < share[2025] < 0.125
    left = {year: linshu_left(linshu, year, line) for year, line in ((2023, 1.0), (2024, 2.0), (2025, 3.0))}
    assert 2 <= left[2023] <= 6
    assert left[2024] > 0
    assert left[2025] > 0


def linshu_left(ledger, year, line):
    rows = per_mu(ledger, year)
    cases = ledger["disposals"]
    gone = cases.loc[
        cases["outcome"].isin(["整体收储", "破产", "清退"]) & (cases["finished"].dt.year <= year), "credit_code"
    ]
    keep = rows["above_scale"] & ~rows["exempt_industry"] & ~rows["credit_code"].isin(gone)
    return int((rows.loc[keep, "t"] < line).sum())


def test_linshu_levels(linshu):
    rows = per_mu(linshu, 2020)
    paying = np.log(rows.loc[rows["t"] > 0, "t"])
    assert 1.8 < paying.std() < 2.3
    assert 1.0 < rows["t"].median() < 2.5
    assert 0.02 < (rows["t"] < 0).mean() < 0.06
    large = np.log(rows.loc[rows["area"] >= 10, "area"])
    assert 3.3 < large.mean() < 3.8
    assert 0.8 < large.std() < 1.1
    assert 3 < rows["tax_wan"].sum() / rows["area"].sum() < 19
    assert 0.05 < (rows["area"] < 10).mean() < 0.15


def test_tax_persists_from_year_to_year(linshu):
    wide = linshu["annual"].assign(area=lambda a: a["land_mu"].fillna(a["approved_mu"]))
    wide = wide.assign(t=wide["tax_wan"] / wide["area"]).set_index(["credit_code", "year"])["t"]
    pair = pd.DataFrame({year: wide.xs(year, level="year") for year in (2019, 2020)})
    pair = np.log(pair[(pair > 0).all(axis=1)])
    assert 0.9 < pair.corr().iloc[0, 1] < 0.98
    assert 0.45 < (pair[2020] - pair[2019]).std() < 0.75


def test_linshu_has_every_kind_of_fact(linshu):
    firms, end = linshu["enterprises"], pd.Timestamp(2020, 12, 31)
    assert ((firms["contract_completion"] >= end) & ~(firms["completed"] <= end)).any()
    assert ((firms["contract_completion"] < end) & firms["completed"].isna()).any()
    assert firms["stopped_since"].notna().any()
    assert firms["zombie"].any()
    assert firms["exempt_industry"].mean() < 0.12
    methods = set(linshu["disposals"]["method"])
    assert {"帮扶提升", "限期整改", "并购重组", "分割转让", "收购储备", "司法解决", "其他"} <= methods
    flow = linshu["process"]
    assert flow["key_listed"].notna().any()
    assert (
        flow["certified"].dropna() > flow["notified"].reindex(flow["certified"].dropna().index) + pd.Timedelta("15D")
    ).all()
    extra = linshu["annual"].groupby("year")["land_use_tax_extra_wan"].sum()
    assert (extra.loc[:2022] == 0).all()
    assert (extra.loc[2023:2024] > 0).all()
    movers = linshu["annual"].groupby("credit_code")["above_scale"].nunique()
    assert 0.02 < (movers > 1).mean() < 0.15


def test_closed_and_gone_enterprises_pay_nothing_later(everything):
    for ledger in everything.values():
        cases = ledger["disposals"]
        ended = (
            cases[cases["outcome"].isin(["关停", "清退", "注销", "整体收储", "破产"])]
            .set_index("credit_code")["finished"]
            .dt.year
        )
        later = ledger["annual"].merge(ended.rename("ended"), left_on="credit_code", right_index=True)
        assert (later.loc[later["year"] > later["ended"], "tax_wan"] == 0).all()


def test_zhoushan_city_totals(city):
    cases = pd.concat([ledger["disposals"] for ledger in city.values()])
    assert 48 <= cases["outcome"].isin(["关停", "注销"]).sum() <= 55
    within = cases["demolished_on"].fillna(cases["finished"]).dt.year == 2020
    assert 28000 < cases.loc[within, "demolished_m2"].sum() < 33000


def test_zhoushan_counties_end_differently(city):
    rates = {}
    for name, ledger in city.items():
        stay = cohort(ledger).query("not gone")
        for above, group in stay.groupby("above"):
            known = group["t"].dropna()
            rates[name, above] = ((known >= 2).sum(), len(known), len(group) - len(known))
    assert all(0.68 < reached / n < 0.86 for (_, above), (reached, n, _) in rates.items() if not above)
    passed = {name for name, above in rates if above and rates[name, above][0] == rates[name, above][1]}
    assert passed
    assert len(passed) < len(city)
    reached, n, _ = rates["zhoushan-putuo", False]
    assert reached / n >= 0.8
    assert "zhoushan-putuo" in passed
    reached, n, unknown = rates["zhoushan-daishan", False]
    assert reached / (n + unknown) < 0.8 <= (reached + unknown) / (n + unknown)
    assert all(unknown == 0 for (name, _), (_, _, unknown) in rates.items() if name != "zhoushan-daishan")


def test_zhoushan_levels(city):
    rows = pd.concat([per_mu(ledger, 2019) for ledger in city.values()])
    paying = np.log(rows.loc[rows["t"] > 0, "t"])
    assert 1.7 < paying.std() < 2.3
    assert 1.0 < rows["t"].median() < 2.2
    assert 0.02 < (rows["t"] < 0).mean() < 0.06
    assert 1.4 < np.log(rows["area"].dropna()).mean() < 2.2
    assert (rows["t"] == 0).mean() < 0.03


def test_blank_land_has_an_approved_area(everything):
    for ledger in everything.values():
        blank = ledger["annual"]["land_mu"].isna()
        assert blank.mean() < 0.05
        assert ledger["annual"].loc[blank, "approved_mu"].notna().all()
    assert any(ledger["annual"]["land_mu"].isna().any() for ledger in everything.values())


@pytest.mark.parametrize("n", [1, 3, 12])
@pytest.mark.parametrize(("policy", "county"), [("linshu-2021", None), ("zhoushan-2020", "嵊泗县")])
def test_few_enterprises_are_made_too(policy, county, n):
    made = make(policy, enterprises=n, years=(2018, 2025), seed=1, county=county)
    assert len(made["enterprises"]) <= n
    assert set(made["annual"]["credit_code"]) == set(made["enterprises"]["credit_code"])


def test_whole_city_in_one_ledger():
    made = make("zhoushan-2020", enterprises=120, years=(2019, 2020), seed=1)
    assert made["enterprises"]["county"].nunique() == 4
    assert made["enterprises"]["credit_code"].is_unique


def test_unknown_names_and_reversed_years_are_refused():
    with pytest.raises(ValueError, match="did you mean 'linshu-2021'"):
        make("linshu-2020", years=(2019, 2020), seed=1)
    with pytest.raises(ValueError, match="普陀区"):
        make("zhoushan-2020", years=(2019, 2020), seed=1, county="临城区")
    with pytest.raises(ValueError, match="起止年份颠倒"):
        make("linshu-2021", years=(2021, 2020), seed=1)
    with pytest.raises(ValueError, match="企业数过少"):
        make("zhoushan-2020", enterprises=2, years=(2019, 2020), seed=1)


def test_messy_plants_each_fault_once_and_says_where():
    told = textfiles.read_yaml(FOLDER / "messy.yaml")[0]["planted"]
    grids = sheets(FOLDER / "messy.xlsx")
    assert len({(fault["sheet"], fault["row"], fault["rule"]) for fault in told}) == len(told) >= 12
    assert all(fault["row"] <= len(grids[fault["sheet"]]) for fault in told)


@pytest.mark.parametrize("name", ITEMS)
def test_shipped_ledgers_read_without_errors_and_with_expected_warnings_alone(name):
    ledger = ly.read_ledger(f"sample:{name}")
    assert {fault.rule for fault in ledger.faults} <= {"check_digit", "missing_tax", "missing_land", "land_blank"}
    assert "虚构" in ledger.synthetic
    made = frames(ITEMS[name])
    for sheet, frame in made.items():
        assert len(getattr(ledger, sheet)) == len(frame), sheet


def test_what_is_made_is_what_is_read(linshu):
    annual = ly.read_ledger("sample:linshu").annual
    for column in ("tax_wan", "land_mu", "approved_mu", "land_use_tax_extra_wan", "revenue_wan"):
        assert np.array_equal(annual[column].to_numpy(), linshu["annual"][column].to_numpy(), equal_nan=True), column
    assert annual["above_scale"].tolist() == linshu["annual"]["above_scale"].tolist()


def test_reading_messy_finds_every_planted_fault():
    with pytest.raises(ly.LedgerError) as caught:
        ly.read_ledger("sample:messy")
    found = {(fault.sheet, fault.rule) for fault in caught.value.faults}
    rows = {(fault.sheet, fault.row, fault.rule) for fault in caught.value.faults}
    for fault in textfiles.read_yaml(FOLDER / "messy.yaml")[0]["planted"]:
        if fault["rule"] == "heading_unknown":
            assert (fault["sheet"], fault["rule"]) in found
        else:
            assert (fault["sheet"], fault["row"], fault["rule"]) in rows, fault


def test_workbook_csv_and_parquet_read_alike(tmp_path):
    made = make("zhoushan-2020", enterprises=50, years=(2019, 2020), seed=2, county="普陀区")
    write(made, tmp_path / "x.xlsx")
    write(made, tmp_path / "csv")
    write(made, tmp_path / "parquet", kind="parquet")
    ledgers = [ly.read_ledger(tmp_path / name) for name in ("x.xlsx", "csv", "parquet")]
    for sheet in made:
        columns = list(made[sheet].columns)
        first, *others = (getattr(ledger, sheet)[columns] for ledger in ledgers)
        for other in others:
            pd.testing.assert_frame_equal(first, other, check_dtype=False)


@pytest.mark.parametrize("excuse", ["spares", "none"])
@pytest.mark.parametrize("year", [2023, 2024, 2025])
def test_assessment_agrees_with_the_path_counted_by_hand(linshu, year, excuse):
    plan = ly.load_policy("linshu-2021")
    assert plan.reading("excuse").default == "spares"
    chosen = {} if excuse == "spares" else {"excuse": excuse}
    assessed = ly.assess(ly.read_ledger("sample:linshu"), plan, year, readings=chosen)
    value = assessed.targets.set_index("id")["value"]
    assert value["below_scale_low_land_share"] == pytest.approx(low_share(linshu, year, excuse), rel=1e-9)
    assert value["above_scale_clear"] == linshu_left(linshu, year, {2023: 1.0, 2024: 2.0, 2025: 3.0}[year])


def test_assessment_of_zhoushan_agrees_with_the_rates_counted_by_hand(city):
    policy = ly.load_policy("zhoushan-2020")
    for name, ledger in city.items():
        stay = cohort(ledger).query("not gone").dropna(subset=["t"])
        rate = stay.assign(reach=stay["t"] >= 2).groupby("above")["reach"].mean()
        value = ly.assess(ly.read_ledger(f"sample:{name}"), policy, 2020).targets.set_index("id")["value"]
        assert value["above_scale_reach"] == pytest.approx(rate[True])
        assert value["below_scale_reach"] == pytest.approx(rate[False])


HUZHOU = "tests/fixtures/huzhou-like.yaml"


@pytest.fixture(scope="module")
def third(tmp_path_factory):
    """A ledger for a plan that no place is known for, read back."""
    path = tmp_path_factory.mktemp("third") / "third.xlsx"
    produce(HUZHOU, path, years=(2019, 2023), seed=1)
    return path, ly.read_ledger(path), ly.load_policy(HUZHOU)


def test_any_plan_gets_a_ledger_that_is_read_without_errors_and_says_that_it_is_made(third):
    path, ledger, policy = third
    assert {fault.rule for fault in ledger.faults} <= {"check_digit", "missing_tax", "missing_land", "land_blank"}
    assert "虚构" in ledger.synthetic
    assert set(ledger.enterprises["county"]) == {policy.place.name}
    told = textfiles.read_yaml(path.with_suffix(".yaml"))[0]
    assert "虚构" in told["synthetic_note_zh"]
    assert not check_digits(ledger.enterprises["credit_code"].tolist()).any()
    again = make(HUZHOU, years=(2019, 2023), seed=1)
    assert ledger.annual["tax_wan"].equals(again["annual"]["tax_wan"])


def test_any_plan_gets_the_columns_that_its_rules_read(third):
    _, ledger, policy = third
    assert "protected_until" in ledger.enterprises
    assert not {"exempt_industry", "contract_plot_ratio", "scattered"} & set(ledger.enterprises)
    counted = tax_of(policy, book(ledger), 2023)
    reported = book(ledger).annual("tax_wan", 2023)
    assert np.allclose(counted, reported, atol=0.02, equal_nan=True)
    assert {"入库", "留抵退税", "出口退税"} <= set(ledger.tax_items["flow"])


def test_any_plan_is_carried_out_by_its_own_list_and_its_verdict_is_not_trivial(third):
    _, ledger, policy = third
    assert set(ledger.disposals["method"]) == {"upgrade"}
    listed = [
        ly.assess(ledger, policy, year).enterprises.query("identified == True")["credit_code"] for year in (2022, 2023)
    ]
    assert set(ledger.disposals["credit_code"]) <= set(listed[0]) | set(listed[1])
    assert len(ledger.disposals) > 0.8 * len(set(listed[0]) | set(listed[1]))
    targets = ly.assess(ledger, policy, 2023).targets
    assert set(targets["status"]) == {"met", "missed"}
    assert targets["value"].between(0.05, 0.95).all()


def test_any_plan_levels(third):
    _, ledger, _ = third
    rows = ledger.annual[ledger.annual["year"] == 2021].assign(t=lambda a: a["tax_wan"] / a["land_mu"])
    paying = np.log(rows.loc[rows["t"] > 0, "t"])
    assert 1.6 < paying.std() < 2.3
    assert 1.0 < rows["t"].median() < 3.0
    assert 0.02 < (rows["t"] < 0).mean() < 0.07
    assert 3 < rows["tax_wan"].sum() / rows["land_mu"].sum() < 19


def test_a_reported_tax_with_additions_gets_the_items_it_names(tmp_path):
    text = (
        Path(HUZHOU)
        .read_text(encoding="utf-8")
        .replace("source: items", "source: reported")
        .replace("id: huzhou-like", "id: other")
    )
    (tmp_path / "other.yaml").write_text(text, encoding="utf-8")
    made = make(tmp_path / "other.yaml", enterprises=30, years=(2021, 2023), seed=1)
    assert set(made["tax_items"]["item"]) <= {"增值税", "车船税"}
    assert made["annual"]["tax_wan"].sum() > 10 * made["tax_items"]["amount_wan"].sum()


def test_facts_and_methods_of_a_plan_without_a_place_come_from_the_plan(tmp_path):
    text = resources.path("parameters/policies/linshu-2021.yaml").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.replace("id: linshu-2021", "id: mine"), encoding="utf-8")
    made = make(tmp_path / "mine.yaml", enterprises=150, years=(2020, 2024), seed=4)
    firms = made["enterprises"]
    for name in ("exempt_industry", "contract_tax_per_mu", "listed_by_task_force", "plan_overdue", "partner_grade"):
        assert name in firms, name
    assert firms["contract_tax_per_mu"].notna().any()
    assert set(made["disposals"]["method"]) <= {
        "帮扶提升",
        "限期整改",
        "并购重组",
        "分割转让",
        "收购储备",
        "司法解决",
        "其他（按合同或协议）",
    }
    assert made["annual"]["land_use_tax_extra_wan"].max() > 0
    assert set(made["papers"]["paper"]) >= {"工业用地基本情况"}
    assert "walled" in made["annual"]


@pytest.mark.parametrize("years", [(2010, 2012), (2023, 2023), (2024, 2026)])
def test_any_plan_is_made_for_years_beyond_its_own(years):
    made = make(HUZHOU, enterprises=25, years=years, seed=1)
    assert set(made["annual"]["year"]) == set(range(years[0], years[1] + 1))
    assert len(made["disposals"]) == 0 if years[1] < 2022 else len(made["disposals"]) > 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('code: "999999"', 'code: "12"'),
        ("method: upgrade", "method: shut_down"),
        ("method: upgrade", "method: contract"),
        ("source: items", "source: reported\n  year: year_to_date"),
        (
            "fact: tax_per_mu\n        op: lt\n        than: class_line",
            "fact: idle\n        op: eq\n        value: true",
        ),
        (
            "fact: tax_per_mu\n        op: lt\n        than: class_line",
            "fact: scattered\n        op: eq\n        value: true",
        ),
        ("rule: as_reported", "rule: walled_else_approved"),
    ],
)
def test_plans_of_other_rules_are_made_and_judged(old, new, tmp_path):
    text = Path(HUZHOU).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "p.yaml").write_text(text.replace(old, new), encoding="utf-8")
    produce(tmp_path / "p.yaml", tmp_path / "made.xlsx", enterprises=70, years=(2021, 2023), seed=2)
    ledger = ly.read_ledger(tmp_path / "made.xlsx")
    assert not [fault for fault in ledger.faults if fault.severity == "error"]
    assessed = ly.assess(ledger, ly.load_policy(tmp_path / "p.yaml"), 2023)
    assert assessed.enterprises["identified"].notna().mean() > 0.95
    assert assessed.enterprises["identified"].eq(True).any()
    assert set(assessed.targets["status"]) <= {"met", "missed"}


def test_a_plan_that_lies_where_the_note_would_stand_is_kept(tmp_path):
    text = Path(HUZHOU).read_text(encoding="utf-8")
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"p\.yaml.*不覆盖"):
        produce(tmp_path / "p.yaml", tmp_path / "p.xlsx", enterprises=5, years=(2022, 2023), seed=2)
    assert (tmp_path / "p.yaml").read_text(encoding="utf-8") == text
    assert not (tmp_path / "p.xlsx").exists()
