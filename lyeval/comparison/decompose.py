"""Why two places' results differ: rules, readings, enterprises, and a remainder that cannot be told apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment
from lyeval.comparison.carry import assess_as_if
from lyeval.ledger import Ledger
from lyeval.policy import Policy, PolicyError, load_policy

PARTS = ("rules", "readings", "enterprises", "remainder")
EDGES = np.array([0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0])
INTERVAL = (0.05, 0.95)


@dataclass(frozen=True, eq=False)
class Decomposition:
    """The gap between two places' attainment, b − a, split exactly.

    Attributes
    ----------
    value_a, value_b
        Share of the listed, not gone, that stand at or above their class's line: each place under its own plan, readings and year.
    parts
        part (rules, readings, enterprises, remainder), label, label_en, value, low, high (90 % bootstrap over enterprises; None for the
        remainder: year, economy and conduct cannot be told apart). The values add to value_b − value_a.
    n_a, n_b
        Listed enterprises counted.
    uncovered
        Share of each place's listed whose cell of class and tax per mu nobody in the other place's list stands in.
    """

    value_a: float
    value_b: float
    parts: pd.DataFrame
    n_a: int
    n_b: int
    uncovered: tuple[float, float]

    def tidy(self) -> pd.DataFrame:
        """Return the parts."""
        return self.parts

    def __repr__(self) -> str:
        """Return the gap and its parts in percentage points."""
        told = ", ".join(f"{p} {100 * v:+.1f}" for p, v in zip(self.parts["part"], self.parts["value"], strict=True))
        return f"Decomposition({100 * self.value_a:.1f} % → {100 * self.value_b:.1f} %: {told})"

    def _repr_html_(self) -> str:
        return str(self.parts.to_html(index=False, na_rep="—"))


@dataclass(frozen=True, eq=False)
class Place:
    """One place's ledger, plan, year and readings."""

    ledger: Ledger
    policy: Policy
    year: int
    readings: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Standing:
    """A population under a plan: who is listed and still there, who has reached, and in which cell each stood before."""

    listed: np.ndarray
    reached: np.ndarray
    cell: np.ndarray


def decompose(
    ledger_a: Ledger,
    policy_a: str | Policy,
    year_a: int,
    ledger_b: Ledger,
    policy_b: str | Policy,
    year_b: int,
    *,
    readings: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
    draws: int = 500,
    seed: int = 0,
) -> Decomposition:
    """Split the gap between two places' attainment (达标率) by what is swapped.

    Parameters
    ----------
    readings
        The readings in force in a and in b; those that a plan does not have are left out when it is swapped in.
    draws, seed
        Bootstrap resamples of enterprises.

    Raises
    ------
    PolicyError
        Nobody is listed in one of the places.

    Notes
    -----
    Four switches, each at a or b: rules, readings, the distribution of the listed over cells of class × last year's tax per mu, and the
    population whose passage through the year is looked at (reweighted to that distribution). The remainder is what the last switch does. Each
    part is its Shapley value: the mean, over the orders of swapping, of what the swap adds; so they add up exactly.

    Examples
    --------
    >>> parts = ly.decompose(ledger, policy, 2020, ledger, policy, 2020, draws=20)
    >>> parts.value_a == parts.value_b
    True
    """
    places = [
        Place(ledger, p if isinstance(p, Policy) else load_policy(p), year, r)
        for ledger, p, year, r in zip(
            (ledger_a, ledger_b), (policy_a, policy_b), (year_a, year_b), readings, strict=True
        )
    ]
    table = {(r, s, m): _standing(places, r, s, m) for r, s, m in itertools.product((0, 1), repeat=3)}
    counts = [int(table[k, k, k].listed.sum()) for k in (0, 1)]
    if not all(counts):
        raise PolicyError("decompose: 有一地没有列入名单的企业，无法分解 / nobody is listed in one of the places")
    ones = [np.ones(len(table[0, 0, m].listed)) for m in (0, 1)]
    parts = _shapley(table, ones)
    rng = np.random.default_rng(seed)
    spread = np.array(
        [_shapley(table, [rng.multinomial(len(w), w / len(w)).astype(float) for w in ones]) for _ in range(draws)]
    )
    rows = [(name, *LABELS[name], float(parts[i]), *_interval(spread[:, i], name)) for i, name in enumerate(PARTS)]
    values = [_value(table, (k, k, k, k), ones) for k in (0, 1)]
    frame = pd.DataFrame(rows, columns=["part", "label", "label_en", "value", "low", "high"])
    return Decomposition(values[0], values[1], frame, counts[0], counts[1], _uncovered(table))


LABELS = {
    "rules": ("规则", "rules"),
    "readings": ("读法", "readings"),
    "enterprises": ("企业分布", "enterprises' distribution"),
    "remainder": ("余项（年份、宏观、行为不可分）", "remainder (year, economy, conduct)"),
}


def _interval(values: np.ndarray, name: str) -> tuple[float | None, float | None]:
    if name == "remainder":
        return None, None
    low, high = np.quantile(values[~np.isnan(values)], INTERVAL)
    return float(low), float(high)


def _standing(places: list[Place], rules: int, reads: int, people: int) -> Standing:
    place = places[people]
    a = assess_as_if(place.ledger, places[rules].policy, place.year, readings=dict(places[reads].readings))
    return _stand(a)


def _stand(a: Assessment) -> Standing:
    frame = a.frame
    ratio, before = frame.reported.tax_per_mu, frame.before.tax_per_mu
    known = ~np.isnan(ratio) & ~np.isnan(before)
    listed = frame.identified.true & ~frame.exits.gone.true & known
    cell = np.digitize(np.nan_to_num(before), EDGES) + len(EDGES) * 2 * frame.above.true
    return Standing(listed, frame.below(ratio).false, cell)


def _value(table: Mapping[tuple[int, int, int], Standing], at: tuple[int, ...], weights: list[np.ndarray]) -> float:
    """Attainment with rules, readings, distribution and population each of place a (0) or b (1)."""
    rules, reads, spread, people = at
    own = table[rules, reads, people]
    mass = weights[people] * own.listed
    if spread != people:
        other = table[rules, reads, spread]
        size = int(max(own.cell.max(), other.cell.max())) + 1
        have = np.bincount(own.cell, mass, size)
        want = np.bincount(other.cell, weights[spread] * other.listed, size)
        with np.errstate(divide="ignore", invalid="ignore"):
            mass = mass * np.where(have > 0, want / have, 0.0)[own.cell]
    total = mass.sum()
    return float((mass * own.reached).sum() / total) if total > 0 else math.nan


def _shapley(table: Mapping[tuple[int, int, int], Standing], weights: list[np.ndarray]) -> np.ndarray:
    """Mean contribution of each switch over all orders, shape (4,)."""
    value: dict[tuple[int, ...], float] = {at: _value(table, at, weights) for at in itertools.product((0, 1), repeat=4)}
    out = np.zeros(len(PARTS))
    for order in itertools.permutations(range(len(PARTS))):
        at = [0, 0, 0, 0]
        for i in order:
            before = value[tuple(at)]
            at[i] = 1
            out[i] += value[tuple(at)] - before
    return out / math.factorial(len(PARTS))


def _uncovered(table: Mapping[tuple[int, int, int], Standing]) -> tuple[float, float]:
    shares = []
    for k in (0, 1):
        own, other = table[k, k, k], table[k, k, 1 - k]
        alone = ~np.isin(own.cell[own.listed], other.cell[other.listed])
        shares.append(float(alone.mean()))
    return shares[0], shares[1]
