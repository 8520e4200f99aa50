"""Wide tables (宽表): one row per firm and a column per year or month, turned into rows; running totals differenced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lyeval.ledger.columns import NUMERIC, PLACE, of_sheet
from lyeval.ledger.faults import Faults
from lyeval.ledger.headings import Period
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.vocabulary import find_unit

Rows = Mapping[str, pd.Series]
When = tuple[int | None, int]


@dataclass(frozen=True)
class Timed:
    """A column about one period: its meaning, its values, its months, and its year (or how many before the row's own)."""

    item: Mapped
    values: pd.Series
    period: Period

    @property
    def name(self) -> str:
        """The canonical name under which the values stand."""
        name = self.item.column.name
        return "above_scale" if name == "below_scale" else name

    @property
    def when(self) -> When:
        """The year, or None and how many years before the row's own."""
        return self.period.year, 0 if self.period.year is not None else self.period.back or 0


def unpivot(
    layout: Layout, timed: Sequence[tuple[Mapped, pd.Series]], rows: Rows, faults: Faults
) -> dict[str, pd.DataFrame]:
    """Turn the columns that name a period into rows of ``annual`` and ``monthly``.

    A column keeps the period of its own heading. One without takes the row's year, else the title's, else that of the latest tax
    column; land and buildings stand for every year of which the headings name the tax (told).

    Parameters
    ----------
    timed : sequence of (Mapped, Series)
        The columns with a period and their converted values, one per firm.
    rows : Mapping
        What every row has besides: ``credit_code``, ``name``, ``year`` (if the table has it), its place, and the
        annual columns without a period.

    Returns
    -------
    dict of DataFrame
        Sheet → rows; a sheet without any is absent.
    """
    taxed = {i.period.year for i, _ in timed if i.period and i.period.year and i.column.name == "tax_wan"}
    own = None if "year" in rows else layout.year or max(taxed, default=None)
    table = _Table(rows, own, taxed, {i.column.name: i.heading for i in layout.columns}, faults)
    columns: list[Timed] = []
    for item, values in timed:
        period = item.period or Period()
        placed = period if "year" in rows else period.in_year(own)
        if placed is None:
            faults.add("no_year", *table.where, heading=item.heading)
        else:
            columns.append(Timed(item, values, placed))
    annual, monthly = [c for c in columns if c.period.whole], [c for c in columns if not c.period.whole]
    made = {"annual": table.by_year(annual)}
    months = [c for c in monthly if c.item.column.name == "tax_wan"]
    for column in monthly:
        if column not in months:
            faults.add("period_ignored", *table.where, heading=column.item.heading)
    if months:
        running = {c.when for c in months if (c.period.first, c.period.last) == (1, 11)}
        whole = [c for c in annual if c.item.column.name == "tax_wan" and c.when in running]
        made["monthly"] = table.by_month([*months, *whole])
    return {sheet: frame for sheet, frame in made.items() if len(frame)}


@dataclass(frozen=True)
class _Table:
    """A wide table: what every row has besides, its own year, the years whose tax it names, and its headings by column."""

    rows: Rows
    own: int | None
    taxed: set[int]
    headings: Mapping[str, str]
    faults: Faults

    @property
    def where(self) -> tuple[str, str]:
        """File and sheet."""
        return str(self.rows["source_file"].iloc[0]), str(self.rows["source_sheet"].iloc[0])

    @property
    def base(self) -> dict[str, pd.Series]:
        """What says whose each row is, and where it stands."""
        return {n: v for n, v in self.rows.items() if n in ("credit_code", "name", *PLACE)}

    def years(self, when: When) -> pd.Series:
        """Return the year of each row of a group of columns."""
        year, back = when
        index = self.rows["source_row"].index
        return pd.Series(float(year), index=index) if year is not None else self.rows["year"] - back

    def by_year(self, columns: list[Timed]) -> pd.DataFrame:
        """Return one row per firm and year in which any of the columns is filled."""
        groups: dict[When, dict[str, pd.Series]] = {(None, 0): {}} if "year" in self.rows else {}
        for column in columns:
            groups.setdefault(column.when, {})[column.name] = column.values
        telling = {when: list(values) for when, values in groups.items()}
        constant = {n: v for n, v in self.rows.items() if n not in self.base and n != "year"}
        self._spread(constant, groups)
        pieces: dict[When, pd.DataFrame] = {}
        for when in sorted(groups, key=lambda w: (w[0] or 0, -w[1])):
            frame = pd.DataFrame({**self.base, **groups[when], "year": self.years(when)})
            flows = [n for n in groups[when] if n in constant and _is_flow(n)]
            names = [*telling.get(when, []), *flows]
            names = list(groups[when]) if not names or when == (self.own, 0) else names
            filled = frame[names].notna().any(axis=1).to_numpy() if names else np.zeros(len(frame), dtype=bool)
            pieces[when] = frame if when == (None, 0) else frame.loc[filled]
        if "year" not in self.rows:
            return pd.concat(pieces.values(), ignore_index=True) if pieces else pd.DataFrame()
        return self._beside(pieces.pop((None, 0)), list(pieces.values()))

    def _spread(self, constant: dict[str, pd.Series], groups: dict[When, dict[str, pd.Series]]) -> None:
        """Put the columns without a period of their own into the years that they are about (in place)."""
        own = self.own
        every = {year for year, _ in groups if year is not None}
        taxed = {year for (year, _), columns in groups.items() if year is not None and "tax_wan" in columns}
        mine = own is not None and (own in every or not taxed or any(map(_is_flow, constant)))
        stock = ({own} | self.taxed if mine else taxed) or every
        for name, values in constant.items():
            heading, flow = self.headings.get(name, name), _is_flow(name)
            if "year" in self.rows:
                groups[(None, 0)].setdefault(name, values)
                continue
            if flow and own is None:
                self.faults.add("year_wanted", *self.where, heading=heading)
                continue
            years = sorted(y for y in ({own} if flow else stock) if y is not None)
            for year in years:
                groups.setdefault((year, 0), {}).setdefault(name, values)
            if flow and own in self.taxed and len(every) > 1:
                self.faults.add("period_latest", *self.where, heading=heading, year=own)
            elif not flow and len(years) > 1:
                self.faults.add("period_spread", *self.where, heading=heading, year=years[-1])

    def _beside(self, own: pd.DataFrame, others: list[pd.DataFrame]) -> pd.DataFrame:
        """Add to the rows of a table with years what its columns of other years say: the years' own rows go before them."""
        others = [frame for frame in others if len(frame)]
        if not others or "credit_code" not in own:
            return own
        keys = ["credit_code", "year"]
        more = pd.concat(others, ignore_index=True).groupby(keys, sort=False, as_index=False).first()
        own = own.reset_index(drop=True)
        firsts = own.loc[~own.duplicated(keys), keys].reset_index(names="at")
        both = more.merge(firsts, on=keys, how="left")
        known = both["at"].notna().to_numpy()
        at = both.loc[known, "at"].to_numpy(dtype=int)
        for name in more.columns.difference([*keys, "name", *PLACE]):
            said = both.loc[known, name].to_numpy()
            if name not in own:
                own[name] = more[name].iloc[:0].reindex(own.index)
            have = own[name].iloc[at]
            blank = have.isna().to_numpy()
            differs = ~blank & ~pd.isna(said) & (have.to_numpy() != said)
            lines = list(zip(both.loc[known, "source_row"][differs], said[differs], strict=True))
            self.faults.add_rows("last_year_differs", self.where, lines, heading=self.headings.get(name, name))
            own.loc[at[blank], name] = said[blank]
        return pd.concat([own, more[~known]], ignore_index=True)

    def by_month(self, columns: list[Timed]) -> pd.DataFrame:
        """Return one row per firm and span of months; running totals are differenced."""
        pieces: list[pd.DataFrame] = []
        for when in sorted({c.when for c in columns}, key=lambda w: (w[0] or 0, -w[1])):
            spans = {(c.period.first, c.period.last): c.values for c in columns if c.when == when}
            dated = when[0] is not None or "year" in self.rows
            for (first, month), values in sorted(_months(spans, self.rows, self.where, self.faults).items()):
                frame = pd.DataFrame({**self.base, "tax_wan": values, "month": float(month), "first": float(first)})
                frame = frame.assign(year=self.years(when)) if dated else frame
                frame = frame[values.notna().to_numpy()]
                pieces.append(frame if "year" not in self.rows or when[0] is None else self._once(frame, when[0]))
        return pd.concat(pieces, ignore_index=True)

    def _once(self, frame: pd.DataFrame, year: int) -> pd.DataFrame:
        """Take the months of a named year once a firm, however many of its years' rows repeat them: from that year's own row."""
        own = self.rows["year"].reindex(frame.index).eq(year)
        frame = frame.loc[own.sort_values(ascending=False, kind="stable").index]
        again = frame["credit_code"].duplicated() if "credit_code" in frame else own & False
        first = frame[~again].set_index("credit_code")["tax_wan"] if again.any() else frame["tax_wan"]
        rest = frame[again]
        differs = rest["credit_code"].map(first) != rest["tax_wan"] if len(rest) else again[again]
        lines = list(zip(rest["source_row"][differs], rest["tax_wan"][differs], strict=True))
        self.faults.add_rows("last_year_differs", self.where, lines, heading=self.headings.get("tax_wan", "tax_wan"))
        return frame[~again].sort_index()


def _is_flow(name: str) -> bool:
    """Whether an annual column is a figure of its year and of no other: money, power, waste, a grade; not land or buildings."""
    column = of_sheet("annual").get(name)
    if column is None or column.kind == "grade":
        return column is not None
    return column.kind in NUMERIC and (find_unit(column.unit) or ("",))[0] not in ("area", "")


Months = dict[tuple[int, int], pd.Series]


def _months(spans: Months, rows: Rows, where: tuple[str, str], faults: Faults) -> Months:
    """Return figures by the first and last month that they cover, each month once: the shortest spans that are given.

    A longer span keeps what the shorter ones within it leave, if that is one piece: 本月 beside 累计 leaves the months before.
    """
    if all(first == 1 for first, _ in spans):
        return _differences({last: values for (_, last), values in spans.items()}, rows, where, faults)
    made: Months = {}
    for (first, last), values in sorted(spans.items(), key=lambda item: (item[0][1] - item[0][0], item[0])):
        within = [span for span in made if first <= span[0] and span[1] <= last]
        taken = {m for a, b in within for m in range(a, b + 1)}
        left = [m for m in range(first, last + 1) if m not in taken]
        cut = any(a <= last and first <= b for a, b in made if (a, b) not in within)
        if not left or cut or left[-1] - left[0] + 1 != len(left):
            continue
        rest = values.copy()
        for span in within:
            rest = rest - made[span].fillna(0.0)
        made[(left[0], left[-1])] = rest
        if left[-1] > left[0]:
            faults.add("months_lumped", *where, first=left[0], last=left[-1])
    return made


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
