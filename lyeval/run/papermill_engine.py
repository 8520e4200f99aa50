"""Papermill as notebooks are executed by it here: parameters as a person would write them, a cell has a limit (执行引擎).

It loads slowly, so this file is loaded only where a notebook is executed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from pprint import pformat
from typing import Any
from uuid import uuid4

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from traitlets import default

from lyeval.run.kernel import RUNNING


@contextmanager
def _without(name: str) -> Iterator[None]:
    """Let a package be absent meanwhile: its parsers cost most of papermill's import, and nothing here needs them."""
    absent = name not in sys.modules
    if absent:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if absent:
            del sys.modules[name]


with _without("rfc3987_syntax"):
    from papermill import execute_notebook
    from papermill.engines import NBClientEngine, papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from papermill.iorw import write_ipynb
    from papermill.translators import PythonTranslator, papermill_translators

START_SECONDS, OUTPUT_SECONDS = 180, 60
__all__ = ["OUTPUT_SECONDS", "DeadKernelError", "PapermillExecutionError", "execute"]


def execute(
    notebook: Path, output: Path, given: Mapping[str, Any], *, kernel: str, folder: Path, limit: float | None
) -> None:
    """Execute a notebook with parameters that it declares, in a working folder; a cell may take ``limit`` seconds.

    Raises
    ------
    PapermillExecutionError, DeadKernelError, TimeoutError
        A cell failed, lost its kernel or took too long.
    """
    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    papermill_translators.register(kernel, Readable)
    papermill_engines.register(kernel, Limited)
    execute_notebook(
        *(str(notebook), str(output), dict(given)),
        kernel_name=kernel,
        engine_name=kernel,
        progress_bar=False,
        start_timeout=START_SECONDS,
        execution_timeout=limit,
        iopub_timeout=OUTPUT_SECONDS,
        saved_to=str(output),
        shutdown_kernel="immediate",
        request_save_on_cell_execute=False,
        resources={"metadata": {"path": str(folder)}},
    )


class Readable(PythonTranslator):
    """Write parameters as a person would: Chinese as Chinese, one a line."""

    @classmethod
    def codify(cls, parameters: Mapping[str, Any], comment: str = "") -> str:
        """Return the source of the cell of parameters."""
        lines = [f"{name} = {pformat(value, width=100, sort_dicts=False)}" for name, value in parameters.items()]
        return "\n".join(["# 本次运行的参数", *lines, ""])


class Known(AsyncKernelManager):
    """A kernel whose process is known to `lyeval.run.kernel.end_kernels` as long as it may run."""

    _pid = 0

    @default("connection_file")
    def _beside_its_description(self) -> str:
        """Keep the way to the kernel in the folder that goes with it, not in the system's temporary one."""
        folder = Path(jupyter_runtime_dir())
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / f"kernel-{uuid4()}.json")

    @default("transport")
    def _through_files(self) -> str:
        """Talk through sockets in that folder: a port that is free when it is chosen may be another kernel's when it is opened."""
        short = len(os.fsencode(self.connection_file)) + len("-ipc-5") <= LONGEST_SOCKET
        return "ipc" if os.name == "posix" and short else "tcp"

    async def _async_launch_kernel(self, kernel_cmd: list[str], **kw: Any) -> None:
        await super()._async_launch_kernel(kernel_cmd, **kw)
        self._pid = getattr(self.provisioner, "pid", None) or 0
        RUNNING.add(self._pid)
        RUNNING.discard(0)

    async def cleanup_resources(self, restart: bool = False) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Forget the process, which is gone, with the rest."""
        RUNNING.discard(self._pid)
        await super()._async_cleanup_resources(restart=restart)


class Limited(NBClientEngine):
    """The usual engine; what it has made of a notebook is saved when it gives up."""

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, *given: Any, saved_to: str, **options: Any) -> Any:
        """Execute as papermill does; mark the cell that was under way as failed where the kernel does not answer."""
        try:
            return super().execute_managed_notebook(nb_man, kernel_name, *given, kernel_manager_class=Known, **options)
        except (CellTimeoutError, DeadKernelError) as error:
            begun = [c for c in nb_man.nb.cells if c.cell_type == "code" and c.metadata.papermill["start_time"]]
            if begun:
                name = "TimeoutError" if isinstance(error, TimeoutError) else "DeadKernelError"
                begun[-1].outputs.append(new_output("error", ename=name, evalue=NO_ANSWER, traceback=[NO_ANSWER]))
            write_ipynb(nb_man.nb, saved_to)
            _forget_waiting()
            raise


def _forget_waiting() -> None:
    """End what this thread still waits to hear from a kernel that is gone."""
    loop = ensure_event_loop()
    waiting = asyncio.all_tasks(loop)
    for task in waiting:
        task.cancel()
    if waiting:
        loop.run_until_complete(asyncio.wait(waiting, timeout=1))


LONGEST_SOCKET = 100  # bytes of a path; systems take 103 or 107
NO_ANSWER = "没有等到结果，内核已终止 / no answer: the kernel was ended"
