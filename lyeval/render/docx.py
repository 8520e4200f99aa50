"""A document as DOCX to be edited: real Word styles, captions that count, tables with repeated headings, alt text."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from lyeval.render import word
from lyeval.render.blocks import (
    Block,
    Bullets,
    Document,
    Figure,
    Heading,
    KeyFigures,
    Note,
    Paragraph,
    Slot,
    Table,
    captions,
)
from lyeval.render.fitting import UPRIGHT
from lyeval.render.glyphs import clean, one_line
from lyeval.render.numbers import told
from lyeval.render.paging import (
    SCALE,
    SIGNS,
    TALLEST,
    WHOLE,
    Laid,
    Part,
    cards_across,
    contents_depth,
    meta_rows,
    runs,
    stored_date,
    title_lines,
)
from lyeval.render.pdf import heading_pages
from lyeval.render.word import NS, attribute, text

INKS = {"good": "0A5A9C", "bad": "A83208", "open": "5D5346"}
EMU = 12700  # per point
EM = 320  # twentieths of a point: a character of the body
BLANK = "\u00a0" * 2  # a place for one letter to be written by hand
LONGEST_ALT = 2000
ONE_PAGE = 26  # entries of the contents that stand on one page


def to_docx(document: Document, *, created: date | None = None, names: Mapping[str, str] | None = None) -> bytes:
    """Return the document as a Word file by GB/T 9704 (仿宋_GB2312, 方正小标宋简体, 黑体, 楷体_GB2312).

    The same document gives the same bytes. Control characters, which a Word file cannot hold, are left out of texts.

    Parameters
    ----------
    document : Document
    created : date, optional
        The date to store; None: that of ``SOURCE_DATE_EPOCH`` if set, else none.
    names : mapping of str to str, optional
        Role (title, body, heading1, heading2) → the font that an office uses there in place of the standard's.

    Raises
    ------
    ValueError
        Two tables or figures share one id, or a figure's picture is not a PNG.
    """
    from docx.oxml import parse_xml

    made = word.blank(
        one_line(document.title),
        one_line(document.subtitle),
        lang=document.lang,
        created=stored_date(created),
        names=names,
    )
    references = word.furnish(made, one_line(document.watermark))
    writer = _Writer(document, made)
    made.part._element = parse_xml(f"<w:document {NS}><w:body>{''.join(writer.body(references))}</w:body></w:document>")
    return word.packed(made)


class _Writer:
    """Writes blocks as the XML of a Word file's body; every text is escaped where it is written."""

    def __init__(self, document: Document, made: Any) -> None:
        self.document, self.made = document, made
        self.words = told(document.lang)
        self.numbers = captions(document.blocks, document.lang)
        self.depth = contents_depth(document.blocks)
        self.entries: list[tuple[int, str, str]] = []
        self.fresh, self.pictures = False, 0

    def body(self, references: str) -> Iterator[str]:
        """Yield the body: title block, runs of pages each closed by its section, last line."""
        yield from self.opening()
        made = runs(self.document, one_line)
        self.entries = [
            (part.level, f"_Toc{k:06d}", one_line(part.block.text))
            for k, part in enumerate(part for run in made for part in run.parts if isinstance(part.block, Heading))
            if isinstance(part.block, Heading)
        ]
        waiting = iter(self.entries)
        for place, run in enumerate(made):
            for part in run.parts:
                yield from self.part(part, waiting)
            if place < len(made) - 1:
                yield f'<w:p><w:pPr><w:pStyle w:val="PageTurn"/>{word.section(references, run.across)}</w:pPr></w:p>'
        if self.document.footer:
            yield paragraph("LastLine", one_line(self.document.footer))
        yield word.section(references, made[-1].across)

    def opening(self) -> Iterator[str]:
        """Yield title, subtitle and the lines of the title block."""
        subtitle = 16 if self.document.lang == "zh" else 12
        for style, said, size in (("Title", self.document.title, 22), ("Subtitle", self.document.subtitle, subtitle)):
            if said or style == "Title":
                lines = map(text, title_lines(one_line(said), size, self.document))
                yield f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r>{"<w:br/>".join(lines)}</w:r></w:p>'
        if self.document.meta:
            yield meta(meta_rows(self.document, one_line), self.words["colon"])

    def part(self, part: Part, entries: Iterator[tuple[int, str, str]]) -> Iterator[str]:
        """Yield one part: a block, or the contents."""
        if part.block is None:
            yield self.contents()
            self.fresh = True
        elif isinstance(part.block, Heading):
            yield self.heading(part.block, next(entries))
        elif isinstance(part.block, Table) and part.laid is not None:
            yield self.caption(part.block, "Caption")
            yield table(part.block, part.laid, self.words["none"])
            yield from self.under(part.block)
        elif isinstance(part.block, Figure):
            yield self.figure(part.block)
            yield self.caption(part.block, "FigureCaption")
            yield from self.under(part.block)
        else:
            yield from self.block(part.block, part)

    def block(self, block: Block, part: Part) -> Iterator[str]:
        """Yield running text, a note, a list or key figures."""
        if isinstance(block, Paragraph):
            style = {"left": "Flush", "right": "Signed"}.get(block.align, "Close" if block.close else "Normal")
            right = f'<w:ind w:right="{round(part.room * EM)}" w:firstLineChars="0" w:firstLine="0"/>'
            more = (ABOVE if part.opens else "") + right if block.align == "right" else ""
            yield from (paragraph(style, line, more) for line in lines(block.text))
        elif isinstance(block, Note):
            style = {"good": "NoteGood", "bad": "NoteBad", "open": "NoteOpen"}.get(block.tone, "Note")
            sign = SIGNS[block.tone] + " " if block.tone in SIGNS else ""
            yield from (paragraph(style, (sign if k == 0 else "") + line) for k, line in enumerate(lines(block.text)))
        elif isinstance(block, Bullets):
            number = word.add_list(self.made) if block.ordered else 1
            style = "ListNumber" if block.ordered else "ListBullet"
            chosen = f'<w:numPr><w:ilvl w:val="0"/><w:numId w:val="{number}"/></w:numPr>'
            yield from (paragraph(style, one_line(item), chosen) for item in block.items)
        elif isinstance(block, KeyFigures):
            yield key_figures(block)
        elif isinstance(block, Slot):
            yield slot(self.written(block).text)

    def written(self, block: Any) -> Any:
        """Return a place for the office's own words as the paragraph that marks it; any other block as it is."""
        return Paragraph(self.words["slot"].format(block.name, block.text)) if isinstance(block, Slot) else block

    def heading(self, block: Heading, entry: tuple[int, str, str]) -> str:
        """Return a heading with the bookmark that the contents point to."""
        level, anchor, said = entry
        turn = "<w:pageBreakBefore/>" if block.fresh or self.fresh else ""
        self.fresh = False
        number = int(anchor[4:])
        style = "Title" if block.titled else f"Heading{level}"
        return (
            f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{turn}</w:pPr>'
            f'<w:bookmarkStart w:id="{number}" w:name="{anchor}"/><w:r>{text(said)}</w:r><w:bookmarkEnd w:id="{number}"/></w:p>'
        )

    def contents(self) -> str:
        """Return the contents as a field that Word can renew, filled with the headings and the pages that they stand on in print."""
        shown = [entry for entry in self.entries if entry[0] <= self.depth]
        rows = []
        keep = "<w:keepNext/>" if len(shown) <= ONE_PAGE else ""
        pages = heading_pages(replace(self.document, blocks=tuple(map(self.written, self.document.blocks))))
        for place, (level, anchor, said) in enumerate(shown):
            begin = field_begin(f'TOC \\o "1-{self.depth}" \\h \\z \\u') if place == 0 else ""
            number = field_begin(f"PAGEREF {anchor} \\h") + f"<w:r><w:t>{pages[place]}</w:t></w:r>{FIELD_END}"
            link = f'<w:hyperlink w:anchor="{anchor}" w:history="1"><w:r>{text(said)}</w:r>{TAB}{number}</w:hyperlink>'
            rows.append(f'<w:p><w:pPr><w:pStyle w:val="TOC{level}"/>{keep}</w:pPr>{begin}{link}</w:p>')
        end = f'<w:p><w:pPr><w:pStyle w:val="PageTurn"/></w:pPr>{FIELD_END}</w:p>'
        return (
            '<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/><w:docPartUnique/></w:docPartObj></w:sdtPr>'
            f"<w:sdtContent>{paragraph('TOCHeading', self.words['spaced'])}{''.join(rows)}{end}</w:sdtContent></w:sdt>"
        )

    def caption(self, block: Table | Figure, style: str) -> str:
        """Return a caption whose number is a field: 表 1, 图 1."""
        if not self.numbers[block.id]:
            return paragraph(style, one_line(block.title))
        label, number = re.fullmatch(r"(\D+?)\s*(\d+)", self.numbers[block.id]).groups()  # type: ignore[union-attr]
        space = " " if self.document.lang == "en" else ""
        field = f'<w:fldSimple w:instr=" SEQ {label} \\* ARABIC "><w:r><w:t>{number}</w:t></w:r></w:fldSimple>'
        return (
            f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr><w:r>{text(label + space)}</w:r>{field}'
            f"<w:r>{text('  ' + one_line(block.title))}</w:r></w:p>"
        )

    def under(self, block: Table | Figure) -> Iterator[str]:
        """Yield note, basis and source below a table or figure, or the space that stands for them."""
        said = beneath(block)
        for place, (key, line) in enumerate(said):
            space = AFTER if place == len(said) - 1 else "<w:keepNext/>"
            label = f"<w:r><w:rPr><w:b/><w:bCs/></w:rPr>{text(self.words[key])}</w:r>"
            yield f'<w:p><w:pPr><w:pStyle w:val="TableSource"/>{space}</w:pPr>{label}<w:r>{text(one_line(line))}</w:r></w:p>'
        if not said:
            yield paragraph("PageTurn", "", GAP)

    def figure(self, block: Figure) -> str:
        """Return a picture in the line of text, with the text that stands in for it."""
        from docx.image.exceptions import UnrecognizedImageError

        try:
            inline = self.made.part.new_pic_inline(io.BytesIO(block.png))
        except UnrecognizedImageError as error:
            raise ValueError(f"figure {block.id!r}: the picture is not a PNG") from error
        width, height = inline.extent.cx / EMU, inline.extent.cy / EMU
        scale = min(SCALE, UPRIGHT / width, TALLEST / height)
        size = inline.graphic.graphicData.pic.spPr
        inline.extent.cx = size.cx = round(width * scale * EMU)
        inline.extent.cy = size.cy = round(height * scale * EMU)
        self.pictures += 1
        inline.docPr.id = self.pictures
        inline.docPr.set("descr", one_line(block.alt)[:LONGEST_ALT])
        inline.docPr.set("title", one_line(block.title))
        return f'<w:p><w:pPr><w:pStyle w:val="Figure"/></w:pPr><w:r><w:drawing>{inline.xml}</w:drawing></w:r></w:p>'


