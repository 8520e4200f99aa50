from __future__ import annotations

import pytest
from ledgers import ANNUAL, ENTERPRISES, A, B, C, csv_file, xlsx
from opendocument import ods

from lyeval.ledger import read_ledger

FIRMS = {A: "甲公司", B: "乙公司", C: "丙公司"}


def rules(ledger) -> list[str]:
    return sorted({fault.rule for fault in ledger.faults})


def test_wide_table_of_years_in_one_header_row(tmp_path):
    rows = [
        ["2023年全县工业企业亩均效益台账"],
        [
            "序号",
            "企业名称",
            "统一社会信用代码",
            "2022年税收（元）",
            "2023年税收（元）",
            "2022年规上",
            "2023年规上",
            "占地面积",
        ],
        [1, "甲公司", A, 105000, 122500, "是", "是", 20],
        [2, "乙公司", B, 5000, -7500, "否", "否", 12],
        [3, "丙公司", C, "", 30000, "", "否", 15],
    ]
    read = read_ledger(xlsx(tmp_path / "w.xlsx", {"Sheet1": rows}))
    assert read.annual["credit_code"].tolist() == [A, A, B, B, C]
    assert read.annual["year"].tolist() == [2022, 2023, 2022, 2023, 2023]
    assert read.annual["tax_wan"].tolist() == [10.5, 12.25, 0.5, -0.75, 3]
    assert read.annual["land_mu"].tolist() == [20, 20, 12, 12, 15]
    assert read.annual["above_scale"].tolist() == [True, True, False, False, False]
    assert read.enterprises["name"].tolist() == ["甲公司", "乙公司", "丙公司"]
    assert rules(read) == ["period_spread"]


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("years", [("2022年", "2023年"), ("上年度", "本年度")])
def test_wide_table_with_two_header_rows_and_merged_parents(tmp_path, form, years):
    rows = [
        ["2023年度台账", "", "", "", "", ""],
        ["统一社会信用代码", "企业名称", "实缴税金（万元）", "", "土地面积（平方米）", ""],
        ["", "", *years, *years],
        [A, "甲公司", 10.5, 12.25, 2000, 4000],
        [B, "乙公司", 0.5, -0.75, 1000, 1000],
    ]
    merges = {"台账": [(0, 0, 0, 5), (1, 0, 2, 0), (1, 1, 2, 1), (1, 2, 1, 3), (1, 4, 1, 5)]}
    path = xlsx(tmp_path / "w.xlsx", {"台账": rows}, merges) if form == "xlsx" else csv_file(tmp_path / "w.csv", rows)
    read = read_ledger(path)
    assert read.annual[["year", "tax_wan", "land_mu"]].to_numpy().tolist() == [
        [2022, 10.5, 3],
        [2023, 12.25, 6],
        [2022, 0.5, 1.5],
        [2023, -0.75, 1.5],
    ]
    assert rules(read) == ["missing_column"]


def test_years_under_a_title_that_names_the_measure(tmp_path):
    rows = [
        ["各企业历年税收（万元）"],
        ["统一社会信用代码", "企业名称", "2022年", "2023年"],
        [A, "甲公司", 10.5, 12.25],
    ]
    read = read_ledger(xlsx(tmp_path / "y.xlsx", {"税收": rows}))
    assert read.annual[["year", "tax_wan"]].to_numpy().tolist() == [[2022, 10.5], [2023, 12.25]]


def test_months_alone(tmp_path):
    head = ["统一社会信用代码", "年份", *[f"{m}月" for m in range(1, 13)]]
    rows = [["分月实缴税金"], head, [A, 2023, *range(1, 13)], [B, 2023, *[1] * 10, "", ""]]
    read = read_ledger(xlsx(tmp_path / "m.xlsx", {"企业": ENTERPRISES, "年度": ANNUAL, "月度税收": rows}))
    assert read.monthly["tax_wan"].tolist() == [*range(1, 13), *[1] * 10]
    assert read.monthly["month"].tolist() == [*range(1, 13), *range(1, 11)]
    assert rules(read) == ["measure_assumed"]


def test_running_totals_are_differenced(tmp_path):
    head = ["统一社会信用代码", "2022年税收", "2023年1月税收", "2023年1-2月累计税收", "2023年1—3月累计税收"]
    rows = [head, [A, 9, 1, 3, 6], [B, 5, 2, 1.5, 4], [C, "", "", "", 7]]
    read = read_ledger(xlsx(tmp_path / "c.xlsx", {"企业": ENTERPRISES, "Sheet2": rows}))
    table = read.monthly.set_index(["credit_code", "month"])["tax_wan"]
    assert table.loc[A].tolist() == [1, 2, 3]
    assert table.loc[B].tolist() == [2, -0.5, 2.5]
    assert table.loc[C].to_dict() == {3: 7}
    assert read.annual[["year", "tax_wan"]].to_numpy().tolist() == [[2022, 9], [2022, 5]]
    (fault,) = [f for f in read.faults if f.rule == "total_falls"]
    assert (fault.row, fault.value) == (3, "1.5")


