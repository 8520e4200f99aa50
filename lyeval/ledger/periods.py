"""The period that a heading names (时段): a year, a month, or the months from January on, taken out of its words."""

from __future__ import annotations

import datetime as dt
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
    return re.sub(r"^(累计|同期|期间)|(累计|同期|期间)$", "", rest), period


def heading_of(value: object) -> str:
    """Return the words of a heading that is a date or a number: 2023年1月 for a month's day, 2023, 202301; else empty."""
    if isinstance(value, dt.date):
        return f"{value.year}年{value.month}月" if 1990 <= value.year <= 2100 else ""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value != int(value):
        return ""
    whole = int(value)
    if 199000 < whole <= 210012 and 1 <= whole % 100 <= 12:
        return f"{whole // 100}年{whole % 100}月"
    return f"{whole}年" if 1990 <= whole <= 2100 else ""


def _year(period: Period, matched: re.Match[str]) -> Period | None:
    """Take a year of four or two digits."""
    if period.year is not None:
        return None
    digits = matched[1].translate(DIGITS)
    return replace(period, year=int(digits) if len(digits) == 4 else 2000 + int(digits))


def _year_month(period: Period, matched: re.Match[str]) -> Period | None:
    """Take a month written in figures with its year: 2023-01, 202301, 2023/1/1."""
    month = int(matched[2])
    return Period(int(matched[1]), None, month, month) if 1 <= month <= 12 else None


def _back(years: int) -> Change:
    """Take a year told from the table's own."""
    return lambda period, matched: replace(period, back=years) if period.year is None else None


def _same(period: Period, matched: re.Match[str]) -> Period:
    """Take 同期: the year before, in months that are the neighbour's where the heading names none."""
    return replace(period, back=1 if period.back is None else period.back) if period.year is None else period


def _range(period: Period, matched: re.Match[str]) -> Period | None:
    """Take the months from a first to a last one."""
    first, last = _number(matched[1]), _number(matched[2])
    return replace(period, first=first, last=last) if 1 <= first < last <= 12 and period.whole else None


def _until(period: Period, matched: re.Match[str]) -> Period | None:
    """Take the months from January on."""
    last = _number(matched[1])
    return replace(period, first=1, last=last) if 1 <= last <= 12 and period.whole else None


def _alone(period: Period, matched: re.Match[str]) -> Period | None:
    """Take one month, unless months are known already."""
    number = _number(matched[1])
    return replace(period, first=number, last=number) if period.whole and 1 <= number <= 12 else None


def _quarters(period: Period, matched: re.Match[str]) -> Period | None:
    """Take a quarter, the first so many, or some in a row: 三季度 is July to September, 前三季度 from January on."""
    if not period.whole:
        return None
    first, last = matched["first"], _number(matched["last"])
    start = 1 if matched["until"] else _number(first) if first else last
    return replace(period, first=3 * start - 2, last=3 * last) if start <= last else None


def _months(first: int, last: int) -> Change:
    """Take months that go by a name."""
    return lambda period, matched: replace(period, first=first, last=last) if period.whole else None


def _number(words: str) -> int:
    """Return a month's number from digits or Chinese numerals."""
    return int(words) if words.isdigit() else NUMERALS.index(words.replace("两", "二")) + 1


Change = Callable[[Period, re.Match[str]], Period | None]
DIGITS = str.maketrans("〇零一二三四五六七八九", "00123456789")
NUMERALS = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十", "十一", "十二"]
MONTH = r"(1[0-2]|0?[1-9]|十[一二]|[一二三四五六七八九十])"
TO = r"[-—–~～至到、]+"
QUARTER = (
    r"(?:(?P<until>前)|第)?(?:(?P<first>[一二三四1-4])(?:季度?)?"
    + TO
    + r")?第?(?P<last>[一二两三四1-4])个?季度?(?:累计|当季)?"
)
PATTERNS: tuple[tuple[re.Pattern[str], Change], ...] = (
    (re.compile(r"(?<!\d)((?:19|20)\d\d)[-/.](\d{1,2})(?:[-/.]\d{1,2})?(?!\d|月|[-—–~至到])"), _year_month),
    (re.compile(r"(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(?!\d)"), _year_month),
    (re.compile(r"(?<!\d)((?:19|20)\d\d)(?:年度?|(?!\d))"), _year),
    (re.compile(r"(二[〇零][〇零一二三四五六七八九]{2})年度?"), _year),
    (re.compile(r"(?<!\d)(\d\d)年度?"), _year),
    (re.compile(r"(前年|上上年度?)"), _back(2)),
    (re.compile(r"(上一?个?年度?|去年|前一年度?)"), _back(1)),
    (re.compile(r"(本年度?|当年|今年)"), _back(0)),
    (re.compile(r"同期"), _same),
    (re.compile(r"(?<!\d)(?:1|01|一)月?份?[-—–~～至到]+" + MONTH + r"月份?(?:底|末)?(?:累计|合计)?"), _until),
    (re.compile(r"(?<![\d十])" + MONTH + r"月?份?[-—–~～至到]+" + MONTH + r"月份?(?:累计|合计)?"), _range),
    (re.compile(r"截[至止到]*" + MONTH + r"月份?(?:底|末)?(?:累计)?"), _until),
    (re.compile(r"前" + MONTH.replace("[一二", "[一二两") + r"个?月份?(?:累计)?"), _until),
    (re.compile(r"(?<![\d十])" + MONTH + r"月份?(?:当月)?"), _alone),
    (re.compile(r"上半年度?(?:累计)?"), _months(1, 6)),
    (re.compile(r"下半年度?(?:累计)?"), _months(7, 12)),
    (re.compile(QUARTER), _quarters),
    (re.compile(r"[qQ](?P<last>[1-4])(?![a-z0-9])(?P<first>)(?P<until>)"), _quarters),
    (re.compile(r"全年(?:累计)?"), lambda period, matched: period if period != Period() else None),
)