def beneath(block: Table | Figure) -> list[tuple[str, str]]:
    """Return the lines below a table or figure with the word that each begins with."""
    said = (("note", getattr(block, "note", "")), ("cite", block.cite), ("source", block.source))
    return [(key, line) for key, line in said if line]


def lines(said: str) -> list[str]:
    """Return the lines of a text that has line ends of its own."""
    return [one_line(line) for line in clean(said).split("\n") if line.strip()] or [""]


def paragraph(style: str, said: str, more: str = "") -> str:
    """Return a paragraph of a style; ``more`` are further paragraph properties."""
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{more}</w:pPr>{spoken(said)}</w:p>'


def spoken(said: str, look: str = "") -> str:
    """Return runs of text; a row of underscores is a blank to be filled in by hand, underlined and never broken."""
    made = []
    for piece in re.split("(_{4,})", said):
        line = '<w:u w:val="single"/>' if piece.startswith("____") else ""
        shown = BLANK * len(piece) if line else piece
        if shown or not said:
            made.append(f"<w:r>{f'<w:rPr>{look}{line}</w:rPr>' if look or line else ''}{text(shown)}</w:r>")
    return "".join(made)


def slot(said: str) -> str:
    """Return a place for the office's own words, marked so that nobody overlooks it."""
    look = '<w:rPr><w:highlight w:val="yellow"/></w:rPr>'
    return f'<w:p><w:pPr><w:pStyle w:val="Normal"/></w:pPr><w:r>{look}{text(one_line(said))}</w:r></w:p>'


