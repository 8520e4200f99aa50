"""The panel for other hands: values by hand, reasons for every blank, three formats alike, nothing that names anyone."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import os
import random
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from build import ledger, years
from commands import runner

import lyeval as ly
from lyeval.ledger.vocabulary import terms
from lyeval.panels import CannotHide, codebook, deidentified, is_shared, panel, read_key, write_panel
from lyeval.panels.export import columns, reasons
from lyeval.panels.privacy import AMOUNTS
from lyeval.sample import make
from lyeval.tables.registry import values
from lyeval.workbooks import RISKY

KEY = hashlib.sha256(b"a key of the tests").digest()


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
    assert list(csv) == list(parquet) == list(stata.drop(columns="firm")) == [c.name for c in columns()]
    for frame in (csv, parquet, stata):
        assert frame["tax_wan"].sum() == 84
        assert list(frame["credit_code"]) == list(got["credit_code"])
    again = write_panel(panel(small, "zhoushan-2020"), tmp_path / "two")
    assert [a.read_bytes() for a in paths] == [b.read_bytes() for b in again]


def test_stata_has_a_numeric_id_english_labels_and_labelled_flags(small: ly.Ledger, tmp_path: Path) -> None:
    path = write_panel(panel(small, "zhoushan-2020"), tmp_path)[2]
    with pd.io.stata.StataReader(path) as reader:
        labels, values = reader.variable_labels(), reader.value_labels()
    assert not [text for text in labels.values() if not text.isascii()]
    assert labels["tax_per_mu"] == "tax per mu (RMB 10,000/mu)"
    assert values["listed"] == {0: "no", 1: "yes"}
    frame = pd.read_stata(path)
    assert frame.groupby("credit_code")["firm"].nunique().eq(1).all()
    assert sorted(frame["firm"].unique()) == [1.0, 2.0, 3.0]


def test_stata_tells_classes_and_outcomes_in_english(tmp_path: Path) -> None:
    """Every outcome that a ledger can hold has its number and word, the report's own word; a code that has none stays text."""
    whole = panel(ly.read_ledger("sample:zhoushan-shengsi"), "zhoushan-2020")
    with pd.io.stata.StataReader(write_panel(whole, tmp_path)[2]) as reader:
        told, frame = reader.value_labels(), reader.read(convert_categoricals=False)
    outcomes = [term for term, _, _ in terms("outcome")]
    assert list(told["outcome"].values()) == [values()["word"][term].en for term in outcomes]
    assert list(told["plan_class"].values()) == ["above designated size", "below designated size"]
    back = dict(enumerate(outcomes, start=1))
    assert frame["outcome"].map(back).dropna().tolist() == whole["outcome"].dropna().tolist()
    odd = whole.assign(outcome=whole["outcome"].where(whole["outcome"].isna(), "退出"))
    assert set(pd.read_stata(write_panel(odd, tmp_path / "odd")[2])["outcome"]) == {"", "退出"}


