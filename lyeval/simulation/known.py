"""What was known at a date: a ledger cut off there, and its history as arrays.

Every projection starts from `as_known`, so nothing later than the date can reach a model, a class or a target.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from lyeval.indicators import Book, book
from lyeval.ledger import Ledger


@dataclass(frozen=True)
class Date:
    """The date of knowledge: annual figures through ``facts_year``, months through ``month`` of ``year``.

    Attributes
    ----------
    facts_year
        Last year of which annual rows are read.
    year, month
        Month 1 to 12 through which monthly tax and disposals are read. ``month`` 12 of ``facts_year`` is an as-of date
        at a year's end with nothing of the next year.
    """

    facts_year: int
    year: int
    month: int

    @property
    def end(self) -> pd.Timestamp:
        """Last day of the month."""
        return pd.Timestamp(self.year, self.month, 1) + pd.offsets.MonthEnd(0)

    @property
    def nowcast_month(self) -> int:
        """Months of the first projected year that are known, 0 to 12."""
        return self.month if self.year == self.facts_year + 1 else 0

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02d}"


@dataclass(frozen=True, eq=False)
class Panel:
    """Each enterprise's history up to the date of knowledge.

    Attributes
    ----------
    codes
        Credit codes, shape (n,), sorted.
    years
        Consecutive years, shape (m,), the last one the year of the latest annual figures.
    tax
        Annual tax (实缴税金), 万元, shape (n, m), NaN unknown.
    above, land
        规上 (1, 0, NaN) and land (亩, latest known) of each year, shape (n, m).
    ytd
        Tax of months 1 to ``month``, 万元, shape (n, m + 1); the last column: the year after ``years``. NaN unknown.
    month
        Months covered by ``ytd``; 0 without year-to-date figures.
    refunds
        A month with negative tax has been seen: a year may end below its year to date. Shape (n,).
    sector, township
        Two-digit industry (行业大类) and 镇街, shape (n,), "" unknown.
    treated
        By months known and disposal method: how far finished cases came into force in each year, shape (n, m + 1).
    """

    codes: np.ndarray
    years: np.ndarray
    tax: np.ndarray
    above: np.ndarray
    land: np.ndarray
    ytd: np.ndarray
    month: int
    refunds: np.ndarray
    sector: np.ndarray
    township: np.ndarray
    treated: dict[int, dict[str, np.ndarray]] = field(default_factory=dict)


def date_of(as_of: str | None, year: int, ledger: Ledger) -> Date:
    """Read an as-of month "YYYY-MM"; None: the last month of ``year`` in the monthly sheet, else December of year − 1.

    Where the ledger ends earlier, None is December of its last year.

    Raises
    ------
    ValueError
        If ``as_of`` is no month, is later than ``year``, or the ledger has no annual figures by then.
    """
    at = _month(as_of) if as_of is not None else _last_month(ledger, year)
    if at[0] > year:
        raise ValueError(f"as_of {as_of} 晚于目标年 {year} / is later than the target year {year}")
    facts_year = at[0] if at[1] == 12 and at[0] < year else at[0] - 1
    years = ledger.annual["year"].to_numpy(dtype=int)
    known = years[years <= facts_year]
    if not known.size:
        raise ValueError(f"{facts_year} 年及以前没有年度数据，无法测算 / no annual figures of {facts_year} or before")
    return Date(int(known.max()), at[0], at[1])


def _month(as_of: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{4})-(\d{1,2})", as_of.strip())
    if match is None or not 1 <= int(match[2]) <= 12:
        raise ValueError(f"as_of {as_of!r} 应为 YYYY-MM，例如 2023-10 / must be YYYY-MM, such as 2023-10")
    return int(match[1]), int(match[2])


def _last_month(ledger: Ledger, year: int) -> tuple[int, int]:
    """Last month of ``year`` with figures, else December of the latest earlier year with annual figures."""
    months = ledger.monthly.loc[ledger.monthly["year"] == year, "month"]
    if len(months):
        return year, int(months.max())
    years = ledger.annual["year"].to_numpy(dtype=int)
    past = years[years < year]
    return (int(past.max()) if past.size else year - 1), 12


def as_known(ledger: Ledger, date: Date) -> Ledger:
    """Return the ledger as it stood at the date: later rows gone, later dates blank, open disposals open again."""
    monthly = ledger.monthly
    if not monthly.empty:
        monthly = monthly[monthly["year"] * 12 + monthly["month"] <= date.year * 12 + date.month]
    return replace(
        ledger,
        annual=_through(ledger.annual, date.facts_year),
        tax_items=_through(ledger.tax_items, date.facts_year),
        counties=_through(ledger.counties, date.facts_year),
        monthly=monthly,
        disposals=_disposals(ledger.disposals, date.end),
        process=_blank(ledger.process, date.end, _dates(ledger.process)),
        blocks=_blank(ledger.blocks, date.end, ("completed", "approved")),
        issues=_blank(_until(ledger.issues, "found", date.end), date.end, ("rectified", "accepted", "transferred")),
        papers=_until(ledger.papers, "received", date.end),
        enterprises=_blank(ledger.enterprises, date.end, ("completed", "production_start", "stopped_since")),
    )


def _through(frame: pd.DataFrame, year: int) -> pd.DataFrame:
    return frame if frame.empty else frame[frame["year"] <= year]


def _until(frame: pd.DataFrame, column: str, end: pd.Timestamp) -> pd.DataFrame:
    return frame if column not in frame or frame.empty else frame[~(frame[column] > end)]


def _dates(frame: pd.DataFrame) -> tuple[str, ...]:
    return tuple(column for column in frame.columns if pd.api.types.is_datetime64_any_dtype(frame[column]))


def _blank(frame: pd.DataFrame, end: pd.Timestamp, columns: tuple[str, ...]) -> pd.DataFrame:
    """Blank dates later than ``end``."""
    late = {c: frame[c].mask(frame[c] > end) for c in columns if c in _dates(frame)}
    return frame.assign(**late) if late else frame


def _disposals(frame: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Cut the disposals off: not yet started ones gone; finished later ones open, without what they came to."""
    if frame.empty:
        return frame
    out = _until(frame, "started", end)
    if "finished" in out:
        later = out["finished"] > end
        results = {c: out[c].mask(later) for c in RESULTS if c in out}
        out = out.assign(**results)
        if "outcome" in out:
            out = out.assign(outcome=out["outcome"].mask(later, OPEN))
    return _blank(out, end, ("finished", "written_off", "demolished_on"))


