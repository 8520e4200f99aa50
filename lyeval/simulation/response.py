"""How many firms just below a line topped up to it in past years: read off the heap above the line (聚束)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from lyeval.assessment import TargetView


def topped_up(past: Sequence[TargetView], band: float) -> float | None:
    """Estimate the share of firms within ``band`` below the line that paid up to it, over past years of a target.

    Parameters
    ----------
    past
        The target laid out on each past year's own facts.
    band
        Width of the zones, as a share of the line.

    Returns
    -------
    float or None
        None with fewer than `MIN_FIRMS` firms in the two zones at the line.

    Notes
    -----
    In log tax per mu over the line, the zones [−w, 0) and [0, w), with w = −log(1 − band), stand between two outer zones
    of the same width. Topping up moves firms from the first to the second and leaves their sum; without it the sum would
    be split as a straight line through the outer zones is.
    """
    width = -np.log1p(-band)
    counts = sum((_zones(view, width) for view in past), start=np.zeros(4))
    inner, outer = counts[1] + counts[2], counts[0] + counts[3]
    if inner < MIN_FIRMS or not outer:
        return None
    below = inner * (2 * counts[0] + counts[3]) / (3 * outer)
    return float(np.clip((below - counts[1]) / below, 0.0, 1.0)) if below > 0 else None


def _zones(view: TargetView, width: float) -> np.ndarray:
    """Number of members in the four zones of width w around the line, from [−2w, −w) to [w, 2w)."""
    known = view.member & ~view.gone & (view.tax > 0) & (view.land > 0)
    if view.line is None or not known.any():
        return np.zeros(4)
    distance = np.log(view.tax[known] / view.land[known] / view.line) / width + 1e-9
    return np.array([np.sum((distance >= k) & (distance < k + 1)) for k in (-2, -1, 0, 1)], dtype=float)


MIN_FIRMS = 20
