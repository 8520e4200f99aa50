"""One ruler (同一把尺): the same enterprises under several plans, readings or reforms, one element of the rules at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import getitem
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment, Frame, assess
from lyeval.assessment.frame import any_of, under
from lyeval.assessment.standing import standing_of
from lyeval.indicators import STATISTICS, Tri, book
from lyeval.ledger import Ledger
from lyeval.policy import Policy, PolicyError, choose, load_policy, patch, unknown

LINES = (1.0, 2.0, 3.0)
Readings = Mapping[str, str]


def governs(policy: Policy, year: int) -> bool:
    """Tell whether the plan has targets in ``year``."""
    return year in policy.years.targets


def carry(policy: Policy, year: int) -> Policy:
    """Return the plan with each target dated ``year``: the value of the nearest year that it names (the earlier one on a tie).

    Parameters
    ----------
    year
        Any year. Identification then stands on the facts of ``year`` − 1, targets on those of ``year``.
    """
    if governs(policy, year):
        return policy
    changes: dict[str, object] = {
        "years.targets": [year],
        "years.identification": sorted({*policy.years.identification, year}),
    }
    for target in policy.targets:
        changes[f"targets.{target.id}.years"] = {year: target.nearest(year)}
    return patch(policy, changes)


def as_if(
    ledger: Ledger, policy: str | Policy, year: int, *, level: str = "county", readings: Readings | None = None
) -> Assessment:
    """Assess a ledger under a plan in any year, as if the plan governed it.

    Parameters
    ----------
    ledger
        Any county's, a plan's own or another's.
    year
        Any year of the ledger; dated values of the plan are those of the nearest year that it names.
    readings
        Options of this plan's own doubtful clauses; one plan's reading is never another's, though both call it ``edge``.

    Raises
    ------
    PolicyError
        A reading that the plan does not have.

    Examples
    --------
    >>> import lyeval as ly
    >>> dinghai = ly.read_ledger("sample:zhoushan-dinghai")
    >>> ly.as_if(dinghai, "linshu-2021", 2020).year
    2020
    """
    plan = load_policy(policy)
    chosen, in_force = read_as(plan, year, readings)
    return replace(assess(ledger, chosen, year, level=level), readings=in_force)


def read_as(policy: Policy, year: int, readings: Readings | None) -> tuple[Policy, dict[str, str]]:
    """Return a plan under its readings, then carried to a year (a reading may date values of its own), and all options in force."""
    chosen, in_force = choose(policy, readings)
    carried = carry(chosen, year)
    return (patch(carried, {"readings": []}) if carried.readings else carried), in_force


def frame_as_if(ledger: Ledger, policy: Policy, year: int, readings: Readings | None = None) -> Frame:
    """Lay a plan out over a ledger in any year, without deciding its targets."""
    return Frame(read_as(policy, year, readings)[0], book(ledger), year, year)


def by_tax_alone(frame: Frame) -> Tri:
    """Return whom the plan's tax criterion lists by itself: below the class's line, not excluded, here on 1 January."""
    own = {c.id: frame.criteria[c.id] for c in frame.policy.identification.criteria if c.when.fact == "tax_per_mu"}
    low = any_of(own, len(frame.book)) if own else under(frame.before.tax_per_mu, frame.before.line)
    return low & frame.pool("identification") & Tri.of(~frame.gone_before)


@dataclass(frozen=True)
class Counted:
    """How many are chosen for certain of those in scope, and between what the share lies while some are open.

    Attributes
    ----------
    n, open
        Chosen for certain; undecided for want of facts.
    share, low, high
        Of those in scope for certain; the least and the greatest that the open ones allow. None where nobody is in scope.
    """

    n: float
    open: float
    share: float | None
    low: float | None
    high: float | None


def counted(chosen: Tri, scope: Tri, weight: np.ndarray | None = None) -> Counted:
    """Count whom a rule chooses among those in scope, with bounds.

    Parameters
    ----------
    chosen, scope
        Shape (n,); who is not in scope is not chosen.
    weight
        亩 or 1 for each, shape (n,).

    Notes
    -----
    Low: nobody open is chosen, and all whose scope is open are in it. High: all that are open are in scope and chosen.
    """
    w = np.ones(len(scope)) if weight is None else np.nan_to_num(weight)
    sure, undecided = chosen.true & scope.true, chosen.unknown & scope.possible
    n, rest, base = (float(w[mask].sum()) for mask in (sure, undecided, scope.true))
    outside = float(w[scope.unknown].sum())
    drawn_in = float(w[undecided & scope.unknown].sum())
    return Counted(n, rest, ratio(n, base), ratio(n, base + outside), ratio(n + rest, base + drawn_in))


def ratio(part: float, whole: float) -> float | None:
    """Return a share, None of nothing."""
    return float(part / whole) if whole > 0 else None


def listed_row(frame: Frame) -> dict[str, Any]:
    """Return how many a plan lists: of all criteria and of the tax criterion alone, in firms and land, each with bounds."""
    scope, land = standing_of(frame).in_scope, frame.reported.land
    out: dict[str, Any] = {"scope": int(scope.true.sum()), "scope_open": int(scope.unknown.sum())}
    for name, chosen in (("listed", frame.identified), ("tax", by_tax_alone(frame))):
        firms, area = counted(chosen, scope), counted(chosen, scope, land)
        known = name if name == "listed" else "tax_listed"
        out |= {known: int(firms.n), f"{name}_undecided": int(firms.open)}
        out |= {f"{known}_share": firms.share, f"{name}_low": firms.low, f"{name}_high": firms.high}
        out |= {f"{known}_land_mu": area.n, f"{known}_land_share": area.share}
        out |= {f"{name}_land_low": area.low, f"{name}_land_high": area.high}
    return out


@dataclass(frozen=True, eq=False)
class Comparison:
    """The same enterprises under several plans.

    Attributes
    ----------
    year
        The year compared (the first of several).
    assessments
        By name, in the order asked for.
    targets
        One row per plan and target: policy, as_if, id, label, class, value, low, high, goal, op, gap, status, n, unit, clause.
    lists
        One row per plan: policy, as_if, scope, scope_open, listed, listed_undecided, listed_share, listed_low, listed_high (the share's
        bounds), the same by land, and all of it again for the tax criterion alone (``tax_``).
    basis
        One basis for all: by class, share of enterprises and of land below 1, 2 and 3 万元/亩, of every enterprise with tax and land.
    movers
        Enterprises that the plans do not treat alike: credit_code, name, township, tax_per_mu, then for each plan listed and below_line
        (None: undecided).
    transitions
        For each pair of plans, how many are listed by both, by one, by neither, and how many undecided under either.
    """

    year: int
    assessments: Mapping[str, Assessment]
    targets: pd.DataFrame
    lists: pd.DataFrame
    basis: pd.DataFrame
    movers: pd.DataFrame
    transitions: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return the targets under every plan."""
        return self.targets

    def __repr__(self) -> str:
        """Return the plans and how many they list."""
        told = ", ".join(
            f"{r['policy']} lists {r['listed']}"
            + (f"–{r['listed'] + r['listed_undecided']}" if r["listed_undecided"] else "")
            for r in self.lists.to_dict("records")
        )
        return f"Comparison({self.year}: {told}; {len(self.movers)} movers)"

    def _repr_html_(self) -> str:
        return str(self.targets.to_html(index=False, na_rep="—") + self.lists.to_html(index=False, na_rep="—"))


