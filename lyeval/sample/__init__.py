"""Synthetic ledgers with a known truth (样例台账): places are on the map, enterprises and figures are invented.

``make`` returns the sheets, ``write`` writes them with a sidecar, ``produce`` does both, ``produce_forms`` writes survey forms instead,
``ship`` makes all of ``data/sample``.
"""

from __future__ import annotations

from lyeval.sample.forms import produce_forms
from lyeval.sample.making import make
from lyeval.sample.messy import messy
from lyeval.sample.shipping import SHIPPED, produce, ship
from lyeval.sample.writing import write

__all__ = ["SHIPPED", "make", "messy", "produce", "produce_forms", "ship", "write"]
