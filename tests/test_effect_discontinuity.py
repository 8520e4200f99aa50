"""Discontinuities: published numbers, an independent reference, recovery, size, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from lyeval.effect import EffectError, density, rdd
from lyeval.effect.density import binomial_windows, log_ratio
from lyeval.effect.rd import Design, jump, neighbour_residuals

RELATIVE = 2e-6
"""Agreement asked of the reference implementation, which standardises its columns first."""


@pytest.fixture(scope="module")
def senate() -> pd.DataFrame:
    """U.S. Senate elections: Democratic margin, vote share six years on; a treatment and a rounded score are added."""
    rdrobust = pytest.importorskip("rdrobust")
    frame = pd.read_csv(f"{rdrobust.__path__[0]}/data/rdrobust_RDsenate.csv")
    draw = np.random.default_rng(1).random(len(frame))
    above = frame["margin"] >= 0
    return frame.assign(
        office=np.where(above, draw < 0.8, draw < 0.1).astype(float),
        held=(above & (draw < 0.8)).astype(float),
        rounded=frame["margin"].round(),
    )


def county(n: int, seed: int, effect: float = 0.0) -> pd.DataFrame:
    """Enterprises with a smooth outcome and an effect of passing 2 万元/亩."""
    rng = np.random.default_rng(seed)
    score = rng.normal(2, 1, n)
    x = score - 2
    treated = score >= 2
    outcome = 1 + 0.5 * x + 0.3 * x**2 + effect * treated + rng.normal(0, 1, n)
    return pd.DataFrame(
        {"score": score, "y": outcome, "before": 0.4 * x + rng.normal(0, 1, n), "group": rng.integers(0, 60, n)}
    )


def test_senate_as_published(senate: pd.DataFrame) -> None:
    """Calonico, Cattaneo, Titiunik: incumbency adds 7.4141 points, [4.0937, 10.9193], bandwidth 17.754."""
    found = rdd(senate, outcome="vote", score="margin", cutoff=0)
    assert found.estimate == pytest.approx(7.4141, abs=5e-5)
    assert (found.low, found.high) == (pytest.approx(4.0937, abs=5e-5), pytest.approx(10.9193, abs=5e-5))
    assert found.details["bandwidth"] == pytest.approx(17.754, abs=5e-4)
    assert found.details["bias_bandwidth"] == pytest.approx(28.028, abs=5e-4)
    assert (found.details["n_left"], found.details["n_right"], found.n) == (360, 323, 1297)
    assert found.details["dropped"] == 93
    assert [check.passed for check in found.checks] == [True, True, True, None, True]
    assert "区间不含零" in found.sentence()
    assert "excludes zero" in found.sentence("en")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"cutoff": 5.0},
        {"score": "rounded"},
        {"covariates": ["termshouse", "population"]},
        {"cluster": "state"},
        {"treatment": "office"},
        {"treatment": "held"},
        {"treatment": "office", "covariates": ["termshouse", "population", "dopen"]},
        {"treatment": "office", "covariates": ["termshouse"], "cluster": "state"},
        {"score": "rounded", "treatment": "office", "cluster": "state"},
    ],
    ids=lambda given: "-".join(map(str, given)) or "plain",
)
@pytest.mark.filterwarnings("ignore")
def test_agrees_with_rdrobust(senate: pd.DataFrame, given: dict) -> None:
    from rdrobust import rdrobust

    asked = {"score": "margin", "cutoff": 0.0} | given
    covariates = given.get("covariates", [])
    rows = senate.dropna(subset=["vote", asked["score"], *covariates])
    extra = {"fuzzy": rows[given["treatment"]]} if "treatment" in given else {}
    extra |= {"covs": rows[covariates]} if covariates else {}
    extra |= {"cluster": rows[given["cluster"]]} if "cluster" in given else {}
    want = rdrobust(rows["vote"], rows[asked["score"]], c=asked["cutoff"], **extra)
    found = rdd(senate, outcome="vote", **asked)
    mine = [
        found.estimate,
        found.details["corrected"],
        found.details["std_error_conventional"],
        found.std_error,
        found.low,
        found.high,
    ]
    theirs = [want.coef.iloc[0, 0], want.coef.iloc[2, 0], want.se.iloc[0, 0], want.se.iloc[2, 0], *want.ci.iloc[2]]
    assert mine == pytest.approx(theirs, rel=RELATIVE)
    assert (found.details["bandwidth"], found.details["bias_bandwidth"]) == pytest.approx(
        tuple(want.bws["left"]), rel=RELATIVE
    )
    assert (found.details["n_left"], found.details["n_right"]) == tuple(want.N_h)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("column", "cutoff"), [("margin", 0.0), ("margin", 10.0), ("rounded", 0.0)])
def test_density_agrees_with_rddensity(senate: pd.DataFrame, column: str, cutoff: float) -> None:
    rddensity = pytest.importorskip("rddensity").rddensity
    want = rddensity(senate[column].dropna().to_numpy(), c=cutoff)
    found = density(senate, score=column, cutoff=cutoff)
    assert found.details["density_left"] == pytest.approx(want.hat["left"], rel=1e-8)
    assert found.details["density_right"] == pytest.approx(want.hat["right"], rel=1e-8)
    assert found.estimate == pytest.approx(np.log(want.hat["right"] / want.hat["left"]), rel=1e-7)
    assert found.p_value == pytest.approx(want.test["p_jk"], rel=1e-7)
    assert (found.details["n_left"], found.details["n_right"]) == (want.n["eff_left"], want.n["eff_right"])


def test_density_sentence() -> None:
    smooth = density(county(600, 1), score="score", cutoff=2.0)
    assert "未见断裂" in smooth.sentence()
    more = np.random.default_rng(3).uniform(2, 2.5, 500)
    broken = density(pd.DataFrame({"score": np.append(county(3000, 2)["score"], more)}), score="score", cutoff=2.0)
    assert broken.p_value < 0.001
    assert broken.estimate > 0
    assert list(broken.details["windows"].columns) == ["half_width", "n_left", "n_right", "p_value"]


def test_binomial_windows_by_hand() -> None:
    """4 below and 16 above within 10: twice the chance of 4 or fewer in 20, 0.0118; rounded scores count evenly."""
    x = np.array([*np.linspace(-9, -1, 4), *np.linspace(0, 9.4, 16), 10.0])
    first = binomial_windows(x).iloc[0]
    assert (first["n_left"], first["n_right"]) == (4, 16)
    assert first["p_value"] == pytest.approx(0.01181793, abs=1e-8)
    rounded = np.repeat(np.arange(-5.0, 5.0), 12)
    assert (binomial_windows(rounded)["n_left"] == binomial_windows(rounded)["n_right"]).all()


def test_neighbours_by_hand() -> None:
    """Scores 0, 1, 1, 3, 7: the three nearest of the first are all up to 3; ties count together."""
    x, z = np.array([0.0, 1, 1, 3, 7]), np.array([10.0, 20, 40, 70, 0])
    want = np.array([10 - 130 / 3, 20 - 120 / 3, 40 - 100 / 3, 70 - 70 / 3, 0 - 130 / 3]) * np.sqrt(3 / 4)
    assert neighbour_residuals(x, z) == pytest.approx(want)
    tied = neighbour_residuals(np.array([0.0, 1, 2, 3]), np.array([1.0, 2, 4, 8]), matches=1)
    assert tied[1] == pytest.approx((2 - 2.5) * np.sqrt(2 / 3))


def test_exact_on_lines() -> None:
    """Two noiseless lines 3 apart at the cutoff, with noise of one unit in the outcome's last digit."""
    x = np.linspace(-1, 1, 401)
    y = np.where(x >= 0, 5 + 2 * x, 2 - x) + 1e-9 * np.sin(97 * x)
    found = jump(Design(x, y[:, None]))
    assert found.estimate == pytest.approx(3, abs=1e-8)


