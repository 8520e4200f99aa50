"""Large runs by the compiled kernel: the same tables as `result.tables`, with nothing of size enterprises × draws stored.

The counters, and so the shocks, are those of the plain path; arithmetic is in single precision and points of an enterprise's tax per
mu are read off 62 steps of its log, so that the tables agree but for draws within rounding of a line, and points to about a
hundredth of their spread.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.simulation.disposals import disposed, months_to_finish
from lyeval.simulation.engine import Setting, books
from lyeval.simulation.field import BINS, MONEY, QUANTUM, RULES, Counts, Field, Questions
from lyeval.simulation.layout import field, ways
from lyeval.simulation.outlook import (
    QUANTILES,
    TARGET_COLUMNS,
    Year,
    banked_count,
    enterprise_table,
    joined,
    judged,
    parted,
    summary,
    table,
    tax_basis,
)
from lyeval.simulation.result import Tables, left, remarks, responses
from lyeval.simulation.successors import takers
from lyeval.simulation.swings import SCENARIO_COLUMNS

if TYPE_CHECKING:
    from lyeval.assessment import TargetView
    from lyeval.policy import Policy


@dataclass(frozen=True, eq=False)
class Asked:
    """One question over the years, as the kernel counts it.

    Attributes
    ----------
    views
        The target of each year, None in one that does not have it, shape (t,).
    need, weight
        Shape (t, n), as in `Questions`.
    below, total
        Weight of those below, and of all, who are gone already or counted whatever is drawn: shape (t,).
    coin
        Share of those just below the line that top up to it.
    money
        Sum tax instead of counting who is below.
    """

    views: list[TargetView | None]
    need: np.ndarray
    weight: np.ndarray
    below: np.ndarray
    total: np.ndarray
    coin: float
    money: bool


def pays(given: Setting, years: int) -> bool:
    """Tell whether a run is large enough for the kernel to be worth its start, numba is there, and no land changes hands."""
    if len(takers(given.plan, given.panel, given.assumed.practices)):
        return False
    cells = given.sampling.draws * len(given.panel.codes) * years
    return cells >= MIN_CELLS and given.panel.month != 12 and find_spec("numba") is not None


def ask(given: Setting, views: list[TargetView | None], *, coin: float = 0.0, line: bool = True) -> Asked:
    """Put one target as a question.

    Parameters
    ----------
    views
        The target in each year to come, None in one that does not have it.
    coin
        Share of those just below the line that top up to it.
    line
        Count who is below the line (of a mean: its goal); else sum the tax of a mean.
    """
    shape = len(views), len(given.panel.codes)
    need, weight = np.full(shape, np.inf, np.float32), np.zeros(shape, np.int64)
    below, total = np.zeros(len(views), np.int64), np.zeros(len(views), np.int64)
    money = not line
    for t, view in enumerate(views):
        if view is None:
            continue
        at, gone, land, units = _units(given, view)
        basis = tax_basis(view, given.panel.tax[at, -1])
        mine = np.asarray(view.member) & (land > 0) & ~gone
        edge = view.line if view.line is not None else view.goal
        with np.errstate(divide="ignore", invalid="ignore"):
            tax = basis if money else (edge or np.nan) * land / basis
            need[t, at[mine]] = np.log(tax[mine])
        weight[t, at[mine]] = units[mine]
        below[t], total[t] = _gone(given, view, at, gone, units, first=t == 0, money=money)
        total[t] += weight[t].sum()
    return Asked(views, need, weight, below, total, coin, money)


def _units(given: Setting, view: TargetView) -> tuple[np.ndarray, ...]:
    """Positions of a target's members, who is gone already, the land they hold (亩) and what each counts."""
    at = np.searchsorted(given.panel.codes, view.codes)
    land = np.nan_to_num(view.land) * given.left.kept[at]
    by_land = view.weight == "land" or view.kind == "mean"
    units = (
        np.rint(land / QUANTUM).astype(np.int64) if by_land and view.kind != "count" else (land > 0).astype(np.int64)
    )
    return at, given.left.gone[at] | view.gone, land, units


def _gone(
    given: Setting, view: TargetView, at: np.ndarray, gone: np.ndarray, units: np.ndarray, *, first: bool, money: bool
) -> tuple[int, int]:
    """Weight below (or tax), and weight in all, of members who are gone already, by the target's rule for them."""
    counted = gone & view.member & (view.exited != "drop")
    if view.exited == "land_stays":
        counted &= ~given.left.released[at]
    total = int(units[counted].sum())
    if not money:
        return (total if view.exited in ("fail", "land_stays") else 0), total
    paid = given.panel.ytd[at, -1] * tax_basis(view, given.panel.tax[at, -1])
    taxed = counted & first & (view.exited != "land_stays") & ~np.isnan(paid)
    return int(np.rint(paid[taxed] / MONEY).sum()), total


