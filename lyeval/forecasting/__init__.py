"""Odds of a plan's targets from annual tax and the year to date, and the record of such odds in past years."""

from lyeval.forecasting.backtesting import Backtest, backtest
from lyeval.forecasting.next_target import Odds, odds_after
from lyeval.forecasting.nowcast import Forecast, forecast
from lyeval.forecasting.sensitivity import Sensitivity, sensitivity

__all__ = ["Backtest", "Forecast", "Odds", "Sensitivity", "backtest", "forecast", "odds_after", "sensitivity"]
