"""What ends a run or a batch before its time: limits, signals, kills, broken run files; and two batches on one folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lyeval.run import RunError, folders, load_run
from lyeval.run.batches import complete
from lyeval.run.folders import held
from lyeval.run.records import parameters_of
from lyeval.scratch import MARKER, locked, scratch, sweep
from lyeval.textfiles import digest

HERE = Path(__file__).resolve().parent
RUN = "policy: zhoushan-2020\nledger: sample:zhoushan-shengsi\nyear: 2020\ntitle: {}\nseed: {}\n"
HANG = RUN.format("hold", 600)
QUICK = RUN.format("quick", 0)
posix = pytest.mark.skipif(os.name == "nt", reason="needs signals")


class Place:
    """A folder to run the stubbed command line in, with a temporary folder of its own and a note of every kernel."""

    def __init__(self, home: Path) -> None:
        self.home, self.away, self.kernels = home, home / "tmp", home / "kernels"
        self.away.mkdir()
        self.kernels.mkdir()

    def write(self, **texts: str) -> list[str]:
        for name, text in texts.items():
            (self.home / f"{name}.yaml").write_text(text, encoding="utf-8")
        return [f"{name}.yaml" for name in texts]

    def start(self, *words: str) -> subprocess.Popen[str]:
        env = os.environ | {"TMPDIR": str(self.away), "COLUMNS": "200"}
        return subprocess.Popen(
            [sys.executable, str(HERE / "stubbed.py"), *words], cwd=self.home, env=env, text=True, encoding="utf-8",
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def done(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=300)
        assert "Traceback" not in out + err
        return process.returncode, out + err

    def left(self) -> list[int]:
        """Return which of the kernels that ever ran still run."""
        return [int(path.name) for path in self.kernels.iterdir() if running(int(path.name))]

    def reports(self) -> set[str]:
        return {path.name for path in (self.home / "reports").iterdir()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def running(pid: int) -> bool:
    """Tell whether a process runs; one that only waits to be buried does not."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not stat.exists() or stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def eventually(come: Callable[[], Any]) -> None:
    """Wait for something; the patience is only there to end a test that fails."""
    for _ in range(1200):
        if come():
            return
        time.sleep(0.1)
    pytest.fail("it did not come about")


