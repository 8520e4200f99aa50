"""Bunching (聚集): how many more units stand at a line than a smooth distribution would put there, and its checks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.effect.clusters import FEW, recoded
from lyeval.effect.estimate import Check, Effect, EffectError, check, error, holm, normal, student, told, within
from lyeval.effect.frames import columns, flag, of_cluster, varies

DRAWS, ROUNDS, STEPS = 400, 60, 50
RIDGE = 1e-6
LEAST, SIDE, GAP = 100, 3, 3
"""Units within reach; bins to fit the curve on either side; empty bins in a row at which the reach ends."""
Again = Callable[[np.ndarray, int], np.ndarray]
"""How counts are drawn again: from the bin of every row (−1 outside) and the number of bins to shape (draws, bins)."""


@dataclass(frozen=True)
class Bins:
    """How scores are counted around a line.

    Attributes
    ----------
    width
        Of a bin, in the score's unit; None: a twentieth of the line.
    reach
        Bins counted on each side of the line, at most: counting ends where three bins in a row are empty.
    below, above
        Bins next to the line that the smooth curve does not see: those that units leave, and those they move to.
    degree
        Of the polynomial.
    seed
        Of the bootstrap.
    log
        Whether the polynomial is of the log count, fitted by Poisson's likelihood, so that no count is below zero and thin
        tails are followed; else of the count itself by least squares, as in the source (degree 7 there).
    """

    width: float | None = None
    reach: int = 15
    below: int = 4
    above: int = 2
    degree: int = 5
    seed: int = 0
    log: bool = True


@dataclass(frozen=True, eq=False)
class Bunch:
    """Excess at one line in smooth bins and its draws; units over, missing and over less missing uncorrected; counts
    (from_, observed, smooth, part); n.
    """

    estimate: float
    draws: np.ndarray
    excess: float
    missing: float
    balance: float
    balance_se: float
    counts: pd.DataFrame
    n: int

    @property
    def std_error(self) -> float:
        """Standard deviation of the draws."""
        return float(np.std(self.draws, ddof=1))


def bunching(
    frame: pd.DataFrame,
    *,
    score: str,
    threshold: float,
    before: str | None = None,
    lines: Sequence[float] = (),
    unit: str | None = None,
    bins: Bins | None = None,
    cluster: str | None = None,
    level: float = 0.95,
) -> Effect:
    """Measure bunching at an announced line (聚集分析).

    Bins are counted up to the line's edges; a polynomial is fitted to those outside a window around it; the excess is
    b = Σ_above (observed − smooth) / mean smooth count there. Those who moved up must be missing below: what the window does
    not show missing is given back to the bins below it in proportion, and the curve fitted again, until it is all accounted
    for (integration correction of Chetty, Friedman, Olsen, Pistaferri 2011, *Quarterly Journal of Economics* 126, 749–804,
    mirrored: here units come from below).

    Parameters
    ----------
    frame
        One row per unit (and year).
    score
        Numeric column, e.g. 万元/亩.
    threshold
        The line; a score exactly on it counts as above.
    before
        Column 0/1 of rows from before the line was announced. Then ``estimate`` is the difference in b, after less before.
    lines
        Lines that are nobody's target; the same is measured there.
    unit, cluster
        Column of enterprises that have several rows, or of groups that share shocks: the bootstrap (400 draws) takes each
        with all its rows; with fewer than 30 Student's law. None: rows are drawn for themselves, or by ``credit_code`` where
        it repeats.
    bins
        Widths, windows and the bootstrap's seed.
    level
        Of the interval.

    Returns
    -------
    Effect
        ``details``: after, before (b of either), excess, missing (units), share_moved (of those that the smooth curve puts
        in the window below), bin_width, counts (frame), lines (frame), specifications (frame), dropped.
        Checks: before, placebo_lines, specifications, mass_balance.

    Examples
    --------
    >>> from lyeval import effect
    >>> found = effect.bunching(effect.example(), score="level", threshold=2.0, cluster="firm")
    >>> found.low < 0 < found.high
    True
    """
    by = of_cluster(frame, cluster or unit)
    data = columns(frame, [score, *([before] if before else [])], [by] if by else [])
    varies(data[score], score)
    early = flag(data[before], before) if before else np.zeros(len(data), dtype=bool)
    plan = _plan(bins or Bins(), threshold)
    again = _draws(data[by] if by else None, (~early, early), plan.seed)
    rows = Rows(data[score][~early], data[score][early], again)
    late, first = rows.at(threshold, plan)
    estimate, draws = over(late, first)
    se, (p_value, low, high) = _inferred(estimate, draws, len(np.unique(data[by])) if by else None, level)
    placebo = _lines(rows, plan, threshold, lines)
    tried = _specifications(rows, threshold, plan)
    below = float(late.counts.loc[late.counts["part"] == "below", "smooth"].sum())
    details: dict[str, Any] = {
        "after": late.estimate,
        "before": first.estimate if first else math.nan,
        "excess": late.excess,
        "missing": late.missing,
        "share_moved": late.excess / below if below > 0 else math.nan,
        "bin_width": plan.width,
        "counts": late.counts,
        "lines": placebo,
        "specifications": tried,
        "dropped": data.dropped,
    }
    checks = (_before(first), _placebo(placebo), _stable(tried, estimate, se), _balance(late))
    n = late.n + (first.n if first else 0)
    estimand = told("bunching_over" if before else "bunching", score=score, line=f"{threshold:g}")
    return Effect("bunching", estimand, estimate, se, p_value, low, high, n, details, checks, level)


def _plan(bins: Bins, threshold: float) -> Bins:
    width = bins.width if bins.width is not None else threshold / 20
    if not width > 0 or bins.above < 1 or bins.below < 0 or bins.reach <= bins.below + bins.above or bins.degree < 1:
        raise error("bad_bins")
    return replace(bins, width=float(width))


def over(late: Bunch, first: Bunch | None) -> tuple[float, np.ndarray]:
    """Return what is printed, the excess after less that before, and its draws."""
    if first is None:
        return late.estimate, late.draws
    return late.estimate - first.estimate, late.draws - first.draws


def _inferred(
    estimate: float, draws: np.ndarray, clusters: int | None, level: float
) -> tuple[float, tuple[float, float, float]]:
    """Return the error and p, low, high: normal, or Student's law for few clusters, which share the bootstrap's bias."""
    se = float(np.std(draws, ddof=1))
    if clusters is None or clusters >= FEW:
        return se, normal(estimate, se, level)
    se *= math.sqrt(clusters / (clusters - 1)) if clusters > 1 else math.nan
    return se, student(estimate, se, clusters - 1, level)


def rows_again(seed: int) -> Again:
    """Draw rows anew, each for itself."""

    def draw(place: np.ndarray, bins: int) -> np.ndarray:
        counts = np.bincount(place[place >= 0], minlength=bins)
        n = int(counts.sum())
        return np.random.default_rng(seed).multinomial(n, counts / n, size=DRAWS).astype(float)

    return draw


def _draws(codes: np.ndarray | None, rows: Sequence[np.ndarray], seed: int) -> list[Again]:
    """Return how each part's rows are drawn again: apart, or by units that keep their draws in both parts."""
    if codes is None:
        return [rows_again(seed + i) for i in range(len(rows))]
    codes = recoded(codes)
    units = int(codes.max()) + 1
    weights = np.random.default_rng(seed).multinomial(units, np.full(units, 1 / units), size=DRAWS).astype(float)

    def by_units(own: np.ndarray) -> Again:
        def draw(place: np.ndarray, bins: int) -> np.ndarray:
            inside = place >= 0
            return np.array([np.bincount(place[inside], weights=w[own[inside]], minlength=bins) for w in weights])

        return draw

    return [by_units(codes[part]) for part in rows]


