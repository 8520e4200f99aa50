"""Two places on one ruler (两地同一把尺): the same basis, the same horizon, each other's rules, and what may be said of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment
from lyeval.assessment.enterprises import line_of_class
from lyeval.assessment.flows import door_of
from lyeval.assessment.standing import standing_of
from lyeval.comparison.carry import assess_as_if, carry, governs
from lyeval.comparison.compare import basis
from lyeval.comparison.decompose import Decomposition, Place, decompose
from lyeval.comparison.designs import no_policy_odds
from lyeval.comparison.panels import panel
from lyeval.comparison.rates import newcombe, wilson
from lyeval.effect import Effect, Words, refuse
from lyeval.forecasting import forecast
from lyeval.indicators import compare as against
from lyeval.ledger import Ledger
from lyeval.policy import Policy, load_policy

STATES = ("D", "below", "above", "exit", "unknown")


@dataclass(frozen=True, eq=False)
class Sides:
    """Two places compared; every table has a column ``side`` (a, b), and text columns an ``_en`` twin.

    Attributes
    ----------
    about
        side, place, policy, title, year, list_year, base_year, line, listed, synthetic.
    basis
        side, year, when (base, own), class, line, n, below, share, land_mu, land_share: one basis for both, whatever the plans say.
    rules
        side (of the enterprises), rules (whose), as_if, scope, listed, listed_share, listed_land_share, counted, reached,
        attainment, met, missed, undetermined (targets).
    odds
        The same with targets' probability on common draws: side, rules, as_if, id, label, year, probability, mc_error.
    horizons
        side, horizon (next: the year after the list's figures; own), year, line, listed, left, reached, dropped, failed, passed (share
        reached with those who left left out, failed, passed), low, high (Wilson, of ``dropped``), stock, stock_below, stock_share,
        stock_land_share (all in scope, at the same line).
    transitions
        side, group (listed, unlisted), before, after (D, below, above, exit, unknown), n: from the list's figures to the own year.
    demand
        side, class, line, quantile (where the line stands among those in scope in the base year), listed, median_growth (log growth that
        the median listed with tax above zero needs), not_above_zero, years (allowed), lifted (share of listed that reversion and noise
        alone would put at the line).
    doors
        side, door, label, n.
    claims
        id, may (yes, no), claim, why.
    difference
        Share of the list at its line after the same time, a − b: estimate, low, high (Newcombe; a super-population reading).
    decomposition
        The gap between the two places' attainment, split.
    refused
        The test of one place against the other, with the reason why there is none.
    """

    about: pd.DataFrame
    basis: pd.DataFrame
    rules: pd.DataFrame
    odds: pd.DataFrame
    horizons: pd.DataFrame
    transitions: pd.DataFrame
    demand: pd.DataFrame
    doors: pd.DataFrame
    claims: pd.DataFrame
    difference: pd.DataFrame
    decomposition: Decomposition
    refused: Effect

    def tidy(self) -> pd.DataFrame:
        """Return both lists at the same and at their own horizon."""
        return self.horizons

    def __repr__(self) -> str:
        told = [f"{r['place']} {r['year']} lists {r['listed']}" for r in self.about.to_dict("records")]
        return f"<Sides {' | '.join(told)}; {self.decomposition!r}>"

    def _repr_html_(self) -> str:
        return str(self.horizons.to_html(index=False, na_rep="—"))


def two_sides(
    a: tuple[Ledger, str | Policy, int],
    b: tuple[Ledger, str | Policy, int],
    *,
    readings: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
    draws: int = 500,
    seed: int = 0,
) -> Sides:
    """Hold two places against one ruler.

    Parameters
    ----------
    a, b
        Ledger, plan and evaluation year of either place.
    readings
        Readings in force in either.
    draws, seed
        Of the odds, of the no-policy projection and of the bootstrap; enterprises keep their draws under either set of rules.
    """
    places = [
        Place(ledger, p if isinstance(p, Policy) else load_policy(p), year, r)
        for (ledger, p, year), r in zip((a, b), readings, strict=True)
    ]
    names: dict[str, Place] = dict(zip(("a", "b"), places, strict=True))
    own = {side: assess_as_if(p.ledger, p.policy, p.year, readings=dict(p.readings)) for side, p in names.items()}
    horizons = pd.DataFrame([row for side, p in names.items() for row in _horizons(side, p)])
    return Sides(
        about=pd.DataFrame([_about(side, p, own[side]) for side, p in names.items()]),
        basis=pd.concat([_basis(side, p, own[side]) for side, p in names.items()], ignore_index=True),
        rules=pd.DataFrame([_ruled(names, side, rules) for side in names for rules in names]),
        odds=pd.concat([_odds(names, s, r, draws, seed) for s in names for r in names], ignore_index=True),
        horizons=horizons,
        transitions=pd.concat([_transitions(side, p) for side, p in names.items()], ignore_index=True),
        demand=pd.DataFrame([row for side, p in names.items() for row in _demand(side, p, (draws, seed))]),
        doors=pd.concat([_doors(side, one) for side, one in own.items()], ignore_index=True),
        claims=pd.read_csv(Path(__file__).with_name("claims.csv"), encoding="utf-8", dtype=str),
        difference=_difference(horizons),
        decomposition=decompose(*_spread(places[0]), *_spread(places[1]), readings=readings, draws=draws, seed=seed),
        refused=refuse("did", AGAINST, NO_P_VALUE),
    )  # fmt: skip


def _spread(place: Place) -> tuple[Ledger, Policy, int]:
    return place.ledger, place.policy, place.year


def _list_year(place: Place) -> int:
    return min(place.policy.years.identification)


def _about(side: str, place: Place, own: Assessment) -> dict[str, Any]:
    plan = place.policy
    first = _first(place)
    return {
        "side": side, **_named(place), "policy": plan.id, "title": plan.title,
        "title_en": plan.title_en, "document": plan.document.number, "year": place.year, "list_year": _list_year(place),
        "base_year": _list_year(place) - 1, "line": float(np.nanmedian(first.frame.before.line)),
        "enterprises": len(own.frame.book), "listed": int(own.frame.identified.true.sum()),
        "first_list": int(first.frame.identified.true.sum()), "synthetic": place.ledger.synthetic or "",
    }  # fmt: skip


def _named(place: Place) -> dict[str, str]:
    """Name the place: the ledger's own counties where the plan is a city's and they are few."""
    own = place.policy.place
    frame = place.ledger.enterprises
    counties = sorted(frame["county"].dropna().unique()) if "county" in frame else []
    if own.level == "county" or not 0 < len(counties) < 4:
        return {"place": own.name, "place_en": own.name_en}
    names = "、".join(counties)
    return {"place": names, "place_en": f"{', '.join(counties)} ({own.name_en})"}


def _doors(side: str, own: Assessment) -> pd.DataFrame:
    """Return the doors, and among more tax those whose group as a whole pays no more (open where no groups are named)."""
    table = own.doors[["door", "label", "label_en", "n"]].assign(n=lambda t: t["n"].astype("Int64"))
    moved = pd.DataFrame(
        [("group_tax", "其中：所属集团税收总额未增加", "of more tax: their group pays no more in all", _moved(own))],
        columns=table.columns,
    ).astype({"n": "Int64"})
    at = int(np.flatnonzero(table["door"] == "more_tax")[0]) + 1
    return pd.concat([table[:at], moved, table[at:]], ignore_index=True).assign(side=side)


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


def _first(place: Place) -> Assessment:
    return assess_as_if(place.ledger, place.policy, _list_year(place), readings=dict(place.readings))


def _basis(side: str, place: Place, own: Assessment) -> pd.DataFrame:
    """Return the shares below 1, 2 and 3 万元/亩 in the year of the list's figures and in the own year."""
    base = _list_year(place) - 1
    parts = [basis(own).assign(when="own", year=place.year)]
    if base in place.ledger.years:
        before = assess_as_if(place.ledger, place.policy, base, readings=dict(place.readings))
        parts.insert(0, basis(before).assign(when="base", year=base))
    return pd.concat(parts, ignore_index=True).assign(side=side)


