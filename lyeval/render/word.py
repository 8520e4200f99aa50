"""A blank Word document by GB/T 9704: styles, numbering, page sections, headers and footers, and its equal bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import date, datetime
from html import escape
from typing import Any

from lyeval.render.blocks import Lang

NS = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
MARGINS = {  # twentieths of a point: top, right, bottom, left, header, footer (37, 26, 35, 28 mm upright)
    False: (2098, 1474, 1984, 1588, 1134, 1190),
    True: (1588, 2098, 1474, 1984, 850, 800),
}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip file can hold
TYPE = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}type"
UNWANTED = ("stylesWithEffects", "customXml", "thumbnail")


def blank(title: str, subject: str, *, lang: Lang, created: date | None, names: Mapping[str, str] | None = None) -> Any:
    """Return a python-docx document with the house's styles and settings, no text, and its properties set."""
    import docx

    document: Any = docx.Document()
    for rels in (document.part.rels, document.part.package.rels):
        for key in [key for key, rel in rels.items() if rel.reltype.rsplit("/", 1)[-1] in UNWANTED]:
            del rels[key]
    _replace(document.styles.element, _styles(lang, names or {}), keep="latentStyles")
    _replace(document.settings.element, SETTINGS)
    _replace(document.part.numbering_part.element, NUMBERING)
    _properties(document.core_properties, title, subject, lang, created)
    return document


def _properties(core: Any, title: str, subject: str, lang: Lang, created: date | None) -> None:
    """Set the document's properties; without a date none is stored."""
    core.title, core.subject, core.language = title[:255], subject[:255], TAGS[lang]
    core.author = core.last_modified_by = core.comments = ""
    if created is None:
        for element in list(core._element):
            if element.tag.endswith(("}created", "}modified")):
                core._element.remove(element)
    else:
        core.created = core.modified = datetime(created.year, created.month, created.day)


def _replace(element: Any, xml: str, keep: str = "") -> None:
    """Put other children into the root element of a part."""
    from docx.oxml import parse_xml

    kept = [child for child in element if keep and child.tag.endswith("}" + keep)]
    for child in list(element):
        element.remove(child)
    made = list(parse_xml(f"<w:root {NS}>{xml}</w:root>"))
    for child in [*made[:1], *kept, *made[1:]]:
        element.append(child)


def add_list(document: Any) -> int:
    """Add a numbered list that begins at 1, and return its number."""
    from docx.oxml import parse_xml

    numbering = document.part.numbering_part.element
    number = len(numbering.findall("{*}num")) + 1
    start = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    numbering.append(parse_xml(f'<w:num {NS} w:numId="{number}"><w:abstractNumId w:val="1"/>{start}</w:num>'))
    return number


def furnish(document: Any, notice: str) -> str:
    """Write headers and footers of odd and even pages, and return their references for every section."""
    from docx.oxml import parse_xml

    section = document.sections[0]
    sides = ((section.header, section.footer, "right"), (section.even_page_header, section.even_page_footer, "left"))
    for header, footer, side in sides:
        for part, style, content in (
            (header, "Header", f"<w:r>{text(notice)}</w:r>" if notice else ""),
            (footer, "Footer", PAGE_NUMBER),
        ):
            part.is_linked_to_previous = False
            for child in list(part._element):
                part._element.remove(child)
            aligned = f'<w:jc w:val="{side}"/>' if style == "Footer" else ""
            part._element.append(
                parse_xml(f'<w:p {NS}><w:pPr><w:pStyle w:val="{style}"/>{aligned}</w:pPr>{content}</w:p>')
            )
    kept = sorted((c for c in section._sectPr if c.tag.endswith("Reference")), key=lambda c: c.tag, reverse=True)
    return "".join(
        f'<w:{child.tag.rsplit("}", 1)[1]} w:type="{child.get(TYPE)}" r:id="{child.rId}"/>' for child in kept
    )


def section(references: str, across: bool) -> str:
    """Return the properties of a section: A4, upright or turned, GB/T 9704 margins."""
    top, right, bottom, left, header, footer = MARGINS[across]
    size = 'w:w="16838" w:h="11906" w:orient="landscape"' if across else 'w:w="11906" w:h="16838"'
    return (
        f'<w:sectPr>{references}<w:type w:val="nextPage"/><w:pgSz {size}/>'
        f'<w:pgMar w:top="{top}" w:right="{right}" w:bottom="{bottom}" w:left="{left}" '
        f'w:header="{header}" w:footer="{footer}" w:gutter="0"/><w:cols w:space="425"/>'
        '<w:docGrid w:linePitch="312"/></w:sectPr>'
    )


