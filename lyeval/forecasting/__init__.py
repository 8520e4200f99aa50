"""Odds of a plan's targets from annual tax and the year to date, and the record of such odds in past years."""

from lyeval.forecasting.backtesting import Backtest, backtest
from lyeval.forecasting.moving import Sensitivity, sensitivity
from lyeval.forecasting.nowcast import Forecast, forecast

__all__ = ["Backtest", "Forecast", "Sensitivity", "backtest", "forecast", "sensitivity"]
