"""``make golden``: the small sample run that stands in reports/golden, rebuilt from its ledger; a test compares it byte for byte."""

from __future__ import annotations

import shutil
from pathlib import Path

from lyeval import report
from lyeval.run import about, compute, keep

GOLDEN = Path(__file__).resolve().parent.parent / "reports" / "golden"
LEDGER = "ledger.xlsx"
KEPT = ("meta", "run", "versions", "targets", "enterprises", "members", "flows", "doors", "switches", "readings", "townships", "forecast",
        "simulation", "opening_list")  # fmt: skip


def build(folder: Path) -> None:
    """Evaluate the golden ledger into a folder: the page, and those tables that it chiefly tells of."""
    compute(folder / "tables", policy="linshu-2021", ledger=GOLDEN / LEDGER, year=2023, draws=200, seed=1)
    keep(about(title="", report_date="2024-01-31", basis="", seed=1, draws=200), folder / "tables")
    report.write(report.load(folder / "tables"), folder, formats=["html"])
    shutil.rmtree(folder / "figures")
    for path in (folder / "tables").iterdir():
        if path.suffix != ".csv" or path.stem not in KEPT:
            path.unlink()


if __name__ == "__main__":
    shutil.rmtree(GOLDEN / "tables", ignore_errors=True)
    build(GOLDEN)
    print("reports/golden")
