"""A document as PDF by GB/T 9704 (党政机关公文格式): typst sets the pages, all text reaches it as data."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from lyeval.render.blocks import (
    Block,
    Bullets,
    Cell,
    Document,
    Figure,
    Heading,
    KeyFigures,
    Lang,
    Note,
    Paragraph,
    Table,
)
from lyeval.render.blocks import captions as captions_of
from lyeval.render.faces import Faces, loaded
from lyeval.render.fitting import TOKEN, UPRIGHT, Fit, fit
from lyeval.render.glyphs import clean, drawn, ems, lacking, one_line
from lyeval.render.numbers import format_value

HERE = Path(__file__).resolve().parent
TALLEST = 560.0  # points: a figure with its caption stays on one page
ENLARGED = 1.06  # a figure drawn for the page is set this much larger, no more
WHOLE = 12  # rows up to which a table stays on one page
LONG, MOST = 8, 80  # headings from which a document has a table of contents, and up to which
SIGNED = ("good", "bad", "open")


def to_pdf(document: Document, *, created: date | None = None, fonts: Sequence[str | Path] = ()) -> bytes:
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

    Raises
    ------
    ValueError
        A figure is not a plain drawing, two tables or figures share one id, or a font file cannot be used.
    """
    import typst

    moment = stored_date(created)
    with loaded(fonts) as faces:
        data = _data(document, faces, moment)
        return typst.compile(
            (HERE / "page.typ").read_bytes(),
            root=str(HERE),
            font_paths=faces.fonts,
            ignore_system_fonts=True,
            sys_inputs={"document": json.dumps(data, ensure_ascii=False)},
            timestamp=0,
            pdf_standards=["a-2a", "ua-1"] if moment else [],
        )


def stored_date(created: date | None) -> date | None:
    """Return the date that a file says it was made on: the one given, else that of ``SOURCE_DATE_EPOCH``, else none."""
    if created is not None:
        return created
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC).date() if epoch.isdigit() else None


def _data(document: Document, faces: Faces, moment: date | None) -> dict[str, Any]:
    """Return what the page template is given: text, numbers and lists, nothing to be executed."""
    writer = _Writer(document, faces.covered)
    runs = writer.runs()
    meta = [(writer.text(label), writer.text(value)) for label, value in document.meta]
    data = {
        "lang": document.lang,
        "faces": faces.roles,
        "created": None if moment is None else {"year": moment.year, "month": moment.month, "day": moment.day},
        "title": writer.text(document.title),
        "subtitle": writer.text(document.subtitle),
        "balanced": [balanced(writer.text(document.title), 22), balanced(writer.text(document.subtitle), 16)],
        "meta": [(label, value, ems(label + value) > 15) for label, value in meta],
        "watermark": writer.text(document.watermark),
        "notice": notice(writer.text(document.watermark)),
        "runs": runs,
        "depth": writer.depth,
        "entries": writer.entries,
        "words": WORDS[document.lang],
    }
    runs[-1]["blocks"].append({"kind": "Footer", "text": writer.footer()})
    return data


