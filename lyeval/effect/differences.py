"""Differences in differences (双重差分): of means, two-way, and proportional (Poisson); clustered, with their checks."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.clusters import (
    FEWEST,
    Arms,
    Fit,
    Test,
    clustered,
    counted,
    demeaned,
    dummies,
    parts,
    recoded,
    robust,
    shuffled,
    wald,
    wild,
)
from lyeval.effect.estimate import Check, Effect, EffectError, check, error, student, told, tried, within
from lyeval.effect.frames import Columns, columns, flag, of_cluster, varies
from lyeval.told import Words

TRENDS = ["time", "estimate", "std_error", "p_value", "low", "high"]
TOWN, TINY = "township", 1e-10
Law = tuple[float, float, float, float]
"""Standard error, p-value, low, high."""
Names = tuple[str, str, str, str, str]
"""Columns of outcome, unit, time, treated, post."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Complete rows of a panel, each array of shape (n,): outcome, period, unit and cluster codes, treated, after,
    group codes; log exposure where effects are proportional.
    """

    y: np.ndarray
    t: np.ndarray
    unit: np.ndarray
    cluster: np.ndarray
    d: np.ndarray
    after: np.ndarray
    group: np.ndarray | None = None
    exposure: np.ndarray | None = None

    def keep(self, rows: np.ndarray) -> Rows:
        """Return some of the rows, units and clusters numbered anew."""
        group, exposure = (None if one is None else one[rows] for one in (self.group, self.exposure))
        unit, cluster = recoded(self.unit[rows]), recoded(self.cluster[rows])
        return Rows(self.y[rows], self.t[rows], unit, cluster, self.d[rows], self.after[rows], group, exposure)

    def earlier(self) -> Rows:
        """Return the rows before the treatment; proportional: of units that were above zero then."""
        rows = self.keep(~self.after)
        return rows if self.exposure is None else rows.keep((np.bincount(rows.unit, weights=rows.y) > 0)[rows.unit])

    def fit(self, lead: np.ndarray | None = None) -> Fit:
        """Fit unit and period effects and the treatment (or ``lead``, shape (n, k)) first: the printed estimator."""
        first = (self.d & self.after)[:, None] if lead is None else lead
        x = np.column_stack([first, dummies(self.t)]).astype(float)
        if self.exposure is not None:
            return counted(x, self.y, self.exposure, self.unit, self.cluster)
        return clustered(demeaned(x, self.unit), demeaned(self.y[:, None], self.unit)[:, 0], self.cluster, 1)

    def arms(self) -> Arms:
        """Return how many clusters are treated."""
        return Arms.of(self.cluster, self.d)

    def dealt(self, level: float) -> Test | None:
        """Return p, low and high by randomisation; None where clusters are partly treated."""
        arms = self.arms()
        if not arms.wholly:
            return None
        fit, x = self.fit(), np.column_stack([self.after, dummies(self.t)]).astype(float)
        y = demeaned(self.y[:, None], self.unit)[:, 0]
        gram, cross = parts(demeaned(x, self.unit), y, self.cluster)
        return shuffled(gram, cross, arms.share > 0, float(fit.beta[0]), fit.se(0), level)


def did(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str | None = None,
    time: str | None = None,
    treated: str,
    post: str | None = None,
    groups: str | None = None,
    cluster: str | None = None,
    level: float = 0.95,
) -> Effect:
    """Estimate a difference in differences (双重差分).

    Panel: y_it = αᵢ + λ_t + τ · treatedᵢ · post_t + ε_it, clustered by unit or ``cluster``. Repeated cross-sections (``unit``
    and ``time`` None): (ȳ₁,post − ȳ₁,pre) − (ȳ₀,post − ȳ₀,pre), robust. Without ``post`` too: ȳ₁ − ȳ₀ of an experiment, one
    variance.

    Parameters
    ----------
    frame
        One row per unit and period, or per person observed once.
    outcome
        Numeric column.
    unit, time
        Columns of a panel; give both or neither.
    treated
        Column 0/1, fixed for a unit: whether it is ever treated.
    post
        Column 0/1, fixed for a period: whether the treatment is in force.
    groups
        Column of townships or industries in a panel, each left out in turn as a check.
    cluster
        Column of groups that share shocks, each unit in one; None: units.
    level
        Of the interval.

    Returns
    -------
    Effect
        ``details``: cells (frame of the four means and counts), n_treated and n_control (units in a panel, else rows),
        variance (CR1: t with G−1 degrees of freedom; where clusters are fewer than 30, or fewer than 6 in a group, p and
        interval by randomisation of wholly treated clusters, else by the wild cluster bootstrap; none: one cluster in a
        group, neither p nor interval), dropped; panels also std_error_jackknife, lag_conditional and lag_conditional_se (the
        treated's later outcome given the last earlier one: with the estimate a pair of bounds where listing followed a low
        year; Angrist and Pischke 2009, 5.3–5.4), pre_trends and path (frames).
        Checks: pre_trend, placebo_date, leave_one_out, clusters, by_group (where treatment varies by ``groups`` or
        ``township`` alone and the error is finer: failed, with a warning), leave_one_group_out (with ``groups``).

    Notes
    -----
    Cameron, Miller (2015), *Journal of Human Resources* 50, for the clustered variance; MacKinnon, Webb (2017) for few
    clusters. Where units start in different years use `event_study`.

    Examples
    --------
    >>> from lyeval import effect
    >>> rows = effect.example()
    >>> found = effect.did(rows, outcome="level", unit="firm", time="year", treated="listed", post="after")
    >>> print(found.sentence("en")[:100])
    average effect on level of listed during after, assuming parallel trends otherwise: estimate 0.3868,
    """
    if (unit is None) != (time is None):
        raise error("unit_and_time")
    if unit is not None and time is not None:
        if post is None:
            raise error("post_needed")
        return _panel(frame, (outcome, unit, time, treated, post), groups, cluster, level)
    return _cross(frame, outcome, treated, post, of_cluster(frame, cluster), level)


def _cross(
    frame: pd.DataFrame, outcome: str, treated: str, post: str | None, cluster: str | None, level: float
) -> Effect:
    data = columns(frame, [outcome, treated, *([post] if post else [])], [cluster] if cluster else [])
    y = data[outcome]
    varies(y, outcome)
    d = flag(data[treated], treated)
    after = flag(data[post], post) if post else np.ones(len(d), dtype=bool)
    cells = _cells(y, d, after, post is not None)
    x = np.column_stack([d & after, np.ones(len(d)), d, after] if post else [d, np.ones(len(d))]).astype(float)
    fit, name = robust(x, y, equal=post is None and cluster is None), "HC1" if post else "equal"
    se = np.nan if post and cells["n"].min() < 2 else fit.se(0)
    law: Law = (se, *student(float(fit.beta[0]), se, fit.df, level))
    if cluster:
        codes = recoded(data[cluster])
        fit = clustered(x, y, codes, 0)
        law, name = inferred(fit, Arms.of(codes, d), level)
    details = {
        "cells": cells,
        "n_treated": int(d.sum()),
        "n_control": int((~d).sum()),
        "variance": name,
        "std_error_robust": robust(x, y).se(0),
        "dropped": data.dropped,
        "df": fit.df,
    }
    checks = (check("pre_trend", None, None, "pre_trend_cross"),) if post else ()
    words = told("did" if post else "did_means", treated=treated, outcome=outcome, post=post or "")
    return Effect("did", words, float(fit.beta[0]), *law, len(data), details, checks, level)


def inferred(fit: Fit, arms: Arms, level: float, rows: Rows | None = None) -> tuple[Law, str]:
    """Return std_error, p, low, high and the variance's name, by how many clusters there are in the smaller group."""
    se, g = fit.se(0), fit.df + 1
    if arms.least < 2:
        return (se if g > 2 else np.nan, np.nan, np.nan, np.nan), "none"
    if arms.few:
        found = rows.dealt(level) if rows else None
        return (se, *(found or wild(fit, level))), "randomisation" if found else "wild"
    return (se, *student(float(fit.beta[0]), se, fit.df, level)), "CR1"


