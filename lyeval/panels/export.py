"""The panel for other hands (导出): CSV, Parquet, Stata, a codebook that says why values are missing, a de-identified form."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from lyeval.panels.privacy import AMOUNTS, Deidentified
from lyeval.panels.rows import PanelColumn, columns
from lyeval.resources import read_rows
from lyeval.told import unit_text
from lyeval.workbooks import csv_bytes

STAMP = datetime(2000, 1, 1)


def codebook(frame: pd.DataFrame) -> pd.DataFrame:
    """Describe each column of a panel, and count why values are missing.

    Returns
    -------
    DataFrame
        column, label, label_en, unit, type, about, about_en, n (rows), missing, and reasons, reasons_en: each reason with its
        count; the counts add to ``missing``.
    """
    return pd.DataFrame([_described(frame, column) for column in columns() if column.name in frame])


def _described(frame: pd.DataFrame, column: PanelColumn) -> dict[str, object]:
    values, counts = frame[column.name], reasons(frame, column.name)
    return {
        "column": column.name,
        "label": column.zh,
        "label_en": column.en,
        "unit": column.unit,
        "type": _type(values),
        "about": column.about,
        "about_en": column.about_en,
        "n": len(values),
        "missing": int(values.isna().sum()),
        "reasons": "；".join(f"{REASONS[r]['zh']} {n}" for r, n in counts.items()),
        "reasons_en": "; ".join(f"{REASONS[r]['en']} {n}" for r, n in counts.items()),
    }


def _type(values: pd.Series) -> str:
    kind = values.dtype.kind
    return {"b": "flag", "i": "whole", "f": "number"}.get(kind, "text")


def reasons(frame: pd.DataFrame, name: str) -> dict[str, int]:
    """Count why a column is missing: reason → rows; every missing row has one."""
    kind = next(c.kind for c in columns() if c.name == name)
    missing = frame[name].isna().to_numpy()
    absent = ~frame["present"].to_numpy(dtype=bool) if "present" in frame else np.zeros(len(frame), dtype=bool)
    ungoverned = (
        frame["line"].isna() & frame["plan_class"].isna() & frame["in_scope"].isna() if "line" in frame else absent
    )
    whole = bool(missing[~absent].all()) if (~absent).any() else True
    tests = {
        "annual": [("no_row", absent), ("no_column", np.full(len(frame), whole)), ("blank", ~absent)],
        "ratio": [("no_row", absent), ("no_tax", _blank(frame, "tax_wan")), ("no_land", _blank(frame, "land_mu"))],
        "monthly": [("no_months", np.full(len(frame), whole)), ("months", ~absent | absent)],
        "plan": [
            ("not_governed", ungoverned),
            ("not_planned", np.full(len(frame), whole)),
            ("unknown", ~absent | absent),
        ],
    }.get(kind, [(ALONE.get(kind, "blank"), np.ones(len(frame), dtype=bool))])
    out: dict[str, int] = {}
    for reason, mask in [*tests, ("blank", np.ones(len(frame), dtype=bool))]:
        hit = missing & np.asarray(mask, dtype=bool)
        if hit.any():
            out[reason] = out.get(reason, 0) + int(hit.sum())
        missing = missing & ~hit
    return out


def write_panel(made: pd.DataFrame | Deidentified, folder: str | Path) -> list[Path]:
    """Write ``panel.csv``, ``panel.parquet``, ``panel.dta`` and ``codebook.csv`` into ``folder``; the same panel gives the same bytes.

    The Stata file has a numeric id ``firm`` for ``xtset firm year``, labels in English, and value labels on flags, classes and outcomes.
    In the CSV a text that a spreadsheet would run as a formula has a single quote before it.
    """
    frame = made.frame if isinstance(made, Deidentified) else made
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("panel.csv", "panel.parquet", "panel.dta", "codebook.csv")]
    paths[0].write_bytes(csv_bytes(frame))
    frame.to_parquet(paths[1], index=False)
    _write_stata(frame, paths[2])
    paths[3].write_bytes(csv_bytes(_told(made) if isinstance(made, Deidentified) else codebook(frame)))
    return paths


def _write_stata(frame: pd.DataFrame, path: Path) -> None:
    """Write the Stata file: ``firm``, a numeric id in the order of the codes, first; labels in English; codes as numbers with value labels."""
    plain = _plain(frame)
    told: dict[Hashable, dict[float, str]] = {str(name): YES_NO for name in frame if frame[name].dtype.kind == "b"}
    for name, words in _coded(frame).items():
        plain[name] = frame[name].map({value: i for i, value in enumerate(words, start=1)}).astype(float)
        told[name] = dict(enumerate(words.values(), start=1))
    plain.insert(0, "firm", pd.factorize(frame["credit_code"], sort=True)[0] + 1.0)
    named = {c.name: c.en + (f" ({unit_text(c.unit, 'en')})" if c.unit else "") for c in columns() if c.name in frame}
    labels = {"firm": "numeric id of the firm", **named}
    plain.to_stata(
        path,
        write_index=False,
        version=118,
        time_stamp=STAMP,
        variable_labels={name: text[:80] for name, text in labels.items()},
        value_labels=told,
    )


def _coded(frame: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return the columns that hold nothing but codes of ``coded.csv``: code → English, in its order."""
    told: dict[str, dict[str, str]] = {}
    for row in read_rows(__file__, "coded.csv"):
        told.setdefault(row["column"], {})[row["value"]] = row["en"]
    return {
        name: words for name, words in told.items() if name in frame and frame[name].dropna().isin(list(words)).all()
    }


