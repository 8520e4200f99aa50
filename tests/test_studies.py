"""Every question of cause that a ledger and plan allow: fixed beforehand, refused with reasons, no claim too many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from build import ledger, years

import lyeval as ly
from lyeval.effect import Check, Effect, Words
from lyeval.studies import study
from lyeval.studies.questions import _estimate as repeated
from lyeval.studies.questions import lay_out, listing, run
from lyeval.studies.study import verdict

CORE = ("rd_reach", "rd_log", "gap_level")
REFUSED = {"rd_target", "not_yet", "before_after"}


def county(n: int, seed: int, lift: float = 0.0) -> ly.Ledger:
    """A Zhoushan county: log tax per mu with own levels and noise; those below 2 in 2019 rise by ``lift`` in 2020."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0.75, 0.5, n)
    rows = []
    for i in range(n):
        y = np.exp(own[i] + rng.normal(0, 0.35, 4))
        y[3] *= np.exp(lift) if y[2] < 2 else 1.0
        rows += years(f"E{i:04d}", {2017 + t: 10 * float(y[t]) for t in range(4)}, 10.0, i % 3 == 0)
    firms = [
        {"credit_code": f"E{i:04d}", "name": f"E{i}", "township": f"镇{i % 5}", "industry_code": f"{20 + i % 4}11"}
        for i in range(n)
    ]
    return ledger(enterprises=firms, annual=rows)


@pytest.fixture(scope="module")
def found():
    return study(ly.read_ledger("sample:zhoushan-dinghai"), "zhoushan-2020", draws=200)


def test_what_no_ledger_can_show_is_refused_with_a_reason(found) -> None:
    table = found.table.set_index("id")
    assert set(table.index[table["verdict"] == "refused"]) >= REFUSED
    assert "事先公布" in table.loc["rd_target", "reason"]
    assert "必然偏高" in table.loc["before_after", "reason"]
    assert "counties sheet" in table.loc["synthetic", "reason_en"]
    assert table.loc[list(REFUSED), "estimate"].isna().all()
    assert set(found.checks["id"]).isdisjoint(REFUSED)


def test_each_answer_has_words_numbers_and_checks(found) -> None:
    answered = found.table[found.table["verdict"] != "refused"]
    assert len(answered) >= 12
    for row in answered.to_dict("records"):
        assert row["estimand"]
        assert row["estimand_en"]
        assert row["low"] <= row["estimate"] <= row["high"] or row["design"] == "rdd"
        assert f"{row['estimand']}：" in row["sentence"]
        assert (row["verdict"] == "short") <= ("未达到可判定的精度" in row["sentence"] or "未见断裂" in row["sentence"])
    checks = found.checks.groupby("id")["check"].agg(set)
    rd = {"density", "donut", "placebo_cutoffs", "covariate_balance", "bandwidth_curve", "leave_one_township_out"}
    assert checks["rd_reach"] >= rd | {"leave_one_industry_out", "placebo_date", "frozen_class", "land_as_rated"}
    assert checks["did_level"] >= {"pre_trend", "placebo_date", "leave_one_out", "lag_conditional", "land_as_rated"}
    assert set(found.checks["passed"].map(str)) <= {"True", "False", "None"}


def test_holm_within_families(found) -> None:
    rd = found.table[found.table["family"] == "rd"]
    least = rd["p_value"].min()
    assert rd["p_holm"].min() == pytest.approx(min(3 * least, 1.0))
    assert (rd["p_holm"] >= rd["p_value"]).all()


def test_the_list_is_fixed_by_the_plan_and_hashed() -> None:
    small, large = county(60, 1), county(120, 2)
    cases = [lay_out(book, "zhoushan-2020", draws=100) for book in (small, large)]
    assert listing(cases[0]) == listing(cases[1])
    one, two = study(small, "zhoushan-2020", draws=100), study(large, "zhoushan-2020", draws=100)
    assert one.sha256 == two.sha256
    assert one.sha256 != study(small, "linshu-2021", draws=100).sha256


