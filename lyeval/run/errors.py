"""What a run says when it cannot be done: in Chinese and in English, with what to do."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lyeval.told import Pair, Told


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


def error_words(error: ValueError) -> Pair:
    """Say an error in Chinese and English; of a ledger's, how many there are and the first."""
    return (error.zh, error.en) if isinstance(error, Told) else (str(error), str(error))


def unwritable(path: Path, error: OSError) -> RunError:
    """Say that a file or folder, or the folder for temporary files, cannot be written, and what to do."""
    what = os.strerror(error.errno) if error.errno else str(error)
    if away := _temporary(path, error):
        return RunError.of("run.temporary", away=away, what=what)
    return RunError.of("run.unwritable", path=path, what=what)


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
