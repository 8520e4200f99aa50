"""What every section is given: the tables of a run in one language, with the lines that stand under each table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from lyeval.render.blocks import Lang
from lyeval.report.words import class_text, coded, day, joined, known, named, phrase, word


@dataclass(frozen=True, eq=False)
class Context:
    """The tables of a run, read only.

    Attributes
    ----------
    tables
        By name, as `lyeval.report.load` gives them.
    lang
        zh or en.
    """

    tables: Mapping[str, Any]
    lang: Lang

    @property
    def meta(self) -> Mapping[str, Any]:
        """What is judged: place, plan, year, readings."""
        return self.tables["meta"]

    @property
    def year(self) -> int:
        """The year judged."""
        return int(self.meta["year"])

    @property
    def research(self) -> bool:
        """Whether the report is the research edition: errors, seeds and records stand in its body too."""
        return self.value("run").get("edition") == "research"

    @property
    def document(self) -> str:
        """The number of the plan's document."""
        return str(self.meta["document"])

    @property
    def place(self) -> str:
        """The county or counties judged: the plan's own place at city level, or where the ledger names many."""
        counties = list(self.meta["counties"])
        own = str(self.meta["place_en" if self.lang == "en" else "place"])
        whole = (
            self.meta["level"] == "city" or self.meta["place_level"] == "county" or not counties or len(counties) > 3
        )
        if whole:
            return own
        names = joined(counties, self.lang)
        return names if self.lang == "zh" else f"{names} ({own})"

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table, empty where the run has none."""
        table = self.tables.get(name)
        return table if isinstance(table, pd.DataFrame) else pd.DataFrame()

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return a table's rows as dictionaries."""
        return records(self.frame(name))

    def value(self, name: str) -> dict[str, Any]:
        """Return a table that is a dict of values, empty where the run has none."""
        table = self.tables.get(name)
        return dict(table) if isinstance(table, Mapping) and not isinstance(table, pd.DataFrame) else {}

    def by(self, name: str) -> dict[str, dict[str, Any]]:
        """Return a table's rows by the first column that names them: id, credit_code."""
        if name not in self._indexed:
            key = "credit_code" if "credit_code" in self.frame(name) else "id"
            self._indexed[name] = {str(r[key]): r for r in self.rows(name)}
        return self._indexed[name]

    @cached_property
    def _indexed(self) -> dict[str, dict[str, dict[str, Any]]]:
        return {}

    @cached_property
    def goals(self) -> dict[str, dict[str, Any]]:
        """The targets by id: those of the year, and those that only the years to come have."""
        return {str(r["id"]): r for name in ("simulation", "forecast", "targets") for r in self.rows(name)}

    def class_(self, value: Any) -> str:
        """Return a class in the plan's words."""
        return class_text(value, self.meta, self.lang)

    def source(self, *departments: str) -> str:
        """Return the line under a table: ledger, departments, cut-off, how final."""
        offices = joined([coded("department", d, self.lang) for d in departments], self.lang)
        final = self.meta["final"]
        state = word(final, self.lang) if known(final) else coded("cell", "final_unsaid", self.lang)
        return phrase("source", self.lang, departments=offices, day=day(self.meta["cutoff"], self.lang), state=state)

    def place_of(self, side: str) -> str:
        """Return the place of a side of a comparison."""
        return self._places[side]

    @cached_property
    def _places(self) -> dict[str, str]:
        return {str(r["side"]): named(r, self.lang, "place") for r in self.rows("side_about")}

    def side(self, side: str) -> str:
        """Return the place of a side without the larger place that it is in."""
        return self.place_of(side).split(" (")[0]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a frame's rows as dictionaries."""
    return [dict(zip(frame.columns, row, strict=True)) for row in frame.itertuples(index=False, name=None)]
