"""Bunching, synthetic controls, and what every effect says: published numbers, recovery, size, refusals."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from lyeval import effect as causes
from lyeval.effect import Bins, Check, Effect, EffectError, Words, bunching, holm, refuse, synthetic
from lyeval.effect.excess import bunch, rows_again
from lyeval.effect.weights import Block, control, differences, simplex

LINE = 3.0


@pytest.fixture(scope="module")
def smokers() -> pd.DataFrame:
    """Cigarette packs a head in 39 U.S. states, 1970–2000; California taxed them from 1989 (Abadie et al. 2010)."""
    found = importlib.util.find_spec("causalpy")
    path = (
        Path(found.submodule_search_locations[0]) / "data/california_prop99.csv"
        if found and found.submodule_search_locations
        else None
    )
    if path is None or not path.exists():
        pytest.skip("causalpy is not installed")
    return pd.read_csv(path).melt("Year", var_name="state", value_name="packs")


CALIFORNIA = {"outcome": "packs", "unit": "state", "time": "Year", "treated": "California", "first_year": 1989}


def firms(n: int, seed: int, share: float = 0.0) -> tuple[pd.DataFrame, int]:
    """Enterprises' 万元/亩; a share of those up to 18 % below the line top up to just above it."""
    rng = np.random.default_rng(seed)
    score = rng.lognormal(0.9, 0.7, n)
    moved = (score < LINE) & (score > 0.82 * LINE) & (rng.random(n) < share)
    return pd.DataFrame({"score": np.where(moved, LINE * (1 + 0.08 * rng.random(n)), score)}), int(moved.sum())


def counties(n: int, seed: int, effect: float = 0.0, years: int = 16) -> pd.DataFrame:
    """Counties that share two factors; the first is treated in the last quarter of the years."""
    rng = np.random.default_rng(seed)
    y = rng.uniform(0, 1, (n, 2)) @ rng.normal(0, 2, (2, years)) + rng.normal(0, 0.3, (n, years))
    y[0] = 0.5 * y[1] + 0.5 * y[2] + rng.normal(0, 0.3, years)
    y[0, -4:] += effect
    county, year = np.divmod(np.arange(n * years), years)
    return pd.DataFrame({"county": [f"县{i:02d}" for i in county], "year": 2005 + year, "y": y.ravel()})


COUNTY = {"outcome": "y", "unit": "county", "time": "year", "treated": "县00", "first_year": 2017}


def test_california_as_published(smokers: pd.DataFrame) -> None:
    """Arkhangelsky et al. 2021, table 1: −15.6, −27.3; −19.6 by a solver that stops early (−15.604 and −19.620 in full)."""
    found = synthetic(smokers, **CALIFORNIA, method="did")
    assert round(found.estimate, 1) == -15.6
    assert found.estimate == pytest.approx(-15.604, abs=0.002)
    assert round(found.details["did"], 1) == -27.3
    assert found.details["synthetic_control"] == pytest.approx(-19.62, abs=0.12)
    assert found.details["rank"] == 2
    periods = found.details["periods"].set_index("time")["weight"]
    assert periods[[1986, 1987, 1988]].to_list() == pytest.approx([0.366, 0.206, 0.427], abs=5e-4)


def test_california_rank(smokers: pd.DataFrame) -> None:
    found = synthetic(smokers, **CALIFORNIA)
    assert found.estimate == found.details["synthetic_control"]
    assert (found.details["n_donors"], found.details["rank"], found.p_value) == (38, 3, pytest.approx(3 / 39))
    heavy = found.details["weights"].sort_values("control", ascending=False)["unit"].head(4).to_list()
    assert heavy == ["Utah", "Montana", "Nevada", "Connecticut"]
    assert "未达到可判定的精度" in found.sentence()


