"""Differences in differences and event studies: published numbers, references, recovery, size, refusals."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lyeval.effect import EffectError, did, event_study
from lyeval.effect.clusters import wild
from lyeval.effect.differences import panel_rows
from lyeval.effect.event_study import Panel as Asked
from lyeval.effect.event_study import Path as Coefficients
from lyeval.effect.event_study import _panel as read
from lyeval.effect.event_study import _path, _point, bounds, breakdown, cells
from lyeval.effect.frames import columns

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
    assert np.isnan(found.p_value), "one state alone: the published error is no error of its own"
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


EVENTS = np.array([-5, -4, -3, -2, -1, 1])
MEDICAID = [-0.005285342424, -0.0112973184, -0.002675975541, -0.001419311905, 0.0003396774892, 0.0464468645]
SPREAD = [
    [7.4884847e-05, 6.0398755e-05, 4.4446187e-05, 3.3857656e-05, 4.3280135e-05, 4.7658822e-05],
    [6.0398755e-05, 7.2664991e-05, 3.7893281e-05, 2.8665763e-05, 4.5433213e-05, 4.4288527e-05],
    [4.4446187e-05, 3.7893281e-05, 5.0520507e-05, 2.673678e-05, 2.7781938e-05, 3.0606454e-05],
    [3.3857656e-05, 2.8665763e-05, 2.673678e-05, 4.0032218e-05, 2.4128609e-05, 2.3808694e-05],
    [4.3280135e-05, 4.5433213e-05, 2.7781938e-05, 2.4128609e-05, 5.4626654e-05, 3.6825353e-05],
    [4.7658822e-05, 4.4288527e-05, 3.0606454e-05, 2.3808694e-05, 3.6825353e-05, 8.375674e-05],
]


@pytest.mark.parametrize(
    ("m", "low", "high"), [(0.01, 0.0132, 0.0787), (0.02, 0.00286, 0.0907), (0.03, -0.00714, 0.101)]
)
def test_smoothness_as_published(m: float, low: float, high: float) -> None:
    """Medicaid expansion, effect of 2014 (HonestDiD's README), whose critical values are drawn: 0.00003 of them is noise."""
    path = Coefficients(EVENTS, np.array(MEDICAID), np.array(SPREAD))
    found = bounds(path, m)
    assert found[0] == pytest.approx(low, abs=6e-5)
    assert found[1] == pytest.approx(high, abs=5e-4 if high > 0.1 else 6e-5)
    assert 0.02 < breakdown(path) < 0.03


def test_bounds_against_reference() -> None:
    """The same intervals as diff-diff's grid search, with two later periods unequally weighted too."""
    reference = pytest.importorskip("diff_diff.honest_did")
    rng = np.random.default_rng(3)
    events, root = np.array([-3, -2, -1, 1, 2]), rng.normal(0, 0.1, (5, 5))
    covariance, beta, weights = root @ root.T + 0.01 * np.eye(5), rng.normal(0, 0.1, 5), np.array([0.7, 0.3])
    path = Coefficients(events, beta, covariance, weights)
    want = reference._compute_optimal_flci(beta[:3], beta[3:], covariance, weights, 3, 2, 0.05)
    assert bounds(path, 0.05) == pytest.approx(want, abs=5e-6)
    edge = breakdown(Coefficients(events, beta + 1.0 * (events > 0), covariance, weights))
    assert (
        min(abs(side) for side in bounds(Coefficients(events, beta + 1.0 * (events > 0), covariance, weights), edge))
        < 1e-3
    )


def test_one_earlier_period_by_hand() -> None:
    """With coefficients at −1 and 1 alone the line is drawn through the first: β₁ + β₋₁ ± the bend and the noise."""
    path = Coefficients(np.array([-1, 1]), np.array([0.1, 1.0]), np.diag([0.01, 0.03]))
    assert bounds(path, 0.0) == pytest.approx((1.1 - 1.959964 * 0.2, 1.1 + 1.959964 * 0.2), abs=1e-5)
    low, high = bounds(path, 5.0)
    assert (low, high) == pytest.approx((1.1 - 5 - 1.644854 * 0.2, 1.1 + 5 + 1.644854 * 0.2), abs=1e-4)


def test_event_study_size_and_recovery() -> None:
    """60 panels of 80 × 6, effect 0.5 from each cohort's own start: the interval misses it in 0 to 8 (99.5 %)."""
    found = []
    for seed in range(60):
        frame = panel(80, seed)
        frame["y"] += 0.5 * ((frame["first"] > 0) & (frame["year"] >= frame["first"]))
        found.append(event_study(frame, **STARTS))
    estimates = [one.estimate for one in found]
    assert sum(not one.low <= 0.5 <= one.high for one in found) <= 8
    assert np.mean(estimates) == pytest.approx(0.5, abs=3 * np.std(estimates) / np.sqrt(60))


def test_teens_by_other_methods(teens: pd.DataFrame) -> None:
    """Doubly robust on log population as R's did gives it, −0.0418 (0.0115); the others on the same sample of effects."""
    robust = event_study(teens, **TEENS, covariates=["lpop"])
    assert (robust.estimate, robust.std_error) == pytest.approx((-0.0417515, 0.0115029), abs=5e-7)
    imputed = event_study(teens, **TEENS, method="imputation")
    assert (imputed.estimate, imputed.std_error) == pytest.approx((-0.047710, 0.013222), abs=5e-6)
    crossed = event_study(teens, **TEENS, method="sun_abraham")
    assert crossed.estimate == pytest.approx(GROUP_TIME["never"]["simple"][0], abs=1e-9)
    assert {check.name: check.passed for check in crossed.checks}["smoothness"] is None
    holes = event_study(teens.drop(index=teens.index[[3, 99]]), **TEENS, unbalanced=True)
    assert (holes.details["left_out"], holes.estimate) == (0, pytest.approx(-0.0429154, abs=5e-7))


def test_bounds_of_the_printed_estimate_and_of_one_period(teens: pd.DataFrame) -> None:
    """The effect that is bounded is the printed one: its later coefficients, weighted alike, add up to it."""

    data, _ = read(teens, ("lemp", "countyreal", "year", "first.treat", None), Asked(pd.DataFrame()))
    found = cells(data)
    rows = {event: part for event, part in cells(data, "universal").by_event().items() if event != -1}
    path = _path(rows, found, None)
    assert path is not None
    assert path.late() @ path.beta == pytest.approx(event_study(teens, **TEENS).estimate)
    one = event_study(teens, **TEENS, bends=[0.0, 0.01], period=2)
    assert one.details["bounds"]["m"].to_list() == [0.0, 0.01]
    low, high = one.details["bounds"].loc[1, ["low", "high"]]
    assert low < one.details["dynamic"].set_index("event").loc[2, "estimate"] < high
    with pytest.raises(EffectError, match="9 期"):
        event_study(teens, **TEENS, period=9)


def towns(seed: int, sd: float = 0.12, listed: int = 5, n: int = 150) -> pd.DataFrame:
    """15 towns with shocks of their own (AR 0.5) over six years, no effect; listing by town."""
    rng = np.random.default_rng([5, seed])
    town, own, shock, rows = np.arange(n) % 15, rng.normal(0, 0.6, n), np.zeros(15), []
    for t in range(6):
        shock = 0.5 * shock + rng.normal(0, sd, 15)
        y = own + shock[town] + rng.normal(0, 0.3, n)
        rows.append(
            pd.DataFrame(
                {"firm": np.arange(n), "year": 2018 + t, "y": y, "listed": town < listed, "late": t >= 3, "town": town}
            )
        )
    return pd.concat(rows, ignore_index=True)


def test_town_shocks_size() -> None:
    """200 null panels: p < 0.05 in 3 % to 8 % by towns, in more than 20 % by enterprise."""
    names = ("y", "firm", "year", "listed", "late")
    by_town, by_firm = [], []
    for seed in range(200):
        frame = towns(seed)
        data = columns(frame, ["year", "y", "listed", "late"], ["firm", "town"])
        by_town.append(panel_rows(data, names, "town", None).dealt(0.0)[0])
        firm = panel_rows(data, names, None, None).fit()
        by_firm.append(abs(firm.beta[0]) > 1.96 * firm.se(0))
    assert 0.03 <= np.mean(np.array(by_town) < 0.05) <= 0.08
    assert np.mean(by_firm) > 0.2


def test_wild_bootstrap_is_the_law_of_many_clusters() -> None:
    """With 200 clusters it gives what Student's law gives, and its interval ends where its p-value is 5 %."""
    frame = panel(200, 8, 0.4)
    found = did(frame, **PANEL)
    data = columns(frame, ["year", "y", "listed", "late"], ["firm"])
    fit = panel_rows(data, ("y", "firm", "year", "listed", "late"), None, None).fit()
    p, low, high = wild(fit)
    assert (low, high) == pytest.approx((found.low, found.high), abs=0.25 * found.std_error)
    rows = panel_rows(data, ("y", "firm", "year", "listed", "late"), None, None)
    moved = clustered_at(rows, low)
    assert wild(moved)[0] == pytest.approx(0.05, abs=0.005)
    assert (p < 0.05) == (low > 0 or high < 0)


def clustered_at(rows, null: float):
    """Fit with the effect ``null`` taken off the treated."""
    return replace(rows, y=rows.y - null * (rows.d & rows.after)).fit()


def test_listing_by_town_takes_the_claim_back() -> None:
    frame = towns(1)
    with pytest.warns(UserWarning, match="cluster='town'"):
        found = did(frame, **PANEL, groups="town")
    assert {check.name: check.passed for check in found.checks}["by_group"] is False
    assert "不能据此认定为政策影响" in found.sentence()
    doubled = pd.concat([frame, frame[["town", "firm"]]], axis=1).rename(columns={"town": "township"})
    with pytest.warns(UserWarning, match="cluster='township'"):
        assert did(doubled, **PANEL).checks[-1].name == "by_group"
    right = did(frame, **PANEL, groups="town", cluster="town")
    assert right.details["variance"] == "randomisation"
    assert "by_group" not in {check.name for check in right.checks}
    assert right.estimate == pytest.approx(found.estimate)
    assert right.high - right.low > 1.5 * (found.high - found.low)


def test_event_study_by_town_size() -> None:
    """Null panels of 15 towns: p < 0.05 in at most 4 of 20 (99.5 %) by towns; in 4 or more of 24 by enterprise."""
    starts = [towns(seed, n=45).assign(first=lambda f: np.where(f["listed"], 2021, 0)) for seed in range(24)]
    assert sum(event_study(frame, **STARTS, cluster="town").p_value < 0.05 for frame in starts[:20]) <= 4
    assert sum(event_study(frame, **STARTS).p_value < 0.05 for frame in starts) >= 4


@pytest.mark.parametrize("controls", [1, 30])
def test_one_treated_unit_has_no_error(controls: int) -> None:
    frame = panel(2 * (controls + 1), 3)
    frame = frame[~frame["listed"] | (frame["firm"] == 0)]
    frame = frame[frame["firm"].isin([0, *sorted(set(frame["firm"]) - {0})[:controls]])]
    found = did(frame, **PANEL)
    assert np.isnan([found.p_value, found.low, found.high]).all()
    assert "没有可比的离散程度" in found.sentence()
    staggered = event_study(frame.assign(first=np.where(frame["listed"], 2003, 0)), **STARTS)
    assert np.isnan([staggered.p_value, staggered.low, staggered.high]).all()


def test_one_row_in_a_cell_has_no_error() -> None:
    frame = pd.DataFrame({"d": [1, 1, 1, 0, 0, 0, 0], "post": [1, 0, 0, 1, 1, 0, 0], "y": [5.0, 1, 2, 3, 4, 2, 1]})
    found = did(frame, outcome="y", treated="d", post="post")
    assert found.estimate == pytest.approx(3.5 - 2.0)
    assert np.isnan([found.std_error, found.p_value, found.low]).all()


def test_level_widens_the_interval() -> None:
    frame = panel(60, 4)
    for function, asked in ((did, PANEL), (event_study, STARTS)):
        narrow, wide = function(frame, **asked, level=0.8), function(frame, **asked)
        assert (wide.high - wide.low) > 1.4 * (narrow.high - narrow.low)
        assert (narrow.estimate, narrow.p_value) == (wide.estimate, wide.p_value)
        assert "80% 区间" in narrow.sentence()
        with pytest.raises(EffectError, match=r"0\.95"):
            function(frame, **asked, level=95)


def test_removing_nobody_changes_nothing(teens: pd.DataFrame) -> None:
    """Checks are made with the printed estimator: on all rows it gives the printed estimate."""
    frame = panel(40, 2, 0.5).assign(town=lambda f: f["firm"] % 7)
    data = columns(frame, ["year", "y", "listed", "late"], ["firm", "town"])
    rows = panel_rows(data, ("y", "firm", "year", "listed", "late"), None, "town")
    assert rows.keep(rows.y == rows.y).fit().beta[0] == did(frame, **PANEL).estimate
    for more in ({}, {"covariates": ("lpop",)}, {"method": "imputation"}, {"method": "sun_abraham"}):
        whole, _ = read(teens, ("lemp", "countyreal", "year", "first.treat", None), Asked(pd.DataFrame(), **more))
        assert _point(whole.without("first", -1)) == event_study(teens, **TEENS, **more).estimate


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
