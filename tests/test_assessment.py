"""The verdict as a whole: what must not move it, what must add up, what is refused, and the shape that others bind to."""

from __future__ import annotations

import dataclasses
import json
import random
from datetime import date

import numpy as np
import pandas as pd
import pytest
import worked
from build import frame, years
from build import ledger as make_ledger
from county import county
from pandas.testing import assert_frame_equal

from lyeval.assessment import Assessment, assess, meets, target_values, views
from lyeval.assessment.dossier import deadline
from lyeval.ledger import Ledger, read_ledger
from lyeval.policy import PolicyError

SHEETS = ("enterprises", "annual", "monthly", "tax_items", "disposals", "process", "papers")
RUNS = [("linshu-2021", 2023), ("linshu-2021", 2024), ("linshu-2021", 2025), ("zhoushan-2020", 2020)]


def ledger_for(year: int) -> Ledger:
    return county(30, "asked", years=tuple(range(min(year - 1, 2020), year + 1)))


def judge(ledger: Ledger, policy: str, year: int, **more) -> Assessment:
    if policy == "zhoushan-2020":
        more = {"quotas": {"closures": 2, "demolition": 500}} | more
    return assess(ledger, worked.policy(policy), year, **more)


def told(now: Assessment) -> tuple:
    """Return everything that an assessment says, as plain data."""
    targets = now.targets.astype(object).where(now.targets.notna(), None).to_dict("records")
    frames = [x.to_json(orient="split", date_format="iso") for x in (now.enterprises, now.flows, now.doors, now.gaps)]
    return (repr(targets), *frames)


def change(ledger: Ledger, **frames: pd.DataFrame) -> Ledger:
    return dataclasses.replace(ledger, **frames)


@pytest.mark.parametrize(("policy", "year"), RUNS)
def test_order_of_rows_moves_nothing(policy, year):
    ledger = ledger_for(year)
    shuffled = {s: getattr(ledger, s).sample(frac=1, random_state=1).reset_index(drop=True) for s in SHEETS}
    assert told(judge(change(ledger, **shuffled), policy, year)) == told(judge(ledger, policy, year))


@pytest.mark.parametrize(("policy", "year"), RUNS)
def test_a_firm_out_of_scope_moves_no_target(policy, year):
    """Below 10 亩 and 规下 in Linshu; public good in Zhoushan."""
    ledger, code = ledger_for(year), "Z999"
    firm = {"credit_code": code, "name": code, "public_good": policy == "zhoushan-2020"}
    rows = years(code, {y: 0.1 for y in range(2019, year + 1)}, 5.0, False)
    more = change(
        ledger,
        enterprises=pd.concat([ledger.enterprises, frame("enterprises", [firm])], ignore_index=True),
        annual=pd.concat([ledger.annual, frame("annual", rows)], ignore_index=True),
    )
    before, after = judge(ledger, policy, year), judge(more, policy, year)
    assert_frame_equal(before.targets, after.targets)
    assert worked.table(after.enterprises, "credit_code")[code]["identified"] is False


@pytest.mark.parametrize(("policy", "year"), RUNS)
def test_a_ledger_split_by_township_adds_up(policy, year):
    """Each firm's verdict is its own; numerators, denominators and stocks of townships add up to the county's."""
    ledger = ledger_for(year)
    parts = [judge(only(ledger, t), policy, year) for t in ("T0", "T1", "T2")]
    whole = judge(ledger, policy, year)
    together = pd.concat([p.enterprises for p in parts]).sort_values("credit_code", ignore_index=True)
    assert_frame_equal(together, whole.enterprises, check_dtype=False)
    for i, outcome in enumerate(whole.outcomes):
        mine = [p.outcomes[i].bounded for p in parts]
        assert sum(b.n for b in mine) == outcome.bounded.n
        assert sum(b.part for b in mine) == pytest.approx(outcome.bounded.part)
        assert sum(b.whole for b in mine) == pytest.approx(outcome.bounded.whole)
    for name in ("flows", "doors"):
        numbers = [getattr(p, name).select_dtypes("number") for p in parts]
        assert (sum(numbers[1:], numbers[0]) == getattr(whole, name).select_dtypes("number")).all(axis=None)