def test_totals_of_ten_months_stand_in_october(tmp_path):
    rows = [["统一社会信用代码", "企业名称", "2022年税收", "2023年1—10月累计"], [A, "甲公司", 9, 8]]
    read = read_ledger(xlsx(tmp_path / "t.xlsx", {"税收": rows}))
    assert read.monthly[["year", "month", "tax_wan"]].to_numpy().tolist() == [[2023, 10, 8]]
    assert "months_lumped" in rules(read)


def test_running_totals_in_rows(tmp_path):
    rows = [["统一社会信用代码", "年份", "月份", "累计入库税收"], [A, 2023, 2, 5], [A, 2023, 1, 2], [A, 2023, 3, 4]]
    read = read_ledger(xlsx(tmp_path / "r.xlsx", {"企业": ENTERPRISES, "年度": ANNUAL, "月度": rows}))
    assert read.monthly["tax_wan"].tolist() == [2, 3, -1]
    assert rules(read) == ["total_falls"]


def test_tables_of_departments_are_joined(tmp_path):
    firms = [
        ["统一社会信用代码", "企业名称", "曾用名"],
        [A, "甲（临沭）公司", ""],
        [B, "乙公司", "老乙厂、更老乙厂"],
        [C, "丙公司", ""],
    ]
    tax = [["纳税人识别号", "年度", "实缴税金"], [A, 2023, 10], [B, 2023, 5], [C, 2023, 2]]
    land = [
        ["自然资源局提供，单位：平方米"],
        ["用地单位", "年份", "占地面积"],
        ["甲(临沭)公司", 2023, 2000],
        ["更老乙厂", 2023, 4000],
    ]
    land += [["丁公司", 2023, 9999], ["合计", "", 15999]]
    power = [["组织机构代码", "年份", "用电量（度）"], [C[8:16] + "-" + C[16], 2023, 10000]]
    path = xlsx(tmp_path / "d.xlsx", {"企业": firms, "税务": tax, "自规": land, "供电": power})
    read = read_ledger(path)
    assert read.annual["tax_wan"].tolist() == [10, 5, 2]
    assert read.annual["land_mu"].tolist()[:2] == [3, 6]
    assert read.annual["power_wankwh"].tolist()[2] == 1
    (lost,) = [f for f in read.faults if f.rule == "unmatched"]
    assert (lost.sheet, lost.row, lost.value) == ("自规", 5, "丁公司")
    told = {f.sheet: (f.params["matched"], f.params["unmatched"]) for f in read.faults if f.rule == "joined_by_name"}
    assert told == {"自规": (2, 1), "供电": (1, 0)}


def test_a_name_that_two_firms_share_joins_neither(tmp_path):
    firms = [["统一社会信用代码", "企业名称"], [A, "甲公司"], [B, "甲公司"]]
    land = [["企业名称", "年份", "占地面积"], ["甲公司", 2023, 10]]
    read = read_ledger(xlsx(tmp_path / "d.xlsx", {"企业": firms, "年度": ANNUAL[:5], "自规": land}))
    assert "unmatched" in rules(read)
    assert read.annual["land_mu"].tolist() == [20, 20, 12, 12]


def test_years_as_numbers_below_their_measure(tmp_path):
    rows = [["统一社会信用代码", "实缴税金", "", "占地面积"], ["", 2022, 2023, ""], [A, 9, 10, 20]]
    merges = {"s": [(0, 0, 1, 0), (0, 1, 0, 2), (0, 3, 1, 3)]}
    read = read_ledger(xlsx(tmp_path / "n.xlsx", {"s": rows}, merges))
    assert read.annual[["year", "tax_wan", "land_mu"]].to_numpy().tolist() == [[2022, 9, 20], [2023, 10, 20]]


def test_parcels_of_a_firm_are_added_up(tmp_path):
    rows = [
        ["统一社会信用代码", "年份", "宗地编号", "实缴税金", "土地总面积", "建筑面积", "规上"],
        [A, 2023, "G1", 12, 10, 100, "是"],
        [A, 2023, "G2", 12, 5, 50, "是"],
        [B, 2023, "G3", 2, 4, "", "否"],
        [B, 2023, "G4", 3, 6, 70, "否"],
        [C, 2023, "", 3, 6, 70, "否"],
    ]
    read = read_ledger(xlsx(tmp_path / "p.xlsx", {"企业": ENTERPRISES, "年度": rows}))
    assert read.annual["tax_wan"].tolist() == [12, 5, 3]
    assert read.annual["land_mu"].tolist() == [15, 10, 6]
    assert read.annual["floor_m2"].tolist() == [150, 70, 70]
    assert read.annual["parcel"].tolist()[0] == "G1、G2"
    told = {(f.rule, f.params["code"]) for f in read.faults}
    assert told == {("parcels_joined", A), ("parcels_joined", B), ("tax_repeated", A)}


def test_open_document_workbooks_are_read(tmp_path):
    read = read_ledger(ods(tmp_path / "o.ods", {"企业": ENTERPRISES, "年度": ANNUAL}))
    assert read.annual["tax_wan"].tolist() == [10.5, 12.25, 0.5, -0.75, 3]
    assert read.enterprises["name"].tolist() == ["甲公司", "乙公司", "丙公司"]
    assert read.sources[0].kind == "ods"
    assert read.faults == ()
