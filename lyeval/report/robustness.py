"""Section 六、读法稳健性: under how many readings of the doubtful clauses each target is met, and which switches turn it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lyeval.render import Bullets, Cell, Figure, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context, Spec, columns
from lyeval.report.words import (
    STATUS,
    count,
    few,
    joined,
    kind_of,
    known,
    named,
    range_text,
    say,
    sentence,
    shown,
    tone_of,
    unit_name,
)


def robustness(c: Context) -> list[Block]:
    """Write the section."""
    rows = reading_rows(c)
    if not rows:
        return [Paragraph(say("robustness.none", c.lang, year=c.year))]
    blocks: list[Block] = [Paragraph(say("robustness.intro", c.lang, n=count(rows[0]["n"])))]
    blocks += [Bullets(tuple(reading_sentence(r, c) for r in rows)), reading_figure(c, rows), single_table(c)]
    if len(c.frame("readings_untestable")):
        blocks += [Paragraph(untestable_sentence(c)), untestable_table(c)]
    base = baseline_blocks(c)
    return blocks + base


def reading_rows(c: Context) -> list[dict[str, Any]]:
    """Return the readings per target, with kind, goal and number counted from the table of targets."""
    own = {r["id"]: r for r in c.rows("targets")}
    kept = ("kind", "weight", "goal", "op", "part", "whole", "value", "status", "reason", "clause")
    return [
        {**r, **{k: own[r["id"]][k] for k in kept}, "counted": own[r["id"]]["n"]}
        for r in c.rows("readings")
        if r["id"] in own
    ]


def reading_sentence(row: dict[str, Any], c: Context) -> str:
    """Say under how many readings a target is met, between what values, and which clauses alone turn it."""
    lang, label = c.lang, named(row, c.lang)
    if row["reason"] == "empty_class":
        return say("robustness.empty", lang, label=label)
    counts = {s: int(row[s]) for s in ("met", "missed", "undetermined")}
    alike = next((s for s, n in counts.items() if n == int(row["n"])), None)
    if alike:
        text = say("robustness.alike", lang, label=label, n=count(row["n"]), status=STATUS[alike][lang == "en"])
    else:
        parts = [
            say("robustness.part", lang, n=count(n), status=STATUS[s][lang == "en"]) for s, n in counts.items() if n
        ]
        text = say("robustness.split", lang, label=label, n=count(row["n"]), parts=joined(parts, lang))
    span = ""
    if known(row["lowest"]) and not few({"kind": row["kind"], "n": row["counted"]}):
        key = "span_one" if row["lowest"] == row["highest"] else "span"
        span = say(f"robustness.{key}", lang, range=range_text(row["lowest"], row["highest"], row, lang))
    turned = list(row["turned_by_questions_en" if lang == "en" else "turned_by_questions"] or [])
    turn = (
        say("robustness.turned", lang, n=len(turned), names=("；" if lang == "zh" else "; ").join(turned))
        if turned
        else ""
    )
    return sentence([text, span, turn], lang)


def reading_figure(c: Context, rows: list[dict[str, Any]]) -> Figure:
    """Draw under how many readings each target is met and the range of its value."""
    from lyeval import figures

    frame = pd.DataFrame(rows).drop(columns=["counted"]).astype(object)
    svg, png = figures.save(figures.readings(frame, lang=c.lang))
    alt = " ".join(reading_sentence(r, c) for r in rows)
    return Figure(
        "readings_figure", say("robustness.figure", c.lang), svg, png, alt, c.source("tax", "land", "statistics")
    )


def single_table(c: Context) -> Table:
    """Lay out each option alone, all else by default, where it moves a value or a verdict."""
    own = {r["id"]: r for r in reading_rows(c)}
    rows = [r for r in c.rows("readings_switches") if r["target"] in own]
    base = {r["target"]: r for r in rows if r["default"]}
    moved = [r for r in rows if not r["default"] and _differs(r, base[r["target"]])]
    body = [_single(r, own[r["target"]], c) for r in moved]
    still = len({(r["switch"], r["option"]) for r in rows if not r["default"]}) - len(
        {(r["switch"], r["option"]) for r in moved}
    )
    note = say("robustness.single_note", c.lang) + (say("robustness.still", c.lang, n=still) if still else "")
    return Table("switches", say("robustness.single_table", c.lang), columns(SINGLE, c.lang), tuple(body),
                 source=c.source("tax", "land", "statistics"), note=note, cite=str(c.meta["document"]))  # fmt: skip


def _differs(row: dict[str, Any], base: dict[str, Any]) -> bool:
    if row["status"] != base["status"] or known(row["value"]) != known(base["value"]):
        return True
    return known(row["value"]) and abs(row["value"] - base["value"]) > 1e-9 * max(abs(base["value"]), 1)


def _single(row: dict[str, Any], target: dict[str, Any], c: Context) -> tuple[Any, ...]:
    lang = c.lang
    value = "—"
    if known(row["value"]) and not few({"kind": target["kind"], "n": target["counted"]}):
        value = shown(row["value"], target["goal"], kind_of(target)) + unit_name(str(target["unit"] or ""), lang)
    told = {"status": row["status"], "reason": None}
    word = STATUS[str(row["status"])][lang == "en"]
    turned = Cell(word, tone=tone_of(told)) if row["status"] != target["status"] else word
    return (named(row, lang, "question"), named(row, lang, "why"), named(target, lang), value, turned, row["clause"])


def untestable_sentence(c: Context) -> str:
    """Say how many readings the ledger cannot test."""
    return say("robustness.untestable", c.lang, n=len(c.frame("readings_untestable")))


def untestable_table(c: Context) -> Table:
    """List the readings that the ledger cannot test, and what it lacks."""
    body = [
        (named(r, c.lang, "question"), named(r, c.lang, "why"), need_text(r["needs"], c.lang), r["clause"])
        for r in c.rows("readings_untestable")
    ]
    return Table("untestable", say("robustness.untestable_table", c.lang), columns(UNTESTABLE, c.lang), tuple(body),
                 source=c.source(), cite=str(c.meta["document"]))  # fmt: skip


def need_text(needs: Any, lang: Any) -> str:
    """Name the sheet or column that a reading asks for, as the ledger's form calls it."""
    from lyeval.ledger.columns import SHEETS, of_sheet

    out = []
    for need in str(needs).replace("、", ",").split(","):
        sheet, _, column = need.strip().partition(".")
        known_columns = of_sheet(sheet) if sheet in SHEETS else {}
        if column in known_columns:
            out.append(known_columns[column].label(lang))
        else:
            out.append(f"“{SHEETS[sheet][0]}”表" if sheet in SHEETS and lang == "zh" else need.strip())
    return joined(out, lang)