def _told(made: Deidentified) -> pd.DataFrame:
    """Return the codebook of a de-identified panel: what was coarsened, what taken out, and on its last row the k reached."""
    book = codebook(made.frame)
    gone = [c for c in columns() if c.name not in made.frame]
    rest = pd.DataFrame({"column": c.name, "label": c.zh, "label_en": c.en, "n": 0, "missing": 0} for c in gone)
    book = pd.concat([book, rest], ignore_index=True)
    for column, words in (("coarsened", 0), ("coarsened_en", 1)):
        book[column] = [_how(name, made.kept, words) for name in book["column"]]
    zh = f"k = {made.k}：{made.firms}户中，任何一户各年已知情况的全部记录至少与另外{made.k - 1}户相同；另有{made.left_out}户因相同者太少未列入"
    en = (
        f"k = {made.k}: of {made.firms} firms each has at least {made.k - 1} others with the same record of all that is known "
        f"of it in all years; {made.left_out} firms with too few like them are left out"
    )
    last = {
        "column": "(k)",
        "label": "k-匿名",
        "label_en": "k-anonymity",
        "n": made.firms,
        "missing": 0,
        "about": zh,
        "about_en": en,
    }
    return pd.concat([book, pd.DataFrame([last])], ignore_index=True)


def _how(name: str, kept: Mapping[str, int | None], words: int) -> str:
    """Say how a column was made harder to recognise."""
    if name in ("credit_code", "county", "township") and kept.get(name, 0) is not None:
        return ("换成密钥算出的编号", "an id by a secret key")[words]
    if name in AMOUNTS:
        return ("取三位有效数字", "three significant figures")[words]
    level = kept.get(name, 0)
    if level is None:
        return ("已删去", "taken out")[words]
    return "" if name == "year" else (f"每户一个值，第{level + 1}级", f"one value a firm, level {level + 1}")[words]


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a panel in types that Stata has: flags and years as numbers, texts without blanks."""
    out = {}
    for name in frame:
        values = frame[name]
        text = values.dtype.kind not in "biuf"
        out[name] = (
            values.fillna("").astype(str) if text else values.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        )
    return pd.DataFrame(out)


def _blank(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return where a column is blank; nowhere, where the panel lacks it."""
    return frame[name].isna().to_numpy() if name in frame else np.zeros(len(frame), dtype=bool)


YES_NO: dict[float, str] = {0: "no", 1: "yes"}
REASONS = {row["reason"]: row for row in read_rows(__file__, "reasons.csv")}
ALONE = {kind: name for name, row in REASONS.items() for kind in row["kinds"].split()}