def field_begin(instruction: str) -> str:
    """Return the opening of a field whose result follows."""
    return (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        f'<w:r><w:instrText xml:space="preserve"> {instruction} </w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    )


def table(block: Table, laid: Laid, none: str) -> str:
    """Return a table: repeated heading row, rows that are not torn, cells by kind."""
    size = min(word.SIZES, key=lambda each: abs(each - laid.fit.size * 10))
    widths = [round(width * 20) for width in laid.fit.widths]
    kept = 0 if laid.fit.height <= WHOLE else len(laid.rows) - 1
    held = range(kept, len(laid.rows) - (not beneath(block)))
    heads = "".join(
        f"<w:tc>{cell_properties(width)}{head(title, unit, size)}</w:tc>"
        for (title, unit), width in zip(laid.heads, widths, strict=True)
    )
    rows = "".join(
        "<w:tr><w:trPr><w:cantSplit/></w:trPr>"
        + "".join(map(cell, row, tones, laid.aligns, widths, [size] * len(row), [k in held] * len(row)))
        + "</w:tr>"
        for k, (row, tones) in enumerate(zip(laid.rows, laid.tones, strict=True))
    )
    if not laid.rows:
        span = f'<w:tcPr><w:tcW w:w="{sum(widths)}" w:type="dxa"/><w:gridSpan w:val="{len(widths)}"/></w:tcPr>'
        rows = f"<w:tr><w:tc>{span}{paragraph(f'TableText{size}', none, CENTRE)}</w:tc></w:tr>"
    return (
        f"{table_start(widths, 'ReviewTable', one_line(block.title))}"
        f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{heads}</w:tr>{rows}</w:tbl>"
    )


def table_start(widths: list[int], style: str, title: str = "") -> str:
    """Return the properties and the grid of a table."""
    named = f"<w:tblCaption w:val={attribute(title)}/>" if title else ""
    first = "1" if title else "0"
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="{style}"/><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        f'<w:tblLayout w:type="fixed"/><w:tblLook w:val="0020" w:firstRow="{first}" w:lastRow="0" w:firstColumn="0" '
        f'w:lastColumn="0" w:noHBand="1" w:noVBand="1"/>{named}</w:tblPr><w:tblGrid>{grid}</w:tblGrid>'
    )


