"""The year-end review (年终评估报告): title block, the template ``year_end`` filled from a run's tables, its figures with their alternative texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from lyeval import figures
from lyeval.indicators import EXITS
from lyeval.render import Bullets, Document, Figure, KeyFigures, Note, Paragraph, Table, Text, format_value
from lyeval.render.blocks import Block, Lang
from lyeval.render.glyphs import ems
from lyeval.render.numbers import MISSING
from lyeval.render.paging import lay_out
from lyeval.report.cells import Context
from lyeval.report.filling import fill, thing
from lyeval.report.sheets import sheet
from lyeval.report.words import band, chance, coded, day, few, kind_by_unit, known, named, phrase, word
from lyeval.tables.research import derived

if TYPE_CHECKING:
    from matplotlib.axes import Axes


PICTURED = ("rd_reach", "event_level", "gap_reach", "timing", "bunching@2020")
CELLS = 6  # of a sheet's row that an alternative text tells


def drawing(c: Context, name: str, *asked: Any) -> Figure | list[Figure] | None:
    """Draw a figure that a template names; None where the run has nothing to draw."""
    if name == "effects":
        return effects(c, *asked)
    make, of, source = FIGURES[name]
    drawn, told = make(c), sheet(c, of) if of else None
    if drawn is None:
        return None
    title = coded("drawing", name, c.lang, year=c.year)
    alt = alternative(told, c) if told else title
    under = told.source if told and not source else c.source(*source.split())
    return figures.picture(drawn, f"{name}_figure", title, alt, source=under)


def alternative(table: Table, c: Context) -> str:
    """Tell a table's first cells, row by row, each after its heading."""
    gap, end, sign = ("，", "；", "") if c.lang == "zh" else (", ", "; ", " ")
    rows = []
    for row in table.rows:
        told = [(k, format_value(k, v, c.lang)) for k, v in list(zip(table.columns, row, strict=True))[:CELLS]]
        rows.append(
            gap.join(
                text if place == 0 else f"{k.title}{sign}{text}"
                for place, (k, text) in enumerate(told)
                if text != MISSING
            )
        )
    return end.join(rows)


def effects(
    c: Context, side: str, place: str, ids: Sequence[str] = PICTURED, *, short: bool = False, y: str = ""
) -> list[Figure]:
    """Draw the main estimates of one place, under a short name where ``short``; ``y`` labels their axis."""
    drawn, out = c.frame("effect_figures"), []
    for row in (r for r in c.rows("effects") if r["side"] == side and r["id"] in ids):
        part = drawn[(drawn["side"] == side) & (drawn["id"] == row["id"])]
        if len(part):
            what = coded("specification", row["id"], c.lang) if short else named(row, c.lang, "estimand")
            title, id = phrase("picture_of", c.lang, place=place, what=what), row["id"].replace("@", "_")
            made = figures.effect(part, lang=c.lang, y=y)
            out.append(figures.picture(made, f"effect{side}_{id}", title, named(row, c.lang, "sentence")))
    return out


