"""Two finished runs side by side: which targets and enterprises moved, and which of their inputs did (两次运行对照)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lyeval.run.errors import RunError
from lyeval.run.finished_runs import Finished
from lyeval.run.records import named_inputs

CAUSES = ("data", "rule", "question", "assumptions", "seed", "code", "form")
VERDICT = ("data", "rule", "question", "code")
ODDS = (*VERDICT, "assumptions", "seed")


@dataclass(frozen=True, eq=False)
class Difference:
    """What moved between two runs, and what could have moved it.

    Attributes
    ----------
    inputs
        What the runs were made from and do not share: cause (data, rule, question: year and level, assumptions, seed, code, form: language
        and layout, which moves no figure), item, before, after.
    targets
        One row a target of either run: id, label, label_en, value, goal and status before and after, moved.
    odds
        One row a target and year with odds in either: id, label, label_en, year, probability before and after, moved.
    enterprises
        One row a field that moved: credit_code, name, field, before, after; field ``ledger`` where the enterprise is in one only.
    turned
        Enterprises that a target turns on in one run only: target, credit_code, name, turns (before or after).
    plans
        Enterprises whose method the runs' disposal plans do not share: plan, credit_code, name, before, after ("" where none), both in English too.
    """

    inputs: pd.DataFrame
    targets: pd.DataFrame
    odds: pd.DataFrame
    enterprises: pd.DataFrame
    turned: pd.DataFrame
    plans: pd.DataFrame

    def causes(self, kinds: Iterable[str] = CAUSES) -> tuple[str, ...]:
        """Return which of some causes differ between the runs, in a fixed order."""
        there = set(self.inputs["cause"])
        return tuple(cause for cause in CAUSES if cause in there and cause in kinds)

    def __repr__(self) -> str:
        moved = self.targets.loc[self.targets["moved"], "id"].tolist()
        return f"Difference(by {', '.join(self.causes()) or 'nothing'}; targets moved: {', '.join(moved) or 'none'})"


def difference(before: Finished, after: Finished) -> Difference:
    """Compare two finished runs by their tables and records.

    Raises
    ------
    RunError
        A run's tables are not there; a comparison of two places against a run of one; a public edition.
    """
    _one_kind(before, after)
    old, new = tables_of(before), tables_of(after)
    firms = [_keyed(tables, "enterprises", ["credit_code"]) for tables in (old, new)]
    names = dict(firms[0]["name"]) | dict(firms[1]["name"]) if all("name" in f for f in firms) else {}
    return Difference(
        inputs=pd.DataFrame(_inputs(before.record, after.record), columns=["cause", "item", "before", "after"]),
        targets=_side_by_side(old, new, "targets", ["id"], ["value", "goal", "status"]),
        odds=_side_by_side(old, new, "forecast", ["id", "year"], ["probability"]),
        enterprises=_moved(firms[0], firms[1], names),
        turned=_turned(old, new, names),
        plans=_plans(old, new),
    )


def _one_kind(before: Finished, after: Finished) -> None:
    """Refuse a comparison of two places against a run of one, and a public edition: they share no target or no enterprise."""
    public = "、".join(dict.fromkeys(run.id for run in (before, after) if run.public))
    if public:
        raise RunError.of("run.public_pair", public=public)
    two = [run.record["parameters"].get("kind") == "comparison" for run in (before, after)]
    if two[0] != two[1]:
        pair, single = (before.id, after.id) if two[0] else (after.id, before.id)
        raise RunError.of("run.kinds_pair", pair=pair, single=single)


def tables_of(run: Finished) -> dict[str, Any]:
    """Return a finished run's tables.

    Raises
    ------
    RunError
        They are not there, or damaged.
    """
    from lyeval.report import load

    try:
        return load(run.folder / "tables")
    except (OSError, ValueError, KeyError):
        raise RunError.of("run.tables_gone", id=run.id) from None


def _inputs(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, Any, Any]]:
    """List what two records do not share, by cause."""
    rows = []
    files = [named_inputs(record["inputs"]) for record in (before, after)]
    pairs = [(place, before[place], after[place]) for place in ("parameters", "notebooks")]
    for place, old, new in [("inputs", *files), *pairs]:
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                rows.append((_cause(place, name), name, _short(old.get(name)), _short(new.get(name))))
    old_versions, new_versions = before["versions"], after["versions"]
    rows += [
        ("code", name, old_versions.get(name), new_versions.get(name))
        for name in sorted({*old_versions, *new_versions})
        if old_versions.get(name) != new_versions.get(name)
    ]
    if before["code"] != after["code"]:
        rows.append(("code", "lyeval/", _short(before["code"]), _short(after["code"])))
    return sorted(rows, key=lambda row: CAUSES.index(row[0]))


def _cause(place: str, name: str) -> str:
    """Return what moved where a notebook, an input (named by what it is for) or a parameter did."""
    if place == "inputs":
        return OF_INPUTS.get(name.split()[0], "data")
    return "code" if place == "notebooks" else OF_PARAMETERS.get(name, "form")


def _short(value: Any) -> Any:
    """Shorten a hash to what tells it from another."""
    text = "" if value is None else str(value)
    return text[:12] if len(text) == 64 and " " not in text else text


def _keyed(tables: Mapping[str, Any], name: str, keys: list[str]) -> pd.DataFrame:
    frame = tables.get(name)
    return frame.set_index(keys) if isinstance(frame, pd.DataFrame) and set(keys) <= set(frame) else pd.DataFrame()


def _side_by_side(
    old: Mapping[str, Any], new: Mapping[str, Any], name: str, keys: list[str], shown: list[str]
) -> pd.DataFrame:
    """Set a table of either run side by side, by its keys in the order of the first."""
    both = [_keyed(tables, name, keys) for tables in (old, new)]
    index = list(dict.fromkeys([*both[0].index, *both[1].index]))
    rows = []
    for key in index:
        was, now = ({} if key not in one.index else one.loc[key].to_dict() for one in both)
        row = dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True))
        row |= {k: now.get(k, was.get(k)) for k in ("label", "label_en")}
        for field in shown:
            row |= {f"{field}_before": was.get(field), f"{field}_after": now.get(field)}
        moved = any(not _same(was.get(field), now.get(field)) for field in shown)
        rows.append(row | {"moved": moved})
    pairs = [f"{field}_{side}" for field in shown for side in ("before", "after")]
    return pd.DataFrame(rows, columns=[*keys, "label", "label_en", *pairs, "moved"]).astype({"moved": bool})


def _moved(old: pd.DataFrame, new: pd.DataFrame, names: Mapping[Any, Any]) -> pd.DataFrame:
    """List the fields of enterprises that differ; who is in one ledger only is told once."""
    rows = []
    for code in sorted({*old.index, *new.index}):
        if code not in old.index or code not in new.index:
            rows.append((code, names.get(code), "ledger", code in old.index, code in new.index))
            continue
        was, now = old.loc[code], new.loc[code]
        there = [field for field in FIELDS if field in was and field in now]
        rows += [(code, names.get(code), f, was[f], now[f]) for f in there if not _same(was[f], now[f])]
    return pd.DataFrame(rows, columns=["credit_code", "name", "field", "before", "after"], dtype=object)


def _turned(old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[Any, Any]) -> pd.DataFrame:
    both = [_keyed(tables, "targets", ["id"]) for tables in (old, new)]
    rows = []
    for id in dict.fromkeys([*both[0].index, *both[1].index]):
        sets = [set(one.loc[id, "turns_on"] or []) if id in one.index else set() for one in both]  # type: ignore[arg-type]
        for side, codes in (("before", sets[0] - sets[1]), ("after", sets[1] - sets[0])):
            rows += [(id, code, names.get(code), side) for code in sorted(codes)]
    return pd.DataFrame(rows, columns=["target", "credit_code", "name", "turns"])


def _plans(old: Mapping[str, Any], new: Mapping[str, Any]) -> pd.DataFrame:
    """List whose method differs: between plans of one name, or, of two runs with one plan each, between these; else against the ledger's cases."""
    given = [one.get("plans_cases", pd.DataFrame(columns=[*CASES])) for one in (old, new)]
    given = [frame.assign(scenario=frame["scenario"].fillna("")) for frame in given]
    named = [[name for name in frame["scenario"].unique() if name] for frame in given]
    pairs = [(name, name) for name in named[0] if name in named[1]]
    if not pairs and max(map(len, named)) == 1:
        pairs = [(next(iter(named[0]), ""), next(iter(named[1]), ""))]
    own = next((frame[frame["scenario"] == ""] for frame in given if len(frame)), given[0])
    rows = []
    for was, now in pairs:
        sides = [
            frame[frame["scenario"] == name] if name else own for frame, name in zip(given, (was, now), strict=True)
        ]
        one, other = (side.set_index("credit_code") for side in sides)
        for code in sorted({*one.index, *other.index}):
            ends = [str(side.loc[code, key]) if code in side.index else "" for key in LABELS for side in (one, other)]
            if ends[0] != ends[1]:
                name = (one if code in one.index else other).loc[code, "name"]
                rows.append((was if was == now else f"{was} → {now}", code, name, *ends))
    return pd.DataFrame(rows, columns=["plan", "credit_code", "name", "before", "after", "before_en", "after_en"])


def _same(was: Any, now: Any) -> bool:
    """Tell whether two values are one: both missing, or equal."""
    gone = [value is None or value is pd.NA or value != value for value in (was, now)]
    return all(gone) if any(gone) else bool(was == now)


LABELS = ("label", "label_en")
CASES = ("scenario", "credit_code", "name", *LABELS)
FIELDS = (
    *("name", "township", "class", "in_scope", "excluded_by", "identified", "below_line"),
    *("tax_wan", "land_mu", "tax_per_mu", "stage", "progress"),
)
OF_INPUTS = {"policy": "rule", "assumptions": "assumptions", "fonts": "form", "template": "form", "texts": "form"}
OF_PARAMETERS = {
    **dict.fromkeys(("ledger", "plan", "plans", "previous"), "data"),
    **dict.fromkeys(("policy", "patch", "readings", "quotas", "facts"), "rule"),
    **dict.fromkeys(("year", "level", "as_of", "kind", "sides"), "question"),
    **dict.fromkeys(("assumptions", "scenarios"), "assumptions"),
    **dict.fromkeys(("draws", "seed"), "seed"),
}
