"""Scores of odds against what came: Brier, CRPS, coverage of intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def crps(draws: np.ndarray, actual: float) -> float:
    """Continuous ranked probability score of an ensemble, E|X − y| − E|X − X'| / 2 (Gneiting and Raftery 2007).

    Parameters
    ----------
    draws
        Shape (n,); without NaN.
    actual
        What came, in the same unit; the score is in that unit too, smaller is better.
    """
    x = np.sort(draws)
    n = len(x)
    spread = 2 * float(np.sum((2 * np.arange(1, n + 1) - n - 1) * x)) / n**2
    return float(np.abs(x - actual).mean()) - spread / 2


def brier(probability: np.ndarray | float, came: np.ndarray | bool) -> np.ndarray:
    """Squared distance of a probability from what came (0 or 1), shape of the inputs."""
    return (np.asarray(probability, dtype=float) - np.asarray(came, dtype=float)) ** 2


def covered(draws: np.ndarray, actual: np.ndarray, nominal: float | Sequence[float]) -> np.ndarray:
    """Tell whether the central interval of the draws, shape (draws, n), holds what came, shape (n,); (m, n) for m intervals."""
    width = np.asarray(nominal, dtype=float)
    low, high = np.quantile(draws, ((1 - width) / 2, (1 + width) / 2), axis=0)
    slack = 1e-9 * np.maximum(np.abs(actual), 1.0)
    return (actual >= low - slack) & (actual <= high + slack)


def pit(draws: np.ndarray, actual: np.ndarray, *, seed: int) -> np.ndarray:
    """Randomised probability integral transform: where in its draws, shape (draws, n), each outcome fell, shape (n,).

    Uniform on (0, 1) where the spread is right; ties (a year at zero) are placed at random among themselves.
    """
    below, level = (draws < actual).sum(axis=0), (draws == actual).sum(axis=0)
    coin = np.random.default_rng(seed).random(len(actual))
    return (below + coin * (level + 1)) / (len(draws) + 1)


NOMINAL = (0.5, 0.8, 0.95)
