"""What the desk shows (方案台上的话和数): a question, its enterprises, a result and two plans side by side, as the page lays them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lyeval.desk.saving import County
from lyeval.desk.trial import Trial
from lyeval.indicators import book
from lyeval.policy import Policy
from lyeval.portfolios.choices import met, planned
from lyeval.simulation import odds
from lyeval.told import Told

Card = dict[str, Any]
Words = Mapping[str, str]


def percent(value: float) -> str:
    """Write odds or a share with one decimal."""
    return f"{value:.1%}"


def form(county: County, policy: Policy, trial: Trial, lang: str) -> dict[str, Any]:
    """Lay the question out: what may be chosen, each as (id, words), and what stands."""
    at, view, asked = lang == "en", trial.view, trial.asked
    targets = [one for one in policy.targets if asked.year in one.years] or list(policy.targets)
    chosen = {one.id: one.default for one in policy.readings} | {**county.readings, **asked.readings}
    switches = [
        {
            "id": one.id,
            "label": one.question_en if at else one.question,
            "clause": "；".join(one.cite),
            "options": [
                [o.id, (o.label_en if at else o.label) or o.id, o.why_en if at else o.why] for o in one.options
            ],
            "value": chosen[one.id],
        }
        for one in policy.readings
    ]
    scale = 100 if view.kind == "share" else 1
    return {
        "years": [[str(year), str(year)] for year in county.years(policy)],
        "year": str(asked.year),
        "targets": [[one.id, one.label_en if at else one.label] for one in targets],
        "target": asked.target,
        "readings": switches,
        "line": None if view.line is None else f"{view.line:g}",
        "goal": f"{scale * float(view.goal or 0):g}",
        "goal_unit": "%" if view.kind == "share" else view.unit,
        "op": "≤" if view.op == "le" else "≥",
        "clause": view.clause,
        "dated": asked.year in next(one.years for one in policy.targets if one.id == asked.target),
        "starts": [[month, month] for month in _months(county.year, asked.year)],
        "start": asked.start,
        "plan": "" if asked.plan is None else asked.plan.name,
        "plans": plans(county),
        "place": trial.now.policy.place.name_en if at else trial.now.policy.place.name,
        "policy": trial.now.policy.title_en if at else trial.now.policy.title,
    }


def _months(year: int, last: int) -> list[str]:
    return [f"{of}-{month:02d}" for of in range(year + 1, last + 1) for month in range(1, 13)]


def plans(county: County) -> list[str]:
    """Return the tables in the workspace's ``data`` that say they are plans: those that a run file names."""
    runs = county.folder / "parameters" / "runs"
    names = sorted(path.stem for path in runs.glob("*.yaml")) if runs.is_dir() else []
    return [f"{name}.csv" for name in names if (county.folder / "data" / f"{name}.csv").is_file()]


def rows(trial: Trial, words: Words, lang: str) -> list[dict[str, Any]]:
    """Lay the enterprises out for the page: figures as text, and each method as (id, words, whether it is open)."""
    labels, at = trial.made.given.assumed.labels, lang == "en"
    key = "own" if trial.asked.plan is None else "own_plan"
    chosen = dict(zip(trial.chosen["credit_code"], trial.chosen["method"], strict=True))
    out = []
    for row in trial.rows():
        own = words["none"] if not row["own"] else words[key].format(method=labels[row["own"]][at])
        methods: list[list[Any]] = [["", own, True]]
        for one in [] if row["options"] is None else row["options"].to_dict("records"):
            told = {"method": one["label_en" if at else "label"], "cost": f"{one['cost_wan']:,.0f}"}
            open_if = one["condition_en" if at else "condition"]
            text = words["conditional" if open_if else "lawful"].format(**told, condition=open_if)
            methods.append([one["method"], text, True])
        seen = {one[0] for one in methods} | {row["own"]}
        for one in [] if row["refused"] is None else row["refused"].to_dict("records"):
            if one["method"] not in seen:
                told = {"method": one["label_en" if at else "label"], "why": one["why_en" if at else "why"]}
                methods.append([one["method"], words["unlawful"].format(**told, clause=one["clause"]), False])
                seen.add(one["method"])
        figures = {
            "land": f"{row['land_mu']:,.1f}",
            "per_mu": f"{row['tax_per_mu']:,.2f}",
            "weight": percent(row["weight"]),
        }
        figures = {name: words["no_value"] if "nan" in text else text for name, text in figures.items()}
        head = {name: row[name] for name in ("code", "name", "township")}
        out.append(head | figures | {"methods": methods, "chosen": chosen.get(row["code"], "")})
    return out


