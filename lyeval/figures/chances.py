"""Figures of odds themselves: whether past ones came true, and which assumption moves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lyeval.figures.style import BAD, FAINT, GOOD, INK, SOFT, Lang, canvas, fit, house

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

MARKS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">", "p", "h", "d")  # one for each of 0 to 12 months
LEAST = 10  # cases in a tenth that is drawn


def reliability(reliability: DataFrame, ax: Axes | None = None, lang: Lang = "zh") -> Axes:
    """Draw how often enterprises reached their line by the odds they had been given (以往预测的检验).

    Points on the diagonal are odds that came true as often as they said. Tenths with fewer than `LEAST` cases are left out.

    Parameters
    ----------
    reliability : DataFrame
        Columns month (0 to 12), odds and came (0–1), n (cases), as `Backtest.reliability`.
    ax : Axes, optional
    lang : {"zh", "en"}
    """
    words = WORDS[lang]
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
            said = words["year_end"] if month == 0 else words["month"].format(month)
            ax.scatter(part["odds"], part["came"], s=size, marker=MARKS[month], color=colour, label=said, zorder=3)
        ax.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03), xlabel=words["given"], ylabel=words["came"])
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        ax.grid(True)
        if months:
            ax.legend(loc="lower right", title=None)
    return ax


def tornado(factors: DataFrame, ax: Axes | None = None, lang: Lang = "zh", most: int = 12) -> Axes:
    """Draw how far a target's odds move with each assumption, one at a time (敏感性), the largest on top.

    Parameters
    ----------
    factors : DataFrame
        Rows of `Sensitivity.factors`; of several targets the one whose odds move most is drawn: id, swing, label, label_en, low,
        high (what the assumption is set to), p_low, p_high (the odds then, 0–1) and central.
    ax : Axes, optional
    lang : {"zh", "en"}
    most
        How many factors are drawn.
    """
    words = WORDS[lang]
    mine = (
        factors.loc[factors["id"] == factors["id"].iloc[int(np.argmax(factors["swing"]))]] if len(factors) else factors
    )
    rows = mine.head(most).to_dict("records")
    with house():
        from matplotlib.ticker import PercentFormatter

        ax = canvas(ax, 0.9 + 0.34 * max(len(rows), 1))
        for place, row in enumerate(rows):
            for end, colour in (("p_low", SOFT), ("p_high", GOOD)):
                width = float(row[end]) - float(row["central"])
                ax.barh(place, width, left=float(row["central"]), height=0.56, color=colour, linewidth=0)
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
        ax.set_xlabel(words["tornado"])
        ax.grid(True, axis="x")
    return ax


WORDS = {
    "zh": {
        "year_end": "上年末",
        "month": "{}月末",
        "given": "当时测算的企业达到标准的可能性",
        "came": "实际达到标准的占比",
        "tornado": "完成概率（灰：取低值，蓝：取高值）",
    },
    "en": {
        "year_end": "year before",
        "month": "month {}",
        "given": "odds given that an enterprise reaches its line",
        "came": "share that did",
        "tornado": "odds (grey: set low, blue: set high)",
    },
}
