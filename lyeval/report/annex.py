"""The annex (附表): every list and table of the report in full, one sheet each, with clause, units, date and source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lyeval.render import Table
from lyeval.render.blocks import Lang
from lyeval.report.attainment import target_table
from lyeval.report.context import Context
from lyeval.report.listing import firm_table


def annex(tables: Mapping[str, Any], *, lang: Lang = "zh") -> list[Table]:
    """Return the sheets of the annex in their order."""
    c = Context(tables, lang)
    rows = c.rows("targets")
    firms = c.frame("enterprises")
    sheets = [target_table(c, rows)] if rows else []
    sheets.append(
        firm_table(c, firms["credit_code"].tolist(), "enterprises", "企业明细" if lang == "zh" else "Firms", "")
    )
    return sheets


def annex_notes(c: Context) -> list[tuple[str, str]]:
    """Return the lines of the notes sheet: every doubtful clause with the reading in force."""
    zh = c.lang == "zh"
    return [
        (str(r["question" if zh else "question_en"]), str(r["why" if zh else "why_en"])) for r in c.rows("switches")
    ]
