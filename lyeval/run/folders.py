"""A run's folder: made beside the earlier one, put in its place by two renames, mended after a kill (输出文件夹)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lyeval.run.errors import HeldError, RunError
from lyeval.scratch import locked_as

RECORD = "record.json"


def part_of(final: Path) -> Path:
    """Return where a run's new folder is made."""
    return final.with_name(f"{final.name}.part")


def old_of(final: Path) -> Path:
    """Return where the earlier folder stands between the two renames."""
    return final.with_name(f"{final.name}.old")


def failed_of(final: Path) -> Path:
    """Return where a failed run is left."""
    return final.with_name(f"{final.name}.failed")


@contextmanager
def held(final: Path) -> Iterator[None]:
    """Hold a run's folder against other processes; the operating system lets go of it when the process dies.

    Raises
    ------
    RunError
        Another process holds it, or the folder above cannot be written.
    """
    lock = final.with_name(f".{final.name}.lock")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("a+b")
    except OSError as error:
        raise unwritable(final.parent, error) from None
    with file:
        if not locked_as(file, lock):
            raise HeldError(
                f"{final.name} 正在由另一个进程运行，请等它结束",
                f"{final.name} is being run by another process: wait for it to end",
            )
        try:
            mend(final)
            yield
        finally:
            with _ignored():
                lock.unlink()


def mend(final: Path) -> None:
    """Finish or undo what a killed process left between its two renames.

    Raises
    ------
    RunError
        A file in the way is open in another program.
    """
    part, old = part_of(final), old_of(final)
    try:
        if not final.exists():
            if (part / RECORD).is_file():
                part.rename(final)
            elif old.exists():
                old.rename(final)
        remove(part)
        if final.exists():
            remove(old)
    except OSError as error:
        raise unwritable(final, error) from None


def mend_all(root: Path) -> None:
    """Mend every run in ``root`` that a killed process left between its renames and that nobody is at work on."""
    for old in sorted(root.glob("*.old")) if root.is_dir() else []:
        with _ignored(), held(old.with_suffix("")):
            pass


def replace(final: Path) -> None:
    """Put a run's new folder in the place of the earlier one, by two renames.

    Raises
    ------
    RunError
        A file of the earlier report is open in another program; the earlier report stays whole.
    """
    part, old = part_of(final), old_of(final)
    try:
        if final.exists():
            final.rename(old)
        try:
            part.rename(final)
        except OSError:
            if old.exists():
                old.rename(final)
            raise
    except OSError as error:
        raise unwritable(final, error) from None
    with _ignored():
        remove(old)
        remove(failed_of(final))


def fail(final: Path) -> Path:
    """Leave what a failed run made as ``<run-id>.failed``."""
    failed = failed_of(final)
    with _ignored():
        remove(failed)
        part_of(final).rename(failed)
    return failed


def remove(folder: Path) -> None:
    """Delete a folder if it is there."""
    if folder.exists():
        shutil.rmtree(folder)


def unwritable(path: Path, error: OSError) -> RunError:
    """Say that a file or folder cannot be written, and what to do."""
    what = os.strerror(error.errno) if error.errno else str(error)
    return RunError(
        f"无法写入 {path}：{what}。请关闭正在打开其中文件的程序，检查磁盘空间和权限，或用 --out 另指定文件夹",
        f"cannot write {path}: {what}. Close programs that hold its files open, check disk space and permissions, "
        "or name another folder with --out",
    )


@contextmanager
def _ignored() -> Iterator[None]:
    """Let tidying up fail without undoing the work."""
    with suppress(OSError, RunError):
        yield
