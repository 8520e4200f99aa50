"""What the office needs besides the report, from the same tables: each product of a run file's ``products`` is one function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from lyeval.render import Document, to_docx, to_pdf, to_xlsx
from lyeval.report.context import Context
from lyeval.report.dossiers import dossiers
from lyeval.report.drafts import drafts
from lyeval.report.plaintext import plain_text
from lyeval.report.schedule import schedule
from lyeval.report.schedule import table as schedule_table
from lyeval.report.words import say

FOLDER = "products"


class Made(NamedTuple):
    """What products are made from: the run's tables in one language, the report, and the date to store."""

    context: Context
    document: Document
    created: date


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
    path = _put(folder / FOLDER / "schedule.docx", to_docx(schedule(c), created=created))
    book, title = path.with_suffix(".xlsx"), say("schedule.title", c.lang, place=c.place)
    notes = [say("schedule.note", c.lang), say("listing.distance_note", c.lang)]
    to_xlsx([schedule_table(c)], book, title=title, created=created, notes=notes, lang=c.lang)
    return [path, book]


def _dossiers(made: Made, folder: Path) -> list[Path]:
    return [_put(folder / FOLDER / "dossiers.pdf", to_pdf(dossiers(made.context), created=made.created))]


def _drafts(made: Made, folder: Path) -> list[Path]:
    papers = drafts(made.context).items()
    return [
        _put(folder / FOLDER / f"draft_{name}.docx", to_docx(paper, created=made.created)) for name, paper in papers
    ]


PRODUCTS: dict[str, Callable[[Made, Path], list[Path]]] = {
    "text": _text,
    "schedule": _schedule,
    "dossiers": _dossiers,
    "drafts": _drafts,
}