def text(said: str) -> str:
    """Return a text element; nothing in it is read as markup."""
    return f'<w:t xml:space="preserve">{escape(said, quote=False)}</w:t>'


def attribute(said: str) -> str:
    """Return a quoted attribute value."""
    return f'"{escape(said)}"'


def packed(document: Any) -> bytes:
    """Return the file's bytes: members in one order, without the moment of packing."""
    raw, out = io.BytesIO(), io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        first = ("[Content_Types].xml", "_rels/.rels")
        for name in [*first, *sorted(set(source.namelist()) - set(first))]:
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type, info.create_system, info.external_attr = zipfile.ZIP_DEFLATED, 0, 0
            target.writestr(info, source.read(name))
    return out.getvalue()


def _styles(lang: Lang, names: Mapping[str, str]) -> str:
    """Return the document's defaults and styles."""
    rows = [_style(*row) for row in STYLES]
    rows += [_style(f"TableText{size}", f"Table Text {size / 10:g}", "Normal", *_cell(size, FANG)) for size in SIZES]
    rows += [_style(f"TableHead{size}", f"Table Head {size / 10:g}", "Normal", *_cell(size, HEI)) for size in SIZES]
    tag = f'<w:lang w:val="{"en-US" if lang == "zh" else "en-GB"}" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
    defaults = f"<w:rPrDefault><w:rPr>{FANG}{_size(32)}{tag}</w:rPr></w:rPrDefault><w:pPrDefault/>"
    made = f"<w:docDefaults>{defaults}</w:docDefaults>" + "".join(rows) + FIXED_STYLES
    for chinese, english in ENGLISH if lang == "en" else ():
        made = made.replace(chinese, english)
    for role, name in names.items():
        made = made.replace(f'w:eastAsia="{STANDARD[role]}"', f"w:eastAsia={attribute(name)}")
    return made


def _style(id: str, name: str, based: str, paragraph: str, run: str) -> str:
    """Return one paragraph style."""
    default = ' w:default="1"' if id == "Normal" else ""
    base = f'<w:basedOn w:val="{based}"/>' if based else ""
    after = '<w:next w:val="Normal"/>' if id.startswith(("Heading", "Title", "Subtitle")) else ""
    return (
        f'<w:style w:type="paragraph"{default} w:styleId="{id}"><w:name w:val="{name}"/>{base}{after}<w:qFormat/>'
        f"<w:pPr>{paragraph}</w:pPr><w:rPr>{run}</w:rPr></w:style>"
    )


def _fonts(east: str, west: str) -> str:
    """Return a font for Chinese and one for other scripts."""
    return f'<w:rFonts w:ascii="{west}" w:hAnsi="{west}" w:eastAsia="{east}" w:cs="{west}"/>'


def _size(half_points: int) -> str:
    """Return a type size."""
    return f'<w:sz w:val="{half_points}"/><w:szCs w:val="{half_points}"/>'


def _cell(size: int, fonts: str) -> tuple[str, str]:
    """Return paragraph and run properties of a table's text of a size in tenths of a point."""
    bold = "<w:b/><w:bCs/>" if fonts == HEI else ""
    half = round(size / 5)
    return FLAT.format(before=20, after=20) + FLUSH, fonts + bold + _size(half)


