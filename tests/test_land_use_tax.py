"""Land-use tax in the draws: without the penalty, as booked, at the full rates; the increment alone, by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from build import ledger, years
from test_report_tables import LINSHU, ZHOUSHAN
from test_report_words import tables_of, text_of

import lyeval as ly
from lyeval import report
from lyeval.forecasting.land_use_tax import full_charge

MU = 2000 / 3 / 1e4  # 万元 a 亩 for each 元/m²


def book(paid: float | None = None, extra: float | None = None) -> ly.Ledger:  # pyright: ignore[reportAttributeAccessIssue]
    """Forty below-scale firms of 10 亩; the first three are priority firms just below the line: town, county seat, place unknown."""
    rng = np.random.default_rng(5)
    annual = []
    for i in range(40):
        level = 8.0 if i < 3 else 30.0
        annual += years(
            f"B{i:02d}", {y: float(level * np.exp(rng.normal(0, 0.05))) for y in range(2018, 2024)}, 10, False
        )
    for row in annual:
        row["land_use_tax_wan"] = paid if row["credit_code"] < "B03" else 0.0
        row["land_use_tax_extra_wan"] = extra if row["credit_code"] < "B03" and row["year"] == 2023 else 0.0
    places = {"B00": "建制镇", "B01": "县城", "B02": None}
    firms = [
        {
            "credit_code": f"B{i:02d}",
            "name": f"企业{i}",
            "location": places.get(f"B{i:02d}", "建制镇"),
            "agreement_breached": i < 3,
        }
        for i in range(40)
    ]
    cases = [
        {
            "credit_code": f"B{i:02d}",
            "method": "rectify",
            "outcome": "进行中",
            "started": "2022-03-01",
            "due": "2022-12-01",
        }
        for i in range(3)
    ]
    process = [
        {"credit_code": f"B{i:02d}", "notified": "2022-02-01", "certified": "2022-03-01", "key_listed": "2023-02-01"}
        for i in range(3)
    ]
    return ledger(enterprises=firms, annual=annual, disposals=cases, process=process)


def test_the_increment_is_the_full_rate_less_what_is_paid() -> None:
    for paid in (0.0, 1.5, None):
        charge = full_charge(book(paid), LINSHU, 2024, 2023)
        assert charge.listed[:3].all()
        assert not charge.listed[3:].any()
        full = np.array([4.0, 6.4, 6.4]) * MU * 10
        assert charge.extra_wan[:3] == pytest.approx(np.maximum(full - (paid or 0.0), 0.0))
        assert (charge.extra_wan[3:] == 0).all()


def test_odds_rise_from_left_out_to_booked_to_full() -> None:
    told = ly.forecast(book(0.0, 1.0), LINSHU, 2024, as_of="2023-12", draws=400)
    by = told.by_levy.query("id == 'below_scale_low_land_share'").set_index("counted")
    assert by.loc["left_out", "p50"] >= by.loc["booked", "p50"] > by.loc["full", "p50"]
    assert by.loc["left_out", "probability"] <= by.loc["booked", "probability"] <= by.loc["full", "probability"]
    assert (
        by.loc["booked", "probability"] == told.targets.set_index("id").loc["below_scale_low_land_share", "probability"]
    )
    assert by.loc["full", "firms"] == 3
    assert by.loc["full", "extra_wan"] == pytest.approx((4.0 + 6.4 + 6.4) * MU * 10)
    assert not told.by_levy.isna().any().any()


def test_a_plan_without_it_has_no_such_table() -> None:
    annual = [r for i in range(40) for r in years(f"A{i:02d}", dict.fromkeys(range(2015, 2020), 20.0 + i), 10, True)]
    told = ly.forecast(ledger(annual=annual), ZHOUSHAN, 2020, as_of="2019-12", draws=200)
    assert isinstance(told.by_levy, pd.DataFrame)
    assert told.by_levy.empty


def test_the_report_says_it_beside_the_central_odds() -> None:
    made = book(0.0, 1.0)
    told = ly.forecast(made, LINSHU, 2024, as_of="2023-12", draws=200)
    tables = tables_of(made, LINSHU, 2023) | report.forecast_tables(told)
    text = text_of(report.build_report(tables | {"run": {"edition": "research"}}))
    assert "对列为重点的3家按全额税率征收并计入" in text
    assert "最多增加11.20万元" in text
    assert "levies" in {t.id for t in report.annex(tables | {"run": {"edition": "research"}})}