@pytest.mark.parametrize("ridge", [0.0, 0.7])
def test_simplex_against_a_general_solver(ridge: float) -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(0, 1, (12, 6)), rng.normal(0, 1, 12)
    goal = lambda w: float(((a @ w - b) ** 2).sum() + ridge * (w**2).sum())  # noqa: E731
    total = {"type": "eq", "fun": lambda w: w.sum() - 1}
    want = minimize(
        goal, np.full(6, 1 / 6), bounds=[(0, 1)] * 6, constraints=total, options={"ftol": 1e-14, "maxiter": 500}
    )
    found = simplex(a, b, ridge)
    assert found.sum() == pytest.approx(1)
    assert found.min() >= 0
    assert goal(found) <= want.fun + 1e-9
    assert found == pytest.approx(want.x, abs=1e-4)


def test_exact_mix_is_found() -> None:
    rng = np.random.default_rng(1)
    donors = rng.normal(0, 1, (5, 12))
    treated = 0.25 * donors[1] + 0.75 * donors[3] + np.where(np.arange(12) >= 9, 2.0, 0.0)
    found = control(Block(treated, donors, 9))
    assert found.units == pytest.approx([0, 0.25, 0, 0.75, 0], abs=1e-6)
    assert found.estimate == pytest.approx(2.0)
    shifted = differences(Block(treated + 10, donors, 9))
    assert shifted.estimate == pytest.approx(differences(Block(treated, donors, 9)).estimate), "levels do not matter"


def test_synthetic_size_and_recovery() -> None:
    """100 sets of 20 counties, none treated: a rank of 1 in 0 to 12 (99.5 %); an effect of 1 is found on average."""
    first, estimates = 0, []
    for seed in range(100):
        y = counties(20, seed)["y"].to_numpy().reshape(20, 16)
        gaps = [control(Block(y[i], np.delete(y, i, axis=0), 12)).path for i in range(20)]
        ratios = [np.mean(gap[12:] ** 2) / np.mean(gap[:12] ** 2) for gap in gaps]
        first += int(np.argmax(ratios)) == 0
        estimates.append(differences(Block(y[0] + np.repeat([0.0, 1.0], [12, 4]), y[1:], 12)).estimate)
    assert first <= 12
    assert np.mean(estimates) == pytest.approx(1.0, abs=3 * np.std(estimates) / 10)


def test_treated_by_name_list_or_column() -> None:
    frame = counties(12, 2, 1.0)
    by_name = synthetic(frame, **COUNTY)
    marked = frame.assign(listed=frame["county"] == "县00")
    assert synthetic(marked, **(COUNTY | {"treated": "listed"})).estimate == by_name.estimate
    assert synthetic(frame, **(COUNTY | {"treated": ["县00"]})).estimate == by_name.estimate
    several = synthetic(frame, **(COUNTY | {"treated": ["县00", "县01"]}))
    assert (several.details["n_donors"], len(several.details["placebos"])) == (10, 200)


def test_synthetic_order_units_and_doubled_columns() -> None:
    frame = counties(12, 3, 1.0)
    first = synthetic(frame, **COUNTY)
    assert repr(synthetic(frame.sample(frac=1, random_state=1), **COUNTY)) == repr(first)
    assert repr(synthetic(pd.concat([frame, frame[["y"]]], axis=1), **COUNTY)) == repr(first)
    yuan = synthetic(frame.assign(y=frame["y"] * 10_000), **COUNTY)
    assert (yuan.estimate, yuan.p_value) == (pytest.approx(first.estimate * 1e4), first.p_value)


def test_few_donors_cannot_reject() -> None:
    found = synthetic(counties(8, 4, 5.0), **COUNTY)
    assert found.p_value == pytest.approx(1 / 8)
    assert "未达到可判定的精度" in found.sentence()
    assert {check.name: check.passed for check in found.checks}["donors"] is None


def test_gaps_leave_donors_out() -> None:
    frame = counties(12, 5)
    frame.loc[20, "y"] = np.nan
    assert synthetic(frame, **COUNTY).details["left_out"] == 1
    frame.loc[2, "y"] = np.nan
    with pytest.raises(EffectError, match="各期不齐"):
        synthetic(frame, **COUNTY)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"treated": "县99"}, "没有 县99"),
        ({"first_year": 2005}, "以前至少两期"),
        ({"first_year": 2030}, "以后至少一期"),
        ({"method": "best"}, "control 或 did"),
        ({"treated": [f"县{i:02d}" for i in range(10)]}, "可比单位只有"),
    ],
)
def test_synthetic_refusals(asked: dict, said: str) -> None:
    with pytest.raises(EffectError, match=said):
        synthetic(counties(12, 1), **(COUNTY | asked))


