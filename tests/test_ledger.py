from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ledgers import ANNUAL, BOTH, ENTERPRISES, A, B, C, code, content, csv_file, xlsx
from pandas.testing import assert_frame_equal

from lyeval.ledger import Ledger, LedgerError, grouped, merge, read_ledger

SHARED = Path(__file__).parents[2] / "shared" / "data"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the two field ledgers are not here")


@pytest.fixture
def ledger(tmp_path) -> Ledger:
    return read_ledger(xlsx(tmp_path / "a.xlsx", BOTH))


def same(one: Ledger, other: Ledger) -> None:
    for sheet in ("enterprises", "annual", "disposals"):
        assert_frame_equal(content(getattr(one, sheet)), content(getattr(other, sheet)))


def rules(ledger: Ledger) -> set[str]:
    return {fault.rule for fault in ledger.faults}


def test_values_types_and_places(ledger):
    annual = ledger.annual
    assert annual["credit_code"].tolist() == [A, A, B, B, C]
    assert annual["year"].tolist() == [2022, 2023, 2022, 2023, 2023]
    assert annual["tax_wan"].tolist() == [10.5, 12.25, 0.5, -0.75, 3.0]
    assert annual["land_mu"].tolist() == [20, 20, 12, 12, 15]
    assert annual["above_scale"].tolist() == [True, True, False, False, False]
    assert annual["source_row"].tolist() == [2, 3, 4, 5, 6]
    assert set(annual["source_sheet"]) == {"年度"}
    kinds = {name: str(kind) for name, kind in annual.dtypes.items()}
    assert kinds["credit_code"] == kinds["source_file"] == "str"
    assert (kinds["year"], kinds["tax_wan"], kinds["above_scale"]) == ("int64", "float64", "boolean")
    firms = ledger.enterprises
    assert firms["name"].tolist() == ["甲公司", "乙公司", "丙公司"]
    assert firms["public_good"].tolist()[:2] == [False, True]
    assert firms["public_good"].isna().tolist() == [False, False, True]
    assert firms["protected_until"][0] == pd.Timestamp("2021-01-28")
    assert ledger.faults == ()


def test_what_was_there(ledger):
    assert ledger.has("annual")
    assert ledger.has("annual", "tax_wan")
    assert not ledger.has("annual", "approved_mu")
    assert not ledger.has("disposals")
    assert ledger.disposals.columns.tolist() == ["credit_code", "source_file", "source_sheet", "source_row"]
    assert ledger.years == (2022, 2023)
    assert [source.name for source in ledger.sources] == ["a.xlsx"]
    assert len(ledger.sources[0].sha256) == 64
    assert ledger.synthetic is None
    with pytest.raises(AttributeError):
        ledger.annual = None


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_folder_of_csv_is_the_workbook(tmp_path, ledger, encoding):
    folder = tmp_path / "台账"
    folder.mkdir()
    csv_file(folder / "企业.csv", ENTERPRISES, encoding)
    csv_file(folder / "年度.csv", ANNUAL, encoding)
    same(read_ledger(folder), ledger)


