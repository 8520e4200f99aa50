"""How the report names things and writes numbers: the one place for units, signs, bands of odds and legal words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any, cast

from lyeval.assessment.gaps import name_of
from lyeval.policy.documents import articles
from lyeval.render import Cell, Column, digits_beside, format_value
from lyeval.render.blocks import Lang, Tone
from lyeval.render.numbers import known
from lyeval.tables.registry import values

TEMPLATES = Path(__file__).resolve().parent / "templates"
FEW = 10
Row = Mapping[str, Any]


def coded(of: str, value: Any, lang: Lang, /, **given: Any) -> str:
    """Return what a coded value is called (``values.csv`` of the tables), filled in; the value itself where it has no name."""
    told = values()[of].get(str(value))
    return told.text(lang).format(**given) if told else str(value)


def toned(of: str, value: Any, lang: Lang, /, **given: Any) -> Cell:
    """Return the name of a coded value as a cell with its tone."""
    tone = values()[of][str(value)].tone
    return Cell(coded(of, value, lang, **given), tone=cast("Tone", tone or "plain"))


def phrase(name: str, lang: Lang, /, **given: Any) -> str:
    """Return a fixed sentence: the macro of that name in ``templates/<lang>/shared.md``; what is given is never a template."""
    return str(getattr(_shared(lang), name)(**given))


@cache
def _shared(lang: Lang) -> Any:
    import jinja2

    return jinja2.Template(
        (TEMPLATES / lang / "shared.md").read_text(encoding="utf-8"), undefined=jinja2.StrictUndefined
    ).module


def named(row: Row, lang: Lang, key: str = "label") -> str:
    """Return a row's text in one language: ``label``, or ``label_en`` where there is one."""
    english = row.get(f"{key}_en")
    if lang == "en" and known(english) and english:
        return str(english)
    return str(row[key]) if known(row.get(key)) else ""


def joined(items: list[str], lang: Lang) -> str:
    """Join items as a list within a sentence."""
    return ("、" if lang == "zh" else ", ").join(items)


def sentence(parts: list[str], lang: Lang) -> str:
    """Put sentences together into a paragraph; empty ones are left out."""
    return ("" if lang == "zh" else " ").join(p for p in parts if p)


def listed(parts: list[str], lang: Lang) -> str:
    """Join clauses within a sentence: ，between Chinese ones, a comma between English ones."""
    return ("，" if lang == "zh" else ", ").join(p for p in parts if p)


def number(value: Any, digits: int = 2) -> str:
    """Write a number with separators and fixed decimals; a dash where it is not known."""
    return format_value(Column("", "", kind="number", digits=digits), value)


def count(value: Any) -> str:
    """Write a whole number."""
    return number(value, 0)


def percent(value: Any, digits: int = 1) -> str:
    """Write a fraction as a percentage."""
    return format_value(Column("", "", kind="percent", digits=digits), value)


def share(part: float, whole: float, n: int, lang: Lang, unit: str = "亩") -> str:
    """Write a share of a group of ``n``: a percentage, or a/b where the group has fewer than ten."""
    if not whole:
        return "—"
    if n >= FEW:
        return percent(part / whole)
    digits = 0 if float(part).is_integer() and float(whole).is_integer() else 1
    return f"{number(part, digits)}/{number(whole, digits)}{unit_name(unit, lang)}"


def unit_name(unit: str, lang: Lang) -> str:
    """Return a unit in one language, with the space that English wants before it."""
    if lang == "zh" or not unit:
        return unit
    return f" {coded('unit', unit, 'en')}"


def yuan(text: str, *, whole: bool = False) -> str:
    """Return an amount of 万元, as it is printed, in yuan; of a million and more in millions, unless ``whole``."""
    try:
        yuan = Decimal(text.replace(",", "").replace("−", "-")) * 10_000
    except InvalidOperation:
        return text
    sign = "−" if yuan < 0 else ""
    if whole or abs(yuan) < 1_000_000:
        return f"{sign}RMB {abs(yuan):,f}".rstrip("0").rstrip(".") if yuan % 1 else f"{sign}RMB {abs(yuan):,.0f}"
    return f"{sign}RMB {abs(yuan) / 1_000_000:,.2f} million"


