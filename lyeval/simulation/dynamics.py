"""Tax dynamics (税收预测): a two-part projection of annual tax from last year's, earlier years' and the year to date.

Part one says whether a year ends at or below zero, from Beta-binomial cells of (silent last year × quiet to date).
Part two is an OLS of log tax with enterprise-clustered covariance, and an OLS of the log size of its residuals; the
standardised residuals are what is resampled. A shock common to the county's enterprises comes on top.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lyeval.simulation.features import TREATED, Covariates, Lags, columns, covariates, payers, training
from lyeval.simulation.known import Panel
from lyeval.simulation.notes import Note, note


@dataclass(frozen=True)
class Priors:
    """What is assumed of tax before the county's own years are seen (parameters/assumptions).

    Attributes
    ----------
    shock_sd, shock_df
        Scale (log points) and degrees of freedom of the county's common shock of a year; ``shock_df`` is also the
        weight of the prior, in years, against the spread of past years.
    late_sd
        Least scale of the shock with a share r of the year to come, over √r: what collections at the year's end may still do to all.
    spread
        Standard deviation of a year's change of an enterprise's log tax, where figures are too few to estimate it.
    shift
        A known shift of all enterprises' log tax over the first projected year.
    """

    shock_sd: float = 0.18
    shock_df: float = 4.0
    spread: float = 0.6
    late_sd: float = 0.06
    shift: float = 0.0


@dataclass(frozen=True, eq=False)
class Dynamics:
    """A fitted projection of one year's tax.

    Attributes
    ----------
    month
        Months of the projected year that are known.
    names, coef, root
        Regressors (p), their coefficients, and a (p, p) root of the covariance: coef + root @ z is a draw.
    scale_coef, scale_range
        Log scale of the residual on (1, log level, silent, quiet), and the range that it is held to.
    residuals
        Standardised residuals, sorted; none where a Normal is assumed.
    cells
        Counts [silent last year, quiet to date, (above zero, at or below)] of past enterprise-years.
    refunds
        Tax per mu of past years below zero, 万元/亩, sorted; with ``cells``' total, the odds of a net refund.
    paid_share
        Share of a year's tax paid by ``month`` (π_k); 1 where ``month`` is 0.
    centre, payers
        Mean log tax per mu of the county's payers, and all of theirs, sorted: for enterprises without any history.
    shock_sd, shock_df
        Scale and degrees of freedom of the common shock, updated by past years.
    year_effects
        Effects of the past calendar years that it was fitted on, log points, summing to zero.
    shift
        Known shift of log tax in what is to come of the first projected year.
    effects
        By disposal method: effect on log tax of a year in force, and its standard error, where past cases show it.
    rows, years
        Enterprise-years and calendar years that it was fitted on; 0 where it rests on assumptions.
    covariates
        The levels of 规上, land, industry and township that were kept.
    notes
        What was dropped, and why.
    """

    month: int
    names: tuple[str, ...]
    coef: np.ndarray
    root: np.ndarray
    scale_coef: np.ndarray
    scale_range: tuple[float, float]
    residuals: np.ndarray
    cells: np.ndarray
    refunds: np.ndarray
    paid_share: float
    centre: float
    payers: np.ndarray
    shock_sd: float
    shock_df: float
    year_effects: np.ndarray
    shift: float
    effects: dict[str, tuple[float, float]]
    rows: int
    years: tuple[int, ...]
    covariates: Covariates
    notes: tuple[Note, ...] = field(default=())


def fit(panel: Panel, month: int, priors: Priors) -> Dynamics:
    """Fit the projection on every past year that has a year before it.

    Parameters
    ----------
    month
        Months of the year to date to use; 0 for none. Years without year-to-date figures are then left out.

    Notes
    -----
    Under 30 enterprise-years above zero, or without two consecutive years, it is last year's tax with an assumed
    spread (updated by what residuals there are), and says so.
    """
    share = paid_share(panel, month)
    kept, notes = covariates(panel)
    frame = training(panel, month, share, kept)
    positive = frame.tax > 0
    enough = int(positive.sum()) >= MIN_ROWS
    part = (
        _regression(frame.take(positive), priors, month)
        if enough
        else _persistence(frame.take(positive), priors, month)
    )
    if not enough:
        notes = (*notes, note("persistence", rows=int(positive.sum()), spread=priors.spread))
    elif len(part["years"]) < 2:
        notes = (*notes, note("one_transition", year=part["years"][0]))
    return Dynamics(
        month=month,
        cells=_cells(frame.tax <= 0, frame.silent, frame.quiet),
        refunds=np.sort((frame.tax / frame.land)[(frame.tax < 0) & (frame.land > 0)]),
        paid_share=share,
        centre=frame.centre,
        payers=payers(panel),
        covariates=kept,
        notes=notes,
        shift=priors.shift * (1 - month / 12),
        **part,
    )


def reassumed(model: Dynamics, panel: Panel, priors: Priors) -> Dynamics:
    """Return the projection under other priors, fitted on the same years."""
    if not model.rows:
        return fit(panel, model.month, priors)
    shock_sd, shock_df = _shock(model.year_effects, priors, model.month)
    return replace(model, shock_sd=shock_sd, shock_df=shock_df, shift=priors.shift * (1 - model.month / 12))


def paid_share(panel: Panel, month: int) -> float:
    """Return π_k, the share of a year's tax paid by month k: the median over past enterprise-years above zero."""
    if month == 0:
        return 1.0
    tax, ytd = panel.tax, panel.ytd[:, :-1]
    usable = (tax > 0) & (ytd > 0)
    return float(np.clip(np.median(ytd[usable] / tax[usable]), 0.01, 1.0)) if usable.any() else month / 12