def only(ledger: Ledger, township: str) -> Ledger:
    codes = set(ledger.enterprises.loc[ledger.enterprises["township"] == township, "credit_code"])
    kept = {s: getattr(ledger, s)[getattr(ledger, s)["credit_code"].isin(codes)].reset_index(drop=True) for s in SHEETS}
    return change(ledger, **kept)


@pytest.mark.parametrize(("policy", "year"), RUNS)
def test_tax_and_land_in_step_move_no_rate(policy, year):
    """Twice the tax on twice the land is the same tax per mu: shares, counts and means stay (all land stays above 10 亩)."""
    ledger = ledger_for(year)
    scaled = {
        s: getattr(ledger, s).assign(**{c: getattr(ledger, s)[c] * k for c in names})
        for s, names, k in (("annual", ["tax_wan", "land_mu"], 16.0), ("disposals", ["released_mu"], 16.0))
    }
    base = {"annual": ledger.annual.assign(tax_wan=ledger.annual["tax_wan"] * 8, land_mu=ledger.annual["land_mu"] * 8),
            "disposals": ledger.disposals.assign(released_mu=ledger.disposals["released_mu"] * 8)}  # fmt: skip
    one, two = judge(change(ledger, **base), policy, year), judge(change(ledger, **scaled), policy, year)
    keep = ["id", "value", "goal", "gap", "low", "high", "status", "n", "reason"]
    assert_frame_equal(one.targets[keep], two.targets[keep])


@pytest.mark.parametrize(("policy", "year"), RUNS)
def test_assessing_twice_says_the_same(policy, year):
    assert told(judge(ledger_for(year), policy, year)) == told(judge(ledger_for(year), policy, year))


@pytest.mark.parametrize(("policy", "year"), RUNS)
def test_the_shape_that_others_bind_to(policy, year):
    now = judge(ledger_for(year), policy, year)
    out = json.loads(json.dumps(now.to_dict(), allow_nan=False))
    assert list(out) == ["policy", "year", "reading", "targets", "enterprises"]
    assert {tuple(t) for t in out["targets"]} == {
        (
            "id",
            "value",
            "goal",
            "op",
            "gap",
            "needed",
            "short_by",
            "low",
            "high",
            "status",
            "n",
            "unit",
            "reason",
            "clause",
        )
    }
    assert {tuple(e) for e in out["enterprises"]} == {
        (
            "credit_code",
            "class",
            "in_scope",
            "excluded_by",
            "identified",
            "criteria",
            "tax_per_mu",
            "land_mu",
            "closed",
            "gone",
            "tax_needed_wan",
        )
    }
    assert [e["credit_code"] for e in out["enterprises"]] == sorted(e["credit_code"] for e in out["enterprises"])
    assert {t["status"] for t in out["targets"]} <= {"met", "missed", "undetermined"}
    assert [t["id"] for t in out["targets"]] == [t.id for t in worked.policy(policy).targets if year in t.years]
    assert out["reading"] == {r.id: r.default for r in worked.policy(policy).readings}


def test_stocks_run_on_from_year_to_year():
    """The closing stock of a year is the opening stock of the next, and nobody leaves twice."""
    ledger = county(40, "asked", years=(2020, 2021, 2022, 2023, 2024, 2025))
    flows = {y: worked.table(judge(ledger, "linshu-2021", y).flows, "class")["all"] for y in range(2021, 2026)}
    assert flows[2021]["opening"] == 0
    for year in range(2022, 2026):
        assert flows[year]["opening"] == flows[year - 1]["closing"]
    closed = int((ledger.disposals["outcome"] == "关停").sum())
    assert sum(flows[y]["关停"] for y in flows) <= closed
    assert any(flows[y]["new"] for y in range(2022, 2026))


