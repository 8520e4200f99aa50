"""The panel for other hands (导出): CSV, Parquet, Stata, a codebook that says why values are missing, a de-identified form."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from lyeval.comparison.panels import PanelColumn, columns

FIGURES = 3
STAMP = datetime(2000, 1, 1)
HIDDEN = ("county", "township")


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
        "reasons": "；".join(f"{REASONS[r][0]} {n}" for r, n in counts.items()),
        "reasons_en": "; ".join(f"{REASONS[r][1]} {n}" for r, n in counts.items()),
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
        "ratio": [("no_row", absent), ("no_tax", frame["tax_wan"].isna()), ("no_land", frame["land_mu"].isna())],
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


def deidentified(frame: pd.DataFrame, salt: str) -> pd.DataFrame:
    """Return a panel without names: codes and places hashed with a salt, amounts cut to three figures.

    Parameters
    ----------
    salt
        Kept by the office; without it the codes cannot be tried one by one. At least eight characters.

    Raises
    ------
    ValueError
        A salt that is too short.

    Notes
    -----
    Who knows an enterprise's figures can still find it among few: this is for sharing under an agreement, not for
    publication.
    """
    if len(salt) < 8:
        raise ValueError("salt 至少 8 个字符 / the salt needs at least 8 characters")
    out = frame.drop(columns="name")
    out["credit_code"] = [_hashed(code, salt) for code in frame["credit_code"]]
    for name in HIDDEN:
        out[name] = [None if pd.isna(v) else _hashed(str(v), salt)[:8] for v in frame[name]]
    for name in out:
        if out[name].dtype.kind == "f":
            out[name] = _cut(out[name].to_numpy(dtype=float))
    return out.sort_values(["credit_code", "year"], kind="stable", ignore_index=True)


def _hashed(text: str, salt: str) -> str:
    return hashlib.sha256(f"{salt}\x00{text}".encode()).hexdigest()[:16]


def _cut(values: np.ndarray) -> np.ndarray:
    """Round to three significant figures."""
    size = np.abs(np.where(np.isfinite(values) & (values != 0), values, 1.0))
    step = 10.0 ** (np.floor(np.log10(size)) - (FIGURES - 1))
    return np.where(np.isfinite(values), np.round(values / step) * step, values).round(10)


def write_panel(frame: pd.DataFrame, folder: str | Path) -> list[Path]:
    """Write ``panel.csv``, ``panel.parquet``, ``panel.dta`` and ``codebook.csv`` into ``folder``; the same panel gives the same bytes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("panel.csv", "panel.parquet", "panel.dta", "codebook.csv")]
    paths[0].write_bytes(_csv(frame))
    frame.to_parquet(paths[1], index=False)
    labels = {c.name: f"{c.en} ({c.unit})"[:80] if c.unit else c.en[:80] for c in columns() if c.name in frame}
    _plain(frame).to_stata(paths[2], write_index=False, version=118, time_stamp=STAMP, variable_labels=labels)
    paths[3].write_bytes(_csv(codebook(frame)))
    return paths


def _csv(frame: pd.DataFrame) -> bytes:
    return ("\ufeff" + frame.to_csv(index=False, lineterminator="\n")).encode("utf-8")


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


REASONS = {
    "no_row": ("该年无数据行", "no row of the year"),
    "no_column": ("台账无此列", "the ledger lacks the column"),
    "blank": ("空白", "blank"),
    "no_tax": ("缺税收", "tax not known"),
    "no_land": ("无用地面积", "no land"),
    "no_months": ("台账无月度表", "no monthly sheet"),
    "months": ("月份不全或全年不为正", "months missing, or no total above zero"),
    "not_governed": ("方案不适用该年", "the plan does not govern the year"),
    "not_planned": ("方案没有此项", "the plan has none"),
    "unknown": ("缺事实，不能判定", "facts missing: not decided"),
    "not_excluded": ("未被除外", "not excluded"),
    "never": ("从未列入", "never listed"),
    "no_case": ("没有处置记录或日期", "no disposal, or no date"),
    "no_step": ("尚无程序记录", "no step yet"),
    "stays": ("未退出", "has not left"),
    "undated": ("结果未注明日期", "an outcome without a date"),
}
ALONE = {
    "excluded": "not_excluded",
    "listing": "never",
    "disposal": "no_case",
    "derived": "no_step",
    "exit": "stays",
    "standing": "undated",
    "first": "unknown",
}
