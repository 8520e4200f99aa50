"""Survey forms (企业基本情况调查表): one sheet per enterprise, labels with their values beside them, not a table."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pandas as pd

from lyeval.ledger.columns import COLUMNS, NUMERIC, PLACE, SHEETS, Column, as_text, of_sheet
from lyeval.ledger.faults import Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import Heading, find, take_apart
from lyeval.ledger.join import Directory, directory
from lyeval.ledger.rows import Part
from lyeval.ledger.typed import Odd, convert, year
from lyeval.ledger.vocabulary import factor, find_unit, is_missing, key, terms, tidy, well_formed


@dataclass(frozen=True)
class Entry:
    """One filled field: its column, its label and value as written, its row, and the ratio of its unit (None: unfit)."""

    column: Column
    label: str
    value: Any
    row: int
    ratio: Fraction | None = Fraction(1)
    unit: str = ""


@dataclass(frozen=True)
class Form:
    """A form as it was filled in.

    Attributes
    ----------
    file, sheet : str
        Where it stands.
    entries : Mapping
        Canonical column → field; blank fields are absent.
    row : int
        Row of the enterprise's name.
    dated : int or None
        Year of the day on which it was filled in.
    """

    file: str
    sheet: str
    entries: Mapping[str, Entry]
    row: int = 1
    dated: int | None = None

    def text(self, name: str) -> str:
        """Return a field as text, empty where blank."""
        entry = self.entries.get(name)
        return "" if entry is None else " ".join(str(entry.value).split())


def read_form(grid: Grid) -> Form | None:
    """Return the form on a sheet, None when the sheet is none: a form has its labels below each other."""
    if not 0 < grid.height <= TALLEST or not 0 < len(grid.columns) <= WIDEST:
        return None
    rows = grid.top(TALLEST)
    labels = [(r, c, *found) for r, row in enumerate(rows) for c, cell in enumerate(row) if (found := _label(cell))]
    firsts: dict[str, int] = {}
    for r, _, column, *_ in labels:
        firsts.setdefault(column.name, r)
    if len(set(firsts.values())) < LEAST:
        return None
    entries: dict[str, Entry] = {}
    taken: set[tuple[int, int]] = set()
    for r, c, column, heading, rest in labels:
        value, unit, place = _value(rows, r, c, column, rest)
        taken.add(place)
        if value is not None and column.name not in entries:
            unit = heading.unit or unit
            ratio = factor(unit, column.unit) if unit and column.kind in NUMERIC and column.unit else Fraction(1)
            entries[column.name] = Entry(column, heading.text, value, grid.first_row + r, ratio, unit)
    county = next((found[1] for cell in rows[0] if isinstance(cell, str) and (found := TITLE.match(cell))), "")
    if county:
        entries.setdefault("county", Entry(of_sheet("enterprises")["county"], "县区", county, grid.first_row))
    named = next((r for r, _, column, _, _ in labels if column.name == "name"), 0)
    return Form(grid.file, grid.sheet, entries, grid.first_row + named, _dated(rows, taken))


def _label(cell: Any) -> tuple[Column, Heading, str] | None:
    """Return the column that a cell is the label of, the label, and what follows its colon; None for other cells."""
    if not isinstance(cell, str) or len(cell) > 400:
        return None
    words, _, rest = cell.strip().partition("：") if "：" in cell else cell.strip().partition(":")
    if not words or len(words) > 40:
        return None
    heading = take_apart(words)
    own = next((name for ending, name in OWN.items() if heading.keys and heading.keys[0].endswith(ending)), None)
    if own is not None:
        return of_sheet("enterprises")[own], heading, rest.strip()
    fit = find(heading, "annual")
    if fit.kind != "column" or len(fit.columns) != 1 or fit.columns[0].name not in FIELDS:
        return None
    return fit.columns[0], heading, rest.strip()


def _value(rows: list[list[Any]], r: int, c: int, column: Column, rest: str) -> tuple[Any, str, tuple[int, int]]:
    """Return the value of the label at (r, c), the unit that stands between, and the value's place."""
    if rest and not is_missing(rest):
        return rest, "", (r, c)
    unit = ""
    for place in range(c + 1, len(rows[r])):
        cell = rows[r][place]
        if cell is None or (isinstance(cell, str) and (key(cell) in PRINTED or is_missing(cell))):
            continue
        if isinstance(cell, str) and find_unit(cell):
            unit = cell
            continue
        other = _label(cell)
        if other is not None and other[0].name != column.name:
            break
        return cell, unit, (r, place)
    if column.name in AREAS and r + 1 < len(rows):
        below = rows[r + 1][c]
        if isinstance(below, str) and _label(below) is None and key(below) not in PRINTED and not SIGNED.match(below):
            return below, "", (r + 1, c)
    return None, unit, (r, c)


