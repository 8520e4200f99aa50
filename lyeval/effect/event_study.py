"""Event study of staggered starts (事件研究): effects by cohort and period, their aggregates, earlier trends and bounds.

The estimators are diff-diff's (MIT): group-time effects of Callaway and Sant'Anna, imputation, Sun and Abraham. Bounds:
differences in trend δ may follow any line, bent by at most M from one period to the next: |δ_{t+1} − 2δ_t + δ_{t−1}| ≤ M.
The interval is the shortest of fixed length centred on an affine estimator (Rambachan, Roth 2023, *Review of Economic
Studies* 90, 2555–2591, section 4.1): half-length = σ · cv(b/σ) with b the worst bias and cv the 95 % point of |N(b/σ, 1)|.
Its weights are the answer of a convex programme, found by sequential quadratic programming with exact derivatives.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize, root_scalar
from scipy.special import chdtrc, ndtr, ndtri

from lyeval.effect.clusters import Arms, recoded
from lyeval.effect.estimate import (
    Check,
    Effect,
    EffectError,
    check,
    error,
    holm,
    normal,
    refuse,
    student,
    told,
    tried,
    within,
)
from lyeval.effect.frames import columns, grid, varies, whole_years

SMALL, REACH = 5, 64.0
CONTROLS = {"never": "never_treated", "not_yet": "not_yet_treated"}
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "group_time": ("CallawaySantAnna", {}),
    "imputation": ("ImputationDiD", {"pretrends": True}),
    "sun_abraham": ("SunAbraham", {}),
}
LAW = ["estimate", "std_error", "p_value", "low", "high"]
Part = tuple[float, np.ndarray]
"""An estimate and each unit's part in it, shape (units,)."""


@dataclass(frozen=True, eq=False)
class Panel:
    """Rows of a panel (unit and cluster codes, period, y, first: 0 if never; covariates) and how they are to be
    estimated.
    """

    rows: pd.DataFrame
    covariates: tuple[str, ...] = ()
    controls: str = "never"
    method: str = "group_time"
    unbalanced: bool = False

    def without(self, column: str, value: int) -> Panel:
        """Return the panel less one cohort or cluster."""
        return replace(self, rows=self.rows[self.rows[column] != value])

    def units(self) -> pd.DataFrame:
        """Return one row per unit, in order: unit, first, cluster."""
        return self.rows.drop_duplicates("unit").sort_values("unit")

    def arms(self) -> Arms:
        """Return how many clusters are treated."""
        units = self.units()
        return Arms.of(recoded(units["cluster"].to_numpy()), units["first"].to_numpy() > 0)

    def cohorts(self) -> list[int]:
        """Return the first treated periods that occur."""
        return sorted(set(self.rows["first"]) - {0})


@dataclass(frozen=True, eq=False)
class Cells:
    """Effects by cohort and period, shape (cells,), each unit's part in them, shape (units, cells), its cohort and
    cluster, shape (units,).
    """

    cohort: np.ndarray
    period: np.ndarray
    estimate: np.ndarray
    influence: np.ndarray
    first: np.ndarray
    by: np.ndarray

    @property
    def event(self) -> np.ndarray:
        """Periods since the first treated one; negative before."""
        return self.period - self.cohort

    def mean(self, chosen: np.ndarray) -> Part:
        """Average cells with weights in proportion to their cohorts' sizes, which are estimated too: mean and influence."""
        member = (self.first[:, None] == self.cohort[chosen]).astype(float)
        share, n = member.mean(axis=0), len(member)
        total, estimates = share.sum(), self.estimate[chosen]
        moved = (member - share) / total - np.outer((member - share).sum(axis=1), share / total**2)
        return float(share @ estimates / total), self.influence[:, chosen] @ (share / total) + moved @ estimates / n

    def se(self, influence: np.ndarray) -> float:
        """Return √(Σ_g ψ_g²), for clusters of several units times √(G/(G−1))."""
        sums = np.bincount(self.by, weights=influence)
        g = len(sums)
        return float(np.sqrt((sums**2).sum() * (g / (g - 1) if 1 < g < len(influence) else 1.0)))

    def table(self, name: str, parts: dict[int, Part]) -> pd.DataFrame:
        """Lay estimates out with their normal laws, one a row under its key ``name``."""
        laws = [(key, value, self.se(part), *normal(value, self.se(part))) for key, (value, part) in parts.items()]
        return pd.DataFrame(laws, columns=[name, *LAW])

    def by_event(self) -> dict[int, Part]:
        """Return the mean effect at each distance from the first treated period."""
        return {int(event): self.mean(self.event == event) for event in np.unique(self.event)}

    def by_cohort(self) -> dict[int, Part]:
        """Return each cohort's mean effect, its periods alike."""
        out = {}
        for cohort in np.unique(self.cohort[self.event >= 0]):
            own = (self.cohort == cohort) & (self.event >= 0)
            out[int(cohort)] = (float(self.estimate[own].mean()), self.influence[:, own].mean(axis=1))
        return out

    def over_cohorts(self) -> Part:
        """Return the mean over treated units of their cohort's mean effect."""
        own = self.by_cohort()
        estimates, parts = np.array([e for e, _ in own.values()]), np.column_stack([i for _, i in own.values()])
        cohorts = np.array(list(own))
        return Cells(cohorts, cohorts, estimates, parts, self.first, self.by).mean(np.ones(len(own), dtype=bool))


