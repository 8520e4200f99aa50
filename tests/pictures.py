"""``make pictures``: page 1 of the sample's PDF and the top of its page, into docs/pictures, as the README shows them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from browser import CHROMIUM, MISSING, picture

from lyeval import report
from lyeval.run import compute

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
MOST_BYTES = 200_000
SCREEN = ("--window-size=1400,820", "--force-device-scale-factor=1")
PAGE_PIXELS = 700


def main() -> int:
    """Draw both pictures; 1 and what is missing where they cannot be drawn."""
    missing = [] if CHROMIUM else [MISSING]
    missing += [] if shutil.which("pdftoppm") else ["no pdftoppm here (Debian: poppler-utils)"]
    if missing:
        print("；".join(missing))
        return 1
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as away:
        home = Path(away)
        tables = report.load(compute(home / "tables", policy="linshu-2021", ledger="sample:linshu", year=2023, seed=1))
        report.write(tables, home, formats=["html", "pdf"])
        size = ["-scale-to-x", str(PAGE_PIXELS), "-scale-to-y", "-1"]
        page = ["pdftoppm", "-png", "-r", "72", "-f", "1", "-l", "1", "-singlefile", *size]
        subprocess.run([*page, str(home / "report.pdf"), str(PICTURES / "pdf")], check=True)
        picture(home / "report.html", PICTURES / "html.png", home, *SCREEN)
    large = [path.name for path in sorted(PICTURES.glob("*.png")) if path.stat().st_size > MOST_BYTES]
    print(
        f"docs/pictures: larger than {MOST_BYTES} bytes: {', '.join(large)}"
        if large
        else "docs/pictures: html.png, pdf.png"
    )
    return int(bool(large))


if __name__ == "__main__":
    sys.exit(main())
