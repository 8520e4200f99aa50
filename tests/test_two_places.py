"""Two places on one ruler, and many plans over one place: counted by hand, swapped, bounded, quick."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from build import ledger, years

import lyeval as ly
from lyeval.comparison import (
    Population,
    burden,
    demand,
    elements,
    newcombe,
    population,
    sanctions,
    sweep,
    two_places,
    wilson,
)
from lyeval.policy import load_policy


@pytest.fixture(scope="module")
def sides():
    dinghai, linshu = ly.read_ledger("sample:zhoushan-dinghai"), ly.read_ledger("sample:linshu")
    return two_places((dinghai, "zhoushan-2020", 2020), (linshu, "linshu-2021", 2023), draws=100)


def test_newcombe_as_published() -> None:
    """Newcombe 1998, table II: 56/70 − 48/80."""
    got = newcombe((56, 70), (48, 80))
    assert got == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert wilson(0, 10)[0] == 0.0
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert math.isnan(wilson(0, 0)[0])


def test_own_rules_are_the_assessment(sides) -> None:
    own = ly.assess(ly.read_ledger("sample:linshu"), ly.load_policy("linshu-2021"), 2023)
    row = sides.rules[(sides.rules["side"] == "b") & (sides.rules["rules"] == "b")].iloc[0]
    assert row["listed"] == own.frame.identified.true.sum()
    assert row["missed"] == (own.targets["status"] == "missed").sum()
    assert list(sides.rules["as_if"]) == [False, True, True, False]
    assert (sides.rules["listed_share"] == sides.rules["listed"] / sides.rules["scope"]).all()
    other = sides.rules[(sides.rules["side"] == "a") & (sides.rules["rules"] == "b")].iloc[0]
    assert (other["listed"], other["listed_undecided"], other["scope"]) == (61, 131, 195)
    assert (other["listed_low"], other["listed_high"]) == pytest.approx((61 / 195, 192 / 195))
    assert (other["tax_listed"], other["tax_undecided"]) == (61, 0)
    assert other["attainment_low"] <= other["attainment"] <= other["attainment_high"]


def test_rates_name_list_year_number_and_time_and_bound_who_left(sides) -> None:
    table = sides.rates
    assert (table["failed"] <= table["dropped"]).all()
    assert (table["dropped"] <= table["passed"]).all()
    assert (table["low"] < table["dropped"]).all()
    assert (table["counted"] == table["listed"] - table["left"] - table["no_figures"]).all()
    rows = table.set_index(["side", "followed", "year"])
    base = rows.loc[("b", "first_list", 2021)]
    assert (base["horizon"], base["months"], base["line"]) == ("base", 0, 1.0)
    assert rows.loc[("b", "first_list", 2022), ["horizon", "months"]].tolist() == ["first", 12]
    assert rows.loc[("a", "first_list", 2020), ["horizon", "months"]].tolist() == ["first", 5]
    found = {round(v, 3) for v in [*table["dropped"], *table["failed"]]}
    assert found >= {0.806, 0.196, 0.574, 0.417}


def test_nothing_later_than_the_day_is_read() -> None:
    linshu = ly.read_ledger("sample:linshu")
    assert max(linshu.years) > 2022
    pair = ((linshu, "linshu-2021", 2022), (linshu, "linshu-2021", 2022))
    got = two_places(*pair, draws=100, known_by=date(2023, 3, 31))
    assert got.about["cut"].tolist() == [2022, 2022]
    later = replace(
        linshu, annual=linshu.annual.assign(tax_wan=linshu.annual["tax_wan"].mask(linshu.annual["year"] > 2022, 1e6))
    )
    same = two_places((later, "linshu-2021", 2022), (later, "linshu-2021", 2022), draws=100, known_by=date(2023, 3, 31))
    for name in ("rates", "rules", "demand", "cases", "odds"):
        pd.testing.assert_frame_equal(getattr(got, name), getattr(same, name))


def test_transitions_count_everyone_once(sides) -> None:
    counts = sides.transitions.groupby("side")["n"].sum()
    assert counts.to_dict() == {"a": 400, "b": 400}
    listed = sides.transitions[sides.transitions["group"] == "listed"].groupby("side")["n"].sum()
    assert listed.to_dict() == dict(zip(sides.about["side"], sides.about["first_list"], strict=True))


def test_every_step_is_asked_of_both_places_and_probabilities_are_shares(sides) -> None:
    steps = sides.demand.groupby(["side", "rules"]).size().to_dict()
    assert steps == {("a", "a"): 2, ("a", "b"): 7, ("b", "a"): 2, ("b", "b"): 7}
    lifted = sides.demand["lifted"].dropna()
    assert lifted.between(0, 0.6).all()
    assert len(lifted) == 4
    assert set(zip(sides.odds["side"], sides.odds["rules"], strict=True)) == {(s, r) for s in "ab" for r in "ab"}
    assert sides.odds["probability"].dropna().astype(float).between(0, 1).all()


def test_one_basis_claims_and_no_p_value(sides) -> None:
    assert set(sides.basis["line"]) == {1.0, 2.0, 3.0}
    assert set(sides.claims["may"]) == {"yes", "no"}
    assert sides.refused.design == "refused"
    assert "不给 p 值" in sides.refused.sentence()
    assert not [c for c in sides.difference if c.startswith("p_")]
    parts = sides.decomposition
    assert parts.parts["value"].sum() == pytest.approx(parts.value_b - parts.value_a)


def test_doors_name_the_group_door_only_where_groups_are_told(sides) -> None:
    assert sides.doors.loc[sides.doors["door"] == "group_tax", "n"].isna().all()
    rows = [
        *years("A1", {2019: 10, 2020: 40}, 10.0, True),
        *years("A2", {2019: 50, 2020: 20}, 10.0, True),
        *years("A3", {2019: 10, 2020: 40}, 10.0, True),
    ]
    firms = [{"credit_code": c, "name": c, "group": g} for c, g in (("A1", "集团"), ("A2", "集团"), ("A3", ""))]
    made = ledger(enterprises=firms, annual=rows)
    got = two_places((made, "zhoushan-2020", 2020), (made, "zhoushan-2020", 2020), draws=100)
    doors = got.doors[got.doors["side"] == "a"].set_index("door")["n"]
    assert (doors["more_tax"], doors["group_tax"]) == (2, 1)
    assert got.difference["estimate"].iloc[0] == 0
    assert (got.rules["listed"] == 2).all()


def people(n: int, seed: int = 0) -> Population:
    rng = np.random.default_rng(seed)
    return Population(
        rng.lognormal(0, 1.5, n), rng.lognormal(2.5, 1, n), rng.random(n) < 0.3, np.array(["镇一", "镇二"])[rng.integers(0, 2, n)],
        np.array(["20"] * n), {1: 0.9, 2: 0.8, 3: 0.7, 5: 0.6}, 0.0, 1.5,
    )  # fmt: skip


def test_sweep_by_hand() -> None:
    few = Population(
        np.array([0.5, 1.05, 3.0, 0.0]), np.array([10.0, 20.0, 30.0, 4.0]), np.array([True, False, False, False]),
        np.array(["甲"] * 4), np.array(["20"] * 4), {1: 0.5}, 0.0, 1.0,
    )  # fmt: skip
    got = sweep(few, thresholds=[1.0], floors=[0.0, 5.0], horizons=[1])
    by = got.set_index(["unit", "floor"])
    assert by.loc[("count", 0.0), ["scope", "listed", "near"]].to_list() == [4, 2, 1]
    assert by.loc[("count", 5.0), ["scope", "listed"]].to_list() == [3, 1]
    assert by.loc[("land", 0.0), "listed_share"] == pytest.approx(14 / 64)
    from scipy.stats import norm

    want = norm.cdf((0.5 * math.log(0.5) - 0.0) / math.sqrt(0.75))
    assert by.loc[("count", 0.0), "passes"] == pytest.approx(want)
    assert by.loc[("land", 0.0), "pass_share"] == pytest.approx(want * 10 / 14)


def test_sweep_is_monotone() -> None:
    got = sweep(people(5000), thresholds=np.linspace(0.5, 6.5, 25).tolist())
    assert len(got) == 1000
    alone = got[(got["unit"] == "count") & (got["floor"] == 10) & (got["horizon"] == 2)]
    assert (np.diff(alone["listed"]) >= 0).all()
    line = got[(got["unit"] == "count") & (got["floor"] == 10) & (got["threshold"] == 0.5)].sort_values("horizon")
    assert (np.diff(line["passes"]) > 0).all(), "the longer the wait, the more pass by themselves"


def test_population_and_burden_of_a_ledger() -> None:
    crowd = population(ly.read_ledger("sample:linshu"), "linshu-2021", 2020)
    assert 0.85 < crowd.rho[1] < 1.0
    table = burden(crowd, 1.0, floor=10.0)
    totals = table.groupby("by")["listed"].sum()
    assert len(set(totals)) == 1
    listed = crowd.above | (crowd.land >= 10)
    assert totals.iloc[0] == (listed & (crowd.ratio < 1.0)).sum()
    assert table[table["by"] == "size"]["group"].iloc[0] == "0–10"


TEN = {  # code: tax per mu in 2019, land, above scale, kWh (10,000) in 2020
    "A0": (0.5, 30, True, 10), "A1": (1.5, 20, True, 20), "A2": (2.5, 20, True, 5), "A3": (0.0, 10, True, 0),
    "B0": (0.8, 12, False, 4), "B1": (1.8, 15, False, 6), "B2": (0.4, 6, False, 2), "B3": (3.0, 25, False, 9),
    "B4": (2.0, 11, False, 3), "B5": (0.9, 40, False, 8),
}  # fmt: skip


def ten(**firms: object) -> ly.Ledger:
    """Ten firms whose figures do not change: Zhoushan (line 2) lists A0 A1 A3 B0 B1 B2 B5; Linshu's tax line 1 with its floor A0 A3 B0 B5."""
    rows = []
    for code, (ratio, land, above, power) in TEN.items():
        rows += [
            {**r, "power_wankwh": power}
            for r in years(code, {2019: ratio * land, 2020: ratio * land}, float(land), above)
        ]
    known = {c: [None] * 10 for c in ("contract_completion", "completed", "production_start", "stopped_since")}
    frame = [{"credit_code": c, "name": c, **{k: v[i] for k, v in known.items()}, **firms} for i, c in enumerate(TEN)]
    return ledger(annual=rows, enterprises=frame)


