"""What the office needs besides the report, from the same tables: each product of a run file's ``products`` is one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from lyeval.render import Document, to_docx, to_pdf, to_xlsx
from lyeval.report.context import Context
from lyeval.report.papers import dossiers, drafts, schedule, schedule_table
from lyeval.report.plaintext import plain_text
from lyeval.report.words import say

FOLDER = "products"
ROLES = ("title", "body", "heading1", "heading2")
FILES = (".otf", ".ttf", ".ttc")


class Fonts(NamedTuple):
    """An office's own fonts: files for PDF, families by role (title, body, heading1, heading2) for PDF and DOCX."""

    files: tuple[Path, ...] = ()
    names: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(given: Mapping[str, str]) -> Fonts:
        """Read the setting of a run: ``folder`` and families by role.

        Raises
        ------
        ValueError
            The folder holds no font file.
        """
        folder = given.get("folder")
        files = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in FILES) if folder else []
        if folder and not files:
            raise ValueError(f"fonts: {Path(folder).name}: 没有字体文件（otf、ttf、ttc） / no font files")
        return Fonts(tuple(files), tuple((role, given[role]) for role in ROLES if given.get(role)))


class Made(NamedTuple):
    """What products are made from: the run's tables in one language, the report, the date to store, an office's fonts."""

    context: Context
    document: Document
    created: date
    fonts: Fonts = Fonts()

    def pdf(self, document: Document) -> bytes:
        """Return a document as PDF in the office's fonts."""
        return to_pdf(document, created=self.created, fonts=self.fonts.files, names=dict(self.fonts.names))

    def docx(self, document: Document) -> bytes:
        """Return a document as DOCX that names the office's fonts."""
        return to_docx(document, created=self.created, names=dict(self.fonts.names))


def write_products(made: Made, folder: Path, products: Sequence[str]) -> list[Path]:
    """Write the products named, in the order of `PRODUCTS`: ``report.txt`` beside the report, the others into ``products/``.

    Raises
    ------
    ValueError
        A product that is not known.
    """
    unknown = [name for name in products if name not in PRODUCTS]
    if unknown:
        raise ValueError(f"products: {unknown[0]!r}; 可用 / there are: {', '.join(PRODUCTS)}")
    return [path for name, write in PRODUCTS.items() if name in products for path in write(made, folder)]


def _put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def _text(made: Made, folder: Path) -> list[Path]:
    return [_put(folder / "report.txt", plain_text(made.document).encode("utf-8", "replace"))]


def _schedule(made: Made, folder: Path) -> list[Path]:
    c, created = made.context, made.created
    document = schedule(c)
    path = _put(folder / FOLDER / "schedule.docx", made.docx(document))
    book, title = path.with_suffix(".xlsx"), document.title
    notes = [say("schedule.note", c.lang), say("listing.distance_note", c.lang)]
    to_xlsx([schedule_table(c)], book, title=title, created=created, notes=notes, lang=c.lang)
    return [path, book]


def _dossiers(made: Made, folder: Path) -> list[Path]:
    return [_put(folder / FOLDER / "dossiers.pdf", made.pdf(dossiers(made.context)))]


def _drafts(made: Made, folder: Path) -> list[Path]:
    papers = drafts(made.context).items()
    return [_put(folder / FOLDER / f"draft_{name}.docx", made.docx(paper)) for name, paper in papers]


PRODUCTS: dict[str, Callable[[Made, Path], list[Path]]] = {
    "text": _text,
    "schedule": _schedule,
    "dossiers": _dossiers,
    "drafts": _drafts,
}
