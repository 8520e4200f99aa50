"""From a heading as an office writes it to the canonical column it names (表头识别).

A heading is normalised (NFKC; spaces, serials, 其中, signs and quotes dropped; its unit taken out), then looked up
among the labels and variants of ``columns.csv``. What fits two columns is told, never guessed.
"""

from __future__ import annotations

import datetime as dt
import difflib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from lyeval.ledger.columns import COLUMNS, LAYOUTS, NUMERIC, Column, of_sheet
from lyeval.ledger.faults import Fault, LedgerError
from lyeval.ledger.vocabulary import DIGITS, PATTERNS, UNSEEN, find_unit, key, looks_like_unit
from lyeval.resources import read_rows
from lyeval.textfiles import Unreadable, read_yaml, shown


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
    qualifier : str
        What stands in its brackets besides unit and period, normalised; ``bare`` are the forms that leave it out.
    odd : str
        What stands where a unit does and is none that is known.
    """

    text: str
    unit: str
    keys: tuple[str, ...]
    period: Period | None = None
    plain: int = 0
    qualifier: str = ""
    bare: frozenset[str] = frozenset()
    odd: str = ""


@dataclass(frozen=True)
class Fit:
    """What a heading names: ``kind`` is ``column``, ``near``, ``refused``, ``carried``, ``qualified`` or ``unknown``.

    ``columns`` holds every canonical column that it fits; ``note`` a bracket that was set aside; ``period`` its period.
    """

    kind: str
    columns: tuple[Column, ...] = ()
    note: str = ""
    period: Period | None = None

    @property
    def known(self) -> bool:
        """Whether it names a column that is read."""
        return self.kind in ("column", "near")

    @property
    def sure(self) -> bool:
        """Whether it names one column beyond doubt."""
        return self.known and len(self.columns) == 1


@cache
def take_apart(text: str) -> Heading:
    """Split a heading into its unit and the normalised forms under which it is looked up.

    A canonical name is taken whole, in its own unit.
    """
    shown = " ".join(str(text).split())
    if shown in NAMES:
        return Heading(shown, NAMES[shown], (key(shown),), None, 1)
    body = unicodedata.normalize("NFKC", SERIAL.sub("", "".join(str(text).split())))
    body = UNSEEN.sub("", body)
    unit, period, odd = "", None, ""
    for whole in BRACKET.finditer(body):
        bracket, rest = whole[1], body.replace(whole[0], "")
        parts = re.split("[,，;；、]", bracket)
        mine = [part for part in parts if find_unit(part)]
        if len(mine) == 1:
            unit, bracket = mine[0], "".join(part for part in parts if part not in mine)
        timed = take_period(bracket, "累计" in rest)
        both = _together(period, timed[1]) if timed[1] and not timed[0] else None
        if both is not None:
            period = both
        elif bracket and not HINT.fullmatch(bracket):
            odd = bracket if looks_like_unit(bracket) else odd
            rest = body.replace(whole[0], f"({bracket})")
        body = rest
    for mark in SEPARATOR.finditer(body):
        tail = body[mark.end() :]
        words = tail if find_unit(tail) else take_period(tail)[0]  # a parent's unit, then a child's period
        if not unit and find_unit(words):
            unit, body = words, body[: mark.start()] + tail.replace(words, "", 1)
            break
        if not unit and not odd and "单位" in mark[0] and looks_like_unit(words):
            odd, body = words, body[: mark.start()]
    body = re.sub(r"^(其中)[:,]?", "", body)
    return _keyed(shown, body, unit, period, odd)


def _keyed(shown: str, body: str, unit: str, period: Period | None, odd: str) -> Heading:
    """Make a heading of its body: the forms with its brackets, without them, and without its period's words."""
    bare = INNER.sub("", body)
    qualifier = key("".join(INNER.findall(body)))
    whole, dropped = [key(body)], [key(bare)]
    found = next((f for f in (take_period(bare), take_period(body)) if f[1]), ("", None))
    timed: list[str] = []
    if found[1] is not None and (both := _together(period, found[1])) is not None:
        period, timed = both, [key(take_period(body)[0]), key(found[0])]
    keys = tuple(dict.fromkeys(k for k in (*whole, *dropped) if k))
    every = tuple(dict.fromkeys((*keys, *(k for k in timed if k))))
    known = {key(body), *timed[:1]}
    lost = frozenset(k for k in every if qualifier and k not in known)
    plain = 0 if period is not None and not timed else len(keys)
    return Heading(shown, unit, every, period, plain, qualifier, lost, odd)