def library(panel: Panel, name: str, **options: Any) -> Any:
    """Fit one of diff-diff's estimators; what it refuses is an `EffectError`."""
    import diff_diff

    covariates = list(panel.covariates) or None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return getattr(diff_diff, name)(**options).fit(panel.rows, "y", "unit", "t", "first", covariates=covariates)
        except (ValueError, np.linalg.LinAlgError) as fault:
            raise error("library", fault=str(fault)) from None


def cells(panel: Panel, base: str = "varying") -> Cells:
    """Return ATT(g, t) = E[y_t − y_b | G = g] − E[y_t − y_b | C] of every cohort and period, with influence functions.

    From g on, b is the last period before g; before g it is the period before t, or with ``base`` universal again the last
    before g (which is then left out). With covariates doubly robust.
    """
    method = "dr" if panel.covariates else "reg"
    asked = {"control_group": CONTROLS[panel.controls], "estimation_method": method, "base_period": base}
    found = library(panel, "CallawaySantAnna", **asked)
    parts, units = found._aggregation_kit.influence, panel.units()
    keys = [key for key in found.group_time_effects if len(parts.get(key, {}).get("treated_idx", ()))]
    influence = np.zeros((len(units), len(keys)))
    for i, key in enumerate(keys):
        for side in ("treated", "control"):
            influence[parts[key][f"{side}_idx"], i] += parts[key][f"{side}_inf"]
    cohort, period = (np.array([key[i] for key in keys], dtype=np.int64) for i in (0, 1))
    if not (period >= cohort).any():
        raise error("no_cells")
    estimate = np.array([found.group_time_effects[key]["effect"] for key in keys])
    return Cells(cohort, period, estimate, influence, units["first"].to_numpy(), recoded(units["cluster"].to_numpy()))


