"""Synthetic control (合成控制) and synthetic differences: one place against a weighted mix of others.

Sources: Abadie, Diamond, Hainmueller (2010), *Journal of the American Statistical Association* 105, 493–505; Arkhangelsky,
Athey, Hirshberg, Imbens, Wager (2021), *American Economic Review* 111, 4088–4118, whose weights are diff-diff's (MIT).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize, nnls

from lyeval.effect.estimate import Z_95, Check, Effect, check, error, number, told, within
from lyeval.effect.frames import columns, flag, grid, labels, varies

METHODS = ("control", "did")
DRAWS = 200
SCATTER, STARTS, SEARCH = 60, 3, 60
"""Weights of predictors tried at random and steps of each search, for every predictor; searches from the best of them."""
WEIGHTY, POOR, EXACT = 0.01, 2.0, 1e-9
Predictor = str | tuple[str, Sequence[int]]


@dataclass(frozen=True, eq=False)
class Block:
    """Treated mean (periods,), donors (donors, periods), earlier periods, treated units; predictors (k, 1 + donors,
    periods), NaN where they do not count.
    """

    treated: np.ndarray
    donors: np.ndarray
    before: int
    n_treated: int = 1
    predictors: np.ndarray | None = None

    def without(self, donor: int) -> Block:
        """Return the block less one donor."""
        left = None if self.predictors is None else np.delete(self.predictors, donor + 1, axis=1)
        return replace(self, donors=np.delete(self.donors, donor, axis=0), predictors=left)

    def as_if(self, chosen: np.ndarray) -> Block:
        """Return the block as if some donors were the treated, among the other donors."""
        rest, left = np.delete(self.donors, chosen, axis=0), None
        if self.predictors is not None:
            x = self.predictors[:, 1:]
            left = np.concatenate([x[:, chosen].mean(axis=1, keepdims=True), np.delete(x, chosen, axis=1)], axis=1)
        return Block(self.donors[chosen].mean(axis=0), rest, self.before, len(chosen), left)

    def until(self, before: int) -> Block:
        """Return the earlier periods alone, as if the policy had begun after the first ``before`` of them."""
        left = None if self.predictors is None else self.predictors[:, :, : self.before]
        return Block(self.treated[: self.before], self.donors[:, : self.before], before, self.n_treated, left)


@dataclass(frozen=True, eq=False)
class Weighted:
    """Mean later effect; weights of donors and of earlier periods (0 for a control); treated less weighted by period;
    root mean squared earlier gap.
    """

    estimate: float
    units: np.ndarray
    periods: np.ndarray
    path: np.ndarray
    early: float

    @property
    def ratio(self) -> float:
        """Later over earlier root mean squared gap; infinite where the earlier periods are followed exactly."""
        late = float(np.sqrt(np.mean(self.path[len(self.periods) :] ** 2)))
        return late / self.early if self.early > EXACT * late else math.inf


def simplex(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return w ≥ 0, Σw = 1 that minimises |a·w − b|².

    On the simplex a·w − b = (a − b1')w, so the answer is the point of a hull nearest to the origin: in proportion to the
    non-negative u that minimises |(a − b1')u|² + s²(Σu − 1)², whatever s (exact, by active sets).
    """
    rows = a - b[:, None]
    scale = float(np.sqrt((rows**2).sum(axis=0).mean())) or 1.0
    u, _ = nnls(np.vstack([rows / scale, np.ones((1, a.shape[1]))]), np.append(np.zeros(len(rows)), 1.0))
    return u / u.sum()


def control(block: Block) -> Weighted:
    """Return the synthetic control: donors weighted to follow the treated before the start.

    With predictors Σ_k v_k (x₁k − Σ wᵢx_ik)² is minimised instead, v on the simplex so that the earlier outcomes are followed
    best (Nelder-Mead from the best of equal, single and scattered weights, since there are many local minima).
    """
    t0 = block.before
    early, mine = block.donors[:, :t0].T, block.treated[:t0]
    w = simplex(early, mine) if block.predictors is None else _by_predictors(block.predictors[:, :, :t0], early, mine)
    path = block.treated - w @ block.donors
    return Weighted(float(path[t0:].mean()), w, np.zeros(t0), path, float(np.sqrt(np.mean(path[:t0] ** 2))))