def _together(one: Period | None, other: Period) -> Period | None:
    """Return the period of a bracket and of the words before it: the year of one, the months of the other; None where both differ."""
    if one is None or one == other:
        return other
    years = [p for p in (one, other) if (p.year, p.back) != (None, None)]
    months = [p for p in (one, other) if not p.whole]
    if len(years) > 1 or len(months) > 1:
        return None
    return replace(years[0] if years else one, first=(months or [one])[0].first, last=(months or [one])[0].last)


def stack(parts: tuple[str, ...]) -> Heading:
    """Return the heading of several header rows: parent and child joined, else the child alone."""
    joined = take_apart(" ".join(parts))
    if len(parts) == 1:
        return joined
    child = take_apart(parts[-1])
    keys = tuple(dict.fromkeys((*joined.keys, *child.keys)))
    bare = joined.bare | child.bare
    qualifier = joined.qualifier or child.qualifier
    return replace(joined, unit=joined.unit or child.unit, keys=keys, qualifier=qualifier, bare=bare)


@lru_cache(maxsize=4096)
def find(heading: Heading, sheet: str = "") -> Fit:
    """Return what ``heading`` names in a table whose sheet is ``sheet`` (empty: any).

    The sheet's own columns come first, then the enterprise's, then the annual ones, then those of the other sheets. What
    stands in a bracket besides the unit changes what a figure is: with it the heading is another column, or none that is read.
    """
    for place, form in enumerate(heading.keys):
        if form not in heading.bare:
            fit = _look_up(form, sheet)
            if fit.kind != "unknown":
                return replace(fit, period=heading.period if place >= heading.plain else None)
    for form in heading.keys:
        fit = _look_up(form, sheet) if form in heading.bare else Fit("unknown")
        if fit.kind != "unknown":
            return replace(_qualified(heading, form, fit, sheet), period=heading.period)
    for form in heading.keys:
        for short, kinds in _without_affixes(form):
            fit = _look_up(short, sheet)
            if fit.kind == "carried" or (fit.columns and all(c.kind in kinds for c in fit.columns)):
                fit = _qualified(heading, short, fit, sheet) if heading.qualifier else fit
                return replace(fit, period=heading.period)
    return Fit("unknown")


def _qualified(heading: Heading, form: str, fit: Fit, sheet: str) -> Fit:
    """Return what a heading names whose bracket (目标, 县级留成, 增值税, 批准) is no unit and no period."""
    words = heading.qualifier
    if fit.kind == "carried" or not words:
        return fit
    if BENIGN.fullmatch(words):
        return fit
    for other in (f"{words}{form}", f"{form}{words}", words):
        named = _look_up(other, sheet)
        own = other != words or _numeric(named) or CHANGING.search(words)
        if named.kind in ("refused", "column", "near") and own:
            return named
    if _numeric(fit) or CHANGING.search(words):
        return Fit("qualified", fit.columns)
    return replace(fit, note=heading.text)


def _numeric(fit: Fit) -> bool:
    """Whether all that a heading may name are figures."""
    return bool(fit.columns) and all(c.kind in NUMERIC or c.kind == "grade" for c in fit.columns)


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
    own = of_sheet(sheet)
    borrowed = [(own.get(c.name, c), mark) for c, mark in usable]
    if sheet and LAYOUTS[sheet].of_firms:
        borrowed = [entry for entry in borrowed if not LAYOUTS[entry[0].sheet].by_row]
    order = dict.fromkeys([sheet, "enterprises", "annual", *(c.sheet for c, _ in borrowed)])
    for place in order:
        found = {c.name: (c, mark) for c, mark in borrowed if c.sheet == place}
        if found:
            return list(found.values())
    return []


