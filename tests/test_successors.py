"""Who takes over: a merged site catches up with its acquirer, land that leaves is somebody's, both by hand and in the kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from outlook_county import county, with_disposals

import lyeval as ly
from lyeval.ledger import Ledger
from lyeval.simulation import fused
from lyeval.simulation.assumed import assumed
from lyeval.simulation.disposals import disposed, months_to_finish
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import Setting, setting, years_to_come
from lyeval.simulation.known import Date, as_known
from lyeval.simulation.successors import lift, ramped, takers

LINSHU = ly.load_policy("linshu-2021")
DATE = Date(2023, 2023, 12)


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
    months = months_to_finish(with_it.plan, with_it.panel.codes, with_it.pace, with_it.sampling, 2023)
    for year, a, b in zip((2024, 2025), years_to_come(with_it, 2025), years_to_come(without, 2025), strict=True):
        force = disposed(with_it.plan, months, DATE, year).in_force
        assert np.allclose(a.tax[:, :3], b.tax[:, :3] * np.exp(raised * force))
        assert (a.tax[:, 3:] == b.tax[:, 3:]).all()


def test_the_kernel_lifts_as_the_plain_path_does(monkeypatch) -> None:
    assessed = ly.assess(book("merge", list(range(20, 40))), LINSHU, 2023)
    plain = ly.simulate(assessed, years=2, draws=512, seed=2)
    monkeypatch.setattr(fused, "MIN_CELLS", 0)
    fast = ly.simulate(assessed, years=2, draws=512, seed=2)
    drawn = ["probability", "p05", "p50", "p95"]
    pd.testing.assert_frame_equal(plain.targets[drawn], fast.targets[drawn], atol=0.004, rtol=1e-4)
    assert np.abs(plain.enterprises["probability"] - fast.enterprises["probability"]).max() < 0.004


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
    months = months_to_finish(made.plan, made.panel.codes, made.pace, made.sampling, 2023)
    for i, (a, b) in enumerate(zip(years_to_come(made, 2026), years_to_come(bare, 2026), strict=True), start=1):
        assert (a.kept @ land) == pytest.approx(np.full(300, land.sum()))
        assert ((b.kept @ land) <= land.sum()).all()
        assert (a.tax[:, :30] == b.tax[:, :30]).all()
        assert (a.tax[:, 32:] == b.tax[:, 32:]).all()
        given_away = (1 - a.kept[:, 1]) * land[1] / land[31]
        grown = given_away * ramped(12.0 * i - months[:, 1], 24.0)
        assert np.allclose(a.tax[:, 31], b.tax[:, 31] * (1 + grown))


def test_land_that_changes_hands_goes_by_the_plain_path(monkeypatch) -> None:
    monkeypatch.setattr(fused, "MIN_CELLS", 0)
    assert not fused.pays(given(book("partition", [30])), 1)
    assert fused.pays(given(book("partition", [None])), 1)


def test_a_plan_may_name_successors() -> None:
    ledger = county(40, level=-0.5, monthly=False)
    codes = ledger.enterprises["credit_code"].tolist()
    plan = pd.DataFrame({"credit_code": codes[:2], "method": "merge", "successor_code": [codes[30], None]})
    made = setting(as_known(ledger, DATE), DATE, plan, assumed("default"), Sampling(100, 1))
    assert made.plan.successor.tolist() == [30, -1]