@pytest.mark.parametrize(("policy", "year"), RUNS)
def test_nobody_is_listed_who_is_excluded_or_out_of_scope(policy, year):
    table = judge(ledger_for(year), policy, year).enterprises
    listed = table[table["identified"] == True]  # noqa: E712 - None is neither
    assert listed["in_scope"].all()
    assert listed["excluded_by"].isna().all()
    assert not table.loc[table["class"].isna(), "line"].notna().any() or policy == "zhoushan-2020"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"level": "town"}, ["level", "county", "city"]),
        ({"quotas": {"closure": 3}}, ["quota", "closures"]),
        ({"quotas": {"closures": -1}}, ["closures", "-1"]),
        ({"quotas": {"closures": float("nan")}}, ["closures", "nan"]),
        ({"quotas": {"closures": "three"}}, ["closures", "three"]),
        ({"facts": {"city_list": 3}}, ["fact", "city_listed"]),
        ({"readings": {"edges": "meets"}}, ["reading", "edge"]),
        ({"readings": {"edge": "meet"}}, ["edge", "meets"]),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_nearest_right_answer(more, words):
    with pytest.raises(PolicyError) as error:
        assess(ledger_for(2020), worked.policy("zhoushan-2020"), 2020, **more)
    for word in words:
        assert word in str(error.value)


def test_a_quota_is_not_taken_for_a_target_without_a_city_total():
    with pytest.raises(PolicyError, match="quota"):
        assess(ledger_for(2020), worked.policy("zhoushan-2020"), 2020, quotas={"above_scale_reach": 3})


@pytest.mark.parametrize("year", [2019, 2021])
def test_years_of_zhoushan_that_are_not_governed_are_refused(year):
    with pytest.raises(PolicyError, match=f"{year}.*2020"):
        assess(ledger_for(2020), worked.policy("zhoushan-2020"), year)


@pytest.mark.parametrize("year", [2018, 2020, 2026])
def test_years_of_linshu_that_are_not_governed_are_refused(year):
    with pytest.raises(PolicyError, match=f"{year}.*2021.*2025"):
        assess(ledger_for(2023), worked.policy("linshu-2021"), year)


def test_a_city_is_any_number_of_counties():
    """Level city takes the document's goals; the same ledger at county level waits for a quota."""
    ledger = ledger_for(2020)
    city = worked.table(judge(ledger, "zhoushan-2020", 2020, level="city", quotas=None).targets, "id")
    lone = worked.table(judge(ledger, "zhoushan-2020", 2020, quotas=None).targets, "id")
    assert (city["closures"]["goal"], city["demolition"]["goal"]) == (50, 30000)
    assert {lone[t]["reason"] for t in ("closures", "demolition")} == {"no_quota"}
    assert city["closures"]["value"] == lone["closures"]["value"]
    assert city["above_scale_reach"] == lone["above_scale_reach"]


def test_the_sample_closes_from_year_to_year():
    ledger, closing = read_ledger("sample:linshu"), 0
    for year in range(2021, 2026):
        now = judge(ledger, "linshu-2021", year)
        row = worked.table(now.flows, "class")["all"]
        assert row["opening"] == closing
        closing = row["closing"]
        assert now.doors["n"].sum() <= len(now.enterprises)
        assert row["opening"] + row["new"] > 0


@pytest.mark.parametrize(
    ("start", "kind", "last"),
    [
        ("2023-03-01", "calendar", date(2023, 3, 16)),
        ("2024-02-20", "calendar", date(2024, 3, 6)),
        ("2023-12-25", "calendar", date(2024, 1, 9)),
        ("2023-03-01", "working", date(2023, 3, 22)),
        ("2023-03-03", "working", date(2023, 3, 24)),
        ("2023-03-04", "working", date(2023, 3, 24)),
        ("2023-03-05", "working", date(2023, 3, 24)),
    ],
)
def test_fifteen_days_begin_the_day_after(start, kind, last):
    assert deadline(pd.Timestamp(start), 15, kind) == last


def test_days_left_are_counted_from_the_day_asked():
    case = worked.cases()["linshu-2021:procedure"]
    steps = worked.table(worked.judge(case).dossier("S2", on=date(2023, 3, 10)).steps, "step")
    assert steps["statement"]["days_left"] == 6
    steps = worked.table(worked.judge(case).dossier("S2", on=date(2023, 3, 16)).steps, "step")
    assert steps["statement"]["days_left"] == 0


def test_a_dossier_of_nobody_is_refused():
    with pytest.raises(KeyError, match="E9"):
        judge(ledger_for(2023), "linshu-2021", 2023).dossier("E9")


def test_a_dossier_shows_the_years_in_order():
    one = judge(ledger_for(2023), "linshu-2021", 2023).dossier("E001")
    assert one.years["year"].tolist() == [2020, 2021, 2022, 2023]
    known = one.years.dropna()
    assert np.allclose(
        known["tax_per_mu"].astype(float), known["tax_wan"].astype(float) / known["land_mu"].astype(float)
    )


