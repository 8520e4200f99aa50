"""A disposal plan (处置方案) as given: a frame or a file, read as a ledger's disposals are, every fault told with row, column and value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lyeval.ledger import Fault, Ledger, LedgerError
from lyeval.ledger.columns import records
from lyeval.ledger.faults import Faults, shown
from lyeval.ledger.grids import Grid, read_grids
from lyeval.ledger.layout import Layout, Mapped, find_layout
from lyeval.ledger.summaries import TOTAL
from lyeval.ledger.typed import Odd, cell_of, convert
from lyeval.ledger.vocabulary import key, tidy
from lyeval.simulation.known import Note, note
from lyeval.told import Pair, Told

Source = pd.DataFrame | str | Path


@dataclass(frozen=True)
class PlanFault(Fault):
    """A fault that only a plan can have: its rule is the ledger's nearest, its words are the plan's."""

    told: Pair = ("", "")

    def message(self, lang: str = "zh") -> str:
        """Return what is wrong and what to do."""
        return self.told[lang == "en"]


class PlanError(LedgerError):
    """A plan that cannot be used: all its faults, told at once as a ledger's are."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__(faults)
        found = [fault for fault in self.faults if fault.severity == "error"]
        self.zh = f"处置方案有 {len(found)} 处错误：" + "；".join(fault.text("zh") for fault in found[:SHOWN])
        self.en = f"{len(found)} errors in the disposal plan: " + "; ".join(fault.text("en") for fault in found[:SHOWN])

    def __reduce__(self) -> tuple[object, ...]:
        return PlanError, (self.faults,)


@dataclass(frozen=True, eq=False)
class Given:
    """A plan as read: its rows in canonical columns, sorted by credit code, and what is worth a remark."""

    rows: pd.DataFrame
    notes: tuple[Note, ...]


def read_plan(plan: Source, ledger: Ledger, known: Mapping[str, Pair], words: Mapping[str, str] | None = None) -> Given:
    """Read a plan as a ledger's disposals are read.

    Parameters
    ----------
    plan
        A frame, or a file (CSV, XLSX …), with headings, methods, dates and units as in a ledger.
    ledger
        Whose enterprises the plan names.
    known
        The methods that can be simulated, with their names in Chinese and in English.
    words
        A policy's own labels of methods → canonical id.

    Returns
    -------
    Given
        Columns credit_code, method, started, due, successor_code, cost_wan (万元), released_mu (亩), demolished_m2 (m²), as far as
        the plan has them, one row an enterprise.

    Raises
    ------
    PlanError
        Every fault: a column that is lacking, an enterprise that the ledger does not have or that stands twice, a method that nobody
        knows, a date or figure that is none, a term before the start.
    Told
        If it is neither a frame nor a file.
    """
    faults = Faults()
    grid = _grid(plan, faults)
    layout = find_layout(grid, faults) if grid is not None else None
    table = _Table(grid or Grid("", "", [], []), layout, faults, ledger)
    rows = table.rows(words or {})
    table.check(rows, known)
    if faults.errors():
        raise PlanError(faults.items)
    told = [note("plan_told", zh=fault.text("zh"), en=fault.text("en")) for fault in faults.items]
    return Given(rows.sort_values("credit_code", kind="stable", ignore_index=True), (*table.unused(), *told[:SHOWN]))


def _grid(plan: Source, faults: Faults) -> Grid | None:
    """Return a plan's cells, its own names of columns put as a ledger has them."""
    if isinstance(plan, str | Path):
        grids = read_grids(Path(plan), faults)[0]
        return _renamed(grids[0]) if grids else None
    if not isinstance(plan, pd.DataFrame):
        kind = type(plan).__name__
        zh, en = "处置方案应为表（DataFrame）或文件", "a disposal plan must be a DataFrame or a file"
        raise Told(f"{zh}，现为 {kind}", f"{en}, not {kind}")
    columns = [[None if pd.isna(cell) else cell for cell in plan[name].tolist()] for name in plan]
    return _renamed(Grid("plan", "", [list(map(str, plan))], columns))


def _renamed(grid: Grid) -> Grid:
    """Put 承接企业 and successor as the column that a ledger knows, and leave out what a portfolio says of its rows."""
    if not grid.head:
        grid = Grid(grid.file, grid.sheet, grid.top(1), [column[1:] for column in grid.columns], grid.first_row)
    last = [str(cell).strip() for cell in grid.head[-1]] if grid.head else []
    kept = [place for place, name in enumerate(last) if name not in OWN]
    head = [
        [RENAMED.get(str(row[place]).strip(), row[place]) for place in kept if place < len(row)] for row in grid.head
    ]
    return Grid(grid.file, grid.sheet, head, [grid.columns[place] for place in kept], grid.first_row)


