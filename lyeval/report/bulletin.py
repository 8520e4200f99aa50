"""The monthly bulletin (月度通报) as a document: units, the 规上 months, what moved and why, warnings, the odds as of the month."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lyeval.render import Cell, Document, Heading, KeyFigure, KeyFigures, Note, Paragraph, Table, digits_beside
from lyeval.render.blocks import Block, Lang
from lyeval.report.context import Context
from lyeval.report.document import footer, notice, subtitle
from lyeval.report.outlook import odds_rows, odds_sentence, odds_table
from lyeval.report.rolls import WORDS as REASONS
from lyeval.report.rolls import pace, pace_sentence
from lyeval.report.shifts import cause_sentence, cause_table
from lyeval.report.tabulate import tabulate
from lyeval.report.words import count, day, joined, known, number, percent, say, sentence

FEWEST = 5  # a unit with fewer listed firms is not ranked
NAMED = 3
Row = dict[str, Any]


def build_bulletin(tables: Mapping[str, Any], *, lang: Lang = "zh") -> Document:
    """Build the bulletin from the tables of `bulletin_tables` and, where there are any, those of the odds."""
    c = Context(tables, lang)
    blocks: list[Block] = []
    for name, make in SECTIONS:
        made = make(c)
        if made:
            blocks += [Heading(1, _heading(name, c, sum(isinstance(b, Heading) for b in blocks))), *made]
    meta = [(say(f"bulletin.meta_{k}", lang), v) for k, v in _meta(c).items()]
    return Document(title(c), subtitle(c), tuple(meta), tuple(blocks), lang, notice(c), footer(c))


def title(c: Context) -> str:
    """Return the bulletin's title, or the one that the run gives it."""
    given = c.value("run").get("title")
    return (
        str(given)
        if known(given) and given
        else say("bulletin.title", c.lang, place=c.place, year=c.year, month=month_of(c))
    )


def month_of(c: Context) -> int:
    """Return the month that the bulletin stands at."""
    return int(c.meta["month"])


def _heading(name: str, c: Context, place: int) -> str:
    mark = "一二三四五六七"[place] if c.lang == "zh" else str(place + 1)
    return say("bulletin.heading", c.lang, number=mark, text=say(f"bulletin.{name}", c.lang))


def _meta(c: Context) -> Row:
    date = c.value("run").get("report_date")
    told = {"place": c.place, "document": c.document, "cutoff": day(c.meta["cutoff"], c.lang)}
    return told | ({"date": day(date, c.lang)} if known(date) and date else {})


def _whole(c: Context) -> Row:
    return c.rows("units")[-1]


def whole(c: Context) -> list[Block]:
    """Write the first section: four figures, the month against others, in a sentence and a table."""
    w, firms = _whole(c), {"zh": "家", "en": "firms"}[c.lang]
    tone = "good" if known(w["share"]) and w["share"] >= w["schedule"] else "bad"
    beside = say("bulletin.schedule", c.lang, month=month_of(c), schedule=percent(w["schedule"]))
    cards = (
        KeyFigure(say("bulletin.key_month", c.lang), number(w["now"]), {"zh": "万元", "en": "10k yuan"}[c.lang]),
        KeyFigure(say("bulletin.key_share", c.lang), _share(w), "", tone if known(w["share"]) else "plain", beside),
        KeyFigure(say("bulletin.key_course", c.lang), f"{w['on_course']}/{w['n']}", firms),
        KeyFigure(say("bulletin.key_warned", c.lang), count(len(c.rows("warnings"))), firms),
    )
    told = Context({**c.tables, "pace": c.frame("pace").loc[lambda t: t["class"] == "all"]}, c.lang)
    text, table = pace_sentence(c), pace(told)
    return [KeyFigures(cards), Paragraph(sentence([listed_sentence(c), text], c.lang)), *([table] if table else [])]


def listed_sentence(c: Context) -> str:
    """Say how many of the list are still here and how many have gone."""
    w = _whole(c)
    return say(
        "bulletin.listed",
        c.lang,
        day=day(c.meta["cutoff"], c.lang),
        n=w["listed"],
        left=w["left"],
        open=w["open"],
        overdue=w["overdue"],
    )


def _share(row: Row) -> str:
    if not known(row["share"]):
        return "—"
    return percent(row["share"], digits_beside(row["share"], row["schedule"], "percent") or 1)


def by_unit(c: Context) -> list[Block]:
    """Write how units stand against the month before, the same month last year and schedule."""
    return [Paragraph(unit_sentence(c)), unit_table(c)]


def unit_sentence(c: Context) -> str:
    """Name the units first and last by share among those ranked, and how many are behind schedule."""
    ranked = [r for r in c.rows("units")[:-1] if r["listed"] >= FEWEST and known(r["share"])]
    if not ranked:
        return say("bulletin.no_units", c.lang)
    behind = sum(r["share"] < r["schedule"] for r in ranked)
    last, first = ([str(r["unit"]) for r in part] for part in (ranked[:NAMED], ranked[::-1][:NAMED]))
    if len(ranked) <= 2 * NAMED:
        first, last = first[:1], last[:1]
    return say("bulletin.units", c.lang, n=len(ranked), first=joined(first, c.lang), last=joined(last, c.lang), behind=behind,
               fewest=FEWEST)  # fmt: skip


