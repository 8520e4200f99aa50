"""A folder that the processes of one run of the tests share; what it left out, said at its end, with what it would take."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter

import pytest
from shared import SHARED


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder in which `shared.once` keeps what is made once for all processes."""
    if SHARED not in os.environ:
        os.environ[SHARED] = tempfile.mkdtemp(prefix="lyeval-tests-")
        config.add_cleanup(lambda: shutil.rmtree(os.environ.pop(SHARED), ignore_errors=True))


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
