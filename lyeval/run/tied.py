"""``python -m lyeval.run.tied``: a kernel that ends with the process that began it, even in the midst of C code."""

from __future__ import annotations

import runpy

from lyeval.run.ending import tie_to_parent

if __name__ == "__main__":
    tie_to_parent()
    runpy.run_module("ipykernel_launcher", run_name="__main__", alter_sys=True)
