"""Synthetic ledgers with a known truth (样例台账), for any plan: places are on the map or invented, enterprises and figures are invented.

``make`` returns the sheets, ``write`` writes them with a sidecar, ``produce`` does both or writes survey forms, ``ship`` makes all of
``data/sample``. One generator is driven by the plan and by the parameters of ``places.yaml`` and ``programmes.yaml``.
"""

from __future__ import annotations

from lyeval.sample.generate import SHIPPED, make, messy, produce, produce_forms, ship, write, write_form, write_forms

__all__ = ["SHIPPED", "make", "messy", "produce", "produce_forms", "ship", "write", "write_form", "write_forms"]
