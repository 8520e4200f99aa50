"""Write a report's files into a run's folder, one function per format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from lyeval.render import Document, Figure, Table, to_html, to_xlsx
from lyeval.render.blocks import Lang
from lyeval.report.bulletin import build_bulletin, bulletin_annex
from lyeval.report.context import Context
from lyeval.report.document import build_report
from lyeval.report.products import Fonts, Made, write_products
from lyeval.report.sheets import annex, annex_notes
from lyeval.report.sides import build_comparison, comparison_annex, comparison_notes

Tables = Mapping[str, Any]


def write(
    tables: Tables,
    folder: str | Path,
    *,
    lang: Lang = "zh",
    formats: Sequence[str] = ("html", "pdf", "docx", "xlsx"),
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
    unknown = [f for f in formats if f not in FORMATS]
    if unknown:
        raise ValueError(f"formats: {unknown[0]!r}; 可用 / there are: {', '.join(FORMATS)}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    document = document_of(tables, lang=lang)
    _figures(document, folder / "figures")
    c = Context(tables, lang)
    made = Made(c, document, _created(c), Fonts.of(fonts or {}))
    paths = [FORMATS[name](made, folder) for name in FORMATS if name in formats]
    return [*paths, *write_products(made, folder, products)]


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


def _html(made: Made, folder: Path) -> Path:
    path = folder / "report.html"
    path.write_bytes(to_html(made.document).encode("utf-8", "replace"))
    return path


def _pdf(made: Made, folder: Path) -> Path:
    path = folder / "report.pdf"
    path.write_bytes(made.pdf(made.document))
    return path


def _docx(made: Made, folder: Path) -> Path:
    path = folder / "report.docx"
    path.write_bytes(made.docx(made.document))
    return path


def _xlsx(made: Made, folder: Path) -> Path:
    path, c = folder / "annex.xlsx", made.context
    _, sheets, notes = KINDS[_kind(c.tables)]
    to_xlsx(
        sheets(c.tables, lang=c.lang),
        path,
        title=made.document.title,
        created=made.created,
        notes=notes(c),
        lang=c.lang,
        index=True,
    )
    return path


def _created(c: Context) -> date:
    """Return the date to store in files: the report's, else SOURCE_DATE_EPOCH's, else the day that the data stand at; never the clock's."""
    given = c.value("run").get("report_date") or c.value("run").get("source_date") or c.meta["cutoff"]
    return date.fromisoformat(str(given)[:10])


FORMATS: dict[str, Callable[[Made, Path], Path]] = {
    "html": _html,
    "pdf": _pdf,
    "docx": _docx,
    "xlsx": _xlsx,
}
KINDS: dict[
    str, tuple[Callable[..., Document], Callable[..., list[Table]], Callable[[Context], list[tuple[str, str]]]]
] = {
    "review": (build_report, annex, annex_notes),
    "bulletin": (build_bulletin, bulletin_annex, annex_notes),
    "comparison": (build_comparison, comparison_annex, comparison_notes),
}
