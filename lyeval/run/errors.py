"""What a run says when it cannot be done: in Chinese and in English, with what to do."""

from __future__ import annotations

from collections.abc import Sequence


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


class HeldError(RunError):
    """A run that another process is at work on."""


def together(errors: Sequence[ValueError]) -> ValueError:
    """Return several errors as one that tells each on lines of its own; a single one as it is."""
    if len(errors) == 1:
        return errors[0]
    told = [error_words(error) for error in errors]
    misuse = any(getattr(e, "misuse", True) for e in errors if type(e).__name__ != "LedgerError")
    return RunError(*("\n".join(words[i] for words in told) for i in (0, 1)), misuse=misuse)


def error_words(error: ValueError) -> tuple[str, str]:
    """Say an error in Chinese and English; of a ledger's, how many there are and the first."""
    from lyeval.ledger import LedgerError
    from lyeval.policy import PolicyError, in_language
    from lyeval.tables import ConsistencyError

    if isinstance(error, RunError | ConsistencyError):
        return error.zh, error.en
    if isinstance(error, LedgerError):
        first, n = error.faults[0], sum(f.severity == "error" for f in error.faults)
        return f"台账有 {n} 处错误：{first.text('zh')}", f"{n} errors in the ledger: {first.text('en')}"
    if isinstance(error, PolicyError):
        return in_language(str(error), "zh"), in_language(str(error), "en")
    return str(error), str(error)


def _rebuilt(zh: str, en: str, misuse: bool) -> RunError:
    return RunError(zh, en, misuse=misuse)
