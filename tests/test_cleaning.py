from __future__ import annotations

import os
import random
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ledgers import ANNUAL, BOTH, ENTERPRISES, A, B, C, code, xlsx
from python_calamine import CalamineWorkbook
from test_ledger_forms import office_form
from test_ledger_property import rendered

from lyeval import workbooks
from lyeval.assessment import assess
from lyeval.ledger import COLUMNS, SHEETS, Ledger, read_ledger
from lyeval.ledger.clean import clean, spans, write_clean
from lyeval.ledger.columns import PLACE, dtype_of
from lyeval.policy import load_policy, method_words

FIELD = Path(__file__).resolve().parents[2] / "shared" / "data"
CASES = [
    ("sample:linshu", "linshu-2021", 2023),
    ("sample:zhoushan-dinghai", "zhoushan-2020", 2020),
    (FIELD / "dinghai-2020-ledger.xlsx", "zhoushan-2020", 2020),
    (FIELD / "linshu-2023-flat-gb18030.csv", "linshu-2021", 2023),
]


def assert_same(one: Ledger, other: Ledger) -> None:
    """Compare two ledgers but for the place of their rows and the words of outcomes."""
    assert one.sheets == other.sheets
    for sheet in one.sheets:
        frames = [getattr(x, sheet).drop(columns=[*PLACE, "outcome_text"], errors="ignore") for x in (one, other)]
        pd.testing.assert_frame_equal(*frames, check_exact=True)


@pytest.mark.parametrize(("path", "plan", "year"), CASES, ids=lambda v: Path(str(v)).stem if v else "")
def test_a_clean_ledger_gives_the_same_verdicts(tmp_path, path, plan, year):
    if isinstance(path, Path) and not path.exists():
        pytest.skip("field data not at hand")
    policy, out = load_policy(plan), tmp_path / "ledger.xlsx"
    words = method_words([policy])
    before = read_ledger(path, methods=words)
    write_clean(before, out)
    after = read_ledger(out, methods=words)
    assert_same(before, after)
    assert after.synthetic == before.synthetic
    quotas = {"closures": 5, "demolition": 3000, "blocks": 1} if plan.startswith("zhoushan") else None
    one, other = (assess(x, policy, year, quotas=quotas).to_dict() for x in (before, after))
    assert one["targets"] == other["targets"]
    assert one["enterprises"] == other["enterprises"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_any_form_cleaned_comes_back_equal(seed):
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "in"
        source.mkdir()
        before = read_ledger(rendered(source, random.Random(seed)))
        write_clean(before, Path(name) / "out.xlsx")
        assert_same(before, read_ledger(Path(name) / "out.xlsx"))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32))
def test_every_column_of_every_sheet_comes_back(seed):
    before = everything(random.Random(seed))
    with tempfile.TemporaryDirectory() as name:
        write_clean(before, Path(name) / "out.xlsx")
        after = read_ledger(Path(name) / "out.xlsx")
    assert_same(before, after)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 6), st.booleans())
def test_rows_that_a_sheet_cannot_hold_come_back_from_the_next(seed, rows, large):
    before = everything(random.Random(seed))
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(workbooks, "ROWS", rows)
        patch.setattr(workbooks, "LARGE", 0 if large else 10**9)
        write_clean(before, Path(name) / "out.xlsx")
        sheets = CalamineWorkbook.from_path(str(Path(name) / "out.xlsx")).sheet_names
        after = read_ledger(Path(name) / "out.xlsx")
    assert_same(before, after)
    assert ("企业 (2)" in sheets) == (len(before.enterprises) > rows - 1)
    assert all(fault.severity != "error" for fault in after.faults)


@pytest.mark.skipif("LYEVAL_FUZZ" not in os.environ, reason="make fuzz: about a minute")
def test_a_million_months_come_back(tmp_path):
    before = months(firms=9720, years=9)
    assert len(before.monthly) == 1_049_760 > workbooks.ROWS
    write_clean(before, tmp_path / "out.xlsx")
    after = read_ledger(tmp_path / "out.xlsx")
    assert_same(before, after)
    assert after.monthly["source_sheet"].value_counts().to_dict() == {"月度": 1_048_575, "月度 (2)": 1185}


def months(firms: int, years: int) -> Ledger:
    """Return a ledger of every month of every year of every firm."""
    codes = sorted(code(i) for i in range(firms))
    rng, spans_ = np.random.default_rng(1), np.arange(2015, 2015 + years)
    size = firms * years
    columns = {
        "enterprises": {"credit_code": codes, "name": [f"企业{i}" for i in range(firms)]},
        "annual": {
            "credit_code": np.repeat(codes, years),
            "year": np.tile(spans_, firms),
            "tax_wan": rng.random(size),
            "land_mu": rng.random(size),
        },
        "monthly": {
            "credit_code": np.repeat(codes, 12 * years),
            "year": np.tile(np.repeat(spans_, 12), firms),
            "month": np.tile(np.arange(1, 13), size),
            "tax_wan": rng.random(12 * size),
        },
    }
    frames = {}
    for sheet, made in columns.items():
        typed = {name: pd.Series(values, dtype=dtype_of(sheet, name)) for name, values in made.items()}
        frames[sheet] = pd.DataFrame(typed).assign(**dict.fromkeys(PLACE, "x"))
    return Ledger(**frames, sheets=tuple(frames))