@pytest.mark.parametrize(("policy", "year"), RUNS)
def test_views_of_the_year_itself_give_the_verdict(policy, year):
    """Laid out for projection on the year's own facts, a target has the verdict's value (no fact missing, the closed without tax)."""
    ledger = ledger_for(year)
    tax = ledger.annual["tax_wan"].fillna(1.0)
    closed = ledger.annual["credit_code"].isin(ledger.disposals.query("outcome == '关停'")["credit_code"])
    ledger = change(ledger, annual=ledger.annual.assign(tax_wan=tax.where(~closed, 0.0)))
    now = worked.table(judge(ledger, policy, year).targets, "id")
    for view in views(ledger, worked.policy(policy), year, year):
        if view.kind not in ("share", "count", "mean"):
            continue
        released = np.zeros(len(view.codes), dtype=bool)
        found = target_values(view, view.tax, view.land, view.gone, released)[0]
        assert worked.same(found, now[view.id]["value"]), view.id
        if now[view.id]["status"] != "undetermined":
            assert bool(meets(view, np.array([found]))[0]) == (now[view.id]["status"] == "met")


def twenty(n: int = 20) -> Ledger:
    """Make enterprises whose scores fall by 0.05: G00 best."""
    rows, items = [], []
    for i in range(n):
        code = f"G{i:02d}"
        rows.append({"credit_code": code, "year": 2023, "land_mu": 10.0, "above_scale": True, "revenue_wan": 2000.0,
                     "output_wan": 1000.0, "employees": 10.0})  # fmt: skip
        items.append({"credit_code": code, "year": 2023, "item": "增值税", "flow": "入库", "amount_wan": 120.0 - 6 * i})
    random.Random(0).shuffle(rows)
    return make_ledger(annual=rows, tax_items=items)


def test_grades_are_shares_of_the_number_rated():
    """Score = 0.5·(tax per mu / 12) + 0.3·(revenue per mu / 200) + 0.2·(output per employee / 100); A–D by 20/40/35/5."""
    grades = assess(twenty(), worked.policy("huzhou-like"), 2023).grades.set_index("credit_code")
    assert grades.loc["G00", "score"] == pytest.approx(0.5 * 1 + 0.3 * 1 + 0.2 * 1)
    assert grades.loc["G01", "score"] == pytest.approx(0.5 * 11.4 / 12 + 0.5)
    assert "".join(grades["grade"]) == "A" * 4 + "B" * 8 + "C" * 7 + "D"


@pytest.mark.parametrize("n", [1, 2, 3, 7, 11, 19, 33])
def test_grades_add_up_to_the_number_rated(n):
    grades = assess(twenty(n), worked.policy("huzhou-like"), 2023).grades
    counts = grades["grade"].value_counts()
    assert counts.sum() == n
    shares = {"A": 0.2, "B": 0.4, "C": 0.35, "D": 0.05}
    assert all(abs(counts.get(g, 0) - share * n) < 1 for g, share in shares.items())
    assert grades.sort_values("score", ascending=False)["grade"].is_monotonic_increasing


@pytest.mark.parametrize("employees", [None, 0.0])
def test_an_unknown_score_is_not_graded(employees):
    """Nor one with a denominator of zero."""
    ledger = twenty()
    first = ledger.annual["credit_code"] == "G00"
    annual = ledger.annual.assign(employees=ledger.annual["employees"].mask(first, employees))
    grades = assess(change(ledger, annual=annual), worked.policy("huzhou-like"), 2023).grades.set_index("credit_code")
    assert grades.index[grades["grade"].isna()].tolist() == ["G00"]
    assert grades.loc["G01", "grade"] == "A"


def test_the_third_plan_is_reported_without_python(tmp_path):
    from lyeval.report import assessment_tables, ledger_tables, load, save, write

    case = worked.cases()["huzhou-like:items_and_shares"]
    save(tmp_path, ledger_tables(worked.ledger_of(case)) | assessment_tables(worked.judge(case)))
    html = write(load(tmp_path), tmp_path, formats=["html"])[0].read_text(encoding="utf-8")
    assert all(words in html for words in ("某县工业用地提质方案", "规上低效用地占比", "规下低效用地占比"))