def cell_properties(width: int, more: str = "") -> str:
    """Return a cell's properties."""
    return f'<w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{more}<w:vAlign w:val="center"/></w:tcPr>'


def head(title: str, unit: str, size: int) -> str:
    """Return a heading with its unit on a second line."""
    half = round(size * 0.17)
    look = f'<w:rPr><w:b w:val="0"/><w:bCs w:val="0"/><w:sz w:val="{half}"/><w:szCs w:val="{half}"/></w:rPr>'
    below = f"<w:r>{look}<w:br/>{text(unit)}</w:r>" if unit else ""
    return f'<w:p><w:pPr><w:pStyle w:val="TableHead{size}"/><w:keepNext/>{CENTRE}</w:pPr><w:r>{text(title)}</w:r>{below}</w:p>'


def cell(said: str, tone: str, align: str, width: int, size: int, keep: bool) -> str:
    """Return one cell; a tone gets a sign and a colour."""
    look = f'<w:b/><w:bCs/><w:color w:val="{INKS[tone]}"/>' if tone else ""
    shown = f"{SIGNS[tone]} {said}" if tone else said
    kept = "<w:keepNext/>" if keep else ""
    return (
        f'<w:tc>{cell_properties(width)}<w:p><w:pPr><w:pStyle w:val="TableText{size}"/>{kept}<w:jc w:val="{align}"/></w:pPr>'
        f"{spoken(shown, look)}</w:p></w:tc>"
    )


