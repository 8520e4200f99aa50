"""The one base of lyeval's errors: what is wrong and what to do, in Chinese and in English (出错信息)."""

from __future__ import annotations


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

    def text(self, lang: str = "zh") -> str:
        """Return the message in one language."""
        return self.en if lang == "en" else self.zh

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (type(self), self.zh, self.en, self.misuse)


def _again(kind: type[Told], zh: str, en: str, misuse: bool) -> Told:
    return kind(zh, en, misuse=misuse)