def panel_rows(data: Columns, names: Names, cluster: str | None, group: str | None) -> Rows:
    """Read a panel: the treatment fixed within units, post within periods, each unit in one cluster."""
    outcome, unit, time, treated, post = names
    codes, t = recoded(data[unit]), data[time]
    d, after = flag(data[treated], treated), flag(data[post], post)
    _constant(d, codes, name=treated, within=unit, advice=told("use_event_study"))
    _constant(after, recoded(t), name=post, within=time, advice=told("post_by_period"))
    by = recoded(data[cluster]) if cluster else codes
    if len(np.unique(codes * (by.max() + 1) + by)) > codes.max() + 1:
        raise error("changes", name=cluster, within=unit, advice=told("one_cluster_each"))
    return Rows(data[outcome], t, codes, by, d, after, data[group] if group else None)


def _read(
    frame: pd.DataFrame, names: Names, groups: str | None, cluster: str | None, more: tuple[str, ...] = ()
) -> tuple[Rows, Columns]:
    outcome, unit, time, treated, post = names
    keys = list(dict.fromkeys(filter(None, (unit, cluster, groups))))
    data = columns(frame, [time, outcome, treated, post, *more], keys)
    varies(data[outcome], outcome)
    return panel_rows(data, names, cluster, groups), data


