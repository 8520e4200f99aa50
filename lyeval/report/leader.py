"""The page for a leader (领导参阅): three numbers, two problems, one suggestion; every figure from the report's own tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from lyeval.render import KeyFigure, KeyFigures, Paragraph
from lyeval.render.blocks import Block, Tone
from lyeval.report.attainment import open_sentences, short_text
from lyeval.report.context import Context
from lyeval.report.outlook import odds_rows, odds_text
from lyeval.report.overall import opening_sentence, stock_of
from lyeval.report.quality import narrowing_sentence
from lyeval.report.rolls import WORDS as REASONS
from lyeval.report.words import count, goal_text, joined, known, listed, named, number, say, sentence, share, value_text

LIMIT = 800  # characters of the whole page (字数)
NAMED = 2  # townships that a sentence names
FIRST = 5  # enterprises to begin with
DOUBTFUL = 0.6  # odds below which a target of the year to come is told as a problem
Row = dict[str, Any]


def leader(c: Context) -> list[Block]:
    """Write the page: three numbers as cards, two problems, one suggestion."""
    told = two_problems(c)
    lines = [say(f"leader.problem_{k}", c.lang, text=text) for k, text in enumerate(told, start=1)]
    lines.append(say("leader.suggestion", c.lang, text=one_suggestion(c)))
    return [KeyFigures(three_numbers(c)), *(Paragraph(line, close=True) for line in lines)]


def length(blocks: list[Block]) -> int:
    """Count the characters of a page as a word processor does: each Chinese sign, each Latin word or number as one."""
    text = "\n".join(_texts(blocks))
    return len(re.findall(r"[A-Za-z0-9.,%+/×²–'-]+|[^\sA-Za-z0-9]", text))


def _texts(blocks: list[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, KeyFigures):
            yield from (str(part) for item in block.items for part in item[:3] + item[4:])
        elif isinstance(block, Paragraph):
            yield block.text


def three_numbers(c: Context) -> tuple[KeyFigure, ...]:
    """Return the targets met, the list with what became of it, and tax per mu of the firms in scope."""
    return _targets_card(c), _list_card(c), _mean_card(c)


def standing(c: Context) -> Row:
    """Return how the year's list stands: listed, reached, left, below, open, over all units."""
    rows = [r for r in c.rows("ranking_townships") if r["whole"]]
    return {k: int(rows[0][k]) if rows else 0 for k in ("listed", "reached", "left", "below", "open")}


def _judged(c: Context, status: str) -> list[Row]:
    return [r for r in c.rows("targets") if r["status"] == status and r["reason"] != "empty_class"]


def _targets_card(c: Context) -> KeyFigure:
    label = say("leader.targets", c.lang, year=c.year)
    met, missed, open_ = (_judged(c, s) for s in ("met", "missed", "undetermined"))
    n = len(met) + len(missed) + len(open_)
    if not n:
        return KeyFigure(label, say("leader.no_target", c.lang), "", "plain", say("leader.list_only", c.lang))
    tone: Tone = "bad" if missed else "open" if open_ else "good"
    counts = (("missed", missed), ("undetermined", open_))
    note = listed([say(f"attainment.n_{s}", c.lang, n=len(rows)) for s, rows in counts if rows], c.lang)
    return KeyFigure(
        label,
        f"{len(met)}/{n}",
        say("leader.items", c.lang).strip(),
        tone,
        note or say("leader.all_met", c.lang),
    )


def _list_card(c: Context) -> KeyFigure:
    s, lang = standing(c), c.lang
    parts = [say(f"leader.{k}", lang, n=s[k]) for k in ("reached", "left", "below", "open") if s[k]]
    unit = {"zh": "家", "en": "firms"}[lang]
    return KeyFigure(say("leader.listed", lang), count(s["listed"]), unit, "plain", listed(parts, lang))


def _mean_card(c: Context) -> KeyFigure:
    s, lang = stock_of(c), c.lang
    unit = {"zh": "万元/亩", "en": "10k yuan/mu"}[lang]
    part = share(s["listed_here_land"], s["scope_land"], s["scope"], lang)
    note = say("leader.land", lang, land=number(s["listed_here_land"], 0), share=part)
    return KeyFigure(say("leader.mean", lang), number(s["mean"]), unit if known(s["mean"]) else "", "plain", note)


def two_problems(c: Context) -> list[str]:
    """Return the two weightiest problems that the tables hold, in the order of `PROBLEMS`."""
    told = [text for text in (find(c) for find in PROBLEMS) if text]
    return told[:2] or [say("leader.no_problem", c.lang)]


