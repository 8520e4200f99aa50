"""Figures of odds and of rules: whether past odds came true, which assumption moves them, what many plans would cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lyeval.figures.style import BAD, FAINT, GOOD, INK, LOOK, SOFT, Lang, canvas, fit, frame_of, house, sheet, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

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