def _without_affixes(form: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return ``form`` without words that say nothing, and the kinds of column for which they say nothing.

    Status, method and outcome are never found so: 企业状态 is not 状态. Nor does 单位 before a figure say nothing.
    """
    ends = [(form.removesuffix(word), NUMERIC) for word in ENDINGS]
    whole = [(f, word) for f, _ in [(form, WORDS), *ends] for word in STARTS if f.startswith(word)]
    starts = [(f.removeprefix(word), STARTS[word]) for f, word in whole]
    out = dict.fromkeys([*starts, *ends])
    return [(short, kinds) for short, kinds in out if len(short) > 1 and short != form]


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
INNER = re.compile(r"[(\[【〔{<][^()\[\]【】〔〕]*[)\]】〕}>]")
BENIGN = PATTERNS["benign"]
CHANGING = PATTERNS["changing"]
WORDS = ("text", "label", "code", "org")
STARTS: dict[str, tuple[str, ...]] = {
    "企业": (*NUMERIC, *WORDS),
    "单位": WORDS,
    "总": NUMERIC,
    "合计": NUMERIC,
    "累计": NUMERIC,
}
ENDINGS = ("数", "数据", "情况", "合计", "总数", "数额", "金额")
HINT = re.compile(r"是/?否|有/?无|必填|选填|盖章|全称|文本|下拉选择|y{2,4}.*|年/?月/?日?|如有|填写.*", re.I)


@dataclass(frozen=True, order=True)
class Period:
    """A year, or some of its months.

    Attributes
    ----------
    year : int or None
        The year; None when the heading gives none.
    back : int or None
        Years before the table's own year: 1 for 上年, 0 for 本年; None when the heading does not say.
    first, last : int
        First and last month; 1 and 12 for the whole year.
    """

    year: int | None = None
    back: int | None = None
    first: int = 1
    last: int = 12

    @property
    def whole(self) -> bool:
        """Whether it is a whole year."""
        return (self.first, self.last) == (1, 12)

    def in_year(self, own: int | None) -> Period | None:
        """Return the period with its year, ``own`` being the table's; None when no year is known."""
        if self.year is not None:
            return replace(self, back=None)
        return None if own is None else replace(self, year=own - (self.back or 0), back=None)


def take_period(text: str, running: bool = False) -> tuple[str, Period | None]:
    """Split normalised text (half width, no spaces) into what is left and its period.

    10月累计 and 三季度累计 run from January; so does every month where ``running`` tells that 累计 stands beside the text.
    """
    rest, period = FIRST_MONTH.sub("1月", text), Period()
    text = rest
    for pattern, change in PERIODS:
        matched = pattern.search(rest)
        if not matched:
            continue
        changed = change(period, matched)
        if changed is not None:
            rest, period = rest[: matched.start()] + rest[matched.end() :], changed
    if period == Period() and rest == text:
        return text, None
    if running and period.first == period.last:
        period = replace(period, first=1)
    return re.sub(r"^(累计|同期|期间)|(累计|同期|期间)$", "", rest), period


def heading_of(value: object) -> str:
    """Return the words of a cell that may be a heading: short text, 2023年1月 for a month's day, 2023, 202301; else empty."""
    if isinstance(value, str):
        return value if len(value) <= 60 else ""
    if isinstance(value, dt.date):
        return f"{value.year}年{value.month}月" if 1990 <= value.year <= 2100 else ""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value != int(value):
        return ""
    whole = int(value)
    if 199000 < whole <= 210012 and 1 <= whole % 100 <= 12:
        return f"{whole // 100}年{whole % 100}月"
    return f"{whole}年" if 1990 <= whole <= 2100 else ""


def _year(period: Period, matched: re.Match[str]) -> Period | None:
    """Take a year of four or two digits."""
    if period.year is not None:
        return None
    digits = matched[1].translate(DIGITS)
    return replace(period, year=int(digits) if len(digits) == 4 else 2000 + int(digits))


def _month_of_year(period: Period, matched: re.Match[str]) -> Period | None:
    """Take a month written in figures with its year: 2023-01, 202301, or as its first or last day, 2023/1/1."""
    month, day = int(matched["month"]), matched.groupdict().get("day")
    whole_month = 1 <= month <= 12 and int(day or 1) in (1, 28, 29, 30, 31)
    return Period(int(matched[1]), None, month, month) if whole_month else None


def _months_of_year(period: Period, matched: re.Match[str]) -> Period | None:
    """Take a year with the first and last of its months: 2023.1-10, 2023年1月至2023年10月."""
    first, last = int(matched["first"]), int(matched["last"])
    return replace(_year(period, matched) or period, first=first, last=last) if 1 <= first < last <= 12 else None


def _back(years: int) -> Change:
    """Take a year told from the table's own."""
    return lambda period, matched: replace(period, back=years) if period.year is None else None


def _same(period: Period, matched: re.Match[str]) -> Period:
    """Take 同期: the year before, in months that are the neighbour's where the heading names none."""
    return replace(period, back=1 if period.back is None else period.back) if period.year is None else period


def _months(size: int = 1) -> Change:
    """Take months, or (``size`` 3) quarters: one, the first so many, or some in a row; unless months are known already."""

    def take(period: Period, matched: re.Match[str]) -> Period | None:
        named = matched.groupdict()
        first, last = named.get("first"), _number(named["last"])
        until = named.get("until") or (not first and "累计" in matched.string)
        start = 1 if until else _number(first) if first else last
        if not period.whole or start > last or (size == 1 and first and start == last):
            return None
        return replace(period, first=size * (start - 1) + 1, last=size * last)

    return take


def _half(period: Period, matched: re.Match[str]) -> Period | None:
    """Take a half of the year."""
    first = 1 if matched[0][:1] in "上前" or matched[0][-1:] == "1" else 7
    return replace(period, first=first, last=first + 5) if period.whole else None


def _number(words: str) -> int:
    """Return a month's number from digits or Chinese numerals."""
    return int(words) if words.isdigit() else NUMERALS.index(words.replace("两", "二")) + 1


FIRST_MONTH = re.compile(r"(?<![万千百亿])元月(?!均)")
Change = Callable[[Period, re.Match[str]], Period | None]
NUMERALS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]
TAKES: dict[str, Change] = {
    "year": _year,
    "month_of_year": _month_of_year,
    "months_of_year": _months_of_year,
    "two_back": _back(2),
    "one_back": _back(1),
    "own": _back(0),
    "same": _same,
    "months": _months(),
    "quarters": _months(3),
    "half": _half,
    "whole": lambda period, matched: period if period != Period() else None,
}
PARTS = {
    "<YEAR>": r"(?<!\d)((?:19|20)\d\d)",
    "<MONTH>": "(?:1[0-2]|0?[1-9]|十[一二]|[一二三四五六七八九十])",
    "<TO>": "[-—–~～至到、]+",
}
PERIODS = [
    (re.compile(re.sub("<[A-Z]{2,}>", lambda part: PARTS[part[0]], row["pattern"])), TAKES[row["takes"]])
    for row in read_rows(__file__, "periods.csv")
]