def error_of(notebook: Path) -> list[int]:
    """Return which code cells of a notebook hold an error."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [i for i, cell in enumerate(cells, 1) if any(o["output_type"] == "error" for o in cell["outputs"])]


# -- limits ------------------------------------------------------------------------------------------------------------


def test_a_hung_cell_ends_after_the_limit_and_is_told(place: Place) -> None:
    place.write(a=HANG + "cell_limit: 500\n")
    code, told = place.done("run", "a.yaml", "--timeout", "1")
    assert code == 1
    cell = re.search(r"stub\.ipynb 第 (\d) 个代码单元出错：运行超过时限 1 秒", told)
    assert cell
    assert "--timeout" in told
    assert "cell_limit" in told
    assert len(told.strip().splitlines()) == 3
    assert error_of(place.home / "reports/a.failed/notebooks/stub.ipynb") == [int(cell[1])]
    assert place.reports() == {"a.failed"}
    assert (place.left(), list(place.away.iterdir())) == ([], [])


def test_the_limit_is_no_part_of_what_a_run_is_made_from(place: Place) -> None:
    (name,) = place.write(a=QUICK)
    plain = load_run(place.home / name)
    short = load_run(place.home / name, ["cell_limit=5"])
    assert (plain.spec.cell_limit, short.spec.cell_limit) == (1800, 5)
    assert parameters_of(plain.spec) == parameters_of(short.spec)
    with pytest.raises(ValueError, match="cell_limit"):
        load_run(place.home / name, ["cell_limit=0"])


# -- signals and kills -------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_ends_a_run_that_hangs_in_c_code(place: Place, name: str, code: int) -> None:
    place.write(a=HANG)
    process = place.start("run", "a.yaml")
    eventually(lambda: list(place.kernels.iterdir()))
    process.send_signal(getattr(signal, name))
    err = process.communicate(timeout=300)[1]
    assert process.returncode == code
    assert err.strip().splitlines() == ["错误：已中止"]
    assert (place.reports(), place.left(), list(place.away.iterdir())) == (set(), [], [])


@posix
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGKILL", -9)])
def test_a_batch_takes_its_workers_and_kernels_with_it(place: Place, name: str, code: int) -> None:
    names = place.write(a=HANG, b=HANG, c=QUICK)
    earlier = finished(place.home / "reports", "earlier")
    process = place.start("batch", *names, "--workers", "2")
    eventually(lambda: len(list(place.kernels.iterdir())) == 2)
    process.send_signal(getattr(signal, name))
    err = process.communicate(timeout=300)[1]  # ends when the last process that writes there has ended
    assert process.returncode == code
    assert "Traceback" not in err
    eventually(lambda: not place.left())
    if name == "SIGTERM":
        assert "已中止，完成 0/3" in err
    assert place.reports() == {"earlier", "index.html"}
    assert f'href="{earlier.name}/report.html"' in (place.home / "reports/index.html").read_text(encoding="utf-8")
    assert list(place.away.iterdir()) == []


@posix
def test_what_a_killed_run_left_is_swept_by_a_later_command(place: Place) -> None:
    place.write(a=HANG)
    process = place.start("run", "a.yaml")
    eventually(lambda: list(place.kernels.iterdir()))
    process.kill()
    process.communicate(timeout=300)
    eventually(lambda: not place.left())
    assert [path.name.startswith("lyeval-") for path in place.away.iterdir()] == [True]
    assert place.done("policy", "list")[0] == 0
    assert list(place.away.iterdir()) == []


# -- temporary folders -------------------------------------------------------------------------------------------------


@posix
def test_only_what_dead_processes_of_ours_left_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    foreign = tmp_path / "lyeval-notes"
    (foreign / "deep").mkdir(parents=True)
    (tmp_path / "lyeval-forged").mkdir()
    (tmp_path / "lyeval-forged" / MARKER).write_text("not ours", encoding="utf-8")
    code = "import os, lyeval.scratch as s; c = s.scratch(); p = c.__enter__(); (p / 'a').mkdir(mode=0o500); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(tmp_path)}, check=False)
    (left,) = {p for p in tmp_path.iterdir()} - {foreign, tmp_path / "lyeval-forged"}
    (tmp_path / "lyeval-link").symlink_to(left)
    with scratch() as own:
        assert own.stat().st_mode & 0o777 == 0o700
        sweep()
        assert {p.name for p in tmp_path.iterdir()} == {"lyeval-notes", "lyeval-forged", "lyeval-link", own.name}
    assert not own.exists()
    assert (foreign / "deep").is_dir()


# -- batches -----------------------------------------------------------------------------------------------------------


def finished(root: Path, name: str) -> Path:
    """Make what looks like a finished run."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("made", encoding="utf-8")
    told: dict[str, Any] = {"run": name, "outputs": {"report.html": "0"}, "parameters": {"year": 2020}}
    told["fingerprint"] = digest(told)
    (folder / "record.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def test_only_what_stands_complete_is_listed(tmp_path: Path) -> None:
    whole, torn, copied, forged = (finished(tmp_path, name) for name in ("whole", "torn", "copied", "forged"))
    (torn / "report.html").unlink()
    copied.rename(tmp_path / "copied by hand")
    told = json.loads((forged / "record.json").read_text(encoding="utf-8"))
    (forged / "record.json").write_text(json.dumps(told | {"parameters": {}}), encoding="utf-8")
    (tmp_path / "mine").mkdir()
    assert complete(tmp_path) == [whole]


def test_broken_run_files_fail_alone_each_in_its_own_words(place: Place) -> None:
    broken = {
        "yaml": "policy: [zhoushan-2020\nledger: x\n",
        "ledger": QUICK.replace("sample:zhoushan-shengsi", "none.xlsx"),
        "policy": QUICK.replace("zhoushan-2020", "zhousan-2020"),
        "key": QUICK.replace("year", "yaer"),
    }
    good = {name: RUN.format(name, 0) for name in ("a", "b", "c")}
    names = place.write(**good, **broken)
    finished(place.home / "reports", "earlier")
    code, told = place.done("batch", *names[4:], "gone.yaml", *names[:4])
    assert code == 1
    assert "完成 3/8" in told
    told = told.partition("未完成：\n")[2]
    for words in ("yaml.yaml:", "ledger.yaml:2: ledger: 找不到台账 none.xlsx", "policy.yaml:1: policy: ",
                  "zhoushan-2020？", "key.yaml:3: yaer: ", "没有运行文件 gone.yaml"):  # fmt: skip
        assert words in told
    assert len(told.strip().splitlines()) == 5
    assert place.reports() == {"a", "b", "c", "earlier", "index.html"}
    page = (place.home / "reports/index.html").read_text(encoding="utf-8")
    assert re.findall('href="([^"]*)/report', page) == ["a", "b", "c", "earlier"]


def test_two_batches_on_one_folder_share_the_work(place: Place) -> None:
    place.write(**{name: RUN.format("sleep", 2) for name in "abc"})
    both = [
        place.start("batch", *words, "--workers", "1")
        for words in (("a.yaml", "b.yaml"), ("b.yaml", "a.yaml", "c.yaml"))
    ]
    told = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert len(list(place.kernels.iterdir())) == 3
    assert place.reports() == {"a", "b", "c", "index.html"}
    page = (place.home / "reports/index.html").read_text(encoding="utf-8")
    assert re.findall('href="([^"]*)/report', page) == ["a", "b", "c"]


@posix
def test_the_lock_of_a_removed_file_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waited for a lock may get that of a file which its holder has removed, while the next one makes another file."""
    lock, opened = tmp_path / ".a.lyeval-lock", []

    def too_late(file: int) -> bool:
        opened.append(file)
        if len(opened) == 1:
            lock.unlink()
        return locked(file)

    monkeypatch.setattr(folders, "locked", too_late)
    with held(tmp_path / "a"):
        assert len(opened) == 2
        with pytest.raises(RunError), held(tmp_path / "a"):
            pass
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name != "posix", reason="sockets in files are for POSIX")
def test_kernels_side_by_side_share_no_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel is spoken to through files in its own folder; only where that folder's path is too long for a socket, through ports."""
    from lyeval.run.papermill_engine import LONGEST_SOCKET, Known

    with tempfile.TemporaryDirectory(prefix="k") as short:
        monkeypatch.setenv("JUPYTER_RUNTIME_DIR", short)
        assert Known().transport == "ipc"
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / ("long" * (LONGEST_SOCKET // 4))))
    assert Known().transport == "tcp"
