"""The house style of figures: shipped fonts, palette, canvas and saving; the one place that sets fonts."""

from __future__ import annotations

import io
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal

from lyeval import resources
from lyeval.render import Figure as Picture
from lyeval.render.glyphs import coverage
from lyeval.render.numbers import known
from lyeval.textfiles import read_yaml

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

Lang = Literal["zh", "en"]
HERE, FONTS = resources.PACKAGE / "figures", resources.PACKAGE / "fonts"
WIDTH = 5.8  # inches: within the text width of an A4 page, and legible when a phone shrinks it
SCREEN, PRINT = 110, 220  # dots per inch of a PNG


@contextmanager
def house() -> Iterator[None]:
    """Draw within this context to get the house style; needs neither a display nor an installed Chinese font.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from lyeval import figures
    >>> with figures.house():
    ...     axes = plt.subplots()[1]
    >>> axes.xaxis.label.get_size()
    9.5
    """
    import matplotlib as mpl
    import matplotlib.style

    covered()
    with mpl.rc_context():
        matplotlib.style.use(["default", HERE / "house.mplstyle"])
        yield


@lru_cache(maxsize=1)
def covered() -> frozenset[int]:
    """Register the shipped faces with Matplotlib, once, and return the code points they draw."""
    from matplotlib import font_manager

    for face in sorted(FONTS.glob("*.otf")):
        font_manager.fontManager.addfont(face)
    return coverage(FONTS / "LyevalSans-Regular.otf")


def words(kind: str, lang: Lang) -> dict[str, str]:
    """Return the words of one kind of figure (``words.yaml``) in a language."""
    return {name: pair[lang == "en"] for name, pair in _words()[kind].items()}


@cache
def _words() -> dict[str, dict[str, list[str]]]:
    return read_yaml(HERE / "words.yaml")[0]


@cache
def _shown() -> tuple[type[Figure], type[Axes]]:
    """Return a Figure and an Axes that notebooks show by themselves, once, whatever their settings."""
    from matplotlib import axes, figure

    class Figure(figure.Figure):
        def _repr_png_(self) -> bytes:
            return _png(self, SCREEN)

    class Axes(axes.Axes):
        def _repr_png_(self) -> bytes:
            return _png(self.get_figure(root=True), SCREEN)

    return Figure, Axes


def sheet(height: float) -> Figure:
    """Return a new figure of the page's width and ``height`` (inches), which a notebook shows by itself."""
    import matplotlib.pyplot as plt

    return plt.figure(figsize=(WIDTH, height), layout="constrained", FigureClass=_shown()[0])


def canvas(ax: Axes | None, height: float) -> Axes:
    """Return ``ax``, or the Axes of a new figure (`sheet`)."""
    return sheet(height).add_subplot(axes_class=_shown()[1]) if ax is None else ax


def frame_of(given: Any, name: str) -> DataFrame:
    """Return the frame ``name`` of a result; a frame stands for itself."""
    return given if hasattr(given, "columns") else getattr(given, name)


def save(drawn: Axes | Figure) -> tuple[str, bytes]:
    """Return a figure as SVG (text as paths) and PNG (220 dpi), and close it.

    The same data give the same bytes: ids are salted, no date or version is stored.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from lyeval import figures
    >>> svg, png = figures.save(plt.subplots()[1])
    >>> svg[:5], png[1:4]
    ('<?xml', b'PNG')
    """
    figure: Any = drawn.get_figure(root=True) if hasattr(drawn, "get_figure") else drawn
    with house():
        svg = _svg(figure, "path")
    return svg, _png(figure, PRINT)


def picture(drawn: Axes | Figure, id: str, title: str, alt: str, *, source: str = "", cite: str = "") -> Picture:
    """Return a figure as a block of a document, its text searchable where the format can (PDF), and close it.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from lyeval import figures
    >>> figures.picture(plt.subplots()[1], "one", "一图", "what it shows").title
    '一图'
    """
    figure: Any = drawn.get_figure(root=True) if hasattr(drawn, "get_figure") else drawn
    with house():
        text = _svg(figure, "none")
    svg, png = save(figure)
    return Picture(id, title, svg, png, alt, source, cite, text)


