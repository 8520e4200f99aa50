"""The golden sample run: rebuilt from its ledger, every byte is as it stands in the repository."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from golden import GOLDEN, KEPT, LEDGER, build

from lyeval.run.records import versions

MOST_BYTES = 500_000


def files(folder: Path) -> dict[str, bytes]:
    """Return the files of a golden run by place: its page and its tables."""
    found = [folder / "report.html", *sorted((folder / "tables").iterdir())]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def table(name: str) -> dict[str, str]:
    """Read a golden table of two columns."""
    with (GOLDEN / "tables" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return dict(list(csv.reader(file))[1:])


def test_rebuilt_byte_for_byte(tmp_path: Path) -> None:
    then = table("versions")
    others = sorted(name for name in {*then, *versions()} if then.get(name) != versions().get(name))
    if others:
        pytest.skip(f"the golden run was made with other versions of {', '.join(others)}")
    build(tmp_path)
    ours, theirs = files(tmp_path), files(GOLDEN)
    assert set(ours) == set(theirs)
    assert [name for name in ours if ours[name] != theirs[name]] == [], "moved on purpose? then: make golden"


def test_small_and_made() -> None:
    assert sum(path.stat().st_size for path in GOLDEN.rglob("*") if path.is_file()) <= MOST_BYTES
    assert {path.name for path in GOLDEN.iterdir()} == {LEDGER, "ledger.yaml", "README.md", "report.html", "tables"}
    assert "样例" in table("meta")["synthetic"]
    assert {path.stem for path in (GOLDEN / "tables").iterdir()} == set(KEPT)
