"""What a county's past teaches: cases in force by the calendar, topping up in December, own calendars, the record, statements of certainty."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from outlook_county import county, panel_of, setting_of, with_disposals
from scipy import stats
from test_odds import view

import lyeval as ly
from lyeval.simulation.assumed import assumed
from lyeval.simulation.casework import Plan, in_force, informed, months_to_finish, paces
from lyeval.simulation.draws import Sampling
from lyeval.simulation.dynamics import Priors, _clustered, fit, habits, rise
from lyeval.simulation.engine import Learned, setting, years_to_come
from lyeval.simulation.known import EVEN, Date, Panel, as_known
from lyeval.simulation.learning import NOBODYS, lasting, learned, topping_up, unsure
from lyeval.simulation.odds import members, values


def monthly(rng: np.random.Generator, n: int, years: int, *, habit: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Draw land (n,) and monthly tax (n, years, 12) of firms of own levels, with calendars of their own."""
    land, own = np.exp(rng.normal(3, 0.6, n)), rng.normal(0.2, 0.7, n)
    share = np.exp(rng.normal(0, habit, (n, 1, 12)) + rng.normal(0, 0.15, (n, years, 12)))
    tax = land[:, None] * np.exp(own[:, None] + rng.normal(0, 0.3, (n, years)) + rng.normal(0, 0.05, years))
    return land, tax[:, :, None] * share / share.sum(axis=2, keepdims=True)


def known(land: np.ndarray, months: np.ndarray, month: int) -> Panel:
    """Lay all years but the last out as a panel, with the last one's months to date."""
    past = panel_of(months[:, :-1].sum(axis=2), land, ytd=months[:, :, :month].sum(axis=2), month=month)
    return replace(past, november=months[:, :-1, :11].sum(axis=2))


class TestCasesOfTheYear:
    """A case finished in July, its rise of 0.6 half seen in September."""

    def test_months_in_force_are_weighed_by_the_calendar(self):
        calendar = np.append(0.0, np.cumsum([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9]) / 20)
        now, seen, before = in_force(np.array([18.0, np.inf]), 3, calendar, 9)
        assert now[0] == pytest.approx([0.0, 14 / 20, 1.0])
        assert seen[0] == pytest.approx([0.0, 3 / 9, 1.0])
        assert before[0] == pytest.approx([0.0, 0.0, 14 / 20])
        assert not now[1].any()
        assert rise(np.array([0.7, 1 / 3, 0.0]), 0.9) == pytest.approx(0.7 - 0.3)

    def test_a_case_finished_in_july_is_forecast_right_in_september(self):
        off, inside = [], []
        for seed in range(3):
            ledger, true, treated = self.ledger(seed)
            date = Date(2023, 2024, 9)
            given = setting(as_known(ledger, date), date, None, assumed("default"), Sampling(400, seed))
            drawn = years_to_come(given, 2024)[0].tax[:, treated]
            off += (np.log(np.median(drawn, axis=0)) - np.log(true[treated])).tolist()
            low, high = np.quantile(drawn, (0.1, 0.9), axis=0)
            inside += ((true[treated] >= low) & (true[treated] <= high)).tolist()
        assert abs(np.mean(off)) < 0.05  # −0.11 where the case adds nothing to the months to come
        assert np.mean(inside) > 0.68  # 0.46 likewise

    def ledger(self, seed: int):
        """Return a ledger with forty cases finished in July of 2021, 2022 and 2024, the tax of 2024 and who was treated then."""
        ledger = county(200, range(2018, 2025), seed=seed, noise=0.2)
        code, months = ledger.enterprises["credit_code"].to_numpy(), ledger.monthly.copy()
        order, rows = np.random.default_rng(seed).permutation(200), []
        for i, year in enumerate((2021, 2022, 2024)):
            who = order[40 * i : 40 * i + 40]
            later = (months["year"] > year) | ((months["year"] == year) & (months["month"] >= 7))
            months.loc[months["credit_code"].isin(code[who]) & later, "tax_wan"] *= np.exp(0.6)
            rows += [(int(j), "upgrade", f"{year}-01-15", f"{year}-07-01", "达标") for j in who]
        total = months.groupby(["credit_code", "year"])["tax_wan"].sum()
        keys = pd.MultiIndex.from_frame(ledger.annual[["credit_code", "year"]])
        annual = ledger.annual.assign(tax_wan=total.reindex(keys).to_numpy())
        whole = with_disposals(replace(ledger, annual=annual, monthly=months), rows)
        return whole, total.xs(2024, level="year").reindex(sorted(code)).to_numpy(), np.sort(order[80:120])


