"""The rules a ledger is read by, as data: one row of ``rules.csv`` per rule, with its sentences in both languages.

Errors are what cannot be read, would be counted twice, or belongs to no enterprise. Everything else warns.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """One rule: its weight, a title and a sentence (with ``{names}`` filled from the fault) per language.

    ``severity`` is ``error``, ``warning`` or ``gap``.
    """

    severity: str
    zh_title: str
    en_title: str
    zh: str
    en: str

    def title(self, lang: str = "zh") -> str:
        """Return the title in ``lang``."""
        return self.zh_title if lang == "zh" else self.en_title


def _load() -> dict[str, Rule]:
    """Read ``rules.csv``, which stands beside this module."""
    with Path(__file__).with_name("rules.csv").open(encoding="utf-8", newline="") as file:
        return {row[0]: Rule(*row[1:]) for row in list(csv.reader(file))[1:]}


RULES = _load()
