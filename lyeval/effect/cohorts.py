"""Event study of staggered starts (事件研究): group-time effects, their aggregates, earlier trends and bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from lyeval.effect.cells import NEVER, Aggregate, Cell, Panel, by_cohort, by_event, cells, simple
from lyeval.effect.frames import columns, varies, whole_years
from lyeval.effect.result import Check, Effect, EffectError, Words, chance, normal, number, refuse
from lyeval.effect.smoothness import Path, bend, bounds, breakdown, consecutive

SMALL = 5
CONTROLS = ("never", "not_yet")


def event_study(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    first_treated: str,
    controls: str = "never",
    announced: bool = False,
) -> Effect:
    """Estimate effects where units start in different periods (多期双重差分、事件研究).

    ATT(g, t) for every cohort g and period t (Callaway, Sant'Anna 2021, unconditional), averaged over all treated units and
    periods (``estimate``), by distance from the start, and by cohort. Standard errors from influence functions, by unit.

    Parameters
    ----------
    frame
        One row per unit and period. Units without a row in some period are left out and counted.
    outcome, unit, time
        Columns of the panel; ``time`` in whole periods.
    first_treated
        First treated period, fixed for a unit; 0 or missing: never. Units treated from the first period on are left out.
    controls
        ``never`` treated, or ``not_yet`` treated as well.
    announced
        Whether the whole path of later treatments was known beforehand. Then units not yet treated have already begun to
        respond, and ``not_yet`` is refused.

    Returns
    -------
    Effect
        ``details``: group_time, dynamic, group (frames), overall_dynamic, overall_group, universal (frame of coefficients
        against the last period before the start), bounds (frame of M, low, high), breakdown, n_units, n_never, left_out,
        dropped. Checks: pre_trend, smoothness, leave_one_cohort_out, cohort_size.

    Raises
    ------
    EffectError
        If a column is unfit, a unit has two rows in a period or several starts, or there are no controls.
    """
    wanted = controls.replace("-", "_").replace("notyet", "not_yet")
    if wanted not in CONTROLS:
        raise EffectError(
            f"controls 应为 never 或 not_yet，不是 {controls} / controls must be never or not_yet, not {controls!r}"
        )
    estimand = _estimand(outcome, first_treated)
    if announced and wanted == "not_yet":
        return refuse("event_study", estimand, ANNOUNCED)
    panel, counted = _panel(frame, (outcome, unit, time, first_treated), wanted == "not_yet")
    found = cells(panel)
    whole = simple(panel, found)
    own, over_groups = by_cohort(panel, found)
    path = by_event(panel, found)
    over_events = _mean([part for event, part in path.items() if event >= 0])
    around, limits = _bounded(panel)
    p_value, low, high = normal(whole.estimate, whole.std_error)
    details: dict[str, Any] = {
        **counted,
        "overall_dynamic": over_events.estimate,
        "overall_dynamic_se": over_events.std_error,
        "overall_group": over_groups.estimate,
        "overall_group_se": over_groups.std_error,
        "group_time": _table(
            ["cohort", "period"], {(c.cohort, c.period): Aggregate(c.estimate, c.influence) for c in found}
        ),
        "dynamic": _table(["event"], {(event,): part for event, part in path.items()}),
        "group": _table(["cohort"], {(cohort,): part for cohort, part in own.items()}),
        **limits,
        "parts": _parts(path, own),
    }
    checks = (_pre_trend(found), _smooth(around, limits, whole), _without(panel, whole), _sizes(panel))
    return Effect(
        "event_study", estimand, whole.estimate, whole.std_error, p_value, low, high, panel.y.size, details, checks
    )


def _panel(frame: pd.DataFrame, names: tuple[str, str, str, str], not_yet: bool) -> tuple[Panel, dict[str, Any]]:
    """Read a balanced panel; count what is left out."""
    outcome, unit, time, first_treated = names
    starts = "first treated"
    if first_treated in frame.columns and isinstance(frame[first_treated], pd.Series):
        column = frame[first_treated].astype("Float64")
        frame = frame.assign(**{starts: column.where(~np.isinf(column.astype(float)), 0).fillna(0)})
    else:
        starts = first_treated
    data = columns(frame, [time, outcome, starts], [unit])
    varies(data[outcome], outcome)
    t, first = whole_years(data[time], time), whole_years(data[starts], first_treated)
    periods, at = np.unique(t, return_inverse=True)
    codes, who = np.unique(data[unit], return_inverse=True)
    if len(np.unique(who * len(periods) + at)) < len(who):
        raise EffectError(
            f"同一 {unit} 同一 {time} 有多行 / several rows for one {unit} in one {time}: keep or add up one"
        )
    y = np.full((len(codes), len(periods)), np.nan)
    y[who, at] = data[outcome]
    start = np.zeros(len(codes), dtype=np.int64)
    start[who] = first
    if (start[who] != first).any():
        raise EffectError(
            f"{first_treated} 在同一 {unit} 内有变化 / {first_treated} changes within a {unit}: give the first alone"
        )
    start[(start == 0) | (start > periods[-1])] = NEVER
    whole = ~np.isnan(y).any(axis=1)
    early = start <= periods[0]
    kept = whole & ~early
    panel = Panel(y[kept], start[kept], periods, not_yet)
    _usable(panel, unit)
    out = {"n_units": int(kept.sum()), "n_never": int((panel.first == NEVER).sum()), "left_out": int((~kept).sum())}
    return panel, out | {"dropped": data.dropped}


def _usable(panel: Panel, unit: str) -> None:
    if not len(panel.cohorts()):
        raise EffectError("没有在样本期内开始的单位 / no unit starts within the periods: nothing to estimate")
    if not panel.not_yet and not (panel.first == NEVER).any():
        raise EffectError(
            f"没有从未处置的 {unit}；可用 controls='not_yet' / no {unit} is never treated: try controls='not_yet'"
        )


def _mean(parts: list[Aggregate]) -> Aggregate:
    return Aggregate(float(np.mean([p.estimate for p in parts])), np.mean([p.influence for p in parts], axis=0))


def _table(names: list[str], parts: dict[tuple[int, ...], Aggregate]) -> pd.DataFrame:
    return pd.DataFrame([dict(zip(names, key, strict=True)) | part.row() for key, part in parts.items()])


def _parts(path: dict[int, Aggregate], own: dict[int, Aggregate]) -> list[dict[str, Any]]:
    rows = [{"name": f"event {event:+d}" if event else "event 0", **part.row()} for event, part in path.items()]
    return rows + [{"name": f"cohort {cohort}", **part.row()} for cohort, part in own.items()]


def _bounded(panel: Panel) -> tuple[Path | None, dict[str, Any]]:
    """Return coefficients against the last earlier period, and the interval as trends may bend more."""
    found = by_event(panel, cells(panel, universal=True))
    events = np.array(list(found))
    influence = np.column_stack([part.influence for part in found.values()])
    n = len(influence)
    relative = events + 1
    path = Path(relative, np.array([part.estimate for part in found.values()]), influence.T @ influence / n**2)
    details = {"universal": _table(["event"], {(event,): part for event, part in found.items()})}
    if not consecutive(relative) or np.linalg.matrix_rank(path.covariance) < len(events):
        return None, details | {"bounds": pd.DataFrame(columns=["m", "low", "high"]), "breakdown": float("nan")}
    seen = bend(path)
    scale = seen if seen > 0 else float(np.sqrt(np.diag(path.covariance)).mean())
    rows = [(share * scale, *bounds(path, share * scale)) for share in (0.0, 0.5, 1.0, 2.0)]
    return path, details | {"bounds": pd.DataFrame(rows, columns=["m", "low", "high"]), "breakdown": breakdown(path)}


def _pre_trend(found: list[Cell]) -> Check:
    """Test that every cell before its cohort's start is zero: W = n·a'V⁻¹a, χ²."""
    early = [cell for cell in found if cell.event < 0]
    if not early:
        return Check(
            "pre_trend", None, None, "此前只有一期，无法检验走势", "one earlier period: trends before cannot be tested"
        )
    a = np.array([cell.estimate for cell in early])
    influence = np.column_stack([cell.influence for cell in early])
    v = influence.T @ influence / len(influence) ** 2
    if np.linalg.matrix_rank(v) < len(a):
        return Check(
            "pre_trend",
            None,
            None,
            "单位太少，此前走势无法联合检验",
            "too few units for a joint test of earlier periods",
        )
    w = float(a @ np.linalg.solve(v, a))
    p = float(chdtrc(len(a), w))
    zh = f"施行前 {len(a)} 个组期联合检验 W = {number(w)}，{chance(p)}"
    return Check(
        "pre_trend",
        p >= 0.05,
        p,
        zh,
        f"joint test of {len(a)} cells before the start: W = {number(w)}, {chance(p)}",
    )


def _smooth(path: Path | None, limits: dict[str, Any], whole: Aggregate) -> Check:
    """If the interval excludes zero it must do so too when trends differ by a straight line (M = 0)."""
    if path is None:
        return Check(
            "smoothness",
            None,
            None,
            "此前期数不足，无法给出平滑性界限",
            "too few earlier periods for smoothness bounds",
        )
    m = float(limits["breakdown"])
    low, high = (float(limits["bounds"][name].to_numpy()[0]) for name in ("low", "high"))
    span = f"[{number(low)}, {number(high)}]"
    zh = f"若两组走势另有直线之差，平均影响的区间为 {span}；结论可承受的最大弯曲 M = {number(m)}"
    en = f"if trends also differ by a straight line the mean effect lies in {span}; the largest bend it bears is M = {number(m)}"
    p_value, _, _ = normal(whole.estimate, whole.std_error)
    return Check("smoothness", None if p_value >= 0.05 else m > 0, m, zh, en)


def _without(panel: Panel, whole: Aggregate) -> Check:
    if len(panel.cohorts()) < 2:
        return Check(
            "leave_one_cohort_out", None, None, "只有一组，无法逐组去掉", "a single cohort: none can be left out"
        )
    left = []
    for cohort in panel.cohorts():
        rest = panel.without(int(cohort))
        left.append(simple(rest, cells(rest)).estimate)
    _, low, high = normal(whole.estimate, whole.std_error)
    least, most = min(left), max(left)
    kept = low <= least and most <= high and least * most > 0
    zh = f"逐一去掉一组，估计为 {number(least)} 至 {number(most)}"
    far = max(abs(least - whole.estimate), abs(most - whole.estimate))
    return Check(
        "leave_one_cohort_out", kept, far, zh, f"leaving out one cohort at a time: {number(least)} to {number(most)}"
    )


def _sizes(panel: Panel) -> Check:
    sizes = [int((panel.first == cohort).sum()) for cohort in panel.cohorts()]
    least = min(sizes)
    zh, en = (
        f"最小的一组有 {least} 个单位，至少需 {SMALL} 个",
        f"the smallest cohort has {least} unit(s); {SMALL} are needed",
    )
    return Check("cohort_size", least >= SMALL, float(least), zh, en)


def _estimand(outcome: str, first_treated: str) -> Words:
    return Words(
        f"自 {first_treated} 起，政策对其适用单位 {outcome} 的平均影响（假定其余走势平行）",
        f"average effect on {outcome} of those treated, from {first_treated} on, had trends been parallel otherwise",
    )


ANNOUNCED = Words(
    "各期路径事先已公布，尚未施行者可能已作反应，不能作对照；请用从未列入者（controls='never'）。",
    "the whole path was announced: units not yet treated may already respond and are no controls; use controls='never'.",
)
