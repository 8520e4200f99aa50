"""What has become of an enterprise by a date: closed, gone, its land released, written off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lyeval.indicators.book import Book
from lyeval.indicators.tri import RELATIVE, Tri

CLOSED = ("关停", "清退", "注销")
BANKRUPT = ("破产",)
LEFT = ("搬迁", "整体收储")
BANKED = ("收储",)
TRANSFERRED = ("转让",)
MU_M2 = 2000 / 3


def year_end(year: int) -> np.datetime64:
    """Return 31 December of ``year``."""
    return np.datetime64(f"{year}-12-31")


@dataclass(frozen=True, eq=False)
class Standing:
    """What the disposals of a ledger say of each enterprise at 31 December of a year.

    Attributes
    ----------
    closed, bankrupt, banked
        Closed (关停, 清退, 注销); bankrupt; its whole site banked or moved away. Shape (n,). An outcome without a date is unknown.
    released
        Land released by then, 亩, shape (n,).
    successor, written_off
        The land has a successor; the case is written off (销号). Boolean arrays of shape (n,).
    transferred
        The whole site has passed to another (转让 of all its land, or of an unnamed area to a named successor): the land leaves,
        whatever becomes of the enterprise. Shape (n,).
    """

    closed: Tri
    bankrupt: Tri
    banked: Tri
    released: np.ndarray
    successor: np.ndarray
    written_off: np.ndarray
    transferred: Tri

    @property
    def gone(self) -> Tri:
        """Closed, bankrupt, or the whole site banked or moved."""
        return self.closed | self.bankrupt | self.banked


@dataclass(frozen=True, eq=False)
class Cases:
    """The disposals of a ledger as aligned arrays, one element a row of the sheet."""

    at: np.ndarray
    outcome: np.ndarray
    finished: np.ndarray
    released: np.ndarray
    whole: np.ndarray
    successor: np.ndarray
    written_off: np.ndarray
    method: np.ndarray


def cases(book: Book) -> Cases:
    """Lay out the disposals sheet; columns that it lacks are blank."""
    frame = book.ledger.disposals
    n = len(frame)

    def text(column: str) -> np.ndarray:
        return frame[column].to_numpy(dtype=object, na_value="") if column in frame else np.full(n, "", dtype=object)

    def day(column: str) -> np.ndarray:
        nat = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
        return frame[column].to_numpy(dtype="datetime64[D]") if column in frame else nat

    released = (
        frame["released_mu"].to_numpy(dtype=float, na_value=np.nan) if "released_mu" in frame else np.full(n, np.nan)
    )
    return Cases(
        book.positions(frame["credit_code"]),
        text("outcome"),
        day("finished"),
        released,
        text("whole"),
        text("successor_code") != "",
        day("written_off"),
        text("method"),
    )


def standing(book: Book, year: int, land: np.ndarray) -> Standing:
    """Tell what each enterprise's disposals have come to by 31 December of ``year``.

    Parameters
    ----------
    land
        Each enterprise's land, 亩, shape (n,); a banking that releases as much is of the whole site (or as much as it had in the year
        before, where the year's row already shows what is left).
    """
    rows, end, n = cases(book), year_end(year), len(book)
    done = rows.finished <= end
    undated = np.isnat(rows.finished)

    def state(which: np.ndarray) -> Tri:
        true, maybe = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        true[rows.at[which & done]] = True
        maybe[rows.at[which & undated]] = True
        return Tri(true, ~true & ~maybe)

    whole = _whole(book, rows, land)
    passed = np.isin(rows.outcome, TRANSFERRED) & whole
    passed &= rows.successor | ~np.isnan(rows.released) | (rows.whole == "整体")
    banked = np.isin(rows.outcome, LEFT) | (np.isin(rows.outcome, BANKED) & whole)
    released, successor = np.zeros(n), np.zeros(n, dtype=bool)
    np.add.at(released, rows.at[done], np.nan_to_num(rows.released[done]))
    successor[rows.at[rows.successor & done]] = True
    written = np.zeros(n, dtype=bool)
    written[rows.at[rows.written_off <= end]] = True
    return Standing(
        state(np.isin(rows.outcome, CLOSED)),
        state(np.isin(rows.outcome, BANKRUPT)),
        state(banked),
        released,
        successor,
        written,
        state(passed),
    )


def _whole(book: Book, rows: Cases, land: np.ndarray) -> np.ndarray:
    """Tell which disposals are of the whole site: it says so, names no area, or releases all land there was before it."""
    site, day = land[rows.at], rows.finished.astype("datetime64[Y]")
    for year in np.unique(day[~np.isnat(day)]):
        here = day == year
        for column in (book.annual("land_mu", int(year.astype(int)) + 1970 - back) for back in (0, 1)):
            site[here] = np.fmax(site[here], column[rows.at[here]])
    all_of_it = np.isnan(rows.released) | (rows.released >= site * (1 - RELATIVE)) | (rows.whole == "整体")
    return all_of_it & (rows.whole != "部分")


def closed_within(book: Book, year: int, outcomes: tuple[str, ...], land: np.ndarray) -> Tri:
    """Tell who left by one of ``outcomes`` between 1 January and 31 December of ``year``, shape (n,).

    An outcome without a date is unknown. 收储 counts only where it is of the whole site.
    """
    rows, n = cases(book), len(book)
    start, end = np.datetime64(f"{year}-01-01"), year_end(year)
    which = np.isin(rows.outcome, outcomes) & (~np.isin(rows.outcome, BANKED) | _whole(book, rows, land))
    true, maybe = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    true[rows.at[which & (rows.finished >= start) & (rows.finished <= end)]] = True
    maybe[rows.at[which & np.isnat(rows.finished)]] = True
    return Tri(true, ~true & ~maybe)


def eliminated(book: Book) -> np.ndarray:
    """Tell which enterprises are under elimination (淘汰: the method ``shut_down``), shape (n,)."""
    rows, out = cases(book), np.zeros(len(book), dtype=bool)
    out[rows.at[rows.method == "shut_down"]] = True
    return out
