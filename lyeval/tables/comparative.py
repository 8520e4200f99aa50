"""A comparison of two places as named tables (两地比较的各表): results in, frames out, described in ``registry.csv``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import pandas as pd

from lyeval.comparison import TwoPlaces
from lyeval.comparison.compare import ELEMENTS
from lyeval.comparison.decompose import PARTS
from lyeval.policy import Policy
from lyeval.policy.documents import clauses, side_by_side, timeline
from lyeval.policy.register import Register
from lyeval.tables.registry import values

Tables = dict[str, Any]
APART = ("decomposition", "refused", "difference")  # of a comparison, told in tables of other names


def side_tables(found: TwoPlaces, plans: Sequence[Policy], registers: Sequence[Register | None]) -> Tables:
    """Return a comparison as tables.

    Parameters
    ----------
    plans, registers
        Of the two sides, in their order.

    Returns
    -------
    dict
        ``meta`` and every table of `TwoPlaces` under ``side_<name>``, the documents side by side, and what a template may choose from:
        side_largest (the element that moves each list most), side_span (how far each part goes over the readings).
    """
    tables = {f"side_{f.name}": getattr(found, f.name) for f in fields(found) if f.name not in APART}
    split, refused = found.decomposition, found.refused.details["reason"]
    difference = found.difference.to_dict("records")
    ends = {"value_a": split.value_a, "value_b": split.value_b, "n_a": split.n_a, "n_b": split.n_b}
    identification = {side: "；".join(plan.identification.cite) for side, plan in zip(("a", "b"), plans, strict=True)}
    tables["side_rules"] = tables["side_rules"].assign(clause=lambda t: t["rules"].map(identification))
    tables["side_rates"] = tables["side_rates"].assign(clause=lambda t: t["side"].map(identification))
    tables["side_elements"] = _cited(tables["side_elements"], plans)
    tables["side_demand"] = _goals(tables["side_demand"])
    return {
        "meta": _meta(found),
        **tables,
        "side_parts": split.parts,
        "side_ends": ends | {"gap": split.value_b - split.value_a, **_uncovered(split.uncovered)},
        "side_difference": difference[0] if difference else {},
        "side_refused": {"reason": refused.zh, "reason_en": refused.en},
        "side_documents": side_by_side(plans, registers),
        "side_clauses": pd.concat([clauses(p, r) for p, r in zip(plans, registers, strict=True)], ignore_index=True),
        "side_timeline": timeline(plans, registers),
        "side_largest": _largest(found.elements),
        "side_span": _span(found.cases),
        "switches": _switches(plans, found),
    }


def _meta(found: TwoPlaces) -> dict[str, Any]:
    """Return what every report says of what it judges."""
    rows = found.about.to_dict("records")
    notes = [str(r["synthetic"]) for r in rows if r["synthetic"]]
    year = max(int(r["year"]) for r in rows)
    return {
        **{"kind": "comparison", "year": year, "place": "、".join(r["place"] for r in rows)},
        **{"place_en": ", ".join(r["place_en"] for r in rows), "document": "；".join(r["document"] for r in rows)},
        **{"counties": [r["place"] for r in rows], "level": "county", "place_level": "county", "final": None},
        **{"cutoff": f"{year}-12-31", "synthetic": notes[0] if notes else ""},
        **{"above": "规上", "above_en": "above designated size", "below": "规下", "below_en": "below designated size"},
    }


def _uncovered(shares: tuple[float, float]) -> dict[str, float]:
    return {"uncovered_a": shares[0], "uncovered_b": shares[1]}


def _cited(frame: pd.DataFrame, plans: Sequence[Policy]) -> pd.DataFrame:
    """Add to each element the clauses of either plan that it is, the own plan's first."""
    of: dict[str, Policy] = dict(zip(("a", "b"), plans, strict=True))
    cites = []
    for row in frame.to_dict("records"):
        order = [of[str(row["side"])], of["b" if row["side"] == "a" else "a"]]
        cites.append("；".join(f"{p.place.name}{c}" for p in order for c in _cites(p, str(row["element"]))))
    return frame.assign(clause=cites)


def _cites(plan: Policy, element: str) -> list[str]:
    """Return the clauses of one element of a plan's rules."""
    parts = {
        "line": [plan.identification],
        "floor": [plan.scope],
        "criteria": list(plan.identification.criteria),
        "exclusions": list(plan.exclusions),
        "measure": [plan.tax, plan.land, plan.classes],
        "unit": [t for t in plan.targets if t.class_ == "below"],
    }
    return list(dict.fromkeys(cite for part in parts.get(element, [plan.identification]) for cite in part.cite))


def _goals(frame: pd.DataFrame) -> pd.DataFrame:
    """Add each step's goal as it is written: a share as a percentage, a number as it is."""
    words = [f"{r['goal']:.0%}" if r["kind"] == "share" else f"{r['goal']:g}" for r in frame.to_dict("records")]
    return frame.assign(goal_text=words)


