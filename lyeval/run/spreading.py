"""Tasks spread over processes of their own, none of which outlives this one (工作进程)."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, TypeVar

from lyeval.run.ending import GRACE, caught, end_with_parent, whole_step
from lyeval.run.executing import end_kernels

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
