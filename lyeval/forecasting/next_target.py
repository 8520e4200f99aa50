"""The target year that follows an evaluated one: which it is, its odds, and the record of such odds (下一目标年)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from lyeval.forecasting.backtesting import Backtest, backtest
from lyeval.forecasting.nowcast import Forecast, forecast
from lyeval.forecasting.sensitivity import Sensitivity, sensitivity
from lyeval.ledger import Ledger
from lyeval.policy import Policy


@dataclass(frozen=True)
class NextTarget:
    """Which target year the odds are for, and the month of knowledge; both None where no target year is left."""

    year: int | None
    as_of: str | None


def next_target(ledger: Ledger, policy: Policy, year: int, as_of: str | None = None) -> NextTarget:
    """Choose the target year that a forecast made with ``year`` is for.

    A year whose figures are final has a verdict and no odds: the next target year gets them, on what was known at the end of
    ``year``. A month within a target year asks for that year's odds.

    Parameters
    ----------
    as_of
        Month of knowledge, "YYYY-MM"; default: December of ``year`` if its annual figures are in, else as `forecast` takes it.
    """
    final = bool((ledger.annual["year"] == year).any())
    end = f"{year}-12"
    if (as_of is None and not final) or (as_of is not None and as_of < end):
        return NextTarget(year if year in policy.years.targets else None, as_of)
    later = [y for y in policy.years.targets if y > year]
    return NextTarget(min(later), as_of or end) if later else NextTarget(None, None)


@dataclass(frozen=True, eq=False)
class Odds:
    """The odds of the next target year, and the record of such odds in past years.

    Attributes
    ----------
    year
        The year that the odds are for; None: the plan has no target year left.
    forecast
        None without such a year.
    backtest
        Past years forecast on what was known at the end of the year before and, where the ledger has monthly tax, at `MONTHS`.
    """

    year: int | None
    forecast: Forecast | None
    backtest: Backtest

    @cached_property
    def sensitivity(self) -> Sensitivity | None:
        """Which assumptions move the odds; None without a forecast."""
        return None if self.forecast is None else sensitivity(self.forecast)

    @property
    def moved(self) -> pd.DataFrame:
        """How far each assumption moves the odds, as `Sensitivity.factors`; no row without a forecast."""
        return pd.DataFrame() if self.sensitivity is None else self.sensitivity.factors

    @property
    def targets(self) -> pd.DataFrame:
        """One row a target, as in `forecast`; no row without a year."""
        return self._frame("targets", TARGETS)

    @property
    def by_enterprises(self) -> pd.DataFrame:
        """The enterprises that the targets hang on, as in `forecast`."""
        return self._frame("by_enterprises", SWINGS)

    @property
    def notes(self) -> tuple[Any, ...]:
        """What was assumed or left out, of the odds and of their record."""
        return tuple(dict.fromkeys((*(self.forecast.notes if self.forecast else ()), *self.backtest.notes)))

    def _frame(self, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
        return pd.DataFrame(columns=list(columns)) if self.forecast is None else getattr(self.forecast, name)


def odds_after(
    ledger: Ledger,
    policy: Policy,
    year: int,
    *,
    as_of: str | None = None,
    plan: pd.DataFrame | None = None,
    **options: Any,
) -> Odds:
    """Give the odds of the target year that follows an evaluated one, and the record of such odds.

    Parameters
    ----------
    year
        The evaluated year; nothing after it is read.
    as_of
        Month of knowledge, "YYYY-MM"; empty or None: December of ``year``.
    plan, options
        As for `lyeval.forecast`: assumptions, readings, quotas, level, draws, seed.

    Examples
    --------
    >>> ly.odds_after(ledger, policy, 2020).year is None  # the plan sets no target after 2020
    True
    """
    ahead = next_target(ledger, policy, year, as_of or None)
    made = None
    if ahead.year is not None:
        made = forecast(ledger, policy, ahead.year, as_of=ahead.as_of, plan=plan, **options)
    past = [y for y in ledger.years[1:] if y <= year]
    kept = {name: options[name] for name in ("assumptions", "readings", "seed") if name in options}
    months = [0] if ledger.monthly.empty else MONTHS
    return Odds(ahead.year, made, backtest(ledger, policy, past, months, draws=PAST_DRAWS, **kept))


PAST_DRAWS, MONTHS = 500, (0, 3, 6, 9)
TARGETS = ("id", "label", "year", "unit", "op", "goal", "probability", "mc_error", "p05", "p50", "p95", "certain")
SWINGS = ("id", "year", "credit_code", "probability", "met_if_reached", "met_if_not", "swing")
