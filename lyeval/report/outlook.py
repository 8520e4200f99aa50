"""Section 五、达标可能性: odds in words, how many are left, who decides it, on what condition."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lyeval.render import Bullets, Figure, Note, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context
from lyeval.report.record import record
from lyeval.report.tabulate import Heading, headings, tabulate
from lyeval.report.words import (
    amount,
    band,
    chance,
    day,
    few,
    goal_text,
    joined,
    known,
    named,
    number,
    range_text,
    say,
    sentence,
    shown,
    unit_name,
)

NAMED = 3  # firms that a sentence names
LOW = 0.2  # a firm less likely than this to reach its line is as good as settled


def outlook(c: Context) -> list[Block]:
    """Write the section; a final year gets no odds of its own, but those of the next target year."""
    rows = odds_rows(c)
    if not rows:
        return [Paragraph(say("outlook.none", c.lang, year=c.year)), *record(c)]
    blocks: list[Block] = [Paragraph(sentence([final_sentence(c, rows), as_if_sentence(c, rows)], c.lang))]
    blocks += [Paragraph(odds_sentence(r, c)) for r in rows]
    blocks += [Note(sentence([say(f"outlook.{k}", c.lang) for k in ("condition", "late")], c.lang))]
    blocks += [odds_figure(c, rows), odds_table(c, rows)]
    levied = levy_sentences(c, rows)
    blocks += [Bullets(tuple(levied))] if levied else []
    more = [table for table in (scenario_table(c, rows), alternative_table(c)) if table]
    return [*blocks, *more, *record(c)]


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
    key = "outlook.final" if c.rows("targets") else "outlook.final_list"
    return say(key, c.lang, year=c.year, next=joined([str(y) for y in years], c.lang))


def as_if_sentence(c: Context, rows: list[dict[str, Any]]) -> str:
    """Say that the plan sets no target for the year projected, where that is so."""
    years = sorted({int(r["year"]) for r in rows} - {int(y) for y in c.meta["target_years"]})
    return say("outlook.as_if", c.lang, years=joined([str(y) for y in years], c.lang)) if years else ""


def odds_sentence(row: dict[str, Any], c: Context) -> str:
    """Say a target's odds: how many are left, the band, who decides it."""
    lang = c.lang
    meta = c.value(f"{table_name(c)}_meta")
    values = {
        "as_of": day(meta["as_of"], lang), "year": int(row["year"]), "label": named(row, lang), "goal": goal_text(row, lang),
        "middle": middle_text(row, c), "range": span_text(row, c), "odds": odds_text(row, c), "class_": c.class_(row["class"]),
    }  # fmt: skip
    if row["certain"] in ("met", "missed"):
        return say("outlook.settled", lang, **values)
    line = _line(row, c)
    key = "odds_left" if line and row["kind"] == "count" and row["op"] == "le" else f"odds_{row['kind']}"
    return sentence([say(f"outlook.{key}", lang, line=line, **values), decided_sentence(row, c)], lang)


def _own_firms(row: dict[str, Any], c: Context) -> pd.DataFrame:
    """Return the projected enterprises of a target's class and year."""
    frame = c.frame(f"{table_name(c)}_enterprises")
    if not len(frame):
        return frame
    classes = c.frame("enterprises").set_index("credit_code")["class"]
    return frame[(frame["year"] == row["year"]) & (frame["credit_code"].map(classes) == row["class"])]


def _line(row: dict[str, Any], c: Context) -> str:
    """Write the one line that a target's enterprises are held to; empty where there is not one."""
    own = _own_firms(row, c)
    lines = sorted(set(own["line"])) if len(own) else []
    return f"{lines[0]:g}" if len(lines) == 1 else ""


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
    return amount(shown(_rounded(value, row), None, kind), row["unit"], c.lang)


def _rounded(value: Any, row: dict[str, Any]) -> Any:
    return float(round(float(value))) if row["kind"] == "count" and known(value) else value


