"""A document as PDF by GB/T 9704 (党政机关公文格式): typst sets the pages, all text reaches it as data."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from lyeval.render.blocks import (
    Block,
    Bullets,
    Document,
    Figure,
    Heading,
    KeyFigures,
    Note,
    Paragraph,
    Table,
    captions,
    filled,
)
from lyeval.render.faces import Faces, loaded
from lyeval.render.fitting import TOKEN, UPRIGHT
from lyeval.render.glyphs import clean, drawn, ems, lacking, one_line
from lyeval.render.numbers import told
from lyeval.render.paging import (
    SCALE,
    SHEETS,
    TALLEST,
    WHOLE,
    Laid,
    Part,
    cards_across,
    contents_depth,
    listed,
    meta_rows,
    runs,
    sheets,
    stored_date,
    title_lines,
)

HERE = Path(__file__).resolve().parent
PAGE = HERE / "page.typ"
PACES = ("1", "0.96", "1.04", "0.92", "1.08", "0.88", "1.12")  # of the standard's space between lines and within rows
LONGEST = 30  # pages of a document that other paces are tried for
UNBROKEN = 3  # rows: the last two stay with the note, and one alone is no part of a table
THIRD = 105.0 + 638.0 / 3  # points from the top: margin and a third of the text's height


def to_pdf(
    document: Document,
    *,
    created: date | None = None,
    fonts: Sequence[str | Path] = (),
    names: Mapping[str, str] | None = None,
) -> bytes:
    """Return the document as a tagged PDF with bookmarks, page numbers outside and searchable figures.

    The same document gives the same bytes: neither the clock nor installed fonts matter.

    Parameters
    ----------
    document : Document
    created : date, optional
        The date to store; None: that of ``SOURCE_DATE_EPOCH`` if set, else none. With a date the file is PDF/A-2a (for
        archives) and PDF/UA-1 (for screen readers).
    fonts : sequence of path
        An office's own font files (小标宋, 仿宋, 黑体, 楷体); the shipped fonts stand in for what is not given.
    names : mapping of str to str, optional
        Role (title, body, heading1, heading2) → the family of ``fonts`` that stands there, where its name does not say.

    Raises
    ------
    ValueError
        A figure is not a plain drawing, two tables or figures share one id, or a font file cannot be used.
    """
    import typst

    document, moment = filled(document), stored_date(created)
    with loaded(fonts, names) as faces:
        page = _page(_data(document, faces, moment), faces)
        page["sys_inputs"]["pace"] = _pace(page) if sheets(document.blocks) <= SHEETS else PACES[0]
        standards: list[Any] = ["a-2a", "ua-1"] if moment else []
        return typst.compile(timestamp=0, pdf_standards=standards, **page)


def heading_pages(document: Document) -> list[int]:
    """Return the page of each heading that the contents list, as the document stands in the shipped fonts; none without contents."""
    if not contents_depth(document.blocks):
        return []
    with loaded() as faces:
        return _asked(_page(_data(document, faces, None), faces), "<starts>")[0]


def _page(data: Mapping[str, Any], faces: Faces) -> dict[str, Any]:
    """Return what typst is given: the template, its data, the fonts."""
    return {
        "input": PAGE.read_bytes(),
        "root": str(HERE),
        "font_paths": faces.fonts,
        "ignore_system_fonts": True,
        "sys_inputs": {"document": json.dumps(data, ensure_ascii=False)},
    }


def _asked(page: Mapping[str, Any], label: str) -> list[Any]:
    """Return what the laid out pages say under a label."""
    import typst

    return json.loads(typst.query(selector=label, field="value", **page))


def _pace(page: Mapping[str, Any]) -> str:
    """Return how far lines stand apart: the first of `PACES` at which no page but the first ends before its first third, else the standard's."""
    for pace in PACES:
        ends = _asked({**page, "sys_inputs": {**page["sys_inputs"], "pace": pace}}, "<ending>")
        if all(number == 1 or y >= THIRD for number, y in ends):
            return pace
        if ends[-1][0] > LONGEST:
            break
    return PACES[0]


def _data(document: Document, faces: Faces, moment: date | None) -> dict[str, Any]:
    """Return what the page template is given: text, numbers and lists, nothing to be executed."""
    writer = _Writer(document, faces.covered)
    made = [
        {"across": run.across, "blocks": [writer.part(part) for part in run.parts]}
        for run in runs(document, writer.whole)
    ]
    heads = [
        (writer.whole(document.title) or "—", 22),
        (writer.whole(document.subtitle), 16 if document.lang == "zh" else 12),
    ]
    data = {
        "lang": document.lang,
        "faces": faces.roles,
        "created": None if moment is None else {"year": moment.year, "month": moment.month, "day": moment.day},
        "title": writer.text(document.title) or "—",
        "subtitle": writer.text(document.subtitle),
        "lines": [[writer.text(line) for line in title_lines(said, size, document)] for said, size in heads],
        "meta": [[*entry, len(row) == 1] for row in meta_rows(document, writer.text) for entry in row],
        "watermark": writer.text(document.watermark),
        "notice": notice(writer.text(document.watermark)),
        "runs": made,
        "depth": contents_depth(document.blocks),
        "listed": listed(document.blocks),
        "words": told(document.lang),
    }
    made[-1]["blocks"].append({"kind": "Footer", "text": writer.footer()})
    return data


