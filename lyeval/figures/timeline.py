"""Documents on one axis (时间线): issue, dated work, rhythms and target steps of any number of plans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lyeval.figures.style import BAD, FAINT, GOOD, INK, SOFT, Lang, canvas, ems, fit, frame_of, house
from lyeval.ledger.columns import records

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

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
