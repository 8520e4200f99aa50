"""The map is a test: what ARCHITECTURE.md says a change touches is enough for it, file by file, in a copy of the tree."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TABLE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## What a change touches")[1].split("\n## ")[0]
Edit = Callable[[str], str]
TEMPLATE = "lyeval/report/templates/{}/year_end.md"
FOLDERS, LEFT_OUT = ("lyeval", "parameters"), shutil.ignore_patterns("__pycache__", "shipped", "*.pyc")


def row(**values: str) -> Edit:
    """Return an edit that adds a row to a CSV file; columns that are not named stay blank."""

    def edit(text: str) -> str:
        reader = csv.DictReader(io.StringIO(text))
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, reader.fieldnames or [], lineterminator="\n", restval="")
        assert set(values) <= set(reader.fieldnames or [])
        writer.writerow(values)
        return text.rstrip("\n") + "\n" + out.getvalue()

    return edit


def added(more: str) -> Edit:
    return lambda text: text.rstrip("\n") + "\n\n\n" + more


def method(text: str) -> str:
    """Add a disposal method: land and owner stay, the works are let to somebody who runs them."""
    first = text[text.index("  - id: rectify") : text.index("  - id: merge")]
    mine = re.sub(r"words: \[.*\]", "words: [厂房托管, 委托经营]", first.replace("id: rectify", "id: custody"))
    mine = mine.replace("label: 限期整改", "label: 厂房托管").replace("label_en: rectify", "label_en: custody")
    return text.rstrip("\n") + "\n" + mine.replace("finished: 达标", "finished: 重组")


def section(heading: str, words: str) -> Edit:
    """Return an edit that puts a section into the middle of a template."""

    def edit(text: str) -> str:
        places = [m.start() for m in re.finditer(r"^# ", text, flags=re.M)]
        at = places[len(places) // 2]
        return f'{text[:at]}# {heading} {{{{ id("custody") }}}}\n\n{words}\n\n{text[at:]}'

    return edit


def fact_row(text: str) -> str:
    return row(
        name="doubled", kind="number", unit="万元", zh="税收的两倍", en="twice the tax", columns="tax_wan", basis="year"
    )(text)


def output_format(text: str) -> str:
    """Add a format: headings alone, as plain lines."""
    writer = """def _lines(job: Job, path: Path) -> None:
    told = [block.text for block in job.document.blocks if hasattr(block, "level")]
    path.write_text("\\n".join(told), encoding="utf-8")


FORMATS: dict["""
    mine = text.replace("FORMATS: dict[", writer, 1)
    return mine.replace('    "xlsx": (', '    "lines": ("report.lines", _lines),\n    "xlsx": (', 1)


FACT = '''@fact
def doubled(facts: Facts) -> np.ndarray:
    """Twice the tax, 万元, shape (n,)."""
    return 2 * facts.tax
'''
WORDS = '本县另有{{ rows("targets").count }}个目标。'
PATCHES: dict[str, dict[str, Edit]] = {
    "a new ledger column": {
        "lyeval/ledger/columns.csv": row(
            sheet="annual",
            column="scrap_t",
            kind="quantity",
            unit="吨",
            zh="废钢产生量",
            en="scrap steel",
            owner="towns",
        ),
    },
    "a new fact or statistic": {"lyeval/indicators/facts.csv": fact_row, "lyeval/indicators/facts.py": added(FACT)},
    "a new disposal method": {"parameters/assumptions/methods.yaml": method},
    "a new report section": {
        TEMPLATE.format("zh"): section("厂房托管", WORDS),
        TEMPLATE.format("en"): section("Custody", "There are {{ rows('targets').count }} targets."),
    },
    "a new output format": {"lyeval/render/formats.py": output_format},
}
SCHEMA = "parameters/schema/policy.schema.json"


def listed(change: str) -> set[str]:
    """Return the files that the page names for a change."""
    line = next(line for line in TABLE.splitlines() if line.startswith(f"| {change} |"))
    return set(re.findall(r"`([\w/.]+/[\w.]+\.\w+)`", line.split("|")[2]))


def link(source: str, target: str) -> None:
    """Link a file of the copy; one that a patch touches is written anew."""
    os.link(source, target)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Apply all patches to one copy of the tree, work with it in a process of its own, and return what that says of each change."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=LEFT_OUT, copy_function=link)
    before = {p: p.read_bytes() for p in copy.rglob("*") if p.is_file() and p.suffix != ".otf"}
    for path, edit in [pair for edits in PATCHES.values() for pair in edits.items()]:
        text = (copy / path).read_text(encoding="utf-8")
        (copy / path).unlink()
        (copy / path).write_text(edit(text), encoding="utf-8", newline="\n")
    (copy / SCHEMA).unlink()  # written anew by the library itself
    work = tmp_path_factory.mktemp("work")
    paths = os.pathsep.join((str(copy), str(ROOT / "tests")))
    done = subprocess.run(
        [sys.executable, "-B", str(ROOT / "tests" / "changed_tree.py"), str(work)],
        env={**os.environ, "PYTHONPATH": paths}, cwd=work, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    moved = {p.relative_to(copy).as_posix() for p, was in before.items() if not p.exists() or p.read_bytes() != was}
    return {**json.loads(done.stdout), "moved": moved, "copy": str(copy)}


@pytest.mark.parametrize("change", PATCHES)
def test_a_change_needs_the_files_that_the_page_names_and_no_other(change: str) -> None:
    schema = {SCHEMA} if change in ("a new fact or statistic", "a new disposal method") else set()
    assert listed(change) == {*PATCHES[change], *schema}


def test_nothing_else_moves(told: dict[str, object]) -> None:
    assert told["lyeval"].startswith(told["copy"])
    assert told["moved"] == {path for edits in PATCHES.values() for path in edits} | {SCHEMA}


def test_a_ledger_column(told: dict[str, object]) -> None:
    assert told["column"] == {"value": 7.5, "owed_by": "属地镇街"}


def test_a_fact_used_in_a_policy(told: dict[str, object]) -> None:
    assert told["fact"] == {
        "holds": [True, False],
        "words": "税收的两倍 ≥ 12 万元",
        "needs": ["tax_wan"],
        "listed": True,
    }


def test_a_disposal_method(told: dict[str, object]) -> None:
    assert told["method"] == {"read": ["custody"], "outcome": ["重组"], "lawful": True, "success": 0.6, "listed": True}


def test_a_report_section_in_the_middle(told: dict[str, object]) -> None:
    zh, en = told["section"]["zh"], told["section"]["en"]
    at = next(i for i, heading in enumerate(zh) if heading.endswith("厂房托管"))
    numbers = "一二三四五六七八九十"
    assert 0 < at < len(zh) - 1
    assert [heading[0] for heading in zh if heading[1:2] == "、"] == list(numbers[: sum(h[1:2] == "、" for h in zh)])
    assert any(heading.endswith("Custody") for heading in en)
    assert told["section"]["text"]


def test_an_output_format(told: dict[str, object]) -> None:
    assert told["format"] == {"files": ["report.lines"], "first": told["section"]["zh"][0], "accepted": ["lines"]}
