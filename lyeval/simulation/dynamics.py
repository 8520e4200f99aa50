"""Tax dynamics (税收预测): a two-part projection of annual tax from last year's, earlier years' and the year to date.

Part one says whether a year ends at or below zero, from Beta-binomial cells of (silent last year × quiet to date). Part two is an OLS
of log tax with enterprise-clustered covariance, and an OLS of the log size of its residuals; the standardised residuals are what is
resampled. A shock common to the county's enterprises comes on top.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from lyeval.simulation.known import Note, Panel, note

Frame = dict[str, np.ndarray]


@dataclass(frozen=True)
class Priors:
    """What is assumed of tax before the county's own years are seen (parameters/assumptions), in log points."""

    shock_sd: float = 0.12  # scale and degrees of freedom of the county's common shock of a year;
    shock_df: float = 3.0  # the latter is also the weight of the prior, in years, against the spread of past years
    spread: float = 0.6  # sd of a year's change of one enterprise, where figures are too few to estimate it
    late_sd: float = 0.04  # least scale of the shock, over √(share of the year to come)
    shift: float = 0.0  # known shift of all enterprises over the first projected year


@dataclass(frozen=True, eq=False)
class Dynamics:
    """A fitted projection of one year's tax."""

    month: int  # months of the projected year that are known
    static: Frame  # regressors of the latest year that do not vary over draws, shape (n,) each
    cells: np.ndarray  # counts [silent last year, quiet to date, (above zero, at or below)] of past enterprise-years
    refunds: np.ndarray  # tax per mu of past years below zero, 万元/亩, sorted
    paid_share: float  # share of a year's tax paid by ``month``; 1 where that is 0
    centre: (
        float  # mean log tax per mu of the county's payers, and all of theirs, sorted: for enterprises without history
    )
    payers: np.ndarray
    shift: float  # known shift of log tax in what is to come of the first projected year
    notes: tuple[Note, ...]  # what was dropped, and why
    names: tuple[str, ...]  # regressors (p), their coefficients, and a (p, p) root of the covariance
    coef: np.ndarray
    root: np.ndarray
    scale_coef: (
        np.ndarray
    )  # log size of the residual on (1, log level, silent, quiet, short), and the range that it is held to
    scale_range: tuple[float, float]
    residuals: np.ndarray  # standardised, sorted; none where a Normal is assumed
    shock_sd: float  # scale and degrees of freedom of the common shock, updated by past years
    shock_df: float
    # what it was fitted on; empty where it rests on assumptions
    year_effects: np.ndarray = field(default_factory=lambda: np.zeros(0))  # of past years, log points, summing to zero
    spread: float = 0.0  # sd of the enterprises' own residuals, log points
    weight: float = 0.0  # what the year to date weighs in the projection beside last year's level
    effects: dict[str, tuple[float, float]] = field(default_factory=dict)  # of a method's year in force, standard error
    rows: int = 0  # enterprise-years and calendar years
    years: tuple[int, ...] = ()


