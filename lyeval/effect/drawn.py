"""Effects side by side (并列表) and what is drawn of each (图形数据): one long frame for every design."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from lyeval.effect.result import Effect, number, told

COLUMNS = ["kind", "series", "x", "y", "low", "high"]
"""kind (path, dynamic, bins, counts); series; x; y with low and high (NaN: no interval)."""


def drawn(effect: Effect) -> pd.DataFrame:
    """Return what one figure of an effect shows: `COLUMNS`, and no row where the design has nothing to draw.

    ``path``: means by period of listed, unlisted and projected. ``dynamic``: effects by distance from the start. ``bins``:
    means of the outcome by score. ``counts``: units by score, observed and smooth. Else ``dynamic`` with the estimate alone.
    """
    made = next((make(effect.details[key]) for key, make in SHOWN if key in effect.details), None)
    if made is None:
        made = (
            [("dynamic", "effect", 0.0, effect.estimate, effect.low, effect.high)] if effect.design != "refused" else []
        )
    return pd.DataFrame([(*row, *(math.nan,) * (len(COLUMNS) - len(row))) for row in made], columns=COLUMNS)


def table(effects: Sequence[Effect], *, names: Sequence[str] | None = None, lang: str = "zh") -> pd.DataFrame:
    """Set effects side by side, one a column: estimate with stars, error, interval, n, checks; text, ready for LaTeX.

    ``names``: headings, by default (1), (2), …. ``table(…).to_latex()`` gives LaTeX, `docx` a Word document; Stata takes
    ``pd.concat(e.tidy() for e in effects).to_stata(path, version=118)``. Stars: p below 0.1, 0.05, 0.01.

    Raises
    ------
    ValueError
        If names are not as many as effects.
    """
    heads = list(names) if names is not None else [f"({i})" for i in range(1, len(effects) + 1)]
    if len(heads) != len(effects):
        raise ValueError(f"names 应有 {len(effects)} 个 / {len(effects)} names are needed")
    rows = [told(f"row_{key}").text(lang) for key in ("design", "estimate", "error", "interval", "p", "n", "checks")]
    return pd.DataFrame([_column(one) for one in effects], index=heads, columns=rows).T


def docx(effects: Sequence[Effect], *, names: Sequence[str] | None = None, lang: str = "zh") -> bytes:
    """Return `table` as a Word document, each effect's sentence below."""
    from lyeval.render import Column, Document, Paragraph, Table, to_docx

    shown = table(effects, names=names, lang=lang)
    columns = (Column("row", " "), *(Column(f"c{i}", str(head)) for i, head in enumerate(shown.columns)))
    rows = tuple((str(name), *row) for name, row in zip(shown.index, shown.to_numpy(), strict=True))
    title = told("table").text(lang)
    blocks = (Table("effects", title, columns, rows), *(Paragraph(one.sentence(lang)) for one in effects))
    return to_docx(Document(title=title, blocks=blocks, lang="en" if lang == "en" else "zh"))


def _column(one: Effect) -> list[str]:
    stars = "" if math.isnan(one.p_value) else "*" * sum(one.p_value < at for at in (0.1, 0.05, 0.01))
    passed = [c.passed for c in one.checks]
    interval = f"[{number(one.low)}, {number(one.high)}]" if math.isfinite(one.low) else "—"
    figures = [number(one.estimate) + stars, f"({number(one.std_error)})", interval, number(one.p_value), str(one.n)]
    return [one.design, *figures, f"{passed.count(True)}/{len(passed) - passed.count(None)}"]


def _path(frame: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    rows = frame.to_dict("records")
    if "treated" in frame:
        pairs = (("listed", "treated"), ("synthetic", "synthetic"))
        return [("path", name, float(r["time"]), r[key]) for name, key in pairs for r in rows]
    return [("path", r["group"], float(r["time"]), r["mean"]) for r in rows]


def _dynamic(frame: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    rows = frame.to_dict("records")
    return [("dynamic", "effect", float(r["event"]), r["estimate"], r["low"], r["high"]) for r in rows]


def _bins(frame: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    return [("bins", r["side"], r["score"], r["mean"]) for r in frame.to_dict("records")]


def _counts(frame: pd.DataFrame) -> Iterable[tuple[Any, ...]]:
    rows = frame.to_dict("records")
    return [
        ("counts", name, float(r["from_"]), r[name]) for name in ("observed", "smooth") if name in frame for r in rows
    ]


SHOWN = (("dynamic", _dynamic), ("counts", _counts), ("bins", _bins), ("path", _path))
