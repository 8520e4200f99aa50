"""Two places on one ruler (两地比较报告): the template ``comparison`` filled from a run's tables, and the annex."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import pandas as pd

from lyeval.policy import Policy
from lyeval.policy.documents import clauses, side_by_side, timeline
from lyeval.policy.register import Register
from lyeval.render import Cell, Column, Document, Figure, Table
from lyeval.render.blocks import Block, Lang, Tone
from lyeval.render.glyphs import ems
from lyeval.report.cells import Selector
from lyeval.report.context import Context
from lyeval.report.described import (
    UNITS,
    brief,
    fixed_words,
    headed,
    place_of,
    printed_as,
    range_of,
    raw_of,
    rows_of,
    said,
    say_of,
    side_table,
    spoken,
    toned,
)
from lyeval.report.filling import template_of
from lyeval.report.tracing import TRACED
from lyeval.report.words import day, joined, known, named, number
from lyeval.tables.verdict import industries

MAIN = (
    "rd_reach",
    "rd_level",
    "did_reach",
    "did_level",
    "poisson_tax",
    "event_reach",
    "gap_reach",
    "gap_level",
    "timing",
)
PICTURED = ("gap_reach", "rd_reach")


def build_comparison(tables: Mapping[str, Any], *, lang: Lang = "zh") -> Document:
    """Build the comparison of two places (两地比较报告) from a run's tables alone.

    Raises
    ------
    TemplateError
        The template is wrong: told with file and line.
    """
    c = Context(tables, lang)
    blocks = comparison_blocks(c)
    run, a, b = c.value("run"), place_of(c, "a"), place_of(c, "b")
    title = str(run.get("title") or say_of(c, "title", a=a, b=b))
    years = [f"{place_of(c, str(r['side']))} {r['year']}" for r in c.rows("side_about")]
    note = str(c.meta["synthetic"] or "")
    watermark = say_of(c, "synthetic") if note and lang == "en" else note
    subtitle = said("subtitle", lang).format(*years)
    return Document(title, subtitle, _front(c, title), tuple(blocks), lang, watermark, say_of(c, "footer"))


def comparison_blocks(c: Context) -> list[Block]:
    """Fill the template of the comparison."""
    select = Selector(c.tables, TRACED, printed_as(c), c.lang)
    things = {
        "table": lambda name, *args: TABLES[name](c, *map(raw_of, args)),
        "figure": lambda name, *args: _figure(c, name, *map(raw_of, args)),
    }
    words = {"a": brief(c, "a"), "b": brief(c, "b"), "refused": named(c.value("side_refused"), c.lang, "reason")}
    return template_of("comparison", c.lang).blocks(select, lang=c.lang, things=things, words=words)


def _front(c: Context, title: str) -> tuple[tuple[str, str], ...]:
    """Return the lines of the first page: plans, data, date, version, how to cite."""
    run = c.value("run")
    about = c.rows("side_about")
    plans = ("；" if c.lang == "zh" else "; ").join(
        f"{named(r, c.lang, 'title')}" + (f"（{r['document']}）" if c.lang == "zh" else "") for r in about
    )
    date = day(run["report_date"], c.lang) if run.get("report_date") else ""
    versions = {str(r["component"]): str(r["version"]) for r in c.rows("versions")}
    version = f"lyeval {versions['lyeval']}" if "lyeval" in versions else "lyeval"
    cited = say_of(c, "cited", title=title, version=version, date=date or run.get("source_date") or "")
    upto = ("；" if c.lang == "zh" else "; ").join(f"{place_of(c, str(r['side']))} {r['cut']}" for r in about)
    values = {"plans": plans, "data": upto, "date": date, "version": version, "cite": cited}
    return tuple((say_of(c, name), value) for name, value in values.items() if value)


def documents(c: Context) -> Table:
    """Lay out the documents side by side: themes in their order, a column a plan, a few clauses a row so that no row is long."""
    rows = c.rows("side_documents")
    plans = list(dict.fromkeys(str(r["policy"]) for r in rows))
    places = {str(r["policy"]): named(r, c.lang, "place").split(" (")[0] for r in c.rows("side_about")}
    body: list[tuple[str, ...]] = []
    for theme in dict.fromkeys(str(r["theme"]) for r in rows):
        mine = [r for r in rows if r["theme"] == theme]
        parts = [_chunks(c, r) for r in mine]
        for at in range(max(map(len, parts))):
            label = named(mine[0], c.lang) if at == 0 else BLANK
            body.append((label, *(part[at] if at < len(part) else BLANK for part in parts)))
    heads = [Column("theme", say_of(c, "theme")), *(Column(p, places.get(p, p)) for p in plans)]
    return Table("documents", say_of(c, "documents"), tuple(heads), tuple(body), note=say_of(c, "documents_note"))


def _chunks(c: Context, row: Mapping[str, Any]) -> list[str]:
    """Part what a plan says under a theme into texts of some lines each."""
    text, sign = named(row, c.lang, "text"), "；" if c.lang == "zh" else "; "
    cites = str(row["clauses" if c.lang == "zh" else "articles"])
    lines = text.split("\n")
    if "[" not in text and cites:
        lines[-1] += f" [{cites}]"
    out = [""]
    for line in lines:
        if out[-1] and ems(out[-1] + line) > CHUNK:
            out.append("")
        out[-1] += (sign if out[-1] else "") + line
    return out


def _effects(c: Context, side: str, *, whole: bool = False) -> Table:
    rows = [r for r in rows_of(c, "effects", side=side) if r["verdict"] != "refused" and (whole or r["id"] in MAIN)]
    short = fixed_words()["specifications"]
    for row in rows:
        row["verdict"] = toned(c, "verdicts", str(row["verdict"]))
        if not whole:
            row["words"]["estimand"] = short[str(row["id"])][c.lang == "en"]
    columns = (
        "estimand",
        "estimate",
        "low",
        "high",
        "p_holm",
        "n_listed",
        "n_unlisted",
        "minimum_detectable",
        "verdict",
    )
    shown = columns if whole else ("estimand", "estimate", "low", "high", "p_holm", "verdict")
    return side_table(
        c,
        "effects",
        shown,
        say_of(c, "effects", place=brief(c, side)),
        rows,
        id=f"effects{side}",
        note=say_of(c, "effects_note") if side == "a" or whole else "",
    )


def _refused(c: Context, side: str) -> Table:
    rows = [r for r in rows_of(c, "effects", side=side) if r["verdict"] == "refused"]
    return side_table(
        c, "effects", ("estimand", "reason"), say_of(c, "refused", place=brief(c, side)), rows, id=f"refused{side}"
    )


def _checks(c: Context, side: str) -> Table:
    rows = rows_of(c, "effect_checks", side=side)
    for row in rows:
        row["passed"] = toned(c, "passed", "none" if not known(row["passed"]) else str(row["passed"]))
    return side_table(
        c,
        "effect_checks",
        ("side", "id", "check", "passed", "note"),
        say_of(c, "checks", place=brief(c, side)),
        rows,
        id=f"checks{side}",
    )


def _burden(c: Context, *, whole: bool = False) -> Table:
    """Lay out whom each common line falls on: by size in the body, by industry and township and for every line in the annex."""
    top = max((r["line"] for r in c.rows("plan_burden")), default=0.0)
    rows = [r for r in rows_of(c, "plan_burden") if whole or (r["by"] == "size" and r["line"] == top)]
    names = industries()
    for row in rows:
        if row["by"] == "industry" and row["group"] in names:
            row["group"] = names[row["group"]][c.lang == "en"]
    columns = ("side", "line", "by", "group", "scope", "listed", "listed_share", "listed_land_mu", "tax_needed_wan")
    shown = columns if whole else tuple(k for k in columns if k not in ("line", "by"))
    title = say_of(c, "burden") if whole else say_of(c, "burden_at", line=spoken(c, "line", top))
    return side_table(c, "plan_burden", shown, title, rows, id="burden")


def _parts(c: Context) -> Table:
    rows = [r for r in rows_of(c, "side_parts") if not r["constructed"]]
    return side_table(
        c,
        "side_parts",
        ("label", "value", "low", "high"),
        say_of(c, "parts"),
        rows,
        id="parts",
        note=say_of(c, "parts_note"),
    )


def _claims(c: Context) -> list[Table]:
    rows = sorted(c.rows("side_claims"), key=lambda r: r["may"] != "yes")
    words = {"yes": ("可以说", "may be said", "good"), "no": ("不可以说", "may not be said", "bad")}
    heads = tuple(Column(k, say_of(c, k)) for k in ("claim", "why", "may"))
    body = tuple(
        (
            named(r, c.lang, "claim"),
            named(r, c.lang, "why"),
            Cell(words[r["may"]][c.lang == "en"], tone=cast("Tone", words[r["may"]][2])),
        )
        for r in rows
    )
    return [Table("claims", say_of(c, "claims"), heads, body)]


def _moves(c: Context) -> Table:
    """Lay out moves between states: rows before, columns after; states that nobody is in are left out."""
    rows, fixed = c.rows("side_transitions"), fixed_words()["words"]
    counts = {(r["side"], r["group"], r["before"], r["after"]): int(r["n"]) for r in rows}
    at = c.lang == "en"
    used = [s for s in fixed["before"] if any(n for (*_, x, y), n in counts.items() if s in (x, y))]
    columns = [Column(k, say_of(c, k)) for k in ("list", "before")]
    columns += [Column(s, fixed["before"][s][at], kind="count") for s in used]
    body = []
    for about in c.rows("side_about"):
        side = about["side"]
        place = brief(c, side).removesuffix(" District").removesuffix(" County")
        period = say_of(c, "period", place=place, base=about["base_year"], year=about["year"])
        for g, words in fixed["group"].items():
            for s in (s for s in used if any(counts[side, g, s, t] for t in used)):
                row = [counts[side, g, s, t] for t in used]
                body.append((f"{period}{words[at]}", fixed["before"][s][at], *row))
    return Table("moves", say_of(c, "moves"), tuple(columns), tuple(body))


def _figure(c: Context, name: str, side: str = "") -> list[Figure]:
    from lyeval import figures

    if name == "timeline":
        drawn = figures.timeline(c.frame("side_timeline"), lang=c.lang)
        return [figures.picture(drawn, "timeline", say_of(c, "timeline"), say_of(c, "timeline_alt"))]
    out, part = [], c.frame("effect_figures")
    for row in (r for r in c.rows("effects") if r["side"] == side and r["id"] in PICTURED[:1]):
        drawn = part[(part["side"] == side) & (part["id"] == row["id"])]
        if len(drawn):
            what = fixed_words()["specifications"][str(row["id"])][c.lang == "en"]
            title = f"{brief(c, side)}{'：' if c.lang == 'zh' else ': '}{what}"
            made = figures.effect(drawn, lang=c.lang, y=say_of(c, "reached_share"))
            out.append(figures.picture(made, f"effect{side}_{row['id']}", title, named(row, c.lang, "sentence")))
    return out


def comparison_annex(tables: Mapping[str, Any], *, lang: Lang = "zh") -> list[Table]:
    """Return the sheets of the comparison's annex, each with its place as a column."""
    c = Context(tables, lang)
    sheets = [*_claims(c), documents(c), _clauses(c)]
    sheets += [
        side_table(c, table, tuple(columns.split()), say_of(c, title), sortable=True)
        for table, columns, title in SHEETS
    ]
    sheets += [_parts(c), _burden(c, whole=True), _moves(c)]
    if len(c.frame("effects")):
        for side in ("a", "b"):
            sheets += [_effects(c, side, whole=True), _refused(c, side), _checks(c, side)]
        sheets.append(
            side_table(c, "tax_rules", ("from", "until", "rule", "direction", "source"), say_of(c, "tax_rules"))
        )
    return sheets


