"""Figures of enterprises: the distribution of tax per mu with the policy's line, and townships."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lyeval.figures.style import INK, LOOK, SOFT, Lang, canvas, fit, frame_of, house, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

STEPS = 6  # bars per decade
FLOOR, CEILING = 0.01, 1000.0  # 万元/亩: what lies beyond is counted in the outermost bars
CLASSES = ("above", "below")


def tax_per_mu(
    enterprises: DataFrame | Any,
    lines: Mapping[str, float | None] | None = None,
    ax: Axes | None = None,
    lang: Lang = "zh",
) -> Axes:
    """Draw how many enterprises have which tax per mu (亩均税收分布), above-scale upward, below-scale downward.

    The axis is logarithmic; zero and negative values stand in a bar of their own at the left. Enterprises below their
    class's line are hatched. Unknown values are counted in a remark.

    Parameters
    ----------
    enterprises : DataFrame or `Assessment`
        Columns class (``above``/``below``) and tax_per_mu (万元/亩); in_scope and gone are respected where they are.
    lines : mapping, optional
        The line of each class, 万元/亩, e.g. ``{"above": 1.0, "below": 1.0}``; a class without a line (None, NaN) is not split.
        None: the column ``line``.
    ax : Axes, optional
    lang : {"zh", "en"}

    Examples
    --------
    >>> import pandas as pd
    >>> from lyeval import figures
    >>> firms = pd.DataFrame({"class": ["above", "below", "below"], "tax_per_mu": [5.0, 0.4, 2.0], "line": 1.0})
    >>> figures.tax_per_mu(firms, lang="en").get_ylabel()
    'Firms (up: above designated size, down: below)'
    """
    whole = frame_of(enterprises, "enterprises")
    if lines is None:
        lines = {name: whole.loc[whole["class"] == name, "line"].max() for name in CLASSES} if "line" in whole else {}
    frame = _counted(whole)
    frame = frame.loc[frame["class"].isin(CLASSES)]
    values = frame["tax_per_mu"].astype("float64").to_numpy()
    groups = frame["class"].to_numpy(dtype=object)
    known = {name: float(line) for name, line in lines.items() if line is not None and name in CLASSES}
    given = {name: line for name, line in known.items() if np.isfinite(line)}
    anchor = next(iter(given.values()), 1.0)
    edges = _edges(values, anchor)
    with house():
        ax = canvas(ax, 3.9)
        tops = [
            _half(ax, values[groups == name], given.get(name), edges, sign)
            for name, sign in zip(CLASSES, (1, -1), strict=True)
        ]
        top = max(*tops, 1) * 1.22
        for name, sign in zip(CLASSES, (1, -1), strict=True):
            _half_text(ax, values[groups == name], given.get(name), name, sign * top, lang)
        _tax_axes(ax, edges, top, int(np.isnan(values).sum()), lang)
    return ax


def _counted(enterprises: DataFrame) -> DataFrame:
    """Keep the enterprises in scope that still stand."""
    keep = np.ones(len(enterprises), dtype=bool)
    for name, kept in (("in_scope", True), ("gone", False)):
        if name in enterprises:
            keep &= (enterprises[name].astype(str) == "True").to_numpy(bool) == kept
    return enterprises.loc[keep]


def _edges(values: np.ndarray, anchor: float) -> np.ndarray:
    """Return log10 bin edges, of which one is the anchor (a line)."""
    positive = values[values > 0]
    low, high = (
        (max(positive.min(), FLOOR), min(positive.max(), CEILING)) if positive.size else (anchor / 10, anchor * 10)
    )
    low, high = min(low, anchor / 10), max(high, anchor * 10)
    start = np.floor((np.log10(low) - np.log10(anchor)) * STEPS - 1e-9)
    stop = np.ceil((np.log10(high) - np.log10(anchor)) * STEPS + 1e-9)
    return np.log10(anchor) + np.arange(start, stop + 1) / STEPS


def _half(ax: Axes, values: np.ndarray, line: float | None, edges: np.ndarray, sign: int) -> int:
    """Draw one class's bars upward (+1) or downward (-1) and return the tallest count."""
    seen = values[~np.isnan(values)]
    low = seen < line * (1 - 1e-9) if line is not None else np.zeros(len(seen), dtype=bool)
    zero = seen <= 0
    logs = np.clip(np.log10(np.where(zero, 1.0, seen)), edges[0] + 1e-9, edges[-1] - 1e-9)
    width = edges[1] - edges[0]
    first = np.histogram(logs[~zero & low], edges)[0]
    second = np.histogram(logs[~zero & ~low], edges)[0]
    style: dict[str, Any] = {"width": width * 0.88, "align": "center", "linewidth": 0.5}
    middle = (edges[:-1] + edges[1:]) / 2
    for counts, under, look in ((first, 0 * first, "missed"), (second, first, "met" if line is not None else "rest")):
        there = counts > 0
        ax.bar(middle[there], sign * counts[there], bottom=sign * under[there], **style, **LOOK[look])
    at_zero = int(zero.sum())
    if at_zero:
        ax.bar([_zero(edges)], [sign * at_zero], **style, **LOOK["missed" if line is not None else "rest"])
        ax.annotate(
            str(at_zero),
            (_zero(edges), sign * at_zero),
            xytext=(0, sign * 3),
            textcoords="offset points",
            ha="center",
            va="bottom" if sign > 0 else "top",
            fontsize=9,
        )
    return int(max((first + second).max(initial=0), at_zero))


