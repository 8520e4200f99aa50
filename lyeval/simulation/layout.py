"""A setting's enterprises and methods as the plain arrays that the compiled kernel takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lyeval.simulation.disposals import Practice, effects, finishing, planned_share, shares_leaving
from lyeval.simulation.draws import Sampling, cell_odds, county_draws, newcomers, past, projected, shift_of
from lyeval.simulation.dynamics import Dynamics, scale_design
from lyeval.simulation.engine import Setting
from lyeval.simulation.features import MOVING, centres, design
from lyeval.simulation.field import BINS, KEEPS, LEAVES, PARTS, SHUTS, Field, Ways
from lyeval.simulation.philox import GROUP, STREAMS, code_keys
from lyeval.simulation.successors import lift


def padded(sampling: Sampling) -> Sampling:
    """Round the number of draws up to whole groups."""
    return replace(sampling, draws=-(-sampling.draws // GROUP) * GROUP)


def tag(year: int, stream: str) -> int:
    """Return the word of a counter that stands for a year and a stream."""
    return ((year & 0xFFFF) << 16) | STREAMS[stream]


def field(given: Setting, years: range) -> Field:
    """Lay out the enterprises and the projection of consecutive ``years``, the first the one after the annual figures."""
    panel, sampling = given.panel, padded(given.sampling)
    before = past(panel)
    after = before.then(before.last)
    start = _first(given, years[0], sampling)
    tables = [given.annual.residuals, given.nowcast.residuals, given.annual.payers]
    lengths = np.array([len(table) for table in tables], dtype=np.int64)
    low, high = given.annual.scale_range
    scale = given.annual.scale_coef
    return Field(
        keys=code_keys(panel.codes),
        tags=np.array([[tag(y, s) for s in ("tax", "zero", "response")] for y in years], dtype=np.uint32),
        **start,
        centre=_float(centres(panel, given.annual.centre)),
        sums=_float(after.log_sum),
        counts=_float(after.log_count),
        **_rest(given, years[1:], sampling),
        scale=_float(np.array([scale[0], scale[1], scale[2], low, high]) / np.log(2.0)),
        tables=_float(np.concatenate([*tables, np.zeros(1)])),
        starts=np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
        lengths=lengths,
        grid=_grid(start, given, len(years)),
    )


def _float(values: object) -> np.ndarray:
    return np.ascontiguousarray(values, dtype=np.float32)


def _words(odds: np.ndarray) -> np.ndarray:
    """Smallest words that are not below some odds: a word w stands for (w + 1/2) / 2**32."""
    return np.clip(np.ceil(odds * 2.0**32 - 0.5), 0, 2**32 - 1).astype(np.uint32)


def _first(given: Setting, year: int, sampling: Sampling) -> dict[str, np.ndarray]:
    """Lay the first year out: by the year to date where there is one, without it for the others."""
    panel = given.panel
    known = (given.nowcast.month > 0) & ~np.isnan(panel.ytd[:, -1])
    parts = [(given.annual, ~known, 0)] + ([(given.nowcast, known, 1)] if known.any() else [])
    made = [_block(given, model, mine, book, year, sampling) for model, mine, book in parts]
    floor = np.full(len(known), NOTHING)
    paid = known & ~panel.refunds & (panel.ytd[:, -1] > 0)
    floor[paid] = np.log(panel.ytd[paid, -1])
    out = {name: sum(block[name] for block in made) for name in ("offset", "size", "book", "cell")}
    return {
        "offset": _float(out["offset"]),
        "size": _float(out["size"]),
        "book": np.asarray(out["book"], dtype=np.int32),
        "cell": np.asarray(out["cell"], dtype=np.int32),
        "floor": _float(floor),
        "first": _float(np.concatenate([block["design"] for block in made], axis=1)),
        "coef_first": _float(np.concatenate([block["coef"] for block in made])),
        "zero_first": np.concatenate([block["zero"] for block in made]),
    }


def _block(
    given: Setting, model: Dynamics, mine: np.ndarray, book: int, year: int, sampling: Sampling
) -> dict[str, np.ndarray]:
    """Lay out the first year of those enterprises that one model projects; zeros for the others."""
    panel, before = given.panel, past(given.panel)
    filled = replace(panel, ytd=np.nan_to_num(panel.ytd)) if model.month else panel
    frame = projected(model, filled, before)
    new = newcomers(model, panel, before, frame) & mine
    coef, shock = county_draws(model, year, sampling)
    coef = coef.copy()
    coef[:, 0] += shock[:, 0] + shift_of(model, panel, year)
    size = np.exp(np.clip(scale_design(frame) @ model.scale_coef, *model.scale_range))
    cell = 2 * np.asarray(frame.silent, dtype=int) + np.asarray(frame.quiet, dtype=int) + 4 * book
    return {
        "design": design(frame, model.names) * (mine & ~new)[:, None],
        "coef": coef.T,
        "offset": np.where(new, centres(panel, 0.0), 0.0),
        "size": np.where(new, 1.0, size) * mine,
        "book": np.where(new, 2, book) * mine,
        "cell": cell * mine,
        "zero": _words(cell_odds(model, year, sampling).T),
    }


def _rest(given: Setting, years: range, sampling: Sampling) -> dict[str, np.ndarray]:
    """Lay out the later years: fixed regressors, and the coefficients of what moves with the draws."""
    model, n = given.annual, len(given.panel.codes)
    frame = projected(model, given.panel, past(given.panel))
    fixed = [name for name in model.names if name not in ("one", *MOVING)]
    columns = np.column_stack([np.ones(n), *(frame.static[name] for name in fixed)])
    coefs, moving, zeros = [], [], []
    for year in years:
        coef, shock = county_draws(model, year, sampling)
        by = {name: coef[:, j] for j, name in enumerate(model.names)}
        none = np.zeros(sampling.draws)
        constant = by["one"] + shock[:, 0] - model.centre * by.get("level", none)
        coefs.append([constant, *(by[name] for name in fixed)])
        moving.append([by.get(name, none) for name in ("level", "gap", "silent", "young")])
        zeros.append(_words(cell_odds(model, year, sampling).T[[0, 2]]))
    shape = (len(years), -1, sampling.draws)
    return {
        "rest": _float(columns),
        "coef_rest": _float(np.reshape(coefs, (*shape[:1], len(fixed) + 1, shape[2]))),
        "moving": _float(np.reshape(moving, (shape[0], 4, shape[2]))),
        "zero_rest": np.reshape(zeros, (shape[0], 2, shape[2])).astype(np.uint32),
    }


def _grid(start: dict[str, np.ndarray], given: Setting, years: int) -> np.ndarray:
    """Steps of log tax around each enterprise's middle, wider for later years."""
    middle = start["offset"] + start["first"] @ start["coef_first"].mean(axis=1)
    own = start["size"] * max(float(np.std(given.annual.residuals)) if len(given.annual.residuals) else 1.0, 1.0)
    spread = np.sqrt(own**2 + given.annual.shock_sd**2 + 0.05)[:, None] * np.sqrt(np.arange(1, years + 1))
    per = (BINS - 2) / (2 * REACH * spread)
    return _float(np.stack([middle[:, None] - REACH * spread, per], axis=2))


