"""The figures of the report's sentences: an id for each, the sentence it stands in, and the tables' figures that print so (追溯).

An id is the sentence's, as the page carries it, and the figure's place in it: ``text/2/1/3`` is the third figure of the first
text of the second section.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lyeval.render import Bullets, Document, Note, Paragraph, sentence_ids
from lyeval.report.tracing import find

FIGURE = re.compile(r"[-−+]?\d[\d,]*(?:\.\d+)?[%％]?")


@dataclass(frozen=True)
class Spoken:
    """A figure within a sentence.

    Attributes
    ----------
    id, printed, sentence
        Its id, how it is written, and where.
    found
        Ids of the tables' figures that print so, an enterprise's only where the sentence names it; none: a year, a clause, a
        figure that the plan or the run gives, or a count of the enterprise table's rows.
    """

    id: str
    printed: str
    sentence: str
    found: tuple[str, ...]


def sentences(document: Document) -> dict[str, str]:
    """Return every running text of a document by its id."""
    told: dict[str, str] = {}
    for ids, block in zip(sentence_ids(document.blocks), document.blocks, strict=True):
        texts = (
            block.items if isinstance(block, Bullets) else (block.text,) if isinstance(block, Paragraph | Note) else ()
        )
        told |= dict(zip(ids, texts, strict=True))
    return told


def figures(text: str) -> list[str]:
    """Return the figures of a sentence as they are written, in order."""
    return [found.group() for found in FIGURE.finditer(text)]


def spoken_ids(document: Document) -> list[str]:
    """Return the id of every figure of every sentence."""
    told = sentences(document)
    return [f"{id}/{place}" for id, text in told.items() for place in range(1, len(figures(text)) + 1)]


def spoken(document: Document, tables: Mapping[str, Any], id: str) -> Spoken:
    """Return one figure of a sentence, with the tables' figures that print so.

    Raises
    ------
    KeyError
        No figure has this id.
    """
    head, _, place = id.rpartition("/")
    text = sentences(document).get(head)
    written = [] if text is None else figures(text)
    if text is None or not place.isdigit() or not 1 <= int(place) <= len(written):
        raise KeyError(id)
    printed = written[int(place) - 1]
    found = tuple(one for one in find(tables, printed.lstrip("+")) if _meant(one, text, tables))
    return Spoken(id, printed, text, found)


def _meant(id: str, text: str, tables: Mapping[str, Any]) -> bool:
    """Tell whether a sentence may mean a table's figure: an enterprise's own only if it names the enterprise."""
    name, *keys = id.split("/")
    if name != "enterprises":
        return True
    firms = tables["enterprises"]
    return any(str(firm) in text for firm in firms.loc[firms["credit_code"] == keys[0], "name"])