def baseline_blocks(c: Context) -> list[Block]:
    """Show which readings of the statistic give the value that the document states for its base year."""
    rows = c.rows("baseline")
    if not rows:
        return []
    return [Paragraph(baseline_sentence(rows, c)), baseline_table(c, rows)]


def baseline_sentence(rows: list[dict[str, Any]], c: Context) -> str:
    """Say how many readings reproduce the stated value, whether the default does; on made data, that it proves nothing."""
    lang, hits = c.lang, sum(bool(r["reproduces"]) for r in rows)
    default = next((r for r in rows if r["default"]), None)
    parts = [
        say(
            "robustness.baseline",
            lang,
            label=named(rows[0], lang),
            stated=shown(rows[0]["stated"], None, "percent"),
            n=len(rows),
            hits=hits,
        )
    ]
    if default is not None and known(default["value"]):
        parts.append(say("robustness.baseline_yes" if default["reproduces"] else "robustness.baseline_no", lang, year=int(default["year"]),
                         value=shown(default["value"], default["stated"], "percent")))  # fmt: skip
    if known(c.meta["synthetic"]) and c.meta["synthetic"]:
        parts.append(say("robustness.baseline_made", lang))
    return sentence(parts, lang)


def baseline_table(c: Context, rows: list[dict[str, Any]]) -> Table:
    """Lay out every reading of the statistic with its value for the base year."""
    key = "words_en" if c.lang == "en" else "words"
    yes, no = {"zh": ("是", "否"), "en": ("yes", "no")}[c.lang]
    body = []
    for r in rows:
        value = None if not known(r["value"]) else shown(r["value"], r["stated"], "percent")
        mark = Cell(yes, tone="good") if r["reproduces"] else no
        body.append((("；" if c.lang == "zh" else "; ").join(r[key]), str(int(r["year"])), r["n"], value, mark))
    return Table("baseline", say("robustness.baseline_table", c.lang, stated=shown(rows[0]["stated"], None, "percent")),
                 columns(BASELINE, c.lang), tuple(body), source=c.source("tax", "land"), cite=str(c.meta["document"]))  # fmt: skip


SINGLE: tuple[Spec, ...] = (
    ("question", "存疑条款", "Doubtful clause", "", "text"), ("why", "改按的读法", "Read instead", "", "text"),
    ("target", "目标", "Target", "", "text"), ("value", "完成值", "Value", "", "text"), ("status", "判定", "Verdict", "", "text"),
    ("clause", "条款", "Clause", "", "text"),
)  # fmt: skip
UNTESTABLE: tuple[Spec, ...] = (
    ("question", "存疑条款", "Doubtful clause", "", "text"), ("why", "读法", "Reading", "", "text"),
    ("needs", "台账缺少", "The ledger lacks", "", "text"), ("clause", "条款", "Clause", "", "text"),
)  # fmt: skip
BASELINE: tuple[Spec, ...] = (
    ("reading", "读法", "Reading", "", "text"), ("year", "年份", "Year", "", "text"), ("n", "计入家数", "Firms", "家", "count"),
    ("value", "测算值", "Value", "", "text"), ("hit", "与文件一致", "Agrees", "", "text"),
)  # fmt: skip
