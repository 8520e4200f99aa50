"""What a question of cause hands back (效应): an estimate, its checks, the one sentence it allows, tables side by side."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtr, stdtrit

from lyeval import figures
from lyeval.render import Column, Document, Paragraph, Table, to_docx
from lyeval.resources import read_rows
from lyeval.told import Words

Z_95 = 1.959963984540054
MDE_80 = Z_95 + 0.8416212335729143
"""Smallest effect found in 80 of 100 samples by a two-sided 5 % test, in standard errors."""


class EffectError(ValueError):
    """An effect cannot be estimated; the message says why and what to do (zh / en)."""


@dataclass(frozen=True)
class Check:
    """One test of what an estimate rests on.

    Attributes
    ----------
    name
        Which check, e.g. ``density``.
    passed
        True, False, or None where it could not be made.
    value
        The figure that decides it (a p-value, an estimate, a ratio; the note says which); None if there is none.
    note_zh, note_en
        What was looked at and what it showed.
    """

    name: str
    passed: bool | None
    value: float | None
    note_zh: str
    note_en: str

    def text(self, lang: str = "zh") -> str:
        """Return the note in one language."""
        return self.note_en if lang == "en" else self.note_zh


def told(key: str, /, **given: Any) -> Words:
    """Fill the text ``key`` of ``texts.csv``: numbers as `number` writes them, ``p`` as `chance` does, `Words` by
    language.
    """
    zh, en = _texts()[key]
    said = {lang: {k: _said(k, v, lang) for k, v in given.items()} for lang in ("zh", "en")}
    return Words(zh.format(**said["zh"]), en.format(**said["en"]))


def error(key: str, /, **given: Any) -> EffectError:
    """Return the error ``key`` in both languages."""
    words = told(key, **given)
    return EffectError(f"{words.zh} / {words.en}")


def check(name: str, passed: Any, value: Any, key: str = "", /, **given: Any) -> Check:
    """Return a check with its note from ``texts.csv`` (``key``, by default its name)."""
    words = told(key or name, **given)
    return Check(
        name, None if passed is None else bool(passed), None if value is None else float(value), words.zh, words.en
    )


def tried(name: str, test: Callable[[], Check]) -> Check:
    """Make a check; one that the data cannot carry is open and says why."""
    try:
        return test()
    except EffectError as found:
        zh, _, en = str(found).partition(" / ")
        return check(name, None, None, "untested", what=told(f"name_{name}"), why=Words(zh, en))


def within(
    whole: tuple[float, float, float], left: Sequence[float], name: str, key: str = "", *, sign: bool = False
) -> Check:
    """Check that estimates made without each part stay in the whole's interval (estimate, low, high), perhaps with one
    sign.
    """
    estimate, low, high = whole
    least, most = float(min(left)), float(max(left))
    far = max(abs(least - estimate), abs(most - estimate))
    inside = low <= least and most <= high and (least * most > 0 or not sign)
    passed = None if math.isnan(low + high) else inside
    return check(name, passed, far, key, n=len(left), least=least, most=most)


@dataclass(frozen=True, eq=False, repr=False)
class Effect:
    """An estimated effect (政策影响的估计).

    Attributes
    ----------
    design
        ``rdd``, ``density``, ``did``, ``poisson``, ``event_study``, ``bunching``, ``synthetic``, ``forecast_gap``, ``timing``, or
        ``refused``.
    estimand
        What the number is meant to be, in words (zh, en).
    estimate, std_error, p_value, low, high
        In the outcome's unit; ``low`` and ``high`` bound the interval of ``level``. NaN where the design gives none; ``details``
        then says why.
    n
        Rows (or units, for panels of units) that were used.
    details
        Figures and tables that belong to the design.
    checks
        Tests of what it rests on.
    level
        Of the interval, 0.95 unless asked otherwise.
    """

    design: str
    estimand: Words
    estimate: float
    std_error: float
    p_value: float
    low: float
    high: float
    n: int
    details: dict[str, Any] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    level: float = 0.95

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise error("bad_level", level=str(self.level))

    @property
    def minimum_detectable(self) -> float:
        """The smallest effect that a two-sided 5 % test finds in 80 of 100 samples: 2.80 standard errors."""
        return MDE_80 * self.std_error

    def sentence(self, lang: str = "zh") -> str:
        """Say what may be claimed, and no more.

        A failed check takes the causal claim back; an interval that holds zero is "未达到可判定的精度" with the minimum
        detectable effect, never "no effect"; checks that could not be made are counted.
        """
        if self.design == "refused":
            return told("refused", what=self.estimand, reason=self.details["reason"]).text(lang)
        numbers = {"what": self.estimand, "value": self.estimate, "n": self.n, "level": f"{100 * self.level:g}"}
        shown = "interval" if math.isfinite(self.low) and math.isfinite(self.high) else "point"
        parts = [told(shown, low=self.low, high=self.high, **numbers)]
        parts += [self.details["said"]] if "said" in self.details else []
        parts.append(told(f"claim_{self._verdict()}", mde=self.minimum_detectable, p=self.p_value))
        if failed := [one for one in self.checks if one.passed is False]:
            parts.append(
                told("failed", which=Words("；".join(c.note_zh for c in failed), "; ".join(c.note_en for c in failed)))
            )
        if unmade := sum(one.passed is None for one in self.checks):
            parts.append(told("unmade", n=unmade))
        if dropped := self.details.get("dropped", 0):
            parts.append(told("dropped", n=dropped))
        return (" " if lang == "en" else "").join(part.text(lang) for part in parts)

    def _verdict(self) -> str:
        if any(one.passed is False for one in self.checks):
            return "failed"
        if math.isnan(self.p_value):
            return "untested"
        if self.low <= 0 <= self.high:
            return "smooth" if self.design == "density" else "short"
        if self.p_value >= 0.05:
            return "rank"
        return "found" if all(one.passed for one in self.checks) else "found_unchecked"

    def tidy(self) -> pd.DataFrame:
        """Return the estimate, the parts that ``details['parts']`` lists, and the checks, one a row.

        Columns: kind (effect, part, check), name, estimate, std_error, p_value, low, high, n, passed (1, 0, missing), note,
        note_en. Goes to Stata by ``.to_stata(path, version=118)``.
        """
        row = {name: getattr(self, name) for name in ("estimate", "std_error", "p_value", "low", "high", "n")}
        rows: list[dict[str, Any]] = [{"kind": "effect", "name": self.design, **row}]
        rows[0] |= {"note": self.sentence(), "note_en": self.sentence("en")}
        rows += [{"kind": "part", **part} for part in self.details.get("parts", ())]
        for c in self.checks:
            passed = None if c.passed is None else float(c.passed)
            more = {"passed": passed, "note": c.note_zh, "note_en": c.note_en}
            rows.append({"kind": "check", "name": c.name, "estimate": c.value, **more})
        table = pd.DataFrame(rows).reindex(columns=list(TIDY))
        numeric = [name for name in TIDY if name not in TEXT]
        return table.astype(dict.fromkeys(numeric, float)).fillna(dict.fromkeys(TEXT, ""))

    def plot(self, ax: Any = None, lang: str = "zh") -> Any:
        """Draw the effect (`lyeval.figures.effect`) and return the Axes."""
        return figures.effect(self, ax, "en" if lang == "en" else "zh")

    def drawn(self) -> pd.DataFrame:
        """Return what `plot` draws (`lyeval.effect.drawn`)."""
        return drawn(self)

    def __repr__(self) -> str:
        head = f"<Effect {self.design} {number(self.estimate)} [{number(self.low)}, {number(self.high)}]"
        lines = [f"{head} se {number(self.std_error)} p {number(self.p_value)} n {self.n}>", f"  {self.estimand.en}"]
        lines += [f"  {name}: {number(value)}" for name, value in self.details.items() if _scalar(value)]
        lines += [f"  {MARKS[c.passed].en} {c.name}: {c.note_en}" for c in self.checks]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{MARKS[c.passed].zh} {html.escape(c.note_zh)}</li>" for c in self.checks)
        return f"<p>{html.escape(self.sentence())}</p><ul>{items}</ul>"


def refuse(design: str, estimand: Words, reason: Words) -> Effect:
    """Return a result that says why there is none, e.g. a discontinuity at a target announced beforehand.

    All figures are NaN; ``design`` is ``refused`` and ``details`` names the design asked for and the reason.

    Examples
    --------
    >>> from lyeval import effect
    >>> one = effect.refuse("rdd", effect.Words("越线的影响", "effect of passing"), effect.Words("线已公布。", "announced."))
    >>> one.sentence("en")
    'effect of passing: announced.'
    """
    nan = math.nan
    return Effect("refused", estimand, nan, nan, nan, nan, nan, 0, {"asked": design, "reason": reason})


def normal(estimate: float, std_error: float, level: float = 0.95) -> tuple[float, float, float]:
    """Return p-value, low and high of an interval under the normal law."""
    p_value = math.erfc(abs(estimate / std_error) / math.sqrt(2)) if std_error > 0 else math.nan
    reach = (Z_95 if level == 0.95 else float(ndtri((1 + level) / 2))) * std_error
    return p_value, estimate - reach, estimate + reach


def student(estimate: float, std_error: float, df: float, level: float = 0.95) -> tuple[float, float, float]:
    """Return p-value, low and high of an interval under Student's law, normal where ``df`` is infinite; NaN without any."""
    if math.isinf(df):
        return normal(estimate, std_error, level)
    if not (std_error > 0 and df > 0):
        return math.nan, math.nan, math.nan
    reach = float(stdtrit(df, (1 + level) / 2)) * std_error
    return float(2 * stdtr(df, -abs(estimate / std_error))), estimate - reach, estimate + reach


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Return p-values adjusted for their number (Holm 1979); NaN stays NaN and does not count.

    Examples
    --------
    >>> from lyeval import effect
    >>> effect.holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=float)
    out = np.full(given.shape, np.nan)
    known = np.flatnonzero(np.isfinite(given))
    order = known[np.argsort(given[known], kind="stable")]
    steps = given[order] * np.arange(len(order), 0, -1)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return out


