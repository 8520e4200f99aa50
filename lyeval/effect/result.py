"""What a question of cause hands back (效应): an estimate, its checks, and the one sentence that may be said of it."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

Z_95 = 1.959963984540054
MDE_80 = Z_95 + 0.8416212335729143
"""Smallest effect found in 80 of 100 samples by a two-sided 5 % test, in standard errors."""


class EffectError(ValueError):
    """An effect cannot be estimated; the message says why and what to do (zh / en)."""


@dataclass(frozen=True)
class Words:
    """One text in Chinese and English; ``str()`` is the Chinese."""

    zh: str
    en: str

    def text(self, lang: str = "zh") -> str:
        """Return the text in one language."""
        return self.en if lang == "en" else self.zh

    def __str__(self) -> str:
        return self.zh


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
        In the outcome's unit; ``low`` and ``high`` bound the 95 % interval. NaN where the design gives none; ``details``
        then says why.
    n
        Rows (or units, for panels of units) that were used.
    details
        Figures and tables that belong to the design.
    checks
        Tests of what it rests on.
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
            return f"{self.estimand.text(lang)}{_colon(lang)}{self.details['reason'].text(lang)}"
        said = self.details["said"].text(lang) if "said" in self.details else ""
        told = (_claim(self, lang), _checked(self.checks, lang), _dropped(self.details, lang))
        parts = [_figures(self, lang), said, *told]
        return (" " if lang == "en" else "").join(part for part in parts if part)

    def tidy(self) -> pd.DataFrame:
        """Return the estimate, the parts that ``details['parts']`` lists, and the checks, one a row.

        Columns: kind (effect, part, check), name, estimate, std_error, p_value, low, high, n, passed, note, note_en.
        """
        rows: list[dict[str, Any]] = [
            {
                "kind": "effect",
                "name": self.design,
                **_numbers(self),
                "note": self.sentence(),
                "note_en": self.sentence("en"),
            }
        ]
        rows += [{"kind": "part", **part} for part in self.details.get("parts", ())]
        rows += [
            {
                "kind": "check",
                "name": c.name,
                "estimate": c.value,
                "passed": c.passed,
                "note": c.note_zh,
                "note_en": c.note_en,
            }
            for c in self.checks
        ]
        table = pd.DataFrame(rows).reindex(columns=list(TIDY))
        return table.assign(passed=pd.Series([row.get("passed") for row in rows], dtype=object))

    def __repr__(self) -> str:
        head = f"<Effect {self.design} {number(self.estimate)} [{number(self.low)}, {number(self.high)}]"
        lines = [f"{head} se {number(self.std_error)} p {number(self.p_value)} n {self.n}>", f"  {self.estimand.en}"]
        lines += [f"  {name}: {number(value)}" for name, value in self.details.items() if _scalar(value)]
        lines += [f"  {MARK_EN[c.passed]} {c.name}: {c.note_en}" for c in self.checks]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{MARK_ZH[c.passed]} {html.escape(c.note_zh)}</li>" for c in self.checks)
        return f"<p>{html.escape(self.sentence())}</p><ul>{items}</ul>"


def refuse(design: str, estimand: Words, reason: Words) -> Effect:
    """Return a result that says why there is none, e.g. a discontinuity at a target announced beforehand.

    All figures are NaN; ``design`` is ``refused`` and ``details`` names the design asked for and the reason.
    """
    nan = math.nan
    asked = {"asked": design, "reason": reason}
    return Effect("refused", estimand, nan, nan, nan, nan, nan, 0, asked)


def normal(estimate: float, std_error: float) -> tuple[float, float, float]:
    """Return p-value, low and high of a 95 % interval under the normal law."""
    p_value = math.erfc(abs(estimate / std_error) / math.sqrt(2)) if std_error > 0 else math.nan
    return p_value, estimate - Z_95 * std_error, estimate + Z_95 * std_error


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Return p-values adjusted for their number (Holm 1979); NaN stays NaN and does not count."""
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


