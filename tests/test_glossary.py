"""The glossary: one term a line, one root a term."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (Path(__file__).parents[1] / "GLOSSARY.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| 中文"))
]


def test_every_row_has_term_root_and_both_languages() -> None:
    assert len(ROWS) > 80
    assert [r for r in ROWS if len(r) != 4 or not all(r)] == []
    assert [r[1] for r in ROWS if not re.fullmatch(r"`[a-z][a-z_0-9]*`(, `[a-z][a-z_0-9]*`)*", r[1])] == []


def test_terms_and_roots_stand_once() -> None:
    terms = Counter(term for row in ROWS for term in row[0].split("、"))
    roots = Counter(root for row in ROWS for root in re.findall(r"`(\w+)`", row[1]))
    assert [t for t, n in terms.items() if n > 1] == []
    assert [r for r, n in roots.items() if n > 1] == []
