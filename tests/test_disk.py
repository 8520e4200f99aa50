"""A full disk, a killed process, a report held open: the earlier report stays whole, and the error says what to do."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lyeval.run import NotebookError, RunError, load_run, produce, production
from lyeval.run.folders import begin, mend, replace
from reports import report, told

ROOT = Path(__file__).resolve().parent.parent
SMALL = "kind: review\npolicy: zhoushan-2020\nledger: sample:zhoushan-shengsi\nyear: 2020\ndraws: 100\n"
KILLED = """
import os, pathlib, signal, sys
from lyeval.run.folders import replace
final, new, kill_at = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
seen, rename = [], pathlib.Path.rename
def dying(self, target):
    if len(seen) == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    seen.append(target)
    return rename(self, target)
pathlib.Path.rename = dying
replace(final, new)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A run file and an earlier report of it."""
    (tmp_path / "a.yaml").write_text(SMALL, encoding="utf-8")
    report(tmp_path / "out" / "a", "earlier")
    return tmp_path


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def failing(*_: object, **__: object) -> None:
    raise NotebookError("08_year_end_report.ipynb", 3, "OSError: [Errno 28] No space left on device: 'report.pdf'")


def written(_notebook: Path, output: Path, *_: object, **__: object) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("{}", encoding="utf-8")


@pytest.mark.parametrize(
    ("place", "broken", "words"),
    [
        ("execute", full, "检查磁盘空间"),
        ("record", full, "检查磁盘空间"),
        ("stage", full, "检查磁盘空间"),
        ("execute", failing, "磁盘已满"),
    ],
)
def test_full_disk(
    home: Path, monkeypatch: pytest.MonkeyPatch, place: str, broken: Callable[..., None], words: str
) -> None:
    monkeypatch.setattr(production, "execute", written)
    monkeypatch.setattr(production, place, broken)
    with pytest.raises(RunError, match=words) as error:
        produce(load_run(home / "a.yaml"), home / "out")
    assert "--out" in error.value.zh
    assert "--out" in error.value.en
    assert told(home / "out" / "a") == "earlier"
    left = {p.name for p in (home / "out").iterdir()}
    assert left <= {"a", "a.failed"}


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit on the size of files")
def test_no_room_for_a_notebook_is_told_as_such(tmp_path: Path) -> None:
    code = "import resource, sys, pathlib; from lyeval.run.execution import execute, kernels; home = pathlib.Path(sys.argv[1]); " \
           "resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)); " \
           "k = kernels(home); k.__enter__(); execute(home / 'a.ipynb', home / 'out.ipynb', {}, folder=home)"  # fmt: skip
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a",
        "metadata": {"tags": ["parameters"]},
        "outputs": [],
    }
    notebook = {
        "cells": [{**cell, "source": "x = 1  # " + "long " * 1000}],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (tmp_path / "a.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    command, env = [sys.executable, "-c", code, str(tmp_path)], os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.search(r"^OSError: \[Errno 27\]", done.stderr, re.MULTILINE)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
@pytest.mark.parametrize(("kill_at", "left"), [(0, "earlier"), (1, "new"), (2, "new")])
def test_killed_around_the_renames(tmp_path: Path, kill_at: int, left: str) -> None:
    final = report(tmp_path / "a", "earlier")
    new = report(begin(final), "new")
    env, command = os.environ | {"PYTHONPATH": str(ROOT)}, [sys.executable, "-c", KILLED, final, new, str(kill_at)]
    assert subprocess.run(command, env=env, check=False).returncode == -signal.SIGKILL
    mend(final)
    assert told(final) == left
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_killed_while_it_was_made(tmp_path: Path) -> None:
    final = report(tmp_path / "a", "earlier")
    report(begin(final), "half", finished=False)
    mend(final)
    assert told(final) == "earlier"
    new = report(begin(final), "half", finished=False)
    final.rename(new.with_name("old"))
    mend(final)
    assert told(final) == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("held", ["a", "new"])
def test_a_report_held_open_by_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str) -> None:
    final, rename = report(tmp_path / "a", "earlier"), Path.rename
    new = report(begin(final), "new")

    def locked(self: Path, target: Path) -> Path:
        if self.name == held:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", locked)
    with pytest.raises(RunError, match="请关闭正在打开其中文件的程序") as error:
        replace(final, new)
    assert "Close programs" in error.value.en
    assert told(final) == "earlier"
