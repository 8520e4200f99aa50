"""Section 五、达标可能性: odds in words, how many are left, who decides it, on what condition."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lyeval.render import Figure, Note, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context, Spec, columns
from lyeval.report.words import (
    band,
    chance,
    day,
    few,
    goal_text,
    joined,
    known,
    named,
    range_text,
    say,
    sentence,
    shown,
    unit_name,
)

NAMED = 3  # firms that a sentence names


def outlook(c: Context) -> list[Block]:
    """Write the section; a final year gets no odds of its own, but those of the next target year."""
    rows = odds_rows(c)
    if not rows:
        return [Paragraph(say("outlook.none", c.lang, year=c.year))]
    blocks: list[Block] = [Paragraph(sentence([final_sentence(c, rows), as_if_sentence(c, rows)], c.lang))]
    blocks += [Paragraph(odds_sentence(r, c)) for r in rows]
    blocks += [Note(say("outlook.condition", c.lang)), odds_figure(c, rows), odds_table(c, rows)]
    scenarios = scenario_table(c, rows)
    return blocks + ([scenarios] if scenarios else [])


def table_name(c: Context) -> str:
    """Return which result tells the odds: the forecast where there is one, else the simulation of the year to come."""
    return "forecast" if len(c.frame("forecast")) else "simulation"


def odds_rows(c: Context) -> list[dict[str, Any]]:
    """Return the targets that have odds, with kind, number counted and weight as the other sections know them."""
    own = {r["id"]: r for r in c.rows("targets")}
    out = []
    for row in c.rows(table_name(c)):
        if known(row["probability"]) and known(row["goal"]):
            this = own.get(row["id"], {})
            kind = {"": "share", "万元/亩": "mean"}.get(str(row["unit"] or ""), "count")
            more = {
                "kind": kind,
                "n": row["members"],
                "weight": this.get("weight", "count"),
                "class": this.get("class", "any"),
            }
            out.append({**row, **more})
    return out


def final_sentence(c: Context, rows: list[dict[str, Any]]) -> str:
    """Say that a final year has a verdict and no odds, and which year the odds are of."""
    years = sorted({int(r["year"]) for r in rows})
    if years[0] <= c.year:
        return ""
    return say("outlook.final", c.lang, year=c.year, next=joined([str(y) for y in years], c.lang))


def as_if_sentence(c: Context, rows: list[dict[str, Any]]) -> str:
    """Say that the plan sets no target for the year projected, where that is so."""
    years = sorted({int(r["year"]) for r in rows} - {int(y) for y in c.meta["target_years"]})
    return say("outlook.as_if", c.lang, years=joined([str(y) for y in years], c.lang)) if years else ""


def odds_sentence(row: dict[str, Any], c: Context) -> str:
    """Say a target's odds: what is left, the band, who decides it."""
    lang = c.lang
    meta = c.value(f"{table_name(c)}_meta")
    values = {
        "as_of": day(meta["as_of"], lang), "year": int(row["year"]), "label": named(row, lang), "goal": goal_text(row, lang),
        "middle": middle_text(row, c), "range": span_text(row, c), "odds": odds_text(row, c),
    }  # fmt: skip
    if row["certain"] in ("met", "missed"):
        return say("outlook.settled", lang, **values)
    return sentence([say(f"outlook.odds_{row['kind']}", lang, **values), decided_sentence(row, c)], lang)


def odds_text(row: dict[str, Any], c: Context) -> str:
    """Write the band, with the odds to the nearest five points in brackets."""
    words, near = band(row["probability"], row["certain"], c.lang), chance(row["probability"], row["certain"], c.lang)
    return words if not near else f"{words}（{near}）" if c.lang == "zh" else f"{words} ({near})"


def middle_text(row: dict[str, Any], c: Context) -> str:
    """Write the middle of the draws with its unit."""
    return _value(row["p50"], row, c)


def span_text(row: dict[str, Any], c: Context) -> str:
    """Write between what most draws lie (5 to 95 %)."""
    if few(row):
        ends = [_value(row[k], row, c) for k in ("p05", "p95")]
        return ends[0] if ends[0] == ends[1] else ends[0] + {"zh": "至", "en": " to "}[c.lang] + ends[1]
    return range_text(_rounded(row["p05"], row), _rounded(row["p95"], row), {**row, "goal": None}, c.lang)


def _value(value: Any, row: dict[str, Any], c: Context) -> str:
    if few(row):
        if row["weight"] != "count":
            return "—"
        return f"{round(float(value) * int(row['n']))}/{int(row['n'])}{unit_name('家', c.lang)}"
    kind = "percent" if row["kind"] == "share" else "number" if row["kind"] == "mean" else "count"
    return shown(_rounded(value, row), None, kind) + unit_name(str(row["unit"] or ""), c.lang)


def _rounded(value: Any, row: dict[str, Any]) -> Any:
    return float(round(float(value))) if row["kind"] == "count" and known(value) else value


