"""Documents side by side: every clause stands in a row or is named as left out, for any number of plans, in every format."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from commands import Lyeval, runner

from lyeval.policy import load_policy, policy_ids
from lyeval.policy.documents import THEMES, article, clauses, register_of, side_by_side, timeline
from lyeval.report.compared import document_of_policies


@pytest.fixture
def lyeval(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lyeval:
    return runner(capsys, monkeypatch)


PLANS = [load_policy(name) for name in policy_ids()]
REGISTERS = [register_of(plan.id) for plan in PLANS]


@pytest.mark.parametrize("at", range(len(PLANS)), ids=policy_ids())
def test_every_clause_that_is_not_context_is_in_a_row_or_left_out_with_a_reason(at: int) -> None:
    plan, register = PLANS[at], REGISTERS[at]
    assert register is not None
    table = clauses(plan, register)
    assert table["clause"].tolist() == [c.id for c in register.clauses]
    rows = side_by_side(PLANS, REGISTERS)
    named = {c for text in rows.loc[rows["policy"] == plan.id, "clauses"] for c in text.split("；")}
    for row in table.to_dict("records"):
        if row["disposition"] == "context":
            assert (row["theme"], bool(row["left_out"])) == ("", True)
        else:
            assert (row["clause"] in named) == (row["theme"] in THEMES), row["clause"]
            assert (row["theme"] == "") == bool(row["left_out"] and row["left_out_en"]), row["clause"]
    assert set(table.loc[(table["theme"] == "") & (table["disposition"] != "context"), "disposition"]) == {"external"}


def test_what_fields_do_not_hold_is_told_clause_by_clause() -> None:
    rows = side_by_side(PLANS, REGISTERS).set_index(["theme", "policy"])
    assert "[Art. 5(2).a]" in rows.loc[("supervision", "linshu-2021"), "text_en"].replace("5(2)a", "5(2).a")
    assert "every two weeks" in rows.loc[("supervision", "linshu-2021"), "text_en"]
    for word in ("park for small firms", "demolition", "land bank"):
        assert word in rows.loc[("instruments", "zhoushan-2020"), "text_en"]
    assert "epidemic" in rows.loc[("sanctions", "zhoushan-2020"), "text_en"]
    assert "grade D" in rows.loc[("sanctions", "zhoushan-2020"), "text_en"]
    assert "6.40" in rows.loc[("sanctions", "linshu-2021"), "text_en"]


def test_three_plans_stand_in_three_columns() -> None:
    changed = PLANS[0].model_copy(update={"id": "another"})
    document = document_of_policies([*PLANS, changed], [*REGISTERS, None], lang="en")
    table = next(b for b in document.blocks if getattr(b, "id", "") == "side_documents")
    assert [c.key for c in table.columns] == ["theme", *(p.id for p in PLANS), "another"]
    assert [row[0] for row in table.rows if row[0].strip()] == [en for _, en in THEMES.values()]


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        ("一(三)c", "Art. 1(3)c"), ("三.2b", "Art. 3.2b"), ("四(四)2a", "Art. 4(4).2a"), ("附件3一.2a", "Annex 3, 1.2a"),
        ("附件1.16a", "Annex 1.16a"), ("引言", "Preamble"), ("附件3一图", "Annex 3, 1 chart"), ("四(二)一a", "Art. 4(2).1a"),
    ],
)  # fmt: skip
def test_clauses_have_english_names(clause: str, said: str) -> None:
    assert article(clause) == said


def test_one_axis_for_issue_work_rhythms_and_targets() -> None:
    table = timeline(PLANS, REGISTERS)
    assert set(table["lane"]) == {"issued", "work", "rhythm", "target"}
    targets = table[table["lane"] == "target"].groupby("policy")["start"].agg(lambda days: [d.year for d in days])
    assert targets.to_dict() == {"linshu-2021": [2023, 2024, 2025], "zhoushan-2020": [2020]}
    assert (table["start"] <= table["end"]).all()
    assert (
        "line RMB 20,000"
        in table.loc[(table["policy"] == "linshu-2021") & (table["start"] == "2024-12-31"), "label_en"].iloc[0]
    )


@pytest.mark.parametrize(("ending", "begins"), [("html", b"<!"), ("pdf", b"%PDF"), ("docx", b"PK"), ("xlsx", b"PK")])
def test_diff_writes_every_format(lyeval: Lyeval, tmp_path: Path, ending: str, begins: bytes) -> None:
    out = tmp_path / f"diff.{ending}"
    done = lyeval("policy", "diff", *policy_ids(), "--out", out, "--lang", "en")
    assert done.code == 0, done.err
    content = out.read_bytes()
    assert content.lstrip().startswith(begins)
    if ending == "xlsx":
        text = zipfile.ZipFile(out).read("xl/sharedStrings.xml").decode("utf-8")
        assert "refers only to a document that is not held" in text


def test_one_plan_or_an_unknown_ending_is_misuse(lyeval: Lyeval, tmp_path: Path) -> None:
    assert lyeval("policy", "diff", "linshu-2021").code == 2
    wrong = lyeval("policy", "diff", *policy_ids(), "--out", tmp_path / "a.txt", "--lang", "en")
    assert wrong.code == 2
    assert "html, pdf, docx, xlsx" in wrong.err