def questions(asked: Sequence[Asked], band: float, draws: int, among: np.ndarray | None = None) -> Questions:
    """Put questions side by side.

    Parameters
    ----------
    among
        Draws in which enterprises are counted one by one, boolean (k, draws); default: all.
    """
    wide = np.zeros((len(asked), -(-draws // 256) * 256), np.uint8)
    wide[:, :draws] = True if among is None else among
    return Questions(
        need=np.stack([one.need for one in asked]),
        weight=np.stack([one.weight for one in asked]),
        land=np.array([_sample(one).weight == "land" and _sample(one).kind != "count" for one in asked]),
        rule=np.array([RULES[_sample(one).exited] for one in asked], dtype=np.int32),
        mean=np.array([one.money for one in asked]),
        band=np.full(len(asked), np.log1p(-band), np.float32),
        coin=np.array([np.clip(np.ceil(one.coin * 2.0**32 - 0.5), 0, 2**32 - 1) for one in asked], dtype=np.uint32),
        among=wide,
    )


def _sample(one: Asked) -> TargetView:
    return next(view for view in one.views if view is not None)


def statistic(one: Asked, counts: Counts, k: int, t: int) -> np.ndarray:
    """Return a target's statistic in each draw, shape (draws,), from the counts of question ``k``; NaN where nobody counts."""
    view = one.views[t] or _sample(one)
    below = counts.below[k, t] + one.below[t]
    total = one.total[t] - counts.dropped[k, t]
    if one.money:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(total > 0, below * MONEY / (total * QUANTUM), np.nan)
    part = below if view.side == "below" else total - below
    if view.kind == "count":
        return part.astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(total > 0, part / total, np.nan)


def run(given: Setting, asked: Sequence[Asked], years: range, *, spread: bool = False) -> tuple[Field, Counts]:
    """Lay the setting out and count."""
    from lyeval.simulation.kernel import count

    laid = field(given, years)
    put = questions(asked, given.assumed.band, given.sampling.draws)
    sampling = given.sampling
    counts = count(
        laid,
        ways(given, years),
        put,
        draws=sampling.draws,
        seed=sampling.seed,
        threads=os.cpu_count() or 1,
        spread=spread,
    )
    return laid, counts


def fused_tables(
    given: Setting, targets: Sequence[Sequence[TargetView]], policy: Policy, *, past: Sequence[TargetView] = ()
) -> Tables:
    """Summarise the targets of consecutive years, as `result.tables` does.

    Parameters
    ----------
    targets
        By year, the first the one after the annual figures: each target laid out on what was known.
    """
    years = range(given.date.facts_year + 1, given.date.facts_year + 1 + len(targets))
    asked = _all_asked(given, targets, responses(given.assumed, past))
    keys = list(asked)
    laid, counts = run(given, list(asked.values()), years, spread=True)
    got = Got(given, asked, {key: k for k, key in enumerate(keys)}, laid, counts)
    names = {target.id: target.label_en for target in policy.targets}
    rows, values, scenarios, firms, pairs = [], [], [], [], []
    for t, views in enumerate(targets):
        ahead = _ahead(given, years[t], draws=given.sampling.draws)
        for view in views:
            drawn, parts = _drawn(got, view, ahead, t)
            values.append(drawn)
            rows.append({**summary(view, ahead, drawn, parts), "label_en": names.get(view.id, view.label)})
            pairs.append((view, ahead))
        ids = {view.id for view in views}
        scenarios += [_scenario(got, key, t) for key in keys if key[0] == "response" and key[1] in ids]
        firms.append(joined([_firms(got, view, ahead, fresh, line, t) for view, fresh, line in judged(views)]))
    return Tables(
        targets=table(rows, TARGET_COLUMNS),
        enterprises=pd.concat(firms, ignore_index=True),
        scenarios=table(scenarios, SCENARIO_COLUMNS),
        left=left([view for view, _ in pairs], values),
        members=(),
        values=tuple(values),
        notes=remarks(pairs, given.date.facts_year),
    )


Key = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Got:
    """The kernel's answers with what was asked: questions by ("target", id), ("firms", id), ("response", id, share, basis)."""

    given: Setting
    asked: dict[Key, Asked]
    at: dict[Key, int]
    laid: Field
    counts: Counts


def _first_of_each(targets: Sequence[Sequence[TargetView]]) -> list[TargetView]:
    """Return each target set on a line once."""
    found = {view.id: view for views in reversed(targets) for view in views if view.kind in ("share", "count", "mean")}
    return list(found.values())


def _all_asked(
    given: Setting, targets: Sequence[Sequence[TargetView]], responses: dict[str, list[tuple[float, str]]]
) -> dict[Key, Asked]:
    out: dict[Key, Asked] = {}
    for view in _first_of_each(targets):
        over = [next((v for v in views if v.id == view.id), None) for views in targets]
        out["target", view.id] = ask(given, over, line=view.kind != "mean")
        if view.kind == "mean":
            out["firms", view.id] = ask(given, over)
        elif view.line is not None and view.goal is not None:
            for share, basis in responses[view.id]:
                out["response", view.id, share, basis] = ask(given, over, coin=share)
    return out


def _ahead(given: Setting, year: int, draws: int) -> Year:
    """Return what is known of a year without its draws: books, open cases, who is gone."""
    n = len(given.panel.codes)
    none, no = np.zeros((1, n)), np.zeros((1, n), dtype=bool)
    first, busy = year == given.date.facts_year + 1, no[0].copy()
    busy[given.plan.at] = True
    gone, kept = given.left.gone[None, :], given.left.kept[None, :]
    reported = given.panel.tax[:, -1]
    final = given.date.year == year and given.date.month == 12
    return Year(
        year, given.panel.codes, none, kept, reported, gone, no, no, none, given.left.released[None, :],
        *books(given, first=first), busy, final, draws,
    )  # fmt: skip


def _drawn(got: Got, view: TargetView, ahead: Year, t: int) -> tuple[np.ndarray, dict[str, int | None]]:
    """Return a target's statistic in each draw, and its members split into sure and open."""
    if ("target", view.id) not in got.at:
        return _from_cases(got.given, view), parted(view, ahead, np.zeros(len(view.codes)))
    k = got.at["target", view.id]
    at = np.searchsorted(got.given.panel.codes, view.codes)
    gone = got.given.left.gone[at] | view.gone
    stays = {"drop": False, "pass": False, "fail": True, "land_stays": ~got.given.left.released[at]}[view.exited]
    below = np.where(gone, stays, got.counts.hits[1, k, at, t] / got.given.sampling.draws)
    return statistic(got.asked["target", view.id], got.counts, k, t), parted(view, ahead, below)


def _from_cases(given: Setting, view: TargetView) -> np.ndarray:
    """Return closures, demolition or blocks in each draw: what is done, and what the open cases bring."""
    plan = given.plan
    months = months_to_finish(plan, given.panel.codes, given.pace, given.sampling, given.date.year)
    state = disposed(plan, months, given.date, view.year)
    if view.kind == "demolished":
        return view.base + state.fresh @ np.nan_to_num(plan.demolished)
    if view.kind != "closed":
        return np.full(given.sampling.draws, float(view.base))
    practice = [given.assumed.practices[m] for m in plan.method]
    counts = np.array([p.closed or (p.gone and banked_count(view)) for p in practice], dtype=bool)
    return view.base + (state.fresh & counts & np.isin(given.panel.codes[plan.at], view.codes[view.member])).sum(axis=1)


def _scenario(got: Got, key: Key, t: int) -> dict[str, Any]:
    one = got.asked[key]
    view, drawn = one.views[t] or _sample(one), statistic(one, got.counts, got.at[key], t)
    known = drawn[~np.isnan(drawn)]
    row = summary(view, _ahead(got.given, view.year, len(drawn)), known, {})
    picked = {name: row[name] for name in ("id", "year", "probability", "mc_error", "p05", "p50", "p95")}
    return {**picked, "response": key[2], "basis": key[3]}


def _firms(got: Got, view: TargetView, ahead: Year, fresh: np.ndarray, line: float, t: int) -> pd.DataFrame:
    """Summarise the members judged by a target: odds from the counts, points of tax per mu from the steps."""
    given, k = got.given, got.at["firms" if view.kind == "mean" else "target", view.id]
    at = np.searchsorted(given.panel.codes, view.codes)[fresh]
    land, basis = (
        view.land[fresh],
        tax_basis(view, given.panel.tax[np.searchsorted(given.panel.codes, view.codes), -1])[fresh],
    )
    kept = np.where(given.left.kept[at] > 0, given.left.kept[at], np.inf)
    points = quantiles(got.counts.bins[at, t], got.laid.grid[at, t]) * basis / (land * kept)
    draws = given.sampling.draws
    p = (draws - got.counts.hits[0, k, at, t] + 0.5) / (draws + 1)
    paid = np.nan_to_num(given.panel.ytd[at, -1]) * basis / land if t == 0 else np.zeros(len(at))
    gone = given.left.gone[at] | view.gone[fresh]
    p = np.where(gone, np.where(paid >= line, draws + 0.5, 0.5) / (draws + 1), p)
    return enterprise_table(view, ahead, fresh, line, p, np.where(gone, paid, points))


def quantiles(bins: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Points of tax (万元) at `QUANTILES`, shape (3, m), from counts by step of log tax, shape (m, BINS)."""
    total = np.cumsum(bins, axis=1)
    out = np.empty((len(QUANTILES), len(bins)))
    rows = np.arange(len(bins))
    for row, q in zip(out, QUANTILES, strict=True):
        want = q * total[:, -1]
        step = np.minimum((total < want[:, None]).sum(axis=1), BINS - 1)
        under = np.where(step > 0, total[rows, step - 1], 0)
        inside = np.clip((want - under) / np.maximum(bins[rows, step], 1), 0.0, 1.0)
        log = grid[:, 0] + (step - 1 + inside) / grid[:, 1]
        row[:] = np.where(step == 0, 0.0, np.exp(log))
    return out


MIN_CELLS = 10_000_000
