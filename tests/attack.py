"""What an outsider works out from public editions: their files are read, and every enterprise's figures bounded by linear programming.

It shares no code with the rule that it tries. The outsider knows who is counted where, what is not negative, and, being an enterprise
himself, his own figures.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import python_calamine
from scipy.optimize import linprog
from scipy.sparse import identity, kron

WITHIN = 0.15
Key = tuple[str, str, float]  # quantity, credit code, the figure itself: one that changed is another unknown


@dataclass(frozen=True)
class Told:
    """One published figure: the sum of ``of`` less ``times`` the sum of ``over`` lies between two ends."""

    of: frozenset[Key]
    low: float
    high: float
    over: frozenset[Key] = frozenset()


def told_by(folder: Path, tables: dict[str, Any]) -> list[Told]:
    """Read a public edition's files; ``tables`` are the office's, from which the outsider takes only who is counted."""
    return [*_townships(folder, tables), *_targets(folder, tables)]


def _townships(folder: Path, tables: dict[str, Any]) -> Iterator[Told]:
    firms = tables["enterprises"]
    firms = firms[firms["in_scope"].eq(True)]
    both = firms.dropna(subset=["tax_wan", "land_mu"])
    for name, cells in _rows(folder):
        part = both if name == "" else both[both["township"] == name]
        sums = {}
        for quantity, text in (("land", cells[0]), ("tax", cells[1])):
            sums[quantity] = _ends(text)
            yield Told(_keys(quantity, part, COLUMN[quantity]), *sums[quantity])
        if not re.search(r"\d", cells[2]):
            continue
        low, high = _ends(cells[2])
        printed = np.mean(sums["tax"]) / np.mean(sums["land"])
        if not low - 1e-9 <= printed <= high + 1e-9:  # no quotient of what is printed, so it tells of itself
            yield from _ratio(part, "tax_wan", "land_mu", low, high)


def _rows(folder: Path) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """Yield land, tax and ratio of each township as each file has them, "" for the total."""
    with (folder / "tables" / "townships.csv").open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["tax_wan"]:
                yield row["township"], (row["land_mu"], row["tax_wan"], row["tax_per_mu"])
    if (folder / "annex.xlsx").exists():
        book = python_calamine.CalamineWorkbook.from_path(folder / "annex.xlsx")
        for row in book.get_sheet_by_index(2).to_python()[2:]:
            if len(row) >= 6 and row[4] != "" and isinstance(row[4], float):
                yield _total(str(row[0])), tuple(_written(v) for v in row[3:6])  # type: ignore[misc]
    page = (folder / "report.html").read_text(encoding="utf-8")
    table = page.split('id="table-public_townships"')[1].split("</table>")[0]
    for found in re.findall(r"<tr[^>]*>(.*?)</tr>", table, flags=re.S):
        cells = [re.sub(r"<[^>]*>", "", c).strip() for c in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", found, flags=re.S)]
        if len(cells) == 6 and re.match(r"[−\d]", cells[4]):
            yield _total(cells[0]), tuple(cells[3:6])  # type: ignore[misc]


def _targets(folder: Path, tables: dict[str, Any]) -> Iterator[Told]:
    members = tables["members"]
    kinds = tables["targets"].set_index("id")
    with (folder / "tables" / "targets.csv").open(encoding="utf-8-sig", newline="") as file:
        values = {row["id"]: row["value"] for row in csv.DictReader(file)}
    for id, text in values.items():
        mine = members[(members["target"] == id) & members["counted"].eq(True)]
        kind, weight = kinds.loc[id, "kind"], kinds.loc[id, "weight"]
        if kind == "mean" and re.match(r"[−\d]", text):
            yield from _ratio(mine, "part", "whole", *_ends(text))
        elif kind == "share" and weight == "land" and re.match(r"\d", text):
            under = mine[mine["part"].astype(float) > 0]
            if "/" in text:
                for part, number in zip((under, mine), text.split("/"), strict=True):
                    yield Told(_keys("land", part, "whole"), *_ends(number))
            else:
                low, high = (end / 100 for end in _ends(text))
                yield from _share(_keys("land", under, "whole"), _keys("land", mine, "whole"), low, high)


def _ratio(part: pd.DataFrame, above: str, below: str, low: float, high: float) -> Iterator[Told]:
    yield from _share(_keys("tax", part, above), _keys("land", part, below), low, high)


def _share(of: frozenset[Key], over: frozenset[Key], low: float, high: float) -> Iterator[Told]:
    for end, sign in ((low, 1.0), (high, -1.0)):
        yield Told(of | frozenset([("times", str(sign), end)]), 0.0, np.inf, over)


def _keys(quantity: str, part: pd.DataFrame, column: str) -> frozenset[Key]:
    return frozenset(
        (quantity, str(c), round(float(v), 6)) for c, v in zip(part["credit_code"], part[column], strict=True)
    )


def _ends(text: str) -> tuple[float, float]:
    """Return between which numbers lies what is written so."""
    bare = re.sub(r"[^\d.\-]", "", re.sub(r"万元/亩|亩|家|%", "", text).replace("−", "-"))
    half = 0.5 * 10.0 ** -len(bare.partition(".")[2])
    return float(bare) - half, float(bare) + half


def _written(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _total(name: str) -> str:
    return "" if name == "合计" else name


def bounded(told: Iterable[Told], owners: Iterable[str] | None = None) -> list[tuple[str, Key, float, float]]:
    """Return who can bound whose figure within 15 %: the looker, the figure, and its ends as he finds them."""
    told = list(dict.fromkeys(told))
    keys = sorted({k for t in told for k in (*t.of, *t.over) if k[0] != "times"})
    if not keys:
        return []
    rows, ends = _matrix(told, keys)
    truth = np.array([value for _, _, value in keys])
    assert np.all(rows @ truth <= ends + 1e-6), "what is published is not so"
    lookers = sorted({code for _, code, _ in keys}) if owners is None else sorted(owners)
    return [found for looker in lookers for found in _seen_by(looker, keys, truth, rows, ends)]


def _matrix(told: list[Told], keys: list[Key]) -> tuple[np.ndarray, np.ndarray]:
    """Return all that is told as rows · figures ≤ ends."""
    place, rows, ends = {key: i for i, key in enumerate(keys)}, [], []
    for t in told:
        row = np.zeros(len(keys))
        row[[place[k] for k in t.of if k[0] != "times"]] = 1.0
        times = [k for k in t.of if k[0] == "times"]
        if times:
            sign, end = float(times[0][1]), times[0][2]
            row[[place[k] for k in t.over]] -= end
            rows.append(-sign * row)
            ends.append(0.0)
            continue
        rows += [row, -row]
        ends += [t.high, -t.low]
    return np.array(rows), np.array(ends)


def _seen_by(looker: str, keys: list[Key], truth: np.ndarray, rows: np.ndarray, ends: np.ndarray) -> Iterator[Any]:
    own = np.array([code == looker for _, code, _ in keys])
    low = np.where(own, truth, np.where(truth >= 0, 0.0, -FAR))
    high = np.where(own, truth, FAR)
    others = np.flatnonzero(~own)
    least, most = (_ends_of(others, sign, rows, ends, low, high) for sign in (1.0, -1.0))
    for at, lo, hi in zip(others, least, most, strict=True):
        need = WITHIN * abs(truth[at]) - 1e-6 * max(1.0, abs(truth[at]))
        if hi - truth[at] < need or truth[at] - lo < need:
            yield looker, keys[at], float(lo), float(hi)


def _ends_of(
    others: np.ndarray, sign: float, rows: np.ndarray, ends: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Return the least (sign 1) or the most (−1) that each of some figures can be, all by one programme of equal blocks."""
    n, k = len(low), len(others)
    cost = np.zeros(n * k)
    cost[np.arange(k) * n + others] = sign
    bounds = np.tile(np.column_stack([low, high]), (k, 1))
    made = linprog(cost, A_ub=kron(identity(k), rows, format="csr"), b_ub=np.tile(ends, k), bounds=bounds)
    assert made.status == 0, made.message
    return made.x[np.arange(k) * n + others]


FAR = 1e6  # beyond any figure
COLUMN = {"tax": "tax_wan", "land": "land_mu"}
