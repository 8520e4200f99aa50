"""Bunching, synthetic controls, and what every effect says: published numbers, recovery, size, refusals."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from lyeval import effect as causes
from lyeval import figures
from lyeval.effect import Bins, Check, Effect, EffectError, Words, bunching, holm, refuse, synthetic
from lyeval.effect.bunching import bunch, rows_again
from lyeval.effect.synthetic_control import Block, control, differences, simplex

LINE = 3.0


@pytest.fixture(scope="module")
def smokers() -> pd.DataFrame:
    """Cigarette packs a head in 39 U.S. states, 1970–2000; California taxed them from 1989 (Abadie et al. 2010)."""
    path = Path(__file__).parent / "data/california_prop99.csv"
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
    assert (found.details["rank"], round(found.p_value, 3)) == (2, 0.051)
    periods = found.details["periods"].set_index("time")["weight"]
    assert periods[[1986, 1987, 1988]].to_list() == pytest.approx([0.366, 0.206, 0.427], abs=5e-4)


def test_california_rank(smokers: pd.DataFrame) -> None:
    found = synthetic(smokers, **CALIFORNIA)
    assert found.estimate == found.details["synthetic_control"]
    assert (found.details["n_donors"], found.details["rank"], found.p_value) == (38, 3, pytest.approx(3 / 39))
    heavy = found.details["weights"].sort_values("control", ascending=False)["unit"].head(4).to_list()
    assert heavy == ["Utah", "Montana", "Nevada", "Connecticut"]
    assert "未达到可判定的精度" in found.sentence()


def test_california_interval_and_p_are_one_test(smokers: pd.DataFrame) -> None:
    """An effect at either end of the interval taken off California's later years leaves a rank of 2 in 39, above 5 %."""
    for method in ("control", "did"):
        found = synthetic(smokers, **CALIFORNIA, method=method)
        assert (found.p_value < 0.05) == (not found.low <= 0 <= found.high)
        for null, inside in ((found.low * 0.999, True), (found.low * 1.001, False), (found.high * 1.001, False)):
            moved = smokers.assign(packs=smokers["packs"] - null * _late(smokers))
            assert (synthetic(moved, **CALIFORNIA, method=method).p_value > 0.05) is inside
        assert "均出自安慰剂名次" in found.sentence()


def _late(frame: pd.DataFrame) -> pd.Series:
    return ((frame["state"] == "California") & (frame["Year"] >= 1989)).astype(float)


def test_ridge_as_in_the_reference() -> None:
    """ζ = (N₁T₁)^¼ σ: two treated over four years, as diff-diff's estimator sets it; another exponent gives another estimate."""
    from diff_diff import SyntheticDiD

    frame = counties(14, 4, 1.0).assign(d=lambda f: f["county"].isin(["县00", "县01"]).astype(int))
    late = list(range(2017, 2021))
    want = SyntheticDiD(variance_method="placebo", n_bootstrap=5, seed=0).fit(
        frame, "y", "d", "county", "year", post_periods=late
    )
    found = synthetic(frame, **(COUNTY | {"treated": ["县00", "县01"]}), method="did")
    assert found.estimate == pytest.approx(want.att, abs=1e-6)
    assert found.details["weights"]["did"].to_numpy() == pytest.approx(list(want.unit_weights.values()), abs=1e-6)


