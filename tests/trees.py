"""Random trees of a user's files, what they were and are, and commands run in a child process that may be killed at a file operation."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import stat
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from reports import report

NAMES = (
    "a", "a.old", "a.part", "a.failed", "a.failed-2", "a.earlier", ".a.lyeval-part", ".a.lyeval-old", ".a.lyeval-0123456789ab",
    ".a.lyeval-lock", ".a.lock", "index.html", ".index.html.lyeval-lock", "b", "b.old", "out.xlsx", "out.yaml", "out", ".lyeval.json",
    "record.json", ".out.xlsx.lyeval-lock", ".out.lyeval-lock", "README.md", "data", "parameters", ".gitignore", "notes.txt", "example.ipynb",
)  # fmt: skip
WRITES = ("os.rename", "os.link", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "shutil.rmtree")


def entry(rng: random.Random, path: Path, outside: Path) -> None:
    """Make something of a user's under a name: file, folder, link, read-only, empty, a report of another run."""
    kind = rng.choice(("file", "empty", "folder", "hollow", "link", "away", "lost", "locked", "shut", "copy", "failed"))
    if kind in ("file", "locked", "empty"):
        path.write_bytes(b"" if kind == "empty" else rng.randbytes(20))
        path.chmod(0o400 if kind == "locked" else 0o640)
    elif kind in ("link", "away", "lost"):
        target = {"link": "notes.md", "away": outside, "lost": "nowhere"}[kind]
        path.symlink_to(target, target_is_directory=kind == "away")
    elif kind == "copy":
        report(path, "a copy", run="another")
    else:
        path.mkdir()
        if kind != "hollow":
            (path / "within").mkdir()
            (path / "within" / "台账.txt").write_bytes(rng.randbytes(20))
            (path / "link").symlink_to(outside, target_is_directory=True)
        if kind == "failed":
            (path / ".lyeval.json").write_text('{"lyeval": "failed", "of": "other", "files": {}}', encoding="utf-8")
        if kind == "shut":
            path.chmod(0o500)


def plant(rng: random.Random, root: Path, outside: Path) -> None:
    """Fill a folder with a user's things, in every second case beside an earlier report to which something was added."""
    (outside / "deep").mkdir(parents=True)
    for place in ("report.html", "tables.csv", "deep/index.html"):
        (outside / place).write_bytes(rng.randbytes(20))
    root.mkdir()
    (root / "notes.md").write_text("mine", encoding="utf-8")
    for name in rng.sample(NAMES, rng.randint(2, 9)):
        entry(rng, root / name, outside)
    if not os.path.lexists(root / "a") and rng.random() < 0.7:
        report(root / "a", "earlier")
        for name in rng.sample(("mine.txt", "tables/mine.csv", "~$report.docx"), rng.randint(0, 2)):
            (root / "a" / name).write_bytes(rng.randbytes(20))


def standing(folders: Iterable[Path]) -> dict[Path, tuple[object, ...]]:
    """Return what each entry is: kind and mode, bytes, link target, time of change of files; of lyeval's earlier report only what was added."""
    found: dict[Path, tuple[object, ...]] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                found[path] = ("link", os.readlink(path))
            elif stat.S_ISDIR(status.st_mode):
                found[path] = ("folder", status.st_mode)
            else:
                told = hashlib.sha256(path.read_bytes()).hexdigest()
                found[path] = ("file", status.st_mode, told, status.st_mtime_ns)
    return found


def theirs(root: Path, outside: Path) -> dict[Path, tuple[object, ...]]:
    """Return what stands that is the user's: all but the earlier report of run ``a`` as it was written."""
    found = standing([root, outside])
    own = root / "a"
    if (own / "record.json").is_file() and not own.is_symlink() and (own / "report.html").read_bytes() == b"earlier":
        written = {own, *(own / name for name in ("report.html", "record.json", "tables", "tables/targets.csv"))}
        return {path: what for path, what in found.items() if path not in written}
    return found


def in_a_child(command: Callable[[], object], kill_at: int | None) -> int:
    """Run a command in a child process, killed before its ``kill_at``-th change of files; return its exit code, -9 if killed."""
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            if kill_at is not None:
                sys.addaudithook(_killer(kill_at))
            command()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def _killer(kill_at: int) -> Callable[[str, tuple[object, ...]], None]:
    seen = [0]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        writing = event == "open" and isinstance(arguments[2], int) and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if writing or event in WRITES:
            if seen[0] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            seen[0] += 1

    return hook


def forget(folder: Path) -> None:
    """Delete a tree with read-only folders in it."""
    for top, _, _ in os.walk(folder):
        Path(top).chmod(0o700)
    shutil.rmtree(folder)
