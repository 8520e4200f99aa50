"""Figures of effects, one for each, from the long frame that every effect gives of itself; documents on one axis (时间线)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lyeval.figures.style import (
    BAD,
    FAINT,
    GOOD,
    INK,
    OPEN,
    SOFT,
    Lang,
    canvas,
    ems,
    fit,
    frame_of,
    house,
    known,
    words,
)
from lyeval.ledger.columns import records

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


HEIGHT = 2.6


def effect(drawn: DataFrame | Any, ax: Axes | None = None, lang: Lang = "zh", *, x: str = "", y: str = "") -> Axes:
    """Draw what one effect shows (影响图).

    Parameters
    ----------
    drawn
        Columns kind (path, dynamic, bins, counts), series, x, y, low, high; rows of one effect. Or the effect itself.
    x, y
        Labels of the axes; by default the kind's own.

    Examples
    --------
    >>> from lyeval import effect, figures
    >>> rows = effect.example()
    >>> found = effect.event_study(rows, outcome="level", unit="firm", time="year", first_treated="first")
    >>> figures.effect(found, lang="en").get_xlabel()
    'years since listing'
    """
    drawn = getattr(drawn, "drawn", lambda: drawn)()
    kind = str(drawn["kind"].iloc[0]) if len(drawn) else ""
    with house():
        ax = canvas(ax, HEIGHT)
        if kind not in DRAW:
            ax.text(
                0.5,
                0.5,
                words("effects", lang)["nothing"],
                ha="center",
                va="center",
                color=SOFT,
                transform=ax.transAxes,
            )
            ax.set_axis_off()
            return ax
        DRAW[kind](ax, drawn, lang)
        told = words("effects", lang)
        ax.set_xlabel(fit(x or told[f"{kind}_x"], 40))
        ax.set_ylabel(fit(y or told[f"{kind}_y"], 16))
        ax.grid(axis="y")
    return ax


def _path(ax: Axes, drawn: DataFrame, lang: Lang) -> None:
    """Draw means by year, one line a group."""
    for name in ("listed", "unlisted", "projected", "synthetic"):
        rows = drawn[drawn["series"] == name].sort_values("x")
        if len(rows):
            ax.plot(rows["x"], rows["y"], label=words("effects", lang)[name], **LINES[name])
    years = sorted({int(v) for v in drawn["x"]})
    ax.set_xticks(years[:: 1 + len(years) // 10])
    ax.legend(loc="best")


def _dynamic(ax: Axes, drawn: DataFrame, _: Lang) -> None:
    """Draw effects by distance from the start, each with its interval."""
    rows = drawn.sort_values("x")
    ax.axhline(0, color=SOFT, linewidth=0.9)
    ax.axvline(-0.5, color=FAINT, linewidth=0.9, linestyle="--")
    for row in rows.to_dict("records"):
        if known(row["low"]):
            ax.plot([row["x"]] * 2, [row["low"], row["high"]], color=GOOD, linewidth=1.6)
    ax.plot(rows["x"], rows["y"], "o", color=GOOD, markersize=4.5)
    ax.set_xticks(sorted({int(v) for v in rows["x"]}))


def _bins(ax: Axes, drawn: DataFrame, lang: Lang) -> None:
    """Draw mean outcomes by score on either side of the cutoff, with a straight line through each side's bins."""
    import numpy as np

    for side, colour, marker in (("below", INK, "o"), ("above", BAD, "s")):
        rows = drawn[drawn["series"] == side].sort_values("x")
        if not len(rows):
            continue
        x, y = rows["x"].to_numpy(dtype=float), rows["y"].to_numpy(dtype=float)
        ax.plot(x, y, marker, color=colour, markersize=4.5, label=words("effects", lang)[f"{side}_cutoff"])
        if len(x) > 2:
            ax.plot(x, np.polyval(np.polyfit(x, y, 1), x), color=colour, linewidth=1.0)
    ax.axvline(0, color=SOFT, linewidth=0.9, linestyle="--")
    ax.legend(loc="best")


def _counts(ax: Axes, drawn: DataFrame, lang: Lang) -> None:
    """Draw counts by score, and the smooth curve where there is one."""
    told, rows = words("effects", lang), drawn[drawn["series"] == "observed"].sort_values("x")
    x = rows["x"].to_numpy(dtype=float)
    width = float(x[1] - x[0]) if len(x) > 1 else 1.0
    ax.bar(x, rows["y"], width=width * 0.92, align="edge", color="#c3ccd5", label=told["observed"])
    smooth = drawn[drawn["series"] == "smooth"].sort_values("x")
    if len(smooth):
        ax.plot(smooth["x"] + width / 2, smooth["y"], color=BAD, linewidth=1.5, label=told["smooth"])
        ax.legend(loc="best")


