"""What happened against the forecast, when tax is paid, and proportional effects: by hand, recovery, size, invariance."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from lyeval.effect import EffectError, drawn, forecast_gap, poisson, tax_rule_years, timing
from lyeval.effect.gap import reversion

GAP = {"outcome": "y", "unit": "code", "time": "year", "listed": "listed", "first_year": 2020}
RHO, LINE = 0.7, -0.2


def county(n: int, seed: int, effect: float = 0.0, years: tuple[int, int] = (2016, 2020)) -> pd.DataFrame:
    """Enterprises whose outcome reverts with ρ = 0.7; those below −0.2 in 2019 are listed and rise by ``effect``."""
    rng = np.random.default_rng(seed)
    span = range(years[0], years[1] + 1)
    y = rng.normal(0, 1, n)
    rows = []
    for _ in span:
        y = RHO * y + math.sqrt(1 - RHO**2) * rng.normal(0, 1, n)
        rows.append(y)
    values = np.column_stack(rows)
    base = values[:, span.index(2019)]
    listed = base < LINE
    values[:, span.index(2020) :] += effect * listed[:, None] + 0.3
    code, year = np.divmod(np.arange(n * len(span)), len(span))
    return pd.DataFrame(
        {
            "code": [f"E{i:04d}" for i in code],
            "year": years[0] + year,
            "y": values.ravel(),
            "listed": listed[code].astype(float),
            "would": (values[:, span.index(2018)] < LINE)[code].astype(float),
            "score": base[code],
        }
    )


def test_gap_by_hand() -> None:
    rows = [
        (f"E{i:02d}", y, v, i < 10)
        for i in range(20)
        for y, v in ((2018, 0.0), (2019, 0.0 if i < 10 else 1.0), (2020, (2.0 if i < 10 else 1.5) + i % 2))
    ]
    frame = pd.DataFrame(rows, columns=["code", "year", "y", "listed"]).assign(hat=1.0)
    found = forecast_gap(frame, **GAP, projection="hat")
    assert found.estimate == pytest.approx(0.5)
    assert (found.details["rise_listed"], found.details["rise_unlisted"]) == pytest.approx((2.5, 1.0))
    assert found.details["predicted"] == pytest.approx(1.0)
    assert found.std_error == pytest.approx(math.sqrt(2 * (10 / 9 * 0.25) / 10))
    assert "均值回归本身即可带来 1（占 67%）" in found.sentence()


def test_reversion_is_told_from_the_effect() -> None:
    """With no policy the listed rise by (1 − ρ) × their distance: the gap says none of it is the policy's."""
    found = forecast_gap(county(4000, 3), **GAP, would="would")
    assert abs(found.estimate) < 3 * found.std_error
    assert found.details["rho"] == pytest.approx(RHO, abs=0.03)
    assert found.details["share_predicted"] == pytest.approx(1.0, abs=0.1)
    assert found.details["rise_listed"] - found.details["rise_unlisted"] > 0.3
    assert [c.passed for c in found.checks if c.name == "placebo_date"] == [True]


def test_gap_size_and_recovery() -> None:
    """300 counties of 150: a true null is rejected in 5 to 28 (99.5 %); an effect of 0.5 is found on average."""
    rejected, estimates = 0, []
    for seed in range(300):
        rejected += forecast_gap(county(150, seed), **GAP).p_value < 0.05
        estimates.append(forecast_gap(county(150, 900 + seed, 0.5), **GAP).estimate)
    assert 4 <= rejected <= 28
    assert np.mean(estimates) == pytest.approx(0.5, abs=3 * np.std(estimates) / math.sqrt(300))


def test_a_later_first_year_uses_the_wider_gap() -> None:
    frame = county(3000, 5, years=(2015, 2021))
    frame = frame[frame["year"] != 2020].assign(year=lambda t: t["year"].where(t["year"] < 2020, 2021))
    found = forecast_gap(frame, **(GAP | {"first_year": 2021, "base_year": 2019}))
    assert found.details["slopes"]["horizon"].to_list() == [2]
    assert found.details["rho"] == pytest.approx(RHO**2, abs=0.04)
    assert abs(found.estimate) < 3 * found.std_error


