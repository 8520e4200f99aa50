"""A full disk, a killed process, a report held open: the earlier report stays whole, and the error says what to do."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lyeval.run import NotebookError, RunError, load_run, produce, review
from lyeval.run.folders import mend, replace

ROOT = Path(__file__).resolve().parent.parent
SMALL = "kind: review\npolicy: zhoushan-2020\nledger: sample:zhoushan-shengsi\nyear: 2020\ndraws: 100\n"
KILLED = """
import os, pathlib, signal, sys
from lyeval.run.folders import replace
final, kill_at, seen, rename = pathlib.Path(sys.argv[1]), int(sys.argv[2]), [], pathlib.Path.rename
def dying(self, target):
    if len(seen) == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
    seen.append(target)
    return rename(self, target)
pathlib.Path.rename = dying
replace(final)
os.kill(os.getpid(), signal.SIGKILL)
"""


def report(folder: Path, text: str) -> None:
    folder.mkdir(parents=True)
    (folder / "report.html").write_text(text, encoding="utf-8")
    (folder / "record.json").write_text("{}", encoding="utf-8")


def told(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


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
    monkeypatch.setattr(review, "execute", written)
    monkeypatch.setattr(review, place, broken)
    with pytest.raises(RunError, match=words) as error:
        produce(load_run(home / "a.yaml"), home / "out")
    assert "--out" in error.value.zh
    assert "--out" in error.value.en
    assert told(home / "out" / "a") == "earlier"
    assert not list((home / "out").glob("*.part"))


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs a limit on the size of files")
def test_no_room_for_a_notebook_is_told_as_such(tmp_path: Path) -> None:
    code = "import resource, sys, pathlib; from lyeval.run.executing import execute, kernels; home = pathlib.Path(sys.argv[1]); " \
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
    final = tmp_path / "a"
    report(final, "earlier")
    report(tmp_path / "a.part", "new")
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", KILLED, str(final), str(kill_at)], env=env, check=False)
    assert done.returncode == -signal.SIGKILL
    mend(final)
    assert told(final) == left
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_killed_while_it_was_made(tmp_path: Path) -> None:
    final = tmp_path / "a"
    report(final, "earlier")
    report(tmp_path / "a.part", "half")
    (tmp_path / "a.part" / "record.json").rename(tmp_path / "a.part" / "record.json.new")
    mend(final)
    assert told(final) == "earlier"
    shutil.rmtree(final)
    report(tmp_path / "a.old", "earlier")
    report(tmp_path / "a.part", "half")
    (tmp_path / "a.part" / "record.json").unlink()
    mend(final)
    assert told(final) == "earlier"


@pytest.mark.parametrize("held", ["a", "a.part"])
def test_a_report_held_open_by_another_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str) -> None:
    final, rename = tmp_path / "a", Path.rename
    report(final, "earlier")
    report(tmp_path / "a.part", "new")

    def locked(self: Path, target: Path) -> Path:
        if self.name == held:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", locked)
    with pytest.raises(RunError, match="请关闭正在打开其中文件的程序") as error:
        replace(final)
    assert "Close programs" in error.value.en
    assert told(final) == "earlier"
