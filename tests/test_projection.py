"""Simulate: its tables, its seeds, years without a target, and what was known at the date."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from outlook_county import county, with_disposals

import lyeval as ly
from lyeval.simulation.known import Date, as_known

LINSHU = ly.load_policy("linshu-2021")


class TestSimulate:
    def test_tables_hold_the_promised_columns_and_no_nan(self):
        made = ly.simulate(ly.assess(county(), LINSHU, 2023), years=2, draws=300)
        head = ["id", "year", "probability", "mc_error", "p05", "p50", "p95"]
        assert set(head) <= set(made.targets)
        assert sorted(set(made.targets["year"])) == [2024, 2025]
        assert {"credit_code", "year", "probability", "p05", "p50", "p95"} <= set(made.enterprises)
        assert not made.enterprises.isna().any().any()
        assert not made.targets[["probability", "p50"]].isna().any().any()
        assert set(made.scenarios.query("basis == 'assumed'")["response"]) == {0.0, 0.15, 0.35}
        assert repr(made).startswith("<Simulation linshu-2021 as of 2023-12, 300 draws, seed 0>")
        assert set(made.tidy()["quantity"]) == {"probability", "mc_error", "goal", "p05", "p50", "p95"}

    def test_same_seed_same_result_other_seed_near(self):
        assessed = ly.assess(county(), LINSHU, 2023)
        first, again = (ly.simulate(assessed, draws=400, seed=5) for _ in range(2))
        pd.testing.assert_frame_equal(first.targets, again.targets)
        pd.testing.assert_frame_equal(first.enterprises, again.enterprises)
        other = ly.simulate(assessed, draws=400, seed=6)
        assert not np.array_equal(first.enterprises["probability"], other.enterprises["probability"])
        assert np.abs(first.enterprises["probability"] - other.enterprises["probability"]).max() < 0.15

    def test_a_year_without_a_target_is_carried_over_and_says_so(self):
        made = ly.simulate(ly.assess(county(), ly.load_policy("zhoushan-2020"), 2020), draws=200)
        assert set(made.targets["year"]) == {2021}
        assert "as_if" in {n.id for n in made.notes}

    @pytest.mark.parametrize(("draws", "years"), [(10, 1), (500, 0), (500, 9)])
    def test_useless_numbers_are_refused(self, draws, years):
        with pytest.raises(ValueError, match="must be"):
            ly.simulate(ly.assess(county(5), LINSHU, 2023), draws=draws, years=years)

    def test_knowledge_is_cut_off_at_the_date(self):
        ledger = with_disposals(
            county(20),
            [(0, "upgrade", "2023-02-01", "2023-11-01", "达标"), (1, "shut_down", "2023-12-01", None, "进行中")],
        )
        known = as_known(ledger, Date(2022, 2023, 10))
        assert known.annual["year"].max() == 2022
        assert (known.monthly["year"] * 100 + known.monthly["month"]).max() == 202310
        assert list(known.disposals["outcome"]) == ["进行中"]
        assert known.disposals["finished"].isna().all()

    def test_what_ifs_share_their_draws(self):
        assessed = ly.assess(county(60), LINSHU, 2023)
        codes = assessed.enterprises["credit_code"].tolist()
        plan = pd.DataFrame({"credit_code": codes[:5], "method": "upgrade"})
        plain, changed, again = (ly.simulate(assessed, p, draws=300, seed=3).enterprises for p in (None, plan, None))
        pd.testing.assert_frame_equal(plain, again)
        other = ~plain["credit_code"].isin(codes[:5])
        pd.testing.assert_frame_equal(plain[other], changed[other])
        assert not np.array_equal(plain[~other]["p50"], changed[~other]["p50"])
