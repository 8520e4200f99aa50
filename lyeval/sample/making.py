"""Make a sample county: story, sheets, canonical columns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lyeval.ledger.columns import DATES, FLAGS, NUMERIC, of_sheet
from lyeval.sample import accounts, desks, linshu, zhoushan
from lyeval.sample.places import Place, places
from lyeval.sample.story import Story

Frames = dict[str, pd.DataFrame]


def make(
    policy_id: str, *, enterprises: int | None = None, years: tuple[int, int], seed: int, county: str | None = None
) -> Frames:
    """Make a synthetic ledger (样例台账) for a policy.

    Parameters
    ----------
    policy_id : str
        ``zhoushan-2020`` or ``linshu-2021``.
    enterprises : int, optional
        Number of enterprises in all; default: the usual size of the county or counties.
    years : (int, int)
        First and last year, both inclusive.
    seed : int
        Non-negative; the same seed, size and county give the same figures in every year that two calls share.
    county : str, optional
        One county of the policy's place (中文名 or id); default: all of them.

    Returns
    -------
    dict of DataFrame
        Sheet name → canonical columns: ``enterprises``, ``annual``, ``monthly``, ``disposals``, ``process``,
        ``issues``, and ``papers`` (Linshu) or ``blocks`` (Zhoushan).

    Raises
    ------
    ValueError
        Unknown policy or county, years reversed, no enterprise.
    """
    if years[0] > years[1]:
        raise ValueError(f"years {years[0]}-{years[1]}: the first is after the last / 起止年份颠倒")
    chosen = places(policy_id, county)
    usual = sum(place.enterprises for place in chosen)
    total = usual if enterprises is None else enterprises
    sizes = [round(total * place.enterprises / usual) for place in chosen]
    sizes[0] += total - sum(sizes)
    if min(sizes) < 1:
        raise ValueError(f"enterprises {total}: at least one for each of {len(chosen)} counties / 企业数过少")
    parts = [sheets(place, tell(place, n, seed, years), seed, years[0]) for place, n in zip(chosen, sizes, strict=True)]
    return {sheet: pd.concat([part[sheet] for part in parts], ignore_index=True) for sheet in parts[0]}


def tell(place: Place, n: int, seed: int, years: tuple[int, int]) -> Story:
    """Return the story of one county."""
    return TELLERS[place.policy](place, n, seed, years)


def sheets(place: Place, story: Story, seed: int, first: int) -> Frames:
    """Return the sheets of one county from year ``first`` on."""
    annual = accounts.annual(story, seed, first)
    monthly = accounts.monthly(story, annual, seed)
    codes = story.firms["credit_code"]
    kept = set(annual["i"].tolist())
    made = {"enterprises": story.facts[story.facts.index.isin(kept)].reset_index(drop=True)}
    made["annual"], made["monthly"] = _coded(annual, codes), _coded(monthly, codes)
    made["disposals"] = _rows(story.disposals, DISPOSALS, codes, kept)
    made["process"] = _rows(story.process, PROCESS, codes, kept)
    made["issues"] = _rows(desks.issues(story, seed), ISSUES, codes, kept)
    if place.policy == "linshu-2021":
        made["papers"] = _rows(desks.papers(story, seed), PAPERS, codes, kept)
    else:
        made["blocks"] = pd.DataFrame(story.blocks, columns=list(BLOCKS))
    return {sheet: _typed(sheet, frame) for sheet, frame in made.items()}


def _typed(sheet: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Give each column the type that reading it back gives: flags boolean, figures float, dates, text."""
    known = of_sheet("enterprises") | of_sheet(sheet)
    kinds = {name: known[name].kind for name in frame.columns}
    for name, kind in kinds.items():
        if kind in FLAGS:
            frame[name] = frame[name].astype("boolean")
        elif kind in NUMERIC:
            frame[name] = frame[name].astype(float)
        elif kind in DATES:
            frame[name] = pd.to_datetime(frame[name])
        elif kind not in ("year", "month"):
            frame[name] = frame[name].astype("str")
    return frame


def _coded(frame: pd.DataFrame, codes: pd.Series) -> pd.DataFrame:
    frame = frame.copy()
    frame.insert(0, "credit_code", codes.to_numpy()[frame["i"]])
    return frame.drop(columns="i")


def _rows(rows: list[dict[str, Any]], columns: tuple[str, ...], codes: pd.Series, kept: set[int]) -> pd.DataFrame:
    """Return rows as a frame with all of ``columns`` that any row fills, sorted by credit code and start."""
    coded = [{"credit_code": codes.iloc[row["i"]], **row} for row in rows if row["i"] in kept]
    frame = pd.DataFrame(coded, columns=["credit_code", *columns])
    frame = frame.dropna(axis=1, how="all") if len(frame) else frame
    return frame.sort_values([name for name in ("credit_code", "started") if name in frame], ignore_index=True)


TELLERS = {"zhoushan-2020": zhoushan.tell, "linshu-2021": linshu.tell}
DISPOSALS = (
    "method",
    "started",
    "due",
    "finished",
    "outcome",
    "demolished_m2",
    "demolished_on",
    "released_mu",
    "whole",
    "successor_code",
    "cost_wan",
    "upgraded",
    "written_off",
    "difficulty",
    "next_step",
    "responsible",
)
PROCESS = (
    "checked",
    "notified",
    "statement",
    "statement_result",
    "certified",
    "published",
    "plan_submitted",
    "plan_approved",
    "applied",
    "first_accept",
    "recognised",
    "key_listed",
)
ISSUES = ("department", "matter", "found", "due", "rectified", "accepted", "transferred")
PAPERS = ("paper", "received")
BLOCKS = (
    "block",
    "county",
    "township",
    "approved",
    "planned_m2",
    "demolished_m2",
    "land_mu",
    "released_mu",
    "completed",
)
