"""Kinds of run file beyond a county's review: two places compared (运行文件的种类)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import model_validator

from lyeval.policy.loading import Frozen
from lyeval.run.errors import RunError
from lyeval.run.inputs import SAMPLE, columns_of, inputs_of, open_ledger, open_policy
from lyeval.run.spec import Draws, Name, Product, RunFile, RunSpec, Year

if TYPE_CHECKING:
    from lyeval.assessment import Assessment


class Side(Frozen):
    """One side of a comparison: plan, ledger (or a city's ledgers), evaluation year, readings not by default."""

    policy: Name
    ledger: Name | tuple[Name, ...]
    year: Year
    readings: dict[str, str] = {}

    @model_validator(mode="after")
    def _names_a_ledger(self) -> Side:
        if not self.ledgers or any(not name.strip() for name in self.ledgers):
            raise ValueError("ledger is empty / 未写明台账")
        return self

    @property
    def ledgers(self) -> tuple[str, ...]:
        """Return the ledgers as named."""
        return (self.ledger,) if isinstance(self.ledger, str) else self.ledger


class ComparisonSpec(RunSpec):
    """Two places on one ruler (两地比较).

    Attributes
    ----------
    sides
        The two places. ``policy`` and ``year`` of the run are the first side's, ``ledger`` all that either side reads.
    draws, seed, lang, formats, report_date, title
        As in `RunSpec`; no other key of it is taken.
    """

    kind: Literal["comparison"] = "comparison"  # pyright: ignore[reportIncompatibleVariableOverride]
    sides: tuple[Side, Side]
    draws: Draws = 500
    products: tuple[Product, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_sides(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        idle = [str(key) for key in data if key in cls.model_fields and key not in TAKEN]
        if idle:
            raise ValueError(f"{idle[0]}: not for kind comparison, name it under sides / 两地比较请写在 sides 之下")
        said = data.get("sides")
        sides = [s for s in said if isinstance(s, dict)] if isinstance(said, list | tuple) else []
        first = sides[0] if sides else {}
        books = [s.get("ledger") for s in sides]
        named = [n for book in books for n in (book if isinstance(book, list | tuple) else [book]) if n]
        return {**data, "policy": first.get("policy") or "-", "year": first.get("year") or 2000,
                "ledger": tuple(dict.fromkeys(map(str, named))) or "-"}  # fmt: skip

    @property
    def policies(self) -> tuple[str, ...]:
        """Return both plans, each once."""
        return tuple(dict.fromkeys(side.policy for side in self.sides))

    def kept(self, policies: Mapping[str, str], ledgers: Mapping[str, str]) -> dict[str, Any]:
        """Return the sides as the notebooks name them, files by where they are kept."""
        told = []
        for side in self.sides:
            names = [ledgers[name] for name in side.ledgers]
            told.append({"policy": policies[side.policy], "ledger": names[0] if len(names) == 1 else names, "year": side.year,
                         "readings": dict(sorted(side.readings.items()))})  # fmt: skip
        return {"sides": told}


def spec_of(data: Any) -> type[RunSpec]:
    """Return what a run file is to be validated as, by its ``kind``."""
    return SPECS.get(str(data.get("kind")), RunSpec) if isinstance(data, dict) else RunSpec


def check_sides(run: RunFile, spec: ComparisonSpec) -> Assessment:
    """Check a comparison before it is run, and return the first side's assessment.

    Raises
    ------
    PolicyError, LedgerError, RunError
        A plan, reading or file that is not there; a ledger's errors; a year that a ledger has no figures of.
    """
    from pathlib import Path

    from lyeval.comparison import as_if
    from lyeval.policy import choose

    inputs_of(run)
    made = []
    for side in spec.sides:
        file = Path(side.policy).suffix in (".yaml", ".yml")
        plan = open_policy(run.find(side.policy) if file else side.policy)
        choose(plan, side.readings)
        names = [n if n.startswith(SAMPLE) else run.find(n) for n in side.ledgers]
        ledger = open_ledger(names if len(names) > 1 else names[0], plan, columns=columns_of(run))
        if side.year not in ledger.years:
            years = "、".join(map(str, ledger.years))
            raise RunError(
                f"sides：{plan.place.name}台账没有 {side.year} 年的年度数据，现有 {years}",
                f"sides: the ledger of {plan.place.name_en} has no annual figures of {side.year}; it has {years}",
                misuse=True,
            )
        made.append(as_if(ledger, plan, side.year, readings=side.readings))
    return made[0]


SPECS: dict[str, type[RunSpec]] = {"review": RunSpec, "comparison": ComparisonSpec}
TAKEN = (
    "kind",
    "title",
    "sides",
    "assumptions",
    "draws",
    "seed",
    "lang",
    "formats",
    "report_date",
    "fonts",
    "cell_limit",
)
