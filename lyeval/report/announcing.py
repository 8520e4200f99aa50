"""The public edition (公示): certified enterprises, where to object, targets and townships, from redacted tables alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lyeval.render import Document, Job, Table, write_formats
from lyeval.render.blocks import Lang
from lyeval.report.context import Context
from lyeval.report.document import notice
from lyeval.report.filling import fill, titled
from lyeval.report.sheets import lay_out, note_of
from lyeval.report.words import coded, day, known, phrase
from lyeval.report.writing import look_of
from lyeval.tables.store import save


def announcement(tables: Mapping[str, Any], *, lang: Lang = "zh") -> Document:
    """Build the public edition from the tables that `lyeval.report.disclosure.public` gives."""
    c = Context(tables, lang)
    days = sorted({str(d) for d in c.frame("certified")["published"] if known(d)})
    told = {name: str(c.meta.get(name) or "") for name in ("period", "objections")}
    words = {**told, "issuer": c.meta["issuer"], "days": [day(d, lang) for d in dict.fromkeys([*days[:1], *days[-1:]])]}
    sheets = {table.id: table for table in public_sheets(c)}
    own, blocks = titled(fill("public", c, {"table": sheets.__getitem__}, words))
    given = c.value("run").get("title")
    title = str(given) if known(given) and given else own
    front = {"place": c.place, "year": str(c.year), "cutoff": day(c.meta["cutoff"], lang)}
    meta = tuple((coded("public_line", name, lang), value) for name, value in front.items())
    return Document(title, "", meta, tuple(blocks), lang, notice(c), phrase("public_footer", lang))


def public_sheets(c: Context) -> list[Table]:
    """Lay out the tables of the public edition, which are the sheets of its annex too."""
    end = "" if c.lang == "zh" else "_en"
    held = coded("cell", "held", c.lang)
    targets = [
        {**r, "goal": r[f"goal{end}"], "value": r[f"value{end}"] or held, "verdict": r[f"verdict{end}"]}
        for r in c.rows("targets")
    ]
    places = [{**r, "township": r["township"] or coded("cell", "all", c.lang)} for r in c.rows("townships")]
    listed = [{**r, "number": str(i)} for i, r in enumerate(c.rows("certified"), start=1)]
    rows = {"public_list": listed, "public_targets": targets, "public_townships": places}
    return [lay_out(c, name, mine) for name, mine in rows.items()]


def announce(tables: Mapping[str, Any], folder: str | Path, *, lang: Lang = "zh", formats: Sequence[str]) -> list[Path]:
    """Write the public edition into a folder: its pages, its annex, its tables.

    Parameters
    ----------
    tables
        As `lyeval.report.disclosure.public` gives them.
    formats
        html, pdf, docx, xlsx.
    """
    folder, c = Path(folder), Context(tables, lang)
    document = announcement(tables, lang=lang)
    notes = [note_of("public_targets", lang), phrase("public_footer", lang)]
    written = save(folder / "tables", tables)
    return written + write_formats(Job(document, look_of(c), lambda: public_sheets(c), notes), folder, formats)