def test_folder_of_parquet_is_the_workbook(tmp_path, ledger):
    folder = tmp_path / "p"
    folder.mkdir()
    content(ledger.enterprises).to_parquet(folder / "enterprises.parquet")
    content(ledger.annual).to_parquet(folder / "annual.parquet")
    read = read_ledger(folder)
    same(read, ledger)
    assert read.annual["source_row"].tolist() == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_canonical_names_are_taken_whole(tmp_path, form):
    firms = {"credit_code": [A], "name": ["甲公司"], "contract_tax_per_mu": [2.5], "actual_plot_ratio": [1.5]}
    disposals = {"credit_code": [A], "method": ["提升"], "agreed_tax_per_mu": [3.5], "agreed_output_per_mu": [20.0]}
    annual = {"credit_code": [A], "year": [2023], "above_scale": ["是"], "tax_wan": [7.0], "land_mu": [10.0]}
    tables = {"enterprises": firms, "annual": annual, "disposals": disposals}
    rows = {sheet: [list(table), *map(list, zip(*table.values(), strict=True))] for sheet, table in tables.items()}
    for sheet, table in tables.items():
        if form == "csv":
            csv_file(tmp_path / f"{sheet}.csv", rows[sheet])
        elif form == "parquet":
            pd.DataFrame(table).to_parquet(tmp_path / f"{sheet}.parquet")
    read = read_ledger(xlsx(tmp_path / "c.xlsx", rows) if form == "xlsx" else tmp_path)
    assert read.faults == ()
    assert read.enterprises.loc[0, ["contract_tax_per_mu", "actual_plot_ratio"]].tolist() == [2.5, 1.5]
    assert read.disposals.loc[0, ["agreed_tax_per_mu", "agreed_output_per_mu"]].tolist() == [3.5, 20]
    assert read.annual.loc[0, ["tax_wan", "land_mu"]].tolist() == [7, 10]


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_one_flat_sheet_is_split(tmp_path, form):
    rows = [["企业名称", "统一社会信用代码", "镇街", "年份", "规模类型", "实缴税金(元)", "土地总面积（平方米）"]]
    rows += [["甲公司", A, "大兴镇", 2022, "规上", 105000, 2000], ["甲公司", A, "青云镇", 2023, "规上", 122500, 2000]]
    rows += [["乙公司", B, "青云镇", 2023, "规下", -7500, 1000]]
    if form == "csv":
        path = csv_file(tmp_path / "f.csv", rows)
    elif form == "xlsx":
        path = xlsx(tmp_path / "f.xlsx", {"Sheet1": rows})
    else:
        path = tmp_path / "f.parquet"
        pd.DataFrame(rows[1:], columns=rows[0]).to_parquet(path)
    read = read_ledger(path)
    assert read.annual["tax_wan"].tolist() == [10.5, 12.25, -0.75]
    assert read.annual["land_mu"].tolist() == [3.0, 3.0, 1.5]
    assert read.annual["above_scale"].tolist() == [True, True, False]
    assert read.enterprises["township"].tolist() == ["青云镇", "青云镇"]
    assert rules(read) == {"identity_changes"}


def test_order_of_rows_changes_nothing(tmp_path, ledger):
    backwards = {"企业": [ENTERPRISES[0], *ENTERPRISES[:0:-1]], "年度": [ANNUAL[0], *ANNUAL[:0:-1]]}
    same(read_ledger(xlsx(tmp_path / "b.xlsx", backwards)), ledger)


@pytest.mark.parametrize(
    ("money", "area"),
    [
        ("（元）", "(㎡)"),
        ("(万元)", "（亩）"),
        ("【亿元】", "[公顷]"),
        ("，单位：千元", "/平方米"),
        ("\n（元 ）", "(m²)"),
    ],
)
def test_units_in_the_heading(tmp_path, ledger, money, area):
    sizes = {"元": 10000, "万": 1, "亿": 1e-4, "千": 10}
    size = sizes[money.strip("（(【，单位：\n")[0]]
    square = 2000 / 3 if "㎡" in area or "m²" in area or "平方米" in area else 1 / 15 if "公顷" in area else 1
    rows = [[*ANNUAL[0][:3], "实缴税金" + money, "土地总面积" + area]]
    rows += [[*row[:3], row[3] * size, row[4] * square] for row in ANNUAL[1:]]
    read = read_ledger(xlsx(tmp_path / "u.xlsx", BOTH | {"年度": rows}))
    np.testing.assert_allclose(read.annual["tax_wan"], ledger.annual["tax_wan"], rtol=1e-14)
    np.testing.assert_allclose(read.annual["land_mu"], ledger.annual["land_mu"], rtol=1e-14)
    assert rules(read) == set()


def test_units_below_and_above_the_header(tmp_path, ledger):
    below = [ANNUAL[0], ["", "", "", "元", "公顷"], *[[*r[:3], r[3] * 10000, r[4] / 15] for r in ANNUAL[1:]]]
    above = [["单位：元、平方米"], ANNUAL[0], *[[*r[:3], r[3] * 10000, r[4] * 2000 / 3] for r in ANNUAL[1:]]]
    for rows in (below, above):
        read = read_ledger(xlsx(tmp_path / "u.xlsx", BOTH | {"年度": rows}))
        np.testing.assert_allclose(read.annual["tax_wan"], ledger.annual["tax_wan"], rtol=1e-14)
        np.testing.assert_allclose(read.annual["land_mu"], ledger.annual["land_mu"], rtol=1e-14)


