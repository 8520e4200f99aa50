"""Write a report's files into a run's folder, one function per format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lyeval.render import FORMATS, Document, Figure, Job, Table, write_formats
from lyeval.render.blocks import Lang
from lyeval.report.annex import annex, annex_notes
from lyeval.report.bulletin import build_bulletin, bulletin_annex
from lyeval.report.compared import build_comparison, comparison_annex, comparison_notes
from lyeval.report.context import Context
from lyeval.report.document import build_report
from lyeval.report.products import Fonts, Made, write_products

Tables = Mapping[str, Any]


def write(
    tables: Tables,
    folder: str | Path,
    *,
    lang: Lang = "zh",
    formats: Sequence[str] = tuple(FORMATS),
    products: Sequence[str] = (),
    fonts: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write the report in each format: ``html``, ``pdf`` and ``docx`` → report.*, ``xlsx`` → annex.xlsx; its figures into figures/.

    ``products`` are written besides (`lyeval.report.products`): text, schedule, dossiers, drafts. ``fonts`` are an office's own: ``folder``
    holds the files for PDF, and title, body, heading1, heading2 name the families (小标宋, 仿宋, 黑体, 楷体), in DOCX too.

    Raises
    ------
    ValueError
        A format or product that is not known.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    document = document_of(tables, lang=lang)
    _figures(document, folder / "figures")
    c = Context(tables, lang)
    made = Made(c, document, _created(c), Fonts.of(fonts or {}))
    _, annexed, notes = KINDS[_kind(tables)]
    own = {"fonts": made.fonts.files, "families": dict(made.fonts.names)}
    job = Job(document, made.created, lambda: annexed(tables, lang=lang), notes(c), index=True, **own)
    paths = write_formats(job, folder, formats)
    return [*paths, *write_products(made, folder, products)]


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
    FORMATS[ending][1](Job(document, created, lambda: tables, document.meta, index=True), path)


def document_of(tables: Tables, *, lang: Lang = "zh") -> Document:
    """Return the document of a run's tables: review, bulletin or comparison, as they say."""
    return KINDS[_kind(tables)][0](tables, lang=lang)


def _kind(tables: Tables) -> str:
    return str(tables["meta"].get("kind") or "review")


def _figures(document: Document, folder: Path) -> None:
    """Write each figure of a document as SVG and PNG, named by its id."""
    for block in document.blocks:
        if isinstance(block, Figure):
            folder.mkdir(exist_ok=True)
            (folder / f"{block.id}.svg").write_text(block.svg, encoding="utf-8", newline="\n")
            (folder / f"{block.id}.png").write_bytes(block.png)


def _created(c: Context) -> date:
    """Return the date to store in files: the report's, else SOURCE_DATE_EPOCH's, else the day that the data stand at; never the clock's."""
    given = c.value("run").get("report_date") or c.value("run").get("source_date") or c.meta["cutoff"]
    return date.fromisoformat(str(given)[:10])


KINDS: dict[
    str, tuple[Callable[..., Document], Callable[..., list[Table]], Callable[[Context], list[tuple[str, str]]]]
] = {
    "review": (build_report, annex, annex_notes),
    "bulletin": (build_bulletin, bulletin_annex, annex_notes),
    "comparison": (build_comparison, comparison_annex, comparison_notes),
}