def everything(rng: random.Random) -> Ledger:
    """Return a ledger with every column of every sheet, filled at random."""
    frames = {}
    for sheet, (_, keys) in SHEETS.items():
        size = 6 if sheet in ("enterprises", "annual") else rng.randint(1, 6)
        codes = [code(i) for i in range(size)]
        columns = {}
        for column in (c for c in COLUMNS if c.sheet == sheet and c.kind not in ("org", "below")):
            columns[column.name] = [value(rng, column.kind) for _ in range(size)]
        columns |= {"credit_code": codes} if sheet not in ("blocks", "counties") else {}
        columns |= {"year": [2020] * size} if "year" in keys else {}
        columns |= {"month": [3] * size} if "month" in keys else {}
        columns |= {"block": [f"区块{i}" for i in range(size)]} if sheet == "blocks" else {}
        columns |= {"county": [f"县{i}" for i in range(size)]} if sheet == "counties" else {}
        known = [c.name for c in COLUMNS if c.sheet == sheet and c.name in columns]
        order = dict.fromkeys([*keys, *known])
        made = {n: pd.Series(columns[n], dtype=dtype_of(sheet, n)) for n in order}
        frames[sheet] = pd.DataFrame(made | {p: pd.Series(["x"] * size) for p in PLACE})
        if sheet == "disposals":
            frames[sheet].insert(frames[sheet].shape[1] - 3, "method_text", frames[sheet]["method"])
    return Ledger(**frames, sheets=tuple(frames))


def value(rng: random.Random, kind: str):
    """Return a value of a kind of column, sometimes none."""
    blank = rng.random() < 0.2
    if kind in ("amount", "quantity"):
        return None if blank else round(rng.uniform(-50 if kind == "amount" else 0, 900), rng.randint(0, 9))
    if kind == "share":
        return None if blank else rng.random()
    if kind in ("flag", "reason", "scale"):
        return None if blank else rng.random() < 0.5
    if kind.startswith("date"):
        return pd.NaT if blank else pd.Timestamp(f"20{rng.randint(10, 30)}-{rng.randint(1, 12):02}-15")
    if kind == "method":
        return rng.choice(
            ["upgrade", "rectify", "merge", "partition", "land_bank", "judicial", "shut_down", "contract"]
        )
    if kind == "outcome":
        return rng.choice(["达标", "关停", "部分收储", "进行中"])
    if kind == "flow":
        return rng.choice(["入库", "免抵", "留抵退税"])
    if kind == "code":
        return code(rng.randint(10, 99))
    return rng.choice(["=1+1", "@甲", "-乙、丙", "12345678901234567890", "AB 公司（一）", "A"])


def test_every_change_is_listed(tmp_path):
    annual = [
        ["各年度情况"],
        ["序号", "纳税人识别号", "年度", "规模类型", "税收(元)", "土地总面积（亩）", "备注"],
        [1, A, "2022年", "规上", 105000, 20, "好"],
        [2, A, 2023, "是", "１２２,５００", 20, ""],
        [3, B, 2022, "规下", "—", "12亩", ""],
        ["合计", "", "", "", 227500, "", ""],
        ["注：数据来自税务部门", "", "", "", "", "", ""],
    ]
    firms = [[*row] for row in ENTERPRISES[:3]]
    firms[1][5] = "2021.1.28"
    firms[2][4] = "√"
    firms[1][1] = " 甲公司 "
    tables: list = []
    read = read_ledger(xlsx(tmp_path / "a.xlsx", {"企业": firms, "年度": annual}), tables=tables)
    _, changes = clean(read, tables)
    told = {
        (r.rule, r.sheet, r.row, r.before, r.after, r.count)
        for r in changes.itertuples(index=False)
        if r.rule != "heading"
    }
    assert told == {
        ("text", "企业", "2", "甲公司", "甲公司", 1),
        ("date", "企业", "2", "2021.1.28", "2021-01-28", 1),
        ("flag", "企业", "3", "√", "是", 1),
        ("year", "年度", "3", "2022年", "2022", 1),
        ("flag", "年度", "3", "规上", "是", 1),
        ("flag", "年度", "5", "规下", "否", 1),
        ("unit", "年度", "", "元", "万元（×0.0001）", 3),
        ("number", "年度", "4", "１２２,５００", "12.25", 1),
        ("missing_mark", "年度", "5", "—", "", 1),
        ("number", "年度", "5", "12亩", "12", 1),
        ("total_row", "年度", "6", "合计，227500", "", 1),
        ("note_row", "年度", "7", "注：数据来自税务部门", "", 1),
        ("column_out", "年度", "", "序号", "", 5),
        ("column_out", "年度", "", "备注", "", 1),
    }
    renamed = changes[changes["rule"] == "heading"][["before", "after"]].to_numpy().tolist()
    assert ["纳税人识别号", "统一社会信用代码"] in renamed
    assert ["税收(元)", "实缴税金（万元）"] in renamed


