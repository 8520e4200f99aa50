"""The English edition: one word per thing, no word that the glossary bans, no Chinese but names and what a table quotes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Lyeval, runner
from samples import linshu, tables
from test_report_tables import LINSHU
from test_report_words import words_of

from lyeval import report, resources
from lyeval.ledger.columns import SHEETS
from lyeval.render import Bullets, Heading, Note, Paragraph
from lyeval.textfiles import read_yaml

HERE = Path(report.__file__).parent
PACKAGE = HERE.parent
BANNED = re.compile(
    r"\bodds\b|×\s?10|10⁴|10(,000|k) yuan|wan yuan|\bstocks?\b|\bdoors?\b|low-yield|short of a verdict|\bpressed\b.*\bunits\b"
    r"|\benterprises?\b|(above|below)[- ]scale|[0-9] yuan\b",
    re.IGNORECASE,
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NAMES = ("name", "township", "county", "unit")


def leaves(node: Any) -> Iterator[str]:
    """Yield every text of a YAML file."""
    if isinstance(node, dict):
        node = node.values()
    if isinstance(node, str):
        yield node
    elif not isinstance(node, int | float | bool | type(None)) and hasattr(node, "__iter__"):
        for part in node:
            yield from leaves(part)


def english_texts() -> Iterator[tuple[str, str]]:
    """Yield every English text that is shipped, with its file: templates, columns named en, words of YAML files."""
    for path in sorted((HERE / "templates/en").glob("*.md")):
        yield path.name, re.sub(r"{%.*?%}|{{.*?}}|{#.*?#}", " ", path.read_text(encoding="utf-8"), flags=re.S)
    root = Path(__file__).resolve().parent.parent
    for name in ("GLOSSARY.md", "CITATION.cff", "docs/methods.md"):
        yield name, re.sub(r"`[^`]*`", " ", (root / name).read_text(encoding="utf-8"))
    yield from (("notebooks", text) for text in leaves(read_yaml(PACKAGE / "run/notebooks_en.yaml")[0]))
    for path in sorted(PACKAGE.rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield from ((path.name, v) for k, v in row.items() if k and (k == "en" or k.endswith("_en")) and v)
    for path in [*sorted(PACKAGE.rglob("*.yaml")), *sorted(resources.path("parameters").rglob("*.yaml"))]:
        yield from (
            (path.name, text) for text in leaves(read_yaml(path)[0]) if " " in text and not CHINESE.search(text)
        )


def test_no_shipped_text_uses_a_banned_word() -> None:
    found = list(english_texts())
    assert len(found) > 2500
    assert [(name, text) for name, text in found if BANNED.search(text)] == []


def test_the_banned_words_are_found_where_they_stand() -> None:
    for text in (
        *("the odds of it", "5 ×10,000 yuan", "1.2×10⁴ yuan", "the list's stock", "by which door"),
        *("an enterprise", "Enterprises by size", "above-scale firms", "below scale", "6.40 yuan per m²"),
    ):
        assert BANNED.search(text)
    assert not BANNED.search("stocking indoors, within 10 mu")


def of_the_ledger(made: dict) -> list[str]:
    """Return the names that an English text may hold, the longest first."""
    names = {str(v) for c in NAMES for v in made["enterprises"].get(c, []) if v}
    names |= {str(made["meta"]["document"]), *made["meta"]["counties"], str(made["meta"]["place"])}
    return sorted(names, key=len, reverse=True)


def sentences(document: Any) -> list[str]:
    """Return what a document says in sentences."""
    out: list[str] = []
    for block in document.blocks:
        out += list(block.items) if isinstance(block, Bullets) else []
        out += [block.text] if isinstance(block, Paragraph | Note | Heading) else []
    return [str(text) for text in out]


@pytest.mark.parametrize("kind", ["office", "research", "bulletin"])
def test_sentences_hold_no_chinese_but_names(kind: str) -> None:
    if kind == "bulletin":
        made = report.bulletin_tables(linshu(), LINSHU, "2023-10") | {"run": {"report_date": "2023-11-10"}}
        document = report.build_bulletin(made, lang="en")
    else:
        made = tables("linshu", 2023) | {"run": {"edition": kind}}
        document = report.build_report(made, lang="en")
    told = "\n".join(sentences(document))
    assert len(told) > 1200
    for name in of_the_ledger(made):
        told = told.replace(name, "")
    assert [line for line in told.split("\n") if CHINESE.search(line)] == []
    assert [text for text in words_of(document) if BANNED.search(str(text))] == []


COMMANDS = (
    ("assess", "sample:linshu", "--policy", "linshu-2021", "--year", "2023"),
    ("check", "sample:zhoushan-shengsi"),
    ("policy", "list"),
    ("policy", "check", "linshu-2021"),
    ("policy", "diff", "zhoushan-2020", "linshu-2021"),
    ("assess", "sample:linshu", "--policy", "linshu-2021", "--year", "2019"),
)


@pytest.fixture
def lyeval(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Lyeval:
    return runner(capsys, monkeypatch)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_terminal_speaks_english(lyeval: Lyeval, words: tuple[str, ...]) -> None:
    told = lyeval(*words, "--lang", "en")
    text = told.out + told.err
    assert text.strip()
    names = {str(v) for c in ("name", "township", "county") for v in linshu().enterprises.get(c, [])}
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, "")
    quoted = re.sub(r"'[^']*'", "", re.sub(r"\s+", " ", text))
    assert CHINESE.findall(quoted) == []
    assert not BANNED.search(re.sub(rf"^ ({'|'.join(SHEETS)}) ", "", text, flags=re.M))  # sheets stand under their keys
