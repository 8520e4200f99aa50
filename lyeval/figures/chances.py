"""Figures with one strip per target (attainment, odds, readings); of past odds, of what moves them, of what many plans would cover."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lyeval.figures.style import (
    BAD,
    COUNTS,
    FAINT,
    GOOD,
    INK,
    LOOK,
    SHARES,
    SOFT,
    STATUS_INK,
    TRACK,
    Lang,
    canvas,
    ems,
    fit,
    frame_of,
    goal_of,
    house,
    known,
    number,
    sheet,
    span,
    unit_of,
    words,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame


ROW = 0.92  # inches of height per target
AT_MOST = ("le", "lt", "<=", "<", "≤", "eq", "==", "=")


def attainment(targets: DataFrame | Any, ax: Axes | None = None, lang: Lang = "zh") -> Axes:
    r"""Draw each target's value against its goal (目标完成情况), one strip each on a scale of its own.

    Parameters
    ----------
    targets : DataFrame or `Assessment`
        Columns label (label_en), value, goal, op, status, unit; low and high where undetermined. Shares are fractions
        with unit ``%`` or none.
    ax : Axes, optional
    lang : {"zh", "en"}

    Examples
    --------
    >>> import pandas as pd
    >>> from lyeval import figures
    >>> row = {"id": "a", "label": "关停", "value": 31, "goal": 30, "op": "ge", "status": "met", "unit": "家"}
    >>> figures.attainment(pd.DataFrame([row])).texts[1].get_text()
    '31 家\u3000✓ 达标'
    """
    rows = _records(frame_of(targets, "targets"), lang)
    with house():
        ax = _strips(canvas(ax, max(len(rows), 1) * ROW + 0.1), len(rows))
        for place, row in enumerate(rows):
            _attainment_strip(ax, place * ROW, row, lang)
    return ax


def _attainment_strip(ax: Axes, top: float, row: Mapping[str, Any], lang: Lang) -> None:
    """Draw one target: heading, track, good side, bar or range, goal."""
    status = str(row["status"]) if row.get("status") in STATUS_INK else "undetermined"
    empty = row.get("reason") == "empty_class"
    said = words("status", lang)["empty" if empty else status]
    unit = row.get("unit", "")
    _heading(ax, top, row, said if empty else f"{_shown(row, unit)}{GAP}{said}", STATUS_INK[status])
    scale = _Scale([row.get(key) for key in ("value", "goal", "low", "high")], unit, 0.0, 1.0)
    y = top + 0.38
    _box(ax, 0, 1, y, 0.2, facecolor=TRACK, edgecolor=TRACK)
    if known(row.get("goal")) and not empty:
        good_end = 0 if row.get("op") in AT_MOST else 1
        _box(ax, scale(row["goal"]), good_end, y, 0.2, facecolor=ZONE, edgecolor=ZONE)
    value, low, high = (row.get(key) for key in ("value", "low", "high"))
    if known(low) and known(high) and float(low) != float(high):  # pyright: ignore[reportArgumentType]
        _box(ax, scale(low), scale(high), y, 0.2, **LOOK["undetermined"])
    bar = value if known(value) else low if status != "undetermined" else None
    if known(bar):
        _box(ax, scale(0), scale(bar), y + 0.035, 0.13, **(LOOK[status] if status != "undetermined" else LOOK["rest"]))
    _goal(ax, scale, y, row, unit, lang)


def _shown(row: Mapping[str, Any], unit: str) -> str:
    """Write a target's value, or the bounds between which it lies, on its own side of the goal."""
    if known(row.get("value")) and row.get("status") != "undetermined":
        counted = _of_few(row, unit)
        return counted or number(row["value"], unit, _digits(row["value"], row.get("goal"), unit))
    if known(row.get("low")) and known(row.get("high")):
        return span(row["low"], row["high"], unit)
    return "—"


def _of_few(row: Mapping[str, Any], unit: str) -> str:
    """Write a share of fewer than ten as a/b, because a percentage of three says nothing; empty for other values."""
    n = row.get("n")
    if unit not in SHARES or not known(n) or not 0 < int(n) < FEW:  # pyright: ignore[reportArgumentType]
        return ""
    part = float(row["value"]) * int(n)  # pyright: ignore[reportArgumentType]
    return f"{round(part)}/{int(n)}" if abs(part - round(part)) < 1e-6 else ""  # pyright: ignore[reportArgumentType]


