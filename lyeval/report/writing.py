"""Write a report's files into a run's folder: the report in each format, its figures, its annex; the papers beside it (成稿、文书、一企一档、调度表).

In a paper, what the ledger does not say is a line to be filled in by hand, never a guess. A draft is no decision: each says so in its last line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from lyeval.render import (
    FORMATS,
    Bullets,
    Document,
    Figure,
    Heading,
    Job,
    Look,
    Note,
    Paragraph,
    Table,
    format_value,
    write_formats,
)
from lyeval.render.blocks import Column, Lang, filled
from lyeval.render.glyphs import clean
from lyeval.report.bulletin import build_bulletin, bulletin_annex
from lyeval.report.cells import Context
from lyeval.report.compared import build_comparison, comparison_annex, comparison_notes
from lyeval.report.filling import fill, titled
from lyeval.report.sheets import annex, annex_notes, lay_out, note_of
from lyeval.report.tabulate import Laid, said
from lyeval.report.template import BLANK
from lyeval.report.words import amount, clauses, coded, day, joined, known, named, number, phrase, shown, word
from lyeval.report.year_end import build_report, footer, notice

Row = dict[str, Any]


def drafts(c: Context) -> dict[str, Document]:
    """Return the papers that the year asks for, by id; one that concerns nobody is left out."""
    held = set(c.frame("papers").get("paper", ()))
    return {
        name: _document(c, name, phrase("draft_footer", c.lang, document=c.document))
        for name, asks in DRAFTS.items()
        if held & set(asks) or (name == "letter" and c.rows("list_pressed"))
    }


def dossiers(c: Context) -> Document:
    """Return the dossiers of the year's list as one document, a page each, by township, most land first."""
    return _document(c, "dossier", footer(c))


def schedule(c: Context) -> Document:
    """Return the fortnightly table: what is known filled in, progress and signature left blank."""
    return _document(c, "schedule", footer(c))


def _document(c: Context, name: str, last: str) -> Document:
    title, blocks = titled(fill(name, c, {"table": lambda key, *args: TABLES[key](c, *args)}))
    return Document(title, "", (), tuple(blocks), c.lang, notice(c), last)


def _papers(c: Context, *names: str) -> list[Row]:
    return [{**r, "number": k} for k, r in enumerate((r for r in c.rows("papers") if r["paper"] in names), start=1)]


@lru_cache(maxsize=16)
def _grouped(c: Context, name: str) -> dict[str, list[Row]]:
    """Return a table's rows by credit code."""
    out: dict[str, list[Row]] = {}
    for row in c.rows(name):
        out.setdefault(str(row["credit_code"]), []).append(row)
    return out


def _cited(ground: Row, lang: Lang) -> str:
    """Name a ground with its clause."""
    return phrase("cited", lang, label=named(ground, lang), clause=clauses(ground["clause"], lang))


def publication(c: Context) -> Table:
    """Lay out who is to be published: name, township and ground; no figure of any enterprise."""
    grounds: dict[str, list[str]] = {}
    for r in c.rows("evidence"):
        told = _cited(r, c.lang)
        mine = grounds.setdefault(str(r["credit_code"]), [])
        mine += [told] if told not in mine else []
    rows = [
        {**r, "grounds": joined(grounds.get(r["credit_code"], []), c.lang) or BLANK} for r in _papers(c, "publication")
    ]
    return lay_out(c, "publication", rows)


def priority(c: Context, paper: str) -> Table:
    """Lay out the priority firms that are named (``priority``), or that meet a trigger and are not (``candidate``)."""
    lists = {r["credit_code"]: r for r in c.rows("list_priority")}
    key, gap = ("effects_en", "; ") if c.lang == "en" else ("effects", "；")
    rows = [
        {
            **lists[r["credit_code"]],
            "number": r["number"],
            "measures": gap.join(lists[r["credit_code"]][key] or []) or BLANK,
            "on": r["named"],
        }
        for r in _papers(c, paper)
    ]
    return lay_out(c, paper, rows)


def letter(c: Context, unit: str) -> Table:
    """Lay out whom one unit is to be pressed for."""
    mine = [r for r in c.rows("list_pressed") if r["responsible"] == unit]
    rows = [{**r, "number": k, "reason": said(c, r["reasons"], "reason")} for k, r in enumerate(mine, start=1)]
    return lay_out(c, "letter", Laid(rows, of=f"_{unit}"))


def writeoff(c: Context, code: str) -> Table:
    """Lay out one application to be written off: what is known filled in, opinions and signatures left blank."""
    firm, lang = next(r for r in _grouped(c, "papers")[code] if r["paper"] == "writeoff"), c.lang
    held = {e["criterion"] for e in _grouped(c, "evidence").get(code, [])}
    grounds = [r for r in c.rows("criteria") if r["id"] in held]
    values = {
        "code": code,
        "township": firm["township"],
        "method": named(firm, lang, "method"),
        "outcome": word(firm["outcome"], lang),
        "grounds": joined([_cited(r, lang) for r in grounds], lang),
        **{name: day(firm[name], lang) if known(firm[name]) else "" for name in ("certified", "finished", "accepted")},
        "land": amount(number(firm["land_mu"]), "亩", lang),
        "tax": amount(number(firm["tax_wan"]), "万元", lang),
        "mean": amount(shown(firm["tax_per_mu"], firm["line"], "number"), "万元/亩", lang),
        **dict.fromkeys(("person", "opinion_firm", "opinion_town", "opinion_office"), ""),
    }
    rows = [{"item": coded("form", k, lang), "value": v or BLANK} for k, v in values.items()]
    return lay_out(c, "writeoff", Laid(rows, of=f"_{code}"))