FANG = _fonts("仿宋_GB2312", "Times New Roman")
HEI = _fonts("黑体", "Arial")
KAI = _fonts("楷体_GB2312", "Times New Roman")
SONG = _fonts("宋体", "Times New Roman")
BIAO = _fonts("方正小标宋简体", "Times New Roman")
STANDARD = {"title": "方正小标宋简体", "body": "仿宋_GB2312", "heading1": "黑体", "heading2": "楷体_GB2312"}
BOLD = "<w:b/><w:bCs/>"
LINES = '<w:spacing w:before="{before}" w:after="{after}" w:line="560" w:lineRule="exact"/>'
FLAT = '<w:snapToGrid w:val="0"/><w:spacing w:before="{before}" w:after="{after}" w:line="240" w:lineRule="auto"/>'
FLUSH = '<w:ind w:firstLineChars="0" w:firstLine="0"/>'
TWO = '<w:ind w:firstLineChars="200" w:firstLine="640"/>'
CENTRE = '<w:jc w:val="center"/>'
LEFT = '<w:jc w:val="left"/>'
KEEP = "<w:keepNext/><w:keepLines/>"
SIZES = (65, 70, 80, 90, 105)  # tenths of a point
SOFT, NOTICE = '<w:color w:val="55606C"/>', '<w:color w:val="7A5C00"/>'
TAGS = {"zh": "zh-CN", "en": "en-GB"}
HANGING = '<w:ind w:left="1120" w:firstLineChars="0" w:hanging="480"/>'
INSIDE = '<w:ind w:left="280" w:right="280" w:firstLineChars="0" w:firstLine="0"/>'
THIN = '<w:snapToGrid w:val="0"/><w:spacing w:before="0" w:after="0" w:line="20" w:lineRule="exact"/>'
ZERO = LINES.format(before=0, after=0)
RULE = '<w:pBdr><w:left w:val="single" w:sz="20" w:space="6" w:color="{colour}"/></w:pBdr><w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>'
NOTE = FLAT.format(before=120, after=120) + '<w:ind w:left="160" w:firstLineChars="0" w:firstLine="0"/>'
ENTRY = '<w:tabs><w:tab w:val="right" w:leader="dot" w:pos="8845"/></w:tabs>' + FLAT.format(before=60, after=60)
CLOSE = '<w:spacing w:before="0" w:after="0" w:line="440" w:lineRule="exact"/><w:ind w:firstLineChars="200" w:firstLine="560"/>'
SIGNED = '<w:ind w:right="1280" w:firstLineChars="0" w:firstLine="0"/>'
TOP = '<w:pBdr><w:top w:val="single" w:sz="4" w:space="4" w:color="8A949E"/></w:pBdr>'
STYLES = (  # id, name, based on, paragraph, run; in the order that the schema asks for
    ("Normal", "Normal", "", "<w:widowControl/>" + ZERO + TWO + '<w:jc w:val="both"/>', FANG + _size(32)),
    ("Close", "Close", "Normal", CLOSE, _size(28)),
    ("Flush", "Flush", "Normal", ZERO + FLUSH + LEFT, ""),
    ("Signed", "Signed", "Normal", ZERO + SIGNED + '<w:jc w:val="right"/>', ""),
    ("Title", "Title", "Normal", KEEP + '<w:spacing w:before="0" w:after="240" w:line="640" w:lineRule="exact"/>' + FLUSH + CENTRE, BIAO + _size(44)),
    ("Subtitle", "Subtitle", "Normal", LINES.format(before=0, after=200) + FLUSH + CENTRE, KAI + _size(32)),
    ("Heading1", "heading 1", "Normal", KEEP + ZERO + TWO + LEFT + '<w:outlineLvl w:val="0"/>', HEI + _size(32)),
    ("Heading2", "heading 2", "Normal", KEEP + ZERO + TWO + LEFT + '<w:outlineLvl w:val="1"/>', KAI + BOLD + _size(32)),
    ("Heading3", "heading 3", "Normal", KEEP + ZERO + TWO + LEFT + '<w:outlineLvl w:val="2"/>', FANG + BOLD + _size(32)),
    ("Caption", "caption", "Normal", KEEP + FLAT.format(before=240, after=80) + FLUSH + CENTRE, HEI + BOLD + _size(24)),
    ("FigureCaption", "Figure Caption", "Caption", '<w:keepNext w:val="0"/>' + FLAT.format(before=60, after=60), ""),
    ("Figure", "Figure", "Normal", "<w:keepNext/>" + FLAT.format(before=240, after=0) + FLUSH + CENTRE, ""),
    ("TableSource", "Table Source", "Normal", FLAT.format(before=40, after=0) + FLUSH + LEFT, SONG + SOFT + _size(18)),
    ("Meta", "Meta", "Normal", FLAT.format(before=60, after=60) + FLUSH + LEFT, FANG + _size(24)),
    ("KeyLabel", "Key Label", "Normal", FLAT.format(before=60, after=0) + FLUSH + LEFT, HEI + SOFT + _size(21)),
    ("KeyValue", "Key Value", "Normal", FLAT.format(before=20, after=20) + FLUSH + LEFT, HEI + BOLD + _size(44)),
    ("KeyNote", "Key Note", "Normal", FLAT.format(before=0, after=60) + FLUSH + LEFT, SONG + SOFT + _size(18)),
    ("Note", "Note", "Normal", RULE.format(colour="8A949E", fill="F4F6F8") + NOTE, FANG + _size(24)),
    ("NoteOpen", "Note Open", "Note", RULE.format(colour="5D5346", fill="F2EDE3"), ""),
    ("NoteGood", "Note Good", "Note", RULE.format(colour="0A5A9C", fill="E4F0FA"), ""),
    ("NoteBad", "Note Bad", "Note", RULE.format(colour="A83208", fill="FDECE4"), ""),
    ("ListBullet", "List Bullet", "Normal", '<w:numPr><w:numId w:val="1"/></w:numPr>' + ZERO + HANGING, ""),
    ("ListNumber", "List Number", "Normal", '<w:numPr><w:numId w:val="2"/></w:numPr>' + ZERO + HANGING, ""),
    ("TOCHeading", "TOC Heading", "Normal", KEEP + LINES.format(before=480, after=240) + FLUSH + CENTRE, HEI + _size(36)),
    ("TOC1", "toc 1", "Normal", ENTRY + FLUSH + LEFT, BOLD + _size(24)),
    ("TOC2", "toc 2", "Normal", ENTRY + '<w:ind w:left="360" w:firstLineChars="0" w:firstLine="0"/>' + LEFT, _size(24)),
    ("Header", "header", "Normal", FLAT.format(before=0, after=0) + FLUSH + CENTRE, HEI + NOTICE + _size(16)),
    ("Footer", "footer", "Normal", FLAT.format(before=0, after=0) + INSIDE, SONG + _size(28)),
    ("LastLine", "Last Line", "TableSource", TOP + FLAT.format(before=360, after=0), ""),
    ("PageTurn", "Page Turn", "Normal", THIN + FLUSH, _size(2)),
)  # fmt: skip
ENGLISH = (  # twelve points on eighteen, headings flush and bold
    (_size(32), _size(24)),
    (KEEP + ZERO + TWO + LEFT, KEEP + LINES.format(before=200, after=60) + FLUSH + LEFT),
    ('w:line="560"', 'w:line="360"'),
    (TWO, '<w:ind w:firstLine="480"/>'),
    ('w:line="440"', 'w:line="320"'),
    ('w:firstLine="560"/></w:pPr><w:rPr>' + _size(28), 'w:firstLine="440"/></w:pPr><w:rPr>' + _size(22)),
    (HEI + _size(24), HEI + BOLD + _size(24)),
)
BORDERS = "".join(
    f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="8A949E"/>'
    for side in ("top", "left", "bottom", "right", "insideH", "insideV")
)
CELLS = '<w:tblCellMar><w:left w:w="70" w:type="dxa"/><w:right w:w="70" w:type="dxa"/></w:tblCellMar>'
FIXED_STYLES = (
    '<w:style w:type="character" w:default="1" w:styleId="DefaultParagraphFont"><w:name w:val="Default Paragraph Font"/></w:style>'
    '<w:style w:type="table" w:default="1" w:styleId="TableNormal"><w:name w:val="Normal Table"/>'
    f'<w:tblPr><w:tblInd w:w="0" w:type="dxa"/>{CELLS}</w:tblPr></w:style>'
    '<w:style w:type="table" w:styleId="ReviewTable"><w:name w:val="Review Table"/><w:basedOn w:val="TableNormal"/>'
    f'<w:tblPr><w:tblBorders>{BORDERS}</w:tblBorders>{CELLS}</w:tblPr><w:tblStylePr w:type="firstRow">'
    '<w:tcPr><w:shd w:val="clear" w:color="auto" w:fill="F4F6F8"/></w:tcPr></w:tblStylePr></w:style>'
    '<w:style w:type="numbering" w:default="1" w:styleId="NoList"><w:name w:val="No List"/></w:style>'
)
PAGE_NUMBER = (
    '<w:r><w:t xml:space="preserve">— </w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    '<w:r><w:instrText xml:space="preserve"> PAGE </w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>'
    '<w:r><w:t>1</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r><w:r><w:t xml:space="preserve"> —</w:t></w:r>'
)
SETTINGS = (
    '<w:zoom w:percent="100"/><w:evenAndOddHeaders/><w:defaultTabStop w:val="420"/>'
    '<w:characterSpacingControl w:val="compressPunctuation"/><w:compat>'
    '<w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat>'
    '<w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/><w:decimalSymbol w:val="."/><w:listSeparator w:val=","/>'
)
LEVEL = (
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{sign}"/><w:lvlJc w:val="left"/>'
    '<w:pPr><w:ind w:left="1120" w:hanging="480"/></w:pPr>{run}</w:lvl>'
)
NUMBERING = "".join(
    f'<w:abstractNum w:abstractNumId="{k}"><w:multiLevelType w:val="singleLevel"/>{level}</w:abstractNum>'
    for k, level in enumerate(
        (
            LEVEL.format(form="bullet", sign="■", run=f"<w:rPr>{SONG}{_size(18)}</w:rPr>"),
            LEVEL.format(form="decimal", sign="%1.", run=""),
        )
    )
) + "".join(f'<w:num w:numId="{k}"><w:abstractNumId w:val="{k - 1}"/></w:num>' for k in (1, 2))
