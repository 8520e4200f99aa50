"""Regressors of the tax projection, made the same way for past years and for the years to come."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

from lyeval.simulation.known import Panel
from lyeval.simulation.notes import Note, note


@dataclass(frozen=True)
class Covariates:
    """Which enterprise covariates the data allow.

    Attributes
    ----------
    above, land
        Use the 规上 flag; use log land.
    sectors, townships
        Levels with enough enterprises to have an effect of their own.
    """

    above: bool
    land: bool
    sectors: tuple[str, ...]
    townships: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Lags:
    """What is known of an enterprise before a year's tax is; every array (rows,) or (draws, n).

    Attributes
    ----------
    level
        Log of last year's tax; where that was at or below zero, of the year to date's annual pace, else the mean of
        earlier years, else the county's centre.
    gap
        Mean log tax of the years before last, less ``level``; 0 where there is none.
    silent, young, quiet
        Last year at or below zero; no earlier year above zero; nothing paid in the year to date.
    pace
        Log of year to date over its usual share of the year, less ``level``; 0 where it does not apply.
    static
        Columns that do not vary over draws, by name: 规上, log land, industry, township; shape (rows,) each.
    tax, land, who, year
        In training: outcome (万元), land (亩), position of the enterprise, calendar year; shape (rows,).
    centre
        Mean log tax per mu of the county's payers, for enterprises with no level of their own.
    """

    level: np.ndarray
    gap: np.ndarray
    silent: np.ndarray
    young: np.ndarray
    quiet: np.ndarray
    pace: np.ndarray
    static: dict[str, np.ndarray] = field(default_factory=dict)
    tax: np.ndarray = field(default_factory=lambda: np.zeros(0))
    land: np.ndarray = field(default_factory=lambda: np.zeros(0))
    who: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    year: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))
    centre: float = 0.0

    def take(self, rows: np.ndarray) -> Lags:
        """Return the chosen rows of a training frame."""
        arrays = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name not in ("static", "centre")}
        return replace(self, static={name: column[rows] for name, column in self.static.items()}, **arrays)


def lags(last: np.ndarray, earlier: np.ndarray, paid: np.ndarray | None, centre: np.ndarray) -> Lags:
    """Make the regressors of one year.

    Parameters
    ----------
    last
        Last year's tax, 万元, shape (..., n).
    earlier
        Mean log tax of the years before last, NaN where none was above zero.
    paid
        Year to date over its usual share of the year, 万元, shape (n,); None without year-to-date figures.
    centre
        Log tax of an enterprise of whom nothing else is known, shape (n,).
    """
    silent, young = ~(last > 0), np.isnan(earlier)
    fallback = np.where(young, centre, earlier)
    if paid is None:
        quiet, run_rate = np.zeros_like(silent), None
    else:
        quiet = np.broadcast_to(~(paid > 0), silent.shape)
        run_rate = _log(paid)
        fallback = np.where(quiet, fallback, run_rate)
    level = np.where(silent, fallback, _log(last))
    gap = np.where(silent | young, 0.0, earlier - level)
    pace = np.zeros_like(level) if run_rate is None else np.where(silent | quiet, 0.0, run_rate - level)
    return Lags(level, gap, silent, young, quiet, pace)


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.where(values > 0, values, 1.0))


def columns(frame: Lags) -> tuple[list[str], np.ndarray]:
    """Return names and the design matrix (rows, p) of a training frame, before columns that do not vary are dropped."""
    moving = [_moving(frame, name) for name in MOVING]
    names = ["one", *MOVING, *frame.static]
    return names, np.column_stack([np.ones(len(frame.level)), *moving, *frame.static.values()])


def _moving(frame: Lags, name: str) -> np.ndarray:
    """Return a column that varies over draws, the level as its distance from the county's centre."""
    column = np.asarray(getattr(frame, name), dtype=float)
    return column - frame.centre if name == "level" else column


def design(frame: Lags, names: tuple[str, ...]) -> np.ndarray:
    """Return the regressors of a year that is not yet drawn, shape (n, p); their products with the coefficients are `linear`."""
    ones = np.ones(len(frame.level))
    return np.column_stack(
        [ones if n == "one" else _moving(frame, n) if n in MOVING else frame.static[n] for n in names]
    )


def linear(frame: Lags, names: tuple[str, ...], coef: np.ndarray) -> np.ndarray:
    """Return the projected log tax of each draw, shape (draws, n), for coefficients of shape (draws, p)."""
    columns = [
        np.ones(1) if name == "one" else _moving(frame, name) if name in MOVING else frame.static[name]
        for name in names
    ]
    total = np.zeros(np.broadcast_shapes((len(coef), 1), *(column.shape for column in columns)))
    part = np.empty_like(total)
    for j, column in enumerate(columns):
        np.multiply(coef[:, j, None], column, out=part)
        total += part
    return total


