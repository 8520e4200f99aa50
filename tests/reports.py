"""Small folders that are reports of lyeval's by their records, for tests of what happens to folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lyeval.run.folders import sha256


def report(
    folder: Path, text: str, *, run: str = "a", finished: bool = True, more: Mapping[str, str] | None = None
) -> Path:
    """Write a report whose page says ``text``; without its record if it is not finished."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {"report.html": text, "tables/targets.csv": f"id\n{text}\n", **(more or {})}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    if finished:
        outputs = {name: sha256(folder / name) for name in files}
        told = {"run": run, "basis": "0" * 64, "fingerprint": "1" * 64, "outputs": outputs, "versions": {"lyeval": "0"}}
        (folder / "record.json").write_text(json.dumps(told), encoding="utf-8")
    return folder


def told(folder: Path) -> str:
    """Return what the page of a report says."""
    return (folder / "report.html").read_text(encoding="utf-8")
