"""From a heading as an office writes it to the canonical column it names (表头识别).

A heading is normalised (NFKC; spaces, serials, 其中, signs and quotes dropped; its unit taken out), then looked up
among the labels and variants of ``columns.csv``. What fits two columns is told, never guessed.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from lyeval.ledger.columns import COLUMNS, Column
from lyeval.ledger.periods import Period, take_period
from lyeval.ledger.units import find_unit


@dataclass(frozen=True)
class Heading:
    """A heading taken apart.

    Attributes
    ----------
    text : str
        As written, without line breaks.
    unit : str
        The unit in its bracket or tail; empty when it has none.
    keys : tuple of str
        The normalised forms to look up, the fullest first.
    period : Period or None
        The period that it names.
    plain : int
        How many of the first ``keys`` still hold the period's words: a heading found by one of them has no period.
    """

    text: str
    unit: str
    keys: tuple[str, ...]
    period: Period | None = None
    plain: int = 0


@dataclass(frozen=True)
class Fit:
    """What a heading names: ``kind`` is ``column``, ``near``, ``refused``, ``carried`` or ``unknown``.

    ``columns`` holds every canonical column that it fits; ``note`` a bracket that was set aside; ``period`` its period.
    """

    kind: str
    columns: tuple[Column, ...] = ()
    note: str = ""
    period: Period | None = None


def key(text: str) -> str:
    """Return ``text`` stripped to letters, digits and Chinese characters, in lower case and half width."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).lower())


@cache
def take_apart(text: str) -> Heading:
    """Split a heading into its unit and the normalised forms under which it is looked up.

    A canonical name is taken whole, in its own unit.
    """
    shown = " ".join(str(text).split())
    if shown in NAMES:
        return Heading(shown, NAMES[shown], (key(shown),), None, 1)
    body = SERIAL.sub("", "".join(str(text).split()))
    body = unicodedata.normalize("NFKC", body)
    unit, period = "", None
    for whole in BRACKET.finditer(body):
        bracket, rest = whole[1], body.replace(whole[0], "")
        if find_unit(bracket):
            unit, body = bracket, rest
        elif HINT.fullmatch(bracket):
            body = rest
        elif period is None and not (timed := take_period(bracket))[0]:
            period, body = timed[1], rest
    for mark in SEPARATOR.finditer(body):
        tail = body[mark.end() :]
        words = tail if find_unit(tail) else take_period(tail)[0]  # a parent's unit, then a child's period
        if not unit and find_unit(words):
            unit, body = words, body[: mark.start()] + tail.replace(words, "", 1)
            break
    body = re.sub(r"^(其中)[:,]?", "", body)
    bare = re.sub(r"[(\[【〔{<][^()\[\]【】〔〕]*[)\]】〕}>]", "", body)
    keys = dict.fromkeys(k for k in (key(body), key(bare)) if k)
    if period is not None:
        return Heading(shown, unit, tuple(keys), period)
    rest, period = take_period(body)
    timed_keys = dict.fromkeys(k for k in (key(rest), key(take_period(bare)[0])) if k) if period else {}
    return Heading(shown, unit, tuple(dict.fromkeys((*keys, *timed_keys))), period, len(keys))


def stack(parts: tuple[str, ...]) -> Heading:
    """Return the heading of several header rows: parent and child joined, else the child alone."""
    joined = take_apart(" ".join(parts))
    if len(parts) == 1:
        return joined
    child = take_apart(parts[-1])
    keys = tuple(dict.fromkeys((*joined.keys, *child.keys)))
    return Heading(joined.text, joined.unit or child.unit, keys, joined.period, joined.plain)


def find(heading: Heading, sheet: str = "") -> Fit:
    """Return what ``heading`` names in a table whose sheet is ``sheet`` (empty: any).

    The sheet's own columns come first, then the enterprise's, then the annual ones, then those of the other sheets.
    """
    for place, form in enumerate(heading.keys):
        fit = _look_up(form, sheet)
        if fit.kind != "unknown":
            noted = place and heading.keys[0].startswith(form) and "规上规下" not in heading.keys[0]
            period = heading.period if place >= heading.plain else None
            return Fit(fit.kind, fit.columns, heading.text if noted and not period else "", period)
    for form in heading.keys[-1:]:
        for short in _without_affixes(form):
            fit = _look_up(short, sheet)
            if fit.kind != "unknown":
                return Fit(fit.kind, fit.columns, "", heading.period)
    return Fit("unknown")