def plans() -> tuple:
    return load_policy("zhoushan-2020"), load_policy("linshu-2021")


def test_elements_by_hand_on_ten_firms() -> None:
    zhoushan, linshu = plans()
    table = elements(ten(), zhoushan, linshu, 2020).set_index("element")
    assert (table.loc["a", "listed"], table.loc["a", "undecided"]) == (7, 0)
    assert table.loc["line", "listed"] == 5  # line 1: A0 A3 B0 B2 B5
    assert table.loc["floor", "listed"] == 6  # from 10 mu: B2 is out
    assert table.loc["criteria", ["listed", "undecided"]].tolist() == [
        7,
        3,
    ]  # contract facts are missing of the three above 2
    assert (table.loc["b", "listed"], table.loc["b", "undecided"]) == (4, 5)  # A0 A3 B0 B5; nine in scope
    assert table.loc["b", ["share_low", "share_high"]].tolist() == pytest.approx(
        [92 / 183, 1.0]
    )  # by land, of 183 mu in scope
    swapped = table.drop(index=["a", "b"])
    assert swapped["mean"].sum() == pytest.approx(4 - 7)
    assert swapped["share_mean"].sum() == pytest.approx(92 / 183 - 0.7)
    assert (swapped.loc["line", "first"], swapped.loc["line", "last"]) == (-2, -2)
    assert (swapped.loc["floor", "first"], swapped.loc["floor", "last"]) == (-1, -1)


