"""What a monthly bulletin says beyond its sums: who is ahead and behind, whose tax moved the month, what else has changed (月度通报各表)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

Tables = Mapping[str, Any]
FEWEST = 5  # a unit with fewer listed firms is not compared
NAMED = 3
SOURCES = {
    "data": ("往月数据", "past data"), "rule": ("规则口径", "rule"), "code": ("计算程序", "code"), "seed": ("随机种子", "seed"),
}  # fmt: skip
DRIVERS = ["credit_code", "name", "township", "now", "before", "shift_wan"]


def progress(units: pd.DataFrame) -> dict[str, Any]:
    """Sum up how units stand.

    Returns
    -------
    dict
        n (units with `FEWEST` listed firms or more and a share), behind (of them below schedule), ahead (the others), first and last
        (their names), carried (those at schedule), most_behind (whether most lag), whole_ahead (whether the whole is at schedule), state:
        good only where the whole is at schedule and most units are too, open where the whole alone is, else bad.
    """
    parts, whole = units[~units["whole"].astype(bool)], units.iloc[-1]
    share = pd.to_numeric(parts["share"], errors="coerce")
    fit = parts[(parts["listed"] >= FEWEST) & share.notna()].assign(value=share)
    late = fit["value"] < fit["schedule"] - 1e-12
    names = [str(u) for u in fit["unit"]]
    many = NAMED if len(fit) > 2 * NAMED else 1
    ahead = (
        whole["share"] is not None and not pd.isna(whole["share"]) and bool(whole["share"] >= whole["schedule"] - 1e-12)
    )
    most = bool(late.sum() * 2 > len(fit))
    return {
        "n": len(fit), "behind": int(late.sum()), "ahead": int((~late).sum()), "fewest": FEWEST,
        "first": names[::-1][:many], "last": names[:many], "carried": [n for n, slow in zip(names, late, strict=True) if not slow][::-1],
        "most_behind": most, "whole_ahead": ahead, "state": ("open" if most else "good") if ahead else "bad",
    }  # fmt: skip


def drivers(firms: pd.DataFrame, now: np.ndarray, before: np.ndarray, here: np.ndarray) -> pd.DataFrame:
    """List whose tax of the month moved most against the same month last year, over those with both: most first, all of them."""
    both = here & ~np.isnan(now) & ~np.isnan(before)
    made = firms.loc[both, ["credit_code", "name", "township"]].assign(now=now[both], before=before[both])
    made["shift_wan"] = made["now"] - made["before"]
    made = made[made["shift_wan"].abs() > 1e-9]
    order = np.lexsort((made["credit_code"], -made["shift_wan"].abs()))
    return made.iloc[order][DRIVERS].reset_index(drop=True)


def owners(who: np.ndarray, mask: np.ndarray) -> list[str]:
    """Return who answers for the firms of a mask, the unit with most of them first."""
    counted = Counter(str(name) for name in who[mask] if name)
    return [name for name, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]


def stands(tables: Tables) -> dict[str, bool | None]:
    """Tell of each source whether it changed since the bulletin before; None where that one does not say, {} without one."""
    old, new = tables.get("before_stamp"), tables.get("stamp")
    if not old or not new:
        return {}
    was, now = tables.get("before_run") or {}, tables.get("run") or {}
    facts = any(old.get(k) != new.get(k) for k in ("annual", "annual_rows"))
    return {
        "data": facts or bool(revised(tables)),
        "rule": old.get("rule") != new.get("rule") or old.get("readings") != new.get("readings"),
        "code": None if not was.get("code") or not now.get("code") else was["code"] != now["code"],
        "seed": any(was.get(k) != now.get(k) for k in ("seed", "draws")),
    }


def revised(tables: Tables) -> dict[str, float]:
    """Return by how much the tax of months that the bulletin before told has been revised since, 万元 by month."""
    old, new = (dict((tables.get(name) or {}).get("months") or {}) for name in ("before_stamp", "stamp"))
    shifts = {month: float(new[month]) - float(was) for month, was in sorted(old.items()) if month in new}
    return {month: shift for month, shift in shifts.items() if abs(shift) > 1e-6}


def sources(tables: Tables) -> pd.DataFrame:
    """Lay the four sources of change out: cause, cause_zh, cause_en, state (changed, same, unsaid); no row without a bulletin before."""
    states = {True: "changed", False: "same", None: "unsaid"}
    rows = [(name, *SOURCES[name], states[changed]) for name, changed in stands(tables).items()]
    return pd.DataFrame(rows, columns=["cause", "cause_zh", "cause_en", "state"])
