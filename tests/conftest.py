"""A folder that the processes of one run of the tests share; the longest first; what was left out, said at the end, with what it would take."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter

import pytest
from shared import SHARED

LONG = ("test_notebooks", "test_run", "test_disclosure", "test_run_comparison", "test_same_bytes", "test_batching", "test_review", "test_plans",
        "test_releasing", "test_tracing", "test_cleaning", "test_ledger_property", "test_counts_property", "test_portfolio", "test_studies",
        "test_finished", "test_ledger_hostile", "test_report_document", "test_methods")  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder in which `shared.once` keeps what is made once for all processes."""
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="lyeval-tests-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(SHARED), ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules that take longest, so that no process is left alone with one at the end."""
    items.sort(key=lambda item: LONG.index(item.path.stem) if item.path.stem in LONG else len(LONG))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the reasons for which tests were skipped, and how many each."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(_reason(report) for report in skipped)
    if reasons:
        terminalreporter.section("left out")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count} tests: {reason}")


def _reason(report: pytest.TestReport) -> str:
    told = report.longrepr
    return str(told[2] if isinstance(told, tuple) else told).removeprefix("Skipped: ")
