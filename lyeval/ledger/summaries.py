"""Tables that are no tables of firms (汇总表、字典、样表): told what they are; a summary is compared with our own sums."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from lyeval.ledger.columns import COLUMNS, Column, of_sheet
from lyeval.ledger.faults import Faults
from lyeval.ledger.grids import Grid
from lyeval.ledger.layout import Layout, Mapped
from lyeval.ledger.typed import Odd, Raw, cell_of, number, texts_of
from lyeval.ledger.vocabulary import PATTERNS, key, terms
from lyeval.workbooks import base_of

Passed = tuple[Grid, Layout]


def taken_for(name: str, firms: bool = True) -> tuple[str, str] | None:
    """Return what a sheet of this name is, in both languages, if it is no table of firms.

    ``firms`` tells that the sheet names firms: then it is none only as an example, a dictionary or notes, not as a summary.
    """
    word = key(base_of(name) or "")
    names = terms("no_firms")[: 4 if firms else None]
    return next(((zh, en) for pattern, zh, en in names if re.search(pattern, word)), None)


def compare_summaries(passed: Sequence[Passed], frames: Mapping[str, pd.DataFrame], faults: Faults) -> None:
    """Tell the tables that were not read, and where a summary by township, county or industry is not what our firms add to."""
    for grid, layout in passed:
        groups = None if taken_for(grid.sheet) else _groups(grid, layout, frames)
        named = SUMMARY if groups is not None else taken_for(grid.sheet, firms=False) or NAMELESS
        faults.add("sheet_passed", *grid.where, what=named[0], what_en=named[1])
        if groups is not None:
            _compare(grid, layout, *groups, frames, faults)


def _groups(grid: Grid, layout: Layout, frames: Mapping[str, pd.DataFrame]) -> tuple[str, list[str]] | None:
    """Return by which column of the enterprises a table is grouped, and each row's group; None for other tables."""
    firms = frames.get("enterprises")
    if firms is None:
        return None
    body = grid.body(layout.body)
    for place in range(min(len(body), 4)):
        labels = [CLASS.sub(r"规\1", key(str(cell_of(body[place], p) or ""))) for p in range(grid.height - layout.body)]
        for name in ("township", "county", "park", "industry_code", "above_scale"):
            own = set(_labels(frames, name))
            groups = sum(bool(label) and not TOTAL.fullmatch(label) for label in labels)
            if sum(label in own for label in labels) * 2 >= max(groups, 1):
                return name, labels
    return None


def _compare(
    grid: Grid, layout: Layout, group: str, labels: list[str], frames: Mapping[str, pd.DataFrame], faults: Faults
) -> None:
    """Compare each figure of a summary with the sum over the firms of its group."""
    annual = frames.get("annual")
    if annual is None or not len(annual):
        return
    rows = annual.assign(group=_labels(frames, group))
    body = grid.body(layout.body)
    heads = [*layout.columns, *_counts(grid, layout)]
    for item in heads:
        period = item.period.in_year(layout.year) if item.period else None
        year = (period.year if period else layout.year) or int(annual["year"].max())
        mine = rows[(rows["year"] == year).to_numpy()]
        figures = _figures(item, mine)
        if figures is None or (item.period is not None and not item.period.whole):
            continue
        for position, label in enumerate(labels):
            told = number(cell_of(body[item.place], position), item.column.unit) if label else None
            stated = told.value if isinstance(told, Odd) else told
            part = figures if TOTAL.fullmatch(label) else figures[(mine["group"] == label).to_numpy()]
            if not isinstance(stated, float) or not (len(part) or TOTAL.fullmatch(label)):
                continue
            written = part / float(item.ratio)
            own = float(np.nansum(written))
            if abs(stated - own) > _slack(stated, written):
                place = {"row": grid.first_row + layout.body + position, "heading": item.heading, "value": stated}
                shown = {"stated": f"{stated:.10g}", "own": f"{own:.10g}", "year": year, "column": item.heading}
                name = str(next(c for c in (cell_of(b, position) for b in body) if key(str(c or "")).startswith(label)))
                faults.add("summary_differs", grid.file, grid.sheet, **place, **shown, group=name)


