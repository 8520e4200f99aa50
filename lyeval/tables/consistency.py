"""One word, one count: what the tables of a run must agree on (一致性), and the error that tells where they do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lyeval.tables.registry import words
from lyeval.told import Told

CLOSES = (
    # a whole of the bridge and its parts
    ("ledger", ("gone_before", "outside", "scope_open", "left_in_scope", "in_scope")),
    ("in_scope", ("excluded", "unlisted", "listed_here")),
    ("listed", ("reached", "left", "below", "undecided")),
)


class ConsistencyError(Told):
    """Figures of a run that contradict one another."""


def check(tables: Mapping[str, Any]) -> None:
    """Hold the tables of a run against one another; those that are not there are passed over.

    Raises
    ------
    ConsistencyError
        A part exceeds its whole, groups do not add to their whole, the bridge does not close, or a figure of one id is told with two values.
    """
    if "counts" not in tables:
        return
    wide = _wide(tables["counts"])
    faults = [*_parts(wide), *_sums(wide), *_same(tables, wide)]
    if "bridge" in tables:
        faults += [*_closes(tables["bridge"]), *_bridged(wide, tables["bridge"])]
    if faults:
        head = "各表数字不一致，本次运行停止：", "the tables contradict one another and the run stops: "
        told = [h + ("；", "; ")[k].join(f[k] for f in faults[:5]) for k, h in enumerate(head)]
        raise ConsistencyError(*told)


Fault = tuple[str, str]


def _where(at: Any) -> str:
    """Return the place of a figure: (by, group), nothing for all."""
    by, group = at
    return "" if by == "all" else f"({by}={group})"


def _wide(counts: pd.DataFrame) -> pd.DataFrame:
    """Lay counts out with a column for each id, by ``by`` and ``group``."""
    return counts.pivot_table(index=["by", "group"], columns="id", values="n", sort=False).astype("int64")


def _parts(wide: pd.DataFrame) -> Iterator[Fault]:
    """Yield every part that exceeds its whole."""
    for id, whole in ((w.id, w.part_of) for w in words().values() if w.id in wide and w.part_of in wide):
        for at, row in wide[wide[id] > wide[whole]].iterrows():
            place, n, top = _where(at), row[id], row[whole]
            yield f"{words()[id].zh}{place} {n} 多于{words()[whole].zh} {top}", f"{id}{place} {n} exceeds {whole} {top}"


def _sums(wide: pd.DataFrame) -> Iterator[Fault]:
    """Yield every count whose groups do not add to it."""
    sums = wide.groupby(level="by", sort=False).sum().T
    for by in (c for c in sums.columns if c != "all"):
        for id, row in sums[sums[by] != sums["all"]].iterrows():
            told, whole = f"{row[by]:g}", f"{row['all']:g}"
            yield f"{words()[str(id)].zh}按{by}合计 {told}，总数 {whole}", f"{id} by {by} adds to {told}, not {whole}"


def _closes(bridge: pd.DataFrame) -> Iterator[Fault]:
    """Yield every row of the bridge that does not close."""
    for whole, parts in CLOSES:
        for _, row in bridge[bridge[list(parts)].sum(axis=1) != bridge[whole]].iterrows():
            told = " + ".join(f"{p} {row[p]}" for p in parts)
            place = _where((row["by"], row["group"]))
            zh = " + ".join(f"{words()[p].zh} {row[p]}" for p in parts)
            yield f"{words()[whole].zh}{place} {row[whole]} ≠ {zh}", f"{whole}{place} {row[whole]} is not {told}"


def _bridged(wide: pd.DataFrame, bridge: pd.DataFrame) -> Iterator[Fault]:
    """Yield every figure of the bridge that is not the count of its id."""
    told = bridge.set_index(["by", "group"])
    known = wide.reindex(index=told.index, columns=told.columns)
    wrong = (told != known).to_numpy()
    for i, k in zip(*np.nonzero(wrong), strict=True):
        place = f"bridge{_where(told.index[i])}"
        yield from _two(str(told.columns[k]), place, told.iloc[i, k], known.iloc[i, k])


def _two(id: str, place: str, told: object, n: object) -> Iterator[Fault]:
    yield (
        f"{words()[id].zh}（{id}）在 {place} 为 {told}，在 counts 为 {n}",
        f"{id} is {told} in {place} and {n} in counts",
    )


def _whole(name: str) -> Callable[[pd.DataFrame], int]:
    return lambda t: int(t.loc[t["whole"].astype(bool), name].iloc[0])


def _state(name: str) -> Callable[[pd.DataFrame], int]:
    return lambda t: int((t["state"] == name).sum())


def _cases(*names: str) -> Callable[[pd.DataFrame], int]:
    return lambda t: int(t["state"].isin(names).sum())


SAME: dict[tuple[str, str], Callable[[pd.DataFrame], int]] = {
    # (table, count): how the table tells it
    ("list_reached", "reached"): len,
    ("list_missed", "below"): len,
    ("list_relapsed", "relapsed"): len,
    ("list_reached", "freed"): lambda t: int((t["cleared"] == True).sum()),  # noqa: E712
    ("enterprises", "listed"): lambda t: int((t["identified"] == True).sum()),  # noqa: E712
    ("enterprises", "in_scope"): lambda t: int(((t["in_scope"] == True) & (t["gone"] != True)).sum()),  # noqa: E712
    **{
        ("enterprises", id): _state(state)
        for id, state in (("reached", "reached"), ("left", "left"), ("below", "below"), ("undecided", "open"))
    },
    ("disposals", "cases_open"): _cases("open", "not_started"),
    ("disposals", "cases_finished"): _cases("finished", "earlier"),
    ("disposals", "cases_overdue"): lambda t: int(t["overdue"].sum()),
    **{
        (f"ranking_{by}", id): _whole(name)
        for by in ("townships", "counties")
        for id, name in (
            ("listed", "listed"),
            ("reached", "reached"),
            ("left", "left"),
            ("below", "below"),
            ("undecided", "open"),
        )
    },
}


def _same(tables: Mapping[str, Any], wide: pd.DataFrame) -> Iterator[Fault]:
    """Yield every figure that another table tells otherwise."""
    whole = wide.loc["all"].iloc[0]
    for (name, id), told in SAME.items():
        table = tables.get(name)
        if isinstance(table, pd.DataFrame) and len(table) and id in whole and told(table) != whole[id]:
            yield from _two(id, name, told(table), whole[id])