Own = Mapping[str, Column | None]


def beside(path: Path) -> Path:
    """Return where the mapping file of a ledger stands: ``<name>.columns.yaml`` beside it."""
    path = path.resolve()
    if not path.name:
        return path / ENDING
    return path.with_name(f"{path.stem if path.suffix and not path.is_dir() else path.name}{ENDING}")


def load_columns(source: str | Path | Mapping[str, str | None] | None) -> Own:
    """Return heading (normalised) → column, None where the heading is not used.

    Parameters
    ----------
    source : path or Mapping
        A YAML file, or its content.

    Raises
    ------
    LedgerError
        If the file cannot be read, or names a column that does not exist.
    """
    if source is None:
        return {}
    name = "columns"
    content: object = source
    if isinstance(source, str | Path):
        name = Path(source).name
        try:
            content = read_yaml(Path(source))[0]
        except Unreadable as error:
            raise LedgerError([unreadable(Path(source), error)]) from None
    if not isinstance(content, Mapping):
        raise LedgerError([Fault("mapping_form", "error", name)])
    faults: list[Fault] = []
    own: dict[str, Column | None] = {}
    said: dict[Any, Any] = dict(content)  # pyright: ignore[reportUnknownArgumentType]
    for heading, target in said.items():
        word = None if target is None else str(target)
        column = _column(word) if word else None
        if word and column is None:
            rule = "mapping_open" if word == OPEN else "mapping_column"
            near = "、".join(nearest(take_apart(str(heading) if word == OPEN else word)))
            faults.append(Fault(rule, "error", name, "", None, str(heading), word, {"nearest": near}))
        own[key(str(heading))] = column
    if faults:
        raise LedgerError(faults)
    return own


