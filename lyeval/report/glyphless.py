"""Names with characters that no shipped font draws: told with the faults of the ledger, since pages print 〓 for them (缺字)."""

from __future__ import annotations

from typing import Any

from lyeval.ledger import Ledger
from lyeval.render.faces import loaded
from lyeval.render.glyphs import lacking, one_line
from lyeval.report.words import joined, say

RULE = "no_glyph"
TEXTS = {"name": "企业名称", "township": "镇街", "county": "县区"}


def undrawable(ledger: Ledger) -> list[dict[str, Any]]:
    """Return one row of the table of faults for each name with such a character, by place in the ledger."""
    frame, rows = ledger.enterprises, []
    with loaded() as faces:
        covered = faces.covered
    for column, heading in TEXTS.items():
        values = [str(v) for v in frame[column].dropna().unique()] if column in frame else []
        odd = {v: signs for v in values if (signs := lacking([one_line(v)], covered))}
        mine = frame[frame[column].isin(odd)] if odd else frame.iloc[:0]
        rows += [_row(r, column, heading, odd[str(r[column])]) for r in mine.to_dict("records")]
    return sorted(rows, key=lambda row: (row["file"], row["sheet"], row["row"], row["heading"]))


def _row(firm: dict[Any, Any], column: str, heading: str, signs: list[str]) -> dict[str, Any]:
    codes = [f"{sign}（U+{ord(sign):X}）" for sign in signs]
    plain = [f"{sign} (U+{ord(sign):X})" for sign in signs]
    texts = {"text": say("quality.no_glyph", "zh", value=firm[column], signs=joined(codes, "zh")),
             "text_en": say("quality.no_glyph", "en", value=firm[column], signs=joined(plain, "en"))}  # fmt: skip
    return {
        "severity": "warning", "rule": RULE, "title": say("quality.no_glyph_title", "zh"), "title_en": say("quality.no_glyph_title", "en"),
        "file": firm["source_file"], "sheet": firm["source_sheet"], "row": int(firm["source_row"]), "heading": heading,
        "value": str(firm[column]), "count": 1, **texts,
    }  # fmt: skip


def group(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row of the table of groups for all of them, none where there are none."""
    kept = ("severity", "rule", "title", "title_en", "text", "text_en")
    return [{**{key: rows[0][key] for key in kept}, "count": len(rows)}] if rows else []
