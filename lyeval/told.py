"""The one base of lyeval's errors, and its messages: what is wrong and what to do, in Chinese and in English (出错信息)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
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
