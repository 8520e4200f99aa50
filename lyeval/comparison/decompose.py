"""Why two places' results differ: rules, readings, enterprises, and a remainder that cannot be told apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lyeval.comparison.compare import by_tax_alone, frame_as_if
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
        remainder: year, economy and conduct cannot be told apart), constructed (True where the part is zero by construction: readings
        where neither place departs from its plan's defaults). The values add to value_b − value_a.
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
        found = self.parts[~self.parts["constructed"]]
        told = ", ".join(f"{p} {100 * v:+.1f}" for p, v in zip(found["part"], found["value"], strict=True))
        return f"Decomposition({100 * self.value_a:.1f} % → {100 * self.value_b:.1f} %: {told})"

    def _repr_html_(self) -> str:
        return str(self.parts.to_html(index=False, na_rep="—"))


@dataclass(frozen=True, eq=False)
class Place:
    """One place's ledger, plan, year and readings of that plan."""

    ledger: Ledger
    policy: Policy
    year: int
    readings: Mapping[str, str] = field(default_factory=dict)

    @property
    def read_otherwise(self) -> bool:
        """Whether any reading in force is not the plan's default."""
        return any(option != self.policy.reading(id).default for id, option in self.readings.items())


@dataclass(frozen=True, eq=False)
class Standings:
    """A population under a plan: who is listed and still there, who has reached, and in which cell each stood before."""

    listed: np.ndarray
    reached: np.ndarray
    cell: np.ndarray


Table = Mapping[tuple[int, int, int], Standings]


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
    tax_alone: bool = False,
) -> Decomposition:
    """Split the gap between two places' attainment (达标率) by what is swapped.

    Parameters
    ----------
    readings
        The readings in force in a, of a's plan, and in b, of b's. They never meet: where the plans are swapped and the readings are not,
        the plan stands under its defaults.
    draws, seed
        Bootstrap resamples of enterprises.
    tax_alone
        List by the tax criterion alone, which no missing fact of contract or building leaves open.

    Raises
    ------
    PolicyError
        Nobody is listed in one of the places, or a reading that its plan does not have.

    Notes
    -----
    Four switches, each at a or b: rules, readings, the distribution of the listed over cells of class × last year's tax per mu, and the
    population whose passage through the year is looked at (reweighted to that distribution). The remainder is what the last switch does. Each
    part is its Shapley value: the mean, over the orders of swapping, of what the swap adds; so they add up exactly.

    Examples
    --------
    >>> import lyeval as ly
    >>> here = ly.read_ledger("sample:linshu")
    >>> ly.decompose(here, "linshu-2021", 2023, here, "linshu-2021", 2023, draws=10).parts["value"].tolist()
    [0.0, 0.0, 0.0, 0.0]
    """
    plans = [load_policy(p) for p in (policy_a, policy_b)]
    given = zip((ledger_a, ledger_b), plans, (year_a, year_b), readings, strict=True)
    places = [Place(*one) for one in given]
    table = _populations(places, tax_alone)
    counts = [int(table[k, k, k].listed.sum()) for k in (0, 1)]
    if not all(counts):
        raise PolicyError("decompose: 有一地没有列入名单的企业，无法分解 / nobody is listed in one of the places")
    parts = _shapley(table, _ones(table))
    spread = _bootstrap(table, draws, seed)
    constructed = {"readings": not any(place.read_otherwise for place in places)}
    rows = [
        (name, *LABELS[name], float(parts[i]), *_interval(spread[:, i], name), constructed.get(name, False))
        for i, name in enumerate(PARTS)
    ]
    values = [_value(table, (k, k, k, k), _ones(table)) for k in (0, 1)]
    frame = pd.DataFrame(rows, columns=["part", "label", "label_en", "value", "low", "high", "constructed"])
    return Decomposition(values[0], values[1], frame, counts[0], counts[1], _uncovered(table))