def covariates(panel: Panel) -> tuple[Covariates, tuple[Note, ...]]:
    """Choose the enterprise covariates that the data allow, and note those that were dropped."""
    above, land = panel.above[:, -1], panel.land[:, -1]
    both = min(np.sum(above == 1), np.sum(above == 0)) >= MIN_GROUP
    kept = Covariates(
        above=bool(both and not np.isnan(above).any()),
        land=bool(np.sum(land > 0) == len(land) and len(land) >= MIN_GROUP),
        sectors=_levels(panel.sector),
        townships=_levels(panel.township),
    )
    dropped = [
        note("dropped", zh=zh, en=en)
        for zh, en, used in (
            ("规上标志", "the 规上 flag", kept.above),
            ("土地面积", "land", kept.land),
            ("行业", "industry", bool(kept.sectors)),
            ("镇街", "township", bool(kept.townships)),
        )
        if not used
    ]
    return kept, tuple(dropped)


def _levels(groups: np.ndarray) -> tuple[str, ...]:
    """Levels with at least `MIN_GROUP` enterprises, all but the largest, if the rest of the county is as many."""
    names, counts = np.unique(groups[groups != ""].astype(str), return_counts=True)
    large = [(int(-c), str(n)) for n, c in zip(names, counts, strict=True) if c >= MIN_GROUP]
    return tuple(sorted(name for _, name in sorted(large)[1:MAX_LEVELS]))


def static_columns(panel: Panel, kept: Covariates, column: int) -> dict[str, np.ndarray]:
    """Columns of one year's enterprise covariates, shape (n,) each.

    Parameters
    ----------
    column
        Position in ``panel.years`` of the year they are taken of.
    """
    out: dict[str, np.ndarray] = {}
    if kept.above:
        out["above"] = np.nan_to_num(panel.above[:, column], nan=0.5)
    if kept.land:
        land = panel.land[:, column]
        land = np.where(land > 0, land, panel.land[:, -1])
        out["log_land"] = np.log(land) - float(np.mean(np.log(panel.land[:, -1])))
    out.update({f"sector_{level}": (panel.sector == level).astype(float) for level in kept.sectors})
    out.update({f"township_{level}": (panel.township == level).astype(float) for level in kept.townships})
    return out


def earlier_logs(tax: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of logs of the years above zero, shape (n,) each, of tax of shape (n, years)."""
    positive = tax > 0
    return (_log(tax) * positive).sum(axis=1), positive.sum(axis=1).astype(float)


def mean_log(total: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Mean of logs, NaN where there is none."""
    return np.where(number > 0, total / np.maximum(number, 1.0), np.nan)


def payers(panel: Panel) -> np.ndarray:
    """Log tax per mu of the payers of the latest year with any, sorted."""
    for column in range(len(panel.years) - 1, -1, -1):
        tax, land = panel.tax[:, column], panel.land[:, column]
        usable = (tax > 0) & (land > 0)
        if usable.any():
            return np.sort(np.log(tax[usable] / land[usable]))
    return np.zeros(0)


def county_centre(panel: Panel) -> float:
    """Mean log tax per mu of the payers, 0 (1 万元/亩) without one."""
    logs = payers(panel)
    return float(logs.mean()) if len(logs) else 0.0


def centres(panel: Panel, centre: float) -> np.ndarray:
    """Log tax of an enterprise of average tax per mu on its own land (10 亩 where unknown), shape (n,)."""
    land = panel.land[:, -1]
    return centre + np.log(np.where(land > 0, land, 10.0))


def training(panel: Panel, month: int, share: float, kept: Covariates) -> Lags:
    """Stack the past enterprise-years of which tax, last year's tax and (if used) the year to date are known."""
    centre = county_centre(panel)
    at_centre = centres(panel, centre)
    parts: list[Lags] = []
    for t in range(1, len(panel.years)):
        last, ytd = panel.tax[:, t - 1], panel.ytd[:, t]
        usable = ~np.isnan(panel.tax[:, t]) & ~np.isnan(last) & (~np.isnan(ytd) if month else True)
        total, number = earlier_logs(panel.tax[:, : t - 1])
        made = lags(last, mean_log(total, number), ytd / share if month else None, at_centre)
        whole = replace(
            made,
            static={**static_columns(panel, kept, t - 1), **treated_columns(panel, month, t)},
            tax=panel.tax[:, t],
            land=panel.land[:, t],
            who=np.arange(len(panel.codes)),
            year=np.full(len(panel.codes), panel.years[t]),
        )
        parts.append(whole.take(usable))
    return _stack(parts, {**static_columns(panel, kept, 0), **treated_columns(panel, month, 0)}, centre)


def treated_columns(panel: Panel, month: int, column: int) -> dict[str, np.ndarray]:
    """How far each method's finished cases came into force in a year, shape (n,) each."""
    return {f"{TREATED}{name}": share[:, column] for name, share in panel.treated.get(month, {}).items()}


def _stack(parts: list[Lags], static: dict[str, np.ndarray], centre: float) -> Lags:
    """Join the years' frames; an empty frame of the same columns without any."""
    if not parts:
        none = np.zeros(0)
        flags = np.zeros(0, dtype=bool)
        empty = {name: none for name in static}
        return Lags(none, none, flags, flags, flags, none, static=empty, tax=none, land=none, centre=centre)
    names = [f.name for f in fields(Lags) if f.name not in ("static", "centre")]
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    joined = {name: np.concatenate([part.static[name] for part in parts]) for name in static}
    return Lags(**arrays, static=joined, centre=centre)


TREATED = "did_"
MOVING = ("level", "gap", "silent", "young", "quiet", "pace")
MIN_GROUP = 15
MAX_LEVELS = 9
