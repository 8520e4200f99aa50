"""What departments keep beside the tables: findings of inspections and papers received."""

from __future__ import annotations

from typing import Any

import pandas as pd

from lyeval.sample.panel import stream
from lyeval.sample.story import Story, dated

Rows = list[dict[str, Any]]


def issues(story: Story, seed: int) -> Rows:
    """Return the 问题清单: one finding per violation flag of an enterprise with a case, most of them rectified."""
    rng, rows = stream(seed, story.place, 10), []
    first = {case["i"]: case for case in reversed(story.disposals)}
    zhoushan = story.place.policy == "zhoushan-2020"
    for i, case in sorted(first.items()):
        found = [name for name in MATTERS if bool(story.facts.loc[i, name])]
        for name in found:
            matter, department = MATTERS[name]
            start = dated(rng, "2020-08-01", "2020-08-31") if zhoushan else case["started"]
            row = {"i": i, "department": f"{'市' if zhoushan else '县'}{department}", "matter": matter, "found": start}
            row["due"] = start + pd.Timedelta(days=60)
            if not bool(story.facts.loc[i, "rectified_without_effect"]) and rng.random() < 0.8:
                row["rectified"] = start + pd.Timedelta(days=int(rng.integers(15, 75)))
                row["accepted"] = row["rectified"] + pd.Timedelta(days=int(rng.integers(5, 25)))
            rows.append({k: v for k, v in row.items() if not (isinstance(v, pd.Timestamp) and v > _end(story))})
    return [row for row in rows if "found" in row]


def papers(story: Story, seed: int) -> Rows:
    """Return the 材料: what enterprises with a case handed in, a few papers still owed."""
    rng, rows = stream(seed, story.place, 11), []
    for case in story.disposals:
        for paper in PAPERS.get(case["kind"], ()):
            received = case["started"] - pd.Timedelta(days=int(rng.integers(5, 25)))
            if rng.random() < 0.93 and received <= _end(story):
                rows.append({"i": case["i"], "paper": paper, "received": received})
    return list({(row["i"], row["paper"]): row for row in reversed(rows)}.values())


def _end(story: Story) -> pd.Timestamp:
    return pd.Timestamp(story.years[-1].year, 12, 31)


MATTERS = {
    "violation_safety": ("安全生产", "应急管理局"),
    "violation_environment": ("环保", "生态环境局"),
    "violation_energy": ("节能", "发改委"),
    "violation_quality": ("质量", "市场监管局"),
    "violation_land": ("违法用地", "自然资源和规划局"),
    "violation_building": ("违法建筑", "综合执法局"),
    "violation_fire": ("消防", "消防救援支队"),
}
USUAL = ("工业用地基本情况", "近三年实缴税收报表")
PAPERS = {
    "rectify": (*USUAL, "限期整改申请意向书", "限期整改计划报告书"),
    "merge": (*USUAL, "并购重组申请意向书", "并购重组计划报告书", "并购重组企业相关情况"),
    "partition": (*USUAL, "分割转让申请意向书", "分割转让计划报告书", "受让企业相关情况"),
    "land_bank": (*USUAL, "收购储备申请意向书", "收购储备计划报告书"),
}
