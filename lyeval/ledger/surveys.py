"""From survey forms to rows (调查表入册): whose each is, which year it is about, and what it says in canonical columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger import codes
from lyeval.ledger.cells import Odd, year
from lyeval.ledger.columns import SHEETS, of_sheet
from lyeval.ledger.convert import convert
from lyeval.ledger.faults import Faults
from lyeval.ledger.forms import Entry, Form
from lyeval.ledger.headings import key
from lyeval.ledger.marks import as_text
from lyeval.ledger.model import PLACE
from lyeval.ledger.rows import Part
from lyeval.ledger.vocabulary import is_missing


@dataclass(frozen=True)
class Known:
    """The enterprises that other tables know: their codes, and code → township by name."""

    codes: frozenset[str] = frozenset()
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def has(self, form: Form) -> bool:
        """Whether a form is about one of them, by its code or its name."""
        return _tidy(form) in self.codes if _tidy(form) else key(form.text("name")) in self.names


def known_of(parts: Iterable[Part]) -> Known:
    """Gather codes, names and townships of the enterprises in other tables."""
    found: set[str] = set()
    names: dict[str, dict[str, str]] = {}
    for part in parts:
        frame = part.frame
        if "credit_code" not in frame:
            continue
        found.update(frame["credit_code"].dropna().unique())
        if "name" not in frame:
            continue
        towns = frame["township"] if "township" in frame else pd.Series(np.nan, index=frame.index)
        rows = pd.DataFrame({"code": frame["credit_code"], "name": frame["name"], "town": towns})
        for code, name, town in rows.dropna(subset=["code", "name"]).drop_duplicates().itertuples(index=False):
            towns_of = names.setdefault(key(name), {})
            towns_of[code] = towns_of.get(code) or ("" if pd.isna(town) else str(town))
    return Known(frozenset(found), names)


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
    known = known_of(parts) if filled else Known()
    rows = [(form, _code(form, known, faults), _year(form, default, faults)) for form in filled]
    rows = [row for row in rows if row[1]]
    if not rows:
        return []
    listed = any(part.main and part.sheet == "enterprises" for part in parts) or not parts
    whole = _frame(rows, "enterprises", faults)
    yearly = [row for row in rows if row[2] is not None]
    made = [Part("enterprises", whole, listed)]
    return [*made, Part("annual", _frame(yearly, "annual", faults), True)] if yearly else made


def _code(form: Form, known: Known, faults: Faults) -> str:
    """Return whose form it is; what cannot be matched is told."""
    place = {"file": form.file, "sheet": form.sheet, "row": form.row}
    code = _tidy(form)
    if code:
        if codes.well_formed(code):
            return code
        entry = form.entries["credit_code"]
        more = {"row": entry.row, "heading": entry.label, "value": entry.value, "length": len(code)}
        faults.add("code_wrong", **(place | more))
        return ""
    name, town = form.text("name"), form.text("township")
    towns = known.names.get(key(name), {}) if name else {}
    near = {c: t for c, t in towns.items() if not town or not t or key(t) == key(town)}
    if len(near) == 1:
        faults.add("form_matched", **place, value=name, code=next(iter(near)))
        return next(iter(near))
    others = "、".join(sorted(f"{c}（{t}）" if t else c for c, t in towns.items())) or "—"
    rule = "form_unmatched" if not towns else "form_township" if not near else "form_same_name"
    faults.add(rule, **place, value=name, township=town or "—", others=others)
    return ""


def _tidy(form: Form) -> str:
    """Return a form's credit code in capitals, empty where blank."""
    text = form.text("credit_code")
    return "" if is_missing(text) else codes.tidy(text)


def _year(form: Form, default: int | None, faults: Faults) -> int | None:
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
            made[name] = _column(entries, rows, faults)
    if sheet == "annual" and any("name" in form.entries for form, *_ in rows):
        made["name"] = as_text([form.text("name") or None for form, *_ in rows])
    made["source_file"] = as_text([form.file for form, *_ in rows])
    made["source_sheet"] = as_text([form.sheet for form, *_ in rows])
    made["source_row"] = pd.Series([form.row for form, *_ in rows], dtype="int64")
    return pd.DataFrame(made)[[*[n for n in made if n not in PLACE], *PLACE]]


def _column(entries: Sequence[Entry | None], rows: Sequence[tuple[Form, str, int | None]], faults: Faults) -> pd.Series:
    """Convert one field of all forms, unit by unit."""
    first = next(entry for entry in entries if entry)
    out: pd.Series | None = None
    for ratio in dict.fromkeys(entry.ratio for entry in entries if entry):
        raw = [entry.value if entry and entry.ratio == ratio else None for entry in entries]
        if ratio is None:
            _tell_units(entries, rows, faults)
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


def _tell_units(entries: Sequence[Entry | None], rows: Sequence[tuple[Form, str, int | None]], faults: Faults) -> None:
    """Tell the fields whose unit is of another kind."""
    for entry, (form, *_) in zip(entries, rows, strict=True):
        if entry is not None and entry.ratio is None:
            names = {"column": entry.column.zh, "column_en": entry.column.en, "wanted": entry.column.unit}
            place = {"row": entry.row, "heading": entry.label, "unit": entry.unit}
            faults.add("unit_wrong", form.file, form.sheet, **place, **names)


PRINTED_BEFOREHAND = frozenset(("year", "county"))
