"""One model of enterprises' tax, drawn five ways: the compiled kernel, NumPy in single and double precision, plain numba, pandas.

Log tax of the first year is a few regressors with a common shock; later years go on from last year's and the mean of the years
before, with a size that falls with the level; counted is who is below the line, by draw and by enterprise. Every rival draws as many
normals of its own generator, and agrees with the kernel up to Monte Carlo error.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy: its idle workers would be counted in the rivals' time

import numpy as np
import pandas as pd
from numba import njit

from lyeval.simulation.every import every
from lyeval.simulation.field import Field, Questions, Ways
from lyeval.simulation.kernel import count
from lyeval.simulation.lanes import FAST, LANES, normals, round_keys
from lyeval.simulation.rows import empty

Model = tuple[Field, Ways, Questions]
FLOAT = np.float32


def model(n: int, draws: int, *, years: int = 5, methods: int = 7, plan: bool = False, seed: int = 0) -> Model:
    """Make the model for n enterprises; with a plan, each is under one of the methods from the start."""
    rng, wide = np.random.default_rng(seed), -(-draws // LANES) * LANES
    first = np.column_stack([np.ones(n), rng.normal(0, 1, (n, 2))]).astype(FLOAT)
    coef = (np.array([0.2, 0.9, 0.1])[:, None] + rng.normal(0, 0.05, (3, wide))).astype(FLOAT)
    tags = [[(2024 + t) << 16 | stream for stream in (0, 1, 3)] for t in range(years)]
    zeros = np.zeros(n, FLOAT)
    field = Field(
        keys=rng.integers(0, 2**63, n).astype(np.uint64),
        tags=np.array(tags, dtype=np.uint32),
        offset=zeros,
        size=rng.uniform(0.3, 0.7, n).astype(FLOAT),
        book=np.zeros(n, np.int32),
        cell=np.zeros(n, np.int32),
        floor=np.full(n, -1e30, FLOAT),
        first=first,
        coef_first=coef,
        centre=zeros,
        sums=zeros,
        counts=np.full(n, 3, FLOAT),
        rest=np.ascontiguousarray(first[:, :2]),
        coef_rest=rng.normal(0, 0.05, (years - 1, 2, wide)).astype(FLOAT),
        moving=np.tile(np.array([0.9, 0.3, 0, 0], FLOAT)[None, :, None], (years - 1, 1, wide)),
        scale=np.array([-1.15, -0.07, 0.43, -2.9, 0.7], FLOAT),
        zero_first=np.zeros((0, wide), np.uint32),
        zero_rest=np.zeros((years - 1, 2, wide), np.uint32),
        tables=np.zeros(1, FLOAT),
        starts=np.zeros(3, np.int64),
        lengths=np.zeros(3, np.int64),
        grid=np.tile(np.array([-4, 8], FLOAT), (n, years, 1)),
    )
    return field, _ways(n, years, methods, wide, plan, rng), _question(n, years, wide)


def _ways(n: int, years: int, methods: int, wide: int, plan: bool, rng: np.random.Generator) -> Ways:
    """Make methods of every kind, finished within a year on average."""
    return Ways(
        tags=np.array([2024 << 16 | 2, 2024 << 16 | 5], dtype=np.uint32),
        method=rng.integers(0, methods, n).astype(np.int32) if plan else np.full(n, -1, np.int32),
        dated=np.ones(n, np.int32),
        begin=np.zeros(n, FLOAT),
        leave=np.full(n, -1, FLOAT),
        months=np.full((2 * methods, wide), 12, FLOAT),
        effect=np.full((methods, wide), 0.25, FLOAT),
        lift=np.zeros(n, FLOAT),
        after=np.full(n, -1, np.int32),
        rise=np.zeros(n, FLOAT),
        ends=(12 * np.arange(1, years + 1)).astype(FLOAT),
        kind=np.array([0, 0, 0, 1, 3, 0, 2][:methods], dtype=np.int32),
        shares=np.tile(np.linspace(0, 0.6, 1024, dtype=FLOAT), (methods, 1)),
    )


def _question(n: int, years: int, wide: int) -> Questions:
    """Ask who is below 1 万元/亩 on 1 亩."""
    return Questions(
        need=np.zeros((1, years, n), FLOAT),
        weight=np.ones((1, years, n), np.int64),
        land=np.zeros(1, bool),
        rule=np.zeros(1, np.int32),
        mean=np.zeros(1, bool),
        band=np.zeros(1, FLOAT),
        coin=np.zeros(1, np.uint32),
        among=np.ones((1, wide), np.uint8),
    )


def kernel(made: Model, draws: int, *, threads: int = 1, spread: bool = False) -> np.ndarray:
    """Return the number below the line by year and draw, shape (years, draws), by the compiled kernel."""
    return count(*made, draws=draws, seed=1, threads=threads, spread=spread).below[0]


def every_method(made: Model, draws: int) -> np.ndarray:
    """Try every method on every enterprise."""
    field, ways, _ = made
    return every(field, ways, np.zeros((len(field.tags), len(field.keys)), FLOAT), draws=draws, seed=1)


def vectors(made: Model, draws: int, *, dtype: type = FLOAT) -> np.ndarray:
    """Draw by NumPy, in chunks of enterprises of about 2 MB an array."""
    field, years = made[0], len(made[0].tags)
    rng, below = np.random.default_rng(1), np.zeros((years, draws), np.int64)
    hits = np.zeros((len(field.keys), years), np.int64)
    chunk = max(1, (2 << 20) // (np.dtype(dtype).itemsize * draws))
    first, rest, moving = (a[..., :draws].astype(dtype) for a in (field.coef_first, field.coef_rest, field.moving))
    for start in range(0, len(field.keys), chunk):
        part = slice(start, start + chunk)
        own = np.empty((len(field.keys[part]), draws), dtype)
        tax = total = np.zeros_like(own)
        for t in range(years):
            rng.standard_normal(out=own, dtype=dtype)
            if t == 0:
                own *= field.size[part, None]
                tax = field.first[part].astype(dtype) @ first
            else:
                own *= np.exp2(np.clip(field.scale[0] + field.scale[1] * tax, field.scale[3], field.scale[4]))
                gap = total * dtype(1 / (3 + t - 1)) - tax
                total = total + tax
                tax = moving[t - 1, 0] * tax + moving[t - 1, 1] * gap + field.rest[part].astype(dtype) @ rest[t - 1]
            tax += own
            low = tax < 0
            below[t] += low.sum(axis=0)
            hits[part, t] = low.sum(axis=1)
    return below


@njit(cache=True)
def _loop(first, coef, size, rest, coef_rest, moving, scale, draws, below, hits) -> None:
    """Draw as one writes it at first: a loop over draws, np.random, branches."""
    for i in range(len(size)):
        for d in range(draws):
            tax, total = 0.0, 0.0
            for t in range(len(below)):
                own = np.random.standard_normal()  # noqa: NPY002
                if t == 0:
                    tax = size[i] * own
                    for c in range(first.shape[1]):
                        tax += first[i, c] * coef[c, d]
                else:
                    spread = 2.0 ** min(max(scale[0] + scale[1] * tax, scale[3]), scale[4])
                    gap = total / (3 + t - 1) - tax
                    total += tax
                    tax = moving[t - 1, 0, d] * tax + moving[t - 1, 1, d] * gap + spread * own
                    for c in range(rest.shape[1]):
                        tax += rest[i, c] * coef_rest[t - 1, c, d]
                if tax < 0:
                    below[t, d] += 1
                    hits[i, t] += 1


def loops(made: Model, draws: int) -> np.ndarray:
    """Draw by numba as usually written."""
    f = made[0]
    below, hits = np.zeros((len(f.tags), draws), np.int64), np.zeros((len(f.keys), len(f.tags)), np.int64)
    _loop(f.first, f.coef_first, f.size, f.rest, f.coef_rest, f.moving, f.scale, draws, below, hits)
    return below


def frames(made: Model, draws: int) -> np.ndarray:
    """Draw by pandas, one frame a draw."""
    f, rng = made[0], np.random.default_rng(1)
    below, hits = (
        np.zeros((len(f.tags), draws), np.int64),
        pd.DataFrame(0, index=range(len(f.keys)), columns=range(len(f.tags))),
    )
    regressors, fixed = pd.DataFrame(f.first.astype(float)), pd.DataFrame(f.rest.astype(float))
    for d in range(draws):
        tax = regressors @ f.coef_first[:, d].astype(float) + f.size * pd.Series(rng.standard_normal(len(f.keys)))
        total = pd.Series(0.0, index=tax.index)
        for t in range(len(f.tags)):
            if t:
                size = np.exp2((f.scale[0] + f.scale[1] * tax).clip(f.scale[3], f.scale[4]))
                gap = total / (3 + t - 1) - tax
                total = total + tax
                own = size * pd.Series(rng.standard_normal(len(f.keys)))
                tax = f.moving[t - 1, 0, d] * tax + f.moving[t - 1, 1, d] * gap + own
                tax = tax + fixed @ f.coef_rest[t - 1, :, d].astype(float)
            low = tax < 0
            below[t, d] = low.sum()
            hits[t] += low
    return below


@njit(cache=True, fastmath=FAST, _nrt=False)
def _generate(n, years, groups, k, row) -> float:
    """Draw the kernel's normals and nothing else."""
    total = np.float32(0)
    for i in range(n):
        for group in range(groups):
            for t in range(years):
                normals(row, group, np.uint32(t), np.uint32(i), np.uint32(7), k)
                total += row[5]
    return total