def nearest(heading: Heading, count: int = 3) -> tuple[str, ...]:
    """Return the labels of the columns whose headings are nearest to an unknown one."""
    index = _index()
    close = difflib.get_close_matches(heading.keys[-1][:40] if heading.keys else "", index, n=12, cutoff=0.2)
    labels = [column.zh for form in close for column, _ in index[form] if column.kind != "carried"]
    return tuple(dict.fromkeys(labels))[:count]


def _look_up(form: str, sheet: str) -> Fit:
    """Look one normalised form up."""
    entries = _index().get(form, ())
    chosen = _choose(entries, sheet)
    if chosen:
        near = all(mark == "near" for _, mark in chosen)
        return Fit("near" if near else "column", tuple(column for column, _ in chosen))
    refused = tuple(column for column, mark in entries if mark == "refused")
    if refused:
        return Fit("refused", refused[:1])
    return Fit("carried") if any(column.kind == "carried" for column, _ in entries) else Fit("unknown")


def _choose(entries: tuple[tuple[Column, str], ...], sheet: str) -> list[tuple[Column, str]]:
    """Keep the entries of the first sheet in order that has any; a namesake in ``sheet`` stands for the others."""
    usable = [e for e in entries if e[1] != "refused" and e[0].kind != "carried"]
    own = {c.name: c for c in COLUMNS if c.sheet == sheet}
    borrowed = [(own.get(c.name, c), mark) for c, mark in usable]
    if sheet in OF_FIRMS:
        borrowed = [entry for entry in borrowed if entry[0].sheet not in BY_ROW]
    order = dict.fromkeys([sheet, "enterprises", "annual", *(c.sheet for c, _ in borrowed)])
    for place in order:
        found = {c.name: (c, mark) for c, mark in borrowed if c.sheet == place}
        if found:
            return list(found.values())
    return []


def _without_affixes(form: str) -> list[str]:
    """Return ``form`` without the words that may be dropped only if the rest is a heading."""
    shorter = [form.removeprefix(word) for word in AFFIXES] + [form.removesuffix(word) for word in AFFIXES]
    both = [a.removesuffix(word) for a in shorter for word in AFFIXES]
    return [s for s in dict.fromkeys([*shorter, *both]) if len(s) > 1 and s != form]


@cache
def _index() -> dict[str, tuple[tuple[Column, str], ...]]:
    """Return normalised form → (column, mark), the mark being ``label``, ``variant``, ``near`` or ``refused``."""
    index: dict[str, dict[Column, str]] = {}

    def add(text: str, column: Column, mark: str) -> None:
        own = [key(text)] if "_" in text else []
        for form in dict.fromkeys([*take_apart(text).keys[:1], *own]):
            index.setdefault(form, {}).setdefault(column, mark)

    for column in COLUMNS:
        for text in (column.zh, column.en, column.name):
            add(text, column, "label")
        for text in column.variants:
            add(text.removeprefix("!"), column, "near" if text.startswith("!") else "variant")
        for text in column.refuse:
            add(text, column, "refused")
    return {form: tuple(found.items()) for form, found in index.items()}


NAMES = {column.name: column.unit for column in COLUMNS if column.kind != "carried"}
SERIAL = re.compile(r"^(?:[(（]?[一二三四五六七八九十]{1,3}[)）、.．]|[(（]?\d{1,2}[)）、.．](?!\d)|[①-⑳])")
BRACKET = re.compile(r"[(\[【〔{<]([^()\[\]【】〔〕]*)[)\]】〕}>]")
SEPARATOR = re.compile(r"[,，;]?单位:?|[/_,，;:-]")
HINT = re.compile(r"是/?否|有/?无|必填|选填|盖章|全称|文本|下拉选择|y{2,4}.*|年/?月/?日?|如有|填写.*", re.I)
OF_FIRMS = ("enterprises", "annual", "monthly", "disposals", "process")
BY_ROW = (
    "tax_items",
    "blocks",
    "issues",
    "papers",
    "counties",
)  # a table of firms lends these no column: 类型, 税额, 户数
AFFIXES = ("企业", "单位", "数", "数据", "情况", "合计", "总")
