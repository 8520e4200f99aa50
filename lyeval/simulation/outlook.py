"""From draws of each enterprise's year to the odds of each target: the tables that simulations and forecasts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lyeval.simulation.notes import note

if TYPE_CHECKING:
    from lyeval.assessment import TargetView


@dataclass(frozen=True, eq=False)
class Year:
    """Draws of one year, enterprises in the order of ``codes``.

    Attributes
    ----------
    year
        Calendar year.
    codes
        Credit codes, shape (n,), sorted.
    tax, kept
        Tax (万元), and the share of its land that an enterprise still holds at the year's end, shape (draws, n).
    reported
        Tax of the latest year that is known, 万元, shape (n,).
    gone, closed, banked
        Closed or otherwise gone by the year's end; closed, or banked whole (整体收储), within the year. Boolean, (draws, n).
    demolished
        Floor area demolished in the rest of the year, m², shape (draws, n).
    released
        Land of a gone enterprise has been released. Boolean, shape (draws, n).
    floor, ceiling
        Least and most tax that the books leave possible, 万元, shape (n,); infinite where nothing is settled.
    in_progress
        Has a disposal in progress, shape (n,).
    final
        The books of the year are complete.
    drawn
        Number of draws where the arrays do not hold them one by one; 0: they do.
    """

    year: int
    codes: np.ndarray
    tax: np.ndarray
    kept: np.ndarray
    reported: np.ndarray
    gone: np.ndarray
    closed: np.ndarray
    banked: np.ndarray
    demolished: np.ndarray
    released: np.ndarray
    floor: np.ndarray
    ceiling: np.ndarray
    in_progress: np.ndarray
    final: bool

    drawn: int = 0

    @property
    def draws(self) -> int:
        """Number of draws."""
        return self.drawn or len(self.tax)


@dataclass(frozen=True, eq=False)
class Members:
    """The draws of a target's possible members, columns in the order of ``view.codes``; shapes as in `Year`.

    Attributes
    ----------
    view, year
        The target, and the draws of all enterprises.
    tax, land, gone, released
        Tax (万元) and land (亩) as the target's reading counts them, and who is gone with or without the land.
    """

    view: TargetView
    year: Year
    tax: np.ndarray
    land: np.ndarray
    gone: np.ndarray
    released: np.ndarray


def members(view: TargetView, year: Year) -> Members:
    """Pick a target's members out of a year's draws, with the tax basis and land that the target's reading takes.

    A reading that counts tax or land otherwise shows in the view's figures of the facts' year: the draws are held to
    the same ratio.
    """
    at = np.searchsorted(year.codes, view.codes)
    return Members(
        view,
        year,
        tax=year.tax[:, at] * tax_basis(view, year.reported[at]),
        land=year.kept[:, at] * view.land,
        gone=year.gone[:, at] | view.gone,
        released=year.released[:, at],
    )


def tax_basis(view: TargetView, reported: np.ndarray) -> np.ndarray:
    """Ratio of tax as counted to tax as reported in the facts' year, shape (members,); 1 where either is not positive."""
    usable = (view.tax > 0) & (reported > 0)
    return np.where(usable, view.tax / np.where(usable, reported, 1.0), 1.0)


def values(drawn: Members, tax: np.ndarray | None = None) -> np.ndarray:
    """Return the target's statistic in each draw, shape (draws,); NaN where nobody is left to count.

    Parameters
    ----------
    tax
        Members' tax where it is not the drawn one, shape (draws, members).
    """
    from lyeval.assessment import target_values

    view, year = drawn.view, drawn.year
    if view.kind == "closed":
        at = np.searchsorted(year.codes, view.codes)
        counted = year.closed[:, at] | (year.banked[:, at] & banked_count(view))
        return view.base + (counted & view.member).sum(axis=1)
    if view.kind == "demolished":
        return view.base + year.demolished.sum(axis=1)
    if view.kind == "blocks":
        return np.full(year.draws, float(view.base))
    return target_values(view, drawn.tax if tax is None else tax, drawn.land, drawn.gone, drawn.released)


def banked_count(view: TargetView) -> bool:
    """Tell whether a site banked whole counts among the closures."""
    return any(word in view.outcomes for word in BANKED)


def probability(hits: int, draws: int) -> float:
    """Share of draws, held off 0 and 1 by half a draw: (hits + 1/2) / (draws + 1)."""
    return (hits + 0.5) / (draws + 1)


def mc_error(p: float, draws: int) -> float:
    """Monte Carlo standard error of a probability, sqrt(p (1 − p) / n)."""
    return float(np.sqrt(p * (1 - p) / draws))


def target_row(picked: Members, drawn: np.ndarray) -> dict[str, Any]:
    """Summarise a target's draws: its odds, the 5, 50 and 95 % points, what is certain, and who is still open.

    Parameters
    ----------
    drawn
        The target's statistic in each draw, shape (draws,).
    """
    return summary(picked.view, picked.year, drawn, split(picked))