def event_study(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    first_treated: str,
    controls: str = "never",
    announced: bool = False,
    method: str = "group_time",
    covariates: tuple[str, ...] | list[str] = (),
    cluster: str | None = None,
    unbalanced: bool = False,
    bends: tuple[float, ...] | list[float] = (),
    period: int | None = None,
    level: float = 0.95,
) -> Effect:
    """Estimate effects where units start in different periods (多期双重差分、事件研究).

    Averaged over all treated units and periods (``estimate``), by distance from the start, and by cohort.

    Parameters
    ----------
    frame
        One row per unit and period.
    outcome, unit, time
        Columns of the panel; ``time`` in whole periods.
    first_treated
        First treated period, fixed for a unit; 0 or missing: never. Units treated from the first period on are left out.
    controls
        ``never`` treated, or ``not_yet`` treated as well.
    announced
        Whether the whole path of later treatments was known beforehand. Then units not yet treated have already begun to
        respond, and ``not_yet`` is refused.
    method
        ``group_time`` (Callaway, Sant'Anna 2021), ``imputation`` (Borusyak, Jaravel, Spiess 2024) or ``sun_abraham``
        (Sun, Abraham 2021).
    covariates
        Columns fixed before the treatment: doubly robust (group_time), added to the model (others).
    cluster
        Column of groups that share shocks, each unit in one; None: units. With fewer than 30, or fewer than 6 treated or
        control ones, the error is a jackknife over them, Student's law.
    unbalanced
        Keep units without a row in some period (group_time: as repeated cross-sections); else they are left out and counted.
    bends, period
        Values of M for the smoothness bounds, in the outcome's unit a period; the distance from the start whose effect
        they bound. None: the printed estimate's.
    level
        Of the interval.

    Returns
    -------
    Effect
        ``details``: dynamic (frame), n_units, n_never, left_out, dropped; group_time also group_time, group (frames),
        overall_dynamic, overall_group, universal (frame of coefficients against the last period before the start), bounds
        (frame of m, low, high), breakdown. Checks: pre_trend, smoothness, leave_one_cohort_out, cohort_size.

    Examples
    --------
    >>> from lyeval import effect
    >>> rows = effect.example()
    >>> found = effect.event_study(rows, outcome="level", unit="firm", time="year", first_treated="first", bends=[0.05])
    >>> found.details["dynamic"].query("event >= 0")["estimate"].round(1).to_list()
    [0.4, 0.4, 0.4]
    """
    wanted = controls.replace("-", "_").replace("notyet", "not_yet")
    if wanted not in CONTROLS:
        raise error("bad_controls", given=controls)
    if method not in METHODS:
        raise error("bad_method", which="、".join(METHODS), given=method)
    estimand = told("event_study", outcome=outcome, first=first_treated)
    if announced and wanted == "not_yet":
        return refuse("event_study", estimand, told("not_yet_announced"))
    names = (outcome, unit, time, first_treated, cluster)
    panel, details = _panel(frame, names, Panel(pd.DataFrame(), tuple(covariates), wanted, method, unbalanced))
    estimate, se, tables, found = _estimated(panel)
    se, df = _error(panel, estimate, se, cluster is not None)
    law = (se, *student(estimate, se, df, level))
    whole = (estimate, *law[2:])
    limits, smooth = _bounded(panel, found, whole, (bends, period, level)) if found else ({}, None)
    trend = _pre_trend(found) if found else _early(tables["dynamic"])
    checks = (trend, smooth or check("smoothness", None, None, "smoothness_few"), _without(panel, whole), _sizes(panel))
    details |= tables | limits | ({"said": told("one_treated")} if df == 0 else {})
    return Effect("event_study", estimand, estimate, *law, len(panel.rows), details, checks, level)


def _panel(frame: pd.DataFrame, names: tuple[Any, ...], empty: Panel) -> tuple[Panel, dict[str, Any]]:
    """Read the panel; count what is left out."""
    outcome, unit, time, first_treated, cluster = names
    starts = "first treated"
    if first_treated in frame.columns and isinstance(frame[first_treated], pd.Series):
        column = frame[first_treated].astype("Float64")
        frame = frame.assign(**{starts: column.where(~np.isinf(column.astype(float)), 0).fillna(0)})
    else:
        starts = first_treated
    data = columns(frame, [time, outcome, starts, *empty.covariates], [unit, *([cluster] if cluster else [])])
    varies(data[outcome], outcome)
    first, t = whole_years(data[starts], first_treated), whole_years(data[time], time)
    y, who, periods = grid(data, outcome, unit, time)
    start = np.zeros(len(y), dtype=np.int64)
    start[who] = first
    if (start[who] != first).any():
        raise error("several_starts", name=first_treated, unit=unit)
    start[start > periods[-1]] = 0
    early = (start != 0) & (start <= periods[0])
    kept = ~early if empty.unbalanced else ~early & ~np.isnan(y).any(axis=1)
    by = data[cluster].astype(int) if cluster else who
    rows = pd.DataFrame({"unit": who, "t": t, "y": data[outcome], "first": start[who], "cluster": by})
    rows = rows.assign(**{name: data[name] for name in empty.covariates})[kept[who]].reset_index(drop=True)
    if len(rows.drop_duplicates(["unit", "cluster"])) > rows["unit"].nunique():
        raise error("changes", name=cluster, within=unit, advice=told("one_cluster_each"))
    panel = replace(empty, rows=rows)
    if not panel.cohorts():
        raise error("no_start")
    never = int((start[kept] == 0).sum())
    if empty.controls == "never" and not never:
        raise error("no_never", unit=unit)
    out = {"n_units": int(kept.sum()), "n_never": never, "left_out": int((~kept).sum()), "dropped": data.dropped}
    return panel, out


