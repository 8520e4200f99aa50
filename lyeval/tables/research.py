"""What only the research edition tells (研究版): worked out from a run's own tables, so that a saved run can be told and traced as it was.

Every table here follows from others of the run: who is below its line by class, the tax of the listed beside the usual rise, what the odds
hang on, the record of past odds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from lyeval.ledger.columns import records

Tables = Mapping[str, Any]
NOMINAL, NARROW = 0.8, 0.7  # the interval that is told; below this share of hits it is called too narrow
SCORES = {"enterprise": "brier", "county": "crps"}
RIVAL = "no_change"
LOW = 0.2  # a firm less likely than this to reach its line is as good as settled
NAMED = 3  # firms that a sentence names


def derived(tables: Tables) -> dict[str, Any]:
    """Return below_line, beside_usual, odds_bearing, record and record_sum, as far as the run has what they are made of."""
    out: dict[str, Any] = {}
    if "enterprises" in tables:
        out["below_line"] = below_line(tables)
    if "changes" in tables:
        out["beside_usual"] = beside_usual(tables)
    if "forecast" in tables or "simulation" in tables:
        out["odds_bearing"] = odds_bearing(tables)
    if "backtest_meta" in tables:
        out["record"] = record(tables)
        out["record_sum"] = record_sum(tables, out["record"])
    return out


def _rows(tables: Tables, name: str) -> list[dict[str, Any]]:
    held = tables.get(name)
    return records(held) if isinstance(held, pd.DataFrame) else []


def below_line(tables: Tables) -> pd.DataFrame:
    """Count by class who is judged by its tax per mu and who is below its line: class, n, low, line (万元/亩)."""
    firms: pd.DataFrame = tables["enterprises"]
    judged: pd.DataFrame = firms[
        firms["in_scope"].eq(True) & ~firms["gone"].eq(True) & firms["excluded_by"].isna() & firms["tax_per_mu"].notna()
    ]
    rows: list[Any] = []
    for name, line in tables["meta"]["lines"].items():
        mine: pd.DataFrame = judged[judged["class"] == name]
        rows.append((name, len(mine), int(mine["below_line"].eq(True).sum()), line))
    return pd.DataFrame(rows, columns=["class", "n", "low", "line"])


def beside_usual(tables: Tables) -> pd.DataFrame:
    """Set the tax of the listed beside what firms of their band do in years when nobody lists them; empty without anybody listed.

    Returns
    -------
    DataFrame
        One row: group (listed), n (listed firms with both years), change_wan and size_wan (万元, with and without its sign), rise (share), usual and
        usual_size (share: Σ after / Σ before − 1 over the earlier years; None without any), first, last (the earlier years).
    """
    rows = [r for r in _rows(tables, "changes") if r["n"]]
    own = next((r for r in rows if r["group"] == "listed"), None)
    columns = ["group", "n", "change_wan", "size_wan", "rise", "usual", "usual_size", "first", "last"]
    if own is None:
        return pd.DataFrame(columns=columns)
    past = [r for r in rows if r["group"] == "usual"]
    before, after = (sum(r[f"tax_{k}"] for r in past) for k in ("before", "after"))
    usual = after / before - 1 if before > 0 else None
    years = [int(r["year"]) for r in past] or [0]
    change = own["tax_after"] - own["tax_before"]
    size = None if usual is None else abs(usual)
    told = ("listed", int(own["n"]), change, abs(change), own["rise"], usual, size, min(years), max(years))
    return pd.DataFrame([told], columns=columns)


def odds_bearing(tables: Tables) -> pd.DataFrame:
    """Tell of each projected target what its odds hang on.

    Returns
    -------
    DataFrame
        id, year, settled and open (firms of its class: as good as certain to stay below, and in the balance), low and high (odds under all
        readings), names (firms it turns on most), label and label_en (the assumption that moves it most, "" for none), set_low, set_high
        (odds at the ends of its range).
    """
    name = "forecast" if len(_rows(tables, "forecast")) else "simulation"
    class_of = {r["id"]: r["class"] for r in _rows(tables, "targets")}
    known = dict(tables["enterprises"].set_index("credit_code")["class"])
    firms = pd.DataFrame(_rows(tables, f"{name}_enterprises"), columns=["credit_code", "year", "probability"])
    classes = firms["credit_code"].map(known)
    rows: list[Any] = []
    for r in _rows(tables, name):
        own = firms.loc[(firms["year"] == r["year"]) & (classes == class_of.get(r["id"])), "probability"]
        counts = {"settled": int((own < LOW).sum()), "open": int(own.between(LOW, 1 - LOW).sum())}
        rows.append(
            {"id": r["id"], "year": int(r["year"]), **counts, **_spread(tables, r, name), **_assumed(tables, r, name)}
        )
    columns = ["id", "year", "settled", "open", "low", "high", "names", "label", "label_en", "set_low", "set_high"]
    return pd.DataFrame(rows, columns=columns)


def _mine(tables: Tables, name: str, row: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [r for r in _rows(tables, name) if (r["id"], r["year"]) == (row["id"], row["year"])]


def _spread(tables: Tables, row: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return between which odds the readings put a target, and the firms that it turns on."""
    if name != "forecast":
        return {"low": None, "high": None, "names": []}
    told = [r["probability"] for r in [*_mine(tables, "forecast_readings", row), row]]
    found = [float(p) for p in told if pd.notna(p)]
    names = tables["enterprises"].set_index("credit_code")["name"]
    turning = [str(names.get(r["credit_code"], r["credit_code"])) for r in _mine(tables, "forecast_swings", row)]
    return {"low": min(found, default=None), "high": max(found, default=None), "names": turning[:NAMED]}