def card(trial: Trial, curve: Sequence[tuple[float, float]], words: Words, lang: str) -> Card:
    """Lay the result out."""
    view, chosen = trial.view, trial.chosen
    before, found, points = trial.before, trial.found(), trial.points()
    first, now = trial.probability(before), trial.probability()
    scale, unit = (100, "%") if view.kind == "share" else (1, "")
    state = chosen.loc[chosen["payer"] == "government", "cost_wan"].sum()
    land = trial.land()
    land = land[land["released_mu"] >= SMALL]
    top = [
        [str(row["township"] or words["no_value"]), f"{row['released_mu']:,.1f}"]
        for row in land.head(MOST).to_dict("records")
    ]
    middle = f"{points[1] * scale:,.1f}{unit}（{points[0] * scale:,.1f}—{points[2] * scale:,.1f}{unit}）"
    ceiling = trial.ceiling if "tensor" in vars(trial) else None
    return {
        "before": percent(first),
        "after": percent(now),
        "probability": repr(now),
        "value": middle if lang == "zh" else middle.replace("（", " (").replace("）", ")").replace("—", " to "),
        "cost": f"{chosen['cost_wan'].sum():,.0f} {words['wan']}",
        "state": f"{state:,.0f} {words['wan']}",
        "firms": f"{len(chosen)} {words['count']}".strip(),
        "land": f"{land['released_mu'].sum():,.1f} {words['mu']}",
        "townships": top,
        "ceiling": "…" if ceiling is None else f"{percent(ceiling.probability)}（{ceiling.cost:,.0f} {words['wan']}）",
        "histogram": _histogram(before, found, scale, float(view.goal or 0)),
        "curve": [[cost, chance] for cost, chance in _front(curve)],
        "dot": [float(chosen["cost_wan"].sum()), now],
        "chosen": dict(zip(chosen["credit_code"], chosen["method"], strict=True)),
    }


def _front(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the plans that no cheaper one matches."""
    out: list[tuple[float, float]] = []
    for cost, chance in sorted(curve, key=lambda one: (one[0], -one[1])):
        if not out or chance > out[-1][1]:
            out.append((cost, chance))
    return out


def _histogram(before: np.ndarray, after: np.ndarray, scale: float, goal: float) -> dict[str, Any]:
    """Count both distributions in common bins; the goal's place among them."""
    known = np.concatenate([before[~np.isnan(before)], after[~np.isnan(after)], [goal]]) * scale
    low, high = float(known.min()), float(known.max())
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    counts = [np.histogram(one[~np.isnan(one)] * scale, edges)[0].tolist() for one in (before, after)]
    return {
        "low": f"{low:.3g}",
        "high": f"{high:.3g}",
        "before": counts[0],
        "after": counts[1],
        "goal": float((goal * scale - edges[0]) / (edges[-1] - edges[0])),
        "goal_is": f"{goal * scale:g}",
    }


def pair(county: County, trial: Trial, sides: Sequence[str], words: Words, lang: str) -> dict[str, Any]:
    """Set two plans side by side: odds, value, cost and number of cases of each, and the enterprises whose method differs."""
    names = [["ledger", words["ledger_plan"]], ["current", words["current"]], *([one, one] for one in plans(county))]
    known = [name for name, _ in names]
    a, b = (side if side in known else "current" for side in sides)
    try:
        laid = [_side(county, trial, one, lang) for one in (a, b)]
    except Told as error:
        return {"names": names, "a": a, "b": b, "fault": error.text(lang)}
    labels, at = trial.made.given.assumed.labels, lang == "en"
    one, other = (dict(zip(side["plan"]["credit_code"], side["plan"]["method"], strict=True)) for side in laid)
    laid_book, differs = book(trial.now.ledger), []
    for code in sorted({*one, *other}):
        if one.get(code) != other.get(code):
            name = str(laid_book.text("name")[laid_book.positions(pd.Series([code]))[0]] or code)
            differs.append([name, *(labels[side[code]][at] if code in side else "—" for side in (one, other))])
    figures = [{key: side[key] for key in ("odds", "probability", "value", "cases", "cost")} for side in laid]
    told = words["differs"].format(n=len(differs)) if differs else words["same"]
    return {"names": names, "a": a, "b": b, "figures": figures, "told": told, "differs": differs[:SHOWN]}


def _side(county: County, trial: Trial, name: str, lang: str) -> dict[str, Any]:
    """Give one of two plans: the ledger's cases, what is chosen now, or one that was kept."""
    view = trial.view
    if name in trial.kept:
        return trial.kept[name]
    if name == "current" or (name == "ledger" and trial.asked.plan is None):
        found = trial.found() if name == "current" else trial.before
        chance = trial.probability(found)
        plan = trial.plan() if name == "current" else trial.now.plan
    else:
        plan = trial.now.plan
        if name != "ledger":
            plan = trial.cases(county.folder / "data" / Path(name).name)
        year = planned(trial.made.given, trial.now.ledger, plan, view.year)
        found, chance = odds.values(odds.members(view, year)), met(view, year)
    scale, unit = (100, "%") if view.kind == "share" else (1, "")
    known = found[~np.isnan(found)]
    middle = f"{np.median(known) * scale:,.1f}{unit}" if len(known) else "—"
    money = pd.to_numeric(plan["cost_wan"], errors="coerce").sum()
    side = {
        "plan": plan,
        "odds": percent(chance),
        "probability": repr(chance),
        "value": middle,
        "cases": str(len(plan)),
        "cost": f"{money:,.0f}",
    }
    if name != "current":
        trial.kept[name] = side
    return side


SMALL, MOST, BINS, SHOWN = 0.05, 6, 24, 40