def _png(figure: Any, dpi: int) -> bytes:
    """Draw a figure as PNG, and close it, so that no notebook shows it twice."""
    png = io.BytesIO()
    with house():
        figure.savefig(png, format="png", dpi=dpi, metadata={"Software": None})
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(figure)
    return png.getvalue()


def _svg(figure: Any, text_as: str) -> str:
    """Draw a figure as SVG, its text as ``path`` or, with ``none``, as text."""
    import matplotlib as mpl

    nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
    svg = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "lyeval", "svg.fonttype": text_as}):
        figure.savefig(svg, format="svg", metadata=nothing)
    return re.sub(r"<!--.*?-->\n?", "", svg.getvalue(), flags=re.DOTALL)


def drawable(text: object) -> str:
    """Return text that the shipped font can draw: one line, no invisible marks, 〓 for a character without a glyph."""
    line = re.sub(r"[ \t\r\n\v\f\x85\u2028\u2029]+", " ", str(text)).strip(" ")
    kept = (c for c in line if unicodedata.category(c) not in ("Cf", "Cc", "Cs", "Mn"))
    return "".join(c if ord(c) in covered() else "〓" for c in kept)


def ems(text: str) -> float:
    """Return the width of a text in ems: wide characters 1, others about a half."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WFA" else 0.56 for c in text)


def fit(text: object, room: float) -> str:
    """Shorten a text to ``room`` ems with an ellipsis."""
    line = drawable(text)
    if ems(line) <= room:
        return line
    while line and ems(line) > room - 1:
        line = line[:-1]
    return line.rstrip() + "…"


def number(value: Any, unit: str, digits: int | None = None) -> str:
    """Write a statistic in its unit: a share as a percentage, a count without decimals, else two decimals."""
    if not known(value):
        return "—"
    value = float(value)
    if unit in SHARES:
        return f"{value * 100:.{1 if digits is None else digits}f}%".replace("-", "−")
    whole = abs(value) >= 1000 or (abs(value - round(value)) < 1e-9 and (unit in COUNTS or abs(value) >= 10))
    places = (0 if whole else 2) if digits is None else digits
    return f"{value:,.{places}f} {unit}".replace("-", "−").strip()


def goal_of(value: Any, unit: str) -> str:
    """Write a goal in its unit; whole percentages without decimals, as documents do."""
    whole = unit in SHARES and known(value) and abs(float(value) * 100 - round(float(value) * 100)) < 1e-9
    return number(value, unit, 0 if whole else None)


def unit_of(row: Any, lang: Lang) -> str:
    """Return the unit of a row's statistic in the figure's language; a share has none."""
    unit = str(row.get("unit")) if known(row.get("unit")) else ""
    return words("units", lang).get(unit, unit)


def span(low: Any, high: Any, unit: str) -> str:
    """Write a range with its unit once: 2.60–3.40 万元/亩; one value where both ends are written alike."""
    first, last = number(low, unit), number(high, unit)
    if first == last or not (known(low) and known(high)):
        return first if known(low) else last
    return f"{first.removesuffix(unit).rstrip() if unit not in SHARES else first}–{last}"


SHARES = ("", "%", "％", "share", "ratio", "fraction", "比例", "占比", "1")
COUNTS = ("家", "户", "个", "块", "firms", "blocks", "count", "㎡", "m²", "m2", "平方米")
INK, SOFT, FAINT, TRACK = "#1c2530", "#55606c", "#c9d1d9", "#eef1f4"
GOOD, BAD, OPEN = "#0a5a9c", "#d2592a", "#a89878"
LOOK: dict[str, dict[str, Any]] = {
    "met": {"facecolor": GOOD, "edgecolor": GOOD},
    "missed": {"facecolor": BAD, "edgecolor": "#ffffff", "hatch": "////"},
    "undetermined": {"facecolor": "#efe8da", "edgecolor": OPEN, "hatch": "||||"},
    "rest": {"facecolor": "#dfe5ea", "edgecolor": "#dfe5ea"},
    "low": {"facecolor": FAINT, "edgecolor": SOFT, "hatch": "...."},
}
STATUS_INK = {"met": GOOD, "missed": "#a83208", "undetermined": "#5d5346"}
