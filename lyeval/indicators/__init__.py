"""The two vocabularies: facts of an enterprise, and statistics of a county, each with unit, Chinese name and definition."""

from lyeval.indicators.book import Book, book
from lyeval.indicators.facts import ENTERPRISE_FLAGS, FLAGS, NUMBERS, TEXTS, Facts, idle_or_overdue
from lyeval.indicators.standing import MU_M2, Cases, Standing, cases, closed_within, eliminated, standing, year_end
from lyeval.indicators.statistics import STATISTICS, Bounded, Statistic, count, mean, share
from lyeval.indicators.tri import RELATIVE, Tri, compare, on_line

__all__ = [
    "ENTERPRISE_FLAGS",
    "FLAGS",
    "MU_M2",
    "NUMBERS",
    "RELATIVE",
    "STATISTICS",
    "TEXTS",
    "Book",
    "Bounded",
    "Cases",
    "Facts",
    "Standing",
    "Statistic",
    "Tri",
    "book",
    "cases",
    "closed_within",
    "compare",
    "count",
    "eliminated",
    "idle_or_overdue",
    "mean",
    "on_line",
    "share",
    "standing",
    "year_end",
]
