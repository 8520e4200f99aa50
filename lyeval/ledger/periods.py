"""The period that a heading names (时段): a year, a month, or the months from January on, taken out of its words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace


@dataclass(frozen=True, order=True)
class Period:
    """A year, or some of its months.

    Attributes
    ----------
    year : int or None
        The year; None when the heading gives none.
    back : int or None
        Years before the table's own year: 1 for 上年, 0 for 本年; None when the heading does not say.
    first, last : int
        First and last month; 1 and 12 for the whole year.
    """

    year: int | None = None
    back: int | None = None
    first: int = 1
    last: int = 12

    @property
    def whole(self) -> bool:
        """Whether it is a whole year."""
        return (self.first, self.last) == (1, 12)

    def in_year(self, own: int | None) -> Period | None:
        """Return the period with its year, ``own`` being the table's; None when no year is known."""
        if self.year is not None:
            return replace(self, back=None)
        return None if own is None else replace(self, year=own - (self.back or 0), back=None)


def take_period(text: str) -> tuple[str, Period | None]:
    """Split normalised text (half width, no spaces) into what is left and its period."""
    rest, period = text, Period()
    for pattern, change in PATTERNS:
        matched = pattern.search(rest)
        if not matched:
            continue
        changed = change(period, matched)
        if changed is not None:
            rest, period = rest[: matched.start()] + rest[matched.end() :], changed
    if period == Period() and rest == text:
        return text, None
    return re.sub(r"^(累计|同期)|(累计|同期)$", "", rest), period


def _year(period: Period, matched: re.Match[str]) -> Period | None:
    """Take a year of four or two digits."""
    if period.year is not None:
        return None
    digits = matched[1]
    return replace(period, year=int(digits) if len(digits) == 4 else 2000 + int(digits))


def _back(years: int) -> Callable[[Period, re.Match[str]], Period | None]:
    """Take a year told from the table's own."""
    return lambda period, matched: replace(period, back=years) if period.year is None else None


def _until(period: Period, matched: re.Match[str]) -> Period | None:
    """Take the months from January on."""
    last = _number(matched[1])
    return replace(period, first=1, last=last) if 1 <= last <= 12 else None


def _alone(period: Period, matched: re.Match[str]) -> Period | None:
    """Take one month, unless months are known already."""
    number = _number(matched[1])
    return replace(period, first=number, last=number) if period.whole and 1 <= number <= 12 else None


def _months(first: int, last: int) -> Callable[[Period, re.Match[str]], Period | None]:
    """Take months that go by a name."""
    return lambda period, matched: replace(period, first=first, last=last) if period.whole else None


def _number(words: str) -> int:
    """Return a month's number from digits or Chinese numerals."""
    return int(words) if words.isdigit() else NUMERALS.index(words) + 1


NUMERALS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]
MONTH = r"(1[0-2]|0?[1-9]|十[一二]|[一二三四五六七八九十])"
PATTERNS: tuple[tuple[re.Pattern[str], Callable[[Period, re.Match[str]], Period | None]], ...] = (
    (re.compile(r"(?<!\d)((?:19|20)\d\d)(?:年度?|(?!\d))"), _year),
    (re.compile(r"(?<!\d)(\d\d)年度?"), _year),
    (re.compile(r"(上一?年度?|去年)"), _back(1)),
    (re.compile(r"(本年度?|当年|今年)"), _back(0)),
    (re.compile(r"同期"), lambda period, matched: replace(period, back=1) if period.year is None else period),
    (re.compile(r"(?<!\d)(?:1|01|一)月?份?(?:[-—–~至到]+)" + MONTH + r"月份?(?:底|末)?(?:累计|合计)?"), _until),
    (re.compile(r"截[至止到]*" + MONTH + r"月份?(?:底|末)?(?:累计)?"), _until),
    (re.compile(r"(?<!\d)" + MONTH + r"月份?(?:当月)?"), _alone),
    (re.compile(r"上半年(?:累计)?"), _months(1, 6)),
    (re.compile(r"前?三季度(?:累计)?"), _months(1, 9)),
    (re.compile(r"一季度(?:累计)?"), _months(1, 3)),
    (re.compile(r"全年(?:累计)?"), lambda period, matched: period if period != Period() else None),
)
