"""Section 九、测算与检验, of the research edition alone: odds with their errors, other readings, records of past odds."""

from __future__ import annotations

from lyeval.render import Heading, Paragraph, Table
from lyeval.render.blocks import Block
from lyeval.report import annexed
from lyeval.report.context import Context
from lyeval.report.words import known, number, say


def evidence(c: Context) -> list[Block]:
    """Write the section; nothing in the office edition, whose body has no errors, seeds or records."""
    if not c.research:
        return []
    blocks: list[Block] = []
    for name, made in PARTS:
        tables = [table for table in made(c) if table.rows]
        if tables:
            blocks += [Heading(2, say(f"evidence.{name}", c.lang)), *_sentence(c, name), *tables]
    return blocks


def _sentence(c: Context, name: str) -> list[Block]:
    meta = c.value("forecast_meta") or c.value("simulation_meta")
    if name != "odds" or not meta:
        return []
    errors = [float(r["mc_error"]) for n in ("forecast", "simulation") for r in c.rows(n) if known(r["mc_error"])]
    text = say(
        "evidence.error",
        c.lang,
        draws=f"{int(meta['draws']):,}",
        seed=int(meta["seed"]),
        error=number(100 * max(errors, default=0.0), 2),
    )
    return [Paragraph(text)]


def _odds(c: Context) -> list[Table]:
    return [annexed.odds(c, name) for name in ("forecast", "simulation") if len(c.frame(name))]


def _readings(c: Context) -> list[Table]:
    made = [annexed.odds_readings(c)] if len(c.frame("forecast_readings")) else []
    return made + ([annexed.switches(c)] if len(c.frame("readings_switches")) else [])


def _turning(c: Context) -> list[Table]:
    return [annexed.swings(c)] if len(c.frame("forecast_swings")) else []


def _past(c: Context) -> list[Table]:
    return [annexed.backtest(c, name) for name in ("backtest_scores", "backtest_coverage") if len(c.frame(name))]


PARTS = (("odds", _odds), ("readings", _readings), ("turning", _turning), ("past", _past))
