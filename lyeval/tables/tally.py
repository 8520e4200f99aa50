"""How many of each word (各项家数), the bridge from the ledger to what became of the listed, and the check that no table says otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment
from lyeval.assessment.standing import Standing
from lyeval.indicators import cases
from lyeval.tables.registry import schema, words
from lyeval.told import Told

GROUPS = ("all", "class", "township", "county")


def masks(standing: Standing) -> dict[str, np.ndarray]:
    """Return what a count may select: name → mask of the enterprises, shape (n,)."""
    on, here, listed = standing.on_ledger, standing.here_in_scope, standing.listed
    inside = on & ~standing.gone_before
    unlisted = here & ~standing.excluded & ~listed.true
    return {
        "on_ledger": on,
        "gone_before": standing.gone_before,
        "outside": inside & standing.in_scope.false,
        "scope_open": inside & standing.in_scope.unknown,
        "left_in_scope": standing.in_scope.true & standing.gone.true,
        "in_scope": here,
        "excluded": standing.excluded,
        "unlisted": unlisted,
        "unlisted_open": unlisted & listed.unknown,
        "listed": listed.true,
        "listed_here": standing.listed_here,
        **standing.state,
        "freed": standing.freed,
        "written_off": ~np.isnat(standing.written_off),
        "relapsed": standing.relapsed,
        "priority": standing.priority,
        "eligible": standing.eligible,
        **{name: ~np.isnat(standing.step(name)) for name in ("notified", "certified", "published")},
    }


def counts(assessment: Assessment) -> pd.DataFrame:
    """Count every word of ``counts.csv``, over all and by class, township and county.

    Returns
    -------
    DataFrame
        id, zh, en, by (all, class, township, county), group ("" for all and where blank; above, below, none), n (enterprises, or cases),
        land_mu, land_before_mu (亩), tax_wan (万元): of the enterprises counted, as far as known, of the year and of the year before.
    """
    standing = assessment.standing
    frame, picked = standing.frame, masks(standing)
    at = cases(frame.book).at
    amounts = {"land_mu": frame.now.land, "land_before_mu": frame.before.land, "tax_wan": frame.now.tax}
    known = {name: np.nan_to_num(values) for name, values in amounts.items()}
    rows: dict[str, list[Any]] = {name: [] for name in schema()["counts"]}
    for by, (names, number) in _groups(standing).items():
        for word in words().values():
            chosen = at[standing.case(word.selection)] if word.rows else np.flatnonzero(picked[word.selection])
            group = number[chosen]
            for name, value in {"id": word.id, "zh": word.zh, "en": word.en, "by": by}.items():
                rows[name] += [value] * len(names)
            rows["group"] += names
            rows["n"] += np.bincount(group, minlength=len(names)).tolist()
            for name, values in known.items():
                sums = np.bincount(group, values[chosen], minlength=len(names))
                rows[name] += (sums * (not word.rows)).tolist()
    return pd.DataFrame(rows)


def _groups(standing: Standing) -> dict[str, tuple[list[str], np.ndarray]]:
    """Return for each way to group the groups' names and each enterprise's group, shape (n,)."""
    frame = standing.frame
    side = np.where(frame.above.true, "above", np.where(frame.above.false, "below", "none"))
    keys = {
        "all": np.full(len(frame.book), ""),
        "class": side,
        "township": frame.book.text("township").astype(str),
        "county": frame.book.text("county").astype(str),
    }
    out: dict[str, tuple[list[str], np.ndarray]] = {}
    for by, values in keys.items():
        always = ["above", "below"] if by == "class" else []
        names, number = np.unique(np.concatenate([values, np.array(always, dtype=values.dtype)]), return_inverse=True)
        out[by] = (names.tolist() or [""], number[: len(values)])
    return out


def bridge(table: pd.DataFrame) -> pd.DataFrame:
    """Lay the counts out as the bridge: 台账 → 退出（以前） → 不在范围 → 除外 → 适用范围内 → 列入 → 达到, 退出, 未达到, 待判定.

    Parameters
    ----------
    table
        As `counts` gives it.

    Returns
    -------
    DataFrame
        by, group, then a column of enterprises for each count that stands in the bridge: ledger = gone_before + outside + scope_open +
        left_in_scope + in_scope; in_scope = excluded + unlisted + listed_here; listed = reached + left + below + undecided; freed is part
        of reached.
    """
    columns = [name for name in schema()["bridge"] if name not in ("by", "group")]
    wide = table[table["id"].isin(columns)].pivot_table(index=["by", "group"], columns="id", values="n", sort=False)
    return wide.astype("int64").reset_index()[list(schema()["bridge"])].rename_axis(columns=None)


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
        parts, wholes = wide[id].to_numpy(), wide[whole].to_numpy()
        for i in np.flatnonzero(parts > wholes).tolist():
            place, n, top = _where(wide.index[i]), parts[i], wholes[i]
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
    wrong, columns = (told != known).to_numpy(), [str(column) for column in told]
    for i, k in np.argwhere(wrong).tolist():
        place = f"bridge{_where(told.index[i])}"
        yield from _two(columns[k], place, told.iloc[i, k], known.iloc[i, k])


def _two(id: str, place: str, told: object, n: object) -> Iterator[Fault]:
    yield (
        f"{words()[id].zh}（{id}）在 {place} 为 {told}，在 counts 为 {n}",
        f"{id} is {told} in {place} and {n} in counts",
    )


SAME: tuple[tuple[str, str, str, tuple[Any, ...]], ...] = (
    # table, count, the column that tells it, the values that are counted (none: every row)
    ("list_reached", "reached", "", ()),
    ("list_missed", "below", "", ()),
    ("list_relapsed", "relapsed", "", ()),
    ("list_reached", "freed", "cleared", (True,)),
    ("enterprises", "listed", "identified", (True,)),
    ("enterprises", "reached", "state", ("reached",)),
    ("enterprises", "left", "state", ("left",)),
    ("enterprises", "below", "state", ("below",)),
    ("enterprises", "undecided", "state", ("open",)),
    ("disposals", "cases_open", "state", ("open", "not_started")),
    ("disposals", "cases_finished", "state", ("finished", "earlier")),
    ("disposals", "cases_overdue", "overdue", (True,)),
)
RANKED = {"listed": "listed", "reached": "reached", "left": "left", "below": "below", "undecided": "open"}


def _same(tables: Mapping[str, Any], wide: pd.DataFrame) -> Iterator[Fault]:
    """Yield every figure that another table tells otherwise."""
    whole = wide.loc["all"].iloc[0]
    told = [
        (name, id, _counted(tables[name], column, values)) for name, id, column, values in SAME if _full(tables, name)
    ]
    for name in (n for n in ("ranking_townships", "ranking_counties") if _full(tables, n)):
        last = tables[name][tables[name]["whole"].astype(bool)].iloc[0]
        told += [(name, id, int(last[column])) for id, column in RANKED.items()]
    if _full(tables, "enterprises"):
        firms = tables["enterprises"]
        told.append(("enterprises", "in_scope", int((firms["in_scope"].eq(True) & ~firms["gone"].eq(True)).sum())))
    for name, id, n in told:
        if id in whole and n != whole[id]:
            yield from _two(id, name, n, whole[id])


def _full(tables: Mapping[str, Any], name: str) -> bool:
    return isinstance(tables.get(name), pd.DataFrame) and len(tables[name]) > 0


def _counted(table: pd.DataFrame, column: str, values: tuple[Any, ...]) -> int:
    return int(table[column].isin(values).sum()) if column else len(table)
