"""The same enterprises under several plans, patches and readings; where two places' results differ, and by what."""

from lyeval.comparison.carry import assess_as_if, carry
from lyeval.comparison.compare import Comparison, compare
from lyeval.comparison.decompose import Decomposition, decompose
from lyeval.comparison.exports import codebook, deidentified, write_panel
from lyeval.comparison.panels import panel
from lyeval.comparison.studies import Study, study

__all__ = [
    "Comparison",
    "Decomposition",
    "Study",
    "assess_as_if",
    "carry",
    "codebook",
    "compare",
    "decompose",
    "deidentified",
    "panel",
    "study",
    "write_panel",
]
