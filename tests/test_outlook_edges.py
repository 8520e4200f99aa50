"""Poor input to the odds: a result with its note or a clear refusal, and never NaN in a table."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from outlook_county import county, with_disposals

import lyeval as ly
from lyeval.forecasting import sensitivity
from lyeval.ledger import Ledger
from lyeval.policy.assumptions import load_assumptions
from lyeval.policy.patches import adjust
from lyeval.simulation import compare_scenarios


def taxed(book: Ledger, **columns: object) -> Ledger:
    """Return a county with some columns of its annual figures set."""
    months = book.monthly.assign(tax_wan=0.0) if columns.get("tax_wan") == 0.0 else book.monthly
    return replace(book, annual=book.annual.assign(**columns), monthly=months)


def one_class(above: bool) -> Ledger:
    book = county(40)
    return taxed(book, above_scale=pd.array([above] * len(book.annual), dtype="boolean"))


def silent() -> Ledger:
    """Every kind of enterprise at once: new, silent, negative, without land, stopped, without class."""
    book = county(40)
    codes = book.enterprises["credit_code"].tolist()
    annual = book.annual.copy()
    annual = annual[~((annual["credit_code"] == codes[0]) & (annual["year"] < 2023))]  # no history but the last year
    annual.loc[(annual["credit_code"] == codes[1]), "tax_wan"] = 0.0
    annual.loc[(annual["credit_code"] == codes[2]) & (annual["year"] == 2023), "tax_wan"] = -5.0
    annual.loc[(annual["credit_code"] == codes[3]), "land_mu"] = float("nan")
    annual.loc[(annual["credit_code"] == codes[4]) & (annual["year"] == 2023), "tax_wan"] = float("nan")
    annual.loc[(annual["credit_code"] == codes[5]), "tax_wan"] = float("nan")
    annual.loc[(annual["credit_code"] == codes[6]), "above_scale"] = pd.NA
    return replace(book, annual=annual, enterprises=book.enterprises.assign(stopped_since=pd.Timestamp("2023-05-01")))


LINSHU = ly.load_policy("linshu-2021")
COUNTIES = {
    "one enterprise": county(1),
    "one year": county(40, range(2023, 2024)),
    "two years": county(40, range(2022, 2024)),
    "no monthly table": county(40, monthly=False),
    "all zeros": taxed(county(40), tax_wan=0.0),
    "nothing but refunds": taxed(county(40), tax_wan=-1.0),
    "nobody below scale": one_class(True),
    "nobody above scale": one_class(False),
    "no land at all": taxed(county(40), land_mu=float("nan")),
    "of every kind": silent(),
    "a case of every method": with_disposals(
        county(40), [(i, name, "2023-06-01", None, "进行中") for i, name in enumerate(m.id for m in load_assumptions().methods)]
    ),
}  # fmt: skip


def no_blank(frame: pd.DataFrame) -> None:
    """Assert that no cell of a table is NaN; what is not known is None."""
    found = frame.map(lambda cell: isinstance(cell, float) and cell != cell)
    assert not found.to_numpy().any(), frame[found.any(axis=1)]


@pytest.mark.parametrize("name", COUNTIES)
def test_every_table_of_a_poor_county_is_free_of_nan(name: str) -> None:
    book = COUNTIES[name]
    told = ly.forecast(book, LINSHU, 2024, as_of="2023-12", draws=128)
    moved = sensitivity(told, samples=2, draws=128)
    ahead = ly.simulate(ly.assess(book, LINSHU, 2023), years=2, draws=128)
    frames = [told.targets, told.enterprises, told.scenarios, told.by_enterprises, told.by_reading, told.by_levy]
    frames += [moved.factors, moved.groups, moved.tidy(), ahead.targets, ahead.enterprises, ahead.scenarios]
    past = ly.backtest(book, LINSHU, [2022, 2023], [0, 6], draws=128)
    frames += [past.scores, past.coverage, past.skill, past.reliability, past.pit, past.tidy()]
    for frame in frames:
        no_blank(frame)
    for row in told.targets.to_dict("records"):
        assert row["probability"] is not None or row["note"]
        assert row["probability"] is None or 0 <= row["probability"] <= 1
    assert not past.enough
    assert "few_years" in {n.id for n in past.notes}


@pytest.mark.parametrize(
    ("name", "note"),
    [("one enterprise", "persistence"), ("one year", "persistence"), ("two years", "one_transition"), ("all zeros", "persistence"),
     ("no land at all", "no_land"), ("of every kind", "newcomers"), ("of every kind", "stale"),
     ("of every kind", "silent"), ("of every kind", "negative"), ("of every kind", "stopped")],
)  # fmt: skip
def test_what_could_not_be_done_is_told(name: str, note: str) -> None:
    told = ly.forecast(COUNTIES[name], LINSHU, 2024, as_of="2023-12", draws=128)
    assert note in {n.id for n in told.notes}


def test_a_class_with_nobody_gets_its_words_in_scenarios_too() -> None:
    book = COUNTIES["nobody below scale"]
    found = compare_scenarios(ly.assess(book, LINSHU, 2023), {"x": {"effort": 2.0}}, draws=128)
    no_blank(found)
    assert set(found[found["id"] == "below_scale_low_land_share"]["probability"]) == {None}


@pytest.mark.parametrize(
    "changes", [{"common_shock.sd": 9.0}, {"methods.upgrade.success.a": 0}, {"funds": float("nan")}]
)
def test_an_assumption_out_of_range_is_refused(changes: dict) -> None:
    with pytest.raises(ly.PolicyError):
        adjust(load_assumptions(), changes)


@pytest.mark.parametrize(("draws", "years"), [(10, 1), (2_000_000, 1), (500, 0), (500, 6)])
def test_a_number_of_draws_or_years_that_gives_no_odds_is_refused(draws: int, years: int) -> None:
    with pytest.raises(ValueError, match="draws" if years == 1 else "years"):
        ly.simulate(ly.assess(county(5), LINSHU, 2023), draws=draws, years=years)


def test_a_covariate_that_the_data_do_not_allow_is_dropped_with_its_name() -> None:
    book = county(80)
    bare = {n.zh for n in ly.forecast(book, LINSHU, 2024, as_of="2023-12", draws=128).notes if n.id == "dropped"}
    assert any("行业" in text for text in bare)
    assert any("镇街" in text for text in bare)
    firms = book.enterprises.assign(
        industry_code=["3311" if i % 2 else "2211" for i in range(80)],
        township=["甲镇" if i % 3 else "乙镇" for i in range(80)],
    )
    rich = ly.forecast(replace(book, enterprises=firms), LINSHU, 2024, as_of="2023-12", draws=128)
    assert not [n for n in rich.notes if n.id == "dropped" and ("行业" in n.zh or "镇街" in n.zh)]
    assert {n for n in rich.basis.given.annual.static if "_" in n} == {"log_land", "sector_33", "township_乙镇"}
