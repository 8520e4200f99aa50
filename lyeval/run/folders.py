"""What is lyeval's own, and a run's folder: made beside the earlier one, put in its place, mended after a kill (输出文件夹).

Only what lyeval marked is ever renamed, replaced or removed. Its marks: a report's ``record.json``; ``.lyeval.json`` in every other
folder that it makes. Both list the SHA-256 of what was written, so that a file that somebody added or changed is theirs and is kept.
Work is done in ``.<name>.lyeval-<12 hex digits>``, a name made once and told in the lock file before, with ``new`` and ``old`` below it.
What cannot be done is told in Chinese and in English, with what to do.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lyeval.scratch import erase, locked
from lyeval.textfiles import read_json, write_json
from lyeval.told import Pair, Told, message


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


RECORD = "record.json"
MARK = ".lyeval.json"
NEW, OLD = "new", "old"


# -- whose it is -------------------------------------------------------------------------------------------------------


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stands(path: Path) -> bool:
    """Tell whether a name is taken, be it by a link that leads nowhere."""
    return os.path.lexists(path)


def linked(path: Path) -> bool:
    """Tell whether a name is a symbolic link, or on Windows a junction."""
    junction = getattr(os.path, "isjunction", None)
    return path.is_symlink() or bool(junction and junction(path))


def protected(path: Path) -> bool:
    """Tell whether its owner has made a file or folder read-only."""
    return not path.lstat().st_mode & stat.S_IWUSR


def recorded(folder: Path) -> dict[str, Any] | None:
    """Return the record of a folder that is a report of lyeval's by its ``record.json``; None for any other."""
    found = None if linked(folder) else read_object(folder / RECORD)
    if found is None or not all(isinstance(found.get(key), kind) for key, kind in SHAPE.items()):
        return None
    hashes = (found["basis"], found["fingerprint"], *found["outputs"].values())
    ours = all(isinstance(told, str) and re.fullmatch("[0-9a-f]{64}", told) for told in hashes)
    return found if ours and isinstance(found["versions"].get("lyeval"), str) else None


def marked(folder: Path) -> dict[str, Any] | None:
    """Return what the marker of a folder says: ``lyeval`` (what it is), ``of`` (whose name it serves), ``files``; None without one."""
    found = None if linked(folder) else read_object(folder / MARK)
    shaped = found is not None and isinstance(found.get("of"), str) and isinstance(found.get("files"), dict)
    return found if shaped and found["lyeval"] in KINDS else None  # type: ignore[index]


def mark(folder: Path, kind: str, of: str) -> None:
    """Mark a folder as lyeval's own, with the SHA-256 of every file in it."""
    names = {place: path for place, path in _files(folder) if place != MARK}
    told = {"lyeval": kind, "of": of, "files": {place: sha256(path) for place, path in names.items()}}
    write_json(folder / MARK, told)


def written(folder: Path) -> dict[str, str] | None:
    """Return the SHA-256 by place of all that lyeval wrote into a folder; None if the folder is not its own."""
    record, said = recorded(folder), marked(folder)
    if record is not None:
        return {**record["outputs"], RECORD: sha256(folder / RECORD)}
    return None if said is None else {**said["files"], MARK: sha256(folder / MARK)}


def added(folder: Path, ours: Mapping[str, str]) -> list[str]:
    """Return the places of what stands in a folder of lyeval's and is not its own: added, changed, linked or read-only."""
    return [place for place, path in _files(folder) if not _unchanged(path, ours.get(place))]


def claim(final: Path) -> None:
    """Refuse a run's folder that cannot be replaced because it is not the earlier report of that run.

    Raises
    ------
    RunError
        A link, a file, a folder of somebody else's, or a report made read-only stands there.
    """
    if not stands(final):
        return
    record = recorded(final)
    if linked(final):
        fault = "is_link"
    elif not final.is_dir():
        fault = "is_file"
    elif record is None or record["run"] != final.name:
        fault = "is_other"
    elif protected(final) or protected(final / RECORD):
        fault = "is_shut"
    else:
        return
    raise RunError.of("folder.foreign", final=final, what=message(f"folder.{fault}"))