def _by_predictors(x: np.ndarray, early: np.ndarray, mine: np.ndarray) -> np.ndarray:
    known = ~np.isnan(x).all(axis=(1, 2))
    means = np.nanmean(x[known], axis=2)
    spread = means.std(axis=1, ddof=1)
    means = (means / np.where(spread > 0, spread, 1.0)[:, None])[spread > 0]
    if not len(means):
        raise error("no_predictors")

    def weights(theta: np.ndarray) -> np.ndarray:
        root = np.exp((theta - theta.max()) / 2)[:, None]
        return simplex(root * means[:, 1:], root[:, 0] * means[:, 0])

    miss = lambda theta: float(((early @ weights(theta) - mine) ** 2).mean())  # noqa: E731
    k = len(means)
    if k == 1:
        return weights(np.zeros(1))
    tried = np.vstack([np.zeros(k), 4 * np.eye(k), np.random.default_rng(0).normal(0, 6, (SCATTER * k, k))])
    options = {"maxfev": SEARCH * k, "xatol": 1e-3, "fatol": 1e-9 * mine.var()}
    found = []
    for start in tried[np.argsort([miss(theta) for theta in tried], kind="stable")[:STARTS]]:
        around = np.vstack([start, start + 1.5 * np.eye(k)])
        found.append(minimize(miss, start, method="Nelder-Mead", options=options | {"initial_simplex": around}))
    return weights(min(found, key=lambda one: one.fun).x)


def noise(block: Block) -> float:
    """Return the standard deviation of the donors' changes from one earlier period to the next."""
    return float(np.std(np.diff(block.donors[:, : block.before], axis=1), ddof=1)) if block.before > 1 else 0.0


def differences(block: Block) -> Weighted:
    """Return the synthetic difference in differences.

    Unit weights with an intercept and ridge ζ²·T₀, ζ = (N₁T₁)^¼ · `noise`; period weights with an intercept and a ridge of
    (10⁻⁶ noise)²·N₀.
    """
    from diff_diff.utils import compute_sdid_unit_weights, compute_time_weights

    t0 = block.before
    early, late = block.donors[:, :t0].T, block.donors[:, t0:].T
    sd = noise(block)
    zeta, least = (block.n_treated * len(late)) ** 0.25 * sd, 1e-5 * sd
    units = np.asarray(compute_sdid_unit_weights(early, block.treated[:t0], zeta, min_decrease=least))
    periods = np.asarray(compute_time_weights(early, late, 1e-6 * sd, min_decrease=least))
    gap = block.treated - units @ block.donors
    path = gap - periods @ gap[:t0]
    return Weighted(float(path[t0:].mean()), units, periods, path, float(np.std(path[:t0])))


def plain(block: Block) -> float:
    """Return the difference in differences with equal weights."""
    gap = block.treated - block.donors.mean(axis=0)
    return float(gap[block.before :].mean() - gap[: block.before].mean())


def fit(block: Block, method: str) -> Weighted:
    """Fit by name: ``control`` or ``did``."""
    return control(block) if method == "control" else differences(block)


@dataclass(frozen=True, eq=False)
class Case:
    """A block with the names of its donors and its periods, and how many units were left out for gaps."""

    block: Block
    names: tuple[Any, ...]
    periods: np.ndarray
    left_out: int
    dropped: int


