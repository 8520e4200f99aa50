"""Every table of the review and its annex as data (``sheets.csv``): from which table of the run, under which headings, with which words (表).

A template names a sheet, ``{{ table("targets") }}``; the annex is those that ``sheets.csv`` numbers. Where a table of the run is not
laid out row by row, a function of `ROWS` chooses, orders and completes its rows; nothing is computed here that a reader could quote.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from lyeval.render import Cell, Table
from lyeval.render.blocks import Lang
from lyeval.report.cells import Context, plan_targets, plans_differ
from lyeval.report.tabulate import Heading, Laid, headings, tabulate
from lyeval.report.words import (
    FEW,
    amount,
    clauses,
    coded,
    count,
    day,
    joined,
    kind_by_unit,
    known,
    named,
    number,
    of_target,
    percent,
    phrase,
    share,
    shown,
    signed,
    toned,
    value_text,
    word,
)
from lyeval.resources import read_rows

Row = dict[str, Any]


class Sheet(NamedTuple):
    """A sheet: its id, the run's table, the headings' name, which columns of these or of the table's own description (blank: all of the
    headings), whence its figures, which clause it cites, its place in each annex, whether a page sorts it, its words.
    """

    id: str
    table: str
    heads: str
    columns: str
    source: str
    cite: str
    office: str
    research: str
    comparison: str
    sorts: str
    zh: str
    en: str
    note_zh: str
    note_en: str


@cache
def sheets() -> dict[str, Sheet]:
    """Return every sheet by its id, in the order of the file."""
    return {row["sheet"]: Sheet(*row.values()) for row in read_rows(__file__, "sheets.csv")}


def sheet(c: Context, id: str, *asked: Any) -> Table | None:
    """Lay out a sheet; None where it would hold no row.

    Parameters
    ----------
    asked
        What the sheet is of, where there are several of it: a target, a side.
    """
    make = ROWS.get(id)
    made = make(c, *asked) if make else c.rows(sheets()[id].table)
    laid = made if isinstance(made, Laid) else Laid(made)
    return lay_out(c, id, laid) if laid.rows else None


def lay_out(c: Context, id: str, made: list[Row] | Laid) -> Table:
    """Lay out the rows given under a sheet's headings and words, none as well."""
    spec, laid = sheets()[id], made if isinstance(made, Laid) else Laid(made)
    heads = laid.heads or headings(spec.heads, spec.table, spec.columns)
    words = {**_words(c, spec), **laid.words}
    heads = tuple(h._replace(zh=h.zh.format(**words), en=h.en.format(**words)) for h in heads if _there(h, laid.rows))
    title, note = (spec.zh, spec.note_zh) if c.lang == "zh" else (spec.en, spec.note_en)
    return tabulate(
        c,
        spec.heads,
        laid.rows,
        title.format(**words),
        id=id + laid.of,
        columns=heads,
        traced=laid.table or spec.table,
        source=_source(c, spec),
        note=note.format(**words),
        cite=_cite(c, spec, laid.rows),
        sortable=bool(spec.sorts) and len(laid.rows) > 12,
    )


def annex(tables: Mapping[str, Any], *, lang: Lang = "zh") -> list[Table]:
    """Return the sheets of the annex in their order: thirteen for the office (three more of plans), all of them in the research edition."""
    c = Context(tables, lang)
    place = "research" if c.research else "office"
    chosen = sorted((s for s in sheets().values() if getattr(s, place)), key=lambda s: int(getattr(s, place)))
    return [table for s in chosen if (table := sheet(c, s.id)) is not None]


def annex_notes(c: Context) -> list[tuple[str, str]]:
    """Return the lines of the notes sheet: how figures are made, and every doubtful clause with the reading in force."""
    head = phrase("basis", c.lang)
    lines = [(head, phrase(name, c.lang)) for name in ("basis_text", "distance_note", "footer")]
    return lines + [
        (named(r, c.lang, "question"), f"{named(r, c.lang, 'why')} [{clauses(r['clause'], c.lang)}]")
        for r in c.rows("switches")
    ]


