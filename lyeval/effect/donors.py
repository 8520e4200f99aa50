"""Synthetic control (合成控制) and synthetic differences: one place against a weighted mix of others."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.frames import columns, flag, labels, varies, whole_years
from lyeval.effect.result import Z_95, Check, Effect, EffectError, Words, number
from lyeval.effect.weights import METHODS, Block, Weighted, control, differences, fit, plain

DRAWS = 200
WEIGHTY = 0.01
POOR = 2.0


@dataclass(frozen=True, eq=False)
class Case:
    """A block with the names of its donors and its periods, and how many units were left out for gaps."""

    block: Block
    names: tuple[Any, ...]
    periods: np.ndarray
    left_out: int
    dropped: int


@dataclass(frozen=True, eq=False)
class Placebos:
    """What the method finds where nothing happened: estimates, and later over earlier root mean squared gaps."""

    names: tuple[Any, ...]
    estimates: np.ndarray
    early: np.ndarray
    ratios: np.ndarray

    @property
    def spread(self) -> float:
        """Standard deviation of the estimates."""
        return float(np.std(self.estimates))


def synthetic(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: Hashable | Sequence[Hashable],
    first_year: int,
    method: str = "control",
) -> Effect:
    """Compare a place with a weighted mix of others that followed it until the policy (合成控制法).

    ``control``: Y_treated − Σ wᵢYᵢ with w on the simplex, fitted to the earlier outcomes. ``did``: the same with an intercept,
    a ridge, and weights of earlier periods (synthetic difference in differences). Every donor is put in the treated's place
    to see what the method finds where nothing happened.

    Parameters
    ----------
    frame
        One row per unit and period, e.g. the counties table.
    outcome, unit, time
        Columns; ``time`` in whole periods. Donors with a gap are left out and counted.
    treated
        The treated unit's value in ``unit`` (or several), or a column 0/1 that marks it.
    first_year
        First treated period.
    method
        ``control`` or ``did``.

    Returns
    -------
    Effect
        ``estimate``: mean effect over the later periods. ``std_error``, ``low``, ``high``: spread of the placebos.
        ``p_value``: the treated's rank among them, by later over earlier root mean squared gap (``control``) or by size
        (``did``); it cannot be below 1/(donors + 1). ``details``: synthetic_control, synthetic_did, did, n_donors, rank,
        weights, periods, path, placebos (frames), left_out, dropped. Checks: pre_fit, placebo_date, leave_one_out, donors.

    Raises
    ------
    EffectError
        If the treated is not there or has gaps, or there are fewer than 2 earlier periods or 3 donors.

    Notes
    -----
    Abadie, Diamond, Hainmueller (2010); Arkhangelsky et al. (2021). Weights are exact minimisers; iterative solvers that
    stop early differ from them in the fourth digit (synthetic differences) or third (control).
    """
    if method not in METHODS:
        raise EffectError(f"method 应为 control 或 did，不是 {method} / method must be control or did, not {method!r}")
    case = _case(frame, (outcome, unit, time), treated, first_year)
    block = case.block
    found = fit(block, method)
    placebos = _placebos(case, method)
    mine = _ratio(found, block.before, method)
    worse = placebos.ratios >= mine if method == "control" else np.abs(placebos.estimates) >= abs(found.estimate)
    p_value = float((1 + worse.sum()) / (len(worse) + 1))
    se = placebos.spread
    both = {"control": control(block), "did": differences(block)}
    details: dict[str, Any] = {
        "method": method,
        "synthetic_control": both["control"].estimate,
        "synthetic_did": both["did"].estimate,
        "did": plain(block),
        "n_donors": len(case.names),
        "rank": int(worse.sum()) + 1,
        "weights": pd.DataFrame({"unit": case.names, **{name: one.units for name, one in both.items()}}),
        "periods": pd.DataFrame({"time": case.periods[: block.before], "weight": both["did"].periods}),
        "path": _path(case, found),
        "placebos": pd.DataFrame({"unit": placebos.names, "estimate": placebos.estimates, "ratio": placebos.ratios}),
        "left_out": case.left_out,
        "dropped": case.dropped,
    }
    low, high = found.estimate - Z_95 * se, found.estimate + Z_95 * se
    checks = (
        _pre_fit(found, placebos, block, method),
        _date(case, method),
        _leave_out(case, found, se, method),
        _enough(case),
    )
    n = (len(case.names) + block.n_treated) * len(case.periods)
    return Effect(
        "synthetic", _estimand(outcome, treated, first_year), found.estimate, se, p_value, low, high, n, details, checks
    )


def _case(frame: pd.DataFrame, names: tuple[str, str, str], treated: Any, first_year: int) -> Case:
    outcome, unit, time = names
    data = columns(frame, [time, outcome], [unit])
    varies(data[outcome], outcome)
    every = labels(frame, unit)
    marked = _marked(frame, unit, treated, every)
    periods, at = np.unique(whole_years(data[time], time), return_inverse=True)
    who = data[unit].astype(int)
    if len(np.unique(who * len(periods) + at)) < len(who):
        raise EffectError(
            f"同一 {unit} 同一 {time} 有多行 / several rows for one {unit} in one {time}: keep or add up one"
        )
    y = np.full((len(every), len(periods)), np.nan)
    y[who, at] = data[outcome]
    whole: np.ndarray = np.logical_not(np.isnan(y).any(axis=1))
    if not whole[marked].all():
        raise EffectError(f"处置单位的 {outcome} 各期不齐 / the treated unit lacks {outcome} in some period")
    rest = whole & ~marked
    before = int((periods < first_year).sum())
    if before < 2 or before == len(periods):
        raise EffectError(
            f"{first_year} 以前至少两期、以后至少一期 / two periods before {first_year} and one from it on are needed"
        )
    if rest.sum() < 3 or rest.sum() <= marked.sum() + 1:
        raise EffectError(
            f"可比单位只有 {int(rest.sum())} 个，至少需 3 个 / {int(rest.sum())} donors; at least 3 are needed"
        )
    block = Block(y[marked].mean(axis=0), y[rest], before, int(marked.sum()))
    return Case(block, tuple(every[rest]), periods, int((~whole).sum()), data.dropped)


def _marked(frame: pd.DataFrame, unit: str, treated: Any, every: pd.Index) -> np.ndarray:
    """Return which units are treated: named by their values, or marked by a column."""
    if isinstance(treated, str) and treated not in every and treated in frame.columns:
        data = columns(frame, [treated], [unit])
        out = np.bincount(data[unit].astype(int), weights=flag(data[treated], treated), minlength=len(every)) > 0
    else:
        asked = [treated] if isinstance(treated, str) or not isinstance(treated, Sequence) else list(treated)
        missing = [str(one) for one in asked if one not in every]
        if missing:
            raise EffectError(f"{unit} 中没有 {'、'.join(missing)} / no {', '.join(missing)} in {unit}")
        out = np.asarray(every.isin(asked))
    if not out.any():
        raise EffectError(f"{treated} 没有标出任何 {unit} / {treated} marks no {unit}")
    return out


def _placebos(case: Case, method: str) -> Placebos:
    """Put each donor (or, for several treated, 200 drawn groups of donors) in the treated's place."""
    block, count = case.block, len(case.names)
    if block.n_treated == 1:
        sets = [np.array([i]) for i in range(count)]
        names: tuple[Any, ...] = case.names
    else:
        rng = np.random.default_rng(0)
        sets = [np.sort(rng.choice(count, block.n_treated, replace=False)) for _ in range(DRAWS)]
        names = tuple(range(DRAWS))
    blocks = [
        Block(block.donors[chosen].mean(axis=0), np.delete(block.donors, chosen, axis=0), block.before, len(chosen))
        for chosen in sets
    ]
    fits = [fit(one, method) for one in blocks]
    early = np.array([_early(one, block.before, method) for one in fits])
    return Placebos(
        names,
        np.array([one.estimate for one in fits]),
        early,
        np.array([_ratio(one, block.before, method) for one in fits]),
    )