def read_object(path: Path) -> dict[str, Any] | None:
    """Read an object from a small file that is no link; None if there is none."""
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            return None
        found = read_json(path)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield what is no folder below a folder, links unfollowed, by place; the deepest folders first."""
    for top, folders, files in os.walk(folder, topdown=False, followlinks=False):
        here = Path(top)
        for name in sorted([*files, *(one for one in folders if linked(here / one))]):
            yield (here / name).relative_to(folder).as_posix(), here / name


def _unchanged(path: Path, told: str | None) -> bool:
    """Tell whether a file stands as it was written: of that SHA-256, no link, not read-only."""
    if told is None or not stat.S_ISREG(path.lstat().st_mode) or protected(path):
        return False
    return sha256(path) == told


# -- taking away -------------------------------------------------------------------------------------------------------


def clear(folder: Path, ours: Mapping[str, str]) -> bool:
    """Remove what lyeval wrote into a folder and nobody changed since; tell whether nothing else was in it."""
    for place, path in list(_files(folder)):
        if place not in (RECORD, MARK) and _unchanged(path, ours.get(place)):
            path.unlink()
    made = {parent.as_posix() for place in ours for parent in PurePosixPath(place).parents} - {"."}
    for top, _, _ in os.walk(folder, topdown=False, followlinks=False):
        if Path(top).relative_to(folder).as_posix() in made:
            with suppress(OSError):
                Path(top).rmdir()
    if all(path.name in (RECORD, MARK) for path in folder.iterdir()):
        for path in (folder / RECORD, folder / MARK):
            if stands(path) and _unchanged(path, ours.get(path.name)):
                path.unlink()
        with suppress(OSError):
            folder.rmdir()
    return not stands(folder)


def discard(work: Path) -> None:
    """Delete a working folder that lyeval marked, with what was made in it; links in it are not followed."""
    if marked(work) is None:
        return
    with suppress(OSError):
        erase(work / NEW)
    if not stands(work / NEW) and not stands(work / OLD):
        with suppress(OSError):
            (work / MARK).unlink()
            work.rmdir()


def move(source: Path, target: Path) -> None:
    """Rename a file or folder to a name that nobody has.

    Raises
    ------
    OSError
        The name is taken, or a file is open in another program.
    """
    if stands(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    source.rename(target)


def _give_back(old: Path, final: Path) -> None:
    """Put what is somebody's in an earlier report to the same place in the new one, where that is free."""
    for path in sorted(old.iterdir()):
        target = final / path.name
        if not stands(target):
            move(path, target)
        elif path.is_dir() and target.is_dir() and not linked(path) and not linked(target):
            _give_back(path, target)
            with suppress(OSError):
                path.rmdir()


def _aside(final: Path, name: str) -> Path:
    """Return the first free name of ``<run-id>.<name>``, ``<run-id>.<name>-2`` …"""
    path, number = final.with_name(f"{final.name}.{name}"), 1
    while stands(path):
        number += 1
        path = final.with_name(f"{final.name}.{name}-{number}")
    return path


# -- locks -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lock:
    """A file that is held: its place, its open descriptor."""

    path: Path
    descriptor: int

    def told(self) -> list[str] | None:
        """Return the names of working folders that were made under it; None where somebody else made the file."""
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        text = os.read(self.descriptor, LARGEST)
        rest = text.removeprefix(OWN).decode("ascii", "replace")
        ours = text.startswith(OWN) and re.fullmatch(r"([0-9a-f]{12}\n)*", rest)
        return rest.split() if ours else None

    def tell(self, name: str) -> None:
        """Add the name of a working folder before it is made, so that a kill leaves nothing that nobody knows of."""
        if self.told() is not None:
            with self.path.open("ab") as file:
                file.write(f"{name}\n".encode("ascii"))


def locked_file(path: Path, patience: float = 0.0) -> Lock | None:
    """Open or make a lock file and hold it; None if another process holds it for longer than ``patience`` (seconds).

    One that somebody else made is held, too, and never written or removed.

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
        own = lock.told() is not None
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


OWN = b"lyeval lock: may be removed when no lyeval is running\n"
LOCKED = re.compile(r"\.(.+)\.lyeval-lock", re.DOTALL)
PAUSE, TRIES = 0.02, 100  # seconds between two tries; how many
HELD: dict[Path, Lock] = {}  # what this process holds, by the name that it is held for


# -- a run's life ------------------------------------------------------------------------------------------------------


@contextmanager
def held(final: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Hold a name against other processes, mended; the operating system lets go of it when the process dies.

    Parameters
    ----------
    patience
        Seconds to wait for another process.

    Raises
    ------
    RunError
        Another process holds it, or the folder above cannot be written.
    """
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        lock = locked_file(final.with_name(f".{final.name}.lyeval-lock"), patience)
    except OSError as error:
        raise unwritable(final.parent, error) from None
    if lock is None:
        raise HeldError.of("folder.held", name=final.name)
    try:
        HELD[final] = lock
        mend(final)
        yield
    finally:
        HELD.pop(final, None)
        unlock(lock)


def begin(final: Path) -> Path:
    """Make a working folder for a name, and return the empty folder in which the new thing is to be made."""
    name = secrets.token_hex(6)
    if final in HELD:
        HELD[final].tell(name)
    work = _working(final, name)
    work.mkdir()
    mark(work, "work", final.name)
    (work / NEW).mkdir()
    return work / NEW


