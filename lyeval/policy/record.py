"""The form of a clause register: clauses, and the record that no arithmetic needs (duties, calendar, papers …)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, PrivateAttr, field_validator, model_validator

from lyeval.policy.loading import Frozen, unknown

Disposition = Literal["executable", "checklist", "open_norm", "external", "context"]
Theme = Literal[
    "goals",
    "scope",
    "measure",
    "unit",
    "criteria",
    "instruments",
    "sanctions",
    "procedure",
    "organisation",
    "supervision",
    "money",
    "duration",
]

LOCATOR_LIMIT = 12
QUOTE_LIMIT = 16


class Clause(Frozen):
    """One clause (条款): ``locator`` is where it begins; it runs to the next clause's locator.

    ``theme`` is where it stands in a comparison of documents, if not where the rules and the record that cite it put it.
    """

    id: str = Field(min_length=1)
    locator: str = Field(min_length=2, max_length=LOCATOR_LIMIT)
    disposition: Disposition
    theme: Theme | None = None
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Entry(Frozen):
    """Something on record, with the clauses that it rests on."""

    cite: tuple[str, ...] = Field(min_length=1)


class Said(Entry):
    """An entry told in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Duty(Said):
    """A unit's duty (职责分工)."""

    unit: str
    unit_en: str


class Inspection(Entry):
    """A matter that units inspect (检查事项), as the ledger's ``issues`` sheet calls it.

    ``fact`` is the ledger's flag of an open breach; None where the ledger keeps none. ``allotted`` tells whether the
    document gives the matter to the units, or names units in bulk and their competence decides.
    """

    matter: str
    fact: str | None = None
    units: tuple[str, ...] = Field(min_length=1)
    allotted: Literal["document", "competence"]


class Event(Said):
    """A date or rhythm (工作进度、调度): ``start`` to ``end``, or ``every`` so often, or ``days`` ``after`` another."""

    id: str
    start: date | None = None
    end: date | None = None
    every: Literal["two_weeks", "month", "year", "event", "unstated"] | None = None
    after: str | None = None
    days: int | None = Field(default=None, gt=0)
    units: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _dated(self) -> Event:
        if (self.end is None) == (self.every is None):
            raise ValueError("needs exactly one of end, every / 须且只须有 end、every 之一")
        if self.start and self.end and self.start > self.end:
            raise ValueError("start is after end / start 晚于 end")
        if self.days is not None and self.after is None:
            raise ValueError("days needs after / 有 days 须有 after")
        return self


class Support(Said):
    """A support (扶持、保障); ``amount`` tells whether the document leaves a figure open or there is none to give."""

    id: str
    amount: Literal["unstated", "none"]


class Action(Said):
    """One way of going about a method (具体做法) and the method of ``assumptions/methods.yaml`` that it is."""

    id: str
    method: str


class Paper(Entry):
    """A paper that the enterprise hands in (申报材料); ``name`` is its title."""

    name: str
    en: str


class Step(Said):
    """A step of the procedure (流程), who takes it, and whether it is an approval."""

    by: tuple[str, ...] = Field(min_length=1)
    approval: Literal["review", "sign"] | None = None


class Lead(Entry):
    """The unit that leads (牵头单位), ``when`` there is more than one."""

    unit: str
    unit_en: str
    when: str | None = None


class MethodRecord(Entry):
    """What a disposal method (处置方式) asks for on paper."""

    label: str
    label_en: str
    actions: tuple[Action, ...] = Field(min_length=1)
    agreement: tuple[str, ...] = ()
    papers: tuple[Paper, ...] = ()
    steps: tuple[Step, ...] = ()
    lead: tuple[Lead, ...] = ()

    @property
    def approvals(self) -> tuple[Step, ...]:
        """Return the steps that are approvals, in order."""
        return tuple(s for s in self.steps if s.approval)


class FormField(Entry):
    """A field of the survey form (调查表) and its ledger column ``sheet.column``, or ``carried`` to the dossier."""

    label: str
    unit: str | None = None
    column: str = Field(pattern=r"^(carried|[a-z_]+\.[a-z_0-9]+)$")
    period: Literal["previous_year"] | None = None


class Misprint(Said):
    """What the document has and what it seems to mean (勘误): on record, never repaired in silence."""

    text: str = Field(min_length=2, max_length=QUOTE_LIMIT)
    meant: str
    kind: Literal["misprint", "lacuna", "variance", "contradiction"]


class External(Said):
    """A document relied on and not held (未收录文件); ``inputs`` are the ledger's columns that stand in for it."""

    number: str | None = None
    title: str | None = None
    inputs: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _named(self) -> External:
        if not (self.number or self.title):
            raise ValueError("needs number or title / 须有 number 或 title")
        return self


class Register(Frozen):
    """A document's clauses and record. Lists keep the order of the file."""

    id: str
    clauses: tuple[Clause, ...] = Field(min_length=1)
    duties: tuple[Duty, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    calendar: tuple[Event, ...] = ()
    supports: tuple[Support, ...] = ()
    methods: tuple[MethodRecord, ...] = ()
    form: tuple[FormField, ...] = ()
    external: tuple[External, ...] = ()
    misprints: tuple[Misprint, ...] = ()
    _path: Path = PrivateAttr(default=Path("register"))
    _lines: Mapping[str, int] = PrivateAttr(default_factory=dict)

    @field_validator("calendar")
    @classmethod
    def _after_known(cls, events: tuple[Event, ...]) -> tuple[Event, ...]:
        ids = [e.id for e in events]
        for event in events:
            if event.after is not None and event.after not in ids:
                raise ValueError(f"{event.id}: after: {unknown(event.after, 'calendar id', ids)}")
        return events

    def clause(self, cite: str) -> Clause:
        """Return the clause of that id.

        Raises
        ------
        KeyError
            No such clause; the message names the nearest.
        """
        for clause in self.clauses:
            if clause.id == cite:
                return clause
        raise KeyError(unknown(cite, "clause", [c.id for c in self.clauses]))

    def method(self, canonical: str) -> list[MethodRecord]:
        """Return the records of the document's methods that a canonical method belongs to."""
        return [m for m in self.methods if any(a.method == canonical for a in m.actions)]

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Yield every entry of the record with its path, those within methods too."""
        yield from _walk("", self)

    def cites(self) -> dict[str, list[str]]:
        """Return the clauses cited by each entry of the record, by path."""
        return {where: list(entry.cite) for where, entry in self.entries()}


def _walk(where: str, node: Any) -> Iterator[tuple[str, Entry]]:
    if isinstance(node, Entry):
        yield where, node
    if isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _walk(f"{where}.{name}" if where else name, getattr(node, name))
    elif isinstance(node, tuple):
        for i, item in enumerate(node):
            yield from _walk(f"{where}[{i}]", item)