def note_of(id: str, lang: Lang) -> str:
    """Return the note of a sheet that has no words to be filled in."""
    return sheets()[id].note_zh if lang == "zh" else sheets()[id].note_en


def _there(head: Heading, rows: list[Row]) -> bool:
    """Tell whether a ledger that keeps a column of its own has it: one that no row knows of is left out."""
    return head.key not in ("responsible", "difficulty", "next_step", "upgraded") or not rows or head.key in rows[0]


def _words(c: Context, spec: Sheet) -> dict[str, Any]:
    """Return what titles and notes may name."""
    if len(c.frame("side_about")):
        return {side: c.side(side) for side in c.frame("side_about").get("side", ())}
    words: dict[str, Any] = {"year": c.year, "before": c.year - 1, "next": c.year + 1, "place": c.place}
    words |= {name: c.class_(name) for name in ("above", "below") if name in c.meta}
    name = (
        spec.table.partition("_")[0]
        if spec.table.startswith(("backtest", "sensitivity"))
        else spec.source.partition(":")[2]
    )
    meta = c.value(f"{name}_meta")
    words |= {k: int(meta[k]) for k in ("draws", "samples", "seed") if k in meta}
    words["notes"] = " ".join(str(n) for n in meta.get("notes_en" if c.lang == "en" else "notes", []))
    words["years"] = joined([str(y) for y in meta.get("years", [])], c.lang)
    words["as_if"] = "" if c.meta.get("next_governed", True) else coded("cell", "as_if", c.lang)
    return words


def _source(c: Context, spec: Sheet) -> str:
    """Return the line under a sheet: departments of the ledger, draws, or the files of assumptions."""
    kind, _, name = spec.source.partition(":")
    if kind == "assumed":
        return phrase("assumed", c.lang)
    if kind == "draws":
        meta = c.value(f"{name}_meta") or c.value("simulation_meta")
        values = {"as_of": day(meta["as_of"], c.lang), "draws": f"{int(meta['draws']):,}", "seed": int(meta["seed"])}
        return phrase("drawn", c.lang, assumptions=meta["assumptions"], **values)
    return c.source(*([] if kind == "-" else kind.split())) if kind else ""


def _cite(c: Context, spec: Sheet, rows: list[Row]) -> str:
    """Return the plan's number, the clauses that the rows rest on, or the first row's."""
    if spec.cite == "plan":
        return c.document
    return clauses(cited(rows if spec.cite == "rows" else rows[:1]), c.lang) if spec.cite else ""


def cited(rows: list[Row]) -> str:
    """Return the clauses that rows rest on, each once."""
    return "；".join(dict.fromkeys(part for r in rows for part in str(r.get("clause") or "").split("；") if part))


def _county_targets(c: Context) -> Laid:
    """Lay out each county's part in the targets, where there are several."""
    own = c.by("targets")
    told: dict[str, Row] = {}
    for r in c.rows("county_targets"):
        told.setdefault(str(r["county"]), {"county": r["county"]})[str(r["target"])] = _part(
            r, own[r["target"]], c.lang
        )
    ids = [id for id in own if any(id in row for row in told.values())]
    heads = (
        *headings("county_targets"),
        *(Heading(id, str(own[id]["label"]), str(own[id]["label_en"]), "", "text") for id in ids),
    )
    return Laid([told[name] for name in sorted(told)] if len(told) > 1 else [], heads)


def _part(row: Row, target: Row, lang: Lang) -> str:
    """Write a county's part: a/b with its percentage where ten firms or more are counted, else a/b; a number where there is no whole."""
    if not known(row["whole"]):
        return amount(count(row["part"]), target["unit"], lang)
    digits = 0 if target["weight"] == "count" else 1
    text = f"{number(row['part'], digits)}/{number(row['whole'], digits)}"
    if int(row["n"]) < FEW or not row["whole"]:
        return text
    near = shown(row["part"] / row["whole"], target["goal"], "percent")
    return f"{text}（{near}）" if lang == "zh" else f"{text} ({near})"