def decided_sentence(row: dict[str, Any], c: Context) -> str:
    """Say how many are as good as settled, how many hang in the balance, and which firms it turns on most."""
    frame = c.frame(f"{table_name(c)}_enterprises")
    parts = []
    if row["kind"] == "count" and len(frame):
        firms = c.frame("enterprises").set_index("credit_code")["class"]
        own = frame[(frame["year"] == row["year"]) & (frame["credit_code"].map(firms) == row["class"])]
        out, open_ = int((own["probability"] < 0.05).sum()), int(own["probability"].between(0.05, 0.95).sum())
        parts.append(say("outlook.settled_firms", c.lang, n=out) if out else "")
        parts.append(say("outlook.open_firms", c.lang, n=open_) if open_ else "")
    names = _turning(row, c)
    if names:
        parts.append(say("outlook.turns", c.lang, names=joined(names, c.lang)))
    parts = [p for p in parts if p]
    return (("；" if c.lang == "zh" else "; ").join(parts) + ("。" if c.lang == "zh" else ".")) if parts else ""


def _turning(row: dict[str, Any], c: Context) -> list[str]:
    swings = c.frame("forecast_swings")
    if table_name(c) != "forecast" or not len(swings):
        return []
    mine = swings[(swings["id"] == row["id"]) & (swings["year"] == row["year"])]["credit_code"].tolist()[:NAMED]
    names = c.frame("enterprises").set_index("credit_code")["name"]
    return [str(names.get(code, code)) for code in mine]


def lead_sentences(c: Context) -> list[str]:
    """Return each target's odds in one line, for the first section."""
    return [
        say("outlook.lead", c.lang, year=int(r["year"]), label=named(r, c.lang), odds=odds_text(r, c))
        for r in odds_rows(c)
    ]


def odds_table(c: Context, rows: list[dict[str, Any]]) -> Table:
    """Lay out the odds in words with the range of most draws."""
    body = [
        (
            named(r, c.lang),
            str(int(r["year"])),
            goal_text(r, c.lang),
            middle_text(r, c),
            span_text(r, c),
            odds_text(r, c),
            r["clause"],
        )
        for r in rows
    ]
    return Table("odds", say("outlook.table", c.lang), columns(ODDS, c.lang), tuple(body), source=_source(c),
                 note=say("outlook.note", c.lang), cite=str(c.meta["document"]))  # fmt: skip


def _source(c: Context) -> str:
    meta = c.value(f"{table_name(c)}_meta")
    return say("outlook.source", c.lang, as_of=day(meta["as_of"], c.lang), draws=f"{int(meta['draws']):,}")


def odds_figure(c: Context, rows: list[dict[str, Any]]) -> Figure:
    """Draw the odds and the range of each target."""
    from lyeval import figures

    drawn = [{**r, "certain": r["certain"] in ("met", "missed")} for r in rows]
    svg, png = figures.save(figures.odds(pd.DataFrame(drawn).astype(object), lang=c.lang))
    alt = " ".join(odds_sentence(r, c) for r in rows)
    return Figure("odds_figure", say("outlook.figure", c.lang), svg, png, alt, _source(c))


def scenario_table(c: Context, rows: list[dict[str, Any]]) -> Table | None:
    """Lay out the odds if some firms just below the line top up to it (临近标准企业入库变动情景)."""
    told = {(r["id"], int(r["year"])): r for r in rows if r["certain"] not in ("met", "missed")}
    found = [
        r for r in c.rows(f"{table_name(c)}_scenarios") if (r["id"], int(r["year"])) in told and known(r["probability"])
    ]
    steps = sorted({float(r["response"]) for r in found})
    if len(steps) < 2:
        return None
    spec: list[Spec] = [ODDS[0], ODDS[1]]
    spec += [
        (f"s{s:g}", f"{s:.0%}补足", f"{s:.0%} top up", "", "text") if s else ("s0", "无变动", "none", "", "text")
        for s in steps
    ]
    by = {(r["id"], int(r["year"]), float(r["response"])): float(r["probability"]) for r in found}
    body = []
    for (id, year), row in told.items():
        if any((id, year, s) in by for s in steps):
            cells = [chance(by[id, year, s], None, c.lang) if (id, year, s) in by else "—" for s in steps]
            body.append((named(row, c.lang), str(year), *cells))
    return Table("scenarios", say("outlook.scenarios", c.lang), columns(tuple(spec), c.lang), tuple(body), source=_source(c),
                 note=say("outlook.scenario_note", c.lang))  # fmt: skip


ODDS: tuple[Spec, ...] = (
    ("target", "目标", "Target", "", "text"), ("year", "年度", "Year", "", "text"), ("goal", "目标值", "Goal", "", "text"),
    ("middle", "预计值", "Expected", "", "text"), ("range", "多数情形", "Most draws", "", "text"),
    ("odds", "完成可能性", "Odds", "", "text"), ("clause", "条款", "Clause", "", "text"),
)  # fmt: skip
