"""Part of section 五: the record of past odds (以往预测的检验), its sentences made from the fields of its table."""

from __future__ import annotations

from typing import Any

from lyeval.render import Figure, Heading, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context
from lyeval.report.tabulate import tabulate
from lyeval.report.words import joined, named, percent, say, sentence

NOMINAL, NARROW = 0.8, 0.7  # the interval that is told; below this share of hits it is called too narrow
SCORES = {"enterprise": "brier", "county": "crps"}
RIVAL = "no_change"


def record(c: Context) -> list[Block]:
    """Write what became of past odds; nothing where no past year was forecast at all."""
    meta = c.value("backtest_meta")
    if not meta:
        return []
    rows = record_rows(c)
    blocks: list[Block] = [Heading(2, say("record.heading", c.lang)), Paragraph(record_sentence(c, rows))]
    if not rows:
        return blocks
    if meta["enough"]:
        blocks += [Paragraph(text) for text in target_sentences(c, rows)]
    figure = record_figure(c, blocks)
    return [*blocks, *([figure] if figure else []), record_table(c, rows)]


def record_rows(c: Context) -> list[dict[str, Any]]:
    """Return a row a target and month: years tested, hits of the county's and the enterprises' intervals, and two comparisons."""
    labels = {r["id"]: r for name in ("simulation", "forecast", "targets") for r in c.rows(name)}
    inside = {(r["level"], r["id"], int(r["month"])): r for r in c.rows("backtest_coverage") if r["nominal"] == NOMINAL}
    against = {
        (r["level"], r["id"], int(r["month"])): r
        for r in c.rows("backtest_skill")
        if r["baseline"] == RIVAL and r["measure"] == SCORES.get(str(r["level"]))
    }
    out = []
    for level, id, month in sorted(inside):
        if level == "county" and id in labels:
            county, firms = inside[level, id, month], inside.get(("enterprise", id, month))
            verdicts = {f"{k}_verdict": against.get((k, id, month), {}).get("verdict") for k in SCORES}
            out.append({
                **{k: labels[id][k] for k in ("label", "label_en")}, "id": id, "month": month, "years": int(county["years"]),
                "hits": round(county["share"] * county["n"]), "n": int(county["n"]),
                "firms_share": firms["share"] if firms else None, "firms": int(firms["n"]) if firms else 0, **verdicts,
            })  # fmt: skip
    return out


def record_sentence(c: Context, rows: list[dict[str, Any]]) -> str:
    """Say which years were tested, that they are too few where they are, and how often the intervals held what came."""
    meta, lang = c.value("backtest_meta"), c.lang
    years = joined([str(y) for y in meta["years"]], lang)
    if not rows:
        return say("record.none", lang)
    parts = [say("record.intro", lang, years=years, n=len(meta["years"]))]
    if not meta["enough"]:
        return sentence([*parts, say("record.few", lang, n=len(meta["years"]))], lang)
    hits, n = sum(r["hits"] for r in rows), sum(r["n"] for r in rows)
    shares = [float(r["firms_share"]) for r in rows if r["firms"]]
    ends = [percent(end) for end in (min(shares), max(shares))] if shares else ["—", "—"]
    parts.append(say("record.cover", lang, low=ends[0], high=ends[1], hits=hits, n=n))
    parts.append(say("record.narrow" if hits < NARROW * n else "record.wide", lang))
    return sentence(parts, lang)


def target_sentences(c: Context, rows: list[dict[str, Any]]) -> list[str]:
    """Say of each target at which months the odds beat no change, and at which they did not."""
    out = []
    for id in dict.fromkeys(r["id"] for r in rows):
        own = [r for r in rows if r["id"] == id]
        told = [say(f"record.{level}", c.lang, told=_told(own, f"{level}_verdict", c)) for level in SCORES]
        out.append(
            say(
                "record.target",
                c.lang,
                label=named(own[0], c.lang),
                told="；".join(told) if c.lang == "zh" else "; ".join(told),
            )
        )
    return out


def _told(rows: list[dict[str, Any]], key: str, c: Context) -> str:
    """Name the months of each verdict."""
    parts = []
    for verdict in VERDICTS:
        months = [when(r["month"], c) for r in rows if (r[key] or "cannot_judge") == verdict]
        if months:
            parts.append(say(f"record.{verdict}", c.lang, months=joined(months, c.lang)))
    return ("，" if c.lang == "zh" else ", ").join(parts)


def when(month: Any, c: Context) -> str:
    """Write the months known: 上年末, 3月末."""
    return say("record.month" if int(month) else "record.year_end", c.lang, month=int(month))


def record_table(c: Context, rows: list[dict[str, Any]]) -> Table:
    """Lay the record out, one row a target and month."""
    body = [
        {**r, "month": when(r["month"], c), "hits": f"{r['hits']}/{r['n']}",
         **{f"{k}_verdict": say(f"record.word_{r[f'{k}_verdict'] or 'cannot_judge'}", c.lang) for k in SCORES}}
        for r in rows
    ]  # fmt: skip
    note = say("record.note", c.lang)
    return tabulate(c, "record", body, say("record.table", c.lang), source=c.source("tax"), note=note, cite=c.document)


def record_figure(c: Context, told: list[Block]) -> Figure | None:
    """Draw how often enterprises reached their line by the odds they had been given."""
    from lyeval import figures

    frame = c.frame("backtest_reliability")
    if not len(frame):
        return None
    drawn = figures.reliability(frame, lang=c.lang)
    alt = " ".join(b.text for b in told if isinstance(b, Paragraph))
    return figures.picture(drawn, "record_figure", say("record.figure", c.lang), alt, source=c.source("tax"))


VERDICTS = ("better", "no_difference", "worse", "cannot_judge")