@dataclass(frozen=True, eq=False)
class Rows:
    """Scores after the announcement and before it (none, where all are after), and how either are drawn again."""

    after: np.ndarray
    before: np.ndarray
    again: Sequence[Again]

    def at(
        self, line: float, plan: Bins, others: Sequence[float] = (), *, drawn: bool = True
    ) -> tuple[Bunch, Bunch | None]:
        """Return the excess at a line in the rows after, and in those before where there are any."""
        draw = self.again if drawn else (None, None)
        late = bunch(self.after, line, plan, others, draw[0])
        return late, bunch(self.before, line, plan, others, draw[1]) if len(self.before) else None


def bunch(x: np.ndarray, line: float, plan: Bins, others: Sequence[float] = (), again: Again | None = None) -> Bunch:
    """Measure the excess at one line; the windows of others are kept out of the fit. Without ``again`` nothing is
    drawn.
    """
    width = plan.width or 1.0
    place, left, right = _placed(x, line, plan)
    counts = np.bincount(place[place >= 0], minlength=left + right).astype(float)
    centre = np.arange(-left, right) + 0.5
    part = np.where((centre < 0) & (centre > -plan.below), -1, np.where((centre > 0) & (centre < plan.above), 1, 0))
    used = part == 0
    for other in ((one - line) / width for one in others):
        used &= ~((centre - other > -plan.below) & (centre - other < plan.above))
    if used.sum() < 2 * (plan.degree + 1) or min((used & (centre < 0)).sum(), (used & (centre > 0)).sum()) < SIDE:
        raise error("few_bins", n=int(used.sum()), width=width)
    curve = Curve(np.polynomial.legendre.legvander(centre / max(left, right), plan.degree), used, plan.log)
    value, smooth, plain = _excess(counts[None, :], curve, part)
    draws, moved = np.empty(0), np.array([math.nan])
    if again is not None:
        draws, _, moved = _excess(again(place, len(counts)), curve, part)
    names = np.array(["below", "", "above"])[part + 1]
    shown = {"from_": line + (centre - 0.5) * width, "observed": counts, "smooth": smooth[0], "part": names}
    over = counts - smooth[0]
    spread = float(np.std(moved, ddof=1)) if len(moved) > 1 else math.nan
    excess, missing = float(over[part == 1].sum()), float(-over[part == -1].sum())
    return Bunch(
        float(value[0]), draws, excess, missing, float(plain[0]), spread, pd.DataFrame(shown), int(counts.sum())
    )