def unit_table(c: Context) -> Table:
    """Lay out the units; a change only where the base is positive and every firm has both months."""
    rows = [
        {
            **r, "place": say("rolls.whole", c.lang) if r["whole"] else str(r["unit"]) or say("rolls.blank", c.lang),
            "on_month": _signed(r["on_month"]), "on_year": _signed(r["on_year"]),
            "share": _share(r), "behind": _behind(r, c), "course": f"{r['on_course']}/{r['n']}",
        }
        for r in c.rows("units")
    ]  # fmt: skip
    note = say("bulletin.unit_note", c.lang, month=month_of(c), usual=percent(_whole(c)["usual"]), fewest=FEWEST)
    return tabulate(c, "bulletin_units", rows, say("bulletin.unit_table", c.lang, year=c.year, month=month_of(c)), source=c.source("tax", "towns"),
                    note=note)  # fmt: skip


def _signed(change: Any) -> str:
    return ("+" if change > 0 else "") + percent(change) if known(change) else "—"


def _rise(now: Any, before: Any) -> float | None:
    return now / before - 1 if known(before) and known(now) and before > 0 else None


def _said(change: float | None, lang: Lang) -> str:
    """Say a change in words: 增加7.6%."""
    if change is None:
        return say("rolls.not_comparable", lang)
    return say("rolls.up" if change >= 0 else "rolls.down", lang, by=percent(abs(change)))


def _behind(row: Row, c: Context) -> Any:
    if not known(row["share"]):
        return "—"
    late = row["share"] < row["schedule"]
    return Cell(say("bulletin.behind" if late else "bulletin.in_time", c.lang), tone="bad" if late else "good")


def by_month(c: Context) -> list[Block]:
    """Write the tax of the 规上 month by month beside last year's."""
    rows = c.rows("months")
    if not rows or not rows[-1]["n"]:
        return []
    last, name = rows[-1], c.class_("above")
    values = {
        "month": int(last["month"]),
        "n": last["n"],
        "now": number(last["now"], 0),
        "date": number(last["date"], 0),
        "name": name,
    }
    changes = {
        "change": _said(_rise(last["now"], last["before"]), c.lang),
        "so_far": _said(_rise(last["date"], last["date_before"]), c.lang),
    }
    body = [
        {
            **r,
            "month": str(int(r["month"])),
            "change": _signed(_rise(r["now"], r["before"])),
            "so_far": _signed(_rise(r["date"], r["date_before"])),
        }
        for r in rows
    ]
    table = tabulate(c, "bulletin_months", body, say("bulletin.month_table", c.lang, year=c.year, name=name), source=c.source("tax"),
                     note=say("bulletin.month_note", c.lang))  # fmt: skip
    return [Paragraph(say("bulletin.months", c.lang, **values, **changes)), table]


def moved(c: Context) -> list[Block]:
    """Write what moved since the month before, and why: data, rule, code or seed."""
    rows = [{**r, "move": say(f"bulletin.move_{r['move']}", c.lang), "names": joined(list(r["names"]), c.lang) or None}
            for r in c.rows("moves") if r["n"]]  # fmt: skip
    parts = [say("bulletin.moved_one", c.lang, move=r["move"], n=r["n"]) for r in rows]
    text = (
        say("bulletin.moved_text", c.lang, parts=("、" if c.lang == "zh" else ", ").join(parts))
        if parts
        else say("bulletin.unmoved", c.lang)
    )
    blocks: list[Block] = [Paragraph(sentence([text, cause_sentence(c)], c.lang))]
    if rows:
        blocks.append(
            tabulate(c, "bulletin_moves", rows, say("bulletin.move_table", c.lang), source=c.source("towns", "tax"))
        )
    table = cause_table(c)
    return [*blocks, *([table] if table is not None else [])]


def warned(c: Context) -> list[Block]:
    """Write whom to warn, and why."""
    rows = c.rows("warnings")
    if not rows:
        return [Paragraph(say("bulletin.nobody_warned", c.lang))]
    reasons = [k for r in rows for k in r["reasons"]]
    parts = [
        say("leader.reason", c.lang, reason=_reason(k, c), n=reasons.count(k))
        for k in sorted(set(reasons), key=lambda k: (-reasons.count(k), k))
    ]
    gap = "；" if c.lang == "zh" else "; "
    body = [{**r, "reason": gap.join(_reason(k, c) for k in r["reasons"])} for r in rows]
    table = tabulate(c, "bulletin_warnings", body, say("bulletin.warning_table", c.lang), source=c.source("tax", "towns"),
                     note=say("bulletin.warning_note", c.lang), sortable=len(body) > 12)  # fmt: skip
    return [Paragraph(say("bulletin.warned_text", c.lang, n=len(rows), parts=joined(parts, c.lang))), table]


def _reason(key: str, c: Context) -> str:
    return REASONS[key][c.lang == "en"] if key in REASONS else say(f"bulletin.{key}", c.lang)


def ahead(c: Context) -> list[Block]:
    """Write the odds of the year's targets as of the month; nothing where there are none."""
    rows = [r for r in odds_rows(c) if int(r["year"]) == c.year]
    if not rows:
        return []
    return [
        *(Paragraph(odds_sentence(r, c)) for r in rows),
        Note(say("outlook.condition", c.lang)),
        odds_table(c, rows),
    ]


def bulletin_annex(tables: Mapping[str, Any], *, lang: Lang = "zh") -> list[Table]:
    """Return the sheets of the bulletin's annex."""
    c = Context(tables, lang)
    return [b for make in (whole, by_unit, by_month, moved, warned, ahead) for b in make(c) if isinstance(b, Table)]


SECTIONS = (
    ("whole", whole),
    ("by_unit", by_unit),
    ("by_month", by_month),
    ("moved", moved),
    ("warned", warned),
    ("ahead", ahead),
)
