"""What a county's own past teaches of its targets: who tops up in December (年底补足), and how its past forecasts went (以往预测).

Both go into the draws, shrunk: a short past moves them little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from lyeval.assessment import TargetView, target_values
from lyeval.simulation.draws import Sampling, draw_tax
from lyeval.simulation.dynamics import Dynamics, Priors, fit, rise
from lyeval.simulation.engine import Learned, Setting, Year
from lyeval.simulation.known import Note, Panel, note
from lyeval.simulation.odds import members, tax_basis, values


def learned(given: Setting, laid: Sequence[TargetView], past: Sequence[TargetView]) -> Setting:
    """Return the setting with what past years teach of each target.

    Parameters
    ----------
    laid
        The targets to be forecast.
    past
        The same targets laid out on each past year's own facts, for the years that had them.
    """
    views = {view.id: view for view in laid if view.kind in ("share", "count", "mean")}
    band, seed = given.assumed.band, given.sampling.seed
    taught = {
        id: Learned(topping_up(given.panel, [view for view in past if view.id == id], band), band, seed=seed)
        for id in views
    }
    record = _record(given, views, past, taught)
    usual = unsure(given.nowcast)
    taught |= {
        id: replace(taught[id], shift=found[0], scale=found[1], usual=usual, years=found[2])
        for id, found in record.items()
    }
    return replace(given, learned=taught)


def notes(taught: dict[str, Learned], laid: Sequence[TargetView]) -> tuple[Note, ...]:
    """Say of each target what its draws were told by the past, where that is worth telling."""
    out = []
    for view in laid:
        found = taught.get(view.id)
        if found and found.top_up and found.top_up[0] > TOLD * sum(found.top_up):
            share = found.top_up[0] / sum(found.top_up)
            out.append(note("topping_up", zh=view.label, en=view.label_en, share=f"{share:.0%}"))
        if found and found.years and (abs(found.shift) > FAR or abs(np.log(found.scale / found.usual)) > FAR / 2):
            moved = {"shift": f"{found.shift:+.1f}", "scale": f"{found.scale:.2f}", "years": found.years}
            out.append(note("own_record", zh=view.label, en=view.label_en, **moved))
    return tuple(out)


def topping_up(panel: Panel, past: Sequence[TargetView], band: float) -> tuple[float, float] | None:
    """Estimate the share of firms just below a line at the end of November that pay up to it in December.

    Parameters
    ----------
    past
        A target laid out on each past year's own facts.
    band
        How far below the line, as a share of it.

    Returns
    -------
    tuple of float or None
        Beta (a, b): of those on pace for (1 − band) to 1 times the line that ended at no more than 1.05 times it, how many ended on it,
        less the share of those that did so at lines that are nobody's target (`NOBODYS`, as multiples of the line); None without such a
        past year. Who would have passed the line anyway is no case of it.
    """
    if panel.november is None:
        return None
    near, heap, others, chance = 0.0, 0.0, 0.0, 0.0
    known = (panel.tax > 0) & (panel.november > 0)
    share = np.median(panel.november[known] / panel.tax[known]) if known.any() else np.nan
    for view in past:
        at, t = np.searchsorted(panel.codes, view.codes), int(view.year - panel.years[0])
        if view.line is None or not 0 <= t < len(panel.years):
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            ended = view.tax / view.land / view.line
            pace = ended * panel.november[at, t] / panel.tax[at, t] / share
        told = view.member & ~view.gone & (view.tax > 0) & np.isfinite(pace)
        counts = [_ended_above(pace[told] / line, ended[told] / line, band) for line in (1.0, *NOBODYS)]
        near, heap = near + counts[0][0], heap + counts[0][1]
        others, chance = others + sum(n for n, _ in counts[1:]), chance + sum(n for _, n in counts[1:])
    if not near:
        return None
    usual = (chance + USUAL[0]) / (others + sum(USUAL))
    topped = max(heap - near * usual, 0.0) / (1 - usual)
    return TOP_UP[0] + TOGETHER * topped, TOP_UP[1] + TOGETHER * (near - topped)


def _ended_above(pace: np.ndarray, ended: np.ndarray, band: float) -> tuple[float, float]:
    """Number on pace for just below a line of 1 that ended there or just above it, and of those just above."""
    near = (pace >= 1 - band) & (pace < 1) & (ended >= 1 - band) & (ended <= HEAP)
    return float(near.sum()), float((near & (ended >= 1 - 1e-9)).sum())


def _record(
    given: Setting, views: dict[str, TargetView], past: Sequence[TargetView], taught: dict[str, Learned]
) -> dict[str, tuple[float, float, int]]:
    """Forecast the last years on what was known then, and tell how far off, in standard deviations: shift, scale and number of years.

    Who tops up is as all past Decembers say, in the years that had the target.

    With n years z = (what came − mean) / (sd × `unsure` of what it was fitted on): the shift is as in `lasting`, scale² =
    (K + Σ(z − shift)²) / (K + n), and both are times the `unsure` of today's fit.
    """
    history, distances = given.panel, {id: [] for id in views}
    earlier = {(view.id, view.year): view for view in past}
    for t in range(max(MIN_PAST, len(history.years) - PAST), len(history.years)):
        year, tax = int(history.years[t]), history.tax[:, t]
        drawn, wide = _drawn(given, t), unsure(_models(history, t)[1])
        for id, now in views.items():
            at, had = np.searchsorted(history.codes, now.codes), (id, year) in earlier
            view = earlier[id, year] if had else replace(now, tax=tax[at] * tax_basis(now, history.tax[at, -1]))
            far = _distance(view, _year(history, t, drawn, {id: taught[id]} if had else {}))
            distances[id] += [] if far is None else [far / wide]
    out, wide = {}, unsure(given.nowcast)
    for id, found in distances.items():
        z, n = np.clip(np.array(found), -FARTHEST, FARTHEST), len(found)
        shift = lasting(z)
        spread = (WEIGHT + np.sum((z - shift) ** 2)) / (WEIGHT + n)
        out[id] = (shift * wide, float(np.sqrt(spread)) * wide, n)
    return out


def unsure(model: Dynamics) -> float:
    """Return how much wider the statistic's draws must be for what was fitted on m years: √(1 + 2/m), 1 where the fit is assumed.

    What the year to date and last year's level weigh changes from year to year, too; the covariance by enterprise does not know it.
    """
    return float(np.sqrt(1 + 2 / len(model.years))) if model.years else 1.0


def lasting(z: np.ndarray) -> float:
    """Return the lasting shift that past forecasts' distances z, shape (n,), in standard deviations, speak for.

    Most records are luck, and what was wrong with a past year the fit on all years has mostly taken up: with odds 1 − `LASTS` there is no
    shift, else it is Normal about 0 with sd `SHIFT`. The answer is the mean of what is left of that when the record is known; 0 of none.
    """
    n = len(z)
    if not n:
        return 0.0
    mean, luck, wide = float(z.mean()), 1 / n, SHIFT**2 + 1 / n
    against = (1 - LASTS) / LASTS * np.sqrt(wide / luck) * np.exp(-(mean**2) / 2 * (1 / luck - 1 / wide))
    return float(mean * SHIFT**2 / wide / (1 + against))


def _distance(view: TargetView, year: Year) -> float | None:
    """How many standard deviations above its forecast mean a statistic came; None where there is nothing to tell."""
    there = replace(view, member=view.member & ~np.isnan(view.tax) & ~np.isnan(year.tax[0][_at(view, year)]))
    found = values(members(there, year))
    came = target_values(there, there.tax, there.land, there.gone)[0]
    spread = float(np.std(found)) if len(found) else 0.0
    return float((came - found.mean()) / spread) if spread > 0 and not np.isnan(came) else None


def _at(view: TargetView, year: Year) -> np.ndarray:
    return np.searchsorted(year.codes, view.codes)


def _drawn(given: Setting, t: int) -> np.ndarray:
    """Draw year ``t`` (position) from what was known at the same month of it, 万元, shape (draws, n); NaN for who had no figure then.

    Finished cases have the effect that is found today; what is assumed of the year to come otherwise than usual is none of a past one, nor
    does the record undo it.
    """
    history, sampling = given.panel, Sampling(DRAWS, given.sampling.seed)
    year = int(history.years[t])
    before, nowcast, annual = _models(history, t)
    tax = draw_tax((nowcast, annual), before, range(year, year + 1), sampling)[0]
    for name, force in history.in_force.items():
        tax = tax * np.exp(given.finished[name].effect[0] * rise(force[:, :, t], nowcast.weight))
    return np.where(np.isnan(history.tax[:, t - 1]), np.nan, tax)


@lru_cache(maxsize=32)
def _models(history: Panel, t: int) -> tuple[Panel, Dynamics, Dynamics]:
    """Fit the projection on what was known before year ``t`` (position), with that year's months to date and without."""
    before, priors = _until(history, t), Priors()
    annual = fit(before, 0, priors)
    return before, fit(before, history.month, priors) if history.month else annual, annual