def draft_columns(faults: Iterable[Fault]) -> str:
    """Return the draft of a mapping file that settles the headings that reading told of; empty when it told of none.

    A heading that stops the reading is marked ``"?"`` until it is filled in; one that is not read is left blank, which sets
    it aside; one that is read with a warning is a comment.
    """
    faults = list(faults)
    settled = [fault for fault in faults if fault.rule in SETTLED]
    said = [fault for fault in faults if fault.rule == "remark_says"]
    if not settled and not said:
        return ""
    lines = [
        "# 表头对照：左为台账中的表头，右为标准列名（留空即不使用，问号须改） / heading as written: canonical column"
    ]
    for fault in {fault.heading: fault for fault in settled}.values():
        place = f"{fault.sheet or fault.file}：" if fault.sheet or fault.file else ""
        lines += ["", f"# {place}{fault.message('zh')}"]
        lines += [f"#   {line}" for line in _candidates(fault)]
        mark = {"error": f' "{OPEN}"'}.get(fault.severity, "")
        lines.append(
            f"{'# ' if fault.rule == 'heading_near' else ''}{json.dumps(fault.heading, ensure_ascii=False)}:{mark}"
        )
    if said:
        lines += [
            "",
            "# 备注所示、台账没有填的，核实后填入该列（不核实不采用） / said in remarks alone, to be confirmed",
        ]
        lines += [f"#   {f.place('zh')} → {f.params['column']}（{f.params['word']}）" for f in said]
        lines += [] if settled else ["{}"]
    return "\n".join(lines) + "\n"


def _candidates(fault: Fault) -> list[str]:
    """Return the columns that a heading may be, as they are written in a mapping file."""
    labels = str(fault.params.get("columns") or fault.params.get("column") or fault.params.get("nearest") or "")
    found = [_column(label.strip("“”")) for label in labels.split("、")]
    return [f"{column.sheet}.{column.name} {column.zh}" for column in found if column is not None]


def unreadable(path: Path, error: Unreadable) -> Fault:
    """Return the fault of a text beside a ledger that is not read, with its line and why."""
    if not path.exists():
        return Fault("file_missing", "error", path.name, params={"known": "", "known_en": ""})
    at = f"{shown(error.where)}: " if error.where else ""
    why = {"why": f"{at}{error.zh}", "why_en": f"{at}{error.en}"}
    return Fault("text_unreadable", "error", path.name, row=error.line or None, params=why)


def _column(name: str) -> Column | None:
    """Return the column of ``sheet.name``, ``name`` or a Chinese label; the first sheet in order that has it."""
    sheet, _, rest = name.rpartition(".")
    fitting = (
        c for c in COLUMNS if (c.name == rest or c.zh == rest) and sheet in ("", c.sheet) and c.kind != "carried"
    )
    return next(fitting, None)


SETTLED = [f"heading_{what}" for what in ("unknown", "period", "qualified", "ambiguous", "twice", "refused", "near")]
ENDING = ".columns.yaml"
OPEN = "?"
