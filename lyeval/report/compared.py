"""Two places on one ruler (两地比较报告): the template ``comparison`` filled from a run's tables, and the annex."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from lyeval import figures
from lyeval.policy import Policy
from lyeval.policy.documents import clauses, side_by_side, timeline
from lyeval.policy.register import Register
from lyeval.render import Cell, Document, Figure, Table
from lyeval.render.blocks import Block, Lang
from lyeval.render.glyphs import ems
from lyeval.report.cells import Context
from lyeval.report.filling import fill, spoken
from lyeval.report.sheets import lay_out, note_of, of_place, sheets
from lyeval.report.tabulate import Heading, Laid, headings
from lyeval.report.words import coded, day, joined, known, named, number, percent, phrase, unit_name
from lyeval.report.year_end import effects
from lyeval.tables.registry import values
from lyeval.tables.verdict import industry_name

Row = dict[str, Any]
PICTURED = "gap_reach"


def build_comparison(tables: Mapping[str, Any], *, lang: Lang = "zh") -> Document:
    """Build the comparison of two places (两地比较报告) from a run's tables alone.

    Raises
    ------
    TemplateError
        The template is wrong: told with file and line.
    """
    c = Context(tables, lang)
    blocks = comparison_blocks(c)
    run, a, b = c.value("run"), c.place_of("a"), c.place_of("b")
    title = str(run.get("title") or phrase("sides_title", lang, a=a, b=b))
    years = {str(r["side"]): f"{c.place_of(str(r['side']))} {r['year']}" for r in c.rows("side_about")}
    note = str(c.meta["synthetic"] or "")
    watermark = phrase("sides_synthetic", lang) if note and lang == "en" else note
    subtitle = phrase("sides_subtitle", lang, **years)
    return Document(title, subtitle, _front(c, title), tuple(blocks), lang, watermark, phrase("sides_footer", lang))


def comparison_blocks(c: Context) -> list[Block]:
    """Fill the template of the comparison."""
    things = {
        "table": lambda name, *args: side_sheet(c, f"side_{name}", *args),
        "figure": lambda name, *args: _figure(c, name, *args),
    }
    words = {"a": c.side("a"), "b": c.side("b"), "refused": named(c.value("side_refused"), c.lang, "reason")}
    return fill("comparison", c, things, words)


def side_sheet(c: Context, id: str, *asked: str) -> Table:
    """Lay out a sheet of the comparison."""
    made = lay_out(c, id, ROWS[id](c, *asked) if id in ROWS else c.rows(sheets()[id].table))
    return replace(made, note="") if id == "side_effects" and asked != ("a",) else made


def _front(c: Context, title: str) -> tuple[tuple[str, str], ...]:
    """Return the lines of the first page: plans, data, date, version, how to cite."""
    run, between = c.value("run"), "；" if c.lang == "zh" else "; "
    about = c.rows("side_about")
    plans = between.join(named(r, c.lang, "title") + (f"（{r['document']}）" if c.lang == "zh" else "") for r in about)
    date = day(run["report_date"], c.lang) if run.get("report_date") else ""
    versions = {str(r["component"]): str(r["version"]) for r in c.rows("versions")}
    version = f"lyeval {versions['lyeval']}" if "lyeval" in versions else "lyeval"
    cited = phrase("sides_cited", c.lang, title=title, version=version, date=date or run.get("source_date") or "")
    upto = between.join(f"{c.place_of(str(r['side']))} {r['cut']}" for r in about)
    told = {"plans": plans, "data": upto, "date": date, "version": version, "cite": cited}
    return tuple((coded("comparison_line", name, c.lang), value) for name, value in told.items() if value)


def _documents(c: Context) -> Laid:
    """Lay out the documents side by side: themes in their order, a column a plan, a few clauses a row so that no row is long."""
    rows = c.rows("side_documents")
    plans = list(dict.fromkeys(str(r["policy"]) for r in rows))
    places = {str(r["policy"]): named(r, c.lang, "place").split(" (")[0] for r in c.rows("side_about")}
    body: list[Row] = []
    for theme in dict.fromkeys(str(r["theme"]) for r in rows):
        mine = [r for r in rows if r["theme"] == theme]
        parts = {str(r["policy"]): _chunks(c, r) for r in mine}
        for at in range(max(map(len, parts.values()))):
            cells = {plan: part[at] if at < len(part) else BLANK for plan, part in parts.items()}
            body.append({"cells": {"theme": named(mine[0], c.lang) if at == 0 else BLANK, **cells}})
    heads = (Heading(p, places.get(p, p), places.get(p, p), "", "text") for p in plans)
    return Laid(body, (*headings("", "side_documents", "theme"), *heads))


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


def _main_effects(c: Context, side: str) -> Laid:
    """Return one place's main estimates, each under a short name."""
    made, short = of_place("effects", refused=False)(c, side), values()["specification"]
    cells = {id: {"estimand": name.text(c.lang)} for id, name in short.items()}
    return made._replace(rows=[{**r, "cells": cells[r["id"]]} for r in made.rows if r["id"] in short])