def number(value: Any) -> str:
    """Write a figure with four significant digits, thousands marked, never with an exponent above one."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "—"
    if not isinstance(value, float | np.floating):
        return str(value)
    return f"{value:,.0f}" if 1e4 <= abs(value) < 1e15 else f"{value:.4g}"


def chance(p: float) -> str:
    """Write a p-value: "p = 0.032", "p < 0.001"."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}" if p < 0.1 else f"p = {p:.2f}"


def _said(name: str, value: Any, lang: str) -> str:
    if isinstance(value, Words):
        return value.text(lang)
    return chance(value) if name == "p" else number(value)


@cache
def _texts() -> dict[str, tuple[str, str]]:
    return {key: (zh, en) for key, zh, en in map(dict.values, read_rows(__file__, "texts.csv"))}


def _scalar(value: Any) -> bool:
    return isinstance(value, int | float | str | np.floating) and not isinstance(value, bool)


MARKS = {True: Words("通过", "pass"), False: Words("未通过", "FAIL"), None: Words("无法进行", "open")}
TEXT = ("kind", "name", "note", "note_en")
TIDY = ("kind", "name", "estimate", "std_error", "p_value", "low", "high", "n", "passed", "note", "note_en")
COLUMNS = ["kind", "series", "x", "y", "low", "high"]
"""kind (path, dynamic, bins, counts); series; x; y with low and high (NaN: no interval)."""