def test_as_offices_keep_it(tmp_path, ledger):
    firms = [
        ["临沭县工业企业一企一档（内部资料）", "", "", "", "", "", ""],
        [],
        ["序号", "统一社会\n信用代码", "企 业 名 称", "县（区）", "乡镇（街道）", "是否公益类", "保护期"],
        [1, A.lower(), "甲公司", "临沭县", "大兴镇", "×", "2021年1月28日"],
        [2, " " + B, "乙公司", "临沭县", "青云镇", "√", "—"],
        ["注：以上数据由各镇街报送"],
        [3, "".join(chr(ord(c) + 0xFEE0) for c in C), " 丙公司 ", "临沭县", "大兴镇", "", "/"],
    ]
    annual = [
        ["各年度税收及用地情况"],
        ["序号", "纳税人识别号", "年度", "是否规上工业企业", "实际入库税收（万元）", "占地面积"],
        ["1", A, "2022年", "规上", "10.5", "２０"],
        ["2", A, "２０２３", "规模以上", "12.250 ", "20亩"],
        ["3", B, "2022", "规下", ".5", "12"],
        ["4", B, 2023, "未入统", "(0.75)", "12"],
        ["5", C, dt.date(2023, 12, 31), "否", "3", "15"],
        ["合计", "", "", "", "25.5", "79"],
        ["填表人：张三", "", "", "审核：李四"],
    ]
    merges = {"企业": [(0, 0, 0, 6)], "年度": [(0, 0, 0, 5)]}
    read = read_ledger(xlsx(tmp_path / "o.xlsx", {"企业": firms, "年度": annual}, merges))
    same(read, ledger)
    assert [(fault.rule, fault.sheet, fault.row) for fault in read.faults] == [("signature_row", "年度", 9)]


def test_merged_cells_are_repeated_downwards(tmp_path):
    rows = [
        ["统一社会信用代码", "企业名称", "年份", "实缴税金", "土地总面积"],
        [A, "甲公司", 2022, 1, 10],
        ["", "", 2023, 2, 10],
        [B, "乙公司", 2023, 3, 10],
    ]
    read = read_ledger(xlsx(tmp_path / "m.xlsx", {"s": rows}, {"s": [(1, 0, 2, 0), (1, 1, 2, 1)]}))
    assert read.annual["credit_code"].tolist() == [A, A, B]
    assert read.annual["tax_wan"].tolist() == [1, 2, 3]


def test_header_of_two_rows(tmp_path):
    rows = [
        ["统一社会信用代码", "年份", "土地（亩）", "", "实缴税金"],
        ["", "", "总面积", "批准面积", ""],
        [A, 2023, 10, 9, 3],
    ]
    merges = {"s": [(0, 0, 1, 0), (0, 1, 1, 1), (0, 2, 0, 3), (0, 4, 1, 4)]}
    read = read_ledger(xlsx(tmp_path / "h.xlsx", {"s": rows}, merges))
    assert read.annual.loc[0, ["land_mu", "approved_mu", "tax_wan"]].tolist() == [10, 9, 3]


def test_total_row_is_compared_and_left_out(tmp_path):
    rows = [*ANNUAL, ["合计", "", "", 26.5, 79]]
    read = read_ledger(xlsx(tmp_path / "t.xlsx", BOTH | {"年度": rows}))
    assert len(read.annual) == 5
    (fault,) = read.faults
    assert (fault.rule, fault.severity, fault.row, fault.heading) == ("total_mismatch", "warning", 7, "实缴税金")
    assert "26.5" in fault.text()
    assert "25.5" in fault.text("en")


def test_disposals_in_their_words(tmp_path):
    rows = [
        [
            "统一社会信用代码",
            "处置方式",
            "开始日期",
            "完成日期",
            "处置结果",
            "拆除面积（㎡）",
            "腾出土地（平方米）",
            "完成期限",
        ],
        [A, "帮扶提升", dt.date(2023, 3, 1), "2023.10.20", "达标", 0, "", "2023年底"],
        [B, "清退", 45000, "20231120", "已关停", "1,250.5", 2000, "2023年11月"],
        [C, "收储（整体）", "2023年3月", "", "推进中", "", "", ""],
        [C, "限期整改", "", "2023-12-01", "完成", "", "", ""],
        [A, "零地技改", "", "", "销号", "", "", ""],
    ]
    read = read_ledger(xlsx(tmp_path / "d.xlsx", BOTH | {"处置": rows}))
    frame = read.disposals.sort_values("source_row")
    assert frame["method"].tolist() == ["upgrade", "shut_down", "land_bank", "rectify", "upgrade"]
    assert frame["method_text"].tolist()[2] == "收储（整体）"
    assert frame["outcome"].tolist()[:4] == ["达标", "关停", "进行中", "达标"]
    assert frame["outcome"].isna().tolist()[4]
    assert frame["outcome_text"].tolist()[1] == "已关停"
    assert frame["started"].tolist()[1] == pd.Timestamp("2023-03-15")
    assert frame["started"].tolist()[2] == pd.Timestamp("2023-03-01")
    assert frame["finished"].tolist()[1] == pd.Timestamp("2023-11-20")
    assert frame["due"].tolist()[:2] == [pd.Timestamp("2023-12-31"), pd.Timestamp("2023-11-30")]
    assert frame["demolished_m2"].tolist()[1] == 1250.5
    assert frame["released_mu"].tolist()[1] == 3.0
    assert rules(read) == {"date_completed", "outcome_done", "outcome_none"}


