"""A panel that names nobody (去标识): ids by a secret key, what others know of a firm coarsened until five look alike."""

from __future__ import annotations

import hashlib
import hmac
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lyeval.told import Told

K = 5  # firms that share one record, at least
SPARED = 0.05  # of the firms may be left out so that the others keep more
ENOUGH = 0.8  # of the firms must share their years with enough others, else early years are left out
BITS, VARIETY, LONGEST = 128, 8, 1 << 20
AMOUNTS = ("tax_wan", "revenue_wan", "output_wan", "profit_wan", "power_wankwh", "late_share")
FIGURES = 3
Firms = pd.api.typing.DataFrameGroupBy


class CannotHide(Told):
    """A key that would not keep the ids secret, or too few firms to hide among."""


@dataclass(frozen=True)
class Deidentified:
    """A de-identified panel.

    Attributes
    ----------
    frame : DataFrame
        One row per firm and year with a row in the ledger: ``credit_code`` (32 hexadecimal signs), year, amounts to three
        figures, and what is known of the firm, alike in all its rows.
    k : int
        The fewest firms that share one record: their years and all that is known of them, all years together.
    firms, left_out : int
        Firms in the frame; firms left out because too few others looked like them.
    kept : dict
        Column → how fine it stands: 0 as it was, then coarser; None: taken out.
    """

    frame: pd.DataFrame
    k: int
    firms: int
    left_out: int
    kept: Mapping[str, int | None]


def read_key(path: str | Path, folder: str | Path) -> bytes:
    """Return the key in a file, a line's end taken off.

    Parameters
    ----------
    folder
        Where the panel will be written; the key must not lie there.

    Raises
    ------
    CannotHide
        No file, too short for 128 bits, all signs alike or in a pattern, or inside ``folder``.
    """
    path = Path(path)
    if not path.is_file():
        raise CannotHide(f"没有密钥文件 {path}；{MAKE}", f"there is no key file {path}; {MAKE_EN}")
    real, home = path.resolve(), Path(folder).resolve()
    if home == real.parent or home in real.parents:
        raise CannotHide(f"密钥不能放在输出文件夹 {folder} 里", f"the key must not lie in the output folder {folder}")
    if path.stat().st_size > LONGEST:
        raise CannotHide("密钥文件大于1 MB", "the key file is larger than 1 MB")
    key = path.read_bytes().rstrip(b"\r\n")
    check_key(key)
    return key


