"""The same enterprises under several plans, patches and readings; where two places' results differ, and by what."""

from lyeval.comparison.carry import assess_as_if, carry
from lyeval.comparison.compare import Comparison, compare

__all__ = ["Comparison", "assess_as_if", "carry", "compare"]
