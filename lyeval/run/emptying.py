"""Empty a folder of reports of what lyeval made there, and of nothing else: ``python -m lyeval.run.emptying reports`` (清空)."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from lyeval.run.errors import RunError
from lyeval.run.folders import clear, held, marked, mend_all, recorded, stands, written
from lyeval.run.locking import LOCKED
from lyeval.run.placing import free


def empty(root: Path) -> list[Path]:
    """Remove reports, what failed runs left, working folders, locks and the page over all reports, as far as lyeval wrote them.

    Returns
    -------
    list of Path
        What still stands: whatever is somebody's, with the folders that hold it, and what another process is at work on.
    """
    if not root.is_dir():
        return []
    mend_all(root)
    for path in sorted(root.iterdir()):
        record, said = recorded(path), marked(path)
        lock, failed = LOCKED.fullmatch(path.name), said is not None and said["lyeval"] == "failed"
        with suppress(RunError, OSError):
            if failed or (record is not None and record["run"] == path.name):
                with held(root / (str(said["of"]) if said and failed else path.name)):
                    clear(path, written(path) or {})
            elif lock:
                with held(root / lock[1]):
                    pass
    page = root / "index.html"
    with suppress(RunError, OSError):
        free(page)
        page.unlink(missing_ok=True)
    return [path for path in sorted(root.iterdir()) if stands(path)]


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        empty(Path(folder))
