from __future__ import annotations

import pytest
from ledgers import ANNUAL, BOTH, ENTERPRISES, A, B, xlsx

from lyeval.ledger import LedgerError, beside, draft_columns, read_ledger

ODD = [
    ["统一社会信用代码", "年份", "地方数甲", "面积", "税收", "纳税额"],
    [A, 2023, 7, 20, 1, 2],
    [B, 2023, 3, 12, 1, 2],
]
OWN = {"地方数甲": "annual.tax_wan", "面积": "土地总面积", "税收": None, "纳税额": None}


def test_the_offices_own_word_goes_first(tmp_path):
    path = xlsx(tmp_path / "o.xlsx", {"企业": ENTERPRISES, "年度": ODD})
    with pytest.raises(LedgerError):
        read_ledger(path)
    read = read_ledger(path, columns=OWN)
    assert read.annual["tax_wan"].tolist() == [7, 3]
    assert read.annual["land_mu"].tolist() == [20, 12]


def test_a_draft_settles_what_was_told(tmp_path):
    path = xlsx(tmp_path / "o.xlsx", {"企业": ENTERPRISES, "年度": ODD})
    with pytest.raises(LedgerError) as caught:
        read_ledger(path)
    draft = draft_columns(caught.value.faults)
    assert '"地方数甲":\n' in draft
    assert '"面积": "?"\n' in draft
    assert "annual.land_mu 土地总面积" in draft
    assert draft_columns([]) == ""
    file = beside(path)
    assert file == tmp_path / "o.columns.yaml"
    file.write_text(draft, encoding="utf-8")
    with pytest.raises(LedgerError) as caught:
        read_ledger(path)
    assert {(f.rule, f.heading) for f in caught.value.faults} == {("mapping_open", "纳税额"), ("mapping_open", "面积")}
    filled = draft.replace('"面积": "?"', '"面积": land_mu').replace('"纳税额": "?"', '"纳税额":')
    file.write_text(filled, encoding="utf-8")
    read = read_ledger(path)
    assert read.annual["land_mu"].tolist() == [20, 12]
    assert not {fault.rule for fault in read.faults} & {"heading_unknown", "heading_ambiguous"}
    with pytest.raises(LedgerError):
        read_ledger(path, columns={})


@pytest.mark.parametrize(
    ("text", "rule"), [("面积: land_mux\n", "mapping_column"), ("- a\n", "mapping_form"), ("a: [\n", "text_unreadable")]
)
def test_mapping_files_that_do_not_hold(tmp_path, text, rule):
    file = tmp_path / "c.columns.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LedgerError) as caught:
        read_ledger(xlsx(tmp_path / "a.xlsx", BOTH), columns=file)
    assert [fault.rule for fault in caught.value.faults] == [rule]


@pytest.mark.parametrize(
    ("values", "column"),
    [(["规上", "规上", "规下", "规下", "规下"], "above_scale"), (["A", "B类", "C", "D", "D"], "grade")],
)
def test_a_bare_class_is_decided_by_its_values(tmp_path, values, column):
    rows = [["统一社会信用代码", "年份", "实缴税金", "土地总面积", "分类"]]
    rows += [[row[0], row[1], row[3], row[4], value] for row, value in zip(ANNUAL[1:], values, strict=True)]
    read = read_ledger(xlsx(tmp_path / "c.xlsx", {"企业": ENTERPRISES, "年度": rows}))
    assert read.has("annual", column)
    assert "decided_by_values" in {fault.rule for fault in read.faults}