def generator(made: Model, draws: int) -> float:
    """Time the bound: the kernel's own generator alone."""
    field = made[0]
    return _generate(len(field.keys), len(field.tags), -(-draws // LANES), round_keys(1), empty((LANES,), FLOAT))


def seconds(
    jobs: dict[str, Callable[[], object]], *, rounds: int = 5, clock: Callable[[], float] = time.process_time
) -> dict[str, float]:
    """Return the median seconds of each job, run in turns in one process after a run of each."""
    taken: dict[str, list[float]] = {name: [] for name in jobs}
    for job in jobs.values():
        job()
    for _ in range(rounds):
        for name, job in jobs.items():
            start = clock()
            job()
            taken[name].append(clock() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def ratios(n: int = 1000, draws: int = 2048, *, rounds: int = 5) -> dict[str, float]:
    """Measure the kernel's goals as ratios on n enterprises, 5 years: rivals' time over the kernel's, and so on (see `GOALS`)."""
    bare, planned = model(n, draws), model(n, draws, plan=True)
    few, rare = model(max(n // 10, 10), draws), 4
    took = seconds(
        {
            "kernel": lambda: kernel(bare, draws),
            "numpy32": lambda: vectors(bare, draws),
            "generator": lambda: generator(bare, draws),
            "numpy64": lambda: vectors(few, draws, dtype=np.float64),
            "numba": lambda: loops(few, draws),
            "pandas": lambda: frames(bare, rare),
            "plan": lambda: kernel(planned, draws),
            "every": lambda: every_method(planned, draws),
            "spread": lambda: kernel(bare, draws, spread=True),
        },
        rounds=rounds,
    )
    own, part = took["kernel"], len(few[0].keys) / n
    return {
        "numpy32": took["numpy32"] / own,
        "numpy64": took["numpy64"] / own / part,
        "numba": took["numba"] / own / part,
        "pandas": took["pandas"] / own * draws / rare,
        "generator": took["generator"] / own,
        "every": took["every"] / took["plan"],
        "every_bare": took["every"] / own,
        "spread": took["spread"] / own,
        "nanoseconds": own / (n * 5 * draws) * 1e9,
    }


def threads(n: int = 2000, draws: int = 2048, *, rounds: int = 5) -> float:
    """Return how much faster two threads are than one, by the wall clock."""
    made = model(n, draws)
    took = seconds(
        {"one": lambda: kernel(made, draws), "two": lambda: kernel(made, draws, threads=2)},
        rounds=rounds,
        clock=time.perf_counter,
    )
    return took["one"] / took["two"]


def memory(n: int = 50_000, draws: int = 1000, *, spread: bool = True) -> float:
    """Return the megabytes that a run takes at its peak over what the process held before (compiled, inputs not yet made)."""
    kernel(model(10, 256), 256, spread=True)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    kernel(model(n, draws), draws, spread=spread)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


GOALS = {"numpy32": 8.0, "generator": 0.6, "every": 1.3, "spread": 1.5, "threads": 1.8}

if __name__ == "__main__":
    what, *sizes = sys.argv[1:]
    asked = {"ratios": ratios, "threads": threads, "memory": memory}[what]
    sys.stdout.write(json.dumps(asked(*map(int, sizes))))
