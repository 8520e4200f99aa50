"""Monte Carlo draws of the years to come (情景模拟): tax as projected, disposals as planned, odds of each target."""

from lyeval.simulation.projection import Simulation, compare_scenarios, simulate

__all__ = ["Simulation", "compare_scenarios", "simulate"]