def _panel(frame: pd.DataFrame, names: Names, groups: str | None, cluster: str | None, level: float) -> Effect:
    outcome, _, _, treated, post = names
    rows, data = _read(frame, names, groups, cluster)
    cells = _cells(rows.y, rows.d, rows.after, True)
    fit, ever = rows.fit(), np.bincount(rows.unit, weights=rows.d) > 0
    value = float(fit.beta[0])
    law, name = inferred(fit, rows.arms(), level, rows)
    trend, trends = pre_trend(rows)
    tested = [trend, tried("placebo_date", lambda: _placebo_date(rows))]
    tested += _dependence(frame, rows, fit, (value, *law[2:]), (names, groups, cluster))
    bound = _lag_conditional(rows)
    details = {
        "cells": cells,
        "path": means_by_period(rows.y, rows.t, ever[rows.unit]),
        "n_units": len(ever),
        "n_treated": int(ever.sum()),
        "n_control": int((~ever).sum()),
        "variance": name,
        "std_error_jackknife": _jackknife(fit),
        **bound,
        "said": told("one_treated") if name == "none" else _bounds(value, bound["lag_conditional"]),
        "pre_trends": trends,
        "dropped": data.dropped,
        "df": fit.df,
    }
    words = told("did", treated=treated, outcome=outcome, post=post)
    return Effect("did", words, value, *law, len(data), details, tuple(tested), level)


def _dependence(
    frame: pd.DataFrame, rows: Rows, fit: Fit, whole: tuple[float, float, float], asked: tuple[Names, Any, Any]
) -> list[Check]:
    """Leave out each unit (or cluster) and group in turn; count clusters; see whether treatment varies by group alone."""
    (_, unit, _, treated, _), groups, cluster = asked
    group = groups or (TOWN if TOWN in frame.columns and unit != TOWN else None)
    least, tested = rows.arms().least, [leave_one_out(whole, fit.without, cluster)]
    counts = [check("clusters", least >= FEWEST, least, n=least, least=FEWEST)]
    counts += by_group(frame, unit, treated, group, cluster)
    left = [tried("leave_one_group_out", lambda: leave_groups_out(rows, whole))] if groups else []
    return [*tested, *counts, *left] if rows.exposure is None else [*tested, *left, *counts]


def poisson(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: str,
    post: str,
    offset: str | None = None,
    groups: str | None = None,
    cluster: str | None = None,
    level: float = 0.95,
) -> Effect:
    """Estimate a proportional difference in differences (泊松双重差分).

    E[y_it] = land_it · exp(αᵢ + λ_t + τ · treatedᵢ · post_t); τ in log points. Unit effects are concentrated out of the
    likelihood, so no bias of many effects arises; the variance is a jackknife over clusters (one Newton step without each),
    since a few large payers carry most of the sum and the usual clustered variance is then too small. Zeros stay in; rows
    below zero cannot and are counted.

    Parameters
    ----------
    frame
        One row per unit and period.
    outcome
        Column of amounts (tax, 万元).
    offset
        Column that the amount is in proportion to (land, 亩).
    groups
        Column of townships or industries, each left out in turn as a check.
    cluster
        Column of groups that share shocks, each unit in one; None: units.
    level
        Of the interval.

    Returns
    -------
    Effect
        ``details``: percent (100 (e^τ − 1)), n_treated, n_control, negative and silent (rows below zero, units never above
        it: left out), variance (CR3; none: one cluster in a group, no p nor interval), df (G−1; Welch's where clusters are few and wholly treated or
        not), path (frame), dropped. Checks: pre_trend, leave_one_out (one step), leave_one_group_out, clusters, by_group as in `did`.

    Raises
    ------
    EffectError
        If a column is unfit, or the periods and groups do not tell the effect apart.

    Notes
    -----
    Santos Silva, Tenreyro (2006), *Review of Economics and Statistics* 88, 641–658; Wooldridge (1999), *Journal of
    Econometrics* 90, 77–97, for consistency whatever the distribution.

    Examples
    --------
    >>> from lyeval import effect
    >>> asked = {"unit": "firm", "time": "year", "treated": "listed", "post": "after", "cluster": "town"}
    >>> found = effect.poisson(effect.example(), outcome="tax", offset="land", **asked)
    >>> round(found.details["percent"]), found.details["variance"]
    (36, 'CR3')
    """
    names: Names = (outcome, unit, time, treated, post)
    rows, found = _exposed(frame, names, offset, groups, cluster)
    fit, arms = rows.fit(), rows.arms()
    value, one = float(fit.beta[0]), arms.least < 2
    se, df = arms.jackknife(value, np.asarray(fit.without)[:, 0])
    se = se if se > TINY else np.nan
    law: Law = (se, *student(value, se, 0.0 if one else df, level))
    tested = [pre_trend(rows)[0], *_dependence(frame, rows, fit, (value, *law[2:]), (names, groups, cluster))]
    ever = np.bincount(rows.unit, weights=rows.d) > 0
    details: dict[str, Any] = {
        "percent": 100 * float(np.expm1(value)),
        "n_treated": int(ever.sum()),
        "n_control": int((~ever).sum()),
        "variance": "none" if one else "CR3",
        "df": df,
        **found,
        "path": means_by_period(rows.y / np.exp(rows.exposure), rows.t, ever[rows.unit]),  # type: ignore[arg-type]
        **({"said": told("one_treated")} if one else {}),
    }
    words = told("poisson_per", outcome=outcome, offset=offset) if offset else told("poisson", outcome=outcome)
    return Effect("poisson", words, value, *law, len(rows.y), details, tuple(tested), level)


