"""Documents for researchers: every estimator in docs/methods.md, every citation in the bibliography, the R script's table."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

import lyeval as ly
from lyeval import effect
from lyeval.comparison import two_places
from lyeval.panels import panel, write_panel
from lyeval.studies.questions import FIXED
from lyeval.textfiles import read_yaml

ROOT = Path(__file__).resolve().parent.parent
METHODS = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
BIB = (ROOT / "docs/references.bib").read_text(encoding="utf-8")
DESIGNS = {"rdd", "density", "did", "poisson", "event_study", "bunching", "synthetic", "forecast_gap", "timing"}


def test_every_estimator_has_its_section() -> None:
    sections = set(re.findall(r"^### `(\w+)`", METHODS, flags=re.M))
    assert sections == DESIGNS
    assert set(effect.__all__) >= DESIGNS
    assert {row[1] for row in FIXED} - DESIGNS == {"rd_target", "not_yet", "before_after"}


def test_every_citation_is_in_the_bibliography_and_used() -> None:
    known = set(re.findall(r"^@\w+{(\w+),", BIB, flags=re.M))
    cited = {key for key in re.findall(r"`([a-z]+\d{4})`", METHODS)}
    assert cited == known
    for entry in re.findall(r"^@\w+{.*}$", BIB, flags=re.M):
        assert {"author", "title", "year"} <= set(re.findall(r"(\w+) = {", entry))


def test_the_notebook_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", METHODS, flags=re.M | re.S)
    given: dict[str, object] = {}
    for block in blocks:
        exec(block, given)
    hybrid, strict, own = (given[name].identification.lines.below for name in ("hybrid", "stricter", "zhoushan"))  # type: ignore[attr-defined]
    assert (dict(hybrid), dict(strict)) == (dict(own), {2020: 3.0})
    assert (tmp_path / "effects.docx").read_bytes()[:2] == b"PK"
    assert {"as_if", "compare", "two_places", "study", "sweep", "panel", "decompose"} <= set(
        re.findall(r"`?ly\.(\w+)", METHODS)
    )


def test_citation_file() -> None:
    found = read_yaml(ROOT / "CITATION.cff")[0]
    assert found["version"] == ly.__version__
    assert found["authors"] == [{"name": "The lyeval developers"}]


def test_r_script_gives_the_table_of_attainment(tmp_path: Path) -> None:
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R is not installed")
    book = ly.read_ledger("sample:linshu")
    path = write_panel(panel(book, "linshu-2021"), tmp_path)[0]
    told = subprocess.run(
        [rscript, str(ROOT / "docs/main_table.R"), str(path)], capture_output=True, text=True, check=True
    )
    lines = [line.split() for line in told.stdout.splitlines()]
    table = pd.DataFrame(lines[1:], columns=lines[0]).astype(float).set_index("year")
    own = two_places((book, "linshu-2021", 2023), (book, "linshu-2021", 2023), draws=100).rates
    for row in own[(own["side"] == "a") & (own["followed"] == "first_list")].to_dict("records"):
        mine = table.loc[row["year"]]
        assert [mine[k] for k in ("listed", "left", "counted", "reached")] == [
            row[k] for k in ("listed", "left", "counted", "reached")
        ]
        assert [mine[k] for k in ("dropped", "failed", "passed")] == pytest.approx(
            [row[k] for k in ("dropped", "failed", "passed")], abs=5e-4
        )