def test_a_function_projects_too() -> None:
    frame = county(500, 8)
    own = forecast_gap(frame, **GAP)
    means = frame[frame["year"] < 2020].groupby("year")["y"].mean()

    def project(early: pd.DataFrame, late: pd.DataFrame) -> np.ndarray:
        last = early[early["year"] == 2019].set_index("code")["y"]
        return means[2019] + own.details["rho"] * (late["code"].map(last) - means[2019]).to_numpy()

    found = forecast_gap(frame, **GAP, projection=project)
    assert found.estimate == pytest.approx(own.estimate, abs=1e-9)
    assert found.std_error < own.std_error


def test_gap_order_units_and_band() -> None:
    frame = county(400, 11)
    first = forecast_gap(frame, **GAP, score="score", band=(-1.2, 0.8))
    again = forecast_gap(frame.sample(frac=1, random_state=2), **GAP, score="score", band=(-1.2, 0.8))
    assert repr(first) == repr(again)
    assert first.details["n_listed"] + first.details["n_unlisted"] < 400
    scaled = forecast_gap(frame.assign(y=frame["y"] * 100), **GAP, score="score", band=(-1.2, 0.8))
    assert scaled.estimate == pytest.approx(100 * first.estimate)
    doubled = pd.concat([frame, frame[["y"]]], axis=1)
    assert forecast_gap(doubled, **GAP, score="score", band=(-1.2, 0.8)).estimate == first.estimate


def test_gap_refusals() -> None:
    frame = county(40, 1)
    with pytest.raises(EffectError, match="10 of each are needed"):
        forecast_gap(frame, **GAP, score="score", band=(-0.25, 3.0))
    with pytest.raises(EffectError, match="2012"):
        forecast_gap(frame, **GAP, base_year=2012)
    with pytest.raises(EffectError, match="reversion cannot be read"):
        forecast_gap(frame[frame["year"] >= 2019], **GAP)


def test_repeated_rows_are_refused() -> None:
    frame = county(60, 1)
    with pytest.raises(EffectError, match="有多行"):
        forecast_gap(pd.concat([frame, frame]), **GAP)
    with pytest.raises(EffectError, match="有多行"):
        timing(pd.concat([monthly(20, 1)] * 2), **MONTHS)


def test_gap_of_everyone_is_the_printed_gap() -> None:
    """The placebo's estimator on all rows gives the printed estimate."""
    from lyeval.effect.gap import _case, measured

    frame = county(200, 4)
    case, _ = _case(frame, ("y", "code", "year", "listed", 2020), None, None, (None, None, None))
    assert measured(case).estimate == forecast_gap(frame, **GAP).estimate


def test_reversion_by_hand() -> None:
    early = np.column_stack([np.arange(20.0), 0.5 * np.arange(20.0) + 3, 0.25 * np.arange(20.0)])
    assert reversion(early, [1, 2]) == pytest.approx({1: 0.5, 2: 0.25})


MONTHS = {"unit": "code", "time": "year", "month": "month", "tax": "tax", "treated": "treated", "first_year": 2020}


