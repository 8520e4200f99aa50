"""What the notebooks on effects and on two places compute (影响检验、两地比较): from names to results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lyeval.run.inputs import open_ledger, open_policy

if TYPE_CHECKING:
    import pandas as pd

    from lyeval.comparison import Sides, Study

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

    def sentences(self, lang: str = "zh") -> list[str]:
        """Return what may be said of each specification that was estimated."""
        rows = self.table[self.table["verdict"] != "refused"]
        return [str(text) for text in rows["sentence_en" if lang == "en" else "sentence"]]

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
) -> Studies:
    """Ask every question of cause of one county, or of both sides of a comparison if ``sides`` are named."""
    from lyeval.comparison import study

    named: dict[str, Named] = (
        dict(zip(("a", "b"), sides, strict=True))
        if sides
        else {"": {"ledger": ledger, "policy": policy, "readings": readings or {}, "patch": patch or {}}}
    )
    found = {}
    for side, one in named.items():
        plan = open_policy(one["policy"], one.get("patch") or {})
        book = open_ledger(one["ledger"], plan)
        found[side] = study(book, plan, readings=one.get("readings") or {}, draws=draws, seed=seed)
    return Studies(found)


@dataclass(frozen=True, eq=False)
class Compared:
    """Two places compared: the comparison, many plans over either population, the documents as points, the burden."""

    sides: Sides
    plans: pd.DataFrame
    points: pd.DataFrame
    burdens: pd.DataFrame

    def __repr__(self) -> str:
        return f"{self.sides!r}\n{len(self.plans)} plans"


def compare_sides(sides: Sequence[Named], *, draws: int = 500, seed: int = 0) -> Compared:
    """Hold the two places that a run file names against one ruler.

    Parameters
    ----------
    sides
        Two: policy, ledger, year, readings.
    """
    import pandas as pd

    from lyeval.comparison import burden, population, rule_of, sweep, two_sides

    opened = [(open_policy(one["policy"]), one) for one in sides]
    places = [(open_ledger(one["ledger"], plan), plan, int(one["year"])) for plan, one in opened]
    readings = [dict(one.get("readings") or {}) for _, one in opened]
    done = two_sides(places[0], places[1], readings=(readings[0], readings[1]), draws=draws, seed=seed)
    rules = [rule_of(plan, year) for _, plan, year in places]
    plans, points, burdens = [], [], []
    for side, (book, plan, _), own in zip(("a", "b"), places, rules, strict=True):
        people = population(book, plan, min(plan.years.identification) - 1)
        plans.append(sweep(people).assign(side=side))
        points.append(pd.DataFrame(rules).assign(side=side))
        burdens.append(burden(people, float(own["threshold"]), floor=float(own["floor"])).assign(side=side))
    return Compared(done, *(pd.concat(parts, ignore_index=True) for parts in (plans, points, burdens)))


def compute_sides(sides: Sequence[Named], *, draws: int = 500, seed: int = 0, into: str | Path = "") -> Path:
    """Compute and save every table of the comparison report, as its notebooks would, and return their folder."""
    from lyeval import report
    from lyeval.run.steps import folder

    where = folder(str(into))
    done = compare_sides(sides, draws=draws, seed=seed)
    report.save(where, report.side_tables(done.sides, done.plans, done.points, done.burdens))
    report.save(where, report.effect_tables(effects(sides=sides, draws=draws, seed=seed).by_side))
    return where