def test_demand_by_hand_on_ten_firms() -> None:
    zhoushan, linshu = plans()
    rows = demand(ten(), linshu, 2019).set_index(["id", "year"])
    clear = rows.loc[("above_scale_clear", 2024)]  # line 2: A0 A1 A3 of four
    assert (clear["n"], clear["below"], clear["short"], clear["not_above_zero"]) == (4, 3, 3, 1)
    assert clear["median_growth"] == pytest.approx((2 / 0.5 - 1 + 2 / 1.5 - 1) / 2)
    assert clear["tax_needed_wan"] == pytest.approx(1.5 * 30 + 0.5 * 20 + 2 * 10)
    share = rows.loc[("below_scale_low_land_share", 2023)]  # from 10 mu: 103 mu, 52 below 1
    assert (share["n"], share["below"], share["unit"]) == (5, 2, "亩")
    assert (share["value"], share["short"]) == pytest.approx((52 / 103, 52 - 0.2 * 103))
    mean = rows.loc[("mean_tax_per_mu", 2025)]  # listed by tax: A0 A3 B0 B5, 92 mu
    assert (mean["value"], mean["short"]) == pytest.approx((60.6 / 92, 3 - 60.6 / 92))
    own = demand(ten(), zhoushan, 2019).set_index("id").loc["below_scale_reach"]  # listed: B0 B1 B2 B5
    assert (own["n"], own["value"], own["short"]) == (4, 0.0, 4)  # eight tenths of four, rounded up


