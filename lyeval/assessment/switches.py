"""Every way to read the doubtful clauses that bears on a year, run on one ledger: does the verdict stand?"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment.frame import Frame
from lyeval.assessment.result import assess
from lyeval.assessment.targets import Inputs
from lyeval.assessment.totals import decide_target
from lyeval.indicators import STATISTICS, book
from lyeval.ledger import Ledger
from lyeval.policy import Policy, Reading, Target, load_policy, patch

MAX_COMBINATIONS = 200_000
STATUSES = ("met", "missed", "undetermined")


@dataclass(frozen=True, eq=False)
class Readings:
    """Each target of a year under every combination of readings that bears on it.

    Attributes
    ----------
    targets
        id, label, status (by default readings), met, missed, undetermined (numbers of combinations), n, lowest, highest (of the
        value), unit, turned_by (switches that alone can change the verdict).
    combinations
        One row a combination: a column per switch; per target its status and ``<id>_value``.
    switches
        Each option alone, all else by default: switch, option, target, value, status, clause, why.
    untestable
        Options that this ledger cannot test: switch, option, needs, reason (zh, en).
    """

    targets: pd.DataFrame
    combinations: pd.DataFrame
    switches: pd.DataFrame
    untestable: pd.DataFrame = field(repr=False)

    def tidy(self) -> pd.DataFrame:
        """Return the table of targets."""
        return self.targets

    def __repr__(self) -> str:
        """Return the number of combinations and under how many each target is met."""
        told = ", ".join(f"{r.id} met under {r.met} of {r.n}" for r in self.targets.itertuples())
        return f"Readings({len(self.combinations)} combinations: {told})"

    def _repr_html_(self) -> str:
        return str(self.targets.to_html(index=False, na_rep="—"))


def readings(
    ledger: Ledger,
    policy: Policy | str | PathLike[str],
    year: int,
    *,
    level: str = "county",
    quotas: Mapping[str, float] | None = None,
    facts: Mapping[str, float] | None = None,
) -> Readings:
    """Run every combination of readings that can bear on a target of ``year``.

    Notes
    -----
    A switch bears on a target if one of its patches writes something that the target is computed from. Targets are run on the
    switches that bear on them; the table of combinations is the product over all of these.

    Examples
    --------
    >>> read = ly.readings(ledger, policy, 2020).targets.set_index("id")
    >>> bool(0 < read.loc["below_scale_reach", "met"] < read.loc["below_scale_reach", "n"])
    True
    """
    policy = load_policy(policy) if isinstance(policy, str | PathLike) else policy
    now = assess(ledger, policy, year, level=level, quotas=quotas, facts=facts)
    due = [o.target for o in now.outcomes]
    options, untestable = _testable(ledger, policy, set(now.inputs.facts))
    bearing = {t.id: [r for r in policy.readings if len(options[r.id]) > 1 and _bears(r, t, year)] for t in due}
    runner = _Runner(policy, ledger, year, now.inputs, options)
    grids = {t.id: runner.grid(t, bearing[t.id]) for t in due}
    used = [r for r in policy.readings if any(r in b for b in bearing.values())]
    combinations = _expand(used, options, bearing, grids)
    rows = [
        _summary(t, bearing[t.id], grids[t.id], options, len(combinations), now.outcomes[i].status)
        for i, t in enumerate(due)
    ]
    switches = _alone(used, options, bearing, grids)
    return Readings(pd.DataFrame(rows, columns=COLUMNS), combinations, switches, untestable)


COLUMNS = ["id", "label", "status", "met", "missed", "undetermined", "n", "lowest", "highest", "unit", "turned_by"]


def _testable(ledger: Ledger, policy: Policy, facts: set[str]) -> tuple[dict[str, list[str]], pd.DataFrame]:
    """Return the options of each switch that the ledger can test (the default first), and those that it cannot."""
    options: dict[str, list[str]] = {}
    rows: list[tuple[Any, ...]] = []
    for r in policy.readings:
        options[r.id] = [r.default]
        for o in r.options:
            lacking = [need for need in o.needs if not _there(ledger, need, facts)]
            if lacking:
                names = "、".join(lacking)
                rows.append(
                    (
                        r.id,
                        o.id,
                        names,
                        f"台账没有 {names}，无法检验这一读法",
                        f"the ledger has no {names}; cannot be tested",
                    )
                )
            elif o.id != r.default:
                options[r.id].append(o.id)
    return options, pd.DataFrame(rows, columns=["switch", "option", "needs", "reason", "reason_en"])


def _there(ledger: Ledger, need: str, facts: set[str]) -> bool:
    sheet, _, column = need.partition(".")
    return column in facts if sheet == "facts" else ledger.has(sheet, column or None)


def _bears(reading: Reading, target: Target, year: int) -> bool:
    return any(_path_bears(path, target, year) for option in reading.options for path in option.set)


def _path_bears(path: str, target: Target, year: int) -> bool:
    head, _, rest = path.partition(".")
    kind = STATISTICS[target.statistic].kind
    if head == "targets":
        id, _, inner = rest.partition(".")
        dated = re.match(r"years\.(\d+)", inner)
        return id == target.id and not inner.startswith("baseline") and (dated is None or int(dated[1]) == year)
    if kind in ("demolished", "blocks"):
        return False
    if head == "identification":
        return target.cohort not in ("all", "whole_class") or kind == "closed"
    if kind == "closed":
        return head == "exclusions" or path in ("tax.coefficients", "tax.attribution")
    return head in ("classes", "tax", "land", "scope", "exclusions")


@dataclass
class _Runner:
    policy: Policy
    ledger: Ledger
    year: int
    inputs: Inputs
    options: dict[str, list[str]]

    def __post_init__(self) -> None:
        self.book = book(self.ledger)
        self.frames: dict[tuple[tuple[str, str], ...], Frame] = {}

    def grid(self, target: Target, switches: list[Reading]) -> tuple[np.ndarray, np.ndarray]:
        """Run a target over all options of its switches: statuses (index into STATUSES) and values, one axis a switch."""
        shape = [len(self.options[r.id]) for r in switches]
        status, value = np.zeros(shape, dtype=np.int8), np.full(shape, np.nan)
        targets: dict[tuple[str, ...], Target] = {}
        for at in itertools.product(*map(range, shape)):
            sets = {(r.id, self.options[r.id][i]): self._set(r, i) for r, i in zip(switches, at, strict=True)}
            own = tuple(
                f"{p}={v!r}" for s in sets.values() for p, v in s.items() if p.startswith(f"targets.{target.id}.")
            )
            if own not in targets:
                targets[own] = self._patched(target, sets)
            outcome = decide_target(targets[own], self._frame(sets), self.inputs)
            status[at] = STATUSES.index(outcome.status)
            value[at] = np.nan if outcome.bounded.value is None else outcome.bounded.value
        return status, value

    def _set(self, reading: Reading, i: int) -> dict[str, Any]:
        wanted = self.options[reading.id][i]
        return next(o.set for o in reading.options if o.id == wanted)

    def _patched(self, target: Target, sets: dict[tuple[str, str], dict[str, Any]]) -> Target:
        changes = {p: v for s in sets.values() for p, v in s.items() if p.startswith(f"targets.{target.id}.")}
        return patch(self.policy, changes).target(target.id)

    def _frame(self, sets: dict[tuple[str, str], dict[str, Any]]) -> Frame:
        key = tuple(k for k, s in sets.items() if any(not p.startswith("targets.") for p in s))
        if key not in self.frames:
            changes = {p: v for k in key for p, v in sets[k].items() if not p.startswith("targets.")}
            self.frames[key] = Frame(patch(self.policy, changes), self.book, self.year, self.year)
        return self.frames[key]


Grid = tuple[np.ndarray, np.ndarray]


def _expand(
    used: list[Reading], options: dict[str, list[str]], bearing: dict[str, list[Reading]], grids: dict[str, Grid]
) -> pd.DataFrame:
    sizes = [len(options[r.id]) for r in used]
    total = int(np.prod(sizes, dtype=np.int64))
    if total > MAX_COMBINATIONS:
        return pd.DataFrame(index=range(total))
    index = np.indices(sizes).reshape(len(sizes), total)
    columns: dict[str, Any] = {r.id: np.array(options[r.id], dtype=object)[index[i]] for i, r in enumerate(used)}
    for id, (status, value) in grids.items():
        axes = tuple(index[used.index(r)] for r in bearing[id])
        columns[id] = np.broadcast_to(np.array(STATUSES, dtype=object)[status[axes]], total)
        columns[f"{id}_value"] = np.broadcast_to(value[axes], total)
    return pd.DataFrame(columns, index=range(total))


def _summary(
    target: Target, switches: list[Reading], grid: Grid, options: dict[str, list[str]], total: int, status: str
) -> dict[str, Any]:
    statuses, values = grid
    scale = total / statuses.size
    counts = [round(int((statuses == i).sum()) * scale) for i in range(len(STATUSES))]
    turned = [r.id for axis, r in enumerate(switches) if (statuses != statuses.take([0], axis=axis)).any()]
    known = values[~np.isnan(values)]
    return {
        "id": target.id,
        "label": target.label,
        "status": status,
        "met": counts[0],
        "missed": counts[1],
        "undetermined": counts[2],
        "n": total,
        "lowest": float(known.min()) if known.size else None,
        "highest": float(known.max()) if known.size else None,
        "unit": target.unit or STATISTICS[target.statistic].unit,
        "turned_by": turned,
    }


def _alone(
    used: list[Reading], options: dict[str, list[str]], bearing: dict[str, list[Reading]], grids: dict[str, Grid]
) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for id, switches in bearing.items():
        status, value = grids[id]
        for axis, r in enumerate(switches):
            for i, option in enumerate(options[r.id]):
                at = tuple(i if a == axis else 0 for a in range(len(switches)))
                told = next(o for o in r.options if o.id == option)
                shown = None if np.isnan(value[at]) else float(value[at])
                rows.append(
                    (r.id, option, id, shown, STATUSES[int(status[at])], "；".join(r.cite), r.question, told.why)
                )
    return pd.DataFrame(rows, columns=["switch", "option", "target", "value", "status", "clause", "question", "why"])