def test_a_policys_own_labels_of_methods(tmp_path):
    rows = [["统一社会信用代码", "处置方式"], [A, "绿色通道"]]
    path = xlsx(tmp_path / "d.xlsx", BOTH | {"处置": rows})
    assert rules(read_ledger(path)) == {"method_unknown"}
    read = read_ledger(path, methods={"绿色通道": "upgrade"})
    assert read.disposals["method"].tolist() == ["upgrade"]
    assert read.faults == ()


def test_more_sheets(tmp_path):
    sheets = BOTH | {
        "区块": [
            ["区块名称", "县区", "审核同意日期", "计划拆除面积", "完成日期"],
            ["东片", "定海区", "2020-03-01", 900, ""],
        ],
        "月度": [
            ["统一社会信用代码", "年份", "月份", "当月实缴税金(元)"],
            [A, 2023, "1月", 10000],
            [A, 2023, 2, -5000],
        ],
        "税项": [["统一社会信用代码", "年份", "税种", "类型", "金额"], [A, 2023, "增值税", "出口退税", -3]],
        "流程": [["统一社会信用代码", "告知", "认定"], [A, "2023-05-01", "2023-06-01"]],
        "问题清单": [["统一社会信用代码", "部门", "事项", "发现日期"], [A, "应急局", "安全生产", "2023-05-01"]],
        "材料": [["统一社会信用代码", "材料名称", "收到日期"], [A, "提升方案", "2023-05-01"]],
        "县区": [["县区", "年份", "实缴税金（亿元）", "企业数"], ["定海区", 2023, 1.5, 300]],
    }
    read = read_ledger(xlsx(tmp_path / "w.xlsx", sheets))
    assert read.faults == ()
    assert read.blocks.loc[0, "planned_m2"] == 900
    assert read.monthly["tax_wan"].tolist() == [1.0, -0.5]
    assert read.tax_items.loc[0, ["item", "flow", "amount_wan"]].tolist() == ["增值税", "出口退税", -3]
    assert read.process.loc[0, "notified"] == pd.Timestamp("2023-05-01")
    assert read.issues.loc[0, "matter"] == "安全生产"
    assert read.papers.loc[0, "paper"] == "提升方案"
    assert read.counties.loc[0, ["tax_wan", "enterprises"]].tolist() == [15000, 300]


def test_year_from_the_title(tmp_path):
    rows = [
        ["2023年度工业企业税收用地情况"],
        ["统一社会信用代码", "企业名称", "实缴税金", "土地面积"],
        [A, "甲公司", 3, 10],
    ]
    read = read_ledger(xlsx(tmp_path / "t.xlsx", {"Sheet1": rows}))
    assert read.annual[["year", "tax_wan", "land_mu"]].to_numpy().tolist() == [[2023, 3, 10]]
    assert rules(read) == {"year_assumed", "missing_column"}


def test_facts_and_shares(tmp_path):
    rows = [
        ["统一社会信用代码", "企业名称", "僵尸企业", "建筑密度", "约定建筑密度", "合同约定亩均税收(元/㎡)", "行业例外"],
        [A, "甲公司", True, "35%", 35, 30, "供水"],
        [B, "乙公司", 0, 0.35, "0.4", "", "否"],
    ]
    read = read_ledger(xlsx(tmp_path / "f.xlsx", {"企业": rows, "年度": [ANNUAL[0], *ANNUAL[1:5]]}))
    firms = read.enterprises
    assert firms["zombie"].tolist() == [True, False]
    assert firms["actual_building_density"].tolist() == [0.35, 0.35]
    assert firms["contract_building_density"].tolist() == [0.35, 0.4]
    assert firms["contract_tax_per_mu"].tolist()[0] == pytest.approx(2.0)
    assert firms["exempt_industry"].tolist() == [True, False]
    assert rules(read) == {"reason_words"}


