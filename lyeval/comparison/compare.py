"""One ruler: the same enterprises under several plans, readings or reforms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment
from lyeval.comparison.carry import assess_as_if, governs
from lyeval.ledger import Ledger
from lyeval.policy import Policy, PolicyError, load_policy, unknown

LINES = (1.0, 2.0, 3.0)


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
        One row per plan and target: policy, as_if, id, label, class, value, goal, op, gap, status, n, unit, clause.
    lists
        One row per plan: policy, as_if, scope, listed, listed_land_mu, listed_share, listed_land_share (of those in scope), undecided.
    basis
        One basis for all: by class, share of enterprises and of land below 1, 2 and 3 万元/亩, of every enterprise with tax and land.
    movers
        Enterprises that the plans do not treat alike: credit_code, name, township, tax_per_mu, then for each plan listed and below_line.
    transitions
        For each pair of plans, how many are listed by both, by one, by neither.
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
        told = ", ".join(f"{p} lists {n}" for p, n in zip(self.lists["policy"], self.lists["listed"], strict=True))
        return f"Comparison({self.year}: {told}; {len(self.movers)} movers)"

    def _repr_html_(self) -> str:
        return str(self.targets.to_html(index=False, na_rep="—") + self.lists.to_html(index=False, na_rep="—"))


def compare(
    ledger: Ledger,
    policies: Sequence[str | Policy],
    year: int | Sequence[int],
    *,
    readings: Mapping[str, Mapping[str, str] | Sequence[Mapping[str, str]]] | None = None,
    level: str = "county",
) -> Comparison:
    """Hold the same enterprises against several plans, readings or years.

    Parameters
    ----------
    policies
        Ids or plans (a patched plan too); a plan that does not govern ``year`` is carried over and marked ``as_if``.
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
    >>> both = ly.compare(ledger, ["zhoushan-2020", "linshu-2021"], 2020)
    >>> both.lists.set_index("policy")["as_if"].to_dict()
    {'zhoushan-2020': False, 'linshu-2021': True}
    """
    plans = [p if isinstance(p, Policy) else load_policy(p) for p in policies]
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
    done = {name: assess_as_if(ledger, plan, y, level=level, readings=chosen) for name, plan, y, chosen in cases}
    as_if = {name: not governs(plan, y) for name, plan, y, _ in cases}
    targets = pd.concat([_targets(name, a, as_if[name]) for name, a in done.items()], ignore_index=True)
    lists = pd.DataFrame([_listed(name, a, as_if[name]) for name, a in done.items()])
    return Comparison(
        years[0], done, targets, lists, basis(next(iter(done.values()))), _movers(done), _transitions(done)
    )


def _variants(given: Mapping[str, str] | Sequence[Mapping[str, str]]) -> list[tuple[str, dict[str, str]]]:
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


def _targets(name: str, assessment: Assessment, as_if: bool) -> pd.DataFrame:
    columns = ["id", "label", "label_en", "class", "value", "goal", "op", "gap", "status", "n", "unit", "clause"]
    out = assessment.targets[columns].copy()
    out.insert(0, "as_if", as_if)
    out.insert(0, "policy", name)
    return out


def _listed(name: str, assessment: Assessment, as_if: bool) -> dict[str, Any]:
    frame = assessment.frame
    scope, listed, land = frame.in_scope.true, frame.identified.true, frame.reported.land
    of = np.nan_to_num(land)
    return {
        "policy": name, "as_if": as_if, "scope": int(scope.sum()), "listed": int(listed.sum()),
        "listed_land_mu": float(of[listed].sum()), "listed_share": _ratio(listed.sum(), scope.sum()),
        "listed_land_share": _ratio(of[listed].sum(), of[scope].sum()), "undecided": int(frame.identified.unknown.sum()),
    }  # fmt: skip


def _ratio(part: float, whole: float) -> float | None:
    return float(part / whole) if whole > 0 else None


def basis(assessment: Assessment) -> pd.DataFrame:
    """Return shares of enterprises and land below 1, 2 and 3 万元/亩 by class, whatever a plan says of scope and exclusions.

    Returns
    -------
    DataFrame
        class (above, below, all), line, n, below, share, land_mu, land_share; over enterprises that are not gone, with tax and land known.
    """
    frame = assessment.frame
    now = frame.reported
    known = ~np.isnan(now.tax_per_mu) & ~frame.exits.gone.true
    flag = frame.book.annual_flag("above_scale", frame.facts_year)
    rows = []
    for name, mask in {"above": flag.true, "below": flag.false, "all": np.ones(len(known), dtype=bool)}.items():
        of = known & mask
        for line in LINES:
            low = of & (now.tax_per_mu < line * (1 - 1e-9))
            land = float(now.land[of].sum())
            shares = (_ratio(low.sum(), of.sum()), land, _ratio(float(now.land[low].sum()), land))
            rows.append((name, line, int(of.sum()), int(low.sum()), *shares))
    return pd.DataFrame(rows, columns=["class", "line", "n", "below", "share", "land_mu", "land_share"])


def _movers(done: Mapping[str, Assessment]) -> pd.DataFrame:
    first = next(iter(done.values())).enterprises
    out = first[["credit_code", "name", "township", "tax_per_mu"]].copy()
    for name, a in done.items():
        out[f"listed {name}"] = a.enterprises["identified"]
        out[f"below_line {name}"] = a.enterprises["below_line"]
    columns = [f"{what} {name}" for what in ("listed", "below_line") for name in done]
    shown = out[columns].astype(object)
    same = pd.Series(True, index=out.index)
    for what in ("listed", "below_line"):
        mine = shown[[f"{what} {name}" for name in done]].map(str)
        same &= mine.eq(mine.iloc[:, 0], axis=0).all(axis=1)
    return out[~same].reset_index(drop=True)


def _transitions(done: Mapping[str, Assessment]) -> pd.DataFrame:
    names, rows = list(done), []
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            one, two = done[a].frame.identified.true, done[b].frame.identified.true
            rows.append(
                (
                    a,
                    b,
                    int((one & two).sum()),
                    int((one & ~two).sum()),
                    int((~one & two).sum()),
                    int((~one & ~two).sum()),
                )
            )
    return pd.DataFrame(rows, columns=["a", "b", "both", "a_only", "b_only", "neither"])