def by_year_and_reading(a: Place, b: Place, years: Sequence[int] = ()) -> pd.DataFrame:
    """Split the gap again for each year of ``b``, for either plan's readings one at a time, and on the tax criterion alone.

    Parameters
    ----------
    years
        Of ``b``; its own year if none.

    Returns
    -------
    DataFrame
        case (year, tax_alone, reading), side (whose reading), switch, option, label, label_en, year_b, n_a, n_b, value_a, value_b, and
        one column a part. No row where nobody is listed in one of the places.
    """
    rows = []
    for case, one, two, tax_alone in _cases(a, b, years or [b.year]):
        table = _populations([one, two], tax_alone)
        counts = [int(table[k, k, k].listed.sum()) for k in (0, 1)]
        if all(counts):
            ends = [_value(table, (k, k, k, k), _ones(table)) for k in (0, 1)]
            parts = _shapley(table, _ones(table)).tolist()
            rows.append((*case, two.year, *counts, *ends, *parts))
    columns = ["case", "side", "switch", "option", "label", "label_en", "year_b", "n_a", "n_b", "value_a", "value_b"]
    return pd.DataFrame(rows, columns=[*columns, *PARTS])


Case = tuple[tuple[str, str, str, str, str, str], Place, Place, bool]


def _cases(a: Place, b: Place, years: Sequence[int]) -> Iterator[Case]:
    """Yield what is compared: each year of ``b``, the tax criterion alone, then every option that is not in force."""
    for year in years:
        words = (f"{b.policy.place.name}{year}年", f"{b.policy.place.name_en} {year}")
        yield ("year", "", "", str(year), *words), a, replace(b, year=year), False
    yield ("tax_alone", "", "", "", "只按税收标准", "the tax criterion alone"), a, b, True
    for side, place in (("a", a), ("b", b)):
        for reading in place.policy.readings:
            in_force = place.readings.get(reading.id, reading.default)
            for option in (o for o in reading.options if o.id != in_force and o.set):
                other = replace(place, readings={**place.readings, reading.id: option.id})
                words = (f"{reading.question}{option.label}", f"{reading.question_en} {option.label_en}")
                yield (
                    ("reading", side, reading.id, option.id, *words),
                    (other if side == "a" else a),
                    (other if side == "b" else b),
                    False,
                )


LABELS = {
    "rules": ("规则", "rules"),
    "readings": ("读法", "readings"),
    "enterprises": ("企业分布", "distribution of firms"),
    "remainder": ("余项（年份、宏观、行为不可分）", "remainder (year, economy, behaviour)"),
}


def _interval(values: np.ndarray, name: str) -> tuple[float | None, float | None]:
    if name == "remainder":
        return None, None
    low, high = np.quantile(values[~np.isnan(values)], INTERVAL)
    return float(low), float(high)


def _populations(places: Sequence[Place], tax_alone: bool) -> Table:
    """Return who stands where under each plan, read its own way or by default, in each population."""
    return {
        (rules, reads, people): _population(places[rules], reads == rules, places[people], tax_alone)
        for rules, reads, people in itertools.product((0, 1), repeat=3)
    }


def _population(rules: Place, read: bool, people: Place, tax_alone: bool) -> Standings:
    frame = frame_as_if(people.ledger, rules.policy, people.year, rules.readings if read else {})
    ratio, before = frame.reported.tax_per_mu, frame.before.tax_per_mu
    known = ~np.isnan(ratio) & ~np.isnan(before)
    chosen = by_tax_alone(frame) if tax_alone else frame.identified
    listed = chosen.true & ~frame.exits.gone.true & known
    cell = np.digitize(np.nan_to_num(before), EDGES) + len(EDGES) * 2 * frame.above.true
    return Standings(listed, frame.below(ratio).false, cell)


def _ones(table: Table) -> list[np.ndarray]:
    return [np.ones(len(table[0, 0, m].listed)) for m in (0, 1)]


def _bootstrap(table: Table, draws: int, seed: int) -> np.ndarray:
    """Return the parts over resamples of enterprises, shape (draws, 4)."""
    rng, ones = np.random.default_rng(seed), _ones(table)
    again = [[rng.multinomial(len(w), w / len(w)).astype(float) for w in ones] for _ in range(draws)]
    return np.array([_shapley(table, weights) for weights in again])


def _value(table: Table, at: tuple[int, ...], weights: list[np.ndarray]) -> float:
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


def _shapley(table: Table, weights: list[np.ndarray]) -> np.ndarray:
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


def _uncovered(table: Table) -> tuple[float, float]:
    shares = []
    for k in (0, 1):
        own, other = table[k, k, k], table[k, k, 1 - k]
        alone = ~np.isin(own.cell[own.listed], other.cell[other.listed])
        shares.append(float(alone.mean()))
    return shares[0], shares[1]