def _list(c: Context) -> Laid:
    """Lay out the listed by township, most land first; stage and ground only where they differ."""
    rows = sorted((r for r in c.rows("enterprises") if r["listed"]), key=ORDERS["list"])
    alike = {key for key in ("stage", "criteria") if len({str(r[key]) for r in rows}) < 2}
    return Laid(rows, tuple(h for h in headings("firms") if h.key not in alike))


def _spread(name: str, column: str, zh: str, en: str) -> Callable[[Context], Laid]:
    """Return how the listed stand by place or industry: a share only of ten firms or more."""

    def make(c: Context) -> Laid:
        rows = []
        for r in c.rows(name):
            part = r["listed_land_mu"] / r["land_mu"] if r["land_mu"] and r["n"] >= FEW else None
            rows.append({**r, "place": r[column], "share": part})
        first = headings("spread")[0]._replace(zh=zh, en=en, kind="industry" if column == "industry" else "unit")
        return Laid(rows, (first, *headings("spread")[1:]))

    return make


def _grades(c: Context) -> Laid:
    rated = [r["grade"] for r in c.rows("grades") if known(r["grade"])]
    rows = [
        {"grade": g, "n": rated.count(g), "share": rated.count(g) / len(rated) if len(rated) >= FEW else None}
        for g in sorted(set(rated))
    ]
    return Laid(rows, (), {"n": len(rated)})


def _flows(c: Context) -> Laid:
    """Lay out the list's stock by class; ways out that nobody took are left out."""
    rows = [r for r in c.rows("flows") if r["class"] in ("above", "below", "all") or r["opening"] or r["new"]]
    fixed = headings("flows")
    exits = [k for r in rows if r["class"] == "all" for k, n in r.items() if n and k not in {h.key for h in fixed}]
    ways = [Heading(k, f"减：{k}", f"− {word(k, 'en')}", "家", "count") for k in exits]
    kept = [h for h in fixed[3:] if h.key != "left_scope" or any(r["left_scope"] for r in rows)]
    return Laid(rows, (*fixed[:3], *ways, *kept))


def _disposals(c: Context) -> list[Row]:
    blank = ("released_mu", "demolished_m2", "clause")
    return [{**r, **{k: r[k] or None for k in blank}} for r in c.rows("disposals_summary") if len(c.frame("disposals"))]


def _outcomes(c: Context) -> Laid:
    """Lay out what was finished in the year, per method by outcome."""
    rows = [r for r in c.rows("disposals_summary") if r["finished"]]
    names = sorted({k for r in rows for k in r["outcomes"] or {}})
    first, last = headings("outcomes")
    heads = (first, *(Heading(f"_{k}", k, word(k, "en"), "件", "count") for k in names), last)
    return Laid(
        [{**r, **{f"_{k}": (r["outcomes"] or {}).get(k, 0) for k in names}} for r in rows] if names else [], heads
    )


def _changes(c: Context) -> list[Row]:
    """Return the groups' tax over two years; none without earlier years to hold the listed against."""
    rows = [r for r in c.rows("changes") if r["n"]]
    if not any(r["group"] == "usual" and r["tax_before"] > 0 for r in rows):
        return []
    for r in rows:
        r |= {f"mean_{k}": r[f"tax_{k}"] / r[f"land_{k}"] if r[f"land_{k}"] else None for k in ("before", "after")}
        r["rise"] = signed(r["rise"], 0) if r["n"] >= FEW else "—"
    return rows


def _projected(name: str) -> Callable[[Context], list[Row]]:
    """Return a projection's targets with the kind that their unit tells."""

    def make(c: Context) -> list[Row]:
        blank = coded("cell", "as_given" if c.value("simulation_meta").get("plan") else "as_arranged", c.lang)
        return [{**r, "kind": kind_by_unit(r), "scenario": r.get("scenario") or blank} for r in c.rows(name)]

    return make


