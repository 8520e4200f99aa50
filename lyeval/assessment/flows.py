"""Arithmetic that closes: the stock of listed enterprises over a year, and the doors by which they reached the line."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from lyeval.assessment.frame import Frame, held_to, under
from lyeval.assessment.standing import Standing, standing_of
from lyeval.indicators import EXITS, RELATIVE


def flows(standing: Standing) -> pd.DataFrame:
    """Follow the listed through the year.

    Returns
    -------
    DataFrame
        One row per class (above, below, none: class unknown) and ``all``: opening (the closing stock of the year before), new (listed
        this year, and not in that stock), one column per way out in the year (关停 …), left_scope, reached (no criterion holds on the
        year's facts any more), closing (still low-efficiency, or not known to have reached). Classes are of the year.

    Raises
    ------
    ArithmeticError
        Opening + new − ways out − left scope − reached is not the closing stock, counted on its own.
    """
    masks = _movement(standing)
    closing = masks.pop("closing")
    return pd.DataFrame([_flow_row(name, mask, masks, closing) for name, mask in _classes(standing.frame).items()])


def _movement(standing: Standing) -> dict[str, np.ndarray]:
    """Return who stands in each column of the flows, masks of shape (n,)."""
    frame = standing.frame
    before = standing_of(_year_before(frame))
    first = frame.year <= min(frame.policy.years.identification)
    opening = np.zeros(len(frame.book), dtype=bool) if first else _movement(before)["closing"]
    new = standing.listed.true & ~opening
    ever, out = opening | new, standing.way_out[0]
    in_pool, low, here = frame.pool("targets").possible, ~standing.cleared.true, ever & (out == "")
    return {
        "opening": opening,
        "new": new,
        **{word: ever & (out == word) for word in EXITS},
        "left_scope": here & ~in_pool,
        "reached": here & in_pool & ~low,
        "closing": ever & ~standing.gone.true & in_pool & low,
    }


def _year_before(frame: Frame) -> Frame:
    year = frame.year - 1
    return Frame(frame.policy, frame.book, year, min(year, frame.facts_year))


def _flow_row(name: str, mask: np.ndarray, masks: dict[str, np.ndarray], closing: np.ndarray) -> dict[str, object]:
    counts = {key: int((m & mask).sum()) for key, m in masks.items()}
    left = counts["opening"] + counts["new"] - sum(v for k, v in counts.items() if k not in ("opening", "new"))
    counted = int((closing & mask).sum())
    if left != counted:
        raise ArithmeticError(f"存量不闭合 / the stock does not close: {name}: {counts} → {left}, counted {counted}")
    return {"class": name, **counts, "closing": counted}


def _classes(frame: Frame) -> dict[str, np.ndarray]:
    everyone = np.ones(len(frame.book), dtype=bool)
    return {"above": frame.above.true, "below": frame.above.false, "none": frame.above.unknown, "all": everyone}


def doors(standing: Standing) -> pd.DataFrame:
    """Count by which door those below the line in the year before are below it no longer.

    Returns
    -------
    DataFrame
        door (exit, left_scope, class, land_use_tax, less_land, more_tax, still_below, unknown), label, above, below, none, n. Each
        enterprise that stood in scope below its line at the end of the year before goes through one door: the first that applies in
        this order. The line is the year's, of the class it was in.
    """
    frame = standing.frame
    was, door = _was_low(frame), door_of(standing)
    rows: list[dict[str, Any]] = []
    for name, (zh, en) in DOORS.items():
        mask = was & (door == name)
        counts = {c: int((mask & m).sum()) for c, m in _classes(frame).items()}
        sides = {k: counts[k] for k in ("above", "below", "none")}
        rows.append({"door": name, "label": zh, "label_en": en, **sides, "n": counts["all"]})
    return pd.DataFrame(rows)


def _was_low(frame: Frame) -> np.ndarray:
    """Tell who was still here, in scope and below its line at the end of the year before, shape (n,)."""
    before = standing_of(_year_before(frame))
    out = under(frame.before.tax_per_mu, *_lines_of_old_class(frame)).true
    for mask in frame.excluded("identification").values():
        out = out & ~mask
    return out & before.here_in_scope


def door_of(standing: Standing) -> np.ndarray:
    """Return the door of each enterprise, shape (n,), whether or not it was below the line."""
    frame = standing.frame
    now, before = frame.now, frame.before
    own, old = partial(_below, lines=frame.lines), partial(_below, lines=_lines_of_old_class(frame))
    extra = np.nan_to_num(frame.book.annual("land_use_tax_extra_wan", frame.facts_year))
    tests = {
        "exit": standing.gone.true,
        "left_scope": standing.in_scope.false,
        "unknown": standing.below.unknown,
        "still_below": standing.below.true,
        "class": old(now.tax, now.land),
        "land_use_tax": (extra > 0) & own(now.tax - extra, now.land),
        "less_land": (now.land < before.land * (1 - RELATIVE)) & own(now.tax, before.land),
    }
    out = np.full(len(frame.book), "more_tax", dtype=object)
    for name in reversed(tests):
        out[tests[name]] = name
    return out


def _below(tax: np.ndarray, land: np.ndarray, *, lines: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return under(tax / land, *lines).true


def _lines_of_old_class(frame: Frame) -> tuple[np.ndarray, np.ndarray]:
    """Return the year's line and edge of the class that each was in the year before; of an unknown one, those of the year's class."""
    flag = frame.book.annual_flag("above_scale", frame.class_year - 1)
    above, below = (held_to(frame.policy, frame.year, name) for name in ("above", "below"))
    line, edge = (np.where(flag.true, above[k], np.where(flag.false, below[k], frame.lines[k])) for k in (0, 1))
    return line, edge.astype(bool)


DOORS = {
    "more_tax": ("税收增加", "more tax"),
    "less_land": ("用地减少", "less land"),
    "class": ("规上规下变动", "change of class"),
    "left_scope": ("降到10亩以下等退出适用范围", "left the scope"),
    "exit": ("企业退出", "exit"),
    "land_use_tax": ("加征土地使用税", "land-use tax"),
    "still_below": ("仍低于标准线", "still below"),
    "unknown": ("尚不能判定", "cannot be determined"),
}