def _labels(frames: Mapping[str, pd.DataFrame], name: str) -> list[str]:
    """Return the group of each annual row, as a summary labels it; empty where it has none."""
    annual, firms = frames.get("annual", pd.DataFrame()), frames["enterprises"]
    if name in annual and name == "above_scale":
        return [{True: "规上", False: "规下"}.get(flag, "") for flag in annual[name].fillna(pd.NA).astype(object)]
    if name not in firms or not len(annual):
        return []
    known = firms.set_index("credit_code")[name]
    return [key(str(v)) if pd.notna(v) else "" for v in annual["credit_code"].map(known)]


def _figures(item: Mapped, rows: pd.DataFrame) -> np.ndarray | None:
    """Return what a column of a summary adds up, per firm; None when the firms do not say it."""
    name = item.column.name
    if name == "all":
        return np.ones(len(rows))
    if name in ("above", "below") and "above_scale" in rows:
        return (rows["above_scale"] == (name == "above")).fillna(False).to_numpy(dtype=float)
    return rows[name].to_numpy(dtype=float) if item.column.adds and name in rows else None


def _counts(grid: Grid, layout: Layout) -> Iterator[Mapped]:
    """Give the columns that count firms."""
    for place, cell in enumerate(grid.top(layout.body)[-1]):
        heading = key(str(cell or ""))
        name = next((name for pattern, name, _ in terms("count") if re.fullmatch(pattern, heading)), None)
        if name:
            yield Mapped(replace(of_sheet("counties")["enterprises"], name=name), str(cell), place)


@dataclass(frozen=True)
class Total:
    """A total row: its position, and its level: 1 小计, 2 the total of a named group, 3 of everything."""

    position: int
    level: int


def compare_totals(
    columns: Sequence[tuple[Mapped, np.ndarray]],
    rows: np.ndarray,
    totals: np.ndarray,
    groups: Sequence[np.ndarray],
    raws: Sequence[Raw],
    first: int,
    where: tuple[str, str],
    faults: Faults,
) -> None:
    """Tell the total rows that are not the sum of their rows: of the group that the label names, else of the rows beside them.

    Parameters
    ----------
    columns : sequence of (Mapped, ndarray)
        The columns that totals add up, with their figures as written (in the unit of the heading).
    rows : ndarray of bool, shape (n,)
        The rows that totals count: every row of figures, those without a code among them.
    totals : ndarray of int
        Positions of the total rows.
    groups : sequence of ndarray of str
        What each column that groups firms (township, class …) says of each row.
    first : int
        1-based number of the table's first row.
    """
    if not len(totals) or not columns:
        return
    labels = [_label([cell_of(raw, int(p)) for raw in raws]) for p in totals]
    found = [Total(int(p), _level(label)) for p, label in zip(totals, labels, strict=True)]
    stems = [CLASS.sub(r"规\1", STEM.sub("", label)) for label in labels]
    own = {t.position: [rows & (g == s) for g in groups if s and s in g] for t, s in zip(found, stems, strict=True)}
    if sum(total.level == ALL for total in found) > 1:
        found = [Total(t.position, min(t.level, GROUP)) for t in found]
    data = [np.where(rows, figures, np.nan) for _, figures in columns]
    above = _side(columns, data, found)
    for (item, written), figures in zip(columns, data, strict=True):
        wrong: list[tuple[Total, float]] = []
        for total in sorted(found, key=lambda t: t.level):
            stated = written[total.position]
            places = [*own[total.position], _group(total, found, len(rows), above)]
            parts = [part for place in places if np.isfinite(part := figures[place]).any()]
            if not np.isfinite(stated) or not parts:
                continue
            part = parts[0]
            told = sum(gap for other, gap in wrong if other.level < total.level)
            gap = stated - float(np.nansum(part))
            sums = [gap - told, *(stated - float(np.nansum(other)) for other in parts)]
            sums += [stated - float(np.nansum(figures))] if total.level == GROUP else []
            if min(map(abs, sums)) > _slack(stated, part):
                wrong.append((total, gap))
                place = {"row": first + total.position, "heading": item.heading}
                shown = {"total": f"{stated:.10g}", "sum": f"{stated - gap:.10g}"}
                cell = cell_of(raws[item.place], total.position)
                faults.add("total_mismatch", *where, **place, value=cell, **shown)


def _label(cells: list[object]) -> str:
    """Return the label of a total row, without a number of firms: its word for a total, else its first text."""
    words = [word for cell in cells if isinstance(cell, str) and (word := key(cell))]
    return re.sub(r"[0-9家户企业个]*$", "", next(filter(TOTAL.fullmatch, words), "".join(words[:1])))