def test_lines_and_dates_of_the_plans() -> None:
    case = lay_out(ly.read_ledger("sample:linshu"), "linshu-2021", draws=100)
    assert (case.base_year, case.list_year, case.first_year, case.line) == (2020, 2021, 2022, 1.0)
    assert case.announced
    assert dict(case.targets[2025]) == {"above": 3.0, "below": 1.0}
    ids = [one.id for one in listing(case)]
    assert "bunching@2025-above" in ids
    assert "bunching@2023" in ids


def test_nothing_is_found_where_nothing_happened_and_a_lift_is() -> None:
    """Eight counties of 250 without a policy: of 24 questions at most 4 (99.5 %) are claimed; a lift of 0.8 is seen."""
    claims, asked = 0, [one for one in listing(lay_out(county(60, 1), "zhoushan-2020", draws=100)) if one.id in CORE]
    for seed in range(8):
        case = lay_out(county(250, seed), "zhoushan-2020", draws=100)
        effects = [run(one, case) for one in asked]
        claims += sum(verdict(e, e.p_value) in ("found", "found_unchecked") for e in effects)
    assert len(asked) == 3
    assert claims <= 4
    lifted = lay_out(county(400, 50, lift=0.8), "zhoushan-2020", draws=100)
    effects = {one.id: run(one, lifted) for one in asked}
    assert effects["rd_log"].estimate == pytest.approx(0.8, abs=0.35)
    assert effects["gap_level"].estimate > 0.5


def test_row_order_moves_nothing() -> None:
    import dataclasses

    book = county(80, 4)
    shuffled = dataclasses.replace(book, annual=book.annual.sample(frac=1, random_state=1).reset_index(drop=True))
    one, two = (study(b, "zhoushan-2020", draws=100) for b in (book, shuffled))
    pd.testing.assert_frame_equal(one.table, two.table)
    assert repr(one) == repr(two)


def effect(p: float, *passed: bool | None) -> Effect:
    checks = tuple(Check(f"c{i}", x, None, "", "") for i, x in enumerate(passed))
    return Effect("did", Words("", ""), 1.0, 0.1, p, 0.8, 1.2, 10, {}, checks)


def test_verdicts_by_hand() -> None:
    assert verdict(effect(0.001, True, True), 0.01) == "found"
    assert verdict(effect(0.001, True, None), 0.01) == "found_unchecked"
    assert verdict(effect(0.001, True, False), 0.01) == "failed"
    assert verdict(effect(0.03, True), 0.09) == "short"


def test_removing_nobody_changes_no_estimate() -> None:
    """Every check of a county's own kind is made on the printed estimator: on the same rows it gives the printed figure."""
    case = lay_out(county(240, 3, lift=0.4), "zhoushan-2020", draws=100)
    again = {"rdd", "did", "poisson"}
    asked = [one for one in listing(case) if one.design in again]
    found = {one.id: run(one, case) for one in asked}
    assert {one.design for one in asked if found[one.id].design != "refused"} == again
    for one in asked:
        if found[one.id].design != "refused":
            assert repeated(one, found[one.id], case) == pytest.approx(found[one.id].estimate, rel=1e-9), one.id


def test_checks_keep_the_covariates_of_the_discontinuity() -> None:
    case = lay_out(county(240, 3), "zhoushan-2020", draws=100)
    one = next(one for one in listing(case) if one.id == "rd_level")
    printed = run(one, case)
    checks = {c.name: c for c in printed.checks}
    assert "covariate_balance" in checks
    bare = repeated(one, printed, replace(case, frame=case.frame[case.frame["year"] >= case.base_year]))
    assert bare != pytest.approx(
        printed.estimate, rel=1e-6
    )  # without the earlier years there are no covariates to keep


def test_shares_stay_between_nought_and_one(found) -> None:
    shares = found.table[found.table["outcome"].isin(["reach", "share"]) & (found.table["verdict"] != "refused")]
    assert shares["low"].min() >= -1
    assert shares["high"].max() <= 1
    drawn = found.drawn[found.drawn["id"].isin(shares["id"]) & found.drawn["kind"].isin(["path", "bins"])]
    assert len(drawn)
    assert drawn["y"].dropna().between(0, 1).all()
    for column in ("low", "high"):
        assert drawn[column].dropna().between(0, 1).all()


def test_the_repr_is_short(found) -> None:
    assert len(repr(found)) < 250
