"""What was known at a date: a ledger cut off there, its history as arrays, and remarks on what it could not offer.

Every projection starts from `as_known`, so nothing later than the date can reach a model, a class or a target.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache

import numpy as np
import pandas as pd

from lyeval.indicators import Book, book
from lyeval.ledger import Ledger
from lyeval.resources import read_rows
from lyeval.told import Words


@dataclass(frozen=True)
class Note(Words):
    """A remark on a result: the sentence in Chinese and English, and its id (a row of ``notes.csv``)."""

    id: str


def note(id: str, **params: object) -> Note:
    """Fill the sentence ``id`` of ``notes.csv`` with its figures; of a pair, each language takes its own."""
    told = [
        sentence.format(**{name: value[at] if isinstance(value, tuple) else value for name, value in params.items()})
        for at, sentence in enumerate(_sentences()[id])
    ]
    return Note(told[0], told[1], id)


@cache
def _sentences() -> dict[str, tuple[str, str]]:
    return {row["id"]: (row["zh"], row["en"]) for row in read_rows(__file__, "notes.csv")}


def distinct(notes: Iterable[Note]) -> tuple[Note, ...]:
    """Drop repeated notes, keeping the first of each."""
    return tuple(dict.fromkeys(notes))


def code_keys(codes: Iterable[str]) -> np.ndarray:
    """Return the first eight bytes of BLAKE2b of each credit code or other name, uint64 (n,), the same on every machine."""
    digests = [hashlib.blake2b(str(code).encode(), digest_size=8).digest() for code in codes]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


@dataclass(frozen=True)
class Date:
    """The date of knowledge: annual figures through ``facts_year``, months and disposals through ``month`` (1 to 12) of ``year``.

    ``month`` 12 of ``facts_year`` is an as-of date at a year's end with nothing of the next year.
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

    def months_to(self, year: int) -> int:
        """Months from the date to the end of ``year``."""
        return (year - self.year) * 12 + 12 - self.month

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02d}"


@dataclass(frozen=True, eq=False)
class Panel:
    """Each enterprise's history up to the date of knowledge, n enterprises over m years."""

    codes: np.ndarray  # credit codes, sorted
    years: np.ndarray  # consecutive years, the last one the year of the latest annual figures
    tax: np.ndarray  # annual tax (实缴税金), 万元, shape (n, m), NaN unknown
    above: np.ndarray  # 规上 (1, 0, NaN), shape (n, m)
    land: np.ndarray  # 亩, latest known, shape (n, m)
    ytd: np.ndarray  # tax of months 1 to ``month``, 万元, shape (n, m + 1), the last column the year after; NaN unknown
    month: int  # months covered by ``ytd``; 0 without
    refunds: np.ndarray  # a month with negative tax has been seen: a year may end below its year to date
    sector: np.ndarray  # two-digit industry (行业大类), "" unknown
    township: np.ndarray  # 镇街, "" unknown
    november: np.ndarray | None = None  # tax of months 1 to 11 of each past year, 万元, shape (n, m); NaN unknown
    calendar: np.ndarray = field(default_factory=lambda: EVEN)  # share of a year's tax paid by a month's end
    in_force: dict[str, np.ndarray] = field(default_factory=dict)  # by method: `casework.in_force`

    @cached_property
    def keys(self) -> np.ndarray:
        """The enterprises' keys of random numbers, uint64 (n,)."""
        return code_keys(self.codes)


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
    earlier = [y for y in ledger.annual["year"].tolist() if y < year]
    return max(earlier, default=year - 1), 12


@lru_cache(maxsize=8)
def as_known(ledger: Ledger, date: Date) -> Ledger:
    """Return the ledger as it stood at the date: later rows gone, later dates blank, open disposals open again."""
    yearly = {name: getattr(ledger, name) for name in ("annual", "tax_items", "counties")}
    monthly = ledger.monthly
    if not monthly.empty:
        monthly = monthly[monthly["year"] * 12 + monthly["month"] <= date.year * 12 + date.month]
    return replace(
        ledger,
        **{name: frame if frame.empty else frame[frame["year"] <= date.facts_year] for name, frame in yearly.items()},
        monthly=monthly,
        disposals=_disposals(ledger.disposals, date.end),
        process=_blank(ledger.process, date.end, tuple(ledger.process.columns)),
        blocks=_blank(ledger.blocks, date.end, ("completed", "approved")),
        issues=_blank(_until(ledger.issues, "found", date.end), date.end, ("rectified", "accepted", "transferred")),
        papers=_until(ledger.papers, "received", date.end),
        enterprises=_blank(ledger.enterprises, date.end, ("completed", "production_start", "stopped_since")),
    )


def _until(frame: pd.DataFrame, column: str, end: pd.Timestamp) -> pd.DataFrame:
    return frame if column not in frame or frame.empty else frame[~(frame[column] > end)]


def _blank(frame: pd.DataFrame, end: pd.Timestamp, columns: tuple[str, ...]) -> pd.DataFrame:
    """Blank dates later than ``end``."""
    dates = [c for c in columns if c in frame and pd.api.types.is_datetime64_any_dtype(frame[c])]
    return frame.assign(**{c: frame[c].mask(frame[c] > end) for c in dates}) if dates else frame


