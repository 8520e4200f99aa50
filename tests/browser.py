"""A headless Chromium from the system, driven by nothing but its command line: the page as it stands after its scripts, or its picture."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
MISSING = "no chromium here (Debian: chromium)"
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
    "--no-first-run",
)
SECONDS = 120


def dom(page: Path, home: Path, *more: str) -> str:
    """Return the document of a page after its scripts have run."""
    return _run(home, "--virtual-time-budget=60000", "--dump-dom", *more, page.as_uri())


def picture(page: Path, out: Path, home: Path, *more: str) -> None:
    """Draw a page into a PNG."""
    _run(home, f"--screenshot={out}", *more, page.as_uri())


def _run(home: Path, *words: str) -> str:
    assert CHROMIUM
    command = [CHROMIUM, *QUIET, f"--user-data-dir={home / 'profile'}", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", timeout=SECONDS, check=True, cwd=home
    )
    return done.stdout
