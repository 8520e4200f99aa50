"""The one base of lyeval's errors, and its messages: what is wrong and what to do, in Chinese and in English (出错信息)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from operator import index
from typing import Any, Self

from lyeval.resources import read_rows

Pair = tuple[str, str]
"""A text in Chinese and in English."""


@dataclass(frozen=True)
class Words:
    """One text in Chinese and English; ``str()`` is the Chinese."""

    zh: str
    en: str

    def text(self, lang: str = "zh") -> str:
        """Return the text in one language."""
        return self.en if lang == "en" else self.zh

    def __str__(self) -> str:
        return self.zh


class Told(ValueError):
    """A fault that is told in words, never as a traceback.

    Attributes
    ----------
    zh, en
        What is wrong and what to do, in each language.
    misuse
        Whether what was asked is at fault (exit code 2), not the data or the work (1).

    Examples
    --------
    >>> Told("没有这个文件", "no such file").text("en")
    'no such file'
    """

    def __init__(self, zh: str, en: str, *, misuse: bool = False) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en, self.misuse = zh, en, misuse

    @classmethod
    def of(cls, key: str, /, **given: Any) -> Self:
        """Return the error of a row of ``messages.csv``, filled in as by `message`."""
        zh, en = message(key, **given)
        return cls(zh, en, misuse=bool(_rows()[key]["misuse"]))

    def text(self, lang: str = "zh") -> str:
        """Return the message in one language."""
        return self.en if lang == "en" else self.zh

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (type(self), self.zh, self.en, self.misuse)


def _again(kind: type[Told], zh: str, en: str, misuse: bool) -> Told:
    return kind(zh, en, misuse=misuse)


def whole(name: str, value: object, least: int | None = None, most: int | None = None) -> int:
    """Return an argument that must be a whole number, and within bounds where there are any.

    Raises
    ------
    Told
        It is another kind of thing, or outside the bounds; the argument is named.

    Examples
    --------
    >>> whole("year", 2023)
    2023
    """
    told = shown(value)
    try:
        number = index(value)  # pyright: ignore[reportArgumentType]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise Told(f"{name} 应为整数（不加引号），现为 {told}", f"{name} must be a whole number, unquoted, not {told}")
    if (least is not None and number < least) or (most is not None and number > most):
        zh, en = f"{name} 应在 {least} 至 {most} 之间", f"{name} must be {least:,} to {most:,}"
        raise Told(f"{zh}，现为 {told}", f"{en}, not {told}")
    return number


def of_kind(name: str, value: object, kind: type) -> None:
    """Refuse an argument of another kind than asked for.

    Raises
    ------
    Told
        Naming the argument, the kind that it should be, and the one that it is.
    """
    if not isinstance(value, kind):
        zh, en = KINDS.get(kind.__name__, (kind.__name__, kind.__name__))
        is_zh, is_en = KINDS.get(type(value).__name__, (type(value).__name__, type(value).__name__))
        raise Told(f"{name} 应为{zh}，现为{is_zh}", f"{name} must be {en}, not {is_en}")


def shown(value: object) -> str:
    """Return a value as it is written in code, cut at 60 signs."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


@lru_cache(maxsize=1)
def units() -> dict[str, str]:
    """Return what each unit is called in English, by its Chinese name: the rows of ``units.csv``."""
    return {row["unit"]: row["en"] for row in read_rows(__file__, "units.csv")}


def unit_text(unit: str, lang: str) -> str:
    """Return a unit in one language; one that has no English name as it is.

    Examples
    --------
    >>> unit_text("亩", "en")
    'mu'
    """
    return unit if lang == "zh" else units().get(unit, unit)


def message(key: str, /, **given: Any) -> Pair:
    r"""Return a row of ``messages.csv`` in Chinese and in English.

    Parameters
    ----------
    given
        What stands in it, by name; of a pair, each language takes its own.

    Examples
    --------
    >>> message("yes"), message("written", out="a.xlsx")[1]
    (('是', 'yes'), 'written to a.xlsx')
    """
    row = _rows()[key]
    texts = [
        row[lang].format_map({name: value[at] if isinstance(value, tuple) else value for name, value in given.items()})
        for at, lang in enumerate(("zh", "en"))
    ]
    return texts[0], texts[1]


@lru_cache(maxsize=1)
def _rows() -> dict[str, dict[str, str]]:
    """Return every message by its key; line ends are written as two signs."""
    told = read_rows(__file__, "messages.csv")
    return {row["key"]: {name: text.replace("\\n", "\n") for name, text in row.items()} for row in told}


KINDS = {
    "Ledger": ("台账（read_ledger 的结果）", "a ledger (of read_ledger)"),
    "Assessment": ("年度评估（assess 的结果）", "an assessment (of assess)"),
    "str": ("文字", "a text"),
    "dict": ("字典", "a dict"),
    "DataFrame": ("表（DataFrame）", "a DataFrame"),
    "NoneType": ("空", "nothing"),
}
