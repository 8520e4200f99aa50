"""How many of each word (各项家数), by class, township and county, and the bridge from the ledger to what became of the listed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment import Assessment
from lyeval.assessment.standing import Standing
from lyeval.indicators import cases
from lyeval.tables.registry import schema, words

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
            chosen = at[standing.case(word.selection)] if word.cases else np.flatnonzero(picked[word.selection])
            group = number[chosen]
            for name, value in {"id": word.id, "zh": word.zh, "en": word.en, "by": by}.items():
                rows[name] += [value] * len(names)
            rows["group"] += names
            rows["n"] += np.bincount(group, minlength=len(names)).tolist()
            for name, values in known.items():
                sums = np.bincount(group, values[chosen], minlength=len(names))
                rows[name] += (sums * (not word.cases)).tolist()
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