def _dated(rows: list[list[Any]], taken: set[tuple[int, int]]) -> int | None:
    """Return the year of the day on which a form was filled in: the latest day that is no field's value."""
    cells = [cell for r, row in enumerate(rows) for c, cell in enumerate(row) if (r, c) not in taken]
    days = [cell.year for cell in cells if isinstance(cell, dt.date)]
    days += [int(found[1]) for cell in cells if isinstance(cell, str) and (found := DAY.search(cell))]
    return max(days, default=None)


TALLEST, WIDEST, LEAST = 80, 40, 6
TITLE = re.compile(r"\s*(\S{1,10}?[县区市])(?=\S*调查表)")
DAY = re.compile(r"((?:19|20)\d\d)\s*[年./-]\s*\d{1,2}\s*[月./-]\s*\d{1,2}")
SIGNED = re.compile(DAY.pattern + r"\s*日?\s*[（(]?.{0,6}$")
OWN = {label: c.name for c in COLUMNS for label in c.form if label != "yes"}
AREAS = ("survey_plan", "survey_result", "survey_opinion")
FIELDS = {c.name for c in COLUMNS if c.form == ("yes",)}
PRINTED = frozenset(terms("printed")[0][1].split())


def survey_parts(forms: Sequence[Form], parts: Sequence[Part], default: int | None, faults: Faults) -> list[Part]:
    """Return the rows that forms give to ``enterprises`` and ``annual``; blank forms are passed over.

    Parameters
    ----------
    parts : sequence of Part
        What the other tables of the ledger give: a form without a credit code is matched to them by name and township.
    default : int or None
        Year of the figures of a form that says neither 年份 nor the day on which it was filled in.
    """
    filled = [form for form in forms if set(form.entries) - PRINTED_BEFOREHAND]
    known = directory(parts if filled else ())
    rows = [(form, _code(form, known, faults), _form_year(form, default, faults)) for form in filled]
    rows = [row for row in rows if row[1]]
    if not rows:
        return []
    listed = any(part.main and part.sheet == "enterprises" for part in parts) or not parts
    whole = _frame(rows, "enterprises", faults)
    yearly = [row for row in rows if row[2] is not None]
    made = [Part("enterprises", whole, listed)]
    return [*made, Part("annual", _frame(yearly, "annual", faults), True)] if yearly else made


def _code(form: Form, known: Directory, faults: Faults) -> str:
    """Return whose form it is; what cannot be matched is told."""
    place = {"file": form.file, "sheet": form.sheet, "row": form.row}
    code = _tidy(form)
    if code:
        if well_formed(code):
            return code
        entry = form.entries["credit_code"]
        more = {"row": entry.row, "heading": entry.label, "value": entry.value, "length": len(code)}
        faults.add("code_wrong", **(place | more))
        return ""
    name, town = form.text("name"), form.text("township")
    towns = known.by_name.get(key(name), {}) if name else {}
    near = {c: t for c, t in towns.items() if not town or not t or key(t) == key(town)}
    if len(near) == 1:
        faults.add("form_matched", **place, value=name, code=next(iter(near)))
        return next(iter(near))
    others = "、".join(sorted(f"{c}（{t}）" if t else c for c, t in towns.items())) or "—"
    rule = "form_unmatched" if not towns else "form_township" if not near else "form_same_name"
    faults.add(rule, **place, value=name, township=town or "—", others=others)
    return ""


