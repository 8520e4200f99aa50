"""Map of rule design: what many plans would cover in one place, with the documents as points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lyeval.figures.style import BAD, INK, WIDTH, Lang, fit, house

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

HEIGHT = 5.0


def plans(sweep: DataFrame, points: DataFrame, lang: Lang = "zh") -> Figure:
    """Draw four maps of many plans (规则设计图): share listed, share of land, firms near the line, passes by reversion.

    Parameters
    ----------
    sweep
        As `lyeval.comparison.sweep` gives it; the first three maps are over threshold × floor, the last over threshold × horizon.
    points
        Plans to mark: threshold, floor, horizon, label.
    """
    import matplotlib.pyplot as plt

    counted = sweep[sweep["unit"] == "count"]
    first = counted[counted["horizon"] == counted["horizon"].min()]
    last = counted[counted["floor"] == points["floor"].iloc[0]]
    with house():
        figure, axes = plt.subplots(2, 2, figsize=(WIDTH, HEIGHT), layout="constrained")
        for ax, (value, across) in zip(axes.flat, PANELS, strict=True):
            _panel(figure, ax, (last if across == "horizon" else first, points), (value, across), lang)
    return figure


def _panel(figure: Any, ax: Any, data: tuple[DataFrame, DataFrame], what: tuple[str, str], lang: Lang) -> None:
    """Draw one map: squares of one value over threshold and another rule."""
    rows, points = data
    value, across = what
    grid = rows.pivot_table(index=across, columns="threshold", values=value, aggfunc="first")
    lines, levels = grid.columns.to_numpy(dtype=float), grid.index.to_numpy(dtype=float)
    drawn = ax.pcolormesh(lines, np.arange(len(levels)), grid.to_numpy(dtype=float), cmap="Blues", shading="nearest")
    bar = figure.colorbar(drawn, ax=ax, pad=0.02)
    if value.endswith("share"):
        bar.ax.yaxis.set_major_formatter(lambda v, _: f"{100 * v:.0f}%")
    bar.solids.set_rasterized(False)
    bar.outline.set_visible(False)
    for mark, colour, point in zip(MARKS, (BAD, INK), points.to_dict("records"), strict=False):
        at = float(np.interp(point[across], levels, np.arange(len(levels))))
        ax.plot(point["threshold"], at, mark, color=colour, markersize=6, markeredgecolor="#ffffff", clip_on=False)
    ax.set_yticks(np.arange(len(levels)), [f"{v:g}" for v in levels])
    ax.set_title(fit(TITLES[value][lang == "en"], 22), fontsize=9.5)
    ax.set_ylabel(AXES[across][lang == "en"])
    ax.set_xlabel(AXES["threshold"][lang == "en"])


PANELS = (("listed_share", "floor"), ("land_share", "floor"), ("near", "floor"), ("pass_share", "horizon"))
MARKS = ("o", "s")
TITLES = {
    "listed_share": ("列入企业占比", "share of firms listed"),
    "land_share": ("列入面积占比", "share of land listed"),
    "near": ("临近线的企业数", "firms near the line"),
    "pass_share": ("自行达线占名单比例", "listed that pass by reversion"),
}
AXES = {
    "threshold": ("线（万元/亩）", "line (10k yuan/mu)"),
    "floor": ("规下起点面积（亩）", "least land (mu)"),
    "horizon": ("年限", "years"),
}