def _left(c: Context) -> list[Row]:
    """Return how likely each number of enterprises is to be left below the line, and so many or fewer."""
    so_far: dict[Any, float] = {}
    rows = []
    for r in c.rows("forecast_left"):
        key = r["id"], r["year"]
        so_far[key] = so_far.get(key, 0.0) + float(r["probability"])
        rows.append({**r, "at_most": min(so_far[key], 1.0)})
    return rows


def _record(c: Context) -> list[Row]:
    """Return what became of past odds, with the months known in words."""
    return [
        {**r, "when": phrase("known_at", c.lang, month=int(r["month"])), "hits": f"{r['hits']}/{r['n']}"}
        for r in c.rows("record")
    ]


def _switches(c: Context) -> list[Row]:
    return [r for r in c.rows("readings_switches") if r["target"] in c.by("targets")]


def _moved(c: Context) -> list[Row]:
    """Return the options that alone move a value or a verdict."""
    rows = _switches(c)
    base = {r["target"]: r for r in rows if r["default"]}
    return [r for r in rows if not r["default"] and _differs(r, base[r["target"]])]


def _differs(row: Row, base: Row) -> bool:
    if row["status"] != base["status"] or known(row["value"]) != known(base["value"]):
        return True
    return known(row["value"]) and abs(row["value"] - base["value"]) > 1e-9 * max(abs(base["value"]), 1)


def _baseline(c: Context) -> Laid:
    rows = c.rows("baseline")
    return Laid(rows, (), {"stated": percent(rows[0]["stated"])} if rows else {})


def _opening(c: Context) -> list[Row]:
    """Return who opens next year's list: new ones first, then those that remain, then those that wait for data."""
    rows = []
    for r in sorted(c.rows("opening_list"), key=ORDERS["opening_list"]):
        known_state = "old" if r["before"] else "line" if r["by_line"] else "new"
        rows.append({**r, "state": known_state if r["identified"] is True else "open"})
    return rows


def of_place(table: str, *, refused: bool | None = None) -> Callable[..., Laid]:
    """Return how rows of one place are laid out under a title that names it: estimates, what was not estimated, or both; checks."""

    def make(c: Context, side: str = "", place: str = "") -> Laid:
        mine = [r for r in c.rows(table) if r["side"] == side]
        rows = mine if refused is None else [r for r in mine if (r["verdict"] == "refused") == refused]
        return Laid(rows, (), {"place": place or (c.side(side) if side else c.place)}, side)

    return make


def _lists(c: Context) -> list[Row]:
    """Return every list that has anybody on it, with the clauses that it rests on."""
    rows = []
    named_so = [spec for id, spec in sheets().items() if id.startswith("list_")]
    for spec in (*named_so, sheets()["opening_list"]):
        found = c.rows(spec.id)
        if found:
            title = (spec.zh if c.lang == "zh" else spec.en).format(**_words(c, spec))
            cites = cited(c.rows("criteria") if spec.id == "opening_list" else found)
            rows.append({"clause": cites or "—", "list": title, "n": len(found)})
    return rows


def _summoned(c: Context) -> Laid:
    rows = c.rows("list_summoned")
    return Laid(rows, (), {"month": round(12 * next((r["schedule"] for r in rows if "schedule" in r), 1))})


def _ranking(name: str) -> Callable[[Context], list[Row]]:
    """Return units by rank; a rate only of ten listed firms or more, a/b of fewer."""

    def make(c: Context) -> list[Row]:
        rows = []
        for r in c.rows(name):
            rate = share(r["reached"] + r["left"], r["listed"], int(r["listed"]), c.lang, "")
            few = "" if known(r["rank"]) or r["whole"] else coded("cell", "few", c.lang)
            rows.append({**r, "rate_text": rate + few})
        return rows if len(rows) > 2 else []

    return make