def amount(text: str, unit: Any, lang: Lang) -> str:
    """Put a unit to a number already written; one of a thing is singular in English."""
    if lang == "en" and unit in ("万元", "万元/亩"):
        return f"{yuan(text, whole=unit != '万元')}{' per mu' if unit != '万元' else ''}"
    name = unit_name(str(unit or ""), lang)
    return text + (name.removesuffix("s") if lang == "en" and text in ("1", "+1", "−1") else name)


def kind_by_unit(row: Row) -> str:
    """Return what a projected target is, by its unit: share, mean or count."""
    return {"": "share", "万元/亩": "mean"}.get(str(row["unit"] or ""), "count")


def statistic(value: Any, row: Row, lang: Lang) -> str:
    """Write a projected figure of a target in its own unit."""
    return amount(shown(value, None, kind_of(row)), row["unit"], lang) if known(value) else "—"


def kind_of(row: Row) -> str:
    """Return how a target's value is written: percent, count or number."""
    if row["kind"] == "share":
        return "percent"
    return "number" if row["kind"] == "mean" else "count"


def shown(value: Any, goal: Any, kind: str, *, digits: int | None = None) -> str:
    """Write a value with as many decimals as it takes for the number to stand on its own side of the goal."""
    if not known(value):
        return "—"
    places = digits_beside(value, goal if known(goal) else None, kind, digits=digits)
    return percent(value, places) if kind == "percent" else number(value, places)


def plainly(value: Any, kind: str) -> str:
    """Write a goal as a document does: without idle zeros."""
    text = shown(value, None, kind, digits=6)
    sign = "%" if text.endswith("%") else ""
    bare = text.removesuffix("%")
    return (bare.rstrip("0").rstrip(".") if "." in bare else bare) + sign


def few(row: Row) -> bool:
    """Tell whether a target is a share of fewer than ten enterprises, which is told as a/b."""
    return row["kind"] == "share" and known(row["n"]) and 0 < int(row["n"]) < FEW


def value_text(row: Row, lang: Lang) -> str:
    """Write a target's value with its unit, on its own side of the goal; a/b where fewer than ten are counted."""
    if not known(row["value"]):
        return "—"
    if few(row):
        return share(row["part"], row["whole"], int(row["n"]), lang, "家" if row["weight"] == "count" else "亩")
    return amount(shown(row["value"], row["goal"], kind_of(row)), row["unit"], lang)


def goal_text(row: Row, lang: Lang) -> str:
    """Write a target's goal: 不低于80%, 不超过20%, 0家."""
    if not known(row["goal"]):
        return coded("cell", "no_quota", lang)
    value = amount(plainly(row["goal"], kind_of(row)), row["unit"], lang)
    if row["op"] == "le" and row["goal"] == 0:
        return value
    if row["op"] == "ge" and row["kind"] == "share" and row["goal"] == 1:
        return value
    words = {"ge": ("不低于", "at least "), "le": ("不超过", "at most ")}[str(row["op"])]
    return words[lang == "en"] + value


def range_text(low: Any, high: Any, row: Row, lang: Lang) -> str:
    """Write the span between two values of a target's statistic, with its unit once."""
    if not (known(low) and known(high)):
        return "—"
    kind, unit = kind_of(row), unit_name(str(row["unit"] or ""), lang)
    ends = [shown(v, row.get("goal"), kind) for v in (low, high)]
    if kind == "count" and row["unit"] != "m²":
        ends = [shown(v, None, kind) for v in (low, high)]
    return f"{ends[0]}{unit}" if ends[0] == ends[1] else f"{ends[0]}{TO[lang]}{ends[1]}{unit}"


