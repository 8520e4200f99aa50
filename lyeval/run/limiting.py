"""Papermill's engine with an end: a cell that takes too long, or whose kernel is gone, leaves its notebook saved (时限)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.paths import jupyter_runtime_dir
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from papermill.engines import NBClientEngine
from papermill.iorw import write_ipynb
from traitlets import default

from lyeval.run.executing import RUNNING


class Known(AsyncKernelManager):
    """A kernel whose process is known to `lyeval.run.executing.end_kernels` as long as it may run."""

    _pid = 0

    @default("connection_file")
    def _beside_its_description(self) -> str:
        """Keep the way to the kernel in the folder that goes with it, not in the system's temporary one."""
        folder = Path(jupyter_runtime_dir())
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder / f"kernel-{uuid4()}.json")

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


NO_ANSWER = "没有等到结果，内核已终止 / no answer: the kernel was ended"
