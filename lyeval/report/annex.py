"""The annex (附表): every list and table of the report in full, one sheet each, with clause, units, date and source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lyeval.render import Table
from lyeval.render.blocks import Lang
from lyeval.report import annexed, causes, rolls
from lyeval.report.annexed import opening_table, trend_table
from lyeval.report.appendix import assumption_table, rerun_table, switch_table
from lyeval.report.attainment import county_table as target_county_table
from lyeval.report.attainment import target_table
from lyeval.report.context import Context
from lyeval.report.listing import criteria_table, firm_table, listed_codes, spread_table
from lyeval.report.progress import change_table, disposal_table, door_table, flow_table, outcome_table, usual_rise
from lyeval.report.quality import missing_table, narrowing_table, undetermined_table
from lyeval.report.robustness import baseline_table, untestable_table
from lyeval.report.tracing import with_ids
from lyeval.report.words import named, say
from lyeval.report.year_end import bridge, target_lines, units


def annex(tables: Mapping[str, Any], *, lang: Lang = "zh") -> list[Table]:
    """Return the sheets of the annex in their order: thirteen for the office, all of them in the research edition."""
    c = Context(tables, lang)
    chosen = SHEETS if c.research else OFFICE
    made = ((needs, make(c)) for needs, make in chosen if not needs or len(c.frame(needs)))
    return [table for _, table in made if table is not None and table.columns]


def annex_notes(c: Context) -> list[tuple[str, str]]:
    """Return the lines of the notes sheet: how figures are made, and every doubtful clause with the reading in force."""
    head = say("annex.basis", c.lang)
    lines = [(head, say(key, c.lang)) for key in ("appendix.basis_text", "listing.distance_note", "document.footer")]
    return lines + [
        (named(r, c.lang, "question"), f"{named(r, c.lang, 'why')} [{r['clause']}]") for r in c.rows("switches")
    ]


def _listed(c: Context) -> Table:
    return firm_table(c, listed_codes(c), say("listing.list_table", c.lang, year=c.year), id="list", cite=c.document)


def _changes(c: Context) -> Table | None:
    return change_table(c) if usual_rise(c) is not None else None


def _every_base(c: Context) -> Table:
    return baseline_table(c, c.rows("baseline"), every=True)


OFFICE: tuple[tuple[str, Callable[[Context], Table | None]], ...] = (
    ("targets", target_lines),
    ("bridge", bridge),
    ("enterprises", annexed.enterprises),
    ("enterprises", _listed),
    ("list_missed", partial(rolls.sheet, name="list_missed")),
    ("list_reached", partial(rolls.sheet, name="list_reached")),
    ("disposals", annexed.cases),
    ("list_relapsed", partial(rolls.sheet, name="list_relapsed")),
    ("consequences", annexed.measures),
    ("list_pressed", partial(rolls.sheet, name="list_pressed")),
    ("", units),
    ("opening_list", opening_table),
    ("assumptions", assumption_table),
)
SHEETS: tuple[tuple[str, Callable[[Context], Table | None]], ...] = (
    ("targets", lambda c: with_ids(target_table(c, c.rows("targets")), c.lang)),
    ("county_targets", target_county_table),
    ("enterprises", annexed.enterprises),
    ("enterprises", _listed),
    ("criteria", criteria_table),
    ("townships", lambda c: spread_table(c, "township")),
    ("industries", lambda c: spread_table(c, "industry")),
    ("counties", lambda c: spread_table(c, "county")),
    ("grades", annexed.grades),
    ("flows", flow_table),
    ("doors", door_table),
    ("disposals", disposal_table),
    ("disposals", outcome_table),
    ("disposals", annexed.cases),
    ("changes", _changes),
    ("forecast", lambda c: annexed.odds(c, "forecast")),
    ("forecast_enterprises", lambda c: annexed.odds_firms(c, "forecast")),
    ("forecast_left", lambda c: annexed.left(c, "forecast")),
    ("forecast_scenarios", lambda c: annexed.scenarios(c, "forecast")),
    ("forecast_readings", annexed.odds_readings),
    ("forecast_swings", annexed.swings),
    ("forecast_levies", annexed.levies),
    ("sensitivity", lambda c: annexed.sensitivity(c, "sensitivity")),
    ("sensitivity_groups", lambda c: annexed.sensitivity(c, "sensitivity_groups")),
    ("backtest_scores", lambda c: annexed.backtest(c, "backtest_scores")),
    ("backtest_coverage", lambda c: annexed.backtest(c, "backtest_coverage")),
    ("backtest_skill", lambda c: annexed.backtest(c, "backtest_skill")),
    ("backtest_reliability", lambda c: annexed.backtest(c, "backtest_reliability")),
    ("backtest_pit", lambda c: annexed.backtest(c, "backtest_pit")),
    ("simulation", lambda c: annexed.odds(c, "simulation")),
    ("simulation_enterprises", lambda c: annexed.odds_firms(c, "simulation")),
    ("simulation_scenarios", lambda c: annexed.scenarios(c, "simulation")),
    ("alternatives", annexed.alternatives),
    ("readings", annexed.readings),
    ("readings_switches", annexed.switches),
    ("readings_untestable", untestable_table),
    ("baseline", _every_base),
    ("gaps", annexed.gaps),
    ("narrowing", narrowing_table),
    ("missing", missing_table),
    ("undetermined", undetermined_table),
    ("faults", annexed.faults),
    ("consequences", annexed.measures),
    ("opening_list", opening_table),
    *causes.SHEETS,
    *rolls.SHEETS,
    ("totals", trend_table),
    ("switches", switch_table),
    ("assumptions", assumption_table),
    ("", rerun_table),
)
