"""What is wrong with a ledger: one record per fault, collected and told together (问题).

An error stops the reading; a warning stands beside the ledger; a gap is something missing that a verdict may need. Errors are
what cannot be read, would be counted twice, or belongs to no enterprise. Each rule is one row of ``rules.csv``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from lyeval.resources import read_rows
from lyeval.told import Told

ORDER = {"error": 0, "warning": 1, "gap": 2}
LIMIT = 1000


@dataclass(frozen=True)
class Rule:
    """One rule: its weight, a title and a sentence (with ``{names}`` filled from the fault) per language.

    ``severity`` is ``error``, ``warning`` or ``gap``.
    """

    severity: str
    zh_title: str
    en_title: str
    zh: str
    en: str

    def title(self, lang: str = "zh") -> str:
        """Return the title in ``lang``."""
        return self.zh_title if lang == "zh" else self.en_title


RULES = {row.pop("rule"): Rule(**row) for row in read_rows(__file__, "rules.csv")}


@dataclass(frozen=True)
class Fault:
    """One fault with its place.

    Attributes
    ----------
    rule : str
        Id of the rule broken, a key of ``RULES``.
    severity : str
        ``error``, ``warning`` or ``gap``.
    file, sheet : str
        File name without folder; sheet name, empty for a flat file.
    row : int or None
        1-based, as a spreadsheet shows it.
    heading, value : str
        As written in the file.
    params : Mapping
        What the rule's sentence names besides.
    """

    rule: str
    severity: str
    file: str
    sheet: str = ""
    row: int | None = None
    heading: str = ""
    value: str = ""
    params: Mapping[str, Any] = field(default_factory=dict[str, Any], compare=False)

    def place(self, lang: str = "zh") -> str:
        """Return file, sheet, row, heading and value as one phrase."""
        zh = lang == "zh"
        parts = [self.file, self.sheet and (f"“{self.sheet}”表" if zh else f"sheet {self.sheet!r}")]
        parts.append((f"第{self.row}行" if zh else f"row {self.row}") if self.row else "")
        parts.append((f"“{self.heading}”列" if zh else f"column {self.heading!r}") if self.heading else "")
        parts.append((f"填“{self.value}”" if zh else f"value {self.value!r}") if self.value else "")
        return ("，" if zh else ", ").join(p for p in parts if p)

    def message(self, lang: str = "zh") -> str:
        """Return what is wrong and what to do."""
        rule = RULES[self.rule]
        return (rule.zh if lang == "zh" else rule.en).format_map(_Blank(self.params))

    def text(self, lang: str = "zh") -> str:
        """Return the place, what is wrong and what to do, as one line."""
        return f"{self.place(lang)}{'：' if lang == 'zh' else ': '}{self.message(lang)}"

    @property
    def count(self) -> int:
        """How many cells the record stands for."""
        return int(self.params.get("count", 1))


@dataclass(frozen=True)
class Group:
    """All faults of one rule: how many, and the first of them."""

    rule: str
    severity: str
    count: int
    first: tuple[Fault, ...]

    def text(self, lang: str = "zh") -> str:
        """Return one line: what, how often, where first."""
        if self.count == 1 or not any(f.row or f.heading for f in self.first):
            return self.first[0].text(lang)
        zh = lang == "zh"
        title, message = RULES[self.rule].title(lang), self.first[0].message(lang)
        places = ("；" if zh else "; ").join(fault.place(lang) for fault in self.first)
        more = self.count > len(self.first)
        if zh:
            return f"{title}：共{self.count}处，{'如' if more else '即'}{places}。{message}"
        return f"{title}: {self.count} places, {'e.g. ' if more else ''}{places}. {message}"


class LedgerError(Told):
    """A ledger that cannot be used: all its errors, told at once.

    Attributes
    ----------
    faults : tuple of Fault
        Every fault found, errors first, warnings after them.

    Examples
    --------
    >>> try:
    ...     ly.read_ledger("台账.xlsx")
    ... except ly.LedgerError as error:
    ...     [fault.rule for fault in error.faults]
    ['file_missing']
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(sorted(faults, key=lambda fault: ORDER[fault.severity]))
        errors = [fault for fault in self.faults if fault.severity == "error"]
        zh, en = (errors[0].text(lang) if errors else "" for lang in ("zh", "en"))
        missing = bool(errors) and all(fault.rule == "file_missing" for fault in errors)
        told = f"台账有 {len(errors)} 处错误：{zh}", f"{len(errors)} errors in the ledger: {en}"
        super().__init__(*told, misuse=missing)
        self.args = ("\n".join(f"{fault.text('zh')} / {fault.message('en')}" for fault in errors),)

    def __reduce__(self) -> tuple[object, ...]:
        return LedgerError, (self.faults,)


