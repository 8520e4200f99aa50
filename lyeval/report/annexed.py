"""Sheets that only the annex has: enterprises and disposals one by one, odds with their errors, every reading, every fault."""

from __future__ import annotations

from typing import Any

from lyeval.render import Cell, Table
from lyeval.report.context import Context
from lyeval.report.listing import firm_rows
from lyeval.report.outlook import odds_source
from lyeval.report.quality import SEVERITY, department
from lyeval.report.robustness import reading_rows, reading_value
from lyeval.report.tabulate import headings, tabulate
from lyeval.report.words import (
    STATUS,
    amount,
    band,
    fact_name,
    goal_text,
    joined,
    known,
    named,
    say,
    sentence,
    shown,
    tone_of,
)


def enterprises(c: Context) -> Table:
    """List every enterprise of the ledger with scope, exclusion, listing, figures and disposal, by credit code."""
    rows = firm_rows(c, c.frame("enterprises")["credit_code"].tolist())
    return tabulate(c, "enterprises", rows, say("annex.enterprises", c.lang, year=c.year), source=c.source("tax", "land", "statistics"),
                    note=say("listing.distance_note", c.lang), cite=c.document)  # fmt: skip


def grades(c: Context) -> Table:
    """List every rated enterprise's score and class."""
    names = c.frame("enterprises").set_index("credit_code")["name"]
    rows = [{**r, "name": names.get(r["credit_code"])} for r in c.rows("grades")]
    return tabulate(
        c, "grades_full", rows, say("annex.grades", c.lang), source=c.source("tax", "land"), cite=c.document
    )


def cases(c: Context) -> Table:
    """List every disposal on record by the year's end."""
    rows = [r for r in c.rows("disposals") if r["state"] != "not_started"]
    present = c.frame("disposals").columns
    heads = [h for h in headings("cases") if h.key in present]
    return tabulate(
        c,
        "cases",
        rows,
        say("annex.cases", c.lang, year=c.year),
        columns=heads,
        source=c.source("towns"),
        cite=c.document,
    )


def odds(c: Context, name: str) -> Table:
    """Lay out the odds with probability, Monte Carlo error and percentiles."""
    rows = []
    for r in c.rows(name):
        kind = {"": "share", "万元/亩": "mean"}.get(str(r["unit"] or ""), "count")
        told = {**r, "kind": kind}
        ends = {k: _statistic(r[k], told, c) for k in ("p05", "p50", "p95")}
        words = band(r["probability"], r["certain"], c.lang) if known(r["probability"]) else "—"
        rows.append({**r, **ends, "year": str(int(r["year"])), "goal": goal_text(told, c.lang), "words": words})
    meta = c.value(f"{name}_meta")
    note = " ".join(str(n) for n in meta["notes_en" if c.lang == "en" else "notes"])
    return tabulate(
        c,
        "odds_full",
        rows,
        say(f"annex.{name}", c.lang),
        id=f"annex_{name}",
        source=_source(c, name),
        note=note,
        cite=c.document,
    )


def _statistic(value: Any, row: dict[str, Any], c: Context) -> str:
    if not known(value):
        return "—"
    kind = {"share": "percent", "mean": "number"}.get(row["kind"], "count")
    return amount(shown(value, None, kind), row["unit"], c.lang)


def _source(c: Context, name: str) -> str:
    meta = c.value(f"{name}_meta")
    return say("annex.draws", c.lang, source=odds_source(c), seed=int(meta["seed"]), assumptions=meta["assumptions"])


def odds_firms(c: Context, name: str) -> Table:
    """Lay out each projected enterprise's odds of reaching its line."""
    names = c.frame("enterprises").set_index("credit_code")["name"]
    rows = [
        {**r, "year": str(int(r["year"])), "name": names.get(r["credit_code"])} for r in c.rows(f"{name}_enterprises")
    ]
    return tabulate(
        c,
        "odds_firms",
        rows,
        say(f"annex.{name}_firms", c.lang),
        id=f"annex_{name}_firms",
        source=_source(c, name),
        cite=c.document,
    )


def scenarios(c: Context, name: str) -> Table:
    """Lay out the odds if firms near the line top up (临近标准企业入库变动情景)."""
    labels = {r["id"]: r for r in c.rows(name)}
    rows = [{**labels[r["id"]], **r, "year": str(int(r["year"]))} for r in c.rows(f"{name}_scenarios")]
    return tabulate(c, "scenarios_full", rows, say(f"annex.{name}_scenarios", c.lang), id=f"annex_{name}_scenarios",
                    source=_source(c, name), cite=c.document)  # fmt: skip


def left(c: Context, name: str) -> Table:
    """Lay out how likely each number of enterprises is to be left below the line."""
    labels, so_far, rows = {(r["id"], r["year"]): r for r in c.rows(name)}, {}, []
    for r in c.rows(f"{name}_left"):
        key = r["id"], r["year"]
        so_far[key] = so_far.get(key, 0.0) + float(r["probability"])
        told = {k: labels[key][k] for k in ("label", "label_en")}
        rows.append({**told, **r, "year": str(int(r["year"])), "at_most": min(so_far[key], 1.0)})
    return tabulate(
        c, "left", rows, say("annex.left", c.lang), id=f"annex_{name}_left", source=_source(c, name), cite=c.document
    )