def _largest(elements: pd.DataFrame) -> pd.DataFrame:
    """Return for each place's enterprises the element whose swap moves the number listed most, over all orders."""
    swapped = elements[elements["element"].isin(ELEMENTS)]
    at = swapped.groupby("side")["mean"].apply(lambda values: values.abs().idxmax())
    return swapped.loc[at.to_list(), ["side", "element", "label", "label_en", "mean"]].reset_index(drop=True)


def _span(cases: pd.DataFrame) -> pd.DataFrame:
    """Return for each part its least and greatest value over every reading of either plan, taken one at a time."""
    read = cases[cases["case"].isin(["reading", "year"]) & (cases["year_b"] == cases["year_b"].max())]
    rows = [(part, float(read[part].min()), float(read[part].max()), len(read)) for part in PARTS]
    return pd.DataFrame(rows, columns=["part", "least", "most", "n"])


def _switches(plans: Sequence[Policy], found: TwoPlaces) -> pd.DataFrame:
    """Return the doubtful clauses of either plan: side, id, question, the default's reason, clause."""
    rows = [
        (side, r.id, r.question, r.question_en, o.why, o.why_en, "；".join(r.cite))
        for side, plan in zip(("a", "b"), plans, strict=True)
        for r in plan.readings
        for o in r.options
        if o.id == r.default
    ]
    return pd.DataFrame(rows, columns=["side", "id", "question", "question_en", "why", "why_en", "clause"])


def behind(firms: pd.DataFrame, row: Mapping[str, Any]) -> tuple[list[str], pd.DataFrame]:
    """Return whose rows a figure of a comparison rests on, and who is counted.

    Parameters
    ----------
    firms, row
        The table ``side_firms``, and the row of the figure: its side's enterprises that its rules list, the own plan's where it names none.
    """
    columns = ["credit_code", "part", "whole", "counted"]
    side = str(row.get("side") or "")
    mine = firms[firms["side"] == side] if side in ("a", "b") else firms
    if "credit_code" in row:
        return [str(row["credit_code"])], pd.DataFrame(columns=columns)
    named = row.get("rules")
    rules = str(named) if named in ("a", "b") else side if side in ("a", "b") else "a"
    listed = mine[f"listed_{rules}"].astype(object)
    chosen = listed.map(lambda value: bool(pd.isna(value)) or bool(value))
    sure = listed[chosen].map(lambda value: not pd.isna(value))
    members = pd.DataFrame(
        {"credit_code": mine.loc[chosen, "credit_code"], "part": 1.0, "whole": None, "counted": sure}
    )
    return mine.loc[chosen, "credit_code"].tolist(), members[columns].reset_index(drop=True)


def counted_effects(effects: pd.DataFrame) -> pd.DataFrame:
    """Count each place's specifications by what became of them: asked, answered, refused, found, open, failed, short."""
    counts = pd.crosstab(effects["side"], effects["verdict"]).reindex(columns=list(COUNTED), fill_value=0)
    out = counts.rename(columns=COUNTED).rename_axis(columns=None)
    out.insert(0, "asked", out.sum(axis=1))
    out.insert(1, "answered", out["asked"] - out["refused"])
    return out.reset_index()


def summed_effects(effects: pd.DataFrame, plans: Sequence[Policy]) -> Tables:
    """Return what is told of each place's effects beside the estimates.

    Returns
    -------
    dict
        effect_counts (by verdict), effect_sorting (side, verdict: one for all tests of density and bunching), effect_mechanisms (side, id,
        mechanism, verdict, clause).
    """
    cites = {
        s: "；".join(dict.fromkeys(c for t in p.targets for c in t.cite)) for s, p in zip("ab", plans, strict=True)
    }
    sorting, mechanisms = [], []
    for side, mine in effects.groupby("side", sort=False):
        sorted_ = mine[mine["design"].isin(SORTING) & (mine["id"] != "density_score")]
        found = values()["sorting"][_sorted(sorted_)]
        sorting.append((side, found.zh, found.en))
        verdicts = dict(zip(mine["id"], mine["verdict"], strict=True))
        for id, name in ((id, name) for id, name in values()["mechanism"].items() if id in verdicts):
            told = values()["mechanism_verdict"][str(verdicts[id])]
            mechanisms.append((side, id, name.zh, name.en, told.zh, told.en, cites[str(side)]))
    columns = ["side", "id", "mechanism", "mechanism_en", "verdict", "verdict_en", "clause"]
    return {
        "effect_counts": counted_effects(effects),
        "effect_sorting": pd.DataFrame(sorting, columns=["side", "verdict", "verdict_en"]),
        "effect_mechanisms": pd.DataFrame(mechanisms, columns=columns),
    }


def _sorted(tests: pd.DataFrame) -> str:
    """Return one verdict on sorting: signs where a test finds more just above a line, none where all that were made find none."""
    made = tests[tests["verdict"] != "refused"]
    if made.empty:
        return "untested"
    found = made["verdict"].isin(["found", "found_unchecked"]) & (made["estimate"] > 0)
    return "signs" if found.any() else "none"


SORTING = ("density", "bunching")
COUNTED = {"found": "found", "found_unchecked": "open", "failed": "failed", "short": "short", "refused": "refused"}