def _estimated(panel: Panel) -> tuple[float, float, dict[str, Any], Cells | None]:
    """Return estimate, standard error, tables, and the cells where the method has them."""
    if panel.method == "group_time" and not panel.unbalanced:
        found = cells(panel)
        whole, over, path = found.mean(found.event >= 0), found.over_cohorts(), found.by_event()
        later = [part for event, part in path.items() if event >= 0]
        mean = (float(np.mean([e for e, _ in later])), np.mean([i for _, i in later], axis=0))
        own = {i: (float(e), found.influence[:, i]) for i, e in enumerate(found.estimate)}
        every = found.table("cohort", own).assign(cohort=found.cohort)
        every.insert(1, "period", found.period)
        details: dict[str, Any] = {
            "overall_dynamic": mean[0],
            "overall_dynamic_se": found.se(mean[1]),
            "overall_group": over[0],
            "overall_group_se": found.se(over[1]),
            "group_time": every,
            "dynamic": found.table("event", path),
            "group": found.table("cohort", found.by_cohort()),
        }
        return whole[0], found.se(whole[1]), details | {"parts": _parts(details)}, found
    options: dict[str, Any] = {"cluster": "cluster"}
    if panel.method != "imputation":
        options["control_group"] = CONTROLS[panel.controls]
    if panel.method == "group_time":
        options |= {"allow_unbalanced_panel": True, "estimation_method": "dr" if panel.covariates else "reg"}
    name, more = METHODS[panel.method]
    found = library(panel, name, **options, **more)
    dynamic = _dynamic(found)
    return (
        float(found.overall_att),
        float(found.overall_se),
        {"dynamic": dynamic, "parts": _parts({"dynamic": dynamic})},
        None,
    )


def _point(panel: Panel) -> float:
    """Return the printed estimator on a part of the panel."""
    if panel.method == "group_time" and not panel.unbalanced:
        found = cells(panel)
        return found.mean(found.event >= 0)[0]
    return _estimated(panel)[0]


def _dynamic(found: Any) -> pd.DataFrame:
    if not hasattr(found, "aggregate"):
        made = [(e, r["effect"], r["se"], r["p_value"], *r["conf_int"]) for e, r in found.event_study_effects.items()]
        return pd.DataFrame(made, columns=["event", *LAW])
    rows = found.aggregate("event_study").to_dataframe()
    theirs = ["event_time", "att", "se", "p_value", "conf_int_lower", "conf_int_upper"]
    return pd.DataFrame(rows[theirs].to_numpy(dtype=float), columns=["event", *LAW])


def _error(panel: Panel, estimate: float, se: float, asked: bool) -> tuple[float, float]:
    """Return standard error and degrees of freedom (infinite: normal; 0: one cluster in a group, no p nor interval)."""
    arms = panel.arms()
    if arms.least < 2:
        return se, 0.0
    if not arms.few:
        return se, len(arms.share) - 1.0 if asked else np.inf
    try:
        left = [_point(panel.without("cluster", cluster)) for cluster in sorted(set(panel.rows["cluster"]))]
    except EffectError:
        return np.nan, 0.0
    return arms.jackknife(estimate, np.array(left))


