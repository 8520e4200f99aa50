"""Sensitivity of odds: what moves them is what was changed, on the same draws; groups' shares against a known answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from outlook_county import county, with_disposals
from test_report_tables import LINSHU, small
from test_report_words import tables_of

import lyeval as ly
from lyeval import figures, report
from lyeval.forecasting import Sensitivity, sensitivity
from lyeval.forecasting.sensitivity import Study, factors
from lyeval.policy.assumptions import load_assumptions
from lyeval.policy.patches import adjust

CASES = [(i, ("land_bank", "upgrade", "partition")[i % 3], "2023-06-01", None, "进行中") for i in range(24)]
BOOK = with_disposals(county(60, level=1.2, monthly=False), CASES)
ID = "below_scale_low_land_share"


@pytest.fixture(scope="module")
def told() -> ly.Forecast:  # pyright: ignore[reportAttributeAccessIssue]
    return ly.forecast(BOOK, LINSHU, 2024, as_of="2023-12", draws=256, seed=2)


@pytest.fixture(scope="module")
def found(told) -> Sensitivity:
    return sensitivity(told, samples=8)


def test_the_central_odds_are_the_forecasts_own(told, found) -> None:
    odds = told.targets.set_index("id")["probability"]
    for row in found.factors.to_dict("records"):
        assert row["central"] == odds[row["id"]]


@pytest.mark.parametrize(
    ("path", "end"), [("common_shock.mean", "low"), ("common_shock.sd", "high"), ("own_spread", "high")]
)
def test_a_factor_set_is_the_assumption_changed_in_its_file(told, path, end) -> None:
    book = BOOK if path != "own_spread" else county(60, range(2023, 2024), monthly=False)
    plain = told if book is BOOK else ly.forecast(book, LINSHU, 2024, as_of="2023-12", draws=256, seed=2)
    study = Study.of(plain, 256)
    factor = next(f for f in factors(study.given) if f.id == path)
    value = getattr(factor, end)
    odds = study.odds(factor.set(study.base, value))[0]
    other = ly.forecast(
        book, LINSHU, 2024, as_of="2023-12", draws=256, seed=2, assumptions=adjust(load_assumptions(), {path: value})
    )
    assert odds == pytest.approx(other.targets.set_index("id").loc[study.ids, "probability"].to_numpy(float))


def test_readings_move_the_odds_as_the_forecast_tells_them(told, found) -> None:
    by = told.by_reading.set_index(["id", "switch"])["probability"]
    rows = found.factors.query("group == 'readings'")
    assert len(rows)
    for row in rows.to_dict("records"):
        others = [p for p in np.ravel(by.loc[(row["id"], row["factor"])]) if p is not None]  # None: undetermined
        tried = [*others, row["central"]]
        assert (row["p_low"], row["p_high"]) == pytest.approx((min(tried), max(tried)), abs=0.002)  # half a draw


def test_more_tax_and_more_topping_up_help_and_the_largest_swing_stands_first(found) -> None:
    mine = found.factors.query("id == @ID").set_index("factor")
    for factor in ("common_shock.mean", "response.scenarios"):
        assert mine.loc[factor, "p_high"] > mine.loc[factor, "p_low"]
    assert mine["swing"].is_monotonic_decreasing
    assert set(mine["group"]) <= {"methods", "tax", "response", "readings"}
    assert any(f.startswith("methods.land_bank") for f in mine.index)
    assert not any("merge" in f or f == "own_spread" for f in mine.index)


def test_groups_shares_are_shares_and_blank_where_nothing_moves(found) -> None:
    groups = found.groups.set_index(["id", "group"])
    known = groups.dropna()
    assert known["first"].between(0, 1).all()
    assert known["total"].between(0, 1).all()
    assert list(groups.loc[ID].index) == ["methods", "tax", "response", "readings"]
    assert len(found.tidy()) == 3 * len(found.factors) + 2 * len(found.groups)
    assert not found.factors.isna().any().any()


def test_of_a_sum_each_group_has_the_share_of_its_variance(told, monkeypatch) -> None:
    weight = {"common_shock.mean": 2.0, "response.scenarios": 1.0}

    def added(study: Study, point) -> np.ndarray:
        shift, share = (point.assumed.tax.shift + 0.15) / 0.3, (point.share or 0.0) / 0.35
        total = weight["common_shock.mean"] * shift + weight["response.scenarios"] * share
        return np.full((2, len(study.ids)), total)

    monkeypatch.setattr(Study, "odds", added)
    shares = sensitivity(told, samples=512).groups.set_index(["id", "group"]).loc[ID]
    expected = pd.Series({"methods": 0.0, "tax": 0.8, "response": 0.2, "readings": 0.0})
    assert np.allclose(shares["first"].astype(float), expected[shares.index], atol=0.03)
    assert np.allclose(shares["total"].astype(float), expected[shares.index], atol=0.03)


def test_the_same_call_gives_the_same_answer(told, found) -> None:
    again = sensitivity(told, samples=8)
    pd.testing.assert_frame_equal(found.factors, again.factors)
    pd.testing.assert_frame_equal(found.groups, again.groups)
    assert repr(found) == repr(again)


def test_a_forecast_without_its_basis_is_refused(told) -> None:
    with pytest.raises(ValueError, match="basis"):
        sensitivity(replace(told, basis=None))


def test_the_figure_draws_both_ends_of_each_factor(found) -> None:
    mine = found.factors.query("id == @ID").head(5)
    ax = figures.tornado(mine)
    widths = [patch.get_width() for patch in ax.patches]  # pyright: ignore[reportAttributeAccessIssue]
    expected = [row[end] - row["central"] for row in mine.to_dict("records") for end in ("p_low", "p_high")]
    assert widths == pytest.approx(expected)
    figures.save(ax)


def test_it_reaches_the_annex() -> None:
    book = small()
    told = ly.forecast(book, LINSHU, 2024, as_of="2023-12", draws=128)
    made = tables_of(book, LINSHU, 2023) | report.forecast_tables(told, None, sensitivity(told, samples=2, draws=128))
    sheets = {t.id: t for t in report.annex(made | {"run": {"edition": "research"}})}
    assert len(sheets["sensitivity"].rows) == len(made["sensitivity"])
    assert {row[2] for row in sheets["sensitivity_groups"].rows} <= {"处置方式", "税收变动", "年末补足", "条款读法"}
