from __future__ import annotations

import pytest
from ledgers import ANNUAL, BOTH, ENTERPRISES, A, B, C, xlsx

from lyeval.ledger import audit, read_ledger


def told(faults) -> set[tuple[str, int | None]]:
    return {(fault.rule, fault.row) for fault in faults}


def test_yuan_under_wan_and_square_metres_under_mu(tmp_path):
    rows = [
        ANNUAL[0],
        [A, 2021, "是", 10, 20],
        [A, 2022, "是", 105000, 20],
        [A, 2023, "是", 11, 20],
        [B, 2021, "否", 5, 8000],
        [B, 2022, "否", 6, 12],
        [C, 2021, "否", 3, 15],
        [C, 2022, "否", 9, 15],
    ]
    read = read_ledger(xlsx(tmp_path / "s.xlsx", {"企业": ENTERPRISES, "年度": rows}))
    assert told(read.faults) == {("scale_row", 3), ("scale_row", 5)}
    tax, land = read.faults
    assert (tax.heading, tax.value, tax.params["other_row"]) == ("实缴税金", "105000", 2)
    assert "疑似按元填写" in tax.text()
    assert (land.heading, land.value) == ("土地总面积", "8000")
    assert "row 6" in land.text("en")


def test_a_whole_column_in_yuan(tmp_path):
    rows = [[*row[:3], row[3] * 10**6, row[4]] if isinstance(row[3], float | int) else row for row in ANNUAL]
    rows = [rows[0], *[[*r[:3], abs(r[3]), r[4]] for r in rows[1:]]]
    read = read_ledger(xlsx(tmp_path / "s.xlsx", BOTH | {"年度": rows}))
    assert ("scale_column", None) in told(read.faults)


def test_what_an_auditor_asks(tmp_path):
    annual = [
        [*ANNUAL[0], "亩均税收", "用电量"],
        [A, 2022, "是", 10, 20, 0.5, ""],
        [A, 2023, "是", 90, 20, 4.5, ""],
        [B, 2022, "否", 0.5, 12, 0.04, ""],
        [B, 2023, "否", 0.5, 12, 1.2, 3],
        [C, 2023, "否", 3, 15, 0.2, ""],
    ]
    disposals = [
        ["统一社会信用代码", "处置方式", "处置结果", "开始日期", "完成日期", "销号日期"],
        [A, "提升", "达标", "2023-03-01", "2023-10-01", "2023-12-01"],
        [B, "整治", "关停", "2022-03-01", "2022-10-01", ""],
        [C, "淘汰", "达标", "2023-06-01", "2023-05-01", ""],
    ]
    process = [
        ["统一社会信用代码", "告知", "认定", "陈述", "初验"],
        [A, "2022-05-01", "2022-05-10", "2022-05-05", ""],
        [B, "2022-05-01", "2022-05-10", "", ""],
    ]
    sheets = {"企业": ENTERPRISES, "年度": annual, "处置": disposals, "流程": process}
    read = read_ledger(xlsx(tmp_path / "a.xlsx", sheets))
    assert read.faults == ()
    found = {
        (fault.rule, fault.sheet, fault.row) for fault in audit(read, lines={(2023, True): 5.0, (2023, False): 1.0})
    }
    assert found == {
        ("tripled", "年度", 3),
        ("reached_below_line", "处置", 2),
        ("ratio_differs", "年度", 5),
        ("closed_active", "年度", 5),
        ("method_outcome", "处置", 3),
        ("method_outcome", "处置", 4),
        ("certified_early", "流程", 3),
        ("written_off_unaccepted", "处置", 2),
        ("date_order", "处置", 4),
        ("reached_below_line", "处置", 4),
    }
    for fault in audit(read, lines={(2023, True): 5.0, (2023, False): 1.0}):
        assert "—" not in fault.text("zh")
        assert fault.severity == "warning"


def test_an_auditor_asks_nothing_of_a_plain_ledger(tmp_path):
    assert audit(read_ledger(xlsx(tmp_path / "a.xlsx", BOTH))) == ()


@pytest.mark.parametrize(
    ("term", "told"), [((15, "calendar"), ["2023-01-16"]), ((15, "working"), ["2023-01-16", "2023-01-19"]), (None, [])]
)
def test_the_days_of_the_statement_are_the_plans_and_its_readings(term, told):
    from build import ledger

    held = ledger(
        enterprises=[{"credit_code": c, "name": c} for c in "ABC"],
        annual=[{"credit_code": "A", "year": 2023, "tax_wan": 1.0, "land_mu": 1.0}],
        process=[{"credit_code": c, "notified": "2023-01-02", "certified": d}
                 for c, d in zip("ABC", ("2023-01-16", "2023-01-19", "2023-01-23"), strict=True)],
    )  # fmt: skip
    found = [f for f in audit(held, None, term) if f.rule == "certified_early"]
    assert len(found) == len(told)
    if term:
        assert all(("工作日" in f.message("zh")) == (term[1] == "working") for f in found)