def _parts(details: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return the rows that `Effect.tidy` lists as parts."""
    rows: list[dict[str, Any]] = []
    for kind, table in (("event", details["dynamic"]), ("cohort", details.get("group", pd.DataFrame()))):
        for row in table.to_dict("records"):
            at = int(row.pop(kind))
            name = f"event {at:+d}" if kind == "event" and at else f"{kind} {at}"
            rows.append({"name": name, **{str(k): v for k, v in row.items()}})
    return rows


def _bounded(
    panel: Panel, found: Cells, whole: tuple[float, float, float], asked: tuple[Any, int | None, float]
) -> tuple[dict[str, Any], Check | None]:
    """Return coefficients against the last earlier period, the interval as trends may bend more, and the check of it."""
    bends, period, level = asked
    against = cells(panel, "universal")
    rows = {event: part for event, part in against.by_event().items() if against.se(part[1]) > 0}
    details: dict[str, Any] = {"universal": against.table("event", rows)}
    details |= {"bounds": pd.DataFrame(columns=["m", "low", "high"]), "breakdown": float("nan")}
    path = _path(rows, found, period)
    if path is None:
        return details, None
    seen = bend(path)
    scale = seen if seen > 0 else float(np.sqrt(np.diag(path.covariance)).mean())
    table = [(m, *bounds(path, m, level)) for m in (bends or [share * scale for share in (0.0, 0.5, 1.0, 2.0)])]
    m = breakdown(path)
    details |= {"bounds": pd.DataFrame(table, columns=["m", "low", "high"]), "breakdown": m}
    low, high = bounds(path, 0.0)
    excludes = not whole[1] <= 0 <= whole[2]
    return details, check("smoothness", m > 0 if excludes else None, m, low=low, high=high, m=m)


def _path(rows: dict[int, Part], found: Cells, period: int | None) -> Path | None:
    """Return the coefficients that the bounds rest on, weighted as the printed estimate weights them; None if there
    are gaps.
    """
    if not rows:
        return None
    events = np.array(list(rows))
    sums = np.column_stack([np.bincount(found.by, weights=part) for _, part in rows.values()])
    covariance = sums.T @ sums
    if not consecutive(events + 1) or np.linalg.matrix_rank(covariance) < len(events):
        return None
    later = events[events >= 0]
    if period is not None and period not in later:
        raise error("no_period", period=period)
    sizes = [sum((found.first == g).sum() for g in found.cohort[found.event == event]) for event in later]
    weights = np.array(sizes) / sum(sizes) if period is None else (later == period).astype(float)
    return Path(events + 1, np.array([e for e, _ in rows.values()]), covariance, weights)


def _pre_trend(found: Cells) -> Check:
    """Test that every cell before its cohort's start is zero: W = a'V⁻¹a, χ²."""
    early = found.event < 0
    if not early.any():
        return check("pre_trend", None, None, "one_earlier", what=told("name_pre_trend"))
    a, influence = found.estimate[early], found.influence[:, early]
    v = influence.T @ influence
    if np.linalg.matrix_rank(v) < len(a):
        return check("pre_trend", None, None, "few_units_joint")
    w = float(a @ np.linalg.solve(v, a))
    p = float(chdtrc(len(a), w))
    return check("pre_trend", p >= 0.05, p, "pre_trend_cells", n=len(a), w=w, p=p)


def _early(dynamic: pd.DataFrame) -> Check:
    """Test the effects before the start one by one, p-values adjusted for their number."""
    p_values = dynamic.loc[(dynamic["event"] < 0) & (dynamic["std_error"] > 0), "p_value"].to_list()
    if not p_values:
        return check("pre_trend", None, None, "one_earlier", what=told("name_pre_trend"))
    p = float(holm(p_values).min())
    return check("pre_trend", p >= 0.05, p, "pre_trend_each", n=len(p_values), p=p)


def _without(panel: Panel, whole: tuple[float, float, float]) -> Check:
    """Leave out each cohort: the printed estimator must keep its sign and stay in the interval."""
    if len(panel.cohorts()) < 2:
        return check("leave_one_cohort_out", None, None, "one_cohort")

    def test() -> Check:
        left = [_point(panel.without("first", cohort)) for cohort in panel.cohorts()]
        return within(whole, left, "leave_one_cohort_out", sign=True)

    return tried("leave_one_cohort_out", test)


def _sizes(panel: Panel) -> Check:
    sizes = panel.units()["first"].value_counts()
    least = int(sizes[sizes.index != 0].min())
    return check("cohort_size", least >= SMALL, least, n=least, least=SMALL)


@dataclass(frozen=True, eq=False)
class Path:
    """Event-study coefficients at ``events`` around a base (0, left out), shape (k,); their covariance; weights of the
    later ones (None: alike).
    """

    events: np.ndarray
    beta: np.ndarray
    covariance: np.ndarray
    weights: np.ndarray | None = None

    def late(self) -> np.ndarray:
        """Return the weights of all coefficients, 0 for the earlier ones."""
        out, later = np.zeros(len(self.events)), self.events > 0
        out[later] = 1 / later.sum() if self.weights is None else self.weights
        return out


def bounds(path: Path, m: float, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of the effect after the base, if trends bend by at most ``m`` a period.

    The weights of the earlier coefficients make it shortest among those that no straight line can bias.
    """
    early, late, line = path.events < 0, path.late(), path.events.astype(float)
    bends = _bends(path.events)
    space = np.zeros((len(line), early.sum() - 1))
    space[early] = np.linalg.svd(line[early][None, :])[2][1:].T
    start = late - np.where(early, line, 0.0) * (late @ line) / (line[early] @ line[early])
    k, scale = space.shape[1], float(np.sqrt(start @ path.covariance @ start))

    def half(z: np.ndarray) -> tuple[float, np.ndarray]:
        v = start + space @ z[:k]
        sd = max(float(np.sqrt(v @ path.covariance @ v)), 1e-12 * scale)
        bias = m * float(z[k:].sum())
        point, slope = _critical(bias / sd, level)
        by_sd = (point - bias / sd * slope) * (space.T @ path.covariance @ v) / sd
        return sd * point / scale, np.append(by_sd, np.full(len(z) - k, m * slope)) / scale

    v = start
    if k:
        sign = [np.hstack([s * bends.T @ space, np.eye(bends.shape[1])]) for s in (-1, 1)]
        rows, floor = np.vstack(sign), np.concatenate([s * bends.T @ start for s in (1, -1)])
        within = {"type": "ineq", "fun": lambda z: rows @ z - floor, "jac": lambda _: rows}
        first = np.append(np.zeros(k), np.abs(bends.T @ start))
        found = minimize(half, first, jac=True, constraints=within, options={"ftol": 1e-13, "maxiter": 500})
        v = start + space @ found.x[:k]
    sd = float(np.sqrt(v @ path.covariance @ v))
    reach = sd * _critical(m * float(np.abs(bends.T @ v).sum()) / sd, level)[0]
    return float(v @ path.beta) - reach, float(v @ path.beta) + reach


def breakdown(path: Path) -> float:
    """Return the largest M whose interval still excludes zero; 0 if none does, infinite if every tried one does."""
    scale = float(np.abs(path.beta).max()) or 1.0

    def margin(m: float) -> float:
        low, high = bounds(path, m)
        return max(low, -high)

    if margin(0.0) <= 0:
        return 0.0
    top = scale
    while margin(top) > 0:
        top *= 2
        if top > REACH * scale:
            return float("inf")
    return float(root_scalar(margin, bracket=(0.0, top), xtol=1e-4 * scale).root)


def bend(path: Path) -> float:
    """Return the largest second difference seen before the base, NaN if earlier periods are fewer than two."""
    seen = np.concatenate([path.beta[path.events < 0], [0.0]])
    return float(np.abs(np.diff(seen, 2)).max()) if len(seen) >= 3 else float("nan")


def consecutive(events: np.ndarray) -> bool:
    """Whether the events with the base are whole numbers in a row, on both sides of it."""
    whole = np.sort(np.append(events, 0))
    return len(events) > 1 and bool((np.diff(whole) == 1).all()) and whole[0] < 0 < whole[-1]


def _bends(events: np.ndarray) -> np.ndarray:
    """Return how each second difference moves each coefficient, for paths that are 0 and flat at the base.

    Shape (k, bends). The bend at s > 0 (between s−1, s, s+1) lifts t by max(t − s, 0); the mirror for s < 0; the bend at the
    base is split off as the later side's.
    """
    columns = [np.maximum(events - s, 0) for s in range(int(events.max()))]
    columns += [np.maximum(-events + s, 0) for s in range(-1, int(events.min()), -1)]
    return np.column_stack(columns).astype(float)


def _critical(t: float, level: float) -> tuple[float, float]:
    """Return cv(t), the ``level`` point of |N(t, 1)|, and its derivative, by Newton's method."""
    if t > 8:
        return t + float(ndtri(level)), 1.0
    c = t + float(ndtri(level)) + 0.3 * np.exp(-t)
    for _ in range(12):
        ahead, behind = np.exp(-((c - t) ** 2) / 2), np.exp(-((c + t) ** 2) / 2)
        c = c - (ndtr(c - t) - ndtr(-c - t) - level) * np.sqrt(2 * np.pi) / (ahead + behind)
    ahead, behind = np.exp(-((c - t) ** 2) / 2), np.exp(-((c + t) ** 2) / 2)
    return float(c), float((ahead - behind) / (ahead + behind))
