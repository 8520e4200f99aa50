"""A mapping of headings from the command line to the run: drafted, filled in, used without being named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from ledgers import ENTERPRISES, A, B, code, xlsx

from lyeval.cli import main
from lyeval.ledger import LedgerError
from lyeval.run import check_run, load_run
from lyeval.run.inputs import inputs_of, open_ledger, stage

HEAD = ["统一社会信用代码", "年份", "规上", "实缴税金", "面积", "自编指标"]
ROWS = [HEAD, [A, 2023, "是", 9, 10, 1], [B, 2023, "否", 5, 20, 1]]
FILLED = '"面积": land_mu\n"自编指标":\n'
RUN = "kind: review\npolicy: linshu-2021\nledger: own.xlsx\nyear: 2023\n"

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process; its exit code and what it printed."""

    def run(*words: object) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out + told.err

    return run


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return xlsx(tmp_path / "own.xlsx", {"企业": ENTERPRISES[:3], "年度": ROWS})


def test_a_draft_is_written_beside_the_ledger_and_used_there(command: Command, own: Path) -> None:
    draft = own.with_name("own.columns.yaml")
    exit_code, told = command("check", own, "--suggest")
    assert exit_code == 1
    assert "own.columns.yaml" in told.replace("\n", "")
    text = draft.read_text(encoding="utf-8")
    assert '"面积": "?"' in text
    assert '"自编指标":' in text
    assert command("check", own, "--suggest")[0] == 2
    assert draft.read_text(encoding="utf-8") == text
    draft.write_text(FILLED, encoding="utf-8")
    exit_code, told = command("check", own, "--suggest")
    assert (exit_code, "表头都已认出" in told) == (0, True)
    assert command("check", own, "sample:linshu", "--suggest")[0] == 2


def test_a_run_takes_the_mapping_beside_its_run_file(tmp_path: Path, own: Path) -> None:
    (tmp_path / "mine.yaml").write_text(RUN, encoding="utf-8")
    run = load_run(tmp_path / "mine.yaml")
    with pytest.raises(LedgerError, match="面积"):
        check_run(run)
    before = inputs_of(run)
    (tmp_path / "mine.columns.yaml").write_text(FILLED, encoding="utf-8")
    assert check_run(run).year == 2023
    assert [(i.use, i.name) for i in inputs_of(run) if i not in before] == [("columns", "mine.columns.yaml")]
    folder = tmp_path / "run"
    parameters, inputs = stage(run, folder)
    assert {i.use for i in inputs} >= {"ledger", "columns"}
    read = open_ledger(folder / str(parameters["ledger"]))
    assert read.annual["land_mu"].tolist() == [10, 20]


def test_a_mapping_is_no_run_file(tmp_path: Path, command: Command) -> None:
    path = tmp_path / "mine.columns.yaml"
    path.write_text(FILLED, encoding="utf-8")
    assert command("run", path)[0] == 2


def test_check_asks_what_an_auditor_asks(tmp_path: Path, command: Command) -> None:
    annual = [[*HEAD[:4], "土地总面积"], [A, 2023, "否", 9, 10], [B, 2023, "是", 5, 20], [code(3), 2023, "否", 1, 2]]
    done = [["统一社会信用代码", "处置方式", "处置结果", "完成日期"], [B, "帮扶提升", "达标", "2023-10-01"]]
    path = xlsx(tmp_path / "a.xlsx", {"企业": ENTERPRISES, "年度": annual, "处置": done})
    assert "记为达标而税收低于标准" not in command("check", path)[1]
    exit_code, told = command("check", path, "--policy", "linshu-2021")
    assert exit_code == 0
    assert "低于1万元/亩" in told.replace("\n", "").replace(" ", "")
    assert command("check", path, "--policy", "linshu-2021", "--strict")[0] == 1