def summary(view: TargetView, year: Year, drawn: np.ndarray, parts: dict[str, int | None]) -> dict[str, Any]:
    """Lay a target's row out: its draws, and its members as `split` counts them."""
    known = drawn[~np.isnan(drawn)]
    row: dict[str, Any] = {
        "id": view.id,
        "year": view.year,
        "label": view.label,
        "unit": view.unit,
        "op": view.op,
        "goal": view.goal,
        "probability": None,
        "mc_error": None,
        "p05": None,
        "p50": None,
        "p95": None,
        "certain": None,
        "members": int(np.sum(view.member)),
        "unknown": int(view.n_unknown),
        **parts,
        "clause": view.clause,
        "note": "",
        "note_en": "",
    }
    if len(known):
        row.update(zip(("p05", "p50", "p95"), np.quantile(known, QUANTILES).tolist(), strict=True))
    row.update(odds(view, year, known))
    remark = _remark(view, known)
    return row if remark is None else {**row, "note": remark.zh, "note_en": remark.en}


def split(picked: Members) -> dict[str, int | None]:
    """Count the members that will stay below the line, that will reach it or leave, and that are open.

    Open is who is below in more than 5 % and fewer than 95 % of the draws; ``open_cases`` are those of them with a
    disposal in progress.
    """
    view, year = picked.view, picked.year
    if view.kind not in ("share", "count") or view.line is None:
        return dict.fromkeys(("sure_below", "sure_reach", "open", "open_cases"))
    with np.errstate(divide="ignore", invalid="ignore"):
        low = ~reaches(view, picked.tax / picked.land, view.line)
    stays = {"drop": False, "pass": False, "fail": True, "land_stays": ~picked.released}[view.exited]
    return parted(view, year, np.where(picked.gone, stays, low).mean(axis=0))


def parted(view: TargetView, year: Year, below: np.ndarray) -> dict[str, int | None]:
    """Count members by the share of draws in which each is below, shape (members,)."""
    if view.kind not in ("share", "count") or view.line is None:
        return dict.fromkeys(("sure_below", "sure_reach", "open", "open_cases"))
    mine = below[view.member]
    case = year.in_progress[np.searchsorted(year.codes, view.codes)][view.member]
    undecided = (mine > OPEN_EDGE) & (mine < 1 - OPEN_EDGE)
    return {
        "sure_below": int(np.sum(mine >= 1 - OPEN_EDGE)),
        "sure_reach": int(np.sum(mine <= OPEN_EDGE)),
        "open": int(undecided.sum()),
        "open_cases": int((undecided & case).sum()),
    }


def odds(view: TargetView, year: Year, known: np.ndarray) -> dict[str, Any]:
    """Probability, its Monte Carlo error and what is certain, of draws that have a value."""
    from lyeval.assessment import meets

    if view.goal is None or not len(known):
        return {}
    certain = settled(view, year)
    if certain is not None:
        return {"probability": float(certain == "met"), "mc_error": 0.0, "certain": certain}
    p = probability(int(np.sum(meets(view, known))), len(known))
    return {"probability": p, "mc_error": mc_error(p, len(known))}


def _remark(view: TargetView, known: np.ndarray) -> Any:
    if not len(known):
        return note("empty_class")
    if view.goal is None:
        return note("no_goal")
    if view.n_unknown:
        return note("unknown_members", n=view.n_unknown)
    return note("blocks_as_booked") if view.kind == "blocks" else None


def settled(view: TargetView, year: Year) -> str | None:
    """Tell whether the books already decide a target: met, missed or None (not decided).

    Every tax that is not settled is tried at its least and at its most: rates and counts move one way with tax, and a
    member that leaves never moves them further than one that fails or passes. As class and land are carried from the
    facts' year, the verdict must also stand if the weightiest twentieth of the members (at least one) stood on the
    other side of the line. A mean is never taken as settled.
    """
    from lyeval.assessment import meets

    if view.goal is None or view.kind == "mean":
        return None
    if view.kind in ("closed", "demolished", "blocks"):
        done = bool(meets(view, np.array([view.base]))[0])
        return "met" if done and view.op == "ge" else "missed" if year.final and not done else None
    if view.n_unknown or not len(view.codes) or view.line is None:
        return None
    at = np.searchsorted(year.codes, view.codes)
    basis, land = tax_basis(view, year.reported[at]), view.land * year.kept[:, at].max(axis=0)
    gone = view.gone | year.gone[:, at].all(axis=0)
    told = [_verdict(view, edge[at] * basis, land, gone) for edge in (year.floor, year.ceiling)]
    return told[0] if told[0] == told[1] else None