def panel(ledger: Ledger, date: Date) -> Panel:
    """Lay out the history of a ledger that `as_known` has cut off.

    Returns
    -------
    Panel
        ``month`` is the last month at the date with any monthly figure of the year and of an earlier year.
    """
    laid = book(ledger)
    years = np.arange(min(laid.years), date.facts_year + 1)
    month = _usable_month(ledger, date)
    empty = np.full((len(laid), 1), np.nan)
    sums = [laid.monthly_sum(int(y), month) for y in (*years, date.facts_year + 1)] if month else []
    tax = np.column_stack([laid.annual("tax_wan", int(y)) for y in years])
    return Panel(
        codes=laid.codes,
        years=years,
        tax=tax,
        above=np.column_stack([laid.last_known("above_scale", int(y)) for y in years]),
        land=np.column_stack([_land(laid, int(y)) for y in years]),
        ytd=_quiet_as_zero(np.column_stack(sums), tax) if sums else np.repeat(empty, len(years) + 1, axis=1),
        month=month,
        refunds=_refunds(laid),
        sector=np.array([_sector(code) for code in laid.text("industry_code")], dtype=object),
        township=laid.text("township"),
    )


def _usable_month(ledger: Ledger, date: Date) -> int:
    """Return the months of the first projected year with figures; 0 where no earlier year shows what share they are."""
    if not date.nowcast_month or ledger.monthly.empty:
        return 0
    year, month = (ledger.monthly[name].to_numpy(dtype=int) for name in ("year", "month"))
    now = month[year == date.year]
    return int(now.max()) if now.size and bool(np.any(year < date.year)) else 0


def _quiet_as_zero(ytd: np.ndarray, tax: np.ndarray) -> np.ndarray:
    """Take an enterprise with months in other years as having paid nothing in a year in which only others have them.

    Not so in a past year of which its annual figure says otherwise.
    """
    covered = ~np.isnan(ytd).all(axis=0, keepdims=True)
    known = ~np.isnan(ytd).all(axis=1, keepdims=True)
    silent = np.column_stack([~(tax > 0), np.ones(len(tax), dtype=bool)])
    return np.where(np.isnan(ytd) & covered & known & silent, 0.0, ytd)


def _land(laid: Book, year: int) -> np.ndarray:
    land = laid.last_known("land_mu", year)
    return np.where(np.isnan(land), laid.last_known("approved_mu", year), land)


def _refunds(laid: Book) -> np.ndarray:
    frame = laid.ledger.monthly
    out = np.zeros(len(laid), dtype=bool)
    if not frame.empty:
        negative = frame["tax_wan"].to_numpy(dtype=float, na_value=0.0) < 0
        out[laid.positions(frame.loc[negative, "credit_code"])] = True
    return out


def _sector(code: object) -> str:
    digits = re.sub(r"\D", "", str(code))
    return digits[:2] if len(digits) >= 2 else ""


OPEN = "进行中"
RESULTS = ("released_mu", "demolished_m2", "cost_wan", "successor_code", "whole")