def _zero(edges: np.ndarray) -> float:
    """Return the place of the bar of zero and negative values."""
    return float(edges[0] - 2.2 * (edges[1] - edges[0]))


def _half_text(ax: Axes, values: np.ndarray, line: float | None, name: str, end: float, lang: Lang) -> None:
    """Draw a class's line and say how many of it are below."""
    seen = values[~np.isnan(values)]
    told = words("enterprises", lang)
    sign = 1 if end > 0 else -1
    text = f"{told[name]} {len(seen)} {told['unit']}".strip()
    if line is not None:
        ax.plot([np.log10(line)] * 2, [0, end], color=INK, linewidth=1.6, linestyle="--" if sign < 0 else "-")
        ax.annotate(
            f" {told['line']} {line:g}",
            (np.log10(line), end),
            xytext=(2, -2 * sign),
            textcoords="offset points",
            ha="left",
            va="top" if sign > 0 else "bottom",
            fontsize=9.5,
        )
        text += told["of_which"].format(int((seen < line * (1 - 1e-9)).sum()))
    ax.annotate(
        text,
        (0, 1 if sign > 0 else 0),
        xytext=(4, -2 * sign),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="left",
        va="top" if sign > 0 else "bottom",
        fontsize=10,
        fontweight="bold",
        bbox={"facecolor": "#ffffff", "edgecolor": "none", "pad": 1},
    )


