"""Event study of staggered starts (事件研究): effects by cohort and period, their aggregates, earlier trends and bounds.

The estimators are diff-diff's (MIT): group-time effects of Callaway and Sant'Anna, imputation, Sun and Abraham.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from lyeval.effect.fits import FEW, FEWEST, jackknife, student
from lyeval.effect.frames import columns, grid, varies, whole_years
from lyeval.effect.panels import CONTROLS, Cells, Panel, cells, library
from lyeval.effect.result import Check, Effect, EffectError, check, error, holm, normal, refuse, told, tried, within
from lyeval.effect.smoothness import Path, bend, bounds, breakdown, consecutive

SMALL = 5
METHODS: dict[str, tuple[str, dict[str, Any]]] = {
    "group_time": ("CallawaySantAnna", {}),
    "imputation": ("ImputationDiD", {"pretrends": True}),
    "sun_abraham": ("SunAbraham", {}),
}


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
    panel, counted = _panel(frame, names, Panel(pd.DataFrame(), tuple(covariates), wanted, method, unbalanced))
    estimate, se, details, found = _estimated(panel)
    sides = panel.units().groupby("cluster")["first"].agg(["max", "min"]).to_numpy() > 0
    se, df = _error(panel, estimate, se, sides, cluster is not None)
    p_value, low, high = normal(estimate, se, level) if np.isinf(df) else student(estimate, se, df, level)
    whole = (estimate, low, high)
    limits, smooth = _bounded(panel, found, whole, (bends, period, level)) if found else ({}, None)
    checks = [_pre_trend(found) if found else _early(details["dynamic"])]
    checks.append(smooth or check("smoothness", None, None, "smoothness_few"))
    checks += [_without(panel, whole), _sizes(panel)]
    said = {"said": told("one_treated")} if df == 0 else {}
    return Effect(
        "event_study", estimand, estimate, se, p_value, low, high, len(panel.rows),
        counted | details | limits | said, tuple(checks), level,
    )  # fmt: skip


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
    by = panel.units()["cluster"].to_numpy()
    if panel.method == "group_time" and not panel.unbalanced:
        found = cells(panel)
        whole, own, path = found.mean(found.event >= 0), found.by_cohort(), found.by_event()
        later = [part for event, part in path.items() if event >= 0]
        mean = (float(np.mean([e for e, _ in later])), np.mean([i for _, i in later], axis=0))
        over = found.over_cohorts()
        pairs = {
            (int(g), int(t)): (float(e), found.influence[:, i])
            for i, (g, t, e) in enumerate(zip(found.cohort, found.period, found.estimate, strict=True))
        }
        details = {
            "overall_dynamic": mean[0],
            "overall_dynamic_se": _se(mean[1], by),
            "overall_group": over[0],
            "overall_group_se": _se(over[1], by),
            "group_time": _table(["cohort", "period"], pairs, by),
            "dynamic": _table(["event"], {(event,): part for event, part in path.items()}, by),
            "group": _table(["cohort"], {(cohort,): part for cohort, part in own.items()}, by),
        }
        return whole[0], _se(whole[1], by), details | {"parts": _parts(details)}, found
    options: dict[str, Any] = {"cluster": "cluster"}
    if panel.method != "imputation":
        options["control_group"] = CONTROLS[panel.controls]
    if panel.method == "group_time":
        options |= {"allow_unbalanced_panel": True, "estimation_method": "dr" if panel.covariates else "reg"}
    name, more = METHODS[panel.method]
    found = library(panel, name, **options, **more)
    dynamic = _dynamic(found)
    details = {"dynamic": dynamic, "parts": _parts({"dynamic": dynamic})}
    return float(found.overall_att), float(found.overall_se), details, None


def _point(panel: Panel) -> float:
    """Return the printed estimator on a part of the panel."""
    if panel.method == "group_time" and not panel.unbalanced:
        found = cells(panel)
        return found.mean(found.event >= 0)[0]
    return _estimated(panel)[0]


def _dynamic(found: Any) -> pd.DataFrame:
    ours = ["event", "estimate", "std_error", "p_value", "low", "high"]
    if not hasattr(found, "aggregate"):
        made = [(e, r["effect"], r["se"], r["p_value"], *r["conf_int"]) for e, r in found.event_study_effects.items()]
        return pd.DataFrame(made, columns=ours)
    rows = found.aggregate("event_study").to_dataframe()
    theirs = ["event_time", "att", "se", "p_value", "conf_int_lower", "conf_int_upper"]
    return pd.DataFrame(rows[theirs].to_numpy(dtype=float), columns=ours)


def _se(influence: np.ndarray, by: np.ndarray) -> float:
    """Return √(Σ_g ψ_g²), for clusters of several units times √(G/(G−1))."""
    codes = np.unique(by, return_inverse=True)[1]
    sums = np.bincount(codes, weights=influence)
    g = len(sums)
    return float(np.sqrt((sums**2).sum() * (g / (g - 1) if 1 < g < len(influence) else 1.0)))


def _error(panel: Panel, estimate: float, se: float, sides: np.ndarray, asked: bool) -> tuple[float, float]:
    """Return standard error and degrees of freedom (infinite: normal; 0: one cluster in a group, no p nor interval)."""
    g, least = len(sides), min(int(sides[:, 0].sum()), int((~sides[:, 1]).sum()))
    if least < 2:
        return se, 0.0
    if g >= FEW and least >= FEWEST:
        return se, g - 1.0 if asked else np.inf
    left = []
    for cluster in sorted(set(panel.rows["cluster"])):
        try:
            left.append(_point(panel.without("cluster", cluster)))
        except EffectError:
            return np.nan, 0.0
    return jackknife(estimate, np.array(left), sides[:, 0] if (sides[:, 0] == sides[:, 1]).all() else None)


def _table(names: list[str], parts: dict[tuple[int, ...], tuple[float, np.ndarray]], by: np.ndarray) -> pd.DataFrame:
    rows = [
        (*key, estimate, se, *normal(estimate, se)) for key, (estimate, part) in parts.items() for se in [_se(part, by)]
    ]
    return pd.DataFrame(rows, columns=[*names, "estimate", "std_error", "p_value", "low", "high"])


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
    universal = cells(panel, "universal").by_event()
    by = panel.units()["cluster"].to_numpy()
    rows = {event: part for event, part in universal.items() if _se(part[1], by) > 0}
    details: dict[str, Any] = {"universal": _table(["event"], {(event,): part for event, part in rows.items()}, by)}
    details |= {"bounds": pd.DataFrame(columns=["m", "low", "high"]), "breakdown": float("nan")}
    path = _path(rows, found, by, period)
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


def _path(rows: dict[int, tuple[float, np.ndarray]], found: Cells, by: np.ndarray, period: int | None) -> Path | None:
    """Return the coefficients that the bounds rest on, weighted as the printed estimate weights them; None if there
    are gaps.
    """
    if not rows:
        return None
    events = np.array(list(rows))
    codes = np.unique(by, return_inverse=True)[1]
    sums = np.column_stack([np.bincount(codes, weights=part) for _, part in rows.values()])
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