def _burden(c: Context) -> Laid:
    """Lay out on whom the highest common line falls, by size, under a title that names the line."""
    top = max((r["line"] for r in c.rows("plan_burden")), default=0.0)
    rows = [r for r in c.rows("plan_burden") if r["by"] == "size" and r["line"] == top]
    return Laid(rows, words={"line": spoken(c, "line", top)})


def _every_burden(c: Context) -> list[Row]:
    """Return on whom each common line falls: by size, industry and township."""
    return [
        {**r, "cells": {"group": industry_name(str(r["group"]), c.lang)}} if r["by"] == "industry" else r
        for r in c.rows("plan_burden")
    ]


def _moves(c: Context) -> Laid:
    """Lay out moves between states: rows before, columns after; states that nobody is in are left out."""
    counts = {(r["side"], r["group"], r["before"], r["after"]): int(r["n"]) for r in c.rows("side_transitions")}
    states, groups = values()["state"], values()["group_of_list"]
    used = [s for s in states if any(n for (*_, x, y), n in counts.items() if s in (x, y))]
    body: list[Row] = []
    for about in c.rows("side_about"):
        side = about["side"]
        place = c.side(side).removesuffix(" District").removesuffix(" County")
        period = phrase("sides_period", c.lang, place=place, base=about["base_year"], year=about["year"])
        for g, name in groups.items():
            for s in (s for s in used if any(counts[side, g, s, t] for t in used)):
                after = {t: counts[side, g, s, t] for t in used}
                body.append({"list": period + name.text(c.lang), "before": states[s].text(c.lang), **after})
    return Laid(body, (*headings("side_moves"), *(Heading(s, states[s].zh, states[s].en, "", "count") for s in used)))


def _figure(c: Context, name: str, side: str = "") -> list[Figure]:
    if name == "timeline":
        drawn = figures.timeline(c.frame("side_timeline"), lang=c.lang)
        title, alt = (phrase(key, c.lang) for key in ("sides_timeline", "sides_timeline_alt"))
        return [figures.picture(drawn, "timeline", title, alt)]
    return effects(c, side, c.side(side), (PICTURED,), short=True, y=phrase("sides_reached_share", c.lang))


def comparison_annex(tables: Mapping[str, Any], *, lang: Lang = "zh") -> list[Table]:
    """Return the sheets of the comparison's annex, each with its place as a column."""
    c = Context(tables, lang)
    placed = {id: spec.comparison.split() for id, spec in sheets().items() if spec.comparison}
    of_effects = ("effects", "effect_checks", "tax_rules")
    if not len(c.frame("effects")):
        placed = {id: place for id, place in placed.items() if sheets()[id].table not in of_effects}
    asked = [(int(at), side, id) for id, (at, *sides) in placed.items() for side in sides or [""]]
    order = sorted(asked, key=lambda one: (one[1] or ("" if one[0] < FIRST_BY_SIDE else "z"), one[0]))
    return [side_sheet(c, id, *([side] if side else [])) for _, side, id in order]


def _clauses(c: Context) -> list[Row]:
    """Return every clause of both documents under its theme, or with the reason why it is left out."""
    themes = {str(r["theme"]): named(r, c.lang) for r in c.rows("side_documents")}
    places = {str(r["policy"]): named(r, c.lang, "place") for r in c.rows("side_about")}
    return [
        {**r, "cells": {"policy": places.get(str(r["policy"])), "theme_label": themes.get(str(r["theme"]), "—")}}
        for r in c.rows("side_clauses")
    ]


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
    places = joined([named(r, lang, "place") for r in c.rows("side_about")], lang)
    title = phrase("sides_compared_documents", lang, places=places)
    meta = tuple((p.id, f"{p.document.number} {p.title}" if lang == "zh" else p.title_en) for p in plans)
    return Document(
        title,
        "",
        meta,
        (*_figure(c, "timeline"), *(side_sheet(c, f"side_{name}") for name in ("documents", "clauses"))),
        lang,
    )