def test_csv_runs_no_formula(small: ly.Ledger, tmp_path: Path) -> None:
    got = panel(small, "zhoushan-2020")
    got["name"] = ["=1+1", "+甲", "-乙", "@丙", "＝丁", "'戊", "\t己", "庚", None]
    got.loc[0, "tax_wan"] = -5.5
    paths = write_panel(got, tmp_path)
    text = paths[0].read_text(encoding="utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(RISKY[:-1]) and cell != "-5.5"]
    assert pd.read_csv(paths[0])["tax_wan"].min() == -5.5
    assert [n for n in pd.read_csv(paths[0])["name"][:7]] == [f"'{n}" for n in got["name"][:7]]
    assert list(pd.read_parquet(paths[1])["name"][:8]) == list(got["name"][:8])
    assert not [line for line in paths[3].read_text(encoding="utf-8-sig").splitlines() if line.startswith(RISKY[:-1])]


# -- de-identification -------------------------------------------------------------------------------------------------


def county(seed: int) -> pd.DataFrame:
    """Return the panel of a random county."""
    rng = random.Random(seed)
    frames = make(
        "zhoushan-2020", enterprises=rng.choice((12, 20, 40, 70)), years=(2019 - rng.randint(0, 3), 2020), seed=seed
    )
    filled = {name: frame.assign(source_file="x", source_sheet="x", source_row=1) for name, frame in frames.items()}
    out = panel(ly.Ledger(**filled, sheets=tuple(filled)), "zhoushan-2020")
    for code in rng.sample(sorted(set(out["credit_code"])), 3):
        out.loc[(out["credit_code"] == code) & (out["year"] == 2020), "present"] = False
    return out


def like(frame: pd.DataFrame) -> int:
    """Return how many firms the rarest record has: all but amounts, of all years together."""
    known = [name for name in frame if name not in (*AMOUNTS, "credit_code")]
    records = {}
    for code, rows in frame.groupby("credit_code"):
        records[code] = tuple(tuple("" if pd.isna(v) else str(v) for v in row) for row in rows[known].to_numpy())
    return min(Counter(records.values()).values())


@pytest.mark.parametrize("seed", range(30))
def test_every_firm_has_four_like_it(seed: int) -> None:
    whole = county(seed)
    made = deidentified(whole, KEY)
    assert like(made.frame) == made.k >= 5
    assert made.firms == made.frame["credit_code"].nunique()
    assert made.firms + made.left_out == whole["credit_code"].nunique()
    assert made.left_out <= 0.3 * whole["credit_code"].nunique()
    assert sum(level is not None for level in made.kept.values()) > len(AMOUNTS)
    secret = {str(v) for name in ("name", "credit_code", "township", "county") for v in whole[name].dropna()}
    assert not secret & {str(v) for name in made.frame for v in made.frame[name]}


def test_one_key_joins_and_another_does_not() -> None:
    whole = county(3)
    one, other = deidentified(whole, KEY), deidentified(whole[whole["year"] >= 2019], KEY)
    third = deidentified(whole, bytes(reversed(KEY)))
    assert len(set(one.frame["credit_code"]) & set(other.frame["credit_code"])) > 5
    assert not set(one.frame["credit_code"]) & set(third.frame["credit_code"])
    assert one.frame["credit_code"].str.fullmatch("[0-9a-f]{32}").all()
    code = whole["credit_code"].iloc[0]
    by_hand = hmac.new(KEY, f"firm\0{code}".encode(), "sha256").hexdigest()[:32]
    assert by_hand in set(one.frame["credit_code"]) or one.left_out


def test_amounts_have_three_figures_and_land_cannot_be_worked_out() -> None:
    whole = county(5)
    whole.loc[whole["present"], "tax_wan"] = 12345.678
    made = deidentified(whole, KEY).frame
    assert set(made["tax_wan"]) == {12300.0}
    assert not {"land_use_tax_wan", "first_score", "score", "name", "steps", "treated"} & set(made)
    assert made.get("land_mu", pd.Series(["5-10"])).dropna().str.contains("[<>-]").all()
    assert made.get("tax_per_mu", pd.Series(["<2"])).dropna().str.contains("[<>-]").all()


def test_too_few_firms_are_refused_in_words(small: ly.Ledger) -> None:
    with pytest.raises(CannotHide, match="fewer than 5 firms"):
        deidentified(panel(small, "zhoushan-2020"), KEY)


@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"short",
        bytes(15),
        b"a" * 64,
        b"abcdefgh" * 8,
        b"0123456789abcdef",
        b"0123456789" * 3,
        bytes(range(16)),
        b"kept-by-the-office",
    ],
)
def test_weak_keys_are_refused(key: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(key)
    with pytest.raises(CannotHide):
        read_key(tmp_path / "key", tmp_path / "out")
    with pytest.raises(CannotHide):
        deidentified(county(1), key)


def test_where_a_key_may_lie(tmp_path: Path) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    for inside in (tmp_path / "out" / "key", tmp_path / "out" / "deep" / "key"):
        inside.write_bytes(KEY)
        with pytest.raises(CannotHide, match="output folder"):
            read_key(inside, tmp_path / "out")
    with pytest.raises(CannotHide, match="no key file"):
        read_key(tmp_path / "none", tmp_path / "out")
    beside = tmp_path / "key"
    beside.write_bytes(KEY.hex().encode() + b"\r\n")
    assert read_key(beside, tmp_path / "out") == KEY.hex().encode()
    (tmp_path / "link").symlink_to(tmp_path / "out" / "key")
    with pytest.raises(CannotHide, match="output folder"):
        read_key(tmp_path / "link", tmp_path / "out")


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    lyeval = runner(capsys, monkeypatch)
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "key").chmod(0o600)
    asked = ("panel", "sample:zhoushan-shengsi", "--policy", "zhoushan-2020", "--lang", "zh")
    done = lyeval(*asked, "--out", tmp_path / "p", "--deidentify", "--key", tmp_path / "key")
    assert done.code == 0
    assert "panel.dta" in done.out
    assert "人人可读" not in done.err
    frames = [
        pd.read_parquet(tmp_path / "p/panel.parquet"),
        pd.read_csv(tmp_path / "p/panel.csv"),
        pd.read_stata(tmp_path / "p/panel.dta").drop(columns="firm"),
    ]
    k = like(frames[0])
    assert [like(frame) for frame in frames] == [k, k, k]
    assert f"k = {k}：" in done.out
    book = pd.read_csv(tmp_path / "p/codebook.csv").set_index("column")
    assert book.loc["(k)", "about"].startswith(f"k = {k}：")
    assert book.loc["name", "coarsened"] == "已删去"
    for words in (
        ["--deidentify"],
        ["--key", tmp_path / "key"],
        ["--deidentify", "--salt", "x" * 40],
        ["--deidentify", "--key", tmp_path / "no"],
    ):
        refused = lyeval(*asked, "--out", tmp_path / "q", *words)
        assert refused.code == 2
        assert "key" in refused.err
    assert not (tmp_path / "q").exists()


@pytest.mark.skipif(os.name != "posix", reason="permissions")
def test_a_key_that_all_can_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "key").chmod(0o644)
    assert is_shared(tmp_path / "key")
    (tmp_path / "key").chmod(0o600)
    assert not is_shared(tmp_path / "key")
