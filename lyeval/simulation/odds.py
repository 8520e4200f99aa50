"""From draws of each enterprise's year to the odds of each target: who reaches the line, what is certain, what it hangs on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from lyeval.assessment import TargetView, meets, target_parts, target_values
from lyeval.simulation.draws import BLOCK, Sampling, uniforms
from lyeval.simulation.engine import Learned, Year
from lyeval.simulation.known import Note, code_keys, note


@dataclass(frozen=True, eq=False)
class Members:
    """The draws of a target's possible members, columns in the order of ``view.codes``; shapes as in `Year`."""

    view: TargetView
    year: Year
    tax: np.ndarray  # 万元, as the target's reading counts it
    land: np.ndarray  # 亩, likewise
    gone: np.ndarray  # who is gone, with or without the land
    released: np.ndarray


def members(view: TargetView, year: Year, *, topped: bool = True) -> Members:
    """Pick a target's members out of a year's draws, with the tax basis and land that the target's reading takes.

    With ``topped`` those just below the line pay up to it as often as past Decembers say (`Year.learned`).
    A reading that counts tax or land otherwise shows in the view's figures of the facts' year: the draws are held to the same ratio.
    """
    at = np.searchsorted(year.codes, view.codes)
    drawn = Members(
        view,
        year,
        tax=year.tax[:, at] * tax_basis(view, year.reported[at]),
        land=year.kept[:, at] * view.land,
        gone=year.gone[:, at] | view.gone,
        released=year.released[:, at],
    )
    taught = year.learned.get(view.id)
    if not topped or taught is None or taught.top_up is None or view.line is None or year.final:
        return drawn
    near = near_line(drawn, seed=taught.seed, band=taught.band)
    chance = uniforms(code_keys([f"topping up {view.id}"]), Sampling(len(year.tax), taught.seed), year.year, "county")
    return replace(drawn, tax=_moved(drawn.tax, near, betaincinv(*taught.top_up, chance)))


def _moved(tax: np.ndarray, near: Near, share: float | np.ndarray) -> np.ndarray:
    """Let a share (one, or one a draw, shape (draws, 1)) of those near a line pay up to it."""
    out = tax.copy()
    out[:, near.at] = np.where(near.near & (near.coin < share), near.need, tax[:, near.at])
    return out


def tax_basis(view: TargetView, reported: np.ndarray) -> np.ndarray:
    """Ratio of tax as counted to tax as reported in the facts' year, shape (members,); 1 where either is not positive."""
    usable = (view.tax > 0) & (reported > 0)
    return np.where(usable, view.tax / np.where(usable, reported, 1.0), 1.0)