def _digits(value: Any, goal: Any, unit: str) -> int | None:
    """Return more decimals if the usual would write a value as its goal that it has not met; None: the usual."""
    if (
        not known(goal)
        or abs(value - goal) <= 1e-9 * max(abs(value), abs(goal))
        or number(value, unit) != number(goal, unit)
    ):
        return None
    return next((d for d in range(2, 8) if number(value, unit, d) != number(goal, unit, d)), 8)


def _goal(ax: Axes, scale: _Scale, y: float, row: Mapping[str, Any], unit: str, lang: Lang) -> None:
    """Mark the goal on the track and write it, with the ends of the scale, below."""
    goal, told = row.get("goal"), words("attainment", lang)
    text = told["no_goal"]
    where = 0.5
    if known(goal):
        where = scale(goal)
        ax.plot([where, where], [y - 0.06, y + 0.26], color=INK, linewidth=2.4, solid_capstyle="butt", clip_on=False)
        text = f"{told['goal']} {_sign(row)} {goal_of(goal, unit)}"
    half = ems(text) / 2 / EMS
    where = min(max(where, half), 1 - half)
    ax.text(where, y + 0.37, text, ha="center", va="center", fontsize=9.5, color=INK)
    for end, value in ((0.0, scale.low), (1.0, scale.high)):
        said = goal_of(value, unit) if value else "0"
        if abs(where - end) > half + (ems(said) + 1) / EMS:
            ax.text(end, y + 0.37, said, ha="right" if end else "left", va="center", fontsize=9, color=SOFT)


def _sign(row: Mapping[str, Any]) -> str:
    """Return the comparison with the goal; at most none is none."""
    at_most = row.get("op") in AT_MOST
    return "=" if at_most and row.get("goal") == 0 else "≤" if at_most else "≥"


def odds(targets: DataFrame | Any, ax: Axes | None = None, lang: Lang = "zh") -> Axes:
    r"""Draw each target's probability of being met (达标可能性) and the 5–95 % range of its statistic.

    Parameters
    ----------
    targets : DataFrame, `Forecast` or `Simulation`
        Columns id, probability (0–1), p05, p50, p95; label (label_en), unit, goal, op and certain if there are. The
        probability is written to the nearest 5 points; never as 0 or 100 unless ``certain``.
    ax : Axes, optional
    lang : {"zh", "en"}

    Examples
    --------
    >>> import pandas as pd
    >>> from lyeval import figures
    >>> row = {"id": "a", "label": "关停", "probability": 0.31, "p05": 20, "p50": 27, "p95": 33, "unit": "家", "goal": 30}
    >>> figures.odds(pd.DataFrame([row])).texts[1].get_text()
    '达标可能性\u3000约30%'
    """
    rows = _records(frame_of(targets, "targets"), lang)
    told = words("odds", lang)
    with house():
        ax = _strips(canvas(ax, max(len(rows), 1) * ROW + 0.1), len(rows))
        for place, row in enumerate(rows):
            top = place * ROW
            _heading(ax, top, row, f"{told['chance']}{GAP}{chance(row, lang)}", INK)
            share = row.get("probability")
            _share(ax, top, share, told["axis"])
            _range(ax, top, (row.get("p05"), row.get("p95")), row.get("p50"), row, told)
    return ax


def chance(row: Mapping[str, Any], lang: Lang = "zh") -> str:
    """Write a probability to the nearest 5 points; 0 and 100 only where it is certain on the books."""
    share = row.get("probability")
    if not known(share):
        return "—"
    if row.get("certain") is True and share in (0, 1):
        return words("odds", lang)[f"certain_{int(share)}"]
    points = round(float(share) * 20) * 5  # pyright: ignore[reportArgumentType]
    return "<5%" if points < 5 else ">95%" if points > 95 else f"{'约' if lang == 'zh' else '≈'}{points}%"


