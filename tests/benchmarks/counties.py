"""Counties whose tax does not come from the model that forecasts it: the ground that calibration is judged on.

Every process has heavy tails, fading luck, own levels, industries' shocks and a calendar that changes from year to year; four add what a
projection may miss: calendars of firms' own, topping up in December, cases finished in the middle of a year, all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lyeval.simulation.casework import in_force
from lyeval.simulation.known import Panel

YEARS, FIRST, TARGETS = 8, 2016, 3  # years made, the first of them, how many of the last have a target on the line


@dataclass(frozen=True, eq=False)
class County:
    """A county's past as a panel at each month, and what came.

    Attributes
    ----------
    panels
        By months known (0, 3, 6, 9): the history up to the year before, and the year to date.
    actual, land
        Tax of the tested year (万元), and land (亩), shape (n,).
    line
        万元/亩.
    finished
        Months from the first January to the end of each enterprise's case, infinite without one, shape (n,).
    """

    panels: dict[int, Panel]
    actual: np.ndarray
    land: np.ndarray
    line: float
    finished: np.ndarray


@dataclass(frozen=True)
class Process:
    """How a county's tax moves.

    Attributes
    ----------
    habit
        Spread (log) of each enterprise's own shares of the months, the same every year.
    response
        Share of those within 30 % below the line that top up in December of the years with a target.
    cases
        Share of enterprises whose case ends on a day of any year, half of them in the last two.
    effect
        Rise of log tax from that day on, its spread being 0.2.
    tail, fading, innovation, level
        Degrees of freedom of an enterprise's yearly innovations, autoregression and size of its luck, spread of levels.
    shock, sector_shock, drift, calendar
        Common shocks: of the county's whole year, of each of five industries, of each month (adding up), of each month's share.
    silent
        Odds of falling silent in a year; half of the silent come back.
    """

    habit: float = 0.1
    response: float = 0.0
    cases: float = 0.0
    effect: float = 0.5
    tail: float = 5.0
    fading: float = 0.5
    innovation: float = 0.4
    level: float = 1.0
    shock: float = 0.1
    sector_shock: float = 0.05
    drift: float = 0.03
    calendar: float = 0.05
    silent: float = 0.01


PROCESSES = {
    "plain": Process(),
    "own calendars": Process(habit=0.8),
    "topping up": Process(response=0.5),
    "finished cases": Process(cases=0.4),
    "all of it": Process(habit=0.6, response=0.4, cases=0.3, tail=3.5),
}


def make(process: Process, seed: int) -> County:
    """Make one county: 120 to 300 enterprises over eight years, the last of them to be forecast."""
    rng = np.random.default_rng([20_261_128, seed])
    n, line = int(rng.integers(120, 301)), float(rng.choice([1.0, 1.5, 2.0]))
    land, sector = np.exp(rng.normal(3.0, 0.8, n)), rng.integers(0, 5, n)
    finished = _finished(process, rng, n)
    months = _months(process, rng, land, sector) * np.exp(_lift(process, rng, finished))
    if process.response:
        _respond(process, rng, months, land * line)
    panels = {k: _panel(months, land, sector, finished, k) for k in (0, 3, 6, 9)}
    return County(panels, months[:, -1].sum(axis=1), land, line, finished)


def _months(process: Process, rng: np.random.Generator, land: np.ndarray, sector: np.ndarray) -> np.ndarray:
    """Tax of each month without cases and topping up, 万元, shape (n, YEARS, 12)."""
    n = len(land)
    own, luck = rng.normal(0.3, process.level, n), rng.normal(0, process.innovation, n)
    scale = process.innovation * np.exp(rng.normal(0, 0.3, n)) / np.sqrt(process.tail / (process.tail - 2))
    silent, tax = rng.random(n) < 2 * process.silent, np.empty((n, YEARS))
    for t in range(YEARS):
        luck = process.fading * luck + rng.standard_t(process.tail, n) * scale
        common = rng.normal(0, process.shock) + rng.normal(0, process.sector_shock, 5)[sector]
        silent = np.where(silent, rng.random(n) < 0.5, rng.random(n) < process.silent)
        tax[:, t] = np.where(silent, 0.0, land * np.exp(own + luck + common))
    path = np.cumsum(rng.normal(0, process.drift, (YEARS, 12)), axis=1)
    common = path + rng.normal(0, process.calendar, (YEARS, 12)) + np.linspace(0.0, 0.4, 12)
    habit = rng.normal(0, process.habit, (n, 1, 12))
    share = np.exp(habit + common + rng.normal(0, 0.3, (n, YEARS, 12)))
    return tax[:, :, None] * share / share.sum(axis=2, keepdims=True)


def _finished(process: Process, rng: np.random.Generator, n: int) -> np.ndarray:
    """Months from the first January to each case's end, infinite without one."""
    late = rng.random(n) < 0.5
    when = np.where(late, rng.uniform(12 * (YEARS - 2), 12 * YEARS, n), rng.uniform(12, 12 * (YEARS - 2), n))
    return np.where(rng.random(n) < process.cases, when, np.inf)


def _lift(process: Process, rng: np.random.Generator, finished: np.ndarray) -> np.ndarray:
    """Rise of log tax in each month after a case's end, shape (n, YEARS, 12)."""
    effect = rng.normal(process.effect, 0.2, len(finished))
    month = np.arange(12 * YEARS).reshape(1, YEARS, 12)
    return effect[:, None, None] * np.clip(month + 1 - finished[:, None, None], 0.0, 1.0)


def _respond(process: Process, rng: np.random.Generator, months: np.ndarray, need: np.ndarray) -> None:
    """Let some just below the line pay up to it in December of the years with a target, in place."""
    for t in range(YEARS - TARGETS, YEARS):
        tax = months[:, t].sum(axis=1)
        near = (tax < need) & (tax >= 0.7 * need) & (rng.random(len(tax)) < process.response)
        months[near, t, 11] += need[near] * rng.uniform(1.0, 1.03, near.sum()) - tax[near]


def _panel(months: np.ndarray, land: np.ndarray, sector: np.ndarray, finished: np.ndarray, month: int) -> Panel:
    n, past = len(land), months.sum(axis=2)[:, :-1]
    calendar = np.append(0.0, np.cumsum(months[:, :-1].sum(axis=(0, 1)) / months[:, :-1].sum()))
    return Panel(
        codes=np.array([f"C{i:06d}" for i in range(n)], dtype=object),
        years=np.arange(FIRST, FIRST + YEARS - 1),
        tax=past,
        above=np.full(past.shape, np.nan),
        land=np.repeat(land[:, None], YEARS - 1, axis=1),
        ytd=months[:, :, :month].sum(axis=2) if month else np.full((n, YEARS), np.nan),
        month=month,
        refunds=np.zeros(n, dtype=bool),
        sector=np.array([f"{13 + s}" for s in sector], dtype=object),
        township=np.full(n, "", dtype=object),
        november=months[:, :-1, :11].sum(axis=2),
        calendar=calendar,
        in_force={"upgrade": in_force(finished, YEARS, calendar, month)} if np.isfinite(finished).any() else {},
    )
