"""The report as plain text to paste into an annual summary (纯文本): sentences alone, three to five pages of them."""

from __future__ import annotations

import math
import re

from lyeval.render import Bullets, Document, Heading, Note, Paragraph
from lyeval.render.blocks import Block, Lang
from lyeval.render.glyphs import clean, ems
from lyeval.report.document import SECTIONS
from lyeval.report.words import say


def plain_text(document: Document) -> str:
    """Return headings and sentences of the sections of `TOLD`, one paragraph a line; tables and figures are left to the report.

    Sections are numbered anew, and what a sentence says of another section's number follows.
    """
    told = list(TOLD)
    for name in ("", *SPARED):
        told = [n for n in told if n != name]
        text = _told(document, told)
        if pages(text) <= MOST:
            break
    return text


def pages(text: str) -> float:
    """Return about how many pages a text takes as GB/T 9704 sets it: 22 lines of 28 Chinese signs, or 56 others."""
    return sum(math.ceil(max(ems(line), 1) / 28) for line in text.splitlines()) / 22


def _told(document: Document, told: list[str]) -> str:
    lang, sections = document.lang, _sections(document)
    order = [name for name in sections if name in told]
    lines = [document.title, *([BRACKETS[lang].format(document.watermark)] if document.watermark else []), ""]
    for place, name in enumerate(order):
        heading = re.split("[、.]", sections[name][0], maxsplit=1)[-1].strip()
        said = [_renumbered(line, list(sections), order, lang) for line in _sentences(sections[name][1], lang)]
        lines += [say("text.heading", lang, number=NUMBERS[lang][place], heading=heading), *said]
    return "\n".join([*_once(lines), "", document.footer]) + "\n"


def _once(lines: list[str]) -> list[str]:
    """Leave out a sentence that has been said word by word before."""
    told: set[str] = set()
    out = []
    for line in lines:
        parts = re.split(r"(?<=。)|(?<=\. )", line)
        kept = [p for p in parts if len(p) < SHORT or p.strip() not in told]
        told |= {p.strip() for p in parts}
        text = "".join(kept).rstrip()
        out += [text] if text.strip() or not line else []
    return out


def _sections(document: Document) -> dict[str, tuple[str, list[Block]]]:
    """Return the report's sections in its order: name → heading and blocks."""
    names = {heading[document.lang == "en"]: name for name, heading, _ in SECTIONS}
    out: dict[str, tuple[str, list[Block]]] = {}
    name = ""
    for block in document.blocks:
        if isinstance(block, Heading) and block.level == 1:
            name = names.get(block.text, "")
            out |= {name: (block.text, [])} if name else {}
        elif name:
            out[name][1].append(block)
    return out


def _renumbered(line: str, before: list[str], after: list[str], lang: Lang) -> str:
    """Let references to sections follow their new numbers; one in brackets to a section that is not told goes."""
    pattern, form = REFERENCES[lang]

    def new(found: re.Match[str]) -> str:
        name = before[NUMBERS[lang].index(re.sub("第|部分|section ", "", found.group(1)))]
        name = INSTEAD.get(name, name)
        if name not in after:
            return ""
        return found.group().replace(found.group(1), form.format(NUMBERS[lang][after.index(name)]))

    return re.sub(pattern, new, line)


def _sentences(blocks: list[Block], lang: Lang) -> list[str]:
    indent, out = "　　" if lang == "zh" else "", []
    for block in blocks:
        if isinstance(block, Bullets):
            out += [f"{indent}{clean(item)}" for item in block.items]
        elif isinstance(block, Heading | Paragraph | Note):
            out.append(f"{indent}{clean(_alone(block.text))}")
    return [line for line in out if line.strip()]


def _alone(text: str) -> str:
    """Drop what only points to a table, or to a rule that meets nobody."""
    return re.sub("|".join(IDLE), "", text).strip()


IDLE = (
    r"[^。]*(?:下表列出|列于下表|目前没有企业涉及|不由数据直接得出)[^。]*。",
    r"(?:The \S+ with most land are listed|The year's list holds)[^.]*\.",
    r"By [^.]*(?:\.\d[^.]*)*(?:meets nobody at present|not read off the data)\.",
)
SHORT = 12
INSTEAD = {"attainment": "overall"}  # what the second section tells stands in the first one's sentences
TOLD = ("overall", "listing", "progress", "outlook", "measures", "quality")
MOST = 5.0  # pages
SPARED = ("listing", "quality")  # what a long text does without, in this order
REFERENCES = {
    "zh": (r"(?:（见)?(第[一二三四五六七八九]部分)(?:）)?", "第{}部分"),
    "en": (r"(?: \()?(?:see )?(section \d)\)?", "section {}"),
}
NUMBERS = {"zh": "一二三四五六七八九", "en": "123456789"}
BRACKETS = {"zh": "（{}）", "en": "({})"}