def readings(
    readings: DataFrame | Any, ax: Axes | None = None, lang: Lang = "zh", targets: DataFrame | Any = None
) -> Axes:
    """Draw under how many readings each target is met (读法稳健性) and the range of its statistic over them.

    Parameters
    ----------
    readings : DataFrame or `Readings`
        Columns id, met (count), n (count), lowest, highest; label, unit, goal, op, value here or in ``targets``.
    ax : Axes, optional
    lang : {"zh", "en"}
    targets : DataFrame or `Assessment`, optional
        The assessment's targets, from which label, unit, goal, op and value are taken by id.

    Examples
    --------
    >>> import pandas as pd
    >>> from lyeval import figures
    >>> row = {"id": "a", "label": "关停", "met": 3, "n": 4, "lowest": 28, "highest": 33, "unit": "家", "goal": 30}
    >>> figures.readings(pd.DataFrame([row])).texts[1].get_text()
    '4 种读法中 3 种达标'
    """
    given = [] if targets is None else _records(frame_of(targets, "targets"), lang)
    known_targets, told = {str(row["id"]): row for row in given}, words("readings", lang)
    readings = frame_of(readings, "targets")
    with house():
        ax = _strips(canvas(ax, max(len(readings), 1) * ROW + 0.1), len(readings))
        for place, own in enumerate(_records(readings, lang)):
            row = {**known_targets.get(str(own["id"]), {}), **own}
            top, n = place * ROW, int(row["n"])
            aimed = n > 0 and ("goal" not in row or known(row["goal"]))
            said = told["met"].format(f"{int(row['met']):,}", f"{n:,}") if aimed else told["no_goal"] if n else "—"
            _heading(ax, top, row, said, INK)
            _share(ax, top, int(row["met"]) / n if aimed else None, told["axis"])
            _range(ax, top, (row.get("lowest"), row.get("highest")), row.get("value"), row, told)
    return ax


def _share(ax: Axes, top: float, share: Any, label: str) -> None:
    """Draw a share of one as a bar on the left half."""
    y = top + 0.38
    _box(ax, 0, LEFT, y, 0.2, facecolor=TRACK, edgecolor=TRACK)
    if known(share) and float(share) > 0:
        _box(ax, 0, LEFT * float(share), y, 0.2, facecolor=GOOD, edgecolor=GOOD)
    for part in (0.25, 0.5, 0.75):
        ax.plot([LEFT * part] * 2, [y, y + 0.2], color="#ffffff", linewidth=0.9)
    ax.text(0, y + 0.37, "0", ha="left", va="center", fontsize=9, color=SOFT)
    ax.text(LEFT / 2, y + 0.37, label, ha="center", va="center", fontsize=9, color=SOFT)
    ax.text(LEFT, y + 0.37, "100%", ha="right", va="center", fontsize=9, color=SOFT)


def _range(
    ax: Axes,
    top: float,
    ends: tuple[Any, Any],
    middle: Any,
    row: Mapping[str, Any],
    told: Mapping[str, str],
) -> None:
    """Draw the range of a statistic with its middle and the goal on the right half."""
    y, goal, unit = top + 0.48, row.get("goal"), row.get("unit", "")
    ax.plot([RIGHT, 1], [y, y], color=FAINT, linewidth=1, zorder=1)
    if not (known(ends[0]) and known(ends[1])):
        ax.text((RIGHT + 1) / 2, y + 0.27, "—", ha="center", va="center", color=SOFT)
        return
    scale = _Scale([*ends, middle, goal], unit, RIGHT, 1.0, room=0.06)
    ax.plot([scale(ends[0]), scale(ends[1])], [y, y], color=SOFT, linewidth=5, solid_capstyle="butt", zorder=2)
    middle = ends[0] if not known(middle) and ends[0] == ends[1] else middle
    if known(middle):
        ax.plot([scale(middle)], [y], marker="o", markersize=8, color="#ffffff", markeredgecolor=INK, zorder=3)
    if known(goal):
        ax.plot([scale(goal)] * 2, [y - 0.15, y + 0.15], color=INK, linewidth=2.4, solid_capstyle="butt", zorder=2.5)
    text = f"{told['range']} {span(*ends, unit)}"
    if known(goal):
        bare = goal_of(goal, unit) if unit in SHARES else goal_of(goal, unit).removesuffix(unit).rstrip()
        text += f"{GAP}{told['goal']} {_sign(row)} {bare}"
    ax.text((RIGHT + 1) / 2, top + 0.75, fit(text, 27), ha="center", va="center", fontsize=9, color=SOFT)