def _clauses(c: Context) -> Table:
    """Lay out every clause of both documents under its theme, or with the reason why it is left out."""
    themes = {str(r["theme"]): named(r, c.lang) for r in c.rows("side_documents")}
    places = {str(r["policy"]): named(r, c.lang, "place") for r in c.rows("side_about")}
    rows = [
        {**r, "words": {"policy": places.get(str(r["policy"])), "theme_label": themes.get(str(r["theme"]), "—")}}
        for r in c.rows("side_clauses")
    ]
    return side_table(
        c,
        "side_clauses",
        ("policy", "clause", "theme_label", "text", "left_out"),
        say_of(c, "clauses"),
        rows,
        id="clauses",
    )


def document_of_policies(
    plans: Sequence[Policy], registers: Sequence[Register | None], *, lang: Lang = "zh"
) -> Document:
    """Return any number of plans' documents side by side: timeline, themes, and every clause with what is left out and why."""
    ids = [p.id for p in plans]
    plans = [
        p if ids.index(p.id) == k else p.model_copy(update={"id": f"{p.id} ({ids[: k + 1].count(p.id)})"})
        for k, p in enumerate(plans)
    ]
    about = pd.DataFrame(
        [(p.id, p.place.name, p.place.name_en) for p in plans], columns=["policy", "place", "place_en"]
    )
    tables = {
        "meta": {},
        "side_about": about,
        "side_documents": side_by_side(plans, registers),
        "side_clauses": pd.concat([clauses(p, r) for p, r in zip(plans, registers, strict=True)], ignore_index=True),
        "side_timeline": timeline(plans, registers),
    }
    c = Context(tables, lang)
    title = say_of(
        c, "compared_documents", places=joined([named(r, lang, "place") for r in c.rows("side_about")], lang)
    )
    meta = tuple((p.id, f"{p.document.number} {p.title}" if lang == "zh" else p.title_en) for p in plans)
    return Document(title, "", meta, (*_figure(c, "timeline"), documents(c), _clauses(c)), lang)