def _level(label: str) -> int:
    """Return the level of a total row by its label."""
    if label in ("小计", "subtotal"):
        return SUB
    return ALL if re.fullmatch(r"总?合计|总计|累计|共计|合计数|全[县区市].*|total|sum", label) else GROUP


def _side(columns: Sequence[tuple[Mapped, np.ndarray]], data: Sequence[np.ndarray], totals: Sequence[Total]) -> bool:
    """Whether groups stand above their totals, as most of the totals that fit say."""
    fits = [0, 0]
    for (_, written), figures in zip(columns, data, strict=True):
        for total in (t for t in totals if t.level < ALL):
            stated = written[total.position]
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


def _slack(stated: float, figures: np.ndarray) -> float:
    """Return by how much a total of some figures may differ for rounding; of whole numbers by nothing."""
    known = figures[np.isfinite(figures)]
    decimals = min(len(f"{stated:.6f}".rstrip("0").partition(".")[2]), 6)
    if not decimals and np.allclose(known, np.rint(known), rtol=0.0, atol=1e-9):
        return 1e-9 * abs(stated) + 1e-6
    return max(1e-9 * abs(stated), 10.0**-decimals * (0.5 + 0.9 * len(known) ** 0.5))


SUMMARY, NAMELESS = (tuple(words) for _, *words in terms("passed"))
SUB, GROUP, ALL = 1, 2, 3
CLASS = re.compile(r"^规(?:模以)?([上下])(?:工业)?(?:企业)?$")
STEM = re.compile("^(其中|一|二|三|四|五|六|七|八|九|十|[0-9a-z])|(小计|合计|总计)$")
TOTAL = PATTERNS["total"]


@dataclass(frozen=True)
class Remark:
    """A remark that speaks of a column: where it stands, whose it is, its text, the word, and the column."""

    file: str
    sheet: str
    row: int
    heading: str
    code: str
    text: str
    word: str
    column: Column


def remarks_of(grid: Grid, layout: Layout, data: Sequence[int], codes: pd.Series) -> Iterator[Remark]:
    """Give the remarks of a table's unread columns that speak of a column of the ledger; what they plainly deny is not said.

    ``data`` are the positions of data rows.
    """
    read = {item.place for item in layout.columns}
    raws = grid.body(layout.body)
    for at, cell in enumerate(grid.top(layout.body)[-1][: len(raws)] if layout.body else ()):
        heading = " ".join(str(cell or "").split())
        if at in read or not HEADS.search(key(heading)):
            continue
        texts = texts_of(raws[at])
        known: dict[str, list[tuple[str, Column]]] = {}
        for position in data:
            text = texts[position]
            if not isinstance(text, str) or not text.strip():
                continue
            if text not in known:
                kept = DENIED.sub("", text)
                said = ((next((w for w in c.remarks if re.search(SAYS.format(w), kept)), ""), c) for c in COLUMNS)
                known[text] = [(word, column) for word, column in said if word]
            row, code = grid.first_row + layout.body + position, str(codes.iloc[position])
            for word, column in known[text]:
                yield Remark(*grid.where, row, heading, code, text, word, column)


def tell_remarks(remarks: Sequence[Remark], frames: Mapping[str, pd.DataFrame], faults: Faults) -> None:
    """Tell the remarks whose column is not filled for their enterprise."""
    held: dict[tuple[str, str], set[Any]] = {}
    for remark in remarks:
        column = remark.column
        name = (column.sheet, column.name)
        if name not in held:
            frame = frames.get(column.sheet)
            there = frame is not None and column.name in frame
            held[name] = (
                set(frame.loc[frame[column.name].notna(), "credit_code"]) if frame is not None and there else set()
            )
        if remark.code not in held[name]:
            where = {"row": remark.row, "heading": remark.heading, "value": remark.text}
            more = {"word": remark.word, "column": column.zh, "column_en": column.en, "code": remark.code}
            faults.add("remark_says", remark.file, remark.sheet, **where, **more)


HEADS = re.compile(r"备注|说明|状态|状况|附注|情况|现状|原因|问题|意见|其他|^注$|remark")
DENIED = PATTERNS["denied"]
SAYS = "(?<![未无非不])(?<!没有){}(?!情况无)"
