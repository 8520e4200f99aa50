"""A headless Chromium from the system, driven by nothing but its command line: the page as it stands after its scripts, or its picture."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lyeval import resources

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


@contextmanager
def lab(space: Path, *words: str) -> Iterator[str]:
    """Run ``lyeval explore`` in a workspace, and give the address that it tells."""
    log, code = space / "lab.log", "import sys; from lyeval.cli import main; main(sys.argv[1:])"
    env = os.environ | {"XDG_DATA_HOME": str(space / "home"), "PYTHONPATH": str(resources.PACKAGE.parent)}
    with log.open("w") as file:
        command = [sys.executable, "-c", code, "explore", *words, "--no-browser"]
        server = subprocess.Popen(command, cwd=space, env=env, stdout=file, stderr=file, start_new_session=True)
    try:
        found = None
        while found is None and server.poll() is None:
            time.sleep(0.2)
            found = re.search(r"http://127\.0\.0\.1:\d+/lab\S*token=\w+", log.read_text("utf-8"))
        assert found, log.read_text("utf-8")[-2000:]
        yield found[0]
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(60)