def _until(history: Panel, t: int) -> Panel:
    """Cut a history off before year ``t`` (position), with that year's months to date."""
    return replace(
        history,
        years=history.years[:t],
        tax=history.tax[:, :t],
        above=history.above[:, :t],
        land=history.land[:, :t],
        ytd=history.ytd[:, : t + 1],
        november=None if history.november is None else history.november[:, :t],
        in_force={name: force[:, :, : t + 1] for name, force in history.in_force.items()},
    )


def _year(history: Panel, t: int, tax: np.ndarray, taught: dict[str, Learned]) -> Year:
    """Give the draws of a past year the form of a year in which nothing but tax is open."""
    n = len(history.codes)
    no, whole = np.broadcast_to(False, tax.shape), np.broadcast_to(1.0, tax.shape)
    return Year(
        year=int(history.years[t]),
        codes=history.codes,
        tax=tax,
        kept=whole,
        reported=history.tax[:, t],
        gone=no,
        closed=no,
        banked=no,
        demolished=np.broadcast_to(0.0, tax.shape),
        released=no,
        floor=np.full(n, -np.inf),
        ceiling=np.full(n, np.inf),
        in_progress=no[0],
        final=False,
        learned=taught,
    )


NOBODYS = (0.5, 0.6, 1.5, 1.8, 2.2)
HEAP, TOP_UP, USUAL, TOGETHER = 1.05, (0.1, 3.9), (0.5, 9.5), 0.5
PAST, MIN_PAST, DRAWS, WEIGHT, FARTHEST = 3, 2, 256, 5.0, 4.0
LASTS, SHIFT = 0.1, 1.5
TOLD, FAR = 0.1, 0.3