@dataclass(frozen=True, eq=False)
class _Table:
    """A plan's table on its way to canonical rows."""

    grid: Grid
    layout: Layout | None
    faults: Faults
    ledger: Ledger

    @property
    def columns(self) -> dict[str, Mapped]:
        """The columns that bear on a projection, by canonical name."""
        found = self.layout.columns if self.layout else ()
        return {item.column.name: item for item in found if item.column.name in USED}

    def unused(self) -> list[Note]:
        """Say which columns a ledger knows and a projection does not read."""
        found = self.layout.columns if self.layout else ()
        names = [item.heading for item in found if item.column.name not in (*USED, *SILENT)]
        return [note("plan_unused", names="、".join(names))] if names else []

    def add(self, rule: str, told: Pair, row: int | None = None, name: str = "", value: Any = None) -> None:
        """Add a fault of the plan's own."""
        item = self.columns.get(name)
        place = (self.grid.file, self.grid.sheet, row, item.heading if item else "", shown(value))
        self.faults.items.append(PlanFault(rule, "error", *place, told=told))

    def rows(self, words: Mapping[str, str]) -> pd.DataFrame:
        """Convert the columns, telling what cannot be read; blank rows and totals are left out, ``row`` is their place."""
        lacking = [name for name in REQUIRED if name not in self.columns]
        if lacking and not self.faults.errors():
            zh, en = "、".join(REQUIRED[name] for name in lacking), f"the plan lacks the columns {lacking}"
            self.add("no_key", (f"方案缺列：{zh}", en))
        if lacking or self.layout is None:
            return pd.DataFrame({name: [] for name in ("row", *REQUIRED)})
        raws, first = self.grid.body(self.layout.body), self.grid.first_row + self.layout.body
        frame: dict[str, Any] = {"row": range(first, first + len(raws[0]))}
        for name, item in self.columns.items():
            raw = raws[item.place]
            cells = convert(raw, item.column, item.ratio, words)
            frame[name] = cells.values.to_numpy(dtype=object)
            frame[f"{name}_as_written"] = [cell_of(raw, position) for position in range(len(cells.values))]
            for position, odd in cells.odd if name not in ("credit_code", "method", "successor_code") else ():
                self._tell(odd, item, first + position, cell_of(raw, position))
        made = pd.DataFrame(frame)
        written = made[[f"{name}_as_written" for name in self.columns]]
        blank = written.map(lambda cell: cell is None or not str(cell).strip()).all(axis=1)
        total = made["credit_code_as_written"].map(lambda cell: bool(TOTAL.fullmatch(key(str(cell)))))
        return made[~blank & ~total].reset_index(drop=True)

    def _tell(self, odd: Odd, item: Mapped, row: int, value: Any) -> None:
        if odd.rule:
            place = {"row": row, "heading": item.heading, "value": value}
            names = {"column": item.column.zh, "column_en": item.column.en}
            self.faults.add(odd.rule, *self.grid.where, **(names | dict(odd.params) | place))

    def check(self, rows: pd.DataFrame, known: Mapping[str, Pair]) -> None:
        """Check whom the rows name, and how; in place each gets the ledger's code of its enterprise and successor."""
        firms = self.ledger.enterprises
        codes = dict(zip(firms["credit_code"].map(tidy), firms["credit_code"], strict=True))
        named = _by_name(self.ledger)
        for i, row in enumerate(records(rows)):
            written = row["credit_code_as_written"]
            code = codes.get(tidy(written if written is not None else ""))
            self._check_firm(row, code, named)
            self._check_method(row, known)
            self._check_dates(row)
            rows.loc[i, "credit_code"] = code
            if "successor_code" in row:
                taker = str(row["successor_code_as_written"] or "").strip()
                rows.loc[i, "successor_code"] = codes.get(tidy(taker)) or named.get(taker)
                if taker and rows.loc[i, "successor_code"] is None:
                    told = {"row": row["row"], "heading": self.columns["successor_code"].heading, "value": taker}
                    self.faults.items.append(_warned(self.grid, told))
        again = rows[rows["credit_code"].notna() & rows["credit_code"].duplicated()]
        for row in records(again):
            told = "同一企业在方案中只能写一次", f"firms stand twice: {row['credit_code']}"
            self.add("duplicate_enterprise", told, row["row"], "credit_code", row["credit_code_as_written"])

    def _check_firm(self, row: Mapping[str, Any], code: str | None, named: Mapping[str, str]) -> None:
        written = str(row["credit_code_as_written"] or "").strip()
        if code is not None:
            return
        told = f"{written}不在台账的企业中", f"credit codes not in the ledger: {written}"
        if written in named:
            zh = f"这里应填统一社会信用代码，{written}的是 {named[written]}"
            told = zh, f"a name where the credit code is due, which is {named[written]}"
        self.add("orphan", told, row["row"], "credit_code", written)

    def _check_method(self, row: Mapping[str, Any], known: Mapping[str, Pair]) -> None:
        if row["method"] in known:
            return
        zh, en = "、".join(zh for zh, _ in known.values()), sorted(known)
        told = f"处置方式应为{zh}之一", f"methods must be among {en}"
        self.add("method_unknown", told, row["row"], "method", row["method_as_written"])

    def _check_dates(self, row: Mapping[str, Any]) -> None:
        started, due = row.get("started"), row.get("due")
        if started is not None and due is not None and due < started:
            told = "完成期限早于开始日期", "the term ends before the start"
            self.add("date_order", told, row["row"], "due", row["due_as_written"])


def _by_name(ledger: Ledger) -> dict[str, str]:
    """Return the credit code of each name that one enterprise alone has."""
    firms = ledger.enterprises
    if "name" not in firms:
        return {}
    alone = firms[firms["name"].notna() & ~firms["name"].duplicated(keep=False)]
    return dict(zip(alone["name"].astype(str), alone["credit_code"].astype(str), strict=True))


def _warned(grid: Grid, place: Mapping[str, Any]) -> PlanFault:
    told = "承接企业不在台账中，按未知承接方测算", "the successor is not in the ledger: projected as unknown"
    return PlanFault("orphan", "warning", *grid.where, **place, told=told)


REQUIRED = {"credit_code": "统一社会信用代码", "method": "处置方式"}
FIGURES = ("cost_wan", "released_mu", "demolished_m2")
USED = (*REQUIRED, "started", "due", "successor_code", *FIGURES)
SILENT = ("name", "township", "county", "park", "land_mu")
RENAMED = {"successor": "successor_code", "承接企业": "successor_code", "承接方": "successor_code"}
OWN = (
    "label",
    "label_en",
    "why",
    "why_en",
    "condition",
    "condition_en",
    "payer",
    "new",
    "clause",
    "in_good_plans",
)  # a portfolio's words
SHOWN = 20
