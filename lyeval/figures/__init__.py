"""Figures of results in one house style: colour-blind safe, readable in grey, right without a Chinese font.

Every figure takes a result's frame, draws on ``ax`` (a new figure if None) and returns the Axes; `save` turns it into
SVG and PNG whose bytes depend on the data alone. The caption belongs to the report, so no figure carries a title.
"""

from __future__ import annotations

from lyeval.figures.chances import attainment, curve, odds, plans, readings, reliability, tornado
from lyeval.figures.distributions import tax_per_mu, townships
from lyeval.figures.effects import effect, timeline
from lyeval.figures.style import house, picture, save

__all__ = [
    "attainment",
    "curve",
    "effect",
    "house",
    "odds",
    "picture",
    "plans",
    "readings",
    "reliability",
    "save",
    "tax_per_mu",
    "timeline",
    "tornado",
    "townships",
]
