"""The assumptions (假设) that a projection uses, read off ``parameters/assumptions`` into plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from os import PathLike

from lyeval.policy.assumptions import Assumptions, MethodAssumption, assumption_ids, load_assumptions
from lyeval.simulation.disposals import Practice
from lyeval.simulation.dynamics import Priors


@dataclass(frozen=True)
class Assumed:
    """What is assumed of tax and of disposal methods.

    Attributes
    ----------
    id
        Which set of assumptions.
    tax
        Priors of the tax projection.
    practices
        Disposal methods by id.
    band, responses
        How far below a line an enterprise may stand and still top up (share of the line), and the shares of such
        enterprises that do, one scenario each.
    labels
        The methods' names in Chinese and English.
    ranges
        By path, how far a figure may be off where the file says so: least, most, and the figure itself.
    """

    id: str
    tax: Priors
    practices: dict[str, Practice]
    band: float
    responses: tuple[float, ...]
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float, float]] = field(default_factory=dict)


def assumed(assumptions: str | PathLike[str] | Assumptions) -> Assumed:
    """Read assumptions by id, path or as loaded.

    Raises
    ------
    PolicyError
        If there is no such set, or a figure is out of its range.
    """
    if isinstance(assumptions, Assumptions):
        return _read(assumptions)
    return _shipped(assumptions) if assumptions in assumption_ids() else _read(load_assumptions(assumptions))


@lru_cache(maxsize=8)
def _shipped(name: str | PathLike[str]) -> Assumed:
    return _read(load_assumptions(name))


def _read(loaded: Assumptions) -> Assumed:
    shock = loaded.common_shock
    figures = {f"common_shock.{name}": figure for name, figure in shock} | {
        name: getattr(loaded, name) for name in ("own_spread", "effort", "funds")
    }
    effort, funds = (figure.value if figure else 1.0 for figure in (loaded.effort, loaded.funds))
    return Assumed(
        id=loaded.id,
        tax=Priors(
            shock.sd.value,
            shock.df.value,
            loaded.own_spread.value,
            shock.late.value,
            shock.mean.value if shock.mean else 0.0,
        ),
        practices={method.id: _practice(method, effort, funds) for method in loaded.methods},
        band=loaded.response.band.value,
        responses=loaded.response.scenarios.values,
        labels={method.id: (method.label, method.label_en) for method in loaded.methods},
        ranges={path: (*figure.range, figure.value) for path, figure in figures.items() if figure and figure.range},
    )


def _practice(method: MethodAssumption, effort: float, funds: float) -> Practice:
    """Map a method: nobody left on land that stays is a closure; land that leaves whole takes the firm with it, and money."""
    return Practice(
        id=method.id,
        success=(method.success.a, method.success.b),
        hazard=method.monthly_hazard.value,
        effect=(method.log_tax.mean, method.log_tax.sd) if method.log_tax else (0.0, 0.0),
        leaves=(method.land_share.a, method.land_share.b) if method.land_share else None,
        gone=method.land == "whole_leaves",
        closed=method.occupant == "none" and method.land != "whole_leaves",
        speed=effort * (funds if method.land == "whole_leaves" else 1.0),
        catch_up=method.catch_up.value if method.catch_up else 0.0,
        ramp_up=method.ramp_up.value if method.ramp_up else 0.0,
    )
