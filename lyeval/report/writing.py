"""Write a report's files into a run's folder: the report in each format, its figures, its annex, and the products beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from lyeval.render import (
    FORMATS,
    Bullets,
    Document,
    Figure,
    Heading,
    Job,
    Look,
    Note,
    Paragraph,
    Table,
    write_formats,
)
from lyeval.render.blocks import Lang, filled
from lyeval.render.glyphs import clean
from lyeval.report.bulletin import build_bulletin, bulletin_annex
from lyeval.report.compared import build_comparison, comparison_annex, comparison_notes
from lyeval.report.context import Context
from lyeval.report.document import build_report
from lyeval.report.papers import dossiers, drafts, schedule, schedule_table
from lyeval.report.sheets import annex, annex_notes, note_of
from lyeval.report.words import phrase

Tables = Mapping[str, Any]
FOLDER = "products"
ROLES = ("title", "body", "heading1", "heading2")
FILES = (".otf", ".ttf", ".ttc")


class Made(NamedTuple):
    """What products are made from: the run's tables in one language, the report, how it is set."""

    context: Context
    document: Document
    look: Look


def write(
    tables: Tables,
    folder: str | Path,
    *,
    document: Document | None = None,
    lang: Lang = "zh",
    formats: Sequence[str] = tuple(FORMATS),
    products: Sequence[str] = (),
    fonts: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write the report in each format: ``html``, ``pdf`` and ``docx`` → report.*, ``xlsx`` → annex.xlsx; its figures into figures/.

    ``products`` are written besides (`PRODUCTS`): text as report.txt, schedule, dossiers and drafts into products/. ``fonts`` are an
    office's own: ``folder`` holds the files for PDF, and title, body, heading1, heading2 name the families (小标宋, 仿宋, 黑体, 楷体), in
    DOCX too. ``document`` is the report of these tables in this language where it is made already, so that it is not made again.

    Raises
    ------
    ValueError
        A format or product that is not known, or a folder without font files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    document, c = document or document_of(tables, lang=lang), Context(tables, lang)
    _figures(document, folder / "figures")
    made = Made(c, document, look_of(c, fonts))
    _, annexed, notes = KINDS[_kind(tables)]
    job = Job(document, made.look, lambda: annexed(tables, lang=lang), notes(c), index=True)
    return [*write_formats(job, folder, formats), *write_products(made, folder, products)]


def write_document(document: Document, path: Path, created: date) -> None:
    """Write one document into a file, in the format of its ending: ``html``, ``pdf``, ``docx``, or its tables as ``xlsx``.

    Raises
    ------
    ValueError
        An ending that is none of these.
    """
    ending = path.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise ValueError(f"{path.name}: {', '.join(FORMATS)}")
    tables = [block for block in document.blocks if isinstance(block, Table)]
    Job(document, Look(created), lambda: tables, document.meta, index=True).write(ending, path)


def write_products(made: Made, folder: Path, products: Sequence[str]) -> list[Path]:
    """Write the products named, in the order of `PRODUCTS`.

    Raises
    ------
    ValueError
        A product that is not known.
    """
    unknown = [name for name in products if name not in PRODUCTS]
    if unknown:
        raise ValueError(f"products: {unknown[0]!r}; 可用 / there are: {', '.join(PRODUCTS)}")
    return [path for name, make in PRODUCTS.items() if name in products for path in make(made, folder)]


def document_of(tables: Tables, *, lang: Lang = "zh") -> Document:
    """Return the document of a run's tables: review, bulletin or comparison, as they say."""
    return KINDS[_kind(tables)][0](tables, lang=lang)


def _kind(tables: Tables) -> str:
    return str(tables["meta"].get("kind") or "review")


def look_of(c: Context, fonts: Mapping[str, str] | None = None) -> Look:
    """Return how a run's documents are set: a run's setting of fonts (``folder``, and families by role), the date to store.

    The date is the report's, else SOURCE_DATE_EPOCH's, else the day that the data stand at; never the clock's.

    Raises
    ------
    ValueError
        The folder holds no font file.
    """
    run, given = c.value("run"), fonts or {}
    created = date.fromisoformat(str(run.get("report_date") or run.get("source_date") or c.meta["cutoff"])[:10])
    folder = given.get("folder")
    files = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in FILES) if folder else []
    if folder and not files:
        raise ValueError(f"fonts: {Path(folder).name}: 没有字体文件（otf、ttf、ttc） / no font files")
    return Look(created, tuple(files), {role: given[role] for role in ROLES if given.get(role)})


def _figures(document: Document, folder: Path) -> None:
    """Write each figure of a document as SVG and PNG, named by its id."""
    for block in document.blocks:
        if isinstance(block, Figure):
            folder.mkdir(exist_ok=True)
            (folder / f"{block.id}.svg").write_text(block.svg, encoding="utf-8", newline="\n")
            (folder / f"{block.id}.png").write_bytes(block.png)


def plain_text(document: Document) -> str:
    """Return headings and sentences, one paragraph a line, without tables and figures; what is made up is said first (纯文本)."""
    zh = document.lang == "zh"
    notice = (f"（{document.watermark}）" if zh else f"({document.watermark})") if document.watermark else ""
    head = [document.title, *([notice] if notice else []), ""]
    return "\n".join([*head, *_lines(filled(document), "　　" if zh else ""), "", document.footer]) + "\n"


def _lines(document: Document, indent: str) -> Iterator[str]:
    for block in document.blocks:
        if isinstance(block, Heading | Paragraph | Note):
            yield f"{indent}{clean(block.text)}"
        elif isinstance(block, Bullets):
            yield from (f"{indent}{clean(item)}" for item in block.items)


def _text(made: Made, folder: Path) -> list[Path]:
    path = folder / "report.txt"
    path.write_bytes(plain_text(made.document).encode("utf-8", "replace"))
    return [path]


def _schedule(made: Made, folder: Path) -> list[Path]:
    c = made.context
    notes = [note_of("schedule", c.lang), phrase("distance_note", c.lang)]
    job = Job(schedule(c), made.look, lambda: [schedule_table(c)], notes)
    return [job.write(name, folder / FOLDER / f"schedule.{name}") for name in ("docx", "xlsx")]


def _dossiers(made: Made, folder: Path) -> list[Path]:
    return [Job(dossiers(made.context), made.look).write("pdf", folder / FOLDER / "dossiers.pdf")]


def _drafts(made: Made, folder: Path) -> list[Path]:
    papers = drafts(made.context).items()
    return [Job(paper, made.look).write("docx", folder / FOLDER / f"draft_{name}.docx") for name, paper in papers]


PRODUCTS: dict[str, Callable[[Made, Path], list[Path]]] = {
    "text": _text,
    "schedule": _schedule,
    "dossiers": _dossiers,
    "drafts": _drafts,
}
KINDS: dict[
    str, tuple[Callable[..., Document], Callable[..., list[Table]], Callable[[Context], list[tuple[str, str]]]]
] = {
    "review": (build_report, annex, annex_notes),
    "bulletin": (build_bulletin, bulletin_annex, annex_notes),
    "comparison": (build_comparison, comparison_annex, comparison_notes),
}
