"""The panel for other hands: values by hand, reasons for every blank, three formats alike, nothing that names anyone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from build import ledger, years

import lyeval as ly
from lyeval.comparison import codebook, deidentified, panel, write_panel
from lyeval.comparison.exports import reasons
from lyeval.comparison.panels import columns

SALT = "kept-by-the-office"


@pytest.fixture
def small() -> ly.Ledger:
    rows = [
        *years("A1", {2018: 5, 2019: 10, 2020: 30}, 10.0, True),
        *years("B1", {2019: 30, 2020: None}, 10.0, False),
        *years("B2", {2019: 4, 2020: 5}, None, False),
    ]
    started = {
        "credit_code": "A1",
        "method": "upgrade",
        "outcome": "关停",
        "started": "2020-03-01",
        "finished": "2020-11-05",
    }
    enterprises = [
        {"credit_code": c, "name": f"企业{c}", "township": "某镇", "industry_code": "2011"} for c in ("A1", "B1", "B2")
    ]
    months = [{"credit_code": "A1", "year": 2020, "month": m, "tax_wan": 1.0 if m < 11 else 10.0} for m in range(1, 13)]
    process = [{"credit_code": "A1", "notified": "2020-07-10", "certified": "2021-01-02"}]
    return ledger(enterprises=enterprises, annual=rows, disposals=[started], monthly=months, process=process)


def test_rows_by_hand(small: ly.Ledger) -> None:
    got = panel(small, "zhoushan-2020").set_index(["credit_code", "year"])
    assert len(got) == 9
    a = got.loc[("A1", 2020)]
    assert (a["tax_per_mu"], a["line"], a["listed"], a["below_line"]) == (3.0, 2.0, True, False)
    assert (a["method"], a["treated_year"], a["treated"], a["closed"], a["exit_year"]) == (
        "upgrade",
        2020,
        True,
        True,
        2020,
    )
    assert (a["steps"], a["industry"], a["first_score"], a["late_share"]) == (
        "notified",
        "20",
        1.0,
        pytest.approx(2 / 3),
    )
    assert not got.loc[("A1", 2019), "treated"]
    assert got.loc[("B1", 2020), "listed"] is not pd.NA
    assert not got.loc[("B1", 2020), "listed"]
    assert pd.isna(got.loc[("B2", 2020), "listed"]), "no land: not decided"
    assert pd.isna(got.loc[("A1", 2019), "line"])


def test_every_blank_has_a_reason(small: ly.Ledger) -> None:
    got = panel(small, "zhoushan-2020")
    book = codebook(got).set_index("column")
    assert list(book.index) == [c.name for c in columns()]
    for name in got:
        assert sum(reasons(got, name).values()) == got[name].isna().sum(), name
    assert reasons(got, "tax_wan") == {"no_row": 2, "blank": 1}
    assert reasons(got, "tax_per_mu") == {"no_row": 2, "no_tax": 1, "no_land": 2}
    assert reasons(got, "employees") == {"no_row": 2, "no_column": 7}
    assert reasons(got, "listed") == {"not_governed": 6, "unknown": 1}
    assert book.loc["listed", "reasons"] == "方案不适用该年 6；缺事实，不能判定 1"


def test_formats_hold_the_same(small: ly.Ledger, tmp_path: Path) -> None:
    got = panel(small, "zhoushan-2020")
    paths = write_panel(got, tmp_path / "one")
    assert [p.name for p in paths] == ["panel.csv", "panel.parquet", "panel.dta", "codebook.csv"]
    csv, parquet, stata = pd.read_csv(paths[0]), pd.read_parquet(paths[1]), pd.read_stata(paths[2])
    assert list(csv) == list(parquet) == list(stata) == [c.name for c in columns()]
    for frame in (csv, parquet, stata):
        assert frame["tax_wan"].sum() == 84
        assert list(frame["credit_code"]) == list(got["credit_code"])
    again = write_panel(panel(small, "zhoushan-2020"), tmp_path / "two")
    assert [a.read_bytes() for a in paths] == [b.read_bytes() for b in again]


def test_deidentified_names_nobody(small: ly.Ledger) -> None:
    got = panel(small, "zhoushan-2020")
    got.loc[0, "tax_wan"] = 12345.678
    hidden = deidentified(got, SALT)
    text = hidden.to_csv()
    assert not [word for word in ("企业", "某镇", "A1", "B1") if word in text]
    assert hidden["tax_wan"].max() == 12300
    assert hidden["credit_code"].nunique() == 3
    assert set(deidentified(got, SALT)["credit_code"]) == set(hidden["credit_code"])
    assert set(deidentified(got, SALT + "x")["credit_code"]).isdisjoint(hidden["credit_code"])
    with pytest.raises(ValueError, match="at least 8"):
        deidentified(got, "short")


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from lyeval.cli import main

    for words, code in (
        (["--out", str(tmp_path / "p"), "--deidentify", "--salt", SALT, "--lang", "zh"], 0),
        (["--out", str(tmp_path / "q"), "--deidentify"], 2),
        (["--out", str(tmp_path / "q"), "--salt", SALT], 2),
    ):
        with pytest.raises(SystemExit) as done:
            main(["panel", "sample:zhoushan-shengsi", "--policy", "zhoushan-2020", *words])
        assert done.value.code == code
    assert "panel.dta" in capsys.readouterr().out
    assert "name" not in pd.read_parquet(tmp_path / "p/panel.parquet")
    assert not (tmp_path / "q").exists()