def _contributions(c: Context) -> list[Row]:
    rows = c.rows("contributions")
    return rows if len({r["unit"] for r in rows}) > 1 else []


def _pace(c: Context) -> Laid:
    """Lay out tax to date against last month, last year and schedule, on the same firms; firms are compared in firms."""
    rows = []
    for r in (r for r in c.rows("pace") if r["n"]):
        firm = r["against"].startswith("on_course")
        told: Row = {"unit": coded("unit", "家" if firm else "万元", c.lang)}
        if firm:
            told |= {k: Cell(r[k], digits=0) for k in ("before", "now")}
        if firm and known(r["now"]) and known(r["before"]):
            more = int(r["now"] - r["before"])
            told["change"] = f"{more:+d}".replace("-", "−") if more else "0"
        rows.append({**r, **told})
    return Laid(rows, (), {"month": int(rows[0]["month"]) if rows else 0})


def _departments(*, every: bool) -> Callable[[Context], list[Row]]:
    """Return how far each department's columns are filled, this year and the year before; or what lacks for the list and the targets."""

    def make(c: Context) -> list[Row]:
        judged = {r["label"] for name in ("targets", "criteria", "exclusions") for r in c.rows(name)}
        rows = []
        for r in c.rows("departments"):
            late = known(r["year"]) and int(r["year"]) not in (c.year - 1, c.year)
            whole = bool(r["there"]) and (not known(r["share"]) or r["share"] >= 1)
            if late or (not every and (whole or not judged & set(r["verdicts"]))):
                continue
            share = percent(int(r["share"] * 1000) / 1000) if known(r["share"]) else None
            rows.append({**r, "share_text": share if r["there"] else coded("cell", "absent", c.lang)})
        return rows

    return make


def _rerun(c: Context) -> list[Row]:
    """Return what a rerun needs: plan, sources with their hash, draws and seed, fingerprint, versions."""
    lang = c.lang
    rows: list[tuple[str, Any]] = [(phrase("rerun_plan", lang), f"{c.meta['policy']} {c.document}")]
    rows += [(phrase("rerun_source", lang, name=r["name"]), f"sha256 {r['sha256']}") for r in c.rows("sources")]
    for name in ("forecast", "simulation"):
        meta = c.value(f"{name}_meta")
        if meta:
            values = {k: meta[k] for k in ("assumptions", "as_of")} | {k: int(meta[k]) for k in ("draws", "seed")}
            rows.append((phrase(f"rerun_{name}", lang), phrase("rerun_draws", lang, **values)))
    basis = c.value("run").get("basis")
    rows += [(phrase("rerun_fingerprint", lang), str(basis))] if known(basis) and basis else []
    rows += [(str(r.get("name", r.get("component", ""))), str(r["version"])) for r in c.rows("versions")]
    return [{"item": item, "value": value} for item, value in rows]


FEW_NAMES = 3
MOST, SOME = 10, 5  # firms told of one target, and of each of several
DATED = 4  # steps with a date from which the plan is told by them alone


def _leader(c: Context) -> Laid:
    """Lay out each target with its base year and the year before."""
    history = {(r["id"], int(r["year"])): r for r in c.rows("history")}
    rows = []
    for t in c.rows("targets"):
        past = [history.get((t["id"], y)) for y in (t["baseline_year"] if known(t["baseline_year"]) else 0, c.year - 1)]
        base, before = (of_target(t, r["value"], t["goal"], "value", c.lang, r) if r else "" for r in past)
        stated = (
            shown(t["baseline"], None, "percent" if t["kind"] == "share" else "number")
            if known(t["baseline"])
            else base
        )
        unsaid = known(t["threshold"]) and f"{t['threshold']:g}万元" not in str(t["label"])
        line = phrase("with_line", c.lang, line=f"{t['threshold']:g}") if unsaid else ""
        rows.append({**t, "label": named(t, c.lang) + line, "base": stated, "before": before})
    heads = tuple(h for h in headings("leader_targets") if h.key != "base" or any(r["base"] for r in rows))
    return Laid(rows, heads)