@pytest.mark.parametrize(
    "name", ["linshu-2021:mean_2025_unknown", "linshu-2021:unknown_land_own_bounds", "zhoushan-2020:unknown_class"]
)
def test_what_is_missing_is_laid_out_for_every_kind_of_target(name):
    from lyeval.report import assessment_tables

    tables = assessment_tables(worked.judge(worked.cases()[name]))
    open_ones = {r["id"] for r in tables["targets"].to_dict("records") if str(r["reason"]).startswith("missing_facts")}
    assert open_ones
    assert open_ones <= set(tables["narrowing"]["target"])


def test_what_is_unknown_of_an_enterprise_is_none():
    firms = worked.judge(worked.cases()["zhoushan-2020:unknown_class"]).enterprises.set_index("credit_code")
    assert firms["class"].tolist() == ["above", "below", None]
    assert firms["excluded_by"].tolist() == [None, None, None]
    assert firms["identified"].tolist() == [True, True, True]


@pytest.mark.parametrize(
    ("outcome", "closed", "gone"),
    [
        ("关停", True, True),
        ("清退", True, True),
        ("注销", True, True),
        ("破产", False, True),
        ("搬迁", False, True),
        ("整体收储", False, True),
        ("收储", False, True),
        ("部分收储", False, False),
        ("转让", False, False),
        ("重组", False, False),
        ("达标", False, False),
        ("进行中", False, False),
        ("未启动", False, False),
        ("未完成", False, False),
    ],
)
def test_what_each_outcome_makes_of_an_enterprise(outcome, closed, gone):
    """By its date it is so from that day on; without a date what would be so is unknown."""
    for finished, year, after in (
        ("2023-12-31", 2023, True),
        ("2024-01-01", 2023, False),
        (None, 2023, None),
        ("2022-05-01", 2023, True),
    ):
        row = {"credit_code": "A", "method": "upgrade", "outcome": outcome, "finished": finished}
        ledger = make_ledger(annual=years("A", {2022: 1, 2023: 1}, 20, False), disposals=[row])
        firm = judge(ledger, "linshu-2021", year).enterprises.iloc[0]
        assert firm["closed"] is (after if closed else False)
        assert firm["gone"] is (after if gone else False)


def test_a_later_open_disposal_does_not_bring_an_enterprise_back():
    rows = [{"credit_code": "A", "method": "shut_down", "outcome": "关停", "finished": "2022-05-01"},
            {"credit_code": "A", "method": "upgrade", "outcome": "进行中", "finished": None}]  # fmt: skip
    ledger = make_ledger(annual=years("A", {2022: 1, 2023: 1}, 20, False), disposals=rows)
    assert judge(ledger, "linshu-2021", 2023).enterprises["gone"].tolist() == [True]


@pytest.mark.parametrize("n", [1, 4, 5, 6, 15, 35, 55, 95])
def test_eighty_percent_is_counted_in_whole_firms(n):
    rows = [row for i in range(n) for row in years(f"B{i:02d}", {2019: 10, 2020: 10}, 10, False)]
    target = worked.table(judge(make_ledger(annual=rows), "zhoushan-2020", 2020).targets, "id")["below_scale_reach"]
    assert target["needed"] == target["short_by"] == (8 * n + 9) // 10


@pytest.mark.parametrize("year", [2023, 2024, 2025])
@pytest.mark.parametrize("lacking", ["tax_wan", "land_mu", "above_scale"])
def test_a_column_that_is_not_there_leaves_verdicts_open_and_says_so(year, lacking):
    annual = years("A", dict.fromkeys(range(2020, 2026), 30.0), 20.0, True) + years(
        "B", dict.fromkeys(range(2020, 2026), 5.0), 20.0, False
    )
    now = judge(
        make_ledger(annual=[{k: v for k, v in row.items() if k != lacking} for row in annual]), "linshu-2021", year
    )
    table = worked.table(now.targets, "id")
    assert table["below_scale_low_land_share"]["status"] == "undetermined"
    assert lacking in table["below_scale_low_land_share"]["reason"]
    assert lacking in set(now.gaps["fact"])
    assert now.enterprises["missing"].map(lambda m: f"{lacking}@{year}" in m).all()


