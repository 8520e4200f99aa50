from __future__ import annotations

import pytest
from build import ledger, years
from ledgers import BOTH, A, xlsx

from lyeval.assessment import assess
from lyeval.assessment.needs import needs
from lyeval.cli import main
from lyeval.ledger import COLUMNS, SHEETS, read_ledger
from lyeval.ledger.coverage import DEPARTMENTS, coverage_by_department, department_of, rows_by_year
from lyeval.policy import load_policy, policy_ids


def county():
    """Return three firms: tax blank for one of two years, a flag column, land without a gap."""
    return ledger(
        enterprises=[{"credit_code": "A", "zombie": True}, {"credit_code": "B"}],
        annual=[
            *years("A", {2022: None, 2023: 2.0}, 10.0, above=True),
            *years("B", {2022: 1.0, 2023: 2.0}, 5.0, above=False),
        ],
        disposals=[{"credit_code": "A", "method": "upgrade", "outcome": None}],
    )


def test_rows_are_counted_by_sheet_and_year():
    rows = rows_by_year(county())[["sheet", "year", "rows", "enterprises"]].to_numpy().tolist()
    assert rows == [
        ["enterprises", None, 2, 2],
        ["annual", 2022, 2, 2],
        ["annual", 2023, 2, 2],
        ["disposals", None, 1, 1],
    ]


def test_shares_by_department_and_year():
    made = coverage_by_department(
        county(), {("annual", "tax_wan"): ["甲目标"], ("process", ""): ["乙"], ("annual", "walled"): ["丙"]}
    )
    rows = {(r["sheet"], r["column"], r["year"]): r for r in made.to_dict("records")}
    tax = rows["annual", "tax_wan", 2022]
    assert (tax["department"], tax["rows"], tax["filled"], tax["share"]) == ("税务部门", 2, 1, 0.5)
    assert tax["verdicts"] == ["甲目标"]
    assert rows["annual", "land_mu", 2023]["share"] == 1
    zombie = rows["enterprises", "zombie", None]
    assert (zombie["share"], zombie["yes"], zombie["filled"]) == (None, 1, 1)
    assert rows["disposals", "outcome", None]["share"] == 0
    assert not rows["annual", "walled", None]["there"]
    assert not rows["process", "", None]["there"]
    assert ("annual", "power_wankwh", None) not in rows


def test_every_column_has_its_department():
    assert {c.owner for c in COLUMNS if c.kind != "carried"} == set(DEPARTMENTS)
    assert {department_of(sheet, "") for sheet in SHEETS} <= set(DEPARTMENTS)


@pytest.mark.parametrize("plan", policy_ids())
def test_every_need_is_a_column_and_every_target_and_criterion_needs_some(plan):
    policy = load_policy(plan)
    table = needs(policy)
    known = {(c.sheet, c.name) for c in COLUMNS} | {(sheet, "") for sheet in SHEETS}
    assert set(zip(table["sheet"], table["column"], strict=True)) <= known
    assert set(table.loc[table["kind"] == "target", "id"]) == {t.id for t in policy.targets}
    assert set(table.loc[table["kind"] == "criterion", "id"]) == {c.id for c in policy.identification.criteria}
    assert not table.duplicated().any()
    assert (table["clause"] != "").all()


def test_what_the_gaps_name_is_needed():
    policy = load_policy("linshu-2021")
    made = assess(county(), policy, 2023)
    wanted = set(needs(policy)["column"])
    facts = set(made.gaps["fact"]) - {"walled", "identified", "quota", "city_listed"}
    assert facts <= wanted


def run(*arguments: str) -> int:
    """Run a command and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return int(ended.value.code or 0)


def test_check_shows_the_picture_after_the_faults(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    annual = [row[:] for row in map(list, BOTH["年度"])]
    annual[2][3] = ""
    path = xlsx(tmp_path / "a.xlsx", {"企业": BOTH["企业"], "年度": annual})
    assert run("check", str(path), "--policy", "linshu-2021") == 0
    shown = capsys.readouterr().out
    assert shown.index("错误 0，警告") < shown.index("税务部门")
    assert "低于标准线的规上企业全部" in shown
    assert "台账没有、方案要用的列" in shown
    assert "2023 年判定所缺" in shown
    from rich.cells import cell_len

    assert max(cell_len(line) for line in shown.splitlines()) <= 80
    assert run("check", str(path), "--lang", "en") == 0
    assert "tax office" in capsys.readouterr().out


def test_check_of_two_months_compares_them(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    later = [list(row) for row in BOTH["年度"]]
    later[2][3] = 22.25
    firms = [list(row) for row in BOTH["企业"]]
    firms[1][1] = "[red]甲新公司"
    one = xlsx(tmp_path / "a.xlsx", BOTH)
    two = xlsx(tmp_path / "b.xlsx", {"企业": firms, "年度": later})
    out = tmp_path / "faults.xlsx"
    assert run("check", str(one), str(two), "--out", str(out)) == 0
    shown = capsys.readouterr().out
    assert "更名 1 户" in shown
    assert f"{A} 甲公司 → [red]甲新公司" in shown
    assert "+10.00 万元" in shown
    from python_calamine import CalamineWorkbook

    assert "改动汇总" in CalamineWorkbook.from_path(str(out)).sheet_names
    assert run("check", str(one), str(one)) == 0
    assert "两份台账内容相同" in capsys.readouterr().out


def test_two_counties_are_still_a_city(capsys):
    assert run("check", "sample:zhoushan-daishan", "sample:zhoushan-shengsi") == 0
    shown = capsys.readouterr().out
    assert "前后两次比较" not in shown
    assert "年度" in shown


def test_clean_writes_a_workbook_and_tells_the_changes(tmp_path, capsys):
    annual = [list(row) for row in BOTH["年度"]]
    annual[0][3] = "税收(元)"
    path = xlsx(tmp_path / "a.xlsx", {"企业": BOTH["企业"], "年度": annual})
    out = tmp_path / "clean.xlsx"
    assert run("clean", str(path), "--out", str(out)) == 0
    assert "单位换算" in capsys.readouterr().out
    assert read_ledger(out).annual["tax_wan"].tolist() == read_ledger(path).annual["tax_wan"].tolist()
    assert run("clean", str(out), "--out", str(out)) == 2
    assert run("clean", str(path), "--out", str(tmp_path / "clean.csv")) == 2
    assert run("clean", "sample:messy", "--out", str(tmp_path / "x.xlsx")) in (1, 2)
    assert not (tmp_path / "x.xlsx").exists()