def _early(found: Weighted, before: int, method: str) -> float:
    gap = found.path[:before]
    return float(np.sqrt(np.mean((gap - (gap.mean() if method == "did" else 0.0)) ** 2)))


def _ratio(found: Weighted, before: int, method: str) -> float:
    late = float(np.sqrt(np.mean(found.path[before:] ** 2)))
    return late / max(_early(found, before, method), 1e-12)


def _path(case: Case, found: Weighted) -> pd.DataFrame:
    treated = case.block.treated
    return pd.DataFrame(
        {"time": case.periods, "treated": treated, "synthetic": treated - found.path, "gap": found.path}
    )


def _pre_fit(found: Weighted, placebos: Placebos, block: Block, method: str) -> Check:
    mine, usual = _early(found, block.before, method), float(np.median(placebos.early))
    ratio = mine / usual if usual > 0 else math.inf
    zh = f"施行前拟合误差 {number(mine)}，为各对照单位中位数的 {number(ratio)} 倍（不宜超过 {POOR:g}）"
    en = f"misfit before the start {number(mine)}, {number(ratio)} times the donors' median (at most {POOR:g})"
    return Check("pre_fit", ratio <= POOR, ratio, zh, en)


def _date(case: Case, method: str) -> Check:
    """Pretend the policy began half-way through the earlier periods, later rows unseen."""
    before = case.block.before
    if before < 4:
        return Check(
            "placebo_date", None, None, "施行前不足 4 期，无法设假日期", "fewer than 4 earlier periods: no placebo date"
        )
    block, middle = case.block, before // 2
    early = Block(block.treated[:before], block.donors[:, :before], middle, block.n_treated)
    again = Case(early, case.names, case.periods[:before], 0, 0)
    value, spread = fit(early, method).estimate, _placebos(again, method).spread
    start = int(case.periods[middle])
    zh = f"假设始于 {start}，估计为 {number(value)}（对照单位的标准差 {number(spread)}）"
    en = f"as if it began in {start}: {number(value)} (placebo standard deviation {number(spread)})"
    return Check("placebo_date", abs(value) < Z_95 * spread, value, zh, en)


