"""Wide tables (宽表): one row per firm and a column per year or month, turned into rows; running totals differenced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lyeval.ledger.columns import NUMERIC, of_sheet
from lyeval.ledger.faults import Faults
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.model import PLACE
from lyeval.ledger.periods import Period
from lyeval.ledger.units import find_unit


@dataclass(frozen=True)
class Timed:
    """A column about one period: its meaning, its values, and the period with its year (None: the row's)."""

    item: Mapped
    values: pd.Series
    period: Period


def unpivot(
    layout: Layout, timed: Sequence[tuple[Mapped, pd.Series]], rows: Mapping[str, pd.Series], faults: Faults
) -> dict[str, pd.DataFrame]:
    """Turn the columns that name a period into rows of ``annual`` and ``monthly``.

    Parameters
    ----------
    timed : sequence of (Mapped, Series)
        The columns with a period and their converted values, one per firm.
    rows : Mapping
        What every row has besides: ``credit_code``, ``name``, ``year`` (if the table has it), its place, and the
        annual columns without a period, which hold for every year (told).

    Returns
    -------
    dict of DataFrame
        Sheet → rows; a sheet without any is absent.
    """
    where = (str(rows["source_file"].iloc[0]), str(rows["source_sheet"].iloc[0]))
    columns = _placed(layout, timed, rows, where, faults)
    annual = [c for c in columns if c.period.whole]
    monthly = [c for c in columns if not c.period.whole]
    made = {}
    if annual:
        made["annual"] = _by_year(annual, rows, where, {i.column.name: i.heading for i in layout.columns}, faults)
    months = [c for c in monthly if c.item.column.name == "tax_wan"]
    for column in monthly:
        if column not in months:
            faults.add("period_ignored", *where, heading=column.item.heading)
    if months:
        running = {c.period.year for c in months if (c.period.first, c.period.last) == (1, 11)}
        whole = [c for c in annual if c.item.column.name == "tax_wan" and c.period.year in running]
        made["monthly"] = _by_month([*months, *whole], rows, where, faults)
    return {sheet: frame for sheet, frame in made.items() if len(frame)}


def _placed(
    layout: Layout,
    timed: Sequence[tuple[Mapped, pd.Series]],
    rows: Mapping[str, pd.Series],
    where: tuple[str, str],
    faults: Faults,
) -> list[Timed]:
    """Give each period its year: its own, the title's, or the latest that the headings name."""
    named = [item.period.year for item, _ in timed if item.period and item.period.year]
    own = layout.year or max(named, default=None)
    placed = []
    for item, values in timed:
        period = item.period or Period()
        if "year" in rows:
            if period.year is not None or period.whole:
                faults.add("period_ignored", *where, heading=item.heading)
                continue
            placed.append(Timed(item, values, period))
            continue
        dated = period.in_year(own)
        if dated is None:
            faults.add("no_year", *where, heading=item.heading)
        else:
            placed.append(Timed(item, values, dated))
    return placed


def _by_year(
    columns: list[Timed],
    rows: Mapping[str, pd.Series],
    where: tuple[str, str],
    headings: Mapping[str, str],
    faults: Faults,
) -> pd.DataFrame:
    """Return one row per firm and year in which any of the columns is filled."""
    constant = {name: values for name, values in rows.items() if name not in ("credit_code", "name", "year", *PLACE)}
    timed_names = {_name(column) for column in columns}
    years = sorted({c.period.year for c in columns if c.period.year is not None})
    flows = {name for name in constant if _is_flow(name) and name not in timed_names}
    for name in constant:
        if name not in timed_names and len(years) > 1:
            rule = "period_latest" if name in flows else "period_spread"
            faults.add(rule, *where, heading=headings.get(name, name), year=years[-1])
    pieces = []
    for year in years:
        own = {_name(c): c.values for c in columns if c.period.year == year}
        base = {n: v for n, v in {**rows, **constant}.items() if n not in flows or year == years[-1]}
        frame = pd.DataFrame({**base, **own, "year": pd.Series(float(year), index=rows["source_row"].index)})
        pieces.append(frame[frame[list(own)].notna().any(axis=1).to_numpy()])
    return pd.concat(pieces, ignore_index=True)


def _is_flow(name: str) -> bool:
    """Whether an annual column is a figure of its year and of no other: money, power, waste, a grade; not land or buildings."""
    column = of_sheet("annual").get(name)
    if column is None or column.kind == "grade":
        return column is not None
    return column.kind in NUMERIC and (find_unit(column.unit) or ("",))[0] not in ("area", "")


def _name(column: Timed) -> str:
    """Return the canonical name under which a column's values stand."""
    name = column.item.column.name
    return "above_scale" if name == "below_scale" else name


def _by_month(
    columns: list[Timed], rows: Mapping[str, pd.Series], where: tuple[str, str], faults: Faults
) -> pd.DataFrame:
    """Return one row per firm and month; running totals are differenced."""
    pieces = []
    base = {name: rows[name] for name in ("credit_code", "name", "year", *PLACE) if name in rows}
    for year in sorted({c.period.year for c in columns}, key=lambda y: y or 0):
        own = [c for c in columns if c.period.year == year]
        alone = {c.period.last: c.values for c in own if c.period.first == c.period.last}
        until = {c.period.last: c.values for c in own if c.period.first == 1}
        months = _months(alone, until, rows, where, faults)
        for (first, month), values in sorted(months.items()):
            frame = pd.DataFrame({**base, "tax_wan": values, "month": float(month), "first": float(first)})
            frame = frame if year is None else frame.assign(year=float(year))
            pieces.append(frame[values.notna().to_numpy()])
    return pd.concat(pieces, ignore_index=True)


Months = dict[tuple[int, int], pd.Series]


def _months(
    alone: Mapping[int, pd.Series],
    until: Mapping[int, pd.Series],
    rows: Mapping[str, pd.Series],
    where: tuple[str, str],
    faults: Faults,
) -> Months:
    """Return figures by the first and last month that they cover: of the months alone, else of running totals.

    One month beside the running total that it ends (本月, 累计) leaves the months before it as one figure.
    """
    if max(alone, default=0) <= 1:
        return _differences(until, rows, where, faults)
    months = {(month, month): values for month, values in alone.items()}
    last = max(alone)
    if len(alone) == 1 and last in until:
        months[(1, last - 1)] = until[last] - alone[last].fillna(0.0)
        faults.add("months_lumped", *where, first=1, last=last - 1)
    return months


def _differences(
    until: Mapping[int, pd.Series], rows: Mapping[str, pd.Series], where: tuple[str, str], faults: Faults
) -> Months:
    """Return each month's own figure from running totals; months that no total ends stand in the next one (told)."""
    made: Months = {}
    before, last = None, 0
    for month, total in sorted(until.items()):
        known = total if before is None else total - before.fillna(0.0)
        if month - last > 1:
            faults.add("months_lumped", *where, first=last + 1, last=month)
        if before is not None:
            fallen = np.flatnonzero((total < before).to_numpy())
            lines = [(int(rows["source_row"].iloc[i]), total.iloc[i]) for i in fallen]
            faults.add_rows("total_falls", where, lines, month=month)
        made[(last + 1, month)] = known
        before = total if before is None else total.where(total.notna(), before)
        last = month
    return made


def difference_rows(frame: pd.DataFrame, where: tuple[str, str], faults: Faults) -> pd.DataFrame:
    """Return monthly rows whose figures ran from January as figures of the month alone (逐月累计还原)."""
    if not {"credit_code", "year", "month"} <= set(frame):
        return frame
    ordered = frame.sort_values(["credit_code", "year", "month"], kind="stable")
    before = ordered.groupby(["credit_code", "year"], sort=False)["tax_wan"].shift(1)
    own = ordered["tax_wan"] - before.fillna(0.0)
    fallen = ordered[(ordered["tax_wan"] < before).to_numpy(dtype=bool)]
    lines = list(zip(fallen["source_row"], fallen["tax_wan"], strict=True))
    faults.add_rows("total_falls", where, lines, month="")
    return ordered.assign(tax_wan=own).sort_index()


def apart(frame: pd.DataFrame) -> pd.DataFrame:
    """Return monthly rows of which none counts a month that another row of the firm counts already.

    A figure that covers several months (``first`` to ``month``) keeps what the earlier rows within them leave of it: the running
    totals of September and October, from two files, become the months to September and October.
    """
    first = frame["first"].fillna(frame["month"]).to_numpy()
    month, tax = frame["month"].to_numpy(dtype=float), frame["tax_wan"].to_numpy(dtype=float).copy()
    lumps = pd.Series(first < month, index=frame.index)
    keys = [frame["credit_code"], frame["year"]]
    several = lumps.groupby(keys).transform("any") & (lumps.groupby(keys).transform("size") > 1)
    where = np.flatnonzero(several.to_numpy(dtype=bool))
    for places in pd.Series(where).groupby([key.iloc[where].to_numpy() for key in keys]).indices.values():
        mine = where[places]
        for place in sorted(mine, key=lambda i: (month[i], -first[i])):
            if first[place] < month[place]:
                within = [i for i in mine if first[place] <= month[i] < month[place]]
                shortest = {month[i]: i for i in sorted(within, key=lambda i: first[i])}
                tax[place] -= np.nansum([tax[i] for i in shortest.values()])
    return frame.assign(tax_wan=tax)