def of_target(target: Row, raw: Any, goal: Any, column: str, lang: Lang, row: Row | None = None) -> str:
    """Write a figure of a target with its unit, on its side of the goal.

    Parameters
    ----------
    row
        The row that the figure stands in: the part and the whole that it carries are printed where fewer than ten firms are counted.
    """
    if not known(raw):
        return "—"
    if column == "goal":
        return goal_text({**target, "goal": raw}, lang)
    own = row or {}
    n = own["n"] if column == "value" and "year" in own else target["n"]
    if few({**target, "n": n}):
        if known(own.get("part")) and known(own.get("whole")):
            unit = "家" if target["weight"] == "count" else "亩"
            return share(own["part"], own["whole"], int(n), lang, unit)
        part = raw * int(n)
        whole = target["weight"] == "count" and abs(part - round(part)) < 1e-6
        return amount(f"{round(part)}/{int(n)}", "家", lang) if whole else "—"
    return amount(shown(raw, goal, kind_of(target)), target["unit"], lang)


def told_text(row: Row, lang: Lang) -> str:
    """Write a target's value, or its range where the verdict is open."""
    if row["reason"] == "empty_class":
        return status_text(row, lang)
    if row["status"] == "undetermined" and not few(row) and known(row["low"]) and row["low"] != row["high"]:
        return range_text(row["low"], row["high"], row, lang)
    return value_text(row, lang)


def short_text(row: Row, lang: Lang) -> str:
    """Write what a missed target lacks, in its own things: 2家, 47.24亩 too much; empty where nothing is."""
    if row["status"] != "missed" or not known(row["short_by"]) or not row["short_by"]:
        return ""
    return amount(_things(row["short_by"], row), row["thing"], lang)


def needed_text(row: Row, lang: Lang) -> str:
    """Write where the target's numerator must stand, in its own things."""
    if not known(row["needed"]):
        return "—"
    sign = "" if row["needed"] == 0 and row["op"] == "le" else "≥" if row["op"] == "ge" else "≤"
    return sign + amount(_things(row["needed"], row), row["thing"], lang)


def _things(value: Any, row: Row) -> str:
    return count(value) if row["thing"] in ("家", "个", "m²") else number(value, 2)


def gap_text(row: Row, lang: Lang) -> str:
    """Write value − goal, in points for a share; nothing under ten enterprises, where no percentage stands."""
    if not known(row["gap"]) or few(row):
        return "—"
    sign = "+" if row["gap"] > 0 else "−" if row["gap"] < 0 else ""
    if row["kind"] == "share":
        places = next((d for d in range(1, 8) if round(abs(row["gap"]) * 100, d) > 0), 1) if row["gap"] else 1
        return f"{sign}{number(abs(row['gap']) * 100, places)}{({'zh': '个百分点', 'en': ' points'})[lang]}"
    digits = 2 if kind_of(row) == "number" else 0
    return amount(f"{sign}{number(abs(row['gap']), digits)}", row["unit"], lang)


def bounds_text(row: Row, lang: Lang) -> str:
    """Write between what values a target's lies for want of facts."""
    if not known(row["low"]) or not known(row["high"]) or row["low"] == row["high"] or few(row):
        return "—"
    return range_text(row["low"], row["high"], row, lang)


def signed(value: Any, digits: int = 1) -> str:
    """Write a change as a percentage with its sign; a dash where there is nothing to compare with."""
    return ("+" if value > 0 else "") + percent(value, digits) if known(value) else "—"


def clauses(text: Any, lang: Lang) -> str:
    """Write a list of clauses; in English as articles, without the names of places before them."""
    return articles(str(text)) if lang == "en" else str(text)


def points(value: float) -> str:
    """Write a difference with one decimal and its sign; none where it rounds to zero."""
    text = number(abs(value), 1)
    return text if text == number(0, 1) else f"{'+' if value > 0 else '−'}{text}"


