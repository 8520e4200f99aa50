"""What a county's ledger and plan let one ask (可检验的问题): dates, outcomes, who is compared with whom; the list, fixed beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment.targets import class_line
from lyeval.effect import Words
from lyeval.effect.estimate import told
from lyeval.indicators import RELATIVE
from lyeval.ledger import Ledger
from lyeval.panels import panel
from lyeval.policy import Policy, choose, load_policy
from lyeval.simulation.assumed import assumed
from lyeval.simulation.draws import Sampling
from lyeval.simulation.engine import setting, years_to_come
from lyeval.simulation.known import as_known, date_of

LATEST_MONTH = 9
TAILS = (0.01, 0.99)
BAND = 2.0
ON_LINE = 1e-9
UNIT: dict[str, Any] = {"unit": "credit_code", "time": "year"}


@dataclass(frozen=True, eq=False)
class Case:
    """A county under a plan, laid out for questions of cause.

    Attributes
    ----------
    frame
        Panel rows of enterprises that could be listed at the first list, with outcomes: reach (0/1: at or above the first list's
        line), level (万元/亩, the lowest and highest 1 % of the years before cut), log, and treated (on the first list), post,
        shortfall (line less score of the first list), would (whom the line would have listed a year earlier), reach_rated and
        level_rated (on the land rated for the list).
    list_year, base_year, first_year, last_year
        First list; the year of its figures; first year with at least a quarter of it after the document's date; last of the ledger.
    line
        Line of the first list, 万元/亩.
    targets
        Announced line of each target year in the ledger: year → (class, line).
    months, counties
        Monthly tax, and the counties sheet.
    """

    frame: pd.DataFrame
    policy: Policy
    list_year: int
    base_year: int
    first_year: int
    last_year: int
    line: float
    targets: Mapping[int, tuple[tuple[str, float], ...]]
    months: pd.DataFrame
    counties: pd.DataFrame

    @property
    def announced(self) -> bool:
        """Whether lines of later years were announced with the first."""
        return len(self.policy.years.targets) > 1

    @property
    def here(self) -> pd.DataFrame:
        """The rows of enterprises that have not left."""
        return self.frame[self.frame["gone"].ne(True).fillna(True).to_numpy(dtype=bool)]

    def year(self, year: int, rows: pd.DataFrame | None = None) -> pd.DataFrame:
        """Return the rows of one year."""
        frame = self.here if rows is None else rows
        return frame[frame["year"] == year]

    @property
    def near(self) -> pd.DataFrame:
        """The rows of those whose score on the first list stood between 0 and twice the line."""
        return within(self.here, self.line)

    def without(self, column: str, value: object) -> Case:
        """Return the case less one township or industry."""
        return replace(self, frame=self.frame[self.frame[column] != value])


def within(frame: pd.DataFrame, line: float) -> pd.DataFrame:
    """Return the rows of those near the line when the first list was drawn."""
    score = frame["first_score"]
    return frame[(score >= 0) & (score <= BAND * line)]


def first_year(policy: Policy) -> int:
    """Return a plan's first year: the first with at least a quarter of it after the document's date, not before its first list."""
    issued = policy.document.issued
    return max(issued.year + (issued.month > LATEST_MONTH), min(policy.years.identification))


def lay_out(
    ledger: Ledger, policy: str | Policy, *, readings: Mapping[str, str] | None = None, draws: int = 500, seed: int = 0
) -> Case:
    """Lay a county out for `study`.

    Parameters
    ----------
    draws, seed
        Of the no-policy projection, whose odds of reaching the line stand in column ``projected``.
    """
    plan = policy if isinstance(policy, Policy) else load_policy(policy)
    chosen, _ = choose(plan, readings)
    frame = panel(ledger, plan, readings=readings)
    list_year = min(chosen.years.identification)
    targets = {
        year: tuple((name, class_line(chosen, year, name)) for name in ("above", "below"))
        for year in chosen.years.targets
        if year in ledger.years
    }
    line = float(frame["first_line"].median())
    dates = (list_year, list_year - 1, first_year(chosen))
    made = _outcomes(frame, line, dates)
    made = made.merge(no_policy_odds(ledger, line, dates, (draws, seed)), on=["credit_code", "year"], how="left")
    return Case(made, chosen, *dates, max(ledger.years), line, targets, ledger.monthly, ledger.counties)


def _outcomes(frame: pd.DataFrame, line: float, dates: tuple[int, int, int]) -> pd.DataFrame:
    _, base, first = dates
    could = frame["first_ratable"].eq(True).fillna(False).to_numpy(dtype=bool)
    known = could & frame["tax_per_mu"].notna().to_numpy() & frame["first_score"].notna().to_numpy()
    out = frame[known].copy()
    out["listed_word"] = out["first_list"]
    out["treated"] = out["first_list"].eq(True).fillna(False).astype(float)
    out["post"] = (out["year"] >= first).astype(float)
    out["shortfall"] = out["first_line"] - out["first_score"]
    ratio, rated = out["tax_per_mu"], out["tax_wan"] / out["rated_land_mu"]
    early = ratio[out["year"] < first]
    low, high = early.quantile(list(TAILS)) if len(early) else (ratio.min(), ratio.max())
    for name, values in (("", ratio), ("_rated", rated)):
        out[f"reach{name}"] = (values >= line * (1 - RELATIVE)).astype(float).where(values.notna())
        out[f"level{name}"] = values.clip(low, high)
        out[f"log{name}"] = np.log(values.where(values > 0))
    before = out[out["year"] == base - 1].set_index("credit_code")["tax_per_mu"]
    out["would"] = (out["credit_code"].map(before) < line * (1 - RELATIVE)).astype(float)
    start = out["first_listed"].astype("Float64").astype(float)
    out["start"] = start.where(start.isna() | (start != dates[0]), float(first))
    return out.drop(columns="listed_word")


def no_policy_odds(
    ledger: Ledger, line: float | np.ndarray, dates: tuple[int, int, int], drawn: tuple[int, int]
) -> pd.DataFrame:
    """Return the no-policy odds of standing at or above a line in the years from the first on, known at the base year's end.

    Parameters
    ----------
    line
        万元/亩, for all or for each enterprise in order of credit code.
    dates
        Year of the first list, year of its figures, first year asked for.
    drawn
        Number of draws and their seed.

    Returns
    -------
    DataFrame
        credit_code, year, projected; no row where the ledger has nothing to project from.
    """
    _, base, first = dates
    empty = pd.DataFrame({"credit_code": [], "year": [], "projected": []}).astype({"credit_code": str, "year": int})
    years = [y for y in ledger.years if first <= y <= base + 5]
    if base not in ledger.years or not years:
        return empty
    date = date_of(f"{base}-12", first, ledger)
    known = as_known(ledger, date)
    nothing = pd.DataFrame({"credit_code": [], "method": []})
    given = setting(known, date, nothing, assumed("default"), Sampling(*drawn))
    land = given.panel.land[:, -1]
    parts = []
    for year in years_to_come(given, max(years)):
        if year.year in years:
            reach = (year.tax / np.where(land > 0, land, np.nan) >= line * (1 - RELATIVE)).mean(axis=0)
            odds = np.where(land > 0, reach, np.nan)
            parts.append(pd.DataFrame({"credit_code": year.codes, "year": year.year, "projected": odds}))
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True)
class Specification:
    """One question fixed beforehand.

    Attributes
    ----------
    id, design, outcome
        Its name; the design; reach, level, log, tax, share or count.
    family
        Those tested together, for Holm's correction.
    """

    id: str
    design: str
    outcome: str
    family: str


def target_of(one: Specification, case: Case) -> tuple[int, str, float]:
    """Return year, class and line of a target; class "" where both classes have one line."""
    year, name = int(one.id.split("@")[1][:4]), one.id.split("@")[1][5:]
    return year, name, dict(case.targets[year])[name or "above"]


def estimand(one: Specification, case: Case) -> Words:
    """Say in words what a specification asks of this county."""
    key = one.id.split("@")[0]
    given: dict[str, Any] = {
        "line": f"{case.line:g}",
        "first": case.first_year,
        "base": case.base_year,
        "list": case.list_year,
    }
    if one.outcome in OUTCOMES:
        given["outcome"] = told(f"outcome_{one.outcome}", line=given["line"])
    if "@" in one.id:
        year, name, at = target_of(one, case)
        given |= {"year": year, "at": f"{at:g}", "group": told(f"class_{name}") if name else Words("", "")}
    return told(f"asks_{key if key in OWN_WORDS else one.design}", **given)


def listing(case: Case) -> list[Specification]:
    """Return every specification of a plan, in a fixed order, whatever the data hold."""
    out = [Specification(*row) for row in FIXED]
    for year in sorted(case.policy.years.targets):
        lines = dict(case.targets.get(year, ()))
        names = ("",) if len(set(lines.values())) < 2 else ("above", "below")
        for name in names if lines else ():
            at = f"{year}-{name}" if name else f"{year}"
            out.append(Specification(f"bunching@{at}", "bunching", "count", "bunching"))
            out.append(Specification(f"density_target@{at}", "density", "count", "density"))
    return out


FIXED = (
    ("rd_reach", "rdd", "reach", "rd"),
    ("rd_level", "rdd", "level", "rd"),
    ("rd_log", "rdd", "log", "rd"),
    ("density_score", "density", "score", "density"),
    ("did_reach", "did", "reach", "did"),
    ("did_level", "did", "level", "did"),
    ("did_log", "did", "log", "did"),
    ("poisson_tax", "poisson", "tax", "did"),
    ("event_reach", "event_study", "reach", "event"),
    ("event_level", "event_study", "level", "event"),
    ("gap_reach", "forecast_gap", "reach", "gap"),
    ("gap_level", "forecast_gap", "level", "gap"),
    ("timing", "timing", "share", "timing"),
    ("synthetic", "synthetic", "level", "synthetic"),
    ("rd_target", "rd_target", "reach", ""),
    ("not_yet", "not_yet", "reach", ""),
    ("before_after", "before_after", "reach", ""),
)
OUTCOMES = ("reach", "level", "log")
OWN_WORDS = ("density_target", "density_score", "rd_target", "not_yet", "before_after")
