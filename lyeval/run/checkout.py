"""Where the code of a run came from: commit, uncommitted changes, lock (检出状态)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lyeval import resources
from lyeval.run.inputs import sha256

SECONDS = 20


def origin(changes: Iterable[str] = ()) -> dict[str, Any]:
    """Return what is told beside a run's fingerprint and not within it.

    Returns
    -------
    dict
        ``commit`` and ``dirty`` (whether code, notebooks, parameters or samples differ from it), None where lyeval does not
        stand in a checkout; ``lock``, SHA-256 of ``requirements.lock``, None in a wheel; ``set``, the changes to the run file.
        One code has one hash in a checkout and in a wheel, so the fingerprint of a run is the same in both.
    """
    home = resources.root()
    lock = home / "requirements.lock"
    changed = _git(home, "status", "--porcelain", "--", *WATCHED)
    return {
        "commit": _git(home, "rev-parse", "HEAD"),
        "dirty": None if changed is None else bool(changed),
        "lock": sha256(lock) if lock.is_file() else None,
        "set": list(changes),
    }


def _git(home: Path, *words: str) -> str | None:
    """Ask git about a checkout; None where there is none, or no git."""
    if not (home / ".git").exists():
        return None
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", "-C", str(home), *words],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


WATCHED = ("lyeval", "notebooks", "parameters", "data/sample", "requirements.lock")
