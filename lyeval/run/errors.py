"""What a run says when it cannot be done: in Chinese and in English, with what to do."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lyeval.told import Told


class RunError(Told):
    """A run that cannot be done, or that failed."""


class HeldError(RunError):
    """A run that another process is at work on."""


def together(errors: Sequence[ValueError]) -> ValueError:
    """Return several errors as one that tells each on lines of its own; a single one as it is."""
    if len(errors) == 1:
        return errors[0]
    told = [error_words(error) for error in errors]
    misuse = any(getattr(e, "misuse", True) for e in errors)
    return RunError(*("\n".join(words[i] for words in told) for i in (0, 1)), misuse=misuse)


def error_words(error: ValueError) -> tuple[str, str]:
    """Say an error in Chinese and English; of a ledger's, how many there are and the first."""
    return (error.zh, error.en) if isinstance(error, Told) else (str(error), str(error))


def unwritable(path: Path, error: OSError) -> RunError:
    """Say that a file or folder, or the folder for temporary files, cannot be written, and what to do."""
    what = os.strerror(error.errno) if error.errno else str(error)
    if away := _temporary(path, error):
        return RunError(
            f"无法写入临时文件夹 {away}：{what}。请在其中腾出空间、给予写权限，或设环境变量 TMPDIR 另指定文件夹",
            f"cannot write the folder for temporary files, {away}: {what}. Make room there, allow writing, or name another "
            "folder in the environment variable TMPDIR",
        )
    return RunError(
        f"无法写入 {path}：{what}。请关闭正在打开其中文件的程序，检查磁盘空间和权限，或用 --out 另指定文件夹",
        f"cannot write {path}: {what}. Close programs that hold its files open, check disk space and permissions, "
        "or name another folder with --out",
    )


def _temporary(path: Path, error: OSError) -> str:
    """Return the folder for temporary files if that is what cannot be written, "" if it is another."""
    try:
        away = Path(tempfile.gettempdir())
    except OSError:
        return os.environ.get("TMPDIR", "TMPDIR")
    named = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else None
    if named is not None:
        elsewhere = not any(named.is_relative_to(own) for own in (path, path.parent))
        return str(away) if elsewhere and named.is_relative_to(away) else ""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT) and _room(away) < LEAST <= _room(path)
    return str(away) if full else ""


def _room(path: Path) -> int:
    """Return the bytes free where a path is or is to be."""
    here = next((one for one in (path, *path.parents) if one.exists()), Path())
    return shutil.disk_usage(here).free


LEAST = 2**20  # bytes: with less, a disk is full