def _verdict(view: TargetView, tax: np.ndarray, land: np.ndarray, gone: np.ndarray) -> str | None:
    """Give the verdict at some taxes, None where it would not stand with a few members on the other side."""
    from lyeval.assessment import meets, target_values

    tax, line = np.clip(tax, -HUGE, HUGE), float(view.line or 0.0)
    now = target_values(view, tax, land, gone)
    if np.isnan(now[0]):
        return None
    met = bool(meets(view, now)[0])
    present = view.member & (land > 0) & ~gone
    with np.errstate(divide="ignore", invalid="ignore"):
        mine = present & (reaches(view, tax / land, line) == met)
    order = np.flatnonzero(mine)
    order = order[np.argsort(-(land if view.weight == "land" else present)[order].astype(float), kind="stable")]
    flipped = tax.copy()
    flipped[order[: max(1, int(np.ceil(MARGIN * present.sum())))]] = -HUGE if met else HUGE
    stands = bool(meets(view, target_values(view, flipped, land, gone))[0]) == met
    return ("met" if met else "missed") if stands else None


def enterprise_rows(views: Sequence[TargetView], year: Year) -> pd.DataFrame:
    """Summarise each member of a target set on a line: odds of reaching it, and tax per mu at 5, 50, 95 %.

    An enterprise under several targets is judged by the first of them. Those without known land are left out.
    """
    return joined([_enterprises(view, year, fresh, line) for view, fresh, line in judged(views)])


def judged(views: Sequence[TargetView]) -> list[tuple[TargetView, np.ndarray, float]]:
    """Return which members are judged by which target: the target, its members of its own (a mask), and the line."""
    out, seen = [], np.zeros(0, dtype=object)
    for view in (v for v in views if v.kind in ("share", "count", "mean")):
        line = view.line if view.line is not None else view.goal
        fresh = np.asarray(view.member) & (view.land > 0) & ~np.isin(view.codes, seen)
        if line is not None and fresh.any():
            out.append((view, fresh, float(line)))
            seen = np.append(seen, view.codes[fresh])
    return out


def joined(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put enterprises' rows together, sorted by credit code."""
    if not frames:
        return pd.DataFrame(columns=list(ENTERPRISE_COLUMNS))
    return pd.concat(frames).sort_values("credit_code", kind="stable", ignore_index=True)


def _enterprises(view: TargetView, year: Year, fresh: np.ndarray, line: float) -> pd.DataFrame:
    at_all = np.searchsorted(year.codes, view.codes)
    at, land = at_all[fresh], view.land[fresh]
    held = np.where(year.kept[:, at] > 0, year.kept[:, at], np.inf)
    ratio = year.tax[:, at] * tax_basis(view, year.reported[at_all])[fresh] / (land * held)
    points = np.quantile(ratio, QUANTILES, axis=0)
    hits = reaches(view, ratio, line).sum(axis=0)
    return enterprise_table(view, year, fresh, line, (hits + 0.5) / (year.draws + 1), points)


def enterprise_table(
    view: TargetView, year: Year, fresh: np.ndarray, line: float, p: np.ndarray, points: np.ndarray
) -> pd.DataFrame:
    """Lay out the chosen members' odds, shape (m,), and points of tax per mu, shape (3, m); certain where the books say so."""
    at, land = np.searchsorted(year.codes, view.codes)[fresh], view.land[fresh]
    settled = np.where(
        year.floor[at] >= line * land, 1.0, np.where(year.ceiling[at] < line * land * (1 - 1e-9), 0.0, p)
    )
    columns = {
        "credit_code": view.codes[fresh],
        "year": year.year,
        "line": line,
        "probability": settled,
        "mc_error": np.sqrt(settled * (1 - settled) / year.draws),
        "p05": points[0],
        "p50": points[1],
        "p95": points[2],
    }
    return pd.DataFrame(columns)


def reaches(view: TargetView, tax_per_mu: np.ndarray, line: float) -> np.ndarray:
    """Tell which tax per mu reach a line: on it (within 1e-9) they do, unless the reading counts the edge as low."""
    edge = abs(line) * 1e-9
    return tax_per_mu > line + edge if view.edge_low else tax_per_mu >= line - edge


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Make a frame of rows; a column with a blank keeps None (not NaN)."""
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in columns})
    for name in columns:
        if len(frame) and not any(row[name] is None for row in rows):
            frame[name] = frame[name].infer_objects()
    return frame


QUANTILES = (0.05, 0.5, 0.95)
HUGE = 1e12
MARGIN = 0.05
OPEN_EDGE = 0.05
BANKED = ("整体收储", "收储")
TARGET_COLUMNS = (
    "id", "label", "label_en", "year", "unit", "op", "goal", "probability", "mc_error", "p05", "p50", "p95", "certain",
    "members", "unknown", "sure_below", "sure_reach", "open", "open_cases", "clause", "note", "note_en",
)  # fmt: skip
ENTERPRISE_COLUMNS = ("credit_code", "year", "line", "probability", "mc_error", "p05", "p50", "p95")