def compare(
    ledger: Ledger,
    policies: Sequence[str | Policy],
    year: int | Sequence[int],
    *,
    readings: Mapping[str, Readings | Sequence[Readings]] | None = None,
    level: str = "county",
) -> Comparison:
    """Hold the same enterprises against several plans, readings or years.

    Parameters
    ----------
    policies
        Ids or plans; a plan that does not govern ``year`` is carried over and marked ``as_if``. A reform or a hybrid of two plans
        is a patched plan: ``patch(plan, {path: value})``, or `borrow` for a whole element of another plan.
    year
        One year, or several: then each plan stands once for each, as ``plan@year``.
    readings
        Options of doubtful clauses by the plan's id; a list of such sets puts the plan under each, as ``plan/switch=option``.

    Raises
    ------
    PolicyError
        Fewer than one plan, one plan named twice, or readings of a plan that is not compared.

    Examples
    --------
    >>> import lyeval as ly
    >>> linshu = ly.load_policy("linshu-2021")
    >>> hybrid = ly.comparison.borrow(linshu, ly.load_policy("zhoushan-2020"), "line")
    >>> found = ly.compare(ly.read_ledger("sample:linshu"), [linshu, hybrid], 2023)
    >>> found.lists["policy"].tolist()
    ['linshu-2021#1', 'linshu-2021#2']
    >>> bool(found.lists["listed"].is_monotonic_increasing)
    True
    """
    plans = [load_policy(p) for p in policies]
    names = _names(plans)
    for name in readings or {}:
        if name not in names:
            raise PolicyError(f"readings / 读法: {unknown(name, 'policy', names)}")
    years = [year] if isinstance(year, int) else list(year)
    cases = [
        (f"{name}{told}{f'@{y}' if len(years) > 1 else ''}", plan, y, chosen)
        for name, plan in zip(names, plans, strict=True)
        for told, chosen in _variants((readings or {}).get(name, {}))
        for y in years
    ]
    done = {name: as_if(ledger, plan, y, level=level, readings=chosen) for name, plan, y, chosen in cases}
    carried = {name: not governs(plan, y) for name, plan, y, _ in cases}
    targets = pd.concat([_targets(name, a, carried[name]) for name, a in done.items()], ignore_index=True)
    lists = pd.DataFrame([{"policy": name, "as_if": carried[name], **listed_row(a.frame)} for name, a in done.items()])
    return Comparison(
        years[0], done, targets, lists, basis(next(iter(done.values())).frame), _movers(done), _transitions(done)
    )