def alternatives(c: Context) -> Table:
    """Lay out the odds under other assumptions (情景) with their errors and percentiles."""
    rows = []
    for r in c.rows("alternatives"):
        kind = {"": "share", "万元/亩": "mean"}.get(str(r["unit"] or ""), "count")
        ends = {k: _statistic(r[k], {**r, "kind": kind}, c) for k in ("p05", "p50", "p95")}
        name = r["scenario"] or say("outlook.as_arranged", c.lang)
        rows.append({**r, **ends, "scenario": name, "year": str(int(r["year"]))})
    return tabulate(
        c,
        "alternatives_full",
        rows,
        say("outlook.alternatives", c.lang),
        source=_source(c, "simulation"),
        cite=c.document,
    )


def sensitivity(c: Context, name: str) -> Table:
    """Lay out how far each assumption moves the odds, one at a time; or the shares that groups of assumptions have in it."""
    labels, meta = {r["id"]: r for r in c.rows("forecast")}, c.value("sensitivity_meta")
    rows = [
        {"label": None, **r, "target": named(labels[r["id"]], c.lang), "year": str(int(r["year"])),
         "group": say(f"sensitivity.{r['group']}", c.lang)}
        for r in c.rows(name)
    ]  # fmt: skip
    note = say(f"annex.{name}_note", c.lang, draws=int(meta["draws"]), samples=int(meta["samples"]))
    return tabulate(c, name, rows, say(f"annex.{name}", c.lang), source=_source(c, "forecast"), note=note)


def odds_readings(c: Context) -> Table:
    """Lay out the odds under other readings, one at a time, on the same draws."""
    labels, asked = {r["id"]: r for r in c.rows("forecast")}, {r["id"]: r for r in c.rows("switches")}
    kept = ("label", "label_en", "unit")
    rows = [
        {**r, **{k: labels[r["id"]][k] for k in kept}, **{k: asked[r["switch"]][k] for k in ("question", "question_en", "clause")},
         "year": str(int(r["year"]))}
        for r in c.rows("forecast_readings")
    ]  # fmt: skip
    return tabulate(
        c, "odds_readings", rows, say("annex.odds_readings", c.lang), source=_source(c, "forecast"), cite=c.document
    )


def levies(c: Context) -> Table:
    """Lay out the odds with the land-use tax charged as a penalty left out, as booked, and at the full rates."""
    labels = {r["id"]: r for r in c.rows("forecast")}
    rows = [
        {**{k: labels[r["id"]][k] for k in ("label", "label_en")}, **r, "year": str(int(r["year"])),
         "counted": say(f"levies.{r['counted']}", c.lang)}
        for r in c.rows("forecast_levies")
    ]  # fmt: skip
    note = say("levies.note", c.lang)
    return tabulate(
        c, "levies", rows, say("annex.levies", c.lang), source=_source(c, "forecast"), note=note, cite=c.document
    )


def swings(c: Context) -> Table:
    """Lay out the enterprises that a target hangs on most."""
    labels = {r["id"]: r for r in c.rows("forecast")}
    names = c.frame("enterprises").set_index("credit_code")["name"]
    rows = [
        {**r, "label": labels[r["id"]]["label"], "label_en": labels[r["id"]]["label_en"], "year": str(int(r["year"])),
         "name": names.get(r["credit_code"])}
        for r in c.rows("forecast_swings")
    ]  # fmt: skip
    return tabulate(c, "swings", rows, say("annex.swings", c.lang), source=_source(c, "forecast"), cite=c.document)


def backtest(c: Context, name: str) -> Table:
    """Lay out the record of past odds, with the number of years that it rests on."""
    meta = c.value("backtest_meta")
    note = say(
        "annex.backtest_note" if meta.get("enough") else "annex.backtest_few",
        c.lang,
        years=joined([str(y) for y in meta["years"]], c.lang),
    )
    rows = [{**r, "month": str(int(r["month"]))} for r in c.rows(name)]
    return tabulate(c, name, rows, say(f"annex.{name}", c.lang), source=c.source("tax"), note=note)


def readings(c: Context) -> Table:
    """Lay out each target under all combinations of readings."""
    key = "turned_by_questions_en" if c.lang == "en" else "turned_by_questions"
    rows = [
        {**r, "lowest": reading_value(r["lowest"], r, c), "highest": reading_value(r["highest"], r, c),
         "turned": ("；" if c.lang == "zh" else "; ").join(r[key] or []) or None}
        for r in reading_rows(c)
    ]  # fmt: skip
    return tabulate(
        c,
        "readings_full",
        rows,
        say("annex.readings", c.lang),
        source=c.source("tax", "land", "statistics"),
        cite=c.document,
    )


