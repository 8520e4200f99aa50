"""Total rows against the rows that they add up (合计核对): each subtotal with its own group, one line per difference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lyeval.ledger.columns import NUMERIC
from lyeval.ledger.convert import Raw, cell_of
from lyeval.ledger.faults import Faults
from lyeval.ledger.headings import key
from lyeval.ledger.layout import Mapped


@dataclass(frozen=True)
class Total:
    """A total row: its position, and its level: 1 小计, 2 the total of a named group, 3 of everything."""

    position: int
    level: int


@dataclass(frozen=True)
class Summed:
    """A column that totals add up: its meaning and place, its figures as written (unit of the heading)."""

    item: Mapped
    figures: np.ndarray


def summed(item: Mapped, values: np.ndarray) -> Summed | None:
    """Return a column for comparison with totals; None for shares and ratios, which do not add."""
    if item.column.kind not in NUMERIC or item.column.kind == "share" or "/" in item.column.unit:
        return None
    return Summed(item, values / (float(item.ratio) or 1.0))


def compare_totals(
    columns: Sequence[Summed],
    rows: np.ndarray,
    totals: np.ndarray,
    raws: Sequence[Raw],
    first: int,
    where: tuple[str, str],
    faults: Faults,
) -> None:
    """Tell the total rows that are not the sum of their rows.

    Parameters
    ----------
    rows : ndarray of bool, shape (n,)
        The rows that totals count: every row of figures, those without a code among them.
    totals : ndarray of int
        Positions of the total rows.
    first : int
        1-based number of the table's first row.
    """
    if not len(totals) or not columns:
        return
    found = [Total(int(p), _level([cell_of(raw, int(p)) for raw in raws])) for p in totals]
    if sum(total.level == ALL for total in found) > 1:
        found = [Total(t.position, min(t.level, GROUP)) for t in found]
    data = [np.where(rows, column.figures, np.nan) for column in columns]
    above = _side(columns, data, found)
    for column, figures in zip(columns, data, strict=True):
        wrong: list[tuple[Total, float]] = []
        for total in sorted(found, key=lambda t: t.level):
            stated = column.figures[total.position]
            part = figures[_group(total, found, len(rows), above)]
            if not np.isfinite(stated) or not np.isfinite(part).any():
                continue
            told = sum(gap for other, gap in wrong if other.level < total.level)
            gap = stated - float(np.nansum(part))
            sums = [gap, gap - told] + ([stated - float(np.nansum(figures))] if total.level == GROUP else [])
            if min(map(abs, sums)) > _slack(stated, part):
                wrong.append((total, gap))
                place = {"row": first + total.position, "heading": column.item.heading}
                shown = {"total": f"{stated:.10g}", "sum": f"{stated - gap:.10g}"}
                cell = cell_of(raws[column.item.place], total.position)
                faults.add("total_mismatch", *where, **place, value=cell, **shown)


def _level(cells: list[object]) -> int:
    """Return the level of a total row by its label."""
    label = next((k for c in cells if isinstance(c, str) and TOTAL.fullmatch(k := key(c))), "")
    label = re.sub(r"[0-9家户企业个]*$", "", label)
    if label in ("小计", "subtotal"):
        return SUB
    return ALL if re.fullmatch(r"总?合计|总计|累计|共计|合计数|全[县区市].*|total|sum", label) else GROUP


def _side(columns: Sequence[Summed], data: Sequence[np.ndarray], totals: Sequence[Total]) -> bool:
    """Whether groups stand above their totals, as most of the totals that fit say."""
    fits = [0, 0]
    for column, figures in zip(columns, data, strict=True):
        for total in (t for t in totals if t.level < ALL):
            stated = column.figures[total.position]
            for side in (0, 1):
                part = figures[_group(total, totals, len(figures), side == 0)]
                if np.isfinite(part).any() and abs(stated - np.nansum(part)) <= _slack(stated, part):
                    fits[side] += 1
    if fits[0] != fits[1]:
        return fits[0] > fits[1]
    start = min((t.position for t in totals if t.level < ALL), default=0)
    return bool(any(np.isfinite(figures[:start]).any() for figures in data))


def _group(total: Total, totals: Sequence[Total], count: int, above: bool) -> slice:
    """Return the rows that a total adds up: up to the last total of its level, or to the next."""
    if total.level == ALL:
        return slice(0, count)
    others = [t.position for t in totals if t.level >= total.level]
    if above:
        return slice(max((p for p in others if p < total.position), default=-1) + 1, total.position)
    return slice(total.position + 1, min((p for p in others if p > total.position), default=count))


def _slack(stated: float, part: np.ndarray) -> float:
    """Return by how much a total may differ for rounding."""
    decimals = min(len(f"{stated:.6f}".rstrip("0").partition(".")[2]), 6)
    return max(1e-9 * abs(stated), 10.0**-decimals * (0.5 + 0.9 * int(np.isfinite(part).sum()) ** 0.5))


SUB, GROUP, ALL = 1, 2, 3
TOTAL = re.compile(
    r"(总?合计|总计|小计|累计|共计|合计数|全[县区市]合计|.{0,12}(小计|合计|总计)|total|subtotal|sum)[0-9家户企业个]*"
)
