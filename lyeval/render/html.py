"""A document as one self-contained HTML file: no outside request, readable on a phone and in print, light and dark."""

from __future__ import annotations

import base64
import colorsys
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from lyeval.render.blocks import Block, Cell, Column, Document, Figure, Heading, Lang, Table, Text, captions, filled
from lyeval.render.glyphs import clean
from lyeval.render.numbers import format_value, plain, told
from lyeval.render.paging import SIGNS

HERE = Path(__file__).resolve().parent
ENLARGED = 1.35  # a wide screen shows a figure this much larger than on paper, no more
SHORT = 6  # characters that stay on one line
TRACED_CELLS = 600  # a larger table names its rows' ids and its columns' fields instead of each cell's id
FEW_ROWS = 14  # a table that is not broken over pages
DARKEST, LIGHTEST = 0.1, 0.92  # of a figure drawn on a dark page: its ground, and its ink
NUMERIC = ("number", "percent", "count")


def to_html(document: Document) -> str:
    """Return the document as one HTML page with styles, pictures and script inside.

    All text is escaped. A content security policy forbids every request and every script but the page's own (by hash),
    so even a mistake in escaping could run nothing.
    """
    from markupsafe import Markup

    document = filled(document)
    sortable = any(isinstance(block, Table) and block.sortable for block in document.blocks)
    script = _file("table.js") if sortable else ""
    parts = _parts(document)
    contents = [part | {"text": part["block"].text} for part in parts if part.get("level", 9) <= 2]
    return _template().render(
        doc=document,
        lang=document.lang,
        words=told(document.lang),
        signs=SIGNS,
        parts=parts,
        contents=contents,
        first=[part["anchor"] for part in contents if part["level"] == 1][1:2],
        style=Markup(_squeeze(_file("style.css")) + _running(document.watermark) + _dark(parts)),
        script=Markup(script),
        policy=_policy(script),
        said=_said,
    )


def _said(text: str) -> Any:
    """Return a text with each of its figures under the id of the cell that it is."""
    from markupsafe import Markup, escape

    if not isinstance(text, Text) or not text.marks:
        return text
    pieces = ((escape(clean(piece)), escape(id)) for piece, id in text.pieces())
    return Markup("").join(
        Markup('<span data-id="{}">{}</span>').format(id, piece) if id else piece for piece, id in pieces
    )


def _parts(document: Document) -> list[dict[str, Any]]:
    """Prepare each block for the template: anchors, numbers, formatted cells, clean pictures."""
    numbers = captions(document.blocks, document.lang)
    parts: list[dict[str, Any]] = []
    level = 0
    for place, block in enumerate(document.blocks):
        part: dict[str, Any] = {"block": block, "kind": type(block).__name__, "anchor": _anchor(block, place)}
        if isinstance(block, Heading):
            level = min(block.level, level + 1, 3)
            part["level"] = level
        elif isinstance(block, Table):
            part |= {"number": numbers[block.id], "rows": _cells(block, document.lang)}
            part["heads"] = [_head_css(column) for column in block.columns]
            part["few"] = len(block.rows) <= FEW_ROWS
            part["refs"] = block.refs if len(block.rows) * len(block.columns) > TRACED_CELLS else ()
        elif isinstance(block, Figure):
            part |= {"number": numbers[block.id]} | _picture(block, f"f{place}-")
        parts.append(part)
    return parts


def _anchor(block: Block, place: int) -> str:
    """Return the fragment name of a block: its own id for tables and figures."""
    name = re.sub(r"[^\w-]", "-", block.id) if isinstance(block, Table | Figure) else f"{place}"
    return f"{type(block).__name__.lower()}-{name}"


def _cells(table: Table, lang: Lang) -> list[list[dict[str, str]]]:
    """Write a table's values: text, style class and tone of each cell."""
    short = len(table.rows) * len(table.columns) <= TRACED_CELLS
    refs = table.refs if table.refs and short else ("",) * len(table.rows)
    fields = table.fields or ("",) * len(table.columns)
    kinds = {"number": "n", "percent": "n", "count": "n", "date": "d", "flag": "d", "text": ""}
    return [
        [
            {
                "text": format_value(column, value, lang),
                "css": kinds[column.kind] or _text_css(value, format_value(column, value, lang)),
                "tone": value.tone if isinstance(value, Cell) and value.tone in SIGNS else "",
                "id": f"{ref}/{field}" if ref and field else "",
            }
            for column, field, value in zip(table.columns, fields, row, strict=True)
        ]
        for ref, row in zip(refs, table.rows, strict=True)
    ]


