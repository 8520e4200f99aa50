"""Past forecasts against what came, case by case: one score a case and model, one hit a case and interval."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import TargetView, meets, target_values
from lyeval.forecasting.baselines import pooled_logit
from lyeval.forecasting.scores import NOMINAL, brier, covered, crps, pit
from lyeval.simulation.engine import Setting
from lyeval.simulation.outlook import Year, members, probability, reaches, tax_basis, values


@dataclass(frozen=True, eq=False)
class Origin:
    """One past year forecast at one month: what was expected of each target, and what came.

    Attributes
    ----------
    year, month
        The year, and the months of it that were known.
    before, after
        Each target laid out on what was known, and on what came, by position.
    drawn
        The draws of the year.
    guesses
        Tax by baseline, 万元, shape (n,) over ``drawn.codes``.
    groups
        Township and industry of each enterprise, shape (n,).
    last
        Last year's value of each target, by position.
    given
        What the forecast was made from.
    """

    year: int
    month: int
    before: list[TargetView]
    after: list[TargetView]
    drawn: Year
    guesses: dict[str, np.ndarray]
    groups: list[np.ndarray]
    last: list[float]
    given: Setting


def as_it_was(view: TargetView) -> float:
    """Return the target's value on the figures that it was laid out on."""
    if view.kind not in ("share", "count", "mean"):
        return np.nan
    return float(target_values(view, view.tax, view.land, view.gone)[0])


@dataclass
class Records:
    """Scores and interval hits of single cases, as they come in."""

    scores: list[dict[str, Any]]
    inside: list[dict[str, Any]]
    odds: list[pd.DataFrame]

    def add(self, origin: Origin) -> None:
        """Score one origin: enterprises, the county, and its townships and industries."""
        for i, (before, after) in enumerate(zip(origin.before, origin.after, strict=True)):
            logit = _logit_odds(origin, before)
            self._enterprises(origin, before, after, logit)
            self._statistic(origin, (before, after), ("county", ""), origin.last[i], logit)
            for kind, groups in enumerate(origin.groups):
                for name in sorted({str(g) for g in groups if g}):
                    mine = [np.isin(v.codes, origin.drawn.codes[groups == name]) for v in (before, after)]
                    here = (_part(before, mine[0]), _part(after, mine[1]))
                    if min(int(v.member.sum()) for v in here) >= MIN_GROUP:
                        self._statistic(origin, here, ("group", f"{kind} {name}"), np.nan, logit[mine[0]])

    def _statistic(
        self,
        origin: Origin,
        pair: tuple[TargetView, TargetView],
        what: tuple[str, str],
        last: float,
        logit: np.ndarray,
    ) -> None:
        """Score a county's or group's statistic."""
        before, after = pair
        actual, drawn = as_it_was(after), values(members(before, origin.drawn))
        drawn = drawn[~np.isnan(drawn)]
        if np.isnan(actual) or not len(drawn):
            return
        met = bool(meets(after, np.array([actual]))[0])
        key = {"level": what[0], "id": before.id, "year": origin.year, "month": origin.month, "case": what[1]}
        p = probability(int(meets(before, drawn).sum()), len(drawn))
        self.scores.append({**key, "model": "forecast", "brier": float(brier(p, met)), "crps": crps(drawn, actual)})
        at, basis = _places(origin, before)
        guesses = {
            name: float(target_values(before, tax[at] * basis, before.land, before.gone)[0])
            for name, tax in origin.guesses.items()
        }
        guesses |= {"last_value": last, "logit": _expected(before, logit)}
        for name, guess in guesses.items():
            if not np.isnan(guess):
                told = float(brier(bool(meets(before, np.array([guess]))[0]), met))
                self.scores.append({**key, "model": name, "brier": told, "crps": abs(guess - actual)})
        hits = covered(drawn[:, None], np.array([actual]), NOMINAL)[:, 0]
        self.inside += [{**key, "nominal": n, "inside": bool(hit)} for n, hit in zip(NOMINAL, hits, strict=True)]

    def _enterprises(self, origin: Origin, before: TargetView, after: TargetView, logit: np.ndarray) -> None:
        """Score each enterprise's odds of reaching the line, and its interval of tax per mu."""
        line = before.line if before.line is not None else before.goal
        common = np.intersect1d(before.codes[before.member & ~before.gone], after.codes[~after.gone])
        i, j = np.searchsorted(before.codes, common), np.searchsorted(after.codes, common)
        actual = after.tax[j] / np.where(after.land[j] > 0, after.land[j], np.nan)
        known = ~np.isnan(actual) & (before.land[i] > 0)
        if line is None or not known.any():
            return
        i, actual = i[known], actual[known]
        at, basis = (part[i] for part in _places(origin, before))
        ratio = origin.drawn.tax[:, at] * basis / before.land[i]
        came = reaches(before, actual, line)
        key = {"level": "enterprise", "id": before.id, "year": origin.year, "month": origin.month}
        p = (reaches(before, ratio, line).sum(axis=0) + 0.5) / (len(ratio) + 1)
        odds = {"forecast": p, "logit": logit[i]}
        for name, tax in origin.guesses.items():
            guess = tax[at] * basis / before.land[i]
            odds[name] = np.where(np.isnan(guess), np.nan, reaches(before, guess, line))
        for name, told in odds.items():
            rows = zip(before.codes[i], brier(told, came), strict=True)
            self.scores += [{**key, "case": c, "model": name, "brier": float(b)} for c, b in rows if not np.isnan(b)]
        place = pit(ratio, actual, seed=origin.year * 100 + origin.month)
        columns = {"year": origin.year, "month": origin.month, "odds": p, "came": came, "place": place}
        self.odds.append(pd.DataFrame(columns))
        for nominal, hits in zip(NOMINAL, covered(ratio, actual, NOMINAL), strict=True):
            self.inside += [{**key, "nominal": nominal, "inside": bool(hit)} for hit in hits]


def _part(view: TargetView, mine: np.ndarray) -> TargetView:
    """Return a target of some of its possible members alone."""
    arrays = {name: getattr(view, name)[mine] for name in ("codes", "member", "tax", "land", "gone")}
    return replace(view, **arrays)


def _places(origin: Origin, view: TargetView) -> tuple[np.ndarray, np.ndarray]:
    """Positions of a target's members among the drawn enterprises, and their ratio of counted to reported tax."""
    at = np.searchsorted(origin.drawn.codes, view.codes)
    return at, tax_basis(view, origin.drawn.reported[at])


def _logit_odds(origin: Origin, view: TargetView) -> np.ndarray:
    """Odds by the pooled logit that each member of a target reaches the line, shape (members,), NaN unknown."""
    line = view.line if view.line is not None else view.goal
    at, basis = _places(origin, view)
    need = np.full(len(origin.drawn.codes), np.nan)
    if line is not None and line > 0:
        need[at] = np.where(view.land > 0, line * view.land / basis, np.nan)
    return pooled_logit(origin.given, need)[at]


def _expected(view: TargetView, odds: np.ndarray) -> float:
    """Return a share's or count's mean under odds of reaching the line; NaN for a mean."""
    here = view.member & ~view.gone & ~np.isnan(odds)
    if view.kind not in ("share", "count") or not here.any():
        return np.nan
    weight = (
        np.nan_to_num(view.land[here]) if view.weight == "land" and view.kind == "share" else np.ones(int(here.sum()))
    )
    part = (1 - odds[here] if view.side == "below" else odds[here]) @ weight
    return float(part if view.kind == "count" else part / weight.sum())


MIN_GROUP = 10
