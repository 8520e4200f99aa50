"""What has become of an enterprise by a day, as the disposals of its ledger say: closed, gone, its land released, written off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from lyeval.indicators.book import Book
from lyeval.indicators.tri import RELATIVE, Tri

CLOSED = ("关停", "清退", "注销")
BANKRUPT = ("破产",)
LEFT = ("搬迁", "整体收储")
BANKED = ("收储",)
TRANSFERRED = ("转让",)
EXITS = ("关停", "清退", "注销", "整体收储", "收储", "破产", "搬迁")
LIVE = ("", "进行中", "未启动")
UNFINISHED = ("", "进行中", "未启动", "未完成")
MU_M2 = 2000 / 3


def year_end(year: int) -> np.datetime64:
    """Return 31 December of ``year``."""
    return np.datetime64(f"{year}-12-31")


@dataclass(frozen=True, eq=False)
class Exits:
    """What the disposals of a ledger have come to by a day.

    Attributes
    ----------
    closed, bankrupt, banked
        Closed (关停, 清退, 注销); bankrupt; its whole site banked or moved away. Shape (n,). An outcome without a date is unknown.
    released, successor
        Land released, 亩; the land has a successor, boolean. Shape (n,).
    transferred
        The whole site has passed to another (转让 of all its land, or of an unnamed area to a named successor): the land leaves,
        whatever becomes of the enterprise. Shape (n,).
    written_off
        The day on which the case was written off (销号), NaT where none was by then. Shape (n,).
    """

    closed: Tri
    bankrupt: Tri
    banked: Tri
    released: np.ndarray
    successor: np.ndarray
    transferred: Tri
    written_off: np.ndarray

    @cached_property
    def gone(self) -> Tri:
        """Closed, bankrupt, or the whole site banked or moved."""
        return self.closed | self.bankrupt | self.banked


@dataclass(frozen=True, eq=False)
class Cases:
    """The disposals of a ledger as aligned arrays, one element a row of the sheet; columns that it lacks are blank."""

    at: np.ndarray
    outcome: np.ndarray
    started: np.ndarray
    due: np.ndarray
    finished: np.ndarray
    released: np.ndarray
    whole: np.ndarray
    successor: np.ndarray
    written_off: np.ndarray
    method: np.ndarray

    @lru_cache(maxsize=32)  # noqa: B019 - as long as its ledger
    def came_to(self, outcomes: tuple[str, ...]) -> np.ndarray:
        """Tell which rows name one of some outcomes."""
        return np.isin(self.outcome, outcomes)

    def begun(self, day: np.datetime64) -> np.ndarray:
        """Tell which rows are on record by a day: from their beginning, else their end; a row with neither date is."""
        began = np.where(np.isnat(self.started), self.finished, self.started)
        return (self.at >= 0) & ~(began > day)

    def outcome_on(self, day: np.datetime64) -> np.ndarray:
        """Return each row's outcome as it stood on a day: 进行中 where it ended, or failed, only later."""
        later = (self.finished > day) | ((self.outcome == "未完成") & (self.due > day))
        return np.where(later, "进行中", self.outcome)

    def ended(self, day: np.datetime64) -> np.ndarray:
        """Tell which rows have an end dated by a day, whatever came of them."""
        return self.finished <= day

    def done(self, day: np.datetime64) -> np.ndarray:
        """Tell which rows are finished by a day (办结): an outcome other than 未完成, dated by then."""
        return ~np.isin(self.outcome, UNFINISHED) & (self.finished <= day)

    @property
    def undated(self) -> np.ndarray:
        """Tell which rows have an outcome that ends them and no date of it."""
        return ~np.isin(self.outcome, UNFINISHED) & np.isnat(self.finished)

    def open(self, day: np.datetime64) -> np.ndarray:
        """Tell which rows are open on a day (在办): on record, and not finished."""
        return self.begun(day) & ~self.done(day)

    def firsts(self, use: np.ndarray) -> np.ndarray:
        """Return the positions of the first row in use of each enterprise, by enterprise."""
        where = np.flatnonzero(use)
        return where[np.unique(self.at[where], return_index=True)[1]]

    def ended_later(self, day: np.datetime64) -> np.ndarray:
        """Tell which rows have an end dated after a day: what they came to was not known then."""
        return self.finished > day

    def in_progress(self, day: np.datetime64) -> np.ndarray:
        """Tell which rows were in progress on a day, as a projection from it takes them: begun or undated, and not ended by then."""
        live = np.isin(self.outcome, LIVE) | self.ended_later(day)
        return (self.at >= 0) & live & ~(self.started > day) & ~self.ended(day)

    def overdue(self, day: np.datetime64) -> np.ndarray:
        """Tell which rows are overdue on a day (逾期): open past their term."""
        return self.open(day) & (self.due < day)


@lru_cache(maxsize=16)
def cases(book: Book) -> Cases:
    """Lay out the disposals sheet (once per ledger)."""
    frame = book.ledger.disposals
    n = len(frame)

    def text(column: str) -> np.ndarray:
        return frame[column].to_numpy(dtype=object, na_value="") if column in frame else np.full(n, "", dtype=object)

    def day(column: str) -> np.ndarray:
        nat = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
        return frame[column].to_numpy(dtype="datetime64[D]") if column in frame else nat

    blank = np.full(n, np.nan)
    return Cases(
        at=book.positions(frame["credit_code"]),
        outcome=text("outcome"),
        started=day("started"),
        due=day("due"),
        finished=day("finished"),
        released=frame["released_mu"].to_numpy(dtype=float, na_value=np.nan) if "released_mu" in frame else blank,
        whole=text("whole"),
        successor=text("successor_code") != "",
        written_off=day("written_off"),
        method=text("method"),
    )