class Faults:
    """The list under way while a ledger is read; at most ``LIMIT`` records per rule and table.

    ``tables`` gathers every table as it was read (grid, layout, kinds of rows, values by column), where that is asked for.
    """

    def __init__(self, tables: list[tuple[Any, ...]] | None = None) -> None:
        self.items: list[Fault] = []
        self.tables = tables
        self.remarks: list[Any] = []

    def keep(self, *table: Any) -> None:
        """Keep a table as it was read, if tables are gathered."""
        if self.tables is not None:
            self.tables.append(table)

    def add(self, rule: str, file: str, sheet: str = "", **more: Any) -> None:
        """Add one fault; ``row``, ``heading`` and ``value`` are its place, the rest its params."""
        place = {name: more.pop(name) for name in ("row", "heading", "value") if name in more}
        if "value" in place:
            place["value"] = shown(place["value"])
        if place.get("row") is not None:
            place["row"] = int(place["row"])
        self.items.append(Fault(rule, RULES[rule].severity, file, sheet, **place, params=more))

    def add_rows(self, rule: str, where: tuple[str, str], rows: Iterable[tuple[int, Any]], **more: Any) -> None:
        """Add one fault per (row, value); beyond ``LIMIT`` the last one stands for the rest."""
        rows = list(rows)
        for count, (row, value) in enumerate(rows[: LIMIT + 1]):
            rest = {"count": len(rows) - LIMIT} if count == LIMIT else {}
            self.add(rule, *where, row=row, value=value, **more, **rest)

    def add_frame(self, rule: str, rows: pd.DataFrame, **more: Any | Callable[[Any], Any]) -> None:
        """Add one fault per row of a frame, at the place where it was read; beyond ``LIMIT`` the last one stands for the rest.

        Functions among the place and params are asked of the row; its code, year and month are always told.
        """
        coded, dated = "credit_code" in rows, [n for n in ("year", "month") if n in rows and n not in more]
        for count, row in enumerate(rows.head(LIMIT + 1).itertuples(index=False)):
            own: dict[str, Any] = {name: value(row) if callable(value) else value for name, value in more.items()}
            own |= {"code": row.credit_code} if coded else {}
            own |= {name: int(getattr(row, name)) for name in dated}
            own |= {"count": len(rows) - LIMIT} if count == LIMIT else {}
            self.add(rule, str(row.source_file), str(row.source_sheet), row=row.source_row, **own)

    def errors(self) -> bool:
        """Whether anything found stops the reading."""
        return any(fault.severity == "error" for fault in self.items)


def grouped(faults: Iterable[Fault], places: int = 3) -> tuple[Group, ...]:
    """Gather ``faults`` by rule, errors first, each with its count and its first ``places``."""
    by_rule: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        by_rule.setdefault((fault.severity, fault.rule), []).append(fault)
    return tuple(
        Group(rule, severity, sum(fault.count for fault in found), tuple(found[:places]))
        for (severity, rule), found in sorted(by_rule.items(), key=lambda entry: ORDER[entry[0][0]])
    )


def shown(value: Any) -> str:
    """Return a cell's value as a reader sees it, cut at 60 characters."""
    if value is None or value != value:
        return ""
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        value = value.date()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:59] + "…"


class _Blank(dict[str, Any]):
    """Params whose missing names are shown as a dash."""

    def __missing__(self, key: str) -> str:
        return "—"
