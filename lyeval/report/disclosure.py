"""What may be shown in public (媒体公示): from a run's tables to redacted ones, of which alone the public edition is made.

A figure of enterprises is shown only where at least `FEWEST` stand behind it and none of them holds `MOST_SHARE` of it or more; one
that is held back is held back with its complement, so that no total gives it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lyeval.render.blocks import Lang
from lyeval.report.context import Context
from lyeval.report.words import goal_text, status_text, value_text

FEWEST = 3
MOST_SHARE = 0.8
Tables = Mapping[str, Any]


def public(tables: Tables, *, objections: str = "", period: str = "") -> dict[str, Any]:
    """Return the tables that a public edition is made of; nothing else of a run may stand in it.

    Parameters
    ----------
    objections, period
        Where to object and in which days, as the run file says; "" for what the plan and the ledger say.

    Returns
    -------
    dict
        ``meta`` (place, year, plan; nothing of enterprises), ``run``, ``versions``, ``targets`` (in words; a value that would tell of an
        enterprise is None), ``certified`` (name, county, township, clause, certified, published), ``townships`` (n, certified, land_mu, tax_wan,
        tax_per_mu; None where held back; last the total).
    """
    meta = {key: tables["meta"][key] for key in META if key in tables["meta"]}
    out: dict[str, Any] = {"meta": meta | {"disclosure": "public", "objections": objections, "period": period}}
    out |= {name: tables[name] for name in ("run", "versions") if name in tables}
    return out | {"targets": _targets(tables), "certified": certified(tables), "townships": townships(tables)}


def safe(amounts: Sequence[float] | np.ndarray | pd.Series) -> bool:
    """Tell whether a sum may be shown: enough enterprises add to it, and none of them most of it."""
    values = np.abs(np.nan_to_num(np.asarray(amounts, dtype=float)))
    return len(values) >= FEWEST and bool(values.max() < MOST_SHARE * values.sum())


def certified(tables: Tables) -> pd.DataFrame:
    """List the certified enterprises (已认定、重点) by township and name: who, where, on which clause, when."""
    firms = tables["enterprises"]
    mine = firms[firms["listed"] & firms["stage"].isin(STAGES)]
    clauses = dict(zip(tables["criteria"]["id"], tables["criteria"]["clause"], strict=True))
    dates = tables["notices"].set_index("credit_code")
    rows = [
        (r["name"], r["county"], r["township"], "；".join(dict.fromkeys(clauses[k] for k in r["criteria"] or [])),
         _day(dates, r["credit_code"], "certified"), _day(dates, r["credit_code"], "published"))
        for r in mine.to_dict("records")
    ]  # fmt: skip
    made = pd.DataFrame(rows, columns=["name", "county", "township", "clause", "certified", "published"], dtype=object)
    return made.sort_values(["township", "name"], kind="stable", key=lambda v: v.astype(str)).reset_index(drop=True)


def _day(dates: pd.DataFrame, code: Any, column: str) -> str | None:
    day = dates[column].get(code) if column in dates else None
    return None if day is None or pd.isna(day) else str(day)[:10]


def townships(tables: Tables) -> pd.DataFrame:
    """Sum enterprises in scope by township; the smallest go with those held back until their sum tells of none either."""
    firms = tables["enterprises"]
    firms = firms[firms["in_scope"].eq(True)]
    place = firms["township"].astype("object").where(firms["township"].notna(), None)
    parts = {str(name): firms[(place == name).to_numpy()] for name in sorted({str(p) for p in place if p})}
    hidden = _hidden(parts)
    rows = [_sums(name, None if name in hidden else part) for name, part in parts.items()]
    whole = safe(firms["tax_wan"]) and safe(firms["land_mu"]) and len(hidden) < max(len(parts), 1)
    unplaced = int(place.isna().sum())
    rows.append(_sums("", firms if whole and (unplaced == 0 or unplaced >= FEWEST) else None))
    return pd.DataFrame(rows, columns=["township", "n", "certified", "land_mu", "tax_wan", "tax_per_mu"])


def _hidden(parts: Mapping[str, pd.DataFrame]) -> set[str]:
    """Return the townships to hold back: the unsafe ones, and the smallest others until what is held back is safe as one."""
    hidden = {name for name, part in parts.items() if not _may_show(part)}
    others = sorted((name for name in parts if name not in hidden), key=lambda name: (len(parts[name]), name))
    while hidden and others and (len(hidden) < 2 or not _may_show(pd.concat([parts[name] for name in sorted(hidden)]))):
        hidden.add(others.pop(0))
    return hidden


def _may_show(part: pd.DataFrame) -> bool:
    return safe(part["tax_wan"]) and safe(part["land_mu"])


def _sums(name: str, part: pd.DataFrame | None) -> tuple[Any, ...]:
    if part is None:
        return (name, None, None, None, None, None)
    both = part[part["tax_wan"].notna() & part["land_mu"].notna()]
    land = float(both["land_mu"].sum())
    mine = int((part["listed"] & part["stage"].isin(STAGES)).sum())
    return (name, len(part), mine, float(part["land_mu"].sum()), float(part["tax_wan"].sum()),
            float(both["tax_wan"].sum()) / land if land else None)  # fmt: skip


def _targets(tables: Tables) -> pd.DataFrame:
    """Put the targets in words, a value that would tell of an enterprise left out."""
    rows = []
    for row in Context(tables, "zh").rows("targets"):
        shown = _target_may_show(tables, row)
        told: dict[str, Any] = {k: row[k] for k in ("id", "label", "label_en", "year", "status", "clause")}
        for lang, end in LANGS:
            told[f"goal{end}"] = goal_text(row, lang)
            told[f"value{end}"] = value_text(row, lang) if shown else None
            told[f"verdict{end}"] = status_text(row, lang)
        rows.append(told)
    return pd.DataFrame(rows, columns=TARGET_COLUMNS, dtype=object)


def _target_may_show(tables: Tables, row: Mapping[str, Any]) -> bool:
    """Tell whether a target's value tells of no enterprise, on neither side of it."""
    members = tables["members"]
    mine = members[(members["target"] == row["id"]) & members["counted"].eq(True)]
    kind, part = str(row["kind"]), mine["part"].to_numpy(dtype=float)
    if kind == "blocks":
        return True
    if kind == "mean":
        return safe(part) and safe(mine["whole"].to_numpy(dtype=float)) and _rest_may_show(tables, mine)
    if kind == "demolished":
        return safe(mine.groupby("credit_code")["part"].sum()) if len(part) else True
    if kind == "share" and row["weight"] == "land":
        whole = mine["whole"].to_numpy(dtype=float)
        return all(not side.any() or safe(side[side > 0]) for side in (part, whole - part))
    n, total = int((part > 0).sum()), len(part)
    sides = [n, total - n] if kind == "share" else [n]
    return all(side == 0 or side >= FEWEST for side in sides)


def _rest_may_show(tables: Tables, mine: pd.DataFrame) -> bool:
    """Tell whether those in scope that a mean leaves out could not be told from the total over all townships."""
    firms = tables["enterprises"]
    rest = firms[firms["in_scope"].eq(True) & ~firms["credit_code"].isin(mine["credit_code"])]
    return len(rest) == 0 or _may_show(rest)


LANGS: tuple[tuple[Lang, str], ...] = (("zh", ""), ("en", "_en"))
STAGES = ("已认定", "重点")
META = (
    "policy", "policy_title", "policy_title_en", "place", "place_en", "place_level", "counties", "document", "issuer", "issued", "year",
    "level", "final", "cutoff", "synthetic",
)  # fmt: skip
TARGET_COLUMNS = [
    "id", "label", "label_en", "year", "status", "clause", "goal", "goal_en", "value", "value_en", "verdict", "verdict_en",
]  # fmt: skip