def drawable(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return the targets for drawing: a share of land over fewer than ten enterprises is drawn in 亩, not in percent."""
    out = []
    for row in rows:
        if few(row) and row["weight"] == "land" and known(row["value"]):
            ends = {k: None if not known(row[k]) else row[k] * row["whole"] for k in ("low", "high")}
            row = {**row, "value": row["part"], "goal": row["goal"] * row["whole"], "unit": "亩", **ends}
        out.append(row)
    return pd.DataFrame(out).astype(object)


def _attainment(c: Context) -> Axes | None:
    return figures.attainment(drawable(c.rows("targets")), lang=c.lang) if len(c.frame("targets")) else None


def _tax(c: Context) -> Axes:
    """Draw the tax per mu of those in scope, still here and not left out by the plan."""
    firms = c.frame("enterprises")
    judged = firms[firms["in_scope"].eq(True) & ~firms["gone"].eq(True) & firms["excluded_by"].isna()]
    return figures.tax_per_mu(judged, c.meta["lines"], lang=c.lang)


def _townships(c: Context) -> Axes:
    return figures.townships(c.frame("enterprises"), lang=c.lang)


def _odds(c: Context) -> Axes | None:
    """Draw the odds and the range of each target; a share of fewer than ten enterprises in firms, not in percent."""
    weights = {r["id"]: r["weight"] for r in c.rows("targets")}
    rows = []
    for r in c.rows("forecast") or c.rows("simulation"):
        if known(r["probability"]) and known(r["goal"]):
            row = {**r, "kind": kind_by_unit(r), "n": r["members"], "certain": r["certain"] in ("met", "missed")}
            if few(row) and weights.get(r["id"], "count") == "count":
                row |= {k: row[k] * int(row["n"]) for k in ("p05", "p50", "p95", "goal") if known(row[k])} | {
                    "unit": "家"
                }
            rows.append(row)
    return figures.odds(pd.DataFrame(rows).astype(object), lang=c.lang) if rows else None


def _readings(c: Context) -> Axes | None:
    """Draw under how many readings each target is met and the range of its value; no value of fewer than ten."""
    kept = ("kind", "weight", "goal", "op", "part", "whole", "value", "status", "reason", "clause")
    rows = []
    for r in c.rows("readings"):
        target = c.by("targets").get(str(r["id"]))
        if target is not None:
            blank = dict.fromkeys(("lowest", "highest", "value")) if few(target) else {}
            rows.append({**r, **{k: target[k] for k in kept}, **blank})
    return figures.readings(pd.DataFrame(rows).astype(object), lang=c.lang) if rows else None


def _record(c: Context) -> Axes | None:
    frame = c.frame("backtest_reliability")
    return figures.reliability(frame, lang=c.lang) if len(frame) else None


def _curve(c: Context) -> Axes | None:
    from lyeval import figures

    frame = c.frame("plans_curve")
    return figures.curve(frame, lang=c.lang) if len(frame) else None


FIGURES: dict[str, tuple[Callable[[Context], Axes | None], str, str]] = {
    "attainment": (_attainment, "targets", "tax land"),
    "tax": (_tax, "", "tax land"),
    "townships": (_townships, "townships", "towns land"),
    "odds": (_odds, "forecast_odds", ""),
    "readings": (_readings, "readings", "tax land statistics"),
    "record": (_record, "record", "tax"),
    "curve": (_curve, "plans_curve", ""),
}


MAIN = (
    "rd_reach",
    "rd_level",
    "did_level",
    "poisson_tax",
    "event_reach",
    "gap_reach",
    "gap_level",
    "timing",
    "bunching@2020",
)
MARKS = "①②③④⑤⑥⑦⑧⑨"
COVERED = 0.6  # of the county's own 80 % intervals that must have held before odds are told


def year_end_blocks(c: Context) -> list[Block]:
    """Fill the template of the year-end review; ``template`` and ``texts`` of the run are the office's own.

    Raises
    ------
    TemplateError
        The template is wrong: told with file and line.
    """
    more = Context({**c.tables, **odds_tables(c), **(derived(c.tables) if c.research else {})}, c.lang)
    words: dict[str, Any] = {
        "above": c.class_("above"),
        "below": c.class_("below"),
        "marks": list(MARKS),
        "next_goals": bool(len(c.frame("next_targets"))),
        "next_governed": bool(c.meta["next_governed"]),
        "odds_withheld": odds_withheld(c),
        "ways": [[way, word(way, c.lang)] for way in EXITS],
        "unsummoned": not len(c.frame("list_summoned")),
    }
    things = {"table": partial(sheet, more), "figure": partial(drawing, more)}
    words |= dict(zip(SHORTER, _room(more, things, words), strict=True))
    blocks = fill("year_end", more, things, words, may_be_own=True)
    if not c.research:
        return blocks
    of_effects = {"side": "", "side_place": c.place, "main_effects": list(MAIN)}
    return blocks + fill("research", more, things, {**words, **of_effects})


ROOM = (
    # actions, what could turn a verdict, firms of a target all named, else so many of them
    (5, 2, 10, 3),
    (4, 2, 10, 3),
    (4, 1, 10, 3),
    (3, 1, 10, 3),
    (3, 1, 5, 2),
    (3, 1, 3, 1),
    (3, 1, 1, 1),
)
HEIGHT, TABLE, HEAD = 600.0, 85.0, 40.0  # points: the leader's page, a table besides its rows, the page's heading
LINE: dict[Lang, tuple[float, float]] = {
    "zh": (22.0, 30.5),
    "en": (16.0, 38.0),
}  # of close text: points a line, ems a line


SHORTER = ("most_actions", "most_turns", "most_names", "most_first")


def _room(c: Context, things: Mapping[str, Any], words: Mapping[str, Any]) -> tuple[int, ...]:
    """Return what the leader's page has room for: the first of `ROOM` that it holds, else the last."""
    for most in ROOM:
        blocks = fill("leader", c, things, {**words, **dict(zip(SHORTER, most, strict=True))})
        if HEAD + sum(_height(block, c.lang) for block in blocks) <= HEIGHT:
            return most
    return ROOM[-1]


def _height(block: Block, lang: Lang) -> float:
    """Return about how high a block of the leader's page stands, in points."""
    if isinstance(block, Table):
        return TABLE + lay_out(block, lang, str).fit.height
    line, width = LINE[lang]
    return line * math.ceil((ems(block.text) + 2) / width) if isinstance(block, Paragraph) else 0.0


def odds_tables(c: Context) -> dict[str, Any]:
    """Return what is told of the odds: only for target years that the plan has, and only where the county's record bears them."""
    told: list[dict[str, Any]] = []
    by_record = c.value("forecast_meta").get("own_record", [])
    if not odds_withheld(c):
        for r in c.rows("forecast"):
            if int(r["year"]) in c.meta["target_years"] and known(r["probability"]):
                told.append(
                    {
                        "id": r["id"],
                        "year": str(int(r["year"])),
                        "label": named(r, c.lang),
                        "as_of": day(c.value("forecast_meta").get("as_of"), c.lang),
                        "band": band(r["probability"], r["certain"], c.lang),
                        "chance": chance(r["probability"], r["certain"], c.lang),
                        "by_record": "yes" if r["id"] in by_record else "",
                    }
                )
    plans = {str(c.value(f"{name}_meta").get("plan", "")) for name in ("forecast", "simulation")} - {""}
    given = pd.DataFrame({"file": sorted(plans)}, dtype=object)
    columns = ["id", "year", "label", "as_of", "band", "chance", "by_record"]
    return {"odds_told": pd.DataFrame(told, columns=columns), "given": given}


def odds_withheld(c: Context) -> str:
    """Return why no odds are told; "" where they are, or where there is no target year to come."""
    ahead = [r for r in c.rows("forecast") if int(r["year"]) in c.meta["target_years"]]
    if not ahead:
        return ""
    rows = [
        r
        for r in c.rows("backtest_coverage")
        if r["level"] == "county" and abs(r["nominal"] - 0.8) < 1e-9 and known(r["share"])
    ]
    n = sum(int(r["n"]) for r in rows)
    if not n:
        return phrase("no_record", c.lang, place=c.place)
    held = round(sum(r["share"] * r["n"] for r in rows))
    return "" if held / n >= COVERED else phrase("weak_record", c.lang, place=c.place, held=held, n=n)


def build_report(tables: Mapping[str, Any], *, lang: Lang = "zh") -> Document:
    """Build the year-end evaluation (年终评估报告) from a run's tables alone.

    Parameters
    ----------
    tables
        As `load` gives them: at least those of `assessment_tables`. ``run`` (a dict) may hold title, report_date, seed; ``versions`` (a frame)
        component and version.
    lang
        zh or en.
    """
    c = Context(tables, lang)
    blocks = year_end_blocks(c)
    blocks = blocks if lang == "zh" else [_capital(block) for block in blocks]
    return Document(title(c), subtitle(c), tuple(title_block(c)), tuple(blocks), lang, notice(c), footer(c))


def _capital(block: Block) -> Block:
    """Begin English sentences with a capital: they may begin with a label."""
    if isinstance(block, Paragraph | Note):
        return replace(block, text=_upper(block.text))
    if isinstance(block, Bullets):
        return replace(block, items=tuple(_upper(item) for item in block.items))
    if isinstance(block, KeyFigures):
        return KeyFigures(tuple(f._replace(label=_upper(f.label)) for f in block.items))
    return block


def _upper(text: str) -> str:
    """Return a text with a capital first, its figures marked as they were."""
    first = text[:1].upper()
    return Text(first + text[1:], getattr(text, "marks", ())) if len(first) == 1 else text


def title(c: Context, own: str = "") -> str:
    """Return the title that the run gives its document, else the template's own, else the review's."""
    given = c.value("run").get("title")
    return (
        str(given)
        if known(given) and given
        else own or phrase("title", c.lang, place=c.place, year=c.year, thing=thing(c))
    )


def subtitle(c: Context) -> str:
    """Name the plan that the year is judged by."""
    plan = c.meta["policy_title_en" if c.lang == "en" else "policy_title"]
    return phrase("subtitle", c.lang, plan=plan, number=c.meta["document"])


def title_block(c: Context) -> list[tuple[str, str]]:
    """Return the lines of the title block: place, year, plan, readings, cut-off, how final, date."""
    meta, lang = c.meta, c.lang
    others = len(meta["other_readings"])
    final = meta["final"]
    values = {
        "place": c.place,
        "year": str(c.year),
        "document": str(meta["document"]),
        "readings": phrase("readings_in_force", lang, n=others),
        "cutoff": day(meta["cutoff"], lang),
        "final": word(final, lang) if known(final) else coded("cell", "unsaid", lang),
    }
    date = c.value("run").get("report_date")
    if known(date) and date:
        values["date"] = day(date, lang)
    return [(coded("line", k, lang), v) for k, v in values.items()]


def notice(c: Context) -> str:
    """Return the notice of every page: that the data are made."""
    note = c.meta["synthetic"]
    return "" if not known(note) or not note else (str(note) if c.lang == "zh" else phrase("synthetic", c.lang))


def footer(c: Context) -> str:
    """Return the last line: what the report is and is not."""
    return phrase("footer", c.lang)