class _Scale:
    """A linear scale that holds the given values and zero, mapped to a stretch of the strip."""

    def __init__(self, values: list[Any], unit: str, left: float, right: float, room: float = 0.0) -> None:
        given = [float(value) for value in values if known(value)]
        self.low = min([0.0, *given]) if not room else min(given, default=0.0)
        top = max(given, default=0.0)
        self.high = top if top > self.low else self.low + 1.0
        if not room:
            end = _nice(self.high * 1.08)
            self.high = min(end, 1.0) if unit in SHARES and top <= 1 else math.ceil(end) if unit in COUNTS else end
        else:
            spare = (self.high - self.low) * room
            self.low, self.high = self.low - spare, self.high + spare
        self.left, self.right = left, right

    def __call__(self, value: Any) -> float:
        """Return the place of a value on the strip."""
        return self.left + (float(value) - self.low) / (self.high - self.low) * (self.right - self.left)


def _nice(value: float) -> float:
    """Round up to a number that reads well at the end of a scale."""
    if value <= 0:
        return 0.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= value * (1 - 1e-9)) * power


def _heading(ax: Axes, top: float, row: Mapping[str, Any], said: str, colour: str) -> None:
    """Write a target's label on the left and what is said of it on the right."""
    label = row["label"] if known(row.get("label")) else row.get("id")
    right = fit(said, 26)
    ax.text(
        0, top + 0.2, fit(label, max(37 - ems(right) - 1.5, 8)), ha="left", va="center", fontsize=11, fontweight="bold"
    )
    ax.text(1, top + 0.2, right, ha="right", va="center", fontsize=11, fontweight="bold", color=colour)


def _box(ax: Axes, left: float, right: float, y: float, height: float, **look: Any) -> None:
    """Draw a horizontal bar between two places of the strip."""
    from matplotlib.patches import Rectangle

    ax.add_patch(Rectangle((min(left, right), y), abs(right - left), height, linewidth=0.6, **look))


def _strips(ax: Axes, rows: int) -> Axes:
    """Prepare an Axes whose vertical unit is an inch of strip, from the top."""
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(max(rows, 1) * ROW, 0)
    ax.set_axis_off()
    return ax


def _records(frame: DataFrame, lang: Lang) -> list[dict[str, Any]]:
    """Return a frame's rows as dictionaries, names and units in the figure's language."""
    rows = [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False, name=None)]
    for row in rows:
        if "unit" in row:
            row["unit"] = unit_of(row, lang)
        if lang == "en" and known(row.get("label_en")):
            row["label"] = row["label_en"]
    return rows


LEFT, RIGHT = 0.36, 0.42
EMS = 43.0  # small characters along a strip
GAP, ZONE = "\u3000", "#d5e5f3"
FEW = 10


MARKS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p", "h", "d")  # one for each of 0 to 12 months
LEAST = 10  # cases in a tenth that is drawn


