"""What the notebooks on effects and on two places compute (影响检验、两地比较): from names to results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyeval.run.inputs import open_ledger, open_policy

if TYPE_CHECKING:
    import pandas as pd

    from lyeval.comparison import TwoPlaces
    from lyeval.policy import Policy
    from lyeval.policy.register import Register
    from lyeval.studies import Study

Named = Mapping[str, Any]
"""One side as a run file names it: policy, ledger, year and, if any, readings."""


@dataclass(frozen=True, eq=False)
class Studies:
    """The effects of one county (side ``""``) or of either side of a comparison (``a``, ``b``)."""

    by_side: Mapping[str, Study]

    def _joined(self, name: str) -> pd.DataFrame:
        import pandas as pd

        parts = [getattr(one, name).assign(side=side) for side, one in self.by_side.items()]
        return pd.concat(parts, ignore_index=True)

    @property
    def table(self) -> pd.DataFrame:
        """One row a specification, with its side."""
        return self._joined("table")

    @property
    def checks(self) -> pd.DataFrame:
        """One row a check, with its side."""
        return self._joined("checks")

    @property
    def rules(self) -> pd.DataFrame:
        """The tax-rule years of all sides."""
        return (
            self._joined("rules")
            .drop(columns=["side", "years"])
            .drop_duplicates(["from", "rule"])
            .reset_index(drop=True)
        )

    def drawn(self, name: str, side: str | None = None) -> pd.DataFrame:
        """Return what the figure of one specification shows; of the first side unless one is named."""
        first = next(iter(self.by_side)) if side is None else side
        frame = self.by_side[first].drawn
        return frame[frame["id"] == name]

    def __repr__(self) -> str:
        return "\n".join(f"{side or '—'} {one!r}" for side, one in self.by_side.items())


def effects(
    ledger: str | Sequence[str] = "",
    policy: str = "",
    *,
    readings: Mapping[str, str] | None = None,
    patch: Mapping[str, Any] | None = None,
    sides: Sequence[Named] = (),
    draws: int = 500,
    seed: int = 0,
    known_by: str = "",
) -> Studies:
    """Ask every question of cause of one county, or of both sides of a comparison if ``sides`` are named.

    ``known_by`` is the report's date, "YYYY-MM-DD": of two sides nothing later is read, by default nothing after the later of their years.
    """
    from lyeval.comparison.two_places import cut
    from lyeval.studies import study

    named: dict[str, Named] = (
        dict(zip(("a", "b"), sides, strict=True))
        if sides
        else {"": {"ledger": ledger, "policy": policy, "readings": readings or {}, "patch": patch or {}}}
    )
    found = {}
    for side, one in named.items():
        plan = open_policy(one["policy"], one.get("patch") or {})
        book = open_ledger(one["ledger"], plan)
        if sides:
            book = cut(book, int(one["year"]), _day(sides, known_by))
        found[side] = study(book, plan, readings=one.get("readings") or {}, draws=draws, seed=seed)
    return Studies(found)


def _day(sides: Sequence[Named], known_by: str) -> date:
    """Return the day after which nothing is read: the report's, else the end of the later year."""
    return date.fromisoformat(known_by) if known_by else date(max(int(one["year"]) for one in sides), 12, 31)


@dataclass(frozen=True, eq=False)
class Compared:
    """Two places compared: the comparison and its documents, many plans over either population, the documents as points, the burden."""

    places: TwoPlaces
    policies: tuple[Policy, Policy]
    registers: tuple[Register | None, ...]
    ledger_rows: pd.DataFrame
    plans: pd.DataFrame
    points: pd.DataFrame
    burdens: pd.DataFrame

    def tables(self) -> dict[str, Any]:
        """Return everything as tables of a report."""
        from lyeval.tables.comparative import side_tables

        rules = {"plans": self.plans, "plan_points": self.points, "plan_burden": self.burdens}
        return {**side_tables(self.places, self.policies, self.registers), **rules, "ledger_rows": self.ledger_rows}

    def __repr__(self) -> str:
        return f"{self.places!r}\n{len(self.plans)} plans"


def compare_sides(sides: Sequence[Named], *, draws: int = 500, seed: int = 0, known_by: str = "") -> Compared:
    """Hold the two places that a run file names against one ruler.

    Parameters
    ----------
    sides
        Two: policy, ledger, year, readings.
    known_by
        The report's date, "YYYY-MM-DD": nothing later is read.
    """
    import pandas as pd

    from lyeval.comparison import burden, population, rule_of, sweep, two_places
    from lyeval.policy.documents import register_of

    opened = [open_policy(one["policy"]) for one in sides]
    places = [(open_ledger(s["ledger"], plan), plan, int(s["year"])) for plan, s in zip(opened, sides, strict=True)]
    readings = [dict(one.get("readings") or {}) for one in sides]
    day = _day(sides, known_by)
    done = two_places(places[0], places[1], readings=(readings[0], readings[1]), draws=draws, seed=seed, known_by=day)
    rules = [rule_of(plan, year) for _, plan, year in places]
    lines = sorted({float(rule["threshold"]) for rule in rules})
    plans, points, burdens = [], [], []
    for side, (book, plan, _) in zip(("a", "b"), places, strict=True):
        people = population(book, plan, min(plan.years.identification) - 1)
        plans.append(sweep(people).assign(side=side))
        points.append(pd.DataFrame(rules).assign(side=side))
        burdens += [burden(people, line).assign(side=side, line=line) for line in lines]
    registers = tuple(register_of(one["policy"]) for one in sides)
    joined = [pd.concat(parts, ignore_index=True) for parts in (plans, points, burdens)]
    return Compared(done, (opened[0], opened[1]), registers, _rows(places, readings), *joined)


def _rows(places: Sequence[Any], readings: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """Return the ledgers' rows that the first list and the year of evaluation of either place rest on."""
    import pandas as pd

    from lyeval.comparison import as_if
    from lyeval.tables.origins import ledger_rows

    parts = [
        ledger_rows(as_if(book, plan, at, readings=chosen)).assign(side=side)
        for side, (book, plan, year), chosen in zip(("a", "b"), places, readings, strict=True)
        for at in dict.fromkeys((min(plan.years.identification), year))
    ]
    return pd.concat(parts, ignore_index=True).drop_duplicates().reset_index(drop=True)


def complete(
    done: Compared,
    sides: Sequence[Named],
    *,
    draws: int = 500,
    seed: int = 0,
    known_by: str = "",
    into: str | Path = "",
) -> Path:
    """Save a comparison's tables beside those of its effects, which are estimated where notebook 05 has not; return their folder."""
    from lyeval import report
    from lyeval.run.steps import folder, keep
    from lyeval.tables.comparative import summed_effects

    where = folder(str(into))
    keep(done.tables(), where)
    saved = report.load(where)
    if "effects" not in saved:
        studied = effects(sides=sides, draws=draws, seed=seed, known_by=known_by)
        keep(report.effect_tables(studied.by_side), where)
        saved = report.load(where)
    keep(summed_effects(saved["effects"], done.policies), where)
    return where