def _exposed(
    frame: pd.DataFrame, names: Names, offset: str | None, groups: str | None, cluster: str | None
) -> tuple[Rows, dict[str, int]]:
    """Read a panel of amounts; rows below zero and units never above it are left out and counted."""
    rows, data = _read(frame, names, groups, cluster, (offset,) if offset else ())
    kept = (rows.y >= 0) & (data[offset] > 0 if offset else True)
    total = np.bincount(rows.unit, weights=np.where(kept, rows.y, 0.0))
    loud = kept & (total > 0)[rows.unit]
    if not loud.any():
        raise error("nowhere_above_zero", outcome=names[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        exposure = np.log(data[offset]) if offset else np.zeros(len(rows.y))
    used, negative = replace(rows, exposure=exposure).keep(loud), int((~kept).sum())
    if len(np.unique(used.d)) < 2:
        raise error("not_told_apart")
    return used, {"negative": negative, "silent": int((total <= 0).sum()), "dropped": data.dropped + negative}


def _cells(y: np.ndarray, d: np.ndarray, after: np.ndarray, two: bool) -> pd.DataFrame:
    rows = []
    for in_group in (True, False):
        for late in (False, True) if two else (True,):
            cell = (d == in_group) & (after == late)
            if not cell.any():
                raise error(f"empty_{'treated' if in_group else 'controls'}_{'after' if late else 'before'}")
            rows.append((in_group, late, float(y[cell].mean()), int(cell.sum())))
    return pd.DataFrame(rows, columns=["treated", "post", "mean", "n"])


def means_by_period(y: np.ndarray, t: np.ndarray, treated: np.ndarray) -> pd.DataFrame:
    """Return by period the mean of the treated and of the controls: group (listed, unlisted), time, mean, n."""
    rows = []
    for name, group in (("listed", treated), ("unlisted", ~treated)):
        for period in np.unique(t[group]):
            at = group & (t == period)
            rows.append((name, int(period), float(y[at].mean()), int(at.sum())))
    return pd.DataFrame(rows, columns=["group", "time", "mean", "n"])


def _constant(values: np.ndarray, codes: np.ndarray, **words: Any) -> None:
    share = np.bincount(codes, weights=values) / np.bincount(codes)
    if not np.isin(share, (0.0, 1.0)).all():
        raise error("changes", **words)


def _jackknife(fit: Fit) -> float:
    """Return √((G−1)/G · Σ(τ̂₋g − τ̄)²); NaN if some cluster cannot be left out."""
    if fit.without is None:
        return float("nan")
    left = fit.without[:, 0]
    return float(np.sqrt((len(left) - 1) / len(left) * np.sum((left - left.mean()) ** 2)))


def _lag_conditional(rows: Rows) -> dict[str, float]:
    """Regress each unit's mean later outcome on treatment and its outcome in the last earlier period."""
    last = (~rows.after) & (rows.t == rows.t[~rows.after].max())
    units = int(rows.unit.max()) + 1
    with np.errstate(invalid="ignore", divide="ignore"):
        later, before = (
            np.bincount(rows.unit[r], weights=rows.y[r], minlength=units) / np.bincount(rows.unit[r], minlength=units)
            for r in (rows.after, last)
        )
    ever = np.bincount(rows.unit, weights=rows.d, minlength=units) > 0
    both = np.isfinite(later) & np.isfinite(before)
    try:
        fit = robust(np.column_stack([ever, np.ones(units), before])[both].astype(float), later[both])
    except EffectError:
        return {"lag_conditional": float("nan"), "lag_conditional_se": float("nan")}
    return {"lag_conditional": float(fit.beta[0]), "lag_conditional_se": fit.se(0)}


def _bounds(estimate: float, conditional: float) -> Words:
    """Say the pair of bounds: the difference in differences, and the estimate given the last earlier outcome."""
    if np.isnan(conditional):
        return told("no_lag_bound")
    low, high = sorted((estimate, conditional))
    return told("lag_bound", value=conditional, low=low, high=high)


def pre_trend(rows: Rows) -> tuple[Check, pd.DataFrame]:
    """Test the groups' differences in every earlier period against that in the last one; return them too."""
    early, none = rows.earlier(), pd.DataFrame(columns=TRENDS)
    periods = np.unique(early.t)
    q = len(periods) - 1
    if q < 1:
        return check("pre_trend", None, None, "one_earlier", what=told("name_pre_trend")), none
    try:
        fit = early.fit((early.t[:, None] == periods[:-1]) & early.d[:, None])
    except EffectError:
        return check("pre_trend", None, None, "earlier_gaps", what=told("name_pre_trend")), none
    table = [
        (p, b, fit.se(i), *student(b, fit.se(i), fit.df))
        for i, (p, b) in enumerate(zip(periods[:-1], fit.beta, strict=False))
    ]
    shown = pd.DataFrame([*table, (periods[-1], 0.0, 0.0, np.nan, 0.0, 0.0)], columns=TRENDS).astype(float)
    if early.arms().least <= q or np.isnan(fit.covariance).any():
        return check("pre_trend", None, None, "few_units_joint"), shown
    f, p = wald(fit, q)
    return check("pre_trend", p >= 0.05, p, q=q, f=f, p=p), shown


def _placebo_date(rows: Rows) -> Check:
    """Pretend that the policy began half-way through the earlier periods: the printed estimator, earlier rows alone."""
    early = rows.earlier()
    periods = np.unique(early.t)
    if len(periods) < 2:
        raise error("one_earlier_why")
    middle = periods[len(periods) // 2]
    early = replace(early, after=early.t >= middle)
    fit = early.fit()
    (_, p, *_), _ = inferred(fit, early.arms(), 0.95, early)
    if np.isnan(p):
        raise error("few_units_why")
    value = float(fit.beta[0])
    return check("placebo_date", p >= 0.05, p, start=f"{middle:g}", value=value, p=p)


def leave_one_out(whole: tuple[float, float, float], without: np.ndarray | None, cluster: str | None) -> Check:
    """Leave out each cluster in turn: the estimate must keep its sign and stay in the interval."""
    left = np.empty(0) if without is None else without[:, 0]
    if not len(left) or np.isnan(left).any():
        return check("leave_one_out", None, None, "none_left")
    return within(whole, left.tolist(), "leave_one_out", "leave_one_cluster" if cluster else "", sign=True)


def leave_groups_out(rows: Rows, whole: tuple[float, float, float]) -> Check:
    """Leave out each township or industry in turn: the estimate must keep its sign and stay in the interval."""
    assert rows.group is not None
    left = []
    for group in np.unique(rows.group):
        rest = rows.keep(rows.group != group)
        if len(np.unique(rest.d)) < 2 or len(np.unique(rest.after)) < 2:
            raise error("without_group")
        left.append(float(rest.fit().beta[0]))
    return within(whole, left, "leave_one_group_out", sign=rows.exposure is None)


def by_group(frame: pd.DataFrame, unit: str, treated: str, group: str | None, cluster: str | None) -> tuple[Check, ...]:
    """Fail, and warn, where treatment varies by group alone but the error is by something finer."""
    if group is None or group not in frame.columns:
        return ()
    try:
        data = columns(frame, [treated], [unit, group, cluster or unit])
    except EffectError:
        return ()
    codes = recoded(data[group])
    share, n = np.bincount(codes, weights=data[treated]) / np.bincount(codes), int(codes.max()) + 1
    if not np.isin(share, (0.0, 1.0)).all() or n >= len(np.unique(data[cluster or unit])):
        return ()
    warnings.warn(str(error("by_group_warning", group=group, treated=treated)), stacklevel=4)
    return (check("by_group", False, n, group=group, n=n),)
