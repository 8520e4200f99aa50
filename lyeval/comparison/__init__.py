"""The same enterprises under several plans, patches and readings; where two places' results differ, and by what."""

from lyeval.comparison.carry import assess_as_if, carry
from lyeval.comparison.compare import Comparison, compare
from lyeval.comparison.decompose import Decomposition, decompose
from lyeval.comparison.deidentifying import CannotHide, Deidentified, deidentified, is_shared, read_key
from lyeval.comparison.exports import codebook, write_panel
from lyeval.comparison.panels import panel
from lyeval.comparison.rates import newcombe, wilson
from lyeval.comparison.sides import Sides, two_sides
from lyeval.comparison.studies import Study, study
from lyeval.comparison.sweeps import Population, burden, population, rule_of, sweep

__all__ = [
    "CannotHide",
    "Comparison",
    "Decomposition",
    "Deidentified",
    "Population",
    "Sides",
    "Study",
    "assess_as_if",
    "burden",
    "carry",
    "codebook",
    "compare",
    "decompose",
    "deidentified",
    "is_shared",
    "newcombe",
    "panel",
    "population",
    "read_key",
    "rule_of",
    "study",
    "sweep",
    "two_sides",
    "wilson",
    "write_panel",
]