class _Writer:
    """Turns blocks into the template's data, and remembers which characters no font has."""

    def __init__(self, document: Document, covered: frozenset[int]) -> None:
        self.document, self.covered = document, covered
        self.words = told(document.lang)
        self.numbers = captions(document.blocks, document.lang)
        self.missing: set[str] = set()

    def whole(self, text: object) -> str:
        """Return a text on one line as the fonts can draw it."""
        line = one_line(text)
        if line.isascii():
            return line
        self.missing.update(lacking([line], self.covered))
        return drawn(line, self.covered)

    def text(self, text: object, room: float = 26.0) -> str:
        """Return a text on one line, breakable where a word is longer than ``room`` (ems)."""
        return breakable(self.whole(text), room)

    def lines(self, text: str) -> list[str]:
        """Return the lines of a text that has line ends of its own."""
        return [self.text(line) for line in clean(text).split("\n") if line.strip()] or [""]

    def footer(self) -> list[str]:
        """Return the last lines: the document's own, and which characters are not drawn."""
        lines = [self.text(self.document.footer)] if self.document.footer else []
        if self.missing:
            codes = ", ".join(f"U+{ord(c):04X}" for c in sorted(self.missing))
            lines.append(self.words["missing"].format(codes))
        return lines

    def part(self, part: Part) -> dict[str, Any]:
        """Write one part: a block, or the contents."""
        if part.block is None:
            return {"kind": "Contents"}
        made = self.table(part.block, part.laid) if isinstance(part.block, Table) and part.laid else self.block(part)
        return {"kind": type(part.block).__name__} | made

    def block(self, part: Part) -> dict[str, Any]:
        """Write a block that is no table."""
        block: Block | None = part.block
        if isinstance(block, Heading):
            return {"level": part.level, "text": self.text(block.text), "fresh": block.fresh, "titled": block.titled}
        if isinstance(block, Paragraph):
            told = {"text": self.lines(block.text), "close": block.close, "align": block.align}
            return told | {"room": part.room, "opens": part.opens}
        if isinstance(block, Note):
            return {"text": self.lines(block.text), "tone": block.tone}
        if isinstance(block, Bullets):
            return {"items": [self.text(item, 24) for item in block.items], "ordered": block.ordered}
        if isinstance(block, Figure):
            return self.figure(block)
        assert isinstance(block, KeyFigures)
        return self.key_figures(block)

    def key_figures(self, block: KeyFigures) -> dict[str, Any]:
        """Write the key figures, two to four in a row."""
        names = ("label", "value", "unit", "tone", "note")
        items = [{name: self.text(part, 12) for name, part in zip(names, item, strict=True)} for item in block.items]
        return {"items": items, "columns": cards_across(block)}

    def figure(self, block: Figure) -> dict[str, Any]:
        """Write a figure: its drawing with text as text where there is one."""
        svg = block.svg_text or block.svg
        if "<svg" not in svg or re.search(r"<(script|foreignObject|image)\b", svg, re.IGNORECASE):
            raise ValueError(f"figure {block.id!r}: not a plain SVG drawing")
        found = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', svg)
        width, height = (float(found.group(1)), float(found.group(2))) if found else (4.0, 3.0)
        scale = min(UPRIGHT / width, TALLEST / height, SCALE if found else math.inf)
        return {
            "svg": svg[svg.find("<svg") :],
            "width": round(width * scale, 2),
            "height": round(height * scale, 2),
            "alt": self.text(block.alt),
        } | self.caption(block)

    def table(self, block: Table, laid: Laid) -> dict[str, Any]:
        """Write a table: headings with units, cells as text or as tone and text."""
        rooms = [(width - laid.fit.padding) / laid.fit.size for width in laid.fit.widths]
        cells = [
            [tone, breakable(text, room)] if tone else breakable(text, room)
            for row, marks in zip(laid.rows, laid.tones, strict=True)
            for text, tone, room in zip(row, marks, rooms, strict=True)
        ]
        return {
            "size": laid.fit.size,
            "widths": laid.fit.widths,
            "padding": laid.fit.padding,
            "aligns": laid.aligns,
            "heads": [[breakable(said, room) for said in head] for head, room in zip(laid.heads, rooms, strict=True)],
            "cells": cells,
            "whole": laid.fit.height <= WHOLE or len(laid.rows) <= UNBROKEN,
            "none": self.words["none"],
        } | self.caption(block)

    def caption(self, block: Table | Figure) -> dict[str, Any]:
        """Write number, title and the lines beneath."""
        lines = (("note", getattr(block, "note", "")), ("cite", block.cite), ("source", block.source))
        under = [[self.words[key], self.text(said)] for key, said in lines if said]
        return {"number": self.numbers[block.id], "title": self.text(block.title), "under": under}


def notice(text: str) -> dict[str, Any]:
    """Return how the notice of every page is set: type size of its line, and its first words to stand behind the text."""
    short = re.split("[：:，,；;。.]", text, maxsplit=1)[0] or text
    short = short if ems(short) <= 30 else text[:24]
    size = max(7.0, min(9.0, UPRIGHT / max(ems(text), 1) - 0.05))
    return {"short": short, "size": round(size, 2), "behind": round(min(48.0, 620 / max(ems(short), 1)), 1)}


def breakable(text: str, room: float) -> str:
    """Let a word that is wider than its room (ems) break between any two signs."""
    if len(text) <= room or ems(text) <= room + 0.01:
        return text
    most = max(int(min(room, TOKEN * 0.56) / 0.72), 1)

    def parted(found: re.Match[str]) -> str:
        run = found.group()
        return run if ems(run) <= room + 0.01 else "\u200b".join(run[k : k + most] for k in range(0, len(run), most))

    return _runs().sub(parted, text)


@lru_cache(maxsize=1)
def _runs() -> re.Pattern[str]:
    """Return the pattern of signs between which no line breaks."""
    return re.compile(r"[!-~\u00a1-\u024f]{2,}")