def decided_sentence(row: dict[str, Any], c: Context) -> str:
    """Say how many are as good as settled, how many hang in the balance, and which firms it turns on most."""
    parts, own = [], _own_firms(row, c)
    if row["kind"] == "count" and len(own):
        out, open_ = int((own["probability"] < LOW).sum()), int(own["probability"].between(LOW, 1 - LOW).sum())
        parts.append(say("outlook.settled_firms", c.lang, n=out) if out else "")
        parts.append(say("outlook.open_firms", c.lang, n=open_) if open_ else "")
    parts += [_by_reading(row, c), _by_assumption(row, c)]
    names = _turning(row, c)
    parts.append(say("outlook.turns", c.lang, names=joined(names, c.lang)) if names else "")
    parts = [p for p in parts if p]
    text = ("；" if c.lang == "zh" else "; ").join(parts) + ("。" if c.lang == "zh" else ".")
    return text[:1].upper() + text[1:] if parts else ""


def _by_reading(row: dict[str, Any], c: Context) -> str:
    """Say between which odds the readings put a target, where they move it to another band."""
    found = [
        float(r["probability"]) for r in c.rows("forecast_readings") if (r["id"], r["year"]) == (row["id"], row["year"])
    ]
    ends = [min([*found, row["probability"]]), max([*found, row["probability"]])]
    low, high = (chance(p, None, c.lang) for p in ends)
    words = {band(p, None, c.lang) for p in ends}
    return say("outlook.by_reading", c.lang, low=low, high=high) if len(words) > 1 else ""


def _by_assumption(row: dict[str, Any], c: Context) -> str:
    """Name the assumption that moves a target's odds most, where it takes them to another band."""
    found = [
        r
        for r in c.rows("sensitivity")
        if (r["id"], r["year"]) == (row["id"], row["year"]) and r["group"] != "readings"
    ]
    if not found or len({band(p, None, c.lang) for p in (found[0]["p_low"], found[0]["p_high"])}) < 2:
        return ""
    low, high = (chance(p, None, c.lang) for p in sorted((found[0]["p_low"], found[0]["p_high"])))
    return say("outlook.by_assumption", c.lang, label=named(found[0], c.lang), low=low, high=high)


def _turning(row: dict[str, Any], c: Context) -> list[str]:
    swings = c.frame("forecast_swings")
    if table_name(c) != "forecast" or not len(swings):
        return []
    mine = swings[(swings["id"] == row["id"]) & (swings["year"] == row["year"])]["credit_code"].tolist()[:NAMED]
    names = c.frame("enterprises").set_index("credit_code")["name"]
    return [str(names.get(code, code)) for code in mine]


def odds_table(c: Context, rows: list[dict[str, Any]]) -> Table:
    """Lay out the odds in words with the range of most draws."""
    body = [
        {**r, "year": str(int(r["year"])), "goal": goal_text(r, c.lang), "middle": middle_text(r, c), "range": span_text(r, c),
         "odds": odds_text(r, c)}
        for r in rows
    ]  # fmt: skip
    return tabulate(c, "odds", body, say("outlook.table", c.lang), source=odds_source(c), note=say("outlook.note", c.lang),
                    cite=c.document)  # fmt: skip


def odds_source(c: Context) -> str:
    """Return the line under what is projected: from which data, under which assumptions, by how many draws."""
    meta = c.value(f"{table_name(c)}_meta")
    return say("outlook.source", c.lang, as_of=day(meta["as_of"], c.lang), draws=f"{int(meta['draws']):,}")


def odds_figure(c: Context, rows: list[dict[str, Any]]) -> Figure:
    """Draw the odds and the range of each target."""
    from lyeval import figures

    drawn = figures.odds(drawable(rows), lang=c.lang)
    alt = " ".join(odds_sentence(r, c) for r in rows)
    return figures.picture(drawn, "odds_figure", say("outlook.figure", c.lang), alt, source=odds_source(c))