@pytest.mark.parametrize(("policy", "year"), RUNS)
def test_an_empty_ledger_has_nobody_and_no_verdict_on_shares(policy, year):
    nobody = county(1)
    ledger = change(nobody, **{s: getattr(nobody, s).iloc[:0] for s in ("enterprises", "annual", "disposals")})
    now = judge(ledger, policy, year)
    assert now.enterprises.empty
    for row in now.to_dict()["targets"]:
        assert row["value"] in (None, 0)
        assert row["n"] == 0
        assert (row["reason"] == "empty_class") == (row["unit"] in ("", "万元/亩"))
    assert now.flows["closing"].sum() == now.doors["n"].sum() == 0


@pytest.mark.parametrize(("policy", "year"), RUNS)
def test_enterprises_without_a_single_annual_row_leave_all_open(policy, year):
    ledger = ledger_for(year)
    now = judge(change(ledger, annual=ledger.annual.iloc[:0]), policy, year)
    shares = [r for r in now.to_dict()["targets"] if r["unit"] in ("", "万元/亩", "家") and r["id"] != "closures"]
    assert {r["status"] for r in shares} == {"undetermined"}
    assert now.enterprises["tax_per_mu"].isna().all()


def completions(draw: random.Random, year: int) -> tuple[Ledger, list[Ledger]]:
    """Make a ledger with three unknown facts (tax, class, whether closed), and the eight ledgers that it may turn out to be."""
    rows, cases, open_facts = [], [], draw.sample(range(7), 3)
    for i in range(7):
        land, above = draw.choice([10.0, 20.0, 40.0]), draw.random() < 0.4
        tax = {y: land * draw.choice([0.2, 0.9, 1.5, 2.5]) for y in (year - 1, year)}
        rows += years(f"E{i}", tax, land, above)
        cases += [{"credit_code": f"E{i}", "method": "shut_down", "outcome": "进行中", "finished": None}]
    unknown, kinds = _with(rows, cases, open_facts, year, (None, None, None)), []
    for bits in range(8):
        kinds.append(_with(rows, cases, open_facts, year, tuple(bool(bits >> k & 1) for k in range(3))))
    return unknown, kinds


def _with(rows: list[dict], cases: list[dict], at: list[int], year: int, facts: tuple) -> Ledger:
    """Set the tax of one, the class of another and the closure of a third: True high, above, closed; None unknown."""
    tax, above, closed = facts
    rows, cases = [dict(r) for r in rows], [dict(c) for c in cases]
    for row in rows:
        if row["credit_code"] == f"E{at[0]}" and row["year"] == year:
            row["tax_wan"] = None if tax is None else 1000.0 if tax else -1.0
        if row["credit_code"] == f"E{at[1]}":
            row["above_scale"] = above
    case = cases[at[2]]
    case["outcome"] = "关停" if closed is None or closed else "进行中"
    case["finished"] = f"{year}-06-30" if closed else None
    none = dict.fromkeys(("exempt_industry", "public_good", "protected_until", "contract_completion", "completed"))
    firms = [{"credit_code": f"E{i}", "name": f"E{i}", **none} for i in range(7)]
    return make_ledger(enterprises=firms, annual=rows, disposals=cases)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("policy", "year"), [("linshu-2021", 2023), ("zhoushan-2020", 2020)])
def test_bounds_are_the_extremes_of_all_that_may_be_so(policy, year, seed):
    """Low and high of shares and counts are the least and greatest value over every way the unknown facts can turn out."""
    unknown, settled = completions(random.Random(seed), year)
    now = worked.table(judge(unknown, policy, year).targets, "id")
    ends = [worked.table(judge(x, policy, year).targets, "id") for x in settled]
    for id, row in now.items():
        values = [e[id]["value"] for e in ends if e[id]["value"] is not None and not np.isnan(e[id]["value"])]
        if id in ("demolition", "blocks") or not values:
            continue
        if len(values) == len(ends):  # where the class may turn out empty, the bounds are only outer ones
            assert (row["low"], row["high"]) == pytest.approx((min(values), max(values))), id
        assert row["low"] <= min(values) + 1e-9
        assert row["high"] >= max(values) - 1e-9
        statuses = {e[id]["status"] for e in ends}
        assert row["status"] == (statuses.pop() if len(statuses) == 1 else "undetermined")