def test_recovery_and_size() -> None:
    """240 counties of 400 with an effect of 1: found on average; the 95 % interval misses it in 3 to 22 of them (99.5 %)."""
    missed, found = 0, []
    for seed in range(240):
        frame = county(400, seed, 1.0)
        fit = jump(Design(frame["score"].to_numpy() - 2.0, frame[["y"]].to_numpy()))
        missed += abs(fit.corrected - 1) > 1.96 * fit.se_robust
        found.append(fit.corrected)
    assert 3 <= missed <= 22
    assert np.mean(found) == pytest.approx(1.0, abs=3 * np.std(found) / np.sqrt(240))


def test_density_size_and_power() -> None:
    """200 smooth samples of 500: p < 0.05 in 2–19; a fifth of those below moved above: in 150 or more."""
    found = moved = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        x = rng.normal(0.3, 1, 500)
        found += log_ratio(x).p_value < 0.05
        jumped = np.where((x < 0) & (x > -0.6) & (rng.random(500) < 0.7), -x * 0.5, x)
        moved += log_ratio(jumped).p_value < 0.05
    assert 2 <= found <= 19
    assert moved >= 150


def test_row_order_changes_no_bit() -> None:
    frame = county(300, 1, 0.5)
    asked = {"outcome": "y", "score": "score", "cutoff": 2.0, "covariates": ["before"], "cluster": "group"}
    first, second = rdd(frame, **asked), rdd(frame.sample(frac=1, random_state=2), **asked)
    assert repr(first) == repr(second)
    assert first._repr_html_() == second._repr_html_()
    pd.testing.assert_frame_equal(first.tidy(), second.tidy(), check_exact=True)