class TestToppingUp:
    @staticmethod
    def past(response: float, seed: int = 0):
        """Return a panel and the past targets of a county in which a share of those just below the line tops up."""
        rng = np.random.default_rng(seed)
        land, months = monthly(rng, 600, 5)
        for t in (2, 3):
            tax = months[:, t].sum(axis=1)
            moved = (tax < land) & (tax >= 0.7 * land) & (rng.random(600) < response)
            months[moved, t, 11] += land[moved] * 1.01 - tax[moved]
        panel, n = known(land, months, 9), len(land)
        made = [
            replace(
                view(n, goal=0.3, kind="share", tax=panel.tax[:, t], land=land, weight="land"), year=int(panel.years[t])
            )
            for t in (2, 3)
        ]
        return panel, made

    def test_the_share_is_found_and_none_where_nobody_does(self):
        a, b = topping_up(*self.past(0.5), 0.3)
        assert a / (a + b) == pytest.approx(0.5, abs=0.12)
        a, b = topping_up(*self.past(0.0), 0.3)
        assert a / (a + b) < 0.05
        assert 1.0 not in NOBODYS

    def test_who_passed_the_line_anyway_is_no_case_of_it(self):
        found = [a / (a + b) for seed in range(8) for a, b in [topping_up(*self.past(0.5, seed), 0.3)]]
        assert np.mean(found) == pytest.approx(0.5, abs=0.05)

    def test_nothing_is_learnt_without_a_past_target_or_months(self):
        panel, made = self.past(0.5)
        assert topping_up(panel, [], 0.3) is None
        assert topping_up(replace(panel, november=None), made, 0.3) is None

    def test_the_draws_top_up_as_often(self):
        panel, made = self.past(0.0)
        given = setting_of(replace(panel, month=0, ytd=np.full_like(panel.ytd, np.nan)), Sampling(2000, 1))
        now = replace(made[0], tax=panel.tax[:, -1], year=2022)
        year = years_to_come(given, 2022)[0]
        bare = members(now, year)
        topped = members(now, replace(year, learned={now.id: Learned((40.0, 60.0), 0.3, seed=1)}))
        near = (bare.tax < now.land) & (bare.tax >= 0.7 * now.land)
        assert np.array_equal(topped.tax[~near], bare.tax[~near])
        assert (topped.tax[near] > bare.tax[near]).mean() == pytest.approx(0.4, abs=0.02)
        assert (values(topped) <= values(bare)).all()


def test_a_calendar_of_ones_own_is_used() -> None:
    rng = np.random.default_rng(2)
    land, months = monthly(rng, 300, 7, habit=0.8)
    panel, true = known(land, months, 6), months[:, -1].sum(axis=1)
    model = fit(panel, 6, Priors())
    early = np.log(months[:, :-1, :6].sum(axis=(1, 2)) / months[:, :-1].sum(axis=(1, 2)) / model.paid_share)
    assert np.corrcoef(habits(panel, model.paid_share)[:, -1], early)[0, 1] > 0.95
    assert model.coef[model.names.index("habit")] == pytest.approx(-1.0, abs=0.15)
    seasonal = np.log(panel.ytd[:, -1] / model.paid_share) - np.log(true)
    own = seasonal - habits(panel, model.paid_share)[:, -1]
    assert np.std(own) < 0.6 * np.std(seasonal)