def switches(c: Context) -> Table:
    """Lay out every option of every switch alone, also those that move nothing."""
    own = {r["id"]: r for r in reading_rows(c)}
    rows = []
    for r in (r for r in c.rows("readings_switches") if r["target"] in own):
        target = own[r["target"]]
        status = Cell(STATUS[str(r["status"])][c.lang == "en"], tone=tone_of({"status": r["status"], "reason": None}))
        mark = say("annex.default", c.lang) if r["default"] else ""
        rows.append({**r, "label": r["label"] + mark, "label_en": r["label_en"] + mark, "target": named(target, c.lang),
                     "value": reading_value(r["value"], target, c), "status": status})  # fmt: skip
    return tabulate(c, "switches", rows, say("annex.switches", c.lang), id="annex_switches", source=c.source("tax", "land", "statistics"),
                    cite=c.document)  # fmt: skip


def gaps(c: Context) -> Table:
    """Lay out what is owed, by department, and the targets that it touches."""
    labels = {r["id"]: named(r, c.lang) for r in c.rows("targets")}
    rows = [
        {**r, "department": department(r, c.lang), "fact": fact_name(r["fact"], c.lang),
         "targets": joined([labels.get(t, t) for t in str(r["targets"]).split("、")], c.lang)}
        for r in c.rows("gaps")
    ]  # fmt: skip
    return tabulate(c, "gaps", rows, say("annex.gaps", c.lang), source=c.source(), cite=c.document)


def faults(c: Context) -> Table:
    """List every fault with its place."""
    rows = [
        {
            **r,
            "severity": SEVERITY[str(r["severity"])][c.lang == "en"],
            "row": str(int(r["row"])) if known(r["row"]) else None,
        }
        for r in c.rows("faults")
    ]
    return tabulate(c, "faults_full", rows, say("annex.faults", c.lang), source=c.source())


def measures(c: Context) -> Table:
    """List whom each consequence meets, with what is withheld and the clause (D 档、差别化措施)."""
    rows = [{**r, "year": str(int(r["year"]))} for r in consequence_rows(c, c.rows("consequences"))]
    return tabulate(c, "measures", rows, say("annex.measures", c.lang, year=c.year), source=c.source("tax", "towns"),
                    note=say("measures.distance", c.lang), cite=c.document)  # fmt: skip


def trend_table(c: Context) -> Table | None:
    """Lay out tax, land and tax per mu of the whole ledger over the years."""
    rows = [{**r, "year": str(r["year"])} for r in c.rows("totals") if r["year"] <= c.year]
    if not rows:
        return None
    return tabulate(c, "trend", rows, say("overall.trend_table", c.lang), source=c.source("tax", "land"),
                    note=say("overall.trend_note", c.lang))  # fmt: skip


def consequence_rows(c: Context, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return whom consequences meet, by township, with grounds and measures in words."""
    key, gap = ("effects_en", "; ") if c.lang == "en" else ("effects", "；")
    ordered = sorted(
        rows, key=lambda r: (str(r["consequence"]), str(r["township"]), -(r["land_mu"] or 0), r["credit_code"])
    )
    return [
        {
            **r, "grounds": joined([fact_name(g, c.lang) for g in r["grounds"] or []], c.lang) or None,
            "effects": gap.join(r[key] or []),
        }
        for r in ordered
    ]  # fmt: skip


def opening_table(c: Context, most: int | None = None) -> Table:
    """List who opens next year's list: new ones first, then those that remain, then those that wait for data."""
    labels = {r["id"]: named(r, c.lang) for r in c.rows("criteria")}
    rows = sorted(c.rows("opening_list"), key=_opening_order)
    rows = rows if most is None else [r for r in rows if r["identified"] is True]
    body = [{**r, "state": _state(r, c), "criteria": joined([labels.get(k, str(k)) for k in r["criteria"] or []], c.lang) or None}
            for r in rows[:most]]  # fmt: skip
    key = "measures.opening_table" if c.meta["next_governed"] else "measures.opening_table_as_if"
    notes = [say("measures.distance", c.lang)]
    every = c.rows("opening_list")
    if len(every) > len(body):
        open_ = sum(r["identified"] is not True for r in every)
        waiting = say("measures.opening_waiting", c.lang, n=open_) if open_ else ""
        notes.append(say("measures.opening_rest", c.lang, shown=len(body), n=len(every), waiting=waiting))
    return tabulate(c, "opening_list", body, say(key, c.lang, year=c.year + 1), source=c.source("tax", "land", "statistics"),
                    note=sentence(notes, c.lang), cite=c.document, sortable=len(body) > 12)  # fmt: skip


def _opening_order(row: dict[str, Any]) -> tuple[bool, bool, str, str]:
    return (row["identified"] is not True, bool(row["before"]), str(row["township"]), str(row["credit_code"]))


def _state(row: dict[str, Any], c: Context) -> str:
    if row["identified"] is not True:
        return say("measures.state_open", c.lang)
    name = "old" if row["before"] else "line" if row["by_line"] else "new"
    return say(f"measures.state_{name}", c.lang)