def test_units_scale_through() -> None:
    frame = county(300, 1, 0.5)
    yuan = frame.assign(y=frame["y"] * 10_000, score=frame["score"] * 10_000)
    first = rdd(frame, outcome="y", score="score", cutoff=2.0)
    second = rdd(yuan, outcome="y", score="score", cutoff=20_000.0)
    assert second.estimate == pytest.approx(first.estimate * 10_000)
    assert second.std_error == pytest.approx(first.std_error * 10_000)
    assert second.details["bandwidth"] == pytest.approx(first.details["bandwidth"] * 10_000)
    assert [c.passed for c in second.checks] == [c.passed for c in first.checks]


def test_doubled_columns_change_nothing() -> None:
    frame = county(300, 1, 0.5)
    first = rdd(frame, outcome="y", score="score", cutoff=2.0, covariates=["before"])
    doubled = pd.concat([frame, frame[["y", "before"]]], axis=1)
    assert repr(rdd(doubled, outcome="y", score="score", cutoff=2.0, covariates=["before", "before"])) == repr(first)
    again = frame.assign(copy=3 * frame["before"])
    collinear = rdd(again, outcome="y", score="score", cutoff=2.0, covariates=["before", "copy"])
    assert (collinear.estimate, collinear.std_error) == pytest.approx((first.estimate, first.std_error), rel=1e-6)


def test_chosen_scores_fail_the_density_check() -> None:
    """Firms that push themselves over the line are no experiment: the sentence takes the claim back."""
    frame = county(1500, 3, 1.0)
    near = (frame["score"] < 2) & (frame["score"] > 1.6)
    pushed = frame.assign(score=frame["score"].mask(near, 2 + 0.5 * (2 - frame["score"])))
    found = rdd(pushed, outcome="y", score="score", cutoff=2.0)
    assert {c.name: c.passed for c in found.checks}["density"] is False
    assert "不能据此认定为政策影响" in found.sentence()
    assert "this is not evidence of a policy effect" in found.sentence("en")


def test_small_county_says_short_of_a_verdict() -> None:
    found = rdd(county(120, 5), outcome="y", score="score", cutoff=2.0)
    assert "未达到可判定的精度" in found.sentence()
    assert f"{found.minimum_detectable:.4g}" in found.sentence()
    assert found.minimum_detectable == pytest.approx(2.8016 * found.std_error, rel=1e-4)


def test_each_township_is_left_out() -> None:
    frame = county(400, 2, 0.5).assign(town=lambda f: f["group"] % 8)
    check = rdd(frame, outcome="y", score="score", cutoff=2.0, cluster="town").checks[-1]
    assert (check.name, check.passed) == ("leave_one_group_out", True)
    assert "8 组" in check.note_zh


