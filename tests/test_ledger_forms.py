"""Survey forms: ours and an office's own, whose they are, which year they are about, what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ledgers import ANNUAL, BOTH, ENTERPRISES, A, B, C, xlsx

from lyeval.cli import main
from lyeval.ledger import Ledger, LedgerError, is_survey, read_ledger
from lyeval.sample import make, produce_forms, write_form, write_forms

FIGURES: dict[str, Any] = {"职工人数": 12, "上一年实缴税金": 6.5, "土地总面积": 20, "建筑面积": "1,250.5", "污水": 98}


def office_form(path: Path, name: str = "甲公司", town: str = "大兴镇", day: str = "2022年3月5日", **more: Any) -> Path:
    """Write a form as an office keeps it: no code, no year, no 规上; labels and values in merged cells."""
    figures = FIGURES | more
    rows: list[list[Any]] = [
        ["临沭县低效企业基本情况调查表"],
        [f"镇街、开发区：{town}", "", "", "填表人：", "张三"],
        ["企业名称", "", name, "法人代表", "李四"],
        ["项目名称", "", "年产一万件项目", "联系电话", "0539-6210000"],
        ["宗地坐落", "", "", "计量单位", "数量"],
    ]
    fields = [
        *(("企业基本情况", "职工人数", "人"), ("", "上一年销售收入", "万元"), ("", "上一年实缴税金", "万元")),
        *(("资源占用情况", "土地总面积", "亩"), ("", "其中：土地出让面积", "亩"), ("", "建筑面积", "平方米")),
        *(("", "土地取得时间", "年月"), ("", "用电户号", ""), ("上一年排污量", "污水", "吨"), ("", "废气", "立方米")),
        ("贡献情况", "亩产税收", "万元"),
    ]
    rows += [[group, label, "", unit, figures.get(label, "")] for group, label, unit in fields]
    rows += [["拟定处置方案：帮扶提升，新上一条生产线"], ["处置结果："], ["县低效整治办审核意见："], [f"{day}（盖章）"]]
    return xlsx(path, {"Sheet1": rows}, {"Sheet1": [(0, 0, 0, 4), (2, 0, 2, 1), (5, 0, 7, 0)]})


def rules(ledger: Ledger) -> list[str]:
    return sorted({fault.rule for fault in ledger.faults})


def told(path: Any, **more: Any) -> set[str]:
    with pytest.raises(LedgerError) as caught:
        read_ledger(path, **more)
    return {fault.rule for fault in caught.value.faults if fault.severity == "error"}


def test_ours_come_back_as_they_were_written(tmp_path):
    frames = make("linshu-2021", enterprises=15, years=(2021, 2023), seed=3)
    made = write_forms(frames, tmp_path / "forms", 2023)
    read = read_ledger(tmp_path / "forms")
    expected = frames["annual"][frames["annual"]["year"] == 2023].sort_values("credit_code", ignore_index=True)
    assert len(made) == len(read.annual) == len(expected)
    assert read.annual["credit_code"].tolist() == expected["credit_code"].tolist()
    assert set(read.annual["year"]) == {2023}
    for name in ("tax_wan", "land_mu", "floor_m2", "power_wankwh", "employees", "wastewater_t"):
        pd.testing.assert_series_equal(read.annual[name], expected[name], check_exact=False, rtol=1e-12)
    assert read.annual["above_scale"].tolist() == expected["above_scale"].tolist()
    assert "township" in read.enterprises
    assert set(rules(read)) <= {"check_digit", "missing_tax", "missing_land"}
    assert is_survey(tmp_path / "forms")


def test_a_blank_form_is_passed_over_and_bytes_repeat(tmp_path):
    for name in ("a", "b"):
        produce_forms("linshu-2021", tmp_path / name, years=(2022, 2023), seed=3, enterprises=2)
    first, second = (sorted((tmp_path / name).iterdir()) for name in ("a", "b"))
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]
    assert "空白表.xlsx" in {p.name for p in first}
    assert read_ledger(tmp_path / "a").synthetic
    (tmp_path / "blank").mkdir()
    write_form(tmp_path / "blank" / "x.xlsx", {})
    assert told(tmp_path / "blank") == {"no_enterprises"}


@pytest.mark.parametrize("together", [True, False], ids=["one folder", "a list"])
def test_an_offices_own_are_matched_by_name_and_township(tmp_path, together):
    book = xlsx(tmp_path / "台账.xlsx", BOTH)
    folder = tmp_path if together else tmp_path / "调查表"
    folder.mkdir(exist_ok=True)
    office_form(folder / "甲.xlsx", day="2024年3月5日", 上一年实缴税金="122500元", 其中=1)
    read = read_ledger(tmp_path if together else [book, folder])
    assert rules(read) == ["form_dated", "form_matched"]
    firm = read.enterprises.set_index("credit_code").loc[A]
    assert (firm["survey_legal_person"], firm["survey_phone"]) == ("李四", "0539-6210000")
    assert (firm["survey_filled_by"], firm["survey_plan"]) == ("张三", "帮扶提升，新上一条生产线")
    row = read.annual[(read.annual["credit_code"] == A) & (read.annual["year"] == 2023)].iloc[0]
    assert (row["tax_wan"], row["employees"], row["floor_m2"], row["wastewater_t"]) == (12.25, 12, 1250.5, 98)
    assert len(read.annual) == 5
    assert read.annual["employees"].notna().sum() == 1
    assert not read.has("disposals")


def test_what_cannot_be_matched_is_told(tmp_path):
    xlsx(
        tmp_path / "台账.xlsx", {"企业": [*ENTERPRISES[:3], [C, "甲公司", "临沭县", "青云镇", "", ""]], "年度": ANNUAL}
    )
    office_form(tmp_path / "f.xlsx", town="大兴镇")
    assert "employees" in read_ledger(tmp_path).annual
    office_form(tmp_path / "f.xlsx", town="玉山镇")
    assert told(tmp_path) == {"form_township"}
    office_form(tmp_path / "f.xlsx", town="")
    assert told(tmp_path) == {"form_same_name"}
    office_form(tmp_path / "f.xlsx", name="丁公司")
    assert told(tmp_path) == {"form_unmatched"}
    (tmp_path / "台账.xlsx").unlink()
    assert told(tmp_path) == {"form_unmatched"}


def test_the_year_is_the_forms_own_then_its_days_then_the_one_given(tmp_path):
    xlsx(tmp_path / "台账.xlsx", {"企业": ENTERPRISES, "年度": ANNUAL})
    office_form(tmp_path / "f.xlsx", day="年 月 日")
    assert told(tmp_path) == {"form_year"}
    assert 2021 in set(read_ledger(tmp_path, year=2021).annual["year"])
    office_form(tmp_path / "f.xlsx", day="2021年12月31日")
    assert 2020 in set(read_ledger(tmp_path, year=2021).annual["year"])


def test_forms_that_contradict_the_ledger_or_themselves(tmp_path):
    xlsx(tmp_path / "台账.xlsx", BOTH)
    office_form(tmp_path / "f.xlsx", day="2024年3月5日", 职工人数="")
    assert told(tmp_path) == {"contradiction"}
    office_form(tmp_path / "f.xlsx", 土地总面积="二十亩左右")
    assert told(tmp_path) == {"number_unreadable"}


def test_forms_of_a_city_go_to_the_ledger_that_knows_them(tmp_path):
    east = xlsx(tmp_path / "east.xlsx", {"企业": ENTERPRISES[:2], "年度": ANNUAL[:3]})
    west = xlsx(tmp_path / "west.xlsx", {"企业": [ENTERPRISES[0], *ENTERPRISES[2:]], "年度": [ANNUAL[0], *ANNUAL[3:]]})
    (tmp_path / "forms").mkdir()
    office_form(tmp_path / "forms" / "1.xlsx")
    office_form(tmp_path / "forms" / "2.xlsx", name="乙公司", town="青云镇", 上一年实缴税金=0.5, 土地总面积=12)
    read = read_ledger([east, west, tmp_path / "forms"])
    assert read.enterprises.set_index("credit_code")["survey_phone"].notna().to_dict() == {A: True, B: True, C: False}


def test_sheets_of_one_workbook_and_forms_beside_a_flat_table(tmp_path):
    rows = [["企业名称", "统一社会信用代码", "镇街", "年份", "实缴税金", "土地总面积", "规上"]]
    rows += [["甲公司", A, "大兴镇", 2023, 9, 20, "否"], ["乙公司", B, "青云镇", 2023, 1, 12, "否"]]
    xlsx(tmp_path / "flat.xlsx", {"台账": rows})
    values = {"credit_code": A, "name": "甲公司", "year": 2022, "tax_wan": 4.0, "land_mu": 20.0, "survey_phone": "1"}
    write_form(tmp_path / "f.xlsx", values)
    read = read_ledger(tmp_path)
    assert read.enterprises["credit_code"].tolist() == [A, B]
    assert read.annual[["year", "tax_wan"]].to_numpy().tolist() == [[2022, 4], [2023, 9], [2023, 1]]
    assert read.enterprises["survey_phone"].tolist()[0] == "1"


def test_on_the_command_line(tmp_path, capsys):
    out = tmp_path / "forms"

    def run(*words: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        return int(ended.value.code or 0), capsys.readouterr().out

    ask = ("sample", "--policy", "linshu-2021", "--enterprises", 8, "--years", "2021-2023", "--seed", 1)
    assert run(*ask, "--forms", "--out", out)[0] == 0
    assert run(*ask, "--forms", "--out", tmp_path / "f.xlsx")[0] == 2
    book = tmp_path / "book.xlsx"
    assert run(*ask, "--out", book)[0] == 0
    code, text = run("check", book, out)
    assert code == 0
    assert "企业 8 户" in text
    assert run("check", out)[0] == 0
    assert run("assess", out, "--policy", "linshu-2021", "--year", 2023)[0] == 0