def reliability(reliability: DataFrame | Any, ax: Axes | None = None, lang: Lang = "zh") -> Axes:
    """Draw how often enterprises reached their line by the odds they had been given (以往预测的检验).

    Points on the diagonal are odds that came true as often as they said. Tenths with fewer than `LEAST` cases are left out.

    Parameters
    ----------
    reliability : DataFrame or `Backtest`
        Columns month (0 to 12), odds and came (0–1), n (cases).
    ax : Axes, optional
    lang : {"zh", "en"}

    Examples
    --------
    >>> import pandas as pd
    >>> from lyeval import figures
    >>> past = pd.DataFrame({"month": 6, "odds": [0.1, 0.9], "came": [0.2, 0.8], "n": [30, 40]})
    >>> figures.reliability(past, lang="en").get_ylabel()
    'share that did'
    """
    told, reliability = words("chances", lang), frame_of(reliability, "reliability")
    shown = reliability.loc[reliability["n"].to_numpy(dtype=float) >= LEAST] if len(reliability) else reliability
    months = sorted({int(m) for m in shown["month"]}) if len(shown) else []
    with house():
        from matplotlib.ticker import PercentFormatter

        ax = canvas(ax, 3.6)
        ax.plot([0, 1], [0, 1], color=FAINT, linewidth=1.4, zorder=1)
        for place, month in enumerate(months):
            part = shown.loc[shown["month"] == month].sort_values("odds", kind="stable")
            colour = (INK, GOOD, BAD, SOFT)[place % 4]
            size = 14 + 60 * np.sqrt(part["n"].to_numpy(dtype=float) / float(shown["n"].max()))
            ax.plot(part["odds"], part["came"], color=colour, linewidth=0.8, alpha=0.6, zorder=2)
            said = told["year_end"] if month == 0 else told["month"].format(month)
            ax.scatter(part["odds"], part["came"], s=size, marker=MARKS[month], color=colour, label=said, zorder=3)
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel=told["given"], ylabel=told["came"])
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.grid(True)
        if months:
            ax.legend(loc="lower right", title=None)
    return ax


def tornado(factors: DataFrame | Any, ax: Axes | None = None, lang: Lang = "zh", most: int = 12) -> Axes:
    """Draw how far a target's odds move with each assumption, one at a time (敏感性), the largest on top.

    Parameters
    ----------
    factors : DataFrame or `Sensitivity`
        Rows of ``Sensitivity.factors``; of several targets the one whose odds move most is drawn: id, swing, label, label_en, low,
        high (what the assumption is set to), p_low, p_high (the odds then, 0–1) and central.
    ax : Axes, optional
    lang : {"zh", "en"}
    most
        How many factors are drawn.

    Examples
    --------
    >>> import pandas as pd
    >>> from lyeval import figures
    >>> row = {"id": "a", "swing": 0.2, "label": "补税", "low": 0, "high": 0.35, "p_low": 0.3, "p_high": 0.5, "central": 0.4}
    >>> [tick.get_text() for tick in figures.tornado(pd.DataFrame([row])).get_yticklabels()]
    ['补税']
    """
    told, factors = words("chances", lang), frame_of(factors, "factors")
    rows: list[dict[str, Any]] = []
    if len(factors):
        mine = factors.loc[factors["id"] == factors["id"].iloc[int(np.argmax(factors["swing"]))]]
        rows = mine.head(most).to_dict("records")
    with house():
        from matplotlib.ticker import PercentFormatter

        ax = canvas(ax, 0.9 + 0.34 * max(len(rows), 1))
        for place, row in enumerate(rows):
            for end, look in (("p_low", LOOK["low"]), ("p_high", LOOK["met"])):
                width = float(row[end]) - float(row["central"])
                ax.barh(place, width, left=float(row["central"]), height=0.56, **look)
        if rows:
            ax.axvline(float(rows[0]["central"]), color=INK, linewidth=1.2)
        names = [fit(row["label_en" if lang == "en" else "label"], 18) for row in rows]
        ax.set_yticks(range(len(rows)), names)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ends = [float(row[k]) for row in rows for k in ("p_low", "p_high", "central")]
        low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
        room = max(0.06 * (high - low), 0.005)
        ax.set_xlim(max(low - room, -0.005), min(high + room, 1.005))
        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
        ax.set_xlabel(told["tornado"])
        ax.grid(True, axis="x")
    return ax


