"""One word, one count: the bridge closes, parts stand within their wholes, and a contradiction stops the run in words."""

from __future__ import annotations

import pandas as pd
import pytest
import samples

from lyeval.ledger import read_ledger
from lyeval.policy import load_policy
from lyeval.report import save
from lyeval.tables import ConsistencyError, check, schema, words
from lyeval.tables.monthly import bulletin_tables


@pytest.fixture(scope="module")
def made():
    return samples.judged("linshu", 2023)


def whole(tables):
    return tables["counts"].query("by == 'all'").set_index("id")["n"]


def test_counts_of_the_sample_by_hand(made):
    """Counted once with pandas on the sheets themselves, not by the package."""
    n = whole(made)
    assert n["ledger"] == 400
    assert n["ledger"] == n["gone_before"] + n["outside"] + n["scope_open"] + n["left_in_scope"] + n["in_scope"]
    assert n["in_scope"] == 351
    assert n["reached"] == 35
    by_class = made["bridge"].query("by == 'class'").set_index("group")["in_scope"]
    assert by_class[["above", "below"]].tolist() == [118, 233]


def test_every_count_has_its_words_and_every_saved_table_its_columns(made):
    assert set(made["counts"]["id"]) == set(words())
    for word in words().values():
        assert all((word.zh, word.en, word.definition_zh, word.definition_en))
        assert word.part_of in ("", *words())
    for name in ("counts", "bridge"):
        assert list(made[name].columns) == list(schema()[name])
    for name in ("targets", "enterprises"):
        assert set(schema()[name]) <= set(made[name].columns)


def test_cases_overdue_are_open_and_past_their_term_by_the_day(made):
    sheet = read_ledger("sample:linshu").disposals
    day = pd.Timestamp("2023-12-31")
    done = sheet["outcome"].isin(
        ["关停", "清退", "注销", "整体收储", "部分收储", "收储", "转让", "重组", "破产", "搬迁", "达标"]
    )
    begun = ~(sheet["started"].fillna(sheet["finished"]) > day)
    is_open = begun & ~(done & (sheet["finished"] <= day))
    n = whole(made)
    assert n["cases_open"] == is_open.sum()
    assert n["cases_overdue"] == (is_open & (sheet["due"] < day)).sum()


def test_the_october_bulletin_and_the_report_do_not_refute_each_other(made):
    plan = load_policy("linshu-2021")
    month = bulletin_tables(read_ledger("sample:linshu"), plan, "2023-10")
    check(month)
    now, then = whole(made), whole(month)
    assert then["listed"] == now["listed"]
    assert then["left"] <= now["left"]
    assert then["reached"] == then["below"] == 0
    assert then["written_off"] <= now["written_off"]


def spoilt(made, name, where, column, value):
    table = made[name].copy()
    table.loc[table.index[table.eval(where)][0], column] = value
    return {**made, name: table}


@pytest.mark.parametrize(
    ("name", "where", "column", "value", "told"),
    [
        ("counts", "id == 'freed' and by == 'all'", "n", 99, "情形消除 99 多于达到标准线 35"),
        ("counts", "id == 'freed' and by == 'all'", "n", 36, "情形消除 36 多于达到标准线 35"),
        ("counts", "id == 'listed' and by == 'township'", "n", 0, "listed by township adds to"),
        ("bridge", "by == 'all'", "below", 1, "listed 85 is not reached 35"),
        ("bridge", "by == 'all'", "freed", 1, "freed is 1 in bridge"),
        ("enterprises", "state == 'reached'", "state", "below", "达到标准线（reached）在 enterprises 为 34"),
        ("disposals", "state == 'open'", "state", "finished", "cases_open is"),
    ],
)  # fmt: skip
def test_a_contradiction_stops_the_run_and_is_told(made, tmp_path, name, where, column, value, told):
    check(made)
    with pytest.raises(ConsistencyError, match="本次运行停止") as caught:
        save(tmp_path, spoilt(made, name, where, column, value))
    assert told in str(caught.value)
    assert caught.value.text("en").isascii() or "township" in caught.value.text("en")
    assert not list(tmp_path.iterdir())


def test_a_list_that_is_short_of_its_count_is_told(made):
    with pytest.raises(ConsistencyError, match="list_missed"):
        check({**made, "list_missed": made["list_missed"].iloc[1:]})