def _bridge(c: Context) -> list[Row]:
    """Return the way from the ledger to the list and what became of it, by class and in all."""
    sides = {"above": "above", "below": "below", "": "all"}
    wanted = [r for by in ("class", "all") for r in c.rows("bridge") if r["by"] == by]
    return [{**r, "class": sides.get(r["group"], r["group"])} for r in wanted]


def _deciding(c: Context) -> Laid:
    """Lay out the firms that the targets turn on: ten of one target, five of each where there are more."""
    several = len({r["target"] for r in c.rows("deciding")}) > 1
    most = SOME if several else MOST
    chosen = [r for r in c.rows("deciding") if r["rank"] <= most]
    rows = [{**r, "row": k, "label": named(c.goals[str(r["target"])], c.lang)} for k, r in enumerate(chosen, start=1)]
    heads = tuple(h for h in headings("deciding") if several or h.key != "label")
    whose = phrase("one_target", c.lang, label=rows[0]["label"]) if rows else ""
    whose = phrase("all_targets", c.lang) if several else whose
    cut = len(rows) < len(c.rows("deciding"))
    return Laid(rows, heads, {"whose": whose, "cut": phrase("cut", c.lang, most=most) if cut else ""})


def _duties(c: Context) -> list[Row]:
    """Return the plan's steps of the year: those with a date where there are enough of them, else the recurring ones."""
    steps = [r for r in c.rows("calendar") if not str(r["id"]).startswith("targets")]
    dated = [r for r in steps if known(r["end"])]
    rows = []
    for k, r in enumerate(dated if len(dated) >= DATED else steps, start=1):
        units = named(r, c.lang, "owner").split("、" if c.lang == "zh" else ", ")
        state = toned("step", r["state"], c.lang, n=int(r["late"]))
        told = {
            "term": phrase("by_month", c.lang, month=r["end"].month)
            if known(r["end"])
            else coded("every", r["every"], c.lang),
            "owner": joined(units[:2], c.lang) + (coded("cell", "others", c.lang) if len(units) > 2 else ""),
            "told": int(r["n"]) or None,
            "state": state,
        }
        rows.append({**r, "row": k, **told})
    return rows


def _units(c: Context) -> Laid:
    """Lay out the units in the order of what is settled: counties with their part of each target at city level, else townships."""
    own = {str(t["id"]): t for t in c.rows("targets")}
    parts = {(str(r["county"]), str(r["target"])): _quota(r, own[str(r["target"])], c.lang) for r in c.rows("quotas")}
    ids = [id for id in own if any(key[1] == id for key in parts)]
    table = "ranking_counties" if parts else "ranking_townships"
    rows = []
    for r in c.rows(table):
        late = any(q["county"] == r["unit"] and q["status"] == "missed" for q in c.rows("quotas"))
        summons = coded("cell", "summon", c.lang) if r["summoned"] or late else ""
        settled = f"{int(r['reached'] + r['left'])}/{int(r['listed'])}"
        own_parts = {id: parts.get((str(r["unit"]), id)) for id in ids}
        rows.append({**r, **own_parts, "settled": settled, "summons": summons})
    heads = [h for h in headings("units") if not parts or h.key in ("rank", "unit", "settled", "summons")]
    place = next(k for k, h in enumerate(heads) if h.key == "settled") + 1
    extra = [Heading(id, str(own[id]["label"]), str(own[id]["label_en"]), "", "text") for id in ids]
    more = phrase("quota_note" if parts else "distance_note", c.lang)
    return Laid(rows, (*heads[:place], *extra, *heads[place:]), {"more": more}, table=table)


