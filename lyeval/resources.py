"""Where the shipped files stand: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

import csv
import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def root() -> Path:
    """Return the folder that holds ``parameters/``, ``notebooks/`` and ``data/sample/``.

    A checkout keeps them beside the package; a wheel carries them in ``lyeval/shipped``.
    """
    shipped = PACKAGE / "shipped"
    return shipped if shipped.is_dir() else PACKAGE.parent


def path(name: str) -> Path:
    """Return the absolute path of a shipped file or folder, e.g. ``parameters/policies``."""
    return root() / name


def read_rows(module: str, name: str) -> list[dict[str, str]]:
    """Return the rows of a table of data (CSV with headings) that stands beside a module.

    Parameters
    ----------
    module
        The module's ``__file__``.
    """
    with Path(module).with_name(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def sample(name: str) -> list[Path]:
    """Return the ledger files of the sample ``name``.

    ``linshu`` is one workbook; ``zhoushan`` is every workbook whose name begins with ``zhoushan-``.

    Raises
    ------
    FileNotFoundError
        No such sample; the message lists those there are.
    """
    folder = path("data/sample")
    found: list[Path] = []
    if re.fullmatch(r"\w[\w.-]*", name):
        exact = [p for p in (folder / f"{name}.xlsx", folder / name) if p.exists()]
        found = exact[:1] or sorted(folder.glob(f"{name}-*.xlsx"))
    if not found:
        known = "、".join(sorted(p.stem for p in folder.glob("*.xlsx")))
        asked = " ".join(name.split())[:80]
        raise FileNotFoundError(
            f"没有名为 {asked} 的样例台账，现有：{known} / no sample ledger {asked!r}; there are: {known}"
        )
    return found
