"""Forecasts: no look-ahead, invariance to rows, edge cases, readings, and the record of past odds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from outlook_county import confirmed, county, with_disposals

import lyeval as ly
from lyeval.forecasting.scoring import brier, covered, crps, pit, skill
from lyeval.ledger import Ledger

LINSHU, ZHOUSHAN = ly.load_policy("linshu-2021"), ly.load_policy("zhoushan-2020")
DISPOSALS = [
    (0, "upgrade", "2022-02-01", "2022-08-01", "达标"),
    (1, "upgrade", "2022-06-01", "2023-11-15", "达标"),
    (2, "shut_down", "2023-03-01", "2023-08-01", "关停"),
    (3, "land_bank", "2023-01-01", None, "进行中"),
    (4, "shut_down", "2023-12-10", None, "进行中"),
]


def same(a: ly.Forecast, b: ly.Forecast) -> None:  # pyright: ignore[reportAttributeAccessIssue]
    """Assert that two forecasts agree bit for bit."""
    for name in ("targets", "enterprises", "scenarios", "by_enterprises", "by_reading"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_exact=True)
    assert a.notes == b.notes
    assert repr(a) == repr(b)


def before(ledger: Ledger, facts_year: int, year: int, month: int) -> Ledger:
    """Delete all rows later than a month, as an outside test would."""
    months, cases = ledger.monthly, ledger.disposals
    end = pd.Timestamp(year, month, 1) + pd.offsets.MonthEnd(0)
    return replace(
        ledger,
        annual=ledger.annual[ledger.annual["year"] <= facts_year],
        monthly=months[months["year"] * 12 + months["month"] <= year * 12 + month],
        disposals=cases[~(cases["started"] > end)],
    )


class TestKnowledge:
    @pytest.mark.parametrize(("as_of", "cut"), [("2022-12", (2022, 2022, 12)), ("2023-07", (2022, 2023, 7))])
    def test_later_rows_change_nothing(self, as_of, cut):
        ledger = with_disposals(county(), DISPOSALS)
        kept = ly.forecast(ledger, LINSHU, 2023, as_of=as_of, draws=300, seed=3)
        same(kept, ly.forecast(before(ledger, *cut), LINSHU, 2023, as_of=as_of, draws=300, seed=3))

    def test_later_ends_of_cases_change_nothing(self):
        ledger = with_disposals(county(), DISPOSALS)
        opened = ledger.disposals.assign(
            finished=ledger.disposals["finished"].where(ledger.disposals["finished"] <= "2023-07-31"),
            outcome=ledger.disposals["outcome"].where(ledger.disposals["finished"] <= "2023-07-31", "进行中"),
        )
        told = ly.forecast(ledger, LINSHU, 2023, as_of="2023-07", draws=300)
        same(told, ly.forecast(replace(ledger, disposals=opened), LINSHU, 2023, as_of="2023-07", draws=300))

    def test_default_date_is_the_last_month_of_the_year(self):
        ledger = county()
        cut = before(with_disposals(ledger, DISPOSALS), 2023, 2023, 9)
        assert ly.forecast(cut, LINSHU, 2023, draws=200).as_of == "2023-09"
        assert ly.forecast(county(monthly=False), LINSHU, 2023, draws=200).as_of == "2022-12"
        assert ly.forecast(county(), LINSHU, 2025, draws=200).as_of == "2023-12"

    def test_more_months_narrow_the_interval(self):
        ledger = county(120)
        spans = []
        for as_of in ("2022-12", "2023-04", "2023-08", "2023-11"):
            row = ly.forecast(ledger, LINSHU, 2023, as_of=as_of, draws=500).targets.iloc[1]
            spans.append(row["p95"] - row["p05"])
        assert spans == sorted(spans, reverse=True)

    def test_a_finished_year_is_what_the_books_say(self):
        ledger = county()
        told = ly.forecast(ledger, LINSHU, 2023, as_of="2023-12", draws=200).targets.set_index("id")
        verdict = ly.assess(ledger, LINSHU, 2023).targets.set_index("id")
        for id in ("above_scale_clear", "below_scale_low_land_share"):
            row, judged = told.loc[id], verdict.loc[id]
            assert (row["p05"], row["p50"], row["p95"]) == (judged["low"], judged["value"], judged["high"])
            assert judged["status"] == "undetermined"  # an exemption without a column leaves it open on the books
            assert row["probability"] is None
            assert row["certain"] is None
            assert row["note"] == judged["reason_zh"]

    def test_a_finished_year_without_doubt_is_met_or_missed(self):
        told = ly.forecast(ly.read_ledger("sample:linshu"), LINSHU, 2023, as_of="2023-12", draws=200)
        verdict = ly.assess(ly.read_ledger("sample:linshu"), LINSHU, 2023).targets.set_index("id")
        for row in told.targets.to_dict("records"):
            status = verdict.loc[row["id"], "status"]
            assert row["certain"] == (status if status in ("met", "missed") else None)
            assert row["probability"] == {"met": 1.0, "missed": 0.0}.get(status)

    def test_who_has_gone_by_the_date_is_gone(self):
        ledger = with_disposals(county(), DISPOSALS)
        code = ledger.enterprises["credit_code"].iloc[2]
        firms = ly.forecast(ledger, LINSHU, 2023, as_of="2023-09", draws=300).enterprises.set_index("credit_code")
        paid = ledger.monthly.query("credit_code == @code and year == 2023 and month <= 9")["tax_wan"].sum()
        land = ledger.annual.query("credit_code == @code and year == 2022")["land_mu"].iloc[0]
        assert firms.loc[code, "p95"] == pytest.approx(paid / land)


class TestInvariance:
    def test_row_order_changes_nothing(self):
        ledger = with_disposals(county(), DISPOSALS)
        mixed = replace(
            ledger,
            enterprises=ledger.enterprises.sample(frac=1, random_state=1),
            annual=ledger.annual.sample(frac=1, random_state=2),
            monthly=ledger.monthly.sample(frac=1, random_state=3),
            disposals=ledger.disposals.sample(frac=1, random_state=4),
        )
        told, again = (ly.forecast(x, LINSHU, 2023, as_of="2023-06", draws=300) for x in (ledger, mixed))
        pd.testing.assert_frame_equal(told.targets, again.targets)
        pd.testing.assert_frame_equal(told.enterprises, again.enterprises)

    def test_scale_of_money_does_not_matter_to_who_reaches(self):
        ledger = county()
        told = ly.forecast(ledger, LINSHU, 2023, as_of="2022-12", draws=300)
        assert told.enterprises["probability"].between(0, 1, inclusive="neither").all()
        richer = replace(ledger, annual=ledger.annual.assign(tax_wan=ledger.annual["tax_wan"] * 3))
        again = ly.forecast(richer, LINSHU, 2023, as_of="2022-12", draws=300)
        assert (again.enterprises["probability"].to_numpy() >= told.enterprises["probability"].to_numpy()).all()
        assert np.allclose(again.enterprises["p50"], 3 * told.enterprises["p50"], rtol=1e-6)


class TestEdges:
    def test_one_enterprise(self):
        told = ly.forecast(county(1), LINSHU, 2023, as_of="2023-06", draws=200)
        assert "persistence" in {n.id for n in told.notes}
        assert told.targets["probability"].dropna().between(0, 1).all()
        assert not told.enterprises.isna().any().any()

    def test_two_years_of_data(self):
        told = ly.forecast(county(80, range(2021, 2024)), LINSHU, 2023, as_of="2022-12", draws=200)
        assert "one_transition" in {n.id for n in told.notes}

    def test_one_year_of_data(self):
        told = ly.forecast(county(80, range(2022, 2024)), LINSHU, 2023, as_of="2022-12", draws=200)
        assert "persistence" in {n.id for n in told.notes}
        assert told.targets["probability"].notna().all()

    def test_no_earlier_data_is_refused(self):
        with pytest.raises(ValueError, match="no annual figures"):
            ly.forecast(county(10, range(2023, 2024)), LINSHU, 2023, as_of="2022-12")

    def test_no_monthly_table_says_so(self):
        told = ly.forecast(county(monthly=False), LINSHU, 2023, as_of="2023-06", draws=200)
        assert "no_months" in {n.id for n in told.notes}

    def test_all_zeros(self):
        ledger = county()
        zero = replace(ledger, annual=ledger.annual.assign(tax_wan=0.0), monthly=ledger.monthly.assign(tax_wan=0.0))
        told = ly.forecast(zero, LINSHU, 2023, as_of="2023-06", draws=200)
        assert (told.enterprises["p50"] == 0).all()
        assert not told.targets[["p05", "p50", "p95"]].isna().any().any()

    def test_a_class_with_nobody_has_a_note(self):
        ledger = county()
        told = ly.forecast(
            replace(ledger, annual=ledger.annual.assign(above_scale=pd.array([True] * len(ledger.annual), dtype="boolean"))),
            LINSHU, 2023, as_of="2022-12", draws=200,
        ).targets.set_index("id")  # fmt: skip
        assert told.loc["below_scale_low_land_share", "probability"] is None
        assert "不涉及" in told.loc["below_scale_low_land_share", "note"]

    @pytest.mark.parametrize("as_of", ["2023", "2023-13", "10-2023", "2024-01"])
    def test_a_wrong_month_is_refused(self, as_of):
        with pytest.raises(ValueError, match="as_of"):
            ly.forecast(county(10), LINSHU, 2023, as_of=as_of)

    def test_a_year_without_targets_is_refused(self):
        with pytest.raises(ly.PolicyError, match="2023"):
            ly.forecast(county(10), LINSHU, 2022)

    def test_later_years_are_reached_step_by_step(self):
        told = ly.forecast(county(), LINSHU, 2025, as_of="2023-06", draws=300)
        assert told.facts_year == 2022
        assert "iterated" in {n.id for n in told.notes}
        assert set(told.targets["year"]) == {2025}
        near = ly.forecast(county(), LINSHU, 2023, as_of="2023-06", draws=300)
        width = (told.enterprises["p95"] / told.enterprises["p50"]).median()
        assert width > (near.enterprises["p95"] / near.enterprises["p50"]).median()

    def test_city_totals_need_the_countys_share(self):
        ledger = with_disposals(county(years=range(2016, 2021)), [(0, "shut_down", "2020-02-01", None, "进行中")])
        told = ly.forecast(ledger, ZHOUSHAN, 2020, as_of="2020-06", draws=200).targets.set_index("id")
        assert told.loc["closures", "probability"] is None
        given = ly.forecast(ledger, ZHOUSHAN, 2020, as_of="2020-06", draws=200, quotas={"closures": 1})
        row = given.targets.set_index("id").loc["closures"]
        assert row["probability"] is not None
        assert 0 <= row["probability"] < 1


class TestReadings:
    def test_banking_counts_among_closures_where_the_reading_says_so(self):
        ledger = with_disposals(
            county(years=range(2016, 2021), level=-1.0),
            [(i, "land_bank", "2020-01-01", None, "进行中") for i in range(8)],
        )
        options = {"as_of": "2020-03", "draws": 500, "quotas": {"closures": 2}}
        plain = ly.forecast(ledger, ZHOUSHAN, 2020, **options).targets.set_index("id").loc["closures"]
        wide = ly.forecast(ledger, ZHOUSHAN, 2020, readings={"closures_count": "with_land_bank"}, **options)
        assert plain["p95"] == 0.0
        assert wide.targets.set_index("id").loc["closures", "p95"] >= 3

    def test_judging_by_last_years_tax_leaves_nothing_to_chance(self):
        ledger = confirmed(county())
        told = ly.forecast(ledger, LINSHU, 2023, as_of="2023-06", draws=300)
        by = told.by_reading
        lagged = by[by["switch"] == "year"].set_index("id")
        assert set(lagged["probability"]) <= {0.0, 1.0}
        assert not by["probability"].isna().any()
        central = told.targets.set_index("id")["probability"]
        assert all(row["central"] == central[row["id"]] for row in by.to_dict("records"))

    def test_a_chosen_reading_is_the_one_reported(self):
        ledger = county()
        by = ly.forecast(ledger, LINSHU, 2023, as_of="2023-06", draws=300).by_reading
        chosen = by[(by["switch"] == "share") & (by["option"] == "count")].iloc[0]
        told = ly.forecast(ledger, LINSHU, 2023, as_of="2023-06", draws=300, readings={"share": "count"})
        assert told.targets.set_index("id").loc[chosen["id"], "probability"] == chosen["probability"]


class TestScores:
    def test_crps_of_a_normal_at_its_mean(self):
        draws = np.random.default_rng(0).normal(size=40_000)
        assert crps(draws, 0.0) == pytest.approx(0.233695, abs=0.004)
        assert crps(np.array([2.0]), 5.0) == 3.0

    def test_pit_is_uniform_for_a_right_spread(self):
        rng = np.random.default_rng(1)
        places = pit(rng.normal(size=(400, 3000)), rng.normal(size=3000), seed=1)
        assert np.abs(np.bincount((places * 10).astype(int), minlength=10) / 3000 - 0.1).max() < 0.02
        assert pit(np.zeros((50, 2000)), np.zeros(2000), seed=2).mean() == pytest.approx(0.5, abs=0.02)

    def test_brier_and_coverage_by_hand(self):
        assert brier(0.7, True) == pytest.approx(0.09)
        draws = np.arange(101.0)[:, None]
        assert covered(draws, np.array([10.0]), 0.8)[0]
        assert not covered(draws, np.array([9.0]), 0.8)[0]


class TestBacktest:
    def test_odds_beat_no_change_once_months_are_known(self):
        done = ly.backtest(county(120), LINSHU, [2020, 2021, 2022, 2023], [0, 6], draws=300)
        assert done.enough
        scores = done.scores.query("level == 'enterprise' and measure == 'brier'").set_index(["id", "month", "model"])[
            "value"
        ]
        for id in ("above_scale_clear", "below_scale_low_land_share"):
            assert scores[id, 6, "forecast"] < scores[id, 6, "no_change"]
            assert scores[id, 6, "forecast"] < scores[id, 0, "forecast"]
        cover = done.coverage.query("level == 'enterprise' and nominal == 0.8")["share"]
        assert cover.between(0.7, 0.93).all()
        assert set(done.scores["years"]) <= {1, 2, 3, 4}
        assert done.pit.groupby("month")["share"].sum().to_numpy() == pytest.approx([1.0, 1.0])
        assert done.pit.query("month == 6")["share"].between(0.04, 0.18).all()
        large = done.reliability.query("n >= 40")
        assert (large["odds"] - large["came"]).abs().max() < 0.15

    def test_skill_is_told_by_years_with_an_interval(self):
        done = ly.backtest(county(120), LINSHU, [2020, 2021, 2022, 2023], [0, 6], draws=300)
        told = done.skill.set_index(["level", "id", "month", "measure", "baseline"])
        row = told.loc["enterprise", "above_scale_clear", 6, "brier", "no_change"]
        assert row["low"] <= row["difference"] <= row["high"] < 0
        assert row["verdict"] == "better"
        assert row["difference"] == pytest.approx(row["forecast"] - row["guess"])
        assert set(done.skill["baseline"]) == {"no_change", "last_value", "run_rate", "seasonal", "logit"}
        county_level = done.skill.query("level == 'county' and measure == 'crps' and month == 6")
        assert set(county_level["baseline"]) == {"no_change", "last_value", "run_rate", "seasonal", "logit"}
        assert not done.skill[["forecast", "guess", "difference", "years", "verdict"]].isna().any().any()

    def test_with_two_years_no_interval_is_given(self):
        done = ly.backtest(county(60), LINSHU, [2022, 2023], [6], draws=200)
        assert set(done.skill["verdict"]) == {"cannot_judge"}
        assert done.skill["low"].map(lambda x: x is None).all()

    def test_a_forecast_no_better_than_chance_is_not_called_better(self):
        rng = np.random.default_rng(0)
        rows = [
            {"level": "county", "id": "x", "year": year, "month": 0, "model": model, "case": "", "brier": b, "crps": b}
            for year in range(2015, 2023)
            for model, b in zip(("forecast", "no_change"), rng.random(2), strict=True)
        ]
        assert set(skill(pd.DataFrame(rows))["verdict"]) == {"no_difference"}

    def test_few_years_cannot_judge(self):
        done = ly.backtest(county(40), LINSHU, [2018, 2022, 2023, 2031], [0, 5], draws=200)
        assert done.years == (2022, 2023)
        assert not done.enough
        assert {"few_years", "no_year", "no_history"} <= {n.id for n in done.notes}
        assert "too few years" in repr(done)

    def test_months_without_figures_are_told(self):
        done = ly.backtest(county(40, monthly=False), LINSHU, [2021, 2022, 2023], [0, 5], draws=200)
        assert done.months == (0,)
        assert "no_month" in {n.id for n in done.notes}
        with pytest.raises(ValueError, match="months"):
            ly.backtest(county(10), LINSHU, [2022], [13])
