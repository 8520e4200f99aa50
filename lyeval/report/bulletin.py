"""The monthly bulletin (月度通报): its template filled, and the tables and key figures that it lays out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lyeval.render import Document, KeyFigure, KeyFigures, Table, Text, digits_beside
from lyeval.render.blocks import Lang, Mark
from lyeval.report.cells import Context
from lyeval.report.filling import fill, titled
from lyeval.report.sheets import lay_out, sheet
from lyeval.report.tabulate import Laid, said
from lyeval.report.tracing import row_id
from lyeval.report.words import coded, count, day, joined, known, number, percent, phrase, signed, toned
from lyeval.report.year_end import footer, notice, odds_tables, odds_withheld, subtitle, title
from lyeval.tables.rankings import FEWEST, revised, sources

Row = dict[str, Any]


def build_bulletin(tables: Mapping[str, Any], *, lang: Lang = "zh") -> Document:
    """Build the bulletin from the tables of `bulletin_tables` and, where there are any, those of the odds.

    Raises
    ------
    TemplateError
        The template is wrong: told with file and line.
    """
    c = _told(tables, lang)
    words = {"above": c.class_("above"), "odds_withheld": odds_withheld(c), "month": str(int(c.meta["month"]))}
    things = {"table": lambda name: TABLES[name](c), "cards": lambda name: _cards(c)}
    own, blocks = titled(fill("bulletin", c, things, words, may_be_own=True))
    return Document(title(c, own), subtitle(c), tuple(_meta(c)), tuple(blocks), lang, notice(c), footer(c))


def _told(tables: Mapping[str, Any], lang: Lang) -> Context:
    """Return the tables with what is told of the sources of change and of the odds; of the odds, the year's own alone."""
    made = {**tables, "sources_of_change": sources(tables)}
    ahead = made.get("forecast")
    if ahead is not None and len(ahead):
        made["forecast"] = ahead[ahead["year"] == made["meta"]["year"]]
    return Context(made | odds_tables(Context(made, lang)), lang)


def _meta(c: Context) -> list[tuple[str, str]]:
    date = c.value("run").get("report_date")
    told = {"place": c.place, "document": c.document, "cutoff": day(c.meta["cutoff"], c.lang)}
    told |= {"date": day(date, c.lang)} if known(date) and date else {}
    return [(coded("bulletin_line", k, c.lang), v) for k, v in told.items()]


def _cards(c: Context) -> KeyFigures:
    """Lay out four figures; the share is good only where most units are at schedule too."""
    w, state = c.rows("units")[-1], c.value("progress")["state"]
    firms, money = (coded("unit", unit, c.lang) for unit in ("家", "万元"))
    row = row_id("units", w)

    def cell(text: str, column: str) -> Text:
        return Text(text, [Mark(0, len(text), f"{row}/{column}")])

    beside = phrase("schedule", c.lang, month=int(c.meta["month"]), schedule=percent(w["schedule"]))
    return KeyFigures(
        (
            KeyFigure(coded("key_figure", "month", c.lang), cell(number(w["now"]), "now"), money),
            KeyFigure(
                coded("key_figure", "share", c.lang),
                cell(_share(w), "share"),
                "",
                state if known(w["share"]) else "plain",
                beside,
            ),
            KeyFigure(coded("key_figure", "course", c.lang), f"{w['on_course']}/{w['n']}", firms),
            KeyFigure(coded("key_figure", "warned", c.lang), count(len(c.rows("warnings"))), firms),
        )
    )


def _share(row: Row) -> str:
    if not known(row["share"]):
        return "—"
    return percent(row["share"], digits_beside(row["share"], row["schedule"], "percent") or 1)


def pace_table(c: Context) -> Table | None:
    """Lay out the whole's pace against others."""
    return sheet(Context({**c.tables, "pace": c.frame("pace").loc[lambda t: t["class"] == "all"]}, c.lang), "pace")