def _head_css(column: Column) -> str:
    """Return the style of a column's heading."""
    return " ".join(["n"] * (column.kind in NUMERIC) + ["s"] * (len(column.title) <= SHORT))


def _text_css(value: Any, text: str) -> str:
    """Return the style of a text column's cell: numbers flush right, short words unbroken."""
    bare = plain(value)
    if isinstance(bare, int | float) and not isinstance(bare, bool):
        return "n"
    return "s" if len(text) <= SHORT else ""


def _picture(figure: Figure, prefix: str) -> dict[str, Any]:
    """Make an SVG fit to stand inside a page: no prolog, ids of its own, width left to the style sheet."""
    from markupsafe import Markup

    start = figure.svg.find("<svg")
    if start < 0 or re.search(r"<(script|foreignObject|image)\b|\bon\w+\s*=", figure.svg, re.IGNORECASE):
        raise ValueError(f"figure {figure.id!r}: not a plain SVG drawing")
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style\b.*?</style>", "", figure.svg[start:], flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)
    head, rest = svg.split(">", 1)
    found = re.search(r'viewBox="\S+ \S+ (\S+) \S+"', head)
    head = re.sub(r'\s(width|height)="[^"]*"', "", head)
    rest = re.sub(r'(?<=\s)(fill|stroke)="(#[0-9a-f]{6})"', r'style="\1: \2"', rest)
    rest = re.sub(r"#([0-9a-f]{6})\b", r"var(--c\1,#\1)", rest)
    width = round(float(found.group(1)) * ENLARGED * 96 / 72) if found else 800
    return {"svg": Markup(f'{head} aria-hidden="true" focusable="false">{rest}'), "width": width}


def _dark(parts: Sequence[Mapping[str, Any]]) -> str:
    """Return the rule by which figures are drawn light on dark: each colour of theirs with its lightness turned over."""
    drawn = sorted({code for part in parts for code in re.findall(r"var\(--c([0-9a-f]{6}),", str(part.get("svg", "")))})
    if not drawn:
        return ""
    turned = "".join(f"--c{code}:#{_turned(code)};" for code in drawn)
    return f"\n@media screen and (prefers-color-scheme: dark) {{ .pic {{ {turned} }} }}"


def _turned(code: str) -> str:
    """Return a colour of the same hue, as light as the given one is dark: white becomes the dark page's paper, black its ink."""
    hue, light, full = colorsys.rgb_to_hls(*(int(code[k : k + 2], 16) / 255 for k in (0, 2, 4)))
    light = DARKEST + (LIGHTEST - DARKEST) * (1 - light)
    return "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, light, full))


def _policy(script: str) -> str:
    """Return the content security policy that allows the page's own script and nothing from outside."""
    allowed = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    if script:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        allowed += f"; script-src 'sha256-{digest}'"
    return allowed


def _running(notice: str) -> str:
    """Return the page rule that prints a notice in the top margin of every page, each character escaped."""
    if not notice:
        return ""
    text = "".join(f"\\{ord(c):x} " for c in notice)
    return f'\n@page {{ @top-center {{ content: "{text}"; font: 8.5pt sans-serif; color: #7a5c00; }} }}'


def _squeeze(css: str) -> str:
    """Drop comments and line breaks of a style sheet."""
    return re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)).strip()


@lru_cache(maxsize=4)
def _file(name: str) -> str:
    """Read a file that stands beside this module."""
    return (HERE / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _template() -> Any:
    """Compile the page's template, escaping on."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_plain
    )
    return environment.from_string(_file("template.html"))


def _plain(value: object) -> object:
    """Leave control and direction marks out of text, which would rearrange the line it stands in; markup of ours stays."""
    return clean(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