def ways(given: Setting, years: range) -> Ways:
    """Lay out the disposal methods, the open cases and what last year's finished ones have still to give."""
    plan, sampling, n = given.plan, padded(given.sampling), len(given.panel.codes)
    practices = given.assumed.practices
    names = sorted(practices)
    method, dated = np.full(n, -1, np.int32), np.zeros(n, np.int32)
    begin, leave, raised = np.zeros(n), np.full(n, -1.0), np.zeros(n)
    raised[plan.at] = lift(plan, given.panel, practices)
    method[plan.at] = np.searchsorted(names, plan.method.astype(str))
    dated[plan.at], begin[plan.at] = plan.dated, plan.start
    leave[plan.at] = np.nan_to_num(planned_share(plan, given.panel.land[:, -1]), nan=-1.0)
    hazards = finishing(names, given.pace, sampling, given.date.year)
    after, rise = _after(given, names)
    return Ways(
        tags=np.array([tag(given.date.year, "finish"), tag(given.date.year, "leave")], dtype=np.uint32),
        method=method,
        dated=dated,
        begin=_float(begin),
        leave=_float(leave),
        months=_float(1 / np.stack(hazards, axis=2).transpose(1, 2, 0).reshape(2 * len(names), -1)),
        lift=_float(raised),
        effect=_float(effects(names, practices, sampling, given.date.year).T),
        after=after,
        rise=rise,
        ends=_float([(year - given.date.year) * 12 + 12 - given.date.month for year in years]),
        kind=np.array([_kind(practices[name]) for name in names], dtype=np.int32),
        shares=_float([shares_leaving(practices[name]) for name in names]),
    )


def _kind(practice: Practice) -> int:
    if practice.gone or practice.closed:
        return LEAVES if practice.gone else SHUTS
    return KEEPS if practice.leaves is None else PARTS


def _after(given: Setting, names: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the method that each enterprise finished in the last known year, and the share of its effect still to come."""
    n, spells = len(given.panel.codes), given.panel.treated.get(0, {})
    after, rise = np.full(n, -1, np.int32), np.zeros(n)
    for name in () if given.date.nowcast_month else sorted(spells):
        more = np.abs(spells[name][:, -1]) > np.abs(rise)
        after[more], rise[more] = names.index(name), spells[name][more, -1]
    return after, _float(rise)


NOTHING, REACH = -1e30, 4.5