def unit_table(c: Context) -> Table:
    """Lay out the units, each with who answers for its firms that are not on course."""
    rows = [
        {
            **r,
            "place": coded("cell", "whole", c.lang) if r["whole"] else str(r["unit"]) or coded("cell", "blank", c.lang),
            "on_month": signed(r["on_month"]),
            "on_year": signed(r["on_year"]),
            "share": _share(r),
            "behind": _behind(r, c),
            "course": f"{r['on_course']}/{r['n']}",
            "owners": "" if r["whole"] else joined(list(r["owners"])[:2], c.lang),
        }
        for r in c.rows("units")
    ]
    words = {"month": int(c.meta["month"]), "usual": percent(c.rows("units")[-1]["usual"]), "fewest": FEWEST}
    return lay_out(c, "bulletin_units", Laid(rows, words=words))


def _behind(row: Row, c: Context) -> Any:
    if not known(row["share"]):
        return "—"
    late = row["share"] < row["schedule"]
    if row["whole"] and not late and c.value("progress")["state"] == "open":
        return toned("pace", "mixed", c.lang)
    return toned("pace", "behind" if late else "in_time", c.lang)


def month_table(c: Context) -> Table | None:
    """Lay out the tax of the 规上 month by month beside last year's."""
    rows = c.rows("months")
    if not rows or not rows[-1]["n"]:
        return None
    body = [
        {**r, "month": str(int(r["month"])), "change": signed(r["change"]), "so_far": signed(r["so_far"])} for r in rows
    ]
    return lay_out(c, "bulletin_months", body)


def move_table(c: Context) -> Table | None:
    """Lay out what happened in the month, with names."""
    rows = [{**r, "names": joined(list(r["names"]), c.lang) or None} for r in c.rows("moves") if r["n"]]
    return lay_out(c, "bulletin_moves", rows) if rows else None


def warning_table(c: Context) -> Table | None:
    """Lay out whom to warn by township, why, and who answers for each."""
    body = [
        {**r, "number": k, "reason": said(c, r["reasons"], "reason")}
        for k, r in enumerate(sorted(c.rows("warnings"), key=lambda r: str(r["township"])), start=1)
    ]
    return lay_out(c, "bulletin_warnings", body) if body else None


def source_table(c: Context) -> Table | None:
    """Lay out the four sources of change, each with what changed; None without a bulletin before."""
    rows = []
    for r in c.rows("sources_of_change"):
        changed = r["state"] == "changed"
        rows.append(
            {
                "cause": r["cause_en" if c.lang == "en" else "cause_zh"],
                "state": toned("shift", r["state"], c.lang),
                "what": _what(c, r["cause"]) if changed else None,
            }
        )
    words = {"before": c.value("before_stamp").get("as_of", "—")}
    return lay_out(c, "bulletin_causes", Laid(rows, words=words)) if rows else None


def _what(c: Context, name: str) -> str:
    """Say what of a source changed."""
    old, new, was, now = (c.value(k) for k in ("before_stamp", "stamp", "before_run", "run"))
    if name == "data":
        shifts = [
            phrase("revised", c.lang, month=m, shift=("+" if v > 0 else "−") + number(abs(v)))
            for m, v in revised(c.tables).items()
        ]
        facts = any(old.get(k) != new.get(k) for k in ("annual", "annual_rows"))
        return joined([*shifts, *([phrase("facts_revised", c.lang)] if facts else [])], c.lang)
    if name == "code":
        return f"{str(was['code'])[:12]} → {str(now['code'])[:12]}"
    before, after = (dict(old.get("readings") or {}), dict(new.get("readings") or {})) if name == "rule" else (was, now)
    keys = sorted({*before, *after}) if name == "rule" else ("seed", "draws")
    turned = [f"{k}: {before.get(k, '—')} → {after.get(k, '—')}" for k in keys if before.get(k) != after.get(k)]
    return joined(turned, c.lang) or phrase("document_revised", c.lang)


def bulletin_annex(tables: Mapping[str, Any], *, lang: Lang = "zh") -> list[Table]:
    """Return the sheets of the bulletin's annex."""
    c = _told(tables, lang)
    return [table for make in TABLES.values() if (table := make(c)) is not None]


TABLES: dict[str, Callable[[Context], Table | None]] = {
    "pace": pace_table,
    "units": unit_table,
    "months": month_table,
    "moves": move_table,
    "sources": source_table,
    "warnings": warning_table,
}