def _missed(c: Context) -> str:
    rows, lang = _judged(c, "missed"), c.lang
    if not rows:
        return ""
    parts = [
        say("leader.missed_one", lang, label=named(r, lang), value=value_text(r, lang), goal=goal_text(r, lang),
            short=say("attainment.short" if r["op"] == "ge" else "attainment.over", lang, short=text)
            if (text := short_text(r, lang)) else "")
        for r in rows[:3]
    ]  # fmt: skip
    parts += [say("leader.missed_more", lang, n=len(rows) - 3)] if len(rows) > 3 else []
    text = say("leader.missed", lang, n=len(rows), parts=("；" if lang == "zh" else "; ").join(parts))
    where = next(((r, units) for r in rows if (units := places(c, r))), None)
    told = say("leader.where", lang, label=named(where[0], lang), units=joined(where[1], lang)) if where else ""
    return sentence([text, told], lang)


def places(c: Context, target: Row) -> list[str]:
    """Return the units where more than half of what a target is short of stands; none where no `NAMED` units hold so much."""
    rows = [r for r in c.rows("contributions") if r["target"] == target["id"] and r["unit"]]
    most = sum(r["part"] for r in rows[:NAMED] if known(r["part"]))
    return [str(r["unit"]) for r in rows[:NAMED]] if len(rows) > NAMED and most > 0.5 else []


def _open(c: Context) -> str:
    told = open_sentences(c.rows("targets"), c)
    return sentence(told[:1], c.lang) if told else ""


def _ahead(c: Context) -> str:
    rows = [r for r in odds_rows(c) if int(r["year"]) in c.meta["target_years"] and r["probability"] < DOUBTFUL]
    if not rows:
        return ""
    row = min(rows, key=lambda r: (int(r["year"]), r["probability"]))
    return say("leader.ahead", c.lang, year=int(row["year"]), label=named(row, c.lang), odds=odds_text(row, c))


def _pressed(c: Context) -> str:
    rows, lang = c.rows("list_pressed"), c.lang
    if not rows:
        return ""
    reasons = [reason for r in rows for reason in r["reasons"]]
    parts = [
        say("leader.reason", lang, reason=REASONS[k][lang == "en"], n=reasons.count(k)) for k in dict.fromkeys(reasons)
    ]
    return say("leader.pressed", lang, n=len(rows), parts=listed(parts, lang))


def _relapsed(c: Context) -> str:
    n = len(c.rows("list_relapsed"))
    return say("leader.relapsed", c.lang, n=n) if n else ""


def _waiting(c: Context) -> str:
    return opening_sentence(c) if len(c.frame("opening_list")) else ""


def one_suggestion(c: Context) -> str:
    """Return one suggestion, drawn from the first problem: firms to begin with, data to fill in, or firms to press."""
    lang, missed = c.lang, _judged(c, "missed")
    hanging = next((r for r in missed if r["turns_on"] and r["kind"] in ("share", "count")), None)
    if hanging is not None:
        return _firms_first(c, hanging)
    if missed:
        return say("leader.do_rest", lang, label=named(missed[0], lang), short=short_text(missed[0], lang))
    lacking = narrowing_sentence(c)
    if _judged(c, "undetermined") and lacking:
        return lacking
    n = len(c.rows("list_pressed"))
    if n:
        return say("leader.do_press", lang, n=n)
    new = sum(r["identified"] is True and not r["before"] for r in c.rows("opening_list"))
    return say("leader.do_notify", lang, n=new, year=c.year + 1) if new else say("leader.do_keep", lang)


def _firms_first(c: Context, target: Row) -> str:
    """Suggest to settle the firms that a missed target turns on, those with most land first."""
    lang, codes = c.lang, list(target["turns_on"])
    land = c.frame("enterprises").set_index("credit_code")["land_mu"]
    first = codes[:FIRST] if len(codes) > FIRST else []
    top = float(land.reindex(first).sum())
    whole = float(land.reindex(codes).sum())
    more = say("leader.do_first", lang, n=len(first), land=number(top, 0), whole=number(whole, 0))
    text = say("leader.do_firms", lang, label=named(target, lang), n=len(codes))
    return sentence([text, more if first and whole else ""], lang)


PROBLEMS: tuple[Callable[[Context], str], ...] = (
    _missed,
    _open,
    _ahead,
    _pressed,
    _relapsed,
    narrowing_sentence,
    _waiting,
)