def curve(curve: DataFrame | Any, ax: Axes | None = None, lang: Lang = "zh") -> Axes:
    """Draw what money can buy at best: the odds of each target by the cost of what is added to the cases in progress (费用与把握).

    Parameters
    ----------
    curve : DataFrame, `Portfolio` or `SideBySide`
        Rows of ``curve``: cost_wan (万元), probability (0–1) and, of several targets, id, label, label_en.
    ax : Axes, optional
    lang : {"zh", "en"}

    Examples
    --------
    >>> import pandas as pd
    >>> from lyeval import figures
    >>> len(figures.curve(pd.DataFrame({"cost_wan": [0.0, 70.0], "probability": [0.15, 0.2]})).lines)
    1
    """
    told, frame = words("chances", lang), frame_of(curve, "curve")
    frame = frame if "id" in frame else frame.assign(id="", label="", label_en="")
    with house():
        from matplotlib.ticker import PercentFormatter

        ax = canvas(ax, 2.6)
        for number, (_, rows) in enumerate(frame.groupby("id", sort=False)):
            name = str(rows["label_en" if lang == "en" else "label"].iloc[0])
            color, line = (GOOD, BAD, SOFT)[number % 3], ("-", "--", ":")[number % 3]
            ax.plot(
                rows["cost_wan"], rows["probability"], line, color=color, marker="o", markersize=3, label=fit(name, 24)
            )
        if len(frame["id"].unique()) > 1:
            ax.legend(loc="best")
        ax.yaxis.set_major_formatter(PercentFormatter(1.0))
        ax.set_ylim(bottom=0)
        ax.set_xlabel(told["cost"])
        ax.set_ylabel(told["best"])
    return ax


def plans(sweep: DataFrame | Any, points: DataFrame | None = None, lang: Lang = "zh", side: str = "a") -> Figure:
    """Draw four maps of many plans (规则设计图): share listed, share of land, firms near the line, passes by reversion.

    Parameters
    ----------
    sweep : DataFrame or `Sides`
        As `lyeval.comparison.sweep` gives it; the first three maps are over threshold × floor, the last over threshold × horizon.
    points
        Plans to mark: threshold, floor, horizon, label. None: those of the `Sides`.
    lang : {"zh", "en"}
    side
        Whose plans of `Sides`.

    Examples
    --------
    >>> import pandas as pd
    >>> from lyeval import figures
    >>> rules = [(line, floor, years) for line in (1.0, 2.0) for floor in (5.0, 10.0) for years in (1, 2)]
    >>> swept = pd.DataFrame(rules, columns=["threshold", "floor", "horizon"]).assign(unit="count", near=3)
    >>> swept = swept.assign(listed_share=0.2, land_share=0.1, pass_share=0.3)
    >>> len(figures.plans(swept, swept.head(1)).axes)
    8
    """
    points = frame_of(sweep, "points") if points is None else points
    sweep, points = (t[t["side"].eq(side)] if "side" in t else t for t in (frame_of(sweep, "plans"), points))
    counted = sweep[sweep["unit"] == "count"]
    first = counted[counted["horizon"] == counted["horizon"].min()]
    last = counted[counted["floor"] == points["floor"].iloc[0]]
    with house():
        figure = sheet(5.0)
        for ax, (value, across) in zip(figure.subplots(2, 2).flat, PANELS, strict=True):
            _panel(figure, ax, (last if across == "horizon" else first, points), (value, across), lang)
    return figure


def _panel(figure: Any, ax: Any, data: tuple[DataFrame, DataFrame], what: tuple[str, str], lang: Lang) -> None:
    """Draw one map: squares of one value over threshold and another rule."""
    (rows, points), (value, across), told = data, what, words("plans", lang)
    grid = rows.pivot_table(index=across, columns="threshold", values=value, aggfunc="first")
    lines, levels = grid.columns.to_numpy(dtype=float), grid.index.to_numpy(dtype=float)
    drawn = ax.pcolormesh(lines, np.arange(len(levels)), grid.to_numpy(dtype=float), cmap="Blues", shading="nearest")
    bar = figure.colorbar(drawn, ax=ax, pad=0.02)
    if value.endswith("share"):
        bar.ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    bar.solids.set_rasterized(False)
    bar.outline.set_visible(False)
    for mark, colour, point in zip(POINTS, (BAD, INK), points.to_dict("records"), strict=False):
        at = float(np.interp(point[across], levels, np.arange(len(levels))))
        ax.plot(point["threshold"], at, mark, color=colour, markersize=6, markeredgecolor="#ffffff", clip_on=False)
    ax.set_yticks(np.arange(len(levels)), [f"{v:g}" for v in levels])
    ax.set_title(fit(told[value], 22), fontsize=9.5)
    ax.set_ylabel(told[across])
    ax.set_xlabel(told["threshold"])


PANELS = (("listed_share", "floor"), ("land_share", "floor"), ("near", "floor"), ("pass_share", "horizon"))
POINTS = ("o", "s")