def _working(final: Path, name: str) -> Path:
    return final.with_name(f".{final.name}.lyeval-{name}")


def works(folder: Path, of: str | None = None) -> list[Path]:
    """Return the working folders that lyeval marked in a folder, of one name or of any."""
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        name, said = WORKING.fullmatch(path.name), marked(path)
        if name and said and said["lyeval"] == "work" and said["of"] == name[1] and of in (None, name[1]):
            found.append(path)
    return found


def mend(final: Path) -> None:
    """Finish or undo what a killed process left of its work for a name.

    Raises
    ------
    RunError
        A file in the way is open in another program.
    """
    for name in (HELD[final].told() or ()) if final in HELD else ():
        _sweep_unmarked(_working(final, name))
    try:
        for work in works(final.parent, final.name):
            new, old = work / NEW, work / OLD
            record = recorded(new)
            if not stands(final):
                if record is not None and record["run"] == final.name:
                    move(new, final)
                elif stands(old):
                    move(old, final)
            settle(final, work)
    except OSError as error:
        raise unwritable(final, error) from None


def _sweep_unmarked(work: Path) -> None:
    """Remove a folder that a lock tells of, left by a process killed before its marker stood whole: there is nothing else in it."""
    with suppress(OSError):
        if not linked(work) and marked(work) is None and {path.name for path in work.iterdir()} <= {MARK}:
            (work / MARK).unlink(missing_ok=True)
            work.rmdir()


def mend_all(root: Path) -> None:
    """Mend every name in ``root`` that a killed process was at work for and that nobody is at work for now."""
    names = {str((marked(work) or {}).get("of")) for work in works(root)}
    locks = [LOCKED.fullmatch(path.name) for path in root.iterdir()] if root.is_dir() else []
    for name in sorted(names | {lock[1] for lock in locks if lock}):
        with suppress(OSError, RunError), held(root / name):
            pass


def replace(final: Path, new: Path) -> None:
    """Put a run's new folder in the place of the earlier one, by two renames.

    What somebody added to the earlier report or changed in it is kept: at its place in the new one, else in ``<run-id>.earlier``.

    Raises
    ------
    RunError
        A file of the earlier report is open in another program, or something foreign stands there now; it stays whole.
    """
    claim(final)
    old = new.with_name(OLD)
    try:
        if stands(final):
            move(final, old)
        try:
            move(new, final)
        except OSError:
            if stands(old):
                move(old, final)
            raise
    except OSError as error:
        raise unwritable(final, error) from None
    with suppress(OSError):
        settle(final, new.parent)
        for failed in _failures(final):
            clear(failed, written(failed) or {})


def settle(final: Path, work: Path) -> None:
    """Take away a working folder when a report stands: the earlier one, save what in it is somebody's."""
    old = work / OLD
    if stands(old):
        ours = written(old)
        if ours is None:
            with suppress(OSError):
                old.rmdir()  # emptied by a process killed just then
        elif written(final) is None:
            return  # something foreign took the name meanwhile: the earlier report is left in its hidden folder
        elif not clear(old, ours):
            _give_back(old, final)
            if not clear(old, ours):
                move(old, _aside(final, "earlier"))
    discard(work)


def fail(final: Path, new: Path) -> Path | None:
    """Leave what a failed run made as ``<run-id>.failed``, or with a number where that name is somebody's; None if it cannot be."""
    try:
        for failed in _failures(final):
            clear(failed, written(failed) or {})
        left = _aside(final, "failed")
        mark(new, "failed", final.name)
        move(new, left)
    except OSError:
        return None
    return left


def kept_aside(final: Path) -> list[Path]:
    """Return the folders in which what somebody changed in earlier reports of a name was kept."""
    return _numbered(final, "earlier")


def _numbered(final: Path, ending: str) -> list[Path]:
    """Return what has the name of a run with an ending, and a number or none."""
    name = re.compile(re.escape(f"{final.name}.{ending}") + r"(-\d+)?")
    return [
        path for path in (sorted(final.parent.iterdir()) if final.parent.is_dir() else []) if name.fullmatch(path.name)
    ]


def _failures(final: Path) -> list[Path]:
    """Return what lyeval left of failed runs of a name."""
    said = {path: marked(path) for path in _numbered(final, "failed")}
    return [path for path, told in said.items() if told and (told["lyeval"], told["of"]) == ("failed", final.name)]


SHAPE = {"run": str, "basis": str, "fingerprint": str, "outputs": dict, "versions": dict}
KINDS = ("work", "failed", "output")
WORKING = re.compile(r"\.(.+)\.lyeval-[0-9a-f]{12}", re.DOTALL)
LARGEST = 64 * 2**20  # bytes of a record, a marker or a lock
