"""What stands above a table, or names it (标题): the year, the months, the units and the measure that its headings leave out."""

from __future__ import annotations

import re
import unicodedata

from lyeval.ledger.cells import DIGITS
from lyeval.ledger.columns import of_sheet
from lyeval.ledger.faults import Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.headings import Fit, Heading
from lyeval.ledger.periods import Period, take_period
from lyeval.ledger.units import find_unit, looks_like_unit


def titled(grid: Grid, title: str, period: Period, faults: Faults) -> Fit:
    """Return what a heading of nothing but a period is about, by the sheet's name and the title (told once)."""
    named = {name for words, name in MEASURES for text in (grid.sheet, title, grid.file) if re.search(words, text)}
    if not period.whole:
        named &= {"tax_wan"}
    if len(named) != 1:
        return Fit("unknown")
    column = of_sheet("annual")[named.pop()]
    if not any(f.rule == "measure_assumed" and f.sheet == grid.sheet and f.file == grid.file for f in faults.items):
        faults.add("measure_assumed", grid.file, grid.sheet, column=column.zh, column_en=column.en)
    return Fit("column", (column,), "", period)


def line_units_of(title: str) -> tuple[list[str], list[str]]:
    """Return the units that a line above the header (单位：万元、亩) gives, and its words that are no unit we know."""
    matched = re.search(r"(?<![报送制任填写编属])单位\s*[:：]\s*([^()（）]+)", title)
    words = re.split(r"[、,，;；\s]+", matched[1]) if matched else []
    known = [word for word in words if find_unit(word)]
    return known, [word for word in words if word not in known and looks_like_unit(word)]


def title_year(grid: Grid, title: str) -> int | None:
    """Return the one year that the title, else the sheet's name, else its file's name gives."""
    for words in (title, grid.sheet, grid.file):
        years = set(re.findall(r"(?<!\d)((?:19|20)\d\d)(?!\d)", DAYS.sub("", words.translate(DIGITS))))
        if len(years) == 1:
            return int(years.pop())
        if years:
            return None
    return None


def title_months(grid: Grid, title: str) -> Period | None:
    """Return the months, less than a year, that the sheet's name, else its title, else its file's name gives."""
    for words in (title, grid.sheet, grid.file.rsplit(".", 1)[0]):
        period = take_period("".join(unicodedata.normalize("NFKC", words).split()))[1]
        if period is not None and not period.whole:
            return period
    return None


def runs(heading: str, period: Period | None, months: Period) -> bool:
    """Whether a heading (本年累计) is a running total up to the title's month: of the title's year, or the year before it."""
    if period is not None and None not in (period.year, months.year) and period.year != months.year:
        return False
    back = period.back if period is not None else 0
    return "累计" in heading and (not back or "同期" in heading)


def is_of_month(heading: Heading, fit: Fit) -> bool:
    """Whether a heading is the tax of the month (本月入库) that the table is about."""
    named = bool(fit.columns) and fit.columns[0].name == "tax_wan" and fit.kind in ("column", "near")
    return named and fit.period is None and re.match("[当本]月", heading.keys[0]) is not None


DAYS = re.compile(r"(?<=\d{4})\s*[-./年]\s*\d{1,2}\s*[-./月]\s*\d{1,2}日?")
MEASURES = (
    (r"(?<!使用)税(?!务)", "tax_wan"),
    (r"土地使用税", "land_use_tax_wan"),
    (r"用地|土地(?!使用税)|占地", "land_mu"),
    (r"用电|电量", "power_wankwh"),
    (r"产值", "output_wan"),
    (r"销售|营业收入|营收", "revenue_wan"),
    (r"规上|规模以上", "above_scale"),
)