def drawable(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the odds for drawing: a share of fewer than ten enterprises is drawn in firms, not in percent."""
    out = []
    for row in rows:
        row = {**row, "certain": row["certain"] in ("met", "missed")}
        if few(row) and row["weight"] == "count":
            row |= {k: row[k] * int(row["n"]) for k in ("p05", "p50", "p95", "goal") if known(row[k])} | {"unit": "家"}
        out.append(row)
    return pd.DataFrame(out).astype(object)


def scenario_table(c: Context, rows: list[dict[str, Any]]) -> Table | None:
    """Lay out the odds if some firms just below the line top up to it (临近标准企业入库变动情景)."""
    told = {(r["id"], int(r["year"])): r for r in rows if r["certain"] not in ("met", "missed")}
    found = [
        r for r in c.rows(f"{table_name(c)}_scenarios") if (r["id"], int(r["year"])) in told and known(r["probability"])
    ]
    steps = sorted({float(r["response"]) for r in found if r["basis"] == "assumed"})
    if len(steps) < 2:
        return None
    heads = list(headings("odds")[:2])
    heads += [
        Heading(f"s{s:g}", f"{s:.0%}补足" if s else "无变动", f"{s:.0%} top up" if s else "none", "", "text")
        for s in steps
    ]
    past = any(r["basis"] == "estimated" for r in found)
    if past:
        heads.append(Heading("estimated", "按往年情形", "as in past years", "", "text"))
    cells: dict[tuple[str, int], dict[str, str]] = {}
    for r in found:
        near = chance(float(r["probability"]), None, c.lang)
        estimated = r["basis"] == "estimated"
        text = say("outlook.estimated", c.lang, share=f"{float(r['response']):.0%}", odds=near) if estimated else near
        own = cells.setdefault((r["id"], int(r["year"])), {})
        own["estimated" if estimated else f"s{float(r['response']):g}"] = text
    body = [{**row, "year": str(key[1]), **cells[key]} for key, row in told.items() if key in cells]
    note = sentence(
        [say("outlook.scenario_note", c.lang), say("outlook.scenario_past", c.lang) if past else ""], c.lang
    )
    return tabulate(
        c, "scenarios", body, say("outlook.scenarios", c.lang), columns=heads, source=odds_source(c), note=note
    )


def levy_sentences(c: Context, rows: list[dict[str, Any]]) -> list[str]:
    """Say each open target's odds without the land-use tax charged as a penalty, as booked, and at the full rates."""
    found = {(r["id"], r["counted"]): r for r in c.rows("forecast_levies") if known(r["probability"])}
    out = []
    for row in rows:
        told = [found.get((row["id"], counted)) for counted in ("left_out", "booked", "full")]
        if row["certain"] in ("met", "missed") or not all(told) or not any(r["firms"] for r in told if r):
            continue
        near = [chance(float(r["probability"]), None, c.lang) for r in told if r]
        full = found[row["id"], "full"]
        values = {
            "n": int(full["firms"]),
            "wan": number(full["extra_wan"], 1),
            "a": near[0],
            "b": near[1],
            "c": near[2],
        }
        out.append(say("outlook.levy", c.lang, label=named(row, c.lang), **values))
    return out


def alternative_table(c: Context) -> Table | None:
    """Lay out the odds under other assumptions (情景), beside those as arranged."""
    rows = [r for r in c.rows("alternatives") if known(r["probability"])]
    if not rows:
        return None
    body = []
    for r in rows:
        kind = {"": "share", "万元/亩": "mean"}.get(str(r["unit"] or ""), "count")
        told = {**r, "kind": kind, "n": r["members"], "weight": "count"}
        name = r["scenario"] or say("outlook.as_arranged", c.lang)
        cells = {
            "scenario": name,
            "middle": middle_text(told, c),
            "range": span_text(told, c),
            "odds": odds_text(told, c),
        }
        body.append({**told, **cells, "year": str(int(r["year"])), "goal": goal_text(told, c.lang)})
    told = dict.fromkeys((str(r["scenario"]), str(r["changes"])) for r in rows if r["scenario"])
    note = say(
        "outlook.alternative_note", c.lang, changes="；".join(f"{name}（{changed(text, c)}）" for name, text in told)
    )
    return tabulate(c, "alternatives", body, say("outlook.alternatives", c.lang), source=odds_source(c), note=note)


def changed(text: str, c: Context) -> str:
    """Write what a scenario changes (``path=value；…``) in words where there are words for it."""
    parts = []
    for part in text.split("；"):
        path, _, value = part.partition("=")
        path = path.removesuffix(".value")
        parts.append(FIGURES[path][c.lang == "en"].format(value.replace("-", "−")) if path in FIGURES else part)
    return joined(parts, c.lang)


FIGURES = {
    "effort": ("处置办结的快慢为现有安排的{}倍", "disposals at {} times the arranged pace"),
    "funds": ("收储办结的快慢为现有安排的{}倍", "land banking at {} times the arranged pace"),
    "common_shock.mean": ("全域税收的对数变动{}", "the county's log tax shifted by {}"),
}