def check_key(key: bytes) -> None:
    """Refuse a key that can be guessed.

    Raises
    ------
    CannotHide
        Fewer than 16 bytes, or than the signs of its kind (digits, hexadecimal …) need for 128 bits; few different signs, a
        repeated pattern, or a run like 1234….
    """
    sizes = [size for signs, size in ALPHABETS if all(c in signs for c in key)]
    bits = len(key) * math.log2(min(sizes, default=256))
    if len(key) < BITS // 8 or bits < BITS:
        need = max(BITS // 8, math.ceil(BITS / math.log2(min(sizes, default=256))))
        told = f"密钥太短：{len(key)}字节，这类字符至少要{need}字节；{MAKE}"
        raise CannotHide(told, f"the key is too short: {len(key)} bytes, signs of its kind need {need}; {MAKE_EN}")
    steps = {(b - a) % 256 for a, b in pairwise(key)}
    if len(set(key)) < VARIETY or len(steps) < VARIETY // 2 or key in (key + key)[1:-1]:
        raise CannotHide(
            f"密钥容易猜到：字符太少或成规律；{MAKE}", f"the key can be guessed: few signs or a pattern; {MAKE_EN}"
        )


def is_shared(path: str | Path) -> bool:
    """Whether everyone on this computer may read a file."""
    return os.name == "posix" and bool(Path(path).stat().st_mode & 0o004)


def deidentified(frame: pd.DataFrame, key: bytes) -> Deidentified:
    """Return a panel without names, in which every firm has at least four others like it.

    Parameters
    ----------
    frame
        A panel of `panels.panel`.
    key
        At least 128 bits, kept by the office: one key gives a firm one id in every panel.

    Raises
    ------
    CannotHide
        A key that can be guessed; fewer than five firms with figures, whom no coarsening hides.

    Notes
    -----
    From all taken out, columns are refined one after the other as long as at most a twentieth of the firms look like fewer
    than four others; these are left out. Amounts are no part of what must be alike: who knows a firm's figures can still
    find it, so this is for sharing under an agreement, not for publication.
    """
    check_key(key)
    rows = frame[frame["present"].to_numpy(dtype=bool)].sort_values(["credit_code", "year"], kind="stable")
    rows = _years_kept(rows)
    record, levels, small = _refined(rows, key)
    kept = record[~small]
    ids = pd.Series([_hashed(code, key, "firm", 32) for code in kept.index], index=kept.index, dtype=object)
    out = rows[rows["credit_code"].isin(kept.index)]
    made: dict[str, Any] = {"credit_code": out["credit_code"].map(ids), "year": out["year"]}
    made |= {name: _cut(out[name].to_numpy(dtype=float)) for name in AMOUNTS}
    made |= {name: out["credit_code"].map(kept[name]).astype(object) for name in map(str, kept) if name != "years"}
    ordered = pd.DataFrame(made)[[name for name in frame if name in made]]
    told = {name: level if name in kept else None for name, level in levels.items()}
    return Deidentified(
        ordered.sort_values(["credit_code", "year"], kind="stable", ignore_index=True),
        int(_sizes(kept).min()),
        len(kept),
        frame["credit_code"].nunique() - len(kept),
        told
        | {
            name: 0 if name in AMOUNTS else None
            for name in map(str, frame)
            if name not in {*told, "credit_code", "year"}
        },
    )


def _years_kept(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of as many last years as leave `ENOUGH` of the firms with years that enough others share."""
    firms = rows["credit_code"].nunique()
    windows = [rows[rows["year"] >= year] for year in sorted(rows["year"].unique())]
    hidden = [int((_sizes(_patterns(part).to_frame()) >= K).sum()) for part in windows]
    if max(hidden, default=0) < K:
        raise CannotHide(
            f"有数据的企业不足{K}户，除非全部删去，怎样合并都认得出来：不能去标识，没有写出",
            f"fewer than {K} firms with figures: short of dropping everything no coarsening hides them; nothing is written",
        )
    enough = [at for at, count in enumerate(hidden) if count >= ENOUGH * firms]
    return windows[enough[0] if enough else int(np.argmax(hidden))]


def _patterns(rows: pd.DataFrame) -> pd.Series:
    """Return each firm's years as one text."""
    return rows.groupby("credit_code", sort=True)["year"].agg(lambda years: " ".join(map(str, years))).rename("years")


def _sizes(record: pd.DataFrame) -> pd.Series:
    """Return for each firm how many firms have its record, itself among them."""
    groups = record.groupby(list(record), dropna=False, sort=False)
    return groups[record.columns[0]].transform("size")


def _refined(rows: pd.DataFrame, key: bytes) -> tuple[pd.DataFrame, dict[str, int], np.ndarray]:
    """Refine what is known of firms, a step a column in turn, while at most `SPARED` more firms become too rare.

    Returns
    -------
    record : DataFrame
        By firm: its years, and the columns that stand.
    levels : dict
        Column → level reached.
    small : array of bool
        Firms to be left out.
    """
    firms = rows.groupby("credit_code", sort=True)
    steps = {name: make(firms, name, key) for name, make in KNOWN.items() if name in rows}
    levels = {name: len(made) for name, made in steps.items()}
    record = _patterns(rows).to_frame()
    small = (_sizes(record) < K).to_numpy()
    most = small.sum() + SPARED * len(record)
    stuck: set[str] = set()
    while len(stuck) < len(steps):
        for name in (n for n in steps if n not in stuck):
            finer = record.assign(**{name: steps[name][levels[name] - 1]})
            rare = (_sizes(finer) < K).to_numpy()
            if rare.sum() > most or rare.all():
                stuck.add(name)
                continue
            record, small, levels[name] = finer, rare, levels[name] - 1
            if not levels[name]:
                stuck.add(name)
    return record, levels, small


def _hashed(text: str, key: bytes, what: str, length: int) -> str:
    """Return an id by HMAC-SHA256; ``what`` keeps the ids of firms and of places apart."""
    return hmac.new(key, f"{what}\x00{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:length]


def _cut(values: np.ndarray) -> np.ndarray:
    """Round to three significant figures."""
    size = np.abs(np.where(np.isfinite(values) & (values != 0), values, 1.0))
    step = 10.0 ** (np.floor(np.log10(size)) - (FIGURES - 1))
    return np.where(np.isfinite(values), np.round(values / step) * step, values).round(10)


Levels = list[pd.Series]  # by firm, the finest first; each is coarser than the one before


def _word(firms: Firms, name: str, key: bytes) -> Levels:
    """Take the last known word or flag of a firm."""
    return [_texts(firms[name].last())]


def _industry(firms: Firms, name: str, key: bytes) -> Levels:
    """Take the industry, then the group of industries that it belongs to."""
    codes = _texts(firms[name].last())
    groups = codes.map(lambda c: next((g for last, g in GROUPS if c <= last), "other"), na_action="ignore")
    return [codes, groups.astype(object)]


def _place(firms: Firms, name: str, key: bytes) -> Levels:
    """Take the id of a place."""
    return [
        _texts(firms[name].last()).map(lambda place: _hashed(place, key, name, 8), na_action="ignore").astype(object)
    ]


def _band(*edges: Sequence[float]) -> Callable[[Firms, str, bytes], Levels]:
    """Take the band of a firm's median over the years, in ever fewer bands."""

    def make(firms: Firms, name: str, key: bytes) -> Levels:
        middle = firms[name].median().astype(float)
        return [middle.map(lambda value, at=at: _between(value, at), na_action="ignore").astype(object) for at in edges]

    return make


def _between(value: float, edges: Sequence[float]) -> str:
    """Return the band of a value as text."""
    at = int(np.searchsorted(edges, value, side="right"))
    if at == 0:
        return f"<{edges[0]:g}"
    return f">={edges[-1]:g}" if at == len(edges) else f"{edges[at - 1]:g}-{edges[at]:g}"


def _when(firms: Firms, name: str, key: bytes) -> Levels:
    """Take a year, then three years, then whether there is one."""
    years = firms[name].last().astype("Float64").astype(float)
    exact = years.map(lambda y: f"{y:.0f}", na_action="ignore").astype(object)
    spans = years.map(lambda y: f"{y - y % 3:.0f}-{y - y % 3 + 2:.0f}", na_action="ignore").astype(object)
    return [exact, spans, pd.Series(np.where(years.isna(), "no", "yes"), index=years.index, dtype=object)]


def _texts(values: pd.Series) -> pd.Series:
    """Return words as they are and flags as yes and no, None where blank."""
    known = values.astype(object).where(values.notna(), None)
    return known.map(
        lambda v: ("no", "yes")[bool(v)] if isinstance(v, bool | np.bool_) else v, na_action="ignore"
    ).astype(object)


LAND = ([5, 10, 20, 30, 50, 100, 200], [10, 30, 100], [30])
STAFF = ([10, 20, 50, 100, 300, 1000], [20, 100, 300], [50])
YIELD = ([0, 1, 2, 3, 5, 10, 20, 50], [2, 5, 20], [3])
GROUPS = (("12", "06-12"), ("24", "13-24"), ("33", "25-33"), ("40", "34-40"), ("43", "41-43"))
KNOWN: dict[str, Callable[[Firms, str, bytes], Levels]] = {  # the first are refined first
    "first_class": _word,
    "first_list": _word,
    "treated_year": _when,
    "industry": _industry,
    "land_mu": _band(*LAND),
    "tax_per_mu": _band(*YIELD),
    "county": _place,
    "method": _word,
    "exit_year": _when,
    "grade": _word,
    "employees": _band(*STAFF),
    "above_scale": _word,
    "plan_class": _word,
    "first_listed": _when,
    "listed": _word,
    "outcome": _word,
    "finished_year": _when,
    "in_scope": _word,
    "excluded_by": _word,
    "first_ratable": _word,
    "township": _place,
    "rated_land_mu": _band(*LAND),
}
ALPHABETS = (
    (b"0123456789", 10),
    (b"0123456789abcdefABCDEF", 16),
    (b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_", 64),
    (bytes(range(32, 127)), 95),
)
MAKE = "可这样生成：python -c \"import secrets; open('panel.key', 'xb').write(secrets.token_bytes(32))\""
MAKE_EN = "make one: python -c \"import secrets; open('panel.key', 'xb').write(secrets.token_bytes(32))\""
