"""Counties made for tests of the outlook: known processes, built as frames without files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from lyeval.ledger import Ledger
from lyeval.ledger.columns import of_sheet
from lyeval.simulation.assumed import assumed
from lyeval.simulation.casework import Left, Plan, paces
from lyeval.simulation.draws import Sampling, draw_tax
from lyeval.simulation.dynamics import Dynamics, fit
from lyeval.simulation.engine import Setting
from lyeval.simulation.known import Date, Panel


def county(
    n: int = 60,
    years: range = range(2018, 2024),
    *,
    seed: int = 0,
    level: float = 0.3,
    noise: float = 0.35,
    monthly: bool = True,
) -> Ledger:
    """Return a county of n enterprises whose log tax per mu is a persistent level plus noise, months even but for noise."""
    rng = np.random.default_rng(seed)
    codes = [f"91371329MA{i:08d}" for i in range(n)]
    land, own = np.exp(rng.normal(3.2, 0.5, n)), rng.normal(level, 0.8, n)
    above = rng.random(n) < 0.4
    t = len(years)
    tax = land[:, None] * np.exp(own[:, None] + rng.normal(0, noise, (n, t)) + rng.normal(0, 0.1, t))
    who, when = np.repeat(np.arange(n), t), np.tile(np.array(years), n)
    annual = pd.DataFrame(
        {
            "credit_code": np.array(codes)[who],
            "year": when,
            "above_scale": pd.array(above[who], dtype="boolean"),
            "tax_wan": tax.ravel(),
            "land_mu": land[who],
        }
    )
    enterprises = pd.DataFrame({"credit_code": codes, "name": [f"企业{i}" for i in range(n)]})
    share = rng.dirichlet(np.full(12, 8.0), (n, t))
    months = pd.DataFrame(
        {
            "credit_code": np.repeat(annual["credit_code"].to_numpy(), 12),
            "year": np.repeat(when, 12),
            "month": np.tile(np.arange(1, 13), n * t),
            "tax_wan": (tax[:, :, None] * share).ravel(),
        }
    )
    if not monthly:
        return Ledger(enterprises, annual)
    return Ledger(enterprises, annual, monthly=months, sheets=("enterprises", "annual", "monthly"))


def confirmed(ledger: Ledger) -> Ledger:
    """Add every column of enterprises that the ledger lacks, blank: nobody is exempt, and the books say so."""
    lacking = [name for name in of_sheet("enterprises") if name not in ledger.enterprises]
    return replace(ledger, enterprises=ledger.enterprises.assign(**dict.fromkeys(lacking)))


def with_disposals(ledger: Ledger, rows: list[tuple]) -> Ledger:
    """Add a disposals sheet of (position, method, started, finished, outcome)."""
    codes = ledger.enterprises["credit_code"].to_numpy()
    frame = pd.DataFrame(
        {
            "credit_code": [codes[i] for i, *_ in rows],
            "method": [r[1] for r in rows],
            "started": pd.to_datetime([r[2] for r in rows]),
            "finished": pd.to_datetime([r[3] for r in rows]),
            "outcome": [r[4] for r in rows],
        }
    ).sort_values("credit_code", ignore_index=True)
    parts = {name: getattr(ledger, name) for name in ("enterprises", "annual", "monthly")}
    return Ledger(**parts, disposals=frame, sheets=(*ledger.sheets, "disposals"))


def panel_of(
    tax: np.ndarray, land: np.ndarray, *, first: int = 2018, ytd: np.ndarray | None = None, month: int = 0
) -> Panel:
    """Lay tax of shape (n, years), land of shape (n,) and, if any, year-to-date figures out as a panel without covariates."""
    n, t = tax.shape
    return Panel(
        codes=np.array([f"C{i:06d}" for i in range(n)], dtype=object),
        years=np.arange(first, first + t),
        tax=tax,
        above=np.full((n, t), np.nan),
        land=np.repeat(land[:, None], t, axis=1),
        ytd=np.full((n, t + 1), np.nan) if ytd is None else ytd,
        month=month,
        refunds=np.zeros(n, dtype=bool),
        sector=np.full(n, "", dtype=object),
        township=np.full(n, "", dtype=object),
    )


def autoregressive(
    rng: np.random.Generator, n: int, years: int, *, month: int = 0, shock: float = 0.15
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw land (n,), tax (n, years) and tax to date (n, years) of firms with own levels, fading luck and a common shock."""
    land, own, luck = np.exp(rng.normal(3, 0.8, n)), rng.normal(0.3, 1.0, n), rng.normal(0, 0.6, n)
    tax, ytd = np.empty((n, years)), np.full((n, years), np.nan)
    for t in range(years):
        luck = 0.5 * luck + rng.normal(0, 0.5, n)
        tax[:, t] = land * np.exp(own + luck + rng.normal(0, shock))
        if month:
            months = rng.dirichlet(np.full(12, 5.0), n)
            ytd[:, t] = tax[:, t] * months[:, :month].sum(axis=1)
    return land, tax, ytd


def setting_of(history: Panel, sampling: Sampling, *, cases: list[tuple[int, str, float]] | None = None) -> Setting:
    """Fit a panel and put some enterprises under methods: (position, method, months to the start)."""
    taken, n = assumed("default"), len(history.codes)
    rows = cases or []
    none, blank = np.zeros(n, dtype=bool), np.full(len(rows), np.nan)
    plan = Plan(
        at=np.array([row[0] for row in rows], dtype=int),
        method=np.array([row[1] for row in rows], dtype=object),
        start=np.array([row[2] for row in rows], dtype=float),
        age=np.array([0.0 if row[0] % 2 == 0 else np.nan for row in rows]),
        released=blank,
        demolished=blank,
        successor=np.full(len(rows), -1),
    )
    year = int(history.years[-1])
    date = Date(year, year, 12)
    pace = paces(county(1), date, taken.practices)
    model = fit(history, 0, taken.tax)
    left = Left(none, none, np.ones(n))
    return Setting(date, history, taken, plan, left, pace, sampling, model, model, ())


def drawn_tax(model: Dynamics, history: Panel, year: int, sampling: Sampling) -> np.ndarray:
    """Draw the tax of the year ``year`` by one model, 万元, shape (draws, n); years between are drawn too."""
    return draw_tax((model, model), history, range(int(history.years[-1]) + 1, year + 1), sampling)[-1]