def _disposals(frame: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Cut the disposals off: not yet started ones gone; finished later ones open, without what they came to."""
    if frame.empty:
        return frame
    out = _until(frame, "started", end)
    if "finished" in out:
        later = out["finished"] > end
        out = out.assign(**{c: out[c].mask(later) for c in RESULTS if c in out})
        if "outcome" in out:
            out = out.assign(outcome=out["outcome"].mask(later, OPEN))
    return _blank(out, end, ("finished", "written_off", "demolished_on"))


def panel(ledger: Ledger, date: Date) -> Panel:
    """Lay out the history of a ledger that `as_known` has cut off."""
    laid = book(ledger)
    years = np.arange(min(laid.years), date.facts_year + 1)
    month = _usable_month(ledger, date)
    sums = [laid.monthly_sum(int(y), month) for y in (*years, date.facts_year + 1)] if month else []
    tax = np.column_stack([laid.annual("tax_wan", int(y)) for y in years])
    digits = [re.sub(r"\D", "", str(code)) for code in laid.text("industry_code")]
    lands = [[laid.last_known(name, int(y)) for y in years] for name in ("land_mu", "approved_mu")]
    full = [laid.monthly_sum(int(y), 11) for y in years] if month else []
    return Panel(
        codes=laid.codes,
        years=years,
        tax=tax,
        above=np.column_stack([laid.last_known("above_scale", int(y)) for y in years]),
        land=np.column_stack([np.where(np.isnan(x), y, x) for x, y in zip(*lands, strict=True)]),
        ytd=_quiet_as_zero(np.column_stack(sums), tax) if sums else np.full((len(laid), len(years) + 1), np.nan),
        month=month,
        refunds=_refunds(laid),
        sector=np.array([d[:2] if len(d) >= 2 else "" for d in digits], dtype=object),
        township=laid.text("township"),
        november=np.column_stack(full) if full else None,
        calendar=_calendar(ledger, date.facts_year) if month else EVEN,
    )


def _calendar(ledger: Ledger, last: int) -> np.ndarray:
    """Share of a year's tax that the county has paid by the end of 0 to 12 months, over past years; even where a month is missing."""
    past = ledger.monthly[ledger.monthly["year"] <= last]
    by_month = past.groupby("month")["tax_wan"].sum().reindex(range(1, 13)).to_numpy(dtype=float, na_value=0.0)
    if not (by_month > 0).all():
        return EVEN
    return np.append(0.0, np.cumsum(by_month / by_month.sum())).round(9)  # rounded: whatever the order of the rows


def _usable_month(ledger: Ledger, date: Date) -> int:
    """Return the months of the first projected year with figures; 0 where no earlier year shows what share they are."""
    if not date.nowcast_month or ledger.monthly.empty:
        return 0
    year, month = (ledger.monthly[name].to_numpy(dtype=int) for name in ("year", "month"))
    now = month[year == date.year]
    return int(now.max()) if now.size and bool(np.any(year < date.year)) else 0


def _quiet_as_zero(ytd: np.ndarray, tax: np.ndarray) -> np.ndarray:
    """Take a firm with months in other years as having paid nothing where only others have them and its annual figure says no other."""
    covered = ~np.isnan(ytd).all(axis=0, keepdims=True)
    known = ~np.isnan(ytd).all(axis=1, keepdims=True)
    silent = np.column_stack([~(tax > 0), np.ones(len(tax), dtype=bool)])
    return np.where(np.isnan(ytd) & covered & known & silent, 0.0, ytd)


def _refunds(laid: Book) -> np.ndarray:
    frame = laid.ledger.monthly
    out = np.zeros(len(laid), dtype=bool)
    if not frame.empty:
        negative = frame["tax_wan"].to_numpy(dtype=float, na_value=0.0) < 0
        out[laid.positions(frame.loc[negative, "credit_code"])] = True
    return out


def remarks(history: Panel, date: Date, ledger: Ledger) -> tuple[Note, ...]:
    """Name what the history could not offer, and whom it leaves to other firms' record."""
    notes = []
    if date.nowcast_month and not history.month:
        notes.append(note("no_months", month=date.nowcast_month))
    elif history.month < date.nowcast_month:
        notes.append(note("months_end", have=history.month, asked=date.nowcast_month))
    last, new = history.tax[:, -1], np.isnan(history.tax).all(axis=1)
    firms = ledger.enterprises
    kinds = {
        "newcomers": new,
        "stale": np.isnan(last) & ~new,
        "silent": last == 0,
        "negative": last < 0,
        "stopped": firms["stopped_since"].notna().to_numpy() if "stopped_since" in firms else np.zeros(0, dtype=bool),
    }
    year = int(history.years[-1])
    return (*notes, *(note(kind, n=int(mine.sum()), year=year) for kind, mine in kinds.items() if mine.any()))


OPEN, EVEN = "进行中", np.arange(13) / 12
RESULTS = ("released_mu", "demolished_m2", "cost_wan", "successor_code", "whole")