def test_wide_and_running_columns_are_told(tmp_path):
    rows = [
        ["统一社会信用代码", "企业名称", "2022年税收", "2023年1-2月累计税收"],
        [A, "甲公司", 9, 3],
        [B, "乙公司", 8, 4],
    ]
    tables: list = []
    read = read_ledger(xlsx(tmp_path / "w.xlsx", {"税收": rows}), tables=tables)
    _, changes = clean(read, tables)
    told = changes.set_index("rule")["after"]
    assert told["period"] == "实缴税金，2022年"
    assert told["running"] == "实缴税金，2023年2月（当月）"
    assert "months_lumped" in told.index
    write_clean(read, tmp_path / "out.xlsx", tables)
    assert_same(read, read_ledger(tmp_path / "out.xlsx"))


def test_a_tidy_ledger_changes_nothing_and_gives_the_same_bytes(tmp_path):
    tables: list = []
    read = read_ledger(xlsx(tmp_path / "a.xlsx", BOTH), tables=tables)
    changes = write_clean(read, tmp_path / "one.xlsx", tables)
    assert changes["rule"].tolist() == []
    write_clean(read, tmp_path / "two.xlsx", tables)
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    again: list = []
    twice = read_ledger(tmp_path / "one.xlsx", tables=again)
    assert clean(twice, again)[1].empty


def test_done_and_words_of_methods_are_kept_for_each_plan(tmp_path):
    cases = [
        ["统一社会信用代码", "处置方式", "处置结果", "完成日期"],
        [A, "收储", "已完成", "2023-05-01"],
        [C, "技改", "验收合格", ""],
    ]
    read = read_ledger(xlsx(tmp_path / "a.xlsx", BOTH | {"处置": cases}))
    write_clean(read, tmp_path / "out.xlsx")
    for plan in ("zhoushan-2020", "linshu-2021"):
        words = method_words([load_policy(plan)])
        one, other = (read_ledger(tmp_path / name, methods=words).disposals for name in ("a.xlsx", "out.xlsx"))
        assert one[["method", "outcome", "method_text"]].equals(other[["method", "outcome", "method_text"]])
    assert other["outcome_text"].tolist() == ["已完成", "达标"]


def test_columns_that_are_not_read_are_kept_apart(tmp_path):
    rows = [
        [*ANNUAL[0], "序号", "备注", "联系人"],
        *[[*row, i, "停产" if i == 2 else "", "张三"] for i, row in enumerate(ANNUAL[1:], start=1)],
        ["合计", "", "", "", "", "", "说明", ""],
    ]
    tables: list = []
    read = read_ledger(xlsx(tmp_path / "a.xlsx", BOTH | {"年度": rows}), tables=tables)
    write_clean(read, tmp_path / "out.xlsx", tables)
    book = CalamineWorkbook.from_path(str(tmp_path / "out.xlsx"))
    assert book.sheet_names == ["企业", "年度", "更改清单", "未读取的列"]
    kept = book.get_sheet_by_name("未读取的列").to_python()
    assert kept[0] == ["统一社会信用代码", "文件", "工作表", "行号", "备注", "联系人", "备注所示（待确认）"]
    assert kept[2] == [A, "a.xlsx", "年度", 3, "停产", "张三", "停产起始时间：停产"]
    assert len(kept) == 6
    again = read_ledger(tmp_path / "out.xlsx")
    assert_same(read, again)
    assert again.faults == ()


def test_changes_in_survey_forms_are_listed(tmp_path):
    xlsx(tmp_path / "台账.xlsx", BOTH)
    office_form(tmp_path / "f.xlsx", day="2023年3月5日", 上一年实缴税金="105,000元", 土地取得时间="2019.03")
    tables: list = []
    read = read_ledger(tmp_path, tables=tables)
    _, changes = clean(read, tables)
    told = {(r.rule, r.heading, r.row, r.before, r.after) for r in changes[changes["file"] == "f.xlsx"].itertuples()}
    assert ("heading", "上一年实缴税金", "", "上一年实缴税金", "实缴税金（万元）") in told
    assert ("number", "上一年实缴税金", "8", "105,000元", "10.5") in told
    assert ("date", "土地取得时间", "12", "2019.03", "2019-03-01") in told
    assert ("number", "建筑面积", "11", "1,250.5", "1250.5") in told
    write_clean(read, tmp_path / "out.xlsx", tables)
    assert_same(read, read_ledger(tmp_path / "out.xlsx"))


@pytest.mark.parametrize("name", ["zhoushan-daishan", "zhoushan-putuo", "zhoushan-shengsi"])
def test_the_other_samples_come_back_as_they_are(tmp_path, name):
    before = read_ledger(f"sample:{name}")
    write_clean(before, tmp_path / "out.xlsx")
    assert_same(before, read_ledger(tmp_path / "out.xlsx"))


def test_spans():
    assert spans([9, 4, 5, 6, 7, 9]) == "4–7、9"
    assert spans(range(2, 100, 2)).endswith(" 等")
    assert spans([]) == ""