def fit(panel: Panel, month: int, priors: Priors) -> Dynamics:
    """Fit the projection on every past year that has a year before it, and (if months are to be used) a year to date through ``month``.

    Under 30 enterprise-years above zero, or without two consecutive years, it is last year's tax with an assumed spread (updated by
    what residuals there are), and says so.
    """
    share, (kept, notes) = paid_share(panel, month), covariates(panel)
    payers = _payers(panel)
    centre = float(payers.mean()) if len(payers) else 0.0
    frame = training(panel, month, share, kept, centre)
    positive = frame["tax"] > 0
    enough = int(positive.sum()) >= MIN_ROWS
    part = (_regression if enough else _persistence)(_take(frame, positive), priors, month, centre)
    static = static_columns(panel, kept, -1) | ({"habit": habits(panel, share)[:, -1]} if month else {})
    if not enough:
        notes = (*notes, note("persistence", rows=int(positive.sum()), spread=priors.spread))
    elif len(part["years"]) < 2:
        notes = (*notes, note("one_transition", year=part["years"][0]))
    cells = np.zeros((2, 2, 2))
    np.add.at(cells, tuple(x.astype(int) for x in (frame["silent"], frame["quiet"], frame["tax"] <= 0)), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        refunds = (frame["tax"] / frame["land"])[(frame["tax"] < 0) & (frame["land"] > 0)]
    return Dynamics(
        month=month,
        static=static,
        cells=cells,
        refunds=np.sort(refunds),
        paid_share=share,
        centre=centre,
        payers=payers,
        shift=priors.shift * (1 - month / 12),
        notes=notes,
        **part,
    )


@lru_cache(maxsize=8)
def reassumed(model: Dynamics, panel: Panel, priors: Priors) -> Dynamics:
    """Return the projection under other priors, fitted on the same years."""
    if not model.rows:
        return fit(panel, model.month, priors)
    shock_sd, shock_df = _shock(model.year_effects, priors, model.month)
    return replace(model, shock_sd=shock_sd, shock_df=shock_df, shift=priors.shift * (1 - model.month / 12))


def paid_share(panel: Panel, month: int) -> float:
    """Return the share of a year's tax paid by ``month``: the median over past enterprise-years above zero."""
    if month == 0:
        return 1.0
    tax, ytd = panel.tax, panel.ytd[:, :-1]
    usable = (tax > 0) & (ytd > 0)
    return float(np.clip(np.median(ytd[usable] / tax[usable]), 0.01, 1.0)) if usable.any() else month / 12


def habits(panel: Panel, share: float) -> np.ndarray:
    """Return how much more of a year's tax each enterprise pays by the month than is usual, log points, shape (n, years + 1).

    Each year's is the mean over the years before it, shrunk by the spread between enterprises over that within them; 0 without any.
    """
    tax, ytd = panel.tax, panel.ytd[:, :-1]
    known = (tax > 0) & (ytd > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        early = np.where(known, np.clip(np.log(ytd / tax / share), -HABIT, HABIT), 0.0)
    total, number = np.cumsum(early, axis=1), np.cumsum(known, axis=1)
    mean = total[:, -1] / np.maximum(number[:, -1], 1)
    freedom = max(float((number[:, -1] - (number[:, -1] > 0)).sum()), 1.0)
    within = max(float((known * (early - mean[:, None]) ** 2).sum()) / freedom, 1e-6)
    several = number[:, -1] > 1
    between = float(np.var(mean[several]) - np.mean(within / number[several, -1])) if several.sum() > 1 else 0.0
    shrunk = total / (number + within / max(between, 1e-3 * within))
    return np.column_stack([np.zeros(len(tax)), shrunk])


def lags(
    last: np.ndarray, before: tuple[np.ndarray, np.ndarray], paid: np.ndarray | None, typical: np.ndarray
) -> Frame:
    """Make the regressors of one year from what is known before it.

    ``last`` is last year's tax, 万元, shape (..., n), ``before`` sum and number of the logs of earlier years above zero,
    ``paid`` the year to date over its usual share of the year, 万元, shape (n,), if there is one, and ``typical`` the log tax of an
    enterprise of whom nothing else is known.

    Returns
    -------
    dict
        ``level``: log of last year's tax; where that was at or below zero, of the year to date's annual pace, else the mean of earlier
        years, else ``typical``. ``gap``: mean log tax of the n years before last less the level, × n / (n + 1), 0 where there is none;
        ``short``: 1 / (n + 1), how little of a history there is (it bears on the spread alone). ``silent``,
        ``young``, ``quiet``: last year at or below zero, no earlier year above zero, nothing paid in the year to date. ``pace``: log of
        ``paid`` less the level, 0 where it does not apply.
    """
    earlier, short = mean_log(*before), 1 / (before[1] + 1)
    silent, young = ~(last > 0), np.isnan(earlier)
    fallback = np.where(young, typical, earlier)
    quiet, run_rate = np.zeros_like(silent), None
    if paid is not None:
        quiet, run_rate = np.broadcast_to(~(paid > 0), silent.shape), _log(paid)
        fallback = np.where(quiet, fallback, run_rate)
    level = np.where(silent, fallback, _log(last))
    gap = np.where(silent | young, 0.0, (earlier - level) * (1 - short))
    pace = np.zeros_like(level) if run_rate is None else np.where(silent | quiet, 0.0, run_rate - level)
    made = {"level": level, "gap": gap, "silent": silent, "young": young, "quiet": quiet, "pace": pace}
    return made | {"short": np.broadcast_to(short, silent.shape)}


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(np.where(values > 0, values, 1.0))


def regressor(frame: Frame, name: str, centre: float) -> np.ndarray:
    """Return one regressor, shape (..., n): the level as its distance from the county's centre."""
    if name == "one":
        return np.ones(1)
    column = np.asarray(frame[name], dtype=float)
    return column - centre if name == "level" else column


def linear(frame: Frame, names: tuple[str, ...], coef: np.ndarray, centre: float) -> np.ndarray:
    """Return the projected log tax of each draw, shape (draws, n), for coefficients of shape (draws, p)."""
    columns = [regressor(frame, name, centre) for name in names]
    total = np.zeros(np.broadcast_shapes((len(coef), 1), *(column.shape for column in columns)))
    part = np.empty_like(total)
    for j, column in enumerate(columns):
        np.multiply(coef[:, j, None], column, out=part)
        total += part
    return total


def covariates(panel: Panel) -> tuple[tuple[str, ...], tuple[Note, ...]]:
    """Choose the enterprise covariates that the data allow (columns of `static_columns`), and note those that were dropped."""
    above, land = panel.above[:, -1], panel.land[:, -1]
    both = min(np.sum(above == 1), np.sum(above == 0)) >= MIN_GROUP
    kept = (
        ["above"] if both and not np.isnan(above).any() else [],
        ["log_land"] if np.sum(land > 0) == len(land) >= MIN_GROUP else [],
        [f"sector_{level}" for level in _levels(panel.sector)],
        [f"township_{level}" for level in _levels(panel.township)],
    )
    dropped = [note("dropped", zh=zh, en=en) for (zh, en), use in zip(COVARIATES, kept, strict=True) if not use]
    return tuple(name for names in kept for name in names), tuple(dropped)


def _levels(groups: np.ndarray) -> tuple[str, ...]:
    """Levels with at least `MIN_GROUP` enterprises, all but the largest."""
    names, counts = np.unique(groups[groups != ""].astype(str), return_counts=True)
    large = [(int(-c), str(n)) for n, c in zip(names, counts, strict=True) if c >= MIN_GROUP]
    return tuple(sorted(name for _, name in sorted(large)[1:MAX_LEVELS]))


def static_columns(panel: Panel, kept: tuple[str, ...], column: int) -> Frame:
    """Return the enterprise covariates of one year, shape (n,) each; ``column`` is its position in ``panel.years``."""
    out: Frame = {}
    for name in kept:
        kind, _, level = name.partition("_")
        if kind == "above":
            out[name] = np.nan_to_num(panel.above[:, column], nan=0.5)
        elif kind == "log":
            land = np.where(panel.land[:, column] > 0, panel.land[:, column], panel.land[:, -1])
            out[name] = np.log(land) - float(np.mean(np.log(panel.land[:, -1])))
        else:
            out[name] = (getattr(panel, kind) == level).astype(float)
    return out


def earlier_logs(tax: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of logs of the years above zero, shape (n,) each, of tax of shape (n, years)."""
    return (_log(tax) * (tax > 0)).sum(axis=1), (tax > 0).sum(axis=1).astype(float)


def mean_log(total: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Mean of logs, NaN where there is none."""
    return np.where(number > 0, total / np.maximum(number, 1.0), np.nan)


def _payers(panel: Panel) -> np.ndarray:
    """Log tax per mu of the payers of the latest year with any, sorted."""
    for column in range(len(panel.years) - 1, -1, -1):
        tax, land = panel.tax[:, column], panel.land[:, column]
        usable = (tax > 0) & (land > 0)
        if usable.any():
            return np.sort(np.log(tax[usable] / land[usable]))
    return np.zeros(0)


def centres(land: np.ndarray, centre: float) -> np.ndarray:
    """Log tax of an enterprise of average tax per mu on its own land (10 亩 where unknown), shape (n,)."""
    return centre + np.log(np.where(land > 0, land, 10.0))


def training(panel: Panel, month: int, share: float, kept: tuple[str, ...], centre: float) -> Frame:
    """Stack the past enterprise-years of which tax, last year's tax and (if used) the year to date are known.

    Beside the regressors stand ``tax`` (万元), ``land`` (亩), ``who`` (position of the enterprise) and ``year``.
    """
    typical, n = centres(panel.land[:, -1], centre), len(panel.codes)
    habit = habits(panel, share) if month else np.zeros((n, 0))
    parts: list[Frame] = []
    known = range(1, len(panel.years)) or range(1)  # without a second year: its columns, and no row
    for t in known[1:] if len(known) > MIN_YEARS else known:  # in the first, nobody has an earlier year to go by
        last, ytd = panel.tax[:, t - 1], panel.ytd[:, t]
        usable = ~np.isnan(panel.tax[:, t]) & ~np.isnan(last) & (~np.isnan(ytd) if month else True) & (t > 0)
        before = earlier_logs(panel.tax[:, : max(t - 1, 0)])
        made = lags(last, before, ytd / share if month else None, typical) | static_columns(panel, kept, t - 1)
        made |= {"habit": habit[:, t]} if month else {}
        made |= {f"{TREATED}{name}": force[:, :, t].T for name, force in panel.in_force.items()}
        made |= {"tax": panel.tax[:, t], "land": panel.land[:, t], "who": np.arange(n)}
        parts.append(_take(made | {"year": np.full(n, panel.years[t])}, usable))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _take(frame: Frame, rows: np.ndarray) -> Frame:
    return {name: column[rows] for name, column in frame.items()}


def _regression(frame: Frame, priors: Priors, month: int, centre: float) -> dict[str, Any]:
    """Fit the log part and the scale part; shapes as in `Dynamics`."""
    rows, years = len(frame["tax"]), np.unique(frame["year"])
    dummies = (frame["year"][:, None] == years[None, :-1]).astype(float) - (frame["year"] == years[-1])[:, None]
    frame, forces = _forces(frame)
    names = np.array(["one", *(name for name in frame if name not in OUTCOME)], dtype=object)
    static = np.column_stack([np.broadcast_to(regressor(frame, name, centre), (rows,)) for name in names])
    log, weight = np.log(frame["tax"]), 0.0
    if forces and month:  # what the year to date weighs, before any case is looked at
        first, plain = _varying(static, dummies), np.flatnonzero(names == "pace")
        weight = float(_fitted(np.column_stack([static[:, first], dummies]), log)[np.searchsorted(first, plain[0])])
    static = np.column_stack([static, *(rise(force.T, weight) for force in forces.values())])
    names = np.append(names, [f"{TREATED}{name}" for name in forces])
    keep = _varying(static, dummies)
    names, full = names[keep], np.column_stack([static[:, keep], dummies])
    params, covariance, error = _clustered(full, log, frame["who"])
    scale_coef, scale_range, scaled = _scale(error, frame)
    treated = np.array([name.startswith(TREATED) for name in names])
    base, p = np.flatnonzero(~treated), len(names)
    year_effects = np.append(params[p:], -params[p:].sum())
    shock_sd, shock_df = _shock(year_effects, priors, month)
    return {
        "names": tuple(names[base]),
        "coef": params[base],
        "root": _root(covariance[np.ix_(base, base)]),
        "scale_coef": scale_coef,
        "scale_range": scale_range,
        "residuals": np.sort(scaled),
        "shock_sd": shock_sd,
        "shock_df": shock_df,
        "year_effects": year_effects,
        "spread": float(np.std(error)),
        "weight": weight,
        "effects": {
            names[j].removeprefix(TREATED): (float(params[j]), float(np.sqrt(covariance[j, j])))
            for j in np.flatnonzero(treated)
        },
        "rows": rows,
        "years": tuple(int(year) for year in years),
    }


def _forces(frame: Frame) -> tuple[Frame, Frame]:
    """Part the regressors of a year from what tells in which part of it each method was in force."""
    forces = {name.removeprefix(TREATED): column for name, column in frame.items() if name.startswith(TREATED)}
    return {name: column for name, column in frame.items() if not name.startswith(TREATED)}, forces


def rise(force: np.ndarray, weight: float) -> np.ndarray:
    """How much more of a year a finished case is in force than of what the projection starts from.

    ``force`` is its share of the year, of the months known and of the year before, on the first axis; the projection takes ``weight``
    of its level from the months known and the rest from the year before.
    """
    return force[0] - weight * force[1] - (1 - weight) * force[2]


def _fitted(design: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Least-squares coefficients, of columns none of which is a combination of the others."""
    basis, upper = np.linalg.qr(design)
    return np.linalg.solve(upper, basis.T @ values)


def _clustered(design: np.ndarray, values: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return coefficients, their covariance clustered by enterprise (G/(G−1) · (N−1)/(N−p)), and residuals scaled for p."""
    (rows, p), params = design.shape, _fitted(design, values)
    error = values - design @ params
    inverse = np.linalg.pinv(design.T @ design)
    scores = np.zeros((int(groups.max()) + 1, p))
    np.add.at(scores, groups, design * error[:, None])
    clusters = len(np.unique(groups))
    factor = clusters / max(clusters - 1, 1) * (rows - 1) / max(rows - p, 1)
    return params, factor * inverse @ (scores.T @ scores) @ inverse, error * np.sqrt(rows / max(rows - p, 1))


def _varying(design: np.ndarray, beside: np.ndarray | None = None) -> np.ndarray:
    """Keep the constant and what varies in at least `MIN_LEVEL` rows and is no combination of earlier columns or those beside."""
    rows = len(design)
    basis = np.linalg.qr(np.column_stack([np.ones(rows), np.empty((rows, 0)) if beside is None else beside]))[0]
    keep = [0]
    for j in range(1, design.shape[1]):
        column = design[:, j]
        if np.sum(column != np.median(column)) < MIN_LEVEL:
            continue
        rest = column - basis @ (basis.T @ column)
        norm = np.linalg.norm(rest)
        if norm > 1e-6 * max(np.linalg.norm(column), 1e-12):
            keep.append(j)
            basis = np.column_stack([basis, rest / norm])
    return np.array(keep)


def _scale(error: np.ndarray, frame: Frame) -> tuple[np.ndarray, tuple[float, float], np.ndarray]:
    """Regress log|error| on level and flags; return coefficients, the range of fitted values and error / scale."""
    design = _scale_design(frame)
    keep = _varying(design)
    params = np.zeros(design.shape[1])
    params[keep] = _fitted(design[:, keep], np.log(np.maximum(np.abs(error), 1e-4)))
    values = design @ params
    low, high = np.quantile(values, (0.01, 0.99))
    return params, (float(low), float(high)), error / np.exp(np.clip(values, low, high))


def _scale_design(frame: Frame) -> np.ndarray:
    """Regressors of the scale part, shape (..., 5): 1, level, silent last year, quiet to date, short history."""
    ones = np.ones_like(frame["level"])
    return np.stack([ones, frame["level"], *(frame[name] * ones for name in ("silent", "quiet", "short"))], axis=-1)


def residual_size(model: Dynamics, frame: Frame) -> np.ndarray:
    """Size of the enterprises' own residuals, log points, shape (..., n).

    Summed by hand: a matrix product's last bit may depend on how many enterprises it is of.
    """
    one, level, silent, quiet, short = model.scale_coef
    log = (one + silent * frame["silent"]) + (level * frame["level"] + quiet * frame["quiet"]) + short * frame["short"]
    return np.exp(np.clip(log, *model.scale_range))


def _root(covariance: np.ndarray) -> np.ndarray:
    """A symmetric root of a covariance, negative eigenvalues taken as none."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T


def _shock(effects: np.ndarray, priors: Priors, month: int) -> tuple[float, float]:
    """Scale and degrees of freedom of the next year's common shock, given past years' effects, shape (m,).

    s² = (ν s₀² + Σ γ²) / (ν + m − 1), times 1 + 1/m for the mean year, itself estimated; with r = 1 − k/12 of the year to come,
    s₀ is the prior sd × r³, but no less than the late sd × √r: the last months move by more than their share.
    """
    m, rest = max(len(effects), 1), 1 - month / 12
    prior = max(priors.shock_sd * rest**3, priors.late_sd * rest**0.5)
    df = priors.shock_df + m - 1
    spread = (priors.shock_df * prior**2 + float(np.sum(effects**2))) / df
    return float(np.sqrt(spread * (1 + 1 / m))), df


def _persistence(frame: Frame, priors: Priors, month: int, centre: float) -> dict[str, Any]:
    """Last year's level, moved towards the run rate as months are known, with an assumed spread."""
    weight = month / 12
    error = np.log(frame["tax"]) - frame["level"] - weight * frame["pace"]
    prior = priors.spread * np.sqrt(1 - weight)
    spread = np.sqrt((PRIOR_ROWS * prior**2 + float(np.sum(error**2))) / (PRIOR_ROWS + len(error)))
    log_spread = float(np.log(max(spread, 1e-3)))
    shock_sd, shock_df = _shock(np.zeros(0), priors, month)
    return {
        "names": ("one", "level", "pace"),
        "coef": np.array([centre, 1.0, weight]),
        "root": np.zeros((3, 3)),
        "scale_coef": np.array([log_spread, 0.0, 0.0, 0.0, 0.0]),
        "scale_range": (log_spread, log_spread),
        "residuals": np.zeros(0),
        "shock_sd": shock_sd,
        "shock_df": shock_df,
    }


HABIT, MIN_YEARS = 1.5, 2
TREATED = "did_"
OUTCOME = ("tax", "land", "who", "year", "short")
COVARIATES = (("规上标志", "the 规上 flag"), ("土地面积", "land"), ("行业", "industry"), ("镇街", "township"))
MIN_ROWS, MIN_GROUP, MIN_LEVEL, MAX_LEVELS, PRIOR_ROWS = 30, 15, 8, 9, 10
