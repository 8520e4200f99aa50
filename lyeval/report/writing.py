"""Write a report's files into a run's folder, one function per format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lyeval.render import Document, Figure, Table, to_docx, to_html, to_pdf, to_xlsx
from lyeval.render.blocks import Lang
from lyeval.report.annex import annex, annex_notes
from lyeval.report.bulletin import build_bulletin, bulletin_annex
from lyeval.report.context import Context
from lyeval.report.document import build_report
from lyeval.report.products import Made, write_products
from lyeval.report.sides import build_comparison, comparison_annex, comparison_notes

Tables = Mapping[str, Any]


def write(
    tables: Tables,
    folder: str | Path,
    *,
    lang: Lang = "zh",
    formats: Sequence[str] = ("html", "pdf", "docx", "xlsx"),
    products: Sequence[str] = (),
) -> list[Path]:
    """Write the report in each format: ``html``, ``pdf`` and ``docx`` → report.*, ``xlsx`` → annex.xlsx; its figures into figures/.

    ``products`` are written besides (`lyeval.report.products`): text, schedule, dossiers, drafts.

    Raises
    ------
    ValueError
        A format or product that is not known.
    """
    unknown = [f for f in formats if f not in FORMATS]
    if unknown:
        raise ValueError(f"formats: {unknown[0]!r}; 可用 / there are: {', '.join(FORMATS)}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    document = KINDS[_kind(tables)][0](tables, lang=lang)
    _figures(document, folder / "figures")
    made = [FORMATS[name](document, tables, folder, lang) for name in FORMATS if name in formats]
    c = Context(tables, lang)
    return [*made, *write_products(Made(c, document, _created(c)), folder, products)]


def _kind(tables: Tables) -> str:
    return str(tables["meta"].get("kind") or "review")


def _figures(document: Document, folder: Path) -> None:
    """Write each figure of a document as SVG and PNG, named by its id."""
    for block in document.blocks:
        if isinstance(block, Figure):
            folder.mkdir(exist_ok=True)
            (folder / f"{block.id}.svg").write_text(block.svg, encoding="utf-8", newline="\n")
            (folder / f"{block.id}.png").write_bytes(block.png)


def _html(document: Document, _tables: Tables, folder: Path, _lang: Lang) -> Path:
    path = folder / "report.html"
    path.write_bytes(to_html(document).encode("utf-8", "replace"))
    return path


def _pdf(document: Document, tables: Tables, folder: Path, lang: Lang) -> Path:
    path = folder / "report.pdf"
    path.write_bytes(to_pdf(document, created=_created(Context(tables, lang))))
    return path


def _docx(document: Document, tables: Tables, folder: Path, lang: Lang) -> Path:
    path = folder / "report.docx"
    path.write_bytes(to_docx(document, created=_created(Context(tables, lang))))
    return path


def _xlsx(document: Document, tables: Tables, folder: Path, lang: Lang) -> Path:
    path = folder / "annex.xlsx"
    c = Context(tables, lang)
    _, sheets, notes = KINDS[_kind(tables)]
    to_xlsx(sheets(tables, lang=lang), path, title=document.title, created=_created(c), notes=notes(c), lang=lang)
    return path


def _created(c: Context) -> date:
    """Return the date to store in the workbook: the report's, else the day that the data stand at; never the clock's."""
    given = c.value("run").get("report_date") or c.meta["cutoff"]
    return date.fromisoformat(str(given)[:10])


FORMATS: dict[str, Callable[[Document, Tables, Path, Lang], Path]] = {
    "html": _html,
    "pdf": _pdf,
    "docx": _docx,
    "xlsx": _xlsx,
}
KINDS: dict[str, tuple[Callable[..., Document], Callable[..., list[Table]], Callable[[Context], list[tuple[str, str]]]]] = {
    "review": (build_report, annex, annex_notes),
    "bulletin": (build_bulletin, bulletin_annex, annex_notes),
    "comparison": (build_comparison, comparison_annex, comparison_notes),
}