def _variants(given: Readings | Sequence[Readings]) -> list[tuple[str, dict[str, str]]]:
    """Return each set of readings with what to call it; a single set goes without a name."""
    if isinstance(given, Mapping):
        return [("", dict(given))]
    sets = [dict(one) for one in given]
    return [("/" + ",".join(f"{k}={v}" for k, v in sorted(one.items())) if one else "", one) for one in sets]


def _names(plans: list[Policy]) -> list[str]:
    if not plans:
        raise PolicyError("compare: 至少要有一个政策 / at least one policy")
    ids = [p.id for p in plans]
    return [p if ids.count(p) == 1 else f"{p}#{ids[: i + 1].count(p)}" for i, p in enumerate(ids)]


def _targets(name: str, assessment: Assessment, carried: bool) -> pd.DataFrame:
    columns = ["id", "label", "label_en", "class", "value", "goal", "op", "gap", "status", "n", "unit", "clause"]
    frame = assessment.targets
    out = frame[columns].copy()
    bounds = [c for c in ("low", "high") if c in frame]
    out[bounds] = frame[bounds]
    out.insert(0, "as_if", carried)
    out.insert(0, "policy", name)
    return out


def basis(frame: Frame) -> pd.DataFrame:
    """Return shares of enterprises and land below 1, 2 and 3 万元/亩 by class, whatever a plan says of scope and exclusions.

    Returns
    -------
    DataFrame
        class (above, below, all), line, n, below, share, land_mu, land_share; over enterprises that are not gone, with tax and land known.
    """
    now = frame.reported
    known = ~np.isnan(now.tax_per_mu) & ~frame.exits.gone.true
    flag = frame.book.annual_flag("above_scale", frame.facts_year)
    rows = []
    for name, mask in {"above": flag.true, "below": flag.false, "all": np.ones(len(known), dtype=bool)}.items():
        of = known & mask
        for line in LINES:
            low = of & under(now.tax_per_mu, line).true
            land = float(now.land[of].sum())
            shares = (ratio(low.sum(), of.sum()), land, ratio(float(now.land[low].sum()), land))
            rows.append((name, line, int(of.sum()), int(low.sum()), *shares))
    return pd.DataFrame(rows, columns=["class", "line", "n", "below", "share", "land_mu", "land_share"])


def _movers(done: Mapping[str, Assessment]) -> pd.DataFrame:
    first = next(iter(done.values())).enterprises
    out = first[["credit_code", "name", "township", "tax_per_mu"]].copy()
    same = pd.Series(True, index=out.index)
    for what, column in (("listed", "identified"), ("below_line", "below_line")):
        for name, a in done.items():
            out[f"{what} {name}"] = a.enterprises[column]
        mine = out[[f"{what} {name}" for name in done]].astype(object).map(str)
        same &= mine.eq(mine.iloc[:, 0], axis=0).all(axis=1)
    return out[~same].reset_index(drop=True)


def _transitions(done: Mapping[str, Assessment]) -> pd.DataFrame:
    rows = [
        {"a": a, "b": b, **crossed(done[a].frame.identified, done[b].frame.identified)}
        for a, b in itertools.combinations(done, 2)
    ]
    return pd.DataFrame(rows, columns=["a", "b", *CROSSED])


def crossed(one: Tri, two: Tri) -> dict[str, int]:
    """Count whom two rules choose both, one alone, neither; undecided: under either, for want of facts."""
    masks = (one.true & two.true, one.true & two.false, one.false & two.true, one.false & two.false)
    counts = [int(mask.sum()) for mask in masks]
    return dict(zip(CROSSED, [*counts, len(one) - sum(counts)], strict=True))


CROSSED = ("both", "a_only", "b_only", "neither", "undecided")


@dataclass(frozen=True)
class Element:
    """One element of a plan's rules: what it is called, and the paths of the plan that it is."""

    zh: str
    en: str
    paths: tuple[str, ...] = field(default=())


ELEMENTS = {
    "line": Element("线", "line", ("identification.lines",)),
    "floor": Element("起点面积", "floor", ("scope",)),
    "criteria": Element("认定标准", "criteria", ("identification.criteria",)),
    "exclusions": Element("除外", "exclusions", ("exclusions",)),
    "measure": Element("税收和用地口径", "measure of tax and land", ("tax", "land", "classes")),
    "unit": Element("计量（家数或用地）", "unit (firms or land)"),
}