def drawn(effect: Effect) -> pd.DataFrame:
    """Return what one figure of an effect shows: `COLUMNS`, and no row where the design has nothing to draw.

    ``path``: means by period of listed, unlisted and projected. ``dynamic``: effects by distance from the start. ``bins``:
    means of the outcome by score. ``counts``: units by score, observed and smooth. Else ``dynamic`` with the estimate alone.

    Examples
    --------
    >>> from lyeval import effect
    >>> rows = effect.example()
    >>> found = effect.did(rows, outcome="level", unit="firm", time="year", treated="listed", post="after")
    >>> effect.drawn(found).groupby("series")["y"].mean().round(1).to_dict()
    {'listed': 1.8, 'unlisted': 3.7}
    """
    kind = next((key for key in ("dynamic", "counts", "bins", "path") if key in effect.details), "dynamic")
    frame: pd.DataFrame = effect.details.get(kind, pd.DataFrame())
    if kind == "counts":
        frame = frame.melt("from_", [name for name in ("observed", "smooth") if name in frame], "series", "y")
    elif kind == "path" and "synthetic" in frame:
        frame = frame.rename(columns={"treated": "listed"}).melt("time", ["listed", "synthetic"], "series", "y")
    elif kind == "dynamic":
        alone = {"event": [0.0], "estimate": [effect.estimate], "low": [effect.low], "high": [effect.high]}
        if not len(frame.columns) and effect.design != "refused":
            frame = pd.DataFrame(alone)
        frame = frame.assign(series="effect")
    frame = frame.rename(columns=DRAWN).assign(kind=kind).reindex(columns=COLUMNS)
    return frame.astype(dict.fromkeys(COLUMNS[2:], float))


