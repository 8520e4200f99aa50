"""Differences in differences and event studies: published numbers, references, recovery, size, refusals."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lyeval.effect import EffectError, did, event_study
from lyeval.effect.cells import NEVER, Panel, cells, simple
from lyeval.effect.smoothness import Path as Coefficients
from lyeval.effect.smoothness import bounds, breakdown

TEENS = {"outcome": "lemp", "unit": "countyreal", "time": "year", "first_treated": "first.treat"}


def inside(package: str, file: str) -> Path:
    """Return a data file of a package that need not be importable, or skip."""
    found = importlib.util.find_spec(package)
    path = Path(found.submodule_search_locations[0]) / file if found and found.submodule_search_locations else None
    if path is None or not path.exists():
        pytest.skip(f"{package} is not installed")
    return path


@pytest.fixture(scope="module")
def teens() -> pd.DataFrame:
    """Minimum wages and teen employment in 500 U.S. counties, 2003–2007 (Callaway, Sant'Anna 2021)."""
    return pd.read_pickle(inside("moderndid", "core/datasets/mpdta_long.pkl.gz"))


def panel(units: int, seed: int, effect: float = 0.0, years: int = 6) -> pd.DataFrame:
    """Enterprises over years; half are listed from the fourth year on."""
    rng = np.random.default_rng(seed)
    firm, year = np.divmod(np.arange(units * years), years)
    listed = firm % 2 == 0
    late = year >= years // 2
    own, common = rng.normal(0, 2, units), rng.normal(0, 1, years)
    y = own[firm] + common[year] + effect * (listed & late) + rng.normal(0, 1, len(firm))
    first = np.where(listed, np.where(firm % 4 == 0, 2003, 2004), 0)
    return pd.DataFrame({"firm": firm, "year": 2000 + year, "y": y, "listed": listed, "late": late, "first": first})


PANEL = {"outcome": "y", "unit": "firm", "time": "year", "treated": "listed", "post": "late"}
STARTS = {"outcome": "y", "unit": "firm", "time": "year", "first_treated": "first"}


def test_training_experiment_as_published() -> None:
    """LaLonde's experiment, Dehejia and Wahba's sample: 1,794 (633)."""
    found = did(pytest.importorskip("causaldata").nsw_mixtape.load_pandas().data, outcome="re78", treated="treat")
    assert found.estimate == pytest.approx(1794, abs=0.5)
    assert found.std_error == pytest.approx(633, abs=0.5)
    assert (found.details["n_treated"], found.details["n_control"]) == (185, 260)


def test_organ_donors_as_published() -> None:
    """Kessler and Roth's California reform, as in Huntington-Klein, The Effect, table 18.3: −0.022 (0.006)."""
    frame = pytest.importorskip("causaldata").organ_donations.load_pandas().data
    frame = frame.assign(california=frame["State"] == "California", after=frame["Quarter_Num"] > 3)
    found = did(frame, outcome="Rate", unit="State", time="Quarter_Num", treated="california", post="after")
    assert round(found.estimate, 3) == -0.022
    assert round(found.std_error, 3) == 0.006
    assert {check.name: check.passed for check in found.checks}["clusters"] is False


def test_fast_food_cells_as_published() -> None:
    """Card and Krueger's four means of employment: 20.44, 21.03, 23.33, 21.17 give 2.75 (2.76 before rounding)."""
    means = {(1, 0): 20.44, (1, 1): 21.03, (0, 0): 23.33, (0, 1): 21.17}
    rows = [(state, wave, mean + step) for (state, wave), mean in means.items() for step in (-1.0, 1.0)]
    found = did(pd.DataFrame(rows, columns=["jersey", "wave", "staff"]), outcome="staff", treated="jersey", post="wave")
    assert found.estimate == pytest.approx(2.75)
    assert found.std_error == pytest.approx(2.0)  # each cell: two rows one away from the mean, variance 1 with HC1


def test_four_rows_have_no_error() -> None:
    """Snow's water companies: (84.9 − 130.1) − (146.6 − 134.9) = −56.9, and nothing to judge it by."""
    frame = pd.DataFrame({"clean": [0, 1, 0, 1], "after": [0, 0, 1, 1], "deaths": [134.9, 130.1, 146.6, 84.9]})
    found = did(frame, outcome="deaths", treated="clean", post="after")
    assert found.estimate == pytest.approx(-56.9)
    assert np.isnan(found.std_error)
    assert "不作显著性判断" in found.sentence()


def test_two_way_effects_against_dummies() -> None:
    """The same regression with every dummy written out."""
    from statsmodels.regression.linear_model import OLS

    frame = panel(30, 1, 0.5).drop(index=[5, 17, 40])
    found = did(frame, **PANEL)
    dummies = pd.get_dummies(frame[["firm", "year"]].astype(str), drop_first=True).astype(float)
    x = np.column_stack([(frame["listed"] & frame["late"]).astype(float), np.ones(len(frame)), dummies])
    want = OLS(frame["y"].to_numpy(), x).fit(cov_type="cluster", cov_kwds={"groups": frame["firm"].to_numpy()})
    n, k, nested = *x.shape, 29
    scale = np.sqrt((n - k) / (n - k + nested))
    assert found.estimate == pytest.approx(want.params[0])
    assert found.std_error == pytest.approx(want.bse[0] * scale)


def test_leave_one_out_is_exact() -> None:
    frame = panel(16, 2, 0.5)
    check = {c.name: c for c in did(frame, **PANEL).checks}["leave_one_out"]
    whole = did(frame, **PANEL).estimate
    rest = [did(frame[frame["firm"] != firm], **PANEL).estimate for firm in range(16)]
    assert check.value == pytest.approx(max(abs(one - whole) for one in rest))


def test_leaving_out_a_township() -> None:
    """All of the effect is one township's: without it the estimate is gone."""
    frame = panel(60, 2).assign(town=lambda f: np.array(["甲", "乙", "丙"])[f["firm"] % 3])
    frame["y"] += 6.0 * (frame["listed"] & frame["late"] & (frame["town"] == "乙"))
    check = did(frame, **PANEL, groups="town").checks[-1]
    assert (check.name, check.passed) == ("leave_one_group_out", False)
    rest = did(frame[frame["town"] != "乙"], **PANEL).estimate
    assert check.value == pytest.approx(abs(did(frame, **PANEL).estimate - rest))


def test_did_size_and_recovery() -> None:
    """200 panels of 40 × 6 with an effect of 0.5: found on average; the interval misses it in 3 to 20 (99.5 %)."""
    found = [did(panel(40, seed, 0.5), **PANEL) for seed in range(200)]
    assert 3 <= sum(not one.low <= 0.5 <= one.high for one in found) <= 20
    estimates = [one.estimate for one in found]
    assert np.mean(estimates) == pytest.approx(0.5, abs=3 * np.std(estimates) / np.sqrt(200))


def test_diverging_trends_take_the_claim_back() -> None:
    frame = panel(200, 3)
    frame["y"] += 0.4 * frame["listed"] * (frame["year"] - 2000)
    found = did(frame, **PANEL)
    passed = {check.name: check.passed for check in found.checks}
    assert found.p_value < 0.001
    assert (passed["pre_trend"], passed["placebo_date"]) == (False, False)
    assert "不能据此认定为政策影响" in found.sentence()
    staggered = event_study(frame, **STARTS)
    assert {check.name: check.passed for check in staggered.checks}["pre_trend"] is False
    low, high = staggered.details["bounds"].loc[0, ["low", "high"]]
    assert low < 0 < high, "a straight difference in trends explains it all"


def test_mean_reversion_lies_between_the_bounds() -> None:
    """Listed on one low year, no effect: the difference in differences is above zero, the lag-conditional one holds zero."""
    rng = np.random.default_rng(4)
    own = rng.normal(0, 1, 2000)
    y = own[:, None] + rng.normal(0, 1, (2000, 4))
    firm, year = np.divmod(np.arange(8000), 4)
    frame = pd.DataFrame({"firm": firm, "year": year, "y": y.ravel(), "listed": (y[:, 1] < 0)[firm], "late": year >= 2})
    found = did(frame, **PANEL)
    assert found.low > 0
    lag, se = found.details["lag_conditional"], found.details["lag_conditional_se"]
    assert abs(lag) < 2.6 * se


GROUP_TIME = {
    "never": {
        "simple": (-0.0399512752, 0.0120340128),
        "dynamic": (-0.0772398215, 0.0199649891),
        "group": (-0.0310182822, 0.0124460593),
    },
    "not_yet": {
        "simple": (-0.0397636256, 0.0120524248),
        "dynamic": (-0.0773993140, 0.0195601769),
        "group": (-0.0304622281, 0.0125751201),
    },
}
"""The R package did on its example data, without covariates: att and analytic se."""


@pytest.mark.parametrize("controls", ["never", "not_yet"])
def test_teens_as_in_the_reference(teens: pd.DataFrame, controls: str) -> None:
    found = event_study(teens, **TEENS, controls=controls)
    want, details = GROUP_TIME[controls], found.details
    assert (found.estimate, found.std_error) == pytest.approx(want["simple"], abs=1e-9)
    assert (details["overall_dynamic"], details["overall_dynamic_se"]) == pytest.approx(want["dynamic"], abs=1e-9)
    assert (details["overall_group"], details["overall_group_se"]) == pytest.approx(want["group"], abs=1e-9)
    assert details["n_never"] == 309


def test_teens_by_period(teens: pd.DataFrame) -> None:
    details = event_study(teens, **TEENS).details
    dynamic = details["dynamic"].set_index("event")
    assert dynamic["estimate"].to_list() == pytest.approx(
        [0.03050666, -0.00056308, -0.02445874, -0.01993182, -0.05095737, -0.13725874, -0.10081136], abs=1e-8
    )
    assert dynamic["std_error"].to_list() == pytest.approx(
        [0.01503356, 0.01329164, 0.01423640, 0.01182636, 0.01689348, 0.03643566, 0.03435923], abs=1e-8
    )
    assert details["group"]["estimate"].to_list() == pytest.approx([-0.07974913, -0.02290954, -0.02605441], abs=1e-8)
    check = event_study(teens, **TEENS).checks[0]
    assert (check.name, round(check.value or 0, 5)) == ("pre_trend", 0.16812)
    assert "W = 7.791" in check.note_en


def test_bounds_against_reference(teens: pd.DataFrame) -> None:
    """Fixed-length intervals of Rambachan and Roth as diff-diff computes them."""
    reference = pytest.importorskip("diff_diff.honest_did")
    universal = event_study(teens, **TEENS).details["universal"]
    events = universal["event"].to_numpy() + 1
    covariance = np.diag(universal["std_error"].to_numpy() ** 2) + 1e-5
    path = Coefficients(events, universal["estimate"].to_numpy(), covariance)
    early = int((events < 0).sum())
    late = len(events) - early
    for m in (0.0, 0.003, 0.02):
        want = reference._compute_optimal_flci(
            path.beta[:early], path.beta[early:], covariance, np.full(late, 1 / late), early, late, m
        )
        assert bounds(path, m) == pytest.approx(want, abs=5e-6)
    edge = breakdown(path)
    assert min(abs(side) for side in bounds(path, edge)) < 1e-4


def test_one_earlier_period_by_hand() -> None:
    """With coefficients at −1 and 1 alone the line is drawn through the first: β₁ + β₋₁ ± the bend and the noise."""
    path = Coefficients(np.array([-1, 1]), np.array([0.1, 1.0]), np.diag([0.01, 0.03]))
    assert bounds(path, 0.0) == pytest.approx((1.1 - 1.959964 * 0.2, 1.1 + 1.959964 * 0.2), abs=1e-5)
    low, high = bounds(path, 5.0)
    assert (low, high) == pytest.approx((1.1 - 5 - 1.644854 * 0.2, 1.1 + 5 + 1.644854 * 0.2), abs=1e-4)


def test_event_study_size_and_recovery() -> None:
    """300 panels of 80 × 6, effect 0.5 from each cohort's own start: the interval misses it in 5 to 30 (99.5 %, a little over 5 %)."""
    missed, estimates = 0, []
    for seed in range(300):
        frame = panel(80, seed)
        frame["y"] += 0.5 * ((frame["first"] > 0) & (frame["year"] >= frame["first"]))
        first = frame["first"].to_numpy()[::6]
        units = Panel(frame["y"].to_numpy().reshape(80, 6), np.where(first, first, NEVER), np.arange(2000, 2006), False)
        found = simple(units, cells(units))
        missed += abs(found.estimate - 0.5) > 1.96 * found.std_error
        estimates.append(found.estimate)
    assert 5 <= missed <= 30
    assert np.mean(estimates) == pytest.approx(0.5, abs=3 * np.std(estimates) / np.sqrt(300))


@pytest.mark.parametrize(("function", "asked"), [(did, PANEL), (event_study, STARTS)])
def test_order_units_and_doubled_columns(function, asked: dict) -> None:
    frame = panel(24, 6, 1.0)
    first = function(frame, **asked)
    assert repr(function(frame.sample(frac=1, random_state=1), **asked)) == repr(first)
    assert repr(function(pd.concat([frame, frame[["y"]]], axis=1), **asked)) == repr(first)
    yuan = function(frame.assign(y=frame["y"] * 10_000), **asked)
    assert (yuan.estimate, yuan.std_error) == pytest.approx((first.estimate * 1e4, first.std_error * 1e4))
    named = frame.assign(firm=[f"企业{firm:03d}" for firm in frame["firm"]])
    assert function(named, **asked).estimate == first.estimate


def test_announced_path_refuses_later_controls() -> None:
    found = event_study(panel(24, 6), **STARTS, controls="not_yet", announced=True)
    assert found.design == "refused"
    assert np.isnan(found.estimate)
    assert "已公布" in found.sentence()
    assert "announced" in found.sentence("en")
    assert event_study(panel(24, 6), **STARTS, announced=True).design == "event_study"


def test_gaps_are_counted() -> None:
    frame = panel(24, 6).assign(first=lambda f: f["first"].where(f["first"] > 0))
    frame.loc[3, "y"] = np.nan
    found = event_study(frame, **STARTS)
    assert (found.details["dropped"], found.details["left_out"], found.details["n_units"]) == (1, 1, 23)


@pytest.mark.parametrize(
    ("function", "change", "asked", "said"),
    [
        (did, {}, {"time": None}, "同时给出"),
        (did, {}, {"post": None}, "须给出 post"),
        (did, {"listed": 2}, {}, "应只有 0 与 1"),
        (did, {"listed": 1}, {}, "对照组"),
        (did, {"listed": lambda f: f["year"] % 2}, {}, "同一 firm 内有变化"),
        (did, {"late": lambda f: f["firm"] % 2}, {}, "同一 year 内有变化"),
        (event_study, {"first": 2003}, {}, "从未处置"),
        (event_study, {"first": 0}, {}, "没有在样本期内开始"),
        (event_study, {"first": lambda f: f["year"]}, {}, "同一 firm 内有变化"),
        (event_study, {"year": 2001}, {}, "有多行"),
        (event_study, {"year": lambda f: f["year"] + 0.5}, {}, "整数时期"),
        (event_study, {}, {"controls": "all"}, "never 或 not_yet"),
    ],
)
def test_refusals_say_what_to_do(function, change: dict, asked: dict, said: str) -> None:
    with pytest.raises(EffectError, match=said):
        function(panel(12, 1).assign(**change), **((PANEL if function is did else STARTS) | asked))