DRAW = {"path": _path, "dynamic": _dynamic, "bins": _bins, "counts": _counts}
LINES: dict[str, dict[str, Any]] = {
    "listed": {"color": BAD, "marker": "s", "markersize": 4, "linewidth": 1.6},
    "unlisted": {"color": INK, "marker": "o", "markersize": 4, "linewidth": 1.6},
    "projected": {"color": OPEN, "marker": "^", "markersize": 4, "linewidth": 1.4, "linestyle": "--"},
    "synthetic": {"color": OPEN, "linewidth": 1.4, "linestyle": "--"},
}


COLOURS = {"work": GOOD, "rhythm": SOFT}
MARKS = {"target": ("D", BAD), "issued": ("o", INK)}
ROOM = 26.0  # ems of a label's line


def timeline(events: DataFrame | Any, ax: Axes | None = None, lang: Lang = "zh") -> Axes:
    """Draw the dates of documents.

    Parameters
    ----------
    events
        As `lyeval.policy.documents.timeline` gives them: policy, place, lane (issued, work, rhythm, target), label, start, end, and
        ``_en`` twins; or what holds them as ``timeline``.
    ax : Axes, optional
    lang : {"zh", "en"}

    Examples
    --------
    >>> import lyeval as ly
    >>> from lyeval import figures
    >>> from lyeval.policy import documents
    >>> events = documents.timeline([ly.load_policy("zhoushan-2020")], [None])
    >>> [label.get_text() for label in figures.timeline(events, lang="en").get_yticklabels()][:2]
    ['Zhoushan', 'issued']
    """
    from matplotlib.dates import YearLocator, date2num

    tail, events = "_en" if lang == "en" else "", frame_of(events, "timeline")
    rows = _rows(records(events), tail)
    with house():
        ax = canvas(ax, 0.5 + 0.31 * len(rows))
        for at, (_, lane, start, end) in enumerate(rows):
            if lane == "place":
                ax.axhline(at - 0.5, color=FAINT, linewidth=0.8)
                continue
            begin, stop = date2num(start), date2num(end)
            if lane in COLOURS:
                ax.barh(at, max(stop - begin, 8), left=begin, height=0.5, color=COLOURS[lane], linewidth=0)
            else:
                mark, colour = MARKS[lane]
                ax.plot([stop], [at], mark, color=colour, markersize=4.5)
        ax.set_ylim(len(rows) - 0.4, -0.6)
        ax.set_yticks(range(len(rows)), [_wrapped(text) for text, *_ in rows])
        for label, (_, lane, *_) in zip(ax.get_yticklabels(), rows, strict=True):
            label.set_fontweight("bold" if lane == "place" else "normal")
        first, last = (float(date2num(day)) for day in (events["start"].min(), events["end"].max()))
        ax.set_xlim(first - 40, last + 60)
        ax.xaxis.set_major_locator(YearLocator())
        ax.xaxis_date()
        ax.tick_params(axis="y", length=0)
        ax.grid(True, axis="x")
    return ax


def _wrapped(text: str) -> str:
    """Break a text into two lines at most."""
    line = fit(text, 2 * ROOM)
    if ems(line) <= ROOM:
        return line
    words = line.split(" ") if " " in line else list(line)
    joint, first = (" " if " " in line else ""), ""
    while words and (ems(first + joint + words[0]) <= ROOM or words[0] in "，。；、"):
        first = f"{first}{joint}{words.pop(0)}".strip()
    return f"{first}\n{fit(joint.join(words), ROOM)}"


def _rows(events: list[dict[str, Any]], tail: str) -> list[tuple[str, str, Any, Any]]:
    """Return the lines of the figure: a plan's place, then its events; dated work of the same months on one line."""
    out: list[tuple[str, str, Any, Any]] = []
    joint = "; " if tail else "；"
    for event in events:
        place, text = str(event[f"place{tail}"]), str(event[f"label{tail}"])
        if not any(lane == "place" and said == place for said, lane, _, _ in out):
            out.append((place, "place", None, None))
        same = out[-1][1] == event["lane"] == "work" and out[-1][2:] == (event["start"], event["end"])
        if same:
            out[-1] = (f"{out[-1][0]}{joint}{text}", *out[-1][1:])
        else:
            out.append((text, str(event["lane"]), event["start"], event["end"]))
    return out