def test_bunching_counts_those_who_moved() -> None:
    """20 counties of 3,000, a third of those near the line top up: the excess is as many as moved, on average."""
    excess, moved = [], []
    for seed in range(20):
        frame, count = firms(3000, seed, 1 / 3)
        excess.append(bunch(frame["score"].to_numpy(), LINE, Bins(width=0.15)).excess)
        moved.append(count)
    assert np.mean(excess) == pytest.approx(np.mean(moved), abs=3 * np.std(np.subtract(excess, moved)) / np.sqrt(20))


def test_bunching_size() -> None:
    """200 smooth counties: zero outside the interval in 3 to 20 (99.5 %)."""
    found = [
        bunch(firms(2000, seed)[0]["score"].to_numpy(), LINE, Bins(width=0.15), (), rows_again(seed))
        for seed in range(200)
    ]
    assert 3 <= sum(abs(one.estimate) > 1.96 * one.std_error for one in found) <= 20


def test_bunching_by_hand() -> None:
    """40 in every bin of 0.1; 60 more just above the line, 15 fewer in each of four bins below: b = 60 / mean of 40."""
    centres = 2 + 0.1 * (np.arange(-15, 15) + 0.5)
    counts = np.full(30, 40)
    counts[15], counts[11:15] = 100, 25
    found = bunch(np.repeat(centres, counts), 2.0, Bins(width=0.1))
    assert (found.excess, found.missing, found.estimate) == pytest.approx((60, 60, 1.5), abs=1e-4)
    wider = bunch(np.repeat(centres, counts), 2.0, Bins(width=0.1, log=False, degree=7))
    assert wider.estimate == pytest.approx(1.5, abs=1e-6)


def test_integration_correction_gives_back() -> None:
    """60 who came from all over below: without a window below, the curve is raised until they are accounted for."""
    centres = 2 + 0.1 * (np.arange(-15, 15) + 0.5)
    counts = np.full(30, 40)
    counts[15], counts[:15] = 100, 36
    found = bunch(np.repeat(centres, counts), 2.0, Bins(width=0.1, below=0, above=1, degree=1))
    assert found.counts.loc[found.counts["part"] == "", "smooth"].to_numpy() == pytest.approx(np.full(29, 40), abs=0.3)
    assert found.excess == pytest.approx(60, abs=1)


def test_bunching_over_what_it_was_before() -> None:
    """Round lines attract before any document: the difference takes that off, and the check says so."""
    now, _ = firms(3000, 1, 1 / 3)
    then, _ = firms(3000, 2, 1 / 3)
    frame = pd.concat([now.assign(early=0), then.assign(early=1)])
    found = bunching(frame, score="score", threshold=LINE, before="early", lines=(4.0, 5.0))
    assert found.estimate == pytest.approx(found.details["after"] - found.details["before"])
    assert found.low < 0 < found.high
    passed = {check.name: check.passed for check in found.checks}
    assert (passed["before"], passed["placebo_lines"]) == (False, True)
    assert found.details["lines"]["line"].to_list() == [4.0, 5.0]
    alone = bunching(now, score="score", threshold=LINE, lines=(4.0, 5.0))
    assert alone.p_value < 0.01
    assert "区间不含零" in alone.sentence()


def test_bunching_order_and_units() -> None:
    frame, _ = firms(1500, 3, 0.3)
    first = bunching(frame, score="score", threshold=LINE)
    assert repr(bunching(frame.sample(frac=1, random_state=1), score="score", threshold=LINE)) == repr(first)
    yuan = bunching(frame * 10_000, score="score", threshold=LINE * 10_000)
    assert (yuan.estimate, yuan.std_error) == pytest.approx((first.estimate, first.std_error))
    other = bunching(frame, score="score", threshold=LINE, bins=Bins(seed=7))
    assert other.estimate == first.estimate
    assert other.std_error != first.std_error