def _tax_axes(ax: Axes, edges: np.ndarray, top: float, unknown: int, lang: Lang) -> None:
    """Set ticks, labels and limits of the distribution."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    told = words("enterprises", lang)
    decades = np.arange(np.ceil(edges[0] - 1e-9), np.floor(edges[-1] + 1e-9) + 1)
    ax.set_xticks([_zero(edges), *decades], ["≤0", *[f"{10.0**decade:g}" for decade in decades]])
    minor = [np.log10(k * 10.0**d) for d in np.arange(np.floor(edges[0]), np.ceil(edges[-1])) for k in range(2, 10)]
    ax.set_xticks([tick for tick in minor if edges[0] <= tick <= edges[-1]], minor=True)
    width = edges[1] - edges[0]
    ax.set_xlim(_zero(edges) - width, edges[-1] + width / 2)
    ax.set_ylim(-top, top)
    ax.yaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{abs(value):g}"))
    ax.axhline(0, color=INK, linewidth=0.8)
    ax.grid(axis="y")
    ax.set_xlabel(told["tax"] + (told["unknown"].format(unknown) if unknown else ""))
    ax.set_ylabel(told["count"])


def townships(enterprises: DataFrame | Any, ax: Axes | None = None, lang: Lang = "zh", most: int = 16) -> Axes:
    """Draw each township's land in scope and how much of it low-efficiency enterprises hold (镇街分布), largest first.

    Beside each bar: low-efficiency enterprises of all in scope and, where there are ten or more, their share of land.

    Parameters
    ----------
    enterprises : DataFrame or `Assessment`
        Columns township, land_mu (亩), identified (True, False or None); in_scope and gone are respected.
    ax : Axes, optional
    lang : {"zh", "en"}
    most : int
        Townships drawn singly; the rest stand together in one bar.

    Examples
    --------
    >>> import pandas as pd
    >>> from lyeval import figures
    >>> firms = pd.DataFrame({"township": ["甲镇", "甲镇", "乙镇"], "land_mu": [9.0, 5.0, 3.0], "identified": [True, False, False]})
    >>> [tick.get_text() for tick in figures.townships(firms).get_yticklabels()]
    ['甲镇', '乙镇']
    """
    rows = _township_rows(_counted(frame_of(enterprises, "enterprises")), most, lang)
    told = words("enterprises", lang)
    with house():
        ax = canvas(ax, 0.33 * max(len(rows), 2) + 1.15)
        for place, row in enumerate(rows):
            left = 0.0
            for part, look in (("low", "missed"), ("open", "undetermined"), ("rest", "rest")):
                ax.barh(place, row[part], left=left, height=0.68, linewidth=0.5, **LOOK[look])
                left += row[part]
            ax.annotate(
                row["text"],
                (left, place),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=9.5,
                bbox={"facecolor": "#ffffff", "edgecolor": "none", "pad": 1},
            )
        _township_axes(ax, rows, told)
    return ax


def _township_rows(frame: DataFrame, most: int, lang: Lang) -> list[dict[str, Any]]:
    """Sum land and count enterprises by township, sorted by low-efficiency land, then land, then name."""
    told, sums = words("enterprises", lang), {}
    for township, land, low in zip(frame["township"], frame["land_mu"], frame["identified"], strict=True):
        name = township if isinstance(township, str) and township.strip() else told["nowhere"]
        row = sums.setdefault(name, {"name": name, "low": 0.0, "open": 0.0, "rest": 0.0, "n": 0, "n_low": 0})
        part = {"True": "low", "False": "rest"}.get(str(low), "open")
        row[part] += float(land) if land == land and land is not None else 0.0
        row["n"] += 1
        row["n_low"] += part == "low"
    rows = sorted(sums.values(), key=lambda row: (-row["low"], -row["low"] - row["open"] - row["rest"], row["name"]))
    if len(rows) > most:
        rest = {key: sum(row[key] for row in rows[most - 1 :]) for key in ("low", "open", "rest", "n", "n_low")}
        rows = [*rows[: most - 1], {"name": told["others"].format(len(rows) - most + 1), **rest}]
    for row in rows:
        land = row["low"] + row["open"] + row["rest"]
        share = f" · {row['low'] / land:.1%}" if row["n"] >= 10 and land > 0 else ""
        row["text"] = f"{row['n_low']}/{row['n']} {told['unit']}{share}".strip()
    return rows


def _township_axes(ax: Axes, rows: list[dict[str, Any]], told: Mapping[str, str]) -> None:
    """Set ticks, labels, limits and legend of the township figure."""
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    ax.set_yticks(range(len(rows)), [fit(row["name"], 11) for row in rows])
    ax.set_ylim(max(len(rows), 1) - 0.45, -0.55)
    widest = max((row["low"] + row["open"] + row["rest"] for row in rows), default=0.0)
    ax.set_xlim(0, (widest or 1.0) * 1.36)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    ax.set_xlabel(told["land"])
    shown = (
        [("low", "missed")]
        + ([("open", "undetermined")] if any(row["open"] for row in rows) else [])
        + [("rest", "rest")]
    )
    handles = [Patch(**LOOK[look], label=told[f"land_{part}"]) for part, look in shown]
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2, handlelength=1.6)
    if not rows:
        ax.text(0.5, 0.5, told["none"], transform=ax.transAxes, ha="center", color=SOFT)
