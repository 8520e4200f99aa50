"""Run files that ask for a bulletin, products, an edition, an office's fonts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from test_report_bulletin import tables

from lyeval import report, resources
from lyeval.policy import PolicyError
from lyeval.run import NOTEBOOKS, RunError, before, load_run
from lyeval.run.inputs import inputs_of, stage
from lyeval.run.record import parameters_of
from lyeval.run.review import given

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
    staged = stage(run, tmp_path / "part")
    told = given(run.spec) | staged.parameters
    assert told["products"] == ["drafts", "text"]
    assert told["edition"] == "research"
    assert told["fonts"] == {"folder": "inputs/fonts/ff", "body": "仿宋"}
    assert (tmp_path / "part/inputs/fonts/ff/a.otf").read_bytes() == b"font"
    assert [i.name for i in inputs_of(run) if i.use == "fonts"] == ["a.otf"]
    assert [i.name for i in staged.inputs if i.use == "fonts"] == ["a.otf"]
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