def test_rows_of_one_enterprise_are_drawn_together() -> None:
    """Four equal years of each are no more knowledge than one: four times the rows, the same standard error."""
    once = firms(1200, 5, 0.3)[0].assign(firm=np.arange(1200))
    four = pd.concat([once] * 4)
    single = bunching(once, score="score", threshold=LINE)
    apart = bunching(four, score="score", threshold=LINE)
    together = bunching(four, score="score", threshold=LINE, unit="firm")
    assert together.estimate == pytest.approx(single.estimate, abs=1e-4)
    assert together.std_error == pytest.approx(single.std_error, rel=0.15)
    assert apart.std_error == pytest.approx(single.std_error / 2, rel=0.15)


def test_a_score_on_the_line_counts_above() -> None:
    score = np.append(firms(500, 1)[0]["score"].to_numpy(), np.full(40, 3.0))
    found = bunch(score, LINE, Bins(width=0.15))
    assert found.counts.set_index(found.counts["from_"].round(6)).loc[3.0, "observed"] >= 40


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"threshold": 90.0}, "至少需 100"),
        ({"threshold": -1.0}, "bins 不合理"),
        ({"bins": Bins(reach=7)}, "格数太少"),
        ({"before": "year"}, "缺列"),
    ],
)
def test_bunching_refusals(asked: dict, said: str) -> None:
    with pytest.raises(EffectError, match=said):
        bunching(firms(1000, 1)[0], **({"score": "score", "threshold": LINE} | asked))


def effect(estimate: float = 1.0, se: float = 0.2, p: float = 0.001, *checks: Check) -> Effect:
    return Effect(
        "did", Words("影响", "effect"), estimate, se, p, estimate - 1.96 * se, estimate + 1.96 * se, 100, {}, checks
    )


@pytest.mark.parametrize(
    ("given", "zh", "en"),
    [
        (effect(1, 0.2, 0.001, Check("a", True, 1.0, "甲", "a")), "区间不含零。", "excludes zero."),
        (
            effect(1, 0.2, 0.001, Check("a", None, None, "甲", "a")),
            "假定未全部得到检验",
            "not all of them could be checked",
        ),
        (effect(1, 0.2, 0.001, Check("a", False, 1.0, "甲", "a")), "不能据此认定为政策影响。未通过：甲", "Failed: a."),
        (effect(0.1, 0.2, 0.6), "最小影响约为 0.5603", "about 0.5603"),
        (effect(1, 0.2, 0.3), "未达到可判定的精度（p = 0.30）", "Short of a verdict (p = 0.30)"),
        (effect(1, np.nan, np.nan), "不作显著性判断", "No significance is claimed"),
    ],
)
def test_sentences_claim_no_more_than_they_may(given: Effect, zh: str, en: str) -> None:
    assert zh in given.sentence()
    assert en in given.sentence("en")


def test_effects_are_frozen_and_tidy() -> None:
    one = effect(1, 0.2, 0.001, Check("a", None, None, "甲 <b>", "a"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.estimate = 2  # pyright: ignore[reportAttributeAccessIssue]
    table = one.tidy()
    assert table["kind"].to_list() == ["effect", "check"]
    assert table["passed"].to_list() == [None, None]
    assert "&lt;b&gt;" in one._repr_html_()
    refused = refuse(
        "rdd", Words("越线的影响", "effect of passing"), Words("线已事先公布。", "the line was announced.")
    )
    assert refused.sentence() == "越线的影响：线已事先公布。"
    assert refused.tidy()["kind"].to_list() == ["effect"]


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, np.nan, 0.03]) == pytest.approx([0.03, 0.06, np.nan, 0.06], nan_ok=True)
    assert holm([]).shape == (0,)


def test_every_design_is_public() -> None:
    assert {"rdd", "density", "did", "event_study", "bunching", "synthetic"} <= set(causes.__all__)