def comparison_notes(c: Context) -> list[tuple[str, str]]:
    """Return the lines of the annex's notes sheet."""
    names = ("documents_note", "effects_note", "parts_note", "rules_note", "rates_note")
    sums = [say_of(c, "checksum", place=brief(c, r["side"]), sha256=r["sha256"]) for r in c.rows("effect_plan")]
    return [
        (say_of(c, "basis_of"), text) for text in (*(say_of(c, name) for name in names), *sums, say_of(c, "footer"))
    ]


def _plainly(table: str, columns: str, c: Context, *_: Any, note: str = "", id: str = "") -> Table:
    """Lay a described table out whole, under the caption of its name."""
    name = table.removeprefix("side_")
    return side_table(
        c, table, tuple(columns.split()), say_of(c, name), note=say_of(c, note) if note else "", id=id or table
    )


def _rules(c: Context) -> Table:
    """Lay out whom either set of rules lists, each share as its range."""
    rows = rows_of(c, "side_rules")
    ranges = {"listed_low": "listed_high", "tax_low": "tax_high"}
    for row in rows:
        row.update({low: range_of(row[low], row[high]) for low, high in ranges.items()})
        row["tax_listed"] = _and_open(c, row["tax_listed"], row["tax_undecided"])
    columns = ("side", "rules", "listed", "listed_undecided", "listed_low", "tax_listed", "tax_low")
    made = side_table(c, "side_rules", columns, say_of(c, "rules"), rows, note=say_of(c, "rules_note"))
    return headed(c, made, listed_low="share", tax_low="tax_share")