def test_city_of_two_counties(tmp_path):
    other = code(9)
    one = xlsx(tmp_path / "one.xlsx", BOTH)
    two = xlsx(
        tmp_path / "two.xlsx",
        {
            "企业": [ENTERPRISES[0], [other, "丁", "莒南县", "甲镇", "", ""]],
            "年度": [ANNUAL[0], [other, 2023, "否", 1, 2]],
        },
    )
    city = read_ledger([one, two])
    assert city.enterprises["credit_code"].tolist() == sorted([A, B, C, other])
    assert len(city.annual) == 6
    assert [source.name for source in city.sources] == ["one.xlsx", "two.xlsx"]
    same(merge([read_ledger(one), read_ledger(two)]), city)


def test_one_code_in_two_ledgers_names_both(tmp_path):
    one, two = (
        xlsx(tmp_path / "one.xlsx", BOTH),
        xlsx(tmp_path / "two.xlsx", {"年度": [ANNUAL[0], [B, 2023, "否", 1, 2]]}),
    )
    with pytest.raises(LedgerError, match=r"one.xlsx.*two.xlsx") as caught:
        read_ledger([one, two])
    (fault,) = [f for f in caught.value.faults if f.severity == "error"]
    assert fault.rule == "code_in_two_files"
    assert B in fault.text()


def test_made_ledgers_carry_their_note(tmp_path):
    path = xlsx(tmp_path / "s.xlsx", BOTH)
    (tmp_path / "s.yaml").write_text(
        "producer: lyeval sample\nsynthetic_note_zh: 合成数据，不代表任何企业\n", encoding="utf-8"
    )
    assert read_ledger(path).synthetic == "合成数据，不代表任何企业"


def test_several_sheets_of_years_are_one(tmp_path, ledger):
    head = ["统一社会信用代码", "规上", "实缴税金", "土地总面积"]
    by_year = {f"{year}年": [head, *[[r[0], *r[2:]] for r in ANNUAL[1:] if r[1] == year]] for year in (2022, 2023)}
    read = read_ledger(xlsx(tmp_path / "y.xlsx", {"企业": ENTERPRISES} | by_year))
    same(read, ledger)


def test_tables_of_one_year_are_joined(tmp_path, ledger):
    tax = [[row[0], row[1], row[3]] for row in ANNUAL]
    land = [[row[0], row[1], row[2], row[4]] for row in ANNUAL]
    same(read_ledger(xlsx(tmp_path / "j.xlsx", {"企业": ENTERPRISES, "税务": tax, "自规": land})), ledger)


def test_faults_are_grouped_one_line_per_rule(tmp_path):
    rows = [*ANNUAL[:1], *[[row[0], row[1], row[2], "", row[4]] for row in ANNUAL[1:]]]
    read = read_ledger(xlsx(tmp_path / "g.xlsx", BOTH | {"年度": rows}))
    (group,) = grouped(read.faults)
    assert (group.rule, group.count, len(group.first)) == ("missing_tax", 5, 3)
    assert "共5处" in group.text()
    assert "5 places" in group.text("en")


@shared
def test_field_workbook_of_dinghai():
    read = read_ledger(SHARED / "dinghai-2020-ledger.xlsx")
    assert (len(read.enterprises), len(read.annual), len(read.disposals)) == (236, 944, 34)
    assert read.annual["tax_wan"].sum() == pytest.approx(81857.8343)
    assert read.annual["land_mu"].sum() == pytest.approx(21505.88)
    first = read.annual[(read.annual["credit_code"] == "913309026BEHHDGHC1") & (read.annual["year"] == 2017)].iloc[0]
    assert (first["tax_wan"], first["land_mu"], bool(first["above_scale"])) == (3.8855, 11.88, False)
    last = read.enterprises.set_index("credit_code").loc["9133090221AEA64DH0"]
    assert last["protected_until"] == pd.Timestamp("2021-01-28")
    assert rules(read) == {"check_digit"}


@shared
def test_field_table_of_linshu():
    read = read_ledger(SHARED / "linshu-2023-flat-gb18030.csv")
    assert (len(read.enterprises), len(read.annual)) == (312, 1560)
    row = read.annual[(read.annual["credit_code"] == "913713296E0D76EG00") & (read.annual["year"] == 2019)].iloc[0]
    assert np.isnan(row["land_mu"])
    assert (row["approved_mu"], bool(row["above_scale"])) == (25.5, True)
    row = read.annual[(read.annual["credit_code"] == "9137132902E5B997H0") & (read.annual["year"] == 2019)].iloc[0]
    assert row["land_mu"] == pytest.approx(17.6, abs=1e-6)
    assert rules(read) == {"check_digit", "land_blank"}
