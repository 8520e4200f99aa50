"""Counties whose tax does not come from the model that forecasts it: the ground that calibration is judged on.

Each process differs from the projection in one way at least: heavy tails, persistent effects, a distorted calendar, entry and
exit, shocks of an industry, a response to the line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lyeval.simulation.known import Panel

YEARS = 7


@dataclass(frozen=True, eq=False)
class County:
    """A county's past as a panel at each month, and what came.

    Attributes
    ----------
    panels
        By months known (0, 3, 6, 9): the history up to the year before, and the year to date.
    actual, land
        Tax of the tested year (万元), NaN for who has left, and land (亩), shape (n,).
    line
        万元/亩.
    """

    panels: dict[int, Panel]
    actual: np.ndarray
    land: np.ndarray
    line: float


@dataclass(frozen=True)
class Process:
    """How a county's tax moves.

    Attributes
    ----------
    tail
        Degrees of freedom of an enterprise's yearly innovations.
    fading, innovation
        Autoregression of its luck, and their size (log points).
    level
        Spread of enterprises' own levels.
    shock, drift, sector_shock
        Common shocks: of the county's whole year, of each of its months (adding up), of each of five industries.
    calendar
        Year-to-year distortion of the months' shares, common to the county.
    churn
        Share of enterprises that enter, and that leave, in a year.
    silent
        Odds of falling silent in a year; half of the silent come back.
    response
        Share of those within 30 % below the line that top up in December of the last two years.
    """

    tail: float = 5.0
    fading: float = 0.6
    innovation: float = 0.45
    level: float = 1.2
    shock: float = 0.12
    drift: float = 0.04
    sector_shock: float = 0.0
    calendar: float = 0.05
    churn: float = 0.0
    silent: float = 0.01
    response: float = 0.0


PROCESSES = {
    "heavy tails": Process(tail=3.0),
    "persistent": Process(fading=0.9, innovation=0.35, level=0.6),
    "own levels": Process(fading=0.2, innovation=0.6),
    "distorted calendar": Process(calendar=0.15),
    "entry and exit": Process(churn=0.06, silent=0.03),
    "industry shocks": Process(sector_shock=0.15),
    "policy response": Process(response=0.2),
    "all of it": Process(tail=3.5, sector_shock=0.1, calendar=0.1, churn=0.03, silent=0.02, response=0.1),
}


def make(process: Process, seed: int) -> County:
    """Make one county: 120 to 400 enterprises over seven years, the last of them to be forecast."""
    rng = np.random.default_rng([20_260_417, seed])
    n, line = int(rng.integers(120, 401)), float(rng.choice([1.0, 2.0, 3.0]))
    land, sector = np.exp(rng.normal(3.0, 0.9, n)), rng.integers(0, 5, n)
    path = np.exp(np.cumsum(rng.normal(0, process.drift, (YEARS, 12)), axis=1))
    tax = _taxes(process, rng, land, sector) * path.mean(axis=1)
    share = _calendar(process, rng, n, path)
    for t in range(YEARS - 2, YEARS) if process.response else ():
        _respond(process, rng, tax[:, t], share[:, t], land * line)
    born, gone = rng.random(n) < process.churn * 3, rng.random(n) < process.churn
    start = np.where(born, rng.integers(1, YEARS - 1, n), 0)
    tax[np.arange(YEARS)[None, :] < start[:, None]] = np.nan
    actual = np.where(gone, np.nan, tax[:, -1])
    panels = {k: _panel(tax, share, land, sector, k) for k in (0, 3, 6, 9)}
    return County(panels, actual, land, line)


def _taxes(process: Process, rng: np.random.Generator, land: np.ndarray, sector: np.ndarray) -> np.ndarray:
    """Tax of each year, 万元, shape (n, YEARS)."""
    n = len(land)
    own = rng.normal(0.3, process.level, n) + 0.1 * (np.log(land) - 3)
    luck = rng.normal(0, process.innovation / np.sqrt(1 - process.fading**2), n)
    scale = process.innovation * np.exp(rng.normal(0, 0.35, n)) / np.sqrt(process.tail / (process.tail - 2))
    silent, tax = rng.random(n) < 2 * process.silent, np.empty((n, YEARS))
    for t in range(YEARS):
        luck = process.fading * luck + rng.standard_t(process.tail, n) * scale
        common = rng.normal(0, process.shock) + rng.normal(0, process.sector_shock, 5)[sector]
        silent = np.where(silent, rng.random(n) < 0.5, rng.random(n) < process.silent)
        tax[:, t] = np.where(silent, 0.0, land * np.exp(own + luck + common))
    return tax


def _calendar(process: Process, rng: np.random.Generator, n: int, path: np.ndarray) -> np.ndarray:
    """Share of each year's tax by month, shape (n, YEARS, 12): own habits, the year's path and distortion, and noise."""
    own = np.log(rng.dirichlet(np.full(12, 12.0), n))[:, None, :]
    common = rng.normal(0, process.calendar, (1, YEARS, 12)) + np.log(path)
    raw = np.exp(own + common + rng.normal(0, 0.4, (n, YEARS, 12)))
    return raw / raw.sum(axis=2, keepdims=True)


def _respond(process: Process, rng: np.random.Generator, tax: np.ndarray, share: np.ndarray, need: np.ndarray) -> None:
    """Let some just below the line pay up to it in December, in place; the months before stay as they were."""
    near = (tax < need) & (tax >= 0.7 * need) & (rng.random(len(tax)) < process.response)
    months = share[near] * tax[near, None]
    months[:, 11] += need[near] * 1.01 - tax[near]
    tax[near] = need[near] * 1.01
    share[near] = months / tax[near, None]


def _panel(tax: np.ndarray, share: np.ndarray, land: np.ndarray, sector: np.ndarray, month: int) -> Panel:
    n = len(land)
    ytd = np.nan_to_num(tax) * share[:, :, :month].sum(axis=2)
    past = tax[:, :-1]
    return Panel(
        codes=np.array([f"C{i:06d}" for i in range(n)], dtype=object),
        years=np.arange(2017, 2017 + YEARS - 1),
        tax=past,
        above=np.full(past.shape, np.nan),
        land=np.repeat(land[:, None], YEARS - 1, axis=1),
        ytd=ytd if month else np.full(tax.shape, np.nan),
        month=month,
        refunds=np.zeros(n, dtype=bool),
        sector=np.array([f"{13 + s}" for s in sector], dtype=object),
        township=np.full(n, "", dtype=object),
    )
