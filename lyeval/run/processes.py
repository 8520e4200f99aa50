"""Processes: how work ends before its time, workers of a batch, none of which outlives its parent (进程)."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
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
