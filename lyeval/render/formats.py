"""The only list of formats: one row each, the file's name and the function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from lyeval.render.blocks import Document, Table
from lyeval.render.docx import to_docx
from lyeval.render.html import to_html
from lyeval.render.pdf import to_pdf
from lyeval.render.xlsx import to_xlsx


class Look(NamedTuple):
    """How a document is set: the date to store in files, an office's font files (PDF) and font families by role (PDF, DOCX)."""

    created: date
    fonts: tuple[Path, ...] = ()
    names: Mapping[str, str] = {}


@dataclass(frozen=True)
class Job:
    """What the files of a report are written from.

    Attributes
    ----------
    document, look
        The pages, and how they are set.
    sheets, notes
        The annex: makes its tables; what its last sheet says.
    index
        Whether the annex begins with a sheet that lists the others.
    """

    document: Document
    look: Look
    sheets: Callable[[], Sequence[Table]] = tuple
    notes: Sequence[str | tuple[str, str]] = ()
    index: bool = False

    def write(self, name: str, path: Path) -> Path:
        """Write one format, a name of `FORMATS`, into a file; its folder is made."""
        path.parent.mkdir(exist_ok=True)
        FORMATS[name][1](self, path)
        return path


def write_formats(job: Job, folder: Path, names: Iterable[str]) -> list[Path]:
    """Write the formats named, in the order of `FORMATS`, and return the files.

    Raises
    ------
    ValueError
        A format that is not known.
    """
    wanted = list(names)
    unknown = [name for name in wanted if name not in FORMATS]
    if unknown:
        raise ValueError(f"formats: {unknown[0]!r}; 可用 / there are: {', '.join(FORMATS)}")
    return [job.write(name, folder / file) for name, (file, _) in FORMATS.items() if name in wanted]


def _html(job: Job, path: Path) -> None:
    path.write_bytes(to_html(job.document).encode("utf-8", "replace"))


def _pdf(job: Job, path: Path) -> None:
    look = job.look
    path.write_bytes(to_pdf(job.document, created=look.created, fonts=look.fonts, names=look.names))


def _docx(job: Job, path: Path) -> None:
    path.write_bytes(to_docx(job.document, created=job.look.created, names=job.look.names))


def _xlsx(job: Job, path: Path) -> None:
    title, lang = job.document.title, job.document.lang
    to_xlsx(job.sheets(), path, title=title, created=job.look.created, notes=job.notes, lang=lang, index=job.index)


FORMATS: dict[str, tuple[str, Callable[[Job, Path], None]]] = {
    "html": ("report.html", _html),
    "pdf": ("report.pdf", _pdf),
    "docx": ("report.docx", _docx),
    "xlsx": ("annex.xlsx", _xlsx),
}