def _leave_out(case: Case, found: Weighted, se: float, method: str) -> Check:
    """Leave out each donor with weight: the sign must stay, and the estimate within the interval."""
    heavy = np.flatnonzero(found.units > WEIGHTY)
    left = [fit(case.block.without(int(i)), method).estimate for i in heavy]
    least, most = min(left), max(left)
    far = max(abs(least - found.estimate), abs(most - found.estimate))
    zh = f"逐一去掉有权重的 {len(left)} 个对照单位，估计为 {number(least)} 至 {number(most)}"
    en = f"leaving out each of {len(left)} donors with weight: {number(least)} to {number(most)}"
    return Check("leave_one_out", far <= Z_95 * se and least * most > 0, far, zh, en)


def _enough(case: Case) -> Check:
    """With fewer than 19 donors no rank can be below 5 %: open, since the estimate stands all the same."""
    least = 1 / (len(case.names) + 1)
    zh = f"对照单位 {len(case.names)} 个，名次检验的 p 不可能小于 {number(least)}"
    en = f"{len(case.names)} donors: a rank's p cannot be below {number(least)}"
    return Check("donors", True if least <= 0.05 else None, float(len(case.names)), zh, en)


def _estimand(outcome: str, treated: Any, first_year: int) -> Words:
    name = (
        str(treated) if isinstance(treated, str) or not isinstance(treated, Sequence) else "、".join(map(str, treated))
    )
    return Words(
        f"{name} 自 {first_year} 年起 {outcome} 所受的平均影响（与加权的其他单位相比）",
        f"average effect on {outcome} of {name} from {first_year} on, against a weighted mix of others",
    )
