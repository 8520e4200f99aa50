"""The year-end evaluation (年终评估报告): tables of a run in, a document and its annex out; all prose is here."""

from lyeval.report.bulletin import build_bulletin
from lyeval.report.compared import build_comparison, comparison_annex
from lyeval.report.disclosure import announce, announcement, earlier_land, land_only, public, released
from lyeval.report.sheets import annex
from lyeval.report.writing import write
from lyeval.report.year_end import build_report
from lyeval.tables.monthly import bulletin_tables
from lyeval.tables.quality import ledger_tables
from lyeval.tables.results import (
    assessment_tables,
    assumption_tables,
    effect_tables,
    forecast_tables,
    office_tables,
    simulation_tables,
)
from lyeval.tables.store import load, save

__all__ = [
    "annex",
    "announce",
    "announcement",
    "assessment_tables",
    "assumption_tables",
    "build_bulletin",
    "build_comparison",
    "build_report",
    "bulletin_tables",
    "comparison_annex",
    "earlier_land",
    "effect_tables",
    "forecast_tables",
    "land_only",
    "ledger_tables",
    "load",
    "office_tables",
    "public",
    "released",
    "save",
    "simulation_tables",
    "write",
]
