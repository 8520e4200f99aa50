"""Readable by all: axe finds no serious or critical fault in the pages, on a wide and a narrow screen, light and dark."""

from __future__ import annotations

import html
import json
import re
from importlib import resources as files
from pathlib import Path
from typing import Any

import pytest
import samples
from browser import CHROMIUM, MISSING, dom

import lyeval as ly
from lyeval import report
from lyeval.render import to_html

AXE = pytest.importorskip("axe_core_python", reason="axe-core-python is not installed")
GRAVE = ("serious", "critical")
RUNNER = """
axe.run(document, {resultTypes: ['violations']}).then(found => {
  const told = found.violations.map(v => [v.impact, v.id, v.nodes.map(n => n.target.join(' ')).slice(0, 5)]);
  const place = document.createElement('pre');
  place.id = 'axe-told';
  place.textContent = JSON.stringify({tests: found.passes.length, told: told});
  document.body.appendChild(place);
});
"""
SCREENS = {
    "wide": ("--window-size=1280,900",),
    "narrow": ("--window-size=500,900",),
    "dark": ("--window-size=1280,900", "--blink-settings=preferredColorScheme=0"),
}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    """The review of a sample in both languages, and the public edition."""
    tables = samples.judged("linshu", 2023) | report.ledger_tables(samples.linshu(), ly.load_policy("linshu-2021"))
    public = report.announcement(report.public(tables))
    made = {"zh": report.build_report(tables), "en": report.build_report(tables, lang="en")}
    return {"zh": to_html(made["zh"]), "en": to_html(made["en"]), "public": to_html(public)}


def axe(page: str, home: Path, *screen: str) -> dict[str, Any]:
    """Return how many rules passed, and the violations: impact, rule, places."""
    source = files.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    path = home / "page.html"
    path.write_text(
        bare.replace("</body>", f"<script>{source}</script><script>{RUNNER}</script></body>"), encoding="utf-8"
    )
    found = re.search(r'<pre id="axe-told">(.*?)</pre>', dom(path, home, *screen), re.DOTALL)
    assert found, "axe did not end"
    return json.loads(html.unescape(found[1]))


@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
@pytest.mark.parametrize(("name", "screen"), [("zh", "wide"), ("zh", "dark"), ("en", "narrow"), ("public", "wide")])
def test_no_grave_fault(pages: dict[str, str], tmp_path: Path, name: str, screen: str) -> None:
    found = axe(pages[name], tmp_path, *SCREENS[screen])
    assert found["tests"] > 15
    assert [fault for fault in found["told"] if fault[0] in GRAVE] == []


@pytest.mark.skipif(CHROMIUM is None, reason=MISSING)
def test_axe_would_tell(tmp_path: Path) -> None:
    bad = '<!DOCTYPE html><html><head><title>x</title></head><body><img src="a.png"><p style="color:#ddd">pale</p></body></html>'
    found = {fault[1] for fault in axe(bad, tmp_path)["told"] if fault[0] in GRAVE}
    assert {"image-alt", "html-has-lang"} <= found