def test_who_has_no_figures_bounds_the_distance_to_a_target() -> None:
    """A1 and B1 without tax: one of four above designated size, one of five below it from 10 mu, could stand on either side."""
    _, linshu = plans()
    whole = ten()
    blank = whole.annual.assign(tax_wan=whole.annual["tax_wan"].mask(whole.annual["credit_code"].isin(["A1", "B1"])))
    rows = demand(replace(whole, annual=blank), linshu, 2019).set_index(["id", "year"])
    clear = rows.loc[("above_scale_clear", 2024)]  # line 2: A0 A3 of three known, A1 unknown
    assert clear[["n", "unknown", "below"]].tolist() == [3, 1, 2]
    assert clear[["below_low", "below_high"]].tolist() == pytest.approx([2 / 4, 3 / 4])
    share = rows.loc[("below_scale_low_land_share", 2023)]  # line 1: B0 B5 of four known, B1 unknown
    assert share[["below_low", "below_high"]].tolist() == pytest.approx([2 / 5, 3 / 5])


def test_sanctions_by_hand_on_ten_firms() -> None:
    zhoushan, linshu = plans()
    graded = sanctions(ten(), zhoushan, 2020).iloc[0]
    assert (graded["kind"], graded["exposed"], graded["undecided"]) == ("grade", 7, 0)
    assert graded["wan"] == pytest.approx(0.1 * (10 + 20 + 0 + 4 + 6 + 2 + 8))
    taxed = sanctions(ten(location="县城"), linshu, 2020).iloc[0]  # A0 A3 B0 B5: 92 mu
    assert (taxed["kind"], taxed["exposed"]) == ("land_use_tax", 4)
    assert taxed["wan"] == pytest.approx(6.40 * 92 * 2000 / 3 / 1e4)
    nowhere = sanctions(ten(location=None), linshu, 2020).iloc[0]
    assert nowhere["wan"] == 0.0  # where a plant stands is not known: between nothing and the highest rate
    assert nowhere["wan_high"] == pytest.approx(6.40 * (92 + nowhere_land(nowhere)) * 2000 / 3 / 1e4)


def nowhere_land(row) -> float:
    """Land of those undecided and not above their line: none, for who is not listed by tax stands at or above it."""
    assert row["undecided"] == 0
    return 0.0


def test_the_repr_is_short(sides) -> None:
    assert len(repr(sides)) < 250
    assert "\n" not in repr(sides)