class _Writer:
    """Turns blocks into the template's data, and remembers which characters no font has."""

    def __init__(self, document: Document, covered: frozenset[int]) -> None:
        self.document, self.covered = document, covered
        self.lang: Lang = document.lang
        self.words = WORDS[document.lang]
        self.numbers = captions_of(document.blocks, document.lang)
        self.missing: set[str] = set()
        levels = [level for block, level in levelled(document.blocks) if isinstance(block, Heading)]
        self.depth = contents_depth(levels)
        self.entries = sum(level <= self.depth for level in levels)

    def text(self, text: object, room: float = 26.0) -> str:
        """Return a text on one line as the fonts can draw it, breakable where a word is longer than ``room`` (ems)."""
        line = one_line(text)
        if not line.isascii():
            self.missing.update(lacking([line], self.covered))
            line = drawn(line, self.covered)
        return breakable(line, room) if len(line) > room else line

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

    def runs(self) -> list[dict[str, Any]]:
        """Return the blocks in runs of upright and of turned pages; a heading goes with the turned table below it."""
        runs: list[dict[str, Any]] = [{"across": False, "blocks": []}]
        waiting: list[dict[str, Any]] = []
        for made in self.blocks():
            if made["kind"] in ("Heading", "Contents"):
                waiting.append(made)
                continue
            across = made.pop("across", False)
            if across != runs[-1]["across"]:
                runs.append({"across": across, "blocks": []})
            runs[-1]["blocks"] += [*waiting, made]
            waiting = []
        runs[-1]["blocks"] += waiting
        return runs

    def blocks(self) -> Iterator[dict[str, Any]]:
        """Write each block; the contents of a long document stand behind its first section."""
        place = contents_place(self.document.blocks) if self.depth else -1
        for k, (block, level) in enumerate(levelled(self.document.blocks)):
            if k == place:
                yield {"kind": "Contents"}
            yield {"kind": type(block).__name__} | self.block(block, level)

    def block(self, block: Block, level: int) -> dict[str, Any]:
        """Write one block."""
        if isinstance(block, Heading):
            return {"level": level, "text": self.text(block.text), "fresh": block.fresh}
        if isinstance(block, Paragraph):
            return {"text": self.lines(block.text)}
        if isinstance(block, Note):
            return {"text": self.lines(block.text), "tone": block.tone}
        if isinstance(block, Bullets):
            return {"items": [self.text(item) for item in block.items], "ordered": block.ordered}
        if isinstance(block, KeyFigures):
            return self.key_figures(block)
        return self.figure(block) if isinstance(block, Figure) else self.table(block)

    def key_figures(self, block: KeyFigures) -> dict[str, Any]:
        """Write the key figures, two to four in a row."""
        names = ("label", "value", "unit", "tone", "note")
        items = [{name: self.text(part, 12) for name, part in zip(names, item, strict=True)} for item in block.items]
        wide = [max(10.5 * ems(i["label"]), 22 * ems(i["value"]) + 10.5 * ems(i["unit"]) + 20) + 20 for i in items]
        most = max(1, min(4, int((UPRIGHT + 6) // (max(wide, default=1.0) + 6))))
        across = next((k for k in range(most, 1, -1) if len(items) % k == 0), min(most, max(len(items), 1)))
        return {"items": items, "columns": across}

    def figure(self, block: Figure) -> dict[str, Any]:
        """Write a figure: its drawing with text as text where there is one."""
        svg = block.svg_text or block.svg
        if "<svg" not in svg or re.search(r"<(script|foreignObject|image)\b", svg, re.IGNORECASE):
            raise ValueError(f"figure {block.id!r}: not a plain SVG drawing")
        found = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', svg)
        width, height = (float(found.group(1)), float(found.group(2))) if found else (4.0, 3.0)
        scale = min(UPRIGHT / width, TALLEST / height, ENLARGED if found else math.inf)
        return {
            "svg": svg[svg.find("<svg") :],
            "width": round(width * scale, 2),
            "height": round(height * scale, 2),
            "alt": self.text(block.alt),
        } | self.caption(block)

    def table(self, block: Table) -> dict[str, Any]:
        """Write a table: fitted, headings with units, cells as text or as tone and text."""
        heads = [
            (self.text(c.title), self.words["unit"].format(self.text(c.unit)) if c.unit else "") for c in block.columns
        ]
        rows = [
            [self.text(format_value(c, v, self.lang), 999) for c, v in zip(block.columns, row, strict=True)]
            for row in block.rows
        ]
        tones = [[v.tone if isinstance(v, Cell) and v.tone in SIGNED else "" for v in row] for row in block.rows]
        measured = [
            [("×　" + text if tone else text) for text, tone in zip(*pair, strict=True)]
            for pair in zip(rows, tones, strict=True)
        ]
        found = fit(block.columns, [head[0] + "\n" + head[1] for head in heads], measured)
        rooms = [(width - found.padding) / found.size for width in found.widths]
        cells = [
            [tone, breakable(text, room)] if tone else breakable(text, room)
            for row, marks in zip(rows, tones, strict=True)
            for text, tone, room in zip(row, marks, rooms, strict=True)
        ]
        return {
            "size": found.size,
            "widths": found.widths,
            "padding": found.padding,
            "across": found.across,
            "aligns": alignments(block, rows, found),
            "heads": [
                [breakable(title, room), breakable(unit, room)]
                for (title, unit), room in zip(heads, rooms, strict=True)
            ],
            "cells": cells,
            "whole": len(rows) <= WHOLE,
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


def balanced(text: str, size: float) -> float:
    """Return the width in points at which a centred text breaks into lines of about one length."""
    natural = ems(text) * size * 1.03
    lines = max(1, math.ceil(natural / UPRIGHT))
    return UPRIGHT if lines == 1 else round(min(UPRIGHT, natural / lines + 1.5 * size), 2)


def levelled(blocks: Sequence[Block]) -> Iterator[tuple[Block, int]]:
    """Return each block with its heading level, none skipped on the way down (0 for other blocks)."""
    level = 0
    for block in blocks:
        if isinstance(block, Heading):
            level = min(max(block.level, 1), level + 1, 3)
        yield block, level if isinstance(block, Heading) else 0


def contents_depth(levels: Sequence[int]) -> int:
    """Return how many levels of headings the contents show: 0 for a short document, or for one of very many parts."""
    two = sum(level <= 2 for level in levels)
    one = sum(level == 1 for level in levels)
    return 2 if LONG <= two <= MOST else 1 if LONG <= one <= MOST else 0


def contents_place(blocks: Sequence[Block]) -> int:
    """Return the place of the contents: before the second section, so that a summary stands first."""
    places = [k for k, (_, level) in enumerate(levelled(blocks)) if level == 1]
    return places[1] if len(places) > 1 else 0


def alignments(table: Table, rows: Sequence[Sequence[str]], found: Fit) -> list[str]:
    """Return how each column stands: numbers right, dates, flags and short words centred, text left."""
    aligns = []
    for k, column in enumerate(table.columns):
        short = column.kind == "text" and k and all(ems(row[k]) <= 5 for row in rows)
        numeric = column.kind in ("number", "percent", "count")
        aligns.append("r" if numeric else "c" if short or column.kind in ("date", "flag") else "l")
    return aligns


def breakable(text: str, room: float) -> str:
    """Let a word that is wider than its room (ems) break between any two signs."""
    if ems(text) <= room + 0.01:
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


WORDS = {
    "zh": {
        "contents": "目　录",
        "source": "来源：",
        "note": "注：",
        "cite": "依据：",
        "unit": "（{}）",
        "none": "无",
        "missing": "下列字符为本文件字体所缺，文中以“〓”代替：{}。",
    },
    "en": {
        "contents": "Contents",
        "source": "Source: ",
        "note": "Note: ",
        "cite": "Basis: ",
        "unit": "({})",
        "none": "none",
        "missing": "Characters that the fonts of this file lack, printed as “〓”: {}.",
    },
}