def _placed(x: np.ndarray, line: float, plan: Bins) -> tuple[np.ndarray, int, int]:
    """Return each row's bin, −1 outside, and the bins counted left and right; a score on an edge counts above it.

    Counting ends on either side where `GAP` bins in a row are empty: no curve can be fitted to nobody.
    """
    width, reach = plan.width or 1.0, plan.reach
    place = np.floor(np.round((x - line) / width, 9)).astype(int)
    inside = (place >= -reach) & (place < reach)
    counts = np.bincount(place[inside] + reach, minlength=2 * reach)
    left, right = _occupied(counts[:reach][::-1]), _occupied(counts[reach:])
    inside = (place >= -left) & (place < right)
    if inside.sum() < LEAST:
        raise error(
            "few_within", line=f"{line:g}", reach=f"{max(left, right) * width:g}", n=int(inside.sum()), least=LEAST
        )
    return np.where(inside, place + left, -1), left, right


def _occupied(counts: np.ndarray) -> int:
    """Return how many bins come before `GAP` empty ones in a row, or before the last empty ones."""
    run = 0
    for i, count in enumerate(counts):
        run = run + 1 if count == 0 else 0
        if run == GAP:
            return i + 1 - GAP
    return len(counts) - run


@dataclass(frozen=True, eq=False)
class Curve:
    """A smooth curve through the bins used: basis of shape (bins, k), which bins, and whether of log counts."""

    basis: np.ndarray
    used: np.ndarray
    log: bool

    def fit(self, counts: np.ndarray, start: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return smooth counts of all bins and coefficients, shapes (draws, bins) and (draws, k)."""
        x, y = self.basis[self.used], counts[:, self.used]
        if not self.log:
            beta = y @ np.linalg.pinv(x).T
            return beta @ self.basis.T, beta
        beta = np.log(y + 0.5) @ np.linalg.pinv(x).T if start is None else start
        k = x.shape[1]
        squares = (x[:, :, None] * x[:, None, :]).reshape(len(x), k * k)
        for _ in range(STEPS):
            mean = np.exp(np.clip(beta @ x.T, -20, 20))
            gram = (mean @ squares).reshape(-1, k, k) + RIDGE * np.eye(k)
            step = np.linalg.solve(gram, ((y - mean) @ x - RIDGE * beta)[:, :, None])[:, :, 0]
            beta = beta + np.clip(step, -2, 2)
            if np.abs(step).max() < 1e-9:
                break
        return np.exp(np.clip(beta @ self.basis.T, -20, 20)), beta


def _excess(counts: np.ndarray, curve: Curve, part: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return b and the smooth counts after the integration correction, and the net excess before it.

    Shapes (draws,), (draws, bins), (draws,).
    """
    donors = curve.used & (np.arange(len(part)) < int(np.argmax(part != 0)))
    total = np.maximum(counts[:, donors].sum(axis=1), 1.0)
    smooth, beta = curve.fit(counts)
    window = part != 0
    plain = (counts - smooth)[:, window].sum(axis=1)
    given = np.zeros(len(counts))
    for _ in range(ROUNDS):
        owed = np.clip((counts - smooth)[:, window].sum(axis=1), 0.0, total)
        if np.abs(owed - given).max() < 1e-7 * total.max():
            break
        given = owed
        smooth, beta = curve.fit(counts * (1 + np.outer(given / total, donors)), beta)
    above = part == 1
    height = np.maximum(smooth[:, above].mean(axis=1), 1e-9)
    return (counts - smooth)[:, above].sum(axis=1) / height, smooth, plain


def _lines(rows: Rows, plan: Bins, threshold: float, lines: Sequence[float]) -> pd.DataFrame:
    """Measure the same at lines that are no target, the target's window kept out of the fit."""
    found = []
    for line in lines:
        try:
            late, first = rows.at(line, plan, (threshold,))
        except EffectError:
            continue
        estimate, draws = over(late, first)
        se = float(np.std(draws, ddof=1))
        found.append((line, estimate, se, *normal(estimate, se), late.n + (first.n if first else 0)))
    return pd.DataFrame(found, columns=["line", "estimate", "std_error", "p_value", "low", "high", "n"])


def _specifications(rows: Rows, line: float, plan: Bins) -> pd.DataFrame:
    """Return b as printed with one degree less or more, one bin less or more below, and least squares of degree 7."""
    changes: list[dict[str, Any]] = [{"degree": plan.degree - 1}, {"degree": plan.degree + 1}]
    changes += [{"below": plan.below - 1}, {"below": plan.below + 1}, {"degree": 7, "log": not plan.log}]
    found = []
    for other in (replace(plan, **change) for change in changes):
        if other.degree < 1 or other.below < 0:
            continue
        try:
            estimate, _ = over(*rows.at(line, other, drawn=False))
        except EffectError:
            continue
        found.append((other.degree, other.below, other.above, other.log, estimate))
    return pd.DataFrame(found, columns=["degree", "below", "above", "log", "estimate"])


def _before(first: Bunch | None) -> Check:
    if first is None:
        return check("before", None, None, "no_before")
    p = normal(first.estimate, first.std_error)[0]
    return check("before", p >= 0.05, p, value=first.estimate, p=p)


def _placebo(table: pd.DataFrame) -> Check:
    if table.empty:
        return check("placebo_lines", None, None, "no_lines")
    p = float(holm(table["p_value"].to_list()).min())
    return check("placebo_lines", p >= 0.05, p, at="、".join(f"{line:g}" for line in table["line"]), p=p)


def _stable(table: pd.DataFrame, estimate: float, se: float) -> Check:
    if table.empty:
        return check("specifications", None, None, "no_specifications")
    _, low, high = normal(estimate, se)
    return within((estimate, low, high), table["estimate"].to_list(), "specifications")


def _balance(late: Bunch) -> Check:
    """Before any correction the excess should equal what is missing just below; open, not failed, where it does not."""
    z = late.balance / late.balance_se if late.balance_se > 0 else math.nan
    return check("mass_balance", True if abs(z) < 1.96 else None, late.balance, n=late.balance, z=z)
