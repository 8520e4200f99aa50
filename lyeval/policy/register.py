"""The clause register (条款登记册): where each clause of a document stands, what becomes of it, and what is on record.

The executed plan is ``<id>.yaml``; what a reader of the document must find again but no arithmetic needs is in
``<id>.clauses.yaml``. A clause is found by a locator of a few characters; the document's own sentences are not kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field, PrivateAttr, field_validator, model_validator

from lyeval.policy.assumptions import load_methods
from lyeval.policy.loading import Frozen, PolicyError, Problem, display, load_yaml, nearest, unknown, validate

COPY_LIMIT = 18
"""Longest run of characters, punctuation aside, that the register's wording may share with the document."""


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
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    theme: Theme | None = None


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


class Span(NamedTuple):
    """Where a clause stands in the text without white space: ``start`` inclusive, ``end`` exclusive."""

    id: str
    start: int
    end: int


def load_register(path: str | Path) -> Register:
    """Load a clause register.

    Parameters
    ----------
    path
        A ``<id>.clauses.yaml`` file.

    Raises
    ------
    PolicyError
        Every fault of the file with line and path: form, repeated ids, cites of clauses that there are not.
    """
    path = Path(path)
    data, lines = load_yaml(path)
    if not isinstance(data, dict):
        raise PolicyError(f"{display(path)}:1: not a clause register / 不是条款登记册")
    register = validate(Register, data, lines, path)
    register._path, register._lines = path, lines
    problems = [*_repeated(register), *_bad_cites(register, register.cites()), *_bad_methods(register)]
    if problems:
        raise PolicyError("\n".join(str(p) for p in problems))
    return register


def covers(cite: str, clause: str) -> bool:
    """Tell whether citing ``cite`` cites ``clause``: itself or a lettered part of it (一(三) covers 一(三)a)."""
    return clause == cite or (clause[:-1] == cite and clause[-1:] in ascii_lowercase)


def plain(text: str) -> str:
    """Return a document's text as locators are matched with it.

    White space and the copy's markdown (``*``, hyphens that open a line) go; every other character stays as it is.
    """
    return re.sub(r"[\s*\ufeff]", "", re.sub(r"(?m)^[ \t]*- ", "", text))


def spans(register: Register, text: str) -> list[Span]:
    """Return the clauses' places in ``plain(text)``; a clause that is not found is left out.

    Each locator is looked for after the one before it.
    """
    body = plain(text)
    starts, at = [], 0
    for clause in register.clauses:
        found = body.find(clause.locator, at)
        if found >= 0:
            starts.append((clause.id, found))
            at = found + len(clause.locator)
    ends = [start for _, start in starts[1:]] + [len(body)]
    return [Span(name, start, end) for (name, start), end in zip(starts, ends, strict=True)]


def check_partition(register: Register, text: str) -> list[Problem]:
    """Prove that the clauses partition the document's text, and that the register copies none of it.

    The clauses begin at the first character, each locator is found after the one before it, and no other choice of
    places in that order is possible: looking forward from the start and backward from the end gives the same places.
    Each clause running to the next, every character then belongs to exactly one. Misprints must stand in the clauses
    that they cite. No text of the register shares more than `COPY_LIMIT` characters in a row with the document;
    titles in 《》 and digits are not counted.

    Parameters
    ----------
    register
        As `load_register` returns it.
    text
        The document, raw.
    """
    body = plain(text)
    problems = _lost(register, body)
    if not problems:
        problems = [*_left_over(register, text, body), *_misquoted(register, text, body)]
    return problems + _copied(register, text)


def check_cites(policy_cites: Mapping[str, Iterable[str]], register: Register) -> list[Problem]:
    """Prove that every cite exists, and that every clause but context has a use.

    Parameters
    ----------
    policy_cites
        The clauses cited by each rule element of the executed plan, by its path.
    register
        As `load_register` returns it.

    Returns
    -------
    list of Problem
        Cites of clauses that there are not; executable clauses that no rule cites; other clauses, context apart, that
        neither a rule nor the record cites.
    """
    rules = {where: list(cites) for where, cites in policy_cites.items()}
    problems = _bad_cites(register, rules)
    by_rule = [c for cites in rules.values() for c in cites]
    by_any = by_rule + [c for cites in register.cites().values() for c in cites]
    for i, clause in enumerate(register.clauses):
        executable = clause.disposition == "executable"
        if clause.disposition != "context" and not any(
            covers(c, clause.id) for c in (by_rule if executable else by_any)
        ):
            missing = (
                "no rule cites it / 无规则引用"
                if executable
                else "neither rules nor record cite it / 规则与记录均未引用"
            )
            problems.append(_problem(register, f"clauses[{i}]", f"{clause.id} is {clause.disposition}, but {missing}"))
    return problems


