"""How work ends before its time: INT, TERM and HUP alike, and with the process that began it (中止)."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

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
    import multiprocessing

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
    import ctypes

    parent = os.environ.get("JPY_PARENT_PID", "")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if parent.isdigit() and os.getppid() != int(parent):
            sys.exit(1)


PR_SET_PDEATHSIG = 1