def borrow(policy: Policy, other: Policy, *elements: str) -> Policy:
    """Return a plan with some elements of its rules taken from another: a hybrid (混合规则).

    Parameters
    ----------
    elements
        Of ``ELEMENTS``: line, floor, criteria, exclusions, measure; ``unit`` changes no list.

    Raises
    ------
    PolicyError
        An element that there is not.
    """
    for name in elements:
        if name not in ELEMENTS:
            raise PolicyError(f"element / 规则要素: {unknown(name, 'element', list(ELEMENTS))}")
    paths = [path for name in elements for path in ELEMENTS[name].paths]
    return patch(policy, {path: reduce(getitem, path.split("."), other._data) for path in paths})


def unit_of(policy: Policy) -> str:
    """Return in what the plan counts its below-scale target: count (firms) or land."""
    own = [STATISTICS[t.statistic] for t in policy.targets if t.class_ == "below"]
    return next((s.weight for s in own if s.kind == "share"), "count")


def elements(
    ledger: Ledger,
    a: Policy,
    b: Policy,
    year: int,
    *,
    readings: tuple[Readings, Readings] = ({}, {}),
) -> pd.DataFrame:
    """Swap one element of plan ``a``'s rules after another for that of ``b``, on the same enterprises.

    Parameters
    ----------
    readings
        Of ``a`` and of ``b``: each plan is read before its elements are taken.

    Returns
    -------
    DataFrame
        One row an element: element, label, label_en, and with it alone swapped listed, undecided (enterprises), share (of those in scope,
        in the plan's own unit), share_low, share_high; then what the swap adds to ``listed`` when it is the first, the last, and on
        average over all orders (first, last, mean; the means add up to the whole difference), and the same of the share (share_mean,
        percentage as a fraction). Two more rows, ``a`` and ``b``, give the two plans as they are.
    """
    plans = [read_as(p, year, r)[0] for p, r in zip((a, b), readings, strict=True)]
    names = list(ELEMENTS)
    moving = [name for name in names if ELEMENTS[name].paths]
    rows = {
        chosen: listed_row(Frame(borrow(plans[0], plans[1], *chosen), book(ledger), year, year))
        for size in range(len(moving) + 1)
        for chosen in itertools.combinations(moving, size)
    }
    units = [unit_of(p) for p in plans]

    def state(chosen: frozenset[str]) -> dict[str, Any]:
        row = rows[tuple(n for n in moving if n in chosen)]
        land = "_land" if units["unit" in chosen] == "land" else ""
        bounds = {f"share_{end}": row[f"listed{land}_{end}"] for end in ("low", "high")}
        share = row[f"listed{land}_share"]
        return {"listed": row["listed"], "undecided": row["listed_undecided"], "share": share, **bounds}

    out = [{"element": "a", "label": a.place.name, "label_en": a.place.name_en, **state(frozenset())}]
    for name in names:
        moves = {key: _mean_move(state, names, name, key) for key in ("listed", "share")}
        first, last, mean = moves["listed"]
        label = {"element": name, "label": ELEMENTS[name].zh, "label_en": ELEMENTS[name].en}
        more = {"first": first, "last": last, "mean": mean, "share_mean": moves["share"][2]}
        out.append({**label, **state(frozenset([name])), **more})
    whole = {"element": "b", "label": b.place.name, "label_en": b.place.name_en, **state(frozenset(names))}
    return pd.DataFrame([*out, whole])


def _mean_move(state: Any, names: list[str], name: str, key: str) -> tuple[float, float, float]:
    """Return what swapping one element adds as the first, as the last, and on average over all orders (Shapley)."""
    others, total = [n for n in names if n != name], len(names)
    mean, ends = 0.0, {}
    for size in range(total):
        weight = 1 / (total * math.comb(total - 1, size))
        for before in itertools.combinations(others, size):
            after = state(frozenset(before) | {name})[key]
            moved = (after or 0.0) - (state(frozenset(before))[key] or 0.0)
            mean += weight * moved
            ends[size] = moved
    return ends[0], ends[total - 1], mean


def wanting(frame: Frame) -> pd.DataFrame:
    """Say for want of which criterion's facts enterprises are undecided.

    Returns
    -------
    DataFrame
        criterion, label, label_en, clause, n: undecided enterprises for whom this criterion is unknown (one may lack several).
    """
    undecided = frame.identified.unknown & standing_of(frame).in_scope.possible
    rows = [
        (c.id, c.label, c.label_en, "；".join(c.cite), int((frame.criteria[c.id].unknown & undecided).sum()))
        for c in frame.policy.identification.criteria
    ]
    made = pd.DataFrame(rows, columns=["criterion", "label", "label_en", "clause", "n"])
    return made[made["n"] > 0].reset_index(drop=True)