def test_predictors_find_the_mix_and_ignore_units() -> None:
    """Two predictors place the treated half-way between two donors; another unit of a predictor changes nothing."""
    frame = counties(12, 6)
    place = {f"县{i:02d}": (i % 4, i // 4) for i in range(12)} | {"县00": (0.5, 2.0)}
    frame = frame.assign(road=[place[c][0] for c in frame["county"]], port=[place[c][1] for c in frame["county"]])
    found = synthetic(frame, **COUNTY, predictors=["road", ("port", [2006, 2007])])
    mix = found.details["weights"].set_index("unit")["control"]
    assert float(mix @ [place[c][0] for c in mix.index]) == pytest.approx(0.5, abs=1e-6)
    assert float(mix @ [place[c][1] for c in mix.index]) == pytest.approx(2.0, abs=1e-6)
    again = synthetic(frame.assign(road=frame["road"] * 666.7), **COUNTY, predictors=["road", ("port", [2006, 2007])])
    assert again.estimate == pytest.approx(found.estimate, abs=1e-6)
    with pytest.raises(EffectError, match="predictors"):
        synthetic(frame, **COUNTY, predictors=[("road", [2019])])


def test_predictors_are_weighted_as_well_as_by_brute_search() -> None:
    """Three predictors, many local minima: no misfit of 1,500 random weights is below the one found."""
    for seed in range(3):
        y = counties(14, seed)["y"].to_numpy().reshape(14, 16)
        rng = np.random.default_rng([2, seed])
        x = rng.normal(0, 1, (3, 14)) + y[:, :12].mean(axis=1)
        found = control(Block(y[0], y[1:], 12, 1, np.repeat(x[:, :, None], 16, axis=2)))
        scaled = x / x.std(axis=1, ddof=1)[:, None]
        tried = []
        for v in rng.dirichlet(np.full(3, 0.3), 1500):
            w = simplex(np.sqrt(v)[:, None] * scaled[:, 1:], np.sqrt(v) * scaled[:, 0])
            tried.append(np.sqrt(np.mean((w @ y[1:, :12] - y[0, :12]) ** 2)))
        assert found.early <= min(tried) + 1e-4 * np.std(y)


def test_a_placebo_followed_exactly_bounds_nothing() -> None:
    """Three earlier periods and many donors: some placebo has no misfit, and no effect can be excluded."""
    frame = counties(24, 3, 1.0).query("year >= 2014")
    found = synthetic(frame, **COUNTY)
    assert np.isinf(found.details["placebos"]["ratio"]).any()
    assert np.isnan([found.low, found.high]).all()


def test_synthetic_checks_can_fail() -> None:
    """A treated place off every other's path, and one that moved before the start."""
    far = counties(12, 2)
    far.loc[far["county"] == "县00", "y"] += 8 * np.sin(np.arange(16))
    assert {c.name: c.passed for c in synthetic(far, **COUNTY).checks}["pre_fit"] is False
    early = counties(12, 3)
    early.loc[(early["county"] == "县00") & (early["year"] >= 2011), "y"] += 9.0
    assert {c.name: c.passed for c in synthetic(early, **COUNTY, method="did").checks}["placebo_date"] is False
    lone = counties(12, 4).assign(y=lambda f: np.where(f["county"] == "县01", f["y"] + 20, f["y"]))
    lone.loc[lone["county"] == "县00", "y"] = lone.loc[lone["county"] == "县01", "y"].to_numpy() + np.repeat(
        [0.0, 3], [12, 4]
    )
    assert {c.name: c.passed for c in synthetic(lone, **COUNTY).checks}["leave_one_out"] is False


@pytest.mark.parametrize(("donors", "passed"), [(19, None), (20, True)])
def test_donors_enough_for_a_rank_below_five_percent(donors: int, passed: bool | None) -> None:
    found = synthetic(counties(donors + 1, 7, 9.0), **COUNTY)
    assert {c.name: c.passed for c in found.checks}["donors"] is passed
    assert (found.p_value < 0.05) is bool(passed)
    assert np.isfinite(found.low) == bool(passed)


def test_simplex_against_a_general_solver() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(0, 1, (12, 6)), rng.normal(0, 1, 12)
    goal = lambda w: float(((a @ w - b) ** 2).sum())  # noqa: E731
    total = {"type": "eq", "fun": lambda w: w.sum() - 1}
    options = {"ftol": 1e-14, "maxiter": 500}
    want = minimize(goal, np.full(6, 1 / 6), bounds=[(0, 1)] * 6, constraints=total, options=options)
    found = simplex(a, b)
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


def test_every_check_of_bunching_is_made_on_the_printed_excess() -> None:
    """With rows from before, other specifications and other lines are differences too; the plan itself gives the estimate."""
    now, then = firms(1500, 1, 1 / 3)[0]["score"].to_numpy(), firms(1500, 2, 1 / 3)[0]["score"].to_numpy()
    frame = pd.concat([pd.DataFrame({"score": now, "early": 0}), pd.DataFrame({"score": then, "early": 1})])
    found = bunching(frame, score="score", threshold=LINE, before="early", lines=(4.0,), bins=Bins(width=0.15))
    plan = Bins(width=0.15)
    assert bunch(now, LINE, plan).estimate - bunch(then, LINE, plan).estimate == pytest.approx(found.estimate)
    for row in found.details["specifications"].itertuples():
        other = dataclasses.replace(plan, degree=row.degree, below=row.below, above=row.above, log=row.log)
        assert bunch(now, LINE, other).estimate - bunch(then, LINE, other).estimate == pytest.approx(row.estimate)
    at = bunch(now, 4.0, plan, (LINE,)).estimate - bunch(then, 4.0, plan, (LINE,)).estimate
    assert found.details["lines"]["estimate"].to_list() == pytest.approx([at])
    stable = next(check for check in found.checks if check.name == "specifications")
    assert stable.value == pytest.approx((found.details["specifications"]["estimate"] - found.estimate).abs().max())


def test_a_donor_without_weight_can_be_left_out_of_the_printed_control() -> None:
    frame = counties(12, 1)
    found = synthetic(frame, **COUNTY)
    weights = found.details["weights"].set_index("unit")["control"]
    idle = weights.index[weights < 1e-9]
    assert len(idle) > 0
    without = synthetic(frame[~frame[COUNTY["unit"]].isin(idle[:1])], **COUNTY)
    assert without.estimate == pytest.approx(found.estimate, abs=1e-9)


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


R_BINS = """85 83 87 79 85 84 88 81 83 77 83 86 77 78 82 80 73 75 74 78 76 77 74 77 71 67 75 76 71 66 69 74 65 73 69 71 61 66 71 58
195 67 65 65 61 59 63 64 53 54 54 51 51 51 55 50 47 48 53 47 49 51 55 51 47 45 46 45 41 47 43 41 44 48 44 42 45 43 43 32 37"""
"""Example data (kink) of the R package bunching: of each bin of 50 from 8,000 to 12,000, how often its five values occur."""


def kink() -> np.ndarray:
    """Return the example's scores, which end at 12,015."""
    pairs = zip(range(8000, 12001, 50), map(int, R_BINS.split()), strict=True)
    return np.concatenate([np.repeat(np.arange(at - 25, at + 25, 10), n) for at, n in pairs]).astype(float)


def test_bunching_as_published() -> None:
    """The R package's example at 10,000: b = 1.82, without correction 1.98 (mirrored, since here units come from below)."""
    score = 20_000 - kink() - 1e-5
    score = score[score > 9975 - 20 * 50]
    bins = Bins(width=50, below=0, above=1, reach=21, degree=6, log=False)
    found = bunching(pd.DataFrame({"s": score}), score="s", threshold=9975.0, bins=bins)
    assert round(found.estimate, 2) == 1.82
    plain = bunch(score, 9975.0, bins)
    seen = plain.counts.loc[plain.counts["part"] == "above", "observed"].to_numpy()[0]
    assert round(plain.balance / (seen - plain.balance), 2) == 1.98
    assert found.std_error < 0.2


def test_bunching_does_not_run_off_over_empty_bins() -> None:
    """Scores that stop short of the reach: it is shortened, or the design refused with what to do; never a huge number."""
    with pytest.raises(EffectError, match="更窄的 width"):
        bunching(pd.DataFrame({"s": kink()}), score="s", threshold=10_000.0)
    short = firms(4000, 3, 0.3)[0].query("score < 4.05")
    found = bunching(short, score="score", threshold=LINE)
    assert found.details["counts"]["from_"].max() == pytest.approx(3.9)
    whole = bunching(firms(4000, 3, 0.3)[0], score="score", threshold=LINE)
    assert abs(found.estimate - whole.estimate) < 4 * whole.std_error
    with pytest.raises(EffectError, match="更窄的 width"):
        bunching(short.query("score < 3.4"), score="score", threshold=LINE)


def test_bunching_by_towns_and_repeated_codes() -> None:
    once = firms(1200, 5, 0.3)[0].assign(credit_code=np.arange(1200), town=np.arange(1200) % 12)
    four = pd.concat([once] * 4)
    asked = {"score": "score", "threshold": LINE}
    assert bunching(four, **asked).std_error == pytest.approx(bunching(once, **asked).std_error, rel=0.15)
    by_town = bunching(once, **asked, cluster="town")
    assert by_town.high - by_town.estimate == pytest.approx(2.2010 * by_town.std_error, rel=1e-3)


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
            "not all assumptions could be checked",
        ),
        (effect(1, 0.2, 0.001, Check("a", False, 1.0, "甲", "a")), "不能据此认定为政策影响。未通过：甲", "Failed: a."),
        (effect(0.1, 0.2, 0.6), "最小影响约为 0.5603", "about 0.5603"),
        (effect(1, 0.2, 0.3), "未达到可判定的精度（p = 0.30）", "Inconclusive (p = 0.30)"),
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
    assert table["passed"].isna().all()
    assert "&lt;b&gt;" in one._repr_html_()
    refused = refuse(
        "rdd", Words("越线的影响", "effect of passing"), Words("线已事先公布。", "the line was announced.")
    )
    assert refused.sentence() == "越线的影响：线已事先公布。"
    assert refused.tidy()["kind"].to_list() == ["effect"]


def test_every_effect_draws_and_goes_to_stata(tmp_path: Path) -> None:
    frame = counties(12, 2, 1.0)
    effects = [synthetic(frame, **COUNTY), bunching(firms(1000, 1)[0], score="score", threshold=LINE), effect()]
    for i, one in enumerate(effects):
        assert one.plot()._repr_png_()[:4] == b"\x89PNG"
        assert figures.effect(one, lang="en")._repr_png_()[:4] == b"\x89PNG"
        one.tidy().to_stata(tmp_path / f"{i}.dta", version=118, write_index=False)
        back = pd.read_stata(tmp_path / f"{i}.dta")
        assert back["estimate"].iloc[0] == one.estimate
        assert back["note"].iloc[0] == one.sentence()


def test_effects_side_by_side(tmp_path: Path) -> None:
    both = [
        effect(1, 0.2, 0.001, Check("a", True, 1.0, "甲", "a"), Check("b", None, None, "乙", "b")),
        effect(0.1, 0.2, 0.6),
    ]
    shown = causes.table(both, names=["一", "二"], lang="en")
    assert shown.loc["estimate"].to_list() == ["1***", "0.1"]
    assert shown.loc["(std. error)"].to_list() == ["(0.2)", "(0.2)"]
    assert shown.loc["checks passed"].to_list() == ["1/1", "0/0"]
    assert "1***" in shown.to_latex()
    assert causes.docx(both)[:2] == b"PK"
    assert causes.write(both, tmp_path / "t.docx").read_bytes()[:2] == b"PK"
    odd = [dataclasses.replace(one, design="event_study") for one in both]
    latex = causes.write(odd, tmp_path / "t.tex", names=["甲_1", "50%"]).read_text(encoding="utf-8")
    assert r"event\_study" in latex
    assert r"甲\_1 & 50\%" in latex
    back = pd.read_stata(causes.write(both, tmp_path / "t.dta", names=["一", "二"]))
    assert back.loc[back["kind"] == "effect", "effect"].to_list() == ["一", "二"]
    assert back["estimate"].to_list()[0] == 1.0
    with pytest.raises(EffectError, match="docx"):
        causes.write(both, tmp_path / "t.pdf")
    with pytest.raises(ValueError, match="2 names"):
        causes.table(both, names=["一"])


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, np.nan, 0.03]) == pytest.approx([0.03, 0.06, np.nan, 0.06], nan_ok=True)
    assert holm([]).shape == (0,)


def test_every_design_is_public() -> None:
    assert {"rdd", "density", "did", "event_study", "bunching", "synthetic"} <= set(causes.__all__)
