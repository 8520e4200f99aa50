"""Speed as ratios within one process: half of each goal is guarded, since machines and neighbours differ."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RIVALS = Path(__file__).parent / "benchmarks" / "rivals.py"


@pytest.fixture(scope="module")
def measured() -> dict[str, float]:
    """Measure a small model once, in a process of its own."""
    pytest.importorskip("numba")
    command = [sys.executable, str(RIVALS), "ratios", "512", "1024"]
    out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=RIVALS.parents[2])
    return json.loads(out.stdout)


@pytest.mark.parametrize(("ratio", "least"), [("numpy32", 4.0), ("numba", 8.0), ("pandas", 50.0), ("generator", 0.3)])
def test_the_kernel_keeps_its_lead(measured, ratio, least):
    assert measured[ratio] >= least


@pytest.mark.parametrize(("ratio", "most"), [("every", 2.6), ("spread", 3.0)])
def test_methods_and_steps_cost_little(measured, ratio, most):
    assert measured[ratio] <= most


def test_memory_does_not_grow_with_the_draws():
    pytest.importorskip("numba")
    taken = []
    for draws in ("512", "4096"):
        command = [sys.executable, str(RIVALS), "memory", "5000", draws]
        out = subprocess.run(command, check=True, capture_output=True, text=True, cwd=RIVALS.parents[2])
        taken.append(json.loads(out.stdout))
    assert taken[1] < taken[0] + 20
