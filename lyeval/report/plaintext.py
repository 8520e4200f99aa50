"""The report as plain text to paste into an annual summary (纯文本): its headings and sentences, without tables and figures."""

from __future__ import annotations

from collections.abc import Iterator

from lyeval.render import Bullets, Document, Heading, Note, Paragraph
from lyeval.render.blocks import filled
from lyeval.render.glyphs import clean


def plain_text(document: Document) -> str:
    """Return headings and sentences, one paragraph a line; what is made up is said first."""
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
