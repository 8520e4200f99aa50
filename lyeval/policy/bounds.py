"""What a plan's years, days and ids may be (取值范围)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypeAliasType

from lyeval.indicators import FACTS, STATISTICS
from lyeval.policy.assumptions import load_methods
from lyeval.policy.loading import unknown
from lyeval.textfiles import name_fault

OWN_FACTS: ContextVar[dict[str, str]] = ContextVar("OWN_FACTS", default={})  # noqa: B039 - never changed in place


@dataclass(frozen=True)
class OneOf:
    """A word that must stand in a registry: refused with the nearest that does, and listed with its meaning in the JSON Schema.

    Attributes
    ----------
    kind
        What the words are: fact, statistic, method.
    words
        Returns each word and what it means.
    open
        A plan may define others, which are known while it is read.
    """

    kind: str
    words: Callable[[], dict[str, str]]
    open: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.known, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        told = [{"const": word, "description": meaning} for word, meaning in self.words().items()]
        if not self.open:
            return {**handler(schema), "oneOf": told}
        known = [t["const"] for t in told]
        return {
            **handler(schema),
            "oneOf": [*told, {"not": {"enum": known}, "description": "方案 facts 里自定义的事实"}],
        }

    def known(self, word: str) -> str:
        """Return the word.

        Raises
        ------
        ValueError
            It is none of the registry's; the nearest is named.
        """
        known = {*self.words(), *(OWN_FACTS.get() if self.open else ())}
        if word not in known:
            raise ValueError(unknown(word, self.kind, known))
        return word


@cache
def _facts() -> dict[str, str]:
    bases = {"year": "本年 / of the year", "day": "年末 / at its end", "years": "连年 / of years in a row", "entry": ""}
    told = {name: [f"{f.zh} / {f.en}", f.unit, bases[f.basis], " ".join(f.columns)] for name, f in FACTS.items()}
    return {name: "；".join(part for part in parts if part) for name, parts in told.items()}


@cache
def _statistics() -> dict[str, str]:
    return {n: "；".join(filter(None, (f"{s.label} / {s.label_en}", s.unit))) for n, s in STATISTICS.items()}


@cache
def _methods() -> dict[str, str]:
    return {m.id: f"{m.label} / {m.label_en}" for m in load_methods()}


FactName = TypeAliasType("FactName", Annotated[str, OneOf("fact", _facts, open=True)])
StatisticName = TypeAliasType("StatisticName", Annotated[str, OneOf("statistic", _statistics)])
MethodName = TypeAliasType("MethodName", Annotated[str, OneOf("method", _methods)])


def _named(id: str) -> str:
    """Refuse an id that Windows keeps to itself."""
    fault = name_fault(id)
    if fault is not None:
        raise ValueError(f"{fault[0]} / {fault[1]}")
    return id


def once(ids: Sequence[str], name: str) -> None:
    """Refuse an id that stands twice, or twice but for its case.

    Raises
    ------
    ValueError
        With the id and the list that it stands in.
    """
    for id in sorted({i for i in ids if ids.count(i) > 1}):
        raise ValueError(f"{name}: id {id!r} stands twice / 标识重复")
    folded = [i.casefold() for i in ids]
    alike = [i for i in ids if folded.count(i.casefold()) > 1]
    if alike:
        told = "、".join(alike)
        raise ValueError(f"{name}: ids that differ only by case: {told} / 标识只有大小写不同：{told}")


ID = r"^[a-z0-9][a-z0-9-]{0,60}$"
Id = Annotated[str, Field(pattern=ID), AfterValidator(_named)]
Year = Annotated[int, Field(ge=1990, le=2100)]
Days = Annotated[int, Field(ge=-3660, le=3660)]
DAY_OF_YEAR = r"^(facts|any|(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$"