def exits(book: Book, day: np.datetime64, land: np.ndarray) -> Exits:
    """Tell what each enterprise's disposals have come to by a day.

    Parameters
    ----------
    land
        Each enterprise's land, 亩, shape (n,); a banking that releases as much is of the whole site (or as much as it had in the year
        before, where the year's row already shows what is left).
    """
    rows, n = cases(book), len(book)
    done = rows.finished <= day

    def state(which: np.ndarray) -> Tri:
        return _state(rows, which, done, n)

    whole = _whole(book, rows, land)
    passed = rows.came_to(TRANSFERRED) & whole
    passed &= rows.successor | ~np.isnan(rows.released) | (rows.whole == "整体")
    released, successor = np.zeros(n), np.zeros(n, dtype=bool)
    np.add.at(released, rows.at[done], np.nan_to_num(rows.released[done]))
    successor[rows.at[rows.successor & done]] = True
    written = np.full(n, np.datetime64("NaT"), dtype="datetime64[D]")
    off = np.flatnonzero(rows.written_off <= day)
    written[rows.at[off]] = rows.written_off[off]
    return Exits(
        closed=state(rows.came_to(CLOSED)),
        bankrupt=state(rows.came_to(BANKRUPT)),
        banked=state(rows.came_to(LEFT) | (rows.came_to(BANKED) & whole)),
        released=released,
        successor=successor,
        transferred=state(passed),
        written_off=written,
    )


def _state(rows: Cases, which: np.ndarray, dated: np.ndarray, n: int) -> Tri:
    """Tell for whom any of some rows is dated as it should be; unknown where such a row has no date."""
    true, maybe = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    true[rows.at[which & dated]] = True
    maybe[rows.at[which & np.isnat(rows.finished)]] = True
    return Tri(true, ~true & ~maybe)


def _whole(book: Book, rows: Cases, land: np.ndarray) -> np.ndarray:
    """Tell which disposals are of the whole site: it says so, names no area, or releases all land there was before it."""
    site, day = land[rows.at], rows.finished.astype("datetime64[Y]")
    for year in np.unique(day[~np.isnat(day)]):
        here = day == year
        for column in (book.annual("land_mu", int(year.astype(int)) + 1970 - back) for back in (0, 1)):
            site[here] = np.fmax(site[here], column[rows.at[here]])
    all_of_it = np.isnan(rows.released) | (rows.released >= site * (1 - RELATIVE)) | (rows.whole == "整体")
    return all_of_it & (rows.whole != "部分")


def exit_of(book: Book, day: np.datetime64, gone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the outcome by which each gone enterprise left and the day, shape (n,): "" and NaT for the others."""
    rows = cases(book)
    word, when = np.full(len(book), "", dtype=object), np.full(len(book), np.datetime64("NaT"), dtype="datetime64[D]")
    for name in reversed(EXITS):
        at = np.flatnonzero((rows.outcome == name) & (rows.finished <= day))
        word[rows.at[at]], when[rows.at[at]] = name, rows.finished[at]
    word[~gone], when[~gone] = "", np.datetime64("NaT")
    return word, when


def released_since(book: Book, day: np.datetime64, land: np.ndarray, row_year: np.ndarray) -> np.ndarray:
    """Return the land released by a day that each enterprise's row of land does not yet leave out, 亩, shape (n,).

    A row of a year after the release is net of it; a row of the year of the release itself is net where it has fallen by as much from the
    year before. A release of all that there was leaves nothing, whatever a row says.

    Parameters
    ----------
    land, row_year
        The land that is to be reduced, 亩, and the year of the row it was read from, shape (n,).
    """
    rows, out = cases(book), np.zeros(len(book))
    year = rows.finished.astype("datetime64[Y]").astype(float) + 1970
    for i in np.flatnonzero((rows.finished <= day) & (rows.at >= 0) & (rows.released > 0)):
        at, of, released = rows.at[i], int(year[i]), rows.released[i]
        before = book.last_known("land_mu", of - 1)[at]
        there = np.fmax(before, book.annual("land_mu", of)[at])
        fallen = land[at] <= (before - released) * (1 + RELATIVE) + RELATIVE
        if released >= there * (1 - RELATIVE):
            out[at] = land[at]
        elif row_year[at] < of or (row_year[at] == of and not fallen):
            out[at] += released
    return out


def closed_within(book: Book, year: int, outcomes: tuple[str, ...], land: np.ndarray) -> Tri:
    """Tell who left by one of ``outcomes`` between 1 January and 31 December of ``year``, shape (n,).

    An outcome without a date is unknown. 收储 counts only where it is of the whole site.
    """
    rows = cases(book)
    which = rows.came_to(outcomes) & (~rows.came_to(BANKED) | _whole(book, rows, land))
    return _state(rows, which, (rows.finished > year_end(year - 1)) & (rows.finished <= year_end(year)), len(book))


def eliminated(book: Book, day: np.datetime64) -> np.ndarray:
    """Tell which enterprises are under elimination (淘汰: the method ``shut_down``) by a day, shape (n,)."""
    rows, out = cases(book), np.zeros(len(book), dtype=bool)
    out[rows.at[(rows.method == "shut_down") & rows.begun(day)]] = True
    return out
