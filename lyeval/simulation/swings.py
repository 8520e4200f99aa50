"""What a target hangs on: firms near the line that may top up, and the firms that decide it."""

from __future__ import annotations

from collections.abc import Sequence
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
    view, year = drawn.view, drawn.year
    if view.kind not in ("share", "count", "mean") or view.line is None or view.goal is None:
        return []
    need = view.line * drawn.land * (1 + (2e-9 if view.edge_low else 0.0))
    near = (drawn.tax < need) & (drawn.tax >= (1 - band) * need) & (drawn.land > 0)
    moves = np.flatnonzero(near.any(axis=0))
    keys = code_keys(view.codes[moves])
    coin = uniforms(keys, year.draws, year=year.year, stream=STREAMS["response"], seed=seed)
    topped = drawn.tax.copy()
    rows = []
    for fraction, basis in responses:
        topped[:, moves] = np.where(near[:, moves] & (coin < fraction), need[:, moves], drawn.tax[:, moves])
        result = values(drawn, topped)
        row = target_row(drawn, result)
        picked = {key: row[key] for key in ("id", "year", "probability", "mc_error", "p05", "p50", "p95")}
        rows.append({**picked, "response": fraction, "basis": basis})
    return rows


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