def _and_open(c: Context, n: Any, undecided: Any) -> Any:
    """Write a count with how many more are undecided."""
    return Cell(say_of(c, "and_open", n=n, undecided=undecided)) if undecided else n


def _rates(c: Context) -> Table:
    """Lay out every rate with its list, the year it is seen in, and the time since the plan."""
    rows = rows_of(c, "side_rates")
    once = {(r["side"], r["list_year"], r["year"]): r for r in reversed(rows)}  # the year's list may be the first
    rows = [r for r in rows if once[r["side"], r["list_year"], r["year"]] is r]
    for row in rows:
        row["words"]["followed"] = f"{row['words']['followed']}{'，' if c.lang == 'zh' else ', '}{row['list_year']}"
        row["reached"] = Cell(f"{row['reached']}/{row['counted']}")
        row["failed"] = range_of(row["failed"], row["passed"])
    columns = ("side", "followed", "year", "months", "line", "reached", "dropped", "failed")
    made = side_table(c, "side_rates", columns, say_of(c, "rates"), rows, note=say_of(c, "rates_note"))
    return headed(c, made, failed="with_leavers", dropped="share", followed="list_of")


def _demand(c: Context) -> Table:
    """Lay out every step of either plan, the two places' enterprises one below the other."""
    rows = sorted(rows_of(c, "side_demand"), key=lambda r: r["rules"])
    order = {(r["rules"], r["id"], r["year"]): at for at, r in enumerate(reversed(rows))}
    rows.sort(key=lambda r: -order[r["rules"], r["id"], r["year"]])
    for row in rows:
        row["below"] = Cell(f"{row['below']}/{row['n']}")
        row["short"] = Cell(_short(c, row))
        if row["kind"] == "mean" and c.lang == "en":
            row["goal_text"] = f"{row['goal'] * 1e4:,.0f}"
    columns = ("year", "class", "line", "goal_text", "side", "below", "short", "median_growth", "tax_needed_wan")
    return side_table(c, "side_demand", columns, say_of(c, "demand"), rows, note=say_of(c, "demand_note"))