def meta(rows: list[list[tuple[str, str]]], colon: str) -> str:
    """Return the title block: two entries to a row, long ones across."""
    half = round(UPRIGHT * 10)
    start = table_start([half, half], "TableNormal").replace("<w:tblLayout", BANDS + "<w:tblLayout")
    made = []
    for row in rows:
        wide = cell_properties(2 * half, BOTH) if len(row) == 1 else cell_properties(half)
        cells = [f"<w:tc>{wide}{entry(label + colon, value)}</w:tc>" for label, value in row]
        made.append(f"<w:tr>{''.join(cells)}</w:tr>")
    return start + "".join(made) + "</w:tbl>" + paragraph("PageTurn", "", GAP)


def entry(label: str, value: str) -> str:
    """Return one entry of the title block."""
    said = f'<w:r><w:rPr><w:color w:val="55606C"/></w:rPr>{text(label)}</w:r><w:r>{text(value)}</w:r>'
    return f'<w:p><w:pPr><w:pStyle w:val="Meta"/></w:pPr>{said}</w:p>'


def key_figures(block: KeyFigures) -> str:
    """Return the key figures as a table of cards."""
    across = cards_across(block)
    width = round(UPRIGHT * 20 / across)
    cards = [card(item, width) for item in block.items]
    cards += [f"<w:tc>{cell_properties(width)}{EMPTY}</w:tc>"] * (-len(cards) % across)
    rows = ["".join(cards[k : k + across]) for k in range(0, len(cards), across)]
    start = table_start([width] * across, "TableNormal")
    return (
        start
        + "".join(f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{row}</w:tr>" for row in rows)
        + "</w:tbl>"
        + paragraph("PageTurn", "", GAP)
    )


def card(item: Any, width: int) -> str:
    """Return one key figure: label, value with sign and unit, line below."""
    look = f'<w:color w:val="{INKS[item.tone]}"/>' if item.tone in INKS else ""
    sign = SIGNS[item.tone] + " " if item.tone in SIGNS else ""
    value = f"<w:r><w:rPr>{look}</w:rPr>{text(sign + one_line(item.value))}</w:r>"
    unit = (
        f'<w:r><w:rPr><w:b w:val="0"/><w:bCs w:val="0"/>{SMALL}</w:rPr>{text(" " + one_line(item.unit))}</w:r>'
        if item.unit
        else ""
    )
    below = paragraph("KeyNote", one_line(item.note)) if item.note else ""
    return (
        f"<w:tc>{cell_properties(width, CARD)}{paragraph('KeyLabel', one_line(item.label))}"
        f'<w:p><w:pPr><w:pStyle w:val="KeyValue"/></w:pPr>{value}{unit}</w:p>{below}</w:tc>'
    )


ABOVE = '<w:spacing w:before="560" w:line="560" w:lineRule="exact"/>'
FIELD_END = '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
TAB = "<w:r><w:tab/></w:r>"
BOTH = '<w:gridSpan w:val="2"/>'
AFTER = '<w:spacing w:before="40" w:after="200" w:line="240" w:lineRule="auto"/>'
GAP = '<w:spacing w:before="0" w:after="0" w:line="160" w:lineRule="exact"/>'
CENTRE = '<w:jc w:val="center"/>'
EMPTY = '<w:p><w:pPr><w:pStyle w:val="Meta"/></w:pPr></w:p>'
SMALL = '<w:sz w:val="21"/><w:szCs w:val="21"/>'
CARD = (
    '<w:tcBorders><w:top w:val="single" w:sz="10" w:space="0" w:color="111418"/>'
    '<w:left w:val="single" w:sz="24" w:space="0" w:color="FFFFFF"/>'
    '<w:bottom w:val="single" w:sz="4" w:space="0" w:color="8A949E"/>'
    '<w:right w:val="single" w:sz="24" w:space="0" w:color="FFFFFF"/></w:tcBorders>'
    '<w:shd w:val="clear" w:color="auto" w:fill="F4F6F8"/>'
)
BANDS = (
    '<w:tblBorders><w:top w:val="single" w:sz="6" w:space="0" w:color="8A949E"/>'
    '<w:bottom w:val="single" w:sz="6" w:space="0" w:color="8A949E"/></w:tblBorders>'
)