def survey_form(c: Context, code: str) -> Table:
    """Lay out one firm's survey form, two fields to a line; without a form in the plan, who it is and its figures."""
    filled = [(named(r, c.lang), _written(r, c)) for r in _grouped(c, "survey_form").get(code, [])]
    if not filled:
        firm = _grouped(c, "files")[code][0]
        values = {
            "code": code,
            "township": firm["township"],
            "class": c.class_(firm["class"]),
            "industry": firm["industry"],
            "land": amount(number(firm["land_mu"]), "亩", c.lang),
            "tax": amount(number(firm["tax_wan"]), "万元", c.lang),
        }
        filled = [(coded("dossier", k, c.lang), str(v) if known(v) and v else "—") for k, v in values.items()]
    pairs = zip_longest(filled[::2], filled[1::2], fillvalue=("", ""))
    rows = [{"item": a[0], "value": a[1], "other": b[0], "more": b[1]} for a, b in pairs]
    return lay_out(c, "survey_form", Laid(rows, of=f"_{code}"))


def _written(row: Row, c: Context) -> str:
    value = row["value_en"] if c.lang == "en" and known(row["value_en"]) else row["value"]
    if not known(value):
        return ""
    if isinstance(value, int | float):
        digits = None if float(value) % 1 else 0
        return amount(format_value(Column("", "", kind="number", digits=digits), value), row["unit"], c.lang)
    text = str(value)
    return day(text[:10], c.lang) if text[4:5] == "-" and text[7:8] == "-" else word(text, c.lang)


def schedule_table(c: Context) -> Table:
    """Lay out the firms that are not settled: by the unit that answers, those behind first."""
    english = c.lang == "en"
    behind = {r["credit_code"]: said(c, r["reasons"], "reason") for r in c.rows("list_pressed")}
    firms = c.frame("enterprises").set_index("credit_code")
    rows = []
    for r in [*c.rows("list_missed"), *c.rows("list_undecided")]:
        code, unit = r["credit_code"], r.get("responsible")
        rows.append(
            {
                **r,
                "unit": unit if known(unit) and unit else r["township"],
                "behind": behind.get(code, ""),
                "disposal": firms["method_en" if english else "method"].get(code) or BLANK,
                "state": word(r.get("outcome"), c.lang) or BLANK,
                "done": BLANK,
            }
        )
    rows.sort(key=lambda r: (str(r["unit"]), not r["behind"], str(r["credit_code"])))
    return lay_out(c, "schedule", rows)


TABLES: Mapping[str, Callable[..., Table]] = {
    "publication": publication,
    "priority": priority,
    "letter": letter,
    "writeoff": writeoff,
    "survey_form": survey_form,
    "schedule": schedule_table,
}
DRAFTS: dict[str, tuple[str, ...]] = {  # a template, and the papers of the table that it writes
    "notice": ("notice",),
    "certificate": ("certificate",),
    "publication": ("publication",),
    "priority": ("priority", "candidate"),
    "letter": (),
    "agreement": ("agreement",),
    "intent": ("intent",),
    "writeoff": ("writeoff",),
}


Tables = Mapping[str, Any]
FOLDER = "products"
ROLES = ("title", "body", "heading1", "heading2")
FILES = (".otf", ".ttf", ".ttc")


class Made(NamedTuple):
    """What products are made from: the run's tables in one language, the report, how it is set."""

    context: Context
    document: Document
    look: Look