class TestDurations:
    laws = {
        "exponential": stats.expon(scale=12),
        "gamma": stats.gamma(4, scale=2.5),
        "weibull": stats.weibull_min(1.5, scale=14),
    }

    @pytest.mark.parametrize("law", laws)
    @pytest.mark.parametrize("age", [0.0, 6.0, 12.0])
    def test_the_odds_of_being_done_are_those_of_the_law_given_the_time_open(self, law, age):
        off = np.zeros(3)
        for seed in range(3):
            pace = paces(self.cases(law, seed), Date(2023, 2023, 12), assumed("default").practices)
            months = self.months(pace, age)
            truth = [1 - self.laws[law].sf(age + h) / self.laws[law].sf(age) for h in (3, 6, 12)]
            off += [np.mean(months <= h) - p for h, p in zip((3, 6, 12), truth, strict=True)]
        assert np.abs(off / 3).max() < 0.045

    def test_an_undated_case_goes_as_one_met_at_any_moment(self):
        pace = paces(self.cases("exponential", 0), Date(2023, 2023, 12), assumed("default").practices)
        assert np.mean(self.months(pace, np.nan) <= 12) == pytest.approx(1 - np.exp(-1), abs=0.06)

    def test_without_cases_the_assumed_duration_holds(self):
        pace = paces(county(5), Date(2023, 2023, 12), assumed("default").practices)
        done = pace["upgrade"].done[0] / sum(pace["upgrade"].done)
        fresh, old = (np.mean(self.months(pace, age) <= 3) for age in (0.0, 6.0))
        law = stats.gamma(4, scale=2.5)
        assert fresh == pytest.approx(done * law.cdf(3), abs=0.03)
        assert old == pytest.approx(done * (1 - law.sf(9) / law.sf(6)), abs=0.03)

    def test_cases_given_up_are_not_done(self):
        ledger = self.cases("gamma", 1)
        half = ledger.disposals["outcome"].mask(np.arange(300) % 2 == 0, "未完成")
        pace = paces(
            replace(ledger, disposals=ledger.disposals.assign(outcome=half)),
            Date(2023, 2023, 12),
            assumed("default").practices,
        )
        assert pace["upgrade"].done[0] / sum(pace["upgrade"].done) == pytest.approx(0.5, abs=0.06)

    def cases(self, law: str, seed: int):
        """Three hundred cases begun over six years, those not over by the end of 2023 still open."""
        rng = np.random.default_rng(seed)
        starts = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 2190, 300), unit="D")
        ends = starts + pd.to_timedelta(self.laws[law].rvs(300, random_state=rng) * 30.4375, unit="D").floor("D")
        rows = [
            (i, "upgrade", start, end if end.year < 2024 else None, "达标" if end.year < 2024 else "进行中")
            for i, (start, end) in enumerate(zip(starts, ends, strict=True))
        ]
        return with_disposals(county(300, range(2022, 2024), monthly=False), rows)

    def months(self, pace, age: float) -> np.ndarray:
        panel, n = panel_of(np.ones((60, 2)), np.ones(60)), 60
        blank = np.full(n, np.nan)
        plan = Plan(
            np.arange(n),
            np.array(["upgrade"] * n, dtype=object),
            np.zeros(n),
            np.full(n, age),
            blank,
            blank,
            np.full(n, -1),
        )
        return months_to_finish(plan, panel, pace, Sampling(600, 1), 2023)


def test_an_effect_seen_on_the_lucky_alone_is_told_with_its_bias() -> None:
    practices = assumed("default").practices
    found, hits = [], 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        land, months = monthly(rng, 300, 7)
        tax = months.sum(axis=2)
        begun, grown = rng.random(300) < 0.4, np.log(tax[:, 5] / tax[:, 4])
        lucky = begun & (grown > np.median(grown[begun]))
        ends = np.where(lucky, 60.0, np.inf)
        model = fit(replace(panel_of(tax, land), in_force={"upgrade": in_force(ends, 8, EVEN, 0)}), 0, Priors())
        mean, sd = informed(practices, model.effects, model.spread)["upgrade"].effect
        found.append(model.effects["upgrade"][0])
        hits += abs(mean) < 1.645 * sd
        own_mean, own_sd = informed(practices, model.effects)["upgrade"].effect
        assert own_sd < sd
        assert own_mean > mean or found[-1] < 0.25
    assert np.mean(found) > 0.15  # of a true effect of nil
    assert hits >= 5