def monthly(n: int, seed: int, late: float = 0.0, years: int = 5) -> pd.DataFrame:
    """Even months with noise; the treated (first half) move ``late`` of a year's tax to December, out of the next January."""
    rng = np.random.default_rng(seed)
    tax = rng.lognormal(0, 0.4, (n, years, 12))
    after = slice(2020 - 2017, years)
    moved = late * tax[: n // 2, after].sum(axis=2)
    tax[: n // 2, after, 11] += moved
    tax[: n // 2, after, 0][:, 1:] -= np.minimum(moved[:, :-1], 0.9 * tax[: n // 2, after, 0][:, 1:])
    at = np.indices(tax.shape).reshape(3, -1)
    return pd.DataFrame(
        {
            "code": at[0],
            "year": 2017 + at[1],
            "month": 1 + at[2],
            "tax": tax.ravel(),
            "treated": (at[0] < n // 2).astype(float),
        }
    )


def test_late_payment_and_the_dip_after() -> None:
    found = timing(monthly(200, 1, 0.15), **MONTHS)
    assert found.estimate == pytest.approx(0.15 / 1.15 * (10 / 12), abs=0.03)
    assert found.p_value < 1e-6
    assert found.details["dip"] < -0.02
    assert [c.passed for c in found.checks if c.name == "dip"] == [False]
    assert "次年初少缴" in found.sentence()


def test_timing_size() -> None:
    """60 counties of 60, nothing moved: rejected in at most 9 (99.5 %)."""
    assert sum(timing(monthly(60, seed, years=4), **MONTHS).p_value < 0.05 for seed in range(60)) <= 9


def test_timing_by_hand_leaves_broken_years_out() -> None:
    frame = monthly(20, 2, years=4)
    short = frame[~((frame["code"] == 3) & (frame["year"] == 2019) & (frame["month"] == 5))].copy()
    short.loc[(short["code"] == 5) & (short["year"] == 2018), "tax"] = -1.0
    found = timing(short, **MONTHS)
    assert found.details["left_out"] == 2
    assert timing(short.sample(frac=1, random_state=1), **MONTHS).estimate == found.estimate
    assert timing(short.assign(tax=short["tax"] * 1e4), **MONTHS).estimate == pytest.approx(found.estimate)
    last = timing(frame[frame["year"] < 2021], **MONTHS)
    assert math.isnan(last.details["dip"]) or last.details["dip_p"] >= 0
    with pytest.raises(EffectError, match="1 to 12"):
        timing(frame.assign(month=13), **MONTHS)


POISSON = {"outcome": "tax", "unit": "code", "time": "year", "treated": "listed", "post": "post", "offset": "land"}


def taxed(n: int, seed: int, effect: float = 0.0, years: int = 5) -> pd.DataFrame:
    """Tax in proportion to land with own levels, a year's shock, heavy tails and zeros."""
    rng = np.random.default_rng(seed)
    land, own = rng.lognormal(3, 1, n), rng.normal(0, 1, n)
    code, t = np.divmod(np.arange(n * years), years)
    listed, post = code < n // 2, t >= 3
    rate = np.exp(own[code] + 0.2 * t + effect * (listed & post))
    tax = land[code] * rate * rng.gamma(0.8, 1 / 0.8, n * years) * (rng.random(n * years) > 0.05) / 0.95
    return pd.DataFrame(
        {
            "code": code,
            "year": 2017 + t,
            "tax": tax,
            "land": land[code],
            "listed": listed * 1.0,
            "post": post * 1.0,
            "township": code % 6,
        }
    )


def test_poisson_against_dummies() -> None:
    statsmodels = pytest.importorskip("statsmodels.genmod.api")
    frame = taxed(30, 4, 0.3)
    x = np.column_stack(
        [
            frame["listed"] * frame["post"],
            pd.get_dummies(frame["year"]).to_numpy()[:, 1:],
            pd.get_dummies(frame["code"]).to_numpy(),
        ]
    ).astype(float)
    model = statsmodels.GLM(frame["tax"], x, family=statsmodels.families.Poisson(), offset=np.log(frame["land"]))
    want = model.fit(tol=1e-12, maxiter=200)
    found = poisson(frame, **POISSON)
    assert found.estimate == pytest.approx(want.params.iloc[0], abs=1e-7)
    left = [poisson(frame[frame["code"] != code], **POISSON).estimate for code in range(30)]
    jackknife = math.sqrt(29 / 30 * sum((value - found.estimate) ** 2 for value in left))
    assert found.std_error == pytest.approx(jackknife, rel=0.1)


def test_poisson_size_and_recovery() -> None:
    """150 counties of 80: a true null is rejected in 1 to 19; an effect of 0.4 is found on average."""
    rejected = sum(poisson(taxed(80, seed), **POISSON).p_value < 0.05 for seed in range(150))
    found = [poisson(taxed(80, 500 + seed, 0.4), **POISSON).estimate for seed in range(60)]
    assert 1 <= rejected <= 19
    assert np.mean(found) == pytest.approx(0.4, abs=3 * np.std(found) / math.sqrt(60))


def test_poisson_units_order_and_what_it_leaves_out() -> None:
    frame = taxed(60, 9, 0.2)
    first = poisson(frame, **POISSON, groups="township")
    assert poisson(frame.sample(frac=1, random_state=3), **POISSON, groups="township").estimate == pytest.approx(
        first.estimate, abs=1e-9
    )
    scaled = poisson(frame.assign(tax=frame["tax"] * 1e4, land=frame["land"] * 2000 / 3), **POISSON)
    assert scaled.estimate == pytest.approx(first.estimate, abs=1e-8)
    assert {c.name for c in first.checks} == {"pre_trend", "leave_one_out", "leave_one_group_out", "clusters"}
    hurt = frame.copy()
    hurt.loc[hurt["code"] == 7, "tax"] = 0.0
    hurt.loc[(hurt["code"] == 8) & (hurt["year"] == 2018), "tax"] = -3.0
    found = poisson(hurt, **POISSON)
    assert (found.details["negative"], found.details["silent"]) == (1, 1)
    with pytest.raises(EffectError, match="does not vary"):
        poisson(frame.assign(tax=-1.0), **POISSON)


def test_poisson_of_one_treated_unit_has_no_error() -> None:
    frame = taxed(21, 2).assign(listed=lambda f: (f["code"] == 0) * 1.0)
    found = poisson(frame, **POISSON)
    assert np.isfinite(found.estimate)
    assert np.isnan([found.p_value, found.low, found.high]).all()
    assert "没有可比的离散程度" in found.sentence()


def test_poisson_by_town_size() -> None:
    """60 null panels of 15 towns, 5 listed, with shocks of their own: p < 0.05 in at most 8 (99.5 %); by firm in 9 or more."""
    by_town, by_firm = 0, 0
    for seed in range(60):
        frame = taxed(120, seed).drop(columns="listed")
        rng = np.random.default_rng([7, seed])
        town, shock = frame["code"].to_numpy() % 15, rng.normal(0, 1.0, (15, 5))
        tax = frame["tax"] * np.exp(shock[town, frame["year"] - 2017])
        frame = frame.assign(town=town, township="", tax=tax, listed=(town < 5) * 1.0)
        by_town += poisson(frame, **POISSON, cluster="town").p_value < 0.05
        by_firm += poisson(frame, **POISSON).p_value < 0.05
    assert by_town <= 8
    assert by_firm >= 9


def test_every_design_has_something_to_draw() -> None:
    shown = {
        "path": forecast_gap(county(200, 2), **GAP),
        "poisson": poisson(taxed(40, 1), **POISSON),
        "timing": timing(monthly(40, 1), **MONTHS),
    }
    series = {name: set(drawn(found)["series"]) for name, found in shown.items()}
    assert series == {
        "path": {"listed", "unlisted", "projected"},
        "poisson": {"listed", "unlisted"},
        "timing": {"listed", "unlisted"},
    }


def test_tax_rule_years_carry_source_and_mark() -> None:
    table = tax_rule_years([2019, 2022])
    assert table["source"].str.contains("公告20").all()
    assert set(table["mark"]) == {"assumed"}
    refunds = table[table["rule_en"].str.contains("Refunds")].iloc[0]
    assert (refunds["years"], str(refunds["from"].date())) == ([2022], "2022-04-01")
    assert table.iloc[0]["years"] == [2019, 2022]
    assert tax_rule_years([2015]).empty