def values(drawn: Members, near: Near | None = None, share: float = 0.0) -> np.ndarray:
    """Return the target's statistic in each draw, shape (draws,); NaN where nobody is left to count.

    A ``share`` of those that end a draw ``near`` below the line pay up to it; by default nobody does.
    """
    view, year, draws = drawn.view, drawn.year, len(drawn.year.tax)
    if view.kind == "closed":
        return view.base + closures(drawn).sum(axis=1)
    if view.kind == "demolished":
        return view.base + year.demolished.sum(axis=1)
    if view.kind == "blocks":
        return np.full(draws, float(view.base))
    parts = max(1, min(draws // 8, draws * len(view.codes) // BLOCK))
    edges = np.linspace(0, draws, parts + 1).astype(int)
    tax = drawn.tax if near is None or not share else _moved(drawn.tax, near, share)
    blocks = [slice(*rows) for rows in pairwise(edges.tolist())]
    arrays = (tax, drawn.land, drawn.gone, drawn.released)
    found = np.concatenate([target_values(view, *(array[rows] for array in arrays)) for rows in blocks])
    taught = year.learned.get(view.id)
    return found if taught is None or year.final else corrected(view, found, taught)


def parts(drawn: Members) -> tuple[np.ndarray, np.ndarray | None]:
    """Return what each member adds to the numerator and denominator of a target that firms' disposals move, (draws, n) each."""
    if drawn.view.kind == "closed":
        return closures(drawn), None
    return target_parts(drawn.view, drawn.tax, drawn.land, drawn.gone, drawn.released)


def closures(drawn: Members) -> np.ndarray:
    """Tell whose leaving within the year counts as a closure, shape (draws, n)."""
    view, year = drawn.view, drawn.year
    at, banked = np.searchsorted(year.codes, view.codes), any(word in view.outcomes for word in BANKED)
    return (year.closed[:, at] | (year.banked[:, at] & banked)) & view.member


def corrected(view: TargetView, found: np.ndarray, taught: Learned) -> np.ndarray:
    """Shift and scale a statistic's draws, shape (draws,), by how the county's past forecasts went, within what it can be."""
    known = ~np.isnan(found)
    if not known.any() or (taught.shift == 0 and taught.scale == 1):
        return found
    mean, spread = taught.about or (found[known].mean(), found[known].std())
    moved = mean + taught.shift * spread + taught.scale * (found - mean)
    if view.kind == "mean":
        return moved
    least, most = (0.0, 1.0) if view.kind == "share" else (0.0, float(np.sum(view.member)))
    return np.clip(np.rint(moved) if view.kind == "count" else moved, least, most)


def held_about(view: TargetView, year: Year, central: tuple[TargetView, Year]) -> Year:
    """Return a year whose draws of a target are corrected about the central ones, so that what-ifs keep their order."""
    taught = year.learned.get(view.id)
    if taught is None:
        return year
    plain = {view.id: replace(taught, shift=0.0, scale=1.0)}
    found = values(members(central[0], replace(central[1], learned=plain)))
    known = found[~np.isnan(found)]
    about = (float(known.mean()), float(known.std())) if len(known) else None
    return replace(year, learned={**year.learned, view.id: replace(taught, about=about)})


def reaches(view: TargetView, tax_per_mu: np.ndarray, line: float) -> np.ndarray:
    """Tell which tax per mu reach a line: on it (within 1e-9) they do, unless the reading counts the edge as low."""
    edge = abs(line) * 1e-9
    return tax_per_mu > line + edge if view.edge_low else tax_per_mu >= line - edge


def probability(hits: int, draws: int) -> float:
    """Share of draws, held off 0 and 1 by half a draw: (hits + 1/2) / (draws + 1)."""
    return (hits + 0.5) / (draws + 1)


def odds(view: TargetView, drawn: np.ndarray, certain: str | None) -> dict[str, Any]:
    """Give a target's odds: probability, mc_error, the p05, p50 and p95 of its statistic, and what is certain; None where unknown.

    ``drawn`` is the target's statistic in each draw, shape (draws,); ``certain`` is as from `settled`. A year that is over has its verdict: the
    value and its bounds, and no odds where it is undetermined.
    """
    known = drawn[~np.isnan(drawn)]
    out: dict[str, Any] = dict.fromkeys(("probability", "mc_error", *POINTS, "certain"))
    if len(known):
        out |= zip(POINTS, np.quantile(known, QUANTILES).tolist(), strict=True)
    if (verdict := view.judged) is not None:
        if verdict.value is not None:
            out |= zip(POINTS, (verdict.low, verdict.value, verdict.high), strict=True)
        certain = verdict.status if verdict.status in ("met", "missed") else None
        return out | ({"probability": float(certain == "met"), "mc_error": 0.0, "certain": certain} if certain else {})
    if view.goal is None or not len(known):
        return out
    if certain:
        return out | {"probability": float(certain == "met"), "mc_error": 0.0, "certain": certain}
    p = probability(int(np.sum(meets(view, known))), len(known))
    return out | {"probability": p, "mc_error": float(np.sqrt(p * (1 - p) / len(known)))}


def target_row(picked: Members, drawn: np.ndarray) -> dict[str, Any]:
    """Lay a target's row out (`TARGET_COLUMNS`): its odds, and its members by where they will end."""
    view = picked.view
    remark = _remark(view, drawn)
    return {
        **{name: getattr(view, name) for name in ("id", "label", "label_en", "year", "unit", "op", "goal", "clause")},
        **odds(view, drawn, settled(view, picked.year)),
        "members": int(np.sum(view.member)),
        "unknown": int(view.n_unknown),
        **_split(picked),
        "note": remark.zh if remark else "",
        "note_en": remark.en if remark else "",
    }


def _remark(view: TargetView, drawn: np.ndarray) -> Note | None:
    if view.judged is not None and view.judged.status == "undetermined":
        return Note(view.judged.reason, view.judged.reason_en, "undetermined")
    if np.isnan(drawn).all():
        return note("empty_class")
    if view.goal is None:
        return note("no_goal")
    if view.n_unknown:
        return note("unknown_members", n=view.n_unknown)
    return note("blocks_as_booked") if view.kind == "blocks" else None


def _split(picked: Members) -> dict[str, int | None]:
    """Count the members that will stay below the line, that will reach it or leave, and that are open.

    Open is who is below in more than 5 % and fewer than 95 % of the draws; ``open_cases`` are those of them with a disposal in progress.
    """
    view, year = picked.view, picked.year
    if view.kind not in ("share", "count") or view.line is None:
        return dict.fromkeys(("sure_below", "sure_reach", "open", "open_cases"))
    with np.errstate(divide="ignore", invalid="ignore"):
        low = ~reaches(view, picked.tax / picked.land, view.line)
    stays = {"drop": False, "pass": False, "fail": True, "land_stays": ~picked.released}[view.exited]
    below = np.where(picked.gone, stays, low).mean(axis=0)[view.member]
    case = year.in_progress[np.searchsorted(year.codes, view.codes)][view.member]
    undecided = (below > OPEN_EDGE) & (below < 1 - OPEN_EDGE)
    return {
        "sure_below": int(np.sum(below >= 1 - OPEN_EDGE)),
        "sure_reach": int(np.sum(below <= OPEN_EDGE)),
        "open": int(undecided.sum()),
        "open_cases": int((undecided & case).sum()),
    }


def settled(view: TargetView, year: Year) -> str | None:
    """Tell whether the books already decide a target: met, missed, or None.

    Every tax that is not settled is tried at its least and at its most: rates and counts move one way with tax, and a member that leaves
    never moves them further than one that fails or passes. As class and land are carried from the facts' year, the verdict must also
    stand if the weightiest twentieth of the members (at least one) stood on the other side of the line. A mean is never settled.
    """
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
    least, most = (_verdict(view, edge[at] * basis, land, gone) for edge in (year.floor, year.ceiling))
    return least if least == most else None


def _verdict(view: TargetView, tax: np.ndarray, land: np.ndarray, gone: np.ndarray) -> str | None:
    """Give the verdict at some taxes: None where it would not stand with a few members on the other side, or without the unsure."""
    tax, line = np.clip(tax, -HUGE, HUGE), float(view.line or 0.0)
    now = target_values(view, tax, land, gone)
    if np.isnan(now[0]):
        return None
    met = bool(meets(view, now)[0])
    present = view.member & (land > 0) & ~gone
    with np.errstate(divide="ignore", invalid="ignore"):
        backing = present & (reaches(view, tax / land, line) == met)
    doubted = replace(view, member=view.member & ~(view.unsure & backing)) if view.unsure.any() else view
    order = np.flatnonzero(backing)
    order = order[np.argsort(-(land if view.weight == "land" else present)[order].astype(float), kind="stable")]
    flipped = tax.copy()
    flipped[order[: max(1, int(np.ceil(MARGIN * present.sum())))]] = -HUGE if met else HUGE
    stands = bool(meets(view, target_values(view, flipped, land, gone))[0]) == met
    if not stands:
        return None
    sure = bool(meets(view, target_values(doubted, tax, land, gone))[0]) == met
    return ("met" if met else "missed") if sure else None


def left(views: Sequence[TargetView], drawn: Sequence[np.ndarray]) -> pd.DataFrame:
    """Count in which share of the draws each number of enterprises is left below the line, for targets that count them."""
    rows = []
    for view, found in zip(views, drawn, strict=True):
        known = found[~np.isnan(found)]
        if view.kind == "count" and view.op == "le" and len(known):
            numbers, times = np.unique(np.rint(known).astype(int), return_counts=True)
            shares = zip(numbers.tolist(), (times / len(known)).tolist(), strict=True)
            rows += [{"id": view.id, "year": view.year, "left": n, "probability": share} for n, share in shares]
    return table(rows, LEFT_COLUMNS)


def enterprise_rows(pairs: Sequence[tuple[TargetView, Year]]) -> pd.DataFrame:
    """Summarise each member of a target set on a line, year by year: odds of reaching it, and tax per mu at 5, 50, 95 %.

    An enterprise under several targets of a year is judged by the first of them. Those without known land are left out.
    """
    frames: dict[int, list[pd.DataFrame]] = {}
    seen: dict[int, np.ndarray] = {}
    for view, year in pairs:
        line, before = _line(view), seen.get(year.year, np.zeros(0, dtype=object))
        fresh = np.asarray(view.member) & (view.land > 0) & ~np.isin(view.codes, before)
        if line is not None and fresh.any():
            frames.setdefault(year.year, []).append(_enterprises(view, year, fresh, line))
            seen[year.year] = np.append(before, view.codes[fresh])
    if not frames:
        return pd.DataFrame(columns=list(ENTERPRISE_COLUMNS))
    sorted_ = [pd.concat(some).sort_values("credit_code", kind="stable") for some in frames.values()]
    return pd.concat(sorted_, ignore_index=True)


def _line(view: TargetView) -> float | None:
    """Return the line that a target's members are judged by (of a mean: its goal), None where they are judged by none."""
    if view.kind not in ("share", "count", "mean"):
        return None
    line = view.goal if view.line is None else view.line
    return line if line is None else float(line)


def _enterprises(view: TargetView, year: Year, fresh: np.ndarray, line: float) -> pd.DataFrame:
    """Judge the chosen members by a line; certain where the books say so."""
    at, draws = np.searchsorted(year.codes, view.codes)[fresh], len(year.tax)
    land, held = view.land[fresh], np.where(year.kept[:, at] > 0, year.kept[:, at], np.inf)
    ratio = members(view, year).tax[:, fresh] / (land * held)
    p = (reaches(view, ratio, line).sum(axis=0) + 0.5) / (draws + 1)
    p = np.where(year.floor[at] >= line * land, 1.0, np.where(year.ceiling[at] < line * land * (1 - 1e-9), 0.0, p))
    error = np.sqrt(p * (1 - p) / draws)
    head = {"credit_code": view.codes[fresh], "year": year.year, "line": line, "probability": p, "mc_error": error}
    return pd.DataFrame(head | dict(zip(POINTS, np.quantile(ratio, QUANTILES, axis=0), strict=True)))


@dataclass(frozen=True, eq=False)
class Near:
    """Who ends a draw just below a line, for the members ``at`` (k) that ever do: shape (draws, k) each."""

    at: np.ndarray  # positions among the target's members
    near: np.ndarray  # within the band below the line
    coin: np.ndarray  # uniform number that decides whether it tops up
    need: np.ndarray  # tax that reaches the line, 万元


def near_line(drawn: Members, *, seed: int, band: float) -> Near:
    """Tell who ends each draw within ``band`` (a share of the line) below it; the target must have a line."""
    view, year = drawn.view, drawn.year
    need = float(view.line or 0.0) * drawn.land * (1 + (2e-9 if view.edge_low else 0.0))
    near = (drawn.tax < need) & (drawn.tax >= (1 - band) * need) & (drawn.land > 0)
    moves = np.flatnonzero(near.any(axis=0))
    coin = uniforms(code_keys(view.codes[moves]), Sampling(len(year.tax), seed), year.year, "response")
    return Near(moves, near[:, moves], coin, need[:, moves])


def scenario_rows(
    drawn: Members,
    plain: np.ndarray,
    responses: Iterable[tuple[float, str]],
    *,
    seed: int,
    band: float,
    certain: str | None = None,
) -> list[dict[str, Any]]:
    """Odds of a target if some enterprises near the line top up to it (临近标准企业入库变动情景).

    ``plain`` is the target's statistic in each draw if none does, shape (draws,); ``responses`` are shares of the enterprises that end a
    draw within ``band`` (a share of the line) below it and then pay up to it, each with its basis; ``certain`` is as from `settled`.
    """
    view = drawn.view
    if view.kind not in ("share", "count", "mean") or view.line is None or view.goal is None:
        return []
    moving = near_line(drawn, seed=seed, band=band)
    rows = []
    for share, basis in responses:
        found = values(drawn, moving, share) if share else plain
        rows.append({"id": view.id, "year": view.year, "response": share, "basis": basis, **odds(view, found, certain)})
    return rows


def swing_rows(got: Members, drawn: np.ndarray, limit: int = 10) -> list[dict[str, Any]]:
    """Rank the enterprises on which a target hangs: its odds in the draws where one reaches the line, and where not."""
    view = got.view
    line = _line(view)
    if line is None or view.goal is None:
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
    chosen = [i for i in np.argsort(-weight, kind="stable")[:limit] if clear[i]]
    columns = {"probability": share, "met_if_reached": high, "met_if_not": low, "swing": high - low, "mc_error": error}
    return [
        {"id": view.id, "year": view.year, "credit_code": view.codes[i]}
        | {name: float(column[i]) for name, column in columns.items()}
        for i in chosen
    ]


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """Make a frame of rows; a column with a blank keeps None (not NaN)."""
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=object) for name in columns})
    for name in columns:
        if len(frame) and not any(row[name] is None for row in rows):
            frame[name] = frame[name].infer_objects()
    return frame


QUANTILES, POINTS = (0.05, 0.5, 0.95), ("p05", "p50", "p95")
HUGE, MARGIN, OPEN_EDGE, MIN_SWING = 1e12, 0.05, 0.05, 30
BANKED = ("整体收储", "收储")
TARGET_COLUMNS = (
    *("id", "label", "label_en", "year", "unit", "op", "goal", "probability", "mc_error", *POINTS, "certain"),
    *("members", "unknown", "sure_below", "sure_reach", "open", "open_cases", "clause", "note", "note_en"),
)
ENTERPRISE_COLUMNS = ("credit_code", "year", "line", "probability", "mc_error", *POINTS)
LEFT_COLUMNS = ("id", "year", "left", "probability")
SCENARIO_COLUMNS = ("id", "year", "response", "basis", "probability", "mc_error", *POINTS)
SWING_COLUMNS = ("id", "year", "credit_code", "probability", "met_if_reached", "met_if_not", "swing", "mc_error")