def _cells(nonpositive: np.ndarray, silent: np.ndarray, quiet: np.ndarray) -> np.ndarray:
    cells = np.zeros((2, 2, 2))
    np.add.at(cells, (silent.astype(int), quiet.astype(int), nonpositive.astype(int)), 1)
    return cells


def _regression(frame: Lags, priors: Priors, month: int) -> dict[str, Any]:
    """Fit the log part and the scale part; shapes as in `Dynamics`."""
    from statsmodels.regression.linear_model import OLS

    names, static = columns(frame)
    years = np.unique(frame.year)
    dummies = _sum_to_zero(frame.year, years)
    keep = _varying(static, dummies)
    names, design = tuple(np.array(names, dtype=object)[keep]), static[:, keep]
    y, full = np.log(frame.tax), np.column_stack([design, dummies])
    result: Any = OLS(y, full, hasconst=True).fit(method="qr", cov_type="cluster", cov_kwds={"groups": frame.who})
    error = (y - full @ result.params) * np.sqrt(len(y) / max(len(y) - full.shape[1], 1))
    scale_coef, scale_range, scaled = _scale(error, frame)
    p, params = len(names), np.asarray(result.params)
    covariance = np.asarray(result.cov_params())
    base = np.flatnonzero([not name.startswith(TREATED) for name in names])
    year_effects = np.append(params[p:], -params[p:].sum())
    shock_sd, shock_df = _shock(year_effects, priors, month)
    return {
        "year_effects": year_effects,
        "names": tuple(names[j] for j in base),
        "coef": params[base],
        "root": _root(covariance[np.ix_(base, base)]),
        "scale_coef": scale_coef,
        "scale_range": scale_range,
        "residuals": np.sort(scaled),
        "shock_sd": shock_sd,
        "shock_df": shock_df,
        "effects": {
            name.removeprefix(TREATED): (float(params[j]), float(np.sqrt(covariance[j, j])))
            for j, name in enumerate(names)
            if name.startswith(TREATED)
        },
        "rows": len(y),
        "years": tuple(int(year) for year in years),
    }