def _ruled(names: Mapping[str, Place], side: str, rules: str) -> dict[str, Any]:
    """Put one place's enterprises under one plan, in their own year."""
    place, plan = names[side], names[rules]
    done = assess_as_if(place.ledger, plan.policy, place.year, readings=dict(plan.readings))
    frame = done.frame
    listed, land = frame.identified.true, np.nan_to_num(frame.reported.land)
    known = listed & ~frame.exits.gone.true & ~np.isnan(frame.reported.tax_per_mu)
    reached = known & frame.below(frame.reported.tax_per_mu).false
    scope = frame.in_scope.true
    counts = done.targets["status"].value_counts()
    return {
        "side": side, "rules": rules, "as_if": not governs(plan.policy, place.year), "year": place.year, "scope": int(scope.sum()),
        "listed": int(listed.sum()), "listed_share": _over(listed.sum(), scope.sum()),
        "listed_land_share": _over(land[listed].sum(), land[scope].sum()), "counted": int(known.sum()),
        "reached": int(reached.sum()), "attainment": _over(reached.sum(), known.sum()),
        **{status: int(counts.get(status, 0)) for status in ("met", "missed", "undetermined")},
    }  # fmt: skip


def _over(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else math.nan


def _odds(names: Mapping[str, Place], side: str, rules: str, draws: int, seed: int) -> pd.DataFrame:
    """Give the odds of one plan's targets among one place's enterprises, known at the end of the year before."""
    place, plan = names[side], names[rules]
    known = {r.id for r in plan.policy.readings}
    chosen = {k: v for k, v in plan.readings.items() if k in known}
    made = forecast(
        place.ledger, carry(plan.policy, place.year), place.year, as_of=f"{place.year - 1}-12", readings=chosen, draws=draws, seed=seed
    )  # fmt: skip
    columns = ["id", "label", "label_en", "year", "probability", "mc_error"]
    return made.targets[columns].assign(side=side, rules=rules, as_if=not governs(plan.policy, place.year))


def _horizons(side: str, place: Place) -> list[dict[str, Any]]:
    """Follow the first list to the year after its figures, and to the own year; and the stock at the same line."""
    first = _first(place).frame
    line = first.before.line
    out = []
    for horizon, year in (("next", _list_year(place)), ("own", place.year)):
        now = assess_as_if(place.ledger, place.policy, year, readings=dict(place.readings)).frame
        listed, gone, ratio = first.identified.true, now.exits.gone.true, now.reported.tax_per_mu
        known = listed & ~gone & ~np.isnan(ratio)
        reached, left = int((known & against(ratio, "ge", line).true).sum()), int((listed & gone).sum())
        n = int(known.sum())
        low, high = wilson(reached, n)
        here = now.in_scope.true & ~gone & ~np.isnan(ratio)
        below, land = here & against(ratio, "lt", line).true, np.nan_to_num(now.reported.land)
        out.append({
            "side": side, "horizon": horizon, "year": year, "line": float(np.nanmedian(line)), "listed": int(listed.sum()),
            "left": left, "counted": n, "reached": reached, "dropped": _over(reached, n), "failed": _over(reached, n + left),
            "passed": _over(reached + left, n + left), "low": low, "high": high, "stock": int(here.sum()),
            "stock_below": int(below.sum()), "stock_share": _over(below.sum(), here.sum()),
            "stock_land_share": _over(land[below].sum(), land[here].sum()),
        })  # fmt: skip
    return out


def _difference(horizons: pd.DataFrame) -> pd.DataFrame:
    same = horizons[horizons["horizon"] == "next"].set_index("side")
    pairs = [(int(same.loc[s, "reached"]), int(same.loc[s, "counted"])) for s in ("a", "b")]  # type: ignore[arg-type]
    return pd.DataFrame([newcombe(*pairs)], columns=["estimate", "low", "high"])


def _transitions(side: str, place: Place) -> pd.DataFrame:
    """Count moves between states from the year of the list's figures to the own year, listed and unlisted apart."""
    frame = panel(place.ledger, place.policy, readings={**place.readings})
    base = frame[frame["year"] == _list_year(place) - 1].set_index("credit_code")
    own = frame[frame["year"] == place.year].set_index("credit_code")
    states = pd.DataFrame({"before": _state(base), "after": _state(own)})
    states["group"] = np.where(base["first_list"].eq(True).fillna(False), "listed", "unlisted")
    counts = states.groupby(["group", "before", "after"]).size()
    whole = pd.MultiIndex.from_product([("listed", "unlisted"), STATES, STATES], names=["group", "before", "after"])
    return counts.reindex(whole, fill_value=0).rename("n").reset_index().assign(side=side)


def _state(frame: pd.DataFrame) -> pd.Series:
    """Return exit, unknown, D (graded D), below or above the first list's line."""
    ratio, line = frame["tax_per_mu"].to_numpy(dtype=float), frame["first_line"].to_numpy(dtype=float)
    at = against(ratio, "ge", line)
    out = np.where(at.true, "above", np.where(at.false, "below", "unknown")).astype(object)
    out[frame["grade"].eq("D").to_numpy(dtype=bool)] = "D"
    out[frame["gone"].eq(True).fillna(False).to_numpy(dtype=bool)] = "exit"
    return pd.Series(out, index=frame.index)


def _demand(side: str, place: Place, drawn: tuple[int, int]) -> list[dict[str, Any]]:
    """Say how high the own year's line stood in the base year's distribution, and how far the listed were from it."""
    first, plan = _first(place).frame, place.policy
    target = assess_as_if(place.ledger, plan, place.year, readings=dict(place.readings)).frame
    lines = line_of_class(target)
    base = _list_year(place) - 1
    odds = no_policy_odds(place.ledger, lines, (_list_year(place), base, _list_year(place)), drawn)
    at = odds[odds["year"] == place.year].set_index("credit_code")["projected"]
    projected = at.reindex(first.book.codes).to_numpy(dtype=float)
    ratio, out = first.before.tax_per_mu, []
    for name, mask in {"above": target.above.true, "below": target.above.false}.items():
        scope = mask & first.in_scope.true & ~np.isnan(ratio)
        listed = scope & first.identified.true
        line = float(np.nanmedian(lines[mask])) if mask.any() else math.nan
        paying = listed & (ratio > 0)
        growth = np.log(line / ratio[paying])
        lifted = projected[listed & ~np.isnan(projected)]
        out.append({
            "side": side, "class": name, "line": line, "quantile": _over((scope & (ratio < line)).sum(), scope.sum()),
            "scope": int(scope.sum()), "listed": int(listed.sum()),
            "median_growth": float(np.median(growth)) if paying.any() else math.nan,
            "not_above_zero": int((listed & ~(ratio > 0)).sum()), "years": place.year - base,
            "lifted": float(lifted.mean()) if len(lifted) else math.nan,
        })  # fmt: skip
    return out


AGAINST = Words(
    "一地方案对另一地方案的影响（显著性检验）", "the effect of one place's plan against the other's (a test)"
)
NO_P_VALUE = Words(
    "两地只有两个“地方×年份”的观测，共同冲击与政策不可分；按企业聚类的双重差分在没有差别时也常判为显著，因此不给 p 值。",
    "there are but two place-years, and their common shocks cannot be told from policy; a difference in differences clustered by "
    "enterprise rejects a true null far too often, so no p-value is given.",
)
