"""Files that processes hold against each other; one that somebody else made is held too, and never written or removed (锁)."""

from __future__ import annotations

import os
import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lyeval.scratch import locked

OWN = b"lyeval lock: may be removed when no lyeval is running\n"
PAUSE = 0.02  # seconds between two tries


@dataclass(frozen=True)
class Lock:
    """A file that is held: its place, its open descriptor."""

    path: Path
    descriptor: int


def locked_file(path: Path, patience: float = 0.0) -> Lock | None:
    """Open or make a lock file and hold it; None if another process holds it for longer than ``patience`` (seconds).

    Raises
    ------
    OSError
        The file cannot be made or opened, or a folder or a link has its name.
    """
    until = time.monotonic() + patience
    while True:
        descriptor = _opened(path)
        if locked(descriptor):
            if _same(descriptor, path):
                return Lock(path, descriptor)
        elif time.monotonic() >= until:
            os.close(descriptor)
            return None
        os.close(descriptor)
        time.sleep(PAUSE)


def unlock(lock: Lock) -> None:
    """Remove a lock file if it is lyeval's, and let go of it."""
    with suppress(OSError):
        os.lseek(lock.descriptor, 0, os.SEEK_SET)
        own = os.read(lock.descriptor, len(OWN) + 1) == OWN
        if sys.platform == "win32":
            os.close(lock.descriptor)
        if own and not lock.path.is_symlink():
            lock.path.unlink()
    with suppress(OSError):
        os.close(lock.descriptor)


def _opened(path: Path) -> int:
    """Open a lock file, made if there is none."""
    binary, links = getattr(os, "O_BINARY", 0), getattr(os, "O_NOFOLLOW", 0)
    for _ in range(TRIES):
        with suppress(FileExistsError):
            made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | binary, 0o666)
            os.write(made, OWN)
            return made
        with suppress(FileNotFoundError):
            return os.open(path, os.O_RDONLY | binary | links)
    raise FileNotFoundError(path)


def _same(descriptor: int, path: Path) -> bool:
    """Tell whether the file held is still the one of that name: its last holder may have removed it."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    return False


TRIES = 100
LOCKED = re.compile(r"\.(.+)\.lyeval-lock", re.DOTALL)
