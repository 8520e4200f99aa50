"""The only list of formats: one row each, the file's name and the function that writes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from lyeval.render.blocks import Document, Table
from lyeval.render.docx import to_docx
from lyeval.render.html import to_html
from lyeval.render.pdf import to_pdf
from lyeval.render.xlsx import to_xlsx


@dataclass(frozen=True)
class Job:
    """What the files of a report are written from.

    Attributes
    ----------
    document, created
        The pages, and the date to store in the files.
    sheets, notes
        The annex: makes its tables; what its last sheet says.
    index
        Whether the annex begins with a sheet that lists the others.
    fonts, families
        An office's own: the files for PDF, and the family of each role (title, body, heading1, heading2).
    """

    document: Document
    created: date
    sheets: Callable[[], Sequence[Table]]
    notes: Sequence[str | tuple[str, str]] = ()
    index: bool = False
    fonts: tuple[Path, ...] = ()
    families: Mapping[str, str] = field(default_factory=dict[str, str])


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
    paths: list[Path] = []
    for name, (file, write) in FORMATS.items():
        if name in wanted:
            paths.append(folder / file)
            write(job, paths[-1])
    return paths


def _html(job: Job, path: Path) -> None:
    path.write_bytes(to_html(job.document).encode("utf-8", "replace"))


def _pdf(job: Job, path: Path) -> None:
    path.write_bytes(to_pdf(job.document, created=job.created, fonts=job.fonts, names=dict(job.families)))


def _docx(job: Job, path: Path) -> None:
    path.write_bytes(to_docx(job.document, created=job.created, names=dict(job.families)))


def _xlsx(job: Job, path: Path) -> None:
    title, lang = job.document.title, job.document.lang
    to_xlsx(job.sheets(), path, title=title, created=job.created, notes=job.notes, lang=lang, index=job.index)


FORMATS: dict[str, tuple[str, Callable[[Job, Path], None]]] = {
    "html": ("report.html", _html),
    "pdf": ("report.pdf", _pdf),
    "docx": ("report.docx", _docx),
    "xlsx": ("annex.xlsx", _xlsx),
}