def write(
    tables: Tables,
    folder: str | Path,
    *,
    document: Document | None = None,
    lang: Lang = "zh",
    formats: Sequence[str] = tuple(FORMATS),
    products: Sequence[str] = (),
    fonts: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write the report in each format: ``html``, ``pdf`` and ``docx`` → report.*, ``xlsx`` → annex.xlsx; its figures into figures/.

    ``products`` are written besides (`PRODUCTS`): text as report.txt, schedule, dossiers and drafts into products/. ``fonts`` are an
    office's own: ``folder`` holds the files for PDF, and title, body, heading1, heading2 name the families (小标宋, 仿宋, 黑体, 楷体), in
    DOCX too. ``document`` is the report of these tables in this language where it is made already, so that it is not made again.

    Raises
    ------
    ValueError
        A format or product that is not known, or a folder without font files.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    document, c = document or document_of(tables, lang=lang), Context(tables, lang)
    _figures(document, folder / "figures")
    made = Made(c, document, look_of(c, fonts))
    _, annexed, notes = KINDS[_kind(tables)]
    job = Job(document, made.look, lambda: annexed(tables, lang=lang), notes(c), index=True)
    return [*write_formats(job, folder, formats), *write_products(made, folder, products)]


def write_document(document: Document, path: Path, created: date) -> None:
    """Write one document into a file, in the format of its ending: ``html``, ``pdf``, ``docx``, or its tables as ``xlsx``.

    Raises
    ------
    ValueError
        An ending that is none of these.
    """
    ending = path.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise ValueError(f"{path.name}: {', '.join(FORMATS)}")
    tables = [block for block in document.blocks if isinstance(block, Table)]
    Job(document, Look(created), lambda: tables, document.meta, index=True).write(ending, path)


def write_products(made: Made, folder: Path, products: Sequence[str]) -> list[Path]:
    """Write the products named, in the order of `PRODUCTS`.

    Raises
    ------
    ValueError
        A product that is not known.
    """
    unknown = [name for name in products if name not in PRODUCTS]
    if unknown:
        raise ValueError(f"products: {unknown[0]!r}; 可用 / there are: {', '.join(PRODUCTS)}")
    return [path for name, make in PRODUCTS.items() if name in products for path in make(made, folder)]


def document_of(tables: Tables, *, lang: Lang = "zh") -> Document:
    """Return the document of a run's tables: review, bulletin or comparison, as they say."""
    return KINDS[_kind(tables)][0](tables, lang=lang)


def _kind(tables: Tables) -> str:
    return str(tables["meta"].get("kind") or "review")


def look_of(c: Context, fonts: Mapping[str, str] | None = None) -> Look:
    """Return how a run's documents are set: a run's setting of fonts (``folder``, and families by role), the date to store.

    The date is the report's, else SOURCE_DATE_EPOCH's, else the day that the data stand at; never the clock's.

    Raises
    ------
    ValueError
        The folder holds no font file.
    """
    run, given = c.value("run"), fonts or {}
    created = date.fromisoformat(str(run.get("report_date") or run.get("source_date") or c.meta["cutoff"])[:10])
    folder = given.get("folder")
    files = sorted(p for p in Path(folder).iterdir() if p.suffix.lower() in FILES) if folder else []
    if folder and not files:
        raise ValueError(f"fonts: {Path(folder).name}: 没有字体文件（otf、ttf、ttc） / no font files")
    return Look(created, tuple(files), {role: given[role] for role in ROLES if given.get(role)})


def _figures(document: Document, folder: Path) -> None:
    """Write each figure of a document as SVG and PNG, named by its id."""
    for block in document.blocks:
        if isinstance(block, Figure):
            folder.mkdir(exist_ok=True)
            (folder / f"{block.id}.svg").write_text(block.svg, encoding="utf-8", newline="\n")
            (folder / f"{block.id}.png").write_bytes(block.png)


def plain_text(document: Document) -> str:
    """Return headings and sentences, one paragraph a line, without tables and figures; what is made up is said first (纯文本)."""
    zh = document.lang == "zh"
    notice = (f"（{document.watermark}）" if zh else f"({document.watermark})") if document.watermark else ""
    head = [document.title, *([notice] if notice else []), ""]
    return "\n".join([*head, *_lines(filled(document), "　　" if zh else ""), "", document.footer]) + "\n"


def _lines(document: Document, indent: str) -> Iterator[str]:
    for block in document.blocks:
        if isinstance(block, Heading | Paragraph | Note):
            yield f"{indent}{clean(block.text)}"
        elif isinstance(block, Bullets):
            yield from (f"{indent}{clean(item)}" for item in block.items)


def _text(made: Made, folder: Path) -> list[Path]:
    path = folder / "report.txt"
    path.write_bytes(plain_text(made.document).encode("utf-8", "replace"))
    return [path]


def _schedule(made: Made, folder: Path) -> list[Path]:
    c = made.context
    notes = [note_of("schedule", c.lang), phrase("distance_note", c.lang)]
    job = Job(schedule(c), made.look, lambda: [schedule_table(c)], notes)
    return [job.write(name, folder / FOLDER / f"schedule.{name}") for name in ("docx", "xlsx")]


def _dossiers(made: Made, folder: Path) -> list[Path]:
    return [Job(dossiers(made.context), made.look).write("pdf", folder / FOLDER / "dossiers.pdf")]


def _drafts(made: Made, folder: Path) -> list[Path]:
    papers = drafts(made.context).items()
    return [Job(paper, made.look).write("docx", folder / FOLDER / f"draft_{name}.docx") for name, paper in papers]


PRODUCTS: dict[str, Callable[[Made, Path], list[Path]]] = {
    "text": _text,
    "schedule": _schedule,
    "dossiers": _dossiers,
    "drafts": _drafts,
}
KINDS: dict[
    str, tuple[Callable[..., Document], Callable[..., list[Table]], Callable[[Context], list[tuple[str, str]]]]
] = {
    "review": (build_report, annex, annex_notes),
    "bulletin": (build_bulletin, bulletin_annex, annex_notes),
    "comparison": (build_comparison, comparison_annex, comparison_notes),
}
