"""What may be said of a plan's effect (影响检验): the template ``effects`` filled for one place, and its tables."""

from __future__ import annotations

from typing import Any

from lyeval.render.blocks import Block
from lyeval.report.context import Context
from lyeval.report.drawings import drawing
from lyeval.report.filling import fill
from lyeval.report.sheets import sheet

MAIN = (
    "rd_reach",
    "rd_level",
    "did_level",
    "poisson_tax",
    "event_reach",
    "gap_reach",
    "gap_level",
    "timing",
    "bunching@2020",
)


def about_effects(side: str, place: str) -> dict[str, Any]:
    """Return the words that the template ``effects`` asks for."""
    return {"side": side, "side_place": place, "main_effects": list(MAIN)}


def causes(c: Context, side: str, place: str) -> list[Block]:
    """Write what may be said of one place: what was asked, the estimates, each with its sentence, figures, refusals."""
    things = {"table": lambda name, *args: sheet(c, name, *args), "figure": lambda name, *args: drawing(c, name, *args)}
    return fill("effects", c, things, about_effects(side, place))