def _varying(design: np.ndarray, beside: np.ndarray | None = None) -> np.ndarray:
    """Keep the constant and what varies in at least `MIN_LEVEL` rows and is no combination of earlier columns.

    Parameters
    ----------
    design
        Candidate columns, the constant first, shape (rows, p).
    beside
        Columns that stand beside them in any case, shape (rows, q).
    """
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


def _sum_to_zero(year: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Year effects that sum to zero: (rows, years − 1)."""
    return (year[:, None] == years[None, :-1]).astype(float) - (year == years[-1])[:, None]


def _scale(error: np.ndarray, frame: Lags) -> tuple[np.ndarray, tuple[float, float], np.ndarray]:
    """Regress log|error| on level and flags; return coefficients, the range of fitted values and error / scale."""
    from statsmodels.regression.linear_model import OLS

    design = scale_design(frame)
    size = np.log(np.maximum(np.abs(error), 1e-4))
    keep = _varying(design)
    fitted: Any = OLS(size, design[:, keep], hasconst=True).fit(method="qr")
    params = np.zeros(design.shape[1])
    params[keep] = np.asarray(fitted.params)
    values = design @ params
    low, high = np.quantile(values, (0.01, 0.99))
    return params, (float(low), float(high)), error / np.exp(np.clip(values, low, high))


def scale_design(lags: Lags) -> np.ndarray:
    """Regressors of the scale part, shape (..., 4): 1, level, silent last year, quiet to date."""
    level = np.asarray(lags.level)
    ones = np.ones_like(level)
    return np.stack([ones, level, lags.silent * ones, lags.quiet * ones], axis=-1)


def _root(covariance: np.ndarray) -> np.ndarray:
    """A symmetric root of a covariance, negative eigenvalues taken as none."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T


def _shock(effects: np.ndarray, priors: Priors, month: int) -> tuple[float, float]:
    """Scale and degrees of freedom of the next year's common shock, given past years' effects, shape (m,).

    s² = (ν s₀² + Σ γ²) / (ν + m − 1), times 1 + 1/m for the mean year, itself estimated; with r = 1 − k/12 of the year to come,
    s₀ is the prior sd × r², but no less than the late sd × √r: the last months move by more than their share.
    """
    m, rest = max(len(effects), 1), 1 - month / 12
    prior = max(priors.shock_sd * rest**2, priors.late_sd * rest**0.5)
    df = priors.shock_df + m - 1
    spread = (priors.shock_df * prior**2 + float(np.sum(effects**2))) / df
    return float(np.sqrt(spread * (1 + 1 / m))), df


def _persistence(frame: Lags, priors: Priors, month: int) -> dict[str, Any]:
    """Last year's level, moved towards the run rate as months are known, with an assumed spread."""
    weight = month / 12
    names = ("one", "level", "pace")
    coef = np.array([frame.centre, 1.0, weight])
    error = np.log(frame.tax) - frame.level - weight * frame.pace
    prior = priors.spread * np.sqrt(1 - weight)
    spread = np.sqrt((PRIOR_ROWS * prior**2 + float(np.sum(error**2))) / (PRIOR_ROWS + len(error)))
    log_spread = float(np.log(max(spread, 1e-3)))
    shock_sd, shock_df = _shock(np.zeros(0), priors, month)
    return {
        "year_effects": np.zeros(0),
        "names": names,
        "coef": coef,
        "root": np.zeros((3, 3)),
        "scale_coef": np.array([log_spread, 0.0, 0.0, 0.0]),
        "scale_range": (log_spread, log_spread),
        "residuals": np.zeros(0),
        "shock_sd": shock_sd,
        "shock_df": shock_df,
        "effects": {},
        "rows": 0,
        "years": (),
    }


MIN_ROWS = 30
MIN_LEVEL = 8
PRIOR_ROWS = 10
