"""The assumptions (假设) that a projection uses, read off ``parameters/assumptions`` into plain numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from os import PathLike

from lyeval.policy.assumptions import Assumptions, MethodAssumption, assumption_ids, load_assumptions
from lyeval.simulation.casework import Practice
from lyeval.simulation.dynamics import Priors


@dataclass(frozen=True, eq=False)
class Assumed:
    """What is assumed of tax and of disposal methods."""

    id: str
    tax: Priors
    practices: dict[str, Practice]  # disposal methods by id
    band: float  # how far below a line an enterprise may stand and still top up, as a share of the line
    responses: tuple[float, ...]  # shares of such enterprises that do, one scenario each
    costs: dict[str, tuple[float, str]] = field(default_factory=dict)  # by method: 万元/亩, and who pays
    labels: dict[str, tuple[str, str]] = field(default_factory=dict)  # the methods' names in Chinese and English
    ranges: dict[str, tuple[float, float, float]] = field(
        default_factory=dict
    )  # by path: least, most, the figure itself


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
    mean = shock.mean.value if shock.mean else 0.0
    return Assumed(
        id=loaded.id,
        tax=Priors(shock.sd.value, shock.df.value, loaded.own_spread.value, shock.late.value, mean),
        practices={method.id: _practice(method, effort, funds) for method in loaded.methods},
        band=loaded.response.band.value,
        responses=loaded.response.scenarios.values,
        costs={method.id: (method.cost.value, method.payer) for method in loaded.methods},
        labels={method.id: (method.label, method.label_en) for method in loaded.methods},
        ranges={path: (*figure.range, figure.value) for path, figure in figures.items() if figure and figure.range},
    )


def _practice(method: MethodAssumption, effort: float, funds: float) -> Practice:
    """Map a method: nobody left on land that stays is a closure; land that leaves whole takes the firm with it, and money.

    Of the sd of its effect 0.8 is the method's in this county and 0.6 the firm's own; their squares add up.
    """
    mean, sd = (method.log_tax.mean, method.log_tax.sd) if method.log_tax else (0.0, 0.0)
    gone = method.land == "whole_leaves"
    return Practice(
        id=method.id,
        success=(method.success.a, method.success.b),
        duration=(method.duration.mean, method.duration.spread),
        effect=(mean, sd * 0.8),
        own=sd * 0.6,
        leaves=(method.land_share.a, method.land_share.b) if method.land_share else None,
        gone=gone,
        closed=method.occupant == "none" and not gone,
        speed=effort * (funds if gone else 1.0),
        catch_up=method.catch_up.value if method.catch_up else 0.0,
        ramp_up=method.ramp_up.value if method.ramp_up else 0.0,
    )
