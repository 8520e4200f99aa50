"""How a notebook's kernel starts: this very lyeval, arithmetic that every processor shares, no code or setting from elsewhere (启动内核).

Run as a script, by its path, this is the kernel's program: until the variables that it does not know are gone, it imports
nothing but the standard library.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from logging import ERROR, getLogger
from pathlib import Path
from platform import machine

PACKAGE = Path(__file__).resolve().parent.parent


def command() -> list[str]:
    """Return the command that starts a kernel, as a kernel's description gives it."""
    python = [sys.executable, "-P", "-Xfrozen_modules=off", str(Path(__file__).resolve())]
    return [*python, "-f", "{connection_file}", "--log-level=ERROR", "--IPKernelApp.ignore_cwd=True"]


def environment(folder: Path) -> dict[str, str]:
    """Return the variables that a kernel runs under, over those of this process.

    Parameters
    ----------
    folder
        A folder of ours, where the kernel's own files may stand.
    """
    return quiet(os.environ, folder) | PINNED | arithmetic() | {"MPLCONFIGDIR": str(_font_list(folder))}


def quiet(variables: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Return what to set so that Python, IPython and Jupyter take no setting of the user's; an empty value is as good as none.

    Parameters
    ----------
    variables
        The variables that there are.
    folder
        A folder of ours, in place of those in the user's home.
    """
    unsaid = {name: "" for name in variables if name.startswith(("PYTHON", "IPYTHON", "JUPYTER"))}
    places = {f"JUPYTER_{name.upper()}_DIR": str(folder / name) for name in ("config", "data", "runtime")}
    ours = {
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_PATH": str(folder),
        "PYTHONNOUSERSITE": "" if _needs_user_site() else "1",
        "PYTHONSAFEPATH": "1",
    }
    return unsaid | places | ours


def arithmetic() -> dict[str, str]:
    """Return what makes linear algebra, numpy and C's functions compute alike on every processor of this kind, by one thread."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    return threads | dict(zip(BEYOND, SHARED.get(machine().lower(), ()), strict=False))


@contextmanager
def settled() -> Iterator[None]:
    """Put this process, before it loads numpy, and all that it starts under the same arithmetic, away from the working folder's code.

    What the caller's variables were is put back.
    """
    with variables(arithmetic() | {"PYTHONSAFEPATH": "1", "MPLBACKEND": "agg"}):
        yield


@contextmanager
def variables(told: Mapping[str, str | None]) -> Iterator[None]:
    """Set variables of this process meanwhile, None taking one away; what they were is put back."""
    before = {name: os.environ.get(name) for name in told}
    _set(told)
    try:
        yield
    finally:
        _set(before)


def _set(told: Mapping[str, str | None]) -> None:
    for name, value in told.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def load_matplotlib() -> None:
    """Load Matplotlib with its own settings: it looks for a ``matplotlibrc`` in the working folder first, so that is ours meanwhile.

    That its list of fonts takes long to make, which it tells by the clock, is not told.
    """
    getLogger("matplotlib.font_manager").setLevel(ERROR)
    with _standing_in(PACKAGE / "figures"):
        import matplotlib as mpl  # noqa: F401


def main() -> None:
    """Forget the variables that are not known, load this lyeval by its place, and run the kernel, tied to the process that began it."""
    known = KEPT | {*PINNED, *arithmetic(), *quiet({}, Path()), "MPLCONFIGDIR"}
    for name in [name for name in os.environ if name.upper() not in known and not name.startswith("JPY_")]:
        del os.environ[name]
    _load_lyeval()
    from lyeval.run.processes import tie_to_parent

    tie_to_parent()
    load_matplotlib()
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


def _load_lyeval() -> None:
    """Make the package that this file belongs to the one that is imported, with no folder put on the search path for it."""
    found = spec_from_file_location("lyeval", PACKAGE / "__init__.py", submodule_search_locations=[str(PACKAGE)])
    if found is None or found.loader is None:
        raise ImportError("lyeval")
    sys.modules["lyeval"] = module_from_spec(found)
    found.loader.exec_module(sys.modules["lyeval"])


@contextmanager
def _standing_in(folder: Path) -> Iterator[None]:
    here = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)


def _needs_user_site() -> bool:
    """Tell whether Jupyter was installed for this user alone, outside any environment."""
    found = find_spec("ipykernel")
    if not site.ENABLE_USER_SITE or found is None or found.origin is None:
        return False
    return Path(found.origin).is_relative_to(site.getusersitepackages())


def _font_list(folder: Path) -> Path:
    """Return where Matplotlib keeps its list of fonts: a place of lyeval's that lasts, if one can be written."""
    from platformdirs import user_cache_path

    place = user_cache_path("lyeval", appauthor=False) / "matplotlib"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError:
        return folder / "matplotlib"
    return place if os.access(place, os.W_OK) else folder / "matplotlib"


BEYOND = ("OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES", "GLIBC_TUNABLES")
# a core that every processor of the kind has; what numpy and glibc use beyond it where it is there
X86 = ("Prescott", "X86_V3 X86_V4 AVX512_ICL AVX512_SPR", "glibc.cpu.hwcaps=-FMA,-FMA4,-FMA_Usable,-FMA4_Usable")
ARM = ("ARMV8", "ASIMDHP ASIMDDP ASIMDFHM SVE", "")
SHARED = {"x86_64": X86, "amd64": X86, "aarch64": ARM, "arm64": ARM}
PINNED = {
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    "PYTHONWARNINGS": "ignore",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "MATPLOTLIBRC": str(PACKAGE / "figures" / "matplotlibrc"),
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
}
KEPT = {
    *("HOME", "LOGNAME", "PATH", "TMPDIR", "TMP", "TEMP", "USER", "SOURCE_DATE_EPOCH"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
    *("APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "COMSPEC", "PATHEXT", "WINDIR", "SYSTEMDRIVE", "SYSTEMROOT"),
    *("HOMEDRIVE", "HOMEPATH", "USERNAME", "USERPROFILE", "NUMBER_OF_PROCESSORS"),
}

if __name__ == "__main__":
    main()
