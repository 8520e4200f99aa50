"""What a run says when it cannot be done: in Chinese and in English, with what to do."""

from __future__ import annotations


class RunError(ValueError):
    """A run that cannot be done, or that failed.

    Attributes
    ----------
    zh, en
        What is wrong and what to do, in each language.
    misuse
        Whether the command or the run file is at fault (exit code 2), not the data or the work (1).
    """

    def __init__(self, zh: str, en: str, *, misuse: bool = False) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en, self.misuse = zh, en, misuse

    def text(self, lang: str = "zh") -> str:
        """Return the message in one language."""
        return self.en if lang == "en" else self.zh

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuilt, (self.zh, self.en, self.misuse)


def _rebuilt(zh: str, en: str, misuse: bool) -> RunError:
    return RunError(zh, en, misuse=misuse)