def _short(c: Context, row: Mapping[str, Any]) -> str:
    """Write what a step lacks, with its unit."""
    if not known(row["short"]):
        return "—"
    if row["unit"] != "万元/亩":
        unit = row["unit"] if c.lang == "zh" else {"家": "enterprises"}.get(row["unit"], UNITS.get(row["unit"], ""))
        return f"{number(row['short'], 0)}{'' if c.lang == 'zh' else ' '}{unit}"
    return f"{number(row['short'], 2)}万元/亩" if c.lang == "zh" else f"RMB {row['short'] * 1e4:,.0f}/mu"


def _sanctions(c: Context) -> Table:
    """Lay out what either plan's sanctions would cost either place's enterprises."""
    columns = ("rules", "label", "side", "exposed", "undecided", "wan", "wan_high")
    rows = sorted(rows_of(c, "side_sanctions"), key=lambda r: r["rules"])
    return side_table(c, "side_sanctions", columns, say_of(c, "sanctions"), rows, note=say_of(c, "sanctions_note"))


def _elements(c: Context) -> Table:
    """Lay out what each element does to the list of either place, from its own rules to the other's."""
    rows = rows_of(c, "side_elements")
    for row in rows:
        row["share_low"] = range_of(row["share_low"], row["share_high"])
        row["words"]["label"] = (
            say_of(c, f"rules_{row['element']}") if row["element"] in ENDS_OF else named(row, c.lang)
        )
    columns = ("side", "label", "listed", "undecided", "share_low", "mean", "share_mean")
    made = side_table(c, "side_elements", columns, say_of(c, "elements"), rows, note=say_of(c, "elements_note"))
    return headed(c, made, share_low="share")


BLANK = "\u00a0"  # an empty cell would be a dash, which says that there is nothing
CHUNK = 130.0  # ems of one cell of the documents side by side
ENDS_OF = ("own", "other")
RULES = (
    "side rules listed listed_undecided listed_share listed_low listed_high listed_land_low listed_land_high "
    "tax_listed tax_undecided tax_low tax_high"
)
ATTAINED = "scope scope_open counted reached attainment attainment_low attainment_high met missed undetermined"
RATES = "side followed list_year year months line listed undecided left no_figures counted reached dropped failed passed low high"
TABLES: dict[str, Callable[..., Table]] = {
    "documents": documents,
    "rules": _rules,
    "crossed": partial(_plainly, "side_crossed", "side by both a_only b_only neither undecided"),
    "elements": _elements,
    "demand": _demand,
    "sanctions": _sanctions,
    "burden": _burden,
    "rates": _rates,
    "parts": _parts,
    "moves": _moves,
    "effects": _effects,
    "odds": partial(_plainly, "side_odds", "side rules label year probability"),
}
SHEETS = (
    ("side_rates", f"{RATES} stock_share stock_land_share", "rates"),
    ("side_rules", f"{RULES} {ATTAINED}", "rules"),
    ("side_crossed", "side by both a_only b_only neither undecided", "crossed"),
    ("side_wanting", "side rules label n clause", "wanting"),
    (
        "side_elements",
        "side label listed undecided share share_low share_high first last mean share_mean clause",
        "elements",
    ),
    (
        "side_demand",
        "side rules label year line goal_text n unknown below below_share below_land_share short unit median_growth "
        "not_above_zero tax_needed_wan lifted class clause",
        "demand",
    ),
    ("side_sanctions", "side rules label exposed undecided land_mu wan wan_high without_figure clause", "sanctions"),
    ("side_odds", "side rules label year probability mc_error", "odds"),
    ("side_basis", "side year when class line n below share land_share", "basis"),
    ("side_cases", "label switch option year_b n_a n_b value_a value_b rules readings enterprises remainder", "cases"),
    ("side_doors", "side label n", "doors"),
    ("plans", "side threshold floor horizon listed listed_share land_share near pass_share", "every_plan"),
    (
        "side_firms",
        "side credit_code name township industry land_mu tax_per_mu_before listed_a listed_b tax_a tax_b",
        "firms",
    ),
)