def comparison_notes(c: Context) -> list[tuple[str, str]]:
    """Return the lines of the annex's notes sheet."""
    notes = [note_of(f"side_{name}", c.lang) for name in ("documents", "effects", "parts", "rules", "rates")]
    sums = [
        phrase("sides_checksum", c.lang, place=c.side(r["side"]), sha256=r["sha256"]) for r in c.rows("effect_plan")
    ]
    return [(phrase("sides_basis_of", c.lang), note) for note in (*notes, *sums, phrase("sides_footer", c.lang))]


def _range(low: Any, high: Any) -> Cell:
    """Write the two bounds of a share as one text, a single share where they are one."""
    return Cell("–".join(dict.fromkeys(percent(v) for v in (low, high) if known(v))) or "—")


def _rules(c: Context) -> list[Row]:
    """Return whom either set of rules lists, each share as its range."""
    rows = []
    for r in c.rows("side_rules"):
        cells: Row = {name: _range(r[name], r[name.replace("low", "high")]) for name in ("listed_low", "tax_low")}
        if r["tax_undecided"]:
            n = {"n": r["tax_listed"], "undecided": r["tax_undecided"]}
            cells["tax_listed"] = Cell(phrase("sides_and_open", c.lang, **n))
        rows.append({**r, "cells": cells})
    return rows


def _rates(c: Context) -> list[Row]:
    """Return every rate with its list, the year it is seen in, and the time since the plan."""
    once = {
        (r["side"], r["list_year"], r["year"]): r for r in reversed(c.rows("side_rates"))
    }  # the year's list may be the first
    rows = []
    for r in reversed(once.values()):
        followed = f"{coded('followed', r['followed'], c.lang)}{'，' if c.lang == 'zh' else ', '}{r['list_year']}"
        shares = {"reached": Cell(f"{r['reached']}/{r['counted']}"), "failed": _range(r["failed"], r["passed"])}
        rows.append({**r, "cells": {"followed": followed, **shares}})
    return rows


def _demand(c: Context) -> list[Row]:
    """Return every step of either plan, the two places' enterprises one below the other."""
    rows = sorted(c.rows("side_demand"), key=lambda r: r["rules"])
    order = {(r["rules"], r["id"], r["year"]): at for at, r in enumerate(reversed(rows))}
    rows.sort(key=lambda r: -order[r["rules"], r["id"], r["year"]])
    out = []
    for r in rows:
        blank = f" (+{r['unknown']})" if r["unknown"] else ""
        cells = {"below": Cell(f"{r['below']}/{r['n']}{blank}"), "short": Cell(_short(c, r))}
        if r["kind"] == "mean" and c.lang == "en":
            cells["goal_text"] = Cell(f"{r['goal'] * 1e4:,.0f}")
        out.append({**r, "cells": cells})
    return out


def _short(c: Context, row: Row) -> str:
    """Write what a step lacks, with its unit."""
    if not known(row["short"]):
        return "—"
    if row["unit"] != "万元/亩":
        return f"{number(row['short'], 0)}{unit_name(row['unit'], c.lang)}"
    return f"{number(row['short'], 2)}万元/亩" if c.lang == "zh" else f"RMB {row['short'] * 1e4:,.0f}/mu"


def _elements(c: Context) -> list[Row]:
    """Return what each element does to the list of either place, from its own rules to the other's."""
    rows = []
    for r in c.rows("side_elements"):
        cells: Row = {"share_low": _range(r["share_low"], r["share_high"])}
        if r["element"] in ENDS_OF:
            cells["label"] = coded("own_or_other_rules", r["element"], c.lang)
        rows.append({**r, "cells": cells})
    return rows


BLANK = "\u00a0"  # an empty cell would be a dash, which says that there is nothing
CHUNK = 130.0  # ems of one cell of the documents side by side
FIRST_BY_SIDE = 20  # place in the annex from which the sheets of one side stand together
ENDS_OF = ("own", "other")
ROWS: dict[str, Callable[..., list[Row] | Laid]] = {
    "side_claims": lambda c: sorted(c.rows("side_claims"), key=lambda r: r["may"] != "yes"),
    "side_documents": _documents,
    "side_clauses": _clauses,
    "side_rules": _rules,
    "side_rates": _rates,
    "side_elements": _elements,
    "side_demand": _demand,
    "side_sanctions": lambda c: sorted(c.rows("side_sanctions"), key=lambda r: r["rules"]),
    "side_burden": _burden,
    "every_burden": _every_burden,
    "side_parts": lambda c: [r for r in c.rows("side_parts") if not r["constructed"]],
    "side_moves": _moves,
    "side_effects": _main_effects,
    "every_effect": of_place("effects", refused=False),
    "every_refusal": of_place("effects", refused=True),
    "every_check": of_place("effect_checks"),
}
