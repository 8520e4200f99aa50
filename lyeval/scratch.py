"""Temporary folders: private, marked as ours, and swept later if a killed process left them (临时文件夹)."""

from __future__ import annotations

import atexit
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

PREFIX, MARKER = "lyeval-", ".lyeval-scratch"
SIGNED = b"a temporary folder of lyeval, removed once process "


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a folder that only this user can read, and remove it at the end.

    What killed processes left is swept first. A marker in the folder is locked as long as this process lives.

    Raises
    ------
    OSError
        The temporary folder of the system is full or cannot be written.
    """
    sweep()
    place = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with _marked(place):
            yield place
    finally:
        _remove(place)


def lasting() -> Path:
    """Make such a folder that stands until this process ends."""
    with ExitStack() as stack:
        place = stack.enter_context(scratch())
        atexit.register(stack.pop_all().close)
    return place


def sweep() -> None:
    """Remove the temporary folders that processes of this user left when they were killed; no other, none in use."""
    with suppress(OSError):
        for place in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
            with suppress(OSError):
                if _ours(place):
                    _remove_if_left(place)


def locked(file: IO[bytes] | int) -> bool:
    """Take an exclusive lock on an open file without waiting; tell whether it was free."""
    descriptor = file if isinstance(file, int) else file.fileno()
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def _marked(place: Path) -> Iterator[None]:
    """Hold a folder's marker, which comes into sight only once it is locked."""
    fresh = place / f"{MARKER}.new"
    with fresh.open("w+b") as file:
        file.write(SIGNED + f"{os.getpid()} has ended\n".encode())
        file.flush()
        file.seek(0)
        if sys.platform == "win32":  # an open file cannot be renamed there
            file.close()
            fresh.rename(place / MARKER)
            with (place / MARKER).open("r+b") as kept:
                locked(kept)
                yield
            return
        locked(file)
        fresh.rename(place / MARKER)
        yield


def _ours(place: Path) -> bool:
    """Tell whether a folder is one of this user's, marked by lyeval: no link, nobody else's."""
    told = [place.lstat(), (place / MARKER).lstat()]
    if not (stat.S_ISDIR(told[0].st_mode) and stat.S_ISREG(told[1].st_mode)):
        return False
    return not hasattr(os, "getuid") or all(one.st_uid == os.getuid() for one in told)


def _remove_if_left(place: Path) -> None:
    """Remove a marked folder if nobody holds its marker."""
    with (place / MARKER).open("r+b") as file:
        left = locked(file) and file.read(len(SIGNED)) == SIGNED
        if left and sys.platform != "win32":
            _remove(place)
    if left and sys.platform == "win32":  # an open file cannot be removed there
        _remove(place)


def _remove(place: Path) -> None:
    """Remove a folder, its marker last, so that what a kill leaves of it can still be told as ours."""
    with suppress(OSError):
        for one in list(place.iterdir()):
            if one.is_dir() and not one.is_symlink():
                erase(one)
            elif one.name != MARKER:
                one.unlink()
    shutil.rmtree(place, ignore_errors=True)


def erase(folder: Path) -> None:
    """Delete a folder of lyeval's own making that may hold copies of read-only folders; links in it are not followed.

    Raises
    ------
    OSError
        Something in it cannot be removed.
    """
    for top, _, _ in os.walk(folder, followlinks=False):
        Path(top).chmod(0o700)
    if os.path.lexists(folder):
        shutil.rmtree(folder)
