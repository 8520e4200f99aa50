"""The year-end review of the office (年终评估报告, 办公版): the template ``year_end`` filled from a run's tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from lyeval.indicators import EXITS
from lyeval.render import Paragraph, Table
from lyeval.render.blocks import Block, Lang
from lyeval.render.glyphs import ems
from lyeval.render.paging import lay_out
from lyeval.report.context import Context
from lyeval.report.drawings import drawing
from lyeval.report.filling import fill
from lyeval.report.sheets import sheet
from lyeval.report.words import band, chance, day, known, named, phrase, word
from lyeval.tables.research import derived

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
