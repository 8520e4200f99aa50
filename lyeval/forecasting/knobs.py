"""The assumptions as knobs: each with its range, and what turning it changes in the setting that years are drawn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from scipy.special import betaincinv, ndtri

from lyeval.simulation.assumed import Assumed
from lyeval.simulation.disposals import Pace, Practice
from lyeval.simulation.dynamics import reassumed
from lyeval.simulation.engine import Setting


@dataclass(frozen=True, eq=False)
class Point:
    """One choice of everything that is assumed.

    Attributes
    ----------
    assumed, pace
        Tax and methods as `Setting` has them.
    share
        Share of the enterprises just below a line that top up to it.
    reading
        Number of the reading: 0 the one chosen.
    """

    assumed: Assumed
    pace: dict[str, Pace]
    share: float = 0.0
    reading: int = 0

    def setting(self, given: Setting) -> Setting:
        """Return the setting under these assumptions, without fitting anew."""
        tax, history = self.assumed.tax, given.panel
        annual = reassumed(given.annual, history, tax)
        nowcast = annual if given.nowcast is given.annual else reassumed(given.nowcast, history, tax)
        return replace(given, assumed=self.assumed, pace=self.pace, annual=annual, nowcast=nowcast)


@dataclass(frozen=True, eq=False)
class Knob:
    """One assumption.

    Attributes
    ----------
    group
        methods, tax, response or readings.
    id, label, label_en
        Its path in the file of assumptions, and its name.
    low, high
        Its range: the file's own, else the 10 % and 90 % points of what is assumed and the county's cases together.
    turn
        Sets it: (point, value) → point.
    """

    group: str
    id: str
    label: str
    label_en: str
    low: float
    high: float
    turn: Callable[[Point, float], Point]


def knobs(given: Setting) -> list[Knob]:
    """Return the knobs that can move this setting: methods in use, the priors that its projection rests on, topping up."""
    taken, out = given.assumed, []
    for name in sorted(set(given.plan.method.astype(str))):
        out += _method(given, name)
    unused = {"common_shock.late"} if not given.nowcast.month else set()
    unused |= {"own_spread"} if given.annual.rows else {"common_shock.df"} if given.nowcast.month else set()
    unused |= set(MULTIPLES) if not len(given.plan.at) else set()
    for path, (zh, en, group) in NAMED.items():
        if path in taken.ranges and path not in unused:
            low, high, now = taken.ranges[path]
            turn = partial(_multiple, path=path, now=now) if path in MULTIPLES else partial(_prior, name=PRIORS[path])
            out.append(Knob(group, path, zh, en, low, high, turn))
    ends = min(taken.responses), max(taken.responses)
    out.append(
        Knob("response", "response.scenarios", "临近标准企业补足比例", "share topping up near a line", *ends, _respond)
    )
    return [knob for knob in out if knob.high > knob.low]


def _method(given: Setting, name: str) -> list[Knob]:
    """Return a method's pace, its effect on tax and the land that it takes."""
    practice, (a, b) = given.assumed.practices[name], given.pace[name].yearly
    (zh, en), out = given.assumed.labels[name], []
    low, high = (float(x) for x in betaincinv(a, b, TENTHS))
    head = f"methods.{name}"
    out.append(
        Knob(
            "methods",
            f"{head}.success",
            f"{zh}：一年内办结",
            f"{en}: done within a year",
            low,
            high,
            partial(_pace, name=name),
        )
    )
    if practice.effect[1] > 0 and not (practice.gone or practice.closed):
        mean, sd = practice.effect
        low, high = (float(x) for x in mean + sd * ndtri(TENTHS))
        out.append(Knob("methods", f"{head}.log_tax", f"{zh}：税收变动（对数）", f"{en}: change of log tax", low, high,
                        partial(_effect, name=name)))  # fmt: skip
    if practice.leaves is not None:
        low, high = (float(x) for x in betaincinv(*practice.leaves, TENTHS))
        out.append(Knob("methods", f"{head}.land_share", f"{zh}：腾出用地占比", f"{en}: share of land that leaves", low, high,
                        partial(_leaves, name=name)))  # fmt: skip
    return out


def _pace(point: Point, value: float, *, name: str) -> Point:
    """Set the chance of a case being done within twelve months, as if it were known."""
    pace = point.pace[name]
    (a, b), (events, months) = pace.yearly, pace.monthly
    faster = np.log1p(-value) / np.log1p(-a / (a + b))
    known = Pace((value * KNOWN, (1 - value) * KNOWN), (KNOWN, KNOWN * months / events / faster), pace.speed)
    return replace(point, pace={**point.pace, name: known})


def _effect(point: Point, value: float, *, name: str) -> Point:
    return _practised(point, name, effect=(value, 0.0))


def _leaves(point: Point, value: float, *, name: str) -> Point:
    return _practised(point, name, leaves=(value * KNOWN, (1 - value) * KNOWN))


def _practised(point: Point, name: str, **changes: tuple[float, float]) -> Point:
    practice: Practice = replace(point.assumed.practices[name], **changes)  # pyright: ignore[reportArgumentType]
    return replace(point, assumed=replace(point.assumed, practices={**point.assumed.practices, name: practice}))


def _prior(point: Point, value: float, *, name: str) -> Point:
    return replace(point, assumed=replace(point.assumed, tax=replace(point.assumed.tax, **{name: value})))


def _multiple(point: Point, value: float, *, path: str, now: float) -> Point:
    """Set the pace of all methods, or of those that need money, as a multiple of what is arranged."""
    mine = {n for n, p in point.assumed.practices.items() if p.gone or path == "effort"}
    times = value / now if now else 1.0
    pace = {n: replace(p, speed=p.speed * times) if n in mine else p for n, p in point.pace.items()}
    return replace(point, pace=pace)


def _respond(point: Point, value: float) -> Point:
    return replace(point, share=value)


TENTHS, KNOWN = np.array([0.1, 0.9]), 400.0
PRIORS = {
    "common_shock.sd": "shock_sd",
    "common_shock.df": "shock_df",
    "common_shock.late": "late_sd",
    "common_shock.mean": "shift",
    "own_spread": "spread",
}
MULTIPLES = ("effort", "funds")
NAMED = {
    "effort": ("全部处置的快慢（倍）", "pace of all disposals (times)", "methods"),
    "funds": ("收储资金（倍）", "money for land banking (times)", "methods"),
    "common_shock.sd": ("全域共同波动幅度（对数）", "size of the common shock (log)", "tax"),
    "common_shock.df": ("共同波动先验的年数", "years that the shock's prior weighs", "tax"),
    "common_shock.late": ("年末共同波动的下限（对数）", "least common shock at the year's end (log)", "tax"),
    "common_shock.mean": ("全域税收的整体变动（对数）", "shift of the county's tax (log)", "tax"),
    "own_spread": ("单个企业年际波动（对数）", "one firm's yearly spread (log)", "tax"),
}
