"""The same enterprises under several plans, patches and readings; where two places' results differ, and by what."""

from lyeval.comparison.compare import Comparison, as_if, borrow, carry, compare, counted, crossed, elements
from lyeval.comparison.decompose import Decomposition, Place, by_year_and_reading, decompose
from lyeval.comparison.sweep import Population, burden, demand, population, rule_of, sanctions, sweep
from lyeval.comparison.two_places import TwoPlaces, newcombe, two_places, wilson

__all__ = [
    "Comparison",
    "Decomposition",
    "Place",
    "Population",
    "TwoPlaces",
    "as_if",
    "borrow",
    "burden",
    "by_year_and_reading",
    "carry",
    "compare",
    "counted",
    "crossed",
    "decompose",
    "demand",
    "elements",
    "newcombe",
    "population",
    "rule_of",
    "sanctions",
    "sweep",
    "two_places",
    "wilson",
]