def _assumed(tables: Tables, row: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the assumption that moves a target's odds most, with the odds at either end of its range."""
    found = [r for r in _mine(tables, "sensitivity", row) if r["group"] != "readings"] if name == "forecast" else []
    if not found or pd.isna(found[0]["p_low"]):
        return {"label": "", "label_en": "", "set_low": None, "set_high": None}
    low, high = sorted((found[0]["p_low"], found[0]["p_high"]))
    return {"label": found[0]["label"], "label_en": found[0]["label_en"], "set_low": low, "set_high": high}


def record(tables: Tables) -> pd.DataFrame:
    """Tell what became of past odds.

    Returns
    -------
    DataFrame
        One row a target and month: id, label, label_en, month (0: the year before), years (tested), hits and n (of the county's 80 %
        intervals), firms_share and firms (of the enterprises'), enterprise_verdict, county_verdict (against no change).
    """
    labels = {r["id"]: r for name in ("simulation", "forecast", "targets") for r in _rows(tables, name)}
    inside = {
        (r["level"], r["id"], int(r["month"])): r for r in _rows(tables, "backtest_coverage") if r["nominal"] == NOMINAL
    }
    against = {
        (r["level"], r["id"], int(r["month"])): r["verdict"]
        for r in _rows(tables, "backtest_skill")
        if r["baseline"] == RIVAL and r["measure"] == SCORES.get(str(r["level"]))
    }
    columns = ["id", "label", "label_en", "month", "years", "hits", "n", "firms_share", "firms"]
    rows: list[Any] = []
    for level, id, month in sorted(inside):
        if level == "county" and id in labels:
            county, firms = inside[level, id, month], inside.get(("enterprise", id, month))
            share, n = (firms["share"], int(firms["n"])) if firms else (None, 0)
            hits = round(county["share"] * county["n"])
            told = (
                id,
                labels[id]["label"],
                labels[id]["label_en"],
                month,
                int(county["years"]),
                hits,
                int(county["n"]),
                share,
                n,
            )
            verdicts = [against.get((k, id, month)) or "cannot_judge" for k in SCORES]
            rows.append((*told, *verdicts))
    return pd.DataFrame(rows, columns=[*columns, *(f"{k}_verdict" for k in SCORES)])


def record_sum(tables: Tables, rows: pd.DataFrame) -> dict[str, Any]:
    """Sum the record up: years, tested, enough (to judge by), hits and n of the county's intervals, narrow, low and high (the firms' shares)."""
    meta = tables["backtest_meta"]
    hits, n = int(rows["hits"].sum()), int(rows["n"].sum())
    shares = rows.loc[rows["firms"] > 0, "firms_share"].astype(float)
    ends = (float(shares.min()), float(shares.max())) if len(shares) else (None, None)
    return {
        "years": [str(y) for y in meta["years"]],
        "tested": len(meta["years"]) if len(rows) else 0,
        "enough": bool(meta["enough"]),
        "hits": hits,
        "n": n,
        "narrow": hits < NARROW * n,
        "low": ends[0],
        "high": ends[1],
    }
