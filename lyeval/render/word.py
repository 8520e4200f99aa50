"""A blank Word document by GB/T 9704: styles, numbering, page sections, headers and footers, and its equal bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from lyeval.render.blocks import Lang
from lyeval.textfiles import read_yaml

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
    _replace(document.settings.element, _told()["settings"])
    _replace(document.part.numbering_part.element, _told()["numbering"].format_map(PIECES))
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
            (footer, "Footer", _told()["page_number"]),
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
    told, tag = _told(), "en-US" if lang == "zh" else "en-GB"
    rows = [_style(*row) for row in told["styles"]]
    for id, name, key in (("TableText", "Table Text", "table_text"), ("TableHead", "Table Head", "table_head")):
        paragraph, run = told[key]
        rows += [
            _style(f"{id}{size}", f"{name} {size / 10:g}", "Normal", paragraph, f"{run}{{size_{round(size / 5)}}}")
            for size in SIZES
        ]
    made = f"<w:docDefaults>{told['defaults']}</w:docDefaults>{''.join(rows)}{told['other_styles']}"
    made = made.format_map(PIECES).replace("TAG", tag, 1)
    for chinese, english in told["english"] if lang == "en" else ():
        made = made.replace(chinese.format_map(PIECES), english.format_map(PIECES))
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


@cache
def _told() -> dict[str, Any]:
    """Return ``word.yaml``."""
    return read_yaml(Path(__file__).with_name("word.yaml"))[0]


class _Pieces(dict[str, str]):
    """The pieces of ``word.yaml`` by name; ``flat_20_20`` is the piece ``flat`` with two numbers put in."""

    def __missing__(self, key: str) -> str:
        """Make a piece, once."""
        name, *numbers = key.split("_")
        piece = _told()["pieces"][name]
        self[key] = _told()["pieces"]["fonts"].format(*piece) if isinstance(piece, list) else piece.format(*numbers)
        return self[key]


PIECES = _Pieces()
STANDARD = {"title": "方正小标宋简体", "body": "仿宋_GB2312", "heading1": "黑体", "heading2": "楷体_GB2312"}
SIZES = (65, 70, 80, 90, 105)  # tenths of a point
TAGS = {"zh": "zh-CN", "en": "en-GB"}
