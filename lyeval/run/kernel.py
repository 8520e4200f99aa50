"""Processes: how work ends before its time, workers of a batch, none of which outlives its parent; how a notebook's kernel starts (进程、启动内核).

A kernel is this very lyeval, with arithmetic that every processor shares, and no code or setting from elsewhere. Run as a script, by its
path, this is the kernel's program: until the variables that it does not know are gone, it imports nothing but the standard library.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import site
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from logging import ERROR, getLogger
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from platform import machine
from types import FrameType
from typing import Any, TypeVar

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
GRACE = 2.5


@dataclass
class Caught:
    """The signal that ends this process: its number, 0 before it comes; whether it waits for a step to be finished."""

    number: int = 0
    steps: int = 0
    waits: bool = False

    @property
    def code(self) -> int:
        """Return the exit code that shells know for it."""
        return 128 + self.number

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Interrupt the work; a second signal does not interrupt the tidying up."""
        if self.number:
            return
        self.number = number
        if self.steps:
            self.waits = True
        else:
            raise KeyboardInterrupt


@contextmanager
def caught(*names: str) -> Iterator[Caught]:
    """Let signals (INT, TERM, HUP if none is named) raise ``KeyboardInterrupt``, once; what is ignored, as under nohup, stays so."""
    told, before = Caught(), {}
    if threading.current_thread() is threading.main_thread():
        for name in names or SIGNALS:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, told)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def whole_step() -> Iterator[None]:
    """Let a signal wait until a step is finished that must not stand half done."""
    found = signal.getsignal(signal.SIGTERM)
    if not isinstance(found, Caught) or threading.current_thread() is not threading.main_thread():
        yield
        return
    found.steps += 1
    try:
        yield
    finally:
        found.steps -= 1
        if found.waits and not found.steps:
            found.waits = False
            raise KeyboardInterrupt


def end_with_parent(last: Callable[[], None]) -> None:
    """End a worker process as TERM would when the process that began it is gone; ``last`` comes before it is ended by force."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(GRACE)
            last()
            os._exit(128 + signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def tie_to_parent() -> None:
    """Let Linux kill this process when the one that began it ends, however it ends and whatever this one is busy with."""
    parent = os.environ.get("JPY_PARENT_PID", "")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent.isdigit() and os.getppid() != int(parent):
            sys.exit(1)


RUNNING: set[int] = set()  # the kernels that this process runs notebooks in


def end_kernels() -> None:
    """Kill every kernel that this process runs notebooks in, with all that a cell began; their notebooks end as failed."""
    for pid in list(RUNNING):
        with suppress(OSError):
            if sys.platform == "win32":
                os.kill(pid, signal.SIGTERM)
            else:
                os.killpg(pid, signal.SIGKILL)


Task = TypeVar("Task")
Made = TypeVar("Made")
_Crew = dict[Connection, tuple[SpawnProcess, Any]]


class Killed:
    """What came of a task whose process was killed."""


def spread(tasks: deque[Task], work: Callable[[Task], Made], most: int) -> Generator[tuple[Task, Made | Killed]]:
    """Do tasks in processes of their own, and yield each with what came of it, as it comes.

    Parameters
    ----------
    tasks
        What is put there meanwhile is done, too.
    work
        A function of a module, which raises nothing.
    most
        How many processes at a time; half as many after one was killed.

    Closing the iterator, or an exception in it, ends the processes and their kernels within seconds.
    """
    crew: _Crew = {}
    idle: list[Connection] = []
    finished = False
    try:
        while tasks or len(crew) > len(idle):
            while tasks and len(crew) - len(idle) < most:
                pipe = idle.pop() if idle else _hired(crew, work)
                crew[pipe] = crew[pipe][0], tasks.popleft()
                with suppress(OSError):  # one that was killed meanwhile is told below
                    pipe.send(crew[pipe][1])
            for pipe in wait([pipe for pipe in crew if pipe not in idle]):
                task = crew[pipe][1]  # type: ignore[index]
                try:
                    made: Any = pipe.recv()  # type: ignore[union-attr]
                    idle.append(pipe)  # type: ignore[arg-type]
                except (EOFError, OSError):
                    del crew[pipe]  # type: ignore[arg-type]
                    made, most = Killed(), max(1, most // 2)
                yield task, made
        finished = True
    finally:
        _dismiss(crew, at_once=not finished)


def _hired(crew: _Crew, work: Callable[[Any], Any]) -> Connection:
    """Start a process that waits for tasks; an interrupt from the terminal is left to this process."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    with whole_step(), _uninterrupted():
        process.start()
        crew[ours] = process, None
    theirs.close()
    return ours


def _dismiss(crew: _Crew, *, at_once: bool) -> None:
    """Let the processes go; at once, or those that do not go, by force."""
    for pipe, (process, _) in crew.items():
        pipe.close()
        if at_once:
            process.terminate()
    until = time.monotonic() + GRACE
    for process, _ in crew.values():
        process.join(max(0.0, until - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    """Do what comes through a pipe until it is closed."""
    signal.signal(signal.SIGINT, _left_to_the_parent)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    with caught("SIGTERM", "SIGHUP") as told:
        end_with_parent(end_kernels)
        try:
            while True:
                pipe.send(work(pipe.recv()))
        except (EOFError, OSError, KeyboardInterrupt):
            os._exit(told.code if told.number else 0)  # at once: all that was made here is tidied up by now


def _left_to_the_parent(*_: object) -> None:
    """Do nothing: a signal of the terminal goes to every process, and the one that began the work ends it."""


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let an interrupt from the terminal wait, here and in what is started meanwhile, until it can be answered."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


PR_SET_PDEATHSIG = 1


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
