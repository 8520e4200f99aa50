"""Disposals: how fast cases end, what they do to tax and land, and who takes over, each by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from outlook_county import county, with_disposals

import lyeval as ly
from lyeval.ledger import Ledger
from lyeval.simulation.assumed import assumed
from lyeval.simulation.casework import (
    disposed,
    given_plan,
    land_leaving,
    left_since,
    lift,
    months_to_finish,
    open_plan,
    paces,
    ramped,
    takers,
)
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Setting, setting, years_to_come
from lyeval.simulation.known import Date, as_known, panel

LINSHU = ly.load_policy("linshu-2021")
DATE = Date(2023, 2023, 12)


class TestDisposals:
    taken = assumed("default")
    date = Date(2023, 2023, 12)

    def test_cases_end_as_fast_as_their_hazard(self):
        ledger = with_disposals(county(40), [(i, "upgrade", "2023-12-31", None, "进行中") for i in range(40)])
        plan, notes = open_plan(ledger, self.date, self.taken.practices)
        assert notes == ()
        pace = paces(ledger, self.date, self.taken.practices)
        months = months_to_finish(plan, panel(ledger, self.date), pace, Sampling(4000, 1), 2023)
        done = disposed(months, self.date.months_to(2024)).done.mean()
        law, (a, b) = pace["upgrade"], pace["upgrade"].done
        expected = a / (a + b) * (1 - (1 + law.hazard[12] / law.cases) ** -law.cases)  # mean over the county's pace
        assert abs(done - expected) < 0.01
        assert disposed(months, self.date.months_to(2028)).done.mean() > done

    def test_the_ledgers_own_cases_move_the_pace(self):
        rows = [(i, "upgrade", "2022-01-01", "2022-03-01", "达标") for i in range(20)]
        quick = paces(with_disposals(county(40), rows), self.date, self.taken.practices)["upgrade"].yearly
        rows = [(i, "upgrade", "2021-01-01", None, "进行中") for i in range(20)]
        slow = paces(with_disposals(county(40), rows), self.date, self.taken.practices)["upgrade"].yearly
        assert quick[0] / sum(quick) > 1.5 * slow[0] / sum(slow)

    def test_a_known_effect_is_recovered_against_the_projection(self):
        found = []
        for seed in range(12):
            ledger = county(150, range(2017, 2024), seed=seed, noise=0.25)
            lifted = ledger.enterprises["credit_code"].iloc[:40]
            after = ledger.annual["credit_code"].isin(lifted) & (ledger.annual["year"] >= 2021)
            annual = ledger.annual.assign(
                tax_wan=ledger.annual["tax_wan"].where(~after, ledger.annual["tax_wan"] * np.exp(0.5))
            )
            cases = [(i, "upgrade", "2020-06-01", "2021-01-01", "达标") for i in range(40)]
            given = setting(
                with_disposals(replace(ledger, annual=annual), cases), self.date, None, self.taken, Sampling(100, 1)
            )
            found.append((*given.annual.effects["upgrade"], *given.assumed.practices["upgrade"].effect))
        estimate, error, mean, sd = np.array(found).T
        assert abs(estimate.mean() - 0.5) < 0.06
        assert np.mean(np.abs(estimate - 0.5) < 1.645 * error) >= 0.75
        assert np.all(sd < 0.35)
        assert np.all((mean - 0.25) * (estimate - mean) >= 0)

    def test_a_plan_that_names_what_is_not_there_is_refused(self):
        ledger, practices = county(5), self.taken.practices
        code = ledger.enterprises["credit_code"].iloc[0]
        with pytest.raises(ValueError, match="not in the ledger"):
            given_plan(pd.DataFrame({"credit_code": ["X"], "method": ["upgrade"]}), ledger, self.date, practices)
        with pytest.raises(ValueError, match="methods must be among"):
            given_plan(pd.DataFrame({"credit_code": [code], "method": ["magic"]}), ledger, self.date, practices)
        with pytest.raises(ValueError, match="stand twice"):
            given_plan(
                pd.DataFrame({"credit_code": [code] * 2, "method": ["upgrade"] * 2}), ledger, self.date, practices
            )
        with pytest.raises(ValueError, match="lacks the columns"):
            given_plan(pd.DataFrame({"credit_code": [code]}), ledger, self.date, practices)

    def test_closing_empties_a_class_and_upgrading_lifts_tax(self):
        ledger = county(60, seed=1)
        assessed = ly.assess(ledger, LINSHU, 2023)
        low = assessed.enterprises.query("`class` == 'above' and tax_per_mu < 2")["credit_code"]
        plans = {
            m: pd.DataFrame({"credit_code": low, "method": m, "started": "2023-12-01"})
            for m in ("shut_down", "upgrade")
        }
        nothing = ly.simulate(assessed, draws=500).targets.set_index("id").loc["above_scale_clear"]
        closing, lifting = (
            ly.simulate(assessed, plans[m], draws=500).targets.set_index("id").loc["above_scale_clear"] for m in plans
        )
        assert closing["p50"] < nothing["p50"]
        assert lifting["p50"] <= nothing["p50"]
        assert closing["p50"] < lifting["p50"]


def book(method: str, successors: list[int | str | None]) -> Ledger:
    """Forty enterprises; the first ones have a case of a method with a successor by position, by code, or unknown."""
    made = with_disposals(
        county(40, level=-0.5, monthly=False),
        [(i, method, "2023-06-01", None, "进行中") for i in range(len(successors))],
    )
    codes = made.enterprises["credit_code"].tolist()
    named = [codes[s] if isinstance(s, int) else s for s in successors]
    return replace(made, disposals=made.disposals.assign(successor_code=pd.array(named, dtype="string")))


def given(ledger: Ledger, draws: int = 300) -> Setting:
    return setting(as_known(ledger, DATE), DATE, None, assumed("default"), Sampling(draws, 1))


def test_a_site_closes_half_of_the_gap_to_a_better_acquirer_and_none_to_a_worse_one() -> None:
    made = given(book("merge", [30, 31, None, "91000000000000000X", 4]))
    ratio = made.panel.tax[:, -1] / made.panel.land[:, -1]
    expected = [0.5 * max(np.log(ratio[s] / ratio[i]), 0.0) for i, s in ((0, 30), (1, 31))]
    assert lift(made.plan, made.panel, made.assumed.practices) == pytest.approx([*expected, 0.0, 0.0, 0.0])
    assert max(expected) > 0
    assert not len(takers(made.plan, made.panel, made.assumed.practices))


def test_the_lift_is_in_force_as_the_methods_effect_is() -> None:
    with_it, without = given(book("merge", [30, 31, 32])), given(book("merge", [None, None, None]))
    raised = lift(with_it.plan, with_it.panel, with_it.assumed.practices)
    months = months_to_finish(with_it.plan, with_it.panel, with_it.pace, with_it.sampling, 2023)
    for year, a, b in zip((2024, 2025), years_to_come(with_it, 2025), years_to_come(without, 2025), strict=True):
        force = disposed(months, DATE.months_to(year)).in_force
        assert np.allclose(a.tax[:, :3], b.tax[:, :3] * np.exp(raised * force))
        assert (a.tax[:, 3:] == b.tax[:, 3:]).all()


@pytest.mark.parametrize(
    ("age", "mean"), [(-3.0, 0.0), (0.0, 0.0), (12.0, 0.25), (24.0, 0.75), (30.0, 15 / 16), (48.0, 1.0)]
)
def test_tax_on_land_taken_over_rises_in_a_straight_line(age: float, mean: float) -> None:
    assert ramped(np.array([age]), 24.0)[0] == pytest.approx(mean)
    assert ramped(np.array([age]), 0.0)[0] == pytest.approx(np.clip(age / 12, 0, 1))


def test_land_that_leaves_is_taken_over_and_no_mu_is_lost() -> None:
    made = given(book("partition", [30, 31, 30]))
    bare = given(book("partition", [None, None, None]))
    land = made.panel.land[:, -1]
    months = months_to_finish(made.plan, made.panel, made.pace, made.sampling, 2023)
    for i, (a, b) in enumerate(zip(years_to_come(made, 2026), years_to_come(bare, 2026), strict=True), start=1):
        assert (a.kept @ land) == pytest.approx(np.full(300, land.sum()))
        assert ((b.kept @ land) <= land.sum()).all()
        assert (a.tax[:, :30] == b.tax[:, :30]).all()
        assert (a.tax[:, 32:] == b.tax[:, 32:]).all()
        given_away = (1 - a.kept[:, 1]) * land[1] / land[31]
        grown = given_away * ramped(12.0 * i - months[:, 1], 24.0)
        assert np.allclose(a.tax[:, 31], b.tax[:, 31] * (1 + grown))


def test_a_plan_may_name_successors() -> None:
    ledger = county(40, level=-0.5, monthly=False)
    codes = ledger.enterprises["credit_code"].tolist()
    plan = pd.DataFrame({"credit_code": codes[:2], "method": "merge", "successor_code": [codes[30], None]})
    made = setting(as_known(ledger, DATE), DATE, plan, assumed("default"), Sampling(100, 1))
    assert made.plan.successor.tolist() == [30, -1]


@pytest.mark.parametrize(("released", "kept"), [(0.4, 0.6), (1.0, 0.0), (1.7, 0.0)])
def test_no_more_land_leaves_than_there_is(released: float, kept: float) -> None:
    plain = county(40)
    land = float(plain.annual["land_mu"].iloc[0])
    ledger = with_disposals(plain, [(0, "partition", "2023-01-01", "2023-03-01", "部分收储")])
    ledger = replace(ledger, disposals=ledger.disposals.assign(released_mu=released * land, whole="部分"))
    date = Date(2022, 2023, 6)
    known = as_known(ledger, date)
    own = panel(known, date).land[:, -1]
    assert own[0] == land
    found = left_since(known, date, own)
    assert found.kept[0] == pytest.approx(kept)
    assert (found.kept[1:] == 1).all()
    assert not found.gone.any()


def test_a_plan_to_release_more_than_all_takes_all_and_leaves_no_mu_below_nothing() -> None:
    ledger = county(40, level=-0.5, monthly=False)
    codes, land = ledger.enterprises["credit_code"].tolist(), ledger.annual["land_mu"].to_numpy()[::6]
    shares = np.array([0.3, 1.0, 2.5])
    plan = pd.DataFrame({"credit_code": codes[:3], "method": "partition", "released_mu": shares * land[:3]})
    made = setting(as_known(ledger, DATE), DATE, plan, assumed("default"), Sampling(300, 1))
    leaving = land_leaving(made.plan, made.panel, made.assumed.practices, made.sampling, 2023)
    assert leaving == pytest.approx(np.broadcast_to(np.minimum(shares, 1.0), (300, 3)))
    for year in years_to_come(made, 2025):
        assert (year.kept >= 0).all()
        assert set(np.round(year.kept[:, 2], 9)) <= {0.0, 1.0}
