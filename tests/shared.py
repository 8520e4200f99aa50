"""What one run of the tests makes once for all of its processes."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lyeval.scratch import locked

SHARED = "LYEVAL_TESTS_SHARED"  # names the folder, which conftest makes and removes


def once(name: str, make: Callable[[], Any]) -> Any:
    """Return what ``make`` gives, made by the first process that asks for that name; each gets its own copy."""
    path = Path(os.environ[SHARED]) / f"{name}.pickle"
    with path.with_suffix(".lock").open("wb") as lock:
        while not locked(lock):
            time.sleep(0.1)
        if not path.exists():
            path.write_bytes(pickle.dumps(make()))
    return pickle.loads(path.read_bytes())