def is_about(form: Form, known: Directory) -> bool:
    """Whether a form is about an enterprise that other tables know, by its code or its name."""
    code = _tidy(form)
    return code in known.codes if code else key(form.text("name")) in known.by_name


def _tidy(form: Form) -> str:
    """Return a form's credit code in capitals, empty where blank."""
    text = form.text("credit_code")
    return "" if is_missing(text) else tidy(text)


def _form_year(form: Form, default: int | None, faults: Faults) -> int | None:
    """Return the year that a form's figures are about; None, told, when nothing says it."""
    place = {"file": form.file, "sheet": form.sheet, "row": form.row}
    entry = form.entries.get("year")
    own = year(entry.value) if entry is not None else None
    if isinstance(own, Odd) and entry is not None:
        faults.add(own.rule, form.file, form.sheet, row=entry.row, heading=entry.label, value=entry.value)
        return None
    if isinstance(own, int):
        return own
    if form.dated is not None:
        faults.add("form_dated", **place, year=form.dated - 1)
        return form.dated - 1
    if default is None:
        faults.add("form_year", **place)
    return default


def _frame(rows: Sequence[tuple[Form, str, int | None]], sheet: str, faults: Faults) -> pd.DataFrame:
    """Return one row per form: its code, its year, what it says in the columns of ``sheet``, its place."""
    made: dict[str, Any] = {"credit_code": as_text([code for _, code, _ in rows])}
    if "year" in SHEETS[sheet][1]:
        made["year"] = pd.Series([float(y) for *_, y in rows if y is not None])
    for name in of_sheet(sheet):
        entries = [form.entries.get(name) for form, *_ in rows]
        if name not in made and name != "year" and any(entries):
            made[name] = _field(entries, rows, faults)
    if sheet == "annual" and any("name" in form.entries for form, *_ in rows):
        made["name"] = as_text([form.text("name") or None for form, *_ in rows])
    made["source_file"] = as_text([form.file for form, *_ in rows])
    made["source_sheet"] = as_text([form.sheet for form, *_ in rows])
    made["source_row"] = pd.Series([form.row for form, *_ in rows], dtype="int64")
    return pd.DataFrame(made)[[*[n for n in made if n not in PLACE], *PLACE]]


def _field(entries: Sequence[Entry | None], rows: Sequence[tuple[Form, str, int | None]], faults: Faults) -> pd.Series:
    """Convert one field of all forms, unit by unit."""
    first = next(entry for entry in entries if entry)
    out: pd.Series | None = None
    for ratio in dict.fromkeys(entry.ratio for entry in entries if entry):
        raw = [entry.value if entry and entry.ratio == ratio else None for entry in entries]
        if ratio is None:
            for entry, (form, *_) in zip(entries, rows, strict=True):
                if entry is not None and entry.ratio is None:
                    names = {"column": entry.column.zh, "column_en": entry.column.en, "wanted": entry.column.unit}
                    place = {"row": entry.row, "heading": entry.label, "unit": entry.unit}
                    faults.add("unit_wrong", form.file, form.sheet, **place, **names)
            continue
        converted = convert(raw, first.column, ratio, {})
        mine = [entry if entry and entry.ratio == ratio else None for entry in entries]
        faults.keep(mine, [form for form, *_ in rows], converted.values)
        for position, odd in converted.odd:
            entry, form = entries[position], rows[position][0]
            if entry is not None and odd.rule != "date_completed":  # the form asks for year and month alone
                place = {"row": entry.row, "heading": entry.label, "value": entry.value}
                faults.add(odd.rule, form.file, form.sheet, **place, **dict(odd.params))
        out = converted.values if out is None else out.where(out.notna(), converted.values)
    return convert([None] * len(entries), first.column, first.ratio or Fraction(1), {}).values if out is None else out


PRINTED_BEFOREHAND = frozenset(("year", "county"))
