"""Run files that ask for a bulletin, products, an edition, an office's fonts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from samples import tables as review
from test_report_bulletin import tables

from lyeval import report, resources
from lyeval.cli import main
from lyeval.policy import PolicyError
from lyeval.render import Heading, Paragraph
from lyeval.report.filling import shipped
from lyeval.run import NOTEBOOKS, RunError, about, before, check_run, load_run, own_words, unfilled
from lyeval.run.inputs import given, inputs_of, stage
from lyeval.run.records import parameters_of

BULLETIN = "linshu-bulletin-2023-10"


def test_the_shipped_bulletin_is_of_a_month() -> None:
    spec = load_run(BULLETIN).spec
    assert (spec.kind, spec.as_of, spec.year) == ("bulletin", "2023-10", 2023)
    assert NOTEBOOKS["bulletin"][-1] == "09_bulletin"
    assert given(spec)["previous"] == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("as_of=2022-10", "月度通报须写明 as_of"), ("as_of=", "月度通报须写明 as_of"), ("products=[poem]", "products"),
        ("edition=popular", "edition"), ("fonts.hand=楷体", "fonts"),
    ],
)  # fmt: skip
def test_what_a_run_file_may_not_ask(change: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        load_run(BULLETIN, [change])


def test_products_edition_and_fonts_reach_the_notebooks(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    shutil.copyfile(resources.path("parameters/runs") / f"{BULLETIN}.yaml", path)
    (tmp_path / "ff").mkdir()
    (tmp_path / "ff" / "a.otf").write_bytes(b"font")
    run = load_run(
        path, ["kind=review", "products=[drafts, text]", "edition=research", "fonts.folder=ff", "fonts.body=仿宋"]
    )
    parameters, inputs = stage(run, tmp_path / "part")
    told = given(run.spec) | parameters
    assert told["products"] == ["drafts", "text"]
    assert told["edition"] == "research"
    assert told["fonts"] == {"folder": "inputs/fonts/ff", "body": "仿宋"}
    assert (tmp_path / "part/inputs/fonts/ff/a.otf").read_bytes() == b"font"
    assert [i.name for i in inputs_of(run) if i.use == "fonts"] == ["a.otf"]
    assert [i.name for i in inputs if i.use == "fonts"] == ["a.otf"]
    assert parameters_of(run.spec)["fonts"] == {
        "folder": "ff",
        "title": None,
        "body": "仿宋",
        "heading1": None,
        "heading2": None,
    }


def test_a_bulletin_is_told_of_the_one_before(tmp_path: Path) -> None:
    report.save(tmp_path / "old/tables", tables("2023-09"))
    assert before("") == {}
    found = before(tmp_path / "old")
    assert found["before_stamp"]["as_of"] == "2023-09"
    assert found["before_run"]["seed"] == 1
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunError, match="empty"):
        before(tmp_path / "empty")


def office(tmp_path: Path, template: str, texts: str) -> Path:
    """Write a run file with an office's own template and words."""
    (tmp_path / "我县.md").write_text(template, encoding="utf-8")
    (tmp_path / "话.md").write_text("# 组织推进\n\n开会。\n", encoding="utf-8")
    file = tmp_path / "own.yaml"
    file.write_text(
        f"policy: linshu-2021\nledger: sample:linshu\nyear: 2023\ntemplate: 我县.md\ntexts: {texts}\n", encoding="utf-8"
    )
    return file


@pytest.mark.parametrize("texts", ["话.md", "{组织推进: 开会。}"])
def test_an_offices_template_and_words_reach_the_report(
    tmp_path: Path, texts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = load_run(office(tmp_path, '# 做法{{ id("a") }}\n\n{{ slot("组织推进") }}\n\n{{ slot("其他") }}\n', texts))
    parameters, inputs = stage(run, tmp_path / "part")
    assert "template" in {i.use for i in inputs}
    assert parameters_of(run.spec)["template"] == "我县.md"
    monkeypatch.chdir(tmp_path / "part")
    made = about(**own_words(parameters["template"], parameters["texts"]))
    report.save(tmp_path / "tables", made)
    document = report.build_report(review("linshu", 2023) | report.load(tmp_path / "tables"))
    assert [b.text for b in document.blocks if isinstance(b, Heading | Paragraph)] == ["一、做法", "开会。"]
    assert unfilled(document)["slots"]["name"].tolist() == ["其他"]


def test_a_template_that_is_wrong_is_told_before_anything_is_done(tmp_path: Path) -> None:
    run = load_run(office(tmp_path, "好\n\n{% if x %}\n", "{}"))
    with pytest.raises(RunError, match=r"我县\.md:3: ") as error:
        check_run(run)
    assert not error.value.misuse
    run = load_run(office(tmp_path, "好\n", "没有.md"))
    with pytest.raises(RunError, match=r"找不到文字 没有\.md"):
        inputs_of(run)


def test_a_shipped_template_is_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for code in (0, 2):
        with pytest.raises(SystemExit) as ended:
            main(["template", "zh/bulletin", "--out", str(tmp_path / "我县.md")])
        assert ended.value.code == code
    assert (tmp_path / "我县.md").read_text(encoding="utf-8") == shipped("zh/bulletin")
    with pytest.raises(SystemExit) as ended:
        main(["template", "zh/none"])
    assert ended.value.code == 2
    assert "没有这个模板" in capsys.readouterr().err
