"""The year-end evaluation as one document: title block, key figures, sections in their fixed order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lyeval.render import Bullets, Document, KeyFigures, Note, Paragraph, Text
from lyeval.render.blocks import Block, Lang
from lyeval.report.context import Context
from lyeval.report.filling import thing
from lyeval.report.words import coded, day, known, phrase, word
from lyeval.report.year_end import year_end_blocks


def build_report(tables: Mapping[str, Any], *, lang: Lang = "zh") -> Document:
    """Build the year-end evaluation (年终评估报告) from a run's tables alone.

    Parameters
    ----------
    tables
        As `load` gives them: at least those of `assessment_tables`. ``run`` (a dict) may hold title, report_date, seed; ``versions`` (a frame)
        component and version.
    lang
        zh or en.
    """
    c = Context(tables, lang)
    blocks = year_end_blocks(c)
    blocks = blocks if lang == "zh" else [_capital(block) for block in blocks]
    return Document(title(c), subtitle(c), tuple(title_block(c)), tuple(blocks), lang, notice(c), footer(c))


def _capital(block: Block) -> Block:
    """Begin English sentences with a capital: they may begin with a label."""
    if isinstance(block, Paragraph | Note):
        return replace(block, text=_upper(block.text))
    if isinstance(block, Bullets):
        return replace(block, items=tuple(_upper(item) for item in block.items))
    if isinstance(block, KeyFigures):
        return KeyFigures(tuple(f._replace(label=_upper(f.label)) for f in block.items))
    return block


def _upper(text: str) -> str:
    """Return a text with a capital first, its figures marked as they were."""
    first = text[:1].upper()
    return Text(first + text[1:], getattr(text, "marks", ())) if len(first) == 1 else text


def title(c: Context) -> str:
    """Return the report's title, or the one that the run gives it."""
    given = c.value("run").get("title")
    if known(given) and given:
        return str(given)
    return phrase("title", c.lang, place=c.place, year=c.year, thing=thing(c))


def subtitle(c: Context) -> str:
    """Name the plan that the year is judged by."""
    plan = c.meta["policy_title_en" if c.lang == "en" else "policy_title"]
    return phrase("subtitle", c.lang, plan=plan, number=c.meta["document"])


def title_block(c: Context) -> list[tuple[str, str]]:
    """Return the lines of the title block: place, year, plan, readings, cut-off, how final, date."""
    meta, lang = c.meta, c.lang
    others = len(meta["other_readings"])
    final = meta["final"]
    values = {
        "place": c.place,
        "year": str(c.year),
        "document": str(meta["document"]),
        "readings": phrase("readings_in_force", lang, n=others),
        "cutoff": day(meta["cutoff"], lang),
        "final": word(final, lang) if known(final) else coded("cell", "unsaid", lang),
    }
    date = c.value("run").get("report_date")
    if known(date) and date:
        values["date"] = day(date, lang)
    return [(coded("line", k, lang), v) for k, v in values.items()]


def notice(c: Context) -> str:
    """Return the notice of every page: that the data are made."""
    note = c.meta["synthetic"]
    return "" if not known(note) or not note else (str(note) if c.lang == "zh" else phrase("synthetic", c.lang))


def footer(c: Context) -> str:
    """Return the last line: what the report is and is not."""
    return phrase("footer", c.lang)
