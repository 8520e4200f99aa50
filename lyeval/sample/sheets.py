"""The sheets of a county told through: canonical columns, each of the type that reading it back gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from lyeval.ledger import Ledger
from lyeval.ledger.columns import dtype_of
from lyeval.sample import yearbook
from lyeval.sample.county import data
from lyeval.sample.profile import VIOLATIONS
from lyeval.sample.story import Story, dated

Frames = dict[str, pd.DataFrame]
Rows = list[dict[str, Any]]


def sheets(story: Story, first: int) -> Frames:
    """Return the sheets of one county from year ``first`` on; ``tax_items``, ``papers``, ``blocks`` where the plan knows them."""
    annual, codes, rules = yearbook.annual(story, first), story.firms["credit_code"], story.plan.tax
    kept = set(annual["i"].tolist())
    made = {"enterprises": story.facts[story.facts.index.isin(kept)].reset_index(drop=True)}
    made["annual"] = _coded(annual, codes)
    made["monthly"] = _coded(yearbook.monthly(story, annual), codes)
    if rules.source == "items" or rules.coefficients:
        made["tax_items"] = _coded(yearbook.tax_items(story, annual), codes)
    filed = {"disposals": story.disposals, "process": story.process, "issues": issues(story)}
    if story.place.drive:
        made |= {name: _rows(name, rows, codes, kept) for name, rows in filed.items()}
        made["blocks"] = pd.DataFrame(story.blocks, columns=data("sheets")["columns"]["blocks"])
    else:
        made |= {name: _rows(name, rows, codes, kept) for name, rows in (filed | {"papers": papers(story)}).items()}
    return {sheet: typed(sheet, frame) for sheet, frame in made.items()}


def ledger(story: Story) -> Ledger:
    """Return what the county knows so far."""
    made: Any = sheets(story, story.years[0].year)
    return Ledger(**made, sheets=tuple(made))


def typed(sheet: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Give each column the type that reading it back gives."""
    return frame.astype({name: dtype_of(sheet, name) for name in frame.columns})


def _coded(frame: pd.DataFrame, codes: pd.Series) -> pd.DataFrame:
    frame = frame.copy()
    frame.insert(0, "credit_code", codes.to_numpy()[frame["i"]])
    return frame.drop(columns="i")


def _rows(sheet: str, rows: Iterable[dict[str, Any]], codes: pd.Series, kept: set[int]) -> pd.DataFrame:
    """Return rows as a frame with all columns of the sheet that any row fills, sorted by credit code and start."""
    coded = [{"credit_code": codes.iloc[row["i"]], **row} for row in rows if row["i"] in kept]
    frame = pd.DataFrame(coded, columns=["credit_code", *data("sheets")["columns"][sheet]])
    frame = frame.dropna(axis=1, how="all") if len(frame) else frame
    return frame.sort_values([name for name in ("credit_code", "started") if name in frame], ignore_index=True)


def issues(story: Story) -> Rows:
    """Return the 问题清单: one finding per violation flag of an enterprise with a case, most of them rectified."""
    rng, rows, end = story.stream(10), [], pd.Timestamp(story.years[-1].year, 12, 31)
    level = "市" if story.plan.place.level == "city" else "县"
    inspected = story.place.programme["inspected"]
    first = {case["i"]: case for case in reversed(story.disposals)}
    for i, case in sorted(first.items()):
        for name in [name for name in VIOLATIONS if story.has(i, name)]:
            matter, department = VIOLATIONS[name]
            start = dated(rng, *inspected) if inspected else case["started"]
            row = {"i": i, "department": f"{level}{department}", "matter": matter, "found": start}
            row["due"] = start + pd.Timedelta(days=60)
            if not story.has(i, "rectified_without_effect") and rng.random() < 0.8:
                row["rectified"] = start + pd.Timedelta(days=int(rng.integers(15, 75)))
                row["accepted"] = row["rectified"] + pd.Timedelta(days=int(rng.integers(5, 25)))
            rows.append({k: v for k, v in row.items() if not (isinstance(v, pd.Timestamp) and v > end)})
    return [row for row in rows if "found" in row]


def papers(story: Story) -> Rows:
    """Return the 材料: what enterprises with a case handed in of the papers that the plan asks for, a few still owed."""
    rng, rows, end = story.stream(11), [], pd.Timestamp(story.years[-1].year, 12, 31)
    wanted = {method.method: method.papers for method in story.plan.methods}
    for case in story.disposals:
        for paper in wanted.get(case["kind"], ()):
            received = case["started"] - pd.Timedelta(days=int(rng.integers(5, 25)))
            if rng.random() < 0.93 and received <= end:
                rows.append({"i": case["i"], "paper": paper, "received": received})
    return list({(row["i"], row["paper"]): row for row in reversed(rows)}.values())
