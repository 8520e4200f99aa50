"""Two places on one ruler (两地同一把尺): one basis, one time since the plan, each other's rules, and what may be said of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment, Frame
from lyeval.assessment.flows import door_of
from lyeval.assessment.frame import under
from lyeval.assessment.standing import standing_of
from lyeval.comparison.compare import (
    as_if,
    basis,
    by_tax_alone,
    crossed,
    elements,
    frame_as_if,
    governs,
    listed_row,
    ratio,
    read_as,
    wanting,
)
from lyeval.comparison.decompose import Decomposition, Place, by_year_and_reading, decompose
from lyeval.comparison.sweep import demand, sanctions
from lyeval.effect import Effect, refuse
from lyeval.effect.estimate import told
from lyeval.forecasting import forecast
from lyeval.ledger import Ledger
from lyeval.panels import panel
from lyeval.policy import Policy, load_policy
from lyeval.simulation.known import as_known, date_of
from lyeval.studies import no_policy_odds
from lyeval.studies.questions import first_year

SIDES = ("a", "b")
STATES = ("D", "below", "above", "exit", "unknown")


@dataclass(frozen=True, eq=False)
class TwoPlaces:
    """Two places compared; every table has a column ``side`` (a, b: whose enterprises), and text columns an ``_en`` twin.

    Attributes
    ----------
    about
        side, place, policy, title, document, issued, year, list_year, base_year, first_year (the plan's first), line, enterprises,
        listed, first_list, synthetic, cut (nothing later is read).
    basis
        side, year, when (base, own), class, line, n, below, share, land_mu, land_share: one basis for both, whatever the plans say.
    rates
        side, followed (first_list, own_list), list_year, year, line, months (since the plan was issued), horizon (base: before the plan's
        first year; first; own), listed, left, no_figures, counted, reached, dropped, failed, passed (the share that reached its line with those
        who left left out, failed, passed), low, high (Wilson, of ``dropped``), stock_share, stock_land_share (all in scope below that line).
    difference
        Share of the first list at its line in the plan's first year, a − b: estimate, low, high (Newcombe; a super-population reading).
    rules
        side, rules (whose), as_if, year, all of `lists` of a comparison (listed, undecided and bounds, tax criterion alone), counted, reached,
        attainment, attainment_low, attainment_high, met, missed, undetermined (targets).
    crossed
        side, by (all: every criterion; tax: the tax criterion alone), both, a_only, b_only, neither, undecided.
    wanting
        side, rules, criterion, label, clause, n: for want of whose facts enterprises are undecided.
    elements
        side and the columns of `elements`: the own plan's rules turned into the other's, one element at a time.
    odds
        side, rules, as_if, id, label, year, probability, mc_error: targets under either set of rules, on common draws.
    demand
        side, rules and the columns of `demand`: every step of either plan on either population; for the own plan also lifted (share of
        those below that reversion and noise alone would put at the line by then).
    sanctions
        side, rules and the columns of `sanctions`.
    transitions
        side, group (listed, unlisted on the first list), before, after (D, below, above, exit, unknown), n: from the list's figures to the
        own year.
    doors
        side, door, label, n: of all below the line in the year before the own year, however listed.
    firms
        side, credit_code, name, township, industry, land_mu, tax_per_mu_before, listed_a, listed_b, tax_a, tax_b (True, False, None).
    claims
        id, may (yes, no), claim, why.
    decomposition, cases
        The gap between the two places' attainment, split; and split again by b's year, by reading, and on the tax criterion alone.
    refused
        The test of one place against the other, with the reason why there is none.
    """

    about: pd.DataFrame
    basis: pd.DataFrame
    rates: pd.DataFrame
    difference: pd.DataFrame
    rules: pd.DataFrame
    crossed: pd.DataFrame
    wanting: pd.DataFrame
    elements: pd.DataFrame
    odds: pd.DataFrame
    demand: pd.DataFrame
    sanctions: pd.DataFrame
    transitions: pd.DataFrame
    doors: pd.DataFrame
    firms: pd.DataFrame
    claims: pd.DataFrame
    decomposition: Decomposition
    cases: pd.DataFrame
    refused: Effect

    def tidy(self) -> pd.DataFrame:
        """Return every rate with its list, year and number."""
        return self.rates

    def __repr__(self) -> str:
        told = [f"{r['place_en']} {r['year']} lists {r['listed']}" for r in self.about.to_dict("records")]
        return f"TwoPlaces({' | '.join(told)}; {self.decomposition!r})"

    def _repr_html_(self) -> str:
        return str(self.rates.to_html(index=False, na_rep="—"))


def two_places(
    a: tuple[Ledger, str | Policy, int],
    b: tuple[Ledger, str | Policy, int],
    *,
    readings: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
    draws: int = 500,
    seed: int = 0,
    known_by: date | None = None,
) -> TwoPlaces:
    """Hold two places against one ruler.

    Parameters
    ----------
    a, b
        Ledger, plan and evaluation year of either place.
    readings
        Readings in force in either, each of its own plan.
    draws, seed
        Of the probabilities, of the no-policy projection and of the bootstrap; enterprises keep their draws under either set of rules.
    known_by
        The report's date: nothing later is read. None: the end of the later of the two years.

    Raises
    ------
    PolicyError
        A plan or reading that there is not; nobody is listed in one of the places.
    ValueError
        A place's ledger has no figures by ``known_by``.

    Examples
    --------
    >>> import lyeval as ly
    >>> here = ly.read_ledger("sample:linshu")
    >>> found = ly.two_places((here, "linshu-2021", 2022), (here, "linshu-2021", 2023), draws=100)
    >>> found.rates["followed"].unique().tolist()
    ['first_list', 'own_list']
    """
    places = [
        Place(cut(ledger, year, known_by or date(max(a[2], b[2]), 12, 31)), load_policy(p), year, dict(r))
        for (ledger, p, year), r in zip((a, b), readings, strict=True)
    ]
    rates, drawn = _each(places, lambda p: pd.DataFrame(_rates(p))), (draws, seed)
    given = [(p.ledger, p.policy, p.year) for p in places]
    pair = (places[0].readings, places[1].readings)
    return TwoPlaces(
        about=_each(places, _about),
        basis=_each(places, _basis),
        rates=rates,
        difference=_difference(rates),
        rules=_pairs(places, _ruled),
        crossed=_each(places, lambda p: _crossed(p, places)),
        wanting=_pairs(places, lambda p, q: wanting(_framed(p, q))),
        elements=_each(places, lambda p: _elements(p, places[1] if p is places[0] else places[0])),
        odds=_pairs(places, lambda p, q: _odds(p, q, drawn)),
        demand=_pairs(places, lambda p, q: _demand(p, q, drawn)),
        sanctions=_pairs(places, lambda p, q: sanctions(p.ledger, q.policy, p.year, q.readings)),
        transitions=_each(places, _transitions),
        doors=_each(places, _doors),
        firms=_each(places, lambda p: _firms(p, places)),
        claims=pd.read_csv(Path(__file__).with_name("claims.csv"), encoding="utf-8", dtype=str),
        decomposition=decompose(*given[0], *given[1], readings=pair, draws=draws, seed=seed),
        cases=by_year_and_reading(*places, years=_years_of(places[1])),
        refused=refuse("did", told("against"), told("two_place_years")),
    )


def cut(ledger: Ledger, year: int, day: date) -> Ledger:
    """Return a ledger as it was known on a day: figures of whole years that had ended by it, months and steps up to its month."""
    return as_known(ledger, date_of(f"{day:%Y-%m}", max(day.year + 1, year), ledger))


def _each(places: Sequence[Place], make: Callable[[Place], Any]) -> pd.DataFrame:
    """Join what is made of either place's enterprises, ``side`` first."""
    return _joined([({"side": side}, make(p)) for side, p in zip(SIDES, places, strict=True)])


def _pairs(places: Sequence[Place], make: Callable[[Place, Place], Any]) -> pd.DataFrame:
    """Join what is made of either place's enterprises under either place's rules, ``side`` and ``rules`` first."""
    sides = list(zip(SIDES, places, strict=True))
    return _joined([({"side": s, "rules": r}, make(p, q)) for s, p in sides for r, q in sides])


def _joined(parts: Sequence[tuple[dict[str, str], Any]]) -> pd.DataFrame:
    """Join tables, or rows of one, behind whose they are; tables without rows only where none has any."""
    if not isinstance(parts[0][1], pd.DataFrame):
        return pd.DataFrame([head | row for head, rows in parts for row in rows])
    made = [table.assign(**head) for head, table in parts]
    whole = pd.concat([f for f in made if len(f)] or made[:1], ignore_index=True)
    first = list(parts[0][0])
    return whole[[*first, *(c for c in whole if c not in first)]]


def _framed(people: Place, rules: Place, year: int | None = None) -> Frame:
    """Lay one place's plan, read as there, out over another's enterprises in their own year."""
    return frame_as_if(people.ledger, rules.policy, people.year if year is None else year, rules.readings)


def _list_year(place: Place) -> int:
    return min(place.policy.years.identification)


def _years_of(place: Place) -> list[int]:
    """Return the plan's target years up to the place's own that its ledger has figures of, its own year last."""
    past = {y for y in place.policy.years.targets if y < place.year and y in place.ledger.years}
    return sorted({*past, place.year})


def _about(place: Place) -> Iterator[dict[str, Any]]:
    plan, first, own = place.policy, _framed(place, place, _list_year(place)), _framed(place, place)
    yield {
        **{**_named(place), "policy": plan.id, "title": plan.title, "title_en": plan.title_en},
        **{"document": plan.document.number, "issued": pd.Timestamp(plan.document.issued), "year": place.year},
        **{"list_year": _list_year(place), "base_year": _list_year(place) - 1, "first_year": first_year(plan)},
        **{"line": float(np.nanmedian(first.before.line)), "enterprises": len(own.book)},
        **{"listed": int(own.identified.true.sum()), "first_list": int(first.identified.true.sum())},
        **{"synthetic": place.ledger.synthetic or "", "cut": max(place.ledger.years)},
    }


def _named(place: Place) -> dict[str, str]:
    """Name the place: the ledger's own counties where the plan is a city's and they are few."""
    own = place.policy.place
    frame = place.ledger.enterprises
    counties = sorted({str(c) for c in frame["county"].dropna()}) if "county" in frame else []
    if own.level == "county" or not 0 < len(counties) < 4:
        return {"place": own.name, "place_en": own.name_en}
    english = ", ".join(str(COUNTIES.get(name, name)) for name in counties)
    return {"place": "、".join(counties), "place_en": f"{english} ({own.name_en})"}


def _doors(place: Place) -> pd.DataFrame:
    """Return the doors, and among more tax those whose group as a whole pays no more (open where no groups are named)."""
    own = as_if(place.ledger, place.policy, place.year, readings=place.readings)
    table = own.doors[["door", "label", "label_en", "n"]].assign(n=lambda t: t["n"].astype("Int64"))
    moved = pd.DataFrame(
        [("group_tax", "其中：所属集团税收总额未增加", "of more tax: their group pays no more in all", _moved(own))],
        columns=table.columns,
    ).astype({"n": "Int64"})
    at = int(np.flatnonzero(table["door"] == "more_tax")[0]) + 1
    return pd.concat([table[:at], moved, table[at:]], ignore_index=True)


def _moved(own: Assessment) -> int | None:
    frame = own.frame
    if not frame.book.has("enterprises", "group"):
        return None
    groups = pd.Series(frame.book.text("group"))
    now, before = (
        pd.Series(np.nan_to_num(f.tax)).groupby(groups).transform("sum") for f in (frame.reported, frame.before)
    )
    rose = frame.below(frame.before.tax_per_mu).true & (door_of(standing_of(frame)) == "more_tax")
    return int((rose & (groups != "").to_numpy() & (now <= before).to_numpy()).sum())


def _basis(place: Place) -> pd.DataFrame:
    """Return the shares below 1, 2 and 3 万元/亩 in the year of the list's figures and in the own year."""
    years = {"base": _list_year(place) - 1, "own": place.year}
    there = {when: year for when, year in years.items() if year in place.ledger.years}
    made = [basis(_framed(place, place, y)).assign(when=w, year=y) for w, y in there.items()]
    return pd.concat(made, ignore_index=True)


def _ruled(place: Place, plan: Place) -> Iterator[dict[str, Any]]:
    """Put one place's enterprises under one plan, in their own year."""
    done = as_if(place.ledger, plan.policy, place.year, readings=plan.readings)
    counts = done.targets["status"].value_counts()
    head = {"as_if": not governs(plan.policy, place.year), "year": place.year}
    statuses = {status: int(counts.get(status, 0)) for status in ("met", "missed", "undetermined")}
    yield {**head, **listed_row(done.frame), **attained(done.frame), **statuses}


def attained(frame: Frame) -> dict[str, Any]:
    """Count who of the listed, not gone, stands at or above its line, with what the undecided allow.

    Notes
    -----
    Low: of the undecided only those that do not reach are listed; high: only those that do.
    """
    listed = frame.identified & ~frame.exits.gone
    reached = ~frame.below(frame.reported.tax_per_mu)
    sure = listed.true & ~reached.unknown
    n, yes = int(sure.sum()), int((sure & reached.true).sum())
    rest = listed.possible & ~sure
    fail, lift = int((rest & ~reached.true).sum()), int((rest & reached.possible).sum())
    return {
        **{"counted": n, "reached": yes, "attainment": ratio(yes, n)},
        **{"attainment_low": ratio(yes, n + fail), "attainment_high": ratio(yes + lift, n + lift)},
    }


def _crossed(place: Place, plans: Sequence[Place]) -> Iterator[dict[str, Any]]:
    one, two = (_framed(place, rules) for rules in plans)
    yield {"by": "all", **crossed(one.identified, two.identified)}
    yield {"by": "tax", **crossed(by_tax_alone(one), by_tax_alone(two))}


def _elements(own: Place, other: Place) -> pd.DataFrame:
    """Turn the own plan's rules into the other's on the own enterprises."""
    pair = (own.readings, other.readings)
    made = elements(own.ledger, own.policy, other.policy, own.year, readings=pair)
    return made.replace({"element": {"a": "own", "b": "other"}})


def _firms(place: Place, plans: Sequence[Place]) -> pd.DataFrame:
    """List the enterprises of one place with what either set of rules says of each."""
    frames = {rules: _framed(place, plan) for rules, plan in zip(SIDES, plans, strict=True)}
    own = _framed(place, place)
    before, laid = own.before, own.book
    texts = {name: laid.text(name) for name in ("name", "township", "industry_code")}
    out = pd.DataFrame({"credit_code": laid.codes, **texts}).rename(columns={"industry_code": "industry"})
    out["industry"] = out["industry"].astype(str).str[:2]
    out["land_mu"], out["tax_per_mu_before"] = before.land, before.tax_per_mu
    for rules, frame in frames.items():
        out[f"listed_{rules}"] = frame.identified.objects()
        out[f"tax_{rules}"] = by_tax_alone(frame).objects()
    return out


def _odds(place: Place, plan: Place, drawn: tuple[int, int]) -> pd.DataFrame:
    """Give the probability of one plan's targets among one place's enterprises, known at the end of the year before."""
    chosen, _ = read_as(plan.policy, place.year, plan.readings)
    made = forecast(place.ledger, chosen, place.year, as_of=f"{place.year - 1}-12", draws=drawn[0], seed=drawn[1])
    columns = ["id", "label", "label_en", "year", "probability", "mc_error"]
    return made.targets[columns].assign(as_if=not governs(plan.policy, place.year))


def _rates(place: Place) -> Iterator[dict[str, Any]]:
    """Follow the first list through the years, at its own line; then the list of the own year in that year."""
    start = _list_year(place)
    first = _framed(place, place, start)
    for year in (y for y in place.ledger.years if start <= y <= place.year):
        yield _rate(place, "first_list", first, _framed(place, place, year), first.before.line)
    own = _framed(place, place, place.year)
    yield _rate(place, "own_list", own, own, own.lines[0])


def _rate(place: Place, followed: str, listing: Frame, now: Frame, line: np.ndarray) -> dict[str, Any]:
    """Say how many of a list stand at a line in a year: out of whom, how long after the plan."""
    listed, gone = listing.identified.true, now.exits.gone.true
    per_mu, land = now.reported.tax_per_mu, np.nan_to_num(now.reported.land)
    below, there = under(per_mu, line), listed & ~gone
    reached, n = int((there & below.false).sum()), int((there & ~below.unknown).sum())
    left, issued, start = int((listed & gone).sum()), place.policy.document.issued, first_year(place.policy)
    low, high = wilson(reached, n)
    here = standing_of(now).here_in_scope & ~below.unknown
    low_stock = here & below.true
    horizon = "base" if now.year < start else "first" if now.year == start else "own" if now.year == place.year else ""
    return {
        **{"followed": followed, "list_year": listing.year, "year": now.year, "line": float(np.nanmedian(line))},
        **{"months": (now.year - issued.year) * 12 + 12 - issued.month, "horizon": horizon},
        **{"listed": int(listed.sum()), "undecided": int(listing.identified.unknown.sum()), "left": left},
        **{"no_figures": int((there & below.unknown).sum()), "counted": n, "reached": reached},
        **{"dropped": ratio(reached, n), "failed": ratio(reached, n + left), "passed": ratio(reached + left, n + left)},
        **{"low": low, "high": high, "stock_share": ratio(low_stock.sum(), here.sum())},
        "stock_land_share": ratio(land[low_stock].sum(), land[here].sum()),
    }


def _difference(rates: pd.DataFrame) -> pd.DataFrame:
    """Compare the first lists in either plan's first year; no row where one of them has no such year yet."""
    same = rates[(rates["horizon"] == "first") & (rates["followed"] == "first_list")].set_index("side")
    if set(same.index) != {"a", "b"}:
        return pd.DataFrame(columns=["estimate", "low", "high"])
    pairs = [(int(same["reached"][s]), int(same["counted"][s])) for s in ("a", "b")]
    return pd.DataFrame([newcombe(*pairs)], columns=["estimate", "low", "high"])


def _demand(place: Place, plan: Place, drawn: tuple[int, int]) -> pd.DataFrame:
    """Say how far every step of a plan was for one place's enterprises in the base year of their own first list."""
    made = demand(place.ledger, plan.policy, _list_year(place) - 1, plan.readings)
    return made.assign(lifted=[_lifted(place, row, drawn) if plan is place else math.nan for _, row in made.iterrows()])


def _lifted(place: Place, row: Any, drawn: tuple[int, int]) -> float:
    """Return the share of those listed below a step's line that reversion and noise alone would put at it in its year."""
    start, year = _list_year(place), int(row["year"])
    if row["kind"] == "mean" or year not in place.ledger.years:
        return math.nan
    first = _framed(place, place, start)
    odds = no_policy_odds(place.ledger, float(row["line"]), (start, start - 1, start), drawn)
    projected = odds[odds["year"] == year].set_index("credit_code")["projected"].reindex(first.book.codes)
    side = {"above": first.above.true, "below": first.above.false}.get(str(row["class"]), True)
    mine = projected[first.identified.true & side].dropna()
    return float(mine.mean()) if len(mine) else math.nan


def _transitions(place: Place) -> pd.DataFrame:
    """Count moves between states from the year of the list's figures to the own year, listed and unlisted apart."""
    frame = panel(place.ledger, place.policy, readings={**place.readings})
    base = frame[frame["year"] == _list_year(place) - 1].set_index("credit_code")
    own = frame[frame["year"] == place.year].set_index("credit_code")
    states = pd.DataFrame({"before": _state(base), "after": _state(own)})
    states["group"] = np.where(base["first_list"].eq(True).fillna(False), "listed", "unlisted")
    counts = states.groupby(["group", "before", "after"]).size()
    whole = pd.MultiIndex.from_product([("listed", "unlisted"), STATES, STATES], names=["group", "before", "after"])
    return counts.reindex(whole, fill_value=0).rename("n").reset_index()


def _state(frame: pd.DataFrame) -> pd.Series:
    """Return exit, unknown, D (graded D), below or above the first list's line."""
    ratio, line = frame["tax_per_mu"].to_numpy(dtype=float), frame["first_line"].to_numpy(dtype=float)
    low = under(ratio, line)
    out = np.where(low.false, "above", np.where(low.true, "below", "unknown")).astype(object)
    out[frame["grade"].eq("D").to_numpy(dtype=bool)] = "D"
    out[frame["gone"].eq(True).fillna(False).to_numpy(dtype=bool)] = "exit"
    return pd.Series(out, index=frame.index)


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of part / whole; NaN for nobody.

    Notes
    -----
    Wilson (1927), *Journal of the American Statistical Association* 22, 209–212.
    """
    from statsmodels.stats.proportion import proportion_confint

    ends = proportion_confint(part, whole, method="wilson") if whole > 0 else (math.nan, math.nan)
    low, high = np.asarray(ends, dtype=float).tolist()
    return low, high


def newcombe(a: tuple[int, int], b: tuple[int, int]) -> tuple[float, float, float]:
    """Return a − b of two shares (part, whole) and its 95 % interval from the two Wilson intervals.

    Notes
    -----
    Newcombe (1998), *Statistics in Medicine* 17, 873–890, method 10. An interval of two shares as they are; no test of one
    place's policy against another's.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    if min(a[1], b[1]) <= 0:
        return math.nan, math.nan, math.nan
    low, high = np.asarray(confint_proportions_2indep(*a, *b, method="newcomb", compare="diff"), dtype=float).tolist()
    return a[0] / a[1] - b[0] / b[1], low, high


COUNTIES = {
    "定海区": "Dinghai District",
    "普陀区": "Putuo District",
    "岱山县": "Daishan County",
    "嵊泗县": "Shengsi County",
}
