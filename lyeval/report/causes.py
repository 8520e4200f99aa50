"""What may be said of a plan's effect (影响检验): estimates, what was not estimated and why, checks, tax-rule years."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from lyeval.render import Bullets, Cell, Figure, Note, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report.context import Context
from lyeval.report.tabulate import tabulate
from lyeval.report.words import known, named, number, say, sentence

if TYPE_CHECKING:
    from lyeval.studies import Study

Tables = dict[str, Any]


def effect_tables(studies: Mapping[str, Study]) -> Tables:
    """Return studies as tables (notebook 05).

    Parameters
    ----------
    studies
        By side: ``""`` for one county, ``a`` and ``b`` for a comparison.

    Returns
    -------
    dict
        ``effects``, ``effect_checks``, ``effect_figures`` (each with ``side`` first), ``effect_plan`` (side, policy, first_year,
        base_year, sha256 of the list of specifications), ``tax_rules``.
    """

    def together(name: str) -> pd.DataFrame:
        frames = [getattr(one, name).assign(side=side) for side, one in studies.items()]
        joined = pd.concat(frames, ignore_index=True)
        return joined[["side", *(c for c in joined if c != "side")]]

    rules = pd.concat([one.rules for one in studies.values()]).drop_duplicates(["from", "rule"])
    return {
        "effects": together("table"),
        "effect_checks": together("checks"),
        "effect_figures": together("drawn"),
        "effect_plan": pd.DataFrame(
            [(side, s.policy, s.first_year, s.base_year, s.sha256) for side, s in studies.items()],
            columns=["side", "policy", "first_year", "base_year", "sha256"],
        ),
        "tax_rules": rules.sort_values("from", kind="stable", ignore_index=True).drop(columns="years"),
    }


def effects(c: Context) -> list[Block]:
    """Write the section on effects of one county's research edition; nothing in a run that did not ask."""
    return [*causes(c, "", c.place), rules_table(c)] if c.research and len(c.frame("effects")) else []


def causes(c: Context, side: str, place: str) -> list[Block]:
    """Write what may be said of one place: what was asked, the estimates, each with its sentence, figures, refusals."""
    rows = [r for r in c.rows("effects") if r["side"] == side]
    plan = next(r for r in c.rows("effect_plan") if r["side"] == side)
    counts = pd.Series([r["verdict"] for r in rows]).value_counts()
    refused = int(counts.get("refused", 0))
    opening = say("causes.asked", c.lang, n=len(rows), hash=plan["sha256"][:12], answered=len(rows) - refused, refused=refused,
                  first=plan["first_year"], base=plan["base_year"])  # fmt: skip
    summary = say("causes.summary", c.lang, found=int(counts.get("found", 0)), open=int(counts.get("found_unchecked", 0)),
                  failed=int(counts.get("failed", 0)), short=int(counts.get("short", 0)))  # fmt: skip
    told = [named(r, c.lang, "sentence") for r in rows if r["id"] in MAIN and r["verdict"] != "refused"]
    blocks: list[Block] = [Paragraph(sentence([opening, summary], c.lang)), Note(say("causes.caution", c.lang), "open")]
    blocks += [
        effects_table(c, side, place),
        *([Bullets(tuple(told))] if told else []),
        *_figures(c, side, place, rows),
    ]
    return [*blocks, refused_table(c, side, place)]


def effects_table(c: Context, side: str, place: str) -> Table:
    """Lay out every estimate of one place."""
    rows = [_shown(r, c) for r in c.rows("effects") if r["side"] == side and r["verdict"] != "refused"]
    title = say("causes.table", c.lang, place=place)
    return tabulate(c, "effects", rows, title, id=f"effects{side}", note=say("causes.table_note", c.lang))


def _shown(row: dict[str, Any], c: Context) -> dict[str, Any]:
    bounds = ""
    if known(row["bound_low"]):
        bounds = f"{number(row['bound_low'], 3)} … {number(row['bound_high'], 3)}"
    word, tone = VERDICTS[row["verdict"]]
    verdict = Cell(word[c.lang == "en"], tone=tone)  # type: ignore[arg-type]
    return {**row, "question": named(row, c.lang, "estimand"), "bounds": bounds, "verdict": verdict}


def _figures(c: Context, side: str, place: str, rows: list[dict[str, Any]]) -> list[Figure]:
    from lyeval import figures

    drawn, out = c.frame("effect_figures"), []
    for row in rows:
        part = drawn[(drawn["side"] == side) & (drawn["id"] == row["id"])]
        if row["id"] in PICTURED and len(part):
            title = say("causes.figure", c.lang, place=place, what=named(row, c.lang, "estimand"))
            id = f"effect{side}_{row['id'].replace('@', '_')}"
            out.append(figures.picture(figures.effect(part, lang=c.lang), id, title, named(row, c.lang, "sentence")))
    return out


def refused_table(c: Context, side: str, place: str) -> Table:
    """Lay out what was not estimated, and why."""
    rows = [
        {**r, "question": named(r, c.lang, "estimand")}
        for r in c.rows("effects")
        if r["side"] == side and r["verdict"] == "refused"
    ]
    return tabulate(c, "refused", rows, say("causes.refused_table", c.lang, place=place), id=f"refused{side}")


def checks_table(c: Context, side: str, place: str) -> Table:
    """Lay out every check of every estimate."""
    rows = []
    for row in c.rows("effect_checks"):
        if row["side"] == side:
            passed = "none" if not known(row["passed"]) else str(row["passed"])
            word, tone = PASSED[passed]
            rows.append({**row, "question": row["id"], "passed": Cell(word[c.lang == "en"], tone=tone)})  # type: ignore[arg-type]
    return tabulate(c, "effect_checks", rows, say("causes.checks_table", c.lang, place=place), id=f"checks{side}")


def rules_table(c: Context) -> Table:
    """Lay out the years in which tax rules changed."""
    rows = [{**r, "mark": MARKS[c.lang].get(str(r["mark"]), r["mark"])} for r in c.rows("tax_rules")]
    return tabulate(c, "tax_rules", rows, say("causes.rules_table", c.lang), note=say("causes.rules_note", c.lang))


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
PICTURED = ("rd_reach", "event_level", "gap_reach", "timing", "bunching@2020")
VERDICTS = {
    "found": (("区间不含零，检验通过", "excludes zero, checks pass"), "good"),
    "found_unchecked": (("区间不含零，检验不全", "excludes zero, checks incomplete"), "open"),
    "short": (("未达到可判定的精度", "short of a verdict"), "open"),
    "failed": (("检验未通过", "a check failed"), "bad"),
}
PASSED = {
    "True": (("通过", "passed"), "good"),
    "False": (("未通过", "failed"), "bad"),
    "none": (("无法进行", "not possible"), "open"),
}
MARKS = {
    "zh": {"assumed": "凭记载，待核", "measured": "实测"},
    "en": {"assumed": "as recorded", "measured": "measured"},
}
SHEETS: tuple[tuple[str, Callable[[Context], Table | None]], ...] = (
    ("effects", lambda c: effects_table(c, "", c.place)),
    ("effects", lambda c: refused_table(c, "", c.place)),
    ("effect_checks", lambda c: checks_table(c, "", c.place)),
    ("tax_rules", rules_table),
)
