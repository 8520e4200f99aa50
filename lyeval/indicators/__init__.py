"""The two vocabularies: facts of an enterprise, and statistics of a county, each with unit, Chinese name and definition."""

from lyeval.indicators.book import Book, book
from lyeval.indicators.exits import (
    EXITS,
    MU_M2,
    Cases,
    Exits,
    cases,
    closed_within,
    eliminated,
    exit_of,
    exits,
    released_since,
    year_end,
)
from lyeval.indicators.facts import (
    CONTROLS,
    FACTS,
    LOCATIONS,
    Fact,
    Facts,
    location,
    pays_nothing,
    step,
    text_fact,
)
from lyeval.indicators.statistics import STATISTICS, Bounded, Statistic, count, mean, share
from lyeval.indicators.tri import RELATIVE, Tri, compare, on_line

__all__ = [
    "CONTROLS",
    "EXITS",
    "FACTS",
    "LOCATIONS",
    "MU_M2",
    "RELATIVE",
    "STATISTICS",
    "Book",
    "Bounded",
    "Cases",
    "Exits",
    "Fact",
    "Facts",
    "Statistic",
    "Tri",
    "book",
    "cases",
    "closed_within",
    "compare",
    "count",
    "eliminated",
    "exit_of",
    "exits",
    "location",
    "mean",
    "on_line",
    "pays_nothing",
    "released_since",
    "share",
    "step",
    "text_fact",
    "year_end",
]