def status_text(row: Row, lang: Lang) -> str:
    """Return the word for a target's status; a class with nobody is 不涉及."""
    return coded("status", _state(row), lang)


def status_cell(row: Row, lang: Lang) -> Cell:
    """Return a target's status with its tone."""
    return toned("status", _state(row), lang)


def _state(row: Row) -> str:
    return "empty" if row.get("reason") == "empty_class" else str(row["status"])


def class_text(value: Any, meta: Row, lang: Lang) -> str:
    """Return a class in the plan's words; a dash where it is not known."""
    suffix = "_en" if lang == "en" else ""
    if value in ("above", "below"):
        return str(meta[f"{value}{suffix}"])
    return coded("class", value if value in ("all", "any") else "", lang)


def word(value: Any, lang: Lang) -> str:
    """Return a fixed word of the ledger (outcome, stage, finality) in one language."""
    return coded("word", value, lang) if known(value) else ""


def band(p: float, certain: Any, lang: Lang) -> str:
    """Return the words for a probability: the office's bands, or that it is settled on the books."""
    if certain in ("met", "missed"):
        return SETTLED[str(certain)][lang == "en"]
    return next(words[lang == "en"] for floor, *words in BANDS if p >= floor - 1e-12)


def chance(p: float, certain: Any, lang: Lang) -> str:
    """Write a probability to the nearest five points, never as none or all: 约三成, 九成五以上; "" where it is settled."""
    if certain in ("met", "missed"):
        return ""
    points = round(p * 20) * 5
    if lang == "en":
        return "under 5%" if points < 5 else "over 95%" if points > 95 else f"about {points}%"
    if points < 5:
        return "不到百分之五"
    if points > 95:
        return "九成五以上"
    if points == 5:
        return "约百分之五"
    return f"约{DIGITS[points // 10]}成{'五' if points % 10 else ''}"


def fact_name(fact: str, lang: Lang) -> str:
    """Return the name of a ledger column or fact; ``tax_wan@2023`` names the year too."""
    name, _, year = fact.partition("@")
    text = coded("fact", name, lang) if name in values()["fact"] else name_of(name)[lang == "en"]
    if not year:
        return text
    return f"{year}年{text}" if lang == "zh" else f"{text} {year}"


def day(value: Any, lang: Lang) -> str:
    """Write a date: 2023年12月31日, 31 December 2023; a month 2023-10 as 2023年10月末."""
    year, month, *date = (int(p) for p in str(value)[:10].split("-"))
    name = coded("month", month, lang)
    if lang == "en":
        return f"{date[0]} {name} {year}" if date else f"the end of {name} {year}"
    return f"{year}年{name}{date[0]}日" if date else f"{year}年{name}末"


OF_TARGET: dict[str, Callable[[Row, Lang], str]] = {
    "value": value_text,
    "told": told_text,
    "goal": goal_text,
    "gap": gap_text,
    "needed": needed_text,
    "short": lambda row, lang: short_text(row, lang) or "—",
    "bounds": bounds_text,
    "status": status_text,
}
DIGITS = "零一二三四五六七八九十"
TO = {"zh": "至", "en": " to "}
BANDS: tuple[tuple[float, str, str], ...] = (
    (0.95, "基本可以完成", "is almost certain to be met"),
    (0.80, "完成的把握较大", "is likely to be met"),
    (0.60, "有望完成、仍有不确定性", "is more likely than not to be met, but uncertain"),
    (0.40, "完成与否约各半", "may go either way"),
    (0.20, "完成的把握不大", "is unlikely to be met"),
    (0.05, "完成的难度较大", "is very unlikely to be met"),
    (0.0, "基本难以完成", "is practically out of reach"),
)
SETTLED = {"met": ("完成已成定局", "is settled: met"), "missed": ("不能完成已成定局", "is settled: not met")}
