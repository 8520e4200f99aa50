"""Files and folders that the user names: nothing of theirs is written over, and what is written is whole (写到所指定的地方).

A file is replaced only if lyeval wrote it and nobody saved it since: a workbook by its properties, a page by the SHA-256 at its end, a
note of a made ledger by its first lines, a folder by the marker in it. ``python -m lyeval.run.outputs reports`` empties a folder of reports
of what lyeval made there, and of nothing else.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lyeval.run.folders import (
    MARK,
    OLD,
    RunError,
    added,
    begin,
    clear,
    discard,
    held,
    linked,
    mark,
    marked,
    mend_all,
    move,
    protected,
    read_object,
    recorded,
    settle,
    stands,
    unwritable,
    written,
)
from lyeval.textfiles import reserved

PATIENCE = 30.0  # seconds that another process may take to write the same file


# -- names -------------------------------------------------------------------------------------------------------------


def alike(name: str) -> str:
    """Return a name as file systems that ignore case and forms of writing tell names apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def named(out: Path) -> None:
    """Refuse a place with a name that Windows cannot have.

    Raises
    ------
    RunError
        The last name, or that of a folder above that would have to be made, is one.
    """
    asked = [out, *(path for path in out.parents if not stands(path))]
    bad = [path.name for path in asked if path.name not in ("", "..") and reserved(path.name)]
    if bad:
        raise RunError.of("output.windows", out=out, name=bad[0])


def apart(out: Path, sources: Iterable[Path]) -> None:
    """Refuse to write inside a folder that is read.

    Raises
    ------
    RunError
        ``out`` is one of ``sources`` or below it.
    """
    place = out.resolve()
    for source in sources:
        if source.is_dir() and place.is_relative_to(source.resolve()):
            raise RunError.of("output.inside", out=out, source=source.name)


# -- whose it is -------------------------------------------------------------------------------------------------------


def free(path: Path) -> None:
    """Refuse a name that somebody else's file or folder has.

    Raises
    ------
    RunError
        What stands there is a link, is read-only, or is not as lyeval wrote it.
    """
    if recorded(path.parent) is not None:
        raise RunError.of("output.in_report", folder=path.parent)
    if stands(path) and not replaceable(path):
        raise RunError.of("output.taken", path=path)


def replaceable(path: Path) -> bool:
    """Tell whether what stands at a place is lyeval's own and unchanged, or an empty folder."""
    try:
        if linked(path) or protected(path):
            return False
        if path.is_dir():
            return _own_folder(path)
        test = FILES.get(path.suffix.lower())
        return path.is_file() and test is not None and test(path)
    except (OSError, ValueError):
        return False


def seal(text: str) -> str:
    """Return a page with the SHA-256 of its text at the end, by which it is known as unchanged."""
    return f"{text}<!-- lyeval {hashlib.sha256(text.encode('utf-8')).hexdigest()} -->\n"


def _own_folder(path: Path) -> bool:
    """Tell whether a folder is empty, or marked with nothing added or changed."""
    if not any(path.iterdir()):
        return True
    said = marked(path)
    return said is not None and said["lyeval"] == "output" and added(path, said["files"]) == [MARK]


def _own_page(path: Path) -> bool:
    found = re.search(r"<!-- lyeval [0-9a-f]{64} -->\n\Z", text := path.read_bytes().decode("utf-8"))
    return found is not None and seal(text[: found.start()]) == text


def _own_note(path: Path) -> bool:
    """Tell whether a YAML file is the note of a made ledger."""
    if path.stat().st_size > LONGEST_NOTE:
        return False
    text = path.read_text(encoding="utf-8")
    found = re.search(r"^producer: lyeval(\.sample| clean)$", text, re.MULTILINE)
    return found is not None and text.startswith("file: ")


def _own_private(path: Path) -> bool:
    """Tell whether a file is the office's part of a public edition."""
    return path.name.endswith(PRIVATE) and (read_object(path) or {}).get("lyeval") == "private"


def _own_workbook(path: Path) -> bool:
    """Tell whether a workbook is one of lyeval's that no office program has saved since: that would move its day of change."""
    try:
        with zipfile.ZipFile(path) as book:
            if book.getinfo(PROPERTIES).file_size > LONGEST_NOTE:
                return False
            text = book.read(PROPERTIES).decode("utf-8")
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError):
        return False
    said = {key: "".join(re.findall(rf"<{key}[^>]*>([^<]*)</{key}>", text)) for key in ASKED}
    if not said["dcterms:created"] or said["dcterms:created"] != said["dcterms:modified"]:
        return False
    if said["dc:description"].startswith(
        MADE_UP
    ):  # a copy of a sample is an office's own; beside its note it is lyeval's
        note = path.with_suffix(".yaml")
        return note.is_file() and not linked(note) and _own_note(note)
    return said["dc:description"] in DESCRIBED


