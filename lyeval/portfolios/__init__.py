"""Which plan: lawful methods for whom, every plan a lookup in one tensor of draws, the strongest and the cheapest, what they hang on."""

from lyeval.portfolios.beside import SideBySide, side_by_side
from lyeval.portfolios.seeking import Ceiling, Portfolio, portfolio

__all__ = ["Ceiling", "Portfolio", "SideBySide", "portfolio", "side_by_side"]