def synthetic(
    frame: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    treated: Hashable | Sequence[Hashable],
    first_year: int,
    method: str = "control",
    predictors: Sequence[Predictor] = (),
    level: float = 0.95,
) -> Effect:
    """Compare a place with a weighted mix of others that followed it until the policy (合成控制法).

    ``control``: Y_treated − Σ wᵢYᵢ with w on the simplex, fitted to the earlier outcomes or to predictors. ``did``: the same
    with an intercept, a ridge, and weights of earlier periods (synthetic difference in differences). Every donor is put in
    the treated's place to see what the method finds where nothing happened.

    Parameters
    ----------
    frame
        One row per unit and period, e.g. the counties table.
    outcome, unit, time
        Columns; ``time`` in whole periods. Donors with a gap are left out and counted.
    treated
        The treated unit's value in ``unit`` (or several), or a column 0/1 that marks it.
    first_year
        First treated period.
    method
        ``control`` or ``did``.
    predictors
        Columns averaged over the earlier periods, or pairs of a column and the periods to average, e.g. ``("tax", [2015])``.
        None given: every earlier outcome.
    level
        Of the interval.

    Returns
    -------
    Effect
        ``estimate``: mean effect over the later periods. ``p_value``: the treated's rank among the placebos, by later over
        earlier root mean squared gap (``control``) or by size (``did``); it cannot be below 1/(donors + 1). ``low``,
        ``high``: every constant effect that the same rank does not reject; NaN where donors are too few to reject
        any, or it rejects all. ``std_error``: spread of the placebos. ``details``: synthetic_control, synthetic_did, did,
        n_donors, rank, weights, periods, path, placebos (frames), left_out, dropped. Checks: pre_fit, placebo_date,
        leave_one_out, donors.

    Raises
    ------
    EffectError
        If the treated is not there or has gaps, or there are fewer than 2 earlier periods or 3 donors.

    Examples
    --------
    >>> from lyeval import effect
    >>> towns = effect.example("towns")
    >>> found = effect.synthetic(towns, outcome="level", unit="town", time="year", treated=3, first_year=2021, method="did")
    >>> found.details["n_donors"], found.p_value >= 1 / 24
    (23, True)
    """
    if method not in METHODS or (predictors and method == "did"):
        raise error("bad_synthetic", given=method)
    case = _case(frame, (outcome, unit, time), treated, first_year, predictors)
    block = case.block
    found, placebos = fit(block, method), _placebos(block, method)
    values = np.array([one.ratio if method == "control" else abs(one.estimate) for one in placebos])
    rank = 1 + int((values >= (found.ratio if method == "control" else abs(found.estimate))).sum())
    se = float(np.std([one.estimate for one in placebos]))
    low, high = _interval(found, values, method, level)
    both = {"control": found if method == "control" else control(block), "did": differences(block)}
    several = block.n_treated > 1
    details: dict[str, Any] = {
        "method": method,
        "synthetic_control": both["control"].estimate,
        "synthetic_did": both["did"].estimate,
        "did": plain(block),
        "n_donors": len(case.names),
        "rank": rank,
        "weights": pd.DataFrame({"unit": case.names, **{name: one.units for name, one in both.items()}}),
        "periods": pd.DataFrame({"time": case.periods[: block.before], "weight": both["did"].periods}),
        "path": pd.DataFrame(
            {"time": case.periods, "treated": block.treated, "synthetic": block.treated - found.path, "gap": found.path}
        ),
        "placebos": pd.DataFrame(
            {
                "unit": range(len(placebos)) if several else case.names,
                "estimate": [one.estimate for one in placebos],
                "ratio": [one.ratio for one in placebos],
            }
        ),
        "said": told("by_rank", rank=rank, n=len(values) + 1),
        "left_out": case.left_out,
        "dropped": case.dropped,
    }
    checks = (_pre_fit(found, placebos), _date(case, method), _leave_out(block, found, se, method), _enough(case))
    n = (len(case.names) + block.n_treated) * len(case.periods)
    estimand = told("synthetic", who="、".join(map(str, _asked(treated))), outcome=outcome, first=first_year)
    p_value = rank / (len(values) + 1)
    return Effect("synthetic", estimand, found.estimate, se, p_value, low, high, n, details, checks, level)


def _interval(found: Weighted, values: np.ndarray, method: str, level: float) -> tuple[float, float]:
    """Return the constant effects τ that the placebos' rank does not reject: (1 + #{placebo ≥ treated less τ}) / (n + 1) ≥ α.

    ``control``: mean squared later gap less τ over the earlier one; ``did``: size of the estimate less τ.
    """
    needed = math.ceil((1 - level) * (len(values) + 1) - 1 - 1e-9)
    most = float(np.sort(values)[-needed]) if needed > 0 else math.inf
    if math.isinf(most):
        return math.nan, math.nan
    if method == "did":
        return found.estimate - most, found.estimate + most
    late = found.path[len(found.periods) :]
    room = (most * found.early) ** 2 - float(late.var())
    return (found.estimate - math.sqrt(room), found.estimate + math.sqrt(room)) if room >= 0 else (math.nan, math.nan)


def _case(
    frame: pd.DataFrame, names: tuple[str, str, str], treated: Any, first_year: int, predictors: Sequence[Predictor]
) -> Case:
    outcome, unit, time = names
    data = columns(frame, [time, outcome], [unit])
    varies(data[outcome], outcome)
    every = labels(frame, unit)
    y, _, periods = grid(data, outcome, unit, time)
    present = np.unique(data[unit]).astype(int)
    marked = _marked(frame, unit, treated, every)[present]
    whole: np.ndarray = np.logical_not(np.isnan(y).any(axis=1))
    if not whole[marked].all() or not marked.any():
        raise error("treated_gaps", outcome=outcome)
    rest = whole & ~marked
    before = int((periods < first_year).sum())
    if before < 2 or before == len(periods):
        raise error("few_periods", first=first_year)
    if rest.sum() < 3 or rest.sum() <= marked.sum() + 1:
        raise error("few_donors", n=int(rest.sum()))
    x = [_predictor(frame, one, (unit, time), periods, present) for one in predictors]
    given = np.array([np.vstack([one[marked].mean(axis=0), one[rest]]) for one in x]) if x else None
    if given is not None and np.isnan(np.where(np.isnan(given[:, :1]), 0.0, given)[:, :, :before]).any():
        raise error("predictor_gaps")
    block = Block(y[marked].mean(axis=0), y[rest], before, int(marked.sum()), given)
    return Case(block, tuple(every[present][rest]), periods, len(every) - int(whole.sum()), data.dropped)