def _problem(register: Register, where: str, text: str) -> Problem:
    path = where
    while path and path not in register._lines:
        path = path.rpartition(".")[0]
    return Problem(display(register._path), register._lines.get(path, 0), where, text)


def _repeated(register: Register) -> list[Problem]:
    problems: list[Problem] = []
    for name, items in (
        ("clauses", register.clauses),
        ("calendar", register.calendar),
        ("supports", register.supports),
    ):
        seen: dict[str, int] = {}
        for i, item in enumerate(items):
            first = seen.setdefault(item.id, i)
            if first != i:
                problems.append(_problem(register, f"{name}[{i}].id", f"{item.id!r} repeats {name}[{first}] / 重复"))
    return problems


def _bad_cites(register: Register, cites: Mapping[str, list[str]]) -> list[Problem]:
    ids = [c.id for c in register.clauses]
    known = set(ids)
    return [
        _problem(register, f"{where}.cite", f"{cite!r} is not a clause of {register.id}{nearest(cite, ids)}")
        for where, named in cites.items()
        for cite in named
        if cite not in known
    ]


def _bad_methods(register: Register) -> list[Problem]:
    known = [m.id for m in load_methods()]
    return [
        _problem(register, f"methods[{i}].actions[{j}].method", unknown(action.method, "method", known))
        for i, method in enumerate(register.methods)
        for j, action in enumerate(method.actions)
        if action.method not in known
    ]


def _lost(register: Register, body: str) -> list[Problem]:
    problems, at = [], 0
    for i, clause in enumerate(register.clauses):
        found = body.find(clause.locator, at)
        if found < 0:
            order = (
                "stands before the clause ahead of it / 位置在前一条之前"
                if clause.locator in body
                else "is not in the text / 原文中没有"
            )
            problems.append(_problem(register, f"clauses[{i}].locator", f"{clause.id}: {clause.locator!r} {order}"))
        else:
            at = found + len(clause.locator)
    return problems


def _left_over(register: Register, text: str, body: str) -> list[Problem]:
    found = spans(register, text)
    problems, end = [], len(body)
    for i in range(len(found) - 1, -1, -1):
        clause = register.clauses[i]
        end = body.rfind(clause.locator, 0, end)
        if end != found[i].start:
            where = f"clauses[{i}].locator"
            problems.append(
                _problem(register, where, f"{clause.id}: {clause.locator!r} fits two places / 有两处可匹配")
            )
            break
    if found[0].start:
        text = f"{found[0].start} characters stand before the first clause / 首条之前有未登记的文字"
        problems.append(_problem(register, "clauses[0].locator", text))
    return problems


def _misquoted(register: Register, text: str, body: str) -> list[Problem]:
    places = {s.id: body[s.start : s.end] for s in spans(register, text)}
    return [
        _problem(register, f"misprints[{i}].text", f"{m.text!r} is not in {cite} / 该条中没有这几个字")
        for i, m in enumerate(register.misprints)
        for cite in m.cite
        if m.text not in places[cite]
    ]


def _copied(register: Register, text: str) -> list[Problem]:
    """Find texts of the register that repeat the document."""
    body = _letters(text)
    width = COPY_LIMIT + 1
    runs = {body[i : i + width] for i in range(len(body) - width + 1)}
    problems: list[Problem] = []
    for where, said in _texts("", register):
        for part in re.split(r"《[^》]*》|\d+(?:\.\d+)?", said):
            own = _letters(part)
            hit = next((own[i : i + width] for i in range(len(own) - width + 1) if own[i : i + width] in runs), None)
            if hit:
                problems.append(_problem(register, where, f"{hit!r} is copied from the document / 照抄原文"))
    return problems


def _letters(text: str) -> str:
    return re.sub(r"[^\w]|_", "", plain(text))


def _texts(where: str, node: Any) -> Iterator[tuple[str, str]]:
    """Yield the register's own wording; titles of papers and documents are names, not wording."""
    if isinstance(node, BaseModel):
        for name in type(node).model_fields:
            if name not in ("id", "locator", "title", "number", "name", "label"):
                yield from _texts(f"{where}.{name}" if where else name, getattr(node, name))
    elif isinstance(node, tuple):
        for i, item in enumerate(node):
            yield from _texts(f"{where}[{i}]", item)
    elif isinstance(node, str):
        yield where, node
