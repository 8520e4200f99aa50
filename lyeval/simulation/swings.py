"""What a target hangs on: firms near the line that may top up, and the firms that decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lyeval.simulation.outlook import Members, reaches, target_row, values
from lyeval.simulation.philox import STREAMS, code_keys, uniforms

if TYPE_CHECKING:
    from lyeval.assessment import TargetView


def scenario_rows(
    drawn: Members, responses: Sequence[tuple[float, str]], *, seed: int, band: float
) -> list[dict[str, Any]]:
    """Odds of a target if some enterprises near the line top up to it (临近标准企业入库变动情景).

    Parameters
    ----------
    responses
        Shares of the enterprises that end a draw within ``band`` below the line and then pay up to it, each with its basis.
    band
        Width of the zone below the line, as a share of it.
    """
    view = drawn.view
    if view.kind not in ("share", "count", "mean") or view.line is None or view.goal is None:
        return []
    moving = near_line(drawn, seed=seed, band=band)
    rows = []
    for fraction, basis in responses:
        result = values(drawn, topped(drawn, moving, fraction) if fraction else None)
        row = target_row(drawn, result)
        picked = {key: row[key] for key in ("id", "year", "probability", "mc_error", "p05", "p50", "p95")}
        rows.append({**picked, "response": fraction, "basis": basis})
    return rows


@dataclass(frozen=True, eq=False)
class Near:
    """Who ends a draw just below a line, for the members ``at`` (m) that ever do: shape (draws, m) each.

    Attributes
    ----------
    at
        Positions among the target's members.
    near, coin
        Within the band below the line; a uniform number that decides whether it tops up.
    need
        Tax that reaches the line, 万元.
    """

    at: np.ndarray
    near: np.ndarray
    coin: np.ndarray
    need: np.ndarray


def near_line(drawn: Members, *, seed: int, band: float) -> Near:
    """Tell who ends each draw within ``band`` (a share of the line) below it; the target must have a line."""
    view, year = drawn.view, drawn.year
    need = float(view.line or 0.0) * drawn.land * (1 + (2e-9 if view.edge_low else 0.0))
    near = (drawn.tax < need) & (drawn.tax >= (1 - band) * need) & (drawn.land > 0)
    moves = np.flatnonzero(near.any(axis=0))
    keys = code_keys(view.codes[moves])
    coin = uniforms(keys, year.draws, year=year.year, stream=STREAMS["response"], seed=seed)
    return Near(moves, near[:, moves], coin, need[:, moves])


def topped(drawn: Members, moving: Near, fraction: float) -> np.ndarray:
    """Return the members' tax, shape (draws, members), if a share of those near the line pay up to it."""
    tax, at = drawn.tax.copy(), moving.at
    tax[:, at] = np.where(moving.near & (moving.coin < fraction), moving.need, drawn.tax[:, at])
    return tax


def swing_rows(got: Members, drawn: np.ndarray, limit: int = 10) -> list[dict]:
    """Rank the enterprises on which a target hangs: its odds in the draws where one reaches the line, and where not.

    Parameters
    ----------
    drawn
        The target's statistic in each draw, shape (draws,).
    """
    from lyeval.assessment import meets

    view = got.view
    line = view.line if view.line is not None else view.goal
    if view.kind not in ("share", "count", "mean") or line is None or view.goal is None:
        return []
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = reaches(view, got.tax / got.land, line) & ~got.gone
    met = meets(view, drawn) & ~np.isnan(drawn)
    with_it, without = reach.sum(axis=0), (~reach).sum(axis=0)
    both = (np.minimum(with_it, without) >= MIN_SWING) & np.asarray(view.member)
    if not both.any() or met.all() or not met.any():
        return []
    joint = met.astype(float) @ reach
    high, low = joint / np.maximum(with_it, 1), (met.sum() - joint) / np.maximum(without, 1)
    share = with_it / len(met)
    error = np.sqrt(high * (1 - high) / np.maximum(with_it, 1) + low * (1 - low) / np.maximum(without, 1))
    clear = both & (np.abs(high - low) > 2 * error)
    weight = np.where(clear, np.abs(high - low) * np.sqrt(share * (1 - share)), -1.0)
    order = np.argsort(-weight, kind="stable")[:limit]
    return [_swing(view, i, share, high, low, error) for i in order if clear[i]]


def _swing(view: TargetView, i: int, share: Any, high: Any, low: Any, error: Any) -> dict[str, Any]:
    return {
        "id": view.id,
        "year": view.year,
        "credit_code": view.codes[i],
        "probability": float(share[i]),
        "met_if_reached": float(high[i]),
        "met_if_not": float(low[i]),
        "swing": float(high[i] - low[i]),
        "mc_error": float(error[i]),
    }


MIN_SWING = 30
SCENARIO_COLUMNS = ("id", "year", "response", "basis", "probability", "mc_error", "p05", "p50", "p95")
SWING_COLUMNS = (
    "id", "year", "credit_code", "probability", "met_if_reached", "met_if_not", "swing", "mc_error",
)  # fmt: skip
