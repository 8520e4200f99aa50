"""The command line with one tiny notebook in place of all others: for tests of what goes on around notebooks.

Run as a program. Processes that it spawns import this file, too, and so are stubbed alike. What the notebook does is said by
the run file's title (``sleep``, ``hold`` the interpreter in C code, ``fail``, ``die``) and seed (seconds).
"""

from __future__ import annotations

import os
from pathlib import Path

from lyeval.cli import main
from lyeval.run import production

NOTEBOOK = Path(__file__).parent / "fixtures" / "stub.ipynb"
production.check_run = lambda run: None  # type: ignore[assignment]
production.notebooks = lambda *args, **given: [NOTEBOOK]

if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    main()