def _predictor(
    frame: pd.DataFrame, one: Predictor, at: tuple[str, str], periods: np.ndarray, present: np.ndarray
) -> np.ndarray:
    """Lay a predictor out by unit and period, NaN in periods that were not asked for."""
    name, asked = (one, periods) if isinstance(one, str) else (one[0], np.asarray(one[1]))
    data = columns(frame, [at[1], name], [at[0]])
    values, _, own = grid(data, name, *at)
    out = np.full((len(present), len(periods)), np.nan)
    rows, cols = np.isin(np.unique(data[at[0]]), present), np.isin(own, periods)
    out[np.ix_(np.isin(present, np.unique(data[at[0]])), np.isin(periods, own))] = values[np.ix_(rows, cols)]
    return np.where(np.isin(periods, asked), out, np.nan)


def _asked(treated: Any) -> list[Any]:
    return [treated] if isinstance(treated, str) or not isinstance(treated, Sequence) else list(treated)


def _marked(frame: pd.DataFrame, unit: str, treated: Any, every: pd.Index) -> np.ndarray:
    """Return which units are treated: named by their values, or marked by a column."""
    if isinstance(treated, str) and treated not in every and treated in frame.columns:
        data = columns(frame, [treated], [unit])
        out = np.bincount(data[unit].astype(int), weights=flag(data[treated], treated), minlength=len(every)) > 0
    else:
        missing = [str(one) for one in _asked(treated) if one not in every]
        if missing:
            raise error("no_unit", unit=unit, which="、".join(missing))
        out = np.asarray(every.isin(_asked(treated)))
    if not out.any():
        raise error("marks_none", treated=str(treated), unit=unit)
    return out


def _placebos(block: Block, method: str) -> list[Weighted]:
    """Put each donor (or, for several treated, 200 drawn groups of donors) in the treated's place."""
    count, rng = len(block.donors), np.random.default_rng(0)
    sets = [np.array([i]) for i in range(count)]
    if block.n_treated > 1:
        sets = [np.sort(rng.choice(count, block.n_treated, replace=False)) for _ in range(DRAWS)]
    return [fit(block.as_if(chosen), method) for chosen in sets]


def _pre_fit(found: Weighted, placebos: Sequence[Weighted]) -> Check:
    usual = float(np.median([one.early for one in placebos]))
    ratio = found.early / usual if usual > 0 else math.inf
    return check("pre_fit", ratio <= POOR, ratio, value=found.early, ratio=ratio, most=f"{POOR:g}")


def _date(case: Case, method: str) -> Check:
    """Pretend the policy began half-way through the earlier periods, later rows unseen."""
    before = case.block.before
    if before < 4:
        return check("placebo_date", None, None, "few_for_date")
    early = case.block.until(before // 2)
    value, spread = fit(early, method).estimate, float(np.std([one.estimate for one in _placebos(early, method)]))
    start = str(case.periods[before // 2])
    return check(
        "placebo_date", abs(value) < Z_95 * spread, value, "placebo_spread", start=start, value=value, spread=spread
    )


def _leave_out(block: Block, found: Weighted, se: float, method: str) -> Check:
    """Leave out each donor with weight: the sign must stay, and the estimate within 1.96 of the placebos' spread."""
    left = [fit(block.without(int(i)), method).estimate for i in np.flatnonzero(found.units > WEIGHTY)]
    reach = Z_95 * se
    whole = (found.estimate, found.estimate - reach, found.estimate + reach)
    return within(whole, left, "leave_one_out", "leave_one_donor", sign=True)


def _enough(case: Case) -> Check:
    """With fewer than 20 donors no rank is below 5 %: open, since the estimate stands all the same."""
    least = 1 / (len(case.names) + 1)
    return check("donors", True if least < 0.05 else None, len(case.names), n=len(case.names), least=number(least))