# -- writing -----------------------------------------------------------------------------------------------------------


@contextmanager
def placed(out: Path, *, note: bool = False) -> Iterator[Path]:
    """Write a file or folder that the user names, and what belongs beside it: made under a hidden name, then put in place.

    Parameters
    ----------
    note
        Whether ``<name>.yaml`` is written beside it, so that it is asked for before the work.

    Yields
    ------
    Path
        Where to write it.

    Raises
    ------
    RunError
        Something foreign has its name; it cannot be written.
    """
    named(out)
    out = out.parent.resolve() / out.name
    for path in (out, *([out.with_name(f"{out.stem if out.suffix else out.name}.yaml")] if note else [])):
        free(path)
    with held(out, patience=PATIENCE):
        try:
            new = begin(out)
        except OSError as error:
            raise unwritable(out, error) from None
        try:
            yield new / out.name
            _put_all(new, out)
        except OSError as error:
            raise unwritable(out, error) from None
        except Exception as error:
            inner = error.args[0] if type(error).__name__ == "FileCreateError" and error.args else None
            raise unwritable(out, inner) if isinstance(inner, OSError) else error from None
        finally:
            discard(new.parent)


def put(source: Path, target: Path) -> None:
    """Give a finished file the name that nobody has; where links are not to be had, by renaming.

    Raises
    ------
    FileExistsError
        Somebody has it.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:
        move(source, target)


def write_new(path: Path, text: str) -> None:
    """Write a small text file whole under a name that nobody has.

    Raises
    ------
    FileExistsError
        Somebody has it, be it as a link that leads nowhere.
    RunError
        It cannot be written.
    """
    if stands(path):
        raise FileExistsError(path)
    with held(path, patience=PATIENCE):
        new = begin(path)
        try:
            (new / path.name).write_text(text, encoding="utf-8", newline="\n")
            put(new / path.name, path)
        except FileExistsError:
            raise
        except OSError as error:
            raise unwritable(path, error) from None
        finally:
            discard(new.parent)


def _put_all(new: Path, out: Path) -> None:
    """Put what was made in place, notes first; nothing of it if a name is somebody's."""
    made = sorted(new.iterdir(), key=lambda path: path.name == out.name)
    targets = [out.with_name(path.name) for path in made]
    for target in targets:
        free(target)
    try:
        for path, target in zip(made, targets, strict=True):
            if path.is_dir():
                _put_folder(path, target)
            elif stands(target):
                path.replace(target)
            else:
                put(path, target)
    except OSError as error:
        raise unwritable(out, error) from None


def _put_folder(made: Path, target: Path) -> None:
    """Put a folder in place: as a whole, or, of an empty one that the user made, file by file."""
    mark(made, "output", target.name)
    old = made.parent.with_name(OLD)
    if stands(target) and any(target.iterdir()):
        move(target, old)
        try:
            move(made, target)
        except OSError:
            move(old, target)
            raise
        with suppress(OSError):
            settle(target, old.parent)
    elif stands(target):
        for path in sorted(made.iterdir(), key=lambda path: path.name != MARK):
            move(path, target / path.name)
    else:
        move(made, target)


# -- taking away -------------------------------------------------------------------------------------------------------


def empty(root: Path) -> list[Path]:
    """Remove reports, what failed runs left, working folders, locks and the page over all reports, as far as lyeval wrote them.

    Returns
    -------
    list of Path
        What still stands: whatever is somebody's, with the folders that hold it, and what another process is at work on.
    """
    if not root.is_dir():
        return []
    mend_all(root)
    for path in sorted(root.iterdir()):
        record, said = recorded(path), marked(path)
        failed = said is not None and said["lyeval"] == "failed"
        with suppress(RunError, OSError):
            if failed or (record is not None and record["run"] == path.name):
                with held(root / (str(said["of"]) if said and failed else path.name)):
                    clear(path, written(path) or {})
    page = root / "index.html"
    with suppress(RunError, OSError):
        free(page)
        page.unlink(missing_ok=True)
    return [path for path in sorted(root.iterdir()) if stands(path)]


PROPERTIES = "docProps/core.xml"
ASKED = ("dc:description", "dcterms:created", "dcterms:modified")
DESCRIBED = ("lyeval", "lyeval clean")
MADE_UP = "本台账为程序生成的样例"
LONGEST_NOTE = 2**20  # bytes
FILES = {".xlsx": _own_workbook, ".yaml": _own_note, ".html": _own_page, ".json": _own_private}
PRIVATE = ".private.json"

if __name__ == "__main__":
    for folder in sys.argv[1:]:
        empty(Path(folder))