DRAWN = {
    "event": "x",
    "from_": "x",
    "time": "x",
    "score": "x",
    "estimate": "y",
    "mean": "y",
    "group": "series",
    "side": "series",
}


def table(effects: Sequence[Effect], *, names: Sequence[str] | None = None, lang: str = "zh") -> pd.DataFrame:
    """Set effects side by side, one a column: estimate with stars, error, interval, p, n, checks passed; all text.

    `write` makes a file of it. Stars: p below 0.1, 0.05, 0.01.

    Parameters
    ----------
    effects
        What is to be compared, in this order.
    names
        Headings, by default (1), (2), ….
    lang
        ``zh`` or ``en``.

    Raises
    ------
    ValueError
        If names are not as many as effects.

    Examples
    --------
    >>> from lyeval import effect
    >>> asked = {"outcome": "level", "unit": "firm", "time": "year"}
    >>> one = effect.did(effect.example(), treated="listed", post="after", **asked)
    >>> two = effect.event_study(effect.example(), first_treated="first", **asked)
    >>> effect.table([one, two], lang="en").loc["estimate"].to_list()
    ['0.3868***', '0.3966***']
    """
    heads = list(names) if names is not None else [f"({i})" for i in range(1, len(effects) + 1)]
    if len(heads) != len(effects):
        raise ValueError(f"names 应有 {len(effects)} 个 / {len(effects)} names are needed")
    rows = [told(f"row_{key}").text(lang) for key in ("design", "estimate", "error", "interval", "p", "n", "checks")]
    return pd.DataFrame([_column(one) for one in effects], index=heads, columns=rows).T


def docx(effects: Sequence[Effect], *, names: Sequence[str] | None = None, lang: str = "zh") -> bytes:
    """Return `table` as a Word document, each effect's sentence below.

    Examples
    --------
    >>> from lyeval import effect
    >>> one = effect.density(effect.example().query("year == 2021"), score="score", cutoff=2.0)
    >>> effect.docx([one])[:2]
    b'PK'
    """
    shown = table(effects, names=names, lang=lang)
    columns = (Column("row", " "), *(Column(f"c{i}", str(head)) for i, head in enumerate(shown.columns)))
    rows = tuple((str(name), *row) for name, row in zip(shown.index, shown.to_numpy(), strict=True))
    title = told("table").text(lang)
    blocks = (Table("effects", title, columns, rows), *(Paragraph(one.sentence(lang)) for one in effects))
    return to_docx(Document(title=title, blocks=blocks, lang="en" if lang == "en" else "zh"))


def write(effects: Sequence[Effect], path: str | Path, *, names: Sequence[str] | None = None, lang: str = "zh") -> Path:
    """Write effects side by side to a file, its kind by the name's end, and return its path.

    ``.docx``: `docx`. ``.tex``: `table` as a LaTeX tabular. ``.dta``: every row of `Effect.tidy` for Stata, with the effect's
    heading in ``effect``.

    Raises
    ------
    EffectError
        If the name ends otherwise.

    Examples
    --------
    >>> import tempfile
    >>> from lyeval import effect
    >>> one = effect.density(effect.example().query("year == 2021"), score="score", cutoff=2.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     effect.write([one], f"{folder}/table.tex", lang="en").read_text().count("density")
    1
    """
    path = Path(path)
    heads = list(table(effects, names=names, lang=lang).columns)
    if path.suffix == ".docx":
        path.write_bytes(docx(effects, names=names, lang=lang))
    elif path.suffix == ".tex":
        shown = table(effects, names=names, lang=lang)
        path.write_text(shown.to_latex(escape=True, column_format="l" + "c" * len(effects)), encoding="utf-8")
    elif path.suffix == ".dta":
        rows = [one.tidy().assign(effect=str(head)) for one, head in zip(effects, heads, strict=True)]
        pd.concat(rows, ignore_index=True).to_stata(path, version=118, write_index=False)
    else:
        raise error("bad_file", given=path.name)
    return path


def _column(one: Effect) -> list[str]:
    stars = "" if math.isnan(one.p_value) else "*" * sum(one.p_value < at for at in (0.1, 0.05, 0.01))
    passed = [c.passed for c in one.checks]
    interval = f"[{number(one.low)}, {number(one.high)}]" if math.isfinite(one.low) else "—"
    written = [number(one.estimate) + stars, f"({number(one.std_error)})", interval, number(one.p_value), str(one.n)]
    return [one.design, *written, f"{passed.count(True)}/{len(passed) - passed.count(None)}"]
