"""Scenarios: assumptions patched by path, the same draws across them, and their table in the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from outlook_county import county, with_disposals
from test_report_document import cells
from test_report_tables import LINSHU, small
from test_report_words import tables_of

import lyeval as ly
from lyeval import report
from lyeval.policy.assumptions import load_assumptions
from lyeval.policy.patches import adjust
from lyeval.run.production import check_run
from lyeval.run.run_file import load_run
from lyeval.simulation import compare_scenarios

CASES = [(i, "land_bank" if i % 2 else "upgrade", "2023-06-01", None, "进行中") for i in range(20)]
BOOK = with_disposals(county(level=-0.5, monthly=False), CASES)
NOW = ly.assess(BOOK, LINSHU, 2023)


def test_a_figure_is_changed_by_its_path_and_nothing_else() -> None:
    taken = load_assumptions()
    made = adjust(taken, {"effort": 1.5, "common_shock.mean": -0.15, "methods.land_bank.success.a": 2.5})
    before, after = ({row.path: row.numbers for row in a.rows()} for a in (taken, made))
    assert {p for p in before if before[p] != after[p]} == {"effort", "common_shock.mean", "methods.land_bank.success"}
    assert made.method("land_bank").success.a == 2.5
    assert adjust(taken, {}) is taken


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"efort": {"value": 1}}, "efort"),
        ({"common_shok.sd": 0.1}, "did you mean 'common_shock'"),
        ({"methods.land_bnk.cost": 1}, "did you mean 'land_bank'"),
        ({"effort": -1}, "effort.value: -1"),
        ({"common_shock.sd": 0}, "common_shock.sd.value"),
        ({"effort": "fast"}, "fast"),
    ],
)
def test_what_is_not_there_or_out_of_range_is_refused(changes: dict, told: str) -> None:
    with pytest.raises(ly.PolicyError, match=told):
        adjust(load_assumptions(), changes)


def test_the_first_rows_are_the_assumptions_as_they_stand() -> None:
    found = compare_scenarios(NOW, {"x": {"effort": 1.0}}, draws=300, seed=4)
    plain = ly.simulate(NOW, draws=300, seed=4).targets
    base, same = (found[found["scenario"] == name].reset_index(drop=True) for name in ("", "x"))
    for name in ("probability", "p05", "p50", "p95"):
        assert base[name].tolist() == plain[name].tolist() == same[name].tolist()
    assert set(same["changes"]) == {"effort=1.0"}


def test_a_shift_of_demand_moves_every_tax_by_as_much() -> None:
    plain, low = (
        ly.simulate(NOW, assumptions=adjust(load_assumptions(), changes), draws=300).enterprises
        for changes in ({}, {"common_shock.mean": -0.15})
    )
    there = plain["p50"] > 0  # who is more likely gone than not has a median of nothing
    assert there.sum() > len(there) / 2
    assert np.allclose((low["p50"] / plain["p50"])[there], np.exp(-0.15))


def drawn(changes: dict, years: int = 1) -> pd.DataFrame:
    """Return the enterprises of the county under some assumptions."""
    return ly.simulate(NOW, assumptions=adjust(load_assumptions(), changes), years=years, draws=300).enterprises


def test_later_years_carry_the_shift_in_their_level_alone() -> None:
    plain, low = drawn({}, 2), drawn({"common_shock.mean": -0.15}, 2)
    later = (plain["year"] == 2025) & (plain["p50"] > 0)
    ratio = (low["p50"] / plain["p50"])[later]
    assert ratio.between(np.exp(-0.15), 1.01).all()
    assert ratio.median() < 0.999


def test_without_effort_nothing_is_finished() -> None:
    idle = ly.simulate(ly.assess(with_disposals(county(level=-0.5, monthly=False), []), LINSHU, 2023), draws=300)
    pd.testing.assert_frame_equal(drawn({"effort": 0.0}), idle.enterprises)


def test_money_is_for_banking_alone() -> None:
    plain, poor, rich = (drawn(changes)["p50"].to_numpy() for changes in ({}, {"funds": 0.0}, {"funds": 5.0}))
    upgraded, banked = np.arange(0, 20, 2), np.arange(1, 20, 2)
    assert (poor[upgraded] == plain[upgraded]).all()
    assert (poor[banked] == drawn({"effort": 0.0})["p50"].to_numpy()[banked]).all()
    assert (rich[banked] == 0).all()
    assert (poor[banked] > 0).all()


def test_the_report_lays_them_out_beside_the_odds_as_arranged() -> None:
    book = small()
    now = ly.assess(book, LINSHU, 2023)
    others = compare_scenarios(now, {"加大力度": {"effort": 1.5}, "回落": {"common_shock.mean": -0.15}}, draws=200)
    made = tables_of(book, LINSHU, 2023) | report.simulation_tables(ly.simulate(now, draws=200), others)
    document = report.build_report(made | {"run": {"edition": "research"}})
    rows = cells(document, "alternatives")
    assert list(dict.fromkeys(row["scenario"] for row in rows)) == ["按现有安排", "加大力度", "回落"]
    odds = {row["label"]: (row["certain"], row["p50"]) for row in cells(document, "simulation_odds")}
    assert all((row["certain"], row["p50"]) == odds[row["label"]] for row in rows if row["scenario"] == "按现有安排")
    changes = {row["scenario"]: row["changes"] for row in rows}
    assert changes["加大力度"] == "处置办结的快慢为现有安排的1.5倍"
    assert changes["回落"] == "全域税收的对数变动−0.15"
    assert "alternatives" in {t.id for t in report.annex(made | {"run": {"edition": "research"}})}


def test_a_run_file_names_scenarios_and_a_wrong_one_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    text = "policy: linshu-2021\nledger: sample:linshu\nyear: 2023\nscenarios:\n  加大力度: {effort: 1.5}\n"
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    assert load_run(tmp_path / "mine.yaml").spec.scenarios == {"加大力度": {"effort": 1.5}}
    (tmp_path / "mine.yaml").write_text(text.replace("effort: 1.5", "effort: 99"), encoding="utf-8")
    with pytest.raises(ly.PolicyError, match=r"effort\.value: 99"):
        check_run(load_run(tmp_path / "mine.yaml"))