def test_few_clusters_widen_the_interval() -> None:
    """12 towns with shocks of their own, no effect: a jackknife over towns rejects in at most 7 of 40 (99.5 %), fewer than without."""
    rejected = naive = 0
    for seed in range(40):
        frame = county(240, seed).assign(town=lambda f: f["group"] % 12)
        shock = np.random.default_rng([3, seed]).normal(0, 0.8, 12)
        frame["y"] += shock[frame["town"]] * np.sign(frame["score"] - 2)
        asked = {"outcome": "y", "score": "score", "cutoff": 2.0, "bandwidth": 1.0}
        rejected += rdd(frame, **asked, cluster="town").p_value < 0.05
        naive += rdd(frame, **asked).p_value < 0.05
    assert rejected <= 7
    assert naive > rejected


def test_repeated_codes_are_clustered() -> None:
    frame = county(300, 1, 0.5).assign(credit_code=np.arange(300))
    asked = {"outcome": "y", "score": "score", "cutoff": 2.0, "bandwidth": 1.0}
    four = rdd(pd.concat([frame] * 4), **asked)
    once = rdd(frame, **asked)
    assert four.estimate == pytest.approx(once.estimate)
    assert four.std_error == pytest.approx(once.std_error, rel=0.15)
    with pytest.raises(EffectError, match="credit_code 有重复"):
        density(pd.concat([frame] * 4), score="score", cutoff=2.0)


def test_bandwidth_and_level_are_the_users() -> None:
    frame = county(400, 1, 0.5)
    asked = {"outcome": "y", "score": "score", "cutoff": 2.0}
    found = rdd(frame, **asked, bandwidth=0.7, level=0.9)
    assert (found.details["bandwidth"], found.details["bias_bandwidth"]) == (0.7, 0.7)
    wide = rdd(frame, **asked, bandwidth=0.7)
    assert (found.high - found.low) / (wide.high - wide.low) == pytest.approx(1.6449 / 1.9600, abs=1e-4)
    assert density(frame, score="score", cutoff=2.0, bandwidth=0.8).details["bandwidth_left"] == 0.8


def test_removing_nobody_gives_the_printed_jump() -> None:
    frame = county(400, 1, 0.5).assign(got=lambda f: (f["score"] + np.sin(f["group"]) > 2) * 1.0)
    found = rdd(frame, outcome="y", score="score", cutoff=2.0, covariates=["before"], treatment="got", cluster="group")
    data = frame.sort_values("score")
    d = np.column_stack([data["y"], data["got"], data["before"] / data["before"].std(ddof=0)])
    design = Design(data["score"].to_numpy() - 2.0, d, data["group"].to_numpy(), True)
    again = jump(design.keep(design.x == design.x), found.details["bandwidth"], found.details["bias_bandwidth"])
    assert again.estimate == pytest.approx(found.estimate)
    assert design.sharp().d.shape[1] == 2


def test_missing_values_are_counted() -> None:
    frame = county(300, 1)
    frame.loc[[3, 7, 11], "y"] = np.nan
    found = rdd(frame, outcome="y", score="score", cutoff=2.0)
    assert (found.n, found.details["dropped"]) == (297, 3)
    assert "缺值未计入 3 行" in found.sentence()


@pytest.mark.parametrize(
    ("change", "asked", "said"),
    [
        ({}, {"outcome": "tax"}, "缺列 tax"),
        ({"y": 1.0}, {}, "y 各行相同"),
        ({"y": "many"}, {}, "应为数字"),
        ({"y": np.inf}, {}, "无穷大"),
        ({}, {"cutoff": 9.0}, "断点以上只有"),
        ({"score": 2.0}, {}, "score 各行相同"),
    ],
)
def test_refusals_say_what_to_do(change: dict, asked: dict, said: str) -> None:
    with pytest.raises(EffectError, match=said):
        rdd(county(60, 1).assign(**change), **({"outcome": "y", "score": "score", "cutoff": 2.0} | asked))


def test_an_announced_cutoff_is_refused_with_its_reason() -> None:
    told = rdd(county(400, 1), outcome="y", score="score", cutoff=2.0, announced=True)
    assert told.design == "refused"
    assert np.isnan(told.estimate)
    assert "bunching" in told.sentence("zh")
    assert "announced" in told.sentence("en")