def _quota(row: Row, target: Row, lang: Lang) -> Cell | str:
    """Write a county's part in a target: a/b, or a number beside its part of the city's total, with its verdict where there is one."""
    if target["kind"] == "share":
        text = share(row["part"], row["whole"], int(row["n"]), lang, "家" if target["weight"] == "count" else "亩")
    else:
        text = value_text({**target, **row, "kind": target["kind"]}, lang)
        if known(row["goal"]):
            text = phrase("by_listed", lang, value=text, goal=amount(count(row["goal"]), target["unit"], lang))
    return replace(toned("status", row["status"], lang), value=text) if row["status"] in ("met", "missed") else text


def _next_steps(c: Context) -> list[Row]:
    """Return measures, who answers, by when, for which firms."""
    rows = []
    for k, r in enumerate(c.rows("next_steps"), start=1):
        first = joined([str(n) for n in r["names"][:FEW_NAMES]], c.lang)
        firms = first if int(r["n"]) <= FEW_NAMES else phrase("and_more", c.lang, names=first, n=int(r["n"]))
        told = {name: named(r, c.lang, name) for name in ("measure", "owner")}
        told |= {"due": day(r["due"], c.lang) if known(r["due"]) else "", "firms": firms}
        told |= {name: phrase("no_term", c.lang) for name in ("owner", "due") if not told[name]}
        rows.append({**r, "row": k, **told})
    return rows


ORDERS: dict[str, Callable[[Row], Any]] = {
    "list": lambda r: (
        r["township"] if known(r["township"]) else "~",
        -(r["land_mu"] if known(r["land_mu"]) else 0),
        r["credit_code"],
    ),
    "fault_groups": lambda r: (r["severity"] != "warning", -int(r["count"]), str(r["rule"])),
    "measures": lambda r: (str(r["consequence"]), str(r["township"]), -(r["land_mu"] or 0), r["credit_code"]),
    "opening_list": lambda r: (
        r["identified"] is not True,
        bool(r["before"]),
        str(r["township"]),
        str(r["credit_code"]),
    ),
}
ROWS: dict[str, Callable[..., list[Row] | Laid]] = {
    "leader_targets": _leader,
    "bridge": _bridge,
    "deciding": _deciding,
    "duties": _duties,
    "county_targets": _county_targets,
    "list": _list,
    "townships": _spread("townships", "township", "镇街", "Township"),
    "industries": _spread("industries", "industry", "行业（大类）", "Industry"),
    "counties": _spread("counties", "county", "县区", "County"),
    "grades": _grades,
    "flows": _flows,
    "doors": lambda c: [r for r in c.rows("doors") if r["n"] or r["door"] == "still_below"],
    "disposals": _disposals,
    "outcomes": _outcomes,
    "cases": lambda c: [r for r in c.rows("disposals") if r["state"] != "not_started"],
    "changes": _changes,
    "forecast_odds": _projected("forecast"),
    "simulation_odds": _projected("simulation"),
    "alternatives": _projected("alternatives"),
    "plans": plan_targets,
    "plans_differ": plans_differ,
    "forecast_left": _left,
    "record": _record,
    "readings": lambda c: [r for r in c.rows("readings") if r["id"] in c.by("targets")],
    "switches": _switches,
    "moved": _moved,
    "baseline": _baseline,
    "fault_groups": lambda c: sorted(c.rows("fault_groups"), key=ORDERS["fault_groups"]),
    "measures": lambda c: sorted(c.rows("consequences"), key=ORDERS["measures"]),
    "opening_list": _opening,
    "units": _units,
    "next_steps": _next_steps,
    "effects": of_place("effects", refused=False),
    "refused": of_place("effects", refused=True),
    "checks": of_place("effect_checks"),
    "lists": _lists,
    "list_summoned": _summoned,
    "ranking_townships": _ranking("ranking_townships"),
    "ranking_counties": _ranking("ranking_counties"),
    "contributions": _contributions,
    "pace": _pace,
    "departments": _departments(every=True),
    "lacking": _departments(every=False),
    "totals": lambda c: [r for r in c.rows("totals") if r["year"] <= c.year],
    "rerun": _rerun,
}