class TestRecord:
    @pytest.mark.parametrize(
        ("far", "shift", "scale"), [(-2.0, -1.5352, 0.8403), (0.0, 0.0, 0.7906), (3.0, 2.6124, 0.8254)]
    )
    def test_past_forecasts_shift_and_widen_shrunk(self, monkeypatch, far, shift, scale):
        monkeypatch.setattr("lyeval.simulation.learning._distance", lambda view, year: far)
        monkeypatch.setattr("lyeval.simulation.learning.unsure", lambda model: 1.0)
        land, months = monthly(np.random.default_rng(5), 60, 7)
        panel = known(land, months, 9)
        plain = view(60, goal=0.3, kind="share", tax=panel.tax[:, -1], land=land, weight="land")
        given = setting_of(replace(panel, month=0, ytd=np.full_like(panel.ytd, np.nan)), Sampling(300, 1))
        told = learned(given, [replace(plain, year=2024)], []).learned["made"]
        assert (told.shift, told.scale, told.years) == (
            pytest.approx(shift, abs=1e-3),
            pytest.approx(scale, abs=1e-3),
            3,
        )
        year = years_to_come(given, 2024)[0]
        bare, moved = (values(members(plain, replace(year, learned=x))) for x in ({}, {"made": told}))
        assert moved.mean() - bare.mean() == pytest.approx(shift * bare.std(), rel=0.05, abs=1e-9)
        assert moved.std() == pytest.approx(scale * bare.std(), rel=0.05)

    def test_luck_alone_shifts_little_and_what_lasts_is_found(self):
        rng = np.random.default_rng(3)
        luck = [lasting(z) for z in rng.normal(0, 1, (2000, 3))]
        assert np.std(luck) < 0.25 < np.std(rng.normal(0, 1, (2000, 3)).sum(axis=1) / 6)
        found = [lasting(z) for z in rng.normal(-2, 1, (2000, 3))]
        assert np.mean(found) == pytest.approx(-1.5, abs=0.2)
        assert lasting(np.zeros(0)) == 0.0
        assert abs(lasting(np.array([2.0]))) < abs(lasting(np.full(3, 2.0)))

    def test_a_short_history_is_told_wider(self):
        land, months = monthly(np.random.default_rng(4), 80, 7)
        model = fit(known(land, months, 9), 9, Priors())
        assert len(model.years) > 3
        assert unsure(model) == pytest.approx(np.sqrt(1 + 2 / len(model.years)))
        assert unsure(replace(model, years=(2020,))) == pytest.approx(np.sqrt(3))
        assert unsure(replace(model, years=())) == 1.0

    def test_the_sentence_stands_among_the_notes(self):
        ledger = ly.read_ledger("sample:linshu")
        told = ly.forecast(ledger, "linshu-2021", 2023, as_of="2023-09", draws=200)
        mine = [n for n in told.notes if n.id == "own_record"]
        assert mine
        assert "平移" in mine[0].zh

    def test_statements_of_certainty_have_their_record(self):
        done = ly.backtest(county(120), ly.load_policy("linshu-2021"), [2021, 2022, 2023], [0, 9], draws=300)
        sure = done.scores.query("measure in ('sure_below', 'sure_reach')").set_index(["id", "month", "measure"])
        late = sure.loc[("above_scale_clear", 9, "sure_below")]
        assert late["value"] > 0.93
        assert late["n"] > sure.loc[("above_scale_clear", 0, "sure_below"), "n"]
        assert late["years"] == 3


def test_the_clustered_regression_is_that_of_statsmodels() -> None:
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(8)
    design, groups = np.column_stack([np.ones(300), rng.normal(size=(300, 3))]), np.arange(300) % 60
    values = design @ [1.0, 0.5, -0.2, 0.0] + rng.normal(0, 0.3, 60)[groups] + rng.normal(0, 0.4, 300)
    params, covariance, _ = _clustered(design, values, groups)
    other = OLS(values, design).fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert params == pytest.approx(other.params)
    assert covariance == pytest.approx(other.cov_params(), rel=1e-9, abs=1e-15)