def _scalar(value: Any) -> bool:
    return isinstance(value, int | float | str | np.floating) and not isinstance(value, bool)


def _numbers(effect: Effect) -> dict[str, Any]:
    return {name: getattr(effect, name) for name in ("estimate", "std_error", "p_value", "low", "high", "n")}


def _colon(lang: str) -> str:
    return ": " if lang == "en" else "："


def _figures(effect: Effect, lang: str) -> str:
    what, value = effect.estimand.text(lang), number(effect.estimate)
    if not math.isfinite(effect.low):
        return (
            f"{what}: estimate {value} (n = {effect.n})."
            if lang == "en"
            else f"{what}：估计为 {value}（n = {effect.n}）。"
        )
    low, high = number(effect.low), number(effect.high)
    if lang == "en":
        return f"{what}: estimate {value}, 95 % interval {low} to {high} (n = {effect.n})."
    return f"{what}：估计为 {value}，95% 区间 {low} 至 {high}（n = {effect.n}）。"


def _claim(effect: Effect, lang: str) -> str:
    key = _verdict(effect)
    text = CLAIMS[key].text(lang)
    return text.format(mde=number(effect.minimum_detectable), p=chance(effect.p_value))


def _verdict(effect: Effect) -> str:
    if any(check.passed is False for check in effect.checks):
        return "failed"
    if math.isnan(effect.p_value):
        return "untested"
    if effect.low <= 0 <= effect.high:
        return "smooth" if effect.design == "density" else "short"
    if effect.p_value >= 0.05:
        return "rank"
    return "found" if all(check.passed for check in effect.checks) else "found_unchecked"


def _checked(checks: Sequence[Check], lang: str) -> str:
    failed = [c.text(lang) for c in checks if c.passed is False]
    open_ = sum(c.passed is None for c in checks)
    if lang == "en":
        said = f"Failed: {'; '.join(failed)}." if failed else ""
        return " ".join(s for s in (said, f"{open_} check(s) could not be made." if open_ else "") if s)
    said = f"未通过：{'；'.join(failed)}。" if failed else ""
    return said + (f"有 {open_} 项检验无法进行。" if open_ else "")


def _dropped(details: Mapping[str, Any], lang: str) -> str:
    count = details.get("dropped", 0)
    if not count:
        return ""
    return f"{count} row(s) with missing values left out." if lang == "en" else f"缺值未计入 {count} 行。"


CLAIMS = {
    "failed": Words(
        "所依据的检验未全部通过，不能据此认定为政策影响。",
        "A check it rests on failed: this is no evidence of a policy effect.",
    ),
    "untested": Words("不作显著性判断。", "No significance is claimed."),
    "short": Words(
        "未达到可判定的精度：区间含零，以本样本能检出的最小影响约为 {mde}（功效 80%）；不能据此说没有影响。",
        "Short of a verdict: the interval holds zero; the smallest effect this sample would find is about {mde} (power 80 %); "
        "this does not say that there is none.",
    ),
    "smooth": Words(
        "未见断裂；以本样本能检出的最小对数比约为 {mde}（功效 80%）。",
        "No break is seen; the smallest log ratio this sample would find is about {mde} (power 80 %).",
    ),
    "rank": Words(
        "未达到可判定的精度（{p}）；不能据此说没有影响。",
        "Short of a verdict ({p}); this does not say that there is none.",
    ),
    "found": Words("在该方法的假定下，区间不含零。", "Under the design's assumptions the interval excludes zero."),
    "found_unchecked": Words(
        "在该方法的假定下，区间不含零，但假定未全部得到检验。",
        "Under the design's assumptions the interval excludes zero; not all of them could be checked.",
    ),
}
MARK_EN = {True: "pass", False: "FAIL", None: "open"}
MARK_ZH = {True: "通过", False: "未通过", None: "无法进行"}
TIDY = ("kind", "name", "estimate", "std_error", "p_value", "low", "high", "n", "passed", "note", "note_en")
