from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledgers import ENTERPRISES, A, B, C, content, csv_file
from pandas.testing import assert_frame_equal

from lyeval.ledger import read_ledger
from lyeval.ledger.columns import as_text, isin, marks, ordering, picked, ranked, sort_rows

WORDS = st.lists(st.sampled_from(["", "a", "b", "亩", "é", "zz", None]), max_size=30)
YEARS = st.integers(1990, 2030)


@given(WORDS, st.data())
def test_sorting_is_pandas_sorting(words, data):
    years = data.draw(st.lists(YEARS, min_size=len(words), max_size=len(words)))
    frame = pd.DataFrame({"k": as_text(words), "y": np.array(years, dtype=np.int64), "row": np.arange(len(words))})
    expected = frame.sort_values(["k", "y"], kind="stable", na_position="first", ignore_index=True)
    assert_frame_equal(sort_rows(frame, ["k", "y"], marks(frame["k"])), expected)
    assert_frame_equal(sort_rows(frame, ["k", "y"]), expected)


@given(WORDS, WORDS)
def test_looking_up_is_pandas_looking_up(words, others):
    one, other = as_text(words).dropna(), as_text(others).dropna()
    assert isin(one, other).tolist() == one.isin(set(other)).tolist()


@given(st.lists(st.integers(-50, 50) | st.integers(-(2**40), 2**40), max_size=40))
def test_orders_are_stable(values):
    place = np.array(values, dtype=np.int64)
    order = ordering(place)
    assert (np.arange(len(place)) if order is None else order).tolist() == np.argsort(place, kind="stable").tolist()


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1.5, np.nan, 1.5]),
        pd.Series(["乙", None, "甲"], dtype="str"),
        pd.Series([True, None, False], dtype="boolean"),
        pd.Series(pd.to_datetime(["2021-01-01", None, "2020-01-01"])),
    ],
    ids=["float", "text", "flag", "date"],
)
def test_marks_lead_back_to_their_values(values):
    places, distinct = marks(values)
    assert places.tolist()[1] == -1
    pd.testing.assert_series_equal(picked(distinct, places).astype(values.dtype), values)
    assert ranked(values)[0].tolist()[1] == -1


def test_a_flat_table_out_of_order_gives_the_latest_facts(tmp_path):
    rows = [["统一社会信用代码", "年份", "企业名称", "镇街", "公益类", "实缴税金", "土地总面积", "规上"]]
    rows += [
        [B, 2023, "乙", "", "是", 3, 10, "否"],
        [A, 2022, "甲", "东", "", 1, 10, "否"],
        [C, 2023, "丙", "", "", 5, 10, "否"],
    ]
    rows += [[A, 2023, "甲", "西", "", 2, 10, "否"], [B, 2022, "乙", "南", "否", 4, 10, "否"]]
    read = read_ledger(csv_file(tmp_path / "f.csv", rows))
    assert read.annual["tax_wan"].tolist() == [1, 2, 4, 3, 5]
    assert read.annual["source_row"].tolist() == [3, 5, 6, 2, 4]
    firms = read.enterprises.set_index("credit_code")
    assert firms["township"].fillna("").to_dict() == {A: "西", B: "南", C: ""}
    assert firms.loc[B, "public_good"] is True or bool(firms.loc[B, "public_good"])
    told = {(f.rule, f.row) for f in read.faults}
    assert told == {("identity_changes", 3), ("identity_changes", 6)}


def test_blank_cells_of_csv_are_missing_in_every_kind(tmp_path):
    blank = csv_file(tmp_path / "企业.csv", [ENTERPRISES[0], *[[row[0], *[""] * 5] for row in ENTERPRISES[1:]]])
    frame = content(read_ledger([blank]).enterprises)
    assert frame.drop(columns="credit_code").isna().all().all()
